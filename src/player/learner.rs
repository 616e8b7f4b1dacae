//! What belongs to the learner rather than to one attempt: the shared global objectives (SN 3.10.3)
//! and shared data (`adl.data`, CAM 3.4.1.19) that a package declares global to the system.

use scorm::sequencing::{GlobalObjectives, SharedData};

use super::runtime::Play;
use super::store;
use crate::db::{self, Tx};

/// What was read at the beginning of the unit of work; what differs at its end is written.
#[derive(Clone, Debug, Default)]
pub(super) struct Held {
    objectives: GlobalObjectives,
    data: SharedData,
}

impl Play<'_> {
    /// Puts what is known of the learner into the attempt.
    pub(super) async fn recall(&mut self, tx: &mut Tx) -> db::Result<()> {
        let (person, preview) = (self.person.id, self.enrolment.preview);
        let tree = &self.package.tree;
        if tree.objectives_global_to_system() && !tree.targets().is_empty() {
            let known = store::learner_objectives(tx, person, preview).await?;
            for (target, status) in known {
                if tree.targets().contains(&target) {
                    self.held.objectives.0.insert(target.clone(), status.0);
                    // Who looks at a course again sees it as it was when they began to look.
                    let state = &mut self.attempt.state.0;
                    let kept = state.aside.as_mut().map_or(&mut state.globals, |a| &mut a.globals);
                    kept.0.insert(target, status.0);
                }
            }
        }
        if self.package.shares_data() {
            let known = store::learner_data(tx, person, preview).await?;
            for (target, value) in known {
                if self.package.data_targets.contains(&target) {
                    self.held.data.0.insert(target.clone(), value.clone());
                    let state = &mut self.attempt.state.0;
                    let kept = state.aside.as_mut().map_or(&mut state.shared, |a| &mut a.shared);
                    kept.0.insert(target, value);
                }
            }
        }
        Ok(())
    }

    /// Writes what changed, for the learner's other courses and later attempts.
    pub(super) async fn remember(&self, tx: &mut Tx) -> db::Result<()> {
        let (person, preview) = (self.person.id, self.enrolment.preview);
        if self.package.tree.objectives_global_to_system() {
            for (target, status) in &self.attempt.state.globals.0 {
                if self.held.objectives.0.get(target) != Some(status) {
                    store::save_learner_objective(tx, person, preview, target, *status, self.now)
                        .await?;
                }
            }
        }
        if self.package.shares_data() {
            for (target, value) in &self.attempt.state.shared.0 {
                if self.held.data.0.get(target) != Some(value) {
                    store::save_learner_datum(tx, person, preview, target, value, self.now).await?;
                }
            }
        }
        Ok(())
    }
}
