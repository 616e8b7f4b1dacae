//! The registrations' SQL.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{Addresses, NewRegistration, Registration, Secret};
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

/// A registration in the list of all.
#[derive(Debug, sqlx::FromRow)]
pub struct Overview {
    pub id: RegistrationId,
    pub name: String,
    pub tenant: String,
    time_zone: String,
    pub issuer: String,
    pub version: Version,
    pub state: RegistrationState,
    pub family: Option<String>,
    pub created_at: DateTime<Utc>,
    /// The last one that was let in.
    pub last_launch: Option<DateTime<Utc>>,
    /// Launches refused since the instant asked for.
    pub refused: i64,
    /// Deployments that wait for approval.
    pub waiting: i64,
}

impl Overview {
    /// The zone its times are written in: the tenant's.
    pub fn zone(&self) -> chrono_tz::Tz {
        self.time_zone.parse().unwrap_or(chrono_tz::Europe::Paris)
    }
}

/// All registrations: those that wait for an administrator first, closed ones last.
pub async fn overview(tx: &mut Tx, since: DateTime<Utc>) -> db::Result<Vec<Overview>> {
    tx.query(
        "SELECT r.id, r.name, t.name AS tenant, t.time_zone, r.issuer, r.version, r.state,
             r.family, r.created_at,
             (SELECT l.at FROM launch_log l WHERE l.registration_id = r.id
                 AND l.outcome = 'accepted' ORDER BY l.at DESC LIMIT 1) AS last_launch,
             (SELECT COUNT(*) FROM launch_log l WHERE l.registration_id = r.id
                 AND l.outcome <> 'accepted' AND l.at >= $1) AS refused,
             (SELECT COUNT(*) FROM deployments d WHERE d.registration_id = r.id
                 AND d.state = 'pending') AS waiting
         FROM registrations r JOIN tenants t ON t.id = r.tenant_id
         ORDER BY CASE r.state WHEN 'pending' THEN 0 WHEN 'active' THEN 1 ELSE 2 END,
             r.created_at, r.id",
    )
    .bind(since)
    .all()
    .await
}

/// Logins from platforms that are not registered, as they named themselves.
#[derive(Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Stranger {
    /// Issuer and client id: somebody else's text.
    pub detail: String,
    pub times: i64,
}

/// The unregistered platforms that people came from since an instant, the most frequent first.
pub async fn strangers(tx: &mut Tx, since: DateTime<Utc>) -> db::Result<Vec<Stranger>> {
    tx.query(
        "SELECT detail, COUNT(*) AS times FROM launch_log
         WHERE registration_id IS NULL AND outcome = 'registration-unknown' AND at >= $1
         GROUP BY detail ORDER BY times DESC, detail LIMIT 10",
    )
    .bind(since)
    .all()
    .await
}

/// False when the state is another by now.
pub(super) async fn change_state(
    tx: &mut Tx,
    id: RegistrationId,
    from: RegistrationState,
    to: RegistrationState,
    now: DateTime<Utc>,
) -> db::Result<bool> {
    let rows = tx
        .query("UPDATE registrations SET state = $3, updated_at = $4 WHERE id = $1 AND state = $2")
        .bind(id)
        .bind(from)
        .bind(to)
        .bind(now)
        .execute()
        .await?;
    Ok(rows == 1)
}

pub async fn change_settings(
    tx: &mut Tx,
    id: RegistrationId,
    name: &str,
    anonymous: bool,
    token_audience: Option<String>,
    now: DateTime<Utc>,
) -> db::Result<()> {
    tx.query(
        "UPDATE registrations SET name = $2, anonymous = $3, token_audience = $4, updated_at = $5
         WHERE id = $1",
    )
    .bind(id)
    .bind(name.to_owned())
    .bind(anonymous)
    .bind(token_audience)
    .bind(now)
    .execute()
    .await?;
    Ok(())
}

/// The LMS's product, told for the first time; what is known stays.
pub async fn remember_family(tx: &mut Tx, id: RegistrationId, family: &str) -> db::Result<()> {
    tx.query("UPDATE registrations SET family = $2 WHERE id = $1 AND family IS NULL")
        .bind(id)
        .bind(family.chars().filter(|c| !c.is_control()).take(100).collect::<String>())
        .execute()
        .await?;
    Ok(())
}

