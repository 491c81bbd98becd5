/* The node's own routes, on the admin socket only: health, metrics, and the outbox. */
#include "core/node/node_private.h"

#include <unistd.h>

#include "core/base/error.h"
#include "core/format/json.h"
#include "core/net/problem.h"
#include "core/node/audit.h"
#include "core/node/health.h"
#include "core/node/keys.h"
#include "core/node/outbox.h"

/* draft-inadarei-api-health-check-06 */

static const char *const health_names[] = {"pass", "warn", "fail"};

void health_add(json_t *checks, const char *name, HealthStatus status, const char *output)
{
    json_t *check = json_pack("{s:s}", "status", health_names[status]);
    if (output != NULL)
        json_object_set_new(check, "output", json_string(output));
    json_object_set_new(checks, name, json_pack("[o]", check));
}

static HealthStatus worst(const json_t *checks, const char **output)
{
    const char *name;
    json_t *list;
    HealthStatus status = HEALTH_PASS;
    json_object_foreach((json_t *)checks, name, list)
    {
        const json_t *check = json_array_get(list, 0);
        for (HealthStatus found = HEALTH_FAIL; found > status; found--)
            if (g_str_equal(json_string_at(check, "status"), health_names[found])) {
                status = found;
                *output = json_string_at(check, "output");
            }
    }
    return status;
}

static void check_store(Node *node, json_t *checks)
{
    g_autoptr(Db) db = store_take(node->store, NULL);
    gboolean answers = db != NULL && db_run_values(db, "SELECT 1", NULL, 0, NULL);
    health_add(checks, "store", answers ? HEALTH_PASS : HEALTH_FAIL,
               answers ? NULL : "the store does not answer");
}

static void check_certificates(Node *node, json_t *checks)
{
    gint64 now_s = clock_now_s(node->clock);
    for (Role role = 0; role < ROLE_COUNT; role++) {
        const Certificate *certificate = node_certificate(node, role);
        int days = certificate == NULL ? -1 : key_alarm_days(certificate_not_after(certificate), now_s);
        if (days < 0 || days > 7)
            continue;
        g_autofree char *name = g_strdup_printf("certificate:%s", role_name(role));
        health_add(checks, name, HEALTH_WARN, days == 0 ? "it has expired" : "it expires within 7 days");
    }
}

static json_t *all_checks(Node *node)
{
    json_t *checks = json_object();
    check_store(node, checks);
    check_certificates(node, checks);
    for (guint i = 0; i < node->running->len; i++) {
        const Running *running = &g_array_index(node->running, Running, i);
        if (running->component->health != NULL)
            running->component->health(running->context, checks);
    }
    return checks;
}

static void get_health(Request *request, gpointer context)
{
    Node *node = context;
    const char *output = NULL;
    json_t *checks = all_checks(node);
    if (node->disk != NULL)
        disk_health(node->disk, checks);
    HealthStatus status = worst(checks, &output);
    json_t *body = json_pack("{s:s, s:s, s:s, s:o}", "status", health_names[status], "version",
                             FUNDAMENT_VERSION, "serviceId", node->oin, "checks", checks);
    if (output != NULL)
        json_object_set_new(body, "output", json_string(output));
    g_autofree char *text = json_write(body);
    json_decref(body);
    respond_text(request, status == HEALTH_FAIL ? 503 : 200, "application/health+json", text);
}

/* --- metrics --- */

/* proc(5), statm: all pages, then those in memory. */
static guint64 resident_bytes(void)
{
    g_autofree char *text = NULL;
    guint64 pages = 0;
    if (!g_file_get_contents("/proc/self/statm", &text, NULL, NULL))
        return 0;
    g_auto(GStrv) numbers = g_strsplit(text, " ", 3);
    if (g_strv_length(numbers) < 2 ||
        !g_ascii_string_to_unsigned(numbers[1], 10, 0, G_MAXUINT32, &pages, NULL))
        return 0;
    return pages * (guint64)sysconf(_SC_PAGESIZE);
}

static void write_process(const Node *node, GString *out)
{
    g_string_append_printf(out,
                           "# HELP process_resident_memory_bytes Resident memory.\n"
                           "# TYPE process_resident_memory_bytes gauge\n"
                           "process_resident_memory_bytes %" G_GUINT64_FORMAT "\n"
                           "# HELP process_start_time_seconds When the process started.\n"
                           "# TYPE process_start_time_seconds gauge\n"
                           "process_start_time_seconds %.3f\n"
                           "# HELP fundament_info The version that runs.\n"
                           "# TYPE fundament_info gauge\n"
                           "fundament_info{version=\"" FUNDAMENT_VERSION "\"} 1\n",
                           resident_bytes(), (double)node->started_ms / 1000);
}

