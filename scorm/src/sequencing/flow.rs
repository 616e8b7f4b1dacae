//! Walking the tree: SB.2.1 to SB.2.4, SB.2.9.1 and SB.2.9.2.
//!
//! The specification's recursions are loops here, so that a course of ten thousand skipped
//! activities does not exhaust the stack.

use super::exception::Exception;
use super::looks::{Question, Step};
use super::run::Run;
use super::tree::ActivityIndex;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Direction {
    Forward,
    Backward,
}

/// Why a walk found nothing to deliver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FlowEnd {
    /// SB.2.1, 3.1: the walk left the tree, which ends the sequencing session.
    Session,
    Because(Exception),
}

impl Run<'_> {
    /// SB.2.1: the next activity and the direction in which the walk goes on.
    fn flow_tree_traversal(
        &self,
        mut activity: ActivityIndex,
        mut direction: Direction,
        previous_direction: Option<Direction>,
        mut consider_children: bool,
    ) -> Result<(ActivityIndex, Direction), FlowEnd> {
        let mut reversed = false;
        // 2: all children of a cluster that only goes forward were skipped, coming from behind.
        if previous_direction == Some(Direction::Backward)
            && let Some(siblings) = self.siblings(activity)
            && siblings.last() == Some(&activity)
            && let Some(first) = siblings.first()
        {
            direction = Direction::Backward;
            activity = *first;
            reversed = true;
        }
        loop {
            let node = self.node(activity);
            if !node.is_leaf() && consider_children {
                let children = self.state.available(self.tree, activity);
                let next = match direction {
                    // 3.3
                    Direction::Forward => children.first().map(|it| (*it, Direction::Forward)),
                    // 4.3
                    Direction::Backward if node.control.forward_only => {
                        children.first().map(|it| (*it, Direction::Forward))
                    }
                    Direction::Backward => children.last().map(|it| (*it, Direction::Backward)),
                };
                return next.ok_or(FlowEnd::Because(Exception::Sb21_2));
            }
            let Some(parent) = node.parent else {
                return Err(match direction {
                    // 3.1
                    Direction::Forward => FlowEnd::Session,
                    // 4.1
                    Direction::Backward => FlowEnd::Because(Exception::Sb21_3),
                });
            };
            if direction == Direction::Backward
                && !reversed
                && self.node(parent).control.forward_only
            {
                return Err(FlowEnd::Because(Exception::Sb21_4));
            }
            if let Some(next) = self.neighbour(activity, direction) {
                return Ok((next, direction));
            }
            // 3.2.1, 4.2.2: on to the parent, as if it were a leaf.
            activity = parent;
            consider_children = false;
            reversed = false;
        }
    }

    /// SB.2.2: the first leaf that can be delivered, from a candidate on.
    fn flow_activity_traversal(
        &self,
        activity: ActivityIndex,
        direction: Direction,
    ) -> Result<ActivityIndex, FlowEnd> {
        let Some(seen) = self.looks.seen() else {
            return self.walk_on(activity, direction, |_| None);
        };
        let mut steps = Vec::new();
        let result = self.walk_on(activity, direction, |step| {
            let known = seen.walk(step);
            if known.is_none() {
                steps.push(step);
            }
            known
        });
        seen.remember_walk(steps, result);
        result
    }

    /// The walk itself; it ends early where `known` has the end of a step.
    fn walk_on(
        &self,
        mut activity: ActivityIndex,
        mut direction: Direction,
        mut known: impl FnMut(Step) -> Option<Result<ActivityIndex, FlowEnd>>,
    ) -> Result<ActivityIndex, FlowEnd> {
        let mut previous_direction = None;
        // No activity is looked at more often than once in each direction; a definition that would
        // send the walk in circles finds nothing.
        for _ in 0..=4 * self.tree.len() {
            if let Some(end) = known((activity, direction, previous_direction.is_some())) {
                return end;
            }
            let node = self.node(activity);
            if node.parent.is_some_and(|parent| !self.node(parent).control.flow) {
                return Err(FlowEnd::Because(Exception::Sb22_1));
            }
            if self.is_skipped(activity) {
                let (next, turned) =
                    self.flow_tree_traversal(activity, direction, previous_direction, false)?;
                if previous_direction == Some(Direction::Backward) && turned == Direction::Backward
                {
                    previous_direction = None;
                }
                activity = next;
                direction = turned;
                continue;
            }
            if self.check_activity(activity) {
                return Err(FlowEnd::Because(Exception::Sb22_2));
            }
            if node.is_leaf() {
                return Ok(activity);
            }
            let (next, turned) = self.flow_tree_traversal(activity, direction, None, true)?;
            previous_direction = (direction == Direction::Backward && turned == Direction::Forward)
                .then_some(Direction::Backward);
            activity = next;
            direction = turned;
        }
        Err(FlowEnd::Because(Exception::Sb21_1))
    }

    /// SB.2.3.
    pub(super) fn flow(
        &self,
        activity: ActivityIndex,
        direction: Direction,
        consider_children: bool,
    ) -> Result<ActivityIndex, FlowEnd> {
        let (candidate, turned) =
            self.flow_tree_traversal(activity, direction, None, consider_children)?;
        self.flow_activity_traversal(candidate, turned)
    }

    /// SB.2.4: whether a choice may pass over the activity.
    pub(super) fn choice_activity_traversal(
        &self,
        activity: ActivityIndex,
        direction: Direction,
    ) -> Result<(), Exception> {
        let node = self.node(activity);
        match direction {
            Direction::Forward => {
                let stops = self.looks.ask(Question::Stops, activity, || {
                    self.sequencing_rules_check(activity, &node.rules.stop_forward).is_some()
                });
                if stops { Err(Exception::Sb24_1) } else { Ok(()) }
            }
            Direction::Backward => {
                let parent = node.parent.ok_or(Exception::Sb24_3)?;
                if self.node(parent).control.forward_only {
                    return Err(Exception::Sb24_2);
                }
                Ok(())
            }
        }
    }

    /// SB.2.9.1: the activity one step away from a constrained one, or itself at the tree's edge.
    pub(super) fn choice_flow(
        &self,
        activity: ActivityIndex,
        direction: Direction,
    ) -> ActivityIndex {
        self.choice_flow_tree_traversal(activity, direction).unwrap_or(activity)
    }

    /// SB.2.9.2.
    fn choice_flow_tree_traversal(
        &self,
        activity: ActivityIndex,
        direction: Direction,
    ) -> Option<ActivityIndex> {
        self.tree.path_up(activity).find_map(|at| self.neighbour(at, direction))
    }

    /// The next or previous one in the parent's Available Children.
    fn neighbour(&self, activity: ActivityIndex, direction: Direction) -> Option<ActivityIndex> {
        let siblings = self.siblings(activity)?;
        let position = self.place_of(activity)?;
        let position = match direction {
            Direction::Forward => position.checked_add(1)?,
            Direction::Backward => position.checked_sub(1)?,
        };
        siblings.get(position).copied()
    }

    fn siblings(&self, activity: ActivityIndex) -> Option<&[ActivityIndex]> {
        Some(self.state.available(self.tree, self.node(activity).parent?))
    }
}
