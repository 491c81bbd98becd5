-- What organisations say of their services in this group, as their Managers answered when the Directory asked last.
CREATE TABLE fsc_description (
    peer_id TEXT PRIMARY KEY,
    body TEXT NOT NULL,      -- JSON, checked: {"services": [...]}; "{}" when it has never answered with one
    asked_at BIGINT NOT NULL -- Unix seconds
);
