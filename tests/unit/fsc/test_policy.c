/* The signing policy, pure: what each condition of a rule means, what a rule that accepts leaves out, which
 * rule decides, and every fault of a file. */
#include "components/fsc/policy_private.h"
#include "tests/unit/fsc/sample.h"

#define ACCEPT "decide = accept\ngrant = connection\nservice = *\nconsumer = *\n"

static Policy *parsed(const char *text, const char *built_in)
{
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    Policy *policy = policy_parse("p", text, strlen(text), built_in, faults);
    if (policy == NULL)
        fail_msg("%s", (const char *)faults->pdata[0]);
    return policy;
}

/* Takes the content. */
static PolicyVerdict *judged_as(const char *text, json_t *content, const char *own_peer_id)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Policy) policy = parsed(text, NULL);
    g_autoptr(Contract) contract = contract_parse(content, &error);
    json_decref(content);
    if (contract == NULL)
        fail_msg("%s", error->message);
    PolicyInput input = {.now_s = NOW, .own_peer_id = own_peer_id};
    return policy_judge(policy, contract, &input);
}

static PolicyDecision decision_on(const char *text, json_t *content, const char *own_peer_id)
{
    g_autoptr(PolicyVerdict) verdict = judged_as(text, content, own_peer_id);
    return verdict->decision;
}

static void assert_connection(const char *rules, json_t *content, PolicyDecision decision)
{
    PolicyDecision got = decision_on(rules, content, PROVIDER);
    if (got != decision)
        fail_msg("%s, expected %s, by: %s", policy_decision_name(got), policy_decision_name(decision), rules);
}

static json_t *connection(void)
{
    return sample_content(sample_connection());
}

static json_t *connection_with(const char *path, const char *name, json_t *value)
{
    json_t *content = connection();
    sample_change(content, path, name, value);
    return content;
}

static json_t *connection_with_property(const char *name, json_t *value)
{
    return connection_with("grants.0.data", "properties", json_pack("{s:o}", name, value));
}

/* The text accepts the sample; with `condition` added it accepts only when `met`. */
static void assert_condition(const char *condition, json_t *content, gboolean met)
{
    g_autofree char *text = g_strconcat("[rule.a]\n" ACCEPT, condition, "\n", NULL);
    assert_connection(text, content, met ? POLICY_ACCEPT : POLICY_WAIT);
}

/* --- which rule decides --- */

static void without_rules_everything_waits(void **state)
{
    assert_connection("", connection(), POLICY_WAIT);
    assert_connection("[policy]\nversion = 1\n", connection(), POLICY_WAIT);
}

static void the_default_may_be_reject(void **state)
{
    assert_connection("[policy]\ndefault = reject\n", connection(), POLICY_REJECT);
}

static void the_first_rule_that_matches_decides(void **state)
{
    g_autoptr(PolicyVerdict) verdict =
        judged_as("[rule.no]\ndecide = accept\ngrant = connection\nservice = other\nconsumer = *\n"
                  "[rule.first]\n" ACCEPT "[rule.second]\ndecide = reject\n",
                  connection(), PROVIDER);
    assert_int_equal(verdict->decision, POLICY_ACCEPT);
    assert_string_equal(verdict->rule, "first");
    assert_connection("[rule.first]\ndecide = reject\n[rule.second]\n" ACCEPT, connection(), POLICY_REJECT);
}

static json_t *two_grants(const char *second_service)
{
    json_t *content = connection(), *second = sample_connection();
    json_object_set_new(sample_at(second, "data.service"), "name", json_string(second_service));
    json_array_append_new(json_object_get(content, "grants"), second);
    return content;
}

static void the_strictest_verdict_of_the_grants_is_that_of_the_contract(void **state)
{
    static const struct {
        const char *second;
        PolicyDecision decision;
    } cases[] = {
        {"accept", POLICY_ACCEPT}, {"ask", POLICY_ASK}, {"wait", POLICY_WAIT}, {"reject", POLICY_REJECT}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(PolicyVerdict) verdict = judged_as(
            "[rule.a]\ndecide = accept\ngrant = connection\nservice = persons accept\nconsumer = *\n"
            "[rule.b]\ndecide = ask\nservice = ask\n[rule.c]\ndecide = wait\nservice = wait\n"
            "[rule.d]\ndecide = reject\nservice = reject\n",
            two_grants(cases[i].second), PROVIDER);
        assert_int_equal(verdict->decision, cases[i].decision);
        assert_int_equal(verdict->grant, i == 0 ? 0 : 1);
    }
}

