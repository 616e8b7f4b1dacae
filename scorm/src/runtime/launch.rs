//! What a delivery starts from, and what remains of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Edition;
use super::time::{format_duration, format_timespan};

/// Everything the LMS knows when it delivers a SCO. Texts that are `None` are left uninitialised.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Launch {
    /// `cmi.learner_id`, `cmi.core.student_id`.
    pub learner_id: String,
    /// `cmi.learner_name`, `cmi.core.student_name` (1.2 content expects "Family, Given").
    pub learner_name: String,
    /// `ab-initio`, `resume` or empty; `None` is the table's default, `ab-initio`.
    pub entry: Option<String>,
    /// `normal`, `browse` or `review`.
    pub mode: Option<String>,
    /// `credit` or `no-credit`.
    pub credit: Option<String>,
    /// `dataFromLMS` of the manifest.
    pub launch_data: Option<String>,
    /// 2004: the smallest progress that completes, 0 to 1.
    pub completion_threshold: Option<f64>,
    /// 2004: the smallest scaled score that passes, -1 to 1.
    pub scaled_passing_score: Option<f64>,
    /// 1.2: `masteryscore`, 0 to 100.
    pub mastery_score: Option<f64>,
    /// As the manifest has it: an ISO duration (2004) or a CMITimespan (1.2).
    pub max_time_allowed: Option<String>,
    /// For example `exit,message`.
    pub time_limit_action: Option<String>,
    /// Time of all earlier sessions of this attempt, in hundredths of a second.
    pub total_time: u64,
    /// Comments for the learner: text, location, timestamp. 1.2 has one text, made of all of them.
    pub comments_from_lms: Vec<[String; 3]>,
    /// The objectives of the activity, in the manifest's order.
    pub objectives: Vec<ObjectiveSeed>,
    /// Shared data stores the activity may use, in the manifest's order.
    pub stores: Vec<DataStore>,
    /// Which navigation requests are valid now.
    pub request_valid: RequestValid,
    /// 2004: learner preferences kept over activities (`audio_level` …).
    pub preferences: BTreeMap<String, String>,
}

/// One objective known before the SCO runs (RTE 4.2.17.2), with what global objectives say of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ObjectiveSeed {
    /// The identifier of the manifest.
    pub id: String,
    /// `passed`, `failed` or `unknown`.
    pub success_status: Option<String>,
    /// `completed`, `incomplete`, `not attempted` or `unknown`.
    pub completion_status: Option<String>,
    /// -1 to 1.
    pub score_scaled: Option<f64>,
    /// Raw score.
    pub score_raw: Option<f64>,
    /// Least raw score.
    pub score_min: Option<f64>,
    /// Greatest raw score.
    pub score_max: Option<f64>,
    /// 0 to 1.
    pub progress_measure: Option<f64>,
}

/// One `adl.data` store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataStore {
    /// `targetID` of the map.
    pub id: String,
    /// What the store holds, once something was stored.
    pub value: Option<String>,
    /// What the activity may do.
    #[serde(flatten)]
    pub access: StoreAccess,
}

/// `readSharedData` and `writeSharedData` of a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreAccess {
    /// Whether the SCO may read the store.
    pub read: bool,
    /// Whether the SCO may write the store.
    pub write: bool,
}

/// The answers of `adl.nav.request_valid.*`. `None` answers `unknown`; a target missing from a
/// known map answers `false`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestValid {
    /// Whether Continue would deliver something.
    #[serde(rename = "continue", skip_serializing_if = "Option::is_none")]
    pub forward: Option<bool>,
    /// Whether Previous would deliver something.
    #[serde(rename = "previous", skip_serializing_if = "Option::is_none")]
    pub backward: Option<bool>,
    /// Item identifier to the answer for Choice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub choice: Option<BTreeMap<String, bool>>,
    /// Item identifier to the answer for Jump.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jump: Option<BTreeMap<String, bool>>,
}

/// What the SCO set: element to value. Serialises as one flat JSON object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Snapshot {
    /// Element to value, canonical paths.
    pub values: BTreeMap<String, String>,
}

/// The `launch` argument of `createScormApi`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BrowserLaunch {
    /// Every element that has a value.
    pub values: BTreeMap<String, String>,
    /// Rights on `adl.data.n.store`, by index.
    pub stores: Vec<StoreAccess>,
    /// Which navigation requests are valid now.
    pub request_valid: RequestValid,
    /// The last sequence number the server acknowledged.
    pub seq: u64,
}

impl Snapshot {
    /// What the next session of the same attempt starts with, `None` for nothing.
    ///
    /// 2004 (RTE 2.1.1, 4.2.8): only a suspended attempt keeps its data; otherwise a new one
    /// begins. 1.2 knows no new attempts by exit: core and suspend data stay, as content expects.
    /// What belongs to one session alone (exit, session time, navigation request) never stays, nor
    /// do shared data stores, which live beside the attempt ([`DataStore`]).
    pub fn carried(&self, edition: Edition, suspended: bool) -> Option<Self> {
        if edition == Edition::V2004 && !suspended {
            return None;
        }
        let mut values = self.values.clone();
        let of_one_session =
            ["cmi.exit", "cmi.session_time", "cmi.core.exit", "cmi.core.session_time"];
        values.retain(|element, _| {
            !element.starts_with("adl.") && !of_one_session.contains(&element.as_str())
        });
        Some(Self { values })
    }
}

