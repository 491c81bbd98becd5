#include "components/inzage/use.h"

#include <string.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/identifiers.h"
#include "core/format/json.h"

#define NAME_MAX_BYTES 1024
#define URI_MAX_BYTES 2048
#define CURSOR_MAX_BYTES 512
#define CATEGORIES_MAX 256
#define CATEGORY_MAX_BYTES 200
#define ACTIVITIES_MAX 10000
#define ORIGINAL_LANGUAGE "nl"

const char *source_state_name(SourceState state)
{
    static const char *const NAMES[] = {"answered", "unreachable", "refused", "unreadable"};
    return NAMES[state];
}

Source *source_new(const char *oin, const char *name)
{
    Source *source = g_new0(Source, 1);
    source->oin = g_strdup(oin);
    source->name = g_strdup(name);
    source->operations = json_array();
    source->uses = g_ptr_array_new_with_free_func((GDestroyNotify)use_free);
    source->seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return source;
}

void source_free(Source *source)
{
    if (source == NULL)
        return;
    g_ptr_array_unref(source->uses);
    g_hash_table_unref(source->seen);
    json_decref(source->operations);
    json_decref(source->activities);
    g_free(source->oin);
    g_free(source->name);
    g_free(source);
}

void use_free(Use *use)
{
    if (use == NULL)
        return;
    g_free(use->name);
    g_free(use->activity_id);
    g_free(use->receiver);
    g_strfreev(use->categories);
    g_free(use);
}

/* --- reading one record --- */

gboolean trace_id_read(const char *text, char out[TRACE_ID_SIZE])
{
    gsize n = 0;
    gboolean uuid = uuid_valid(text);
    for (; text != NULL && *text != '\0' && n < TRACE_ID_SIZE - 1; text++)
        if (*text != '-' || !uuid)
            out[n++] = g_ascii_tolower(*text);
    out[n] = '\0';
    return text != NULL && *text == '\0' && trace_id_valid(out);
}

static const char *text_of(const json_t *value, gsize max)
{
    return json_is_string(value) && json_string_length(value) <= max ? json_string_value(value) : NULL;
}

/* An attribute under its flat name ("nl.fundament.receiver"), or nested as the read extension has it ("dpl":
 * {"core": ...}). */
static const json_t *attribute(const json_t *attributes, const char *name)
{
    const json_t *flat = json_object_get(attributes, name);
    if (flat != NULL)
        return flat;
    g_auto(GStrv) parts = g_strsplit(name, ".", 8);
    for (char **part = parts; *part != NULL; part++)
        attributes = json_object_get(attributes, *part);
    return attributes;
}

static const json_t *attribute_either(const json_t *attributes, const char *name, const char *other)
{
    const json_t *value = attribute(attributes, name);
    return value != NULL ? value : attribute(attributes, other);
}

static gboolean read_time(const json_t *item, const char *member, gint64 *out)
{
    const char *text = text_of(json_object_get(item, member), 64);
    return text != NULL && clock_parse_rfc3339(text, out, NULL);
}

static gboolean read_parent(const json_t *value, Use *use)
{
    if (value == NULL || json_is_null(value))
        return TRUE;
    const char *text = text_of(value, SPAN_ID_SIZE);
    if (text == NULL)
        return FALSE;
    g_autofree char *lower = g_ascii_strdown(text, -1);
    if (lower[0] != '\0' && !span_id_valid(lower))
        return FALSE;
    g_strlcpy(use->parent_id, lower, sizeof use->parent_id);
    return TRUE;
}

static gboolean read_ids(const json_t *item, Use *use)
{
    const char *span = text_of(json_object_get(item, "spanId"), SPAN_ID_SIZE);
    if (span == NULL || !trace_id_read(text_of(json_object_get(item, "traceId"), 64), use->trace_id))
        return FALSE;
    g_autofree char *lower = g_ascii_strdown(span, -1);
    g_strlcpy(use->span_id, lower, sizeof use->span_id);
    return span_id_valid(lower) && read_parent(json_object_get(item, "parentSpanId"), use);
}

static gboolean read_status(const json_t *item, Use *use)
{
    static const char *const STATUSES[] = {"Unset", "Ok", "Error", NULL};
    const char *status = text_of(json_object_get(item, "status"), 16);
    use->failed = g_strcmp0(status, "Error") == 0;
    return status != NULL && g_strv_contains(STATUSES, status);
}

