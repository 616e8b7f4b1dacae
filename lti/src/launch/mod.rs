//! Verifying a launch (LTI Security Framework 5.1.3; OpenID Connect Core 3.1.3.7; LTI 1.3 Core
//! 5.3).

mod checks;
mod form;
mod refusal;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value};

use crate::claims::{
    self, DEEP_LINKING_REQUEST, DEEP_LINKING_SETTINGS, DEPLOYMENT_ID, FOR_USER, LTI_VERSION,
    Launch, MESSAGE_TYPE, Message, RESOURCE_LINK, RESOURCE_LINK_REQUEST, ROLES, ResourceLink,
    SUBMISSION_REVIEW_REQUEST, TARGET_LINK_URI, VERSION,
};
use crate::json;
use crate::jwks::KeySet;
use crate::jws::{Compact, Malformed};

pub use checks::{Check, CheckName, Outcome};
pub use form::{LaunchForm, LaunchFormRefusal, PlatformError};
pub use refusal::LaunchRefusal;

/// Identifiers are at most 255 characters by the specification; what goes over is tolerated up to
/// this many bytes.
pub const MAX_IDENTIFIER: usize = 1024;

/// What is said about a token before anything is verified: to find the registration, and for
/// diagnosis. Believe none of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Peek {
    /// The header's `kid`.
    pub key_id: Option<String>,
    /// The header's `alg`.
    pub algorithm: Option<String>,
    /// `iss`
    pub issuer: Option<String>,
    /// `aud`, one or several.
    pub audiences: Vec<String>,
    /// `azp`
    pub authorized_party: Option<String>,
    /// `deployment_id`
    pub deployment_id: Option<String>,
    /// All claims. Mask them ([`crate::diagnostics::mask`]) before they are kept.
    pub claims: Map<String, Value>,
}

/// Reads a token without verifying it.
pub fn peek(id_token: &str) -> Result<Peek, LaunchRefusal> {
    let compact = parse(id_token)?;
    Ok(Peek {
        key_id: compact.key_id().map(str::to_owned),
        algorithm: compact.algorithm().map(str::to_owned),
        issuer: json::identifier(&compact.claims, "iss"),
        audiences: audiences(&compact.claims),
        authorized_party: json::identifier(&compact.claims, "azp"),
        deployment_id: json::identifier(&compact.claims, DEPLOYMENT_ID),
        claims: compact.claims,
    })
}

/// What to do about a launch without `sub` (Core 5.3.6.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AnonymousPolicy {
    /// Refuse it.
    #[default]
    Refuse,
    /// Accept it; [`Launch::subject`] is `None`.
    Allow,
}

/// What a launch has to match.
#[derive(Debug, Clone, PartialEq)]
pub struct Expectation<'a> {
    /// The registration's issuer.
    pub issuer: &'a str,
    /// The registration's client id.
    pub client_id: &'a str,
    /// The nonce of this login, from its state.
    pub nonce: &'a str,
    /// The `target_link_uri` of this login; `None` compares nothing.
    pub target_link_uri: Option<&'a str>,
    /// Audiences beside the client id that are acceptable.
    pub trusted_audiences: &'a [String],
    /// The instant.
    pub now: DateTime<Utc>,
    /// By how much the two clocks may differ.
    pub leeway: TimeDelta,
    /// How old a token may be, whatever its own expiry.
    pub max_age: TimeDelta,
    /// Launches without `sub`.
    pub anonymous: AnonymousPolicy,
}

impl<'a> Expectation<'a> {
    /// The strict defaults: 60 s leeway, tokens of at most ten minutes, nobody anonymous, no other
    /// audience.
    pub fn new(issuer: &'a str, client_id: &'a str, nonce: &'a str, now: DateTime<Utc>) -> Self {
        Self {
            issuer,
            client_id,
            nonce,
            target_link_uri: None,
            trusted_audiences: &[],
            now,
            leeway: TimeDelta::seconds(60),
            max_age: TimeDelta::minutes(10),
            anonymous: AnonymousPolicy::Refuse,
        }
    }
}

/// The verdict and how it came about.
#[derive(Debug, Clone, PartialEq)]
pub struct Verification {
    /// The launch, or why not.
    pub result: Result<Launch, LaunchRefusal>,
    /// One line for each of [`CheckName::ALL`], in that order.
    pub checks: Vec<Check>,
    /// How far the platform's clock is ahead of ours (behind: negative), including the time the
    /// token travelled. Known once the signature is verified.
    pub clock_skew: Option<TimeDelta>,
}

