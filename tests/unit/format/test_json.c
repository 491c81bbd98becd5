#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <glib/gstdio.h>

#include "core/base/error.h"
#include "core/format/json.h"

static void accepts(const char *text, const char *written)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) value = json_parse_strict(text, -1, NULL, &error);
    if (error != NULL)
        fail_msg("%s: %s", text, error->message);
    g_autofree char *again = json_write(value);
    assert_string_equal(again, written);
}

static void refuses_bytes(const char *text, gsize length, const JsonLimits *limits, int code,
                          const char *message)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) value = json_parse_strict(text, (gssize)length, limits, &error);
    if (value != NULL)
        fail_msg("accepted, expected: %s", message);
    assert_string_equal(error->message, message);
    assert_true(g_error_matches(error, FUNDAMENT_ERROR, code));
}

static void refuses(const char *text, const char *message)
{
    refuses_bytes(text, strlen(text), NULL, FUNDAMENT_ERROR_INVALID, message);
}

static void accepts_every_kind_of_value(void **state)
{
    accepts("{\"a\":[1,-2.5,\"x\",true,false,null,{}]}", "{\"a\":[1,-2.5,\"x\",true,false,null,{}]}");
    accepts(" \t\r\n7 \n", "7");
    accepts("\"\"", "\"\"");
    accepts("null", "null");
    accepts("[]", "[]");
    accepts("{\"\":0}", "{\"\":0}");
}

static void keeps_the_order_of_members(void **state)
{
    accepts("{\"z\":1,\"a\":2,\"m\":3}", "{\"z\":1,\"a\":2,\"m\":3}");
}

static void writes_reals_short_and_text_unescaped(void **state)
{
    accepts("[0.1, 1.0, 1e30, -0.0]", "[0.1,1,1e+30,0]");
    accepts("[9007199254740991.0, 9007199254740992.0, -1e20, 1e21]",
            "[9007199254740991,9007199254740992e0,-100000000000000000000e0,1e+21]");
    accepts("[9007199254740992e0]", "[9007199254740992e0]");
    accepts("\"\\u20ac \\/ \\u0001 \\n \\\" \\\\\"", "\"\xe2\x82\xac / \\u0001 \\n \\\" \\\\\"");
}

/* RFC 7493 2.3: objects MUST NOT have members with duplicate names. */
static void rejects_duplicate_members(void **state)
{
    accepts("{\"iv\":1,\"iw\":2}", "{\"iv\":1,\"iw\":2}");
    refuses("{\n \"iv\": 1,\n    \"iv\": 2}", "line 3, column 5: duplicate member \"iv\"");
    refuses("{\"a\":{\"b\":1, \"\\u0062\":2}}", "line 1, column 14: duplicate member \"\\u0062\"");
    refuses("{\"a\":1,\"a\" \n :1}", "line 1, column 8: duplicate member \"a\"");
}

static void shows_at_most_64_characters_of_a_name(void **state)
{
    g_autofree char *name = g_strnfill(100, 'n');
    g_autofree char *text = g_strdup_printf("{\"%s\":1,\"%s\":1}", name, name);
    g_autofree char *message = g_strdup_printf("line 1, column 107: duplicate member \"%.64s...\"", name);
    refuses(text, message);
}

/* RFC 7493 2.2: integers beyond 2^53-1 do not survive other implementations. */
static void rejects_integers_beyond_2_53(void **state)
{
    const char *reason =
        "line 1, column 2: integers beyond 2^53-1 lose their last digits on the way; send it as a string";
    accepts("[9007199254740991]", "[9007199254740991]");
    accepts("[-9007199254740991]", "[-9007199254740991]");
    refuses("[9007199254740992]", reason);
    refuses("[-9007199254740992]", reason);
    refuses("[123456789012345678901234567890]", reason);
}

static void rejects_reals_that_overflow(void **state)
{
    accepts("[1.7976931348623157e308]", "[1.7976931348623157e+308]");
    refuses("[1.0, 1e309]", "line 1, column 7: this number is too large");
    refuses("[-1e309]", "line 1, column 2: this number is too large");
}

