/* A statement about one person that anybody can check, without trusting who made it and without a network:
 * the bundle (fundament-logboek-bundle/1) and its verification. Pure; the log's own formats are in proof.h.
 *
 * What a verified bundle says: up to the entry that its epoch counts, the log holds about these subjects
 * exactly the entries that are in it, no more and no fewer, in this order, unchanged since they were logged;
 * and the witnesses of the policy have seen the log that says so. */
#pragma once

#include <jansson.h>

#include "components/logboek/proof.h"
#include "core/crypto/tlog_policy.h"

#define BUNDLE_FORMAT "fundament-logboek-bundle/1"
#define BUNDLE_MAX ((gsize)64 * 1024 * 1024)

/* What can be wrong, in the order in which it is looked for. The texts are for people. */
#define BUNDLE_FAULT_TABLE(X)                                                                                \
    X(WHOLE, "Everything holds.")                                                                            \
    X(UNREADABLE, "This file is no statement of a logbook, or it is damaged.")                               \
    X(CHECKPOINT, "The signed state of the log is damaged.")                                                 \
    X(LOG, "The state of the log is not signed by a log that you trust.")                                    \
    X(WITNESSES,                                                                                             \
      "Too few of the witnesses that you trust have seen this state of the log. Others may be shown "        \
      "another log.")                                                                                        \
    X(ORIGIN, "The statement is about another log than the one whose signed state is with it.")              \
    X(START, "The first entry of the log is not what the statement says.")                                   \
    X(EPOCH, "The list of all persons is not part of the log.")                                              \
    X(LABEL, "The entries are filed under another person.")                                                  \
    X(MAP, "The log says something else about this person than the statement does.")                         \
    X(ORDER, "Entries are not in the order of the log, or twice.")                                           \
    X(SUBJECT, "An entry is about somebody else.")                                                           \
    X(COUNT, "There are more or fewer entries than the log has about this person.")                          \
    X(ENTRIES, "An entry was left out, added, changed or moved.")                                            \
    X(SHRUNK, "The log is shorter than it was before: something was taken away.")                            \
    X(REWRITTEN, "What the log said before, it does not say any more.")

typedef enum {
#define X(name, text) BUNDLE_##name,
    BUNDLE_FAULT_TABLE(X)
#undef X
        BUNDLE_FAULT_COUNT
} BundleFault;

const char *bundle_fault_name(BundleFault fault); /* "WHOLE" */
const char *bundle_fault_text(BundleFault fault);

typedef struct {
    BundleFault fault;
    char *where;  /* "lists[0].entries[3]", or NULL */
    char *detail; /* for who wants to know more, or NULL */
    /* What was found until then. */
    char *origin;
    guint64 log_size;
    guint64 epoch;
    gint64 epoch_time_ms; /* complete up to then */
    guint64 through;      /* the last entry that counts */
    guint lists;
    guint64 entries;     /* that are there with their content, */
    guint64 deleted;     /* and those of which only the commitment is left */
    guint witnesses;     /* of the policy that have cosigned */
    guint64 witnessed_s; /* the earliest of their times, seconds since the epoch; 0 without */
} BundleReport;

void bundle_report_clear(BundleReport *report);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(BundleReport, bundle_report_clear)

/* The text of a bundle as JSON, within its limits. FUNDAMENT_ERROR_INVALID or _LIMIT. */
json_t *bundle_parse(const char *text, gsize length, GError **error);

/* TRUE when everything holds; `report` is filled either way, and is to be cleared. */
gboolean bundle_verify(const json_t *bundle, const TlogPolicy *policy, BundleReport *report);

/* Whether a bundle of today continues one of before, of the same log and subjects: both must have been
 * verified. The entries of before must be the first of today's. SHRUNK or REWRITTEN. */
gboolean bundle_continues(const json_t *before, const json_t *today, BundleReport *report);
