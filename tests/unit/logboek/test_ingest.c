/* OTLP/HTTP on the listener of the log: what an exporter of any maker sends, and what it gets back. */
#include "tests/unit/logboek/web.h"

#include <gio/gio.h>

#include "core/crypto/pseudonym.h"

#define JSON "Content-Type: application/json"
#define PROTOBUF "Content-Type: application/x-protobuf"

static json_t *text_attribute(const char *key, const char *value)
{
    return json_pack("{ss s{ss}}", "key", key, "value", "stringValue", value);
}

/* A span of this moment about a person. */
static json_t *span_json(const Fixture *fixture, const char *span_id, const char *bsn)
{
    gint64 now_ns = clock_now_us(&fixture->clock) * 1000;
    g_autofree char *start = g_strdup_printf("%" G_GINT64_FORMAT, now_ns - 5000000);
    g_autofree char *end = g_strdup_printf("%" G_GINT64_FORMAT, now_ns);
    return json_pack("{ss ss ss si ss ss s[ooo] s{si}}", "traceId", "7bba9f33312b3dabc8f8e90c7c61f194",
                     "spanId", span_id, "name", "Toeslag berekenen", "kind", 1, "startTimeUnixNano", start,
                     "endTimeUnixNano", end, "attributes",
                     text_attribute("dpl.core.processing_activity_id", "berekenen"),
                     text_attribute("dpl.core.data_subject_id", bsn),
                     text_attribute("dpl.core.data_subject_id_type", "BSN"), "status", "code", 1);
}

/* Takes the spans. */
static json_t *request_json_of(json_t *spans)
{
    return json_pack("{s[{s{s[o]} s[{so}]}]}", "resourceSpans", "resource", "attributes",
                     text_attribute("service.name", "toeslag"), "scopeSpans", "spans", spans);
}

static gint64 count(Fixture *fixture)
{
    fixture_catch_up(fixture);
    return fixture_number(fixture, "SELECT COUNT(*) FROM logboek_records");
}

static void a_span_is_on_disk_when_200_is_answered(void **state)
{
    take_fixture(state);
    Web *web = web_new(fixture);
    g_autoptr(json_t) body =
        request_json_of(json_pack("[o]", span_json(fixture, "2a3f5c8d1e6b4a09", SAMPLE_BSN)));
    for (guint round = 0; round < 2; round++) { /* an exporter that got no answer sends again */
        g_autoptr(HttpReply) reply = web_post_json(web, LISTENER_LOG, "/v1/traces", body);
        assert_int_equal(reply->status, 200);
        g_autoptr(json_t) answer = web_json(reply);
        assert_null(json_object_get(answer, "partialSuccess"));
        assert_int_equal(journal_last(fixture->logboek->journal), 1);
    }
    assert_int_equal(count(fixture), 1);
    g_autofree char *pseudonym = pseudonym_of_bsn(node_pseudonymizer(fixture->node), SAMPLE_BSN);
    g_autofree char *sql =
        g_strdup_printf("SELECT COUNT(*) FROM logboek_records WHERE data_subject_id = '%s'", pseudonym);
    assert_int_equal(fixture_number(fixture, sql), 1);
    web_free(web);
}

/* decisions.md 18: the number goes no further than the door. */
static void the_bsn_is_nowhere_in_the_data_folder(void **state)
{
    take_fixture(state);
    Web *web = web_new(fixture);
    g_autoptr(json_t) body =
        request_json_of(json_pack("[oo]", span_json(fixture, "2a3f5c8d1e6b4a09", SAMPLE_BSN),
                                  span_json(fixture, "2a3f5c8d1e6b4a08", SAMPLE_NOT_BSN)));
    g_autoptr(HttpReply) reply = web_post_json(web, LISTENER_LOG, "/v1/traces", body);
    assert_int_equal(reply->status, 200);
    gsize reply_length;
    const void *reply_data = g_bytes_get_data(reply->body, &reply_length);
    assert_null(memmem(reply_data, reply_length, SAMPLE_NOT_BSN, 9));
    fixture_catch_up(fixture);
    web_free(web);
    fixture_stop(fixture);
    static const char *const FILES[] = {"node.db", "node.db-wal", "data/journal/0001/000000000001.segment"};
    guint seen = 0;
    for (gsize i = 0; i < G_N_ELEMENTS(FILES); i++) {
        g_autofree char *path = g_build_filename(fixture->folder, FILES[i], NULL);
        g_autofree char *data = NULL;
        gsize length;
        if (!g_file_get_contents(path, &data, &length, NULL))
            continue;
        seen++;
        assert_null(memmem(data, length, SAMPLE_BSN, 9));
        assert_null(memmem(data, length, SAMPLE_NOT_BSN, 9));
    }
    assert_true(seen >= 1);
    fixture_start(fixture);
}

