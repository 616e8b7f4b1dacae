//! Every reason for which a launch is not accepted.

use crate::Fault;

/// Why a launch was refused. The texts are technical and hold no personal data; pages are looked
/// up by [`LaunchRefusal::code`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LaunchRefusal {
    /// Larger than any legitimate token.
    #[error("the token is too large")]
    TokenTooLarge,
    /// Not three base64url parts with JSON objects in the first two.
    #[error("the token is not a signed JWT")]
    TokenMalformed,
    /// A JWT that holds neither an issuer nor any LTI claim.
    #[error("the token holds no LTI message")]
    NotLtiMessage,
    /// The header lists extensions that must be understood (RFC 7515 4.1.11).
    #[error("the token's header demands extensions (`crit`)")]
    CriticalHeader,
    /// No `kid` in the header (Security Framework 5.1.3 and 6.3.1).
    #[error("the token's header names no key (`kid`)")]
    KeyIdMissing,
    /// The platform's key set has no such key.
    #[error("the platform's key set has no key `{key_id}`")]
    KeyUnknown {
        /// The header's `kid`.
        key_id: String,
    },
    /// The platform publishes the key, but it cannot be used.
    #[error("the platform's key `{key_id}` cannot be used: {reason}")]
    KeyUnusable {
        /// The header's `kid`.
        key_id: String,
        /// [`crate::jwks::Unusable::code`].
        reason: &'static str,
    },
    /// The header's `alg` is absent or not the key's: `none`, `HS256` with the public key as
    /// secret, and whatever comes next (RFC 8725 2.1).
    #[error("the token's algorithm is `{received}`, its key's is `{expected}`")]
    AlgorithmRefused {
        /// The key's algorithm.
        expected: &'static str,
        /// The header's, empty when absent.
        received: String,
    },
    /// The signature does not match (OpenID Connect Core 3.1.3.7, 6).
    #[error("the token's signature does not match the platform's key")]
    SignatureInvalid,
    /// Several required claims are missing at once.
    #[error("required claims are missing: {}", .0.join(", "))]
    ClaimsMissing(Vec<&'static str>),
    /// No `iss`.
    #[error("`iss` is missing")]
    IssuerMissing,
    /// `iss` is not the registration's (3.1.3.7, 2).
    #[error("the issuer is `{received}`, registered is `{expected}`")]
    IssuerMismatch {
        /// As registered.
        expected: String,
        /// As received.
        received: String,
    },
    /// No `aud`.
    #[error("`aud` is missing")]
    AudienceMissing,
    /// The client id is not among the audiences (3.1.3.7, 3).
    #[error("the token is for `{received}`, registered is `{expected}`")]
    AudienceMismatch {
        /// The registered client id.
        expected: String,
        /// The audiences.
        received: String,
    },
    /// There is an audience nobody vouched for (3.1.3.7, 3).
    #[error("the token is also for `{audience}`, which is not trusted")]
    AudienceUntrusted {
        /// The audience.
        audience: String,
    },
    /// Several audiences and no `azp` (3.1.3.7, 4).
    #[error("the token has several audiences and no `azp`")]
    AuthorizedPartyMissing,
    /// `azp` is another client (3.1.3.7, 5).
    #[error("the token was made for the client `{received}`")]
    AuthorizedPartyMismatch {
        /// `azp`.
        received: String,
    },
    /// No `exp`.
    #[error("`exp` is missing")]
    ExpiryMissing,
    /// Expired (3.1.3.7, 9).
    #[error("the token expired {seconds} s ago")]
    Expired {
        /// How long ago.
        seconds: i64,
    },
    /// No `iat`.
    #[error("`iat` is missing")]
    IssuedAtMissing,
    /// `iat` or `nbf` lies in the future: the clocks differ.
    #[error("the token is from the future: {seconds} s ahead")]
    FromTheFuture {
        /// How far.
        seconds: i64,
    },
    /// Issued too long ago, whatever its `exp` says (3.1.3.7, 10).
    #[error("the token was issued {seconds} s ago")]
    TooOld {
        /// How long ago.
        seconds: i64,
    },
    /// No `nonce`.
    #[error("`nonce` is missing")]
    NonceMissing,
    /// `nonce` is not the one this login sent (3.1.3.7, 11).
    #[error("the nonce is not the one of this login")]
    NonceMismatch,
    /// No `version` (Core 5.3.2).
    #[error("`version` is missing")]
    VersionMissing,
    /// Not `1.3.0`.
    #[error("the version is `{received}`, not `1.3.0`")]
    VersionUnsupported {
        /// As received.
        received: String,
    },
    /// No `message_type` (5.3.1).
    #[error("`message_type` is missing")]
    MessageTypeMissing,
    /// A type of message this crate does not know.
    #[error("messages of type `{received}` are not supported")]
    MessageTypeUnsupported {
        /// As received.
        received: String,
    },
    /// No `deployment_id` (5.3.3).
    #[error("`deployment_id` is missing")]
    DeploymentMissing,
    /// No `roles` (5.3.7). An empty list is fine.
    #[error("`roles` is missing")]
    RolesMissing,
    /// `roles` is not a list of texts.
    #[error("`roles` is not a list")]
    RolesMalformed,
    /// No `sub`, and the policy wants to know who it is (5.3.6.1).
    #[error("`sub` is missing and anonymous launches are not allowed")]
    SubjectMissing,
    /// `sub` is there and empty.
    #[error("`sub` is empty")]
    SubjectEmpty,
    /// No resource link, or one without id (5.3.5).
    #[error("`resource_link` or its `id` is missing")]
    ResourceLinkMissing,
    /// No deep linking settings, or none with a usable return URL (Deep Linking 4.4.1).
    #[error("`deep_linking_settings` or its return URL is missing")]
    DeepLinkingSettingsMissing,
    /// A submission review that does not say whose (Submission Review 3.1).
    #[error("`for_user` is missing")]
    ForUserMissing,
    /// No `target_link_uri` (5.3.4).
    #[error("`target_link_uri` is missing")]
    TargetLinkUriMissing,
    /// `target_link_uri` is not the login's: somebody changed the unsigned one (5.3.4).
    #[error("the launch is for `{claimed}`, the login was for `{requested}`")]
    TargetLinkUriMismatch {
        /// The login's, unsigned.
        requested: String,
        /// The claim's.
        claimed: String,
    },
    /// An identifier of more than [`super::MAX_IDENTIFIER`] bytes, or with control characters.
    #[error("the identifier `{claim}` is too long or has control characters")]
    IdentifierInvalid {
        /// Which.
        claim: &'static str,
    },
}

