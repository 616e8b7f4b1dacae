//! The overall sequencing process (OP.1) and what a player asks around it.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::choice::ChoiceEnd;
use super::exception::Exception;
use super::navigation::{Request, SequencingRequest, TerminationRequest};
use super::report::{RuntimeView, SessionReport};
use super::requests::Sequenced;
use super::run::{Blocked, Run};
use super::state::{GlobalObjectives, ObjectiveStatus, State};
use super::tree::{ActivityIndex, Tree};

/// The sequencing engine for one tree. It holds nothing else: the state is the caller's.
#[derive(Clone, Copy)]
pub struct Engine<'a> {
    tree: &'a Tree,
    blocked: Option<Blocked<'a>>,
    /// Unix seconds.
    now: Option<i64>,
}

/// What a navigation request led to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// The activity whose content must be shown now.
    pub delivered: Option<ActivityIndex>,
    /// The sequencing session ended; the next request is a start or a resume.
    pub ended: bool,
    /// No content is under way and the session goes on: the learner has to choose from the table
    /// of contents. So it is after the start of a course whose root does not flow.
    pub show_choice: bool,
    /// Why nothing was delivered. With `show_choice` false the request changed nothing and the
    /// content on display stays.
    pub exception: Option<Exception>,
    /// A new attempt on the root began with the delivery: shared data that belongs to the attempt
    /// is to be forgotten.
    pub new_attempt: bool,
}

/// Which requests would succeed now: each is what a dry run of the real process says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Validity {
    pub start: bool,
    pub resume_all: bool,
    /// Also true when continuing ends the course, or ends the current activity before a cluster
    /// that does not flow, where the learner then has to choose (SN 3.2.3: with flow there must be
    /// a way to continue).
    #[serde(rename = "continue")]
    pub continue_: bool,
    pub previous: bool,
    pub exit: bool,
    pub exit_all: bool,
    pub abandon: bool,
    pub abandon_all: bool,
    pub suspend_all: bool,
    /// By [`ActivityIndex::position`].
    pub choice: Vec<bool>,
    /// By [`ActivityIndex::position`].
    pub jump: Vec<bool>,
}

/// One line of the table of contents.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TocEntry {
    pub activity: ActivityIndex,
    pub id: String,
    pub title: String,
    /// The root has depth 0.
    pub depth: u32,
    pub is_leaf: bool,
    /// False for what the manifest or a rule hides, and for children that were not selected.
    pub visible: bool,
    /// Whether choosing it would deliver something.
    pub selectable: bool,
    pub current: bool,
    /// `None` is unknown.
    pub completed: Option<bool>,
    /// `None` is unknown.
    pub satisfied: Option<bool>,
    /// 0.0 to 1.0.
    pub progress: Option<f64>,
    pub attempts: u32,
}

impl<'a> Engine<'a> {
    /// The engine for a tree.
    pub fn new(tree: &'a Tree) -> Self {
        Self { tree, blocked: None, now: None }
    }

