//! Whether the process lives, and whether it can work.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::app::App;

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
