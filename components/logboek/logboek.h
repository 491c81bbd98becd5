/* logboek: the log of data processing (Logboek Dataverwerkingen 1.0.0) and the FSC transaction log (FSC
 * Logging 1.1.0), in one engine.
 *
 * Records are acknowledged when they are in the journal (core/store/journal.h); SQL tables are indexes that
 * are rebuilt from it. Other components of this node write and read through this header; everybody else
 * through OTLP (LISTENER_LOG) and the read extension (FSC service "logboek-lezen").
 */
#pragma once

#include <jansson.h>

#include "core/node/node.h"

typedef struct logboek Logboek;

extern const Component logboek_component;

/* The running one; NULL when it is off. */
Logboek *logboek_of(const Node *node);

/* One record, LDV 1.0.0 3.2.2. Times are milliseconds since the epoch. */
typedef struct {
    char trace_id[TRACE_ID_SIZE];
    char span_id[SPAN_ID_SIZE];
    char parent_span_id[SPAN_ID_SIZE]; /* "" when none */
    int status;                        /* 0 Unset, 1 Ok, 2 Error */
    const char *name;
    gint64 start_ms, end_ms;
    const char
        *processing_activity_id; /* URI in the register; a short id is completed with the address of ours */
    const char *data_subject_id; /* pseudonym ("p1...."), or NULL: a record without a person */
    const char *data_subject_id_type; /* "BSN" for a person known by it; NULL without a subject */
    const char
        *processor; /* dpl.core.foreign_operation.processor: URL of the caller; NULL when there is none */
    const json_t *attributes; /* the others, flat; may be NULL */
    const json_t *resource;   /* attributes of the system; may be NULL */
} LogboekRecord;

/* Durable when it returns TRUE. Idempotent on (trace, span, subject): the same again is fine, other content
 * under the same key is kept and flagged, and FUNDAMENT_ERROR_CONFLICT. _INVALID for a record that breaks the
 * standard; _IO or _UNAVAILABLE: not logged, so the data must not flow. All of `records` are logged or none
 * is acknowledged. */
gboolean logboek_append(Logboek *logboek, const LogboekRecord *records, gsize n_records, GError **error);

/* One FSC transaction log record. Strings are borrowed for the call. */
typedef struct {
    const char *transaction_id;
    gboolean incoming; /* DIRECTION_INCOMING, else DIRECTION_OUTGOING */
    const char *grant_hash;
    const char *outway_peer_id;
    const char *outway_delegator; /* NULL: SOURCE_TYPE_SOURCE */
    const char *service_peer_id;
    const char *service_delegator; /* NULL: DESTINATION_TYPE_DESTINATION */
    const char *service_name;
    const char *trace_id; /* ours only: never in GET /logs; NULL when none */
    gint64 created_at;    /* when the edge made it, seconds since the epoch; a resent record keeps its time */
    const char *additional_data; /* compact JSON object, or NULL */
} LogboekTransaction;

typedef enum {
    TRANSACTION_LOGGED,   /* on disk */
    TRANSACTION_REPLAYED, /* the id was used before with other content: INVALID_LOG_RECORD_ID */
    TRANSACTION_FAILED    /* not on disk: TRANSACTION_LOG_WRITE_ERROR */
} TransactionVerdict;

typedef void (*TransactionDone)(TransactionVerdict verdict, gpointer user_data);

/* Returns at once; `done` is called exactly once, from the committer thread or (for a replay) from this one.
 * The same record again (a resent frame: same id, direction and content) is TRANSACTION_LOGGED without a
 * second record. Cheap: tens of thousands a second. */
void logboek_append_transaction(Logboek *logboek, const LogboekTransaction *transaction, TransactionDone done,
                                gpointer user_data);

/* Called after each committed batch, on the committer thread: frames_server_flush() in practice. */
void logboek_set_batch_done(Logboek *logboek, void (*batch_done)(gpointer user_data), gpointer user_data);

