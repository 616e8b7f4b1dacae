//! What can be wrong with course sources.

use serde::Serialize;
use thiserror::Error;

use crate::gift;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// The course is built, but something is probably not meant so.
    Warning,
    /// The course is not built.
    Error,
}

/// A finding at its place.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("{file}:{line}:{column}: {problem}")]
pub struct Finding {
    /// Path inside the course's folder, `fr/01-intro.md`.
    pub file: String,
    /// Line from 1; 1 for what concerns the whole file.
    pub line: usize,
    /// Column in characters from 1.
    pub column: usize,
    /// What it is.
    pub problem: SourceProblem,
}

impl Finding {
    /// How much it matters.
    pub fn severity(&self) -> Severity {
        self.problem.severity()
    }
}

/// What can be found in course sources.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum SourceProblem {
    /// A file that must exist does not.
    #[error("this file is missing")]
    MissingFile,
    /// Not UTF-8.
    #[error("the file is not UTF-8 text")]
    NotUtf8,
    /// course.toml is not TOML.
    #[error("not valid TOML: {message}")]
    TomlSyntax {
        /// The TOML reader's message.
        message: String,
    },
    /// A key is missing.
    #[error("\"{key}\" is missing")]
    MissingKey {
        /// Its full name, `lessons.2.title.fr`.
        key: String,
    },
    /// A key has a value of another type.
    #[error("\"{key}\" must be {expected}")]
    WrongType {
        /// Its full name.
        key: String,
        /// What it must be.
        expected: &'static str,
    },
    /// A key nobody knows.
    #[error("\"{key}\" is not a known key and is ignored")]
    UnknownKey {
        /// Its full name.
        key: String,
    },
    /// The slug is not one.
    #[error("the slug \"{slug}\" may hold only lower case letters a-z, digits and single hyphens")]
    BadSlug {
        /// What stands there.
        slug: String,
    },
    /// The identifier is not a URI.
    #[error("the identifier \"{identifier}\" is not a URI such as urn:passerelle:course:name")]
    BadIdentifier {
        /// What stands there.
        identifier: String,
    },
    /// A file name of a lesson or test that could leave the folder or break a URL.
    #[error("the file name \"{name}\" may hold only letters a-z, digits, hyphens and underscores")]
    BadFileName {
        /// What stands there.
        name: String,
    },
    /// Two lessons with the same file.
    #[error("\"{name}\" is listed twice")]
    ListedTwice {
        /// The file.
        name: String,
    },
    /// The pass mark is out of range.
    #[error("the pass mark {value} must be above 0 and at most 1 (0.8 for 80 %)")]
    PassMarkOutOfRange {
        /// What stands there.
        value: f64,
    },
    /// No lesson and no test.
    #[error("the course has no lesson")]
    NoLessons,
    /// The title table names no known language.
    #[error("[title] names no known language (fr, en)")]
    NoLanguages,
    /// A folder of a language that course.toml does not title.
    #[error("the folder \"{language}\" has no title in course.toml and is ignored")]
    LanguageNotTitled {
        /// The folder.
        language: String,
    },
    /// The file exists in another language only.
    #[error("this file exists in \"{other}\" but not here: every language has the same files")]
    MissingTranslation {
        /// The language that has it.
        other: &'static str,
    },
    /// A file nobody uses.
    #[error("this file is not used by the course")]
    UnusedFile,
    /// The first heading is missing.
    #[error("a lesson starts with its title: \"# Title\"")]
    MissingTitle,
    /// More than one first-level heading.
    #[error("a second \"# \" heading: pages start with \"## \"")]
    SecondTitle,
    /// A heading level is left out.
    #[error("the heading jumps from level {from} to level {to}")]
    SkippedHeading {
        /// Level before.
        from: u8,
        /// Level found.
        to: u8,
    },
    /// A heading with no text.
    #[error("the heading has no text")]
    EmptyHeading,
    /// A page without content.
    #[error("the page \"{heading}\" has no content")]
    EmptyPage {
        /// Its heading.
        heading: String,
    },
    /// HTML in Markdown.
    #[error("HTML is not allowed in lessons and questions: {found}")]
    RawHtml {
        /// Its beginning.
        found: String,
    },
    /// An image without alternative text.
    #[error("the image {path} has no alternative text")]
    MissingAlternativeText {
        /// The image.
        path: String,
    },
    /// An image that does not exist.
    #[error("the image {path} does not exist in this language's folder")]
    MissingImage {
        /// The image.
        path: String,
    },
    /// An image of a kind that is not published.
    #[error("{path} is no image that can be shown: svg, png, jpg, webp or gif")]
    UnknownImageKind {
        /// The file.
        path: String,
    },
    /// An SVG that carries a script or loads from elsewhere.
    #[error("the image {path} holds a script, an event handler or an external reference")]
    ActiveSvg {
        /// The image.
        path: String,
    },
    /// A link that is not https.
    #[error("the link {url} must start with https://")]
    BadLink {
        /// Where it points.
        url: String,
    },
    /// The lesson's heading is not its title.
    #[error("the heading \"{heading}\" differs from the title \"{title}\" in course.toml")]
    TitleDiffers {
        /// In the lesson.
        heading: String,
        /// In course.toml.
        title: String,
    },
    /// A GIFT problem.
    #[error("{0}")]
    Gift(gift::ProblemKind),
    /// A question that no machine grades.
    #[error("an essay cannot be graded: it is shown as a text without an answer")]
    NotGradable,
    /// A quiz without a gradable question.
    #[error("no question here can be graded")]
    NoGradableQuestion,
    /// A line of the glossary that is none.
    #[error("a glossary entry is written \"**term** : definition\"")]
    BadGlossaryEntry,
    /// Two languages differ in structure.
    #[error("{here} {what} here, {there} in \"{other}\"")]
    StructureDiffers {
        /// What is counted.
        what: &'static str,
        /// Count in this file.
        here: usize,
        /// The other language.
        other: &'static str,
        /// Count there.
        there: usize,
    },
    /// The foreseen time is far from what the text needs.
    #[error("{stated} minutes are foreseen, reading and answering take about {estimated}")]
    LengthDiffers {
        /// In course.toml.
        stated: u32,
        /// From the words (180 a minute) and questions (one minute each).
        estimated: u32,
    },
    /// The parts do not make the whole.
    #[error("duration_minutes is {stated}, the lessons and the test add up to {sum}")]
    DurationDiffers {
        /// In course.toml.
        stated: u32,
        /// Sum of the parts.
        sum: u32,
    },
}

impl SourceProblem {
    /// How much it matters.
    pub fn severity(&self) -> Severity {
        match self {
            Self::UnknownKey { .. }
            | Self::LanguageNotTitled { .. }
            | Self::UnusedFile
            | Self::TitleDiffers { .. }
            | Self::NotGradable
            | Self::StructureDiffers { .. }
            | Self::DurationDiffers { .. } => Severity::Warning,
            Self::LengthDiffers { .. } => Severity::Note,
            _ => Severity::Error,
        }
    }
}
