-- Values that the platform filled in and a town holds wrong (异议): one row for each case that was made of one. `shown` is what the form
-- showed, `stated` what the town holds right, both as JSON; the row ends with its case. A value that was handed in while it was disputed
-- names the case.
CREATE TABLE form_disputes (
    case_id BIGINT PRIMARY KEY NOT NULL REFERENCES cases (id),
    element TEXT NOT NULL,
    division_code TEXT NOT NULL,
    form TEXT NOT NULL,
    period TEXT NOT NULL,
    shown TEXT NOT NULL,
    stated TEXT NOT NULL,
    why TEXT NOT NULL,
    organisation_id TEXT NOT NULL,
    by_name TEXT NOT NULL,
    by_id BIGINT,
    at BIGINT NOT NULL
);
CREATE INDEX form_disputes_division ON form_disputes (division_code, element);
ALTER TABLE form_values ADD COLUMN disputed BIGINT;
-- The register of the plan office's numbers (发文登记): a number is given once in a year; one that is void keeps its row, and so does one
-- that was never used and is said to be void (`kind` is empty then).
CREATE TABLE plan_document_numbers (
    id {{id}},
    year BIGINT NOT NULL,
    number BIGINT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    period TEXT NOT NULL,
    plan TEXT,
    language TEXT NOT NULL,
    title TEXT NOT NULL,
    given_at BIGINT NOT NULL,
    given_by TEXT NOT NULL,
    given_by_id BIGINT,
    voided_at BIGINT,
    voided_by TEXT,
    voided_why TEXT
);
CREATE UNIQUE INDEX plan_document_numbers_one ON plan_document_numbers (year, number);
-- The files of a numbered document as they were written; the bytes lie beside those of cases, in files named by their SHA-256.
CREATE TABLE plan_document_files (
    id {{id}},
    number_id BIGINT NOT NULL REFERENCES plan_document_numbers (id),
    format TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    sha256 TEXT NOT NULL
);
CREATE UNIQUE INDEX plan_document_files_one ON plan_document_files (number_id, format);
-- Files that prove a reported figure (佐证材料). The bytes lie beside those of cases, in files named by their SHA-256; one that its author
-- took away again before the figure was handed in keeps its row with who did, and its file.
CREATE TABLE indicator_filing_files (
    id {{id}},
    filing_id BIGINT NOT NULL REFERENCES indicator_filings (id),
    name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    added_at BIGINT NOT NULL,
    added_by TEXT NOT NULL,
    added_by_id BIGINT,
    removed_at BIGINT,
    removed_by TEXT
);
CREATE INDEX indicator_filing_files_filing ON indicator_filing_files (filing_id, id);
