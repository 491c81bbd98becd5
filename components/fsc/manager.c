/* The Manager's endpoints for contracts (FSC Core 2.0.0, 4.4 and the OpenAPI document): announce, submit,
 * sign, list, jwks, peer. */
#include "components/fsc/internal.h"

#include <string.h>

#include "components/fsc/address.h"
#include "components/fsc/verdict.h"
#include "core/base/error.h"
#include "core/format/json.h"
#include "core/net/problem.h"
#include "core/node/outbox.h"

#define LIST_DEFAULT 100
#define LIST_MAX 1000
#define HASHES_MAX 100

void respond_verdict(Request *request, const GError *error)
{
    if (error->domain != FSC_VERDICT) {
        respond_error(request, error);
        return;
    }
    const VerdictRow *row = verdict_row((Verdict)error->code);
    if (*row->fsc_code != '\0')
        respond_fsc_error(request, row->http_status, "ERROR_DOMAIN_MANAGER", row->fsc_code, error->message);
    else
        respond_problem(request, row->http_status, "The contract or signature is refused", "%s",
                        error->message);
}

/* FSC Core 2.0.0, 4.4.4. NULL when it has answered 400. */
static const char *manager_address_of(Request *request)
{
    g_autoptr(GError) error = NULL;
    g_auto(Address) address = {0};
    const char *text = request_header(request, "Fsc-Manager-Address");
    if (address_parse(text, &address, NULL))
        return text;
    verdict_set(&error, VERDICT_MANAGER_ADDRESS, NULL);
    respond_verdict(request, error);
    return NULL;
}

void manager_announce(Request *request, gpointer context)
{
    Fsc *fsc = context;
    const char *address = manager_address_of(request);
    if (address == NULL)
        return;
    g_autoptr(GError) error = NULL;
    g_autoptr(Db) db = store_take(node_store(fsc->node), &error);
    if (db == NULL || !db_begin(db, &error) ||
        !peers_seen(fsc, db, request_certificate(request), address, &error) || !db_commit(db, &error)) {
        respond_error(request, error);
        return;
    }
    g_clear_pointer(&db, db_release);
    outbox_wake(fsc->node);
    respond_empty(request, 200);
}

static void receive(Request *request, Fsc *fsc, const char *url_hash, SignatureType type)
{
    g_autoptr(GError) error = NULL;
    const char *address = manager_address_of(request);
    if (address == NULL)
        return;
    g_autoptr(json_t) body = request_json(request, &error);
    if (body == NULL) {
        /* Too deep or too many values is as malformed as a missing brace: trying again later does not help.
         */
        if (g_error_matches(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_LIMIT))
            error->code = FUNDAMENT_ERROR_INVALID;
        respond_error(request, error);
        return;
    }
    Submission submission = {.certificate = request_certificate(request),
                             .manager_address = address,
                             .url_hash = url_hash,
                             .type = type,
                             .trace = request_trace(request)};
    if (submission_receive(fsc, &submission, body, &error)) {
        respond_empty(request, 201);
        return;
    }
    if (g_error_matches(error, FSC_VERDICT, VERDICT_UNKNOWN_FSC_VERSION))
        probe_heard_contract(fsc, request_peer_id(request), json_object_get(body, "content"));
    respond_verdict(request, error);
}

void manager_submit(Request *request, gpointer context)
{
    receive(request, context, NULL, SIGNATURE_ACCEPT);
}

void manager_accept(Request *request, gpointer context)
{
    receive(request, context, request_segment(request, "hash"), SIGNATURE_ACCEPT);
}

void manager_reject(Request *request, gpointer context)
{
    receive(request, context, request_segment(request, "hash"), SIGNATURE_REJECT);
}

void manager_revoke(Request *request, gpointer context)
{
    receive(request, context, request_segment(request, "hash"), SIGNATURE_REVOKE);
}

/* --- lists --- */

static gboolean refuse_query(Request *request, const char *name, const char *must)
{
    respond_problem(request, 400, "Bad query", "%s: %s", name, must);
    return FALSE;
}

