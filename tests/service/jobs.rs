//! The job queue: leases, retries, keys, workers side by side.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::TimeDelta;
use passerelle::clock::Clock;
use passerelle::db::Db;
use passerelle::jobs::{Claimed, Failure, Job, Runner, enqueue, run_next};
use serde::{Deserialize, Serialize};

use crate::on_both_databases;
use crate::support::TestDatabase;
use crate::support::service::beginning;

#[derive(Debug, Serialize, Deserialize)]
struct Trial {
    name: String,
}

impl Job for Trial {
    const KIND: &'static str = "trial";
}

/// Writes down what it ran; the name says what else happens.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<String>>>);

impl Notes {
    fn taken(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Runner for Notes {
    async fn run(&self, job: Claimed) -> Result<(), Failure> {
        let attempt = job.attempt;
        let Trial { name } = job.read()?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{name} {attempt}"));
        match name.as_str() {
            "hangs" if attempt == 1 => std::future::pending().await,
            "panics" if attempt == 1 => panic!("as asked"),
            "fails" => Err(Failure::Final("as asked".to_owned())),
            "later" if attempt < 3 => Err(Failure::backoff(attempt, "as asked")),
            _ => Ok(()),
        }
    }
}

struct Queue {
    db: Db,
    clock: Clock,
    notes: Notes,
    _database: TestDatabase,
}

impl Queue {
    async fn open(database: TestDatabase) -> Self {
        let db = Db::connect(&database.url).await.expect("opens");
        db.migrate().await.expect("a schema");
        Self { db, clock: Clock::fixed(beginning()), notes: Notes::default(), _database: database }
    }

    async fn add(&self, name: &str, key: Option<&str>) {
        let (job, now) = (Trial { name: name.to_owned() }, self.clock.now());
        let mut tx = self.db.write().await.expect("a transaction");
        enqueue(&mut tx, &job, now, now, key.map(str::to_owned)).await.expect("enqueued");
        tx.commit().await.expect("the commit");
    }

    async fn run_next(&self) -> bool {
        run_next(&self.db, &self.clock, &self.notes).await.expect("the queue")
    }

    async fn states(&self) -> Vec<(String, i64)> {
        let mut tx = self.db.read().await.expect("a transaction");
        passerelle::jobs::counts(&mut tx).await.expect("counts")
    }
}

on_both_databases! {
    async fn a_job_whose_worker_died_is_run_again_when_its_lease_is_over(database: TestDatabase) {
        let queue = Queue::open(database).await;
        queue.add("hangs", None).await;
        let (db, clock, notes) = (queue.db.clone(), queue.clock.clone(), queue.notes.clone());
        let worker = tokio::spawn(async move { run_next(&db, &clock, &notes).await });
        while queue.notes.taken().is_empty() {
            tokio::task::yield_now().await;
        }
        worker.abort();
        assert!(!queue.run_next().await, "somebody holds the lease");
        queue.clock.advance(TimeDelta::minutes(4));
        assert!(!queue.run_next().await, "somebody holds the lease");
        queue.clock.advance(TimeDelta::minutes(1));
        assert!(queue.run_next().await);
        assert_eq!(queue.notes.taken(), ["hangs 1", "hangs 2"]);
        assert_eq!(queue.states().await, [("done".to_owned(), 1)]);
    }

    async fn a_job_that_panics_is_tried_again(database: TestDatabase) {
        let queue = Queue::open(database).await;
        queue.add("panics", None).await;
        assert!(queue.run_next().await);
        assert!(!queue.run_next().await, "not at once");
        queue.clock.advance(TimeDelta::seconds(5));
        assert!(queue.run_next().await);
        assert_eq!(queue.notes.taken(), ["panics 1", "panics 2"]);
        assert_eq!(queue.states().await, [("done".to_owned(), 1)]);
    }

    async fn a_job_waits_longer_after_each_failure(database: TestDatabase) {
        let queue = Queue::open(database).await;
        queue.add("later", None).await;
        for wait in [5, 10] {
            assert!(queue.run_next().await);
            queue.clock.advance(TimeDelta::seconds(wait - 1));
            assert!(!queue.run_next().await, "{wait}");
            queue.clock.advance(TimeDelta::seconds(1));
        }
        assert!(queue.run_next().await);
        assert_eq!(queue.states().await, [("done".to_owned(), 1)]);
    }

    async fn a_job_that_failed_for_good_stays_visible(database: TestDatabase) {
        let queue = Queue::open(database).await;
        queue.add("fails", None).await;
        assert!(queue.run_next().await);
        queue.clock.advance(TimeDelta::days(30));
        assert!(!queue.run_next().await);
        assert_eq!(queue.states().await, [("failed".to_owned(), 1)]);
    }

    async fn a_key_makes_one_job_of_two(database: TestDatabase) {
        let queue = Queue::open(database).await;
        queue.add("once", Some("key")).await;
        queue.add("once", Some("key")).await;
        while queue.run_next().await {}
        queue.add("once", Some("key")).await;
        while queue.run_next().await {}
        assert_eq!(queue.notes.taken(), ["once 1"]);
    }

    async fn a_job_of_a_change_that_was_rolled_back_never_runs(database: TestDatabase) {
        let queue = Queue::open(database).await;
        let (job, now) = (Trial { name: "never".to_owned() }, queue.clock.now());
        let mut tx = queue.db.write().await.expect("a transaction");
        enqueue(&mut tx, &job, now, now, None).await.expect("enqueued");
        drop(tx);
        assert!(!queue.run_next().await);
    }

    async fn workers_side_by_side_run_each_job_once(database: TestDatabase) {
        let queue = Queue::open(database).await;
        for number in 0..40 {
            queue.add(&format!("job-{number:02}"), None).await;
        }
        let workers = (0..4).map(|_| {
            let (db, clock, notes) = (queue.db.clone(), queue.clock.clone(), queue.notes.clone());
            tokio::spawn(async move {
                while run_next(&db, &clock, &notes).await.expect("the queue") {}
            })
        });
        for worker in futures::future::join_all(workers).await {
            worker.expect("no panic");
        }
        let mut ran = queue.notes.taken();
        ran.sort();
        let expected: Vec<String> = (0..40).map(|number| format!("job-{number:02} 1")).collect();
        assert_eq!(ran, expected);
    }
}
