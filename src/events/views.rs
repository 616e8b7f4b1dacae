//! What the pages about events show: their typed contexts.
//!
//! No field is called `title`: inside the layout that is the title of the page.

use serde::Serialize;

use super::copies::pages::Course;
use super::form::{EventForm, Field, FieldError};
use super::mails::When;
use super::{JoinLink, Presence, SignupState};
use crate::web::Page;

/// A sentence above the page: what was done, or why nothing was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Notice {
    pub key: &'static str,
    pub warning: bool,
}

impl Notice {
    pub fn done(key: &'static str) -> Self {
        Self { key, warning: false }
    }

    pub fn refused(key: &'static str) -> Self {
        Self { key, warning: true }
    }
}

/// How many people, and how many may come.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Numbers {
    pub confirmed: i64,
    pub waiting: i64,
    /// `None`: no limit.
    pub capacity: Option<i64>,
}

/// One event in the list.
#[derive(Clone, Debug, Serialize)]
pub struct Item {
    pub path: String,
    pub event_title: String,
    pub when: When,
    pub cancelled: bool,
    pub full: bool,
    /// For trainers.
    pub numbers: Option<Numbers>,
    /// The person's own place: `confirmed`, `waiting`.
    pub own: Option<&'static str>,
}

/// What a trainer has to look at.
#[derive(Clone, Debug, Serialize)]
pub struct Need {
    pub path: String,
    pub event_title: String,
    /// The sentence, which counts people.
    pub key: &'static str,
    pub count: i64,
    /// The words of the link.
    pub act: &'static str,
}

/// What a learner does next.
#[derive(Clone, Debug, Serialize)]
pub struct Next {
    pub path: String,
    pub event_title: String,
    pub when: When,
    pub key: &'static str,
    pub act: &'static str,
}

#[derive(Clone, Debug, Serialize)]
pub struct ListPage {
    pub is_trainer: bool,
    pub new_path: String,
    /// Where somebody without an address gives one.
    pub address_path: Option<String>,
    pub notice: Option<Notice>,
    pub needs: Vec<Need>,
    pub next: Option<Next>,
    pub upcoming: Vec<Item>,
    pub past: Vec<Item>,
}

impl Page for ListPage {
    const TEMPLATE: &'static str = "pages/events";

    fn samples() -> Vec<Self> {
        let item = |own, numbers, cancelled| Item {
            path: "/launches/1/events/2".to_owned(),
            event_title: "Lancer un projet <eTwinning>".to_owned(),
            when: When::sample(),
            cancelled,
            full: !cancelled,
            numbers,
            own,
        };
        let numbers = |capacity| Some(Numbers { confirmed: 1, waiting: 2, capacity });
        let empty = |is_trainer| Self {
            is_trainer,
            new_path: "/launches/1/events/new".to_owned(),
            address_path: None,
            notice: None,
            needs: Vec::new(),
            next: None,
            upcoming: Vec::new(),
            past: Vec::new(),
        };
        let need = |key| Need {
            path: "/launches/1/events/2/presence".to_owned(),
            event_title: "Lancer un projet".to_owned(),
            key,
            count: 3,
            act: "events-need-act-presence",
        };
        let next = |key, act| Next {
            path: "/launches/1/events/2".to_owned(),
            event_title: "Lancer un projet".to_owned(),
            when: When::sample(),
            key,
            act,
        };
        vec![
            empty(true),
            empty(false),
            Self {
                notice: Some(Notice::done("events-done-cancelled")),
                needs: NEEDS.iter().map(|key| need(key)).collect(),
                upcoming: vec![
                    item(None, numbers(None), false),
                    item(None, numbers(Some(1)), true),
                ],
                past: vec![item(None, numbers(Some(20)), false)],
                ..empty(true)
            },
            Self {
                next: Some(next("events-next-confirmed", "events-next-act-open")),
                address_path: Some("/launches/1/address".to_owned()),
                upcoming: vec![
                    item(Some("confirmed"), None, false),
                    item(Some("waiting"), None, false),
                    item(None, None, true),
                ],
                past: vec![item(Some("confirmed"), None, false)],
                ..empty(false)
            },
            Self {
                next: Some(next("events-next-open", "events-next-act-sign-up")),
                upcoming: vec![item(None, None, false)],
                ..empty(false)
            },
        ]
    }
}

/// The sentences of [`Need`].
pub const NEEDS: [&str; 3] = ["events-need-presence", "events-need-waiting", "events-need-soon"];

