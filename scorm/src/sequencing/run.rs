//! What one request works on, and how tracking information is read and written (SN 4.2.1).

use super::looks::Looks;
use super::state::{ActivityState, GlobalObjectives, ObjectiveStatus, State};
use super::tree::{ActivityIndex, Node, Tree};

/// Items the caller keeps from being delivered, such as SCORM 1.2's prerequisites do.
pub(super) type Blocked<'a> = &'a (dyn Fn(ActivityIndex) -> bool + 'a);

/// A tree with a state that is being changed. Cloned, it is a dry run.
#[derive(Clone)]
pub(super) struct Run<'a> {
    pub(super) tree: &'a Tree,
    pub(super) state: State,
    /// The shared global objectives, by the tree's numbers.
    pub(super) globals: Vec<ObjectiveStatus>,
    pub(super) blocked: Option<Blocked<'a>>,
    /// What time it is, in Unix seconds, where the caller says so.
    pub(super) now: Option<i64>,
    pub(super) looks: Looks,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        tree: &'a Tree,
        mut state: State,
        globals: &GlobalObjectives,
        blocked: Option<Blocked<'a>>,
        now: Option<i64>,
    ) -> Self {
        state.fit(tree);
        let globals = tree
            .targets()
            .iter()
            .map(|target| globals.0.get(target).copied().unwrap_or_default())
            .collect();
        Self { tree, state, globals, blocked, now, looks: Looks::default() }
    }

    /// Gives the shared global objectives back. Those about which nothing is known and nothing
    /// ever was are left out.
    pub(super) fn store_globals(&self, globals: &mut GlobalObjectives) {
        for (target, status) in self.tree.targets().iter().zip(&self.globals) {
            match globals.0.get_mut(target) {
                Some(stored) => *stored = *status,
                None if *status != ObjectiveStatus::default() => {
                    globals.0.insert(target.clone(), *status);
                }
                None => {}
            }
        }
    }

    /// From here on nothing changes: what is found out once holds.
    pub(super) fn only_look(&mut self) {
        self.looks = Looks::of(self.tree.len());
    }

    pub(super) fn node(&self, activity: ActivityIndex) -> &'a Node {
        self.tree.node(activity)
    }

    pub(super) fn of(&self, activity: ActivityIndex) -> &ActivityState {
        self.state.of(activity)
    }

    pub(super) fn of_mut(&mut self, activity: ActivityIndex) -> &mut ActivityState {
        self.state.of_mut(activity)
    }

    /// The position in the parent's Available Children; `None` for the root and for an activity that
    /// was not selected.
    pub(super) fn place_of(&self, activity: ActivityIndex) -> Option<usize> {
        let (Some(seen), Some(parent)) = (self.looks.seen(), self.node(activity).parent) else {
            return self.state.available_position(self.tree, activity);
        };
        let children = &self.node(parent).children;
        seen.place(activity, children, self.state.available(self.tree, parent))
    }

    pub(super) fn is_blocked(&self, activity: ActivityIndex) -> bool {
        self.blocked.is_some_and(|blocked| blocked(activity))
    }

    pub(super) fn local(&self, activity: ActivityIndex, objective: usize) -> ObjectiveStatus {
        self.of(activity).objectives.get(objective).copied().unwrap_or_default()
    }

    /// The state of an objective as a sequencing process sees it: through the read maps.
    /// Nothing is known about an activity that is not tracked (SN 4.2.1.2, 1), and nothing local
    /// that dates from before the parent's current attempt (SN 3.2.5, 3.2.6).
    pub(super) fn objective(&self, activity: ActivityIndex, objective: usize) -> ObjectiveStatus {
        if !self.node(activity).delivery.tracked {
            return ObjectiveStatus::default();
        }
        self.through_read_maps(activity, objective, self.fresh(activity, objective))
    }

    /// The state of an objective as its SCO finds it, tracked or not (RTE 4.2.17.2).
    pub(super) fn read_objective(
        &self,
        activity: ActivityIndex,
        objective: usize,
    ) -> ObjectiveStatus {
        let local = self.local(activity, objective);
        let status = self.through_read_maps(activity, objective, local);
        ObjectiveStatus { completed: self.mapped(activity, objective, local).completed, ..status }
    }

    /// SN 4.2.1.2, 2 to 9: a global objective that is known wins over the local one. Then the
    /// thresholds decide "in place of any other method" (SN 3.10, 2 and 3.14).
    pub(super) fn through_read_maps(
        &self,
        activity: ActivityIndex,
        objective: usize,
        local: ObjectiveStatus,
    ) -> ObjectiveStatus {
        let node = self.node(activity);
        let Some(definition) = node.objectives.get(objective) else { return local };
        let mut status = self.mapped(activity, objective, local);
        if definition.satisfied_by_measure {
            status.satisfied = if self.may_measure(activity) {
                status.measure.map(|measure| measure >= definition.min_measure)
            } else {
                None
            };
        }
        if objective == 0 && node.threshold.completed_by_measure {
            status.completed = if self.may_measure(activity) {
                status.progress.map(|progress| progress >= node.threshold.min_progress_measure)
            } else {
                None
            };
        }
        status
    }

    /// The read maps alone.
    fn mapped(
        &self,
        activity: ActivityIndex,
        objective: usize,
        local: ObjectiveStatus,
    ) -> ObjectiveStatus {
        let Some(definition) = self.node(activity).objectives.get(objective) else { return local };
        let read = definition.read;
        let global = |link: Option<usize>| link.and_then(|target| self.globals.get(target));
        ObjectiveStatus {
            // SN 4.2.1.2, 3 falls back to the local status. ADL's case CM-13 shows that a read map
            // decides alone: what the global objective does not know is unknown.
            satisfied: global(read.satisfied).map_or(local.satisfied, |it| it.satisfied),
            measure: global(read.measure).and_then(|it| it.measure).or(local.measure),
            raw: global(read.raw).and_then(|it| it.raw).or(local.raw),
            min: global(read.min).and_then(|it| it.min).or(local.min),
            max: global(read.max).and_then(|it| it.max).or(local.max),
            completed: global(read.completed).and_then(|it| it.completed).or(local.completed),
            progress: global(read.progress).and_then(|it| it.progress).or(local.progress),
        }
    }

    /// What is known locally from the parent's current attempt.
    pub(super) fn fresh(&self, activity: ActivityIndex, objective: usize) -> ObjectiveStatus {
        let mut local = self.local(activity, objective);
        let own = self.of(activity);
        if own.stale_objectives {
            local.forget_success();
        }
        if own.stale_progress {
            local.forget_completion();
        }
        local
    }

    /// SN 3.9.1: whether a measure may decide a status now.
    pub(super) fn may_measure(&self, activity: ActivityIndex) -> bool {
        let node = self.node(activity);
        node.is_leaf() || node.rollup.measure_satisfaction_if_active || !self.of(activity).active
    }

    /// Changes a local objective and copies the changed fields to the global objectives it writes,
    /// overwriting what they hold (SN 4.2.1.2).
    pub(super) fn write_objective(
        &mut self,
        activity: ActivityIndex,
        objective: usize,
        update: ObjectiveUpdate,
    ) {
        let node = self.node(activity);
        let Some(definition) = node.objectives.get(objective) else { return };
        let own = self.state.of_mut(activity);
        // What is recorded now replaces all that dates from an earlier attempt.
        if own.stale_objectives && (update.satisfied.is_change() || update.measure.is_change()) {
            own.stale_objectives = false;
            own.objectives.iter_mut().for_each(ObjectiveStatus::forget_success);
        }
        if own.stale_progress && (update.completed.is_change() || update.progress.is_change()) {
            own.stale_progress = false;
            own.objectives.iter_mut().for_each(ObjectiveStatus::forget_completion);
        }
        let Some(local) = own.objectives.get_mut(objective) else { return };
        update.apply(local);
        let local = *local;
        for (target, map) in &definition.write {
            let Some(global) = self.globals.get_mut(*target) else { continue };
            if map.satisfied && update.satisfied.is_change() {
                global.satisfied = local.satisfied;
            }
            if map.measure && update.measure.is_change() {
                global.measure = local.measure;
            }
            if map.raw && update.raw.is_change() {
                global.raw = local.raw;
            }
            if map.min && update.min.is_change() {
                global.min = local.min;
            }
            if map.max && update.max.is_change() {
                global.max = local.max;
            }
            if map.completed && update.completed.is_change() {
                global.completed = local.completed;
            }
            if map.progress && update.progress.is_change() {
                global.progress = local.progress;
            }
        }
    }
}

