//! The typed manifest. Everything is resolved: references, bases, parameters, collections.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};

use super::metadata::Metadata;
use super::prerequisites::Prerequisites;
use crate::sequencing::definition::{CompletionThreshold, Sequencing};

/// The edition of SCORM a package is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Edition {
    Scorm12,
    Scorm2004Second,
    Scorm2004Third,
    Scorm2004Fourth,
}

impl Edition {
    /// Whether the content looks for `API_1484_11` and the manifest may sequence.
    pub const fn is_2004(self) -> bool {
        !matches!(self, Self::Scorm12)
    }

    /// As people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scorm12 => "SCORM 1.2",
            Self::Scorm2004Second => "SCORM 2004 2nd Edition",
            Self::Scorm2004Third => "SCORM 2004 3rd Edition",
            Self::Scorm2004Fourth => "SCORM 2004 4th Edition",
        }
    }
}

/// A manifest (CAM 3.4.1).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    pub identifier: String,
    pub version: Option<String>,
    pub edition: Edition,
    /// The default organization's title, else the metadata's, else the identifier.
    pub title: String,
    pub metadata: Metadata,
    /// At least one.
    pub organizations: Vec<Organization>,
    /// Position in `organizations`.
    pub default_organization: usize,
    /// By identifier.
    pub resources: BTreeMap<String, Resource>,
}

impl Manifest {
    /// The organization to deliver.
    pub fn organization(&self) -> Option<&Organization> {
        self.organizations.get(self.default_organization)
    }

    /// Every file a resource needs, its own and those of its dependencies, without repetition.
    /// Paths in the package.
    pub fn files_of(&self, resource: &str) -> Vec<&str> {
        let mut seen = HashSet::new();
        let mut files = Vec::new();
        let mut known = HashSet::new();
        let mut waiting = vec![resource];
        while let Some(identifier) = waiting.pop() {
            if !seen.insert(identifier) {
                continue;
            }
            if let Some(resource) = self.resources.get(identifier) {
                let new = resource.files.iter().map(String::as_str);
                files.extend(new.filter(|file| known.insert(*file)));
                waiting.extend(resource.dependencies.iter().rev().map(String::as_str));
            }
        }
        files
    }
}

/// An organization: the root activity (CAM 3.4.1.7).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Organization {
    pub identifier: String,
    pub title: String,
    pub structure: Option<String>,
    pub items: Vec<Item>,
    pub sequencing: Sequencing,
    /// `adlseq:objectivesGlobalToSystem`, true by default.
    pub objectives_global_to_system: bool,
    /// `adlcp:sharedDataGlobalToSystem`, true by default.
    pub shared_data_global_to_system: bool,
    /// `None` when the element is absent.
    pub completion_threshold: Option<CompletionThreshold>,
    pub metadata: Metadata,
}

impl Organization {
    /// Every item, parents before children, in document order.
    pub fn all_items(&self) -> impl Iterator<Item = &Item> {
        let mut waiting: Vec<&Item> = self.items.iter().rev().collect();
        std::iter::from_fn(move || {
            let item = waiting.pop()?;
            waiting.extend(item.children.iter().rev());
            Some(item)
        })
    }
}

/// An item: an activity (CAM 3.4.1.9).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// White space collapsed, unique in the organization.
    pub identifier: String,
    pub title: String,
    /// `isvisible`, true by default.
    pub visible: bool,
    /// As written; already joined into `resource.href`.
    pub parameters: Option<String>,
    /// What a leaf delivers.
    pub resource: Option<ResourceRef>,
    pub children: Vec<Item>,
    /// SCORM 1.2.
    pub prerequisites: Option<Prerequisites>,
    /// SCORM 1.2, 0 to 100.
    pub mastery_score: Option<f64>,
    /// SCORM 1.2, a CMITimespan as written.
    pub max_time_allowed: Option<String>,
    pub time_limit_action: Option<TimeLimitAction>,
    /// `adlcp:dataFromLMS`, as written.
    pub data_from_lms: Option<String>,
    /// `None` when the element is absent. The text form of the 2nd and 3rd edition reads as
    /// `completed_by_measure` with that minimum (RTE 4.2.5).
    pub completion_threshold: Option<CompletionThreshold>,
    /// Controls the platform must not show while this item is delivered (CAM 5.2.1).
    pub hide_lms_ui: Vec<HiddenControl>,
    /// `adlcp:data` (CAM 3.4.1.18).
    pub shared_data: Vec<SharedDataMap>,
    pub sequencing: Sequencing,
    pub metadata: Metadata,
}

/// The vocabulary of `timeLimitAction` (CAM 3.4.1.13).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TimeLimitAction {
    #[serde(rename = "exit,message")]
    ExitMessage,
    #[serde(rename = "exit,no message")]
    ExitNoMessage,
    #[serde(rename = "continue,message")]
    ContinueMessage,
    #[serde(rename = "continue,no message")]
    ContinueNoMessage,
}

impl TimeLimitAction {
    /// The token of manifest and data model.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ExitMessage => "exit,message",
            Self::ExitNoMessage => "exit,no message",
            Self::ContinueMessage => "continue,message",
            Self::ContinueNoMessage => "continue,no message",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase().replace(", ", ",");
        [Self::ExitMessage, Self::ExitNoMessage, Self::ContinueMessage, Self::ContinueNoMessage]
            .into_iter()
            .find(|action| action.as_str() == text)
    }
}

/// The vocabulary of `hideLMSUI` (CAM 5.2.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum HiddenControl {
    Previous,
    Continue,
    Exit,
    ExitAll,
    Abandon,
    AbandonAll,
    SuspendAll,
}

impl HiddenControl {
    pub(super) fn parse(text: &str) -> Option<Self> {
        Some(match text.to_ascii_lowercase().as_str() {
            "previous" => Self::Previous,
            "continue" => Self::Continue,
            "exit" => Self::Exit,
            "exitall" => Self::ExitAll,
            "abandon" => Self::Abandon,
            "abandonall" => Self::AbandonAll,
            "suspendall" => Self::SuspendAll,
            _ => return None,
        })
    }
}

/// One `adlcp:map` (CAM 3.4.1.19).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedDataMap {
    pub target_id: String,
    pub read_shared_data: bool,
    pub write_shared_data: bool,
}

/// Whether a resource talks to the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScormType {
    Sco,
    Asset,
}

/// What an item launches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceRef {
    /// Key of [`Manifest::resources`]; see [`Manifest::files_of`] for the files.
    pub identifier: String,
    pub scorm_type: ScormType,
    /// URL relative to the package root (or absolute when external), percent-encoded, with query,
    /// parameters and fragment joined (CAM 3.4.3.3).
    pub href: String,
    /// False when the package does not hold the file.
    pub available: bool,
}

/// A resource (CAM 3.4.1.21).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    pub identifier: String,
    /// The `type` attribute, usually `webcontent`.
    pub kind: String,
    pub scorm_type: ScormType,
    /// `None` when it cannot be launched.
    pub launch: Option<Launch>,
    /// Paths in the package, as found there; missing ones are left out.
    pub files: Vec<String>,
    /// Identifiers of resources that exist.
    pub dependencies: Vec<String>,
    /// `adlcp:persistState` (2nd edition).
    pub persist_state: bool,
}

/// Where a resource starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Launch {
    /// As [`ResourceRef::href`], without an item's parameters.
    pub href: String,
    /// The entry in the package; `None` when external.
    pub path: Option<String>,
    pub available: bool,
}
