//! The sequencing definition model (SN 3): what a manifest says about an activity, with the
//! specification's defaults where it says nothing.
//!
//! The manifest reader fills these types; the sequencing engine reads them.

use serde::{Deserialize, Serialize};

/// Everything a manifest may say about the sequencing of one activity (SN 3, CAM 5.1).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sequencing {
    /// SN 3.2.
    pub control_mode: ControlMode,
    /// SN 3.4.
    pub rules: Vec<SequencingRule>,
    /// SN 3.5.
    pub limits: LimitConditions,
    /// SN 3.6.
    pub rollup: RollupControls,
    /// SN 3.7. The primary objective, if declared, has `primary` set; at most one has.
    pub objectives: Vec<Objective>,
    /// SN 3.8 and 3.9.
    pub randomization: Randomization,
    /// SN 3.10.
    pub delivery: DeliveryControls,
    /// adlseq:constrainedChoiceConsiderations (SN 3.3).
    pub constrained_choice: ConstrainedChoice,
}

/// SN 3.2, with the defaults of SN 3.2 (choice and choiceExit true, flow and forwardOnly false).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ControlMode {
    pub choice: bool,
    pub choice_exit: bool,
    pub flow: bool,
    pub forward_only: bool,
    pub use_current_attempt_objective_info: bool,
    pub use_current_attempt_progress_info: bool,
}

impl Default for ControlMode {
    fn default() -> Self {
        Self {
            choice: true,
            choice_exit: true,
            flow: false,
            forward_only: false,
            use_current_attempt_objective_info: true,
            use_current_attempt_progress_info: true,
        }
    }
}

/// SN 3.3.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConstrainedChoice {
    pub prevent_activation: bool,
    pub constrain_choice: bool,
}

/// A rule's kind decides when it is evaluated (SN 3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleKind {
    PreCondition,
    PostCondition,
    ExitCondition,
}

/// SN 3.4.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SequencingRule {
    pub kind: RuleKind,
    pub combination: ConditionCombination,
    pub conditions: Vec<RuleCondition>,
    pub action: RuleAction,
}

/// `conditionCombination` (rules: `all` by default; rollup rules: `any` by default).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConditionCombination {
    All,
    Any,
}

/// One condition of a sequencing rule (SN 3.4.1).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuleCondition {
    /// `referencedObjective`; the primary objective when absent.
    pub referenced_objective: Option<String>,
    /// -1.0 to 1.0.
    pub measure_threshold: f64,
    /// `operator="not"`.
    pub not: bool,
    pub condition: Condition,
}

/// The condition vocabulary of sequencing rules and rollup rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    Satisfied,
    ObjectiveStatusKnown,
    ObjectiveMeasureKnown,
    ObjectiveMeasureGreaterThan,
    ObjectiveMeasureLessThan,
    Completed,
    ActivityProgressKnown,
    Attempted,
    AttemptLimitExceeded,
    TimeLimitExceeded,
    OutsideAvailableTimeRange,
    Always,
}

/// SN 3.4.2 to 3.4.4: which action goes with which kind is checked by the manifest reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleAction {
    // pre-condition
    Skip,
    Disabled,
    HiddenFromChoice,
    StopForwardTraversal,
    // post-condition
    ExitParent,
    ExitAll,
    Retry,
    RetryAll,
    Continue,
    Previous,
    // exit condition
    Exit,
}

/// SN 3.5. Only the attempt limit is mandatory for an LMS; the duration limits are kept as written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LimitConditions {
    pub attempt_limit: Option<u32>,
    /// ISO 8601 durations, as written.
    pub attempt_absolute_duration: Option<String>,
    pub attempt_experienced_duration: Option<String>,
    pub activity_absolute_duration: Option<String>,
    pub activity_experienced_duration: Option<String>,
    /// ISO 8601 times, as written.
    pub begin_time: Option<String>,
    pub end_time: Option<String>,
}

