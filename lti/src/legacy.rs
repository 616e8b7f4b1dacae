//! LTI 1.1 launches: OAuth 1.0a signed forms (LTI 1.1.1 Implementation Guide, 3 and 4).

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use url::Url;

use crate::Fault;
use crate::claims::{
    BasicOutcome, Context, DeepLinkingSettings, DocumentTarget, Lis, Platform, Presentation,
    ResourceLink, ReturnMessage, User, email, locale,
};
use crate::form::{Form, FormError};
use crate::json::clean;
use crate::oauth1::{SignatureMethod, base_string, verify as signature_is_right};
use crate::roles::Roles;

/// What a legacy launch asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum LegacyMessage {
    /// `basic-lti-launch-request`
    ResourceLink(ResourceLink),
    /// `ContentItemSelectionRequest`; answer with [`crate::content_item`].
    ContentItemSelection(DeepLinkingSettings),
}

/// A verified LTI 1.1 launch.
#[derive(Debug, Clone, PartialEq)]
pub struct LegacyLaunch {
    /// What is asked for.
    pub message: LegacyMessage,
    /// `oauth_consumer_key`
    pub consumer_key: String,
    /// `oauth_nonce`: to be consumed once within the time window, beside the consumer key.
    pub nonce: String,
    /// `oauth_timestamp`
    pub timestamp: DateTime<Utc>,
    /// How it was signed: what answers are to be signed with too.
    pub signature_method: SignatureMethod,
    /// `user_id`; may be missing.
    pub user_id: Option<String>,
    /// Who they are, as far as the platform tells.
    pub user: User,
    /// The course, if any.
    pub context: Option<Context>,
    /// Roles.
    pub roles: Roles,
    /// How the launch is shown.
    pub presentation: Presentation,
    /// The platform instance.
    pub platform: Platform,
    /// `custom_…`, without the prefix.
    pub custom: BTreeMap<String, String>,
    /// Learning information.
    pub lis: Lis,
    /// Where the grade goes.
    pub basic_outcome: Option<BasicOutcome>,
}

/// What a launch has to match.
#[derive(Debug, Clone)]
pub struct LegacyExpectation<'a> {
    /// The secret of the consumer key; `None` when the key is not known.
    pub secret: Option<&'a str>,
    /// The address the launch was posted to, as the public knows it, query included: from the
    /// configuration, never from the `Host` header.
    pub url: &'a Url,
    /// The instant.
    pub now: DateTime<Utc>,
    /// How long ago it may have been signed. Nonces are to be kept as long, and `leeway` longer.
    pub window: TimeDelta,
    /// How far the platform's clock may be ahead.
    pub leeway: TimeDelta,
}

/// Why a legacy launch was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LegacyRefusal {
    /// The form itself.
    #[error(transparent)]
    Form(#[from] FormError),
    /// A required `oauth_…` parameter is missing.
    #[error("`{0}` is missing")]
    OauthParameterMissing(&'static str),
    /// The consumer key is not known.
    #[error("the consumer key is not known")]
    ConsumerKeyUnknown,
    /// Neither HMAC-SHA1 nor HMAC-SHA256.
    #[error("the signature method is not supported")]
    SignatureMethodUnsupported,
    /// The signature does not match: another secret, or another address than configured.
    #[error("the signature does not match")]
    SignatureInvalid,
    /// `oauth_timestamp` is outside the window.
    #[error("the launch was signed {seconds} s ago")]
    TimestampOutsideWindow {
        /// How long ago; negative: in the future.
        seconds: i64,
    },
    /// No `lti_version`.
    #[error("`lti_version` is missing")]
    VersionMissing,
    /// Not `LTI-1p0`.
    #[error("the version is not `LTI-1p0`")]
    VersionUnsupported,
    /// No `lti_message_type`.
    #[error("`lti_message_type` is missing")]
    MessageTypeMissing,
    /// Another type of message.
    #[error("the type of message is not supported")]
    MessageTypeUnsupported,
    /// No `resource_link_id`.
    #[error("`resource_link_id` is missing")]
    ResourceLinkMissing,
    /// A selection request without a usable return URL.
    #[error("`content_item_return_url` is missing")]
    ContentItemReturnUrlMissing,
}

impl LegacyRefusal {
    /// A stable word for texts and counters.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Form(error) => error.code(),
            Self::OauthParameterMissing(_) => "legacy-oauth-parameter-missing",
            Self::ConsumerKeyUnknown => "legacy-consumer-key-unknown",
            Self::SignatureMethodUnsupported => "legacy-signature-method-unsupported",
            Self::SignatureInvalid => "legacy-signature-invalid",
            Self::TimestampOutsideWindow { .. } => "legacy-timestamp-outside-window",
            Self::VersionMissing => "legacy-version-missing",
            Self::VersionUnsupported => "legacy-version-unsupported",
            Self::MessageTypeMissing => "legacy-message-type-missing",
            Self::MessageTypeUnsupported => "legacy-message-type-unsupported",
            Self::ResourceLinkMissing => "legacy-resource-link-missing",
            Self::ContentItemReturnUrlMissing => "legacy-return-url-missing",
        }
    }

    /// Who has to act.
    pub const fn fault(&self) -> Fault {
        match self {
            Self::ConsumerKeyUnknown | Self::SignatureInvalid => Fault::Configuration,
            Self::SignatureMethodUnsupported
            | Self::VersionUnsupported
            | Self::MessageTypeUnsupported => Fault::Unsupported,
            _ => Fault::Peer,
        }
    }

    /// Whether the launch was found to be the platform's before it was refused.
    const fn is_authentic(&self) -> bool {
        matches!(
            self,
            Self::VersionMissing
                | Self::VersionUnsupported
                | Self::MessageTypeMissing
                | Self::MessageTypeUnsupported
                | Self::ResourceLinkMissing
                | Self::ContentItemReturnUrlMissing
        )
    }
}

