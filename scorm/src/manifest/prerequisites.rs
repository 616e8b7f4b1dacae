//! SCORM 1.2 prerequisites (SCORM 1.2 CAM 2.3.2.5.1): the AICC script language (AICC CMI001, 4.3.2).
//!
//! ```text
//! expression = term { "|" term }
//! term       = factor { "&" factor }
//! factor     = "~" factor | "(" expression ")" | [ number "*" ] set | test
//! set        = "{" [ expression { "," expression } ] "}"
//! test       = identifier [ ( "=" | "<>" ) status ]
//! ```
//!
//! An identifier alone means "passed or completed". The words AND, OR and NOT are understood too,
//! because authoring tools write them.

use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

/// Parentheses and sets inside each other. With the deepest items it still fits into stored JSON,
/// whose readers commonly stop at 128 levels.
const MOST_DEPTH: usize = 8;

/// The vocabulary of `cmi.core.lesson_status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    Passed,
    Completed,
    Failed,
    Incomplete,
    Browsed,
    NotAttempted,
}

impl Status {
    /// The data model's token, or its first letter as AICC allows.
    fn parse(text: &str) -> Option<Self> {
        Some(match text.trim().to_ascii_lowercase().as_str() {
            "passed" | "p" => Self::Passed,
            "completed" | "complete" | "c" => Self::Completed,
            "failed" | "f" => Self::Failed,
            "incomplete" | "i" => Self::Incomplete,
            "browsed" | "b" => Self::Browsed,
            "not attempted" | "notattempted" | "n" => Self::NotAttempted,
            _ => return None,
        })
    }
}

/// The `prerequisites` of an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prerequisites {
    /// As written.
    pub script: String,
    /// `None` when the item is always open: the script is empty, unreadable, names what does not
    /// exist, or waits for itself (a finding says which).
    pub expression: Option<Expression>,
}

/// A parsed prerequisite.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expression {
    /// Passed or completed.
    Done(String),
    Is(String, Status),
    IsNot(String, Status),
    Not(Box<Expression>),
    All(Vec<Expression>),
    Any(Vec<Expression>),
    /// `n*{…}`.
    AtLeast(u32, Vec<Expression>),
}

impl Expression {
    /// Whether the item may be opened, given the status of every item.
    pub fn eval(&self, status: &dyn Fn(&str) -> Status) -> bool {
        match self {
            Self::Done(id) => matches!(status(id), Status::Passed | Status::Completed),
            Self::Is(id, wanted) => status(id) == *wanted,
            Self::IsNot(id, unwanted) => status(id) != *unwanted,
            Self::Not(inner) => !inner.eval(status),
            Self::All(parts) => parts.iter().all(|part| part.eval(status)),
            Self::Any(parts) => parts.iter().any(|part| part.eval(status)),
            Self::AtLeast(count, parts) => {
                parts.iter().filter(|part| part.eval(status)).count() >= *count as usize
            }
        }
    }

    /// Every identifier the expression names.
    pub fn identifiers(&self) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        self.collect(&mut found);
        found
    }

    fn collect<'a>(&'a self, found: &mut BTreeSet<&'a str>) {
        match self {
            Self::Done(id) | Self::Is(id, _) | Self::IsNot(id, _) => {
                found.insert(id);
            }
            Self::Not(inner) => inner.collect(found),
            Self::All(parts) | Self::Any(parts) | Self::AtLeast(_, parts) => {
                for part in parts {
                    part.collect(found);
                }
            }
        }
    }
}

/// Why a script cannot be read. `at` counts characters from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrerequisitesError {
    #[error("`{found}` is not expected at character {at}")]
    Unexpected { found: String, at: usize },
    #[error("the script ends where more is expected")]
    Ends,
    #[error("`{status}` is not a lesson status")]
    UnknownStatus { status: String },
    #[error("it is nested too deeply")]
    TooDeep,
}

/// What was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// `None` for an empty script.
    pub expression: Option<Expression>,
    /// AND, OR or NOT were written as words.
    pub words: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    And,
    Or,
    Not,
    Equals,
    Differs,
    Open,
    Close,
    SetOpen,
    SetClose,
    Comma,
    Times,
    Word(String),
}

