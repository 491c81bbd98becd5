#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/crypto/pki.h"
#include "core/format/json.h"
#include "core/net/http.h"
#include "talk.h"

#define PEER_ID "00000001000000000002"
#define NOW_S 1790000000
#define DAY_S (24 * 3600)
#define SERVICE_HEADERS(peer, service, hash)                                                                 \
    "Fundament-Peer-Id: " peer "\r\nFundament-Service: " service "\r\nFundament-Grant-Hash: " hash "\r\n"

static const char *or_none(const char *text)
{
    return text == NULL ? "-" : text;
}

/* Says who is calling, by all that a handler can ask. */
static void who(Request *request, gpointer context)
{
    const Certificate *certificate = request_certificate(request);
    g_autofree char *text = g_strdup_printf(
        "peer=%s name=%s service=%s hash=%s transaction=%s", or_none(request_peer_id(request)),
        certificate == NULL ? "-" : certificate_peer_name(certificate), or_none(request_service(request)),
        or_none(request_grant_hash(request)), or_none(request_transaction_id(request)));
    respond_text(request, 200, "text/plain", text);
}

static const Route routes[] = {
    {LISTENER_MANAGER, "GET", "/who", who, 0, NULL},
    {LISTENER_SERVICE, "GET", "/who", who, 0, "persons"},
    {LISTENER_SERVICE, "GET", "/who", who, 0, "places"},
    {LISTENER_SERVICE, "GET", "/only-places", who, 0, "places"},
    {LISTENER_SERVICE, "GET", "/of-no-service", who, 0, NULL},
    {LISTENER_LOG, "GET", "/who", who, 0, NULL},
};

typedef struct {
    char *folder; /* anchor; peer, nobody (without OIN), short (valid for 30 s more) */
    char *foreign;
    TrustAnchors *anchors;
    GMutex lock;
    Clock clock;
    Talk *talk;
} Fixture;

static void require(gboolean ok, const GError *error)
{
    if (!ok)
        fail_msg("%s", error->message);
}

static void issue(const char *folder, const char *name, const char *oin, gint64 valid_s)
{
    g_autoptr(GError) error = NULL;
    PkiLeaf leaf = {.oin = oin,
                    .organization = "Test Peer",
                    .common_name = name,
                    .not_before = NOW_S - DAY_S,
                    .not_after = NOW_S + valid_s};
    require(pki_issue(folder, &leaf, folder, name, &error), error);
}

static TrustAnchors *load_anchors(const Fixture *fixture, gboolean with_crl)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(fixture->folder, "anchor.crt", NULL);
    g_autofree char *crl = with_crl ? g_build_filename(fixture->folder, "crl.pem", NULL) : NULL;
    TrustAnchors *anchors = trust_anchors_load(path, crl, 0, &error);
    require(anchors != NULL, error);
    return anchors;
}

static const TrustAnchors *current_anchors(gpointer node)
{
    Fixture *fixture = node;
    g_mutex_lock(&fixture->lock);
    TrustAnchors *anchors = fixture->anchors == NULL ? NULL : trust_anchors_ref(fixture->anchors);
    g_mutex_unlock(&fixture->lock);
    return anchors;
}

/* As the node does when a file changed. */
static void use_anchors(Fixture *fixture, TrustAnchors *anchors)
{
    g_mutex_lock(&fixture->lock);
    trust_anchors_unref(fixture->anchors);
    fixture->anchors = anchors;
    g_mutex_unlock(&fixture->lock);
}

