//! `course.toml`, walked by hand so that every mistake is found and not only the first.

use toml::{Table, Value};

use super::lesson::place;
use super::{Finding, Lang, SourceProblem};

/// The file all messages of this module are about.
pub(super) const FILE: &str = "course.toml";

/// What course.toml says.
#[derive(Debug, Default)]
pub(super) struct Meta {
    pub(super) identifier: String,
    pub(super) slug: String,
    pub(super) version: String,
    pub(super) licence: String,
    pub(super) author: String,
    pub(super) duration_minutes: u32,
    pub(super) languages: Vec<Lang>,
    pub(super) title: Vec<(Lang, String)>,
    pub(super) description: Vec<(Lang, String)>,
    pub(super) audience: Vec<(Lang, String)>,
    pub(super) objectives: Vec<(Lang, Vec<String>)>,
    pub(super) lessons: Vec<Part>,
    pub(super) test: Option<(Part, f64)>,
}

/// A lesson or test as listed.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub(super) file: String,
    pub(super) minutes: u32,
    pub(super) title: Vec<(Lang, String)>,
}

/// The value in a language; what is missing was reported while reading.
pub(super) fn in_language<T: Clone + Default>(values: &[(Lang, T)], lang: Lang) -> T {
    values.iter().find(|(of, _)| *of == lang).map(|(_, value)| value.clone()).unwrap_or_default()
}

/// Reads course.toml; `None` when it is not TOML at all.
pub(super) fn parse(source: &str, findings: &mut Vec<Finding>) -> Option<Meta> {
    let table = match source.parse::<Table>() {
        Ok(table) => table,
        Err(error) => {
            let (line, column) = place(source, error.span().map_or(0, |span| span.start));
            let problem = SourceProblem::TomlSyntax { message: error.message().to_owned() };
            findings.push(Finding { file: FILE.to_owned(), line, column, problem });
            return None;
        }
    };
    let mut reader = Reader { source, findings, languages: Vec::new() };
    Some(reader.course(&table))
}

struct Reader<'a> {
    source: &'a str,
    findings: &'a mut Vec<Finding>,
    languages: Vec<Lang>,
}

