//! The player's SQL.

use chrono::{DateTime, Utc};
use scorm::runtime::Snapshot;
use sqlx::types::Json;

use super::grades::{Activity, Grading, ScoreState};
use super::{Attempt, AttemptStatus, Enrolment, Progress};
use crate::db::{self, Tx};
use crate::ids::{
    AttemptId, CourseId, CourseVersionId, EnrolmentId, GradeTargetId, IdentityId, PersonId,
    RegistrationId, ResourceLinkId, ScoreId,
};
use crate::platforms::services::ColumnState;

pub(super) async fn insert_enrolment(
    tx: &mut Tx,
    id: EnrolmentId,
    person: PersonId,
    course: CourseId,
    preview: bool,
    label: &str,
    now: DateTime<Utc>,
) -> db::Result<Enrolment> {
    tx.query(
        "INSERT INTO enrolments (id, person_id, course_id, preview, label, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (person_id, course_id, preview) DO UPDATE SET
             label = coalesce(enrolments.label, excluded.label)
         RETURNING id, person_id, course_id, preview, label, created_at",
    )
    .bind(id)
    .bind(person)
    .bind(course)
    .bind(preview)
    .bind(label.to_owned())
    .bind(now)
    .one()
    .await
}

pub(super) async fn enrolment(
    tx: &mut Tx,
    person: PersonId,
    course: CourseId,
    preview: bool,
) -> db::Result<Option<Enrolment>> {
    tx.query(
        "SELECT id, person_id, course_id, preview, label, created_at FROM enrolments
         WHERE person_id = $1 AND course_id = $2 AND preview = $3",
    )
    .bind(person)
    .bind(course)
    .bind(preview)
    .optional()
    .await
}

pub(super) async fn enrolment_by_id(tx: &mut Tx, id: EnrolmentId) -> db::Result<Enrolment> {
    tx.query(
        "SELECT id, person_id, course_id, preview, label, created_at FROM enrolments WHERE id = $1",
    )
    .bind(id)
    .one()
    .await
}

/// The version whose content a host name gives the right to read, and the attempt that runs on it.
pub(super) async fn version_of_label(
    tx: &mut Tx,
    label: &str,
) -> db::Result<Option<(EnrolmentId, Option<CourseVersionId>)>> {
    tx.query(
        "SELECT e.id, (SELECT a.course_version_id FROM attempts a WHERE a.enrolment_id = e.id
             ORDER BY a.number DESC LIMIT 1)
         FROM enrolments e WHERE e.label = $1",
    )
    .bind(label.to_owned())
    .optional()
    .await
}

/// The origins of the platforms that may frame the player of an enrolment: those its person
/// launches from.
pub(super) async fn platforms_of_label(
    tx: &mut Tx,
    label: &str,
) -> db::Result<Vec<(String, String)>> {
    tx.query(
        "SELECT DISTINCT r.issuer, r.authorization_endpoint FROM enrolments e
         JOIN identities i ON i.person_id = e.person_id
         JOIN registrations r ON r.id = i.registration_id WHERE e.label = $1",
    )
    .bind(label.to_owned())
    .all()
    .await
}

const ATTEMPT: &str = "id, enrolment_id, course_version_id, sequence, state, status, score_scaled,
    started_at, completed_at";

pub(super) async fn latest_attempt(
    tx: &mut Tx,
    enrolment: EnrolmentId,
) -> db::Result<Option<Attempt>> {
    tx.query_built(format!(
        "SELECT {ATTEMPT} FROM attempts WHERE enrolment_id = $1 ORDER BY number DESC LIMIT 1"
    ))
    .bind(enrolment)
    .optional()
    .await
}

pub(super) async fn insert_attempt(
    tx: &mut Tx,
    id: AttemptId,
    enrolment: EnrolmentId,
    version: CourseVersionId,
    token_hash: &str,
    now: DateTime<Utc>,
) -> db::Result<AttemptId> {
    // Two tabs may begin at once: one attempt, and the later tab plays it.
    let (id,): (AttemptId,) = tx.query(
        "INSERT INTO attempts (id, enrolment_id, course_version_id, number, token_hash, sequence,
             state, status, completed_activities, started_at, updated_at)
         VALUES ($1, $2, $3, 1, $4, 0, $5, 'active', 0, $6, $6)
         ON CONFLICT (enrolment_id, number) DO UPDATE SET token_hash = excluded.token_hash
         RETURNING id",
    )
    .bind(id)
    .bind(enrolment)
    .bind(version)
    .bind(token_hash.to_owned())
    .bind(Json(Progress::default()))
    .bind(now)
    .one()
    .await?;
    Ok(id)
}

pub(super) async fn set_token(
    tx: &mut Tx,
    id: AttemptId,
    token_hash: &str,
    now: DateTime<Utc>,
) -> db::Result<()> {
    tx.query("UPDATE attempts SET token_hash = $2, updated_at = $3 WHERE id = $1")
        .bind(id)
        .bind(token_hash.to_owned())
        .bind(now)
        .execute()
        .await?;
    Ok(())
}

