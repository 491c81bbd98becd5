/* What is kept of contracts, signatures, certificates and Peers, and the index over it in memory, on both
 * databases. */
#include "components/fsc/agreements.h"
#include "core/base/error.h"
#include "tests/support/folder.h"
#include "tests/support/postgresql.h"
#include "tests/unit/fsc/identity.h"

typedef struct {
    Store *store;
    Db *db;
} Fixture;

static TestPki *pki;
static TestIdentity consumer, provider, directory;
static gboolean on_postgresql;

static void no_error(const GError *error)
{
    if (error != NULL)
        fail_msg("%s", error->message);
}

static char *schema(const char *name)
{
    g_autoptr(GError) error = NULL;
    char *text = NULL;
    const char *source = g_getenv("FUNDAMENT_SOURCE");
    g_autofree char *path = g_build_filename(source != NULL ? source : ".", "schema", "fsc", name, NULL);
    g_file_get_contents(path, &text, NULL, &error);
    no_error(error);
    return text;
}

static char *fresh_url(void)
{
    if (on_postgresql)
        return test_postgresql_start();
    g_autofree char *folder = test_folder_new();
    return g_strdup_printf("sqlite:%s/node.db", folder);
}

static int set_up(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *first = schema("0001.sql"), *lookups = schema("0007.sql");
    g_autofree char *url = fresh_url();
    Fixture *fixture = g_new0(Fixture, 1);
    fixture->store = store_open(url, &error);
    no_error(error);
    const Migration migrations[] = {{"fsc", 1, first}, {"fsc", 2, lookups}};
    store_migrate(fixture->store, migrations, G_N_ELEMENTS(migrations), &error);
    no_error(error);
    fixture->db = store_take(fixture->store, &error);
    no_error(error);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    Fixture *fixture = *state;
    g_clear_pointer(&fixture->db, db_release);
    store_close(fixture->store);
    g_free(fixture);
    return 0;
}

static int set_up_group(void **state)
{
    pki = test_pki_new();
    consumer = test_identity(pki, CONSUMER, NULL, NOW + 86400);
    provider = test_identity(pki, PROVIDER, NULL, NOW + 40);
    directory = test_identity(pki, DIRECTORY, NULL, NOW + 86400);
    return 0;
}

static int tear_down_group(void **state)
{
    test_identity_clear(&consumer);
    test_identity_clear(&provider);
    test_identity_clear(&directory);
    test_pki_free(pki);
    return 0;
}

static Contract *contract_number(guint number, json_t *grant)
{
    g_autofree char *iv = g_strdup_printf("019b76da-a800-7000-8000-%012u", number);
    g_autoptr(json_t) content = sample_content(grant);
    sample_change(content, "", "iv", json_string(iv));
    sample_change(content, "", "created_at", json_integer(NOW - 1000 + number / 2));
    Contract *contract = contract_parse(content, NULL);
    assert_non_null(contract);
    return contract;
}

static gint64 stored(Fixture *fixture, const Contract *contract)
{
    g_autoptr(GError) error = NULL;
    gint64 id = 0;
    fsc_store_contract(fixture->db, contract, NOW * G_GINT64_CONSTANT(1000), &id, &error);
    no_error(error);
    assert_true(id > 0);
    return id;
}

/* Signs as this organisation. `received` in seconds. */
static gboolean place(Fixture *fixture, const Contract *contract, const TestIdentity *who, SignatureType type,
                      gint64 signed_at, gint64 received, GError **error)
{
    g_autofree char *jws = signature_make(contract->hash, type, signed_at, who->key, who->certificate, NULL);
    g_autoptr(GError) why = NULL;
    fsc_store_put_certificate(fixture->db, who->certificate, PURPOSE_PEER, &why);
    no_error(why);
    NewSignature signature = {.contract_id = stored(fixture, contract),
                              .peer_id = certificate_peer_id(who->certificate),
                              .type = type,
                              .signed_at = signed_at,
                              .thumbprint = certificate_thumbprint(who->certificate),
                              .jws = jws};
    return fsc_store_signature(fixture->db, &signature, received * 1000, error);
}

