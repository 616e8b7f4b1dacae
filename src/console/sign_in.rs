//! Signing in: a link by mail, an invitation, or an OpenID Connect provider.

use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::Duration;

use axum::extract::{ConnectInfo, Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Form};
use lettre::Address;
use serde::{Deserialize, Serialize};

use super::provider::{self, ProviderError, Returned};
use super::{
    AskError, Away, HOME, Purpose, RecogniseError, StaffVisit, ask_for_link, follow, link_path,
    local_path, pending, recognise, store,
};
use crate::app::App;
use crate::credentials::limit::{self, Limiter};
use crate::db::Tx;
use crate::ids::{StaffLinkId, Token};
use crate::web::locales::Lang;
use crate::web::{Page, Problem, cookies, guard, unframed_html};

/// Every answer to an address takes at least this long: known ones must not be told by the time.
const ANSWER_AFTER: Duration = Duration::from_millis(250);
/// What the sign-in form is about. Nobody is signed in yet: it is bound to no browser, and what
/// keeps other sites out is the guard.
const FORM: &str = "console-sign-in";

/// How often one network address may ask, for whichever mail address. One for the process.
static LIMITER: LazyLock<Limiter> = LazyLock::new(Limiter::default);

/// The other way in.
#[derive(Serialize)]
pub struct ProviderWay {
    pub name: String,
    pub path: String,
}

impl ProviderWay {
    fn new(app: &App, path: String) -> Option<Self> {
        let name = app.config.staff_sign_in.as_ref()?.name.clone();
        Some(Self { name, path })
    }
}

#[derive(Serialize)]
pub struct SignInPage {
    pub form_token: String,
    pub value: String,
    pub next: String,
    pub invalid: bool,
    pub sent: bool,
    pub provider: Option<ProviderWay>,
}

impl Page for SignInPage {
    const TEMPLATE: &'static str = "pages/console-sign-in";

    fn samples() -> Vec<Self> {
        let sample = |value: &str, invalid, sent, provider: bool| Self {
            form_token: "token".to_owned(),
            value: value.to_owned(),
            next: "/console/platforms".to_owned(),
            invalid,
            sent,
            provider: provider.then(|| ProviderWay {
                name: "l’annuaire <européen>".to_owned(),
                path: "/console/sign-in/provider?next=%2Fconsole".to_owned(),
            }),
        };
        vec![
            sample("", false, false, false),
            sample("zoe@", true, false, true),
            sample("", false, true, true),
        ]
    }
}

#[derive(Deserialize)]
pub struct Next {
    #[serde(default)]
    next: String,
}

/// `GET /console/sign-in`
pub async fn form(
    State(app): State<App>,
    lang: Lang,
    visit: Result<StaffVisit, Away>,
    Query(query): Query<Next>,
) -> Result<Response, Problem> {
    let next = local_path(&query.next);
    if visit.is_ok() {
        return Ok(Redirect::to(next).into_response());
    }
    answer(&app, lang, next, Asked::NotYet)
}

#[derive(Deserialize)]
pub struct AskForm {
    form_token: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    next: String,
}

enum Asked {
    NotYet,
    NotAnAddress(String),
    Sent,
}

/// `POST /console/sign-in`: the answer is the same for every address.
pub async fn ask(
    State(app): State<App>,
    lang: Lang,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
    Form(form): Form<AskForm>,
) -> Result<Response, Problem> {
    guard::check_form_token(app.keys.form(), "", FORM, &form.form_token)?;
    if let Some(Extension(ConnectInfo(peer))) = peer {
        let forwarded = headers.get_all("x-forwarded-for").iter().next_back();
        let forwarded = forwarded.and_then(|value| value.to_str().ok());
        if LIMITER.admit(limit::client(peer.ip(), forwarded), app.clock.now()).is_err() {
            let often = Problem::new(StatusCode::TOO_MANY_REQUESTS, "console-often");
            return Err(often.in_language(lang));
        }
    }
    let next = local_path(&form.next);
    let Some(address) = parse(&form.email) else {
        return answer(&app, lang, next, Asked::NotAnAddress(form.email.clone()));
    };
    let answered = tokio::time::Instant::now() + ANSWER_AFTER;
    let mut tx = app.db.write().await?;
    match ask_for_link(&app, &mut tx, &address, next).await {
        Ok(()) => tx.commit().await?,
        Err(AskError::Database(error)) => return Err(error.into()),
        Err(AskError::Render(error)) => return Err(error.into()),
    }
    app.wake.notify_waiters();
    tokio::time::sleep_until(answered).await;
    answer(&app, lang, next, Asked::Sent)
}

