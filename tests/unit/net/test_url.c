#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/error.h"
#include "core/net/url.h"

static void assert_decodes(const char *text, gboolean form, const char *expected)
{
    g_autofree char *decoded = url_decode(text, strlen(text), form);
    if (expected == NULL) {
        assert_null(decoded);
        return;
    }
    assert_non_null(decoded);
    assert_string_equal(decoded, expected);
}

/* RFC 3986 2.1 */
static void decodes_escapes_in_either_case(void **state)
{
    assert_decodes("", FALSE, "");
    assert_decodes("a%2fb%2Fc", FALSE, "a/b/c");
    assert_decodes("%e2%82%ac", FALSE, "€");
    assert_decodes("%25%32%35", FALSE, "%25");
}

static void a_plus_is_a_space_in_forms_only(void **state)
{
    assert_decodes("a+b%2B", TRUE, "a b+");
    assert_decodes("a+b%2B", FALSE, "a+b+");
}

static void refuses_broken_escapes_nul_and_other_encodings(void **state)
{
    static const char *const broken[] = {"%",   "%4",  "%4g", "%g4",    "a%",        "%%41",
                                         "%00", "%ff", "%c3", "%c0%af", "%ed%a0%80", "\xe9"};
    for (gsize i = 0; i < G_N_ELEMENTS(broken); i++)
        assert_decodes(broken[i], TRUE, NULL);
    assert_null(url_decode("a\0b", 3, FALSE));
}

static void reads_no_byte_beyond_the_length(void **state)
{
    char *exact = g_memdup2("a%41", 4); /* the sanitizer sees a byte too many */
    g_autofree char *whole = url_decode(exact, 4, FALSE);
    assert_string_equal(whole, "aA");
    for (gsize length = 2; length < 4; length++)
        assert_null(url_decode(exact, length, FALSE));
    g_free(exact);
}

static void reads_fields_in_their_order(void **state)
{
    static const char *const text = "b=2&a=1&&a=3&c&=d&e==";
    g_autoptr(GPtrArray) fields = url_parse_fields(text, strlen(text), NULL);
    assert_int_equal(fields->len, 6);
    assert_string_equal(((const UrlField *)fields->pdata[0])->name, "b");
    assert_string_equal(url_field_find(fields, "a"), "1");
    assert_int_equal(url_field_count(fields, "a"), 2);
    assert_string_equal(url_field_find(fields, "c"), "");
    assert_string_equal(url_field_find(fields, ""), "d");
    assert_string_equal(url_field_find(fields, "e"), "=");
    assert_null(url_field_find(fields, "f"));
}

static void says_which_field_is_wrong_without_quoting_it(void **state)
{
    g_autoptr(GError) error = NULL;
    assert_null(url_parse_fields("a=1&b=%zz", strlen("a=1&b=%zz"), &error));
    assert_true(g_error_matches(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID));
    assert_string_equal(error->message, "field 2 is not percent-encoded UTF-8");
}

static void takes_100_fields_and_no_more(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) text = g_string_new("a=1");
    for (int i = 1; i < URL_FIELDS_MAX; i++)
        g_string_append(text, "&a=1");
    g_autoptr(GPtrArray) most = url_parse_fields(text->str, text->len, &error);
    assert_int_equal(most->len, URL_FIELDS_MAX);
    g_string_append(text, "&a=1");
    assert_null(url_parse_fields(text->str, text->len, &error));
    assert_true(g_error_matches(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_LIMIT));
}

static void assert_splits(const char *path, const char *expected)
{
    g_auto(GStrv) segments = url_split_path(path, strlen(path), NULL);
    assert_non_null(segments);
    g_autofree char *joined = g_strjoinv("|", segments);
    assert_string_equal(joined, expected);
}

static void splits_a_path_before_it_decodes(void **state)
{
    assert_splits("/", "");
    assert_splits("/a", "a");
    assert_splits("/a/%C3%A9%20%24$/b", "a|é $$|b");
    assert_splits("/a//b/", "a||b|");
    assert_splits("/a/.b/..c/...", "a|.b|..c|...");
}

static void refuses_paths_that_another_reader_would_read_otherwise(void **state)
{
    static const struct {
        const char *path;
        const char *message;
    } cases[] = {
        {"", "the path must begin with \"/\""},
        {"a/b", "the path must begin with \"/\""},
        {"*", "the path must begin with \"/\""},
        {"/a/%", "segment 2 of the path is not percent-encoded UTF-8"},
        {"/%ff", "segment 1 of the path is not percent-encoded UTF-8"},
        {"/a/b/%00", "segment 3 of the path is not percent-encoded UTF-8"},
        {"/a/..", "segment 2 of the path is a dot segment"},
        {"/%2e/b", "segment 1 of the path is a dot segment"},
        {"/.%2E/b", "segment 1 of the path is a dot segment"},
        {"/a%2fb", "segment 1 of the path holds an encoded slash"},
        {"/a\\b", "segment 1 of the path holds an encoded slash"},
        {"/a%0Db", "segment 1 of the path holds a control character"},
        {"/a%7F", "segment 1 of the path holds a control character"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_auto(GStrv) segments = url_split_path(cases[i].path, strlen(cases[i].path), &error);
        assert_null(segments);
        assert_true(g_error_matches(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID));
        assert_string_equal(error->message, cases[i].message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_escapes_in_either_case),
        cmocka_unit_test(a_plus_is_a_space_in_forms_only),
        cmocka_unit_test(refuses_broken_escapes_nul_and_other_encodings),
        cmocka_unit_test(reads_no_byte_beyond_the_length),
        cmocka_unit_test(reads_fields_in_their_order),
        cmocka_unit_test(says_which_field_is_wrong_without_quoting_it),
        cmocka_unit_test(takes_100_fields_and_no_more),
        cmocka_unit_test(splits_a_path_before_it_decodes),
        cmocka_unit_test(refuses_paths_that_another_reader_would_read_otherwise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