/// Somebody in the trainer's list.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    pub name: Option<String>,
    pub state: &'static str,
    pub position: Option<i64>,
    /// `present`, `absent`; `None` when it is not decided.
    pub presence: Option<&'static str>,
}

#[derive(Clone, Debug, Serialize)]
pub struct TrainerPart {
    /// `None` when it cannot be edited any more.
    pub edit_path: Option<String>,
    pub cancel_path: Option<String>,
    /// `None` until shortly before it begins.
    pub presence_path: Option<String>,
    pub csv_path: String,
    /// The courses that share the list; empty when there is one.
    pub courses: Vec<Course>,
    /// Who of the LMS course has not signed up.
    pub missing_path: String,
    pub rows: Vec<Row>,
}

/// What a learner has, and may do.
#[derive(Clone, Debug, Serialize)]
pub struct LearnerPart {
    pub confirmed: bool,
    pub waiting: bool,
    /// On the waiting list: 1 is next.
    pub position: Option<i64>,
    pub present: bool,
    /// The attestation's PDF, once it is made.
    pub attestation_path: Option<String>,
    pub can_sign_up: bool,
    pub full: bool,
    pub can_withdraw: bool,
    pub signup_path: String,
    pub withdraw_path: String,
    pub calendar_path: Option<String>,
    /// Where somebody without an address gives one.
    pub address_path: Option<String>,
    pub email: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct ShowPage {
    pub list_path: String,
    pub event_title: String,
    pub paragraphs: Vec<String>,
    pub dates: Vec<When>,
    pub duration: String,
    pub cancelled: bool,
    pub over: bool,
    pub numbers: Numbers,
    /// Places left; `None` when there is no limit.
    pub free: Option<i64>,
    pub join_url: Option<JoinLink>,
    pub notice: Option<Notice>,
    pub form_token: String,
    pub trainer: Option<TrainerPart>,
    pub learner: Option<LearnerPart>,
}

impl Page for ShowPage {
    const TEMPLATE: &'static str = "pages/event";

    fn samples() -> Vec<Self> {
        let base = Self {
            list_path: "/launches/1/events".to_owned(),
            event_title: "Lancer un projet <eTwinning>".to_owned(),
            paragraphs: vec!["Un & deux".to_owned(), "Trois".to_owned()],
            dates: vec![When::sample(), When::sample()],
            duration: "2\u{a0}h".to_owned(),
            cancelled: false,
            over: false,
            numbers: Numbers { confirmed: 1, waiting: 1, capacity: Some(1) },
            free: Some(0),
            join_url: "https://meet.example.org/a?b=1&c=2".parse().ok(),
            notice: None,
            form_token: "token".to_owned(),
            trainer: None,
            learner: None,
        };
        let path = |rest: &str| format!("/launches/1/events/2/{rest}");
        let row = |name: Option<&str>, state, position, presence| Row {
            name: name.map(str::to_owned),
            state,
            position,
            presence,
        };
        let trainer = TrainerPart {
            edit_path: Some(path("edit")),
            cancel_path: Some(path("cancel")),
            presence_path: Some(path("presence")),
            csv_path: path("participants.csv"),
            courses: Vec::new(),
            missing_path: path("missing"),
            rows: vec![
                row(Some("Zoé <Lefèvre>"), "confirmed", None, Some("present")),
                row(Some("Karim"), "confirmed", None, Some("absent")),
                row(None, "waiting", Some(1), None),
                row(Some("Inès"), "withdrawn", None, None),
            ],
        };
        let nobody = TrainerPart {
            edit_path: None,
            cancel_path: None,
            presence_path: None,
            rows: Vec::new(),
            courses: [Some("Parcours <européen>"), None]
                .map(|title| Course {
                    title: title.map(str::to_owned),
                    platform: "Plateforme <Grandes Écoles>".to_owned(),
                })
                .into(),
            ..trainer.clone()
        };
        let newcomer = LearnerPart {
            confirmed: false,
            waiting: false,
            position: None,
            present: false,
            attestation_path: None,
            can_sign_up: true,
            full: false,
            can_withdraw: false,
            signup_path: path("signup"),
            withdraw_path: path("withdraw"),
            calendar_path: None,
            address_path: Some("/launches/1/address".to_owned()),
            email: None,
        };
        let confirmed = LearnerPart {
            confirmed: true,
            can_sign_up: false,
            can_withdraw: true,
            calendar_path: Some(path("calendar.ics")),
            address_path: None,
            email: Some("zoe@example.org".to_owned()),
            ..newcomer.clone()
        };
        let waiting = LearnerPart {
            confirmed: false,
            waiting: true,
            position: Some(2),
            calendar_path: None,
            ..confirmed.clone()
        };
        let attested = LearnerPart {
            present: true,
            can_withdraw: false,
            attestation_path: Some("/launches/1/credentials/3/pdf".to_owned()),
            ..confirmed.clone()
        };
        let of = |learner: LearnerPart| Self { learner: Some(learner), ..base.clone() };
        vec![
            Self { trainer: Some(trainer), ..base.clone() },
            Self {
                trainer: Some(nobody),
                numbers: Numbers { confirmed: 0, waiting: 0, capacity: None },
                free: None,
                join_url: None,
                ..base.clone()
            },
            Self { notice: Some(Notice::done("events-done-signed-up")), ..of(confirmed) },
            of(waiting),
            Self { over: true, ..of(attested.clone()) },
            of(LearnerPart { attestation_path: None, ..attested }),
            Self { join_url: None, free: Some(3), ..of(newcomer.clone()) },
            of(LearnerPart { full: true, ..newcomer.clone() }),
            Self {
                cancelled: true,
                notice: Some(Notice::refused("events-refused-cancelled")),
                ..of(LearnerPart { can_sign_up: false, ..newcomer })
            },
        ]
    }
}

/// The sentences beside the fields of the form.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Errors {
    pub title: Option<&'static str>,
    pub description: Option<&'static str>,
    pub starts: Option<&'static str>,
    pub minutes: Option<&'static str>,
    pub time_zone: Option<&'static str>,
    pub capacity: Option<&'static str>,
    pub join_url: Option<&'static str>,
}

