/* Known answers of the standards, and what sealed bytes must refuse. */
#include "tests/unit/crypto/fixture.h"

#include "core/base/bytes.h"
#include "core/crypto/digest.h"

static void assert_hex(const guint8 *data, gsize length, const char *expected)
{
    g_autofree char *text = hex_encode(data, length);
    assert_string_equal(text, expected);
}

static void sha256_gives_the_answers_of_fips_180_4(void **state)
{
    guint8 out[SHA256_SIZE];
    sha256("abc", 3, out);
    assert_hex(out, sizeof out, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sha256(NULL, 0, out);
    assert_hex(out, sizeof out, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void sha3_512_gives_the_answers_of_fips_202(void **state)
{
    guint8 out[SHA3_512_SIZE];
    sha3_512("", 0, out);
    assert_hex(out, sizeof out,
               "a69f73cca23a9ac5c8b567dc185a756e97c982164fe25859e0d1dcc1475c80a6"
               "15b2123af1f5f94c11e3e9402c3ac558f500199d95b6d3e301758586281dcd26");
    sha3_512("abc", 3, out);
    assert_hex(out, sizeof out,
               "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e"
               "10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0");
}

static void assert_hmac(const void *key, gsize key_length, const char *text, const char *expected)
{
    guint8 out[SHA256_SIZE];
    g_autoptr(GBytes) bytes = g_bytes_new(key, key_length);
    hmac_sha256(bytes, text, strlen(text), out);
    assert_hex(out, sizeof out, expected);
}

static void hmac_gives_the_answers_of_rfc_4231(void **state)
{
    guint8 key[131];
    memset(key, 0x0b, 20);
    assert_hmac(key, 20, "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    assert_hmac("Jefe", 4, "what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof key);
    assert_hmac(key, sizeof key, "Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

/* The context is reused: an empty key must not stand for the key of the call before. */
static void an_empty_key_is_not_the_key_of_last_time(void **state)
{
    const char *empty = "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad";
    assert_hmac("", 0, "", empty);
    assert_hmac("Jefe", 4, "what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    assert_hmac("", 0, "", empty);
    assert_hmac(NULL, 0, "", empty);
}

static void hkdf_gives_the_answer_of_rfc_5869_test_case_3(void **state)
{
    guint8 secret[22], out[42];
    memset(secret, 0x0b, sizeof secret);
    hkdf_sha256(secret, sizeof secret, "", out, sizeof out);
    assert_hex(out, sizeof out,
               "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

/* RFC 5869 2.3: a longer result begins with the shorter one, and another info gives another key. */
static void hkdf_depends_on_info_and_not_on_length(void **state)
{
    guint8 small[16], large[200], other[16];
    hkdf_sha256("secret", 6, "session", small, sizeof small);
    hkdf_sha256("secret", 6, "session", large, sizeof large);
    hkdf_sha256("secret", 6, "sessioN", other, sizeof other);
    assert_memory_equal(small, large, sizeof small);
    assert_memory_not_equal(small, other, sizeof small);
}

/* The same from the openssl command: with an info and more than one block, which test case 3 has not. */
static void hkdf_agrees_with_the_openssl_command(void **state)
{
    if (!openssl_is_there())
        skip();
    guint8 ours[80];
    g_autofree char *path = in_folder(state, "okm");
    g_autofree char *theirs = NULL;
    gsize length;
    hkdf_sha256("secret", 6, "fundament session", ours, sizeof ours);
    assert_true(openssl_command(*state, "kdf", "-keylen", "80", "-kdfopt", "digest:SHA256", "-kdfopt",
                                "hexkey:736563726574", "-kdfopt", "info:fundament session", "-binary", "-out",
                                "okm", "HKDF", NULL));
    assert_true(g_file_get_contents(path, &theirs, &length, NULL));
    assert_int_equal(length, sizeof ours);
    assert_memory_equal(ours, theirs, sizeof ours);
}

/* Test cases 13 and 14 of the GCM specification (McGrew and Viega), as nonce || ciphertext || tag. */
static void unseal_opens_the_test_cases_of_gcm(void **state)
{
    g_autoptr(GError) error = NULL;
    guint8 key[32] = {0}, bytes[44] = {0}, zeros[16] = {0};
    assert_true(hex_decode("530f8afbc74536b9a963b4f1c4cb738b", bytes + 12, 16));
    g_autoptr(GBytes) case_13 = g_bytes_new(bytes, 28);
    g_autoptr(GBytes) empty = unseal(key, "", case_13, &error);
    assert_ok(empty != NULL, error);
    assert_int_equal(g_bytes_get_size(empty), 0);
    assert_true(
        hex_decode("cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919", bytes + 12, 32));
    g_autoptr(GBytes) case_14 = g_bytes_new(bytes, 44);
    g_autoptr(GBytes) plain = unseal(key, "", case_14, &error);
    assert_ok(plain != NULL, error);
    assert_int_equal(g_bytes_get_size(plain), 16);
    assert_memory_equal(g_bytes_get_data(plain, NULL), zeros, 16);
}

static void what_was_sealed_opens_again(void **state)
{
    guint8 key[32] = {7};
    const gsize lengths[] = {0, 1, 15, 16, 17, 100000};
    g_autofree guint8 *data = g_malloc(100000);
    random_fill(data, 100000);
    for (gsize i = 0; i < G_N_ELEMENTS(lengths); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GBytes) sealed = seal(key, "cookie", data, lengths[i]);
        assert_int_equal(g_bytes_get_size(sealed), lengths[i] + 28);
        g_autoptr(GBytes) plain = unseal(key, "cookie", sealed, &error);
        assert_ok(plain != NULL, error);
        assert_int_equal(g_bytes_get_size(plain), lengths[i]);
        assert_memory_equal(lengths[i] == 0 ? data : g_bytes_get_data(plain, NULL), data, lengths[i]);
    }
}

static void sealing_twice_gives_other_bytes(void **state)
{
    guint8 key[32] = {7};
    g_autoptr(GBytes) first = seal(key, "cookie", "text", 4);
    g_autoptr(GBytes) second = seal(key, "cookie", "text", 4);
    assert_false(g_bytes_equal(first, second));
}

static void assert_closed(const guint8 key[32], const char *context, GBytes *sealed)
{
    g_autoptr(GError) error = NULL;
    assert_null(unseal(key, context, sealed, &error));
    assert_refused(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_DENIED, "sealed bytes");
}

static void sealed_bytes_refuse_another_key_or_context(void **state)
{
    guint8 key[32] = {7}, other_key[32] = {8};
    g_autoptr(GBytes) sealed = seal(key, "cookie", "text", 4);
    assert_closed(other_key, "cookie", sealed);
    assert_closed(key, "cookies", sealed);
    assert_closed(key, "", sealed);
}

static void sealed_bytes_refuse_every_flipped_bit(void **state)
{
    guint8 key[32] = {7};
    g_autoptr(GBytes) sealed = seal(key, "cookie", "text", 4);
    gsize length;
    const guint8 *data = g_bytes_get_data(sealed, &length);
    for (gsize bit = 0; bit < 8 * length; bit++) {
        g_autofree guint8 *changed = g_memdup2(data, length);
        changed[bit / 8] ^= (guint8)(1u << (bit % 8));
        g_autoptr(GBytes) bytes = g_bytes_new(changed, length);
        assert_closed(key, "cookie", bytes);
    }
}

static void sealed_bytes_refuse_every_shorter_length(void **state)
{
    guint8 key[32] = {7};
    g_autoptr(GBytes) sealed = seal(key, "cookie", "text", 4);
    for (gsize length = 0; length < g_bytes_get_size(sealed); length++) {
        g_autoptr(GBytes) part = g_bytes_new_from_bytes(sealed, 0, length);
        assert_closed(key, "cookie", part);
    }
}

static gpointer digest_many(gpointer data)
{
    guint8 key_byte = (guint8)GPOINTER_TO_UINT(data), expected[SHA256_SIZE], out[SHA256_SIZE];
    g_autoptr(GBytes) key = g_bytes_new(&key_byte, 1);
    hmac_sha256(key, "text", 4, expected);
    gboolean same = TRUE;
    for (guint i = 0; i < 2000; i++) {
        hmac_sha256(key, "text", 4, out);
        same = same && memcmp(out, expected, sizeof out) == 0;
        sha256(&key_byte, 1, out);
    }
    return GINT_TO_POINTER(same);
}

static void threads_do_not_disturb_each_other(void **state)
{
    GThread *threads[4];
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("digest", digest_many, GUINT_TO_POINTER(i));
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        assert_true(GPOINTER_TO_INT(g_thread_join(threads[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_gives_the_answers_of_fips_180_4),
        cmocka_unit_test(sha3_512_gives_the_answers_of_fips_202),
        cmocka_unit_test(hmac_gives_the_answers_of_rfc_4231),
        cmocka_unit_test(an_empty_key_is_not_the_key_of_last_time),
        cmocka_unit_test(hkdf_gives_the_answer_of_rfc_5869_test_case_3),
        cmocka_unit_test(hkdf_depends_on_info_and_not_on_length),
        with_folder(hkdf_agrees_with_the_openssl_command),
        cmocka_unit_test(unseal_opens_the_test_cases_of_gcm),
        cmocka_unit_test(what_was_sealed_opens_again),
        cmocka_unit_test(sealing_twice_gives_other_bytes),
        cmocka_unit_test(sealed_bytes_refuse_another_key_or_context),
        cmocka_unit_test(sealed_bytes_refuse_every_flipped_bit),
        cmocka_unit_test(sealed_bytes_refuse_every_shorter_length),
        cmocka_unit_test(threads_do_not_disturb_each_other),
    };
    return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}
