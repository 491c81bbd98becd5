/* The reader of a policy file: sections [policy], [rule.NAME] and [external_contract.NAME] in the look of
 * node.conf, every fault at once. docs/policy.md is its manual. */
#include "components/fsc/policy_private.h"

#include <string.h>

#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/identifiers.h"
#include "core/crypto/digest.h"
#include "core/node/config.h"

#define RULES_MAX 1000
#define EXTERNALS_MAX 10000
#define GLOB_MAX 200
/* Names that begin so are those of the rules that node.conf makes. */
#define BUILT_IN_PREFIX "node."

static const char *const decide_words[] = {"accept", "ask", "wait", "reject", NULL};
static const char *const denied_words[] = {"wait", "reject", NULL};
static const char *const external_words[] = {"none", "listed", "mismatched", "unlisted", NULL};
const char *const policy_grant_words[GRANT_TYPE_COUNT + 1] = {
    "publication", "connection", "delegated_connection", "delegated_publication", NULL};
const char *const policy_protocol_words[3] = {"http_1.1", "http_2", NULL};
const char *const policy_identification_words[3] = {"public_key_thumbprint", "domain_name", NULL};

static const ConfigKey keys[] = {
    {"policy", "version", CONFIG_TEXT, FALSE, NULL, "a name for this edition, shown with each decision"},
    {"policy", "default", CONFIG_TEXT, FALSE, "wait", "what is decided when no rule matches: wait or reject",
     denied_words},
    {"rule.*", "decide", CONFIG_TEXT, TRUE, NULL, "accept, reject, wait, or ask (the decision point)",
     decide_words},
    {"rule.*", "on_denied", CONFIG_TEXT, FALSE, NULL,
     "with decide = ask: what a denial of the decision point becomes, wait or reject", denied_words},
    {"rule.*", "grant", CONFIG_LIST, FALSE, NULL, "kinds of grant", policy_grant_words},
    {"rule.*", "service", CONFIG_LIST, FALSE, NULL, "names of services, with * and ?"},
    {"rule.*", "consumer", CONFIG_LIST, FALSE, NULL, "Peer IDs of the Outway; self; *"},
    {"rule.*", "service_peer", CONFIG_LIST, FALSE, NULL, "Peer IDs of who offers the service; self; *"},
    {"rule.*", "delegator", CONFIG_LIST, FALSE, NULL, "Peer IDs of the delegator; self; *; none"},
    {"rule.*", "service_delegator", CONFIG_LIST, FALSE, NULL,
     "Peer IDs on behalf of whom the service is offered; self; *; none"},
    {"rule.*", "directory", CONFIG_LIST, FALSE, NULL, "Peer IDs of the Directory; self; *"},
    {"rule.*", "protocol", CONFIG_LIST, FALSE, NULL, "protocols of a publication", policy_protocol_words},
    {"rule.*", "identification", CONFIG_LIST, FALSE, NULL, "how the Outway is identified",
     policy_identification_words},
    {"rule.*", "max_validity", CONFIG_INTEGER, FALSE, NULL,
     "the longest time from not_before to not_after, e.g. 366d"},
    {"rule.*", "max_ahead", CONFIG_INTEGER, FALSE, NULL, "how far ahead not_before may be, e.g. 30d"},
    {"rule.*", "max_grants", CONFIG_INTEGER, FALSE, NULL, "the most grants in the contract"},
    {"rule.*", "require", CONFIG_LIST, FALSE, NULL, "properties that must be there: NAME or NAME=VALUE"},
    {"rule.*", "properties", CONFIG_LIST, FALSE, NULL,
     "properties that may be there: NAME, NAME=VALUE, or *"},
    {"rule.*", "external_contract", CONFIG_LIST, FALSE, NULL,
     "what a reference to an external contract may turn out to be", external_words},
    {"external_contract.*", "reference", CONFIG_TEXT, TRUE, NULL, "the reference, as it stands in the grant"},
    {"external_contract.*", "delegator_id", CONFIG_TEXT, TRUE, NULL, "whose mandate it is"},
    {"external_contract.*", "delegator_name", CONFIG_TEXT, TRUE, NULL, "that organisation's name"},
    {"external_contract.*", "delegatee", CONFIG_LIST, TRUE, NULL,
     "Peer IDs of who may act on behalf of the delegator"},
    {"external_contract.*", "service", CONFIG_LIST, TRUE, NULL,
     "names of services that it covers, with * and ?"},
    {"external_contract.*", "until", CONFIG_TEXT, FALSE, NULL,
     "a time (RFC 3339): contracts must end by then"},
};

