/* `fundament fsc contract ...`: propose, list, show, accept, reject, revoke. */
#include <stdio.h>
#include <string.h>

#include "components/fsc/cli_commands.h"
#include "components/fsc/cli_grant.h"
#include "components/fsc/cli_render.h"
#include "components/fsc/signature.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/identifiers.h"
#include "core/crypto/certificate.h"
#include "core/format/json.h"

#define LIST_DEFAULT 50
#define PAGE_MAX 1000
#define SHORTEST 6

/* --- which contract --- */

static char *escaped_path(const char *hash, const char *decision)
{
    g_autofree char *escaped = g_uri_escape_string(hash, NULL, FALSE);
    return g_strconcat("/fsc/v1/contracts/", escaped, decision != NULL ? "/" : NULL, decision, NULL);
}

static gboolean names(const json_t *contract, const char *word)
{
    const char *hash = json_string_at(contract, "hash"), *digest = hash == NULL ? NULL : strrchr(hash, '$');
    return digest != NULL && g_str_has_prefix(digest + 1, word);
}

static char *choose(const json_t *found, const char *word, int *status)
{
    g_autoptr(GError) error = NULL;
    if (json_array_size(found) == 1)
        return g_strdup(json_string_value(json_array_get(found, 0)));
    g_set_error(&error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_NOT_FOUND,
                json_array_size(found) == 0
                    ? "no contract here begins with \"%s\"; see fundament fsc contract list"
                    : "several contracts begin with \"%s\"; give more of the hash",
                word);
    *status = cli_fail(error);
    return NULL;
}

/* Every page, until all contracts that the word may mean are known. */
static char *search(const Arguments *arguments, const char *word, int *status)
{
    g_autoptr(json_t) found = json_array();
    g_autofree char *cursor = g_strdup("");
    do {
        g_autofree char *path = g_strdup_printf("/fsc/v1/contracts?limit=%d%s%s", PAGE_MAX,
                                                *cursor != '\0' ? "&cursor=" : "", cursor);
        g_autoptr(json_t) page = cli_call(arguments, "GET", path, NULL, status);
        if (page == NULL)
            return NULL;
        const json_t *contracts = json_object_get(page, "contracts");
        for (gsize i = 0; i < json_array_size(contracts); i++)
            if (names(json_array_get(contracts, i), word))
                json_array_append(found, json_object_get(json_array_get(contracts, i), "hash"));
        g_free(cursor);
        cursor = g_strdup(json_string_at(page, "next_cursor"));
    } while (cursor != NULL && *cursor != '\0');
    return choose(found, word, status);
}

char *cli_contract_hash(const Arguments *arguments, const char *word, int *status)
{
    g_autoptr(GError) error = NULL;
    HashType type;
    if (fsc_hash_parse(word, &type) && type == HASH_TYPE_CONTRACT)
        return g_strdup(word);
    if (strlen(word) >= SHORTEST &&
        strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == strlen(word))
        return search(arguments, word, status);
    g_set_error(&error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_USAGE,
                "\"%s\" is no hash of a contract: '$1$1$...' in quotes, or at least %d characters of what "
                "comes after",
                word, SHORTEST);
    *status = cli_fail(error);
    return NULL;
}

/* --- propose --- */

static gboolean read_properties(const Arguments *arguments, json_t **properties, GError **error)
{
    const char *path = arguments_value(arguments, "--properties");
    g_autoptr(json_t) all = path != NULL ? json_read_file(path, NULL, error) : json_object();
    if (all == NULL)
        return FALSE;
    if (!json_is_object(all)) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "%s: properties are an object", path);
        return FALSE;
    }
    for (const char *const *text = arguments_values(arguments, "--property"); *text != NULL; text++)
        if (!property_add(all, *text, error))
            return FALSE;
    *properties = g_steal_pointer(&all);
    return TRUE;
}

json_t *cli_properties(const Arguments *arguments, GError **error)
{
    json_t *properties = NULL;
    return read_properties(arguments, &properties, error) ? properties : NULL;
}

/* not_before and not_after into the body. */
gboolean cli_add_period(const Arguments *arguments, json_t *body, GError **error)
{
    const char *from = arguments_value(arguments, "--not-before"),
               *until = arguments_value(arguments, "--not-after"),
               *length = arguments_value(arguments, "--valid-for");
    gint64 now_s = clock_now_s(clock_system()), begin = now_s, end = 0, span = 0;
    if ((from != NULL && !arguments_time(from, now_s, &begin, error)) ||
        (until != NULL && !arguments_time(until, now_s, &end, error)) ||
        (length != NULL && !arguments_span(length, &span, error)))
        return FALSE;
    if (until != NULL && length != NULL) {
        g_set_error_literal(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_USAGE,
                            "--not-after and --valid-for say the same; give one of them");
        return FALSE;
    }
    if (from != NULL)
        json_object_set_new(body, "not_before", json_integer(begin));
    if (until != NULL || length != NULL)
        json_object_set_new(body, "not_after", json_integer(until != NULL ? end : begin + span));
    return TRUE;
}

