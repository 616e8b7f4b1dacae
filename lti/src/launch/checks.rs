//! The trace of a verification, for whoever has to find out why a launch fails.

/// What was looked at, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CheckName {
    /// A compact JWS holding an LTI message.
    Token,
    /// The header names a key.
    KeyId,
    /// The platform has that key.
    Key,
    /// The header's algorithm is the key's.
    Algorithm,
    /// The signature.
    Signature,
    /// `iss`
    Issuer,
    /// `aud`
    Audience,
    /// `azp`
    AuthorizedParty,
    /// `exp`
    Expiry,
    /// `iat` and `nbf` are not in the future.
    IssuedAt,
    /// `iat` is not too long ago.
    Age,
    /// `nonce`
    Nonce,
    /// `version`
    Version,
    /// `message_type`
    MessageType,
    /// `deployment_id` is there.
    Deployment,
    /// `roles` is there.
    Roles,
    /// `sub`
    Subject,
    /// What this type of message requires.
    MessageClaims,
    /// `target_link_uri` is the login's.
    TargetLinkUri,
}

impl CheckName {
    /// All, in order.
    pub const ALL: [Self; 19] = [
        Self::Token,
        Self::KeyId,
        Self::Key,
        Self::Algorithm,
        Self::Signature,
        Self::Issuer,
        Self::Audience,
        Self::AuthorizedParty,
        Self::Expiry,
        Self::IssuedAt,
        Self::Age,
        Self::Nonce,
        Self::Version,
        Self::MessageType,
        Self::Deployment,
        Self::Roles,
        Self::Subject,
        Self::MessageClaims,
        Self::TargetLinkUri,
    ];

    /// A stable word to look texts up with.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::KeyId => "key-id",
            Self::Key => "key",
            Self::Algorithm => "algorithm",
            Self::Signature => "signature",
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::AuthorizedParty => "authorized-party",
            Self::Expiry => "expiry",
            Self::IssuedAt => "issued-at",
            Self::Age => "age",
            Self::Nonce => "nonce",
            Self::Version => "version",
            Self::MessageType => "message-type",
            Self::Deployment => "deployment",
            Self::Roles => "roles",
            Self::Subject => "subject",
            Self::MessageClaims => "message-claims",
            Self::TargetLinkUri => "target-link-uri",
        }
    }
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Fine.
    Passed,
    /// Refused.
    Failed,
    /// Not looked at, because something before it failed or it does not apply.
    Skipped,
}

impl Outcome {
    /// A stable word to look texts up with.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// One line of the trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was looked at.
    pub name: CheckName,
    /// How it ended.
    pub outcome: Outcome,
    /// What was found, in technical English, without personal data and at most 300 characters.
    /// Empty when there is nothing to say.
    pub detail: String,
}
