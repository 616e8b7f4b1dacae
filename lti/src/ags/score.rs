//! Scores (AGS 3.4).

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Map, Value, json};
use url::Url;

use super::{SCORE_TYPE, number, scores_url};
use crate::http::{Method, Request, Response};
use crate::service::{self, ServiceError};

/// How far the learner is (3.4.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ActivityProgress {
    /// Nothing yet, or started over.
    Initialized,
    /// Started.
    Started,
    /// Under way.
    InProgress,
    /// Handed in.
    Submitted,
    /// Done.
    Completed,
}

impl ActivityProgress {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Initialized => "Initialized",
            Self::Started => "Started",
            Self::InProgress => "InProgress",
            Self::Submitted => "Submitted",
            Self::Completed => "Completed",
        }
    }
}

/// How far the grading is (3.4.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GradingProgress {
    /// Final.
    FullyGraded,
    /// Will be graded without a person.
    Pending,
    /// A person has to grade.
    PendingManual,
    /// Could not be graded.
    Failed,
    /// There is nothing to grade.
    NotReady,
}

impl GradingProgress {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FullyGraded => "FullyGraded",
            Self::Pending => "Pending",
            Self::PendingManual => "PendingManual",
            Self::Failed => "Failed",
            Self::NotReady => "NotReady",
        }
    }
}

/// Whether this learner already has a grade from us in this line item.
///
/// A score that is not `FullyGraded` **erases** the grade at Moodle (and Canvas shows the work as
/// ungraded). So mere progress may be told only as long as nothing was graded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum History {
    /// No grade was ever sent.
    NeverGraded,
    /// A grade was sent.
    Graded,
}

/// A score that cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScoreInvalid {
    /// Not a number, negative, or a maximum of nothing (3.4.4, 3.4.5).
    #[error("a score is a number of at least 0 out of more than 0")]
    Numbers,
    /// Mere progress after a grade.
    #[error("a score without a final grade would erase the grade that is there")]
    WouldEraseGrade,
}

/// A score to send.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    user_id: String,
    grade: Option<(f64, f64)>,
    activity: ActivityProgress,
    grading: GradingProgress,
    at: DateTime<Utc>,
    /// A comment for the learner, plain text.
    pub comment: Option<String>,
    /// When the work began (3.4.10).
    pub started_at: Option<DateTime<Utc>>,
    /// When it was handed in.
    pub submitted_at: Option<DateTime<Utc>>,
    /// Who graded, if a person did (3.4.9).
    pub scoring_user_id: Option<String>,
}

impl Score {
    /// A final grade for completed work. `at` is when it happened: see [`next_timestamp`].
    pub fn graded(
        user_id: &str,
        given: f64,
        maximum: f64,
        at: DateTime<Utc>,
    ) -> Result<Self, ScoreInvalid> {
        let sound = given.is_finite() && maximum.is_finite() && given >= 0.0 && maximum > 0.0;
        if !sound {
            return Err(ScoreInvalid::Numbers);
        }
        Ok(Self {
            grade: Some((given, maximum)),
            ..Self::bare(user_id, ActivityProgress::Completed, GradingProgress::FullyGraded, at)
        })
    }

    /// Progress without a grade; refused once there is one.
    pub fn progress(
        user_id: &str,
        activity: ActivityProgress,
        grading: GradingProgress,
        at: DateTime<Utc>,
        history: History,
    ) -> Result<Self, ScoreInvalid> {
        match history {
            History::Graded => Err(ScoreInvalid::WouldEraseGrade),
            History::NeverGraded => Ok(Self::bare(user_id, activity, grading, at)),
        }
    }

    /// Takes a grade back, on purpose (3.4.3: a score without `scoreGiven` clears it).
    pub fn erase_grade(user_id: &str, at: DateTime<Utc>) -> Self {
        Self::bare(user_id, ActivityProgress::Initialized, GradingProgress::NotReady, at)
    }

