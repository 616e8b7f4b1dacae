//! The claims of a verified launch (LTI 1.3 Core 5.3 and 5.4), typed and tolerant.
//!
//! What is unknown is kept or ignored, never refused; an empty text is no text. Texts are as the
//! platform sent them (without control characters): they may contain HTML and have to be escaped
//! wherever they are shown.

mod names;
mod read;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use url::Url;

use crate::roles::Roles;

pub use names::*;
pub(crate) use read::{Verified, deep_linking, email, for_user, locale, read, resource_link, user};

/// A verified launch.
#[derive(Debug, Clone, PartialEq)]
pub struct Launch {
    /// What kind of message, with what that kind requires.
    pub message: Message,
    /// `iss`.
    pub issuer: String,
    /// The client id the token was made for.
    pub client_id: String,
    /// `deployment_id` (5.3.3). Whether it is allowed is for the caller to say.
    pub deployment_id: String,
    /// `nonce`: to be consumed, once.
    pub nonce: String,
    /// `iat`.
    pub issued_at: DateTime<Utc>,
    /// `exp`.
    pub expires_at: DateTime<Utc>,
    /// `sub`; `None` is an anonymous launch that the policy allowed (5.3.6.1).
    pub subject: Option<String>,
    /// Who they are, as far as the platform tells (5.3.6).
    pub user: User,
    /// `target_link_uri` (5.3.4); deep linking requests may lack it.
    pub target_link_uri: Option<Url>,
    /// The course or group (5.4.1), if any.
    pub context: Option<Context>,
    /// Roles (5.3.7).
    pub roles: Roles,
    /// How the launch is shown (5.4.4).
    pub presentation: Presentation,
    /// The platform instance (5.4.2).
    pub platform: Option<Platform>,
    /// Custom parameters (5.4.6), values as text. Unresolved `$Variables` stay as they are.
    pub custom: BTreeMap<String, String>,
    /// Learning information (5.4.5).
    pub lis: Lis,
    /// Users this one mentors (5.4.3).
    pub mentored: Vec<String>,
    /// Assignment and Grade Services (AGS 2.0, 3.1).
    pub ags: Option<AgsEndpoint>,
    /// Names and Role Provisioning (NRPS 2.0, 3.6.1.1).
    pub nrps: Option<NrpsEndpoint>,
    /// Course Groups service.
    pub groups: Option<GroupsEndpoint>,
    /// LTI 1.1 Basic Outcomes carried by 1.3.
    pub basic_outcome: Option<BasicOutcome>,
    /// What the user and the link were called in LTI 1.1 (migration guide 1.0). Its signature is
    /// checked by [`crate::migration::verify`].
    pub migration: Option<Migration>,
    /// Every claim, for what this structure has no field for.
    pub raw: Map<String, Value>,
}

impl Launch {
    /// The resource link, which every message but deep linking has.
    pub fn resource_link(&self) -> Option<&ResourceLink> {
        match &self.message {
            Message::ResourceLink(link) => Some(link),
            Message::SubmissionReview { resource_link, .. } => Some(resource_link),
            Message::DeepLinking(_) => None,
        }
    }

    /// The language to speak: the presentation's locale, else the user's (`fr-FR`, `en-us`).
    pub fn locale(&self) -> Option<String> {
        self.presentation.locale.clone().or_else(|| self.user.locale.clone())
    }
}

/// The kinds of message this crate accepts.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// `LtiResourceLinkRequest`: show this link.
    ResourceLink(ResourceLink),
    /// `LtiDeepLinkingRequest`: let the user choose content.
    DeepLinking(DeepLinkingSettings),
    /// `LtiSubmissionReviewRequest`: show what somebody did.
    SubmissionReview {
        /// The link the work was done in.
        resource_link: ResourceLink,
        /// Whose work.
        for_user: ForUser,
    },
}

impl Message {
    /// The value of the `message_type` claim.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ResourceLink(_) => RESOURCE_LINK_REQUEST,
            Self::DeepLinking(_) => DEEP_LINKING_REQUEST,
            Self::SubmissionReview { .. } => SUBMISSION_REVIEW_REQUEST,
        }
    }
}

/// A resource link (5.3.5).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ResourceLink {
    /// Unique in the deployment, stable.
    pub id: String,
    /// Its title.
    pub title: Option<String>,
    /// Its description.
    pub description: Option<String>,
}

/// The user's attributes; any of them may be missing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct User {
    /// `name`
    pub name: Option<String>,
    /// `given_name`
    pub given_name: Option<String>,
    /// `family_name`
    pub family_name: Option<String>,
    /// `email`, when it looks like an address. Never proof of who somebody is.
    pub email: Option<String>,
    /// `locale`, as a language tag.
    pub locale: Option<String>,
    /// `picture`
    pub picture: Option<Url>,
}

impl User {
    /// The name to show: the full name, or what can be put together.
    pub fn display_name(&self) -> Option<String> {
        if let Some(name) = &self.name {
            return Some(name.clone());
        }
        match (&self.given_name, &self.family_name) {
            (Some(given), Some(family)) => Some(format!("{given} {family}")),
            (Some(one), None) | (None, Some(one)) => Some(one.clone()),
            (None, None) => None,
        }
    }
}

/// A context (5.4.1).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Context {
    /// Unique in the deployment, stable.
    pub id: String,
    /// Short name.
    pub label: Option<String>,
    /// Full name.
    pub title: Option<String>,
    /// `type`, as sent: URIs, or short names (Moodle).
    pub types: Vec<String>,
}

