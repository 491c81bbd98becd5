/* The test PKI: what it writes, what it refuses, and that its list of revoked certificates only grows. */
#include <openssl/pkcs12.h>

#include "tests/unit/crypto/fixture.h"

static Certificate *load(void **state, const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = in_folder(state, name);
    Certificate *certificate = certificate_load(path, &error);
    assert_ok(certificate != NULL, error);
    return certificate;
}

static X509_CRL *load_crl(void **state)
{
    g_autofree char *path = in_folder(state, "crl.pem");
    g_autofree char *text = NULL;
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    BIO *in = BIO_new_mem_buf(text, -1);
    X509_CRL *crl = PEM_read_bio_X509_CRL(in, NULL, NULL, NULL);
    BIO_free(in);
    assert_non_null(crl);
    return crl;
}

static gint64 crl_number(X509_CRL *crl)
{
    gint64 number = -1;
    ASN1_INTEGER *value = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
    assert_non_null(value);
    assert_int_equal(ASN1_INTEGER_get_int64(&number, value), 1);
    ASN1_INTEGER_free(value);
    return number;
}

static int crl_entries(X509_CRL *crl)
{
    STACK_OF(X509_REVOKED) *revoked = X509_CRL_get_REVOKED(crl);
    return revoked == NULL ? 0 : sk_X509_REVOKED_num(revoked);
}

static char *common_name(const X509_NAME *name)
{
    char text[128];
    assert_true(X509_NAME_get_text_by_NID((X509_NAME *)name, NID_commonName, text, sizeof text) > 0);
    return g_strdup(text);
}

static void the_anchor_says_test_and_lasts_ten_years(void **state)
{
    g_autoptr(Certificate) anchor = load(state, "anchor.crt");
    X509 *x509 = certificate_x509(anchor);
    g_autofree char *name = common_name(X509_get_subject_name(x509));
    assert_string_equal(name, "Fundament TEST anchor unit");
    assert_int_equal(X509_self_signed(x509, 1), 1);
    assert_int_equal(X509_check_ca(x509), 1);
    assert_int_equal(X509_get_pathlen(x509), 0);
    assert_int_equal(X509_get_key_usage(x509), KU_KEY_CERT_SIGN | KU_CRL_SIGN);
    assert_int_equal(certificate_not_before(anchor), NOW - 10 * DAY);
    assert_int_equal(certificate_not_after(anchor), NOW - 10 * DAY + 3653LL * DAY);
}

static void keys_are_for_their_owner_and_certificates_for_everyone(void **state)
{
    g_autofree char *anchor_key = in_folder(state, "anchor.key"),
                    *anchor_crt = in_folder(state, "anchor.crt");
    g_autofree char *crl = in_folder(state, "crl.pem"), *leaf_key = in_folder(state, "peer.key");
    g_autofree char *leaf_crt = in_folder(state, "peer.crt");
    PkiLeaf leaf = leaf_of(OIN, NULL);
    g_autoptr(Certificate) peer = issue(state, &leaf, "peer");
    assert_non_null(peer);
    assert_int_equal(mode_of(anchor_key), 0600);
    assert_int_equal(mode_of(leaf_key), 0600);
    assert_int_equal(mode_of(anchor_crt), 0644);
    assert_int_equal(mode_of(leaf_crt), 0644);
    assert_int_equal(mode_of(crl), 0644);
}

static void refuses_to_overwrite_an_anchor(void **state)
{
    const char *const names[] = {"anchor.key", "anchor.crt", "crl.pem"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *folder = g_strdup_printf("%s/only-%s", (char *)*state, names[i]);
        g_autofree char *path = g_build_filename(folder, names[i], NULL);
        g_autofree char *text = NULL;
        assert_int_equal(g_mkdir(folder, 0700), 0);
        write_text(path, "mine", 0600);
        assert_false(pki_create(folder, "again", NOW, &error));
        assert_refused(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_CONFLICT, "exists already");
        assert_true(g_file_get_contents(path, &text, NULL, NULL));
        assert_string_equal(text, "mine");
    }
}

static void refuses_a_name_too_long_for_a_certificate(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = in_folder(state, "long");
    g_autofree char *name = g_strnfill(64, 'x');
    assert_false(pki_create(folder, name, NOW, &error));
    assert_refused(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "commonName");
    assert_false(g_file_test(folder, G_FILE_TEST_EXISTS));
}