static void rules_of_node_conf_come_after_those_of_the_file(void **state)
{
    g_autoptr(Policy) policy =
        parsed("[rule.no]\ndecide = reject\nservice = persons\n", "[rule.node.x]\n" ACCEPT);
    g_autoptr(json_t) content = connection();
    g_autoptr(Contract) contract = contract_parse(content, NULL);
    PolicyInput input = {.now_s = NOW, .own_peer_id = PROVIDER};
    g_autoptr(PolicyVerdict) verdict = policy_judge(policy, contract, &input);
    assert_int_equal(verdict->decision, POLICY_REJECT);
    assert_int_equal(policy_rule_count(policy), 2);
    assert_non_null(strstr(policy_text(policy), "[rule.node.x]"));
}

static void an_edition_is_named_by_its_text(void **state)
{
    g_autoptr(Policy) one = parsed("[policy]\nversion = 7\n", NULL);
    g_autoptr(Policy) same = parsed("[policy]\nversion = 7\n", NULL);
    g_autoptr(Policy) other = parsed("[policy]\nversion = 8\n", NULL);
    assert_string_equal(policy_digest(one), policy_digest(same));
    assert_string_not_equal(policy_digest(one), policy_digest(other));
    assert_true(g_str_has_prefix(policy_digest(one), "sha256:"));
    assert_string_equal(policy_version(one), "7");
}

/* --- conditions, each with its twin --- */

static void condition_grant(void **state)
{
    static const struct {
        json_t *(*grant)(void);
        const char *word;
    } kinds[] = {{sample_publication, "publication"},
                 {sample_connection, "connection"},
                 {sample_delegated_connection, "delegated_connection"},
                 {sample_delegated_publication, "delegated_publication"}};
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
        for (gsize j = 0; j < G_N_ELEMENTS(kinds); j++) {
            g_autofree char *text = g_strdup_printf("[rule.a]\ndecide = reject\ngrant = %s\n", kinds[j].word);
            assert_connection(text, sample_content(kinds[i].grant()), i == j ? POLICY_REJECT : POLICY_WAIT);
        }
}

static void condition_service(void **state)
{
    static const struct {
        const char *globs;
        gboolean met;
    } cases[] = {{"persons", TRUE},  {"per*", TRUE},      {"*sons", TRUE},    {"p?rsons", TRUE},
                 {"*", TRUE},        {"x persons", TRUE}, {"person", FALSE},  {"persons?", FALSE},
                 {"Persons", FALSE}, {"*x*", FALSE},      {"p*r*s*n", FALSE}, {"p*r*s*s", TRUE}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = g_strdup_printf("[rule.a]\ndecide = reject\nservice = %s\n", cases[i].globs);
        assert_connection(text, connection(), cases[i].met ? POLICY_REJECT : POLICY_WAIT);
    }
}

static void condition_consumer(void **state)
{
    assert_connection("[rule.a]\ndecide = reject\nconsumer = " OTHER " " CONSUMER "\n", connection(),
                      POLICY_REJECT);
    assert_connection("[rule.a]\ndecide = reject\nconsumer = " OTHER "\n", connection(), POLICY_WAIT);
    assert_connection("[rule.a]\ndecide = reject\nconsumer = self\n", connection(), POLICY_WAIT);
    assert_int_equal(decision_on("[rule.a]\ndecide = reject\nconsumer = self\n", connection(), CONSUMER),
                     POLICY_REJECT);
    assert_connection("[rule.a]\ndecide = reject\nconsumer = *\n", sample_content(sample_publication()),
                      POLICY_WAIT);
}

static void condition_service_peer(void **state)
{
    assert_connection("[rule.a]\ndecide = reject\nservice_peer = self\n", connection(), POLICY_REJECT);
    assert_int_equal(decision_on("[rule.a]\ndecide = reject\nservice_peer = self\n", connection(), CONSUMER),
                     POLICY_WAIT);
    assert_connection("[rule.a]\ndecide = reject\nservice_peer = " PROVIDER "\n", connection(),
                      POLICY_REJECT);
}

