//! Between the SCO's runtime data and the tracking information (SN table 4.5.4a, RTE 4.2.17).

use serde::{Deserialize, Serialize};

use super::navigation::Request;
use super::run::{Change, ObjectiveUpdate, Run};
use super::state::ObjectiveStatus;
use super::tree::ActivityIndex;

/// `cmi.completion_status` and `cmi.objectives.n.completion_status` as set by the SCO.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CompletionStatus {
    Completed,
    Incomplete,
    NotAttempted,
    /// Set explicitly: it overwrites what was known.
    Unknown,
}

/// `cmi.success_status` and `cmi.objectives.n.success_status` as set by the SCO.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuccessStatus {
    Passed,
    Failed,
    /// Set explicitly: it overwrites what was known.
    Unknown,
}

/// `cmi.exit`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exit {
    /// `normal`, the empty string, or never set.
    #[default]
    Normal,
    Suspend,
    Logout,
    TimeOut,
}

impl Exit {
    /// The request that follows from `cmi.exit` whatever was asked for (RTE 4.2.8): both a used up
    /// time and a log-out end everything.
    pub fn implied_request(self) -> Option<Request> {
        match self {
            Self::Logout | Self::TimeOut => Some(Request::ExitAll),
            Self::Normal | Self::Suspend => None,
        }
    }
}

/// The one request that follows when a SCO's session ends: the learner's own outranks what the SCO
/// set in `adl.nav.request`, also when it set that while being unloaded (SN 5.4). What `cmi.exit`
/// implies comes "instead of any pending" request (RTE 4.2.8).
pub fn request_after_session(
    learner: Option<Request>,
    content: Option<Request>,
    exit: Exit,
) -> Option<Request> {
    exit.implied_request().or(learner).or(content)
}

/// What a SCO set during its session, about itself or about one objective; `None` is not set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StatusReport {
    pub completion: Option<CompletionStatus>,
    pub success: Option<SuccessStatus>,
    /// -1.0 to 1.0.
    pub scaled: Option<f64>,
    pub raw: Option<f64>,
    pub min: Option<f64>,
    pub max: Option<f64>,
    /// 0.0 to 1.0.
    pub progress: Option<f64>,
}

/// What a SCO said in one session, from its delivery to now.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionReport {
    /// `cmi.completion_status`, `cmi.success_status`, `cmi.score`, `cmi.progress_measure`.
    pub own: StatusReport,
    /// `cmi.objectives` by `id`; of those the manifest does not define nothing is kept here.
    pub objectives: Vec<(String, StatusReport)>,
    /// How the session ended; `None` while it goes on (a commit).
    pub exit: Option<Exit>,
    /// Seconds this session lasted so far.
    pub seconds: f64,
    /// Seconds of this session that an earlier report told already.
    pub seconds_reported: f64,
}

/// What the SCO finds when it is launched (RTE 4.2.17.2).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RuntimeView {
    /// `cmi.entry`: `resume` when the attempt was suspended, else `ab-initio`.
    pub resume: bool,
    /// `cmi.objectives`: those of the manifest that have an identifier, in its order with the
    /// primary one first. Of an activity that is not tracked only what read maps tell.
    pub objectives: Vec<RuntimeObjective>,
}

/// One objective as the SCO finds it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RuntimeObjective {
    pub id: String,
    pub status: ObjectiveStatus,
}

impl StatusReport {
    fn update(&self) -> ObjectiveUpdate {
        let number = |value: Option<f64>| match value {
            Some(value) if value.is_finite() => Change::To(Some(value)),
            _ => Change::Keep,
        };
        ObjectiveUpdate {
            satisfied: match self.success {
                Some(SuccessStatus::Passed) => Change::To(Some(true)),
                Some(SuccessStatus::Failed) => Change::To(Some(false)),
                Some(SuccessStatus::Unknown) => Change::To(None),
                None => Change::Keep,
            },
            measure: number(self.scaled),
            raw: number(self.raw),
            min: number(self.min),
            max: number(self.max),
            completed: match self.completion {
                Some(CompletionStatus::Completed) => Change::To(Some(true)),
                Some(CompletionStatus::Incomplete | CompletionStatus::NotAttempted) => {
                    Change::To(Some(false))
                }
                Some(CompletionStatus::Unknown) => Change::To(None),
                None => Change::Keep,
            },
            progress: number(self.progress),
        }
    }

    /// The other report, with this one's values where it has any.
    fn over(self, other: Self) -> Self {
        Self {
            completion: self.completion.or(other.completion),
            success: self.success.or(other.success),
            scaled: self.scaled.or(other.scaled),
            raw: self.raw.or(other.raw),
            min: self.min.or(other.min),
            max: self.max.or(other.max),
            progress: self.progress.or(other.progress),
        }
    }
}

impl Run<'_> {
    /// SN table 4.5.4a. Objectives come first; of the primary one the SCO's own elements count
    /// where both are set.
    pub(super) fn map_report(&mut self, activity: ActivityIndex, report: &SessionReport) {
        let node = self.node(activity);
        let new_seconds = (report.seconds - report.seconds_reported).max(0.0);
        if new_seconds.is_finite() {
            for at in self.tree.path_up(activity) {
                let own = self.of_mut(at);
                own.attempt_seconds += new_seconds;
                own.activity_seconds += new_seconds;
            }
        }
        let own = self.of_mut(activity);
        if let Some(exit) = report.exit {
            own.suspended = exit == Exit::Suspend;
        }
        if !node.delivery.tracked {
            return;
        }
        let mut primary = report.own;
        for (id, status) in &report.objectives {
            let found = node.objective_named(id);
            match found {
                Some(0) => primary = primary.over(*status),
                Some(objective) => self.record(activity, objective, status.update()),
                None => {}
            }
        }
        let own = self.of_mut(activity);
        own.success_recorded |= primary.success.is_some();
        own.completion_recorded |= primary.completion.is_some();
        self.record(activity, 0, primary.update());
    }

    /// RTE 4.2.17.2.
    pub(super) fn runtime_view(&self, activity: ActivityIndex) -> RuntimeView {
        let objectives = self
            .node(activity)
            .objectives
            .iter()
            .enumerate()
            .filter_map(|(number, objective)| {
                let id = objective.id.clone()?;
                Some(RuntimeObjective { id, status: self.read_objective(activity, number) })
            })
            .collect();
        RuntimeView { resume: self.of(activity).resumed, objectives }
    }
}
