//! What people are told about their places, with the entry for their calendar.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::Serialize;

use super::calendar::{self, Attendee, Entry, Method};
use super::{Event, EventDate, JoinLink, Signup, SignupState, copies};
use crate::app::App;
use crate::db::{self, Tx};
use crate::mail::{self, Attachment, Body, Draft, Source};
use crate::people::Person;
use crate::tenants::Tenant;
use crate::web::pages::RenderError;
use crate::web::{Lang, Page, dates};

#[derive(Debug, thiserror::Error)]
pub enum MailError {
    #[error(transparent)]
    Database(#[from] db::Error),
    #[error(transparent)]
    Render(#[from] RenderError),
}

/// What every mail about an event needs.
pub(super) struct About {
    pub(super) event: Event,
    pub(super) dates: Vec<EventDate>,
    pub(super) tenant: Tenant,
    /// The name of the course it belongs to, where the platform told one.
    pub(super) context: Option<String>,
}

/// What an edit replaced.
#[derive(Debug, Default)]
pub(super) struct Before {
    pub(super) title: Option<String>,
    /// All dates as they were; empty when none moved.
    pub(super) dates: Vec<EventDate>,
    pub(super) place_changed: bool,
}

impl Before {
    pub(super) fn is_worth_a_mail(&self) -> bool {
        self.title.is_some() || !self.dates.is_empty() || self.place_changed
    }
}

/// What happened.
#[derive(Clone, Copy)]
pub(super) enum News<'a> {
    Confirmed,
    /// How many are before the person on the waiting list.
    Waiting {
        ahead: i64,
    },
    Promoted,
    Changed(&'a Before),
    Cancelled,
    Withdrawn {
        had_place: bool,
    },
    Reminder(EventDate),
}

impl News<'_> {
    /// What the calendar is to do; who waits gets no entry, and what is not there is not removed.
    fn method(self, signup: &Signup) -> Option<Method> {
        let has_place = signup.state == SignupState::Confirmed;
        match self {
            Self::Confirmed | Self::Promoted | Self::Reminder(_) => Some(Method::Request),
            Self::Changed(_) => has_place.then_some(Method::Request),
            Self::Cancelled => has_place.then_some(Method::Cancel),
            Self::Withdrawn { had_place } => had_place.then_some(Method::Cancel),
            Self::Waiting { .. } => None,
        }
    }

    fn kind(self) -> &'static str {
        match self {
            Self::Confirmed => "event-confirmation",
            Self::Waiting { .. } => "event-waiting",
            Self::Promoted => "event-promotion",
            Self::Changed(_) => "event-change",
            Self::Cancelled => "event-cancellation",
            Self::Withdrawn { .. } => "event-withdrawal",
            Self::Reminder(_) => "event-reminder",
        }
    }
}

/// iCalendar's SEQUENCE for this person: both parts only grow, and each mail follows a change of
/// one of them.
pub(super) fn sequence(event: &Event, signup: &Signup) -> i64 {
    event.sequence + signup.revision
}

/// One UID for each date and place, for ever: a person who withdraws and comes back finds the same
/// entry again.
pub(super) fn uid(date: &EventDate, signup: &Signup) -> String {
    format!("{}.{}@passerelle", date.id, signup.id)
}

/// The calendar's entry of one date.
pub(super) fn entry<'a>(event: &'a Event, date: &EventDate, signup: &Signup) -> Entry<'a> {
    Entry {
        uid: uid(date, signup),
        sequence: sequence(event, signup),
        starts_at: date.starts_at,
        ends_at: date.ends_at,
        summary: &event.title,
        description: &event.description,
        join_url: event.join_url.as_ref().map(JoinLink::as_str),
    }
}

