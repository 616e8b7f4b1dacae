//! The SQL of registrations that platforms make themselves.

use chrono::{DateTime, Utc};

use super::super::RegistrationState;
use crate::db::{self, Tx};
use crate::ids::{RegistrationId, TenantId, Token};

/// A registration link; the link itself is not kept.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct Link {
    pub(super) token_hash: String,
    pub(super) tenant_id: TenantId,
    pub(super) expires_at: DateTime<Utc>,
    pub(super) used_at: Option<DateTime<Utc>>,
    pub(super) registration_id: Option<RegistrationId>,
}

pub(super) async fn insert_link(
    tx: &mut Tx,
    token: &Token,
    tenant: TenantId,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> db::Result<()> {
    tx.query(
        "INSERT INTO registration_links (token_hash, tenant_id, created_at, expires_at)
         VALUES ($1, $2, $3, $4)",
    )
    .bind(token.hash())
    .bind(tenant)
    .bind(now)
    .bind(expires_at)
    .execute()
    .await?;
    Ok(())
}

pub(super) async fn link(tx: &mut Tx, token_hash: &str) -> db::Result<Option<Link>> {
    tx.query(
        "SELECT token_hash, tenant_id, expires_at, used_at, registration_id
         FROM registration_links WHERE token_hash = $1",
    )
    .bind(token_hash.to_owned())
    .optional()
    .await
}

/// Spends the link for a registration; false when it was spent for another.
pub(super) async fn spend_link(
    tx: &mut Tx,
    token_hash: &str,
    registration: RegistrationId,
    now: DateTime<Utc>,
) -> db::Result<bool> {
    let rows = tx
        .query(
            "UPDATE registration_links SET used_at = $3, registration_id = $2
             WHERE token_hash = $1 AND (used_at IS NULL OR registration_id = $2)",
        )
        .bind(token_hash.to_owned())
        .bind(registration)
        .bind(now)
        .execute()
        .await?;
    Ok(rows == 1)
}

pub(super) async fn clean_links(tx: &mut Tx, before: DateTime<Utc>) -> db::Result<()> {
    tx.query("DELETE FROM registration_links WHERE expires_at < $1").bind(before).execute().await?;
    Ok(())
}

/// How many registrations wait that came since then without a link, with those under way.
pub(super) async fn pending_since(tx: &mut Tx, since: DateTime<Utc>) -> db::Result<i64> {
    let (count,): (i64,) = tx
        .query(
            "SELECT (SELECT COUNT(*) FROM registrations
                 WHERE state = 'pending' AND created_at > $1)
             + (SELECT COUNT(*) FROM registration_attempts WHERE link_hash IS NULL)",
        )
        .bind(since)
        .one()
        .await?;
    Ok(count)
}

/// Takes the registration, and its link, for this attempt; false when another has them.
pub(super) async fn claim(
    tx: &mut Tx,
    id: RegistrationId,
    link_hash: Option<String>,
    now: DateTime<Utc>,
) -> db::Result<bool> {
    let rows = tx
        .query(
            "INSERT INTO registration_attempts (registration_id, link_hash, created_at)
             VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        )
        .bind(id)
        .bind(link_hash)
        .bind(now)
        .execute()
        .await?;
    Ok(rows == 1)
}

pub(super) async fn release(tx: &mut Tx, id: RegistrationId) -> db::Result<()> {
    tx.query("DELETE FROM registration_attempts WHERE registration_id = $1")
        .bind(id)
        .execute()
        .await?;
    Ok(())
}

/// Attempts that nobody works on any more.
pub(super) async fn abandoned(
    tx: &mut Tx,
    before: DateTime<Utc>,
) -> db::Result<Vec<RegistrationId>> {
    let rows: Vec<(RegistrationId,)> = tx
        .query("SELECT registration_id FROM registration_attempts WHERE created_at < $1 LIMIT 100")
        .bind(before)
        .all()
        .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// What a platform's configuration and answer make of a registration.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) tenant: TenantId,
    pub(super) name: String,
    pub(super) issuer: String,
    pub(super) client_id: String,
    pub(super) authorization_endpoint: String,
    pub(super) token_endpoint: String,
    pub(super) jwks_uri: String,
    pub(super) token_audience: Option<String>,
    pub(super) state: RegistrationState,
    pub(super) family: Option<String>,
}

/// False when (issuer, client id) is registered already.
pub(super) async fn insert(
    tx: &mut Tx,
    id: RegistrationId,
    row: &Row,
    now: DateTime<Utc>,
) -> db::Result<bool> {
    let rows = tx
        .query(
            "INSERT INTO registrations (id, tenant_id, name, issuer, client_id,
                 authorization_endpoint, token_endpoint, jwks_uri, token_audience, state, family,
                 created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
             ON CONFLICT (issuer, client_id) DO NOTHING",
        )
        .bind(id)
        .bind(row.tenant)
        .bind(row.name.clone())
        .bind(row.issuer.clone())
        .bind(row.client_id.clone())
        .bind(row.authorization_endpoint.clone())
        .bind(row.token_endpoint.clone())
        .bind(row.jwks_uri.clone())
        .bind(row.token_audience.clone())
        .bind(row.state)
        .bind(row.family.clone())
        .bind(now)
        .execute()
        .await?;
    Ok(rows == 1)
}

/// Takes over where the platform is now; name, tenant and state stay.
pub(super) async fn renew(
    tx: &mut Tx,
    id: RegistrationId,
    row: &Row,
    now: DateTime<Utc>,
) -> db::Result<()> {
    tx.query(
        "UPDATE registrations SET authorization_endpoint = $2, token_endpoint = $3, jwks_uri = $4,
             token_audience = coalesce($5, token_audience), family = coalesce($6, family),
             updated_at = $7
         WHERE id = $1",
    )
    .bind(id)
    .bind(row.authorization_endpoint.clone())
    .bind(row.token_endpoint.clone())
    .bind(row.jwks_uri.clone())
    .bind(row.token_audience.clone())
    .bind(row.family.clone())
    .bind(now)
    .execute()
    .await?;
    Ok(())
}

/// Lets a waiting registration in; false when it does not wait.
pub(super) async fn activate(
    tx: &mut Tx,
    id: RegistrationId,
    now: DateTime<Utc>,
) -> db::Result<bool> {
    let rows = tx
        .query(
            "UPDATE registrations SET state = 'active', updated_at = $2
             WHERE id = $1 AND state = 'pending'",
        )
        .bind(id)
        .bind(now)
        .execute()
        .await?;
    Ok(rows == 1)
}
