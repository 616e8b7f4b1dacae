//! The activity tree (SN 2.1): an arena in document order, with everything a process looks up
//! often worked out once.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::definition::{
    CompletionThreshold, Condition, ConditionCombination, ConstrainedChoice, ControlMode,
    DeliveryControls, LimitConditions, Objective, Randomization, RollupControls, RuleAction,
    Sequencing, SequencingRule,
};
use super::limits::TimeLimits;

/// The deepest tree that is accepted; real courses stay below ten.
const DEEPEST: usize = 256;

/// One activity as the caller describes it: an organization, an item, with its children.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TreeItem {
    /// The item's or organization's identifier, white space collapsed.
    pub id: String,
    pub title: String,
    /// `isvisible`: whether the table of contents shows it.
    pub visible: bool,
    /// The resource a leaf delivers; ignored on an item with children.
    pub resource: Option<String>,
    pub sequencing: Sequencing,
    pub completion_threshold: Option<CompletionThreshold>,
    /// `adlcp:data`: the shared stores the SCO sees as `adl.data`.
    pub data_maps: Vec<DataMap>,
    pub children: Vec<TreeItem>,
}

impl TreeItem {
    /// A visible item with the specification's defaults and no children.
    pub fn new(id: impl Into<String>, title: impl Into<String>) -> Self {
        Self { id: id.into(), title: title.into(), visible: true, ..Self::default() }
    }

    /// Makes this item and everything below it behave as courses without sequencing do (SCORM 1.2,
    /// single SCOs): every item may be chosen, "continue" and "previous" walk through them, and a
    /// status stays until the content reports another, over all sessions.
    #[must_use]
    pub fn with_free_navigation(mut self) -> Self {
        self.allow_free_navigation();
        self
    }

    fn allow_free_navigation(&mut self) {
        let control = &mut self.sequencing.control_mode;
        control.choice = true;
        control.choice_exit = true;
        control.flow = true;
        control.forward_only = false;
        control.use_current_attempt_objective_info = false;
        control.use_current_attempt_progress_info = false;
        for child in &mut self.children {
            child.allow_free_navigation();
        }
    }
}

/// One `adlcp:map` of an item's `adlcp:data` (CAM 3.4.1.15).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataMap {
    pub target: String,
    pub read: bool,
    pub write: bool,
}

/// The place of an activity in its tree: document order, the root is 0.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct ActivityIndex(pub(super) u32);

impl ActivityIndex {
    /// The root of every tree.
    pub const ROOT: Self = Self(0);

    /// The position in document order.
    pub fn position(self) -> usize {
        self.0 as usize
    }
}

/// Why a tree was not built.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TreeError {
    #[error("two activities have the identifier {id:?}")]
    DuplicateIdentifier { id: String },
    #[error("activity {id:?} lies deeper than {DEEPEST} levels")]
    TooDeep { id: String },
}

/// The immutable activity tree of one organization.
#[derive(Clone, Debug)]
pub struct Tree {
    nodes: Vec<Node>,
    by_id: HashMap<String, ActivityIndex>,
    /// Shared global objectives, by number.
    targets: Vec<String>,
    /// The parents of those who read a global objective, by its number.
    readers: Vec<Vec<ActivityIndex>>,
    /// `adlseq:objectivesGlobalToSystem`.
    objectives_global_to_system: bool,
}

/// One activity with its definition, compiled.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) visible: bool,
    pub(super) resource: Option<String>,
    pub(super) parent: Option<ActivityIndex>,
    /// The position among the parent's children.
    pub(super) sibling: u32,
    pub(super) depth: u32,
    pub(super) children: Vec<ActivityIndex>,
    /// Whether a child has a rule that stops forward traversal.
    pub(super) child_stops_forward: bool,
    /// The index after the last descendant.
    pub(super) end: u32,
    pub(super) control: ControlMode,
    pub(super) constrained: ConstrainedChoice,
    pub(super) rules: RuleSets,
    pub(super) limits: LimitConditions,
    pub(super) times: TimeLimits,
    pub(super) rollup: RollupControls,
    /// The objective that contributes to rollup comes first; there always is one.
    pub(super) objectives: Vec<NodeObjective>,
    pub(super) randomization: Randomization,
    pub(super) delivery: DeliveryControls,
    pub(super) threshold: CompletionThreshold,
    pub(super) data_maps: Vec<DataMap>,
    /// The global objectives that a local one writes, in order.
    pub(super) writes: Vec<usize>,
    /// Local objectives by identifier.
    by_id: HashMap<String, usize>,
}

impl Node {
    pub(super) fn is_leaf(&self) -> bool {
        self.children.is_empty()
    }

