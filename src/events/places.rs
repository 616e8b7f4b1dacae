//! Places: who has one, who waits for one, and how one passes on.
//!
//! Every change begins with the event's lock (`store::lock`), so that two people never
//! count the same free place.

use super::mails::{self, About, MailError, News};
use super::{Event, EventState, Phase, about, store};
use crate::app::App;
use crate::db::{self, Tx};
use crate::ids::{ContextId, EventId, PersonId, SignupId};
use crate::people::{self, Person};

crate::text_enum! {
    /// What somebody who signed up has.
    pub enum SignupState {
        Confirmed = "confirmed",
        Waiting = "waiting",
        Withdrawn = "withdrawn",
    }
}

crate::text_enum! {
    /// What the trainer decided about somebody's presence.
    pub enum Presence { Present = "present", Absent = "absent" }
}

crate::text_enum! {
    /// What happened to a place: the words of its history.
    pub enum Change {
        Confirmed = "confirmed",
        Waiting = "waiting",
        Promoted = "promoted",
        Withdrawn = "withdrawn",
        Present = "present",
        Absent = "absent",
    }
}

/// Somebody's place at an event.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Signup {
    #[sqlx(rename = "signup_id")]
    pub id: SignupId,
    pub event_id: EventId,
    pub person_id: PersonId,
    pub state: SignupState,
    /// The order on the waiting list: lower comes first.
    pub position: i64,
    /// Grows with each change of the place.
    pub revision: i64,
    pub presence: Option<Presence>,
}

/// The person has a place or waits for one already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlreadySignedUp(pub SignupState);

/// Only who waits can be promoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotWaiting;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CannotWithdraw {
    NotSignedUp,
    /// The presence is attested.
    Attested,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CannotMark {
    /// Only who has a place is present or absent.
    NotConfirmed,
    /// The attestation is issued: the presence cannot be taken back.
    Attested,
}

impl Signup {
    /// Back after a withdrawal, at the end of the order.
    pub fn sign_up_again(self, state: SignupState, position: i64) -> Result<Self, AlreadySignedUp> {
        match self.state {
            SignupState::Withdrawn => {
                let revision = self.revision + 1;
                Ok(Self { state, position, revision, presence: None, ..self })
            }
            state => Err(AlreadySignedUp(state)),
        }
    }

    pub fn promote(self) -> Result<Self, NotWaiting> {
        match self.state {
            SignupState::Waiting => {
                let revision = self.revision + 1;
                Ok(Self { state: SignupState::Confirmed, revision, ..self })
            }
            SignupState::Confirmed | SignupState::Withdrawn => Err(NotWaiting),
        }
    }

    pub fn withdraw(self) -> Result<Self, CannotWithdraw> {
        match (self.state, self.presence) {
            (SignupState::Withdrawn, _) => Err(CannotWithdraw::NotSignedUp),
            (_, Some(Presence::Present)) => Err(CannotWithdraw::Attested),
            _ => {
                let revision = self.revision + 1;
                Ok(Self { state: SignupState::Withdrawn, revision, presence: None, ..self })
            }
        }
    }

    /// The place with the presence decided; `None` when it was decided so before.
    pub fn mark(self, presence: Presence) -> Result<Option<Self>, CannotMark> {
        match (self.state, self.presence, presence) {
            (SignupState::Waiting | SignupState::Withdrawn, _, _) => Err(CannotMark::NotConfirmed),
            (_, Some(Presence::Present), Presence::Absent) => Err(CannotMark::Attested),
            (_, Some(before), after) if before == after => Ok(None),
            _ => Ok(Some(Self { presence: Some(presence), ..self })),
        }
    }
}

/// How full an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    pub capacity: Option<i64>,
    pub confirmed: i64,
    pub waiting: i64,
}

impl Room {
    /// What the next one to sign up gets. Nobody overtakes those who wait.
    pub fn next(self) -> SignupState {
        match self.free() {
            Some(free) if free <= self.waiting => SignupState::Waiting,
            _ => SignupState::Confirmed,
        }
    }

    /// How many of those who wait get a place now.
    pub fn promotions(self) -> i64 {
        self.free().map_or(self.waiting, |free| free.min(self.waiting))
    }

    /// `None`: no limit.
    pub fn free(self) -> Option<i64> {
        self.capacity.map(|capacity| (capacity - self.confirmed).max(0))
    }
}

