//! The tracking model (SN 4.2): what is known about a learner's run through a tree.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::tree::{ActivityIndex, Tree};

/// The tracking state of one attempt on a course, kept with every commit.
///
/// It goes with the tree it was made for; [`State::fit`] mends one that does not match.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    pub(super) activities: Vec<ActivityState>,
    /// AM.1.2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) current: Option<ActivityIndex>,
    /// AM.1.2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) suspended: Option<ActivityIndex>,
    /// The state of the random number generator behind SR.1 and SR.2.
    pub(super) random: u64,
}

/// AM.1.1 and TM.1.2 of one activity.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ActivityState {
    /// Activity Attempt Count; the Activity Progress Status is true when it is not 0.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) attempts: u32,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) active: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) suspended: bool,
    /// The current attempt goes on after a suspension.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) resumed: bool,
    /// The success of the primary objective was recorded in the current attempt, "unknown"
    /// included.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) success_recorded: bool,
    /// The same of the completion.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) completion_recorded: bool,
    /// SN 3.2.5: the objective information dates from before the parent's current attempt, and the
    /// parent wants to know about its current attempt only.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) stale_objectives: bool,
    /// SN 3.2.6, the same of the progress information.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) stale_progress: bool,
    /// Seconds experienced in the current attempt.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) attempt_seconds: f64,
    /// Seconds experienced in all attempts.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) activity_seconds: f64,
    /// Unix seconds; `None` while no attempt is under way, or nobody said what time it was.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) attempt_began: Option<i64>,
    /// Seconds from the beginning of the last attempt that ended to its end.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) attempt_absolute: f64,
    /// The same of all attempts that ended.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) activity_absolute: f64,
    /// In the tree's order: the primary objective, whose completion is the attempt's, comes first.
    #[serde(skip_serializing_if = "all_default")]
    pub(super) objectives: Vec<ObjectiveStatus>,
    /// Available Children, when selection or randomization changed them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) available: Option<Vec<ActivityIndex>>,
}

/// What is known about an objective, local or global; `None` is "unknown".
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ObjectiveStatus {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub satisfied: Option<bool>,
    /// -1.0 to 1.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measure: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed: Option<bool>,
    /// 0.0 to 1.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<f64>,
}

impl ObjectiveStatus {
    pub(super) fn forget_success(&mut self) {
        *self = Self { completed: self.completed, progress: self.progress, ..Self::default() };
    }

    pub(super) fn forget_completion(&mut self) {
        self.completed = None;
        self.progress = None;
    }
}

/// The shared global objectives (SN 3.10.3), by identifier.
///
/// With `adlseq:objectivesGlobalToSystem` (true by default) the caller keeps one for the learner,
/// over all courses; else one for the attempt.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GlobalObjectives(pub BTreeMap<String, ObjectiveStatus>);

/// The shared data stores behind `adl.data` (4th edition), by target identifier.
///
/// With `adlcp:sharedDataGlobalToSystem` (true by default) the caller keeps one for the learner,
/// over all courses; else one for the attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SharedData(pub BTreeMap<String, String>);

/// One element of `adl.data` as the SCO of an activity sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedStore<'a> {
    /// `adl.data.n.id`.
    pub target: &'a str,
    pub readable: bool,
    pub writable: bool,
    /// What is stored, told also when the SCO may not read it.
    pub value: Option<&'a str>,
}

impl SharedData {
    /// `adl.data` of an activity, in the manifest's order.
    pub fn stores<'a>(&'a self, tree: &'a Tree, activity: ActivityIndex) -> Vec<SharedStore<'a>> {
        tree.data_maps(activity)
            .iter()
            .map(|map| SharedStore {
                target: &map.target,
                readable: map.read,
                writable: map.write,
                value: self.0.get(&map.target).map(String::as_str),
            })
            .collect()
    }

