//! The pages about events: the list and an event, for everyone of the context.
//!
//! What trainers do is in [`super::trainers`], re-exported here.

use axum::Form;
use axum::extract::{Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use super::calendar::{self, Entry, Method};
use super::copies::pages::Course;
use super::mails::{self, MailError, When};
use super::places::{self, SignUpError, WithdrawError};
use super::views::{
    Item, LearnerPart, ListPage, Need, Next, Notice, Numbers, Row, ShowPage, TrainerPart, own_word,
};
use super::visitors::{Guest, Learner, Named};
use super::{
    Event, EventDate, EventState, Listed, PRESENCE_OPENS, Participant, Phase, Presence, Signup,
    SignupState, copies, store, total_minutes,
};
use crate::app::App;
use crate::db::{self, Tx};
use crate::ids::{ContextId, EventId};
use crate::visits::Visit;
use crate::web::{Problem, dates};

pub use super::copies::pages::{ask, decide, new_list, new_list_form};
pub use super::trainers::{
    cancel, cancel_form, create, edit, edit_form, new_form, participants_csv, presence,
    presence_form,
};

/// An event that begins this soon is one to prepare.
const SOON: TimeDelta = TimeDelta::hours(48);

/// What was just done, from the address after a form was sent.
#[derive(Debug, Deserialize)]
pub struct Done {
    done: Option<String>,
}

impl Done {
    /// A sentence of ours, whatever the address says.
    pub(super) fn notice(&self) -> Option<Notice> {
        let key = match self.done.as_deref()? {
            "created" => "events-done-created",
            "edited" => "events-done-edited",
            "cancelled" => "events-done-cancelled",
            "signed-up" => "events-done-signed-up",
            "waiting" => "events-done-waiting",
            "withdrawn" => "events-done-withdrawn",
            "presence" => "events-done-presence",
            "shared" => "copies-done-shared",
            "renewed" => "copies-done-renewed",
            "decided" => "copies-done-before",
            _ => return None,
        };
        Some(Notice::done(key))
    }
}

/// A form that only says: do it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Act {
    pub form_token: String,
}

impl From<MailError> for Problem {
    fn from(error: MailError) -> Self {
        match error {
            MailError::Database(error) => error.into(),
            MailError::Render(error) => error.into(),
        }
    }
}

/// What the forms about an event are about.
pub(super) fn about(id: EventId) -> String {
    format!("events/{id}")
}

pub(super) fn path_of(visit: &Visit, id: EventId, rest: &str) -> String {
    visit.path(&format!("/events/{id}{rest}"))
}

/// Back to the event, which says what was done.
pub(super) fn done(visit: &Visit, id: EventId, what: &str) -> Response {
    Redirect::to(&path_of(visit, id, &format!("?done={what}"))).into_response()
}

/// `GET /launches/{launch}/events`
pub async fn list(
    State(app): State<App>,
    Guest { visit, context }: Guest,
    Query(done): Query<Done>,
) -> Result<Response, Problem> {
    let mut tx = app.db.read().await?;
    let events = store::of_context(&mut tx, context).await?;
    let own = store::own_signups(&mut tx, context, visit.person.id).await?;
    drop(tx);
    let page = list_page(&visit, &events, &own, done.notice(), app.clock.now());
    Ok(visit.page(app.pages.html(visit.lang(), &page)?, &[]))
}

fn list_page(
    visit: &Visit,
    events: &[Listed],
    own: &[Signup],
    notice: Option<Notice>,
    now: DateTime<Utc>,
) -> ListPage {
    let is_trainer = visit.is_trainer();
    let own_state = |event: &Listed| {
        let signup = own.iter().find(|signup| signup.event_id == event.id)?;
        own_word(signup.state)
    };
    let item = |event: &Listed| {
        let numbers = Numbers {
            confirmed: event.confirmed,
            waiting: event.waiting,
            capacity: event.capacity,
        };
        Item {
            path: path_of(visit, event.id, ""),
            event_title: event.title.clone(),
            when: when(visit, event),
            cancelled: event.state == EventState::Cancelled,
            full: event.capacity.is_some_and(|capacity| event.confirmed >= capacity),
            numbers: is_trainer.then_some(numbers),
            own: own_state(event).filter(|_| !is_trainer),
        }
    };
    let (past, upcoming): (Vec<&Listed>, Vec<&Listed>) =
        events.iter().partition(|event| now >= event.over_at);
    let next = || next(visit, &upcoming, own_state);
    ListPage {
        is_trainer,
        new_path: visit.path("/events/new"),
        address_path: (!is_trainer && visit.person.email.is_none() && !own.is_empty())
            .then(|| visit.path("/address")),
        notice,
        needs: if is_trainer { needs(visit, events, now) } else { Vec::new() },
        next: if is_trainer { None } else { next() },
        upcoming: upcoming.iter().map(|event| item(event)).collect(),
        past: past.iter().rev().map(|event| item(event)).collect(),
    }
}

