//! Campus's signing keys and its way of making a JWT (RFC 7515, compact serialization).

use std::sync::Arc;

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// Keys published at most, the current one included.
const PUBLISHED: usize = 3;

/// Why a key or a random number could not be made, or a token not be signed.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("no RSA key could be generated")]
    Generation,
    #[error("the key did not sign")]
    Signing,
    #[error("the system gave no random bytes")]
    Randomness,
}

/// A random text of 24 hexadecimal digits.
pub(super) fn random_text() -> Result<String, KeyError> {
    use std::fmt::Write as _;
    let mut bytes = [0_u8; 12];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| KeyError::Randomness)?;
    let mut text = String::with_capacity(24);
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

/// One signing key.
#[derive(Clone)]
pub(super) struct SigningKey {
    pub(super) kid: String,
    pair: Arc<KeyPair>,
}

impl SigningKey {
    pub(super) fn generate() -> Result<Self, KeyError> {
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyError::Generation)?;
        let mut kid = random_text()?;
        kid.truncate(20);
        Ok(Self { kid, pair: Arc::new(pair) })
    }

    /// Signs with RS256; `kid` goes into the header when given.
    pub(super) fn sign(&self, kid: Option<&str>, claims: &Value) -> Result<String, KeyError> {
        let mut header = json!({ "typ": "JWT", "alg": "RS256" });
        if let (Some(kid), Some(header)) = (kid, header.as_object_mut()) {
            header.insert("kid".to_owned(), kid.into());
        }
        let mut token = URL_SAFE_NO_PAD.encode(header.to_string());
        token.push('.');
        token.push_str(&URL_SAFE_NO_PAD.encode(claims.to_string()));
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), token.as_bytes(), &mut signature)
            .map_err(|_| KeyError::Signing)?;
        token.push('.');
        token.push_str(&URL_SAFE_NO_PAD.encode(signature));
        Ok(token)
    }

    /// The public half as a JWK (RFC 7517).
    pub(super) fn jwk(&self) -> Value {
        let public = self.pair.public_key();
        json!({
            "kty": "RSA",
            "alg": "RS256",
            "use": "sig",
            "kid": self.kid,
            "n": URL_SAFE_NO_PAD.encode(public.modulus().big_endian_without_leading_zero()),
            "e": URL_SAFE_NO_PAD.encode(public.exponent().big_endian_without_leading_zero()),
        })
    }
}

/// The current key and those still published.
pub(super) struct KeyRing {
    current: SigningKey,
    previous: Vec<SigningKey>,
}

impl KeyRing {
    pub(super) fn generate() -> Result<Self, KeyError> {
        Ok(Self { current: SigningKey::generate()?, previous: Vec::new() })
    }

    pub(super) fn current(&self) -> &SigningKey {
        &self.current
    }

    pub(super) fn rotate(&mut self, keep_previous: bool) -> Result<(), KeyError> {
        let old = std::mem::replace(&mut self.current, SigningKey::generate()?);
        if keep_previous {
            self.previous.insert(0, old);
            self.previous.truncate(PUBLISHED - 1);
        } else {
            self.previous.clear();
        }
        Ok(())
    }

    /// The published key set.
    pub(super) fn jwks(&self) -> Value {
        let keys: Vec<Value> =
            std::iter::once(&self.current).chain(&self.previous).map(SigningKey::jwk).collect();
        json!({ "keys": keys })
    }
}