impl Errors {
    pub fn of(errors: &[FieldError]) -> Self {
        let mut sentences = Self::default();
        for error in errors {
            let place = match error.field {
                Field::Title => &mut sentences.title,
                Field::Description => &mut sentences.description,
                Field::Starts => &mut sentences.starts,
                Field::Minutes => &mut sentences.minutes,
                Field::TimeZone => &mut sentences.time_zone,
                Field::Capacity => &mut sentences.capacity,
                Field::JoinUrl => &mut sentences.join_url,
            };
            *place = Some(error.message);
        }
        sentences
    }
}

#[derive(Clone, Debug, Serialize)]
pub struct ZoneChoice {
    pub name: &'static str,
    pub selected: bool,
}

#[derive(Clone, Debug, Serialize)]
pub struct FormPage {
    /// `None` for a new event.
    pub event_title: Option<String>,
    pub action: String,
    pub back_path: String,
    pub form_token: String,
    pub values: EventForm,
    pub zones: Vec<ZoneChoice>,
    pub errors: Errors,
    pub any_error: bool,
    /// What there is to know before the form is filled in.
    pub hint: Option<&'static str>,
    /// Why the event cannot become this, when no single field is to blame.
    pub notice: Option<Notice>,
    /// How many people a change of time, place or title is told to.
    pub people: i64,
    /// How many have a place: the capacity cannot be lower.
    pub confirmed: i64,
    /// Whether it has begun: its dates are fixed.
    pub dates_fixed: bool,
    /// Whether it has dates beside the one in the form.
    pub more_dates: bool,
}

impl Page for FormPage {
    const TEMPLATE: &'static str = "pages/event-form";

    fn samples() -> Vec<Self> {
        let new = Self {
            event_title: None,
            action: "/launches/1/events/new".to_owned(),
            back_path: "/launches/1/events".to_owned(),
            form_token: "token".to_owned(),
            values: EventForm::new(chrono_tz::Europe::Paris),
            zones: vec![
                ZoneChoice { name: "Europe/Paris", selected: true },
                ZoneChoice { name: "Europe/Athens", selected: false },
            ],
            errors: Errors::default(),
            any_error: false,
            hint: None,
            notice: None,
            people: 0,
            confirmed: 0,
            dates_fixed: false,
            more_dates: false,
        };
        let wrong = Errors {
            title: Some("events-error-title-missing"),
            description: Some("events-error-description-long"),
            starts: Some("events-error-starts"),
            minutes: Some("events-error-minutes"),
            time_zone: Some("events-error-time-zone"),
            capacity: Some("events-error-capacity-below"),
            join_url: Some("events-error-join-url"),
        };
        let values = EventForm { title: "\"><script>".to_owned(), ..new.values.clone() };
        let edit = Self {
            event_title: Some("Lancer un projet <eTwinning>".to_owned()),
            people: 12,
            confirmed: 10,
            dates_fixed: true,
            more_dates: true,
            notice: Some(Notice::refused("events-refused-stale")),
            ..new.clone()
        };
        let copied = Self { hint: Some("copies-form-hint"), ..new.clone() };
        vec![new.clone(), copied, Self { values, errors: wrong, any_error: true, ..new }, edit]
    }
}

