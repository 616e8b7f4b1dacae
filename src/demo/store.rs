//! The demo's SQL.

use chrono::{DateTime, Utc};

use crate::db::{self, Tx};

/// How many jobs are running or could run now. Those that wait for a later hour do not count.
pub(super) async fn due_jobs(tx: &mut Tx, now: DateTime<Utc>) -> db::Result<i64> {
    let (count,): (i64,) = tx
        .query("SELECT COUNT(*) FROM jobs WHERE state = 'queued' AND run_at <= $1")
        .bind(now)
        .one()
        .await?;
    Ok(count)
}
