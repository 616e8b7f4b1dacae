//! The credentials' SQL.

use chrono::{DateTime, Utc};
use sqlx::types::Json;

use super::{Code, Credential, Facts, Kind};
use crate::db::{self, Tx};
use crate::ids::{CompletionId, CredentialId, PersonId, TenantId};
use crate::web::Lang;

pub(super) struct New {
    pub(super) id: CredentialId,
    pub(super) completion: CompletionId,
    pub(super) tenant: TenantId,
    pub(super) person: PersonId,
    pub(super) kind: Kind,
    pub(super) code: String,
    pub(super) language: Lang,
    pub(super) facts: Facts,
}

/// False when the completion has its credential already.
pub(super) async fn insert(tx: &mut Tx, new: New, now: DateTime<Utc>) -> db::Result<bool> {
    let rows = tx
        .query(
            "INSERT INTO credentials (id, completion_id, tenant_id, person_id, kind, code, language,
                 facts, state, issued_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'issued', $9)
             ON CONFLICT (completion_id) DO NOTHING",
        )
        .bind(new.id)
        .bind(new.completion)
        .bind(new.tenant)
        .bind(new.person)
        .bind(new.kind)
        .bind(new.code)
        .bind(new.language)
        .bind(Json(new.facts))
        .bind(now)
        .execute()
        .await?;
    Ok(rows == 1)
}

pub(super) async fn find(tx: &mut Tx, id: CredentialId) -> db::Result<Option<Credential>> {
    tx.query(
        "SELECT id, tenant_id, person_id, kind, code, language, facts, state, issued_at, pdf
         FROM credentials WHERE id = $1",
    )
    .bind(id)
    .optional()
    .await
}

/// The credential, if it is this person's.
pub(super) async fn own(
    tx: &mut Tx,
    id: CredentialId,
    person: PersonId,
) -> db::Result<Option<Credential>> {
    Ok(find(tx, id).await?.filter(|credential| credential.person_id == person))
}

pub(super) async fn by_code(tx: &mut Tx, code: &Code) -> db::Result<Option<Credential>> {
    tx.query(
        "SELECT id, tenant_id, person_id, kind, code, language, facts, state, issued_at, pdf
         FROM credentials WHERE code = $1",
    )
    .bind(code.as_str().to_owned())
    .optional()
    .await
}

pub async fn of_completion(
    tx: &mut Tx,
    completion: CompletionId,
) -> db::Result<Option<Credential>> {
    tx.query(
        "SELECT id, tenant_id, person_id, kind, code, language, facts, state, issued_at, pdf
         FROM credentials WHERE completion_id = $1",
    )
    .bind(completion)
    .optional()
    .await
}

/// The latest first.
pub async fn of_person(tx: &mut Tx, person: PersonId) -> db::Result<Vec<Credential>> {
    tx.query(
        "SELECT id, tenant_id, person_id, kind, code, language, facts, state, issued_at, pdf
         FROM credentials WHERE person_id = $1 ORDER BY issued_at DESC, id DESC",
    )
    .bind(person)
    .all()
    .await
}

/// Rendered, and in no mail to any address: a later change of address mails nothing twice.
pub(super) async fn never_mailed(tx: &mut Tx, person: PersonId) -> db::Result<Vec<Credential>> {
    tx.query(
        "SELECT c.id, c.tenant_id, c.person_id, c.kind, c.code, c.language, c.facts, c.state,
             c.issued_at, c.pdf
         FROM credentials c
         WHERE c.person_id = $1 AND c.pdf IS NOT NULL AND c.state = 'issued'
             AND NOT EXISTS (SELECT 1 FROM messages m
                 WHERE m.person_id = c.person_id AND m.subject_id = c.id AND m.kind = c.kind)
         ORDER BY c.issued_at, c.id",
    )
    .bind(person)
    .all()
    .await
}

/// Keeps the first rendering. False when there was one before.
pub(super) async fn set_rendered(
    tx: &mut Tx,
    id: CredentialId,
    pdf: &str,
    bytes: i64,
    now: DateTime<Utc>,
) -> db::Result<bool> {
    let rows = tx
        .query(
            "UPDATE credentials SET pdf = $2, pdf_bytes = $3, rendered_at = $4
             WHERE id = $1 AND pdf IS NULL",
        )
        .bind(id)
        .bind(pdf.to_owned())
        .bind(bytes)
        .bind(now)
        .execute()
        .await?;
    Ok(rows == 1)
}

/// Whoever renders and whoever confirms an address wait for one another here: without it, on
/// PostgreSQL, each could miss what the other is writing, and the mail would never go out.
pub(super) async fn lock_person(tx: &mut Tx, person: PersonId) -> db::Result<()> {
    let _: (PersonId,) = tx
        .query_pair(
            "SELECT id FROM people WHERE id = $1",
            "SELECT id FROM people WHERE id = $1 FOR UPDATE",
        )
        .bind(person)
        .one()
        .await?;
    Ok(())
}
