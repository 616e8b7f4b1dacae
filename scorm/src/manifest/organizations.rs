//! Organizations and their items.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::finding::{Findings, Problem};
use super::href;
use super::model::{
    Edition, HiddenControl, Item, Launch, Manifest, Organization, ResourceRef, ScormType,
    SharedDataMap, TimeLimitAction,
};
use super::prerequisites::{self, Prerequisites};
use super::resources::Resources;
use super::sequencing::{self, Collection, MOST_SEQUENCING};
use super::xml::{Element, Position};
use super::{ManifestError, metadata, value};
use crate::archive::media_type;
use crate::sequencing::definition::{CompletionThreshold, Sequencing};

const MOST_ITEMS: usize = 20_000;
/// How often one nested manifest may be merged.
const MOST_MERGES: usize = 4;
/// Deeper trees would not survive being stored as JSON, and no learner would find anything.
const MOST_ITEM_DEPTH: usize = 24;

pub(super) struct Reader<'a> {
    pub(super) edition: Edition,
    pub(super) resources: &'a mut Resources,
    pub(super) findings: &'a mut Findings,
    collection: Collection<'a>,
    /// Nested manifests by identifier.
    nested: HashMap<String, &'a Element>,
    /// The nested manifests being merged right now.
    merging: Vec<String>,
    merges: HashMap<String, usize>,
    items: usize,
    sequencing_budget: usize,
    /// Identifiers taken in the current organization.
    taken: HashSet<String>,
    /// Resources without anything to launch.
    unlaunchable: HashSet<String>,
    /// Where each prerequisites element of the current organization stands, by item.
    scripts: BTreeMap<String, Position>,
    /// The sequencing of SCORM 1.2 is reported once.
    told_sequencing: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        root: &'a Element,
        edition: Edition,
        resources: &'a mut Resources,
        findings: &'a mut Findings,
    ) -> Self {
        let mut collection = Collection::new();
        sequencing::collection(root, &mut collection);
        let mut nested = HashMap::new();
        collect_nested(root, &mut nested);
        Self {
            edition,
            resources,
            findings,
            collection,
            nested,
            merging: Vec::new(),
            merges: HashMap::new(),
            items: 0,
            sequencing_budget: MOST_SEQUENCING,
            taken: HashSet::new(),
            unlaunchable: HashSet::new(),
            scripts: BTreeMap::new(),
            told_sequencing: false,
        }
    }

    /// All organizations, and which one is the default.
    pub(super) fn organizations(
        &mut self,
        root: &'a Element,
    ) -> Result<(Vec<Organization>, usize), ManifestError> {
        let mut read = Vec::new();
        let lists: Vec<&Element> = root.children_named("organizations").collect();
        for element in lists.iter().flat_map(|list| list.children_named("organization")) {
            let organization = self.organization(element, read.len() + 1)?;
            read.push((organization, element.position));
        }
        if read.is_empty() {
            self.findings.add(root, Problem::OrganizationsMissing {});
            return Ok((self.course_of_resources(root), 0));
        }
        let playable = |organization: &Organization| {
            organization
                .all_items()
                .any(|item| item.resource.as_ref().is_some_and(|resource| resource.available))
        };
        for (organization, position) in &read {
            if !organization.all_items().any(|item| item.resource.is_some()) {
                let identifier = organization.identifier.clone();
                self.findings.add_at(*position, Problem::OrganizationEmpty { identifier });
            }
        }
        // The first one with something to play stands in for a missing or broken default.
        let fallback =
            read.iter().position(|(organization, _)| playable(organization)).unwrap_or(0);
        let used = read.get(fallback).map(|(first, _)| first.identifier.clone());
        let used = used.unwrap_or_default();
        let list = lists.first().copied().unwrap_or(root);
        let default = match list.identifier("default") {
            None => {
                self.findings.add(list, Problem::DefaultOrganizationMissing { used });
                fallback
            }
            Some(named) => read
                .iter()
                .position(|(organization, _)| organization.identifier == named)
                .unwrap_or_else(|| {
                    let problem = Problem::DefaultOrganizationUnknown { named, used };
                    self.findings.add(list, problem);
                    fallback
                }),
        };
        let organizations: Vec<Organization> =
            read.into_iter().map(|(organization, _)| organization).collect();
        let default_plays = organizations.get(default).is_some_and(playable);
        Ok((organizations, if default_plays { default } else { fallback }))
    }

    fn organization(
        &mut self,
        element: &'a Element,
        number: usize,
    ) -> Result<Organization, ManifestError> {
        self.taken.clear();
        self.scripts.clear();
        let identifier = element.identifier("identifier").unwrap_or_else(|| {
            let given = format!("organization-{number}");
            let problem = Problem::IdentifierMissing {
                element: "organization".to_owned(),
                given: given.clone(),
            };
            self.findings.add(element, problem);
            given
        });
        let title = self.title(element, &identifier);
        let mut items = Vec::new();
        for item in element.children_named("item") {
            items.push(self.item(item, 1)?);
        }
        let flag = |name, findings: &mut Findings| value::boolean(element, name, true, findings);
        let sequencing = self.sequencing(element)?;
        sequencing::charge(&sequencing, items.len(), &mut self.sequencing_budget)?;
        let mut organization = Organization {
            title,
            structure: element.identifier("structure"),
            items,
            sequencing,
            objectives_global_to_system: flag("objectivesGlobalToSystem", self.findings),
            shared_data_global_to_system: flag("sharedDataGlobalToSystem", self.findings),
            completion_threshold: self.completion_threshold(element),
            metadata: metadata::of(element),
            identifier,
        };
        self.check_prerequisites(&mut organization);
        Ok(organization)
    }

    fn title(&mut self, element: &Element, identifier: &str) -> String {
        let title = element.child("title").map(title_text).unwrap_or_default();
        if !title.is_empty() {
            return title;
        }
        let (element_name, identifier) = (element.name.clone(), identifier.to_owned());
        let problem =
            Problem::TitleMissing { element: element_name, identifier: identifier.clone() };
        self.findings.add(element, problem);
        identifier
    }

    fn item(&mut self, element: &'a Element, depth: usize) -> Result<Item, ManifestError> {
        self.items += 1;
        if self.items > MOST_ITEMS {
            return Err(ManifestError::TooManyItems { limit: MOST_ITEMS });
        }
        if depth > MOST_ITEM_DEPTH {
            let line = element.position.line;
            return Err(ManifestError::ItemsTooDeep { limit: MOST_ITEM_DEPTH, line });
        }
        let identifier = self.item_identifier(element);
        let title = self.title(element, &identifier);
        let mut children = Vec::new();
        for child in element.children_named("item") {
            children.push(self.item(child, depth + 1)?);
        }
        let mut sequencing = self.sequencing(element)?;
        let reference = element.identifier("identifierref");
        let mut resource = None;
        if let Some(reference) = reference {
            if self.resources.known.contains_key(&reference) {
                resource = self.launch(element, &reference);
            } else if let Some(nested) = self.nested.get(&reference).copied() {
                if let Some(organization) = self.enter(element, &reference, nested) {
                    for child in organization.children_named("item") {
                        children.push(self.item(child, depth + 1)?);
                    }
                    if element.child("sequencing").is_none() {
                        sequencing = self.sequencing(organization)?;
                    }
                    self.merging.pop();
                }
            } else {
                let problem =
                    Problem::ItemResourceUnknown { identifier: identifier.clone(), reference };
                self.findings.add(element, problem);
            }
        } else if children.is_empty() {
            let identifier = identifier.clone();
            self.findings.add(element, Problem::ItemEmpty { identifier });
        }
        sequencing::charge(&sequencing, children.len(), &mut self.sequencing_budget)?;
        // CAM 3.4.1.9: in 2004 only leaves reference resources; 1.2 players launch both.
        if self.edition.is_2004() && !children.is_empty() && resource.take().is_some() {
            let identifier = identifier.clone();
            self.findings.add(element, Problem::ItemResourceOnCluster { identifier });
        }
        let prerequisites = self.prerequisites(element, &identifier);
        let text = |name: &str| element.child(name).map(Element::text).filter(|t| !t.is_empty());
        let mastery = element.child("masteryscore");
        let action = element.child("timelimitaction");
        Ok(Item {
            title,
            visible: value::boolean(element, "isvisible", true, self.findings),
            parameters: element.attribute("parameters").map(str::to_owned),
            resource,
            children,
            prerequisites,
            mastery_score: mastery
                .and_then(|element| value::decimal_text(element, 0.0..=100.0, self.findings)),
            max_time_allowed: text("maxtimeallowed"),
            time_limit_action: action.and_then(|element| {
                value::text_token(element, TimeLimitAction::parse, self.findings)
            }),
            data_from_lms: element.child("datafromlms").map(|data| data.raw_text().to_owned()),
            completion_threshold: self.completion_threshold(element),
            hide_lms_ui: self.hidden_controls(element),
            shared_data: self.shared_data(element),
            sequencing,
            metadata: metadata::of(element),
            identifier,
        })
    }

    fn item_identifier(&mut self, element: &Element) -> String {
        let written = element.identifier("identifier");
        let wanted = written.clone().unwrap_or_else(|| format!("item-{}", self.items));
        let mut given = wanted.clone();
        let mut number = 1;
        while !self.taken.insert(given.clone()) {
            // Growing steps: identifiers made to collide cost a few rounds, not thousands.
            number *= 2;
            given = format!("{wanted}-{}", self.items + number);
        }
        match written {
            None => {
                let problem =
                    Problem::IdentifierMissing { element: "item".to_owned(), given: given.clone() };
                self.findings.add(element, problem);
            }
            Some(identifier) if identifier != given => {
                let given = given.clone();
                self.findings.add(element, Problem::IdentifierDuplicate { identifier, given });
            }
            Some(_) => {}
        }
        given
    }

    /// The organization of a nested manifest that an item stands for; `None` when it is being merged
    /// already or has none. The caller pops `merging`.
    fn enter(
        &mut self,
        element: &Element,
        reference: &str,
        nested: &'a Element,
    ) -> Option<&'a Element> {
        let identifier = reference.to_owned();
        if self.merging.iter().any(|open| open == reference) {
            self.findings.add(element, Problem::SubManifestLoop { identifier });
            return None;
        }
        let merges = self.merges.entry(identifier.clone()).or_default();
        *merges += 1;
        if *merges > MOST_MERGES {
            self.findings.add(element, Problem::SubManifestRepeated { identifier });
            return None;
        }
        let list = nested.child("organizations")?;
        let default = list.identifier("default");
        let named = list
            .children
            .iter()
            .filter(|child| child.is("organization"))
            .find(|child| child.identifier("identifier") == default);
        let organization =
            named.or_else(|| list.children.iter().find(|child| child.is("organization")))?;
        self.findings.add(element, Problem::SubManifest { identifier: identifier.clone() });
        self.merging.push(identifier);
        Some(organization)
    }

    /// What the item launches, its parameters joined (CAM 3.4.3.3).
    fn launch(&mut self, element: &Element, reference: &str) -> Option<ResourceRef> {
        let resource = self.resources.known.get_mut(reference)?;
        if resource.launch.is_none() {
            let is_page = |path: &&String| media_type(path).starts_with("text/html");
            let identifier = reference.to_owned();
            // Looked for once, however many items want it.
            let page = if self.unlaunchable.contains(reference) {
                None
            } else {
                resource.files.iter().find(is_page)
            };
            let Some(path) = page.cloned() else {
                self.unlaunchable.insert(identifier.clone());
                self.findings.add(element, Problem::LaunchMissing { identifier });
                return None;
            };
            let problem = Problem::LaunchGuessed { identifier, path: path.clone() };
            self.findings.add(element, problem);
            let href = href::of_path(&path);
            resource.launch = Some(Launch { href, path: Some(path), available: true });
        }
        let launch = resource.launch.as_ref()?;
        let parameters = element.attribute("parameters").unwrap_or_default();
        let href = href::with_parameters(&launch.href, parameters).unwrap_or_else(|href| {
            let (parameters, href_shown) = (parameters.to_owned(), href.clone());
            let problem = Problem::ParametersDiscarded { parameters, href: href_shown };
            self.findings.add(element, problem);
            href
        });
        Some(ResourceRef {
            identifier: reference.to_owned(),
            scorm_type: resource.scorm_type,
            href,
            available: launch.available,
        })
    }

    fn sequencing(&mut self, element: &Element) -> Result<Sequencing, ManifestError> {
        if self.edition.is_2004() {
            let budget = &mut self.sequencing_budget;
            return sequencing::of(element, &self.collection, budget, self.findings)
                .ok_or(ManifestError::TooMuchSequencing { limit: MOST_SEQUENCING });
        }
        if let Some(ignored) = element.child("sequencing")
            && !self.told_sequencing
        {
            self.told_sequencing = true;
            let edition = self.edition.name().to_owned();
            self.findings.add(ignored, Problem::SequencingIgnored { edition });
        }
        Ok(Sequencing::default())
    }

    /// CAM 3.4.1.15: the attributes of the 4th edition, or the text of the 2nd and 3rd.
    fn completion_threshold(&mut self, parent: &Element) -> Option<CompletionThreshold> {
        let element = parent.child("completionThreshold")?;
        let default = CompletionThreshold::default();
        let attributes = ["completedByMeasure", "minProgressMeasure", "progressWeight"];
        if attributes.iter().any(|name| element.attribute(name).is_some()) {
            let mut share =
                |name, default| value::decimal(element, name, 0.0..=1.0, default, self.findings);
            return Some(CompletionThreshold {
                min_progress_measure: share("minProgressMeasure", default.min_progress_measure),
                progress_weight: share("progressWeight", default.progress_weight),
                completed_by_measure: value::boolean(
                    element,
                    "completedByMeasure",
                    false,
                    self.findings,
                ),
            });
        }
        let minimum = value::decimal_text(element, 0.0..=1.0, self.findings);
        Some(minimum.map_or(default, |min_progress_measure| CompletionThreshold {
            completed_by_measure: true,
            min_progress_measure,
            ..default
        }))
    }

    /// CAM 5.2.1.
    fn hidden_controls(&mut self, element: &Element) -> Vec<HiddenControl> {
        let mut hidden = Vec::new();
        let interfaces = element
            .children_named("presentation")
            .flat_map(|presentation| presentation.children_named("navigationInterface"));
        for control in interfaces.flat_map(|interface| interface.children_named("hideLMSUI")) {
            let parsed = value::text_token(control, HiddenControl::parse, self.findings);
            if let Some(control) = parsed
                && !hidden.contains(&control)
            {
                hidden.push(control);
            }
        }
        hidden
    }

    /// CAM 3.4.1.18 and 3.4.1.19.
    fn shared_data(&mut self, element: &Element) -> Vec<SharedDataMap> {
        let mut maps: Vec<SharedDataMap> = Vec::new();
        for map in element.children_named("data").flat_map(|data| data.children_named("map")) {
            let Some(target_id) = map.uri_identifier("targetID") else {
                self.findings.add(map, Problem::SharedDataTargetMissing {});
                continue;
            };
            maps.push(SharedDataMap {
                target_id,
                read_shared_data: value::boolean(map, "readSharedData", true, self.findings),
                write_shared_data: value::boolean(map, "writeSharedData", true, self.findings),
            });
        }
        maps
    }

    fn prerequisites(&mut self, item: &Element, identifier: &str) -> Option<Prerequisites> {
        let element = item.child("prerequisites").filter(|_| !self.edition.is_2004())?;
        let script = element.text();
        if script.is_empty() {
            return None;
        }
        if let Some(kind) = element.attribute("type")
            && !kind.trim().eq_ignore_ascii_case("aicc_script")
        {
            let value = kind.to_owned();
            self.findings.add(element, Problem::PrerequisitesType { value });
        }
        let expression = match prerequisites::parse(&script) {
            Ok(parsed) => {
                if parsed.words {
                    let script = script.clone();
                    self.findings.add(element, Problem::PrerequisitesWords { script });
                }
                parsed.expression
            }
            Err(error) => {
                let (script, reason) = (script.clone(), error.to_string());
                self.findings.add(element, Problem::PrerequisitesInvalid { script, reason });
                None
            }
        };
        self.scripts.insert(identifier.to_owned(), element.position);
        Some(Prerequisites { script, expression })
    }

    /// Opens the items whose prerequisites could never hold: unknown identifiers and circles.
    fn check_prerequisites(&mut self, organization: &mut Organization) {
        if self.scripts.is_empty() {
            return;
        }
        let mut opened: HashSet<String> = HashSet::new();
        let mut waits: Vec<(&str, BTreeSet<&str>)> = Vec::new();
        for item in organization.all_items() {
            let Some(prerequisites) = &item.prerequisites else { continue };
            let Some(expression) = &prerequisites.expression else { continue };
            let named = expression.identifiers();
            let position = self.scripts.get(&item.identifier).copied().unwrap_or_default();
            if let Some(unknown) = named.iter().find(|named| !self.taken.contains(**named)) {
                let (script, identifier) = (prerequisites.script.clone(), (*unknown).to_owned());
                let problem = Problem::PrerequisitesUnknownItem { script, identifier };
                self.findings.add_at(position, problem);
                opened.insert(item.identifier.clone());
            } else {
                waits.push((&item.identifier, named));
            }
        }
        for circle in prerequisites::cycles(&waits) {
            let Some(last) = circle.last() else { continue };
            let position = self.scripts.get(last).copied().unwrap_or_default();
            let identifiers = circle.join(", ");
            self.findings.add_at(position, Problem::PrerequisitesCycle { identifiers });
            opened.insert(last.clone());
        }
        open(&mut organization.items, &opened);
    }

    /// A course out of a package without organizations: each SCO, or else each launchable resource.
    fn course_of_resources(&mut self, root: &Element) -> Vec<Organization> {
        let launchable: Vec<(&String, &Launch, ScormType)> = self
            .resources
            .known
            .values()
            .filter_map(|resource| {
                let launch = resource.launch.as_ref()?;
                launch.available.then_some((&resource.identifier, launch, resource.scorm_type))
            })
            .collect();
        let any_sco = launchable.iter().any(|(.., kind)| *kind == ScormType::Sco);
        let items = launchable
            .into_iter()
            .filter(|(.., kind)| !any_sco || *kind == ScormType::Sco)
            .take(MOST_ITEMS)
            .map(|(identifier, launch, scorm_type)| {
                let mut item = empty_item(identifier);
                item.resource = Some(ResourceRef {
                    identifier: identifier.clone(),
                    scorm_type,
                    href: launch.href.clone(),
                    available: true,
                });
                item
            })
            .collect();
        let identifier = "organization-1".to_owned();
        let title = root.identifier("identifier").unwrap_or_else(|| identifier.clone());
        let mut sequencing = Sequencing::default();
        sequencing.control_mode.flow = true;
        vec![Organization {
            identifier,
            title,
            structure: None,
            items,
            sequencing,
            objectives_global_to_system: true,
            shared_data_global_to_system: true,
            completion_threshold: None,
            metadata: metadata::Metadata::default(),
        }]
    }
}

