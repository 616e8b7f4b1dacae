//! From a manifest's organization to its activity tree.

use super::tree::{DataMap, Tree, TreeError, TreeItem};
use crate::manifest::{Item, Organization};

impl From<&Organization> for TreeItem {
    fn from(organization: &Organization) -> Self {
        Self {
            id: organization.identifier.clone(),
            title: organization.title.clone(),
            visible: true,
            resource: None,
            sequencing: organization.sequencing.clone(),
            completion_threshold: organization.completion_threshold,
            data_maps: Vec::new(),
            children: organization.items.iter().map(Self::from).collect(),
        }
    }
}

impl From<&Item> for TreeItem {
    fn from(item: &Item) -> Self {
        Self {
            id: item.identifier.clone(),
            title: item.title.clone(),
            visible: item.visible,
            resource: item.resource.as_ref().map(|resource| resource.identifier.clone()),
            sequencing: item.sequencing.clone(),
            completion_threshold: item.completion_threshold,
            data_maps: item
                .shared_data
                .iter()
                .map(|map| DataMap {
                    target: map.target_id.clone(),
                    read: map.read_shared_data,
                    write: map.write_shared_data,
                })
                .collect(),
            children: item.children.iter().map(Self::from).collect(),
        }
    }
}

impl Tree {
    /// The activity tree of an organization of SCORM 2004.
    pub fn of_organization(organization: &Organization) -> Result<Self, TreeError> {
        let tree = Self::new(&TreeItem::from(organization))?;
        Ok(tree.with_objectives_global_to_system(organization.objectives_global_to_system))
    }

    /// The activity tree of an organization of SCORM 1.2, or of any that is to be walked freely.
    pub fn of_organization_without_sequencing(
        organization: &Organization,
    ) -> Result<Self, TreeError> {
        Self::new(&TreeItem::from(organization).with_free_navigation())
    }
}
