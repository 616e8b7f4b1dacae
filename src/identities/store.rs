//! The SQL of codes and joins.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::Platform;
use crate::db::{self, Tx};
use crate::ids::{IdentityId, LaunchId, PersonId, TenantId, uuid_at};
use crate::visits::Launch;
use crate::web::Lang;

/// Holds the person until the end of the transaction, and lets others refer to them.
pub(super) async fn hold_person(tx: &mut Tx, id: PersonId) -> db::Result<()> {
    let _: (PersonId,) = tx
        .query_pair(
            "SELECT id FROM people WHERE id = $1",
            "SELECT id FROM people WHERE id = $1 FOR NO KEY UPDATE",
        )
        .bind(id)
        .one()
        .await?;
    Ok(())
}

/// Holds every identity of both, in one order.
pub(super) async fn hold_identities(tx: &mut Tx, one: PersonId, two: PersonId) -> db::Result<()> {
    let _: Vec<(IdentityId,)> = tx
        .query_pair(
            "SELECT id FROM identities WHERE person_id IN ($1, $2) ORDER BY id",
            "SELECT id FROM identities WHERE person_id IN ($1, $2) ORDER BY id
             FOR NO KEY UPDATE",
        )
        .bind(one)
        .bind(two)
        .all()
        .await?;
    Ok(())
}

pub(super) async fn tenant_of(tx: &mut Tx, person: PersonId) -> db::Result<TenantId> {
    let (tenant,): (TenantId,) =
        tx.query("SELECT tenant_id FROM people WHERE id = $1").bind(person).one().await?;
    Ok(tenant)
}

/// The older first.
pub(super) async fn by_age(
    tx: &mut Tx,
    one: PersonId,
    two: PersonId,
) -> db::Result<(PersonId, PersonId)> {
    let (older,): (PersonId,) = tx
        .query("SELECT id FROM people WHERE id IN ($1, $2) ORDER BY created_at, id LIMIT 1")
        .bind(one)
        .bind(two)
        .one()
        .await?;
    Ok(if older == one { (one, two) } else { (two, one) })
}

pub(super) async fn codes_since(
    tx: &mut Tx,
    person: PersonId,
    since: DateTime<Utc>,
) -> db::Result<i64> {
    let (count,): (i64,) = tx
        .query("SELECT COUNT(*) FROM join_codes WHERE person_id = $1 AND created_at > $2")
        .bind(person)
        .bind(since)
        .one()
        .await?;
    Ok(count)
}

pub(super) async fn replace_codes(
    tx: &mut Tx,
    person: PersonId,
    now: DateTime<Utc>,
) -> db::Result<()> {
    tx.query("UPDATE join_codes SET used_at = $2 WHERE person_id = $1 AND used_at IS NULL")
        .bind(person)
        .bind(now)
        .execute()
        .await?;
    Ok(())
}

