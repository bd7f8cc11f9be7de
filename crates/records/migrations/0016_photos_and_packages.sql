-- Photos of the sites of key projects (现场照片). The bytes lie beside those of cases, in files named by their SHA-256; a photo that was
-- removed keeps its row with who removed it and why, and its file. The day is a text (YYYY-MM-DD).
CREATE TABLE project_photos (
    id {{id}},
    project_id TEXT NOT NULL REFERENCES projects (id),
    milestone TEXT,
    taken_on TEXT NOT NULL,
    caption TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    taken_at BIGINT,
    lon DOUBLE PRECISION,
    lat DOUBLE PRECISION,
    added_at BIGINT NOT NULL,
    added_by TEXT NOT NULL,
    added_by_id BIGINT,
    removed_at BIGINT,
    removed_by TEXT,
    removed_why TEXT
);
CREATE INDEX project_photos_project ON project_photos (project_id, taken_on, id);
-- What the plan office publishes for investors: packages of projects (项目包) and lists of scenarios (场景清单). `content` is what is written
-- now, `published` what is out, both as JSON; every edition stays as it was published.
CREATE TABLE investment_packages (
    id {{id}},
    content TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    changed_by TEXT NOT NULL,
    edition BIGINT NOT NULL,
    published TEXT,
    published_at BIGINT,
    published_by TEXT,
    withdrawn_at BIGINT,
    withdrawn_by TEXT,
    withdrawn_why TEXT
);
CREATE TABLE investment_editions (
    id {{id}},
    package_id BIGINT NOT NULL REFERENCES investment_packages (id),
    edition BIGINT NOT NULL,
    content TEXT NOT NULL,
    at BIGINT NOT NULL,
    by_name TEXT NOT NULL
);
CREATE UNIQUE INDEX investment_editions_one ON investment_editions (package_id, edition);
