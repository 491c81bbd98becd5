/* The access tokens that our Outway holds: one a grant, one request in flight a grant, renewed at 80 % of its
 * life when it was used since.
 *
 * Whoever asks while a token is being fetched waits in its entry and is answered with it. A failure is
 * remembered for one second, so that a crowd of requests does not become a crowd of calls, and a recovered
 * Peer is noticed at once.
 */
#include "components/fsc/internal.h"

#include <string.h>

#define FETCHERS 16
#define FAILURE_US G_TIME_SPAN_SECOND
#define RETRY_S 5
/* What the edge gets when a renewal is under way: time enough for the answer. */
#define STOPGAP_S 2

typedef struct {
    Tokens *tokens;
    char *grant_hash;
    FetchedToken *fetched; /* NULL: none */
    gint64 renew_at, use_until;
    gboolean used; /* asked for since it was fetched */
    gboolean fetching;
    guint changes;      /* counted up when the contract changed: a fetch that began before does not count */
    GPtrArray *waiting; /* FrameCall*, references */
    enum frame_status failure;
    char *failure_message;
    gint64 failed_us; /* monotonic; 0: never */
} Entry;

struct tokens {
    Fsc *fsc;
    GMutex lock;
    GCond wake;
    gboolean stopping;
    GHashTable *entries; /* grant hash -> Entry* */
    GThreadPool *fetchers;
    GThread *keeper;
};

static void unref_call(gpointer call)
{
    frame_call_unref(call);
}

static void entry_free(gpointer pointer)
{
    Entry *entry = pointer;
    g_free(entry->grant_hash);
    fetched_token_free(entry->fetched);
    g_ptr_array_unref(entry->waiting);
    g_free(entry->failure_message);
    g_free(entry);
}

/* --- answers; with the lock held, except where said --- */

static gsize put_text(guint8 *out, gsize size, gsize position, const char *text)
{
    return position == 0 ? 0 : frame_field_put(out, size, position, text, strlen(text));
}

static void answer_token(const Entry *entry, FrameCall *call, const Grant *grant, gint64 use_until,
                         gint64 expires_at)
{
    const FetchedToken *fetched = entry->fetched;
    guint8 out[24 * 1024];
    gsize template_length, n = frame_field_put(out, sizeof out, 0, fetched->token, strlen(fetched->token));
    const void *template = g_bytes_get_data(fetched->template, &template_length);
    n = n == 0 ? 0 : frame_field_put_u64(out, sizeof out, n, (guint64)MIN(use_until, expires_at));
    n = put_text(out, sizeof out, n, fetched->address);
    n = put_text(out, sizeof out, n, fetched->tls_name);
    n = n == 0 ? 0 : frame_field_put(out, sizeof out, n, template, template_length);
    n = put_text(out, sizeof out, n, grant->hash);
    n = put_text(out, sizeof out, n, grant->service_peer_id);
    n = n == 0 ? 0 : frame_field_put_u64(out, sizeof out, n, (guint64)expires_at);
    n = put_text(out, sizeof out, n, grant->service_name);
    if (n == 0)
        frame_call_refuse(call, FRAME_STATUS_BAD_FRAME, "the route does not fit in a frame");
    else
        frame_call_answer(call, FRAME_STATUS_OK, out, n);
}

/* The token is there: answered, when the contract is still valid. */
static void answer_with_entry(const Entry *entry, FrameCall *call)
{
    Fsc *fsc = entry->tokens->fsc;
    gint64 now_s = fsc_now_s(fsc);
    const Grant *grant = NULL;
    g_autoptr(Agreement) agreement = agreements_find(fsc->agreements, entry->grant_hash, &grant);
    if (agreement == NULL || agreement_state(agreement, now_s) != CONTRACT_VALID) {
        frame_call_refuse(call, FRAME_STATUS_GRANT_UNKNOWN, "no valid contract holds that grant");
        return;
    }
    gint64 expires_at = MIN(entry->fetched->expires_at, agreement_changes_at(agreement, now_s));
    gint64 use_until = now_s < entry->use_until ? entry->use_until : now_s + STOPGAP_S;
    answer_token(entry, call, grant, use_until, expires_at);
}

