//! Durable background work.
//!
//! A job is a row, written in the transaction of the change it follows. Whoever claims it holds a
//! lease; a killed process loses nothing, its lease runs out and another takes over.

mod store;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::db::{self, Db, Tx};
use crate::ids::JobId;

pub use store::{Claimed, Waiting, clean, counts, oldest_due, waiting};

/// How long a claim holds. A job that may run longer renews nothing: it must be safe to run twice.
const LEASE: TimeDelta = TimeDelta::minutes(5);
/// How long an idle worker waits before it looks again.
const IDLE: Duration = Duration::from_secs(2);

/// A kind of work, with what it needs to know.
pub trait Job: Serialize + DeserializeOwned + Send {
    /// The name it is stored under; never changed once released.
    const KIND: &'static str;
}

/// How a run ended, when it did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Try again after this long.
    #[error("{reason}")]
    Retry { after: TimeDelta, reason: String },
    /// Trying again is pointless; the row stays for people to see.
    #[error("{0}")]
    Final(String),
}

impl Failure {
    /// Try again, waiting longer each time: 5 s, 10 s, 20 s … up to 6 hours.
    pub fn backoff(attempt: i64, reason: impl ToString) -> Self {
        let exponent = u32::try_from((attempt - 1).clamp(0, 12)).unwrap_or_default();
        let after = TimeDelta::seconds(5 << exponent).min(TimeDelta::hours(6));
        Self::Retry { after, reason: reason.to_string() }
    }
}

/// Enqueues `job` to run from `run_at`. A `key` that was used before makes it a no-op.
pub async fn enqueue<J: Job>(
    tx: &mut Tx,
    job: &J,
    run_at: DateTime<Utc>,
    now: DateTime<Utc>,
    key: Option<String>,
) -> db::Result<()> {
    let payload = serde_json::to_value(job).map_err(|error| db::Error::Encode(error.into()))?;
    store::insert(tx, JobId::new(now), J::KIND, payload, key, run_at, now).await
}

/// Runs one claimed job: the service matches kinds to nouns, this folder knows none.
pub trait Runner: Clone + Send + Sync + 'static {
    fn run(&self, job: Claimed) -> impl Future<Output = Result<(), Failure>> + Send;

    /// How a run of this kind ended, for whoever counts.
    fn ended(&self, _kind: &str, _outcome: &Result<(), Failure>) {}
}

/// Claims and runs jobs until `stop`; then lets the running ones finish.
pub async fn work<R: Runner>(
    db: Db,
    clock: Clock,
    wake: Arc<Notify>,
    workers: usize,
    runner: R,
    stop: CancellationToken,
) {
    let tasks = (0..workers.max(1)).map(|_| {
        let (db, clock, wake) = (db.clone(), clock.clone(), wake.clone());
        let (runner, stop) = (runner.clone(), stop.clone());
        tokio::spawn(async move {
            while !stop.is_cancelled() {
                match run_next(&db, &clock, &runner).await {
                    Ok(true) => {}
                    Ok(false) => idle(&wake, &stop).await,
                    Err(error) => {
                        tracing::warn!(%error, "the job queue cannot be read");
                        idle(&wake, &stop).await;
                    }
                }
            }
        })
    });
    futures::future::join_all(tasks).await;
}

async fn idle(wake: &Notify, stop: &CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = wake.notified() => {}
        () = tokio::time::sleep(IDLE) => {}
    }
}

/// Runs the next due job, if there is one.
pub async fn run_next<R: Runner>(db: &Db, clock: &Clock, runner: &R) -> db::Result<bool> {
    let now = clock.now();
    let mut tx = db.write().await?;
    let claimed = store::claim(&mut tx, now, now + LEASE).await?;
    tx.commit().await?;
    let Some(job) = claimed else { return Ok(false) };

    let (id, kind, attempt) = (job.id, job.kind.clone(), job.attempt);
    // In a task of its own, so that a panic is a failed run and not a dead worker.
    let running = runner.clone();
    let outcome = tokio::spawn(async move { running.run(job).await }).await.unwrap_or_else(|_| {
        Err(Failure::backoff(attempt, "the job panicked; the log has the place"))
    });
    runner.ended(&kind, &outcome);
    let now = clock.now();
    let mut tx = db.write().await?;
    match outcome {
        Ok(()) => store::finish(&mut tx, id, attempt, now).await?,
        Err(Failure::Retry { after, reason }) => {
            // The reason stays in the row: a mail server's words may quote an address.
            tracing::info!(job = %id, kind, attempt, "a job will be tried again");
            store::retry(&mut tx, id, attempt, now + after, &reason).await?;
        }
        Err(Failure::Final(reason)) => {
            tracing::warn!(job = %id, kind, attempt, "a job failed for good; its row says why");
            store::fail(&mut tx, id, attempt, &reason, now).await?;
        }
    }
    tx.commit().await?;
    Ok(true)
}