/// Parses an aicc_script.
pub fn parse(script: &str) -> Result<Parsed, PrerequisitesError> {
    let (tokens, words) = tokenise(script)?;
    let mut parser = Parser { tokens: &tokens, next: 0, depth: 0 };
    if tokens.is_empty() {
        return Ok(Parsed { expression: None, words });
    }
    let expression = parser.expression()?;
    match parser.peek() {
        None => Ok(Parsed { expression: Some(expression), words }),
        Some(_) => Err(parser.unexpected()),
    }
}

fn tokenise(script: &str) -> Result<(Vec<(Token, usize)>, bool), PrerequisitesError> {
    let mut tokens: Vec<(Token, usize)> = Vec::new();
    let mut words = false;
    let mut characters = script.chars().enumerate().peekable();
    while let Some((at, character)) = characters.next() {
        let token = match character {
            _ if character.is_whitespace() => continue,
            '&' => Token::And,
            '|' => Token::Or,
            '~' => Token::Not,
            '=' => Token::Equals,
            '(' => Token::Open,
            ')' => Token::Close,
            '{' => Token::SetOpen,
            '}' => Token::SetClose,
            ',' => Token::Comma,
            '*' => Token::Times,
            '<' => match characters.next() {
                Some((_, '>')) => Token::Differs,
                _ => {
                    return Err(PrerequisitesError::Unexpected {
                        found: "<".to_owned(),
                        at: at + 1,
                    });
                }
            },
            '"' | '\'' => {
                let mut text = String::new();
                loop {
                    match characters.next() {
                        None => return Err(PrerequisitesError::Ends),
                        Some((_, end)) if end == character => break,
                        Some((_, inner)) => text.push(inner),
                    }
                }
                Token::Word(text)
            }
            _ => {
                let mut text = String::from(character);
                while let Some((_, inner)) = characters.next_if(|(_, inner)| {
                    !inner.is_whitespace() && !"&|~=(){},*<>\"'".contains(*inner)
                }) {
                    text.push(inner);
                }
                let named = match text.to_ascii_uppercase().as_str() {
                    "AND" => Some(Token::And),
                    "OR" => Some(Token::Or),
                    "NOT" => Some(Token::Not),
                    _ => None,
                };
                // `not attempted` unquoted: `not` after a comparison is half a status.
                let compared = matches!(tokens.last(), Some((Token::Equals | Token::Differs, _)));
                match named {
                    Some(Token::Not) if compared => Token::Word(text),
                    Some(token) => {
                        words = true;
                        token
                    }
                    None => Token::Word(text),
                }
            }
        };
        // `&&` and `||` mean the same as the single sign.
        if matches!(token, Token::And | Token::Or)
            && matches!(character, '&' | '|')
            && tokens.last().is_some_and(|(last, before)| *last == token && before + 1 == at)
        {
            continue;
        }
        tokens.push((token, at));
    }
    Ok((tokens, words))
}

