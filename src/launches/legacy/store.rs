//! The hand-over tickets' SQL.

use chrono::{DateTime, Utc};

use crate::db::{self, Tx};
use crate::ids::{LaunchId, SignInSessionId, Token};

pub(super) async fn insert_ticket(
    tx: &mut Tx,
    ticket_hash: String,
    launch: LaunchId,
    expires_at: DateTime<Utc>,
) -> db::Result<()> {
    tx.query("INSERT INTO launch_tickets (ticket_hash, launch_id, expires_at) VALUES ($1, $2, $3)")
        .bind(ticket_hash)
        .bind(launch)
        .bind(expires_at)
        .execute()
        .await?;
    Ok(())
}

/// The launch a ticket stands for, while it does.
pub(super) async fn launch_of(
    tx: &mut Tx,
    ticket: &Token,
    now: DateTime<Utc>,
) -> db::Result<Option<LaunchId>> {
    let row: Option<(LaunchId,)> = tx
        .query("SELECT launch_id FROM launch_tickets WHERE ticket_hash = $1 AND expires_at > $2")
        .bind(ticket.hash())
        .bind(now)
        .optional()
        .await?;
    Ok(row.map(|(id,)| id))
}

/// Spends the ticket, once.
pub(super) async fn spend(
    tx: &mut Tx,
    ticket: &Token,
    now: DateTime<Utc>,
) -> db::Result<Option<LaunchId>> {
    let row: Option<(LaunchId,)> = tx
        .query(
            "DELETE FROM launch_tickets WHERE ticket_hash = $1 AND expires_at > $2
             RETURNING launch_id",
        )
        .bind(ticket.hash())
        .bind(now)
        .optional()
        .await?;
    Ok(row.map(|(id,)| id))
}

/// The launch is another browser's from now on, and the one's before no longer.
pub(super) async fn hand_over(
    tx: &mut Tx,
    launch: LaunchId,
    session: SignInSessionId,
) -> db::Result<()> {
    tx.query("UPDATE launches SET sign_in_session_id = $2 WHERE id = $1")
        .bind(launch)
        .bind(session)
        .execute()
        .await?;
    Ok(())
}

/// Removes tickets that nobody used in time.
pub async fn clean_tickets(tx: &mut Tx, now: DateTime<Utc>) -> db::Result<()> {
    tx.query("DELETE FROM launch_tickets WHERE expires_at < $1").bind(now).execute().await?;
    Ok(())
}
