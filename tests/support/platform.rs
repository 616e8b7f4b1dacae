//! A learning platform of our own: real keys and tokens, real HTTP, every score written down, and
//! every misbehaviour that platforms have.

use std::net::Ipv4Addr;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use passerelle::clock::Clock;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;

use super::{Answer, Browser};

pub(crate) const CLIENT: &str = "client-1";
pub(crate) const DEPLOYMENT: &str = "deployment-1";
pub(crate) const LEARNER: &str = "http://purl.imsglobal.org/vocab/lis/v2/membership#Learner";
pub(crate) const INSTRUCTOR: &str = "http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor";
pub(crate) const INSTITUTION_INSTRUCTOR: &str =
    "http://purl.imsglobal.org/vocab/lis/v2/institution/person#Instructor";

/// Making keys takes long: two for the whole process, the second to change to.
static KEYS: LazyLock<[KeyPair; 2]> = LazyLock::new(|| {
    let make = || KeyPair::generate(KeySize::Rsa2048).expect("an RSA key");
    [make(), make()]
});

/// The name of a claim of LTI.
pub(crate) fn lti(name: &str) -> String {
    format!("https://purl.imsglobal.org/spec/lti/claim/{name}")
}

/// The name of a claim of LTI Advantage.
pub(crate) fn ags() -> String {
    "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint".to_owned()
}

pub(crate) fn deep_linking_settings() -> String {
    "https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings".to_owned()
}

/// A score as it came.
#[derive(Clone, Debug)]
pub(crate) struct Score {
    pub(crate) path: String,
    pub(crate) media_type: String,
    pub(crate) authorization: String,
    pub(crate) body: Value,
}

/// How it misbehaves, and what it saw.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// Which of the two keys is published and signs.
    pub(crate) key: usize,
    /// The key set is answered with this.
    pub(crate) keys_status: Option<u16>,
    pub(crate) keys_delay: Duration,
    pub(crate) keys_fetched: usize,
    /// The key set is this text, of this media type.
    pub(crate) keys_body: Option<(String, &'static str)>,
    /// The next scores are answered with these.
    pub(crate) scores_status: Vec<u16>,
    pub(crate) scores: Vec<Score>,
    pub(crate) tokens_given: usize,
}

#[derive(Clone)]
pub(crate) struct Platform {
    pub(crate) issuer: String,
    clock: Clock,
    record: Arc<Mutex<Record>>,
}

/// A login that the platform was asked to authenticate.
#[derive(Clone, Debug)]
pub(crate) struct Login {
    pub(crate) state: String,
    pub(crate) nonce: String,
    pub(crate) target: String,
}

impl Platform {
    pub(crate) async fn start(clock: Clock) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let issuer = format!("http://{}", listener.local_addr().expect("its address"));
        let platform = Self { issuer, clock, record: Arc::default() };
        let routes = Router::new()
            .route("/keys", get(keys))
            .route("/token", post(token))
            .route("/line-items/{item}/lineitem/scores", post(scores))
            .with_state(platform.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        platform
    }

    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }

    pub(crate) fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The browser follows a link of the platform as far as the platform's authorization endpoint:
    /// login, probe, redirect.
    pub(crate) async fn login(&self, browser: &mut Browser, target: &str) -> Login {
        let fields = self.login_fields(target);
        let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let mut answer = browser.post_from(&self.issuer, "/lti/login", &fields).await;
        if answer.status == StatusCode::SEE_OTHER {
            let again = answer.location().to_owned();
            answer = browser.get(&again).await;
        }
        self.read_login(&answer, target)
    }

    pub(crate) fn login_fields(&self, target: &str) -> Vec<(&'static str, String)> {
        vec![
            ("iss", self.issuer.clone()),
            ("client_id", CLIENT.to_owned()),
            ("login_hint", "4".to_owned()),
            ("lti_message_hint", "{\"cmid\":2}".to_owned()),
            ("lti_deployment_id", DEPLOYMENT.to_owned()),
            ("target_link_uri", target.to_owned()),
        ]
    }

    /// The authentication request in a redirect.
    pub(crate) fn read_login(&self, answer: &Answer, target: &str) -> Login {
        assert_eq!(answer.status, StatusCode::FOUND, "{}", answer.text());
        let url = Url::parse(answer.location()).expect("an address");
        assert!(url.as_str().starts_with(&self.at("/auth?")), "{url}");
        let value = |wanted: &str| {
            let found = url.query_pairs().find(|(name, _)| name == wanted);
            found.unwrap_or_else(|| panic!("no {wanted} in {url}")).1.into_owned()
        };
        assert_eq!(value("client_id"), CLIENT);
        assert_eq!(value("lti_message_hint"), "{\"cmid\":2}");
        Login { state: value("state"), nonce: value("nonce"), target: target.to_owned() }
    }

    /// What the platform says of a learner who opens a link of its course (LTI Core, 5.3).
    pub(crate) fn claims(&self, login: &Login) -> Value {
        let now = self.clock.now().timestamp();
        json!({
            "iss": self.issuer, "aud": CLIENT, "sub": "learner-1",
            "iat": now, "exp": now + 600, "nonce": login.nonce,
            "given_name": "Zoé", "family_name": "Lefèvre", "name": "Zoé Lefèvre",
            "email": "zoe.lefevre@ecole.example", "locale": "fr",
            (lti("version")): "1.3.0",
            (lti("message_type")): "LtiResourceLinkRequest",
            (lti("deployment_id")): DEPLOYMENT,
            (lti("target_link_uri")): login.target,
            (lti("resource_link")): {"id": "link-7", "title": "Cours"},
            (lti("context")): {"id": "context-2", "title": "Parcours", "label": "P2"},
            (lti("roles")): [LEARNER],
            (lti("launch_presentation")): {"return_url": self.at("/course/2"), "locale": "fr"},
            (ags()): {
                "scope": ["https://purl.imsglobal.org/spec/lti-ags/scope/score"],
                "lineitem": self.at("/line-items/7/lineitem?type_id=3"),
            },
        })
    }

    /// Signed with the key that is published.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        let key = self.record().key;
        let header = json!({"typ": "JWT", "alg": "RS256", "kid": key_id(key)});
        sign_with(key, &header, claims)
    }

    /// The launch of a login, its claims changed.
    pub(crate) async fn answer(
        &self,
        browser: &mut Browser,
        login: &Login,
        change: impl FnOnce(&mut Value),
    ) -> Answer {
        let mut claims = self.claims(login);
        change(&mut claims);
        let id_token = self.sign(&claims);
        self.post_launch(browser, &id_token, &login.state).await
    }

    pub(crate) async fn post_launch(
        &self,
        browser: &mut Browser,
        id_token: &str,
        state: &str,
    ) -> Answer {
        let fields = [("id_token", id_token), ("state", state)];
        browser.post_from(&self.issuer, "/lti/launch", &fields).await
    }

    /// Login and launch of what `item` names, such as `course/fixture`.
    pub(crate) async fn launch(
        &self,
        browser: &mut Browser,
        item: &str,
        change: impl FnOnce(&mut Value),
    ) -> Answer {
        let target = format!("http://localhost:8080/lti/open/{item}");
        let login = self.login(browser, &target).await;
        self.answer(browser, &login, change).await
    }
}

