-- Who may do what: each row is all documents of policies that those who administer the city gave, as they held from then on.
CREATE TABLE policy_versions (
    id {{id}},
    at BIGINT NOT NULL,
    changed_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    documents TEXT NOT NULL
);
