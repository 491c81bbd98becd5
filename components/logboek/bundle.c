#include "components/logboek/bundle.h"

#include <string.h>

#include "components/logboek/record.h"
#include "core/base/base64.h"
#include "core/base/error.h"
#include "core/format/json.h"

#define CONTENT_MAX ((gsize)1024 * 1024)
#define PROOF_BYTES_MAX 16384

static const struct {
    const char *name, *text;
} faults[BUNDLE_FAULT_COUNT] = {
#define X(name, text) {#name, text},
    BUNDLE_FAULT_TABLE(X)
#undef X
};

const char *bundle_fault_name(BundleFault fault)
{
    return faults[fault].name;
}

const char *bundle_fault_text(BundleFault fault)
{
    return faults[fault].text;
}

void bundle_report_clear(BundleReport *report)
{
    g_clear_pointer(&report->where, g_free);
    g_clear_pointer(&report->detail, g_free);
    g_clear_pointer(&report->origin, g_free);
}

json_t *bundle_parse(const char *text, gsize length, GError **error)
{
    static const JsonLimits limits = {.bytes = BUNDLE_MAX, .depth = 8, .values = 20000000};
    if (length > BUNDLE_MAX) {
        g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_LIMIT, "a statement has at most 64 MiB");
        return NULL;
    }
    return json_parse_strict(text, (gssize)length, &limits, error);
}

/* --- the course of a verification --- */

typedef struct {
    const json_t *bundle;
    const TlogPolicy *policy;
    BundleReport *report;
    Checkpoint checkpoint;
    guint8 vrf[VRF_PUBLIC_SIZE];
    MerkleHash map_root;
} Verification;

static gboolean fault(BundleReport *report, BundleFault which, const char *where, const char *detail)
{
    report->fault = which;
    report->where = g_strdup(where);
    report->detail = g_strdup(detail);
    return FALSE;
}

static gboolean check_shape(Verification *v, const json_t *object, const char *where, const JsonField *fields,
                            gsize count)
{
    g_autoptr(GError) error = NULL;
    return json_check_object(object, where, fields, count, &error) ||
           fault(v->report, BUNDLE_UNREADABLE, where, error->message);
}

/* The bytes of a member in base64; NULL when it is none, or has another size. Caller frees. */
static GBytes *bytes_at(const json_t *object, const char *name, gsize min, gsize max)
{
    const char *text = json_string_at(object, name);
    return text == NULL ? NULL : base64_decode(text, strlen(text), min, max);
}

static gboolean hash_at(const json_t *object, const char *name, MerkleHash *out)
{
    const char *text = json_string_at(object, name);
    return text != NULL && base64_decode_to(text, strlen(text), out->bytes, sizeof out->bytes);
}

/* --- the state of the log --- */

static void note_witnesses(Verification *v, const TlogWitness *witnesses, guint count)
{
    for (guint i = 0; i < count; i++) {
        if (!witnesses[i].cosigned)
            continue;
        guint64 time = witnesses[i].time_s;
        v->report->witnesses++;
        v->report->witnessed_s = v->report->witnesses == 1 ? time : MIN(v->report->witnessed_s, time);
    }
}

static gboolean verify_checkpoint(Verification *v)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Note) note = note_parse(json_string_at(v->bundle, "checkpoint"), -1, &error);
    if (note == NULL)
        return fault(v->report, BUNDLE_CHECKPOINT, "checkpoint", error->message);
    guint count = tlog_policy_witnesses(v->policy);
    g_autofree TlogWitness *witnesses = g_new0(TlogWitness, count + 1);
    gboolean believed = tlog_policy_check(v->policy, note, &v->checkpoint, witnesses, &error);
    note_witnesses(v, witnesses, count);
    if (!believed) {
        BundleFault which = error->code == FUNDAMENT_ERROR_INVALID  ? BUNDLE_CHECKPOINT
                            : strstr(error->message, "few") != NULL ? BUNDLE_WITNESSES
                                                                    : BUNDLE_LOG;
        return fault(v->report, which, "checkpoint", error->message);
    }
    v->report->log_size = v->checkpoint.size;
    v->report->origin = g_strdup(v->checkpoint.origin);
    return strcmp(json_string_at(v->bundle, "origin"), v->checkpoint.origin) == 0 ||
           fault(v->report, BUNDLE_ORIGIN, "origin", v->checkpoint.origin);
}

/* --- public entries --- */

