//! What people see when something is refused or fails.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::locales::Lang;
use super::pages::Page;
use crate::app::App;

/// A refusal: the status, and the key of the sentences that explain it
/// (`problem-{code}-title`, `-text`, `-next` in the catalogues).
#[derive(Clone, Debug)]
pub struct Problem {
    pub status: StatusCode,
    pub code: &'static str,
    /// What the refusal is about: a field, a file, a limit. Shown as it is.
    pub detail: Option<String>,
    pub lang: Option<Lang>,
}

impl Problem {
    pub fn new(status: StatusCode, code: &'static str) -> Self {
        Self { status, code, detail: None, lang: None }
    }

    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found")
    }

    pub fn bad_request(code: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code)
    }

    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    #[must_use]
    pub fn in_language(mut self, lang: Lang) -> Self {
        self.lang = Some(lang);
        self
    }

    /// What nobody foresaw: logged here, once, with a number the person can quote.
    pub fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        let reference = crate::ids::label().chars().take(8).collect::<String>();
        let mut causes = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            causes.push_str(": ");
            causes.push_str(&inner.to_string());
            cause = inner.source();
        }
        tracing::error!(reference, causes, "a request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal").detail(reference)
    }
}

/// Foreseen cases are turned into problems where they are foreseen; the rest ends here.
macro_rules! internal {
    ($($error:ty),* $(,)?) => {$(
        impl From<$error> for Problem {
            fn from(error: $error) -> Self {
                Self::internal(&error)
            }
        }
    )*};
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        // PostgreSQL keeps no NUL in a text: what a client sent, not what we did.
        let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
        if matches!(code.as_deref(), Some("22021" | "22P05")) {
            return Self::bad_request("request-unreadable");
        }
        Self::internal(&error)
    }
}

internal!(
    serde_json::Error,
    super::pages::RenderError,
    crate::blobs::BlobError,
    object_store::Error,
);

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

#[derive(Serialize)]
pub struct ProblemPage {
    pub code: &'static str,
    pub title: String,
    pub detail: Option<String>,
    pub text: String,
    pub next: Option<String>,
}

impl Page for ProblemPage {
    const TEMPLATE: &'static str = "pages/problem";

    fn samples() -> Vec<Self> {
        let sample = |detail: Option<&str>, next: Option<&str>| Self {
            code: "not-found",
            title: "Not found".to_owned(),
            detail: detail.map(str::to_owned),
            text: "The page is not there.".to_owned(),
            next: next.map(str::to_owned),
        };
        vec![sample(None, None), sample(Some("title <b>"), Some("Go back."))]
    }
}

#[derive(Serialize)]
struct ProblemBody {
    error: &'static str,
    detail: Option<String>,
}

/// Turns problems into pages, or into JSON for those who asked for JSON.
pub async fn render(State(app): State<App>, request: Request, next: Next) -> Response {
    let wanted = Wanted::from(request.headers());
    let response = next.run(request).await;
    let problem = match response.extensions().get::<Problem>() {
        Some(problem) => problem.clone(),
        None if is_rejection(&response) => Problem::new(response.status(), "request-unreadable"),
        None => return response,
    };
    if wanted.json {
        let body = ProblemBody { error: problem.code, detail: problem.detail };
        return (problem.status, Json(body)).into_response();
    }
    let lang = problem.lang.unwrap_or(wanted.lang);
    let locales = &app.pages.locales;
    let detail = problem.detail.clone().unwrap_or_default();
    let say = |part: &str| {
        let key = format!("problem-{}-{part}", problem.code);
        locales.has(lang, &key).then(|| locales.say(lang, &key, &[("detail", &detail)]))
    };
    let page = ProblemPage {
        code: problem.code,
        title: say("title").unwrap_or_default(),
        text: say("text").unwrap_or_default(),
        next: say("next"),
        detail: problem.detail,
    };
    match app.pages.html(lang, &page) {
        Ok(html) => {
            let mut page = (problem.status, super::html(html)).into_response();
            // Headers that the refusal came with (cookies, Retry-After) stay.
            for (name, value) in response.headers() {
                if name != header::CONTENT_LENGTH && name != header::CONTENT_TYPE {
                    page.headers_mut().append(name, value.clone());
                }
            }
            page
        }
        Err(error) => {
            tracing::error!(%error, "the problem page cannot be rendered");
            response
        }
    }
}

/// What an extractor of axum refused, in its own plain English.
fn is_rejection(response: &Response) -> bool {
    let media_type = response.headers().get(header::CONTENT_TYPE);
    let plain = media_type.is_some_and(|value| value.as_bytes().starts_with(b"text/plain"));
    response.status().is_client_error() && plain
}

struct Wanted {
    json: bool,
    lang: Lang,
}

impl From<&HeaderMap> for Wanted {
    fn from(headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
        Self {
            json: text(header::ACCEPT).starts_with("application/json"),
            lang: Lang::from_accept_language(text(header::ACCEPT_LANGUAGE)),
        }
    }
}