gboolean listing_page_read(Request *request, guint default_limit, Page *page)
{
    const char *limit = request_query(request, "limit"), *order = request_query(request, "sort_order");
    guint64 number = default_limit;
    page->cursor = request_query(request, "cursor");
    page->ascending = g_strcmp0(order, "SORT_ORDER_ASCENDING") == 0;
    if (limit != NULL && !g_ascii_string_to_unsigned(limit, 10, 1, LIST_MAX, &number, NULL))
        return refuse_query(request, "limit", "must be a number from 1 to 1000");
    if (order != NULL && !page->ascending && !g_str_equal(order, "SORT_ORDER_DESCENDING"))
        return refuse_query(request, "sort_order", "must be SORT_ORDER_ASCENDING or SORT_ORDER_DESCENDING");
    page->limit = (guint)number;
    return TRUE;
}

char **query_list(Request *request, const char *name)
{
    const char *text = request_query(request, name);
    return text == NULL || *text == '\0' ? NULL : g_strsplit(text, ",", -1);
}

static gboolean hashes_are_sound(Request *request, char **hashes)
{
    guint count = 0;
    for (char **hash = hashes; hash != NULL && *hash != NULL; hash++)
        if (!fsc_hash_parse(*hash, NULL) || ++count > HASHES_MAX)
            return refuse_query(request, "grant_hash",
                                "must be at most 100 grant hashes ($1$N$...), separated by commas");
    return TRUE;
}

static json_t *contracts_json(const GPtrArray *contracts, const char *next_cursor)
{
    json_t *list = json_array();
    for (guint i = 0; i < contracts->len; i++) {
        const StoredContract *stored = g_ptr_array_index(contracts, i);
        json_array_append_new(list, json_pack("{s:O, s:o}", "content", stored->contract->content,
                                              "signatures", stored_contract_signatures(stored)));
    }
    return json_pack("{s:o, s:{s:s}}", "contracts", list, "pagination", "next_cursor", next_cursor);
}

/* FSC Core 2.0.0, 4.4.1.5: only contracts in which the caller has a role. */
void manager_contracts(Request *request, gpointer context)
{
    Fsc *fsc = context;
    Page page;
    GrantType type;
    const char *grant_type = request_query(request, "grant_type");
    g_auto(GStrv) hashes = query_list(request, "grant_hash");
    if (!listing_page_read(request, LIST_DEFAULT, &page) || !hashes_are_sound(request, hashes))
        return;
    if (grant_type != NULL && !grant_type_find(grant_type, &type)) {
        refuse_query(request, "grant_type", "must be one of the GRANT_TYPE_... of the OpenAPI document");
        return;
    }
    ContractQuery query = {.peer_id = request_peer_id(request),
                           .grant_type = grant_type,
                           .grant_hashes = (const char *const *)hashes,
                           .cursor = page.cursor,
                           .limit = page.limit,
                           .ascending = page.ascending};
    g_autoptr(GError) error = NULL;
    g_autofree char *next_cursor = NULL;
    g_autoptr(Db) db = store_take(node_store(fsc->node), &error);
    g_autoptr(GPtrArray) contracts = db == NULL ? NULL : fsc_store_list(db, &query, &next_cursor, &error);
    if (contracts == NULL)
        respond_error(request, error);
    else
        respond_json(request, 200, contracts_json(contracts, next_cursor));
}

/* --- who we are --- */

/* FSC Core 2.0.0, 4.4.1.4: the certificates of all keys that sign contracts or tokens, also former ones that
 * are still valid. */
void manager_jwks(Request *request, gpointer context)
{
    Fsc *fsc = context;
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) certificates = NULL;
    if (fsc_keep_own_certificates(fsc, &error)) {
        g_autoptr(Db) db = store_take(node_store(fsc->node), &error);
        certificates = db == NULL ? NULL : fsc_store_own_certificates(db, NULL, fsc_now_s(fsc), &error);
    }
    if (certificates == NULL)
        respond_error(request, error);
    else
        respond_json(request, 200, jwks_from_certificates(certificates));
}

/* docs/fsc-readings.md, 16: the versions are those of the texts that are implemented; the OpenAPI documents
 * still list 1.0.0 only. */
void manager_peer(Request *request, gpointer context)
{
    Fsc *fsc = context;
    respond_json(request, 200,
                 json_pack("{s:s, s:s, s:s, s:{s:s}}", "peer_id", node_oin(fsc->node), "peer_name",
                           node_name(fsc->node), "fsc_version", FSC_VERSION, "enabled_extensions",
                           "EXTENSION_TRANSACTION_LOGGING", "1.1.0"));
}
