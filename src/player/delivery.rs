//! Showing an activity: what its content is told, and what the player shows around it.

use scorm::manifest::ScormType;
use scorm::runtime::{self as model, Launch, Model, ObjectiveSeed, RequestValid};
use scorm::sequencing::{ActivityIndex, Engine, State};
use sqlx::types::Json;

use super::messages::{Delivery, TocLine, View};
use super::progress::{Mode, Session};
use super::runtime::{Play, RuntimeError};
use super::store;
use crate::db::Tx;
use crate::people::Person;

impl Play<'_> {
    /// Prepares the content of an activity and notes its session.
    pub(super) async fn deliver(
        &mut self,
        tx: &mut Tx,
        activity: Option<ActivityIndex>,
    ) -> Result<Option<Delivery>, RuntimeError> {
        let Some(index) = activity else { return Ok(None) };
        let (Some(item), Some(href)) = (self.package.item(index), self.package.href(index)) else {
            return Ok(None);
        };
        let activity = item.identifier.clone();
        let earlier = store::activity_data(tx, self.attempt.id, &activity).await?;
        let edition = self.package.edition;
        let mut data = earlier.clone().unwrap_or_default();
        // Who looks at it again sees what was there when it ended.
        let kept = data.suspended || self.attempt.state.mode() == Mode::Review;
        let carried = data.model.carried(edition, kept);
        let mut launch = self.launch(index, data.seconds);
        launch.request_valid = self.request_valid();
        let entry = Launch::next_entry(edition, earlier.is_some(), data.suspended);
        launch.entry = Some(entry.to_owned());
        let model = match carried {
            Some(kept) => Model::resume(edition, &launch, &kept),
            None => Model::new(edition, &launch),
        };
        data.model = Json(model.snapshot());
        data.suspended = false;
        self.save_data(tx, &activity, &data).await?;
        self.attempt.state.session = Some(Session {
            activity: activity.clone(),
            started_at: self.now,
            reported: 0.0,
            terminated: false,
        });
        let is_sco =
            item.resource.as_ref().is_some_and(|resource| resource.scorm_type == ScormType::Sco);
        let sequence = u64::try_from(self.attempt.sequence).unwrap_or_default();
        let url = if href.contains("://") {
            href.to_owned()
        } else {
            format!("/content/{}/{href}", self.package.id)
        };
        Ok(Some(Delivery {
            title: item.title.clone(),
            url,
            launch: is_sco.then(|| model.browser_launch(sequence)),
            edition,
            activity,
        }))
    }

    /// The objectives of the activity, with what is known of them.
    pub(super) fn objective_seeds(&self, index: ActivityIndex) -> Vec<ObjectiveSeed> {
        let engine = Engine::new(&self.package.tree);
        let progress = &self.attempt.state;
        let fresh = State::new(&self.package.tree, self.seed());
        let state = progress.sequencing.as_ref().unwrap_or(&fresh);
        let view = engine.runtime_view(state, &progress.globals, index);
        let word = |known: Option<bool>, yes: &str, no: &str| {
            known.map(|known| if known { yes } else { no }.to_owned())
        };
        let objectives = view.into_iter().flat_map(|view| view.objectives).map(|objective| {
            let status = objective.status;
            ObjectiveSeed {
                id: objective.id,
                success_status: word(status.satisfied, "passed", "failed"),
                completion_status: word(status.completed, "completed", "incomplete"),
                score_scaled: status.measure,
                score_raw: status.raw,
                score_min: status.min,
                score_max: status.max,
                progress_measure: status.progress,
            }
        });
        objectives.collect()
    }

    /// What the activity's content is told at its launch, except for which navigation is possible:
    /// working that out takes longest, and only a delivery needs it.
    pub(super) fn launch(&self, index: ActivityIndex, seconds: i64) -> Launch {
        let progress = &self.attempt.state;
        let stores = progress.shared.stores(&self.package.tree, index).into_iter().map(|shared| {
            model::DataStore {
                id: shared.target.to_owned(),
                value: shared.value.map(str::to_owned),
                access: model::StoreAccess { read: shared.readable, write: shared.writable },
            }
        });
        let counts = !self.enrolment.preview && !self.looks_aside();
        let item = self.package.item(index);
        let primary = item
            .and_then(|item| item.sequencing.objectives.iter().find(|objective| objective.primary));
        Launch {
            learner_id: self.person.id.to_string(),
            learner_name: learner_name(&self.person),
            mode: Some(progress.mode().as_str().to_owned()),
            credit: Some(if counts { "credit" } else { "no-credit" }.to_owned()),
            launch_data: item.and_then(|item| item.data_from_lms.clone()),
            completion_threshold: item
                .and_then(|item| item.completion_threshold)
                .filter(|threshold| threshold.completed_by_measure)
                .map(|threshold| threshold.min_progress_measure),
            scaled_passing_score: primary
                .filter(|objective| objective.satisfied_by_measure)
                .map(|objective| objective.min_normalized_measure.unwrap_or(1.0)),
            mastery_score: item.and_then(|item| item.mastery_score),
            max_time_allowed: item.and_then(|item| {
                let limit = item.sequencing.limits.attempt_absolute_duration.clone();
                limit.or_else(|| item.max_time_allowed.clone())
            }),
            time_limit_action: item
                .and_then(|item| item.time_limit_action)
                .map(|action| action.as_str().to_owned()),
            total_time: u64::try_from(seconds).unwrap_or_default() * 100,
            objectives: self.objective_seeds(index),
            stores: stores.collect(),
            ..Launch::default()
        }
    }

    pub(super) fn view(&self) -> (View, RequestValid) {
        let (toc, validity) = self.shown.as_ref().map_or_else(|| self.toc(), Clone::clone);
        let current = self.attempt.state.session.as_ref();
        let item = current
            .and_then(|session| self.package.tree.find(&session.activity))
            .and_then(|index| self.package.item(index));
        let hidden = item.map(|item| &item.hide_lms_ui).into_iter().flatten();
        let title = toc.first().map(|root| root.title.clone()).unwrap_or_default();
        let lines = toc.iter().filter(|entry| entry.depth > 0 && entry.visible);
        let view = View {
            title,
            toc: lines
                .map(|entry| TocLine {
                    id: entry.id.clone(),
                    title: entry.title.clone(),
                    depth: entry.depth,
                    leaf: entry.is_leaf,
                    selectable: entry.selectable,
                    current: entry.current,
                    status: match (entry.completed, entry.satisfied) {
                        (_, Some(false)) => "failed",
                        (Some(true), _) | (None, Some(true)) => "done",
                        (Some(false), _) => "begun",
                        (None, None) if entry.attempts > 0 => "begun",
                        (None, None) => "new",
                    },
                })
                .collect(),
            can_continue: validity.continue_,
            can_previous: validity.previous,
            completed: store::finished(self.attempt.status),
            mode: self.attempt.state.mode(),
            hidden: hidden
                .filter_map(|control| {
                    serde_json::to_value(control).ok()?.as_str().map(str::to_owned)
                })
                .collect(),
        };
        (view, self.answers(&validity))
    }
}

/// "Family, Given", as SCORM content expects it.
fn learner_name(person: &Person) -> String {
    match (&person.family_name, &person.given_name) {
        (Some(family), Some(given)) => format!("{family}, {given}"),
        _ => person.name().unwrap_or_default(),
    }
}
