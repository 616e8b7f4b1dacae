//! The registrations' SQL.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{NewRegistration, Registration, Secret};
use crate::db::{self, Tx};
use crate::ids::{LaunchId, RegistrationId, TenantId};

crate::text_enum! {
    pub enum DeploymentState {
        /// Launches are accepted.
        Approved = "approved",
        /// Seen in a launch, waiting for an administrator.
        Pending = "pending",
    }
}

crate::text_enum! {
    /// Which LTI the platform speaks.
    pub enum Version {
        V13 = "1.3",
        /// An LTI 1.1 consumer: its key is the client id, the secret is shared.
        V11 = "1.1",
    }
}

crate::text_enum! {
    pub enum RegistrationState {
        Active = "active",
        /// Registered by the LMS itself, waiting for an administrator.
        Pending = "pending",
        /// Kept for what was done through it; launches are refused.
        Closed = "closed",
    }
}

#[derive(Debug, sqlx::FromRow)]
pub struct Deployment {
    pub deployment_id: String,
    pub state: DeploymentState,
}

/// `None` when (issuer, client id) is registered already.
pub async fn insert(
    tx: &mut Tx,
    new: NewRegistration,
    now: DateTime<Utc>,
) -> db::Result<Option<RegistrationId>> {
    let id = RegistrationId::new(now);
    let rows = tx
        .query(
            "INSERT INTO registrations (id, tenant_id, name, issuer, client_id,
                 authorization_endpoint, token_endpoint, jwks_uri, token_audience, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
             ON CONFLICT (issuer, client_id) DO NOTHING",
        )
        .bind(id)
        .bind(new.tenant)
        .bind(new.name)
        .bind(new.issuer)
        .bind(new.client_id)
        .bind(new.authorization_endpoint.to_string())
        .bind(new.token_endpoint.to_string())
        .bind(new.jwks_uri.to_string())
        .bind(new.token_audience)
        .bind(now)
        .execute()
        .await?;
    if rows == 0 {
        return Ok(None);
    }
    for deployment in new.deployments {
        approve_deployment(tx, id, &deployment, now).await?;
    }
    Ok(Some(id))
}

pub async fn approve_deployment(
    tx: &mut Tx,
    id: RegistrationId,
    deployment: &str,
    now: DateTime<Utc>,
) -> db::Result<()> {
    tx.query(
        "INSERT INTO deployments (registration_id, deployment_id, state, created_at)
         VALUES ($1, $2, 'approved', $3)
         ON CONFLICT (registration_id, deployment_id) DO UPDATE SET state = excluded.state",
    )
    .bind(id)
    .bind(deployment.to_owned())
    .bind(now)
    .execute()
    .await?;
    Ok(())
}

/// The deployments of a registration, those that wait first.
pub async fn deployments(tx: &mut Tx, id: RegistrationId) -> db::Result<Vec<Deployment>> {
    tx.query(
        "SELECT deployment_id, state FROM deployments WHERE registration_id = $1
         ORDER BY state DESC, deployment_id",
    )
    .bind(id)
    .all()
    .await
}

/// The deployment's state; one never seen before is noted as pending.
pub async fn deployment(
    tx: &mut Tx,
    id: RegistrationId,
    deployment: &str,
    now: DateTime<Utc>,
) -> db::Result<DeploymentState> {
    let known: Option<Deployment> = tx
        .query(
            "SELECT deployment_id, state FROM deployments
             WHERE registration_id = $1 AND deployment_id = $2",
        )
        .bind(id)
        .bind(deployment.to_owned())
        .optional()
        .await?;
    if let Some(known) = known {
        return Ok(known.state);
    }
    tx.query(
        "INSERT INTO deployments (registration_id, deployment_id, state, created_at)
         VALUES ($1, $2, 'pending', $3) ON CONFLICT (registration_id, deployment_id) DO NOTHING",
    )
    .bind(id)
    .bind(deployment.to_owned())
    .bind(now)
    .execute()
    .await?;
    Ok(DeploymentState::Pending)
}

const COLUMNS: &str = "id, tenant_id, name, issuer, client_id, authorization_endpoint,
    token_endpoint, jwks_uri, token_audience, version, state, family, anonymous, secret";

pub async fn find(tx: &mut Tx, id: RegistrationId) -> db::Result<Option<Registration>> {
    tx.query_built(format!("SELECT {COLUMNS} FROM registrations WHERE id = $1"))
        .bind(id)
        .optional()
        .await
}

