/* Asking an external decision point: NLgov profile of the OpenID AuthZEN Authorization API 1.0.0, the side of
 * the enforcement point (PEP). docs/policy.md says how a grant becomes a question. */
#pragma once

#include "components/fsc/contract.h"
#include "components/fsc/fsc.h"
#include "core/base/trace.h"

#define AUTHZEN_EVALUATION_PATH "/access/v1/evaluation"
#define AUTHZEN_ANSWER_MAX (64 * 1024)

/* --- pure --- */

/* 6.1: the question about one grant: subject (who wants it), action (connect or publish), resource (the
 * service), context (time, trace, contract). Valid at `now_ms`, asked in `span`. New reference. */
json_t *authzen_question(const Contract *contract, const Grant *grant, gint64 now_ms,
                         const TraceContext *span);

typedef struct {
    gboolean decision;
    json_t *context; /* owned; NULL when there was none */
    char *condition; /* a member of the context of a permit that we do not understand; NULL: none. Such a
                        permit is not acted on (5.5: "the PEP MAY choose to reject the decision") */
} AuthzenAnswer;

void authzen_answer_clear(AuthzenAnswer *answer);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AuthzenAnswer, authzen_answer_clear)

/* 6.2 and 10.1: exactly a 200 with application/json, an object with the boolean `decision` and at most an
 * object `context` beside it that we look into; members that we do not know are left alone. FALSE with
 * FUNDAMENT_ERROR_LIMIT: it answered, but this is no decision. */
gboolean authzen_answer_parse(guint status, const char *content_type, const void *body, gsize length,
                              AuthzenAnswer *answer, GError **error);

/* 9.2: where a request goes, from the metadata document of the decision point at `base`: the value of
 * access_evaluation_endpoint, or the default path. NULL with FUNDAMENT_ERROR_LIMIT when the document is not
 * one of this decision point. Caller frees. */
char *authzen_endpoint(const char *base, const json_t *metadata, GError **error);
/* The address of that document: the well-known path between host and path. NULL when `base` is no https URL.
 * Caller frees. */
char *authzen_metadata_url(const char *base);

/* --- over the network --- */

/* Asks [fsc] decision_point. Blocks, at most [fsc] decision_point_timeout twice. FALSE with _UNAVAILABLE,
 * _DENIED (TLS) or _LIMIT (no decision); nothing may be signed then. */
gboolean authzen_ask(Fsc *fsc, const json_t *question, const TraceContext *span, AuthzenAnswer *answer,
                     GError **error);