fn when(visit: &Visit, event: &Listed) -> When {
    When::of(visit.lang(), event.starts_at, event.ends_at, event.zone())
}

/// The one thing a learner does next: go where they have a place, else find one.
fn next(
    visit: &Visit,
    upcoming: &[&Listed],
    own_state: impl Fn(&Listed) -> Option<&'static str>,
) -> Option<Next> {
    let open = |event: &&&Listed| event.state == EventState::Scheduled;
    let confirmed = Some(SignupState::Confirmed.as_str());
    let make = |event: &Listed, key, act| Next {
        path: path_of(visit, event.id, ""),
        event_title: event.title.clone(),
        when: when(visit, event),
        key,
        act,
    };
    if let Some(event) = upcoming.iter().filter(open).find(|event| own_state(event) == confirmed) {
        return Some(make(event, "events-next-confirmed", "events-next-act-open"));
    }
    let event = upcoming.iter().filter(open).find(|event| own_state(event).is_none())?;
    Some(make(event, "events-next-open", "events-next-act-sign-up"))
}

/// What a trainer has to look at, most pressing first.
fn needs(visit: &Visit, events: &[Listed], now: DateTime<Utc>) -> Vec<Need> {
    let need = |event: &Listed, rest, key, act, count| Need {
        path: path_of(visit, event.id, rest),
        event_title: event.title.clone(),
        key,
        count,
        act,
    };
    let scheduled = || events.iter().filter(|event| event.state == EventState::Scheduled);
    let presence = scheduled()
        .filter(|event| event.undecided > 0 && now >= event.starts_at - PRESENCE_OPENS)
        .map(|event| {
            let (key, act) = ("events-need-presence", "events-need-act-presence");
            need(event, "/presence", key, act, event.undecided)
        });
    let soon = scheduled()
        .filter(|event| (now..now + SOON).contains(&event.starts_at))
        .map(|event| need(event, "", "events-need-soon", "events-need-act-open", event.confirmed));
    let waiting =
        scheduled().filter(|event| event.waiting > 0 && now < event.over_at).map(|event| {
            let (key, act) = ("events-need-waiting", "events-need-act-capacity");
            need(event, "/edit", key, act, event.waiting)
        });
    presence.chain(soon).chain(waiting).collect()
}

/// `GET /launches/{launch}/events/{event}`
pub async fn show(
    State(app): State<App>,
    guest: Guest,
    Named(id): Named,
    Query(done): Query<Done>,
) -> Result<Response, Problem> {
    if let Some(elsewhere) = copies::pages::elsewhere(&app, &guest, id).await? {
        return Ok(elsewhere);
    }
    page(&app, &guest.visit, guest.context, id, done.notice()).await
}

/// The event's page as it is now, below what there is to say.
pub(super) async fn page(
    app: &App,
    visit: &Visit,
    context: ContextId,
    id: EventId,
    notice: Option<Notice>,
) -> Result<Response, Problem> {
    let mut tx = app.db.read().await?;
    let (event, event_dates) =
        super::find(&mut tx, id, context).await?.ok_or_else(Problem::not_found)?;
    let counts = store::counts(&mut tx, id).await?;
    let phase = Phase::of(&event_dates, app.clock.now());
    let own = store::signup(&mut tx, id, visit.person.id).await?;
    let numbers =
        Numbers { confirmed: counts.confirmed, waiting: counts.waiting, capacity: event.capacity };
    let free = event.capacity.map(|capacity| (capacity - counts.confirmed).max(0));
    let has_place = own.as_ref().is_some_and(|own| own.state == SignupState::Confirmed);
    let cancelled = event.state == EventState::Cancelled;
    let shows_link = (visit.is_trainer() || has_place) && !cancelled && phase != Phase::Over;
    let (trainer, learner) = if visit.is_trainer() {
        let participants = store::participants(&mut tx, id).await?;
        let may_cancel = counts.present == 0;
        let mut part = trainer_part(visit, &event, phase, may_cancel, &participants);
        let sharing = copies::sharing(&mut tx, id).await?;
        if sharing.len() > 1 {
            part.courses = sharing.into_iter().map(Course::from).collect();
        }
        (Some(part), None)
    } else {
        let full = free.is_some_and(|free| free <= counts.waiting);
        (None, Some(learner_part(&mut tx, visit, &event, phase, full, own).await?))
    };
    drop(tx);
    let page = ShowPage {
        list_path: visit.path("/events"),
        paragraphs: paragraphs(&event.description),
        dates: written(visit, &event, &event_dates),
        duration: dates::duration(total_minutes(&event_dates)),
        cancelled,
        over: phase == Phase::Over,
        numbers,
        free,
        join_url: event.join_url.filter(|_| shows_link),
        notice,
        form_token: visit.form_token(app, &about(id)),
        trainer,
        learner,
        event_title: event.title,
    };
    Ok(visit.page(app.pages.html(visit.lang(), &page)?, &[]))
}

