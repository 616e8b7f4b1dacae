//! The page that a platform opens to register us, inside its own.

use std::net::SocketAddr;
use std::sync::LazyLock;

use axum::extract::{ConnectInfo, Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Form};
use lti::registration::RegistrationRefusal;
use lti::token::scope;
use serde::{Deserialize, Serialize};

use super::{Connected, Offer, RegisterError, consider, finished, product_name, tool};
use crate::app::App;
use crate::credentials::limit::{self, Limiter};
use crate::ids::RegistrationId;
use crate::platforms::{Registration, RegistrationState};
use crate::tenants::{self, Tenant};
use crate::web::{Lang, Page, Problem, framed_html, guard, html};

/// One for the process: who knocks makes us call somebody else.
static LIMITER: LazyLock<Limiter> = LazyLock::new(Limiter::default);
/// There is no session here: a form is bound to what it registers.
const BROWSER: &str = "lti-registration";

#[derive(Serialize)]
pub struct ConnectPage {
    /// The platform's product, if it told.
    pub product: Option<String>,
    pub host: String,
    pub tenant: String,
    pub issuer: String,
    pub update: bool,
    /// False: the connection will wait for an administrator.
    pub invited: bool,
    /// Keys of the sentences that say what the platform will share.
    pub shares: Vec<&'static str>,
    pub scopes: Vec<&'static str>,
    pub action: String,
    pub form_token: String,
    pub registration: String,
}

impl Page for ConnectPage {
    const TEMPLATE: &'static str = "pages/register";

    fn samples() -> Vec<Self> {
        let sample = |full: bool, update, invited| Self {
            product: full.then(|| "Moodle".to_owned()),
            host: "lms.example".to_owned(),
            tenant: "Réseau <européen>".to_owned(),
            issuer: "https://lms.example".to_owned(),
            update,
            invited,
            shares: if full { SHARES.to_vec() } else { vec![SHARES[0]] },
            scopes: if full { vec![scope::SCORE, scope::MEMBERSHIP_READ] } else { Vec::new() },
            action: "/lti/register?openid_configuration=https%3A%2F%2Flms.example".to_owned(),
            form_token: "token".to_owned(),
            registration: "01930000-0000-7000-8000-000000000000".to_owned(),
        };
        vec![
            sample(true, false, true),
            sample(false, false, false),
            sample(true, true, true),
            sample(false, true, false),
        ]
    }
}

/// Everything a platform can share with us.
const SHARES: [&str; 6] = [
    "register-share-place",
    "register-share-name",
    "register-share-email",
    "register-share-grades",
    "register-share-results",
    "register-share-members",
];

/// What this platform will share, as it says it can.
fn shares(offer: &Offer) -> Vec<&'static str> {
    let scopes = tool::scopes(&offer.platform);
    let claims = &offer.platform.claims;
    let claim = |name: &str| claims.is_empty() || claims.iter().any(|claim| claim == name);
    let shared = [
        true,
        claim("name") || claim("given_name") || claim("family_name"),
        claim("email"),
        scopes.contains(&scope::SCORE) || scopes.contains(&scope::LINE_ITEM),
        scopes.contains(&scope::RESULT_READ),
        scopes.contains(&scope::MEMBERSHIP_READ),
    ];
    SHARES.into_iter().zip(shared).filter(|(_, shared)| *shared).map(|(key, _)| key).collect()
}

/// `None` where the server does not tell who asks.
type Peer = Option<Extension<ConnectInfo<SocketAddr>>>;

