-- What our Manager found out about the Managers of other Peers: whether they took what we sent, what they say they speak, and how
-- far their lists were compared with ours. Times named _ms are milliseconds since the epoch, 0: never.
CREATE TABLE fsc_contacts (
  peer_id TEXT NOT NULL PRIMARY KEY,
  delivered_ms BIGINT NOT NULL DEFAULT 0,
  probed_ms BIGINT NOT NULL DEFAULT 0,
  probe_error TEXT,
  fsc_version TEXT,
  extensions TEXT,
  clock_offset_ms BIGINT,
  reconciled_ms BIGINT NOT NULL DEFAULT 0,
  reconcile_error TEXT,
  their_cursor TEXT NOT NULL DEFAULT '',
  our_cursor BIGINT NOT NULL DEFAULT 0
);