static gsize path_of(const json_t *entry, MerkleHash *path)
{
    const json_t *list = json_object_get(entry, "path"), *item;
    gsize i;
    json_array_foreach(list, i, item)
    {
        const char *text = json_string_value(item);
        if (i >= MERKLE_PROOF_MAX || text == NULL ||
            !base64_decode_to(text, strlen(text), path[i].bytes, sizeof path[i].bytes))
            return MERKLE_PROOF_MAX + 1;
    }
    return json_array_size(list);
}

/* START or EPOCH: in the tree, with this content. The content as JSON, or NULL with the fault. */
static json_t *verify_public(Verification *v, const char *name, guint8 kind, BundleFault which)
{
    static const JsonField fields[] = {{"number", JSON_KIND_INTEGER, TRUE},
                                       {"time", JSON_KIND_INTEGER, TRUE},
                                       {"data", JSON_KIND_STRING, TRUE},
                                       {"path", JSON_KIND_ARRAY, TRUE}};
    const json_t *entry = json_object_get(v->bundle, name);
    MerkleHash commitment, leaf, path[MERKLE_PROOF_MAX];
    if (!check_shape(v, entry, name, JSON_FIELDS(fields)))
        return NULL;
    g_autoptr(GBytes) data = bytes_at(entry, "data", 1, CONTENT_MAX);
    gsize count = path_of(entry, path);
    gint64 number = json_integer_at(entry, "number");
    if (data == NULL || number < 0 || count > MERKLE_PROOF_MAX)
        return fault(v->report, BUNDLE_UNREADABLE, name, "its data, number or path"), NULL;
    proof_commit(kind, NULL, g_bytes_get_data(data, NULL), g_bytes_get_size(data), &commitment);
    proof_leaf(kind, json_integer_at(entry, "time"), &commitment, &leaf);
    if (!merkle_includes(&v->checkpoint.root, v->checkpoint.size, (guint64)number, &leaf, path, count))
        return fault(v->report, which, name, "it is not at this place in the tree"), NULL;
    g_autoptr(GError) error = NULL;
    json_t *content =
        json_parse_strict(g_bytes_get_data(data, NULL), (gssize)g_bytes_get_size(data), NULL, &error);
    if (content == NULL)
        fault(v->report, which, name, error->message);
    return content;
}

static gboolean verify_start(Verification *v)
{
    static const JsonField fields[] = {{"origin", JSON_KIND_STRING, TRUE},
                                       {"oin", JSON_KIND_STRING, TRUE},
                                       {"vrf", JSON_KIND_STRING, TRUE},
                                       {"begins", JSON_KIND_INTEGER, TRUE},
                                       {"previous", JSON_KIND_ANY, TRUE}};
    g_autoptr(json_t) start = verify_public(v, "start", PROOF_START, BUNDLE_START);
    g_autoptr(GError) error = NULL;
    if (start == NULL)
        return FALSE;
    if (!json_check_object(start, "start", JSON_FIELDS(fields), &error))
        return fault(v->report, BUNDLE_START, "start", error->message);
    const char *vrf = json_string_at(start, "vrf");
    if (json_integer_at(json_object_get(v->bundle, "start"), "number") != 0)
        return fault(v->report, BUNDLE_START, "start", "it is not the first entry");
    if (strcmp(json_string_at(start, "origin"), v->checkpoint.origin) != 0)
        return fault(v->report, BUNDLE_START, "start", "it is of another log");
    return base64_decode_to(vrf, strlen(vrf), v->vrf, sizeof v->vrf) ||
           fault(v->report, BUNDLE_START, "start", "its key is none");
}

static gboolean verify_epoch(Verification *v)
{
    static const JsonField fields[] = {{"epoch", JSON_KIND_INTEGER, TRUE},
                                       {"root", JSON_KIND_STRING, TRUE},
                                       {"through", JSON_KIND_INTEGER, TRUE},
                                       {"labels", JSON_KIND_INTEGER, TRUE}};
    g_autoptr(json_t) epoch = verify_public(v, "epoch", PROOF_EPOCH, BUNDLE_EPOCH);
    g_autoptr(GError) error = NULL;
    if (epoch == NULL)
        return FALSE;
    const json_t *entry = json_object_get(v->bundle, "epoch");
    if (!json_check_object(epoch, "epoch", JSON_FIELDS(fields), &error))
        return fault(v->report, BUNDLE_EPOCH, "epoch", error->message);
    gint64 through = json_integer_at(epoch, "through");
    if (!hash_at(epoch, "root", &v->map_root) || through < 0 || through >= json_integer_at(entry, "number") ||
        json_integer_at(epoch, "epoch") < 0)
        return fault(v->report, BUNDLE_EPOCH, "epoch", "its root or its numbers");
    v->report->epoch = (guint64)json_integer_at(epoch, "epoch");
    v->report->epoch_time_ms = json_integer_at(entry, "time");
    v->report->through = (guint64)through;
    return TRUE;
}