/// Verifies an `id_token`.
///
/// The claims are looked at only when the signature is right; then all of them are, so that the
/// trace shows everything that is wrong at once. Two things remain for the caller: to consume
/// [`Launch::nonce`] and to look [`Launch::deployment_id`] up.
pub fn verify(id_token: &str, keys: &KeySet, expected: &Expectation<'_>) -> Verification {
    let mut trace = Trace::default();
    let Some(claims) = authenticate(id_token, keys, &mut trace) else {
        return trace.finish(None, None);
    };
    let skew = time(&claims, "iat").map(|issued_at| issued_at - expected.now);
    let launch = check_claims(claims, expected, &mut trace);
    trace.finish(launch, skew)
}

fn parse(id_token: &str) -> Result<Compact<'_>, LaunchRefusal> {
    Compact::parse(id_token).map_err(|malformed| match malformed {
        Malformed::TooLarge => LaunchRefusal::TokenTooLarge,
        Malformed::NotThreeParts | Malformed::Header | Malformed::Payload => {
            LaunchRefusal::TokenMalformed
        }
    })
}

/// The lines of the trace so far, and every refusal.
#[derive(Default)]
struct Trace {
    checks: Vec<Check>,
    refusals: Vec<LaunchRefusal>,
}

impl Trace {
    fn note<T>(
        &mut self,
        name: CheckName,
        result: Result<(T, String), LaunchRefusal>,
    ) -> Option<T> {
        let (outcome, detail, value) = match result {
            Ok((value, detail)) => (Outcome::Passed, detail, Some(value)),
            Err(refusal) => {
                let detail = refusal.to_string();
                self.refusals.push(refusal);
                (Outcome::Failed, detail, None)
            }
        };
        let detail = detail.chars().filter(|c| !c.is_control()).take(300).collect();
        self.checks.push(Check { name, outcome, detail });
        value
    }

    fn finish(mut self, launch: Option<Launch>, clock_skew: Option<TimeDelta>) -> Verification {
        let checks = CheckName::ALL
            .iter()
            .map(|&name| {
                self.checks.iter().find(|check| check.name == name).cloned().unwrap_or(Check {
                    name,
                    outcome: Outcome::Skipped,
                    detail: String::new(),
                })
            })
            .collect();
        let missing: Vec<&'static str> =
            self.refusals.iter().filter_map(LaunchRefusal::missing_claim).collect();
        let result = match (self.refusals.is_empty(), launch) {
            (true, Some(launch)) => Ok(launch),
            (true, None) => Err(LaunchRefusal::TokenMalformed),
            (false, _) => {
                let first = self.refusals.swap_remove(0);
                Err(if missing.len() > 1 && first.missing_claim().is_some() {
                    LaunchRefusal::ClaimsMissing(missing)
                } else {
                    first
                })
            }
        };
        Verification { result, checks, clock_skew }
    }
}

/// Key and signature; each step needs the one before.
fn authenticate(id_token: &str, keys: &KeySet, trace: &mut Trace) -> Option<Map<String, Value>> {
    let compact = trace.note(
        CheckName::Token,
        parse(id_token).and_then(|compact| {
            let is_message = compact.claims.contains_key("iss")
                || compact
                    .claims
                    .keys()
                    .any(|name| name.starts_with("https://purl.imsglobal.org/spec/lti"));
            if !is_message {
                Err(LaunchRefusal::NotLtiMessage)
            } else if compact.header.contains_key("crit") {
                // RFC 7515 4.1.11: what is not understood must not be skipped.
                Err(LaunchRefusal::CriticalHeader)
            } else {
                Ok((compact, String::new()))
            }
        }),
    )?;
    // Security Framework 6.3.1: a key is found by its id, and only by it. To try all keys would
    // accept what the platform did not say.
    let key_id = compact.key_id().ok_or(LaunchRefusal::KeyIdMissing).map(str::to_owned);
    let key_id = trace.note(CheckName::KeyId, key_id.map(|id| (id.clone(), id)))?;
    let candidates: Vec<_> = keys.with_id(&key_id).collect();
    let Some(first) = candidates.first() else {
        let unusable = keys.unusable().iter().find(|(id, _)| id.as_ref() == Some(&key_id));
        let refusal = match unusable {
            Some((_, reason)) => LaunchRefusal::KeyUnusable { key_id, reason: reason.code() },
            None => LaunchRefusal::KeyUnknown { key_id: key_id.chars().take(200).collect() },
        };
        return trace.note(CheckName::Key, Err::<((), String), _>(refusal)).and(None);
    };
    trace.note(CheckName::Key, Ok(((), first.algorithm().to_owned())));
    // RFC 8725 3.1: the algorithm is the key's. The header's is compared, never obeyed.
    let received = compact.algorithm().unwrap_or_default();
    let agreeing: Vec<_> =
        candidates.iter().filter(|key| key.algorithm() == received).copied().collect();
    let algorithm = if agreeing.is_empty() {
        Err(LaunchRefusal::AlgorithmRefused {
            expected: first.algorithm(),
            received: received.chars().take(50).collect(),
        })
    } else {
        Ok(((), received.to_owned()))
    };
    trace.note(CheckName::Algorithm, algorithm)?;
    // Core 3.1.3.7, 6.
    let verified = agreeing.iter().any(|key| key.verifies(compact.message, compact.signature));
    let signature =
        if verified { Ok(((), String::new())) } else { Err(LaunchRefusal::SignatureInvalid) };
    trace.note(CheckName::Signature, signature)?;
    Some(compact.claims)
}