static void must_place(Fixture *fixture, const Contract *contract, const TestIdentity *who,
                       SignatureType type, gint64 signed_at)
{
    g_autoptr(GError) error = NULL;
    place(fixture, contract, who, type, signed_at, NOW, &error);
    no_error(error);
}

static StoredContract *load(Fixture *fixture, const char *hash)
{
    g_autoptr(GError) error = NULL;
    StoredContract *found = fsc_store_load(fixture->db, hash, &error);
    no_error(error);
    return found;
}

/* FSC Core 2.0.0, 4.4.1.2: "the order of items in arrays MUST be persisted to guarantee consistent Contract
 * hashes" */
static void a_contract_comes_back_with_the_same_hashes(void **state)
{
    g_autoptr(json_t) content = sample_content(sample_connection());
    json_t *second = sample_delegated_connection();
    json_object_set_new(
        json_object_get(second, "data"), "properties",
        json_pack("{s:[f,s,n,{s:i,s:i}]}", "z", 0.1, "caf\xc3\xa9 \xe2\x82\xac", "b", 1, "a", 2));
    json_array_append_new(json_object_get(content, "grants"), second);
    g_autoptr(Contract) contract = contract_parse(content, NULL);
    stored(*state, contract);
    g_autoptr(StoredContract) found = load(*state, contract->hash);
    assert_string_equal(found->contract->hash, contract->hash);
    assert_string_equal(found->contract->grants[0].hash, contract->grants[0].hash);
    assert_string_equal(found->contract->grants[1].hash, contract->grants[1].hash);
    assert_int_equal(found->signatures->len, 0);
    assert_true(json_equal(found->contract->content, content));
}

static void the_same_contract_is_stored_once(void **state)
{
    g_autoptr(Contract) contract = contract_number(1, sample_connection());
    assert_int_equal(stored(*state, contract), stored(*state, contract));
}

/* FSC Core 2.0.0, 4.2.1: "Each Peer is responsible for ensuring that only one Contract can exist with a given
 * iv." */
static void another_contract_with_the_same_iv_is_refused(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(GError) error = NULL;
    gint64 id;
    g_autoptr(Contract) first = contract_number(1, sample_connection());
    g_autoptr(Contract) second = contract_number(1, sample_publication());
    g_autoptr(Contract) third = contract_number(2, sample_publication());
    stored(fixture, first);
    assert_false(fsc_store_contract(fixture->db, second, 0, &id, &error));
    assert_verdict(error, VERDICT_IV_USED);
    stored(fixture, third);
}

static void an_unknown_contract_is_not_found(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(GError) error = NULL;
    assert_null(fsc_store_load(fixture->db, "$1$1$x", &error));
    assert_true(g_error_matches(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_NOT_FOUND));
}

static void the_same_signature_is_stored_once_and_the_newest_counts(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(Contract) contract = contract_number(1, sample_connection());
    must_place(fixture, contract, &consumer, SIGNATURE_ACCEPT, NOW - 5);
    must_place(fixture, contract, &consumer, SIGNATURE_ACCEPT, NOW - 9);
    must_place(fixture, contract, &provider, SIGNATURE_ACCEPT, NOW - 7);
    g_autoptr(StoredContract) found = load(fixture, contract->hash);
    assert_int_equal(found->signatures->len, 3);
    assert_int_equal(stored_contract_signature(found, CONSUMER, SIGNATURE_ACCEPT)->signed_at, NOW - 5);
    assert_null(stored_contract_signature(found, CONSUMER, SIGNATURE_REVOKE));
    g_autoptr(json_t) maps = stored_contract_signatures(found);
    assert_int_equal(json_object_size(json_object_get(maps, "accept")), 2);
    assert_int_equal(json_object_size(json_object_get(maps, "reject")), 0);
    assert_int_equal(json_object_size(json_object_get(maps, "revoke")), 0);
    assert_int_equal(stored_contract_state(found, NOW), CONTRACT_VALID);
}