fn parse(email: &str) -> Option<Address> {
    let email = email.trim();
    email.parse().ok().filter(|_| email.len() <= 254)
}

fn answer(app: &App, lang: Lang, next: &str, asked: Asked) -> Result<Response, Problem> {
    let status = match asked {
        Asked::NotAnAddress(_) => StatusCode::UNPROCESSABLE_ENTITY,
        _ => StatusCode::OK,
    };
    let query =
        url::form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
    let page = SignInPage {
        form_token: guard::form_token(app.keys.form(), "", FORM),
        next: next.to_owned(),
        invalid: matches!(asked, Asked::NotAnAddress(_)),
        sent: matches!(asked, Asked::Sent),
        value: if let Asked::NotAnAddress(value) = asked { value } else { String::new() },
        provider: ProviderWay::new(app, format!("/console/sign-in/provider?{query}")),
    };
    Ok((status, unframed_html(app.pages.html(lang, &page)?)).into_response())
}

#[derive(Serialize)]
pub struct LinkPage {
    /// Whom it signs in; `None`: the link is spent or too old.
    pub name: Option<String>,
    pub invitation: bool,
    pub form_token: String,
    pub provider: Option<ProviderWay>,
}

impl Page for LinkPage {
    const TEMPLATE: &'static str = "pages/console-link";

    fn samples() -> Vec<Self> {
        let sample = |name: Option<&str>, invitation, provider: bool| Self {
            name: name.map(str::to_owned),
            invitation,
            form_token: "token".to_owned(),
            provider: provider.then(|| ProviderWay {
                name: "l’annuaire <européen>".to_owned(),
                path: "/console/link/abc/provider".to_owned(),
            }),
        };
        vec![
            sample(Some("Zoé <Lefèvre>"), false, false),
            sample(Some("Zoé"), true, false),
            sample(Some("Zoé"), true, true),
            sample(None, false, false),
        ]
    }
}

/// `GET /console/link/{token}`: shows; link scanners open it too.
pub async fn link_page(
    State(app): State<App>,
    lang: Lang,
    Path(token): Path<String>,
) -> Result<Response, Problem> {
    let mut page = LinkPage {
        name: None,
        invitation: false,
        form_token: guard::form_token(app.keys.form(), &token, "console-link"),
        provider: None,
    };
    let mut spoken = lang;
    if let Ok(token) = token.parse::<Token>() {
        let mut tx = app.db.read().await?;
        if let Some(pending) = pending(&mut tx, &token, app.clock.now()).await? {
            spoken = pending.staff.locale;
            page.name = Some(pending.staff.name);
            page.invitation = pending.purpose == Purpose::Invitation;
            if page.invitation {
                let path = format!("{}/provider", link_path(&token));
                page.provider = ProviderWay::new(&app, path);
            }
        }
    }
    Ok(unframed_html(app.pages.html(spoken, &page)?))
}

#[derive(Deserialize)]
pub struct LinkForm {
    form_token: String,
}

/// `POST /console/link/{token}`: acts.
pub async fn follow_link(
    State(app): State<App>,
    lang: Lang,
    Path(token): Path<String>,
    headers: HeaderMap,
    Form(form): Form<LinkForm>,
) -> Result<Response, Problem> {
    guard::check_form_token(app.keys.form(), &token, "console-link", &form.form_token)?;
    let now = app.clock.now();
    let mut tx = app.db.write().await?;
    let followed = match token.parse::<Token>() {
        Ok(token) => follow(&mut tx, &token, now).await?,
        Err(_) => None,
    };
    let Some((session, next)) = followed else {
        let page =
            LinkPage { name: None, invitation: false, form_token: String::new(), provider: None };
        return Ok(unframed_html(app.pages.html(lang, &page)?));
    };
    end_former(&app, &mut tx, &headers).await?;
    tx.commit().await?;
    let set = cookies::set_console_token(&app.config, Some(&session));
    Ok(on_to(local_path(&next), &[set]))
}

