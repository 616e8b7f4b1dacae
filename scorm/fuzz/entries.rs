//! What takes bytes from strangers, as functions of any bytes: they return, and what the crate
//! promises holds. The fuzz targets and `tests/hostile.rs` call them.

use std::collections::BTreeMap;
use std::io::Cursor;

use chrono::{DateTime, Utc};
use scorm::archive::{Archive, Limits, read_entry};
use scorm::manifest::{Files, Reading, read, read_metadata};
use scorm::runtime::{DataStore, Edition, Launch, Model, ObjectiveSeed, StoreAccess};
use scorm::sequencing::definition::{
    ChildActivitySet, CompletionThreshold, Condition, ConditionCombination, LimitConditions,
    Objective, ObjectiveMap, RollupAction, RollupCondition, RollupConsideration, RollupRule,
    RuleAction, RuleCondition, RuleKind, SequencingRule, Timing,
};
use scorm::sequencing::{
    ActivityIndex, CompletionStatus, Engine, Exception, Exit, GlobalObjectives, Request,
    SessionReport, State, StatusReport, SuccessStatus, Tree, TreeItem,
};

/// A zip: indexed or refused, its manifest read.
pub(crate) fn package(bytes: &[u8]) {
    let limits = Limits { inflated: 4 << 20, directory_bytes: 1 << 20, ..Limits::default() };
    let Ok(index) = Archive::inspect(Cursor::new(bytes), &limits) else { return };
    for entry in &index.entries {
        let path = &entry.path;
        let normal = !path.is_empty()
            && path.split('/').all(|segment| !matches!(segment, "" | "." | ".."))
            && !path.contains(['\\', '\0']);
        assert!(normal, "{path:?} is no normal path");
        assert_eq!(index.exact(path), Some(entry));
        // What was accepted once is read again, and held to the same limits.
        let read = read_entry(Cursor::new(bytes), entry, 4 << 20).expect("was read before");
        assert_eq!(read.len() as u64, entry.size);
    }
    let Some(entry) = index.manifest() else { return };
    let Ok(manifest) = read_entry(Cursor::new(bytes), entry, 4 << 20) else { return };
    if let Ok(reading) = read(&manifest, &index) {
        play(&reading);
    }
}

/// An `imsmanifest.xml`: read or refused, stored, played.
pub(crate) fn manifest(bytes: &[u8]) {
    let _ = read_metadata(bytes);
    let Ok(reading) = read(bytes, Files::Assumed) else { return };
    let stored = serde_json::to_string(&reading).expect("is stored");
    let restored: Reading = serde_json::from_str(&stored).expect("is restored");
    assert_eq!(restored, reading);
    for finding in &reading.findings {
        assert!(!finding.to_string().is_empty());
    }
    play(&reading);
}

/// Begins every course of a package and goes on with it for a while.
fn play(reading: &Reading) {
    for organization in &reading.manifest.organizations {
        let tree = if reading.manifest.edition.is_2004() {
            Tree::of_organization(organization)
        } else {
            Tree::of_organization_without_sequencing(organization)
        };
        let Ok(tree) = tree else { continue };
        let engine = Engine::new(&tree).at(DateTime::<Utc>::UNIX_EPOCH);
        let mut state = State::new(&tree, 1);
        let mut globals = GlobalObjectives::default();
        let mut outcome = engine.begin(&mut state, &mut globals);
        for _ in 0..8 {
            let toc = engine.toc(&state, &globals);
            assert_eq!(toc.len(), tree.len());
            if outcome.delivered.is_none() {
                break;
            }
            outcome = engine.navigate(&mut state, &mut globals, Request::Continue);
        }
    }
}

/// A GIFT file.
pub(crate) fn gift(bytes: &[u8]) {
    let source = String::from_utf8_lossy(bytes);
    let parsed = scorm::gift::parse(&source);
    let lines = source.lines().count();
    for problem in &parsed.problems {
        assert!((1..=lines.max(1)).contains(&problem.line), "{problem}");
        assert!(!problem.to_string().is_empty());
    }
}

/// Bytes as a source of decisions; zeros once they are spent.
struct Source<'b>(&'b [u8]);

