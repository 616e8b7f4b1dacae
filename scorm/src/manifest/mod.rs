//! The typed manifest of a SCORM package, and what is worth telling about it.
//!
//! [`read`] takes the bytes of `imsmanifest.xml` of SCORM 1.2 or 2004 (2nd, 3rd, 4th edition) and
//! returns a [`Reading`]: the [`Manifest`] with every reference, base, parameter and sequencing
//! collection resolved, and the [`Finding`]s, each with its line and what to do. It refuses only what
//! cannot be played at all. Elements are known by their local names, so wrong or missing namespaces
//! do not matter. Clauses are those of the SCORM 2004 4th edition Content Aggregation Model (CAM).

mod edition;
mod finding;
mod href;
mod metadata;
mod model;
mod organizations;
pub mod prerequisites;
mod resources;
mod sequencing;
mod value;
mod xml;

use serde::{Deserialize, Serialize};

use crate::archive::Index;

pub use finding::{Finding, Problem, Severity};
pub use metadata::{LanguageText, Metadata, read_metadata};
pub use model::{
    Edition, HiddenControl, Item, Launch, Manifest, Organization, Resource, ResourceRef, ScormType,
    SharedDataMap, TimeLimitAction,
};
pub use xml::decode;

use finding::Findings;
use resources::Resources;

/// The name of the manifest in the package.
pub const MANIFEST_FILE: &str = "imsmanifest.xml";

/// What is known of the package's files.
#[derive(Clone, Copy, Debug)]
pub enum Files<'a> {
    /// Hrefs are looked up here.
    Package(&'a Index),
    /// Nothing is known: every file is taken to exist as written.
    Assumed,
}

impl<'a> From<&'a Index> for Files<'a> {
    fn from(index: &'a Index) -> Self {
        Self::Package(index)
    }
}

/// A manifest that was read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    pub manifest: Manifest,
    /// In the order of the document.
    pub findings: Vec<Finding>,
}

/// A manifest from which nothing can be played.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    #[error("the manifest has {size} bytes, more than the {limit} allowed")]
    TooLarge { size: usize, limit: usize },
    #[error("the manifest is not text in {encoding}; save it as UTF-8")]
    NotText { encoding: String },
    #[error("the manifest's encoding `{encoding}` is not known; save it as UTF-8")]
    UnknownEncoding { encoding: String },
    #[error("line {line}, column {column}: the manifest is not well-formed XML: {problem}")]
    Malformed { problem: String, line: u32, column: u32 },
    #[error("line {line}: a document type declaration is not allowed; remove the <!DOCTYPE> line")]
    DoctypeRefused { line: u32 },
    #[error("line {line}: the entity `&{name};` is not allowed; write the character itself")]
    EntityRefused { name: String, line: u32 },
    #[error("line {line}: elements are nested more than {limit} deep")]
    TooDeep { limit: usize, line: u32 },
    #[error("the manifest has more than {limit} elements")]
    TooManyElements { limit: usize },
    #[error("the manifest has more than {limit} items")]
    TooManyItems { limit: usize },
    #[error(
        "the manifest has more than {limit} elements of sequencing, shared ones counted each time"
    )]
    TooMuchSequencing { limit: usize },
    #[error("an activity has more than {limit} conditions in its sequencing rules")]
    TooManyConditions { limit: usize },
    #[error("line {line}: items are nested more than {limit} deep")]
    ItemsTooDeep { limit: usize, line: u32 },
    #[error("the manifest starts with <{name}> instead of <manifest>; is it a SCORM package?")]
    UnknownRoot { name: String },
    #[error("nothing in the package can be launched; the findings say why")]
    NothingLaunchable { findings: Vec<Finding> },
}

impl ManifestError {
    /// The stable kebab-case name of what happened.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "manifest-too-large",
            Self::NotText { .. } => "manifest-not-text",
            Self::UnknownEncoding { .. } => "manifest-unknown-encoding",
            Self::Malformed { .. } => "manifest-malformed",
            Self::DoctypeRefused { .. } => "manifest-doctype-refused",
            Self::EntityRefused { .. } => "manifest-entity-refused",
            Self::TooDeep { .. } => "manifest-too-deep",
            Self::TooManyElements { .. } => "manifest-too-many-elements",
            Self::TooManyItems { .. } => "manifest-too-many-items",
            Self::TooMuchSequencing { .. } => "manifest-too-much-sequencing",
            Self::TooManyConditions { .. } => "manifest-too-many-conditions",
            Self::ItemsTooDeep { .. } => "manifest-items-too-deep",
            Self::UnknownRoot { .. } => "manifest-unknown-root",
            Self::NothingLaunchable { .. } => "manifest-nothing-launchable",
        }
    }

    /// The line it is about, where there is one.
    pub fn line(&self) -> Option<u32> {
        match self {
            Self::Malformed { line, .. }
            | Self::DoctypeRefused { line }
            | Self::EntityRefused { line, .. }
            | Self::TooDeep { line, .. }
            | Self::ItemsTooDeep { line, .. } => Some(*line),
            _ => None,
        }
    }
}

/// Reads the bytes of an `imsmanifest.xml`.
pub fn read<'a>(bytes: &[u8], files: impl Into<Files<'a>>) -> Result<Reading, ManifestError> {
    let files = files.into();
    let root = xml::parse(&decode(bytes)?)?;
    if !root.is("manifest") {
        return Err(ManifestError::UnknownRoot { name: root.name });
    }
    let mut findings = Findings::new();
    let edition = edition::detect(&root, &mut findings);
    let mut resources = Resources::default();
    resources.read(&root, "", files, &mut findings);
    resources.link(&mut findings);
    resources.report_orphans(&root, files, &mut findings);
    let (organizations, default_organization) =
        organizations::Reader::new(&root, edition, &mut resources, &mut findings)
            .organizations(&root)?;
    let metadata = metadata::of(&root);
    let identifier = root.identifier("identifier").unwrap_or_else(|| {
        findings.add(&root, Problem::ManifestIdentifierMissing {});
        String::new()
    });
    let title = title(&organizations, default_organization, &metadata, &identifier);
    let manifest = Manifest {
        version: root.identifier("version"),
        edition,
        title,
        metadata,
        organizations,
        default_organization,
        resources: resources.known,
        identifier,
    };
    let findings = findings.into_list();
    if organizations::is_playable(&manifest) {
        Ok(Reading { manifest, findings })
    } else {
        Err(ManifestError::NothingLaunchable { findings })
    }
}

fn title(
    organizations: &[Organization],
    default: usize,
    metadata: &Metadata,
    identifier: &str,
) -> String {
    let organization = organizations.get(default);
    let own = organization.filter(|own| own.title != own.identifier && own.title != identifier);
    let title = own.map(|organization| organization.title.clone());
    let described = metadata.titles.first().map(|title| title.text.clone());
    title
        .or(described)
        .or_else(|| organization.map(|organization| organization.title.clone()))
        .unwrap_or_else(|| identifier.to_owned())
}
