#include "components/fsc/recent.h"

#include <string.h>

#define UUID_BYTES 16

typedef struct {
    guint8 id[UUID_BYTES];
    guint64 direction, made_us;
} Seen;

struct recent {
    guint64 second;             /* of the newest record */
    GHashTable *generations[2]; /* of that second, and of the one before: workers do not send in step */
};

/* The last bytes of a UUIDv7 are random. */
static guint seen_hash(gconstpointer pointer)
{
    const Seen *seen = pointer;
    guint hash;
    memcpy(&hash, seen->id + UUID_BYTES - sizeof hash, sizeof hash);
    return hash ^ (guint)seen->direction;
}

static gboolean seen_equal(gconstpointer a, gconstpointer b)
{
    const Seen *one = a, *other = b;
    return one->direction == other->direction && memcmp(one->id, other->id, UUID_BYTES) == 0;
}

static GHashTable *generation_new(void)
{
    return g_hash_table_new_full(seen_hash, seen_equal, NULL, g_free);
}

Recent *recent_new(void)
{
    Recent *recent = g_new0(Recent, 1);
    recent->generations[0] = generation_new();
    recent->generations[1] = generation_new();
    return recent;
}

void recent_free(Recent *recent)
{
    if (recent == NULL)
        return;
    g_hash_table_unref(recent->generations[0]);
    g_hash_table_unref(recent->generations[1]);
    g_free(recent);
}

static void advance(Recent *recent, guint64 second)
{
    if (second <= recent->second)
        return;
    GHashTable *oldest = recent->generations[1];
    g_hash_table_remove_all(oldest);
    recent->generations[1] = recent->generations[0];
    recent->generations[0] = oldest;
    if (second > recent->second + 1)
        g_hash_table_remove_all(recent->generations[1]);
    recent->second = second;
}

static void read_id(const char *text, guint8 id[UUID_BYTES])
{
    gsize n = 0;
    for (; *text != '\0' && n < 2 * UUID_BYTES; text++)
        if (*text != '-') {
            id[n / 2] = (guint8)(id[n / 2] << 4 | g_ascii_xdigit_value(*text));
            n++;
        }
}

gboolean recent_admits(Recent *recent, const char *transaction_id, guint64 direction, guint64 made_us)
{
    Seen seen = {.direction = direction, .made_us = made_us};
    read_id(transaction_id, seen.id);
    advance(recent, made_us / G_USEC_PER_SEC);
    for (gsize i = 0; i < G_N_ELEMENTS(recent->generations); i++) {
        const Seen *before = g_hash_table_lookup(recent->generations[i], &seen);
        if (before != NULL)
            return before->made_us == made_us;
    }
    Seen *kept = g_memdup2(&seen, sizeof seen);
    g_hash_table_insert(recent->generations[0], kept, kept);
    return TRUE;
}
