//! The door's HTTP: login, launch.

use std::time::Instant;

use axum::extract::{Path, RawForm, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use lti::launch::{Check, LaunchForm};
use lti::login::LoginRequest;
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    AcceptError, Refusal, accept, authentication, legacy, registration_for, storage, verify,
};
use crate::app::App;
use crate::ids::{RegistrationId, Token};
use crate::platforms;
use crate::visits::{Bearer, Carrier, Launch, Opens, Visit};
use crate::web::locales::Lang;
use crate::web::{Page, Problem, cookies, html};

/// `GET /lti/login`, `GET /lti/login/{registration}`
pub async fn login_get(
    State(app): State<App>,
    registration: Option<Path<RegistrationId>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    login(&app, registration, query.unwrap_or_default(), &headers).await
}

/// `POST /lti/login`, `POST /lti/login/{registration}`
pub async fn login_post(
    State(app): State<App>,
    registration: Option<Path<RegistrationId>>,
    headers: HeaderMap,
    RawForm(body): RawForm,
) -> Response {
    login(&app, registration, String::from_utf8_lossy(&body).into_owned(), &headers).await
}

/// The mark of the second visit: the first set the cookie, this one sees whether it came back.
const PROBED: &str = "passerelle_probe=1";

/// Third-party initiated login (LTI Security Framework 5.1.1.1). A browser without our cookie is
/// given one and sent here once more; if it comes back without it, cookies are blocked in this
/// frame. The platform's page keeps our value then, if it can; else the login, whose hint is still
/// unspent, is offered in a window of its own.
async fn login(
    app: &App,
    named: Option<Path<RegistrationId>>,
    parameters: String,
    headers: &HeaderMap,
) -> Response {
    // Written anew: what was sent may hold characters that no address can.
    let pairs = url::form_urlencoded::parse(parameters.as_bytes());
    let parameters =
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let parameters = parameters.as_str();
    let (parameters, probed) = match parameters.strip_suffix(PROBED) {
        Some(rest) => (rest.trim_end_matches('&'), true),
        None => (parameters, false),
    };
    let login = match LoginRequest::parse(parameters.as_bytes()) {
        Ok(login) => login,
        Err(refusal) => {
            return refuse(app, headers, Refusal::new(refusal.code(), &refusal)).await;
        }
    };
    let named = named.map(|Path(id)| id);
    let here = match named {
        Some(id) => format!("/lti/login/{id}"),
        None => "/lti/login".to_owned(),
    };
    let browser = cookies::launch_token(&app.config, headers);
    let alone = format!("{here}?{parameters}");
    if browser.is_none() {
        if probed && !storage::is_offered(&login) {
            return new_window(app, headers, &alone);
        }
        if !probed {
            return probe(app, &alone);
        }
    }
    let registration = {
        let mut tx = match app.db.read().await {
            Ok(tx) => tx,
            Err(error) => return Problem::from(error).into_response(),
        };
        match registration_for(&mut tx, &login, named).await {
            Ok(registration) => registration,
            Err(sqlx::Error::RowNotFound) => {
                let detail = format!(
                    "issuer {:?}, client id {:?}",
                    login.issuer,
                    login.client_id.as_deref().unwrap_or("not told")
                );
                return refuse(app, headers, Refusal::new("registration-unknown", detail)).await;
            }
            Err(error) => return Problem::from(error).into_response(),
        }
    };
    let answered = match browser {
        Some(browser) => authentication(app, &registration, &login, &browser, Carrier::Cookie)
            .map(|url| found(url.as_str())),
        None => storage::keep(app, &registration, &login, alone)
            .map(|page| storage::answer(app, headers, &page)),
    };
    match answered {
        Ok(response) => response,
        Err(refusal) => refuse(app, headers, refusal).await,
    }
}

/// Gives the browser our cookie and sends it to the same address once more.
fn probe(app: &App, login: &str) -> Response {
    let set = cookies::set_launch_token(&app.config, &Token::random());
    let again = format!("{login}&{PROBED}");
    ([(header::SET_COOKIE, set)], Redirect::to(&again)).into_response()
}

