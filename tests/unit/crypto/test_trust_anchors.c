/* Who is believed: chains, time, revocation and strength. Each refusal is asserted with its reason. */
#include "tests/unit/crypto/fixture.h"

#define HOUR 3600
#define CRL_END (NOW + 20 * DAY) /* pki_setup makes it ten days ago, for thirty days */

static TrustAnchors *load(void **state, const char *crl_file, gint64 grace_s)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *anchors_path = in_folder(state, "anchor.crt");
    g_autofree char *crl_path = crl_file == NULL ? NULL : in_folder(state, crl_file);
    TrustAnchors *anchors = trust_anchors_load(anchors_path, crl_path, grace_s, &error);
    assert_ok(anchors != NULL, error);
    return anchors;
}

static void assert_accepts(const TrustAnchors *anchors, const Certificate *certificate, gint64 now_s)
{
    g_autoptr(GError) error = NULL;
    assert_ok(trust_anchors_verify(anchors, certificate, now_s, &error), error);
}

static void assert_denies(const TrustAnchors *anchors, const Certificate *certificate, gint64 now_s,
                          const char *part)
{
    g_autoptr(GError) error = NULL;
    assert_false(trust_anchors_verify(anchors, certificate, now_s, &error));
    assert_refused(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_DENIED, part);
}

static void accepts_a_leaf_of_the_anchor_with_and_without_a_crl(void **state)
{
    PkiLeaf leaf = leaf_of(OIN, NULL);
    g_autoptr(Certificate) peer = issue(state, &leaf, "peer");
    g_autoptr(TrustAnchors) without = load(state, NULL, 0);
    g_autoptr(TrustAnchors) with = load(state, "crl.pem", 0);
    assert_accepts(without, peer, NOW);
    assert_accepts(with, peer, NOW);
    assert_int_equal(trust_anchors_crl_next_update(without), 0);
    assert_int_equal(trust_anchors_crl_next_update(with), CRL_END);
}

/* RFC 5280 4.1.2.5. */
static void refuses_before_and_after_the_validity(void **state)
{
    PkiLeaf leaf = leaf_of(OIN, NULL);
    g_autoptr(Certificate) peer = issue(state, &leaf, "peer");
    g_autoptr(TrustAnchors) anchors = load(state, NULL, 0);
    assert_accepts(anchors, peer, NOW - DAY);
    assert_denies(anchors, peer, NOW - DAY - 1, "certificate is not yet valid");
    assert_accepts(anchors, peer, NOW + 365 * DAY - 1);
    assert_denies(anchors, peer, NOW + 365 * DAY + 1, "certificate has expired");
}

static void refuses_a_leaf_that_was_issued_expired(void **state)
{
    PkiLeaf leaf = leaf_of(OIN, NULL);
    leaf.not_before = NOW - 9 * DAY;
    leaf.not_after = NOW - 2 * DAY;
    g_autoptr(Certificate) peer = issue(state, &leaf, "peer");
    g_autoptr(TrustAnchors) anchors = load(state, "crl.pem", 0);
    assert_accepts(anchors, peer, NOW - 3 * DAY);
    assert_denies(anchors, peer, NOW, "certificate has expired");
}

/* Two anchors with one name: only the key counts. */
static void refuses_a_leaf_of_another_anchor_with_the_same_name(void **state)
{
    g_autofree char *folder = in_folder(state, "other");
    g_autofree char *path = in_folder(state, "other/peer.crt");
    PkiLeaf leaf = leaf_of(OIN, NULL);
    assert_true(pki_create(folder, "unit", NOW - 10 * DAY, NULL));
    assert_true(pki_issue(folder, &leaf, folder, "peer", NULL));
    g_autoptr(Certificate) peer = certificate_load(path, NULL);
    g_autoptr(TrustAnchors) anchors = load(state, NULL, 0);
    assert_denies(anchors, peer, NOW, "certificate refused: ");
}

