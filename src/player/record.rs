//! What somebody did in a course, for those who may look: activity by activity.

use std::collections::BTreeMap;

use super::packages::PackageError;
use super::{Attempt, store};
use crate::app::App;
use crate::ids::EnrolmentId;

/// More answers than any activity asks for.
const ANSWERS: usize = 500;

/// One run through a course.
#[derive(Clone, Debug)]
pub struct Record {
    pub attempt: Attempt,
    pub activities: Vec<ActivityRecord>,
}

/// What one activity knows of the learner.
#[derive(Clone, Debug, PartialEq)]
pub struct ActivityRecord {
    pub title: String,
    pub opened: bool,
    pub done: bool,
    /// 0 to 100.
    pub points: Option<f64>,
    pub seconds: i64,
    pub answers: Vec<Answer>,
}

/// An answer as the content reported it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The question in words, else its identifier.
    pub question: String,
    pub given: Option<String>,
    /// `None` when the content did not judge it.
    pub right: Option<bool>,
}

impl Record {
    pub fn seconds(&self) -> i64 {
        self.activities.iter().map(|activity| activity.seconds).sum()
    }
}

/// The latest run of an enrolment; `None` before the first.
pub async fn record(app: &App, enrolment: EnrolmentId) -> Result<Option<Record>, PackageError> {
    let mut tx = app.db.read().await?;
    let Some(attempt) = store::latest_attempt(&mut tx, enrolment).await? else { return Ok(None) };
    let stored = store::all_activity_data(&mut tx, attempt.id).await?;
    drop(tx);
    let package = app.packages.load(app, attempt.course_version_id).await?;
    let steps = &attempt.state.steps.steps;
    let leaves = package.tree.activities().filter(|activity| package.tree.is_leaf(*activity));
    let activities = leaves
        .filter_map(|activity| {
            let item = package.item(activity).filter(|item| item.visible)?;
            let data = stored.iter().find(|(id, ..)| *id == item.identifier);
            let values = data.map(|(_, model, _)| &model.values);
            Some(ActivityRecord {
                title: item.title.clone(),
                opened: data.is_some(),
                done: steps.iter().any(|step| step.title == item.title && step.done),
                points: values.and_then(points),
                seconds: data.map_or(0, |(.., seconds)| *seconds),
                answers: values.map(answers).unwrap_or_default(),
            })
        })
        .collect();
    Ok(Some(Record { attempt, activities }))
}

/// Scaled, else raw between its bounds (SCORM 2004 RTE 4.2.20; SCORM 1.2 3.4.3).
fn points(values: &BTreeMap<String, String>) -> Option<f64> {
    let number = |name: &str| values.get(name)?.trim().parse::<f64>().ok();
    if let Some(scaled) = number("cmi.score.scaled") {
        return Some((scaled * 100.0).clamp(0.0, 100.0));
    }
    let of = |part: &str| {
        number(&format!("cmi.score.{part}")).or_else(|| number(&format!("cmi.core.score.{part}")))
    };
    let (raw, lowest, highest) = (of("raw")?, of("min").unwrap_or(0.0), of("max").unwrap_or(100.0));
    (highest > lowest).then(|| ((raw - lowest) / (highest - lowest) * 100.0).clamp(0.0, 100.0))
}

fn answers(values: &BTreeMap<String, String>) -> Vec<Answer> {
    let read = |number: usize| {
        let value = |name: &str| {
            let found = values.get(&format!("cmi.interactions.{number}.{name}"));
            found.map(String::as_str).filter(|text| !text.trim().is_empty())
        };
        let id = value("id")?;
        let right = match value("result") {
            Some("correct") => Some(true),
            Some("incorrect" | "wrong") => Some(false),
            _ => None,
        };
        let given = value("learner_response").or_else(|| value("student_response"));
        Some(Answer {
            question: value("description").unwrap_or(id).to_owned(),
            given: given.map(str::to_owned),
            right,
        })
    };
    (0..ANSWERS).map_while(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_and_answers_of_both_editions_are_read() {
        let values = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        assert_eq!(points(&values(&[("cmi.score.scaled", "0.85")])), Some(85.0));
        let legacy = values(&[
            ("cmi.core.score.raw", "15"),
            ("cmi.core.score.max", "20"),
            ("cmi.interactions.0.id", "q1"),
            ("cmi.interactions.0.student_response", "b"),
            ("cmi.interactions.0.result", "wrong"),
            ("cmi.interactions.1.id", "q2"),
        ]);
        assert_eq!(points(&legacy), Some(75.0));
        let found = answers(&legacy);
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].given.as_deref(), found[0].right), (Some("b"), Some(false)));
        assert_eq!(points(&values(&[("cmi.score.raw", "x")])), None);
    }
}
