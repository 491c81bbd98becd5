-- A message that its receiver answered, but not with yes, waits by itself: those behind it pass.
ALTER TABLE node_outbox ADD COLUMN aside BIGINT NOT NULL DEFAULT 0;

-- What waits for one destination, whatever its kind.
CREATE INDEX node_outbox_destination ON node_outbox (destination, dead, id);
