//! Grouped writes: many units of work, one fsync.
//!
//! SQLite syncs its log once a transaction. Runtime commits and launches arrive by the hundred, so
//! their units of work run one after the other inside one transaction, each in a savepoint of its
//! own, and every caller is answered after the commit. What was answered is durable. PostgreSQL
//! groups commits by itself: there each unit of work is its own transaction.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};

use super::{Db, Error, Result, Tx};
use crate::metrics::Metrics;

/// At most this many units of work share a transaction: bounds what waits for the fsync.
const GROUP: usize = 128;
/// At most this many units of work wait; more callers wait for a place.
const QUEUE: usize = 1024;

/// Runs units of work in groups. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Batch {
    db: Db,
    queue: Option<mpsc::Sender<Box<dyn Unit>>>,
}

/// A unit of work: what runs inside the shared transaction.
pub type Grouped<'tx, T, E> = BoxFuture<'tx, Result<T, E>>;

impl Batch {
    /// Starts the task that runs the groups; it ends when the last handle is dropped.
    pub fn start(db: &Db, metrics: Metrics) -> Self {
        let queue = match db {
            Db::Postgres(_) => None,
            Db::Sqlite { .. } => {
                let (sender, receiver) = mpsc::channel(QUEUE);
                tokio::spawn(run_groups(db.clone(), receiver, metrics));
                Some(sender)
            }
        };
        Self { db: db.clone(), queue }
    }

    /// Runs `work` and answers once it is durable. An error rolls this unit of work back and no other.
    pub async fn run<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: for<'tx> FnOnce(&'tx mut Tx) -> Grouped<'tx, T, E> + Send + 'static,
    {
        let Some(queue) = &self.queue else {
            let mut tx = self.db.write().await?;
            let value = work(&mut tx).await?;
            tx.commit().await?;
            return Ok(value);
        };
        let (answer, answered) = oneshot::channel();
        let unit = Pending { work: Some(work), outcome: None, answer };
        queue.send(Box::new(unit)).await.map_err(|_| Error::WorkerCrashed)?;
        answered.await.map_err(|_| Error::WorkerCrashed)?
    }
}

async fn run_groups(db: Db, mut queue: mpsc::Receiver<Box<dyn Unit>>, metrics: Metrics) {
    let mut group = Vec::with_capacity(GROUP);
    while queue.recv_many(&mut group, GROUP).await > 0 {
        let failure = run_group(&db, &mut group, &metrics).await.err();
        if let Some(error) = &failure {
            tracing::error!(%error, units = group.len(), "a group of writes failed");
        }
        for unit in group.drain(..) {
            unit.answer(failure.is_none());
        }
    }
}

async fn run_group(db: &Db, group: &mut [Box<dyn Unit>], metrics: &Metrics) -> Result<()> {
    let mut tx = db.write().await?;
    if let [only] = group {
        // Nobody else's work is in the transaction: it is its own savepoint.
        if !only.run(&mut tx).await {
            return tx.rollback().await;
        }
    } else {
        for unit in group.iter_mut() {
            tx.query("SAVEPOINT unit").execute().await?;
            if !unit.run(&mut tx).await {
                tx.query("ROLLBACK TO unit").execute().await?;
            }
            tx.query("RELEASE unit").execute().await?;
        }
    }
    let written = Instant::now();
    tx.commit().await?;
    metrics.group(group.len(), written.elapsed());
    Ok(())
}

/// One queued unit of work with its result type erased.
trait Unit: Send {
    /// Runs it; false asks for a rollback to the savepoint.
    fn run<'a>(&'a mut self, tx: &'a mut Tx) -> BoxFuture<'a, bool>;
    /// Tells the caller, after the commit or its failure.
    fn answer(self: Box<Self>, durable: bool);
}

struct Pending<T, E, F> {
    work: Option<F>,
    outcome: Option<Result<T, E>>,
    answer: oneshot::Sender<Result<T, E>>,
}

impl<T, E, F> Unit for Pending<T, E, F>
where
    T: Send + 'static,
    E: From<Error> + Send + 'static,
    F: for<'tx> FnOnce(&'tx mut Tx) -> Grouped<'tx, T, E> + Send + 'static,
{
    fn run<'a>(&'a mut self, tx: &'a mut Tx) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            let Some(work) = self.work.take() else { return false };
            // A panic in one unit of work must not take the others, or this task, with it.
            let outcome = AssertUnwindSafe(work(tx)).catch_unwind().await.ok();
            let keep = matches!(outcome, Some(Ok(_)));
            self.outcome = outcome;
            keep
        })
    }

    fn answer(self: Box<Self>, durable: bool) {
        let answer = match self.outcome {
            // A refusal stands whether or not the others' work was committed.
            Some(Err(refusal)) => Err(refusal),
            Some(Ok(value)) if durable => Ok(value),
            _ => Err(E::from(Error::WorkerCrashed)),
        };
        // A caller that went away needs no answer.
        drop(self.answer.send(answer));
    }
}
