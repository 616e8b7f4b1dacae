//! What trainers do with their events: the forms behind [`super::pages`].

use std::collections::BTreeMap;

use axum::Form;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use chrono_tz::{TZ_VARIANTS, Tz};

use super::form::{EventForm, Field, FieldError};
use super::pages::{Act, Done, about, conflict, done, path_of, rows, written};
use super::presence::{Decisions, MarkError};
use super::views::{
    CancelPage, Errors, FormPage, Notice, PresencePage, PresenceRow, Row, ZoneChoice,
};
use super::visitors::Named;
use super::{
    CancelError, EditError, EventState, Phase, Presence, SignupState, presence as presences, store,
};
use crate::app::App;
use crate::ids::{EventId, SignupId};
use crate::visits::{Opens, Trainer, Visit};
use crate::web::{Lang, Page, Problem, csv};

/// What the form of a new event is about.
const NEW: &str = "events/new";
/// What the name of a presence field begins with; a place's identifier follows.
const PRESENCE: &str = "presence-";
/// The parts of the world whose zones the form offers.
const REGIONS: [&str; 9] = [
    "Europe/",
    "Africa/",
    "America/",
    "Antarctica/",
    "Asia/",
    "Atlantic/",
    "Australia/",
    "Indian/",
    "Pacific/",
];

pub(super) fn respond<P: Page>(
    app: &App,
    visit: &Visit,
    status: StatusCode,
    page: &P,
) -> Result<Response, Problem> {
    let mut response = visit.page(app.pages.html(visit.lang(), page)?, &[]);
    *response.status_mut() = status;
    Ok(response)
}

/// The zones to choose from, Europe's first; `chosen` is always among them.
fn zones(chosen: &str) -> Vec<ZoneChoice> {
    let chosen: Option<Tz> = chosen.trim().parse().ok();
    let in_regions = REGIONS.iter().flat_map(|region| {
        TZ_VARIANTS.iter().copied().filter(move |zone| zone.name().starts_with(region))
    });
    let mut zones: Vec<Tz> = in_regions.chain([Tz::UTC]).collect();
    if let Some(zone) = chosen.filter(|zone| !zones.contains(zone)) {
        zones.insert(0, zone);
    }
    zones
        .into_iter()
        .map(|zone| ZoneChoice { name: zone.name(), selected: Some(zone) == chosen })
        .collect()
}

/// `GET /launches/{launch}/events/new`
pub async fn new_form(State(app): State<App>, trainer: Trainer) -> Result<Response, Problem> {
    let form = EventForm::new(trainer.visit.tenant.zone());
    let page = new_page(&app, &trainer.visit, form, &[]);
    respond(&app, &trainer.visit, StatusCode::OK, &page)
}

pub(super) fn new_page(
    app: &App,
    visit: &Visit,
    values: EventForm,
    errors: &[FieldError],
) -> FormPage {
    FormPage {
        event_title: None,
        action: visit.path("/events/new"),
        // Made on the way to choosing it for an activity: back to the choice.
        back_path: visit.path(if chooses(visit) { "/picker" } else { "/events" }),
        form_token: visit.form_token(app, NEW),
        zones: zones(&values.time_zone),
        values,
        errors: Errors::of(errors),
        any_error: !errors.is_empty(),
        notice: None,
        hint: None,
        people: 0,
        confirmed: 0,
        dates_fixed: false,
        more_dates: false,
    }
}

/// Whether the trainer is choosing what an activity shows.
fn chooses(visit: &Visit) -> bool {
    matches!(visit.launch.details.opens, Opens::Picker(_))
}