static void a_leaf_has_what_it_was_asked_to_have(void **state)
{
    const char *const domains[] = {"manager.test", "*.inway.test", NULL};
    PkiLeaf leaf = leaf_of(OIN, domains);
    g_autoptr(Certificate) peer = issue(state, &leaf, "peer");
    g_autoptr(Certificate) anchor = load(state, "anchor.crt");
    X509 *x509 = certificate_x509(peer);
    g_autofree char *subject = common_name(X509_get_subject_name(x509));
    g_autofree char *issuer = common_name(X509_get_issuer_name(x509));
    assert_string_equal(subject, "peer.test");
    assert_string_equal(issuer, "Fundament TEST anchor unit");
    assert_string_equal(certificate_peer_id(peer), OIN);
    assert_string_equal(certificate_peer_name(peer), "Gemeente Voorbeeld");
    assert_int_equal(certificate_not_before(peer), NOW - DAY);
    assert_int_equal(certificate_not_after(peer), NOW + 365 * DAY);
    assert_int_equal(X509_get_extended_key_usage(x509), XKU_SSL_SERVER | XKU_SSL_CLIENT);
    assert_int_equal(X509_get_key_usage(x509), KU_DIGITAL_SIGNATURE);
    assert_int_equal(X509_check_ca(x509), 0);
    assert_non_null(X509_get0_subject_key_id(x509));
    assert_int_equal(ASN1_OCTET_STRING_cmp(X509_get0_authority_key_id(x509),
                                           X509_get0_subject_key_id(certificate_x509(anchor))),
                     0);
    assert_true(certificate_matches_domain(peer, "manager.test"));
    assert_true(certificate_matches_domain(peer, "one.inway.test"));
    assert_false(certificate_matches_domain(peer, "peer.test"));
}

/* The way in which conf strings of OpenSSL would let one name become two. */
static void a_comma_in_a_domain_makes_no_second_domain(void **state)
{
    const char *const domains[] = {"good.test,DNS:evil.test", NULL};
    PkiLeaf leaf = leaf_of(OIN, domains);
    g_autoptr(Certificate) peer = issue(state, &leaf, "peer");
    assert_false(certificate_matches_domain(peer, "evil.test"));
}

static void a_leaf_without_oin_or_organisation_can_be_made_to_be_refused(void **state)
{
    PkiLeaf leaf = leaf_of(NULL, NULL);
    leaf.organization = NULL;
    g_autoptr(Certificate) peer = issue(state, &leaf, "peer");
    assert_null(certificate_peer_id(peer));
    assert_null(certificate_peer_name(peer));
}

static void refuses_a_leaf_whose_end_is_before_its_start(void **state)
{
    g_autoptr(GError) error = NULL;
    PkiLeaf leaf = leaf_of(OIN, NULL);
    leaf.not_after = leaf.not_before - 1;
    assert_false(pki_issue(*state, &leaf, *state, "peer", &error));
    assert_refused(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "no period");
}

static void the_key_of_a_leaf_is_the_given_one_or_a_new_one(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Key) given = key_generate_p256();
    g_autofree char *path = in_folder(state, "given.key");
    PkiLeaf leaf = leaf_of(OIN, NULL);
    g_autoptr(Certificate) first = issue(state, &leaf, "first");
    g_autoptr(Certificate) second = issue(state, &leaf, "second");
    assert_string_not_equal(certificate_public_key_thumbprint(first),
                            certificate_public_key_thumbprint(second));
    leaf.key = given;
    g_autoptr(Certificate) third = issue(state, &leaf, "given");
    g_autoptr(Key) saved = key_load(path, &error);
    assert_ok(saved != NULL, error);
    assert_int_equal(EVP_PKEY_eq(key_pkey(saved), key_pkey(given)), 1);
    assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(certificate_x509(third)), key_pkey(given)), 1);
}

/* 16 bytes, positive, never the same: nginx and the CRL compare them as text. */
static void serial_numbers_are_128_bits_and_never_the_same(void **state)
{
    PkiLeaf leaf = leaf_of(OIN, NULL);
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < 20; i++) {
        g_autoptr(Certificate) peer = issue(state, &leaf, "peer");
        assert_int_equal(strlen(certificate_serial(peer)), 32);
        assert_non_null(strchr("4567", certificate_serial(peer)[0])); /* never negative, never shorter */
        assert_true(g_hash_table_add(seen, g_strdup(certificate_serial(peer))));
    }
}

static void a_leaf_goes_into_a_folder_that_is_made_for_it(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = in_folder(state, "nodes/gemeente");
    g_autofree char *path = in_folder(state, "nodes/gemeente/tls.crt");
    PkiLeaf leaf = leaf_of(OIN, NULL);
    assert_ok(pki_issue(*state, &leaf, folder, "tls", &error), error);
    assert_true(g_file_test(path, G_FILE_TEST_IS_REGULAR));
    assert_int_equal(mode_of(folder), 0700);
}

