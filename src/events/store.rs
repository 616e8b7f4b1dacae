//! The events' SQL.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::places::Change;
use super::{Event, EventDate, EventState, NewDate, NewEvent, Signup};
use crate::db::{self, Tx};
use crate::ids::{
    ContextId, CredentialId, EventDateId, EventId, PersonId, SignupId, TenantId, uuid_at,
};
use crate::people::Person;

pub(super) async fn insert(
    tx: &mut Tx,
    id: EventId,
    tenant: TenantId,
    context: ContextId,
    by: PersonId,
    new: &NewEvent,
    now: DateTime<Utc>,
) -> db::Result<()> {
    tx.query(
        "INSERT INTO events (id, tenant_id, context_id, title, description, time_zone, capacity,
             join_url, state, sequence, edition, turn, created_by, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0, 0, $10, $11, $11)",
    )
    .bind(id)
    .bind(tenant)
    .bind(context)
    .bind(new.title.clone())
    .bind(new.description.clone())
    .bind(new.time_zone.name())
    .bind(new.capacity)
    .bind(new.join_url.clone())
    .bind(EventState::Scheduled)
    .bind(by)
    .bind(now)
    .execute()
    .await?;
    insert_context(tx, id, context, by, now).await
}

/// From now on the event is this context's too.
pub(super) async fn insert_context(
    tx: &mut Tx,
    event: EventId,
    context: ContextId,
    by: PersonId,
    now: DateTime<Utc>,
) -> db::Result<()> {
    tx.query(
        "INSERT INTO event_contexts (event_id, context_id, decided_by, created_at)
         VALUES ($1, $2, $3, $4) ON CONFLICT (event_id, context_id) DO NOTHING",
    )
    .bind(event)
    .bind(context)
    .bind(by)
    .bind(now)
    .execute()
    .await?;
    Ok(())
}

pub(super) async fn insert_date(
    tx: &mut Tx,
    event: EventId,
    id: EventDateId,
    date: NewDate,
) -> db::Result<()> {
    tx.query("INSERT INTO event_dates (id, event_id, starts_at, ends_at) VALUES ($1, $2, $3, $4)")
        .bind(id)
        .bind(event)
        .bind(date.starts_at)
        .bind(date.ends_at)
        .execute()
        .await?;
    Ok(())
}

pub(super) async fn move_date(tx: &mut Tx, id: EventDateId, to: NewDate) -> db::Result<()> {
    tx.query("UPDATE event_dates SET starts_at = $2, ends_at = $3 WHERE id = $1")
        .bind(id)
        .bind(to.starts_at)
        .bind(to.ends_at)
        .execute()
        .await?;
    Ok(())
}

/// The event, held until the end of the transaction: on PostgreSQL too, whoever changes its places
/// does so after the others, and then sees what they did. `None` when it is none of this
/// context's.
pub(super) async fn lock(
    tx: &mut Tx,
    id: EventId,
    context: ContextId,
) -> db::Result<Option<Event>> {
    tx.query(
        "UPDATE events SET turn = turn + 1 WHERE id = $1 AND EXISTS (
             SELECT 1 FROM event_contexts c WHERE c.event_id = events.id AND c.context_id = $2)
         RETURNING id, tenant_id, context_id, title, description, time_zone, capacity, join_url,
             state, sequence, edition, turn",
    )
    .bind(id)
    .bind(context)
    .optional()
    .await
}

pub(super) async fn find(tx: &mut Tx, id: EventId) -> db::Result<Option<Event>> {
    tx.query(
        "SELECT id, tenant_id, context_id, title, description, time_zone, capacity, join_url,
             state, sequence, edition, turn
         FROM events WHERE id = $1",
    )
    .bind(id)
    .optional()
    .await
}

/// The same without a context, for what a whole person is about.
pub(super) async fn hold(tx: &mut Tx, id: EventId) -> db::Result<Event> {
    tx.query(
        "UPDATE events SET turn = turn + 1 WHERE id = $1
         RETURNING id, tenant_id, context_id, title, description, time_zone, capacity, join_url,
             state, sequence, edition, turn",
    )
    .bind(id)
    .one()
    .await
}

