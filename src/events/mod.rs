//! Events: webinars that a trainer schedules in a context and its learners sign up for.

pub mod calendar;
pub mod copies;
pub mod form;
pub mod jobs;
mod joining;
pub mod mails;
pub mod missing;
pub mod pages;
pub mod places;
pub mod presence;
mod store;
pub mod trainers;
pub mod views;
pub mod visitors;

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::Serialize;

use crate::app::App;
use crate::db::{self, Tx};
use crate::ids::{ContextId, EventDateId, EventId, PersonId, TenantId};
use crate::tenants;
use crate::visits;

use mails::{About, Before, MailError, News};

pub use joining::{JoinedSignups, join};
pub use places::{Presence, Signup, SignupState};
pub use store::{Counts, Listed, Participant, is_of_tenant, of_context};

/// How long before the first date presence can be marked.
pub const PRESENCE_OPENS: TimeDelta = TimeDelta::minutes(15);

crate::text_enum! {
    pub enum EventState { Scheduled = "scheduled", Cancelled = "cancelled" }
}

/// It is cancelled already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlreadyCancelled;

impl EventState {
    pub fn cancel(self) -> Result<Self, AlreadyCancelled> {
        match self {
            Self::Scheduled => Ok(Self::Cancelled),
            Self::Cancelled => Err(AlreadyCancelled),
        }
    }
}

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Event {
    pub id: EventId,
    pub tenant_id: TenantId,
    pub context_id: ContextId,
    pub title: String,
    pub description: String,
    time_zone: String,
    /// `None`: no limit.
    pub capacity: Option<i64>,
    pub join_url: Option<JoinLink>,
    pub state: EventState,
    /// Grows whenever time, place, title or state change.
    pub sequence: i64,
    /// Grows with each edit.
    pub edition: i64,
    /// Grows with each change of the event or its places.
    pub turn: i64,
}

