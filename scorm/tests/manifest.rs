//! Manifests made for one point each.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use scorm::archive::{Archive, Index, Limits};
use scorm::manifest::{Edition, Files, Item, ManifestError, Problem, Reading, Severity, read};
use scorm::sequencing::definition::{
    ChildActivitySet, Condition, ConditionCombination, RollupAction, RollupConsideration,
    RuleAction, RuleKind, Timing,
};

const NAMESPACES: &str = r#"xmlns="http://www.imsglobal.org/xsd/imscp_v1p1"
    xmlns:adlcp="http://www.adlnet.org/xsd/adlcp_v1p3" xmlns:imsss="http://www.imsglobal.org/xsd/imsss"
    xmlns:adlseq="http://www.adlnet.org/xsd/adlseq_v1p3" xmlns:adlnav="http://www.adlnet.org/xsd/adlnav_v1p3""#;

/// A manifest with these items, and a resource `r` that launches `a.html`.
fn manifest(version: &str, items: &str, more: &str) -> String {
    format!(
        "<manifest identifier='m' {NAMESPACES}>\
         <metadata><schema>ADL SCORM</schema><schemaversion>{version}</schemaversion></metadata>\
         <organizations default='o'><organization identifier='o'><title>T</title>{items}\
         </organization></organizations><resources>\
         <resource identifier='r' type='webcontent' adlcp:scormType='sco' href='a.html'/>\
         </resources>{more}</manifest>"
    )
}

fn one_item(inner: &str) -> Reading {
    let item = format!("<item identifier='i' identifierref='r'><title>I</title>{inner}</item>");
    assumed(&manifest("2004 4th Edition", &item, ""))
}

fn assumed(text: &str) -> Reading {
    read(text.as_bytes(), Files::Assumed).unwrap()
}

fn items(reading: &Reading) -> Vec<&Item> {
    reading.manifest.organization().unwrap().all_items().collect()
}

fn codes(reading: &Reading) -> Vec<&'static str> {
    reading.findings.iter().map(scorm::manifest::Finding::code).collect()
}

/// The index of a package with these files.
fn index(files: &[&str]) -> Index {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for file in ["imsmanifest.xml"].iter().chain(files) {
        writer.start_file(*file, options).unwrap();
        writer.write_all(b"x").unwrap();
    }
    Archive::inspect(writer.finish().unwrap(), &Limits::default()).unwrap()
}