static void revoke_now(void **state, const Certificate *certificate, gint64 now_s, gint64 valid_s)
{
    g_autoptr(GError) error = NULL;
    assert_ok(pki_revoke(*state, certificate, now_s, valid_s, &error), error);
}

/* RFC 5280 6.3. */
static void refuses_a_revoked_leaf_and_no_other(void **state)
{
    PkiLeaf leaf = leaf_of(OIN, NULL);
    g_autoptr(Certificate) bad = issue(state, &leaf, "bad");
    g_autoptr(Certificate) good = issue(state, &leaf, "good");
    g_autoptr(TrustAnchors) before = load(state, "crl.pem", 0);
    revoke_now(state, bad, NOW, 30 * DAY);
    g_autoptr(TrustAnchors) anchors = load(state, "crl.pem", 0);
    assert_accepts(before, bad, NOW);
    assert_denies(anchors, bad, NOW + 1, "certificate revoked");
    assert_accepts(anchors, good, NOW + 1);
}

/* decisions.md 5: an expired CRL refuses everyone, unless within the grace. */
static void an_expired_crl_refuses_everyone_when_the_grace_is_over(void **state)
{
    PkiLeaf leaf = leaf_of(OIN, NULL);
    g_autoptr(Certificate) peer = issue(state, &leaf, "peer");
    g_autoptr(TrustAnchors) strict = load(state, "crl.pem", 0);
    g_autoptr(TrustAnchors) lenient = load(state, "crl.pem", 6 * HOUR);
    assert_accepts(strict, peer, CRL_END - 1);
    assert_denies(strict, peer, CRL_END + 1, "CRL has expired");
    assert_accepts(lenient, peer, CRL_END + 1);
    assert_accepts(lenient, peer, CRL_END + 6 * HOUR);
    assert_denies(lenient, peer, CRL_END + 6 * HOUR + 1, "CRL has expired");
}

/* The grace forgives the age of the list, nothing else. */
static void within_the_grace_a_revoked_or_expired_certificate_stays_refused(void **state)
{
    PkiLeaf leaf = leaf_of(OIN, NULL);
    g_autoptr(Certificate) bad = issue(state, &leaf, "bad");
    leaf.not_after = NOW + DAY;
    g_autoptr(Certificate) brief = issue(state, &leaf, "brief");
    revoke_now(state, bad, NOW, DAY);
    g_autoptr(TrustAnchors) anchors = load(state, "crl.pem", 5 * DAY);
    assert_denies(anchors, bad, NOW + 2 * DAY, "certificate revoked");
    assert_denies(anchors, brief, NOW + 2 * DAY, "certificate has expired");
}

static void a_crl_from_the_future_is_refused(void **state)
{
    PkiLeaf leaf = leaf_of(OIN, NULL);
    g_autoptr(Certificate) other = issue(state, &leaf, "other");
    g_autoptr(Certificate) peer = issue(state, &leaf, "peer");
    revoke_now(state, other, NOW + DAY, DAY);
    g_autoptr(TrustAnchors) anchors = load(state, "crl.pem", 5 * DAY);
    assert_denies(anchors, peer, NOW, "CRL is not yet valid");
}

/* A CA of any shape, for what pki_create never makes. */
typedef struct {
    EVP_PKEY *pkey;
    Certificate *certificate;
} Authority;

static void authority_clear(Authority *authority)
{
    EVP_PKEY_free(authority->pkey);
    certificate_unref(authority->certificate);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Authority, authority_clear)

/* Takes `pkey`. NULL for `issuer` makes a root. */
static Authority authority_new(EVP_PKEY *pkey, const char *name, const Authority *issuer,
                               const char *constraints)
{
    g_autoptr(X509) x509 = x509_blank(pkey);
    x509_add_name(x509, NID_commonName, name, -1);
    X509 *above = issuer == NULL ? x509 : certificate_x509(issuer->certificate);
    X509_set_issuer_name(x509, X509_get_subject_name(above));
    x509_add_extension(x509, above, NID_basic_constraints, constraints);
    Authority authority = {pkey,
                           certificate_signed(x509, issuer == NULL ? pkey : issuer->pkey, EVP_sha256())};
    return authority;
}

