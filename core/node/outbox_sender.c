/* The sender of the outbox: one thread finds what is due, a bounded number of threads deliver. */
#include "core/node/node_private.h"

#include <string.h>

#include "core/base/error.h"
#include "core/node/outbox_private.h"

#define IDLE_MS 60000
#define SHARED_IDLE_MS 2000 /* another process may have written */
#define TROUBLE_MS 5000     /* the store did not answer */
#define CONTACT_US (3 * G_TIME_SPAN_SECOND)
#define CONTACTS_MAX 10000

struct outbox_sender {
    Node *node;
    GThread *thread;
    GThreadPool *pool;
    GMutex lock;
    GCond changed;
    guint running, running_again; /* the second of the first: messages that failed before */
    GHashTable *contacts; /* destination -> gint64*, monotonic: when its messages were hastened last */
    gboolean woken, stopping;
};

static gboolean deliver(Node *node, const OutboxMessage *message, GError **error)
{
    for (guint i = 0; i < node->running->len; i++) {
        const Running *running = &g_array_index(node->running, Running, i);
        for (gsize j = 0; j < running->component->n_outbox; j++) {
            const OutboxKind *kind = &running->component->outbox[j];
            if (strcmp(kind->kind, message->kind) == 0)
                return kind->deliver(node, running->context, message->destination, message->body, error);
        }
    }
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_UNAVAILABLE, "no component that is on delivers %s",
                message->kind);
    return FALSE;
}

static void attempt(Node *node, const OutboxMessage *message)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(GError) error = NULL;
    gboolean delivered = deliver(node, message, &failure);
    if (!delivered)
        g_message("outbox: message %" G_GINT64_FORMAT " (%s to %s), try %u: %s", message->id, message->kind,
                  message->destination, message->tries + 1,
                  failure == NULL ? "no reason given" : failure->message);
    if (!outbox_settle(node, message, delivered, failure,
                       &error)) /* its lease runs out, then it is tried again */
        g_warning("outbox: %s", error->message);
}

/* Until the first message is due, at most `idle_ms`. */
static gint64 time_left(Node *node, gint64 idle_ms)
{
    g_autoptr(GError) error = NULL;
    gint64 due = outbox_next_due(node, &error);
    if (error != NULL) {
        g_warning("outbox: %s", error->message);
        return TROUBLE_MS;
    }
    return due == G_MAXINT64 ? idle_ms : CLAMP(due - clock_now_ms(node->clock), 0, idle_ms);
}

gint64 outbox_run_due(Node *node)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) messages = outbox_claim(node, OUTBOX_PARALLEL, OUTBOX_PARALLEL_AGAIN, &error);
    for (guint i = 0; messages != NULL && i < messages->len; i++)
        attempt(node, messages->pdata[i]);
    return error != NULL ? TROUBLE_MS : time_left(node, IDLE_MS);
}

/* --- threads --- */

static void wake_locked(OutboxSender *sender)
{
    sender->woken = TRUE;
    g_cond_signal(&sender->changed);
}

static void deliver_in_pool(gpointer data, gpointer user_data)
{
    OutboxSender *sender = user_data;
    OutboxMessage *message = data;
    gboolean again = message->tries > 0;
    attempt(sender->node, message);
    outbox_message_free(message);
    g_mutex_lock(&sender->lock);
    sender->running--;
    sender->running_again -= again ? 1 : 0;
    wake_locked(sender);
    g_mutex_unlock(&sender->lock);
}

static void hand_over(OutboxSender *sender, GPtrArray *messages)
{
    g_mutex_lock(&sender->lock);
    for (guint i = 0; i < messages->len; i++) {
        const OutboxMessage *message = messages->pdata[i];
        sender->running++;
        sender->running_again += message->tries > 0 ? 1 : 0;
    }
    g_mutex_unlock(&sender->lock);
    g_ptr_array_set_free_func(messages, NULL);
    for (guint i = 0; i < messages->len; i++)
        g_thread_pool_push(sender->pool, messages->pdata[i], NULL);
}

/* Hands out what is due to threads that are free: those for destinations that failed before are fewer. The
 * time until there may be more, ms. */
