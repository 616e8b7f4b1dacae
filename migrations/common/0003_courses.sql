CREATE TABLE courses (
    id UUID PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    -- NULL: shared by every tenant.
    tenant_id UUID REFERENCES tenants (id),
    created_at TIMESTAMPTZ NOT NULL
);

-- A version is one immutable package in one language.
CREATE TABLE course_versions (
    id UUID PRIMARY KEY,
    course_id UUID NOT NULL REFERENCES courses (id),
    language TEXT NOT NULL,
    version TEXT NOT NULL,
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    duration_minutes BIGINT NOT NULL,
    -- SHA-256 of the zip: its name among the blobs.
    package TEXT NOT NULL,
    package_bytes BIGINT NOT NULL,
    -- Where each file stands inside the zip.
    archive JSONB NOT NULL,
    manifest JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    UNIQUE (course_id, language, version)
);

CREATE TABLE enrolments (
    id UUID PRIMARY KEY,
    person_id UUID NOT NULL REFERENCES people (id),
    course_id UUID NOT NULL REFERENCES courses (id),
    -- A trainer's preview plays and is neither graded nor awarded.
    preview BOOLEAN NOT NULL,
    -- The host name of this enrolment's content: 128 random bits. NULL once revoked.
    label TEXT UNIQUE,
    created_at TIMESTAMPTZ NOT NULL,
    UNIQUE (person_id, course_id, preview)
);

CREATE TABLE attempts (
    id UUID PRIMARY KEY,
    enrolment_id UUID NOT NULL REFERENCES enrolments (id),
    course_version_id UUID NOT NULL REFERENCES course_versions (id),
    number BIGINT NOT NULL,
    -- Of the token the player commits with; replaced at each opening of the player.
    token_hash TEXT UNIQUE,
    -- The last commit that was merged; a commit is merged once.
    sequence BIGINT NOT NULL,
    -- Tracking state of the sequencing engine.
    state JSONB NOT NULL,
    -- active | completed
    status TEXT NOT NULL,
    completed_activities BIGINT NOT NULL,
    score_scaled DOUBLE PRECISION,
    started_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    completed_at TIMESTAMPTZ,
    UNIQUE (enrolment_id, number)
);

-- What one activity stored through the run-time API.
CREATE TABLE activity_data (
    attempt_id UUID NOT NULL REFERENCES attempts (id),
    activity TEXT NOT NULL,
    model JSONB NOT NULL,
    seconds BIGINT NOT NULL,
    -- Whether the last session asked to be resumed.
    suspended BOOLEAN NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (attempt_id, activity)
);

-- Where the score of an enrolment goes: one row a resource link the learner came through.
CREATE TABLE grade_targets (
    id UUID PRIMARY KEY,
    enrolment_id UUID NOT NULL REFERENCES enrolments (id),
    resource_link_id UUID NOT NULL REFERENCES resource_links (id),
    identity_id UUID NOT NULL REFERENCES identities (id),
    line_item TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    UNIQUE (enrolment_id, resource_link_id)
);

-- The outbox of grades.
CREATE TABLE scores (
    id UUID PRIMARY KEY,
    grade_target_id UUID NOT NULL REFERENCES grade_targets (id),
    given DOUBLE PRECISION NOT NULL,
    maximum DOUBLE PRECISION NOT NULL,
    -- The instant the score stands for; strictly increasing, a second at least, within a target.
    at TIMESTAMPTZ NOT NULL,
    -- pending | delivered | superseded | refused
    state TEXT NOT NULL,
    detail TEXT,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX scores_by_target ON scores (grade_target_id, at);