static void condition_delegator(void **state)
{
    json_t *(*delegated)(void) = sample_delegated_connection;
    assert_connection("[rule.a]\ndecide = reject\ndelegator = none\n", connection(), POLICY_REJECT);
    assert_connection("[rule.a]\ndecide = reject\ndelegator = none\n", sample_content(delegated()),
                      POLICY_WAIT);
    assert_connection("[rule.a]\ndecide = reject\ndelegator = *\n", connection(), POLICY_WAIT);
    assert_connection("[rule.a]\ndecide = reject\ndelegator = *\n", sample_content(delegated()),
                      POLICY_REJECT);
    assert_connection("[rule.a]\ndecide = reject\ndelegator = " OTHER "\n", sample_content(delegated()),
                      POLICY_REJECT);
    assert_connection("[rule.a]\ndecide = reject\ndelegator = " CONSUMER "\n", sample_content(delegated()),
                      POLICY_WAIT);
}

static json_t *to_delegated_service(void)
{
    json_t *content =
        connection_with("grants.0.data.service", "type", json_string("SERVICE_TYPE_DELEGATED_SERVICE"));
    sample_change(content, "grants.0.data.service", "delegator", json_pack("{s:s}", "peer_id", DELEGATOR));
    return content;
}

static void condition_service_delegator(void **state)
{
    assert_connection("[rule.a]\ndecide = reject\nservice_delegator = " DELEGATOR "\n",
                      to_delegated_service(), POLICY_REJECT);
    assert_connection("[rule.a]\ndecide = reject\nservice_delegator = none\n", to_delegated_service(),
                      POLICY_WAIT);
    assert_connection("[rule.a]\ndecide = reject\nservice_delegator = none\n", connection(), POLICY_REJECT);
}

static void condition_directory_and_protocol(void **state)
{
    assert_int_equal(decision_on("[rule.a]\ndecide = reject\ndirectory = self\nprotocol = http_1.1\n",
                                 sample_content(sample_publication()), DIRECTORY),
                     POLICY_REJECT);
    assert_int_equal(decision_on("[rule.a]\ndecide = reject\ndirectory = self\nprotocol = http_2\n",
                                 sample_content(sample_publication()), DIRECTORY),
                     POLICY_WAIT);
    assert_int_equal(decision_on("[rule.a]\ndecide = reject\ndirectory = self\n",
                                 sample_content(sample_publication()), PROVIDER),
                     POLICY_WAIT);
}

static void condition_identification(void **state)
{
    json_t *by_name =
        connection_with("grants.0.data.outway", "identification",
                        json_pack("{s:s, s:s}", "type", "OUTWAY_IDENTIFICATION_TYPE_DOMAIN_NAME",
                                  "domain_name", "outway.example.nl"));
    assert_condition("identification = public_key_thumbprint", connection(), TRUE);
    assert_condition("identification = domain_name", connection(), FALSE);
    assert_condition("identification = domain_name", by_name, TRUE);
}

/* The sample is valid from NOW - 1 day to NOW + 1 day. */
static void condition_max_validity(void **state)
{
    assert_condition("max_validity = 2d", connection(), TRUE);
    assert_condition("max_validity = 172799s", connection(), FALSE);
}

static void condition_max_ahead(void **state)
{
    assert_condition("max_ahead = 0", connection(), TRUE); /* it began yesterday */
    assert_condition("max_ahead = 10", connection_with("validity", "not_before", json_integer(NOW + 10)),
                     TRUE);
    assert_condition("max_ahead = 10", connection_with("validity", "not_before", json_integer(NOW + 11)),
                     FALSE);
}

static void condition_max_grants(void **state)
{
    assert_condition("max_grants = 2", two_grants("persons"), TRUE);
    assert_condition("max_grants = 1", two_grants("persons"), FALSE);
    assert_condition("max_grants = 1", connection(), TRUE);
}

