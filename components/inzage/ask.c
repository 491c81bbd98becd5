#include "components/inzage/ask.h"

#include <string.h>

#include "components/fsc/fsc.h"
#include "components/logboek/logboek.h"
#include "core/base/error.h"
#include "core/format/json.h"
#include "core/node/statement.h"

#define LOG_SERVICE "logboek-lezen"
#define OPERATIONS_PATH "/logboek/v1/data-processing-operations"
#define ACTIVITIES_PATH "/logboek/v1/processing-activities"
#define PERIOD_PATH "/logboek/v1/usage-period"
#define PAGE_LIMIT 500
#define PAGES_MAX 4

void answers_free(Answers *answers)
{
    if (answers == NULL)
        return;
    g_ptr_array_unref(answers->sources);
    g_free(answers);
}

const Source *answers_source(const Answers *answers, const char *oin)
{
    for (guint i = 0; answers != NULL && i < answers->sources->len; i++) {
        const Source *source = answers->sources->pdata[i];
        if (g_strcmp0(source->oin, oin) == 0)
            return source;
    }
    return NULL;
}

char *organisation_name(const Inzage *inzage, const Answers *answers, const char *oin)
{
    const Source *source = answers_source(answers, oin);
    Fsc *fsc = fsc_of(inzage->node);
    return source != NULL ? g_strdup(source->name) : fsc != NULL ? fsc_peer_name(fsc, oin) : g_strdup(oin);
}

/* --- one call --- */

typedef enum { ASK_OPERATIONS, ASK_ACTIVITIES, ASK_PERIOD } AskKind;

/* A call of a round, with all that it borrows. */
typedef struct {
    AskKind kind;
    Source *source;
    char *url;
    char *body; /* NULL: a GET */
    char **headers;
} Ask;

static void ask_free(gpointer data)
{
    Ask *ask = data;
    g_free(ask->url);
    g_free(ask->body);
    g_strfreev(ask->headers);
    g_free(ask);
}

/* What all calls of one page have in common. */
typedef struct {
    Inzage *inzage;
    const Session *session;
    gint64 from_ms;
    const char *trace_id;
    char traceparent[TRACEPARENT_SIZE];
    GPtrArray *asks; /* of the next round */
} Round;

static char **headers_for(const char *service, const char *oin, const char *traceparent)
{
    GStrvBuilder *builder = g_strv_builder_new();
    g_autofree char *host = g_strdup_printf("Host: %s.%s", service, oin);
    g_autofree char *trace = g_strconcat("traceparent: ", traceparent, NULL);
    g_strv_builder_add_many(builder, host, trace, "Content-Type: application/json",
                            "Accept: application/json", NULL);
    char **headers = g_strv_builder_end(builder);
    g_strv_builder_unref(builder);
    return headers;
}

static void add_ask(Round *round, Source *source, AskKind kind, char *body)
{
    static const char *const PATHS[] = {OPERATIONS_PATH, ACTIVITIES_PATH, PERIOD_PATH};
    Ask *ask = g_new0(Ask, 1);
    *ask = (Ask){.kind = kind,
                 .source = source,
                 .url = g_strdup_printf("http://%s%s", round->inzage->outway, PATHS[kind]),
                 .body = body,
                 .headers = headers_for(LOG_SERVICE, source->oin, round->traceparent)};
    g_ptr_array_add(round->asks, ask);
}

/* Each statement is good for one call, so every page of an answer takes a new one. */
static void add_operations(Round *round, Source *source, const char *cursor)
{
    g_autoptr(GError) error = NULL;
    json_t *statement = statement_new(round->inzage->node, round->session, source->oin, &error);
    if (statement == NULL) {
        g_warning("inzage: %s", error->message);
        source->state = SOURCE_UNREACHABLE;
        return;
    }
    g_autoptr(json_t) body = json_pack("{s:o, s:i, s:s*, s:s*}", "nl.fundament.statement", statement, "limit",
                                       PAGE_LIMIT, "cursor", cursor, "traceId", round->trace_id);
    if (round->from_ms > 0) {
        g_autofree char *start = clock_format_rfc3339(round->from_ms);
        json_object_set_new(body, "startTime", json_string(start));
    }
    add_ask(round, source, ASK_OPERATIONS, json_write(body));
}

