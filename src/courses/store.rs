//! The courses' SQL.

use chrono::{DateTime, Utc};
use scorm::manifest::Manifest;
use sqlx::types::Json;

use super::import::NewVersion;
use super::{Archive, Attempts, Counts, Course, Version};
use crate::db::{self, Tx};
use crate::ids::{CourseId, CourseVersionId, TenantId};

pub async fn by_slug(tx: &mut Tx, slug: &str) -> db::Result<Option<Course>> {
    tx.query("SELECT id, slug, attempts, counts FROM courses WHERE slug = $1")
        .bind(slug.to_owned())
        .optional()
        .await
}

/// The course, if this tenant offers it: one of its own, or one that all share.
pub async fn offered(tx: &mut Tx, slug: &str, tenant: TenantId) -> db::Result<Option<Course>> {
    tx.query(
        "SELECT id, slug, attempts, counts FROM courses
         WHERE slug = $1 AND (tenant_id IS NULL OR tenant_id = $2)",
    )
    .bind(slug.to_owned())
    .bind(tenant)
    .optional()
    .await
}

/// All courses that this tenant offers.
pub async fn all_offered(tx: &mut Tx, tenant: TenantId) -> db::Result<Vec<Course>> {
    tx.query("SELECT id, slug, attempts, counts FROM courses WHERE tenant_id IS NULL OR tenant_id = $1 ORDER BY slug")
        .bind(tenant)
        .all()
        .await
}

pub async fn find(tx: &mut Tx, id: CourseId) -> db::Result<Option<Course>> {
    tx.query("SELECT id, slug, attempts, counts FROM courses WHERE id = $1")
        .bind(id)
        .optional()
        .await
}

pub async fn all(tx: &mut Tx) -> db::Result<Vec<Course>> {
    tx.query("SELECT id, slug, attempts, counts FROM courses ORDER BY slug").all().await
}

pub async fn set_policy(
    tx: &mut Tx,
    id: CourseId,
    attempts: Attempts,
    counts: Counts,
) -> db::Result<()> {
    tx.query("UPDATE courses SET attempts = $2, counts = $3 WHERE id = $1")
        .bind(id)
        .bind(attempts)
        .bind(counts)
        .execute()
        .await?;
    Ok(())
}

/// The versions of a course, newest first.
pub async fn versions(tx: &mut Tx, course: CourseId) -> db::Result<Vec<Version>> {
    tx.query(
        "SELECT id, course_id, language, version, title, description, duration_minutes
         FROM course_versions WHERE course_id = $1 ORDER BY created_at DESC, id DESC",
    )
    .bind(course)
    .all()
    .await
}

pub async fn version(tx: &mut Tx, id: CourseVersionId) -> db::Result<Version> {
    tx.query(
        "SELECT id, course_id, language, version, title, description, duration_minutes
         FROM course_versions WHERE id = $1",
    )
    .bind(id)
    .one()
    .await
}

/// The package of a version: what playing needs.
#[derive(Debug, sqlx::FromRow)]
pub struct StoredPackage {
    pub package: String,
    pub archive: Json<Archive>,
    pub manifest: Json<Manifest>,
}

pub async fn package(tx: &mut Tx, id: CourseVersionId) -> db::Result<StoredPackage> {
    tx.query("SELECT package, archive, manifest FROM course_versions WHERE id = $1")
        .bind(id)
        .one()
        .await
}

/// The course of this slug: found, or made.
pub(super) async fn insert_course(
    tx: &mut Tx,
    slug: &str,
    now: DateTime<Utc>,
) -> db::Result<CourseId> {
    let (id,): (CourseId,) = tx
        .query(
            "INSERT INTO courses (id, slug, created_at) VALUES ($1, $2, $3)
             ON CONFLICT (slug) DO UPDATE SET slug = excluded.slug RETURNING id",
        )
        .bind(CourseId::new(now))
        .bind(slug.to_owned())
        .bind(now)
        .one()
        .await?;
    Ok(id)
}

/// `None` when this version of the course exists in this language: versions are immutable.
pub(super) async fn insert_version(
    tx: &mut Tx,
    course: CourseId,
    new: &NewVersion,
    package: (&str, u64),
    archive: &Archive,
    manifest: &Manifest,
    now: DateTime<Utc>,
) -> db::Result<Option<CourseVersionId>> {
    let id = CourseVersionId::new(now);
    let rows = tx
        .query(
            "INSERT INTO course_versions (id, course_id, language, version, title, description,
                 duration_minutes, package, package_bytes, archive, manifest, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
             ON CONFLICT (course_id, language, version) DO NOTHING",
        )
        .bind(id)
        .bind(course)
        .bind(new.language)
        .bind(new.version.clone())
        .bind(new.title.clone().unwrap_or_else(|| manifest.title.clone()))
        .bind(new.description.clone())
        .bind(new.duration_minutes)
        .bind(package.0.to_owned())
        .bind(package.1 as i64)
        .bind(Json(archive.clone()))
        .bind(Json(manifest.clone()))
        .bind(now)
        .execute()
        .await?;
    Ok((rows == 1).then_some(id))
}