    /// The number of the local objective with this identifier.
    pub(super) fn objective_named(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }
}

/// The sequencing rules of an activity by the moment they are looked at, in their written order.
#[derive(Clone, Debug, Default)]
pub(super) struct RuleSets {
    pub(super) skip: Vec<NodeRule>,
    pub(super) disabled: Vec<NodeRule>,
    pub(super) hidden_from_choice: Vec<NodeRule>,
    pub(super) stop_forward: Vec<NodeRule>,
    pub(super) post: Vec<NodeRule>,
    pub(super) exit: Vec<NodeRule>,
}

#[derive(Clone, Debug)]
pub(super) struct NodeRule {
    pub(super) action: RuleAction,
    pub(super) combination: ConditionCombination,
    pub(super) conditions: Vec<NodeCondition>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct NodeCondition {
    pub(super) condition: Condition,
    pub(super) not: bool,
    /// `None`: the referenced objective does not exist, whatever is asked of it is unknown.
    pub(super) objective: Option<usize>,
    pub(super) threshold: f64,
}

/// One local objective with its maps resolved to numbers of global objectives.
#[derive(Clone, Debug, Default)]
pub(super) struct NodeObjective {
    pub(super) id: Option<String>,
    pub(super) satisfied_by_measure: bool,
    pub(super) min_measure: f64,
    pub(super) read: ObjectiveLinks,
    pub(super) write: Vec<(usize, WriteMap)>,
}

/// Where each piece of an objective's state is read from, if not locally.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ObjectiveLinks {
    pub(super) satisfied: Option<usize>,
    pub(super) measure: Option<usize>,
    pub(super) raw: Option<usize>,
    pub(super) min: Option<usize>,
    pub(super) max: Option<usize>,
    pub(super) completed: Option<usize>,
    pub(super) progress: Option<usize>,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct WriteMap {
    pub(super) satisfied: bool,
    pub(super) measure: bool,
    pub(super) raw: bool,
    pub(super) min: bool,
    pub(super) max: bool,
    pub(super) completed: bool,
    pub(super) progress: bool,
}

impl Tree {
    /// Builds the tree of an organization; `root` is the organization itself.
    pub fn new(root: &TreeItem) -> Result<Self, TreeError> {
        let mut tree = Self {
            nodes: Vec::new(),
            by_id: HashMap::new(),
            targets: Vec::new(),
            readers: Vec::new(),
            objectives_global_to_system: true,
        };
        let mut targets = HashMap::new();
        tree.add(root, None, 0, 0, &mut targets)?;
        let mut named: Vec<(String, usize)> = targets.into_iter().collect();
        named.sort_by_key(|(_, number)| *number);
        tree.targets = named.into_iter().map(|(name, _)| name).collect();
        tree.find_readers();
        Ok(tree)
    }

    /// Takes `adlseq:objectivesGlobalToSystem="false"` into account: the shared global objectives
    /// live as long as an attempt on the root, and a new one forgets them.
    #[must_use]
    pub fn with_objectives_global_to_system(mut self, global: bool) -> Self {
        self.objectives_global_to_system = global;
        self
    }

    /// Whether the shared global objectives belong to the learner rather than to the attempt.
    pub fn objectives_global_to_system(&self) -> bool {
        self.objectives_global_to_system
    }

    /// The number of activities, the root included; never 0.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Never true: a tree has a root.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// All activities in document order.
    pub fn activities(&self) -> impl Iterator<Item = ActivityIndex> + use<> {
        (0..self.nodes.len() as u32).map(ActivityIndex)
    }

    /// The activity with this identifier.
    pub fn find(&self, id: &str) -> Option<ActivityIndex> {
        self.by_id.get(id).copied()
    }

    /// The identifier of an activity of this tree.
    pub fn id(&self, activity: ActivityIndex) -> Option<&str> {
        self.nodes.get(activity.position()).map(|node| node.id.as_str())
    }

    /// The title of an activity of this tree.
    pub fn title(&self, activity: ActivityIndex) -> Option<&str> {
        self.nodes.get(activity.position()).map(|node| node.title.as_str())
    }

    /// The resource an activity delivers.
    pub fn resource(&self, activity: ActivityIndex) -> Option<&str> {
        self.nodes.get(activity.position())?.resource.as_deref()
    }

    /// Whether the activity can be delivered, having no children.
    pub fn is_leaf(&self, activity: ActivityIndex) -> bool {
        self.nodes.get(activity.position()).is_some_and(Node::is_leaf)
    }

