//! The choice sequencing request: SB.2.9.

use super::exception::Exception;
use super::flow::Direction;
use super::looks::Question;
use super::run::Run;
use super::tree::ActivityIndex;

/// Why nothing follows from a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ChoiceEnd {
    Because(Exception),
    /// SB.2.9, 14: the target was reached but nothing can be delivered below it; the common
    /// ancestor's attempt ends and the target becomes the current activity.
    Moved {
        ancestor: ActivityIndex,
    },
}

impl From<Exception> for ChoiceEnd {
    fn from(exception: Exception) -> Self {
        Self::Because(exception)
    }
}

impl Run<'_> {
    /// SB.2.9 up to step 13: what the choice would deliver. Changes nothing.
    pub(super) fn choice(&self, target: ActivityIndex) -> Result<ActivityIndex, ChoiceEnd> {
        if !self.tree.contains(target) {
            return Err(Exception::Sb29_1.into());
        }
        // 3
        for at in self.tree.path_up(target) {
            if at != ActivityIndex::ROOT && self.place_of(at).is_none() {
                return Err(Exception::Sb29_2.into());
            }
            if self.is_hidden_from_choice(at) {
                return Err(Exception::Sb29_3.into());
            }
        }
        // 4
        let node = self.node(target);
        if node.parent.is_some_and(|parent| !self.node(parent).control.choice) {
            return Err(Exception::Sb29_4.into());
        }
        let current = self.state.current;
        let ancestor = match current {
            Some(current) => self.tree.common_ancestor(current, target),
            None => ActivityIndex::ROOT,
        };
        match current {
            Some(current) if current == target => {}
            Some(current) if self.node(current).parent == node.parent => {
                self.walk_siblings(current, target)?;
            }
            Some(current) if current != ancestor => {
                if target == ancestor {
                    self.leave(current, target)?;
                } else {
                    self.leave(current, ancestor)?;
                    self.respect_constraint(current, ancestor, target)?;
                    if self.is_forward(current, target, ancestor) {
                        self.walk_down(ancestor, target)?;
                    } else {
                        // 11.9: the target itself is looked at, too.
                        for at in self.between(ancestor, target).into_iter().chain([target]) {
                            self.check_activation(at, ancestor)?;
                        }
                    }
                }
            }
            // 9: the session has not begun, or the current activity contains the target.
            _ => self.walk_down(ancestor, target)?,
        }
        // 12
        if node.is_leaf() {
            return Ok(target);
        }
        // 13
        self.flow(target, Direction::Forward, true).map_err(|_| ChoiceEnd::Moved { ancestor })
    }

    /// Whether a rule of the activity, or the caller, takes it out of choice.
    pub(super) fn is_hidden_from_choice(&self, activity: ActivityIndex) -> bool {
        self.looks.ask(Question::Hidden, activity, || {
            let hidden = &self.node(activity).rules.hidden_from_choice;
            self.is_blocked(activity) || self.sequencing_rules_check(activity, hidden).is_some()
        })
    }

    /// SB.2.9, 8: over the siblings between, the current one included, the target not.
    fn walk_siblings(
        &self,
        current: ActivityIndex,
        target: ActivityIndex,
    ) -> Result<(), Exception> {
        let position = |at| self.place_of(at);
        let parent = self.node(target).parent.ok_or(Exception::Sb29_5)?;
        let siblings = self.state.available(self.tree, parent);
        let to = position(target).ok_or(Exception::Sb29_2)?;
        // A current activity that was dropped by a new selection has nothing between it and others.
        let Some(from) = position(current) else { return Ok(()) };
        if from < to {
            // Most clusters stop nowhere, and then a thousand siblings need no look.
            if !self.node(parent).child_stops_forward {
                return Ok(());
            }
            let stops =
                |at: ActivityIndex| self.choice_activity_traversal(at, Direction::Forward).is_err();
            let first_stop = || {
                let mut from_here = siblings.iter().skip(from);
                from_here.position(|at| stops(*at)).map_or(usize::MAX, |after| from + after)
            };
            let stopped = match self.looks.seen() {
                Some(seen) => seen.first_stop(current, first_stop) < to,
                None => siblings.iter().take(to).skip(from).any(|at| stops(*at)),
            };
            if stopped {
                return Err(Exception::Sb24_1);
            }
        } else {
            // Looking backward only asks whether the cluster goes forward only: once is enough.
            self.choice_activity_traversal(current, Direction::Backward)?;
        }
        Ok(())
    }

    /// SB.2.9, 9.3 and 11.8: from the common ancestor down to the target's parent.
    fn walk_down(&self, ancestor: ActivityIndex, target: ActivityIndex) -> Result<(), Exception> {
        let path = self.between(ancestor, target);
        if path.is_empty() {
            return Err(Exception::Sb29_5);
        }
        for at in path {
            self.choice_activity_traversal(at, Direction::Forward)?;
            self.check_activation(at, ancestor)?;
        }
        Ok(())
    }

    /// SB.2.9, 10.3 and 11.4.1: everything that would end allows to be left.
    fn leave(&self, current: ActivityIndex, ancestor: ActivityIndex) -> Result<(), Exception> {
        for at in self.tree.path_up(current).take_while(|at| *at != ancestor) {
            if !self.node(at).control.choice_exit {
                return Err(Exception::Sb29_7);
            }
        }
        Ok(())
    }

    /// SB.2.9, 11.4.2 and 11.5: constrainChoice.
    fn respect_constraint(
        &self,
        current: ActivityIndex,
        ancestor: ActivityIndex,
        target: ActivityIndex,
    ) -> Result<(), Exception> {
        let constrained = self
            .tree
            .path_up(current)
            .take_while(|at| *at != ancestor)
            // SN 3.3.1: it "has no effect when defined on a leaf activity".
            .find(|at| !self.node(*at).is_leaf() && self.node(*at).constrained.constrain_choice);
        let Some(constrained) = constrained else { return Ok(()) };
        let direction = if self.is_forward(constrained, target, ancestor) {
            Direction::Forward
        } else {
            Direction::Backward
        };
        let considered = self.choice_flow(constrained, direction);
        if self.tree.is_within(target, considered) || target == constrained {
            Ok(())
        } else {
            Err(Exception::Sb29_8)
        }
    }

    /// SB.2.9-6: preventActivation, without effect on a leaf (SN 3.3.2).
    fn check_activation(
        &self,
        activity: ActivityIndex,
        ancestor: ActivityIndex,
    ) -> Result<(), Exception> {
        if activity != ancestor
            && !self.node(activity).is_leaf()
            && !self.of(activity).active
            && self.node(activity).constrained.prevent_activation
        {
            return Err(Exception::Sb29_6);
        }
        Ok(())
    }

    /// Whether `to` comes after `from` in the order the learner meets them; both lie below
    /// `ancestor`, in different branches.
    fn is_forward(&self, from: ActivityIndex, to: ActivityIndex, ancestor: ActivityIndex) -> bool {
        let branch = |at| {
            self.tree
                .path_up(at)
                .find(|at| self.node(*at).parent == Some(ancestor))
                .and_then(|at| self.place_of(at))
        };
        branch(from) < branch(to)
    }

    /// From `ancestor` down to the parent of `target`, both included.
    fn between(&self, ancestor: ActivityIndex, target: ActivityIndex) -> Vec<ActivityIndex> {
        let mut path: Vec<_> = self
            .tree
            .path_up(target)
            .skip(1)
            .take_while(|at| self.tree.is_within(*at, ancestor))
            .collect();
        path.reverse();
        path
    }
}
