//! The player's SQL.

use chrono::{DateTime, Utc};
use scorm::runtime::Snapshot;
use scorm::sequencing::ObjectiveStatus;
use sqlx::types::Json;

use super::grades::{Activity, GradeService, Grading, ScoreState};
use super::joining::ProgressOf;
use super::{Attempt, AttemptStatus, Enrolment, NewAttempt};
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

const ATTEMPT: &str =
    "id, enrolment_id, course_version_id, number, sequence, state, status, score_scaled,
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
    enrolment: EnrolmentId,
    new: NewAttempt,
    token_hash: &str,
    now: DateTime<Utc>,
) -> db::Result<AttemptId> {
    // Two tabs may begin at once: one attempt, and the later tab plays it.
    let (id,): (AttemptId,) = tx
        .query(
            "INSERT INTO attempts (id, enrolment_id, course_version_id, number, token_hash,
                 sequence, state, status, completed_activities, started_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, 0, $6, 'active', 0, $7, $7)
             ON CONFLICT (enrolment_id, number) DO UPDATE SET token_hash = excluded.token_hash
             RETURNING id",
        )
        .bind(AttemptId::new(now))
        .bind(enrolment)
        .bind(new.version)
        .bind(new.number)
        .bind(token_hash.to_owned())
        .bind(Json(new.progress))
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

/// The shared global objectives of a learner, by target.
pub(super) async fn learner_objectives(
    tx: &mut Tx,
    person: PersonId,
    preview: bool,
) -> db::Result<Vec<(String, Json<ObjectiveStatus>)>> {
    tx.query("SELECT target, status FROM learner_objectives WHERE person_id = $1 AND preview = $2")
        .bind(person)
        .bind(preview)
        .all()
        .await
}

pub(super) async fn save_learner_objective(
    tx: &mut Tx,
    person: PersonId,
    preview: bool,
    target: &str,
    status: ObjectiveStatus,
    now: DateTime<Utc>,
) -> db::Result<()> {
    tx.query(
        "INSERT INTO learner_objectives (person_id, preview, target, status, updated_at)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (person_id, preview, target) DO UPDATE SET
             status = excluded.status, updated_at = excluded.updated_at",
    )
    .bind(person)
    .bind(preview)
    .bind(target.to_owned())
    .bind(Json(status))
    .bind(now)
    .execute()
    .await?;
    Ok(())
}

/// Global objectives and shared data become the survivor's, where they had none of their own.
pub(super) async fn give_learner_records(
    tx: &mut Tx,
    from: PersonId,
    to: PersonId,
) -> db::Result<()> {
    for (table, value) in [("learner_objectives", "status"), ("learner_data", "value")] {
        tx.query_built(format!(
            "INSERT INTO {table} (person_id, preview, target, {value}, updated_at)
             SELECT p.id, r.preview, r.target, r.{value}, r.updated_at FROM {table} r
             JOIN people p ON p.id = $2 WHERE r.person_id = $1
             ON CONFLICT (person_id, preview, target) DO NOTHING"
        ))
        .bind(from)
        .bind(to)
        .execute()
        .await?;
    }
    Ok(())
}

/// The shared data of a learner, by target.
pub(super) async fn learner_data(
    tx: &mut Tx,
    person: PersonId,
    preview: bool,
) -> db::Result<Vec<(String, String)>> {
    tx.query("SELECT target, value FROM learner_data WHERE person_id = $1 AND preview = $2")
        .bind(person)
        .bind(preview)
        .all()
        .await
}

