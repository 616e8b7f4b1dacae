//! The administrator's pages about platforms: the list, connecting an LMS, and each one's page.

mod act;
mod add;
mod show;
mod views;

use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use chrono::TimeDelta;
use serde::Deserialize;

use super::Admin;
use crate::app::App;
use crate::ids::RegistrationId;
use crate::platforms::form::Schemes;
use crate::platforms::presets::{Entry, Product};
use crate::platforms::{self, Overview, Registration, RegistrationState};
use crate::web::{Lang, Problem, assets, dates};

pub use act::{change_settings, check, decide, decide_deployment, move_form, move_to, rotate};
pub use add::{allow_legacy, create, create_legacy, invite, new_form};
pub use show::show;
pub use views::{
    ChoosePage, ConnectPage, CopyRow, LegacyPage, LinkPage, ListPage, ListRow, MovePage, ShowPage,
    StrangerRow,
};

/// Refusals of the last day are what an administrator looks at.
const LATELY: TimeDelta = TimeDelta::hours(24);
/// Where an LTI 1.1 consumer launches to.
const LEGACY_LAUNCH: &str = "/lti/1.1/launch";
/// What copied courses are recognised by, where the LMS knows these variables.
const CUSTOM: &str = "context_id_history=$Context.id.history
resource_link_id_history=$ResourceLink.id.history";

/// What was just done, from the address after a form was sent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Done {
    done: String,
}

impl Done {
    /// A sentence of ours, whatever the address says.
    fn notice(&self) -> Option<&'static str> {
        Some(match self.done.as_str() {
            "connected" => "platforms-done-connected",
            "legacy" => "platforms-done-legacy",
            "approved" => "platforms-done-approved",
            "refused" => "platforms-done-refused",
            "closed" => "platforms-done-closed",
            "reopened" => "platforms-done-reopened",
            "deployment-approved" => "platforms-done-deployment-approved",
            "deployment-withdrawn" => "platforms-done-deployment-withdrawn",
            "saved" => "platforms-done-saved",
            "moved" => "platforms-done-moved",
            "rotated" => "platforms-done-rotated",
            _ => return None,
        })
    }
}

const LIST: &str = "/console/platforms";

fn path_of(id: RegistrationId, rest: &str) -> String {
    format!("{LIST}/{id}{rest}")
}

/// What the forms about a registration are about.
fn about(id: RegistrationId) -> String {
    format!("platforms/{id}")
}

/// Back to the registration's page, which says what was done.
fn done(id: RegistrationId, what: &str) -> Response {
    Redirect::to(&path_of(id, &format!("?done={what}"))).into_response()
}

fn product_key(product: Product) -> String {
    format!("platforms-product-{}", product.as_str())
}

fn schemes(app: &App) -> Schemes {
    if app.config.insecure_allow_private_networks {
        Schemes::InsecureHttpToo
    } else {
        Schemes::HttpsOnly
    }
}

/// `GET /console/platforms`
pub async fn list(
    State(app): State<App>,
    admin: Admin,
    Query(done): Query<Done>,
) -> Result<Response, Problem> {
    let mut tx = app.db.read().await?;
    let since = app.clock.now() - LATELY;
    let all = platforms::overview(&mut tx, since).await?;
    let strangers = platforms::strangers(&mut tx, since).await?;
    drop(tx);
    let row = |one: &Overview| list_row(&app, &admin, one);
    let (pending, others): (Vec<&Overview>, Vec<&Overview>) =
        all.iter().partition(|one| one.state == RegistrationState::Pending);
    let page = ListPage {
        frame: admin.visit.frame(&app),
        notice: done.notice(),
        new_path: format!("{LIST}/new"),
        pending: pending.into_iter().map(row).collect(),
        rows: others.into_iter().map(row).collect(),
        strangers: strangers
            .into_iter()
            .map(|one| StrangerRow { detail: one.detail, times: one.times })
            .collect(),
    };
    Ok(admin.visit.page(app.pages.html(admin.visit.lang(), &page)?))
}

fn list_row(app: &App, admin: &Admin, one: &Overview) -> ListRow {
    let when = |at| dates::day_and_time(admin.visit.lang(), at, one.zone());
    ListRow {
        path: path_of(one.id, ""),
        state_path: path_of(one.id, "/state"),
        form_token: admin.visit.form_token(app, &about(one.id)),
        name: one.name.clone(),
        tenant: one.tenant.clone(),
        issuer: one.issuer.clone(),
        version: one.version.as_str(),
        state_key: format!("platforms-state-{}", one.state.as_str()),
        closed: one.state == RegistrationState::Closed,
        since: when(one.created_at),
        last_launch: one.last_launch.map(when),
        refused: one.refused,
        waiting: one.waiting,
    }
}

/// The values to enter in an LMS, in its order and with its words. Those of a registration that
/// exists are its own.
fn copies(app: &App, product: Product, of: Option<(&Registration, bool)>) -> Vec<CopyRow> {
    let own_keys = of.filter(|(_, own)| *own).map(|(registration, _)| registration.id);
    let public = |path: &str| app.config.public(path);
    let value = |entry| match entry {
        Entry::Tool if product == Product::Legacy => Some(public(LEGACY_LAUNCH)),
        Entry::Tool | Entry::Target | Entry::Redirect | Entry::DeepLinking => {
            Some(public("/lti/launch"))
        }
        Entry::Login => Some(public("/lti/login")),
        Entry::Keys => Some(match own_keys {
            Some(id) => public(&format!("/lti/keys/{id}")),
            None => public("/.well-known/jwks.json"),
        }),
        Entry::Domain => {
            let origin = app.config.origin();
            Some(origin.split_once("://").map_or(origin.as_str(), |(_, host)| host).to_owned())
        }
        Entry::Custom => Some(CUSTOM.to_owned()),
        Entry::Icon => assets::address("favicon.svg").map(|path| public(&path)),
        Entry::ConsumerKey => of.map(|(registration, _)| registration.client_id.clone()),
        Entry::SharedSecret => of.and_then(|(registration, _)| {
            registration.secret.as_ref().map(|secret| secret.reveal().to_owned())
        }),
    };
    let entries = product.preset().entries.iter();
    let mut rows: Vec<CopyRow> = entries
        .filter_map(|(entry, theirs)| Some(CopyRow::new(entry.as_str(), theirs, value(*entry)?)))
        .collect();
    if let Some((registration, _)) = of.filter(|_| product != Product::Legacy) {
        // For platforms that tell no client id when a login begins.
        let own = public(&format!("/lti/login/{}", registration.id));
        rows.push(CopyRow::new("own-login", "", own));
    }
    rows
}

/// How far a clock is off, in words.
fn skew(app: &App, lang: Lang, seconds: i64) -> String {
    let key = match seconds {
        1.. => "platforms-skew-ahead",
        0 => "platforms-skew-none",
        ..0 => "platforms-skew-behind",
    };
    app.pages.locales.say(lang, key, &[("seconds", &seconds.abs().to_string())])
}