static Certificate *leaf_under(const Authority *issuer, EVP_PKEY *pkey, const EVP_MD *digest)
{
    g_autoptr(X509) x509 = x509_blank(pkey);
    x509_add_name(x509, NID_commonName, "leaf", -1);
    X509_set_issuer_name(x509, X509_get_subject_name(certificate_x509(issuer->certificate)));
    return certificate_signed(x509, issuer->pkey, digest);
}

static void append_pem(GString *pem, X509 *x509)
{
    BIO *out = BIO_new(BIO_s_mem());
    char *text;
    assert_int_equal(PEM_write_bio_X509(out, x509), 1);
    long length = BIO_get_mem_data(out, &text);
    g_string_append_len(pem, text, length);
    BIO_free(out);
}

/* The leaf and what stands behind it in its file. */
static Certificate *with_intermediates(const Certificate *leaf, const Certificate *one,
                                       const Certificate *two)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) pem = g_string_new(NULL);
    append_pem(pem, certificate_x509(leaf));
    append_pem(pem, certificate_x509(one));
    if (two != NULL)
        append_pem(pem, certificate_x509(two));
    Certificate *chain = certificate_parse(pem->str, pem->len, &error);
    assert_ok(chain != NULL, error);
    return chain;
}

static void append_crl(GString *pem, const Authority *issuer, const EVP_MD *digest, gint64 next_s,
                       const Certificate *revoked)
{
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *last = ASN1_TIME_set(NULL, NOW - DAY), *next = ASN1_TIME_set(NULL, next_s);
    assert_int_equal(X509_CRL_set_version(crl, X509_CRL_VERSION_2), 1);
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(certificate_x509(issuer->certificate)));
    X509_CRL_set1_lastUpdate(crl, last);
    if (next_s > 0)
        X509_CRL_set1_nextUpdate(crl, next);
    if (revoked != NULL) {
        X509_REVOKED *entry = X509_REVOKED_new();
        X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(certificate_x509(revoked)));
        X509_REVOKED_set_revocationDate(entry, last);
        X509_CRL_add0_revoked(crl, entry);
    }
    assert_true(X509_CRL_sign(crl, issuer->pkey, digest) > 0);
    BIO *out = BIO_new(BIO_s_mem());
    char *text;
    assert_int_equal(PEM_write_bio_X509_CRL(out, crl), 1);
    long length = BIO_get_mem_data(out, &text);
    g_string_append_len(pem, text, length);
    BIO_free(out);
    ASN1_TIME_free(last);
    ASN1_TIME_free(next);
    X509_CRL_free(crl);
}

/* Writes the anchor of a root over that of the PKI. */
static void write_anchor(void **state, const Certificate *root)
{
    g_autofree char *path = in_folder(state, "anchor.crt");
    g_autoptr(GString) pem = g_string_new(NULL);
    append_pem(pem, certificate_x509(root));
    write_text(path, pem->str, 0644);
}

static void write_crls(void **state, const GString *pem)
{
    g_autofree char *path = in_folder(state, "crls.pem");
    write_text(path, pem->str, 0644);
}

static void a_chain_needs_its_intermediate(void **state)
{
    g_auto(Authority) root = authority_new(EVP_EC_gen("P-384"), "root", NULL, "critical,CA:TRUE");
    g_auto(Authority) middle =
        authority_new(EVP_EC_gen("P-256"), "middle", &root, "critical,CA:TRUE,pathlen:0");
    g_autoptr(EVP_PKEY) pkey = EVP_RSA_gen(2048);
    g_autoptr(Certificate) leaf = leaf_under(&middle, pkey, EVP_sha384());
    g_autoptr(Certificate) chain = with_intermediates(leaf, middle.certificate, NULL);
    write_anchor(state, root.certificate);
    g_autoptr(TrustAnchors) anchors = load(state, NULL, 0);
    assert_accepts(anchors, chain, NOW);
    assert_denies(anchors, leaf, NOW, "unable to get local issuer certificate");
}

