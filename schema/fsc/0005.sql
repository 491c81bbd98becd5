-- What the signing policy decided by itself, and by which edition of the policy.

-- Every edition that was ever in force: the decision log names them by digest, and a name must lead to the text
-- (Authorization Decision Log 1.0.0, 3.5). Nothing is deleted here.
CREATE TABLE fsc_policies (
  digest TEXT NOT NULL PRIMARY KEY,
  source TEXT NOT NULL,
  content TEXT NOT NULL,
  first_ms BIGINT NOT NULL
);

-- The last judgement of each contract that was judged. `verdict` is what the rules say (accept, ask, wait, reject), `decision` what came of it:
-- the same, except that ask becomes accept, wait or reject when the decision point has answered; until then the question waits in the outbox.
-- The ids are those of the decision's span, so that what follows is in the same trace.
CREATE TABLE fsc_judgements (
  contract_id BIGINT NOT NULL PRIMARY KEY REFERENCES fsc_contracts (id),
  verdict TEXT NOT NULL,
  decision TEXT NOT NULL,
  rule TEXT,
  reason TEXT NOT NULL,
  policy TEXT NOT NULL,
  judged_ms BIGINT NOT NULL,
  trace_id TEXT NOT NULL,
  span_id TEXT NOT NULL,
  waits BIGINT NOT NULL
);
-- Those that wait for a person or for the decision point: what is judged again when the policy changes.
CREATE INDEX fsc_judgements_waits ON fsc_judgements (waits);
