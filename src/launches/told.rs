//! What a launch tells, whichever version of LTI told it: what the transaction of a launch reads.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use lti::claims::{
    self, AgsEndpoint, BasicOutcome, Context, GroupsEndpoint, Message, NrpsEndpoint, Platform,
    Presentation, ResourceLink, User,
};
use lti::legacy::{LegacyLaunch, LegacyMessage};
use lti::oauth1::SignatureMethod;
use lti::roles::Roles;
use url::Url;

use super::legacy::WINDOW;
use crate::platforms::services;

/// A verified launch. Its fields have the names, and the meaning, of [`claims::Launch`].
#[derive(Clone, Debug)]
pub struct LaunchTold {
    pub message: Message,
    /// `None` in LTI 1.1, which knows no deployments.
    pub deployment_id: Option<String>,
    /// To be spent once within the registration.
    pub nonce: String,
    /// When nobody could send it once more.
    pub expires_at: DateTime<Utc>,
    pub subject: Option<String>,
    pub user: User,
    pub target_link_uri: Option<Url>,
    pub context: Option<Context>,
    pub roles: Roles,
    pub presentation: Presentation,
    pub platform: Option<Platform>,
    pub custom: BTreeMap<String, String>,
    pub ags: Option<AgsEndpoint>,
    pub nrps: Option<NrpsEndpoint>,
    pub groups: Option<GroupsEndpoint>,
    pub basic_outcome: Option<BasicOutcome>,
    /// How an LTI 1.1 consumer signs: what goes back to it is signed alike.
    pub signature_method: Option<SignatureMethod>,
}

impl LaunchTold {
    /// The link that was opened; a request to choose content has none.
    pub fn resource_link(&self) -> Option<&ResourceLink> {
        match &self.message {
            Message::ResourceLink(link) => Some(link),
            Message::SubmissionReview { resource_link, .. } => Some(resource_link),
            Message::DeepLinking(_) => None,
        }
    }

    /// What it tells of the platform's services.
    pub fn services(&self) -> services::Told<'_> {
        services::Told {
            platform: self.platform.as_ref(),
            grades: self.ags.as_ref(),
            names: self.nrps.as_ref(),
            groups: self.groups.as_ref(),
        }
    }

    /// The language to speak: the presentation's, else the person's.
    pub fn locale(&self) -> Option<String> {
        self.presentation.locale.clone().or_else(|| self.user.locale.clone())
    }
}

impl From<claims::Launch> for LaunchTold {
    fn from(launch: claims::Launch) -> Self {
        Self {
            message: launch.message,
            deployment_id: Some(launch.deployment_id),
            nonce: launch.nonce,
            expires_at: launch.expires_at,
            subject: launch.subject,
            user: launch.user,
            target_link_uri: launch.target_link_uri,
            context: launch.context,
            roles: launch.roles,
            presentation: launch.presentation,
            platform: launch.platform,
            custom: launch.custom,
            ags: launch.ags,
            nrps: launch.nrps,
            groups: launch.groups,
            basic_outcome: launch.basic_outcome,
            signature_method: None,
        }
    }
}

impl From<LegacyLaunch> for LaunchTold {
    fn from(launch: LegacyLaunch) -> Self {
        Self {
            message: match launch.message {
                LegacyMessage::ResourceLink(link) => Message::ResourceLink(link),
                LegacyMessage::ContentItemSelection(settings) => Message::DeepLinking(settings),
            },
            deployment_id: None,
            // A nonce is unique among those of the same instant (RFC 5849, 3.3).
            nonce: format!("{}\n{}", launch.timestamp.timestamp(), launch.nonce),
            expires_at: launch.timestamp + WINDOW,
            subject: launch.user_id,
            user: launch.user,
            target_link_uri: None,
            context: launch.context,
            roles: launch.roles,
            presentation: launch.presentation,
            platform: Some(launch.platform),
            custom: launch.custom,
            ags: None,
            nrps: None,
            groups: None,
            basic_outcome: launch.basic_outcome,
            signature_method: Some(launch.signature_method),
        }
    }
}
