//! One human under several identities: how two are proved to be one, and what then becomes one
//! person's.
//!
//! An identity is (registration, subject), and an e-mail address never joins two: whoever runs a
//! platform can write any address. What does is a code shown in the one and typed in the other.
//! Joining is not undone: certificates and grades have gone out under it.

mod code;
pub mod pages;
mod store;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use serde_json::json;

use crate::app::App;
use crate::credentials::jobs::MailWaiting;
use crate::db::{self, Tx};
use crate::events::{self, mails::MailError};
use crate::ids::{IdentityId, LaunchId, PersonId, TenantId};
use crate::jobs;
use crate::people::{self, Identity};
use crate::player;
use crate::visits::Launch;

pub use code::{InvalidJoinCode, JoinCode};
pub use store::clean;

/// How long a code works.
pub const CODE_LIFE: TimeDelta = TimeDelta::minutes(15);
/// How many codes may lead nowhere: in one launch, and by one person in an hour.
const WRONG_A_LAUNCH: i64 = 5;
const WRONG_AN_HOUR: i64 = 20;
/// How many codes a person may ask for in an hour.
const CODES_AN_HOUR: i64 = 20;

#[derive(Debug, thiserror::Error)]
pub enum AskError {
    #[error("too many codes were asked for")]
    TooOften,
    #[error(transparent)]
    Database(#[from] db::Error),
}

/// A code that proves the launch's identity; those asked for before work no longer.
pub async fn ask(
    tx: &mut Tx,
    launch: &Launch,
    key: &[u8],
    now: DateTime<Utc>,
) -> Result<JoinCode, AskError> {
    store::hold_person(tx, launch.person_id).await?;
    let recent = store::codes_since(tx, launch.person_id, now - TimeDelta::hours(1)).await?;
    if recent >= CODES_AN_HOUR {
        return Err(AskError::TooOften);
    }
    store::replace_codes(tx, launch.person_id, now).await?;
    let code = JoinCode::random();
    store::insert_code(tx, launch, &code.hash(key), now, now + CODE_LIFE).await?;
    Ok(code)
}

/// Why a code proves nothing.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    #[error("too many codes led nowhere")]
    TooOften,
    #[error("no code of ours")]
    Unknown,
    #[error("the code is too old, or was used or replaced")]
    Expired,
    #[error("the code is of another organisation")]
    OtherTenant,
    #[error("the code was asked for by the same identity")]
    OwnCode,
    /// The other identity is this person's already.
    #[error("the two are one person already")]
    Joined,
    #[error(transparent)]
    Database(#[from] db::Error),
}

/// What a code proves: these two are one human.
struct Proof {
    code: uuid::Uuid,
    /// The identity that typed the code, and the one that asked for it.
    here: Identity,
    there: Identity,
}

/// Looks the code up. Whoever calls commits on a refusal too: it counts.
async fn prove(
    tx: &mut Tx,
    launch: &Launch,
    tenant: TenantId,
    typed: &str,
    key: &[u8],
    now: DateTime<Utc>,
) -> Result<Proof, ProofError> {
    let here = people::identity(tx, launch.identity_id).await?;
    // Guesses sent side by side are counted one after the other.
    store::hold_person(tx, here.person_id).await?;
    let in_launch = store::wrong_in_launch(tx, launch.id).await?;
    let in_hour = store::wrong_since(tx, here.person_id, now - TimeDelta::hours(1)).await?;
    if in_launch >= WRONG_A_LAUNCH || in_hour >= WRONG_AN_HOUR {
        return Err(ProofError::TooOften);
    }
    let refusal = match typed.parse::<JoinCode>() {
        Err(InvalidJoinCode) => ProofError::Unknown,
        Ok(code) => match store::code(tx, &code.hash(key)).await? {
            None => ProofError::Unknown,
            Some(found) => {
                let there = people::identity(tx, found.identity_id).await?;
                let other_tenant = store::tenant_of(tx, there.person_id).await? != tenant;
                if there.id == here.id {
                    return Err(ProofError::OwnCode);
                }
                if there.person_id == here.person_id {
                    return Err(ProofError::Joined);
                }
                if other_tenant {
                    ProofError::OtherTenant
                } else if found.used_at.is_some() || found.expires_at <= now {
                    ProofError::Expired
                } else {
                    return Ok(Proof { code: found.id, here, there });
                }
            }
        },
    };
    store::insert_wrong(tx, launch.id, here.person_id, now).await?;
    Err(refusal)
}

/// What is known of a person, in numbers.
#[derive(Clone, Debug, Serialize)]
pub struct Known {
    pub name: Option<String>,
    /// By which platforms.
    pub platforms: Vec<String>,
    pub courses: i64,
    pub certificates: i64,
    pub signups: i64,
}

/// What joining would bring together.
#[derive(Clone, Debug)]
pub struct Proposal {
    pub here: Known,
    pub there: Known,
    /// Courses and events that both are in: one of each is kept.
    pub both_courses: i64,
    pub both_signups: i64,
}

/// What the code would join; nothing is joined yet.
pub async fn propose(
    tx: &mut Tx,
    launch: &Launch,
    tenant: TenantId,
    typed: &str,
    key: &[u8],
    now: DateTime<Utc>,
) -> Result<Proposal, ProofError> {
    let Proof { here, there, .. } = prove(tx, launch, tenant, typed, key, now).await?;
    let (both_courses, both_signups) = store::both(tx, here.person_id, there.person_id).await?;
    Ok(Proposal {
        here: known(tx, here.person_id).await?,
        there: known(tx, there.person_id).await?,
        both_courses,
        both_signups,
    })
}

async fn known(tx: &mut Tx, person: PersonId) -> db::Result<Known> {
    let numbers = store::numbers(tx, person).await?;
    let platforms = store::platforms(tx, person).await?;
    Ok(Known {
        name: people::find(tx, person).await?.name(),
        platforms: platforms.into_iter().map(|platform| platform.name).collect(),
        courses: numbers.courses,
        certificates: numbers.certificates,
        signups: numbers.signups,
    })
}

#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    #[error(transparent)]
    Proof(#[from] ProofError),
    #[error(transparent)]
    Mail(#[from] MailError),
}

impl From<db::Error> for JoinError {
    fn from(error: db::Error) -> Self {
        Self::Proof(error.into())
    }
}

/// What a join leaves to do once it is committed: hosts of enrolments that gave way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Joined {
    pub revoked_labels: Vec<String>,
}

/// Makes the two one person, the older. Nothing is removed: what gives way stays with the younger,
/// which says where it went.
pub async fn join(
    app: &App,
    tx: &mut Tx,
    launch: &Launch,
    tenant: TenantId,
    typed: &str,
) -> Result<Joined, JoinError> {
    let (now, key) = (app.clock.now(), app.keys.form());
    hold(tx, launch.identity_id, typed, key).await?;
    let Proof { code, here, there } = prove(tx, launch, tenant, typed, key, now).await?;
    if !store::use_code(tx, code, now).await? {
        return Err(ProofError::Expired.into());
    }
    let (survivor, other) = store::by_age(tx, here.person_id, there.person_id).await?;
    store::give_confirmations(tx, other, survivor).await?;
    let had_address = people::find(tx, survivor).await?.email.is_some();
    store::absorb(tx, survivor, other, now).await?;
    store::give_identities(tx, other, survivor).await?;
    store::give_memberships(tx, other, survivor).await?;
    store::give_launches(tx, other, survivor).await?;

    let parking = store::insert_parking(tx, tenant, now).await?;
    let enrolments = player::joining::join(tx, survivor, other, parking, now).await?;
    let signups = events::join(app, tx, survivor, other, parking).await?;
    store::delete_parking(tx, parking).await?;

    let certificates = store::give_credentials(tx, other, survivor).await?;
    let moved = json!({
        "courses": enrolments.moved,
        "courses_of_both": enrolments.both,
        "signups": signups.moved,
        "signups_of_both": signups.both,
        "certificates": certificates,
    });
    let pair = store::Pair { survivor, joined: other, code: there.id, typed: here.id };
    store::insert_join(tx, tenant, pair, moved, now).await?;
    if !had_address && people::find(tx, survivor).await?.email.is_some() {
        jobs::enqueue(tx, &MailWaiting { person: survivor }, now, now, None).await?;
    }
    tracing::info!(%survivor, joined = %other, "two identities were joined");
    Ok(Joined { revoked_labels: enrolments.revoked_labels })
}

/// Holds every identity of both before anything is read of them: a launch that meets one of them
/// meanwhile waits, and then finds whose it is.
async fn hold(tx: &mut Tx, here: IdentityId, typed: &str, key: &[u8]) -> db::Result<()> {
    let Ok(code) = typed.parse::<JoinCode>() else { return Ok(()) };
    let Some(found) = store::code(tx, &code.hash(key)).await? else { return Ok(()) };
    let here = people::identity(tx, here).await?.person_id;
    let there = people::identity(tx, found.identity_id).await?.person_id;
    store::hold_identities(tx, here, there).await
}

/// A platform by which a person is known.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Platform {
    pub identity_id: IdentityId,
    pub name: String,
    pub issuer: String,
    pub created_at: DateTime<Utc>,
}

/// By which platforms the person is known, the first first.
pub async fn platforms(tx: &mut Tx, person: PersonId) -> db::Result<Vec<Platform>> {
    store::platforms(tx, person).await
}

/// Whether the launch has any guess left.
pub async fn may_type(tx: &mut Tx, launch: LaunchId) -> db::Result<bool> {
    Ok(store::wrong_in_launch(tx, launch).await? < WRONG_A_LAUNCH)
}