/// A plain 302: with it the platform's own cookie travels, even in a frame.
fn found(url: &str) -> Response {
    match HeaderValue::from_str(url) {
        Ok(location) => (
            StatusCode::FOUND,
            [
                (header::LOCATION, location),
                (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
                (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
            ],
        )
            .into_response(),
        Err(_) => Problem::bad_request("registration-broken").into_response(),
    }
}

#[derive(Serialize)]
pub struct NewWindowPage {
    pub action: String,
}

impl Page for NewWindowPage {
    const TEMPLATE: &'static str = "pages/new-window";

    fn samples() -> Vec<Self> {
        vec![Self { action: "/lti/login?iss=https%3A%2F%2Flms.example&login_hint=1".to_owned() }]
    }
}

fn new_window(app: &App, headers: &HeaderMap, action: &str) -> Response {
    let page = NewWindowPage { action: action.to_owned() };
    match app.pages.html(lang_of(headers), &page) {
        Ok(page) => html(page),
        Err(error) => Problem::from(error).into_response(),
    }
}

/// `POST /lti/launch`
pub async fn launch(
    State(app): State<App>,
    headers: HeaderMap,
    RawForm(body): RawForm,
) -> Response {
    let (id_token, state) = match LaunchForm::parse(&body) {
        Ok(LaunchForm::Token { id_token, state }) => (id_token, state),
        Ok(LaunchForm::Error(error)) => {
            let detail = format!(
                "{}: {}",
                error.error,
                error.description.as_deref().unwrap_or("no description")
            );
            return refuse(&app, &headers, Refusal::new(error.code(), detail)).await;
        }
        Err(refusal) => {
            return refuse(&app, &headers, Refusal::new(refusal.code(), &refusal)).await;
        }
    };
    if let Some(page) = storage::fetch(&app, &id_token, &state).await {
        return storage::answer(&app, &headers, &page);
    }
    let browser = cookies::launch_token(&app.config, &headers);
    let browser = browser.map(|token| (Bearer::cookie(token.clone()), token));
    let_in(&app, &headers, &id_token, &state, browser, Carrier::Cookie).await
}

/// Verifies the launch and accepts it. `browser` is the session to be, with the value that the
/// login was bound to, if either is known.
pub(super) async fn let_in(
    app: &App,
    headers: &HeaderMap,
    id_token: &str,
    state: &str,
    browser: Option<(Bearer, Token)>,
    kept: Carrier,
) -> Response {
    let bound = browser.as_ref().map(|(_, token)| token);
    let began = Instant::now();
    let verified = match verify(app, id_token, state, bound, kept).await {
        Ok(verified) => verified,
        Err(refusal) => return refuse(app, headers, refusal).await,
    };
    let Some((bearer, _)) = browser else {
        return Problem::bad_request("browser-changed").into_response();
    };
    app.metrics.launch_took("verify", began.elapsed());
    let (registration, told) = (verified.registration.clone(), verified.launch);
    let logged = platforms::Entry {
        registration: Some(registration.id),
        outcome: "accepted",
        detail: String::new(),
        checks: written(&verified.checks),
        claims: verified.seen.claims.clone(),
        skew_seconds: verified.seen.skew_seconds,
    };
    let (now, session) = (app.clock.now(), bearer.clone());
    let accepted = app
        .batch
        .run(move |tx| {
            Box::pin(async move {
                let note = legacy::migration::adopt(tx, &registration, &told, now).await?;
                let launch = accept(tx, &registration, &told.into(), &session, now).await?;
                platforms::record(tx, platforms::Entry { detail: note, ..logged }, now).await?;
                Ok::<_, AcceptError>(launch)
            })
        })
        .await;
    app.metrics.launch_took("launch", began.elapsed());
    match accepted {
        Ok(launch) => {
            app.metrics.launch("accepted");
            arrived(&bearer, &launch)
        }
        Err(AcceptError::Repeated(before)) => {
            app.metrics.launch("repeated");
            arrived(&bearer, &before)
        }
        Err(AcceptError::Database(error)) => Problem::from(error).into_response(),
        Err(error) => {
            let mut refusal = Refusal::new(error.code(), &error).of(&verified.registration);
            (refusal.checks, refusal.seen) = (verified.checks, verified.seen);
            // A deployment that waits is noted, so that an administrator finds it to approve.
            if let AcceptError::DeploymentPending(deployment) = &error {
                note_deployment(app, &verified.registration, deployment).await;
            }
            refuse(app, headers, refusal).await
        }
    }
}

async fn note_deployment(app: &App, registration: &platforms::Registration, deployment: &str) {
    let noted = async {
        let mut tx = app.db.write().await?;
        platforms::deployment(&mut tx, registration.id, deployment, app.clock.now()).await?;
        tx.commit().await
    };
    if let Err(error) = noted.await {
        tracing::error!(%error, "a pending deployment could not be noted");
    }
}

/// To the page a launch leads to. The address may hold the session's secret, and nothing keeps it.
pub(super) fn arrived(browser: &Bearer, launch: &Launch) -> Response {
    let kept_by_nobody = [
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    let page = Redirect::to(&browser.address(launch.id, &landing(launch)));
    (kept_by_nobody, page).into_response()
}

/// The page a launch leads to, below the launch's own address.
pub(super) fn landing(launch: &Launch) -> String {
    match &launch.details.opens {
        Opens::Course(_) => "/course".to_owned(),
        Opens::Event(event) => format!("/events/{event}"),
        Opens::Nothing if launch.context_id.is_none() => "/nothing".to_owned(),
        Opens::Events | Opens::Nothing => "/events".to_owned(),
        Opens::Review(_) => "/review".to_owned(),
        Opens::Picker(_) => "/picker".to_owned(),
    }
}

/// `GET /launches/{launch}`: back to where the launch led.
pub async fn start(visit: Visit) -> Redirect {
    Redirect::to(&visit.path(&landing(&visit.launch)))
}

/// Records the refusal and nothing else, and says what to do.
pub(super) async fn refuse(app: &App, headers: &HeaderMap, refusal: Refusal) -> Response {
    let code = refusal.code;
    app.metrics.launch(code);
    tracing::info!(code, "a launch was refused; the platform's launch log says more");
    let now = app.clock.now();
    let detail: String = refusal.detail.chars().filter(|c| !c.is_control()).collect();
    // Grouped with the learners' writes: whoever knocks in vain must not hold them up.
    let entry = platforms::Entry {
        registration: refusal.registration,
        outcome: code,
        detail: detail.clone(),
        checks: written(&refusal.checks),
        claims: refusal.seen.claims,
        skew_seconds: refusal.seen.skew_seconds,
    };
    let recorded =
        app.batch.run(move |tx| Box::pin(async move { platforms::record(tx, entry, now).await }));
    if let Err(error) = recorded.await {
        tracing::error!(%error, "a refused launch could not be recorded");
    }
    let lang = lang_of(headers);
    let page = RefusedPage {
        text: sentence(app, lang, code, "text"),
        next: sentence(app, lang, code, "next"),
        code: code.to_owned(),
        // What is inside the installation is for its log.
        detail: if matches!(code, "internal" | "key-set-unavailable") {
            None
        } else {
            Some(detail)
        },
    };
    let status = match code {
        "key-set-unavailable" => StatusCode::BAD_GATEWAY,
        "internal" => StatusCode::INTERNAL_SERVER_ERROR,
        "deployment-pending"
        | "browser-changed"
        | "storage-lost"
        | "registration-pending"
        | "registration-closed"
        | "legacy-off"
        | "legacy-pending"
        | "legacy-closed" => StatusCode::FORBIDDEN,
        _ => StatusCode::BAD_REQUEST,
    };
    match app.pages.html(lang, &page) {
        Ok(page) => (status, html(page)).into_response(),
        Err(error) => Problem::from(error).into_response(),
    }
}

/// The checks as the log keeps them.
fn written(checks: &[Check]) -> Value {
    let check = |check: &Check| {
        json!({
            "name": check.name.code(),
            "outcome": check.outcome.code(),
            "detail": check.detail,
        })
    };
    checks.iter().map(check).collect()
}

/// What a person is told about a refusal: `text`, what happened; `next`, what to do.
pub fn sentence(app: &App, lang: Lang, code: &str, part: &str) -> String {
    let locales = &app.pages.locales;
    let own = format!("refused-{code}-{part}");
    let key =
        if locales.has(lang, &own) { own } else { format!("refused-{}-{part}", family_of(code)) };
    locales.say(lang, &key, &[])
}

/// Refusals that ask the same of a person share their sentences; the code stays exact.
pub(crate) fn family_of(code: &str) -> &'static str {
    match code {
        "registration-unknown"
        | "registration-gone"
        | "registration-broken"
        | "registration-pending"
        | "registration-closed" => "registration",
        "deployment-pending" => "deployment",
        "browser-changed" => "browser",
        "key-set-unavailable" => "unavailable",
        "item-unknown" => "item",
        "internal" => "internal",
        code if code.starts_with("state-") || code.starts_with("nonce-") => "again",
        code if code.starts_with("platform-") => "platform",
        code if code.contains("expired") || code.contains("future") || code.contains("too-old") => {
            "clock"
        }
        _ => "message",
    }
}

pub(super) fn lang_of(headers: &HeaderMap) -> Lang {
    let header = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    Lang::from_accept_language(header.unwrap_or_default())
}

#[derive(Serialize)]
pub struct RefusedPage {
    pub text: String,
    pub next: String,
    pub code: String,
    pub detail: Option<String>,
}

impl Page for RefusedPage {
    const TEMPLATE: &'static str = "pages/refused";

    fn samples() -> Vec<Self> {
        vec![Self {
            text: "The platform is not known here.".to_owned(),
            next: "Tell the administrator.".to_owned(),
            code: "registration-unknown".to_owned(),
            detail: Some("issuer \"https://lms.example\" <script>".to_owned()),
        }]
    }
}
