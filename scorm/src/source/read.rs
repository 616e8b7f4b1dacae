//! From files to a course.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::lesson::{Figures, Inspector};
use super::meta::{self, Meta, Part, in_language};
use super::{Content, Course, Finding, Lang, Lesson, Severity, SourceProblem, Test, glossary};
use crate::gift::{self, Question};

/// Words read in a minute by an adult who learns.
const WORDS_A_MINUTE: usize = 180;
/// A single source file larger than this is not read.
const LARGEST_FILE: u64 = 64 * 1024 * 1024;

/// Files of a course by path (`fr/01-intro.md`), with `/` on every system.
pub type Files = BTreeMap<String, Vec<u8>>;

/// The folder could not be read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// A file or folder could not be read.
    #[error("{path}: {source}")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is too large for a source.
    #[error("{path}: larger than {LARGEST_FILE} bytes")]
    TooLarge {
        /// Which.
        path: PathBuf,
    },
}

/// What came out of reading sources.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The course; `None` when there is an error among the findings.
    pub course: Option<Course>,
    /// Everything found, by file and line.
    pub findings: Vec<Finding>,
}

/// Reads the course in a folder.
pub fn load(folder: &Path) -> Result<Loaded, ReadError> {
    Ok(parse(&read_folder(folder)?))
}

/// Checks the course in a folder without keeping it.
pub fn check(folder: &Path) -> Result<Vec<Finding>, ReadError> {
    Ok(load(folder)?.findings)
}

/// Reads all files of a folder. Hidden files and symbolic links are left out.
pub fn read_folder(folder: &Path) -> Result<Files, ReadError> {
    let mut files = Files::new();
    read_into(folder, "", 0, &mut files)?;
    Ok(files)
}

fn read_into(
    folder: &Path,
    prefix: &str,
    depth: usize,
    files: &mut Files,
) -> Result<(), ReadError> {
    let failed = |path: &Path, source| ReadError::Unreadable { path: path.to_owned(), source };
    for entry in fs::read_dir(folder).map_err(|error| failed(folder, error))? {
        let entry = entry.map_err(|error| failed(folder, error))?;
        let path = entry.path();
        let kind = entry.file_type().map_err(|error| failed(&path, error))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        let key = format!("{prefix}{name}");
        if kind.is_dir() && depth < 4 {
            read_into(&path, &format!("{key}/"), depth + 1, files)?;
        } else if kind.is_file() {
            let size = entry.metadata().map_err(|error| failed(&path, error))?.len();
            if size > LARGEST_FILE {
                return Err(ReadError::TooLarge { path });
            }
            files.insert(key, fs::read(&path).map_err(|error| failed(&path, error))?);
        }
    }
    Ok(())
}

/// Reads a course from files in memory.
pub fn parse(files: &Files) -> Loaded {
    let mut findings = Vec::new();
    let course = course(files, &mut findings);
    findings
        .sort_by(|a: &Finding, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
    let failed = findings.iter().any(|finding| finding.severity() == Severity::Error);
    Loaded { course: course.filter(|_| !failed), findings }
}

fn course(files: &Files, findings: &mut Vec<Finding>) -> Option<Course> {
    let source = text(files, meta::FILE, findings)?;
    let meta = meta::parse(source, findings)?;
    let mut contents = BTreeMap::new();
    let mut shapes: Vec<Shape> = Vec::new();
    for &lang in &meta.languages {
        let mut reader = ContentReader::new(files, lang, findings);
        let content = reader.content(&meta);
        shapes.extend(std::mem::take(&mut reader.shapes));
        contents.insert(lang, content);
    }
    compare_languages(files, &meta, &shapes, findings);
    Some(Course {
        identifier: meta.identifier,
        slug: meta.slug,
        version: meta.version,
        licence: meta.licence,
        author: meta.author,
        duration_minutes: meta.duration_minutes,
        contents,
    })
}

fn text<'a>(files: &'a Files, path: &str, findings: &mut Vec<Finding>) -> Option<&'a str> {
    let problem = match files.get(path).map(|bytes| std::str::from_utf8(bytes)) {
        Some(Ok(text)) => return Some(text.strip_prefix('\u{feff}').unwrap_or(text)),
        Some(Err(_)) => SourceProblem::NotUtf8,
        None => SourceProblem::MissingFile,
    };
    findings.push(Finding { file: path.to_owned(), line: 1, column: 1, problem });
    None
}

/// How many pages or questions a file has, to be compared between languages.
struct Shape {
    lang: Lang,
    name: String,
    what: &'static str,
    count: usize,
}