/// `POST /launches/{launch}/events/new`
pub async fn create(
    State(app): State<App>,
    Trainer { visit, context }: Trainer,
    Form(form): Form<EventForm>,
) -> Result<Response, Problem> {
    visit.check_form(&app, NEW, &form.form_token)?;
    let now = app.clock.now();
    let new = match form.parse(None, now) {
        Ok(new) => new,
        Err(errors) => {
            let page = new_page(&app, &visit, form, &errors);
            return respond(&app, &visit, StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let mut tx = app.db.write().await?;
    let (tenant, by) = (visit.tenant.id, visit.person.id);
    let id = super::create(&mut tx, tenant, context, by, new, now).await?;
    tx.commit().await?;
    app.wake.notify_waiters();
    if chooses(&visit) {
        let picker = visit.path(&format!("/picker?chosen=event/{id}"));
        return Ok(Redirect::to(&picker).into_response());
    }
    Ok(done(&visit, id, "created"))
}

/// `GET /launches/{launch}/events/{event}/edit`
pub async fn edit_form(
    State(app): State<App>,
    trainer: Trainer,
    Named(id): Named,
) -> Result<Response, Problem> {
    edit_page(&app, &trainer, id, None, &[], None).await
}

/// The form with what was sent, or else with the event as it is.
async fn edit_page(
    app: &App,
    trainer: &Trainer,
    id: EventId,
    sent: Option<EventForm>,
    errors: &[FieldError],
    refusal: Option<&'static str>,
) -> Result<Response, Problem> {
    let visit = &trainer.visit;
    let mut tx = app.db.read().await?;
    let (event, dates) =
        super::find(&mut tx, id, trainer.context).await?.ok_or_else(Problem::not_found)?;
    let counts = store::counts(&mut tx, id).await?;
    drop(tx);
    let phase = Phase::of(&dates, app.clock.now());
    let closed = match (event.state, phase) {
        (EventState::Cancelled, _) => Some("events-refused-cancelled"),
        (EventState::Scheduled, Phase::Over) => Some("events-refused-over"),
        _ => None,
    };
    if let Some(key) = closed {
        return conflict(app, visit, trainer.context, id, key).await;
    }
    let first = dates.first().ok_or_else(Problem::not_found)?;
    let status = match (refusal, errors) {
        (Some(_), _) => StatusCode::CONFLICT,
        (None, []) => StatusCode::OK,
        (None, _) => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let values = sent.unwrap_or_else(|| EventForm::of(&event, first));
    let page = FormPage {
        action: path_of(visit, id, "/edit"),
        back_path: path_of(visit, id, ""),
        form_token: visit.form_token(app, &about(id)),
        zones: zones(&values.time_zone),
        values,
        errors: Errors::of(errors),
        any_error: !errors.is_empty(),
        hint: None,
        notice: refusal.map(Notice::refused),
        people: counts.confirmed + counts.waiting,
        confirmed: counts.confirmed,
        dates_fixed: phase != Phase::Ahead,
        more_dates: dates.len() > 1,
        event_title: Some(event.title),
    };
    respond(app, visit, status, &page)
}

/// `POST /launches/{launch}/events/{event}/edit`
pub async fn edit(
    State(app): State<App>,
    trainer: Trainer,
    Named(id): Named,
    Form(form): Form<EventForm>,
) -> Result<Response, Problem> {
    let (visit, context) = (&trainer.visit, trainer.context);
    visit.check_form(&app, &about(id), &form.form_token)?;
    let mut tx = app.db.write().await?;
    let (_, dates) = super::find(&mut tx, id, context).await?.ok_or_else(Problem::not_found)?;
    let new = match form.parse(dates.first(), app.clock.now()) {
        Ok(new) => new,
        Err(errors) => {
            drop(tx);
            return edit_page(&app, &trainer, id, Some(form), &errors, None).await;
        }
    };
    // A number that cannot be read is no edition of ours: as stale as any.
    let edition = form.edition.trim().parse().unwrap_or(-1);
    let field = |field, message| vec![FieldError { field, message }];
    let (errors, refusal) =
        match super::edit(&app, &mut tx, context, visit.person.id, id, edition, new).await {
            Ok(()) => {
                tx.commit().await?;
                app.wake.notify_waiters();
                return Ok(done(visit, id, "edited"));
            }
            Err(EditError::NotFound) => return Err(Problem::not_found()),
            Err(EditError::Mail(error)) => return Err(error.into()),
            Err(EditError::Cancelled) => (Vec::new(), Some("events-refused-cancelled")),
            Err(EditError::Over) => (Vec::new(), Some("events-refused-over")),
            Err(EditError::Stale) => (Vec::new(), Some("events-refused-stale")),
            Err(EditError::Begun) => (field(Field::Starts, "events-error-starts-begun"), None),
            Err(EditError::CapacityBelowConfirmed { .. }) => {
                (field(Field::Capacity, "events-error-capacity-below"), None)
            }
        };
    drop(tx);
    edit_page(&app, &trainer, id, Some(form), &errors, refusal).await
}

/// `GET /launches/{launch}/events/{event}/cancel`: what will happen, and to how many people.
pub async fn cancel_form(
    State(app): State<App>,
    trainer: Trainer,
    Named(id): Named,
) -> Result<Response, Problem> {
    let visit = &trainer.visit;
    let mut tx = app.db.read().await?;
    let (event, dates) =
        super::find(&mut tx, id, trainer.context).await?.ok_or_else(Problem::not_found)?;
    let counts = store::counts(&mut tx, id).await?;
    let participants = store::participants(&mut tx, id).await?;
    drop(tx);
    let notice = match super::may_cancel(Phase::of(&dates, app.clock.now()), counts) {
        _ if event.state == EventState::Cancelled => Some("events-refused-cancelled"),
        Ok(()) => None,
        Err(CancelError::AttestationsIssued) => Some("events-refused-attested-event"),
        Err(_) => Some("events-refused-over"),
    };
    let unreachable = participants
        .iter()
        .filter(|one| one.signup.state != SignupState::Withdrawn && one.person.email.is_none())
        .count();
    let page = CancelPage {
        dates: written(visit, &event, &dates),
        event_title: event.title,
        confirmed: counts.confirmed,
        waiting: counts.waiting,
        unreachable: unreachable as i64,
        action: path_of(visit, id, "/cancel"),
        back_path: path_of(visit, id, ""),
        form_token: visit.form_token(&app, &about(id)),
        notice: notice.map(Notice::refused),
    };
    let status = if notice.is_some() { StatusCode::CONFLICT } else { StatusCode::OK };
    respond(&app, visit, status, &page)
}

/// `POST /launches/{launch}/events/{event}/cancel`
pub async fn cancel(
    State(app): State<App>,
    Trainer { visit, context }: Trainer,
    Named(id): Named,
    Form(form): Form<Act>,
) -> Result<Response, Problem> {
    visit.check_form(&app, &about(id), &form.form_token)?;
    let mut tx = app.db.write().await?;
    let refusal = match super::cancel(&app, &mut tx, context, id).await {
        Ok(()) => {
            tx.commit().await?;
            app.wake.notify_waiters();
            return Ok(done(&visit, id, "cancelled"));
        }
        Err(CancelError::AlreadyCancelled) => return Ok(done(&visit, id, "cancelled")),
        Err(CancelError::NotFound) => return Err(Problem::not_found()),
        Err(CancelError::Mail(error)) => return Err(error.into()),
        Err(CancelError::Over) => "events-refused-over",
        Err(CancelError::AttestationsIssued) => "events-refused-attested-event",
    };
    drop(tx);
    conflict(&app, &visit, context, id, refusal).await
}

/// `GET /launches/{launch}/events/{event}/presence`
pub async fn presence_form(
    State(app): State<App>,
    trainer: Trainer,
    Named(id): Named,
    Query(done): Query<Done>,
) -> Result<Response, Problem> {
    presence_page(&app, &trainer, id, done.notice(), Vec::new(), StatusCode::OK).await
}

async fn presence_page(
    app: &App,
    trainer: &Trainer,
    id: EventId,
    notice: Option<Notice>,
    names: Vec<String>,
    status: StatusCode,
) -> Result<Response, Problem> {
    let visit = &trainer.visit;
    let mut tx = app.db.read().await?;
    let (event, dates) =
        super::find(&mut tx, id, trainer.context).await?.ok_or_else(Problem::not_found)?;
    let mut participants = store::participants(&mut tx, id).await?;
    drop(tx);
    participants.retain(|one| one.signup.state == SignupState::Confirmed);
    // As on a sheet of paper: by family name.
    participants.sort_by_cached_key(|one| {
        let family = one.person.family_name.clone().unwrap_or_default().to_lowercase();
        (family, one.person.name().unwrap_or_default().to_lowercase())
    });
    let page = PresencePage {
        dates: written(visit, &event, &dates),
        open: event.state == EventState::Scheduled
            && Phase::of(&dates, app.clock.now()) != Phase::Ahead,
        cancelled: event.state == EventState::Cancelled,
        undecided: participants
            .iter()
            .filter(|one| one.signup.presence != Some(Presence::Present))
            .count() as i64,
        rows: participants
            .iter()
            .map(|one| {
                let field = format!("{PRESENCE}{}", one.signup.id);
                PresenceRow::new(field, one.person.name(), one.signup.presence)
            })
            .collect(),
        action: path_of(visit, id, "/presence"),
        back_path: path_of(visit, id, ""),
        missing_path: path_of(visit, id, "/missing"),
        form_token: visit.form_token(app, &about(id)),
        notice,
        names,
        event_title: event.title,
    };
    respond(app, visit, status, &page)
}

/// `POST /launches/{launch}/events/{event}/presence`
pub async fn presence(
    State(app): State<App>,
    trainer: Trainer,
    Named(id): Named,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let (visit, context) = (&trainer.visit, trainer.context);
    let token = fields.iter().find(|(name, _)| name == "form_token");
    let token = token.map(|(_, value)| value.as_str()).unwrap_or_default();
    visit.check_form(&app, &about(id), token)?;
    let unreadable =
        || Problem::bad_request("events-presence-unreadable").in_language(visit.lang());
    let decisions = decisions(&fields).ok_or_else(unreadable)?;
    let mut tx = app.db.write().await?;
    let (key, names) =
        match presences::mark(&app, &mut tx, context, id, &visit.person, &decisions).await {
            Ok(_) => {
                tx.commit().await?;
                app.wake.notify_waiters();
                return Ok(done(visit, id, "presence"));
            }
            Err(MarkError::NotFound) => return Err(Problem::not_found()),
            Err(MarkError::UnknownSignup) => return Err(unreadable()),
            Err(MarkError::Database(error)) => return Err(error.into()),
            Err(MarkError::Cancelled) => ("events-refused-cancelled", Vec::new()),
            Err(MarkError::TooEarly) => ("events-refused-early", Vec::new()),
            Err(MarkError::Attested(names)) => ("events-refused-attested", names),
        };
    drop(tx);
    let nameless = app.pages.locales.say(visit.lang(), "events-no-name", &[]);
    let names = names.into_iter().map(|name| name.unwrap_or_else(|| nameless.clone())).collect();
    let notice = Some(Notice::refused(key));
    presence_page(&app, &trainer, id, notice, names, StatusCode::CONFLICT).await
}

/// What the presence form says; `None` when it is not one of ours.
fn decisions(fields: &[(String, String)]) -> Option<Decisions> {
    if fields.iter().any(|(name, _)| name == "all") {
        return Some(Decisions::AllPresent);
    }
    let mut decisions = BTreeMap::new();
    for (name, value) in fields {
        let Some(id) = name.strip_prefix(PRESENCE) else { continue };
        let id: SignupId = id.parse().ok()?;
        let presence = match value.as_str() {
            "present" => Presence::Present,
            "absent" => Presence::Absent,
            "" => continue,
            _ => return None,
        };
        decisions.insert(id, presence);
    }
    Some(Decisions::Each(decisions))
}

/// `GET /launches/{launch}/events/{event}/participants.csv`
pub async fn participants_csv(
    State(app): State<App>,
    Trainer { visit, context }: Trainer,
    Named(id): Named,
) -> Result<Response, Problem> {
    let mut tx = app.db.read().await?;
    super::find(&mut tx, id, context).await?.ok_or_else(Problem::not_found)?;
    let participants = store::participants(&mut tx, id).await?;
    drop(tx);
    let table = table(&app, visit.lang(), rows(&participants));
    Ok(csv::file("participants.csv", csv::write(visit.lang(), &table)))
}

fn table(app: &App, lang: Lang, rows: Vec<Row>) -> Vec<Vec<String>> {
    let say = |key: &str| app.pages.locales.say(lang, key, &[]);
    let columns = ["name", "state", "position", "presence"];
    let head = columns.map(|column| say(&format!("events-column-{column}"))).into();
    let line = |row: Row| {
        vec![
            row.name.unwrap_or_else(|| say("events-no-name")),
            say(&format!("events-state-{}", row.state)),
            row.position.map(|position| position.to_string()).unwrap_or_default(),
            row.presence.map(|word| say(&format!("events-presence-{word}"))).unwrap_or_default(),
        ]
    };
    std::iter::once(head).chain(rows.into_iter().map(line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_presence_form_is_read_person_by_person() {
        let (one, two) = (uuid::Uuid::from_u128(1), uuid::Uuid::from_u128(2));
        let sent = fields(&[
            ("form_token", "t"),
            (&format!("presence-{one}"), "absent"),
            (&format!("presence-{two}"), ""),
        ]);
        let expected = BTreeMap::from([(SignupId::from(one), Presence::Absent)]);
        assert_eq!(decisions(&sent), Some(Decisions::Each(expected)));
        assert_eq!(decisions(&fields(&[("all", "present")])), Some(Decisions::AllPresent));
        assert_eq!(decisions(&fields(&[("presence-x", "present")])), None);
        assert_eq!(decisions(&fields(&[(&format!("presence-{one}"), "maybe")])), None);
    }

    #[test]
    fn the_chosen_zone_is_always_offered_once() {
        for chosen in ["Europe/Paris", "UTC", "CET", "Indian/Reunion"] {
            let zones = zones(chosen);
            let selected: Vec<_> = zones.iter().filter(|zone| zone.selected).collect();
            assert_eq!(selected.len(), 1);
            assert_eq!(selected[0].name, chosen);
        }
        assert!(zones("Mars/Olympus").iter().all(|zone| !zone.selected));
    }
}
