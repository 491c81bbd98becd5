#include "components/logboek/activities.h"

#include <string.h>

#include "components/logboek/rules.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/format/jcs.h"
#include "core/format/json.h"

#define TEXT_MAX 4096
#define LIST_MAX 500
#define ACTIVITIES_MAX 10000

static void fault(GPtrArray *faults, const char *path, const char *what)
{
    g_ptr_array_add(faults, g_strdup_printf("%s: %s", path, what));
}

static gboolean is_short_id(const char *id)
{
    gsize length = strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
    return length > 0 && length <= 100 && id[length] == '\0' && g_ascii_isalnum(id[0]);
}

char *activity_id_complete(const char *base, const char *id)
{
    if (id == NULL || id[0] == '\0')
        return NULL;
    return base != NULL && is_short_id(id) ? g_strconcat(base, id, NULL) : g_strdup(id);
}

/* --- kinds of members --- */

typedef void (*MemberCheck)(const json_t *value, const char *path, GPtrArray *faults);

static void check_text(const json_t *value, const char *path, GPtrArray *faults)
{
    if (!json_is_string(value) || json_string_length(value) == 0 || json_string_length(value) > TEXT_MAX)
        fault(faults, path, "must be text of 1 to 4096 bytes");
    else if (json_holds_bsn(value))
        fault(faults, path, "holds what may be a BSN");
}

static void check_texts(const json_t *value, const char *path, GPtrArray *faults)
{
    if (!json_is_array(value) || json_array_size(value) > LIST_MAX) {
        fault(faults, path, "must be a list of at most 500 texts");
        return;
    }
    for (gsize i = 0; i < json_array_size(value); i++) {
        g_autofree char *at = g_strdup_printf("%s[%zu]", path, i);
        check_text(json_array_get(value, i), at, faults);
    }
}

static void check_url(const json_t *value, const char *path, GPtrArray *faults)
{
    const char *text = json_string_value(value);
    if (!uri_valid(text) || !(g_str_has_prefix(text, "https://") || g_str_has_prefix(text, "http://")))
        fault(faults, path, "must be an http or https URL");
}

static void check_boolean(const json_t *value, const char *path, GPtrArray *faults)
{
    if (!json_is_boolean(value))
        fault(faults, path, "must be true or false");
}

/* ISO 8601: P, then years, months, weeks and days, each at most once and in that order. */
static void check_duration(const json_t *value, const char *path, GPtrArray *faults)
{
    const char *at = json_string_value(value), *units = "YMWD";
    gboolean good = at != NULL && *at++ == 'P' && *at != '\0';
    while (good && *at != '\0') {
        gsize digits = strspn(at, "0123456789");
        const char *unit = digits > 0 && digits <= 4 && at[digits] != '\0' ? strchr(units, at[digits]) : NULL;
        good = unit != NULL;
        if (good) {
            at += digits + 1;
            units = unit + 1;
        }
    }
    if (!good)
        fault(faults, path,
              "must be a duration like P5Y or P6M (ISO 8601, whole years, months, weeks, days)");
}

static void check_id(const json_t *value, const char *path, GPtrArray *faults)
{
    const char *id = json_string_value(value);
    if (id == NULL || !(is_short_id(id) || uri_valid(id)))
        fault(faults, path, "must be a URI, or letters, digits, \".\", \"_\" and \"-\" only");
    else if (text_holds_bsn(id))
        fault(faults, path, "holds what may be a BSN");
}

/* --- objects of members --- */

typedef struct {
    const char *name;
    gboolean required;
    MemberCheck check;
} Member;

static void check_members(const json_t *object, const char *path, const Member *members, gsize n_members,
                          GPtrArray *faults)
{
    if (!json_is_object(object)) {
        fault(faults, path, "must be an object");
        return;
    }
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)object, name, value)
    {
        gsize i = 0;
        while (i < n_members && strcmp(members[i].name, name) != 0)
            i++;
        g_autofree char *at = g_strdup_printf("%s.%s", path, name);
        if (i == n_members)
            fault(faults, at, "unknown member");
        else
            members[i].check(value, at, faults);
    }
    for (gsize i = 0; i < n_members; i++)
        if (members[i].required && json_object_get(object, members[i].name) == NULL) {
            g_autofree char *at = g_strdup_printf("%s.%s", path, members[i].name);
            fault(faults, at, "is missing");
        }
}

static void check_legal_basis(const json_t *value, const char *path, GPtrArray *faults)
{
    static const Member MEMBERS[] = {{"title", TRUE, check_text}, {"url", FALSE, check_url}};
    if (!json_is_array(value) || json_array_size(value) > LIST_MAX) {
        fault(faults, path, "must be a list of objects {title, url}");
        return;
    }
    for (gsize i = 0; i < json_array_size(value); i++) {
        g_autofree char *at = g_strdup_printf("%s[%zu]", path, i);
        check_members(json_array_get(value, i), at, MEMBERS, G_N_ELEMENTS(MEMBERS), faults);
    }
}

