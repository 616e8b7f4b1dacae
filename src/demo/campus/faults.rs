//! Misbehaviour on demand, for trying how a tool copes with a bad platform.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{Html, IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Platform, state::ServiceCall};

/// What a tool calls on Campus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    Authorization,
    Keys,
    Token,
    LineItems,
    Scores,
    Results,
    Memberships,
    Groups,
    Configuration,
    Registration,
}

impl Endpoint {
    fn of(path: &str) -> Option<Self> {
        let path = path.strip_prefix("/lti/")?;
        match path {
            "auth" => Some(Self::Authorization),
            "certs" => Some(Self::Keys),
            "token" => Some(Self::Token),
            "openid-configuration" => Some(Self::Configuration),
            "openid-registration" => Some(Self::Registration),
            _ => {
                let service = path.strip_prefix("services/")?;
                if service.ends_with("/groups") {
                    Some(Self::Groups)
                } else if service.starts_with("CourseSection/") {
                    Some(Self::Memberships)
                } else if service.ends_with("/scores") {
                    Some(Self::Scores)
                } else if service.ends_with("/results") {
                    Some(Self::Results)
                } else {
                    Some(Self::LineItems)
                }
            }
        }
    }

    /// Whether a call shows in the log of service calls.
    fn is_service(self) -> bool {
        self != Self::Authorization
    }
}

/// Answers that are replaced by an error.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Failure {
    pub status: u16,
    /// How many of the next calls; each one counts down.
    pub times: u32,
    /// Seconds for a `Retry-After` header.
    #[serde(default)]
    pub retry_after: Option<u32>,
    /// Do the work and then hide it behind the error, as a broken proxy would.
    #[serde(default)]
    pub after_the_work: bool,
}

/// What is wrong with the id_tokens.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TokenFaults {
    /// Seconds added to `iat` and `exp`; -3600 makes expired tokens.
    pub clock_skew: i64,
    pub no_kid: bool,
    pub unknown_kid: bool,
    /// Sign with a key that is published nowhere, under the current kid.
    pub foreign_signature: bool,
    /// Claims left out, by name.
    pub drop_claims: Vec<String>,
    /// Claims put in or replaced.
    pub set_claims: Map<String, Value>,
}

/// Everything that can be wrong. The default is a platform that works.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Faults {
    /// Milliseconds waited before a call is handled.
    pub delays: BTreeMap<Endpoint, u64>,
    pub failures: BTreeMap<Endpoint, Failure>,
    /// Endpoints whose answers come as `text/plain`.
    pub wrong_content_type: BTreeSet<Endpoint>,
    /// Endpoints that answer 200 with this text instead, as HTML: a maintenance page, a proxy's
    /// sign-in, half a document.
    pub replaced: BTreeMap<Endpoint, String>,
    /// Publish some megabytes of keys.
    pub huge_key_set: bool,
    pub empty_key_set: bool,
    /// `expires_in` of access tokens; 0 makes them expired on arrival. Default 3600.
    pub access_token_seconds: Option<i64>,
    /// How many of the next bearer tokens are refused with 401 though valid.
    pub refuse_bearer: u32,
    /// NRPS answers at most this many members a page, whatever was asked.
    pub page_size: Option<usize>,
    /// The links between NRPS pages in curly quotes, as a Moodle writes those between columns.
    pub curly_links: bool,
    /// Names escaped for HTML in NRPS, as a Moodle does.
    pub escaped_names: bool,
    /// Somebody who left: NRPS no longer lists them.
    pub gone: BTreeSet<u64>,
    /// Offer the groups service, which a Moodle does not have.
    pub groups: bool,
    pub id_token: TokenFaults,
}

impl Faults {
    /// Takes one use of a failure, if one is armed.
    fn next_failure(&mut self, endpoint: Endpoint) -> Option<Failure> {
        let failure = self.failures.get_mut(&endpoint)?;
        if failure.times == 0 {
            return None;
        }
        failure.times -= 1;
        Some(*failure)
    }
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> String {
    headers
        .get(name)
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .unwrap_or_default()
}

/// Delays, breaks and logs the calls of a tool.
pub(super) async fn inject(
    State(platform): State<Arc<Platform>>,
    request: Request,
    next: Next,
) -> Response {
    let Some(endpoint) = Endpoint::of(request.uri().path()) else {
        return next.run(request).await;
    };
    let started = Instant::now();
    let mut call = ServiceCall {
        at: platform.now(),
        method: request.method().to_string(),
        path: request.uri().path_and_query().map(ToString::to_string).unwrap_or_default(),
        accept: text(request.headers(), header::ACCEPT),
        content_type: text(request.headers(), header::CONTENT_TYPE),
        user_agent: text(request.headers(), header::USER_AGENT),
        status: 0,
        took: 0,
    };
    let (delay, failure, wrong_type, replaced) = {
        let faults = &mut platform.state().faults;
        (
            faults.delays.get(&endpoint).copied().unwrap_or(0),
            faults.next_failure(endpoint),
            faults.wrong_content_type.contains(&endpoint),
            faults.replaced.get(&endpoint).cloned(),
        )
    };
    if delay > 0 {
        tokio::time::sleep(Duration::from_millis(delay)).await;
    }
    let mut response = match (failure, replaced) {
        (Some(failure), _) => {
            if failure.after_the_work {
                next.run(request).await;
            }
            broken(failure)
        }
        (None, Some(text)) => Html(text).into_response(),
        (None, None) => next.run(request).await,
    };
    if wrong_type {
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    }
    if endpoint.is_service() {
        call.status = response.status().as_u16();
        call.took = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        platform.state().log_call(call);
    }
    response
}

fn broken(failure: Failure) -> Response {
    let status = StatusCode::from_u16(failure.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, Body::from("<!DOCTYPE html><title>Erreur</title>")).into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    if let Some(seconds) = failure.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
