//! Reminders, a day before each date.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::mails::{self, MailError, News};
use super::{EventState, about, store};
use crate::app::App;
use crate::db::{self, Tx};
use crate::ids::{EventDateId, SignupId};
use crate::jobs::{Failure, Job, enqueue};

/// How long before a date its reminder goes out.
const LEAD: TimeDelta = TimeDelta::hours(24);
/// How many mails one run writes: SQLite's one writer is not held for long.
const BATCH: i64 = 200;

/// Reminds those who have a place at one date, a batch at a time.
#[derive(Debug, Serialize, Deserialize)]
pub struct RemindEvent {
    pub date: EventDateId,
    /// When the date was when this was scheduled: a date that moved has a job of its own.
    pub starts_at: DateTime<Utc>,
    /// The last one of the batch before.
    pub after: Option<SignupId>,
}

impl Job for RemindEvent {
    const KIND: &'static str = "remind-event";
}

/// Schedules the date's reminder. A date that is less than a day away has none: whoever signs up
/// for it, or is told that it moved, knows.
pub(super) async fn schedule(
    tx: &mut Tx,
    date: EventDateId,
    starts_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> db::Result<()> {
    let at = starts_at - LEAD;
    if at <= now {
        return Ok(());
    }
    let job = RemindEvent { date, starts_at, after: None };
    enqueue(tx, &job, at, now, Some(job.key())).await
}

impl RemindEvent {
    fn key(&self) -> String {
        let after = self.after.map(|id| format!("/{id}")).unwrap_or_default();
        format!("reminders/{}/{}{after}", self.date, self.starts_at.timestamp())
    }

    pub async fn run(self, app: &App) -> Result<(), Failure> {
        let retry = |error: MailError| Failure::backoff(1, error);
        let mut tx = app.db.write().await.map_err(|error| retry(error.into()))?;
        self.remind(app, &mut tx).await.map_err(retry)?;
        tx.commit().await.map_err(|error| retry(error.into()))?;
        app.wake.notify_waiters();
        Ok(())
    }

    async fn remind(&self, app: &App, tx: &mut Tx) -> Result<(), MailError> {
        let now = app.clock.now();
        let Some((event, date)) = store::date(tx, self.date).await? else { return Ok(()) };
        let about = about(tx, event).await?;
        let stale = date.starts_at != self.starts_at
            || date.starts_at <= now
            || about.event.state == EventState::Cancelled;
        if stale {
            return Ok(());
        }
        let batch = store::confirmed_after(tx, event, self.after, BATCH).await?;
        for participant in &batch {
            let (signup, person) = (&participant.signup, &participant.person);
            mails::tell(app, tx, &about, signup, person, News::Reminder(date)).await?;
        }
        if batch.len() as i64 == BATCH {
            let after = batch.last().map(|participant| participant.signup.id);
            let next = Self { after, date: self.date, starts_at: self.starts_at };
            let key = next.key();
            enqueue(tx, &next, now, now, Some(key)).await?;
        }
        Ok(())
    }
}