/// The attempt this token plays, on the enrolment of this label. Taking it locks its row: commits
/// of one attempt happen one after the other.
pub(super) async fn take_attempt(
    tx: &mut Tx,
    token_hash: &str,
    label: &str,
    now: DateTime<Utc>,
) -> db::Result<Option<Attempt>> {
    tx.query_built(format!(
        "UPDATE attempts SET updated_at = $3
         WHERE token_hash = $1
             AND enrolment_id = (SELECT e.id FROM enrolments e WHERE e.label = $2)
         RETURNING {ATTEMPT}"
    ))
    .bind(token_hash.to_owned())
    .bind(label.to_owned())
    .bind(now)
    .optional()
    .await
}

/// Writes what a commit or a navigation changed.
pub(super) async fn save_attempt(
    tx: &mut Tx,
    attempt: &Attempt,
    completed_activities: i64,
    now: DateTime<Utc>,
) -> db::Result<()> {
    tx.query(
        "UPDATE attempts SET sequence = $2, state = $3, status = $4, completed_activities = $5,
             score_scaled = $6, completed_at = $7, updated_at = $8
         WHERE id = $1",
    )
    .bind(attempt.id)
    .bind(attempt.sequence)
    .bind(Json(attempt.state.0.clone()))
    .bind(attempt.status)
    .bind(completed_activities)
    .bind(attempt.score_scaled)
    .bind(attempt.completed_at)
    .bind(now)
    .execute()
    .await?;
    Ok(())
}

/// What one activity stored, and the whole seconds of its earlier sessions.
#[derive(Clone, Debug, Default, sqlx::FromRow)]
pub(super) struct ActivityData {
    pub(super) model: Json<Snapshot>,
    pub(super) seconds: i64,
    /// Whether the last session asked to be resumed.
    pub(super) suspended: bool,
}

pub(super) async fn activity_data(
    tx: &mut Tx,
    attempt: AttemptId,
    activity: &str,
) -> db::Result<Option<ActivityData>> {
    tx.query(
        "SELECT model, seconds, suspended FROM activity_data
         WHERE attempt_id = $1 AND activity = $2",
    )
    .bind(attempt)
    .bind(activity.to_owned())
    .optional()
    .await
}

pub(super) async fn save_activity_data(
    tx: &mut Tx,
    attempt: AttemptId,
    activity: &str,
    data: &ActivityData,
    now: DateTime<Utc>,
) -> db::Result<()> {
    tx.query(
        "INSERT INTO activity_data (attempt_id, activity, model, seconds, suspended, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (attempt_id, activity) DO UPDATE SET
             model = excluded.model, seconds = excluded.seconds, suspended = excluded.suspended,
             updated_at = excluded.updated_at",
    )
    .bind(attempt)
    .bind(activity.to_owned())
    .bind(Json(data.model.0.clone()))
    .bind(data.seconds)
    .bind(data.suspended)
    .bind(now)
    .execute()
    .await?;
    Ok(())
}

/// What every activity of an attempt stored, by activity.
pub(super) async fn all_activity_data(
    tx: &mut Tx,
    attempt: AttemptId,
) -> db::Result<Vec<(String, Json<Snapshot>, i64)>> {
    tx.query(
        "SELECT activity, model, seconds FROM activity_data WHERE attempt_id = $1
         ORDER BY activity",
    )
    .bind(attempt)
    .all()
    .await
}

pub(super) async fn seconds_of(tx: &mut Tx, attempt: AttemptId) -> db::Result<i64> {
    let (seconds,): (i64,) = tx
        .query(
            "SELECT coalesce(CAST(sum(seconds) AS BIGINT), 0) FROM activity_data
             WHERE attempt_id = $1",
        )
        .bind(attempt)
        .one()
        .await?;
    Ok(seconds)
}

/// Keeps the status word in one place for SQL and Rust.
pub(super) const fn finished(status: AttemptStatus) -> bool {
    matches!(status, AttemptStatus::Completed)
}

/// An empty `line_item` is a column that is still looked for.
pub(super) async fn upsert_grade_target(
    tx: &mut Tx,
    id: GradeTargetId,
    enrolment: EnrolmentId,
    link: ResourceLinkId,
    identity: IdentityId,
    line_item: &str,
    now: DateTime<Utc>,
) -> db::Result<()> {
    tx.query(
        "INSERT INTO grade_targets (id, enrolment_id, resource_link_id, identity_id, line_item,
             created_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (enrolment_id, resource_link_id) DO UPDATE SET
             identity_id = excluded.identity_id,
             line_item = CASE WHEN excluded.line_item = '' THEN grade_targets.line_item
                 ELSE excluded.line_item END",
    )
    .bind(id)
    .bind(enrolment)
    .bind(link)
    .bind(identity)
    .bind(line_item.to_owned())
    .bind(now)
    .execute()
    .await?;
    Ok(())
}