/* What came of a transaction (internal record beside it, decisions.md 2). Not acknowledged. */
void logboek_append_outcome(Logboek *logboek, const char *transaction_id, gboolean incoming, gboolean sent,
                            guint status, guint64 bytes);

/* GET /logs of FSC Logging 1.1.0: {"records": [...], "pagination": {"next_cursor": ""}} with only records in
 * which `peer_id` takes part. */
typedef struct {
    const char *peer_id;
    const char *cursor; /* NULL or "" for the first page */
    guint limit;        /* 1..1000 */
    gboolean ascending;
    gint64 after, before;            /* created_at; 0: not asked */
    const char *const *grant_hashes; /* NULL-terminated lists, or NULL; different filters are OR-ed */
    const char *const *service_names;
    const char *const *transaction_ids; /* overrides all other filters and the pagination */
} TransactionQuery;

json_t *logboek_transactions(Logboek *logboek, const TransactionQuery *query, GError **error);

/* --- the Authorization Decision Log (ADL 1.0.0) --- */

/* Attributes of our own, by which decisions of the node itself are found. */
#define LOGBOEK_DECISION_VERDICT "nl.fundament.policy.verdict" /* "accept", "reject", "wait", "ask" */
#define LOGBOEK_DECISION_RULE "nl.fundament.policy.rule"

/* One decision, ADL 1.0.0 3.3. The resource is that of this node. */
typedef struct {
    const TraceContext *trace; /* the span of the decision; its parent when somebody called */
    const char *event_name;    /* "adl.access_evaluation" */
    gint64 timestamp_ms;
    int status;               /* 0 Unset, 1 Ok, 2 Error (no decision could be made) */
    const json_t *attributes; /* may be NULL */
    const json_t *body;       /* may be NULL */
} LogboekDecision;

/* Durable when it returns TRUE; whoever acts on a decision calls this first, and does not act when it is
 * FALSE. Idempotent on (trace, span): other content under the same key is FUNDAMENT_ERROR_CONFLICT and not
 * kept. _INVALID for a record that breaks the standard; _IO or _UNAVAILABLE when it is not on disk. */
gboolean logboek_decision_append(Logboek *logboek, const LogboekDecision *decision, GError **error);

typedef struct {
    const char *trace_id; /* 32 digits, or NULL */
    const char
        *transaction_id;  /* of an FSC transaction: decisions that name it, and those of its trace; or NULL */
    const char *decision; /* "accept", "true", "error", ..., or NULL */
    const char *rule;     /* or NULL */
    const char *policy;   /* a source of policies by its name or by its edition, or NULL */
    gint64 from_ms, until_ms; /* both included; 0: open */
    guint limit;              /* 1..1000 */
    const char *cursor;       /* of the page before, or NULL */
} DecisionQuery;

/* Records as they were logged, newest first. `*next_cursor` is NULL after the last page; caller frees. NULL
 * with FUNDAMENT_ERROR_INVALID for a bad query. */
json_t *logboek_decisions_query(Logboek *logboek, const DecisionQuery *query, char **next_cursor,
                                GError **error);

/* Records about one person in this node's own logbook, in the shape of the read extension
 * (dataProcessingOperations items). `bsn` is mapped to all versions of its pseudonym here. Times in ms, 0:
 * open. At most `limit`, newest first; `*more` tells whether there were more. */
json_t *logboek_operations_of(Logboek *logboek, const char *bsn, gint64 from_ms, gint64 until_ms, guint limit,
                              gboolean *more, GError **error);

/* The register of processing activities of this node as JSON, newest version of each:
 * {"processingActivities": [...]}. */
json_t *logboek_activities(Logboek *logboek, GError **error);

/* How far back this logbook goes, ms since the epoch; 0 when it is empty. */
gint64 logboek_oldest_ms(Logboek *logboek);
