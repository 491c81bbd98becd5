#include "components/inzage/overview.h"

#include <string.h>

#include "components/inzage/picture.h"
#include "components/inzage/timeline.h"
#include "components/inzage/words.h"
#include "core/format/json.h"
#include "core/format/mustache.h"
#include "core/net/phrases.h"

#define ROWS_MAX 6
#define NAME_CHARACTERS 60
#define SOURCES_MAX 25
#define GAPS_MAX 40
#define MARKUP_BYTES 45 /* around one value */
#define PAGE_BYTES                                                                                           \
    26500 /* of what differs from page to page; layout and fixed texts are the rest of 30 KB                 \
           */
#define PAGES_MAX 10000

/* --- who --- */

typedef struct {
    const char *oin;
    guint cases;
} Count;

static gint most_first(gconstpointer a, gconstpointer b)
{
    const Count *left = a, *right = b;
    if (left->cases != right->cases)
        return left->cases > right->cases ? -1 : 1;
    return strcmp(left->oin, right->oin);
}

GPtrArray *overview_parties(const GPtrArray *cases)
{
    g_autoptr(GArray) counts = g_array_new(FALSE, TRUE, sizeof(Count));
    g_autoptr(GHashTable) places = g_hash_table_new(g_str_hash, g_str_equal); /* OIN -> index + 1 */
    for (guint i = 0; i < cases->len; i++) {
        g_autoptr(GPtrArray) parties = case_parties(cases->pdata[i]);
        for (guint j = 0; j < parties->len; j++) {
            gpointer place = g_hash_table_lookup(places, parties->pdata[j]);
            if (place == NULL) {
                Count count = {parties->pdata[j], 0};
                g_array_append_val(counts, count);
                place = GUINT_TO_POINTER(counts->len);
                g_hash_table_insert(places, parties->pdata[j], place);
            }
            g_array_index(counts, Count, GPOINTER_TO_UINT(place) - 1).cases++;
        }
    }
    g_array_sort(counts, most_first);
    GPtrArray *oins = g_ptr_array_new();
    for (guint i = 0; i < counts->len; i++)
        g_ptr_array_add(oins, (gpointer)g_array_index(counts, Count, i).oin);
    return oins;
}

/* --- when --- */

typedef struct {
    const View *view;
    Timeline *timeline;
    GPtrArray *names;          /* of the rows */
    GPtrArray *labels, *years; /* of the buckets */
} Lines;

static char *bucket_label(const View *view, const Bucket *bucket)
{
    g_autofree char *key = g_strdup_printf("%s%d", "inzage.month.", bucket->month);
    return bucket->day > 0     ? g_strdup_printf("%d", bucket->day)
           : bucket->month > 0 ? g_strdup(phrase(view->language, key))
                               : g_strdup_printf("%d", bucket->year);
}

/* What stands below the label where it changes: the year below months, the month below days. */
static char *bucket_year(const View *view, const Bucket *bucket)
{
    g_autofree char *key = g_strdup_printf("%s%d", "inzage.month.", bucket->month);
    return bucket->day > 0     ? g_strdup(phrase(view->language, key))
           : bucket->month > 0 ? g_strdup_printf("%d", bucket->year)
                               : g_strdup("");
}

static char *bucket_words(const View *view, const Bucket *bucket)
{
    g_autofree char *day = g_strdup_printf("%d", bucket->day);
    g_autofree char *year = g_strdup_printf("%d", bucket->year);
    g_autofree char *key = g_strdup_printf("layout.month.%d", bucket->month);
    const char *month = phrase(view->language, key);
    return bucket->day > 0
               ? phrase_format(view->language, "layout.date", "day", day, "month", month, "year", year, NULL)
           : bucket->month > 0 ? g_strdup_printf("%s %s", month, year)
                               : g_steal_pointer(&year);
}

static void name_rows(Lines *lines, const GPtrArray *oins, guint rows)
{
    for (guint i = 0; i < rows; i++) {
        gboolean rest = i + 1 == ROWS_MAX && oins->len > ROWS_MAX;
        g_autofree char *name = rest ? g_strdup(phrase(lines->view->language, "inzage.timeline.others"))
                                     : view_name(lines->view, oins->pdata[i]);
        g_ptr_array_add(lines->names, text_cut(name, NAME_CHARACTERS));
    }
    g_ptr_array_add(lines->names, NULL);
}

