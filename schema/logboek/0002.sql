-- The Authorization Decision Log (ADL 1.0.0): an index over the journal, as that of logboek_records.

-- `record` is the canonical form (RFC 8785); the other columns are for finding it. `decision` is true, false, error, or the word of our own
-- signing policy (accept, reject, wait, ask); `rule` the rule that decided, when the record names one.
CREATE TABLE logboek_decisions (
    shard BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    decision_key {blob} NOT NULL,
    digest BIGINT NOT NULL,
    trace_id TEXT NOT NULL,
    span_id TEXT NOT NULL,
    timestamp_ms BIGINT NOT NULL,
    event_name TEXT NOT NULL,
    decision TEXT NOT NULL,
    rule TEXT,
    transaction_id TEXT,
    record {blob} NOT NULL,
    PRIMARY KEY (shard, sequence)
);
-- One record a decision: (trace_id, span_id) is the key of idempotency (ADL 1.0.0, 3.2.4).
CREATE UNIQUE INDEX logboek_decisions_key ON logboek_decisions (decision_key);
CREATE INDEX logboek_decisions_trace ON logboek_decisions (trace_id);
CREATE INDEX logboek_decisions_time ON logboek_decisions (timestamp_ms, shard, sequence);
CREATE INDEX logboek_decisions_decision ON logboek_decisions (decision, timestamp_ms);
CREATE INDEX logboek_decisions_rule ON logboek_decisions (rule, timestamp_ms);
CREATE INDEX logboek_decisions_transaction ON logboek_decisions (transaction_id);

-- Which sources of policy a decision rests on, by name and (as text) by edition.
CREATE TABLE logboek_decision_policies (
    shard BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    source TEXT NOT NULL,
    edition TEXT NOT NULL,
    PRIMARY KEY (shard, sequence, source)
);
CREATE INDEX logboek_decision_policies_source ON logboek_decision_policies (source, edition);