#[test]
fn everything_sequencing_has() {
    let reading = one_item(
        "<imsss:sequencing>
          <imsss:controlMode choice='false' flow='1' useCurrentAttemptProgressInfo='0'/>
          <imsss:sequencingRules>
            <imsss:preConditionRule>
              <imsss:ruleConditions conditionCombination='any'>
                <imsss:ruleCondition referencedObjective='two' measureThreshold='-0.5'
                  operator='not' condition='objectiveMeasureGreaterThan'/>
              </imsss:ruleConditions><imsss:ruleAction action='hiddenFromChoice'/>
            </imsss:preConditionRule>
            <imsss:exitConditionRule>
              <imsss:ruleConditions><imsss:ruleCondition/></imsss:ruleConditions>
              <imsss:ruleAction action='exit'/>
            </imsss:exitConditionRule>
            <imsss:postConditionRule>
              <imsss:ruleConditions><imsss:ruleCondition condition='satisfied'/></imsss:ruleConditions>
              <imsss:ruleAction action='exitParent'/>
            </imsss:postConditionRule>
          </imsss:sequencingRules>
          <imsss:limitConditions attemptLimit='2' attemptAbsoluteDurationLimit='PT1H'/>
          <imsss:rollupRules rollupObjectiveSatisfied='false' objectiveMeasureWeight='0.25'>
            <imsss:rollupRule childActivitySet='atLeastPercent' minimumPercent='0.5'>
              <imsss:rollupConditions><imsss:rollupCondition operator='not' condition='attempted'/></imsss:rollupConditions>
              <imsss:rollupAction action='incomplete'/>
            </imsss:rollupRule>
            <imsss:rollupRule childActivitySet='atLeastCount' minimumCount='3'>
              <imsss:rollupConditions conditionCombination='all'><imsss:rollupCondition condition='completed'/></imsss:rollupConditions>
              <imsss:rollupAction action='completed'/>
            </imsss:rollupRule>
          </imsss:rollupRules>
          <imsss:objectives>
            <imsss:primaryObjective objectiveID=' one ' satisfiedByMeasure='true'>
              <imsss:minNormalizedMeasure>0.6</imsss:minNormalizedMeasure>
              <imsss:mapInfo targetObjectiveID='g1' writeSatisfiedStatus='true'/>
            </imsss:primaryObjective>
            <imsss:objective objectiveID='two'/>
          </imsss:objectives>
          <imsss:randomizationControls randomizationTiming='once' selectCount='2'
            selectionTiming='onEachNewAttempt' reorderChildren='true'/>
          <imsss:deliveryControls tracked='false' completionSetByContent='true'/>
          <adlseq:constrainedChoiceConsiderations preventActivation='true' constrainChoice='true'/>
          <adlseq:rollupConsiderations requiredForCompleted='ifNotSkipped' measureSatisfactionIfActive='false'/>
          <adlseq:objectives><adlseq:objective objectiveID='one'>
            <adlseq:mapInfo targetObjectiveID='g1' writeRawScore='true' readMaxScore='false'/>
            <adlseq:mapInfo targetObjectiveID='g2' writeCompletionStatus='true'/>
          </adlseq:objective></adlseq:objectives>
        </imsss:sequencing>",
    );
    assert_eq!(reading.findings, []);
    let sequencing = &items(&reading)[0].sequencing;
    let control = sequencing.control_mode;
    assert!(!control.choice && control.choice_exit && control.flow && !control.forward_only);
    assert!(control.use_current_attempt_objective_info);
    assert!(!control.use_current_attempt_progress_info);
    let rules = &sequencing.rules;
    let kinds: Vec<_> = rules.iter().map(|rule| (rule.kind, rule.action)).collect();
    assert_eq!(
        kinds,
        [
            (RuleKind::PreCondition, RuleAction::HiddenFromChoice),
            (RuleKind::ExitCondition, RuleAction::Exit),
            (RuleKind::PostCondition, RuleAction::ExitParent),
        ]
    );
    assert_eq!(rules[0].combination, ConditionCombination::Any);
    assert_eq!(rules[1].combination, ConditionCombination::All);
    let condition = &rules[0].conditions[0];
    assert_eq!(condition.referenced_objective.as_deref(), Some("two"));
    assert!(condition.not && (condition.measure_threshold + 0.5).abs() < f64::EPSILON);
    assert_eq!(rules[1].conditions[0].condition, Condition::Always);
    assert_eq!(sequencing.limits.attempt_limit, Some(2));
    assert_eq!(sequencing.limits.attempt_absolute_duration.as_deref(), Some("PT1H"));
    let rollup = &sequencing.rollup;
    assert!(!rollup.rollup_objective_satisfied && rollup.rollup_progress_completion);
    assert!((rollup.objective_measure_weight - 0.25).abs() < f64::EPSILON);
    assert_eq!(rollup.rules[0].child_activity_set, ChildActivitySet::AtLeastPercent(0.5));
    assert_eq!(rollup.rules[0].combination, ConditionCombination::Any);
    assert!(rollup.rules[0].conditions[0].not);
    assert_eq!(rollup.rules[1].child_activity_set, ChildActivitySet::AtLeastCount(3));
    assert_eq!(rollup.rules[1].action, RollupAction::Completed);
    assert_eq!(rollup.required_for_completed, RollupConsideration::IfNotSkipped);
    assert_eq!(rollup.required_for_satisfied, RollupConsideration::Always);
    assert!(!rollup.measure_satisfaction_if_active);
    let primary = &sequencing.objectives[0];
    assert!(primary.primary && primary.satisfied_by_measure);
    assert_eq!(primary.id.as_deref(), Some("one"));
    assert_eq!(primary.min_normalized_measure, Some(0.6));
    assert_eq!(sequencing.objectives[1].min_normalized_measure, None);
    let [first, second] = primary.maps.as_slice() else { panic!("{primary:?}") };
    assert!(first.write_satisfied_status && first.write_raw_score && !first.read_max_score);
    assert!(second.target == "g2" && second.write_completion_status);
    let random = sequencing.randomization;
    assert_eq!(random.selection_timing, Timing::OnEachNewAttempt);
    assert_eq!((random.randomization_timing, random.select_count), (Timing::Once, Some(2)));
    assert!(random.reorder_children);
    assert!(!sequencing.delivery.tracked && sequencing.delivery.completion_set_by_content);
    assert!(sequencing.constrained_choice.prevent_activation);
    assert!(sequencing.constrained_choice.constrain_choice);
}

