//! The completions' SQL.

use chrono::{DateTime, Utc};

use super::{Completion, NewCompletion, Of};
use crate::db::{self, Tx};
use crate::ids::{CompletionId, EnrolmentId};

/// False when this enrolment or signup is complete already.
pub(super) async fn insert(
    tx: &mut Tx,
    id: CompletionId,
    new: NewCompletion,
    now: DateTime<Utc>,
) -> db::Result<bool> {
    let (enrolment, signup) = match new.of {
        Of::Enrolment(enrolment) => (Some(enrolment), None),
        Of::Signup(signup) => (None, Some(signup)),
    };
    let rows = tx
        .query(
            "INSERT INTO completions (id, tenant_id, person_id, enrolment_id, signup_id, rule,
                 facts, at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
        )
        .bind(id)
        .bind(new.tenant)
        .bind(new.person)
        .bind(enrolment)
        .bind(signup)
        .bind(new.rule)
        .bind(new.facts)
        .bind(now)
        .execute()
        .await?;
    Ok(rows == 1)
}

/// The enrolment's completion, if it is complete.
pub async fn of_enrolment(tx: &mut Tx, enrolment: EnrolmentId) -> db::Result<Option<Completion>> {
    tx.query("SELECT id, rule, at FROM completions WHERE enrolment_id = $1")
        .bind(enrolment)
        .optional()
        .await
}
