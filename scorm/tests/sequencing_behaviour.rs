//! Behaviour the official cases do not reach, one sentence a test.

use scorm::sequencing::definition::{
    Condition, ConditionCombination, RuleAction, RuleCondition, RuleKind, SequencingRule, Timing,
};
use scorm::sequencing::{
    ActivityIndex, CompletionStatus, DataMap, Engine, Exception, Exit, GlobalObjectives, Request,
    SessionReport, SharedData, State, StatusReport, SuccessStatus, Tree, TreeItem,
    request_after_session,
};

/// A root over `count` leaves that flows and lets choose.
fn course(count: usize) -> TreeItem {
    let mut root = TreeItem::new("root", "Course").with_free_navigation();
    root.sequencing.control_mode.flow = true;
    root.children = (1..=count)
        .map(|number| {
            let mut leaf = TreeItem::new(format!("leaf {number}"), format!("Leaf {number}"));
            leaf.resource = Some("resource".to_owned());
            leaf
        })
        .collect();
    root
}

fn rule(kind: RuleKind, condition: Condition, action: RuleAction) -> SequencingRule {
    SequencingRule {
        kind,
        combination: ConditionCombination::All,
        conditions: vec![RuleCondition {
            referenced_objective: None,
            measure_threshold: 0.0,
            not: false,
            condition,
        }],
        action,
    }
}

struct Player<'a> {
    engine: Engine<'a>,
    tree: &'a Tree,
    state: State,
    globals: GlobalObjectives,
}

impl<'a> Player<'a> {
    fn new(tree: &'a Tree) -> Self {
        Self {
            engine: Engine::new(tree),
            tree,
            state: State::new(tree, 42),
            globals: GlobalObjectives::default(),
        }
    }

    /// The identifier of what is delivered, or the exception's code, or "ended" or "choose".
    fn go(&mut self, request: Request) -> String {
        let outcome = self.engine.navigate(&mut self.state, &mut self.globals, request);
        match (outcome.delivered, outcome.exception) {
            (Some(activity), _) => self.tree.id(activity).unwrap_or_default().to_owned(),
            (None, Some(exception)) => exception.code().to_owned(),
            (None, None) if outcome.ended => "ended".to_owned(),
            (None, None) => "choose".to_owned(),
        }
    }

    fn say(&mut self, own: StatusReport, exit: Option<Exit>) {
        let current = self.state.current().expect("something is delivered");
        let report = SessionReport { own, exit, seconds: 60.0, ..SessionReport::default() };
        assert!(self.engine.report(&mut self.state, &mut self.globals, current, &report));
    }

    fn at(&self, id: &str) -> ActivityIndex {
        self.tree.find(id).expect("exists")
    }
}

#[test]
fn suspend_all_comes_back_to_the_same_attempt() {
    let tree = Tree::new(&course(3)).expect("a tree");
    let mut player = Player::new(&tree);
    assert_eq!(player.go(Request::Start), "leaf 1");
    assert_eq!(player.go(Request::Continue), "leaf 2");
    player.say(StatusReport::default(), Some(Exit::Suspend));
    assert_eq!(player.go(Request::SuspendAll), "ended");
    assert_eq!(player.state.suspended(), Some(player.at("leaf 2")));
    let outcome = player.engine.begin(&mut player.state, &mut player.globals);
    let second = player.at("leaf 2");
    assert_eq!(outcome.delivered, Some(second));
    assert_eq!(player.state.attempts(second), 1);
    let view = player.engine.runtime_view(&player.state, &player.globals, second);
    assert!(view.expect("a view").resume);
}

#[test]
fn walking_off_the_end_ends_the_session_and_the_course_is_complete() {
    let tree = Tree::new(&course(2)).expect("a tree");
    let mut player = Player::new(&tree);
    assert_eq!(player.go(Request::Start), "leaf 1");
    assert_eq!(player.go(Request::Continue), "leaf 2");
    assert_eq!(player.go(Request::Continue), "ended");
    let status = player.engine.status(&player.state, &player.globals, ActivityIndex::ROOT);
    assert_eq!(status.and_then(|it| it.completed), Some(true));
    assert!(!player.state.is_active(ActivityIndex::ROOT));
    assert_eq!(player.go(Request::Start), "leaf 1");
    assert_eq!(player.state.attempts(ActivityIndex::ROOT), 2);
}

