//! The trainer's answer to whose list it is, and what the others see until then.

use axum::Form;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::{Deserialize, Serialize};

use super::{
    DecideError, Question, Sharing, Standing, in_question, renew, share, sharing, standing,
};
use crate::app::App;
use crate::db::Tx;
use crate::events::form::{EventForm, FieldError};
use crate::events::mails::When;
use crate::events::pages::{about, done, path_of, written};
use crate::events::trainers::{new_page, respond};
use crate::events::visitors::{Guest, Named};
use crate::events::{Event, EventDate, EventState, Phase, store};
use crate::ids::EventId;
use crate::visits::{Opens, Trainer, Visit};
use crate::web::{Page, Problem};

/// Where somebody who opens an event is sent instead of its page; `None`: its page is theirs.
pub(in crate::events) async fn elsewhere(
    app: &App,
    guest: &Guest,
    id: EventId,
) -> Result<Option<Response>, Problem> {
    let visit = &guest.visit;
    let mut tx = app.db.read().await?;
    let named = names(visit, id);
    let known = standing(&mut tx, visit.tenant.id, guest.context, id, named).await?;
    let response = match known.ok_or_else(Problem::not_found)? {
        Standing::Ours => return Ok(None),
        Standing::Opens(other) => Redirect::to(&path_of(visit, other, "")).into_response(),
        Standing::Undecided if visit.is_trainer() => {
            Redirect::to(&path_of(visit, id, "/copy")).into_response()
        }
        Standing::Undecided => {
            let page = UndecidedPage {
                again_path: path_of(visit, id, ""),
                list_path: visit.path("/events"),
            };
            visit.page(app.pages.html(visit.lang(), &page)?, &[])
        }
    };
    Ok(Some(response))
}

/// Whether the launch itself names the event: its address alone gives no right to it.
fn names(visit: &Visit, id: EventId) -> bool {
    visit.launch.details.opens == Opens::Event(id)
}

/// The calm page of a learner whose trainer has not decided.
#[derive(Clone, Debug, Serialize)]
pub struct UndecidedPage {
    pub again_path: String,
    pub list_path: String,
}

impl Page for UndecidedPage {
    const TEMPLATE: &'static str = "pages/event-undecided";

    fn samples() -> Vec<Self> {
        let path = |rest: &str| format!("/launches/1/events{rest}");
        vec![Self { again_path: path("/2"), list_path: path("") }]
    }
}

/// A course whose list it is.
#[derive(Clone, Debug, Serialize)]
pub struct Course {
    pub title: Option<String>,
    pub platform: String,
}

impl From<Sharing> for Course {
    fn from(sharing: Sharing) -> Self {
        Self { title: sharing.title, platform: sharing.platform }
    }
}

#[derive(Clone, Debug, Serialize)]
pub struct CopyPage {
    pub event_title: String,
    pub dates: Vec<When>,
    /// All of its dates are over: a shared list would be of the past.
    pub over: bool,
    pub cancelled: bool,
    /// Whose people come to it now.
    pub courses: Vec<Course>,
    pub confirmed: i64,
    pub waiting: i64,
    pub has_link: bool,
    pub form_token: String,
    pub action: String,
    pub list_path: String,
    /// The form was sent with nothing chosen.
    pub nothing_chosen: bool,
}

impl Page for CopyPage {
    const TEMPLATE: &'static str = "pages/event-copy";

    fn samples() -> Vec<Self> {
        let course = |title: Option<&str>| Course {
            title: title.map(str::to_owned),
            platform: "Plateforme <Grandes Écoles>".to_owned(),
        };
        let full = Self {
            event_title: "Lancer un projet <eTwinning>".to_owned(),
            dates: vec![When::sample()],
            over: false,
            cancelled: false,
            courses: vec![course(Some("Parcours <européen>")), course(None)],
            confirmed: 12,
            waiting: 1,
            has_link: true,
            form_token: "token".to_owned(),
            action: "/launches/1/events/2/copy".to_owned(),
            list_path: "/launches/1/events".to_owned(),
            nothing_chosen: false,
        };
        vec![
            full.clone(),
            Self { over: true, has_link: false, nothing_chosen: true, ..full.clone() },
            Self { cancelled: true, confirmed: 0, waiting: 0, ..full },
        ]
    }
}

/// The event that the trainer decides about; an answer that leads on when it is decided.
async fn undecided(
    tx: &mut Tx,
    trainer: &Trainer,
    id: EventId,
) -> Result<Result<(Event, Vec<EventDate>), Response>, Problem> {
    let visit = &trainer.visit;
    let named = names(visit, id);
    let known = standing(tx, visit.tenant.id, trainer.context, id, named).await?;
    Ok(match known.ok_or_else(Problem::not_found)? {
        Standing::Undecided => Ok(in_question(tx, id).await?.ok_or_else(Problem::not_found)?),
        Standing::Ours => Err(Redirect::to(&path_of(visit, id, "")).into_response()),
        Standing::Opens(other) => Err(Redirect::to(&path_of(visit, other, "")).into_response()),
    })
}

/// `GET /launches/{launch}/events/{event}/copy`: the same list, or a new one?
pub async fn ask(
    State(app): State<App>,
    trainer: Trainer,
    Named(id): Named,
) -> Result<Response, Problem> {
    question_page(&app, &trainer, id, false).await
}

