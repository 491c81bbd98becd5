/* Asking other Managers who they are (FSC Core 2.0.0, 4.4.1.7: GET /peer): their version, their extensions,
 * and by the Date of the answer their clock. */
#include "components/fsc/internal.h"

#include <string.h>

#include "components/fsc/clock_rules.h"
#include "components/fsc/contacts.h"
#include "core/base/error.h"
#include "core/format/json.h"
#include "core/node/clock_state.h"
#include "core/node/health.h"

#define TIMEOUT_MS 5000
#define ANSWER_MAX (64 * 1024)
#define VERSION_MAX 32
#define PARALLEL 4
/* What a Peer's clock said longer ago than this is no witness any more. */
#define WITNESS_MS (60 * 60 * 1000)

/* The Date header counts whole seconds: half a second is added, and half the way of the answer. */
static void read_clock(Contact *found, const HttpReply *reply, gint64 before_ms, gint64 after_ms)
{
    const char *date = g_hash_table_lookup(reply->headers, "date");
    gint64 theirs = date == NULL ? -1 : http_date_read(date);
    if (theirs < 0)
        return;
    found->offset_known = TRUE;
    found->clock_offset_ms = theirs * 1000 + 500 - (before_ms + after_ms) / 2;
}

static char *version_of(const json_t *object)
{
    const char *version = json_string_at(object, "fsc_version");
    return version == NULL ? NULL : g_strndup(version, VERSION_MAX);
}

static gboolean ask(Fsc *fsc, const char *peer_id, Contact *found, GError **error)
{
    PeerCall call = {.peer_id = peer_id,
                     .address = g_strcmp0(peer_id, fsc->directory) == 0 ? fsc->directory_address : NULL,
                     .role = ROLE_MANAGER,
                     .path = "/v1/peer",
                     .timeout_ms = TIMEOUT_MS,
                     .body_max = ANSWER_MAX};
    gint64 before_ms = fsc_now_ms(fsc);
    g_autoptr(HttpReply) reply = peers_call(fsc, &call, error);
    if (reply == NULL)
        return FALSE;
    read_clock(found, reply, before_ms, fsc_now_ms(fsc));
    if (reply->status != 200) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_UNAVAILABLE, "Peer %s answered %u to GET /peer",
                    peer_id, reply->status);
        return FALSE;
    }
    g_autoptr(json_t) body = http_reply_json(reply, error);
    if (body == NULL)
        return FALSE;
    const json_t *extensions = json_object_get(body, "enabled_extensions");
    found->fsc_version = version_of(body);
    found->extensions = json_is_object(extensions) ? json_write(extensions) : NULL;
    return TRUE;
}

static void warn_of_version(const Contact *found)
{
    if (found->fsc_version != NULL && !g_str_equal(found->fsc_version, FSC_VERSION))
        g_warning("fsc: Peer %s speaks FSC %s, this node %s: contracts between them are refused with "
                  "ERROR_CODE_UNKNOWN_FSC_VERSION until both speak the same version",
                  found->peer_id, found->fsc_version, FSC_VERSION);
}

static void probe(gpointer data, gpointer user_data)
{
    Fsc *fsc = user_data;
    g_autofree char *peer_id = data;
    g_autoptr(GError) why = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(Contact) found = g_new0(Contact, 1);
    found->peer_id = g_strdup(peer_id);
    if (node_is_stopping(fsc->node))
        return;
    if (!ask(fsc, peer_id, found, &why))
        found->probe_error = g_strdup(why->message);
    warn_of_version(found);
    g_autoptr(Db) db = store_take(node_store(fsc->node), &error);
    if (db == NULL || !contacts_probed(db, found, fsc_now_ms(fsc), &error))
        g_warning("fsc: what Peer %s said of itself is not kept: %s", peer_id, error->message);
}