/* For a browser: the key, the leaf and the anchor, under the password and under no other. */
static void a_file_for_a_browser_opens_with_its_password_only(void **state)
{
    g_autoptr(GError) error = NULL;
    PkiLeaf leaf = leaf_of(NULL, NULL);
    g_autofree char *path = in_folder(state, "anna.p12");
    g_autofree char *bytes = NULL;
    gsize length = 0;
    assert_ok(pki_issue(*state, &leaf, *state, "anna", &error), error);
    assert_ok(pki_export(*state, *state, "anna", "geheim", &error), error);
    assert_ok(g_file_get_contents(path, &bytes, &length, &error), error);
    const unsigned char *at = (const unsigned char *)bytes;
    PKCS12 *bundle = d2i_PKCS12(NULL, &at, (long)length);
    assert_non_null(bundle);
    assert_int_equal(PKCS12_verify_mac(bundle, "geheim", -1), 1);
    assert_int_equal(PKCS12_verify_mac(bundle, "Geheim", -1), 0);
    EVP_PKEY *key = NULL;
    X509 *certificate = NULL;
    STACK_OF(X509) *others = NULL;
    assert_int_equal(PKCS12_parse(bundle, "geheim", &key, &certificate, &others), 1);
    assert_int_equal(X509_check_private_key(certificate, key), 1);
    assert_int_equal(sk_X509_num(others), 1);
    sk_X509_pop_free(others, X509_free);
    X509_free(certificate);
    EVP_PKEY_free(key);
    PKCS12_free(bundle);
    assert_int_equal(mode_of(path), 0600);
    assert_false(pki_export(*state, *state, "niemand", "geheim", &error));
}

static void issuing_without_an_anchor_says_which_file_is_missing(void **state)
{
    g_autoptr(GError) error = NULL;
    PkiLeaf leaf = leaf_of(OIN, NULL);
    assert_false(pki_issue(*state, &leaf, *state, "peer", &error));
    assert_refused(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_NOT_FOUND, "anchor.key");
}

/* RFC 5280 5.2.3: the number only goes up. */
static void each_revocation_gives_the_next_crl(void **state)
{
    g_autoptr(GError) error = NULL;
    PkiLeaf leaf = leaf_of(OIN, NULL);
    X509_CRL *crl = load_crl(state);
    assert_int_equal(crl_number(crl), 1);
    assert_int_equal(crl_entries(crl), 0);
    X509_CRL_free(crl);
    for (int i = 1; i <= 3; i++) {
        g_autoptr(Certificate) peer = issue(state, &leaf, "peer");
        assert_ok(pki_revoke(*state, peer, NOW + i, DAY, &error), error);
        crl = load_crl(state);
        assert_int_equal(crl_number(crl), 1 + i);
        assert_int_equal(crl_entries(crl), i);
        assert_int_equal(X509_CRL_get_ext_count(crl), 2); /* one number, one authority key identifier */
        X509_CRL_free(crl);
    }
}

static void revoking_twice_keeps_one_entry_with_its_first_date(void **state)
{
    g_autoptr(GError) error = NULL;
    PkiLeaf leaf = leaf_of(OIN, NULL);
    g_autoptr(Certificate) peer = issue(state, &leaf, "peer");
    assert_ok(pki_revoke(*state, peer, NOW, DAY, &error), error);
    assert_ok(pki_revoke(*state, peer, NOW + DAY, DAY, &error), error);
    X509_CRL *crl = load_crl(state);
    X509_REVOKED *entry = NULL;
    assert_int_equal(crl_entries(crl), 1);
    assert_int_equal(crl_number(crl), 3);
    assert_int_equal(X509_CRL_get0_by_cert(crl, &entry, certificate_x509(peer)), 1);
    assert_int_equal(ASN1_TIME_cmp_time_t(X509_REVOKED_get0_revocationDate(entry), NOW), 0);
    assert_int_equal(ASN1_TIME_cmp_time_t(X509_CRL_get0_lastUpdate(crl), NOW + DAY), 0);
    assert_int_equal(ASN1_TIME_cmp_time_t(X509_CRL_get0_nextUpdate(crl), NOW + 2 * DAY), 0);
    X509_CRL_free(crl);
}

static void refuses_to_revoke_what_another_anchor_issued(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = in_folder(state, "other");
    PkiLeaf leaf = leaf_of(OIN, NULL);
    assert_true(pki_create(folder, "unit", NOW, NULL));
    assert_true(pki_issue(folder, &leaf, folder, "peer", NULL));
    g_autoptr(Certificate) foreign = load(state, "other/peer.crt");
    assert_false(pki_revoke(*state, foreign, NOW, DAY, &error));
    assert_refused(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "not issued by this trust anchor");
}