/// A launch as it was posted, not yet verified.
#[derive(Clone)]
pub struct LegacyRequest {
    form: Form,
}

impl std::fmt::Debug for LegacyRequest {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("LegacyRequest").finish_non_exhaustive()
    }
}

impl LegacyRequest {
    /// Reads the body of the POST.
    pub fn parse(body: &[u8]) -> Result<Self, LegacyRefusal> {
        Ok(Self { form: Form::parse(body)? })
    }

    /// Whether the form is an LTI 1.1 message at all (and not a 1.3 launch).
    pub fn is_legacy(&self) -> bool {
        self.form.value("oauth_consumer_key").is_some()
            || self.form.value("lti_message_type").is_some()
    }

    /// To look the secret up with; unverified.
    pub fn consumer_key(&self) -> Option<&str> {
        self.form.filled("oauth_consumer_key")
    }

    /// Verifies signature, time and message, in this order.
    pub fn verify(&self, expected: &LegacyExpectation<'_>) -> Result<LegacyLaunch, LegacyRefusal> {
        let oauth = |name: &'static str| {
            self.form.filled(name).ok_or(LegacyRefusal::OauthParameterMissing(name))
        };
        let consumer_key = oauth("oauth_consumer_key")?;
        let nonce = oauth("oauth_nonce")?;
        let signature = oauth("oauth_signature")?;
        let method = SignatureMethod::parse(oauth("oauth_signature_method")?)
            .ok_or(LegacyRefusal::SignatureMethodUnsupported)?;
        let timestamp = oauth("oauth_timestamp")?
            .parse()
            .ok()
            .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
            .ok_or(LegacyRefusal::OauthParameterMissing("oauth_timestamp"))?;
        let secret = expected.secret.ok_or(LegacyRefusal::ConsumerKeyUnknown)?;
        let base = base_string("POST", expected.url, self.form.fields());
        if !signature_is_right(method, secret, &base, signature) {
            return Err(LegacyRefusal::SignatureInvalid);
        }
        let age = expected.now - timestamp;
        if age > expected.window || -age > expected.leeway {
            return Err(LegacyRefusal::TimestampOutsideWindow { seconds: age.num_seconds() });
        }
        match self.form.filled("lti_version") {
            None => return Err(LegacyRefusal::VersionMissing),
            Some("LTI-1p0") => {}
            Some(_) => return Err(LegacyRefusal::VersionUnsupported),
        }
        let message = match self.form.filled("lti_message_type") {
            None => return Err(LegacyRefusal::MessageTypeMissing),
            Some("basic-lti-launch-request") => LegacyMessage::ResourceLink(ResourceLink {
                id: self
                    .form
                    .filled("resource_link_id")
                    .ok_or(LegacyRefusal::ResourceLinkMissing)?
                    .to_owned(),
                title: self.text("resource_link_title"),
                description: self.text("resource_link_description"),
            }),
            Some("ContentItemSelectionRequest") => LegacyMessage::ContentItemSelection(
                self.content_item_settings().ok_or(LegacyRefusal::ContentItemReturnUrlMissing)?,
            ),
            Some(_) => return Err(LegacyRefusal::MessageTypeUnsupported),
        };
        Ok(self.launch(message, consumer_key, nonce, timestamp, method))
    }

    /// Where to send the user back to with a refusal (3, `launch_presentation_return_url`), if the
    /// platform gave an address **and** the launch is the platform's: a forged launch must not
    /// send anybody anywhere.
    pub fn return_url_for(&self, refusal: &LegacyRefusal, message: &str, log: &str) -> Option<Url> {
        if !refusal.is_authentic() {
            return None;
        }
        self.presentation().return_url_with(&ReturnMessage {
            is_error: true,
            message: Some(message),
            log: Some(log),
        })
    }

    fn text(&self, name: &str) -> Option<String> {
        self.form.value(name).and_then(clean)
    }

    fn address(&self, name: &str) -> Option<Url> {
        let url = Url::parse(self.form.filled(name)?.trim()).ok()?;
        (matches!(url.scheme(), "http" | "https") && url.host_str().is_some()).then_some(url)
    }

    fn list(&self, name: &str) -> Vec<String> {
        self.form
            .value(name)
            .into_iter()
            .flat_map(|list| list.split(','))
            .filter_map(clean)
            .collect()
    }

    fn presentation(&self) -> Presentation {
        let pixels = |name| self.form.filled(name).and_then(|text| text.trim().parse().ok());
        Presentation {
            target: self
                .text("launch_presentation_document_target")
                .map(|target| DocumentTarget::parse(&target)),
            width: pixels("launch_presentation_width"),
            height: pixels("launch_presentation_height"),
            return_url: self.address("launch_presentation_return_url"),
            locale: self.text("launch_presentation_locale").and_then(|text| locale(&text)),
        }
    }

    fn content_item_settings(&self) -> Option<DeepLinkingSettings> {
        let flag = |name| self.form.filled(name).map(|text| text.eq_ignore_ascii_case("true"));
        let accept_media_types = self.list("accept_media_types");
        // In 1.1 types are media types; links to tools have one of their own.
        let mut accept_types = Vec::new();
        for (media_type, name) in
            [(crate::content_item::LTI_LINK_TYPE, "ltiResourceLink"), ("text/html", "link")]
        {
            if accept_media_types.iter().any(|kind| kind == media_type || kind == "*/*") {
                accept_types.push(name.to_owned());
            }
        }
        Some(DeepLinkingSettings {
            return_url: self.address("content_item_return_url")?,
            accept_types,
            accept_media_types,
            accept_targets: self
                .list("accept_presentation_document_targets")
                .iter()
                .map(|target| DocumentTarget::parse(target))
                .collect(),
            accept_multiple: flag("accept_multiple"),
            accept_line_item: None,
            auto_create: flag("auto_create").unwrap_or(false),
            title: self.text("title"),
            text: self.text("text"),
            data: self.form.value("data").map(str::to_owned),
        })
    }

    fn launch(
        &self,
        message: LegacyMessage,
        consumer_key: &str,
        nonce: &str,
        timestamp: DateTime<Utc>,
        signature_method: SignatureMethod,
    ) -> LegacyLaunch {
        let basic_outcome = self.form.filled("lis_result_sourcedid").and_then(|sourcedid| {
            Some(BasicOutcome {
                result_sourcedid: sourcedid.to_owned(),
                service_url: self.address("lis_outcome_service_url")?,
            })
        });
        LegacyLaunch {
            message,
            consumer_key: consumer_key.to_owned(),
            nonce: nonce.to_owned(),
            timestamp,
            signature_method,
            user_id: self.form.filled("user_id").map(str::to_owned),
            user: User {
                name: self.text("lis_person_name_full"),
                given_name: self.text("lis_person_name_given"),
                family_name: self.text("lis_person_name_family"),
                email: self.text("lis_person_contact_email_primary").and_then(|text| email(&text)),
                locale: None,
                picture: self.address("user_image"),
            },
            context: self.form.filled("context_id").map(|id| Context {
                id: id.to_owned(),
                label: self.text("context_label"),
                title: self.text("context_title"),
                types: self.list("context_type"),
            }),
            roles: Roles::from_list(self.form.value("roles").unwrap_or_default()),
            presentation: self.presentation(),
            platform: Platform {
                guid: self.text("tool_consumer_instance_guid"),
                name: self.text("tool_consumer_instance_name"),
                description: self.text("tool_consumer_instance_description"),
                family: self
                    .text("tool_consumer_info_product_family_code")
                    .map(|code| code.to_lowercase()),
                version: self.text("tool_consumer_info_version"),
                url: self.address("tool_consumer_instance_url"),
                contact_email: self
                    .text("tool_consumer_instance_contact_email")
                    .and_then(|text| email(&text)),
            },
            custom: self
                .form
                .fields()
                .iter()
                .filter_map(|(name, value)| {
                    let name = name.strip_prefix("custom_")?;
                    Some((name.to_owned(), value.replace('\0', "")))
                })
                .collect(),
            lis: Lis {
                person_sourcedid: self.text("lis_person_sourcedid"),
                course_offering_sourcedid: self.text("lis_course_offering_sourcedid"),
                course_section_sourcedid: self.text("lis_course_section_sourcedid"),
            },
            basic_outcome,
        }
    }
}
