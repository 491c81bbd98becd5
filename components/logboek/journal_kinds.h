/* What stands in the journal of this component: <data>/journal/0001, one shard a process. Later kinds get the
 * next numbers; readers pass over kinds that they do not know. docs/logboek.md describes each to the byte. */
#pragma once

#define JOURNAL_SHARD 1

enum journal_kind {
    KIND_RECORD = 1,      /* LDV 1.0.0: 4 bytes of header, then the canonical form (record.h) */
    KIND_TRANSACTION = 2, /* FSC Logging 1.1.0 (transaction_record.h) */
    KIND_OUTCOME = 3,     /* what came of a transaction (transaction_record.h) */
    KIND_DECISION = 4     /* ADL 1.0.0: 4 bytes of header as those of a record, then the canonical form
                             (decision.h) */
};

#define RECORD_ENVELOPE_SIZE 4 /* of records and decisions: u8 version 1, three zeros */
