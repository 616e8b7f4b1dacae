//! Keys and access tokens: client credentials with a signed assertion (LTI security
//! framework 1.0, 4.1; RFC 7523).
//!
//! Stricter than a Moodle in two points, so that a mistake of the tool shows: `aud` must
//! name this endpoint (or the issuer), and an assertion is accepted once.

use std::{collections::HashMap, sync::Arc};

use axum::{
    Json,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Duration};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use serde_json::{Value, json};

use super::{Platform, claims::SCOPES, keys::random_text, state::AccessToken};

/// Keys of a tool larger than this are not read.
const KEY_SET_LIMIT: usize = 512 * 1024;
/// Seconds a token lives.
const LIFE: i64 = 3600;
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The public keys.
pub(super) async fn keys(State(platform): State<Arc<Platform>>) -> Json<Value> {
    let (huge, empty) = {
        let faults = &platform.state().faults;
        (faults.huge_key_set, faults.empty_key_set)
    };
    if empty {
        return Json(json!({ "keys": [] }));
    }
    let mut set = platform.keys().jwks();
    if huge && let Some(keys) = set.get_mut("keys").and_then(Value::as_array_mut) {
        let filler = "A".repeat(1024);
        keys.extend((0..8 * 1024).map(|number| {
            json!({ "kty": "RSA", "alg": "RS256", "kid": format!("x{number}"), "n": filler, "e": "AQAB" })
        }));
    }
    Json(set)
}

/// Why no token is given; the text goes out as `error`.
#[derive(Debug, thiserror::Error)]
enum TokenRefusal {
    #[error("invalid_request")]
    Request,
    #[error("unsupported_grant_type")]
    GrantType,
    #[error("invalid_client")]
    Client,
    #[error("invalid_scope")]
    Scope,
    #[error("error/Error: kid must be provided in JWT header.")]
    NoKid,
    #[error("error/Incorrect alg")]
    Algorithm,
    #[error("error/The tool's keys cannot be read: {0}")]
    Keys(String),
    #[error("error/\"kid\" invalid, unable to lookup correct key")]
    UnknownKid,
    #[error("Signature verification failed")]
    Signature,
    #[error("Expired token")]
    Expired,
    #[error("Cannot handle token with iat prior to {0}")]
    IssuedInFuture(String),
    #[error("Cannot handle token prior to {0}")]
    NotYetValid(String),
    #[error("error/aud must be the token endpoint or the issuer")]
    Audience,
    #[error("error/sub and iss must be the client id")]
    Subject,
    #[error("error/jti missing or used before")]
    Replayed,
    #[error("server_error")]
    Internal,
}