impl Reader<'_> {
    fn course(&mut self, table: &Table) -> Meta {
        const KEYS: [&str; 12] = [
            "identifier",
            "slug",
            "version",
            "licence",
            "author",
            "duration_minutes",
            "title",
            "description",
            "audience",
            "objectives",
            "lessons",
            "test",
        ];
        self.unknown_keys(table, "", &KEYS);
        if let Some(titles) = table.get("title").and_then(Value::as_table) {
            self.languages =
                Lang::ALL.into_iter().filter(|lang| titles.contains_key(lang.code())).collect();
            if self.languages.is_empty() {
                self.report("title", SourceProblem::NoLanguages);
            }
        }
        let identifier = self.text(table, "identifier", "");
        if !identifier.is_empty() && url::Url::parse(&identifier).is_err() {
            self.report(
                "identifier",
                SourceProblem::BadIdentifier { identifier: identifier.clone() },
            );
        }
        let slug = self.text(table, "slug", "");
        if !slug.is_empty() && !is_slug(&slug) {
            self.report("slug", SourceProblem::BadSlug { slug: slug.clone() });
        }
        let lessons = self.lessons(table);
        let test = self.test(table);
        if lessons.is_empty() {
            self.report("lessons", SourceProblem::NoLessons);
        }
        let meta = Meta {
            identifier,
            slug,
            version: self.text(table, "version", ""),
            licence: self.text(table, "licence", ""),
            author: self.text(table, "author", ""),
            duration_minutes: self.minutes(table, "duration_minutes", ""),
            title: self.localised(table, "title", ""),
            description: self.localised(table, "description", ""),
            audience: self.localised(table, "audience", ""),
            objectives: self.objectives(table),
            lessons,
            test,
            languages: self.languages.clone(),
        };
        let parts = meta.lessons.iter().chain(meta.test.iter().map(|(part, _)| part));
        let sum: u32 = parts.map(|part| part.minutes).fold(0, u32::saturating_add);
        if meta.duration_minutes > 0 && meta.duration_minutes.abs_diff(sum) * 5 > sum {
            let problem = SourceProblem::DurationDiffers { stated: meta.duration_minutes, sum };
            self.report("duration_minutes", problem);
        }
        meta
    }

    fn lessons(&mut self, table: &Table) -> Vec<Part> {
        let Some(value) = table.get("lessons") else {
            return Vec::new();
        };
        let Some(list) = value.as_array() else {
            self.wrong("lessons", "a list of [[lessons]]");
            return Vec::new();
        };
        let mut parts: Vec<Part> = Vec::new();
        for (index, entry) in list.iter().enumerate() {
            let prefix = format!("lessons.{}.", index + 1);
            let Some(entry) = entry.as_table() else {
                self.wrong(&prefix, "a table");
                continue;
            };
            self.unknown_keys(entry, &prefix, &["file", "minutes", "title"]);
            let part = self.part(entry, &prefix);
            if parts.iter().any(|other| other.file == part.file) {
                self.report(&part.file, SourceProblem::ListedTwice { name: part.file.clone() });
            } else if !part.file.is_empty() {
                parts.push(part);
            }
        }
        parts
    }

    fn test(&mut self, table: &Table) -> Option<(Part, f64)> {
        let value = table.get("test")?;
        let Some(entry) = value.as_table() else {
            self.wrong("test", "a table [test]");
            return None;
        };
        self.unknown_keys(entry, "test.", &["file", "minutes", "pass_mark", "title"]);
        let part = self.part(entry, "test.");
        let pass_mark = match entry.get("pass_mark") {
            Some(Value::Float(mark)) => *mark,
            Some(Value::Integer(mark)) => *mark as f64,
            Some(_) => {
                self.wrong("test.pass_mark", "a number such as 0.8");
                return None;
            }
            None => {
                self.missing("test.pass_mark");
                return None;
            }
        };
        if !(pass_mark > 0.0 && pass_mark <= 1.0) {
            self.report("pass_mark", SourceProblem::PassMarkOutOfRange { value: pass_mark });
        }
        (!part.file.is_empty()).then_some((part, pass_mark))
    }

    fn part(&mut self, table: &Table, prefix: &str) -> Part {
        let mut file = self.text(table, "file", prefix);
        let allowed =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        if !file.chars().all(allowed) {
            self.report(&file, SourceProblem::BadFileName { name: file.clone() });
            file.clear();
        }
        Part {
            file,
            minutes: self.minutes(table, "minutes", prefix),
            title: self.localised(table, "title", prefix),
        }
    }

    fn text(&mut self, table: &Table, key: &str, prefix: &str) -> String {
        let name = format!("{prefix}{key}");
        match table.get(key) {
            Some(Value::String(text)) if !text.trim().is_empty() => text.trim().to_owned(),
            Some(_) => {
                self.wrong(&name, "a text that is not empty");
                String::new()
            }
            None => {
                self.missing(&name);
                String::new()
            }
        }
    }

    fn minutes(&mut self, table: &Table, key: &str, prefix: &str) -> u32 {
        let name = format!("{prefix}{key}");
        match table.get(key) {
            Some(Value::Integer(minutes)) if (1..=6000).contains(minutes) => *minutes as u32,
            Some(_) => {
                self.wrong(&name, "a whole number of minutes, 1 to 6000");
                0
            }
            None => {
                self.missing(&name);
                0
            }
        }
    }

    /// A table with one text a language.
    fn localised(&mut self, table: &Table, key: &str, prefix: &str) -> Vec<(Lang, String)> {
        let name = format!("{prefix}{key}");
        match table.get(key) {
            Some(Value::Table(texts)) => {
                let prefix = format!("{name}.");
                self.unknown_keys(texts, &prefix, &Lang::ALL.map(Lang::code));
                let languages = self.languages.clone();
                languages
                    .into_iter()
                    .map(|lang| (lang, self.text(texts, lang.code(), &prefix)))
                    .collect()
            }
            Some(_) => {
                self.wrong(&name, "a table with one text a language (fr, en)");
                Vec::new()
            }
            None => {
                self.missing(&name);
                Vec::new()
            }
        }
    }

    fn objectives(&mut self, table: &Table) -> Vec<(Lang, Vec<String>)> {
        let Some(lists) = table.get("objectives").and_then(Value::as_table) else {
            self.missing("objectives");
            return Vec::new();
        };
        let mut objectives = Vec::new();
        for lang in self.languages.clone() {
            let name = format!("objectives.{}", lang.code());
            let Some(list) = lists.get(lang.code()) else {
                self.missing(&name);
                continue;
            };
            let texts: Option<Vec<String>> = list.as_array().and_then(|list| {
                list.iter().map(|item| item.as_str().map(str::to_owned)).collect()
            });
            if let Some(texts) = texts {
                objectives.push((lang, texts));
            } else {
                self.wrong(&name, "a list of texts");
            }
        }
        objectives
    }

    fn unknown_keys(&mut self, table: &Table, prefix: &str, known: &[&str]) {
        for key in table.keys().filter(|key| !known.contains(&key.as_str())) {
            let name = format!("{prefix}{key}");
            self.report(key, SourceProblem::UnknownKey { key: name });
        }
    }

    fn missing(&mut self, key: &str) {
        self.report(key, SourceProblem::MissingKey { key: key.to_owned() });
    }

    fn wrong(&mut self, key: &str, expected: &'static str) {
        self.report(key, SourceProblem::WrongType { key: key.to_owned(), expected });
    }

    /// The line is that of the key as far as it can be found in the text.
    fn report(&mut self, key: &str, problem: SourceProblem) {
        let line = line_of(self.source, key);
        self.findings.push(Finding { file: FILE.to_owned(), line, column: 1, problem });
    }
}

/// The line where a key such as `lessons.2.title.fr` is written: first the n-th `[[lessons]]`,
/// then the parts of the name one after the other. What is missing is placed at its parent.
fn line_of(source: &str, key: &str) -> usize {
    let lines: Vec<&str> = source.lines().collect();
    let mut at = 0;
    let mut parts = key.split('.').filter(|part| !part.is_empty()).peekable();
    while let Some(part) = parts.next() {
        let ordinal = parts.peek().and_then(|next| next.parse::<usize>().ok());
        if let Some(ordinal) = ordinal {
            parts.next();
            let header = format!("[[{part}]]");
            let found = lines.iter().enumerate().filter(|(_, line)| line.trim() == header);
            at = found.map(|(index, _)| index).nth(ordinal.saturating_sub(1)).unwrap_or(at);
            continue;
        }
        let found = lines.iter().enumerate().skip(at).find(|(_, line)| names(line, part));
        at = found.map_or(at, |(index, _)| index);
    }
    at + 1
}

/// Whether a line of TOML speaks of a key (as a whole word left of `=`, in a header, or a value).
fn names(line: &str, word: &str) -> bool {
    line.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).any(|part| part == word)
}

fn is_slug(text: &str) -> bool {
    text.split('-').all(|part| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    })
}
