//! The trainer's page of the learners of a course, and the page of one learner's work.

use axum::Form;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use super::views::{
    ActivityPart, AnswerLine, ComparedCell, CredentialPart, GradeCell, GroupChoice, LearnerPage,
    LearnerRow, LearnersPage, Notice,
};
use super::{
    Compared, CourseTrainer, List, Listed, Reviewer, Sent, Taught, compare, gather, join, results,
    send_missing, store,
};
use crate::app::App;
use crate::completions;
use crate::courses;
use crate::credentials;
use crate::platforms::services::{self, Offered, Roster, RosterError};
use crate::player::grades::{self, ScoreState};
use crate::player::packages::PackageError;
use crate::player::record::{self, ActivityRecord};
use crate::player::{self, AttemptStatus};
use crate::visits::{Opens, Visit};
use crate::web::{Lang, Problem, csv as table, dates};

/// What the forms about learners are about.
const ABOUT: &str = "learners";

impl From<PackageError> for Problem {
    fn from(error: PackageError) -> Self {
        match error {
            PackageError::Database(error) => error.into(),
            error => Self::internal(&error),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    group: String,
    compare: Option<String>,
    /// How many scores were sent, after a form.
    sent: Option<usize>,
}

impl Wanted {
    fn notice(&self) -> Option<Notice> {
        let count = self.sent?;
        let key = if count == 0 { "learners-done-nothing" } else { "learners-done-sent" };
        Some(Notice { key: key.to_owned(), count, warning: count == 0 })
    }
}

/// `GET /launches/{launch}/review`: where a request to review somebody's work leads.
pub async fn review(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let Opens::Review(wanted) = &visit.launch.details.opens else {
        return Err(Problem::not_found().in_language(visit.lang()));
    };
    let mut tx = app.db.read().await?;
    let registration = visit.registration.id;
    let found =
        store::enrolment_of_subject(&mut tx, registration, &wanted.subject, wanted.course).await?;
    drop(tx);
    // Who may see it is for the page itself to say.
    let nobody = || Problem::new(StatusCode::NOT_FOUND, "review-nobody").in_language(visit.lang());
    let (enrolment, _) = found.ok_or_else(nobody)?;
    Ok(Redirect::to(&visit.path(&format!("/learners/{enrolment}"))).into_response())
}

/// What the list is made of.
struct Gathered {
    list: List,
    roster: Result<Roster, RosterError>,
    offered: Option<Offered>,
}

/// Asks the database, then the platform: no transaction is open meanwhile.
async fn gathered(app: &App, trainer: &CourseTrainer) -> Result<Gathered, Problem> {
    let CourseTrainer { visit, context, course } = trainer;
    let link = visit.launch.resource_link_id;
    let mut tx = app.db.read().await?;
    let (known, sent) = gather(&mut tx, *context, *course).await?;
    let members = services::of_context(&mut tx, *context, link).await?;
    let offered = match link {
        Some(link) => services::of_link(&mut tx, link).await?,
        None => None,
    };
    drop(tx);
    let roster = services::roster(app, &visit.registration, members.as_ref()).await;
    let list = join(roster.as_ref().ok(), known, &sent, link);
    Ok(Gathered { list, roster, offered })
}

/// `GET /launches/{launch}/learners`
pub async fn list(
    State(app): State<App>,
    trainer: CourseTrainer,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let visit = &trainer.visit;
    let Gathered { list, roster, offered } = gathered(&app, &trainer).await?;
    let title = course_title(&app, &trainer).await?;
    let mut compare_failure = None;
    let mut theirs = None;
    if let (Some(_), Some(offered)) = (&wanted.compare, &offered) {
        match results(&app, &visit.registration, offered).await {
            Ok(found) => theirs = Some(found),
            Err(error) => compare_failure = Some(format!("learners-roster-{}", error.code())),
        }
    }
    let chosen =
        |listed: &&Listed| wanted.group.is_empty() || listed.groups.contains(&wanted.group);
    let rows: Vec<LearnerRow> = list
        .here
        .iter()
        .filter(chosen)
        .map(|listed| {
            let compared = theirs.as_ref().filter(|_| !listed.trains);
            row(&app, visit, listed, compared.map(|results| compare(listed, results)))
        })
        .collect();
    let unsent = list.here.iter().chain(&list.left).filter(|listed| listed.lacks_score()).count();
    let in_groups = list.here.iter().any(|listed| !listed.groups.is_empty());
    let groups = roster.as_ref().map(|roster| roster.groups.as_slice()).unwrap_or_default();
    let page = LearnersPage {
        course_title: title,
        course_path: matches!(visit.launch.details.opens, Opens::Course(_))
            .then(|| visit.path("/course")),
        list_path: visit.path("/learners"),
        csv_path: visit.path(&format!("/learners.csv{}", query(&wanted.group))),
        send_path: visit.path("/learners/send"),
        form_token: visit.form_token(&app, ABOUT),
        notice: wanted.notice(),
        roster_failure: roster.as_ref().err().map(failure),
        column_refused: offered
            .as_ref()
            .is_some_and(|offered| offered.column_state == services::ColumnState::Refused),
        column_detail: offered.as_ref().and_then(|offered| offered.column_detail.clone()),
        groups: groups
            .iter()
            .filter(|_| in_groups)
            .map(|(id, name)| GroupChoice {
                id: id.clone(),
                name: name.clone(),
                selected: *id == wanted.group,
            })
            .collect(),
        group: wanted.group.clone(),
        compares: theirs.is_some(),
        can_compare: offered
            .as_ref()
            .is_some_and(|offered| offered.column().is_some() && offered.has_results()),
        compare_failure,
        differences: rows
            .iter()
            .filter(|row| row.compared.as_ref().is_some_and(|compared| compared.differs))
            .count(),
        unsent,
        rows,
        left: list.left.iter().map(|listed| row(&app, visit, listed, None)).collect(),
    };
    Ok(visit.page(app.pages.html(visit.lang(), &page)?, &[]))
}

fn failure(error: &RosterError) -> String {
    format!("learners-roster-{}", error.0.code())
}

fn query(group: &str) -> String {
    if group.is_empty() {
        return String::new();
    }
    let pairs =
        url::form_urlencoded::Serializer::new(String::new()).append_pair("group", group).finish();
    format!("?{pairs}")
}

async fn course_title(app: &App, trainer: &CourseTrainer) -> Result<String, Problem> {
    let mut tx = app.db.read().await?;
    let versions = courses::versions(&mut tx, trainer.course).await?;
    let version = courses::choose(&versions, trainer.visit.lang());
    Ok(version.ok_or_else(Problem::not_found)?.title.clone())
}

fn row(app: &App, visit: &Visit, listed: &Listed, compared: Option<Compared>) -> LearnerRow {
    let lang = visit.lang();
    let known = listed.known.as_ref().filter(|_| !listed.trains);
    let steps = known.and_then(|known| known.steps.as_ref());
    let enrolment = known.and_then(|known| known.enrolment_id);
    let path = |rest: &str| enrolment.map(|id| visit.path(&format!("/learners/{id}{rest}")));
    let has_points = listed.sent.is_some();
    LearnerRow {
        name: listed.name.clone(),
        trains: listed.trains,
        status: status(known.and_then(|known| known.status)),
        done: steps.map_or(0, |steps| steps.done()),
        total: steps.map_or(0, |steps| steps.total()),
        points: known
            .and_then(|known| known.score_scaled)
            .map(|scaled| number(lang, scaled * 100.0)),
        grade: listed.sent.as_ref().map(|sent| grade(app, visit, sent)),
        compared: compared.map(|compared| ComparedCell {
            theirs: compared.theirs.map(|points| number(lang, points)),
            differs: compared.differs,
        }),
        detail_path: path(""),
        send_path: path("/send").filter(|_| has_points),
    }
}

fn status(status: Option<AttemptStatus>) -> &'static str {
    match status {
        None => "none",
        Some(AttemptStatus::Active) => "begun",
        Some(AttemptStatus::Completed) => "completed",
    }
}

fn grade(app: &App, visit: &Visit, sent: &Sent) -> GradeCell {
    let (lang, zone) = (visit.lang(), visit.tenant.zone());
    let moment = |at| dates::day_and_time(lang, at, zone);
    let pending = sent.state == ScoreState::Pending;
    let now = app.clock.now();
    let word = sent.reason.map_or("broken", grades::Reason::as_str);
    let refused = sent.state == ScoreState::Refused;
    GradeCell {
        state: sent.state.as_str(),
        points: number(lang, sent.given),
        since: moment(if pending { sent.created_at } else { sent.updated_at }),
        next_try: sent.next_try_at.filter(|at| pending && *at > now).map(moment),
        why: refused.then(|| format!("learners-refused-{word}")),
        what_to_do: refused.then(|| format!("learners-todo-{word}")),
        detail: sent.detail.clone().filter(|text| !text.is_empty() && (refused || pending)),
    }
}

/// `92`, `92,5`: points without decimals that say nothing.
fn number(lang: Lang, points: f64) -> String {
    let text = format!("{points:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    match lang {
        Lang::Fr => text.replace('.', ","),
        Lang::En => text.to_owned(),
    }
}

/// `GET /launches/{launch}/learners.csv`
pub async fn csv(
    State(app): State<App>,
    trainer: CourseTrainer,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let visit = &trainer.visit;
    let Gathered { list, .. } = gathered(&app, &trainer).await?;
    let lang = visit.lang();
    let say = |key: &str| app.pages.locales.say(lang, key, &[]);
    let columns = ["name", "role", "status", "progress", "points", "grade", "why"];
    let head = columns.map(|column| say(&format!("learners-column-{column}"))).into();
    let line = |listed: &Listed, gone: bool| {
        let row = row(&app, visit, listed, None);
        let role = match (gone, row.trains) {
            (true, _) => "learners-role-left",
            (_, true) => "learners-role-trainer",
            _ => "learners-role-learner",
        };
        let progress =
            if row.total == 0 { String::new() } else { format!("{}/{}", row.done, row.total) };
        let grade = row.grade.as_ref();
        vec![
            row.name.unwrap_or_else(|| say("learners-no-name")),
            say(role),
            if row.trains {
                String::new()
            } else {
                say(&format!("learners-status-{}", row.status))
            },
            progress,
            row.points.unwrap_or_default(),
            grade.map(|grade| say(&format!("learners-grade-{}", grade.state))).unwrap_or_default(),
            grade.and_then(|grade| grade.why.as_deref()).map(say).unwrap_or_default(),
        ]
    };
    let chosen =
        |listed: &&Listed| wanted.group.is_empty() || listed.groups.contains(&wanted.group);
    let here = list.here.iter().filter(chosen).map(|listed| line(listed, false));
    let left = list.left.iter().filter(chosen).map(|listed| line(listed, true));
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(here).chain(left).collect();
    Ok(table::file("learners.csv", table::write(lang, &rows)))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SendForm {
    form_token: String,
    /// Back to the learner's own page instead of the list.
    back: String,
}

/// `POST /launches/{launch}/learners/{enrolment}/send`
pub async fn send(
    State(app): State<App>,
    taught: Taught,
    Form(form): Form<SendForm>,
) -> Result<Response, Problem> {
    let Taught { trainer: CourseTrainer { visit, context, .. }, enrolment, .. } = taught;
    visit.check_form(&app, ABOUT, &form.form_token)?;
    let mut tx = app.db.write().await?;
    let sent = grades::send_again(&mut tx, enrolment, context, app.clock.now()).await?;
    tx.commit().await?;
    app.wake.notify_waiters();
    let page = if form.back == "learner" { format!("/{enrolment}") } else { String::new() };
    Ok(Redirect::to(&visit.path(&format!("/learners{page}?sent={sent}"))).into_response())
}

/// `POST /launches/{launch}/learners/send`: everything that waits or was refused.
pub async fn send_all(
    State(app): State<App>,
    trainer: CourseTrainer,
    Form(form): Form<SendForm>,
) -> Result<Response, Problem> {
    let CourseTrainer { visit, context, course } = trainer;
    visit.check_form(&app, ABOUT, &form.form_token)?;
    let mut tx = app.db.write().await?;
    let sent = send_missing(&app, &mut tx, context, course).await?;
    tx.commit().await?;
    app.wake.notify_waiters();
    Ok(Redirect::to(&visit.path(&format!("/learners?sent={sent}"))).into_response())
}

/// `GET /launches/{launch}/learners/{enrolment}`
pub async fn show(
    State(app): State<App>,
    reviewer: Reviewer,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let Reviewer { visit, course, enrolment, name, teaches } = reviewer;
    let (lang, zone) = (visit.lang(), visit.tenant.zone());
    let done = record::record(&app, enrolment).await?;
    let mut tx = app.db.read().await?;
    let version = match &done {
        Some(done) => courses::version(&mut tx, done.attempt.course_version_id).await?,
        None => {
            let versions = courses::versions(&mut tx, course).await?;
            courses::choose(&versions, lang).ok_or_else(Problem::not_found)?.clone()
        }
    };
    let credential = match completions::of_enrolment(&mut tx, enrolment).await? {
        Some(completion) => credentials::of_completion(&mut tx, completion.id).await?,
        None => None,
    };
    let context = teaches.or(visit.launch.context_id);
    let sent = match context {
        Some(context) => store::sent(&mut tx, context, course).await?,
        None => Vec::new(),
    };
    drop(tx);
    let sent: Vec<&Sent> = sent.iter().filter(|sent| sent.enrolment_id == enrolment).collect();
    let steps = done.as_ref().map(|done| &done.attempt.state.steps);
    let day = |at| dates::day(lang, at, zone);
    let has_result =
        done.as_ref().is_some_and(|done| done.attempt.status == AttemptStatus::Completed);
    let send_path = visit.path(&format!("/learners/{enrolment}/send"));
    let page = LearnerPage {
        name,
        course_title: version.title.clone(),
        own: teaches.is_none(),
        list_path: teaches.map(|_| visit.path("/learners")),
        status: status(done.as_ref().map(|done| done.attempt.status)),
        done: steps.map_or(0, player::Steps::done),
        total: steps.map_or(0, player::Steps::total),
        points: done
            .as_ref()
            .and_then(|done| done.attempt.score_scaled)
            .map(|scaled| number(lang, scaled * 100.0)),
        time: done.as_ref().and_then(|done| time(done.seconds())),
        started_on: done.as_ref().map(|done| day(done.attempt.started_at)),
        completed_on: done.as_ref().and_then(|done| done.attempt.completed_at).map(day),
        activities: done
            .as_ref()
            .map(|done| done.activities.iter().map(|one| activity(lang, one)).collect())
            .unwrap_or_default(),
        credential: credential.map(|credential| CredentialPart {
            issued_on: day(credential.issued_at),
            verify_url: credential.verify_url(&app),
            revoked: credential.state == credentials::State::Revoked,
        }),
        grades: sent
            .iter()
            .map(|sent| own_words(grade(&app, &visit, sent), teaches.is_some()))
            .collect(),
        platform: visit.registration.name.clone(),
        send_path: (teaches.is_some() && (has_result || !sent.is_empty())).then_some(send_path),
        form_token: visit.form_token(&app, ABOUT),
        notice: wanted.notice(),
    };
    Ok(visit.page(app.pages.html(lang, &page)?, &[]))
}

/// A learner is told how it stands, not what the platform's machinery said.
fn own_words(cell: GradeCell, teaches: bool) -> GradeCell {
    if teaches {
        return cell;
    }
    GradeCell { why: None, what_to_do: None, detail: None, ..cell }
}

fn activity(lang: Lang, record: &ActivityRecord) -> ActivityPart {
    ActivityPart {
        title: record.title.clone(),
        status: match (record.done, record.opened) {
            (true, _) => "completed",
            (false, true) => "begun",
            (false, false) => "none",
        },
        points: record.points.map(|points| number(lang, points)),
        time: time(record.seconds),
        answers: record
            .answers
            .iter()
            .map(|answer| AnswerLine {
                question: answer.question.clone(),
                given: answer.given.clone(),
                verdict: answer.right.map(|right| if right { "right" } else { "wrong" }),
            })
            .collect(),
    }
}

/// Whole minutes, rounded up; `None` for no time at all.
fn time(seconds: i64) -> Option<String> {
    (seconds > 0).then(|| dates::duration((seconds + 59) / 60))
}
