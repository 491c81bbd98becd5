-- FSC: contracts, their signatures, the certificates under those, and the Peers of the group.
-- Times are seconds since the epoch, those named _ms milliseconds. Names and ids are as in FSC Core 2.0.0.

-- `content` is the canonical form (RFC 8785), so that the order of arrays, and with it every hash, stays (4.4.1.2).
-- `iv` in lower case: one contract an iv (4.2.1).
CREATE TABLE fsc_contracts (
  id {id},
  hash TEXT NOT NULL UNIQUE,
  iv TEXT NOT NULL UNIQUE,
  content TEXT NOT NULL,
  not_before BIGINT NOT NULL,
  not_after BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  received_ms BIGINT NOT NULL
);
CREATE INDEX fsc_contracts_created ON fsc_contracts (created_at, id);

-- Who must sign: who may see the contract, and who gets our signatures.
CREATE TABLE fsc_contract_peers (
  contract_id BIGINT NOT NULL REFERENCES fsc_contracts (id),
  peer_id TEXT NOT NULL,
  PRIMARY KEY (contract_id, peer_id)
);
CREATE INDEX fsc_contract_peers_peer ON fsc_contract_peers (peer_id, contract_id);

CREATE TABLE fsc_grants (
  contract_id BIGINT NOT NULL REFERENCES fsc_contracts (id),
  position BIGINT NOT NULL,
  hash TEXT NOT NULL,
  type TEXT NOT NULL,
  PRIMARY KEY (contract_id, position)
);
CREATE INDEX fsc_grants_hash ON fsc_grants (hash);
CREATE INDEX fsc_grants_type ON fsc_grants (type, contract_id);

-- Certificates that signed something, of others and our own: their chain as in a JWK's x5c (JSON array), without the root.
CREATE TABLE fsc_certificates (
  thumbprint TEXT NOT NULL PRIMARY KEY,
  peer_id TEXT NOT NULL,
  x5c TEXT NOT NULL,
  not_before BIGINT NOT NULL,
  not_after BIGINT NOT NULL,
  purpose TEXT NOT NULL
);
CREATE INDEX fsc_certificates_purpose ON fsc_certificates (purpose, not_after);

-- `digest` of the JWS: the same signature twice is one row, two at once are two rows.
CREATE TABLE fsc_signatures (
  id {id},
  contract_id BIGINT NOT NULL REFERENCES fsc_contracts (id),
  peer_id TEXT NOT NULL,
  type TEXT NOT NULL,
  signed_at BIGINT NOT NULL,
  thumbprint TEXT NOT NULL REFERENCES fsc_certificates (thumbprint),
  jws TEXT NOT NULL,
  digest TEXT NOT NULL,
  received_ms BIGINT NOT NULL,
  UNIQUE (contract_id, peer_id, type, digest)
);
CREATE INDEX fsc_signatures_received ON fsc_signatures (received_ms);

-- `manager_address` is one at which a certificate with this Peer ID was seen; NULL until then.
CREATE TABLE fsc_peers (
  peer_id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  manager_address TEXT,
  seen_ms BIGINT NOT NULL
);
