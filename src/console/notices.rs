//! What needs somebody today, each with the line that mends it.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::store;
use crate::db::{self, Tx};
use crate::ids::{RegistrationId, TenantId};
use crate::launches;

/// A score is tried again for hours by itself; after this long somebody should look.
const SCORES_WAIT: TimeDelta = TimeDelta::days(1);
/// What was lost longer ago was seen, or is past mending.
const SHOW_LOST: TimeDelta = TimeDelta::days(14);
const SHOW_REFUSED: TimeDelta = TimeDelta::hours(24);
/// More of one kind would hide the rest.
const AT_MOST: i64 = 20;

/// Something that needs somebody.
#[derive(Debug, Serialize)]
pub struct Need {
    /// The message that says what happened: takes `count` and `name`.
    pub key: &'static str,
    /// The message that says what to do.
    pub mend: &'static str,
    /// What it is about: a platform, a kind of job.
    pub name: String,
    /// The id of a deployment.
    pub detail: Option<String>,
    pub count: i64,
    /// The page where it is mended.
    pub path: Option<String>,
}

/// Launches that were refused for one reason.
#[derive(Debug, Serialize)]
pub struct Refused {
    /// `None`: no platform that is known.
    pub platform: Option<String>,
    pub code: String,
    pub count: i64,
    pub mend: String,
    pub path: Option<String>,
}

#[derive(Debug, Default)]
pub struct Notices {
    pub needs: Vec<Need>,
    pub refused: Vec<Refused>,
}

/// What needs an administrator, or the coordinator of `tenant`.
pub async fn notices(
    tx: &mut Tx,
    tenant: Option<TenantId>,
    now: DateTime<Utc>,
) -> db::Result<Notices> {
    let admin = tenant.is_none();
    // Platforms are an administrator's: others are told whom to ask.
    let path = |id: RegistrationId| admin.then(|| format!("/console/platforms/{id}"));
    let mut needs = Vec::new();
    if admin && store::has_no_platform(tx).await? {
        needs.push(Need {
            key: "console-need-no-platform",
            mend: "console-mend-no-platform",
            name: String::new(),
            detail: None,
            count: 0,
            path: Some("/console/platforms".to_owned()),
        });
    }
    for (id, name) in store::waiting_registrations(tx, tenant, AT_MOST).await? {
        needs.push(Need {
            key: "console-need-registration",
            mend: if admin { "console-mend-registration" } else { "console-mend-ask-admin" },
            name,
            detail: None,
            count: 1,
            path: path(id),
        });
    }
    for waiting in store::waiting_deployments(tx, tenant, AT_MOST).await? {
        needs.push(Need {
            key: "console-need-deployment",
            mend: if admin { "console-mend-deployment" } else { "console-mend-ask-admin" },
            name: waiting.name,
            detail: Some(waiting.deployment_id),
            count: 1,
            path: path(waiting.registration_id),
        });
    }
    for scores in store::stuck_scores(tx, tenant, now - SHOW_LOST, now - SCORES_WAIT).await? {
        let refused = scores.state == "refused";
        needs.push(Need {
            key: if refused { "console-need-scores-refused" } else { "console-need-scores-late" },
            mend: if refused { "console-mend-scores-refused" } else { "console-mend-scores-late" },
            name: scores.name,
            detail: None,
            count: scores.count,
            path: path(scores.registration_id),
        });
    }
    for mails in store::lost_mails(tx, tenant, now - SHOW_LOST).await? {
        let failed = mails.state == "failed";
        needs.push(Need {
            key: if failed { "console-need-mails-failed" } else { "console-need-mails-unknown" },
            mend: if failed { "console-mend-mails-failed" } else { "console-mend-mails-unknown" },
            name: mails.kind,
            detail: None,
            count: mails.count,
            path: None,
        });
    }
    if admin {
        for (kind, count) in store::failed_jobs(tx).await? {
            needs.push(Need {
                key: "console-need-jobs",
                mend: "console-mend-jobs",
                name: kind,
                detail: None,
                count,
                path: None,
            });
        }
    }
    let refused = store::refused_launches(tx, tenant, now - SHOW_REFUSED).await?;
    let refused = refused.into_iter().map(|launches| Refused {
        mend: format!("console-mend-launch-{}", launches::pages::family_of(&launches.code)),
        path: launches.registration_id.and_then(path),
        platform: launches.name,
        code: launches.code,
        count: launches.count,
    });
    Ok(Notices { needs, refused: refused.collect() })
}