static int start(void **state)
{
    g_autoptr(GError) error = NULL;
    Fixture *fixture = g_new0(Fixture, 1);
    g_mutex_init(&fixture->lock);
    fixture->folder = g_dir_make_tmp("fundament-net-XXXXXX", NULL);
    fixture->foreign = g_dir_make_tmp("fundament-net-XXXXXX", NULL);
    require(pki_create(fixture->folder, "Test", NOW_S - DAY_S, &error), error);
    require(pki_create(fixture->foreign, "Foreign", NOW_S - DAY_S, &error), error);
    issue(fixture->folder, "peer", PEER_ID, DAY_S);
    issue(fixture->folder, "nobody", NULL, DAY_S);
    issue(fixture->folder, "short", PEER_ID, 30);
    issue(fixture->foreign, "peer", PEER_ID, DAY_S);
    fixture->anchors = load_anchors(fixture, FALSE);
    fixture->clock = clock_fixed(NOW_S);
    HttpServerOptions options = {.anchors = current_anchors, .node = fixture, .clock = &fixture->clock};
    fixture->talk = talk_start(&options, routes, G_N_ELEMENTS(routes), NULL);
    *state = fixture;
    return 0;
}

static int stop(void **state)
{
    Fixture *fixture = *state;
    talk_stop(fixture->talk);
    trust_anchors_unref(fixture->anchors);
    talk_remove_folder(fixture->folder);
    talk_remove_folder(fixture->foreign);
    g_free(fixture->folder);
    g_free(fixture->foreign);
    g_mutex_clear(&fixture->lock);
    g_free(fixture);
    return 0;
}

/* --- helpers --- */

/* As nginx escapes it: $ssl_client_escaped_cert. */
static char *escaped_certificate(const char *folder, const char *name)
{
    g_autofree char *file = g_strconcat(name, ".crt", NULL);
    g_autofree char *path = g_build_filename(folder, file, NULL);
    g_autofree char *pem = NULL;
    assert_true(g_file_get_contents(path, &pem, NULL, NULL));
    return g_uri_escape_string(pem, NULL, FALSE);
}

static char *ask_with_text(const Fixture *fixture, const char *text)
{
    g_autofree char *header = g_strconcat("Fundament-Client-Certificate: ", text, "\r\n", NULL);
    return talk_ask(fixture->talk, LISTENER_MANAGER, "GET", "/who", header, NULL);
}

static char *ask_with(const Fixture *fixture, const char *folder, const char *name)
{
    g_autofree char *text = escaped_certificate(folder, name);
    return ask_with_text(fixture, text);
}

static void assert_refused(const char *answer, guint status, const char *detail)
{
    assert_int_equal(talk_status(answer), status);
    g_autofree char *type = talk_header(answer, "Content-Type");
    assert_string_equal(type, "application/problem+json");
    g_autoptr(json_t) problem = json_parse_strict(talk_body(answer), -1, NULL, NULL);
    if (strstr(json_string_at(problem, "detail"), detail) == NULL)
        fail_msg("%s", json_string_at(problem, "detail"));
}

static void assert_known(const char *answer, const char *expected)
{
    assert_int_equal(talk_status(answer), 200);
    assert_string_equal(talk_body(answer), expected);
}

static const char *const known_peer = "peer=" PEER_ID " name=Test Peer service=- hash=- transaction=-";

/* --- the door for other Managers --- */

static void knows_a_peer_by_its_certificate(void **state)
{
    const Fixture *fixture = *state;
    g_autofree char *answer = ask_with(fixture, fixture->folder, "peer");
    assert_known(answer, known_peer);
}

static void asks_for_a_certificate(void **state)
{
    const Fixture *fixture = *state;
    g_autofree char *none = talk_ask(fixture->talk, LISTENER_MANAGER, "GET", "/who", "", NULL);
    assert_refused(none, 400, "mutual TLS");
    g_autofree char *empty = ask_with_text(fixture, "");
    assert_refused(empty, 400, "mutual TLS");
}

/* FSC Core 2.0.0, 4.1.7: ERROR_CODE_PEER_CERTIFICATE_VERIFICATION_FAILED */
static void answers_in_fsc_words_when_there_is_no_peer_id(void **state)
{
    const Fixture *fixture = *state;
    g_autofree char *answer = ask_with(fixture, fixture->folder, "nobody");
    assert_int_equal(talk_status(answer), 400);
    g_autofree char *code = talk_header(answer, "Fsc-Error-Code");
    assert_string_equal(code, "ERROR_CODE_PEER_CERTIFICATE_VERIFICATION_FAILED");
    g_autoptr(json_t) body = json_parse_strict(talk_body(answer), -1, NULL, NULL);
    assert_int_equal(json_object_size(body), 3);
    assert_string_equal(json_string_at(body, "code"), "ERROR_CODE_PEER_CERTIFICATE_VERIFICATION_FAILED");
    assert_string_equal(json_string_at(body, "domain"), "ERROR_DOMAIN_MANAGER");
    assert_true(json_string_at(body, "message")[0] != '\0');
}

