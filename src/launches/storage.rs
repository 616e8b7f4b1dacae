//! Browsers that refuse our cookie in the platform's frame, on platforms that keep values for their
//! tools (LTI Client Side postMessages 1.0; LTI OIDC Login with LTI Client Side postMessages 1.0).
//! What binds a launch to its browser is then kept by the platform's page from the login to the
//! launch, and asked for by scripts of ours; the pages' session is carried in their addresses.

use axum::extract::{RawForm, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use lti::form::Form;
use lti::launch::LaunchForm;
use lti::login::LoginRequest;
use serde::Serialize;

use super::pages::{lang_of, let_in, refuse};
use super::{Refusal, authentication, opened, registration_of};
use crate::app::App;
use crate::ids::{Token, sha256_hex};
use crate::platforms::Registration;
use crate::visits::{Bearer, Carrier};
use crate::web::{Page, Problem, html, origin_of};

/// No frame has a longer name.
const TARGET_LENGTH: usize = 200;

/// Whether the login names a frame that keeps values.
pub(super) fn is_offered(login: &LoginRequest) -> bool {
    login.storage_target.as_ref().is_some_and(|target| target.len() <= TARGET_LENGTH)
}

/// The page that has the platform keep the launch's secret, and then goes to be authenticated; or
/// offers a window of its own where the platform does not answer.
#[derive(Serialize)]
pub struct KeepPage {
    /// The only origin that is asked, and whose answers count: the authorization endpoint's.
    pub origin: String,
    /// `_parent`, or the name of a frame beside ours.
    pub target: String,
    pub key: String,
    pub value: String,
    /// The authorization endpoint with the request.
    pub next: String,
    /// The unspent login, for a window of its own.
    pub action: String,
}

impl Page for KeepPage {
    const TEMPLATE: &'static str = "pages/storage-keep";

    fn samples() -> Vec<Self> {
        vec![Self {
            origin: "https://lms.example".to_owned(),
            target: "post_message_forwarding".to_owned(),
            key: "passerelle-0123".to_owned(),
            value: "value".to_owned(),
            next: "https://lms.example/auth?a=1&b=2".to_owned(),
            action: "/lti/login?iss=https%3A%2F%2Flms.example&login_hint=1".to_owned(),
        }]
    }
}

/// The page that asks the platform for what it keeps, and hands the launch on with it.
#[derive(Serialize)]
pub struct FetchPage {
    pub origin: String,
    pub target: String,
    pub key: String,
    pub id_token: String,
    pub state: String,
}

impl Page for FetchPage {
    const TEMPLATE: &'static str = "pages/storage-fetch";

    fn samples() -> Vec<Self> {
        vec![Self {
            origin: "https://lms.example".to_owned(),
            target: "_parent".to_owned(),
            key: "passerelle-0123".to_owned(),
            id_token: "a.b.c".to_owned(),
            state: "d.e".to_owned(),
        }]
    }
}

/// Each login has a key of its own: launches that run beside each other do not meet.
fn key_of(state: &str) -> String {
    let hash = sha256_hex(state.as_bytes());
    format!("passerelle-{}", &hash[..32])
}

fn platform_origin(registration: &Registration) -> Result<String, Refusal> {
    origin_of(&registration.authorization_endpoint).ok_or_else(|| {
        Refusal::new("registration-broken", "the authorization endpoint has no origin")
            .of(registration)
    })
}

/// The login's answer where no cookie came back. `action` is the login, unspent.
pub(super) fn keep(
    app: &App,
    registration: &Registration,
    login: &LoginRequest,
    action: String,
) -> Result<KeepPage, Refusal> {
    let value = Token::random();
    let next = authentication(app, registration, login, &value, Carrier::Path)?;
    let state = next.query_pairs().find(|(name, _)| name == "state");
    let key = key_of(state.map(|(_, state)| state).unwrap_or_default().as_ref());
    Ok(KeepPage {
        origin: platform_origin(registration)?,
        target: login.storage_target.clone().unwrap_or_default(),
        key,
        value: value.reveal().to_owned(),
        next: next.into(),
        action,
    })
}

/// The launch's answer where the platform's page keeps its secret; `None` where a cookie does, or
/// the state is none of ours.
pub(super) async fn fetch(app: &App, id_token: &str, state: &str) -> Option<FetchPage> {
    let login = opened(app, state).ok()?;
    let target = login.storage_target.clone()?;
    let registration = registration_of(app, &login).await.ok()?;
    Some(FetchPage {
        target,
        origin: platform_origin(&registration).ok()?,
        key: key_of(state),
        id_token: id_token.to_owned(),
        state: state.to_owned(),
    })
}

/// One of the two pages. Any site may frame it: it shows nothing of anybody's, and speaks with the
/// platform's origin only.
pub(super) fn answer<P: Page>(app: &App, headers: &HeaderMap, page: &P) -> Response {
    match app.pages.html(lang_of(headers), page) {
        Ok(page) => html(page),
        Err(error) => Problem::from(error).into_response(),
    }
}

/// `POST /lti/launch/stored`: the launch, from our own page, with what the platform gave back.
pub async fn stored(
    State(app): State<App>,
    headers: HeaderMap,
    RawForm(body): RawForm,
) -> Response {
    let (id_token, state) = match LaunchForm::parse(&body) {
        Ok(LaunchForm::Token { id_token, state }) => (id_token, state),
        // Our page hands on launches only.
        Ok(LaunchForm::Error(_)) => {
            return Problem::bad_request("request-unreadable").into_response();
        }
        Err(refusal) => {
            return refuse(&app, &headers, Refusal::new(refusal.code(), &refusal)).await;
        }
    };
    let stored = Form::parse(&body).ok().and_then(|form| {
        form.filled("storage_token").and_then(|token| token.parse::<Token>().ok())
    });
    let bearer = |token: Token| Bearer::path_from_storage(app.keys.form(), &token);
    let browser = stored.map(|token| (bearer(token.clone()), token));
    let_in(&app, &headers, &id_token, &state, browser, Carrier::Path).await
}
