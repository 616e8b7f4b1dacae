//! What an administrator does with a registration.

use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::show::{Said, page, registration};
use super::views::Settings;
use super::{MovePage, about, done, path_of, schemes};
use crate::app::App;
use crate::console::Admin;
use crate::ids::RegistrationId;
use crate::platforms::form::{self, AddressesForm, FormErrors};
use crate::platforms::moving::{self, RebindError};
use crate::platforms::{self, Decision, Registration, Version, health, keys};
use crate::web::Problem;

/// A form that only says: do it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Act {
    form_token: String,
}

/// `POST /console/platforms/{registration}/check`: the page, with what was found now.
pub async fn check(
    State(app): State<App>,
    admin: Admin,
    Path(id): Path<RegistrationId>,
    Form(act): Form<Act>,
) -> Result<Response, Problem> {
    admin.visit.check_form(&app, &about(id), &act.form_token)?;
    let registration = registration(&app, id).await?;
    let examined = health::examine(&app, &registration).await;
    page(&app, &admin, id, Said { examined: Some(examined), ..Said::default() }).await
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Decided {
    form_token: String,
    decision: String,
    deployment: String,
}

/// `POST /console/platforms/{registration}/state`
pub async fn decide(
    State(app): State<App>,
    admin: Admin,
    Path(id): Path<RegistrationId>,
    Form(decided): Form<Decided>,
) -> Result<Response, Problem> {
    admin.visit.check_form(&app, &about(id), &decided.form_token)?;
    let (decision, word) = match decided.decision.as_str() {
        "approve" => (Decision::Approve, "approved"),
        "refuse" => (Decision::Refuse, "refused"),
        "close" => (Decision::Close, "closed"),
        "reopen" => (Decision::Reopen, "reopened"),
        _ => return Err(Problem::bad_request("request-unreadable")),
    };
    let mut tx = app.db.write().await?;
    let registration = platforms::find(&mut tx, id).await?.ok_or_else(Problem::not_found)?;
    if platforms::decide(&mut tx, &registration, decision, app.clock.now()).await? {
        tx.commit().await?;
        return Ok(done(id, word));
    }
    drop(tx);
    // Decided by somebody else meanwhile, or pressed twice: the page shows what holds.
    page(&app, &admin, id, Said { refused: Some("platforms-refused-state"), ..Said::default() })
        .await
}

/// `POST /console/platforms/{registration}/deployments`
pub async fn decide_deployment(
    State(app): State<App>,
    admin: Admin,
    Path(id): Path<RegistrationId>,
    Form(decided): Form<Decided>,
) -> Result<Response, Problem> {
    admin.visit.check_form(&app, &about(id), &decided.form_token)?;
    let deployment = match form::identifier(&decided.deployment) {
        Ok(deployment) => deployment,
        Err(refused) => {
            return page(&app, &admin, id, Said { refused: Some(refused), ..Said::default() })
                .await;
        }
    };
    let mut tx = app.db.write().await?;
    platforms::find(&mut tx, id).await?.ok_or_else(Problem::not_found)?;
    let word = match decided.decision.as_str() {
        "approve" => {
            platforms::approve_deployment(&mut tx, id, &deployment, app.clock.now()).await?;
            "deployment-approved"
        }
        "withdraw" if platforms::withdraw_deployment(&mut tx, id, &deployment).await? => {
            "deployment-withdrawn"
        }
        _ => return Err(Problem::not_found()),
    };
    tx.commit().await?;
    Ok(done(id, word))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SettingsForm {
    form_token: String,
    name: String,
    /// A checkbox: there or not.
    anonymous: Option<String>,
    token_audience: String,
}

/// `POST /console/platforms/{registration}/settings`
pub async fn change_settings(
    State(app): State<App>,
    admin: Admin,
    Path(id): Path<RegistrationId>,
    Form(sent): Form<SettingsForm>,
) -> Result<Response, Problem> {
    admin.visit.check_form(&app, &about(id), &sent.form_token)?;
    let anonymous = sent.anonymous.is_some();
    let audience = match sent.token_audience.trim() {
        "" => None,
        text => Some(text.chars().filter(|c| !c.is_control()).take(2000).collect()),
    };
    match form::name(&sent.name) {
        Ok(name) => {
            let mut tx = app.db.write().await?;
            platforms::find(&mut tx, id).await?.ok_or_else(Problem::not_found)?;
            let now = app.clock.now();
            platforms::change_settings(&mut tx, id, &name, anonymous, audience, now).await?;
            tx.commit().await?;
            // Tokens that were asked for with the audience before say nothing of the new one.
            app.tokens.forget_all(id).await;
            Ok(done(id, "saved"))
        }
        Err(error) => {
            let settings = Settings {
                name: sent.name,
                anonymous,
                token_audience: sent.token_audience,
                name_error: Some(error),
            };
            let said = Said { refused: Some(error), settings: Some(settings), ..Said::default() };
            page(&app, &admin, id, said).await
        }
    }
}

/// `POST /console/platforms/{registration}/keys`: our next key takes over.
pub async fn rotate(
    State(app): State<App>,
    admin: Admin,
    Path(id): Path<RegistrationId>,
    Form(act): Form<Act>,
) -> Result<Response, Problem> {
    admin.visit.check_form(&app, &about(id), &act.form_token)?;
    let mut tx = app.db.write().await?;
    let registration = platforms::find(&mut tx, id).await?.ok_or_else(Problem::not_found)?;
    if registration.version == Version::V11 {
        return Err(Problem::not_found());
    }
    keys::rotate(&mut tx, id, app.clock.now()).await?;
    tx.commit().await?;
    Ok(done(id, "rotated"))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct MoveForm {
    form_token: String,
    #[serde(flatten)]
    addresses: AddressesForm,
}

/// `GET /console/platforms/{registration}/move`: this LMS moved.
pub async fn move_form(
    State(app): State<App>,
    admin: Admin,
    Path(id): Path<RegistrationId>,
) -> Result<Response, Problem> {
    let registration = movable(&app, id).await?;
    let addresses = AddressesForm {
        issuer: registration.issuer.clone(),
        client_id: registration.client_id.clone(),
        authorization_endpoint: registration.authorization_endpoint.clone(),
        token_endpoint: registration.token_endpoint.clone(),
        jwks_uri: registration.jwks_uri.clone(),
        token_audience: registration.token_audience.clone().unwrap_or_default(),
    };
    let page = move_page(&app, &admin, &registration, addresses, FormErrors::default());
    Ok(admin.visit.page(app.pages.html(admin.visit.lang(), &page)?))
}

/// `POST /console/platforms/{registration}/move`
pub async fn move_to(
    State(app): State<App>,
    admin: Admin,
    Path(id): Path<RegistrationId>,
    Form(sent): Form<MoveForm>,
) -> Result<Response, Problem> {
    admin.visit.check_form(&app, &about(id), &sent.form_token)?;
    let registration = movable(&app, id).await?;
    let errors = match sent.addresses.parse(registration.product(), schemes(&app)) {
        Err(errors) => errors,
        Ok(to) => {
            let mut tx = app.db.write().await?;
            // As it is now: whoever moved it meanwhile moved its columns too.
            let current = platforms::find(&mut tx, id).await?.ok_or_else(Problem::not_found)?;
            match moving::rebind(&mut tx, &current, &to, app.clock.now()).await {
                Ok(_) => {
                    tx.commit().await?;
                    app.tokens.forget_all(id).await;
                    return Ok(done(id, "moved"));
                }
                Err(RebindError::Taken) => {
                    FormErrors { client_id: Some("platforms-error-taken"), ..FormErrors::default() }
                }
                Err(RebindError::Legacy) => return Err(Problem::not_found()),
                Err(RebindError::Database(error)) => return Err(error.into()),
            }
        }
    };
    let page = move_page(&app, &admin, &registration, sent.addresses, errors);
    let page = admin.visit.page(app.pages.html(admin.visit.lang(), &page)?);
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

async fn movable(app: &App, id: RegistrationId) -> Result<Registration, Problem> {
    let registration = registration(app, id).await?;
    match registration.version {
        Version::V13 => Ok(registration),
        Version::V11 => Err(Problem::not_found()),
    }
}

fn move_page(
    app: &App,
    admin: &Admin,
    registration: &Registration,
    addresses: AddressesForm,
    errors: FormErrors,
) -> MovePage {
    MovePage {
        frame: admin.visit.frame(app),
        back_path: path_of(registration.id, ""),
        action: path_of(registration.id, "/move"),
        form_token: admin.visit.form_token(app, &about(registration.id)),
        name: registration.name.clone(),
        addresses,
        any_error: errors.any(),
        errors,
    }
}
