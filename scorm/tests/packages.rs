//! Real packages, read whole: archive, index, manifest, findings.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use scorm::archive::{Archive, Index, Limits, read_entry};
use scorm::manifest::prerequisites::Status;
use scorm::manifest::{
    Edition, Files, HiddenControl, Item, ManifestError, Organization, Reading, ScormType,
    TimeLimitAction, decode, read, read_metadata,
};
use scorm::sequencing::definition::{Condition, RuleAction, RuleKind};

fn packages() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/packages")
}

fn open(path: &Path) -> (Vec<u8>, Index, Vec<u8>) {
    let bytes = fs::read(path).unwrap();
    let index = Archive::inspect(Cursor::new(&bytes), &Limits::default()).unwrap();
    let manifest = read_entry(Cursor::new(&bytes), index.manifest().unwrap(), 20 << 20).unwrap();
    (bytes, index, manifest)
}

fn package(name: &str) -> Result<Reading, ManifestError> {
    let (_, index, manifest) = open(&packages().join(name));
    let reading = read(&manifest, &index);
    if let Ok(reading) = &reading {
        let stored = serde_json::to_string(reading).unwrap();
        assert_eq!(&serde_json::from_str::<Reading>(&stored).unwrap(), reading, "{name}");
    }
    reading
}

/// The manifest of a package whose content files were left out of the fixture.
fn manifest_only(name: &str) -> Reading {
    let (_, _, manifest) = open(&packages().join(name));
    read(&manifest, Files::Assumed).unwrap()
}

fn organization(reading: &Reading) -> &Organization {
    reading.manifest.organization().unwrap()
}

fn item<'a>(reading: &'a Reading, identifier: &str) -> &'a Item {
    organization(reading).all_items().find(|item| item.identifier == identifier).unwrap()
}

fn codes(reading: &Reading) -> Vec<&str> {
    reading.findings.iter().map(scorm::manifest::Finding::code).collect()
}

fn hrefs(reading: &Reading) -> Vec<&str> {
    let items = organization(reading).all_items();
    items.filter_map(|item| Some(item.resource.as_ref()?.href.as_str())).collect()
}

#[test]
fn the_golf_packages_read_without_a_finding() {
    let expected = [
        ("ContentPackagingOneFilePerSCO_SCORM12", Edition::Scorm12, 22, 18),
        ("ContentPackagingSingleSCO_SCORM12", Edition::Scorm12, 1, 1),
        ("ContentPackagingSingleSCO_SCORM20042ndEdition", Edition::Scorm2004Second, 1, 1),
        ("RunTimeAdvancedCalls_SCORM20043rdEdition", Edition::Scorm2004Third, 1, 1),
        ("RuntimeBasicCalls_SCORM12", Edition::Scorm12, 1, 1),
        ("RuntimeBasicCalls_SCORM20043rdEdition", Edition::Scorm2004Third, 1, 1),
        ("RuntimeMinimumCalls_SCORM12", Edition::Scorm12, 22, 18),
        ("RuntimeMinimumCalls_SCORM20043rdEdition", Edition::Scorm2004Third, 22, 18),
        ("SequencingForcedSequential_SCORM20043rdEdition", Edition::Scorm2004Third, 5, 5),
        ("SequencingSimpleRemediation_SCORM20043rdEdition", Edition::Scorm2004Third, 9, 8),
    ];
    for (name, edition, items, launchable) in expected {
        let reading = package(&format!("golf/{name}.zip")).unwrap();
        assert_eq!(reading.findings, [], "{name}");
        assert_eq!(reading.manifest.edition, edition, "{name}");
        assert!(reading.manifest.title.starts_with("Golf Explained - "), "{name}");
        assert_eq!(organization(&reading).all_items().count(), items, "{name}");
        assert_eq!(hrefs(&reading).len(), launchable, "{name}");
    }
}