static void name_buckets(Lines *lines)
{
    for (guint i = 0; i < lines->timeline->n_buckets; i++) {
        g_ptr_array_add(lines->labels, bucket_label(lines->view, &lines->timeline->buckets[i]));
        g_ptr_array_add(lines->years, bucket_year(lines->view, &lines->timeline->buckets[i]));
    }
}

static guint row_of(const GPtrArray *oins, const char *oin)
{
    for (guint i = 0; i < oins->len; i++)
        if (strcmp(oins->pdata[i], oin) == 0)
            return MIN(i, ROWS_MAX - 1);
    return G_MAXUINT;
}

/* An organisation is counted once a case; the organisations of the last row together too. */
static void count_cases(Lines *lines, const GPtrArray *cases, const GPtrArray *oins)
{
    for (guint i = 0; i < cases->len; i++) {
        const Case *item = cases->pdata[i];
        gboolean counted[ROWS_MAX] = {FALSE};
        g_autoptr(GPtrArray) parties = case_parties(item);
        for (guint j = 0; j < parties->len; j++) {
            guint row = row_of(oins, parties->pdata[j]);
            if (row >= ROWS_MAX || counted[row])
                continue;
            counted[row] = TRUE;
            timeline_add(lines->timeline, row, item->first_ms, lines->view->inzage->zone);
        }
    }
}

static char *counted_name(const Lines *lines, guint row, guint count)
{
    g_autofree char *n = g_strdup_printf("%u", count);
    return phrase_format(lines->view->language, "inzage.timeline.count", "organisation",
                         lines->names->pdata[row], "n", n, NULL);
}

static json_t *table_rows(const Lines *lines)
{
    json_t *rows = json_array();
    for (guint i = lines->timeline->n_buckets; i > 0; i--) {
        json_t *counts = json_array();
        for (guint row = 0; row < lines->timeline->n_rows; row++) {
            guint count = timeline_count(lines->timeline, row, i - 1);
            g_autofree char *text = counted_name(lines, row, count);
            if (count > 0)
                json_array_append_new(counts, json_string(text));
        }
        g_autofree char *when = bucket_words(lines->view, &lines->timeline->buckets[i - 1]);
        if (json_array_size(counts) > 0)
            json_array_append_new(rows, json_pack("{s:s, s:O}", "when", when, "counts", counts));
        json_decref(counts);
    }
    return rows;
}

static char *draw(const Lines *lines)
{
    const char *language = lines->view->language;
    g_autoptr(GPtrArray) sums = g_ptr_array_new_with_free_func(g_free);
    for (guint row = 0; row < lines->timeline->n_rows; row++)
        g_ptr_array_add(sums, counted_name(lines, row, timeline_row_sum(lines->timeline, row)));
    g_ptr_array_add(sums, NULL);
    g_autofree char *list = view_enumerate(language, (const char *const *)sums->pdata, ROWS_MAX);
    g_autofree char *description = phrase_format(language, "inzage.timeline.description", "list", list, NULL);
    TimelineText text = {phrase(language, "inzage.timeline.title"), description,
                         (const char *const *)lines->names->pdata, (const char *const *)lines->labels->pdata,
                         (const char *const *)lines->years->pdata};
    return picture_timeline(lines->timeline, &text);
}

void overview_add_timeline(json_t *page, const View *view, const GPtrArray *cases, const char *oin,
                           gint64 from_ms, gint64 now_ms)
{
    if (cases->len == 0)
        return;
    g_autoptr(GPtrArray) oins = oin == NULL ? overview_parties(cases) : g_ptr_array_new();
    if (oin != NULL)
        g_ptr_array_add(oins, (gpointer)oin);
    const Case *oldest = cases->pdata[cases->len - 1];
    gint64 start_ms = from_ms > 0 ? from_ms : MIN(oldest->first_ms, now_ms);
    guint rows = MIN(oins->len, ROWS_MAX);
    g_autoptr(Timeline) timeline = timeline_new(start_ms, now_ms, view->inzage->zone, rows);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) labels = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) years = g_ptr_array_new_with_free_func(g_free);
    Lines lines = {view, timeline, names, labels, years};
    name_rows(&lines, oins, rows);
    name_buckets(&lines);
    count_cases(&lines, cases, oins);
    g_autofree char *svg = draw(&lines);
    json_object_set_new(page, "timeline", json_string(svg));
    json_object_set_new(page, "timeline_rows", table_rows(&lines));
}

