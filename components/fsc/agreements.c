#include "components/fsc/agreements.h"

#include "components/fsc/store_lookup.h"
#include "core/base/error.h"

#define CONNECTIONS_SHOWN 1000
#define RECOUNT_SHARE 100     /* counting takes at most this part of the time ... */
#define RECOUNT_FREE_US 50000 /* ... unless it is as quick as this */

struct agreement {
    gint references;
    StoredContract *stored;
    GList link; /* among those that may be let go of; data NULL: it stays */
};

struct agreements {
    Store *store;
    GMutex lock;           /* what follows; not held while the store is read */
    GHashTable *contracts; /* content hash -> Agreement*, owned */
    GHashTable *grants;    /* grant hash -> Agreement*, owned */
    GQueue used;           /* the one used last first */
    guint64 changes;       /* counted up by each reload: what was read before is not kept */

    GMutex counting; /* what follows */
    gint64 counted_us, count_took_us;
    guint counts[CONTRACT_STATE_COUNT];
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

/* --- with the lock held --- */

static void forget(Agreements *agreements, const char *content_hash)
{
    Agreement *agreement = g_hash_table_lookup(agreements->contracts, content_hash);
    if (agreement == NULL)
        return;
    const Contract *contract = agreement->stored->contract;
    if (agreement->link.data != NULL)
        g_queue_unlink(&agreements->used, &agreement->link);
    agreement->link.data = NULL;
    for (gsize i = 0; i < contract->n_grants; i++)
        if (g_hash_table_lookup(agreements->grants, contract->grants[i].hash) == agreement)
            g_hash_table_remove(agreements->grants, contract->grants[i].hash);
    g_hash_table_remove(agreements->contracts, content_hash);
}

/* Takes the contract; a new reference. */
static Agreement *remember(Agreements *agreements, StoredContract *stored)
{
    forget(agreements, stored->contract->hash);
    Agreement *agreement = g_new0(Agreement, 1);
    agreement->references = 1;
    agreement->stored = stored;
    for (gsize i = 0; i < stored->contract->n_grants; i++)
        g_hash_table_replace(agreements->grants, g_strdup(stored->contract->grants[i].hash),
                             agreement_ref(agreement));
    g_hash_table_replace(agreements->contracts, g_strdup(stored->contract->hash), agreement);
    if (contract_count(stored->contract, TRUE) == 0) {
        agreement->link.data = agreement;
        g_queue_push_head_link(&agreements->used, &agreement->link);
    }
    while (agreements->used.length > AGREEMENTS_KEPT) {
        const Agreement *oldest = agreements->used.tail->data;
        g_autofree char *hash = g_strdup(oldest->stored->contract->hash);
        forget(agreements, hash);
    }
    return agreement_ref(agreement);
}

static Agreement *use(Agreements *agreements, Agreement *agreement)
{
    if (agreement == NULL)
        return NULL;
    if (agreement->link.data != NULL) {
        g_queue_unlink(&agreements->used, &agreement->link);
        g_queue_push_head_link(&agreements->used, &agreement->link);
    }
    return agreement_ref(agreement);
}

/* --- reading --- */

typedef StoredContract *(*Load)(Db *db, const char *hash, GError **error);

static StoredContract *read_store(Agreements *agreements, Load load, const char *hash, GError **error)
{
    g_autoptr(Db) db = store_take(agreements->store, error);
    return db == NULL ? NULL : load(db, hash, error);
}

/* Reads until no change came in between, so that of two changes at once the later is not overwritten by the
 * earlier. A reload counts as a change itself. NULL with an error when there is none, or it cannot be read:
 * then what was known is not believed any longer. */
static Agreement *fetch(Agreements *agreements, Load load, const char *hash, gboolean reload, GError **error)
{
    for (;;) {
        g_mutex_lock(&agreements->lock);
        guint64 changes = reload ? ++agreements->changes : agreements->changes;
        if (reload)
            forget(agreements, hash);
        g_mutex_unlock(&agreements->lock);
        g_autoptr(GError) why = NULL;
        StoredContract *stored = read_store(agreements, load, hash, &why);
        g_mutex_lock(&agreements->lock);
        gboolean stands = changes == agreements->changes;
        Agreement *agreement =
            stands && stored != NULL ? remember(agreements, g_steal_pointer(&stored)) : NULL;
        g_mutex_unlock(&agreements->lock);
        stored_contract_free(stored);
        if (!stands)
            continue;
        if (agreement == NULL)
            g_propagate_error(error, g_steal_pointer(&why));
        return agreement;
    }
}

/* --- life --- */

static gboolean read_publications(Agreements *agreements, gint64 now_s, GError **error)
{
    g_autoptr(Db) db = store_take(agreements->store, error);
    if (db == NULL || !fsc_store_fill_grants(db, error))
        return FALSE;
    g_autoptr(GPtrArray) current = fsc_store_with_grants(db, TRUE, now_s, G_MAXINT32, error);
    while (current != NULL && current->len > 0)
        agreement_unref(remember(agreements, g_ptr_array_steal_index_fast(current, current->len - 1)));
    return current != NULL;
}

Agreements *agreements_new(Store *store, gint64 now_s, GError **error)
{
    Agreements *agreements = g_new0(Agreements, 1);
    agreements->store = store;
    g_mutex_init(&agreements->lock);
    g_mutex_init(&agreements->counting);
    g_queue_init(&agreements->used);
    agreements->contracts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, unref_agreement);
    agreements->grants = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, unref_agreement);
    if (read_publications(agreements, now_s, error))
        return agreements;
    agreements_free(agreements);
    return NULL;
}

