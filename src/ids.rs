//! Identifiers and random secrets.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SecureRandom as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// Declares a UUID newtype that both databases store.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord,
            serde::Serialize, serde::Deserialize, sqlx::Type,
        )]
        #[serde(transparent)]
        #[sqlx(transparent)]
        pub struct $name(uuid::Uuid);

        impl $name {
            /// A new identifier, sortable by `now`.
            pub fn new(now: chrono::DateTime<chrono::Utc>) -> Self {
                Self($crate::ids::uuid_at(now))
            }

            pub fn uuid(self) -> uuid::Uuid {
                self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                uuid::Uuid::from_str(text).map(Self)
            }
        }

        impl From<uuid::Uuid> for $name {
            fn from(id: uuid::Uuid) -> Self {
                Self(id)
            }
        }
    )*};
}

ids! {
    TenantId, PersonId, IdentityId, RegistrationId, ContextId, ResourceLinkId, LaunchId,
    SignInSessionId, CourseId, CourseVersionId, EnrolmentId, AttemptId, EventId, EventDateId,
    SignupId, CompletionId, CredentialId, MessageId, JobId, ScoreId, GradeTargetId, KeyId,
    EmailConfirmationId,
    StaffId, StaffLinkId, StaffSessionId,
}

/// A UUID version 7 of this instant with 74 random bits.
pub(crate) fn uuid_at(now: chrono::DateTime<chrono::Utc>) -> uuid::Uuid {
    let millis = u64::try_from(now.timestamp_millis()).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &random_bytes::<10>()).into_uuid()
}

/// Bytes from the operating system's generator, by way of aws-lc.
///
/// # Panics
///
/// When the system has no randomness to give: nothing safe can be done then.
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    aws_lc_rs::rand::SystemRandom::new()
        .fill(&mut bytes)
        .expect("the operating system's random generator works");
    bytes
}

/// A bearer secret of 256 random bits, as 43 characters of base64url. Only its hash is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    pub fn random() -> Self {
        Self(URL_SAFE_NO_PAD.encode(random_bytes::<32>()))
    }

    /// What is written to the database in its place.
    pub fn hash(&self) -> String {
        sha256_hex(self.0.as_bytes())
    }

    /// The secret itself, to be given to its owner.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The secret that follows from this one, for another purpose. Without the key neither leads
    /// to the other.
    #[must_use]
    pub fn derive(&self, key: &[u8], purpose: &str) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        let text = format!("token for {purpose}:{}", self.0);
        Self(URL_SAFE_NO_PAD.encode(hmac::sign(&key, text.as_bytes())))
    }
}

impl FromStr for Token {
    type Err = InvalidToken;

    fn from_str(text: &str) -> Result<Self, InvalidToken> {
        let well_formed = text.len() == 43
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if well_formed { Ok(Self(text.to_owned())) } else { Err(InvalidToken) }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(redacted)")
    }
}

#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("not a token of ours")]
pub struct InvalidToken;

/// 128 random bits in base32, lower case: 26 characters that fit a host name.
pub fn label() -> String {
    base32(u128::from_be_bytes(random_bytes::<16>()))
}

/// 128 random bits in base32, upper case: the code printed on a certificate.
pub fn verification_code() -> String {
    label().to_ascii_uppercase()
}

fn base32(mut number: u128) -> String {
    // RFC 4648's alphabet has no 0, 1, 8 and 9: nothing to confuse when somebody types a code.
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    (0..26)
        .map(|_| {
            let digit = char::from(ALPHABET[(number & 31) as usize]);
            number >>= 5;
            digit
        })
        .collect()
}

/// SHA-256 in lower-case hexadecimal.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_a_host_name_of_26_characters() {
        let label = label();
        assert_eq!(label.len(), 26);
        assert!(label.bytes().all(|b| b.is_ascii_lowercase() || (b'2'..=b'7').contains(&b)));
    }

    #[test]
    fn a_token_is_read_back_and_its_debug_tells_nothing() {
        let token = Token::random();
        assert_eq!(token.reveal().parse::<Token>().expect("its own form"), token);
        assert_eq!(format!("{token:?}"), "Token(redacted)");
        assert!("short".parse::<Token>().is_err());
    }
}
