-- Runs (计算任务) of packs' mathematics over the city's data: what was reckoned, for which moment, how it ended, and all that is needed
-- to reckon it again. A row is `running` from before its outcome is told to the city until it has been; what a start finds running was
-- interrupted.
CREATE TABLE runs (
    id {{id}},
    definition_id TEXT NOT NULL,
    definition_version BIGINT NOT NULL,
    engine TEXT NOT NULL,
    engine_version BIGINT NOT NULL,
    target_id TEXT,
    target_type TEXT,
    due_at BIGINT NOT NULL,
    begun_at BIGINT NOT NULL,
    ended_at BIGINT,
    outcome TEXT NOT NULL,
    problems TEXT,
    rows_in BIGINT NOT NULL,
    rows_out BIGINT NOT NULL,
    position BIGINT,
    entity_id TEXT,
    output_digest TEXT,
    asked_by TEXT,
    asked_by_id BIGINT,
    kept TEXT
);
CREATE INDEX runs_definition ON runs (definition_id, id);
CREATE INDEX runs_target ON runs (target_id, id);
CREATE INDEX runs_begun ON runs (begun_at);
CREATE INDEX runs_running ON runs (outcome) WHERE outcome = 'running';
