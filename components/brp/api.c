/* POST /haalcentraal/api/brp/personen (Haal Centraal BRP bevragen v2), behind our own Inway.
 *
 * Before anybody gets data, the use of it is in the log. When the log cannot be written there is no answer.
 */
#include "components/brp/api.h"

#include <stdio.h>
#include <string.h>

#include "components/brp/delivery.h"
#include "components/brp/fault.h"
#include "components/brp/fields.h"
#include "components/brp/media.h"
#include "components/brp/person.h"
#include "components/brp/query.h"
#include "components/brp/store.h"
#include "core/base/error.h"
#include "core/format/json.h"
#include "core/net/problem.h"

/* --- faults --- */

/* Takes `fault`. */
static void respond_fault_json(Request *request, guint status, json_t *fault)
{
    char *text = json_write(fault);
    json_decref(fault);
    respond_bytes(request, status, "application/problem+json", g_bytes_new_take(text, strlen(text)));
}

static void respond_fault(Request *request, BrpFault fault, const char *detail)
{
    respond_fault_json(request, brp_fault_status(fault), brp_fault(fault, detail, request_path(request)));
}

/* Our own mistakes and misfortunes: why stands in our log, not in the answer. */
static void respond_failure(Request *request, const GError *error)
{
    BrpFault fault = problem_status(error) == 503 ? BRP_FAULT_UNAVAILABLE : BRP_FAULT_INTERNAL;
    const char *trace_id = request_trace(request)->trace_id;
    g_warning("brp: trace %s: no persons were given: %s", trace_id, error->message);
    g_autofree char *detail = g_strdup_printf(
        "%s Vermeld trace %s als u dit meldt.",
        fault == BRP_FAULT_UNAVAILABLE ? "Probeer het later opnieuw." : "Er is iets misgegaan.", trace_id);
    respond_fault(request, fault, detail);
}

void brp_api_other_method(Request *request, gpointer context)
{
    respond_header(request, "Allow", "POST");
    respond_fault(request, BRP_FAULT_METHOD, NULL);
}

/* --- the question --- */

/* Where it went wrong, but not the words there: they may be a name or a number. */
static void respond_unreadable(Request *request, const GError *error)
{
    unsigned line, column;
    const char *place = strstr(error->message, "line ");
    if (place == NULL || sscanf(place, "line %u, column %u", &line, &column) != 2) {
        respond_fault(request, BRP_FAULT_UNREADABLE, NULL);
        return;
    }
    g_autofree char *detail =
        g_strdup_printf("De body is geen geldige JSON: regel %u, kolom %u.", line, column);
    respond_fault(request, BRP_FAULT_UNREADABLE, detail);
}

/* What BRP bevragen wants of the request around the body. FALSE when it was answered. */
static gboolean admit(Request *request)
{
    static const char *const NO_PARAMETERS[] = {NULL};
    gsize length = g_bytes_get_size(request_body(request));
    if (!brp_media_is_sent_well(request_header(request, "Content-Type")))
        respond_fault(request, BRP_FAULT_MEDIA_TYPE, NULL);
    else if (!brp_media_is_accepted(request_header(request, "Accept")))
        respond_fault(request, BRP_FAULT_NOT_ACCEPTABLE, NULL);
    else if (length > BRP_BODY_MAX)
        respond_fault(request, BRP_FAULT_TOO_LARGE, NULL);
    else if (request_query_unknown(request, NO_PARAMETERS) != NULL)
        respond_fault(request, BRP_FAULT_PARAMETERS, "Parameters horen in de body, niet in het adres.");
    return !request_answered(request);
}

static BrpQuery *read_query(Request *request)
{
    g_autoptr(GError) error = NULL;
    gsize length;
    const char *text = g_bytes_get_data(request_body(request), &length);
    g_autoptr(json_t) body = json_parse_strict(length == 0 ? "" : text, (gssize)length, NULL, &error);
    if (body == NULL) {
        respond_unreadable(request, error);
        return NULL;
    }
    json_t *fault = NULL;
    BrpQuery *query = brp_query_parse(body, request_path(request), &fault);
    if (query == NULL)
        respond_fault_json(request, brp_fault_status(BRP_FAULT_PARAMETERS), fault);
    return query;
}

/* --- the answer --- */

/* "YYYYMMDD" in the Netherlands. */
static char *today(const BrpApi *api)
{
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(clock_now_s(node_clock(api->node)));
    g_autoptr(GDateTime) local = g_date_time_to_timezone(utc, api->zone);
    return g_date_time_format(local, "%Y%m%d");
}

static json_t *answer_of(const BrpApi *api, const BrpQuery *query, const json_t *records)
{
    g_autofree char *day = today(api);
    json_t *persons = json_array();
    gsize index;
    json_t *record;
    json_array_foreach(records, index, record)
    {
        g_autoptr(json_t) person = brp_person(record, day);
        json_array_append_new(persons, brp_fields_apply(person, (const char *const *)query->fields,
                                                        query->type == BRP_BY_NAME_AND_BIRTH));
    }
    return json_pack("{s:s, s:o}", "type", query->type_name, "personen", persons);
}

void brp_api_persons(Request *request, gpointer context)
{
    const BrpApi *api = context;
    gint64 start_ms = clock_now_ms(node_clock(api->node));
    g_autoptr(BrpQuery) query = admit(request) ? read_query(request) : NULL;
    if (query == NULL)
        return;
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) records = brp_store_find(node_store(api->node), query, &error);
    if (records == NULL) {
        respond_failure(request, error);
        return;
    }
    gboolean too_many = query->type == BRP_BY_NAME_AND_BIRTH && json_array_size(records) > BRP_MAX_FOUND;
    g_autoptr(json_t) answer = too_many ? NULL : answer_of(api, query, records);
    BrpDelivery delivery = {api->node, api->activity, query, too_many ? NULL : records, too_many, start_ms};
    if (!brp_delivery_log(&delivery, request, &error))
        respond_failure(request, error);
    else if (too_many)
        respond_fault(request, BRP_FAULT_TOO_MANY_FOUND, NULL);
    else
        respond_json(request, 200, g_steal_pointer(&answer));
}
