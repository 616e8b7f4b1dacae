//! Interactions and objectives as records, for reports and for sequencing.

use serde::{Deserialize, Serialize};

use super::outcome::{CompletionStatus, Score, SuccessStatus, completion, success};
use super::time::{parse_duration, parse_timespan};
use super::{Edition, Model};

/// One question as the SCO reported it. Texts are the SCO's own, delimiters included.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct InteractionRecord {
    /// The SCO's identifier; not unique: a journal repeats it.
    pub id: String,
    /// `choice`, `fill-in` …
    pub kind: Option<String>,
    /// Identifiers of objectives.
    pub objectives: Vec<String>,
    /// 2004: a timestamp; 1.2: a time of day.
    pub timestamp: Option<String>,
    /// Patterns of correct responses.
    pub correct_responses: Vec<String>,
    /// Weight relative to other interactions.
    pub weighting: Option<f64>,
    /// What the learner answered.
    pub response: Option<String>,
    /// `correct`, `incorrect` (1.2: `wrong`), `unanticipated`, `neutral` or a number.
    pub result: Option<String>,
    /// Time taken, in hundredths of a second.
    pub latency: Option<u64>,
    /// 2004: the question's text.
    pub description: Option<String>,
}

/// One objective of the SCO.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ObjectiveRecord {
    /// The manifest's or the SCO's identifier.
    pub id: String,
    /// Success; `None` when neither the SCO nor the launch set it.
    pub success: Option<SuccessStatus>,
    /// Completion; `None` when neither the SCO nor the launch set it.
    pub completion: Option<CompletionStatus>,
    /// Scores.
    pub score: Score,
    /// 2004: 0 to 1.
    pub progress_measure: Option<f64>,
}

impl Model {
    /// Every interaction in the order of its index.
    pub fn interactions(&self) -> Vec<InteractionRecord> {
        (0..self.count("cmi.interactions")).map(|index| self.interaction_record(index)).collect()
    }

    fn interaction_record(&self, index: usize) -> InteractionRecord {
        let record = format!("cmi.interactions.{index}");
        let text = |member: &str| self.value(&format!("{record}.{member}")).map(str::to_owned);
        let list = |collection: &str, member: &str| {
            let collection = format!("{record}.{collection}");
            (0..self.count(&collection))
                .filter_map(|index| self.value(&format!("{collection}.{index}.{member}")))
                .map(str::to_owned)
                .collect()
        };
        let (timestamp, response) = match self.edition() {
            Edition::V12 => (text("time"), text("student_response")),
            Edition::V2004 => (text("timestamp"), text("learner_response")),
        };
        let latency = text("latency");
        InteractionRecord {
            id: text("id").unwrap_or_default(),
            kind: text("type"),
            objectives: list("objectives", "id"),
            timestamp,
            correct_responses: list("correct_responses", "pattern"),
            weighting: self.number(&format!("{record}.weighting")),
            response,
            result: text("result"),
            latency: latency.and_then(|latency| match self.edition() {
                Edition::V12 => parse_timespan(&latency),
                Edition::V2004 => parse_duration(&latency),
            }),
            description: text("description"),
        }
    }

    /// Every objective in the order of its index.
    pub fn objectives(&self) -> Vec<ObjectiveRecord> {
        (0..self.count("cmi.objectives")).map(|index| self.objective_record(index)).collect()
    }

    fn objective_record(&self, index: usize) -> ObjectiveRecord {
        let record = format!("cmi.objectives.{index}");
        let text = |member: &str| self.value(&format!("{record}.{member}"));
        let status = text("status");
        let (succeeded, completed) = match self.edition() {
            Edition::V2004 => (text("success_status"), text("completion_status")),
            Edition::V12 => match status {
                Some("passed") => (status, Some("completed")),
                Some("failed") => (status, Some("incomplete")),
                Some("browsed") => (None, Some("incomplete")),
                _ => (None, status),
            },
        };
        ObjectiveRecord {
            id: text("id").unwrap_or_default().to_owned(),
            success: succeeded.map(|word| success(Some(word))),
            completion: completed.map(|word| completion(Some(word))),
            score: self.score(&format!("{record}.score")),
            progress_measure: self.number(&format!("{record}.progress_measure")),
        }
    }
}