    /// The same grade with another activity progress, for work that is graded and goes on.
    #[must_use]
    pub fn with_activity(mut self, activity: ActivityProgress) -> Self {
        self.activity = activity;
        self
    }

    /// Whose score.
    pub fn user_id(&self) -> &str {
        &self.user_id
    }

    /// Its timestamp.
    pub fn at(&self) -> DateTime<Utc> {
        self.at
    }

    /// Whether it carries a final grade.
    pub fn is_graded(&self) -> bool {
        self.grade.is_some() && self.grading == GradingProgress::FullyGraded
    }

    fn bare(
        user_id: &str,
        activity: ActivityProgress,
        grading: GradingProgress,
        at: DateTime<Utc>,
    ) -> Self {
        Self {
            user_id: user_id.to_owned(),
            grade: None,
            activity,
            grading,
            at,
            comment: None,
            started_at: None,
            submitted_at: None,
            scoring_user_id: None,
        }
    }

    fn to_json(&self) -> Value {
        let mut map = Map::new();
        map.insert("userId".into(), self.user_id.as_str().into());
        map.insert("timestamp".into(), instant(self.at));
        map.insert("activityProgress".into(), self.activity.as_str().into());
        map.insert("gradingProgress".into(), self.grading.as_str().into());
        if let Some((given, maximum)) = self.grade {
            map.insert("scoreGiven".into(), number(given));
            // 3.4.5: required beside scoreGiven; Moodle answers 400 without it.
            map.insert("scoreMaximum".into(), number(maximum));
        }
        if let Some(comment) = &self.comment {
            map.insert("comment".into(), comment.as_str().into());
        }
        if let Some(user) = &self.scoring_user_id {
            map.insert("scoringUserId".into(), user.as_str().into());
        }
        let mut submission = Map::new();
        for (name, value) in [("startedAt", self.started_at), ("submittedAt", self.submitted_at)] {
            if let Some(value) = value {
                submission.insert(name.into(), instant(value));
            }
        }
        if !submission.is_empty() {
            map.insert("submission".into(), json!(submission));
        }
        Value::Object(map)
    }
}

/// ISO 8601 with milliseconds and an offset (3.4.8 wants sub-second precision).
fn instant(at: DateTime<Utc>) -> Value {
    at.to_rfc3339_opts(SecondsFormat::Millis, false).into()
}

/// The timestamp to send: when it happened, but at least a second after the last one sent for this
/// learner and line item. Moodle compares whole seconds and answers 409 to anything not later.
pub fn next_timestamp(
    happened_at: DateTime<Utc>,
    last_sent: Option<DateTime<Utc>>,
) -> DateTime<Utc> {
    match last_sent {
        Some(last) => happened_at.max(last + TimeDelta::seconds(1)),
        None => happened_at,
    }
}

/// Posts a score to its line item (3.4.1).
pub fn post_score(line_item: &Url, score: &Score) -> Request {
    Request::new(Method::Post, scores_url(line_item)).body(SCORE_TYPE, score.to_json().to_string())
}

/// What came of a score.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScoreOutcome {
    /// It is there: 200 (Moodle), 201, 202 or 204.
    Accepted,
    /// 409: the platform has a later one. Nothing to do.
    Superseded,
    /// 401: get another token and send it again.
    TokenRefused,
    /// 429, 5xx, 408: send it again, not before that wait if one was asked for.
    Retry {
        /// `Retry-After`.
        after: Option<TimeDelta>,
    },
    /// It will never be accepted as it is. 400 means most often that this user cannot have a grade
    /// there (a teacher, somebody no longer enrolled), 403 that we may not, 404 that the column is
    /// gone.
    Rejected {
        /// The status.
        status: u16,
        /// The beginning of the answer.
        excerpt: String,
    },
}