/// `GET /lti/register`, `GET /lti/register/{token}`: shows what will be connected, and writes
/// nothing.
pub async fn show(
    State(app): State<App>,
    lang: Lang,
    link: Option<Path<String>>,
    RawQuery(query): RawQuery,
    peer: Peer,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    not_too_often(&app, lang, peer, &headers)?;
    let (link, query) = (link.map(|Path(link)| link), rewritten(query.as_deref()));
    let offer = match consider(&app, link.as_deref(), query.as_bytes()).await {
        Ok(offer) => offer,
        Err(error) => return refused(&app, lang, error),
    };
    let registration = RegistrationId::new(app.clock.now());
    let about = about(registration, link.as_deref(), &query);
    let page = ConnectPage {
        product: product_name(offer.platform.family.as_deref()),
        host: offer.host(),
        tenant: offer.tenant.name.clone(),
        issuer: offer.platform.issuer.clone(),
        update: offer.is_update(),
        invited: offer.is_invited(),
        shares: shares(&offer),
        scopes: tool::scopes(&offer.platform),
        action: match &link {
            Some(link) => format!("/lti/register/{link}?{query}"),
            None => format!("/lti/register?{query}"),
        },
        form_token: guard::form_token(app.keys.form(), BROWSER, &about),
        registration: registration.to_string(),
    };
    let ancestors: Vec<String> = offer.platform_origin().into_iter().collect();
    Ok(framed_html(app.pages.html(lang, &page)?, &ancestors, &[]))
}

