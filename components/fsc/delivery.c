#include "components/fsc/delivery.h"

#include <string.h>

#include "components/fsc/contacts.h"
#include "components/fsc/hash.h"
#include "components/fsc/internal.h"
#include "core/format/json.h"
#include "core/node/outbox.h"

/* --- what is known of all Peers, by Peer ID --- */

typedef struct {
    char *peer_id;
    const Peer *peer;       /* NULL: only heard of */
    const Contact *contact; /* NULL: never met */
    const OutboxSummary *summary;
} Line;

typedef struct {
    GPtrArray *peers, *contacts, *summaries, *partners; /* what the lines borrow from */
    GTree *lines;                                       /* Peer ID -> Line* */
} Overview;

static void line_free(gpointer pointer)
{
    Line *line = pointer;
    g_free(line->peer_id);
    g_free(line);
}

static int compare_ids(gconstpointer a, gconstpointer b, gpointer user_data)
{
    return strcmp(a, b);
}

static void overview_clear(Overview *overview)
{
    g_clear_pointer(&overview->lines, g_tree_unref);
    g_clear_pointer(&overview->peers, g_ptr_array_unref);
    g_clear_pointer(&overview->contacts, g_ptr_array_unref);
    g_clear_pointer(&overview->summaries, g_ptr_array_unref);
    g_clear_pointer(&overview->partners, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Overview, overview_clear)

/* The line of this Peer, made when there is none. */
static Line *line_of(const Overview *overview, const char *peer_id)
{
    Line *line = g_tree_lookup(overview->lines, peer_id);
    if (line == NULL) {
        line = g_new0(Line, 1);
        line->peer_id = g_strdup(peer_id);
        g_tree_insert(overview->lines, line->peer_id, line);
    }
    return line;
}

static void join(Overview *overview)
{
    overview->lines = g_tree_new_full(compare_ids, NULL, NULL, line_free);
    for (guint i = 0; i < overview->peers->len; i++) {
        const Peer *peer = g_ptr_array_index(overview->peers, i);
        line_of(overview, peer->peer_id)->peer = peer;
    }
    for (guint i = 0; i < overview->contacts->len; i++) {
        const Contact *contact = g_ptr_array_index(overview->contacts, i);
        line_of(overview, contact->peer_id)->contact = contact;
    }
    for (guint i = 0; i < overview->partners->len; i++)
        line_of(overview, g_ptr_array_index(overview->partners, i));
    for (guint i = 0; i < overview->summaries->len; i++) {
        const OutboxSummary *summary = g_ptr_array_index(overview->summaries, i);
        /* "PEER ADDRESS" is an address to be verified, nothing of ours that waits. */
        if (strchr(summary->destination, ' ') == NULL)
            line_of(overview, summary->destination)->summary = summary;
    }
}

static gboolean read_overview(Fsc *fsc, Overview *overview, GError **error)
{
    overview->summaries = outbox_summaries(node_store(fsc->node), error);
    g_autoptr(Db) db = overview->summaries == NULL ? NULL : store_take(node_store(fsc->node), error);
    if (db == NULL || (overview->peers = fsc_store_peers(db, error)) == NULL ||
        (overview->contacts = contacts_list(db, error)) == NULL ||
        (overview->partners = contacts_partners(db, error)) == NULL)
        return FALSE;
    join(overview);
    g_tree_remove(overview->lines, node_oin(fsc->node));
    return TRUE;
}

/* --- as JSON --- */

static void set_time(json_t *object, const char *name, gint64 ms)
{
    json_object_set_new(object, name, ms > 0 ? json_integer(ms) : json_null());
}

static void set_text(json_t *object, const char *name, const char *text)
{
    json_object_set_new(object, name, text != NULL ? json_string(text) : json_null());
}

static void add_waiting(json_t *object, const OutboxSummary *summary)
{
    json_object_set_new(object, "waiting", json_integer(summary == NULL ? 0 : summary->waiting));
    json_object_set_new(object, "dead", json_integer(summary == NULL ? 0 : summary->dead));
    set_time(object, "oldest_waiting_ms", summary == NULL ? 0 : summary->oldest_ms);
    set_time(object, "next_try_ms", summary == NULL ? 0 : summary->next_try_ms);
    set_text(object, "last_error", summary == NULL ? NULL : summary->last_error);
}

static void add_contact(json_t *object, const Contact *contact)
{
    static const Contact nothing = {0};
    const Contact *known = contact == NULL ? &nothing : contact;
    json_t *extensions =
        known->extensions == NULL ? NULL : json_parse_strict(known->extensions, -1, NULL, NULL);
    set_time(object, "last_delivered_ms", known->delivered_ms);
    set_time(object, "last_reconciled_ms", known->reconciled_ms);
    set_text(object, "reconcile_error", known->reconcile_error);
    set_time(object, "probed_ms", known->probed_ms);
    set_text(object, "probe_error", known->probe_error);
    set_text(object, "fsc_version", known->fsc_version);
    json_object_set_new(object, "fsc_version_matches",
                        known->fsc_version == NULL
                            ? json_null()
                            : json_boolean(g_str_equal(known->fsc_version, FSC_VERSION)));
    json_object_set_new(object, "enabled_extensions", extensions != NULL ? extensions : json_object());
    json_object_set_new(object, "clock_offset_ms",
                        known->offset_known ? json_integer(known->clock_offset_ms) : json_null());
}

static gboolean add_line(gpointer key, gpointer value, gpointer list)
{
    const Line *line = value;
    json_t *object = json_pack("{s:s, s:s}", "peer_id", line->peer_id, "name",
                               line->peer != NULL ? line->peer->name : line->peer_id);
    set_text(object, "manager_address", line->peer != NULL ? line->peer->manager_address : NULL);
    add_waiting(object, line->summary);
    add_contact(object, line->contact);
    json_array_append_new(list, object);
    return FALSE;
}

json_t *delivery_of_peers(Fsc *fsc, GError **error)
{
    g_auto(Overview) overview = {0};
    if (!read_overview(fsc, &overview, error))
        return NULL;
    json_t *list = json_array();
    g_tree_foreach(overview.lines, add_line, list);
    return list;
}

/* --- of one contract --- */

static json_t *entry_json(const OutboxEntry *entry, const char *type)
{
    json_t *object =
        json_pack("{s:I, s:s, s:b, s:i, s:I, s:b}", "id", (json_int_t)entry->id, "type", type, "as_contract",
                  (int)g_str_equal(entry->kind, "fsc.contract"), "tries", (int)entry->tries, "since_ms",
                  (json_int_t)entry->created_ms, "dead", (int)entry->dead);
    set_time(object, "next_try_ms", entry->dead ? 0 : entry->next_try_ms);
    set_text(object, "last_error", entry->last_error);
    return object;
}

/* Which of our signatures a message is about: distribute_key() wrote it down. */
static const char *type_of(const OutboxEntry *entry, const char *content_hash)
{
    if (entry->unique == NULL || strstr(entry->unique, content_hash) == NULL)
        return NULL;
    for (int type = 0; type < SIGNATURE_TYPE_COUNT; type++) {
        g_autofree char *word = g_strdup_printf(" %s ", signature_type_name((SignatureType)type));
        if (strstr(entry->unique, word) != NULL)
            return signature_type_name((SignatureType)type);
    }
    return NULL;
}

static json_t *signer_json(Fsc *fsc, const StoredContract *stored, const char *peer_id, GError **error)
{
    g_autoptr(GPtrArray) entries = outbox_list(node_store(fsc->node), peer_id, error);
    if (entries == NULL)
        return NULL;
    g_autofree char *name = fsc_peer_name(fsc, peer_id);
    g_autoptr(GHashTable) missing = g_hash_table_new(g_str_hash, g_str_equal);
    json_t *waiting = json_array(), *delivered = json_array();
    for (guint i = 0; i < entries->len; i++) {
        const OutboxEntry *entry = g_ptr_array_index(entries, i);
        const char *type = type_of(entry, stored->contract->hash);
        if (type == NULL)
            continue;
        g_hash_table_add(missing, (gpointer)type);
        json_array_append_new(waiting, entry_json(entry, type));
    }
    for (int type = 0; type < SIGNATURE_TYPE_COUNT; type++) {
        const char *word = signature_type_name((SignatureType)type);
        if (stored_contract_signature(stored, node_oin(fsc->node), (SignatureType)type) != NULL &&
            !g_hash_table_contains(missing, word))
            json_array_append_new(delivered, json_string(word));
    }
    return json_pack("{s:s, s:s, s:o, s:o}", "peer_id", peer_id, "name", name, "delivered", delivered,
                     "waiting", waiting);
}

json_t *delivery_of_contract(Fsc *fsc, const char *content_hash, GError **error)
{
    g_autoptr(Db) db = store_take(node_store(fsc->node), error);
    g_autoptr(StoredContract) stored = db == NULL ? NULL : fsc_store_load(db, content_hash, error);
    g_clear_pointer(&db, db_release);
    if (stored == NULL)
        return NULL;
    g_autoptr(json_t) list = json_array();
    for (guint i = 0; i < stored->contract->signers->len; i++) {
        const char *peer_id = g_ptr_array_index(stored->contract->signers, i);
        if (g_str_equal(peer_id, node_oin(fsc->node)))
            continue;
        json_t *signer = signer_json(fsc, stored, peer_id, error);
        if (signer == NULL)
            return NULL;
        json_array_append_new(list, signer);
    }
    return g_steal_pointer(&list);
}

/* --- metrics --- */

typedef enum {
    FIGURE_WAITING,
    FIGURE_DEAD,
    FIGURE_OLDEST,
    FIGURE_VERSION_MATCH,
    FIGURE_CLOCK_OFFSET,
    FIGURE_RECONCILED,
    FIGURE_COUNT
} Figure;

static const struct {
    const char *name, *help;
} figures[FIGURE_COUNT] = {
    {"fundament_fsc_outbox_waiting", "Messages that wait for a Peer."},
    {"fundament_fsc_outbox_dead", "Messages for a Peer that were put aside."},
    {"fundament_fsc_outbox_oldest_seconds", "Age of the oldest message that waits for a Peer."},
    {"fundament_fsc_peer_version_match", "1: the Peer speaks our version of FSC; 0: another one."},
    {"fundament_fsc_peer_clock_offset_seconds", "The clock of a Peer minus ours."},
    {"fundament_fsc_peer_reconciled_seconds", "Time since the contracts of a Peer were compared with ours."},
};

/* FALSE when there is nothing to say. */
static gboolean figure_of(const Line *line, Figure figure, gint64 now_ms, double *value)
{
    const OutboxSummary *summary = line->summary;
    const Contact *contact = line->contact;
    switch (figure) {
    case FIGURE_WAITING:
        *value = summary == NULL ? 0 : (double)summary->waiting;
        return TRUE;
    case FIGURE_DEAD:
        *value = summary == NULL ? 0 : (double)summary->dead;
        return TRUE;
    case FIGURE_OLDEST:
        *value =
            summary == NULL || summary->oldest_ms == 0 ? 0 : (double)(now_ms - summary->oldest_ms) / 1000;
        return TRUE;
    case FIGURE_VERSION_MATCH:
        *value = contact != NULL && g_strcmp0(contact->fsc_version, FSC_VERSION) == 0;
        return contact != NULL && contact->fsc_version != NULL;
    case FIGURE_CLOCK_OFFSET:
        *value = contact == NULL ? 0 : (double)contact->clock_offset_ms / 1000;
        return contact != NULL && contact->offset_known;
    case FIGURE_RECONCILED:
        *value = contact == NULL ? 0 : (double)(now_ms - contact->reconciled_ms) / 1000;
        return contact != NULL && contact->reconciled_ms > 0;
    case FIGURE_COUNT:
        break;
    }
    return FALSE;
}

typedef struct {
    GString *out;
    Figure figure;
    gint64 now_ms;
    guint written;
} Writing;

static gboolean write_figure(gpointer key, gpointer value, gpointer user_data)
{
    Writing *writing = user_data;
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    double number;
    if (!figure_of(value, writing->figure, writing->now_ms, &number))
        return FALSE;
    g_ascii_formatd(text, sizeof text, "%.3f", number);
    g_string_append_printf(writing->out, "%s{peer=\"%s\"} %s\n", figures[writing->figure].name,
                           (const char *)key, text);
    return ++writing->written >= DELIVERY_LABELS_MAX;
}

void delivery_metrics(Fsc *fsc, GString *out)
{
    g_auto(Overview) overview = {0};
    if (!read_overview(fsc, &overview, NULL))
        return;
    for (Figure figure = 0; figure < FIGURE_COUNT; figure++) {
        g_string_append_printf(out, "# HELP %s %s\n# TYPE %s gauge\n", figures[figure].name,
                               figures[figure].help, figures[figure].name);
        Writing writing = {.out = out, .figure = figure, .now_ms = fsc_now_ms(fsc)};
        g_tree_foreach(overview.lines, write_figure, &writing);
    }
}