/* The thumbprint of --outway-certificate, or --outway-key as it is. */
static gboolean read_outway_key(const Arguments *arguments, char **key, GError **error)
{
    const char *path = arguments_value(arguments, "--outway-certificate");
    g_autoptr(Certificate) certificate = path != NULL ? certificate_load(path, error) : NULL;
    if (path != NULL && certificate == NULL)
        return FALSE;
    *key = g_strdup(certificate != NULL ? certificate_public_key_thumbprint(certificate)
                                        : arguments_value(arguments, "--outway-key"));
    return TRUE;
}

static json_t *grants_by_words(const Arguments *arguments, const json_t *node, GError **error)
{
    g_autofree char *key = NULL;
    g_autoptr(json_t) properties = cli_properties(arguments, error);
    if (properties == NULL || !read_outway_key(arguments, &key, error))
        return NULL;
    GrantWords words = {.type = arguments_value(arguments, "--type"),
                        .service = arguments_value(arguments, "--service"),
                        .provider = arguments_value(arguments, "--provider"),
                        .directory = arguments_value(arguments, "--directory"),
                        .protocol = arguments_value(arguments, "--protocol"),
                        .delegator = arguments_value(arguments, "--delegator"),
                        .service_delegator = arguments_value(arguments, "--service-delegator"),
                        .outway_peer = arguments_value(arguments, "--outway-peer"),
                        .outway_key = key,
                        .outway_domain = arguments_value(arguments, "--outway-domain"),
                        .properties = properties};
    GrantDefaults defaults = {json_string_at(node, "peer_id"), json_string_at(node, "directory"),
                              json_string_at(node, "outway_public_key_thumbprint")};
    json_t *data = grant_build(&words, &defaults, error);
    return data != NULL ? json_pack("[{s:o}]", "data", data) : NULL;
}

static json_t *proposal(const Arguments *arguments, const json_t *node, GError **error)
{
    const char *path = arguments_value(arguments, "--from");
    g_autoptr(json_t) file = path != NULL ? json_read_file(path, NULL, error) : NULL;
    if (path != NULL && file == NULL)
        return NULL;
    json_t *grants = path != NULL ? grants_of_file(file, error) : grants_by_words(arguments, node, error);
    if (grants == NULL)
        return NULL;
    g_autoptr(json_t) body = json_pack("{s:o}", "grants", grants);
    return cli_add_period(arguments, body, error) ? g_steal_pointer(&body) : NULL;
}

int cli_print_proposal(const Arguments *arguments, const json_t *answer)
{
    const json_t *hashes = json_object_get(answer, "grant_hashes");
    if (arguments_flag(arguments, "--json"))
        return cli_print_json(answer);
    printf("contract %s\n", json_string_at(answer, "hash"));
    for (gsize i = 0; i < json_array_size(hashes); i++)
        printf("grant    %s\n", json_string_value(json_array_get(hashes, i)));
    if (json_boolean_at(answer, "waits_for_second_signer"))
        printf("it waits for a second signer of this organisation before it is sent\n");
    return 0;
}

int cli_contract_propose(const Arguments *arguments)
{
    int status = 0;
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) node = cli_call(arguments, "GET", "/fsc/v1/node", NULL, &status);
    if (node == NULL)
        return status;
    json_t *body = proposal(arguments, node, &error);
    if (body == NULL)
        return cli_fail(error);
    g_autoptr(json_t) answer = cli_call(arguments, "POST", "/fsc/v1/contracts", body, &status);
    return answer == NULL ? status : cli_print_proposal(arguments, answer);
}

/* --- list and show --- */

void cli_add_query(GString *path, const char *name, const char *value)
{
    if (value == NULL)
        return;
    g_autofree char *escaped = g_uri_escape_string(value, NULL, FALSE);
    g_string_append_printf(path, "%c%s=%s", strchr(path->str, '?') != NULL ? '&' : '?', name, escaped);
}

