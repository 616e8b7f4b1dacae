//! LMSs we are registered with, their keys and ours, and the access tokens for their services.

pub mod dynamic;
pub mod keys;
pub mod keysets;
pub mod legacy;
pub mod services;
mod store;
pub mod tokens;

use std::collections::BTreeSet;

use url::Url;

use crate::app::App;
use crate::ids::{RegistrationId, TenantId};

pub use store::{
    Deployment, DeploymentState, LoggedLaunch, RegistrationState, Version, all, approve_deployment,
    by_client, by_issuer, clean_log, deployment, deployments, find, insert, log, log_of,
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

/// One finding of a check of a platform.
#[derive(Debug)]
pub struct Finding {
    pub what: String,
    pub problem: Option<String>,
}

/// Fetches what the platform publishes and asks it for a token: what an administrator needs to know.
pub async fn check(app: &App, registration: &Registration) -> Vec<Finding> {
    if registration.version == Version::V11 {
        // It publishes nothing: a key and a secret are all there is.
        let problem = registration.shared_secret().is_none();
        return vec![Finding {
            what: "shared secret".to_owned(),
            problem: problem.then(|| "there is none".to_owned()),
        }];
    }
    let keys = app.key_sets.refresh(app, registration).await;
    let keys = Finding {
        what: format!("key set {}", registration.jwks_uri),
        problem: match &keys {
            Ok(set) if set.keys().is_empty() => Some("it holds no usable key".to_owned()),
            Ok(_) => None,
            Err(error) => Some(error.to_string()),
        },
    };
    let scopes = BTreeSet::from([lti::token::scope::SCORE.to_owned()]);
    let token = app.tokens.access_token(app, registration, &scopes).await;
    let token = Finding {
        what: format!("token endpoint {}", registration.token_endpoint),
        problem: token.err().map(|error| error.to_string()),
    };
    vec![keys, token]
}
