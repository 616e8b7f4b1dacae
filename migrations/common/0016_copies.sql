-- The LMS courses whose people come to an event. Its own is among them; the others share its list
-- because one of their trainers said so.
CREATE TABLE event_contexts (
    event_id UUID NOT NULL REFERENCES events (id),
    context_id UUID NOT NULL REFERENCES contexts (id),
    decided_by UUID NOT NULL REFERENCES people (id),
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (event_id, context_id)
);
CREATE INDEX event_contexts_by_context ON event_contexts (context_id);
INSERT INTO event_contexts (event_id, context_id, decided_by, created_at)
    SELECT id, context_id, created_by, created_at FROM events;

-- In this context, links that name event_id open opens_id: what a trainer decided in a copied
-- course outlasts what its links say.
CREATE TABLE event_copies (
    context_id UUID NOT NULL REFERENCES contexts (id),
    event_id UUID NOT NULL REFERENCES events (id),
    opens_id UUID NOT NULL REFERENCES events (id),
    decided_by UUID NOT NULL REFERENCES people (id),
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (context_id, event_id)
);
CREATE INDEX event_copies_by_opened ON event_copies (opens_id);

-- One human under two identities: this row's own went to the older person.
ALTER TABLE people ADD COLUMN joined_to UUID REFERENCES people (id);

-- A code that proves the one identity where the other is at hand.
CREATE TABLE join_codes (
    id UUID PRIMARY KEY,
    identity_id UUID NOT NULL REFERENCES identities (id),
    person_id UUID NOT NULL REFERENCES people (id),
    -- HMAC of the eight characters.
    code_hash TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    -- Used, or replaced by a later one.
    used_at TIMESTAMPTZ
);
CREATE INDEX join_codes_by_hash ON join_codes (code_hash);
CREATE INDEX join_codes_by_person ON join_codes (person_id, created_at);

-- Codes that led nowhere: so many are allowed. Launches are removed before these.
CREATE TABLE join_attempts (
    id UUID PRIMARY KEY,
    launch_id UUID NOT NULL,
    person_id UUID NOT NULL REFERENCES people (id),
    at TIMESTAMPTZ NOT NULL
);
CREATE INDEX join_attempts_by_launch ON join_attempts (launch_id);
CREATE INDEX join_attempts_by_person ON join_attempts (person_id, at);

-- Which two identities were proved to be one human, by whom, and what went with it.
CREATE TABLE identity_joins (
    id UUID PRIMARY KEY,
    tenant_id UUID NOT NULL REFERENCES tenants (id),
    survivor_id UUID NOT NULL REFERENCES people (id),
    joined_id UUID NOT NULL REFERENCES people (id),
    -- The identity that asked for the code, and the one that typed it.
    code_identity_id UUID NOT NULL REFERENCES identities (id),
    typed_identity_id UUID NOT NULL REFERENCES identities (id),
    -- How many of each were brought together.
    moved JSONB NOT NULL,
    at TIMESTAMPTZ NOT NULL
);
CREATE INDEX identity_joins_by_survivor ON identity_joins (survivor_id);

-- The host name of an enrolment that gave way to another at a join: its open player is told so.
ALTER TABLE enrolments ADD COLUMN revoked_label TEXT;
CREATE INDEX enrolments_by_revoked_label ON enrolments (revoked_label)
    WHERE revoked_label IS NOT NULL;
