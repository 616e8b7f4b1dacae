//! Scores on their way to platforms' gradebooks (Assignment and Grade Services 2.0).

use chrono::{DateTime, TimeDelta, Utc};
use lti::ags::{Score, ScoreOutcome, next_timestamp, post_score, score_outcome};
use lti::http::Response;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use url::Url;

use super::{outcomes, store};
use crate::app::App;
use crate::db::{self, Tx};
use crate::ids::{EnrolmentId, GradeTargetId, IdentityId, ResourceLinkId, ScoreId};
use crate::jobs::{self, Failure, Job};
use crate::platforms;

/// Every score goes out of this many points.
const MAXIMUM: f64 = 100.0;

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

#[derive(Debug, Serialize, Deserialize)]
pub struct SendScore {
    pub score: ScoreId,
}

impl Job for SendScore {
    const KIND: &'static str = "send-score";
}

/// The learner came through this link, which has a column: scores of the enrolment go there too.
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
            if store::latest_score(tx, target).await?.is_none() {
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
        if known.is_none_or(|known| points(scaled) > known) {
            enqueue_for(tx, target, scaled, now).await?;
        }
    }
    Ok(())
}

/// Out of [`MAXIMUM`], to the hundredth.
fn points(scaled: f64) -> f64 {
    (scaled * MAXIMUM * 100.0).round() / 100.0
}

async fn enqueue_for(
    tx: &mut Tx,
    target: GradeTargetId,
    scaled: f64,
    now: DateTime<Utc>,
) -> db::Result<()> {
    let last = store::latest_score(tx, target).await?;
    let at = next_timestamp(now, last);
    let id = ScoreId::new(now);
    store::insert_score(tx, id, target, points(scaled), MAXIMUM, at, now).await?;
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
            return self.settle(app, ScoreState::Refused, "the platform was removed").await;
        };
        if score.service == GradeService::Outcomes {
            let (state, detail) = outcomes::send(app, &registration, &score, attempt).await?;
            return self.settle(app, state, &detail).await;
        }
        let Ok(line_item) = Url::parse(&score.line_item) else {
            return self.settle(app, ScoreState::Refused, "the column's address is not one").await;
        };
        if !registration.owns(&line_item) {
            let reason = "the column's address is not on the platform's own host";
            return self.settle(app, ScoreState::Refused, reason).await;
        }
        let Ok(graded) = Score::graded(&score.subject, score.given, score.maximum, score.at) else {
            return self.settle(app, ScoreState::Refused, "the score is not a number").await;
        };
        let scopes = BTreeSet::from([lti::token::scope::SCORE.to_owned()]);
        let secret = app
            .tokens
            .access_token(app, &registration, &scopes)
            .await
            .map_err(|error| Failure::backoff(attempt, error))?;
        let request = post_score(&line_item, &graded).bearer(&secret);
        let answer = app
            .outbound
            .send(request.method.as_str(), request.url.as_str(), &request.headers, request.body)
            .await
            .map_err(|error| Failure::backoff(attempt, error))?;
        let headers = answer.headers.iter();
        let response = Response {
            status: answer.status,
            headers: headers.map(|(n, v)| (n.to_string(), v.as_bytes().to_vec())).collect(),
            body: answer.body.to_vec(),
        };
        match score_outcome(&response, app.clock.now()) {
            ScoreOutcome::Accepted => self.settle(app, ScoreState::Delivered, "").await,
            ScoreOutcome::Superseded => {
                self.settle(app, ScoreState::Superseded, "the platform has a later score").await
            }
            ScoreOutcome::TokenRefused => {
                app.tokens.forget(&registration, &scopes).await;
                Err(Failure::backoff(attempt, "the platform refused the token"))
            }
            ScoreOutcome::Retry { after } => {
                let reason = format!("the platform answered {}", response.status);
                match after {
                    Some(after) => {
                        let after = after.max(TimeDelta::seconds(30));
                        Err(Failure::Retry { after, reason })
                    }
                    None => Err(Failure::backoff(attempt, reason)),
                }
            }
            ScoreOutcome::Rejected { status, excerpt } => {
                let reason = format!("the platform answered {status}: {excerpt}");
                self.settle(app, ScoreState::Refused, &reason).await
            }
        }
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
