-- The workflows that cases follow, as they were when the first case followed them: a pack that changes or goes
-- away leaves its open cases on their way. Version 0 is a case from before this table: it follows the workflow
-- of its name as it is now.

CREATE TABLE workflows (
    name TEXT NOT NULL,
    version BIGINT NOT NULL,
    definition TEXT NOT NULL,
    PRIMARY KEY (name, version)
);

ALTER TABLE cases ADD COLUMN workflow_version BIGINT NOT NULL DEFAULT 0;
