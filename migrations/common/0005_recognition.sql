-- The recorded decision that a person finished a course or an event.
CREATE TABLE completions (
    id UUID PRIMARY KEY,
    tenant_id UUID NOT NULL REFERENCES tenants (id),
    person_id UUID NOT NULL REFERENCES people (id),
    enrolment_id UUID UNIQUE REFERENCES enrolments (id),
    signup_id UUID UNIQUE REFERENCES signups (id),
    -- The rule that decided, with the facts it saw.
    rule TEXT NOT NULL,
    facts JSONB NOT NULL,
    at TIMESTAMPTZ NOT NULL
);

-- Frozen once issued: facts hold every word that is printed.
CREATE TABLE credentials (
    id UUID PRIMARY KEY,
    completion_id UUID NOT NULL UNIQUE REFERENCES completions (id),
    tenant_id UUID NOT NULL REFERENCES tenants (id),
    person_id UUID NOT NULL REFERENCES people (id),
    -- certificate | attestation
    kind TEXT NOT NULL,
    code TEXT NOT NULL UNIQUE,
    language TEXT NOT NULL,
    facts JSONB NOT NULL,
    -- issued | revoked
    state TEXT NOT NULL,
    issued_at TIMESTAMPTZ NOT NULL,
    -- SHA-256 of the first rendering's bytes: its name among the blobs.
    pdf TEXT,
    pdf_bytes BIGINT,
    rendered_at TIMESTAMPTZ
);
CREATE INDEX credentials_by_person ON credentials (person_id);