impl Launch {
    /// `cmi.entry` for the next delivery: `ab-initio` for a first session, `resume` after a
    /// suspended one; after any other exit 1.2 says nothing and 2004 begins anew.
    pub fn next_entry(edition: Edition, earlier_session: bool, suspended: bool) -> &'static str {
        match (edition, earlier_session, suspended) {
            (_, true, true) => "resume",
            (Edition::V12, true, false) => "",
            _ => "ab-initio",
        }
    }

    /// The read-only and preset elements, objectives aside.
    pub(super) fn values(&self, edition: Edition) -> Vec<(String, String)> {
        let mut values = Values::default();
        match edition {
            Edition::V12 => self.legacy_values(&mut values),
            Edition::V2004 => self.current_values(&mut values),
        }
        values.0
    }

    fn legacy_values(&self, values: &mut Values) {
        values.put("cmi.core.student_id", Some(&self.learner_id));
        values.put("cmi.core.student_name", Some(&self.learner_name));
        values.put("cmi.core.entry", self.entry.as_deref());
        values.put("cmi.core.lesson_mode", self.mode.as_deref());
        values.put("cmi.core.credit", self.credit.as_deref());
        values.put("cmi.launch_data", self.launch_data.as_deref());
        let mastery = self.mastery_score.map(|score| score.to_string());
        values.put("cmi.student_data.mastery_score", mastery.as_deref());
        values.put("cmi.student_data.max_time_allowed", self.max_time_allowed.as_deref());
        values.put("cmi.student_data.time_limit_action", self.time_limit_action.as_deref());
        values.put("cmi.core.total_time", Some(&format_timespan(self.total_time)));
        let comments: Vec<&str> =
            self.comments_from_lms.iter().map(|[text, ..]| text.as_str()).collect();
        values.put("cmi.comments_from_lms", Some(&comments.join("\n")));
        for name in ["audio", "language", "speed", "text"] {
            let value = self.preferences.get(name).map(String::as_str);
            values.put(&format!("cmi.student_preference.{name}"), value);
        }
    }

    fn current_values(&self, values: &mut Values) {
        values.put("cmi.learner_id", Some(&self.learner_id));
        values.put("cmi.learner_name", Some(&self.learner_name));
        values.put("cmi.entry", self.entry.as_deref());
        values.put("cmi.mode", self.mode.as_deref());
        values.put("cmi.credit", self.credit.as_deref());
        values.put("cmi.launch_data", self.launch_data.as_deref());
        let threshold = self.completion_threshold.map(|measure| measure.to_string());
        values.put("cmi.completion_threshold", threshold.as_deref());
        let passing = self.scaled_passing_score.map(|score| score.to_string());
        values.put("cmi.scaled_passing_score", passing.as_deref());
        values.put("cmi.max_time_allowed", self.max_time_allowed.as_deref());
        values.put("cmi.time_limit_action", self.time_limit_action.as_deref());
        values.put("cmi.total_time", Some(&format_duration(self.total_time)));
        for (index, [text, location, timestamp]) in self.comments_from_lms.iter().enumerate() {
            let record = format!("cmi.comments_from_lms.{index}");
            values.put(&format!("{record}.comment"), Some(text));
            values.put(&format!("{record}.location"), Some(location));
            values.put(&format!("{record}.timestamp"), Some(timestamp));
        }
        for (index, store) in self.stores.iter().enumerate() {
            values.put(&format!("adl.data.{index}.id"), Some(&store.id));
            values.put(&format!("adl.data.{index}.store"), store.value.as_deref());
        }
        for name in ["audio_level", "language", "delivery_speed", "audio_captioning"] {
            let value = self.preferences.get(name).map(String::as_str);
            values.put(&format!("cmi.learner_preference.{name}"), value);
        }
    }
}

impl ObjectiveSeed {
    /// The members that are known, by name below `cmi.objectives.n.`.
    pub(super) fn members(&self, edition: Edition) -> Vec<(String, String)> {
        let mut values = Values::default();
        let number = |value: Option<f64>| value.map(|value| value.to_string());
        match edition {
            Edition::V12 => {
                let status =
                    match (self.success_status.as_deref(), self.completion_status.as_deref()) {
                        (Some(status @ ("passed" | "failed")), _)
                        | (_, Some(status @ ("completed" | "incomplete"))) => Some(status),
                        _ => None,
                    };
                values.put("status", status);
            }
            Edition::V2004 => {
                values.put("success_status", self.success_status.as_deref());
                values.put("completion_status", self.completion_status.as_deref());
                values.put("progress_measure", number(self.progress_measure).as_deref());
                values.put("score.scaled", number(self.score_scaled).as_deref());
            }
        }
        values.put("score.raw", number(self.score_raw).as_deref());
        values.put("score.min", number(self.score_min).as_deref());
        values.put("score.max", number(self.score_max).as_deref());
        values.0
    }
}

/// Collects the elements that have a value.
#[derive(Default)]
struct Values(Vec<(String, String)>);

impl Values {
    fn put(&mut self, element: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.0.push((element.to_owned(), value.to_owned()));
        }
    }
}
