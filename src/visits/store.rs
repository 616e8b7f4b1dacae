//! The launches' SQL.

use chrono::{DateTime, Utc};
use sqlx::types::Json;

use super::{Bearer, Launch, Opens, Role};
use crate::db::{self, Tx};
use crate::ids::{
    ContextId, EventId, LaunchId, PersonId, RegistrationId, ResourceLinkId, SignInSessionId,
};

/// The launch, if it is this browser's and not over.
pub async fn find(
    tx: &mut Tx,
    id: LaunchId,
    browser: &Bearer,
    now: DateTime<Utc>,
) -> db::Result<Option<Launch>> {
    tx.query(
        "SELECT l.id, l.sign_in_session_id, l.registration_id, l.deployment_id, l.person_id,
             l.identity_id, l.context_id, l.resource_link_id, l.role, l.locale, l.details,
             l.created_at, l.expires_at
         FROM launches l JOIN sign_in_sessions s ON s.id = l.sign_in_session_id
         WHERE l.id = $1 AND s.token_hash = $2 AND s.carrier = $3 AND l.expires_at > $4",
    )
    .bind(id)
    .bind(browser.hash())
    .bind(browser.carrier())
    .bind(now)
    .optional()
    .await
}

/// The session of the browser with this token: found, or made.
pub async fn insert_session(
    tx: &mut Tx,
    browser: &Bearer,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> db::Result<SignInSessionId> {
    let (id,): (SignInSessionId,) = tx
        .query(
            "INSERT INTO sign_in_sessions (id, token_hash, carrier, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (token_hash) DO UPDATE SET expires_at = excluded.expires_at
             RETURNING id",
        )
        .bind(SignInSessionId::new(now))
        .bind(browser.hash())
        .bind(browser.carrier())
        .bind(now)
        .bind(expires_at)
        .one()
        .await?;
    Ok(id)
}

/// Another person of the same platform launches in this browser: what the one before had open is
/// over (a shared computer, where only the LMS was signed out of).
pub async fn end_of_others(
    tx: &mut Tx,
    session: SignInSessionId,
    registration: RegistrationId,
    person: PersonId,
    now: DateTime<Utc>,
) -> db::Result<()> {
    tx.query(
        "UPDATE launches SET expires_at = $4
         WHERE sign_in_session_id = $1 AND registration_id = $2 AND person_id <> $3
             AND expires_at > $4",
    )
    .bind(session)
    .bind(registration)
    .bind(person)
    .bind(now)
    .execute()
    .await?;
    Ok(())
}

pub async fn insert(tx: &mut Tx, launch: &Launch, message: &str) -> db::Result<()> {
    tx.query(
        "INSERT INTO launches (id, sign_in_session_id, registration_id, deployment_id, person_id,
             identity_id, context_id, resource_link_id, role, locale, message, details,
             created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
    )
    .bind(launch.id)
    .bind(launch.sign_in_session_id)
    .bind(launch.registration_id)
    .bind(launch.deployment_id.clone())
    .bind(launch.person_id)
    .bind(launch.identity_id)
    .bind(launch.context_id)
    .bind(launch.resource_link_id)
    .bind(launch.role)
    .bind(launch.locale)
    .bind(message.to_owned())
    .bind(Json(launch.details.0.clone()))
    .bind(launch.created_at)
    .bind(launch.expires_at)
    .execute()
    .await?;
    Ok(())
}

/// False when the nonce was spent before.
pub async fn spend_nonce(
    tx: &mut Tx,
    nonce_hash: &str,
    launch: LaunchId,
    expires_at: DateTime<Utc>,
) -> db::Result<bool> {
    let rows = tx
        .query(
            "INSERT INTO spent_nonces (nonce_hash, launch_id, expires_at) VALUES ($1, $2, $3)
             ON CONFLICT (nonce_hash) DO NOTHING",
        )
        .bind(nonce_hash.to_owned())
        .bind(launch)
        .bind(expires_at)
        .execute()
        .await?;
    Ok(rows == 1)
}

/// The launch that spent a nonce, if this browser made it and it is not over.
pub async fn spent_by(
    tx: &mut Tx,
    nonce_hash: &str,
    browser: &Bearer,
    now: DateTime<Utc>,
) -> db::Result<Option<Launch>> {
    let spent: Option<(LaunchId,)> = tx
        .query("SELECT launch_id FROM spent_nonces WHERE nonce_hash = $1")
        .bind(nonce_hash.to_owned())
        .optional()
        .await?;
    match spent {
        Some((id,)) => find(tx, id, browser, now).await,
        None => Ok(None),
    }
}

pub async fn insert_context(
    tx: &mut Tx,
    registration: RegistrationId,
    lms_id: &str,
    title: Option<String>,
    label: Option<String>,
    now: DateTime<Utc>,
) -> db::Result<ContextId> {
    let (id,): (ContextId,) = tx
        .query(
            "INSERT INTO contexts (id, registration_id, lms_id, title, label, created_at)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (registration_id, lms_id) DO UPDATE SET
                 title = coalesce(excluded.title, contexts.title),
                 label = coalesce(excluded.label, contexts.label)
             RETURNING id",
        )
        .bind(ContextId::new(now))
        .bind(registration)
        .bind(lms_id.to_owned())
        .bind(title)
        .bind(label)
        .bind(now)
        .one()
        .await?;
    Ok(id)
}

pub async fn context_title(tx: &mut Tx, id: ContextId) -> db::Result<Option<String>> {
    let (title,): (Option<String>,) = tx
        .query("SELECT coalesce(title, label) FROM contexts WHERE id = $1")
        .bind(id)
        .one()
        .await?;
    Ok(title)
}

pub async fn set_membership(
    tx: &mut Tx,
    context: ContextId,
    person: PersonId,
    role: Role,
    now: DateTime<Utc>,
) -> db::Result<()> {
    tx.query(
        "INSERT INTO memberships (context_id, person_id, role, seen_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (context_id, person_id) DO UPDATE SET
             role = excluded.role, seen_at = excluded.seen_at",
    )
    .bind(context)
    .bind(person)
    .bind(role)
    .bind(now)
    .execute()
    .await?;
    Ok(())
}

/// The link, with what it opens when the launch said so; a link never forgets what it opened.
pub async fn insert_resource_link(
    tx: &mut Tx,
    registration: RegistrationId,
    lms_id: &str,
    context: Option<ContextId>,
    title: Option<String>,
    opens: &Opens,
    now: DateTime<Utc>,
) -> db::Result<(ResourceLinkId, Opens)> {
    #[derive(sqlx::FromRow)]
    struct Link {
        id: ResourceLinkId,
        course_id: Option<uuid::Uuid>,
        event_id: Option<uuid::Uuid>,
    }
    let (course, event) = match opens {
        Opens::Course(course) => (Some(course.uuid()), None),
        Opens::Event(event) => (None, Some(event.uuid())),
        _ => (None, None),
    };
    let link: Link = tx
        .query(
            "INSERT INTO resource_links (id, registration_id, lms_id, context_id, title, course_id,
                 event_id, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (registration_id, lms_id) DO UPDATE SET
                 context_id = coalesce(excluded.context_id, resource_links.context_id),
                 title = coalesce(excluded.title, resource_links.title),
                 course_id = CASE WHEN excluded.event_id IS NULL
                     THEN coalesce(excluded.course_id, resource_links.course_id) END,
                 event_id = CASE WHEN excluded.course_id IS NULL
                     THEN coalesce(excluded.event_id, resource_links.event_id) END
             RETURNING id, course_id, event_id",
        )
        .bind(ResourceLinkId::new(now))
        .bind(registration)
        .bind(lms_id.to_owned())
        .bind(context)
        .bind(title)
        .bind(course)
        .bind(event)
        .bind(now)
        .one()
        .await?;
    let opens = match (opens, link.course_id, link.event_id) {
        (Opens::Nothing, Some(course), _) => Opens::Course(course.into()),
        (Opens::Nothing, None, Some(event)) => Opens::Event(event.into()),
        (said, ..) => said.clone(),
    };
    Ok((link.id, opens))
}

/// What a link opens; `None` when it was never launched.
pub async fn link_opens(
    tx: &mut Tx,
    registration: RegistrationId,
    lms_id: &str,
) -> db::Result<Option<Opens>> {
    let row: Option<(Option<uuid::Uuid>, Option<uuid::Uuid>)> = tx
        .query(
            "SELECT course_id, event_id FROM resource_links
             WHERE registration_id = $1 AND lms_id = $2",
        )
        .bind(registration)
        .bind(lms_id.to_owned())
        .optional()
        .await?;
    Ok(row.map(|row| match row {
        (Some(course), _) => Opens::Course(course.into()),
        (None, Some(event)) => Opens::Event(event.into()),
        (None, None) => Opens::Nothing,
    }))
}

/// The context's links that opened the one event open the other from now on.
pub async fn repoint_links(
    tx: &mut Tx,
    context: ContextId,
    from: EventId,
    to: EventId,
) -> db::Result<()> {
    tx.query("UPDATE resource_links SET event_id = $3 WHERE context_id = $1 AND event_id = $2")
        .bind(context)
        .bind(from)
        .bind(to)
        .execute()
        .await?;
    Ok(())
}

/// Holds the context until the end of the transaction: two trainers who decide at once decide one
/// after the other.
pub async fn hold_context(tx: &mut Tx, id: ContextId) -> db::Result<()> {
    let _: (ContextId,) = tx
        .query_pair(
            "SELECT id FROM contexts WHERE id = $1",
            "SELECT id FROM contexts WHERE id = $1 FOR NO KEY UPDATE",
        )
        .bind(id)
        .one()
        .await?;
    Ok(())
}

/// The contexts of a registration that have these identifiers of the LMS, in the same order; what
/// is not known here is left out.
pub async fn contexts_of_lms(
    tx: &mut Tx,
    registration: RegistrationId,
    lms_ids: &[String],
) -> db::Result<Vec<ContextId>> {
    let mut known = Vec::new();
    for lms_id in lms_ids {
        let found: Option<(ContextId,)> = tx
            .query("SELECT id FROM contexts WHERE registration_id = $1 AND lms_id = $2")
            .bind(registration)
            .bind(lms_id.clone())
            .optional()
            .await?;
        known.extend(found.map(|(id,)| id));
    }
    Ok(known)
}

/// Removes nonces that no valid token can carry any more, launches that were over before
/// `launches_before`, and browsers that have none left.
pub async fn clean(
    tx: &mut Tx,
    now: DateTime<Utc>,
    launches_before: DateTime<Utc>,
) -> db::Result<()> {
    tx.query("DELETE FROM spent_nonces WHERE expires_at < $1").bind(now).execute().await?;
    tx.query(
        "DELETE FROM launches WHERE expires_at < $1
             AND NOT EXISTS (SELECT 1 FROM spent_nonces n WHERE n.launch_id = launches.id)",
    )
    .bind(launches_before)
    .execute()
    .await?;
    tx.query(
        "DELETE FROM sign_in_sessions WHERE expires_at < $1 AND NOT EXISTS (
             SELECT 1 FROM launches l WHERE l.sign_in_session_id = sign_in_sessions.id)",
    )
    .bind(launches_before)
    .execute()
    .await?;
    Ok(())
}
