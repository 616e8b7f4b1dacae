//! Pages for people: sign-in, course, activity, gradebook, log.

use std::sync::Arc;

use axum::{
    Form,
    extract::{Path, Query, State},
    http::header,
    response::{IntoResponse, Redirect, Response},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    Platform,
    deep_linking::allow,
    keys::random_text,
    state::{FIRST_COURSE, Grade, LinkKind, PEOPLE, Person, ServiceCall, Visit, person},
    views::{Language, asset},
    web::{Refusal, Visitor, redirect_with_language, redirect_with_session},
};

/// Sessions remembered at most.
const VISIT_LIMIT: usize = 1_000;

/// Home leads to the first course, or to the sign-in.
pub(super) async fn home(visitor: Visitor) -> Redirect {
    match visitor.person() {
        Some(_) => Redirect::to(&format!("/course/{FIRST_COURSE}")),
        None => Redirect::to("/login"),
    }
}

pub(super) async fn not_found() -> Refusal {
    Refusal::NotFound
}

fn file(name: &str, content_type: &'static str) -> Response {
    match asset(name) {
        Some(text) => ([(header::CONTENT_TYPE, content_type)], text).into_response(),
        None => Refusal::NotFound.into_response(),
    }
}

pub(super) async fn stylesheet() -> Response {
    file("campus.css", "text/css; charset=utf-8")
}

pub(super) async fn script() -> Response {
    file("campus.js", "text/javascript; charset=utf-8")
}

#[derive(Serialize)]
struct Account {
    id: u64,
    name: String,
    initials: String,
    email: &'static str,
    trainer: bool,
}

impl From<&Person> for Account {
    fn from(person: &Person) -> Self {
        let initials = [person.given_name, person.family_name];
        Self {
            id: person.id,
            name: person.name(),
            initials: initials.iter().filter_map(|name| name.chars().next()).collect(),
            email: person.email,
            trainer: person.is_trainer(),
        }
    }
}

#[derive(Serialize)]
struct LoginPage {
    accounts: Vec<Account>,
}

/// Choose who to be.
pub(super) async fn login(
    State(platform): State<Arc<Platform>>,
    visitor: Visitor,
) -> Result<Response, Refusal> {
    let mut accounts: Vec<Account> = PEOPLE.iter().map(Account::from).collect();
    accounts.sort_by_key(|account| account.trainer);
    platform.page(&visitor, "login", LoginPage { accounts })
}

#[derive(Deserialize)]
pub(super) struct SignInForm {
    person: u64,
}

/// Signs in without a password: a demo.
pub(super) async fn sign_in(
    State(platform): State<Arc<Platform>>,
    visitor: Visitor,
    Form(form): Form<SignInForm>,
) -> Result<Response, Refusal> {
    let person = person(form.person).ok_or(Refusal::NotFound)?;
    let session = random_text()?;
    let visit = Visit { person: person.id, sesskey: random_text()? };
    let mut state = platform.state();
    if let Some((old, _)) = &visitor.session {
        state.visits.remove(old);
    }
    if state.visits.len() >= VISIT_LIMIT {
        state.visits.clear();
    }
    state.visits.insert(session.clone(), visit);
    Ok(redirect_with_session(&format!("/course/{FIRST_COURSE}"), Some(&session)))
}

pub(super) async fn sign_out(State(platform): State<Arc<Platform>>, visitor: Visitor) -> Response {
    if let Some((session, _)) = &visitor.session {
        platform.state().visits.remove(session);
    }
    redirect_with_session("/login", None)
}

#[derive(Deserialize)]
pub(super) struct LanguageQuery {
    #[serde(default)]
    back: String,
}

/// Changes the language and goes back; only to Campus's own pages.
pub(super) async fn language(
    Path(code): Path<String>,
    Query(query): Query<LanguageQuery>,
) -> Result<Response, Refusal> {
    let language = Language::parse(&code).ok_or(Refusal::NotFound)?;
    let own = query.back.starts_with('/')
        && !query.back.starts_with("//")
        && !query.back.contains(['\\', '\r', '\n', '\t']);
    Ok(redirect_with_language(if own { &query.back } else { "/" }, language))
}

#[derive(Serialize)]
struct CourseEntry {
    id: u64,
    title: String,
    here: bool,
}

