//! Two identities of one human: their enrolments become one person's.

use chrono::{DateTime, Utc};

use super::{grades, store};
use crate::db::{self, Tx};
use crate::ids::PersonId;

/// What became of the enrolments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JoinedEnrolments {
    /// Those of the person that is given up, without previews.
    pub moved: i64,
    /// Courses that both were in.
    pub both: i64,
    /// The hosts of enrolments that gave way: to be forgotten once this is committed.
    pub revoked_labels: Vec<String>,
}

/// Gives the survivor the other's enrolments. Where both are in a course the better is kept, and
/// takes over where the lesser's score was to go: each platform gets the grade. `parking` holds an
/// enrolment while two change hands: nobody is in a course twice.
pub async fn join(
    tx: &mut Tx,
    survivor: PersonId,
    other: PersonId,
    parking: PersonId,
    now: DateTime<Utc>,
) -> db::Result<JoinedEnrolments> {
    // What is being committed is merged before anything is compared.
    store::hold_attempts(tx, survivor, other).await?;
    let mut joined = JoinedEnrolments::default();
    for theirs in store::enrolments_of(tx, other).await? {
        joined.moved += i64::from(!theirs.preview);
        let (course, preview) = (theirs.course_id, theirs.preview);
        let Some(own) = store::enrolment(tx, survivor, course, preview).await? else {
            store::give_enrolment(tx, theirs.id, survivor).await?;
            continue;
        };
        joined.both += i64::from(!preview);
        let progress =
            (store::progress_of(tx, own.id).await?, store::progress_of(tx, theirs.id).await?);
        let (kept, lesser) = if progress.1.is_better_than(&progress.0) {
            store::give_enrolment(tx, own.id, parking).await?;
            store::give_enrolment(tx, theirs.id, survivor).await?;
            store::give_enrolment(tx, own.id, other).await?;
            (theirs, own)
        } else {
            (own, theirs)
        };
        store::revoke(tx, lesser.id, now).await?;
        joined.revoked_labels.extend(lesser.label);
        grades::follow(tx, lesser.id, kept.id, now).await?;
    }
    store::give_learner_records(tx, other, survivor).await?;
    Ok(joined)
}

/// How far somebody is in a course.
#[derive(Clone, Debug, Default, PartialEq, sqlx::FromRow)]
pub(super) struct ProgressOf {
    pub(super) completed: bool,
    pub(super) activities: i64,
    /// 0 to 1; below any score where there is none.
    pub(super) score: f64,
    /// `None`: never opened.
    pub(super) updated_at: Option<DateTime<Utc>>,
}

impl ProgressOf {
    /// Finished before unfinished, then the further, then the better, then the later.
    pub(super) fn is_better_than(&self, other: &Self) -> bool {
        let rank = |one: &Self| (one.completed, one.activities, one.score, one.updated_at);
        rank(self) > rank(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    #[test]
    fn the_further_enrolment_is_kept() {
        let never = ProgressOf { score: -1.0, ..ProgressOf::default() };
        let at = |minutes| Some(DateTime::<Utc>::UNIX_EPOCH + TimeDelta::minutes(minutes));
        let order = [
            never.clone(),
            ProgressOf { updated_at: at(9), ..never.clone() },
            ProgressOf { activities: 2, updated_at: at(1), ..never.clone() },
            ProgressOf { activities: 2, updated_at: at(2), ..never.clone() },
            ProgressOf { activities: 2, score: 0.5, updated_at: at(1), ..never.clone() },
            ProgressOf { completed: true, activities: 1, updated_at: at(0), ..never.clone() },
            ProgressOf { completed: true, activities: 1, score: 0.8, ..never },
        ];
        assert!(order.windows(2).all(|pair| pair[1].is_better_than(&pair[0])));
        assert!(order.iter().all(|one| !one.is_better_than(one)), "the survivor's own is kept");
    }
}