static void check_translations(const json_t *value, const char *path, GPtrArray *faults)
{
    static const Member MEMBERS[] = {
        {"name", FALSE, check_text},
        {"purpose", FALSE, check_text},
        {"decision", FALSE, check_text},
        {"source", FALSE, check_text},
        {"dataCategories", FALSE, check_texts},
        {"dataSubjects", FALSE, check_texts},
        {"recipients", FALSE, check_texts},
    };
    if (!json_is_object(value)) {
        fault(faults, path, "must be an object of languages");
        return;
    }
    const char *language;
    json_t *texts;
    json_object_foreach((json_t *)value, language, texts)
    {
        g_autofree char *at = g_strdup_printf("%s.%s", path, language);
        if (strlen(language) < 2 || strlen(language) > 3)
            fault(faults, at, "must be a language like \"en\"");
        check_members(texts, at, MEMBERS, G_N_ELEMENTS(MEMBERS), faults);
    }
}

static const Member ACTIVITY[] = {
    {"id", TRUE, check_id},
    {"name", TRUE, check_text},
    {"purpose", TRUE, check_text},
    {"legalBasis", TRUE, check_legal_basis},
    {"decision", FALSE, check_text},
    {"source", FALSE, check_text},
    {"dataCategories", FALSE, check_texts},
    {"dataSubjects", FALSE, check_texts},
    {"recipients", FALSE, check_texts},
    {"measures", FALSE, check_texts},
    {"retention", FALSE, check_duration},
    {"active", FALSE, check_boolean},
    {"translations", FALSE, check_translations},
};

/* A translated list stands beside the list itself, so it must be as long. */
static void check_lengths(const json_t *activity, const char *path, GPtrArray *faults)
{
    static const char *const LISTS[] = {"dataCategories", "dataSubjects", "recipients"};
    const char *language;
    json_t *texts;
    json_object_foreach(json_object_get(activity, "translations"), language, texts)
    {
        for (gsize i = 0; i < G_N_ELEMENTS(LISTS); i++) {
            const json_t *list = json_object_get(texts, LISTS[i]);
            if (list == NULL || json_array_size(list) == json_array_size(json_object_get(activity, LISTS[i])))
                continue;
            g_autofree char *at = g_strdup_printf("%s.translations.%s.%s", path, language, LISTS[i]);
            fault(faults, at, "must have as many entries as the list that it translates");
        }
    }
}

json_t *activities_check(const json_t *document, const char *base, GPtrArray *faults)
{
    static const char *const TOP[] = {"activities"};
    const json_t *list = json_object_get(document, TOP[0]);
    if (!json_is_array(list) || json_object_size(document) != 1 || json_array_size(list) > ACTIVITIES_MAX) {
        fault(faults, TOP[0], "the file must be {\"activities\": [...]} with at most 10000 of them");
        return NULL;
    }
    guint before = faults->len;
    g_autoptr(json_t) completed = json_array();
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (gsize i = 0; i < json_array_size(list); i++) {
        const json_t *activity = json_array_get(list, i);
        g_autofree char *at = g_strdup_printf("activities[%zu]", i);
        guint so_far = faults->len;
        check_members(activity, at, ACTIVITY, G_N_ELEMENTS(ACTIVITY), faults);
        check_lengths(activity, at, faults);
        if (faults->len > so_far)
            continue;
        char *id = activity_id_complete(base, json_string_at(activity, "id"));
        json_t *copy = json_copy((json_t *)activity);
        json_object_set_new(copy, "id", json_string(id));
        json_array_append_new(completed, copy);
        if (!uri_valid(id))
            fault(faults, at, "a short id needs [logboek] address in node.conf, to be completed to a URI");
        if (!g_hash_table_add(seen, id))
            fault(faults, at, "another activity has the same id");
    }
    return faults->len > before ? NULL : g_steal_pointer(&completed);
}

/* --- storage --- */

static gboolean store_one(Db *db, const json_t *activity, gint64 now_ms, guint *versions, GError **error)
{
    const char *id = json_string_at(activity, "id");
    g_autofree char *content = jcs_write(activity, error);
    if (content == NULL)
        return FALSE;
    g_autoptr(Rows) rows = db_query(db, error,
                                    "SELECT version, valid_from_ms, content FROM logboek_activities WHERE id "
                                    "= ?1 ORDER BY version DESC LIMIT 1",
                                    value_text(id));
    if (rows == NULL)
        return FALSE;
    gint64 version = 1;
    if (rows_next(rows)) {
        if (strcmp(rows_text(rows, 2), content) == 0)
            return TRUE;
        version = rows_integer(rows, 0) + 1;
        now_ms = MAX(now_ms, rows_integer(rows, 1) + 1); /* times of versions rise, whatever the clock does */
    }
    (*versions)++;
    return db_run(
        db, error,
        "INSERT INTO logboek_activities (id, version, valid_from_ms, content) VALUES (?1, ?2, ?3, ?4)",
        value_text(id), value_integer(version), value_integer(now_ms), value_text(content));
}

