//! The learner's page of a course: where they are, what comes next, what they got.

use axum::Form;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::grades::ScoreState;
use super::{BeginError, admit, begin_again, enrolment, store};
use crate::app::App;
use crate::completions;
use crate::courses::{self, Attempts};
use crate::credentials;
use crate::visits::{Opens, Visit};
use crate::web::{Page, Problem, dates};

#[derive(Serialize)]
pub struct CoursePage {
    pub title: String,
    pub description: String,
    pub duration: String,
    pub preview: bool,
    /// `None` before the first opening.
    pub progress: Option<ProgressPart>,
    pub form_token: String,
    pub open_url: String,
    pub status_url: String,
    pub award: Option<AwardPart>,
    pub grade: Option<GradePart>,
    /// The people of the course, for trainers.
    pub learners_path: Option<String>,
    /// No mail can be sent until the person tells an address.
    pub address_missing: Option<String>,
    pub return_url: Option<String>,
    /// Looked at before it is chosen: back to the choice.
    pub picker_url: Option<String>,
    /// Where somebody who comes from another platform too says so; a preview is nobody's.
    pub identities_url: Option<String>,
}

#[derive(Serialize)]
pub struct ProgressPart {
    pub done: usize,
    pub total: usize,
    /// The number and title of the step to go on with.
    pub next: Option<NextStep>,
    pub minutes_left: i64,
    pub completed: bool,
    /// A new attempt may begin.
    pub again: bool,
}

#[derive(Serialize)]
pub struct NextStep {
    pub number: usize,
    pub title: String,
}

#[derive(Serialize)]
pub struct AwardPart {
    /// `None` while the document is being made.
    pub pdf_url: Option<String>,
    pub verify_url: String,
    pub issued_on: String,
    pub mailed_to: Option<String>,
}

#[derive(Serialize)]
pub struct GradePart {
    /// `pending`, `delivered`, `superseded`, `refused`.
    pub state: ScoreState,
    pub points: String,
    /// What the platform is called.
    pub platform: String,
}

impl Page for CoursePage {
    const TEMPLATE: &'static str = "pages/course";

    fn samples() -> Vec<Self> {
        let sample = |progress, award, grade, preview| Self {
            title: "Concevoir un projet collaboratif <européen>".to_owned(),
            description: "Deux phrases.".to_owned(),
            duration: "1 h 25".to_owned(),
            preview,
            progress,
            form_token: "token".to_owned(),
            open_url: "/launches/1/course/open".to_owned(),
            status_url: "/launches/1/course/status".to_owned(),
            award,
            grade,
            learners_path: preview.then(|| "/launches/1/learners".to_owned()),
            address_missing: preview.then(|| "/launches/1/address".to_owned()),
            return_url: preview.then(|| "https://lms.example/".to_owned()),
            picker_url: preview.then(|| "/launches/2/picker".to_owned()),
            identities_url: (!preview).then(|| "/launches/1/identities".to_owned()),
        };
        let progress = |done, completed: bool| ProgressPart {
            done,
            total: 7,
            next: (!completed).then(|| NextStep { number: 3, title: "Leçon".to_owned() }),
            minutes_left: 12,
            completed,
            again: completed,
        };
        let award = |pdf: bool| AwardPart {
            pdf_url: pdf.then(|| "/launches/1/credentials/2/pdf".to_owned()),
            verify_url: "https://training.example.org/verify/ABC".to_owned(),
            issued_on: "23 novembre 2026".to_owned(),
            mailed_to: pdf.then(|| "zoe@example.org".to_owned()),
        };
        let platform = "Campus".to_owned();
        let grade =
            |state| GradePart { state, points: "92".to_owned(), platform: platform.clone() };
        vec![
            sample(None, None, None, false),
            sample(Some(progress(2, false)), None, None, true),
            sample(
                Some(progress(7, true)),
                Some(award(false)),
                Some(grade(ScoreState::Pending)),
                false,
            ),
            sample(
                Some(progress(7, true)),
                Some(award(true)),
                Some(grade(ScoreState::Delivered)),
                false,
            ),
            sample(
                Some(progress(7, true)),
                Some(award(true)),
                Some(grade(ScoreState::Refused)),
                false,
            ),
        ]
    }
}

/// `GET /launches/{launch}/course`
pub async fn course(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let (page, frames) = compose(&app, &visit).await?;
    let html = app.pages.html(visit.lang(), &page)?;
    Ok(visit.page(html, &frames))
}

/// `GET /launches/{launch}/course/status`: the page once more, for the script to renew its cards.
pub async fn status(state: State<App>, visit: Visit) -> Result<Response, Problem> {
    course(state, visit).await
}

