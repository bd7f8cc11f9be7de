-- Open311 GeoReport v2 both ways: which cases are also requests of another endpoint, sent there or taken from there, and how each
-- stands. A row of a case that is to be sent is the outbox: it is written with the step that asks for it, and is `unsure` from before
-- the first byte goes out until the answer is read, so that a lost answer is never taken for an unsent request.
CREATE TABLE open311_links (
    id {{id}},
    case_id BIGINT NOT NULL REFERENCES cases (id),
    peer TEXT NOT NULL,
    way TEXT NOT NULL,
    state TEXT NOT NULL,
    service_code TEXT NOT NULL,
    reference TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    next_at BIGINT NOT NULL,
    posted_at BIGINT,
    token TEXT,
    remote_id TEXT,
    remote_status TEXT,
    remote_notes TEXT,
    asked_at BIGINT,
    problem TEXT,
    UNIQUE (case_id, peer, way)
);
CREATE INDEX open311_links_due ON open311_links (peer, way, state, next_at);
CREATE INDEX open311_links_remote ON open311_links (peer, remote_id);
-- Requests that were taken before are followed from now on.
INSERT INTO open311_links (case_id, peer, way, state, service_code, reference, made_at, attempts, next_at, remote_id, remote_status)
    SELECT case_id, endpoint, 'from', 'open', service_code, '', received_at, 0, received_at, remote_id, 'open'
    FROM open311_requests WHERE endpoint <> '' AND remote_id IS NOT NULL ORDER BY id;

-- What a client said beside the standard's fields: `attribute[code]`, as a JSON object of lists.
ALTER TABLE open311_requests ADD COLUMN attributes TEXT;

-- The board of cases counts each of its columns under any filter: what filters ask for stands in the index of columns, so that
-- no case that does not fit is read. Of a million cases only the open ones are in it.
DROP INDEX cases_state_due;
CREATE INDEX cases_board ON cases (state, due_at, id, workflow, organisation_id, suspended_at, town, grid, category, severity,
    created_at, closed_at, assignee_id, created_by_id) WHERE closed_at IS NULL;
