//! Whether the process lives, whether it can work, and what it counts.

use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::metrics::{self, Depths};
use crate::web::Problem;
use crate::{db, jobs, mail};

/// `GET /health/live`: the process answers.
pub async fn live() -> &'static str {
    "live\n"
}

/// `GET /health/ready`: database and blobs answer too.
pub async fn ready(State(app): State<App>) -> Response {
    let database = async {
        let mut tx = app.db.read().await?;
        tx.query("SELECT 1").one::<(i32,)>().await.map(|_| ())
    };
    if let Err(error) = database.await {
        tracing::warn!(%error, "not ready: the database does not answer");
        return (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n").into_response();
    }
    if let Err(error) = app.blobs.reach().await {
        tracing::warn!(%error, "not ready: the blob folder does not answer");
        return (StatusCode::SERVICE_UNAVAILABLE, "the blob folder cannot be used\n")
            .into_response();
    }
    "ready\n".into_response()
}

/// `GET /metrics`, on the listener of its own. What processes count is there even while the
/// database is not.
pub async fn metrics(State(app): State<App>) -> Result<Response, Problem> {
    let depths = depths(&app).await;
    if let Err(error) = &depths {
        tracing::warn!(%error, "metrics without the database's part");
    }
    let text = app.metrics.text(depths.ok().as_ref()).map_err(|error| Problem::internal(&error))?;
    Ok(([(header::CONTENT_TYPE, metrics::MEDIA_TYPE)], text).into_response())
}

async fn depths(app: &App) -> db::Result<Depths> {
    let now = app.clock.now();
    let mut tx = app.db.read().await?;
    let waiting = jobs::waiting(&mut tx).await?;
    let oldest = jobs::oldest_due(&mut tx, now).await?;
    let mails = mail::unsettled(&mut tx).await?;
    Ok(Depths {
        jobs: waiting.into_iter().map(|job| (job.kind, job.state, job.jobs)).collect(),
        oldest_due: oldest.and_then(|at| (now - at).to_std().ok()).unwrap_or(Duration::ZERO),
        mails: mails.into_iter().map(|(state, number)| (state.as_str(), number)).collect(),
    })
}
