//! The demo's own handles: arm faults, look at the state as JSON.
//!
//! A form of another site cannot reach them: changes want a JSON content type, which a
//! browser only sends across sites after asking.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Faults, Platform, state::PEOPLE, storage::Storage};

/// What a control request may ask for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    /// Replaces all faults; what is left out is healed.
    faults: Option<Faults>,
    /// Makes a new signing key current.
    rotate_key: Option<Rotation>,
    /// Where values are kept for tools.
    storage: Option<Storage>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Rotation {
    KeepPrevious,
    DropPrevious,
}

/// The faults armed now.
pub(super) async fn show(State(platform): State<Arc<Platform>>) -> Json<Faults> {
    Json(platform.state().faults.clone())
}

/// Arms faults, rotates keys.
pub(super) async fn change(
    State(platform): State<Arc<Platform>>,
    Json(change): Json<Change>,
) -> Response {
    if let Some(faults) = change.faults {
        platform.state().faults = faults;
    }
    if let Some(storage) = change.storage {
        platform.keep_in(storage);
    }
    if let Some(rotation) = change.rotate_key {
        let keep_previous = matches!(rotation, Rotation::KeepPrevious);
        if let Err(error) = platform.keys().rotate(keep_previous) {
            return (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response();
        }
    }
    StatusCode::NO_CONTENT.into_response()
}

/// Everything a walkthrough wants to check.
pub(super) async fn state(State(platform): State<Arc<Platform>>) -> Json<Value> {
    let state = platform.state();
    let grades: Vec<Value> = state
        .grades
        .iter()
        .map(|((item, person), grade)| json!({ "line_item": item, "person": person, "grade": grade }))
        .collect();
    Json(json!({
        "people": PEOPLE,
        "tools": state.tools.values().collect::<Vec<_>>(),
        "courses": state.courses.values().collect::<Vec<_>>(),
        "activities": state.activities.values().collect::<Vec<_>>(),
        "line_items": state.line_items.values().collect::<Vec<_>>(),
        "grades": grades,
        "scores": state.scores,
        "calls": state.calls,
    }))
}
