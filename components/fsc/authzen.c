#include "components/fsc/authzen.h"

#include <string.h>

#include "components/fsc/internal.h"
#include "core/base/error.h"
#include "core/base/identifiers.h"
#include "core/format/json.h"

#define WELL_KNOWN "/.well-known/authzen-configuration"

/* --- the question --- */

/* 11.5: "properties with a value of null SHOULD be omitted". */
static void put(json_t *object, const char *name, const char *text)
{
    if (text != NULL)
        json_object_set_new(object, name, json_string(text));
}

static json_t *subject_of(const Grant *grant)
{
    gboolean publication = grant_type_row(grant->type)->publication;
    json_t *properties = json_object();
    put(properties, "delegator", grant->delegator);
    put(properties, "public_key_thumbprint", grant->public_key_thumbprint);
    put(properties, "domain_name", grant->domain_name);
    return json_pack("{s:s, s:s, s:o}", "type", "fsc-peer", "id",
                     publication ? grant->service_peer_id : grant->outway_peer_id, "properties", properties);
}

static json_t *action_of(const Contract *contract, const Grant *grant)
{
    g_autofree char *from = clock_format_rfc3339(contract->not_before * 1000);
    g_autofree char *until = clock_format_rfc3339(contract->not_after * 1000);
    return json_pack("{s:s, s:{s:s, s:s, s:s}}", "name",
                     grant_type_row(grant->type)->publication ? "publish" : "connect", "properties",
                     "grant_type", grant_type_row(grant->type)->name, "not_before", from, "not_after", until);
}

static json_t *resource_of(const Grant *grant)
{
    g_autofree char *id = g_strdup_printf("%s.%s", grant->service_name, grant->service_peer_id);
    json_t *properties =
        json_pack("{s:s, s:s}", "name", grant->service_name, "peer_id", grant->service_peer_id);
    put(properties, "service_delegator", grant->service_delegator);
    put(properties, "directory", grant->directory_peer_id);
    put(properties, "protocol", grant->protocol);
    if (json_object_size(grant->properties) > 0)
        json_object_set(properties, "properties", (json_t *)grant->properties);
    return json_pack("{s:s, s:s, s:o}", "type", "fsc-service", "id", id, "properties", properties);
}

json_t *authzen_question(const Contract *contract, const Grant *grant, gint64 now_ms,
                         const TraceContext *span)
{
    char traceparent[TRACEPARENT_SIZE];
    g_autofree char *time = clock_format_rfc3339(now_ms);
    g_autofree char *state = g_strdup_printf("fundament=%s", span->span_id);
    trace_format(span, traceparent);
    /* 5.4.1.1 and 5.4.1.2: time; traceparent and tracestate together. */
    json_t *context =
        json_pack("{s:s, s:s, s:s, s:{s:s, s:s, s:s, s:I}}", "time", time, "traceparent", traceparent,
                  "tracestate", state, "contract", "content_hash", contract->hash, "grant_hash", grant->hash,
                  "group_id", contract->group_id, "grants", (json_int_t)contract->n_grants);
    return json_pack("{s:o, s:o, s:o, s:o}", "subject", subject_of(grant), "action",
                     action_of(contract, grant), "resource", resource_of(grant), "context", context);
}

/* --- the answer --- */

void authzen_answer_clear(AuthzenAnswer *answer)
{
    g_clear_pointer(&answer->context, json_decref);
    g_clear_pointer(&answer->condition, g_free);
}

static gboolean no_decision(GError **error, const char *why)
{
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_LIMIT, "the decision point gave no decision: %s",
                why);
    return FALSE;
}

static gboolean is_json(const char *content_type)
{
    g_autofree char *media = g_strndup(content_type != NULL ? content_type : "",
                                       content_type != NULL ? strcspn(content_type, "; \t") : 0);
    return g_ascii_strcasecmp(media, "application/json") == 0;
}

/* What only explains (5.5.2); everything else in a permit may be an obligation. */
static char *condition_in(const json_t *context)
{
    static const char *const understood[] = {
        "id", "reason", "reason_admin", "reason_user", "metadata", "environment", NULL};
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)context, name, value)
    {
        if (!g_strv_contains(understood, name))
            return g_strdup(name);
    }
    return NULL;
}

