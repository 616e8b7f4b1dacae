//! Platforms' key sets: cached, fetched once for an unknown key, served stale while they fail.
//!
//! A launch whose key is known waits for nobody: neither for a platform that is slow, nor for a
//! fetch that a token with an unknown key set off.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use lti::jwks::{CacheDecision, CachePolicy, KeySet, KeySetError};
use tokio::sync::OwnedMutexGuard;

use super::Registration;
use crate::app::App;
use crate::outbound::OutboundError;

/// Somebody waits before an empty frame.
const PATIENCE: Duration = Duration::from_secs(5);

/// One entry an address.
#[derive(Debug, Default)]
pub struct KeySets {
    entries: Mutex<HashMap<String, Arc<Entry>>>,
}

#[derive(Debug, Default)]
struct Entry {
    known: Mutex<Known>,
    /// Held while fetching: one asks the platform, the others take what it learns.
    turn: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Clone, Debug, Default)]
struct Known {
    set: Option<Arc<KeySet>>,
    fetched_at: Option<DateTime<Utc>>,
    tried_at: Option<DateTime<Utc>>,
    last_error: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum KeySetsError {
    #[error("the platform's key set cannot be fetched: {0}")]
    Fetch(#[from] OutboundError),
    #[error("the platform's key set did not come within {} seconds", PATIENCE.as_secs())]
    Slow,
    #[error("the platform's key set was answered with status {0}")]
    Status(u16),
    #[error("the platform's key set cannot be used: {0}")]
    Unusable(#[from] KeySetError),
    #[error("the platform's key set could not be fetched moments ago: {0}")]
    FailedRecently(String),
    #[error("fetching the platform's key set was interrupted")]
    Interrupted,
}

impl KeySetsError {
    /// A stable word for counters.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Fetch(OutboundError::TooLarge { .. }) => "key-set-too-large",
            Self::Fetch(_) => "unreachable",
            Self::Slow => "slow",
            Self::Status(_) => "status",
            Self::Unusable(error) => error.code(),
            Self::FailedRecently(_) => "failed-recently",
            Self::Interrupted => "interrupted",
        }
    }
}

impl KeySets {
    /// The set to verify a token with whose header names `kid`.
    pub async fn for_key(
        &self,
        app: &App,
        registration: &Registration,
        kid: &str,
    ) -> Result<Arc<KeySet>, KeySetsError> {
        let entry = self.entry(&registration.jwks_uri);
        let known = entry.known().clone();
        if known.decide(app.clock.now(), kid) != CacheDecision::Fetch {
            return known.answer();
        }
        let turn = match entry.turn.clone().try_lock_owned() {
            Ok(turn) => turn,
            Err(_) => match known.still_serves(app.clock.now(), kid) {
                Some(set) => return Ok(set),
                None => entry.turn.clone().lock_owned().await,
            },
        };
        // Whoever had the turn before may have learnt what this one wants to know.
        let known = entry.known().clone();
        if known.decide(app.clock.now(), kid) != CacheDecision::Fetch {
            return known.answer();
        }
        match fetch(app, registration, &entry, turn).await {
            Ok(set) => Ok(set),
            Err(error) => match known.stale(app.clock.now()) {
                Some(stale) => {
                    tracing::warn!(registration = %registration.id, %error, "stale keys serve");
                    app.metrics.key_set("stale-served");
                    Ok(stale)
                }
                None => Err(error),
            },
        }
    }

    /// Fetches now, whatever is cached.
    pub async fn refresh(
        &self,
        app: &App,
        registration: &Registration,
    ) -> Result<Arc<KeySet>, KeySetsError> {
        let entry = self.entry(&registration.jwks_uri);
        let turn = entry.turn.clone().lock_owned().await;
        fetch(app, registration, &entry, turn).await
    }

    fn entry(&self, uri: &str) -> Arc<Entry> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = entries.get(uri) {
            return entry.clone();
        }
        entries.entry(uri.to_owned()).or_default().clone()
    }

    /// Keeps a set that was just fetched from `uri`: launches use it from now on.
    pub fn keep(&self, uri: &str, set: KeySet, now: DateTime<Utc>) {
        *self.entry(uri).known() = Known {
            set: Some(Arc::new(set)),
            fetched_at: Some(now),
            tried_at: Some(now),
            last_error: None,
        };
    }
}

impl Entry {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn decide(&self, now: DateTime<Utc>, kid: &str) -> CacheDecision {
        CachePolicy::default().decide(now, self.fetched_at, self.tried_at, self.has(kid))
    }

    /// No fetch brings a key without an id: a token that names none is no reason for one.
    fn has(&self, kid: &str) -> bool {
        self.set.as_ref().is_some_and(|set| kid.is_empty() || set.contains(kid))
    }

    /// What is there, when nothing is to be fetched.
    fn answer(self) -> Result<Arc<KeySet>, KeySetsError> {
        let Self { set, last_error, .. } = self;
        set.ok_or_else(|| KeySetsError::FailedRecently(last_error.unwrap_or_default()))
    }

    fn stale(&self, now: DateTime<Utc>) -> Option<Arc<KeySet>> {
        let serves = self.fetched_at.is_some_and(|at| CachePolicy::default().serves_stale(now, at));
        self.set.clone().filter(|_| serves)
    }

    /// The set as it is, good enough for this key while somebody else fetches.
    fn still_serves(&self, now: DateTime<Utc>, kid: &str) -> Option<Arc<KeySet>> {
        self.stale(now).filter(|_| self.has(kid))
    }
}

/// In a task of its own: what was begun is learnt, also when the browser that waited goes away.
async fn fetch(
    app: &App,
    registration: &Registration,
    entry: &Arc<Entry>,
    turn: OwnedMutexGuard<()>,
) -> Result<Arc<KeySet>, KeySetsError> {
    let (app, uri, entry) = (app.clone(), registration.jwks_uri.clone(), entry.clone());
    let fetching = tokio::spawn(async move {
        let now = app.clock.now();
        let fetched = ask(&app, &uri).await;
        app.metrics.key_set(fetched.as_ref().err().map_or("ok", KeySetsError::code));
        let mut known = entry.known();
        // Only now: who comes meanwhile waits for the turn, and for what this fetch brings.
        known.tried_at = Some(now);
        match &fetched {
            Ok(set) => {
                known.set = Some(set.clone());
                known.fetched_at = Some(now);
                known.last_error = None;
            }
            Err(error) => known.last_error = Some(error.to_string()),
        }
        drop((known, turn));
        fetched
    });
    fetching.await.unwrap_or(Err(KeySetsError::Interrupted))
}

async fn ask(app: &App, uri: &str) -> Result<Arc<KeySet>, KeySetsError> {
    let answer = tokio::time::timeout(PATIENCE, app.outbound.get(uri, "application/json"))
        .await
        .map_err(|_| KeySetsError::Slow)??;
    if answer.status != 200 {
        return Err(KeySetsError::Status(answer.status));
    }
    Ok(Arc::new(KeySet::parse(&answer.body)?))
}
