/* decisions.md 18: a logbook or a register answers about a person only on a statement of the sign-in
 * provider. */
#include "core/base/identifiers.h"
#include "core/crypto/jws.h"
#include "core/format/json.h"
#include "core/node/statement.h"
#include "tests/unit/node/support.h"

#define ISSUER "00000001000000000001"
#define TYPE "fundament-statement+jwt"

static const char *const issuers[] = {"00000001000000000009", ISSUER, NULL};

/* The node that is asked is fixture->node; statements of ISSUER are made by hand, so that each rule can be
 * broken. */
typedef struct {
    NodeFixture *fixture;
    Key *key;
    Certificate *certificate;
} Provider;

static Provider *provider_on(gboolean postgresql, const char *oin)
{
    g_autoptr(GError) error = NULL;
    NodeFixture *fixture = node_fixture_new(postgresql, TRUE, "");
    if (fixture == NULL)
        return NULL;
    Provider *provider = g_new0(Provider, 1);
    provider->fixture = fixture;
    support_issue(provider->fixture->folder, "provider", oin);
    g_autofree char *key = g_build_filename(provider->fixture->folder, "keys", "provider.key", NULL);
    g_autofree char *certificate = g_build_filename(provider->fixture->folder, "keys", "provider.crt", NULL);
    provider->key = key_load(key, &error);
    no_error(error);
    provider->certificate = certificate_load(certificate, &error);
    no_error(error);
    return provider;
}

static Provider *provider_new(const char *oin)
{
    return provider_on(FALSE, oin);
}

static int setup(void **state)
{
    *state = provider_new(ISSUER);
    return 0;
}

static int setup_pg(void **state)
{
    *state = provider_on(TRUE, ISSUER);
    return 0;
}

static int teardown(void **state)
{
    Provider *provider = *state;
    if (provider == NULL)
        return 0;
    key_unref(provider->key);
    certificate_unref(provider->certificate);
    node_fixture_free(provider->fixture);
    g_free(provider);
    return 0;
}

static json_t *claims_new(const Provider *provider)
{
    char jti[UUID_TEXT_SIZE];
    uuid7_new(&provider->fixture->clock, jti);
    return json_pack("{s:s, s:s, s:s, s:I, s:I, s:s}", "iss", ISSUER, "aud", SUPPORT_OIN, "sub", SUPPORT_BSN,
                     "iat", (json_int_t)SUPPORT_NOW, "exp", (json_int_t)SUPPORT_NOW + 60, "jti", jti);
}

static json_t *wrap(const Provider *provider, const json_t *claims, const char *type)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *jws = jws_sign(claims, provider->key, provider->certificate, type, &error);
    no_error(error);
    g_autoptr(GPtrArray) chain = certificate_x5c(provider->certificate);
    json_t *x5c = json_array();
    for (guint i = 0; i < chain->len; i++)
        json_array_append_new(x5c, json_string(chain->pdata[i]));
    return json_pack("{s:s, s:o}", "jws", jws, "x5c", x5c);
}

static void accepts(const Provider *provider, const json_t *statement)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Statement) verified = statement_verify(provider->fixture->node, statement, issuers, &error);
    no_error(error);
    assert_string_equal(verified->issuer, ISSUER);
    assert_string_equal(verified->subject, SUPPORT_BSN);
}

/* No reason may repeat the BSN. */
static void refuses(const Provider *provider, const json_t *statement, FundamentError code,
                    const char *reason)
{
    g_autoptr(GError) error = NULL;
    assert_null(statement_verify(provider->fixture->node, statement, issuers, &error));
    if (strstr(error->message, reason) == NULL)
        fail_msg("expected \"%s\" in: %s", reason, error->message);
    assert_null(strstr(error->message, SUPPORT_BSN));
    expect_error(&error, code);
}

/* The claims with one member replaced; NULL takes it away. */
static void refuses_claim(const Provider *provider, const char *name, json_t *value, FundamentError code,
                          const char *reason)
{
    g_autoptr(json_t) claims = claims_new(provider);
    if (value == NULL)
        json_object_del(claims, name);
    else
        json_object_set_new(claims, name, value);
    g_autoptr(json_t) statement = wrap(provider, claims, TYPE);
    refuses(provider, statement, code, reason);
}

static void accepts_a_statement_that_is_right(void **state)
{
    g_autoptr(json_t) claims = claims_new(*state);
    g_autoptr(json_t) statement = wrap(*state, claims, TYPE);
    accepts(*state, statement);
}

