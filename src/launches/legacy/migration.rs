//! From LTI 1.1 to 1.3: a launch that says who somebody was before, and proves it with the old
//! consumer's secret (LTI Advantage migration guide 1.0).
//!
//! Moodle sends no such claim. Its people are strangers after a change of version, although their
//! ids stay the same: without a proof nothing says that the new platform is the old one.

use chrono::{DateTime, Utc};
use lti::claims::Launch;
use lti::migration;

use crate::db::{self, Tx};
use crate::people::{self, Adopted};
use crate::platforms::{self, Registration};
use crate::visits::{self, Opens};

/// Makes the platform's person the one of the old consumer, and hands over what the old link
/// opened; before the launch is accepted, in its transaction. Says for the log what became of it;
/// whatever that is, the launch goes on.
pub async fn adopt(
    tx: &mut Tx,
    registration: &Registration,
    launch: &Launch,
    now: DateTime<Utc>,
) -> db::Result<String> {
    let (Some(claim), Some(subject)) = (&launch.migration, &launch.subject) else {
        return Ok(String::new());
    };
    let refused = |code: &str| Ok(format!("not migrated: {code}"));
    let Some(key) = &claim.consumer_key else { return refused("migration-unsigned") };
    // The consumer may be closed, or LTI 1.1 off: its secret proves the past all the same. Those
    // of other organisations prove nothing here.
    let old = platforms::legacy::by_key(tx, key).await?;
    let Some(old) = old.filter(|old| old.tenant_id == registration.tenant_id) else {
        return refused("migration-consumer-unknown");
    };
    let Some(secret) = old.shared_secret() else { return refused("migration-consumer-unknown") };
    if let Err(refusal) = migration::verify(launch, secret) {
        return refused(refusal.code());
    }
    // Left out where it is the same as `sub` (3.2).
    let was = claim.user_id.as_ref().unwrap_or(subject);
    let adopted = people::adopt(tx, (registration.id, subject), (old.id, was), now).await?;
    if let Some(link) = launch.resource_link() {
        let before = claim.resource_link_id.as_ref().unwrap_or(&link.id);
        hand_over_link(tx, (&old, before), (registration, &link.id), now).await?;
    }
    Ok(match adopted {
        Adopted::Now => "migrated from LTI 1.1".to_owned(),
        Adopted::Before => String::new(),
        Adopted::Stranger => "not migrated: nobody of LTI 1.1 has this user id".to_owned(),
        Adopted::TwoPeople => {
            "not migrated: the person was here before under both identities".to_owned()
        }
    })
}

/// The new link opens what the old one did, unless it opens something already.
async fn hand_over_link(
    tx: &mut Tx,
    (old, old_link): (&Registration, &str),
    (new, new_link): (&Registration, &str),
    now: DateTime<Utc>,
) -> db::Result<()> {
    let opened = visits::link_opens(tx, new.id, new_link).await?;
    if opened.is_some_and(|opened| opened != Opens::Nothing) {
        return Ok(());
    }
    let before = visits::link_opens(tx, old.id, old_link).await?;
    if let Some(before @ (Opens::Course(_) | Opens::Event(_))) = before {
        visits::insert_resource_link(tx, new.id, new_link, None, None, &before, now).await?;
    }
    Ok(())
}