gboolean authzen_answer_parse(guint status, const char *content_type, const void *body, gsize length,
                              AuthzenAnswer *answer, GError **error)
{
    g_autoptr(GError) why = NULL;
    g_autofree char *code = g_strdup_printf("status %u", status);
    memset(answer, 0, sizeof *answer);
    if (status != 200) /* 10.1.2: an error is "distinct from" a decision */
        return no_decision(error, code);
    if (!is_json(content_type))
        return no_decision(error, "its content type is not application/json");
    if (length > AUTHZEN_ANSWER_MAX)
        return no_decision(error, "it is longer than 64 KiB");
    g_autoptr(json_t) object = json_parse_strict(body, (gssize)length, NULL, &why);
    if (object == NULL)
        return no_decision(error, why->message);
    const json_t *decision = json_object_get(object, "decision");
    json_t *context = json_object_get(object, "context");
    if (!json_is_boolean(decision))
        return no_decision(error, "the member decision is not there, or is no boolean");
    if (context != NULL && !json_is_object(context))
        return no_decision(error, "the member context is no object");
    answer->decision = json_is_true(decision);
    answer->context = context != NULL ? json_incref(context) : NULL;
    answer->condition = answer->decision ? condition_in(context) : NULL;
    return TRUE;
}

/* --- metadata --- */

static GUri *https_of(const char *text)
{
    /* In lower case, so that nobody after us takes it for another scheme. */
    g_autoptr(GUri) uri =
        g_str_has_prefix(text, "https://") ? g_uri_parse(text, G_URI_FLAGS_NONE, NULL) : NULL;
    if (uri == NULL || g_uri_get_host(uri) == NULL || *g_uri_get_host(uri) == '\0' ||
        g_uri_get_userinfo(uri) != NULL || g_uri_get_fragment(uri) != NULL)
        return NULL;
    return g_steal_pointer(&uri);
}

static char *without_slash(const char *text)
{
    gsize length = strlen(text);
    while (length > 0 && text[length - 1] == '/')
        length--;
    return g_strndup(text, length);
}

char *authzen_metadata_url(const char *base)
{
    g_autoptr(GUri) uri = https_of(base);
    if (uri == NULL)
        return NULL;
    g_autofree char *path = without_slash(g_uri_get_path(uri));
    g_autofree char *whole = g_strconcat(WELL_KNOWN, path, NULL);
    return g_uri_join(G_URI_FLAGS_NONE, "https", NULL, g_uri_get_host(uri), g_uri_get_port(uri), whole, NULL,
                      NULL);
}

char *authzen_endpoint(const char *base, const json_t *metadata, GError **error)
{
    g_autofree char *plain = without_slash(base);
    const json_t *endpoint = json_object_get(metadata, "access_evaluation_endpoint");
    if (metadata == NULL)
        return g_strconcat(plain, AUTHZEN_EVALUATION_PATH, NULL);
    const char *identifier = json_string_value(json_object_get(metadata, "policy_decision_point"));
    /* 9.2.3: identical, else the data "MUST NOT be used". */
    if (g_strcmp0(identifier, base) != 0) {
        no_decision(error, "its metadata is of another decision point (policy_decision_point)");
        return NULL;
    }
    if (endpoint == NULL)
        return g_strconcat(plain, AUTHZEN_EVALUATION_PATH, NULL);
    g_autoptr(GUri) uri = json_is_string(endpoint) ? https_of(json_string_value(endpoint)) : NULL;
    if (uri != NULL)
        return g_strdup(json_string_value(endpoint));
    no_decision(error, "access_evaluation_endpoint of its metadata is no https address");
    return NULL;
}

/* --- over the network --- */

typedef struct {
    const char *base;
    TlsIdentity tls;
    guint timeout_ms;
} Point;

static Point point_of(Fsc *fsc)
{
    const Config *config = node_config(fsc->node);
    const char *anchors = config_text(config, "fsc", "decision_point_anchors");
    Point point = {.base = config_text(config, "fsc", "decision_point"),
                   .tls = node_tls(fsc->node, ROLE_MANAGER),
                   .timeout_ms = (guint)config_integer(config, "fsc", "decision_point_timeout") * 1000};
    if (anchors != NULL) { /* of another authority than the group's: its revocations are not ours either */
        point.tls.anchors_path = anchors;
        point.tls.crl_path = NULL;
    }
    if (!config_boolean(config, "fsc", "decision_point_mtls"))
        point.tls.certificate_path = point.tls.key_path = NULL;
    return point;
}

