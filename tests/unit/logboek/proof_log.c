#include "tests/unit/logboek/proof_log.h"

#include <string.h>

#include "components/logboek/record.h"
#include "core/crypto/note.h"
#include "core/crypto/tlog.h"

#define ORIGIN "logboek.example.org/logboek/00000001000000000002/1.0"
#define BEGINS_MS 1795286400000

typedef struct {
    guint8 kind;
    gint64 time_ms;
    guint8 salt[PROOF_SALT_SIZE];
    GBytes *content;
    gboolean deleted;
    MerkleHash commitment, leaf;
    gint person; /* -1: public */
} Entry;

struct proof_log {
    GRand *random;
    guint persons;
    GArray *entries; /* of Entry */
    VrfKey *vrf;
    NoteSigner *signer, *witnesses[PROOF_WITNESSES];
    guint64 epoch, epoch_entry, through;
    MerkleMap *map;
    gboolean unwitnessed;
};

static void entry_clear(gpointer data)
{
    g_bytes_unref(((Entry *)data)->content);
}

static Entry *entry_at(const ProofLog *log, guint64 number)
{
    return &g_array_index(log->entries, Entry, number);
}

static void append(ProofLog *log, guint8 kind, gint person, GBytes *content)
{
    Entry entry = {.kind = kind, .person = person, .content = content};
    entry.time_ms = BEGINS_MS + (gint64)log->entries->len * 10;
    for (guint i = 0; person >= 0 && i < PROOF_SALT_SIZE; i++)
        entry.salt[i] = (guint8)g_rand_int(log->random);
    proof_commit(kind, entry.salt, g_bytes_get_data(content, NULL), g_bytes_get_size(content),
                 &entry.commitment);
    proof_leaf(kind, entry.time_ms, &entry.commitment, &entry.leaf);
    g_array_append_val(log->entries, entry);
}

char *proof_log_subject(guint person)
{
    return g_strdup_printf("p1.%043u", person);
}

static void append_record(ProofLog *log, gint person)
{
    g_autofree char *subject = proof_log_subject((guint)person);
    LogboekRecord record = {
        .name = "Gegevens opvragen", .data_subject_id = subject, .data_subject_id_type = "BSN"};
    g_snprintf(record.trace_id, sizeof record.trace_id, "%032x", g_rand_int(log->random) | 1U);
    g_snprintf(record.span_id, sizeof record.span_id, "%016x", g_rand_int(log->random) | 1U);
    record.start_ms = record.end_ms = BEGINS_MS + log->entries->len;
    append(log, PROOF_RECORD, person, record_encode(&record, NULL));
}

static GBytes *json_bytes(json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT);
    GBytes *bytes = g_bytes_new(text, strlen(text));
    free(text);
    json_decref(value);
    return bytes;
}

static json_t *base64_json(const void *data, gsize length)
{
    g_autofree char *text = g_base64_encode(data, length);
    return json_string(text);
}

/* --- the map --- */

/* Of a person up to and with entry `through`. */
static void person_edge(const ProofLog *log, guint person, MerkleEdge *edge)
{
    *edge = (MerkleEdge){0};
    for (guint64 number = 0; number <= log->through; number++) {
        const Entry *entry = entry_at(log, number);
        MerkleHash leaf;
        if (entry->person != (gint)person)
            continue;
        proof_person_leaf(number, entry->kind, entry->time_ms, &entry->commitment, &leaf);
        merkle_edge_add(edge, &leaf, NULL, NULL);
    }
}

static void label_of(const ProofLog *log, guint person, guint8 out[VRF_OUTPUT_SIZE], guint8 *proof)
{
    g_autofree char *subject = proof_log_subject(person);
    g_autoptr(GBytes) input = proof_label_input("BSN", subject, PROOF_OPEN);
    vrf_evaluate(log->vrf, g_bytes_get_data(input, NULL), g_bytes_get_size(input), out, proof);
}

