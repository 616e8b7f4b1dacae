//! `imsss:sequencing` with its adlseq extensions (CAM 5.1) into the sequencing definition model.

use std::collections::{HashMap, HashSet};

use super::ManifestError;
use super::finding::{Findings, Problem};
use super::value::{boolean, count, decimal, decimal_text, required_token, token};
use super::xml::{Element, Vocabulary};
use crate::sequencing::definition::{
    ChildActivitySet, Condition, ConditionCombination, ConstrainedChoice, ControlMode,
    DeliveryControls, LimitConditions, Objective, ObjectiveMap, Randomization, RollupAction,
    RollupCondition, RollupConsideration, RollupControls, RollupRule, RuleAction, RuleCondition,
    RuleKind, Sequencing, SequencingRule, Timing,
};

const CONDITIONS: [(&str, Condition); 12] = [
    ("satisfied", Condition::Satisfied),
    ("objectiveStatusKnown", Condition::ObjectiveStatusKnown),
    ("objectiveMeasureKnown", Condition::ObjectiveMeasureKnown),
    ("objectiveMeasureGreaterThan", Condition::ObjectiveMeasureGreaterThan),
    ("objectiveMeasureLessThan", Condition::ObjectiveMeasureLessThan),
    ("completed", Condition::Completed),
    ("activityProgressKnown", Condition::ActivityProgressKnown),
    ("attempted", Condition::Attempted),
    ("attemptLimitExceeded", Condition::AttemptLimitExceeded),
    ("timeLimitExceeded", Condition::TimeLimitExceeded),
    ("outsideAvailableTimeRange", Condition::OutsideAvailableTimeRange),
    ("always", Condition::Always),
];

/// Rollup conditions lack the measure comparisons and `always` (CAM 5.1.6.1.3).
const ROLLUP_CONDITIONS: [(&str, Condition); 9] = [
    ("satisfied", Condition::Satisfied),
    ("objectiveStatusKnown", Condition::ObjectiveStatusKnown),
    ("objectiveMeasureKnown", Condition::ObjectiveMeasureKnown),
    ("completed", Condition::Completed),
    ("activityProgressKnown", Condition::ActivityProgressKnown),
    ("attempted", Condition::Attempted),
    ("attemptLimitExceeded", Condition::AttemptLimitExceeded),
    ("timeLimitExceeded", Condition::TimeLimitExceeded),
    ("outsideAvailableTimeRange", Condition::OutsideAvailableTimeRange),
];

/// CAM 5.1.3.1.2.
const PRE_ACTIONS: [(&str, RuleAction); 4] = [
    ("skip", RuleAction::Skip),
    ("disabled", RuleAction::Disabled),
    ("hiddenFromChoice", RuleAction::HiddenFromChoice),
    ("stopForwardTraversal", RuleAction::StopForwardTraversal),
];

/// CAM 5.1.3.2.
const POST_ACTIONS: [(&str, RuleAction); 6] = [
    ("exitParent", RuleAction::ExitParent),
    ("exitAll", RuleAction::ExitAll),
    ("retry", RuleAction::Retry),
    ("retryAll", RuleAction::RetryAll),
    ("continue", RuleAction::Continue),
    ("previous", RuleAction::Previous),
];

/// CAM 5.1.3.3.
const EXIT_ACTIONS: [(&str, RuleAction); 1] = [("exit", RuleAction::Exit)];

const COMBINATIONS: [(&str, ConditionCombination); 2] =
    [("all", ConditionCombination::All), ("any", ConditionCombination::Any)];

const OPERATORS: [(&str, bool); 2] = [("noOp", false), ("not", true)];

const TIMINGS: [(&str, Timing); 3] = [
    ("never", Timing::Never),
    ("once", Timing::Once),
    ("onEachNewAttempt", Timing::OnEachNewAttempt),
];

const CONSIDERATIONS: [(&str, RollupConsideration); 4] = [
    ("always", RollupConsideration::Always),
    ("ifAttempted", RollupConsideration::IfAttempted),
    ("ifNotSkipped", RollupConsideration::IfNotSkipped),
    ("ifNotSuspended", RollupConsideration::IfNotSuspended),
];

const ROLLUP_ACTIONS: [(&str, RollupAction); 4] = [
    ("satisfied", RollupAction::Satisfied),
    ("notSatisfied", RollupAction::NotSatisfied),
    ("completed", RollupAction::Completed),
    ("incomplete", RollupAction::Incomplete),
];