static void the_certificate_under_an_accept_limits_it(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(Contract) contract = contract_number(1, sample_connection());
    must_place(fixture, contract, &consumer, SIGNATURE_ACCEPT, NOW);
    must_place(fixture, contract, &provider, SIGNATURE_ACCEPT, NOW);
    g_autoptr(StoredContract) found = load(fixture, contract->hash);
    assert_int_equal(stored_contract_state(found, NOW + 40), CONTRACT_VALID);
    assert_int_equal(stored_contract_changes_at(found, NOW), NOW + 41);
    assert_int_equal(stored_contract_state(found, NOW + 41), CONTRACT_PROPOSED);
}

static void one_peer_cannot_place_signatures_without_end(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(GError) error = NULL;
    g_autoptr(Contract) contract = contract_number(1, sample_connection());
    for (int i = 0; i < SIGNATURES_MAX; i++)
        must_place(fixture, contract, &consumer, SIGNATURE_ACCEPT, NOW - i);
    assert_false(place(fixture, contract, &consumer, SIGNATURE_ACCEPT, NOW + 1, NOW, &error));
    assert_verdict(error, VERDICT_TOO_MANY_SIGNATURES);
    must_place(fixture, contract, &provider, SIGNATURE_ACCEPT, NOW);
    must_place(fixture, contract, &consumer, SIGNATURE_REVOKE, NOW);
}

typedef struct {
    Fixture *fixture;
    const Contract *contract;
    const TestIdentity *who;
} Placing;

static gpointer place_in_thread(gpointer data)
{
    const Placing *placing = data;
    g_autoptr(GError) error = NULL;
    Fixture own = {.store = placing->fixture->store, .db = store_take(placing->fixture->store, &error)};
    if (!db_begin(own.db, &error) ||
        !place(&own, placing->contract, placing->who, SIGNATURE_ACCEPT, NOW, NOW, &error) ||
        !db_commit(own.db, &error))
        return g_strdup(error != NULL ? error->message : "failed");
    db_release(own.db);
    return NULL;
}

/* Two organisations sign at the same moment, each bringing the contract: one contract, both signatures. */
static void two_signatures_at_once_are_both_kept(void **state)
{
    Fixture *fixture = *state;
    for (guint round = 0; round < 10; round++) {
        g_autoptr(Contract) contract = contract_number(round, sample_connection());
        Placing placing[] = {{fixture, contract, &consumer}, {fixture, contract, &provider}};
        GThread *threads[2];
        for (int i = 0; i < 2; i++)
            threads[i] = g_thread_new("place", place_in_thread, &placing[i]);
        for (int i = 0; i < 2; i++) {
            g_autofree char *fault = g_thread_join(threads[i]);
            if (fault != NULL)
                fail_msg("%s", fault);
        }
        g_autoptr(StoredContract) found = load(fixture, contract->hash);
        assert_int_equal(found->signatures->len, 2);
    }
}

/* --- lists --- */

static guint count_pages(Fixture *fixture, ContractQuery query, guint *contracts)
{
    g_autofree char *cursor = g_strdup("");
    gint64 last = query.ascending ? 0 : G_MAXINT64;
    guint pages = 0;
    *contracts = 0;
    do {
        g_autoptr(GError) error = NULL;
        char *next = NULL;
        query.cursor = cursor;
        g_autoptr(GPtrArray) page = fsc_store_list(fixture->db, &query, &next, &error);
        no_error(error);
        for (guint i = 0; i < page->len; i++) {
            const StoredContract *contract = g_ptr_array_index(page, i);
            assert_true(query.ascending ? contract->contract->created_at >= last
                                        : contract->contract->created_at <= last);
            last = contract->contract->created_at;
        }
        *contracts += page->len;
        pages++;
        g_free(cursor);
        cursor = next;
    } while (*cursor != '\0');
    return pages;
}

