//! The SQL of who follows a course in a context, and of what became of their scores.

use chrono::{DateTime, Utc};
use sqlx::types::Json;

use crate::db::{self, Tx};
use crate::ids::{ContextId, CourseId, EnrolmentId, PersonId, RegistrationId, ResourceLinkId};
use crate::people::Person;
use crate::player::grades::{Reason, ScoreState};
use crate::player::{AttemptStatus, Steps};
use crate::visits::Role;

/// Somebody of the context who was here, with how far they are in the course.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Known {
    #[sqlx(flatten)]
    pub person: Person,
    /// The platform's name for them.
    pub subject: String,
    pub role: Role,
    /// `None` for who never opened this course.
    pub enrolment_id: Option<EnrolmentId>,
    /// The rest is `None` before the first opening of the player.
    pub status: Option<AttemptStatus>,
    pub score_scaled: Option<f64>,
    pub steps: Option<Json<Steps>>,
}

const KNOWN: &str = "SELECT p.id, p.tenant_id, p.given_name, p.family_name, p.full_name, p.email,
        p.locale, i.subject, m.role, e.id AS enrolment_id, a.status, a.score_scaled,
        a.state -> 'steps' AS steps
    FROM memberships m
    JOIN contexts c ON c.id = m.context_id
    JOIN people p ON p.id = m.person_id
    JOIN identities i ON i.person_id = p.id AND i.registration_id = c.registration_id
    LEFT JOIN enrolments e ON e.person_id = p.id AND e.course_id = $2 AND e.preview = FALSE
    LEFT JOIN attempts a ON a.enrolment_id = e.id
        AND a.number = (SELECT max(x.number) FROM attempts x WHERE x.enrolment_id = e.id)
    WHERE m.context_id = $1";

/// Everybody of the context who was here, and their way through this course.
pub(super) async fn known(
    tx: &mut Tx,
    context: ContextId,
    course: CourseId,
) -> db::Result<Vec<Known>> {
    tx.query_built(format!("{KNOWN} ORDER BY p.id, i.last_seen_at DESC"))
        .bind(context)
        .bind(course)
        .all()
        .await
}

/// The person of this enrolment, if they are of this context and it is of this course.
pub(super) async fn of_enrolment(
    tx: &mut Tx,
    context: ContextId,
    course: CourseId,
    enrolment: EnrolmentId,
) -> db::Result<Option<Known>> {
    tx.query_built(format!("{KNOWN} AND e.id = $3 ORDER BY i.last_seen_at DESC LIMIT 1"))
        .bind(context)
        .bind(course)
        .bind(enrolment)
        .optional()
        .await
}

/// The enrolment of whom a platform names so, in a course.
pub(super) async fn enrolment_of_subject(
    tx: &mut Tx,
    registration: RegistrationId,
    subject: &str,
    course: CourseId,
) -> db::Result<Option<(EnrolmentId, PersonId)>> {
    tx.query(
        "SELECT e.id, e.person_id FROM enrolments e
         JOIN identities i ON i.person_id = e.person_id
         WHERE i.registration_id = $1 AND i.subject = $2 AND e.course_id = $3
             AND e.preview = FALSE",
    )
    .bind(registration)
    .bind(subject.to_owned())
    .bind(course)
    .optional()
    .await
}

/// The score that went last to one column.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Sent {
    pub enrolment_id: EnrolmentId,
    pub resource_link_id: ResourceLinkId,
    pub given: f64,
    pub state: ScoreState,
    pub reason: Option<Reason>,
    /// What the platform said.
    pub detail: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub next_try_at: Option<DateTime<Utc>>,
}

/// The latest score with points of every column of the context, for one course.
pub(super) async fn sent(
    tx: &mut Tx,
    context: ContextId,
    course: CourseId,
) -> db::Result<Vec<Sent>> {
    tx.query(
        "SELECT t.enrolment_id, t.resource_link_id, s.given, s.state, s.reason, s.detail,
             s.created_at, s.updated_at, s.next_try_at
         FROM grade_targets t
         JOIN resource_links l ON l.id = t.resource_link_id
         JOIN enrolments e ON e.id = t.enrolment_id
         JOIN scores s ON s.grade_target_id = t.id
         WHERE l.context_id = $1 AND e.course_id = $2 AND s.grading = 'FullyGraded'
             AND s.at = (SELECT max(n.at) FROM scores n
                 WHERE n.grade_target_id = t.id AND n.grading = 'FullyGraded')
         ORDER BY s.at DESC, s.id",
    )
    .bind(context)
    .bind(course)
    .all()
    .await
}
