//! Manifests made to hurt: each is refused by its name, or read in time that grows with its size.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use scorm::manifest::{Files, Finding, ManifestError, Reading, read};
use scorm::sequencing::{Engine, GlobalObjectives, Request, State, Tree};

/// What takes longer than this grows with the square of its size, or worse. Generous: machines are
/// busy and tests are not optimised.
const PATIENCE: Duration = Duration::from_secs(20);

fn in_time<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let result = work();
    let spent = begun.elapsed();
    println!("{what}: {spent:?}");
    assert!(spent < PATIENCE, "{what} took {spent:?}");
    result
}

fn manifest(version: &str, items: &str, more: &str) -> String {
    format!(
        "<manifest identifier='m' xmlns='http://www.imsglobal.org/xsd/imscp_v1p1' \
         xmlns:adlcp='http://www.adlnet.org/xsd/adlcp_v1p3' \
         xmlns:imsss='http://www.imsglobal.org/xsd/imsss'>\
         <metadata><schemaversion>{version}</schemaversion></metadata>\
         <organizations default='o'><organization identifier='o'><title>T</title>{items}\
         </organization></organizations><resources>\
         <resource identifier='r' type='webcontent' adlcp:scormType='sco' href='a.html'/>\
         </resources>{more}</manifest>"
    )
}

const FOURTH: &str = "2004 4th Edition";

fn refused(text: &str) -> &'static str {
    code_of(text.as_bytes())
}

fn code_of(bytes: &[u8]) -> &'static str {
    in_time("a refusal", || read(bytes, Files::Assumed))
        .map_or_else(|error| error.code(), |_| "read")
}

fn assumed(text: &str) -> Reading {
    read(text.as_bytes(), Files::Assumed).expect("it is read")
}

fn codes(reading: &Reading) -> Vec<&'static str> {
    reading.findings.iter().map(Finding::code).collect()
}

fn tree(reading: &Reading) -> Tree {
    Tree::of_organization(reading.manifest.organization().expect("a course")).expect("a tree")
}

#[test]
fn document_types_and_entities_are_refused() {
    let laughs = "<!DOCTYPE m [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;'>]><manifest>&b;</manifest>";
    for text in [
        laughs,
        "<!DOCTYPE manifest SYSTEM 'file:///etc/passwd'><manifest/>",
        "<!DOCTYPE manifest PUBLIC '-//x' 'http://example.org/x.dtd'><manifest/>",
        "<?xml version='1.0'?>\n<!DOCTYPE manifest [<!ENTITY % p SYSTEM 'x'>%p;]><manifest/>",
    ] {
        assert_eq!(refused(text), "manifest-doctype-refused", "{text}");
    }
    for text in ["<manifest>&laughs;</manifest>", "<manifest><title>&nbsp;</title></manifest>"] {
        assert_eq!(refused(text), "manifest-entity-refused", "{text}");
    }
    for text in [
        "<manifest identifier='&x;'/>",
        "<manifest>&#x110000;</manifest>",
        "<manifest>&#0;</manifest>",
        "<manifest>&</manifest>",
        "<manifest><title>\0</title></manifest>",
    ] {
        assert!(
            matches!(refused(text), "manifest-malformed" | "manifest-entity-refused"),
            "{text}"
        );
    }
}

