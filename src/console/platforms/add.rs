//! Connecting an LMS: by a link that it registers itself with, by hand, or over LTI 1.1.

use axum::Form;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::views::{Auto, Choice, TenantChoice};
use super::{
    ChoosePage, ConnectPage, CopyRow, LIST, LegacyPage, LinkPage, copies, done, product_key,
    schemes,
};
use crate::app::App;
use crate::console::Admin;

use crate::platforms::form::{self, AddressesForm, FormErrors, PlatformForm};
use crate::platforms::presets::{Product, Site};
use crate::platforms::{self, dynamic};
use crate::tenants::{self, Tenant};
use crate::web::Problem;

/// What all forms about a platform to add are about.
const ABOUT: &str = "platforms/new";

/// What was chosen so far.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Chosen {
    product: String,
    tenant: String,
    site: String,
}

/// A form of the second step: what was chosen, and the form's own fields.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Sent<T: Default> {
    form_token: String,
    #[serde(flatten)]
    chosen: Chosen,
    #[serde(flatten)]
    fields: T,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct LegacyForm {
    name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Nothing {}

/// `GET /console/platforms/new`: the choice, then the two ways.
pub async fn new_form(
    State(app): State<App>,
    admin: Admin,
    Query(chosen): Query<Chosen>,
) -> Result<Response, Problem> {
    let mut tx = app.db.read().await?;
    let all = tenants::all(&mut tx).await?;
    let product = Product::from_word(&chosen.product);
    let tenant = all.iter().find(|tenant| tenant.slug == chosen.tenant);
    let site = match chosen.site.trim() {
        "" => Ok(None),
        text => text.parse::<Site>().map(Some),
    };
    let (Some(product), Some(tenant), Ok(site)) = (product, tenant, &site) else {
        drop(tx);
        let page = choose(&app, &admin, &all, &chosen, site.is_err());
        return Ok(admin.visit.page(app.pages.html(admin.visit.lang(), &page)?));
    };
    if product == Product::Legacy {
        let allowed = tenants::allows_legacy_lti(&mut tx, tenant.id).await?;
        drop(tx);
        let page = legacy_page(&app, &admin, tenant, allowed, "", None);
        return Ok(admin.visit.page(app.pages.html(admin.visit.lang(), &page)?));
    }
    drop(tx);
    let filled = product.preset().fill(site.as_ref());
    let values = PlatformForm {
        addresses: AddressesForm {
            issuer: filled.issuer,
            client_id: String::new(),
            authorization_endpoint: filled.authorization_endpoint,
            token_endpoint: filled.token_endpoint,
            jwks_uri: filled.jwks_uri,
            token_audience: filled.token_audience,
        },
        ..PlatformForm::default()
    };
    let wants_site = product.preset().asks_site() && site.is_none();
    let page = ConnectPage {
        wants_site,
        ..connect(&app, &admin, product, tenant, values, FormErrors::default())
    };
    Ok(admin.visit.page(app.pages.html(admin.visit.lang(), &page)?))
}

fn choose(
    app: &App,
    admin: &Admin,
    all: &[Tenant],
    chosen: &Chosen,
    site_error: bool,
) -> ChoosePage {
    ChoosePage {
        frame: admin.visit.frame(app),
        back_path: LIST,
        action: format!("{LIST}/new"),
        products: Product::ALL
            .into_iter()
            .map(|product| Choice {
                word: product.as_str(),
                key: product_key(product),
                checked: product.as_str() == chosen.product
                    || (chosen.product.is_empty() && product == Product::Moodle),
            })
            .collect(),
        tenants: all
            .iter()
            .map(|tenant| TenantChoice {
                slug: tenant.slug.clone(),
                name: tenant.name.clone(),
                selected: tenant.slug == chosen.tenant,
            })
            .collect(),
        site: chosen.site.clone(),
        site_error,
    }
}

fn connect(
    app: &App,
    admin: &Admin,
    product: Product,
    tenant: &Tenant,
    values: PlatformForm,
    errors: FormErrors,
) -> ConnectPage {
    let word = product.as_str();
    ConnectPage {
        frame: admin.visit.frame(app),
        back_path: format!("{LIST}/new?product={word}&tenant={}", tenant.slug),
        product: word,
        product_key: product_key(product),
        tenant: tenant.slug.clone(),
        tenant_name: tenant.name.clone(),
        wants_site: false,
        auto: product.preset().registers_itself.then(|| Auto {
            key: format!("platforms-auto-{word}"),
            action: format!("{LIST}/link"),
        }),
        manual_key: format!("platforms-manual-{word}"),
        settings_key: format!("platforms-settings-{word}"),
        back_key: format!("platforms-back-{word}"),
        copies: copies(app, product, None),
        action: LIST.to_owned(),
        form_token: admin.visit.form_token(app, ABOUT),
        addresses: values.addresses.clone(),
        values,
        any_error: errors.any(),
        errors,
    }
}

fn legacy_page(
    app: &App,
    admin: &Admin,
    tenant: &Tenant,
    allowed: bool,
    name: &str,
    name_error: Option<&'static str>,
) -> LegacyPage {
    LegacyPage {
        frame: admin.visit.frame(app),
        back_path: format!("{LIST}/new?tenant={}", tenant.slug),
        tenant: tenant.slug.clone(),
        tenant_name: tenant.name.clone(),
        form_token: admin.visit.form_token(app, ABOUT),
        allow_action: (!allowed).then(|| format!("{LIST}/legacy/allow")),
        action: format!("{LIST}/legacy"),
        name: name.to_owned(),
        name_error,
    }
}

/// What a form of ours chose; another value than ours is nobody's.
async fn tenant_of(tx: &mut crate::db::Tx, chosen: &Chosen) -> Result<Tenant, Problem> {
    tenants::by_slug(tx, &chosen.tenant).await?.ok_or_else(Problem::not_found)
}

fn product_of(chosen: &Chosen) -> Result<Product, Problem> {
    Product::from_word(&chosen.product)
        .filter(|product| *product != Product::Legacy)
        .ok_or_else(Problem::not_found)
}

/// `POST /console/platforms`: the registration is added whole, or the form says what is wrong.
pub async fn create(
    State(app): State<App>,
    admin: Admin,
    Form(sent): Form<Sent<PlatformForm>>,
) -> Result<Response, Problem> {
    admin.visit.check_form(&app, ABOUT, &sent.form_token)?;
    let product = product_of(&sent.chosen)?;
    let mut tx = app.db.write().await?;
    let tenant = tenant_of(&mut tx, &sent.chosen).await?;
    let errors = match sent.fields.parse(tenant.id, product, schemes(&app)) {
        Err(errors) => errors,
        Ok(new) => match platforms::insert(&mut tx, new, app.clock.now()).await? {
            Some(id) => {
                if let Some(family) = product.family() {
                    platforms::remember_family(&mut tx, id, family).await?;
                }
                tx.commit().await?;
                return Ok(done(id, "connected"));
            }
            None => {
                FormErrors { client_id: Some("platforms-error-taken"), ..FormErrors::default() }
            }
        },
    };
    drop(tx);
    let page = connect(&app, &admin, product, &tenant, sent.fields, errors);
    let page = admin.visit.page(app.pages.html(admin.visit.lang(), &page)?);
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

/// `POST /console/platforms/link`: a registration link, shown once.
pub async fn invite(
    State(app): State<App>,
    admin: Admin,
    Form(sent): Form<Sent<Nothing>>,
) -> Result<Response, Problem> {
    admin.visit.check_form(&app, ABOUT, &sent.form_token)?;
    let product = product_of(&sent.chosen)?;
    let mut tx = app.db.write().await?;
    let tenant = tenant_of(&mut tx, &sent.chosen).await?;
    let token = dynamic::invite(&mut tx, tenant.id, app.clock.now()).await?;
    tx.commit().await?;
    let link = app.config.public(&format!("/lti/register/{}", token.reveal()));
    let page = LinkPage {
        frame: admin.visit.frame(&app),
        back_path: LIST,
        product_key: product_key(product),
        auto_key: format!("platforms-auto-{}", product.as_str()),
        copies: vec![CopyRow::new("link", "", link)],
    };
    Ok(admin.visit.page(app.pages.html(admin.visit.lang(), &page)?))
}

/// `POST /console/platforms/legacy`: key and secret of an LTI 1.1 consumer.
pub async fn create_legacy(
    State(app): State<App>,
    admin: Admin,
    Form(sent): Form<Sent<LegacyForm>>,
) -> Result<Response, Problem> {
    admin.visit.check_form(&app, ABOUT, &sent.form_token)?;
    let mut tx = app.db.write().await?;
    let tenant = tenant_of(&mut tx, &sent.chosen).await?;
    let allowed = tenants::allows_legacy_lti(&mut tx, tenant.id).await?;
    let name_error = match form::name(&sent.fields.name) {
        Ok(name) if allowed => {
            let added = platforms::legacy::add(&mut tx, tenant.id, &name, app.clock.now()).await?;
            tx.commit().await?;
            return Ok(done(added.registration, "legacy"));
        }
        // It was turned off meanwhile: the page says so.
        Ok(_) => None,
        Err(error) => Some(error),
    };
    drop(tx);
    let page = legacy_page(&app, &admin, &tenant, allowed, &sent.fields.name, name_error);
    let page = admin.visit.page(app.pages.html(admin.visit.lang(), &page)?);
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

/// `POST /console/platforms/legacy/allow`: LTI 1.1 is turned on for the tenant.
pub async fn allow_legacy(
    State(app): State<App>,
    admin: Admin,
    Form(sent): Form<Sent<Nothing>>,
) -> Result<Response, Problem> {
    admin.visit.check_form(&app, ABOUT, &sent.form_token)?;
    let mut tx = app.db.write().await?;
    let tenant = tenant_of(&mut tx, &sent.chosen).await?;
    tenants::set_legacy_lti(&mut tx, tenant.id, true).await?;
    tx.commit().await?;
    let legacy = Product::Legacy.as_str();
    let back = format!("{LIST}/new?product={legacy}&tenant={}", tenant.slug);
    Ok(Redirect::to(&back).into_response())
}