    /// The parent; `None` for the root and for an activity of another tree.
    pub fn parent(&self, activity: ActivityIndex) -> Option<ActivityIndex> {
        self.nodes.get(activity.position())?.parent
    }

    /// `adlcp:data` of an activity.
    pub fn data_maps(&self, activity: ActivityIndex) -> &[DataMap] {
        self.nodes.get(activity.position()).map_or(&[], |node| &node.data_maps)
    }

    pub(super) fn contains(&self, activity: ActivityIndex) -> bool {
        activity.position() < self.nodes.len()
    }

    pub(super) fn node(&self, activity: ActivityIndex) -> &Node {
        &self.nodes[activity.position()]
    }

    /// The shared global objectives that some activity maps to, in the manifest's order.
    pub fn targets(&self) -> &[String] {
        &self.targets
    }

    /// Whether `activity` is `ancestor` or lies below it.
    pub(super) fn is_within(&self, activity: ActivityIndex, ancestor: ActivityIndex) -> bool {
        activity.0 >= ancestor.0 && activity.0 < self.node(ancestor).end
    }

    /// The deepest activity that contains both.
    pub(super) fn common_ancestor(
        &self,
        one: ActivityIndex,
        other: ActivityIndex,
    ) -> ActivityIndex {
        let mut ancestor = one;
        while !self.is_within(other, ancestor) {
            let Some(parent) = self.node(ancestor).parent else { break };
            ancestor = parent;
        }
        ancestor
    }

    /// From the activity up to the root, both included.
    pub(super) fn path_up(&self, from: ActivityIndex) -> impl Iterator<Item = ActivityIndex> + '_ {
        std::iter::successors(Some(from), |at| self.node(*at).parent)
    }

    /// From the root down to the activity, both included.
    pub(super) fn path_down(&self, to: ActivityIndex) -> Vec<ActivityIndex> {
        let mut path: Vec<_> = self.path_up(to).collect();
        path.reverse();
        path
    }

    fn add(
        &mut self,
        item: &TreeItem,
        parent: Option<ActivityIndex>,
        sibling: u32,
        depth: u32,
        targets: &mut HashMap<String, usize>,
    ) -> Result<ActivityIndex, TreeError> {
        if depth as usize > DEEPEST {
            return Err(TreeError::TooDeep { id: item.id.clone() });
        }
        let index = ActivityIndex(self.nodes.len() as u32);
        let before = self.by_id.insert(item.id.clone(), index);
        // An item that bears the organization's identifier is the one people mean.
        if before.is_some_and(|before| before != ActivityIndex::ROOT) {
            return Err(TreeError::DuplicateIdentifier { id: item.id.clone() });
        }
        let sequencing = &item.sequencing;
        let objectives = compile_objectives(&sequencing.objectives, targets);
        let mut by_id = HashMap::new();
        for (number, objective) in objectives.iter().enumerate() {
            if let Some(id) = &objective.id {
                by_id.entry(id.clone()).or_insert(number);
            }
        }
        let rules = compile_rules(&sequencing.rules, &by_id);
        let writes = objectives.iter().flat_map(|objective| &objective.write);
        let mut writes: Vec<usize> = writes.map(|(target, _)| *target).collect();
        writes.sort_unstable();
        writes.dedup();
        self.nodes.push(Node {
            id: item.id.clone(),
            title: item.title.clone(),
            visible: item.visible,
            resource: item.resource.clone().filter(|_| item.children.is_empty()),
            parent,
            sibling,
            depth,
            children: Vec::with_capacity(item.children.len()),
            child_stops_forward: false,
            end: 0,
            control: sequencing.control_mode,
            constrained: sequencing.constrained_choice,
            rules,
            times: TimeLimits::read(&sequencing.limits),
            limits: sequencing.limits.clone(),
            rollup: sequencing.rollup.clone(),
            objectives,
            randomization: sequencing.randomization,
            delivery: sequencing.delivery,
            threshold: item.completion_threshold.unwrap_or_default(),
            data_maps: item.data_maps.clone(),
            writes,
            by_id,
        });
        for (position, child) in item.children.iter().enumerate() {
            let child = self.add(child, Some(index), position as u32, depth + 1, targets)?;
            let stops = !self.nodes[child.position()].rules.stop_forward.is_empty();
            let node = &mut self.nodes[index.position()];
            node.children.push(child);
            node.child_stops_forward |= stops;
        }
        self.nodes[index.position()].end = self.nodes.len() as u32;
        Ok(index)
    }

