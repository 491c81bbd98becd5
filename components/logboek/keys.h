/* What was logged lately: a table from 16-byte keys to the digest of the content and its place in the
 * journal, so that a record that is sent again is known without asking a database. Not thread safe; its owner
 * holds a lock.
 *
 * A key is first pending (handed to the journal, not on disk yet), then it has a sequence. When the journal
 * failed the key counts as absent. */
#pragma once

#include <glib.h>

#define KEY_SIZE 16
#define KEY_PENDING G_MAXUINT64
#define KEY_FAILED (G_MAXUINT64 - 1)

typedef struct {
    guint8 key[KEY_SIZE];
    guint64 digest;
    guint64 sequence; /* in the journal; KEY_PENDING; never 0 */
} KeyEntry;

typedef struct key_table KeyTable;

KeyTable *key_table_new(void);
void key_table_free(KeyTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KeyTable, key_table_free)

/* The entry, pending or on disk, or NULL. Borrowed until the next key_table_put(). */
const KeyEntry *key_table_find(const KeyTable *table, const guint8 key[KEY_SIZE]);

/* Adds a key. What is there already, pending or on disk, stays as it is. */
void key_table_put(KeyTable *table, const guint8 key[KEY_SIZE], guint64 digest, guint64 sequence);

/* A pending key got its place, or (`sequence` 0) failed. FALSE when this table has no such pending key. */
gboolean key_table_settle(KeyTable *table, const guint8 key[KEY_SIZE], guint64 sequence);

guint key_table_count(const KeyTable *table);     /* of keys, failed ones too */
guint key_table_pending(const KeyTable *table);   /* of pending keys */
guint64 key_table_highest(const KeyTable *table); /* sequence; 0 when there is none */

/* Those on disk, by key. Array of KeyEntry; caller frees. */
GArray *key_table_sorted(const KeyTable *table);

/* Who waits for a key that another caller has pending. */
typedef void (*KeyWaiter)(gboolean logged, gpointer user_data);
typedef struct key_waiters KeyWaiters;

KeyWaiters *key_waiters_new(void);
void key_waiters_free(KeyWaiters *waiters);
void key_waiters_add(KeyWaiters *waiters, const guint8 key[KEY_SIZE], KeyWaiter waiter, gpointer user_data);
/* Those of one key, taken out; NULL when there are none. To be called without the lock: key_waiters_tell().
 */
GArray *key_waiters_take(KeyWaiters *waiters, const guint8 key[KEY_SIZE]);
/* Calls and frees them; NULL is fine. */
void key_waiters_tell(GArray *taken, gboolean logged);
