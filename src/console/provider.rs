//! Signing in with an OpenID Connect provider (OpenID Connect Core 1.0, authorization code flow
//! with PKCE, RFC 7636).
//!
//! Nothing is stored for a sign-in that is under way: the state is signed, and state, nonce and
//! code verifier are derived from a token that only the browser's cookie holds.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreIdToken, CoreJwsSigningAlgorithm,
    CoreProviderMetadata,
};
use openidconnect::{
    AuthType, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret, CsrfToken,
    HttpRequest, IssuerUrl, Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
    RequestTokenError, SignatureVerificationError, TokenResponse as _,
};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::app::App;
use crate::config::StaffSignIn;
use crate::ids::{StaffLinkId, Token};
use crate::platforms::tokens;
use crate::web::guard;

/// How long what the provider publishes is kept.
const KEEP: TimeDelta = TimeDelta::hours(1);
/// For a key that is not known: the provider is asked again, at most this often.
const ASK_AGAIN: TimeDelta = TimeDelta::seconds(30);
/// How long somebody may take at the provider.
const LIFE: TimeDelta = TimeDelta::minutes(10);
/// How far the provider's clock may be behind ours.
const LEEWAY: TimeDelta = TimeDelta::seconds(60);

/// The signatures that count: all of them the provider's own. One made with the client's secret
/// (HS256) would prove nothing that the secret's other holders could not claim.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 8] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
];

/// What the provider publishes: cached, and fetched by one caller at a time.
#[derive(Default)]
pub struct Provider {
    held: Mutex<Option<Held>>,
}

struct Held {
    metadata: Arc<CoreProviderMetadata>,
    fetched_at: DateTime<Utc>,
}

#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    #[error("no provider is configured")]
    NotConfigured,
    #[error("the provider cannot be reached, or what it publishes makes no sense: {0}")]
    Away(String),
    #[error("our own address is not one that can be redirected to")]
    OwnAddress,
    #[error("the sign-in was begun in another browser, or too long ago")]
    State,
    #[error("the provider gives no token: {0}")]
    Refused(String),
    #[error("the provider answered without an ID token")]
    NoToken,
    #[error("the ID token does not hold: {0}")]
    Token(#[from] ClaimsVerificationError),
}

/// Whom the provider vouches for, and what the sign-in was begun for.
#[derive(Debug)]
pub struct Vouched {
    pub issuer: String,
    pub subject: String,
    pub invitation: Option<StaffLinkId>,
    pub next: String,
}

/// What the state carries through the provider: neither is a secret.
#[derive(Serialize, Deserialize)]
struct Carried {
    invitation: Option<StaffLinkId>,
    next: String,
    until: i64,
}

/// What the provider sends the browser back with.
#[derive(Debug, Deserialize)]
pub struct Returned {
    pub code: Option<String>,
    pub state: Option<String>,
    /// The provider's word for its refusal.
    pub error: Option<String>,
    /// RFC 9207: which provider answers.
    pub iss: Option<String>,
}

/// Where to send the browser that holds `browser` in its cookie.
pub async fn authorization(
    app: &App,
    browser: &Token,
    invitation: Option<StaffLinkId>,
    next: &str,
) -> Result<String, ProviderError> {
    let config = app.config.staff_sign_in.as_ref().ok_or(ProviderError::NotConfigured)?;
    let metadata = app.staff_provider.metadata(app, config, KEEP).await?;
    let until = (app.clock.now() + LIFE).timestamp();
    let carried = Carried { invitation, next: next.to_owned(), until };
    let state = sign(app, browser, &carried);
    let nonce = derived(app, browser, "nonce");
    let verifier = PkceCodeVerifier::new(derived(app, browser, "verifier"));
    let client = CoreClient::from_provider_metadata(
        metadata.as_ref().clone(),
        ClientId::new(config.client_id.clone()),
        None,
    )
    .set_redirect_uri(redirect(app)?);
    let (url, _, _) = client
        .authorize_url(
            CoreAuthenticationFlow::AuthorizationCode,
            || CsrfToken::new(state),
            || Nonce::new(nonce),
        )
        .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
        .url();
    Ok(url.to_string())
}

/// Reads the answer that the browser brought back: exchanges the code, verifies the ID token.
pub async fn vouched(
    app: &App,
    browser: &Token,
    returned: Returned,
) -> Result<Vouched, ProviderError> {
    let config = app.config.staff_sign_in.as_ref().ok_or(ProviderError::NotConfigured)?;
    let state = returned.state.as_deref().ok_or(ProviderError::State)?;
    let carried = read(app, browser, state).ok_or(ProviderError::State)?;
    // RFC 9207, 2.4: an answer of another provider is none.
    if returned.iss.is_some_and(|issuer| issuer != config.issuer) {
        return Err(ProviderError::State);
    }
    let Some(code) = returned.code else {
        let known = returned.error.filter(|error| {
            error.len() <= 40 && error.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
        });
        return Err(ProviderError::Refused(known.unwrap_or_default()));
    };
    let metadata = app.staff_provider.metadata(app, config, KEEP).await?;
    let id_token = exchange(app, config, &metadata, browser, code).await?;
    let nonce = Nonce::new(derived(app, browser, "nonce"));
    let now = app.clock.now();
    let subject = match verify(config, &metadata, &id_token, &nonce, now) {
        // The provider may have changed its keys since we looked.
        Err(ClaimsVerificationError::SignatureVerification(
            SignatureVerificationError::NoMatchingKey,
        )) => {
            let metadata = app.staff_provider.metadata(app, config, ASK_AGAIN).await?;
            verify(config, &metadata, &id_token, &nonce, now)?
        }
        verified => verified?,
    };
    let Carried { invitation, next, .. } = carried;
    Ok(Vouched { issuer: config.issuer.clone(), subject, invitation, next })
}

