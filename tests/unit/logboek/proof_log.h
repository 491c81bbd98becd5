/* A log in memory, with records of some persons, that makes bundles: what a verifier is tested with.
 * Everything in it follows from the seed. */
#pragma once

#include <jansson.h>

#include "components/logboek/bundle.h"

#define PROOF_WITNESSES 3

typedef struct proof_log ProofLog;

/* `persons` and `records` at random; the map counts all but the last few records. */
ProofLog *proof_log_new(guint32 seed, guint persons, guint records);
void proof_log_free(ProofLog *log);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ProofLog, proof_log_free)

/* Adds records and an epoch: the log of a while later. */
void proof_log_grow(ProofLog *log, guint records);

/* The policy of somebody who trusts this log and two of its three witnesses. */
TlogPolicy *proof_log_policy(const ProofLog *log);

/* "p1..." of a person; also of persons that the log has nothing about (number >= persons). Caller frees. */
char *proof_log_subject(guint person);

/* The bundle about a person, of the last epoch. */
json_t *proof_log_bundle(ProofLog *log, guint person);

/* As a log that leaves this entry out of what it says about everybody: with all proofs right, and witnessed
 * or not. */
void proof_log_fork(ProofLog *log, gboolean witnessed);

/* The number of the entry of a random record of this person; -1 without any. */
gint64 proof_log_any_entry(ProofLog *log, guint person, GRand *random);
/* The content is deleted: only its commitment is left. */
void proof_log_delete(ProofLog *log, guint64 number);

/* Another signed state of the log, without witnesses. Caller frees. */
char *proof_log_unwitnessed(ProofLog *log);
