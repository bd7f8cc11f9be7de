-- Charging by drivers (车主充电): what they asked for, the payments and refunds of bills, and the orders of the provider that plays one.
-- Who writes: `billing::cashier` for payments and refunds, `api` for orders. Machines are kept whole as JSON; what they mean is `charging`.
CREATE TABLE charging_orders (
    id TEXT PRIMARY KEY NOT NULL,
    account TEXT NOT NULL,
    request_key TEXT NOT NULL,
    station TEXT NOT NULL,
    outlet BIGINT NOT NULL,
    -- The pseudonym of the card that was made for this order alone.
    card TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    told TEXT,
    start_by BIGINT NOT NULL,
    asked_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    UNIQUE (account, request_key)
);
CREATE INDEX charging_orders_account ON charging_orders (account, asked_at);
CREATE INDEX charging_orders_open ON charging_orders (asked_at) WHERE state IN ('holding', 'starting', 'awaited', 'begun');
CREATE TABLE charging_payments (
    id TEXT PRIMARY KEY NOT NULL,
    card TEXT NOT NULL,
    bill TEXT,
    state TEXT NOT NULL,
    body TEXT NOT NULL,
    revision BIGINT NOT NULL,
    made_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);
CREATE INDEX charging_payments_card ON charging_payments (card);
CREATE INDEX charging_payments_bill ON charging_payments (bill);
CREATE INDEX charging_payments_open ON charging_payments (changed_at) WHERE state IN ('open', 'held');
CREATE TABLE charging_refunds (
    bill TEXT NOT NULL,
    part TEXT NOT NULL,
    payment TEXT NOT NULL REFERENCES charging_payments (id),
    fen BIGINT NOT NULL CHECK (fen > 0),
    reason TEXT NOT NULL,
    asked_by TEXT NOT NULL,
    state TEXT NOT NULL,
    body TEXT NOT NULL,
    revision BIGINT NOT NULL,
    made_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (bill, part)
);
CREATE INDEX charging_refunds_open ON charging_refunds (changed_at) WHERE state = 'open';
-- Cases that came of a charge: a complaint, or a correction after the bill.
CREATE TABLE charging_cases (
    session BIGINT NOT NULL,
    kind TEXT NOT NULL,
    case_id BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (session, kind, case_id)
);
-- The provider that moves no money (沙箱支付).
CREATE TABLE sandbox_orders (
    order_id TEXT PRIMARY KEY NOT NULL,
    body TEXT NOT NULL
);
CREATE TABLE sandbox_answers (
    request_key TEXT PRIMARY KEY NOT NULL,
    request TEXT NOT NULL,
    answer TEXT NOT NULL,
    at BIGINT NOT NULL
);
-- Payments and refunds of a month are settled by when they were entered.
CREATE INDEX ledger_entries_at ON ledger_entries (at);
