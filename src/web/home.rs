//! The front door, for those who come without a launch.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;

use super::locales::Lang;
use super::{Page, Problem, framed_html};
use crate::app::App;

#[derive(Serialize)]
pub struct HomePage {}

impl Page for HomePage {
    const TEMPLATE: &'static str = "pages/home";

    fn samples() -> Vec<Self> {
        vec![Self {}]
    }
}

/// `GET /`
pub async fn home(State(app): State<App>, lang: Lang) -> Result<Response, Problem> {
    Ok(framed_html(app.pages.html(lang, &HomePage {})?, &[], &[]))
}