/// Whether the event is one of this context's: its own, or shared with it.
pub(super) async fn is_of_context(
    tx: &mut Tx,
    id: EventId,
    context: ContextId,
) -> db::Result<bool> {
    let (count,): (i64,) = tx
        .query("SELECT COUNT(*) FROM event_contexts WHERE event_id = $1 AND context_id = $2")
        .bind(id)
        .bind(context)
        .one()
        .await?;
    Ok(count > 0)
}

/// Whether there is such an event of this tenant.
pub async fn is_of_tenant(tx: &mut Tx, id: EventId, tenant: TenantId) -> db::Result<bool> {
    let (count,): (i64,) = tx
        .query("SELECT COUNT(*) FROM events WHERE id = $1 AND tenant_id = $2")
        .bind(id)
        .bind(tenant)
        .one()
        .await?;
    Ok(count > 0)
}

pub(super) async fn update(
    tx: &mut Tx,
    id: EventId,
    new: &NewEvent,
    sequence: i64,
    now: DateTime<Utc>,
) -> db::Result<()> {
    tx.query(
        "UPDATE events SET title = $2, description = $3, time_zone = $4, capacity = $5,
             join_url = $6, sequence = $7, edition = edition + 1, updated_at = $8
         WHERE id = $1",
    )
    .bind(id)
    .bind(new.title.clone())
    .bind(new.description.clone())
    .bind(new.time_zone.name())
    .bind(new.capacity)
    .bind(new.join_url.clone())
    .bind(sequence)
    .bind(now)
    .execute()
    .await?;
    Ok(())
}

pub(super) async fn set_state(
    tx: &mut Tx,
    id: EventId,
    state: EventState,
    sequence: i64,
    now: DateTime<Utc>,
) -> db::Result<()> {
    tx.query(
        "UPDATE events SET state = $2, sequence = $3, edition = edition + 1, updated_at = $4
         WHERE id = $1",
    )
    .bind(id)
    .bind(state)
    .bind(sequence)
    .bind(now)
    .execute()
    .await?;
    Ok(())
}

/// In their order.
pub(super) async fn dates(tx: &mut Tx, event: EventId) -> db::Result<Vec<EventDate>> {
    tx.query(
        "SELECT id, starts_at, ends_at FROM event_dates WHERE event_id = $1
         ORDER BY starts_at, id",
    )
    .bind(event)
    .all()
    .await
}

#[derive(sqlx::FromRow)]
struct DateOfEvent {
    event_id: EventId,
    #[sqlx(flatten)]
    date: EventDate,
}

pub(super) async fn date(tx: &mut Tx, id: EventDateId) -> db::Result<Option<(EventId, EventDate)>> {
    let row: Option<DateOfEvent> = tx
        .query("SELECT event_id, id, starts_at, ends_at FROM event_dates WHERE id = $1")
        .bind(id)
        .optional()
        .await?;
    Ok(row.map(|row| (row.event_id, row.date)))
}

/// How many people an event has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Counts {
    pub confirmed: i64,
    pub waiting: i64,
    /// Those whose presence is attested.
    pub present: i64,
}

pub(super) async fn counts(tx: &mut Tx, event: EventId) -> db::Result<Counts> {
    tx.query(
        "SELECT COUNT(*) FILTER (WHERE state = 'confirmed') AS confirmed,
             COUNT(*) FILTER (WHERE state = 'waiting') AS waiting,
             COUNT(*) FILTER (WHERE presence = 'present') AS present
         FROM signups WHERE event_id = $1",
    )
    .bind(event)
    .one()
    .await
}

/// An event of a context, in brief.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Listed {
    pub id: EventId,
    pub title: String,
    pub state: EventState,
    time_zone: String,
    pub capacity: Option<i64>,
    /// The first date's.
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    /// When the last date ends.
    pub over_at: DateTime<Utc>,
    pub confirmed: i64,
    pub waiting: i64,
    /// Those who have a place and whose presence is not decided.
    pub undecided: i64,
}

impl Listed {
    /// The zone its dates are written in; an unknown name counts as UTC.
    pub fn zone(&self) -> Tz {
        self.time_zone.parse().unwrap_or(Tz::UTC)
    }
}

