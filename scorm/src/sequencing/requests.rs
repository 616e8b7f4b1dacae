//! Sequencing requests: SB.2.5 to SB.2.8, SB.2.10 to SB.2.13.

use super::choice::ChoiceEnd;
use super::exception::Exception;
use super::flow::{Direction, FlowEnd};
use super::navigation::SequencingRequest;
use super::run::Run;
use super::tree::ActivityIndex;

/// What a valid sequencing request leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sequenced {
    /// A delivery request.
    Deliver(ActivityIndex),
    /// The sequencing session ends.
    End,
    /// Nothing to deliver; the learner may choose.
    Wait,
}

impl Run<'_> {
    /// SB.2.12 without its effects on the state, which [`Run::settle`] applies: so that a dry run
    /// for many targets needs no copy of the state each.
    pub(super) fn sequencing_request(
        &self,
        request: SequencingRequest,
    ) -> Result<Sequenced, ChoiceEnd> {
        Ok(match request {
            SequencingRequest::Start => self.start()?,
            SequencingRequest::ResumeAll => {
                // SB.2.6
                if self.state.current.is_some() {
                    return Err(Exception::Sb26_1.into());
                }
                Sequenced::Deliver(self.state.suspended.ok_or(Exception::Sb26_2)?)
            }
            SequencingRequest::Continue => {
                // SB.2.7
                let current = self.state.current.ok_or(Exception::Sb27_1)?;
                self.walk(current, Direction::Forward, Exception::Sb27_2)?
            }
            SequencingRequest::Previous => {
                // SB.2.8
                let current = self.state.current.ok_or(Exception::Sb28_1)?;
                self.walk(current, Direction::Backward, Exception::Sb28_2)?
            }
            SequencingRequest::Choice(target) => Sequenced::Deliver(self.choice(target)?),
            SequencingRequest::Retry => self.retry()?,
            SequencingRequest::Exit => self.exit_request()?,
            SequencingRequest::Jump(target) => {
                // SB.2.13
                self.state.current.ok_or(Exception::Sb213_1)?;
                Sequenced::Deliver(target)
            }
        })
    }

    /// What a sequencing request that failed or ended the session still changes.
    pub(super) fn settle(
        &mut self,
        request: SequencingRequest,
        result: Result<Sequenced, ChoiceEnd>,
    ) -> Result<Sequenced, Exception> {
        match result {
            Ok(Sequenced::End) => {
                // SB.2.1, 3.1.1. The attempt on the root ends with the session (TB.2.3, 4.3), so
                // that the next session begins a new one.
                self.terminate_descendent_attempts(ActivityIndex::ROOT);
                if self.of(ActivityIndex::ROOT).active {
                    self.end_attempt(ActivityIndex::ROOT);
                }
                self.state.current = None;
                Ok(Sequenced::End)
            }
            Ok(sequenced) => Ok(sequenced),
            Err(ChoiceEnd::Because(exception)) => Err(exception),
            Err(ChoiceEnd::Moved { ancestor }) => {
                // SB.2.9, 14
                self.terminate_descendent_attempts(ancestor);
                self.end_attempt(ancestor);
                if let SequencingRequest::Choice(target) = request {
                    self.state.current = Some(target);
                }
                Err(Exception::Sb29_9)
            }
        }
    }

    /// SB.2.5.
    fn start(&self) -> Result<Sequenced, Exception> {
        if self.state.current.is_some() {
            return Err(Exception::Sb25_1);
        }
        if self.node(ActivityIndex::ROOT).is_leaf() {
            return Ok(Sequenced::Deliver(ActivityIndex::ROOT));
        }
        flowed(self.flow(ActivityIndex::ROOT, Direction::Forward, true))
    }

    /// SB.2.7, 2 to 5 and SB.2.8, 2 to 5.
    fn walk(
        &self,
        current: ActivityIndex,
        direction: Direction,
        no_flow: Exception,
    ) -> Result<Sequenced, Exception> {
        if self.node(current).parent.is_some_and(|parent| !self.node(parent).control.flow) {
            return Err(no_flow);
        }
        flowed(self.flow(current, direction, false))
    }

    /// SB.2.10.
    fn retry(&self) -> Result<Sequenced, Exception> {
        let current = self.state.current.ok_or(Exception::Sb210_1)?;
        let own = self.of(current);
        if own.active || own.suspended {
            return Err(Exception::Sb210_2);
        }
        if self.node(current).is_leaf() {
            return Ok(Sequenced::Deliver(current));
        }
        match self.flow(current, Direction::Forward, true) {
            Ok(activity) => Ok(Sequenced::Deliver(activity)),
            Err(_) => Err(Exception::Sb210_3),
        }
    }

    /// SB.2.11.
    fn exit_request(&self) -> Result<Sequenced, Exception> {
        let current = self.state.current.ok_or(Exception::Sb211_1)?;
        if self.of(current).active {
            return Err(Exception::Sb211_2);
        }
        Ok(if current == ActivityIndex::ROOT { Sequenced::End } else { Sequenced::Wait })
    }
}

fn flowed(result: Result<ActivityIndex, FlowEnd>) -> Result<Sequenced, Exception> {
    match result {
        Ok(activity) => Ok(Sequenced::Deliver(activity)),
        Err(FlowEnd::Session) => Ok(Sequenced::End),
        Err(FlowEnd::Because(exception)) => Err(exception),
    }
}
