//! The HTML page of a SCO.

use std::fmt::Write as _;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::markdown::{self, escape, inline_markdown, typography};
use super::quiz::{self, Definition};
use super::strings::{self, PageStrings, RuntimeStrings};
use super::{CompileError, Format, PartKind, Theme};
use crate::gift::Question;
use crate::source::{Content, Course, Lang, Lesson, Test};

/// Identifier of the page that holds the questions.
const QUIZ_PAGE: &str = "quiz";

/// What `course.js` reads from the page.
#[derive(Debug, Serialize)]
struct ScoDefinition<'a> {
    edition: Format,
    kind: PartKind,
    /// Prefix of interaction identifiers, unique in the course.
    id: &'a str,
    /// The same as a URI, for SCORM 2004.
    uri: String,
    lang: &'static str,
    /// Changes with the questions: answers kept for other ones are of no use.
    hash: String,
    pages: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pass_mark: Option<f64>,
    questions: Vec<Definition>,
    strings: &'static RuntimeStrings,
}

pub(super) struct Builder<'a> {
    pub(super) course: &'a Course,
    pub(super) content: &'a Content,
    pub(super) lang: Lang,
    pub(super) format: Format,
    pub(super) theme: &'a Theme,
}

/// The parts that differ between a lesson and the test.
struct Sheet<'a> {
    kind: PartKind,
    identifier: &'a str,
    title: &'a str,
    kicker: String,
    body: String,
    pages: Vec<String>,
    pass_mark: Option<f64>,
    questions: Vec<Definition>,
}

impl Builder<'_> {
    fn strings(&self) -> &'static PageStrings {
        strings::page(self.lang)
    }

    pub(super) fn lesson(
        &self,
        lesson: &Lesson,
        index: usize,
        identifier: &str,
    ) -> Result<String, CompileError> {
        let strings = self.strings();
        let mut body = String::new();
        let mut pages = Vec::new();
        for page in markdown::pages(&lesson.markdown, self.lang) {
            body += &section(&page.id, page.heading.as_deref(), &page.html, "page");
            pages.push(page.id);
        }
        let mut questions = Vec::new();
        if !lesson.quiz.is_empty() {
            let (form, definitions) = self.quiz(&lesson.quiz, PartKind::Lesson);
            body += &section(QUIZ_PAGE, Some(strings.quiz), &form, "page quiz");
            pages.push(QUIZ_PAGE.to_owned());
            questions = definitions;
        }
        let total = self.content.lessons.len();
        let kicker = format!(
            "{} {} {} {total} · {}",
            strings.lesson,
            index + 1,
            strings.of,
            self.duration(lesson.minutes)
        );
        self.page(Sheet {
            kind: PartKind::Lesson,
            identifier,
            title: &lesson.title,
            kicker,
            body,
            pages,
            pass_mark: None,
            questions,
        })
    }

    pub(super) fn test(&self, test: &Test, identifier: &str) -> Result<String, CompileError> {
        let strings = self.strings();
        let (form, questions) = self.quiz(&test.questions, PartKind::Test);
        let percent =
            typography(&format!("{} %", format_percent(test.pass_mark, self.lang)), self.lang);
        let percent = if self.lang == Lang::English { percent.replace(' ', "") } else { percent };
        let intro = format!(
            "<p class=\"lead\">{} {} · {} {percent}</p>\n",
            questions.len(),
            strings.test_questions,
            strings.test_pass_mark,
        );
        let body = section(QUIZ_PAGE, None, &(intro + &form), "page quiz");
        let kicker = format!("{} · {}", strings.test, self.duration(test.minutes));
        self.page(Sheet {
            kind: PartKind::Test,
            identifier,
            title: &test.title,
            kicker,
            body,
            pages: vec![QUIZ_PAGE.to_owned()],
            pass_mark: Some(test.pass_mark),
            questions,
        })
    }

    fn duration(&self, minutes: u32) -> String {
        let strings = self.strings();
        let unit = if minutes == 1 { strings.minute } else { strings.minutes };
        format!("{} {minutes}\u{a0}{unit}", strings.about)
    }

    fn quiz(&self, questions: &[Question], kind: PartKind) -> (String, Vec<Definition>) {
        let strings = self.strings();
        let (html, definitions) = quiz::render(questions, self.lang);
        let (intro, submit, retry) = match kind {
            PartKind::Lesson => (strings.quiz_intro, strings.submit_quiz, strings.retry_quiz),
            PartKind::Test => (strings.test_intro, strings.submit_test, strings.retry_test),
        };
        let form = format!(
            "<p>{intro}</p>\n<div id=\"summary\" class=\"summary\" role=\"status\" \
             tabindex=\"-1\"></div>\n<form id=\"quiz-form\" novalidate>\n{html}\
             <p class=\"actions\"><button type=\"submit\" class=\"primary\">{submit}</button></p>\n\
             </form>\n<p class=\"actions\"><button type=\"button\" id=\"retry\" hidden>{retry}\
             </button></p>\n"
        );
        (form, definitions)
    }

    fn page(&self, sheet: Sheet<'_>) -> Result<String, CompileError> {
        let strings = self.strings();
        let hash = hash(&sheet)?;
        let definition = ScoDefinition {
            edition: self.format,
            kind: sheet.kind,
            id: sheet.identifier,
            uri: format!("{}:{}", self.course.identifier, sheet.identifier),
            lang: self.lang.code(),
            hash,
            pages: sheet.pages,
            pass_mark: sheet.pass_mark,
            questions: sheet.questions,
            strings: strings::runtime(self.lang),
        };
        let definition = escape(&serde_json::to_string(&definition)?);
        let glossary = self.glossary();
        let title = escape(&typography(sheet.title, self.lang));
        let course_title = escape(&typography(&self.content.title, self.lang));
        Ok(fill(
            &self.theme.skeleton,
            &[
                ("lang", self.lang.code()),
                ("title", &title),
                ("course_title", &course_title),
                ("kicker", &sheet.kicker),
                ("definition", &definition),
                ("body", &sheet.body),
                ("glossary", &glossary),
                ("skip", strings.skip),
                ("pages", strings.pages),
                ("previous", strings.previous),
                ("next", strings.next),
                ("next_lesson", strings.next_lesson),
                ("no_script", strings.no_script),
            ],
        ))
    }

    fn glossary(&self) -> String {
        if self.content.glossary.is_empty() {
            return String::new();
        }
        let mut html = format!(
            "<details class=\"glossary\"><summary>{}</summary>\n<dl>\n",
            self.strings().glossary
        );
        for term in &self.content.glossary {
            let _ = writeln!(
                html,
                "<dt>{}</dt><dd>{}</dd>",
                inline_markdown(&term.term, self.lang),
                inline_markdown(&term.definition, self.lang)
            );
        }
        html.push_str("</dl></details>\n");
        html
    }
}

