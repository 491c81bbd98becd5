/* What organisations say of their services. It does not travel in contracts: a description changes more often
 * than an agreement, and their properties are for what extensions define. The Directory asks for it at the
 * Manager of whoever published, whose certificate says who is speaking; a Manager that does not know the
 * question (another maker's) has no description. */
#include "components/fsc/catalogue_private.h"

#include <string.h>

#include "components/fsc/description.h"
#include "core/base/error.h"
#include "core/base/identifiers.h"
#include "core/format/json.h"
#include "core/net/problem.h"

#define ASK_AGAIN_S (10 * 60)
#define NEW_S 30 /* so long after the last signature both sides know that a publication is valid */
#define TIMEOUT_MS 5000
#define SERVICES_MAX 1000

/* --- what we say --- */

/* Only services that stand in a Directory: names of others are nobody's business. */
static gboolean is_published(const json_t *listed, const char *own, const char *name)
{
    for (gsize i = 0; i < json_array_size(listed); i++) {
        const json_t *data = json_object_get(json_array_get(listed, i), "data");
        if (g_strcmp0(json_string_at(data, "name"), name) == 0 &&
            g_strcmp0(json_string_at(json_object_get(data, "peer"), "id"), own) == 0)
            return TRUE;
    }
    return FALSE;
}

void catalogue_describe(Request *request, gpointer context)
{
    Fsc *fsc = context;
    const char *name;
    json_t *description, *list = json_array();
    g_autoptr(json_t) listed = directory_services(fsc, node_oin(fsc->node), NULL);
    json_object_foreach(fsc->catalogue->own, name, description)
    {
        if (is_published(listed, node_oin(fsc->node), name)) {
            json_t *service = json_copy(description);
            json_object_set_new(service, "name", json_string(name));
            json_array_append_new(list, service);
        }
    }
    respond_json(request, 200, json_pack("{s:o}", "services", list));
}

/* --- what others say --- */

/* {"SERVICE": {description}} from the answer of a Manager; what is not right in it is left out. */
static json_t *clean_answer(const json_t *answer)
{
    const json_t *services = json_object_get(answer, "services");
    json_t *all = json_object();
    for (gsize i = 0; i < MIN(json_array_size(services), SERVICES_MAX); i++) {
        const json_t *service = json_array_get(services, i);
        const char *name = json_string_at(service, "name");
        if (name != NULL && fsc_service_name_valid(name))
            json_object_set_new(all, name, description_clean(service));
    }
    return all;
}

static json_t *ask(Fsc *fsc, const char *peer_id)
{
    g_autoptr(GError) error = NULL;
    PeerCall call = {
        .peer_id = peer_id, .role = ROLE_MANAGER, .path = "/fsc/v1/services", .timeout_ms = TIMEOUT_MS};
    g_autoptr(HttpReply) reply = peers_call(fsc, &call, &error);
    if (reply == NULL) {
        g_info("fsc: what %s says of its services stays as it was: %s", peer_id, error->message);
        return NULL;
    }
    if (reply->status == 404)
        return json_object(); /* it does not describe its services */
    g_autoptr(json_t) answer = reply->status == 200 ? http_reply_json(reply, &error) : NULL;
    if (answer != NULL)
        return clean_answer(answer);
    g_info("fsc: what %s says of its services stays as it was: it answered %u%s%s", peer_id, reply->status,
           error == NULL ? "" : ", ", error == NULL ? "" : error->message);
    return NULL;
}

/* Without an answer what was known stays, and it is asked again in ten minutes like everybody. */
static gboolean keep(Fsc *fsc, const char *peer_id, const json_t *answer, GError **error)
{
    g_autofree char *body = answer == NULL ? g_strdup("{}") : json_write(answer);
    g_autoptr(Db) db = store_take(node_store(fsc->node), error);
    return db != NULL &&
           db_run(
               db, error,
               answer == NULL
                   ? "INSERT INTO fsc_description (peer_id, body, asked_at) VALUES (?1, ?2, ?3) "
                     "ON CONFLICT (peer_id) DO UPDATE SET asked_at = excluded.asked_at"
                   : "INSERT INTO fsc_description (peer_id, body, asked_at) VALUES (?1, ?2, ?3) "
                     "ON CONFLICT (peer_id) DO UPDATE SET body = excluded.body, asked_at = excluded.asked_at",
               value_text(peer_id), value_text(body), value_integer(fsc_now_s(fsc)));
}