/* Where the lists of a rule stand, by their key. */
static const struct {
    const char *key;
    gsize offset;
} lists[] = {
    {"grant", G_STRUCT_OFFSET(PolicyRule, grant)},
    {"service", G_STRUCT_OFFSET(PolicyRule, service)},
    {"consumer", G_STRUCT_OFFSET(PolicyRule, consumer)},
    {"service_peer", G_STRUCT_OFFSET(PolicyRule, service_peer)},
    {"delegator", G_STRUCT_OFFSET(PolicyRule, delegator)},
    {"service_delegator", G_STRUCT_OFFSET(PolicyRule, service_delegator)},
    {"directory", G_STRUCT_OFFSET(PolicyRule, directory)},
    {"protocol", G_STRUCT_OFFSET(PolicyRule, protocol)},
    {"identification", G_STRUCT_OFFSET(PolicyRule, identification)},
    {"external_contract", G_STRUCT_OFFSET(PolicyRule, external_contract)},
    {"require", G_STRUCT_OFFSET(PolicyRule, require)},
    {"properties", G_STRUCT_OFFSET(PolicyRule, properties)},
};

static char ***list_at(PolicyRule *rule, gsize i)
{
    return G_STRUCT_MEMBER_P(rule, lists[i].offset);
}

void policy_rule_free(PolicyRule *rule)
{
    for (gsize i = 0; i < G_N_ELEMENTS(lists); i++)
        g_strfreev(*list_at(rule, i));
    g_free(rule->name);
    g_free(rule);
}

static void external_free(ExternalContract *external)
{
    g_free(external->name);
    g_free(external->reference);
    g_free(external->delegator_id);
    g_free(external->delegator_name);
    g_strfreev(external->delegatee);
    g_strfreev(external->service);
    g_free(external);
}

/* --- values --- */

/* One section in the making. */
typedef struct {
    const Config *config;
    ConfigFaults *faults;
    char *section;
} Section;

static gboolean stated(const Section *section, const char *key)
{
    return config_line(section->config, section->section, key) > 0;
}

static guint line_of(const Section *section, const char *key)
{
    return config_line(section->config, section->section, key);
}

typedef gboolean (*WordCheck)(const char *word);

/* Service names are of these characters (FSC Core 2.0.0, 4.2.1.1), and the two of a glob. */
static gboolean is_service_glob(const char *word)
{
    return strlen(word) <= GLOB_MAX &&
           strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._*?") ==
               strlen(word);
}

static gboolean is_peer(const char *word)
{
    return oin_valid(word) || g_str_equal(word, "self") || g_str_equal(word, "*");
}

static gboolean is_peer_or_none(const char *word)
{
    return is_peer(word) || g_str_equal(word, "none");
}

/* NAME or NAME=GLOB; the references of External Contract have a key of their own. */
static gboolean is_property(const char *word)
{
    g_autofree char *name = g_strndup(word, strcspn(word, "="));
    return *name != '\0' && strlen(word) <= 4 * GLOB_MAX && !external_property(name);
}

static const struct {
    const char *key;
    WordCheck check;
    const char *expected;
} words[] = {
    {"service", is_service_glob, "a service name, in which * and ? stand for any"},
    {"consumer", is_peer, "a Peer ID (20 digits), self or *"},
    {"service_peer", is_peer, "a Peer ID (20 digits), self or *"},
    {"delegator", is_peer_or_none, "a Peer ID (20 digits), self, * or none"},
    {"service_delegator", is_peer_or_none, "a Peer ID (20 digits), self, * or none"},
    {"directory", is_peer, "a Peer ID (20 digits), self or *"},
    {"require", is_property, "NAME or NAME=VALUE (for external contract references: external_contract)"},
    {"properties", is_property,
     "NAME, NAME=VALUE or * (for external contract references: external_contract)"},
    {"delegatee", oin_valid, "a Peer ID (20 digits)"},
};

