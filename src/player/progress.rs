//! How far an attempt is.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use scorm::runtime::Snapshot;
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
    /// How often the player was opened: the number of the present opening.
    pub run: u32,
    /// The last commit merged of each of the latest openings.
    pub merged: BTreeMap<u32, i64>,
    /// The opening that wrote an activity's data last.
    pub writers: BTreeMap<String, u32>,
    /// What the learner's page shows without loading the package.
    pub steps: Steps,
    /// While the course is looked at (review, browse), what was reached before: nothing that
    /// happens meanwhile counts.
    pub aside: Option<Box<Aside>>,
}

crate::text_enum! {
    /// `cmi.mode` (RTE 4.2.14), `cmi.core.lesson_mode` in 1.2.
    pub enum Mode {
        Normal = "normal",
        /// What was done can be seen again, and is not changed.
        Review = "review",
        /// A look around, of which nothing stays.
        Browse = "browse",
    }
}

/// What is put aside while the course is only looked at.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Aside {
    pub mode: Mode,
    sequencing: Option<State>,
    pub(super) globals: GlobalObjectives,
    pub(super) shared: SharedData,
    /// What the content on stage stored: it is gone with its session.
    pub model: Snapshot,
}

/// So many openings are remembered: a browser further behind has lost its place.
const OPENINGS: usize = 16;

impl Progress {
    /// How the course is played now.
    pub(super) fn mode(&self) -> Mode {
        self.aside.as_ref().map_or(Mode::Normal, |aside| aside.mode)
    }

    /// Takes up again what was put aside; puts it aside for any other mode than normal.
    pub(super) fn set_mode(&mut self, mode: Mode) {
        if let Some(aside) = self.aside.take() {
            (self.sequencing, self.globals, self.shared) =
                (aside.sequencing, aside.globals, aside.shared);
            self.session = None;
        }
        if mode != Mode::Normal {
            self.aside = Some(Box::new(Aside {
                mode,
                sequencing: self.sequencing.clone(),
                globals: self.globals.clone(),
                shared: self.shared.clone(),
                model: Snapshot::default(),
            }));
        }
    }

    /// Exchanges what is looked at and what was reached: for work that arrives late.
    pub(super) fn exchange(&mut self) {
        let Some(aside) = &mut self.aside else { return };
        std::mem::swap(&mut self.sequencing, &mut aside.sequencing);
        std::mem::swap(&mut self.globals, &mut aside.globals);
        std::mem::swap(&mut self.shared, &mut aside.shared);
    }

    /// Begins another opening of the player: its commits are counted on from `sequence`.
    pub(super) fn begin_run(&mut self, sequence: i64) {
        self.run += 1;
        self.merged.insert(self.run, sequence);
        while self.merged.len() > OPENINGS {
            self.merged.pop_first();
        }
    }

    /// Whether a commit is to be merged, was merged before, or comes too early or too late.
    pub(super) fn place(&self, run: u32, seq: i64, activity: &str) -> Place {
        match self.merged.get(&run) {
            None => Place::Overtaken,
            Some(last) if seq <= *last => Place::Merged,
            Some(last) if seq > last + 1 => Place::TooEarly,
            // Another browser went on with this activity: what is older must not undo it.
            Some(_) if self.writers.get(activity).is_some_and(|writer| *writer > run) => {
                Place::Overtaken
            }
            Some(_) => Place::Next,
        }
    }
}

/// Where a commit stands among those that were merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Next,
    Merged,
    TooEarly,
    Overtaken,
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
    fn a_commit_is_merged_once_in_order_and_never_over_newer_work() {
        let mut progress = Progress::default();
        progress.begin_run(0);
        assert_eq!(progress.place(1, 1, "a"), Place::Next);
        assert_eq!(progress.place(1, 2, "a"), Place::TooEarly);
        progress.merged.insert(1, 1);
        progress.writers.insert("a".to_owned(), 1);
        assert_eq!(progress.place(1, 1, "a"), Place::Merged);
        // The learner goes on with another browser.
        progress.begin_run(1);
        progress.writers.insert("b".to_owned(), 2);
        assert_eq!(progress.place(1, 2, "a"), Place::Next);
        assert_eq!(progress.place(1, 2, "b"), Place::Overtaken);
        for _ in 0..OPENINGS {
            progress.begin_run(1);
        }
        assert_eq!(progress.place(1, 2, "a"), Place::Overtaken);
    }

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