static void append_epoch(ProofLog *log)
{
    MerkleHash root;
    log->through = log->entries->len - 1;
    g_clear_pointer(&log->map, merkle_map_free);
    log->map = merkle_map_new();
    for (guint person = 0; person < log->persons; person++) {
        guint8 label[VRF_OUTPUT_SIZE];
        MerkleEdge edge;
        MerkleHash list, value;
        person_edge(log, person, &edge);
        if (edge.size == 0)
            continue;
        label_of(log, person, label, NULL);
        merkle_edge_root(&edge, &list);
        proof_person_value(edge.size, &list, &value);
        merkle_map_put(log->map, label, &value);
    }
    merkle_map_root(log->map, &root);
    log->epoch_entry = log->entries->len;
    append(log, PROOF_EPOCH, -1,
           json_bytes(json_pack("{s:I, s:o, s:I, s:I}", "epoch", (json_int_t)log->epoch++, "root",
                                base64_json(root.bytes, sizeof root.bytes), "through",
                                (json_int_t)log->through, "labels", (json_int_t)merkle_map_size(log->map))));
}

void proof_log_grow(ProofLog *log, guint records)
{
    for (guint i = 0; i < records; i++)
        append_record(log, (gint)g_rand_int_range(log->random, 0, (gint32)log->persons));
    append_epoch(log);
    for (guint i = 0; i < 3; i++)
        append_record(log, (gint)g_rand_int_range(log->random, 0, (gint32)log->persons));
}

ProofLog *proof_log_new(guint32 seed, guint persons, guint records)
{
    ProofLog *log = g_new0(ProofLog, 1);
    guint8 vrf_seed[VRF_SEED_SIZE] = {1}, note_seed[NOTE_SEED_SIZE] = {2};
    log->random = g_rand_new_with_seed(seed);
    log->persons = persons;
    log->entries = g_array_new(FALSE, TRUE, sizeof(Entry));
    g_array_set_clear_func(log->entries, entry_clear);
    log->vrf = vrf_key_new(vrf_seed, NULL);
    log->signer = note_signer_new(ORIGIN, NOTE_ED25519, note_seed, NULL);
    for (guint i = 0; i < PROOF_WITNESSES; i++) {
        g_autofree char *name = g_strdup_printf("w%u.example.org", i);
        note_seed[1] = (guint8)(i + 1);
        log->witnesses[i] = note_signer_new(name, NOTE_COSIGNATURE, note_seed, NULL);
    }
    append(log, PROOF_START, -1,
           json_bytes(json_pack("{s:s, s:s, s:o, s:I, s:n}", "origin", ORIGIN, "oin", "00000001000000000002",
                                "vrf", base64_json(vrf_key_public(log->vrf), VRF_PUBLIC_SIZE), "begins",
                                (json_int_t)BEGINS_MS, "previous")));
    proof_log_grow(log, records / 2);
    proof_log_grow(log, records - records / 2);
    return log;
}

void proof_log_free(ProofLog *log)
{
    g_rand_free(log->random);
    g_array_unref(log->entries);
    vrf_key_free(log->vrf);
    note_signer_free(log->signer);
    for (guint i = 0; i < PROOF_WITNESSES; i++)
        note_signer_free(log->witnesses[i]);
    merkle_map_free(log->map);
    g_free(log);
}

TlogPolicy *proof_log_policy(const ProofLog *log)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_append_printf(text, "log %s\n", note_verifier_text(note_signer_verifier(log->signer)));
    for (guint i = 0; i < PROOF_WITNESSES; i++)
        g_string_append_printf(text, "witness w%u %s\n", i,
                               note_verifier_text(note_signer_verifier(log->witnesses[i])));
    g_string_append(text, "group enough 2 w0 w1 w2\nquorum enough\n");
    return tlog_policy_parse(text->str, -1, NULL);
}

/* --- bundles --- */

static gboolean read_tree(gpointer data, guint level, guint64 index, MerkleHash *out, GError **error)
{
    const ProofLog *log = data;
    MerkleEdge edge = {0};
    for (guint64 i = index << level; i < (index + 1) << level; i++)
        merkle_edge_add(&edge, &entry_at(log, i)->leaf, NULL, NULL);
    merkle_edge_root(&edge, out);
    return TRUE;
}

static char *checkpoint_of(ProofLog *log, gboolean witnessed)
{
    Checkpoint checkpoint = {.origin = (char[]){ORIGIN}, .size = log->entries->len};
    (void)merkle_root(checkpoint.size, read_tree, log, &checkpoint.root, NULL);
    g_autofree char *text = checkpoint_format(&checkpoint);
    g_autoptr(GString) note = g_string_new(text);
    g_autofree char *own = note_sign(log->signer, text, 0);
    g_string_append_printf(note, "\n%s", own);
    for (guint i = 0; witnessed && i < PROOF_WITNESSES - 1; i++) {
        g_autofree char *line = note_sign(log->witnesses[i], text, BEGINS_MS / 1000 + i);
        g_string_append(note, line);
    }
    return g_string_free(g_steal_pointer(&note), FALSE);
}

