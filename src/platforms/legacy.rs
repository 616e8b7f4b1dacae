//! LTI 1.1 consumers: registrations with a key and a shared secret instead of addresses and keys.

use chrono::{DateTime, Utc};
use lti::claims::{Platform, Presentation};

use super::{Registration, Secret, Version, store};
use crate::db::{self, Tx};
use crate::ids::{RegistrationId, TenantId, Token, label};

/// What stands for the issuer of all of them: keys are unique across tenants.
pub const ISSUER: &str = "lti-1.1";

/// What the LMS's administrator enters there.
#[derive(Debug)]
pub struct Credentials {
    pub registration: RegistrationId,
    pub key: String,
    pub secret: Secret,
}

/// Adds a consumer with a fresh key and secret.
pub async fn add(
    tx: &mut Tx,
    tenant: TenantId,
    name: &str,
    now: DateTime<Utc>,
) -> db::Result<Credentials> {
    let registration = RegistrationId::new(now);
    let (key, secret) = (label(), Secret::new(Token::random().reveal().to_owned()));
    store::insert_legacy(tx, registration, tenant, name, ISSUER, &key, &secret, now).await?;
    Ok(Credentials { registration, key, secret })
}

pub async fn by_key(tx: &mut Tx, key: &str) -> db::Result<Option<Registration>> {
    let found = store::by_client(tx, ISSUER, key).await?;
    Ok(found.filter(|registration| registration.version == Version::V11))
}

/// The LMS's own origin, as a signed form tells it.
pub fn home_of(presentation: &Presentation, platform: Option<&Platform>) -> Option<String> {
    let instance = platform.and_then(|platform| platform.url.as_ref());
    let url = presentation.return_url.as_ref().or(instance)?;
    crate::web::origin_of(url.as_str())
}

/// Remembers what signed forms tell of the LMS: where it is (kept where a 1.3 registration has its
/// authorization endpoint: its pages may frame ours) and what it is.
pub async fn note(
    tx: &mut Tx,
    registration: &Registration,
    home: Option<String>,
    family: Option<String>,
    now: DateTime<Utc>,
) -> db::Result<()> {
    let home = home.filter(|home| *home != registration.authorization_endpoint);
    let family = family.filter(|family| registration.family.as_ref() != Some(family));
    if home.is_some() || family.is_some() {
        store::note_legacy(tx, registration.id, home, family, now).await?;
    }
    Ok(())
}
