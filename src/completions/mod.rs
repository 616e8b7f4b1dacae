//! Completions: the recorded decision that somebody finished a course or an event, with the rule
//! that decided and the facts it saw.

mod store;

use chrono::{DateTime, Utc};

use crate::db::{self, Tx};
use crate::ids::{CompletionId, EnrolmentId, PersonId, SignupId, TenantId};

pub use store::of_enrolment;

/// What was finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    Enrolment(EnrolmentId),
    Signup(SignupId),
}

/// A decision to record.
#[derive(Clone, Debug)]
pub struct NewCompletion {
    pub tenant: TenantId,
    pub person: PersonId,
    pub of: Of,
    /// The name of the rule that decided: `package-completed`, `presence`.
    pub rule: &'static str,
    /// What the rule saw: a JSON object.
    pub facts: serde_json::Value,
}

/// A recorded decision.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Completion {
    pub id: CompletionId,
    pub rule: String,
    pub at: DateTime<Utc>,
}

/// Records the decision. `None` when it was recorded before: nothing is awarded twice.
pub async fn record(
    tx: &mut Tx,
    new: NewCompletion,
    now: DateTime<Utc>,
) -> db::Result<Option<CompletionId>> {
    let id = CompletionId::new(now);
    Ok(store::insert(tx, id, new, now).await?.then_some(id))
}