/* Every certificate below the root is looked up, in the list of its own issuer. */
static void each_issuer_in_the_chain_must_have_its_crl(void **state)
{
    g_auto(Authority) root = authority_new(EVP_EC_gen("P-256"), "root", NULL, "critical,CA:TRUE");
    g_auto(Authority) middle =
        authority_new(EVP_EC_gen("P-256"), "middle", &root, "critical,CA:TRUE,pathlen:0");
    g_autoptr(EVP_PKEY) pkey = EVP_EC_gen("P-256");
    g_autoptr(Certificate) leaf = leaf_under(&middle, pkey, EVP_sha256());
    g_autoptr(Certificate) chain = with_intermediates(leaf, middle.certificate, NULL);
    g_autoptr(GString) crls = g_string_new(NULL);
    write_anchor(state, root.certificate);
    append_crl(crls, &root, EVP_sha256(), NOW + 9 * DAY, NULL);
    write_crls(state, crls);
    g_autoptr(TrustAnchors) only_root = load(state, "crls.pem", 0);
    assert_denies(only_root, chain, NOW, "unable to get certificate CRL");
    append_crl(crls, &middle, EVP_sha256(), NOW + 3 * DAY, NULL);
    write_crls(state, crls);
    g_autoptr(TrustAnchors) both = load(state, "crls.pem", 0);
    assert_accepts(both, chain, NOW);
    assert_int_equal(trust_anchors_crl_next_update(both), NOW + 3 * DAY);
    assert_denies(both, chain, NOW + 4 * DAY, "CRL has expired");
    g_string_truncate(crls, 0);
    append_crl(crls, &root, EVP_sha256(), NOW + 9 * DAY, middle.certificate);
    append_crl(crls, &middle, EVP_sha256(), NOW + 9 * DAY, NULL);
    write_crls(state, crls);
    g_autoptr(TrustAnchors) middle_revoked = load(state, "crls.pem", 0);
    assert_denies(middle_revoked, chain, NOW, "certificate revoked (depth 1");
}

static void refuses_a_crl_that_another_key_signed(void **state)
{
    g_auto(Authority) root = authority_new(EVP_EC_gen("P-256"), "root", NULL, "critical,CA:TRUE");
    g_auto(Authority) namesake = authority_new(EVP_EC_gen("P-256"), "root", NULL, "critical,CA:TRUE");
    g_autoptr(EVP_PKEY) pkey = EVP_EC_gen("P-256");
    g_autoptr(Certificate) leaf = leaf_under(&root, pkey, EVP_sha256());
    g_autoptr(GString) crls = g_string_new(NULL);
    write_anchor(state, root.certificate);
    append_crl(crls, &namesake, EVP_sha256(), NOW + DAY, NULL);
    write_crls(state, crls);
    g_autoptr(TrustAnchors) anchors = load(state, "crls.pem", DAY);
    assert_denies(anchors, leaf, NOW, "CRL signature failure");
}

/* RFC 5280 4.2.1.9: an ordinary certificate issues nothing, whatever its key can sign. */
static void refuses_a_chain_through_a_leaf(void **state)
{
    g_auto(Authority) root = authority_new(EVP_EC_gen("P-256"), "root", NULL, "critical,CA:TRUE");
    g_auto(Authority) leaf = authority_new(EVP_EC_gen("P-256"), "ordinary", &root, "critical,CA:FALSE");
    g_autoptr(EVP_PKEY) pkey = EVP_EC_gen("P-256");
    g_autoptr(Certificate) forged = leaf_under(&leaf, pkey, EVP_sha256());
    g_autoptr(Certificate) chain = with_intermediates(forged, leaf.certificate, NULL);
    write_anchor(state, root.certificate);
    g_autoptr(TrustAnchors) anchors = load(state, NULL, 0);
    assert_accepts(anchors, leaf.certificate, NOW);
    assert_denies(anchors, chain, NOW, "invalid CA certificate");
}

