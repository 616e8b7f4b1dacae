//! What the pages about learners say.

use serde::Serialize;

use crate::web::Page;

/// A message above a page.
#[derive(Clone, Debug, Serialize)]
pub struct Notice {
    pub key: String,
    pub count: usize,
    pub warning: bool,
}

/// A group to choose.
#[derive(Clone, Debug, Serialize)]
pub struct GroupChoice {
    pub id: String,
    pub name: String,
    pub selected: bool,
}

/// What became of somebody's score.
#[derive(Clone, Debug, Serialize)]
pub struct GradeCell {
    /// `pending`, `delivered`, `superseded`, `refused`.
    pub state: &'static str,
    pub points: String,
    /// Since when it waits, or when it was settled.
    pub since: String,
    pub next_try: Option<String>,
    /// Messages: why it was refused, and what to do.
    pub why: Option<String>,
    pub what_to_do: Option<String>,
    /// The platform's own words.
    pub detail: Option<String>,
}

/// The gradebook's side of a comparison.
#[derive(Clone, Debug, Serialize)]
pub struct ComparedCell {
    pub theirs: Option<String>,
    pub differs: bool,
}

#[derive(Clone, Debug, Serialize)]
pub struct LearnerRow {
    /// `None` when nobody told a name.
    pub name: Option<String>,
    pub trains: bool,
    /// `none`, `begun`, `completed`.
    pub status: &'static str,
    pub done: usize,
    pub total: usize,
    pub points: Option<String>,
    pub grade: Option<GradeCell>,
    pub compared: Option<ComparedCell>,
    pub detail_path: Option<String>,
    pub send_path: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct LearnersPage {
    pub course_title: String,
    /// `None` for a launch that does not open the course itself.
    pub course_path: Option<String>,
    pub list_path: String,
    pub csv_path: String,
    pub send_path: String,
    pub form_token: String,
    pub notice: Option<Notice>,
    /// A message: why the platform lists nobody.
    pub roster_failure: Option<String>,
    /// What the platform said when we asked for a column, if it refused.
    pub column_refused: bool,
    pub column_detail: Option<String>,
    pub groups: Vec<GroupChoice>,
    pub group: String,
    /// Whether the gradebook is shown beside.
    pub compares: bool,
    pub can_compare: bool,
    /// A message: why the gradebook cannot be read.
    pub compare_failure: Option<String>,
    pub differences: usize,
    /// How many scores wait or were refused.
    pub unsent: usize,
    pub rows: Vec<LearnerRow>,
    pub left: Vec<LearnerRow>,
}

impl Page for LearnersPage {
    const TEMPLATE: &'static str = "pages/learners";

    fn samples() -> Vec<Self> {
        let grade = |state: &'static str| GradeCell {
            state,
            points: "92,5".to_owned(),
            since: "23 novembre 2026".to_owned(),
            next_try: (state == "pending").then(|| "17 h 30".to_owned()),
            why: (state == "refused").then(|| "learners-refused-not-gradable".to_owned()),
            what_to_do: (state == "refused").then(|| "learners-todo-not-gradable".to_owned()),
            detail: (state == "refused").then(|| "the platform answered 400: <b>".to_owned()),
        };
        let row =
            |name: Option<&str>, status, state: Option<&'static str>, differs: bool| LearnerRow {
                name: name.map(str::to_owned),
                trains: false,
                status,
                done: 2,
                total: 7,
                points: state.map(|_| "92,5".to_owned()),
                grade: state.map(grade),
                compared: Some(ComparedCell {
                    theirs: (!differs).then(|| "92,5".to_owned()),
                    differs,
                }),
                detail_path: Some("/launches/1/learners/2".to_owned()),
                send_path: state.map(|_| "/launches/1/learners/2/send".to_owned()),
            };
        let bare = |mut row: LearnerRow| {
            row.compared = None;
            row.detail_path = None;
            row.trains = true;
            row
        };
        let rows = vec![
            row(Some("Zoé <Lefèvre>"), "completed", Some("delivered"), false),
            row(Some("Karim"), "completed", Some("refused"), true),
            row(None, "begun", Some("pending"), true),
            row(Some("Inès"), "completed", Some("superseded"), true),
            row(Some("Noé"), "none", None, true),
        ];
        let full = Self {
            course_title: "Premiers pas avec <eTwinning>".to_owned(),
            course_path: Some("/launches/1/course".to_owned()),
            list_path: "/launches/1/learners".to_owned(),
            csv_path: "/launches/1/learners.csv".to_owned(),
            send_path: "/launches/1/learners/send".to_owned(),
            form_token: "token".to_owned(),
            notice: Some(Notice { key: "learners-done-sent".to_owned(), count: 2, warning: false }),
            roster_failure: None,
            column_refused: true,
            column_detail: Some("<403>".to_owned()),
            groups: vec![
                GroupChoice { id: "1".to_owned(), name: "<A>".to_owned(), selected: true },
                GroupChoice { id: "2".to_owned(), name: "B".to_owned(), selected: false },
            ],
            group: "1".to_owned(),
            compares: true,
            can_compare: true,
            compare_failure: None,
            differences: 4,
            unsent: 2,
            left: vec![rows[0].clone()],
            rows: rows.clone(),
        };
        let failed = |key: &str| Some(key.to_owned());
        vec![
            full.clone(),
            Self {
                course_path: None,
                rows: Vec::new(),
                left: Vec::new(),
                unsent: 0,
                ..full.clone()
            },
            Self {
                roster_failure: failed("learners-roster-not-offered"),
                compare_failure: failed("learners-roster-slow"),
                compares: false,
                can_compare: false,
                groups: Vec::new(),
                notice: None,
                column_refused: false,
                rows: rows.into_iter().map(bare).collect(),
                ..full.clone()
            },
            Self { compares: false, differences: 0, left: Vec::new(), ..full },
        ]
    }
}

