//! Following a course: enrolments, attempts, the run-time API's server side, the content itself.

pub mod api;
pub mod columns;
pub mod content;
mod delivery;
pub mod grades;
pub mod messages;
mod outbox;
pub mod packages;
pub mod pages;
mod progress;
pub mod record;
mod runtime;
mod store;
mod verdict;

use chrono::{DateTime, Utc};
use sqlx::types::Json;

use crate::courses;
use crate::db::{self, Tx};
use crate::ids::{AttemptId, CourseId, CourseVersionId, EnrolmentId, PersonId, Token, label};
use crate::web::Lang;

pub use progress::{Progress, Step, Steps};
pub use runtime::{NavigateError, RuntimeError};

/// A person in a course.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Enrolment {
    pub id: EnrolmentId,
    pub person_id: PersonId,
    pub course_id: CourseId,
    pub preview: bool,
    /// The host name of its content.
    pub label: Option<String>,
    pub created_at: DateTime<Utc>,
}

crate::text_enum! {
    pub enum AttemptStatus { Active = "active", Completed = "completed" }
}

/// One run through the package.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Attempt {
    pub id: AttemptId,
    pub enrolment_id: EnrolmentId,
    pub course_version_id: CourseVersionId,
    pub sequence: i64,
    pub state: Json<Progress>,
    pub status: AttemptStatus,
    pub score_scaled: Option<f64>,
    pub started_at: DateTime<Utc>,
    pub completed_at: Option<DateTime<Utc>>,
}

/// The person's enrolment in the course: found, or made.
pub async fn enrol(
    tx: &mut Tx,
    person: PersonId,
    course: CourseId,
    preview: bool,
    now: DateTime<Utc>,
) -> db::Result<Enrolment> {
    store::insert_enrolment(tx, EnrolmentId::new(now), person, course, preview, &label(), now).await
}

/// What the learner's page shows.
pub async fn enrolment(
    tx: &mut Tx,
    person: PersonId,
    course: CourseId,
    preview: bool,
) -> db::Result<Option<(Enrolment, Option<Attempt>)>> {
    let Some(enrolment) = store::enrolment(tx, person, course, preview).await? else {
        return Ok(None);
    };
    let attempt = store::latest_attempt(tx, enrolment.id).await?;
    Ok(Some((enrolment, attempt)))
}

/// Gives the browser the right to play: the running attempt, or a first one, under a new token.
/// A player that was open elsewhere loses its right with that.
pub async fn admit(
    tx: &mut Tx,
    enrolment: &Enrolment,
    lang: Lang,
    now: DateTime<Utc>,
) -> db::Result<Option<(AttemptId, Token)>> {
    let token = Token::random();
    if let Some(attempt) = store::latest_attempt(tx, enrolment.id).await? {
        store::set_token(tx, attempt.id, &token.hash(), now).await?;
        return Ok(Some((attempt.id, token)));
    }
    let versions = courses::versions(tx, enrolment.course_id).await?;
    let Some(version) = courses::choose(&versions, lang) else { return Ok(None) };
    let id = AttemptId::new(now);
    let id = store::insert_attempt(tx, id, enrolment.id, version.id, &token.hash(), now).await?;
    if !enrolment.preview {
        let (begun, ungraded) = (grades::Activity::Started, grades::Grading::NotReady);
        grades::tell_progress(tx, enrolment.id, begun, ungraded, now).await?;
    }
    Ok(Some((id, token)))
}
