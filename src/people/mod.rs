//! Humans, and the identities under which platforms know them.

pub mod mails;
pub mod pages;
mod store;

use chrono::{DateTime, TimeDelta, Utc};

use crate::app::App;
use crate::db::Tx;
use crate::ids::{
    EmailConfirmationId, IdentityId, LaunchId, PersonId, RegistrationId, TenantId, Token,
};
use crate::mail::{self, Body, Draft};
use crate::tenants;
use crate::web::Lang;
use crate::web::pages::RenderError;

pub use store::{Identity, find, identity, latest_identity};

/// How long the link in the confirmation mail works.
const CONFIRMATION_LIFE: TimeDelta = TimeDelta::days(2);
const CONFIRMATIONS_AN_HOUR: i64 = 5;

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Person {
    pub id: PersonId,
    pub tenant_id: TenantId,
    pub given_name: Option<String>,
    pub family_name: Option<String>,
    full_name: Option<String>,
    /// Told by the platform, or confirmed by the person.
    pub email: Option<String>,
    pub locale: Lang,
}

impl Person {
    /// As the person writes it: « Zoé Lefèvre ». `None` when the platform told no name.
    pub fn name(&self) -> Option<String> {
        match (&self.given_name, &self.family_name, &self.full_name) {
            (_, _, Some(full)) => Some(full.clone()),
            (Some(given), Some(family), None) => Some(format!("{given} {family}")),
            (Some(one), None, None) | (None, Some(one), None) => Some(one.clone()),
            (None, None, None) => None,
        }
    }
}

/// What a platform tells of somebody.
#[derive(Clone, Debug, Default)]
pub struct Told {
    pub given_name: Option<String>,
    pub family_name: Option<String>,
    pub full_name: Option<String>,
    pub email: Option<String>,
    pub locale: Option<Lang>,
}

/// Who came.
#[derive(Clone, Debug)]
pub struct Met {
    pub person: Person,
    pub identity: IdentityId,
    /// The platform tells an address for the first time: what waited for one can be mailed.
    pub first_address: bool,
}

/// The person behind (registration, subject): found or made, and brought up to date with what the
/// platform tells now. What it does not tell stays as it was.
pub async fn meet(
    tx: &mut Tx,
    tenant: TenantId,
    registration: RegistrationId,
    subject: &str,
    told: Told,
    now: DateTime<Utc>,
) -> crate::db::Result<Met> {
    // Behind the identity's lock: it may have been joined with another meanwhile.
    if let Some(known) = store::seen(tx, registration, subject, now).await? {
        let person = store::update(tx, known.person_id, told, now).await?;
        let first_address = !known.has_address && person.email.is_some();
        return Ok(Met { person, identity: known.id, first_address });
    }
    let person = store::insert(tx, tenant, told, now).await?;
    let identity = IdentityId::new(now);
    if store::insert_identity(tx, identity, registration, subject, person.id, now).await? {
        return Ok(Met { person, identity, first_address: false });
    }
    // Somebody else's transaction met the same identity first: ours takes theirs.
    store::delete(tx, person.id).await?;
    let known = store::by_identity(tx, registration, subject)
        .await?
        .ok_or(crate::db::Error::RowNotFound)?;
    let person = store::find(tx, known.person_id).await?;
    Ok(Met { person, identity: known.id, first_address: false })
}

/// What became of an identity that was to be known as the person of an older one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adopted {
    /// From now on it is the same person.
    Now,
    /// It was before.
    Before,
    /// Nobody has the older identity.
    Stranger,
    /// Both were met before, as two people: joining them is for the person to decide.
    TwoPeople,
}