GPtrArray *probe_partners(Fsc *fsc, GError **error)
{
    g_autoptr(Db) db = store_take(node_store(fsc->node), error);
    GPtrArray *all = db == NULL ? NULL : contacts_partners(db, error);
    if (all == NULL)
        return NULL;
    guint at;
    if (g_ptr_array_find_with_equal_func(all, node_oin(fsc->node), g_str_equal, &at))
        g_ptr_array_remove_index(all, at);
    if (fsc->directory != NULL && !g_str_equal(fsc->directory, node_oin(fsc->node)) &&
        !g_ptr_array_find_with_equal_func(all, fsc->directory, g_str_equal, NULL))
        g_ptr_array_add(all, g_strdup(fsc->directory));
    return all;
}

gboolean probe_job(Node *node, gpointer context, GError **error)
{
    Fsc *fsc = context;
    g_autoptr(GPtrArray) all = probe_partners(fsc, error);
    if (all == NULL)
        return FALSE;
    GThreadPool *pool = g_thread_pool_new(probe, fsc, PARALLEL, FALSE, NULL);
    for (guint i = 0; i < all->len; i++)
        g_thread_pool_push(pool, g_strdup(g_ptr_array_index(all, i)), NULL);
    g_thread_pool_free(pool, FALSE, TRUE);
    return TRUE;
}

void probe_heard_contract(Fsc *fsc, const char *peer_id, const json_t *content)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Contact) found = g_new0(Contact, 1);
    found->peer_id = g_strdup(peer_id);
    found->fsc_version = version_of(content);
    if (found->fsc_version == NULL)
        return;
    warn_of_version(found);
    g_autoptr(Db) db = store_take(node_store(fsc->node), &error);
    if (db == NULL || !contacts_heard_version(db, peer_id, found->fsc_version, &error))
        g_info("fsc: the version of Peer %s is not kept: %s", peer_id, error->message);
}

/* --- our own clock --- */

static gboolean witnesses_agree(Fsc *fsc, GError **error)
{
    g_autoptr(GError) why = NULL;
    g_autoptr(Db) db = store_take(node_store(fsc->node), &why);
    g_autoptr(GPtrArray) contacts = db == NULL ? NULL : contacts_list(db, &why);
    if (contacts == NULL)
        return TRUE; /* what is about to be signed needs the store too, and says so itself */
    g_autofree gint64 *offsets = g_new(gint64, contacts->len + 1);
    gsize count = 0;
    for (guint i = 0; i < contacts->len; i++) {
        const Contact *contact = g_ptr_array_index(contacts, i);
        /* Also when our clock jumped far ahead or back: so long ago is by that same clock. */
        if (contact->offset_known && contact->probe_error == NULL &&
            ABS(fsc_now_ms(fsc) - contact->probed_ms) < WITNESS_MS)
            offsets[count++] = contact->clock_offset_ms;
    }
    gint64 off_ms = clock_off_by_witnesses(offsets, count);
    if (off_ms == 0)
        return TRUE;
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_UNAVAILABLE,
                "the clock of this machine is %" G_GINT64_FORMAT
                " s %s by the word of most Peers, so nothing is "
                "signed; set it right (chronyc tracking, timedatectl)",
                ABS(off_ms) / 1000, off_ms > 0 ? "behind" : "ahead");
    return FALSE;
}

gboolean probe_clock_is_sound(Fsc *fsc, GError **error)
{
    switch (clock_check_of(node_config(fsc->node))) {
    case CLOCK_CHECK_OFF:
        return TRUE;
    case CLOCK_CHECK_ON:
        if (!clock_is_synchronised()) {
            g_set_error_literal(
                error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_UNAVAILABLE,
                "the kernel says that the clock of this machine is not synchronised, so nothing "
                "is signed; have chrony or systemd-timesyncd keep it, or set [node] clock_check");
            return FALSE;
        }
        return witnesses_agree(fsc, error);
    case CLOCK_CHECK_AUTO:
        return witnesses_agree(fsc, error);
    }
    return TRUE;
}

void probe_health(gpointer context, json_t *checks)
{
    Fsc *fsc = context;
    g_autoptr(GError) why = NULL;
    if (!probe_clock_is_sound(fsc, &why))
        health_add(checks, "fsc:clock", HEALTH_WARN, why->message);
    else
        health_add(checks, "fsc:clock", HEALTH_PASS,
                   clock_is_synchronised() ? NULL : "the kernel calls its clock unsynchronised");
}
