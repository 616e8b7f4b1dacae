//! Our own keys, kept in the database and the same in every process.
//!
//! A key set is the installation's or a registration's own. Platforms keep what they fetched, so a
//! key is published before it signs and after it did: `next`, `current`, `previous`. A registration
//! without keys of its own signs with the installation's.

pub mod api;
pub mod jobs;
mod store;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use chrono::{DateTime, TimeDelta, Utc};
use lti::state::{StateKey, StateKeyTooShort};
use lti::tool_key::{ToolKey, ToolKeyError, public_jwks};

use self::jobs::MakeToolKey;
use self::store::StoredKey;
use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::{self, Db, Tx};
use crate::ids::{RegistrationId, label, random_bytes};

pub use store::{KeyInfo, keys_of};

/// A key is published this long before it signs: platforms keep a key set for up to a day.
const PUBLISHED_BEFORE: TimeDelta = TimeDelta::hours(24);
/// A key that signed is published this long afterwards: what it signed is still checked.
const PUBLISHED_AFTER: TimeDelta = TimeDelta::days(7);
/// How long a process goes on with the keys it read: another one may have changed them.
const KEEP: TimeDelta = TimeDelta::minutes(1);

crate::text_enum! {
    pub enum KeyState {
        /// Published, and signs later.
        Next = "next",
        /// Signs.
        Current = "current",
        /// Signed once, and is published for what it signed.
        Previous = "previous",
    }
}

/// What the service signs with. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Keys {
    sets: Arc<RwLock<HashMap<Option<RegistrationId>, KeySet>>>,
    pub state: StateKey,
    form: Arc<[u8]>,
}

/// One key set as it was read, newest key first.
#[derive(Clone, Debug, Default)]
struct KeySet {
    keys: Arc<[Held]>,
    read_at: DateTime<Utc>,
}

#[derive(Clone, Debug)]
struct Held {
    key: Arc<ToolKey>,
    state: KeyState,
    signs_from: Option<DateTime<Utc>>,
}

impl KeySet {
    /// The key that signs: a next one whose time has come before the current one.
    fn signing(&self, now: DateTime<Utc>) -> Option<Arc<ToolKey>> {
        let due = |held: &&Held| {
            held.state == KeyState::Next && held.signs_from.is_some_and(|from| from <= now)
        };
        let current = |held: &&Held| held.state == KeyState::Current;
        let held = self.keys.iter().find(due).or_else(|| self.keys.iter().find(current))?;
        Some(held.key.clone())
    }
}

#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    #[error("the keys cannot be read from the database")]
    Database(#[from] db::Error),
    #[error("a stored key cannot be used")]
    Key(#[from] ToolKeyError),
    #[error("the stored key for states cannot be used")]
    State(#[from] StateKeyTooShort),
    #[error("no RSA key could be made")]
    Generate,
    #[error("there is no key to sign with")]
    None,
}

/// A key just made, not stored yet.
pub struct FreshKey {
    kid: String,
    pkcs8: Vec<u8>,
}

impl std::fmt::Debug for FreshKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FreshKey({})", self.kid)
    }
}

/// Makes an RSA key, which takes some 100 ms of a processor: never while a unit of work is open.
pub async fn make() -> Result<FreshKey, KeysError> {
    tokio::task::spawn_blocking(make_rsa_key).await.map_err(|_| KeysError::Generate)?
}

fn make_rsa_key() -> Result<FreshKey, KeysError> {
    let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| KeysError::Generate)?;
    let der: aws_lc_rs::encoding::Pkcs8V1Der<'_> =
        pair.as_der().map_err(|_| KeysError::Generate)?;
    Ok(FreshKey { kid: label(), pkcs8: der.as_ref().to_vec() })
}

impl Keys {
    /// Reads the secrets; makes them and the installation's first key where there are none.
    pub async fn load_or_make(db: &Db, clock: &Clock) -> Result<Self, KeysError> {
        let now = clock.now();
        let mut tx = db.write().await?;
        // Taken first: two processes that start together wait for each other here.
        let state =
            super::store::secret(&mut tx, "launch-state", random_bytes::<32>().to_vec(), now)
                .await?;
        let form =
            super::store::secret(&mut tx, "form", random_bytes::<32>().to_vec(), now).await?;
        if store::read(&mut tx, None).await?.is_empty() {
            store::insert(&mut tx, None, make_rsa_key()?, KeyState::Current, None, now).await?;
        }
        let stored = store::read(&mut tx, None).await?;
        tx.commit().await?;
        let keys = Self { sets: Arc::default(), state: StateKey::new(state)?, form: form.into() };
        let installation = keys.hold(None, stored, now)?;
        installation.signing(now).ok_or(KeysError::None)?;
        Ok(keys)
    }

