#include "components/fsc/edge_counters.h"

#include <string.h>

#include "core/node/frames.h"

#define HEARD_US (5 * G_USEC_PER_SEC)
#define WORKERS_MAX 1024
#define REFUSALS_MAX 100 /* the table of the edge is shorter */

typedef struct {
    guint64 open_calls;
    gint64 heard_us;
} Worker;

struct edge_counters {
    GMutex lock;
    guint64 counts[FRAME_EDGE_COUNT];
    GHashTable *workers;  /* pid (guint64) -> Worker */
    GHashTable *refusals; /* labels -> guint64 */
};

EdgeCounters *edge_counters_new(void)
{
    EdgeCounters *counters = g_new0(EdgeCounters, 1);
    g_mutex_init(&counters->lock);
    counters->workers = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    counters->refusals = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return counters;
}

void edge_counters_free(EdgeCounters *counters)
{
    if (counters == NULL)
        return;
    g_hash_table_unref(counters->workers);
    g_hash_table_unref(counters->refusals);
    g_mutex_clear(&counters->lock);
    g_free(counters);
}

/* --- reading --- */

typedef struct {
    guint64 status, count;
    char code[64];
} Refusal;

typedef struct {
    guint64 pid, open_calls;
    guint64 counts[FRAME_EDGE_COUNT];
    Refusal refusals[REFUSALS_MAX];
    guint n_refusals;
} Report;

static gboolean read_code(const guint8 *text, gsize length, char *code, gsize size)
{
    if (length >= size)
        return FALSE;
    for (gsize i = 0; i < length; i++)
        if (!g_ascii_isupper(text[i]) && !g_ascii_isdigit(text[i]) && text[i] != '_')
            return FALSE;
    memcpy(code, text, length);
    code[length] = '\0';
    return TRUE;
}

static gboolean read_refusal(const guint8 *payload, gsize length, gsize *position, Refusal *refusal)
{
    const uint8_t *code;
    size_t n;
    return frame_field_get_u64(payload, length, position, &refusal->status) == 0 && refusal->status < 1000 &&
           frame_field_get(payload, length, position, &code, &n) == 0 &&
           read_code(code, n, refusal->code, sizeof refusal->code) &&
           frame_field_get_u64(payload, length, position, &refusal->count) == 0;
}

/* A newer edge may count more than is known here, an older one less. */
static gboolean read_report(const guint8 *payload, gsize length, Report *report)
{
    const uint8_t *counts;
    size_t n, position = 0;
    memset(report, 0, sizeof *report);
    if (frame_field_get_u64(payload, length, &position, &report->pid) != 0 ||
        frame_field_get_u64(payload, length, &position, &report->open_calls) != 0 ||
        frame_field_get(payload, length, &position, &counts, &n) != 0 || n % 8 != 0)
        return FALSE;
    for (gsize i = 0; i < MIN(n / 8, FRAME_EDGE_COUNT); i++)
        report->counts[i] = frame_get_u64(counts + 8 * i);
    while (position < length && report->n_refusals < REFUSALS_MAX)
        if (!read_refusal(payload, length, &position, &report->refusals[report->n_refusals++]))
            return FALSE;
    return position == length;
}

/* --- counting --- */

static gboolean is_silent(gpointer pid, gpointer value, gpointer user_data)
{
    const Worker *worker = value;
    (void)pid;
    return worker->heard_us + HEARD_US < *(const gint64 *)user_data;
}

static void count_refusal(EdgeCounters *counters, const Refusal *refusal)
{
    g_autofree char *labels =
        g_strdup_printf("status=\"%" G_GUINT64_FORMAT "\",code=\"%s\"", refusal->status, refusal->code);
    guint64 *count = g_hash_table_lookup(counters->refusals, labels);
    if (count == NULL && g_hash_table_size(counters->refusals) < REFUSALS_MAX) {
        count = g_new0(guint64, 1);
        g_hash_table_insert(counters->refusals, g_steal_pointer(&labels), count);
    }
    if (count != NULL)
        *count += refusal->count;
}

static void hear_worker(EdgeCounters *counters, const Report *report, gint64 now_us)
{
    g_hash_table_foreach_remove(counters->workers, is_silent, &now_us);
    if (g_hash_table_size(counters->workers) >= WORKERS_MAX)
        return;
    Worker worker = {report->open_calls, now_us};
    g_hash_table_replace(counters->workers, g_memdup2(&report->pid, sizeof report->pid),
                         g_memdup2(&worker, sizeof worker));
}

gboolean edge_counters_take(EdgeCounters *counters, const guint8 *payload, gsize length, gint64 now_us)
{
    Report report;
    if (!read_report(payload, length, &report))
        return FALSE;
    g_mutex_lock(&counters->lock);
    for (guint i = 0; i < FRAME_EDGE_COUNT; i++)
        counters->counts[i] += report.counts[i];
    for (guint i = 0; i < report.n_refusals; i++)
        count_refusal(counters, &report.refusals[i]);
    hear_worker(counters, &report, now_us);
    g_mutex_unlock(&counters->lock);
    return TRUE;
}

/* --- metrics --- */

static guint64 open_calls(EdgeCounters *counters, gint64 now_us)
{
    GHashTableIter iter;
    gpointer worker;
    guint64 sum = 0;
    g_hash_table_foreach_remove(counters->workers, is_silent, &now_us);
    g_hash_table_iter_init(&iter, counters->workers);
    while (g_hash_table_iter_next(&iter, NULL, &worker))
        sum += ((const Worker *)worker)->open_calls;
    return sum;
}

void edge_counters_metrics(EdgeCounters *counters, GString *out, gint64 now_us)
{
    static const struct {
        const char *metric, *help;
    } TABLE[] = {
#define X(name, metric, help) {metric, help},
        FRAME_EDGE_TABLE(X)
#undef X
    };
    GHashTableIter iter;
    gpointer labels, count;
    g_mutex_lock(&counters->lock);
    for (guint i = 0; i < FRAME_EDGE_COUNT; i++)
        g_string_append_printf(out,
                               "# HELP fundament_edge_%s_total %s, of all workers of the edge.\n"
                               "# TYPE fundament_edge_%s_total counter\n"
                               "fundament_edge_%s_total %" G_GUINT64_FORMAT "\n",
                               TABLE[i].metric, TABLE[i].help, TABLE[i].metric, TABLE[i].metric,
                               counters->counts[i]);
    g_string_append_printf(
        out,
        "# HELP fundament_edge_open_calls Questions and records for which workers of the edge wait.\n"
        "# TYPE fundament_edge_open_calls gauge\n"
        "fundament_edge_open_calls %" G_GUINT64_FORMAT "\n"
        "# HELP fundament_edge_refusals_total Requests that the edge answered itself, by status and "
        "Fsc-Error-Code.\n"
        "# TYPE fundament_edge_refusals_total counter\n",
        open_calls(counters, now_us));
    g_hash_table_iter_init(&iter, counters->refusals);
    while (g_hash_table_iter_next(&iter, &labels, &count))
        g_string_append_printf(out, "fundament_edge_refusals_total{%s} %" G_GUINT64_FORMAT "\n",
                               (const char *)labels, *(const guint64 *)count);
    g_mutex_unlock(&counters->lock);
}
