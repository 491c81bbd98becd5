/* `fundament fsc peers | services | logs | token | states`. */
#include <stdio.h>
#include <string.h>

#include "components/fsc/cli_commands.h"
#include "components/fsc/cli_render.h"
#include "components/fsc/hash.h"
#include "components/fsc/state.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/identifiers.h"
#include "core/format/json.h"

#define LOGS_MAX 1000

/* --- peers --- */

int cli_peers_announce(const Arguments *arguments)
{
    int status = 0;
    g_autoptr(json_t) answer = cli_call(arguments, "POST", "/fsc/v1/announce", NULL, &status);
    if (answer == NULL)
        return status;
    if (arguments_flag(arguments, "--json"))
        return cli_print_json(answer);
    printf("announcing %s to the Directory %s\n", json_string_at(answer, "manager_address"),
           json_string_at(answer, "directory"));
    return 0;
}

int cli_peers_list(const Arguments *arguments)
{
    int status = 0;
    const char *word = arguments_word(arguments, 0);
    g_autoptr(GString) path = g_string_new("/fsc/v1/peers");
    cli_add_query(path, oin_valid(word) ? "peerId" : "name", word);
    g_autoptr(json_t) answer = cli_call(arguments, "GET", path->str, NULL, &status);
    if (answer == NULL)
        return status;
    if (arguments_flag(arguments, "--json"))
        return cli_print_json(answer);
    g_autofree char *text = render_peers(json_object_get(answer, "peers"));
    fputs(*text != '\0' ? text : "no Peers\n", stdout);
    return 0;
}

/* --- services --- */

int cli_services_list(const Arguments *arguments)
{
    int status = 0;
    g_autoptr(GString) path = g_string_new("/fsc/v1/services");
    cli_add_query(path, "filter", arguments_word(arguments, 0));
    cli_add_query(path, "peerId", arguments_value(arguments, "--peer"));
    cli_add_query(path, "limit", arguments_value(arguments, "--limit"));
    cli_add_query(path, "cursor", arguments_value(arguments, "--cursor"));
    g_autoptr(json_t) answer = cli_call(arguments, "GET", path->str, NULL, &status);
    if (answer == NULL)
        return status;
    if (arguments_flag(arguments, "--json"))
        return cli_print_json(answer);
    const char *next = json_string_at(answer, "next_cursor");
    g_autofree char *text = render_services(json_object_get(answer, "services"));
    fputs(*text != '\0' ? text : "no services\n", stdout);
    if (next != NULL && *next != '\0')
        fprintf(stderr, "there are more: --cursor %s\n", next);
    return 0;
}

int cli_services_publish(const Arguments *arguments)
{
    static const char *const options[] = {"directory", "protocol", "delegator"};
    int status = 0;
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) properties = cli_properties(arguments, &error);
    g_autoptr(json_t) body = json_pack("{s:s}", "service", arguments_word(arguments, 0));
    if (properties == NULL || !cli_add_period(arguments, body, &error))
        return cli_fail(error);
    for (gsize i = 0; i < G_N_ELEMENTS(options); i++) {
        g_autofree char *option = g_strconcat("--", options[i], NULL);
        const char *value = arguments_value(arguments, option);
        if (value != NULL)
            json_object_set_new(body, options[i], json_string(value));
    }
    if (json_object_size(properties) > 0)
        json_object_set(body, "properties", properties);
    g_autoptr(json_t) answer =
        cli_call(arguments, "POST", "/fsc/v1/publications", g_steal_pointer(&body), &status);
    return answer == NULL ? status : cli_print_proposal(arguments, answer);
}

/* --- logs --- */

static gboolean add_moment(GString *path, const Arguments *arguments, const char *option, const char *name,
                           GError **error)
{
    gint64 moment = 0, now_s = clock_now_s(clock_system());
    const char *text = arguments_value(arguments, option);
    if (text == NULL)
        return TRUE;
    if (!arguments_time(text, now_s, &moment, error))
        return FALSE;
    g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, moment);
    cli_add_query(path, name, number);
    return TRUE;
}

