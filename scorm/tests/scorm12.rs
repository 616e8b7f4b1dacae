//! SCORM 1.2: the error code of each kind of call, the published packages walked to their end, and
//! prerequisites that open one item after another.

use std::collections::HashMap;
use std::fs;
use std::io::Cursor;
use std::path::Path;

use scorm::archive::{Archive, Limits, read_entry};
use scorm::manifest::prerequisites::Status;
use scorm::manifest::{Organization, read};
use scorm::runtime::{CompletionStatus, Edition, Exit, Launch, Model, SuccessStatus};
use scorm::sequencing::{
    ActivityIndex, CompletionStatus as Completion, Engine, Exit as Leaving, GlobalObjectives,
    Outcome, Request, SessionReport, State, StatusReport, SuccessStatus as Success, Tree,
};

fn model() -> Model {
    let launch = Launch {
        learner_id: "e.martin".to_owned(),
        learner_name: "Martin, Élise".to_owned(),
        mastery_score: Some(80.0),
        max_time_allowed: Some("01:00:00".to_owned()),
        time_limit_action: Some("exit,message".to_owned()),
        ..Launch::default()
    };
    Model::new(Edition::V12, &launch)
}

/// RTE 3.4: what SetValue answers.
#[test]
fn setting_answers_with_the_code_of_what_is_wrong() {
    let mut model = model();
    for (element, value, code) in [
        // 405: out of range, or not of the type.
        ("cmi.core.score.raw", "101", 405),
        ("cmi.core.score.raw", "-0.5", 405),
        ("cmi.core.score.min", "100.01", 405),
        ("cmi.core.score.max", "1e2", 405),
        ("cmi.core.score.raw", "eighty", 405),
        ("cmi.core.lesson_status", "not attempted", 405),
        ("cmi.core.lesson_status", "Passed", 405),
        ("cmi.core.lesson_status", "", 405),
        ("cmi.core.exit", "later", 405),
        ("cmi.core.session_time", "1:00:00", 405),
        ("cmi.core.session_time", "00:60", 405),
        ("cmi.student_preference.audio", "101", 405),
        ("cmi.student_preference.text", "2", 405),
        // 403: read only.
        ("cmi.core.student_id", "x", 403),
        ("cmi.core.student_name", "x", 403),
        ("cmi.core.credit", "credit", 403),
        ("cmi.core.entry", "resume", 403),
        ("cmi.core.total_time", "00:00:01", 403),
        ("cmi.core.lesson_mode", "normal", 403),
        ("cmi.launch_data", "x", 403),
        ("cmi.comments_from_lms", "x", 403),
        ("cmi.student_data.mastery_score", "10", 403),
        ("cmi.student_data.max_time_allowed", "10:00:00", 403),
        ("cmi.student_data.time_limit_action", "exit,message", 403),
        // 402: keywords.
        ("cmi._version", "3.4", 402),
        ("cmi.core._children", "x", 402),
        ("cmi.objectives._count", "1", 402),
        // 201 and 401: nowhere.
        ("bogus", "x", 201),
        ("", "x", 201),
        ("cmi.core.bogus", "x", 401),
        ("cmi.bogus", "x", 401),
        ("cmi.core", "x", 401),
        ("cmi", "x", 401),
        ("cmi.objectives.1.id", "skips one", 201),
        ("cmi.objectives.-1.id", "x", 401),
        // 0: what is right.
        ("cmi.core.score.raw", "", 0),
        ("cmi.core.score.raw", "0", 0),
        ("cmi.core.score.raw", "100", 0),
        ("cmi.core.score.raw", "79.5", 0),
        ("cmi.core.lesson_status", "incomplete", 0),
        ("cmi.core.exit", "", 0),
        ("cmi.core.exit", "time-out", 0),
        ("cmi.core.session_time", "0001:00:00.5", 0),
        ("cmi.objectives.0.id", "first", 0),
        ("cmi.objectives.0.score.raw", "", 0),
        ("cmi.objectives.0.status", "browsed", 0),
        ("cmi.interactions.0.id", "q1", 0),
        ("cmi.suspend_data", "state", 0),
        ("cmi.comments", "said", 0),
    ] {
        assert_eq!(model.set(element, value), code, "{element} = {value:?}");
    }
}

