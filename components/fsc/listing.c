/* What the Directory of the group lists, kept for a minute: which organisations offer a service, and which
 * protocol it speaks. */
#include "components/fsc/internal.h"

#include <string.h>

#include "core/base/error.h"
#include "core/format/json.h"

#define FRESH_US (60 * G_TIME_SPAN_SECOND)
#define TIMEOUT_MS 3000
#define PAGES_MAX 20
#define KEPT_MAX 1000

typedef struct {
    json_t *services; /* array of `data` objects with that exact name; never changed once here */
    gint64 asked_us;
    gboolean failed; /* the last time that the Directory was asked */
} Kept;

struct listing {
    GMutex lock;
    GHashTable *by_name; /* service name -> Kept* */
};

static void kept_free(gpointer pointer)
{
    Kept *kept = pointer;
    json_decref(kept->services);
    g_free(kept);
}

Listing *listing_new(void)
{
    Listing *listing = g_new0(Listing, 1);
    g_mutex_init(&listing->lock);
    listing->by_name = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, kept_free);
    return listing;
}

void listing_free(Listing *listing)
{
    if (listing == NULL)
        return;
    g_hash_table_unref(listing->by_name);
    g_mutex_clear(&listing->lock);
    g_free(listing);
}

/* The filter of the standard is "contains, in any case"; we want the name itself. */
static void take_named(json_t *out, const json_t *services, const char *service_name)
{
    for (gsize i = 0; i < json_array_size(services); i++) {
        json_t *data = json_object_get(json_array_get(services, i), "data");
        const json_t *peer = json_object_get(data, "peer");
        if (g_strcmp0(json_string_at(data, "name"), service_name) == 0 && json_string_at(peer, "id") != NULL)
            json_array_append(out, data);
    }
}

static json_t *ask_page(Fsc *fsc, const char *service_name, const char *cursor, GError **error)
{
    g_autofree char *escaped = g_uri_escape_string(cursor, NULL, FALSE);
    g_autofree char *path =
        g_strdup_printf("/v1/services?service_name=%s&limit=1000&sort_order=SORT_ORDER_ASCENDING%s%s",
                        service_name, *cursor != '\0' ? "&cursor=" : "", escaped);
    PeerCall call = {.peer_id = fsc->directory,
                     .address = fsc->directory_address,
                     .role = ROLE_MANAGER,
                     .path = path,
                     .timeout_ms = TIMEOUT_MS};
    g_autoptr(HttpReply) reply = peers_call(fsc, &call, error);
    if (reply == NULL)
        return NULL;
    if (reply->status == 200)
        return http_reply_json(reply, error);
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_UNAVAILABLE, "the Directory answered %u",
                reply->status);
    return NULL;
}

static json_t *ask(Fsc *fsc, const char *service_name, GError **error)
{
    g_autoptr(json_t) all = json_array();
    g_autofree char *cursor = g_strdup("");
    for (guint page = 0; page < PAGES_MAX; page++) {
        g_autoptr(json_t) body = ask_page(fsc, service_name, cursor, error);
        if (body == NULL)
            return NULL;
        take_named(all, json_object_get(body, "services"), service_name);
        const char *next = json_string_at(json_object_get(body, "pagination"), "next_cursor");
        if (next == NULL || *next == '\0')
            break;
        g_free(cursor);
        cursor = g_strdup(next);
    }
    return g_steal_pointer(&all);
}

/* Our own list when we are the Directory. */
static json_t *own(Fsc *fsc, const char *service_name)
{
    g_autoptr(json_t) services = directory_services(fsc, NULL, service_name);
    json_t *all = json_array();
    take_named(all, services, service_name);
    return all;
}

/* What is kept under this name, when it need not be asked again. A new reference. */
static json_t *recall(Listing *listing, const char *service_name, gboolean only_fresh, gboolean *stale)
{
    json_t *services = NULL;
    g_mutex_lock(&listing->lock);
    const Kept *kept = g_hash_table_lookup(listing->by_name, service_name);
    if (kept != NULL && (!only_fresh || g_get_monotonic_time() - kept->asked_us < FRESH_US)) {
        services = json_incref(kept->services);
        *stale = kept->failed;
    }
    g_mutex_unlock(&listing->lock);
    return services;
}

/* Takes `services`; NULL marks that the Directory did not answer and what was there stays. */
static void keep(Listing *listing, const char *service_name, json_t *services)
{
    g_mutex_lock(&listing->lock);
    const Kept *before = g_hash_table_lookup(listing->by_name, service_name);
    Kept *kept = g_new0(Kept, 1);
    kept->failed = services == NULL;
    kept->services = services != NULL ? services
                     : before != NULL ? json_incref(before->services)
                                      : json_array();
    kept->asked_us = g_get_monotonic_time();
    if (g_hash_table_size(listing->by_name) >= KEPT_MAX)
        g_hash_table_remove_all(listing->by_name);
    g_hash_table_replace(listing->by_name, g_strdup(service_name), kept);
    g_mutex_unlock(&listing->lock);
}

/* A new reference; an empty array when nothing is known. */
static json_t *services_named(Fsc *fsc, const char *service_name, gboolean *stale)
{
    *stale = FALSE;
    if (fsc->directory == NULL || fsc->directory_address == NULL ||
        g_str_equal(fsc->directory, node_oin(fsc->node)))
        return own(fsc, service_name);
    json_t *services = recall(fsc->listing, service_name, TRUE, stale);
    if (services != NULL)
        return services;
    g_autoptr(GError) why = NULL;
    services = ask(fsc, service_name, &why);
    if (services == NULL)
        g_info("fsc: the services named %s are those of before: %s", service_name, why->message);
    keep(fsc->listing, service_name, services);
    return recall(fsc->listing, service_name, FALSE, stale);
}

json_t *fsc_services_named(Fsc *fsc, const char *service_name, gboolean *stale, GError **error)
{
    g_autoptr(json_t) services = services_named(fsc, service_name, stale);
    json_t *list = json_array();
    for (gsize i = 0; i < json_array_size(services); i++) {
        const json_t *peer = json_object_get(json_array_get(services, i), "peer");
        const char *name = json_string_at(peer, "name"), *address = json_string_at(peer, "manager_address");
        json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "peer_id", json_string_at(peer, "id"),
                                              "peer_name", name != NULL ? name : json_string_at(peer, "id"),
                                              "manager_address", address != NULL ? address : ""));
    }
    return list;
}

char *listing_protocol(Fsc *fsc, const char *peer_id, const char *service_name)
{
    gboolean stale;
    g_autoptr(json_t) services = services_named(fsc, service_name, &stale);
    for (gsize i = 0; i < json_array_size(services); i++) {
        const json_t *data = json_array_get(services, i);
        if (g_strcmp0(json_string_at(json_object_get(data, "peer"), "id"), peer_id) == 0)
            return g_strdup(json_string_at(data, "protocol"));
    }
    return NULL;
}