/* --- the lists of a person --- */

typedef struct {
    Verification *v;
    const json_t *json;
    char where[40];
    const char *subject_type, *subject;
    MerkleEdge edge;
    gint64 last; /* the number of the entry before */
} List;

/* "" is no subject at all: records without a person are filed under nobody. */
static gboolean about_subject(const List *list, guint8 kind, GBytes *content)
{
    RecordParts parts;
    gsize length;
    const guint8 *data = g_bytes_get_data(content, &length);
    if (kind != PROOF_RECORD)
        return FALSE;
    if (!record_split(data, length, &parts, NULL))
        return FALSE;
    const WireField *subject = &parts.fields[FIELD_DATA_SUBJECT_ID],
                    *type = &parts.fields[FIELD_DATA_SUBJECT_ID_TYPE];
    return subject->length == strlen(list->subject) &&
           memcmp(subject->data, list->subject, subject->length) == 0 &&
           type->length == strlen(list->subject_type) &&
           memcmp(type->data, list->subject_type, type->length) == 0;
}

/* The commitment of an entry: from its content, or as it is when that was deleted after its time. */
static gboolean commitment_of(List *list, const json_t *entry, const char *where, MerkleHash *out)
{
    Verification *v = list->v;
    gint64 kind = json_integer_at(entry, "kind");
    gboolean deleted = json_object_get(entry, "commitment") != NULL;
    if (kind < 0 || kind > 255)
        return fault(v->report, BUNDLE_UNREADABLE, where, "its kind");
    if (deleted) {
        v->report->deleted++;
        return (hash_at(entry, "commitment", out) && json_object_get(entry, "salt") == NULL &&
                json_object_get(entry, "content") == NULL && json_object_get(entry, "deleted") != NULL) ||
               fault(v->report, BUNDLE_UNREADABLE, where, "what is left of a deleted entry");
    }
    g_autoptr(GBytes) salt = bytes_at(entry, "salt", PROOF_SALT_SIZE, PROOF_SALT_SIZE);
    g_autoptr(GBytes) content = bytes_at(entry, "content", 1, CONTENT_MAX);
    if (salt == NULL || content == NULL || json_object_get(entry, "deleted") != NULL)
        return fault(v->report, BUNDLE_UNREADABLE, where, "its salt or content");
    proof_commit((guint8)kind, g_bytes_get_data(salt, NULL), g_bytes_get_data(content, NULL),
                 g_bytes_get_size(content), out);
    v->report->entries++;
    return about_subject(list, (guint8)kind, content) ||
           fault(v->report, BUNDLE_SUBJECT, where, "the record names another subject, or is none");
}

static gboolean take_entry(List *list, const json_t *entry, gsize i)
{
    static const JsonField fields[] = {
        {"number", JSON_KIND_INTEGER, TRUE},  {"kind", JSON_KIND_INTEGER, TRUE},
        {"time", JSON_KIND_INTEGER, TRUE},    {"salt", JSON_KIND_STRING, FALSE},
        {"content", JSON_KIND_STRING, FALSE}, {"commitment", JSON_KIND_STRING, FALSE},
        {"deleted", JSON_KIND_INTEGER, FALSE}};
    MerkleHash commitment, leaf;
    Verification *v = list->v;
    g_autofree char *where = g_strdup_printf("%s.entries[%" G_GSIZE_FORMAT "]", list->where, i);
    if (!check_shape(v, entry, where, JSON_FIELDS(fields)))
        return FALSE;
    gint64 number = json_integer_at(entry, "number");
    if (number <= list->last || (guint64)number > v->report->through)
        return fault(v->report, BUNDLE_ORDER, where, "its number");
    list->last = number;
    if (!commitment_of(list, entry, where, &commitment))
        return FALSE;
    proof_person_leaf((guint64)number, (guint8)json_integer_at(entry, "kind"), json_integer_at(entry, "time"),
                      &commitment, &leaf);
    merkle_edge_add(&list->edge, &leaf, NULL, NULL);
    return TRUE;
}

