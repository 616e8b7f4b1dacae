//! The people's SQL.

use chrono::{DateTime, Utc};

use super::{Person, Told};
use crate::db::{self, Tx};
use crate::ids::{EmailConfirmationId, IdentityId, PersonId, RegistrationId, TenantId, Token};
use crate::web::Lang;

/// How a platform knows somebody.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Identity {
    pub id: IdentityId,
    pub registration_id: RegistrationId,
    pub subject: String,
    pub person_id: PersonId,
}

pub(super) async fn by_identity(
    tx: &mut Tx,
    registration: RegistrationId,
    subject: &str,
) -> db::Result<Option<Identity>> {
    tx.query(
        "SELECT id, registration_id, subject, person_id FROM identities
         WHERE registration_id = $1 AND subject = $2",
    )
    .bind(registration)
    .bind(subject.to_owned())
    .optional()
    .await
}

/// Somebody whom a platform brought before.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct Known {
    pub(super) id: IdentityId,
    pub(super) person_id: PersonId,
    pub(super) has_address: bool,
}

/// Notes that the identity came, and holds it; whose it is now.
pub(super) async fn seen(
    tx: &mut Tx,
    registration: RegistrationId,
    subject: &str,
    now: DateTime<Utc>,
) -> db::Result<Option<Known>> {
    tx.query(
        "UPDATE identities SET last_seen_at = $3 WHERE registration_id = $1 AND subject = $2
         RETURNING id, person_id,
             (SELECT p.email IS NOT NULL FROM people p WHERE p.id = person_id) AS has_address",
    )
    .bind(registration)
    .bind(subject.to_owned())
    .bind(now)
    .optional()
    .await
}

pub async fn identity(tx: &mut Tx, id: IdentityId) -> db::Result<Identity> {
    tx.query("SELECT id, registration_id, subject, person_id FROM identities WHERE id = $1")
        .bind(id)
        .one()
        .await
}

/// Where the person came from last.
pub async fn latest_identity(tx: &mut Tx, person: PersonId) -> db::Result<Option<Identity>> {
    tx.query(
        "SELECT id, registration_id, subject, person_id FROM identities WHERE person_id = $1
         ORDER BY last_seen_at DESC LIMIT 1",
    )
    .bind(person)
    .optional()
    .await
}

pub async fn find(tx: &mut Tx, id: PersonId) -> db::Result<Person> {
    tx.query(
        "SELECT id, tenant_id, given_name, family_name, full_name, email, locale
         FROM people WHERE id = $1",
    )
    .bind(id)
    .one()
    .await
}

pub(super) async fn insert(
    tx: &mut Tx,
    tenant: TenantId,
    told: Told,
    now: DateTime<Utc>,
) -> db::Result<Person> {
    tx.query(
        "INSERT INTO people (id, tenant_id, given_name, family_name, full_name, email, locale,
             created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
         RETURNING id, tenant_id, given_name, family_name, full_name, email, locale",
    )
    .bind(PersonId::new(now))
    .bind(tenant)
    .bind(told.given_name)
    .bind(told.family_name)
    .bind(told.full_name)
    .bind(told.email)
    .bind(told.locale.unwrap_or(Lang::Fr))
    .bind(now)
    .one()
    .await
}

/// An address that the person confirmed is not replaced by the platform's.
pub(super) async fn update(
    tx: &mut Tx,
    id: PersonId,
    told: Told,
    now: DateTime<Utc>,
) -> db::Result<Person> {
    tx.query(
        "UPDATE people SET given_name = coalesce($2, given_name),
             family_name = coalesce($3, family_name), full_name = coalesce($4, full_name),
             email = CASE WHEN email_confirmed_at IS NULL THEN coalesce($5, email) ELSE email END,
             locale = coalesce($6, locale), updated_at = $7
         WHERE id = $1
         RETURNING id, tenant_id, given_name, family_name, full_name, email, locale",
    )
    .bind(id)
    .bind(told.given_name)
    .bind(told.family_name)
    .bind(told.full_name)
    .bind(told.email)
    .bind(told.locale)
    .bind(now)
    .one()
    .await
}

pub(super) async fn delete(tx: &mut Tx, id: PersonId) -> db::Result<()> {
    tx.query("DELETE FROM people WHERE id = $1").bind(id).execute().await?;
    Ok(())
}

/// False when the identity is known already.
pub(super) async fn insert_identity(
    tx: &mut Tx,
    id: IdentityId,
    registration: RegistrationId,
    subject: &str,
    person: PersonId,
    now: DateTime<Utc>,
) -> db::Result<bool> {
    let rows = tx
        .query(
            "INSERT INTO identities (id, registration_id, subject, person_id, created_at, last_seen_at)
             VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT (registration_id, subject) DO NOTHING",
        )
        .bind(id)
        .bind(registration)
        .bind(subject.to_owned())
        .bind(person)
        .bind(now)
        .execute()
        .await?;
    Ok(rows == 1)
}

#[derive(Debug, sqlx::FromRow)]
pub(super) struct Confirmation {
    pub(super) person_id: PersonId,
    pub(super) email: String,
}

pub(super) async fn insert_confirmation(
    tx: &mut Tx,
    id: EmailConfirmationId,
    person: PersonId,
    email: &str,
    token: &Token,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> db::Result<()> {
    tx.query(
        "INSERT INTO email_confirmations (id, person_id, email, token_hash, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(id)
    .bind(person)
    .bind(email.to_owned())
    .bind(token.hash())
    .bind(now)
    .bind(expires_at)
    .execute()
    .await?;
    Ok(())
}

pub(super) async fn confirmations_since(
    tx: &mut Tx,
    person: PersonId,
    since: DateTime<Utc>,
) -> db::Result<i64> {
    let (count,): (i64,) = tx
        .query("SELECT COUNT(*) FROM email_confirmations WHERE person_id = $1 AND created_at > $2")
        .bind(person)
        .bind(since)
        .one()
        .await?;
    Ok(count)
}

pub(super) async fn pending_confirmation(
    tx: &mut Tx,
    token_hash: &str,
    now: DateTime<Utc>,
) -> db::Result<Option<Confirmation>> {
    tx.query(
        "SELECT person_id, email FROM email_confirmations
         WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2",
    )
    .bind(token_hash.to_owned())
    .bind(now)
    .optional()
    .await
}

/// Spends the link, once.
pub(super) async fn use_confirmation(
    tx: &mut Tx,
    token_hash: &str,
    now: DateTime<Utc>,
) -> db::Result<Option<Confirmation>> {
    tx.query(
        "UPDATE email_confirmations SET used_at = $2
         WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2
         RETURNING person_id, email",
    )
    .bind(token_hash.to_owned())
    .bind(now)
    .optional()
    .await
}

pub(super) async fn set_confirmed_address(
    tx: &mut Tx,
    id: PersonId,
    email: &str,
    now: DateTime<Utc>,
) -> db::Result<()> {
    tx.query(
        "UPDATE people SET email = $2, email_confirmed_at = $3, updated_at = $3 WHERE id = $1",
    )
    .bind(id)
    .bind(email.to_owned())
    .bind(now)
    .execute()
    .await?;
    Ok(())
}
