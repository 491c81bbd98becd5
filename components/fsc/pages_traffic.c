/* Throughput and latency of our Inway and Outway, as plots with a table beside them (traffic.h). */
#include "components/fsc/pages.h"

#include <string.h>

#include "components/fsc/picture.h"
#include "components/fsc/traffic.h"
#include "core/base/error.h"
#include "core/base/identifiers.h"
#include "core/format/json.h"
#include "core/net/page.h"
#include "core/net/phrases.h"

#define BY_MAX 25
#define STEPS_MAX 60

static const struct {
    const char *value, *key;
    gint64 seconds, step;
} periods[] = {
    {"uur", "fsc.traffic.hour", 3600, 60},
    {"dag", "fsc.traffic.day", 86400, 1800},
    {"week", "fsc.traffic.week", 604800, 3 * 3600},
    {"maand", "fsc.traffic.month", 2592000, 12 * 3600},
};

static gsize period_of(const Request *request)
{
    const char *asked = request_query(request, "periode");
    for (gsize i = 0; asked != NULL && i < G_N_ELEMENTS(periods); i++)
        if (strcmp(asked, periods[i].value) == 0)
            return i;
    return 1;
}

/* --- numbers as text --- */

/* With as many decimals as mean something, and the decimal sign of the language. */
static char *number_text(const FscView *view, double value)
{
    char buffer[G_ASCII_DTOSTR_BUF_SIZE];
    gboolean whole = value >= 100 || value - (double)(gint64)value == 0;
    g_ascii_formatd(buffer, sizeof buffer, whole ? "%.0f" : value >= 10 ? "%.1f" : "%.2f", value);
    char *text = g_strdup(buffer), *point = strchr(text, '.');
    if (point != NULL && strcmp(view->language, "en") != 0)
        *point = ',';
    return text;
}

/* Milliseconds, or "-" when there were no requests. */
static char *ms_text(const FscView *view, const json_t *sum, const char *name)
{
    const json_t *value = json_object_get(sum, name);
    g_autofree char *number = json_is_number(value) ? number_text(view, json_number_value(value)) : NULL;
    return number == NULL ? g_strdup("-") : g_strconcat(number, " ms", NULL);
}

/* --- plots --- */

typedef struct {
    gsize count;
    double values[4][STEPS_MAX]; /* requests, p50, p95, p99 */
    double highest_count, highest_ms;
} Series;

static double value_of(const json_t *sum, const char *name)
{
    const json_t *value = json_object_get(sum, name);
    return json_is_number(value) ? json_number_value(value) : -1;
}

static void series_read(Series *series, const json_t *list)
{
    static const char *const names[] = {"requests", "p50_ms", "p95_ms", "p99_ms"};
    series->count = MIN(json_array_size(list), STEPS_MAX);
    gsize skip = json_array_size(list) - series->count; /* the newest */
    for (gsize i = 0; i < series->count; i++)
        for (gsize j = 0; j < G_N_ELEMENTS(names); j++) {
            double value = value_of(json_array_get(list, i + skip), names[j]);
            double *highest = j == 0 ? &series->highest_count : &series->highest_ms;
            series->values[j][i] = value;
            *highest = MAX(*highest, value);
        }
}

static char *draw(const FscView *view, const char *id, Plot *plot, const char *title_key, const char *unit,
                  const char *description)
{
    g_autofree char *top = number_text(view, plot->top), *middle = number_text(view, plot->top / 2);
    g_autofree char *top_label = g_strconcat(top, unit, NULL),
                    *middle_label = g_strconcat(middle, unit, NULL);
    plot->title = fsc_view_phrase(view, title_key);
    plot->description = description;
    plot->top_label = top_label;
    plot->middle_label = middle_label;
    return picture_plot(id, plot);
}

static void add_plots(json_t *page, const FscView *view, const json_t *report)
{
    g_autofree Series *series = g_new0(Series, 1);
    series_read(series, json_object_get(report, "series"));
    if (series->count == 0)
        return;
    g_autofree char *from = fsc_view_time(view, json_integer_at(report, "from") * 1000),
                    *to = fsc_view_time(view, json_integer_at(report, "to") * 1000);
    Plot plot = {.values = {series->values[0]},
                 .names = {NULL},
                 .n_lines = 1,
                 .count = series->count,
                 .top = picture_round_up(series->highest_count),
                 .first_label = from,
                 .last_label = to};
    g_autofree char *requests =
        draw(view, "aantal", &plot, "traffic.requests", "", fsc_view_phrase(view, "traffic.requests_text"));
    Plot times = plot;
    times.n_lines = 3;
    for (gsize i = 0; i < 3; i++)
        times.values[i] = series->values[i + 1];
    times.names[0] = "p50";
    times.names[1] = "p95";
    times.names[2] = "p99";
    times.top = picture_round_up(series->highest_ms);
    g_autofree char *latency =
        draw(view, "tijd", &times, "traffic.latency", " ms", fsc_view_phrase(view, "traffic.latency_text"));
    json_object_set_new(page, "requests_plot", json_string(requests));
    json_object_set_new(page, "latency_plot", json_string(latency));
}

/* --- tables --- */

