-- Keys of devices (pre-shared keys, 预共享密钥): sealed under the city's key, because a proof is computed from the key itself. A
-- device has a password or a key of its own; the one before it stands in device_credentials until expires_at, kind: password, psk.
ALTER TABLE devices ADD COLUMN secret_sealed TEXT NOT NULL DEFAULT '';
ALTER TABLE devices ADD COLUMN secret_used_at BIGINT;
-- Which proofs were used, so that none is good twice, not after a restart either: the last ones ("seconds:nonce", commas
-- between), and the time up to which every other counts as used.
ALTER TABLE devices ADD COLUMN proofs_floor BIGINT NOT NULL DEFAULT 0;
ALTER TABLE devices ADD COLUMN proofs TEXT NOT NULL DEFAULT '';
ALTER TABLE device_credentials ADD COLUMN secret_sealed TEXT NOT NULL DEFAULT '';
ALTER TABLE device_credentials ADD COLUMN last_used_at BIGINT;
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
