//! From blocks of glyphs to questions.

use std::collections::HashMap;

use super::lexer::{Block, Glyph, blocks};
use super::{
    ChoiceOption, NumericalAnswer, Pair, Parsed, Problem, ProblemKind, Question, QuestionKind,
    ShortAnswer, Text, TextFormat,
};

/// How far the positive weights may be from 100 %: three times 33 % are meant as a whole.
const WEIGHT_TOLERANCE: f64 = 1.0;

/// Reads a GIFT file.
pub fn parse(source: &str) -> Parsed {
    let (blocks, mut problems) = blocks(source);
    let mut questions = Vec::new();
    let mut names: HashMap<String, usize> = HashMap::new();
    for block in &blocks {
        match question(block) {
            Ok(question) => {
                if let (Some(name), Some(first)) = (&question.name, block.glyphs.first()) {
                    if let Some(&first_line) = names.get(name) {
                        let kind = ProblemKind::DuplicateName { name: name.clone(), first_line };
                        problems.push(first.problem(kind));
                    } else {
                        names.insert(name.clone(), question.line);
                    }
                }
                questions.push(question);
            }
            Err(problem) => problems.push(problem),
        }
    }
    problems.sort_by_key(|problem| (problem.line, problem.column));
    Parsed { questions, problems }
}

fn question(block: &Block) -> Result<Question, Problem> {
    let glyphs = trim(&block.glyphs);
    let Some(&first) = glyphs.first() else {
        return Err(Problem { line: 1, column: 1, kind: ProblemKind::EmptyQuestion });
    };
    let (name, glyphs) = split_name(glyphs)?;
    let Braces { before, answers, after } = split_braces(glyphs)?;
    let stem = text(before, TextFormat::Default);
    let format = stem.format;
    let tail = Some(text(after, format)).filter(|tail| !tail.text.is_empty());
    if stem.text.is_empty() && tail.is_none() {
        return Err(first.problem(ProblemKind::EmptyQuestion));
    }
    let (kind, general_feedback) = match answers {
        None => (QuestionKind::Description, None),
        Some((open, inner)) => {
            let (inner, general) = split_general_feedback(inner);
            let general = general
                .map(|glyphs| text(glyphs, format))
                .filter(|feedback| !feedback.text.is_empty());
            (kind(open, trim(inner), format)?, general)
        }
    };
    let category = block.category.clone();
    Ok(Question { name, category, line: first.line, stem, tail, kind, general_feedback })
}

/// `::name::` at the start.
fn split_name(glyphs: &[Glyph]) -> Result<(Option<String>, &[Glyph]), Problem> {
    let [first, second, rest @ ..] = glyphs else {
        return Ok((None, glyphs));
    };
    if !(first.is(':') && second.is(':')) {
        return Ok((None, glyphs));
    }
    let end = rest
        .windows(2)
        .position(|pair| pair.iter().all(|glyph| glyph.is(':')))
        .ok_or_else(|| first.problem(ProblemKind::UnclosedName))?;
    let name = string(trim(&rest[..end]));
    Ok((Some(name).filter(|name| !name.is_empty()), trim(&rest[end + 2..])))
}

struct Braces<'a> {
    before: &'a [Glyph],
    answers: Option<(Glyph, &'a [Glyph])>,
    after: &'a [Glyph],
}

fn split_braces(glyphs: &[Glyph]) -> Result<Braces<'_>, Problem> {
    let open = glyphs.iter().position(|glyph| glyph.is('{'));
    let close = glyphs.iter().position(|glyph| glyph.is('}'));
    match (open, close) {
        (None, None) => Ok(Braces { before: glyphs, answers: None, after: &[] }),
        (None, Some(close)) => Err(glyphs[close].problem(ProblemKind::StrayClosingBrace)),
        (Some(open), Some(close)) if close < open => {
            Err(glyphs[close].problem(ProblemKind::StrayClosingBrace))
        }
        (Some(open), None) => Err(glyphs[open].problem(ProblemKind::UnclosedAnswers)),
        (Some(open), Some(close)) => {
            let inner = &glyphs[open + 1..close];
            let after = &glyphs[close + 1..];
            if let Some(nested) = inner.iter().find(|glyph| glyph.is('{')) {
                return Err(nested.problem(ProblemKind::NestedBrace));
            }
            if let Some(brace) = after.iter().find(|glyph| glyph.is('{') || glyph.is('}')) {
                let kind = if brace.is('{') {
                    ProblemKind::SecondAnswerBlock
                } else {
                    ProblemKind::StrayClosingBrace
                };
                return Err(brace.problem(kind));
            }
            Ok(Braces { before: &glyphs[..open], answers: Some((glyphs[open], inner)), after })
        }
    }
}

