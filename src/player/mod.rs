//! Following a course: enrolments, attempts, the run-time API's server side, the content itself.

pub mod api;
pub mod columns;
pub mod content;
mod delivery;
pub mod grades;
pub mod joining;
mod learner;
pub mod messages;
mod outbox;
pub mod outcomes;
pub mod packages;
pub mod pages;
mod progress;
pub mod record;
mod runtime;
mod store;
mod verdict;

use chrono::{DateTime, Utc};
use sqlx::types::Json;

use crate::courses::{self, Attempts};
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
    pub number: i64,
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
    let new = NewAttempt { version: version.id, number: 1, progress: Progress::default() };
    let id = store::insert_attempt(tx, enrolment.id, new, &token.hash(), now).await?;
    if !enrolment.preview {
        let (begun, ungraded) = (grades::Activity::Started, grades::Grading::NotReady);
        grades::tell_progress(tx, enrolment.id, begun, ungraded, now).await?;
    }
    Ok(Some((id, token)))
}

/// An attempt to begin.
struct NewAttempt {
    version: CourseVersionId,
    number: i64,
    progress: Progress,
}

#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    #[error("the attempt under way is not finished")]
    NotFinished,
    #[error("the course is followed once")]
    OnceOnly,
    #[error("the course has no version to play")]
    NoVersion,
    #[error(transparent)]
    Database(#[from] db::Error),
}

/// Begins anew, on the newest version, where the course allows it and the last attempt is finished.
pub async fn begin_again(
    tx: &mut Tx,
    enrolment: &Enrolment,
    lang: Lang,
    now: DateTime<Utc>,
) -> Result<(AttemptId, Token), BeginError> {
    store::hold_enrolment(tx, enrolment.id).await?;
    let course = courses::find(tx, enrolment.course_id).await?.ok_or(BeginError::NoVersion)?;
    if course.attempts == Attempts::Once {
        return Err(BeginError::OnceOnly);
    }
    let last = store::latest_attempt(tx, enrolment.id).await?.ok_or(BeginError::NotFinished)?;
    if !store::finished(last.status) {
        return Err(BeginError::NotFinished);
    }
    let versions = courses::versions(tx, enrolment.course_id).await?;
    let version = courses::choose(&versions, lang).ok_or(BeginError::NoVersion)?;
    let new = NewAttempt {
        version: version.id,
        number: last.number + 1,
        // Openings are counted on: what a browser kept of the last attempt is not taken for this one.
        progress: Progress { run: last.state.run, ..Progress::default() },
    };
    let token = Token::random();
    let id = store::insert_attempt(tx, enrolment.id, new, &token.hash(), now).await?;
    Ok((id, token))
}
