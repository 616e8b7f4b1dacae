//! A registration's page: what it is, how it is, what came through it.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;

use super::views::{CheckRow, DeploymentRow, ExaminedRow, KeyRow, LaunchRow, Settings, ShowPage};
use super::{Done, LIST, about, copies, path_of, product_key, skew};
use crate::app::App;
use crate::console::Admin;
use crate::ids::RegistrationId;
use crate::launches;
use crate::platforms::health::{Examined, Verdict};
use crate::platforms::keys::{self, KeyInfo};
use crate::platforms::{
    self, DeploymentState, LoggedLaunch, Registration, RegistrationState, Version,
};
use crate::tenants::{self, Tenant};
use crate::web::{Lang, Problem, dates};

/// How many launches the page tells of.
const LAUNCHES: i64 = 20;

/// `GET /console/platforms/{registration}`
pub async fn show(
    State(app): State<App>,
    admin: Admin,
    Path(id): Path<RegistrationId>,
    Query(done): Query<Done>,
) -> Result<Response, Problem> {
    page(&app, &admin, id, Said { notice: done.notice(), ..Said::default() }).await
}

/// What the page says besides what is stored.
#[derive(Default)]
pub(super) struct Said {
    pub(super) notice: Option<&'static str>,
    /// Why nothing was done.
    pub(super) refused: Option<&'static str>,
    pub(super) examined: Option<Vec<Examined>>,
    /// The settings as they were sent, when they were not taken.
    pub(super) settings: Option<Settings>,
}

/// The page as it is now. It answers 409 where something was refused.
pub(super) async fn page(
    app: &App,
    admin: &Admin,
    id: RegistrationId,
    said: Said,
) -> Result<Response, Problem> {
    let lang = admin.visit.lang();
    let mut tx = app.db.read().await?;
    let registration = platforms::find(&mut tx, id).await?.ok_or_else(Problem::not_found)?;
    let tenant = tenants::find(&mut tx, registration.tenant_id).await?;
    let deployments = platforms::deployments(&mut tx, id).await?;
    let launches = platforms::log_of(&mut tx, id, LAUNCHES).await?;
    let own_keys = keys::keys_of(&mut tx, id).await?;
    drop(tx);
    let product = registration.product();
    let refused = said.refused;
    let state = registration.state;
    let settings = said.settings.unwrap_or_else(|| Settings {
        name: registration.name.clone(),
        anonymous: registration.anonymous,
        token_audience: registration.token_audience.clone().unwrap_or_default(),
        name_error: None,
    });
    let page = ShowPage {
        frame: admin.visit.frame(app),
        list_path: LIST,
        path: path_of(id, ""),
        form_token: admin.visit.form_token(app, &about(id)),
        notice: said.notice,
        refused,
        tenant: tenant.name.clone(),
        product_key: product_key(product),
        version: registration.version.as_str(),
        legacy: registration.version == Version::V11,
        state_key: format!("platforms-state-{}", state.as_str()),
        pending: state == RegistrationState::Pending,
        active: state == RegistrationState::Active,
        closed: state == RegistrationState::Closed,
        examined: said.examined.map(|all| all.into_iter().map(examined_row).collect()),
        deployments: deployments
            .into_iter()
            .map(|one| DeploymentRow {
                action: path_of(id, "/deployments"),
                form_token: admin.visit.form_token(app, &about(id)),
                deployment: one.deployment_id,
                approved: one.state == DeploymentState::Approved,
            })
            .collect(),
        launches: launches.into_iter().map(|one| launch_row(app, lang, &tenant, one)).collect(),
        copies: copies(app, product, Some((&registration, !own_keys.is_empty()))),
        keys: own_keys.into_iter().map(|key| key_row(lang, &tenant, key)).collect(),
        settings_key: format!("platforms-settings-{}", product.as_str()),
        settings,
        name: registration.name,
        issuer: registration.issuer,
        client_id: registration.client_id,
        authorization_endpoint: registration.authorization_endpoint,
        token_endpoint: registration.token_endpoint,
        jwks_uri: registration.jwks_uri,
    };
    let page = admin.visit.page(app.pages.html(lang, &page)?);
    Ok(match refused {
        Some(_) => (StatusCode::CONFLICT, page).into_response(),
        None => page,
    })
}

/// The registration that a form is about.
pub(super) async fn registration(app: &App, id: RegistrationId) -> Result<Registration, Problem> {
    let mut tx = app.db.read().await?;
    platforms::find(&mut tx, id).await?.ok_or_else(Problem::not_found)
}

fn examined_row(one: Examined) -> ExaminedRow {
    let (remedy, detail) = match &one.verdict {
        Verdict::Wrong(trouble) => {
            (Some(format!("platforms-trouble-{}", trouble.code)), trouble.detail.clone())
        }
        Verdict::Fine | Verdict::Unknown => (None, String::new()),
    };
    ExaminedRow {
        key: format!("platforms-examined-{}", one.subject.as_str()),
        about: one.about,
        facts: one.facts,
        fine: one.verdict == Verdict::Fine,
        unknown: one.verdict == Verdict::Unknown,
        remedy,
        detail,
    }
}

fn key_row(lang: Lang, tenant: &Tenant, key: KeyInfo) -> KeyRow {
    KeyRow {
        kid: key.kid,
        state_key: format!("platforms-key-{}", key.state.as_str()),
        created: dates::day(lang, key.created_at, tenant.zone()),
        signs_from: key.signs_from.map(|at| dates::day_and_time(lang, at, tenant.zone())),
    }
}

fn launch_row(app: &App, lang: Lang, tenant: &Tenant, one: LoggedLaunch) -> LaunchRow {
    let accepted = one.outcome == "accepted";
    let locales = &app.pages.locales;
    let remedy = || {
        let own = format!("platforms-remedy-{}", one.outcome);
        let key = if locales.has(lang, &own) { own.as_str() } else { "platforms-remedy-other" };
        locales.say(lang, key, &[])
    };
    let checks: Vec<CheckRow> = one
        .checks
        .as_array()
        .into_iter()
        .flatten()
        .map(|check| check_row(app, lang, check))
        .collect();
    let signed = one
        .checks
        .as_array()
        .into_iter()
        .flatten()
        .any(|check| check["name"] == "signature" && check["outcome"] == "passed");
    LaunchRow {
        when: dates::day_and_time(lang, one.at, tenant.zone()),
        accepted,
        text: if accepted {
            String::new()
        } else {
            launches::pages::sentence(app, lang, &one.outcome, "text")
        },
        remedy: if accepted { String::new() } else { remedy() },
        detail: one.detail,
        skew: one.skew_seconds.map(|seconds| skew(app, lang, seconds)),
        checks,
        claims: one.claims.and_then(|claims| serde_json::to_string_pretty(&claims).ok()),
        unverified: !accepted && !signed,
        code: one.outcome,
    }
}

fn check_row(app: &App, lang: Lang, check: &Value) -> CheckRow {
    let text = |name: &str| check[name].as_str().unwrap_or_default().to_owned();
    let (name, outcome) = (text("name"), text("outcome"));
    let key = format!("platforms-check-{name}");
    let locales = &app.pages.locales;
    let (outcome_key, tag) = match outcome.as_str() {
        "passed" => ("platforms-outcome-passed", "good"),
        "failed" => ("platforms-outcome-failed", "danger"),
        _ => ("platforms-outcome-skipped", ""),
    };
    CheckRow {
        label: if locales.has(lang, &key) { locales.say(lang, &key, &[]) } else { name },
        outcome_key: outcome_key.to_owned(),
        tag,
        detail: text("detail"),
    }
}
