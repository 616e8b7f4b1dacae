//! What a player asks of this crate again and again: `cargo bench -p scorm --bench engine`.
//!
//! A request on a course of 50 activities should stay below 50 µs and on one of 1,000 below 500 µs,
//! so that a commit is bounded by its database and not by sequencing.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use scorm::archive::{Archive, Index, Limits, read_entry};
use scorm::manifest::{Files, read};
use scorm::runtime::{Edition, Launch, Model};
use scorm::sequencing::definition::{
    Condition, ConditionCombination, RuleAction, RuleCondition, RuleKind, SequencingRule,
};
use scorm::sequencing::{
    CompletionStatus, Engine, Exit, GlobalObjectives, Request, SessionReport, State, StatusReport,
    Tree, TreeItem,
};

fn main() {
    divan::main();
}

fn packages() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/packages")
}

fn manifest_of(bytes: &[u8]) -> (Index, Vec<u8>) {
    let index = Archive::inspect(Cursor::new(bytes), &Limits::default()).expect("a sound zip");
    let entry = index.manifest().expect("a manifest");
    let text = read_entry(Cursor::new(bytes), entry, 20 << 20).expect("readable");
    (index, text)
}

/// The largest manifest there is: 18 SCOs with all their files.
#[divan::bench]
fn read_manifest(bencher: Bencher<'_, '_>) {
    let path = packages().join("golf/ContentPackagingOneFilePerSCO_SCORM12.zip");
    let (index, text) = manifest_of(&fs::read(path).expect("a package"));
    bencher
        .counter(BytesCount::of_slice(&text))
        .bench_local(|| read(&text, &index).expect("is read"));
}

/// A whole package: every entry inflated and its checksum compared.
#[divan::bench]
fn inspect_package(bencher: Bencher<'_, '_>) {
    let path = packages().join("golf/ContentPackagingOneFilePerSCO_SCORM12.zip");
    let bytes = fs::read(path).expect("a package");
    bencher.counter(BytesCount::of_slice(&bytes)).bench_local(|| {
        Archive::inspect(Cursor::new(&bytes), &Limits::default()).expect("a sound zip")
    });
}

/// A course of chapters of ten activities each, with rules such as authoring tools write.
fn course(activities: usize) -> Tree {
    let rule = |condition, action| SequencingRule {
        kind: RuleKind::PreCondition,
        combination: ConditionCombination::All,
        conditions: vec![RuleCondition {
            referenced_objective: None,
            measure_threshold: 0.0,
            not: false,
            condition,
        }],
        action,
    };
    let mut root = TreeItem::new("root", "Root");
    root.sequencing.control_mode.flow = true;
    for number in 0..activities.div_ceil(10) {
        let mut chapter = TreeItem::new(format!("chapter {number}"), "Chapter");
        chapter.sequencing.control_mode.flow = true;
        chapter.children = (0..10)
            .map(|page| {
                let mut page = TreeItem::new(format!("page {number}.{page}"), "A page of it");
                page.sequencing.rules = vec![
                    rule(Condition::AttemptLimitExceeded, RuleAction::Disabled),
                    rule(Condition::Satisfied, RuleAction::HiddenFromChoice),
                ];
                page
            })
            .collect();
        root.children.push(chapter);
    }
    Tree::new(&root).expect("a tree")
}

/// A learner in the middle of a course, whose content said that it is completed.
fn learner(tree: &Tree) -> (State, GlobalObjectives) {
    let engine = Engine::new(tree);
    let (mut state, mut globals) = (State::new(tree, 1), GlobalObjectives::default());
    let mut delivered = engine.begin(&mut state, &mut globals).delivered;
    for _ in 0..tree.len() / 2 {
        if let Some(activity) = delivered {
            report(&engine, &mut state, &mut globals, activity);
        }
        delivered = engine.navigate(&mut state, &mut globals, Request::Continue).delivered;
    }
    (state, globals)
}

fn report(
    engine: &Engine<'_>,
    state: &mut State,
    globals: &mut GlobalObjectives,
    activity: scorm::sequencing::ActivityIndex,
) {
    let own = StatusReport {
        completion: Some(CompletionStatus::Completed),
        scaled: Some(0.9),
        ..StatusReport::default()
    };
    let report = SessionReport { own, exit: Some(Exit::Normal), ..SessionReport::default() };
    engine.report(state, globals, activity, &report);
}