fn check_claims(
    claims: Map<String, Value>,
    expected: &Expectation<'_>,
    trace: &mut Trace,
) -> Option<Launch> {
    let issuer = trace.note(CheckName::Issuer, check_issuer(&claims, expected));
    trace.note(CheckName::Audience, check_audience(&claims, expected));
    trace.note(CheckName::AuthorizedParty, check_authorized_party(&claims, expected));
    let expires_at = trace.note(CheckName::Expiry, check_expiry(&claims, expected));
    let issued_at = trace.note(CheckName::IssuedAt, check_issued_at(&claims, expected));
    if let Some(issued_at) = issued_at {
        trace.note(CheckName::Age, check_age(issued_at, expected));
    }
    let nonce = trace.note(CheckName::Nonce, check_nonce(&claims, expected));
    trace.note(CheckName::Version, check_version(&claims));
    let message_type = trace.note(CheckName::MessageType, check_message_type(&claims));
    let deployment_id = trace.note(CheckName::Deployment, check_deployment(&claims));
    trace.note(CheckName::Roles, check_roles(&claims));
    let subject = trace.note(CheckName::Subject, check_subject(&claims, expected));
    // Without a message type the message is most likely a resource link's; saying that its id is
    // missing too helps to see what is wrong.
    let message_type = message_type.unwrap_or(MessageType::ResourceLink);
    let message = trace.note(CheckName::MessageClaims, check_message(&claims, message_type));
    trace.note(CheckName::TargetLinkUri, check_target(&claims, message_type, expected));
    if !trace.refusals.is_empty() {
        return None;
    }
    let verified = claims::Verified {
        message: message?,
        issuer: issuer?,
        client_id: expected.client_id.to_owned(),
        deployment_id: deployment_id?,
        nonce: nonce?,
        issued_at: issued_at?,
        expires_at: expires_at?,
        subject: subject?,
    };
    Some(claims::read(claims, verified))
}

type Checked<T> = Result<(T, String), LaunchRefusal>;

/// OpenID Connect Core 3.1.3.7, 2: exactly the registered issuer.
fn check_issuer(claims: &Map<String, Value>, expected: &Expectation<'_>) -> Checked<String> {
    let received = json::identifier(claims, "iss").ok_or(LaunchRefusal::IssuerMissing)?;
    if received == expected.issuer {
        return Ok((received.clone(), received));
    }
    Err(LaunchRefusal::IssuerMismatch { expected: expected.issuer.to_owned(), received })
}

/// 3.1.3.7, 3: the client id is in, and nobody unknown.
fn check_audience(claims: &Map<String, Value>, expected: &Expectation<'_>) -> Checked<()> {
    let audiences = audiences(claims);
    if audiences.is_empty() {
        return Err(LaunchRefusal::AudienceMissing);
    }
    if !audiences.iter().any(|audience| audience == expected.client_id) {
        return Err(LaunchRefusal::AudienceMismatch {
            expected: expected.client_id.to_owned(),
            received: audiences.join(", "),
        });
    }
    let stranger = audiences.iter().find(|&audience| {
        audience != expected.client_id && !expected.trusted_audiences.contains(audience)
    });
    match stranger {
        Some(audience) => Err(LaunchRefusal::AudienceUntrusted { audience: audience.clone() }),
        None => Ok(((), audiences.join(", "))),
    }
}

