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

-- Cases of seven steps with clocks in working time, extension, supervision, escalation, duplicates, sub-cases and
-- reopening; the history holds all that the assessment figures are computed from.

ALTER TABLE cases ADD COLUMN category TEXT;
ALTER TABLE cases ADD COLUMN town TEXT;
ALTER TABLE cases ADD COLUMN source TEXT NOT NULL DEFAULT 'staff';
ALTER TABLE cases ADD COLUMN reporter TEXT;
ALTER TABLE cases ADD COLUMN reporters BIGINT NOT NULL DEFAULT 1;
ALTER TABLE cases ADD COLUMN parent_id BIGINT REFERENCES cases (id);
ALTER TABLE cases ADD COLUMN duplicate_of BIGINT REFERENCES cases (id);
ALTER TABLE cases ADD COLUMN case_due_at BIGINT;
ALTER TABLE cases ADD COLUMN extension_minutes BIGINT;
ALTER TABLE cases ADD COLUMN extensions BIGINT NOT NULL DEFAULT 0;
ALTER TABLE cases ADD COLUMN supervised_until BIGINT;
ALTER TABLE cases ADD COLUMN suspended_at BIGINT;
ALTER TABLE cases ADD COLUMN suspended_until BIGINT;
ALTER TABLE cases ADD COLUMN escalation BIGINT NOT NULL DEFAULT 0;
ALTER TABLE cases ADD COLUMN escalates_at BIGINT;
ALTER TABLE cases ADD COLUMN reopened BIGINT NOT NULL DEFAULT 0;

ALTER TABLE case_events ADD COLUMN due_at BIGINT;
ALTER TABLE case_events ADD COLUMN case_due_at BIGINT;
ALTER TABLE case_events ADD COLUMN detail TEXT;
ALTER TABLE case_events ADD COLUMN request_id TEXT;

-- A step that a client sends twice is done once.
CREATE UNIQUE INDEX case_events_request ON case_events (request_id) WHERE request_id IS NOT NULL;

ALTER TABLE attachments ADD COLUMN taken_at BIGINT;
ALTER TABLE attachments ADD COLUMN lon DOUBLE PRECISION;
ALTER TABLE attachments ADD COLUMN lat DOUBLE PRECISION;
ALTER TABLE attachments ADD COLUMN clock_off_s BIGINT;

-- Lists newest first.
CREATE INDEX cases_open ON cases (id) WHERE closed_at IS NULL;
CREATE INDEX cases_town ON cases (town, id);
CREATE INDEX cases_category ON cases (category, id);
CREATE INDEX cases_severity ON cases (severity, id);
CREATE INDEX cases_created ON cases (created_at);
CREATE INDEX cases_closed ON cases (closed_at) WHERE closed_at IS NOT NULL;
CREATE INDEX cases_parent ON cases (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX cases_creator ON cases (created_by_id, id);
-- Lists most urgent first: the board, and what is overdue.
CREATE INDEX cases_due ON cases (due_at, id) WHERE closed_at IS NULL AND suspended_at IS NULL;
CREATE INDEX cases_state_due ON cases (state, due_at, id) WHERE closed_at IS NULL;
CREATE INDEX cases_organisation_due ON cases (organisation_id, due_at, id) WHERE closed_at IS NULL;
-- The clock's own work.
CREATE INDEX cases_escalates ON cases (escalates_at) WHERE escalates_at IS NOT NULL;
CREATE INDEX cases_suspended ON cases (suspended_until) WHERE suspended_until IS NOT NULL;
-- What lies near a place.
CREATE INDEX cases_place ON cases (lat, lon) WHERE lat IS NOT NULL;

-- Words of number, title and description, as pairs of characters (see case_text.rs), by the case's id. SQLite's own
-- full-text index, because no plain index finds a word inside a Chinese text.
CREATE VIRTUAL TABLE case_text USING fts5 (text, content = '', columnsize = 0);

-- Telling people (通知): who is told of what, how they are reached, what was or is to be sent, and whether anybody answered.
CREATE TABLE notice_rules (
    id TEXT PRIMARY KEY NOT NULL,
    document TEXT NOT NULL,
    version BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL
);
-- What happened and somebody is told of; key is what makes it the same event when it is read again.
CREATE TABLE notice_events (
    id {{id}},
    key TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    severity TEXT NOT NULL,
    title_zh TEXT NOT NULL,
    title_en TEXT NOT NULL,
    at BIGINT NOT NULL,
    document TEXT NOT NULL
);
-- The outbox (发件箱), and of the channel "page" what people see on the pages. key is the idempotency key that a receiver gets
-- too. state: queued, sent, delivered, read, failed, expired, folded (told within the message folded_into).
CREATE TABLE notice_messages (
    id {{id}},
    key TEXT NOT NULL UNIQUE,
    event_id BIGINT NOT NULL REFERENCES notice_events (id),
    rule_id TEXT NOT NULL,
    level BIGINT NOT NULL,
    channel TEXT NOT NULL,
    user_id BIGINT REFERENCES users (id) ON DELETE CASCADE,
    urgent BIGINT NOT NULL DEFAULT 0,
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    next_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    sent_at BIGINT,
    delivered_at BIGINT,
    read_at BIGINT,
    provider_id TEXT,
    error TEXT,
    folded_into BIGINT
);
CREATE INDEX notice_messages_due ON notice_messages (state, next_at);
CREATE INDEX notice_messages_user ON notice_messages (user_id, channel, id);
CREATE INDEX notice_messages_event ON notice_messages (event_id);
CREATE INDEX notice_messages_sent ON notice_messages (channel, sent_at);
CREATE INDEX notice_messages_provider ON notice_messages (provider_id);
CREATE INDEX notice_messages_folded ON notice_messages (folded_into);
-- Who goes next when nobody answers (逐级升级).
CREATE TABLE notice_watches (
    id {{id}},
    event_id BIGINT NOT NULL REFERENCES notice_events (id),
    rule_id TEXT NOT NULL,
    level BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    ended_at BIGINT,
    why TEXT,
    UNIQUE (event_id, rule_id, level)
);
CREATE INDEX notice_watches_due ON notice_watches (ended_at, due_at);
-- How a person is reached (联系方式). Personal: sealed is the value under the city's key, shown is what lists may show.
CREATE TABLE notice_contacts (
    id {{id}},
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    sealed TEXT NOT NULL,
    shown TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    verified_at BIGINT,
    code_hash TEXT NOT NULL DEFAULT '',
    code_until BIGINT,
    code_tries BIGINT NOT NULL DEFAULT 0,
    UNIQUE (user_id, kind)
);
-- When a person is left in peace (免打扰时段), minutes of the city's day.
CREATE TABLE notice_quiet_hours (
    user_id BIGINT PRIMARY KEY NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    from_minute BIGINT NOT NULL,
    until_minute BIGINT NOT NULL
);
-- Nobody is told of what was there before.
INSERT INTO projections (name, position) SELECT 'notice.alerts', COALESCE(MAX(id), 0) FROM alerts;
INSERT INTO projections (name, position) SELECT 'notice.cases', COALESCE(MAX(id), 0) FROM case_events;
INSERT INTO projections (name, position) SELECT 'notice.audit', COALESCE(MAX(id), 0) FROM audit;
