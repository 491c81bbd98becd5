#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/ssl.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/crypto/pki.h"
#include "core/net/client.h"
#include "talk.h"
#include "tls_peer.h"

#define PEER_ID "00000001000000000002"
#define OTHER_ID "00000001000000000003"
#define OWN_ID "00000001000000000001"
#define DAY_S (24 * 3600)

/* Two PKIs in two folders; in the first: peer, other, expired, elsewhere (another name), own, nobody (no
 * OIN). */
typedef struct {
    char *folder;
    char *foreign;
    HttpClient *client;
    TlsPeer *peer;
} Fixture;

static char *in(const char *folder, const char *name, const char *suffix)
{
    return g_strdup_printf("%s/%s%s", folder, name, suffix);
}

static void require(gboolean ok, const GError *error)
{
    if (!ok)
        fail_msg("%s", error->message);
}

static void issue(const char *folder, const char *name, const char *oin, const char *domain, gint64 from_s,
                  gint64 to_s)
{
    g_autoptr(GError) error = NULL;
    gint64 now_s = clock_now_s(clock_system());
    const char *const domains[] = {domain, NULL};
    PkiLeaf leaf = {.oin = oin,
                    .organization = "Test",
                    .common_name = name,
                    .domains = domains,
                    .not_before = now_s + from_s,
                    .not_after = now_s + to_s};
    require(pki_issue(folder, &leaf, folder, name, &error), error);
}

static int start(void **state)
{
    g_autoptr(GError) error = NULL;
    Fixture *fixture = g_new0(Fixture, 1);
    gint64 now_s = clock_now_s(clock_system());
    fixture->folder = g_dir_make_tmp("fundament-net-XXXXXX", NULL);
    fixture->foreign = g_dir_make_tmp("fundament-net-XXXXXX", NULL);
    require(pki_create(fixture->folder, "Test", now_s - DAY_S, &error), error);
    require(pki_create(fixture->foreign, "Foreign", now_s - DAY_S, &error), error);
    issue(fixture->folder, "peer", PEER_ID, "peer.test", -DAY_S, DAY_S);
    issue(fixture->folder, "expired", PEER_ID, "peer.test", -DAY_S, -3600);
    issue(fixture->folder, "elsewhere", PEER_ID, "elsewhere.test", -DAY_S, DAY_S);
    issue(fixture->folder, "nobody", NULL, "peer.test", -DAY_S, DAY_S);
    issue(fixture->folder, "own", OWN_ID, "own.test", -DAY_S, DAY_S);
    issue(fixture->folder, "other", OTHER_ID, "own.test", -DAY_S, DAY_S);
    issue(fixture->foreign, "peer", PEER_ID, "peer.test", -DAY_S, DAY_S);
    issue(fixture->foreign, "own", OWN_ID, "own.test", -DAY_S, DAY_S);
    fixture->client = http_client_new();
    *state = fixture;
    return 0;
}

static int stop(void **state)
{
    Fixture *fixture = *state;
    http_client_free(fixture->client);
    if (fixture->peer != NULL)
        tls_peer_stop(fixture->peer);
    talk_remove_folder(fixture->folder);
    talk_remove_folder(fixture->foreign);
    g_free(fixture->folder);
    g_free(fixture->foreign);
    g_free(fixture);
    return 0;
}

/* --- helpers --- */

static void run_peer(Fixture *fixture, const char *folder, const char *name, gboolean mutual, int max_version)
{
    g_autofree char *certificate = in(folder, name, ".crt");
    g_autofree char *key = in(folder, name, ".key");
    g_autofree char *anchors = in(fixture->folder, "anchor", ".crt");
    TlsPeerOptions options = {certificate, key, mutual ? anchors : NULL, max_version};
    fixture->peer = tls_peer_start(&options);
}

typedef struct {
    const char *folder; /* of the client's own certificate */
    const char *name;   /* NULL: none */
    gboolean with_crl;
    const char *expected; /* Peer ID */
} Asked;

static HttpReply *call(const Fixture *fixture, Asked asked, GError **error)
{
    g_autofree char *certificate = asked.name == NULL ? NULL : in(asked.folder, asked.name, ".crt");
    g_autofree char *key = asked.name == NULL ? NULL : in(asked.folder, asked.name, ".key");
    g_autofree char *anchors = in(fixture->folder, "anchor", ".crt");
    g_autofree char *crl = asked.with_crl ? in(fixture->folder, "crl", ".pem") : NULL;
    guint16 port = tls_peer_port(fixture->peer);
    g_autofree char *url = g_strdup_printf("https://peer.test:%u/v1/peer", port);
    g_autofree char *pinned = g_strdup_printf("peer.test:%u:127.0.0.1", port);
    const char *const resolve[] = {pinned, NULL};
    TlsIdentity tls = {certificate, key, anchors, crl};
    HttpCall http = {.url = url, .tls = &tls, .expected_peer_id = asked.expected, .resolve = resolve};
    return http_client_call(fixture->client, &http, error);
}