#[derive(Clone, Debug, Serialize)]
pub struct CancelPage {
    pub event_title: String,
    pub dates: Vec<When>,
    pub confirmed: i64,
    pub waiting: i64,
    /// Those of them who have no address: nobody tells them.
    pub unreachable: i64,
    pub action: String,
    pub back_path: String,
    pub form_token: String,
    /// Why it cannot be cancelled.
    pub notice: Option<Notice>,
}

impl Page for CancelPage {
    const TEMPLATE: &'static str = "pages/event-cancel";

    fn samples() -> Vec<Self> {
        let full = Self {
            event_title: "Lancer un projet <eTwinning>".to_owned(),
            dates: vec![When::sample()],
            confirmed: 12,
            waiting: 1,
            unreachable: 2,
            action: "/launches/1/events/2/cancel".to_owned(),
            back_path: "/launches/1/events/2".to_owned(),
            form_token: "token".to_owned(),
            notice: None,
        };
        let refused = Some(Notice::refused("events-refused-attested-event"));
        vec![
            full.clone(),
            Self { confirmed: 0, waiting: 0, unreachable: 0, ..full.clone() },
            Self { notice: refused, ..full },
        ]
    }
}

/// One line of the presence form.
#[derive(Clone, Debug, Serialize)]
pub struct PresenceRow {
    /// The field's name.
    pub field: String,
    pub name: Option<String>,
    /// The attestation is issued: nothing to choose.
    pub attested: bool,
    pub present: bool,
    pub absent: bool,
}

impl PresenceRow {
    pub fn new(field: String, name: Option<String>, presence: Option<Presence>) -> Self {
        Self {
            field,
            name,
            attested: presence == Some(Presence::Present),
            present: presence == Some(Presence::Present),
            absent: presence == Some(Presence::Absent),
        }
    }
}

#[derive(Clone, Debug, Serialize)]
pub struct PresencePage {
    pub event_title: String,
    pub dates: Vec<When>,
    /// False until shortly before it begins.
    pub open: bool,
    pub cancelled: bool,
    pub rows: Vec<PresenceRow>,
    /// How many have no decision yet or are marked absent: "all present" concerns them.
    pub undecided: i64,
    pub action: String,
    pub back_path: String,
    /// Who of the LMS course has not signed up.
    pub missing_path: String,
    pub form_token: String,
    pub notice: Option<Notice>,
    /// Whom the refusal is about.
    pub names: Vec<String>,
}

impl Page for PresencePage {
    const TEMPLATE: &'static str = "pages/event-presence";

    fn samples() -> Vec<Self> {
        let row = |name: Option<&str>, presence| {
            PresenceRow::new("presence-1".to_owned(), name.map(str::to_owned), presence)
        };
        let full = Self {
            event_title: "Lancer un projet <eTwinning>".to_owned(),
            dates: vec![When::sample()],
            open: true,
            cancelled: false,
            rows: vec![
                row(Some("Zoé <Lefèvre>"), Some(Presence::Present)),
                row(None, Some(Presence::Absent)),
                row(Some("Karim"), None),
            ],
            undecided: 2,
            action: "/launches/1/events/2/presence".to_owned(),
            back_path: "/launches/1/events/2".to_owned(),
            missing_path: "/launches/1/events/2/missing".to_owned(),
            form_token: "token".to_owned(),
            notice: None,
            names: Vec::new(),
        };
        vec![
            full.clone(),
            Self { rows: Vec::new(), undecided: 0, ..full.clone() },
            Self { open: false, ..full.clone() },
            Self { open: false, cancelled: true, ..full.clone() },
            Self {
                notice: Some(Notice::refused("events-refused-attested")),
                names: vec!["Zoé <Lefèvre>".to_owned()],
                ..full
            },
        ]
    }
}

/// The place as the list writes it; `None` for who is not signed up.
pub fn own_word(state: SignupState) -> Option<&'static str> {
    match state {
        SignupState::Confirmed | SignupState::Waiting => Some(state.as_str()),
        SignupState::Withdrawn => None,
    }
}
