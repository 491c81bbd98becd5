/* Grants from words, a new node's configuration, and what commands print. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "components/fsc/cli_grant.h"
#include "components/fsc/cli_render.h"
#include "components/fsc/cli_setup.h"
#include "core/base/error.h"
#include "core/format/json.h"

#define OWN "00000001000000000003"
#define OTHER "00000001000000000002"
#define THIRD "00000001000000000004"
#define DIRECTORY "00000001000000000001"
#define KEY "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HASH "$1$1$AbCdEfGhIjKlMnOpQrStUvWxYz0123456789AbCdEfGhIjKlMnOpQrStUvWxYz0123456789AbCdEfGhIjKlMn"

static const GrantDefaults defaults = {OWN, DIRECTORY, KEY};

static char *built(const GrantWords *words)
{
    g_autoptr(json_t) data = grant_build(words, &defaults, NULL);
    assert_non_null(data);
    return json_write(data);
}

static void builds_a_connection_for_our_own_outway(void **state)
{
    GrantWords words = {.service = "persons", .provider = OTHER};
    g_autofree char *text = built(&words);
    assert_string_equal(
        text, "{\"outway\":{\"peer_id\":\"" OWN "\",\"identification\":{\"type\":"
              "\"OUTWAY_IDENTIFICATION_TYPE_PUBLIC_KEY_THUMBPRINT\",\"public_key_thumbprint\":\"" KEY
              "\"}},\"service\":{\"type\":\"SERVICE_TYPE_SERVICE\",\"peer_id\":\"" OTHER
              "\",\"name\":\"persons\"},\"type\":\"GRANT_TYPE_SERVICE_CONNECTION\"}");
}

/* What is built is what contract.c reads: all four types, with every field. */
static void builds_all_four_types_as_the_parser_wants_them(void **state)
{
    const GrantWords all[] = {
        {.service = "persons", .provider = OTHER, .service_delegator = THIRD},
        {.type = "publication", .service = "persons"},
        {.type = "delegated-connection",
         .service = "persons",
         .provider = OTHER,
         .delegator = THIRD,
         .outway_domain = "x.test"},
        {.type = "GRANT_TYPE_DELEGATED_SERVICE_PUBLICATION",
         .service = "persons",
         .delegator = THIRD,
         .protocol = "PROTOCOL_TCP_HTTP_2"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(all); i++) {
        json_t *data = grant_build(&all[i], &defaults, NULL);
        assert_non_null(data);
        g_autoptr(json_t) content = json_pack(
            "{s:s, s:s, s:s, s:{s:i, s:i}, s:[{s:o}], s:s, s:i}", "fsc_version", "2.0.0", "iv",
            "01890000-0000-7000-8000-000000000000", "group_id", "g", "validity", "not_before", 1, "not_after",
            2, "grants", "data", data, "hash_algorithm", "HASH_ALGORITHM_SHA3_512", "created_at", 1);
        g_autoptr(GError) error = NULL;
        g_autoptr(Contract) contract = contract_parse(content, &error);
        assert_null(error);
        assert_int_equal(contract->n_grants, 1);
        assert_string_equal(contract->grants[0].service_name, "persons");
    }
}

static void says_which_option_is_missing_or_out_of_place(void **state)
{
    const struct {
        GrantWords words;
        const char *part;
    } cases[] = {
        {{.provider = OTHER}, "--service NAME is missing"},
        {{.service = "persons"}, "--provider PEER is missing"},
        {{.type = "connections", .service = "persons"}, "--type connections: choose"},
        {{.type = "delegated-connection", .service = "p", .provider = OTHER}, "--delegator PEER is missing"},
        {{.service = "p", .provider = OTHER, .delegator = THIRD}, "--delegator belongs to"},
        {{.type = "publication", .service = "p", .outway_key = KEY}, "a publication has no Outway"},
        {{.service = "p", .provider = OTHER, .protocol = "x"}, "--protocol belongs to publications"},
        {{.service = "p", .provider = OTHER, .directory = OTHER}, "--directory belongs to publications"},
        {{.service = "p", .provider = OTHER, .outway_key = KEY, .outway_domain = "x"}, "not by both"},
        {{.service = "p", .provider = OTHER, .outway_peer = THIRD}, "for the Outway of another Peer say"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        assert_null(grant_build(&cases[i].words, &defaults, &error));
        assert_true(g_error_matches(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_USAGE));
        assert_non_null(strstr(error->message, cases[i].part));
    }
}

static void takes_grants_of_a_file_in_every_shape_up_to_ten(void **state)
{
    static const char *const shapes[] = {"[{\"type\":\"x\"}]", "[{\"data\":{\"type\":\"x\"}}]",
                                         "{\"grants\":[{\"data\":{\"type\":\"x\"}}]}", "{\"type\":\"x\"}"};
    for (gsize i = 0; i < G_N_ELEMENTS(shapes); i++) {
        g_autoptr(json_t) file = json_parse_strict(shapes[i], -1, NULL, NULL);
        g_autoptr(json_t) grants = grants_of_file(file, NULL);
        g_autofree char *text = json_write(grants);
        assert_string_equal(text, "[{\"data\":{\"type\":\"x\"}}]");
    }
    static const char *const refused[] = {"[]", "[1]", "{\"grants\":[]}",
                                          "[{},{},{},{},{},{},{},{},{},{},{}]", "\"x\""};
    for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(json_t) file = json_parse_strict(refused[i], -1, NULL, NULL);
        assert_null(grants_of_file(file, &error));
        assert_true(g_error_matches(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID));
    }
}

static void reads_properties_as_json_or_text(void **state)
{
    g_autoptr(json_t) properties = json_object();
    assert_true(property_add(properties, "a=1", NULL));
    assert_true(property_add(properties, "b=text=more", NULL));
    assert_true(property_add(properties, "c={\"d\":[true]}", NULL));
    g_autofree char *text = json_write(properties);
    assert_string_equal(text, "{\"a\":1,\"b\":\"text=more\",\"c\":{\"d\":[true]}}");
    assert_false(property_add(properties, "none", NULL));
    assert_false(property_add(properties, "=x", NULL));
}

/* --- a new node --- */

static const Setup good = {.oin = OWN,
                           .organization = "Gemeente Waterstad",
                           .group = "group",
                           .domain = "fsc.waterstad.example",
                           .address = "192.0.2.1",
                           .directory = DIRECTORY,
                           .directory_address = "https://manager.directory.example:8443"};

static void refuses_answers_that_cannot_be_right(void **state)
{
    static const char *const bad_services[] = {"no space", NULL},
                             *const bad_clients[] = {"app=nowhere", NULL},
                             *const no_port[] = {"app=127.0.0.1:0", NULL};
    Setup cases[12];
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        cases[i] = good;
    cases[0].oin = "123";
    cases[1].organization = "two\nlines";
    cases[2].group = "not a group";
    cases[3].domain = "no_domain";
    cases[4].address = "manager.example";
    cases[5].directory = "12";
    cases[6].directory_address = "http://manager.example:8443";
    cases[7].directory_address = NULL;
    cases[8].oin = NULL;
    cases[9].services = bad_services;
    cases[10].clients = bad_clients;
    cases[11].clients = no_port;
    assert_true(setup_check(&good, NULL));
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        assert_false(setup_check(&cases[i], &error));
        assert_true(g_error_matches(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_USAGE));
    }
}