/* The read extension does not know this attribute: what is not a list of texts is as if it were not there. */
static char **read_categories(const json_t *attributes)
{
    GStrvBuilder *builder = g_strv_builder_new();
    const json_t *list =
        attribute_either(attributes, "nl.fundament.data_categories", "nl.fundament.dataCategories");
    for (gsize i = 0; i < MIN(json_array_size(list), CATEGORIES_MAX); i++) {
        const char *text = text_of(json_array_get(list, i), CATEGORY_MAX_BYTES);
        if (text != NULL && text[0] != '\0')
            g_strv_builder_add(builder, text);
    }
    char **categories = g_strv_builder_end(builder);
    g_strv_builder_unref(builder);
    return categories;
}

static gboolean read_attributes(const json_t *item, Use *use)
{
    const json_t *attributes = json_object_get(item, "attributes");
    if (attributes != NULL && !json_is_object(attributes))
        return FALSE;
    const json_t *activity =
        attribute_either(attributes, "dpl.core.processingActivityId", "dpl.core.processing_activity_id");
    if (activity != NULL && text_of(activity, URI_MAX_BYTES) == NULL)
        return FALSE;
    const char *receiver = text_of(attribute(attributes, "nl.fundament.receiver"), 64);
    use->activity_id = g_strdup(json_string_value(activity));
    use->receiver = oin_valid(receiver) ? g_strdup(receiver) : NULL;
    use->categories = read_categories(attributes);
    return TRUE;
}

static Use *use_read(const json_t *item)
{
    Use *use = g_new0(Use, 1);
    const char *name = text_of(json_object_get(item, "name"), NAME_MAX_BYTES);
    use->name = g_strdup(name);
    if (name != NULL && read_ids(item, use) && read_status(item, use) &&
        read_time(item, "startTime", &use->start_ms) && read_time(item, "endTime", &use->end_ms) &&
        read_attributes(item, use))
        return use;
    use_free(use);
    return NULL;
}

/* --- answers --- */

static gboolean invalid(GError **error, const char *what)
{
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "the answer of the logbook: %s", what);
    return FALSE;
}

/* A record that stands on two pages of an answer is one record; another one under the same ids is another. */
static gboolean is_repeated(Source *source, const Use *use, json_t *item)
{
    char *key = g_strconcat(use->trace_id, " ", use->span_id, NULL);
    const json_t *before = g_hash_table_lookup(source->seen, key);
    if (before == NULL)
        g_hash_table_insert(source->seen, key, item);
    else
        g_free(key);
    return before != NULL && json_equal(before, item);
}

static void add_item(Source *source, json_t *item)
{
    g_autoptr(Use) use = use_read(item);
    if (use == NULL) {
        source->unreadable++;
        return;
    }
    if (is_repeated(source, use, item))
        return;
    use->source = source;
    json_array_append(source->operations, item);
    g_ptr_array_add(source->uses, g_steal_pointer(&use));
}

void source_add_items(Source *source, const json_t *items)
{
    for (gsize i = 0; i < json_array_size(items); i++) {
        if (source->uses->len >= USES_MAX) {
            source->more = TRUE;
            return;
        }
        add_item(source, json_array_get(items, i));
    }
}

gboolean source_add_operations(Source *source, const json_t *answer, char **next, GError **error)
{
    *next = NULL;
    const json_t *metadata = json_object_get(answer, "metadata");
    const json_t *items = json_object_get(answer, "dataProcessingOperations");
    const json_t *pagination = json_object_get(answer, "pagination");
    const json_t *cursor = json_object_get(pagination, "nextCursor");
    if (!json_is_object(answer) || !json_is_array(items))
        return invalid(error, "no object with the list dataProcessingOperations");
    if ((metadata != NULL && !json_is_object(metadata)) ||
        (pagination != NULL && !json_is_object(pagination)))
        return invalid(error, "metadata or pagination is no object");
    if (cursor != NULL && text_of(cursor, CURSOR_MAX_BYTES) == NULL)
        return invalid(error, "the cursor is no short text");
    source_add_items(source, items);
    const json_t *period = json_object_get(metadata, "usagePeriod");
    if (period != NULL)
        source_set_period(source, period);
    if (cursor != NULL && json_string_length(cursor) > 0)
        *next = g_strdup(json_string_value(cursor));
    return TRUE;
}

