//! What every page shares: languages, templates, refusals, cookies, the guard at the door.

pub mod assets;
pub mod carried;
pub mod cookies;
pub mod csv;
pub mod dates;
pub mod frame;
pub mod guard;
pub mod home;
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

/// A page that nobody frames: the console's.
pub fn unframed_html(html: String) -> Response {
    let mut response = framed_html(html, &[], &[]);
    let policy = response
        .headers()
        .get(header::CONTENT_SECURITY_POLICY)
        .and_then(|value| value.to_str().ok())
        .map(|policy| policy.replace("frame-ancestors 'self' ", "frame-ancestors 'none'"))
        .and_then(|policy| HeaderValue::from_str(&policy).ok())
        .unwrap_or(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response
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

/// Lets the page's forms go to one other origin besides ours.
pub fn allow_form_action(response: &mut Response, origin: Option<String>) {
    let Some(origin) = origin else { return };
    let policy = response
        .headers()
        .get(header::CONTENT_SECURITY_POLICY)
        .and_then(|value| value.to_str().ok())
        .map(|policy| {
            policy.replace("form-action 'self'", &format!("form-action 'self' {origin}"))
        });
    if let Some(policy) = policy.and_then(|policy| HeaderValue::from_str(&policy).ok()) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
}

/// One line a request: method, route, status, time. Paths carry tokens and codes, so the route's
/// pattern is written, never the path.
pub async fn trace_request(
    request: axum::extract::Request,
    next: axum::middleware::Next,
) -> Response {
    let method = request.method().clone();
    let started = std::time::Instant::now();
    let response = next.run(request).await;
    tracing::debug!(
        %method,
        status = response.status().as_u16(),
        micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
        "request"
    );
    response
}
