-- Signing in to the departments' systems (OpenID Connect). Of secrets, codes and tokens only hashes are kept (SHA-256, hex).
-- redirect_uris, post_logout_redirect_uris, grants and scopes of a client are JSON lists of texts; scopes elsewhere are
-- words with a space between.

CREATE TABLE oidc_clients (
    id {{id}},
    client_id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    is_public BIGINT NOT NULL,
    secret_hash TEXT,
    redirect_uris TEXT NOT NULL,
    post_logout_redirect_uris TEXT NOT NULL,
    backchannel_logout_uri TEXT,
    grants TEXT NOT NULL,
    scopes TEXT NOT NULL,
    asks_consent BIGINT NOT NULL,
    disabled BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    secret_set_at BIGINT
);

CREATE TABLE oidc_consents (
    user_id BIGINT NOT NULL REFERENCES users (id),
    client_id TEXT NOT NULL REFERENCES oidc_clients (client_id) ON DELETE CASCADE,
    scopes TEXT NOT NULL,
    given_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, client_id)
);

-- One sign-in of a person at a client, and every token that came of it. sid names the person's session here.
CREATE TABLE oidc_families (
    family TEXT PRIMARY KEY NOT NULL,
    client_id TEXT NOT NULL REFERENCES oidc_clients (client_id) ON DELETE CASCADE,
    user_id BIGINT NOT NULL REFERENCES users (id),
    scopes TEXT NOT NULL,
    sid TEXT NOT NULL,
    nonce TEXT,
    auth_time BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at BIGINT,
    ended_because TEXT
);
CREATE INDEX oidc_families_user ON oidc_families (user_id, client_id);
CREATE INDEX oidc_families_sid ON oidc_families (sid);

CREATE TABLE oidc_codes (
    code_hash TEXT PRIMARY KEY NOT NULL,
    family TEXT NOT NULL REFERENCES oidc_families (family) ON DELETE CASCADE,
    redirect_uri TEXT NOT NULL,
    challenge TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX oidc_codes_family ON oidc_codes (family);

CREATE TABLE oidc_refresh_tokens (
    token_hash TEXT PRIMARY KEY NOT NULL,
    family TEXT NOT NULL REFERENCES oidc_families (family) ON DELETE CASCADE,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX oidc_refresh_tokens_family ON oidc_refresh_tokens (family);

-- state: pending, approved, denied, used.
CREATE TABLE oidc_device_codes (
    device_hash TEXT PRIMARY KEY NOT NULL,
    user_code_hash TEXT NOT NULL UNIQUE,
    client_id TEXT NOT NULL REFERENCES oidc_clients (client_id) ON DELETE CASCADE,
    scopes TEXT NOT NULL,
    state TEXT NOT NULL,
    family TEXT REFERENCES oidc_families (family) ON DELETE CASCADE,
    interval_s BIGINT NOT NULL,
    polled_at BIGINT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX oidc_device_codes_family ON oidc_device_codes (family);

-- Access tokens that were taken back before their time.
CREATE TABLE oidc_revoked (
    jti TEXT PRIMARY KEY NOT NULL,
    expires_at BIGINT NOT NULL
);

-- Clients that are still to be told that a session ended.
CREATE TABLE oidc_logouts (
    id {{id}},
    client_id TEXT NOT NULL REFERENCES oidc_clients (client_id) ON DELETE CASCADE,
    user_id BIGINT NOT NULL,
    sid TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    next_at BIGINT NOT NULL
);
