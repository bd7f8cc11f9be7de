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
