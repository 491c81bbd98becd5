#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/asset.h"

/* What the build embedded from tests/unit/base/asset must be the same bytes as the files hold. */
static void check_same(const char *name, const char *path)
{
    g_autofree char *full =
        g_build_filename(g_getenv("FUNDAMENT_SOURCE"), "tests/unit/base/asset", path, NULL);
    g_autofree char *expected = NULL;
    gsize expected_length;
    gsize length = 0;
    assert_true(g_file_get_contents(full, &expected, &expected_length, NULL));
    const char *bytes = asset_find(name, &length);
    assert_non_null(bytes);
    assert_int_equal(length, expected_length);
    assert_memory_equal(bytes, expected, length + 1); /* with the NUL that follows */
}

static void finds_the_bytes_of_a_file(void **state)
{
    check_same("a.txt", "a.txt");
    check_same("sub/one.txt", "sub/one.txt");
    check_same("empty.txt", "empty.txt");
    assert_string_equal(asset_find("sub/one.txt", NULL), "one\n");
}

static void embeds_every_byte_unchanged(void **state)
{
    gsize length;
    check_same("bytes.bin", "bytes.bin");
    const char *bytes = asset_find("bytes.bin", &length);
    assert_int_equal(length, 264);
    for (int i = 0; i < 256; i++)
        assert_int_equal((guchar)bytes[i], i);
}

static void embeds_under_a_name_of_choice(void **state)
{
    check_same("Other/name", "a.txt");
}

static void does_not_find_what_is_not_there(void **state)
{
    gsize length = 77;
    assert_null(asset_find("sub/one", &length));
    assert_null(asset_find("sub/one.txt2", &length));
    assert_null(asset_find("", &length));
    assert_null(asset_find("zzz", &length));
    assert_null(asset_find("A.txt", &length));
    assert_int_equal(length, 77);
}

static void collect(const char *name, const char *bytes, gsize length, gpointer user_data)
{
    g_string_append_printf(user_data, "%s:%" G_GSIZE_FORMAT " ", name, length);
}

static void walks_a_prefix_in_order(void **state)
{
    g_autoptr(GString) names = g_string_new(NULL);
    asset_each("", collect, names);
    assert_string_equal(names->str, "Other/name:18 a.txt:18 bytes.bin:264 empty.txt:0 sub/one.txt:4 ");
    g_string_truncate(names, 0);
    asset_each("sub/", collect, names);
    assert_string_equal(names->str, "sub/one.txt:4 ");
    g_string_truncate(names, 0);
    asset_each("sub/x", collect, names);
    asset_each("zzz", collect, names);
    assert_string_equal(names->str, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_bytes_of_a_file),     cmocka_unit_test(embeds_every_byte_unchanged),
        cmocka_unit_test(embeds_under_a_name_of_choice), cmocka_unit_test(does_not_find_what_is_not_there),
        cmocka_unit_test(walks_a_prefix_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