#[test]
fn what_the_content_says_is_rolled_up_before_the_attempt_ends() {
    let tree = Tree::new(&course(1)).expect("a tree");
    let mut player = Player::new(&tree);
    player.go(Request::Start);
    let said = StatusReport {
        completion: Some(CompletionStatus::Completed),
        success: Some(SuccessStatus::Failed),
        scaled: Some(0.4),
        ..StatusReport::default()
    };
    player.say(said, None);
    let status = player.engine.status(&player.state, &player.globals, ActivityIndex::ROOT);
    let status = status.expect("a status");
    assert_eq!(
        (status.completed, status.satisfied, status.measure),
        (Some(true), Some(false), Some(0.4))
    );
}

#[test]
fn time_is_counted_once_however_often_it_is_reported() {
    let tree = Tree::new(&course(1)).expect("a tree");
    let mut player = Player::new(&tree);
    player.go(Request::Start);
    let leaf = player.at("leaf 1");
    for (seconds, seconds_reported) in [(30.0, 0.0), (90.0, 30.0)] {
        let report = SessionReport { seconds, seconds_reported, ..SessionReport::default() };
        player.engine.report(&mut player.state, &mut player.globals, leaf, &report);
    }
    assert!((player.state.seconds(leaf) - 90.0).abs() < 1e-9);
}

#[test]
fn without_sequencing_a_status_lasts_over_sessions() {
    let tree = Tree::new(&course(2).with_free_navigation()).expect("a tree");
    let mut player = Player::new(&tree);
    let completed =
        StatusReport { completion: Some(CompletionStatus::Completed), ..StatusReport::default() };
    player.go(Request::Start);
    player.say(completed, Some(Exit::Normal));
    assert_eq!(player.go(Request::ExitAll), "ended");
    player.go(Request::Start);
    let second = player.at("leaf 2");
    assert_eq!(player.go(Request::Choice(second)), "leaf 2");
    player.say(completed, Some(Exit::Normal));
    assert_eq!(player.go(Request::ExitAll), "ended");
    let toc = player.engine.toc(&player.state, &player.globals);
    assert!(toc.iter().all(|entry| entry.completed == Some(true)), "{toc:?}");
}

#[test]
fn retry_all_starts_again_from_the_first_activity() {
    let mut root = course(2);
    let last = root.children.last_mut().expect("two");
    last.sequencing.rules.push(rule(
        RuleKind::PostCondition,
        Condition::Always,
        RuleAction::RetryAll,
    ));
    let tree = Tree::new(&root).expect("a tree");
    let mut player = Player::new(&tree);
    player.go(Request::Start);
    player.go(Request::Continue);
    assert_eq!(player.go(Request::Continue), "leaf 1");
    assert_eq!(player.state.attempts(ActivityIndex::ROOT), 2);
}

#[test]
fn an_attempt_limit_of_one_closes_the_activity_behind_the_learner() {
    let mut root = course(2);
    root.children[0].sequencing.limits.attempt_limit = Some(1);
    let tree = Tree::new(&root).expect("a tree");
    let mut player = Player::new(&tree);
    player.go(Request::Start);
    player.go(Request::Continue);
    let first = player.at("leaf 1");
    let validity = player.engine.validity(&player.state, &player.globals);
    assert!(!validity.choice[first.position()] && !validity.previous);
    assert_eq!(player.go(Request::Choice(first)), "DB.1.1-3");
}

#[test]
fn a_root_that_does_not_flow_asks_the_learner_to_choose() {
    let mut root = course(2);
    root.sequencing.control_mode.flow = false;
    let tree = Tree::new(&root).expect("a tree");
    let engine = Engine::new(&tree);
    let mut state = State::new(&tree, 0);
    let mut globals = GlobalObjectives::default();
    let outcome = engine.begin(&mut state, &mut globals);
    assert!(outcome.show_choice);
    assert_eq!(outcome.exception, Some(Exception::Sb22_1));
    let toc = engine.toc(&state, &globals);
    assert!(toc.iter().skip(1).all(|entry| entry.selectable));
}