static void refuses_a_chain_longer_than_the_path_length(void **state)
{
    g_auto(Authority) root = authority_new(EVP_EC_gen("P-256"), "root", NULL, "critical,CA:TRUE,pathlen:0");
    g_auto(Authority) middle = authority_new(EVP_EC_gen("P-256"), "middle", &root, "critical,CA:TRUE");
    g_autoptr(EVP_PKEY) pkey = EVP_EC_gen("P-256");
    g_autoptr(Certificate) leaf = leaf_under(&middle, pkey, EVP_sha256());
    g_autoptr(Certificate) chain = with_intermediates(leaf, middle.certificate, NULL);
    write_anchor(state, root.certificate);
    g_autoptr(TrustAnchors) anchors = load(state, NULL, 0);
    assert_denies(anchors, chain, NOW, "path length constraint exceeded");
}

static void a_root_that_the_peer_brings_along_is_not_trusted(void **state)
{
    g_auto(Authority) root = authority_new(EVP_EC_gen("P-256"), "root", NULL, "critical,CA:TRUE");
    g_auto(Authority) own = authority_new(EVP_EC_gen("P-256"), "own", NULL, "critical,CA:TRUE");
    g_auto(Authority) middle = authority_new(EVP_EC_gen("P-256"), "middle", &own, "critical,CA:TRUE");
    g_autoptr(EVP_PKEY) pkey = EVP_EC_gen("P-256");
    g_autoptr(Certificate) leaf = leaf_under(&middle, pkey, EVP_sha256());
    g_autoptr(Certificate) chain = with_intermediates(leaf, middle.certificate, own.certificate);
    write_anchor(state, root.certificate);
    g_autoptr(TrustAnchors) anchors = load(state, NULL, 0);
    assert_denies(anchors, chain, NOW, "self-signed certificate in certificate chain");
    assert_denies(anchors, own.certificate, NOW, "self-signed certificate");
}

static void refuses_weak_keys_in_a_leaf(void **state)
{
    g_auto(Authority) root = authority_new(EVP_EC_gen("P-256"), "root", NULL, "critical,CA:TRUE");
    EVP_PKEY *weak[] = {EVP_RSA_gen(1024), EVP_EC_gen("P-224"), EVP_EC_gen("secp256k1"),
                        EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")};
    EVP_PKEY *strong[] = {EVP_RSA_gen(2048), EVP_EC_gen("P-256"), EVP_EC_gen("P-384"), EVP_EC_gen("P-521")};
    write_anchor(state, root.certificate);
    g_autoptr(TrustAnchors) anchors = load(state, NULL, 0);
    for (gsize i = 0; i < G_N_ELEMENTS(weak); i++) {
        g_autoptr(Certificate) refused = leaf_under(&root, weak[i], EVP_sha256());
        g_autoptr(Certificate) accepted = leaf_under(&root, strong[i], EVP_sha256());
        assert_denies(anchors, refused, NOW, "EE certificate key too weak");
        assert_accepts(anchors, accepted, NOW);
        EVP_PKEY_free(weak[i]);
        EVP_PKEY_free(strong[i]);
    }
}

static void refuses_a_weak_key_in_an_intermediate(void **state)
{
    g_auto(Authority) root = authority_new(EVP_EC_gen("P-256"), "root", NULL, "critical,CA:TRUE");
    g_auto(Authority) middle = authority_new(EVP_RSA_gen(1024), "middle", &root, "critical,CA:TRUE");
    g_autoptr(EVP_PKEY) pkey = EVP_EC_gen("P-256");
    g_autoptr(Certificate) leaf = leaf_under(&middle, pkey, EVP_sha256());
    g_autoptr(Certificate) chain = with_intermediates(leaf, middle.certificate, NULL);
    write_anchor(state, root.certificate);
    g_autoptr(TrustAnchors) anchors = load(state, NULL, 0);
    assert_denies(anchors, chain, NOW, "CA certificate key too weak (depth 1");
}

static void refuses_signatures_that_are_not_sha2(void **state)
{
    const EVP_MD *refused[] = {EVP_sha1(), EVP_sha224(), EVP_sha3_256()};
    const EVP_MD *accepted[] = {EVP_sha256(), EVP_sha384(), EVP_sha512()};
    g_auto(Authority) root = authority_new(EVP_RSA_gen(2048), "root", NULL, "critical,CA:TRUE");
    g_autoptr(EVP_PKEY) pkey = EVP_EC_gen("P-256");
    write_anchor(state, root.certificate);
    g_autoptr(TrustAnchors) anchors = load(state, NULL, 0);
    for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
        g_autoptr(Certificate) bad = leaf_under(&root, pkey, refused[i]);
        g_autoptr(Certificate) good = leaf_under(&root, pkey, accepted[i]);
        assert_denies(anchors, bad, NOW, "too weak");
        assert_accepts(anchors, good, NOW);
    }
}

