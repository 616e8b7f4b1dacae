//! Termination requests: TB.2.1 to TB.2.3.

use super::definition::RuleAction;
use super::exception::Exception;
use super::navigation::{SequencingRequest, TerminationRequest};
use super::run::Run;
use super::tree::ActivityIndex;

/// What TB.2.2 asks for.
enum PostCondition {
    Nothing,
    Sequence(SequencingRequest),
    ExitParent,
    /// Exit all, and then what.
    ExitAll(SequencingRequest),
}

impl Run<'_> {
    /// TB.2.1.
    fn sequencing_exit_action_rules(&mut self) {
        let Some(current) = self.state.current else { return };
        let Some(parent) = self.node(current).parent else { return };
        let target = self
            .tree
            .path_down(parent)
            .into_iter()
            .find(|at| self.sequencing_rules_check(*at, &self.node(*at).rules.exit).is_some());
        if let Some(target) = target {
            self.terminate_descendent_attempts(target);
            self.end_attempt(target);
            self.state.current = Some(target);
        }
    }

    /// TB.2.2.
    fn sequencing_post_condition_rules(&self, current: ActivityIndex) -> PostCondition {
        if self.of(current).suspended {
            return PostCondition::Nothing;
        }
        match self.sequencing_rules_check(current, &self.node(current).rules.post) {
            Some(RuleAction::Retry) => PostCondition::Sequence(SequencingRequest::Retry),
            Some(RuleAction::Continue) => PostCondition::Sequence(SequencingRequest::Continue),
            Some(RuleAction::Previous) => PostCondition::Sequence(SequencingRequest::Previous),
            Some(RuleAction::ExitParent) => PostCondition::ExitParent,
            Some(RuleAction::ExitAll) => PostCondition::ExitAll(SequencingRequest::Exit),
            Some(RuleAction::RetryAll) => PostCondition::ExitAll(SequencingRequest::Retry),
            _ => PostCondition::Nothing,
        }
    }

    /// TB.2.3: the sequencing request that replaces the pending one, if any.
    pub(super) fn termination_request(
        &mut self,
        request: TerminationRequest,
    ) -> Result<Option<SequencingRequest>, Exception> {
        let current = self.state.current.ok_or(Exception::Tb23_1)?;
        if matches!(request, TerminationRequest::Exit | TerminationRequest::Abandon)
            && !self.of(current).active
        {
            return Err(Exception::Tb23_2);
        }
        match request {
            TerminationRequest::Exit => self.exit(current),
            TerminationRequest::ExitAll => Ok(Some(self.exit_all(SequencingRequest::Exit))),
            TerminationRequest::SuspendAll => self.suspend_all(current).map(Some),
            TerminationRequest::Abandon => {
                self.of_mut(current).active = false;
                Ok(None)
            }
            TerminationRequest::AbandonAll => {
                for at in self.tree.path_up(current) {
                    self.of_mut(at).active = false;
                }
                self.state.current = Some(ActivityIndex::ROOT);
                Ok(Some(SequencingRequest::Exit))
            }
        }
    }

    /// TB.2.3, 3.
    fn exit(&mut self, current: ActivityIndex) -> Result<Option<SequencingRequest>, Exception> {
        self.end_attempt(current);
        self.sequencing_exit_action_rules();
        loop {
            let current = self.state.current.ok_or(Exception::Tb23_1)?;
            let sequence = match self.sequencing_post_condition_rules(current) {
                PostCondition::ExitAll(next) => return Ok(Some(self.exit_all(next))),
                PostCondition::ExitParent => {
                    let parent = self.node(current).parent.ok_or(Exception::Tb23_4)?;
                    self.state.current = Some(parent);
                    self.end_attempt(parent);
                    continue;
                }
                PostCondition::Sequence(request) => Some(request),
                PostCondition::Nothing => None,
            };
            // TB.2.3, 3.3.5.1
            if current == ActivityIndex::ROOT && sequence != Some(SequencingRequest::Retry) {
                return Ok(Some(SequencingRequest::Exit));
            }
            return Ok(sequence);
        }
    }

    /// TB.2.3, 4. A "retry all" that led here goes on with its retry: with the "exit" of line 4.5
    /// it would end the session instead (TB.2.2, 3.3.1).
    fn exit_all(&mut self, next: SequencingRequest) -> SequencingRequest {
        if let Some(current) = self.state.current
            && self.of(current).active
        {
            self.end_attempt(current);
        }
        self.terminate_descendent_attempts(ActivityIndex::ROOT);
        if self.state.current != Some(ActivityIndex::ROOT) || self.of(ActivityIndex::ROOT).active {
            self.end_attempt(ActivityIndex::ROOT);
        }
        self.state.current = Some(ActivityIndex::ROOT);
        next
    }

    /// TB.2.3, 5.
    fn suspend_all(&mut self, current: ActivityIndex) -> Result<SequencingRequest, Exception> {
        let own = self.of(current);
        let suspended = if own.active || own.suspended {
            self.overall_rollup(current);
            current
        } else {
            self.node(current).parent.ok_or(Exception::Tb23_3)?
        };
        self.state.suspended = Some(suspended);
        for at in self.tree.path_up(suspended) {
            let own = self.of_mut(at);
            own.active = false;
            own.suspended = true;
        }
        self.state.current = Some(ActivityIndex::ROOT);
        Ok(SequencingRequest::Exit)
    }
}
