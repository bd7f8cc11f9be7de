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
