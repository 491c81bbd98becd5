-- The only table of the node in which a BSN rests.
CREATE TABLE brp_persons (
    bsn TEXT PRIMARY KEY,
    surname TEXT NOT NULL,
    given_names TEXT NOT NULL,
    prefix TEXT NOT NULL,
    gender TEXT,
    birth TEXT,
    municipality TEXT,
    deceased BIGINT NOT NULL,
    record TEXT NOT NULL
);
CREATE INDEX brp_persons_birth ON brp_persons (birth, surname);
-- Which file the persons came from.
CREATE TABLE brp_source (
    digest TEXT PRIMARY KEY,
    persons BIGINT NOT NULL
);
