/* The tables here are this test's own: it takes the place of core/base/asset.c. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/asset.h"
#include "core/format/json.h"
#include "core/net/phrases.h"

typedef struct {
    const char *name;
    const char *text;
} Table;

static const char dutch[] = "# comment\n\n"
                            "title = Titel\n"
                            "  spaced\t=  twee  woorden \t\n"
                            "only_dutch = alleen Nederlands\n"
                            "days = {n} dagen\ndays.one = {n} dag\n"
                            "greeting = Dag {name}, {name}! {other} {\n"
                            "equals = a = b\n"
                            "empty =\n"
                            "status.active = actief\nstatus.ended = beëindigd\n";
static const char english[] = "title = Title\nonly_english = English only\nstatus.active = active\n"
                              "greeting = Hello {name}\n";
static const char layout[] =
    "date = {day} {month} {year}\ntime = {date}, {clock}\n"
    "month.1 = januari\nmonth.3 = maart\nmonth.7 = juli\nmonth.11 = november\nmonth.12 = december\n";
static const char layout_english[] = "month.11 = November\n";

static const Table good[] = {
    {"locale/en/layout.txt", layout_english},
    {"locale/en/test.txt", english},
    {"locale/nl/layout.txt", layout},
    {"locale/nl/notes.md", "no table"},
    {"locale/nl/test.txt", dutch},
    {"locale/readme.txt", "no table"},
};

static const Table *tables = good;
static gsize n_tables = G_N_ELEMENTS(good);

const char *asset_find(const char *name, gsize *length)
{
    return NULL;
}

void asset_each(const char *prefix, AssetCallback callback, gpointer user_data)
{
    assert_string_equal(prefix, "locale/");
    for (gsize i = 0; i < n_tables; i++)
        callback(tables[i].name, tables[i].text, strlen(tables[i].text), user_data);
}

/* --- malformed tables; first, since the good ones are read once and for all --- */

static gboolean ends_the_process(const char *text)
{
    pid_t child = fork();
    if (child == 0) {
        Table bad = {"locale/nl/test.txt", text};
        tables = &bad;
        n_tables = 1;
        signal(SIGTRAP, SIG_DFL);
        signal(SIGABRT, SIG_DFL);
        close(STDERR_FILENO);
        phrases_init();
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status);
}

static void ends_the_process_on_a_malformed_table(void **state)
{
    assert_false(ends_the_process("a = b\n"));
    assert_true(ends_the_process("no equals sign\n"));
    assert_true(ends_the_process("a = 1\na = 2\n"));
    assert_true(ends_the_process("two words = 1\n"));
    assert_true(ends_the_process("= 1\n"));
    assert_true(ends_the_process("a = \xff\n"));
}

/* --- asking --- */

static void gives_the_phrase_of_the_language(void **state)
{
    assert_string_equal(phrase("nl", "test.title"), "Titel");
    assert_string_equal(phrase("en", "test.title"), "Title");
}

static void falls_back_to_dutch_phrase_by_phrase(void **state)
{
    assert_string_equal(phrase("en", "test.only_dutch"), "alleen Nederlands");
    assert_string_equal(phrase("pap", "test.title"), "Titel");
    assert_string_equal(phrase("nl", "test.only_english"), "test.only_english");
}

static void shows_the_key_of_what_is_missing(void **state)
{
    assert_string_equal(phrase("nl", "test.absent"), "test.absent");
    assert_string_equal(phrase("nl", "absent.title"), "absent.title");
}

static void reads_lines_as_they_are_meant(void **state)
{
    assert_string_equal(phrase("nl", "test.spaced"), "twee  woorden");
    assert_string_equal(phrase("nl", "test.equals"), "a = b");
    assert_string_equal(phrase("nl", "test.empty"), "");
}

static void fills_in_placeholders(void **state)
{
    g_autofree char *english_text = phrase_format("en", "test.greeting", "name", "{name}", NULL);
    assert_string_equal(english_text, "Hello {name}");
    g_autofree char *text =
        phrase_format("nl", "test.greeting", "nam", "x", "name", "Jo", "names", "y", NULL);
    assert_string_equal(text, "Dag Jo, Jo! {other} {");
    g_autofree char *plain = phrase_format("nl", "test.title", NULL);
    assert_string_equal(plain, "Titel");
}

