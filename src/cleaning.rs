//! What nobody needs any more goes, once an hour: spent nonces, launches that are over, the log of
//! the door, keys that signed long ago, finished jobs, codes that nobody typed.

use std::time::Duration;

use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::{console, db, identities, jobs, launches, platforms, visits};

const EVERY: Duration = Duration::from_hours(1);
/// An administrator may ask today why a launch was refused last quarter.
const KEEP_LOG: TimeDelta = TimeDelta::days(90);
const KEEP_LAUNCHES: TimeDelta = TimeDelta::days(30);
const KEEP_JOBS: TimeDelta = TimeDelta::days(30);
/// Longer than any launch in which wrong codes are counted.
const KEEP_CODES: TimeDelta = TimeDelta::days(1);

/// Cleans until `stop`. Several processes may do so at once: each deletes what is left.
pub async fn run(app: App, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        if let Err(error) = clean(&app).await {
            tracing::warn!(%error, "old rows could not be removed");
        }
    }
}

/// One round; each kind in a unit of work of its own.
pub async fn clean(app: &App) -> db::Result<()> {
    let now = app.clock.now();
    let mut tx = app.db.write().await?;
    launches::legacy::clean_tickets(&mut tx, now).await?;
    visits::clean(&mut tx, now, now - KEEP_LAUNCHES).await?;
    tx.commit().await?;
    let mut tx = app.db.write().await?;
    platforms::clean_log(&mut tx, now - KEEP_LOG).await?;
    tx.commit().await?;
    let mut tx = app.db.write().await?;
    platforms::keys::tend(&mut tx, now).await?;
    platforms::dynamic::clean(&mut tx, now).await?;
    tx.commit().await?;
    let mut tx = app.db.write().await?;
    jobs::clean(&mut tx, now - KEEP_JOBS).await?;
    tx.commit().await?;
    let mut tx = app.db.write().await?;
    console::clean(&mut tx, now).await?;
    identities::clean(&mut tx, now - KEEP_CODES).await?;
    tx.commit().await
}
