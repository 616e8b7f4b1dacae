-- The services of the platform, as the launches of a link offered them last. An address once told stays
-- until another is told: platforms offer learners less than trainers.
CREATE TABLE link_services (
    resource_link_id UUID PRIMARY KEY REFERENCES resource_links (id),
    -- Of what the last launch told; the row is written only when it changes.
    digest TEXT NOT NULL,
    -- The product family the launch told: moodle, canvas, …
    family TEXT,
    -- Assignment and Grade Services: container, the link's own column, scopes between spaces.
    line_items TEXT,
    line_item TEXT,
    grade_scopes TEXT NOT NULL,
    -- Names and Role Provisioning.
    memberships TEXT,
    -- Course groups.
    groups_url TEXT,
    group_scopes TEXT NOT NULL,
    -- The column we look for, or make, where the platform tells of none:
    -- none | wanted | there | refused
    column_state TEXT NOT NULL,
    -- Its address, once it is there.
    column_url TEXT,
    -- What the platform said when it refused one.
    column_detail TEXT,
    updated_at TIMESTAMPTZ NOT NULL
);

-- What a score says of the work beside its points. Only Completed and FullyGraded carry points.
ALTER TABLE scores ADD COLUMN activity TEXT NOT NULL DEFAULT 'Completed';
ALTER TABLE scores ADD COLUMN grading TEXT NOT NULL DEFAULT 'FullyGraded';
-- Why it was refused, as a word for the texts.
ALTER TABLE scores ADD COLUMN reason TEXT;
-- When it is tried again.
ALTER TABLE scores ADD COLUMN next_try_at TIMESTAMPTZ;

CREATE INDEX IF NOT EXISTS resource_links_by_context ON resource_links (context_id);
CREATE INDEX IF NOT EXISTS grade_targets_by_link ON grade_targets (resource_link_id);