/* What a root says over itself proves nothing: it is trusted because it stands in the file. */
static void the_signature_of_a_root_over_itself_is_not_judged(void **state)
{
    g_autoptr(EVP_PKEY) root_key = EVP_RSA_gen(2048), pkey = EVP_EC_gen("P-256");
    g_autoptr(X509) x509 = x509_blank(root_key);
    x509_add_name(x509, NID_commonName, "old root", -1);
    X509_set_issuer_name(x509, X509_get_subject_name(x509));
    x509_add_extension(x509, x509, NID_basic_constraints, "critical,CA:TRUE");
    g_autoptr(Certificate) root = certificate_signed(x509, root_key, EVP_sha1());
    Authority issuer = {root_key, root};
    g_autoptr(Certificate) leaf = leaf_under(&issuer, pkey, EVP_sha256());
    write_anchor(state, root);
    g_autoptr(TrustAnchors) anchors = load(state, NULL, 0);
    assert_accepts(anchors, leaf, NOW);
}

static void assert_files_refused(void **state, const char *anchors_text, const char *crl_text,
                                 const char *part)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *anchors_path = in_folder(state, "given-anchors.pem");
    g_autofree char *crl_path = in_folder(state, "given-crl.pem");
    write_text(anchors_path, anchors_text, 0644);
    if (crl_text != NULL)
        write_text(crl_path, crl_text, 0644);
    assert_null(trust_anchors_load(anchors_path, crl_text == NULL ? NULL : crl_path, 0, &error));
    assert_refused(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID, part);
}

static char *pem_text(const Certificate *certificate)
{
    GString *pem = g_string_new(NULL);
    append_pem(pem, certificate_x509(certificate));
    return g_string_free(pem, FALSE);
}

static void anchors_are_strong_self_signed_authorities(void **state)
{
    g_auto(Authority) root = authority_new(EVP_EC_gen("P-256"), "root", NULL, "critical,CA:TRUE");
    g_auto(Authority) middle = authority_new(EVP_EC_gen("P-256"), "middle", &root, "critical,CA:TRUE");
    g_auto(Authority) no_authority = authority_new(EVP_EC_gen("P-256"), "no", NULL, "critical,CA:FALSE");
    g_auto(Authority) weak = authority_new(EVP_RSA_gen(1024), "weak", NULL, "critical,CA:TRUE");
    g_autofree char *root_pem = pem_text(root.certificate), *middle_pem = pem_text(middle.certificate);
    g_autofree char *no_pem = pem_text(no_authority.certificate), *weak_pem = pem_text(weak.certificate);
    g_autofree char *both = g_strconcat(root_pem, middle_pem, NULL);
    g_autofree char *damaged = g_strconcat(root_pem, "-----BEGIN CERTIFICATE-----\nMIIB\n", NULL);
    assert_files_refused(state, both, NULL, "not self-signed");
    assert_files_refused(state, no_pem, NULL, "may not issue others");
    assert_files_refused(state, weak_pem, NULL, "weak key");
    assert_files_refused(state, "", NULL, "no certificate in PEM");
    assert_files_refused(state, "hello\n", NULL, "no certificate in PEM");
    assert_files_refused(state, damaged, NULL, "damaged certificate");
}