static HttpReply *must_answer(const Fixture *fixture, Asked asked)
{
    g_autoptr(GError) error = NULL;
    HttpReply *reply = call(fixture, asked, &error);
    if (reply == NULL)
        fail_msg("%s", error->message);
    assert_int_equal(reply->status, 200);
    return reply;
}

/* must_answer() where only that there is an answer counts. */
static void answers(const Fixture *fixture, Asked asked)
{
    http_reply_free(must_answer(fixture, asked));
}

static void must_be_denied(const Fixture *fixture, Asked asked, const char *message)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(HttpReply) reply = call(fixture, asked, &error);
    if (reply != NULL)
        fail_msg("answered, expected: %s", message);
    if (!g_error_matches(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_DENIED) ||
        strstr(error->message, message) == NULL)
        fail_msg("code %d: %s", error->code, error->message);
}

static const char *client_seen(const HttpReply *reply)
{
    return g_hash_table_lookup(reply->headers, "x-client");
}

/* --- the server's certificate --- */

static void accepts_the_peer_that_was_expected(void **state)
{
    Fixture *fixture = *state;
    run_peer(fixture, fixture->folder, "peer", FALSE, 0);
    answers(fixture, (Asked){.expected = PEER_ID});
    assert_int_equal(tls_peer_requests(fixture->peer), 1);
}

/* Nothing of the request may reach another peer, whatever its certificate is otherwise worth. */
static void sends_nothing_to_another_peer(void **state)
{
    Fixture *fixture = *state;
    run_peer(fixture, fixture->folder, "peer", FALSE, 0);
    must_be_denied(fixture, (Asked){.expected = OTHER_ID},
                   "the certificate there is of Peer " PEER_ID ", not of " OTHER_ID);
    assert_int_equal(tls_peer_requests(fixture->peer), 0);
}

static void sends_nothing_to_a_peer_without_peer_id(void **state)
{
    Fixture *fixture = *state;
    run_peer(fixture, fixture->folder, "nobody", FALSE, 0);
    must_be_denied(fixture, (Asked){.expected = PEER_ID},
                   "the certificate there is of Peer (none), not of " PEER_ID);
    assert_int_equal(tls_peer_requests(fixture->peer), 0);
}

static void checks_the_peer_on_a_kept_connection_too(void **state)
{
    Fixture *fixture = *state;
    run_peer(fixture, fixture->folder, "peer", FALSE, 0);
    answers(fixture, (Asked){.expected = PEER_ID});
    must_be_denied(fixture, (Asked){.expected = OTHER_ID}, "the certificate there is of Peer " PEER_ID);
    assert_int_equal(tls_peer_requests(fixture->peer), 1);
    answers(fixture, (Asked){.expected = PEER_ID});
    assert_int_equal(tls_peer_requests(fixture->peer), 2);
}

static void denies_a_certificate_of_another_anchor(void **state)
{
    Fixture *fixture = *state;
    run_peer(fixture, fixture->foreign, "peer", FALSE, 0);
    must_be_denied(fixture, (Asked){0}, "");
    assert_int_equal(tls_peer_requests(fixture->peer), 0);
}

static void denies_an_expired_certificate(void **state)
{
    Fixture *fixture = *state;
    run_peer(fixture, fixture->folder, "expired", FALSE, 0);
    must_be_denied(fixture, (Asked){0}, "expired");
}

static void denies_a_certificate_for_another_name(void **state)
{
    Fixture *fixture = *state;
    run_peer(fixture, fixture->folder, "elsewhere", FALSE, 0);
    must_be_denied(fixture, (Asked){0}, "peer.test");
}

static void denies_a_revoked_certificate(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(GError) error = NULL;
    g_autofree char *path = in(fixture->folder, "peer", ".crt");
    g_autoptr(Certificate) certificate = certificate_load(path, &error);
    run_peer(fixture, fixture->folder, "peer", FALSE, 0);
    answers(fixture, (Asked){.with_crl = TRUE});
    require(pki_revoke(fixture->folder, certificate, clock_now_s(clock_system()), DAY_S, &error), error);
    must_be_denied(fixture, (Asked){.with_crl = TRUE}, "revoked");
    assert_int_equal(tls_peer_requests(fixture->peer), 1);
}

