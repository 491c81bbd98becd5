#include "components/brp/delivery.h"

#include "components/fsc/fsc.h"
#include "components/logboek/logboek.h"
#include "core/base/error.h"
#include "core/base/identifiers.h"
#include "core/format/json.h"

/* LDV 1.0.0, 3.2.2.3 */
enum { STATUS_UNSET = 0, STATUS_ERROR = 2 };

/* Who asked, in which transaction, for which fields: the same in each record of one answer. */
static json_t *attributes_of(Request *request, const BrpQuery *query)
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

/* LDV 1.0.0, 3.2.2.7: an action that another application called says which; a child action was called by our
 * own.
 */
static char *caller_address(const BrpDelivery *delivery, Request *request)
{
    Fsc *fsc = fsc_of(delivery->node);
    const char *peer_id = request_peer_id(request);
    return request_has_caller(request) && fsc != NULL && peer_id != NULL ? fsc_peer_address(fsc, peer_id)
                                                                         : NULL;
}

static LogboekRecord record_of(const BrpDelivery *delivery, const TraceContext *action, const char *subject,
                               const json_t *attributes)
{
    LogboekRecord record = {.status = delivery->refused ? STATUS_ERROR : STATUS_UNSET,
                            .name = subject != NULL ? "Persoonsgegevens verstrekken"
                                                    : "Vraag om persoonsgegevens behandelen",
                            .start_ms = delivery->start_ms,
                            .end_ms = clock_now_ms(node_clock(delivery->node)),
                            .processing_activity_id = delivery->activity,
                            .data_subject_id = subject,
                            .data_subject_id_type = subject != NULL ? "BSN" : NULL,
                            .attributes = attributes};
    g_strlcpy(record.trace_id, action->trace_id, sizeof record.trace_id);
    g_strlcpy(record.span_id, action->span_id, sizeof record.span_id);
    g_strlcpy(record.parent_span_id, action->parent_id, sizeof record.parent_span_id);
    return record;
}

/* NULL when there is a person whose use cannot be logged: their number must not be in the register (load.h).
 */
static GPtrArray *subjects_of(const BrpDelivery *delivery, GError **error)
{
    g_autoptr(GPtrArray) subjects = g_ptr_array_new_with_free_func(g_free);
    for (gsize i = 0; i < json_array_size(delivery->records); i++) {
        const char *bsn = json_string_at(json_array_get(delivery->records, i), "burgerservicenummer");
        if (!bsn_valid(bsn)) {
            g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INTERNAL,
                                "a person in the register has a number that fails the 11-test");
            return NULL;
        }
        g_ptr_array_add(subjects, pseudonym_of_bsn(node_pseudonymizer(delivery->node), bsn));
    }
    return g_steal_pointer(&subjects);
}

static GArray *records_of(const BrpDelivery *delivery, Request *request, const GPtrArray *subjects,
                          const json_t *attributes, const char *processor)
{
    GArray *records = g_array_new(FALSE, FALSE, sizeof(LogboekRecord));
    const TraceContext *action = request_trace(request);
    const char *only = subjects->len == 1 ? g_ptr_array_index(subjects, 0) : NULL;
    LogboekRecord own = record_of(delivery, action, only, attributes);
    own.processor = processor;
    g_array_append_val(records, own);
    for (guint i = 0; only == NULL && i < subjects->len; i++) {
        TraceContext child;
        trace_child(action, &child);
        LogboekRecord record = record_of(delivery, &child, g_ptr_array_index(subjects, i), attributes);
        g_array_append_val(records, record);
    }
    return records;
}

gboolean brp_delivery_log(const BrpDelivery *delivery, Request *request, GError **error)
{
    Logboek *logboek = logboek_of(delivery->node);
    if (logboek == NULL) {
        g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_UNAVAILABLE,
                            "the log of data processing is off");
        return FALSE;
    }
    g_autoptr(GPtrArray) subjects = subjects_of(delivery, error);
    if (subjects == NULL)
        return FALSE;
    g_autoptr(json_t) attributes = attributes_of(request, delivery->query);
    g_autofree char *processor = caller_address(delivery, request);
    g_autoptr(GArray) records = records_of(delivery, request, subjects, attributes, processor);
    return logboek_append(logboek, (const LogboekRecord *)(gpointer)records->data, records->len, error);
}