#[test]
fn golf_parameters_are_joined_and_dependencies_followed() {
    let reading = package("golf/ContentPackagingOneFilePerSCO_SCORM12.zip").unwrap();
    let quiz = item(&reading, "playing_quiz_item").resource.as_ref().unwrap();
    assert_eq!(quiz.href, "shared/assessmenttemplate.html?questions=Playing");
    let files = reading.manifest.files_of(&quiz.identifier);
    assert!(files.contains(&"Playing/questions.js"), "{files:?}");
    assert!(files.iter().any(|file| file.starts_with("shared/")));
}

#[test]
fn golf_remediation_merges_its_sequencing_collection() {
    let reading = package("golf/SequencingSimpleRemediation_SCORM20043rdEdition.zip").unwrap();
    let organization = organization(&reading);
    assert!(!organization.objectives_global_to_system);
    assert!(organization.shared_data_global_to_system);
    assert!(!item(&reading, "content_wrapper").visible);

    // Rules come from the collection, objectives stand inline.
    let playing = &item(&reading, "playing_item").sequencing;
    let rule = playing.rules.iter().find(|rule| rule.action == RuleAction::Skip).unwrap();
    assert_eq!(rule.kind, RuleKind::PreCondition);
    assert_eq!(rule.conditions[0].condition, Condition::Satisfied);
    let objective = &playing.objectives[0];
    assert!(objective.primary);
    assert_eq!(objective.id.as_deref(), Some("learning_objective_satisfied"));
    let map = &objective.maps[0];
    assert!(map.target.ends_with("playing_satisfied"));
    assert!(map.read_satisfied_status && !map.write_satisfied_status);

    let test = item(&reading, "test_1");
    assert!(test.sequencing.objectives[0].maps[0].write_normalized_measure);
    let href = &test.resource.as_ref().unwrap().href;
    assert_eq!(href, "shared/launchpage.html?content=assessment1");
}

#[test]
fn authored_packages_read_with_their_facts() {
    let reading = package("authored/simple-scorm-packager_ssp12.zip").unwrap();
    assert_eq!(reading.manifest.edition, Edition::Scorm12);
    let only = organization(&reading).all_items().next().unwrap();
    assert_eq!(only.mastery_score, Some(80.0));
    assert_eq!(only.resource.as_ref().unwrap().scorm_type, ScormType::Sco);
    assert_eq!(only.metadata.location.as_deref(), Some("metadata.xml"));

    for (name, edition) in [("3rd", Edition::Scorm2004Third), ("4th", Edition::Scorm2004Fourth)] {
        let name = format!("authored/simple-scorm-packager_ssp2004{name}Edition.zip");
        let reading = package(&name).unwrap();
        assert_eq!(reading.manifest.edition, edition);
        assert_eq!(reading.findings, []);
    }

    let reading = package("authored/vite-scorm-template_SCORM20044th.zip").unwrap();
    assert_eq!(reading.manifest.metadata.titles[0].text, "SCORM Template");
    assert_eq!(reading.manifest.metadata.titles[0].language.as_deref(), Some("en"));
    assert_eq!(reading.manifest.metadata.keywords.len(), 2);
    assert_eq!(codes(&reading), ["files-orphaned"]);
}

#[test]
fn several_scos_with_bases_and_shared_data() {
    let name = "authored/scorm_starter_template_SCORM20044th_multiSCO_adldata.zip";
    let reading = package(name).unwrap();
    assert_eq!(reading.findings, []);
    assert_eq!(
        hrefs(&reading),
        ["content/sco1/launch.html", "content/sco2/launch.html", "content/sco3/launch.html"]
    );
    let organization = organization(&reading);
    assert!(!organization.objectives_global_to_system);
    assert!(!organization.shared_data_global_to_system);
    assert!(organization.sequencing.control_mode.flow);
    let sco = item(&reading, "SCO-1");
    assert_eq!(sco.data_from_lms.as_deref(), Some("SCO 1"));
    assert_eq!(sco.shared_data[0].target_id, "test_data_store");
    assert!(sco.shared_data[0].read_shared_data && sco.shared_data[0].write_shared_data);
    assert_eq!(sco.sequencing.objectives.len(), 2);
    assert!(sco.sequencing.delivery.objective_set_by_content);
    assert!((sco.sequencing.rollup.objective_measure_weight).abs() < f64::EPSILON);
    let files = reading.manifest.files_of("RES-1");
    assert_eq!(
        files,
        ["content/sco1/launch.html", "content/util/APIWrapper.js", "content/images/adl_logo.jpg"]
    );
}

