//! What holds for every tree, state and request: nothing panics or hangs, and what the engine
//! promises is what it does.

use scorm::sequencing::definition::{
    ChildActivitySet, CompletionThreshold, Condition, ConditionCombination, LimitConditions,
    Objective, ObjectiveMap, RollupAction, RollupCondition, RollupConsideration, RollupRule,
    RuleAction, RuleCondition, RuleKind, SequencingRule, Timing,
};
use scorm::sequencing::{
    ActivityIndex, CompletionStatus, Engine, Exception, Exit, GlobalObjectives, Request,
    SessionReport, State, StatusReport, SuccessStatus, Tree, TreeItem,
};

/// SplitMix64 with the few questions these tests ask.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }

    fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    fn fraction(&mut self) -> f64 {
        self.below(11) as f64 / 10.0
    }
}

const CONDITIONS: [Condition; 9] = [
    Condition::Satisfied,
    Condition::ObjectiveStatusKnown,
    Condition::ObjectiveMeasureKnown,
    Condition::Completed,
    Condition::ActivityProgressKnown,
    Condition::Attempted,
    Condition::AttemptLimitExceeded,
    Condition::ObjectiveMeasureGreaterThan,
    Condition::Always,
];

fn rule(dice: &mut Dice) -> SequencingRule {
    let action = dice.pick(&[
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
    let conditions = (0..=dice.below(2))
        .map(|_| RuleCondition {
            referenced_objective: dice.one_in(4).then(|| "second".to_owned()),
            measure_threshold: dice.fraction(),
            not: dice.one_in(2),
            condition: dice.pick(&CONDITIONS),
        })
        .collect();
    SequencingRule {
        kind: RuleKind::PreCondition,
        combination: dice.pick(&[ConditionCombination::All, ConditionCombination::Any]),
        conditions,
        action,
    }
}

fn objective(dice: &mut Dice, primary: bool) -> Objective {
    let maps = (0..dice.below(3))
        .map(|_| ObjectiveMap {
            target: format!("global {}", dice.below(4)),
            read_satisfied_status: dice.one_in(2),
            read_normalized_measure: dice.one_in(2),
            write_satisfied_status: dice.one_in(2),
            write_normalized_measure: dice.one_in(2),
            read_completion_status: dice.one_in(2),
            write_completion_status: dice.one_in(2),
            write_progress_measure: dice.one_in(2),
            ..ObjectiveMap::default()
        })
        .collect();
    Objective {
        id: Some(if primary { "first" } else { "second" }.to_owned()),
        primary,
        satisfied_by_measure: dice.one_in(3),
        min_normalized_measure: dice.one_in(2).then(|| dice.fraction()),
        maps,
    }
}

fn rollup_rule(dice: &mut Dice) -> RollupRule {
    RollupRule {
        child_activity_set: dice.pick(&[
            ChildActivitySet::All,
            ChildActivitySet::Any,
            ChildActivitySet::None,
            ChildActivitySet::AtLeastCount(2),
            ChildActivitySet::AtLeastPercent(0.5),
        ]),
        combination: dice.pick(&[ConditionCombination::All, ConditionCombination::Any]),
        conditions: vec![RollupCondition {
            not: dice.one_in(3),
            condition: dice.pick(&CONDITIONS[..7]),
        }],
        action: dice.pick(&[
            RollupAction::Satisfied,
            RollupAction::NotSatisfied,
            RollupAction::Completed,
            RollupAction::Incomplete,
        ]),
    }
}

fn item(dice: &mut Dice, depth: usize, count: &mut usize) -> TreeItem {
    *count += 1;
    let mut item = TreeItem::new(format!("activity {count}"), format!("Activity {count}"));
    let sequencing = &mut item.sequencing;
    let control = &mut sequencing.control_mode;
    control.choice = !dice.one_in(4);
    control.choice_exit = !dice.one_in(6);
    control.flow = !dice.one_in(4);
    control.forward_only = dice.one_in(6);
    control.use_current_attempt_objective_info = !dice.one_in(4);
    control.use_current_attempt_progress_info = !dice.one_in(4);
    if dice.one_in(2) {
        sequencing.rules = (0..dice.below(3)).map(|_| rule(dice)).collect();
    }
    sequencing.objectives = vec![objective(dice, true)];
    if dice.one_in(2) {
        sequencing.objectives.push(objective(dice, false));
    }
    sequencing.rollup.rules = (0..dice.below(2)).map(|_| rollup_rule(dice)).collect();
    sequencing.rollup.required_for_satisfied = dice.pick(&[
        RollupConsideration::Always,
        RollupConsideration::IfAttempted,
        RollupConsideration::IfNotSkipped,
        RollupConsideration::IfNotSuspended,
    ]);
    sequencing.rollup.measure_satisfaction_if_active = !dice.one_in(4);
    sequencing.delivery.tracked = !dice.one_in(8);
    sequencing.delivery.completion_set_by_content = dice.one_in(4);
    sequencing.delivery.objective_set_by_content = dice.one_in(4);
    sequencing.constrained_choice.constrain_choice = dice.one_in(8);
    sequencing.constrained_choice.prevent_activation = dice.one_in(8);
    if dice.one_in(6) {
        sequencing.limits =
            LimitConditions { attempt_limit: Some(dice.below(3) as u32), ..Default::default() };
    }
    let timings = [Timing::Never, Timing::Once, Timing::OnEachNewAttempt];
    sequencing.randomization.selection_timing = dice.pick(&timings);
    sequencing.randomization.select_count = dice.one_in(2).then(|| dice.below(4) as u32);
    sequencing.randomization.randomization_timing = dice.pick(&timings);
    sequencing.randomization.reorder_children = dice.one_in(2);
    if dice.one_in(4) {
        item.completion_threshold = Some(CompletionThreshold {
            completed_by_measure: dice.one_in(2),
            min_progress_measure: dice.fraction(),
            progress_weight: dice.fraction(),
        });
    }
    if depth < 4 && *count < 40 {
        let children = if depth == 0 { 1 + dice.below(5) } else { dice.below(5) };
        item.children = (0..children).map(|_| self::item(dice, depth + 1, count)).collect();
    }
    item
}

fn request(dice: &mut Dice, tree: &Tree) -> Request {
    let activities: Vec<ActivityIndex> = tree.activities().collect();
    match dice.below(14) {
        0 | 1 => Request::Start,
        2 => Request::ResumeAll,
        3..=5 => Request::Continue,
        6 => Request::Previous,
        7 | 8 => Request::Choice(dice.pick(&activities)),
        9 => Request::Jump(dice.pick(&activities)),
        10 => Request::Exit,
        11 => Request::ExitAll,
        12 => dice.pick(&[Request::Abandon, Request::AbandonAll, Request::Forward]),
        _ => Request::SuspendAll,
    }
}

fn status(dice: &mut Dice) -> StatusReport {
    StatusReport {
        completion: dice.one_in(2).then(|| {
            dice.pick(&[
                CompletionStatus::Completed,
                CompletionStatus::Incomplete,
                CompletionStatus::NotAttempted,
                CompletionStatus::Unknown,
            ])
        }),
        success: dice.one_in(2).then(|| {
            dice.pick(&[SuccessStatus::Passed, SuccessStatus::Failed, SuccessStatus::Unknown])
        }),
        scaled: dice.one_in(2).then(|| dice.fraction()),
        progress: dice.one_in(2).then(|| dice.fraction()),
        ..StatusReport::default()
    }
}

#[test]
fn validity_is_what_really_happens_on_random_trees() {
    let mut deliveries = 0;
    for seed in 0..400 {
        let mut dice = Dice(seed);
        let tree = Tree::new(&item(&mut dice, 0, &mut 0)).expect("a tree");
        let tree = tree.with_objectives_global_to_system(seed % 3 != 0);
        let engine = Engine::new(&tree);
        let mut state = State::new(&tree, seed);
        let mut globals = GlobalObjectives::default();
        for _ in 0..40 {
            let promised = engine.validity(&state, &globals);
            let request = request(&mut dice, &tree);
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
                assert_eq!(promise, succeeded, "seed {seed}: {request:?} gave {outcome:?}");
            }
            if let Some(activity) = outcome.delivered {
                deliveries += 1;
                assert!(tree.is_leaf(activity));
                assert_eq!(state.current(), Some(activity));
                assert!(engine.runtime_view(&state, &globals, activity).is_some());
                let report = SessionReport {
                    own: status(&mut dice),
                    objectives: vec![("second".to_owned(), status(&mut dice))],
                    exit: Some(dice.pick(&[Exit::Normal, Exit::Suspend])),
                    ..SessionReport::default()
                };
                assert!(engine.report(&mut state, &mut globals, activity, &report));
            } else if outcome.ended {
                assert_eq!(state.current(), None);
            } else if outcome.exception.is_some_and(|it| it.code().starts_with("NB.")) {
                assert_eq!(state, before, "a refused request changes nothing");
            }
            let toc = engine.toc(&state, &globals);
            assert_eq!(toc.len(), tree.len());
            let stored = serde_json::to_string(&state).expect("stored");
            let mut restored: State = serde_json::from_str(&stored).expect("restored");
            restored.fit(&tree);
            assert_eq!(restored, state);
        }
    }
    assert!(deliveries > 1_000, "{deliveries} deliveries prove little");
}

#[test]
fn a_state_of_another_tree_is_mended() {
    let mut dice = Dice(1);
    let large = Tree::new(&item(&mut dice, 0, &mut 0)).expect("a tree");
    let small = Tree::new(&TreeItem::new("only", "Only")).expect("a tree");
    let mut state = State::new(&large, 1);
    let mut globals = GlobalObjectives::default();
    let _ = Engine::new(&large).navigate(&mut state, &mut globals, Request::Start);
    let _ = Engine::new(&small).navigate(&mut state, &mut globals, Request::Continue);
    let outcome = Engine::new(&large).navigate(&mut state, &mut globals, Request::ExitAll);
    assert!(outcome.ended || outcome.exception.is_some());
}

#[test]
fn ten_thousand_skipped_activities_end_the_course_at_once() {
    let mut root = TreeItem::new("root", "Root");
    root.sequencing.control_mode.flow = true;
    root.children = (0..10_000)
        .map(|number| {
            let mut child = TreeItem::new(format!("item {number}"), "Item");
            child.sequencing.rules.push(SequencingRule {
                kind: RuleKind::PreCondition,
                combination: ConditionCombination::All,
                conditions: vec![RuleCondition {
                    referenced_objective: None,
                    measure_threshold: 0.0,
                    not: false,
                    condition: Condition::Always,
                }],
                action: RuleAction::Skip,
            });
            child
        })
        .collect();
    let tree = Tree::new(&root).expect("a tree");
    let mut state = State::new(&tree, 0);
    let outcome =
        Engine::new(&tree).navigate(&mut state, &mut GlobalObjectives::default(), Request::Start);
    assert!(outcome.ended, "{outcome:?}");
}
