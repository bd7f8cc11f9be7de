-- The first shape of the records. Portable SQL (SQLite, PostgreSQL): times are BIGINT microseconds UTC,
-- truth values BIGINT 0 or 1, JSON is TEXT, positions are BIGINT journal positions.
-- {{id}} becomes the engine's own column type for a key that counts up.

CREATE TABLE organisations (
    id TEXT PRIMARY KEY NOT NULL,
    name_zh TEXT NOT NULL,
    name_en TEXT NOT NULL,
    parent TEXT
);

CREATE TABLE users (
    id {{id}},
    username TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    organisation_id TEXT REFERENCES organisations (id),
    password_hash TEXT NOT NULL,
    disabled BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    password_set_at BIGINT NOT NULL
);

CREATE TABLE sessions (
    token_hash TEXT PRIMARY KEY NOT NULL,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    peer TEXT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);

CREATE TABLE service_tokens (
    id {{id}},
    name TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    token_hash TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    expires_at BIGINT,
    last_used_at BIGINT
);

CREATE TABLE devices (
    id TEXT PRIMARY KEY NOT NULL,
    client_id TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    name TEXT,
    username TEXT NOT NULL UNIQUE,
    secret_salt TEXT NOT NULL,
    secret_hash TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    online BIGINT NOT NULL DEFAULT 0,
    connected_at BIGINT,
    last_seen_at BIGINT,
    messages BIGINT NOT NULL DEFAULT 0,
    rejected BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE alerts (
    id {{id}},
    rule_id TEXT NOT NULL,
    rule_version BIGINT NOT NULL,
    entity_id TEXT NOT NULL,
    entity_type TEXT NOT NULL,
    entity_name TEXT,
    attribute TEXT NOT NULL,
    value DOUBLE PRECISION,
    unit TEXT,
    threshold DOUBLE PRECISION,
    severity TEXT NOT NULL,
    title_zh TEXT NOT NULL,
    title_en TEXT NOT NULL,
    lon DOUBLE PRECISION,
    lat DOUBLE PRECISION,
    observed_at BIGINT NOT NULL,
    raised_at BIGINT NOT NULL,
    raised_position BIGINT NOT NULL,
    cleared_at BIGINT,
    cleared_position BIGINT,
    acknowledged_at BIGINT,
    acknowledged_by TEXT,
    case_id BIGINT,
    UNIQUE (rule_id, entity_id, raised_position)
);
-- One rule has at most one active alert for one entity.
CREATE UNIQUE INDEX alerts_active ON alerts (rule_id, entity_id) WHERE cleared_at IS NULL;

CREATE TABLE cases (
    id {{id}},
    number TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    workflow TEXT NOT NULL,
    state TEXT NOT NULL,
    severity TEXT NOT NULL,
    alert_id BIGINT REFERENCES alerts (id),
    entity_id TEXT,
    lon DOUBLE PRECISION,
    lat DOUBLE PRECISION,
    organisation_id TEXT REFERENCES organisations (id),
    assignee_id BIGINT REFERENCES users (id),
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    created_by_id BIGINT REFERENCES users (id),
    updated_at BIGINT NOT NULL,
    due_at BIGINT,
    closed_at BIGINT,
    version BIGINT NOT NULL
);
CREATE INDEX cases_state ON cases (state, id);
CREATE INDEX cases_assignee ON cases (assignee_id, id);
CREATE INDEX cases_organisation ON cases (organisation_id, id);

-- The last case number given out on a city-local day.
CREATE TABLE case_numbers (
    day TEXT PRIMARY KEY NOT NULL,
    last BIGINT NOT NULL
);

CREATE TABLE case_events (
    id {{id}},
    case_id BIGINT NOT NULL REFERENCES cases (id),
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    actor_id BIGINT REFERENCES users (id),
    action TEXT NOT NULL,
    from_state TEXT,
    to_state TEXT NOT NULL,
    note TEXT,
    organisation_id TEXT,
    assignee_id BIGINT,
    late BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX case_events_case ON case_events (case_id, id);

CREATE TABLE attachments (
    id {{id}},
    case_id BIGINT NOT NULL REFERENCES cases (id),
    event_id BIGINT REFERENCES case_events (id),
    name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    uploaded_at BIGINT NOT NULL,
    uploaded_by TEXT NOT NULL
);
CREATE INDEX attachments_case ON attachments (case_id, id);

CREATE TABLE dead_letters (
    position BIGINT PRIMARY KEY NOT NULL,
    door TEXT NOT NULL,
    device_id TEXT,
    address TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    size_bytes BIGINT NOT NULL,
    preview TEXT NOT NULL,
    problem_code TEXT NOT NULL,
    problem_what TEXT NOT NULL,
    problem_place TEXT NOT NULL,
    problem_mend TEXT NOT NULL
);
CREATE INDEX dead_letters_device ON dead_letters (device_id, position);

CREATE TABLE indicator_reports (
    id {{id}},
    indicator_id TEXT NOT NULL,
    value DOUBLE PRECISION NOT NULL,
    period TEXT NOT NULL,
    evidence TEXT NOT NULL,
    note TEXT,
    reported_by TEXT NOT NULL,
    reported_by_id BIGINT REFERENCES users (id),
    at BIGINT NOT NULL
);
CREATE INDEX indicator_reports_indicator ON indicator_reports (indicator_id, id);

CREATE TABLE indicator_values (
    indicator_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    value DOUBLE PRECISION,
    PRIMARY KEY (indicator_id, at)
);

CREATE TABLE audit (
    id {{id}},
    at BIGINT NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id BIGINT,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    detail TEXT NOT NULL,
    peer TEXT NOT NULL
);

CREATE TABLE projections (
    name TEXT PRIMARY KEY NOT NULL,
    position BIGINT NOT NULL
);