static void lists_in_pages_by_date_for_those_who_take_part(void **state)
{
    Fixture *fixture = *state;
    guint contracts;
    for (guint i = 0; i < 10; i++) {
        g_autoptr(Contract) contract = contract_number(i, i < 7 ? sample_connection() : sample_publication());
        stored(fixture, contract);
    }
    for (int ascending = 0; ascending < 2; ascending++) {
        assert_int_equal(
            count_pages(fixture, (ContractQuery){.limit = 3, .ascending = ascending}, &contracts), 4);
        assert_int_equal(contracts, 10);
        assert_int_equal(count_pages(fixture,
                                     (ContractQuery){.peer_id = CONSUMER, .limit = 7, .ascending = ascending},
                                     &contracts),
                         1);
        assert_int_equal(contracts, 7);
        assert_int_equal(
            count_pages(fixture, (ContractQuery){.peer_id = DIRECTORY, .limit = 2, .ascending = ascending},
                        &contracts),
            2);
        assert_int_equal(contracts, 3);
    }
    count_pages(fixture, (ContractQuery){.grant_type = "GRANT_TYPE_SERVICE_PUBLICATION", .limit = 100},
                &contracts);
    assert_int_equal(contracts, 3);
    count_pages(fixture, (ContractQuery){.peer_id = OTHER, .limit = 100}, &contracts);
    assert_int_equal(contracts, 0);
}

static void finds_by_grant_hash_whatever_the_page(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(Contract) one = contract_number(1, sample_connection());
    g_autoptr(Contract) two = contract_number(2, sample_connection());
    g_autoptr(GError) error = NULL;
    g_autofree char *next = NULL;
    stored(fixture, one);
    stored(fixture, two);
    const char *const hashes[] = {one->grants[0].hash, "$1$3$unknown", NULL};
    ContractQuery query = {.peer_id = CONSUMER, .grant_hashes = hashes, .cursor = "ignored", .limit = 1};
    g_autoptr(GPtrArray) found = fsc_store_list(fixture->db, &query, &next, &error);
    no_error(error);
    assert_int_equal(found->len, 1);
    assert_string_equal(((StoredContract *)g_ptr_array_index(found, 0))->contract->hash, one->hash);
    assert_string_equal(next, "");
}

static void refuses_a_cursor_that_is_not_ours(void **state)
{
    Fixture *fixture = *state;
    static const char *const wrong[] = {"x", "1", "1.", ".1", "1.2.3", "-1.2", "1.2 OR 1=1"};
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *next = NULL;
        ContractQuery query = {.cursor = wrong[i], .limit = 1};
        assert_null(fsc_store_list(fixture->db, &query, &next, &error));
        assert_true(g_error_matches(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID));
    }
}

static void tells_what_changed_since(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(GError) error = NULL;
    g_autoptr(Contract) before = contract_number(1, sample_connection());
    g_autoptr(Contract) after = contract_number(2, sample_connection());
    place(fixture, before, &consumer, SIGNATURE_ACCEPT, NOW, NOW - 10, &error);
    place(fixture, after, &consumer, SIGNATURE_ACCEPT, NOW, NOW + 10, &error);
    no_error(error);
    g_autoptr(GPtrArray) changed =
        fsc_store_changed_since(fixture->db, NOW * G_GINT64_CONSTANT(1000), &error);
    assert_int_equal(changed->len, 1);
    assert_string_equal(((ChangedContract *)g_ptr_array_index(changed, 0))->hash, after->hash);
}

/* --- certificates and Peers --- */