int cli_logs(const Arguments *arguments)
{
    int status = 0;
    gint64 limit = 25;
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) path = g_string_new("/fsc/v1/logs");
    if (!arguments_number(arguments, "--limit", LOGS_MAX, &limit, &error) ||
        !add_moment(path, arguments, "--after", "after", &error) ||
        !add_moment(path, arguments, "--before", "before", &error))
        return cli_fail(error);
    g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, MAX(limit, 1));
    cli_add_query(path, "limit", number);
    cli_add_query(path, "peerId", arguments_value(arguments, "--peer"));
    cli_add_query(path, "grantHash", arguments_value(arguments, "--grant"));
    cli_add_query(path, "serviceName", arguments_value(arguments, "--service"));
    cli_add_query(path, "transactionIds", arguments_value(arguments, "--transaction"));
    cli_add_query(path, "cursor", arguments_value(arguments, "--cursor"));
    g_autoptr(json_t) answer = cli_call(arguments, "GET", path->str, NULL, &status);
    if (answer == NULL)
        return status;
    if (arguments_flag(arguments, "--json"))
        return cli_print_json(answer);
    const char *next = json_string_at(json_object_get(answer, "pagination"), "next_cursor");
    g_autofree char *text = render_logs(json_object_get(answer, "records"));
    fputs(*text != '\0' ? text : "no transactions\n", stdout);
    if (next != NULL && *next != '\0')
        fprintf(stderr, "there are more: --cursor '%s'\n", next);
    return 0;
}

/* --- token --- */

/* The newest valid connection to SERVICE.PEER. NULL when the line on stderr is written. */
static char *grant_of_service(const Arguments *arguments, const char *word, int *status)
{
    g_autoptr(GError) error = NULL;
    const char *dot = strrchr(word, '.');
    if (dot == NULL || dot == word || !oin_valid(dot + 1)) {
        g_set_error(&error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_USAGE,
                    "\"%s\" is no SERVICE.PEER and no hash of a connection grant", word);
        *status = cli_fail(error);
        return NULL;
    }
    g_autofree char *service = g_strndup(word, (gsize)(dot - word));
    json_t *connection = cli_find_connection(arguments, service, dot + 1, "VALID", status);
    char *hash = g_strdup(json_string_at(connection, "grant_hash"));
    json_decref(connection);
    if (hash == NULL && *status == 0) {
        g_set_error(&error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_NOT_FOUND,
                    "no valid contract connects our Outway to %s; see fundament fsc doctor %s", word, word);
        *status = cli_fail(error);
    }
    return hash;
}

static int print_claims(const json_t *answer)
{
    const char *name;
    json_t *value;
    const char *error = json_string_at(answer, "error");
    if (error == NULL)
        error = json_string_at(answer, "claims_error");
    if (error != NULL) {
        g_autoptr(GError) failure = g_error_new_literal(FUNDAMENT_ERROR, FUNDAMENT_ERROR_DENIED, error);
        return cli_fail(failure);
    }
    json_object_foreach(json_object_get(answer, "claims"), name, value)
    {
        g_autofree char *text =
            json_is_string(value) ? g_strdup(json_string_value(value)) : json_write(value);
        printf("%-4s %s\n", name, text);
    }
    return 0;
}

int cli_token(const Arguments *arguments)
{
    int status = 0;
    const char *word = arguments_word(arguments, 0);
    g_autofree char *hash =
        fsc_hash_parse(word, NULL) ? g_strdup(word) : grant_of_service(arguments, word, &status);
    if (hash == NULL)
        return status;
    g_autoptr(json_t) answer =
        cli_call(arguments, "POST", "/fsc/v1/token-tests", json_pack("{s:s}", "grant_hash", hash), &status);
    if (answer == NULL)
        return status;
    return arguments_flag(arguments, "--json") ? cli_print_json(answer) : print_claims(answer);
}

/* --- states --- */

int cli_states(const Arguments *arguments)
{
    g_autofree char *table = contract_state_table();
    if (arguments_flag(arguments, "--json")) {
        g_autoptr(json_t) answer = json_pack("{s:s}", "table", table);
        return cli_print_json(answer);
    }
    fputs(table, stdout);
    return 0;
}
