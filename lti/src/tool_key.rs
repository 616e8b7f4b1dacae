//! The tool's own keys: signing (RS256, LTI Security Framework 6.1) and publishing them.

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Serialize;
use serde_json::{Value, json};

use crate::Fault;

/// Why a key could not be loaded or used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ToolKeyError {
    /// Not PKCS#8 DER or PEM of an RSA key with at least 2048 bits.
    #[error("not an RSA private key in PKCS#8 with at least 2048 bits")]
    Unreadable,
    /// An empty key id: platforms need one (Security Framework 6.3.1).
    #[error("a key needs an id")]
    NoKeyId,
    /// The claims do not serialize or the cryptographic library failed.
    #[error("signing failed")]
    SigningFailed,
}

impl ToolKeyError {
    /// A stable word for texts and counters.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unreadable => "tool-key-unreadable",
            Self::NoKeyId => "tool-key-without-id",
            Self::SigningFailed => "tool-key-signing-failed",
        }
    }

    /// Ours.
    pub const fn fault(self) -> Fault {
        Fault::Configuration
    }
}

/// An RSA key pair with its `kid`. Parsed once: keep it.
pub struct ToolKey {
    key_id: String,
    pair: RsaKeyPair,
}

impl fmt::Debug for ToolKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ToolKey({})", self.key_id)
    }
}

impl ToolKey {
    /// From PKCS#8 DER.
    pub fn from_pkcs8(key_id: &str, der: &[u8]) -> Result<Self, ToolKeyError> {
        if key_id.is_empty() {
            return Err(ToolKeyError::NoKeyId);
        }
        let pair = RsaKeyPair::from_pkcs8(der).map_err(|_| ToolKeyError::Unreadable)?;
        if pair.public_modulus_len() < 256 {
            return Err(ToolKeyError::Unreadable);
        }
        Ok(Self { key_id: key_id.to_owned(), pair })
    }

    /// From PEM, `BEGIN PRIVATE KEY`.
    pub fn from_pem(key_id: &str, pem: &str) -> Result<Self, ToolKeyError> {
        let body: String = pem
            .lines()
            .map(str::trim)
            .skip_while(|line| *line != "-----BEGIN PRIVATE KEY-----")
            .skip(1)
            .take_while(|line| *line != "-----END PRIVATE KEY-----")
            .collect();
        let der = STANDARD.decode(body).map_err(|_| ToolKeyError::Unreadable)?;
        Self::from_pkcs8(key_id, &der)
    }

    /// Its `kid`.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The claims as a compact JWS with `alg`, `kid` and `typ` in its header.
    pub fn sign(&self, claims: &impl Serialize) -> Result<String, ToolKeyError> {
        let header = json!({ "alg": "RS256", "kid": self.key_id, "typ": "JWT" });
        let claims = serde_json::to_vec(claims).map_err(|_| ToolKeyError::SigningFailed)?;
        let mut token = URL_SAFE_NO_PAD.encode(header.to_string());
        token.push('.');
        token.push_str(&URL_SAFE_NO_PAD.encode(claims));
        let mut signature = vec![0; self.pair.public_modulus_len()];
        // PKCS#1 v1.5 uses no randomness; the interface asks for a source all the same.
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), token.as_bytes(), &mut signature)
            .map_err(|_| ToolKeyError::SigningFailed)?;
        token.push('.');
        token.push_str(&URL_SAFE_NO_PAD.encode(signature));
        Ok(token)
    }

    /// The public half as a JWK (RFC 7517 4, RFC 7518 6.3.1).
    pub fn public_jwk(&self) -> Value {
        let public = self.pair.public_key();
        json!({
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": self.key_id,
            "n": URL_SAFE_NO_PAD.encode(public.modulus().big_endian_without_leading_zero()),
            "e": URL_SAFE_NO_PAD.encode(public.exponent().big_endian_without_leading_zero()),
        })
    }
}

/// The document to publish: previous, current and next key, so that a rotation never meets a
/// platform that has not fetched yet.
pub fn public_jwks<'a>(keys: impl IntoIterator<Item = &'a ToolKey>) -> Value {
    json!({ "keys": keys.into_iter().map(ToolKey::public_jwk).collect::<Vec<_>>() })
}
