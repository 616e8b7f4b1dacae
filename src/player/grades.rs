//! Scores on their way to platforms' gradebooks (Assignment and Grade Services 2.0).

use chrono::{DateTime, TimeDelta, Utc};
use lti::ags::{
    ActivityProgress, GradingProgress, History, Score, ScoreInvalid, ScoreOutcome, next_timestamp,
    post_score, score_outcome,
};
use lti::token::{intersect, scope};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use url::Url;

use super::outbox::store as outbox;
use super::outcomes;
use super::store::{self, Outgoing};
use crate::app::App;
use crate::db::{self, Tx};
use crate::ids::{ContextId, EnrolmentId, GradeTargetId, IdentityId, ResourceLinkId, ScoreId};
use crate::jobs::{self, Failure, Job};
use crate::platforms;
use crate::platforms::services::{self, ColumnState, ServiceCallError};

/// Every score goes out of this many points.
const MAXIMUM: f64 = 100.0;
/// A score that was not taken by then is refused, and people see it: an LMS that is down for a long
/// weekend gets it still.
const GIVE_UP: TimeDelta = TimeDelta::days(5);
/// Nobody is asked again sooner.
const SHORTEST_WAIT: TimeDelta = TimeDelta::seconds(30);

crate::text_enum! {
    pub enum ScoreState {
        Pending = "pending",
        Delivered = "delivered",
        /// The platform has a later one.
        Superseded = "superseded",
        /// The platform will never take it; the detail says why.
        Refused = "refused",
    }
}

crate::text_enum! {
    /// Which service of a platform takes the score.
    pub enum GradeService {
        Ags = "ags",
        /// LTI 1.1's Basic Outcomes.
        Outcomes = "outcomes",
    }
}

crate::text_enum! {
    /// How far the learner is (AGS 3.4.6), as far as we tell it.
    pub enum Activity {
        Started = "Started",
        InProgress = "InProgress",
        Completed = "Completed",
    }
}

crate::text_enum! {
    /// How far the grading is (AGS 3.4.7), as far as we tell it.
    pub enum Grading {
        NotReady = "NotReady",
        Pending = "Pending",
        FullyGraded = "FullyGraded",
    }
}

