/* Reading certificates: strictly, with the Peer ID and the two thumbprints of FSC. */
#include "tests/unit/crypto/fixture.h"

#include <jansson.h>

#include "core/base/bytes.h"
#include "core/crypto/digest.h"

#define ASSERT_NOT_TAKEN(data, length, part)                                                                 \
    do {                                                                                                     \
        g_autoptr(GError) refusal_ = NULL;                                                                   \
        assert_null(certificate_parse((data), (length), &refusal_));                                         \
        assert_refused(refusal_, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, part);                            \
    } while (0)

static X509 *p256_x509(EVP_PKEY **pkey)
{
    *pkey = EVP_EC_gen("P-256");
    return x509_blank(*pkey);
}

static void check_against(const json_t *expected, const char *folder)
{
    g_autoptr(GError) error = NULL;
    const char *file = json_string_value(json_object_get(expected, "file"));
    g_autofree char *path = g_build_filename(folder, file, NULL);
    g_autoptr(Certificate) certificate = certificate_load(path, &error);
    if (json_object_get(expected, "expect") != NULL) {
        assert_null(certificate);
        assert_refused(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, file);
        return;
    }
    assert_ok(certificate != NULL, error);
    assert_string_equal(certificate_thumbprint(certificate),
                        json_string_value(json_object_get(expected, "x5t#S256")));
    assert_string_equal(
        certificate_public_key_thumbprint(certificate),
        json_string_value(json_object_get(expected, "public_key_thumbprint_spki_sha256_hex")));
    assert_int_equal(
        g_strcmp0(certificate_peer_id(certificate), json_string_value(json_object_get(expected, "peer_id"))),
        0);
    assert_int_equal(g_strcmp0(certificate_peer_name(certificate),
                               json_string_value(json_object_get(expected, "peer_name"))),
                     0);
}

/* FSC Core 2.0.0, 4.2.3 (thumbprint) and 4.2.1 (public key thumbprint), on certificates that others made. */
static void thumbprints_and_peers_are_those_that_others_computed(void **state)
{
    g_autofree char *folder = external_data("fsc/nlx-test-pki");
    if (folder == NULL)
        skip();
    g_autofree char *path = g_build_filename(folder, "thumbprints.json", NULL);
    json_t *document = json_load_file(path, 0, NULL), *expected;
    size_t i;
    assert_true(json_array_size(json_object_get(document, "certs")) >= 8);
    json_array_foreach(json_object_get(document, "certs"), i, expected) check_against(expected, folder);
    json_decref(document);
}

static void serial_and_validity_are_read(void **state)
{
    EVP_PKEY *pkey;
    g_autoptr(X509) x509 = p256_x509(&pkey);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 0x0abcdef);
    g_autoptr(Certificate) certificate = certificate_signed(x509, pkey, EVP_sha256());
    assert_string_equal(certificate_serial(certificate), "ABCDEF");
    assert_int_equal(certificate_not_before(certificate), NOW - DAY);
    assert_int_equal(certificate_not_after(certificate), NOW + 365 * DAY);
    EVP_PKEY_free(pkey);
}

/* nginx prints whole bytes ($ssl_client_serial): a first digit of zero stays when the byte is not zero. */
static void serial_is_in_whole_bytes_as_nginx_prints_it(void **state)
{
    EVP_PKEY *pkey;
    g_autoptr(X509) x509 = p256_x509(&pkey);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 0x00f01);
    g_autoptr(Certificate) certificate = certificate_signed(x509, pkey, EVP_sha256());
    assert_string_equal(certificate_serial(certificate), "0F01");
    EVP_PKEY_free(pkey);
}

static void pem_and_der_of_one_certificate_have_one_thumbprint(void **state)
{
    PkiLeaf leaf = leaf_of(OIN, NULL);
    g_autoptr(Certificate) from_pem = issue(state, &leaf, "peer");
    g_autoptr(GBytes) der = der_of_x509(certificate_x509(from_pem));
    g_autoptr(Certificate) from_der =
        certificate_parse(g_bytes_get_data(der, NULL), g_bytes_get_size(der), NULL);
    guint8 hash[SHA256_SIZE];
    sha256(g_bytes_get_data(der, NULL), g_bytes_get_size(der), hash);
    g_autofree char *expected = base64url_encode(hash, sizeof hash);
    assert_string_equal(certificate_thumbprint(from_pem), expected);
    assert_string_equal(certificate_thumbprint(from_der), expected);
    assert_int_equal(strlen(expected), CERTIFICATE_THUMBPRINT_SIZE - 1);
    assert_int_equal(strlen(certificate_public_key_thumbprint(from_der)), PUBLIC_KEY_THUMBPRINT_SIZE - 1);
}

