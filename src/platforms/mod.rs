//! LMSs we are registered with, their keys and ours, and the access tokens for their services.

pub mod dynamic;
pub mod form;
pub mod health;
pub mod keys;
pub mod keysets;
pub mod legacy;
pub mod moving;
pub mod presets;
pub mod services;
mod store;
pub mod tokens;

use chrono::{DateTime, Utc};
use url::Url;

use crate::app::App;
use crate::db::{self, Tx};
use crate::ids::{RegistrationId, TenantId};

pub use store::{
    Deployment, DeploymentState, Entry, LoggedLaunch, Overview, RegistrationState, Stranger,
    Version, all, approve_deployment, by_client, by_issuer, change_settings, clean_log, deployment,
    deployments, find, insert, log, log_of, overview, record, remember_family, strangers,
    withdraw_deployment,
};

/// Our relation to an LMS.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Registration {
    pub id: RegistrationId,
    pub tenant_id: TenantId,
    pub name: String,
    pub issuer: String,
    pub client_id: String,
    pub authorization_endpoint: String,
    pub token_endpoint: String,
    pub jwks_uri: String,
    pub token_audience: Option<String>,
    pub version: Version,
    pub state: RegistrationState,
    /// The LMS's product family code, if it told.
    pub family: Option<String>,
    /// Whether launches that name no person are let in.
    pub anonymous: bool,
    /// Shared with an LTI 1.1 consumer.
    pub secret: Option<Secret>,
}

/// A secret shared with another system, which signs with it: kept as it is.
#[derive(Clone, PartialEq, Eq, sqlx::Type)]
#[sqlx(transparent)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: String) -> Self {
        Self(text)
    }

    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Registration {
    /// The origins whose pages may frame ours: where its people are when they launch.
    pub fn frame_ancestors(&self) -> Vec<String> {
        let mut origins: Vec<String> = [&self.issuer, &self.authorization_endpoint]
            .into_iter()
            .filter_map(|url| crate::web::origin_of(url))
            .collect();
        origins.dedup();
        origins
    }

    /// What an LTI 1.1 consumer signs with, if it has a secret.
    pub fn shared_secret(&self) -> Option<&str> {
        let secret = self.secret.as_ref().map(Secret::reveal);
        secret.filter(|secret| self.version == Version::V11 && !secret.is_empty())
    }

    /// Whether a service address belongs to this platform: bearer tokens go nowhere else.
    pub fn owns(&self, url: &Url) -> bool {
        let host = |text: &str| Url::parse(text).ok().map(|url| url.origin());
        [&self.issuer, &self.authorization_endpoint, &self.token_endpoint, &self.jwks_uri]
            .into_iter()
            .any(|own| host(own) == Some(url.origin()))
    }
}

impl Registration {
    /// The product it is, as far as anybody told.
    pub fn product(&self) -> presets::Product {
        match (self.version, &self.family) {
            (Version::V11, _) => presets::Product::Legacy,
            (Version::V13, Some(family)) => presets::Product::of_family(family),
            (Version::V13, None) => presets::Product::Other,
        }
    }
}

/// A registration to add.
#[derive(Clone, Debug)]
pub struct NewRegistration {
    pub tenant: TenantId,
    pub name: String,
    pub issuer: String,
    pub client_id: String,
    pub authorization_endpoint: Url,
    pub token_endpoint: Url,
    pub jwks_uri: Url,
    pub token_audience: Option<String>,
    pub deployments: Vec<String>,
}

/// What an LMS gives for its registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses {
    pub issuer: String,
    pub client_id: String,
    pub authorization_endpoint: Url,
    pub token_endpoint: Url,
    pub jwks_uri: Url,
    pub token_audience: Option<String>,
}

/// What an administrator decides about a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The LMS registered itself; its launches are to be let in.
    Approve,
    /// The LMS registered itself and is not wanted.
    Refuse,
    /// No launch is let in any more; what was done through it stays.
    Close,
    Reopen,
}

impl RegistrationState {
    /// The state after the decision; `None` where there is nothing to decide.
    pub fn after(self, decision: Decision) -> Option<Self> {
        match (self, decision) {
            (Self::Pending, Decision::Approve) | (Self::Closed, Decision::Reopen) => {
                Some(Self::Active)
            }
            (Self::Pending, Decision::Refuse) | (Self::Active, Decision::Close) => {
                Some(Self::Closed)
            }
            _ => None,
        }
    }
}

/// Carries the decision out; false when it was not to be made any more. An approved registration's
/// deployments are the ones it came with, so they are approved with it.
pub async fn decide(
    tx: &mut Tx,
    registration: &Registration,
    decision: Decision,
    now: DateTime<Utc>,
) -> db::Result<bool> {
    let Some(after) = registration.state.after(decision) else { return Ok(false) };
    if !store::change_state(tx, registration.id, registration.state, after, now).await? {
        return Ok(false);
    }
    if decision == Decision::Approve {
        store::approve_waiting(tx, registration.id).await?;
    }
    Ok(true)
}

/// One finding of a check of a platform.
#[derive(Debug)]
pub struct Finding {
    pub what: String,
    pub problem: Option<String>,
}

/// Fetches what the platform publishes and asks it for tokens, in the words of the command line.
pub async fn check(app: &App, registration: &Registration) -> Vec<Finding> {
    let examined = health::examine(app, registration).await;
    examined
        .into_iter()
        .filter(|one| one.verdict != health::Verdict::Unknown && !one.is_dispensable())
        .map(|one| Finding {
            what: format!("{} {}", one.subject.as_str(), one.about),
            problem: match one.verdict {
                health::Verdict::Wrong(problem) => {
                    Some(format!("{}: {}", problem.code, problem.detail))
                }
                health::Verdict::Fine | health::Verdict::Unknown => None,
            },
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_is_made_where_it_is_to_be_made() {
        use RegistrationState::{Active, Closed, Pending};
        assert_eq!(Pending.after(Decision::Approve), Some(Active));
        assert_eq!(Pending.after(Decision::Refuse), Some(Closed));
        assert_eq!(Active.after(Decision::Close), Some(Closed));
        assert_eq!(Closed.after(Decision::Reopen), Some(Active));
        for state in [Active, Closed] {
            assert_eq!(state.after(Decision::Approve), None);
            assert_eq!(state.after(Decision::Refuse), None);
        }
        assert_eq!(Pending.after(Decision::Reopen), None);
    }
}
