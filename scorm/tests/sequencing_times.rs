//! The time limits of activities (SN 3.5, UP.1), which SCORM leaves to the LMS: with a clock they
//! hold, without one nothing is known about them.

use chrono::{DateTime, TimeDelta, Utc};
use scorm::sequencing::definition::{
    Condition, ConditionCombination, LimitConditions, RuleAction, RuleCondition, RuleKind,
    SequencingRule,
};
use scorm::sequencing::{
    ActivityIndex, Engine, Exit, GlobalObjectives, Outcome, Request, SessionReport, State, Tree,
    TreeItem,
};

struct Player {
    tree: Tree,
    state: State,
    globals: GlobalObjectives,
    now: DateTime<Utc>,
}

/// Two activities between which one chooses; the first has these limits and rules.
fn course(limits: LimitConditions, rules: Vec<SequencingRule>) -> Player {
    let mut root = TreeItem::new("root", "Root");
    root.sequencing.control_mode.flow = true;
    let mut first = TreeItem::new("first", "First");
    first.sequencing.limits = limits;
    first.sequencing.rules = rules;
    root.children = vec![first, TreeItem::new("second", "Second")];
    let tree = Tree::new(&root).expect("a tree");
    let state = State::new(&tree, 1);
    let now = "2026-11-23T09:00:00Z".parse().expect("an instant");
    Player { tree, state, globals: GlobalObjectives::default(), now }
}

impl Player {
    fn at(&self, id: &str) -> ActivityIndex {
        self.tree.find(id).expect("an activity")
    }

    fn go(&mut self, request: Request) -> Outcome {
        let engine = Engine::new(&self.tree).at(self.now);
        let promised = engine.validity(&self.state, &self.globals);
        let outcome = engine.navigate(&mut self.state, &mut self.globals, request);
        if let Request::Choice(target) = request {
            assert_eq!(promised.choice[target.position()], outcome.delivered.is_some());
        }
        self.state = serde_json::from_str(&serde_json::to_string(&self.state).expect("stored"))
            .expect("restored");
        outcome
    }

    /// Chooses; whether it is delivered.
    fn choose(&mut self, id: &str) -> bool {
        let target = self.at(id);
        self.go(Request::Choice(target)).delivered == Some(target)
    }

    /// Time passes, of which the content counts some.
    fn spend(&mut self, id: &str, minutes: i64, experienced: i64, exit: Exit) {
        self.now += TimeDelta::minutes(minutes);
        let report = SessionReport {
            exit: Some(exit),
            seconds: (experienced * 60) as f64,
            ..SessionReport::default()
        };
        let (engine, activity) = (Engine::new(&self.tree).at(self.now), self.at(id));
        assert!(engine.report(&mut self.state, &mut self.globals, activity, &report));
    }
}

fn limits(change: impl FnOnce(&mut LimitConditions)) -> LimitConditions {
    let mut limits = LimitConditions::default();
    change(&mut limits);
    limits
}

#[test]
fn an_activity_is_open_from_its_beginning_to_its_end() {
    let mut player = course(
        limits(|limits| {
            limits.begin_time = Some("2026-11-23T10:00:00Z".to_owned());
            limits.end_time = Some("2026-11-23T13:00:00+01:00".to_owned());
        }),
        Vec::new(),
    );
    assert!(!player.choose("first"), "an hour too early");
    player.now += TimeDelta::hours(1);
    assert!(player.choose("first"), "at the first instant");
    player.now += TimeDelta::hours(2);
    player.go(Request::SuspendAll);
    player.now += TimeDelta::hours(5);
    let resumed = player.go(Request::ResumeAll);
    assert_eq!(resumed.delivered, Some(player.at("first")), "what was begun may be ended");
    assert!(player.choose("second"));
    assert!(!player.choose("first"), "afterwards it does not begin again");
}

#[test]
fn without_a_clock_nothing_limits() {
    let past = limits(|limits| {
        limits.end_time = Some("2000-01-01T00:00:00Z".to_owned());
        limits.activity_experienced_duration = Some("PT1S".to_owned());
    });
    let mut player = course(past, Vec::new());
    let (engine, first) = (Engine::new(&player.tree), player.at("first"));
    for _ in 0..2 {
        let outcome =
            engine.navigate(&mut player.state, &mut player.globals, Request::Choice(first));
        assert_eq!(outcome.delivered, Some(first));
        let report = SessionReport { seconds: 60.0, ..SessionReport::default() };
        engine.report(&mut player.state, &mut player.globals, first, &report);
    }
}