/// Puts the mail into the outbox. Somebody without an address is told on the page instead.
pub(super) async fn tell(
    app: &App,
    tx: &mut Tx,
    about: &About,
    signup: &Signup,
    person: &Person,
    news: News<'_>,
) -> Result<(), MailError> {
    let Some(recipient) = &person.email else { return Ok(()) };
    let (now, lang) = (app.clock.now(), person.locale);
    let mut facts = Facts::of(lang, about, person, signup, news);
    // Courses that share a list: everybody is led to their own.
    if let Some(course) = copies::store::course_of(tx, about.event.id, person.id).await? {
        facts.context = Some(course);
    }
    let body = match news {
        News::Confirmed => Body::render(&app.pages, lang, &Confirmation(facts)),
        News::Waiting { .. } => Body::render(&app.pages, lang, &Waiting(facts)),
        News::Promoted => Body::render(&app.pages, lang, &Promotion(facts)),
        News::Changed(_) => Body::render(&app.pages, lang, &Change(facts)),
        News::Cancelled => Body::render(&app.pages, lang, &Cancellation(facts)),
        News::Withdrawn { .. } => Body::render(&app.pages, lang, &Withdrawal(facts)),
        News::Reminder(_) => Body::render(&app.pages, lang, &Reminder(facts)),
    }?;
    let draft = Draft {
        tenant: about.tenant.id,
        sender: about.tenant.mailbox(),
        kind: news.kind(),
        subject_id: signup.id.uuid(),
        revision: match news {
            // Once for each moment a date is at.
            News::Reminder(date) => date.starts_at.timestamp(),
            _ => sequence(&about.event, signup),
        },
        person: person.id,
        recipient: recipient.clone(),
        body,
        attachments: invitations(about, signup, person, recipient, news, now),
        repeat_unknown: !matches!(news, News::Reminder(_)),
    };
    mail::enqueue(tx, draft, now).await?;
    Ok(())
}

/// One calendar a date.
fn invitations(
    about: &About,
    signup: &Signup,
    person: &Person,
    recipient: &str,
    news: News<'_>,
    stamp: DateTime<Utc>,
) -> Vec<Attachment> {
    let Some(method) = news.method(signup) else { return Vec::new() };
    let name = person.name();
    let attendee = Attendee { name: name.as_deref(), address: recipient };
    let organizer = about.tenant.mailbox();
    let dates: Vec<EventDate> = match news {
        News::Reminder(date) => vec![date],
        _ => about.dates.clone(),
    };
    let many = dates.len() > 1;
    dates
        .iter()
        .enumerate()
        .map(|(index, date)| {
            let entry = entry(&about.event, date, signup);
            let text = calendar::write(method, stamp, &organizer, Some(attendee), &[entry]);
            Attachment {
                name: if many { format!("invite-{}.ics", index + 1) } else { "invite.ics".into() },
                media_type: method.media_type(),
                source: Source::Calendar(text),
            }
        })
        .collect()
}

/// A date as pages and mails write it.
#[derive(Clone, Debug, Serialize)]
pub struct When {
    /// For machines: `2026-11-23T16:30:00Z`.
    pub starts: String,
    pub ends: String,
    /// For people: `lundi 23 novembre 2026 à 17 h 30`, and the hour it ends.
    pub from: String,
    pub until: String,
    pub zone: &'static str,
}

impl When {
    pub fn new(lang: Lang, date: &EventDate, zone: Tz) -> Self {
        Self::of(lang, date.starts_at, date.ends_at, zone)
    }

    pub fn of(lang: Lang, starts_at: DateTime<Utc>, ends_at: DateTime<Utc>, zone: Tz) -> Self {
        let machine = |at: DateTime<Utc>| at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
        let local_day = |at: DateTime<Utc>| at.with_timezone(&zone).date_naive();
        let until = if local_day(starts_at) == local_day(ends_at) {
            dates::time(lang, ends_at, zone)
        } else {
            dates::day_and_time(lang, ends_at, zone)
        };
        Self {
            starts: machine(starts_at),
            ends: machine(ends_at),
            from: dates::day_and_time(lang, starts_at, zone),
            until,
            zone: zone.name(),
        }
    }