static void add_organisation(Round *round, Source *source)
{
    gboolean fresh;
    source->activities = register_cache_find(round->inzage->registers, source->oin,
                                             clock_now_ms(node_clock(round->inzage->node)), &fresh);
    add_operations(round, source, NULL);
    if (source->state != SOURCE_ANSWERED)
        return;
    add_ask(round, source, ASK_PERIOD, NULL);
    if (!fresh)
        add_ask(round, source, ASK_ACTIVITIES, NULL);
}

/* --- what comes back --- */

/* 429 and the faults of servers may pass; every other refusal is one. */
static SourceState state_of(guint status)
{
    return status == 200                    ? SOURCE_ANSWERED
           : status == 429 || status >= 500 ? SOURCE_UNREACHABLE
                                            : SOURCE_REFUSED;
}

/* The address in a message of ours is that of our own Outway; no message holds data of a person. */
static void note(const Ask *ask, const char *what)
{
    g_info("inzage: %s of %s: %s", ask->kind == ASK_OPERATIONS ? "logbook" : "register", ask->source->oin,
           what);
}

static void take_operations(Round *round, const Ask *ask, const HttpReply *reply)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *next = NULL;
    Source *source = ask->source;
    source->state = state_of(reply->status);
    if (source->state != SOURCE_ANSWERED)
        return;
    g_autoptr(json_t) answer = http_reply_json(reply, &error);
    if (answer == NULL || !source_add_operations(source, answer, &next, &error)) {
        note(ask, error->message);
        source->state = SOURCE_UNREADABLE;
    } else if (next != NULL && !source->more) {
        add_operations(round, source, next);
    }
}

static void take_activities(Round *round, const Ask *ask, const HttpReply *reply)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) answer = reply->status == 200 ? http_reply_json(reply, &error) : NULL;
    json_t *activities = answer == NULL ? NULL : activities_read(answer, &error);
    if (activities == NULL) {
        note(ask, error == NULL ? "no register" : error->message);
        return;
    }
    register_cache_put(round->inzage->registers, ask->source->oin, activities,
                       clock_now_ms(node_clock(round->inzage->node)));
    json_decref(ask->source->activities);
    ask->source->activities = activities;
}

static void take_period(const Ask *ask, const HttpReply *reply)
{
    g_autoptr(json_t) answer = reply->status == 200 ? http_reply_json(reply, NULL) : NULL;
    if (answer != NULL)
        source_set_period(ask->source, answer);
}

static void take(Round *round, const Ask *ask, const HttpReply *reply, const GError *error)
{
    if (error != NULL) {
        note(ask, error->message);
        if (ask->kind == ASK_OPERATIONS)
            ask->source->state = g_error_matches(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_LIMIT)
                                     ? SOURCE_UNREADABLE
                                     : SOURCE_UNREACHABLE;
        return;
    }
    if (ask->kind == ASK_OPERATIONS)
        take_operations(round, ask, reply);
    else if (ask->kind == ASK_ACTIVITIES)
        take_activities(round, ask, reply);
    else
        take_period(ask, reply);
}

/* All calls of a round at once; what they lead to is the next round. */
static void run_round(Round *round)
{
    g_autoptr(GPtrArray) asks = g_steal_pointer(&round->asks);
    g_autofree HttpCall *calls = g_new0(HttpCall, asks->len);
    g_autofree HttpReply **replies = g_new0(HttpReply *, asks->len);
    g_autofree GError **errors = g_new0(GError *, asks->len);
    round->asks = g_ptr_array_new_with_free_func(ask_free);
    for (guint i = 0; i < asks->len; i++) {
        const Ask *ask = asks->pdata[i];
        calls[i] = (HttpCall){.method = ask->body == NULL ? "GET" : "POST",
                              .url = ask->url,
                              .headers = (const char *const *)ask->headers,
                              .body = ask->body,
                              .body_length = ask->body == NULL ? 0 : strlen(ask->body),
                              .timeout_ms = OUTWAY_TIMEOUT_MS};
    }
    http_client_call_all(node_client(round->inzage->node), calls, asks->len, replies, errors);
    for (guint i = 0; i < asks->len; i++) {
        take(round, asks->pdata[i], replies[i], errors[i]);
        http_reply_free(replies[i]);
        g_clear_error(&errors[i]);
    }
}