/// RTE 3.4: what GetValue answers.
#[test]
fn getting_answers_with_the_code_of_what_is_wrong() {
    let mut model = model();
    assert_eq!(model.set("cmi.interactions.0.id", "q1"), 0);
    for (element, value, code) in [
        // 404: write only.
        ("cmi.core.exit", "", 404),
        ("cmi.core.session_time", "", 404),
        ("cmi.interactions.0.id", "", 404),
        ("cmi.interactions.0.student_response", "", 404),
        // 202 and 203: no children, no count.
        ("cmi.core.student_name._children", "", 202),
        ("cmi.core.lesson_status._count", "", 203),
        ("cmi.core.score._count", "", 203),
        ("cmi.suspend_data._count", "", 203),
        // 201 and 401: nowhere.
        ("bogus", "", 201),
        ("", "", 201),
        ("cmi.core.bogus", "", 401),
        ("cmi.objectives.0.id", "", 201),
        // 0
        ("cmi._version", "3.4", 0),
        ("cmi.core.student_id", "e.martin", 0),
        ("cmi.core.score.raw", "", 0),
        ("cmi.core.lesson_status", "not attempted", 0),
        ("cmi.objectives._count", "0", 0),
        ("cmi.interactions._count", "1", 0),
        ("cmi.core.score._children", "raw,min,max", 0),
        // The SCO ends itself when its time is over: it is told how much there is and what to do.
        ("cmi.student_data.max_time_allowed", "01:00:00", 0),
        ("cmi.student_data.time_limit_action", "exit,message", 0),
    ] {
        assert_eq!(model.get(element), (value.to_owned(), code), "{element}");
    }
}

#[test]
fn content_whose_time_is_over_leaves_and_everything_ends() {
    let mut model = model();
    assert_eq!(model.set("cmi.core.exit", "time-out"), 0);
    let outcome = model.outcome(true);
    assert_eq!((outcome.exit, outcome.suspended), (Exit::TimeOut, false));
    assert_eq!(Leaving::TimeOut.implied_request(), Some(Request::ExitAll));
}

/// A learner on a course of 1.2, as a player keeps them.
struct Learner {
    organization: Organization,
    tree: Tree,
    state: State,
    globals: GlobalObjectives,
}

impl Learner {
    fn open(package: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/packages").join(package);
        let bytes = fs::read(path).expect("a package");
        let index = Archive::inspect(Cursor::new(&bytes), &Limits::default()).expect("sound");
        let entry = index.manifest().expect("a manifest");
        let text = read_entry(Cursor::new(&bytes), entry, 20 << 20).expect("readable");
        // Some fixtures leave their content out.
        let manifest = read(&text, scorm::manifest::Files::Assumed).expect("readable").manifest;
        assert!(!manifest.edition.is_2004());
        let organization = manifest.organization().expect("a course").clone();
        let tree = Tree::of_organization_without_sequencing(&organization).expect("a tree");
        let state = State::new(&tree, 1);
        Self { organization, tree, state, globals: GlobalObjectives::default() }
    }

    fn leaves(&self) -> Vec<ActivityIndex> {
        self.tree.activities().filter(|at| self.tree.is_leaf(*at)).collect()
    }

    /// Lesson statuses by identifier, for the prerequisites.
    fn statuses(&self) -> HashMap<String, Status> {
        let known = Engine::new(&self.tree).statuses(&self.state, &self.globals);
        let status = |at: ActivityIndex| match known.get(at.position()) {
            Some(status) if status.satisfied == Some(true) => Status::Passed,
            Some(status) if status.satisfied == Some(false) => Status::Failed,
            Some(status) if status.completed == Some(true) => Status::Completed,
            Some(status) if status.completed == Some(false) => Status::Incomplete,
            _ => Status::NotAttempted,
        };
        let id = |at| self.tree.id(at).unwrap_or_default().to_owned();
        self.tree.activities().map(|at| (id(at), status(at))).collect()
    }

