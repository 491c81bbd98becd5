#include "components/fsc/agreements.h"

#include "core/base/error.h"

struct agreement {
    gint references;
    StoredContract *stored;
};

struct agreements {
    Store *store;
    GRWLock lock;
    GHashTable *contracts; /* content hash -> Agreement*, owned */
    GHashTable *grants;    /* grant hash -> Agreement*, owned */
};

Agreement *agreement_ref(Agreement *agreement)
{
    g_atomic_int_inc(&agreement->references);
    return agreement;
}

void agreement_unref(Agreement *agreement)
{
    if (agreement == NULL || !g_atomic_int_dec_and_test(&agreement->references))
        return;
    stored_contract_free(agreement->stored);
    g_free(agreement);
}

static void unref_agreement(gpointer agreement)
{
    agreement_unref(agreement);
}

const StoredContract *agreement_contract(const Agreement *agreement)
{
    return agreement->stored;
}

ContractState agreement_state(const Agreement *agreement, gint64 now_s)
{
    return stored_contract_state(agreement->stored, now_s);
}

gint64 agreement_changes_at(const Agreement *agreement, gint64 now_s)
{
    return stored_contract_changes_at(agreement->stored, now_s);
}

/* With the lock held for writing. */
static void forget(Agreements *agreements, const char *content_hash)
{
    const Agreement *agreement = g_hash_table_lookup(agreements->contracts, content_hash);
    if (agreement == NULL)
        return;
    const Contract *contract = agreement->stored->contract;
    for (gsize i = 0; i < contract->n_grants; i++)
        g_hash_table_remove(agreements->grants, contract->grants[i].hash);
    g_hash_table_remove(agreements->contracts, content_hash);
}

/* With the lock held for writing. Takes the contract. */
static void remember(Agreements *agreements, StoredContract *stored)
{
    Agreement *agreement = g_new0(Agreement, 1);
    agreement->references = 1;
    agreement->stored = stored;
    for (gsize i = 0; i < stored->contract->n_grants; i++)
        g_hash_table_replace(agreements->grants, g_strdup(stored->contract->grants[i].hash),
                             agreement_ref(agreement));
    g_hash_table_replace(agreements->contracts, g_strdup(stored->contract->hash), agreement);
}

Agreements *agreements_new(Store *store, gint64 now_s, GError **error)
{
    g_autoptr(Db) db = store_take(store, error);
    g_autoptr(GPtrArray) current = db == NULL ? NULL : fsc_store_current(db, now_s, error);
    if (current == NULL)
        return NULL;
    Agreements *agreements = g_new0(Agreements, 1);
    agreements->store = store;
    g_rw_lock_init(&agreements->lock);
    agreements->contracts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, unref_agreement);
    agreements->grants = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, unref_agreement);
    while (current->len > 0)
        remember(agreements, g_ptr_array_steal_index_fast(current, current->len - 1));
    return agreements;
}

void agreements_free(Agreements *agreements)
{
    if (agreements == NULL)
        return;
    g_hash_table_unref(agreements->contracts);
    g_hash_table_unref(agreements->grants);
    g_rw_lock_clear(&agreements->lock);
    g_free(agreements);
}

gboolean agreements_reload(Agreements *agreements, const char *content_hash, gint64 now_s, GError **error)
{
    g_autoptr(GError) why = NULL;
    /* The lock is held while reading, so that of two changes at once the later is not overwritten by the
     * earlier. */
    g_rw_lock_writer_lock(&agreements->lock);
    g_autoptr(Db) db = store_take(agreements->store, &why);
    StoredContract *stored = db == NULL ? NULL : fsc_store_load(db, content_hash, &why);
    gboolean gone = g_error_matches(why, FUNDAMENT_ERROR, FUNDAMENT_ERROR_NOT_FOUND);
    /* When the store cannot be read, what was known is not believed any longer: without an agreement nothing
     * flows. */
    forget(agreements, content_hash);
    if (stored != NULL && stored->contract->not_after >= now_s)
        remember(agreements, g_steal_pointer(&stored));
    g_rw_lock_writer_unlock(&agreements->lock);
    stored_contract_free(stored);
    if (why != NULL && !gone)
        g_propagate_error(error, g_steal_pointer(&why));
    return gone || why == NULL;
}

