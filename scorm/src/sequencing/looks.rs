//! What a dry run found out: so that asking for every activity of a course costs as much as walking
//! through it once.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use super::flow::{Direction, FlowEnd};
use super::tree::ActivityIndex;

/// Answers that hold as long as the state does not change. A copy of a run begins with none.
#[derive(Debug, Default)]
pub(super) struct Looks(Option<Box<Seen>>);

impl Clone for Looks {
    fn clone(&self) -> Self {
        Self(None)
    }
}

/// A place of a walk: the activity, the direction, and whether it was turned round before.
pub(super) type Step = (ActivityIndex, Direction, bool);

#[derive(Debug)]
pub(super) struct Seen {
    activities: Vec<Activity>,
    /// Where each step of a walk leads in the end.
    walks: RefCell<HashMap<Step, Result<ActivityIndex, FlowEnd>>>,
    /// Of one sibling: the position of the first one from it on that stops forward traversal.
    stop: Cell<Option<(ActivityIndex, usize)>>,
}

/// What was asked about one activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    Hidden,
    Closed,
    Skipped,
    Stops,
}

#[derive(Debug, Default)]
struct Activity {
    answers: [Cell<Option<bool>>; 4],
    place: Cell<Place>,
}

/// Where an activity stands among its parent's Available Children.
#[derive(Clone, Copy, Debug, Default)]
enum Place {
    #[default]
    Unknown,
    Nowhere,
    At(usize),
}

impl Looks {
    /// For a run of so many activities that does not change from here on.
    pub(super) fn of(activities: usize) -> Self {
        let mut list = Vec::with_capacity(activities);
        list.resize_with(activities, Activity::default);
        Self(Some(Box::new(Seen {
            activities: list,
            walks: RefCell::default(),
            stop: Cell::new(None),
        })))
    }

    pub(super) fn seen(&self) -> Option<&Seen> {
        self.0.as_deref()
    }

    /// The answer as it was given before, or as `find` gives it.
    pub(super) fn ask(
        &self,
        question: Question,
        activity: ActivityIndex,
        find: impl FnOnce() -> bool,
    ) -> bool {
        let known = self.seen().and_then(|seen| seen.activities.get(activity.position()));
        let Some(Activity { answers, .. }) = known else { return find() };
        let answer = &answers[question as usize];
        answer.get().unwrap_or_else(|| {
            let found = find();
            answer.set(Some(found));
            found
        })
    }
}

impl Seen {
    /// The position of an activity among `available`, of `children`, which it is one of.
    pub(super) fn place(
        &self,
        activity: ActivityIndex,
        children: &[ActivityIndex],
        available: &[ActivityIndex],
    ) -> Option<usize> {
        let own = self.activities.get(activity.position())?;
        if matches!(own.place.get(), Place::Unknown) {
            let set = |at: &ActivityIndex, place| {
                if let Some(known) = self.activities.get(at.position()) {
                    known.place.set(place);
                }
            };
            for child in children {
                set(child, Place::Nowhere);
            }
            for (position, child) in available.iter().enumerate() {
                set(child, Place::At(position));
            }
        }
        match own.place.get() {
            Place::At(position) => Some(position),
            Place::Unknown | Place::Nowhere => None,
        }
    }

    pub(super) fn walk(&self, step: Step) -> Option<Result<ActivityIndex, FlowEnd>> {
        self.walks.borrow().get(&step).copied()
    }

    pub(super) fn remember_walk(
        &self,
        steps: impl IntoIterator<Item = Step>,
        result: Result<ActivityIndex, FlowEnd>,
    ) {
        self.walks.borrow_mut().extend(steps.into_iter().map(|step| (step, result)));
    }

    /// The position of the first sibling from `current` on that stops, as `find` says.
    pub(super) fn first_stop(&self, current: ActivityIndex, find: impl FnOnce() -> usize) -> usize {
        if let Some((of, position)) = self.stop.get()
            && of == current
        {
            return position;
        }
        let position = find();
        self.stop.set(Some((current, position)));
        position
    }
}