/// SN 3.6 and adlseq:rollupConsiderations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RollupControls {
    pub rules: Vec<RollupRule>,
    pub rollup_objective_satisfied: bool,
    pub rollup_progress_completion: bool,
    /// 0.0 to 1.0.
    pub objective_measure_weight: f64,
    pub required_for_satisfied: RollupConsideration,
    pub required_for_not_satisfied: RollupConsideration,
    pub required_for_completed: RollupConsideration,
    pub required_for_incomplete: RollupConsideration,
    pub measure_satisfaction_if_active: bool,
}

impl Default for RollupControls {
    fn default() -> Self {
        Self {
            rules: Vec::new(),
            rollup_objective_satisfied: true,
            rollup_progress_completion: true,
            objective_measure_weight: 1.0,
            required_for_satisfied: RollupConsideration::Always,
            required_for_not_satisfied: RollupConsideration::Always,
            required_for_completed: RollupConsideration::Always,
            required_for_incomplete: RollupConsideration::Always,
            measure_satisfaction_if_active: true,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RollupConsideration {
    #[default]
    Always,
    IfAttempted,
    IfNotSkipped,
    IfNotSuspended,
}

/// SN 3.6.1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RollupRule {
    pub child_activity_set: ChildActivitySet,
    pub combination: ConditionCombination,
    pub conditions: Vec<RollupCondition>,
    pub action: RollupAction,
}

/// SN 3.6.1: `minimumPercent` is a fraction (0.0 to 1.0) in the manifest.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChildActivitySet {
    All,
    Any,
    None,
    AtLeastCount(u32),
    AtLeastPercent(f64),
}

/// Rollup conditions use the same vocabulary without the measure comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollupCondition {
    pub not: bool,
    pub condition: Condition,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RollupAction {
    Satisfied,
    NotSatisfied,
    Completed,
    Incomplete,
}

/// SN 3.7 with the adlseq extension maps (SN 3.7.3).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Objective {
    /// White space collapsed. Only the primary objective may have none.
    pub id: Option<String>,
    pub primary: bool,
    pub satisfied_by_measure: bool,
    /// -1.0 to 1.0; 1.0 by default. `None` when the element is absent.
    pub min_normalized_measure: Option<f64>,
    pub maps: Vec<ObjectiveMap>,
}

/// One `mapInfo`, imsss and adlseq attributes merged by target.
///
/// By default it maps nothing. Within a declared element the read attributes are true where they
/// are absent, but an imsss map says nothing about what only adlseq maps (scores, completion,
/// progress), nor an adlseq map about satisfaction and measure: what one does not declare must not
/// be read through it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ObjectiveMap {
    pub target: String,
    pub read_satisfied_status: bool,
    pub read_normalized_measure: bool,
    pub write_satisfied_status: bool,
    pub write_normalized_measure: bool,
    pub read_raw_score: bool,
    pub read_min_score: bool,
    pub read_max_score: bool,
    pub read_completion_status: bool,
    pub read_progress_measure: bool,
    pub write_raw_score: bool,
    pub write_min_score: bool,
    pub write_max_score: bool,
    pub write_completion_status: bool,
    pub write_progress_measure: bool,
}

/// SN 3.8 and 3.9.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Randomization {
    pub selection_timing: Timing,
    pub select_count: Option<u32>,
    pub randomization_timing: Timing,
    pub reorder_children: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Timing {
    #[default]
    Never,
    Once,
    OnEachNewAttempt,
}

/// SN 3.10.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeliveryControls {
    pub tracked: bool,
    pub completion_set_by_content: bool,
    pub objective_set_by_content: bool,
}

impl Default for DeliveryControls {
    fn default() -> Self {
        Self { tracked: true, completion_set_by_content: false, objective_set_by_content: false }
    }
}

/// `adlcp:completionThreshold` (4th edition): when the progress measure decides completion and how
/// much the activity weighs in its parent's progress.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CompletionThreshold {
    pub completed_by_measure: bool,
    /// 0.0 to 1.0.
    pub min_progress_measure: f64,
    /// 0.0 to 1.0.
    pub progress_weight: f64,
}

impl Default for CompletionThreshold {
    fn default() -> Self {
        Self { completed_by_measure: false, min_progress_measure: 1.0, progress_weight: 1.0 }
    }
}
