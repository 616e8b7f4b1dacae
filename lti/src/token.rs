//! Access tokens by client credentials with a signed assertion (LTI Security Framework 4.1).

use std::collections::BTreeSet;
use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use url::Url;

use crate::Fault;
use crate::http::{Method, Request, Response};
use crate::json;
use crate::tool_key::{ToolKey, ToolKeyError};

/// Scopes of the Advantage services.
pub mod scope {
    /// Line items, read and write.
    pub const LINE_ITEM: &str = "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem";
    /// Line items, read only.
    pub const LINE_ITEM_READ: &str =
        "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem.readonly";
    /// Results.
    pub const RESULT_READ: &str = "https://purl.imsglobal.org/spec/lti-ags/scope/result.readonly";
    /// Scores.
    pub const SCORE: &str = "https://purl.imsglobal.org/spec/lti-ags/scope/score";
    /// Members.
    pub const MEMBERSHIP_READ: &str =
        "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly";
    /// Groups.
    pub const GROUP_READ: &str =
        "https://purl.imsglobal.org/spec/lti-gs/scope/contextgroup.readonly";
    /// Basic Outcomes with an access token (Moodle).
    pub const BASIC_OUTCOME: &str = "https://purl.imsglobal.org/spec/lti-bo/scope/basicoutcome";
}

/// What `client_assertion_type` always is (RFC 7523 2.2).
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What an assertion says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assertion<'a> {
    /// Our client id: issuer and subject.
    pub client_id: &'a str,
    /// For whom: the token endpoint, unless the platform wants another word (Brightspace).
    pub audience: &'a str,
    /// A fresh random value, for `jti`.
    pub id: &'a str,
    /// The instant.
    pub now: DateTime<Utc>,
}

/// The signed assertion (Security Framework 4.1.1): issued five seconds ago, because Moodle allows
/// no leeway at all, and good for five minutes.
pub fn assertion(key: &ToolKey, assertion: &Assertion<'_>) -> Result<String, ToolKeyError> {
    key.sign(&json!({
        "iss": assertion.client_id,
        "sub": assertion.client_id,
        "aud": assertion.audience,
        "iat": assertion.now.timestamp() - 5,
        "exp": assertion.now.timestamp() + 300,
        "jti": assertion.id,
    }))
}

/// The request for a token (4.1.1). No `Accept` beyond JSON, form-encoded, never JSON (Moodle).
pub fn request(endpoint: &Url, assertion: &str, scopes: &BTreeSet<String>) -> Request {
    let body = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "client_credentials")
        .append_pair("client_assertion_type", ASSERTION_TYPE)
        .append_pair("client_assertion", assertion)
        .append_pair("scope", &scope_text(scopes))
        .finish();
    Request::new(Method::Post, endpoint.clone())
        .header("Accept", "application/json")
        .body("application/x-www-form-urlencoded", body)
}

/// An access token and how long it lives.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// The token.
    pub secret: String,
    /// When it ends, by our clock.
    pub expires_at: DateTime<Utc>,
    /// When to get the next one: a tenth of its life earlier.
    pub renew_at: DateTime<Utc>,
    /// The scopes granted; `None`: as asked.
    pub scopes: Option<BTreeSet<String>>,
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("AccessToken")
            .field("expires_at", &self.expires_at)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The platform refuses. Its `error` is free text at Moodle.
    #[error("the platform gives no token: {error}")]
    Refused {
        /// The status.
        status: u16,
        /// `error` and `error_description`, or the beginning of the answer.
        error: String,
    },
    /// 429 or 5xx: try later.
    #[error("the platform cannot give a token now: {status}")]
    Unavailable {
        /// The status.
        status: u16,
        /// `Retry-After`.
        retry_after: Option<TimeDelta>,
    },
    /// Success without an `access_token`.
    #[error("the platform's answer holds no token: {excerpt}")]
    Unreadable {
        /// The beginning of the answer.
        excerpt: String,
    },
}

impl TokenError {
    /// A stable word for texts and counters.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused { error, .. } if error.starts_with("invalid_scope") => {
                "token-scope-refused"
            }
            Self::Refused { error, .. } if error.starts_with("invalid_client") => {
                "token-client-refused"
            }
            Self::Refused { .. } => "token-refused",
            Self::Unavailable { .. } => "token-unavailable",
            Self::Unreadable { .. } => "token-unreadable",
        }
    }

    /// Who has to act.
    pub const fn fault(&self) -> Fault {
        match self {
            Self::Refused { .. } => Fault::Configuration,
            Self::Unavailable { .. } | Self::Unreadable { .. } => Fault::Peer,
        }
    }
}