#[test]
fn blocked_items_are_passed_over_and_cannot_be_chosen() {
    let tree = Tree::new(&course(3)).expect("a tree");
    let second = tree.find("leaf 2").expect("exists");
    let blocked = |activity: ActivityIndex| activity == second;
    let mut player = Player::new(&tree);
    player.engine = player.engine.with_blocked(&blocked);
    assert_eq!(player.go(Request::Start), "leaf 1");
    assert!(!player.engine.validity(&player.state, &player.globals).choice[second.position()]);
    assert_eq!(player.go(Request::Continue), "leaf 3");
}

#[test]
fn the_same_seed_selects_and_orders_the_same_children() {
    let mut root = course(20);
    root.sequencing.randomization.selection_timing = Timing::Once;
    root.sequencing.randomization.select_count = Some(5);
    root.sequencing.randomization.randomization_timing = Timing::OnEachNewAttempt;
    root.sequencing.randomization.reorder_children = true;
    let tree = Tree::new(&root).expect("a tree");
    let walk = |seed| {
        let mut player = Player::new(&tree);
        player.state = State::new(&tree, seed);
        let mut met = vec![player.go(Request::Start)];
        while met.last().is_some_and(|it| it != "ended") {
            met.push(player.go(Request::Continue));
        }
        met
    };
    assert_eq!(walk(1), walk(1));
    assert_ne!(walk(1), walk(2));
    assert_eq!(walk(1).len(), 6);
}

#[test]
fn an_abandoned_attempt_leaves_no_status() {
    let tree = Tree::new(&course(2)).expect("a tree");
    let mut player = Player::new(&tree);
    player.go(Request::Start);
    assert_eq!(player.go(Request::Abandon), "choose");
    let leaf = player.at("leaf 1");
    let status = player.engine.status(&player.state, &player.globals, leaf).expect("a status");
    assert_eq!(status.completed, None);
}

#[test]
fn the_learner_outranks_the_content_and_a_time_out_outranks_both() {
    let (learner, content) = (Some(Request::Previous), Some(Request::Continue));
    assert_eq!(request_after_session(learner, content, Exit::Normal), learner);
    assert_eq!(request_after_session(None, content, Exit::Suspend), content);
    assert_eq!(request_after_session(learner, content, Exit::TimeOut), Some(Request::ExitAll));
    assert_eq!(request_after_session(None, None, Exit::Normal), None);
}

#[test]
fn shared_data_is_written_through_writable_maps_only() {
    let mut root = course(1);
    root.children[0].data_maps = vec![
        DataMap { target: "notes".to_owned(), read: true, write: true },
        DataMap { target: "limits".to_owned(), read: true, write: false },
    ];
    let tree = Tree::new(&root).expect("a tree");
    let leaf = tree.find("leaf 1").expect("exists");
    let mut data = SharedData::default();
    assert!(data.write(&tree, leaf, "notes", "kept".to_owned()));
    assert!(!data.write(&tree, leaf, "limits", "refused".to_owned()));
    assert!(!data.write(&tree, leaf, "unknown", "refused".to_owned()));
    let stores = data.stores(&tree, leaf);
    assert_eq!(stores.len(), 2);
    assert_eq!(stores[0].value, Some("kept"));
    assert_eq!(stores[1].value, None);
}

#[test]
fn an_untracked_activity_records_nothing() {
    let mut root = course(1);
    root.children[0].sequencing.delivery.tracked = false;
    let tree = Tree::new(&root).expect("a tree");
    let mut player = Player::new(&tree);
    player.go(Request::Start);
    let said = StatusReport { success: Some(SuccessStatus::Passed), ..StatusReport::default() };
    player.say(said, Some(Exit::Normal));
    player.go(Request::ExitAll);
    let leaf = player.at("leaf 1");
    let status = player.engine.status(&player.state, &player.globals, leaf).expect("a status");
    assert_eq!(status.satisfied, None);
    assert_eq!(player.state.attempts(leaf), 0);
}
