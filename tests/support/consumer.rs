//! An LMS of the old kind: a key and a secret, forms signed with it, and an outcome service that
//! checks the signature and the hash of what it is sent.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use lti::oauth1::{SignatureMethod, base_string, sign, verify};
use passerelle::clock::Clock;
use passerelle::ids::label;
use passerelle::{platforms, tenants};
use tokio::net::TcpListener;
use url::Url;

use super::browser::From;
use super::{Answer, Browser, Service};

pub(crate) const LAUNCH: &str = "/lti/1.1/launch";

/// The fields of a form, in order.
pub(crate) type Fields = Vec<(String, String)>;

pub(crate) fn set(fields: &mut Fields, name: &str, value: &str) {
    remove(fields, name);
    fields.push((name.to_owned(), value.to_owned()));
}

pub(crate) fn remove(fields: &mut Fields, name: &str) {
    fields.retain(|(field, _)| field != name);
}

/// How its outcome service misbehaves, and what it took.
#[derive(Debug, Default)]
pub(crate) struct Outcomes {
    /// It rebuilds the signed address without the port, as Moodle does.
    pub(crate) forgets_port: bool,
    /// The next calls are answered with these.
    pub(crate) statuses: Vec<u16>,
    /// What it says of every result instead of taking it.
    pub(crate) failure: Option<&'static str>,
    pub(crate) calls: usize,
    /// (sourcedid, score, how it was authorised).
    pub(crate) taken: Vec<(String, f64, String)>,
}

#[derive(Clone)]
pub(crate) struct Consumer {
    pub(crate) origin: String,
    pub(crate) key: String,
    pub(crate) secret: String,
    clock: Clock,
    outcomes: Arc<Mutex<Outcomes>>,
}