static gboolean has_token(const Entry *entry)
{
    const Certificate *own = node_certificate(entry->tokens->fsc->node, ROLE_OUTWAY);
    return entry->fetched != NULL && fsc_now_s(entry->tokens->fsc) < entry->fetched->expires_at &&
           own != NULL && g_str_equal(entry->fetched->thumbprint, certificate_thumbprint(own));
}

static void answer_waiting(Entry *entry)
{
    for (guint i = 0; i < entry->waiting->len; i++) {
        FrameCall *call = g_ptr_array_index(entry->waiting, i);
        if (has_token(entry))
            answer_with_entry(entry, call);
        else
            frame_call_refuse(call, (guint16)entry->failure, entry->failure_message);
    }
    g_ptr_array_set_size(entry->waiting, 0);
}

/* --- fetching --- */

static void start_fetch(Entry *entry)
{
    if (entry->fetching || entry->tokens->stopping)
        return;
    entry->fetching = TRUE;
    g_thread_pool_push(entry->tokens->fetchers, entry, NULL);
}

static void settle_success(Entry *entry, FetchedToken *fetched, gint64 asked_at)
{
    gint64 life = fetched->expires_at - asked_at;
    fetched_token_free(entry->fetched);
    entry->fetched = fetched;
    entry->renew_at = asked_at + life * 80 / 100;
    entry->use_until = asked_at + life * 85 / 100;
    entry->used = entry->waiting->len > 0; /* somebody is about to use it: worth one renewal */
    entry->failed_us = 0;
}

static void settle_failure(Entry *entry, enum frame_status status, const char *message)
{
    g_info("fsc: no token on %s: %s", entry->grant_hash, message);
    g_free(entry->failure_message);
    entry->failure_message = g_strdup(message);
    entry->failure = status;
    entry->failed_us = g_get_monotonic_time();
    entry->renew_at = fsc_now_s(entry->tokens->fsc) + RETRY_S;
}

/* On a thread of the pool. Entries live as long as the pool. */
static void fetch(gpointer data, gpointer user_data)
{
    Entry *entry = data;
    Tokens *tokens = user_data;
    Fsc *fsc = tokens->fsc;
    g_autoptr(GError) error = NULL;
    enum frame_status status = FRAME_STATUS_GRANT_UNKNOWN;
    const Grant *grant = NULL;
    g_mutex_lock(&tokens->lock);
    guint changes = entry->changes;
    g_mutex_unlock(&tokens->lock);
    gint64 asked_at = fsc_now_s(fsc);
    g_autoptr(Agreement) agreement = agreements_find(fsc->agreements, entry->grant_hash, &grant);
    FetchedToken *fetched = agreement == NULL ? NULL : fetch_token(fsc, grant, &status, &error);

    g_mutex_lock(&tokens->lock);
    entry->fetching = FALSE;
    if (fetched != NULL && changes != entry->changes) {
        fetched_token_free(fetched);
        start_fetch(entry);
    } else {
        if (fetched != NULL)
            settle_success(entry, fetched, asked_at);
        else
            settle_failure(entry, status,
                           error != NULL ? error->message : "no valid contract holds that grant");
        answer_waiting(entry);
    }
    g_mutex_unlock(&tokens->lock);
    frames_server_flush(node_frames(fsc->node));
}

static Entry *entry_of(Tokens *tokens, const char *grant_hash)
{
    Entry *entry = g_hash_table_lookup(tokens->entries, grant_hash);
    if (entry != NULL)
        return entry;
    entry = g_new0(Entry, 1);
    entry->tokens = tokens;
    entry->grant_hash = g_strdup(grant_hash);
    entry->waiting = g_ptr_array_new_with_free_func(unref_call);
    g_hash_table_insert(tokens->entries, entry->grant_hash, entry);
    return entry;
}