/* A list that somebody else wrote must not become ours by signing it again. */
static void refuses_to_go_on_from_a_foreign_or_damaged_crl(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = in_folder(state, "other");
    g_autofree char *path = in_folder(state, "crl.pem"), *foreign_path = in_folder(state, "other/crl.pem");
    g_autofree char *foreign = NULL;
    PkiLeaf leaf = leaf_of(OIN, NULL);
    g_autoptr(Certificate) peer = issue(state, &leaf, "peer");
    assert_true(pki_create(folder, "unit", NOW, NULL));
    assert_true(g_file_get_contents(foreign_path, &foreign, NULL, NULL));
    write_text(path, foreign, 0644);
    assert_false(pki_revoke(*state, peer, NOW, DAY, &error));
    assert_refused(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "not a CRL of this anchor");
    write_text(path, "hello", 0644);
    assert_false(pki_revoke(*state, peer, NOW, DAY, &error));
    assert_refused(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, "not a CRL of this anchor");
}

typedef struct {
    const char *folder;
    Certificate *certificate;
} Revocation;

static gpointer revoke_one(gpointer data)
{
    const Revocation *revocation = data;
    return GINT_TO_POINTER(pki_revoke(revocation->folder, revocation->certificate, NOW, DAY, NULL));
}

/* Neither of two that revoke at the same time may be lost. */
static void revocations_at_the_same_time_all_count(void **state)
{
    PkiLeaf leaf = leaf_of(OIN, NULL);
    Revocation revocations[8];
    GThread *threads[8];
    for (guint i = 0; i < 8; i++)
        revocations[i] = (Revocation){*state, issue(state, &leaf, "peer")};
    for (guint i = 0; i < 8; i++)
        threads[i] = g_thread_new("revoke", revoke_one, &revocations[i]);
    for (guint i = 0; i < 8; i++)
        assert_true(GPOINTER_TO_INT(g_thread_join(threads[i])));
    X509_CRL *crl = load_crl(state);
    assert_int_equal(crl_entries(crl), 8);
    assert_int_equal(crl_number(crl), 9);
    X509_CRL_free(crl);
    for (guint i = 0; i < 8; i++)
        certificate_unref(revocations[i].certificate);
}

/* What we make is also right in the eyes of the openssl command. */
static void the_openssl_command_accepts_leaf_and_crl(void **state)
{
    if (!openssl_is_there())
        skip();
    PkiLeaf leaf = leaf_of(OIN, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(Certificate) bad = issue(state, &leaf, "bad");
    g_autoptr(Certificate) good = issue(state, &leaf, "good");
    assert_non_null(good);
    g_autofree char *now = g_strdup_printf("%d", NOW + 1);
    assert_ok(pki_revoke(*state, bad, NOW, DAY, &error), error);
    assert_true(openssl_command(*state, "verify", "-x509_strict", "-attime", now, "-CAfile", "anchor.crt",
                                "-CRLfile", "crl.pem", "-crl_check_all", "-purpose", "sslserver", "good.crt",
                                NULL));
    assert_true(openssl_command(*state, "verify", "-x509_strict", "-attime", now, "-CAfile", "anchor.crt",
                                "-CRLfile", "crl.pem", "-crl_check_all", "-purpose", "sslclient", "good.crt",
                                NULL));
    assert_false(openssl_command(*state, "verify", "-x509_strict", "-attime", now, "-CAfile", "anchor.crt",
                                 "-CRLfile", "crl.pem", "-crl_check_all", "-purpose", "sslclient", "bad.crt",
                                 NULL));
}

int main(void)
{
    umask(022); /* the modes of public files depend on it */
    const struct CMUnitTest tests[] = {
        with_pki(the_anchor_says_test_and_lasts_ten_years),
        with_pki(keys_are_for_their_owner_and_certificates_for_everyone),
        with_folder(refuses_to_overwrite_an_anchor),
        with_folder(refuses_a_name_too_long_for_a_certificate),
        with_pki(a_leaf_has_what_it_was_asked_to_have),
        with_pki(a_comma_in_a_domain_makes_no_second_domain),
        with_pki(a_leaf_without_oin_or_organisation_can_be_made_to_be_refused),
        with_pki(refuses_a_leaf_whose_end_is_before_its_start),
        with_pki(the_key_of_a_leaf_is_the_given_one_or_a_new_one),
        with_pki(serial_numbers_are_128_bits_and_never_the_same),
        with_pki(a_leaf_goes_into_a_folder_that_is_made_for_it),
        with_folder(issuing_without_an_anchor_says_which_file_is_missing),
        with_pki(each_revocation_gives_the_next_crl),
        with_pki(revoking_twice_keeps_one_entry_with_its_first_date),
        with_pki(refuses_to_revoke_what_another_anchor_issued),
        with_pki(refuses_to_go_on_from_a_foreign_or_damaged_crl),
        with_pki(a_file_for_a_browser_opens_with_its_password_only),
        with_pki(revocations_at_the_same_time_all_count),
        with_pki(the_openssl_command_accepts_leaf_and_crl),
    };
    return cmocka_run_group_tests_name("pki", tests, NULL, NULL);
}
