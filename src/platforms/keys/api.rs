//! Our key sets, as platforms fetch them.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::KeysError;
use crate::app::App;
use crate::ids::RegistrationId;
use crate::web::Problem;

impl From<KeysError> for Problem {
    fn from(error: KeysError) -> Self {
        match error {
            KeysError::Database(error) => error.into(),
            error => Self::internal(&error),
        }
    }
}

/// `GET /.well-known/jwks.json`
pub async fn installation(State(app): State<App>) -> Result<Response, Problem> {
    answer(&app, None).await
}

/// `GET /lti/keys/{registration}`
pub async fn of_registration(
    State(app): State<App>,
    Path(registration): Path<RegistrationId>,
) -> Result<Response, Problem> {
    answer(&app, Some(registration)).await
}

async fn answer(app: &App, of: Option<RegistrationId>) -> Result<Response, Problem> {
    let keys = app.keys.published(app, of).await?.ok_or_else(Problem::not_found)?;
    let caching = [(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"))];
    Ok((caching, Json(keys)).into_response())
}
