-- What field workers send beside photos: voice notes and signatures, each file of a kind of its own.

ALTER TABLE attachments ADD COLUMN kind TEXT NOT NULL DEFAULT 'photo';
UPDATE attachments SET kind = 'document' WHERE media_type NOT LIKE 'image/%';

-- How sure the phone is of the place, metres; how long a voice note is, milliseconds.
ALTER TABLE attachments ADD COLUMN accuracy_m DOUBLE PRECISION;
ALTER TABLE attachments ADD COLUMN duration_ms BIGINT;

-- Who signed, as what, and whether it was drawn or typed.
ALTER TABLE attachments ADD COLUMN signer TEXT;
ALTER TABLE attachments ADD COLUMN signer_capacity TEXT;
ALTER TABLE attachments ADD COLUMN signed_how TEXT;
