/* RFC 4648: the vectors of section 10, and that nothing but canonical text is taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/base/base64.h"

static void the_vectors_of_the_standard_are_decoded(void **state)
{
    static const char *const vectors[][2] = {{"", ""},
                                             {"Zg==", "f"},
                                             {"Zm8=", "fo"},
                                             {"Zm9v", "foo"},
                                             {"Zm9vYg==", "foob"},
                                             {"Zm9vYmE=", "fooba"},
                                             {"Zm9vYmFy", "foobar"}};
    for (gsize i = 0; i < G_N_ELEMENTS(vectors); i++) {
        g_autoptr(GBytes) bytes = base64_decode(vectors[i][0], strlen(vectors[i][0]), 0, 100);
        assert_non_null(bytes);
        assert_int_equal(g_bytes_get_size(bytes), strlen(vectors[i][1]));
        assert_memory_equal(g_bytes_get_data(bytes, NULL), vectors[i][1], strlen(vectors[i][1]));
    }
}

static void whatever_is_encoded_comes_back(void **state)
{
    guint8 data[64];
    for (guint i = 0; i < sizeof data; i++)
        data[i] = (guint8)(i * 37);
    for (gsize length = 1; length <= sizeof data; length++) {
        guint8 out[64];
        g_autofree char *text = g_base64_encode(data, length);
        assert_true(base64_decode_to(text, strlen(text), out, length));
        assert_memory_equal(out, data, length);
        assert_false(base64_decode_to(text, strlen(text), out, length - 1));
    }
}

static void text_in_any_other_form_is_refused(void **state)
{
    static const char *const cases[] = {
        "Z",    "Zg",       "Zg=",   "Zg===",  "Zh==", "Zm9=", "Zm8",        "=",
        "====", "Zg==Zg==", "Zm 9v", "Zm9v\n", "Zm-v", "Zm_v", "Z\xdc\x90v", "\xff\xff\xff\xff",
        "Z=g=", "A==="};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        if (base64_valid(cases[i], strlen(cases[i])))
            fail_msg("case %zu is taken: %s", i, cases[i]);
}

static void sizes_out_of_bounds_are_refused(void **state)
{
    assert_null(base64_decode("Zm9v", 4, 4, 10));
    assert_null(base64_decode("Zm9v", 4, 0, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_of_the_standard_are_decoded),
        cmocka_unit_test(whatever_is_encoded_comes_back),
        cmocka_unit_test(text_in_any_other_form_is_refused),
        cmocka_unit_test(sizes_out_of_bounds_are_refused),
    };
    return cmocka_run_group_tests_name("base64", tests, NULL, NULL);
}