void agreements_free(Agreements *agreements)
{
    if (agreements == NULL)
        return;
    g_hash_table_unref(agreements->contracts);
    g_hash_table_unref(agreements->grants);
    g_mutex_clear(&agreements->lock);
    g_mutex_clear(&agreements->counting);
    g_free(agreements);
}

gboolean agreements_reload(Agreements *agreements, const char *content_hash, gint64 now_s, GError **error)
{
    g_autoptr(GError) why = NULL;
    g_autoptr(Agreement) agreement = fetch(agreements, fsc_store_load, content_hash, TRUE, &why);
    if (agreement != NULL && agreement->stored->contract->not_after < now_s) {
        g_mutex_lock(&agreements->lock);
        forget(agreements, content_hash);
        g_mutex_unlock(&agreements->lock);
    }
    if (agreement != NULL || g_error_matches(why, FUNDAMENT_ERROR, FUNDAMENT_ERROR_NOT_FOUND))
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&why));
    return FALSE;
}

/* --- questions --- */

/* NULL without an error when there is none. */
static Agreement *fetch_any(Agreements *agreements, Load load, const char *hash, GError **error)
{
    g_autoptr(GError) why = NULL;
    Agreement *agreement = fetch(agreements, load, hash, FALSE, &why);
    if (why != NULL && !g_error_matches(why, FUNDAMENT_ERROR, FUNDAMENT_ERROR_NOT_FOUND))
        g_propagate_error(error, g_steal_pointer(&why));
    return agreement;
}

static Agreement *find(Agreements *agreements, GHashTable *table, Load load, const char *hash, GError **error)
{
    g_mutex_lock(&agreements->lock);
    Agreement *agreement = use(agreements, g_hash_table_lookup(table, hash));
    g_mutex_unlock(&agreements->lock);
    return agreement != NULL ? agreement : fetch_any(agreements, load, hash, error);
}

static Agreement *with_grant(Agreement *agreement, const char *grant_hash, const Grant **grant)
{
    if (agreement != NULL && grant != NULL)
        *grant = contract_find_grant(agreement->stored->contract, grant_hash);
    return agreement;
}

Agreement *agreements_known(Agreements *agreements, const char *grant_hash, const Grant **grant)
{
    if (store_is_postgresql(agreements->store))
        return NULL; /* another process may have changed it */
    g_mutex_lock(&agreements->lock);
    Agreement *agreement = use(agreements, g_hash_table_lookup(agreements->grants, grant_hash));
    g_mutex_unlock(&agreements->lock);
    return with_grant(agreement, grant_hash, grant);
}

Agreement *agreements_load(Agreements *agreements, const char *grant_hash, const Grant **grant,
                           GError **error)
{
    /* What another process of this node stored is followed only twice a second. */
    gboolean shared = store_is_postgresql(agreements->store);
    Agreement *agreement = shared
                               ? fetch_any(agreements, fsc_store_by_grant, grant_hash, error)
                               : find(agreements, agreements->grants, fsc_store_by_grant, grant_hash, error);
    return with_grant(agreement, grant_hash, grant);
}