static void rejected_spans_are_counted_and_the_others_stored(void **state)
{
    take_fixture(state);
    Web *web = web_new(fixture);
    json_t *bad = span_json(fixture, "2a3f5c8d1e6b4a08", SAMPLE_BSN);
    json_array_append_new(json_object_get(bad, "attributes"), text_attribute("http.target", "/" SAMPLE_BSN));
    g_autoptr(json_t) body =
        request_json_of(json_pack("[ooo]", span_json(fixture, "2a3f5c8d1e6b4a07", SAMPLE_BSN), bad,
                                  span_json(fixture, "2a3f5c8d1e6b4a09", SAMPLE_BSN)));
    g_autoptr(HttpReply) reply = web_post_json(web, LISTENER_LOG, "/v1/traces", body);
    assert_int_equal(reply->status, 200);
    g_autoptr(json_t) answer = web_json(reply);
    const json_t *partial = json_object_get(answer, "partialSuccess");
    const json_t *rejected = json_object_get(partial, "rejectedSpans");
    assert_true(json_is_string(rejected) ? strcmp(json_string_value(rejected), "1") == 0
                                         : json_integer_value(rejected) == 1);
    const char *message = json_string_at(partial, "errorMessage");
    assert_non_null(strstr(message, "span 2: attribute http.target"));
    assert_null(strstr(message, SAMPLE_BSN));
    assert_int_equal(count(fixture), 2);
    web_free(web);
}

static void other_content_for_an_action_is_kept_and_rejected(void **state)
{
    take_fixture(state);
    Web *web = web_new(fixture);
    g_autoptr(json_t) body =
        request_json_of(json_pack("[o]", span_json(fixture, "2a3f5c8d1e6b4a09", SAMPLE_BSN)));
    g_autoptr(HttpReply) first = web_post_json(web, LISTENER_LOG, "/v1/traces", body);
    assert_int_equal(first->status, 200);
    json_t *changed = span_json(fixture, "2a3f5c8d1e6b4a09", SAMPLE_BSN);
    json_object_set_new(changed, "name", json_string("other"));
    g_autoptr(json_t) other = request_json_of(json_pack("[o]", changed));
    g_autoptr(HttpReply) second = web_post_json(web, LISTENER_LOG, "/v1/traces", other);
    assert_int_equal(second->status, 200);
    g_autoptr(json_t) answer = web_json(second);
    assert_non_null(
        strstr(json_string_at(json_object_get(answer, "partialSuccess"), "errorMessage"), "both are kept"));
    assert_int_equal(count(fixture), 2);
    web_free(web);
}

/* ExportTraceServiceRequest by hand: fields 1 (resource_spans) . 2 (scope_spans) . 2 (span). */
static GByteArray *field(guint number, const GByteArray *content)
{
    GByteArray *out = g_byte_array_new();
    guint8 head[] = {(guint8)(number << 3 | 2), (guint8)(content->len & 0x7f), (guint8)(content->len >> 7)};
    if (content->len > 0x7f)
        head[1] |= 0x80;
    g_byte_array_append(out, head, content->len > 0x7f ? 3 : 2);
    g_byte_array_append(out, content->data, content->len);
    return out;
}

static GByteArray *protobuf_request(const Fixture *fixture)
{
    g_autoptr(GByteArray) span = g_byte_array_new();
    guint64 end_ns = GUINT64_TO_LE((guint64)clock_now_us(&fixture->clock) * 1000);
    g_byte_array_append(
        span, (const guint8 *)"\x0a\x10\x7b\xba\x9f\x33\x31\x2b\x3d\xab\xc8\xf8\xe9\x0c\x7c\x61\xf1\x94", 18);
    g_byte_array_append(span, (const guint8 *)"\x12\x08\x2a\x3f\x5c\x8d\x1e\x6b\x4a\x09", 10);
    g_byte_array_append(span,
                        (const guint8 *)"\x2a\x04"
                                        "actn",
                        6);
    g_byte_array_append(span, (const guint8 *)"\x39", 1);
    g_byte_array_append(span, (const guint8 *)&end_ns, 8);
    g_byte_array_append(span, (const guint8 *)"\x41", 1);
    g_byte_array_append(span, (const guint8 *)&end_ns, 8);
    g_autoptr(GByteArray) in_scope = field(2, span);
    g_autoptr(GByteArray) in_resource = field(2, in_scope);
    return field(1, in_resource);
}

static void takes_protobuf(void **state)
{
    take_fixture(state);
    Web *web = web_new(fixture);
    static const char *const HEADERS[] = {PROTOBUF, NULL};
    g_autoptr(GByteArray) body = protobuf_request(fixture);
    g_autoptr(HttpReply) reply =
        web_call(web, LISTENER_LOG, "POST", "/v1/traces", HEADERS, body->data, body->len);
    assert_int_equal(reply->status, 200);
    assert_string_equal(reply->content_type, "application/x-protobuf");
    assert_int_equal(g_bytes_get_size(reply->body), 0);
    assert_int_equal(count(fixture), 1);
    web_free(web);
}

