//! The form in which a trainer describes an event.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::{Event, EventDate, JoinLink, NewDate, NewEvent};
use crate::web::dates;

/// The longest title, in characters.
pub const TITLE: usize = 200;
/// The longest description, in characters.
pub const DESCRIPTION: usize = 5000;
/// The shortest and the longest date, in minutes.
pub const MINUTES: (i64, i64) = (5, 12 * 60);
pub const CAPACITY: (i64, i64) = (1, 100_000);
/// How far ahead an event may be: further is a slip of the finger.
const HORIZON: TimeDelta = TimeDelta::days(5 * 366);

/// What the browser sends, as it sends it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EventForm {
    #[serde(skip_serializing)]
    pub form_token: String,
    /// The event's edition when the form was opened; empty for a new event.
    pub edition: String,
    pub title: String,
    pub description: String,
    /// On the clocks of the time zone: `2026-11-23T17:30`.
    pub starts: String,
    pub minutes: String,
    pub time_zone: String,
    pub capacity: String,
    pub join_url: String,
}

/// The field an error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    Title,
    Description,
    Starts,
    Minutes,
    TimeZone,
    Capacity,
    JoinUrl,
}

/// A field and the key of the sentence that says what is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldError {
    pub field: Field,
    pub message: &'static str,
}

impl EventForm {
    /// An empty form with what most events have.
    pub fn new(zone: Tz) -> Self {
        Self { minutes: "60".to_owned(), time_zone: zone.name().to_owned(), ..Self::default() }
    }

    /// The form filled with the event; `first` is the date it is about.
    pub fn of(event: &Event, first: &EventDate) -> Self {
        Self {
            form_token: String::new(),
            edition: event.edition.to_string(),
            title: event.title.clone(),
            description: event.description.clone(),
            starts: dates::local_field(first.starts_at, event.zone()),
            minutes: (first.ends_at - first.starts_at).num_minutes().to_string(),
            time_zone: event.zone().name().to_owned(),
            capacity: event.capacity.map(|capacity| capacity.to_string()).unwrap_or_default(),
            join_url: event.join_url.as_ref().map(ToString::to_string).unwrap_or_default(),
        }
    }

    /// The event that the form describes, or all that is wrong with it. A date must lie ahead,
    /// unless it is the one the event has already.
    pub fn parse(
        &self,
        current: Option<&EventDate>,
        now: DateTime<Utc>,
    ) -> Result<NewEvent, Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut refuse = |field, message| errors.push(FieldError { field, message });

        let title = one_line(&self.title);
        if title.is_empty() {
            refuse(Field::Title, "events-error-title-missing");
        } else if title.chars().count() > TITLE {
            refuse(Field::Title, "events-error-title-long");
        }
        let description = paragraphs(&self.description);
        if description.chars().count() > DESCRIPTION {
            refuse(Field::Description, "events-error-description-long");
        }
        let zone: Option<Tz> = self.time_zone.trim().parse().ok();
        if zone.is_none() {
            refuse(Field::TimeZone, "events-error-time-zone");
        }
        let minutes = number(&self.minutes, MINUTES);
        if minutes.is_none() {
            refuse(Field::Minutes, "events-error-minutes");
        }
        let starts_at = zone.and_then(|zone| starts(&self.starts, zone, current));
        let unmoved = |at| current.is_some_and(|date| date.starts_at == at);
        match starts_at {
            None if zone.is_some() => refuse(Field::Starts, "events-error-starts"),
            // A date that was not moved may lie in the past.
            Some(at) if at <= now && !unmoved(at) => {
                refuse(Field::Starts, "events-error-starts-past");
            }
            Some(at) if at > now + HORIZON && !unmoved(at) => {
                refuse(Field::Starts, "events-error-starts-far");
            }
            // Nothing to say, or said of the zone already.
            _ => {}
        }
        let capacity = match self.capacity.trim() {
            "" => None,
            text => {
                let capacity = number(text, CAPACITY);
                if capacity.is_none() {
                    refuse(Field::Capacity, "events-error-capacity");
                }
                capacity
            }
        };
        let join_url = match self.join_url.trim() {
            "" => None,
            text => {
                let link: Option<JoinLink> = text.parse().ok();
                if link.is_none() {
                    refuse(Field::JoinUrl, "events-error-join-url");
                }
                link
            }
        };
        match (zone, minutes, starts_at) {
            (Some(time_zone), Some(minutes), Some(starts_at)) if errors.is_empty() => {
                let ends_at = starts_at + TimeDelta::minutes(minutes);
                Ok(NewEvent {
                    title,
                    description,
                    time_zone,
                    capacity,
                    join_url,
                    first: NewDate { starts_at, ends_at },
                    more: Vec::new(),
                })
            }
            _ => Err(errors),
        }
    }
}

/// The moment on the zone's clocks. A field that was not touched keeps its moment: in the hour that
/// exists twice the text alone would not.
fn starts(text: &str, zone: Tz, current: Option<&EventDate>) -> Option<DateTime<Utc>> {
    let text = text.trim();
    match current {
        Some(date) if dates::local_field(date.starts_at, zone) == text => Some(date.starts_at),
        _ => dates::parse_local(text, zone),
    }
}

fn number(text: &str, (least, most): (i64, i64)) -> Option<i64> {
    text.trim().parse().ok().filter(|number| (least..=most).contains(number))
}

/// A title has no line breaks, and nothing that cannot be seen.
fn one_line(text: &str) -> String {
    let visible: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn paragraphs(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let visible: String = text.chars().filter(|c| *c == '\n' || !c.is_control()).collect();
    visible.trim().to_owned()
}