static void accepts_what_it_makes_itself(void **state)
{
    const Provider *provider = *state;
    g_autoptr(GError) error = NULL;
    Session session = {.subject = (char *)SUPPORT_BSN, .actor = (char *)"999993653"};
    const char *const own[] = {SUPPORT_OIN, NULL};
    g_autoptr(json_t) statement = statement_new(provider->fixture->node, &session, SUPPORT_OIN, &error);
    no_error(error);
    g_autoptr(Statement) verified = statement_verify(provider->fixture->node, statement, own, &error);
    no_error(error);
    assert_string_equal(verified->issuer, SUPPORT_OIN);
    assert_string_equal(verified->subject, SUPPORT_BSN);
    assert_string_equal(verified->actor, "999993653");
}

static void accepts_each_jti_once(void **state)
{
    if (*state == NULL)
        skip();
    g_autoptr(json_t) claims = claims_new(*state);
    g_autoptr(json_t) statement = wrap(*state, claims, TYPE);
    accepts(*state, statement);
    refuses(*state, statement, FUNDAMENT_ERROR_DENIED, "it was used before");
    g_autofree char *upper = g_ascii_strup(json_string_at(claims, "jti"), -1);
    refuses_claim(*state, "jti", json_string(upper), FUNDAMENT_ERROR_DENIED, "it was used before");
}

static void refuses_another_audience(void **state)
{
    refuses_claim(*state, "aud", json_string(ISSUER), FUNDAMENT_ERROR_DENIED,
                  "meant for another organisation");
}

static void refuses_an_issuer_that_is_not_the_signer(void **state)
{
    refuses_claim(*state, "iss", json_string("00000001000000000009"), FUNDAMENT_ERROR_DENIED,
                  "the signer is not its issuer");
}

static void refuses_an_issuer_that_is_not_on_the_list(void **state)
{
    Provider *stranger = provider_new("00000001000000000005");
    refuses_claim(stranger, "iss", json_string("00000001000000000005"), FUNDAMENT_ERROR_DENIED,
                  "does not accept statements of its issuer");
    teardown((void **)&stranger);
}

static void refuses_a_signer_under_another_anchor(void **state)
{
    const Provider *provider = *state;
    Provider *elsewhere = provider_new(ISSUER); /* with a folder, and so an anchor, of its own */
    g_autoptr(json_t) claims = claims_new(elsewhere);
    g_autoptr(json_t) statement = wrap(elsewhere, claims, TYPE);
    accepts(elsewhere, statement);
    refuses(provider, statement, FUNDAMENT_ERROR_DENIED, "");
    teardown((void **)&elsewhere);
}

static void keeps_to_its_times_with_ten_seconds_of_tolerance(void **state)
{
    static const struct {
        gint64 iat, exp;
        const char *reason; /* NULL: accepted */
    } table[] = {
        {0, 60, NULL},
        {10, 70, NULL},
        {11, 71, "from the future"},
        {-70, -10, NULL},
        {-71, -11, "it has expired"},
        {0, 61, "valid for more than 60 s"},
        {0, -1, "valid for more than 60 s"},
        {0, 0, NULL},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autoptr(json_t) claims = claims_new(*state);
        json_object_set_new(claims, "iat", json_integer(SUPPORT_NOW + table[i].iat));
        json_object_set_new(claims, "exp", json_integer(SUPPORT_NOW + table[i].exp));
        g_autoptr(json_t) statement = wrap(*state, claims, TYPE);
        if (table[i].reason == NULL)
            accepts(*state, statement);
        else
            refuses(*state, statement, FUNDAMENT_ERROR_DENIED, table[i].reason);
    }
}

/* RFC 8725 3.11: an access token under the same key is no statement. */
static void refuses_another_kind_of_token(void **state)
{
    static const char *const types[] = {NULL, "JWT", "fundament-statement"};
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
        g_autoptr(json_t) claims = claims_new(*state);
        g_autoptr(json_t) statement = wrap(*state, claims, types[i]);
        refuses(*state, statement, FUNDAMENT_ERROR_DENIED, "its typ is not " TYPE);
    }
}

static void refuses_a_changed_payload(void **state)
{
    g_autoptr(json_t) claims = claims_new(*state);
    g_autoptr(json_t) one = wrap(*state, claims, TYPE);
    json_object_set_new(claims, "sub", json_string("999993653"));
    g_autoptr(json_t) other = wrap(*state, claims, TYPE);
    g_auto(GStrv) parts = g_strsplit(json_string_at(one, "jws"), ".", 3);
    g_auto(GStrv) foreign = g_strsplit(json_string_at(other, "jws"), ".", 3);
    g_autofree char *mixed = g_strjoin(".", parts[0], foreign[1], parts[2], NULL);
    json_object_set_new(one, "jws", json_string(mixed));
    refuses(*state, one, FUNDAMENT_ERROR_DENIED, "the signature is not right");
}

