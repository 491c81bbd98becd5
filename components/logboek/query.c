#include "components/logboek/query.h"

#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/format/json.h"

/* The place of a record in the order of answers. */
typedef struct {
    gint64 start_ms, shard, sequence;
} Place;

typedef struct {
    Place place;
    json_t *item;
} Hit;

static void hit_free(gpointer data)
{
    Hit *hit = data;
    json_decref(hit->item);
    g_free(hit);
}

gboolean trace_id_parse(const char *text, char out[TRACE_ID_SIZE])
{
    gsize length = text == NULL ? 0 : strlen(text), digits = 0;
    if (length != 32 && length != 36)
        return FALSE;
    for (gsize i = 0; i < length; i++) {
        gboolean dash = length == 36 && (i == 8 || i == 13 || i == 18 || i == 23);
        if (dash ? text[i] != '-' : !g_ascii_isxdigit(text[i]))
            return FALSE;
        if (!dash)
            out[digits++] = g_ascii_tolower(text[i]);
    }
    out[digits] = '\0';
    return trace_id_valid(out);
}

/* --- one item --- */

static void set_text(json_t *object, const char *name, const char *text)
{
    if (text != NULL && text[0] != '\0')
        json_object_set_new(object, name, json_string(text));
}

static void set_time(json_t *object, const char *name, gint64 ms)
{
    g_autofree char *text = clock_format_rfc3339(ms);
    json_object_set_new(object, name, json_string(text));
}

/* The core's own attributes nested and in camel case, as the extension wants; all others flat, under the
 * names that they were written with, since taking those apart could make two names one. The pseudonym stays
 * here: the person needs it not, and in another's hands it would tie records together. */
static json_t *attributes_json(const Record *record, gboolean flagged)
{
    const LogboekRecord *fields = &record->fields;
    json_t *attributes = record->attributes == NULL ? json_object() : json_copy(record->attributes);
    json_t *core = json_object(), *dpl = json_object();
    set_text(core, "processingActivityId", fields->processing_activity_id);
    set_text(core, "dataSubjectIdType", fields->data_subject_id_type);
    if (fields->processor != NULL)
        json_object_set_new(core, "foreignOperation", json_pack("{ss}", "processor", fields->processor));
    json_object_set_new(dpl, "core", core);
    json_object_set_new(attributes, "dpl", dpl);
    if (flagged)
        json_object_set_new(attributes, "nl.fundament.conflicting", json_true());
    return attributes;
}

json_t *operation_json(const Record *record, gboolean flagged)
{
    const LogboekRecord *fields = &record->fields;
    const char *trace = fields->trace_id;
    json_t *item = json_object();
    json_object_set_new(
        item, "traceId",
        json_sprintf("%.8s-%.4s-%.4s-%.4s-%.12s", trace, trace + 8, trace + 12, trace + 16, trace + 20));
    set_text(item, "spanId", fields->span_id);
    set_text(item, "parentSpanId", fields->parent_span_id);
    set_text(item, "status", record_status_name(fields->status));
    set_text(item, "name", fields->name);
    set_time(item, "startTime", fields->start_ms);
    set_time(item, "endTime", fields->end_ms);
    if (record->resource != NULL)
        json_object_set_new(item, "resource", json_pack("{sO}", "attributes", record->resource));
    json_object_set_new(item, "attributes", attributes_json(record, flagged));
    return item;
}

/* --- pages --- */

/* "1.START.SHARD.SEQUENCE" of the last item. */
static char *cursor_write(const Place *place)
{
    return g_strdup_printf("1.%" G_GINT64_FORMAT ".%" G_GINT64_FORMAT ".%" G_GINT64_FORMAT, place->start_ms,
                           place->shard, place->sequence);
}

