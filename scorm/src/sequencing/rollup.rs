//! Rollup: RB.1.1 to RB.1.5 (SN 4.6).

use super::definition::{
    ChildActivitySet, Condition, ConditionCombination, RollupAction, RollupCondition,
    RollupConsideration, RollupRule,
};
use super::rules::{Truth, combine};
use super::run::{Change, ObjectiveUpdate, Run};
use super::tree::ActivityIndex;

/// So many paths to the root are rolled up one by one (SN 4.6.1, C).
const MOST_PATHS: usize = 32;

impl Run<'_> {
    /// RB.1.5 for the activity, extended by SN 4.6.1 to the parents of activities that read the
    /// global objectives this one writes.
    pub(super) fn overall_rollup(&mut self, activity: ActivityIndex) {
        self.rollup_path(activity);
        if self.node(activity).writes.is_empty() {
            return;
        }
        let set = self.tree.rollup_set(activity);
        if set.len() > MOST_PATHS {
            self.rollup_above(&set);
            return;
        }
        // SN 4.6.1, C: what was passed on a path is done.
        let mut done: Vec<ActivityIndex> = self.tree.path_up(activity).collect();
        for start in set {
            if !done.contains(&start) {
                self.rollup_path(start);
                done.extend(self.tree.path_up(start));
            }
        }
    }

    /// The same for a set so large that each path on its own would take too long: every cluster on
    /// one of the paths once, the deepest first.
    fn rollup_above(&mut self, set: &[ActivityIndex]) {
        let mut on_path = vec![false; self.tree.len()];
        let mut clusters = Vec::new();
        for start in set {
            for at in self.tree.path_up(*start) {
                if std::mem::replace(&mut on_path[at.position()], true) {
                    break;
                }
                clusters.push(at);
            }
        }
        clusters.sort_unstable_by_key(|at| (u32::MAX - self.node(*at).depth, *at));
        for at in clusters {
            self.rollup_one(at);
        }
    }

    /// RB.1.5 on one path to the root.
    fn rollup_path(&mut self, activity: ActivityIndex) {
        for at in self.tree.path_up(activity) {
            self.rollup_one(at);
        }
    }

    fn rollup_one(&mut self, at: ActivityIndex) {
        if self.node(at).is_leaf() {
            return;
        }
        self.measure_rollup(at);
        self.completion_measure_rollup(at);
        if self.node(at).objectives.first().is_some_and(|it| it.satisfied_by_measure) {
            self.objective_rollup_using_measure(at);
        } else {
            self.objective_rollup_using_rules(at);
        }
        if self.node(at).threshold.completed_by_measure {
            self.activity_progress_rollup_using_measure(at);
        } else {
            self.activity_progress_rollup_using_rules(at);
        }
    }

    /// RB.1.1 a: every tracked child weighs, also one without a measure.
    fn measure_rollup(&mut self, activity: ActivityIndex) {
        let mut total = 0.0;
        let mut counted = 0.0;
        let mut valid = false;
        for child in self.state.available(self.tree, activity) {
            let node = self.node(*child);
            if !node.delivery.tracked {
                continue;
            }
            let weight = node.rollup.objective_measure_weight;
            counted += weight;
            let known = self.objective(*child, 0).measure;
            if let Some(measure) = known {
                total += measure * weight;
                valid = true;
            }
        }
        let measure = (valid && counted > 0.0).then(|| rounded(total / counted));
        self.update_if_changed(
            activity,
            ObjectiveUpdate { measure: Change::To(measure), ..Default::default() },
        );
    }

    /// RB.1.1 b.
    fn completion_measure_rollup(&mut self, activity: ActivityIndex) {
        let mut total = 0.0;
        let mut counted = 0.0;
        let mut valid = false;
        for child in self.state.available(self.tree, activity) {
            let node = self.node(*child);
            if !node.delivery.tracked {
                continue;
            }
            let weight = node.threshold.progress_weight;
            counted += weight;
            let known = self.objective(*child, 0).progress;
            if let Some(progress) = known {
                total += progress * weight;
                valid = true;
            }
        }
        let progress = (valid && counted > 0.0).then(|| rounded(total / counted));
        self.update_if_changed(
            activity,
            ObjectiveUpdate { progress: Change::To(progress), ..Default::default() },
        );
    }

    /// RB.1.2 a.
    fn objective_rollup_using_measure(&mut self, activity: ActivityIndex) {
        let Some(definition) = self.node(activity).objectives.first() else { return };
        let measure = self.objective(activity, 0).measure;
        let satisfied = if self.may_measure(activity) {
            measure.map(|measure| measure >= definition.min_measure)
        } else {
            None
        };
        self.update_if_changed(
            activity,
            ObjectiveUpdate { satisfied: Change::To(satisfied), ..Default::default() },
        );
    }

    /// RB.1.2 b: "not satisfied" first, "satisfied" last.
    fn objective_rollup_using_rules(&mut self, activity: ActivityIndex) {
        let defaults = [
            default_rule(Condition::ObjectiveStatusKnown, RollupAction::NotSatisfied),
            default_rule(Condition::Satisfied, RollupAction::Satisfied),
        ];
        let own = &self.node(activity).rollup.rules;
        let declared = own.iter().any(|rule| {
            matches!(rule.action, RollupAction::Satisfied | RollupAction::NotSatisfied)
        });
        let rules: &[RollupRule] = if declared { own } else { &defaults };
        let mut satisfied = None;
        if self.rollup_rule_check(activity, rules, RollupAction::NotSatisfied, declared) {
            satisfied = Some(false);
        }
        if self.rollup_rule_check(activity, rules, RollupAction::Satisfied, declared) {
            satisfied = Some(true);
        }
        if satisfied.is_some() {
            self.update_if_changed(
                activity,
                ObjectiveUpdate { satisfied: Change::To(satisfied), ..Default::default() },
            );
        }
    }

    /// RB.1.3 a, with SN 4.6.6, 1: a cluster that is active and wants to wait keeps its status.
    fn activity_progress_rollup_using_measure(&mut self, activity: ActivityIndex) {
        if !self.may_measure(activity) {
            return;
        }
        let threshold = self.node(activity).threshold.min_progress_measure;
        let completed = self.objective(activity, 0).progress.map(|progress| progress >= threshold);
        self.update_if_changed(
            activity,
            ObjectiveUpdate { completed: Change::To(completed), ..Default::default() },
        );
    }

    /// RB.1.3 b: "incomplete" first, "completed" last.
    fn activity_progress_rollup_using_rules(&mut self, activity: ActivityIndex) {
        let defaults = [
            default_rule(Condition::ActivityProgressKnown, RollupAction::Incomplete),
            default_rule(Condition::Completed, RollupAction::Completed),
        ];
        let own = &self.node(activity).rollup.rules;
        let declared = own
            .iter()
            .any(|rule| matches!(rule.action, RollupAction::Completed | RollupAction::Incomplete));
        let rules: &[RollupRule] = if declared { own } else { &defaults };
        let mut completed = None;
        if self.rollup_rule_check(activity, rules, RollupAction::Incomplete, declared) {
            completed = Some(false);
        }
        if self.rollup_rule_check(activity, rules, RollupAction::Completed, declared) {
            completed = Some(true);
        }
        if completed.is_some() {
            self.update_if_changed(
                activity,
                ObjectiveUpdate { completed: Change::To(completed), ..Default::default() },
            );
        }
    }

    /// RB.1.4: whether one of the rules with this action applies.
    fn rollup_rule_check(
        &self,
        activity: ActivityIndex,
        rules: &[RollupRule],
        action: RollupAction,
        declared: bool,
    ) -> bool {
        rules.iter().filter(|rule| rule.action == action).any(|rule| {
            let (mut all, mut yes, mut no) = (0_u32, 0_u32, 0_u32);
            for child in self.state.available(self.tree, activity) {
                if self.node(*child).delivery.tracked && self.check_child_for_rollup(*child, action)
                {
                    all += 1;
                    match self.evaluate_rollup_conditions(*child, rule) {
                        Some(true) => yes += 1,
                        Some(false) => no += 1,
                        None => {}
                    }
                }
            }
            // The pseudo-code leaves the status alone when no child contributes. ADL's cases RU-15b
            // and RU-15c want a declared rule about all children to apply then: no child
            // contradicts it.
            if all == 0 {
                return declared && rule.child_activity_set == ChildActivitySet::All;
            }
            match rule.child_activity_set {
                ChildActivitySet::All => yes == all,
                ChildActivitySet::Any => yes > 0,
                ChildActivitySet::None => no == all,
                ChildActivitySet::AtLeastCount(count) => yes >= count,
                ChildActivitySet::AtLeastPercent(percent) => {
                    f64::from(yes) / f64::from(all) >= percent
                }
            }
        })
    }

    /// RB.1.4.1.
    fn evaluate_rollup_conditions(&self, child: ActivityIndex, rule: &RollupRule) -> Truth {
        let values = rule.conditions.iter().map(|condition| {
            let value = self.evaluate(child, condition.condition, Some(0), 0.0);
            if condition.not { value.map(|value| !value) } else { value }
        });
        combine(rule.combination, values)
    }

    /// RB.1.4.2.
    fn check_child_for_rollup(&self, child: ActivityIndex, action: RollupAction) -> bool {
        let rollup = &self.node(child).rollup;
        let (contributes, consideration) = match action {
            RollupAction::Satisfied => {
                (rollup.rollup_objective_satisfied, rollup.required_for_satisfied)
            }
            RollupAction::NotSatisfied => {
                (rollup.rollup_objective_satisfied, rollup.required_for_not_satisfied)
            }
            RollupAction::Completed => {
                (rollup.rollup_progress_completion, rollup.required_for_completed)
            }
            RollupAction::Incomplete => {
                (rollup.rollup_progress_completion, rollup.required_for_incomplete)
            }
        };
        let own = self.of(child);
        contributes
            && match consideration {
                RollupConsideration::Always => true,
                RollupConsideration::IfNotSuspended => own.attempts > 0 && !own.suspended,
                RollupConsideration::IfAttempted => own.attempts > 0,
                RollupConsideration::IfNotSkipped => !self.is_skipped(child),
            }
    }

    /// Writes to the objective that contributes to rollup. An untracked cluster records nothing;
    /// what does not change is not copied to global objectives again, where another activity may
    /// have written since.
    fn update_if_changed(&mut self, activity: ActivityIndex, mut update: ObjectiveUpdate) {
        if !self.node(activity).delivery.tracked {
            return;
        }
        let local = self.fresh(activity, 0);
        update.satisfied = update.satisfied.unless(local.satisfied);
        update.measure = update.measure.unless(local.measure);
        update.completed = update.completed.unless(local.completed);
        update.progress = update.progress.unless(local.progress);
        if update != ObjectiveUpdate::default() {
            self.write_objective(activity, 0, update);
        }
    }
}

/// The rules of RB.1.2 b and RB.1.3 b where the manifest has none.
fn default_rule(condition: Condition, action: RollupAction) -> RollupRule {
    RollupRule {
        child_activity_set: ChildActivitySet::All,
        combination: ConditionCombination::Any,
        conditions: vec![RollupCondition { not: false, condition }],
        action,
    }
}

/// Three thirds of 0.7 are 0.7: what the average of decimal fractions loses in binary must not
/// decide against a threshold. The data model knows seven decimals.
fn rounded(measure: f64) -> f64 {
    (measure * 1e9).round() / 1e9
}