    pub(super) fn sample() -> Self {
        Self {
            starts: "2026-11-23T16:30:00Z".to_owned(),
            ends: "2026-11-23T17:30:00Z".to_owned(),
            from: "lundi 23 novembre 2026 à 17\u{a0}h\u{a0}30".to_owned(),
            until: "18\u{a0}h\u{a0}30".to_owned(),
            zone: "Europe/Paris",
        }
    }
}

/// What all mails about an event say.
#[derive(Clone, Debug, Serialize)]
pub struct Facts {
    tenant: String,
    name: Option<String>,
    title: String,
    /// The event's dates; in a reminder the one it is about.
    dates: Vec<When>,
    join_url: Option<JoinLink>,
    /// The course where the person finds the event's page.
    context: Option<String>,
    /// The person's place on the waiting list: 1 is next.
    position: Option<i64>,
    /// Whether the person has a place: who waits is shown no join link.
    has_place: bool,
    /// Whether a calendar entry comes along.
    invited: bool,
    was_title: Option<String>,
    was_dates: Vec<When>,
    place_changed: bool,
}

impl Facts {
    fn of(lang: Lang, about: &About, person: &Person, signup: &Signup, news: News<'_>) -> Self {
        let zone = about.event.zone();
        let write = |dates: &[EventDate]| -> Vec<When> {
            dates.iter().map(|date| When::new(lang, date, zone)).collect()
        };
        let has_place = signup.state == SignupState::Confirmed;
        // Nobody is shown the way to what does not take place.
        let invites = news.method(signup) == Some(Method::Request);
        let nothing = Before::default();
        let before = if let News::Changed(before) = news { before } else { &nothing };
        Self {
            tenant: about.tenant.name.clone(),
            name: person.name(),
            title: about.event.title.clone(),
            dates: match news {
                News::Reminder(date) => write(&[date]),
                _ => write(&about.dates),
            },
            join_url: about.event.join_url.clone().filter(|_| invites),
            context: about.context.clone(),
            position: match news {
                News::Waiting { ahead } => Some(ahead + 1),
                _ => None,
            },
            has_place,
            invited: news.method(signup).is_some(),
            was_title: before.title.clone(),
            was_dates: write(&before.dates),
            place_changed: before.place_changed && has_place,
        }
    }

    fn samples() -> [Self; 2] {
        let when = When::sample();
        let full = Self {
            tenant: "Réseau Canopé".to_owned(),
            name: Some("Zoé <Lefèvre>".to_owned()),
            title: "Lancer un projet eTwinning & trouver des partenaires".to_owned(),
            dates: vec![when.clone(), when.clone()],
            join_url: "https://meet.example.org/a?b=1&c=2".parse().ok(),
            context: Some("eTwinning, premiers pas".to_owned()),
            position: Some(3),
            has_place: true,
            invited: true,
            was_title: Some("Lancer un projet".to_owned()),
            was_dates: vec![when.clone()],
            place_changed: true,
        };
        let bare = Self {
            name: None,
            dates: vec![when],
            join_url: None,
            context: None,
            position: Some(1),
            has_place: false,
            invited: false,
            was_title: None,
            was_dates: Vec::new(),
            place_changed: false,
            ..full.clone()
        };
        [full, bare]
    }
}

/// A mail about an event: three files, one context.
macro_rules! mails {
    ($($(#[$doc:meta])* $name:ident = $template:literal),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Serialize)]
        #[serde(transparent)]
        pub struct $name(Facts);

        impl Page for $name {
            const TEMPLATE: &'static str = $template;

            fn samples() -> Vec<Self> {
                Facts::samples().map(Self).into()
            }
        }
    )*};
}

mails! {
    /// You have a place.
    Confirmation = "mails/event-confirmation",
    /// It is full; you wait.
    Waiting = "mails/event-waiting",
    /// You waited, and have a place now.
    Promotion = "mails/event-promotion",
    /// Time, place or title changed.
    Change = "mails/event-change",
    /// It does not take place.
    Cancellation = "mails/event-cancellation",
    /// You gave your place back.
    Withdrawal = "mails/event-withdrawal",
    /// It is tomorrow.
    Reminder = "mails/event-reminder",
}