#[derive(Serialize)]
struct ActivityEntry {
    id: u64,
    title: String,
    description: String,
    /// Symbol and label: `course`, `webinar` or `added`.
    course_kind: bool,
    webinar_kind: bool,
    /// The signed-in learner's own grade.
    grade: Option<String>,
    maximum: Option<String>,
}

#[derive(Serialize)]
struct CoursePage {
    id: u64,
    label: String,
    title: String,
    courses: Vec<CourseEntry>,
    several: bool,
    activities: Vec<ActivityEntry>,
    people: Vec<Account>,
}

/// A number as people write it: at most two decimals, a comma in French.
fn number(value: f64, language: Language) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    match language {
        Language::French => text.replace('.', ","),
        Language::English => text.to_owned(),
    }
}

fn date(at: DateTime<Utc>, language: Language) -> String {
    let pattern = match language {
        Language::French => "%d/%m/%Y %H:%M:%S UTC",
        Language::English => "%Y-%m-%d %H:%M:%S UTC",
    };
    at.format(pattern).to_string()
}

/// The activities of a course.
pub(super) async fn course(
    State(platform): State<Arc<Platform>>,
    Path(id): Path<u64>,
    visitor: Visitor,
) -> Result<Response, Refusal> {
    let (person, _, _) = visitor.signed_in()?;
    let page = {
        let state = platform.state();
        let found = state.courses.get(&id).ok_or(Refusal::NotFound)?;
        let courses: Vec<CourseEntry> = state
            .courses
            .values()
            .map(|course| CourseEntry {
                id: course.id,
                title: course.title.clone(),
                here: course.id == id,
            })
            .collect();
        CoursePage {
            id,
            label: found.label.clone(),
            title: found.title.clone(),
            several: courses.len() > 1,
            courses,
            activities: state
                .activities_of(id)
                .map(|activity| {
                    let column = state.sole_column(activity.id);
                    let grade = column
                        .and_then(|column| state.grades.get(&(column.id, person.id))?.score)
                        .map(|score| number(score, visitor.language));
                    ActivityEntry {
                        id: activity.id,
                        title: activity.title.clone(),
                        description: activity.description.clone(),
                        course_kind: activity.kind == LinkKind::Course,
                        webinar_kind: activity.kind == LinkKind::Webinar,
                        grade,
                        maximum: column.map(|c| number(c.score_maximum, visitor.language)),
                    }
                })
                .collect(),
            people: PEOPLE.iter().map(Account::from).collect(),
        }
    };
    platform.page(&visitor, "course", page)
}

/// Copies a course as an LMS does at the start of a term.
pub(super) async fn copy_course(
    State(platform): State<Arc<Platform>>,
    Path(id): Path<u64>,
    visitor: Visitor,
) -> Result<Redirect, Refusal> {
    visitor.trainer()?;
    let copy = platform.state().copy_course(id).ok_or(Refusal::NotFound)?;
    Ok(Redirect::to(&format!("/course/{copy}")))
}

#[derive(Serialize)]
struct ActivityPage {
    id: u64,
    course: u64,
    course_title: String,
    title: String,
    description: String,
    frame: String,
    allow: String,
    /// Name of the learner whose work is looked at.
    review: Option<String>,
}

/// An activity: the tool in a frame of fixed height.
pub(super) async fn activity(
    State(platform): State<Arc<Platform>>,
    Path(id): Path<u64>,
    visitor: Visitor,
) -> Result<Response, Refusal> {
    visitor.signed_in()?;
    let frame = format!("/activity/{id}/launch");
    framed_activity(&platform, &visitor, id, frame, None)
}

/// A learner's work in an activity (LTI submission review).
pub(super) async fn review(
    State(platform): State<Arc<Platform>>,
    Path((id, learner)): Path<(u64, u64)>,
    visitor: Visitor,
) -> Result<Response, Refusal> {
    visitor.trainer()?;
    let learner = person(learner).ok_or(Refusal::NotFound)?;
    let frame = format!("/activity/{id}/launch?review={}", learner.id);
    framed_activity(&platform, &visitor, id, frame, Some(learner.name()))
}

fn framed_activity(
    platform: &Platform,
    visitor: &Visitor,
    id: u64,
    frame: String,
    review: Option<String>,
) -> Result<Response, Refusal> {
    let page = {
        let state = platform.state();
        let found = state.activities.get(&id).ok_or(Refusal::NotFound)?;
        let course = state.courses.get(&found.course).ok_or(Refusal::NotFound)?;
        let tool = state.tools.get(&found.tool).ok_or(Refusal::NotFound)?;
        ActivityPage {
            id,
            course: course.id,
            course_title: course.title.clone(),
            title: found.title.clone(),
            description: found.description.clone(),
            frame,
            allow: allow(&tool.origin),
            review,
        }
    };
    platform.page(visitor, "activity", page)
}