static GString *list_path(const Arguments *arguments, GError **error)
{
    gint64 limit = LIST_DEFAULT;
    GrantType type = GRANT_SERVICE_CONNECTION;
    const char *word = arguments_value(arguments, "--type");
    if (!arguments_number(arguments, "--limit", PAGE_MAX, &limit, error) ||
        (word != NULL && !grant_type_read(word, &type, error)))
        return NULL;
    g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, MAX(limit, 1));
    GString *path = g_string_new("/fsc/v1/contracts");
    cli_add_query(path, "limit", number);
    cli_add_query(path, "state", arguments_value(arguments, "--state"));
    cli_add_query(path, "type", word != NULL ? grant_type_row(type)->name : NULL);
    cli_add_query(path, "peerId", arguments_value(arguments, "--peer"));
    cli_add_query(path, "service", arguments_value(arguments, "--service"));
    cli_add_query(path, "cursor", arguments_value(arguments, "--cursor"));
    return path;
}

static int print_list(const Arguments *arguments, const json_t *answer)
{
    const json_t *contracts = json_object_get(answer, "contracts");
    const char *next = json_string_at(answer, "next_cursor");
    if (arguments_flag(arguments, "--json"))
        return cli_print_json(answer);
    g_autofree char *text =
        arguments_flag(arguments, "--csv") ? render_contracts_csv(contracts) : render_contracts(contracts);
    fputs(text, stdout);
    if (json_array_size(contracts) == 0 && !arguments_flag(arguments, "--csv"))
        printf("no contracts\n");
    if (next != NULL && *next != '\0')
        fprintf(stderr, "there are more: --cursor %s\n", next);
    return 0;
}

int cli_contract_list(const Arguments *arguments)
{
    int status = 0;
    g_autoptr(GError) error = NULL;
    GString *path = list_path(arguments, &error);
    if (path == NULL)
        return cli_fail(error);
    g_autoptr(json_t) answer = cli_call(arguments, "GET", path->str, NULL, &status);
    g_string_free(path, TRUE);
    return answer == NULL ? status : print_list(arguments, answer);
}

json_t *cli_contract(const Arguments *arguments, const char *hash, int *status)
{
    g_autofree char *path = escaped_path(hash, NULL);
    return cli_call(arguments, "GET", path, NULL, status);
}

int cli_contract_show(const Arguments *arguments)
{
    int status = 0;
    g_autofree char *hash = cli_contract_hash(arguments, arguments_word(arguments, 0), &status);
    g_autoptr(json_t) contract = hash == NULL ? NULL : cli_contract(arguments, hash, &status);
    if (contract == NULL)
        return status;
    if (arguments_flag(arguments, "--json"))
        return cli_print_json(contract);
    g_autofree char *text = render_contract(contract, clock_now_s(clock_system()));
    fputs(text, stdout);
    return 0;
}

/* --- accept, reject, revoke --- */

/* What is lost is said before it is asked. */
static gboolean confirm(const Arguments *arguments, const char *hash, SignatureType type, int *status)
{
    static const char *const questions[SIGNATURE_TYPE_COUNT] = {
        [SIGNATURE_REJECT] = "Reject this contract, for good?",
        [SIGNATURE_REVOKE] = "Revoke this contract, for good? Everything that uses it stops at once.",
    };
    if (questions[type] == NULL || arguments_flag(arguments, "--yes"))
        return TRUE;
    g_autoptr(json_t) contract = cli_contract(arguments, hash, status);
    if (contract == NULL)
        return FALSE;
    g_autofree char *text = render_contract(contract, clock_now_s(clock_system()));
    return cli_confirm(text, questions[type], status);
}

static int decide(const Arguments *arguments, SignatureType type)
{
    int status = 0;
    const char *decision = signature_type_name(type);
    g_autofree char *hash = cli_contract_hash(arguments, arguments_word(arguments, 0), &status);
    if (hash == NULL || !confirm(arguments, hash, type, &status))
        return status;
    g_autofree char *path = escaped_path(hash, decision);
    g_autoptr(json_t) answer = cli_call(arguments, "POST", path, NULL, &status);
    if (answer == NULL)
        return status;
    if (arguments_flag(arguments, "--json"))
        return cli_print_json(answer);
    if (json_object_get(answer, "placed") != NULL)
        printf("placed %s on %s\n", decision, hash);
    else
        printf("%s waits for a second signer of this organisation\n", decision);
    return 0;
}

int cli_contract_accept(const Arguments *arguments)
{
    return decide(arguments, SIGNATURE_ACCEPT);
}

int cli_contract_reject(const Arguments *arguments)
{
    return decide(arguments, SIGNATURE_REJECT);
}

int cli_contract_revoke(const Arguments *arguments)
{
    return decide(arguments, SIGNATURE_REVOKE);
}