struct ContentReader<'a> {
    files: &'a Files,
    lang: Lang,
    findings: &'a mut Vec<Finding>,
    images: BTreeSet<String>,
    used: BTreeSet<String>,
    shapes: Vec<Shape>,
}

impl<'a> ContentReader<'a> {
    fn new(files: &'a Files, lang: Lang, findings: &'a mut Vec<Finding>) -> Self {
        let prefix = format!("{}/", lang.code());
        let images = files
            .keys()
            .filter_map(|path| path.strip_prefix(&prefix))
            .filter(|path| path.starts_with("images/"))
            .map(str::to_owned)
            .collect();
        Self { files, lang, findings, images, used: BTreeSet::new(), shapes: Vec::new() }
    }

    fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.lang.code())
    }

    fn report(&mut self, name: &str, problem: SourceProblem) {
        let file = self.path(name);
        self.findings.push(Finding { file, line: 1, column: 1, problem });
    }

    fn content(&mut self, meta: &Meta) -> Content {
        let lang = self.lang;
        let lessons = meta.lessons.iter().filter_map(|part| self.lesson(part)).collect();
        let test = meta.test.as_ref().and_then(|(part, pass_mark)| self.test(part, *pass_mark));
        let glossary = self.glossary();
        let images = self.images(meta);
        Content {
            title: in_language(&meta.title, lang),
            description: in_language(&meta.description, lang),
            audience: in_language(&meta.audience, lang),
            objectives: in_language(&meta.objectives, lang),
            lessons,
            test,
            glossary,
            images,
        }
    }

    fn lesson(&mut self, part: &Part) -> Option<Lesson> {
        let name = format!("{}.md", part.file);
        let path = self.path(&name);
        let markdown = text(self.files, &path, self.findings);
        let title = in_language(&part.title, self.lang);
        let figures = markdown
            .map_or(Figures::default(), |markdown| self.inspector(&path).lesson(markdown, &title));
        if markdown.is_some() {
            self.shapes.push(Shape { lang: self.lang, name, what: "pages", count: figures.pages });
        }
        let quiz_name = format!("{}.gift", part.file);
        let (quiz, quiz_words) = if self.files.contains_key(&self.path(&quiz_name)) {
            self.questions(&quiz_name)
        } else {
            (Vec::new(), 0)
        };
        let markdown = markdown?.to_owned();
        self.compare_length(&path, part.minutes, figures.words + quiz_words, quiz.len());
        Some(Lesson { stem: part.file.clone(), title, minutes: part.minutes, markdown, quiz })
    }

    fn test(&mut self, part: &Part, pass_mark: f64) -> Option<Test> {
        let name = format!("{}.gift", part.file);
        if !self.files.contains_key(&self.path(&name)) {
            self.report(&name, SourceProblem::MissingFile);
            return None;
        }
        let (questions, words) = self.questions(&name);
        let path = self.path(&name);
        self.compare_length(&path, part.minutes, words, questions.len());
        let title = in_language(&part.title, self.lang);
        Some(Test { stem: part.file.clone(), title, minutes: part.minutes, pass_mark, questions })
    }

    fn questions(&mut self, name: &str) -> (Vec<Question>, usize) {
        let path = self.path(name);
        let Some(source) = text(self.files, &path, self.findings) else {
            return (Vec::new(), 0);
        };
        let parsed = gift::parse(source);
        let mut words = 0;
        for question in &parsed.questions {
            words += self.inspector(&path).question(question);
        }
        let failed = !parsed.problems.is_empty();
        self.findings.extend(parsed.problems.into_iter().map(|problem| Finding {
            file: path.clone(),
            line: problem.line,
            column: problem.column,
            problem: SourceProblem::Gift(problem.kind),
        }));
        if !failed && !parsed.questions.iter().any(Question::is_gradable) {
            self.report(name, SourceProblem::NoGradableQuestion);
        }
        if !failed {
            let (lang, count) = (self.lang, parsed.questions.len());
            self.shapes.push(Shape { lang, name: name.to_owned(), what: "questions", count });
        }
        (parsed.questions, words)
    }

    fn glossary(&mut self) -> Vec<super::Term> {
        let path = self.path("glossary.md");
        if !self.files.contains_key(&path) {
            return Vec::new();
        }
        let Some(source) = text(self.files, &path, self.findings) else {
            return Vec::new();
        };
        let terms = glossary::parse(&path, source, self.findings);
        for (line, term) in &terms {
            let mut inspector = self.inspector(&path);
            inspector.inline(&term.term, *line);
            inspector.inline(&term.definition, *line);
        }
        terms.into_iter().map(|(_, term)| term).collect()
    }

    fn images(&mut self, meta: &Meta) -> BTreeMap<String, Vec<u8>> {
        let mut images = BTreeMap::new();
        for name in self.images.clone() {
            let Some(bytes) = self.files.get(&self.path(&name)) else { continue };
            if !is_image(&name) {
                self.report(&name, SourceProblem::UnknownImageKind { path: name.clone() });
            } else if extension(&name) == "svg" && is_active_svg(bytes) {
                self.report(&name, SourceProblem::ActiveSvg { path: name.clone() });
            } else if self.used.contains(&name) {
                images.insert(name.clone(), bytes.clone());
            } else {
                self.report(&name, SourceProblem::UnusedFile);
            }
        }
        let prefix = format!("{}/", self.lang.code());
        let parts = meta.lessons.iter().chain(meta.test.iter().map(|(part, _)| part));
        let mut known: BTreeSet<String> = parts
            .flat_map(|part| [format!("{}.md", part.file), format!("{}.gift", part.file)])
            .collect();
        known.insert("glossary.md".to_owned());
        let names: Vec<String> = self
            .files
            .keys()
            .filter_map(|path| path.strip_prefix(&prefix))
            .filter(|name| !known.contains(*name) && !name.starts_with("images/"))
            .map(str::to_owned)
            .collect();
        for name in names {
            self.report(&name, SourceProblem::UnusedFile);
        }
        images
    }

    fn inspector<'b>(&'b mut self, path: &'b str) -> Inspector<'b> {
        Inspector {
            file: path,
            images: &self.images,
            used: &mut self.used,
            findings: self.findings,
        }
    }

    fn compare_length(&mut self, path: &str, stated: u32, words: usize, questions: usize) {
        let estimated = (words.div_ceil(WORDS_A_MINUTE) + questions) as u32;
        let far = estimated * 2 < stated || estimated > stated.saturating_mul(2);
        if stated > 0 && far {
            let problem = SourceProblem::LengthDiffers { stated, estimated };
            self.findings.push(Finding { file: path.to_owned(), line: 1, column: 1, problem });
        }
    }
}