/// Elements of sequencing over all activities, those of the collection counted at each use.
pub(super) const MOST_SEQUENCING: usize = 1_000_000;
/// Conditions of one activity's rules; real courses have a dozen.
const MOST_CONDITIONS: usize = 1_000;

/// The shared sequencings of a manifest by ID (CAM 5.1.13).
pub(super) type Collection<'a> = HashMap<String, &'a Element>;

/// Collects every `sequencingCollection` of the document's manifests.
pub(super) fn collection<'a>(manifest: &'a Element, found: &mut Collection<'a>) {
    for shared in manifest.children_named("sequencingCollection").flat_map(|list| &list.children) {
        if let Some(id) = shared.identifier("ID").filter(|_| shared.is("sequencing")) {
            found.entry(id).or_insert(shared);
        }
    }
    for nested in manifest.children_named("manifest") {
        collection(nested, found);
    }
}

/// The children of a `sequencing` element, those of the collection filling what is not inline.
struct Slots<'a> {
    inline: &'a Element,
    shared: Option<&'a Element>,
}

impl<'a> Slots<'a> {
    /// "Any top-level element defined inline overrides any similar element defined in the
    /// referenced element" (CAM 5.1.13).
    fn one(&self, wanted: impl Fn(&Element) -> bool) -> Option<&'a Element> {
        [Some(self.inline), self.shared]
            .into_iter()
            .flatten()
            .find_map(|element| element.children.iter().find(|child| wanted(child)))
    }

    fn named(&self, name: &str) -> Option<&'a Element> {
        self.one(|child| child.is(name))
    }
}

/// The sequencing of an item or organization; the defaults when it has none.
///
/// `None` when the budget is spent: a large shared sequencing referenced by thousands of items would
/// otherwise fill the memory.
pub(super) fn of(
    parent: &Element,
    shared: &Collection<'_>,
    budget: &mut usize,
    findings: &mut Findings,
) -> Option<Sequencing> {
    let Some(inline) = parent.child("sequencing") else {
        return Some(Sequencing::default());
    };
    let referenced = inline.identifier("IDRef").and_then(|reference| {
        let found = shared.get(&reference).copied();
        if found.is_none() {
            findings.add(inline, Problem::SequencingReferenceUnknown { reference });
        }
        found
    });
    for element in [Some(inline), referenced].into_iter().flatten() {
        element.spend(budget)?;
    }
    let slots = Slots { inline, shared: referenced };
    if let Some(resources) = slots.named("auxiliaryResources") {
        findings.add(resources, Problem::AuxiliaryResources {});
    }
    let extension =
        |child: &Element| child.is("objectives") && child.vocabulary == Vocabulary::Adlseq;
    let objectives = slots.one(|child| child.is("objectives") && !extension(child));
    let objectives = objectives_of(objectives, slots.one(extension), findings);
    let rules = slots.named("sequencingRules");
    Some(Sequencing {
        control_mode: slots
            .named("controlMode")
            .map_or_else(ControlMode::default, |element| control_mode(element, findings)),
        rules: rules.map_or_else(Vec::new, |element| rules_of(element, &objectives, findings)),
        limits: slots
            .named("limitConditions")
            .map_or_else(LimitConditions::default, |element| limits(element, findings)),
        rollup: rollup(slots.named("rollupRules"), slots.named("rollupConsiderations"), findings),
        objectives,
        randomization: slots
            .named("randomizationControls")
            .map_or_else(Randomization::default, |element| randomization(element, findings)),
        delivery: slots
            .named("deliveryControls")
            .map_or_else(DeliveryControls::default, |element| delivery(element, findings)),
        constrained_choice: slots.named("constrainedChoiceConsiderations").map_or_else(
            ConstrainedChoice::default,
            |element| ConstrainedChoice {
                prevent_activation: boolean(element, "preventActivation", false, findings),
                constrain_choice: boolean(element, "constrainChoice", false, findings),
            },
        ),
    })
}

/// Charges the budget for what an activity's rules will cost. Each rollup rule looks at each child
/// whenever something changes below: few rules over many children are a course, many over many are
/// not.
pub(super) fn charge(
    sequencing: &Sequencing,
    children: usize,
    budget: &mut usize,
) -> Result<(), ManifestError> {
    let rollup: usize = sequencing.rollup.rules.iter().map(|rule| rule.conditions.len()).sum();
    let own: usize = sequencing.rules.iter().map(|rule| rule.conditions.len()).sum();
    if own.max(rollup) > MOST_CONDITIONS {
        return Err(ManifestError::TooManyConditions { limit: MOST_CONDITIONS });
    }
    *budget = budget
        .checked_sub(rollup.saturating_mul(children))
        .ok_or(ManifestError::TooMuchSequencing { limit: MOST_SEQUENCING })?;
    Ok(())
}

