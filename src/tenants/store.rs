//! The tenants' SQL.

use chrono::{DateTime, Utc};

use super::{NewTenant, Tenant};
use crate::db::{self, Tx};
use crate::ids::TenantId;

/// `None` when the slug is taken.
pub async fn insert(
    tx: &mut Tx,
    new: NewTenant,
    now: DateTime<Utc>,
) -> db::Result<Option<TenantId>> {
    let id = TenantId::new(now);
    let rows = tx
        .query(
            "INSERT INTO tenants (id, slug, name, sender_name, sender_address, signatory_name,
                 signatory_title, language, time_zone, created_at)
             VALUES ($1, $2, $3, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (slug) DO NOTHING",
        )
        .bind(id)
        .bind(new.slug)
        .bind(new.name)
        .bind(new.sender_address)
        .bind(new.signatory_name)
        .bind(new.signatory_title)
        .bind(new.language)
        .bind(new.time_zone.name())
        .bind(now)
        .execute()
        .await?;
    Ok((rows == 1).then_some(id))
}

pub async fn find(tx: &mut Tx, id: TenantId) -> db::Result<Tenant> {
    tx.query(
        "SELECT id, slug, name, sender_name, sender_address, signatory_name, signatory_title,
             language, time_zone FROM tenants WHERE id = $1",
    )
    .bind(id)
    .one()
    .await
}

pub async fn by_slug(tx: &mut Tx, slug: &str) -> db::Result<Option<Tenant>> {
    tx.query(
        "SELECT id, slug, name, sender_name, sender_address, signatory_name, signatory_title,
             language, time_zone FROM tenants WHERE slug = $1",
    )
    .bind(slug.to_owned())
    .optional()
    .await
}

/// The tenant that was added first: the one meant where none is named.
pub async fn first(tx: &mut Tx) -> db::Result<Option<Tenant>> {
    tx.query(
        "SELECT id, slug, name, sender_name, sender_address, signatory_name, signatory_title,
             language, time_zone FROM tenants ORDER BY created_at, id LIMIT 1",
    )
    .optional()
    .await
}

/// Whether LTI 1.1 consumers of the tenant are let in.
pub async fn allows_legacy_lti(tx: &mut Tx, id: TenantId) -> db::Result<bool> {
    let (allowed,): (bool,) =
        tx.query("SELECT legacy_lti FROM tenants WHERE id = $1").bind(id).one().await?;
    Ok(allowed)
}

pub async fn set_legacy_lti(tx: &mut Tx, id: TenantId, allowed: bool) -> db::Result<()> {
    tx.query("UPDATE tenants SET legacy_lti = $2 WHERE id = $1")
        .bind(id)
        .bind(allowed)
        .execute()
        .await?;
    Ok(())
}

/// All tenants, the first first.
pub async fn all(tx: &mut Tx) -> db::Result<Vec<Tenant>> {
    tx.query(
        "SELECT id, slug, name, sender_name, sender_address, signatory_name, signatory_title,
             language, time_zone FROM tenants ORDER BY created_at, id",
    )
    .all()
    .await
}
