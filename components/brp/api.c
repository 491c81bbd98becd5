/* POST /haalcentraal/api/brp/personen (Haal Centraal BRP bevragen v2), behind our own Inway.
 *
 * Before anybody gets data, the use of it is in the log: one record a person (Logboek
 * Dataverwerkingen 1.0.0, 3.3.1.1). When the log cannot be written there is no answer. */
#include "components/brp/api.h"

#include <string.h>

#include "components/brp/fields.h"
#include "components/brp/person.h"
#include "components/brp/query.h"
#include "components/brp/store.h"
#include "components/fsc/fsc.h"
#include "components/logboek/logboek.h"
#include "core/base/error.h"
#include "core/format/json.h"
#include "core/net/problem.h"

static void respond_fault(Request *request, guint status, json_t *fault)
{
    g_autofree char *text = json_write(fault);
    json_decref(fault);
    respond_text(request, status, "application/problem+json", text);
}

/* "YYYYMMDD" in the Netherlands. */
static char *today(const Clock *clock)
{
    g_autoptr(GTimeZone) zone = g_time_zone_new_identifier("Europe/Amsterdam");
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(clock_now_s(clock));
    g_autoptr(GDateTime) local = zone != NULL ? g_date_time_to_timezone(utc, zone) : g_date_time_ref(utc);
    return g_date_time_format(local, "%Y%m%d");
}

/* --- the log --- */

/* What is the same in each record of one question. */
typedef struct {
    const BrpApi *api;
    Request *request;
    const TraceContext *trace;
    gint64 start_ms, end_ms;
    char *processor;    /* the caller's address, or NULL */
    json_t *attributes; /* who asked, in which transaction, for which fields */
} LogContext;

static json_t *record_attributes(Request *request, const BrpQuery *query)
{
    json_t *categories = json_array();
    for (char **field = query->fields; *field != NULL; field++)
        json_array_append_new(categories, json_string(*field));
    json_t *attributes = json_pack("{s:o}", "nl.fundament.data_categories", categories);
    if (request_peer_id(request) != NULL)
        json_object_set_new(attributes, "nl.fundament.receiver", json_string(request_peer_id(request)));
    if (request_transaction_id(request) != NULL)
        json_object_set_new(attributes, "nl.fundament.transaction_id",
                            json_string(request_transaction_id(request)));
    return attributes;
}

static void fill_record(LogboekRecord *record, const LogContext *context, const TraceContext *trace,
                        const char *subject)
{
    memset(record, 0, sizeof *record);
    g_strlcpy(record->trace_id, trace->trace_id, sizeof record->trace_id);
    g_strlcpy(record->span_id, trace->span_id, sizeof record->span_id);
    g_strlcpy(record->parent_span_id, trace->parent_id, sizeof record->parent_span_id);
    record->name = subject != NULL ? "Persoonsgegevens verstrekken" : "Vraag om persoonsgegevens behandelen";
    record->start_ms = context->start_ms;
    record->end_ms = context->end_ms;
    record->processing_activity_id = context->api->activity;
    record->data_subject_id = subject;
    record->data_subject_id_type = subject != NULL ? "BSN" : NULL;
    record->processor = context->processor;
    record->attributes = context->attributes;
}

/* One person: the action of the request itself is about that person. None or several: the request is an
 * action without a person, with a child action for each (LDV 1.0.0, 3.3.1.1). */
static gboolean log_records(const LogContext *context, const json_t *records, GError **error)
{
    Logboek *logboek = logboek_of(context->api->node);
    if (logboek == NULL) {
        g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_UNAVAILABLE,
                            "the log of data processing is off");
        return FALSE;
    }
    gsize persons = json_array_size(records), n = 0;
    g_autofree LogboekRecord *log = g_new0(LogboekRecord, persons + 1);
    g_autoptr(GPtrArray) subjects = g_ptr_array_new_with_free_func(g_free);
    if (persons != 1)
        fill_record(&log[n++], context, context->trace, NULL);
    for (gsize i = 0; i < persons; i++) {
        const char *bsn = json_string_at(json_array_get(records, i), "burgerservicenummer");
        char *subject = pseudonym_of_bsn(node_pseudonymizer(context->api->node), bsn);
        g_ptr_array_add(subjects, subject);
        TraceContext child;
        if (persons != 1)
            trace_child(context->trace, &child);
        fill_record(&log[n++], context, persons != 1 ? &child : context->trace, subject);
    }
    return logboek_append(logboek, log, n, error);
}

static gboolean log_delivery(const BrpApi *api, Request *request, const BrpQuery *query,
                             const json_t *records, gint64 start_ms, GError **error)
{
    LogContext context = {.api = api,
                          .request = request,
                          .trace = request_trace(request),
                          .start_ms = start_ms,
                          .end_ms = clock_now_ms(node_clock(api->node)),
                          .attributes = record_attributes(request, query)};
    Fsc *fsc = fsc_of(api->node);
    if (request_has_caller(request) && fsc != NULL && request_peer_id(request) != NULL)
        context.processor = fsc_peer_address(fsc, request_peer_id(request));
    gboolean logged = log_records(&context, records, error);
    g_free(context.processor);
    json_decref(context.attributes);
    return logged;
}

/* --- the answer --- */

static json_t *persons_of(const json_t *records, const BrpQuery *query, const char *day)
{
    json_t *persons = json_array();
    gsize index;
    json_t *record;
    json_array_foreach(records, index, record)
    {
        g_autoptr(json_t) whole = brp_person(record, day);
        g_autoptr(json_t) deliverable =
            query->type == BRP_BY_BSN ? json_incref(whole) : brp_fields_limited(whole);
        json_array_append_new(persons, brp_fields_apply(deliverable, (const char *const *)query->fields));
    }
    return persons;
}

static json_t *read_body(Request *request)
{
    g_autoptr(GError) error = NULL;
    json_t *body = request_json(request, &error);
    if (body == NULL && !request_answered(request))
        respond_fault(
            request, 400,
            brp_fault(400, "Het verzoek is niet te lezen.", error->message, "syntax", request_path(request)));
    return body;
}

void brp_api_persons(Request *request, gpointer context)
{
    const BrpApi *api = context;
    gint64 start_ms = clock_now_ms(node_clock(api->node));
    g_autoptr(json_t) body = read_body(request);
    if (body == NULL)
        return;
    json_t *fault = NULL;
    g_autoptr(BrpQuery) query = brp_query_parse(body, request_path(request), &fault);
    if (query == NULL) {
        respond_fault(request, 400, fault);
        return;
    }
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) records = brp_store_find(node_store(api->node), query, &error);
    if (records == NULL) {
        respond_error(request, error);
        return;
    }
    if (json_array_size(records) > BRP_MAX_FOUND && query->type != BRP_BY_BSN) {
        respond_fault(request, 400,
                      brp_fault(400, "Teveel zoekresultaten.", "Meer dan maximum van 10 gevonden resultaten.",
                                "tooManyResults", request_path(request)));
        return;
    }
    if (!log_delivery(api, request, query, records, start_ms, &error)) {
        respond_error(request, error);
        return;
    }
    g_autofree char *day = today(node_clock(api->node));
    respond_json(
        request, 200,
        json_pack("{s:s, s:o}", "type", query->type_name, "personen", persons_of(records, query, day)));
}
