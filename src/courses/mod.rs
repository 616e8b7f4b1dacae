//! Courses and their versions: one immutable package each.

pub mod import;
pub mod shipped;
mod store;

use scorm::archive::Index;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::ids::{CourseId, CourseVersionId};
use crate::web::Lang;

pub use store::{
    StoredPackage, all, all_offered, by_slug, find, offered, package, set_policy, version, versions,
};

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Course {
    pub id: CourseId,
    pub slug: String,
    pub attempts: Attempts,
    pub counts: Counts,
}

crate::text_enum! {
    /// What somebody may do who finished the course.
    pub enum Attempts {
        /// Go on in the one attempt there is.
        Once = "once",
        /// Begin anew.
        Again = "again",
    }
}

crate::text_enum! {
    /// Which result counts, of several finished attempts.
    pub enum Counts { Best = "best", Last = "last" }
}

/// What people read of a version; its package is loaded when it is played.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Version {
    pub id: CourseVersionId,
    pub course_id: CourseId,
    pub language: Lang,
    pub version: String,
    pub title: String,
    pub description: String,
    pub duration_minutes: i64,
}

/// Where each file of a package is found.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Archive {
    pub index: Index,
    /// Deflated audio, video and PDF kept a second time, by path: the blob's name. Media players
    /// ask for ranges, which a deflated entry cannot give.
    pub media: BTreeMap<String, String>,
}

/// The newest version in this language, else in any: a course is better read in another language
/// than not at all.
pub fn choose(versions: &[Version], lang: Lang) -> Option<&Version> {
    versions.iter().find(|version| version.language == lang).or(versions.first())
}