/// The context's events, its own and those shared with it, by their first date.
pub async fn of_context(tx: &mut Tx, context: ContextId) -> db::Result<Vec<Listed>> {
    // Rows and not min() and max(): SQLite knows the type of a column, not of an expression.
    tx.query(
        "SELECT e.id, e.title, e.state, e.time_zone, e.capacity, f.starts_at, f.ends_at,
             l.ends_at AS over_at,
             (SELECT COUNT(*) FROM signups s WHERE s.event_id = e.id AND s.state = 'confirmed')
                 AS confirmed,
             (SELECT COUNT(*) FROM signups s WHERE s.event_id = e.id AND s.state = 'waiting')
                 AS waiting,
             (SELECT COUNT(*) FROM signups s WHERE s.event_id = e.id AND s.state = 'confirmed'
                 AND s.presence IS NULL) AS undecided
         FROM events e
         JOIN event_dates f ON f.id = (SELECT d.id FROM event_dates d WHERE d.event_id = e.id
             ORDER BY d.starts_at, d.id LIMIT 1)
         JOIN event_dates l ON l.id = (SELECT d.id FROM event_dates d WHERE d.event_id = e.id
             ORDER BY d.ends_at DESC, d.id LIMIT 1)
         WHERE EXISTS (SELECT 1 FROM event_contexts c WHERE c.event_id = e.id
             AND c.context_id = $1)
         ORDER BY f.starts_at, e.id",
    )
    .bind(context)
    .all()
    .await
}

/// The person's places in the context's events.
pub(super) async fn own_signups(
    tx: &mut Tx,
    context: ContextId,
    person: PersonId,
) -> db::Result<Vec<Signup>> {
    tx.query(
        "SELECT s.id AS signup_id, s.event_id, s.person_id, s.state, s.position, s.revision,
             s.presence
         FROM signups s JOIN event_contexts c ON c.event_id = s.event_id
         WHERE s.person_id = $2 AND c.context_id = $1",
    )
    .bind(context)
    .bind(person)
    .all()
    .await
}

pub(super) async fn signup(
    tx: &mut Tx,
    event: EventId,
    person: PersonId,
) -> db::Result<Option<Signup>> {
    tx.query(
        "SELECT id AS signup_id, event_id, person_id, state, position, revision, presence
         FROM signups WHERE event_id = $1 AND person_id = $2",
    )
    .bind(event)
    .bind(person)
    .optional()
    .await
}

/// How many wait before this one.
pub(super) async fn ahead(tx: &mut Tx, signup: &Signup) -> db::Result<i64> {
    let (ahead,): (i64,) = tx
        .query(
            "SELECT COUNT(*) FROM signups
             WHERE event_id = $1 AND state = 'waiting' AND position < $2",
        )
        .bind(signup.event_id)
        .bind(signup.position)
        .one()
        .await?;
    Ok(ahead)
}

pub(super) async fn first_waiting(
    tx: &mut Tx,
    event: EventId,
    limit: i64,
) -> db::Result<Vec<Signup>> {
    tx.query(
        "SELECT id AS signup_id, event_id, person_id, state, position, revision, presence
         FROM signups WHERE event_id = $1 AND state = 'waiting' ORDER BY position LIMIT $2",
    )
    .bind(event)
    .bind(limit)
    .all()
    .await
}

/// Somebody's place, and who it is.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Participant {
    #[sqlx(flatten)]
    pub signup: Signup,
    #[sqlx(flatten)]
    pub person: Person,
}

/// Everyone who ever signed up, in the order of their places.
pub(super) async fn participants(tx: &mut Tx, event: EventId) -> db::Result<Vec<Participant>> {
    tx.query(
        "SELECT s.id AS signup_id, s.event_id, s.person_id, s.state, s.position, s.revision,
             s.presence, p.id, p.tenant_id, p.given_name, p.family_name, p.full_name, p.email,
             p.locale
         FROM signups s JOIN people p ON p.id = s.person_id
         WHERE s.event_id = $1 ORDER BY s.position, s.id",
    )
    .bind(event)
    .all()
    .await
}

/// Who came from a context so far: the person, and what its platform calls them.
pub(super) async fn people_of_context(
    tx: &mut Tx,
    context: ContextId,
) -> db::Result<Vec<(PersonId, String)>> {
    tx.query(
        "SELECT m.person_id, i.subject FROM memberships m
         JOIN contexts c ON c.id = m.context_id
         JOIN identities i ON i.person_id = m.person_id AND i.registration_id = c.registration_id
         WHERE m.context_id = $1",
    )
    .bind(context)
    .all()
    .await
}