#[test]
fn inline_sequencing_overrides_the_collection_element_by_element() {
    let item = "<item identifier='i' identifierref='r'><title>I</title>
        <imsss:sequencing IDRef=' shared '><imsss:controlMode forwardOnly='true'/></imsss:sequencing></item>";
    let collection = "<imsss:sequencingCollection><imsss:sequencing ID='shared'>
        <imsss:controlMode flow='true' choice='false'/><imsss:limitConditions attemptLimit='3'/>
        </imsss:sequencing></imsss:sequencingCollection>";
    let reading = assumed(&manifest("2004 4th Edition", item, collection));
    let sequencing = &items(&reading)[0].sequencing;
    assert!(sequencing.control_mode.forward_only);
    // The whole element is overridden, not attribute by attribute.
    assert!(sequencing.control_mode.choice && !sequencing.control_mode.flow);
    assert_eq!(sequencing.limits.attempt_limit, Some(3));

    let unknown = assumed(&manifest("2004 4th Edition", item, ""));
    assert_eq!(codes(&unknown), ["sequencing-reference-unknown"]);
}

#[test]
fn wrong_values_fall_back_and_are_told() {
    let reading = one_item(
        "<adlcp:timeLimitAction>explode</adlcp:timeLimitAction>
        <adlcp:completionThreshold minProgressMeasure='7'/>
        <imsss:sequencing><imsss:controlMode flow='perhaps'/>
        <imsss:sequencingRules>
          <imsss:preConditionRule><imsss:ruleConditions><imsss:ruleCondition condition='satisfied'/></imsss:ruleConditions>
            <imsss:ruleAction action='exitAll'/></imsss:preConditionRule>
          <imsss:preConditionRule><imsss:ruleConditions><imsss:ruleCondition condition='nonsense'/></imsss:ruleConditions>
            <imsss:ruleAction action='skip'/></imsss:preConditionRule>
        </imsss:sequencingRules>
        <imsss:rollupRules><imsss:rollupRule childActivitySet='atLeastPercent' minimumPercent='80'>
          <imsss:rollupConditions><imsss:rollupCondition condition='completed'/></imsss:rollupConditions>
          <imsss:rollupAction action='completed'/></imsss:rollupRule></imsss:rollupRules>
        </imsss:sequencing>",
    );
    let mut found = codes(&reading);
    found.sort_unstable();
    found.dedup();
    assert_eq!(found, ["percent-as-fraction", "rule-incomplete", "value-invalid"]);
    assert!(reading.findings.iter().all(|finding| finding.severity == Severity::Warning));
    let item = items(&reading)[0];
    assert!(item.sequencing.rules.is_empty());
    assert_eq!(item.time_limit_action, None);
    let set = item.sequencing.rollup.rules[0].child_activity_set;
    assert_eq!(set, ChildActivitySet::AtLeastPercent(0.8));
    let invalid = reading.findings.iter().find(|finding| finding.code() == "value-invalid");
    let Some(Problem::ValueInvalid { value, .. }) = invalid.map(|finding| &finding.problem) else {
        panic!("{:?}", reading.findings)
    };
    assert_eq!(value, "explode");
}