static gboolean cursor_read(const char *text, Place *place, GError **error)
{
    *place = (Place){G_MAXINT64, G_MAXINT64, G_MAXINT64};
    if (text == NULL || text[0] == '\0')
        return TRUE;
    g_auto(GStrv) parts = g_strsplit(text, ".", 5);
    gint64 *numbers[] = {&place->start_ms, &place->shard, &place->sequence};
    gboolean good = g_strv_length(parts) == 4 && strcmp(parts[0], "1") == 0;
    for (gsize i = 0; good && i < G_N_ELEMENTS(numbers); i++)
        good = g_ascii_string_to_signed(parts[i + 1], 10, 0, G_MAXINT64, numbers[i], NULL);
    if (!good)
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                    "cursor: not one that this logbook gave; leave it out for the first page");
    return good;
}

static char *statement_for(const OperationQuery *query)
{
    return g_strconcat("SELECT start_ms, shard, sequence, flagged, record FROM logboek_records WHERE "
                       "data_subject_id = ?1 AND "
                       "start_ms >= ?2 AND start_ms <= ?3 AND (start_ms, shard, sequence) < (?4, ?5, ?6)",
                       query->trace_id != NULL ? " AND trace_id = ?8" : " AND ?8 = ?8",
                       query->activity != NULL ? " AND processing_activity_id = ?9" : " AND ?9 = ?9",
                       " ORDER BY start_ms DESC, shard DESC, sequence DESC LIMIT ?7", NULL);
}

static gboolean add_hits(Rows *rows, GPtrArray *hits, GError **error)
{
    while (rows_next(rows)) {
        gsize length;
        const guint8 *data = rows_blob(rows, 4, &length);
        g_autoptr(Record) record = record_decode(data, length, error);
        if (record == NULL)
            return FALSE;
        Hit *hit = g_new(Hit, 1);
        *hit = (Hit){{rows_integer(rows, 0), rows_integer(rows, 1), rows_integer(rows, 2)},
                     operation_json(record, rows_integer(rows, 3) != 0)};
        g_ptr_array_add(hits, hit);
    }
    return TRUE;
}

static gint compare_hits(gconstpointer a, gconstpointer b)
{
    const Place *left = &(*(const Hit *const *)a)->place, *right = &(*(const Hit *const *)b)->place;
    if (left->start_ms != right->start_ms)
        return left->start_ms < right->start_ms ? 1 : -1;
    if (left->shard != right->shard)
        return left->shard < right->shard ? 1 : -1;
    return left->sequence < right->sequence ? 1 : left->sequence > right->sequence ? -1 : 0;
}

/* One version of the pseudonym at a time, so that each is a walk along the index; then the versions are
 * merged. */
static gboolean collect(Db *db, const OperationQuery *query, const Place *after, GPtrArray *hits,
                        GError **error)
{
    guint8 trace[16] = {0};
    g_autofree char *sql = statement_for(query);
    if (query->trace_id != NULL)
        hex_decode(query->trace_id, trace, sizeof trace);
    for (const char *const *subject = query->subjects; *subject != NULL; subject++) {
        g_autoptr(Rows) rows = db_query(
            db, error, sql, value_text(*subject), value_integer(query->from_ms),
            value_integer(query->until_ms == 0 ? G_MAXINT64 : query->until_ms),
            value_integer(after->start_ms), value_integer(after->shard), value_integer(after->sequence),
            value_integer((gint64)query->limit + 1), value_blob(trace, sizeof trace),
            value_text(query->activity == NULL ? "" : query->activity));
        if (rows == NULL || !add_hits(rows, hits, error))
            return FALSE;
    }
    g_ptr_array_sort(hits, compare_hits);
    return TRUE;
}

json_t *operations_query(Store *store, const OperationQuery *query, char **next_cursor, GError **error)
{
    Place after;
    *next_cursor = NULL;
    if (!cursor_read(query->cursor, &after, error))
        return NULL;
    g_autoptr(Db) db = store_take(store, error);
    g_autoptr(GPtrArray) hits = g_ptr_array_new_with_free_func(hit_free);
    if (db == NULL || !collect(db, query, &after, hits, error))
        return NULL;
    json_t *items = json_array();
    for (guint i = 0; i < MIN(hits->len, query->limit); i++)
        json_array_append(items, ((Hit *)hits->pdata[i])->item);
    if (hits->len > query->limit)
        *next_cursor = cursor_write(&((Hit *)hits->pdata[query->limit - 1])->place);
    return items;
}
