-- Commands (控制指令) to things that can be controlled: what was asked for, by whom and why, who agreed, and what came of it. A row is
-- `sent` from before anything goes to the device until its answer is written down; what a start finds so may have been carried out.
CREATE TABLE commands (
    id {{id}},
    entity_id TEXT NOT NULL,
    entity_type TEXT NOT NULL,
    command TEXT NOT NULL,
    value TEXT NOT NULL,
    unit TEXT,
    reason TEXT NOT NULL,
    approval TEXT NOT NULL,
    state TEXT NOT NULL,
    asked_by TEXT NOT NULL,
    asked_by_id BIGINT,
    asked_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    decided_by TEXT,
    decided_by_id BIGINT,
    why TEXT,
    answer TEXT
);
CREATE INDEX commands_entity ON commands (entity_id, id);
CREATE INDEX commands_state ON commands (state, id);
-- Two commands under way to one thing could meet on the way: the second is asked for when the first has ended.
CREATE UNIQUE INDEX commands_open ON commands (entity_id) WHERE state IN ('asked', 'approved', 'sent');
CREATE TABLE command_steps (
    id {{id}},
    command_id BIGINT NOT NULL REFERENCES commands (id),
    at BIGINT NOT NULL,
    step TEXT NOT NULL,
    state TEXT NOT NULL,
    by_name TEXT NOT NULL,
    by_id BIGINT,
    note TEXT NOT NULL,
    detail TEXT
);
CREATE INDEX command_steps_command ON command_steps (command_id, id);
