//! What a session comes to, in the words of SCORM 2004 for both editions.

use serde::{Deserialize, Serialize};

use super::check::real;
use super::time::{parse_duration, parse_timespan};
use super::{Edition, Model};

/// Whether the learner went through the activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CompletionStatus {
    /// Finished.
    Completed,
    /// Begun.
    Incomplete,
    /// Not begun, in the content's opinion.
    NotAttempted,
    /// The content said nothing.
    #[default]
    Unknown,
}

/// Whether the learner mastered the activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuccessStatus {
    /// Mastered.
    Passed,
    /// Not mastered.
    Failed,
    /// The content said nothing.
    #[default]
    Unknown,
}

/// How the SCO says it left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// The time limit was reached.
    TimeOut,
    /// To be continued.
    Suspend,
    /// The learner wants to leave the course.
    Logout,
    /// 2004: finished normally.
    Normal,
    /// Not said.
    #[default]
    Unset,
}

/// Scores as far as the SCO reported them.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Score {
    /// Raw points; 0 to 100 in 1.2.
    pub raw: Option<f64>,
    /// Least raw score.
    pub min: Option<f64>,
    /// Greatest raw score.
    pub max: Option<f64>,
    /// -1 to 1. In 1.2 computed: raw between min and max, else raw out of 100.
    pub scaled: Option<f64>,
}

/// The facts of a session.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Outcome {
    /// Completion, thresholds considered.
    pub completion: CompletionStatus,
    /// Success, thresholds and mastery score considered.
    pub success: SuccessStatus,
    /// Scores.
    pub score: Score,
    /// 2004: 0 to 1.
    pub progress_measure: Option<f64>,
    /// How the SCO left.
    pub exit: Exit,
    /// What the SCO reported for this session, in hundredths of a second.
    pub session_time: Option<u64>,
    /// The bookmark.
    pub location: Option<String>,
    /// The pending `adl.nav.request`, `_none_` left out.
    pub navigation: Option<String>,
    /// Whether the next session resumes: exit `suspend`, or a request to suspend all.
    pub suspended: bool,
}

/// `cmi.core.lesson_status` of SCORM 1.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LegacyStatus {
    /// `passed`.
    Passed,
    /// `completed`.
    Completed,
    /// `failed`.
    Failed,
    /// `incomplete`.
    Incomplete,
    /// `browsed`.
    Browsed,
    /// Never set.
    #[default]
    NotAttempted,
}

/// SCORM 1.2's one status as completion and success.
///
/// | lesson_status | alone | with mastery score and raw score |
/// |---|---|---|
/// | passed | completed, passed | by score |
/// | completed | completed, unknown | by score |
/// | failed | incomplete, failed | by score |
/// | incomplete | incomplete, unknown | incomplete, unknown |
/// | browsed | incomplete, unknown | incomplete, unknown |
/// | never set, session ended, not suspended | completed, unknown | by score |
/// | never set otherwise | not attempted, unknown | not attempted, unknown |
///
/// By score (RTE 3.4.4 `mastery_score`): raw at or above it is (completed, passed), below it
/// (incomplete, failed). `ended`: the SCO finished or the server closed the session.
pub fn legacy_outcome(
    status: LegacyStatus,
    mastery_score: Option<f64>,
    raw: Option<f64>,
    ended: bool,
    suspended: bool,
) -> (CompletionStatus, SuccessStatus) {
    use CompletionStatus as C;
    use SuccessStatus as S;
    match status {
        LegacyStatus::Incomplete | LegacyStatus::Browsed => return (C::Incomplete, S::Unknown),
        LegacyStatus::NotAttempted if !ended || suspended => return (C::NotAttempted, S::Unknown),
        _ => {}
    }
    if let (Some(mastery), Some(raw)) = (mastery_score, raw) {
        return if raw >= mastery { (C::Completed, S::Passed) } else { (C::Incomplete, S::Failed) };
    }
    match status {
        LegacyStatus::Passed => (C::Completed, S::Passed),
        LegacyStatus::Failed => (C::Incomplete, S::Failed),
        _ => (C::Completed, S::Unknown),
    }
}