char *proof_log_unwitnessed(ProofLog *log)
{
    return checkpoint_of(log, FALSE);
}

static json_t *public_json(ProofLog *log, guint64 number)
{
    const Entry *entry = entry_at(log, number);
    MerkleHash path[MERKLE_PROOF_MAX];
    gsize count;
    json_t *hashes = json_array();
    (void)merkle_prove_inclusion(number, log->entries->len, read_tree, log, path, &count, NULL);
    for (gsize i = 0; i < count; i++)
        json_array_append_new(hashes, base64_json(path[i].bytes, sizeof path[i].bytes));
    return json_pack("{s:I, s:I, s:o, s:o}", "number", (json_int_t)number, "time", (json_int_t)entry->time_ms,
                     "data",
                     base64_json(g_bytes_get_data(entry->content, NULL), g_bytes_get_size(entry->content)),
                     "path", hashes);
}

static json_t *entry_json(const Entry *entry, guint64 number)
{
    json_t *json = json_pack("{s:I, s:I, s:I}", "number", (json_int_t)number, "kind", (json_int_t)entry->kind,
                             "time", (json_int_t)entry->time_ms);
    if (entry->deleted) {
        json_object_set_new(json, "commitment",
                            base64_json(entry->commitment.bytes, sizeof entry->commitment.bytes));
        json_object_set_new(json, "deleted", json_integer(BEGINS_MS));
        return json;
    }
    json_object_set_new(json, "salt", base64_json(entry->salt, sizeof entry->salt));
    json_object_set_new(
        json, "content",
        base64_json(g_bytes_get_data(entry->content, NULL), g_bytes_get_size(entry->content)));
    return json;
}

static json_t *list_json(ProofLog *log, guint person)
{
    guint8 label[VRF_OUTPUT_SIZE], vrf[VRF_PROOF_SIZE];
    MerkleMapProof proof;
    g_autofree char *subject = proof_log_subject(person);
    json_t *entries = json_array();
    label_of(log, person, label, vrf);
    merkle_map_prove(log->map, label, &proof);
    g_autoptr(GBytes) map = merkle_map_proof_write(&proof);
    for (guint64 number = 0; number <= log->through; number++)
        if (entry_at(log, number)->person == (gint)person)
            json_array_append_new(entries, entry_json(entry_at(log, number), number));
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:I, s:o}", "subject_type", "BSN", "subject", subject, "list",
                     "open", "vrf", base64_json(vrf, sizeof vrf), "map",
                     base64_json(g_bytes_get_data(map, NULL), g_bytes_get_size(map)), "count",
                     (json_int_t)json_array_size(entries), "entries", entries);
}

json_t *proof_log_bundle(ProofLog *log, guint person)
{
    g_autofree char *checkpoint = checkpoint_of(log, !log->unwitnessed);
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:[o]}", "format", BUNDLE_FORMAT, "origin", ORIGIN,
                     "checkpoint", checkpoint, "start", public_json(log, 0), "epoch",
                     public_json(log, log->epoch_entry), "lists", list_json(log, person));
}

/* --- what may happen to a log --- */

gint64 proof_log_any_entry(ProofLog *log, guint person, GRand *random)
{
    g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(guint64));
    for (guint64 number = 0; number <= log->through; number++)
        if (entry_at(log, number)->person == (gint)person)
            g_array_append_val(numbers, number);
    if (numbers->len == 0)
        return -1;
    return (gint64)g_array_index(numbers, guint64, g_rand_int_range(random, 0, (gint32)numbers->len));
}

void proof_log_delete(ProofLog *log, guint64 number)
{
    entry_at(log, number)->deleted = TRUE;
}

void proof_log_fork(ProofLog *log, gboolean witnessed)
{
    guint64 number = 1 + (guint64)g_rand_int_range(log->random, 0, (gint32)log->entries->len - 2);
    while (entry_at(log, number)->person < 0)
        number = 1 + number % (log->entries->len - 1);
    g_array_remove_index(log->entries, (guint)number);
    log->unwitnessed = !witnessed;
    append_epoch(log);
}