crate::text_enum! {
    /// Why a score was refused: a word for the texts (`learners-refused-…`).
    pub enum Reason {
        /// 400: the platform keeps no grade of this person, most often.
        NotGradable = "not-gradable",
        /// 401 or 403: we may not.
        Forbidden = "forbidden",
        /// 404 or 410: the column is gone.
        Gone = "gone",
        /// There is no column, and the platform lets us make none.
        NoColumn = "no-column",
        /// Days went by.
        GaveUp = "gave-up",
        /// Something about the score or its address is not as it must be.
        Broken = "broken",
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub struct SendScore {
    pub score: ScoreId,
}

impl Job for SendScore {
    const KIND: &'static str = "send-score";
}

/// The learner came through this link, which has a column: scores of the enrolment go there too.
/// An empty `line_item` is a column that is still looked for; scores wait for it.
pub async fn aim(
    tx: &mut Tx,
    enrolment: EnrolmentId,
    link: ResourceLinkId,
    identity: IdentityId,
    line_item: &str,
    now: DateTime<Utc>,
) -> db::Result<()> {
    let id = GradeTargetId::new(now);
    store::upsert_grade_target(tx, id, enrolment, link, identity, line_item, now).await?;
    // A course that was finished before, opened through a new link: its score belongs there too.
    if let Some(given) = store::final_score(tx, enrolment).await? {
        for target in store::grade_targets(tx, enrolment).await? {
            if outbox::lacks_grade(tx, target).await? {
                enqueue_for(tx, target, given, now).await?;
            }
        }
    }
    Ok(())
}

/// Enqueues the score (`scaled`, 0 to 1) for every link the learner came through.
pub(super) async fn enqueue(
    tx: &mut Tx,
    enrolment: EnrolmentId,
    scaled: f64,
    now: DateTime<Utc>,
) -> db::Result<()> {
    for target in store::grade_targets(tx, enrolment).await? {
        enqueue_for(tx, target, scaled, now).await?;
    }
    Ok(())
}

/// One enrolment gave way to another: its targets get the other's score from now on, at once where
/// that is finished and better than what the platform has.
pub(super) async fn follow(
    tx: &mut Tx,
    from: EnrolmentId,
    to: EnrolmentId,
    now: DateTime<Utc>,
) -> db::Result<()> {
    store::hold_enrolment(tx, to).await?;
    let score = store::final_score(tx, to).await?;
    for target in store::grade_targets(tx, from).await? {
        store::move_grade_target(tx, target, to).await?;
        let Some(scaled) = score else { continue };
        let known = store::latest_points(tx, target).await?;
        if known.is_none_or(|known| points_of(scaled) > known) {
            enqueue_for(tx, target, scaled, now).await?;
        }
    }
    Ok(())
}

/// The learner began, or got somewhere: told where it can do no harm, before anything is graded.
pub(super) async fn tell_progress(
    tx: &mut Tx,
    enrolment: EnrolmentId,
    activity: Activity,
    grading: Grading,
    now: DateTime<Utc>,
) -> db::Result<()> {
    for target in outbox::progress_targets(tx, enrolment, activity).await? {
        let at = next_timestamp(now, store::latest_score(tx, target).await?);
        let id = ScoreId::new(now);
        outbox::insert_progress(tx, id, target, (activity, grading), at, now).await?;
        jobs::enqueue(tx, &SendScore { score: id }, now, now, Some(format!("score/{id}"))).await?;
    }
    Ok(())
}

/// Sends an enrolment's score once more to its columns in this context; how many that were. What
/// waits is overtaken by it.
pub async fn send_again(
    tx: &mut Tx,
    enrolment: EnrolmentId,
    context: ContextId,
    now: DateTime<Utc>,
) -> db::Result<usize> {
    let mut sent = 0;
    for (target, link, points) in outbox::targets_in_context(tx, enrolment, context).await? {
        let points = match points {
            Some(points) => Some(points),
            None => store::final_score(tx, enrolment).await?.map(points_of),
        };
        let Some(points) = points else { continue };
        super::columns::look_again(tx, link, now).await?;
        enqueue_points(tx, target, points, now).await?;
        sent += 1;
    }
    Ok(sent)
}

async fn enqueue_for(
    tx: &mut Tx,
    target: GradeTargetId,
    scaled: f64,
    now: DateTime<Utc>,
) -> db::Result<()> {
    enqueue_points(tx, target, points_of(scaled), now).await
}

/// Out of [`MAXIMUM`], to the hundredth.
fn points_of(scaled: f64) -> f64 {
    (scaled * MAXIMUM * 100.0).round() / 100.0
}

async fn enqueue_points(
    tx: &mut Tx,
    target: GradeTargetId,
    given: f64,
    now: DateTime<Utc>,
) -> db::Result<()> {
    let last = store::latest_score(tx, target).await?;
    let at = next_timestamp(now, last);
    let id = ScoreId::new(now);
    store::insert_score(tx, id, target, given, MAXIMUM, at, now).await?;
    jobs::enqueue(tx, &SendScore { score: id }, now, now, Some(format!("score/{id}"))).await
}

impl SendScore {
    pub async fn run(self, app: &App, attempt: i64) -> Result<(), Failure> {
        let retry = |error: db::Error| Failure::backoff(attempt, error);
        let mut tx = app.db.read().await.map_err(retry)?;
        let Some(score) = store::score(&mut tx, self.score).await.map_err(retry)? else {
            return Err(Failure::Final("the score is gone".to_owned()));
        };
        let registration = platforms::find(&mut tx, score.registration_id).await.map_err(retry)?;
        drop(tx);
        if score.state != ScoreState::Pending {
            return Ok(());
        }
        // A later score for the same column makes this one superfluous.
        if score.newer {
            return self.settle(app, ScoreState::Superseded, "a later score goes out").await;
        }
        let Some(registration) = registration else {
            return self.refuse(app, Reason::Broken, "the platform was removed").await;
        };
        if score.service == GradeService::Outcomes {
            return match outcomes::send(app, &registration, &score, attempt).await {
                Ok((ScoreState::Refused, detail)) => {
                    self.refuse(app, Reason::NotGradable, &detail).await
                }
                Ok((state, detail)) => self.settle(app, state, &detail).await,
                Err(Failure::Retry { after, reason }) => {
                    self.later(app, &score, attempt, Some(after), &reason).await
                }
                Err(failure) => Err(failure),
            };
        }
        if score.line_item.is_empty() {
            return match score.column_state {
                Some(ColumnState::Refused) | None => {
                    self.refuse(app, Reason::NoColumn, "there is no column for it").await
                }
                _ => self.later(app, &score, attempt, None, "a column is looked for").await,
            };
        }
        let Ok(line_item) = Url::parse(&score.line_item) else {
            return self.refuse(app, Reason::Broken, "the column's address is not one").await;
        };
        let Ok(told) = score.told() else {
            return self.refuse(app, Reason::Broken, "the score is not a number").await;
        };
        let request = post_score(&line_item, &told);
        let response = match services::call(app, &registration, &score.scopes(), request).await {
            Ok(response) => response,
            Err(error @ ServiceCallError::ElsewhereHost { .. }) => {
                return self.refuse(app, Reason::Broken, &error.to_string()).await;
            }
            Err(error @ ServiceCallError::NotGranted) => {
                return self.refuse(app, Reason::Forbidden, &error.to_string()).await;
            }
            Err(error) => {
                let after = error.retry_after();
                return self.later(app, &score, attempt, after, &error.to_string()).await;
            }
        };
        match score_outcome(&response, app.clock.now()) {
            ScoreOutcome::Accepted => self.settle(app, ScoreState::Delivered, "").await,
            ScoreOutcome::Superseded => {
                self.settle(app, ScoreState::Superseded, "the platform has a later score").await
            }
            ScoreOutcome::TokenRefused => {
                self.later(app, &score, attempt, None, "the platform refused the token").await
            }
            ScoreOutcome::Retry { after } => {
                let reason = format!("the platform answered {}", response.status);
                self.later(app, &score, attempt, after, &reason).await
            }
            ScoreOutcome::Rejected { status, excerpt } => {
                let reason = match status {
                    400 => Reason::NotGradable,
                    403 => Reason::Forbidden,
                    404 | 410 => Reason::Gone,
                    _ => Reason::Broken,
                };
                if reason == Reason::Gone {
                    self.forget_column(app, &score)
                        .await
                        .map_err(|error| Failure::backoff(attempt, error))?;
                }
                let detail = format!("the platform answered {status}: {excerpt}");
                self.refuse(app, reason, &detail).await
            }
        }
    }

    /// Tries again later and says when, or gives up after days.
    async fn later(
        &self,
        app: &App,
        score: &Outgoing,
        attempt: i64,
        after: Option<TimeDelta>,
        reason: &str,
    ) -> Result<(), Failure> {
        let now = app.clock.now();
        if now - score.created_at >= GIVE_UP {
            return self.refuse(app, Reason::GaveUp, reason).await;
        }
        let failure = match after {
            Some(after) => {
                let after = after.max(SHORTEST_WAIT);
                Failure::Retry { after, reason: reason.to_owned() }
            }
            None => Failure::backoff(attempt, reason),
        };
        if let Failure::Retry { after, .. } = &failure {
            let noted = async {
                let mut tx = app.db.write().await?;
                outbox::postpone_score(&mut tx, self.score, reason, now + *after, now).await?;
                tx.commit().await
            };
            noted.await.map_err(|error| Failure::backoff(attempt, error))?;
        }
        Err(failure)
    }

    async fn refuse(&self, app: &App, reason: Reason, detail: &str) -> Result<(), Failure> {
        let refused = async {
            let mut tx = app.db.write().await?;
            outbox::refuse_score(&mut tx, self.score, reason, detail, app.clock.now()).await?;
            tx.commit().await
        };
        refused.await.map_err(|error| Failure::backoff(1, error))
    }

    /// The column was deleted. One that we made is made again when somebody comes next.
    async fn forget_column(&self, app: &App, score: &Outgoing) -> db::Result<()> {
        let mut tx = app.db.write().await?;
        let (link, column) = (score.resource_link_id, score.line_item.as_str());
        if services::forget_column(&mut tx, link, column).await? {
            outbox::forget_line_item(&mut tx, link, column).await?;
        }
        tx.commit().await
    }

    async fn settle(&self, app: &App, state: ScoreState, detail: &str) -> Result<(), Failure> {
        let settled = async {
            let mut tx = app.db.write().await?;
            store::settle_score(&mut tx, self.score, state, detail, app.clock.now()).await?;
            tx.commit().await
        };
        settled.await.map_err(|error| Failure::backoff(1, error))?;
        app.metrics.score(state.as_str());
        Ok(())
    }
}

impl Outgoing {
    /// The score as it goes out: points, or mere progress.
    fn told(&self) -> Result<Score, ScoreInvalid> {
        let activity = match self.activity {
            Activity::Completed => {
                return Score::graded(&self.subject, self.given, self.maximum, self.at);
            }
            Activity::Started => ActivityProgress::Started,
            Activity::InProgress => ActivityProgress::InProgress,
        };
        let grading = match self.grading {
            Grading::Pending => GradingProgress::Pending,
            _ => GradingProgress::NotReady,
        };
        // Whatever was graded is newer, and was asked for before.
        Score::progress(&self.subject, activity, grading, self.at, History::NeverGraded)
    }

    /// The scopes to ask for: what the launches granted, where one told.
    fn scopes(&self) -> BTreeSet<String> {
        match self.grade_scopes.as_deref().filter(|scopes| !scopes.is_empty()) {
            Some(scopes) => {
                let granted: Vec<String> = scopes.split_whitespace().map(str::to_owned).collect();
                intersect([scope::SCORE], &granted)
            }
            None => BTreeSet::from([scope::SCORE.to_owned()]),
        }
    }
}
