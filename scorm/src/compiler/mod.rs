//! The course compiler: a [`Course`] becomes accessible HTML pages, one SCO a lesson, with a small
//! runtime of their own. No inline script or style, no request to anywhere.

pub(crate) mod markdown;
mod page;
mod quiz;
mod strings;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;
use thiserror::Error;

use crate::source::{Content, Course, Lang};

/// The SCORM edition a package is built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Format {
    /// SCORM 1.2.
    #[serde(rename = "1.2")]
    Scorm12,
    /// SCORM 2004 4th edition.
    #[serde(rename = "2004")]
    Scorm2004Fourth,
}

/// How built pages look and behave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme {
    /// Style sheet, `assets/style.css`.
    pub css: Cow<'static, str>,
    /// Runtime without a document, `assets/session.js`: the platform's API, grading, the session.
    pub session: Cow<'static, str>,
    /// Runtime of the page, `assets/course.js`.
    pub script: Cow<'static, str>,
    /// A page with `{{placeholders}}`; see `theme/page.html` for their names.
    pub skeleton: Cow<'static, str>,
}

impl Theme {
    /// The theme that comes with the crate.
    pub const fn builtin() -> Self {
        Self {
            css: Cow::Borrowed(include_str!("../../theme/style.css")),
            session: Cow::Borrowed(include_str!("../../theme/session.js")),
            script: Cow::Borrowed(include_str!("../../theme/course.js")),
            skeleton: Cow::Borrowed(include_str!("../../theme/page.html")),
        }
    }
}

/// A lesson or the test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PartKind {
    /// A lesson; completes when read and its quiz is answered.
    Lesson,
    /// The final test; completes when submitted, passes by its mark.
    Test,
}

/// A part of a course as a table of contents shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OutlineEntry {
    /// Title.
    pub title: String,
    /// Foreseen minutes.
    pub minutes: u32,
    /// Lesson or test.
    pub kind: PartKind,
}

/// A page that talks to the platform.
#[derive(Debug, Clone, PartialEq)]
pub struct Sco {
    /// `lesson-01`, `test`: unique in the package, the same in every language.
    pub identifier: String,
    /// Title.
    pub title: String,
    /// Path of its page in the package.
    pub href: String,
    /// Foreseen minutes.
    pub minutes: u32,
    /// Lesson or test.
    pub kind: PartKind,
    /// For a test: the share of the points that passes.
    pub pass_mark: Option<f64>,
    /// Images its page shows.
    pub images: Vec<String>,
}

/// A compiled course.
#[derive(Debug, Clone, PartialEq)]
pub struct Compiled {
    /// SCOs in order, the test last.
    pub scos: Vec<Sco>,
    /// Every file by path, pages included.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Files all SCOs use (`assets/…`).
    pub shared: Vec<String>,
}

/// A course cannot be compiled.
#[derive(Debug, Error)]
pub enum CompileError {
    /// The course is not written in that language.
    #[error("the course \"{slug}\" has no content in \"{}\"", lang.code())]
    LanguageMissing {
        /// The course.
        slug: String,
        /// The language wanted.
        lang: Lang,
    },
    /// The definition of a quiz could not be written.
    #[error("a quiz could not be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// The parts of a course in order; `None` if it has no such language.
pub fn outline(course: &Course, lang: Lang) -> Option<Vec<OutlineEntry>> {
    let content = course.contents.get(&lang)?;
    let lessons = content.lessons.iter().map(|lesson| OutlineEntry {
        title: lesson.title.clone(),
        minutes: lesson.minutes,
        kind: PartKind::Lesson,
    });
    let test = content.test.iter().map(|test| OutlineEntry {
        title: test.title.clone(),
        minutes: test.minutes,
        kind: PartKind::Test,
    });
    Some(lessons.chain(test).collect())
}

/// Compiles a course in one language.
pub fn compile(
    course: &Course,
    lang: Lang,
    format: Format,
    theme: &Theme,
) -> Result<Compiled, CompileError> {
    let content = course
        .contents
        .get(&lang)
        .ok_or_else(|| CompileError::LanguageMissing { slug: course.slug.clone(), lang })?;
    let mut files: BTreeMap<String, Vec<u8>> = content.images.clone();
    let mut scos = Vec::new();
    let builder = page::Builder { course, content, lang, format, theme };
    for (index, lesson) in content.lessons.iter().enumerate() {
        let identifier = format!("lesson-{:02}", index + 1);
        let href = format!("{identifier}.html");
        let html = builder.lesson(lesson, index, &identifier)?;
        scos.push(Sco {
            title: lesson.title.clone(),
            minutes: lesson.minutes,
            kind: PartKind::Lesson,
            pass_mark: None,
            images: images_in(content, &html),
            identifier,
            href: href.clone(),
        });
        files.insert(href, html.into_bytes());
    }
    if let Some(test) = &content.test {
        let html = builder.test(test, "test")?;
        scos.push(Sco {
            identifier: "test".to_owned(),
            title: test.title.clone(),
            href: "test.html".to_owned(),
            minutes: test.minutes,
            kind: PartKind::Test,
            pass_mark: Some(test.pass_mark),
            images: images_in(content, &html),
        });
        files.insert("test.html".to_owned(), html.into_bytes());
    }
    let shared = [
        ("assets/course.js", &theme.script),
        ("assets/session.js", &theme.session),
        ("assets/style.css", &theme.css),
    ];
    for (path, text) in shared {
        files.insert(path.to_owned(), text.as_bytes().to_vec());
    }
    let shared = shared.map(|(path, _)| path.to_owned()).to_vec();
    Ok(Compiled { scos, files, shared })
}

fn images_in(content: &Content, html: &str) -> Vec<String> {
    let used = |path: &&String| html.contains(&format!("src=\"{path}\""));
    content.images.keys().filter(used).cloned().collect()
}