static void condition_properties(void **state)
{
    assert_condition("properties =", connection(), TRUE);
    assert_condition("properties =", connection_with_property("a", json_string("x")), FALSE);
    assert_condition("properties = a", connection_with_property("a", json_string("x")), TRUE);
    assert_condition("properties = b", connection_with_property("a", json_string("x")), FALSE);
    assert_condition("properties = a=x*", connection_with_property("a", json_string("xyz")), TRUE);
    assert_condition("properties = a=x*", connection_with_property("a", json_string("yz")), FALSE);
    assert_condition("properties = a=y a=x", connection_with_property("a", json_string("x")), TRUE);
    assert_condition("properties = *", connection_with_property("a", json_string("x")), TRUE);
    /* What is no text is matched as canonical JSON. */
    assert_condition("properties = a={\"b\":[1,2]}",
                     connection_with_property("a", json_pack("{s:[i,i]}", "b", 1, 2)), TRUE);
    assert_condition("properties = a=true", connection_with_property("a", json_true()), TRUE);
    assert_condition("properties = a=true", connection_with_property("a", json_false()), FALSE);
}

static void condition_require(void **state)
{
    assert_condition("require = a", connection(), FALSE);
    assert_condition("require = a", connection_with_property("a", json_string("x")), TRUE);
    assert_condition("require = a=1 a=2", connection_with_property("a", json_string("2")), TRUE);
    assert_condition("require = a=1 a=2", connection_with_property("a", json_string("3")), FALSE);
    assert_condition("require = a b", connection_with_property("a", json_string("3")), FALSE);
    json_t *more =
        connection_with("grants.0.data", "properties", json_pack("{s:s, s:s}", "a", "1", "b", "2"));
    assert_condition("require = a", more, FALSE); /* b is not allowed */
}

/* --- what an accept leaves out unless it is named --- */

static void an_accept_does_not_take_properties_unless_they_are_named(void **state)
{
    assert_condition("", connection_with_property("a", json_string("x")), FALSE);
}

static void an_accept_does_not_take_a_service_of_another_peer_unless_it_is_named(void **state)
{
    assert_int_equal(decision_on("[rule.a]\n" ACCEPT, connection(), CONSUMER), POLICY_WAIT);
    assert_int_equal(decision_on("[rule.a]\n" ACCEPT "service_peer = " PROVIDER "\n", connection(), CONSUMER),
                     POLICY_ACCEPT);
}

static void an_accept_does_not_take_delegation_unless_it_is_named(void **state)
{
    assert_condition("", to_delegated_service(), FALSE);
    assert_condition("service_delegator = " DELEGATOR, to_delegated_service(), TRUE);
    assert_connection("[rule.a]\ndecide = accept\ngrant = delegated_connection\nservice = *\nconsumer = *\n"
                      "delegator = " OTHER "\n",
                      sample_content(sample_delegated_connection()), POLICY_ACCEPT);
    assert_connection("[rule.a]\ndecide = accept\ngrant = delegated_connection\nservice = *\nconsumer = *\n"
                      "delegator = " CONSUMER "\n",
                      sample_content(sample_delegated_connection()), POLICY_WAIT);
}

static void an_accept_of_publications_is_for_our_own_directory(void **state)
{
    const char *text = "[rule.a]\ndecide = accept\ngrant = publication\nservice = *\nservice_peer = *\n";
    assert_int_equal(decision_on(text, sample_content(sample_publication()), DIRECTORY), POLICY_ACCEPT);
    assert_int_equal(decision_on(text, sample_content(sample_publication()), PROVIDER), POLICY_WAIT);
}

/* Other rules say what they say: a reject is not evaded by adding a property. */
static void a_reject_takes_everything_that_it_does_not_name(void **state)
{
    assert_connection("[rule.a]\ndecide = reject\nconsumer = " CONSUMER "\n",
                      connection_with_property("a", json_string("x")), POLICY_REJECT);
    assert_connection("[rule.a]\ndecide = reject\nconsumer = " CONSUMER "\n",
                      sample_content(sample_delegated_connection()), POLICY_REJECT);
}

/* --- external contracts: FSC External Contract 1.0.0, 2.1.2 --- */

#define LISTED                                                                                               \
    "[external_contract.one]\nreference = R\ndelegator_id = 7\ndelegator_name = Small town\n"                \
    "delegatee = " CONSUMER "\nservice = per*\nuntil = 2026-01-03T00:00:00Z\n"