/// Another person: subject, given name, family name, address from a number.
pub(crate) fn person(claims: &mut Value, number: usize) {
    claims["sub"] = json!(format!("person-{number}"));
    claims["given_name"] = json!("Karim");
    claims["family_name"] = json!(format!("Numéro {number}"));
    claims["name"] = json!(format!("Karim Numéro {number}"));
    claims["email"] = json!(format!("karim-{number}@ecole.example"));
}

/// Somebody who teaches the course.
pub(crate) fn trainer(claims: &mut Value) {
    claims["sub"] = json!("trainer-1");
    claims["given_name"] = json!("Inès");
    claims["family_name"] = json!("Da Silva");
    claims["name"] = json!("Inès Da Silva");
    claims["email"] = json!("ines@ecole.example");
    claims[lti("roles")] = json!([INSTRUCTOR]);
}

pub(crate) fn key_id(key: usize) -> String {
    format!("key-{key}")
}

pub(crate) fn sign_with(key: usize, header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(header), part(claims));
    let pair = &KEYS[key];
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
        .expect("a signature");
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// Signed as if the public key were a shared secret, the oldest trick (RFC 8725, 2.1).
pub(crate) fn sign_with_public_key_as_secret(claims: &Value) -> String {
    use aws_lc_rs::hmac;
    let header = json!({"typ": "JWT", "alg": "HS256", "kid": key_id(0)});
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(&header), part(claims));
    let secret = KEYS[0].public_key().as_ref();
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), text.as_bytes());
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// The key set with one of the keys.
pub(crate) fn key_set(key: usize) -> Value {
    json!({"keys": [public_key(key)]})
}

/// One of the two keys, as a key set holds it.
pub(crate) fn public_key(key: usize) -> Value {
    let public = KEYS[key].public_key();
    let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    json!({
        "kty": "RSA", "alg": "RS256", "use": "sig", "kid": key_id(key),
        "n": number(public.modulus().big_endian_without_leading_zero()),
        "e": number(public.exponent().big_endian_without_leading_zero()),
    })
}

async fn keys(State(platform): State<Platform>) -> Response {
    let (status, delay, key, body) = {
        let mut record = platform.record();
        record.keys_fetched += 1;
        (record.keys_status, record.keys_delay, record.key, record.keys_body.clone())
    };
    tokio::time::sleep(delay).await;
    if let Some(status) = status.and_then(|status| StatusCode::from_u16(status).ok()) {
        return status.into_response();
    }
    if let Some((text, media_type)) = body {
        return ([(header::CONTENT_TYPE, media_type)], text).into_response();
    }
    Json(key_set(key)).into_response()
}

async fn token(State(platform): State<Platform>, body: String) -> Response {
    let field = |wanted: &str| {
        let mut fields = url::form_urlencoded::parse(body.as_bytes());
        fields.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
    };
    let sound = field("grant_type").as_deref() == Some("client_credentials")
        && field("client_assertion").is_some_and(|jwt| jwt.split('.').count() == 3)
        && field("scope").is_some_and(|scope| scope.ends_with("/scope/score"));
    if !sound {
        return (StatusCode::BAD_REQUEST, Json(json!({"error": "invalid_request"})))
            .into_response();
    }
    platform.record().tokens_given += 1;
    Json(json!({"access_token": "access-1", "token_type": "Bearer", "expires_in": 3600}))
        .into_response()
}

async fn scores(
    State(platform): State<Platform>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> StatusCode {
    let text = |name| {
        headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    };
    let mut record = platform.record();
    if !record.scores_status.is_empty() {
        let status = record.scores_status.remove(0);
        return StatusCode::from_u16(status).expect("a status");
    }
    record.scores.push(Score {
        path: uri.to_string(),
        media_type: text(header::CONTENT_TYPE),
        authorization: text(header::AUTHORIZATION),
        body,
    });
    StatusCode::NO_CONTENT
}
