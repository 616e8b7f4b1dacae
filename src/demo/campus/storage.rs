//! What Campus may keep for the tools it frames (LTI Client Side postMessages 1.0), as some
//! platforms do and Moodle does not. Off at first; a trainer switches it on to see a launch in a
//! browser that refuses the tool's cookies.

use std::sync::{Arc, PoisonError};

use axum::{
    Form,
    extract::State,
    http::header,
    response::{IntoResponse as _, Redirect, Response},
};
use serde::{Deserialize, Serialize};

use super::{
    Platform,
    views::asset,
    web::{Refusal, Visitor},
};

/// The name of the frame that keeps values, beside the tool's.
const FRAME: &str = "campus_storage";

/// Where the values are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Storage {
    /// Nowhere: tools are not offered any.
    #[default]
    None,
    /// In the page that frames the tool.
    Parent,
    /// In a hidden frame of that page.
    Frame,
}

impl Storage {
    /// `lti_storage_target` of a login.
    pub(super) fn target(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Parent => Some("_parent"),
            Self::Frame => Some(FRAME),
        }
    }
}

impl Platform {
    pub(super) fn storage(&self) -> Storage {
        *self.storage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn keep_in(&self, storage: Storage) {
        *self.storage.lock().unwrap_or_else(PoisonError::into_inner) = storage;
    }
}

#[derive(Deserialize)]
pub(super) struct StorageForm {
    storage: Storage,
}

/// Switches it.
pub(super) async fn choose(
    State(platform): State<Arc<Platform>>,
    visitor: Visitor,
    Form(form): Form<StorageForm>,
) -> Result<Redirect, Refusal> {
    visitor.trainer()?;
    platform.keep_in(form.storage);
    Ok(Redirect::to("/tools"))
}

#[derive(Serialize)]
struct Nothing {}

/// The hidden frame.
pub(super) async fn frame(
    State(platform): State<Arc<Platform>>,
    visitor: Visitor,
) -> Result<Response, Refusal> {
    platform.page(&visitor, "storage", Nothing {})
}

pub(super) async fn script() -> Response {
    match asset("storage.js") {
        Some(text) => {
            ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], text).into_response()
        }
        None => Refusal::NotFound.into_response(),
    }
}