impl Consumer {
    /// Registered with the service's tenant, which lets LTI 1.1 in.
    pub(crate) async fn start(service: &Service) -> Self {
        let now = service.clock.now();
        let mut tx = service.app.db.write().await.expect("a transaction");
        let tenant = tenants::first(&mut tx).await.expect("tenants").expect("one");
        tenants::set_legacy_lti(&mut tx, tenant.id, true).await.expect("turned on");
        let added = platforms::legacy::add(&mut tx, tenant.id, "Ancienne plateforme", now).await;
        let added = added.expect("added");
        tx.commit().await.expect("the commit");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let consumer = Self {
            origin: format!("http://{}", listener.local_addr().expect("its address")),
            key: added.key,
            secret: added.secret.reveal().to_owned(),
            clock: service.clock.clone(),
            outcomes: Arc::default(),
        };
        let routes = Router::new()
            .route("/outcomes", post(take))
            .route("/token", post(token))
            .with_state(consumer.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        consumer
    }

    pub(crate) fn outcomes(&self) -> MutexGuard<'_, Outcomes> {
        self.outcomes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it says of a learner who opens a link of its course (LTI 1.1.1, 3).
    pub(crate) fn fields(&self) -> Fields {
        let timestamp = self.clock.now().timestamp().to_string();
        let (back, service) = (self.at("/course/2"), self.at("/outcomes"));
        let nonce = label();
        [
            ("lti_message_type", "basic-lti-launch-request"),
            ("lti_version", "LTI-1p0"),
            ("resource_link_id", "link-77"),
            ("user_id", "user-9"),
            ("roles", "Learner"),
            ("lis_person_name_full", "Éloïse Lefèvre"),
            ("lis_person_contact_email_primary", "eloise@ecole.example"),
            ("context_id", "102"),
            ("context_title", "Biologie"),
            ("launch_presentation_return_url", &back),
            ("launch_presentation_locale", "fr"),
            ("tool_consumer_info_product_family_code", "moodle"),
            ("lis_result_sourcedid", r#"{"data":{"instanceid":"7"},"hash":"<5c>"}"#),
            ("lis_outcome_service_url", &service),
            ("custom_passerelle_item", "course/fixture"),
            ("oauth_consumer_key", &self.key),
            ("oauth_nonce", &nonce),
            ("oauth_timestamp", &timestamp),
            ("oauth_signature_method", "HMAC-SHA1"),
            ("oauth_version", "1.0"),
            ("oauth_callback", "about:blank"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// Signs the form for an address of the service, by the method that it names.
    pub(crate) fn sign(&self, path: &str, fields: &mut Fields) {
        let url = Url::parse(&format!("http://localhost:8080{path}")).expect("an address");
        let named = fields.iter().find(|(name, _)| name == "oauth_signature_method");
        let method = named.and_then(|(_, value)| SignatureMethod::parse(value));
        let base = base_string("POST", &url, fields);
        let method = method.unwrap_or(SignatureMethod::HmacSha1);
        set(fields, "oauth_signature", &sign(method, &self.secret, &base));
    }

    pub(crate) async fn post(&self, browser: &mut Browser, path: &str, fields: &Fields) -> Answer {
        // Rows are told apart by their instant.
        self.clock.advance(TimeDelta::milliseconds(1));
        let form =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        browser.request(Method::POST, path, From::Site(&self.origin), Some(form)).await
    }

    /// A form, changed and signed.
    pub(crate) async fn launch_at(
        &self,
        browser: &mut Browser,
        path: &str,
        change: impl FnOnce(&mut Fields),
    ) -> Answer {
        let mut fields = self.fields();
        change(&mut fields);
        self.sign(path, &mut fields);
        self.post(browser, path, &fields).await
    }

    pub(crate) async fn launch(
        &self,
        browser: &mut Browser,
        change: impl FnOnce(&mut Fields),
    ) -> Answer {
        self.launch_at(browser, LAUNCH, change).await
    }

    /// A launch, followed to the page that it opens; that page's path.
    pub(crate) async fn open(
        &self,
        browser: &mut Browser,
        change: impl FnOnce(&mut Fields),
    ) -> String {
        let answer = self.launch(browser, change).await.expect(303);
        if !answer.location().starts_with("/lti/continue/") {
            return answer.location().to_owned();
        }
        browser.get(answer.location()).await.expect(303).location().to_owned()
    }
}

fn envelope(major: &str, description: &str) -> Response {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><imsx_POXEnvelopeResponse \
         xmlns=\"http://www.imsglobal.org/services/ltiv1p1/xsd/imsoms_v1p0\"><imsx_POXHeader>\
         <imsx_POXResponseHeaderInfo><imsx_version>V1.0</imsx_version><imsx_statusInfo>\
         <imsx_codeMajor>{major}</imsx_codeMajor><imsx_severity>status</imsx_severity>\
         <imsx_description>{description}</imsx_description></imsx_statusInfo>\
         </imsx_POXResponseHeaderInfo></imsx_POXHeader><imsx_POXBody/></imsx_POXEnvelopeResponse>"
    );
    // Moodle calls it so.
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], body).into_response()
}

async fn take(State(consumer): State<Consumer>, headers: HeaderMap, body: String) -> Response {
    let mut outcomes = consumer.outcomes();
    outcomes.calls += 1;
    if !outcomes.statuses.is_empty() {
        let status = outcomes.statuses.remove(0);
        return StatusCode::from_u16(status).expect("a status").into_response();
    }
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let authorization = authorization.unwrap_or_default();
    let bearer = authorization == "Bearer access-bo";
    if !bearer && !is_signed(&consumer, outcomes.forgets_port, authorization, &body) {
        return envelope("failure", "Message signature not valid");
    }
    if let Some(failure) = outcomes.failure {
        return envelope("failure", failure);
    }
    let text = |tag: &str| {
        let rest = body.split_once(&format!("<{tag}>")).expect("the element").1;
        let text = rest.split_once(&format!("</{tag}>")).expect("its end").0;
        [("&quot;", "\""), ("&lt;", "<"), ("&gt;", ">"), ("&apos;", "'"), ("&amp;", "&")]
            .iter()
            .fold(text.to_owned(), |text, (entity, sign)| text.replace(entity, sign))
    };
    assert!(body.contains("<replaceResultRequest>"), "{body}");
    let score = text("textString").parse().expect("a number");
    let scheme = authorization.split(' ').next().unwrap_or_default().to_owned();
    outcomes.taken.push((text("sourcedId"), score, scheme));
    envelope("success", "")
}

/// Body hash, key and signature (OAuth Request Body Hash 1.0, 4).
fn is_signed(consumer: &Consumer, forgets_port: bool, authorization: &str, body: &str) -> bool {
    let Some(parameters) = authorization.strip_prefix("OAuth ") else { return false };
    let parameters: Fields = parameters
        .split(',')
        .filter_map(|pair| pair.trim().split_once('='))
        .map(|(name, value)| {
            let value = percent_encoding::percent_decode_str(value.trim_matches('"'));
            (name.to_owned(), value.decode_utf8_lossy().into_owned())
        })
        .collect();
    let value = |wanted: &str| {
        let found = parameters.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    };
    let hash = STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, body.as_bytes()));
    let mut url = Url::parse(&consumer.at("/outcomes")).expect("its own address");
    if forgets_port {
        url.set_port(None).expect("a host");
    }
    let method = SignatureMethod::parse(value("oauth_signature_method"));
    value("oauth_body_hash") == hash
        && value("oauth_consumer_key") == consumer.key
        && method.is_some_and(|method| {
            let base = base_string("POST", &url, &parameters);
            verify(method, &consumer.secret, &base, value("oauth_signature"))
        })
}

/// Tokens for Basic Outcomes and nothing else, as a 1.3 platform gives them.
async fn token(body: String) -> Response {
    let scope = lti::oauth1::encode(lti::token::scope::BASIC_OUTCOME);
    if !body.contains(&scope) {
        let refused = serde_json::json!({"error": "invalid_scope"});
        return (StatusCode::BAD_REQUEST, axum::Json(refused)).into_response();
    }
    let granted = serde_json::json!({"access_token": "access-bo", "token_type": "Bearer"});
    axum::Json(granted).into_response()
}