/// The next of those who have a place, by identifier.
pub(super) async fn confirmed_after(
    tx: &mut Tx,
    event: EventId,
    after: Option<SignupId>,
    limit: i64,
) -> db::Result<Vec<Participant>> {
    tx.query(
        "SELECT s.id AS signup_id, s.event_id, s.person_id, s.state, s.position, s.revision,
             s.presence, p.id, p.tenant_id, p.given_name, p.family_name, p.full_name, p.email,
             p.locale
         FROM signups s JOIN people p ON p.id = s.person_id
         WHERE s.event_id = $1 AND s.state = 'confirmed' AND s.id > $2 ORDER BY s.id LIMIT $3",
    )
    .bind(event)
    .bind(after.unwrap_or(SignupId::from(uuid::Uuid::nil())))
    .bind(limit)
    .all()
    .await
}

pub(super) async fn insert_signup(
    tx: &mut Tx,
    signup: &Signup,
    now: DateTime<Utc>,
) -> db::Result<()> {
    tx.query(
        "INSERT INTO signups (id, event_id, person_id, state, position, revision, created_at,
             updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7)",
    )
    .bind(signup.id)
    .bind(signup.event_id)
    .bind(signup.person_id)
    .bind(signup.state)
    .bind(signup.position)
    .bind(signup.revision)
    .bind(now)
    .execute()
    .await?;
    Ok(())
}

/// State, order and revision; a place that changes hands has no presence.
pub(super) async fn update_signup(
    tx: &mut Tx,
    signup: &Signup,
    now: DateTime<Utc>,
) -> db::Result<()> {
    tx.query(
        "UPDATE signups SET state = $2, position = $3, revision = $4, presence = NULL,
             presence_by = NULL, presence_at = NULL, updated_at = $5
         WHERE id = $1",
    )
    .bind(signup.id)
    .bind(signup.state)
    .bind(signup.position)
    .bind(signup.revision)
    .bind(now)
    .execute()
    .await?;
    Ok(())
}

pub(super) async fn set_presence(
    tx: &mut Tx,
    signup: &Signup,
    by: PersonId,
    now: DateTime<Utc>,
) -> db::Result<()> {
    tx.query(
        "UPDATE signups SET presence = $2, presence_by = $3, presence_at = $4, updated_at = $4
         WHERE id = $1",
    )
    .bind(signup.id)
    .bind(signup.presence)
    .bind(by)
    .bind(now)
    .execute()
    .await?;
    Ok(())
}

pub(super) async fn insert_history(
    tx: &mut Tx,
    signup: SignupId,
    change: Change,
    by: PersonId,
    now: DateTime<Utc>,
) -> db::Result<()> {
    tx.query(
        "INSERT INTO signup_history (id, signup_id, change, by_person, at)
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(uuid_at(now))
    .bind(signup)
    .bind(change)
    .bind(by)
    .bind(now)
    .execute()
    .await?;
    Ok(())
}

/// The attestation of somebody's presence, and whether its PDF is made.
pub(super) async fn attestation(
    tx: &mut Tx,
    signup: SignupId,
) -> db::Result<Option<(CredentialId, bool)>> {
    let row: Option<(CredentialId, Option<String>)> = tx
        .query(
            "SELECT c.id, c.pdf FROM credentials c JOIN completions k ON k.id = c.completion_id
             WHERE k.signup_id = $1",
        )
        .bind(signup)
        .optional()
        .await?;
    Ok(row.map(|(id, pdf)| (id, pdf.is_some())))
}

/// Everything the person ever signed up for.
pub(super) async fn signups_of_person(tx: &mut Tx, person: PersonId) -> db::Result<Vec<Signup>> {
    tx.query(
        "SELECT id AS signup_id, event_id, person_id, state, position, revision, presence
         FROM signups WHERE person_id = $1 ORDER BY event_id",
    )
    .bind(person)
    .all()
    .await
}

pub(super) async fn give_signup(tx: &mut Tx, id: SignupId, person: PersonId) -> db::Result<()> {
    tx.query("UPDATE signups SET person_id = $2 WHERE id = $1")
        .bind(id)
        .bind(person)
        .execute()
        .await?;
    Ok(())
}