static void check_words(const Section *section, const char *key)
{
    const char *const *list = config_list(section->config, section->section, key);
    if (!stated(section, key))
        return;
    if (*list == NULL && !g_str_equal(key, "properties")) /* where it is "none" */
        config_fault(section->faults, line_of(section, key),
                     "%s: an empty list matches nothing; leave the line out", key);
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
        for (gsize j = 0; g_str_equal(words[i].key, key) && list[j] != NULL; j++)
            if (!words[i].check(list[j]))
                config_fault(section->faults, line_of(section, key), "%s: \"%s\": expected %s", key, list[j],
                             words[i].expected);
}

/* -1 when it is not stated. */
static gint64 number_of(const Section *section, const char *key)
{
    gint64 value = config_integer(section->config, section->section, key);
    if (!stated(section, key))
        return -1;
    /* What is no number at all has its fault already. */
    if (value == 0 && *config_text(section->config, section->section, key) == '0' &&
        !g_str_equal(key, "max_ahead"))
        config_fault(section->faults, line_of(section, key), "%s: 0 matches nothing", key);
    return value;
}

static PolicyDecision decision_of(const char *word, PolicyDecision fallback)
{
    for (int i = 0; i < POLICY_DECISION_COUNT; i++)
        if (g_strcmp0(word, policy_decision_name((PolicyDecision)i)) == 0)
            return (PolicyDecision)i;
    return fallback;
}

/* --- rules --- */

static gboolean has_grant(const PolicyRule *rule, gboolean publication, gboolean delegated)
{
    for (int type = 0; type < GRANT_TYPE_COUNT; type++)
        if (rule->grant != NULL && grant_type_row((GrantType)type)->publication == publication &&
            grant_type_row((GrantType)type)->delegated == delegated &&
            g_strv_contains((const char *const *)rule->grant, policy_grant_words[type]))
            return TRUE;
    return FALSE;
}

static char **one_word(const char *word)
{
    const char *const list[] = {word, NULL};
    return g_strdupv((char **)list);
}

static void set_default(char ***list, const char *word)
{
    if (*list == NULL)
        *list = one_word(word);
}

/* An accept signs for the organisation, so what it does not name it does not accept: an accept rule says what
 * kind of grant, which services and who; delegation, properties and external contracts are refused unless
 * they are named. */
static void complete_accept(const Section *section, PolicyRule *rule)
{
    gboolean publications = has_grant(rule, TRUE, FALSE) || has_grant(rule, TRUE, TRUE);
    gboolean connections = has_grant(rule, FALSE, FALSE) || has_grant(rule, FALSE, TRUE);
    gboolean delegated = has_grant(rule, TRUE, TRUE) || has_grant(rule, FALSE, TRUE);
    guint line = line_of(section, "decide");
    if (rule->grant == NULL)
        config_fault(section->faults, line, "[%s] accepts, so it must say of which kind: grant",
                     section->section);
    if (publications && connections)
        config_fault(section->faults, line_of(section, "grant"),
                     "grant: publications and connections are accepted by rules of their own");
    if (rule->service == NULL)
        config_fault(section->faults, line,
                     "[%s] accepts, so it must say for which services: service (* is all)", section->section);
    if (connections && rule->consumer == NULL)
        config_fault(section->faults, line,
                     "[%s] accepts connections, so it must say whose: consumer (* is all)", section->section);
    if (publications && rule->service_peer == NULL)
        config_fault(section->faults, line,
                     "[%s] accepts publications, so it must say whose: service_peer (* is all)",
                     section->section);
    if (delegated && rule->delegator == NULL)
        config_fault(
            section->faults, line_of(section, "grant"),
            "grant: a delegated grant is accepted only when the rule says on whose behalf: delegator");
    for (gsize i = 0; rule->external_contract != NULL && rule->external_contract[i] != NULL; i++)
        if (!g_str_equal(rule->external_contract[i], "none") &&
            !g_str_equal(rule->external_contract[i], "listed"))
            config_fault(
                section->faults, line_of(section, "external_contract"),
                "external_contract: a reference that is %s is not verified, so it cannot be accepted by "
                "a rule; decide = ask, or wait",
                rule->external_contract[i]);
    set_default(publications ? &rule->directory : &rule->service_peer, "self");
    set_default(&rule->delegator, "none");
    if (connections)
        set_default(&rule->service_delegator, "none");
    set_default(&rule->external_contract, "none");
    if (rule->properties == NULL)
        rule->properties = g_new0(char *, 1);
}