fn section(id: &str, heading: Option<&str>, body: &str, class: &str) -> String {
    match heading {
        Some(heading) => format!(
            "<section class=\"{class}\" id=\"page-{id}\" aria-labelledby=\"heading-{id}\">\n\
             <h2 id=\"heading-{id}\" tabindex=\"-1\">{heading}</h2>\n{body}</section>\n"
        ),
        None => format!(
            "<section class=\"{class}\" id=\"page-{id}\" aria-labelledby=\"title\">\n\
             {body}</section>\n"
        ),
    }
}

/// Eight hexadecimal digits of what answers depend on.
fn hash(sheet: &Sheet<'_>) -> Result<String, CompileError> {
    let bytes = serde_json::to_vec(&(&sheet.pages, &sheet.questions))?;
    let digest = Sha256::digest(bytes);
    Ok(digest.iter().take(4).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

fn format_percent(share: f64, lang: Lang) -> String {
    let percent = (share * 1000.0).round() / 10.0;
    let text = percent.to_string();
    if lang == Lang::French { text.replace('.', ",") } else { text }
}

/// Fills `{{name}}` in one pass, so that a value is never searched for placeholders.
fn fill(skeleton: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(skeleton.len() * 2);
    let mut rest = skeleton;
    while let Some((before, after)) = rest.split_once("{{") {
        filled.push_str(before);
        let Some((name, after)) = after.split_once("}}") else {
            filled.push_str("{{");
            rest = after;
            break;
        };
        let value = values.iter().find(|(key, _)| *key == name.trim());
        filled.push_str(value.map_or("", |(_, value)| value));
        rest = after;
    }
    filled.push_str(rest);
    filled
}
