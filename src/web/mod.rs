//! What every page shares: languages, templates, refusals, cookies, the guard at the door.

pub mod assets;
pub mod cookies;
pub mod dates;
pub mod guard;
pub mod locales;
pub mod pages;
pub mod problem;

use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};

pub use locales::Lang;
pub use pages::{Page, Pages};
pub use problem::Problem;

/// A page of ours: no script, style or frame that is not ours. `frame_ancestors` are the origins
/// that may frame it besides ourselves; `frames` the ones it frames.
pub fn framed_html(html: String, frame_ancestors: &[String], frames: &[String]) -> Response {
    let ancestors = frame_ancestors.join(" ");
    let frames = if frames.is_empty() { "'none'".to_owned() } else { frames.join(" ") };
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
         font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-src {frames}; frame-ancestors 'self' {ancestors}"
    );
    let policy = HeaderValue::from_str(&policy)
        .unwrap_or(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    (
        [
            (header::CONTENT_SECURITY_POLICY, policy),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
            (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        ],
        Html(html),
    )
        .into_response()
}

/// A page that any LMS may frame: refusals, which show nothing of anybody's.
pub fn html(html: String) -> Response {
    framed_html(html, &["https:".to_owned(), "http:".to_owned()], &[])
}

/// The origin (scheme, host, port) of an address, as `frame-ancestors` wants it.
pub fn origin_of(url: &str) -> Option<String> {
    let url = url::Url::parse(url).ok()?;
    matches!(url.scheme(), "http" | "https").then(|| url.origin().ascii_serialization())
}
