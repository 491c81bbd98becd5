-- Four eyes ([fsc] four_eyes): what one signer means to sign, until another confirms it. One of a kind a contract: who comes second confirms.
-- `content` is there for proposals only, which are stored as contracts when they are confirmed.
CREATE TABLE fsc_intentions (
  id {id},
  contract_hash TEXT NOT NULL,
  type TEXT NOT NULL,
  content TEXT,
  actor TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  expires_ms BIGINT NOT NULL,
  UNIQUE (contract_hash, type)
);
CREATE INDEX fsc_intentions_expiry ON fsc_intentions (expires_ms);
