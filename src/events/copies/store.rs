//! The copies' SQL.

use chrono::{DateTime, Utc};

use crate::db::{self, Tx};
use crate::ids::{ContextId, EventId, PersonId};

/// What links of the context that name the event open, when a trainer decided so there.
pub(super) async fn copy_of(
    tx: &mut Tx,
    context: ContextId,
    event: EventId,
) -> db::Result<Option<EventId>> {
    let row: Option<(EventId,)> = tx
        .query("SELECT opens_id FROM event_copies WHERE context_id = $1 AND event_id = $2")
        .bind(context)
        .bind(event)
        .optional()
        .await?;
    Ok(row.map(|(id,)| id))
}

pub(super) async fn insert_copy(
    tx: &mut Tx,
    context: ContextId,
    event: EventId,
    opens: EventId,
    by: PersonId,
    now: DateTime<Utc>,
) -> db::Result<()> {
    tx.query(
        "INSERT INTO event_copies (context_id, event_id, opens_id, decided_by, created_at)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (context_id, event_id) DO NOTHING",
    )
    .bind(context)
    .bind(event)
    .bind(opens)
    .bind(by)
    .bind(now)
    .execute()
    .await?;
    Ok(())
}

/// The events that links name which open this one.
pub(super) async fn origins(tx: &mut Tx, event: EventId) -> db::Result<Vec<EventId>> {
    let rows: Vec<(EventId,)> = tx
        .query("SELECT DISTINCT event_id FROM event_copies WHERE opens_id = $1")
        .bind(event)
        .all()
        .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// A course whose people come to an event.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Sharing {
    pub context_id: ContextId,
    /// As its platform calls it, where it told.
    pub title: Option<String>,
    pub platform: String,
}

/// In the order in which they came to it.
pub async fn sharing(tx: &mut Tx, event: EventId) -> db::Result<Vec<Sharing>> {
    tx.query(
        "SELECT c.id AS context_id, coalesce(c.title, c.label) AS title, r.name AS platform
         FROM event_contexts e JOIN contexts c ON c.id = e.context_id
         JOIN registrations r ON r.id = c.registration_id
         WHERE e.event_id = $1 ORDER BY e.created_at, c.id",
    )
    .bind(event)
    .all()
    .await
}

/// The course in which the person finds the event: of those that share it, the one they were in
/// last.
pub(in crate::events) async fn course_of(
    tx: &mut Tx,
    event: EventId,
    person: PersonId,
) -> db::Result<Option<String>> {
    let row: Option<(Option<String>,)> = tx
        .query(
            "SELECT coalesce(c.title, c.label) FROM event_contexts e
             JOIN contexts c ON c.id = e.context_id
             JOIN memberships m ON m.context_id = c.id AND m.person_id = $2
             WHERE e.event_id = $1 ORDER BY m.seen_at DESC LIMIT 1",
        )
        .bind(event)
        .bind(person)
        .optional()
        .await?;
    Ok(row.and_then(|(title,)| title))
}
