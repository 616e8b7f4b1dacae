//! An OpenID Connect provider of our own: discovery, keys, authorization codes that are bound to
//! their PKCE challenge, ID tokens that tests may spoil.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use passerelle::clock::Clock;
use passerelle::config::StaffSignIn;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;
use url::Url;

use super::platform::{key_id, public_key, sign_with};

const CLIENT: &str = "console";
const SECRET: &str = "between-us";

/// A code that was given out and not exchanged.
#[derive(Debug)]
struct Grant {
    challenge: String,
    redirect: String,
    claims: Value,
}

#[derive(Debug, Default)]
pub(crate) struct Record {
    /// Which of the two keys is published and signs.
    pub(crate) key: usize,
    pub(crate) discovered: usize,
    pub(crate) exchanged: usize,
    grants: HashMap<String, Grant>,
}

#[derive(Clone)]
pub(crate) struct IdentityProvider {
    pub(crate) issuer: String,
    clock: Clock,
    record: Arc<Mutex<Record>>,
}

impl IdentityProvider {
    pub(crate) async fn start(clock: Clock) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let issuer = format!("http://{}", listener.local_addr().expect("its address"));
        let provider = Self { issuer, clock, record: Arc::default() };
        let routes = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        provider
    }

    /// With the time of the service that it signs in to.
    pub(crate) fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    pub(crate) fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the service needs to know of it.
    pub(crate) fn configuration(&self) -> StaffSignIn {
        StaffSignIn {
            issuer: self.issuer.clone(),
            client_id: CLIENT.to_owned(),
            client_secret: SECRET.to_owned(),
            name: "l’annuaire".to_owned(),
        }
    }

    /// Somebody signs in with the request in `url`, and the claims about them are changed: the
    /// address that the browser is sent back to.
    pub(crate) fn sign_in(
        &self,
        url: &str,
        subject: &str,
        change: impl FnOnce(&mut Value),
    ) -> String {
        let url = Url::parse(url).expect("an address");
        assert_eq!(url.origin().ascii_serialization(), self.issuer);
        let query: HashMap<String, String> = url.query_pairs().into_owned().collect();
        assert_eq!(query["response_type"], "code");
        assert_eq!(query["client_id"], CLIENT);
        assert_eq!(query["scope"], "openid");
        assert_eq!(query["code_challenge_method"], "S256");
        let now = self.clock.now().timestamp();
        let mut claims = json!({
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": subject,
            "iat": now,
            "exp": now + 300,
            "nonce": query["nonce"],
            // Nothing that signs anybody in.
            "email": "ada@example.org",
            "email_verified": true,
        });
        change(&mut claims);
        let code = passerelle::ids::label();
        let grant = Grant {
            challenge: query["code_challenge"].clone(),
            redirect: query["redirect_uri"].clone(),
            claims,
        };
        self.record().grants.insert(code.clone(), grant);
        let answer = [
            ("code", code.as_str()),
            ("state", query["state"].as_str()),
            ("iss", self.issuer.as_str()),
        ];
        Url::parse_with_params(&query["redirect_uri"], answer).expect("an address").to_string()
    }
}

async fn discovery(State(provider): State<IdentityProvider>) -> Response {
    provider.record().discovered += 1;
    let at = |path: &str| format!("{}{path}", provider.issuer);
    Json(json!({
        "issuer": provider.issuer,
        "authorization_endpoint": at("/authorize"),
        "token_endpoint": at("/token"),
        "jwks_uri": at("/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "HS256"],
    }))
    .into_response()
}

async fn keys(State(provider): State<IdentityProvider>) -> Response {
    let key = provider.record().key;
    Json(json!({"keys": [public_key(key)]})).into_response()
}

async fn token(
    State(provider): State<IdentityProvider>,
    headers: HeaderMap,
    body: String,
) -> Response {
    let fields: HashMap<String, String> =
        url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let field = |name: &str| fields.get(name).map_or("", String::as_str);
    let known = format!("Basic {}", STANDARD.encode(format!("{CLIENT}:{SECRET}")));
    let client = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let mut record = provider.record();
    record.exchanged += 1;
    // A code works once, whoever brings it.
    let grant = record.grants.remove(field("code"));
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(field("code_verifier").as_bytes()));
    let sound = client == Some(known.as_str()) && field("grant_type") == "authorization_code";
    let grant = grant.filter(|grant| {
        sound && grant.challenge == challenge && grant.redirect == field("redirect_uri")
    });
    let Some(grant) = grant else {
        return (StatusCode::BAD_REQUEST, Json(json!({"error": "invalid_grant"}))).into_response();
    };
    let header = json!({"typ": "JWT", "alg": "RS256", "kid": key_id(record.key)});
    let id_token = sign_with(record.key, &header, &grant.claims);
    Json(json!({
        "access_token": "nothing-we-use",
        "token_type": "Bearer",
        "expires_in": 300,
        "id_token": id_token,
    }))
    .into_response()
}
