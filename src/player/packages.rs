//! The packages that are being played, read once from the database and kept in memory.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use scorm::manifest::{Item, Manifest};
use scorm::runtime::Edition;
use scorm::sequencing::{ActivityIndex, Tree, TreeError};

use crate::app::App;
use crate::courses::{self, Archive};
use crate::db;
use crate::ids::{CourseVersionId, EnrolmentId};

/// So many packages are kept; a manifest and index are some hundred kilobytes.
const KEPT: usize = 256;
/// So many hosts are remembered; each is some hundred bytes.
const KEPT_LABELS: usize = 100_000;

/// One course version, ready to be played.
#[derive(Debug)]
pub struct Package {
    pub id: CourseVersionId,
    /// The blob the zip is in.
    pub blob: String,
    pub archive: Archive,
    pub edition: Edition,
    pub tree: Tree,
    /// The shared data stores that belong to the learner; none where the package keeps them to
    /// its attempt.
    pub data_targets: BTreeSet<String>,
    /// By [`ActivityIndex::position`].
    items: Vec<Option<Item>>,
}

#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    #[error("the package has no organization to play")]
    NoOrganization,
    #[error("the package's activities do not make a tree")]
    Tree(#[from] TreeError),
    #[error(transparent)]
    Database(#[from] db::Error),
}

/// Packages by version. They never change, so they are never out of date.
#[derive(Debug, Default)]
pub struct Packages {
    known: Mutex<HashMap<CourseVersionId, Arc<Package>>>,
    /// Which version a content host plays: every file of a page asks.
    labels: Mutex<HashMap<String, (EnrolmentId, CourseVersionId)>>,
}

impl Packages {
    pub(super) fn label(&self, label: &str) -> Option<(EnrolmentId, CourseVersionId)> {
        self.labels.lock().unwrap_or_else(PoisonError::into_inner).get(label).copied()
    }

    pub(super) fn remember_label(&self, label: &str, of: EnrolmentId, plays: CourseVersionId) {
        let mut labels = self.labels.lock().unwrap_or_else(PoisonError::into_inner);
        if labels.len() >= KEPT_LABELS {
            labels.clear();
        }
        labels.insert(label.to_owned(), (of, plays));
    }

    /// A label that was revoked, or an attempt on another version: asked anew.
    pub fn forget_label(&self, label: &str) {
        self.labels.lock().unwrap_or_else(PoisonError::into_inner).remove(label);
    }

    pub async fn load(&self, app: &App, id: CourseVersionId) -> Result<Arc<Package>, PackageError> {
        let known = |this: &Self| {
            this.known.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
        };
        if let Some(package) = known(self) {
            return Ok(package);
        }
        let stored = {
            let mut tx = app.db.read().await?;
            courses::package(&mut tx, id).await?
        };
        let package =
            Arc::new(Package::build(id, stored.package, stored.archive.0, &stored.manifest.0)?);
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= KEPT {
            all.clear();
        }
        all.insert(id, package.clone());
        Ok(package)
    }
}

impl Package {
    fn build(
        id: CourseVersionId,
        blob: String,
        archive: Archive,
        manifest: &Manifest,
    ) -> Result<Self, PackageError> {
        let organization = manifest.organization().ok_or(PackageError::NoOrganization)?;
        let (edition, tree) = if manifest.edition.is_2004() {
            (Edition::V2004, Tree::of_organization(organization)?)
        } else {
            (Edition::V12, Tree::of_organization_without_sequencing(organization)?)
        };
        let mut items = vec![None; tree.len()];
        for item in organization.all_items() {
            let place = tree.find(&item.identifier).and_then(|at| items.get_mut(at.position()));
            if let Some(place) = place {
                *place = Some(Item { children: Vec::new(), ..item.clone() });
            }
        }
        let data_targets = if organization.shared_data_global_to_system {
            let maps = tree.activities().flat_map(|activity| tree.data_maps(activity));
            maps.map(|map| map.target.clone()).collect()
        } else {
            BTreeSet::new()
        };
        Ok(Self { id, blob, archive, edition, tree, data_targets, items })
    }

    /// Whether activities share data with the learner's other courses.
    pub fn shares_data(&self) -> bool {
        !self.data_targets.is_empty()
    }

    /// What the manifest says of an activity; `None` for the organization itself.
    pub fn item(&self, activity: ActivityIndex) -> Option<&Item> {
        self.items.get(activity.position())?.as_ref()
    }

    /// Where an activity starts, relative to the package's root.
    pub fn href(&self, activity: ActivityIndex) -> Option<&str> {
        let resource = self.item(activity)?.resource.as_ref()?;
        Some(resource.href.as_str())
    }
}
