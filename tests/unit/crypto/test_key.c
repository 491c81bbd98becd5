/* Which keys are taken, which are refused, and how they lie on disk. */
#include "tests/unit/crypto/fixture.h"

#include <openssl/core_names.h>
#include <openssl/rsa.h>

static void assert_same_key(const Key *a, EVP_PKEY *b)
{
    assert_int_equal(EVP_PKEY_eq(key_pkey(a), b), 1);
}

static void a_saved_key_loads_again(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = in_folder(state, "node.key");
    g_autoptr(Key) key = key_generate_p256();
    assert_ok(key_save(key, path, &error), error);
    g_autoptr(Key) again = key_load(path, &error);
    assert_ok(again != NULL, error);
    assert_same_key(again, key_pkey(key));
}

static void two_generated_keys_differ(void **state)
{
    g_autoptr(Key) first = key_generate_p256();
    g_autoptr(Key) second = key_generate_p256();
    assert_int_not_equal(EVP_PKEY_eq(key_pkey(first), key_pkey(second)), 1);
}

static guint count_files(const char *folder)
{
    guint count = 0;
    g_autoptr(GDir) entries = g_dir_open(folder, 0, NULL);
    while (g_dir_read_name(entries) != NULL)
        count++;
    return count;
}

static void a_saved_key_is_for_its_owner_only_and_leaves_nothing_beside_it(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = in_folder(state, "node.key");
    g_autoptr(Key) key = key_generate_p256();
    write_text(path, "what stood there", 0644);
    assert_ok(key_save(key, path, &error), error);
    assert_int_equal(mode_of(path), 0600);
    assert_int_equal(count_files(*state), 1);
}

static void saving_where_nothing_can_be_written_says_so(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = in_folder(state, "no-such-folder/node.key");
    g_autoptr(Key) key = key_generate_p256();
    assert_false(key_save(key, path, &error));
    assert_refused(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_NOT_FOUND, "no-such-folder/node.key");
}

static void refuses_a_key_that_others_can_read(void **state)
{
    const int modes[] = {0640, 0604, 0644, 0620, 0601, 0666};
    g_autofree char *path = in_folder(state, "node.key");
    g_autoptr(Key) key = key_generate_p256();
    assert_true(key_save(key, path, NULL));
    for (gsize i = 0; i < G_N_ELEMENTS(modes); i++) {
        g_autoptr(GError) error = NULL;
        assert_int_equal(g_chmod(path, modes[i]), 0);
        assert_null(key_load(path, &error));
        assert_refused(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_DENIED, "chmod 600");
    }
    assert_int_equal(g_chmod(path, 0400), 0);
    g_autoptr(Key) again = key_load(path, NULL);
    assert_non_null(again);
}

static void takes_each_kind_that_the_header_names(void **state)
{
    EVP_PKEY *pkeys[] = {EVP_RSA_gen(2048), EVP_RSA_gen(3072), EVP_EC_gen("P-256"), EVP_EC_gen("P-384"),
                         EVP_EC_gen("P-521")};
    for (gsize i = 0; i < G_N_ELEMENTS(pkeys); i++) {
        g_autoptr(Key) key = key_of_pkey(state, pkeys[i]);
        assert_same_key(key, pkeys[i]);
        EVP_PKEY_free(pkeys[i]);
    }
}

static void assert_text_refused(void **state, const char *text, const char *reason)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = in_folder(state, "refused.key");
    write_text(path, text, 0600);
    assert_null(key_load(path, &error));
    assert_refused(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, reason);
}

static EVP_PKEY *explicit_p256(void)
{
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    OSSL_PARAM params[] = {
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char[]){"P-256"}, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_EC_ENCODING, (char[]){OSSL_PKEY_EC_ENCODING_EXPLICIT}, 0),
        OSSL_PARAM_END};
    assert_int_equal(EVP_PKEY_keygen_init(context), 1);
    assert_int_equal(EVP_PKEY_CTX_set_params(context, params), 1);
    assert_int_equal(EVP_PKEY_generate(context, &pkey), 1);
    EVP_PKEY_CTX_free(context);
    return pkey;
}

