//! What Campus remembers: people, courses, activities, columns, grades. All in memory.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{ToolConfig, faults::Faults};

/// Type id of the configured tool; its text is the deployment id.
pub(super) const FIRST_TOOL: u64 = 1;
/// Id of the course everything starts in.
pub(super) const FIRST_COURSE: u64 = 2;
/// Service calls and scores remembered at most.
const JOURNAL_LIMIT: usize = 500;

/// What a person is in the course.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    Learner,
    Trainer,
}

/// Somebody with an account on Campus.
#[derive(Clone, Debug, Serialize)]
pub struct Person {
    pub id: u64,
    pub username: &'static str,
    pub given_name: &'static str,
    pub family_name: &'static str,
    pub email: &'static str,
    /// The institution's own number for this person.
    pub sourcedid: &'static str,
    pub standing: Standing,
}

impl Person {
    /// Given name and family name.
    pub fn name(&self) -> String {
        format!("{} {}", self.given_name, self.family_name)
    }

    pub fn is_trainer(&self) -> bool {
        self.standing == Standing::Trainer
    }
}

/// The four accounts of the demo.
pub const PEOPLE: [Person; 4] = [
    Person {
        id: 3,
        username: "h.angstrom",
        given_name: "Hélène",
        family_name: "Ångström",
        email: "helene.angstrom@campus.example",
        sourcedid: "EMP-001",
        standing: Standing::Trainer,
    },
    Person {
        id: 4,
        username: "z.lefevre",
        given_name: "Zoé",
        family_name: "Lefèvre",
        email: "zoe.lefevre@campus.example",
        sourcedid: "ETU-101",
        standing: Standing::Learner,
    },
    Person {
        id: 5,
        username: "a.muller-garcon",
        given_name: "Aurélien",
        family_name: "Müller-Garçon",
        email: "aurelien.muller-garcon@campus.example",
        sourcedid: "ETU-102",
        standing: Standing::Learner,
    },
    Person {
        id: 6,
        username: "n.dherve",
        given_name: "Noëlle",
        family_name: "D’Hervé",
        email: "noelle.dherve@campus.example",
        sourcedid: "",
        standing: Standing::Learner,
    },
];

/// The person with this id.
pub(super) fn person(id: u64) -> Option<&'static Person> {
    PEOPLE.iter().find(|person| person.id == id)
}

/// What an activity is, for its symbol on the course page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LinkKind {
    /// A self-paced course.
    Course,
    Webinar,
    /// Added by the trainer through deep linking.
    Added,
}

/// An activity the first course starts with.
#[derive(Clone, Debug)]
pub struct InitialLink {
    pub title: String,
    pub description: String,
    /// Where the launch is to lead.
    pub target_link_uri: String,
    /// Custom parameters; values may hold substitution variables such as `$Context.id`.
    pub custom: Vec<(String, String)>,
    /// Maximum of the gradebook column; `None` for an activity without a grade.
    pub score_maximum: Option<f64>,
    pub kind: LinkKind,
}

/// An LTI link in a course.
#[derive(Clone, Debug, Serialize)]
pub struct Activity {
    /// Also the resource link id.
    pub id: u64,
    pub course: u64,
    /// Type id of the tool.
    pub tool: u64,
    pub title: String,
    pub description: String,
    pub target_link_uri: String,
    pub custom: Vec<(String, String)>,
    pub kind: LinkKind,
}

/// A course, an LTI context.
#[derive(Clone, Debug, Serialize)]
pub struct Course {
    pub id: u64,
    pub label: String,
    pub title: String,
    /// Ids of the courses this one was copied from, nearest first.
    pub history: Vec<u64>,
}

/// A column of the gradebook.
#[derive(Clone, Debug, Serialize)]
pub struct LineItem {
    pub id: u64,
    pub course: u64,
    pub tool: u64,
    pub label: String,
    pub score_maximum: f64,
    pub resource_id: String,
    pub tag: String,
    /// The activity this column belongs to.
    pub activity: Option<u64>,
}

/// What the gradebook holds for one learner in one column.
#[derive(Clone, Debug, Serialize)]
pub struct Grade {
    /// Scaled to the column's maximum; `None` after a score that was not fully graded.
    pub score: Option<f64>,
    pub comment: String,
    /// The score's own timestamp.
    pub timestamp: DateTime<Utc>,
    pub received_at: DateTime<Utc>,
    pub activity_progress: String,
    pub grading_progress: String,
}