/// CAM 5.1.2.
fn control_mode(element: &Element, findings: &mut Findings) -> ControlMode {
    let default = ControlMode::default();
    let mut flag = |name, default| boolean(element, name, default, findings);
    ControlMode {
        choice: flag("choice", default.choice),
        choice_exit: flag("choiceExit", default.choice_exit),
        flow: flag("flow", default.flow),
        forward_only: flag("forwardOnly", default.forward_only),
        use_current_attempt_objective_info: flag(
            "useCurrentAttemptObjectiveInfo",
            default.use_current_attempt_objective_info,
        ),
        use_current_attempt_progress_info: flag(
            "useCurrentAttemptProgressInfo",
            default.use_current_attempt_progress_info,
        ),
    }
}

/// CAM 5.1.3.
fn rules_of(
    element: &Element,
    objectives: &[Objective],
    findings: &mut Findings,
) -> Vec<SequencingRule> {
    let declared: HashSet<&str> =
        objectives.iter().filter_map(|objective| objective.id.as_deref()).collect();
    let mut rules = Vec::new();
    for rule in &element.children {
        let (kind, actions): (_, &[(&str, RuleAction)]) =
            match rule.name.to_ascii_lowercase().as_str() {
                "preconditionrule" => (RuleKind::PreCondition, &PRE_ACTIONS),
                "postconditionrule" => (RuleKind::PostCondition, &POST_ACTIONS),
                "exitconditionrule" => (RuleKind::ExitCondition, &EXIT_ACTIONS),
                _ => continue,
            };
        let action = rule
            .child("ruleAction")
            .and_then(|action| required_token(action, "action", actions, findings));
        let list = rule.child("ruleConditions");
        let conditions: Vec<RuleCondition> = list
            .into_iter()
            .flat_map(|list| list.children_named("ruleCondition"))
            .filter_map(|condition| rule_condition(condition, &declared, findings))
            .collect();
        let (Some(action), Some(list), false) = (action, list, conditions.is_empty()) else {
            findings.add(rule, Problem::RuleIncomplete { element: rule.name.clone() });
            continue;
        };
        let combination =
            token(list, "conditionCombination", &COMBINATIONS, ConditionCombination::All, findings);
        rules.push(SequencingRule { kind, combination, conditions, action });
    }
    rules
}

/// CAM 5.1.3.1.1.1. An unknown condition leaves the condition out: `always` would fire the rule.
fn rule_condition(
    element: &Element,
    declared: &HashSet<&str>,
    findings: &mut Findings,
) -> Option<RuleCondition> {
    let condition = match element.attribute("condition") {
        None => Condition::Always,
        Some(_) => required_token(element, "condition", &CONDITIONS, findings)?,
    };
    let referenced_objective = element.uri_identifier("referencedObjective");
    if let Some(id) = &referenced_objective
        && !declared.contains(id.as_str())
    {
        findings.add(element, Problem::ObjectiveUnknown { identifier: id.clone() });
    }
    Some(RuleCondition {
        referenced_objective,
        measure_threshold: decimal(element, "measureThreshold", -1.0..=1.0, 0.0, findings),
        not: token(element, "operator", &OPERATORS, false, findings),
        condition,
    })
}

/// CAM 5.1.4.
fn limits(element: &Element, findings: &mut Findings) -> LimitConditions {
    let text = |name| element.identifier(name);
    LimitConditions {
        attempt_limit: count(element, "attemptLimit", findings),
        attempt_absolute_duration: text("attemptAbsoluteDurationLimit"),
        attempt_experienced_duration: text("attemptExperiencedDurationLimit"),
        activity_absolute_duration: text("activityAbsoluteDurationLimit"),
        activity_experienced_duration: text("activityExperiencedDurationLimit"),
        begin_time: text("beginTimeLimit"),
        end_time: text("endTimeLimit"),
    }
}