/* A line that node.conf would read as something else cannot be smuggled in. */
static void refuses_names_that_would_end_their_line(void **state)
{
    static const char *const names[] = {"x\n[node]", "x # y", "x\r", ""};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        Setup setup = good;
        setup.organization = names[i];
        assert_false(setup_check(&setup, NULL));
    }
}

static void without_a_directory_the_node_is_it(void **state)
{
    Setup setup = good;
    setup.directory = setup.directory_address = NULL;
    assert_true(setup_check(&setup, NULL));
    g_autofree char *text = setup_configuration(&setup);
    assert_non_null(strstr(text, "directory = " OWN "\n"));
    assert_non_null(strstr(text, "accept_publications = yes\n"));
    g_autofree char *other = setup_configuration(&good);
    assert_null(strstr(other, "accept_publications"));
}

/* --- printing --- */

static json_t *sample(void)
{
    return json_pack("{s:s, s:s, s:i, s:i, s:i, s:[{s:s, s:{s:s, s:{s:s}, s:{s:s, s:s}}}], s:[{s:s, s:s, "
                     "s:i}, {s:s, s:s}]}",
                     "hash", HASH, "state", "PROPOSED", "not_before", 1800000000, "not_after", 1800864000,
                     "created_at", 1800000000, "grants", "hash", "$1$3$grant", "data", "type",
                     "GRANT_TYPE_SERVICE_CONNECTION", "outway", "peer_id", OWN, "service", "name", "persons",
                     "peer_id", OTHER, "peers", "peer_id", OWN, "name", "Gemeente Waterstad", "accept",
                     1800000000, "peer_id", OTHER, "name", "Register, of \"Personen\"");
}

