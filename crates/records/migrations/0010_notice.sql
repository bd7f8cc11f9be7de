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