/// Reads the answer whatever its media type (Moodle says `text/html`); `expires_in` may be a
/// number or text, and absent means an hour.
pub fn parse_response(response: &Response, now: DateTime<Utc>) -> Result<AccessToken, TokenError> {
    let body: Option<Value> = serde_json::from_slice(&response.body).ok();
    let object = body.as_ref().and_then(Value::as_object);
    if !response.is_success() {
        if response.status == 429 || response.status >= 500 {
            let retry_after = crate::service::retry_after(response, now);
            return Err(TokenError::Unavailable { status: response.status, retry_after });
        }
        let error = object.map(|object| {
            [json::text(object, "error"), json::text(object, "error_description")]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(": ")
        });
        let error = error.filter(|text| !text.is_empty()).unwrap_or_else(|| response.excerpt());
        let error = error.chars().take(500).collect();
        return Err(TokenError::Refused { status: response.status, error });
    }
    // The excerpt of a success could hold the token: only an answer without one is quoted.
    let token = object.and_then(|object| {
        Some((json::text(object, "access_token")?, json::number(object, "expires_in"), object))
    });
    let Some((secret, seconds, object)) = token else {
        return Err(TokenError::Unreadable { excerpt: response.excerpt() });
    };
    let seconds = seconds.unwrap_or(3600.0).clamp(0.0, 86_400.0) as i64;
    Ok(AccessToken {
        secret,
        expires_at: now + TimeDelta::seconds(seconds),
        renew_at: now + TimeDelta::seconds(seconds - seconds.div_euclid(10)),
        scopes: json::text(object, "scope")
            .map(|text| text.split_whitespace().map(str::to_owned).collect()),
    })
}

/// The wanted scopes that the platform grants, to ask for exactly those (asking for more makes
/// some platforms refuse everything). A read-only scope that is not granted is replaced by the
/// wider one that is: `lineitem` covers `lineitem.readonly`.
pub fn intersect<'a>(
    wanted: impl IntoIterator<Item = &'a str>,
    granted: &[String],
) -> BTreeSet<String> {
    let is_granted = |scope: &str| granted.iter().any(|candidate| candidate == scope);
    wanted
        .into_iter()
        .filter_map(|scope| {
            if is_granted(scope) {
                return Some(scope.to_owned());
            }
            let wider = scope.strip_suffix(".readonly")?;
            is_granted(wider).then(|| wider.to_owned())
        })
        .collect()
}

/// Whether a set of scopes allows what needs `needed`.
pub fn covers(scopes: &BTreeSet<String>, needed: &str) -> bool {
    scopes.contains(needed)
        || needed.strip_suffix(".readonly").is_some_and(|wider| scopes.contains(wider))
}

/// Scopes as one text in a fixed order: the `scope` parameter, and part of a cache key beside the
/// registration.
pub fn scope_text(scopes: &BTreeSet<String>) -> String {
    scopes.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_795_453_632, 0).unwrap_or_default()
    }

    fn answer(status: u16, body: &str) -> Response {
        Response { status, headers: vec![], body: body.as_bytes().to_vec() }
    }

    #[test]
    fn reads_tokens_with_numbers_texts_and_nothing() -> Result<(), TokenError> {
        let token = parse_response(
            &answer(200, r#"{"access_token":"a","expires_in":"3600","scope":"x y"}"#),
            now(),
        )?;
        assert_eq!(token.renew_at - now(), TimeDelta::seconds(3240));
        assert_eq!(token.scopes.map(|scopes| scopes.len()), Some(2));
        assert!(parse_response(&answer(200, r#"{"access_token":"a"}"#), now()).is_ok());
        let code = |status, body: &str| {
            parse_response(&answer(status, body), now()).err().map(|error| error.code())
        };
        assert_eq!(code(400, r#"{"error":"invalid_scope"}"#), Some("token-scope-refused"));
        assert_eq!(code(400, r#"{"error":"Expired token"}"#), Some("token-refused"));
        assert_eq!(code(503, ""), Some("token-unavailable"));
        assert_eq!(code(200, "<html>"), Some("token-unreadable"));
        Ok(())
    }

    #[test]
    fn asks_for_what_is_granted_and_no_more() {
        let granted = [scope::LINE_ITEM.to_owned(), scope::SCORE.to_owned()];
        let wanted = [scope::LINE_ITEM_READ, scope::SCORE, scope::RESULT_READ];
        let scopes = intersect(wanted, &granted);
        assert_eq!(scope_text(&scopes), format!("{} {}", scope::LINE_ITEM, scope::SCORE));
        assert!(covers(&scopes, scope::LINE_ITEM_READ));
        assert!(!covers(&scopes, scope::RESULT_READ));
    }
}