/// Cuts off `####general feedback`.
fn split_general_feedback(glyphs: &[Glyph]) -> (&[Glyph], Option<&[Glyph]>) {
    let mark = glyphs.windows(4).position(|four| four.iter().all(|glyph| glyph.is('#')));
    match mark {
        Some(at) => (&glyphs[..at], Some(&glyphs[at + 4..])),
        None => (glyphs, None),
    }
}

fn kind(open: Glyph, inner: &[Glyph], format: TextFormat) -> Result<QuestionKind, Problem> {
    let Some(&first) = inner.first() else {
        return Ok(QuestionKind::Essay);
    };
    if first.is('#') {
        return numerical(open, &inner[1..], format);
    }
    if let Some(true_false) = true_false(inner, format)? {
        return Ok(true_false);
    }
    if !first.is('=') && !first.is('~') {
        let found = string(inner).chars().take(30).collect();
        return Err(first.problem(ProblemKind::UnknownAnswers { found }));
    }
    let answers = split_answers(inner);
    if answers.iter().any(|answer| !answer.right) {
        return choice(open, &answers, format);
    }
    if answers.iter().any(|answer| arrow(before_feedback(answer.glyphs)).is_some()) {
        return matching(open, &answers, format);
    }
    short(&answers, format)
}

/// An answer and the mark before it.
struct Answer<'a> {
    mark: Glyph,
    right: bool,
    glyphs: &'a [Glyph],
}

/// Cuts at unescaped `=` and `~`; the text before the first mark is the caller's.
fn split_answers(glyphs: &[Glyph]) -> Vec<Answer<'_>> {
    let marks: Vec<usize> = glyphs
        .iter()
        .enumerate()
        .filter(|(_, glyph)| glyph.is('=') || glyph.is('~'))
        .map(|(index, _)| index)
        .collect();
    let ends = marks.iter().skip(1).copied().chain(std::iter::once(glyphs.len()));
    marks
        .iter()
        .zip(ends)
        .map(|(&start, end)| Answer {
            mark: glyphs[start],
            right: glyphs[start].is('='),
            glyphs: trim(&glyphs[start + 1..end]),
        })
        .collect()
}

fn true_false(inner: &[Glyph], format: TextFormat) -> Result<Option<QuestionKind>, Problem> {
    let parts: Vec<&[Glyph]> = inner.split(|glyph| glyph.is('#')).collect();
    let word = parts.first().map(|part| string(trim(part)).to_uppercase()).unwrap_or_default();
    let answer = match word.as_str() {
        "T" | "TRUE" => true,
        "F" | "FALSE" => false,
        _ => return Ok(None),
    };
    if parts.len() > 3 {
        let place = inner.first().copied().into_iter().next();
        return Err(place.map_or(
            Problem { line: 1, column: 1, kind: ProblemKind::TooManyFeedbacks },
            |glyph| glyph.problem(ProblemKind::TooManyFeedbacks),
        ));
    }
    let part = |index: usize| {
        parts.get(index).map(|part| text(part, format)).filter(|text| !text.text.is_empty())
    };
    Ok(Some(QuestionKind::TrueFalse { answer, wrong_feedback: part(1), right_feedback: part(2) }))
}

