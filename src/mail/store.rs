//! The outbox's SQL.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{Draft, MessageState};
use crate::db::{self, Tx};
use crate::ids::{MessageId, PersonId};

/// False when this mail is in the outbox already.
pub(super) async fn insert(
    tx: &mut Tx,
    id: MessageId,
    draft: Draft,
    now: DateTime<Utc>,
) -> db::Result<bool> {
    let attachments = serde_json::to_value(&draft.attachments)
        .map_err(|error| db::Error::Encode(error.into()))?;
    let rows = tx
        .query(
            "INSERT INTO messages (id, tenant_id, kind, subject_id, revision, person_id, recipient,
                 sender_name, sender_address, subject, body_text, body_html, attachments,
                 repeat_unknown, state, unknowns, attempt, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,
                 'queued', 0, 0, $15, $15)
             ON CONFLICT (kind, subject_id, revision, recipient) DO NOTHING",
        )
        .bind(id)
        .bind(draft.tenant)
        .bind(draft.kind)
        .bind(draft.subject_id)
        .bind(draft.revision)
        .bind(draft.person)
        .bind(draft.recipient)
        .bind(draft.sender.name)
        .bind(draft.sender.address)
        .bind(draft.body.subject)
        .bind(draft.body.text)
        .bind(draft.body.html)
        .bind(attachments)
        .bind(draft.repeat_unknown)
        .bind(now)
        .execute()
        .await?;
    Ok(rows == 1)
}

#[derive(Debug, sqlx::FromRow)]
pub(super) struct Stored {
    pub(super) id: MessageId,
    pub(super) recipient: String,
    pub(super) sender_name: String,
    pub(super) sender_address: String,
    pub(super) subject: String,
    pub(super) body_text: String,
    pub(super) body_html: String,
    pub(super) attachments: Value,
    pub(super) repeat_unknown: bool,
    pub(super) state: MessageState,
    pub(super) unknowns: i64,
    pub(super) attempt: i64,
    pub(super) created_at: DateTime<Utc>,
}

pub(super) async fn find(tx: &mut Tx, id: MessageId) -> db::Result<Option<Stored>> {
    tx.query(
        "SELECT id, recipient, sender_name, sender_address, subject, body_text, body_html,
             attachments, repeat_unknown, state, unknowns, attempt, created_at
         FROM messages WHERE id = $1",
    )
    .bind(id)
    .optional()
    .await
}

/// Written before the server is called: a process that dies from here on leaves this behind.
pub(super) async fn mark_sending(
    tx: &mut Tx,
    id: MessageId,
    unknowns: i64,
    now: DateTime<Utc>,
) -> db::Result<()> {
    tx.query(
        "UPDATE messages SET state = 'sending', unknowns = $2, attempt = attempt + 1, updated_at = $3
         WHERE id = $1",
    )
    .bind(id)
    .bind(unknowns)
    .bind(now)
    .execute()
    .await?;
    Ok(())
}

pub(super) async fn settle(
    tx: &mut Tx,
    id: MessageId,
    state: MessageState,
    unknowns: i64,
    answer: &str,
    attempt: i64,
    now: DateTime<Utc>,
) -> db::Result<()> {
    // Whoever lost the message to a later try changes nothing.
    tx.query(
        "UPDATE messages SET state = $2, unknowns = $3, last_answer = $4, updated_at = $5
         WHERE id = $1 AND attempt = $6",
    )
    .bind(id)
    .bind(state)
    .bind(unknowns)
    .bind(answer.to_owned())
    .bind(now)
    .bind(attempt)
    .execute()
    .await?;
    Ok(())
}

/// How many mails are in each state but `accepted`, of which there are as many as were ever sent.
pub async fn unsettled(tx: &mut Tx) -> db::Result<Vec<(MessageState, i64)>> {
    tx.query(
        "SELECT state, COUNT(*) FROM messages
         WHERE state IN ('queued', 'sending', 'unknown', 'failed') GROUP BY state ORDER BY state",
    )
    .all()
    .await
}

/// What people see of their mails: which, and how far it is.
#[derive(Debug, sqlx::FromRow)]
pub struct Summary {
    pub kind: String,
    pub state: MessageState,
    pub updated_at: DateTime<Utc>,
}

pub async fn of_person(tx: &mut Tx, person: PersonId) -> db::Result<Vec<Summary>> {
    tx.query(
        "SELECT kind, state, updated_at FROM messages WHERE person_id = $1 ORDER BY created_at, id",
    )
    .bind(person)
    .all()
    .await
}