/* Conditions that the kinds of grant of this rule can never meet. */
static void check_sense(const Section *section, const PolicyRule *rule)
{
    static const struct {
        const char *key;
        gboolean publication; /* it is about publications only, else about connections only */
    } about[] = {{"consumer", FALSE},
                 {"identification", FALSE},
                 {"service_delegator", FALSE},
                 {"directory", TRUE},
                 {"protocol", TRUE}};
    for (gsize i = 0; rule->grant != NULL && i < G_N_ELEMENTS(about); i++)
        if (stated(section, about[i].key) &&
            (has_grant(rule, !about[i].publication, FALSE) || has_grant(rule, !about[i].publication, TRUE)))
            config_fault(section->faults, line_of(section, about[i].key),
                         "%s: a %s has none; write a rule of its own", about[i].key,
                         about[i].publication ? "connection" : "publication");
    if (stated(section, "on_denied") && rule->decide != POLICY_ASK)
        config_fault(section->faults, line_of(section, "on_denied"), "on_denied: only with decide = ask");
}

static PolicyRule *read_rule(const Section *section, const char *name)
{
    PolicyRule *rule = g_new0(PolicyRule, 1);
    rule->name = g_strdup(name);
    rule->decide = decision_of(config_text(section->config, section->section, "decide"), POLICY_WAIT);
    rule->on_denied = decision_of(config_text(section->config, section->section, "on_denied"), POLICY_WAIT);
    for (gsize i = 0; i < G_N_ELEMENTS(lists); i++) {
        check_words(section, lists[i].key);
        if (stated(section, lists[i].key))
            *list_at(rule, i) =
                g_strdupv((char **)config_list(section->config, section->section, lists[i].key));
    }
    rule->max_validity = number_of(section, "max_validity");
    rule->max_ahead = number_of(section, "max_ahead");
    rule->max_grants = number_of(section, "max_grants");
    check_sense(section, rule);
    if (rule->decide == POLICY_ACCEPT)
        complete_accept(section, rule);
    return rule;
}

/* --- external contracts --- */

static ExternalContract *read_external(const Section *section, const char *name)
{
    const Config *config = section->config;
    const char *until = config_text(config, section->section, "until");
    gint64 until_ms = 0;
    check_words(section, "delegatee");
    check_words(section, "service");
    if (until != NULL && !clock_parse_rfc3339(until, &until_ms, NULL))
        config_fault(section->faults, line_of(section, "until"),
                     "until: \"%s\": expected a time as 2027-01-01T00:00:00Z", until);
    ExternalContract *external = g_new0(ExternalContract, 1);
    external->name = g_strdup(name);
    external->reference = g_strdup(config_text(config, section->section, "reference"));
    external->delegator_id = g_strdup(config_text(config, section->section, "delegator_id"));
    external->delegator_name = g_strdup(config_text(config, section->section, "delegator_name"));
    external->delegatee = g_strdupv((char **)config_list(config, section->section, "delegatee"));
    external->service = g_strdupv((char **)config_list(config, section->section, "service"));
    external->until = until != NULL ? until_ms / 1000 : G_MAXINT64;
    return external;
}

/* 2.1.2: "If validation fails, the Contract MUST be rejected." A reference that is listed for another
 * delegator, delegatee or service has failed; this goes before every other rule. */
static PolicyRule *mismatch_rule(void)
{
    PolicyRule *rule = g_new0(PolicyRule, 1);
    rule->name = g_strdup("external-contract");
    rule->decide = POLICY_REJECT;
    rule->on_denied = POLICY_WAIT;
    rule->external_contract = one_word("mismatched");
    rule->max_validity = rule->max_ahead = rule->max_grants = -1;
    return rule;
}

/* --- the whole --- */

typedef struct {
    Policy *policy;
    guint own_lines; /* of the file; what follows is built in */
} Reading;

static guint count_lines(const char *text, gsize length)
{
    guint lines = 1;
    for (gsize i = 0; i < length; i++)
        lines += text[i] == '\n' ? 1 : 0;
    return lines;
}