struct Parser<'t> {
    tokens: &'t [(Token, usize)],
    next: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(token, _)| token)
    }

    fn take(&mut self, token: &Token) -> bool {
        let matches = self.peek() == Some(token);
        self.next += usize::from(matches);
        matches
    }

    fn expect(&mut self, token: &Token) -> Result<(), PrerequisitesError> {
        if self.take(token) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn unexpected(&self) -> PrerequisitesError {
        match self.tokens.get(self.next) {
            None => PrerequisitesError::Ends,
            Some((token, at)) => {
                let found = match token {
                    Token::And => "&",
                    Token::Or => "|",
                    Token::Not => "~",
                    Token::Equals => "=",
                    Token::Differs => "<>",
                    Token::Open => "(",
                    Token::Close => ")",
                    Token::SetOpen => "{",
                    Token::SetClose => "}",
                    Token::Comma => ",",
                    Token::Times => "*",
                    Token::Word(word) => word,
                };
                PrerequisitesError::Unexpected { found: found.to_owned(), at: at + 1 }
            }
        }
    }

    fn expression(&mut self) -> Result<Expression, PrerequisitesError> {
        self.depth += 1;
        if self.depth > MOST_DEPTH {
            return Err(PrerequisitesError::TooDeep);
        }
        let mut terms = vec![self.term()?];
        while self.take(&Token::Or) {
            terms.push(self.term()?);
        }
        self.depth -= 1;
        Ok(single_or(terms, Expression::Any))
    }

    fn term(&mut self) -> Result<Expression, PrerequisitesError> {
        let mut factors = vec![self.factor()?];
        while self.take(&Token::And) {
            factors.push(self.factor()?);
        }
        Ok(single_or(factors, Expression::All))
    }

    fn factor(&mut self) -> Result<Expression, PrerequisitesError> {
        if self.take(&Token::Not) {
            // Two negations are none, so chains of them need no depth.
            let mut odd = true;
            while self.take(&Token::Not) {
                odd = !odd;
            }
            let inner = self.factor()?;
            return Ok(if odd { Expression::Not(Box::new(inner)) } else { inner });
        }
        if self.take(&Token::Open) {
            let inner = self.expression()?;
            self.expect(&Token::Close)?;
            return Ok(inner);
        }
        if self.take(&Token::SetOpen) {
            return Ok(Expression::All(self.set()?));
        }
        let Some(Token::Word(word)) = self.peek().cloned() else {
            return Err(self.unexpected());
        };
        self.next += 1;
        if let Ok(count) = word.parse::<u32>()
            && self.take(&Token::Times)
        {
            self.expect(&Token::SetOpen)?;
            return Ok(Expression::AtLeast(count, self.set()?));
        }
        if self.take(&Token::Equals) {
            return Ok(Expression::Is(word, self.status()?));
        }
        if self.take(&Token::Differs) {
            return Ok(Expression::IsNot(word, self.status()?));
        }
        Ok(Expression::Done(word))
    }

    /// After `{`, up to and with `}`.
    fn set(&mut self) -> Result<Vec<Expression>, PrerequisitesError> {
        let mut members = Vec::new();
        if self.take(&Token::SetClose) {
            return Ok(members);
        }
        loop {
            members.push(self.expression()?);
            if self.take(&Token::SetClose) {
                return Ok(members);
            }
            self.expect(&Token::Comma)?;
        }
    }

    fn status(&mut self) -> Result<Status, PrerequisitesError> {
        let mut text = String::new();
        while let Some(Token::Word(word)) = self.peek() {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(word);
            self.next += 1;
        }
        if text.is_empty() {
            return Err(self.unexpected());
        }
        Status::parse(&text).ok_or(PrerequisitesError::UnknownStatus { status: text })
    }
}

fn single_or(
    mut parts: Vec<Expression>,
    join: impl FnOnce(Vec<Expression>) -> Expression,
) -> Expression {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            join(parts)
        }
        None => join(parts),
    }
}

/// The names that are kept of one circle, besides its last.
const MOST_NAMES: usize = 8;

