//! From characters to glyphs with their place, and from lines to blocks.

use super::{Problem, ProblemKind};

/// A character with its place; `escaped` when a backslash stood before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Glyph {
    pub(super) character: char,
    pub(super) escaped: bool,
    pub(super) line: usize,
    pub(super) column: usize,
}

impl Glyph {
    /// Whether this is the control character `wanted`, not the same character escaped.
    pub(super) fn is(self, wanted: char) -> bool {
        self.character == wanted && !self.escaped
    }

    pub(super) fn problem(self, kind: ProblemKind) -> Problem {
        Problem { line: self.line, column: self.column, kind }
    }
}

/// The lines of one question, comments left out.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) category: Option<String>,
    pub(super) glyphs: Vec<Glyph>,
}

/// Cuts a file into questions: blank lines separate, `//` lines are comments, `$CATEGORY:` holds
/// for what follows.
pub(super) fn blocks(source: &str) -> (Vec<Block>, Vec<Problem>) {
    let mut blocks = Vec::new();
    let mut problems = Vec::new();
    let mut category: Option<String> = None;
    let mut glyphs: Vec<Glyph> = Vec::new();
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    for (index, text) in source.lines().enumerate() {
        let line = index + 1;
        let trimmed = text.trim();
        if trimmed.starts_with("//") {
            continue;
        }
        if trimmed.is_empty() {
            flush(&mut glyphs, category.as_ref(), &mut blocks);
            continue;
        }
        if let Some(name) = trimmed.strip_prefix("$CATEGORY:") {
            flush(&mut glyphs, category.as_ref(), &mut blocks);
            let name = name.trim();
            if name.is_empty() {
                problems.push(Problem { line, column: 1, kind: ProblemKind::EmptyCategory });
            } else {
                category = Some(name.to_owned());
            }
            continue;
        }
        push_line(text, line, &mut glyphs);
    }
    flush(&mut glyphs, category.as_ref(), &mut blocks);
    (blocks, problems)
}

fn flush(glyphs: &mut Vec<Glyph>, category: Option<&String>, blocks: &mut Vec<Block>) {
    if !glyphs.is_empty() {
        blocks.push(Block { category: category.cloned(), glyphs: std::mem::take(glyphs) });
    }
}

fn push_line(text: &str, line: usize, glyphs: &mut Vec<Glyph>) {
    let mut characters = text.chars().enumerate().peekable();
    while let Some((index, character)) = characters.next() {
        let column = index + 1;
        let mut glyph = Glyph { character, escaped: false, line, column };
        if character == '\\' {
            // Only these are escapes; any other backslash is a character (as in a formula).
            let next = characters.peek().map(|&(_, next)| next);
            if let Some(next @ ('~' | '=' | '#' | '{' | '}' | ':' | '\\')) = next {
                characters.next();
                glyph.character = next;
                glyph.escaped = true;
            } else if next == Some('n') {
                characters.next();
                glyph.character = '\n';
                glyph.escaped = true;
            }
        }
        glyphs.push(glyph);
    }
    glyphs.push(Glyph { character: '\n', escaped: false, line, column: text.chars().count() + 1 });
}