#[test]
fn depth_width_and_length_are_bounded() {
    let deep = format!("{}{}", "<a>".repeat(10_000), "</a>".repeat(10_000));
    assert_eq!(refused(&format!("<manifest>{deep}</manifest>")), "manifest-too-deep");
    assert_eq!(refused(&"<a>".repeat(1_000_000)), "manifest-too-deep");
    let deep =
        format!("{}{}", "<item identifier='i'><title>I</title>".repeat(100), "</item>".repeat(100));
    assert_eq!(refused(&manifest(FOURTH, &deep, "")), "manifest-items-too-deep");
    assert_eq!(
        refused(&format!("<manifest>{}</manifest>", "<a/>".repeat(500_001))),
        "manifest-too-many-elements"
    );
    let mut wide = "<manifest ".to_owned();
    for number in 0..100_000 {
        write!(wide, "a{number}='' ").expect("text");
    }
    assert_eq!(refused(&format!("{wide}/>")), "manifest-malformed");
    let twice = "<manifest identifier='a' identifier='b'/>";
    assert_eq!(refused(twice), "manifest-malformed");
    let rule = "<imsss:preConditionRule><imsss:ruleConditions><imsss:ruleCondition/>\
        </imsss:ruleConditions><imsss:ruleAction action='skip'/></imsss:preConditionRule>";
    let rules = format!(
        "<item identifier='i' identifierref='r'><title>I</title><imsss:sequencing>\
         <imsss:sequencingRules>{}</imsss:sequencingRules></imsss:sequencing></item>",
        rule.repeat(1_001)
    );
    assert_eq!(refused(&manifest(FOURTH, &rules, "")), "manifest-too-many-conditions");
}

#[test]
fn a_huge_attribute_is_read_and_its_finding_stays_short() {
    let huge = "x".repeat(8 << 20);
    let items = format!(
        "<item identifier='i' identifierref='r' isvisible='{huge}'><title>I</title></item>\
         <item identifier='j' identifierref='{huge}'><title>J</title></item>"
    );
    let reading = in_time("a huge attribute", || assumed(&manifest(FOURTH, &items, "")));
    assert_eq!(codes(&reading), ["value-invalid", "item-resource-unknown"]);
    for finding in &reading.findings {
        assert!(finding.to_string().len() < 2_000, "{}", finding.to_string().len());
    }
}

#[test]
fn encodings_are_read_or_refused_by_name() {
    let item = "<item identifier='i' identifierref='r'><title>été</title></item>";
    let text = manifest(FOURTH, item, "");
    let title = |bytes: &[u8]| {
        let reading = read(bytes, Files::Assumed).expect("it is read");
        let items = reading.manifest.organization().expect("a course").all_items();
        items.map(|item| item.title.clone()).collect::<String>()
    };
    let wide = |units: &mut dyn Iterator<Item = u16>, big: bool| -> Vec<u8> {
        units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    };
    assert_eq!(title(&wide(&mut text.encode_utf16(), false)), "été");
    assert_eq!(title(&wide(&mut text.encode_utf16(), true)), "été");
    let marked = format!("\u{feff}{text}");
    assert_eq!(title(marked.as_bytes()), "été");
    assert_eq!(title(&wide(&mut marked.encode_utf16(), true)), "été");
    let latin: Vec<u8> = format!("<?xml version='1.0' encoding='windows-1252'?>{text}")
        .chars()
        .map(|character| character as u32 as u8)
        .collect();
    assert_eq!(title(&latin), "été");
    // Says UTF-16 and is not.
    assert_eq!(title(format!("<?xml version='1.0' encoding='UTF-16'?>{text}").as_bytes()), "été");
    // Says UTF-8 and is not.
    let lies: Vec<u8> = text.chars().map(|character| character as u32 as u8).collect();
    assert_eq!(code_of(&lies), "manifest-not-text");
    let mut odd = wide(&mut text.encode_utf16(), false);
    odd.pop();
    assert_eq!(code_of(&odd), "manifest-not-text");
    assert_eq!(code_of(b"\xff\xfe\x00\xd8<\0a\0"), "manifest-not-text");
    let unknown = "<?xml version='1.0' encoding='klingon'?><manifest/>";
    assert_eq!(refused(unknown), "manifest-unknown-encoding");
    assert_eq!(
        refused("<?xml version='1.0' encoding='iso-2022-kr'?><manifest/>"),
        "manifest-not-text"
    );
}