/* Peer ID -> when it was asked last. */
static json_t *asked_when(Fsc *fsc, GError **error)
{
    g_autoptr(Db) db = store_take(node_store(fsc->node), error);
    g_autoptr(Rows) rows =
        db == NULL ? NULL
                   : db_query_values(db, "SELECT peer_id, asked_at FROM fsc_description", NULL, 0, error);
    if (rows == NULL)
        return NULL;
    json_t *when = json_object();
    while (rows_next(rows))
        json_object_set_new(when, rows_text(rows, 0), json_integer(rows_integer(rows, 1)));
    return when;
}

/* "PEER SERVICE" -> when the last signature was set under a publication of it. */
static json_t *signed_when(Fsc *fsc)
{
    json_t *when = json_object();
    g_autoptr(GPtrArray) valid = agreements_valid(fsc->agreements, TRUE, fsc_now_s(fsc));
    for (guint i = 0; i < valid->len; i++) {
        const StoredContract *stored = agreement_contract(g_ptr_array_index(valid, i));
        gint64 last = 0;
        for (guint j = 0; j < stored->signatures->len; j++) {
            const StoredSignature *signature = g_ptr_array_index(stored->signatures, j);
            last = MAX(last, signature->signed_at);
        }
        for (gsize j = 0; j < stored->contract->n_grants; j++) {
            const Grant *grant = &stored->contract->grants[j];
            g_autofree char *key = g_strdup_printf("%s %s", grant->service_peer_id, grant->service_name);
            json_object_set_new(when, key, json_integer(MAX(last, json_integer_at(when, key))));
        }
    }
    return when;
}

typedef struct {
    json_t *asked, *answers, *signed_at; /* by organisation; by organisation; by service */
} Known;

/* In ten minutes again; sooner when it published something that its last answer did not have. */
static gboolean is_due(const Known *known, const json_t *listed, gint64 now_s)
{
    const char *peer_id = json_string_at(json_object_get(listed, "peer"), "id");
    const char *name = json_string_at(listed, "name");
    g_autofree char *key = g_strdup_printf("%s %s", peer_id, name);
    gint64 asked = json_integer_at(known->asked, peer_id);
    gboolean has_it = json_object_get(json_object_get(known->answers, peer_id), name) != NULL;
    return asked <= now_s - ASK_AGAIN_S ||
           (!has_it && asked < json_integer_at(known->signed_at, key) + NEW_S);
}

static gboolean ask_due(Fsc *fsc, const Known *known, GError **error)
{
    g_autoptr(json_t) listed = directory_services(fsc, NULL, NULL);
    for (gsize i = 0; i < json_array_size(listed); i++) {
        const json_t *data = json_object_get(json_array_get(listed, i), "data");
        const char *peer_id = json_string_at(json_object_get(data, "peer"), "id");
        if (g_str_equal(peer_id, node_oin(fsc->node)) || !is_due(known, data, fsc_now_s(fsc)))
            continue;
        g_autoptr(json_t) answer = ask(fsc, peer_id);
        if (!keep(fsc, peer_id, answer, error))
            return FALSE;
        json_object_set_new(known->asked, peer_id,
                            json_integer(fsc_now_s(fsc) + NEW_S)); /* once in a round */
    }
    return TRUE;
}

gboolean catalogue_ask(Node *node, gpointer context, GError **error)
{
    Fsc *fsc = context;
    if (!fsc->catalogue->is_directory)
        return TRUE;
    g_autoptr(json_t) asked = asked_when(fsc, error);
    g_autoptr(json_t) answers = asked == NULL ? NULL : catalogue_answers(fsc, error);
    if (answers == NULL)
        return FALSE;
    g_autoptr(json_t) signed_at = signed_when(fsc);
    return ask_due(fsc, &(Known){asked, answers, signed_at}, error);
}

json_t *catalogue_answers(Fsc *fsc, GError **error)
{
    g_autoptr(Db) db = store_take(node_store(fsc->node), error);
    g_autoptr(Rows) rows =
        db == NULL ? NULL : db_query_values(db, "SELECT peer_id, body FROM fsc_description", NULL, 0, error);
    if (rows == NULL)
        return NULL;
    json_t *answers = json_object();
    while (rows_next(rows)) {
        json_t *body = json_parse_strict(rows_text(rows, 1), -1, NULL, NULL);
        if (body != NULL)
            json_object_set_new(answers, rows_text(rows, 0), body);
    }
    return answers;
}
