//! The SQL of what platforms' services offered.

use chrono::{DateTime, Utc};

use super::{ColumnState, Offer, Offered};
use crate::db::{self, Tx};
use crate::ids::{ContextId, CourseId, RegistrationId, ResourceLinkId};

/// Writes what a launch told, when it is not what the one before told.
pub(super) async fn upsert(
    tx: &mut Tx,
    link: ResourceLinkId,
    offer: Offer,
    now: DateTime<Utc>,
) -> db::Result<()> {
    tx.query(
        "INSERT INTO link_services (resource_link_id, digest, family, line_items, line_item,
             grade_scopes, memberships, groups_url, group_scopes, column_state, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'none', $10)
         ON CONFLICT (resource_link_id) DO UPDATE SET
             digest = excluded.digest,
             family = coalesce(excluded.family, link_services.family),
             line_item = CASE WHEN excluded.grade_scopes = '' THEN link_services.line_item
                 ELSE excluded.line_item END,
             line_items = coalesce(excluded.line_items, link_services.line_items),
             memberships = coalesce(excluded.memberships, link_services.memberships),
             groups_url = coalesce(excluded.groups_url, link_services.groups_url),
             group_scopes = CASE WHEN excluded.group_scopes = '' THEN link_services.group_scopes
                 ELSE excluded.group_scopes END,
             column_state = CASE WHEN link_services.column_state = 'refused'
                     AND excluded.grade_scopes <> ''
                     AND excluded.grade_scopes <> link_services.grade_scopes
                 THEN 'none' ELSE link_services.column_state END,
             grade_scopes = CASE WHEN excluded.grade_scopes = '' THEN link_services.grade_scopes
                 ELSE excluded.grade_scopes END,
             updated_at = excluded.updated_at
         WHERE link_services.digest <> excluded.digest",
    )
    .bind(link)
    .bind(offer.digest)
    .bind(offer.family)
    .bind(offer.line_items)
    .bind(offer.line_item)
    .bind(offer.grade_scopes)
    .bind(offer.memberships)
    .bind(offer.groups)
    .bind(offer.group_scopes)
    .bind(now)
    .execute()
    .await?;
    Ok(())
}

/// What the launches of this link offered.
pub async fn of_link(tx: &mut Tx, link: ResourceLinkId) -> db::Result<Option<Offered>> {
    tx.query(
        "SELECT family, line_items, line_item, grade_scopes, memberships, groups_url, group_scopes,
             column_state, column_url, column_detail
         FROM link_services WHERE resource_link_id = $1",
    )
    .bind(link)
    .optional()
    .await
}

/// What the launches of a context offered to see its people: those of `link` before others'.
pub async fn of_context(
    tx: &mut Tx,
    context: ContextId,
    link: Option<ResourceLinkId>,
) -> db::Result<Option<Offered>> {
    tx.query(
        "SELECT s.family, s.line_items, s.line_item, s.grade_scopes, s.memberships, s.groups_url,
             s.group_scopes, s.column_state, s.column_url, s.column_detail
         FROM link_services s JOIN resource_links l ON l.id = s.resource_link_id
         WHERE l.context_id = $1 AND s.memberships IS NOT NULL
         ORDER BY CASE WHEN l.id = $2 THEN 0 ELSE 1 END, s.updated_at DESC LIMIT 1",
    )
    .bind(context)
    .bind(link)
    .optional()
    .await
}

/// A link, as the platform names it, and the course it opens.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Link {
    pub registration_id: RegistrationId,
    pub lms_id: String,
    pub course_id: Option<CourseId>,
}

pub async fn link(tx: &mut Tx, id: ResourceLinkId) -> db::Result<Option<Link>> {
    tx.query("SELECT registration_id, lms_id, course_id FROM resource_links WHERE id = $1")
        .bind(id)
        .optional()
        .await
}

/// From now on somebody looks for a column of ours; false when somebody does already, or did.
pub async fn want_column(
    tx: &mut Tx,
    link: ResourceLinkId,
    now: DateTime<Utc>,
) -> db::Result<bool> {
    let rows = tx
        .query(
            "UPDATE link_services SET column_state = 'wanted', column_detail = NULL,
                 updated_at = $2
             WHERE resource_link_id = $1 AND column_state = 'none'",
        )
        .bind(link)
        .bind(now)
        .execute()
        .await?;
    Ok(rows == 1)
}

/// What came of looking for a column.
pub async fn settle_column(
    tx: &mut Tx,
    link: ResourceLinkId,
    state: ColumnState,
    url: Option<String>,
    detail: Option<String>,
    now: DateTime<Utc>,
) -> db::Result<()> {
    tx.query(
        "UPDATE link_services SET column_state = $2, column_url = $3, column_detail = $4,
             updated_at = $5
         WHERE resource_link_id = $1",
    )
    .bind(link)
    .bind(state)
    .bind(url)
    .bind(detail.map(|detail| detail.chars().take(500).collect::<String>()))
    .bind(now)
    .execute()
    .await?;
    Ok(())
}

/// The column is gone at the platform: the next launch looks for another. False when it was not
/// ours.
pub async fn forget_column(tx: &mut Tx, link: ResourceLinkId, url: &str) -> db::Result<bool> {
    let rows = tx
        .query(
            "UPDATE link_services SET column_state = 'none', column_url = NULL
             WHERE resource_link_id = $1 AND column_url = $2",
        )
        .bind(link)
        .bind(url.to_owned())
        .execute()
        .await?;
    Ok(rows == 1)
}

/// Somebody wants another try after a refusal; false when there was none.
pub async fn want_column_again(
    tx: &mut Tx,
    link: ResourceLinkId,
    now: DateTime<Utc>,
) -> db::Result<bool> {
    let rows = tx
        .query(
            "UPDATE link_services SET column_state = 'wanted', updated_at = $2
             WHERE resource_link_id = $1 AND column_state = 'refused'",
        )
        .bind(link)
        .bind(now)
        .execute()
        .await?;
    Ok(rows == 1)
}