void tokens_answer(Tokens *tokens, FrameCall *call, const Grant *grant)
{
    g_mutex_lock(&tokens->lock);
    Entry *entry = entry_of(tokens, grant->hash);
    entry->used = TRUE;
    if (has_token(entry)) {
        if (fsc_now_s(tokens->fsc) >= entry->renew_at)
            start_fetch(entry);
        answer_with_entry(entry, call);
    } else if (!entry->fetching && entry->failed_us != 0 &&
               g_get_monotonic_time() - entry->failed_us < FAILURE_US) {
        frame_call_refuse(call, (guint16)entry->failure, entry->failure_message);
    } else if (tokens->stopping) {
        frame_call_refuse(call, FRAME_STATUS_NOT_READY, "the node is stopping");
    } else {
        g_ptr_array_add(entry->waiting, frame_call_ref(call));
        start_fetch(entry);
    }
    g_mutex_unlock(&tokens->lock);
}

void tokens_forget(Tokens *tokens, const Contract *contract)
{
    g_mutex_lock(&tokens->lock);
    for (gsize i = 0; i < contract->n_grants; i++) {
        Entry *entry = g_hash_table_lookup(tokens->entries, contract->grants[i].hash);
        if (entry == NULL)
            continue;
        entry->changes++;
        entry->failed_us = 0;
        g_clear_pointer(&entry->fetched, fetched_token_free);
    }
    g_mutex_unlock(&tokens->lock);
}

/* --- the keeper --- */

void tokens_renew_due(Tokens *tokens)
{
    GHashTableIter iter;
    gpointer value;
    gint64 now_s = fsc_now_s(tokens->fsc);
    g_mutex_lock(&tokens->lock);
    g_hash_table_iter_init(&iter, tokens->entries);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        Entry *entry = value;
        if (entry->fetched == NULL || entry->fetching || now_s < entry->renew_at)
            continue;
        if (now_s >= entry->fetched->expires_at)
            g_clear_pointer(&entry->fetched, fetched_token_free);
        else if (entry->used)
            start_fetch(entry);
    }
    g_mutex_unlock(&tokens->lock);
}

static gpointer keep(gpointer data)
{
    Tokens *tokens = data;
    g_mutex_lock(&tokens->lock);
    while (!tokens->stopping) {
        g_mutex_unlock(&tokens->lock);
        tokens_renew_due(tokens);
        g_mutex_lock(&tokens->lock);
        if (!tokens->stopping)
            g_cond_wait_until(&tokens->wake, &tokens->lock, g_get_monotonic_time() + G_TIME_SPAN_SECOND);
    }
    g_mutex_unlock(&tokens->lock);
    return NULL;
}

Tokens *tokens_new(Fsc *fsc)
{
    Tokens *tokens = g_new0(Tokens, 1);
    tokens->fsc = fsc;
    g_mutex_init(&tokens->lock);
    g_cond_init(&tokens->wake);
    tokens->entries = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, entry_free);
    tokens->fetchers = g_thread_pool_new(fetch, tokens, FETCHERS, FALSE, NULL);
    tokens->keeper = g_thread_new("fsc tokens", keep, tokens);
    return tokens;
}

void tokens_free(Tokens *tokens)
{
    if (tokens == NULL)
        return;
    g_mutex_lock(&tokens->lock);
    tokens->stopping = TRUE;
    g_cond_signal(&tokens->wake);
    g_mutex_unlock(&tokens->lock);
    g_thread_join(tokens->keeper);
    g_thread_pool_free(tokens->fetchers, TRUE, TRUE);
    g_hash_table_unref(tokens->entries); /* calls that still wait are refused when they are let go of */
    g_cond_clear(&tokens->wake);
    g_mutex_clear(&tokens->lock);
    g_free(tokens);
}
