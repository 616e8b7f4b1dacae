//! Two identities of one human: their places become one person's.

use std::cmp::Reverse;

use super::mails::MailError;
use super::places::{self, Change};
use super::{EventState, Phase, Presence, Signup, SignupState, about, store};
use crate::app::App;
use crate::db::Tx;
use crate::ids::PersonId;

/// What became of the places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JoinedSignups {
    /// Those of the person that is given up, which the survivor has now.
    pub moved: i64,
    /// Events that both had signed up for.
    pub both: i64,
}

/// Gives the survivor the other's places. Where both have one the better is kept; the lesser goes
/// back by the event's own rules, so that the next in line gets it. `parking` holds a place while
/// two change hands: nobody has two at one event.
pub async fn join(
    app: &App,
    tx: &mut Tx,
    survivor: PersonId,
    other: PersonId,
    parking: PersonId,
) -> Result<JoinedSignups, MailError> {
    let mut joined = JoinedSignups::default();
    // In the order of the events, so that two joins never wait for one another.
    for theirs in store::signups_of_person(tx, other).await? {
        joined.moved += 1;
        let event = store::hold(tx, theirs.event_id).await?;
        // Read again behind the event's lock: it may have been promoted since.
        let Some(theirs) = store::signup(tx, event.id, other).await? else { continue };
        let Some(own) = store::signup(tx, event.id, survivor).await? else {
            store::give_signup(tx, theirs.id, survivor).await?;
            continue;
        };
        joined.both += 1;
        let lesser = if rank(&theirs) > rank(&own) {
            store::give_signup(tx, own.id, parking).await?;
            store::give_signup(tx, theirs.id, survivor).await?;
            store::give_signup(tx, own.id, other).await?;
            own
        } else {
            theirs
        };
        give_back(app, tx, lesser, survivor).await?;
    }
    Ok(joined)
}

/// A better place compares greater: attested, then confirmed, then waiting; the earlier of equals.
fn rank(signup: &Signup) -> (bool, u8, Reverse<i64>) {
    let state = match signup.state {
        SignupState::Confirmed => 2,
        SignupState::Waiting => 1,
        SignupState::Withdrawn => 0,
    };
    (signup.presence == Some(Presence::Present), state, Reverse(signup.position))
}

/// The place goes to the first who waits. What is attested, or was given back, stays as it is.
async fn give_back(app: &App, tx: &mut Tx, signup: Signup, by: PersonId) -> Result<(), MailError> {
    let (now, event) = (app.clock.now(), signup.event_id);
    let Ok(withdrawn) = signup.withdraw() else { return Ok(()) };
    store::update_signup(tx, &withdrawn, now).await?;
    store::insert_history(tx, withdrawn.id, Change::Withdrawn, by, now).await?;
    let about = about(tx, event).await?;
    let open =
        about.event.state == EventState::Scheduled && Phase::of(&about.dates, now) != Phase::Over;
    if open {
        places::promote(app, tx, &about, by).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{EventId, SignupId};

    fn signup(state: SignupState, presence: Option<Presence>, position: i64) -> Signup {
        let id = uuid::Uuid::nil();
        Signup {
            id: SignupId::from(id),
            event_id: EventId::from(id),
            person_id: PersonId::from(id),
            state,
            position,
            revision: 1,
            presence,
        }
    }

    #[test]
    fn the_better_place_is_kept() {
        let order = [
            signup(SignupState::Withdrawn, None, 1),
            signup(SignupState::Waiting, None, 9),
            signup(SignupState::Waiting, None, 3),
            signup(SignupState::Confirmed, Some(Presence::Absent), 8),
            signup(SignupState::Confirmed, None, 2),
            signup(SignupState::Confirmed, Some(Presence::Present), 9),
        ];
        assert!(order.windows(2).all(|pair| rank(&pair[0]) < rank(&pair[1])));
    }
}
