//! Telling an address, and confirming it.

use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::{AddressError, ask_to_confirm, confirm_address, find, pending_address};
use crate::app::App;
use crate::credentials;
use crate::ids::Token;
use crate::visits::Visit;
use crate::web::locales::Lang;
use crate::web::{Page, Problem, guard, html};

#[derive(Serialize)]
pub struct AddressPage {
    pub form_token: String,
    pub value: String,
    pub invalid: bool,
    pub sent: bool,
    pub back: String,
    /// Where somebody who comes from another platform too says so.
    pub identities_url: String,
}

impl Page for AddressPage {
    const TEMPLATE: &'static str = "pages/address";

    fn samples() -> Vec<Self> {
        let sample = |value: &str, invalid, sent| Self {
            form_token: "token".to_owned(),
            value: value.to_owned(),
            invalid,
            sent,
            back: "/launches/1/course".to_owned(),
            identities_url: "/launches/1/identities".to_owned(),
        };
        vec![sample("", false, false), sample("zoe@", true, false), sample("", false, true)]
    }
}

/// `GET /launches/{launch}/address`
pub async fn address(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    answer(&app, &visit, StatusCode::OK, String::new(), false)
}

#[derive(Deserialize)]
pub struct AddressForm {
    form_token: String,
    #[serde(default)]
    email: String,
}

/// `POST /launches/{launch}/address`
pub async fn tell_address(
    State(app): State<App>,
    visit: Visit,
    Form(form): Form<AddressForm>,
) -> Result<Response, Problem> {
    visit.check_form(&app, "address", &form.form_token)?;
    let mut tx = app.db.write().await?;
    match ask_to_confirm(&app, &mut tx, &visit.person, &form.email, visit.launch.id).await {
        Ok(()) => {
            tx.commit().await?;
            app.wake.notify_waiters();
            answer(&app, &visit, StatusCode::OK, String::new(), true)
        }
        Err(AddressError::NotAnAddress) => {
            answer(&app, &visit, StatusCode::UNPROCESSABLE_ENTITY, form.email, false)
        }
        Err(AddressError::TooOften) => {
            let refused = Problem::new(StatusCode::TOO_MANY_REQUESTS, "address-often");
            Err(refused.in_language(visit.lang()))
        }
        Err(AddressError::Database(error)) => Err(error.into()),
        Err(AddressError::Render(error)) => Err(error.into()),
    }
}

fn answer(
    app: &App,
    visit: &Visit,
    status: StatusCode,
    value: String,
    sent: bool,
) -> Result<Response, Problem> {
    let page = AddressPage {
        form_token: visit.form_token(app, "address"),
        invalid: status == StatusCode::UNPROCESSABLE_ENTITY,
        value,
        sent,
        back: visit.path(""),
        identities_url: visit.path("/identities"),
    };
    let html = app.pages.html(visit.lang(), &page)?;
    Ok((status, visit.page(html, &[])).into_response())
}

#[derive(Serialize)]
pub struct ConfirmPage {
    /// `None`: the link is spent or too old.
    pub address: Option<String>,
    pub form_token: String,
    pub done: bool,
}

impl Page for ConfirmPage {
    const TEMPLATE: &'static str = "pages/confirm-address";

    fn samples() -> Vec<Self> {
        let sample = |address: Option<&str>, done| Self {
            address: address.map(str::to_owned),
            form_token: "token".to_owned(),
            done,
        };
        vec![sample(Some("zoe@example.org"), false), sample(None, false), sample(None, true)]
    }
}

/// `GET /address/{token}`: shows; link scanners open it too.
pub async fn confirm_page(
    State(app): State<App>,
    lang: Lang,
    Path(token): Path<String>,
) -> Result<Response, Problem> {
    let address = match token.parse::<Token>() {
        Ok(token) => {
            let mut tx = app.db.read().await?;
            pending_address(&mut tx, &token, app.clock.now()).await?
        }
        Err(_) => None,
    };
    let form_token = guard::form_token(app.keys.form(), &token, "confirm-address");
    let page = ConfirmPage { address, form_token, done: false };
    Ok(html(app.pages.html(lang, &page)?))
}

#[derive(Deserialize)]
pub struct ConfirmForm {
    form_token: String,
}

/// `POST /address/{token}`: acts.
pub async fn confirm(
    State(app): State<App>,
    lang: Lang,
    Path(token): Path<String>,
    Form(form): Form<ConfirmForm>,
) -> Result<Response, Problem> {
    guard::check_form_token(app.keys.form(), &token, "confirm-address", &form.form_token)?;
    let now = app.clock.now();
    let mut tx = app.db.write().await?;
    let person = match token.parse::<Token>() {
        Ok(token) => confirm_address(&mut tx, &token, now).await?,
        Err(_) => None,
    };
    if let Some(person) = person {
        let person = find(&mut tx, person).await?;
        credentials::mail_waiting(&app, &mut tx, &person, now).await?;
    }
    tx.commit().await?;
    app.wake.notify_waiters();
    let page = ConfirmPage { address: None, form_token: String::new(), done: person.is_some() };
    Ok(html(app.pages.html(lang, &page)?))
}