/// The circles in which items wait for each other, each as a list of identifiers whose last one
/// closes the circle. `waits` maps an item to what its prerequisites name.
pub fn cycles(waits: &[(&str, BTreeSet<&str>)]) -> Vec<Vec<String>> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Done,
    }
    let positions: HashMap<&str, usize> =
        waits.iter().enumerate().map(|(position, (id, _))| (*id, position)).collect();
    let edges: Vec<Vec<usize>> = waits
        .iter()
        .map(|(_, named)| named.iter().filter_map(|id| positions.get(id).copied()).collect())
        .collect();
    let mut marks = vec![Mark::New; waits.len()];
    // Where an open node stands in the path.
    let mut places = vec![0; waits.len()];
    let mut found = Vec::new();
    // One circle a node breaks them all: the node's prerequisites are left out.
    let mut told = vec![false; waits.len()];
    for start in 0..waits.len() {
        if marks.get(start) != Some(&Mark::New) {
            continue;
        }
        // Depth-first with an explicit stack: (node, next edge).
        let mut path = vec![(start, 0)];
        if let (Some(mark), Some(place)) = (marks.get_mut(start), places.get_mut(start)) {
            (*mark, *place) = (Mark::Open, 0);
        }
        while let Some((node, edge)) = path.last_mut() {
            let node = *node;
            let Some(&target) = edges.get(node).and_then(|edges| edges.get(*edge)) else {
                if let Some(mark) = marks.get_mut(node) {
                    *mark = Mark::Done;
                }
                path.pop();
                continue;
            };
            *edge += 1;
            match marks.get(target) {
                Some(Mark::New) => {
                    if let (Some(mark), Some(place)) =
                        (marks.get_mut(target), places.get_mut(target))
                    {
                        (*mark, *place) = (Mark::Open, path.len());
                    }
                    path.push((target, 0));
                }
                Some(Mark::Open) => {
                    if told.get_mut(node).is_none_or(|told| std::mem::replace(told, true)) {
                        continue;
                    }
                    let from = places.get(target).copied().unwrap_or(0);
                    let names = path.iter().skip(from).filter_map(|(node, _)| waits.get(*node));
                    let mut names: Vec<&str> = names.take(MOST_NAMES).map(|(id, _)| *id).collect();
                    if let Some((last, _)) = waits.get(node)
                        && names.last() != Some(last)
                    {
                        names.push(last);
                    }
                    found.push(names.into_iter().map(str::to_owned).collect());
                }
                Some(Mark::Done) | None => {}
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Expression, PrerequisitesError, Status, cycles, parse};

    /// Items named by their state: p1, p2 passed; c1 completed; f1 failed; all others untouched.
    fn status(id: &str) -> Status {
        match id.chars().next() {
            Some('p') => Status::Passed,
            Some('c') => Status::Completed,
            Some('f') => Status::Failed,
            _ => Status::NotAttempted,
        }
    }

    fn holds(script: &str) -> bool {
        parse(script).unwrap().expression.unwrap().eval(&status)
    }

    #[test]
    fn an_identifier_alone_wants_passed_or_completed() {
        assert!(holds("p1") && holds("c1"));
        assert!(!holds("f1") && !holds("x1"));
    }

    #[test]
    fn operators_bind_not_then_and_then_or() {
        assert!(holds("p1 | x1 & x2"));
        assert!(!holds("(p1 | x1) & x2"));
        assert!(holds("~x1 & p1"));
        assert!(!holds("~(x1 | p1)"));
        assert!(holds("~~p1"));
    }

    #[test]
    fn statuses_are_compared_quoted_or_not() {
        assert!(holds("f1=failed & x1=\"not attempted\" & x1 = not attempted & p1=P"));
        assert!(holds("f1<>passed"));
        assert!(!holds("p1<>passed"));
        let wrong = parse("p1=great");
        assert_eq!(wrong, Err(PrerequisitesError::UnknownStatus { status: "great".to_owned() }));
    }

    #[test]
    fn sets_count() {
        assert!(holds("2*{p1,x1,c1}"));
        assert!(!holds("3*{p1,x1,c1}"));
        assert!(holds("1*{x1&p1, f1=failed}"));
        assert!(holds("{p1,c1}") && !holds("{p1,x1}"));
        assert!(holds("2*{p1,2*{p2,c1,x1},x1}"));
    }

    #[test]
    fn words_are_understood_and_reported() {
        let parsed = parse("(module1 AND module2) or NOT module3").unwrap();
        assert!(parsed.words);
        assert!(matches!(parsed.expression, Some(Expression::Any(_))));
        assert_eq!(parse("a && b || c"), parse("a & b | c"));
    }

    #[test]
    fn empty_scripts_open_and_broken_ones_say_where() {
        assert_eq!(parse("  ").unwrap().expression, None);
        assert_eq!(parse("a &"), Err(PrerequisitesError::Ends));
        assert_eq!(
            parse("a b"),
            Err(PrerequisitesError::Unexpected { found: "b".to_owned(), at: 3 })
        );
        assert_eq!(parse(&"(".repeat(1000)), Err(PrerequisitesError::TooDeep));
        assert!(parse(&format!("{}a", "~".repeat(10_000))).is_ok());
    }

    #[test]
    fn circles_are_found_once() {
        let set = |ids: &[&'static str]| ids.iter().copied().collect::<BTreeSet<_>>();
        let waits =
            [("a", set(&["b"])), ("b", set(&["c"])), ("c", set(&["a"])), ("d", set(&["d", "a"]))];
        assert_eq!(cycles(&waits), [vec!["a", "b", "c"], vec!["d"]]);
    }
}