impl LaunchRefusal {
    /// A stable word for texts and counters.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TokenTooLarge => "token-too-large",
            Self::TokenMalformed => "token-malformed",
            Self::NotLtiMessage => "not-an-lti-message",
            Self::CriticalHeader => "critical-header",
            Self::KeyIdMissing => "key-id-missing",
            Self::KeyUnknown { .. } => "key-unknown",
            Self::KeyUnusable { .. } => "key-unusable",
            Self::AlgorithmRefused { .. } => "algorithm-refused",
            Self::SignatureInvalid => "signature-invalid",
            Self::ClaimsMissing(_) => "claims-missing",
            Self::IssuerMissing => "issuer-missing",
            Self::IssuerMismatch { .. } => "issuer-mismatch",
            Self::AudienceMissing => "audience-missing",
            Self::AudienceMismatch { .. } => "audience-mismatch",
            Self::AudienceUntrusted { .. } => "audience-untrusted",
            Self::AuthorizedPartyMissing => "authorized-party-missing",
            Self::AuthorizedPartyMismatch { .. } => "authorized-party-mismatch",
            Self::ExpiryMissing => "expiry-missing",
            Self::Expired { .. } => "token-expired",
            Self::IssuedAtMissing => "issued-at-missing",
            Self::FromTheFuture { .. } => "token-from-the-future",
            Self::TooOld { .. } => "token-too-old",
            Self::NonceMissing => "nonce-missing",
            Self::NonceMismatch => "nonce-mismatch",
            Self::VersionMissing => "version-missing",
            Self::VersionUnsupported { .. } => "version-unsupported",
            Self::MessageTypeMissing => "message-type-missing",
            Self::MessageTypeUnsupported { .. } => "message-type-unsupported",
            Self::DeploymentMissing => "deployment-missing",
            Self::RolesMissing => "roles-missing",
            Self::RolesMalformed => "roles-malformed",
            Self::SubjectMissing => "subject-missing",
            Self::SubjectEmpty => "subject-empty",
            Self::ResourceLinkMissing => "resource-link-missing",
            Self::DeepLinkingSettingsMissing => "deep-linking-settings-missing",
            Self::ForUserMissing => "for-user-missing",
            Self::TargetLinkUriMissing => "target-link-uri-missing",
            Self::TargetLinkUriMismatch { .. } => "target-link-uri-mismatch",
            Self::IdentifierInvalid { .. } => "identifier-invalid",
        }
    }

    /// Every code, for a test that each has its texts.
    pub const CODES: [&'static str; 39] = [
        "token-too-large",
        "token-malformed",
        "not-an-lti-message",
        "critical-header",
        "key-id-missing",
        "key-unknown",
        "key-unusable",
        "algorithm-refused",
        "signature-invalid",
        "claims-missing",
        "issuer-missing",
        "issuer-mismatch",
        "audience-missing",
        "audience-mismatch",
        "audience-untrusted",
        "authorized-party-missing",
        "authorized-party-mismatch",
        "expiry-missing",
        "token-expired",
        "issued-at-missing",
        "token-from-the-future",
        "token-too-old",
        "nonce-missing",
        "nonce-mismatch",
        "version-missing",
        "version-unsupported",
        "message-type-missing",
        "message-type-unsupported",
        "deployment-missing",
        "roles-missing",
        "roles-malformed",
        "subject-missing",
        "subject-empty",
        "resource-link-missing",
        "deep-linking-settings-missing",
        "for-user-missing",
        "target-link-uri-missing",
        "target-link-uri-mismatch",
        "identifier-invalid",
    ];

    /// Who has to act.
    pub const fn fault(&self) -> Fault {
        match self {
            Self::KeyUnknown { .. }
            | Self::IssuerMismatch { .. }
            | Self::AudienceMismatch { .. }
            | Self::AudienceUntrusted { .. }
            | Self::AuthorizedPartyMismatch { .. }
            | Self::FromTheFuture { .. }
            | Self::SubjectMissing => Fault::Configuration,
            Self::KeyUnusable { .. }
            | Self::CriticalHeader
            | Self::VersionUnsupported { .. }
            | Self::MessageTypeUnsupported { .. } => Fault::Unsupported,
            _ => Fault::Peer,
        }
    }

    /// Whether a fresh key set might change the verdict: the key is unknown, or the platform put
    /// another one under the same id. [`crate::jwks::CachePolicy`] says whether to fetch it.
    pub const fn asks_for_fresh_keys(&self) -> bool {
        matches!(self, Self::KeyUnknown { .. } | Self::SignatureInvalid)
    }

    /// The claim whose absence this is.
    pub(super) const fn missing_claim(&self) -> Option<&'static str> {
        Some(match self {
            Self::IssuerMissing => "iss",
            Self::AudienceMissing => "aud",
            Self::ExpiryMissing => "exp",
            Self::IssuedAtMissing => "iat",
            Self::NonceMissing => "nonce",
            Self::VersionMissing => "version",
            Self::MessageTypeMissing => "message_type",
            Self::DeploymentMissing => "deployment_id",
            Self::RolesMissing => "roles",
            Self::SubjectMissing => "sub",
            Self::ResourceLinkMissing => "resource_link",
            Self::DeepLinkingSettingsMissing => "deep_linking_settings",
            Self::ForUserMissing => "for_user",
            Self::TargetLinkUriMissing => "target_link_uri",
            _ => return None,
        })
    }
}