pub(super) fn written(visit: &Visit, event: &Event, dates: &[EventDate]) -> Vec<When> {
    dates.iter().map(|date| When::new(visit.lang(), date, event.zone())).collect()
}

fn paragraphs(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(str::to_owned).collect()
}

fn trainer_part(
    visit: &Visit,
    event: &Event,
    phase: Phase,
    may_cancel: bool,
    participants: &[Participant],
) -> TrainerPart {
    let path = |rest| path_of(visit, event.id, rest);
    let scheduled = event.state == EventState::Scheduled;
    let ahead = scheduled && phase != Phase::Over;
    TrainerPart {
        edit_path: ahead.then(|| path("/edit")),
        cancel_path: (ahead && may_cancel).then(|| path("/cancel")),
        presence_path: (scheduled && phase != Phase::Ahead).then(|| path("/presence")),
        csv_path: path("/participants.csv"),
        courses: Vec::new(),
        missing_path: path("/missing"),
        rows: rows(participants),
    }
}

/// The participants: who has a place, then who waits, then who withdrew, each in their order.
pub(super) fn rows(participants: &[Participant]) -> Vec<Row> {
    let of = |state| participants.iter().filter(move |one| one.signup.state == state);
    let row = |one: &Participant, position| Row {
        name: one.person.name(),
        state: one.signup.state.as_str(),
        position,
        presence: one.signup.presence.map(Presence::as_str),
    };
    let confirmed = of(SignupState::Confirmed).map(|one| row(one, None));
    let waiting = of(SignupState::Waiting).zip(1..).map(|(one, place)| row(one, Some(place)));
    let withdrawn = of(SignupState::Withdrawn).map(|one| row(one, None));
    confirmed.chain(waiting).chain(withdrawn).collect()
}

async fn learner_part(
    tx: &mut Tx,
    visit: &Visit,
    event: &Event,
    phase: Phase,
    full: bool,
    own: Option<Signup>,
) -> db::Result<LearnerPart> {
    let path = |rest| path_of(visit, event.id, rest);
    let own = own.filter(|own| own.state != SignupState::Withdrawn);
    let confirmed = own.as_ref().is_some_and(|own| own.state == SignupState::Confirmed);
    let waiting = own.as_ref().filter(|own| own.state == SignupState::Waiting);
    let position = match waiting {
        Some(own) => Some(store::ahead(tx, own).await? + 1),
        None => None,
    };
    let present = own.as_ref().filter(|own| own.presence == Some(Presence::Present));
    let attestation = match present {
        Some(own) => store::attestation(tx, own.id).await?,
        None => None,
    };
    let open = event.state == EventState::Scheduled && phase != Phase::Over;
    Ok(LearnerPart {
        confirmed,
        waiting: waiting.is_some(),
        position,
        present: present.is_some(),
        attestation_path: attestation
            .filter(|(_, is_made)| *is_made)
            .map(|(id, _)| visit.path(&format!("/credentials/{id}/pdf"))),
        can_sign_up: open && own.is_none() && !visit.is_preview(),
        full,
        can_withdraw: open && own.is_some() && present.is_none(),
        signup_path: path("/signup"),
        withdraw_path: path("/withdraw"),
        calendar_path: (open && confirmed).then(|| path("/calendar.ics")),
        address_path: visit.person.email.is_none().then(|| visit.path("/address")),
        email: visit.person.email.clone(),
    })
}