async fn exchange(
    app: &App,
    config: &StaffSignIn,
    metadata: &CoreProviderMetadata,
    browser: &Token,
    code: String,
) -> Result<CoreIdToken, ProviderError> {
    // OpenID Connect Discovery 1.0, 3: a provider that names no method takes the Basic one.
    let basic = metadata
        .token_endpoint_auth_methods_supported()
        .is_none_or(|methods| methods.contains(&CoreClientAuthMethod::ClientSecretBasic));
    let client = CoreClient::from_provider_metadata(
        metadata.clone(),
        ClientId::new(config.client_id.clone()),
        Some(ClientSecret::new(config.client_secret.clone())),
    )
    .set_auth_type(if basic { AuthType::BasicAuth } else { AuthType::RequestBody })
    .set_redirect_uri(redirect(app)?);
    let send = |request: HttpRequest| tokens::send(app.clone(), request);
    let answer = client
        .exchange_code(AuthorizationCode::new(code))
        .map_err(|_| ProviderError::Away("it names no token endpoint".to_owned()))?
        .set_pkce_verifier(PkceCodeVerifier::new(derived(app, browser, "verifier")))
        .request_async(&send)
        .await
        .map_err(|error| match error {
            RequestTokenError::Request(error) => ProviderError::Away(error.to_string()),
            RequestTokenError::ServerResponse(answer) => {
                ProviderError::Refused(answer.error().to_string())
            }
            RequestTokenError::Parse(error, _) => ProviderError::Away(error.to_string()),
            RequestTokenError::Other(text) => ProviderError::Away(text),
        })?;
    answer.id_token().cloned().ok_or(ProviderError::NoToken)
}

/// The subject of an ID token that holds (OpenID Connect Core 1.0, 3.1.3.7): issuer, audience,
/// signature, expiry, nonce.
fn verify(
    config: &StaffSignIn,
    metadata: &CoreProviderMetadata,
    id_token: &CoreIdToken,
    nonce: &Nonce,
    now: DateTime<Utc>,
) -> Result<String, ClaimsVerificationError> {
    let client = CoreClient::from_provider_metadata(
        metadata.clone(),
        ClientId::new(config.client_id.clone()),
        None,
    );
    let verifier =
        client.id_token_verifier().set_allowed_algs(ALGORITHMS).set_time_fn(move || now - LEEWAY);
    let claims = id_token.claims(&verifier, nonce)?;
    Ok(claims.subject().as_str().to_owned())
}

impl Provider {
    /// Fetches what the provider publishes, for `doctor`.
    pub async fn check(&self, app: &App) -> Result<(), ProviderError> {
        let config = app.config.staff_sign_in.as_ref().ok_or(ProviderError::NotConfigured)?;
        self.metadata(app, config, TimeDelta::zero()).await.map(drop)
    }

    /// What the provider publishes, not older than `age`.
    async fn metadata(
        &self,
        app: &App,
        config: &StaffSignIn,
        age: TimeDelta,
    ) -> Result<Arc<CoreProviderMetadata>, ProviderError> {
        let mut held = self.held.lock().await;
        let now = app.clock.now();
        if let Some(held) = held.as_ref().filter(|held| held.fetched_at + age > now) {
            return Ok(held.metadata.clone());
        }
        let issuer = IssuerUrl::new(config.issuer.clone())
            .map_err(|error| ProviderError::Away(error.to_string()))?;
        let send = |request: HttpRequest| tokens::send(app.clone(), request);
        let metadata = CoreProviderMetadata::discover_async(issuer, &send)
            .await
            .map_err(|error| ProviderError::Away(chain(&error)))?;
        let metadata = Arc::new(metadata);
        *held = Some(Held { metadata: metadata.clone(), fetched_at: now });
        Ok(metadata)
    }
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

fn redirect(app: &App) -> Result<RedirectUrl, ProviderError> {
    RedirectUrl::new(app.config.public("/console/sign-in/callback"))
        .map_err(|_| ProviderError::OwnAddress)
}

/// 256 bits that only we can tell from the browser's token: 43 characters, as PKCE asks for at
/// least (RFC 7636, 4.1).
fn derived(app: &App, browser: &Token, purpose: &str) -> String {
    guard::form_token(app.keys.form(), browser.reveal(), &format!("staff-provider/{purpose}"))
}

fn sign(app: &App, browser: &Token, carried: &Carried) -> String {
    let payload = serde_json::to_vec(carried).unwrap_or_default();
    let payload = URL_SAFE_NO_PAD.encode(payload);
    let mark = derived(app, browser, &format!("state/{payload}"));
    format!("{payload}.{mark}")
}

fn read(app: &App, browser: &Token, state: &str) -> Option<Carried> {
    let (payload, mark) = state.split_once('.')?;
    let about = format!("staff-provider/state/{payload}");
    guard::check_form_token(app.keys.form(), browser.reveal(), &about, mark).ok()?;
    let carried: Carried = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    (carried.until > app.clock.now().timestamp()).then_some(carried)
}
