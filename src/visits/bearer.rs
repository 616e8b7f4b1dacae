//! How a browser shows that a launch is its own.

use crate::ids::{LaunchId, Token};

crate::text_enum! {
    /// What carries the secret of a browser's session from page to page.
    pub enum Carrier {
        Cookie = "cookie",
        /// Where the browser refuses our cookie, every address of the launch's pages holds it.
        Path = "path",
    }
}

/// The secret of a browser's session, and what carries it. Only its hash is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bearer {
    carrier: Carrier,
    token: Token,
}

impl Bearer {
    pub fn cookie(token: Token) -> Self {
        Self { carrier: Carrier::Cookie, token }
    }

    /// The token must be one that is used for nothing else.
    pub fn path(token: Token) -> Self {
        Self { carrier: Carrier::Path, token }
    }

    /// The session of a launch that was bound to its browser by what the platform's page kept.
    /// Neither tells the other without our key; the same launch, posted twice, has one session.
    pub fn path_from_storage(key: &[u8], stored: &Token) -> Self {
        Self::path(stored.derive(key, "launch session in the path"))
    }

    pub fn carrier(&self) -> Carrier {
        self.carrier
    }

    /// What is written to the database in the secret's place.
    pub fn hash(&self) -> String {
        self.token.hash()
    }

    /// The secret itself: forms are bound to it.
    pub fn reveal(&self) -> &str {
        self.token.reveal()
    }

    /// The address of one of the launch's pages, for this browser.
    pub fn address(&self, launch: LaunchId, rest: &str) -> String {
        match self.carrier {
            Carrier::Cookie => format!("/launches/{launch}{rest}"),
            Carrier::Path => format!("/launches/{launch}~{}{rest}", self.token.reveal()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_session_in_the_path_shows_in_addresses() {
        let launch: LaunchId = "01930000-0000-7000-8000-000000000000".parse().expect("an id");
        let token = Token::random();
        let cookie = Bearer::cookie(token.clone()).address(launch, "/course");
        assert_eq!(cookie, format!("/launches/{launch}/course"));
        let path = Bearer::path(token.clone()).address(launch, "/course");
        assert_eq!(path, format!("/launches/{launch}~{}/course", token.reveal()));
    }

    #[test]
    fn what_a_platform_keeps_is_not_what_the_path_holds() {
        let stored = Token::random();
        let bearer = Bearer::path_from_storage(b"key", &stored);
        assert_ne!(bearer, Bearer::path(stored.clone()));
        assert_eq!(bearer, Bearer::path_from_storage(b"key", &stored));
        assert_ne!(bearer, Bearer::path_from_storage(b"another key", &stored));
        assert_eq!(bearer.reveal().parse::<Token>().expect("a token").hash(), bearer.hash());
    }
}