#[test]
fn the_time_experienced_over_all_attempts_runs_out() {
    let hour = limits(|limits| limits.activity_experienced_duration = Some("PT1H".to_owned()));
    let mut player = course(hour, Vec::new());
    assert!(player.choose("first"));
    player.spend("first", 300, 40, Exit::Normal);
    assert!(player.choose("second"));
    assert!(player.choose("first"), "forty minutes of sixty");
    player.spend("first", 30, 20, Exit::Normal);
    assert!(player.choose("second"));
    assert!(!player.choose("first"), "sixty of sixty");
}

#[test]
fn absolute_time_runs_while_an_attempt_is_suspended_and_not_between_attempts() {
    let hour = limits(|limits| limits.activity_absolute_duration = Some("PT1H".to_owned()));
    let mut player = course(hour.clone(), Vec::new());
    assert!(player.choose("first"));
    player.spend("first", 10, 10, Exit::Normal);
    assert!(player.choose("second"));
    player.now += TimeDelta::days(3);
    assert!(player.choose("first"), "ten minutes, then three days of something else");

    let mut player = course(hour, Vec::new());
    assert!(player.choose("first"));
    player.spend("first", 10, 10, Exit::Suspend);
    player.go(Request::SuspendAll);
    player.now += TimeDelta::days(3);
    assert!(player.go(Request::ResumeAll).delivered.is_some(), "a suspended one goes on");
    player.spend("first", 1, 1, Exit::Normal);
    assert!(player.choose("second"));
    assert!(!player.choose("first"), "three days of one hour");
}

#[test]
fn the_absolute_time_of_one_attempt_is_the_contents_affair_unless_a_rule_asks() {
    let short = limits(|limits| limits.attempt_absolute_duration = Some("PT30M".to_owned()));
    let mut player = course(short.clone(), Vec::new());
    assert!(player.choose("first"));
    player.spend("first", 45, 45, Exit::TimeOut);
    assert!(player.choose("second"));
    assert!(player.choose("first"), "who took too long once may try again");

    let rule = |condition, not| SequencingRule {
        kind: RuleKind::PreCondition,
        combination: ConditionCombination::All,
        conditions: vec![RuleCondition {
            referenced_objective: None,
            measure_threshold: 0.0,
            not,
            condition,
        }],
        action: RuleAction::Disabled,
    };
    let mut player = course(short, vec![rule(Condition::TimeLimitExceeded, false)]);
    assert!(player.choose("first"));
    player.spend("first", 45, 45, Exit::Normal);
    assert!(player.choose("second"));
    assert!(!player.choose("first"), "the rule closes it");

    let open = limits(|limits| limits.begin_time = Some("2026-11-23T10:00:00Z".to_owned()));
    let mut player = course(open, vec![rule(Condition::OutsideAvailableTimeRange, true)]);
    player.now += TimeDelta::hours(2);
    assert!(!player.choose("first"), "closed inside the range, as the rule wants");
}

#[test]
fn a_limit_nobody_can_read_does_not_limit() {
    let odd = limits(|limits| {
        limits.begin_time = Some("next week".to_owned());
        limits.end_time = Some("2026-99-99".to_owned());
        limits.activity_experienced_duration = Some("one hour".to_owned());
    });
    let mut player = course(odd, Vec::new());
    assert!(player.choose("first"));
    player.spend("first", 90, 90, Exit::Normal);
    assert!(player.choose("second"));
    assert!(player.choose("first"));
}

#[test]
fn a_cluster_has_experienced_what_lies_below_it() {
    let mut player = course(LimitConditions::default(), Vec::new());
    assert!(player.choose("first"));
    player.spend("first", 10, 7, Exit::Normal);
    assert!(player.choose("second"));
    player.spend("second", 10, 5, Exit::Normal);
    assert!((player.state.seconds(ActivityIndex::ROOT) - 12.0 * 60.0).abs() < 1e-9);
}
