-- Shared global objectives and shared data (SCORM 2004) belong to the learner, over all courses and
-- attempts, unless a package says otherwise. A preview keeps its own.
CREATE TABLE learner_objectives (
    person_id UUID NOT NULL REFERENCES people (id),
    preview BOOLEAN NOT NULL,
    target TEXT NOT NULL,
    status JSONB NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (person_id, preview, target)
);

CREATE TABLE learner_data (
    person_id UUID NOT NULL REFERENCES people (id),
    preview BOOLEAN NOT NULL,
    target TEXT NOT NULL,
    value TEXT NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (person_id, preview, target)
);
