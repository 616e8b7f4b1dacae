//! The people of an LMS course: who they are there, how far they are here, and whether the LMS has
//! their results.

pub mod pages;
mod store;
pub mod views;

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use lti::ags::PlatformResult;
use url::Url;

use crate::app::App;
use crate::db::{self, Tx};
use crate::ids::{ContextId, CourseId, EnrolmentId, ResourceLinkId};
use crate::platforms::Registration;
use crate::platforms::services::{self, Offered, Roster, RosterMember, ServiceCallError};
use crate::player::grades::{self, ScoreState};
use crate::visits::{Role, Trainer, Visit};
use crate::web::Problem;

pub use store::{Known, Sent};

/// Somebody on the list: as the LMS knows them, as we do, or both.
#[derive(Clone, Debug)]
pub struct Listed {
    pub subject: String,
    pub name: Option<String>,
    pub trains: bool,
    pub groups: Vec<String>,
    pub known: Option<Known>,
    pub sent: Option<Sent>,
}

/// Who is to be seen on the list of a course.
#[derive(Clone, Debug, Default)]
pub struct List {
    /// Of the LMS course now; everybody known here when the LMS tells nobody.
    pub here: Vec<Listed>,
    /// Known here with work done, and not of the LMS course any more.
    pub left: Vec<Listed>,
}

/// Joins what the LMS says with what is known here, by the LMS's own names for people.
pub fn join(
    roster: Option<&Roster>,
    known: Vec<Known>,
    sent: &[Sent],
    link: Option<ResourceLinkId>,
) -> List {
    let sent_of = |known: &Known| {
        let of = |one: &&Sent| Some(one.enrolment_id) == known.enrolment_id;
        let own = sent.iter().filter(of).find(|one| Some(one.resource_link_id) == link);
        own.or_else(|| sent.iter().find(of)).cloned()
    };
    let Some(roster) = roster else {
        let mut seen = BTreeSet::new();
        let mut here: Vec<Listed> = known
            .into_iter()
            .filter(|one| seen.insert(one.person.id))
            .map(|one| Listed::of(&one, sent_of(&one)))
            .collect();
        here.sort_by_cached_key(Listed::sort_key);
        return List { here, left: Vec::new() };
    };
    let by_subject: BTreeMap<&str, &Known> =
        known.iter().map(|one| (one.subject.as_str(), one)).collect();
    let here = roster
        .members
        .iter()
        .map(|member| {
            let known = by_subject.get(member.subject.as_str()).copied();
            Listed::of_member(member, known, known.and_then(sent_of))
        })
        .collect();
    let still: BTreeSet<&str> =
        roster.members.iter().map(|member| member.subject.as_str()).collect();
    // Somebody with two names at the platform is here as long as one of them is.
    let mut seen: BTreeSet<_> = known
        .iter()
        .filter(|one| still.contains(one.subject.as_str()))
        .map(|one| one.person.id)
        .collect();
    let gone = |one: &&Known| one.enrolment_id.is_some() && one.role == Role::Learner;
    let mut left: Vec<Listed> = known
        .iter()
        .filter(gone)
        .filter(|one| seen.insert(one.person.id))
        .map(|one| Listed::of(one, sent_of(one)))
        .collect();
    left.sort_by_cached_key(Listed::sort_key);
    List { here, left }
}

impl Listed {
    fn of(known: &Known, sent: Option<Sent>) -> Self {
        Self {
            subject: known.subject.clone(),
            name: known.person.name(),
            trains: known.role == Role::Trainer,
            groups: Vec::new(),
            sent,
            known: Some(known.clone()),
        }
    }

    fn of_member(member: &RosterMember, known: Option<&Known>, sent: Option<Sent>) -> Self {
        Self {
            subject: member.subject.clone(),
            name: member.name.clone().or_else(|| known.and_then(|known| known.person.name())),
            trains: member.trains,
            groups: member.groups.clone(),
            sent,
            known: known.cloned(),
        }
    }

    fn sort_key(&self) -> String {
        let family = self.known.as_ref().and_then(|known| known.person.family_name.clone());
        format!("{} {}", family.unwrap_or_default(), self.name.as_deref().unwrap_or_default())
            .to_lowercase()
    }

    /// Whether the platform lacks a score that went out.
    pub fn lacks_score(&self) -> bool {
        let state = self.sent.as_ref().map(|sent| sent.state);
        matches!(state, Some(ScoreState::Pending | ScoreState::Refused))
    }
}

/// What the gradebook has, and whether it is what we sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Compared {
    /// Out of 100; `None` when the gradebook has no grade.
    pub theirs: Option<f64>,
    pub differs: bool,
}

