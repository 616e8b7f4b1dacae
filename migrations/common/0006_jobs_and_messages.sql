CREATE TABLE jobs (
    id UUID PRIMARY KEY,
    kind TEXT NOT NULL,
    payload JSONB NOT NULL,
    -- Enqueued twice under one key, it is one job.
    key TEXT UNIQUE,
    -- queued | done | failed
    state TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    run_at TIMESTAMPTZ NOT NULL,
    -- The lease: while it lies in the future, somebody works on the job.
    locked_until TIMESTAMPTZ,
    last_error TEXT,
    created_at TIMESTAMPTZ NOT NULL,
    finished_at TIMESTAMPTZ
);
CREATE INDEX jobs_to_claim ON jobs (state, run_at);

-- The outbox of e-mails.
CREATE TABLE messages (
    id UUID PRIMARY KEY,
    tenant_id UUID NOT NULL REFERENCES tenants (id),
    -- Which mail it is, about what, for the how-many-eth time: sent once.
    kind TEXT NOT NULL,
    subject_id UUID NOT NULL,
    revision BIGINT NOT NULL,
    person_id UUID NOT NULL REFERENCES people (id),
    recipient TEXT NOT NULL,
    sender_name TEXT NOT NULL,
    sender_address TEXT NOT NULL,
    subject TEXT NOT NULL,
    body_text TEXT NOT NULL,
    body_html TEXT NOT NULL,
    attachments JSONB NOT NULL,
    -- Whether a mail whose fate is unknown goes out once more (with the same Message-ID).
    repeat_unknown BOOLEAN NOT NULL,
    -- queued | sending | accepted | unknown | failed
    state TEXT NOT NULL,
    -- How often its fate was unknown.
    unknowns BIGINT NOT NULL,
    attempt BIGINT NOT NULL,
    last_answer TEXT,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    UNIQUE (kind, subject_id, revision, recipient)
);