/// The query written anew, so that it comes back from the form's address as it went.
fn rewritten(query: Option<&str>) -> String {
    let pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

fn about(registration: RegistrationId, link: Option<&str>, query: &str) -> String {
    format!("register\n{registration}\n{}\n{query}", link.unwrap_or_default())
}

#[derive(Deserialize)]
pub struct RegisterForm {
    form_token: String,
    registration: RegistrationId,
}

/// `POST /lti/register`, `POST /lti/register/{token}`: registers, once a form.
pub async fn register(
    State(app): State<App>,
    lang: Lang,
    link: Option<Path<String>>,
    RawQuery(query): RawQuery,
    peer: Peer,
    headers: HeaderMap,
    Form(form): Form<RegisterForm>,
) -> Result<Response, Problem> {
    not_too_often(&app, lang, peer, &headers)?;
    let (link, query) = (link.map(|Path(link)| link), rewritten(query.as_deref()));
    let about = about(form.registration, link.as_deref(), &query);
    guard::check_form_token(app.keys.form(), BROWSER, &about, &form.form_token)?;
    if let Some(registration) = finished(&app, form.registration).await? {
        return done(&app, lang, &Connected { registration, updated: false }).await;
    }
    let connected = match consider(&app, link.as_deref(), query.as_bytes()).await {
        Ok(offer) => super::register(&app, offer, form.registration).await,
        Err(error) => Err(error),
    };
    match connected {
        Ok(connected) => done(&app, lang, &connected).await,
        Err(error) => refused(&app, lang, error),
    }
}

#[derive(Serialize)]
pub struct ConnectedPage {
    pub host: String,
    pub tenant: String,
    pub updated: bool,
    /// An administrator of the service has to approve it.
    pub pending: bool,
    /// The platform does not use a tool before somebody there activates it.
    pub activate: bool,
}

impl Page for ConnectedPage {
    const TEMPLATE: &'static str = "pages/registered";

    fn samples() -> Vec<Self> {
        let sample = |updated, pending, activate| Self {
            host: "lms.example".to_owned(),
            tenant: "Réseau <européen>".to_owned(),
            updated,
            pending,
            activate,
        };
        vec![
            sample(false, false, true),
            sample(false, false, false),
            sample(false, true, true),
            sample(true, false, false),
        ]
    }
}

async fn done(app: &App, lang: Lang, connected: &Connected) -> Result<Response, Problem> {
    let Connected { registration, updated } = connected;
    let tenant = tenant_of(app, registration).await?;
    let family = registration.family.as_deref();
    let page = ConnectedPage {
        host: super::host_of(&registration.issuer),
        tenant: tenant.name,
        updated: *updated,
        pending: registration.state == RegistrationState::Pending,
        activate: !updated && matches!(family, Some("moodle" | "campus")),
    };
    let html = app.pages.html(lang, &page)?;
    Ok(framed_html(html, &registration.frame_ancestors(), &[]))
}

async fn tenant_of(app: &App, registration: &Registration) -> Result<Tenant, Problem> {
    let mut tx = app.db.read().await?;
    Ok(tenants::find(&mut tx, registration.tenant_id).await?)
}

#[derive(Serialize)]
pub struct NotConnectedPage {
    pub text: String,
    pub next: String,
    pub code: &'static str,
    /// For administrators.
    pub detail: Option<String>,
}

impl Page for NotConnectedPage {
    const TEMPLATE: &'static str = "pages/register-refused";

    fn samples() -> Vec<Self> {
        let sample = |detail: Option<&str>| Self {
            text: "The platform refuses.".to_owned(),
            next: "Begin again.".to_owned(),
            code: "registration-refused",
            detail: detail.map(str::to_owned),
        };
        vec![sample(Some("422: [{\"message\": \"<script>\"}]")), sample(None)]
    }
}

fn refused(app: &App, lang: Lang, error: RegisterError) -> Result<Response, Problem> {
    let (code, detail) = (error.code(), error.to_string());
    let (status, family) = explain(&error);
    tracing::info!(code, "a registration was refused");
    let detail = match error {
        // What nobody foresaw is for the log.
        RegisterError::Database(error) => return Err(error.into()),
        RegisterError::Keys(error) => return Err(error.into()),
        RegisterError::Interrupted => None,
        _ => Some(detail.chars().filter(|c| !c.is_control()).take(600).collect()),
    };
    let locales = &app.pages.locales;
    let say = |part: &str| locales.say(lang, &format!("register-refused-{family}-{part}"), &[]);
    let page = NotConnectedPage { text: say("text"), next: say("next"), code, detail };
    Ok((status, html(app.pages.html(lang, &page)?)).into_response())
}

/// The status, and the sentences: refusals that ask the same of a person share theirs.
fn explain(error: &RegisterError) -> (StatusCode, &'static str) {
    use RegistrationRefusal as Protocol;
    let bad = StatusCode::BAD_REQUEST;
    match error {
        RegisterError::Protocol(refusal) => match refusal {
            Protocol::Form(_) | Protocol::ConfigurationUrlMissing => (bad, "query"),
            Protocol::ConfigurationUnavailable { .. } => (StatusCode::BAD_GATEWAY, "unreachable"),
            Protocol::ConfigurationUnreadable
            | Protocol::FieldMissing(_)
            | Protocol::ClientIdMissing => (bad, "configuration"),
            Protocol::IssuerElsewhere { .. } | Protocol::EndpointElsewhere { .. } => {
                (bad, "elsewhere")
            }
            Protocol::EndpointInsecure(_) => (bad, "insecure"),
            Protocol::Refused { status: 401 | 403, .. } => (bad, "token"),
            Protocol::Refused { .. } => (StatusCode::BAD_GATEWAY, "platform"),
        },
        RegisterError::Unreachable(_) => (StatusCode::BAD_GATEWAY, "unreachable"),
        RegisterError::Insecure(_) => (bad, "insecure"),
        RegisterError::NoTenant => (StatusCode::SERVICE_UNAVAILABLE, "no-tenant"),
        RegisterError::LinkUnknown | RegisterError::LinkExpired(_) => {
            (StatusCode::FORBIDDEN, "link")
        }
        RegisterError::LinkUsed => (StatusCode::FORBIDDEN, "link-used"),
        RegisterError::OtherTenant => (StatusCode::FORBIDDEN, "other-tenant"),
        RegisterError::Closed => (StatusCode::FORBIDDEN, "closed"),
        RegisterError::AddressesChanged => (StatusCode::FORBIDDEN, "addresses"),
        RegisterError::Known { .. } => (StatusCode::CONFLICT, "known"),
        RegisterError::TooMany => (StatusCode::TOO_MANY_REQUESTS, "too-many"),
        RegisterError::UnderWay => (StatusCode::CONFLICT, "under-way"),
        RegisterError::Interrupted | RegisterError::Keys(_) | RegisterError::Database(_) => {
            (StatusCode::INTERNAL_SERVER_ERROR, "internal")
        }
    }
}

fn not_too_often(app: &App, lang: Lang, peer: Peer, headers: &HeaderMap) -> Result<(), Problem> {
    let Some(Extension(ConnectInfo(peer))) = peer else { return Ok(()) };
    let forwarded = headers.get_all("x-forwarded-for").iter().next_back();
    let client = limit::client(peer.ip(), forwarded.and_then(|value| value.to_str().ok()));
    LIMITER.admit(client, app.clock.now()).map_err(|_| {
        Problem::new(StatusCode::TOO_MANY_REQUESTS, "register-limit").in_language(lang)
    })
}
