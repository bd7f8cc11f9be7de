-- Bookings (预约): what can be booked, who holds what, the tickets of queues (排队取号). One process writes them; `booking_writer` lets no
-- second one in. Declarations are kept whole as JSON: what they mean is the crate `bookings`.
CREATE TABLE booking_writer (
    id BIGINT PRIMARY KEY NOT NULL,
    generation BIGINT NOT NULL,
    batches BIGINT NOT NULL
);
INSERT INTO booking_writer (id, generation, batches) VALUES (1, 0, 0);
CREATE TABLE booking_declared (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    definition TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    changed_by TEXT NOT NULL,
    PRIMARY KEY (kind, id)
);
CREATE TABLE bookings (
    id BIGINT PRIMARY KEY NOT NULL,
    resource_id TEXT NOT NULL,
    slot_id TEXT,
    unit BIGINT,
    person TEXT NOT NULL,
    class TEXT NOT NULL,
    places BIGINT NOT NULL,
    from_at BIGINT NOT NULL,
    to_at BIGINT NOT NULL,
    state TEXT NOT NULL,
    until_at BIGINT,
    made_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);
CREATE INDEX bookings_person ON bookings (person, id);
CREATE INDEX bookings_resource ON bookings (resource_id, from_at);
-- What takes a place or may come to take one; and who did not come, for the limits of a person.
CREATE INDEX bookings_live ON bookings (to_at) WHERE state IN ('waiting', 'held', 'confirmed', 'in_use', 'done');
CREATE INDEX bookings_no_show ON bookings (changed_at) WHERE state = 'no_show';
CREATE TABLE booking_steps (
    id {{id}},
    booking_id BIGINT NOT NULL REFERENCES bookings (id),
    at BIGINT NOT NULL,
    step TEXT NOT NULL,
    state TEXT NOT NULL,
    by_name TEXT NOT NULL
);
CREATE INDEX booking_steps_booking ON booking_steps (booking_id, id);
CREATE TABLE queue_tickets (
    id BIGINT PRIMARY KEY NOT NULL,
    queue_id TEXT NOT NULL,
    day TEXT NOT NULL,
    serial BIGINT NOT NULL,
    person TEXT NOT NULL,
    class TEXT NOT NULL,
    state TEXT NOT NULL,
    place BIGINT NOT NULL,
    counter TEXT,
    calls BIGINT NOT NULL,
    taken_at BIGINT NOT NULL,
    called_at BIGINT,
    changed_at BIGINT NOT NULL
);
-- A number is given once a day.
CREATE UNIQUE INDEX queue_tickets_number ON queue_tickets (queue_id, day, serial);
CREATE INDEX queue_tickets_person ON queue_tickets (person, id);
CREATE INDEX queue_tickets_live ON queue_tickets (queue_id) WHERE state IN ('waiting', 'called', 'serving');
-- What was answered to a request with a key, so that the same request sent again gets the same answer.
CREATE TABLE booking_keys (
    asker TEXT NOT NULL,
    request_key TEXT NOT NULL,
    digest TEXT NOT NULL,
    answer TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (asker, request_key)
);
CREATE INDEX booking_keys_at ON booking_keys (at);
