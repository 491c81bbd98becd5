-- What the signing policy decided by itself, and by which edition of the policy.

-- Every edition that was ever in force: the decision log names them by digest, and a name must lead to the text
-- (Authorization Decision Log 1.0.0, 3.5). Nothing is deleted here.
CREATE TABLE fsc_policies (
  digest TEXT NOT NULL PRIMARY KEY,
  source TEXT NOT NULL,
  content TEXT NOT NULL,
  first_ms BIGINT NOT NULL
);

-- The last judgement of each contract that was judged: accept, reject, wait or ask. While it is ask, next_try_ms says when the decision point
-- is asked (again); tries, last_error how that went. The ids are those of the decision's span, so that what follows is in the same trace.
CREATE TABLE fsc_judgements (
  contract_id BIGINT NOT NULL PRIMARY KEY REFERENCES fsc_contracts (id),
  decision TEXT NOT NULL,
  rule TEXT,
  policy TEXT NOT NULL,
  judged_ms BIGINT NOT NULL,
  trace_id TEXT NOT NULL,
  span_id TEXT NOT NULL,
  tries BIGINT NOT NULL,
  next_try_ms BIGINT,
  last_error TEXT
);
CREATE INDEX fsc_judgements_next ON fsc_judgements (next_try_ms);
