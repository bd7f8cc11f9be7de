-- Which values decided an alert: JSON, an array of {name, value, unit, observed_at, entity_id}. Alerts from before have none.
ALTER TABLE alerts ADD COLUMN decided TEXT NOT NULL DEFAULT '[]';
-- Rules that could not be judged: one row for each rule, entity and code. What people dismissed comes back when it happens again.
CREATE TABLE rule_failures (
    id {{id}},
    rule_id TEXT NOT NULL,
    rule_version BIGINT NOT NULL,
    entity_id TEXT NOT NULL,
    entity_type TEXT NOT NULL,
    code TEXT NOT NULL,
    what TEXT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    last_position BIGINT NOT NULL,
    count BIGINT NOT NULL,
    dismissed_at BIGINT,
    dismissed_by TEXT,
    UNIQUE (rule_id, entity_id, code)
);
CREATE INDEX rule_failures_open ON rule_failures (dismissed_at, id);
-- Maintenance windows (检修窗口): what is left empty is no condition. A window that was ended early has ended_at.
CREATE TABLE maintenance_windows (
    id {{id}},
    rule_id TEXT,
    entity_id TEXT,
    entity_type TEXT,
    from_at BIGINT NOT NULL,
    until_at BIGINT NOT NULL,
    reason TEXT NOT NULL,
    made_by TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    ended_by TEXT,
    ended_at BIGINT
);
CREATE INDEX maintenance_windows_until ON maintenance_windows (until_at);
