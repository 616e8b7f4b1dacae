//! LTI 1.3 Core and Advantage, dynamic registration and LTI 1.1, seen from the tool.
//!
//! The crate parses bytes and returns values. It opens no socket, reads no clock and rolls no
//! dice: the instant and every random value are arguments, and what has to happen outside comes
//! back as a value ([`http::Request`] to send, a nonce to consume).
//!
//! # A launch
//!
//! 1. [`login::LoginRequest::parse`] reads the third-party initiated login (query or body).
//! 2. [`state::StateKey::sign`] makes the signed `state`; nothing is stored.
//! 3. [`login::authentication_url`] is where the browser goes.
//! 4. [`launch::LaunchForm::parse`] reads what the platform posts back.
//! 5. [`state::StateKey::verify`] opens the state; [`state::State::is_bound_to`] compares it with
//!    the browser's cookie.
//! 6. [`launch::verify`] checks the `id_token` against a [`jwks::KeySet`] and a
//!    [`launch::Expectation`] and returns a [`launch::Verification`]: the [`claims::Launch`] or a
//!    [`launch::LaunchRefusal`], with the trace of each check in both cases.
//! 7. The service consumes `launch.nonce` and looks `launch.deployment_id` up in its allow-list.
//!
//! # Services
//!
//! [`token`] (client credentials), [`ags`] (line items, scores, results), [`nrps`] (members),
//! [`groups`] (course groups), [`deep_linking`] (the answer to a selection request),
//! [`registration`] (dynamic registration), and for LTI 1.1 [`legacy`], [`outcomes`],
//! [`content_item`], [`oauth1`] and [`migration`].
//!
//! # Errors
//!
//! Every refusal is a closed enum with two methods: `code()` is a stable kebab-case word to look
//! texts up with, and `fault()` says who has to act ([`Fault`]).
#![warn(missing_docs)]

pub mod ags;
pub mod claims;
pub mod content_item;
pub mod deep_linking;
pub mod diagnostics;
pub mod form;
pub mod groups;
pub mod http;
pub mod jwks;
pub mod launch;
pub mod legacy;
pub mod login;
pub mod migration;
pub mod nrps;
pub mod oauth1;
pub mod outcomes;
pub mod paging;
pub mod registration;
pub mod roles;
pub mod service;
pub mod state;
pub mod token;
pub mod tool_key;

mod json;
mod jws;

/// Who has to act for a refused message to be accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The other side sent something wrong: the platform, or whoever posed as it.
    Peer,
    /// What was registered on our side (or theirs, for us) does not match.
    Configuration,
    /// Legal, but this crate does not do it.
    Unsupported,
}

impl Fault {
    /// A stable word for logs and counters.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Peer => "peer",
            Self::Configuration => "configuration",
            Self::Unsupported => "unsupported",
        }
    }
}