static json_t *sum_row(const FscView *view, const json_t *sum)
{
    g_autofree char *p50 = ms_text(view, sum, "p50_ms"), *p95 = ms_text(view, sum, "p95_ms"),
                    *p99 = ms_text(view, sum, "p99_ms");
    return json_pack("{s:I, s:I, s:s, s:s, s:s}", "requests", json_integer_at(sum, "requests"), "errors",
                     json_integer_at(sum, "errors"), "p50", p50, "p95", p95, "p99", p99);
}

/* Moments at which something happened, newest first. */
static json_t *moments(const FscView *view, const json_t *series)
{
    json_t *rows = json_array();
    for (size_t i = json_array_size(series); i > 0 && json_array_size(rows) < BY_MAX; i--) {
        const json_t *sum = json_array_get(series, i - 1);
        if (json_integer_at(sum, "requests") == 0)
            continue;
        g_autofree char *at = fsc_view_time(view, json_integer_at(sum, "time") * 1000);
        json_t *row = sum_row(view, sum);
        json_object_set_new(row, "name", json_string(at));
        json_array_append_new(rows, row);
    }
    return rows;
}

static json_t *by_peer(FscView *view, const json_t *by)
{
    size_t i;
    const json_t *sum;
    json_t *rows = json_array();
    json_array_foreach(by, i, sum)
    {
        if (i == BY_MAX)
            break;
        const char *peer_id = json_string_at(sum, "peer_id"), *service = json_string_at(sum, "service");
        gboolean incoming = g_strcmp0(json_string_at(sum, "direction"), "in") == 0;
        json_t *row = sum_row(view, sum);
        json_object_set_new(row, "name",
                            json_string(service == NULL || *service == '\0'
                                            ? fsc_view_phrase(view, "traffic.unknown")
                                            : service));
        json_object_set_new(row, "peer",
                            json_string(peer_id == NULL || *peer_id == '\0'
                                            ? fsc_view_phrase(view, "traffic.unknown")
                                            : fsc_view_name(view, peer_id)));
        json_object_set_new(
            row, "direction",
            json_string(fsc_view_phrase(view, incoming ? "transactions.incoming" : "transactions.outgoing")));
        json_array_append_new(rows, row);
    }
    return rows;
}

static void add_filter(json_t *page, const FscView *view, gsize period, const char *direction,
                       const char *service)
{
    static const struct {
        const char *value, *key;
    } directions[] = {{"in", "fsc.transactions.incoming"}, {"out", "fsc.transactions.outgoing"}};
    json_t *list = json_array(), *ways = json_array();
    for (gsize i = 0; i < G_N_ELEMENTS(periods); i++)
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:b}", "value", periods[i].value, "text",
                                        phrase(view->language, periods[i].key), "selected", i == period));
    for (gsize i = 0; i < G_N_ELEMENTS(directions); i++)
        json_array_append_new(ways, json_pack("{s:s, s:s, s:b}", "value", directions[i].value, "text",
                                              phrase(view->language, directions[i].key), "selected",
                                              g_strcmp0(direction, directions[i].value) == 0));
    json_object_set_new(page, "periods", list);
    json_object_set_new(page, "directions", ways);
    json_object_set_new(page, "service", json_string(service != NULL ? service : ""));
}

static json_t *ask(Fsc *fsc, gsize period, const char *direction, const char *service, GError **error)
{
    gint64 now = fsc_now_s(fsc), step = periods[period].step, to = (now / step + 1) * step;
    return traffic_query(fsc, to - periods[period].seconds, to, step, direction, service, NULL, error);
}

void fsc_page_traffic(Request *request, gpointer context)
{
    Fsc *fsc = context;
    g_autoptr(GError) error = NULL;
    g_autoptr(FscView) view = fsc_view_new(fsc, request);
    g_autofree char *service = office_filter(request, "dienst", 100);
    const char *asked = request_query(request, "richting");
    const char *direction = g_strcmp0(asked, "in") == 0 ? "in" : g_strcmp0(asked, "out") == 0 ? "out" : NULL;
    gsize period = period_of(request);
    if (service != NULL && !fsc_service_name_valid(service))
        g_clear_pointer(&service, g_free);
    if (officer_enter(fsc->node, request, OFFICER_READER, "fsc.traffic.look",
                      service != NULL ? service : "") == NULL)
        return;
    g_autoptr(json_t) report = ask(fsc, period, direction, service, &error);
    if (report == NULL) {
        fsc_view_fail(view, error, "/verkeer");
        return;
    }
    json_t *page = fsc_view_page(view, "/verkeer", "traffic");
    const json_t *total = json_object_get(report, "total");
    add_filter(page, view, period, direction, service);
    json_object_set_new(page, "has_rows", json_boolean(json_integer_at(total, "requests") > 0));
    json_object_set_new(page, "total", sum_row(view, total));
    if (json_integer_at(total, "requests") > 0)
        add_plots(page, view, report);
    json_object_set_new(page, "moments", moments(view, json_object_get(report, "series")));
    json_object_set_new(page, "by", by_peer(view, json_object_get(report, "by")));
    fsc_view_answer(view, "traffic", page);
}
