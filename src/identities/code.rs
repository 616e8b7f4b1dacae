//! The code that is read on one screen and typed on another.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::hmac;

use crate::ids;

/// Letters and digits that nobody takes for one another: no 0 and O, 1, I and L, 2 and Z, 5 and S,
/// 8 and B.
const ALPHABET: &[u8; 25] = b"ACDEFGHJKMNPQRTUVWXY34679";
const LENGTH: usize = 8;

/// Eight characters, some 37 random bits: enough for a quarter of an hour and few guesses.
#[derive(Clone, PartialEq, Eq)]
pub struct JoinCode(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a code has eight letters and digits")]
pub struct InvalidJoinCode;

impl JoinCode {
    pub fn random() -> Self {
        let mut code = String::with_capacity(LENGTH);
        while code.len() < LENGTH {
            // Bytes beyond the last whole round of the alphabet would favour its beginning.
            let even = ids::random_bytes::<16>().into_iter().filter(|byte| *byte < 250);
            let letters = even.map(|byte| char::from(ALPHABET[usize::from(byte) % 25]));
            code.extend(letters.take(LENGTH - code.len()));
        }
        Self(code)
    }

    /// As it is shown: `ACDE-FGHJ`.
    pub fn grouped(&self) -> String {
        let (first, second) = self.0.split_at(LENGTH / 2);
        format!("{first}-{second}")
    }

    /// What is written to the database in its place. Keyed: so few characters are guessed from a
    /// plain hash.
    pub fn hash(&self, key: &[u8]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        ids::hex(hmac::sign(&key, format!("join-code\n{}", self.0).as_bytes()).as_ref())
    }
}

impl FromStr for JoinCode {
    type Err = InvalidJoinCode;

    /// Forgives case, spaces and dashes.
    fn from_str(text: &str) -> Result<Self, InvalidJoinCode> {
        if text.len() > 100 {
            return Err(InvalidJoinCode);
        }
        let code: String = text
            .chars()
            .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '\u{2010}'..='\u{2015}'))
            .map(|c| c.to_ascii_uppercase())
            .collect();
        let valid = code.len() == LENGTH && code.bytes().all(|byte| ALPHABET.contains(&byte));
        if valid { Ok(Self(code)) } else { Err(InvalidJoinCode) }
    }
}

impl fmt::Debug for JoinCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JoinCode(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_people_type_it() {
        for _ in 0..100 {
            let code = JoinCode::random();
            let shown = code.grouped();
            assert_eq!(shown.len(), 9);
            for typed in [shown.clone(), shown.to_lowercase(), shown.replace('-', " – ")] {
                assert_eq!(typed.parse::<JoinCode>().as_ref(), Ok(&code), "{typed}");
            }
        }
        assert_eq!(format!("{:?}", JoinCode::random()), "JoinCode(redacted)");
    }

    #[test]
    fn what_is_no_code_is_refused() {
        for typed in ["", "ACDEFGH", "ACDEFGHJK", "ACDEFGH0", "ÀCDEFGH", "ACDE FGHÉ"] {
            assert_eq!(typed.parse::<JoinCode>(), Err(InvalidJoinCode), "{typed}");
        }
    }

    #[test]
    fn its_hash_is_of_one_installation() {
        let code = JoinCode::random();
        assert_eq!(code.hash(b"key"), code.hash(b"key"));
        assert_ne!(code.hash(b"key"), code.hash(b"another"));
    }
}