/* --- what is missing --- */

static void add_rest(json_t *page, const char *name, const View *view, guint count)
{
    if (count == 0)
        return;
    g_autofree char *n = g_strdup_printf("%u", count);
    g_autofree char *text = phrase_format(view->language, "inzage.source.others", "n", n, NULL);
    json_object_set_new(page, name, json_string(text));
}

void overview_add_gaps(json_t *page, const View *view)
{
    g_autoptr(json_t) sources = view_sources(view);
    json_t *gaps = json_array(), *partial = json_array(), *shown = json_array();
    guint silent = 0;
    for (gsize i = 0; i < json_array_size(sources); i++) {
        json_t *source = json_array_get(sources, i);
        gboolean answered = json_boolean_at(source, "answered");
        silent += (guint)!answered;
        if (!answered && silent <= GAPS_MAX)
            json_array_append(gaps, source);
        if (answered && (json_boolean_at(source, "more") || json_object_get(source, "unreadable") != NULL))
            json_array_append(partial, source);
        if (answered && json_array_size(shown) < SOURCES_MAX)
            json_array_append(shown, source);
    }
    g_autofree char *n = g_strdup_printf("%u", silent);
    g_autofree char *title = phrase_format(view->language, "inzage.gaps.title", "n", n, NULL);
    json_object_set_new(page, "gaps_title", json_string(title));
    json_object_set_new(page, "has_gaps", json_boolean(silent > 0));
    json_object_set_new(page, "has_partial", json_boolean(json_array_size(partial) > 0));
    add_rest(page, "gaps_rest", view, silent > GAPS_MAX ? silent - GAPS_MAX : 0);
    add_rest(page, "sources_rest", view, (guint)(json_array_size(sources) - silent - json_array_size(shown)));
    json_object_set_new(page, "gaps", gaps);
    json_object_set_new(page, "partial", partial);
    json_object_set_new(page, "sources", shown);
    json_object_set_new(page, "directory_missing", json_boolean(view->answers->directory_missing));
    json_object_set_new(page, "directory_stale",
                        json_boolean(view->answers->directory_stale && !view->answers->directory_missing));
}

/* --- size --- */

static void count_values(const json_t *value, gsize *bytes)
{
    g_autoptr(GString) escaped = g_string_new(NULL);
    const char *name;
    json_t *member;
    size_t index;
    json_object_foreach((json_t *)value, name, member) count_values(member, bytes);
    json_array_foreach((json_t *)value, index, member) count_values(member, bytes);
    if (!json_is_string(value))
        return;
    html_escape_append(escaped, json_string_value(value));
    *bytes += escaped->len + MARKUP_BYTES;
}

/* About how many bytes a value takes on a page. */
static gsize cost_of(const json_t *value)
{
    gsize bytes = 0;
    count_values(value, &bytes);
    return bytes;
}

guint overview_page_number(const Request *request)
{
    guint64 number;
    const char *text = request_query(request, "pagina");
    return text != NULL && g_ascii_string_to_unsigned(text, 10, 1, PAGES_MAX, &number, NULL) ? (guint)number
                                                                                             : 1;
}

static void set_link(json_t *page, const char *name, const char *link, guint number)
{
    g_autofree char *address = g_strdup_printf("%s%u", link, number);
    json_object_set_new(page, name, json_string(address));
}

void overview_add_page(json_t *page, const char *name, const json_t *items, guint most, guint number,
                       const char *link)
{
    guint count = (guint)json_array_size(items);
    gsize spent = cost_of(page);
    g_autofree gsize *costs = g_new0(gsize, count + 1);
    for (guint i = 0; i < count; i++)
        costs[i] = cost_of(json_array_get(items, i));
    g_autoptr(GArray) starts = pages_split(costs, count, spent < PAGE_BYTES ? PAGE_BYTES - spent : 0, most);
    guint pages = MAX(starts->len - 1, 1);
    number = MIN(number, pages);
    json_t *shown = json_array();
    for (guint i = g_array_index(starts, guint, number - 1);
         count > 0 && i < g_array_index(starts, guint, number); i++)
        json_array_append(shown, json_array_get(items, i));
    json_object_set_new(page, name, shown);
    json_object_set_new(page, "paged", json_boolean(pages > 1));
    if (number > 1)
        set_link(page, "newer", link, number - 1);
    if (number < pages)
        set_link(page, "older", link, number + 1);
}