#[test]
fn metadata_files_are_read_leniently() {
    let (bytes, index, _) = open(&packages().join("authored/simple-scorm-packager_ssp12.zip"));
    let entry = index.exact("metadata.xml").unwrap();
    let file = read_entry(Cursor::new(&bytes), entry, 1 << 20).unwrap();
    let metadata = read_metadata(&file).unwrap();
    assert!(!metadata.titles.is_empty(), "{metadata:?}");
}

#[test]
fn packages_without_their_files_are_refused_with_the_reason() {
    let expected = [
        ("AdlAttributes_SCORM20043rdEdition", "launch-file-missing", 36),
        ("ComplexNestedOrganization_SCORM12", "launch-file-missing", 70),
        ("InvalidFileReferences_SCORM12", "launch-file-missing", 26),
        ("InvalidMissingOrgIdentifier_SCORM20043rdEdition", "launch-file-missing", 20),
        ("MinimalValid_SCORM20043rdEdition", "launch-file-missing", 19),
        ("MissingLaunchUrl_SCORM12", "launch-missing", 24),
        ("MissingRequiredFields_SCORM12", "launch-file-missing", 26),
    ];
    for (name, code, line) in expected {
        let error = package(&format!("edge/{name}.zip")).unwrap_err();
        let ManifestError::NothingLaunchable { findings } = error else {
            panic!("{name}: {error}")
        };
        let finding = findings.iter().find(|finding| finding.code() == code);
        assert_eq!(finding.map(|finding| finding.line), Some(line), "{name}");
    }
}

#[test]
fn malformed_xml_is_refused_with_its_line() {
    let error = package("edge/MalformedXml_SCORM12.zip").unwrap_err();
    assert_eq!(error.code(), "manifest-malformed");
    assert_eq!(error.line(), Some(27));
}

#[test]
fn adl_attributes_of_an_item() {
    let reading = manifest_only("edge/AdlAttributes_SCORM20043rdEdition.zip");
    let item = item(&reading, "item1");
    assert_eq!(item.data_from_lms.as_deref(), Some("Launch Data"));
    assert_eq!(item.time_limit_action, Some(TimeLimitAction::ExitMessage));
    assert_eq!(item.hide_lms_ui, [HiddenControl::Exit, HiddenControl::Continue]);
    let threshold = item.completion_threshold.unwrap();
    assert!(threshold.completed_by_measure);
    assert!((threshold.min_progress_measure - 0.75).abs() < f64::EPSILON);
    let control = item.sequencing.control_mode;
    assert!(!control.choice && !control.choice_exit && control.flow && !control.forward_only);
}

#[test]
fn nested_organizations_keep_their_tree() {
    let reading = manifest_only("edge/ComplexNestedOrganization_SCORM12.zip");
    assert_eq!(reading.manifest.organizations.len(), 2);
    assert_eq!(organization(&reading).all_items().count(), 11);
    assert_eq!(organization(&reading).items.len(), 3);
    // SCORM 1.2 players launch items that have sub-items too.
    assert!(item(&reading, "module_1").resource.is_some());
    let reading = package("edge/LaunchUrlFromNestedItem_SCORM12.zip").unwrap();
    assert_eq!(hrefs(&reading), ["content/topic1.html", "content/section2.html"]);
}