fn empty_item(identifier: &str) -> Item {
    Item {
        identifier: identifier.to_owned(),
        title: identifier.to_owned(),
        visible: true,
        parameters: None,
        resource: None,
        children: Vec::new(),
        prerequisites: None,
        mastery_score: None,
        max_time_allowed: None,
        time_limit_action: None,
        data_from_lms: None,
        completion_threshold: None,
        hide_lms_ui: Vec::new(),
        shared_data: Vec::new(),
        sequencing: Sequencing::default(),
        metadata: metadata::Metadata::default(),
    }
}

/// The title's text; some tools wrap it in a `langstring`.
fn title_text(element: &Element) -> String {
    let own = element.text();
    if own.is_empty() {
        element.children.first().map(Element::text).unwrap_or_default()
    } else {
        own
    }
}

fn open(items: &mut [Item], opened: &HashSet<String>) {
    for item in items {
        if opened.contains(&item.identifier)
            && let Some(prerequisites) = &mut item.prerequisites
        {
            prerequisites.expression = None;
        }
        open(&mut item.children, opened);
    }
}

fn collect_nested<'a>(manifest: &'a Element, found: &mut HashMap<String, &'a Element>) {
    for nested in manifest.children_named("manifest") {
        if let Some(identifier) = nested.identifier("identifier") {
            found.entry(identifier).or_insert(nested);
        }
        collect_nested(nested, found);
    }
}

/// Whether anything of the manifest can be delivered.
pub(super) fn is_playable(manifest: &Manifest) -> bool {
    manifest
        .organizations
        .iter()
        .flat_map(Organization::all_items)
        .any(|item| item.resource.as_ref().is_some_and(|resource| resource.available))
}
