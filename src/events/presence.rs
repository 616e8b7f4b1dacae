//! Presence: what the trainer saw, and the attestation that follows from it.

use std::collections::BTreeMap;

use serde_json::json;

use super::places::{CannotMark, Change};
use super::{
    Event, EventDate, EventState, Participant, Phase, Presence, Signup, store, total_minutes,
};
use crate::app::App;
use crate::completions::{self, NewCompletion, Of};
use crate::credentials::{self, Facts, Held, Kind};
use crate::db::{self, Tx};
use crate::ids::{ContextId, EventId, SignupId};
use crate::people::Person;
use crate::tenants::{self, Tenant};

/// What the trainer decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decisions {
    /// Everyone who has a place was there.
    AllPresent,
    /// Person by person; who is not named stays undecided.
    Each(BTreeMap<SignupId, Presence>),
}

impl Decisions {
    fn of(&self, signup: &Signup) -> Option<Presence> {
        match self {
            Self::AllPresent => Some(Presence::Present),
            Self::Each(decisions) => decisions.get(&signup.id).copied(),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum MarkError {
    #[error("no such event in this context")]
    NotFound,
    #[error("the event is cancelled")]
    Cancelled,
    #[error("the event has not begun")]
    TooEarly,
    #[error("a place named by the form is not one of this event")]
    UnknownSignup,
    /// Their attestations are issued: the names, as the trainer knows them.
    #[error("{} attestations are issued already", .0.len())]
    Attested(Vec<Option<String>>),
    #[error(transparent)]
    Database(#[from] db::Error),
}

/// Records who was present and issues their attestations; all of it or nothing. Returns how many
/// attestations are new.
pub async fn mark(
    app: &App,
    tx: &mut Tx,
    context: ContextId,
    id: EventId,
    trainer: &Person,
    decisions: &Decisions,
) -> Result<usize, MarkError> {
    let now = app.clock.now();
    let event = store::lock(tx, id, context).await?.ok_or(MarkError::NotFound)?;
    if event.state == EventState::Cancelled {
        return Err(MarkError::Cancelled);
    }
    let dates = store::dates(tx, id).await?;
    if Phase::of(&dates, now) == Phase::Ahead {
        return Err(MarkError::TooEarly);
    }
    let tenant = tenants::find(tx, event.tenant_id).await?;
    let mut issued = 0;
    for (signup, person) in to_mark(store::participants(tx, id).await?, decisions)? {
        let present = signup.presence == Some(Presence::Present);
        store::set_presence(tx, &signup, trainer.id, now).await?;
        let change = if present { Change::Present } else { Change::Absent };
        store::insert_history(tx, signup.id, change, trainer.id, now).await?;
        if present {
            let facts = facts(&event, &dates, &tenant, &person, trainer);
            issued += usize::from(attest(tx, &signup, &person, &tenant, facts, now).await?);
        }
    }
    Ok(issued)
}

/// The places whose presence changes. Refused as a whole when one of them cannot change.
fn to_mark(
    participants: Vec<Participant>,
    decisions: &Decisions,
) -> Result<Vec<(Signup, Person)>, MarkError> {
    if let Decisions::Each(decisions) = decisions {
        let known = |id: &SignupId| participants.iter().any(|one| one.signup.id == *id);
        if !decisions.keys().all(known) {
            return Err(MarkError::UnknownSignup);
        }
    }
    let (mut marked, mut attested) = (Vec::new(), Vec::new());
    for Participant { signup, person } in participants {
        let Some(presence) = decisions.of(&signup) else { continue };
        match signup.mark(presence) {
            Ok(Some(signup)) => marked.push((signup, person)),
            // Unchanged; or withdrawn since the form was opened, which the next page shows.
            Ok(None) | Err(CannotMark::NotConfirmed) => {}
            Err(CannotMark::Attested) => attested.push(person.name()),
        }
    }
    if attested.is_empty() { Ok(marked) } else { Err(MarkError::Attested(attested)) }
}

/// What the attestation says.
fn facts(
    event: &Event,
    dates: &[EventDate],
    tenant: &Tenant,
    person: &Person,
    trainer: &Person,
) -> Facts {
    let minutes = total_minutes(dates);
    Facts {
        holder: person.name(),
        title: event.title.clone(),
        minutes,
        foreseen_minutes: Some(minutes),
        from: dates.iter().map(|date| date.starts_at).min().unwrap_or_default(),
        until: dates.iter().map(|date| date.ends_at).max().unwrap_or_default(),
        dates: dates
            .iter()
            .map(|date| Held { from: date.starts_at, until: date.ends_at })
            .collect(),
        score: None,
        issuer: tenant.name.clone(),
        signatory_name: tenant.signatory_name.clone(),
        signatory_title: tenant.signatory_title.clone(),
        time_zone: event.zone().name().to_owned(),
        remote: true,
        place: None,
        trainer: trainer.name(),
    }
}

/// False when it was attested before.
async fn attest(
    tx: &mut Tx,
    signup: &Signup,
    person: &Person,
    tenant: &Tenant,
    facts: Facts,
    now: chrono::DateTime<chrono::Utc>,
) -> db::Result<bool> {
    let completion = NewCompletion {
        tenant: tenant.id,
        person: person.id,
        of: Of::Signup(signup.id),
        rule: "presence confirmed by the trainer",
        facts: json!({
            "title": facts.title,
            "minutes": facts.minutes,
            "from": facts.from,
            "until": facts.until,
            "confirmed_by": facts.trainer,
        }),
    };
    let Some(completion) = completions::record(tx, completion, now).await? else {
        return Ok(false);
    };
    let (kind, lang) = (Kind::Attestation, person.locale);
    credentials::award(tx, completion, kind, tenant, person, lang, facts, now).await?;
    Ok(true)
}
