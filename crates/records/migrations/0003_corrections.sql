-- Corrections of observations: the old value, the new one, who and why. Filled from the journal, where they are;
-- the values are JSON. A new_value that is NULL withdraws the observation.

CREATE TABLE corrections (
    id {{id}},
    position BIGINT NOT NULL UNIQUE,
    entity_id TEXT NOT NULL,
    entity_type TEXT NOT NULL,
    attribute TEXT NOT NULL,
    observed_at BIGINT NOT NULL,
    supersedes BIGINT NOT NULL,
    old_value TEXT NOT NULL,
    old_unit TEXT,
    old_quality TEXT NOT NULL,
    new_value TEXT,
    unit TEXT,
    reason TEXT NOT NULL,
    corrected_by TEXT NOT NULL,
    corrected_at BIGINT NOT NULL
);
CREATE INDEX corrections_entity ON corrections (entity_id, position);
