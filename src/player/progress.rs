//! How far an attempt is.

use chrono::{DateTime, Utc};
use scorm::sequencing::{GlobalObjectives, SharedData, State, TocEntry};
use serde::{Deserialize, Serialize};

/// What an attempt keeps beside its activities' data.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// The sequencing engine's tracking state; `None` before the first delivery.
    pub sequencing: Option<State>,
    pub globals: GlobalObjectives,
    pub shared: SharedData,
    /// The delivery under way.
    pub session: Option<Session>,
    /// What the learner's page shows without loading the package.
    pub steps: Steps,
}

/// One delivery of an activity.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Session {
    pub activity: String,
    pub started_at: DateTime<Utc>,
    /// Seconds that the engine was told already.
    pub reported: f64,
    /// The content said goodbye.
    pub terminated: bool,
}

/// The steps of a course, as people count them: what can be delivered, in order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Steps {
    pub steps: Vec<Step>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Step {
    pub title: String,
    pub done: bool,
    pub current: bool,
}

impl Steps {
    pub(super) fn from_toc(toc: &[TocEntry]) -> Self {
        let leaves = toc.iter().filter(|entry| entry.is_leaf && entry.visible);
        let steps = leaves
            .map(|entry| Step {
                title: entry.title.clone(),
                // A failed test is done with, for now, and yet not done.
                done: entry.completed == Some(true) && entry.satisfied != Some(false),
                current: entry.current,
            })
            .collect();
        Self { steps }
    }

    pub fn total(&self) -> usize {
        self.steps.len()
    }

    pub fn done(&self) -> usize {
        self.steps.iter().filter(|step| step.done).count()
    }

    /// The step to go on with: the current one while it is not done, else the first that is not.
    pub fn next(&self) -> Option<(usize, &Step)> {
        let open = |(_, step): &(usize, &Step)| !step.done;
        let numbered = || self.steps.iter().enumerate();
        numbered().find(|(_, step)| step.current && !step.done).or_else(|| numbered().find(open))
    }

    /// Minutes left of `minutes`, as if all steps took the same; rounded up.
    pub fn minutes_left(&self, minutes: i64) -> i64 {
        let (total, left) = (self.total() as i64, (self.total() - self.done()) as i64);
        if total == 0 { minutes } else { (minutes * left + total - 1) / total }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_step_is_the_current_one_until_it_is_done() {
        let step = |done, current| Step { title: String::new(), done, current };
        let mut steps =
            Steps { steps: vec![step(true, false), step(false, false), step(false, true)] };
        assert_eq!(steps.next().map(|(index, _)| index), Some(2));
        steps.steps[2].done = true;
        assert_eq!(steps.next().map(|(index, _)| index), Some(1));
        assert_eq!((steps.done(), steps.minutes_left(60)), (2, 20));
        assert_eq!(Steps::default().minutes_left(60), 60);
    }
}
