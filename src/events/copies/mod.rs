//! Copied courses: an event that a link names from a context the event does not belong to.
//!
//! The link's item id proves that its course was made from the event's, or that the same tenant
//! put the event on another platform. Whether the people of both make one list only a trainer
//! knows, who is asked once; until then nobody sees anything of the other course.

pub mod pages;
pub(in crate::events) mod store;

use chrono::{DateTime, Utc};

use super::{Event, EventDate, NewEvent, store as events};
use crate::db::{self, Tx};
use crate::ids::{ContextId, EventId, PersonId, RegistrationId, TenantId};
use crate::visits;

pub use store::{Sharing, sharing};

/// A history longer than this tells nothing more.
const ANCESTORS: usize = 30;
/// The longest identifier that a platform gives a context (LTI Core 1.3, 5.4.1).
const LONGEST: usize = 255;

/// The context identifiers of `$Context.id.history`, the latest first as platforms write them.
/// A platform that does not know the variable leaves its name.
pub fn lms_ids(history: &str) -> Vec<String> {
    history
        .split(',')
        .map(str::trim)
        .filter(|id| !id.is_empty() && !id.starts_with('$') && id.len() <= LONGEST)
        .take(ANCESTORS)
        .map(str::to_owned)
        .collect()
}

/// The event that a link of `context` opens when it names `named`: what a trainer decided here,
/// else what was decided in the course this one was copied from.
pub async fn resolve(
    tx: &mut Tx,
    registration: RegistrationId,
    context: ContextId,
    named: EventId,
    history: &[String],
) -> db::Result<EventId> {
    if let Some(opens) = store::copy_of(tx, context, named).await? {
        return Ok(opens);
    }
    if events::is_of_context(tx, named, context).await? {
        return Ok(named);
    }
    for ancestor in visits::contexts_of_lms(tx, registration, history).await? {
        if let Some(opens) = store::copy_of(tx, ancestor, named).await? {
            return Ok(opens);
        }
        if events::is_of_context(tx, named, ancestor).await? {
            break;
        }
    }
    Ok(named)
}

/// How a context stands to an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its people come to the event: it is its own, or shared with it.
    Ours,
    /// Its trainer decided for a list of its own: that event's.
    Opens(EventId),
    /// Its links name the event, and nobody has decided yet.
    Undecided,
}

/// How the context stands to the event; `None` when there is nothing to see from there. `named`
/// says whether the launch itself names the event: an address alone proves nothing.
pub async fn standing(
    tx: &mut Tx,
    tenant: TenantId,
    context: ContextId,
    event: EventId,
    named: bool,
) -> db::Result<Option<Standing>> {
    if !events::is_of_tenant(tx, event, tenant).await? {
        return Ok(None);
    }
    if events::is_of_context(tx, event, context).await? {
        return Ok(Some(Standing::Ours));
    }
    if let Some(opens) = store::copy_of(tx, context, event).await? {
        return Ok(Some(Standing::Opens(opens)));
    }
    Ok(named.then_some(Standing::Undecided))
}

/// The event that a trainer decides about, with its dates; no more than that is theirs to see.
pub(super) async fn in_question(
    tx: &mut Tx,
    event: EventId,
) -> db::Result<Option<(Event, Vec<EventDate>)>> {
    let Some(found) = events::find(tx, event).await? else { return Ok(None) };
    let dates = events::dates(tx, event).await?;
    Ok(Some((found, dates)))
}

/// Whose decision it is, and about what.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    pub tenant: TenantId,
    pub context: ContextId,
    pub event: EventId,
    pub by: PersonId,
}

#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    #[error("no such event in this tenant")]
    NotFound,
    /// The event that the context's links open since.
    #[error("it was decided before")]
    Before(EventId),
    #[error(transparent)]
    Database(#[from] db::Error),
}

/// Same list: the event is this context's too.
pub async fn share(tx: &mut Tx, question: Question, now: DateTime<Utc>) -> Result<(), DecideError> {
    begin(tx, question).await?;
    events::insert_context(tx, question.event, question.context, question.by, now).await?;
    follow(tx, question, question.event, now).await?;
    Ok(())
}

/// A new list: an event of this context's own, which its links open from now on.
pub async fn renew(
    tx: &mut Tx,
    question: Question,
    new: NewEvent,
    now: DateTime<Utc>,
) -> Result<EventId, DecideError> {
    begin(tx, question).await?;
    let Question { tenant, context, event, by } = question;
    let copy = super::create(tx, tenant, context, by, new, now).await?;
    store::insert_copy(tx, context, event, copy, by, now).await?;
    visits::repoint_links(tx, context, event, copy).await?;
    follow(tx, question, copy, now).await?;
    Ok(copy)
}

/// Two trainers who decide at once decide one after the other; the second is told what the first
/// decided.
async fn begin(tx: &mut Tx, question: Question) -> Result<(), DecideError> {
    let Question { tenant, context, event, .. } = question;
    visits::hold_context(tx, context).await?;
    match standing(tx, tenant, context, event, true).await? {
        None => Err(DecideError::NotFound),
        Some(Standing::Ours) => Err(DecideError::Before(event)),
        Some(Standing::Opens(other)) => Err(DecideError::Before(other)),
        Some(Standing::Undecided) => Ok(()),
    }
}

/// A copy of a copy: the links still name the first event, and the decision is about them too.
async fn follow(
    tx: &mut Tx,
    question: Question,
    opens: EventId,
    now: DateTime<Utc>,
) -> db::Result<()> {
    let Question { context, event, by, .. } = question;
    for origin in store::origins(tx, event).await? {
        if !events::is_of_context(tx, origin, context).await? {
            store::insert_copy(tx, context, origin, opens, by, now).await?;
            visits::repoint_links(tx, context, origin, opens).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_is_read_as_platforms_write_it() {
        assert_eq!(lms_ids("12, 7,3"), ["12", "7", "3"]);
        for unknown in ["", " ", "$Context.id.history", ",,"] {
            assert_eq!(lms_ids(unknown), [""; 0], "{unknown:?}");
        }
        assert_eq!(lms_ids(&"9,".repeat(5000)).len(), ANCESTORS);
        assert_eq!(lms_ids(&"9".repeat(5000)), [""; 0]);
    }
}