static void several_anchors_are_trusted_side_by_side(void **state)
{
    g_autoptr(GError) error = NULL;
    g_auto(Authority) one = authority_new(EVP_EC_gen("P-256"), "one", NULL, "critical,CA:TRUE");
    g_auto(Authority) two = authority_new(EVP_EC_gen("P-256"), "two", NULL, "critical,CA:TRUE");
    g_autoptr(EVP_PKEY) pkey = EVP_EC_gen("P-256");
    g_autoptr(Certificate) of_one = leaf_under(&one, pkey, EVP_sha256());
    g_autoptr(Certificate) of_two = leaf_under(&two, pkey, EVP_sha256());
    g_autofree char *one_pem = pem_text(one.certificate), *two_pem = pem_text(two.certificate);
    g_autofree char *both = g_strconcat(one_pem, "# the second\n", two_pem, NULL);
    g_autofree char *path = in_folder(state, "both.pem");
    write_text(path, both, 0644);
    g_autoptr(TrustAnchors) anchors = trust_anchors_load(path, NULL, 0, &error);
    assert_ok(anchors != NULL, error);
    assert_accepts(anchors, of_one, NOW);
    assert_accepts(anchors, of_two, NOW);
}

static void crls_are_strong_dated_and_one_an_issuer(void **state)
{
    g_auto(Authority) root = authority_new(EVP_EC_gen("P-256"), "root", NULL, "critical,CA:TRUE");
    g_autofree char *root_pem = pem_text(root.certificate);
    g_autoptr(GString) crl = g_string_new(NULL);
    append_crl(crl, &root, EVP_sha1(), NOW + DAY, NULL);
    assert_files_refused(state, root_pem, crl->str, "not signed with SHA-2");
    g_string_truncate(crl, 0);
    append_crl(crl, &root, EVP_sha256(), 0, NULL);
    assert_files_refused(state, root_pem, crl->str, "without nextUpdate");
    g_string_truncate(crl, 0);
    append_crl(crl, &root, EVP_sha256(), NOW + DAY, NULL);
    append_crl(crl, &root, EVP_sha256(), NOW + 2 * DAY, NULL);
    assert_files_refused(state, root_pem, crl->str, "two CRLs of one issuer");
    assert_files_refused(state, root_pem, "", "no CRL in PEM");
    assert_files_refused(state, root_pem, root_pem, "no CRL in PEM");
    assert_files_refused(state, root_pem, "-----BEGIN X509 CRL-----\nMIIB\n", "damaged CRL");
}

static void missing_files_are_named(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *anchors_path = in_folder(state, "anchor.crt");
    g_autofree char *missing = in_folder(state, "none.pem");
    assert_null(trust_anchors_load(missing, NULL, 0, &error));
    assert_refused(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_NOT_FOUND, "none.pem");
    assert_null(trust_anchors_load(anchors_path, missing, 0, &error));
    assert_refused(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_NOT_FOUND, "none.pem");
}

static Certificate *external_certificate(const char *folder, const char *file)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(folder, file, NULL);
    Certificate *certificate = certificate_load(path, &error);
    assert_ok(certificate != NULL, error);
    return certificate;
}

