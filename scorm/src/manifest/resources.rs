//! Resources: bases, files, dependencies, and where each one starts.

use std::collections::{BTreeMap, HashSet};

use super::finding::{Findings, Problem};
use super::href::{self, Correction, Inside, Target};
use super::model::{Launch, Resource, ScormType};
use super::xml::{Element, Position};
use super::{Files, MANIFEST_FILE, value};

/// The resources read so far, with what is checked once all are known.
#[derive(Default)]
pub(super) struct Resources {
    pub(super) known: BTreeMap<String, Resource>,
    dependencies: Vec<(String, String, Position)>,
    /// Paths in the package that belong to something.
    listed: HashSet<String>,
}

impl Resources {
    /// Reads the resources of a manifest and of the manifests nested in it.
    pub(super) fn read(
        &mut self,
        manifest: &Element,
        outer_base: &str,
        files: Files<'_>,
        findings: &mut Findings,
    ) {
        let base = with_base(outer_base, manifest, findings);
        for list in manifest.children_named("resources") {
            let base = with_base(&base, list, findings);
            for element in list.children_named("resource") {
                let base = with_base(&base, element, findings);
                self.resource(element, &base, files, findings);
            }
        }
        for nested in manifest.children_named("manifest") {
            self.read(nested, &base, files, findings);
        }
    }

    fn resource(
        &mut self,
        element: &Element,
        base: &str,
        files: Files<'_>,
        findings: &mut Findings,
    ) {
        let identifier = element.identifier("identifier").unwrap_or_else(|| {
            let given = format!("resource-{}", self.known.len() + 1);
            findings.add(
                element,
                Problem::IdentifierMissing { element: "resource".to_owned(), given: given.clone() },
            );
            given
        });
        if self.known.contains_key(&identifier) {
            findings.add(element, Problem::ResourceDuplicate { identifier });
            return;
        }
        let launch_reference = element.attribute("href").map(str::trim);
        let launch_reference = launch_reference
            .filter(|reference| !reference.is_empty() && fits(element, reference, findings));
        let launch = launch_reference.and_then(|reference| {
            self.launch(element, &identifier, base, reference, files, findings)
        });
        let mut listed = Vec::new();
        for file in element.children_named("file") {
            let Some(reference) = file.attribute("href") else { continue };
            if !fits(file, reference, findings) {
                continue;
            }
            let base = with_base(base, file, findings);
            if let Some(path) =
                self.file(file, &identifier, &base, reference, launch.as_ref(), files, findings)
            {
                listed.push(path);
            }
        }
        if let Some(path) = launch.as_ref().and_then(|launch| launch.path.as_ref())
            && launch.as_ref().is_some_and(|launch| launch.available)
            && !listed.contains(path)
        {
            listed.insert(0, path.clone());
        }
        self.listed.extend(listed.iter().cloned());
        for dependency in element.children_named("dependency") {
            if let Some(reference) = dependency.identifier("identifierref") {
                self.dependencies.push((identifier.clone(), reference, dependency.position));
            }
        }
        let resource = Resource {
            kind: element.identifier("type").unwrap_or_default(),
            scorm_type: scorm_type(element, &identifier, findings),
            launch,
            files: listed,
            dependencies: Vec::new(),
            persist_state: value::boolean(element, "persistState", false, findings),
            identifier: identifier.clone(),
        };
        self.known.insert(identifier, resource);
    }

