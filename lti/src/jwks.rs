//! The platform's keys (RFC 7517; LTI Security Framework 6.1) and when to fetch them again.

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::{Map, Value};

use crate::Fault;

/// A key set larger than this is not parsed; stop reading the answer there, too.
pub const MAX_BYTES: usize = 256 * 1024;
/// More keys than this are not looked at.
pub const MAX_KEYS: usize = 100;

/// Why a key set could not be read at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeySetError {
    /// More than [`MAX_BYTES`].
    #[error("the key set is larger than {MAX_BYTES} bytes")]
    TooLarge,
    /// Not JSON: often an HTML error or login page.
    #[error("the key set is not JSON")]
    NotJson,
    /// JSON without an array `keys`.
    #[error("the key set has no array `keys`")]
    NoKeys,
}

impl KeySetError {
    /// A stable word for texts and counters.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "key-set-too-large",
            Self::NotJson => "key-set-not-json",
            Self::NoKeys => "key-set-without-keys",
        }
    }

    /// The address is wrong or the platform answers nonsense: either way a matter of set-up.
    pub const fn fault(self) -> Fault {
        Fault::Configuration
    }
}

/// Why one key of a set is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unusable {
    /// No `kid`: nothing could refer to it (Security Framework 6.3.1).
    NoKeyId,
    /// For encryption (`use`), or not for verifying (`key_ops`).
    NotForSignatures,
    /// A symmetric or unknown `kty`, or an `alg` that does not go with it.
    UnsupportedAlgorithm,
    /// Parameters missing or not base64url.
    Malformed,
    /// RSA of less than 2048 or more than 8192 bits.
    BadSize,
}

impl Unusable {
    /// A stable word for texts.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoKeyId => "key-without-id",
            Self::NotForSignatures => "key-not-for-signatures",
            Self::UnsupportedAlgorithm => "key-algorithm-unsupported",
            Self::Malformed => "key-malformed",
            Self::BadSize => "key-size",
        }
    }
}

/// A key with the one algorithm it may be used with.
#[derive(Clone)]
pub struct Key {
    key_id: String,
    algorithm: Algorithm,
    decoding: DecodingKey,
}

impl Key {
    /// Its `kid`.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The algorithm's JOSE name.
    pub fn algorithm(&self) -> &'static str {
        algorithm_name(self.algorithm)
    }

    pub(crate) fn verifies(&self, message: &str, signature: &str) -> bool {
        jsonwebtoken::crypto::verify(signature, message.as_bytes(), &self.decoding, self.algorithm)
            .unwrap_or(false)
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Key({} {})", self.key_id, self.algorithm())
    }
}

/// The usable keys of a platform, and the others with the reason.
#[derive(Debug, Clone, Default)]
pub struct KeySet {
    keys: Vec<Key>,
    unusable: Vec<(Option<String>, Unusable)>,
}

impl KeySet {
    /// Reads a JWKS document. Keys that cannot be used are skipped and listed.
    pub fn parse(bytes: &[u8]) -> Result<Self, KeySetError> {
        if bytes.len() > MAX_BYTES {
            return Err(KeySetError::TooLarge);
        }
        let document: Value = serde_json::from_slice(bytes).map_err(|_| KeySetError::NotJson)?;
        let keys = document.get("keys").and_then(Value::as_array).ok_or(KeySetError::NoKeys)?;
        let mut set = Self::default();
        for value in keys.iter().take(MAX_KEYS) {
            let empty = Map::new();
            let jwk = value.as_object().unwrap_or(&empty);
            match read_key(jwk) {
                Ok(key) => set.keys.push(key),
                Err(reason) => set
                    .unusable
                    .push((jwk.get("kid").and_then(Value::as_str).map(str::to_owned), reason)),
            }
        }
        Ok(set)
    }