pub(super) async fn grade_targets(
    tx: &mut Tx,
    enrolment: EnrolmentId,
) -> db::Result<Vec<GradeTargetId>> {
    let rows: Vec<(GradeTargetId,)> = tx
        .query("SELECT id FROM grade_targets WHERE enrolment_id = $1 ORDER BY created_at, id")
        .bind(enrolment)
        .all()
        .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// The score of a finished enrolment, if it is finished: full marks where nothing was scored.
pub(super) async fn final_score(tx: &mut Tx, enrolment: EnrolmentId) -> db::Result<Option<f64>> {
    let row: Option<(f64,)> = tx
        .query(
            "SELECT coalesce(score_scaled, 1.0) FROM attempts
             WHERE enrolment_id = $1 AND status = 'completed' ORDER BY number DESC LIMIT 1",
        )
        .bind(enrolment)
        .optional()
        .await?;
    Ok(row.map(|(score,)| score))
}

/// Holds the enrolment until the end of the transaction: a launch that aims at a new column and a
/// commit that completes the course see each other.
pub(super) async fn hold_enrolment(tx: &mut Tx, id: EnrolmentId) -> db::Result<()> {
    tx.query_pair(
        "SELECT 1 FROM enrolments WHERE id = $1",
        "SELECT 1 FROM enrolments WHERE id = $1 FOR UPDATE",
    )
    .bind(id)
    .execute()
    .await?;
    Ok(())
}

/// The instant of the latest score of a target.
pub(super) async fn latest_score(
    tx: &mut Tx,
    target: GradeTargetId,
) -> db::Result<Option<DateTime<Utc>>> {
    let row: Option<(DateTime<Utc>,)> = tx
        .query("SELECT at FROM scores WHERE grade_target_id = $1 ORDER BY at DESC LIMIT 1")
        .bind(target)
        .optional()
        .await?;
    Ok(row.map(|(at,)| at))
}

pub(super) async fn insert_score(
    tx: &mut Tx,
    id: ScoreId,
    target: GradeTargetId,
    given: f64,
    maximum: f64,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> db::Result<()> {
    tx.query(
        "INSERT INTO scores (id, grade_target_id, given, maximum, at, state, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, 'pending', $6, $6)",
    )
    .bind(id)
    .bind(target)
    .bind(given)
    .bind(maximum)
    .bind(at)
    .bind(now)
    .execute()
    .await?;
    Ok(())
}

/// A score with where and for whom it goes.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct Outgoing {
    pub(super) given: f64,
    pub(super) maximum: f64,
    pub(super) activity: Activity,
    pub(super) grading: Grading,
    pub(super) created_at: DateTime<Utc>,
    pub(super) resource_link_id: ResourceLinkId,
    /// `None` for a link of which no launch told its services.
    pub(super) column_state: Option<ColumnState>,
    pub(super) grade_scopes: Option<String>,
    pub(super) at: DateTime<Utc>,
    pub(super) state: ScoreState,
    pub(super) line_item: String,
    pub(super) subject: String,
    pub(super) registration_id: RegistrationId,
    /// A later score for the same column is in the outbox.
    pub(super) newer: bool,
}

pub(super) async fn score(tx: &mut Tx, id: ScoreId) -> db::Result<Option<Outgoing>> {
    tx.query(
        "SELECT s.given, s.maximum, s.at, s.state,
             coalesce(nullif(t.line_item, ''), v.column_url, '') AS line_item, i.subject,
             i.registration_id,
             s.activity, s.grading, s.created_at, t.resource_link_id, v.column_state,
             v.grade_scopes,
             EXISTS (SELECT 1 FROM scores n WHERE n.grade_target_id = s.grade_target_id
                 AND n.at > s.at) AS newer
         FROM scores s JOIN grade_targets t ON t.id = s.grade_target_id
         JOIN identities i ON i.id = t.identity_id
         LEFT JOIN link_services v ON v.resource_link_id = t.resource_link_id
         WHERE s.id = $1",
    )
    .bind(id)
    .optional()
    .await
}

pub(super) async fn settle_score(
    tx: &mut Tx,
    id: ScoreId,
    state: ScoreState,
    detail: &str,
    now: DateTime<Utc>,
) -> db::Result<()> {
    tx.query(
        "UPDATE scores SET state = $2, detail = $3, updated_at = $4, next_try_at = NULL
         WHERE id = $1 AND state = 'pending'",
    )
    .bind(id)
    .bind(state)
    .bind(detail.chars().take(500).collect::<String>())
    .bind(now)
    .execute()
    .await?;
    Ok(())
}

/// What the learner's page says of the grade: the state of the newest score with points.
pub(super) async fn grade_state(
    tx: &mut Tx,
    enrolment: EnrolmentId,
) -> db::Result<Option<(f64, ScoreState)>> {
    tx.query(
        "SELECT s.given, s.state FROM scores s JOIN grade_targets t ON t.id = s.grade_target_id
         WHERE t.enrolment_id = $1 AND s.grading = 'FullyGraded' ORDER BY s.at DESC LIMIT 1",
    )
    .bind(enrolment)
    .optional()
    .await
}