/// A score call, accepted or not.
#[derive(Clone, Debug, Serialize)]
pub struct ScoreEntry {
    pub line_item: u64,
    pub user_id: String,
    pub body: Value,
    pub status: u16,
    pub received_at: DateTime<Utc>,
}

/// One call of a service, for the log page.
#[derive(Clone, Debug, Serialize)]
pub struct ServiceCall {
    pub at: DateTime<Utc>,
    pub method: String,
    pub path: String,
    pub accept: String,
    pub content_type: String,
    pub user_agent: String,
    pub status: u16,
    /// Milliseconds until the answer.
    pub took: u64,
}

/// A tool registered with Campus.
#[derive(Clone, Debug, Serialize)]
pub struct Tool {
    pub id: u64,
    pub name: String,
    pub client_id: String,
    pub login_url: String,
    pub redirect_uris: Vec<String>,
    pub target_link_uri: String,
    pub deep_linking_url: Option<String>,
    pub jwks_url: String,
    pub origin: String,
    pub custom: Vec<(String, String)>,
    /// A dynamically registered tool waits for the trainer's approval.
    pub active: bool,
    /// What dynamic registration answered; `None` for the configured tool.
    pub registration: Option<Value>,
    /// The tool's keys, fetched once and again when a signature does not verify.
    #[serde(skip)]
    pub keys: Option<jsonwebtoken::jwk::JwkSet>,
}

/// A browser that is signed in.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    pub(super) person: u64,
    /// Secret in return URLs, so that another site cannot add activities.
    pub(super) sesskey: String,
}

/// What a launch is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    ResourceLink { activity: u64, document_target: &'static str },
    SubmissionReview { activity: u64, for_user: u64 },
    DeepLinking { course: u64 },
}

/// A launch begun and not yet answered; spent by the authentication request.
#[derive(Clone, Debug)]
pub(super) struct PendingLaunch {
    /// The session cookie it belongs to.
    pub(super) session: String,
    pub(super) tool: u64,
    pub(super) purpose: Purpose,
    pub(super) locale: &'static str,
}

/// An access token given out.
#[derive(Clone, Debug)]
pub(super) struct AccessToken {
    pub(super) tool: u64,
    pub(super) scopes: Vec<String>,
    pub(super) expires_at: DateTime<Utc>,
}

/// Deep linking items waiting for the trainer to save them.
#[derive(Clone, Debug)]
pub(super) struct PendingItems {
    pub(super) person: u64,
    pub(super) course: u64,
    pub(super) tool: u64,
    pub(super) items: Vec<Map<String, Value>>,
}

/// A registration token given to a tool.
#[derive(Clone, Debug)]
pub(super) struct RegistrationGrant {
    pub(super) expires_at: DateTime<Utc>,
    /// The tool that it lets update; `None` registers a new one, once.
    pub(super) tool: Option<u64>,
    pub(super) used: bool,
}

/// All of Campus's memory.
pub struct State {
    pub tools: BTreeMap<u64, Tool>,
    pub courses: BTreeMap<u64, Course>,
    pub activities: BTreeMap<u64, Activity>,
    pub line_items: BTreeMap<u64, LineItem>,
    /// By line item and person.
    pub grades: BTreeMap<(u64, u64), Grade>,
    /// Every score call, oldest first.
    pub scores: Vec<ScoreEntry>,
    /// Every service call, oldest first.
    pub calls: Vec<ServiceCall>,
    pub faults: Faults,
    pub(super) visits: BTreeMap<String, Visit>,
    pub(super) launches: BTreeMap<String, PendingLaunch>,
    pub(super) access_tokens: BTreeMap<String, AccessToken>,
    pub(super) pending_items: BTreeMap<String, PendingItems>,
    pub(super) grants: BTreeMap<String, RegistrationGrant>,
    /// Assertion ids seen, with the time they may be forgotten (RFC 7523, 3, item 7).
    pub(super) assertion_ids: BTreeMap<String, DateTime<Utc>>,
    last_id: u64,
}

