//! The job queue's SQL.

use chrono::{DateTime, TimeDelta, Utc};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Failure, Job};
use crate::db::{self, Tx};
use crate::ids::JobId;

/// A job and the lease on it.
#[derive(Debug, sqlx::FromRow)]
pub struct Claimed {
    pub id: JobId,
    pub kind: String,
    pub payload: Value,
    /// 1 on the first run.
    pub attempt: i64,
}

impl Claimed {
    /// The payload as the job it was.
    pub fn read<J: Job>(self) -> Result<J, Failure> {
        fn parse<T: DeserializeOwned>(payload: Value) -> Result<T, Failure> {
            // A newer release may have written it: its own processes will understand.
            serde_json::from_value(payload).map_err(|error| Failure::Retry {
                after: TimeDelta::minutes(10),
                reason: error.to_string(),
            })
        }
        parse(self.payload)
    }
}

pub(super) async fn insert(
    tx: &mut Tx,
    id: JobId,
    kind: &str,
    payload: Value,
    key: Option<String>,
    run_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> db::Result<()> {
    tx.query(
        "INSERT INTO jobs (id, kind, payload, key, state, attempt, run_at, created_at)
         VALUES ($1, $2, $3, $4, 'queued', 0, $5, $6) ON CONFLICT (key) DO NOTHING",
    )
    .bind(id)
    .bind(kind.to_owned())
    .bind(payload)
    .bind(key)
    .bind(run_at)
    .bind(now)
    .execute()
    .await?;
    Ok(())
}

/// The oldest due job that nobody holds. "None" does not mean that the queue is empty.
pub(super) async fn claim(
    tx: &mut Tx,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> db::Result<Option<Claimed>> {
    tx.query_pair(
        "UPDATE jobs SET locked_until = $1, attempt = attempt + 1 WHERE id = (
             SELECT id FROM jobs
             WHERE state = 'queued' AND run_at <= $2 AND (locked_until IS NULL OR locked_until <= $2)
             ORDER BY run_at LIMIT 1)
         RETURNING id, kind, payload, attempt",
        "UPDATE jobs SET locked_until = $1, attempt = attempt + 1 WHERE id = (
             SELECT id FROM jobs
             WHERE state = 'queued' AND run_at <= $2 AND (locked_until IS NULL OR locked_until <= $2)
             ORDER BY run_at LIMIT 1 FOR UPDATE SKIP LOCKED)
         RETURNING id, kind, payload, attempt",
    )
    .bind(until)
    .bind(now)
    .optional()
    .await
}

// The three ends of a run name the attempt: whoever lost the lease changes nothing.

pub(super) async fn finish(
    tx: &mut Tx,
    id: JobId,
    attempt: i64,
    now: DateTime<Utc>,
) -> db::Result<()> {
    tx.query(
        "UPDATE jobs SET state = 'done', finished_at = $3, locked_until = NULL, last_error = NULL
         WHERE id = $1 AND attempt = $2",
    )
    .bind(id)
    .bind(attempt)
    .bind(now)
    .execute()
    .await?;
    Ok(())
}

pub(super) async fn retry(
    tx: &mut Tx,
    id: JobId,
    attempt: i64,
    run_at: DateTime<Utc>,
    reason: &str,
) -> db::Result<()> {
    tx.query(
        "UPDATE jobs SET run_at = $3, last_error = $4, locked_until = NULL
         WHERE id = $1 AND attempt = $2",
    )
    .bind(id)
    .bind(attempt)
    .bind(run_at)
    .bind(reason.to_owned())
    .execute()
    .await?;
    Ok(())
}

pub(super) async fn fail(
    tx: &mut Tx,
    id: JobId,
    attempt: i64,
    reason: &str,
    now: DateTime<Utc>,
) -> db::Result<()> {
    tx.query(
        "UPDATE jobs SET state = 'failed', finished_at = $4, last_error = $3, locked_until = NULL
         WHERE id = $1 AND attempt = $2",
    )
    .bind(id)
    .bind(attempt)
    .bind(reason.to_owned())
    .bind(now)
    .execute()
    .await?;
    Ok(())
}

/// How many jobs are in each state, for `doctor` and the walkthrough.
pub async fn counts(tx: &mut Tx) -> db::Result<Vec<(String, i64)>> {
    tx.query("SELECT state, COUNT(*) FROM jobs GROUP BY state ORDER BY state").all().await
}

/// Jobs of one kind that are not done.
#[derive(Debug, sqlx::FromRow)]
pub struct Waiting {
    pub kind: String,
    /// `queued` or `failed`
    pub state: String,
    pub jobs: i64,
}

/// What is not done, by kind and state.
pub async fn waiting(tx: &mut Tx) -> db::Result<Vec<Waiting>> {
    tx.query(
        "SELECT kind, state, COUNT(*) AS jobs FROM jobs WHERE state IN ('queued', 'failed')
         GROUP BY kind, state ORDER BY kind, state",
    )
    .all()
    .await
}

/// Since when the oldest job that is due waits; `None` when none is.
pub async fn oldest_due(tx: &mut Tx, now: DateTime<Utc>) -> db::Result<Option<DateTime<Utc>>> {
    let oldest: Option<(DateTime<Utc>,)> = tx
        .query(
            "SELECT run_at FROM jobs
             WHERE state = 'queued' AND run_at <= $1
                 AND (locked_until IS NULL OR locked_until <= $1)
             ORDER BY run_at LIMIT 1",
        )
        .bind(now)
        .optional()
        .await?;
    Ok(oldest.map(|(run_at,)| run_at))
}

/// Removes jobs that were done before an instant; failed ones stay for people to see.
pub async fn clean(tx: &mut Tx, done_before: DateTime<Utc>) -> db::Result<()> {
    tx.query("DELETE FROM jobs WHERE state = 'done' AND finished_at < $1")
        .bind(done_before)
        .execute()
        .await?;
    Ok(())
}
