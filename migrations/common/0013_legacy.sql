-- An LTI 1.1 launch whose browser may keep no cookie in the LMS's frame: whoever has the ticket
-- takes the launch over to a window of its own, once and soon.
CREATE TABLE launch_tickets (
    ticket_hash TEXT PRIMARY KEY,
    launch_id UUID NOT NULL REFERENCES launches (id),
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX launch_tickets_by_expiry ON launch_tickets (expires_at);

-- HMAC-SHA1 | HMAC-SHA256: how an LTI 1.1 consumer signs, and wants its outcomes signed.
ALTER TABLE grade_targets ADD COLUMN signature_method TEXT;
