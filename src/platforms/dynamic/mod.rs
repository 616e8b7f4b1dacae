//! Dynamic registration: the platform opens our page, we introduce ourselves, and both know each
//! other (LTI Dynamic Registration 1.0).
//!
//! A link lets a platform in for its tenant. Without one the registration waits for an
//! administrator. The same way leads to an update, which changes where we send people and read keys
//! only for who has a link.

pub mod pages;
mod store;
mod tool;

use chrono::{DateTime, TimeDelta, Utc};
use lti::http::{Request, Response};
use lti::registration::{PlatformConfiguration, Registered, RegistrationRefusal, Start};
use url::Url;

use super::{Registration, RegistrationState, Version, by_client, find};
use crate::app::App;
use crate::config::Config;
use crate::db::{self, Tx};
use crate::ids::{RegistrationId, TenantId, Token};
use crate::outbound::OutboundError;
use crate::platforms::keys::{self, KeysError};
use crate::tenants::{self, Tenant};

use self::store::{Link, Row};

/// How long a registration link works.
pub const LINK_LIFE: TimeDelta = TimeDelta::days(7);
/// Registrations without a link: nobody fills the table.
const PENDING_AN_HOUR: i64 = 20;
/// An attempt that is older than this died with its process.
const ATTEMPT_LIFE: TimeDelta = TimeDelta::minutes(5);

/// Why a registration goes no further. Nothing of it is stored then.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    #[error(transparent)]
    Protocol(#[from] RegistrationRefusal),
    #[error(transparent)]
    Unreachable(#[from] OutboundError),
    #[error("the platform's configuration is at {0}, and this installation calls https only")]
    Insecure(String),
    #[error("this installation has no tenant yet: `passerelle tenant add`")]
    NoTenant,
    #[error("the registration link is not one of ours")]
    LinkUnknown,
    #[error("the registration link expired on {0}")]
    LinkExpired(DateTime<Utc>),
    #[error("the registration link was used before")]
    LinkUsed,
    #[error("the registration belongs to another tenant than the link")]
    OtherTenant,
    #[error("the registration was closed by an administrator")]
    Closed,
    #[error(
        "the platform's endpoints are not those of the registration; changing them needs a link"
    )]
    AddressesChanged,
    #[error("issuer {issuer:?} with client id {client_id:?} is registered already")]
    Known { issuer: String, client_id: String },
    #[error("{PENDING_AN_HOUR} registrations came within an hour without a link")]
    TooMany,
    #[error("the same registration is under way")]
    UnderWay,
    #[error("the registration was interrupted")]
    Interrupted,
    #[error(transparent)]
    Keys(#[from] KeysError),
    #[error(transparent)]
    Database(#[from] db::Error),
}

impl RegisterError {
    /// A stable word for texts.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Protocol(refusal) => refusal.code(),
            Self::Unreachable(_) => "registration-unreachable",
            Self::Insecure(_) => "registration-insecure",
            Self::NoTenant => "registration-no-tenant",
            Self::LinkUnknown => "registration-link-unknown",
            Self::LinkExpired(_) => "registration-link-expired",
            Self::LinkUsed => "registration-link-used",
            Self::OtherTenant => "registration-other-tenant",
            Self::Closed => "registration-was-closed",
            Self::AddressesChanged => "registration-addresses-changed",
            Self::Known { .. } => "registration-known",
            Self::TooMany => "registration-too-many",
            Self::UnderWay => "registration-under-way",
            Self::Interrupted | Self::Keys(_) | Self::Database(_) => "internal",
        }
    }
}

/// A registration link for a tenant, to be given to who administers its LMS.
pub async fn invite(tx: &mut Tx, tenant: TenantId, now: DateTime<Utc>) -> db::Result<Token> {
    let token = Token::random();
    store::insert_link(tx, &token, tenant, now, now + LINK_LIFE).await?;
    Ok(token)
}

/// The address that is entered in the LMS.
pub fn address(config: &Config, link: &Token) -> String {
    config.public(&format!("/lti/register/{}", link.reveal()))
}

/// Removes what came to nothing: attempts of processes that died, links long expired.
pub async fn clean(tx: &mut Tx, now: DateTime<Utc>) -> db::Result<()> {
    abandon(tx, now).await?;
    store::clean_links(tx, now - TimeDelta::days(30)).await
}

async fn abandon(tx: &mut Tx, now: DateTime<Utc>) -> db::Result<()> {
    for id in store::abandoned(tx, now - ATTEMPT_LIFE).await? {
        keys::remove(tx, id).await?;
        store::release(tx, id).await?;
    }
    Ok(())
}