static EVP_PKEY *rsa_pss(void)
{
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
    assert_int_equal(EVP_PKEY_keygen_init(context), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048), 1);
    assert_int_equal(EVP_PKEY_generate(context, &pkey), 1);
    EVP_PKEY_CTX_free(context);
    return pkey;
}

static void refuses_weak_keys_and_other_kinds(void **state)
{
    EVP_PKEY *pkeys[] = {EVP_RSA_gen(1024),
                         EVP_RSA_gen(2040),
                         EVP_EC_gen("P-224"),
                         EVP_EC_gen("secp256k1"),
                         EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"),
                         rsa_pss(),
                         explicit_p256()};
    for (gsize i = 0; i < G_N_ELEMENTS(pkeys); i++) {
        assert_non_null(pkeys[i]);
        g_autofree char *pem = pem_of_key(pkeys[i]);
        assert_text_refused(state, pem, "RSA of 2048 bits or more, or EC");
        EVP_PKEY_free(pkeys[i]);
    }
}

static void refuses_what_is_not_pkcs8_with_the_mend_in_the_message(void **state)
{
    if (!openssl_is_there())
        skip();
    g_autofree char *path = in_folder(state, "node.key");
    g_autofree char *traditional_path = in_folder(state, "traditional.key");
    g_autofree char *encrypted_path = in_folder(state, "encrypted.key");
    g_autofree char *traditional = NULL, *encrypted = NULL;
    g_autoptr(Key) key = key_generate_p256();
    assert_true(key_save(key, path, NULL));
    assert_true(
        openssl_command(*state, "pkey", "-in", "node.key", "-traditional", "-out", "traditional.key", NULL));
    assert_true(openssl_command(*state, "pkcs8", "-topk8", "-in", "node.key", "-passout", "pass:secret",
                                "-out", "encrypted.key", NULL));
    assert_true(g_file_get_contents(traditional_path, &traditional, NULL, NULL));
    assert_true(g_file_get_contents(encrypted_path, &encrypted, NULL, NULL));
    assert_text_refused(state, traditional, "not PKCS#8 (BEGIN PRIVATE KEY); run: openssl pkey");
    assert_text_refused(state, encrypted, "the key is encrypted; run: openssl pkey");
}

static void refuses_what_is_no_key(void **state)
{
    assert_text_refused(state, "", "no key in PEM");
    assert_text_refused(state, "hello", "no key in PEM");
    assert_text_refused(state, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
                        "not a PKCS#8 key");
    assert_text_refused(state, "-----BEGIN PRIVATE KEY-----\n!!!!\n-----END PRIVATE KEY-----\n",
                        "no key in PEM");
}

static void refuses_bytes_behind_the_end_of_a_key(void **state)
{
    g_autoptr(Key) key = key_generate_p256();
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key_pkey(key));
    unsigned char *der = NULL;
    int length = i2d_PKCS8_PRIV_KEY_INFO(info, &der);
    assert_true(length > 0);
    g_autofree guint8 *longer = g_malloc0((gsize)length + 1);
    memcpy(longer, der, (gsize)length);
    g_autofree char *text = g_base64_encode(longer, (gsize)length + 1);
    g_autofree char *pem =
        g_strdup_printf("-----BEGIN PRIVATE KEY-----\n%.64s\n%.64s\n%s\n-----END PRIVATE KEY-----\n", text,
                        text + 64, text + 128);
    assert_text_refused(state, pem, "not a PKCS#8 key");
    OPENSSL_free(der);
    PKCS8_PRIV_KEY_INFO_free(info);
}

static void a_missing_key_is_not_found_and_a_folder_is_no_key(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = in_folder(state, "none.key");
    assert_null(key_load(path, &error));
    assert_refused(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_NOT_FOUND, "none.key: cannot open");
    assert_null(key_load(*state, &error));
    assert_refused(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO, "not a regular file");
}

static void refuses_a_key_file_beyond_64_kib(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = in_folder(state, "large.key");
    g_autofree char *text = g_strnfill(65537, 'x');
    write_text(path, text, 0600);
    assert_null(key_load(path, &error));
    assert_refused(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_LIMIT, "larger than 65536");
}