/* FSC Core 2.0.0, 4.2.4: renewal with the same key keeps the public key thumbprint, and a new key does not.
 */
static void the_public_key_thumbprint_survives_renewal(void **state)
{
    g_autoptr(Key) key = key_generate_p256();
    PkiLeaf leaf = leaf_of(OIN, NULL);
    leaf.key = key;
    g_autoptr(Certificate) old = issue(state, &leaf, "old");
    g_autoptr(Certificate) renewed = issue(state, &leaf, "renewed");
    leaf.key = NULL;
    g_autoptr(Certificate) rekeyed = issue(state, &leaf, "rekeyed");
    assert_string_equal(certificate_public_key_thumbprint(old), certificate_public_key_thumbprint(renewed));
    assert_string_not_equal(certificate_thumbprint(old), certificate_thumbprint(renewed));
    assert_string_not_equal(certificate_public_key_thumbprint(old),
                            certificate_public_key_thumbprint(rekeyed));
}

static char *peer_id_with(const char *first, const char *second)
{
    EVP_PKEY *pkey;
    g_autoptr(X509) x509 = p256_x509(&pkey);
    x509_add_name(x509, NID_commonName, OIN, -1); /* never looked at */
    if (first != NULL)
        x509_add_name(x509, NID_serialNumber, first, -1);
    if (second != NULL)
        x509_add_name(x509, NID_serialNumber, second, -1);
    g_autoptr(Certificate) certificate = certificate_signed(x509, pkey, EVP_sha256());
    EVP_PKEY_free(pkey);
    return g_strdup(certificate_peer_id(certificate));
}

/* Digikoppeling REST API 3.0.1: the Peer ID is the OIN in subject.serialNumber. */
static void the_peer_id_is_the_oin_in_the_serial_number_of_the_subject(void **state)
{
    g_autofree char *peer_id = peer_id_with(OIN, NULL);
    assert_string_equal(peer_id, OIN);
}

static void refuses_a_peer_id_that_is_missing_there_twice_or_no_oin(void **state)
{
    assert_null(peer_id_with(NULL, NULL));
    assert_null(peer_id_with(OIN, OIN));
    assert_null(peer_id_with(OIN, "00000000000000000001"));
    assert_null(peer_id_with("x", OIN));
    assert_null(peer_id_with("0000000182328844400", NULL));   /* 19 digits */
    assert_null(peer_id_with("000000018232884440000", NULL)); /* 21 digits */
    assert_null(peer_id_with("0000000182328844400A", NULL));
    assert_null(peer_id_with(" 0000000182328844400", NULL));
    assert_null(peer_id_with("NTRNL-18232884", NULL));
}

/* Peer ID and name as raw strings of any type and bytes, past the checks that OpenSSL makes when it writes.
 */
static Certificate *certificate_with_raw(int nid, int type, const char *bytes, int length)
{
    EVP_PKEY *pkey;
    g_autoptr(X509) x509 = p256_x509(&pkey);
    X509_NAME_ENTRY *entry = X509_NAME_ENTRY_new();
    assert_int_equal(X509_NAME_ENTRY_set_object(entry, OBJ_nid2obj(nid)), 1);
    assert_int_equal(X509_NAME_ENTRY_set_data(entry, type, (const unsigned char *)bytes, length), 1);
    assert_int_equal(X509_NAME_add_entry(X509_get_subject_name(x509), entry, -1, 0), 1);
    X509_NAME_ENTRY_free(entry);
    Certificate *certificate = certificate_signed(x509, pkey, EVP_sha256());
    EVP_PKEY_free(pkey);
    return certificate;
}

