-- Who may do what (S07, S09): the organisation with posts and hand-overs, approvals by a second person, second factors and
-- credentials of devices, policies.

-- Organisation: what kind of organisation each is, posts (岗位) and who holds them, telephone numbers, hand-overs (工作交接).
-- Rows that are there already came from the city profile. A holder without until_at holds the post still; one that has ended
-- stays, so that it can be said who held what when. handovers.report is JSON: what moved, by kind.

ALTER TABLE organisations ADD COLUMN kind TEXT NOT NULL DEFAULT 'department';
ALTER TABLE organisations ADD COLUMN credit_code TEXT;
ALTER TABLE organisations ADD COLUMN division TEXT;
ALTER TABLE organisations ADD COLUMN disabled BIGINT NOT NULL DEFAULT 0;
ALTER TABLE organisations ADD COLUMN of_profile BIGINT NOT NULL DEFAULT 1;
CREATE UNIQUE INDEX organisations_credit_code ON organisations (credit_code);

ALTER TABLE users ADD COLUMN phone TEXT;

CREATE TABLE posts (
    id TEXT PRIMARY KEY NOT NULL,
    organisation_id TEXT NOT NULL REFERENCES organisations (id),
    title_zh TEXT NOT NULL,
    title_en TEXT NOT NULL,
    duty TEXT NOT NULL,
    role TEXT NOT NULL,
    division TEXT,
    disabled BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    UNIQUE (organisation_id, title_zh)
);

CREATE TABLE post_holders (
    id {{id}},
    post_id TEXT NOT NULL REFERENCES posts (id),
    user_id BIGINT NOT NULL REFERENCES users (id),
    from_at BIGINT NOT NULL,
    until_at BIGINT,
    given_by TEXT NOT NULL
);
CREATE INDEX post_holders_user ON post_holders (user_id);
CREATE INDEX post_holders_post ON post_holders (post_id);

CREATE TABLE handovers (
    id {{id}},
    at BIGINT NOT NULL,
    from_id BIGINT NOT NULL REFERENCES users (id),
    to_id BIGINT REFERENCES users (id),
    by_name TEXT NOT NULL,
    moved_to TEXT REFERENCES organisations (id),
    note TEXT NOT NULL,
    report TEXT NOT NULL
);

-- Dangerous acts that one person asked for and another decides on (双人审批). body is canonical JSON; digest is SM3 over act, target
-- and body, hex. status: pending, approved (being done), done, failed, refused, withdrawn, expired.
-- for_asker is what only the asker may have of the outcome, such as half of a new password; it is gone once it was given.

CREATE TABLE approvals (
    id {{id}},
    act TEXT NOT NULL,
    target TEXT NOT NULL,
    body TEXT NOT NULL,
    digest TEXT NOT NULL,
    reason TEXT NOT NULL,
    asked_by BIGINT NOT NULL REFERENCES users (id),
    asked_by_name TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    status TEXT NOT NULL,
    decided_by BIGINT REFERENCES users (id),
    decided_by_name TEXT,
    decided_at BIGINT,
    note TEXT,
    ended_at BIGINT,
    outcome TEXT,
    for_asker TEXT
);
CREATE INDEX approvals_status ON approvals (status, expires_at);
CREATE INDEX approvals_asked_by ON approvals (asked_by);

-- Second factors, and credentials of devices beside their password. Whoever was signed in signs in again: a session has a
-- name now by which its person can end it, and how it began.
DELETE FROM sessions;
ALTER TABLE sessions ADD COLUMN sid TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN began_by TEXT NOT NULL DEFAULT 'password';
CREATE UNIQUE INDEX sessions_sid ON sessions (sid);

-- sealed: the secret under the city's own key, hex. last_step: the last time step whose code was taken.
CREATE TABLE totp (
    user_id BIGINT PRIMARY KEY NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    sealed TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_step BIGINT NOT NULL
);

CREATE TABLE recovery_codes (
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    code_hash TEXT NOT NULL,
    used_at BIGINT,
    PRIMARY KEY (user_id, code_hash)
);

-- credential_id, user_handle: base64url. public_key: COSE, hex. user_handle is the same for all of one person's.
CREATE TABLE passkeys (
    id {{id}},
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    user_handle TEXT NOT NULL,
    credential_id TEXT NOT NULL UNIQUE,
    public_key TEXT NOT NULL,
    sign_count BIGINT NOT NULL,
    is_synced BIGINT NOT NULL,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT
);
CREATE INDEX passkeys_user ON passkeys (user_id);

-- What a device may sign in with beside its password: the password before it, until expires_at; certificates (X.509), by the
-- SHA-256 of their DER, hex. kind: password, x509.
CREATE TABLE device_credentials (
    id {{id}},
    client_id TEXT NOT NULL REFERENCES devices (client_id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    secret_salt TEXT NOT NULL DEFAULT '',
    secret_hash TEXT NOT NULL DEFAULT '',
    fingerprint TEXT UNIQUE,
    subject TEXT,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX device_credentials_device ON device_credentials (client_id);
-- When the device's own password was made.
ALTER TABLE devices ADD COLUMN secret_set_at BIGINT;

-- Who may do what: each row is all documents of policies that those who administer the city gave, as they held from then on.
CREATE TABLE policy_versions (
    id {{id}},
    at BIGINT NOT NULL,
    changed_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    documents TEXT NOT NULL
);