/// 3.1.3.7, 4 and 5.
fn check_authorized_party(claims: &Map<String, Value>, expected: &Expectation<'_>) -> Checked<()> {
    match json::identifier(claims, "azp") {
        Some(party) if party == expected.client_id => Ok(((), party)),
        Some(received) => Err(LaunchRefusal::AuthorizedPartyMismatch { received }),
        None if audiences(claims).len() > 1 => Err(LaunchRefusal::AuthorizedPartyMissing),
        None => Ok(((), String::new())),
    }
}

/// 3.1.3.7, 9.
fn check_expiry(claims: &Map<String, Value>, expected: &Expectation<'_>) -> Checked<DateTime<Utc>> {
    let expires_at = time(claims, "exp").ok_or(LaunchRefusal::ExpiryMissing)?;
    if expires_at + expected.leeway <= expected.now {
        let seconds = (expected.now - expires_at).num_seconds();
        return Err(LaunchRefusal::Expired { seconds });
    }
    Ok((expires_at, expires_at.to_rfc3339()))
}

/// Security Framework 5.1.3; RFC 7519 4.1.5 and 4.1.6.
fn check_issued_at(
    claims: &Map<String, Value>,
    expected: &Expectation<'_>,
) -> Checked<DateTime<Utc>> {
    let issued_at = time(claims, "iat").ok_or(LaunchRefusal::IssuedAtMissing)?;
    let latest = time(claims, "nbf").map_or(issued_at, |not_before| not_before.max(issued_at));
    if latest > expected.now + expected.leeway {
        let seconds = (latest - expected.now).num_seconds();
        return Err(LaunchRefusal::FromTheFuture { seconds });
    }
    Ok((issued_at, issued_at.to_rfc3339()))
}

/// 3.1.3.7, 10: too far from the current time, whatever `exp` promises.
fn check_age(issued_at: DateTime<Utc>, expected: &Expectation<'_>) -> Checked<()> {
    let age = expected.now - issued_at;
    let seconds = age.num_seconds();
    if age > expected.max_age + expected.leeway {
        return Err(LaunchRefusal::TooOld { seconds });
    }
    Ok(((), format!("{seconds} s")))
}

/// 3.1.3.7, 11.
fn check_nonce(claims: &Map<String, Value>, expected: &Expectation<'_>) -> Checked<String> {
    let nonce = json::identifier(claims, "nonce").ok_or(LaunchRefusal::NonceMissing)?;
    if nonce == expected.nonce && !expected.nonce.is_empty() {
        Ok((nonce, String::new()))
    } else {
        Err(LaunchRefusal::NonceMismatch)
    }
}

