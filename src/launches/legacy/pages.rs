//! LTI 1.1's HTTP: the launch, and the window of its own.

use axum::Form;
use axum::extract::{Path, RawForm, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{TICKET_LIFE, Verified, store, verify};
use crate::app::App;
use crate::ids::Token;
use crate::launches::pages::{arrived, lang_of, refuse};
use crate::launches::{AcceptError, Refusal, accept};
use crate::platforms;
use crate::visits::{self, Bearer, LAUNCH_LIFE};
use crate::web::locales::Lang;
use crate::web::{Page, Problem, cookies, guard, html};

/// `POST /lti/1.1/launch`
pub async fn launch(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    RawForm(body): RawForm,
) -> Response {
    let verified = verify(&app, query.as_deref(), &body, lang_of(&headers)).await;
    let Verified { registration, told, note } = match verified {
        Ok(verified) => verified,
        Err(refused) => {
            // Recorded either way; the page is for those whose LMS does not want them back.
            let page = refuse(&app, &headers, refused.refusal).await;
            return match refused.back {
                Some(url) => Redirect::to(url.as_str()).into_response(),
                None => page,
            };
        }
    };
    let home = platforms::legacy::home_of(&told.presentation, told.platform.as_ref());
    let family = told.platform.as_ref().and_then(|platform| platform.family.clone());
    let known = cookies::launch_token(&app.config, &headers);
    let browser = known.clone().unwrap_or_else(Token::random);
    // An LMS that never said where it is cannot be let frame our pages.
    let homeless = home.is_none() && registration.frame_ancestors().is_empty();
    let ticket = (known.is_none() || (homeless && is_framed(&headers))).then(Token::random);
    let (now, bearer) = (app.clock.now(), Bearer::cookie(browser.clone()));
    let accepted = app
        .batch
        .run({
            let (registration, ticket) = (registration.clone(), ticket.as_ref().map(Token::hash));
            let session = bearer.clone();
            move |tx| {
                Box::pin(async move {
                    let launch = accept(tx, &registration, &told, &session, now).await?;
                    platforms::legacy::note(tx, &registration, home, family, now).await?;
                    if let Some(ticket) = ticket {
                        store::insert_ticket(tx, ticket, launch.id, now + TICKET_LIFE).await?;
                    }
                    let done = json!([]);
                    platforms::log(tx, Some(registration.id), "accepted", note, done, now).await?;
                    Ok::<_, AcceptError>(launch)
                })
            }
        })
        .await;
    let launch = match accepted {
        Ok(launch) => {
            app.metrics.launch("accepted");
            launch
        }
        Err(AcceptError::Repeated(before)) => {
            app.metrics.launch("repeated");
            return arrived(&bearer, &before);
        }
        Err(AcceptError::Database(error)) => return Problem::from(error).into_response(),
        Err(error) => {
            let refusal = Refusal::new(error.code(), &error).of(&registration);
            return refuse(&app, &headers, refusal).await;
        }
    };
    let next = match &ticket {
        Some(ticket) => Redirect::to(&format!("/lti/continue/{}", ticket.reveal())).into_response(),
        None => arrived(&bearer, &launch),
    };
    with_cookie(&app, known.is_none().then_some(&browser), next)
}

/// Whether the browser asks for the page of a frame.
fn is_framed(headers: &HeaderMap) -> bool {
    let target = headers.get("sec-fetch-dest").and_then(|value| value.to_str().ok());
    matches!(target, Some("iframe" | "frame" | "embed" | "object"))
}

fn with_cookie(app: &App, fresh: Option<&Token>, mut response: Response) -> Response {
    if let Some(token) = fresh {
        let set = cookies::set_launch_token(&app.config, token);
        response.headers_mut().insert(header::SET_COOKIE, set);
    }
    response
}

#[derive(Serialize)]
pub struct ContinuePage {
    pub action: String,
    pub form_token: String,
}

impl Page for ContinuePage {
    const TEMPLATE: &'static str = "pages/launch-continue";

    fn samples() -> Vec<Self> {
        vec![Self { action: "/lti/continue/abc".to_owned(), form_token: "token".to_owned() }]
    }
}

const ABOUT: &str = "continue-launch";

fn spent(lang: Lang) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "ticket-spent").in_language(lang)
}

/// `GET /lti/continue/{token}`: on to the launch where the cookie came back, and otherwise the
/// button that opens it in a window of its own.
pub async fn continue_page(
    State(app): State<App>,
    lang: Lang,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let ticket: Token = token.parse().map_err(|_| spent(lang))?;
    let now = app.clock.now();
    let mut tx = app.db.read().await?;
    let id = store::launch_of(&mut tx, &ticket, now).await?.ok_or_else(|| spent(lang))?;
    let known = cookies::launch_token(&app.config, &headers).map(Bearer::cookie);
    let own = match &known {
        Some(browser) => visits::find(&mut tx, id, browser, now).await?,
        None => None,
    };
    if let (Some(launch), Some(browser)) = (own, known) {
        let registration = platforms::find(&mut tx, launch.registration_id).await?;
        let shown = registration.is_some_and(|found| !found.frame_ancestors().is_empty());
        drop(tx);
        if shown || !is_framed(&headers) {
            // Nobody needs the ticket any more: nobody is to find it in a history.
            let mut tx = app.db.write().await?;
            store::spend(&mut tx, &ticket, now).await?;
            tx.commit().await?;
            return Ok(arrived(&browser, &launch));
        }
    }
    let page = ContinuePage {
        action: format!("/lti/continue/{token}"),
        form_token: guard::form_token(app.keys.form(), &token, ABOUT),
    };
    Ok(html(app.pages.html(lang, &page)?))
}

#[derive(Deserialize)]
pub struct ContinueForm {
    form_token: String,
}

/// `POST /lti/continue/{token}`: the launch is this window's from now on.
pub async fn take_over(
    State(app): State<App>,
    lang: Lang,
    Path(token): Path<String>,
    headers: HeaderMap,
    Form(form): Form<ContinueForm>,
) -> Result<Response, Problem> {
    guard::check_form_token(app.keys.form(), &token, ABOUT, &form.form_token)
        .map_err(|problem| problem.in_language(lang))?;
    let ticket: Token = token.parse().map_err(|_| spent(lang))?;
    let known = cookies::launch_token(&app.config, &headers);
    let browser = known.clone().unwrap_or_else(Token::random);
    let now = app.clock.now();
    let mut tx = app.db.write().await?;
    let id = store::spend(&mut tx, &ticket, now).await?.ok_or_else(|| spent(lang))?;
    let bearer = Bearer::cookie(browser.clone());
    let session = visits::insert_session(&mut tx, &bearer, now, now + LAUNCH_LIFE).await?;
    store::hand_over(&mut tx, id, session).await?;
    let launch = visits::find(&mut tx, id, &bearer, now).await?;
    let launch = launch.ok_or_else(|| spent(lang))?;
    let (registration, person) = (launch.registration_id, launch.person_id);
    visits::end_of_others(&mut tx, session, registration, person, now).await?;
    tx.commit().await?;
    Ok(with_cookie(&app, known.is_none().then_some(&browser), arrived(&bearer, &launch)))
}