/// What becomes of one piece of an objective's state.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Change<T> {
    #[default]
    Keep,
    /// `None` makes it unknown.
    To(Option<T>),
}

impl<T: Copy + PartialEq> Change<T> {
    pub(super) fn is_change(self) -> bool {
        matches!(self, Self::To(_))
    }

    /// What is there afterwards.
    pub(super) fn over(self, before: Option<T>) -> Option<T> {
        match self {
            Self::Keep => before,
            Self::To(after) => after,
        }
    }

    /// Nothing, where nothing would be different.
    pub(super) fn unless(self, before: Option<T>) -> Self {
        if self == Self::To(before) { Self::Keep } else { self }
    }
}

/// What to change of an objective.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct ObjectiveUpdate {
    pub(super) satisfied: Change<bool>,
    pub(super) measure: Change<f64>,
    pub(super) raw: Change<f64>,
    pub(super) min: Change<f64>,
    pub(super) max: Change<f64>,
    pub(super) completed: Change<bool>,
    pub(super) progress: Change<f64>,
}

impl ObjectiveUpdate {
    fn apply(self, status: &mut ObjectiveStatus) {
        status.satisfied = self.satisfied.over(status.satisfied);
        status.measure = self.measure.over(status.measure);
        status.raw = self.raw.over(status.raw);
        status.min = self.min.over(status.min);
        status.max = self.max.over(status.max);
        status.completed = self.completed.over(status.completed);
        status.progress = self.progress.over(status.progress);
    }
}