/// Core 5.3.2.
fn check_version(claims: &Map<String, Value>) -> Checked<()> {
    match json::text(claims, VERSION) {
        None => Err(LaunchRefusal::VersionMissing),
        Some(version) if version == LTI_VERSION => Ok(((), version)),
        Some(received) => Err(LaunchRefusal::VersionUnsupported { received }),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum MessageType {
    ResourceLink,
    DeepLinking,
    SubmissionReview,
}

/// Core 5.3.1.
fn check_message_type(claims: &Map<String, Value>) -> Checked<MessageType> {
    let received = json::text(claims, MESSAGE_TYPE).ok_or(LaunchRefusal::MessageTypeMissing)?;
    let message_type = match received.as_str() {
        RESOURCE_LINK_REQUEST => MessageType::ResourceLink,
        DEEP_LINKING_REQUEST => MessageType::DeepLinking,
        SUBMISSION_REVIEW_REQUEST => MessageType::SubmissionReview,
        _ => return Err(LaunchRefusal::MessageTypeUnsupported { received }),
    };
    Ok((message_type, received))
}

/// Core 5.3.3.
fn check_deployment(claims: &Map<String, Value>) -> Checked<String> {
    let deployment_id =
        json::identifier(claims, DEPLOYMENT_ID).ok_or(LaunchRefusal::DeploymentMissing)?;
    sound("deployment_id", &deployment_id)?;
    Ok((deployment_id.clone(), deployment_id))
}

/// Core 5.3.7: the claim is required, roles are not.
fn check_roles(claims: &Map<String, Value>) -> Checked<()> {
    match claims.get(ROLES) {
        None | Some(Value::Null) => Err(LaunchRefusal::RolesMissing),
        Some(Value::Array(roles)) => Ok(((), roles.len().to_string())),
        Some(Value::String(_)) => Ok(((), "1".to_owned())),
        Some(_) => Err(LaunchRefusal::RolesMalformed),
    }
}

/// Core 5.3.6 and 5.3.6.1: absent is anonymous, empty is wrong.
fn check_subject(
    claims: &Map<String, Value>,
    expected: &Expectation<'_>,
) -> Checked<Option<String>> {
    match claims.get("sub") {
        None | Some(Value::Null) => match expected.anonymous {
            AnonymousPolicy::Refuse => Err(LaunchRefusal::SubjectMissing),
            AnonymousPolicy::Allow => Ok((None, "anonymous".to_owned())),
        },
        Some(_) => {
            let subject = json::identifier(claims, "sub").ok_or(LaunchRefusal::SubjectEmpty)?;
            sound("sub", &subject)?;
            Ok((Some(subject), String::new()))
        }
    }
}

/// What each type of message requires beyond the common claims.
fn check_message(claims: &Map<String, Value>, message_type: MessageType) -> Checked<Message> {
    if let Some(id) =
        json::object(claims, claims::CONTEXT).and_then(|context| json::identifier(context, "id"))
    {
        sound("context.id", &id)?;
    }
    let message = match message_type {
        // Core 5.3.5.
        MessageType::ResourceLink => Message::ResourceLink(check_resource_link(claims)?),
        // Deep Linking 4.4.1: no resource link; the settings instead.
        MessageType::DeepLinking => Message::DeepLinking(
            json::object(claims, DEEP_LINKING_SETTINGS)
                .and_then(claims::deep_linking)
                .ok_or(LaunchRefusal::DeepLinkingSettingsMissing)?,
        ),
        // Submission Review 3.1.
        MessageType::SubmissionReview => Message::SubmissionReview {
            resource_link: check_resource_link(claims)?,
            for_user: json::object(claims, FOR_USER)
                .and_then(claims::for_user)
                .ok_or(LaunchRefusal::ForUserMissing)?,
        },
    };
    Ok((message, String::new()))
}

fn check_resource_link(claims: &Map<String, Value>) -> Result<ResourceLink, LaunchRefusal> {
    let link = json::object(claims, RESOURCE_LINK)
        .and_then(claims::resource_link)
        .ok_or(LaunchRefusal::ResourceLinkMissing)?;
    sound("resource_link.id", &link.id)?;
    Ok(link)
}

/// Core 5.3.4: the claim is the truth, the login's parameter is unsigned.
fn check_target(
    claims: &Map<String, Value>,
    message_type: MessageType,
    expected: &Expectation<'_>,
) -> Checked<()> {
    let Some(claimed) = json::text(claims, TARGET_LINK_URI) else {
        // The certification's deep linking requests have none.
        return if message_type == MessageType::DeepLinking {
            Ok(((), String::new()))
        } else {
            Err(LaunchRefusal::TargetLinkUriMissing)
        };
    };
    let Some(requested) = expected.target_link_uri else {
        return Ok(((), claimed));
    };
    let same = claimed == requested
        || matches!((url::Url::parse(&claimed), url::Url::parse(requested)), (Ok(a), Ok(b)) if a == b);
    if same {
        Ok(((), claimed))
    } else {
        Err(LaunchRefusal::TargetLinkUriMismatch { requested: requested.to_owned(), claimed })
    }
}

fn sound(claim: &'static str, identifier: &str) -> Result<(), LaunchRefusal> {
    if identifier.len() > MAX_IDENTIFIER || identifier.chars().any(char::is_control) {
        return Err(LaunchRefusal::IdentifierInvalid { claim });
    }
    Ok(())
}

fn audiences(claims: &Map<String, Value>) -> Vec<String> {
    json::texts(claims, "aud")
}

/// A NumericDate (RFC 7519 2): seconds, fractions allowed.
fn time(claims: &Map<String, Value>, name: &str) -> Option<DateTime<Utc>> {
    let seconds = json::number(claims, name)?;
    if !(0.0..1e11).contains(&seconds) {
        return None;
    }
    DateTime::from_timestamp_millis((seconds * 1000.0) as i64)
}
