-- What every node keeps, whatever its components are.

CREATE TABLE node_outbox (
    id {id},
    kind TEXT NOT NULL,
    destination TEXT NOT NULL,
    unique_key TEXT UNIQUE,
    body {blob} NOT NULL,
    created_ms BIGINT NOT NULL,
    next_try_ms BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    last_error TEXT,
    dead BIGINT NOT NULL,
    lease_until_ms BIGINT NOT NULL
);

-- The oldest message to each destination is what the sender asks for.
CREATE INDEX node_outbox_order ON node_outbox (kind, destination, id);

-- Who runs a job, until when. With several processes on one store one of them does.
CREATE TABLE node_jobs (
    name TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    lease_until_ms BIGINT NOT NULL,
    next_run_ms BIGINT NOT NULL,
    last_error TEXT
);

-- Found by a digest of the cookie; the subject is sealed under a key that only the browser has.
CREATE TABLE node_sessions (
    id {blob} PRIMARY KEY,
    sealed {blob} NOT NULL,
    created_ms BIGINT NOT NULL,
    seen_ms BIGINT NOT NULL
);

CREATE INDEX node_sessions_seen ON node_sessions (seen_ms);

-- Ids of statements that were accepted: each is good once.
CREATE TABLE node_statements (
    issuer TEXT NOT NULL,
    jti TEXT NOT NULL,
    expires_s BIGINT NOT NULL,
    PRIMARY KEY (issuer, jti)
);

CREATE INDEX node_statements_expiry ON node_statements (expires_s);

-- Who administered what. Append-only.
CREATE TABLE node_audit (
    id {id},
    time_ms BIGINT NOT NULL,
    actor TEXT NOT NULL,
    role TEXT NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    outcome TEXT NOT NULL,
    trace_id TEXT
);