async fn question_page(
    app: &App,
    trainer: &Trainer,
    id: EventId,
    nothing_chosen: bool,
) -> Result<Response, Problem> {
    let visit = &trainer.visit;
    let mut tx = app.db.read().await?;
    let (event, dates) = match undecided(&mut tx, trainer, id).await? {
        Ok(found) => found,
        Err(decided) => return Ok(decided),
    };
    let counts = store::counts(&mut tx, id).await?;
    let courses = sharing(&mut tx, id).await?;
    drop(tx);
    let page = CopyPage {
        dates: written(visit, &event, &dates),
        over: Phase::of(&dates, app.clock.now()) == Phase::Over,
        cancelled: event.state == EventState::Cancelled,
        courses: courses.into_iter().map(Course::from).collect(),
        confirmed: counts.confirmed,
        waiting: counts.waiting,
        has_link: event.join_url.is_some(),
        form_token: visit.form_token(app, &about(id)),
        action: path_of(visit, id, "/copy"),
        list_path: visit.path("/events"),
        nothing_chosen,
        event_title: event.title,
    };
    let status = if nothing_chosen { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    respond(app, visit, status, &page)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Choice {
    form_token: String,
    /// `same`, `new`
    list: String,
    /// Set: the new event is held where the old one was.
    join_url: Option<String>,
}

/// `POST /launches/{launch}/events/{event}/copy`
pub async fn decide(
    State(app): State<App>,
    trainer: Trainer,
    Named(id): Named,
    Form(choice): Form<Choice>,
) -> Result<Response, Problem> {
    let visit = &trainer.visit;
    visit.check_form(&app, &about(id), &choice.form_token)?;
    match choice.list.as_str() {
        "same" => {}
        // Nothing is made before its date is known.
        "new" => {
            let keep = if choice.join_url.is_some() { "?join_url=1" } else { "" };
            let path = path_of(visit, id, &format!("/copy/new{keep}"));
            return Ok(Redirect::to(&path).into_response());
        }
        _ => return question_page(&app, &trainer, id, true).await,
    }
    let question = question(&trainer, id)?;
    let mut tx = app.db.write().await?;
    match share(&mut tx, question, app.clock.now()).await {
        Ok(()) => {
            tx.commit().await?;
            Ok(done(visit, id, "shared"))
        }
        Err(refusal) => decided_before(visit, refusal),
    }
}

/// Only what the launch names can be decided about.
fn question(trainer: &Trainer, event: EventId) -> Result<Question, Problem> {
    let visit = &trainer.visit;
    let question =
        Question { tenant: visit.tenant.id, context: trainer.context, event, by: visit.person.id };
    names(visit, event).then_some(question).ok_or_else(Problem::not_found)
}

fn decided_before(visit: &Visit, refusal: DecideError) -> Result<Response, Problem> {
    match refusal {
        DecideError::NotFound => Err(Problem::not_found()),
        DecideError::Before(event) => Ok(done(visit, event, "decided")),
        DecideError::Database(error) => Err(error.into()),
    }
}

#[derive(Debug, Deserialize)]
pub struct Keep {
    join_url: Option<String>,
}

/// `GET /launches/{launch}/events/{event}/copy/new`: the form of an event, filled with what the
/// one it is made from says.
pub async fn new_list_form(
    State(app): State<App>,
    trainer: Trainer,
    Named(id): Named,
    Query(keep): Query<Keep>,
) -> Result<Response, Problem> {
    let visit = &trainer.visit;
    let mut tx = app.db.read().await?;
    let (event, dates) = match undecided(&mut tx, &trainer, id).await? {
        Ok(found) => found,
        Err(decided) => return Ok(decided),
    };
    drop(tx);
    let first = dates.first().ok_or_else(Problem::not_found)?;
    let mut form = EventForm { edition: String::new(), ..EventForm::of(&event, first) };
    if first.starts_at <= app.clock.now() {
        form.starts.clear();
    }
    if keep.join_url.is_none() {
        form.join_url.clear();
    }
    form_page(&app, visit, id, form, &[])
}

fn form_page(
    app: &App,
    visit: &Visit,
    id: EventId,
    form: EventForm,
    errors: &[FieldError],
) -> Result<Response, Problem> {
    let mut page = new_page(app, visit, form, errors);
    page.action = path_of(visit, id, "/copy/new");
    page.back_path = path_of(visit, id, "/copy");
    page.form_token = visit.form_token(app, &about(id));
    page.hint = Some("copies-form-hint");
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    respond(app, visit, status, &page)
}

/// `POST /launches/{launch}/events/{event}/copy/new`
pub async fn new_list(
    State(app): State<App>,
    trainer: Trainer,
    Named(id): Named,
    Form(form): Form<EventForm>,
) -> Result<Response, Problem> {
    let visit = &trainer.visit;
    visit.check_form(&app, &about(id), &form.form_token)?;
    let question = question(&trainer, id)?;
    let now = app.clock.now();
    let new = match form.parse(None, now) {
        Ok(new) => new,
        Err(errors) => return form_page(&app, visit, id, form, &errors),
    };
    let mut tx = app.db.write().await?;
    match renew(&mut tx, question, new, now).await {
        Ok(copy) => {
            tx.commit().await?;
            app.wake.notify_waiters();
            Ok(done(visit, copy, "renewed"))
        }
        Err(refusal) => decided_before(visit, refusal),
    }
}