static json_t *with_reference(const char *reference, const char *id, const char *name)
{
    return connection_with_property(
        EXTERNAL_CONNECTION,
        json_pack("{s:s, s:s, s:s}", "reference", reference, "delegator_id", id, "delegator_name", name));
}

static void a_listed_reference_is_accepted_by_a_rule_that_says_so(void **state)
{
    const char *listed = "[rule.a]\n" ACCEPT "external_contract = listed none\n" LISTED;
    assert_connection(listed, with_reference("R", "7", "Small town"), POLICY_ACCEPT);
    assert_connection(listed, connection(), POLICY_ACCEPT);
    assert_connection("[rule.a]\n" ACCEPT LISTED, with_reference("R", "7", "Small town"), POLICY_WAIT);
    assert_connection("[rule.a]\n" ACCEPT "external_contract = listed\n" LISTED, connection(), POLICY_WAIT);
}

static void a_reference_that_nobody_knows_waits(void **state)
{
    assert_connection("[rule.a]\n" ACCEPT "external_contract = listed none\n" LISTED,
                      with_reference("S", "7", "Small town"), POLICY_WAIT);
    assert_connection("[rule.a]\ndecide = reject\nexternal_contract = unlisted\n" LISTED,
                      with_reference("S", "7", "Small town"), POLICY_REJECT);
}

static void a_reference_that_differs_is_rejected_before_all_rules(void **state)
{
    const char *text = "[rule.a]\n" ACCEPT "external_contract = listed none\n" LISTED;
    assert_connection(text, with_reference("R", "8", "Small town"), POLICY_REJECT);
    assert_connection(text, with_reference("R", "7", "Small Town"), POLICY_REJECT);
    json_t *service = with_reference("R", "7", "Small town"), *peer = with_reference("R", "7", "Small town"),
           *longer = with_reference("R", "7", "Small town");
    sample_change(service, "grants.0.data.service", "name", json_string("other"));
    sample_change(peer, "grants.0.data.outway", "peer_id", json_string(OTHER));
    sample_change(longer, "validity", "not_after", json_integer(NOW + 2 * 86400 + 1));
    assert_connection(text, service, POLICY_REJECT);
    assert_connection(text, peer, POLICY_REJECT);
    assert_connection(text, longer, POLICY_REJECT);
    g_autoptr(PolicyVerdict) verdict = judged_as(text, with_reference("R", "8", "Small town"), PROVIDER);
    assert_string_equal(verdict->rule, "external-contract");
}

static void a_denial_of_an_external_contract_is_a_reject(void **state)
{
    const char *text = "[rule.a]\ndecide = ask\non_denied = wait\n";
    g_autoptr(PolicyVerdict) with = judged_as(text, with_reference("R", "7", "x"), PROVIDER);
    g_autoptr(PolicyVerdict) without = judged_as(text, connection(), PROVIDER);
    assert_int_equal(((PolicyGrantVerdict *)with->grants->pdata[0])->on_denied, POLICY_REJECT);
    assert_int_equal(((PolicyGrantVerdict *)without->grants->pdata[0])->on_denied, POLICY_WAIT);
}

/* --- explanations --- */

static void each_rule_is_explained_for_each_grant(void **state)
{
    const char *text = "[rule.a]\n" ACCEPT "max_validity = 1d\n[rule.b]\ndecide = wait\nservice = other\n";
    g_autoptr(Policy) policy = parsed(text, NULL);
    g_autoptr(json_t) content = connection();
    g_autoptr(Contract) contract = contract_parse(content, NULL);
    PolicyInput input = {.now_s = NOW, .own_peer_id = PROVIDER};
    g_autoptr(PolicyVerdict) verdict = policy_judge(policy, contract, &input);
    g_autoptr(json_t) json = policy_verdict_json(verdict, contract);
    const json_t *rules = json_object_get(json_array_get(json_object_get(json, "grants"), 0), "rules");
    assert_int_equal(json_array_size(rules), 2);
    assert_string_equal(json_string_at(json, "decision"), "wait");
    assert_true(json_is_null(json_object_get(json, "rule")));
    const json_t *conditions = json_object_get(json_array_get(rules, 0), "conditions");
    guint unmet = 0;
    for (gsize i = 0; i < json_array_size(conditions); i++)
        if (!json_boolean_at(json_array_get(conditions, i), "met")) {
            assert_string_equal(json_string_at(json_array_get(conditions, i), "key"), "max_validity");
            unmet++;
        }
    assert_int_equal(unmet, 1);
    g_autofree char *lines = policy_verdict_text(verdict, contract);
    assert_non_null(strstr(lines, "- max_validity: the contract is valid for 2 d, at most 1 d is allowed"));
    assert_non_null(strstr(lines, "no rule matches; the default is wait"));
}