static void write_edge(Node *node, GString *out)
{
    g_autoptr(TrustAnchors) anchors = node_anchors(node);
    g_string_append_printf(
        out,
        "# HELP fundament_frames_workers Workers of the edge that are connected.\n"
        "# TYPE fundament_frames_workers gauge\n"
        "fundament_frames_workers %u\n"
        "# HELP fundament_crl_next_update_seconds When the first revocation list runs out; 0 without.\n"
        "# TYPE fundament_crl_next_update_seconds gauge\n"
        "fundament_crl_next_update_seconds %" G_GINT64_FORMAT "\n",
        frames_server_workers(node->frames), anchors == NULL ? 0 : trust_anchors_crl_next_update(anchors));
}

static void write_certificates(const Node *node, GString *out)
{
    gint64 now_s = clock_now_s(node->clock);
    g_string_append(
        out, "# HELP fundament_certificate_not_after_seconds When the certificate of a role runs out.\n"
             "# TYPE fundament_certificate_not_after_seconds gauge\n");
    for (Role role = 0; role < ROLE_COUNT; role++) {
        const Certificate *certificate = node_certificate(node, role);
        if (certificate != NULL)
            g_string_append_printf(
                out, "fundament_certificate_not_after_seconds{role=\"%s\"} %" G_GINT64_FORMAT "\n",
                role_name(role), certificate_not_after(certificate));
    }
    g_string_append(
        out, "# HELP fundament_certificate_expires_seconds How long the certificate of a role has left.\n"
             "# TYPE fundament_certificate_expires_seconds gauge\n");
    for (Role role = 0; role < ROLE_COUNT; role++) {
        const Certificate *certificate = node_certificate(node, role);
        if (certificate != NULL)
            g_string_append_printf(
                out, "fundament_certificate_expires_seconds{role=\"%s\"} %" G_GINT64_FORMAT "\n",
                role_name(role), certificate_not_after(certificate) - now_s);
    }
}

static void get_metrics(Request *request, gpointer context)
{
    Node *node = context;
    g_autoptr(GString) out = g_string_sized_new(8192);
    write_process(node, out);
    write_edge(node, out);
    write_certificates(node, out);
    if (node->disk != NULL)
        disk_metrics(node->disk, out);
    outbox_metrics(node, out);
    jobs_metrics(node->jobs, out);
    request_metrics_write(node->metrics, out);
    for (guint i = 0; i < node->running->len; i++) {
        const Running *running = &g_array_index(node->running, Running, i);
        if (running->component->metrics != NULL)
            running->component->metrics(running->context, out);
    }
    respond_text(request, 200, "text/plain; version=0.0.4; charset=utf-8", out->str);
}

/* --- outbox --- */

static json_t *entry_json(const OutboxEntry *entry)
{
    g_autofree char *created = clock_format_rfc3339(entry->created_ms);
    g_autofree char *next = clock_format_rfc3339(entry->next_try_ms);
    return json_pack("{s:I, s:s, s:s, s:s, s:s, s:i, s:b, s:s?}", "id", (json_int_t)entry->id, "kind",
                     entry->kind, "destination", entry->destination, "created_at", created, "next_try_at",
                     next, "tries", (int)entry->tries, "dead", (int)entry->dead, "last_error",
                     entry->last_error);
}

static void get_outbox(Request *request, gpointer context)
{
    Node *node = context;
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) entries = outbox_list(node->store, request_query(request, "destination"), &error);
    if (entries == NULL) {
        respond_error(request, error);
        return;
    }
    json_t *list = json_array();
    for (guint i = 0; i < entries->len; i++)
        json_array_append_new(list, entry_json(entries->pdata[i]));
    respond_json(request, 200, json_pack("{s:o}", "messages", list));
}

static gboolean retry(Node *node, Request *request, GError **error)
{
    const char *segment = request_segment(request, "id");
    guint64 id = 0;
    if (!g_ascii_string_to_unsigned(segment, 10, 1, G_MAXINT64, &id, NULL)) {
        g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                            "the id of a message is a number");
        return FALSE;
    }
    g_autofree char *actor =
        g_strdup_printf("uid:%u", (guint)geteuid()); /* nobody else can open this socket */
    g_autoptr(Db) db = store_take(node->store, error);
    if (db == NULL || !audit_write(db, node->clock, actor, "administrator", "node.outbox.retry", segment,
                                   "begun", request_trace(request), error))
        return FALSE;
    return outbox_retry(node->store, node->clock, (gint64)id, error);
}

static void post_retry(Request *request, gpointer context)
{
    Node *node = context;
    g_autoptr(GError) error = NULL;
    if (!retry(node, request, &error)) {
        respond_error(request, error);
        return;
    }
    outbox_wake(node);
    respond_empty(request, 204);
}

const Route node_routes[] = {
    {LISTENER_ADMIN, "GET", "/health", get_health, 0, NULL},
    {LISTENER_ADMIN, "GET", "/metrics", get_metrics, 0, NULL},
    {LISTENER_ADMIN, "GET", "/node/v1/outbox", get_outbox, 0, NULL},
    {LISTENER_ADMIN, "POST", "/node/v1/outbox/{id}/retry", post_retry, 0, NULL},
};
const ApiDocument node_document = {LISTENER_ADMIN, "/node/v1", "node", NULL};
const gsize node_routes_count = G_N_ELEMENTS(node_routes);
