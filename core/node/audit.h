/* The audit log of administrators and officers (decisions.md 20): who, in which role, did what, with what
 * outcome, in which trace. Append-only; the processing log may hold no employee (LDV 1.0.0, 2.3.4), so this
 * is where they are. */
#pragma once

#include "core/node/node.h"

/* `actor` e.g. "uid:0" or the id of an officer; `action` e.g. "fsc.contract.revoke"; `object` an id, never a
 * BSN. The act must not happen when this fails: call it before, with outcome "begun", or inside the same
 * transaction. Outcomes: "done", "begun", "intended" (waits for a second signer), "refused". */
gboolean audit_write(Db *db, const Clock *clock, const char *actor, const char *role, const char *action,
                     const char *object, const char *outcome, const TraceContext *trace, GError **error);

/* --- reading it --- */

typedef struct {
    const char *actor;     /* exactly, or NULL */
    const char *action;    /* how it begins: "fsc.contract", or NULL */
    const char *object;    /* exactly, or NULL */
    gint64 from_ms, to_ms; /* from_ms included, to_ms not; 0: open */
    gint64 before;         /* only entries with a smaller id: the next page; 0: the newest */
    guint limit;
} AuditQuery;

typedef struct {
    gint64 id, time_ms;
    char *actor, *role, *action, *object, *outcome, *trace_id; /* trace_id NULL: none */
} AuditEntry;

/* Newest first. Array of AuditEntry* with a free function. */
GPtrArray *audit_read(Db *db, const AuditQuery *query, GError **error);

/* RFC 4180, with a line of names; a text that a spreadsheet would take for a formula gets an apostrophe
 * before it. Caller frees. */
char *audit_csv(const GPtrArray *entries);

/* The page /audit, the file /audit.csv, and the same for the command line. */
extern const Route audit_routes[];
extern const gsize audit_routes_count;