static void bounds_the_depth(void **state)
{
    const JsonLimits limits = {.bytes = 100, .depth = 3, .values = 100};
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) value = json_parse_strict("[[{}],[[]]]", -1, &limits, &error);
    assert_non_null(value);
    refuses_bytes("[[{\"a\":\n []}]]", 14, &limits, FUNDAMENT_ERROR_LIMIT,
                  "line 2, column 2: nested too deep");
}

static void bounds_the_number_of_values(void **state)
{
    const JsonLimits limits = {.bytes = 100, .depth = 3, .values = 4};
    g_autoptr(json_t) value = json_parse_strict("{\"a\":[1]}", -1, &limits, NULL);
    assert_non_null(value);
    refuses_bytes("{\"a\":[1,2]}", 11, &limits, FUNDAMENT_ERROR_LIMIT, "line 1, column 9: too many values");
}

static void bounds_the_size(void **state)
{
    const JsonLimits limits = {.bytes = 4, .depth = 3, .values = 4};
    g_autoptr(json_t) value = json_parse_strict("[12]", -1, &limits, NULL);
    assert_non_null(value);
    refuses_bytes("[123]", 5, &limits, FUNDAMENT_ERROR_LIMIT,
                  "the text of 5 bytes is larger than the 4 allowed");
}

static void bounds_depth_by_default_at_32(void **state)
{
    g_autofree char *open = g_strnfill(33, '[');
    g_autofree char *close = g_strnfill(33, ']');
    g_autofree char *fits = g_strdup_printf("%.32s%.32s", open, close);
    g_autofree char *deeper = g_strdup_printf("%s%s", open, close);
    accepts(fits, fits);
    refuses_bytes(deeper, 66, NULL, FUNDAMENT_ERROR_LIMIT, "line 1, column 33: nested too deep");
}

static void rejects_text_after_the_value(void **state)
{
    refuses("{} {}", "line 1, column 4: text after the end of the value");
    refuses("1 2", "line 1, column 3: text after the end of the value");
    refuses("[]]", "line 1, column 3: text after the end of the value");
}

static void rejects_empty_text(void **state)
{
    refuses("", "line 1, column 1: there is no JSON value; the text is empty");
    refuses(" \n ", "line 2, column 2: there is no JSON value; the text is empty");
}

static void rejects_text_that_ends_too_early(void **state)
{
    refuses("{\"a\":", "line 1, column 6: the text ends too early");
    refuses("[1,", "line 1, column 4: the text ends too early");
    refuses("\"abc", "line 1, column 1: this string is never closed");
}

/* RFC 8259 8.1: implementations MUST NOT add a byte order mark. */
static void rejects_a_byte_order_mark(void **state)
{
    refuses("\xef\xbb\xbf{}", "line 1, column 1: a byte order mark may not stand before JSON (RFC 8259 8.1)");
    accepts("\"\xef\xbb\xbf\"", "\"\xef\xbb\xbf\"");
}

static void rejects_nul(void **state)
{
    refuses_bytes("[\"a\0b\"]", 7, NULL, FUNDAMENT_ERROR_INVALID, "line 1, column 4: a NUL byte");
    refuses_bytes("[]\0", 3, NULL, FUNDAMENT_ERROR_INVALID, "line 1, column 3: a NUL byte");
    refuses("[\"a\\u0000\"]", "line 1, column 4: a string may not hold NUL");
    refuses("{\"a\\u0000\":1}", "line 1, column 4: a string may not hold NUL");
}

static void rejects_bytes_that_are_not_utf8(void **state)
{
    refuses("[\"\xff\"]", "line 1, column 3: not UTF-8");
    refuses("[\"\xc0\xaf\"]", "line 1, column 3: not UTF-8");         /* overlong */
    refuses("[\"\xed\xa0\x80\"]", "line 1, column 3: not UTF-8");     /* a surrogate */
    refuses("[\"\xf4\x90\x80\x80\"]", "line 1, column 3: not UTF-8"); /* beyond U+10FFFF */
    refuses("[\"\xe2\x82", "line 1, column 3: not UTF-8");            /* cut off */
}

/* RFC 7493 2.1: strings MUST NOT include surrogates or noncharacters. */
static void rejects_lone_surrogates(void **state)
{
    const char *reason = "line 1, column 2: half of a surrogate pair stands alone";
    accepts("\"\\ud83d\\uDE02\"", "\"\xf0\x9f\x98\x82\"");
    refuses("\"\\ud83d\"", reason);
    refuses("\"\\ude02\"", reason);
    refuses("\"\\ud83d\\ud83d\"", reason);
    refuses("\"\\ude02\\ud83d\"", reason);
    refuses("\"\\ud83dx\"", reason);
    refuses("\"\\ud83d\\u00", reason);
}