#[derive(Deserialize)]
pub(super) struct ReturnedQuery {
    course: u64,
    lti_msg: Option<String>,
    lti_errormsg: Option<String>,
}

#[derive(Serialize)]
struct ReturnedPage {
    course: u64,
    message: Option<String>,
    error: Option<String>,
}

/// Where a tool sends people back, with its message (`launch_presentation.return_url`).
pub(super) async fn returned(
    State(platform): State<Arc<Platform>>,
    Query(query): Query<ReturnedQuery>,
    visitor: Visitor,
) -> Result<Response, Refusal> {
    let page =
        ReturnedPage { course: query.course, message: query.lti_msg, error: query.lti_errormsg };
    platform.page(&visitor, "returned", page)
}

#[derive(Serialize)]
struct Cell {
    score: Option<String>,
    comment: String,
    /// The score's own time.
    at: String,
    received: String,
    progress: String,
    /// Link to the work of this learner.
    review: Option<String>,
}

#[derive(Serialize)]
struct Column {
    label: String,
    maximum: String,
}

#[derive(Serialize)]
struct Row {
    name: String,
    cells: Vec<Option<Cell>>,
}

#[derive(Serialize)]
struct GradebookPage {
    course: u64,
    course_title: String,
    columns: Vec<Column>,
    rows: Vec<Row>,
}

fn cell(grade: &Grade, language: Language, review: Option<String>) -> Cell {
    Cell {
        score: grade.score.map(|score| number(score, language)),
        comment: grade.comment.clone(),
        at: date(grade.timestamp, language),
        received: date(grade.received_at, language),
        progress: format!("{} · {}", grade.activity_progress, grade.grading_progress),
        review,
    }
}

/// The scores that arrived: all of them for the trainer, a learner's own for the learner.
pub(super) async fn gradebook(
    State(platform): State<Arc<Platform>>,
    Path(id): Path<u64>,
    visitor: Visitor,
) -> Result<Response, Refusal> {
    let (reader, _, _) = visitor.signed_in()?;
    let language = visitor.language;
    let page = {
        let state = platform.state();
        let course = state.courses.get(&id).ok_or(Refusal::NotFound)?;
        let rows = PEOPLE
            .iter()
            .filter(|person| !person.is_trainer())
            .filter(|person| reader.is_trainer() || person.id == reader.id)
            .map(|person| Row {
                name: person.name(),
                cells: state
                    .columns_of(id)
                    .map(|column| {
                        let grade = state.grades.get(&(column.id, person.id))?;
                        let review = column
                            .activity
                            .filter(|_| reader.is_trainer())
                            .map(|activity| format!("/activity/{activity}/review/{}", person.id));
                        Some(cell(grade, language, review))
                    })
                    .collect(),
            })
            .collect();
        GradebookPage {
            course: id,
            course_title: course.title.clone(),
            columns: state
                .columns_of(id)
                .map(|column| Column {
                    label: column.label.clone(),
                    maximum: number(column.score_maximum, language),
                })
                .collect(),
            rows,
        }
    };
    platform.page(&visitor, "gradebook", page)
}

#[derive(Serialize)]
struct CallLine {
    /// `at` as people write it.
    when: String,
    failed: bool,
    #[serde(flatten)]
    call: ServiceCall,
}

#[derive(Serialize)]
struct CallsPage {
    course: u64,
    course_title: String,
    calls: Vec<CallLine>,
}

/// What the tool asked of Campus's services, newest first.
pub(super) async fn calls(
    State(platform): State<Arc<Platform>>,
    Path(id): Path<u64>,
    visitor: Visitor,
) -> Result<Response, Refusal> {
    visitor.trainer()?;
    let page = {
        let state = platform.state();
        let course = state.courses.get(&id).ok_or(Refusal::NotFound)?;
        CallsPage {
            course: id,
            course_title: course.title.clone(),
            calls: state
                .calls
                .iter()
                .rev()
                .map(|call| CallLine {
                    when: date(call.at, visitor.language),
                    failed: call.status >= 400,
                    call: call.clone(),
                })
                .collect(),
        }
    };
    platform.page(&visitor, "calls", page)
}
