//! Delivery: DB.1.1, DB.2, DB.2.1.

use super::exception::Exception;
use super::run::Run;
use super::tree::ActivityIndex;

impl Run<'_> {
    /// DB.1.1.
    pub(super) fn delivery_request(&self, activity: ActivityIndex) -> Result<(), Exception> {
        if !self.node(activity).is_leaf() {
            return Err(Exception::Db11_1);
        }
        if self.tree.path_up(activity).any(|at| self.check_activity(at)) {
            return Err(Exception::Db11_3);
        }
        Ok(())
    }

    /// Whether DB.2 would refuse.
    pub(super) fn content_delivery_possible(&self) -> Result<(), Exception> {
        match self.state.current {
            Some(current) if self.of(current).active => Err(Exception::Db2_1),
            _ => Ok(()),
        }
    }

    /// DB.2.
    pub(super) fn content_delivery_environment(
        &mut self,
        activity: ActivityIndex,
    ) -> Result<(), Exception> {
        self.content_delivery_possible()?;
        if self.state.suspended != Some(activity) {
            self.clear_suspended_activity(activity);
        }
        self.terminate_descendent_attempts(activity);
        for at in self.tree.path_down(activity) {
            self.begin_attempt(at);
        }
        self.state.current = Some(activity);
        self.state.suspended = None;
        Ok(())
    }

    /// DB.2.1.
    fn clear_suspended_activity(&mut self, activity: ActivityIndex) {
        let Some(suspended) = self.state.suspended.take() else { return };
        let ancestor = self.tree.common_ancestor(suspended, activity);
        for at in self.tree.path_up(suspended) {
            let node = self.node(at);
            // For a leaf there is no child that could be suspended.
            if !node.children.iter().any(|child| self.of(*child).suspended) {
                self.of_mut(at).suspended = false;
            }
            if at == ancestor {
                break;
            }
        }
    }
}
