//! Questions: their HTML, and what the runtime must know to grade and report them.

use std::fmt::Write as _;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::markdown::{escape, inline, plain, typography};
use super::strings::{self, PageStrings};
use crate::gift::{ChoiceOption, Pair, Question, QuestionKind, Text};
use crate::source::Lang;

/// Longest text an answer may have: SCORM 1.2 keeps 255 characters (RTE 3.4.4, fill-in).
const LONGEST_ANSWER: usize = 200;

/// A question as `course.js` reads it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Definition {
    /// `q1`, unique in the SCO.
    id: String,
    /// The question without markup, for the platform's reports.
    text: String,
    #[serde(flatten)]
    rule: Rule,
}

/// How it is graded.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
enum Rule {
    Choice {
        single: bool,
        options: Vec<Weighted>,
    },
    TrueFalse {
        answer: bool,
    },
    FillIn {
        answers: Vec<Word>,
    },
    Matching {
        /// Right side for each left side: `("1", "b")`.
        pairs: Vec<(String, String)>,
    },
    Numeric {
        answers: Vec<Range>,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Weighted {
    id: String,
    weight: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Word {
    text: String,
    weight: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Range {
    min: f64,
    max: f64,
    weight: f64,
}

/// All questions of a quiz: HTML, and definitions of those that are graded.
pub(super) fn render(questions: &[Question], lang: Lang) -> (String, Vec<Definition>) {
    let mut html = String::new();
    let mut definitions = Vec::new();
    for question in questions {
        if question.is_gradable() {
            let id = format!("q{}", definitions.len() + 1);
            let mut writer = Writer {
                lang,
                strings: strings::page(lang),
                id: &id,
                number: definitions.len() + 1,
            };
            let (body, rule) = writer.question(question);
            html.push_str(&body);
            let text = plain(&question.stem, lang);
            definitions.push(Definition { id, text, rule });
        } else {
            let _ = writeln!(html, "<p class=\"description\">{}</p>", inline(&question.stem, lang));
        }
    }
    (html, definitions)
}

struct Writer<'a> {
    lang: Lang,
    strings: &'static PageStrings,
    id: &'a str,
    number: usize,
}

impl Writer<'_> {
    fn question(&mut self, question: &Question) -> (String, Rule) {
        let (controls, rule, solution) = match &question.kind {
            QuestionKind::Choice { single, options } => match &question.tail {
                Some(tail) if *single => self.gap_choice(&question.stem, tail, options),
                _ => self.choice(*single, options, question.tail.as_ref()),
            },
            QuestionKind::TrueFalse { answer, wrong_feedback, right_feedback } => {
                self.true_false(*answer, wrong_feedback.as_ref(), right_feedback.as_ref())
            }
            QuestionKind::Matching { pairs } => self.matching(pairs),
            QuestionKind::Short { answers } => {
                let words = answers
                    .iter()
                    .map(|answer| Word { text: answer.text.clone(), weight: answer.weight })
                    .collect();
                let feedback = answers.iter().map(|answer| answer.feedback.as_ref());
                let best = answers.iter().find(|answer| answer.weight >= 1.0);
                let solution = best.map_or(String::new(), |answer| escape(&answer.text));
                let controls = self.input(question, false) + &self.feedbacks(feedback);
                (controls, Rule::FillIn { answers: words }, solution)
            }
            QuestionKind::Numerical { answers, wrong_feedback } => {
                let ranges = answers
                    .iter()
                    .map(|answer| Range {
                        min: answer.minimum,
                        max: answer.maximum,
                        weight: answer.weight,
                    })
                    .collect();
                let feedback = answers.iter().map(|answer| answer.feedback.as_ref());
                let mut controls = self.input(question, true) + &self.feedbacks(feedback);
                controls += &self.feedback("wrong", wrong_feedback.as_ref());
                let best = answers.iter().find(|answer| answer.weight >= 1.0);
                let solution = best.map_or(String::new(), |answer| {
                    self.number_range(answer.minimum, answer.maximum)
                });
                (controls, Rule::Numeric { answers: ranges }, solution)
            }
            QuestionKind::Essay | QuestionKind::Description => {
                (String::new(), Rule::FillIn { answers: Vec::new() }, String::new())
            }
        };
        let in_sentence = question.tail.is_some() && !matches!(rule, Rule::Matching { .. });
        let stem = if in_sentence && controls.contains("class=\"sentence\"") {
            self.strings.complete.to_owned()
        } else {
            inline(&question.stem, self.lang)
        };
        let mut html = format!(
            "<fieldset class=\"question\" id=\"{id}\">\n<legend><span class=\"number\">{label} \
             {number}</span> {stem}</legend>\n{controls}<p class=\"result\" data-result hidden></p>\n",
            id = self.id,
            label = self.strings.question,
            number = self.number,
        );
        if !solution.is_empty() {
            let label = self.strings.solution;
            let _ =
                writeln!(html, "<p class=\"solution\" data-solution hidden>{label} {solution}</p>");
        }
        html += &self.feedback("general", question.general_feedback.as_ref());
        html.push_str("</fieldset>\n");
        (html, rule)
    }

    fn choice(
        &self,
        single: bool,
        options: &[ChoiceOption],
        tail: Option<&Text>,
    ) -> (String, Rule, String) {
        let mut html = String::new();
        if let Some(tail) = tail {
            let _ = writeln!(html, "<p class=\"sentence\">… {}</p>", inline(tail, self.lang));
        }
        if !single {
            let _ = writeln!(html, "<p class=\"hint\">{}</p>", self.strings.several);
        }
        let kind = if single { "radio" } else { "checkbox" };
        for index in self.shuffled(options) {
            let Some(option) = options.get(index) else { continue };
            let letter = letter(index);
            let text = inline(&option.text, self.lang);
            html += &self.option(kind, &letter, &text);
            html += &self.feedback(&letter, option.feedback.as_ref());
        }
        let rule = Rule::Choice { single, options: weights(options) };
        (html, rule, self.right_options(single, options))
    }

    fn gap_choice(
        &self,
        stem: &Text,
        tail: &Text,
        options: &[ChoiceOption],
    ) -> (String, Rule, String) {
        let mut html = format!(
            "<p class=\"sentence\">{} <select id=\"{id}-input\" name=\"{id}\" aria-label=\"{}\">\
             <option value=\"\">{}</option>",
            inline(stem, self.lang),
            self.strings.missing_word,
            self.strings.choose,
            id = self.id,
        );
        for index in self.shuffled(options) {
            let Some(option) = options.get(index) else { continue };
            let text = escape(&plain(&option.text, self.lang));
            let _ = write!(html, "<option value=\"{}\">{text}</option>", letter(index));
        }
        let _ = writeln!(html, "</select> {}</p>", inline(tail, self.lang));
        for (index, option) in options.iter().enumerate() {
            html += &self.feedback(&letter(index), option.feedback.as_ref());
        }
        let rule = Rule::Choice { single: true, options: weights(options) };
        (html, rule, self.right_options(true, options))
    }

    fn true_false(
        &self,
        answer: bool,
        wrong: Option<&Text>,
        right: Option<&Text>,
    ) -> (String, Rule, String) {
        let mut html = self.option("radio", "true", self.strings.yes);
        html += &self.option("radio", "false", self.strings.no);
        html += &self.feedback(if answer { "true" } else { "false" }, right);
        html += &self.feedback(if answer { "false" } else { "true" }, wrong);
        let solution = if answer { self.strings.yes } else { self.strings.no };
        (html, Rule::TrueFalse { answer }, solution.to_owned())
    }

    fn matching(&self, pairs: &[Pair]) -> (String, Rule, String) {
        let mut rights: Vec<&str> = pairs.iter().map(|pair| pair.right.as_str()).collect();
        rights.sort_by_key(|right| right.to_lowercase());
        rights.dedup();
        let mut options = format!("<option value=\"\">{}</option>", self.strings.choose);
        for (index, right) in rights.iter().enumerate() {
            let text = escape(&typography(right, self.lang));
            let _ = write!(options, "<option value=\"{}\">{text}</option>", letter(index));
        }
        let mut html = format!("<p class=\"hint\">{}</p>\n", self.strings.match_each);
        let mut key = Vec::new();
        let mut solution = String::new();
        for pair in pairs.iter().filter(|pair| !pair.left.text.is_empty()) {
            let number = key.len() + 1;
            let left = inline(&pair.left, self.lang);
            let _ = writeln!(
                html,
                "<div class=\"pair\"><label for=\"{id}-{number}\">{left}</label>\
                 <select id=\"{id}-{number}\" name=\"{id}-{number}\">{options}</select></div>",
                id = self.id,
            );
            let right = rights.iter().position(|right| *right == pair.right).unwrap_or(0);
            key.push((number.to_string(), letter(right)));
            let separator = if solution.is_empty() { "" } else { " · " };
            let right = escape(&typography(&pair.right, self.lang));
            let _ = write!(solution, "{separator}{left} → {right}");
        }
        (html, Rule::Matching { pairs: key }, solution)
    }

    /// A text field: in the sentence for a missing word, else under its own label.
    fn input(&self, question: &Question, number: bool) -> String {
        let mode = if number { " inputmode=\"decimal\"" } else { "" };
        let field = format!(
            "<input type=\"text\" id=\"{id}-input\" name=\"{id}\" maxlength=\"{LONGEST_ANSWER}\" \
             autocomplete=\"off\"{mode}",
            id = self.id
        );
        if let Some(tail) = &question.tail {
            format!(
                "<p class=\"sentence\">{} {field} aria-label=\"{}\"> {}</p>\n",
                inline(&question.stem, self.lang),
                self.strings.missing_word,
                inline(tail, self.lang)
            )
        } else {
            let label = if number { self.strings.your_number } else { self.strings.your_answer };
            format!(
                "<div class=\"field\"><label for=\"{id}-input\">{label}</label> {field}></div>\n",
                id = self.id
            )
        }
    }

    fn option(&self, kind: &str, value: &str, label: &str) -> String {
        format!(
            "<div class=\"option\"><input type=\"{kind}\" id=\"{id}-{value}\" name=\"{id}\" \
             value=\"{value}\"><label for=\"{id}-{value}\">{label}</label></div>\n",
            id = self.id
        )
    }

    fn feedbacks<'b>(&self, feedbacks: impl Iterator<Item = Option<&'b Text>>) -> String {
        feedbacks
            .enumerate()
            .map(|(index, feedback)| self.feedback(&letter(index), feedback))
            .collect()
    }

    fn feedback(&self, key: &str, feedback: Option<&Text>) -> String {
        feedback.map_or(String::new(), |feedback| {
            let text = inline(feedback, self.lang);
            format!("<p class=\"feedback\" data-feedback=\"{key}\" hidden>{text}</p>\n")
        })
    }

    fn right_options(&self, single: bool, options: &[ChoiceOption]) -> String {
        let wanted = |option: &&ChoiceOption| {
            if single { option.weight >= 1.0 } else { option.weight > 0.0 }
        };
        let texts: Vec<String> =
            options.iter().filter(wanted).map(|option| inline(&option.text, self.lang)).collect();
        texts.join(" · ")
    }

    fn number_range(&self, minimum: f64, maximum: f64) -> String {
        let number = |value: f64| {
            let text = value.to_string();
            if self.lang == Lang::French { text.replace('.', ",") } else { text }
        };
        if (maximum - minimum).abs() < f64::EPSILON {
            number(minimum)
        } else {
            format!("{} – {}", number(minimum), number(maximum))
        }
    }

    /// Authors tend to write the right answer first; the order shown depends on the texts alone,
    /// so that the same sources always give the same page.
    fn shuffled(&self, options: &[ChoiceOption]) -> Vec<usize> {
        let mut order: Vec<usize> = (0..options.len()).collect();
        order.sort_by_cached_key(|&index| {
            let text = options.get(index).map_or("", |option| option.text.text.as_str());
            Sha256::digest(format!("{}\n{text}", self.id)).to_vec()
        });
        order
    }
}

fn weights(options: &[ChoiceOption]) -> Vec<Weighted> {
    options
        .iter()
        .enumerate()
        .map(|(index, option)| Weighted { id: letter(index), weight: option.weight })
        .collect()
}

/// `a`, `b` … `z`, then digits: SCORM 1.2 wants one character an answer (RTE 3.4.4, choice).
fn letter(index: usize) -> String {
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    LETTERS.get(index).map_or_else(|| format!("x{index}"), |&byte| char::from(byte).to_string())
}
