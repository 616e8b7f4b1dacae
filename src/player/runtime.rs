//! The server's side of the run-time API: opening the player, merging commits, navigating.
//!
//! Everything here happens inside one unit of work that holds the attempt's row. A commit carries a
//! sequence number and is merged once; what it completes is recorded in the same transaction.

use chrono::{DateTime, Utc};
use scorm::manifest::prerequisites::Status;
use scorm::runtime::{
    self as model, BrowserLaunch, Edition, Launch, Model, ObjectiveSeed, RequestValid,
    credited_session_time,
};
use scorm::sequencing::{
    ActivityIndex, CompletionStatus, Engine, Exit, Request, SessionReport, State, StatusReport,
    SuccessStatus, TocEntry, Validity,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::types::Json;

use super::packages::Package;
use super::progress::{Progress, Session, Steps};
use super::store::{self, ActivityData};
use super::{Attempt, AttemptStatus, Enrolment, grades};
use crate::completions::{self, NewCompletion, Of};
use crate::courses;
use crate::credentials::{self, Facts, Kind};
use crate::db::{self, Tx};
use crate::people::{self, Person};
use crate::tenants;

/// One commit: what the SCO set since the last one.
#[derive(Clone, Debug, Deserialize)]
pub struct Commit {
    /// The activity whose content said so.
    pub activity: String,
    /// Strictly increasing within an attempt.
    pub seq: i64,
    /// Element and value, in the order of the calls.
    pub delta: Vec<(String, String)>,
    /// The content terminated.
    #[serde(rename = "final", default)]
    pub last: bool,
    /// The content's own count of this session.
    #[serde(default)]
    pub session_seconds: Option<f64>,
    /// The learner is being taken elsewhere: what the content asks for does not count.
    #[serde(default)]
    pub leaving: bool,
}

/// What the player shows around the content.
#[derive(Clone, Debug, Serialize)]
pub struct View {
    pub title: String,
    pub toc: Vec<TocLine>,
    pub can_continue: bool,
    pub can_previous: bool,
    pub completed: bool,
    /// The controls the current activity asks to hide.
    pub hidden: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct TocLine {
    pub id: String,
    pub title: String,
    pub depth: u32,
    pub leaf: bool,
    pub selectable: bool,
    pub current: bool,
    /// `done`, `failed`, `begun` or `new`.
    pub status: &'static str,
}

/// Content to be shown now.
#[derive(Clone, Debug, Serialize)]
pub struct Delivery {
    pub activity: String,
    pub title: String,
    /// From the root of the content host.
    pub url: String,
    /// `None`: an asset, which speaks no API.
    pub launch: Option<BrowserLaunch>,
    pub edition: Edition,
}

#[derive(Clone, Debug, Serialize)]
pub struct CommitAnswer {
    pub seq: i64,
    pub request_valid: RequestValid,
    pub view: View,
    /// The content asked to go elsewhere, and this is where.
    pub delivery: Option<Delivery>,
    /// The content asked to end the session.
    pub ended: bool,
}

/// What opening the player or navigating leads to.
#[derive(Clone, Debug, Serialize)]
pub struct Opened {
    pub attempt: String,
    pub view: View,
    pub delivery: Option<Delivery>,
    pub ended: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    #[error("the token plays nothing any more: the course was opened elsewhere")]
    Superseded,
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
    package: &'a Package,
    attempt: Attempt,
    enrolment: Enrolment,
    person: Person,
    now: DateTime<Utc>,
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
        Ok(Self { package, attempt, enrolment, person, now })
    }

    /// Begins, or goes on where the learner was.
    pub(super) async fn open(mut self, tx: &mut Tx) -> Result<Opened, RuntimeError> {
        // A session that is still noted vanished with its tab: it is suspended, and resumed.
        if self.attempt.state.session.is_some() {
            self.end_session(tx, true).await?;
            self.navigate(Request::SuspendAll);
        }
        let outcome = self.with_engine(|engine, state, globals| engine.begin(state, globals));
        let delivery = self.deliver(tx, outcome.delivered).await?;
        self.finish(tx).await?;
        Ok(self.opened(delivery, outcome.ended))
    }

    /// The learner asks: continue, previous, choice, exit, suspend.
    pub(super) async fn go(
        mut self,
        tx: &mut Tx,
        request: &str,
        target: Option<&str>,
    ) -> Result<Opened, RuntimeError> {
        let request = self.request(request, target)?;
        let suspends = request == Request::SuspendAll;
        let stayed = self.attempt.state.session.as_ref().map(|session| session.activity.clone());
        self.end_session(tx, suspends).await?;
        let outcome = self.navigate(request);
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
        let index = self
            .package
            .tree
            .find(&commit.activity)
            .ok_or_else(|| RuntimeError::UnknownActivity(commit.activity.clone()))?;
        if commit.seq <= self.attempt.sequence {
            return Ok(self.answer(commit.seq, None, false));
        }
        self.attempt.sequence = commit.seq;
        let merged = self.merge(tx, index, commit).await?;
        let (mut delivery, mut ended) = (None, false);
        if commit.last && merged.is_current && !commit.leaving {
            let asked = merged.navigation.as_deref().and_then(|text| self.content_request(text));
            if let Some(request) = asked.or(merged.implied) {
                let outcome = self.navigate(request);
                if outcome.exception.is_none() || outcome.ended {
                    self.attempt.state.session = None;
                    delivery = self.deliver(tx, outcome.delivered).await?;
                    ended = outcome.ended;
                }
            }
        }
        self.finish(tx).await?;
        Ok(self.answer(commit.seq, delivery, ended))
    }

    /// Applies the delta to the activity's data and tells the engine.
    async fn merge(
        &mut self,
        tx: &mut Tx,
        index: ActivityIndex,
        commit: &Commit,
    ) -> Result<Merged, RuntimeError> {
        let mut data =
            store::activity_data(tx, self.attempt.id, &commit.activity).await?.unwrap_or_default();
        let mut model = self.running_model(index, &data);
        let delta = commit.delta.iter().map(|(element, value)| (element.as_str(), value.as_str()));
        let refusals = model.apply(delta);
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
        let activity = &commit.activity;
        store::save_activity_data(tx, self.attempt.id, activity, &data, self.now).await?;
        let implied = exit_of(outcome.exit).implied_request();
        Ok(Merged { navigation: outcome.navigation, implied, is_current })
    }

    /// Ends the delivery under way, if its content did not: `suspends` keeps what it stored for a
    /// resumption.
    async fn end_session(&mut self, tx: &mut Tx, suspends: bool) -> Result<(), RuntimeError> {
        let Some(session) = self.attempt.state.session.take() else { return Ok(()) };
        let Some(index) = self.package.tree.find(&session.activity) else { return Ok(()) };
        let Some(mut data) = store::activity_data(tx, self.attempt.id, &session.activity).await?
        else {
            return Ok(());
        };
        if suspends {
            data.suspended = true;
        }
        if !session.terminated {
            let model = self.running_model(index, &data);
            let outcome = model.outcome(true);
            // What vanished is credited up to its last commit, not for the time it lay closed.
            let seconds = session.reported;
            self.attempt.state.session = Some(session.clone());
            self.report(index, &model, &outcome, Some(()), seconds);
            self.attempt.state.session = None;
            data.seconds += seconds as i64;
            data.suspended = suspends || outcome.suspended;
        }
        store::save_activity_data(tx, self.attempt.id, &session.activity, &data, self.now).await?;
        Ok(())
    }

    /// Prepares the content of an activity and notes its session.
    async fn deliver(
        &mut self,
        tx: &mut Tx,
        activity: Option<ActivityIndex>,
    ) -> Result<Option<Delivery>, RuntimeError> {
        let Some(index) = activity else { return Ok(None) };
        let (Some(item), Some(href)) = (self.package.item(index), self.package.href(index)) else {
            return Ok(None);
        };
        let activity = item.identifier.clone();
        let earlier = store::activity_data(tx, self.attempt.id, &activity).await?;
        let edition = self.package.edition;
        let mut data = earlier.clone().unwrap_or_default();
        let carried = data.model.carried(edition, data.suspended);
        let mut launch = self.launch(index, data.seconds);
        let entry = Launch::next_entry(edition, earlier.is_some(), data.suspended);
        launch.entry = Some(entry.to_owned());
        let model = match carried {
            Some(kept) => Model::resume(edition, &launch, &kept),
            None => Model::new(edition, &launch),
        };
        data.model = Json(model.snapshot());
        data.suspended = false;
        store::save_activity_data(tx, self.attempt.id, &activity, &data, self.now).await?;
        self.attempt.state.session = Some(Session {
            activity: activity.clone(),
            started_at: self.now,
            reported: 0.0,
            terminated: false,
        });
        let is_sco = item
            .resource
            .as_ref()
            .is_some_and(|resource| resource.scorm_type == scorm::manifest::ScormType::Sco);
        let sequence = u64::try_from(self.attempt.sequence).unwrap_or_default();
        let url = if href.contains("://") {
            href.to_owned()
        } else {
            format!("/content/{}/{href}", self.package.id)
        };
        Ok(Some(Delivery {
            title: item.title.clone(),
            url,
            launch: is_sco.then(|| model.browser_launch(sequence)),
            edition,
            activity,
        }))
    }

    /// The model of the delivery under way, as the last commit left it.
    fn running_model(&self, index: ActivityIndex, data: &ActivityData) -> Model {
        let launch = self.launch(index, data.seconds);
        Model::running(self.package.edition, &launch, &data.model)
    }

    /// What the activity's content is told at its launch.
    fn launch(&self, index: ActivityIndex, seconds: i64) -> Launch {
        let engine = Engine::new(&self.package.tree);
        let progress = &self.attempt.state;
        let fresh = State::new(&self.package.tree, self.seed());
        let state = progress.sequencing.as_ref().unwrap_or(&fresh);
        let view = engine.runtime_view(state, &progress.globals, index);
        let word = |known: Option<bool>, yes: &str, no: &str| {
            known.map(|known| if known { yes } else { no }.to_owned())
        };
        let objectives = view.into_iter().flat_map(|view| view.objectives).map(|objective| {
            let status = objective.status;
            ObjectiveSeed {
                id: objective.id,
                success_status: word(status.satisfied, "passed", "failed"),
                completion_status: word(status.completed, "completed", "incomplete"),
                score_scaled: status.measure,
                score_raw: status.raw,
                score_min: status.min,
                score_max: status.max,
                progress_measure: status.progress,
            }
        });
        let stores = progress.shared.stores(&self.package.tree, index).into_iter().map(|shared| {
            model::DataStore {
                id: shared.target.to_owned(),
                value: shared.value.map(str::to_owned),
                access: model::StoreAccess { read: shared.readable, write: shared.writable },
            }
        });
        let item = self.package.item(index);
        let primary = item
            .and_then(|item| item.sequencing.objectives.iter().find(|objective| objective.primary));
        Launch {
            learner_id: self.person.id.to_string(),
            learner_name: learner_name(&self.person),
            mode: Some("normal".to_owned()),
            credit: Some(if self.enrolment.preview { "no-credit" } else { "credit" }.to_owned()),
            launch_data: item.and_then(|item| item.data_from_lms.clone()),
            completion_threshold: item
                .and_then(|item| item.completion_threshold)
                .filter(|threshold| threshold.completed_by_measure)
                .map(|threshold| threshold.min_progress_measure),
            scaled_passing_score: primary
                .filter(|objective| objective.satisfied_by_measure)
                .map(|objective| objective.min_normalized_measure.unwrap_or(1.0)),
            mastery_score: item.and_then(|item| item.mastery_score),
            max_time_allowed: item.and_then(|item| {
                let limit = item.sequencing.limits.attempt_absolute_duration.clone();
                limit.or_else(|| item.max_time_allowed.clone())
            }),
            time_limit_action: item
                .and_then(|item| item.time_limit_action)
                .map(|action| action.as_str().to_owned()),
            total_time: u64::try_from(seconds).unwrap_or_default() * 100,
            objectives: objectives.collect(),
            stores: stores.collect(),
            request_valid: self.request_valid(),
            ..Launch::default()
        }
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
        let seeds = self.launch(index, 0).objectives;
        let objectives = model.objectives().into_iter().map(|record| {
            // What the content was told at its launch and left alone is not its own report.
            let seed = seeds.iter().find(|seed| seed.id == record.id).cloned().unwrap_or_default();
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
        let told = told.filter(|told| *told >= 0.0).map(|told| (told * 100.0) as u64);
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

    fn navigate(&mut self, request: Request) -> scorm::sequencing::Outcome {
        self.with_engine(|engine, state, globals| engine.navigate(state, globals, request))
    }

    fn seed(&self) -> u64 {
        // The attempt's own random bits.
        self.attempt.id.uuid().as_u64_pair().1
    }

    fn with_engine<T>(
        &mut self,
        act: impl FnOnce(&Engine<'_>, &mut State, &mut scorm::sequencing::GlobalObjectives) -> T,
    ) -> T {
        let seed = self.seed();
        let package = self.package;
        let done = self.done_items();
        let blocked = |index: ActivityIndex| is_blocked(package, index, &done);
        let engine = Engine::new(&package.tree).with_blocked(&blocked);
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
        let engine = Engine::new(&self.package.tree);
        let statuses = self.package.tree.activities().map(|index| {
            let status = engine.status(state, &self.attempt.state.globals, index);
            match status.map(|status| (status.completed, status.satisfied)) {
                Some((_, Some(true))) => Status::Passed,
                Some((_, Some(false))) => Status::Failed,
                Some((Some(true), None)) => Status::Completed,
                Some((Some(false), None)) => Status::Incomplete,
                _ => Status::NotAttempted,
            }
        });
        statuses.collect()
    }

    fn toc(&self) -> (Vec<TocEntry>, Validity) {
        let Some(state) = &self.attempt.state.sequencing else {
            return (Vec::new(), Validity::default());
        };
        let done = self.done_items();
        let blocked = |index: ActivityIndex| is_blocked(self.package, index, &done);
        let engine = Engine::new(&self.package.tree).with_blocked(&blocked);
        let validity = engine.validity(state, &self.attempt.state.globals);
        let toc = engine.toc_with(state, &self.attempt.state.globals, &validity);
        (toc, validity)
    }

    fn request_valid(&self) -> RequestValid {
        let (_, validity) = self.toc();
        self.answers(&validity)
    }

    fn answers(&self, validity: &Validity) -> RequestValid {
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

    fn view(&self) -> (View, RequestValid) {
        let (toc, validity) = self.toc();
        let current = self.attempt.state.session.as_ref();
        let item = current
            .and_then(|session| self.package.tree.find(&session.activity))
            .and_then(|index| self.package.item(index));
        let hidden = item.map(|item| &item.hide_lms_ui).into_iter().flatten();
        let title = toc.first().map(|root| root.title.clone()).unwrap_or_default();
        let lines = toc.iter().filter(|entry| entry.depth > 0 && entry.visible);
        let view = View {
            title,
            toc: lines
                .map(|entry| TocLine {
                    id: entry.id.clone(),
                    title: entry.title.clone(),
                    depth: entry.depth,
                    leaf: entry.is_leaf,
                    selectable: entry.selectable,
                    current: entry.current,
                    status: match (entry.completed, entry.satisfied) {
                        (_, Some(false)) => "failed",
                        (Some(true), _) | (None, Some(true)) => "done",
                        (Some(false), _) => "begun",
                        (None, None) if entry.attempts > 0 => "begun",
                        (None, None) => "new",
                    },
                })
                .collect(),
            can_continue: validity.continue_,
            can_previous: validity.previous,
            completed: store::finished(self.attempt.status),
            hidden: hidden
                .filter_map(|control| {
                    serde_json::to_value(control).ok()?.as_str().map(str::to_owned)
                })
                .collect(),
        };
        (view, self.answers(&validity))
    }

    fn answer(&self, seq: i64, delivery: Option<Delivery>, ended: bool) -> CommitAnswer {
        let (view, request_valid) = self.view();
        CommitAnswer { seq, request_valid, view, delivery, ended }
    }

    fn opened(&self, delivery: Option<Delivery>, ended: bool) -> Opened {
        let (view, _) = self.view();
        Opened { attempt: self.attempt.id.to_string(), view, delivery, ended }
    }

    /// Records what was completed, and writes the attempt.
    async fn finish(&mut self, tx: &mut Tx) -> Result<(), RuntimeError> {
        let (toc, _) = self.toc();
        self.attempt.state.steps = Steps::from_toc(&toc);
        let verdict = self.verdict(&toc);
        let best = self.attempt.score_scaled;
        if let Some(score) = verdict.score.filter(|score| best.is_none_or(|best| *score > best)) {
            self.attempt.score_scaled = Some(score);
        }
        let first_time = verdict.finished && self.attempt.status == AttemptStatus::Active;
        if first_time {
            self.attempt.status = AttemptStatus::Completed;
            self.attempt.completed_at = Some(self.now);
        }
        let done = self.attempt.state.steps.done() as i64;
        store::save_attempt(tx, &self.attempt, done, self.now).await?;
        if self.enrolment.preview {
            return Ok(());
        }
        if first_time {
            self.award(tx, &verdict).await?;
        }
        // A better result after completion is worth a new grade, never a worse one.
        let improved = self.attempt.score_scaled != best;
        if first_time || (improved && self.attempt.status == AttemptStatus::Completed) {
            let given = self.attempt.score_scaled.unwrap_or(1.0);
            grades::enqueue(tx, self.enrolment.id, given, self.now).await?;
        }
        Ok(())
    }

    /// Whether the course is finished: everything that counts is completed, and what was tested was
    /// not failed. A course of one activity is finished by passing alone.
    fn verdict(&self, toc: &[TocEntry]) -> Verdict {
        let Some(root) = toc.first() else { return Verdict { finished: false, score: None } };
        let leaves: Vec<&TocEntry> = toc.iter().filter(|entry| entry.is_leaf).collect();
        let passed = leaves.len() == 1 && leaves[0].satisfied == Some(true);
        let finished = root.satisfied != Some(false) && (root.completed == Some(true) || passed);
        Verdict { finished, score: self.score(&leaves) }
    }

    /// The course's measure; where the package rolls none up, the mean of what its activities
    /// reported. 0 to 1.
    fn score(&self, leaves: &[&TocEntry]) -> Option<f64> {
        let state = self.attempt.state.sequencing.as_ref()?;
        let engine = Engine::new(&self.package.tree);
        let measure = |index| engine.status(state, &self.attempt.state.globals, index)?.measure;
        let rolled_up =
            measure(ActivityIndex::ROOT).filter(|_| self.package.edition == Edition::V2004);
        let score = rolled_up.or_else(|| {
            let known: Vec<f64> = leaves.iter().filter_map(|leaf| measure(leaf.activity)).collect();
            let sum: f64 = known.iter().sum();
            (!known.is_empty()).then(|| sum / known.len() as f64)
        });
        score.map(|score| score.clamp(0.0, 1.0))
    }

    async fn award(&self, tx: &mut Tx, verdict: &Verdict) -> Result<(), RuntimeError> {
        let version = courses::version(tx, self.attempt.course_version_id).await?;
        let tenant = tenants::find(tx, self.person.tenant_id).await?;
        let seconds = store::seconds_of(tx, self.attempt.id).await?;
        let completion = NewCompletion {
            tenant: tenant.id,
            person: self.person.id,
            of: Of::Enrolment(self.enrolment.id),
            rule: "everything completed, nothing failed",
            facts: json!({
                "attempt": self.attempt.id,
                "version": version.id,
                "score": verdict.score,
                "seconds": seconds,
            }),
        };
        let Some(completion) = completions::record(tx, completion, self.now).await? else {
            return Ok(());
        };
        let facts = Facts {
            holder: self.person.name(),
            title: version.title.clone(),
            minutes: version.duration_minutes,
            from: self.attempt.started_at,
            until: self.now,
            score: verdict.score,
            issuer: tenant.name.clone(),
            signatory_name: tenant.signatory_name.clone(),
            signatory_title: tenant.signatory_title.clone(),
            time_zone: tenant.zone().name().to_owned(),
            remote: true,
            ..Facts::default()
        };
        let lang = version.language;
        credentials::award(
            tx,
            completion,
            Kind::Certificate,
            &tenant,
            &self.person,
            lang,
            facts,
            self.now,
        )
        .await?;
        Ok(())
    }
}

struct Verdict {
    finished: bool,
    score: Option<f64>,
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

/// "Family, Given", as SCORM content expects it.
fn learner_name(person: &Person) -> String {
    match (&person.family_name, &person.given_name) {
        (Some(family), Some(given)) => format!("{family}, {given}"),
        _ => person.name().unwrap_or_default(),
    }
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