    fn with<T>(
        &mut self,
        act: impl FnOnce(&Engine<'_>, &mut State, &mut GlobalObjectives) -> T,
    ) -> T {
        let statuses = self.statuses();
        let items: HashMap<&str, _> = self
            .organization
            .all_items()
            .map(|item| (item.identifier.as_str(), item.prerequisites.as_ref()))
            .collect();
        let blocked = |at: ActivityIndex| {
            let script = self.tree.id(at).and_then(|id| items.get(id).copied().flatten());
            let expression = script.and_then(|script| script.expression.as_ref());
            let status = |id: &str| statuses.get(id).copied().unwrap_or(Status::NotAttempted);
            expression.is_some_and(|expression| !expression.eval(&status))
        };
        let engine = Engine::new(&self.tree).with_blocked(&blocked);
        act(&engine, &mut self.state, &mut self.globals)
    }

    fn go(&mut self, request: Request) -> Outcome {
        self.with(|engine, state, globals| engine.navigate(state, globals, request))
    }

    fn may_choose(&mut self, id: &str) -> bool {
        let at = self.tree.find(id).expect("an item");
        self.with(|engine, state, globals| engine.validity(state, globals).choice[at.position()])
    }

    /// Plays an activity's content through the data model: these values, then LMSFinish.
    fn play(&mut self, activity: ActivityIndex, values: &[(&str, &str)]) {
        let mut model = Model::new(Edition::V12, &Launch::default());
        assert_eq!(model.get("cmi.core.lesson_status").0, "not attempted");
        for (element, value) in values {
            assert_eq!(model.set(element, value), 0, "{element}");
        }
        let outcome = model.outcome(true);
        let own = StatusReport {
            completion: match outcome.completion {
                CompletionStatus::Completed => Some(Completion::Completed),
                CompletionStatus::Incomplete => Some(Completion::Incomplete),
                CompletionStatus::NotAttempted => Some(Completion::NotAttempted),
                CompletionStatus::Unknown => None,
            },
            success: match outcome.success {
                SuccessStatus::Passed => Some(Success::Passed),
                SuccessStatus::Failed => Some(Success::Failed),
                SuccessStatus::Unknown => None,
            },
            scaled: outcome.score.scaled,
            ..StatusReport::default()
        };
        let report = SessionReport { own, exit: Some(Leaving::Normal), ..SessionReport::default() };
        assert!(
            self.with(|engine, state, globals| engine.report(state, globals, activity, &report))
        );
    }
}

#[test]
fn the_golf_packages_are_walked_to_their_end() {
    for (package, count) in [
        ("golf/ContentPackagingOneFilePerSCO_SCORM12.zip", 18),
        ("golf/ContentPackagingSingleSCO_SCORM12.zip", 1),
        ("golf/RuntimeBasicCalls_SCORM12.zip", 1),
        ("golf/RuntimeMinimumCalls_SCORM12.zip", 18),
    ] {
        let mut learner = Learner::open(package);
        let leaves = learner.leaves();
        assert_eq!(leaves.len(), count, "{package}");
        let mut delivered = learner.go(Request::Start).delivered;
        for (number, leaf) in leaves.iter().enumerate() {
            assert_eq!(delivered, Some(*leaf), "{package}, step {number}");
            // What most content of 1.2 says, and what some does: nothing at all.
            let values: &[(&str, &str)] = if number % 2 == 0 {
                &[
                    ("cmi.core.lesson_location", "12"),
                    ("cmi.core.score.raw", "90"),
                    ("cmi.core.lesson_status", "completed"),
                    ("cmi.core.session_time", "00:10:00"),
                ]
            } else {
                &[]
            };
            learner.play(*leaf, values);
            let outcome = learner.go(Request::Continue);
            assert_eq!(outcome.ended, number + 1 == count, "{package}, step {number}");
            delivered = outcome.delivered;
        }
        let statuses = Engine::new(&learner.tree).statuses(&learner.state, &learner.globals);
        assert!(statuses.iter().all(|status| status.completed == Some(true)), "{package}");
    }
}

#[test]
fn prerequisites_open_one_item_after_another() {
    let mut learner = Learner::open("edge/PrerequisitesTest_SCORM12.zip");
    let waiting: Vec<String> = learner
        .organization
        .all_items()
        .filter(|item| item.prerequisites.as_ref().is_some_and(|it| it.expression.is_some()))
        .map(|item| item.identifier.clone())
        .collect();
    assert!(!waiting.is_empty());
    let closed = |learner: &mut Learner| -> Vec<String> {
        waiting.iter().filter(|id| !learner.may_choose(id)).cloned().collect()
    };
    let mut before = closed(&mut learner);
    assert!(!before.is_empty(), "at first something waits");
    let all = learner.leaves();
    let mut outcome = learner.go(Request::Start);
    let mut played = Vec::new();
    while let Some(leaf) = outcome.delivered {
        assert!(!played.contains(&leaf), "each once");
        played.push(leaf);
        learner.play(leaf, &[("cmi.core.lesson_status", "passed")]);
        let after = closed(&mut learner);
        assert!(after.iter().all(|id| before.contains(id)), "what was open stays open");
        before = after;
        outcome = learner.go(Request::Continue);
    }
    assert!(outcome.ended, "{outcome:?}");
    let left: Vec<&ActivityIndex> = all.iter().filter(|leaf| !played.contains(leaf)).collect();
    let left: Vec<&str> = left.iter().filter_map(|at| learner.tree.id(**at)).collect();
    // Only what waits for the opposite of success was passed over.
    assert!(left.iter().all(|id| waiting.iter().any(|waits| waits == id)), "{left:?}");
    assert!(played.len() > 1);
}
