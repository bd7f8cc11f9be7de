-- Duty (值班): shifts of an organisation as data, who has which on which day, and changes of that with their reason.
-- A pattern's minutes are those of the city's day; over midnight where until is not later than from.
CREATE TABLE duty_patterns (
    id {{id}},
    organisation_id TEXT NOT NULL REFERENCES organisations (id),
    title_zh TEXT NOT NULL,
    title_en TEXT NOT NULL,
    from_minute BIGINT NOT NULL,
    until_minute BIGINT NOT NULL,
    disabled BIGINT NOT NULL DEFAULT 0
);
-- One turn: a person, a post of duty (值班岗), a shift of a day. Its times are kept, so that a changed pattern changes no past.
CREATE TABLE duty_turns (
    id {{id}},
    organisation_id TEXT NOT NULL REFERENCES organisations (id),
    pattern_id BIGINT NOT NULL REFERENCES duty_patterns (id),
    day TEXT NOT NULL,
    post TEXT NOT NULL,
    user_id BIGINT NOT NULL REFERENCES users (id),
    from_at BIGINT NOT NULL,
    until_at BIGINT NOT NULL,
    made_at BIGINT NOT NULL,
    made_by TEXT NOT NULL,
    UNIQUE (pattern_id, day, post, user_id)
);
CREATE INDEX duty_turns_time ON duty_turns (organisation_id, until_at, from_at);
CREATE INDEX duty_turns_person ON duty_turns (user_id, until_at);
-- Who took whose turn (换班), and why.
CREATE TABLE duty_swaps (
    id {{id}},
    turn_id BIGINT NOT NULL REFERENCES duty_turns (id) ON DELETE CASCADE,
    from_user_id BIGINT NOT NULL,
    to_user_id BIGINT NOT NULL,
    reason TEXT NOT NULL,
    at BIGINT NOT NULL,
    made_by TEXT NOT NULL
);
CREATE INDEX duty_swaps_turn ON duty_swaps (turn_id);
-- Hand-overs (交接班). attached: open alerts and overdue cases as they stood when it was written, JSON.
CREATE TABLE duty_hand_overs (
    id {{id}},
    organisation_id TEXT NOT NULL REFERENCES organisations (id),
    pattern_id BIGINT NOT NULL REFERENCES duty_patterns (id),
    day TEXT NOT NULL,
    from_at BIGINT NOT NULL,
    until_at BIGINT NOT NULL,
    notes TEXT NOT NULL,
    attached TEXT NOT NULL,
    outgoing_id BIGINT NOT NULL,
    outgoing TEXT NOT NULL,
    written_at BIGINT NOT NULL,
    incoming_id BIGINT,
    incoming TEXT,
    signed_at BIGINT,
    remark TEXT,
    UNIQUE (pattern_id, day)
);
CREATE INDEX duty_hand_overs_time ON duty_hand_overs (organisation_id, until_at);
-- Response plans (预案) that were started. plan: its whole text as it was then, JSON. drill: 演练.
CREATE TABLE duty_activations (
    id {{id}},
    plan_id TEXT NOT NULL,
    plan_version BIGINT NOT NULL,
    plan TEXT NOT NULL,
    organisation_id TEXT NOT NULL REFERENCES organisations (id),
    alert_id BIGINT,
    case_id BIGINT,
    severity TEXT NOT NULL,
    drill BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    started_by TEXT NOT NULL,
    started_by_id BIGINT,
    ended_at BIGINT,
    ended_by TEXT,
    summary TEXT
);
CREATE INDEX duty_activations_open ON duty_activations (ended_at, id);
CREATE INDEX duty_activations_started ON duty_activations (started_at);
CREATE INDEX duty_activations_alert ON duty_activations (alert_id);
-- Steps that were ticked off.
CREATE TABLE duty_steps (
    activation_id BIGINT NOT NULL REFERENCES duty_activations (id),
    step_id TEXT NOT NULL,
    skipped BIGINT NOT NULL,
    note TEXT NOT NULL,
    at BIGINT NOT NULL,
    done_by TEXT NOT NULL,
    done_by_id BIGINT,
    PRIMARY KEY (activation_id, step_id)
);
-- Contacts outside the city's own organisations (通讯录); the number is sealed under key as identity's own contacts are.
CREATE TABLE duty_contacts (
    id {{id}},
    organisation_id TEXT NOT NULL REFERENCES organisations (id),
    key TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    unit TEXT NOT NULL,
    title TEXT NOT NULL,
    sealed TEXT NOT NULL,
    shown TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    made_by TEXT NOT NULL
);
CREATE INDEX duty_contacts_organisation ON duty_contacts (organisation_id, unit);

-- The unit grid in which a case lies (单元网格, GB/T 30428.1).
ALTER TABLE cases ADD COLUMN grid TEXT;
CREATE INDEX cases_grid ON cases (grid, id);

-- Service requests of Open311 GeoReport v2: those that came in through the door (endpoint is empty) and those taken from
-- another endpoint. What the reporter says of themselves is sealed (contact).
CREATE TABLE open311_requests (
    id {{id}},
    case_id BIGINT NOT NULL UNIQUE REFERENCES cases (id),
    token TEXT NOT NULL UNIQUE,
    endpoint TEXT NOT NULL,
    remote_id TEXT,
    service_code TEXT NOT NULL,
    address TEXT,
    address_id TEXT,
    zipcode TEXT,
    media_url TEXT,
    contact TEXT,
    received_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX open311_requests_remote ON open311_requests (endpoint, remote_id) WHERE remote_id IS NOT NULL;
-- How far each configured endpoint was read, and how the last try went.
CREATE TABLE open311_endpoints (
    name TEXT PRIMARY KEY NOT NULL,
    bookmark BIGINT NOT NULL,
    tried_at BIGINT,
    problem TEXT
);

-- What field workers send beside photos: voice notes and signatures, each file of a kind of its own.

ALTER TABLE attachments ADD COLUMN kind TEXT NOT NULL DEFAULT 'photo';
UPDATE attachments SET kind = 'document' WHERE media_type NOT LIKE 'image/%';

-- How sure the phone is of the place, metres; how long a voice note is, milliseconds.
ALTER TABLE attachments ADD COLUMN accuracy_m DOUBLE PRECISION;
ALTER TABLE attachments ADD COLUMN duration_ms BIGINT;

-- Who signed, as what, and whether it was drawn or typed.
ALTER TABLE attachments ADD COLUMN signer TEXT;
ALTER TABLE attachments ADD COLUMN signer_capacity TEXT;
ALTER TABLE attachments ADD COLUMN signed_how TEXT;
