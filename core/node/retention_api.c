/* Retention over the administration socket, and as a job. */
#include <unistd.h>

#include "core/net/problem.h"
#include "core/node/audit.h"
#include "core/node/housekeeping.h"
#include "core/node/node_private.h"
#include "core/node/retention.h"

gboolean retention_job(Node *node, gpointer context, GError **error)
{
    g_autoptr(GArray) results = retention_run(node, FALSE, "node", "system", error);
    return results != NULL;
}

static void respond_results(Request *request, const GArray *results)
{
    json_t *list = json_array();
    for (guint i = 0; i < results->len; i++) {
        const RetentionResult *result = &g_array_index(results, RetentionResult, i);
        g_autofree char *before = clock_format_rfc3339(result->before_ms);
        json_array_append_new(list,
                              json_pack("{ss, ss, sI, sI}", "name", result->name, "before", before, "count",
                                        (json_int_t)result->count, "bytes", (json_int_t)result->bytes));
    }
    respond_json(request, 200, json_pack("{so}", "results", list));
}

static void handle(Request *request, Node *node, gboolean dry)
{
    g_autoptr(GError) error = NULL;
    /* nobody else can open this socket */
    g_autofree char *actor = g_strdup_printf("uid:%u", (guint)geteuid());
    g_autoptr(GArray) results = retention_run(node, dry, actor, "administrator", &error);
    if (results == NULL)
        respond_error(request, error);
    else
        respond_results(request, results);
}

static void get_retention(Request *request, gpointer context)
{
    handle(request, context, TRUE);
}

static void post_retention(Request *request, gpointer context)
{
    handle(request, context, FALSE);
}

const Route retention_routes[] = {
    {LISTENER_ADMIN, "GET", "/node/v1/retention", get_retention, 0, NULL},
    {LISTENER_ADMIN, "POST", "/node/v1/retention", post_retention, 0, NULL},
};
const gsize retention_routes_count = G_N_ELEMENTS(retention_routes);