static void one_has_a_phrase_of_its_own(void **state)
{
    static const char *const cases[][2] = {
        {"0", "0 dagen"}, {"1", "1 dag"}, {"2", "2 dagen"}, {"11", "11 dagen"}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = phrase_format("nl", "test.days", "n", cases[i][0], NULL);
        assert_string_equal(text, cases[i][1]);
    }
    g_autofree char *without = phrase_format("nl", "test.title", "n", "1", NULL);
    assert_string_equal(without, "Titel");
}

/* --- for templates --- */

static void gives_a_component_as_an_object(void **state)
{
    g_autoptr(json_t) all = phrases_of("en", "test");
    assert_string_equal(json_string_at(all, "title"), "Title");
    assert_string_equal(json_string_at(all, "only_dutch"), "alleen Nederlands");
    assert_string_equal(json_string_at(all, "days"), "{n} dagen");
    assert_string_equal(json_string_at(json_object_get(all, "status"), "active"), "active");
    assert_string_equal(json_string_at(json_object_get(all, "status"), "ended"), "beëindigd");
    assert_null(json_object_get(all, "month"));
    g_autoptr(json_t) none = phrases_of("nl", "absent");
    assert_int_equal(json_object_size(none), 0);
    g_autoptr(json_t) unknown = phrases_of("xx", "test");
    assert_string_equal(json_string_at(unknown, "title"), "Titel");
}

static void an_object_may_be_changed_by_who_asked_for_it(void **state)
{
    g_autoptr(json_t) mine = phrases_of("nl", "test");
    json_object_set_new(mine, "title", json_string("changed"));
    g_autoptr(json_t) other = phrases_of("nl", "test");
    assert_string_equal(json_string_at(other, "title"), "Titel");
}

/* --- moments --- */

static void assert_moment(const char *language, gint64 unix_s, const char *zone, const char *expected)
{
    g_autofree char *text = phrase_time(language, unix_s * 1000, zone);
    assert_string_equal(text, expected);
}

static void writes_a_moment_in_local_time(void **state)
{
    assert_moment("nl", 1795282261, "Europe/Amsterdam", "21 november 2026, 18:31");
    assert_moment("en", 1795282261, "Europe/Amsterdam", "21 November 2026, 18:31");
    assert_moment("nl", 1795282261, "America/Kralendijk", "21 november 2026, 13:31");
    assert_moment("nl", 1795282261, NULL, "21 november 2026, 18:31");
}

static void knows_summer_time_and_the_turn_of_the_year(void **state)
{
    assert_moment("nl", 1783152000, "Europe/Amsterdam", "4 juli 2026, 10:00");
    assert_moment("nl", 1774745999, "Europe/Amsterdam", "29 maart 2026, 01:59");
    assert_moment("nl", 1774746000, "Europe/Amsterdam", "29 maart 2026, 03:00");
    assert_moment("nl", 1798758000, "Europe/Amsterdam", "1 januari 2027, 00:00");
    assert_moment("nl", 1798758000, "America/Kralendijk", "31 december 2026, 19:00");
}

static void writes_a_date(void **state)
{
    g_autofree char *there = phrase_date("nl", 1798758000000, "Europe/Amsterdam");
    assert_string_equal(there, "1 januari 2027");
    g_autofree char *beyond = phrase_date("nl", G_MAXINT64, "Europe/Amsterdam");
    assert_string_equal(beyond, "?");
}

/* --- which language --- */

static void finds_a_language_by_its_code(void **state)
{
    assert_string_equal(language_find("nl"), "nl");
    assert_string_equal(language_find("EN"), "en");
    assert_null(language_find("xx"));
    assert_null(language_find(""));
    assert_null(language_find(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_the_process_on_a_malformed_table),
        cmocka_unit_test(gives_the_phrase_of_the_language),
        cmocka_unit_test(falls_back_to_dutch_phrase_by_phrase),
        cmocka_unit_test(shows_the_key_of_what_is_missing),
        cmocka_unit_test(reads_lines_as_they_are_meant),
        cmocka_unit_test(fills_in_placeholders),
        cmocka_unit_test(one_has_a_phrase_of_its_own),
        cmocka_unit_test(gives_a_component_as_an_object),
        cmocka_unit_test(an_object_may_be_changed_by_who_asked_for_it),
        cmocka_unit_test(writes_a_moment_in_local_time),
        cmocka_unit_test(knows_summer_time_and_the_turn_of_the_year),
        cmocka_unit_test(writes_a_date),
        cmocka_unit_test(finds_a_language_by_its_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