    fn launch(
        &self,
        element: &Element,
        identifier: &str,
        base: &str,
        reference: &str,
        files: Files<'_>,
        findings: &mut Findings,
    ) -> Option<Launch> {
        match href::resolve(base, reference, files) {
            Target::External(href) => {
                let problem = Problem::LaunchExternal {
                    identifier: identifier.to_owned(),
                    href: href.clone(),
                };
                findings.add(element, problem);
                Some(Launch { href, path: None, available: true })
            }
            Target::Outside => {
                findings.add(element, Problem::HrefOutside { href: reference.to_owned() });
                None
            }
            Target::Inside(inside) => {
                self.report(element, base, reference, &inside, findings);
                if !inside.found {
                    findings.add(
                        element,
                        Problem::LaunchFileMissing {
                            identifier: identifier.to_owned(),
                            path: inside.path.clone(),
                        },
                    );
                }
                Some(Launch {
                    href: inside.href(),
                    available: inside.found,
                    path: Some(inside.path),
                })
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one file, its place, and where findings go")]
    fn file(
        &self,
        element: &Element,
        identifier: &str,
        base: &str,
        reference: &str,
        launch: Option<&Launch>,
        files: Files<'_>,
        findings: &mut Findings,
    ) -> Option<String> {
        match href::resolve(base, reference, files) {
            Target::External(_) => None,
            Target::Outside => {
                findings.add(element, Problem::HrefOutside { href: reference.to_owned() });
                None
            }
            Target::Inside(inside) => {
                let is_launch =
                    launch.and_then(|launch| launch.path.as_ref()) == Some(&inside.path);
                // The launch file has been reported already.
                if !is_launch {
                    self.report(element, base, reference, &inside, findings);
                }
                if inside.found {
                    return Some(inside.path);
                }
                if !is_launch {
                    let identifier = identifier.to_owned();
                    findings.add(element, Problem::FileMissing { identifier, path: inside.path });
                }
                None
            }
        }
    }

    fn report(
        &self,
        element: &Element,
        base: &str,
        reference: &str,
        inside: &Inside,
        findings: &mut Findings,
    ) {
        // Said once for a file that many resources list.
        if self.listed.contains(&inside.path) {
            return;
        }
        let (href, path) = (reference.to_owned(), inside.path.clone());
        for correction in &inside.corrections {
            let (href, path) = (href.clone(), path.clone());
            findings.add(
                element,
                match correction {
                    Correction::Backslash => Problem::HrefBackslash { href },
                    // A space or an accent as `%20` or `%C3%A9` is what the specification asks for.
                    Correction::Decoded if reference.contains('%') => continue,
                    Correction::Decoded => Problem::HrefDecoded { href, path },
                    Correction::Case => Problem::HrefCase { href, path },
                    Correction::BaseWithoutSlash => {
                        Problem::BaseWithoutSlash { base: base.to_owned() }
                    }
                },
            );
        }
    }

    /// Links the dependencies, now that every resource is known.
    pub(super) fn link(&mut self, findings: &mut Findings) {
        for (identifier, reference, position) in std::mem::take(&mut self.dependencies) {
            if !self.known.contains_key(&reference) {
                findings.add_at(position, Problem::DependencyUnknown { identifier, reference });
            } else if let Some(resource) = self.known.get_mut(&identifier) {
                resource.dependencies.push(reference);
            }
        }
    }

    /// One note about files that nothing lists. Schemas and metadata need not be listed.
    pub(super) fn report_orphans(&self, root: &Element, files: Files<'_>, findings: &mut Findings) {
        let Files::Package(index) = files else { return };
        let mut locations = HashSet::new();
        collect_locations(root, &mut locations);
        let is_orphan = |path: &str| {
            let extension = path.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
            !path.eq_ignore_ascii_case(MANIFEST_FILE)
                && !matches!(extension.as_str(), "xsd" | "dtd")
                && !locations.contains(path)
                && !self.listed.contains(path)
        };
        let orphans: Vec<&str> = index
            .entries
            .iter()
            .map(|entry| entry.path.as_str())
            .filter(|path| is_orphan(path))
            .collect();
        if !orphans.is_empty() {
            let shown: Vec<&str> = orphans.iter().take(3).copied().collect();
            let mut examples = shown.join(", ");
            if orphans.len() > shown.len() {
                examples.push_str(", …");
            }
            let count = orphans.len().to_string();
            findings.add(root, Problem::FilesOrphaned { count, examples });
        }
    }
}

fn collect_locations(element: &Element, found: &mut HashSet<String>) {
    if element.is("location") {
        let text = element.text();
        found.insert(percent_encoding::percent_decode_str(&text).decode_utf8_lossy().into_owned());
    }
    element.children.iter().for_each(|child| collect_locations(child, found));
}

/// Longer hrefs would be copied to every item and inner base.
const MOST_HREF_BYTES: usize = 4096;

fn fits(element: &Element, reference: &str, findings: &mut Findings) -> bool {
    let fits = reference.len() <= MOST_HREF_BYTES;
    if !fits {
        let length = reference.len().to_string();
        findings.add(element, Problem::HrefTooLong { length });
    }
    fits
}

fn with_base(base: &str, element: &Element, findings: &mut Findings) -> String {
    let Some(own) = element.xml_attribute("base") else { return base.to_owned() };
    let joined = href::join(base, own);
    if fits(element, &joined, findings) { joined } else { base.to_owned() }
}

fn scorm_type(element: &Element, identifier: &str, findings: &mut Findings) -> ScormType {
    // `scormtype` in 1.2, `scormType` in 2004; names are compared without regard to case.
    let Some(value) = element.attribute("scormType") else { return ScormType::Asset };
    match value.trim().to_ascii_lowercase().as_str() {
        "sco" => ScormType::Sco,
        "asset" => ScormType::Asset,
        _ => {
            let (identifier, value) = (identifier.to_owned(), value.to_owned());
            findings.add(element, Problem::ScormTypeInvalid { identifier, value });
            ScormType::Asset
        }
    }
}