/// Classifies the answer to [`post_score`]; time-outs and broken connections are the caller's to
/// retry. A score may be sent again without harm: a second copy is answered with 409.
pub fn score_outcome(response: &Response, now: DateTime<Utc>) -> ScoreOutcome {
    match service::check(response, now) {
        Ok(()) => ScoreOutcome::Accepted,
        Err(ServiceError::Unauthorized) => ScoreOutcome::TokenRefused,
        Err(
            ServiceError::TooManyRequests { retry_after }
            | ServiceError::Server { retry_after, .. },
        ) => ScoreOutcome::Retry { after: retry_after },
        Err(_) if response.status == 409 => ScoreOutcome::Superseded,
        Err(_) => ScoreOutcome::Rejected { status: response.status, excerpt: response.excerpt() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(1_795_453_571_287 + milliseconds).unwrap_or_default()
    }

    #[test]
    fn is_written_as_moodle_takes_it() -> Result<(), Box<dyn std::error::Error>> {
        let mut score = Score::graded("5", 15.0, 20.0, at(0))?;
        score.comment = Some("Bien – « à revoir »".into());
        score.submitted_at = Some(at(0));
        let line_item = Url::parse("http://lms.test/2/lineitems/2/lineitem?type_id=1")?;
        let request = post_score(&line_item, &score);
        assert_eq!(request.url.as_str(), "http://lms.test/2/lineitems/2/lineitem/scores?type_id=1");
        assert_eq!(request.headers, [("Content-Type".to_owned(), SCORE_TYPE.to_owned())]);
        let body: Value = serde_json::from_slice(&request.body)?;
        assert_eq!(
            body,
            json!({"userId": "5", "timestamp": "2026-11-23T17:06:11.287+00:00",
                "activityProgress": "Completed", "gradingProgress": "FullyGraded",
                "scoreGiven": 15, "scoreMaximum": 20, "comment": "Bien – « à revoir »",
                "submission": {"submittedAt": "2026-11-23T17:06:11.287+00:00"}})
        );
        Ok(())
    }

    #[test]
    fn never_erases_a_grade_by_accident() {
        let progress = |history| {
            Score::progress(
                "5",
                ActivityProgress::Started,
                GradingProgress::NotReady,
                at(0),
                history,
            )
        };
        assert!(progress(History::NeverGraded).is_ok());
        assert_eq!(progress(History::Graded), Err(ScoreInvalid::WouldEraseGrade));
        for (given, maximum) in [(f64::NAN, 1.0), (-1.0, 1.0), (1.0, 0.0)] {
            assert_eq!(Score::graded("5", given, maximum, at(0)), Err(ScoreInvalid::Numbers));
        }
    }

    #[test]
    fn timestamps_move_on_by_at_least_a_second() {
        assert_eq!(next_timestamp(at(0), None), at(0));
        assert_eq!(next_timestamp(at(300), Some(at(0))), at(1000));
        assert_eq!(next_timestamp(at(5000), Some(at(0))), at(5000));
    }

    #[test]
    fn statuses_decide_what_happens_next() {
        let outcome = |status, headers: &[(&str, &str)]| {
            let headers =
                headers.iter().map(|(n, v)| ((*n).to_owned(), v.as_bytes().to_vec())).collect();
            score_outcome(&Response { status, headers, body: b"[]".to_vec() }, at(0))
        };
        for status in [200, 201, 202, 204] {
            assert_eq!(outcome(status, &[]), ScoreOutcome::Accepted);
        }
        assert_eq!(outcome(409, &[]), ScoreOutcome::Superseded);
        assert_eq!(outcome(401, &[]), ScoreOutcome::TokenRefused);
        assert_eq!(outcome(503, &[]), ScoreOutcome::Retry { after: None });
        assert_eq!(
            outcome(429, &[("retry-after", "120")]),
            ScoreOutcome::Retry { after: Some(TimeDelta::seconds(120)) }
        );
        assert_eq!(
            outcome(429, &[("Retry-After", "Mon, 23 Nov 2026 17:07:11 GMT")]),
            ScoreOutcome::Retry { after: Some(TimeDelta::milliseconds(59_713)) }
        );
        for status in [400, 403, 404] {
            assert!(matches!(outcome(status, &[]), ScoreOutcome::Rejected { .. }));
        }
    }
}