static void read_rules(Reading *reading, const Config *config, ConfigFaults *faults)
{
    const char *const *names = config_family(config, "rule");
    if (g_strv_length((char **)names) > RULES_MAX)
        config_fault(faults, 0, "more than %d rules", RULES_MAX);
    for (; *names != NULL; names++) {
        g_autofree char *name = g_strconcat("rule.", *names, NULL);
        Section section = {.config = config, .faults = faults, .section = name};
        guint line = line_of(&section, "decide");
        if (g_str_has_prefix(*names, BUILT_IN_PREFIX) && line > 0 && line <= reading->own_lines)
            config_fault(faults, line,
                         "[%s]: names that begin with " BUILT_IN_PREFIX " are those of node.conf's rules",
                         name);
        g_ptr_array_add(reading->policy->rules, read_rule(&section, *names));
    }
}

static void read_all(const Config *config, ConfigFaults *faults, gpointer user_data)
{
    Reading *reading = user_data;
    Policy *policy = reading->policy;
    const char *const *names = config_family(config, "external_contract");
    policy->version = g_strdup(config_text(config, "policy", "version"));
    policy->fallback = decision_of(config_text(config, "policy", "default"), POLICY_WAIT);
    if (config_has_section(config, "hosts"))
        config_fault(faults, 0, "[hosts] belongs in node.conf");
    if (g_strv_length((char **)names) > EXTERNALS_MAX)
        config_fault(faults, 0, "more than %d external contracts", EXTERNALS_MAX);
    if (*names != NULL)
        g_ptr_array_add(policy->rules, mismatch_rule());
    read_rules(reading, config, faults);
    for (; *names != NULL; names++) {
        g_autofree char *name = g_strconcat("external_contract.", *names, NULL);
        Section section = {.config = config, .faults = faults, .section = name};
        g_ptr_array_add(policy->externals, read_external(&section, *names));
    }
}

static char *digest_of(const char *text)
{
    guint8 digest[SHA256_SIZE];
    sha256(text, strlen(text), digest);
    g_autofree char *hex = hex_encode(digest, sizeof digest);
    return g_strconcat("sha256:", hex, NULL);
}

Policy *policy_parse(const char *path, const char *text, gsize length, const char *built_in,
                     GPtrArray *faults)
{
    static const ConfigKey *const tables[] = {keys};
    static const gsize counts[] = {G_N_ELEMENTS(keys)};
    g_autoptr(GString) whole = g_string_new_len(text, (gssize)length);
    g_autoptr(Policy) policy = g_new0(Policy, 1);
    policy->references = 1;
    policy->rules = g_ptr_array_new_with_free_func((GDestroyNotify)policy_rule_free);
    policy->externals = g_ptr_array_new_with_free_func((GDestroyNotify)external_free);
    if (built_in != NULL && *built_in != '\0')
        g_string_append_printf(whole, "%s%s", length > 0 ? "\n" : "", built_in);
    Reading reading = {.policy = policy, .own_lines = count_lines(text, length)};
    g_autoptr(Config) config =
        config_parse_checked(path, whole->str, whole->len, tables, counts, 1, read_all, &reading, faults);
    if (config == NULL)
        return NULL;
    policy->text = g_strdup(whole->str);
    policy->digest = digest_of(policy->text);
    return g_steal_pointer(&policy);
}

Policy *policy_ref(Policy *policy)
{
    g_atomic_int_inc(&policy->references);
    return policy;
}

void policy_unref(Policy *policy)
{
    if (policy == NULL || !g_atomic_int_dec_and_test(&policy->references))
        return;
    g_ptr_array_unref(policy->rules);
    g_ptr_array_unref(policy->externals);
    g_free(policy->text);
    g_free(policy->digest);
    g_free(policy->version);
    g_free(policy);
}

const char *policy_digest(const Policy *policy)
{
    return policy->digest;
}

const char *policy_text(const Policy *policy)
{
    return policy->text;
}

const char *policy_version(const Policy *policy)
{
    return policy->version;
}

gsize policy_rule_count(const Policy *policy)
{
    return policy->rules->len;
}

gboolean policy_asks(const Policy *policy)
{
    for (guint i = 0; i < policy->rules->len; i++)
        if (((const PolicyRule *)policy->rules->pdata[i])->decide == POLICY_ASK)
            return TRUE;
    return FALSE;
}