static void own_certificates_stay_until_they_run_out(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(GError) error = NULL;
    fsc_store_put_certificate(fixture->db, provider.certificate, PURPOSE_TOKEN, &error);
    fsc_store_put_certificate(fixture->db, consumer.certificate, PURPOSE_CONTRACT, &error);
    fsc_store_put_certificate(fixture->db, directory.certificate, PURPOSE_PEER, &error);
    fsc_store_put_certificate(fixture->db, provider.certificate, PURPOSE_PEER, &error);
    no_error(error);
    g_autoptr(GPtrArray) both = fsc_store_own_certificates(fixture->db, NULL, NOW, &error);
    g_autoptr(GPtrArray) token = fsc_store_own_certificates(fixture->db, PURPOSE_TOKEN, NOW, &error);
    g_autoptr(GPtrArray) later = fsc_store_own_certificates(fixture->db, PURPOSE_TOKEN, NOW + 41, &error);
    assert_int_equal(both->len, 2);
    assert_int_equal(token->len, 1);
    assert_int_equal(later->len, 0);
    assert_string_equal(certificate_thumbprint(g_ptr_array_index(token, 0)),
                        certificate_thumbprint(provider.certificate));
}

static void a_certificate_comes_back_as_it_was(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(GError) error = NULL;
    fsc_store_put_certificate(fixture->db, consumer.certificate, PURPOSE_PEER, &error);
    g_autoptr(Certificate) found =
        fsc_store_certificate(fixture->db, certificate_thumbprint(consumer.certificate), &error);
    no_error(error);
    assert_string_equal(certificate_peer_id(found), CONSUMER);
    g_autoptr(Certificate) none =
        fsc_store_certificate(fixture->db, certificate_thumbprint(directory.certificate), &error);
    assert_null(none);
    no_error(error);
}

static void a_peer_keeps_its_address_when_only_its_name_is_seen(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(GError) error = NULL;
    fsc_store_put_peer(fixture->db, CONSUMER, "Old name", "https://a.example:8443", 1, &error);
    fsc_store_put_peer(fixture->db, CONSUMER, "New name", NULL, 2, &error);
    fsc_store_put_peer(fixture->db, PROVIDER, NULL, NULL, 3, &error);
    no_error(error);
    g_autoptr(Peer) peer = fsc_store_peer(fixture->db, CONSUMER, &error);
    assert_string_equal(peer->name, "New name");
    assert_string_equal(peer->manager_address, "https://a.example:8443");
    g_autoptr(GPtrArray) all = fsc_store_peers(fixture->db, &error);
    assert_int_equal(all->len, 2);
    assert_null(((Peer *)g_ptr_array_index(all, 0))->manager_address);
    assert_string_equal(((Peer *)g_ptr_array_index(all, 0))->name, PROVIDER);
}

/* --- agreements --- */

static Agreements *agreements_of(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    g_clear_pointer(&fixture->db, db_release);
    Agreements *agreements = agreements_new(fixture->store, NOW, &error);
    no_error(error);
    fixture->db = store_take(fixture->store, &error);
    no_error(error);
    return agreements;
}

static void conclude(Fixture *fixture, const Contract *contract)
{
    must_place(fixture, contract, &consumer, SIGNATURE_ACCEPT, NOW);
    must_place(fixture, contract, &provider, SIGNATURE_ACCEPT, NOW);
}

static const ConnectionWanted wanted = {.service_name = "persons",
                                        .service_peer_id = PROVIDER,
                                        .outway_peer_id = CONSUMER,
                                        .public_key_thumbprint = THUMBPRINT};