impl Source<'_> {
    fn byte(&mut self) -> usize {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        usize::from(*first)
    }

    fn is_spent(&self) -> bool {
        self.0.is_empty()
    }

    fn one_in(&mut self, chances: usize) -> bool {
        self.byte() % chances == 1
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.byte() % choices.len()]
    }

    fn fraction(&mut self) -> f64 {
        (self.byte() % 11) as f64 / 10.0
    }

    /// Up to 64 bytes as they are.
    fn text(&mut self) -> String {
        let length = (self.byte() % 64).min(self.0.len());
        let (text, rest) = self.0.split_at(length);
        self.0 = rest;
        String::from_utf8_lossy(text).into_owned()
    }
}

const ELEMENTS: [&str; 36] = [
    "cmi.location",
    "cmi.suspend_data",
    "cmi.completion_status",
    "cmi.success_status",
    "cmi.exit",
    "cmi.session_time",
    "cmi.progress_measure",
    "cmi.score.scaled",
    "cmi.score.raw",
    "cmi.learner_name",
    "cmi.objectives._count",
    "cmi.objectives.#.id",
    "cmi.objectives.#.success_status",
    "cmi.objectives.#.score.scaled",
    "cmi.interactions.#.id",
    "cmi.interactions.#.type",
    "cmi.interactions.#.learner_response",
    "cmi.interactions.#.result",
    "cmi.interactions.#.latency",
    "cmi.interactions.#.timestamp",
    "cmi.interactions.#.objectives.#.id",
    "cmi.interactions.#.correct_responses.#.pattern",
    "cmi.comments_from_learner.#.comment",
    "adl.data.#.store",
    "adl.nav.request",
    "adl.nav.request_valid.choice.{target=a}",
    "cmi.core.lesson_status",
    "cmi.core.lesson_location",
    "cmi.core.score.raw",
    "cmi.core.exit",
    "cmi.core.session_time",
    "cmi.core.total_time",
    "cmi.interactions.#.student_response",
    "cmi.interactions.#.time",
    "cmi.objectives.#.status",
    "cmi.comments",
];

const VALUES: [&str; 34] = [
    "",
    "0",
    "1",
    "-1",
    "0.5",
    "100",
    "99999999999999999999999999999999999999",
    ".",
    "completed",
    "incomplete",
    "not attempted",
    "passed",
    "failed",
    "suspend",
    "time-out",
    "logout",
    "choice",
    "true-false",
    "sequencing",
    "performance",
    "numeric",
    "matching",
    "a[,]b",
    "a[,]a",
    "b[,]a",
    "a[.]b[,]c[.]d",
    "1[:]2",
    "{lang=fr}{case_matters=true}été",
    "urn:x:y",
    "PT1H2M3.45S",
    "P99999999999999999999Y",
    "2026-02-29T10:00:00.00Z",
    "0001:02:03.45",
    "{target=a}choice",
];