    /// Stores what the SCO of an activity wrote; false when it has no writable map to the target.
    pub fn write(
        &mut self,
        tree: &Tree,
        activity: ActivityIndex,
        target: &str,
        value: String,
    ) -> bool {
        let allowed = tree.data_maps(activity).iter().any(|map| map.write && map.target == target);
        if allowed {
            self.0.insert(target.to_owned(), value);
        }
        allowed
    }
}

impl State {
    /// The state before the first attempt. `seed` decides every later random choice.
    ///
    /// Selection and randomization are applied once here (SN 4.7), so that the children are
    /// settled before any process looks at them.
    pub fn new(tree: &Tree, seed: u64) -> Self {
        let mut state = Self { random: seed, ..Self::default() };
        state.fit(tree);
        for activity in tree.activities() {
            state.choose_children(tree, activity);
        }
        state
    }

    /// Brings the state into the tree's shape: what is missing becomes "unknown", what points
    /// nowhere is dropped. Does nothing to a state made for this tree.
    pub fn fit(&mut self, tree: &Tree) {
        self.activities.resize_with(tree.len(), ActivityState::default);
        for (activity, own) in tree.activities().zip(&mut self.activities) {
            let node = tree.node(activity);
            own.objectives.resize_with(node.objectives.len(), ObjectiveStatus::default);
            let foreign = own
                .available
                .as_ref()
                .is_some_and(|list| list.iter().any(|child| tree.parent(*child) != Some(activity)));
            if foreign {
                own.available = None;
            }
        }
        self.current = self.current.filter(|at| tree.contains(*at));
        self.suspended = self.suspended.filter(|at| tree.contains(*at));
    }

    /// The current activity (AM.1.2): the one delivered, or the cluster that was left last.
    pub fn current(&self) -> Option<ActivityIndex> {
        self.current
    }

    /// The activity a "resume all" would deliver (AM.1.2).
    pub fn suspended(&self) -> Option<ActivityIndex> {
        self.suspended
    }

    /// How often an attempt on the activity was begun.
    pub fn attempts(&self, activity: ActivityIndex) -> u32 {
        self.activities.get(activity.position()).map_or(0, |own| own.attempts)
    }

    /// Whether an attempt on the activity is under way.
    pub fn is_active(&self, activity: ActivityIndex) -> bool {
        self.activities.get(activity.position()).is_some_and(|own| own.active)
    }

    /// Whether the attempt on the activity is suspended.
    pub fn is_suspended(&self, activity: ActivityIndex) -> bool {
        self.activities.get(activity.position()).is_some_and(|own| own.suspended)
    }

    /// Seconds experienced over all attempts; of a cluster, below it.
    pub fn seconds(&self, activity: ActivityIndex) -> f64 {
        self.activities.get(activity.position()).map_or(0.0, |own| own.activity_seconds)
    }

    pub(super) fn of(&self, activity: ActivityIndex) -> &ActivityState {
        &self.activities[activity.position()]
    }

    pub(super) fn of_mut(&mut self, activity: ActivityIndex) -> &mut ActivityState {
        &mut self.activities[activity.position()]
    }

    /// Available Children (AM.1.1).
    pub(super) fn available<'a>(
        &'a self,
        tree: &'a Tree,
        activity: ActivityIndex,
    ) -> &'a [ActivityIndex] {
        match &self.of(activity).available {
            Some(list) => list,
            None => &tree.node(activity).children,
        }
    }

    /// The position of an activity in its parent's Available Children; `None` for the root and
    /// for an activity that was not selected.
    pub(super) fn available_position(&self, tree: &Tree, activity: ActivityIndex) -> Option<usize> {
        let node = tree.node(activity);
        let parent = node.parent?;
        match &self.of(parent).available {
            Some(list) => list.iter().position(|child| *child == activity),
            None => Some(node.sibling as usize),
        }
    }

    /// The next number of SplitMix64 (Steele, Lea, Flood 2014), below `bound`.
    pub(super) fn random_below(&mut self, bound: usize) -> usize {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        ((u128::from(mixed) * bound as u128) >> 64) as usize
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn all_default(objectives: &[ObjectiveStatus]) -> bool {
    objectives.iter().all(is_default)
}