/* Further pages while there is time; whoever has more then is marked. */
static void run_rounds(Round *round)
{
    gint64 until = g_get_monotonic_time() + OUTWAY_TIMEOUT_MS * G_GINT64_CONSTANT(1000);
    for (guint page = 0;
         round->asks->len > 0 && page < PAGES_MAX && (page == 0 || g_get_monotonic_time() < until); page++)
        run_round(round);
    for (guint i = 0; i < round->asks->len; i++)
        ((Ask *)round->asks->pdata[i])->source->more = TRUE;
}

/* --- this node's own logbook --- */

static Source *own_source(Inzage *inzage, const Session *session, gint64 from_ms)
{
    Source *source = source_new(node_oin(inzage->node), node_name(inzage->node));
    Logboek *logboek = logboek_of(inzage->node);
    g_autoptr(GError) error = NULL;
    source->own = TRUE;
    if (logboek == NULL) {
        source->state = SOURCE_UNREACHABLE;
        return source;
    }
    g_autoptr(json_t) items =
        logboek_operations_of(logboek, session->subject, from_ms, 0, USES_MAX, &source->more, &error);
    g_autoptr(json_t) activities = items == NULL ? NULL : logboek_activities(logboek, &error);
    if (error != NULL) {
        g_warning("inzage: %s", error->message);
        source->state = SOURCE_UNREACHABLE;
    }
    source_add_items(source, items);
    source->activities = activities == NULL ? NULL : activities_read(activities, NULL);
    source->oldest_known = TRUE;
    source->oldest_ms = logboek_oldest_ms(logboek);
    return source;
}

/* --- everybody --- */

static void add_organisations(Answers *answers, Round *round)
{
    Fsc *fsc = fsc_of(round->inzage->node);
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) services =
        fsc == NULL ? NULL : fsc_services_named(fsc, LOG_SERVICE, &answers->directory_stale, &error);
    answers->directory_missing =
        services == NULL || (answers->directory_stale && json_array_size(services) == 0);
    for (gsize i = 0; i < json_array_size(services); i++) {
        const json_t *service = json_array_get(services, i);
        const char *oin = json_string_at(service, "peer_id");
        if (oin == NULL || answers_source(answers, oin) != NULL)
            continue;
        Source *source = source_new(oin, json_string_at(service, "peer_name"));
        g_ptr_array_add(answers->sources, source);
        add_organisation(round, source);
    }
}

Answers *ask_logbooks(Inzage *inzage, Request *request, const Session *session, gint64 from_ms,
                      const char *trace_id)
{
    Answers *answers = g_new0(Answers, 1);
    answers->sources = g_ptr_array_new_with_free_func((GDestroyNotify)source_free);
    Round round = {.inzage = inzage,
                   .session = session,
                   .from_ms = from_ms,
                   .trace_id = trace_id,
                   .asks = g_ptr_array_new_with_free_func(ask_free)};
    trace_format(request_trace(request), round.traceparent);
    g_ptr_array_add(answers->sources, own_source(inzage, session, from_ms));
    add_organisations(answers, &round);
    run_rounds(&round);
    g_ptr_array_unref(round.asks);
    for (guint i = 0; i < answers->sources->len; i++)
        source_match_activities(answers->sources->pdata[i]);
    return answers;
}

/* --- the data itself --- */

#define REGISTER_SERVICE "brp-personen-bevragen"
#define REGISTER_PATH "/haalcentraal/api/brp/personen"

/* Everything that the API lets one ask of a person; the rest (verificatie, rni, inOnderzoek ...) goes along
 * by itself. */
static const char *const REGISTER_FIELDS[] = {"aNummer",
                                              "adressering",
                                              "burgerservicenummer",
                                              "datumEersteInschrijvingGBA",
                                              "datumInschrijvingInGemeente",
                                              "europeesKiesrecht",
                                              "geboorte",
                                              "gemeenteVanInschrijving",
                                              "geslacht",
                                              "gezag",
                                              "immigratie",
                                              "indicatieCurateleRegister",
                                              "indicatieGezagMinderjarige",
                                              "kinderen",
                                              "leeftijd",
                                              "naam",
                                              "nationaliteiten",
                                              "ouders",
                                              "overlijden",
                                              "partners",
                                              "uitsluitingKiesrecht",
                                              "verblijfplaats",
                                              "verblijfstitel"};

