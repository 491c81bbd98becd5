/* GET /logs: the transaction log, to each Peer its own part of it (FSC Logging 1.1.0, 3.2). */
#include "components/fsc/internal.h"

#include "components/logboek/logboek.h"
#include "core/base/error.h"
#include "core/format/json.h"
#include "core/net/problem.h"

#define LOGS_DEFAULT 25
#define FILTERS_MAX 100

static gboolean read_time(Request *request, const char *name, gint64 *out)
{
    const char *text = request_query(request, name);
    *out = 0;
    if (text == NULL || g_ascii_string_to_signed(text, 10, 0, G_MAXINT64 / 1000000, out, NULL))
        return TRUE;
    respond_problem(request, 400, "Bad query", "%s: must be a Unix timestamp in seconds", name);
    return FALSE;
}

static gboolean lists_are_short(Request *request, char ***lists, const char *const *names)
{
    for (gsize i = 0; names[i] != NULL; i++) {
        lists[i] = query_list(request, names[i]);
        if (lists[i] != NULL && g_strv_length(lists[i]) > FILTERS_MAX) {
            respond_problem(request, 400, "Bad query", "%s: at most %d values", names[i], FILTERS_MAX);
            return FALSE;
        }
    }
    return TRUE;
}

void logs_list(Request *request, gpointer context)
{
    static const char *const names[] = {"grant_hash", "service_name", "transaction_ids", NULL};
    Fsc *fsc = context;
    char **lists[3] = {NULL};
    Page page;
    TransactionQuery query = {.peer_id = request_peer_id(request)};
    if (listing_page_read(request, LOGS_DEFAULT, &page) && read_time(request, "after", &query.after) &&
        read_time(request, "before", &query.before) && lists_are_short(request, lists, names)) {
        g_autoptr(GError) error = NULL;
        if (query.before == 0 && request_query(request, "before") != NULL)
            query.before = -1; /* nothing is older than 1970; 0 would be no limit */
        query.cursor = page.cursor;
        query.limit = page.limit;
        query.ascending = page.ascending;
        query.grant_hashes = (const char *const *)lists[0];
        query.service_names = (const char *const *)lists[1];
        query.transaction_ids = (const char *const *)lists[2];
        json_t *records = logboek_transactions(logboek_of(fsc->node), &query, &error);
        if (records != NULL)
            respond_json(request, 200, records);
        else
            respond_error(request, error);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(lists); i++)
        g_strfreev(lists[i]);
}
