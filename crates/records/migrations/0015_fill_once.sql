-- Reporting forms (报表) as they were filled in (一表同享): one row for each time that one was begun or handed in. `asked` holds what people
-- wrote, by data element (数据元); `filled` what the platform showed beside it, with where it came from and when. A corrected one stays
-- as `replaced`; of a form, period and division one row is not.
CREATE TABLE form_returns (
    id {{id}},
    form TEXT NOT NULL,
    period TEXT NOT NULL,
    division_code TEXT NOT NULL,
    state TEXT NOT NULL,
    asked TEXT NOT NULL,
    filled TEXT NOT NULL,
    version BIGINT NOT NULL,
    corrects BIGINT REFERENCES form_returns (id),
    reason TEXT NOT NULL,
    by_name TEXT NOT NULL,
    by_id BIGINT,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    submitted_at BIGINT,
    returned_by TEXT,
    returned_why TEXT
);
CREATE UNIQUE INDEX form_returns_one ON form_returns (form, period, division_code) WHERE state <> 'replaced';
CREATE INDEX form_returns_division ON form_returns (division_code, form, period);
-- The values of forms that are handed in and were not returned: one row for each field, for SQL and for other forms.
CREATE TABLE form_values (
    id {{id}},
    return_id BIGINT NOT NULL REFERENCES form_returns (id),
    form TEXT NOT NULL,
    period TEXT NOT NULL,
    division_code TEXT NOT NULL,
    element TEXT NOT NULL,
    value DOUBLE PRECISION,
    value_text TEXT,
    origin TEXT NOT NULL,
    reported_at BIGINT NOT NULL
);
CREATE INDEX form_values_return ON form_values (return_id);
CREATE INDEX form_values_element ON form_values (element, division_code, period);
