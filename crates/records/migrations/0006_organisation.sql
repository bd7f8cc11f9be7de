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
