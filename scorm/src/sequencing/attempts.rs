//! Beginning and ending attempts: UP.3, UP.4, SR.1, SR.2, and step 5 of DB.2.

use super::definition::Timing;
use super::navigation::SequencingRequest;
use super::run::{Change, ObjectiveUpdate, Run};
use super::state::{ObjectiveStatus, State};
use super::tree::{ActivityIndex, Tree};

impl Run<'_> {
    /// UP.3: ends the attempts between the current activity and its common ancestor with
    /// `activity`, both excluded.
    pub(super) fn terminate_descendent_attempts(&mut self, activity: ActivityIndex) {
        let Some(current) = self.state.current else { return };
        let ancestor = self.tree.common_ancestor(current, activity);
        for at in self.tree.path_up(current).skip(1) {
            if !self.tree.is_within(at, ancestor) || at == ancestor {
                break;
            }
            self.end_attempt(at);
        }
    }

    /// UP.4. What the SCO reported was mapped before, when its session ended.
    pub(super) fn end_attempt(&mut self, activity: ActivityIndex) {
        let node = self.node(activity);
        if node.is_leaf() {
            let own = self.of(activity);
            if node.delivery.tracked && !own.suspended {
                // UP.4, 1.1.1.1 and 1.1.1.2: an explicit "unknown" counts as told by the content,
                // and what a read map tells is known.
                let known = self.through_read_maps(activity, 0, ObjectiveStatus::default());
                let complete = !node.delivery.completion_set_by_content
                    && !own.completion_recorded
                    && known.completed.is_none();
                let satisfy = !node.delivery.objective_set_by_content
                    && !own.success_recorded
                    && known.satisfied.is_none();
                let mut update = ObjectiveUpdate::default();
                if complete {
                    update.completed = Change::To(Some(true));
                }
                if satisfy {
                    update.satisfied = Change::To(Some(true));
                }
                let own = self.of_mut(activity);
                own.completion_recorded = true;
                own.success_recorded = true;
                self.record(activity, 0, update);
            }
        } else {
            let suspended = node.children.iter().any(|child| self.of(*child).suspended);
            self.of_mut(activity).suspended = suspended;
        }
        if self.of(activity).active && !self.of(activity).suspended {
            self.end_timing(activity);
        }
        self.of_mut(activity).active = false;
        if !self.of(activity).suspended {
            self.state.choose_children_again(self.tree, activity);
        }
        self.overall_rollup(activity);
    }

    /// Records what is known about an objective of a leaf: the thresholds decide in place of what
    /// the content says (SN 3.10, 2 and 3.14).
    pub(super) fn record(
        &mut self,
        activity: ActivityIndex,
        objective: usize,
        mut update: ObjectiveUpdate,
    ) {
        let node = self.node(activity);
        let Some(definition) = node.objectives.get(objective) else { return };
        let local = self.local(activity, objective);
        if definition.satisfied_by_measure {
            let measure = update.measure.over(local.measure);
            let satisfied = Change::To(measure.map(|measure| measure >= definition.min_measure));
            update.satisfied = if update.measure.is_change() {
                satisfied
            } else {
                satisfied.unless(local.satisfied)
            };
        }
        if objective == 0 && node.threshold.completed_by_measure {
            let progress = update.progress.over(local.progress);
            let completed = Change::To(
                progress.map(|progress| progress >= node.threshold.min_progress_measure),
            );
            update.completed = if update.progress.is_change() {
                completed
            } else {
                completed.unless(local.completed)
            };
        }
        self.write_objective(activity, objective, update);
    }

    /// DB.2, 5.1: begins or resumes the attempt on one activity of the path to a delivery.
    pub(super) fn begin_attempt(&mut self, activity: ActivityIndex) {
        if self.of(activity).active {
            return;
        }
        let tracked = self.node(activity).delivery.tracked;
        if !self.of(activity).suspended {
            self.begin_timing(activity);
        }
        let own = self.of_mut(activity);
        own.active = true;
        own.resumed = own.suspended;
        if own.suspended {
            own.suspended = false;
        } else if tracked {
            own.attempts = own.attempts.saturating_add(1);
            self.initialize_attempt(activity);
        }
    }

    /// The cluster on which a request begins a new attempt, and whether it is a retry, where that
    /// decides what the request looks at. A retry looks at the new attempt's state already: it must
    /// not pass over what the last attempt satisfied (ADL's case RU-13d). A start looks at what the
    /// last attempt left (RU-14a), the attempt's own global objectives excepted.
    pub(super) fn anticipated_attempt(
        &self,
        request: SequencingRequest,
    ) -> Option<(ActivityIndex, bool)> {
        let (cluster, retry) = match (request, self.state.current) {
            (SequencingRequest::Retry, Some(current)) => (current, true),
            (SequencingRequest::Start | SequencingRequest::Choice(_), None)
                if !self.tree.objectives_global_to_system() =>
            {
                (ActivityIndex::ROOT, false)
            }
            _ => return None,
        };
        let own = self.of(cluster);
        let fresh = own.active || own.suspended || own.attempts == 0;
        (!fresh && !self.node(cluster).is_leaf()).then_some((cluster, retry))
    }

    /// Brings the state to where [`Run::anticipated_attempt`] says.
    pub(super) fn anticipate_attempt(&mut self, (cluster, retry): (ActivityIndex, bool)) {
        if retry {
            self.forget_earlier_attempts(cluster);
        } else {
            self.forget_objectives_of_the_attempt();
        }
    }

    /// DB.2, 5.1.1.2.3: fresh objective and progress information. Where the parent says that
    /// information of earlier attempts stays in use (SN 3.2.5, 3.2.6) it is kept until new is
    /// recorded.
    fn initialize_attempt(&mut self, activity: ActivityIndex) {
        let node = self.node(activity);
        let keep = node.parent.map(|parent| self.node(parent).control);
        let keep_objectives = keep.is_some_and(|it| !it.use_current_attempt_objective_info);
        let keep_progress = keep.is_some_and(|it| !it.use_current_attempt_progress_info);
        let own = self.of_mut(activity);
        own.success_recorded = false;
        own.completion_recorded = false;
        own.attempt_seconds = 0.0;
        for objective in &mut own.objectives {
            let old = *objective;
            *objective = ObjectiveStatus::default();
            if keep_objectives {
                objective.satisfied = old.satisfied;
                objective.measure = old.measure;
                objective.raw = old.raw;
                objective.min = old.min;
                objective.max = old.max;
            }
            if keep_progress {
                objective.completed = old.completed;
                objective.progress = old.progress;
            }
        }
        if !keep_objectives {
            own.stale_objectives = false;
        }
        if !keep_progress {
            own.stale_progress = false;
        }
        self.forget_earlier_attempts(activity);
    }

    /// `adlseq:objectivesGlobalToSystem="false"`.
    fn forget_objectives_of_the_attempt(&mut self) {
        if !self.tree.objectives_global_to_system() {
            self.globals.fill(ObjectiveStatus::default());
        }
    }

    /// A new attempt on a cluster makes what its descendants recorded before a matter of the past,
    /// as far as their parents care (SN 3.2.5, 3.2.6), and one on the root forgets the global
    /// objectives that belong to the attempt.
    fn forget_earlier_attempts(&mut self, cluster: ActivityIndex) {
        if cluster == ActivityIndex::ROOT {
            self.forget_objectives_of_the_attempt();
        }
        let mut clusters = vec![cluster];
        while let Some(at) = clusters.pop() {
            let node = self.node(at);
            for child in &node.children {
                let own = self.of_mut(*child);
                let recorded = own.objectives.iter().any(|it| *it != ObjectiveStatus::default());
                own.stale_objectives |= recorded && node.control.use_current_attempt_objective_info;
                own.stale_progress |= recorded && node.control.use_current_attempt_progress_info;
                if !self.node(*child).is_leaf() {
                    clusters.push(*child);
                }
            }
        }
    }
}

