//! The one writer of cookies.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::config::Config;
use crate::ids::Token;

/// The name of the launch cookie; the prefix binds it to this host, over TLS or on loopback.
const LAUNCH: &str = "__Host-passerelle";
/// Where pages are served over plain http on a real host, the browser refuses the prefix.
const LAUNCH_INSECURE: &str = "passerelle";

/// The names of the console's cookies: the sign-in session, and a sign-in that is under way at an
/// OpenID Connect provider.
const CONSOLE: [&str; 2] = ["__Host-passerelle-console", "passerelle-console"];
const SIGN_IN: [&str; 2] = ["__Host-passerelle-sign-in", "passerelle-sign-in"];

fn name(config: &Config) -> &'static str {
    if config.secure_cookies() { LAUNCH } else { LAUNCH_INSECURE }
}

/// Of a pair of names, the one that browsers accept from where we are served.
fn chosen(config: &Config, names: [&'static str; 2]) -> &'static str {
    names[usize::from(!config.secure_cookies())]
}

/// The browser's token, if its cookie came along.
pub fn launch_token(config: &Config, headers: &HeaderMap) -> Option<Token> {
    token_named(headers, name(config))
}

fn token_named(headers: &HeaderMap, name: &str) -> Option<Token> {
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

/// The console's sign-in session, if its cookie came along.
pub fn console_token(config: &Config, headers: &HeaderMap) -> Option<Token> {
    token_named(headers, chosen(config, CONSOLE))
}

/// `Set-Cookie` for the console's sign-in session; `None` forgets it.
///
/// Never sent with what other sites embed or post; sent when a link leads here, as from a mail.
pub fn set_console_token(config: &Config, token: Option<&Token>) -> HeaderValue {
    own_cookie(config, chosen(config, CONSOLE), token, 12 * 60 * 60)
}

/// The sign-in under way at a provider, if its cookie came along.
pub fn sign_in_token(config: &Config, headers: &HeaderMap) -> Option<Token> {
    token_named(headers, chosen(config, SIGN_IN))
}

/// `Set-Cookie` for a sign-in under way at a provider; `None` forgets it.
pub fn set_sign_in_token(config: &Config, token: Option<&Token>) -> HeaderValue {
    own_cookie(config, chosen(config, SIGN_IN), token, 10 * 60)
}

fn own_cookie(config: &Config, name: &str, token: Option<&Token>, seconds: u32) -> HeaderValue {
    let secure = if config.secure_cookies() { "; Secure" } else { "" };
    let (value, seconds) = token.map_or(("", 0), |token| (token.reveal(), seconds));
    let text = format!("{name}={value}; Path=/; HttpOnly{secure}; SameSite=Lax; Max-Age={seconds}");
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

    #[test]
    fn the_console_has_a_cookie_of_its_own() {
        let (config, token) = (Config::default(), Token::random());
        let set = set_console_token(&config, Some(&token));
        let set = set.to_str().expect("ASCII");
        assert!(set.starts_with("__Host-passerelle-console="), "{set}");
        assert!(set.ends_with("; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=43200"), "{set}");
        let mut headers = HeaderMap::new();
        let pair = set.split(';').next().expect("a pair");
        headers.insert(header::COOKIE, HeaderValue::from_str(pair).expect("ASCII"));
        assert_eq!(console_token(&config, &headers), Some(token));
        assert_eq!(launch_token(&config, &headers), None);
        let gone = set_console_token(&config, None);
        assert!(gone.to_str().expect("ASCII").ends_with("Max-Age=0"));
    }
}