static void a_peer_id_with_a_nul_in_it_is_refused(void **state)
{
    g_autoptr(Certificate) behind =
        certificate_with_raw(NID_serialNumber, V_ASN1_UTF8STRING, OIN "\0.evil.test", 31);
    g_autoptr(Certificate) at_the_end =
        certificate_with_raw(NID_serialNumber, V_ASN1_UTF8STRING, OIN "\0", 21);
    g_autoptr(Certificate) without = certificate_with_raw(NID_serialNumber, V_ASN1_UTF8STRING, OIN, 20);
    assert_null(certificate_peer_id(behind));
    assert_null(certificate_peer_id(at_the_end));
    assert_string_equal(certificate_peer_id(without), OIN);
}

static void the_peer_name_has_no_nul_in_it(void **state)
{
    g_autoptr(Certificate) good =
        certificate_with_raw(NID_organizationName, V_ASN1_UTF8STRING, "Súdwest-Fryslân", 17);
    g_autoptr(Certificate) nul =
        certificate_with_raw(NID_organizationName, V_ASN1_UTF8STRING, "Good\0Evil", 9);
    g_autoptr(Certificate) missing = certificate_with_raw(NID_commonName, V_ASN1_UTF8STRING, "Good", 4);
    assert_string_equal(certificate_peer_name(good), "Súdwest-Fryslân");
    assert_null(certificate_peer_name(nul));
    assert_null(certificate_peer_name(missing));
}

/* RFC 6125 6.4: the whole name, or a wildcard that is the whole leftmost label. */
static void matches_domains_of_the_alternative_names(void **state)
{
    const char *const domains[] = {"manager.gemeente.test", "*.inway.test", "f*.partial.test", NULL};
    PkiLeaf leaf = leaf_of(OIN, domains);
    g_autoptr(Certificate) certificate = issue(state, &leaf, "peer");
    assert_true(certificate_matches_domain(certificate, "manager.gemeente.test"));
    assert_true(certificate_matches_domain(certificate, "MANAGER.gemeente.TEST"));
    assert_true(certificate_matches_domain(certificate, "one.inway.test"));
    const char *const others[] = {"gemeente.test",
                                  "x.manager.gemeente.test",
                                  ".gemeente.test",
                                  "inway.test",
                                  "one.two.inway.test",
                                  "foo.partial.test",
                                  "",
                                  ".",
                                  "*.inway.test",
                                  "peer.test",
                                  "127.0.0.1",
                                  ".test"};
    for (gsize i = 0; i < G_N_ELEMENTS(others); i++)
        assert_false(certificate_matches_domain(certificate, others[i]));
    assert_false(certificate_matches_domain(certificate, NULL));
}

static void an_empty_alternative_name_matches_nothing(void **state)
{
    const char *const domains[] = {"", NULL};
    PkiLeaf leaf = leaf_of(OIN, domains);
    g_autoptr(Certificate) certificate = issue(state, &leaf, "peer");
    assert_false(certificate_matches_domain(certificate, ""));
    assert_false(certificate_matches_domain(certificate, "peer.test"));
}

/* RFC 6125 6.4.4 leaves the common name as a last resort; we have none. */
static void the_common_name_is_never_a_domain(void **state)
{
    PkiLeaf leaf = leaf_of(OIN, NULL);
    g_autoptr(Certificate) certificate = issue(state, &leaf, "peer");
    assert_false(certificate_matches_domain(certificate, "peer.test"));
}

static void refuses_what_is_no_certificate(void **state)
{
    ASSERT_NOT_TAKEN("", 0, "empty");
    ASSERT_NOT_TAKEN("hello", 5, "no BEGIN CERTIFICATE");
    ASSERT_NOT_TAKEN("0", 1, "no BEGIN CERTIFICATE");
    ASSERT_NOT_TAKEN("0\x82\x01\x00", 4, "certificate: ");
    const char *damaged = "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n";
    ASSERT_NOT_TAKEN(damaged, strlen(damaged), "certificate: ");
    const char *cut = "-----BEGIN CERTIFICATE-----\nMIIB\n";
    ASSERT_NOT_TAKEN(cut, strlen(cut), "certificate: ");
    const char *other = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    ASSERT_NOT_TAKEN(other, strlen(other), "certificate: ");
}

