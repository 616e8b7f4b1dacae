//! The server's side of the run-time API: opening the player, merging commits, navigating.
//!
//! Everything here happens inside one unit of work that holds the attempt's row. A commit carries a
//! sequence number and is merged once; what it completes is recorded in the same transaction.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use scorm::manifest::prerequisites::Status;
use scorm::runtime::{
    self as model, Edition, Model, ObjectiveSeed, RequestValid, credited_session_time,
};
use scorm::sequencing::{
    ActivityIndex, CompletionStatus, Engine, Exit, Request, SessionReport, State, StatusReport,
    SuccessStatus, TocEntry, Validity,
};
use sqlx::types::Json;

use super::learner::Held;
use super::messages::{Commit, CommitAnswer, Delivery, Opened};
use super::packages::Package;
use super::progress::{Mode, Place, Progress, Session};
use super::store::{self, ActivityData};
use super::{Attempt, Enrolment};
use crate::db::{self, Tx};
use crate::people::{self, Person};

#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    #[error("the token plays nothing any more: the course was opened elsewhere")]
    Superseded,
    #[error("a commit before this one has not arrived yet")]
    TooEarly,
    #[error("the course went on in another browser")]
    Overtaken,
    #[error("a commit holds {0} pairs")]
    TooManyPairs(usize),
    #[error("the package has no activity {0:?}")]
    UnknownActivity(String),
    #[error(transparent)]
    Navigate(#[from] NavigateError),
    #[error(transparent)]
    Database(#[from] db::Error),
}

#[derive(Debug, thiserror::Error)]
pub enum NavigateError {
    #[error("{0:?} is no navigation request")]
    Unknown(String),
}

/// The attempt being played, with all it takes to move it.
pub(super) struct Play<'a> {
    pub(super) package: &'a Package,
    pub(super) attempt: Attempt,
    pub(super) enrolment: Enrolment,
    pub(super) person: Person,
    pub(super) now: DateTime<Utc>,
    /// What belongs to the learner, as it was at the beginning.
    pub(super) held: Held,
    /// The table of contents as it was stored: nothing moves after that.
    pub(super) shown: Option<(Vec<TocEntry>, Validity)>,
}

impl<'a> Play<'a> {
    /// Takes the attempt that `token_hash` plays on the host of `label`.
    pub(super) async fn take(
        tx: &mut Tx,
        package: &'a Package,
        token_hash: &str,
        label: &str,
        now: DateTime<Utc>,
    ) -> Result<Self, RuntimeError> {
        let attempt = store::take_attempt(tx, token_hash, label, now)
            .await?
            .filter(|attempt| attempt.course_version_id == package.id)
            .ok_or(RuntimeError::Superseded)?;
        let enrolment = store::enrolment_by_id(tx, attempt.enrolment_id).await?;
        let person = people::find(tx, enrolment.person_id).await?;
        let held = Held::default();
        let mut play = Self { package, attempt, enrolment, person, now, held, shown: None };
        play.recall(tx).await?;
        Ok(play)
    }

    /// Begins, or goes on where the learner was.
    pub(super) async fn open(mut self, tx: &mut Tx, mode: Mode) -> Result<Opened, RuntimeError> {
        let sequence = self.attempt.sequence;
        self.suspend(tx).await?;
        self.attempt.state.begin_run(sequence);
        self.attempt.state.set_mode(mode);
        self.resume(tx).await
    }