/// CAM 5.1.6 and 5.1.11.
fn rollup(
    rules: Option<&Element>,
    considerations: Option<&Element>,
    findings: &mut Findings,
) -> RollupControls {
    let mut controls = RollupControls::default();
    if let Some(element) = rules {
        controls.rollup_objective_satisfied =
            boolean(element, "rollupObjectiveSatisfied", true, findings);
        controls.rollup_progress_completion =
            boolean(element, "rollupProgressCompletion", true, findings);
        controls.objective_measure_weight =
            decimal(element, "objectiveMeasureWeight", 0.0..=1.0, 1.0, findings);
        controls.rules = element
            .children_named("rollupRule")
            .filter_map(|rule| rollup_rule(rule, findings))
            .collect();
    }
    if let Some(element) = considerations {
        let mut when =
            |name| token(element, name, &CONSIDERATIONS, RollupConsideration::Always, findings);
        controls.required_for_satisfied = when("requiredForSatisfied");
        controls.required_for_not_satisfied = when("requiredForNotSatisfied");
        controls.required_for_completed = when("requiredForCompleted");
        controls.required_for_incomplete = when("requiredForIncomplete");
        controls.measure_satisfaction_if_active =
            boolean(element, "measureSatisfactionIfActive", true, findings);
    }
    controls
}

/// CAM 5.1.6.1.
fn rollup_rule(rule: &Element, findings: &mut Findings) -> Option<RollupRule> {
    #[derive(Clone, Copy)]
    enum Set {
        All,
        Any,
        None,
        Count,
        Percent,
    }
    const SETS: [(&str, Set); 5] = [
        ("all", Set::All),
        ("any", Set::Any),
        ("none", Set::None),
        ("atLeastCount", Set::Count),
        ("atLeastPercent", Set::Percent),
    ];
    let child_activity_set = match token(rule, "childActivitySet", &SETS, Set::All, findings) {
        Set::All => ChildActivitySet::All,
        Set::Any => ChildActivitySet::Any,
        Set::None => ChildActivitySet::None,
        Set::Count => {
            ChildActivitySet::AtLeastCount(count(rule, "minimumCount", findings).unwrap_or(0))
        }
        Set::Percent => ChildActivitySet::AtLeastPercent(minimum_percent(rule, findings)),
    };
    let list = rule.child("rollupConditions");
    let conditions: Vec<RollupCondition> = list
        .into_iter()
        .flat_map(|list| list.children_named("rollupCondition"))
        .filter_map(|condition| {
            Some(RollupCondition {
                not: token(condition, "operator", &OPERATORS, false, findings),
                condition: required_token(condition, "condition", &ROLLUP_CONDITIONS, findings)?,
            })
        })
        .collect();
    let action = rule
        .child("rollupAction")
        .and_then(|action| required_token(action, "action", &ROLLUP_ACTIONS, findings));
    let (Some(action), Some(list), false) = (action, list, conditions.is_empty()) else {
        findings.add(rule, Problem::RuleIncomplete { element: rule.name.clone() });
        return None;
    };
    let combination =
        token(list, "conditionCombination", &COMBINATIONS, ConditionCombination::Any, findings);
    Some(RollupRule { child_activity_set, combination, conditions, action })
}

/// A fraction; what is above 1 can only be meant as a percentage.
fn minimum_percent(rule: &Element, findings: &mut Findings) -> f64 {
    let percent = decimal(rule, "minimumPercent", 0.0..=100.0, 0.0, findings);
    if percent <= 1.0 {
        return percent;
    }
    findings.add(
        rule,
        Problem::PercentAsFraction {
            name: "minimumPercent".to_owned(),
            value: percent.to_string(),
        },
    );
    percent / 100.0
}