static void refuses_another_certificate_than_the_signers(void **state)
{
    const Provider *provider = *state;
    g_autoptr(json_t) claims = claims_new(provider);
    g_autoptr(json_t) statement = wrap(provider, claims, TYPE);
    g_autoptr(GPtrArray) chain = certificate_x5c(node_certificate(provider->fixture->node, ROLE_TOKEN));
    json_object_set_new(statement, "x5c", json_pack("[s]", (const char *)chain->pdata[0]));
    refuses(provider, statement, FUNDAMENT_ERROR_DENIED, "the signature is not right");
}

static void refuses_claims_that_are_malformed(void **state)
{
    static const char *const names[] = {"iss", "aud", "sub", "iat", "exp", "jti"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        refuses_claim(*state, names[i], NULL, FUNDAMENT_ERROR_INVALID, names[i]);
        refuses_claim(*state, names[i], json_true(), FUNDAMENT_ERROR_INVALID, names[i]);
    }
    refuses_claim(*state, "extra", json_true(), FUNDAMENT_ERROR_INVALID, "extra");
    refuses_claim(*state, "sub", json_string("999990018"), FUNDAMENT_ERROR_INVALID, "sub is no BSN");
    refuses_claim(*state, "act", json_string(SUPPORT_BSN), FUNDAMENT_ERROR_INVALID, "act");
    refuses_claim(*state, "act", json_object(), FUNDAMENT_ERROR_INVALID, "act");
    refuses_claim(*state, "act", json_pack("{s:s}", "sub", "1"), FUNDAMENT_ERROR_INVALID, "sub is no BSN");
    refuses_claim(*state, "jti", json_string("1"), FUNDAMENT_ERROR_INVALID, "jti is no UUIDv7");
    refuses_claim(*state, "jti", json_string("c0ffee00-0000-4000-8000-000000000000"), FUNDAMENT_ERROR_INVALID,
                  "jti is no UUIDv7");
}

static void refuses_an_envelope_that_is_malformed(void **state)
{
    static const char *const texts[] = {
        "[]",
        "{}",
        "{\"jws\":\"a.b.c\"}",
        "{\"jws\":1,\"x5c\":[]}",
        "{\"jws\":\"a.b.c\",\"x5c\":\"x\"}",
        "{\"jws\":\"a.b.c\",\"x5c\":[],\"more\":1}",
        "{\"jws\":\"a.b.c\",\"x5c\":[\"AAAA\"]}",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(json_t) statement = json_parse_strict(texts[i], -1, NULL, NULL);
        refuses(*state, statement, FUNDAMENT_ERROR_INVALID, "");
    }
    refuses(*state, NULL, FUNDAMENT_ERROR_INVALID, "");
}

static void refuses_a_chain_that_is_malformed(void **state)
{
    static const char *const texts[] = {
        "[]",     "[1]",    "[\"AAAA\"]",
        "[\"\"]", "[null]", "[\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\"]"};
    g_autoptr(json_t) claims = claims_new(*state);
    g_autoptr(json_t) statement = wrap(*state, claims, TYPE);
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        json_object_set_new(statement, "x5c", json_parse_strict(texts[i], -1, NULL, NULL));
        refuses(*state, statement, FUNDAMENT_ERROR_INVALID, "");
    }
}

static void a_node_without_a_token_key_makes_none(void **state)
{
    g_autoptr(GError) error = NULL;
    NodeFixture *bare = node_fixture_new(FALSE, FALSE, "");
    Session session = {.subject = (char *)SUPPORT_BSN};
    assert_null(statement_new(bare->node, &session, SUPPORT_OIN, &error));
    expect_error(&error, FUNDAMENT_ERROR_NOT_FOUND);
    node_fixture_free(bare);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(accepts_a_statement_that_is_right),
        test(accepts_what_it_makes_itself),
        test(accepts_each_jti_once),
        {"accepts_each_jti_once on postgresql", accepts_each_jti_once, setup_pg, teardown, NULL},
        test(refuses_another_audience),
        test(refuses_an_issuer_that_is_not_the_signer),
        cmocka_unit_test(refuses_an_issuer_that_is_not_on_the_list),
        test(refuses_a_signer_under_another_anchor),
        test(keeps_to_its_times_with_ten_seconds_of_tolerance),
        test(refuses_another_kind_of_token),
        test(refuses_a_changed_payload),
        test(refuses_another_certificate_than_the_signers),
        test(refuses_claims_that_are_malformed),
        test(refuses_an_envelope_that_is_malformed),
        test(refuses_a_chain_that_is_malformed),
        cmocka_unit_test(a_node_without_a_token_key_makes_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
