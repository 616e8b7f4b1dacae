//! Compact JWS (RFC 7515 7.1), read leniently in its header and never trusted for it.

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

/// Larger tokens are not looked at: a thousand roles take 80 KB.
pub(crate) const MAX_BYTES: usize = 384 * 1024;

/// The three parts, decoded but not verified.
pub(crate) struct Compact<'a> {
    pub(crate) header: Map<String, Value>,
    pub(crate) claims: Map<String, Value>,
    pub(crate) message: &'a str,
    pub(crate) signature: &'a str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Malformed {
    TooLarge,
    NotThreeParts,
    Header,
    Payload,
}

impl<'a> Compact<'a> {
    pub(crate) fn parse(token: &'a str) -> Result<Self, Malformed> {
        let token = token.trim();
        if token.len() > MAX_BYTES {
            return Err(Malformed::TooLarge);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(Malformed::NotThreeParts)?;
        let (header, payload) = message.split_once('.').ok_or(Malformed::NotThreeParts)?;
        if payload.contains('.') {
            return Err(Malformed::NotThreeParts);
        }
        Ok(Self {
            header: object(header).ok_or(Malformed::Header)?,
            claims: object(payload).ok_or(Malformed::Payload)?,
            message,
            signature,
        })
    }

    pub(crate) fn key_id(&self) -> Option<&str> {
        self.header.get("kid").and_then(Value::as_str).filter(|kid| !kid.is_empty())
    }

    pub(crate) fn algorithm(&self) -> Option<&str> {
        self.header.get("alg").and_then(Value::as_str)
    }
}

fn object(part: &str) -> Option<Map<String, Value>> {
    let bytes = URL_SAFE_NO_PAD.decode(part).or_else(|_| URL_SAFE.decode(part)).ok()?;
    match serde_json::from_slice(&bytes).ok()? {
        Value::Object(map) => Some(map),
        _ => None,
    }
}