#[derive(Clone, Debug, Serialize)]
pub struct AnswerLine {
    pub question: String,
    pub given: Option<String>,
    /// `right`, `wrong`, or nothing when it was not judged.
    pub verdict: Option<&'static str>,
}

#[derive(Clone, Debug, Serialize)]
pub struct ActivityPart {
    pub title: String,
    /// `none`, `begun`, `completed`.
    pub status: &'static str,
    pub points: Option<String>,
    pub time: Option<String>,
    pub answers: Vec<AnswerLine>,
}

#[derive(Clone, Debug, Serialize)]
pub struct CredentialPart {
    pub issued_on: String,
    pub verify_url: String,
    pub revoked: bool,
}

/// One learner's work in a course.
#[derive(Clone, Debug, Serialize)]
pub struct LearnerPage {
    pub name: Option<String>,
    pub course_title: String,
    /// Whether the reader is the learner.
    pub own: bool,
    pub list_path: Option<String>,
    /// `none`, `begun`, `completed`.
    pub status: &'static str,
    pub done: usize,
    pub total: usize,
    pub points: Option<String>,
    pub time: Option<String>,
    pub started_on: Option<String>,
    pub completed_on: Option<String>,
    pub activities: Vec<ActivityPart>,
    pub credential: Option<CredentialPart>,
    pub grades: Vec<GradeCell>,
    pub platform: String,
    pub send_path: Option<String>,
    pub form_token: String,
    pub notice: Option<Notice>,
}

impl Page for LearnerPage {
    const TEMPLATE: &'static str = "pages/learner";

    fn samples() -> Vec<Self> {
        let answer = |verdict: Option<&'static str>| AnswerLine {
            question: "Que faire <d’abord> ?".to_owned(),
            given: verdict.map(|_| "b".to_owned()),
            verdict,
        };
        let activity = |status: &'static str, answers: Vec<AnswerLine>| ActivityPart {
            title: "Leçon <européen>".to_owned(),
            status,
            points: (status == "completed").then(|| "85".to_owned()),
            time: (status != "none").then(|| "12 min".to_owned()),
            answers,
        };
        let grade = |state: &'static str| GradeCell {
            state,
            points: "92".to_owned(),
            since: "23 novembre 2026".to_owned(),
            next_try: (state == "pending").then(|| "17 h 30".to_owned()),
            why: (state == "refused").then(|| "learners-refused-gave-up".to_owned()),
            what_to_do: (state == "refused").then(|| "learners-todo-gave-up".to_owned()),
            detail: (state == "refused").then(|| "<html>".to_owned()),
        };
        let full = Self {
            name: Some("Zoé <Lefèvre>".to_owned()),
            course_title: "Premiers pas".to_owned(),
            own: false,
            list_path: Some("/launches/1/learners".to_owned()),
            status: "completed",
            done: 2,
            total: 2,
            points: Some("92".to_owned()),
            time: Some("1 h 05".to_owned()),
            started_on: Some("22 novembre 2026".to_owned()),
            completed_on: Some("23 novembre 2026".to_owned()),
            activities: vec![
                activity("completed", vec![answer(Some("right")), answer(Some("wrong"))]),
                activity("begun", vec![answer(None)]),
                activity("none", Vec::new()),
            ],
            credential: Some(CredentialPart {
                issued_on: "23 novembre 2026".to_owned(),
                verify_url: "https://training.example.org/verify/ABC".to_owned(),
                revoked: false,
            }),
            grades: vec![
                grade("pending"),
                grade("refused"),
                grade("delivered"),
                grade("superseded"),
            ],
            platform: "Campus".to_owned(),
            send_path: Some("/launches/1/learners/2/send".to_owned()),
            form_token: "token".to_owned(),
            notice: Some(Notice { key: "learners-done-sent".to_owned(), count: 1, warning: false }),
        };
        let nothing = Self {
            name: None,
            own: true,
            list_path: None,
            status: "none",
            points: None,
            time: None,
            started_on: None,
            completed_on: None,
            activities: Vec::new(),
            credential: None,
            grades: Vec::new(),
            send_path: None,
            notice: None,
            ..full.clone()
        };
        vec![full, nothing]
    }
}