/// Makes a new identity (registration, subject) known as the person of an older one. Whether one
/// platform may speak for the other is the caller's to verify.
pub async fn adopt(
    tx: &mut Tx,
    (registration, subject): (RegistrationId, &str),
    (old_registration, old_subject): (RegistrationId, &str),
    now: DateTime<Utc>,
) -> crate::db::Result<Adopted> {
    let Some(old) = store::by_identity(tx, old_registration, old_subject).await? else {
        return Ok(Adopted::Stranger);
    };
    let id = IdentityId::new(now);
    if store::insert_identity(tx, id, registration, subject, old.person_id, now).await? {
        return Ok(Adopted::Now);
    }
    let known = store::by_identity(tx, registration, subject).await?;
    let same = known.is_some_and(|known| known.person_id == old.person_id);
    Ok(if same { Adopted::Before } else { Adopted::TwoPeople })
}

/// Somebody whom no platform tells of, for mails to be addressed to: a member of staff.
pub async fn stand_in(
    tx: &mut Tx,
    tenant: TenantId,
    locale: Lang,
    now: DateTime<Utc>,
) -> crate::db::Result<PersonId> {
    let told = Told { locale: Some(locale), ..Told::default() };
    Ok(store::insert(tx, tenant, told, now).await?.id)
}

#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    #[error("not an e-mail address")]
    NotAnAddress,
    #[error("too many confirmation mails were asked for")]
    TooOften,
    #[error(transparent)]
    Database(#[from] crate::db::Error),
    #[error(transparent)]
    Render(#[from] RenderError),
}

/// Sends a link to the address somebody typed; the address counts once the link was followed.
/// `back` is the launch whose page asked.
pub async fn ask_to_confirm(
    app: &App,
    tx: &mut Tx,
    person: &Person,
    address: &str,
    back: LaunchId,
) -> Result<(), AddressError> {
    let address = address.trim();
    let valid = address.parse::<lettre::Address>().is_ok() && address.len() <= 254;
    if !valid {
        return Err(AddressError::NotAnAddress);
    }
    let now = app.clock.now();
    // The mail goes wherever somebody typed: nobody is to be flooded from here.
    let recent = store::confirmations_since(tx, person.id, now - TimeDelta::hours(1)).await?;
    if recent >= CONFIRMATIONS_AN_HOUR {
        return Err(AddressError::TooOften);
    }
    let (id, token) = (EmailConfirmationId::new(now), Token::random());
    store::insert_confirmation(tx, id, person.id, address, &token, now, now + CONFIRMATION_LIFE)
        .await?;
    let tenant = tenants::find(tx, person.tenant_id).await?;
    let page = mails::ConfirmAddress {
        tenant: tenant.name.clone(),
        name: person.name(),
        link: app.config.public(&format!("/address/{}", token.reveal())),
    };
    let draft = Draft {
        tenant: tenant.id,
        sender: tenant.mailbox(),
        kind: "confirm-address",
        subject_id: id.uuid(),
        revision: 1,
        person: person.id,
        recipient: address.to_owned(),
        body: Body::render(&app.pages, person.locale, &page)?,
        attachments: Vec::new(),
        repeat_unknown: true,
    };
    tracing::info!(person = %person.id, launch = %back, "an address waits for confirmation");
    mail::enqueue(tx, draft, now).await?;
    Ok(())
}

/// The address a link stands for, if the link still works.
pub async fn pending_address(
    tx: &mut Tx,
    token: &Token,
    now: DateTime<Utc>,
) -> crate::db::Result<Option<String>> {
    Ok(store::pending_confirmation(tx, &token.hash(), now).await?.map(|pending| pending.email))
}

/// Follows the link: the address is the person's from now on. `None` when the link is spent.
pub async fn confirm_address(
    tx: &mut Tx,
    token: &Token,
    now: DateTime<Utc>,
) -> crate::db::Result<Option<PersonId>> {
    let Some(pending) = store::use_confirmation(tx, &token.hash(), now).await? else {
        return Ok(None);
    };
    store::set_confirmed_address(tx, pending.person_id, &pending.email, now).await?;
    Ok(Some(pending.person_id))
}