gboolean source_set_period(Source *source, const json_t *answer)
{
    if (!json_is_object(answer))
        return FALSE;
    const json_t *start = json_object_get(answer, "periodStart");
    source->oldest_ms = 0;
    source->oldest_known =
        start == NULL || json_is_null(start) || read_time(answer, "periodStart", &source->oldest_ms);
    return source->oldest_known;
}

/* --- the register of processing activities --- */

static gboolean texts_are_texts(const json_t *object, const char *const *members)
{
    for (; *members != NULL; members++) {
        const json_t *value = json_object_get(object, *members);
        if (value != NULL && text_of(value, 4096) == NULL)
            return FALSE;
    }
    return TRUE;
}

static gboolean activity_usable(const json_t *activity)
{
    static const char *const TEXTS[] = {"id", "name", "purpose", "decision", "source", "validFrom", NULL};
    const json_t *translations = json_object_get(activity, "translations");
    const char *id = json_string_at(activity, "id");
    if (id == NULL || strlen(id) > URI_MAX_BYTES || !texts_are_texts(activity, TEXTS))
        return FALSE;
    if (translations != NULL && !json_is_object(translations))
        return FALSE;
    const char *language;
    json_t *texts;
    json_object_foreach((json_t *)translations, language, texts)
    {
        if (!json_is_object(texts) || !texts_are_texts(texts, TEXTS))
            return FALSE;
    }
    return TRUE;
}

json_t *activities_read(const json_t *answer, GError **error)
{
    const json_t *list = json_object_get(answer, "processingActivities");
    if (!json_is_array(list) || json_array_size(list) > ACTIVITIES_MAX) {
        invalid(error, "no list processingActivities of at most 10000 entries");
        return NULL;
    }
    json_t *usable = json_array();
    for (gsize i = 0; i < json_array_size(list); i++)
        if (activity_usable(json_array_get(list, i)))
            json_array_append(usable, json_array_get(list, i));
    return usable;
}

static gint64 valid_from(const json_t *activity)
{
    gint64 from = 0;
    read_time(activity, "validFrom", &from);
    return from;
}

static GHashTable *versions_by_id(const json_t *activities)
{
    GHashTable *by_id =
        g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_ptr_array_unref);
    for (gsize i = 0; i < json_array_size(activities); i++) {
        json_t *activity = json_array_get(activities, i);
        const char *id = json_string_at(activity, "id");
        GPtrArray *versions = g_hash_table_lookup(by_id, id);
        if (versions == NULL) {
            versions = g_ptr_array_new();
            g_hash_table_insert(by_id, (gpointer)id, versions);
        }
        g_ptr_array_add(versions, activity);
    }
    return by_id;
}

/* LDV 1.0.0, 3.4.1: the id with the time of the record names the version. */
static void match(Use *use, const GPtrArray *versions)
{
    const json_t *earliest = NULL;
    for (guint i = 0; i < versions->len; i++) {
        const json_t *candidate = versions->pdata[i];
        gint64 from = valid_from(candidate);
        if (from <= use->start_ms && (use->activity == NULL || from >= valid_from(use->activity)))
            use->activity = candidate;
        if (earliest == NULL || from < valid_from(earliest))
            earliest = candidate;
    }
    use->activity_newer = use->activity == NULL;
    if (use->activity == NULL)
        use->activity = earliest;
}

void source_match_activities(Source *source)
{
    g_autoptr(GHashTable) by_id = versions_by_id(source->activities);
    for (guint i = 0; i < source->uses->len; i++) {
        Use *use = source->uses->pdata[i];
        const GPtrArray *versions =
            use->activity_id == NULL ? NULL : g_hash_table_lookup(by_id, use->activity_id);
        use->activity = NULL;
        use->activity_newer = FALSE;
        if (versions != NULL)
            match(use, versions);
    }
}

const char *activity_text(const json_t *activity, const char *member, const char *language,
                          const char **language_of)
{
    const char *translated =
        json_string_at(json_object_get(json_object_get(activity, "translations"), language), member);
    *language_of = translated != NULL ? language : ORIGINAL_LANGUAGE;
    return translated != NULL ? translated : json_string_at(activity, member);
}
