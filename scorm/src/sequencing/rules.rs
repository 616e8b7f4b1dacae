//! Rules: UP.2, UP.2.1, UP.5, and the conditions of rules and rollup rules.

use super::definition::{Condition, ConditionCombination, RuleAction};
use super::looks::Question;
use super::run::Run;
use super::tree::{ActivityIndex, NodeRule};

/// `None` is "unknown", which `not` leaves alone and which combines by the truth tables of
/// SN 4.6.2.
pub(super) type Truth = Option<bool>;

/// Applies a condition combination; an empty set of conditions is unknown.
pub(super) fn combine(
    combination: ConditionCombination,
    values: impl Iterator<Item = Truth>,
) -> Truth {
    let decisive = combination == ConditionCombination::Any;
    let mut result = None;
    let mut unknown = false;
    for value in values {
        match value {
            Some(value) if value == decisive => return Some(decisive),
            Some(value) => result = Some(value),
            None => unknown = true,
        }
    }
    if unknown { None } else { result }
}

impl Run<'_> {
    /// UP.2: the action of the first rule that applies.
    pub(super) fn sequencing_rules_check(
        &self,
        activity: ActivityIndex,
        rules: &[NodeRule],
    ) -> Option<RuleAction> {
        rules
            .iter()
            .find(|rule| self.sequencing_rule_check(activity, rule) == Some(true))
            .map(|rule| rule.action)
    }

    /// UP.2.1.
    fn sequencing_rule_check(&self, activity: ActivityIndex, rule: &NodeRule) -> Truth {
        let values = rule.conditions.iter().map(|condition| {
            let value = self.evaluate(
                activity,
                condition.condition,
                condition.objective,
                condition.threshold,
            );
            if condition.not { value.map(|value| !value) } else { value }
        });
        combine(rule.combination, values)
    }

    /// UP.5: whether the activity may not be used now. What the caller blocks may not either.
    pub(super) fn check_activity(&self, activity: ActivityIndex) -> bool {
        self.looks.ask(Question::Closed, activity, || {
            let disabled = &self.node(activity).rules.disabled;
            self.is_blocked(activity)
                || self.sequencing_rules_check(activity, disabled).is_some()
                || self.limit_conditions_check(activity)
        })
    }

    /// Whether the activity is passed over: its skip rules, and what the caller blocks.
    pub(super) fn is_skipped(&self, activity: ActivityIndex) -> bool {
        self.looks.ask(Question::Skipped, activity, || {
            self.is_blocked(activity)
                || self.sequencing_rules_check(activity, &self.node(activity).rules.skip).is_some()
        })
    }

    /// SN table 3.4.2a and 3.7.3a: one condition, before any `not`.
    pub(super) fn evaluate(
        &self,
        activity: ActivityIndex,
        condition: Condition,
        objective: Option<usize>,
        threshold: f64,
    ) -> Truth {
        let own = self.of(activity);
        let node = self.node(activity);
        let status =
            || objective.map(|objective| self.objective(activity, objective)).unwrap_or_default();
        match condition {
            Condition::Satisfied => status().satisfied,
            Condition::ObjectiveStatusKnown => Some(status().satisfied.is_some()),
            Condition::ObjectiveMeasureKnown => Some(status().measure.is_some()),
            Condition::ObjectiveMeasureGreaterThan => {
                status().measure.map(|measure| measure > threshold)
            }
            Condition::ObjectiveMeasureLessThan => {
                status().measure.map(|measure| measure < threshold)
            }
            Condition::Completed => status().completed,
            Condition::ActivityProgressKnown => Some(status().completed.is_some()),
            Condition::Attempted => Some(own.attempts > 0),
            Condition::AttemptLimitExceeded => Some(
                node.limits
                    .attempt_limit
                    .is_some_and(|limit| own.attempts > 0 && own.attempts >= limit),
            ),
            Condition::TimeLimitExceeded => self.time_limit_exceeded(activity),
            Condition::OutsideAvailableTimeRange => self.outside_time_range(activity),
            Condition::Always => Some(true),
        }
    }
}
