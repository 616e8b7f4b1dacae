//! Moodle's GIFT format: a text file becomes typed questions, or problems with their place.
//!
//! All of the format is read: multiple choice with weights and several answers, true/false, short
//! answer, matching, numerical, missing word, essay, description, feedback, general feedback,
//! categories, comments, escapes and text format marks. Every problem of a file is collected, a
//! bad question does not hide the next one.

mod lexer;
mod parser;

use serde::Serialize;
use thiserror::Error;

pub use parser::parse;

/// What a GIFT file holds: the questions that could be read, and what is wrong with the others.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parsed {
    /// Questions in the order of the file.
    pub questions: Vec<Question>,
    /// Problems in the order of the file. Empty means every question is in `questions`.
    pub problems: Vec<Problem>,
}

/// A problem at a place of the file.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("{line}:{column}: {kind}")]
pub struct Problem {
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
    /// What is wrong.
    pub kind: ProblemKind,
}

/// What can be wrong in a GIFT file.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum ProblemKind {
    /// A question's answers are opened and never closed.
    #[error(
        "the answers opened by \"{{\" are never closed by \"}}\" (a question cannot contain a blank line)"
    )]
    UnclosedAnswers,
    /// A closing brace with nothing to close.
    #[error("\"}}\" without \"{{\" before it (write \\}} for the character itself)")]
    StrayClosingBrace,
    /// A brace inside the answers.
    #[error("\"{{\" inside the answers (write \\{{ for the character itself)")]
    NestedBrace,
    /// Two blocks of answers in one question.
    #[error("a second block of answers in one question: leave a blank line between two questions")]
    SecondAnswerBlock,
    /// `::` opened and not closed.
    #[error("the question's name is opened by \"::\" and never closed by \"::\"")]
    UnclosedName,
    /// Two questions bear one name.
    #[error("the name \"{name}\" is already used by the question at line {first_line}")]
    DuplicateName {
        /// The name.
        name: String,
        /// Where it was used first.
        first_line: usize,
    },
    /// `$CATEGORY:` with nothing behind it.
    #[error("$CATEGORY: needs a name behind it")]
    EmptyCategory,
    /// A question without text.
    #[error("the question has no text")]
    EmptyQuestion,
    /// Text at the start of the answers which belongs to none.
    #[error(
        "the answers must start with = (right), ~ (wrong), # (numerical), T or F; found \"{found}\""
    )]
    UnknownAnswers {
        /// The beginning of what was found.
        found: String,
    },
    /// An answer without text.
    #[error("an answer is empty")]
    EmptyAnswer,
    /// A weight which is no percentage.
    #[error("\"{found}\" is not a weight: write %50% or %-33.333%, between -100 and 100")]
    BadWeight {
        /// What stands there.
        found: String,
    },
    /// A choice with fewer than two options.
    #[error("a multiple choice needs at least two answers")]
    TooFewOptions,
    /// A choice nobody can answer.
    #[error("no answer is right: mark one with = or give weights such as ~%50%")]
    NoRightAnswer,
    /// Positive weights of a question with several answers.
    #[error("the positive weights add up to {total} %, they must make 100 %")]
    WeightsDoNotAddUp {
        /// Their sum in percent.
        total: f64,
    },
    /// A matching question with an answer that has no arrow.
    #[error("a pair of a matching question is written \"= left -> right\"")]
    MissingArrow,
    /// A matching question too small to be one.
    #[error("a matching question needs at least two pairs")]
    TooFewPairs,
    /// A numerical answer which is none.
    #[error("\"{found}\" is not a number: write 12, 12:0.5 (tolerance) or 10..14 (range)")]
    BadNumber {
        /// What stands there.
        found: String,
    },
    /// A range whose ends are the wrong way round.
    #[error("the range {from}..{to} is empty: the smaller number comes first")]
    EmptyRange {
        /// Lower end as written.
        from: f64,
        /// Upper end as written.
        to: f64,
    },
    /// More feedback than a true/false question can have.
    #[error("a true/false question has at most two feedbacks: #if wrong#if right")]
    TooManyFeedbacks,
}

/// How a text is marked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TextFormat {
    /// No mark: read as Markdown.
    #[default]
    Default,
    /// `[markdown]`
    Markdown,
    /// `[moodle]`, Moodle's automatic format: read as Markdown.
    Moodle,
    /// `[html]`: simple inline tags are kept.
    Html,
    /// `[plain]`: nothing is markup.
    Plain,
}

/// A text with its format, escapes already resolved.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Text {
    /// The format it was marked with, or that of its question.
    pub format: TextFormat,
    /// The text itself, trimmed.
    pub text: String,
}

/// One question.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Question {
    /// `::name::`, if given.
    pub name: Option<String>,
    /// The last `$CATEGORY:` before it.
    pub category: Option<String>,
    /// Line of the file where the question starts, from 1.
    pub line: usize,
    /// The question's text; for a missing word the part before it.
    pub stem: Text,
    /// The part after a missing word.
    pub tail: Option<Text>,
    /// Kind and answers.
    pub kind: QuestionKind,
    /// `####` feedback shown whatever the answer was.
    pub general_feedback: Option<Text>,
}

impl Question {
    /// Whether a machine can grade it (everything but essays and descriptions).
    pub fn is_gradable(&self) -> bool {
        !matches!(self.kind, QuestionKind::Essay | QuestionKind::Description)
    }
}

/// The kinds of question with their answers.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum QuestionKind {
    /// One or several of the options.
    Choice {
        /// One answer only (radio buttons), or several (checkboxes).
        single: bool,
        /// The options in the order of the file.
        options: Vec<ChoiceOption>,
    },
    /// True or false.
    TrueFalse {
        /// The right answer.
        answer: bool,
        /// Said to who is wrong.
        wrong_feedback: Option<Text>,
        /// Said to who is right.
        right_feedback: Option<Text>,
    },
    /// A word to type.
    Short {
        /// Accepted answers; `*` stands for any characters.
        answers: Vec<ShortAnswer>,
    },
    /// Left sides to be matched with right sides.
    Matching {
        /// The pairs; an empty left side makes the right side a distractor.
        pairs: Vec<Pair>,
    },
    /// A number to type.
    Numerical {
        /// Accepted ranges, the first that holds counts.
        answers: Vec<NumericalAnswer>,
        /// Said when no range holds.
        wrong_feedback: Option<Text>,
    },
    /// Free text, which no machine grades.
    Essay,
    /// No question at all, only text.
    Description,
}

/// An option of a choice.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChoiceOption {
    /// What it says.
    pub text: Text,
    /// Share of the points, -1.0 to 1.0.
    pub weight: f64,
    /// Said to who picks it.
    pub feedback: Option<Text>,
}

/// An accepted word.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ShortAnswer {
    /// The word; `*` stands for any characters.
    pub text: String,
    /// Share of the points, 0.0 to 1.0.
    pub weight: f64,
    /// Said to who answers so.
    pub feedback: Option<Text>,
}

/// A pair of a matching question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pair {
    /// What is shown; empty for a distractor.
    pub left: Text,
    /// What must be chosen for it.
    pub right: String,
}

/// An accepted range of numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NumericalAnswer {
    /// Smallest accepted number.
    pub minimum: f64,
    /// Largest accepted number.
    pub maximum: f64,
    /// Share of the points, 0.0 to 1.0.
    pub weight: f64,
    /// Said to who answers so.
    pub feedback: Option<Text>,
}