static void rejects_noncharacters(void **state)
{
    const char *reason = "line 1, column 2: a string may not hold a Unicode noncharacter";
    accepts("\"\\ufffd\\ufdcf\xef\xbf\xbd\"", "\"\xef\xbf\xbd\xef\xb7\x8f\xef\xbf\xbd\"");
    refuses("\"\\uffff\"", reason);
    refuses("\"\\ufdd0\"", reason);
    refuses("\"\\udbff\\udffe\"", reason);
    refuses("\"\xef\xbf\xbe\"", reason);
    refuses("\"\xf0\x9f\xbf\xbf\"", reason);
}

static void rejects_what_only_javascript_allows(void **state)
{
    const char *words =
        "line 1, column 2: only strings in quotes, numbers, true, false, null, objects and arrays "
        "may stand here";
    refuses("[NaN]", words);
    refuses("[Infinity]", words);
    refuses("['a']", words);
    refuses("[/* */1]", words);
    refuses("[True]", words);
    refuses("[+1]", words);
    refuses("[01]", "line 1, column 2: invalid token");
    refuses("[1.]", "line 1, column 2: invalid token");
    refuses("[1,]", "line 1, column 4: unexpected token");
    refuses("{\"a\":1,}", "line 1, column 8: string or '}' expected");
    refuses("{a:1}",
            "line 1, column 2: only strings in quotes, numbers, true, false, null, objects and arrays may "
            "stand here");
    refuses("[\"\\x\"]", "line 1, column 3: unknown escape in a string");
    refuses("[\"\t\"]", "line 1, column 3: control characters in a string must be escaped");
    refuses("[\"\\u12G4\"]", "line 1, column 3: \\u must be followed by four hexadecimal digits");
}

static void counts_columns_in_characters(void **state)
{
    refuses("[\"\xc3\xa9\xe2\x82\xac\", x]",
            "line 1, column 8: only strings in quotes, numbers, true, false, null, "
            "objects and arrays may stand here");
}

static void never_quotes_values(void **state)
{
    static const char *const texts[] = {
        "{\"a\" \"111222333\"}", "[\"x\" \"111222333\"]", "[111222333 1]", "{\"a\":111222333 111222333}",
        "\"x\" \"111222333\"",   "[111222333.]",          "[\"111222333"};
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        assert_null(json_parse_strict(texts[i], -1, NULL, &error));
        assert_null(strstr(error->message, "111222333"));
        assert_true(g_str_has_prefix(error->message, "line 1, column "));
    }
}

static void reads_a_file_and_names_it_in_messages(void **state)
{
    g_autofree char *folder = g_dir_make_tmp("fundament-json-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "a.json", NULL);
    g_autoptr(GError) error = NULL;
    assert_null(json_read_file(path, NULL, &error));
    assert_true(g_error_matches(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_NOT_FOUND));
    assert_true(g_str_has_prefix(error->message, path));
    g_clear_error(&error);

    assert_true(g_file_set_contents(path, "{\"a\":1}", -1, NULL));
    g_autoptr(json_t) value = json_read_file(path, NULL, &error);
    assert_int_equal(json_integer_at(value, "a"), 1);

    assert_true(g_file_set_contents(path, "{\"a\":}", -1, NULL));
    assert_null(json_read_file(path, NULL, &error));
    g_autofree char *message = g_strdup_printf("%s: line 1, column 6: unexpected token", path);
    assert_string_equal(error->message, message);
    g_clear_error(&error);

    const JsonLimits limits = {.bytes = 3, .depth = 3, .values = 3};
    assert_null(json_read_file(path, &limits, &error));
    assert_true(g_error_matches(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_LIMIT));
    g_unlink(path);
    g_rmdir(folder);
}

static const JsonField fields[] = {
    {"name", JSON_KIND_STRING, TRUE},   {"count", JSON_KIND_INTEGER, FALSE},
    {"ratio", JSON_KIND_NUMBER, FALSE}, {"active", JSON_KIND_BOOLEAN, FALSE},
    {"data", JSON_KIND_OBJECT, FALSE},  {"list", JSON_KIND_ARRAY, FALSE},
    {"extra", JSON_KIND_ANY, FALSE},
};

static void check_refuses(const char *text, const char *path, const char *message)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) value = json_parse_strict(text, -1, NULL, NULL);
    assert_non_null(value);
    assert_false(json_check_object(value, path, JSON_FIELDS(fields), &error));
    assert_string_equal(error->message, message);
    assert_true(g_error_matches(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID));
}