static void shows_who_signed_and_who_did_not(void **state)
{
    g_autoptr(json_t) contract = sample();
    g_autofree char *text = render_contract(contract, 1800000000);
    assert_non_null(strstr(text, HASH));
    assert_non_null(strstr(text, "state        proposed"));
    assert_non_null(strstr(text, "10 days left"));
    assert_non_null(strstr(text, "accepted on"));
    assert_non_null(strstr(text, "has not signed"));
    assert_non_null(strstr(text, "the Outway of Gemeente Waterstad"));
    assert_null(strstr(text, "(null)"));
}

static void fits_eighty_columns_but_for_hashes(void **state)
{
    g_autoptr(json_t) contract = sample();
    g_autoptr(json_t) list = json_pack("[O]", contract);
    g_autofree char *one = render_contract(contract, 1800000000);
    g_autofree char *all = render_contracts(list);
    g_autofree char *text = g_strconcat(one, all, NULL);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line != NULL; line++)
        assert_true((*line)[0] == '$' || g_utf8_strlen(*line, -1) <= 80);
}

static void writes_csv_that_is_quoted(void **state)
{
    g_autoptr(json_t) contract = sample();
    json_object_set_new(
        json_object_get(json_object_get(json_array_get(json_object_get(contract, "grants"), 0), "data"),
                        "service"),
        "name", json_string("a,\"b\""));
    g_autoptr(json_t) list = json_pack("[O]", contract);
    g_autofree char *text = render_contracts_csv(list);
    g_auto(GStrv) lines = g_strsplit(text, "\r\n", -1);
    assert_int_equal(g_strv_length(lines), 3);
    assert_non_null(strstr(lines[1], ",\"a,\"\"b\"\"\"," OTHER "," OWN ","));
}

static void csv_holds_no_formulas(void **state)
{
    g_autoptr(json_t) contract = sample();
    json_object_set_new(
        json_object_get(json_object_get(json_array_get(json_object_get(contract, "grants"), 0), "data"),
                        "service"),
        "name", json_string("-cmd"));
    g_autoptr(json_t) list = json_pack("[O]", contract);
    g_autofree char *text = render_contracts_csv(list);
    assert_non_null(strstr(text, ",'-cmd,"));
}

static void tells_only_what_changed(void **state)
{
    g_autoptr(json_t) before = sample();
    g_autoptr(json_t) after = sample();
    g_autofree char *first = render_progress(NULL, before);
    assert_non_null(strstr(first, OWN));
    assert_non_null(strstr(first, OTHER));
    g_autofree char *none = render_progress(before, after);
    assert_string_equal(none, "");
    json_object_set_new(json_array_get(json_object_get(after, "peers"), 1), "accept",
                        json_integer(1800000060));
    g_autofree char *change = render_progress(before, after);
    assert_non_null(strstr(change, OTHER));
    assert_null(strstr(change, OWN));
    assert_non_null(strstr(change, "accepted on 2027-01-15 08:01"));
}

static void a_short_hash_is_what_follows_the_type(void **state)
{
    g_autofree char *text = render_short_hash(HASH);
    assert_string_equal(text, "AbCdEfGhIjKl");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builds_a_connection_for_our_own_outway),
        cmocka_unit_test(builds_all_four_types_as_the_parser_wants_them),
        cmocka_unit_test(says_which_option_is_missing_or_out_of_place),
        cmocka_unit_test(takes_grants_of_a_file_in_every_shape_up_to_ten),
        cmocka_unit_test(reads_properties_as_json_or_text),
        cmocka_unit_test(refuses_answers_that_cannot_be_right),
        cmocka_unit_test(refuses_names_that_would_end_their_line),
        cmocka_unit_test(without_a_directory_the_node_is_it),
        cmocka_unit_test(shows_who_signed_and_who_did_not),
        cmocka_unit_test(fits_eighty_columns_but_for_hashes),
        cmocka_unit_test(writes_csv_that_is_quoted),
        cmocka_unit_test(csv_holds_no_formulas),
        cmocka_unit_test(tells_only_what_changed),
        cmocka_unit_test(a_short_hash_is_what_follows_the_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