pub(super) async fn rebind(
    tx: &mut Tx,
    id: RegistrationId,
    to: &Addresses,
    now: DateTime<Utc>,
) -> db::Result<()> {
    tx.query(
        "UPDATE registrations SET issuer = $2, client_id = $3, authorization_endpoint = $4,
             token_endpoint = $5, jwks_uri = $6, token_audience = $7, updated_at = $8
         WHERE id = $1",
    )
    .bind(id)
    .bind(to.issuer.clone())
    .bind(to.client_id.clone())
    .bind(to.authorization_endpoint.to_string())
    .bind(to.token_endpoint.to_string())
    .bind(to.jwks_uri.to_string())
    .bind(to.token_audience.clone())
    .bind(now)
    .execute()
    .await?;
    Ok(())
}

/// Where scores of the registration's people go: addresses that begin with `old` begin with `new`
/// from now on. How many were changed.
pub(super) async fn move_line_items(
    tx: &mut Tx,
    id: RegistrationId,
    old: &str,
    new: &str,
) -> db::Result<u64> {
    let length = old.chars().count() as i64;
    tx.query(
        "UPDATE grade_targets SET line_item = $3 || substr(line_item, CAST($4 AS INTEGER) + 1)
         WHERE substr(line_item, 1, CAST($4 AS INTEGER)) = $2
             AND identity_id IN (SELECT id FROM identities WHERE registration_id = $1)",
    )
    .bind(id)
    .bind(old.to_owned())
    .bind(new.to_owned())
    .bind(length)
    .execute()
    .await
}

/// The deployments that wait are approved.
pub(super) async fn approve_waiting(tx: &mut Tx, id: RegistrationId) -> db::Result<()> {
    tx.query(
        "UPDATE deployments SET state = 'approved'
         WHERE registration_id = $1 AND state = 'pending'",
    )
    .bind(id)
    .execute()
    .await?;
    Ok(())
}

/// Launches of the deployment wait for approval again; false when there is no such deployment.
pub async fn withdraw_deployment(
    tx: &mut Tx,
    id: RegistrationId,
    deployment: &str,
) -> db::Result<bool> {
    let rows = tx
        .query(
            "UPDATE deployments SET state = 'pending'
             WHERE registration_id = $1 AND deployment_id = $2",
        )
        .bind(id)
        .bind(deployment.to_owned())
        .execute()
        .await?;
    Ok(rows == 1)
}

/// What happened at the door.
#[derive(Debug, sqlx::FromRow)]
pub struct LoggedLaunch {
    pub at: DateTime<Utc>,
    pub outcome: String,
    pub detail: String,
    pub checks: Value,
    /// The message's claims, masked; `None` when nothing could be read of it.
    pub claims: Option<Value>,
    /// How far the platform's clock is ahead of ours; behind: negative.
    pub skew_seconds: Option<i64>,
}

/// A line for the log.
#[derive(Clone, Debug)]
pub struct Entry {
    pub registration: Option<RegistrationId>,
    /// `accepted`, or the code of the refusal.
    pub outcome: &'static str,
    pub detail: String,
    pub checks: Value,
    /// Masked: see [`lti::diagnostics::mask`].
    pub claims: Option<Value>,
    pub skew_seconds: Option<i64>,
}

pub async fn record(tx: &mut Tx, entry: Entry, now: DateTime<Utc>) -> db::Result<()> {
    tx.query(
        "INSERT INTO launch_log (id, registration_id, at, outcome, detail, checks, claims,
             skew_seconds)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(LaunchId::new(now))
    .bind(entry.registration)
    .bind(now)
    .bind(entry.outcome)
    .bind(entry.detail.chars().take(500).collect::<String>())
    .bind(entry.checks)
    .bind(entry.claims)
    .bind(entry.skew_seconds)
    .execute()
    .await?;
    Ok(())
}

/// A line about a message of which nothing but the outcome is to be kept.
pub async fn log(
    tx: &mut Tx,
    registration: Option<RegistrationId>,
    outcome: &'static str,
    detail: &str,
    checks: Value,
    now: DateTime<Utc>,
) -> db::Result<()> {
    let detail = detail.to_owned();
    let entry = Entry { registration, outcome, detail, checks, claims: None, skew_seconds: None };
    record(tx, entry, now).await
}

/// The last launches of a registration, newest first.
pub async fn log_of(
    tx: &mut Tx,
    registration: RegistrationId,
    limit: i64,
) -> db::Result<Vec<LoggedLaunch>> {
    tx.query(
        "SELECT at, outcome, detail, checks, claims, skew_seconds FROM launch_log
         WHERE registration_id = $1 ORDER BY at DESC, id DESC LIMIT $2",
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
