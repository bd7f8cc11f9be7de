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
