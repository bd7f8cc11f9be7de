-- Invoices of charging (充电发票): how each seller is taxed, what drivers asked for, and which bill stands on which invoice.
-- What an invoice is made of is `charging::invoice`; bodies are its JSON.
CREATE TABLE charging_sellers (
    operator TEXT PRIMARY KEY NOT NULL,
    body TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    changed_by TEXT NOT NULL
);
CREATE TABLE charging_invoices (
    id {{id}},
    account TEXT NOT NULL,
    request_key TEXT NOT NULL,
    operator TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('asked', 'issued', 'declined', 'reversed')),
    body TEXT NOT NULL,
    gross_fen BIGINT NOT NULL,
    -- Numbers of the issued invoice and of the red one that took it back; one number stands once.
    number TEXT UNIQUE,
    red_number TEXT UNIQUE,
    note TEXT,
    -- The invoice that was taken back, of which this one is what is left.
    replaces BIGINT REFERENCES charging_invoices (id),
    asked_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    changed_by TEXT NOT NULL,
    UNIQUE (account, request_key)
);
CREATE INDEX charging_invoices_state ON charging_invoices (state, id);
-- A bill stands on one invoice only; one that is declined or taken back lets its bills go.
CREATE TABLE charging_invoice_bills (
    bill TEXT PRIMARY KEY NOT NULL,
    invoice BIGINT NOT NULL REFERENCES charging_invoices (id)
);
CREATE INDEX charging_invoice_bills_invoice ON charging_invoice_bills (invoice);
-- The case that was opened of an order's dispute.
ALTER TABLE exchange_orders ADD COLUMN case_id BIGINT;
