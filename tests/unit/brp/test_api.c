/* The API over real sockets: what is answered, and what no answer and no line of our log ever holds. */
#include "tests/unit/brp/register.h"
#include "tests/unit/node/support.h"

#define BSN "999990019"
#define PERSONS                                                                                              \
    "[{\"burgerservicenummer\": \"" BSN "\", \"naam\": {\"voornamen\": \"Sara\", \"voorvoegsel\": \"van\", " \
    "\"geslachtsnaam\": \"Verborgen\"}, \"geboorte\": {\"datum\": \"19880412\"}, \"geslacht\": {\"code\": "  \
    "\"V\", \"omschrijving\": \"vrouw\"}, \"datumInschrijvingInGemeente\": \"20100101\","                    \
    " \"geheimhoudingPersoonsgegevens\": 7}]"
#define ASK_FOR(fields)                                                                                      \
    "{\"type\": \"RaadpleegMetBurgerservicenummer\", \"fields\": [" fields "], \"burgerservicenummer\": "    \
    "[\"" BSN "\"]}"
#define ASK ASK_FOR("\"burgerservicenummer\"")
#define SEARCH                                                                                               \
    "{\"type\": \"ZoekMetGeslachtsnaamEnGeboortedatum\", \"fields\": [\"burgerservicenummer\", "             \
    "\"naam.volledigeNaam\"], \"geboortedatum\": \"1988-04-12\", \"geslachtsnaam\": \"verborgen\"}"
#define RFC "https://datatracker.ietf.org/doc/html/rfc7231#section-"

/* All lines that this program logs. */
static GMutex lines_lock;
static GString *lines;

static GLogWriterOutput keep_line(GLogLevelFlags level, const GLogField *fields, gsize n_fields,
                                  gpointer user_data)
{
    g_mutex_lock(&lines_lock);
    for (gsize i = 0; i < n_fields; i++)
        if (strcmp(fields[i].key, "MESSAGE") == 0)
            g_string_append_printf(lines, "%s\n", (const char *)fields[i].value);
    g_mutex_unlock(&lines_lock);
    return G_LOG_WRITER_HANDLED;
}

static int setup(void **state)
{
    g_string_truncate(lines, 0);
    *state = register_new(FALSE, PERSONS, NULL);
    return 0;
}

static int teardown(void **state)
{
    register_free(*state);
    return 0;
}

/* --- answers --- */

static void the_person_who_was_asked_is_given(void **state)
{
    g_autoptr(HttpReply) reply = register_call(*state, "POST", REGISTER_PATH, NULL, ASK_FOR("\"naam\""));
    g_autofree char *text = register_text(reply);
    assert_int_equal(reply->status, 200);
    assert_string_equal(reply->content_type, "application/json");
    g_autoptr(json_t) answer = parsed(text);
    assert_json(answer, "{\"type\": \"RaadpleegMetBurgerservicenummer\", \"personen\": [{\"naam\": {"
                        "\"voornamen\": \"Sara\", \"voorletters\": \"S.\", \"voorvoegsel\": \"van\","
                        " \"geslachtsnaam\": \"Verborgen\", \"volledigeNaam\": \"Sara van Verborgen\"},"
                        " \"geheimhoudingPersoonsgegevens\": true}]}");
}

static void a_search_gives_the_limited_person(void **state)
{
    g_autoptr(json_t) answer = register_ask(*state, SEARCH, 200);
    assert_json(answer, "{\"type\": \"ZoekMetGeslachtsnaamEnGeboortedatum\", \"personen\": [{"
                        "\"burgerservicenummer\": \"" BSN "\", \"naam\": {\"volledigeNaam\": "
                        "\"Sara van Verborgen\"}, \"geheimhoudingPersoonsgegevens\": true}]}");
}

static void nobody_is_an_empty_list(void **state)
{
    g_autoptr(json_t) answer =
        register_ask(*state,
                     "{\"type\": \"RaadpleegMetBurgerservicenummer\", \"fields\": [\"naam\"],"
                     " \"burgerservicenummer\": [\"000009830\"]}",
                     200);
    assert_json(answer, "{\"type\": \"RaadpleegMetBurgerservicenummer\", \"personen\": []}");
}