static HttpReply *call(Fsc *fsc, const Point *point, HttpCall request, GError **error)
{
    request.tls = &point->tls;
    request.resolve = config_resolve(node_config(fsc->node));
    request.timeout_ms = point->timeout_ms;
    request.body_max = AUTHZEN_ANSWER_MAX;
    HttpReply *reply = http_client_call(node_client(fsc->node), &request, error);
    if (reply == NULL)
        g_prefix_error(error, "decision point: ");
    return reply;
}

/* ADL 1.0.0, 3.2.2: each hop carries the span that it is. */
static char **trace_headers(const TraceContext *span)
{
    char traceparent[TRACEPARENT_SIZE];
    g_autoptr(GStrvBuilder) headers = g_strv_builder_new();
    trace_format(span, traceparent);
    g_autofree char *parent = g_strconcat("traceparent: ", traceparent, NULL);
    g_autofree char *state = g_strdup_printf("tracestate: fundament=%s", span->span_id);
    g_strv_builder_add_many(headers, "Accept: application/json", parent, state, NULL);
    return g_strv_builder_end(headers);
}

/* 9.2: metadata is asked for each time, because questions are few and an endpoint may move. A decision point
 * without it answers 404 and has the default path. */
static char *endpoint_of(Fsc *fsc, const Point *point, const TraceContext *span, GError **error)
{
    TraceContext look;
    g_autofree char *url = authzen_metadata_url(point->base);
    trace_child(span, &look);
    g_auto(GStrv) headers = trace_headers(&look);
    HttpCall request = {.url = url, .headers = (const char *const *)headers};
    g_autoptr(HttpReply) reply = call(fsc, point, request, error);
    if (reply == NULL)
        return NULL;
    if (reply->status == 404)
        return authzen_endpoint(point->base, NULL, error);
    if (reply->status != 200 || !is_json(reply->content_type)) {
        no_decision(error, "its metadata is neither there nor 404");
        return NULL;
    }
    g_autoptr(json_t) metadata = http_reply_json(reply, NULL);
    if (json_is_object(metadata))
        return authzen_endpoint(point->base, metadata, error);
    no_decision(error, "its metadata is no JSON object");
    return NULL;
}

/* 10.1.3: "the PDP MUST include the same identifier in the response". One that differs is of another
 * question. */
static gboolean id_is_same(const HttpReply *reply, const char *request_id)
{
    const char *echoed = g_hash_table_lookup(reply->headers, "x-request-id");
    return echoed == NULL || g_str_equal(echoed, request_id);
}

static char **request_headers(const TraceContext *span, const char *request_id)
{
    g_autoptr(GStrvBuilder) headers = g_strv_builder_new();
    g_auto(GStrv) trace = trace_headers(span);
    g_autofree char *id = g_strconcat("X-Request-ID: ", request_id, NULL);
    g_strv_builder_addv(headers, (const char **)trace);
    g_strv_builder_add_many(headers, "Content-Type: application/json", id, NULL);
    return g_strv_builder_end(headers);
}

gboolean authzen_ask(Fsc *fsc, const json_t *question, const TraceContext *span, AuthzenAnswer *answer,
                     GError **error)
{
    char id[UUID_TEXT_SIZE];
    Point point = point_of(fsc);
    memset(answer, 0, sizeof *answer);
    uuid7_new(node_clock(fsc->node), id);
    g_auto(GStrv) headers = request_headers(span, id);
    g_autofree char *endpoint = endpoint_of(fsc, &point, span, error);
    g_autofree char *body = endpoint == NULL ? NULL : json_write(question);
    if (body == NULL)
        return FALSE;
    HttpCall request = {.method = "POST",
                        .url = endpoint,
                        .headers = (const char *const *)headers,
                        .body = body,
                        .body_length = strlen(body)};
    g_autoptr(HttpReply) reply = call(fsc, &point, request, error);
    if (reply == NULL)
        return FALSE;
    if (!id_is_same(reply, id))
        return no_decision(error, "its X-Request-ID is that of another question");
    gsize length;
    const void *data = g_bytes_get_data(reply->body, &length);
    return authzen_answer_parse(reply->status, reply->content_type, data, length, answer, error);
}
