-- Whose key it is. NULL: the installation's, which registrations without keys of their own use. No
-- reference: a registration's first key is published before the platform answered.
ALTER TABLE tool_keys ADD COLUMN registration_id UUID;
-- next (published, signs later) | current (signs) | previous (published until nobody needs it)
ALTER TABLE tool_keys ADD COLUMN state TEXT NOT NULL DEFAULT 'current';
-- When a next key begins to sign without anybody doing more.
ALTER TABLE tool_keys ADD COLUMN signs_from TIMESTAMPTZ;
-- When a previous key is removed.
ALTER TABLE tool_keys ADD COLUMN published_until TIMESTAMPTZ;
CREATE INDEX tool_keys_by_registration ON tool_keys (registration_id, created_at);

-- Links that let a platform register itself for a tenant without further approval.
CREATE TABLE registration_links (
    token_hash TEXT PRIMARY KEY,
    tenant_id UUID NOT NULL REFERENCES tenants (id),
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    used_at TIMESTAMPTZ,
    -- What it was used for: the link stays good to update this one.
    registration_id UUID REFERENCES registrations (id)
);

-- Registrations under way: between our request to the platform and its answer.
CREATE TABLE registration_attempts (
    registration_id UUID PRIMARY KEY,
    link_hash TEXT UNIQUE,
    created_at TIMESTAMPTZ NOT NULL
);
