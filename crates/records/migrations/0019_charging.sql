-- Charging (充电): what stations told, the sessions and bills that follow from it, the ledger, tariffs and cards. One process writes
-- them; `charging_writer` lets no second one in. Bills are kept whole as JSON: what they mean is the crate `charging`.
CREATE TABLE charging_writer (
    id BIGINT PRIMARY KEY NOT NULL,
    generation BIGINT NOT NULL,
    batches BIGINT NOT NULL
);
INSERT INTO charging_writer (id, generation, batches) VALUES (1, 0, 0);
-- The transaction numbers of starts of OCPP 1.6, the same however often a start comes.
CREATE TABLE charging_starts (
    station TEXT NOT NULL,
    start_key TEXT NOT NULL,
    number BIGINT NOT NULL UNIQUE,
    PRIMARY KEY (station, start_key)
);
CREATE TABLE charging_events (
    id {{id}},
    station TEXT NOT NULL,
    transaction_id TEXT NOT NULL,
    connector BIGINT NOT NULL,
    kind TEXT NOT NULL,
    at BIGINT,
    register_wh BIGINT,
    card TEXT,
    received_at BIGINT NOT NULL
);
-- The same told again, whenever it reaches us, is no second row.
CREATE UNIQUE INDEX charging_events_once ON charging_events
    (station, transaction_id, kind, connector, COALESCE(at, -9223372036854775807), COALESCE(register_wh, -1), COALESCE(card, ''));
CREATE TABLE charging_sessions (
    id {{id}},
    station TEXT NOT NULL,
    transaction_id TEXT NOT NULL,
    connector BIGINT NOT NULL,
    card TEXT,
    operator TEXT NOT NULL,
    state TEXT NOT NULL,
    started_at BIGINT,
    ended_at BIGINT,
    energy_wh BIGINT NOT NULL,
    look_at BIGINT,
    tariff_number BIGINT,
    total_fen BIGINT,
    bill TEXT,
    correction TEXT,
    changed_at BIGINT NOT NULL,
    -- Whether what was told of it is still kept.
    is_told BIGINT NOT NULL DEFAULT 1,
    UNIQUE (station, transaction_id)
);
CREATE INDEX charging_sessions_beside ON charging_sessions (station, started_at);
CREATE INDEX charging_sessions_due ON charging_sessions (look_at) WHERE look_at IS NOT NULL;
CREATE INDEX charging_sessions_state ON charging_sessions (state, id);
CREATE INDEX charging_sessions_card ON charging_sessions (card, id);
CREATE INDEX charging_sessions_ended ON charging_sessions (ended_at);
CREATE INDEX charging_sessions_old ON charging_sessions (changed_at) WHERE state = 'billed' AND correction IS NULL AND is_told = 1;
CREATE TABLE ledger_entries (
    entry_key TEXT PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL,
    bill TEXT,
    at BIGINT NOT NULL
);
CREATE INDEX ledger_entries_bill ON ledger_entries (bill);
CREATE TABLE ledger_postings (
    entry_key TEXT NOT NULL REFERENCES ledger_entries (entry_key),
    n BIGINT NOT NULL,
    account TEXT NOT NULL,
    fen BIGINT NOT NULL CHECK (fen <> 0),
    PRIMARY KEY (entry_key, n)
);
CREATE INDEX ledger_postings_account ON ledger_postings (account);
-- What a bill's money comes to.
CREATE TABLE ledger_bills (
    bill TEXT PRIMARY KEY NOT NULL,
    billed_fen BIGINT NOT NULL,
    paid_fen BIGINT NOT NULL,
    refunded_fen BIGINT NOT NULL,
    CHECK (0 <= refunded_fen AND refunded_fen <= paid_fen AND paid_fen <= billed_fen)
);
-- A tariff in force is never changed: bills name its number.
CREATE TABLE charging_tariffs (
    number {{id}},
    station TEXT,
    from_at BIGINT NOT NULL,
    definition TEXT NOT NULL,
    written_at BIGINT NOT NULL,
    written_by TEXT NOT NULL
);
-- Who may charge: cards as pseudonyms, never as they are read.
CREATE TABLE charging_cards (
    card TEXT PRIMARY KEY NOT NULL,
    holder TEXT NOT NULL,
    is_blocked BIGINT NOT NULL,
    good_until BIGINT,
    changed_at BIGINT NOT NULL,
    changed_by TEXT NOT NULL
);
CREATE INDEX charging_cards_holder ON charging_cards (holder, card);
