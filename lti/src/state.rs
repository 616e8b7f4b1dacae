//! The `state` of an authentication request (OpenID Connect Core 3.1.2.1) as a signed value, so
//! that a login writes nothing: `base64url(JSON).base64url(HMAC-SHA256)`.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::Fault;

/// The secret states are signed with. At least 32 bytes.
#[derive(Clone)]
pub struct StateKey(Vec<u8>);

/// The key is shorter than 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key for states has at least 32 bytes")]
pub struct StateKeyTooShort;

impl fmt::Debug for StateKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("StateKey(…)")
    }
}

/// What travels through the platform and comes back with the launch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Which registration the login belongs to.
    #[serde(rename = "r")]
    pub registration: String,
    /// The nonce of the authentication request.
    #[serde(rename = "n")]
    pub nonce: String,
    /// The login's `target_link_uri`.
    #[serde(rename = "t")]
    pub target_link_uri: String,
    /// When the login happened, to the second.
    #[serde(rename = "i", with = "chrono::serde::ts_seconds")]
    pub issued_at: DateTime<Utc>,
    /// The login's `lti_storage_target`.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub storage_target: Option<String>,
    /// [`browser_hash`] of the value that binds the launch to this browser (its cookie, or what
    /// the platform's storage holds).
    #[serde(rename = "b")]
    pub browser: String,
}

/// Why a state was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StateRefusal {
    /// Not of the shape this crate makes.
    #[error("the state is not one of ours")]
    Malformed,
    /// Signed with another key, or altered.
    #[error("the state was not signed by us")]
    BadSignature,
    /// Older than the caller allows.
    #[error("the state has expired")]
    Expired,
    /// Made in the future: another server's clock is wrong.
    #[error("the state was issued in the future")]
    FromTheFuture,
}

impl StateRefusal {
    /// A stable word for texts and counters.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "state-malformed",
            Self::BadSignature => "state-bad-signature",
            Self::Expired => "state-expired",
            Self::FromTheFuture => "state-from-the-future",
        }
    }

    /// Who has to act.
    pub const fn fault(self) -> Fault {
        match self {
            Self::Malformed | Self::BadSignature | Self::Expired => Fault::Peer,
            Self::FromTheFuture => Fault::Configuration,
        }
    }
}

impl State {
    /// Whether the value the browser brought is the one the login was bound to.
    pub fn is_bound_to(&self, value: &str) -> bool {
        // Two hashes of equal length: comparing them early leaves nothing to measure.
        self.browser == browser_hash(value)
    }
}

/// The hash of a browser-binding value, as a [`State`] carries it.
pub fn browser_hash(value: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(value.as_bytes()))
}

impl StateKey {
    /// Takes the secret's bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, StateKeyTooShort> {
        let bytes = bytes.into();
        if bytes.len() < 32 { Err(StateKeyTooShort) } else { Ok(Self(bytes)) }
    }

    /// The state as text, safe in a URL and a form.
    pub fn sign(&self, state: &State) -> String {
        // A struct of strings and a number always serializes; an empty object would not verify.
        let payload = URL_SAFE_NO_PAD.encode(serde_json::to_vec(state).unwrap_or_default());
        let signature = match self.mac(payload.as_bytes()) {
            Some(mac) => URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()),
            None => String::new(),
        };
        format!("{payload}.{signature}")
    }

    /// Opens a state. `max_age` is how long a login may take.
    pub fn verify(
        &self,
        text: &str,
        now: DateTime<Utc>,
        max_age: TimeDelta,
    ) -> Result<State, StateRefusal> {
        if text.len() > 16 * 1024 {
            return Err(StateRefusal::Malformed);
        }
        let (payload, signature) = text.split_once('.').ok_or(StateRefusal::Malformed)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| StateRefusal::Malformed)?;
        self.mac(payload.as_bytes())
            .ok_or(StateRefusal::BadSignature)?
            .verify_slice(&signature)
            .map_err(|_| StateRefusal::BadSignature)?;
        let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| StateRefusal::Malformed)?;
        let state: State = serde_json::from_slice(&payload).map_err(|_| StateRefusal::Malformed)?;
        if state.issued_at > now + TimeDelta::seconds(60) {
            return Err(StateRefusal::FromTheFuture);
        }
        if now - state.issued_at > max_age {
            return Err(StateRefusal::Expired);
        }
        Ok(state)
    }

    fn mac(&self, payload: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        // Keeps a state from being taken for another value signed with the same secret.
        mac.update(b"lti-state-1:");
        mac.update(payload);
        Some(mac)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_795_453_632 + seconds, 0).unwrap_or_default()
    }

    fn state() -> State {
        State {
            registration: "0198".into(),
            nonce: "n-1".into(),
            target_link_uri: "https://tool.test/launch?é=1".into(),
            issued_at: at(0),
            storage_target: Some("_parent".into()),
            browser: browser_hash("cookie"),
        }
    }

    #[test]
    fn comes_back_as_it_left() -> Result<(), Box<dyn std::error::Error>> {
        let key = StateKey::new([7; 32])?;
        let opened = key.verify(&key.sign(&state()), at(30), TimeDelta::minutes(10))?;
        assert_eq!(opened, state());
        assert!(opened.is_bound_to("cookie"));
        assert!(!opened.is_bound_to("another"));
        assert!(!opened.is_bound_to(""));
        Ok(())
    }

    #[test]
    fn is_refused_when_old_altered_or_foreign() -> Result<(), Box<dyn std::error::Error>> {
        let key = StateKey::new([7; 32])?;
        let text = key.sign(&state());
        let age = TimeDelta::minutes(10);
        assert_eq!(key.verify(&text, at(601), age), Err(StateRefusal::Expired));
        assert_eq!(key.verify(&text, at(-61), age), Err(StateRefusal::FromTheFuture));
        let other = StateKey::new([8; 32])?;
        assert_eq!(other.verify(&text, at(0), age), Err(StateRefusal::BadSignature));
        assert_eq!(key.verify("x", at(0), age), Err(StateRefusal::Malformed));
        assert_eq!(key.verify(&format!("A{text}"), at(0), age), Err(StateRefusal::BadSignature));
        let unsigned = text.split_once('.').map(|(payload, _)| format!("{payload}."));
        assert_eq!(
            key.verify(&unsigned.unwrap_or_default(), at(0), age),
            Err(StateRefusal::BadSignature)
        );
        assert!(StateKey::new([7; 31]).is_err());
        Ok(())
    }
}