static void checks_an_object_against_its_table(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) value = json_parse_strict("{\"extra\":null,\"name\":\"n\",\"count\":5,\"ratio\":1,"
                                                "\"active\":true,\"data\":{},\"list\":[]}",
                                                -1, NULL, NULL);
    assert_true(json_check_object(value, "x", JSON_FIELDS(fields), &error));
    assert_null(error);
    assert_string_equal(json_string_at(value, "name"), "n");
    assert_int_equal(json_integer_at(value, "count"), 5);
    assert_true(json_boolean_at(value, "active"));
    assert_null(json_string_at(value, "absent"));
    assert_int_equal(json_integer_at(value, "absent"), 0);
    assert_false(json_boolean_at(value, "absent"));
}

static void names_the_first_fault_of_an_object(void **state)
{
    check_refuses("[]", "content.grants[0]", "content.grants[0] must be an object");
    check_refuses("[]", "", "the value must be an object");
    check_refuses("{\"nome\":1}", "content", "content: unknown member \"nome\"");
    check_refuses("{\"count\":1}", "content", "content: missing member \"name\"");
    check_refuses("{}", NULL, "missing member \"name\"");
    check_refuses("{\"name\":1,\"count\":\"x\"}", "content", "content: must be a string: member \"name\"");
    check_refuses("{\"name\":null}", "content", "content: must be a string: member \"name\"");
    check_refuses("{\"name\":\"\",\"count\":1.0}", "c", "c: must be an integer: member \"count\"");
    check_refuses("{\"name\":\"\",\"ratio\":\"1\"}", "c", "c: must be a number: member \"ratio\"");
    check_refuses("{\"name\":\"\",\"active\":1}", "c", "c: must be a boolean: member \"active\"");
    check_refuses("{\"name\":\"\",\"data\":[]}", "c", "c: must be an object: member \"data\"");
    check_refuses("{\"name\":\"\",\"list\":{}}", "c", "c: must be an array: member \"list\"");
}

static void keeps_messages_on_one_line(void **state)
{
    check_refuses("{\"a\\nb\":1}", "c", "c: unknown member \"a?b\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_every_kind_of_value),
        cmocka_unit_test(keeps_the_order_of_members),
        cmocka_unit_test(writes_reals_short_and_text_unescaped),
        cmocka_unit_test(rejects_duplicate_members),
        cmocka_unit_test(shows_at_most_64_characters_of_a_name),
        cmocka_unit_test(rejects_integers_beyond_2_53),
        cmocka_unit_test(rejects_reals_that_overflow),
        cmocka_unit_test(bounds_the_depth),
        cmocka_unit_test(bounds_the_number_of_values),
        cmocka_unit_test(bounds_the_size),
        cmocka_unit_test(bounds_depth_by_default_at_32),
        cmocka_unit_test(rejects_text_after_the_value),
        cmocka_unit_test(rejects_empty_text),
        cmocka_unit_test(rejects_text_that_ends_too_early),
        cmocka_unit_test(rejects_a_byte_order_mark),
        cmocka_unit_test(rejects_nul),
        cmocka_unit_test(rejects_bytes_that_are_not_utf8),
        cmocka_unit_test(rejects_lone_surrogates),
        cmocka_unit_test(rejects_noncharacters),
        cmocka_unit_test(rejects_what_only_javascript_allows),
        cmocka_unit_test(counts_columns_in_characters),
        cmocka_unit_test(never_quotes_values),
        cmocka_unit_test(reads_a_file_and_names_it_in_messages),
        cmocka_unit_test(checks_an_object_against_its_table),
        cmocka_unit_test(names_the_first_fault_of_an_object),
        cmocka_unit_test(keeps_messages_on_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