impl State {
    /// SR.1 and SR.2 before the first attempt.
    pub(super) fn choose_children(&mut self, tree: &Tree, activity: ActivityIndex) {
        let randomization = tree.node(activity).randomization;
        self.select_children(tree, activity, randomization.selection_timing != Timing::Never);
        self.randomize_children(
            tree,
            activity,
            randomization.randomization_timing != Timing::Never,
        );
    }

    /// SR.1 and SR.2 after an attempt ended, for the next one (SN 4.7).
    pub(super) fn choose_children_again(&mut self, tree: &Tree, activity: ActivityIndex) {
        let randomization = tree.node(activity).randomization;
        self.select_children(
            tree,
            activity,
            randomization.selection_timing == Timing::OnEachNewAttempt,
        );
        self.randomize_children(
            tree,
            activity,
            randomization.randomization_timing == Timing::OnEachNewAttempt,
        );
    }

    /// SR.1. The pseudo-code leaves "on each new attempt" open; SN 3.11 says what it means.
    fn select_children(&mut self, tree: &Tree, activity: ActivityIndex, due: bool) {
        let node = tree.node(activity);
        let own = self.of(activity);
        if node.is_leaf() || own.suspended || own.active || !due {
            return;
        }
        let count = match node.randomization.select_count {
            Some(count) if count > 0 => count as usize,
            _ => return,
        };
        let mut left: Vec<ActivityIndex> = node.children.clone();
        while left.len() > count {
            let dropped = self.random_below(left.len());
            left.remove(dropped);
        }
        self.of_mut(activity).available = Some(left);
    }

    /// SR.2 (Fisher and Yates).
    fn randomize_children(&mut self, tree: &Tree, activity: ActivityIndex, due: bool) {
        let node = tree.node(activity);
        let own = self.of(activity);
        if node.is_leaf() || own.suspended || own.active || !due {
            return;
        }
        if !node.randomization.reorder_children {
            return;
        }
        let mut list = self.available(tree, activity).to_vec();
        for last in (1..list.len()).rev() {
            let other = self.random_below(last + 1);
            list.swap(last, other);
        }
        self.of_mut(activity).available = Some(list);
    }
}