#[test]
fn completion_thresholds_of_both_kinds() {
    let threshold = |xml| items(&one_item(xml))[0].completion_threshold;
    let third = threshold("<adlcp:completionThreshold>0.8</adlcp:completionThreshold>").unwrap();
    assert!(third.completed_by_measure && (third.min_progress_measure - 0.8).abs() < 1e-9);
    let fourth = threshold("<adlcp:completionThreshold progressWeight='0.5'/>").unwrap();
    assert!(!fourth.completed_by_measure && (fourth.progress_weight - 0.5).abs() < 1e-9);
    assert_eq!(threshold(""), None);
}

#[test]
fn editions_without_a_schema_version_come_from_the_namespaces() {
    let item = "<item identifier='i' identifierref='r'><title>I</title></item>";
    let text = manifest("", item, "");
    let reading = assumed(&text);
    assert_eq!(reading.manifest.edition, Edition::Scorm2004Third);
    assert_eq!(codes(&reading), ["edition-missing"]);
    let old =
        text.replace("adlcp_v1p3", "adlcp_rootv1p2").replace("imscp_v1p1", "imscp_rootv1p1p2");
    assert_eq!(assumed(&old).manifest.edition, Edition::Scorm12);
    // SCORM 1.2 says so even in the namespaces of 2004.
    let reading = assumed(&manifest("1.2", item, ""));
    assert_eq!(reading.manifest.edition, Edition::Scorm12);
    assert_eq!(codes(&reading), ["edition-conflict"]);
}

#[test]
fn no_namespace_at_all_is_read_too() {
    let text = "<manifest identifier='m'><metadata><schemaversion>1.2</schemaversion></metadata>
        <organizations><organization identifier='o'><title>T</title>
        <item identifier='i' identifierref='r'><title>I</title><adlcp:masteryscore>70</adlcp:masteryscore></item>
        </organization></organizations>
        <resources><resource identifier='r' scormtype='sco' href='a.html'/></resources></manifest>";
    let reading = assumed(text);
    assert_eq!(codes(&reading), ["default-organization-missing"]);
    assert_eq!(items(&reading)[0].mastery_score, Some(70.0));
}

#[test]
fn hrefs_are_found_as_authoring_tools_write_them() {
    let files = index(&["Files/Une page.html", "files/été.html", "lost.txt"]);
    let text = "<manifest identifier='m' xml:base='Files/'><metadata><schemaversion>1.2</schemaversion></metadata>
        <organizations default='o'><organization identifier='o'><title>T</title>
        <item identifier='a' identifierref='a' parameters='?x=1'><title>A</title></item>
        <item identifier='b' identifierref='b'><title>B</title></item>
        <item identifier='c' identifierref='c'><title>C</title></item>
        <item identifier='d' identifierref='d'><title>D</title></item>
        </organization></organizations>
        <resources>
        <resource identifier='a' href='une%20PAGE.html#top'/>
        <resource identifier='b' xml:base='../files' href='.\\%C3%A9t%C3%A9.html'/>
        <resource identifier='c' href='https://example.org/x?y#z'/>
        <resource identifier='d' href='../../outside.html'/>
        </resources></manifest>";
    let reading = read(text.as_bytes(), &files).unwrap();
    let hrefs: Vec<_> = items(&reading)
        .iter()
        .map(|item| item.resource.as_ref().map(|resource| resource.href.as_str()))
        .collect();
    assert_eq!(
        hrefs,
        [
            Some("Files/Une%20page.html?x=1#top"),
            Some("files/%C3%A9t%C3%A9.html"),
            Some("https://example.org/x?y#z"),
            None,
        ]
    );
    let mut found = codes(&reading);
    found.sort_unstable();
    assert_eq!(
        found,
        [
            "base-without-slash",
            "files-orphaned",
            "href-backslash",
            "href-case",
            "href-outside-package",
            "launch-external",
            "launch-missing",
        ]
    );
}

