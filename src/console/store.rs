//! The console's SQL: staff, their links and sessions, and what needs somebody.

use chrono::{DateTime, TimeDelta, Utc};

use super::{NewStaff, Staff, StaffRole};
use crate::db::{self, Tx};
use crate::ids::{PersonId, RegistrationId, StaffId, StaffLinkId, StaffSessionId, TenantId, Token};
use crate::web::Lang;

const COLUMNS: &str = "s.id, s.name, s.email, s.role, s.tenant_id, s.locale, s.person_id";

/// False when the address is somebody's already.
pub(super) async fn insert(
    tx: &mut Tx,
    id: StaffId,
    person: PersonId,
    new: &NewStaff,
    role: StaffRole,
    email_key: &str,
    now: DateTime<Utc>,
) -> db::Result<bool> {
    let rows = tx
        .query(
            "INSERT INTO staff (id, person_id, name, email, email_key, role, tenant_id, locale,
                 created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             ON CONFLICT (email_key) WHERE removed_at IS NULL DO NOTHING",
        )
        .bind(id)
        .bind(person)
        .bind(new.name.clone())
        .bind(new.email.to_string())
        .bind(email_key.to_owned())
        .bind(role)
        .bind(new.coordinates)
        .bind(new.locale)
        .bind(now)
        .execute()
        .await?;
    Ok(rows == 1)
}

pub(super) async fn find(tx: &mut Tx, id: StaffId) -> db::Result<Option<Staff>> {
    tx.query_built(format!(
        "SELECT {COLUMNS} FROM staff s WHERE s.id = $1 AND s.removed_at IS NULL"
    ))
    .bind(id)
    .optional()
    .await
}

pub(super) async fn by_email(tx: &mut Tx, email_key: &str) -> db::Result<Option<Staff>> {
    tx.query_built(format!(
        "SELECT {COLUMNS} FROM staff s WHERE s.email_key = $1 AND s.removed_at IS NULL"
    ))
    .bind(email_key.to_owned())
    .optional()
    .await
}

/// A member of staff, as the command line lists them.
#[derive(Debug, sqlx::FromRow)]
pub struct Listed {
    pub name: String,
    pub email: String,
    pub role: StaffRole,
    /// The slug of the tenant whose training they coordinate.
    pub tenant: Option<String>,
    pub signed_in_at: Option<DateTime<Utc>>,
}

pub async fn all(tx: &mut Tx) -> db::Result<Vec<Listed>> {
    tx.query(
        "SELECT s.name, s.email, s.role, t.slug AS tenant, s.signed_in_at
         FROM staff s LEFT JOIN tenants t ON t.id = s.tenant_id
         WHERE s.removed_at IS NULL ORDER BY s.created_at, s.id",
    )
    .all()
    .await
}

pub(super) async fn remove(tx: &mut Tx, id: StaffId, now: DateTime<Utc>) -> db::Result<()> {
    tx.query("UPDATE staff SET removed_at = $2 WHERE id = $1").bind(id).bind(now).execute().await?;
    for own in [
        "DELETE FROM staff_sessions WHERE staff_id = $1",
        "DELETE FROM staff_links WHERE staff_id = $1",
        "DELETE FROM staff_identities WHERE staff_id = $1",
    ] {
        tx.query(own).bind(id).execute().await?;
    }
    Ok(())
}

pub(super) async fn set_locale(tx: &mut Tx, id: StaffId, locale: Lang) -> db::Result<()> {
    tx.query("UPDATE staff SET locale = $2 WHERE id = $1").bind(id).bind(locale).execute().await?;
    Ok(())
}

crate::text_enum! {
    /// What a link is for.
    pub enum Purpose {
        /// Handed over by whoever made somebody staff.
        Invitation = "invitation",
        /// Asked for on the sign-in page.
        SignIn = "sign-in",
    }
}

#[derive(Debug)]
pub(super) struct NewLink {
    pub(super) id: StaffLinkId,
    pub(super) staff: StaffId,
    pub(super) purpose: Purpose,
    pub(super) next: String,
    pub(super) expires_at: DateTime<Utc>,
}