static gboolean verify_label(List *list, MerkleMapVerdict *verdict, MerkleMapProof *proof)
{
    Verification *v = list->v;
    guint8 label[VRF_OUTPUT_SIZE];
    const char *name = json_string_at(list->json, "list");
    ProofList which = strcmp(name, "restricted") == 0 ? PROOF_RESTRICTED : PROOF_OPEN;
    g_autoptr(GBytes) vrf = bytes_at(list->json, "vrf", VRF_PROOF_SIZE, VRF_PROOF_SIZE);
    g_autoptr(GBytes) map = bytes_at(list->json, "map", 1, PROOF_BYTES_MAX);
    g_autoptr(GBytes) input = proof_label_input(list->subject_type, list->subject, which);
    if (vrf == NULL || map == NULL || strcmp(name, proof_list_name(which)) != 0)
        return fault(v->report, BUNDLE_UNREADABLE, list->where, "its proofs, or the name of the list");
    if (!vrf_verify(v->vrf, g_bytes_get_data(input, NULL), g_bytes_get_size(input),
                    g_bytes_get_data(vrf, NULL), label))
        return fault(v->report, BUNDLE_LABEL, list->where, "the proof of the label");
    if (!merkle_map_proof_read(map, proof, NULL))
        return fault(v->report, BUNDLE_MAP, list->where, "the proof cannot be read");
    *verdict = merkle_map_verify(&v->map_root, label, proof);
    return *verdict != MERKLE_MAP_FALSE ||
           fault(v->report, BUNDLE_MAP, list->where, "the proof does not lead to the root");
}

/* Whether the entries are those that the map counts. A wrong number of them is told apart from wrong ones as
 * far as it can be: the map commits to both at once, so a count that is too low or too high is found by who
 * says how many. */
static gboolean settle(List *list, MerkleMapVerdict verdict, const MerkleMapProof *proof)
{
    Verification *v = list->v;
    MerkleHash root, value;
    gint64 count = json_integer_at(list->json, "count");
    if (verdict == MERKLE_MAP_ABSENT)
        return (list->edge.size == 0 && count == 0) ||
               fault(v->report, BUNDLE_COUNT, list->where, "the log has nothing about this person");
    if (count < 0 || (guint64)count != list->edge.size)
        return fault(v->report, BUNDLE_COUNT, list->where, "the number of entries");
    merkle_edge_root(&list->edge, &root);
    proof_person_value(list->edge.size, &root, &value);
    return merkle_equal(&value, &proof->value) ||
           fault(v->report, BUNDLE_ENTRIES, list->where, "the root of the entries");
}

static gboolean verify_list(Verification *v, const json_t *json, gsize i)
{
    static const JsonField fields[] = {
        {"subject_type", JSON_KIND_STRING, TRUE}, {"subject", JSON_KIND_STRING, TRUE},
        {"list", JSON_KIND_STRING, TRUE},         {"vrf", JSON_KIND_STRING, TRUE},
        {"map", JSON_KIND_STRING, TRUE},          {"count", JSON_KIND_INTEGER, TRUE},
        {"entries", JSON_KIND_ARRAY, TRUE}};
    List list = {.v = v, .json = json, .last = -1};
    MerkleMapVerdict verdict;
    MerkleMapProof proof;
    const json_t *entry;
    gsize at;
    g_snprintf(list.where, sizeof list.where, "lists[%" G_GSIZE_FORMAT "]", i);
    if (!check_shape(v, json, list.where, JSON_FIELDS(fields)))
        return FALSE;
    list.subject_type = json_string_at(json, "subject_type");
    list.subject = json_string_at(json, "subject");
    if (!verify_label(&list, &verdict, &proof))
        return FALSE;
    json_array_foreach(json_object_get(json, "entries"), at,
                       entry) if (!take_entry(&list, entry, at)) return FALSE;
    v->report->lists++;
    return settle(&list, verdict, &proof);
}

static gboolean verify_lists(Verification *v)
{
    const json_t *lists = json_object_get(v->bundle, "lists"), *list;
    gsize i;
    if (json_array_size(lists) == 0)
        return fault(v->report, BUNDLE_UNREADABLE, "lists", "there is no list");
    json_array_foreach(lists, i, list) if (!verify_list(v, list, i)) return FALSE;
    return TRUE;
}