/// Calls of the run-time API, in any order.
pub(crate) fn data_model(bytes: &[u8]) {
    let mut source = Source(bytes);
    let edition = source.pick(&[Edition::V2004, Edition::V12]);
    let seed = |id: &str| ObjectiveSeed { id: id.to_owned(), ..ObjectiveSeed::default() };
    let store = |id: &str, read, write| DataStore {
        id: id.to_owned(),
        value: None,
        access: StoreAccess { read, write },
    };
    let launch = Launch {
        objectives: vec![seed("a"), seed("b"), seed("a")],
        stores: vec![store("open", true, true), store("closed", false, false)],
        scaled_passing_score: source.one_in(2).then_some(0.5),
        mastery_score: source.one_in(2).then_some(80.0),
        ..Launch::default()
    };
    let mut model = Model::new(edition, &launch);
    while !source.is_spent() {
        match source.byte() % 16 {
            0 => {
                // A commit: what was stored is the model of the next one.
                let snapshot = model.snapshot();
                let stored = serde_json::to_string(&snapshot).expect("is stored");
                let restored = serde_json::from_str(&stored).expect("is restored");
                let again = Model::running(edition, &launch, &restored);
                assert_eq!(again.snapshot(), snapshot);
                assert_eq!(again.interactions(), model.interactions());
                assert_eq!(again.objectives(), model.objectives());
                model = again;
            }
            1 => {
                // Terminate, and the next session.
                let outcome = model.outcome(true);
                assert!(outcome.score.scaled.is_none_or(f64::is_finite));
                let carried = model.snapshot().carried(edition, outcome.suspended);
                model = match carried {
                    Some(kept) => Model::resume(edition, &launch, &kept),
                    None => Model::new(edition, &launch),
                };
            }
            2 => {
                let element = source.text();
                let _ = model.get(&element);
                let value = source.text();
                let _ = model.set(&element, &value);
            }
            3..=5 => {
                let element = element(&mut source);
                let _ = model.get(&element);
            }
            _ => {
                let element = element(&mut source);
                let value =
                    if source.one_in(8) { source.text() } else { source.pick(&VALUES).to_owned() };
                let before = model.snapshot();
                let code = model.set(&element, &value);
                if code != 0 {
                    assert_eq!(model.snapshot(), before, "{element:?} was refused and changed");
                } else if let (kept, 0) = model.get(&element) {
                    let evaluated = element.ends_with("_status");
                    assert!(evaluated || kept == value || kept.is_empty(), "{element:?} {value:?}");
                }
            }
        }
    }
    let _ = model.outcome(false);
    // What one model took in this order, another takes, too.
    let mut other = Model::new(edition, &launch);
    let values: BTreeMap<String, String> = model.snapshot().values.into_iter().collect();
    let _ = other.apply(values.iter().map(|(element, value)| (element.as_str(), value.as_str())));
}

fn element(source: &mut Source<'_>) -> String {
    let pattern = source.pick(&ELEMENTS);
    let mut element = String::new();
    for (number, part) in pattern.split('#').enumerate() {
        if number > 0 {
            element.push_str(source.pick(&["0", "1", "2", "00", "9", "n", "-1", "10000"]));
        }
        element.push_str(part);
    }
    element
}

const CONDITIONS: [Condition; 12] = [
    Condition::Satisfied,
    Condition::ObjectiveStatusKnown,
    Condition::ObjectiveMeasureKnown,
    Condition::Completed,
    Condition::ActivityProgressKnown,
    Condition::Attempted,
    Condition::AttemptLimitExceeded,
    Condition::TimeLimitExceeded,
    Condition::OutsideAvailableTimeRange,
    Condition::ObjectiveMeasureGreaterThan,
    Condition::ObjectiveMeasureLessThan,
    Condition::Always,
];

/// A tree, and what learners, contents and the clock do with it.
pub(crate) fn sequencing(bytes: &[u8]) {
    let mut source = Source(bytes);
    let global = !source.one_in(3);
    let timed = !source.one_in(3);
    let seed = source.byte() as u64;
    let root = item(&mut source, 0, &mut 0);
    let tree = Tree::new(&root).expect("identifiers are unique and the tree is flat");
    let tree = tree.with_objectives_global_to_system(global);
    let targets: Vec<ActivityIndex> = tree.activities().collect();
    let mut now = DateTime::<Utc>::UNIX_EPOCH;
    let mut state = State::new(&tree, seed);
    let mut globals = GlobalObjectives::default();
    for _ in 0..48 {
        if source.is_spent() {
            break;
        }
        if source.one_in(4) {
            now += chrono::TimeDelta::minutes(source.byte() as i64);
        }
        let blocked = |at: ActivityIndex| at.position() == 3 && seed % 7 == 1;
        let mut engine = Engine::new(&tree).with_blocked(&blocked);
        if timed {
            engine = engine.at(now);
        }
        let promised = engine.validity(&state, &globals);
        let request = request(&mut source, &targets);
        let before = state.clone();
        let outcome = engine.navigate(&mut state, &mut globals, request);
        let succeeded = outcome.delivered.is_some()
            || outcome.ended
            || (request == Request::Continue && outcome.exception == Some(Exception::Sb22_1));
        let promise = match request {
            Request::Start => Some(promised.start),
            Request::ResumeAll => Some(promised.resume_all),
            Request::Continue => Some(promised.continue_),
            Request::Previous => Some(promised.previous),
            Request::Choice(target) => Some(promised.choice[target.position()]),
            Request::Jump(target) => Some(promised.jump[target.position()]),
            _ => None,
        };
        if let Some(promise) = promise {
            assert_eq!(promise, succeeded, "{request:?} gave {outcome:?}");
        }
        if let Some(activity) = outcome.delivered {
            assert!(tree.is_leaf(activity));
            assert_eq!(state.current(), Some(activity));
            assert!(engine.runtime_view(&state, &globals, activity).is_some());
            let report = SessionReport {
                own: status(&mut source),
                objectives: vec![("second".to_owned(), status(&mut source))],
                exit: Some(source.pick(&[Exit::Normal, Exit::Suspend, Exit::TimeOut])),
                seconds: source.byte() as f64,
                ..SessionReport::default()
            };
            assert!(engine.report(&mut state, &mut globals, activity, &report));
        } else if outcome.ended {
            assert_eq!(state.current(), None);
        } else if outcome.exception.is_some_and(|it| it.code().starts_with("NB.")) {
            assert_eq!(state, before, "a refused request changes nothing");
        }
        let statuses = engine.statuses(&state, &globals);
        for at in &targets {
            assert_eq!(engine.status(&state, &globals, *at), statuses.get(at.position()).copied());
        }
        let stored = serde_json::to_string(&state).expect("is stored");
        let mut restored: State = serde_json::from_str(&stored).expect("is restored");
        restored.fit(&tree);
        assert_eq!(restored, state);
    }
}

