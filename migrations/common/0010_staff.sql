-- Who administers: of the installation, or of one tenant's training.
CREATE TABLE staff (
    id UUID PRIMARY KEY,
    -- Mails go to people: this row is the person of the outbox, and holds no name or address.
    person_id UUID NOT NULL REFERENCES people (id),
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    -- The address in lower case: what is compared.
    email_key TEXT NOT NULL,
    -- admin | coordinator
    role TEXT NOT NULL,
    -- NULL for an admin of the installation.
    tenant_id UUID REFERENCES tenants (id),
    locale TEXT NOT NULL,
    -- The last mail with a link: one a minute.
    asked_at TIMESTAMPTZ,
    signed_in_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    removed_at TIMESTAMPTZ
);
CREATE UNIQUE INDEX staff_by_email ON staff (email_key) WHERE removed_at IS NULL;

-- How an OpenID Connect provider knows them.
CREATE TABLE staff_identities (
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    staff_id UUID NOT NULL REFERENCES staff (id),
    created_at TIMESTAMPTZ NOT NULL,
    last_seen_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (issuer, subject)
);

-- Links that sign in, once.
CREATE TABLE staff_links (
    id UUID PRIMARY KEY,
    staff_id UUID NOT NULL REFERENCES staff (id),
    -- invitation | sign-in
    purpose TEXT NOT NULL,
    token_hash TEXT NOT NULL UNIQUE,
    -- The page of the console that was asked for.
    next TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    used_at TIMESTAMPTZ
);
CREATE INDEX staff_links_by_staff ON staff_links (staff_id, created_at);

CREATE TABLE staff_sessions (
    id UUID PRIMARY KEY,
    staff_id UUID NOT NULL REFERENCES staff (id),
    token_hash TEXT NOT NULL UNIQUE,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX staff_sessions_by_staff ON staff_sessions (staff_id);