pub(super) async fn save_learner_datum(
    tx: &mut Tx,
    person: PersonId,
    preview: bool,
    target: &str,
    value: &str,
    now: DateTime<Utc>,
) -> db::Result<()> {
    tx.query(
        "INSERT INTO learner_data (person_id, preview, target, value, updated_at)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (person_id, preview, target) DO UPDATE SET
             value = excluded.value, updated_at = excluded.updated_at",
    )
    .bind(person)
    .bind(preview)
    .bind(target.to_owned())
    .bind(value.to_owned())
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
             line_item = CASE WHEN excluded.line_item = '' AND grade_targets.service = 'ags'
                 THEN grade_targets.line_item ELSE excluded.line_item END,
             service = 'ags', sourcedid = NULL",
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

/// The target's address is that of an outcome service, and this the result there.
pub(super) async fn aim_at_outcomes(
    tx: &mut Tx,
    enrolment: EnrolmentId,
    link: ResourceLinkId,
    sourcedid: &str,
    signature_method: Option<&str>,
) -> db::Result<()> {
    tx.query(
        "UPDATE grade_targets SET service = $3, sourcedid = $4, signature_method = $5
         WHERE enrolment_id = $1 AND resource_link_id = $2",
    )
    .bind(enrolment)
    .bind(link)
    .bind(GradeService::Outcomes)
    .bind(sourcedid.to_owned())
    .bind(signature_method.map(str::to_owned))
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

/// The score of an enrolment that was finished at least once: the best or the last attempt's, as
/// the course says; full marks where nothing was scored.
pub(super) async fn final_score(tx: &mut Tx, enrolment: EnrolmentId) -> db::Result<Option<f64>> {
    let row: Option<(f64,)> = tx
        .query(
            "SELECT coalesce(a.score_scaled, 1.0) FROM attempts a
             JOIN enrolments e ON e.id = a.enrolment_id JOIN courses c ON c.id = e.course_id
             WHERE a.enrolment_id = $1 AND a.status = 'completed'
             ORDER BY CASE c.counts WHEN 'best' THEN coalesce(a.score_scaled, 1.0) ELSE 0.0 END
                 DESC, a.number DESC
             LIMIT 1",
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
    pub(super) service: GradeService,
    /// Which result, where the service is Basic Outcomes.
    pub(super) sourcedid: Option<String>,
    pub(super) signature_method: Option<String>,
    /// A later score for the same column is in the outbox.
    pub(super) newer: bool,
}

pub(super) async fn score(tx: &mut Tx, id: ScoreId) -> db::Result<Option<Outgoing>> {
    tx.query(
        "SELECT s.given, s.maximum, s.at, s.state,
             coalesce(nullif(t.line_item, ''), v.column_url, '') AS line_item, i.subject,
             i.registration_id, t.service, t.sourcedid, t.signature_method,
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

/// Holds the attempts of both until the end of the transaction: a commit under way comes first.
pub(super) async fn hold_attempts(tx: &mut Tx, one: PersonId, two: PersonId) -> db::Result<()> {
    let _: Vec<(AttemptId,)> = tx
        .query_pair(
            "SELECT a.id FROM attempts a JOIN enrolments e ON e.id = a.enrolment_id
             WHERE e.person_id IN ($1, $2) ORDER BY a.id",
            "SELECT a.id FROM attempts a JOIN enrolments e ON e.id = a.enrolment_id
             WHERE e.person_id IN ($1, $2) ORDER BY a.id FOR UPDATE OF a",
        )
        .bind(one)
        .bind(two)
        .all()
        .await?;
    Ok(())
}

pub(super) async fn enrolments_of(tx: &mut Tx, person: PersonId) -> db::Result<Vec<Enrolment>> {
    tx.query(
        "SELECT id, person_id, course_id, preview, label, created_at FROM enrolments
         WHERE person_id = $1 ORDER BY created_at, id",
    )
    .bind(person)
    .all()
    .await
}

pub(super) async fn give_enrolment(
    tx: &mut Tx,
    id: EnrolmentId,
    person: PersonId,
) -> db::Result<()> {
    tx.query("UPDATE enrolments SET person_id = $2 WHERE id = $1")
        .bind(id)
        .bind(person)
        .execute()
        .await?;
    Ok(())
}

pub(super) async fn progress_of(tx: &mut Tx, enrolment: EnrolmentId) -> db::Result<ProgressOf> {
    let known: Option<ProgressOf> = tx
        .query(
            "SELECT status = 'completed' AS completed, completed_activities AS activities,
                 coalesce(score_scaled, -1.0) AS score, updated_at
             FROM attempts WHERE enrolment_id = $1 ORDER BY number DESC LIMIT 1",
        )
        .bind(enrolment)
        .optional()
        .await?;
    Ok(known.unwrap_or(ProgressOf { score: -1.0, ..ProgressOf::default() }))
}

/// The enrolment plays no more: neither its host nor its token leads anywhere. The host is
/// remembered, so that a player that is still open can be told why.
pub(super) async fn revoke(tx: &mut Tx, id: EnrolmentId, now: DateTime<Utc>) -> db::Result<()> {
    tx.query(
        "UPDATE enrolments SET revoked_label = coalesce(label, revoked_label), label = NULL
         WHERE id = $1",
    )
    .bind(id)
    .execute()
    .await?;
    tx.query("UPDATE attempts SET token_hash = NULL, updated_at = $2 WHERE enrolment_id = $1")
        .bind(id)
        .bind(now)
        .execute()
        .await?;
    Ok(())
}

/// Whether the host was that of an enrolment that gave way to another.
pub(super) async fn is_revoked(tx: &mut Tx, label: &str) -> db::Result<bool> {
    let (count,): (i64,) = tx
        .query("SELECT COUNT(*) FROM enrolments WHERE revoked_label = $1")
        .bind(label.to_owned())
        .one()
        .await?;
    Ok(count > 0)
}

/// The score of this target goes where the other enrolment's do. A link both came through has a
/// target there already: then it stays.
pub(super) async fn move_grade_target(
    tx: &mut Tx,
    id: GradeTargetId,
    to: EnrolmentId,
) -> db::Result<()> {
    tx.query(
        "UPDATE grade_targets SET enrolment_id = $2
         WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM grade_targets t WHERE t.enrolment_id = $2
             AND t.resource_link_id = grade_targets.resource_link_id)",
    )
    .bind(id)
    .bind(to)
    .execute()
    .await?;
    Ok(())
}

/// The points of the latest score of a target.
pub(super) async fn latest_points(tx: &mut Tx, target: GradeTargetId) -> db::Result<Option<f64>> {
    let row: Option<(f64,)> = tx
        .query(
            "SELECT given FROM scores WHERE grade_target_id = $1 AND grading = 'FullyGraded'
             ORDER BY at DESC LIMIT 1",
        )
        .bind(target)
        .optional()
        .await?;
    Ok(row.map(|(given,)| given))
}
