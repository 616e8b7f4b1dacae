//! `glossary.md`: one paragraph an entry, `**term** : definition`.

use super::{Finding, SourceProblem, Term};

/// Reads a glossary, each entry with its line; paragraphs that are no entry become findings. Headings are skipped.
pub(super) fn parse(file: &str, source: &str, findings: &mut Vec<Finding>) -> Vec<(usize, Term)> {
    let mut terms = Vec::new();
    for (line, paragraph) in paragraphs(source) {
        if paragraph.starts_with('#') {
            continue;
        }
        if let Some(term) = entry(&paragraph) {
            terms.push((line, term));
        } else {
            findings.push(Finding {
                file: file.to_owned(),
                line,
                column: 1,
                problem: SourceProblem::BadGlossaryEntry,
            });
        }
    }
    terms
}

fn entry(paragraph: &str) -> Option<Term> {
    let (term, rest) = paragraph.strip_prefix("**")?.split_once("**")?;
    let definition = rest.trim_start().strip_prefix(':')?.trim();
    let term = term.trim();
    (!term.is_empty() && !definition.is_empty())
        .then(|| Term { term: term.to_owned(), definition: definition.to_owned() })
}

fn paragraphs(source: &str) -> Vec<(usize, String)> {
    let mut paragraphs: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (index, line) in source.lines().enumerate() {
        let line = line.trim();
        // Entries on consecutive lines are entries of their own.
        let starts = line.starts_with("**") || line.starts_with('#');
        match paragraphs.last_mut().filter(|_| open && !starts) {
            _ if line.is_empty() => open = false,
            Some((_, text)) => {
                text.push(' ');
                text.push_str(line);
            }
            None => {
                paragraphs.push((index + 1, line.to_owned()));
                open = true;
            }
        }
    }
    paragraphs
}