static gboolean store_all(Db *db, const json_t *activities, gint64 now_ms, guint *versions, GError **error)
{
    *versions = 0;
    if (!db_begin(db, error))
        return FALSE;
    for (gsize i = 0; i < json_array_size(activities); i++)
        if (!store_one(db, json_array_get(activities, i), now_ms, versions, error)) {
            db_rollback(db);
            return FALSE;
        }
    return db_commit(db, error);
}

gboolean activities_store(Store *store, const json_t *activities, gint64 now_ms, guint *versions,
                          GError **error)
{
    g_autoptr(Db) db = store_take(store, error);
    if (db == NULL)
        return FALSE;
    g_autoptr(GError) first = NULL;
    if (store_all(db, activities, now_ms, versions, &first))
        return TRUE;
    /* Another process of this node loads the same file at the same moment: what it stored is now there to
     * compare with. */
    if (g_error_matches(first, FUNDAMENT_ERROR, FUNDAMENT_ERROR_CONFLICT))
        return store_all(db, activities, now_ms, versions, error);
    g_propagate_error(error, g_steal_pointer(&first));
    return FALSE;
}

/* Columns: content, version, valid_from_ms. */
static json_t *activity_of(const Rows *rows, GError **error)
{
    g_autoptr(json_t) activity = json_parse_strict(rows_text(rows, 0), -1, NULL, error);
    if (activity == NULL)
        return NULL;
    g_autofree char *from = clock_format_rfc3339(rows_integer(rows, 2));
    json_object_set_new(activity, "version", json_integer(rows_integer(rows, 1)));
    json_object_set_new(activity, "validFrom", json_string(from));
    if (json_object_get(activity, "active") == NULL)
        json_object_set_new(activity, "active", json_true());
    return g_steal_pointer(&activity);
}

json_t *activities_list(Store *store, GError **error)
{
    g_autoptr(Db) db = store_take(store, error);
    if (db == NULL)
        return NULL;
    g_autoptr(Rows) rows = db_query_values(
        db,
        "SELECT a.content, a.version, a.valid_from_ms FROM logboek_activities a WHERE a.version = "
        "(SELECT MAX(b.version) FROM logboek_activities b WHERE b.id = a.id) ORDER BY a.id",
        NULL, 0, error);
    if (rows == NULL)
        return NULL;
    g_autoptr(json_t) list = json_array();
    while (rows_next(rows)) {
        json_t *activity = activity_of(rows, error);
        if (activity == NULL)
            return NULL;
        json_array_append_new(list, activity);
    }
    return json_pack("{sO}", "processingActivities", list);
}

/* The id as it is in the register, for an id or for the last part of one; NULL when there is none. Ids are
 * few: one look along them. */
static char *id_in_register(Db *db, const char *id, GError **error)
{
    g_autoptr(Rows) rows = db_query_values(
        db, "SELECT id FROM logboek_activities WHERE version = 1 ORDER BY id", NULL, 0, error);
    g_autofree char *last_part = g_strconcat("/", id, NULL), *found = NULL;
    while (rows != NULL && rows_next(rows)) {
        const char *known = rows_text(rows, 0);
        if (strcmp(known, id) == 0)
            return g_strdup(known);
        if (found == NULL && g_str_has_suffix(known, last_part))
            found = g_strdup(known);
    }
    if (rows != NULL && found == NULL)
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_NOT_FOUND,
                    "the register has no such processing activity");
    return g_steal_pointer(&found);
}

static gboolean add_end(Db *db, json_t *activity, const char *id, gint64 version, GError **error)
{
    g_autoptr(Rows) next =
        db_query(db, error, "SELECT valid_from_ms FROM logboek_activities WHERE id = ?1 AND version = ?2",
                 value_text(id), value_integer(version + 1));
    if (next == NULL)
        return FALSE;
    if (rows_next(next)) {
        g_autofree char *until = clock_format_rfc3339(rows_integer(next, 0));
        json_object_set_new(activity, "validUntil", json_string(until));
    }
    return TRUE;
}

json_t *activities_at(Store *store, const char *id, gint64 at_ms, GError **error)
{
    g_autoptr(Db) db = store_take(store, error);
    g_autofree char *known = db == NULL ? NULL : id_in_register(db, id, error);
    if (known == NULL)
        return NULL;
    g_autoptr(Rows) rows =
        db_query(db, error,
                 "SELECT content, version, valid_from_ms FROM logboek_activities WHERE id = ?1 AND "
                 "valid_from_ms <= ?2 ORDER BY version DESC LIMIT 1",
                 value_text(known), value_integer(at_ms));
    if (rows == NULL)
        return NULL;
    if (!rows_next(rows)) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_NOT_FOUND,
                    "the register did not have this processing activity at that time");
        return NULL;
    }
    g_autoptr(json_t) activity = activity_of(rows, error);
    if (activity == NULL || !add_end(db, activity, known, rows_integer(rows, 1), error))
        return NULL;
    return g_steal_pointer(&activity);
}
