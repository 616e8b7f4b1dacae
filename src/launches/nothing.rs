//! A link that opens nothing, from no course: who opens it learns how that changes.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;

use crate::app::App;
use crate::visits::Visit;
use crate::web::{Page, Problem};

#[derive(Serialize)]
pub struct NothingPage {
    pub is_trainer: bool,
    /// Back to where the platform wants its people to go.
    pub back: Option<String>,
}

impl Page for NothingPage {
    const TEMPLATE: &'static str = "pages/nothing";

    fn samples() -> Vec<Self> {
        vec![
            Self {
                is_trainer: false,
                back: Some("https://lms.example/course/2?a=\"b\"".to_owned()),
            },
            Self { is_trainer: true, back: None },
        ]
    }
}

/// `GET /launches/{launch}/nothing`
pub async fn show(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let back = visit.launch.details.return_url.clone();
    let page = NothingPage {
        is_trainer: visit.is_trainer(),
        // The platform's text becomes a link: nothing but the web is one.
        back: back.filter(|url| url.starts_with("https://") || url.starts_with("http://")),
    };
    Ok(visit.page(app.pages.html(visit.lang(), &page)?, &[]))
}