#[test]
fn a_resource_without_href_launches_its_page() {
    let text = "<manifest identifier='m'><metadata><schemaversion>1.2</schemaversion></metadata>
        <organizations default='o'><organization identifier='o'><title>T</title>
        <item identifier='i' identifierref='r'><title>I</title></item></organization></organizations>
        <resources><resource identifier='r'><file href='a.js'/><file href='start.htm'/></resource></resources></manifest>";
    let reading = read(text.as_bytes(), &index(&["a.js", "start.htm"])).unwrap();
    assert_eq!(codes(&reading), ["launch-guessed"]);
    assert_eq!(items(&reading)[0].resource.as_ref().unwrap().href, "start.htm");
}

#[test]
fn a_package_without_organizations_becomes_a_course() {
    let text = "<manifest identifier='m'><metadata><schemaversion>1.2</schemaversion></metadata><organizations/>
        <resources><resource identifier='r' scormtype='sco' href='a.html'/>
        <resource identifier='s' scormtype='asset' href='b.html'/></resources></manifest>";
    let reading = assumed(text);
    assert_eq!(codes(&reading), ["organizations-missing"]);
    assert_eq!(items(&reading).len(), 1);
}

#[test]
fn nested_manifests_are_merged_and_loops_end() {
    let nested = "<manifest identifier='sub' xml:base='sub/'><organizations default='so'>
        <organization identifier='so'><title>S</title>
        <item identifier='s1' identifierref='sr'><title>S1</title></item>
        <item identifier='s2' identifierref='sub'><title>again</title></item>
        </organization></organizations>
        <resources><resource identifier='sr' href='s.html'/></resources></manifest>";
    let item = "<item identifier='i' identifierref='sub'><title>I</title></item>";
    let reading = assumed(&manifest("CAM 1.3", item, nested));
    assert_eq!(reading.manifest.edition, Edition::Scorm2004Second);
    assert_eq!(codes(&reading), ["sub-manifest", "sub-manifest-loop"]);
    let found = items(&reading);
    let ids: Vec<_> = found.iter().map(|item| item.identifier.as_str()).collect();
    assert_eq!(ids, ["i", "s1", "s2"]);
    assert_eq!(found[1].resource.as_ref().unwrap().href, "sub/s.html");
}

#[test]
fn prerequisites_that_can_never_hold_open_the_item() {
    let mut items_text = String::new();
    for (id, script) in [("a", "b"), ("b", "a"), ("c", "nowhere"), ("d", "a &"), ("e", "a=passed")]
    {
        let script = script.replace('&', "&amp;");
        write!(
            items_text,
            "<item identifier='{id}' identifierref='r'><title>{id}</title>\
             <adlcp:prerequisites type='aicc_script'>{script}</adlcp:prerequisites></item>"
        )
        .unwrap();
    }
    let text = manifest("1.2", &items_text, "").replace("adlcp_v1p3", "adlcp_rootv1p2");
    let text = text.replace("imscp_v1p1", "imscp_rootv1p1p2");
    let text = text.replace("adlseq_v1p3", "x").replace("adlnav_v1p3", "x");
    let reading = assumed(&text);
    let mut found = codes(&reading);
    found.sort_unstable();
    assert_eq!(
        found,
        ["prerequisites-cycle", "prerequisites-invalid", "prerequisites-unknown-item"]
    );
    let closed: Vec<_> = items(&reading)
        .iter()
        .filter(|item| item.prerequisites.as_ref().is_some_and(|it| it.expression.is_some()))
        .map(|item| item.identifier.clone())
        .collect();
    assert_eq!(closed, ["a", "e"]);
}

#[test]
fn identifiers_are_collapsed_and_made_unique() {
    let item = "<item identifier='  x
          y ' identifierref=' r '><title>I</title></item>
        <item identifier='x y' identifierref='r'><title>J</title></item>";
    let reading = assumed(&manifest("2004 4th Edition", item, ""));
    assert_eq!(codes(&reading), ["identifier-duplicate"]);
    assert_eq!(items(&reading)[0].identifier, "x y");
    assert_ne!(items(&reading)[1].identifier, "x y");
}