pub(super) async fn insert_code(
    tx: &mut Tx,
    launch: &Launch,
    hash: &str,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> db::Result<()> {
    tx.query(
        "INSERT INTO join_codes (id, identity_id, person_id, code_hash, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(uuid_at(now))
    .bind(launch.identity_id)
    .bind(launch.person_id)
    .bind(hash.to_owned())
    .bind(now)
    .bind(expires_at)
    .execute()
    .await?;
    Ok(())
}

#[derive(Debug, sqlx::FromRow)]
pub(super) struct Code {
    pub(super) id: uuid::Uuid,
    pub(super) identity_id: IdentityId,
    pub(super) expires_at: DateTime<Utc>,
    pub(super) used_at: Option<DateTime<Utc>>,
}

/// The latest code of these characters, whether it works or not.
pub(super) async fn code(tx: &mut Tx, hash: &str) -> db::Result<Option<Code>> {
    tx.query(
        "SELECT id, identity_id, expires_at, used_at FROM join_codes WHERE code_hash = $1
         ORDER BY created_at DESC, id DESC LIMIT 1",
    )
    .bind(hash.to_owned())
    .optional()
    .await
}

/// Spends the code, once.
pub(super) async fn use_code(tx: &mut Tx, id: uuid::Uuid, now: DateTime<Utc>) -> db::Result<bool> {
    let rows = tx
        .query(
            "UPDATE join_codes SET used_at = $2
             WHERE id = $1 AND used_at IS NULL AND expires_at > $2",
        )
        .bind(id)
        .bind(now)
        .execute()
        .await?;
    Ok(rows == 1)
}

pub(super) async fn wrong_in_launch(tx: &mut Tx, launch: LaunchId) -> db::Result<i64> {
    let (count,): (i64,) = tx
        .query("SELECT COUNT(*) FROM join_attempts WHERE launch_id = $1")
        .bind(launch)
        .one()
        .await?;
    Ok(count)
}

pub(super) async fn wrong_since(
    tx: &mut Tx,
    person: PersonId,
    since: DateTime<Utc>,
) -> db::Result<i64> {
    let (count,): (i64,) = tx
        .query("SELECT COUNT(*) FROM join_attempts WHERE person_id = $1 AND at > $2")
        .bind(person)
        .bind(since)
        .one()
        .await?;
    Ok(count)
}

pub(super) async fn insert_wrong(
    tx: &mut Tx,
    launch: LaunchId,
    person: PersonId,
    now: DateTime<Utc>,
) -> db::Result<()> {
    tx.query("INSERT INTO join_attempts (id, launch_id, person_id, at) VALUES ($1, $2, $3, $4)")
        .bind(uuid_at(now))
        .bind(launch)
        .bind(person)
        .bind(now)
        .execute()
        .await?;
    Ok(())
}

pub(super) async fn platforms(tx: &mut Tx, person: PersonId) -> db::Result<Vec<Platform>> {
    tx.query(
        "SELECT i.id AS identity_id, r.name, r.issuer, i.created_at
         FROM identities i JOIN registrations r ON r.id = i.registration_id
         WHERE i.person_id = $1 ORDER BY i.created_at, i.id",
    )
    .bind(person)
    .all()
    .await
}

#[derive(Debug, sqlx::FromRow)]
pub(super) struct Numbers {
    pub(super) courses: i64,
    pub(super) certificates: i64,
    pub(super) signups: i64,
}

/// What a person has; a trainer's previews are nothing to count.
pub(super) async fn numbers(tx: &mut Tx, person: PersonId) -> db::Result<Numbers> {
    tx.query(
        "SELECT (SELECT COUNT(*) FROM enrolments e WHERE e.person_id = $1 AND NOT e.preview)
                 AS courses,
             (SELECT COUNT(*) FROM credentials c WHERE c.person_id = $1) AS certificates,
             (SELECT COUNT(*) FROM signups s WHERE s.person_id = $1 AND s.state <> 'withdrawn')
                 AS signups",
    )
    .bind(person)
    .one()
    .await
}

/// The courses and the events that both are in.
pub(super) async fn both(tx: &mut Tx, one: PersonId, two: PersonId) -> db::Result<(i64, i64)> {
    tx.query(
        "SELECT (SELECT COUNT(*) FROM enrolments a JOIN enrolments b
                 ON b.course_id = a.course_id AND b.preview = a.preview
                 WHERE a.person_id = $1 AND b.person_id = $2 AND NOT a.preview),
             (SELECT COUNT(*) FROM signups a JOIN signups b ON b.event_id = a.event_id
                 WHERE a.person_id = $1 AND b.person_id = $2
                     AND a.state <> 'withdrawn' AND b.state <> 'withdrawn')",
    )
    .bind(one)
    .bind(two)
    .one()
    .await
}

/// What the survivor lacks it has from the other; an address that was confirmed counts more than
/// one that a platform told. The other says where it went.
pub(super) async fn absorb(
    tx: &mut Tx,
    survivor: PersonId,
    other: PersonId,
    now: DateTime<Utc>,
) -> db::Result<()> {
    tx.query(
        "UPDATE people SET
             given_name = coalesce(people.given_name, o.given_name),
             family_name = coalesce(people.family_name, o.family_name),
             full_name = coalesce(people.full_name, o.full_name),
             email = CASE WHEN people.email IS NULL OR (people.email_confirmed_at IS NULL
                     AND o.email_confirmed_at IS NOT NULL)
                 THEN o.email ELSE people.email END,
             email_confirmed_at = coalesce(people.email_confirmed_at, o.email_confirmed_at),
             updated_at = $3
         FROM people o WHERE people.id = $1 AND o.id = $2",
    )
    .bind(survivor)
    .bind(other)
    .bind(now)
    .execute()
    .await?;
    tx.query("UPDATE people SET joined_to = $2, updated_at = $3 WHERE id = $1")
        .bind(other)
        .bind(survivor)
        .bind(now)
        .execute()
        .await?;
    // Who was joined to the other before is the survivor now.
    tx.query("UPDATE people SET joined_to = $2 WHERE joined_to = $1")
        .bind(other)
        .bind(survivor)
        .execute()
        .await?;
    Ok(())
}

pub(super) async fn give_confirmations(
    tx: &mut Tx,
    from: PersonId,
    to: PersonId,
) -> db::Result<()> {
    tx.query("UPDATE email_confirmations SET person_id = $2 WHERE person_id = $1")
        .bind(from)
        .bind(to)
        .execute()
        .await?;
    Ok(())
}

/// The identities, and the codes that they asked for.
pub(super) async fn give_identities(tx: &mut Tx, from: PersonId, to: PersonId) -> db::Result<()> {
    tx.query("UPDATE identities SET person_id = $2 WHERE person_id = $1")
        .bind(from)
        .bind(to)
        .execute()
        .await?;
    tx.query("UPDATE join_codes SET person_id = $2 WHERE person_id = $1")
        .bind(from)
        .bind(to)
        .execute()
        .await?;
    Ok(())
}

/// Where both are in a context, what the later launch said holds.
pub(super) async fn give_memberships(tx: &mut Tx, from: PersonId, to: PersonId) -> db::Result<()> {
    tx.query(
        "INSERT INTO memberships (context_id, person_id, role, seen_at)
         SELECT m.context_id, p.id, m.role, m.seen_at FROM memberships m
         JOIN people p ON p.id = $2 WHERE m.person_id = $1
         ON CONFLICT (context_id, person_id) DO UPDATE SET
             role = CASE WHEN excluded.seen_at > memberships.seen_at
                 THEN excluded.role ELSE memberships.role END,
             seen_at = CASE WHEN excluded.seen_at > memberships.seen_at
                 THEN excluded.seen_at ELSE memberships.seen_at END",
    )
    .bind(from)
    .bind(to)
    .execute()
    .await?;
    tx.query("DELETE FROM memberships WHERE person_id = $1").bind(from).execute().await?;
    Ok(())
}

/// Pages that are open go on as the survivor's.
pub(super) async fn give_launches(tx: &mut Tx, from: PersonId, to: PersonId) -> db::Result<()> {
    tx.query("UPDATE launches SET person_id = $2 WHERE person_id = $1")
        .bind(from)
        .bind(to)
        .execute()
        .await?;
    Ok(())
}

/// Decisions, what was awarded for them, and the mails that tell of it; how many credentials that
/// were. Their words stay as they were issued.
pub(super) async fn give_credentials(tx: &mut Tx, from: PersonId, to: PersonId) -> db::Result<u64> {
    tx.query("UPDATE completions SET person_id = $2 WHERE person_id = $1")
        .bind(from)
        .bind(to)
        .execute()
        .await?;
    tx.query("UPDATE messages SET person_id = $2 WHERE person_id = $1")
        .bind(from)
        .bind(to)
        .execute()
        .await?;
    tx.query("UPDATE credentials SET person_id = $2 WHERE person_id = $1")
        .bind(from)
        .bind(to)
        .execute()
        .await
}

/// Nobody: holds what changes hands, inside one transaction.
pub(super) async fn insert_parking(
    tx: &mut Tx,
    tenant: TenantId,
    now: DateTime<Utc>,
) -> db::Result<PersonId> {
    let id = PersonId::new(now);
    tx.query(
        "INSERT INTO people (id, tenant_id, locale, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $4)",
    )
    .bind(id)
    .bind(tenant)
    .bind(Lang::Fr)
    .bind(now)
    .execute()
    .await?;
    Ok(id)
}

pub(super) async fn delete_parking(tx: &mut Tx, id: PersonId) -> db::Result<()> {
    tx.query("DELETE FROM people WHERE id = $1").bind(id).execute().await?;
    Ok(())
}

/// Who became one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair {
    pub(super) survivor: PersonId,
    pub(super) joined: PersonId,
    /// The identity that asked for the code, and the one that typed it.
    pub(super) code: IdentityId,
    pub(super) typed: IdentityId,
}

pub(super) async fn insert_join(
    tx: &mut Tx,
    tenant: TenantId,
    pair: Pair,
    moved: Value,
    now: DateTime<Utc>,
) -> db::Result<()> {
    tx.query(
        "INSERT INTO identity_joins (id, tenant_id, survivor_id, joined_id, code_identity_id,
             typed_identity_id, moved, at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(uuid_at(now))
    .bind(tenant)
    .bind(pair.survivor)
    .bind(pair.joined)
    .bind(pair.code)
    .bind(pair.typed)
    .bind(moved)
    .bind(now)
    .execute()
    .await?;
    Ok(())
}

/// Removes codes that were over, and wrong ones that were typed, before `before`.
pub async fn clean(tx: &mut Tx, before: DateTime<Utc>) -> db::Result<()> {
    tx.query("DELETE FROM join_codes WHERE expires_at < $1").bind(before).execute().await?;
    tx.query("DELETE FROM join_attempts WHERE at < $1").bind(before).execute().await?;
    Ok(())
}
