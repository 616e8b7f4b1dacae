//! Cross-site requests: every unsafe method must come from our own pages.

use aws_lc_rs::hmac;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::problem::Problem;
use crate::app::App;

/// Refuses an unsafe method that another site sent. A cookie alone proves nothing: Chromium sends
/// a partitioned one with a cross-site top-level POST.
pub async fn same_origin(State(app): State<App>, request: Request, next: Next) -> Response {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if safe || comes_from_us(request.headers(), &app.config.origin()) {
        return next.run(request).await;
    }
    Problem::new(StatusCode::FORBIDDEN, "cross-site").into_response()
}

/// The same for a content host, whose origin is the host it was asked as. Nothing there trusts a
/// cookie; this keeps other sites from even trying tokens.
pub async fn same_origin_content(request: Request, next: Next) -> Response {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let site = request.headers().get("sec-fetch-site").and_then(|value| value.to_str().ok());
    if safe || site.is_none_or(|site| site == "same-origin") {
        return next.run(request).await;
    }
    Problem::new(StatusCode::FORBIDDEN, "cross-site").into_response()
}

fn comes_from_us(headers: &HeaderMap, origin: &str) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match text("sec-fetch-site") {
        Some(site) => site == "same-origin",
        None => text(header::ORIGIN.as_str()) == Some(origin),
    }
}

/// The hidden field of every form: bound to the browser and to what the form is about.
pub fn form_token(key: &[u8], browser: &str, about: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    let mut context = hmac::Context::with_key(&key);
    for part in [browser, about] {
        // Lengths keep ("ab", "c") and ("a", "bc") apart.
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    URL_SAFE_NO_PAD.encode(context.sign())
}

pub fn check_form_token(
    key: &[u8],
    browser: &str,
    about: &str,
    token: &str,
) -> Result<(), Problem> {
    let expected = form_token(key, browser, about);
    aws_lc_rs::constant_time::verify_slices_are_equal(expected.as_bytes(), token.as_bytes())
        .map_err(|_| Problem::new(StatusCode::FORBIDDEN, "form-expired"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_token_is_of_one_browser_and_one_form() {
        let token = form_token(b"key", "browser", "form");
        assert!(check_form_token(b"key", "browser", "form", &token).is_ok());
        assert!(check_form_token(b"key", "browserf", "orm", &token).is_err());
        assert!(check_form_token(b"other", "browser", "form", &token).is_err());
        assert!(check_form_token(b"key", "browser", "form", "").is_err());
    }
}