static void refuses_a_certificate_of_another_anchor(void **state)
{
    const Fixture *fixture = *state;
    g_autofree char *answer = ask_with(fixture, fixture->foreign, "peer");
    assert_refused(answer, 403, "");
}

static void refuses_what_is_no_certificate(void **state)
{
    const Fixture *fixture = *state;
    static const char *const texts[] = {"x", "%", "%00", "-----BEGIN%20CERTIFICATE-----", "%ff%ff"};
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *answer = ask_with_text(fixture, texts[i]);
        assert_refused(answer, 403, "");
    }
}

static void refuses_an_expired_certificate_also_when_it_was_remembered(void **state)
{
    Fixture *fixture = *state;
    g_autofree char *before = ask_with(fixture, fixture->folder, "short");
    assert_known(before, known_peer);
    fixture->clock.fixed_us += 30 * G_USEC_PER_SEC;
    g_autofree char *last = ask_with(fixture, fixture->folder, "short");
    assert_known(last, known_peer);
    fixture->clock.fixed_us += G_USEC_PER_SEC;
    g_autofree char *after = ask_with(fixture, fixture->folder, "short");
    assert_refused(after, 403, "expired");
}

/* Decisions: a new CRL works at once, not when what was remembered runs out. */
static void refuses_a_revoked_certificate_as_soon_as_the_crl_is_there(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(fixture->folder, "peer.crt", NULL);
    g_autoptr(Certificate) certificate = certificate_load(path, &error);
    g_autofree char *before = ask_with(fixture, fixture->folder, "peer");
    assert_known(before, known_peer);
    require(pki_revoke(fixture->folder, certificate, NOW_S, DAY_S, &error), error);
    use_anchors(fixture, load_anchors(fixture, TRUE));
    g_autofree char *after = ask_with(fixture, fixture->folder, "peer");
    assert_refused(after, 403, "revoked");
}

/* Fail closed, also for who was known a moment ago. */
static void refuses_everyone_while_there_are_no_anchors(void **state)
{
    Fixture *fixture = *state;
    g_autofree char *before = ask_with(fixture, fixture->folder, "peer");
    assert_known(before, known_peer);
    use_anchors(fixture, NULL);
    g_autofree char *after = ask_with(fixture, fixture->folder, "peer");
    assert_refused(after, 403, "no trust anchors");
}

/* What is remembered is bounded in time, so that nothing lasts because nobody told us. */
static void checks_again_after_a_minute(void **state)
{
    Fixture *fixture = *state;
    g_autofree char *before = ask_with(fixture, fixture->folder, "peer");
    assert_known(before, known_peer);
    fixture->clock.fixed_us += 60 * G_USEC_PER_SEC;
    g_autofree char *after = ask_with(fixture, fixture->folder, "peer");
    assert_known(after, known_peer);
}

static void tells_who_is_unknown_nothing_about_its_paths(void **state)
{
    const Fixture *fixture = *state;
    g_autofree char *answer = talk_ask(fixture->talk, LISTENER_MANAGER, "GET", "/unknown", "", NULL);
    assert_refused(answer, 400, "mutual TLS");
}

static void refuses_two_certificates(void **state)
{
    const Fixture *fixture = *state;
    g_autofree char *text = escaped_certificate(fixture->folder, "peer");
    g_autofree char *headers = g_strdup_printf(
        "Fundament-Client-Certificate: %s\r\nfundament-client-certificate: %s\r\n", text, text);
    g_autofree char *answer = talk_ask(fixture->talk, LISTENER_MANAGER, "GET", "/who", headers, NULL);
    assert_refused(answer, 400, "more than once");
}