impl Event {
    /// The zone its dates are written in; an unknown name counts as UTC.
    pub fn zone(&self) -> Tz {
        self.time_zone.parse().unwrap_or(Tz::UTC)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct EventDate {
    pub id: EventDateId,
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
}

/// Where an event is held: an `https` address, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, sqlx::Type)]
#[serde(transparent)]
#[sqlx(transparent)]
pub struct JoinLink(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a join link is an https address of at most 2000 characters")]
pub struct InvalidJoinLink;

impl JoinLink {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for JoinLink {
    type Err = InvalidJoinLink;

    fn from_str(text: &str) -> Result<Self, InvalidJoinLink> {
        let url = url::Url::parse(text).map_err(|_| InvalidJoinLink)?;
        let allowed = url.scheme() == "https" && url.has_host() && url.as_str().len() <= 2000;
        if allowed { Ok(Self(url.into())) } else { Err(InvalidJoinLink) }
    }
}

impl fmt::Display for JoinLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How far an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Ahead,
    /// From a quarter of an hour before the first date: presence can be marked, dates are fixed.
    Running,
    /// After the last date.
    Over,
}

impl Phase {
    pub fn of(dates: &[EventDate], now: DateTime<Utc>) -> Self {
        let first = dates.iter().map(|date| date.starts_at).min();
        let last = dates.iter().map(|date| date.ends_at).max();
        match (first, last) {
            (_, Some(last)) if now >= last => Self::Over,
            (Some(first), _) if now >= first - PRESENCE_OPENS => Self::Running,
            _ => Self::Ahead,
        }
    }
}

/// How long all dates take together, in minutes.
pub fn total_minutes(dates: &[EventDate]) -> i64 {
    dates.iter().map(|date| (date.ends_at - date.starts_at).num_minutes()).sum()
}

/// An event to create, or what an event is to become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    pub title: String,
    pub description: String,
    pub time_zone: Tz,
    pub capacity: Option<i64>,
    pub join_url: Option<JoinLink>,
    pub first: NewDate,
    /// Further dates; an edit leaves those it does not name as they are.
    pub more: Vec<NewDate>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewDate {
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
}

impl NewEvent {
    fn dates(&self) -> impl Iterator<Item = NewDate> {
        std::iter::once(self.first).chain(self.more.iter().copied())
    }
}

/// Creates the event and schedules its reminders.
pub async fn create(
    tx: &mut Tx,
    tenant: TenantId,
    context: ContextId,
    by: PersonId,
    new: NewEvent,
    now: DateTime<Utc>,
) -> db::Result<EventId> {
    let id = EventId::new(now);
    store::insert(tx, id, tenant, context, by, &new, now).await?;
    for date in new.dates() {
        let date_id = EventDateId::new(now);
        store::insert_date(tx, id, date_id, date).await?;
        jobs::schedule(tx, date_id, date.starts_at, now).await?;
    }
    Ok(id)
}

/// The event with its dates, if it is one of this context's: its own, or shared with it. What every
/// page about an event begins with; changes begin with `store::lock`, which asks the same.
pub async fn find(
    tx: &mut Tx,
    id: EventId,
    context: ContextId,
) -> db::Result<Option<(Event, Vec<EventDate>)>> {
    let Some(event) = store::find(tx, id).await? else { return Ok(None) };
    if !store::is_of_context(tx, id, context).await? {
        return Ok(None);
    }
    let dates = store::dates(tx, id).await?;
    Ok(Some((event, dates)))
}

#[derive(Debug, thiserror::Error)]
pub enum EditError {
    #[error("no such event in this context")]
    NotFound,
    #[error("the event is cancelled")]
    Cancelled,
    #[error("the event is over")]
    Over,
    #[error("somebody else edited the event after the form was opened")]
    Stale,
    #[error("the event has begun: its dates are fixed")]
    Begun,
    #[error("{confirmed} people have a place already")]
    CapacityBelowConfirmed { confirmed: i64 },
    #[error(transparent)]
    Mail(#[from] MailError),
}

impl From<db::Error> for EditError {
    fn from(error: db::Error) -> Self {
        Self::Mail(error.into())
    }
}

/// Edits the event: `edition` is the one the form was opened on. Whoever has a place is told when
/// time, place or title changed; places that a higher capacity frees go to those who wait.
pub async fn edit(
    app: &App,
    tx: &mut Tx,
    context: ContextId,
    by: PersonId,
    id: EventId,
    edition: i64,
    new: NewEvent,
) -> Result<(), EditError> {
    let now = app.clock.now();
    let before = store::lock(tx, id, context).await?.ok_or(EditError::NotFound)?;
    let dates = store::dates(tx, id).await?;
    let phase = Phase::of(&dates, now);
    if before.state == EventState::Cancelled {
        return Err(EditError::Cancelled);
    }
    if phase == Phase::Over {
        return Err(EditError::Over);
    }
    if before.edition != edition {
        return Err(EditError::Stale);
    }
    let confirmed = store::counts(tx, id).await?.confirmed;
    if new.capacity.is_some_and(|capacity| capacity < confirmed) {
        return Err(EditError::CapacityBelowConfirmed { confirmed });
    }
    let moved = moved_dates(&dates, &new);
    if !moved.is_empty() && phase != Phase::Ahead {
        return Err(EditError::Begun);
    }
    for (date, to) in &moved {
        store::move_date(tx, *date, *to).await?;
        jobs::schedule(tx, *date, to.starts_at, now).await?;
    }
    let changes = Before {
        title: (before.title != new.title).then(|| before.title.clone()),
        dates: if moved.is_empty() { Vec::new() } else { dates },
        place_changed: before.join_url != new.join_url,
    };
    let sequence = before.sequence + i64::from(changes.is_worth_a_mail());
    store::update(tx, id, &new, sequence, now).await?;

    let about = about(tx, id).await?;
    if changes.is_worth_a_mail() {
        for participant in store::participants(tx, id).await? {
            if participant.signup.state != SignupState::Withdrawn {
                let news = News::Changed(&changes);
                mails::tell(app, tx, &about, &participant.signup, &participant.person, news)
                    .await?;
            }
        }
    }
    places::promote(app, tx, &about, by).await?;
    Ok(())
}

/// The stored dates that are to be at another time, in their order.
fn moved_dates(dates: &[EventDate], new: &NewEvent) -> Vec<(EventDateId, NewDate)> {
    dates
        .iter()
        .zip(new.dates())
        .filter(|(date, to)| (date.starts_at, date.ends_at) != (to.starts_at, to.ends_at))
        .map(|(date, to)| (date.id, to))
        .collect()
}

#[derive(Debug, thiserror::Error)]
pub enum CancelError {
    #[error("no such event in this context")]
    NotFound,
    #[error("the event is cancelled already")]
    AlreadyCancelled,
    #[error("the event is over")]
    Over,
    #[error("attestations were issued for it")]
    AttestationsIssued,
    #[error(transparent)]
    Mail(#[from] MailError),
}

impl From<db::Error> for CancelError {
    fn from(error: db::Error) -> Self {
        Self::Mail(error.into())
    }
}

/// Cancels the event and tells everyone who has a place or waits for one.
pub async fn cancel(
    app: &App,
    tx: &mut Tx,
    context: ContextId,
    id: EventId,
) -> Result<(), CancelError> {
    let now = app.clock.now();
    let event = store::lock(tx, id, context).await?.ok_or(CancelError::NotFound)?;
    let state = event.state.cancel().map_err(|AlreadyCancelled| CancelError::AlreadyCancelled)?;
    may_cancel(Phase::of(&store::dates(tx, id).await?, now), store::counts(tx, id).await?)?;
    store::set_state(tx, id, state, event.sequence + 1, now).await?;
    let about = about(tx, id).await?;
    for participant in store::participants(tx, id).await? {
        if participant.signup.state != SignupState::Withdrawn {
            let (signup, person) = (&participant.signup, &participant.person);
            mails::tell(app, tx, &about, signup, person, News::Cancelled).await?;
        }
    }
    Ok(())
}

/// What took place cannot be cancelled any more.
fn may_cancel(phase: Phase, counts: Counts) -> Result<(), CancelError> {
    match phase {
        Phase::Over => Err(CancelError::Over),
        _ if counts.present > 0 => Err(CancelError::AttestationsIssued),
        _ => Ok(()),
    }
}

/// The event as it is now, with what its mails need beside.
async fn about(tx: &mut Tx, id: EventId) -> db::Result<About> {
    let event = store::find(tx, id).await?.ok_or(db::Error::RowNotFound)?;
    Ok(About {
        dates: store::dates(tx, id).await?,
        tenant: tenants::find(tx, event.tenant_id).await?,
        context: visits::context_title(tx, event.context_id).await?,
        event,
    })
}

#[cfg(test)]
mod tests;