#[derive(Debug, thiserror::Error)]
pub enum SignUpError {
    #[error("no such event in this context")]
    NotFound,
    #[error("the event is cancelled")]
    Cancelled,
    #[error("the event is over")]
    Over,
    #[error("signed up before")]
    Already(SignupState),
    #[error(transparent)]
    Mail(#[from] MailError),
}

impl From<db::Error> for SignUpError {
    fn from(error: db::Error) -> Self {
        Self::Mail(error.into())
    }
}

/// Signs the person up, on the waiting list when the event is full, and tells them.
pub async fn sign_up(
    app: &App,
    tx: &mut Tx,
    context: ContextId,
    id: EventId,
    person: &Person,
) -> Result<Signup, SignUpError> {
    let now = app.clock.now();
    let event = store::lock(tx, id, context).await?.ok_or(SignUpError::NotFound)?;
    if event.state == EventState::Cancelled {
        return Err(SignUpError::Cancelled);
    }
    if Phase::of(&store::dates(tx, id).await?, now) == Phase::Over {
        return Err(SignUpError::Over);
    }
    let state = room(tx, &event).await?.next();
    let signup = if let Some(before) = store::signup(tx, id, person.id).await? {
        let again = before
            .sign_up_again(state, event.turn)
            .map_err(|AlreadySignedUp(state)| SignUpError::Already(state))?;
        store::update_signup(tx, &again, now).await?;
        again
    } else {
        let signup = Signup {
            id: SignupId::new(now),
            event_id: id,
            person_id: person.id,
            state,
            position: event.turn,
            revision: 1,
            presence: None,
        };
        store::insert_signup(tx, &signup, now).await?;
        signup
    };
    let about = about(tx, id).await?;
    let (change, news) = if state == SignupState::Confirmed {
        (Change::Confirmed, News::Confirmed)
    } else {
        (Change::Waiting, News::Waiting { ahead: store::ahead(tx, &signup).await? })
    };
    store::insert_history(tx, signup.id, change, person.id, now).await?;
    mails::tell(app, tx, &about, &signup, person, news).await?;
    Ok(signup)
}

#[derive(Debug, thiserror::Error)]
pub enum WithdrawError {
    #[error("no such event in this context")]
    NotFound,
    #[error("the event is cancelled")]
    Cancelled,
    #[error("the event is over")]
    Over,
    #[error("not signed up")]
    NotSignedUp,
    #[error("the presence is attested")]
    Attested,
    #[error(transparent)]
    Mail(#[from] MailError),
}

impl From<db::Error> for WithdrawError {
    fn from(error: db::Error) -> Self {
        Self::Mail(error.into())
    }
}

/// Gives the person's place back, to the first who waits.
pub async fn withdraw(
    app: &App,
    tx: &mut Tx,
    context: ContextId,
    id: EventId,
    person: &Person,
) -> Result<(), WithdrawError> {
    let now = app.clock.now();
    let event = store::lock(tx, id, context).await?.ok_or(WithdrawError::NotFound)?;
    if event.state == EventState::Cancelled {
        return Err(WithdrawError::Cancelled);
    }
    let before = store::signup(tx, id, person.id).await?.ok_or(WithdrawError::NotSignedUp)?;
    let had = before.state;
    let after = before.withdraw().map_err(|refusal| match refusal {
        CannotWithdraw::NotSignedUp => WithdrawError::NotSignedUp,
        CannotWithdraw::Attested => WithdrawError::Attested,
    })?;
    if Phase::of(&store::dates(tx, id).await?, now) == Phase::Over {
        return Err(WithdrawError::Over);
    }
    store::update_signup(tx, &after, now).await?;
    store::insert_history(tx, after.id, Change::Withdrawn, person.id, now).await?;
    let about = about(tx, id).await?;
    let news = News::Withdrawn { had_place: had == SignupState::Confirmed };
    mails::tell(app, tx, &about, &after, person, news).await?;
    promote(app, tx, &about, person.id).await?;
    Ok(())
}

/// Gives free places to those who wait, first come first served, and tells them. `by` is whose act
/// freed the places. The caller holds the event's lock.
pub(super) async fn promote(
    app: &App,
    tx: &mut Tx,
    about: &About,
    by: PersonId,
) -> Result<(), MailError> {
    let now = app.clock.now();
    let promotions = room(tx, &about.event).await?.promotions();
    for waiting in store::first_waiting(tx, about.event.id, promotions).await? {
        let Ok(promoted) = waiting.promote() else { continue };
        store::update_signup(tx, &promoted, now).await?;
        store::insert_history(tx, promoted.id, Change::Promoted, by, now).await?;
        let person = people::find(tx, promoted.person_id).await?;
        mails::tell(app, tx, about, &promoted, &person, News::Promoted).await?;
    }
    Ok(())
}

async fn room(tx: &mut Tx, event: &Event) -> db::Result<Room> {
    let counts = store::counts(tx, event.id).await?;
    Ok(Room { capacity: event.capacity, confirmed: counts.confirmed, waiting: counts.waiting })
}
