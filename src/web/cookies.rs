//! The one writer of cookies.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::config::Config;
use crate::ids::Token;

/// The name of the launch cookie; the prefix binds it to this host, over TLS or on loopback.
const LAUNCH: &str = "__Host-passerelle";
/// Where pages are served over plain http on a real host, the browser refuses the prefix.
const LAUNCH_INSECURE: &str = "passerelle";

fn name(config: &Config) -> &'static str {
    if config.secure_cookies() { LAUNCH } else { LAUNCH_INSECURE }
}

/// The browser's token, if its cookie came along.
pub fn launch_token(config: &Config, headers: &HeaderMap) -> Option<Token> {
    let name = name(config);
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .and_then(|(_, value)| value.parse().ok())
}

/// `Set-Cookie` for the browser's token. `Partitioned` keeps it inside an LMS's iframe where
/// third-party cookies are blocked.
///
/// # Panics
///
/// Never: a token is ASCII by its type.
pub fn set_launch_token(config: &Config, token: &Token) -> HeaderValue {
    let attributes = if config.secure_cookies() {
        "Path=/; HttpOnly; Secure; SameSite=None; Partitioned"
    } else {
        "Path=/; HttpOnly; SameSite=Lax"
    };
    let text = format!("{}={}; {attributes}", name(config), token.reveal());
    HeaderValue::from_str(&text).expect("a token and constants are ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_that_was_set_is_read_back() {
        let (config, token) = (Config::default(), Token::random());
        let set = set_launch_token(&config, &token);
        let set = set.to_str().expect("ASCII");
        assert!(set.ends_with("; Path=/; HttpOnly; Secure; SameSite=None; Partitioned"), "{set}");
        let pair = set.split(';').next().expect("a pair");
        let mut headers = HeaderMap::new();
        let value = format!("other=1; {pair}");
        headers.insert(header::COOKIE, HeaderValue::from_str(&value).expect("ASCII"));
        assert_eq!(launch_token(&config, &headers), Some(token));
    }
}