static GBytes *gzip(const void *data, gsize length)
{
    g_autoptr(GConverter) compressor = G_CONVERTER(g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP, 9));
    g_autoptr(GInputStream) plain = g_memory_input_stream_new_from_data(data, (gssize)length, NULL);
    g_autoptr(GInputStream) packed = g_converter_input_stream_new(plain, compressor);
    g_autoptr(GOutputStream) out = g_memory_output_stream_new_resizable();
    g_output_stream_splice(out, packed, G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET, NULL, NULL);
    return g_memory_output_stream_steal_as_bytes(G_MEMORY_OUTPUT_STREAM(out));
}

static guint post_packed(Web *web, GBytes *body, const char *encoding)
{
    const char *headers[] = {JSON, encoding, NULL};
    gsize length;
    const void *data = g_bytes_get_data(body, &length);
    g_autoptr(HttpReply) reply = web_call(web, LISTENER_LOG, "POST", "/v1/traces", headers, data, length);
    return reply->status;
}

static void takes_gzip_but_no_bomb(void **state)
{
    take_fixture(state);
    Web *web = web_new(fixture);
    g_autoptr(json_t) body =
        request_json_of(json_pack("[o]", span_json(fixture, "2a3f5c8d1e6b4a09", SAMPLE_BSN)));
    g_autofree char *text = json_dumps(body, 0);
    g_autoptr(GBytes) packed = gzip(text, strlen(text));
    assert_int_equal(post_packed(web, packed, "Content-Encoding: gzip"), 200);
    assert_int_equal(count(fixture), 1);
    assert_int_equal(post_packed(web, packed, "Content-Encoding: br"), 400);
    g_autoptr(GBytes) cut = g_bytes_new_from_bytes(packed, 0, g_bytes_get_size(packed) - 9);
    assert_int_equal(post_packed(web, cut, "Content-Encoding: gzip"), 400);
    g_autofree char *zeros = g_malloc0(64 * 1024 * 1024);
    g_autoptr(GBytes) bomb = gzip(zeros, 64 * 1024 * 1024);
    assert_true(g_bytes_get_size(bomb) < 100 * 1024);
    assert_int_equal(post_packed(web, bomb, "Content-Encoding: gzip"), 400);
    web_free(web);
}

static void a_message_that_is_no_otlp_is_400_with_a_status(void **state)
{
    take_fixture(state);
    Web *web = web_new(fixture);
    static const char *const AS_JSON[] = {JSON, NULL}, *const AS_PROTOBUF[] = {PROTOBUF, NULL},
                             *const AS_TEXT[] = {"Content-Type: text/plain", NULL};
    g_autoptr(HttpReply) json = web_call(web, LISTENER_LOG, "POST", "/v1/traces", AS_JSON, "{", 1);
    assert_int_equal(json->status, 400);
    g_autoptr(json_t) status = web_json(json);
    assert_non_null(json_string_at(status, "message"));
    g_autoptr(HttpReply) protobuf =
        web_call(web, LISTENER_LOG, "POST", "/v1/traces", AS_PROTOBUF, "\x0a\xff", 2);
    assert_int_equal(protobuf->status, 400);
    assert_string_equal(protobuf->content_type, "application/x-protobuf");
    const guint8 *bytes = g_bytes_get_data(protobuf->body, NULL);
    assert_int_equal(bytes[0], 2 << 3 | 2); /* google.rpc.Status.message */
    g_autoptr(HttpReply) text = web_call(web, LISTENER_LOG, "POST", "/v1/traces", AS_TEXT, "x", 1);
    assert_int_equal(text->status, 415);
    g_autoptr(HttpReply) elsewhere = web_call(web, LISTENER_SERVICE, "POST", "/v1/traces", AS_JSON, "{}", 2);
    assert_int_equal(elsewhere->status, 404);
    web_free(web);
}

static void an_empty_message_is_accepted(void **state)
{
    take_fixture(state);
    Web *web = web_new(fixture);
    static const char *const HEADERS[] = {JSON, NULL};
    g_autoptr(HttpReply) reply = web_call(web, LISTENER_LOG, "POST", "/v1/traces", HEADERS, "{}", 2);
    assert_int_equal(reply->status, 200);
    assert_int_equal(journal_last(fixture->logboek->journal), 0);
    web_free(web);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_both(a_span_is_on_disk_when_200_is_answered),
        on_both(the_bsn_is_nowhere_in_the_data_folder),
        on_both(rejected_spans_are_counted_and_the_others_stored),
        on_both(other_content_for_an_action_is_kept_and_rejected),
        on_both(takes_protobuf),
        on_both(takes_gzip_but_no_bomb),
        on_both(a_message_that_is_no_otlp_is_400_with_a_status),
        on_both(an_empty_message_is_accepted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
