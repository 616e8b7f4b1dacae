//! Sessions that no cookie can carry stand in the address: `/launches/{launch}~{token}/…`.

use axum::extract::Request;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, Uri, request};
use axum::middleware::Next;
use axum::response::Response;

use crate::ids::Token;

const LAUNCHES: &str = "/launches/";

/// The token that stood in the address.
#[derive(Clone)]
struct Carried(Token);

/// Takes the token out of the address before the request is routed: routes, handlers and logs see
/// the same paths whatever carries the session.
pub async fn take(mut request: Request, next: Next) -> Response {
    if let Some((uri, token)) = split(request.uri()) {
        *request.uri_mut() = uri;
        request.extensions_mut().insert(Carried(token));
    }
    next.run(request).await
}

/// The token that stood in the request's address.
pub fn token(parts: &request::Parts) -> Option<Token> {
    parts.extensions.get::<Carried>().map(|carried| carried.0.clone())
}

/// Whether the request is a window's own navigation that none of our pages led to: an address that
/// was copied, sent or kept. Pages in frames are exempt: browsers do not agree on what a frame that
/// is loaded again comes from, and only the platform can frame them.
pub fn is_brought_along(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    text("sec-fetch-dest") == Some("document")
        && text("sec-fetch-site").is_some_and(|site| site != "same-origin")
}

fn split(uri: &Uri) -> Option<(Uri, Token)> {
    let rest = uri.path().strip_prefix(LAUNCHES)?;
    let (launch, page) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (launch, token) = launch.split_once('~')?;
    let token = token.parse().ok()?;
    let mut plain = format!("{LAUNCHES}{launch}{page}");
    if let Some(query) = uri.query() {
        plain.push('?');
        plain.push_str(query);
    }
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(plain).ok()?);
    Some((Uri::from_parts(parts).ok()?, token))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(uri: &str) -> Option<(String, String)> {
        let (uri, token) = split(&uri.parse().expect("a URI"))?;
        Some((uri.to_string(), token.reveal().to_owned()))
    }

    #[test]
    fn the_token_is_taken_out_of_the_launch_and_nothing_else() {
        let token = "A".repeat(43);
        for rest in ["", "/course", "/events/2/calendar.ics?x=1~2", "?a=b"] {
            let plain = format!("/launches/1{rest}");
            let found = both(&format!("/launches/1~{token}{rest}"));
            assert_eq!(found, Some((plain.clone(), token.clone())));
            assert_eq!(both(&plain), None);
        }
        assert_eq!(both("/launches/1~short/course"), None);
        assert_eq!(both(&format!("/verify/1~{token}")), None);
        assert_eq!(both(&format!("/launches/1/course~{token}")), None);
        let whole = both(&format!("http://localhost:8080/launches/1~{token}/course"));
        assert_eq!(
            whole.map(|(uri, _)| uri).as_deref(),
            Some("http://localhost:8080/launches/1/course")
        );
    }
}