    /// The keys with exactly this `kid`. Several only when the platform made a mistake (or keeps
    /// one id for two algorithms); a signature may then match any of them.
    pub fn with_id<'a>(&'a self, key_id: &'a str) -> impl Iterator<Item = &'a Key> {
        self.keys.iter().filter(move |key| key.key_id == key_id)
    }

    /// Whether some key has this `kid`.
    pub fn contains(&self, key_id: &str) -> bool {
        self.with_id(key_id).next().is_some()
    }

    /// All usable keys.
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// The keys left out, with their `kid` where they have one.
    pub fn unusable(&self) -> &[(Option<String>, Unusable)] {
        &self.unusable
    }
}

/// The algorithm comes from the key and never from a token's header (RFC 8725 3.1). A JWK without
/// `alg` (Brightspace) has the one its type implies.
fn read_key(jwk: &Map<String, Value>) -> Result<Key, Unusable> {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    let key_id = text("kid").filter(|kid| !kid.is_empty()).ok_or(Unusable::NoKeyId)?;
    if text("use").is_some_and(|usage| usage != "sig") {
        return Err(Unusable::NotForSignatures);
    }
    if let Some(operations) = jwk.get("key_ops").and_then(Value::as_array)
        && !operations.iter().any(|operation| operation == "verify")
    {
        return Err(Unusable::NotForSignatures);
    }
    let (algorithm, decoding) = match (text("kty"), text("alg"), text("crv")) {
        (Some("RSA"), algorithm, _) => {
            let algorithm = match algorithm {
                None | Some("RS256") => Algorithm::RS256,
                Some("RS384") => Algorithm::RS384,
                Some("RS512") => Algorithm::RS512,
                Some(_) => return Err(Unusable::UnsupportedAlgorithm),
            };
            let (Some(modulus), Some(exponent)) = (text("n"), text("e")) else {
                return Err(Unusable::Malformed);
            };
            let (modulus, exponent) = (without_padding(modulus), without_padding(exponent));
            let bits = modulus.len() * 6;
            if !(2040..=8210).contains(&bits) {
                return Err(Unusable::BadSize);
            }
            (algorithm, DecodingKey::from_rsa_components(modulus, exponent))
        }
        (Some("EC"), algorithm, Some(curve)) => {
            let algorithm = match (algorithm, curve) {
                (None | Some("ES256"), "P-256") => Algorithm::ES256,
                (None | Some("ES384"), "P-384") => Algorithm::ES384,
                _ => return Err(Unusable::UnsupportedAlgorithm),
            };
            let (Some(x), Some(y)) = (text("x"), text("y")) else {
                return Err(Unusable::Malformed);
            };
            (algorithm, DecodingKey::from_ec_components(without_padding(x), without_padding(y)))
        }
        _ => return Err(Unusable::UnsupportedAlgorithm),
    };
    let decoding = decoding.map_err(|_| Unusable::Malformed)?;
    Ok(Key { key_id: key_id.to_owned(), algorithm, decoding })
}

fn without_padding(text: &str) -> &str {
    text.trim_end_matches('=')
}

const fn algorithm_name(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::RS256 => "RS256",
        Algorithm::RS384 => "RS384",
        Algorithm::RS512 => "RS512",
        Algorithm::ES256 => "ES256",
        Algorithm::ES384 => "ES384",
        _ => "unsupported",
    }
}

/// What to do about a cached key set before a launch is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheDecision {
    /// Use what is there.
    Use,
    /// Fetch first (one fetch at a time for an address); if that fails and something is there,
    /// use it all the same.
    Fetch,
    /// The key is unknown and a fetch happened moments ago: refuse without asking again.
    UnknownKey,
}

/// When key sets are fetched: a key set is kept for `fresh_for`, an unknown key leads to a fetch
/// at most every `minimum_interval`, and while the platform fails a set serves for `stale_for`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CachePolicy {
    /// How long a set is used without asking.
    pub fresh_for: TimeDelta,
    /// The least time between two fetches, successful or not.
    pub minimum_interval: TimeDelta,
    /// How long a set that could not be renewed still serves.
    pub stale_for: TimeDelta,
}