fn choice(
    open: Glyph,
    answers: &[Answer<'_>],
    format: TextFormat,
) -> Result<QuestionKind, Problem> {
    let mut options = Vec::new();
    for answer in answers {
        let (weight, rest) = weight(answer.glyphs)?;
        let (body, feedback) = split_feedback(rest, format);
        let body = text(body, format);
        if body.text.is_empty() {
            return Err(answer.mark.problem(ProblemKind::EmptyAnswer));
        }
        let weight = weight.unwrap_or(if answer.right { 1.0 } else { 0.0 });
        options.push(ChoiceOption { text: body, weight, feedback });
    }
    if options.len() < 2 {
        return Err(open.problem(ProblemKind::TooFewOptions));
    }
    let total: f64 = options.iter().map(|option| option.weight.max(0.0)).sum::<f64>() * 100.0;
    if total == 0.0 {
        return Err(open.problem(ProblemKind::NoRightAnswer));
    }
    // One answer only when one is marked "="; weights on "~" alone mean several answers.
    let single = answers.iter().any(|answer| answer.right);
    if !single {
        if (total - 100.0).abs() > WEIGHT_TOLERANCE {
            let total = (total * 1000.0).round() / 1000.0;
            return Err(open.problem(ProblemKind::WeightsDoNotAddUp { total }));
        }
        for option in options.iter_mut().filter(|option| option.weight > 0.0) {
            option.weight = option.weight * 100.0 / total;
        }
    }
    Ok(QuestionKind::Choice { single, options })
}

fn short(answers: &[Answer<'_>], format: TextFormat) -> Result<QuestionKind, Problem> {
    let mut accepted = Vec::new();
    for answer in answers {
        let (weight, rest) = weight(answer.glyphs)?;
        let (body, feedback) = split_feedback(rest, format);
        let body = string(trim(body));
        if body.is_empty() {
            return Err(answer.mark.problem(ProblemKind::EmptyAnswer));
        }
        let weight = weight.unwrap_or(1.0).max(0.0);
        accepted.push(ShortAnswer { text: body, weight, feedback });
    }
    Ok(QuestionKind::Short { answers: accepted })
}

fn matching(
    open: Glyph,
    answers: &[Answer<'_>],
    format: TextFormat,
) -> Result<QuestionKind, Problem> {
    let mut pairs = Vec::new();
    for answer in answers {
        let body = before_feedback(answer.glyphs);
        let at = arrow(body).ok_or_else(|| answer.mark.problem(ProblemKind::MissingArrow))?;
        let right = string(trim(&body[at + 2..]));
        if right.is_empty() {
            return Err(answer.mark.problem(ProblemKind::EmptyAnswer));
        }
        pairs.push(Pair { left: text(&body[..at], format), right });
    }
    if pairs.iter().filter(|pair| !pair.left.text.is_empty()).count() < 2 {
        return Err(open.problem(ProblemKind::TooFewPairs));
    }
    Ok(QuestionKind::Matching { pairs })
}

fn numerical(open: Glyph, inner: &[Glyph], format: TextFormat) -> Result<QuestionKind, Problem> {
    // What follows "~" is the feedback for every other number.
    let wrong = inner.iter().position(|glyph| glyph.is('~'));
    let (inner, wrong) = wrong.map_or((inner, None), |at| (&inner[..at], Some(&inner[at + 1..])));
    let wrong_feedback = wrong.and_then(|glyphs| split_feedback(glyphs, format).1);
    let inner = trim(inner);
    let first = inner.first().copied().unwrap_or(open);
    let bodies: Vec<(Glyph, &[Glyph])> = if first.is('=') {
        split_answers(inner).into_iter().map(|answer| (answer.mark, answer.glyphs)).collect()
    } else {
        vec![(first, inner)]
    };
    let mut answers = Vec::new();
    for (place, glyphs) in bodies {
        let (weight, rest) = weight(glyphs)?;
        let (body, feedback) = split_feedback(rest, format);
        let (minimum, maximum) = range(&string(trim(body))).map_err(|kind| place.problem(kind))?;
        let weight = weight.unwrap_or(1.0).max(0.0);
        answers.push(NumericalAnswer { minimum, maximum, weight, feedback });
    }
    if !answers.iter().any(|answer| answer.weight > 0.0) {
        return Err(open.problem(ProblemKind::NoRightAnswer));
    }
    Ok(QuestionKind::Numerical { answers, wrong_feedback })
}

/// `12`, `12:0.5` or `10..14`.
fn range(body: &str) -> Result<(f64, f64), ProblemKind> {
    let bad = || ProblemKind::BadNumber { found: body.to_owned() };
    let number = |text: &str| -> Option<f64> {
        text.trim().parse::<f64>().ok().filter(|number| number.is_finite())
    };
    if let Some((from, to)) = body.split_once("..") {
        let (from, to) = number(from).zip(number(to)).ok_or_else(bad)?;
        return if from <= to { Ok((from, to)) } else { Err(ProblemKind::EmptyRange { from, to }) };
    }
    let (value, tolerance) = match body.split_once(':') {
        Some((value, tolerance)) => number(value).zip(number(tolerance)).ok_or_else(bad)?,
        None => (number(body).ok_or_else(bad)?, 0.0),
    };
    Ok((value - tolerance.abs(), value + tolerance.abs()))
}

/// `%50%` at the start of an answer, as a fraction.
fn weight(glyphs: &[Glyph]) -> Result<(Option<f64>, &[Glyph]), Problem> {
    let glyphs = trim(glyphs);
    let Some(first) = glyphs.first().copied().filter(|glyph| glyph.is('%')) else {
        return Ok((None, glyphs));
    };
    let bad = |found: &[Glyph]| {
        let found = string(found).chars().take(20).collect();
        first.problem(ProblemKind::BadWeight { found })
    };
    let end = glyphs.iter().skip(1).position(|glyph| glyph.is('%')).map(|at| at + 1);
    let end = end.ok_or_else(|| bad(glyphs))?;
    let percent = string(&glyphs[1..end]).trim().parse::<f64>();
    match percent {
        Ok(percent) if (-100.0..=100.0).contains(&percent) => {
            Ok((Some(percent / 100.0), &glyphs[end + 1..]))
        }
        _ => Err(bad(&glyphs[..=end])),
    }
}

fn before_feedback(glyphs: &[Glyph]) -> &[Glyph] {
    let end = glyphs.iter().position(|glyph| glyph.is('#')).unwrap_or(glyphs.len());
    &glyphs[..end]
}

fn split_feedback(glyphs: &[Glyph], format: TextFormat) -> (&[Glyph], Option<Text>) {
    let body = before_feedback(glyphs);
    let feedback = glyphs.get(body.len() + 1..).map(|glyphs| text(glyphs, format));
    (body, feedback.filter(|text| !text.text.is_empty()))
}

/// Where `->` stands.
fn arrow(glyphs: &[Glyph]) -> Option<usize> {
    glyphs.windows(2).position(|pair| matches!(pair, [dash, tip] if dash.is('-') && tip.is('>')))
}

/// A text with its `[format]` mark; without one it has its question's format.
fn text(glyphs: &[Glyph], inherited: TextFormat) -> Text {
    let all = string(trim(glyphs));
    let marks = [
        ("[markdown]", TextFormat::Markdown),
        ("[html]", TextFormat::Html),
        ("[plain]", TextFormat::Plain),
        ("[moodle]", TextFormat::Moodle),
    ];
    for (mark, format) in marks {
        if let Some(rest) = all.strip_prefix(mark) {
            return Text { format, text: rest.trim().to_owned() };
        }
    }
    Text { format: inherited, text: all }
}

fn string(glyphs: &[Glyph]) -> String {
    glyphs.iter().map(|glyph| glyph.character).collect()
}

fn trim(glyphs: &[Glyph]) -> &[Glyph] {
    let blank = |glyph: &Glyph| glyph.character.is_whitespace();
    let start = glyphs.iter().position(|glyph| !blank(glyph)).unwrap_or(glyphs.len());
    let end = glyphs.iter().rposition(|glyph| !blank(glyph)).map_or(start, |last| last + 1);
    &glyphs[start..end]
}
