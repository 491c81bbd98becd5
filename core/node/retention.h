/* How long what is kept (decisions.md 29): one table, with a key in [retention] of node.conf for each row. A
 * job removes what is past its time once in six hours; `fundament retention` says what would go, and with
 * --run removes it now. Every removal is in the audit log.
 *
 * Rows of the store go one by one. The journal goes by whole segments, oldest first, when every record in one
 * is past the time of its own kind (core/store/journal.h): a record may so be kept longer than it need be, by
 * at most the time in which a segment fills. Making one person's data unreadable inside a segment that stays
 * is another thing, and does not change this table.
 */
#pragma once

#include <glib.h>

#include "core/node/config.h"
#include "core/store/store.h"

typedef struct node Node;

typedef struct {
    const char *name;     /* the key in [retention] */
    const char *fallback; /* NULL: not a choice, the period is in the rule itself */
    const char *help;
    const char *component; /* whose rows these are; NULL: of the node */
    /* Rows of the store, when `table` is not NULL: those for which `where` holds, ?1 being the moment before
     * which things are past their time, in units of `unit_ms`. `key`: its column, for removal bit by bit. */
    const char *table, *key, *where;
    gint64 unit_ms;
} Retention;

extern const Retention retention_table[];
extern const gsize retention_count;

#define RETENTION_KEYS                                                                                       \
    {"retention", "transactions", CONFIG_INTEGER, FALSE, "1826d", "how long FSC transactions are kept"},     \
        {"retention", "processing", CONFIG_INTEGER,                                                          \
         FALSE,       "1826d",      "how long records of data processing are kept"},                         \
        {"retention", "decisions", CONFIG_INTEGER,                                                           \
         FALSE,       "1826d",     "how long records of authorisation decisions are kept"},                  \
        {"retention", "audit", CONFIG_INTEGER, FALSE, "1826d", "how long acts of officers are kept"},        \
        {"retention", "dead_letters", CONFIG_INTEGER,                                                        \
         FALSE,       "90d",          "how long messages that could not be delivered are kept"},             \
    {                                                                                                        \
        "retention", "traffic", CONFIG_INTEGER, FALSE, "400d", "how long sums of the traffic are kept"       \
    }

/* --- what is removed --- */

typedef struct {
    char *name;       /* of the row, or of several that go together */
    gint64 before_ms; /* what is older goes */
    gint64 count;
    gint64 bytes; /* that come free on disk; 0 when that is not known */
} RetentionResult;

/* One round. */
typedef struct {
    const Config *config;
    gint64 now_ms;
    gboolean dry;    /* counts and removes nothing */
    GArray *results; /* RetentionResult */
} RetentionRun;

/* The moment before which things of this name are past their time. */
gint64 retention_before_ms(const RetentionRun *run, const char *name);
/* For components: what they removed, or would. */
void retention_found(const RetentionRun *run, const char *name, gint64 before_ms, gint64 count, gint64 bytes);

/* Everything of this node. The results, in the order of the table; NULL with an error when something could
 * not be removed: what was removed before that stays removed, and a next run goes on. `actor` and `role` are
 * for the audit log, in which every result with a count is written, "begun" before and "removed" after. Free
 * with g_array_unref. */
GArray *retention_run(Node *node, gboolean dry, const char *actor, const char *role, GError **error);