/* --- the door behind the Inway --- */

static char *ask_service(const Fixture *fixture, const char *path, const char *headers)
{
    return talk_ask(fixture->talk, LISTENER_SERVICE, "GET", path, headers, NULL);
}

static void believes_what_the_inway_says(void **state)
{
    g_autofree char *answer = ask_service(
        *state, "/who",
        SERVICE_HEADERS(PEER_ID, "persons",
                        "$1$3$abc") "Fsc-Transaction-Id: 01932f8c-7f3a-7000-8000-000000000001\r\n");
    assert_known(answer, "peer=" PEER_ID " name=- service=persons hash=$1$3$abc "
                         "transaction=01932f8c-7f3a-7000-8000-000000000001");
}

static void refuses_who_did_not_come_through_the_inway(void **state)
{
    static const struct {
        const char *headers;
        const char *missing;
    } cases[] = {
        {"", "Fundament-Peer-Id is missing"},
        {SERVICE_HEADERS("0000000100000000000", "persons", "$1$3$abc"), "Fundament-Peer-Id is missing"},
        {SERVICE_HEADERS("x", "persons", "$1$3$abc"), "Fundament-Peer-Id is missing"},
        {SERVICE_HEADERS(PEER_ID, "", "$1$3$abc"), "Fundament-Service is missing"},
        {SERVICE_HEADERS(PEER_ID, "a b", "$1$3$abc"), "Fundament-Service is missing"},
        {SERVICE_HEADERS(PEER_ID, "persons", ""), "Fundament-Grant-Hash is missing"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *answer = ask_service(*state, "/who", cases[i].headers);
        assert_refused(answer, 400, cases[i].missing);
    }
}

/* A token for one service opens no other. */
static void a_route_of_another_service_does_not_exist(void **state)
{
    g_autofree char *own = ask_service(*state, "/only-places", SERVICE_HEADERS(PEER_ID, "places", "h"));
    assert_int_equal(talk_status(own), 200);
    g_autofree char *other = ask_service(*state, "/only-places", SERVICE_HEADERS(PEER_ID, "persons", "h"));
    assert_refused(other, 404, "");
    g_autofree char *unknown = ask_service(*state, "/who", SERVICE_HEADERS(PEER_ID, "unknown", "h"));
    assert_refused(unknown, 404, "");
    g_autofree char *none = ask_service(*state, "/of-no-service", SERVICE_HEADERS(PEER_ID, "persons", "h"));
    assert_refused(none, 404, "");
}

/* --- the other doors --- */

static void believes_none_of_it_at_another_door(void **state)
{
    const Fixture *fixture = *state;
    g_autofree char *answer =
        talk_ask(fixture->talk, LISTENER_LOG, "GET", "/who",
                 SERVICE_HEADERS(PEER_ID, "persons", "h") "Fsc-Transaction-Id: x\r\n", NULL);
    assert_known(answer, "peer=- name=- service=- hash=- transaction=-");
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, start, stop)
    const struct CMUnitTest tests[] = {
        EACH(knows_a_peer_by_its_certificate),
        EACH(asks_for_a_certificate),
        EACH(answers_in_fsc_words_when_there_is_no_peer_id),
        EACH(refuses_a_certificate_of_another_anchor),
        EACH(refuses_what_is_no_certificate),
        EACH(refuses_an_expired_certificate_also_when_it_was_remembered),
        EACH(refuses_a_revoked_certificate_as_soon_as_the_crl_is_there),
        EACH(refuses_everyone_while_there_are_no_anchors),
        EACH(checks_again_after_a_minute),
        EACH(tells_who_is_unknown_nothing_about_its_paths),
        EACH(refuses_two_certificates),
        EACH(believes_what_the_inway_says),
        EACH(refuses_who_did_not_come_through_the_inway),
        EACH(a_route_of_another_service_does_not_exist),
        EACH(believes_none_of_it_at_another_door),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