/// One request, processed.
#[divan::bench(args = [50, 1_000])]
fn navigate(bencher: Bencher<'_, '_>, activities: usize) {
    let tree = course(activities);
    let engine = Engine::new(&tree);
    let before = learner(&tree);
    bencher.with_inputs(|| before.clone()).bench_local_values(|(mut state, mut globals)| {
        let outcome = engine.navigate(&mut state, &mut globals, Request::Continue);
        assert!(outcome.delivered.is_some());
        (state, globals)
    });
}

/// What the controls show after it: each request tried on a copy, and the table of contents.
#[divan::bench(args = [50, 1_000])]
fn what_is_shown(bencher: Bencher<'_, '_>, activities: usize) {
    let tree = course(activities);
    let engine = Engine::new(&tree);
    let (state, globals) = learner(&tree);
    bencher.bench_local(|| {
        let validity = engine.validity(&state, &globals);
        let toc = engine.toc_with(&state, &globals, &validity);
        (validity, toc)
    });
}

/// The state of an attempt as it is kept with every commit: written and read.
#[divan::bench(args = [50, 1_000])]
fn keep_state(bencher: Bencher<'_, '_>, activities: usize) {
    let tree = course(activities);
    let (state, _) = learner(&tree);
    bencher.bench_local(|| {
        let text = serde_json::to_string(&state).expect("is stored");
        serde_json::from_str::<State>(&text).expect("is restored")
    });
}

/// All courses of ADL's conformance packages, walked through with "continue".
#[divan::bench]
fn conformance_courses(bencher: Bencher<'_, '_>) {
    let mut files: Vec<PathBuf> = fs::read_dir(packages().join("adl-scorm2004-4th"))
        .expect("the packages")
        .map(|file| file.expect("a file").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "zip"))
        .collect();
    files.sort();
    let trees: Vec<Tree> = files
        .iter()
        .filter_map(|path| {
            // Their content is not among the fixtures.
            let (_, text) = manifest_of(&fs::read(path).ok()?);
            let manifest = read(&text, Files::Assumed).ok()?.manifest;
            Tree::of_organization(manifest.organization()?).ok()
        })
        .collect();
    assert!(trees.len() > 100);
    bencher.counter(ItemsCount::new(trees.len())).bench_local(|| {
        for tree in &trees {
            let engine = Engine::new(tree);
            let (mut state, mut globals) = (State::new(tree, 1), GlobalObjectives::default());
            let mut delivered = engine.begin(&mut state, &mut globals).delivered;
            for _ in 0..tree.len() {
                let Some(activity) = delivered else { break };
                report(&engine, &mut state, &mut globals, activity);
                delivered = engine.navigate(&mut state, &mut globals, Request::Continue).delivered;
            }
        }
    });
}

/// A delta of an ordinary burst of calls, merged into a model that was stored before.
#[divan::bench]
fn merge_delta(bencher: Bencher<'_, '_>) {
    let launch = Launch::default();
    let mut model = Model::new(Edition::V2004, &launch);
    for index in 0..20 {
        for (member, value) in [
            ("id", format!("q{index}")),
            ("type", "choice".to_owned()),
            ("result", "correct".to_owned()),
        ] {
            assert_eq!(model.set(&format!("cmi.interactions.{index}.{member}"), &value), 0);
        }
    }
    let (snapshot, data) = (model.snapshot(), "x".repeat(2_000));
    let delta = [
        ("cmi.location", "page-3"),
        ("cmi.suspend_data", data.as_str()),
        ("cmi.progress_measure", "0.4"),
        ("cmi.interactions.20.id", "q20"),
        ("cmi.interactions.20.type", "choice"),
        ("cmi.interactions.20.learner_response", "a"),
        ("cmi.interactions.20.result", "correct"),
    ];
    bencher.bench_local(|| {
        let mut model = Model::running(Edition::V2004, &launch, &snapshot);
        assert_eq!(model.apply(delta), []);
        (model.outcome(false), model.snapshot())
    });
}

/// The most pairs a service takes at once.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn merge_hundred_thousand_pairs(bencher: Bencher<'_, '_>) {
    let pairs: Vec<(String, String)> = (0..100_000)
        .map(|number| match number % 2 {
            0 => (format!("cmi.objectives.{}.id", number / 2), format!("objective-{number}")),
            _ => ("cmi.location".to_owned(), format!("page {number}")),
        })
        .collect();
    bencher.counter(ItemsCount::new(pairs.len())).bench_local(|| {
        let mut model = Model::new(Edition::V2004, &Launch::default());
        model.apply(pairs.iter().map(|(element, value)| (element.as_str(), value.as_str())))
    });
}