/* --- faults of a file --- */

static void assert_faults(const char *text, const char *const *expected)
{
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(Policy) policy = policy_parse("p", text, strlen(text), NULL, faults);
    assert_null(policy);
    for (guint i = 0; i < faults->len || expected[i] != NULL; i++) {
        if (expected[i] == NULL || i >= faults->len)
            fail_msg("fault %u: got %s, expected %s, in: %s", i,
                     i < faults->len ? (char *)faults->pdata[i] : "none",
                     expected[i] != NULL ? expected[i] : "none", text);
        if (!g_str_has_prefix(faults->pdata[i], expected[i]))
            fail_msg("got %s, expected %s", (char *)faults->pdata[i], expected[i]);
    }
}

#define assert_fault(text, ...) assert_faults(text, (const char *const[]){__VA_ARGS__, NULL})

static void reports_every_fault_at_once_with_its_line(void **state)
{
    assert_fault("[policy]\ndefault = accept\n[rule.a]\ndecide = acept\nservice = a/b\nmax_grants = many\n"
                 "consumer = 1\n[rule.b]\ngrant = connection\n[ruel.c]\nx = 1\n",
                 "p:2: default: \"accept\" is none of: wait, reject", "p:4: decide: \"acept\" is none of",
                 "p:5: service: \"a/b\": expected", "p:6: max_grants: \"many\"",
                 "p:7: consumer: \"1\": expected", "p:8: [rule.b] lacks the key \"decide\"",
                 "p:10: unknown section [ruel.c]; did you mean [rule.c]?");
}

static void refuses_an_accept_that_does_not_say_what(void **state)
{
    assert_fault("[rule.a]\ndecide = accept\n", "p:2: [rule.a] accepts, so it must say of which kind",
                 "p:2: [rule.a] accepts, so it must say for which services");
    assert_fault("[rule.a]\ndecide = accept\ngrant = connection\nservice = *\n",
                 "p:2: [rule.a] accepts connections, so it must say whose");
    assert_fault("[rule.a]\ndecide = accept\ngrant = publication\nservice = *\n",
                 "p:2: [rule.a] accepts publications, so it must say whose");
    assert_fault("[rule.a]\ndecide = accept\ngrant = delegated_connection\nservice = *\nconsumer = *\n",
                 "p:3: grant: a delegated grant is accepted only when");
    assert_fault("[rule.a]\ndecide = accept\ngrant = connection publication\nservice = *\nconsumer = *\n"
                 "service_peer = *\n",
                 "p:3: grant: publications and connections are accepted by rules of their own",
                 "p:5: consumer: a publication has none");
}

static void refuses_to_accept_what_was_not_verified(void **state)
{
    assert_fault("[rule.a]\n" ACCEPT "external_contract = unlisted\n",
                 "p:6: external_contract: a reference that is");
    assert_fault("[rule.a]\n" ACCEPT "external_contract = none mismatched\n",
                 "p:6: external_contract: a reference that is");
}

static void refuses_conditions_that_can_never_be_met(void **state)
{
    assert_fault("[rule.a]\ndecide = reject\ngrant = connection\nprotocol = http_2\n",
                 "p:4: protocol: a connection has none");
    assert_fault("[rule.a]\ndecide = reject\ngrant = publication\nidentification = domain_name\n",
                 "p:4: identification: a publication has none");
    assert_fault("[rule.a]\ndecide = reject\nmax_grants = 0\n", "p:3: max_grants: 0 matches nothing");
    assert_fault("[rule.a]\ndecide = reject\nservice =\n", "p:3: service: an empty list matches nothing");
}