/// Every language has the same files, pages and questions.
fn compare_languages(files: &Files, meta: &Meta, shapes: &[Shape], findings: &mut Vec<Finding>) {
    let names = |lang: Lang| -> BTreeSet<&str> {
        let prefix = format!("{}/", lang.code());
        files.keys().filter_map(|path| path.strip_prefix(prefix.as_str())).collect()
    };
    for &here in &meta.languages {
        for &other in meta.languages.iter().filter(|&&other| other != here) {
            for name in names(other).difference(&names(here)) {
                let file = format!("{}/{name}", here.code());
                let problem = SourceProblem::MissingTranslation { other: other.code() };
                // A missing lesson was already reported as such.
                if !findings.iter().any(|finding| finding.file == file) {
                    findings.push(Finding { file, line: 1, column: 1, problem });
                }
            }
        }
    }
    for lang in Lang::ALL.into_iter().filter(|lang| !meta.languages.contains(lang)) {
        if !names(lang).is_empty() {
            let problem = SourceProblem::LanguageNotTitled { language: lang.code().to_owned() };
            findings.push(Finding { file: meta::FILE.to_owned(), line: 1, column: 1, problem });
        }
    }
    for (index, shape) in shapes.iter().enumerate() {
        let twin = shapes[..index].iter().find(|twin| {
            twin.lang != shape.lang && twin.name == shape.name && twin.what == shape.what
        });
        if let Some(twin) = twin.filter(|twin| twin.count != shape.count) {
            findings.push(Finding {
                file: format!("{}/{}", shape.lang.code(), shape.name),
                line: 1,
                column: 1,
                problem: SourceProblem::StructureDiffers {
                    what: shape.what,
                    here: shape.count,
                    other: twin.lang.code(),
                    there: twin.count,
                },
            });
        }
    }
}

/// What stands behind the last point; only lower case is an image's.
fn extension(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or_default()
}

fn is_image(name: &str) -> bool {
    matches!(extension(name), "svg" | "png" | "jpg" | "jpeg" | "webp" | "gif")
        && !name.contains("..")
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c))
}

/// A picture must not act: no script, no event handler, nothing loaded from elsewhere.
fn is_active_svg(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes).to_lowercase();
    let handler = text.split([' ', '\n', '\t', '\r']).any(|word| {
        word.strip_prefix("on").and_then(|rest| rest.split_once('=')).is_some_and(|(name, _)| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphabetic())
        })
    });
    let external = ["href=\"http", "href='http", "url(http", "@import", "javascript:"];
    handler || text.contains("<script") || external.iter().any(|needle| text.contains(needle))
}