    /// Shows what is to be shown now: the activity that was suspended, else the first.
    async fn resume(mut self, tx: &mut Tx) -> Result<Opened, RuntimeError> {
        self.suspend(tx).await?;
        #[expect(
            clippy::redundant_closure_for_method_calls,
            reason = "the method is of one lifetime, the closure of any"
        )]
        let outcome = self.with_engine(|engine, state, globals| engine.begin(state, globals));
        let delivery = self.deliver(tx, outcome.delivered).await?;
        self.finish(tx).await?;
        Ok(self.opened(delivery, outcome.ended))
    }

    /// A session that is still noted vanished with its tab: it is suspended, to be resumed.
    async fn suspend(&mut self, tx: &mut Tx) -> Result<(), RuntimeError> {
        if self.attempt.state.session.is_some() {
            self.end_session(tx, true).await?;
            self.navigate(Request::SuspendAll);
        }
        Ok(())
    }

    /// The learner asks: continue, previous, choice, exit, suspend.
    pub(super) async fn go(
        mut self,
        tx: &mut Tx,
        request: &str,
        target: Option<&str>,
        from: Option<&str>,
    ) -> Result<Opened, RuntimeError> {
        let request = self.request(request, target)?;
        let stage = self.attempt.state.session.as_ref().map(|session| session.activity.as_str());
        if from.is_some() && stage.is_some() && from != stage {
            // The answer to an earlier request was lost: it has been followed already.
            return self.resume(tx).await;
        }
        let suspends = matches!(request, Request::SuspendAll | Request::ExitAll);
        let stayed = self.attempt.state.session.as_ref().map(|session| session.activity.clone());
        self.end_session(tx, suspends).await?;
        let outcome = self.navigate(request);
        if let (true, Some(activity)) = (outcome.ended, &stayed) {
            self.keep_for_return(tx, activity).await?;
        }
        // Refused: what was shown before is shown again.
        let back = stayed.filter(|_| outcome.exception.is_some() && !outcome.ended);
        let target = match back {
            Some(activity) => self.package.tree.find(&activity),
            None => outcome.delivered,
        };
        let delivery = self.deliver(tx, target).await?;
        self.finish(tx).await?;
        Ok(self.opened(delivery, outcome.ended))
    }

    /// Merges a commit, once.
    pub(super) async fn commit(
        mut self,
        tx: &mut Tx,
        commit: &Commit,
    ) -> Result<CommitAnswer, RuntimeError> {
        if let Err(pairs) = commit.delta.fits() {
            return Err(RuntimeError::TooManyPairs(pairs));
        }
        let index = self
            .package
            .tree
            .find(&commit.activity)
            .ok_or_else(|| RuntimeError::UnknownActivity(commit.activity.clone()))?;
        let run = commit.run.unwrap_or(self.attempt.state.run);
        match self.attempt.state.place(run, commit.seq, &commit.activity) {
            Place::Next => {}
            Place::Merged => return self.again(tx, commit).await,
            Place::TooEarly => return Err(RuntimeError::TooEarly),
            Place::Overtaken => return Err(RuntimeError::Overtaken),
        }
        self.attempt.sequence = self.attempt.sequence.max(commit.seq);
        self.attempt.state.merged.insert(run, commit.seq);
        self.attempt.state.writers.insert(commit.activity.clone(), run);
        let late = run != self.attempt.state.run;
        let merged = if late && self.looks_aside() {
            // Said in an opening that counts, before the present one that does not.
            self.attempt.state.exchange();
            let aside = self.attempt.state.aside.take();
            let merged = self.merge(tx, index, commit).await?;
            self.finish(tx).await?;
            self.attempt.state.aside = aside;
            self.attempt.state.exchange();
            self.shown = None;
            merged
        } else {
            self.merge(tx, index, commit).await?
        };
        let (mut delivery, mut ended) = (None, false);
        if commit.last && merged.is_current && !commit.leaving && !late {
            let asked = merged.navigation.as_deref().and_then(|text| self.content_request(text));
            if let Some(request) = asked.or(merged.implied) {
                let outcome = self.navigate(request);
                if outcome.exception.is_none() || outcome.ended {
                    self.attempt.state.session = None;
                    if outcome.ended {
                        self.keep_for_return(tx, &commit.activity).await?;
                    }
                    delivery = self.deliver(tx, outcome.delivered).await?;
                    ended = outcome.ended;
                }
            }
        }
        self.finish(tx).await?;
        Ok(self.answer(commit.seq, delivery, ended))
    }

    /// Answers a commit that was merged before. If it led elsewhere and nobody heard of it, the
    /// answer leads there again.
    async fn again(mut self, tx: &mut Tx, commit: &Commit) -> Result<CommitAnswer, RuntimeError> {
        let stage = self.attempt.state.session.as_ref().map(|session| session.activity.clone());
        let moved = stage.filter(|stage| *stage != commit.activity);
        let mut delivery = None;
        if let (true, false, Some(stage)) = (commit.last, commit.leaving, moved) {
            let index = self.package.tree.find(&stage);
            self.end_session(tx, true).await?;
            delivery = self.deliver(tx, index).await?;
            self.finish(tx).await?;
        }
        Ok(self.answer(commit.seq, delivery, false))
    }

    /// Applies the delta to the activity's data and tells the engine.
    async fn merge(
        &mut self,
        tx: &mut Tx,
        index: ActivityIndex,
        commit: &Commit,
    ) -> Result<Merged, RuntimeError> {
        let mut data = self.data(tx, &commit.activity).await?.unwrap_or_default();
        let mut model = self.running_model(index, &data);
        let refusals = model.apply(commit.delta.pairs());
        if !refusals.is_empty() {
            tracing::warn!(
                attempt = %self.attempt.id,
                refusals = refusals.len(),
                first = refusals[0].element,
                "a commit holds values that the data model refuses"
            );
        }
        for shared in model.stores() {
            if let (true, Some(value)) = (shared.access.write, shared.value) {
                self.attempt.state.shared.0.insert(shared.id, value);
            }
        }
        let outcome = model.outcome(commit.last);
        let is_current =
            self.attempt.state.session.as_ref().is_some_and(|s| s.activity == commit.activity);
        let seconds = self.session_seconds(&commit.activity, commit.session_seconds);
        self.report(index, &model, &outcome, commit.last.then_some(()), seconds);
        if commit.last {
            data.seconds += seconds as i64;
            data.suspended = outcome.suspended;
            if let Some(session) = self.current_session(&commit.activity) {
                session.terminated = true;
            }
        }
        data.model = Json(model.snapshot());
        self.save_data(tx, &commit.activity, &data).await?;
        let implied = exit_of(outcome.exit).implied_request();
        Ok(Merged { navigation: outcome.navigation, implied, is_current })
    }

    /// Ends the delivery under way, if its content did not: `suspends` keeps what it stored for a
    /// resumption.
    async fn end_session(&mut self, tx: &mut Tx, suspends: bool) -> Result<(), RuntimeError> {
        let Some(session) = self.attempt.state.session.take() else { return Ok(()) };
        let Some(index) = self.package.tree.find(&session.activity) else { return Ok(()) };
        let Some(mut data) = self.data(tx, &session.activity).await? else { return Ok(()) };
        if suspends {
            data.suspended = true;
        }
        if !session.terminated {
            let model = self.running_model(index, &data);
            // A tab that vanished said no goodbye: content that set no status completes nothing.
            let outcome = model.outcome(!suspends);
            // What vanished is credited up to its last commit, not for the time it lay closed.
            let seconds = session.reported;
            self.attempt.state.session = Some(session.clone());
            self.report(index, &model, &outcome, Some(()), seconds);
            self.attempt.state.session = None;
            data.seconds += seconds as i64;
            data.suspended = suspends || outcome.suspended;
        }
        self.save_data(tx, &session.activity, &data).await
    }

    /// What an activity stored. Of content that is only looked at, its present session's words.
    pub(super) async fn data(
        &self,
        tx: &mut Tx,
        activity: &str,
    ) -> db::Result<Option<ActivityData>> {
        let stored = store::activity_data(tx, self.attempt.id, activity).await?;
        let (Some(aside), Some(session)) = (&self.attempt.state.aside, &self.attempt.state.session)
        else {
            return Ok(stored);
        };
        if session.activity != activity {
            return Ok(stored);
        }
        let data = stored.unwrap_or_default();
        Ok(Some(ActivityData { model: Json(aside.model.clone()), ..data }))
    }

    pub(super) async fn save_data(
        &mut self,
        tx: &mut Tx,
        activity: &str,
        data: &ActivityData,
    ) -> Result<(), RuntimeError> {
        match &mut self.attempt.state.aside {
            Some(aside) => aside.model = data.model.0.clone(),
            None => {
                store::save_activity_data(tx, self.attempt.id, activity, data, self.now).await?;
            }
        }
        Ok(())
    }

    /// Whether the course is only looked at.
    pub(super) fn looks_aside(&self) -> bool {
        self.attempt.state.aside.is_some()
    }

    /// What the activity stored is there again when the learner comes back.
    async fn keep_for_return(&self, tx: &mut Tx, activity: &str) -> Result<(), RuntimeError> {
        if self.looks_aside() {
            return Ok(());
        }
        let attempt = self.attempt.id;
        if let Some(mut data) = store::activity_data(tx, attempt, activity).await? {
            data.suspended = true;
            store::save_activity_data(tx, attempt, activity, &data, self.now).await?;
        }
        Ok(())
    }

    /// The model of the delivery under way, as the last commit left it.
    fn running_model(&self, index: ActivityIndex, data: &ActivityData) -> Model {
        let launch = self.launch(index, data.seconds);
        Model::running(self.package.edition, &launch, &data.model)
    }

    fn report(
        &mut self,
        index: ActivityIndex,
        model: &Model,
        outcome: &model::Outcome,
        ended: Option<()>,
        seconds: f64,
    ) {
        let reported = self
            .attempt
            .state
            .session
            .as_ref()
            .map_or(0.0, |session| session.reported.min(seconds));
        let seeds = self.objective_seeds(index);
        let seeds: HashMap<&str, &ObjectiveSeed> =
            seeds.iter().rev().map(|seed| (seed.id.as_str(), seed)).collect();
        let untold = ObjectiveSeed::default();
        let objectives = model.objectives().into_iter().map(|record| {
            // What the content was told at its launch and left alone is not its own report.
            let seed = seeds.get(record.id.as_str()).copied().unwrap_or(&untold);
            let new = |now: Option<f64>, then: Option<f64>| now.filter(|_| now != then);
            let completion = record
                .completion
                .filter(|now| seed.completion_status.as_deref() != completion_word(*now))
                .and_then(completion_of);
            let success = record
                .success
                .filter(|now| seed.success_status.as_deref() != success_word(*now))
                .and_then(success_of);
            let report = StatusReport {
                completion,
                success,
                scaled: new(record.score.scaled, seed.score_scaled),
                raw: new(record.score.raw, seed.score_raw),
                min: new(record.score.min, seed.score_min),
                max: new(record.score.max, seed.score_max),
                progress: new(record.progress_measure, seed.progress_measure),
            };
            (record.id, report)
        });
        let report = SessionReport {
            own: StatusReport {
                completion: completion_of(outcome.completion),
                success: success_of(outcome.success),
                scaled: outcome.score.scaled,
                raw: outcome.score.raw,
                min: outcome.score.min,
                max: outcome.score.max,
                progress: outcome.progress_measure,
            },
            objectives: objectives.collect(),
            exit: ended.map(|()| exit_of(outcome.exit)),
            seconds,
            seconds_reported: reported,
        };
        self.with_engine(|engine, state, globals| engine.report(state, globals, index, &report));
        if let Some(session) = &mut self.attempt.state.session {
            session.reported = seconds;
        }
    }

    /// Seconds of the delivery under way: the content's count, bounded by the clock's.
    fn session_seconds(&self, activity: &str, told: Option<f64>) -> f64 {
        let Some(session) =
            self.attempt.state.session.as_ref().filter(|session| session.activity == activity)
        else {
            return 0.0;
        };
        let clock = (self.now - session.started_at).num_milliseconds().max(0) as u64 / 10;
        // No session lasted longer than the time since its delivery, whatever is told.
        let told = told.filter(|told| *told >= 0.0).map(|told| ((told * 100.0) as u64).min(clock));
        (credited_session_time(told, clock) as f64 / 100.0).max(session.reported)
    }

    fn current_session(&mut self, activity: &str) -> Option<&mut Session> {
        self.attempt.state.session.as_mut().filter(|session| session.activity == activity)
    }

    fn request(&self, request: &str, target: Option<&str>) -> Result<Request, NavigateError> {
        let find = || target.and_then(|target| self.package.tree.find(target));
        Ok(match request {
            "continue" => Request::Continue,
            "previous" => Request::Previous,
            "exit" => Request::ExitAll,
            "suspend" => Request::SuspendAll,
            "choice" => Request::Choice(
                find().ok_or_else(|| NavigateError::Unknown(target.unwrap_or_default().into()))?,
            ),
            other => return Err(NavigateError::Unknown(other.to_owned())),
        })
    }

    /// `adl.nav.request` as the content set it (RTE 4.4.2).
    fn content_request(&self, text: &str) -> Option<Request> {
        if let Some((target, kind)) =
            text.strip_prefix("{target=").and_then(|rest| rest.split_once('}'))
        {
            let target = self.package.tree.find(target)?;
            return match kind {
                "choice" => Some(Request::Choice(target)),
                "jump" => Some(Request::Jump(target)),
                _ => None,
            };
        }
        match text {
            "continue" => Some(Request::Continue),
            "previous" => Some(Request::Previous),
            "exit" => Some(Request::Exit),
            "exitAll" => Some(Request::ExitAll),
            "abandon" => Some(Request::Abandon),
            "abandonAll" => Some(Request::AbandonAll),
            "suspendAll" => Some(Request::SuspendAll),
            _ => None,
        }
    }

    /// What ends the sequencing session suspends it all the same: who comes back finds what they
    /// did, and no new attempt that begins at nothing.
    fn navigate(&mut self, request: Request) -> scorm::sequencing::Outcome {
        self.with_engine(|engine, state, globals| {
            let before = (state.clone(), globals.clone());
            let outcome = engine.navigate(state, globals, request);
            if outcome.ended && request != Request::SuspendAll {
                (*state, *globals) = before;
                engine.navigate(state, globals, Request::SuspendAll);
            }
            outcome
        })
    }

    pub(super) fn seed(&self) -> u64 {
        // The attempt's own random bits.
        self.attempt.id.uuid().as_u64_pair().1
    }

    pub(super) fn with_engine<T>(
        &mut self,
        act: impl FnOnce(&Engine<'_>, &mut State, &mut scorm::sequencing::GlobalObjectives) -> T,
    ) -> T {
        let seed = self.seed();
        let package = self.package;
        let done = self.done_items();
        let blocked = |index: ActivityIndex| is_blocked(package, index, &done);
        let engine = Engine::new(&package.tree).with_blocked(&blocked).at(self.now);
        let Progress { sequencing, globals, .. } = &mut self.attempt.state.0;
        let mut state = sequencing.take().unwrap_or_else(|| State::new(&package.tree, seed));
        state.fit(&package.tree);
        let result = act(&engine, &mut state, globals);
        *sequencing = Some(state);
        result
    }

    /// Statuses by item, for the prerequisites of SCORM 1.2.
    fn done_items(&self) -> Vec<Status> {
        if self.package.edition != Edition::V12 {
            return Vec::new();
        }
        let Some(state) = &self.attempt.state.sequencing else {
            return vec![Status::NotAttempted; self.package.tree.len()];
        };
        let statuses = Engine::new(&self.package.tree).statuses(state, &self.attempt.state.globals);
        let statuses = statuses.iter().map(|status| match (status.completed, status.satisfied) {
            (_, Some(true)) => Status::Passed,
            (_, Some(false)) => Status::Failed,
            (Some(true), None) => Status::Completed,
            (Some(false), None) => Status::Incomplete,
            (None, None) => Status::NotAttempted,
        });
        statuses.collect()
    }

    pub(super) fn toc(&self) -> (Vec<TocEntry>, Validity) {
        let Some(state) = &self.attempt.state.sequencing else {
            return (Vec::new(), Validity::default());
        };
        let done = self.done_items();
        let blocked = |index: ActivityIndex| is_blocked(self.package, index, &done);
        let engine = Engine::new(&self.package.tree).with_blocked(&blocked).at(self.now);
        let validity = engine.validity(state, &self.attempt.state.globals);
        let toc = engine.toc_with(state, &self.attempt.state.globals, &validity);
        (toc, validity)
    }

    pub(super) fn request_valid(&self) -> RequestValid {
        let (_, validity) = self.toc();
        self.answers(&validity)
    }

    pub(super) fn answers(&self, validity: &Validity) -> RequestValid {
        let by_id = |valid: &[bool]| {
            let tree = &self.package.tree;
            let named = tree.activities().filter_map(|index| {
                Some((tree.id(index)?.to_owned(), *valid.get(index.position())?))
            });
            Some(named.collect())
        };
        RequestValid {
            forward: Some(validity.continue_),
            backward: Some(validity.previous),
            choice: by_id(&validity.choice),
            jump: by_id(&validity.jump),
        }
    }

    fn answer(&self, seq: i64, delivery: Option<Delivery>, ended: bool) -> CommitAnswer {
        let (view, request_valid) = self.view();
        CommitAnswer { seq, request_valid, view, delivery, ended }
    }

    fn opened(&self, delivery: Option<Delivery>, ended: bool) -> Opened {
        let (view, _) = self.view();
        let (attempt, run) = (self.attempt.id.to_string(), self.attempt.state.run);
        Opened { attempt, run, view, delivery, ended }
    }
}