static void a_register_without_a_file_holds_nobody(void **state)
{
    Register *empty = register_new(FALSE, NULL, NULL);
    g_autoptr(json_t) answer = register_ask(empty, ASK, 200);
    register_free(empty);
    assert_json(answer, "{\"type\": \"RaadpleegMetBurgerservicenummer\", \"personen\": []}");
}

/* The day in the Netherlands is the day that counts: at 23:30 UTC on the eve of a birthday it has begun. */
static void ages_are_those_of_the_day_in_the_netherlands(void **state)
{
    Register *reg = *state;
    static const struct {
        const char *when, *expected;
    } CASES[] = {
        {"2026-04-11T21:59:00Z", "37"}, /* 23:59 in summer */
        {"2026-04-11T22:01:00Z", "38"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(CASES[i].when, NULL);
        reg->clock.fixed_us = g_date_time_to_unix(time) * G_USEC_PER_SEC;
        g_autoptr(json_t) answer = register_ask(reg, ASK_FOR("\"leeftijd\""), 200);
        g_autofree char *expected =
            g_strdup_printf("{\"leeftijd\": %s, \"geheimhoudingPersoonsgegevens\": true}", CASES[i].expected);
        assert_json(json_array_get(json_object_get(answer, "personen"), 0), expected);
    }
}

/* --- faults, in the API's own format --- */

/* `detail` NULL: not looked at. */
static void assert_fault(Register *reg, const char *method, const char *path, const char *const *headers,
                         const char *body, guint status, const char *section, const char *title,
                         const char *detail, const char *code)
{
    g_autoptr(HttpReply) reply = register_call(reg, method, path, headers, body);
    g_autofree char *text = register_text(reply);
    if (reply->status != status)
        fail_msg("%s: expected %u, found %u: %s", body, status, reply->status, text);
    assert_string_equal(reply->content_type, "application/problem+json");
    g_autoptr(json_t) fault = parsed(text);
    g_autofree char *type = g_strconcat(RFC, section, NULL);
    assert_string_equal(json_string_at(fault, "type"), type);
    assert_string_equal(json_string_at(fault, "title"), title);
    assert_string_equal(json_string_at(fault, "code"), code);
    assert_string_equal(json_string_at(fault, "instance"), REGISTER_PATH);
    assert_int_equal(json_integer_at(fault, "status"), status);
    if (detail != NULL)
        assert_string_equal(json_string_at(fault, "detail"), detail);
    assert_null(json_object_get(fault, "personen"));
}

#define JSON_HEADER "Content-Type: application/json"
#define SUPPORTED "Ondersteunde content type: application/json; charset=utf-8."

static void another_content_type_is_415(void **state)
{
    static const char *const HEADERS[][2] = {{"Content-Type: application/xml", NULL},
                                             {"Content-Type: text/csv", NULL},
                                             {"Content-Type: application/json; charset=cp1252", NULL},
                                             {"Content-Type: application/x-www-form-urlencoded", NULL}};
    for (gsize i = 0; i < G_N_ELEMENTS(HEADERS); i++)
        assert_fault(*state, "POST", REGISTER_PATH, HEADERS[i], ASK, 415, "6.5.13",
                     "Media Type wordt niet ondersteund.", SUPPORTED, "unsupportedMediaType");
}

static void an_answer_that_is_not_accepted_is_406(void **state)
{
    static const char *const HEADERS[][3] = {{JSON_HEADER, "Accept: application/xml", NULL},
                                             {JSON_HEADER, "Accept: text/csv", NULL},
                                             {JSON_HEADER, "Accept: application/json; charset=cp1252", NULL}};
    for (gsize i = 0; i < G_N_ELEMENTS(HEADERS); i++)
        assert_fault(*state, "POST", REGISTER_PATH, HEADERS[i], ASK, 406, "6.5.6",
                     "Gevraagde content type wordt niet ondersteund.", SUPPORTED, "notAcceptable");
}

static void media_types_that_fit_are_answered(void **state)
{
    static const char *const HEADERS[][3] = {
        {JSON_HEADER, "Accept: application/json", NULL},
        {"Content-Type: application/json; charset=utf-8", "Accept: application/json; charset=utf-8", NULL},
        {"Content-Type: Application/JSON;charset=UTF-8", "Accept: text/html, */*; q=0.1", NULL},
        {JSON_HEADER, "Accept: */*", NULL},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(HEADERS); i++) {
        g_autoptr(HttpReply) reply = register_call(*state, "POST", REGISTER_PATH, HEADERS[i], ASK);
        assert_int_equal(reply->status, 200);
    }
}

static void another_method_is_405_and_says_which_is_right(void **state)
{
    static const char *const METHODS[] = {"GET", "PUT", "PATCH", "DELETE", "OPTIONS"};
    for (gsize i = 0; i < G_N_ELEMENTS(METHODS); i++) {
        assert_fault(*state, METHODS[i], REGISTER_PATH, NULL, i % 2 == 0 ? NULL : ASK, 405, "6.5.5",
                     "Methode wordt niet ondersteund.", "Ondersteunde methode: POST.", "methodNotAllowed");
        g_autoptr(HttpReply) reply = register_call(*state, METHODS[i], REGISTER_PATH, NULL, NULL);
        assert_string_equal(g_hash_table_lookup(reply->headers, "allow"), "POST");
    }
}

static void a_body_that_is_no_json_is_400_with_its_place(void **state)
{
    static const struct {
        const char *body, *detail;
    } CASES[] = {
        {"{", "De body is geen geldige JSON: regel 1, kolom 2."},
        {ASK "}", NULL},
        {"{\n  \"type\": ,\n}", "De body is geen geldige JSON: regel 2, kolom 11."},
        {"{\"type\": \"a\", \"type\": \"b\"}", NULL},
        {"\xff", NULL},
        {"", NULL},
        {"type=RaadpleegMetBurgerservicenummer", NULL},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++)
        assert_fault(*state, "POST", REGISTER_PATH, NULL, CASES[i].body, 400, "6.5.1",
                     "Het verzoek is niet te lezen.", CASES[i].detail, "invalidJson");
}

static void a_body_of_more_than_64_kib_is_413(void **state)
{
    g_autofree char *spaces = g_strnfill(64 * 1024 - strlen(ASK), ' ');
    g_autofree char *largest = g_strconcat(ASK, spaces, NULL), *larger = g_strconcat(largest, " ", NULL);
    g_autoptr(json_t) answer = register_ask(*state, largest, 200);
    assert_fault(*state, "POST", REGISTER_PATH, NULL, larger, 413, "6.5.11", "Het verzoek is te groot.",
                 "De body mag 64 KiB groot zijn.", "payloadTooLarge");
}

static void parameters_in_the_address_are_refused(void **state)
{
    static const char *const ADDRESSES[] = {REGISTER_PATH "?fields=naam", REGISTER_PATH "?type",
                                            REGISTER_PATH "?burgerservicenummer=" BSN};
    for (gsize i = 0; i < G_N_ELEMENTS(ADDRESSES); i++)
        assert_fault(*state, "POST", ADDRESSES[i], NULL, ASK, 400, "6.5.1",
                     "Een of meerdere parameters zijn niet correct.",
                     "Parameters horen in de body, niet in het adres.", "paramsValidation");
}

/* What all may be wrong with parameters: test_query.c. */
static void parameters_that_are_wrong_are_400_with_each_of_them(void **state)
{
    Register *reg = *state;
    g_autoptr(json_t) fault = register_ask(
        reg, "{\"type\": \"RaadpleegMetBurgerservicenummer\", \"burgerservicenummer\": [\"1\"]}", 400);
    assert_json(
        json_object_get(fault, "invalidParams"),
        "[{\"name\": \"burgerservicenummer[0]\", \"code\": \"pattern\", \"reason\": \"Waarde voldoet niet "
        "aan patroon ^[0-9]{9}$.\"}, {\"name\": \"fields\", \"code\": \"required\", \"reason\": "
        "\"Parameter is verplicht.\"}]");
}

static void a_store_that_fails_is_500_without_data(void **state)
{
    Register *reg = *state;
    register_run_sql(reg, "ALTER TABLE brp_persons RENAME TO brp_persons_away");
    assert_fault(reg, "POST", REGISTER_PATH, NULL, ASK, 500, "6.6.1", "Interne server fout.", NULL,
                 "serverError");
    assert_fault(reg, "POST", REGISTER_PATH, NULL, SEARCH, 500, "6.6.1", "Interne server fout.", NULL,
                 "serverError");
    register_run_sql(reg, "ALTER TABLE brp_persons_away RENAME TO brp_persons");
    g_autoptr(json_t) records = register_records(reg);
    assert_int_equal(json_array_size(records), 0);
    g_autoptr(json_t) answer = register_ask(reg, ASK, 200);
    assert_non_null(strstr(lines->str, "no persons were given"));
    assert_null(strstr(lines->str, BSN));
}

static void a_record_in_the_store_that_is_no_json_is_500_without_data(void **state)
{
    Register *reg = *state;
    register_run_sql(reg, "UPDATE brp_persons SET record = '{\"Verborgen\": 1, \"Verborgen\": 2}'");
    g_autoptr(json_t) fault = register_ask(reg, ASK, 500);
    g_autofree char *text = json_write(fault);
    assert_null(strstr(text, "Verborgen"));
}

/* --- names and numbers of persons --- */

/* Questions with a person's number and name in every place where somebody may put them. */
static const char *const MISTAKES[] = {
    "{\"type\": \"" BSN "\"}",
    "{\"type\": \"Verborgen\"}",
    "{\"type\": \"RaadpleegMetBurgerservicenummer\", \"fields\": [\"Verborgen\", \"" BSN "\", \"naam." BSN
    "\"], \"burgerservicenummer\": [\"" BSN "\"]}",
    "{\"type\": \"RaadpleegMetBurgerservicenummer\", \"fields\": \"Verborgen\", \"burgerservicenummer\": "
    "\"" BSN "\"}",
    "{\"type\": \"RaadpleegMetBurgerservicenummer\", \"fields\": [\"naam\"], \"burgerservicenummer\": [\"" BSN
    " \", \"Verborgen\", " BSN "]}",
    "{\"type\": \"RaadpleegMetBurgerservicenummer\", \"fields\": [\"naam\"], \"burgerservicenummer\": [\"" BSN
    "\"], \"Verborgen\": 1, \"" BSN "\": 2, \"bsn" BSN "\": 3, \"van Verborgen\": 4}",
    "{\"type\": \"RaadpleegMetBurgerservicenummer\", \"fields\": [\"naam\"], \"burgerservicenummer\": [\"" BSN
    "\"], \"gemeenteVanInschrijving\": \"" BSN "\"}",
    "{\"type\": \"ZoekMetGeslachtsnaamEnGeboortedatum\", \"fields\": [\"naam\"], \"geslachtsnaam\": "
    "\"Verborgen!\", \"geboortedatum\": \"" BSN "\", \"voornamen\": \"" BSN "?\", \"voorvoegsel\": "
    "\"Verborgen Verborgen Verborgen\", \"geslacht\": \"Verborgen\", \"inclusiefOverledenPersonen\": \"" BSN
    "\"}",
    "{\"Verborgen\": 1, \"Verborgen\": 2}",
    "{\"" BSN "\": 1, \"" BSN "\": 2}",
    "{\"burgerservicenummer\": [\"" BSN "\"], \"Verborgen",
    "{\"burgerservicenummer\": " BSN "x}",
    BSN " Verborgen",
    "\"" BSN "\"",
    "[\"Verborgen\"]",
};

static void assert_told_nobody(const HttpReply *reply, const char *question)
{
    g_autofree char *text = register_text(reply);
    GHashTableIter iter;
    gpointer name, value;
    if (strstr(text, BSN) != NULL || strcasestr(text, "verborgen") != NULL)
        fail_msg("%s\nis answered with %s", question, text);
    g_hash_table_iter_init(&iter, reply->headers);
    while (g_hash_table_iter_next(&iter, &name, &value)) {
        assert_null(strstr(value, BSN));
        assert_null(strcasestr(value, "verborgen"));
    }
}

static void no_fault_and_no_line_of_the_log_repeats_a_number_or_a_name(void **state)
{
    Register *reg = *state;
    for (gsize i = 0; i < G_N_ELEMENTS(MISTAKES); i++) {
        g_autoptr(HttpReply) reply = register_call(reg, "POST", REGISTER_PATH, NULL, MISTAKES[i]);
        if (reply->status != 400)
            fail_msg("%s: %u", MISTAKES[i], reply->status);
        assert_told_nobody(reply, MISTAKES[i]);
    }
    static const char *const ADDRESSES[] = {REGISTER_PATH "?Verborgen=" BSN, REGISTER_PATH "/" BSN,
                                            REGISTER_PATH "/Verborgen", REGISTER_PATH "?" BSN};
    for (gsize i = 0; i < G_N_ELEMENTS(ADDRESSES); i++) {
        g_autoptr(HttpReply) reply = register_call(reg, "POST", ADDRESSES[i], NULL, ASK);
        assert_in_range(reply->status, 400, 404);
        assert_told_nobody(reply, ADDRESSES[i]);
    }
    assert_null(strstr(lines->str, BSN));
    assert_null(strcasestr(lines->str, "verborgen"));
}

static void no_fault_of_ours_repeats_a_number_or_a_name(void **state)
{
    Register *reg = *state;
    static const char *const QUESTIONS[] = {ASK, SEARCH};
    for (gsize i = 0; i < G_N_ELEMENTS(QUESTIONS); i++) {
        register_fill_disk();
        g_autoptr(HttpReply) unlogged = register_call(reg, "POST", REGISTER_PATH, NULL, QUESTIONS[i]);
        register_free_disk(reg);
        register_run_sql(reg, "ALTER TABLE brp_persons RENAME TO brp_persons_away");
        g_autoptr(HttpReply) unfound = register_call(reg, "POST", REGISTER_PATH, NULL, QUESTIONS[i]);
        register_run_sql(reg, "ALTER TABLE brp_persons_away RENAME TO brp_persons");
        assert_in_range(unlogged->status, 500, 503);
        assert_in_range(unfound->status, 500, 503);
        assert_told_nobody(unlogged, QUESTIONS[i]);
        assert_told_nobody(unfound, QUESTIONS[i]);
    }
    assert_non_null(strstr(lines->str, "no persons were given"));
    assert_null(strstr(lines->str, BSN));
    assert_null(strcasestr(lines->str, "verborgen"));
}

#define served(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    lines = g_string_new(NULL);
    g_log_set_writer_func(keep_line, NULL, NULL);
    const struct CMUnitTest tests[] = {
        served(the_person_who_was_asked_is_given),
        served(a_search_gives_the_limited_person),
        served(nobody_is_an_empty_list),
        cmocka_unit_test(a_register_without_a_file_holds_nobody),
        served(ages_are_those_of_the_day_in_the_netherlands),
        served(another_content_type_is_415),
        served(an_answer_that_is_not_accepted_is_406),
        served(media_types_that_fit_are_answered),
        served(another_method_is_405_and_says_which_is_right),
        served(a_body_that_is_no_json_is_400_with_its_place),
        served(a_body_of_more_than_64_kib_is_413),
        served(parameters_in_the_address_are_refused),
        served(parameters_that_are_wrong_are_400_with_each_of_them),
        served(a_store_that_fails_is_500_without_data),
        served(a_record_in_the_store_that_is_no_json_is_500_without_data),
        served(no_fault_and_no_line_of_the_log_repeats_a_number_or_a_name),
        served(no_fault_of_ours_repeats_a_number_or_a_name),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    g_string_free(lines, TRUE);
    return failed;
}
