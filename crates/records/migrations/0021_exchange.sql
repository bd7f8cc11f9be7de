-- The exchange with other charging platforms (充电互联互通, T/CEC 102): orders to and from partners, what waits to be told, days compared.
CREATE TABLE exchange_orders (
    id {{id}},
    partner TEXT NOT NULL,
    order_no TEXT NOT NULL,
    -- `theirs`: a partner operates the station and told us; `ours`: a partner asked for a charge at a station of ours.
    side TEXT NOT NULL CHECK (side IN ('theirs', 'ours')),
    connector_id TEXT NOT NULL,
    card TEXT,
    station TEXT,
    transaction_id TEXT,
    state TEXT NOT NULL,
    started_at BIGINT,
    ended_at BIGINT,
    energy_wh BIGINT,
    electricity_fen BIGINT,
    service_fen BIGINT,
    confirm_result BIGINT,
    doubts TEXT,
    body TEXT,
    other_body TEXT,
    stop_asked_at BIGINT,
    told_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    UNIQUE (partner, order_no)
);
CREATE INDEX exchange_orders_ended ON exchange_orders (partner, ended_at);
CREATE INDEX exchange_orders_open ON exchange_orders (state, id) WHERE side = 'ours';
CREATE INDEX exchange_orders_disputed ON exchange_orders (id) WHERE confirm_result <> 0;
-- What a partner is told, until it says that it took it: one of each kind for an order.
CREATE TABLE exchange_notices (
    id {{id}},
    partner TEXT NOT NULL,
    order_no TEXT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    problem TEXT,
    made_at BIGINT NOT NULL,
    UNIQUE (partner, order_no, kind)
);
CREATE INDEX exchange_notices_due ON exchange_notices (partner, due_at) WHERE state = 'waiting';
-- A time compared with a partner (对账); its money is fen, its energy Wh.
CREATE TABLE exchange_comparisons (
    partner TEXT NOT NULL,
    from_at BIGINT NOT NULL,
    until_at BIGINT NOT NULL,
    our_count BIGINT NOT NULL,
    our_wh BIGINT NOT NULL,
    our_fen BIGINT NOT NULL,
    their_count BIGINT NOT NULL,
    their_wh BIGINT NOT NULL,
    their_fen BIGINT NOT NULL,
    differences TEXT NOT NULL,
    difference_count BIGINT NOT NULL,
    case_id BIGINT,
    asked_by TEXT NOT NULL,
    compared_at BIGINT NOT NULL,
    PRIMARY KEY (partner, from_at, until_at)
);
CREATE INDEX exchange_comparisons_until ON exchange_comparisons (until_at);
-- What is remembered of a partner.
CREATE TABLE exchange_partners (
    partner TEXT PRIMARY KEY NOT NULL,
    heard_at BIGINT,
    stations_at BIGINT,
    statuses_at BIGINT,
    problem TEXT,
    problem_at BIGINT
);
