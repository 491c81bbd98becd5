#include "core/node/log.h"
#include "tests/unit/node/support.h"

static void line_is(GLogLevelFlags level, const char *message, const char *trace, const char *expected)
{
    g_autofree char *line = log_line(level, message, trace);
    assert_string_equal(line, expected);
}

static void names_level_component_message_and_trace(void **state)
{
    line_is(G_LOG_LEVEL_MESSAGE, "fsc: a contract came", "0af7651916cd43dd8448eb211c80319c",
            "level=info component=fsc msg=\"a contract came\" trace=0af7651916cd43dd8448eb211c80319c\n");
    line_is(G_LOG_LEVEL_WARNING, "something", NULL, "level=warning component=node msg=\"something\"\n");
    line_is(G_LOG_LEVEL_CRITICAL, "x: y", "", "level=error component=x msg=\"y\"\n");
    line_is(G_LOG_LEVEL_DEBUG, "", NULL, "level=debug component=node msg=\"\"\n");
    line_is(G_LOG_LEVEL_INFO, "Not: one", NULL, "level=info component=node msg=\"Not: one\"\n");
}

static void stays_on_one_line(void **state)
{
    line_is(G_LOG_LEVEL_MESSAGE, "a\nlevel=info \"b\" \\ \t\x1b[31m", NULL,
            "level=info component=node msg=\"a\\nlevel=info \\\"b\\\" \\\\   [31m\"\n");
}

/* A BSN never stands in a log line: not even when a message holds one by mistake. */
static void blots_out_what_looks_like_a_bsn(void **state)
{
    line_is(G_LOG_LEVEL_MESSAGE, "person " SUPPORT_BSN ", twice: x" SUPPORT_BSN, NULL,
            "level=info component=node msg=\"person [number removed], twice: x[number removed]\"\n");
    line_is(G_LOG_LEVEL_MESSAGE, "999990018 00000001000000000002 99999001 9999900190", NULL,
            "level=info component=node msg=\"999990018 00000001000000000002 99999001 9999900190\"\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_level_component_message_and_trace),
        cmocka_unit_test(stays_on_one_line),
        cmocka_unit_test(blots_out_what_looks_like_a_bsn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
