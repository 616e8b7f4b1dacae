//! Claims for an administrator's eyes: what matters to find a mistake, without who it was.

use serde_json::{Map, Value};

use crate::claims::{
    BASIC_OUTCOME, CUSTOM, EXT, FOR_USER, LIS, LTI1P1, ROLE_SCOPE_MENTOR, ROLE_SCOPE_MENTOR_OLD,
};

const MASK: &str = "•••";
const PERSONAL: [&str; 15] = [
    "sub",
    "name",
    "given_name",
    "family_name",
    "middle_name",
    "nickname",
    "preferred_username",
    "email",
    "picture",
    "phone_number",
    "address",
    "birthdate",
    "profile",
    "nonce",
    ROLE_SCOPE_MENTOR,
];
const WHOLE: [&str; 5] = [EXT, FOR_USER, BASIC_OUTCOME, LTI1P1, ROLE_SCOPE_MENTOR_OLD];

/// A copy of a token's claims in which everything about the person (and every secret) is replaced:
/// names, addresses, `sub`, vendor claims, custom values, and the query of every URL. Keys stay, so
/// that one sees what is sent. NUL characters, which databases refuse, are gone.
pub fn mask(claims: &Map<String, Value>) -> Map<String, Value> {
    claims
        .iter()
        .map(|(name, value)| {
            let masked = if PERSONAL.contains(&name.as_str()) {
                hidden(value)
            } else if WHOLE.contains(&name.as_str()) || name == CUSTOM || name == LIS {
                leaves(value, &hidden)
            } else if name.starts_with("https://purl.imsglobal.org/") || is_protocol(name) {
                leaves(value, &without_query)
            } else {
                // A vendor's own claim: nobody knows what is in it.
                leaves(value, &hidden)
            };
            (name.replace('\0', ""), masked)
        })
        .collect()
}

fn is_protocol(name: &str) -> bool {
    ["iss", "aud", "azp", "exp", "iat", "nbf", "jti", "locale"].contains(&name)
}

/// Empty stays empty: that nothing was sent is what one wants to see.
fn hidden(value: &Value) -> Value {
    match value {
        Value::Null => Value::Null,
        Value::String(text) if text.is_empty() => value.clone(),
        _ => Value::String(MASK.to_owned()),
    }
}

/// Session keys travel in the queries of return URLs.
fn without_query(value: &Value) -> Value {
    match value {
        Value::String(text) if text.starts_with("http") => match text.split_once('?') {
            Some((address, _)) => Value::String(format!("{address}?{MASK}").replace('\0', "")),
            None => Value::String(text.replace('\0', "")),
        },
        Value::String(text) => Value::String(text.replace('\0', "")),
        other => other.clone(),
    }
}

fn leaves(value: &Value, replace: &dyn Fn(&Value) -> Value) -> Value {
    match value {
        Value::Array(values) => {
            Value::Array(values.iter().map(|value| leaves(value, replace)).collect())
        }
        Value::Object(map) => Value::Object(
            map.iter()
                .map(|(name, value)| (name.replace('\0', ""), leaves(value, replace)))
                .collect(),
        ),
        leaf => replace(leaf),
    }
}
