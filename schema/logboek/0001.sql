-- Indexes over the journal; all but the register can be rebuilt from it (fundament logboek reindex).

-- How far each shard of the journal is indexed, and since when it is kept.
CREATE TABLE logboek_position (
    shard BIGINT PRIMARY KEY,
    sequence BIGINT NOT NULL,
    begins_ms BIGINT NOT NULL,
    sealed_minute BIGINT NOT NULL
);

-- Records of LDV 1.0.0. `record` is the canonical form; the other columns are for finding it. `flagged` is 1 when another record with the
-- same key (trace, span, subject) and other content was there first.
CREATE TABLE logboek_records (
    shard BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    record_key {blob} NOT NULL,
    digest BIGINT NOT NULL,
    flagged BIGINT NOT NULL,
    trace_id {blob} NOT NULL,
    data_subject_id TEXT,
    processing_activity_id TEXT,
    start_ms BIGINT NOT NULL,
    record {blob} NOT NULL,
    PRIMARY KEY (shard, sequence)
);
CREATE UNIQUE INDEX logboek_records_key ON logboek_records (record_key, digest);
CREATE INDEX logboek_records_subject ON logboek_records (data_subject_id, start_ms, shard, sequence);
CREATE INDEX logboek_records_trace ON logboek_records (trace_id);

-- Which blocks of 4096 journal records hold transactions of a peer, and of what time: reading the transaction log passes over the others.
CREATE TABLE logboek_transaction_blocks (
    peer_id TEXT NOT NULL,
    shard BIGINT NOT NULL,
    block BIGINT NOT NULL,
    first_created BIGINT NOT NULL,
    last_created BIGINT NOT NULL,
    PRIMARY KEY (peer_id, shard, block)
);

-- Ids of transactions, sorted, by the minute inside the UUIDv7: one row holds up to 4096 of them (docs/logboek.md).
CREATE TABLE logboek_transaction_ids (
    shard BIGINT NOT NULL,
    minute BIGINT NOT NULL,
    first_id {blob} NOT NULL,
    entries {blob} NOT NULL,
    PRIMARY KEY (shard, minute, first_id)
);

-- Ids that came when their minute was sealed already, or was far ahead.
CREATE TABLE logboek_transaction_late (
    id {blob} NOT NULL,
    shard BIGINT NOT NULL,
    digest BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    PRIMARY KEY (id, shard)
);

-- The register of processing activities: each relevant change is a new version with its time (LDV 1.0.0, 3.4.1); nothing is changed or deleted.
CREATE TABLE logboek_activities (
    id TEXT NOT NULL,
    version BIGINT NOT NULL,
    valid_from_ms BIGINT NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (id, version)
);