static json_t *all_fields(void)
{
    json_t *fields = json_array();
    for (gsize i = 0; i < G_N_ELEMENTS(REGISTER_FIELDS); i++)
        json_array_append_new(fields, json_string(REGISTER_FIELDS[i]));
    return fields;
}

static json_t *unavailable(GError **error, const char *why)
{
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_UNAVAILABLE, "the register of persons: %s", why);
    return NULL;
}

static json_t *call_register(Inzage *inzage, const Session *session, const TraceContext *trace,
                             GError **error)
{
    char traceparent[TRACEPARENT_SIZE];
    trace_format(trace, traceparent);
    g_autoptr(json_t) query = json_pack("{s:s, s:[s], s:o}", "type", "RaadpleegMetBurgerservicenummer",
                                        "burgerservicenummer", session->subject, "fields", all_fields());
    g_autofree char *body = json_write(query);
    g_autofree char *url = g_strdup_printf("http://%s%s", inzage->outway, REGISTER_PATH);
    g_auto(GStrv) headers = headers_for(REGISTER_SERVICE, inzage->register_oin, traceparent);
    HttpCall call = {.method = "POST",
                     .url = url,
                     .headers = (const char *const *)headers,
                     .body = body,
                     .body_length = strlen(body),
                     .timeout_ms = OUTWAY_TIMEOUT_MS};
    g_autoptr(GError) fault = NULL;
    g_autoptr(HttpReply) reply = http_client_call(node_client(inzage->node), &call, &fault);
    if (reply == NULL)
        return unavailable(error, fault->message);
    g_autoptr(json_t) answer = reply->status == 200 ? http_reply_json(reply, NULL) : NULL;
    if (json_is_array(json_object_get(answer, "personen")))
        return g_steal_pointer(&answer);
    g_autofree char *why = g_strdup_printf("status %u, or an answer that cannot be read", reply->status);
    return unavailable(error, why);
}

/* Looking at one's own data is a use of it by this organisation: it stands in the log like any other, also
 * when it failed. */
static gboolean log_view(Inzage *inzage, const Session *session, const TraceContext *trace, gint64 start_ms,
                         gboolean failed, GError **error)
{
    Logboek *logboek = logboek_of(inzage->node);
    if (logboek == NULL) {
        g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_UNAVAILABLE,
                            "the log of data processing is off");
        return FALSE;
    }
    g_autofree char *subject = pseudonym_of_bsn(node_pseudonymizer(inzage->node), session->subject);
    g_autoptr(json_t) attributes = json_pack("{s:o}", "nl.fundament.data_categories", all_fields());
    LogboekRecord record = {.status = failed ? 2 : 0,
                            .name = "Eigen gegevens laten zien",
                            .start_ms = start_ms,
                            .end_ms = clock_now_ms(node_clock(inzage->node)),
                            .processing_activity_id = inzage->activity,
                            .data_subject_id = subject,
                            .data_subject_id_type = "BSN",
                            .attributes = attributes};
    g_strlcpy(record.trace_id, trace->trace_id, sizeof record.trace_id);
    g_strlcpy(record.span_id, trace->span_id, sizeof record.span_id);
    return logboek_append(logboek, &record, 1, error);
}

json_t *ask_register(Inzage *inzage, const Session *session, GError **error)
{
    /* A browser is no caller: what it sends as its trace must not become part of anybody's log. */
    TraceContext trace;
    trace_new(&trace);
    gint64 start_ms = clock_now_ms(node_clock(inzage->node));
    g_autoptr(GError) fault = NULL;
    g_autoptr(json_t) answer = call_register(inzage, session, &trace, &fault);
    if (!log_view(inzage, session, &trace, start_ms, answer == NULL, error))
        return NULL;
    if (answer == NULL)
        g_propagate_error(error, g_steal_pointer(&fault));
    return g_steal_pointer(&answer);
}