#[test]
fn what_is_not_there_is_told_and_cycles_end() {
    let items = "<item identifier='i' identifierref='i'><title>I</title></item>\
         <item identifier='j' identifierref='k'><title>J</title></item>\
         <item identifier='k' identifierref='m1'><title>K</title></item>\
         <item identifier='l' identifierref='r'><title>L</title></item>";
    let nested = |name: &str, next: &str| {
        format!(
            "<manifest identifier='{name}'><organizations><organization identifier='{name}-o'>\
             <title>N</title><item identifier='{name}-i' identifierref='{next}'><title>N</title>\
             </item></organization></organizations></manifest>"
        )
    };
    let more = format!("{}{}", nested("m1", "m2"), nested("m2", "m1"));
    let reading = assumed(&manifest("CAM 1.3", items, &more));
    let codes = codes(&reading);
    assert_eq!(codes.iter().filter(|code| **code == "item-resource-unknown").count(), 2);
    assert!(codes.contains(&"sub-manifest-loop"), "{codes:?}");
    let nothing =
        manifest(FOURTH, "<item identifier='i' identifierref='x'><title>I</title></item>", "");
    let error = read(nothing.as_bytes(), Files::Assumed).expect_err("nothing to launch");
    assert!(
        matches!(&error, ManifestError::NothingLaunchable { findings } if !findings.is_empty())
    );
}

#[test]
fn ten_thousand_items_are_read_and_walked_through() {
    let mut items = String::new();
    for number in 0..10_000 {
        write!(items, "<item identifier='i{number}' identifierref='r'><title>I</title></item>")
            .expect("text");
    }
    items.push_str(
        "<imsss:sequencing><imsss:controlMode flow='true'/><imsss:randomizationControls \
         randomizationTiming='once' reorderChildren='true'/></imsss:sequencing>",
    );
    let reading = in_time("reading", || assumed(&manifest(FOURTH, &items, "")));
    assert_eq!(reading.findings, []);
    let tree = in_time("the tree", || tree(&reading));
    assert_eq!(tree.len(), 10_001);
    let engine = Engine::new(&tree);
    let mut state = State::new(&tree, 1);
    let mut globals = GlobalObjectives::default();
    in_time("a start, a step and a table of contents", || {
        assert!(engine.begin(&mut state, &mut globals).delivered.is_some());
        assert!(engine.navigate(&mut state, &mut globals, Request::Continue).delivered.is_some());
        let toc = engine.toc(&state, &globals);
        assert!(toc.iter().filter(|entry| entry.is_leaf).all(|entry| entry.selectable));
    });
}

#[test]
fn rules_that_every_choice_would_look_at_are_looked_at_once() {
    // Nobody stops, but everybody has to be asked; and nothing below the clusters can be delivered.
    let shared = "<imsss:sequencingCollection><imsss:sequencing ID='s'>\
         <imsss:controlMode flow='true'/><imsss:sequencingRules>\
         <imsss:preConditionRule><imsss:ruleConditions>\
         <imsss:ruleCondition condition='completed'/></imsss:ruleConditions>\
         <imsss:ruleAction action='stopForwardTraversal'/></imsss:preConditionRule>\
         <imsss:preConditionRule><imsss:ruleConditions>\
         <imsss:ruleCondition condition='attempted' operator='not'/></imsss:ruleConditions>\
         <imsss:ruleAction action='skip'/></imsss:preConditionRule>\
         </imsss:sequencingRules></imsss:sequencing></imsss:sequencingCollection>";
    let mut items = "<item identifier='first' identifierref='r'><title>F</title></item>".to_owned();
    for number in 0..4_000 {
        write!(
            items,
            "<item identifier='c{number}'><title>C</title>\
             <item identifier='i{number}' identifierref='r'><title>I</title>\
             <imsss:sequencing IDRef='s'/></item><imsss:sequencing IDRef='s'/></item>"
        )
        .expect("text");
    }
    items.push_str("<imsss:sequencing><imsss:controlMode flow='true'/></imsss:sequencing>");
    let reading = in_time("reading", || assumed(&manifest(FOURTH, &items, shared)));
    let tree = tree(&reading);
    let engine = Engine::new(&tree);
    let mut state = State::new(&tree, 1);
    let mut globals = GlobalObjectives::default();
    assert!(engine.begin(&mut state, &mut globals).delivered.is_some());
    let validity = in_time("what is valid", || engine.validity(&state, &globals));
    assert!(validity.continue_, "after the last one the course ends");
    assert_eq!(validity.choice.len(), 8_002);
}