/// Compares a person's score with the gradebook's. A gradebook may round to whole points.
pub fn compare(listed: &Listed, results: &[PlatformResult]) -> Compared {
    let result = results.iter().find(|result| result.user_id == listed.subject);
    let theirs = result.and_then(|result| {
        let maximum = result.maximum.filter(|maximum| *maximum > 0.0).unwrap_or(1.0);
        Some(result.score? / maximum * 100.0)
    });
    let ours = listed.sent.as_ref().map(|sent| sent.given);
    let differs = match (ours, theirs) {
        (Some(ours), Some(theirs)) => (ours - theirs).abs() > 0.51,
        (None, None) => false,
        _ => true,
    };
    Compared { theirs, differs }
}

/// The grades of the link's column as the platform has them.
pub async fn results(
    app: &App,
    registration: &Registration,
    offered: &Offered,
) -> Result<Vec<PlatformResult>, ServiceCallError> {
    let column = offered.column().and_then(|column| Url::parse(column).ok());
    let column = column.ok_or(ServiceCallError::NotOffered)?;
    services::results(app, registration, offered, &column).await
}

/// What the list needs of the database.
pub async fn gather(
    tx: &mut Tx,
    context: ContextId,
    course: CourseId,
) -> db::Result<(Vec<Known>, Vec<Sent>)> {
    Ok((store::known(tx, context, course).await?, store::sent(tx, context, course).await?))
}

/// Sends every score of the course once more that the platform does not have; how many.
pub async fn send_missing(
    app: &App,
    tx: &mut Tx,
    context: ContextId,
    course: CourseId,
) -> db::Result<usize> {
    let missing = |sent: &Sent| matches!(sent.state, ScoreState::Pending | ScoreState::Refused);
    let enrolments: BTreeSet<EnrolmentId> = store::sent(tx, context, course)
        .await?
        .iter()
        .filter(|sent| missing(sent))
        .map(|sent| sent.enrolment_id)
        .collect();
    let mut count = 0;
    for enrolment in enrolments {
        count += grades::send_again(tx, enrolment, context, app.clock.now()).await?;
    }
    Ok(count)
}

/// A trainer whose launch is about a course.
#[derive(Clone, Debug)]
pub struct CourseTrainer {
    pub visit: Visit,
    pub context: ContextId,
    pub course: CourseId,
}

impl FromRequestParts<App> for CourseTrainer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let Trainer { visit, context } = Trainer::from_request_parts(parts, app).await?;
        let course = visit.launch.details.opens.course();
        let course = course.ok_or_else(|| Problem::not_found().in_language(visit.lang()))?;
        Ok(Self { visit, context, course })
    }
}

/// A learner of the trainer's own course.
#[derive(Clone, Debug)]
pub struct Taught {
    pub trainer: CourseTrainer,
    pub learner: Known,
    pub enrolment: EnrolmentId,
}

impl FromRequestParts<App> for Taught {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let trainer = CourseTrainer::from_request_parts(parts, app).await?;
        let enrolment = named(parts, app).await?;
        let mut tx = app.db.read().await?;
        let found = store::of_enrolment(&mut tx, trainer.context, trainer.course, enrolment);
        let learner = found.await?.ok_or_else(Problem::not_found)?;
        Ok(Self { trainer, learner, enrolment })
    }
}

/// Somebody who may see what an enrolment did: who teaches its person here, or that person.
#[derive(Clone, Debug)]
pub struct Reviewer {
    pub visit: Visit,
    pub course: CourseId,
    pub enrolment: EnrolmentId,
    /// The learner's name.
    pub name: Option<String>,
    /// The context of a trainer; `None` for the learner themself.
    pub teaches: Option<ContextId>,
}

impl FromRequestParts<App> for Reviewer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let visit = Visit::from_request_parts(parts, app).await?;
        if visit.is_trainer() {
            let Taught { trainer, learner, enrolment } =
                Taught::from_request_parts(parts, app).await?;
            let name = learner.person.name();
            let CourseTrainer { visit, context, course } = trainer;
            return Ok(Self { visit, course, enrolment, name, teaches: Some(context) });
        }
        let unknown = || Problem::not_found().in_language(visit.lang());
        let enrolment = named(parts, app).await?;
        let course = visit.launch.details.opens.course().ok_or_else(unknown)?;
        let mut tx = app.db.read().await?;
        let own = crate::player::enrolment(&mut tx, visit.person.id, course, false).await?;
        drop(tx);
        own.filter(|(own, _)| own.id == enrolment).ok_or_else(unknown)?;
        let name = visit.person.name();
        Ok(Self { visit, course, enrolment, name, teaches: None })
    }
}

/// The enrolment that the path names.
async fn named(parts: &mut Parts, app: &App) -> Result<EnrolmentId, Problem> {
    let params =
        RawPathParams::from_request_parts(parts, app).await.map_err(|_| Problem::not_found())?;
    params
        .iter()
        .find(|(name, _)| *name == "enrolment")
        .and_then(|(_, value)| value.parse().ok())
        .ok_or_else(Problem::not_found)
}