static void agreements_follow_the_store(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(GError) error = NULL;
    g_autoptr(Contract) contract = contract_number(1, sample_connection());
    const char *grant_hash = contract->grants[0].hash;
    Agreements *agreements = agreements_of(fixture);
    assert_null(agreements_find(agreements, grant_hash, NULL));
    must_place(fixture, contract, &consumer, SIGNATURE_ACCEPT, NOW);
    g_autoptr(Agreement) proposed = agreements_find(agreements, grant_hash, NULL);
    assert_int_equal(agreement_state(proposed, NOW), CONTRACT_PROPOSED);
    must_place(fixture, contract, &provider, SIGNATURE_ACCEPT, NOW);
    assert_true(agreements_reload(agreements, contract->hash, NOW, &error));
    const Grant *grant = NULL;
    g_autoptr(Agreement) valid = agreements_find(agreements, grant_hash, &grant);
    assert_int_equal(agreement_state(valid, NOW), CONTRACT_VALID);
    assert_string_equal(grant->service_name, "persons");
    assert_int_equal(agreement_state(valid, NOW + 41), CONTRACT_PROPOSED);
    must_place(fixture, contract, &consumer, SIGNATURE_REVOKE, NOW);
    assert_true(agreements_reload(agreements, contract->hash, NOW, &error));
    g_autoptr(Agreement) revoked = agreements_find(agreements, grant_hash, NULL);
    assert_int_equal(agreement_state(revoked, NOW), CONTRACT_REVOKED);
    guint counts[CONTRACT_STATE_COUNT];
    agreements_count(agreements, NOW, counts);
    assert_int_equal(counts[CONTRACT_REVOKED], 1);
    gint64 later = NOW + 10 * 86400;
    assert_true(agreements_reload(agreements, contract->hash, later, &error));
    g_autoptr(Agreement) ended = agreements_find(agreements, grant_hash, NULL);
    assert_int_equal(agreement_state(ended, later), CONTRACT_REVOKED);
    agreements_free(agreements);
}

/* schema/fsc/0007.sql: rows from before it say nothing about whom their grants are about. */
static void grants_of_an_older_version_are_filled_in(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(GError) error = NULL;
    g_autoptr(Contract) contract = contract_number(2, sample_connection());
    conclude(fixture, contract);
    assert_true(
        db_run(fixture->db, &error,
               "UPDATE fsc_grants SET service_name = NULL, service_peer_id = NULL, outway_peer_id = NULL "
               "WHERE position >= ?1",
               value_integer(0)));
    Agreements *agreements = agreements_of(fixture);
    const Grant *grant = NULL;
    g_autoptr(Agreement) found = agreements_find_connection(agreements, &wanted, NOW, &grant);
    assert_non_null(found);
    assert_string_equal(grant->hash, contract->grants[0].hash);
    agreements_free(agreements);
}

/* A revocation counts at the next question, whatever was in memory. */
static void a_revoked_contract_is_not_chosen_after_its_reload(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(GError) error = NULL;
    g_autoptr(Contract) contract = contract_number(2, sample_connection());
    conclude(fixture, contract);
    Agreements *agreements = agreements_of(fixture);
    const Grant *grant = NULL;
    g_autoptr(Agreement) before = agreements_find_connection(agreements, &wanted, NOW, &grant);
    assert_non_null(before);
    must_place(fixture, contract, &provider, SIGNATURE_REVOKE, NOW);
    assert_true(agreements_reload(agreements, contract->hash, NOW, &error));
    assert_null(agreements_find_connection(agreements, &wanted, NOW, &grant));
    agreements_free(agreements);
}

static void the_newest_valid_connection_is_chosen(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(Contract) old = contract_number(2, sample_connection());
    g_autoptr(Contract) new = contract_number(8, sample_connection());
    g_autoptr(Contract) proposed = contract_number(20, sample_connection());
    conclude(fixture, new);
    conclude(fixture, old);
    must_place(fixture, proposed, &consumer, SIGNATURE_ACCEPT, NOW);
    Agreements *agreements = agreements_of(fixture);
    const Grant *grant = NULL;
    g_autoptr(Agreement) found = agreements_find_connection(agreements, &wanted, NOW, &grant);
    assert_string_equal(grant->hash, new->grants[0].hash);
    const char *const only[] = {old->grants[0].hash, NULL};
    ConnectionWanted limited = wanted;
    limited.only = only;
    g_autoptr(Agreement) G_GNUC_UNUSED allowed =
        agreements_find_connection(agreements, &limited, NOW, &grant);
    assert_string_equal(grant->hash, old->grants[0].hash);
    agreements_free(agreements);
}