static void verifies_chains_that_others_made(void **state)
{
    g_autofree char *folder = external_data("fsc/nlx-test-pki");
    if (folder == NULL)
        skip();
    g_autofree char *root_path = g_build_filename(folder, "ca-root.pem", NULL);
    g_autofree char *second_path = g_build_filename(folder, "ca-root-second.pem", NULL);
    g_autoptr(TrustAnchors) anchors = trust_anchors_load(root_path, NULL, 0, NULL);
    g_autoptr(TrustAnchors) second = trust_anchors_load(second_path, NULL, 0, NULL);
    g_autoptr(Certificate) chain = external_certificate(folder, "org-nlx-test-chain.pem");
    g_autoptr(Certificate) chain_b = external_certificate(folder, "org-nlx-test-b-chain.pem");
    g_autoptr(Certificate) leaf = external_certificate(folder, "org-nlx-test.pem");
    assert_accepts(anchors, chain, NOW);
    assert_accepts(anchors, chain_b, NOW);
    assert_denies(anchors, leaf, NOW, "unable to get local issuer certificate");
    assert_denies(second, chain, NOW, "unable to get");
    assert_true(certificate_matches_domain(chain, "inway.test"));
    assert_false(certificate_matches_domain(chain, "inway-b.test"));
}

typedef struct {
    TrustAnchors *anchors;
    Certificate *good;
    Certificate *bad;
} Shared;

static gpointer verify_many(gpointer data)
{
    const Shared *shared = data;
    gboolean ok = TRUE;
    for (guint i = 0; i < 100; i++) {
        g_autoptr(TrustAnchors) anchors = trust_anchors_ref(shared->anchors);
        ok = ok && trust_anchors_verify(anchors, shared->good, NOW + 1, NULL) &&
             !trust_anchors_verify(anchors, shared->bad, NOW + 1, NULL);
    }
    return GINT_TO_POINTER(ok);
}

static void threads_share_trust_anchors(void **state)
{
    PkiLeaf leaf = leaf_of(OIN, NULL);
    g_autoptr(Certificate) good = issue(state, &leaf, "good");
    g_autoptr(Certificate) bad = issue(state, &leaf, "bad");
    revoke_now(state, bad, NOW, DAY);
    g_autoptr(TrustAnchors) anchors = load(state, "crl.pem", 0);
    Shared shared = {anchors, good, bad};
    GThread *threads[4];
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("verify", verify_many, &shared);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        assert_true(GPOINTER_TO_INT(g_thread_join(threads[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_pki(accepts_a_leaf_of_the_anchor_with_and_without_a_crl),
        with_pki(refuses_before_and_after_the_validity),
        with_pki(refuses_a_leaf_that_was_issued_expired),
        with_pki(refuses_a_leaf_of_another_anchor_with_the_same_name),
        with_pki(refuses_a_revoked_leaf_and_no_other),
        with_pki(an_expired_crl_refuses_everyone_when_the_grace_is_over),
        with_pki(within_the_grace_a_revoked_or_expired_certificate_stays_refused),
        with_pki(a_crl_from_the_future_is_refused),
        with_folder(a_chain_needs_its_intermediate),
        with_folder(each_issuer_in_the_chain_must_have_its_crl),
        with_folder(refuses_a_crl_that_another_key_signed),
        with_folder(refuses_a_chain_through_a_leaf),
        with_folder(refuses_a_chain_longer_than_the_path_length),
        with_folder(a_root_that_the_peer_brings_along_is_not_trusted),
        with_folder(refuses_weak_keys_in_a_leaf),
        with_folder(refuses_a_weak_key_in_an_intermediate),
        with_folder(refuses_signatures_that_are_not_sha2),
        with_folder(the_signature_of_a_root_over_itself_is_not_judged),
        with_folder(anchors_are_strong_self_signed_authorities),
        with_folder(several_anchors_are_trusted_side_by_side),
        with_folder(crls_are_strong_dated_and_one_an_issuer),
        with_pki(missing_files_are_named),
        cmocka_unit_test(verifies_chains_that_others_made),
        with_pki(threads_share_trust_anchors),
    };
    return cmocka_run_group_tests_name("trust_anchors", tests, NULL, NULL);
}