/* Digikoppeling TLS: 1.2 or newer. */
static void denies_tls_1_1(void **state)
{
    Fixture *fixture = *state;
    run_peer(fixture, fixture->folder, "peer", FALSE, TLS1_1_VERSION);
    must_be_denied(fixture, (Asked){0}, "");
}

static void speaks_tls_1_2(void **state)
{
    Fixture *fixture = *state;
    run_peer(fixture, fixture->folder, "peer", TRUE, TLS1_2_VERSION);
    g_autoptr(HttpReply) reply =
        must_answer(fixture, (Asked){.folder = fixture->folder, .name = "own", .expected = PEER_ID});
    assert_string_equal(client_seen(reply), OWN_ID);
}

/* --- our own certificate --- */

static void shows_its_own_certificate(void **state)
{
    Fixture *fixture = *state;
    run_peer(fixture, fixture->folder, "peer", TRUE, 0);
    g_autoptr(HttpReply) reply = must_answer(fixture, (Asked){.folder = fixture->folder, .name = "own"});
    assert_string_equal(client_seen(reply), OWN_ID);
}

static void says_denied_when_its_certificate_is_refused(void **state)
{
    Fixture *fixture = *state;
    run_peer(fixture, fixture->folder, "peer", TRUE, 0);
    must_be_denied(fixture, (Asked){0}, "alert");
    must_be_denied(fixture, (Asked){.folder = fixture->foreign, .name = "own"}, "alert");
    assert_int_equal(tls_peer_requests(fixture->peer), 0);
}

static void keeps_its_connections(void **state)
{
    Fixture *fixture = *state;
    run_peer(fixture, fixture->folder, "peer", TRUE, 0);
    for (int i = 0; i < 3; i++) {
        g_autoptr(HttpReply) reply = must_answer(fixture, (Asked){.folder = fixture->folder, .name = "own"});
        assert_string_equal(client_seen(reply), OWN_ID);
    }
    assert_int_equal(tls_peer_connections(fixture->peer), 1);
    assert_int_equal(tls_peer_requests(fixture->peer), 3);
}

static void never_uses_the_connection_of_another_identity(void **state)
{
    Fixture *fixture = *state;
    run_peer(fixture, fixture->folder, "peer", TRUE, 0);
    static const char *const names[][2] = {{"own", OWN_ID}, {"other", OTHER_ID}, {"own", OWN_ID}};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(HttpReply) reply =
            must_answer(fixture, (Asked){.folder = fixture->folder, .name = names[i][0]});
        assert_string_equal(client_seen(reply), names[i][1]);
    }
    assert_int_equal(tls_peer_connections(fixture->peer), 2);
}

/* A renewed certificate is used from the next call on, not from the next restart. */
static void a_new_certificate_means_a_new_connection(void **state)
{
    Fixture *fixture = *state;
    run_peer(fixture, fixture->folder, "peer", TRUE, 0);
    g_autoptr(HttpReply) before = must_answer(fixture, (Asked){.folder = fixture->folder, .name = "own"});
    issue(fixture->folder, "own", OTHER_ID, "own.test", -DAY_S, DAY_S);
    g_autoptr(HttpReply) after = must_answer(fixture, (Asked){.folder = fixture->folder, .name = "own"});
    assert_string_equal(client_seen(before), OWN_ID);
    assert_string_equal(client_seen(after), OTHER_ID);
    assert_int_equal(tls_peer_connections(fixture->peer), 2);
}

static void says_which_file_is_missing(void **state)
{
    Fixture *fixture = *state;
    run_peer(fixture, fixture->folder, "peer", TRUE, 0);
    g_autoptr(GError) error = NULL;
    g_autoptr(HttpReply) reply = call(fixture, (Asked){.folder = fixture->folder, .name = "absent"}, &error);
    assert_null(reply);
    assert_true(g_error_matches(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_UNAVAILABLE));
    assert_non_null(strstr(error->message, "/absent.crt: "));
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, start, stop)
    const struct CMUnitTest tests[] = {
        EACH(accepts_the_peer_that_was_expected),
        EACH(sends_nothing_to_another_peer),
        EACH(sends_nothing_to_a_peer_without_peer_id),
        EACH(checks_the_peer_on_a_kept_connection_too),
        EACH(denies_a_certificate_of_another_anchor),
        EACH(denies_an_expired_certificate),
        EACH(denies_a_certificate_for_another_name),
        EACH(denies_a_revoked_certificate),
        EACH(denies_tls_1_1),
        EACH(speaks_tls_1_2),
        EACH(shows_its_own_certificate),
        EACH(says_denied_when_its_certificate_is_refused),
        EACH(keeps_its_connections),
        EACH(never_uses_the_connection_of_another_identity),
        EACH(a_new_certificate_means_a_new_connection),
        EACH(says_which_file_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