Agreement *agreements_find(Agreements *agreements, const char *grant_hash, const Grant **grant)
{
    g_autoptr(GError) error = NULL;
    Agreement *agreement = find(agreements, agreements->grants, fsc_store_by_grant, grant_hash, &error);
    if (error != NULL)
        g_warning("fsc: a contract is not used because it cannot be read: %s", error->message);
    return with_grant(agreement, grant_hash, grant);
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

static GPtrArray *connections_of(Agreements *agreements, const ConnectionWanted *wanted, gint64 now_s)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Db) db = store_take(agreements->store, &error);
    GPtrArray *hashes = db == NULL ? NULL
                                   : fsc_store_connections(db, wanted->service_name, wanted->service_peer_id,
                                                           wanted->outway_peer_id, now_s, &error);
    if (hashes == NULL)
        g_warning("fsc: no connection is found because contracts cannot be read: %s", error->message);
    return hashes;
}

Agreement *agreements_find_connection(Agreements *agreements, const ConnectionWanted *wanted, gint64 now_s,
                                      const Grant **grant)
{
    Candidate best = {NULL, NULL};
    g_autoptr(GPtrArray) hashes = connections_of(agreements, wanted, now_s);
    for (guint i = 0; hashes != NULL && i < hashes->len; i++) {
        g_autoptr(Agreement) agreement =
            find(agreements, agreements->contracts, fsc_store_load, hashes->pdata[i], NULL);
        if (agreement == NULL || agreement_state(agreement, now_s) != CONTRACT_VALID)
            continue;
        const Contract *contract = agreement->stored->contract;
        for (gsize j = 0; j < contract->n_grants; j++) {
            Candidate candidate = {agreement, &contract->grants[j]};
            if (!fits(candidate.grant, wanted) || !better(&candidate, &best, wanted->service_name))
                continue;
            agreement_unref(best.agreement);
            best = candidate;
            agreement_ref(best.agreement);
        }
    }
    *grant = best.grant;
    return best.agreement;
}

static gint by_id(gconstpointer a, gconstpointer b)
{
    const Agreement *one = *(Agreement *const *)a, *other = *(Agreement *const *)b;
    return one->stored->id < other->stored->id ? -1 : one->stored->id > other->stored->id;
}

static GPtrArray *valid_publications(Agreements *agreements, gint64 now_s)
{
    GPtrArray *all = g_ptr_array_new_with_free_func(unref_agreement);
    GHashTableIter iter;
    gpointer value;
    g_mutex_lock(&agreements->lock);
    g_hash_table_iter_init(&iter, agreements->contracts);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        Agreement *agreement = value;
        if (agreement->link.data == NULL && agreement_state(agreement, now_s) == CONTRACT_VALID)
            g_ptr_array_add(all, agreement_ref(agreement));
    }
    g_mutex_unlock(&agreements->lock);
    return all;
}

static GPtrArray *valid_connections(Agreements *agreements, gint64 now_s)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Db) db = store_take(agreements->store, &error);
    g_autoptr(GPtrArray) current =
        db == NULL ? NULL : fsc_store_with_grants(db, FALSE, now_s, CONNECTIONS_SHOWN, &error);
    GPtrArray *all = g_ptr_array_new_with_free_func(unref_agreement);
    while (current != NULL && current->len > 0) {
        g_autoptr(Agreement) agreement = g_new0(Agreement, 1);
        agreement->references = 1;
        agreement->stored = g_ptr_array_steal_index_fast(current, current->len - 1);
        if (agreement_state(agreement, now_s) == CONTRACT_VALID)
            g_ptr_array_add(all, agreement_ref(agreement));
    }
    if (error != NULL)
        g_warning("fsc: connections cannot be read: %s", error->message);
    return all;
}

GPtrArray *agreements_valid(Agreements *agreements, gboolean publication, gint64 now_s)
{
    GPtrArray *all =
        publication ? valid_publications(agreements, now_s) : valid_connections(agreements, now_s);
    g_ptr_array_sort(all, by_id);
    return all;
}

void agreements_count(Agreements *agreements, gint64 now_s, guint counts[CONTRACT_STATE_COUNT])
{
    g_autoptr(GError) error = NULL;
    g_mutex_lock(&agreements->counting);
    gint64 began_us = g_get_monotonic_time(), took_us = agreements->count_took_us;
    if (took_us < RECOUNT_FREE_US || began_us - agreements->counted_us > RECOUNT_SHARE * took_us) {
        g_autoptr(Db) db = store_take(agreements->store, &error);
        if (db != NULL && fsc_store_count_states(db, now_s, agreements->counts, &error)) {
            agreements->counted_us = g_get_monotonic_time();
            agreements->count_took_us = agreements->counted_us - began_us;
        } else {
            g_warning("fsc: contracts cannot be counted: %s", error->message);
        }
    }
    for (int i = 0; i < CONTRACT_STATE_COUNT; i++)
        counts[i] = agreements->counts[i];
    g_mutex_unlock(&agreements->counting);
}
