/* Looking through the transaction log (FSC Logging 1.1.0): which requests went through Inway and Outway. */
#include "components/fsc/pages.h"

#include <string.h>

#include "components/logboek/logboek.h"
#include "core/base/error.h"
#include "core/base/identifiers.h"
#include "core/format/json.h"
#include "core/net/page.h"
#include "core/net/phrases.h"

#define ROWS_A_PAGE 20
#define DAY_S 86400

typedef struct {
    char *transaction_id, *service, *peer_id, *grant, *from, *to; /* NULL: not asked */
    const char *wrong;                                            /* the field that cannot be, or NULL */
} Filter;

static void filter_clear(Filter *filter)
{
    g_free(filter->transaction_id);
    g_free(filter->service);
    g_free(filter->peer_id);
    g_free(filter->grant);
    g_free(filter->from);
    g_free(filter->to);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Filter, filter_clear)

static void filter_read(Filter *filter, const Request *request)
{
    filter->transaction_id = office_filter(request, "transactie", 36);
    filter->service = office_filter(request, "dienst", 100);
    filter->peer_id = office_filter(request, "organisatie", 20);
    filter->grant = office_filter(request, "afspraak", FSC_HASH_LENGTH);
    filter->from = office_filter(request, "van", 10);
    filter->to = office_filter(request, "tot", 10);
    gint64 at;
    filter->wrong = filter->transaction_id != NULL && !uuid_valid(filter->transaction_id) ? "transaction"
                    : filter->service != NULL && !fsc_service_name_valid(filter->service) ? "service"
                    : filter->peer_id != NULL && !oin_valid(filter->peer_id)              ? "peer"
                    : filter->grant != NULL && !fsc_hash_parse(filter->grant, NULL)       ? "grant"
                    : (filter->from != NULL && !office_day(filter->from, &at)) ||
                            (filter->to != NULL && !office_day(filter->to, &at))
                        ? "period"
                        : NULL;
}

static json_t *look(Fsc *fsc, const Filter *filter, const char *cursor, GError **error)
{
    const char *services[] = {filter->service, NULL}, *grants[] = {filter->grant, NULL},
               *ids[] = {filter->transaction_id, NULL};
    gint64 from = 0, to = 0;
    if (filter->from != NULL)
        (void)office_day(filter->from, &from);
    if (filter->to != NULL && office_day(filter->to, &to))
        to += DAY_S;
    TransactionQuery query = {
        .peer_id = filter->peer_id != NULL ? filter->peer_id : node_oin(fsc->node),
        .cursor = cursor,
        .limit = ROWS_A_PAGE,
        .after = from > 0 ? from - 1 : 0,
        .before = to,
        .grant_hashes = filter->grant != NULL ? grants : NULL,
        .service_names = filter->service != NULL && filter->grant == NULL ? services : NULL,
        .transaction_ids = filter->transaction_id != NULL ? ids : NULL,
    };
    return logboek_transactions(logboek_of(fsc->node), &query, error);
}

static json_t *row_of(FscView *view, const json_t *record)
{
    const json_t *source = json_object_get(record, "source"),
                 *destination = json_object_get(record, "destination");
    const char *outway = json_string_at(source, "outway_peer_id"),
               *inway = json_string_at(destination, "service_peer_id"),
               *direction = json_string_at(record, "direction");
    g_autofree char *at = fsc_view_time(view, json_integer_at(record, "created_at") * 1000);
    gboolean incoming = g_strcmp0(direction, "DIRECTION_INCOMING") == 0;
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "at", at, "direction",
                     fsc_view_phrase(view, incoming ? "transactions.incoming" : "transactions.outgoing"),
                     "service", json_string_at(record, "service_name"), "from",
                     outway == NULL ? "" : fsc_view_name(view, outway), "to",
                     inway == NULL ? "" : fsc_view_name(view, inway), "id",
                     json_string_at(record, "transaction_id"), "grant", json_string_at(record, "grant_hash"));
}

static gboolean passes(const Filter *filter, const json_t *record)
{
    return (filter->service == NULL ||
            g_strcmp0(filter->service, json_string_at(record, "service_name")) == 0) &&
           (filter->grant == NULL || g_strcmp0(filter->grant, json_string_at(record, "grant_hash")) == 0);
}

static void add_answer(json_t *page, FscView *view, const Filter *filter, const json_t *answer)
{
    size_t i;
    const json_t *record;
    static const char *const kept[] = {"transactie", "dienst", "organisatie", "afspraak", "van", "tot", NULL};
    const char *cursor = json_string_at(json_object_get(answer, "pagination"), "next_cursor");
    json_t *rows = json_array();
    json_array_foreach(json_object_get(answer, "records"), i, record) if (passes(filter, record))
        json_array_append_new(rows, row_of(view, record));
    json_object_set_new(page, "has_rows", json_boolean(json_array_size(rows) > 0));
    json_object_set_new(page, "rows", rows);
    if (cursor == NULL || *cursor == '\0')
        return;
    g_autofree char *query = office_query(view->request, kept),
                    *escaped = g_uri_escape_string(cursor, NULL, FALSE);
    json_object_set_new(page, "next", json_sprintf("/transacties?%svanaf=%s", query, escaped));
}

static void add_filter(json_t *page, const FscView *view, const Filter *filter)
{
    const struct {
        const char *name, *value;
    } values[] = {{"transaction", filter->transaction_id},
                  {"service", filter->service},
                  {"peer", filter->peer_id},
                  {"grant", filter->grant},
                  {"from", filter->from},
                  {"to", filter->to}};
    json_t *object = json_object();
    for (gsize i = 0; i < G_N_ELEMENTS(values); i++)
        json_object_set_new(object, values[i].name,
                            json_string(values[i].value != NULL ? values[i].value : ""));
    json_object_set_new(page, "filter", object);
    if (filter->wrong != NULL) {
        g_autofree char *key = g_strconcat("fsc.transactions.wrong.", filter->wrong, NULL);
        json_object_set_new(page, "wrong", json_string(phrase(view->language, key)));
    }
}

void fsc_page_transactions(Request *request, gpointer context)
{
    Fsc *fsc = context;
    g_autoptr(GError) error = NULL;
    g_autoptr(FscView) view = fsc_view_new(fsc, request);
    g_auto(Filter) filter = {0};
    filter_read(&filter, request);
    g_autofree char *asked = g_strjoin(" ", filter.transaction_id != NULL ? filter.transaction_id : "",
                                       filter.peer_id != NULL ? filter.peer_id : "", NULL);
    if (officer_enter(fsc->node, request, OFFICER_READER, "fsc.transactions.look",
                      filter.wrong == NULL ? g_strstrip(asked) : "") == NULL)
        return;
    json_t *page = fsc_view_page(view, "/transacties", "transactions");
    add_filter(page, view, &filter);
    g_autoptr(json_t) answer =
        filter.wrong != NULL ? json_object() : look(fsc, &filter, request_query(request, "vanaf"), &error);
    if (answer == NULL) {
        json_decref(page);
        fsc_view_fail(view, error, "/transacties");
        return;
    }
    add_answer(page, view, &filter, answer);
    fsc_view_answer(view, "transactions", page);
}