static void refuses_what_belongs_elsewhere(void **state)
{
    assert_fault("[rule.a]\ndecide = wait\non_denied = reject\n", "p:3: on_denied: only with decide = ask");
    assert_fault("[rule.node.a]\ndecide = wait\n", "p:2: [rule.node.a]: names that begin with node.");
    assert_fault("[rule.a]\ndecide = wait\nproperties = " EXTERNAL_CONNECTION "\n", "p:3: properties:");
    assert_fault("[hosts]\na = 127.0.0.1\n", "p: [hosts] belongs in node.conf");
    assert_fault("[rule.a]\ndecide = wait\n[rule.a]\ndecide = wait\n",
                 "p:3: section [rule.a] is there already", "p:4: key \"decide\" is there already");
}

static void refuses_external_contracts_that_are_not_whole(void **state)
{
    assert_fault("[external_contract.a]\nreference = R\ndelegatee = x\nservice = *\nuntil = soon\n",
                 "p:1: [external_contract.a] lacks the key \"delegator_id\"",
                 "p:1: [external_contract.a] lacks the key \"delegator_name\"",
                 "p:3: delegatee: \"x\": expected", "p:5: until: \"soon\": expected a time");
}

static void globs_match_as_they_say(void **state)
{
    assert_true(policy_glob("", ""));
    assert_false(policy_glob("", "a"));
    assert_true(policy_glob("**", ""));
    assert_true(policy_glob("a*b*c", "axxbyybzzc"));
    assert_false(policy_glob("a*b*c", "axxbyyb"));
    assert_true(policy_glob("?", "\xc3\xa9"));
    assert_false(policy_glob("??", "\xc3\xa9"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_rules_everything_waits),
        cmocka_unit_test(the_default_may_be_reject),
        cmocka_unit_test(the_first_rule_that_matches_decides),
        cmocka_unit_test(the_strictest_verdict_of_the_grants_is_that_of_the_contract),
        cmocka_unit_test(rules_of_node_conf_come_after_those_of_the_file),
        cmocka_unit_test(an_edition_is_named_by_its_text),
        cmocka_unit_test(condition_grant),
        cmocka_unit_test(condition_service),
        cmocka_unit_test(condition_consumer),
        cmocka_unit_test(condition_service_peer),
        cmocka_unit_test(condition_delegator),
        cmocka_unit_test(condition_service_delegator),
        cmocka_unit_test(condition_directory_and_protocol),
        cmocka_unit_test(condition_identification),
        cmocka_unit_test(condition_max_validity),
        cmocka_unit_test(condition_max_ahead),
        cmocka_unit_test(condition_max_grants),
        cmocka_unit_test(condition_properties),
        cmocka_unit_test(condition_require),
        cmocka_unit_test(an_accept_does_not_take_properties_unless_they_are_named),
        cmocka_unit_test(an_accept_does_not_take_a_service_of_another_peer_unless_it_is_named),
        cmocka_unit_test(an_accept_does_not_take_delegation_unless_it_is_named),
        cmocka_unit_test(an_accept_of_publications_is_for_our_own_directory),
        cmocka_unit_test(a_reject_takes_everything_that_it_does_not_name),
        cmocka_unit_test(a_listed_reference_is_accepted_by_a_rule_that_says_so),
        cmocka_unit_test(a_reference_that_nobody_knows_waits),
        cmocka_unit_test(a_reference_that_differs_is_rejected_before_all_rules),
        cmocka_unit_test(a_denial_of_an_external_contract_is_a_reject),
        cmocka_unit_test(each_rule_is_explained_for_each_grant),
        cmocka_unit_test(reports_every_fault_at_once_with_its_line),
        cmocka_unit_test(refuses_an_accept_that_does_not_say_what),
        cmocka_unit_test(refuses_to_accept_what_was_not_verified),
        cmocka_unit_test(refuses_conditions_that_can_never_be_met),
        cmocka_unit_test(refuses_what_belongs_elsewhere),
        cmocka_unit_test(refuses_external_contracts_that_are_not_whole),
        cmocka_unit_test(globs_match_as_they_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