struct Merged {
    navigation: Option<String>,
    implied: Option<Request>,
    is_current: bool,
}

fn is_blocked(package: &Package, index: ActivityIndex, done: &[Status]) -> bool {
    let Some(prerequisites) = package.item(index).and_then(|item| item.prerequisites.as_ref())
    else {
        return false;
    };
    let status = |id: &str| {
        let at = package.tree.find(id).map(ActivityIndex::position);
        at.and_then(|at| done.get(at)).copied().unwrap_or(Status::NotAttempted)
    };
    prerequisites.expression.as_ref().is_some_and(|expression| !expression.eval(&status))
}

fn completion_of(status: model::CompletionStatus) -> Option<CompletionStatus> {
    match status {
        model::CompletionStatus::Completed => Some(CompletionStatus::Completed),
        model::CompletionStatus::Incomplete => Some(CompletionStatus::Incomplete),
        model::CompletionStatus::NotAttempted => Some(CompletionStatus::NotAttempted),
        model::CompletionStatus::Unknown => None,
    }
}

fn success_of(status: model::SuccessStatus) -> Option<SuccessStatus> {
    match status {
        model::SuccessStatus::Passed => Some(SuccessStatus::Passed),
        model::SuccessStatus::Failed => Some(SuccessStatus::Failed),
        model::SuccessStatus::Unknown => None,
    }
}

fn completion_word(status: model::CompletionStatus) -> Option<&'static str> {
    match status {
        model::CompletionStatus::Completed => Some("completed"),
        model::CompletionStatus::Incomplete => Some("incomplete"),
        _ => None,
    }
}

fn success_word(status: model::SuccessStatus) -> Option<&'static str> {
    match status {
        model::SuccessStatus::Passed => Some("passed"),
        model::SuccessStatus::Failed => Some("failed"),
        model::SuccessStatus::Unknown => None,
    }
}

fn exit_of(exit: model::Exit) -> Exit {
    match exit {
        model::Exit::TimeOut => Exit::TimeOut,
        model::Exit::Logout => Exit::Logout,
        model::Exit::Suspend => Exit::Suspend,
        model::Exit::Normal | model::Exit::Unset => Exit::Normal,
    }
}