#[derive(Debug, sqlx::FromRow)]
pub(super) struct Link {
    pub(super) id: StaffLinkId,
    pub(super) staff_id: StaffId,
    pub(super) purpose: Purpose,
    pub(super) next: String,
}

/// Notes that they ask for a link; false when they asked after `last`. Two that ask at once take
/// turns here.
pub(super) async fn ask(
    tx: &mut Tx,
    id: StaffId,
    now: DateTime<Utc>,
    last: DateTime<Utc>,
) -> db::Result<bool> {
    let rows = tx
        .query(
            "UPDATE staff SET asked_at = $2
             WHERE id = $1 AND (asked_at IS NULL OR asked_at <= $3)",
        )
        .bind(id)
        .bind(now)
        .bind(last)
        .execute()
        .await?;
    Ok(rows == 1)
}

pub(super) async fn insert_link(
    tx: &mut Tx,
    link: NewLink,
    token: &Token,
    now: DateTime<Utc>,
) -> db::Result<()> {
    tx.query(
        "INSERT INTO staff_links (id, staff_id, purpose, token_hash, next, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(link.id)
    .bind(link.staff)
    .bind(link.purpose)
    .bind(token.hash())
    .bind(link.next)
    .bind(now)
    .bind(link.expires_at)
    .execute()
    .await?;
    Ok(())
}

/// How many links they asked for after an instant.
pub(super) async fn links_since(tx: &mut Tx, id: StaffId, since: DateTime<Utc>) -> db::Result<i64> {
    let (count,): (i64,) = tx
        .query(
            "SELECT COUNT(*) FROM staff_links
             WHERE staff_id = $1 AND purpose = 'sign-in' AND created_at > $2",
        )
        .bind(id)
        .bind(since)
        .one()
        .await?;
    Ok(count)
}

pub(super) async fn pending_link(
    tx: &mut Tx,
    token_hash: &str,
    now: DateTime<Utc>,
) -> db::Result<Option<Link>> {
    tx.query(
        "SELECT id, staff_id, purpose, next FROM staff_links
         WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2",
    )
    .bind(token_hash.to_owned())
    .bind(now)
    .optional()
    .await
}

/// Spends the link, once.
pub(super) async fn use_link(
    tx: &mut Tx,
    token_hash: &str,
    now: DateTime<Utc>,
) -> db::Result<Option<Link>> {
    tx.query(
        "UPDATE staff_links SET used_at = $2
         WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2
         RETURNING id, staff_id, purpose, next",
    )
    .bind(token_hash.to_owned())
    .bind(now)
    .optional()
    .await
}

/// Spends an invitation that was opened before, once.
pub(super) async fn use_invitation(
    tx: &mut Tx,
    id: StaffLinkId,
    now: DateTime<Utc>,
) -> db::Result<Option<Link>> {
    tx.query(
        "UPDATE staff_links SET used_at = $2
         WHERE id = $1 AND purpose = 'invitation' AND used_at IS NULL AND expires_at > $2
         RETURNING id, staff_id, purpose, next",
    )
    .bind(id)
    .bind(now)
    .optional()
    .await
}

pub(super) async fn insert_session(
    tx: &mut Tx,
    id: StaffSessionId,
    staff: StaffId,
    token: &Token,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> db::Result<()> {
    tx.query(
        "INSERT INTO staff_sessions (id, staff_id, token_hash, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(id)
    .bind(staff)
    .bind(token.hash())
    .bind(now)
    .bind(expires_at)
    .execute()
    .await?;
    Ok(())
}

pub(super) async fn signed_in(tx: &mut Tx, id: StaffId, now: DateTime<Utc>) -> db::Result<()> {
    tx.query("UPDATE staff SET signed_in_at = $2 WHERE id = $1")
        .bind(id)
        .bind(now)
        .execute()
        .await?;
    Ok(())
}

/// Whose session this is, while it lasts.
pub(super) async fn of_session(
    tx: &mut Tx,
    token_hash: &str,
    now: DateTime<Utc>,
) -> db::Result<Option<Staff>> {
    tx.query_built(format!(
        "SELECT {COLUMNS} FROM staff s JOIN staff_sessions x ON x.staff_id = s.id
         WHERE x.token_hash = $1 AND x.expires_at > $2 AND s.removed_at IS NULL"
    ))
    .bind(token_hash.to_owned())
    .bind(now)
    .optional()
    .await
}

pub(super) async fn end_session(tx: &mut Tx, token_hash: &str) -> db::Result<()> {
    tx.query("DELETE FROM staff_sessions WHERE token_hash = $1")
        .bind(token_hash.to_owned())
        .execute()
        .await?;
    Ok(())
}

pub(super) async fn by_identity(
    tx: &mut Tx,
    issuer: &str,
    subject: &str,
) -> db::Result<Option<Staff>> {
    tx.query_built(format!(
        "SELECT {COLUMNS} FROM staff s JOIN staff_identities i ON i.staff_id = s.id
         WHERE i.issuer = $1 AND i.subject = $2 AND s.removed_at IS NULL"
    ))
    .bind(issuer.to_owned())
    .bind(subject.to_owned())
    .optional()
    .await
}

/// An identity that is somebody's already stays theirs.
pub(super) async fn insert_identity(
    tx: &mut Tx,
    issuer: &str,
    subject: &str,
    staff: StaffId,
    now: DateTime<Utc>,
) -> db::Result<()> {
    tx.query(
        "INSERT INTO staff_identities (issuer, subject, staff_id, created_at, last_seen_at)
         VALUES ($1, $2, $3, $4, $4) ON CONFLICT (issuer, subject) DO NOTHING",
    )
    .bind(issuer.to_owned())
    .bind(subject.to_owned())
    .bind(staff)
    .bind(now)
    .execute()
    .await?;
    Ok(())
}

pub(super) async fn seen(
    tx: &mut Tx,
    issuer: &str,
    subject: &str,
    now: DateTime<Utc>,
) -> db::Result<()> {
    tx.query("UPDATE staff_identities SET last_seen_at = $3 WHERE issuer = $1 AND subject = $2")
        .bind(issuer.to_owned())
        .bind(subject.to_owned())
        .bind(now)
        .execute()
        .await?;
    Ok(())
}

/// Removes sessions that are over, and links a day after their end.
pub async fn clean(tx: &mut Tx, now: DateTime<Utc>) -> db::Result<()> {
    tx.query("DELETE FROM staff_sessions WHERE expires_at < $1").bind(now).execute().await?;
    tx.query("DELETE FROM staff_links WHERE expires_at < $1")
        .bind(now - TimeDelta::days(1))
        .execute()
        .await?;
    Ok(())
}

// What needs somebody. Each takes the tenant that it is narrowed to.

#[derive(Debug, sqlx::FromRow)]
pub(super) struct Waiting {
    pub(super) registration_id: RegistrationId,
    pub(super) name: String,
    pub(super) deployment_id: String,
}

pub(super) async fn waiting_deployments(
    tx: &mut Tx,
    tenant: Option<TenantId>,
    limit: i64,
) -> db::Result<Vec<Waiting>> {
    tx.query(
        "SELECT d.registration_id, r.name, d.deployment_id
         FROM deployments d JOIN registrations r ON r.id = d.registration_id
         WHERE d.state = 'pending' AND r.state <> 'closed'
             AND ($1 IS NULL OR r.tenant_id = $1)
         ORDER BY d.created_at, d.registration_id, d.deployment_id LIMIT $2",
    )
    .bind(tenant)
    .bind(limit)
    .all()
    .await
}

pub(super) async fn waiting_registrations(
    tx: &mut Tx,
    tenant: Option<TenantId>,
    limit: i64,
) -> db::Result<Vec<(RegistrationId, String)>> {
    tx.query(
        "SELECT id, name FROM registrations
         WHERE state = 'pending' AND ($1 IS NULL OR tenant_id = $1)
         ORDER BY created_at, id LIMIT $2",
    )
    .bind(tenant)
    .bind(limit)
    .all()
    .await
}

#[derive(Debug, sqlx::FromRow)]
pub(super) struct StuckScores {
    pub(super) registration_id: RegistrationId,
    pub(super) name: String,
    pub(super) state: String,
    pub(super) count: i64,
}

/// Scores that a platform refused after `since`, and those that wait from before `waits_since`.
/// The last score of a column counts: what a later one made good needs nobody.
pub(super) async fn stuck_scores(
    tx: &mut Tx,
    tenant: Option<TenantId>,
    since: DateTime<Utc>,
    waits_since: DateTime<Utc>,
) -> db::Result<Vec<StuckScores>> {
    tx.query(
        "SELECT r.id AS registration_id, r.name, s.state, COUNT(*) AS count
         FROM scores s
         JOIN grade_targets g ON g.id = s.grade_target_id
         JOIN resource_links l ON l.id = g.resource_link_id
         JOIN registrations r ON r.id = l.registration_id
         WHERE ((s.state = 'refused' AND s.updated_at > $2)
                 OR (s.state = 'pending' AND s.created_at < $3))
             AND NOT EXISTS (SELECT 1 FROM scores later
                 WHERE later.grade_target_id = s.grade_target_id AND later.at > s.at)
             AND ($1 IS NULL OR r.tenant_id = $1)
         GROUP BY r.id, r.name, s.state ORDER BY r.name, s.state, r.id",
    )
    .bind(tenant)
    .bind(since)
    .bind(waits_since)
    .all()
    .await
}

/// Mails that were refused, or whose fate is unknown, by kind.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct LostMails {
    pub(super) state: String,
    pub(super) kind: String,
    pub(super) count: i64,
}

pub(super) async fn lost_mails(
    tx: &mut Tx,
    tenant: Option<TenantId>,
    since: DateTime<Utc>,
) -> db::Result<Vec<LostMails>> {
    tx.query(
        "SELECT state, kind, COUNT(*) AS count FROM messages
         WHERE state IN ('failed', 'unknown') AND updated_at > $2
             AND ($1 IS NULL OR tenant_id = $1)
         GROUP BY state, kind ORDER BY state, kind",
    )
    .bind(tenant)
    .bind(since)
    .all()
    .await
}

/// Jobs that failed for good, by kind; those of mails are counted with the mails.
pub(super) async fn failed_jobs(tx: &mut Tx) -> db::Result<Vec<(String, i64)>> {
    tx.query(
        "SELECT kind, COUNT(*) FROM jobs WHERE state = 'failed' AND kind <> 'send-message'
         GROUP BY kind ORDER BY kind",
    )
    .all()
    .await
}

#[derive(Debug, sqlx::FromRow)]
pub(super) struct RefusedLaunches {
    /// `None`: the launch named no platform that is known.
    pub(super) registration_id: Option<RegistrationId>,
    pub(super) name: Option<String>,
    pub(super) code: String,
    pub(super) count: i64,
}

pub(super) async fn refused_launches(
    tx: &mut Tx,
    tenant: Option<TenantId>,
    since: DateTime<Utc>,
) -> db::Result<Vec<RefusedLaunches>> {
    tx.query(
        "SELECT r.id AS registration_id, r.name, l.outcome AS code, COUNT(*) AS count
         FROM launch_log l LEFT JOIN registrations r ON r.id = l.registration_id
         WHERE l.outcome <> 'accepted' AND l.at > $2 AND ($1 IS NULL OR r.tenant_id = $1)
         GROUP BY r.id, r.name, l.outcome ORDER BY COUNT(*) DESC, l.outcome, r.id LIMIT 20",
    )
    .bind(tenant)
    .bind(since)
    .all()
    .await
}

pub(super) async fn has_no_platform(tx: &mut Tx) -> db::Result<bool> {
    let (count,): (i64,) = tx.query("SELECT COUNT(*) FROM registrations").one().await?;
    Ok(count == 0)
}