    /// Who is affected when a global objective is written.
    fn find_readers(&mut self) {
        let mut readers: Vec<Vec<ActivityIndex>> = vec![Vec::new(); self.targets.len()];
        for (position, node) in self.nodes.iter().enumerate() {
            let reader = node.parent.unwrap_or(ActivityIndex(position as u32));
            for objective in &node.objectives {
                let read = objective.read;
                for target in [read.satisfied, read.measure, read.completed, read.progress]
                    .into_iter()
                    .flatten()
                {
                    readers[target].push(reader);
                }
            }
        }
        for list in &mut readers {
            list.sort_unstable();
            list.dedup();
        }
        self.readers = readers;
    }

    /// SN 4.6.1, A: the activities from which rollup starts when this one ends an attempt, besides
    /// itself: the parents of those who read a global objective this one writes. Deepest first.
    pub(super) fn rollup_set(&self, activity: ActivityIndex) -> Vec<ActivityIndex> {
        let written = self.node(activity).writes.iter();
        let mut set: Vec<ActivityIndex> =
            written.filter_map(|target| self.readers.get(*target)).flatten().copied().collect();
        set.sort_unstable_by_key(|at| (u32::MAX - self.node(*at).depth, at.0));
        set.dedup();
        set
    }
}

fn compile_objectives(
    objectives: &[Objective],
    targets: &mut HashMap<String, usize>,
) -> Vec<NodeObjective> {
    let mut compiled = Vec::with_capacity(objectives.len() + 1);
    let primary = objectives.iter().position(|objective| objective.primary);
    // SN 3.10: every activity has one objective that contributes to rollup, declared or not.
    match primary.and_then(|position| objectives.get(position)) {
        Some(objective) => compiled.push(compile_objective(objective, targets)),
        None => compiled.push(NodeObjective { min_measure: 1.0, ..NodeObjective::default() }),
    }
    for (position, objective) in objectives.iter().enumerate() {
        if Some(position) != primary {
            compiled.push(compile_objective(objective, targets));
        }
    }
    compiled
}

fn compile_objective(objective: &Objective, targets: &mut HashMap<String, usize>) -> NodeObjective {
    let mut compiled = NodeObjective {
        id: objective.id.clone(),
        satisfied_by_measure: objective.satisfied_by_measure,
        min_measure: objective.min_normalized_measure.unwrap_or(1.0),
        ..NodeObjective::default()
    };
    for map in &objective.maps {
        let next = targets.len();
        let target = *targets.entry(map.target.clone()).or_insert(next);
        let read = &mut compiled.read;
        // SN 3.10.3: at most one read map a piece of state; the first one counts.
        for (wanted, link) in [
            (map.read_satisfied_status, &mut read.satisfied),
            (map.read_normalized_measure, &mut read.measure),
            (map.read_raw_score, &mut read.raw),
            (map.read_min_score, &mut read.min),
            (map.read_max_score, &mut read.max),
            (map.read_completion_status, &mut read.completed),
            (map.read_progress_measure, &mut read.progress),
        ] {
            if wanted && link.is_none() {
                *link = Some(target);
            }
        }
        let write = WriteMap {
            satisfied: map.write_satisfied_status,
            measure: map.write_normalized_measure,
            raw: map.write_raw_score,
            min: map.write_min_score,
            max: map.write_max_score,
            completed: map.write_completion_status,
            progress: map.write_progress_measure,
        };
        if write.satisfied
            || write.measure
            || write.raw
            || write.min
            || write.max
            || write.completed
            || write.progress
        {
            compiled.write.push((target, write));
        }
    }
    compiled
}

fn compile_rules(rules: &[SequencingRule], by_id: &HashMap<String, usize>) -> RuleSets {
    let mut sets = RuleSets::default();
    for rule in rules {
        let set = match rule.action {
            RuleAction::Skip => &mut sets.skip,
            RuleAction::Disabled => &mut sets.disabled,
            RuleAction::HiddenFromChoice => &mut sets.hidden_from_choice,
            RuleAction::StopForwardTraversal => &mut sets.stop_forward,
            RuleAction::Exit => &mut sets.exit,
            RuleAction::ExitParent
            | RuleAction::ExitAll
            | RuleAction::Retry
            | RuleAction::RetryAll
            | RuleAction::Continue
            | RuleAction::Previous => &mut sets.post,
        };
        let conditions = rule
            .conditions
            .iter()
            .map(|condition| NodeCondition {
                condition: condition.condition,
                not: condition.not,
                objective: match &condition.referenced_objective {
                    None => Some(0),
                    Some(id) => by_id.get(id).copied(),
                },
                threshold: condition.measure_threshold,
            })
            .collect();
        set.push(NodeRule { action: rule.action, combination: rule.combination, conditions });
    }
    sets
}
