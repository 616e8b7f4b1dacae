//! Platforms' key sets: cached, fetched once for an unknown key, served stale while they fail.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use lti::jwks::{CacheDecision, CachePolicy, KeySet, KeySetError};
use tokio::sync::Mutex;

use super::Registration;
use crate::app::App;
use crate::outbound::OutboundError;

/// One entry an address; its lock is what makes fetching single-flight.
#[derive(Debug, Default)]
pub struct KeySets {
    entries: Mutex<HashMap<String, Arc<Mutex<Entry>>>>,
}

#[derive(Debug, Default)]
struct Entry {
    set: Option<Arc<KeySet>>,
    fetched_at: Option<DateTime<Utc>>,
    tried_at: Option<DateTime<Utc>>,
    last_error: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum KeySetsError {
    #[error("the platform's key set cannot be fetched: {0}")]
    Fetch(#[from] OutboundError),
    #[error("the platform's key set was answered with status {0}")]
    Status(u16),
    #[error("the platform's key set cannot be used: {0}")]
    Unusable(#[from] KeySetError),
    #[error("the platform's key set could not be fetched moments ago: {0}")]
    FailedRecently(String),
}

impl KeySets {
    /// The set to verify a token with whose header names `kid`.
    pub async fn for_key(
        &self,
        app: &App,
        registration: &Registration,
        kid: &str,
    ) -> Result<Arc<KeySet>, KeySetsError> {
        let policy = CachePolicy::default();
        let entry = self.entry(&registration.jwks_uri).await;
        let mut entry = entry.lock().await;
        let now = app.clock.now();
        let knows = entry.set.as_ref().is_some_and(|set| set.contains(kid));
        match policy.decide(now, entry.fetched_at, entry.tried_at, knows) {
            CacheDecision::Use | CacheDecision::UnknownKey => {
                let recently = || entry.last_error.clone().unwrap_or_default();
                entry.set.clone().ok_or_else(|| KeySetsError::FailedRecently(recently()))
            }
            CacheDecision::Fetch => match fetch(app, registration, &mut entry, now).await {
                Ok(set) => Ok(set),
                Err(error) => {
                    let serves = entry.fetched_at.is_some_and(|at| policy.serves_stale(now, at));
                    match entry.set.clone().filter(|_| serves) {
                        Some(stale) => {
                            tracing::warn!(registration = %registration.id, %error, "stale keys serve");
                            Ok(stale)
                        }
                        None => Err(error),
                    }
                }
            },
        }
    }

    /// Fetches now, whatever is cached.
    pub async fn refresh(
        &self,
        app: &App,
        registration: &Registration,
    ) -> Result<Arc<KeySet>, KeySetsError> {
        let entry = self.entry(&registration.jwks_uri).await;
        let mut entry = entry.lock().await;
        fetch(app, registration, &mut entry, app.clock.now()).await
    }

    async fn entry(&self, uri: &str) -> Arc<Mutex<Entry>> {
        self.entries.lock().await.entry(uri.to_owned()).or_default().clone()
    }
}

async fn fetch(
    app: &App,
    registration: &Registration,
    entry: &mut Entry,
    now: DateTime<Utc>,
) -> Result<Arc<KeySet>, KeySetsError> {
    entry.tried_at = Some(now);
    let fetched = match app.outbound.get(&registration.jwks_uri, "application/json").await {
        Err(error) => Err(error.into()),
        Ok(answer) if answer.status != 200 => Err(KeySetsError::Status(answer.status)),
        Ok(answer) => KeySet::parse(&answer.body).map_err(KeySetsError::from),
    };
    match fetched {
        Ok(set) => {
            let set = Arc::new(set);
            entry.set = Some(set.clone());
            entry.fetched_at = Some(now);
            entry.last_error = None;
            Ok(set)
        }
        Err(error) => {
            entry.last_error = Some(error.to_string());
            Err(error)
        }
    }
}