static void a_connection_of_others_is_not_chosen(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(Contract) contract = contract_number(1, sample_connection());
    conclude(fixture, contract);
    Agreements *agreements = agreements_of(fixture);
    ConnectionWanted variants[] = {wanted, wanted, wanted, wanted, wanted};
    variants[0].service_name = "other";
    variants[1].service_peer_id = OTHER;
    variants[2].outway_peer_id = OTHER;
    variants[3].public_key_thumbprint = "other";
    variants[4].public_key_thumbprint = NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(variants); i++) {
        const Grant *grant = NULL;
        assert_null(agreements_find_connection(agreements, &variants[i], NOW, &grant));
    }
    const Grant *grant = NULL;
    ConnectionWanted capitals = wanted;
    capitals.service_name = "PERSONS";
    g_autoptr(Agreement) found = agreements_find_connection(agreements, &capitals, NOW, &grant);
    assert_non_null(found);
    agreements_free(agreements);
}

static void valid_publications_are_listed_apart(void **state)
{
    Fixture *fixture = *state;
    g_autoptr(Contract) connection = contract_number(1, sample_connection());
    g_autoptr(Contract) publication = contract_number(2, sample_publication());
    conclude(fixture, connection);
    must_place(fixture, publication, &provider, SIGNATURE_ACCEPT, NOW);
    must_place(fixture, publication, &directory, SIGNATURE_ACCEPT, NOW);
    Agreements *agreements = agreements_of(fixture);
    g_autoptr(GPtrArray) publications = agreements_valid(agreements, TRUE, NOW);
    g_autoptr(GPtrArray) connections = agreements_valid(agreements, FALSE, NOW);
    g_autoptr(GPtrArray) later = agreements_valid(agreements, TRUE, NOW + 86401);
    assert_int_equal(publications->len, 1);
    assert_int_equal(connections->len, 1);
    assert_int_equal(later->len, 0);
    assert_string_equal(agreement_contract(g_ptr_array_index(publications, 0))->contract->hash,
                        publication->hash);
    agreements_free(agreements);
}

#define EACH(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static int run(const char *name)
{
    const struct CMUnitTest tests[] = {
        EACH(a_contract_comes_back_with_the_same_hashes),
        EACH(the_same_contract_is_stored_once),
        EACH(another_contract_with_the_same_iv_is_refused),
        EACH(an_unknown_contract_is_not_found),
        EACH(the_same_signature_is_stored_once_and_the_newest_counts),
        EACH(the_certificate_under_an_accept_limits_it),
        EACH(one_peer_cannot_place_signatures_without_end),
        EACH(two_signatures_at_once_are_both_kept),
        EACH(lists_in_pages_by_date_for_those_who_take_part),
        EACH(finds_by_grant_hash_whatever_the_page),
        EACH(refuses_a_cursor_that_is_not_ours),
        EACH(tells_what_changed_since),
        EACH(own_certificates_stay_until_they_run_out),
        EACH(a_certificate_comes_back_as_it_was),
        EACH(a_peer_keeps_its_address_when_only_its_name_is_seen),
        EACH(agreements_follow_the_store),
        EACH(grants_of_an_older_version_are_filled_in),
        EACH(a_revoked_contract_is_not_chosen_after_its_reload),
        EACH(the_newest_valid_connection_is_chosen),
        EACH(a_connection_of_others_is_not_chosen),
        EACH(valid_publications_are_listed_apart),
    };
    return cmocka_run_group_tests_name(name, tests, set_up_group, tear_down_group);
}

static void postgresql_is_not_installed(void **state)
{
    print_message("skipped: no PostgreSQL on this machine\n");
    skip();
}

int main(void)
{
    int failed = run("fsc store sqlite");
    g_autofree char *url = test_postgresql_start();
    on_postgresql = TRUE;
    const struct CMUnitTest skipped[] = {cmocka_unit_test(postgresql_is_not_installed)};
    return failed + (url != NULL ? run("fsc store postgresql")
                                 : cmocka_run_group_tests_name("fsc store postgresql", skipped, NULL, NULL));
}