#[test]
fn odd_manifests_play_and_are_told() {
    let reading = manifest_only("edge/InvalidMissingOrgIdentifier_SCORM20043rdEdition.zip");
    assert_eq!(codes(&reading), ["default-organization-unknown", "identifier-missing"]);
    let reading = manifest_only("edge/MissingRequiredFields_SCORM12.zip");
    assert_eq!(codes(&reading), ["title-missing"]);
    let reading = package("edge/ItemWithNonExistentResourceId_SCORM12.zip").unwrap();
    assert_eq!(codes(&reading), ["item-resource-unknown"]);
    assert_eq!(hrefs(&reading), ["content/item2.html"]);
    let reading = package("edge/ContentPackagingWithMetadata_SCORM12.zip").unwrap();
    assert_eq!(item(&reading, "i1").data_from_lms.as_deref(), Some("RANDOM"));
    let reading = manifest_only("edge/MinimalValid_SCORM20043rdEdition.zip");
    assert_eq!((codes(&reading).len(), reading.manifest.title.as_str()), (0, "Minimal Course"));
}

#[test]
fn prerequisites_open_items_in_order() {
    let reading = package("edge/PrerequisitesTest_SCORM12.zip").unwrap();
    assert_eq!(codes(&reading), ["prerequisites-words", "prerequisites-words"]);
    let opens = |identifier: &str, passed: &[&str]| {
        let status = |id: &str| {
            if passed.contains(&id) { Status::Passed } else { Status::NotAttempted }
        };
        let prerequisites = item(&reading, identifier).prerequisites.as_ref();
        let expression = prerequisites.and_then(|wanted| wanted.expression.as_ref());
        expression.is_none_or(|expression| expression.eval(&status))
    };
    assert!(opens("module1", &[]));
    assert!(!opens("module2", &[]) && opens("module2", &["module1"]));
    assert!(!opens("module3", &["module1"]) && opens("module3", &["module1", "module2"]));
    assert!(opens("module4", &["module3"]) && !opens("module4", &["module1"]));
    let first = item(&reading, "module1");
    assert_eq!(first.max_time_allowed.as_deref(), Some("02:30:00"));
    assert_eq!(first.mastery_score, Some(80.0));
    let second = item(&reading, "module2");
    assert_eq!(second.data_from_lms.as_deref(), Some("custom_data_for_module2"));
}

#[test]
fn the_adl_12_course_reads() {
    let manifest = fs::read(packages().join("edge/ADL12_LMSTestCourse01.imsmanifest.xml")).unwrap();
    let reading = read(&manifest, Files::Assumed).unwrap();
    assert_eq!(reading.manifest.edition, Edition::Scorm12);
    assert_eq!(reading.findings, []);
    assert_eq!(hrefs(&reading).len(), 9);
    let fifth = item(&reading, "I_SCO5");
    assert_eq!(fifth.time_limit_action, Some(TimeLimitAction::ContinueMessage));
    assert_eq!(fifth.prerequisites.as_ref().unwrap().script, "I_SCO4");
    assert!(item(&reading, "I_SCO2").resource.as_ref().unwrap().href.contains("%20"));
    assert!(decode(&manifest).unwrap().contains("LMSTestCourse01_Manifest"));
}

/// Runs when the conformance packages are there.
#[test]
fn the_adl_conformance_packages_read() {
    let Ok(folder) = fs::read_dir(packages().join("adl-scorm2004-4th")) else { return };
    for path in folder.map(|entry| entry.unwrap().path()) {
        if path.extension().is_none_or(|extension| extension != "zip") {
            continue;
        }
        let (_, index, manifest) = open(&path);
        let reading = read(&manifest, &index).unwrap();
        assert_eq!(reading.findings, [], "{}", path.display());
        assert_eq!(reading.manifest.edition, Edition::Scorm2004Fourth);
        for href in hrefs(&reading) {
            let file = href.split(['?', '#']).next().unwrap();
            assert!(index.find(file).is_some(), "{}: {href}", path.display());
        }
        if path.ends_with("LMSTestPackage_OB-12a.zip") {
            let objectives =
                organization(&reading).all_items().flat_map(|item| &item.sequencing.objectives);
            let ids: Vec<_> = objectives.filter_map(|objective| objective.id.as_deref()).collect();
            assert!(ids.contains(&"ob j 1"), "{ids:?}");
        }
    }
}
