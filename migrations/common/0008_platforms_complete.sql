-- 1.3 | 1.1: an LTI 1.1 consumer is a registration whose client id is its key.
ALTER TABLE registrations ADD COLUMN version TEXT NOT NULL DEFAULT '1.3';
-- active | pending (waits for an administrator) | closed
ALTER TABLE registrations ADD COLUMN state TEXT NOT NULL DEFAULT 'active';
-- The LMS's product family, as its registration or launches tell: moodle, canvas, …
ALTER TABLE registrations ADD COLUMN family TEXT;
-- Whether launches that name no person are let in, as nobody in particular.
ALTER TABLE registrations ADD COLUMN anonymous BOOLEAN NOT NULL DEFAULT FALSE;
-- The secret shared with an LTI 1.1 consumer.
ALTER TABLE registrations ADD COLUMN secret TEXT;
ALTER TABLE registrations ADD COLUMN updated_at TIMESTAMPTZ;

-- Old platforms launch with LTI 1.1 only where the tenant allows it.
ALTER TABLE tenants ADD COLUMN legacy_lti BOOLEAN NOT NULL DEFAULT FALSE;

-- The claims of the launch with personal data masked, and how far the platform's clock is ahead of ours.
ALTER TABLE launch_log ADD COLUMN claims JSONB;
ALTER TABLE launch_log ADD COLUMN skew_seconds BIGINT;

-- ags | outcomes: which service takes the score; outcomes address a result by its sourcedid.
ALTER TABLE grade_targets ADD COLUMN service TEXT NOT NULL DEFAULT 'ags';
ALTER TABLE grade_targets ADD COLUMN sourcedid TEXT;
