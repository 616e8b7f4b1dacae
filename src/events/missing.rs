//! Who of the LMS course has not signed up for an event, for its trainers.

use axum::Form;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::mails::When;
use super::pages::{about, path_of, written};
use super::places::{self, SignUpError};
use super::views::Notice;
use super::visitors::Named;
use super::{EventState, Phase, SignupState, store};
use crate::app::App;
use crate::ids::{ContextId, EventId, PersonId};
use crate::people;
use crate::platforms::services::{self, Roster};
use crate::visits::{Trainer, Visit};
use crate::web::{Page, Problem};

/// Somebody who has not signed up.
#[derive(Clone, Debug, Serialize)]
pub struct MissingRow {
    pub name: Option<String>,
    /// `None` for who never came here: there is nobody to sign up yet.
    pub person: Option<PersonId>,
}

#[derive(Clone, Debug, Serialize)]
pub struct MissingPage {
    pub event_title: String,
    pub dates: Vec<When>,
    pub rows: Vec<MissingRow>,
    pub count: usize,
    /// Why the platform lists nobody: a message.
    pub failure: Option<String>,
    /// Whether anybody can still be signed up.
    pub open: bool,
    pub action: String,
    pub back_path: String,
    pub form_token: String,
    pub notice: Option<Notice>,
}

impl Page for MissingPage {
    const TEMPLATE: &'static str = "pages/event-missing";

    fn samples() -> Vec<Self> {
        let row = |name: Option<&str>, known: bool| MissingRow {
            name: name.map(str::to_owned),
            person: known.then(|| PersonId::from(uuid::Uuid::nil())),
        };
        let full = Self {
            event_title: "Lancer un projet <eTwinning>".to_owned(),
            dates: vec![When::sample()],
            rows: vec![row(Some("Zoé <Lefèvre>"), true), row(None, false)],
            count: 2,
            failure: None,
            open: true,
            action: "/launches/1/events/2/missing".to_owned(),
            back_path: "/launches/1/events/2".to_owned(),
            form_token: "token".to_owned(),
            notice: Some(Notice::done("events-missing-done")),
        };
        let failed = Some("learners-roster-not-offered".to_owned());
        vec![
            full.clone(),
            Self { rows: Vec::new(), count: 0, open: false, notice: None, ..full.clone() },
            Self { rows: Vec::new(), count: 0, failure: failed, ..full },
        ]
    }
}

/// What was done, from the address.
#[derive(Debug, Deserialize)]
pub struct Done {
    done: Option<String>,
}

/// `GET /launches/{launch}/events/{event}/missing`
pub async fn show(
    State(app): State<App>,
    trainer: Trainer,
    Named(id): Named,
    Query(done): Query<Done>,
) -> Result<Response, Problem> {
    let notice = match done.done.as_deref() {
        Some("signed-up") => Some(Notice::done("events-missing-done")),
        Some("waiting") => Some(Notice::done("events-missing-done-waiting")),
        _ => None,
    };
    page(&app, &trainer.visit, trainer.context, id, notice).await
}

async fn page(
    app: &App,
    visit: &Visit,
    context: ContextId,
    id: EventId,
    notice: Option<Notice>,
) -> Result<Response, Problem> {
    let mut tx = app.db.read().await?;
    let (event, dates) = super::find(&mut tx, id, context).await?.ok_or_else(Problem::not_found)?;
    let offered = services::of_context(&mut tx, context, visit.launch.resource_link_id).await?;
    drop(tx);
    let roster = services::roster(app, &visit.registration, offered.as_ref()).await;
    let (rows, failure) = match roster {
        Ok(roster) => (missing(app, visit, context, id, &roster).await?, None),
        Err(error) => (Vec::new(), Some(format!("learners-roster-{}", error.0.code()))),
    };
    let page = MissingPage {
        dates: written(visit, &event, &dates),
        count: rows.len(),
        rows,
        failure,
        open: event.state == EventState::Scheduled
            && Phase::of(&dates, app.clock.now()) != Phase::Over,
        action: path_of(visit, id, "/missing"),
        back_path: path_of(visit, id, ""),
        form_token: visit.form_token(app, &about(id)),
        notice,
        event_title: event.title,
    };
    Ok(visit.page(app.pages.html(visit.lang(), &page)?, &[]))
}

/// The learners of the roster without a place, by name.
async fn missing(
    app: &App,
    visit: &Visit,
    context: ContextId,
    id: EventId,
    roster: &Roster,
) -> Result<Vec<MissingRow>, Problem> {
    let mut tx = app.db.read().await?;
    let known = store::people_of_context(&mut tx, context).await?;
    let signed_up = store::participants(&mut tx, id).await?;
    let has_place = |person: PersonId| {
        let is_in = |state| state != SignupState::Withdrawn;
        signed_up.iter().any(|one| one.person.id == person && is_in(one.signup.state))
    };
    let learners = roster.members.iter().filter(|member| !member.trains);
    let rows = learners.filter_map(|member| {
        let person = known.iter().find(|(_, subject)| *subject == member.subject);
        let person = person.map(|(person, _)| *person);
        if person.is_some_and(has_place) || person == Some(visit.person.id) {
            return None;
        }
        Some(MissingRow { name: member.name.clone(), person })
    });
    Ok(rows.collect())
}

#[derive(Debug, Deserialize)]
pub struct SignUpForm {
    #[serde(default)]
    form_token: String,
    person: PersonId,
}

/// `POST /launches/{launch}/events/{event}/missing`: signs up somebody of the context.
pub async fn sign_up(
    State(app): State<App>,
    Trainer { visit, context }: Trainer,
    Named(id): Named,
    Form(form): Form<SignUpForm>,
) -> Result<Response, Problem> {
    visit.check_form(&app, &about(id), &form.form_token)?;
    let mut tx = app.db.write().await?;
    let known = store::people_of_context(&mut tx, context).await?;
    if !known.iter().any(|(person, _)| *person == form.person) {
        return Err(Problem::not_found().in_language(visit.lang()));
    }
    let person = people::find(&mut tx, form.person).await?;
    let done = |word| {
        let path = path_of(&visit, id, &format!("/missing?done={word}"));
        axum::response::IntoResponse::into_response(axum::response::Redirect::to(&path))
    };
    let word_of = |state| if state == SignupState::Waiting { "waiting" } else { "signed-up" };
    let refusal = match places::sign_up(&app, &mut tx, context, id, &person).await {
        Ok(signup) => {
            tx.commit().await?;
            app.wake.notify_waiters();
            return Ok(done(word_of(signup.state)));
        }
        Err(SignUpError::Already(state)) => return Ok(done(word_of(state))),
        Err(SignUpError::NotFound) => return Err(Problem::not_found()),
        Err(SignUpError::Mail(error)) => return Err(error.into()),
        Err(SignUpError::Cancelled) => "events-refused-cancelled",
        Err(SignUpError::Over) => "events-refused-over",
    };
    drop(tx);
    page(&app, &visit, context, id, Some(Notice::refused(refusal))).await
}