async fn compose(app: &App, visit: &Visit) -> Result<(CoursePage, Vec<String>), Problem> {
    let Opens::Course(id) = visit.launch.details.opens else { return Err(Problem::not_found()) };
    let lang = visit.lang();
    let preview = visit.is_preview();
    let mut tx = app.db.read().await?;
    let course = courses::find(&mut tx, id).await?.ok_or_else(Problem::not_found)?;
    let versions = courses::versions(&mut tx, id).await?;
    let (enrolment, attempt) =
        enrolment(&mut tx, visit.person.id, id, preview).await?.ok_or_else(Problem::not_found)?;
    let version = match &attempt {
        Some(attempt) => versions.iter().find(|version| version.id == attempt.course_version_id),
        None => courses::choose(&versions, lang),
    };
    let version = version.ok_or_else(Problem::not_found)?;
    let progress = attempt.as_ref().map(|attempt| {
        let steps = &attempt.state.steps;
        ProgressPart {
            done: steps.done(),
            total: steps.total(),
            next: steps
                .next()
                .map(|(index, step)| NextStep { number: index + 1, title: step.title.clone() }),
            minutes_left: steps.minutes_left(version.duration_minutes),
            completed: store::finished(attempt.status),
            again: store::finished(attempt.status) && course.attempts == Attempts::Again,
        }
    });
    let credential = match completions::of_enrolment(&mut tx, enrolment.id).await? {
        Some(completion) => credentials::of_completion(&mut tx, completion.id).await?,
        None => None,
    };
    let award = credential.map(|credential| AwardPart {
        pdf_url: credential
            .pdf
            .is_some()
            .then(|| visit.path(&format!("/credentials/{}/pdf", credential.id))),
        verify_url: app.config.public(&format!("/verify/{}", credential.code)),
        issued_on: dates::day(lang, credential.issued_at, visit.tenant.zone()),
        mailed_to: visit.person.email.clone(),
    });
    let grade = store::grade_state(&mut tx, enrolment.id).await?;
    let page = CoursePage {
        title: version.title.clone(),
        description: version.description.clone(),
        duration: dates::duration(version.duration_minutes),
        preview,
        progress,
        form_token: visit.form_token(app, "course"),
        open_url: visit.path("/course/open"),
        status_url: visit.path("/course/status"),
        award,
        grade: grade.map(|(points, state)| GradePart {
            state,
            points: number(points),
            platform: visit.registration.name.clone(),
        }),
        learners_path: (visit.is_trainer() && visit.launch.context_id.is_some())
            .then(|| visit.path("/learners")),
        address_missing: visit.person.email.is_none().then(|| visit.path("/address")),
        return_url: visit.launch.details.return_url.clone().filter(|url| {
            crate::web::origin_of(url)
                .is_some_and(|origin| visit.registration.frame_ancestors().contains(&origin))
        }),
        picker_url: visit.launch.details.picker.map(|id| visit.path_of(id, "/picker")),
        identities_url: (!preview).then(|| visit.path("/identities")),
    };
    let frames = enrolment.label.iter().map(|label| app.config.content_origin(label)).collect();
    Ok((page, frames))
}

/// `92`, `92,5`: points without decimals that say nothing.
fn number(points: f64) -> String {
    let text = format!("{points:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

impl From<BeginError> for Problem {
    fn from(error: BeginError) -> Self {
        match error {
            BeginError::NotFinished => Self::new(StatusCode::CONFLICT, "attempt-unfinished"),
            BeginError::OnceOnly => Self::new(StatusCode::CONFLICT, "attempt-once"),
            BeginError::NoVersion => Self::not_found(),
            BeginError::Database(error) => error.into(),
        }
    }
}

#[derive(Deserialize)]
pub struct OpenForm {
    form_token: String,
    /// A new attempt, after the last one was finished.
    #[serde(default)]
    again: bool,
}

/// Where the player is, and the right to play in it.
#[derive(Serialize)]
pub struct Admission {
    player_url: String,
    origin: String,
    token: String,
}

/// `POST /launches/{launch}/course/open`
pub async fn open(
    State(app): State<App>,
    visit: Visit,
    Form(form): Form<OpenForm>,
) -> Result<Json<Admission>, Problem> {
    visit.check_form(&app, "course", &form.form_token)?;
    let Opens::Course(id) = visit.launch.details.opens else { return Err(Problem::not_found()) };
    let mut tx = app.db.write().await?;
    let (enrolment, _) = enrolment(&mut tx, visit.person.id, id, visit.is_preview())
        .await?
        .ok_or_else(Problem::not_found)?;
    let label = enrolment
        .label
        .clone()
        .ok_or_else(|| Problem::new(StatusCode::GONE, "enrolment-closed"))?;
    let now = app.clock.now();
    let token = if form.again {
        begin_again(&mut tx, &enrolment, visit.lang(), now).await?.1
    } else {
        let admitted = admit(&mut tx, &enrolment, visit.lang(), now).await?;
        admitted.ok_or_else(Problem::not_found)?.1
    };
    tx.commit().await?;
    app.packages.forget_label(&label);
    let origin = app.config.content_origin(&label);
    Ok(Json(Admission {
        player_url: format!("{origin}/player?lang={}", visit.lang().as_str()),
        origin,
        token: token.reveal().to_owned(),
    }))
}