pub async fn by_client(
    tx: &mut Tx,
    issuer: &str,
    client_id: &str,
) -> db::Result<Option<Registration>> {
    tx.query_built(format!(
        "SELECT {COLUMNS} FROM registrations WHERE issuer = $1 AND client_id = $2"
    ))
    .bind(issuer.to_owned())
    .bind(client_id.to_owned())
    .optional()
    .await
}

/// All registrations of an issuer: several tenants of a shared LMS have one issuer.
pub async fn by_issuer(tx: &mut Tx, issuer: &str) -> db::Result<Vec<Registration>> {
    tx.query_built(format!(
        "SELECT {COLUMNS} FROM registrations WHERE issuer = $1 ORDER BY created_at LIMIT 100"
    ))
    .bind(issuer.to_owned())
    .all()
    .await
}

pub async fn all(tx: &mut Tx) -> db::Result<Vec<Registration>> {
    tx.query_built(format!("SELECT {COLUMNS} FROM registrations ORDER BY created_at")).all().await
}

/// What happened at the door.
#[derive(Debug, sqlx::FromRow)]
pub struct LoggedLaunch {
    pub at: DateTime<Utc>,
    pub outcome: String,
    pub detail: String,
    pub checks: Value,
}

pub async fn log(
    tx: &mut Tx,
    registration: Option<RegistrationId>,
    outcome: &str,
    detail: &str,
    checks: Value,
    now: DateTime<Utc>,
) -> db::Result<()> {
    tx.query(
        "INSERT INTO launch_log (id, registration_id, at, outcome, detail, checks)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(LaunchId::new(now))
    .bind(registration)
    .bind(now)
    .bind(outcome.to_owned())
    .bind(detail.chars().take(500).collect::<String>())
    .bind(checks)
    .execute()
    .await?;
    Ok(())
}

/// The last launches of a registration, newest first.
pub async fn log_of(
    tx: &mut Tx,
    registration: RegistrationId,
    limit: i64,
) -> db::Result<Vec<LoggedLaunch>> {
    tx.query(
        "SELECT at, outcome, detail, checks FROM launch_log WHERE registration_id = $1
         ORDER BY at DESC LIMIT $2",
    )
    .bind(registration)
    .bind(limit)
    .all()
    .await
}

/// The secret of this name; `fresh` becomes it when there is none yet.
pub(super) async fn secret(
    tx: &mut Tx,
    name: &str,
    fresh: Vec<u8>,
    now: DateTime<Utc>,
) -> db::Result<Vec<u8>> {
    tx.query(
        "INSERT INTO secrets (name, value, created_at) VALUES ($1, $2, $3)
         ON CONFLICT (name) DO NOTHING",
    )
    .bind(name.to_owned())
    .bind(fresh)
    .bind(now)
    .execute()
    .await?;
    let (value,): (Vec<u8>,) =
        tx.query("SELECT value FROM secrets WHERE name = $1").bind(name.to_owned()).one().await?;
    Ok(value)
}

/// Removes what happened at the door before an instant.
pub async fn clean_log(tx: &mut Tx, before: DateTime<Utc>) -> db::Result<()> {
    tx.query("DELETE FROM launch_log WHERE at < $1").bind(before).execute().await?;
    Ok(())
}

#[expect(clippy::too_many_arguments, reason = "the columns of a row, bound in their order")]
pub(super) async fn insert_legacy(
    tx: &mut Tx,
    id: RegistrationId,
    tenant: TenantId,
    name: &str,
    issuer: &str,
    key: &str,
    secret: &Secret,
    now: DateTime<Utc>,
) -> db::Result<()> {
    tx.query(
        "INSERT INTO registrations (id, tenant_id, name, issuer, client_id,
             authorization_endpoint, token_endpoint, jwks_uri, version, secret, created_at)
         VALUES ($1, $2, $3, $4, $5, '', '', '', '1.1', $6, $7)",
    )
    .bind(id)
    .bind(tenant)
    .bind(name.to_owned())
    .bind(issuer.to_owned())
    .bind(key.to_owned())
    .bind(secret.reveal().to_owned())
    .bind(now)
    .execute()
    .await?;
    Ok(())
}

pub(super) async fn note_legacy(
    tx: &mut Tx,
    id: RegistrationId,
    home: Option<String>,
    family: Option<String>,
    now: DateTime<Utc>,
) -> db::Result<()> {
    tx.query(
        "UPDATE registrations SET authorization_endpoint = coalesce($2, authorization_endpoint),
             family = coalesce($3, family), updated_at = $4
         WHERE id = $1",
    )
    .bind(id)
    .bind(home)
    .bind(family)
    .bind(now)
    .execute()
    .await?;
    Ok(())
}