static char *pem_of(Certificate *certificate)
{
    BIO *out = BIO_new(BIO_s_mem());
    char *text;
    assert_int_equal(PEM_write_bio_X509(out, certificate_x509(certificate)), 1);
    long length = BIO_get_mem_data(out, &text);
    char *pem = g_strndup(text, (gsize)length);
    BIO_free(out);
    return pem;
}

static void refuses_a_damaged_block_behind_a_good_one(void **state)
{
    PkiLeaf leaf = leaf_of(OIN, NULL);
    g_autoptr(Certificate) certificate = issue(state, &leaf, "peer");
    g_autofree char *pem = pem_of(certificate);
    g_autofree char *damaged = g_strconcat(pem, "-----BEGIN CERTIFICATE-----\nMIIB\n", NULL);
    g_autofree char *commented = g_strconcat("subject=peer\n", pem, "that was all\n", NULL);
    ASSERT_NOT_TAKEN(damaged, strlen(damaged), "certificate: ");
    g_autoptr(Certificate) again = certificate_parse(commented, strlen(commented), NULL);
    assert_non_null(again);
}

/* A private key may stand in the same file, and is not looked at; encrypted blocks must not ask the terminal.
 */
static void passes_over_keys_and_refuses_pem_headers(void **state)
{
    PkiLeaf leaf = leaf_of(OIN, NULL);
    g_autoptr(Certificate) certificate = issue(state, &leaf, "peer");
    g_autoptr(Key) key = key_generate_p256();
    g_autofree char *pem = pem_of(certificate);
    g_autofree char *key_pem = pem_of_key(key_pkey(key));
    g_autofree char *both = g_strconcat(key_pem, pem, NULL);
    g_autoptr(Certificate) again = certificate_parse(both, strlen(both), NULL);
    assert_non_null(again);
    assert_string_equal(certificate_thumbprint(again), certificate_thumbprint(certificate));
    g_autofree char *encrypted = g_strconcat("-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: "
                                             "AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n",
                                             strchr(pem, '\n') + 1, NULL);
    ASSERT_NOT_TAKEN(encrypted, strlen(encrypted), "PEM with headers");
    ASSERT_NOT_TAKEN(key_pem, strlen(key_pem), "no BEGIN CERTIFICATE");
}

/* Two encodings of one certificate would be two thumbprints for one key: a way round a list of refused
 * thumbprints. */
static void refuses_bytes_behind_the_end_and_encodings_that_are_not_der(void **state)
{
    PkiLeaf leaf = leaf_of(OIN, NULL);
    g_autoptr(Certificate) certificate = issue(state, &leaf, "peer");
    g_autoptr(GBytes) der = der_of_x509(certificate_x509(certificate));
    gsize length;
    const guint8 *data = g_bytes_get_data(der, &length);
    g_autofree guint8 *longer = g_malloc(length + 3);
    memcpy(longer, data, length);
    longer[length] = 0;
    ASSERT_NOT_TAKEN(longer, length + 1, "bytes behind the end");
    /* 30 82 hh ll becomes 30 83 00 hh ll: the same length in more bytes than it takes. */
    assert_int_equal(data[1], 0x82);
    longer[1] = 0x83;
    longer[2] = 0;
    memcpy(longer + 3, data + 2, length - 2);
    ASSERT_NOT_TAKEN(longer, length + 1, "not in DER");
}

/* X.690 11.2.1: unused bits of a BIT STRING are zero. Here one is said to be unused and is set: as long,
 * other bytes. */
static void refuses_an_encoding_that_is_not_der_and_as_long(void **state)
{
    PkiLeaf leaf = leaf_of(OIN, NULL);
    const ASN1_BIT_STRING *signature;
    g_autoptr(Certificate) certificate = issue(state, &leaf, "peer");
    g_autoptr(GBytes) der = der_of_x509(certificate_x509(certificate));
    gsize length = g_bytes_get_size(der);
    g_autofree guint8 *data = g_memdup2(g_bytes_get_data(der, NULL), length);
    X509_get0_signature(&signature, NULL, certificate_x509(certificate));
    guint8 *unused_bits = data + length - ASN1_STRING_length(signature) - 1;
    assert_int_equal(*unused_bits, 0);
    *unused_bits = 1;
    data[length - 1] |= 1;
    ASSERT_NOT_TAKEN(data, length, "not in DER");
}