    /// Keeps items for which `blocked` answers true from being delivered: they cannot be chosen,
    /// and walking through the course passes over them. SCORM 1.2's prerequisites use this.
    #[must_use]
    pub fn with_blocked(mut self, blocked: &'a (dyn Fn(ActivityIndex) -> bool + 'a)) -> Self {
        self.blocked = Some(blocked);
        self
    }

    /// Says what time it is: with it the manifest's time limits hold (SN 3.5), which SCORM leaves to
    /// the LMS. Without it durations are not measured and nothing is known about dates.
    #[must_use]
    pub fn at(mut self, now: DateTime<Utc>) -> Self {
        self.now = Some(now.timestamp());
        self
    }

    /// OP.1 for one navigation request. What the SCO said must have been given to
    /// [`Engine::report`] before, unless the attempt is abandoned.
    pub fn navigate(
        &self,
        state: &mut State,
        globals: &mut GlobalObjectives,
        request: Request,
    ) -> Outcome {
        let mut run = Run::new(self.tree, std::mem::take(state), globals, self.blocked, self.now);
        let outcome = run.overall(request);
        run.store_globals(globals);
        *state = run.state;
        outcome
    }

    /// Begins or goes on with a course: resumes what was suspended, else starts.
    pub fn begin(&self, state: &mut State, globals: &mut GlobalObjectives) -> Outcome {
        if state.suspended().is_some() {
            let outcome = self.navigate(state, globals, Request::ResumeAll);
            if outcome.delivered.is_some() {
                return outcome;
            }
        }
        self.navigate(state, globals, Request::Start)
    }

    /// Takes over what the SCO of an active activity said, at a commit or when its session ends.
    /// Answers false, changing nothing, for an activity that is not under way.
    ///
    /// Clusters are not touched: their status is rolled up when the attempt ends (SN 4.6.1);
    /// [`Engine::status`] tells it before.
    pub fn report(
        &self,
        state: &mut State,
        globals: &mut GlobalObjectives,
        activity: ActivityIndex,
        report: &SessionReport,
    ) -> bool {
        if !self.tree.is_leaf(activity) || !state.is_active(activity) {
            return false;
        }
        let mut run = Run::new(self.tree, std::mem::take(state), globals, self.blocked, self.now);
        run.map_report(activity, report);
        run.store_globals(globals);
        *state = run.state;
        true
    }

    /// What the SCO of an activity finds at its launch.
    pub fn runtime_view(
        &self,
        state: &State,
        globals: &GlobalObjectives,
        activity: ActivityIndex,
    ) -> Option<RuntimeView> {
        self.tree.contains(activity).then(|| self.dry_run(state, globals).runtime_view(activity))
    }

    /// The status of an activity as far as is known now, what the current activity said rolled up.
    /// The root's is the course's.
    pub fn status(
        &self,
        state: &State,
        globals: &GlobalObjectives,
        activity: ActivityIndex,
    ) -> Option<ObjectiveStatus> {
        self.tree.contains(activity).then(|| self.rolled_up(state, globals).objective(activity, 0))
    }

    /// The same of all activities, by [`ActivityIndex::position`], for the price of one.
    pub fn statuses(&self, state: &State, globals: &GlobalObjectives) -> Vec<ObjectiveStatus> {
        let run = self.rolled_up(state, globals);
        self.tree.activities().map(|activity| run.objective(activity, 0)).collect()
    }

    /// Which requests would succeed now.
    pub fn validity(&self, state: &State, globals: &GlobalObjectives) -> Validity {
        self.dry_run(state, globals).validity()
    }

    /// The table of contents in document order, one entry an activity.
    pub fn toc(&self, state: &State, globals: &GlobalObjectives) -> Vec<TocEntry> {
        let validity = self.validity(state, globals);
        self.toc_with(state, globals, &validity)
    }

    /// The same for a caller who knows the validity already.
    pub fn toc_with(
        &self,
        state: &State,
        globals: &GlobalObjectives,
        validity: &Validity,
    ) -> Vec<TocEntry> {
        let mut run = self.rolled_up(state, globals);
        run.only_look();
        let mut hidden = vec![false; self.tree.len()];
        self.tree
            .activities()
            .map(|activity| {
                let node = self.tree.node(activity);
                let available = activity == ActivityIndex::ROOT || run.place_of(activity).is_some();
                let under_hidden = node.parent.is_some_and(|parent| hidden[parent.position()]);
                hidden[activity.position()] = under_hidden
                    || !available
                    || run
                        .sequencing_rules_check(activity, &node.rules.hidden_from_choice)
                        .is_some();
                let visible = node.visible && !hidden[activity.position()];
                let status = run.objective(activity, 0);
                TocEntry {
                    activity,
                    id: node.id.clone(),
                    title: node.title.clone(),
                    depth: node.depth,
                    is_leaf: node.is_leaf(),
                    visible,
                    selectable: visible
                        && validity.choice.get(activity.position()).copied().unwrap_or(false),
                    current: run.state.current == Some(activity),
                    completed: status.completed,
                    satisfied: status.satisfied,
                    progress: status.progress,
                    attempts: run.of(activity).attempts,
                }
            })
            .collect()
    }

    fn dry_run(&self, state: &State, globals: &GlobalObjectives) -> Run<'a> {
        Run::new(self.tree, state.clone(), globals, self.blocked, self.now)
    }

    fn rolled_up(&self, state: &State, globals: &GlobalObjectives) -> Run<'a> {
        let mut run = self.dry_run(state, globals);
        if let Some(current) = run.state.current {
            run.overall_rollup(current);
        }
        run
    }
}

/// What a request would lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Prospect {
    /// A delivery, or the end of the session.
    Success,
    /// SB.2.2-1: a cluster that does not flow, from which the learner has to choose.
    NoFlow,
    Failure,
}

