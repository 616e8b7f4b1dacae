CREATE TABLE tenants (
    id UUID PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    sender_name TEXT NOT NULL,
    sender_address TEXT NOT NULL,
    signatory_name TEXT NOT NULL,
    signatory_title TEXT NOT NULL,
    language TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);

-- Secrets made on first start: the keys that sign states and form tokens.
CREATE TABLE secrets (
    name TEXT PRIMARY KEY,
    value BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);

-- The keys the tool signs with towards platforms.
CREATE TABLE tool_keys (
    id UUID PRIMARY KEY,
    kid TEXT NOT NULL UNIQUE,
    pkcs8 BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    retired_at TIMESTAMPTZ
);

CREATE TABLE people (
    id UUID PRIMARY KEY,
    tenant_id UUID NOT NULL REFERENCES tenants (id),
    given_name TEXT,
    family_name TEXT,
    full_name TEXT,
    -- The address the platform told, or the one the person confirmed.
    email TEXT,
    email_confirmed_at TIMESTAMPTZ,
    locale TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE email_confirmations (
    id UUID PRIMARY KEY,
    person_id UUID NOT NULL REFERENCES people (id),
    email TEXT NOT NULL,
    token_hash TEXT NOT NULL UNIQUE,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    used_at TIMESTAMPTZ
);
CREATE INDEX email_confirmations_by_person ON email_confirmations (person_id);