/// CAM 5.1.7, with the maps of CAM 5.1.12 merged in.
fn objectives_of(
    declared: Option<&Element>,
    extended: Option<&Element>,
    findings: &mut Findings,
) -> Vec<Objective> {
    let mut objectives: Vec<Objective> = Vec::new();
    let mut by_id: HashMap<String, usize> = HashMap::new();
    let mut has_primary = false;
    for element in declared.into_iter().flat_map(|list| &list.children) {
        let primary = element.is("primaryObjective");
        if !primary && !element.is("objective") {
            continue;
        }
        let objective = objective(element, primary, findings);
        let known = objective.id.as_ref().is_some_and(|id| by_id.contains_key(id));
        if known || (primary && has_primary) {
            let identifier = objective.id.unwrap_or_else(|| element.name.clone());
            findings.add(element, Problem::ObjectiveDuplicate { identifier });
        } else if !primary && objective.id.is_none() {
            findings.add(element, Problem::ObjectiveInvalid { element: element.name.clone() });
        } else {
            has_primary |= primary;
            if let Some(id) = &objective.id {
                by_id.insert(id.clone(), objectives.len());
            }
            objectives.push(objective);
        }
    }
    // Position of a map by its objective and target: the first of several for one target counts.
    let mut by_target: HashMap<(usize, String), usize> = HashMap::new();
    if extended.is_some() {
        for (position, objective) in objectives.iter().enumerate() {
            for (map_position, map) in objective.maps.iter().enumerate() {
                by_target.entry((position, map.target.clone())).or_insert(map_position);
            }
        }
    }
    for element in extended.into_iter().flat_map(|list| list.children_named("objective")) {
        let Some(id) = element.uri_identifier("objectiveID") else {
            findings.add(element, Problem::ObjectiveInvalid { element: element.name.clone() });
            continue;
        };
        let known = by_id.get(&id).copied();
        let Some((position, objective)) =
            known.and_then(|position| Some((position, objectives.get_mut(position)?)))
        else {
            findings.add(element, Problem::ObjectiveUnknown { identifier: id });
            continue;
        };
        for extension in element.children_named("mapInfo") {
            let Some(target) = extension.uri_identifier("targetObjectiveID") else {
                let element = extension.name.clone();
                findings.add(extension, Problem::ObjectiveInvalid { element });
                continue;
            };
            let next = objective.maps.len();
            let at = *by_target.entry((position, target.clone())).or_insert(next);
            if at == next {
                objective.maps.push(ObjectiveMap { target, ..ObjectiveMap::default() });
            }
            if let Some(map) = objective.maps.get_mut(at) {
                extend_map(extension, map, findings);
            }
        }
    }
    objectives
}

/// CAM 5.1.7.1 and 5.1.7.2.
fn objective(element: &Element, primary: bool, findings: &mut Findings) -> Objective {
    let measure = element.child("minNormalizedMeasure").map(|measure| {
        // Present but not readable: the default (CAM 5.1.7.1.1).
        decimal_text(measure, -1.0..=1.0, findings).unwrap_or(1.0)
    });
    let mut maps = Vec::new();
    for map in element.children_named("mapInfo") {
        let Some(target) = map.uri_identifier("targetObjectiveID") else {
            findings.add(map, Problem::ObjectiveInvalid { element: map.name.clone() });
            continue;
        };
        let mut flag = |name, default| boolean(map, name, default, findings);
        maps.push(ObjectiveMap {
            target,
            read_satisfied_status: flag("readSatisfiedStatus", true),
            read_normalized_measure: flag("readNormalizedMeasure", true),
            write_satisfied_status: flag("writeSatisfiedStatus", false),
            write_normalized_measure: flag("writeNormalizedMeasure", false),
            ..ObjectiveMap::default()
        });
    }
    Objective {
        id: element.uri_identifier("objectiveID"),
        primary,
        satisfied_by_measure: boolean(element, "satisfiedByMeasure", false, findings),
        min_normalized_measure: measure,
        maps,
    }
}

/// CAM 5.1.12.1.1: joins the imsss map of the same target, or stands alone.
fn extend_map(element: &Element, map: &mut ObjectiveMap, findings: &mut Findings) {
    let mut flag = |name, default| boolean(element, name, default, findings);
    map.read_raw_score = flag("readRawScore", true);
    map.read_min_score = flag("readMinScore", true);
    map.read_max_score = flag("readMaxScore", true);
    map.read_completion_status = flag("readCompletionStatus", true);
    map.read_progress_measure = flag("readProgressMeasure", true);
    map.write_raw_score = flag("writeRawScore", false);
    map.write_min_score = flag("writeMinScore", false);
    map.write_max_score = flag("writeMaxScore", false);
    map.write_completion_status = flag("writeCompletionStatus", false);
    map.write_progress_measure = flag("writeProgressMeasure", false);
}

/// CAM 5.1.8.
fn randomization(element: &Element, findings: &mut Findings) -> Randomization {
    Randomization {
        selection_timing: token(element, "selectionTiming", &TIMINGS, Timing::Never, findings),
        select_count: count(element, "selectCount", findings),
        randomization_timing: token(
            element,
            "randomizationTiming",
            &TIMINGS,
            Timing::Never,
            findings,
        ),
        reorder_children: boolean(element, "reorderChildren", false, findings),
    }
}

/// CAM 5.1.9.
fn delivery(element: &Element, findings: &mut Findings) -> DeliveryControls {
    DeliveryControls {
        tracked: boolean(element, "tracked", true, findings),
        completion_set_by_content: boolean(element, "completionSetByContent", false, findings),
        objective_set_by_content: boolean(element, "objectiveSetByContent", false, findings),
    }
}
