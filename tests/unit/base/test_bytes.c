#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/bytes.h"
#include "core/base/error.h"

static void decodes(const char *text, const char *bytes, gsize length)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) decoded = base64url_decode(text, -1, &error);
    assert_null(error);
    gsize n;
    const void *data = g_bytes_get_data(decoded, &n);
    assert_int_equal(n, length);
    if (length > 0)
        assert_memory_equal(data, bytes, length);
    g_autofree char *again = base64url_encode(bytes, length);
    assert_string_equal(again, text);
}

static void refuses(const char *text)
{
    g_autoptr(GError) error = NULL;
    assert_null(base64url_decode(text, -1, &error));
    assert_true(g_error_matches(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID));
}

/* RFC 4648 section 10, without padding, and the two characters of section 5. */
static void base64url_agrees_with_rfc_4648(void **state)
{
    decodes("", "", 0);
    decodes("Zg", "f", 1);
    decodes("Zm8", "fo", 2);
    decodes("Zm9v", "foo", 3);
    decodes("Zm9vYg", "foob", 4);
    decodes("Zm9vYmE", "fooba", 5);
    decodes("Zm9vYmFy", "foobar", 6);
    decodes("-_-_", "\xfb\xff\xbf", 3);
    decodes("AAA", "\0\0", 2);
}

/* RFC 7515 section 2: "with all trailing '=' characters omitted", no line breaks, no other characters. */
static void base64url_rejects_padding_and_other_characters(void **state)
{
    refuses("Zg==");
    refuses("Zm8=");
    refuses("Zm 9v");
    refuses("Zm9v\n");
    refuses("+/+/");
    refuses("Zm9\xc3");
}

/* RFC 4648 3.5: decoders may reject pad bits that are not zero; else two texts would mean the same bytes. */
static void base64url_rejects_stray_bits(void **state)
{
    decodes("Zg", "f", 1);
    refuses("Zh");
    refuses("Zm9");
    refuses("Zm8x_");
    refuses("Z");
    refuses("Zm9vY");
}

static void base64url_decodes_no_more_than_it_is_told(void **state)
{
    g_autoptr(GBytes) decoded = base64url_decode("Zm9v====", 4, NULL);
    assert_int_equal(g_bytes_get_size(decoded), 3);
    assert_null(base64url_decode("Zm9v\0Zg", 7, NULL));
}

static void base64url_survives_every_length(void **state)
{
    guint8 bytes[67];
    random_fill(bytes, sizeof bytes);
    for (gsize n = 0; n <= sizeof bytes; n++) {
        g_autofree char *text = base64url_encode(bytes, n);
        assert_int_equal(strlen(text), (n * 4 + 2) / 3);
        g_autoptr(GBytes) decoded = base64url_decode(text, -1, NULL);
        g_autoptr(GBytes) expected = g_bytes_new(bytes, n);
        assert_true(g_bytes_equal(decoded, expected));
    }
}

static void hex_is_lower_case_and_exact(void **state)
{
    guint8 bytes[3];
    g_autofree char *text = hex_encode("\x00\x9f\xff", 3);
    assert_string_equal(text, "009fff");
    assert_true(hex_decode("009fff", bytes, 3));
    assert_memory_equal(bytes, "\x00\x9f\xff", 3);
    assert_false(hex_decode("009FFF", bytes, 3));
    assert_false(hex_decode("009ff", bytes, 3));
    assert_false(hex_decode("009fff0", bytes, 3));
    assert_false(hex_decode("009ffg", bytes, 3));
    assert_false(hex_decode("", bytes, 3));
    assert_false(hex_decode(NULL, bytes, 3));
    assert_true(hex_decode("", bytes, 0));
}

static void random_bytes_differ(void **state)
{
    guint8 a[32] = {0};
    guint8 b[32] = {0};
    random_fill(a, sizeof a);
    random_fill(b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
    random_fill(NULL, 0);
}

static void secrets_are_equal_only_when_every_byte_is(void **state)
{
    char other[] = "0123456789abcdef";
    assert_true(secret_equal("0123456789abcdef", 16, other, 16));
    for (gsize i = 0; i < 16; i++) {
        other[i] ^= 0x40;
        assert_false(secret_equal("0123456789abcdef", 16, other, 16));
        other[i] ^= 0x40;
    }
    assert_false(secret_equal("0123456789abcdef", 16, other, 15));
    assert_true(secret_equal("", 0, NULL, 0));
}

static void wiping_leaves_zeros(void **state)
{
    char secret[] = "secret";
    secret_wipe(secret, 3);
    assert_memory_equal(secret, "\0\0\0ret", 6);
    secret_wipe(NULL, 0);
}

static void secret_bytes_are_a_copy(void **state)
{
    char source[] = "secret";
    g_autoptr(GBytes) secret = secret_bytes_new(source, 6);
    secret_wipe(source, 6);
    gsize n;
    assert_memory_equal(g_bytes_get_data(secret, &n), "secret", 6);
    assert_int_equal(n, 6);
    g_autoptr(GBytes) empty = secret_bytes_new(NULL, 0);
    assert_int_equal(g_bytes_get_size(empty), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64url_agrees_with_rfc_4648),
        cmocka_unit_test(base64url_rejects_padding_and_other_characters),
        cmocka_unit_test(base64url_rejects_stray_bits),
        cmocka_unit_test(base64url_decodes_no_more_than_it_is_told),
        cmocka_unit_test(base64url_survives_every_length),
        cmocka_unit_test(hex_is_lower_case_and_exact),
        cmocka_unit_test(random_bytes_differ),
        cmocka_unit_test(secrets_are_equal_only_when_every_byte_is),
        cmocka_unit_test(wiping_leaves_zeros),
        cmocka_unit_test(secret_bytes_are_a_copy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