impl Model {
    /// What the session comes to so far; `ended` once the SCO finished or was closed.
    pub fn outcome(&self, ended: bool) -> Outcome {
        match self.edition() {
            Edition::V12 => self.legacy(ended),
            Edition::V2004 => self.current(),
        }
    }

    pub(super) fn number(&self, path: &str) -> Option<f64> {
        self.value(path).and_then(real)
    }

    fn text(&self, path: &str) -> Option<String> {
        self.value(path).map(str::to_owned)
    }

    fn legacy(&self, ended: bool) -> Outcome {
        let exit = exit(self.value("cmi.core.exit"));
        let suspended = exit == Exit::Suspend;
        let status = match self.value("cmi.core.lesson_status") {
            Some("passed") => LegacyStatus::Passed,
            Some("completed") => LegacyStatus::Completed,
            Some("failed") => LegacyStatus::Failed,
            Some("incomplete") => LegacyStatus::Incomplete,
            Some("browsed") => LegacyStatus::Browsed,
            _ => LegacyStatus::NotAttempted,
        };
        let raw = self.number("cmi.core.score.raw");
        let min = self.number("cmi.core.score.min");
        let max = self.number("cmi.core.score.max");
        let credit = self.value("cmi.core.credit") != Some("no-credit");
        let mastery = self.number("cmi.student_data.mastery_score").filter(|_| credit);
        let (completion, success) = legacy_outcome(status, mastery, raw, ended, suspended);
        let least = min.unwrap_or(0.0);
        let greatest = max.filter(|max| *max > least).unwrap_or(100.0);
        let scaled = raw.map(|raw| ((raw - least) / (greatest - least)).clamp(0.0, 1.0));
        Outcome {
            completion,
            success,
            score: Score { raw, min, max, scaled: scaled.filter(|scaled| scaled.is_finite()) },
            progress_measure: None,
            exit,
            session_time: self.value("cmi.core.session_time").and_then(parse_timespan),
            location: self.text("cmi.core.lesson_location"),
            navigation: None,
            suspended,
        }
    }

    fn current(&self) -> Outcome {
        let exit = exit(self.value("cmi.exit"));
        let navigation = self.text("adl.nav.request").filter(|request| request != "_none_");
        Outcome {
            completion: completion(self.status("cmi.completion_status").as_deref()),
            success: success(self.status("cmi.success_status").as_deref()),
            score: self.score("cmi.score"),
            progress_measure: self.number("cmi.progress_measure"),
            exit,
            session_time: self.value("cmi.session_time").and_then(parse_duration),
            location: self.text("cmi.location"),
            suspended: exit == Exit::Suspend || navigation.as_deref() == Some("suspendAll"),
            navigation,
        }
    }

    /// The four members of a 2004 score.
    pub(super) fn score(&self, path: &str) -> Score {
        Score {
            raw: self.number(&format!("{path}.raw")),
            min: self.number(&format!("{path}.min")),
            max: self.number(&format!("{path}.max")),
            scaled: self.number(&format!("{path}.scaled")),
        }
    }
}

pub(super) fn completion(word: Option<&str>) -> CompletionStatus {
    match word {
        Some("completed") => CompletionStatus::Completed,
        Some("incomplete") => CompletionStatus::Incomplete,
        Some("not attempted") => CompletionStatus::NotAttempted,
        _ => CompletionStatus::Unknown,
    }
}

pub(super) fn success(word: Option<&str>) -> SuccessStatus {
    match word {
        Some("passed") => SuccessStatus::Passed,
        Some("failed") => SuccessStatus::Failed,
        _ => SuccessStatus::Unknown,
    }
}

fn exit(word: Option<&str>) -> Exit {
    match word {
        Some("time-out") => Exit::TimeOut,
        Some("suspend") => Exit::Suspend,
        Some("logout") => Exit::Logout,
        Some("normal") => Exit::Normal,
        _ => Exit::Unset,
    }
}