#[test]
fn caps_hold_and_the_deepest_tree_survives_storage() {
    let deep = |depth: usize, script: &str| {
        let mut item = format!(
            "<item identifier='leaf' identifierref='r'><title>L</title>\
             <adlcp:prerequisites>{script}</adlcp:prerequisites></item>"
        );
        for level in 1..depth {
            item = format!("<item identifier='i{level}'><title>I</title>{item}</item>");
        }
        manifest("1.2", &item, "")
    };
    let mut script = "i1".to_owned();
    for _ in 0..7 {
        script = format!("~2*{{i1, i1 | i2 &amp; {script}}}");
    }
    let reading = assumed(&deep(24, &script));
    let leaf = items(&reading).pop().unwrap();
    assert!(leaf.prerequisites.as_ref().unwrap().expression.is_some(), "{:?}", reading.findings);
    let stored = serde_json::to_vec(&reading).unwrap();
    assert_eq!(serde_json::from_slice::<Reading>(&stored).unwrap(), reading);
    let error = read(deep(25, "").as_bytes(), Files::Assumed).unwrap_err();
    assert!(matches!(error, ManifestError::ItemsTooDeep { .. }));

    let mut many = String::new();
    for number in 0..20_001 {
        write!(many, "<item identifier='i{number}' identifierref='r'/>").unwrap();
    }
    let error = read(manifest("1.2", &many, "").as_bytes(), Files::Assumed).unwrap_err();
    assert!(matches!(error, ManifestError::TooManyItems { limit: 20_000 }));
    let error = read(&vec![b' '; 21 << 20], Files::Assumed).unwrap_err();
    assert!(matches!(error, ManifestError::TooLarge { .. }));
}

#[test]
fn small_manifests_that_would_grow_are_refused() {
    let rule = "<imsss:preConditionRule><imsss:ruleConditions><imsss:ruleCondition/>\
        </imsss:ruleConditions><imsss:ruleAction action='skip'/></imsss:preConditionRule>";
    let collection = format!(
        "<imsss:sequencingCollection><imsss:sequencing ID='s'><imsss:sequencingRules>{}\
         </imsss:sequencingRules></imsss:sequencing></imsss:sequencingCollection>",
        rule.repeat(1000)
    );
    let mut many = String::new();
    for number in 0..1000 {
        write!(
            many,
            "<item identifier='i{number}' identifierref='r'><title>I</title>\
             <imsss:sequencing IDRef='s'/></item>"
        )
        .unwrap();
    }
    let text = manifest("2004 4th Edition", &many, &collection);
    let error = read(text.as_bytes(), Files::Assumed).unwrap_err();
    assert!(matches!(error, ManifestError::TooMuchSequencing { .. }), "{error}");
}

#[test]
fn what_cannot_be_a_manifest_is_refused_by_name() {
    let refused = |text: &str| read(text.as_bytes(), Files::Assumed).unwrap_err().code();
    assert_eq!(refused(""), "manifest-malformed");
    assert_eq!(refused("hello"), "manifest-malformed");
    assert_eq!(refused("<html/>"), "manifest-unknown-root");
    assert_eq!(refused("<manifest/>"), "manifest-nothing-launchable");
    assert_eq!(refused("<!DOCTYPE manifest SYSTEM 'x'><manifest/>"), "manifest-doctype-refused");
    assert_eq!(refused("<manifest>&xxe;</manifest>"), "manifest-entity-refused");
    assert_eq!(refused("<manifest><a></manifest>"), "manifest-malformed");
    let error = read(b"\xff\xff<manifest/>", Files::Assumed).unwrap_err();
    assert_eq!(error.code(), "manifest-not-text");
}

#[test]
fn every_code_is_kebab_case_and_told_once() {
    let mut codes = Problem::CODES.to_vec();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), Problem::CODES.len());
    let kebab = |code: &&str| code.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    assert!(codes.iter().all(kebab));
}