impl Default for CachePolicy {
    /// One hour, 30 seconds, seven days.
    fn default() -> Self {
        Self {
            fresh_for: TimeDelta::hours(1),
            minimum_interval: TimeDelta::seconds(30),
            stale_for: TimeDelta::days(7),
        }
    }
}

impl CachePolicy {
    /// Decides. `fetched_at`: the last success; `tried_at`: the last attempt of either outcome;
    /// `knows_key`: whether the cached set has the token's `kid`.
    pub fn decide(
        &self,
        now: DateTime<Utc>,
        fetched_at: Option<DateTime<Utc>>,
        tried_at: Option<DateTime<Utc>>,
        knows_key: bool,
    ) -> CacheDecision {
        let may_fetch = tried_at.is_none_or(|tried| now - tried >= self.minimum_interval);
        let Some(fetched_at) = fetched_at else {
            return if may_fetch { CacheDecision::Fetch } else { CacheDecision::UnknownKey };
        };
        let age = now - fetched_at;
        if knows_key && (age < self.fresh_for || (!may_fetch && age < self.stale_for)) {
            CacheDecision::Use
        } else if may_fetch {
            CacheDecision::Fetch
        } else {
            CacheDecision::UnknownKey
        }
    }

    /// Whether a set may still serve after the fetch that was to renew it failed.
    pub fn serves_stale(&self, now: DateTime<Utc>, fetched_at: DateTime<Utc>) -> bool {
        now - fetched_at < self.stale_for
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_the_keys_it_cannot_use() -> Result<(), KeySetError> {
        let set = KeySet::parse(
            br#"{"keys":[{"kty":"oct","kid":"a","k":"AA"},{"kty":"RSA","n":"x","e":"AQAB"},
            {"kty":"RSA","kid":"b","use":"enc"},{"kty":"RSA","kid":"c","n":"AQAB","e":"AQAB"},
            {"kty":"RSA","kid":"d","alg":"HS256"},7]}"#,
        )?;
        let reasons: Vec<&str> = set.unusable().iter().map(|(_, reason)| reason.code()).collect();
        assert_eq!(
            reasons,
            [
                "key-algorithm-unsupported",
                "key-without-id",
                "key-not-for-signatures",
                "key-size",
                "key-algorithm-unsupported",
                "key-without-id"
            ]
        );
        assert!(set.keys().is_empty());
        Ok(())
    }

    #[test]
    fn refuses_what_is_no_key_set() {
        assert_eq!(KeySet::parse(b"<html>").err(), Some(KeySetError::NotJson));
        assert_eq!(KeySet::parse(b"{}").err(), Some(KeySetError::NoKeys));
        assert_eq!(KeySet::parse(&vec![b' '; MAX_BYTES + 1]).err(), Some(KeySetError::TooLarge));
    }

    #[test]
    fn fetches_once_for_an_unknown_key_and_serves_stale_while_the_platform_fails() {
        let policy = CachePolicy::default();
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap_or_default();
        let ago = |seconds| Some(now - TimeDelta::seconds(seconds));
        assert_eq!(policy.decide(now, None, None, false), CacheDecision::Fetch);
        assert_eq!(policy.decide(now, None, ago(5), false), CacheDecision::UnknownKey);
        assert_eq!(policy.decide(now, ago(60), ago(60), true), CacheDecision::Use);
        assert_eq!(policy.decide(now, ago(60), ago(60), false), CacheDecision::Fetch);
        assert_eq!(policy.decide(now, ago(10), ago(10), false), CacheDecision::UnknownKey);
        assert_eq!(policy.decide(now, ago(7200), ago(7200), true), CacheDecision::Fetch);
        assert_eq!(policy.decide(now, ago(7200), ago(10), true), CacheDecision::Use);
        assert!(policy.serves_stale(now, now - TimeDelta::days(6)));
        assert!(!policy.serves_stale(now, now - TimeDelta::days(8)));
    }
}
