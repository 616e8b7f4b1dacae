//! The keys' SQL.

use chrono::{DateTime, Utc};

use super::{FreshKey, KeyState};
use crate::db::{self, Tx};
use crate::ids::{KeyId, RegistrationId};

/// A key as administrators see it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct KeyInfo {
    pub kid: String,
    pub state: KeyState,
    pub created_at: DateTime<Utc>,
    /// When a next key begins to sign, where that is settled.
    pub signs_from: Option<DateTime<Utc>>,
    /// When a previous key is removed.
    pub published_until: Option<DateTime<Utc>>,
}

/// The keys of a set, newest first; `None`: the installation's. A registration without any uses
/// the installation's.
pub async fn keys_of(
    tx: &mut Tx,
    registration: impl Into<Option<RegistrationId>>,
) -> db::Result<Vec<KeyInfo>> {
    tx.query(
        "SELECT kid, state, created_at, signs_from, published_until FROM tool_keys
         WHERE registration_id IS NOT DISTINCT FROM $1 AND retired_at IS NULL
         ORDER BY created_at DESC, id DESC",
    )
    .bind(registration.into())
    .all()
    .await
}

#[derive(sqlx::FromRow)]
pub(super) struct StoredKey {
    pub(super) kid: String,
    pub(super) pkcs8: Vec<u8>,
    pub(super) state: KeyState,
    pub(super) signs_from: Option<DateTime<Utc>>,
}

/// A set with the private halves, newest key first.
pub(super) async fn read(
    tx: &mut Tx,
    registration: Option<RegistrationId>,
) -> db::Result<Vec<StoredKey>> {
    tx.query(
        "SELECT kid, pkcs8, state, signs_from FROM tool_keys
         WHERE registration_id IS NOT DISTINCT FROM $1 AND retired_at IS NULL
         ORDER BY created_at DESC, id DESC",
    )
    .bind(registration)
    .all()
    .await
}

pub(super) async fn insert(
    tx: &mut Tx,
    registration: Option<RegistrationId>,
    fresh: FreshKey,
    state: KeyState,
    signs_from: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> db::Result<()> {
    tx.query(
        "INSERT INTO tool_keys (id, kid, pkcs8, registration_id, state, signs_from, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(KeyId::new(now))
    .bind(fresh.kid)
    .bind(fresh.pkcs8)
    .bind(registration)
    .bind(state)
    .bind(signs_from)
    .bind(now)
    .execute()
    .await?;
    Ok(())
}

/// A key that is not needed any more goes with its private half.
pub(super) async fn remove(tx: &mut Tx, registration: Option<RegistrationId>) -> db::Result<()> {
    tx.query("DELETE FROM tool_keys WHERE registration_id IS NOT DISTINCT FROM $1")
        .bind(registration)
        .execute()
        .await?;
    Ok(())
}

pub(super) async fn schedule(tx: &mut Tx, kid: &str, from: DateTime<Utc>) -> db::Result<()> {
    tx.query("UPDATE tool_keys SET signs_from = $2 WHERE kid = $1 AND state = 'next'")
        .bind(kid.to_owned())
        .bind(from)
        .execute()
        .await?;
    Ok(())
}

/// The next key becomes current and the current one previous; false when somebody else did it.
pub(super) async fn promote(
    tx: &mut Tx,
    registration: Option<RegistrationId>,
    kid: &str,
    published_until: DateTime<Utc>,
) -> db::Result<bool> {
    let rows = tx
        .query(
            "UPDATE tool_keys SET state = 'current', signs_from = NULL
             WHERE kid = $1 AND state = 'next'",
        )
        .bind(kid.to_owned())
        .execute()
        .await?;
    if rows == 0 {
        return Ok(false);
    }
    tx.query(
        "UPDATE tool_keys SET state = 'previous', published_until = $3
         WHERE registration_id IS NOT DISTINCT FROM $1 AND state = 'current' AND kid <> $2",
    )
    .bind(registration)
    .bind(kid.to_owned())
    .bind(published_until)
    .execute()
    .await?;
    Ok(true)
}

/// A key and the set it belongs to.
#[derive(sqlx::FromRow)]
pub(super) struct KeyOf {
    pub(super) registration_id: Option<RegistrationId>,
    pub(super) kid: String,
}

/// Next keys whose time to sign has come.
pub(super) async fn due(tx: &mut Tx, now: DateTime<Utc>) -> db::Result<Vec<KeyOf>> {
    tx.query(
        "SELECT registration_id, kid FROM tool_keys
         WHERE state = 'next' AND signs_from <= $1 ORDER BY created_at LIMIT 1000",
    )
    .bind(now)
    .all()
    .await
}

/// Current keys that nothing follows.
pub(super) async fn without_next(tx: &mut Tx) -> db::Result<Vec<KeyOf>> {
    tx.query(
        "SELECT registration_id, kid FROM tool_keys AS held
         WHERE state = 'current' AND retired_at IS NULL AND NOT EXISTS (
             SELECT 1 FROM tool_keys AS following WHERE following.state = 'next'
             AND following.registration_id IS NOT DISTINCT FROM held.registration_id)
         ORDER BY created_at LIMIT 1000",
    )
    .all()
    .await
}

/// Removes previous keys that were published long enough.
pub(super) async fn retire(tx: &mut Tx, now: DateTime<Utc>) -> db::Result<()> {
    tx.query("DELETE FROM tool_keys WHERE state = 'previous' AND published_until <= $1")
        .bind(now)
        .execute()
        .await?;
    Ok(())
}