fn item(source: &mut Source<'_>, depth: usize, count: &mut usize) -> TreeItem {
    *count += 1;
    let mut item = TreeItem::new(format!("activity {count}"), format!("Activity {count}"));
    let sequencing = &mut item.sequencing;
    let control = &mut sequencing.control_mode;
    control.choice = !source.one_in(4);
    control.choice_exit = !source.one_in(6);
    control.flow = !source.one_in(4);
    control.forward_only = source.one_in(6);
    control.use_current_attempt_objective_info = !source.one_in(4);
    control.use_current_attempt_progress_info = !source.one_in(4);
    sequencing.rules = (0..source.byte() % 3).map(|_| rule(source)).collect();
    sequencing.objectives = vec![objective(source, true)];
    if source.one_in(2) {
        sequencing.objectives.push(objective(source, false));
    }
    sequencing.rollup.rules = (0..source.byte() % 2).map(|_| rollup_rule(source)).collect();
    sequencing.rollup.required_for_satisfied = source.pick(&[
        RollupConsideration::Always,
        RollupConsideration::IfAttempted,
        RollupConsideration::IfNotSkipped,
        RollupConsideration::IfNotSuspended,
    ]);
    sequencing.delivery.tracked = !source.one_in(8);
    sequencing.delivery.completion_set_by_content = source.one_in(4);
    sequencing.constrained_choice.constrain_choice = source.one_in(8);
    sequencing.constrained_choice.prevent_activation = source.one_in(8);
    if source.one_in(4) {
        let durations = [None, Some("PT5M"), Some("PT0S"), Some("P"), Some("PT2H")];
        let dates = [None, Some("1970-01-01T01:00:00Z"), Some("1970-01-01"), Some("later")];
        let mut text = |choices: &[Option<&str>]| source.pick(choices).map(str::to_owned);
        sequencing.limits = LimitConditions {
            attempt_limit: text(&[None, Some("2")]).map(|_| 2),
            attempt_absolute_duration: text(&durations),
            attempt_experienced_duration: text(&durations),
            activity_absolute_duration: text(&durations),
            activity_experienced_duration: text(&durations),
            begin_time: text(&dates),
            end_time: text(&dates),
        };
    }
    let timings = [Timing::Never, Timing::Once, Timing::OnEachNewAttempt];
    sequencing.randomization.selection_timing = source.pick(&timings);
    sequencing.randomization.select_count = source.one_in(2).then(|| (source.byte() % 4) as u32);
    sequencing.randomization.randomization_timing = source.pick(&timings);
    sequencing.randomization.reorder_children = source.one_in(2);
    if source.one_in(4) {
        item.completion_threshold = Some(CompletionThreshold {
            completed_by_measure: source.one_in(2),
            min_progress_measure: source.fraction(),
            progress_weight: source.fraction(),
        });
    }
    if depth < 4 && *count < 24 {
        let children = source.byte() % 5 + usize::from(depth == 0);
        item.children = (0..children).map(|_| self::item(source, depth + 1, count)).collect();
    }
    item
}

