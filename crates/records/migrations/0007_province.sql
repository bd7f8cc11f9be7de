-- Identities at outside OpenID Connect providers (省统一身份认证) that people sign in with. An identity is known by its issuer
-- and subject; provider is the id that the settings had for it. linked_by: person, claim.
CREATE TABLE linked_identities (
    id {{id}},
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    provider TEXT NOT NULL,
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    shown TEXT NOT NULL,
    linked_by TEXT NOT NULL,
    linked_at BIGINT NOT NULL,
    last_used_at BIGINT,
    UNIQUE (issuer, subject),
    UNIQUE (user_id, issuer)
);
