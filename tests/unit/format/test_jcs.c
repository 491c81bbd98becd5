#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/format/jcs.h"
#include "core/format/json.h"

static double double_of_bits(guint64 bits)
{
    double number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

static void canonicalizes(const char *text, const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) value = json_parse_strict(text, -1, NULL, &error);
    assert_null(error);
    g_autofree char *written = jcs_write(value, &error);
    assert_null(error);
    assert_string_equal(written, expected);
}

/* RFC 8785 appendix B: bits of the double and its text. */
static void prints_numbers_as_ecmascript_does(void **state)
{
    static const struct {
        guint64 bits;
        const char *text;
    } cases[] = {
        {0x0000000000000000, "0"},
        {0x8000000000000000, "0"},
        {0x0000000000000001, "5e-324"},
        {0x8000000000000001, "-5e-324"},
        {0x7fefffffffffffff, "1.7976931348623157e+308"},
        {0xffefffffffffffff, "-1.7976931348623157e+308"},
        {0x4340000000000000, "9007199254740992"},
        {0xc340000000000000, "-9007199254740992"},
        {0x4430000000000000, "295147905179352830000"},
        {0x44b52d02c7e14af5, "9.999999999999997e+22"},
        {0x44b52d02c7e14af6, "1e+23"},
        {0x44b52d02c7e14af7, "1.0000000000000001e+23"},
        {0x444b1ae4d6e2ef4e, "999999999999999700000"},
        {0x444b1ae4d6e2ef4f, "999999999999999900000"},
        {0x444b1ae4d6e2ef50, "1e+21"},
        {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
        {0x3eb0c6f7a0b5ed8d, "0.000001"},
        {0x41b3de4355555553, "333333333.3333332"},
        {0x41b3de4355555554, "333333333.33333325"},
        {0x41b3de4355555555, "333333333.3333333"},
        {0x41b3de4355555556, "333333333.3333334"},
        {0x41b3de4355555557, "333333333.33333343"},
        {0xbecbf647612f3696, "-0.0000033333333333333333"},
        {0x43143ff3c1cb0959, "1424953923781206.2"},
    };
    char text[32];
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        assert_true(jcs_format_number(double_of_bits(cases[i].bits), text));
        assert_string_equal(text, cases[i].text);
    }
}

static void switches_to_exponents_at_1e21_and_1e_7(void **state)
{
    canonicalizes("[1e20, 1e21, 1.5e21, 123e18, 1e-6, 1e-7, 1.25e-7]",
                  "[100000000000000000000,1e+21,1.5e+21,123000000000000000000,0.000001,1e-7,1.25e-7]");
    canonicalizes("[4.50, 2e-3, 56.0, 1E30, -0.0, -0, 1e-27, 333333333.33333329, 0.1, 100, -1]",
                  "[4.5,0.002,56,1e+30,0,0,1e-27,333333333.3333333,0.1,100,-1]");
}

/* Just above a power of two the shortest text is not always the nearest of its length. */
static void finds_the_shortest_digits_at_powers_of_two(void **state)
{
    char text[32];
    assert_true(jcs_format_number(ldexp(1, -44), text));
    assert_string_equal(text, "5.684341886080802e-14");
    assert_true(jcs_format_number(ldexp(1, -1074 + 52), text)); /* the smallest normal number */
    assert_string_equal(text, "2.2250738585072014e-308");
    assert_true(jcs_format_number(ldexp(1, -1074 + 51), text)); /* subnormal */
    assert_string_equal(text, "1.1125369292536007e-308");
}

/* Every text must read back as the same double, and no text that is one digit shorter may. */
static void numbers_read_back_as_themselves(void **state)
{
    guint64 bits = 0x9e3779b97f4a7c15;
    char text[32];
    for (int i = 0; i < 20000; i++) {
        bits = bits * 6364136223846793005u + 1442695040888963407u;
        double number = double_of_bits(i % 4 == 0 ? bits & 0xfff0000000000000 : bits ^ bits >> 29);
        if (!isfinite(number))
            continue;
        assert_true(jcs_format_number(number, text));
        double back = g_ascii_strtod(text, NULL);
        assert_memory_equal(&(double){back + 0.0}, &(double){number + 0.0}, sizeof number);
    }
}

static void refuses_numbers_that_json_cannot_hold(void **state)
{
    char text[32];
    assert_false(jcs_format_number(NAN, text));
    assert_false(jcs_format_number(INFINITY, text));
    assert_false(jcs_format_number(-INFINITY, text));
    assert_true(jcs_format_number(DBL_MAX, text));
}

/* RFC 8785 3.1 with RFC 7493 2.2. */
static void refuses_integers_beyond_2_53(void **state)
{
    static const gint64 wrong[] = {9007199254740992, -9007199254740992, G_MAXINT64, G_MININT64};
    g_autoptr(json_t) most = json_integer(9007199254740991);
    g_autofree char *text = jcs_write(most, NULL);
    assert_string_equal(text, "9007199254740991");
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(json_t) value = json_pack("{s:[i,I]}", "a", 1, (json_int_t)wrong[i]);
        assert_null(jcs_write(value, &error));
        assert_true(g_error_matches(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID));
    }
}