Agreement *agreements_find(Agreements *agreements, const char *grant_hash, const Grant **grant)
{
    g_rw_lock_reader_lock(&agreements->lock);
    Agreement *agreement = g_hash_table_lookup(agreements->grants, grant_hash);
    if (agreement != NULL)
        agreement_ref(agreement);
    g_rw_lock_reader_unlock(&agreements->lock);
    if (agreement != NULL && grant != NULL)
        *grant = contract_find_grant(agreement->stored->contract, grant_hash);
    return agreement;
}

gboolean agreements_grant_is_for(const Grant *grant, const ConnectionWanted *wanted)
{
    if (grant_type_row(grant->type)->publication ||
        !g_str_equal(grant->outway_peer_id, wanted->outway_peer_id))
        return FALSE;
    if (grant->public_key_thumbprint != NULL)
        return g_strcmp0(grant->public_key_thumbprint, wanted->public_key_thumbprint) == 0;
    return wanted->certificate != NULL && certificate_matches_domain(wanted->certificate, grant->domain_name);
}

static gboolean fits(const Grant *grant, const ConnectionWanted *wanted)
{
    return agreements_grant_is_for(grant, wanted) &&
           g_ascii_strcasecmp(grant->service_name, wanted->service_name) == 0 &&
           g_str_equal(grant->service_peer_id, wanted->service_peer_id) &&
           (wanted->only == NULL || g_strv_contains(wanted->only, grant->hash));
}

typedef struct {
    Agreement *agreement;
    const Grant *grant;
} Candidate;

static gboolean better(const Candidate *one, const Candidate *other, const char *service_name)
{
    if (other->agreement == NULL)
        return TRUE;
    gboolean exact = g_str_equal(one->grant->service_name, service_name);
    if (exact != g_str_equal(other->grant->service_name, service_name))
        return exact;
    const StoredContract *a = one->agreement->stored, *b = other->agreement->stored;
    return a->contract->created_at > b->contract->created_at ||
           (a->contract->created_at == b->contract->created_at && a->id > b->id);
}

Agreement *agreements_find_connection(Agreements *agreements, const ConnectionWanted *wanted, gint64 now_s,
                                      const Grant **grant)
{
    Candidate best = {NULL, NULL};
    GHashTableIter iter;
    gpointer value;
    g_rw_lock_reader_lock(&agreements->lock);
    g_hash_table_iter_init(&iter, agreements->contracts);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        Candidate candidate = {value, NULL};
        const Contract *contract = candidate.agreement->stored->contract;
        for (gsize i = 0; i < contract->n_grants; i++) {
            candidate.grant = &contract->grants[i];
            if (fits(candidate.grant, wanted) && better(&candidate, &best, wanted->service_name) &&
                agreement_state(candidate.agreement, now_s) == CONTRACT_VALID)
                best = candidate;
        }
    }
    if (best.agreement != NULL)
        agreement_ref(best.agreement);
    g_rw_lock_reader_unlock(&agreements->lock);
    *grant = best.grant;
    return best.agreement;
}

static gint by_id(gconstpointer a, gconstpointer b)
{
    const Agreement *one = *(Agreement *const *)a, *other = *(Agreement *const *)b;
    return one->stored->id < other->stored->id ? -1 : one->stored->id > other->stored->id;
}

GPtrArray *agreements_valid(Agreements *agreements, gboolean publication, gint64 now_s)
{
    GPtrArray *all = g_ptr_array_new_with_free_func(unref_agreement);
    GHashTableIter iter;
    gpointer value;
    g_rw_lock_reader_lock(&agreements->lock);
    g_hash_table_iter_init(&iter, agreements->contracts);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        Agreement *agreement = value;
        if (contract_count(agreement->stored->contract, publication) > 0 &&
            agreement_state(agreement, now_s) == CONTRACT_VALID)
            g_ptr_array_add(all, agreement_ref(agreement));
    }
    g_rw_lock_reader_unlock(&agreements->lock);
    g_ptr_array_sort(all, by_id);
    return all;
}

void agreements_count(Agreements *agreements, gint64 now_s, guint counts[CONTRACT_STATE_COUNT])
{
    GHashTableIter iter;
    gpointer value;
    for (int i = 0; i < CONTRACT_STATE_COUNT; i++)
        counts[i] = 0;
    g_rw_lock_reader_lock(&agreements->lock);
    g_hash_table_iter_init(&iter, agreements->contracts);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        counts[agreement_state(value, now_s)]++;
    g_rw_lock_reader_unlock(&agreements->lock);
}
