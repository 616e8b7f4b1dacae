//! Course sources: a folder of Markdown lessons, GIFT quizzes and images becomes a [`Course`].
//!
//! [`load`] reads a folder; [`parse`] does the same from bytes in memory and needs no file system.
//! Everything that is wrong is collected as [`Finding`]s with file, line and column.

mod finding;
mod glossary;
mod lesson;
mod meta;
mod read;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::gift::Question;

pub use finding::{Finding, Severity, SourceProblem};
pub use read::{Files, Loaded, ReadError, check, load, parse, read_folder};

/// A language courses are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Lang {
    /// French.
    #[serde(rename = "fr")]
    French,
    /// English.
    #[serde(rename = "en")]
    English,
}

impl Lang {
    /// Every language, in the order they are offered.
    pub const ALL: [Self; 2] = [Self::French, Self::English];

    /// The BCP 47 tag, which is also the folder's name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::French => "fr",
            Self::English => "en",
        }
    }

    /// The language with this tag; a region behind it (`fr-CA`, `en_us`) is ignored.
    pub fn from_code(code: &str) -> Option<Self> {
        let primary = code.split(['-', '_']).next().unwrap_or(code);
        Self::ALL.into_iter().find(|lang| primary.eq_ignore_ascii_case(lang.code()))
    }
}

/// A course with all its languages.
#[derive(Debug, Clone, PartialEq)]
pub struct Course {
    /// A URN that never changes, whatever the version.
    pub identifier: String,
    /// Short name for paths and file names: lower case letters, digits and hyphens.
    pub slug: String,
    /// Version of the content, `1.0.0`.
    pub version: String,
    /// SPDX name of the content's licence.
    pub licence: String,
    /// Who wrote it.
    pub author: String,
    /// Foreseen learning time.
    pub duration_minutes: u32,
    /// The content, one entry a language.
    pub contents: BTreeMap<Lang, Content>,
}

/// A course in one language.
#[derive(Debug, Clone, PartialEq)]
pub struct Content {
    /// Title.
    pub title: String,
    /// Two or three sentences.
    pub description: String,
    /// For whom.
    pub audience: String,
    /// What one will be able to do.
    pub objectives: Vec<String>,
    /// Lessons in order.
    pub lessons: Vec<Lesson>,
    /// The final test.
    pub test: Option<Test>,
    /// Terms explained, in the order of the file.
    pub glossary: Vec<Term>,
    /// Images by path (`images/x.svg`).
    pub images: BTreeMap<String, Vec<u8>>,
}

/// A lesson: one SCO.
#[derive(Debug, Clone, PartialEq)]
pub struct Lesson {
    /// File name without extension, the same in every language.
    pub stem: String,
    /// Title, as the table of contents shows it.
    pub title: String,
    /// Foreseen minutes.
    pub minutes: u32,
    /// The text, with its first heading.
    pub markdown: String,
    /// The quiz at its end; empty for none.
    pub quiz: Vec<Question>,
}

/// The final test: the last SCO.
#[derive(Debug, Clone, PartialEq)]
pub struct Test {
    /// File name without extension.
    pub stem: String,
    /// Title.
    pub title: String,
    /// Foreseen minutes.
    pub minutes: u32,
    /// Share of the points that passes, above 0.0 and up to 1.0.
    pub pass_mark: f64,
    /// The questions.
    pub questions: Vec<Question>,
}

/// A glossary entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// The term (Markdown, inline).
    pub term: String,
    /// Its definition (Markdown, inline).
    pub definition: String,
}