/// Gives an access token. The answer is JSON under `text/html`, as a Moodle sends it.
pub(super) async fn issue(
    State(platform): State<Arc<Platform>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (status, answer) = match grant(&platform, &headers, &body).await {
        Ok(answer) => (StatusCode::OK, answer),
        Err(refusal) => (StatusCode::BAD_REQUEST, json!({ "error": refusal.to_string() })),
    };
    let text = format!("{answer:#}");
    (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response()
}

async fn grant(
    platform: &Platform,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Value, TokenRefusal> {
    let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media = media.and_then(|value| value.split(';').next()).map(str::trim);
    if media != Some("application/x-www-form-urlencoded") {
        return Err(TokenRefusal::Request);
    }
    let form: HashMap<String, String> = url::form_urlencoded::parse(body).into_owned().collect();
    let field = |name: &str| form.get(name).map(String::as_str).ok_or(TokenRefusal::Request);
    if field("grant_type")? != "client_credentials" {
        return Err(TokenRefusal::GrantType);
    }
    if field("client_assertion_type")? != ASSERTION_TYPE {
        return Err(TokenRefusal::Request);
    }
    let assertion = field("client_assertion")?;
    let asked = field("scope")?;
    let tool_id = authenticate(platform, assertion).await?;
    let scopes: Vec<String> = asked
        .split_whitespace()
        .filter(|scope| SCOPES.contains(scope))
        .map(ToOwned::to_owned)
        .collect();
    if scopes.is_empty() {
        return Err(TokenRefusal::Scope);
    }
    let token = random_text().map_err(|_| TokenRefusal::Internal)?;
    let now = platform.now();
    let mut state = platform.state();
    let life = state.faults.access_token_seconds.unwrap_or(LIFE);
    state.access_tokens.retain(|_, token| token.expires_at > now);
    let scope = scopes.join(" ");
    state.access_tokens.insert(
        token.clone(),
        AccessToken {
            tool: tool_id,
            scopes,
            expires_at: now
                .checked_add_signed(Duration::try_seconds(life).unwrap_or_default())
                .unwrap_or(now),
        },
    );
    Ok(json!({
        "access_token": token,
        "token_type": "Bearer",
        // A tool told "0 seconds" would not even try: the lie is what makes the fault.
        "expires_in": if life > 0 { life } else { LIFE },
        "scope": scope,
    }))
}

/// Checks the assertion and returns the tool's id.
async fn authenticate(platform: &Platform, assertion: &str) -> Result<u64, TokenRefusal> {
    let header = decode_header(assertion).map_err(|_| TokenRefusal::Request)?;
    let unverified: Value = jsonwebtoken::dangerous::insecure_decode::<Value>(assertion)
        .map_err(|_| TokenRefusal::Request)?
        .claims;
    let client_id = unverified.get("sub").and_then(Value::as_str).ok_or(TokenRefusal::Client)?;
    let (tool_id, jwks_url, cached) = {
        let state = platform.state();
        let tool = state
            .tools
            .values()
            .find(|tool| tool.client_id == client_id && tool.active)
            .ok_or(TokenRefusal::Client)?;
        (tool.id, tool.jwks_url.clone(), tool.keys.clone())
    };
    let kid = header.kid.ok_or(TokenRefusal::NoKid)?;
    if header.alg != Algorithm::RS256 {
        return Err(TokenRefusal::Algorithm);
    }
    let known = cached.and_then(|keys| signed_claims(assertion, &kid, &keys).ok());
    let claims = if let Some(claims) = known {
        claims
    } else {
        // The keys may have changed since they were last fetched.
        let keys = fetch_keys(platform, &jwks_url).await.map_err(TokenRefusal::Keys)?;
        let claims = signed_claims(assertion, &kid, &keys)?;
        if let Some(tool) = platform.state().tools.get_mut(&tool_id) {
            tool.keys = Some(keys);
        }
        claims
    };
    check_assertion(platform, client_id, &claims)?;
    Ok(tool_id)
}

/// Signature only; times are checked against Campus's own clock.
pub(super) fn verify(token: &str, kid: &str, keys: &JwkSet) -> Option<Value> {
    signed_claims(token, kid, keys).ok()
}

fn signed_claims(token: &str, kid: &str, keys: &JwkSet) -> Result<Value, TokenRefusal> {
    let jwk = keys.find(kid).ok_or(TokenRefusal::UnknownKid)?;
    let key = DecodingKey::from_jwk(jwk).map_err(|error| TokenRefusal::Keys(error.to_string()))?;
    let mut rules = Validation::new(Algorithm::RS256);
    rules.validate_exp = false;
    rules.validate_aud = false;
    rules.required_spec_claims.clear();
    decode::<Value>(token, &key, &rules)
        .map(|data| data.claims)
        .map_err(|_| TokenRefusal::Signature)
}

/// RFC 7523, 3: times with no leeway at all, subject, audience, single use.
fn check_assertion(
    platform: &Platform,
    client_id: &str,
    claims: &Value,
) -> Result<(), TokenRefusal> {
    let now = platform.now();
    let seconds = now.timestamp();
    let time = |name: &str| {
        let value = claims.get(name)?;
        value.as_i64().or_else(|| value.as_f64().map(|value| value as i64))
    };
    let written =
        |at: i64| DateTime::from_timestamp(at, 0).map(|at| at.to_rfc3339()).unwrap_or_default();
    if let Some(not_before) = time("nbf").filter(|at| *at > seconds) {
        return Err(TokenRefusal::NotYetValid(written(not_before)));
    }
    if let Some(issued) = time("iat").filter(|at| *at > seconds) {
        return Err(TokenRefusal::IssuedInFuture(written(issued)));
    }
    if time("exp").is_none_or(|expires| expires <= seconds) {
        return Err(TokenRefusal::Expired);
    }
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("sub") != Some(client_id) || text("iss") != Some(client_id) {
        return Err(TokenRefusal::Subject);
    }
    let endpoint = platform.url("/lti/token");
    let named = |value: &Value| {
        value.as_str().is_some_and(|aud| aud == endpoint || aud == platform.public_url)
    };
    let audience = match claims.get("aud") {
        Some(Value::Array(all)) => all.iter().any(named),
        Some(one) => named(one),
        None => false,
    };
    if !audience {
        return Err(TokenRefusal::Audience);
    }
    let jti = text("jti").filter(|jti| !jti.is_empty()).ok_or(TokenRefusal::Replayed)?;
    let mut state = platform.state();
    state.assertion_ids.retain(|_, forget| *forget > now);
    let until = now + Duration::hours(1);
    if state.assertion_ids.insert(format!("{client_id} {jti}"), until).is_some() {
        return Err(TokenRefusal::Replayed);
    }
    Ok(())
}

/// Reads a tool's published keys; the error is a text for the tool's developer.
pub(super) async fn fetch_keys(platform: &Platform, url: &str) -> Result<JwkSet, String> {
    let mut response =
        platform.http.get(url).send().await.map_err(|error| format!("{url}: {error}"))?;
    if !response.status().is_success() {
        return Err(format!("{url} answered {}", response.status()));
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| format!("{url}: {error}"))? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > KEY_SET_LIMIT {
            return Err(format!("{url}: more than {KEY_SET_LIMIT} bytes"));
        }
    }
    serde_json::from_slice(&bytes).map_err(|error| format!("{url}: {error}"))
}
