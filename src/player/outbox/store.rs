//! The outbox's SQL.

use chrono::{DateTime, Utc};

use crate::db::{self, Tx};
use crate::ids::{ContextId, EnrolmentId, GradeTargetId, ResourceLinkId, ScoreId};
use crate::player::grades::{Activity, Grading, Reason};

/// Progress without points.
pub(in crate::player) async fn insert_progress(
    tx: &mut Tx,
    id: ScoreId,
    target: GradeTargetId,
    (activity, grading): (Activity, Grading),
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> db::Result<()> {
    tx.query(
        "INSERT INTO scores (id, grade_target_id, given, maximum, activity, grading, at, state,
             created_at, updated_at)
         VALUES ($1, $2, 0, 100, $3, $4, $5, 'pending', $6, $6)",
    )
    .bind(id)
    .bind(target)
    .bind(activity)
    .bind(grading)
    .bind(at)
    .bind(now)
    .execute()
    .await?;
    Ok(())
}

/// Where mere progress may be told: nothing was ever graded there, this was not told before, and
/// the platform is known not to be a Moodle, where such a score erases the grade that is there.
pub(in crate::player) async fn progress_targets(
    tx: &mut Tx,
    enrolment: EnrolmentId,
    activity: Activity,
) -> db::Result<Vec<GradeTargetId>> {
    let rows: Vec<(GradeTargetId,)> = tx
        .query(
            "SELECT t.id FROM grade_targets t
             JOIN resource_links l ON l.id = t.resource_link_id
             JOIN registrations r ON r.id = l.registration_id
             LEFT JOIN link_services v ON v.resource_link_id = t.resource_link_id
             WHERE t.enrolment_id = $1 AND t.service = 'ags'
                 AND coalesce(v.family, r.family) IS NOT NULL
                 AND lower(coalesce(v.family, '')) <> 'moodle'
                 AND lower(coalesce(r.family, '')) <> 'moodle'
                 AND NOT EXISTS (SELECT 1 FROM scores s WHERE s.grade_target_id = t.id
                     AND (s.grading = 'FullyGraded' OR s.activity = $2))
             ORDER BY t.created_at, t.id",
        )
        .bind(enrolment)
        .bind(activity)
        .all()
        .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Whether a finished enrolment's score has not gone this way yet: there is none, or the latest
/// ones found no column.
pub(in crate::player) async fn lacks_grade(tx: &mut Tx, target: GradeTargetId) -> db::Result<bool> {
    let (sent,): (i64,) = tx
        .query(
            "SELECT COUNT(*) FROM scores WHERE grade_target_id = $1 AND grading = 'FullyGraded'
                 AND (state <> 'refused' OR coalesce(reason, '') NOT IN ('no-column', 'gone'))",
        )
        .bind(target)
        .one()
        .await?;
    Ok(sent == 0)
}

/// The targets of an enrolment in one context, each with the points that went there last.
pub(in crate::player) async fn targets_in_context(
    tx: &mut Tx,
    enrolment: EnrolmentId,
    context: ContextId,
) -> db::Result<Vec<(GradeTargetId, ResourceLinkId, Option<f64>)>> {
    tx.query(
        "SELECT t.id, t.resource_link_id,
             (SELECT s.given FROM scores s WHERE s.grade_target_id = t.id
                 AND s.grading = 'FullyGraded' ORDER BY s.at DESC LIMIT 1)
         FROM grade_targets t JOIN resource_links l ON l.id = t.resource_link_id
         WHERE t.enrolment_id = $1 AND l.context_id = $2 ORDER BY t.created_at, t.id",
    )
    .bind(enrolment)
    .bind(context)
    .all()
    .await
}

/// The column that was looked for is there: what waits for it goes there.
pub(in crate::player) async fn aim_waiting(
    tx: &mut Tx,
    link: ResourceLinkId,
    line_item: &str,
) -> db::Result<Vec<ScoreId>> {
    let waiting: Vec<(ScoreId,)> = tx
        .query(
            "SELECT s.id FROM scores s JOIN grade_targets t ON t.id = s.grade_target_id
             WHERE t.resource_link_id = $1 AND t.line_item = '' AND s.state = 'pending'
             ORDER BY s.at",
        )
        .bind(link)
        .all()
        .await?;
    tx.query(
        "UPDATE grade_targets SET line_item = $2 WHERE resource_link_id = $1 AND line_item = ''",
    )
    .bind(link)
    .bind(line_item.to_owned())
    .execute()
    .await?;
    Ok(waiting.into_iter().map(|(id,)| id).collect())
}

/// The column is gone at the platform: another has to be found.
pub(in crate::player) async fn forget_line_item(
    tx: &mut Tx,
    link: ResourceLinkId,
    line_item: &str,
) -> db::Result<()> {
    tx.query(
        "UPDATE grade_targets SET line_item = '' WHERE resource_link_id = $1 AND line_item = $2",
    )
    .bind(link)
    .bind(line_item.to_owned())
    .execute()
    .await?;
    Ok(())
}

/// The score will not be taken: the word for the texts, and what the platform said.
pub(in crate::player) async fn refuse_score(
    tx: &mut Tx,
    id: ScoreId,
    reason: Reason,
    detail: &str,
    now: DateTime<Utc>,
) -> db::Result<()> {
    tx.query(
        "UPDATE scores SET state = 'refused', reason = $2, detail = $3, updated_at = $4,
             next_try_at = NULL
         WHERE id = $1 AND state = 'pending'",
    )
    .bind(id)
    .bind(reason)
    .bind(detail.chars().take(500).collect::<String>())
    .bind(now)
    .execute()
    .await?;
    Ok(())
}

/// The score waits: until when, and for what.
pub(in crate::player) async fn postpone_score(
    tx: &mut Tx,
    id: ScoreId,
    detail: &str,
    next_try_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> db::Result<()> {
    tx.query(
        "UPDATE scores SET detail = $2, next_try_at = $3, updated_at = $4
         WHERE id = $1 AND state = 'pending'",
    )
    .bind(id)
    .bind(detail.chars().take(500).collect::<String>())
    .bind(next_try_at)
    .bind(now)
    .execute()
    .await?;
    Ok(())
}