#[test]
fn an_objective_that_everybody_reads_and_writes_is_rolled_up_once() {
    let shared = "<imsss:sequencingCollection><imsss:sequencing ID='s'><imsss:objectives>\
         <imsss:primaryObjective objectiveID='o'><imsss:mapInfo targetObjectiveID='g' \
         writeSatisfiedStatus='true'/></imsss:primaryObjective></imsss:objectives>\
         </imsss:sequencing></imsss:sequencingCollection>";
    let mut items = String::new();
    for number in 0..4_000 {
        write!(
            items,
            "<item identifier='c{number}'><title>C</title>\
             <item identifier='i{number}' identifierref='r'><title>I</title>\
             <imsss:sequencing IDRef='s'/></item>\
             <imsss:sequencing><imsss:controlMode flow='true'/></imsss:sequencing></item>"
        )
        .expect("text");
    }
    items.push_str("<imsss:sequencing><imsss:controlMode flow='true'/></imsss:sequencing>");
    let reading = in_time("reading", || assumed(&manifest(FOURTH, &items, shared)));
    let tree = in_time("the tree", || tree(&reading));
    let engine = Engine::new(&tree);
    let mut state = State::new(&tree, 1);
    let mut globals = GlobalObjectives::default();
    engine.begin(&mut state, &mut globals);
    in_time("a step", || engine.navigate(&mut state, &mut globals, Request::Continue));
    // One success is everybody's.
    let statuses = engine.statuses(&state, &globals);
    assert!(statuses.iter().all(|status| status.satisfied == Some(true)), "{:?}", statuses[0]);
}

#[test]
fn a_resource_without_a_page_is_searched_once() {
    let mut items = "<item identifier='i' identifierref='r'><title>I</title></item>".to_owned();
    for number in 0..8_000 {
        write!(items, "<item identifier='i{number}' identifierref='none'><title>I</title></item>")
            .expect("text");
    }
    let text = manifest(FOURTH, &items, "").replace(
        "</resources>",
        &format!(
            "<resource identifier='none' type='webcontent'>{}</resource></resources>",
            "<file href='data.bin'/>".repeat(100_000)
        ),
    );
    let reading = in_time("reading", || assumed(&text));
    assert!(codes(&reading).contains(&"launch-missing"));
}

#[test]
fn prerequisites_that_wait_for_everybody_are_read_in_time() {
    let mut items = "<item identifier='i0' identifierref='r'><title>I</title></item>".to_owned();
    let mut earlier = "i0".to_owned();
    for number in 1..800 {
        // Each waits for all before it and for the next: circles within circles.
        let next = (number + 1) % 800;
        write!(
            items,
            "<item identifier='i{number}' identifierref='r'><title>I</title>\
             <adlcp:prerequisites type='aicc_script'>{earlier}&amp;i{next}</adlcp:prerequisites></item>"
        )
        .expect("text");
        write!(earlier, "&amp;i{number}").expect("text");
    }
    let text = manifest("1.2", &items, "");
    let reading = in_time("reading", || assumed(&text));
    assert!(codes(&reading).contains(&"prerequisites-cycle"));
    let circles = reading.findings.len();
    assert!(circles <= 501, "{circles} findings");
    // No circle is left: whoever waits, waits for somebody who can be opened.
    let organization = reading.manifest.organization().expect("a course");
    let open = organization.all_items().filter(|item| {
        item.prerequisites.as_ref().is_none_or(|script| script.expression.is_none())
    });
    assert!(open.count() >= 1);
}
