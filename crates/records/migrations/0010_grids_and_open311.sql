-- The unit grid in which a case lies (单元网格, GB/T 30428.1).
ALTER TABLE cases ADD COLUMN grid TEXT;
CREATE INDEX cases_grid ON cases (grid, id);

-- Service requests of Open311 GeoReport v2: those that came in through the door (endpoint is empty) and those taken from
-- another endpoint. What the reporter says of themselves is sealed (contact).
CREATE TABLE open311_requests (
    id {{id}},
    case_id BIGINT NOT NULL UNIQUE REFERENCES cases (id),
    token TEXT NOT NULL UNIQUE,
    endpoint TEXT NOT NULL,
    remote_id TEXT,
    service_code TEXT NOT NULL,
    address TEXT,
    address_id TEXT,
    zipcode TEXT,
    media_url TEXT,
    contact TEXT,
    received_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX open311_requests_remote ON open311_requests (endpoint, remote_id) WHERE remote_id IS NOT NULL;
-- How far each configured endpoint was read, and how the last try went.
CREATE TABLE open311_endpoints (
    name TEXT PRIMARY KEY NOT NULL,
    bookmark BIGINT NOT NULL,
    tried_at BIGINT,
    problem TEXT
);
