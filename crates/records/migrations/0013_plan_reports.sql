-- Figures of the plan on their way (填报): a draft, handed in, agreed to level by level, and only then a row of `indicator_reports`,
-- which stays the table of figures that count. `as_of` there is the day until which a figure speaks (YYYY-MM-DD): the newest period
-- is the newest figure, whenever it was reported. What was reported before counts as approved.
ALTER TABLE indicator_reports ADD COLUMN as_of TEXT NOT NULL DEFAULT '';
ALTER TABLE indicator_reports ADD COLUMN filing_id BIGINT;
CREATE TABLE indicator_filings (
    id {{id}},
    indicator_id TEXT NOT NULL,
    period TEXT NOT NULL,
    value DOUBLE PRECISION NOT NULL,
    evidence TEXT NOT NULL,
    note TEXT,
    organisation_id TEXT,
    state TEXT NOT NULL,
    levels TEXT NOT NULL,
    agreed BIGINT NOT NULL,
    by_name TEXT NOT NULL,
    by_id BIGINT,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    submitted_at BIGINT,
    corrects BIGINT REFERENCES indicator_filings (id),
    old_value DOUBLE PRECISION,
    reason TEXT,
    request_id TEXT
);
CREATE INDEX indicator_filings_indicator ON indicator_filings (indicator_id, period, id);
CREATE INDEX indicator_filings_state ON indicator_filings (state, id);
CREATE UNIQUE INDEX indicator_filings_request ON indicator_filings (request_id);
-- Two figures of one period under way could both come to count: the second is handed in when the first has ended.
CREATE UNIQUE INDEX indicator_filings_open ON indicator_filings (indicator_id, period) WHERE state IN ('submitted', 'returned');
CREATE TABLE indicator_filing_steps (
    id {{id}},
    filing_id BIGINT NOT NULL REFERENCES indicator_filings (id),
    at BIGINT NOT NULL,
    step TEXT NOT NULL,
    state TEXT NOT NULL,
    level TEXT,
    value DOUBLE PRECISION NOT NULL,
    by_name TEXT NOT NULL,
    by_id BIGINT,
    note TEXT NOT NULL
);
CREATE INDEX indicator_filing_steps_filing ON indicator_filing_steps (filing_id, id);
-- Periods that the plan office locked (锁定): nothing is reported for them any more but corrections.
CREATE TABLE indicator_locks (
    id {{id}},
    period TEXT NOT NULL,
    reason TEXT NOT NULL,
    locked_by TEXT NOT NULL,
    locked_by_id BIGINT,
    locked_at BIGINT NOT NULL,
    lifted_by TEXT,
    lifted_by_id BIGINT,
    lifted_at BIGINT,
    lift_reason TEXT
);
CREATE UNIQUE INDEX indicator_locks_held ON indicator_locks (period) WHERE lifted_at IS NULL;
-- Cases (案件) made of a claim that is not what was measured.
CREATE TABLE indicator_cases (
    case_id BIGINT PRIMARY KEY NOT NULL REFERENCES cases (id),
    indicator_id TEXT NOT NULL,
    period TEXT NOT NULL,
    claimed DOUBLE PRECISION NOT NULL,
    measured DOUBLE PRECISION NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX indicator_cases_indicator ON indicator_cases (indicator_id, period);
