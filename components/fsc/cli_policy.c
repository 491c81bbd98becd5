/* `fundament fsc policy test | check | show`. */
#include <stdio.h>
#include <string.h>

#include "components/fsc/cli_commands.h"
#include "components/fsc/policy.h"
#include "core/base/error.h"
#include "core/format/json.h"
#include "core/node/config.h"

/* Exit statuses of `policy test`, beside 1 for an error and 2 for wrong usage. */
#define EXIT_ACCEPT 0
#define EXIT_WAIT 3
#define EXIT_REJECT 4

/* --- test --- */

/* {"content": ...} from a file with a content, or with a contract around one; {"hash": ...} from a hash or
 * its beginning. NULL when the line on stderr is written. */
static json_t *body_of(const Arguments *arguments, int *status)
{
    const char *word = arguments_word(arguments, 0);
    g_autoptr(GError) error = NULL;
    if (!g_file_test(word, G_FILE_TEST_EXISTS)) {
        g_autofree char *hash = cli_contract_hash(arguments, word, status);
        return hash == NULL ? NULL : json_pack("{s:s}", "hash", hash);
    }
    g_autoptr(json_t) document = json_read_file(word, NULL, &error);
    if (document == NULL) {
        *status = cli_fail(error);
        return NULL;
    }
    json_t *content = json_object_get(document, "content");
    return json_pack("{s:O}", "content", content != NULL ? content : document);
}

static void print_decided(const json_t *answer)
{
    const json_t *decided = json_object_get(answer, "decided"), *asking = json_object_get(answer, "asking");
    if (json_is_object(decided))
        printf("decided before: %s: %s (trace %s)\n", json_string_at(decided, "decision"),
               json_string_at(decided, "reason"), json_string_at(decided, "trace_id"));
    if (json_is_object(asking))
        printf("the decision point was asked %" JSON_INTEGER_FORMAT " times%s%s\n",
               (json_int_t)json_integer_at(asking, "tries"),
               json_string_at(asking, "last_error") != NULL ? ": " : "",
               json_string_at(asking, "last_error") != NULL ? json_string_at(asking, "last_error") : "");
    if (json_boolean_at(answer, "stale"))
        printf("the policy file on disk is broken; this is what the edition before it says\n");
}

int cli_policy_test(const Arguments *arguments)
{
    int status = 0;
    json_t *body = body_of(arguments, &status);
    if (body == NULL)
        return status;
    g_autoptr(json_t) answer = cli_call(arguments, "POST", "/fsc/v1/policy/test", body, &status);
    if (answer == NULL)
        return status;
    const char *decision = json_string_at(answer, "decision");
    if (arguments_flag(arguments, "--json")) {
        cli_print_json(answer);
    } else {
        fputs(json_string_at(answer, "text"), stdout);
        print_decided(answer);
    }
    return g_str_equal(decision, "accept")   ? EXIT_ACCEPT
           : g_str_equal(decision, "reject") ? EXIT_REJECT
                                             : EXIT_WAIT;
}

/* --- check --- */

/* [fsc] policy of node.conf. NULL with an error. */
static char *configured_path(const Arguments *arguments, GError **error)
{
    g_autofree char *config = config_choose_path(arguments_value(arguments, "--config"));
    g_auto(GStrv) words = config_peek(config, "fsc", "policy");
    if (words == NULL || words[0] == NULL) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_USAGE, "%s has no [fsc] policy; name a file",
                    config);
        return NULL;
    }
    g_autofree char *folder = g_path_get_dirname(config);
    g_autofree char *joined = g_strjoinv(" ", words);
    return g_canonicalize_filename(joined, folder);
}

static int print_faults(const Arguments *arguments, const GPtrArray *faults)
{
    g_autoptr(json_t) list = json_array();
    for (guint i = 0; i < faults->len; i++) {
        json_array_append_new(list, json_string(faults->pdata[i]));
        if (!arguments_flag(arguments, "--json"))
            fprintf(stderr, "fundament: %s\n", (const char *)faults->pdata[i]);
    }
    if (arguments_flag(arguments, "--json")) {
        g_autoptr(json_t) answer = json_pack("{s:O}", "faults", list);
        cli_print_json(answer);
    }
    return 1;
}

int cli_policy_check(const Arguments *arguments)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    gsize length = 0;
    const char *word = arguments_word(arguments, 0);
    g_autofree char *path = word != NULL ? g_strdup(word) : configured_path(arguments, &error);
    if (path == NULL || !g_file_get_contents(path, &text, &length, &error))
        return cli_fail(error);
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(Policy) policy = policy_parse(path, text, length, NULL, faults);
    if (policy == NULL)
        return print_faults(arguments, faults);
    if (arguments_flag(arguments, "--json")) {
        g_autoptr(json_t) answer =
            json_pack("{s:[], s:I, s:b}", "faults", "rules", (json_int_t)policy_rule_count(policy), "asks",
                      (int)policy_asks(policy));
        return cli_print_json(answer);
    }
    printf("%s: %" G_GSIZE_FORMAT " rules, no faults%s\n", path, policy_rule_count(policy),
           policy_asks(policy) ? "; it needs [fsc] decision_point" : "");
    return 0;
}

/* --- show --- */

int cli_policy_show(const Arguments *arguments)
{
    int status = 0;
    g_autoptr(json_t) answer = cli_call(arguments, "GET", "/fsc/v1/policy", NULL, &status);
    if (answer == NULL)
        return status;
    if (arguments_flag(arguments, "--json"))
        return cli_print_json(answer);
    const char *source = json_string_at(answer, "source"), *version = json_string_at(answer, "version");
    printf("# %s%s%s, %s%s\n%s", source != NULL ? source : "no file: the rules of node.conf",
           version != NULL ? ", version " : "", version != NULL ? version : "",
           json_string_at(answer, "digest"),
           json_boolean_at(answer, "stale") ? " (the file on disk is broken; this is the edition before it)"
                                            : "",
           json_string_at(answer, "text"));
    return 0;
}