impl Run<'_> {
    /// OP.1.
    fn overall(&mut self, request: Request) -> Outcome {
        let attempts = self.of(ActivityIndex::ROOT).attempts;
        let result = self.process(request);
        let new_attempt = self.of(ActivityIndex::ROOT).attempts != attempts;
        let under_way = self.state.current.is_some_and(|current| self.of(current).active);
        match result {
            Ok(Sequenced::Deliver(activity)) => {
                Outcome { delivered: Some(activity), new_attempt, ..Outcome::default() }
            }
            Ok(Sequenced::End) => Outcome { ended: true, ..Outcome::default() },
            Ok(Sequenced::Wait) => Outcome { show_choice: true, ..Outcome::default() },
            Err(exception) => Outcome {
                show_choice: !under_way,
                exception: Some(exception),
                ..Outcome::default()
            },
        }
    }

    fn process(&mut self, request: Request) -> Result<Sequenced, Exception> {
        let (termination, mut sequencing) = self.navigation_request(request)?;
        if let Some(termination) = termination
            && let Some(replacement) = self.termination_request(termination)?
        {
            sequencing = replacement;
        }
        let Some(attempt) = self.anticipated_attempt(sequencing) else {
            return self.sequence(sequencing);
        };
        let mut anticipated = self.clone();
        anticipated.anticipate_attempt(attempt);
        let result = anticipated.sequence(sequencing);
        // Without a delivery no new attempt has begun.
        if matches!(result, Ok(Sequenced::Deliver(_))) {
            *self = anticipated;
            return result;
        }
        let outcome = match result {
            Ok(sequenced) => Ok(sequenced),
            Err(exception) => Err(ChoiceEnd::Because(exception)),
        };
        self.settle(sequencing, outcome)
    }

    /// OP.1, 1.4 and 1.5.
    fn sequence(&mut self, sequencing: SequencingRequest) -> Result<Sequenced, Exception> {
        let result = self.sequencing_request(sequencing);
        let sequenced = self.settle(sequencing, result)?;
        if let Sequenced::Deliver(activity) = sequenced {
            self.delivery_request(activity)?;
            self.content_delivery_environment(activity)?;
        }
        Ok(sequenced)
    }

    /// What a request would lead to, the terminations it needs having been processed.
    fn prospect(&self, sequencing: SequencingRequest) -> Prospect {
        match self.sequencing_request(sequencing) {
            Ok(Sequenced::Deliver(activity))
                if self.delivery_request(activity).is_ok()
                    && self.content_delivery_possible().is_ok() =>
            {
                Prospect::Success
            }
            Ok(Sequenced::End) => Prospect::Success,
            Err(ChoiceEnd::Because(Exception::Sb22_1)) => Prospect::NoFlow,
            _ => Prospect::Failure,
        }
    }

    /// The same for requests that may begin a new attempt on a cluster.
    fn prospect_anew(&self, sequencing: SequencingRequest) -> Prospect {
        let Some(attempt) = self.anticipated_attempt(sequencing) else {
            return self.prospect(sequencing);
        };
        let mut anticipated = self.clone();
        anticipated.anticipate_attempt(attempt);
        anticipated.prospect(sequencing)
    }

    /// Every request tried. All that end the current activity end it the same way, so this is done
    /// once, on a copy, and the rest only looks.
    fn validity(&mut self) -> Validity {
        // Before the session begins, a start and every choice begin the same attempt.
        if let Some(attempt) = self.anticipated_attempt(SequencingRequest::Start) {
            self.anticipate_attempt(attempt);
        }
        self.only_look();
        let this = &*self;
        let mut exited: Option<(Run<'_>, Result<Option<SequencingRequest>, Exception>)> = None;
        // With a replacement from TB.2.2 all requests come to the same.
        let mut replaced: Option<Prospect> = None;
        let mut prospect = |request: Request| -> Prospect {
            let Ok((termination, sequencing)) = this.navigation_request(request) else {
                return Prospect::Failure;
            };
            let Some(termination) = termination else { return this.prospect(sequencing) };
            if termination != TerminationRequest::Exit {
                return Prospect::Failure;
            }
            let (run, terminated) = exited.get_or_insert_with(|| {
                let mut run = this.clone();
                let terminated = run.termination_request(TerminationRequest::Exit);
                run.only_look();
                (run, terminated)
            });
            match *terminated {
                Err(_) => Prospect::Failure,
                Ok(None) => run.prospect(sequencing),
                Ok(Some(replacement)) => {
                    *replaced.get_or_insert_with(|| run.prospect_anew(replacement))
                }
            }
        };
        let continue_ = prospect(Request::Continue) != Prospect::Failure;
        let mut valid = |request| prospect(request) == Prospect::Success;
        let choice = this.tree.activities().map(|at| valid(Request::Choice(at))).collect();
        let jump = this.tree.activities().map(|at| valid(Request::Jump(at))).collect();
        let accepted = |request| this.navigation_request(request).is_ok();
        Validity {
            start: valid(Request::Start),
            resume_all: valid(Request::ResumeAll),
            continue_,
            previous: valid(Request::Previous),
            exit: accepted(Request::Exit),
            exit_all: accepted(Request::ExitAll),
            abandon: accepted(Request::Abandon),
            abandon_all: accepted(Request::AbandonAll),
            suspend_all: this.state.current.is_some_and(|current| {
                let own = this.of(current);
                own.active || own.suspended || current != ActivityIndex::ROOT
            }),
            choice,
            jump,
        }
    }
}
