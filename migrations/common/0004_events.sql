CREATE TABLE events (
    id UUID PRIMARY KEY,
    tenant_id UUID NOT NULL REFERENCES tenants (id),
    -- The LMS course whose trainers run it and whose learners may sign up.
    context_id UUID NOT NULL REFERENCES contexts (id),
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    -- NULL: no limit.
    capacity BIGINT,
    join_url TEXT,
    -- scheduled | cancelled
    state TEXT NOT NULL,
    -- iCalendar SEQUENCE: +1 whenever time, place, title or state change.
    sequence BIGINT NOT NULL,
    -- +1 with each edit: a form that was opened before another edit is refused.
    edition BIGINT NOT NULL,
    -- +1 with each change of the event or its places. Whoever raises it holds the row until the
    -- end of the transaction, so that places are given one after the other.
    turn BIGINT NOT NULL,
    created_by UUID NOT NULL REFERENCES people (id),
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX events_by_context ON events (context_id);

CREATE TABLE event_dates (
    id UUID PRIMARY KEY,
    event_id UUID NOT NULL REFERENCES events (id),
    starts_at TIMESTAMPTZ NOT NULL,
    ends_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX event_dates_by_event ON event_dates (event_id, starts_at);

CREATE TABLE signups (
    id UUID PRIMARY KEY,
    event_id UUID NOT NULL REFERENCES events (id),
    person_id UUID NOT NULL REFERENCES people (id),
    -- confirmed | waiting | withdrawn
    state TEXT NOT NULL,
    -- Order on the waiting list: the event's turn at the sign-up.
    position BIGINT NOT NULL,
    -- How often this place changed: tells one confirmation mail from the next.
    revision BIGINT NOT NULL,
    -- NULL: not decided. present | absent
    presence TEXT,
    presence_by UUID REFERENCES people (id),
    presence_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    UNIQUE (event_id, person_id)
);
CREATE INDEX signups_by_place ON signups (event_id, state, position);
CREATE INDEX signups_by_person ON signups (person_id);

-- What happened to a place, in order; never changed.
CREATE TABLE signup_history (
    id UUID PRIMARY KEY,
    signup_id UUID NOT NULL REFERENCES signups (id),
    -- confirmed | waiting | promoted | withdrawn | present | absent
    change TEXT NOT NULL,
    -- Whose act it was: the person's own, or the one that freed the place.
    by_person UUID NOT NULL REFERENCES people (id),
    at TIMESTAMPTZ NOT NULL
);
CREATE INDEX signup_history_by_signup ON signup_history (signup_id, at);