/* RFC 8785 3.2.3: sorted by UTF-16 code units, where surrogates (D800 to DFFF) come before U+E000 to U+FFFF.
 */
static void sorts_by_utf16_code_units(void **state)
{
    canonicalizes("{\"\\ufb33\":1,\"\\ud83d\\ude02\":2,\"\\ue000\":3,\"\\ud7ff\":4,\"\\ud800\\udc00\":5,"
                  "\"\\udbff\\udffd\":6,\"\\uffef\":7}",
                  "{\"\xed\x9f\xbf\":4,\"\xf0\x90\x80\x80\":5,\"\xf0\x9f\x98\x82\":2,\"\xf4\x8f\xbf\xbd\":6,"
                  "\"\xee\x80\x80\":3,\"\xef\xac\xb3\":1,\"\xef\xbf\xaf\":7}");
}

static void sorts_a_prefix_before_what_it_begins(void **state)
{
    canonicalizes("{\"ab\":1,\"a\":2,\"\":3,\"abc\":4,\"B\":5}",
                  "{\"\":3,\"B\":5,\"a\":2,\"ab\":1,\"abc\":4}");
    canonicalizes("{\"a\\ud83d\\ude02\":1,\"a\\uff00\":2,\"a\":3}",
                  "{\"a\":3,\"a\xf0\x9f\x98\x82\":1,\"a\xef\xbc\x80\":2}");
}

static void sorts_at_every_depth_and_keeps_arrays(void **state)
{
    canonicalizes("[ { \"b\" : [ 3 , 1 , { \"z\":1, \"y\":{} } ] , \"a\" : [ ] } ]",
                  "[{\"a\":[],\"b\":[3,1,{\"y\":{},\"z\":1}]}]");
}

/* RFC 8785 3.2.2.2 */
static void escapes_only_what_it_must(void **state)
{
    canonicalizes("\"\\u0008\\u0009\\u000a\\u000c\\u000d\\u0022\\u005c\\/\\u001f\\u007f\\u2028\\u00e9\"",
                  "\"\\b\\t\\n\\f\\r\\\"\\\\/\\u001f\x7f\xe2\x80\xa8\xc3\xa9\"");
    canonicalizes("\"\\u0001\\u000b\\u000e\"", "\"\\u0001\\u000b\\u000e\"");
}

static void does_not_normalize_unicode(void **state)
{
    canonicalizes("[\"A\\u030a\",\"\\u00c5\"]", "[\"A\xcc\x8a\",\"\xc3\x85\"]");
}

/* The expected bytes as the vectors give them: hexadecimal in groups of two. */
static char *read_hex(const char *path)
{
    g_autofree char *text = NULL;
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    GString *hex = g_string_new(NULL);
    for (const char *at = text; *at != '\0'; at++)
        if (g_ascii_isxdigit(*at))
            g_string_append_c(hex, *at);
    return g_string_free(hex, FALSE);
}

static void check_vector(const char *folder, const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *in = g_strdup_printf("%s/input/%s.json", folder, name);
    g_autofree char *out = g_strdup_printf("%s/output/%s.json", folder, name);
    g_autofree char *hex_path = g_strdup_printf("%s/outhex/%s.txt", folder, name);
    g_autofree char *expected = NULL;
    gsize length;
    g_autoptr(json_t) value = json_read_file(in, NULL, &error);
    assert_null(error);
    g_autofree char *written = jcs_write(value, &error);
    assert_null(error);
    assert_true(g_file_get_contents(out, &expected, &length, NULL));
    assert_int_equal(strlen(written), length);
    assert_memory_equal(written, expected, length);
    g_autofree char *hex = read_hex(hex_path);
    g_autofree char *written_hex = hex_encode(written, strlen(written));
    assert_string_equal(written_hex, hex);
}

/* The folder with the vectors, or NULL. */
static char *vectors_find(void)
{
    const char *data = g_getenv("FUNDAMENT_DATA");
    g_autofree char *folder = g_build_filename(data != NULL ? data : "", "fsc", "jcs", NULL);
    return g_file_test(folder, G_FILE_TEST_IS_DIR) ? g_steal_pointer(&folder) : NULL;
}

static void agrees_with_the_published_vectors(void **state)
{
    static const char *const names[] = {"arrays", "french", "structures", "unicode", "values", "weird"};
    g_autofree char *folder = vectors_find();
    if (folder == NULL) {
        print_message("# skipped: no ../shared/data\n");
        skip();
    }
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        check_vector(folder, names[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_numbers_as_ecmascript_does),
        cmocka_unit_test(switches_to_exponents_at_1e21_and_1e_7),
        cmocka_unit_test(finds_the_shortest_digits_at_powers_of_two),
        cmocka_unit_test(numbers_read_back_as_themselves),
        cmocka_unit_test(refuses_numbers_that_json_cannot_hold),
        cmocka_unit_test(refuses_integers_beyond_2_53),
        cmocka_unit_test(sorts_by_utf16_code_units),
        cmocka_unit_test(sorts_a_prefix_before_what_it_begins),
        cmocka_unit_test(sorts_at_every_depth_and_keeps_arrays),
        cmocka_unit_test(escapes_only_what_it_must),
        cmocka_unit_test(does_not_normalize_unicode),
        cmocka_unit_test(agrees_with_the_published_vectors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
