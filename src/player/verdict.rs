//! Whether the course is finished, and what follows from it: completion, certificate, grade.

use scorm::runtime::Edition;
use scorm::sequencing::{ActivityIndex, Engine, TocEntry};
use serde_json::json;

use super::progress::Steps;
use super::runtime::{Play, RuntimeError};
use super::{AttemptStatus, grades, store};
use crate::completions::{self, NewCompletion, Of};
use crate::courses;
use crate::credentials::{self, Facts, Kind};
use crate::db::Tx;
use crate::tenants;

impl Play<'_> {
    /// Records what was completed, and writes the attempt.
    pub(super) async fn finish(&mut self, tx: &mut Tx) -> Result<(), RuntimeError> {
        let (toc, validity) = self.toc();
        if self.looks_aside() {
            let done = self.attempt.state.steps.done() as i64;
            store::save_attempt(tx, &self.attempt, done, self.now).await?;
            self.shown = Some((toc, validity));
            return Ok(());
        }
        let done_before = self.attempt.state.steps.done();
        self.attempt.state.steps = Steps::from_toc(&toc);
        let verdict = self.verdict(&toc);
        self.shown = Some((toc, validity));
        let best = self.attempt.score_scaled;
        // Only what a finished course came to: a part's score says nothing of the whole.
        let better = |score: &f64| verdict.finished && best.is_none_or(|best| *score > best);
        if let Some(score) = verdict.score.filter(better) {
            self.attempt.score_scaled = Some(score);
        }
        let first_time = verdict.finished && self.attempt.status == AttemptStatus::Active;
        if first_time {
            self.attempt.status = AttemptStatus::Completed;
            self.attempt.completed_at = Some(self.now);
        }
        let improved = self.attempt.score_scaled != best;
        let tells = first_time || (improved && self.attempt.status == AttemptStatus::Completed);
        let before = if tells && !self.enrolment.preview {
            // Who aims at a new column meanwhile waits, and sees the result.
            store::hold_enrolment(tx, self.enrolment.id).await?;
            store::final_score(tx, self.enrolment.id).await?
        } else {
            None
        };
        let done = self.attempt.state.steps.done() as i64;
        store::save_attempt(tx, &self.attempt, done, self.now).await?;
        self.remember(tx).await?;
        if self.enrolment.preview {
            return Ok(());
        }
        if first_time {
            self.award(tx, &verdict).await?;
        } else if done_before == 0 && done > 0 && self.attempt.status == AttemptStatus::Active {
            let (under_way, ungraded) = (grades::Activity::InProgress, grades::Grading::Pending);
            grades::tell_progress(tx, self.enrolment.id, under_way, ungraded, self.now).await?;
        }
        if tells {
            // The result that counts over all attempts, if it is another than was told.
            let counts = store::final_score(tx, self.enrolment.id).await?;
            if let Some(given) = counts.filter(|_| counts != before) {
                grades::enqueue(tx, self.enrolment.id, given, self.now).await?;
            }
        }
        Ok(())
    }

    /// Whether the course is finished: everything that counts is completed, and what was tested was
    /// not failed. A course of one activity is finished by passing alone.
    fn verdict(&self, toc: &[TocEntry]) -> Verdict {
        let Some(root) = toc.first() else { return Verdict { finished: false, score: None } };
        let leaves: Vec<&TocEntry> = toc.iter().filter(|entry| entry.is_leaf).collect();
        let passed = leaves.len() == 1 && leaves[0].satisfied == Some(true);
        let finished = root.satisfied != Some(false) && (root.completed == Some(true) || passed);
        Verdict { finished, score: self.score(&leaves) }
    }

    /// The course's measure; where the package rolls none up, the mean of what its activities
    /// reported. 0 to 1.
    fn score(&self, leaves: &[&TocEntry]) -> Option<f64> {
        let state = self.attempt.state.sequencing.as_ref()?;
        let statuses = Engine::new(&self.package.tree).statuses(state, &self.attempt.state.globals);
        let measure = |index: ActivityIndex| statuses.get(index.position())?.measure;
        let rolled_up =
            measure(ActivityIndex::ROOT).filter(|_| self.package.edition == Edition::V2004);
        let score = rolled_up.or_else(|| {
            let known: Vec<f64> = leaves.iter().filter_map(|leaf| measure(leaf.activity)).collect();
            let sum: f64 = known.iter().sum();
            (!known.is_empty()).then(|| sum / known.len() as f64)
        });
        score.map(|score| score.clamp(0.0, 1.0))
    }

    async fn award(&self, tx: &mut Tx, verdict: &Verdict) -> Result<(), RuntimeError> {
        let version = courses::version(tx, self.attempt.course_version_id).await?;
        let tenant = tenants::find(tx, self.person.tenant_id).await?;
        let seconds = store::seconds_of(tx, self.attempt.id).await?;
        let completion = NewCompletion {
            tenant: tenant.id,
            person: self.person.id,
            of: Of::Enrolment(self.enrolment.id),
            rule: "everything completed, nothing failed",
            facts: json!({
                "attempt": self.attempt.id,
                "version": version.id,
                "score": verdict.score,
                "seconds": seconds,
            }),
        };
        let Some(completion) = completions::record(tx, completion, self.now).await? else {
            return Ok(());
        };
        let facts = Facts {
            holder: self.person.name(),
            title: version.title.clone(),
            minutes: version.duration_minutes,
            from: self.attempt.started_at,
            until: self.now,
            score: verdict.score,
            issuer: tenant.name.clone(),
            signatory_name: tenant.signatory_name.clone(),
            signatory_title: tenant.signatory_title.clone(),
            time_zone: tenant.zone().name().to_owned(),
            remote: true,
            ..Facts::default()
        };
        let lang = version.language;
        credentials::award(
            tx,
            completion,
            Kind::Certificate,
            &tenant,
            &self.person,
            lang,
            facts,
            self.now,
        )
        .await?;
        Ok(())
    }
}

struct Verdict {
    finished: bool,
    score: Option<f64>,
}
