//! Which job is whose.

use chrono::TimeDelta;

use crate::app::App;
use crate::credentials::jobs::{MailWaiting, RenderCredential};
use crate::events::jobs::RemindEvent;
use crate::jobs::{Claimed, Failure, Job as _, Runner};
use crate::mail::jobs::SendMessage;
use crate::platforms::keys::jobs::MakeToolKey;
use crate::player::columns::FindColumn;
use crate::player::grades::SendScore;

impl Runner for App {
    async fn run(&self, job: Claimed) -> Result<(), Failure> {
        let attempt = job.attempt;
        let done = match job.kind.as_str() {
            SendMessage::KIND => job.read::<SendMessage>()?.run(self, attempt).await,
            MailWaiting::KIND => job.read::<MailWaiting>()?.run(self, attempt).await,
            RenderCredential::KIND => job.read::<RenderCredential>()?.run(self).await,
            FindColumn::KIND => job.read::<FindColumn>()?.run(self, attempt).await,
            SendScore::KIND => job.read::<SendScore>()?.run(self, attempt).await,
            RemindEvent::KIND => job.read::<RemindEvent>()?.run(self).await,
            MakeToolKey::KIND => job.read::<MakeToolKey>()?.run(self).await,
            // A newer release may have enqueued it: its own processes will know.
            other => Err(Failure::Retry {
                after: TimeDelta::minutes(10),
                reason: format!("this release does not know the job {other:?}"),
            }),
        };
        // A job may have enqueued another; an idle worker need not wait for its next look.
        self.wake.notify_waiters();
        done
    }

    fn ended(&self, kind: &str, outcome: &Result<(), Failure>) {
        self.metrics.job(
            kind,
            match outcome {
                Ok(()) => "done",
                Err(Failure::Retry { .. }) => "retried",
                Err(Failure::Final(_)) => "failed",
            },
        );
    }
}
