//! Who may come to a context's events: the extractors are the permissions.

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::StatusCode;
use axum::http::request::Parts;

use crate::app::App;
use crate::ids::{ContextId, EventId};
use crate::visits::Visit;
use crate::web::Problem;

/// Somebody whose launch came from a context, in whatever role.
#[derive(Clone, Debug)]
pub struct Guest {
    pub visit: Visit,
    pub context: ContextId,
}

impl FromRequestParts<App> for Guest {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let visit = Visit::from_request_parts(parts, app).await?;
        match visit.launch.context_id {
            Some(context) => Ok(Self { visit, context }),
            None => Err(Problem::bad_request("events-no-context").in_language(visit.lang())),
        }
    }
}

/// Somebody who learns in the context of their launch: only they sign up.
#[derive(Clone, Debug)]
pub struct Learner {
    pub visit: Visit,
    pub context: ContextId,
}

impl FromRequestParts<App> for Learner {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let Guest { visit, context } = Guest::from_request_parts(parts, app).await?;
        // A preview counts for nothing, and nobody in particular keeps no place.
        if visit.is_trainer() || visit.is_preview() {
            let refused = Problem::new(StatusCode::FORBIDDEN, "events-learners-only");
            return Err(refused.in_language(visit.lang()));
        }
        Ok(Self { visit, context })
    }
}

/// The event that the address names; whether it is one of the context the use cases see.
#[derive(Clone, Copy, Debug)]
pub struct Named(pub EventId);

impl FromRequestParts<App> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let params = RawPathParams::from_request_parts(parts, app)
            .await
            .map_err(|_| Problem::not_found())?;
        params
            .iter()
            .find(|(name, _)| *name == "event")
            .and_then(|(_, value)| value.parse().ok())
            .map(Self)
            .ok_or_else(Problem::not_found)
    }
}