static void refuses_every_cut_of_a_certificate(void **state)
{
    PkiLeaf leaf = leaf_of(OIN, NULL);
    g_autoptr(Certificate) certificate = issue(state, &leaf, "peer");
    g_autoptr(GBytes) der = der_of_x509(certificate_x509(certificate));
    for (gsize length = 0; length < g_bytes_get_size(der); length++)
        assert_null(certificate_parse(g_bytes_get_data(der, NULL), length, NULL));
}

static void takes_ten_certificates_and_refuses_eleven(void **state)
{
    g_autoptr(GError) error = NULL;
    PkiLeaf leaf = leaf_of(OIN, NULL);
    g_autoptr(Certificate) certificate = issue(state, &leaf, "peer");
    g_autofree char *pem = pem_of(certificate);
    g_autoptr(GString) chain = g_string_new(NULL);
    for (guint i = 0; i < 10; i++)
        g_string_append(chain, pem);
    g_autoptr(Certificate) ten = certificate_parse(chain->str, chain->len, &error);
    assert_ok(ten != NULL, error);
    g_autoptr(GPtrArray) x5c = certificate_x5c(ten);
    assert_int_equal(x5c->len, 10);
    g_string_append(chain, pem);
    ASSERT_NOT_TAKEN(chain->str, chain->len, "more than 10");
}

static void refuses_more_than_64_kib(void **state)
{
    PkiLeaf leaf = leaf_of(OIN, NULL);
    g_autoptr(Certificate) certificate = issue(state, &leaf, "peer");
    g_autofree char *pem = pem_of(certificate);
    g_autofree char *blanks = g_strnfill(65536 - strlen(pem), '\n');
    g_autofree char *fits = g_strconcat(blanks, pem, NULL);
    g_autofree char *too_large = g_strconcat("\n", fits, NULL);
    g_autoptr(Certificate) again = certificate_parse(fits, 65536, NULL);
    assert_non_null(again);
    ASSERT_NOT_TAKEN(too_large, 65537, "larger than 64 KiB");
}

static void a_missing_file_is_named(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = in_folder(state, "none.crt");
    assert_null(certificate_load(path, &error));
    assert_refused(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_NOT_FOUND, "none.crt");
}

/* RFC 7517 4.7, and FSC Core 2.0.0, 4.4: the chain without its root. */
static void x5c_gives_the_chain_back_without_the_root(void **state)
{
    g_autoptr(GError) error = NULL;
    PkiLeaf leaf = leaf_of(OIN, NULL);
    g_autoptr(Certificate) certificate = issue(state, &leaf, "peer");
    g_autoptr(Certificate) other = issue(state, &leaf, "other");
    g_autofree char *anchor_path = in_folder(state, "anchor.crt");
    g_autofree char *root = NULL;
    assert_true(g_file_get_contents(anchor_path, &root, NULL, NULL));
    g_autofree char *first = pem_of(certificate), *second = pem_of(other);
    g_autofree char *chain = g_strconcat(first, second, root, NULL);
    g_autoptr(Certificate) parsed = certificate_parse(chain, strlen(chain), &error);
    assert_ok(parsed != NULL, error);
    g_autoptr(GPtrArray) x5c = certificate_x5c(parsed);
    assert_int_equal(x5c->len, 2);
    g_autoptr(Certificate) again = certificate_from_x5c((const char *const *)x5c->pdata, x5c->len, &error);
    assert_ok(again != NULL, error);
    assert_string_equal(certificate_thumbprint(again), certificate_thumbprint(certificate));
    g_autoptr(Certificate) anchor = certificate_load(anchor_path, NULL);
    g_autoptr(GPtrArray) alone = certificate_x5c(anchor);
    assert_int_equal(alone->len, 1); /* a leaf that signed itself is still the leaf */
}

static void assert_x5c_refused(const char *text, gsize count, const char *part)
{
    g_autoptr(GError) error = NULL;
    g_autofree const char **texts = g_new0(const char *, count + 1);
    for (gsize i = 0; i < count; i++)
        texts[i] = text;
    assert_null(certificate_from_x5c(texts, count, &error));
    assert_refused(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, part);
}

/* RFC 7517 4.7: base64, not base64url; RFC 4648 3.1 and 3.3: no line breaks and nothing outside the alphabet.
 */