static gint64 hand_out(OutboxSender *sender, guint running, guint running_again)
{
    gint64 idle_ms = store_is_postgresql(sender->node->store) ? SHARED_IDLE_MS : IDLE_MS;
    guint free_again = MIN(OUTBOX_PARALLEL_AGAIN - running_again, (OUTBOX_PARALLEL - running) / 2);
    guint free_fresh = OUTBOX_PARALLEL - running - free_again;
    g_autoptr(GError) error = NULL;
    if (free_fresh == 0)
        return idle_ms; /* a thread that becomes free wakes us */
    g_autoptr(GPtrArray) messages = outbox_claim(sender->node, free_fresh, free_again, &error);
    if (messages == NULL) {
        g_warning("outbox: %s", error->message);
        return TROUBLE_MS;
    }
    if (messages->len > 0) {
        hand_over(sender, messages);
        return 0;
    }
    /* What is due and has no thread waits for one, which wakes us. */
    return free_again == 0 ? idle_ms : time_left(sender->node, idle_ms);
}

static gpointer run(gpointer data)
{
    OutboxSender *sender = data;
    g_mutex_lock(&sender->lock);
    while (!sender->stopping) {
        guint running = sender->running, running_again = sender->running_again;
        sender->woken = FALSE;
        g_mutex_unlock(&sender->lock);
        gint64 until = g_get_monotonic_time() + hand_out(sender, running, running_again) * 1000;
        g_mutex_lock(&sender->lock);
        while (!sender->woken && !sender->stopping &&
               g_cond_wait_until(&sender->changed, &sender->lock, until))
            ;
    }
    g_mutex_unlock(&sender->lock);
    return NULL;
}

OutboxSender *outbox_sender_start(Node *node)
{
    g_autoptr(GError) error = NULL;
    OutboxSender *sender = g_new0(OutboxSender, 1);
    sender->node = node;
    g_mutex_init(&sender->lock);
    g_cond_init(&sender->changed);
    sender->contacts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    if (!store_is_postgresql(node->store) && !outbox_release_leases(node, &error))
        g_warning("outbox: %s", error->message);
    sender->pool = g_thread_pool_new(deliver_in_pool, sender, OUTBOX_PARALLEL, FALSE, NULL);
    sender->thread = g_thread_new("outbox", run, sender);
    return sender;
}

void outbox_sender_wake(OutboxSender *sender)
{
    g_mutex_lock(&sender->lock);
    wake_locked(sender);
    g_mutex_unlock(&sender->lock);
}

void outbox_wake(Node *node)
{
    g_rw_lock_reader_lock(&node->threads_lock);
    if (node->outbox != NULL)
        outbox_sender_wake(node->outbox);
    g_rw_lock_reader_unlock(&node->threads_lock);
}

/* Once in a while a destination: a Peer that calls us often while it cannot be called is not called each
 * time.
 */
static gboolean contact_is_news(OutboxSender *sender, const char *destination)
{
    gint64 now = g_get_monotonic_time();
    g_mutex_lock(&sender->lock);
    const gint64 *before = g_hash_table_lookup(sender->contacts, destination);
    gboolean news = before == NULL || now - *before >= CONTACT_US;
    if (news && g_hash_table_size(sender->contacts) >= CONTACTS_MAX)
        g_hash_table_remove_all(sender->contacts);
    if (news)
        g_hash_table_replace(sender->contacts, g_strdup(destination), g_memdup2(&now, sizeof now));
    g_mutex_unlock(&sender->lock);
    return news;
}

void outbox_contact(Node *node, const char *destination)
{
    g_autoptr(GError) error = NULL;
    g_rw_lock_reader_lock(&node->threads_lock);
    if (node->outbox != NULL && contact_is_news(node->outbox, destination)) {
        if (outbox_hasten(node, destination, &error))
            outbox_sender_wake(node->outbox);
        else if (error != NULL)
            g_info("outbox: %s", error->message);
    }
    g_rw_lock_reader_unlock(&node->threads_lock);
}

void outbox_sender_stop(OutboxSender *sender)
{
    g_mutex_lock(&sender->lock);
    sender->stopping = TRUE;
    wake_locked(sender);
    g_mutex_unlock(&sender->lock);
    g_thread_join(sender->thread);
    g_thread_pool_free(sender->pool, FALSE, TRUE);
    g_hash_table_unref(sender->contacts);
    g_mutex_clear(&sender->lock);
    g_cond_clear(&sender->changed);
    g_free(sender);
}
