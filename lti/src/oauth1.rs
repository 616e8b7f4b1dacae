//! OAuth 1.0a signatures (RFC 5849 3.4) as LTI 1.1 uses them: HMAC with the consumer's secret and
//! no token.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha1::Sha1;
use sha2::Sha256;
use url::Url;

/// RFC 5849 3.6: all but letters, digits, `-`, `.`, `_`, `~`.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// How a message is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignatureMethod {
    /// What LTI 1.1 was written with.
    HmacSha1,
    /// Its successor.
    HmacSha256,
}

impl SignatureMethod {
    /// The value of `oauth_signature_method`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HmacSha1 => "HMAC-SHA1",
            Self::HmacSha256 => "HMAC-SHA256",
        }
    }

    /// From the value of `oauth_signature_method`.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::HmacSha1, Self::HmacSha256].into_iter().find(|method| method.as_str() == text)
    }
}

/// Encodes as RFC 5849 3.6 wants it.
pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// The text that is signed (3.4.1): method, address without query and default port, and all
/// parameters, those of the address's query included, sorted.
pub fn base_string(method: &str, url: &Url, parameters: &[(String, String)]) -> String {
    let mut pairs: Vec<(String, String)> = parameters
        .iter()
        .filter(|(name, _)| name != "oauth_signature" && name != "realm")
        .map(|(name, value)| (encode(name), encode(value)))
        .chain(url.query_pairs().map(|(name, value)| (encode(&name), encode(&value))))
        .collect();
    pairs.sort();
    let normalized: Vec<String> =
        pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mut address = url.clone();
    address.set_query(None);
    address.set_fragment(None);
    format!(
        "{}&{}&{}",
        method.to_ascii_uppercase(),
        encode(address.as_str()),
        encode(&normalized.join("&"))
    )
}

/// Signs (3.4.2), as base64.
pub fn sign(method: SignatureMethod, secret: &str, base_string: &str) -> String {
    let key = format!("{}&", encode(secret));
    let (key, text) = (key.as_bytes(), base_string.as_bytes());
    // HMAC takes keys of any length: the constructors never fail.
    let bytes = match method {
        SignatureMethod::HmacSha1 => Hmac::<Sha1>::new_from_slice(key)
            .map(|mac| mac.chain_update(text).finalize().into_bytes().to_vec()),
        SignatureMethod::HmacSha256 => Hmac::<Sha256>::new_from_slice(key)
            .map(|mac| mac.chain_update(text).finalize().into_bytes().to_vec()),
    };
    STANDARD.encode(bytes.unwrap_or_default())
}

/// Whether a base64 signature is right, compared in constant time.
pub fn verify(method: SignatureMethod, secret: &str, base_string: &str, signature: &str) -> bool {
    let Ok(signature) = STANDARD.decode(signature.trim()) else { return false };
    let key = format!("{}&", encode(secret));
    let (key, text) = (key.as_bytes(), base_string.as_bytes());
    match method {
        SignatureMethod::HmacSha1 => Hmac::<Sha1>::new_from_slice(key)
            .is_ok_and(|mac| mac.chain_update(text).verify_slice(&signature).is_ok()),
        SignatureMethod::HmacSha256 => Hmac::<Sha256>::new_from_slice(key)
            .is_ok_and(|mac| mac.chain_update(text).verify_slice(&signature).is_ok()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 5849 3.4.1.1's own example.
    #[test]
    fn makes_the_base_string_of_the_rfc() -> Result<(), url::ParseError> {
        let url = Url::parse("http://EXAMPLE.COM:80/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b")?;
        let parameters = [
            ("oauth_consumer_key", "9djdj82h48djs9d2"),
            ("oauth_token", "kkk9d7dh3k39sjv7"),
            ("oauth_signature_method", "HMAC-SHA1"),
            ("oauth_timestamp", "137131201"),
            ("oauth_nonce", "7d8f3e4a"),
            ("oauth_signature", "bYT5CMsGcbgUdFHObYMEfcx6bsw="),
            ("c2", ""),
            ("a3", "2 q"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(
            base_string("post", &url, &parameters),
            "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%\
             253D%25253D%26c%2540%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce\
             %3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oaut\
             h_token%3Dkkk9d7dh3k39sjv7"
        );
        Ok(())
    }

    #[test]
    fn a_signature_verifies_itself_and_nothing_else() {
        for method in [SignatureMethod::HmacSha1, SignatureMethod::HmacSha256] {
            let signature = sign(method, "s&é", "base");
            assert!(verify(method, "s&é", "base", &signature));
            assert!(!verify(method, "s", "base", &signature));
            assert!(!verify(method, "s&é", "other", &signature));
            assert!(!verify(method, "s&é", "base", ""));
        }
    }
}