static void a_reference_keeps_the_key(void **state)
{
    Key *key = key_generate_p256();
    Key *same = key_ref(key);
    key_unref(key);
    assert_int_equal(EVP_PKEY_get_bits(key_pkey(same)), 256);
    key_unref(same);
    key_unref(NULL);
}

static void a_secret_is_made_once_and_stays_the_same(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = in_folder(state, "session.secret");
    g_autofree char *other_path = in_folder(state, "other.secret");
    g_autoptr(GBytes) first = secret_load_or_create(path, 32, &error);
    assert_ok(first != NULL, error);
    g_autoptr(GBytes) second = secret_load_or_create(path, 32, &error);
    g_autoptr(GBytes) other = secret_load_or_create(other_path, 32, &error);
    assert_int_equal(g_bytes_get_size(first), 32);
    assert_int_equal(mode_of(path), 0600);
    assert_true(g_bytes_equal(first, second));
    assert_false(g_bytes_equal(first, other));
    assert_int_equal(count_files(*state), 2);
}

static void refuses_a_secret_of_another_length_or_that_others_can_read(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = in_folder(state, "session.secret");
    write_text(path, "0123456789", 0600);
    assert_null(secret_load_or_create(path, 32, &error));
    assert_refused(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "32 bytes was expected, not 10");
    assert_int_equal(g_chmod(path, 0640), 0);
    assert_null(secret_load_or_create(path, 10, &error));
    assert_refused(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_DENIED, "chmod 600");
}

static void a_secret_in_a_missing_folder_is_an_error(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = in_folder(state, "no-such-folder/session.secret");
    assert_null(secret_load_or_create(path, 32, &error));
    assert_refused(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_NOT_FOUND, "session.secret: cannot create");
}

static gpointer load_secret(gpointer path)
{
    return secret_load_or_create(path, 32, NULL);
}

/* Two processes that start at once must not each believe in a secret of their own. */
static void those_who_make_a_secret_at_once_get_the_same_one(void **state)
{
    for (guint round = 0; round < 20; round++) {
        g_autofree char *name = g_strdup_printf("secret-%u", round);
        g_autofree char *path = in_folder(state, name);
        GThread *threads[8];
        GBytes *secrets[8];
        for (guint i = 0; i < 8; i++)
            threads[i] = g_thread_new("secret", load_secret, path);
        for (guint i = 0; i < 8; i++)
            secrets[i] = g_thread_join(threads[i]);
        for (guint i = 0; i < 8; i++) {
            assert_non_null(secrets[i]);
            assert_true(g_bytes_equal(secrets[0], secrets[i]));
        }
        for (guint i = 0; i < 8; i++)
            g_bytes_unref(secrets[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_folder(a_saved_key_loads_again),
        cmocka_unit_test(two_generated_keys_differ),
        with_folder(a_saved_key_is_for_its_owner_only_and_leaves_nothing_beside_it),
        with_folder(saving_where_nothing_can_be_written_says_so),
        with_folder(refuses_a_key_that_others_can_read),
        with_folder(takes_each_kind_that_the_header_names),
        with_folder(refuses_weak_keys_and_other_kinds),
        with_folder(refuses_what_is_not_pkcs8_with_the_mend_in_the_message),
        with_folder(refuses_what_is_no_key),
        with_folder(refuses_bytes_behind_the_end_of_a_key),
        with_folder(a_missing_key_is_not_found_and_a_folder_is_no_key),
        with_folder(refuses_a_key_file_beyond_64_kib),
        cmocka_unit_test(a_reference_keeps_the_key),
        with_folder(a_secret_is_made_once_and_stays_the_same),
        with_folder(refuses_a_secret_of_another_length_or_that_others_can_read),
        with_folder(a_secret_in_a_missing_folder_is_an_error),
        with_folder(those_who_make_a_secret_at_once_get_the_same_one),
    };
    return cmocka_run_group_tests_name("key", tests, NULL, NULL);
}
