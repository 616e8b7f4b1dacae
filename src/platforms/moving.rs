//! An LMS that moved: another address, another client id, the same people and courses.

use chrono::{DateTime, Utc};
use url::Url;

use super::{Addresses, Registration, Version, store};
use crate::db::{self, Tx};

#[derive(Debug, thiserror::Error)]
pub enum RebindError {
    /// Issuer and client id belong to another registration: two LMSs cannot be one.
    #[error("this issuer and client id are those of another registration")]
    Taken,
    #[error("an LTI 1.1 consumer has no addresses that could change")]
    Legacy,
    #[error(transparent)]
    Database(#[from] db::Error),
}

/// What followed from the move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rebound {
    /// Gradebook columns whose address changed.
    pub line_items: u64,
}

/// Binds the registration to other addresses. Contexts, identities, results and certificates stay
/// what they are: they hang on the registration, not on its address. Where scores go is an address
/// of the platform's, so it moves along when the platform's host does.
pub async fn rebind(
    tx: &mut Tx,
    registration: &Registration,
    to: &Addresses,
    now: DateTime<Utc>,
) -> Result<Rebound, RebindError> {
    if registration.version == Version::V11 {
        return Err(RebindError::Legacy);
    }
    let holder = store::by_client(tx, &to.issuer, &to.client_id).await?;
    if holder.is_some_and(|holder| holder.id != registration.id) {
        return Err(RebindError::Taken);
    }
    store::rebind(tx, registration.id, to, now).await?;
    let mut line_items = 0;
    for (old, new) in moved_origins(registration, to) {
        line_items += store::move_line_items(tx, registration.id, &old, &new).await?;
    }
    Ok(Rebound { line_items })
}

/// The origins that were the platform's and are not any more, each with the one that took its
/// place. Both end in a slash, so that no host is taken for the beginning of another.
fn moved_origins(from: &Registration, to: &Addresses) -> Vec<(String, String)> {
    let pairs = [
        (&from.issuer, to.issuer.as_str()),
        (&from.authorization_endpoint, to.authorization_endpoint.as_str()),
        (&from.token_endpoint, to.token_endpoint.as_str()),
        (&from.jwks_uri, to.jwks_uri.as_str()),
    ];
    let kept: Vec<String> = pairs.iter().filter_map(|(_, new)| origin(new)).collect();
    let mut moved: Vec<(String, String)> = Vec::new();
    for (old, new) in pairs {
        let (Some(old), Some(new)) = (origin(old), origin(new)) else { continue };
        if !kept.contains(&old) && !moved.iter().any(|(before, _)| *before == old) {
            moved.push((old, new));
        }
    }
    moved
}

fn origin(address: &str) -> Option<String> {
    let origin = Url::parse(address).ok()?.origin();
    origin.is_tuple().then(|| format!("{}/", origin.ascii_serialization()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{RegistrationId, TenantId};
    use crate::platforms::RegistrationState;

    fn registration(host: &str) -> Registration {
        Registration {
            id: RegistrationId::from(uuid::Uuid::nil()),
            tenant_id: TenantId::from(uuid::Uuid::nil()),
            name: "Moodle".to_owned(),
            issuer: format!("https://{host}"),
            client_id: "client".to_owned(),
            authorization_endpoint: format!("https://{host}/auth"),
            token_endpoint: format!("https://{host}/token"),
            jwks_uri: format!("https://{host}/keys"),
            token_audience: None,
            version: Version::V13,
            state: RegistrationState::Active,
            family: None,
            anonymous: false,
            secret: None,
        }
    }

    fn addresses(issuer: &str, service: &str) -> Addresses {
        let url = |path: &str| format!("https://{service}/{path}").parse().expect("an address");
        Addresses {
            issuer: format!("https://{issuer}"),
            client_id: "client".to_owned(),
            authorization_endpoint: url("auth"),
            token_endpoint: url("token"),
            jwks_uri: url("keys"),
            token_audience: None,
        }
    }

    #[test]
    fn an_origin_moves_once_and_only_if_it_is_gone() {
        let old = registration("old.example");
        let moved = moved_origins(&old, &addresses("new.example", "new.example"));
        let pair = ("https://old.example/".to_owned(), "https://new.example/".to_owned());
        assert_eq!(moved, [pair]);
        assert_eq!(moved_origins(&old, &addresses("old.example", "old.example")), []);
        // The issuer is another, the services are where they were.
        assert_eq!(moved_origins(&old, &addresses("new.example", "old.example")), []);
    }
}