/// `POST /launches/{launch}/events/{event}/signup`
pub async fn signup(
    State(app): State<App>,
    Learner { visit, context }: Learner,
    Named(id): Named,
    Form(form): Form<Act>,
) -> Result<Response, Problem> {
    visit.check_form(&app, &about(id), &form.form_token)?;
    let mut tx = app.db.write().await?;
    let refusal = match places::sign_up(&app, &mut tx, context, id, &visit.person).await {
        Ok(signup) => {
            tx.commit().await?;
            app.wake.notify_waiters();
            return Ok(done(&visit, id, word_of(signup.state)));
        }
        // The button was pressed twice: it did what it was to do.
        Err(SignUpError::Already(state)) => return Ok(done(&visit, id, word_of(state))),
        Err(SignUpError::NotFound) => return Err(Problem::not_found()),
        Err(SignUpError::Mail(error)) => return Err(error.into()),
        Err(SignUpError::Cancelled) => "events-refused-cancelled",
        Err(SignUpError::Over) => "events-refused-over",
    };
    drop(tx);
    conflict(&app, &visit, context, id, refusal).await
}

fn word_of(state: SignupState) -> &'static str {
    if state == SignupState::Waiting { "waiting" } else { "signed-up" }
}

/// `POST /launches/{launch}/events/{event}/withdraw`
pub async fn withdraw(
    State(app): State<App>,
    Learner { visit, context }: Learner,
    Named(id): Named,
    Form(form): Form<Act>,
) -> Result<Response, Problem> {
    visit.check_form(&app, &about(id), &form.form_token)?;
    let mut tx = app.db.write().await?;
    let refusal = match places::withdraw(&app, &mut tx, context, id, &visit.person).await {
        Ok(()) => {
            tx.commit().await?;
            app.wake.notify_waiters();
            return Ok(done(&visit, id, "withdrawn"));
        }
        Err(WithdrawError::NotSignedUp) => return Ok(done(&visit, id, "withdrawn")),
        Err(WithdrawError::NotFound) => return Err(Problem::not_found()),
        Err(WithdrawError::Mail(error)) => return Err(error.into()),
        Err(WithdrawError::Cancelled) => "events-refused-cancelled",
        Err(WithdrawError::Over) => "events-refused-over",
        Err(WithdrawError::Attested) => "events-refused-withdraw-attested",
    };
    drop(tx);
    conflict(&app, &visit, context, id, refusal).await
}

/// The event's page, saying why nothing was done.
pub(super) async fn conflict(
    app: &App,
    visit: &Visit,
    context: ContextId,
    id: EventId,
    key: &'static str,
) -> Result<Response, Problem> {
    let mut response = page(app, visit, context, id, Some(Notice::refused(key))).await?;
    *response.status_mut() = StatusCode::CONFLICT;
    Ok(response)
}

/// `GET /launches/{launch}/events/{event}/calendar.ics`: the entry of somebody who has a place.
pub async fn calendar(
    State(app): State<App>,
    Learner { visit, context }: Learner,
    Named(id): Named,
) -> Result<Response, Problem> {
    let mut tx = app.db.read().await?;
    let (event, event_dates) =
        super::find(&mut tx, id, context).await?.ok_or_else(Problem::not_found)?;
    let own = store::signup(&mut tx, id, visit.person.id)
        .await?
        .filter(|own| own.state == SignupState::Confirmed && event.state == EventState::Scheduled)
        .ok_or_else(Problem::not_found)?;
    let tenant = crate::tenants::find(&mut tx, event.tenant_id).await?;
    drop(tx);
    let entries: Vec<Entry<'_>> =
        event_dates.iter().map(|date| mails::entry(&event, date, &own)).collect();
    let (now, organizer) = (app.clock.now(), tenant.mailbox());
    let text = calendar::write(Method::Publish, now, &organizer, None, &entries);
    Ok(file("text/calendar; charset=utf-8; method=PUBLISH", "webinar.ics", text))
}

/// A file to keep, for this browser alone.
pub(super) fn file(media_type: &'static str, name: &str, text: String) -> Response {
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""))
        .unwrap_or(HeaderValue::from_static("attachment"));
    (
        [
            (header::CONTENT_TYPE, HeaderValue::from_static(media_type)),
            (header::CONTENT_DISPOSITION, disposition),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        ],
        text,
    )
        .into_response()
}
