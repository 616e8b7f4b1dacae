//! Access tokens for platforms' services: one a registration and set of scopes, fetched by one
//! caller at a time, renewed early.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use lti::token::{ASSERTION_TYPE, Assertion, assertion, scope_text};
use oauth2::basic::{BasicClient, BasicErrorResponse};
use oauth2::{
    AuthType, ClientId, HttpRequest, HttpResponse, RequestTokenError, Scope, TokenResponse as _,
    TokenUrl,
};
use tokio::sync::Mutex;

use super::Registration;
use crate::app::App;
use crate::ids::{RegistrationId, Token};
use crate::outbound::OutboundError;

/// A platform that does not say how long its token lives means an hour, most of them.
const DEFAULT_LIFE: Duration = Duration::from_hours(1);

/// One entry a registration and scopes; its lock is what makes fetching single-flight.
#[derive(Default)]
pub struct Tokens {
    entries: Mutex<HashMap<(RegistrationId, String), Entry>>,
}

/// `None` until the first token came, and after one was refused.
type Entry = Arc<Mutex<Option<Held>>>;

struct Held {
    secret: String,
    renew_at: DateTime<Utc>,
}

#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    #[error("there is no key to sign the assertion with")]
    Keys(#[from] super::keys::KeysError),
    #[error("the platform's token endpoint is not an address: {0}")]
    Endpoint(String),
    #[error("the assertion cannot be signed")]
    Sign(#[from] lti::tool_key::ToolKeyError),
    #[error("the token endpoint cannot be reached: {0}")]
    Unreachable(String),
    #[error("the platform gives no token: {0}")]
    Refused(String),
    #[error("the token endpoint's answer makes no sense: {0}")]
    Answer(String),
}

impl TokenError {
    /// A stable word for counters.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Endpoint(_) => "endpoint",
            Self::Keys(_) | Self::Sign(_) => "sign",
            Self::Unreachable(_) => "unreachable",
            Self::Refused(_) => "refused",
            Self::Answer(_) => "answer",
        }
    }
}

impl Tokens {
    /// The access token's secret: kept, or fetched.
    pub async fn access_token(
        &self,
        app: &App,
        registration: &Registration,
        scopes: &BTreeSet<String>,
    ) -> Result<String, TokenError> {
        let entry = self.entry(registration, scopes).await;
        let mut held = entry.lock().await;
        let now = app.clock.now();
        if let Some(held) = held.as_ref().filter(|held| held.renew_at > now) {
            return Ok(held.secret.clone());
        }
        let fetched = fetch(app, registration, scopes).await;
        app.metrics.token(fetched.as_ref().err().map_or("ok", TokenError::code));
        let (secret, life) = fetched?;
        // A tenth before its end, so that none dies on the way.
        let life = TimeDelta::from_std(life.mul_f64(0.9)).unwrap_or(TimeDelta::minutes(50));
        *held = Some(Held { secret: secret.clone(), renew_at: now + life });
        Ok(secret)
    }

    /// The platform refused it: the next caller fetches another.
    pub async fn forget(&self, registration: &Registration, scopes: &BTreeSet<String>) {
        *self.entry(registration, scopes).await.lock().await = None;
    }

    /// Nothing that is kept of the registration is used again: it moved, or is to be checked.
    pub async fn forget_all(&self, registration: RegistrationId) {
        self.entries.lock().await.retain(|(id, _), _| *id != registration);
    }

    async fn entry(&self, registration: &Registration, scopes: &BTreeSet<String>) -> Entry {
        let key = (registration.id, scope_text(scopes));
        self.entries.lock().await.entry(key).or_default().clone()
    }
}

/// Client credentials with a signed assertion (LTI Security Framework 4.1).
async fn fetch(
    app: &App,
    registration: &Registration,
    scopes: &BTreeSet<String>,
) -> Result<(String, Duration), TokenError> {
    let endpoint = TokenUrl::new(registration.token_endpoint.clone())
        .map_err(|error| TokenError::Endpoint(error.to_string()))?;
    let id = Token::random();
    let key = app.keys.signing_for(app, registration.id).await?;
    let signed = assertion(
        &key,
        &Assertion {
            client_id: &registration.client_id,
            audience: registration
                .token_audience
                .as_deref()
                .unwrap_or(&registration.token_endpoint),
            id: id.reveal(),
            now: app.clock.now(),
        },
    )?;
    let client = BasicClient::new(ClientId::new(registration.client_id.clone()))
        .set_token_uri(endpoint)
        .set_auth_type(AuthType::RequestBody);
    let request = client
        .exchange_client_credentials()
        .add_scopes(scopes.iter().cloned().map(Scope::new))
        .add_extra_param("client_assertion_type", ASSERTION_TYPE)
        .add_extra_param("client_assertion", signed);
    let send = |request: HttpRequest| send(app.clone(), request);
    let answer = request.request_async(&send).await.map_err(explain)?;
    Ok((answer.access_token().secret().clone(), answer.expires_in().unwrap_or(DEFAULT_LIFE)))
}

/// A request of the OAuth and OpenID Connect libraries, by way of the one outbound client.
pub(crate) async fn send(app: App, request: HttpRequest) -> Result<HttpResponse, OutboundError> {
    let (parts, body) = request.into_parts();
    let headers: Vec<(String, String)> = parts
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
        .collect();
    let url = parts.uri.to_string();
    let answer = app.outbound.send(parts.method.as_str(), &url, &headers, body).await?;
    let mut response = HttpResponse::new(answer.body.to_vec());
    *response.status_mut() = oauth2::http::StatusCode::from_u16(answer.status).unwrap_or_default();
    // Moodle answers JSON and calls it text/html: what it is decides, not what it is called.
    let json = oauth2::http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(oauth2::http::header::CONTENT_TYPE, json);
    Ok(response)
}

fn explain(error: RequestTokenError<OutboundError, BasicErrorResponse>) -> TokenError {
    match error {
        RequestTokenError::Request(error) => TokenError::Unreachable(error.to_string()),
        RequestTokenError::ServerResponse(answer) => TokenError::Refused(answer.to_string()),
        RequestTokenError::Parse(error, _) => TokenError::Answer(error.to_string()),
        RequestTokenError::Other(text) => TokenError::Answer(text),
    }
}