impl Context {
    /// Whether some type says course offering, section or template, in a URI, a URN or short.
    pub fn is_course(&self) -> bool {
        self.types.iter().any(|text| {
            let name = text.rsplit(['#', '/', ':']).next().unwrap_or(text);
            ["CourseOffering", "CourseSection", "CourseTemplate"].contains(&name)
        })
    }
}

/// How the launch is shown (5.4.4).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Presentation {
    /// Frame, iframe or window.
    pub target: Option<DocumentTarget>,
    /// Width in pixels.
    pub width: Option<u32>,
    /// Height in pixels.
    pub height: Option<u32>,
    /// Where to send the user back to; takes `lti_msg`, `lti_errormsg`, `lti_log` …
    pub return_url: Option<Url>,
    /// Language tag (`fr`, `en-us`; underscores turned into hyphens).
    pub locale: Option<String>,
}

impl Presentation {
    /// The return URL with a message for the user and one for the platform's log (5.4.4; LTI 1.1
    /// 3: `lti_msg`, `lti_errormsg`, `lti_log`, `lti_errorlog`).
    pub fn return_url_with(&self, answer: &ReturnMessage<'_>) -> Option<Url> {
        let mut url = self.return_url.clone()?;
        let (message, log) =
            if answer.is_error { ("lti_errormsg", "lti_errorlog") } else { ("lti_msg", "lti_log") };
        if let Some(text) = answer.message {
            url.query_pairs_mut().append_pair(message, text);
        }
        if let Some(text) = answer.log {
            url.query_pairs_mut().append_pair(log, text);
        }
        Some(url)
    }
}

/// What a user brings back to the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReturnMessage<'a> {
    /// Whether something went wrong.
    pub is_error: bool,
    /// For the user.
    pub message: Option<&'a str>,
    /// For the platform's log.
    pub log: Option<&'a str>,
}

/// Where a launch or a link opens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum DocumentTarget {
    /// `frame`: replaces the page.
    Frame,
    /// `iframe`
    Iframe,
    /// `window`
    Window,
    /// `embed` (deep linking): markup in the page.
    Embed,
    /// Anything else.
    Unknown(String),
}

impl DocumentTarget {
    pub(crate) fn parse(text: &str) -> Self {
        match text {
            "frame" => Self::Frame,
            "iframe" => Self::Iframe,
            "window" => Self::Window,
            "embed" => Self::Embed,
            _ => Self::Unknown(text.to_owned()),
        }
    }
}

/// The platform instance (5.4.2).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Platform {
    /// Unique id of the instance.
    pub guid: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Its description.
    pub description: Option<String>,
    /// `product_family_code`: `moodle`, `canvas` …
    pub family: Option<String>,
    /// The product's version.
    pub version: Option<String>,
    /// Its address.
    pub url: Option<Url>,
    /// Whom to write to.
    pub contact_email: Option<String>,
}

/// Learning information services (5.4.5).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lis {
    /// The person's number in the school's records.
    pub person_sourcedid: Option<String>,
    /// The course offering's.
    pub course_offering_sourcedid: Option<String>,
    /// The section's.
    pub course_section_sourcedid: Option<String>,
}

/// Assignment and Grade Services as this launch may use them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AgsEndpoint {
    /// Scopes that may be asked for, unknown ones included.
    pub scopes: Vec<String>,
    /// The container of line items.
    pub line_items: Option<Url>,
    /// The link's own line item, when it has exactly one.
    pub line_item: Option<Url>,
}

/// Where the members are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NrpsEndpoint {
    /// `context_memberships_url`
    pub memberships: Url,
    /// `service_versions`
    pub versions: Vec<String>,
}

/// Where the groups are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupsEndpoint {
    /// `context_groups_url`
    pub groups: Url,
    /// `context_group_sets_url`
    pub group_sets: Option<Url>,
    /// `scope`
    pub scopes: Vec<String>,
}

/// A Basic Outcomes sourcedid and its service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BasicOutcome {
    /// `lis_result_sourcedid`, opaque.
    pub result_sourcedid: String,
    /// `lis_outcome_service_url`
    pub service_url: Url,
}

/// Whose submission is reviewed (Submission Review 1.0, 3.1).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ForUser {
    /// Their `sub`.
    pub user_id: String,
    /// What the platform tells about them; Moodle tells nothing.
    pub user: User,
    /// Their roles.
    pub roles: Roles,
}

/// What the platform accepts (Deep Linking 2.0, 4.4.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeepLinkingSettings {
    /// Where the answer goes.
    pub return_url: Url,
    /// `accept_types`, as sent: `ltiResourceLink`, `link`, `html`, `image`, `file` …
    pub accept_types: Vec<String>,
    /// `accept_media_types`, split.
    pub accept_media_types: Vec<String>,
    /// `accept_presentation_document_targets`
    pub accept_targets: Vec<DocumentTarget>,
    /// `accept_multiple`; `None`: not said.
    pub accept_multiple: Option<bool>,
    /// `accept_lineitem`; `None`: not said (Moodle, which accepts them).
    pub accept_line_item: Option<bool>,
    /// `auto_create`
    pub auto_create: bool,
    /// Suggested title.
    pub title: Option<String>,
    /// Suggested text.
    pub text: Option<String>,
    /// To be echoed, character for character.
    pub data: Option<String>,
}

/// LTI 1.1 identifiers of what is launched (migration guide 1.0).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Migration {
    /// `oauth_consumer_key`
    pub consumer_key: Option<String>,
    /// `oauth_consumer_key_sign`
    pub signature: Option<String>,
    /// `user_id`
    pub user_id: Option<String>,
    /// `context_id`
    pub context_id: Option<String>,
    /// `resource_link_id`
    pub resource_link_id: Option<String>,
    /// `tool_consumer_instance_guid`
    pub instance_guid: Option<String>,
}