static void x5c_takes_plain_base64_only(void **state)
{
    PkiLeaf leaf = leaf_of(OIN, NULL);
    g_autoptr(Certificate) certificate = issue(state, &leaf, "peer");
    g_autoptr(GPtrArray) x5c = certificate_x5c(certificate);
    const char *good = g_ptr_array_index(x5c, 0);
    g_autofree char *broken_line = g_strdup_printf("%.64s\n%s", good, good + 64);
    g_autofree char *blank = g_strconcat(good, " ", NULL);
    g_autofree char *longer = g_strconcat(good, "AAAA", NULL);
    g_autofree char *url = g_strdup(good);
    g_strdelimit(g_strdelimit(url, "+", '-'), "/", '_');
    g_autofree char *padded = g_strconcat(good, "=", NULL);
    const char *const texts[] = {broken_line, blank, padded, "", "====", "abc"};
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        assert_x5c_refused(texts[i], 1, "certificate: ");
    if (strcmp(url, good) != 0)
        assert_x5c_refused(url, 1, "plain base64");
    assert_x5c_refused(broken_line, 1, "plain base64");
    assert_x5c_refused(padded, 1, "plain base64");
    if (!g_str_has_suffix(good, "="))
        assert_x5c_refused(longer, 1, "bytes behind the end");
    assert_x5c_refused(good, 0, "1 to 10");
    assert_x5c_refused(good, 11, "1 to 10");
    g_autofree char *huge = g_strnfill(65537, 'A');
    assert_x5c_refused(huge, 1, "larger than 64 KiB");
}

static gpointer use_certificate(gpointer data)
{
    Certificate *certificate = data;
    gboolean ok = TRUE;
    for (guint i = 0; i < 1000; i++) {
        g_autoptr(Certificate) same = certificate_ref(certificate);
        ok = ok && certificate_matches_domain(same, "manager.gemeente.test") &&
             certificate_peer_id(same) != NULL;
    }
    return GINT_TO_POINTER(ok);
}

static void threads_share_a_certificate(void **state)
{
    const char *const domains[] = {"manager.gemeente.test", NULL};
    PkiLeaf leaf = leaf_of(OIN, domains);
    Certificate *certificate = issue(state, &leaf, "peer");
    GThread *threads[4];
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("certificate", use_certificate, certificate);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        assert_true(GPOINTER_TO_INT(g_thread_join(threads[i])));
    certificate_unref(certificate);
    certificate_unref(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thumbprints_and_peers_are_those_that_others_computed),
        cmocka_unit_test(serial_and_validity_are_read),
        cmocka_unit_test(serial_is_in_whole_bytes_as_nginx_prints_it),
        with_pki(pem_and_der_of_one_certificate_have_one_thumbprint),
        with_pki(the_public_key_thumbprint_survives_renewal),
        cmocka_unit_test(the_peer_id_is_the_oin_in_the_serial_number_of_the_subject),
        cmocka_unit_test(refuses_a_peer_id_that_is_missing_there_twice_or_no_oin),
        cmocka_unit_test(a_peer_id_with_a_nul_in_it_is_refused),
        cmocka_unit_test(the_peer_name_has_no_nul_in_it),
        with_pki(matches_domains_of_the_alternative_names),
        with_pki(an_empty_alternative_name_matches_nothing),
        with_pki(the_common_name_is_never_a_domain),
        cmocka_unit_test(refuses_what_is_no_certificate),
        with_pki(refuses_a_damaged_block_behind_a_good_one),
        with_pki(passes_over_keys_and_refuses_pem_headers),
        with_pki(refuses_bytes_behind_the_end_and_encodings_that_are_not_der),
        with_pki(refuses_an_encoding_that_is_not_der_and_as_long),
        with_pki(refuses_every_cut_of_a_certificate),
        with_pki(takes_ten_certificates_and_refuses_eleven),
        with_pki(refuses_more_than_64_kib),
        with_folder(a_missing_file_is_named),
        with_pki(x5c_gives_the_chain_back_without_the_root),
        with_pki(x5c_takes_plain_base64_only),
        with_pki(threads_share_a_certificate),
    };
    return cmocka_run_group_tests_name("certificate", tests, NULL, NULL);
}
