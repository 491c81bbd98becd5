/* Asking all organisations at the same time which of a person's data they used, and the register of persons
 * for the data itself; always through our own Outway, always with a statement that this person is signed in
 * now. */
#pragma once

#include "components/inzage/internal.h"
#include "components/inzage/use.h"

/* What everybody answered. */
typedef struct {
    GPtrArray *sources;         /* of Source: this node first, then in the order of the Directory */
    gboolean directory_stale;   /* the list of organisations may be old: the Directory does not answer */
    gboolean directory_missing; /* there is no such list at all: only this node's own records are here */
} Answers;

void answers_free(Answers *answers);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Answers, answers_free)

/* Records from `from_ms` (0: as far back as they go), of one trace only when `trace_id` is not NULL. Waits a
 * few seconds at most; an organisation without an answer is a source with another state. Never NULL. */
Answers *ask_logbooks(Inzage *inzage, Request *request, const Session *session, gint64 from_ms,
                      const char *trace_id);

/* A source by its OIN, or NULL. */
const Source *answers_source(const Answers *answers, const char *oin);

/* The name of an organisation, also of one that keeps no logbook (then `answers` may be NULL). Caller frees.
 */
char *organisation_name(const Inzage *inzage, const Answers *answers, const char *oin);

/* The register's answer to a question for all data of this person: {"type", "personen": [...]}. That it was
 * asked is in this node's own log before this returns; when it cannot be logged there is no answer. NULL with
 * an error for a person. New reference. */
json_t *ask_register(Inzage *inzage, const Session *session, GError **error);