gboolean bundle_verify(const json_t *bundle, const TlogPolicy *policy, BundleReport *report)
{
    static const JsonField fields[] = {
        {"format", JSON_KIND_STRING, TRUE},     {"origin", JSON_KIND_STRING, TRUE},
        {"checkpoint", JSON_KIND_STRING, TRUE}, {"start", JSON_KIND_OBJECT, TRUE},
        {"epoch", JSON_KIND_OBJECT, TRUE},      {"lists", JSON_KIND_ARRAY, TRUE}};
    Verification v = {.bundle = bundle, .policy = policy, .report = report};
    *report = (BundleReport){0};
    if (!check_shape(&v, bundle, "bundle", JSON_FIELDS(fields)))
        return FALSE;
    if (strcmp(json_string_at(bundle, "format"), BUNDLE_FORMAT) != 0)
        return fault(report, BUNDLE_UNREADABLE, "format", "another format than " BUNDLE_FORMAT);
    gboolean whole = verify_checkpoint(&v) && verify_start(&v) && verify_epoch(&v) && verify_lists(&v);
    checkpoint_clear(&v.checkpoint);
    return whole;
}

/* --- one after another --- */

static const json_t *list_like(const json_t *bundle, const json_t *wanted)
{
    static const char *const names[] = {"subject_type", "subject", "list"};
    const json_t *list;
    gsize i;
    json_array_foreach(json_object_get(bundle, "lists"), i, list)
    {
        gboolean same = TRUE;
        for (gsize n = 0; n < G_N_ELEMENTS(names); n++)
            same = same && g_strcmp0(json_string_at(list, names[n]), json_string_at(wanted, names[n])) == 0;
        if (same)
            return list;
    }
    return NULL;
}

/* The commitment of an entry of a verified bundle. */
static void commitment_again(const json_t *entry, MerkleHash *out)
{
    if (hash_at(entry, "commitment", out))
        return;
    g_autoptr(GBytes) salt = bytes_at(entry, "salt", PROOF_SALT_SIZE, PROOF_SALT_SIZE);
    g_autoptr(GBytes) content = bytes_at(entry, "content", 1, CONTENT_MAX);
    proof_commit((guint8)json_integer_at(entry, "kind"), g_bytes_get_data(salt, NULL),
                 g_bytes_get_data(content, NULL), g_bytes_get_size(content), out);
}

static gboolean entry_same(const json_t *before, const json_t *today)
{
    static const char *const names[] = {"number", "kind", "time"};
    MerkleHash a, b;
    if (today == NULL)
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        if (json_integer_at(before, names[i]) != json_integer_at(today, names[i]))
            return FALSE;
    commitment_again(before, &a);
    commitment_again(today, &b);
    return merkle_equal(&a, &b);
}

static gboolean list_continues(const json_t *before, const json_t *today, gsize number, BundleReport *report)
{
    const json_t *old = json_object_get(before, "entries"), *new = json_object_get(today, "entries"), *entry;
    gsize i;
    g_autofree char *where = g_strdup_printf("lists[%" G_GSIZE_FORMAT "]", number);
    if (today == NULL || json_array_size(new) < json_array_size(old))
        return fault(report, BUNDLE_SHRUNK, where, "there are fewer entries than before");
    json_array_foreach(old, i, entry) if (!entry_same(entry, json_array_get(new, i))) return fault(
        report, BUNDLE_REWRITTEN, where, "an entry of before is not there any more");
    return TRUE;
}

/* The state of the log that a verified bundle rests on. */
static gboolean state_of(const json_t *bundle, Checkpoint *out)
{
    g_autoptr(Note) note = note_parse(json_string_at(bundle, "checkpoint"), -1, NULL);
    return note != NULL && checkpoint_parse(note_text(note), out, NULL);
}

gboolean bundle_continues(const json_t *before, const json_t *today, BundleReport *report)
{
    g_auto(Checkpoint) old = {0}, new = {0};
    const json_t *list;
    gsize i;
    *report = (BundleReport){0};
    if (!state_of(before, &old) || !state_of(today, &new))
        return fault(report, BUNDLE_UNREADABLE, "checkpoint", "it was not verified");
    if (strcmp(old.origin, new.origin) != 0)
        return fault(report, BUNDLE_ORIGIN, "origin", "the statement of before is of another log");
    if (new.size < old.size)
        return fault(report, BUNDLE_SHRUNK, "checkpoint", "the log is shorter");
    if (new.size == old.size && !merkle_equal(&old.root, &new.root))
        return fault(report, BUNDLE_REWRITTEN, "checkpoint", "two logs of the same length differ");
    json_array_foreach(json_object_get(before, "lists"), i,
                       list) if (!list_continues(list, list_like(today, list), i, report)) return FALSE;
    return TRUE;
}
