-- With very many contracts a question must not walk over all of them.

-- Whom a grant is about, for the routes of our Outway and for counting consumers. `service_name` in lower case: hosts are. NULL: not
-- filled in yet (rows from before this migration), which the program does when it starts. A publication has no Outway: ''.
ALTER TABLE fsc_grants ADD COLUMN service_name TEXT;
ALTER TABLE fsc_grants ADD COLUMN service_peer_id TEXT;
ALTER TABLE fsc_grants ADD COLUMN outway_peer_id TEXT;
CREATE INDEX fsc_grants_service ON fsc_grants (service_peer_id, service_name, outway_peer_id);
CREATE INDEX fsc_grants_unread ON fsc_grants (contract_id) WHERE service_name IS NULL;

-- The order in which a Peer lists its contracts.
ALTER TABLE fsc_contract_peers ADD COLUMN created_at BIGINT NOT NULL DEFAULT 0;
UPDATE fsc_contract_peers SET created_at = (SELECT c.created_at FROM fsc_contracts c WHERE c.id = fsc_contract_peers.contract_id);
CREATE INDEX fsc_contract_peers_created ON fsc_contract_peers (peer_id, created_at, contract_id);