    /// The key of form tokens.
    pub fn form(&self) -> &[u8] {
        &self.form
    }

    /// The key that signs towards this platform. Read from the database once a minute at most.
    pub async fn signing_for(
        &self,
        app: &App,
        registration: RegistrationId,
    ) -> Result<Arc<ToolKey>, KeysError> {
        let now = app.clock.now();
        for of in [Some(registration), None] {
            let set = match self.held(of, now) {
                Some(set) => set,
                None => self.read(app, of).await?,
            };
            if let Some(key) = set.signing(now) {
                return Ok(key);
            }
        }
        Err(KeysError::None)
    }

    /// What the key set's address answers; `None` when there is no such registration.
    async fn published(
        &self,
        app: &App,
        of: Option<RegistrationId>,
    ) -> Result<Option<serde_json::Value>, KeysError> {
        let mut tx = app.db.read().await?;
        let own = store::read(&mut tx, of).await?;
        let signs = own.iter().any(|key| key.state == KeyState::Current);
        let shared = match of {
            Some(id) if !signs => {
                if own.is_empty() && super::find(&mut tx, id).await?.is_none() {
                    return Ok(None);
                }
                store::read(&mut tx, None).await?
            }
            _ => Vec::new(),
        };
        drop(tx);
        let now = app.clock.now();
        let own = self.hold(of, own, now)?;
        // Until its own key signs, the installation's does.
        let shared =
            if shared.is_empty() { KeySet::default() } else { self.hold(None, shared, now)? };
        let keys = own.keys.iter().chain(shared.keys.iter()).map(|held| &*held.key);
        Ok(Some(public_jwks(keys)))
    }

    /// The set, if it was read moments ago.
    fn held(&self, of: Option<RegistrationId>, now: DateTime<Utc>) -> Option<KeySet> {
        let sets = self.sets.read().unwrap_or_else(PoisonError::into_inner);
        sets.get(&of).filter(|set| now < set.read_at + KEEP && now >= set.read_at).cloned()
    }

    async fn read(&self, app: &App, of: Option<RegistrationId>) -> Result<KeySet, KeysError> {
        let stored = {
            let mut tx = app.db.read().await?;
            store::read(&mut tx, of).await?
        };
        self.hold(of, stored, app.clock.now())
    }

    /// Keeps what was read. Parsing a key checks it and takes long: one that is held already stays.
    fn hold(
        &self,
        of: Option<RegistrationId>,
        stored: Vec<StoredKey>,
        now: DateTime<Utc>,
    ) -> Result<KeySet, KeysError> {
        let mut sets = self.sets.write().unwrap_or_else(PoisonError::into_inner);
        let before = sets.get(&of).map(|set| set.keys.clone()).unwrap_or_default();
        let mut keys = Vec::with_capacity(stored.len());
        for stored in stored {
            let known = before.iter().find(|held| held.key.key_id() == stored.kid);
            let key = match known {
                Some(held) => held.key.clone(),
                None => Arc::new(ToolKey::from_pkcs8(&stored.kid, &stored.pkcs8)?),
            };
            keys.push(Held { key, state: stored.state, signs_from: stored.signs_from });
        }
        let set = KeySet { keys: keys.into(), read_at: now };
        sets.insert(of, set.clone());
        Ok(set)
    }
}

/// Where a registration's key set is published. It answers for a registration without keys of its
/// own too.
pub fn address(config: &Config, registration: RegistrationId) -> String {
    config.public(&path(registration))
}

pub(super) fn path(registration: RegistrationId) -> String {
    format!("/lti/keys/{registration}")
}

/// Where the installation's key set is published.
pub fn installation_address(config: &Config) -> String {
    config.public("/.well-known/jwks.json")
}

/// How a rotation goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// The next key signs from now on.
    Done,
    /// The next key was not published long enough: it signs from then on.
    Scheduled(DateTime<Utc>),
    /// The registration has no keys of its own: the installation's are to be rotated.
    Shared,
}