impl State {
    /// One course with the configured links.
    pub(super) fn seeded(config: ToolConfig) -> Self {
        let mut state = Self {
            tools: BTreeMap::new(),
            courses: BTreeMap::new(),
            activities: BTreeMap::new(),
            line_items: BTreeMap::new(),
            grades: BTreeMap::new(),
            scores: Vec::new(),
            calls: Vec::new(),
            faults: Faults::default(),
            visits: BTreeMap::new(),
            launches: BTreeMap::new(),
            access_tokens: BTreeMap::new(),
            pending_items: BTreeMap::new(),
            grants: BTreeMap::new(),
            assertion_ids: BTreeMap::new(),
            last_id: 10,
        };
        state.courses.insert(
            FIRST_COURSE,
            Course {
                id: FIRST_COURSE,
                label: "ETW-2026".to_owned(),
                title: "Débuter avec eTwinning – parcours à l’école Jean-Zay".to_owned(),
                history: Vec::new(),
            },
        );
        state.tools.insert(
            FIRST_TOOL,
            Tool {
                id: FIRST_TOOL,
                name: config.name,
                client_id: config.client_id,
                login_url: config.login_url,
                redirect_uris: vec![config.launch_url.clone()],
                target_link_uri: config.launch_url,
                deep_linking_url: Some(config.deep_linking_url),
                jwks_url: config.jwks_url,
                origin: config.origin,
                custom: Vec::new(),
                active: true,
                registration: None,
                keys: None,
            },
        );
        for link in config.links {
            let id = state.new_id();
            if let Some(score_maximum) = link.score_maximum {
                state.add_column(id, FIRST_COURSE, FIRST_TOOL, &link.title, score_maximum);
            }
            state.activities.insert(
                id,
                Activity {
                    id,
                    course: FIRST_COURSE,
                    tool: FIRST_TOOL,
                    title: link.title,
                    description: link.description,
                    target_link_uri: link.target_link_uri,
                    custom: link.custom,
                    kind: link.kind,
                },
            );
        }
        state
    }

    /// A number not used before.
    pub(super) fn new_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// Adds an activity's own column and returns its id.
    pub(super) fn add_column(
        &mut self,
        activity: u64,
        course: u64,
        tool: u64,
        label: &str,
        score_maximum: f64,
    ) -> u64 {
        let id = self.new_id();
        self.line_items.insert(
            id,
            LineItem {
                id,
                course,
                tool,
                label: label.to_owned(),
                score_maximum,
                resource_id: String::new(),
                tag: String::new(),
                activity: Some(activity),
            },
        );
        id
    }

    /// The activities of a course, in the order they were added.
    pub fn activities_of(&self, course: u64) -> impl Iterator<Item = &Activity> {
        self.activities.values().filter(move |activity| activity.course == course)
    }

    /// The columns of a course.
    pub fn columns_of(&self, course: u64) -> impl Iterator<Item = &LineItem> {
        self.line_items.values().filter(move |item| item.course == course)
    }

    /// The only column of an activity. A Moodle names no column in the launch when there
    /// are several.
    pub fn sole_column(&self, activity: u64) -> Option<&LineItem> {
        let mut columns =
            self.line_items.values().filter(move |item| item.activity == Some(activity));
        match (columns.next(), columns.next()) {
            (Some(column), None) => Some(column),
            _ => None,
        }
    }

    /// Copies a course: new context, new resource links, same custom parameters, no grades.
    pub(super) fn copy_course(&mut self, source: u64) -> Option<u64> {
        let mut course = self.courses.get(&source)?.clone();
        let id = self.new_id();
        course.history.insert(0, source);
        course.id = id;
        course.label = format!("{}-{id}", course.label);
        course.title = format!("{} (copie)", course.title);
        self.courses.insert(id, course);
        let activities: Vec<Activity> = self.activities_of(source).cloned().collect();
        for mut activity in activities {
            let columns: Vec<LineItem> = self
                .line_items
                .values()
                .filter(|item| item.activity == Some(activity.id))
                .cloned()
                .collect();
            activity.id = self.new_id();
            activity.course = id;
            for mut column in columns {
                column.id = self.new_id();
                column.course = id;
                column.activity = Some(activity.id);
                self.line_items.insert(column.id, column);
            }
            self.activities.insert(activity.id, activity);
        }
        Some(id)
    }

    /// Takes a column away with its grades.
    pub(super) fn delete_column(&mut self, id: u64) {
        self.line_items.remove(&id);
        self.grades.retain(|(item, _), _| *item != id);
    }

    pub(super) fn log_call(&mut self, call: ServiceCall) {
        if self.calls.len() >= JOURNAL_LIMIT {
            self.calls.remove(0);
        }
        self.calls.push(call);
    }

    pub(super) fn log_score(&mut self, score: ScoreEntry) {
        if self.scores.len() >= JOURNAL_LIMIT {
            self.scores.remove(0);
        }
        self.scores.push(score);
    }
}
