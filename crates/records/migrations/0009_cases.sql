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