/// Gives a new registration its first own key, before anybody was told where it is published. Once
/// the registration is there, [`prepare_next`] follows.
pub async fn insert_first(
    tx: &mut Tx,
    registration: RegistrationId,
    fresh: FreshKey,
    now: DateTime<Utc>,
) -> db::Result<()> {
    store::insert(tx, Some(registration), fresh, KeyState::Current, None, now).await
}

/// Removes the keys of a registration that came to nothing.
pub async fn remove(tx: &mut Tx, registration: RegistrationId) -> db::Result<()> {
    store::remove(tx, Some(registration)).await
}

/// Moves a registration from the installation's keys to its own, a day from now. Only where the
/// platform reads the key set at [`address`].
pub async fn give_own(
    tx: &mut Tx,
    registration: RegistrationId,
    now: DateTime<Utc>,
) -> db::Result<()> {
    if store::read(tx, Some(registration)).await?.is_empty() {
        let signs_from = Some(now + PUBLISHED_BEFORE);
        let job = MakeToolKey { registration: Some(registration), signs_from };
        crate::jobs::enqueue(tx, &job, now, now, None).await?;
    }
    Ok(())
}

/// Lets the next key sign: at once where it was published for a day, else when it will have been.
/// The current one stays published for a week. `None`: the installation's.
pub async fn rotate(
    tx: &mut Tx,
    registration: impl Into<Option<RegistrationId>>,
    now: DateTime<Utc>,
) -> db::Result<Rotation> {
    let of = registration.into();
    let keys = keys_of(tx, of).await?;
    if keys.is_empty() {
        return Ok(Rotation::Shared);
    }
    let Some(next) = keys.iter().find(|key| key.state == KeyState::Next) else {
        let signs_from = now + PUBLISHED_BEFORE;
        let job = MakeToolKey { registration: of, signs_from: Some(signs_from) };
        crate::jobs::enqueue(tx, &job, now, now, None).await?;
        return Ok(Rotation::Scheduled(signs_from));
    };
    let from = next.created_at + PUBLISHED_BEFORE;
    if from > now {
        store::schedule(tx, &next.kid, from).await?;
        return Ok(Rotation::Scheduled(from));
    }
    promote(tx, of, &next.kid, now).await?;
    Ok(Rotation::Done)
}

/// For keys that somebody else may have: `fresh` signs from now on, and the others are published no
/// longer. Platforms that keep a key set refuse what we sign until they fetch it again.
pub async fn replace(
    tx: &mut Tx,
    registration: impl Into<Option<RegistrationId>>,
    fresh: FreshKey,
    now: DateTime<Utc>,
) -> db::Result<()> {
    let of = registration.into();
    store::remove(tx, of).await?;
    store::insert(tx, of, fresh, KeyState::Current, None, now).await?;
    prepare_next(tx, of, now).await
}

async fn promote(
    tx: &mut Tx,
    of: Option<RegistrationId>,
    kid: &str,
    now: DateTime<Utc>,
) -> db::Result<()> {
    if store::promote(tx, of, kid, now + PUBLISHED_AFTER).await? {
        prepare_next(tx, of, now).await?;
    }
    Ok(())
}

/// Has the next key made, once a current key: the job's key names it.
pub async fn prepare_next(
    tx: &mut Tx,
    of: impl Into<Option<RegistrationId>>,
    now: DateTime<Utc>,
) -> db::Result<()> {
    let of = of.into();
    let keys = keys_of(tx, of).await?;
    let Some(current) = keys.iter().find(|key| key.state == KeyState::Current) else {
        return Ok(());
    };
    let job = MakeToolKey { registration: of, signs_from: None };
    crate::jobs::enqueue(tx, &job, now, now, Some(format!("tool-key/after/{}", current.kid))).await
}

/// Once an hour: keys whose time has come become current, those that nobody needs go, and each set
/// gets its next.
pub async fn tend(tx: &mut Tx, now: DateTime<Utc>) -> db::Result<()> {
    for due in store::due(tx, now).await? {
        promote(tx, due.registration_id, &due.kid, now).await?;
    }
    store::retire(tx, now).await?;
    for set in store::without_next(tx).await? {
        prepare_next(tx, set.registration_id, now).await?;
    }
    Ok(())
}
