-- The audit trail as a chain: each row's hash is SM3 over the hash before it and the row; `audit_head` is the chain's end
-- and the one row that every writer locks, so that the chain has no branches. Seals sign the chain's state with SM2.
-- The rows that are there already are chained when this shape is made: `chained_later` says up to which.

ALTER TABLE audit ADD COLUMN hash TEXT NOT NULL DEFAULT '';
CREATE INDEX audit_action ON audit (action, id);
CREATE INDEX audit_at ON audit (at);

CREATE TABLE audit_head (
    one BIGINT PRIMARY KEY NOT NULL CHECK (one = 1),
    format BIGINT NOT NULL,
    last BIGINT NOT NULL,
    hash TEXT NOT NULL,
    chained_later BIGINT NOT NULL
);

CREATE TABLE audit_keys (
    id TEXT PRIMARY KEY NOT NULL,
    public_key TEXT NOT NULL,
    made_at BIGINT NOT NULL
);

CREATE TABLE audit_seals (
    number BIGINT PRIMARY KEY NOT NULL,
    at BIGINT NOT NULL,
    row_id BIGINT NOT NULL,
    row_hash TEXT NOT NULL,
    previous TEXT NOT NULL,
    key_id TEXT NOT NULL,
    signature TEXT NOT NULL
);
