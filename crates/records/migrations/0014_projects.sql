-- Key projects (重点项目): those of the plan, which have the number of its box, and those added to it. `kept` is all that people keep of
-- one, as JSON; milestones and money stand in tables of their own beside it, written in the same transaction, so that they can be asked for.
-- Days are texts (YYYY-MM-DD), money is whole fen.
CREATE TABLE projects (
    id TEXT PRIMARY KEY NOT NULL,
    plan_box BIGINT,
    name_zh TEXT NOT NULL,
    name_en TEXT NOT NULL,
    system TEXT NOT NULL,
    reason TEXT NOT NULL,
    organisation_id TEXT,
    stage TEXT NOT NULL,
    planned_start TEXT,
    planned_end TEXT,
    total_fen BIGINT,
    kept TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    changed_by TEXT NOT NULL,
    ended_at BIGINT,
    ended_why TEXT
);
CREATE TABLE project_milestones (
    id {{id}},
    project_id TEXT NOT NULL REFERENCES projects (id),
    name TEXT NOT NULL,
    planned TEXT NOT NULL,
    forecast TEXT,
    done TEXT,
    evidence TEXT NOT NULL
);
CREATE INDEX project_milestones_project ON project_milestones (project_id, id);
CREATE TABLE project_money (
    id {{id}},
    project_id TEXT NOT NULL REFERENCES projects (id),
    source TEXT NOT NULL,
    year BIGINT NOT NULL,
    planned_fen BIGINT NOT NULL,
    arranged_fen BIGINT NOT NULL,
    paid_fen BIGINT NOT NULL
);
CREATE INDEX project_money_project ON project_money (project_id, id);
-- The monthly dispatch (月调度): what was stated for a month stays as it was stated.
CREATE TABLE project_reports (
    id {{id}},
    project_id TEXT NOT NULL REFERENCES projects (id),
    month TEXT NOT NULL,
    organisation_id TEXT NOT NULL,
    progress TEXT NOT NULL,
    problems TEXT NOT NULL,
    at BIGINT NOT NULL,
    by_name TEXT NOT NULL,
    by_id BIGINT
);
CREATE UNIQUE INDEX project_reports_month ON project_reports (project_id, month);
-- Reminders (督办), each of which is a case.
CREATE TABLE project_reminders (
    id {{id}},
    project_id TEXT NOT NULL REFERENCES projects (id),
    about TEXT NOT NULL,
    organisation_id TEXT NOT NULL,
    case_id BIGINT NOT NULL REFERENCES cases (id),
    at BIGINT NOT NULL,
    by_name TEXT NOT NULL
);
CREATE INDEX project_reminders_project ON project_reminders (project_id, id);