/// A browser holds one session of the console: the one it had is over.
async fn end_former(app: &App, tx: &mut Tx, headers: &HeaderMap) -> Result<(), Problem> {
    if let Some(former) = cookies::console_token(&app.config, headers) {
        store::end_session(tx, &former.hash()).await?;
    }
    Ok(())
}

/// `GET /console/sign-in/provider`: off to the provider. Nothing is written, so that opening it
/// is harmless.
pub async fn to_provider(
    State(app): State<App>,
    Query(query): Query<Next>,
) -> Result<Response, Problem> {
    begin_at_provider(&app, None, local_path(&query.next)).await
}

/// `GET /console/link/{token}/provider`: the same, to finish an invitation.
pub async fn invitation_to_provider(
    State(app): State<App>,
    Path(token): Path<String>,
) -> Result<Response, Problem> {
    let pending = match token.parse::<Token>() {
        Ok(token) => {
            let mut tx = app.db.read().await?;
            pending(&mut tx, &token, app.clock.now()).await?
        }
        Err(_) => None,
    };
    match pending.filter(|pending| pending.purpose == Purpose::Invitation) {
        Some(pending) => begin_at_provider(&app, Some(pending.link), HOME).await,
        None => Err(Problem::new(StatusCode::FORBIDDEN, "console-invitation-gone")),
    }
}

async fn begin_at_provider(
    app: &App,
    invitation: Option<StaffLinkId>,
    next: &str,
) -> Result<Response, Problem> {
    let browser = Token::random();
    let address =
        provider::authorization(app, &browser, invitation, next).await.map_err(explain)?;
    Ok(on_to(&address, &[cookies::set_sign_in_token(&app.config, Some(&browser))]))
}

/// `GET /console/sign-in/callback`: back from the provider.
pub async fn callback(
    State(app): State<App>,
    headers: HeaderMap,
    Query(returned): Query<Returned>,
) -> Result<Response, Problem> {
    let browser = cookies::sign_in_token(&app.config, &headers)
        .ok_or_else(|| explain(ProviderError::State))?;
    let vouched = provider::vouched(&app, &browser, returned).await.map_err(explain)?;
    let mut tx = app.db.write().await?;
    let (issuer, subject) = (&vouched.issuer, &vouched.subject);
    let now = app.clock.now();
    let session = recognise(&mut tx, issuer, subject, vouched.invitation, now).await;
    let session = session.map_err(|error| match error {
        RecogniseError::Unknown => Problem::new(StatusCode::FORBIDDEN, "console-unknown"),
        RecogniseError::InvitationGone => {
            Problem::new(StatusCode::FORBIDDEN, "console-invitation-gone")
        }
        RecogniseError::Taken => Problem::new(StatusCode::CONFLICT, "console-identity-taken"),
        RecogniseError::Database(error) => error.into(),
    })?;
    end_former(&app, &mut tx, &headers).await?;
    tx.commit().await?;
    let cookies = [
        cookies::set_console_token(&app.config, Some(&session)),
        cookies::set_sign_in_token(&app.config, None),
    ];
    Ok(on_to(local_path(&vouched.next), &cookies))
}

/// What the person can do; what the provider did is for the log.
fn explain(error: ProviderError) -> Problem {
    tracing::info!(%error, "a sign-in with the provider came to nothing");
    match error {
        ProviderError::NotConfigured => Problem::not_found(),
        ProviderError::Away(_) | ProviderError::OwnAddress => {
            Problem::new(StatusCode::BAD_GATEWAY, "console-provider-away")
        }
        ProviderError::State => Problem::new(StatusCode::FORBIDDEN, "console-sign-in-lost"),
        ProviderError::Refused(_) | ProviderError::NoToken | ProviderError::Token(_) => {
            Problem::new(StatusCode::FORBIDDEN, "console-provider-refused")
        }
    }
}

/// See the other page; neither address nor cookies are kept or told.
fn on_to(address: &str, cookies: &[HeaderValue]) -> Response {
    let mut response = Redirect::to(address).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    for cookie in cookies {
        headers.append(header::SET_COOKIE, cookie.clone());
    }
    response
}