/// A platform that wants to be registered, as far as it was checked.
#[derive(Clone, Debug)]
pub struct Offer {
    start: Start,
    link: Option<Link>,
    pub tenant: Tenant,
    pub platform: PlatformConfiguration,
}

impl Offer {
    /// Whether the platform wants to update what it has.
    pub fn is_update(&self) -> bool {
        self.start.asks_for_update()
    }

    /// Whether the platform is let in at once.
    pub fn is_invited(&self) -> bool {
        self.link.is_some()
    }

    /// The host people know the platform by.
    pub fn host(&self) -> String {
        host_of(&self.platform.issuer)
    }

    /// Where the platform's pages are: its configuration's origin.
    fn platform_origin(&self) -> Option<String> {
        crate::web::origin_of(self.start.configuration_url.as_str())
    }

    /// What the registration is called until somebody renames it.
    fn name(&self) -> String {
        match product_name(self.platform.family.as_deref()) {
            Some(product) => format!("{product} ({})", self.host()),
            None => self.host(),
        }
    }
}

/// Host and, where it is not the scheme's own, port.
fn host_of(address: &str) -> String {
    let url = Url::parse(address).ok();
    let host = url.as_ref().and_then(Url::host_str).unwrap_or(address);
    match url.as_ref().and_then(Url::port) {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// What people call the product of a family code.
fn product_name(family: Option<&str>) -> Option<String> {
    let family = family?;
    let known = match family {
        "moodle" => "Moodle",
        "canvas" => "Canvas",
        "desire2learn" | "d2l" | "brightspace" => "Brightspace",
        "blackboardlearn" | "blackboard" => "Blackboard",
        "openedx" | "open_edx" => "Open edX",
        "sakai" => "Sakai",
        "ilias" => "ILIAS",
        "schoology" => "Schoology",
        "itslearning" => "itslearning",
        "campus" => "Campus",
        other => return Some(other.chars().take(40).collect()),
    };
    Some(known.to_owned())
}

/// Checks link, addresses and configuration. Writes nothing, here or there.
pub async fn consider(app: &App, link: Option<&str>, query: &[u8]) -> Result<Offer, RegisterError> {
    let start = Start::parse(query)?;
    let from = &start.configuration_url;
    if from.scheme() != "https" && !app.config.insecure_allow_private_networks {
        return Err(RegisterError::Insecure(host_of(from.as_str())));
    }
    let now = app.clock.now();
    let (link, tenant) = {
        let mut tx = app.db.read().await?;
        match link {
            Some(token) => {
                let link = usable_link(&mut tx, token, start.asks_for_update(), now).await?;
                let tenant = tenants::find(&mut tx, link.tenant_id).await?;
                (Some(link), tenant)
            }
            None => {
                let tenant = tenants::first(&mut tx).await?.ok_or(RegisterError::NoTenant)?;
                if !start.asks_for_update() {
                    has_room(&mut tx, now).await?;
                }
                (None, tenant)
            }
        }
    };
    let answer = send(app, start.request()).await?;
    let platform = PlatformConfiguration::parse(&answer, &start)?;
    Ok(Offer { start, link, tenant, platform })
}

/// A link is good once; afterwards only to update what it was used for, which is looked at when
/// that is known.
async fn usable_link(
    tx: &mut Tx,
    token: &str,
    update: bool,
    now: DateTime<Utc>,
) -> Result<Link, RegisterError> {
    let token: Token = token.parse().map_err(|_| RegisterError::LinkUnknown)?;
    let link = store::link(tx, &token.hash()).await?.ok_or(RegisterError::LinkUnknown)?;
    if link.expires_at <= now {
        return Err(RegisterError::LinkExpired(link.expires_at));
    }
    if link.used_at.is_some() && !update {
        return Err(RegisterError::LinkUsed);
    }
    Ok(link)
}

async fn has_room(tx: &mut Tx, now: DateTime<Utc>) -> Result<(), RegisterError> {
    let waiting = store::pending_since(tx, now - TimeDelta::hours(1)).await?;
    if waiting < PENDING_AN_HOUR { Ok(()) } else { Err(RegisterError::TooMany) }
}

/// The registration that an earlier POST of the same form made.
pub async fn finished(app: &App, id: RegistrationId) -> db::Result<Option<Registration>> {
    let mut tx = app.db.read().await?;
    find(&mut tx, id).await
}

/// What became of an offer.
#[derive(Clone, Debug)]
pub struct Connected {
    pub registration: Registration,
    pub updated: bool,
}

/// Registers with the platform, or updates what it has. Goes on when the browser is gone: what the
/// platform stored must not be missing here. `id` is the registration's, should it be a new one.
pub async fn register(
    app: &App,
    offer: Offer,
    id: RegistrationId,
) -> Result<Connected, RegisterError> {
    let app = app.clone();
    let work = tokio::spawn(async move {
        match current(&app, &offer).await? {
            Some((told, registration)) => update(&app, &offer, &told, registration).await,
            None => add(&app, &offer, id).await,
        }
    });
    work.await.map_err(|_| RegisterError::Interrupted)?
}

/// What the platform has of us, where it wants to update that and we know it.
async fn current(
    app: &App,
    offer: &Offer,
) -> Result<Option<(Registered, Registration)>, RegisterError> {
    let token = offer.start.token.as_deref().filter(|_| offer.is_update());
    let Some(token) = token else { return Ok(None) };
    let request = lti::registration::read(&offer.platform.registration_endpoint, token);
    let told = Registered::parse(&send(app, request).await?)?;
    let mut tx = app.db.read().await?;
    let known = by_client(&mut tx, &offer.platform.issuer, &told.client_id).await?;
    Ok(known.map(|registration| (told, registration)))
}

/// Whether this offer may change the registration; true when it may change addresses too.
fn may_update(offer: &Offer, registration: &Registration) -> Result<bool, RegisterError> {
    if registration.version != Version::V13 {
        return Err(known(&registration.issuer, &registration.client_id));
    }
    if registration.state == RegistrationState::Closed {
        return Err(RegisterError::Closed);
    }
    match &offer.link {
        Some(link) if link.tenant_id != registration.tenant_id => Err(RegisterError::OtherTenant),
        Some(link) if link.used_at.is_some() && link.registration_id != Some(registration.id) => {
            Err(RegisterError::LinkUsed)
        }
        Some(_) => Ok(true),
        // Several sites can share a host, and each of them can name the other's issuer.
        None => {
            let told = &offer.platform;
            let audience = told.authorization_server.as_ref();
            let same = audience
                .is_none_or(|told| registration.token_audience.as_ref() == Some(told))
                && registration.authorization_endpoint == told.authorization_endpoint.as_str()
                && registration.token_endpoint == told.token_endpoint.as_str()
                && registration.jwks_uri == told.jwks_uri.as_str();
            if same { Ok(false) } else { Err(RegisterError::AddressesChanged) }
        }
    }
}

fn known(issuer: &str, client_id: &str) -> RegisterError {
    RegisterError::Known { issuer: issuer.to_owned(), client_id: client_id.to_owned() }
}

async fn update(
    app: &App,
    offer: &Offer,
    told: &Registered,
    registration: Registration,
) -> Result<Connected, RegisterError> {
    let trusted = may_update(offer, &registration)?;
    let tool = tool::describe(app, &offer.tenant, &offer.platform, registration.id);
    let endpoint = &offer.platform.registration_endpoint;
    // By the client's own address where the platform gave one, and on the same host.
    let own = told.client_url.as_ref().filter(|url| url.origin() == endpoint.origin());
    let request = match (own, &told.access_token) {
        (Some(url), Some(token)) => {
            lti::registration::update(url, token, &told.client_id, &offer.platform, &tool)
        }
        _ => lti::registration::register(&offer.platform, offer.start.token.as_deref(), &tool),
    };
    let answer = Registered::parse(&send(app, request).await?)?;
    if answer.client_id != registration.client_id {
        return Err(known(&registration.issuer, &answer.client_id));
    }
    let now = app.clock.now();
    let mut tx = app.db.write().await?;
    store::renew(&mut tx, registration.id, &row(offer, &answer.client_id), now).await?;
    if trusted {
        store::activate(&mut tx, registration.id, now).await?;
        settle(&mut tx, offer, &answer, registration.id, now).await?;
    }
    // The platform was told where the registration's own key set is.
    keys::give_own(&mut tx, registration.id, now).await?;
    let registration = find(&mut tx, registration.id).await?.ok_or(RegisterError::Interrupted)?;
    tx.commit().await?;
    app.wake.notify_waiters();
    tracing::info!(registration = %registration.id, "a platform updated its registration");
    Ok(Connected { registration, updated: true })
}

async fn add(app: &App, offer: &Offer, id: RegistrationId) -> Result<Connected, RegisterError> {
    claim(app, offer, id).await?;
    let registration = match introduce(app, offer, id).await {
        Ok(registration) => registration,
        Err(error) => {
            let mut tx = app.db.write().await?;
            keys::remove(&mut tx, id).await?;
            store::release(&mut tx, id).await?;
            tx.commit().await?;
            return Err(error);
        }
    };
    app.wake.notify_waiters();
    tracing::info!(registration = %id, state = registration.state.as_str(), "a platform registered");
    Ok(Connected { registration, updated: false })
}

/// Takes the link and a place for this registration and publishes its key, before the platform is
/// asked: of two that press the button, one goes on.
async fn claim(app: &App, offer: &Offer, id: RegistrationId) -> Result<(), RegisterError> {
    let fresh = keys::make().await?;
    let now = app.clock.now();
    let mut tx = app.db.write().await?;
    abandon(&mut tx, now).await?;
    if find(&mut tx, id).await?.is_some() {
        return Err(RegisterError::UnderWay);
    }
    match &offer.link {
        Some(link) => {
            let link = store::link(&mut tx, &link.token_hash).await?;
            if link.ok_or(RegisterError::LinkUnknown)?.used_at.is_some() {
                return Err(RegisterError::LinkUsed);
            }
        }
        None => has_room(&mut tx, now).await?,
    }
    let link = offer.link.as_ref().map(|link| link.token_hash.clone());
    if !store::claim(&mut tx, id, link, now).await? {
        return Err(RegisterError::UnderWay);
    }
    keys::insert_first(&mut tx, id, fresh, now).await?;
    Ok(tx.commit().await?)
}

/// Asks the platform, and keeps what it answered.
async fn introduce(
    app: &App,
    offer: &Offer,
    id: RegistrationId,
) -> Result<Registration, RegisterError> {
    let tool = tool::describe(app, &offer.tenant, &offer.platform, id);
    let token = offer.start.token.as_deref();
    let request = lti::registration::register(&offer.platform, token, &tool);
    let answer = Registered::parse(&send(app, request).await?)?;
    let now = app.clock.now();
    let mut tx = app.db.write().await?;
    if !store::insert(&mut tx, id, &row(offer, &answer.client_id), now).await? {
        return Err(known(&offer.platform.issuer, &answer.client_id));
    }
    settle(&mut tx, offer, &answer, id, now).await?;
    store::release(&mut tx, id).await?;
    keys::prepare_next(&mut tx, id, now).await?;
    let registration = find(&mut tx, id).await?.ok_or(RegisterError::Interrupted)?;
    tx.commit().await?;
    Ok(registration)
}

/// The deployment that came along is approved with its registration; the link is spent.
async fn settle(
    tx: &mut Tx,
    offer: &Offer,
    answer: &Registered,
    id: RegistrationId,
    now: DateTime<Utc>,
) -> Result<(), RegisterError> {
    if let Some(deployment) = &answer.deployment_id {
        super::approve_deployment(tx, id, deployment, now).await?;
    }
    if let Some(link) = &offer.link
        && !store::spend_link(tx, &link.token_hash, id, now).await?
    {
        return Err(RegisterError::LinkUsed);
    }
    Ok(())
}

fn row(offer: &Offer, client_id: &str) -> Row {
    let platform = &offer.platform;
    Row {
        tenant: offer.tenant.id,
        name: offer.name(),
        issuer: platform.issuer.clone(),
        client_id: client_id.to_owned(),
        authorization_endpoint: platform.authorization_endpoint.to_string(),
        token_endpoint: platform.token_endpoint.to_string(),
        jwks_uri: platform.jwks_uri.to_string(),
        token_audience: platform.authorization_server.clone(),
        state: if offer.is_invited() {
            RegistrationState::Active
        } else {
            RegistrationState::Pending
        },
        family: platform.family.as_ref().map(|family| family.chars().take(100).collect()),
    }
}

async fn send(app: &App, request: Request) -> Result<Response, OutboundError> {
    let (method, url) = (request.method.as_str(), request.url.as_str());
    let answer = app.outbound.send(method, url, &request.headers, request.body).await?;
    let headers = answer.headers.iter();
    Ok(Response {
        status: answer.status,
        headers: headers.map(|(n, v)| (n.to_string(), v.as_bytes().to_vec())).collect(),
        body: answer.body.to_vec(),
    })
}

/// Lets a registration in that waited for an administrator; false when it did not.
pub async fn activate(tx: &mut Tx, id: RegistrationId, now: DateTime<Utc>) -> db::Result<bool> {
    store::activate(tx, id, now).await
}
