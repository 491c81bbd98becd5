/* The record of one authorisation decision, Authorization Decision Log 1.0.0 (ADL), 3.3: its rules, and its
 * canonical form, which stands in the journal and is what a content hash goes over. Pure.
 *
 * The form is the record as the standard's JSON, in canonical form (RFC 8785). docs/logboek.md describes the
 * record in the journal to the byte.
 */
#pragma once

#include <jansson.h>

#include "components/logboek/keys.h"
#include "components/logboek/logboek.h"

/* Longer records are refused. */
#define DECISION_MAX (64 * 1024)
/* 3.5: "A source reference is a compact value". Bytes of its canonical form. */
#define DECISION_REFERENCE_MAX 4096

/* TRUE for a record that keeps 3.3; FALSE with FUNDAMENT_ERROR_INVALID that names the field. In this order:
 * shape, ids, event_name, timestamp, status, attributes, body, and what the two may not hold together. */
gboolean decision_check(const json_t *record, GError **error);

/* The canonical form of a record that passed. NULL with FUNDAMENT_ERROR_INVALID when it is longer than
 * DECISION_MAX. */
GBytes *decision_encode(const json_t *record, GError **error);
/* Strictly what decision_encode() gave. NULL with FUNDAMENT_ERROR_INVALID. New reference. */
json_t *decision_decode(const guint8 *data, gsize length, GError **error);

/* 3.2.4: what makes it this record: trace and span. Of a record that passed. */
void decision_key(const json_t *record, guint8 key[KEY_SIZE]);
/* The first 8 bytes of SHA-256 over the canonical form. */
guint64 decision_digest(const guint8 *data, gsize length);

/* What the index says of it: the word of attribute nl.fundament.policy.verdict ("accept"), else "true" or
 * "false" as body.adl.core.response.decision says, "error" with status Error, else "other". Borrowed. */
const char *decision_word(const json_t *record);
/* Attribute nl.fundament.policy.rule; NULL when there is none. Borrowed. */
const char *decision_rule(const json_t *record);
/* Attribute adl.fsc.transaction_id, or NULL. Borrowed. */
const char *decision_transaction_id(const json_t *record);
