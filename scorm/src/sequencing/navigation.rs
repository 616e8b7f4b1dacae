//! Navigation requests: NB.2.1.

use super::exception::Exception;
use super::run::Run;
use super::tree::ActivityIndex;

/// What a learner, the content or the system asks for (SN 4.4.3, SN 5.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Request {
    Start,
    ResumeAll,
    Continue,
    Previous,
    /// Not defined by SCORM, always refused.
    Forward,
    /// Not defined by SCORM, always refused.
    Backward,
    Choice(ActivityIndex),
    Jump(ActivityIndex),
    Exit,
    ExitAll,
    Abandon,
    AbandonAll,
    SuspendAll,
}

/// SN 4.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TerminationRequest {
    Exit,
    ExitAll,
    Abandon,
    AbandonAll,
    SuspendAll,
}

/// SN 4.8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SequencingRequest {
    Start,
    ResumeAll,
    Continue,
    Previous,
    Choice(ActivityIndex),
    Jump(ActivityIndex),
    Retry,
    Exit,
}

/// What a valid navigation request becomes.
pub(super) type Steps = (Option<TerminationRequest>, SequencingRequest);

impl Run<'_> {
    /// NB.2.1.
    pub(super) fn navigation_request(&self, request: Request) -> Result<Steps, Exception> {
        use SequencingRequest as Sequencing;
        use TerminationRequest as Termination;
        let current = self.state.current;
        match request {
            Request::Start => match current {
                None => Ok((None, Sequencing::Start)),
                Some(_) => Err(Exception::Nb21_1),
            },
            Request::ResumeAll => match (current, self.state.suspended) {
                (None, Some(_)) => Ok((None, Sequencing::ResumeAll)),
                (None, None) => Err(Exception::Nb21_3),
                (Some(_), _) => Err(Exception::Nb21_1),
            },
            Request::Continue => {
                let current = current.ok_or(Exception::Nb21_2)?;
                let parent = self.node(current).parent.ok_or(Exception::Nb21_4)?;
                if !self.node(parent).control.flow {
                    return Err(Exception::Nb21_4);
                }
                Ok((self.exit_if_active(current), Sequencing::Continue))
            }
            Request::Previous => {
                let current = current.ok_or(Exception::Nb21_2)?;
                let parent = self.node(current).parent.ok_or(Exception::Nb21_6)?;
                let control = self.node(parent).control;
                if !control.flow || control.forward_only {
                    return Err(Exception::Nb21_5);
                }
                Ok((self.exit_if_active(current), Sequencing::Previous))
            }
            Request::Forward | Request::Backward => Err(Exception::Nb21_7),
            Request::Choice(target) => self.choice_navigation_request(target),
            Request::Jump(target) => {
                let exists = self.tree.contains(target)
                    && (target == ActivityIndex::ROOT || self.place_of(target).is_some());
                if !exists {
                    return Err(Exception::Nb21_11);
                }
                // NB.2.1, 13.1.1 ends the current activity; one that has ended already needs it not.
                let termination = match current {
                    Some(current) if !self.of(current).active => None,
                    _ => Some(Termination::Exit),
                };
                Ok((termination, Sequencing::Jump(target)))
            }
            Request::Exit => self.ending(current, Termination::Exit),
            Request::Abandon => self.ending(current, Termination::Abandon),
            Request::ExitAll => {
                current.ok_or(Exception::Nb21_2)?;
                Ok((Some(Termination::ExitAll), Sequencing::Exit))
            }
            Request::AbandonAll => {
                current.ok_or(Exception::Nb21_2)?;
                Ok((Some(Termination::AbandonAll), Sequencing::Exit))
            }
            Request::SuspendAll => {
                current.ok_or(Exception::Nb21_2)?;
                Ok((Some(Termination::SuspendAll), Sequencing::Exit))
            }
        }
    }

    /// NB.2.1, 8 and 10.
    fn ending(
        &self,
        current: Option<ActivityIndex>,
        termination: TerminationRequest,
    ) -> Result<Steps, Exception> {
        let current = current.ok_or(Exception::Nb21_2)?;
        if self.of(current).active {
            Ok((Some(termination), SequencingRequest::Exit))
        } else {
            Err(Exception::Nb21_12)
        }
    }

    /// NB.2.1, 7.
    fn choice_navigation_request(&self, target: ActivityIndex) -> Result<Steps, Exception> {
        if !self.tree.contains(target) {
            return Err(Exception::Nb21_11);
        }
        let parent = self.node(target).parent;
        if parent.is_some_and(|parent| !self.node(parent).control.choice) {
            return Err(Exception::Nb21_10);
        }
        let choice = SequencingRequest::Choice(target);
        let Some(current) = self.state.current else { return Ok((None, choice)) };
        if self.node(current).parent != parent || current == target {
            // 7.1.1.2: the current activity and what lies below the common ancestor will end.
            let ancestor = self.tree.common_ancestor(current, target);
            for at in self.tree.path_up(current) {
                if at == ancestor && at != current {
                    break;
                }
                if self.of(at).active && !self.node(at).control.choice_exit {
                    return Err(Exception::Nb21_8);
                }
                if at == ancestor {
                    break;
                }
            }
        }
        if self.of(current).active && !self.node(current).control.choice_exit {
            return Err(Exception::Nb21_8);
        }
        Ok((self.exit_if_active(current), choice))
    }

    fn exit_if_active(&self, current: ActivityIndex) -> Option<TerminationRequest> {
        self.of(current).active.then_some(TerminationRequest::Exit)
    }
}
