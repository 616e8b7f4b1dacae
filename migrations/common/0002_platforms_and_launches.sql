CREATE TABLE registrations (
    id UUID PRIMARY KEY,
    tenant_id UUID NOT NULL REFERENCES tenants (id),
    name TEXT NOT NULL,
    issuer TEXT NOT NULL,
    client_id TEXT NOT NULL,
    authorization_endpoint TEXT NOT NULL,
    token_endpoint TEXT NOT NULL,
    jwks_uri TEXT NOT NULL,
    -- The audience of our assertions where it is not the token endpoint (Brightspace).
    token_audience TEXT,
    created_at TIMESTAMPTZ NOT NULL,
    UNIQUE (issuer, client_id)
);

CREATE TABLE deployments (
    registration_id UUID NOT NULL REFERENCES registrations (id),
    deployment_id TEXT NOT NULL,
    -- approved | pending
    state TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (registration_id, deployment_id)
);

CREATE TABLE identities (
    id UUID PRIMARY KEY,
    registration_id UUID NOT NULL REFERENCES registrations (id),
    subject TEXT NOT NULL,
    person_id UUID NOT NULL REFERENCES people (id),
    created_at TIMESTAMPTZ NOT NULL,
    last_seen_at TIMESTAMPTZ NOT NULL,
    UNIQUE (registration_id, subject)
);
CREATE INDEX identities_by_person ON identities (person_id);

CREATE TABLE contexts (
    id UUID PRIMARY KEY,
    registration_id UUID NOT NULL REFERENCES registrations (id),
    lms_id TEXT NOT NULL,
    title TEXT,
    label TEXT,
    created_at TIMESTAMPTZ NOT NULL,
    UNIQUE (registration_id, lms_id)
);

CREATE TABLE memberships (
    context_id UUID NOT NULL REFERENCES contexts (id),
    person_id UUID NOT NULL REFERENCES people (id),
    -- learner | trainer: what the last launch said.
    role TEXT NOT NULL,
    seen_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (context_id, person_id)
);

CREATE TABLE resource_links (
    id UUID PRIMARY KEY,
    registration_id UUID NOT NULL REFERENCES registrations (id),
    lms_id TEXT NOT NULL,
    context_id UUID REFERENCES contexts (id),
    title TEXT,
    -- What it opens; both NULL until a launch said so.
    course_id UUID,
    event_id UUID,
    created_at TIMESTAMPTZ NOT NULL,
    UNIQUE (registration_id, lms_id)
);

CREATE TABLE sign_in_sessions (
    id UUID PRIMARY KEY,
    token_hash TEXT NOT NULL UNIQUE,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);

-- One accepted launch: what its page may show, to the browser that made it.
CREATE TABLE launches (
    id UUID PRIMARY KEY,
    sign_in_session_id UUID NOT NULL REFERENCES sign_in_sessions (id),
    registration_id UUID NOT NULL REFERENCES registrations (id),
    deployment_id TEXT NOT NULL,
    person_id UUID NOT NULL REFERENCES people (id),
    identity_id UUID NOT NULL REFERENCES identities (id),
    context_id UUID REFERENCES contexts (id),
    resource_link_id UUID REFERENCES resource_links (id),
    -- learner | trainer
    role TEXT NOT NULL,
    locale TEXT NOT NULL,
    -- resource-link | deep-linking
    message TEXT NOT NULL,
    -- What the page needs of the message: deep linking settings, return URL.
    details JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX launches_by_session ON launches (sign_in_session_id);

-- Nonces that were spent, until no token that carries them can still be valid. A repeated POST of
-- the same launch by the same browser finds its launch here.
CREATE TABLE spent_nonces (
    nonce_hash TEXT PRIMARY KEY,
    launch_id UUID NOT NULL REFERENCES launches (id),
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX spent_nonces_by_expiry ON spent_nonces (expires_at);

-- What happened at the door, for the administrator: one row a refusal or acceptance.
CREATE TABLE launch_log (
    id UUID PRIMARY KEY,
    registration_id UUID REFERENCES registrations (id),
    at TIMESTAMPTZ NOT NULL,
    -- 'accepted' or the code of the refusal
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL,
    checks JSONB NOT NULL
);
CREATE INDEX launch_log_by_registration ON launch_log (registration_id, at);