fn rule(source: &mut Source<'_>) -> SequencingRule {
    let action = source.pick(&[
        RuleAction::Skip,
        RuleAction::Disabled,
        RuleAction::HiddenFromChoice,
        RuleAction::StopForwardTraversal,
        RuleAction::ExitParent,
        RuleAction::ExitAll,
        RuleAction::Retry,
        RuleAction::RetryAll,
        RuleAction::Continue,
        RuleAction::Previous,
        RuleAction::Exit,
    ]);
    let conditions = (0..=source.byte() % 2)
        .map(|_| RuleCondition {
            referenced_objective: source.one_in(4).then(|| "second".to_owned()),
            measure_threshold: source.fraction(),
            not: source.one_in(2),
            condition: source.pick(&CONDITIONS),
        })
        .collect();
    SequencingRule {
        kind: RuleKind::PreCondition,
        combination: source.pick(&[ConditionCombination::All, ConditionCombination::Any]),
        conditions,
        action,
    }
}

fn objective(source: &mut Source<'_>, primary: bool) -> Objective {
    let maps = (0..source.byte() % 3)
        .map(|_| ObjectiveMap {
            target: format!("global {}", source.byte() % 4),
            read_satisfied_status: source.one_in(2),
            read_normalized_measure: source.one_in(2),
            write_satisfied_status: source.one_in(2),
            write_normalized_measure: source.one_in(2),
            read_completion_status: source.one_in(2),
            write_completion_status: source.one_in(2),
            ..ObjectiveMap::default()
        })
        .collect();
    Objective {
        id: Some(if primary { "first" } else { "second" }.to_owned()),
        primary,
        satisfied_by_measure: source.one_in(3),
        min_normalized_measure: source.one_in(2).then(|| source.fraction()),
        maps,
    }
}

fn rollup_rule(source: &mut Source<'_>) -> RollupRule {
    RollupRule {
        child_activity_set: source.pick(&[
            ChildActivitySet::All,
            ChildActivitySet::Any,
            ChildActivitySet::None,
            ChildActivitySet::AtLeastCount(2),
            ChildActivitySet::AtLeastPercent(0.5),
        ]),
        combination: source.pick(&[ConditionCombination::All, ConditionCombination::Any]),
        conditions: vec![RollupCondition {
            not: source.one_in(3),
            condition: source.pick(&CONDITIONS[..9]),
        }],
        action: source.pick(&[
            RollupAction::Satisfied,
            RollupAction::NotSatisfied,
            RollupAction::Completed,
            RollupAction::Incomplete,
        ]),
    }
}

fn request(source: &mut Source<'_>, targets: &[ActivityIndex]) -> Request {
    match source.byte() % 14 {
        0 | 1 => Request::Start,
        2 => Request::ResumeAll,
        3..=5 => Request::Continue,
        6 => Request::Previous,
        7 | 8 => Request::Choice(source.pick(targets)),
        9 => Request::Jump(source.pick(targets)),
        10 => Request::Exit,
        11 => Request::ExitAll,
        12 => source.pick(&[Request::Abandon, Request::AbandonAll, Request::Forward]),
        _ => Request::SuspendAll,
    }
}

fn status(source: &mut Source<'_>) -> StatusReport {
    let completion = [
        None,
        Some(CompletionStatus::Completed),
        Some(CompletionStatus::Incomplete),
        Some(CompletionStatus::NotAttempted),
        Some(CompletionStatus::Unknown),
    ];
    let success = [
        None,
        Some(SuccessStatus::Passed),
        Some(SuccessStatus::Failed),
        Some(SuccessStatus::Unknown),
    ];
    StatusReport {
        completion: source.pick(&completion),
        success: source.pick(&success),
        scaled: source.one_in(2).then(|| source.fraction()),
        progress: source.one_in(2).then(|| source.fraction()),
        ..StatusReport::default()
    }
}
