//! Checks of a lesson's Markdown and of the texts of questions.

use std::collections::BTreeSet;

use pulldown_cmark::{Event, HeadingLevel, Parser, Tag, TagEnd};

use super::{Finding, SourceProblem};
use crate::compiler::markdown;
use crate::gift::{Question, QuestionKind, Text, TextFormat};

/// What the checks of a file need to know and gather.
pub(super) struct Inspector<'a> {
    /// Path for findings, `fr/01-intro.md`.
    pub(super) file: &'a str,
    /// Images that exist in the language (`images/x.svg`).
    pub(super) images: &'a BTreeSet<String>,
    /// Images seen so far.
    pub(super) used: &'a mut BTreeSet<String>,
    /// Findings so far.
    pub(super) findings: &'a mut Vec<Finding>,
}

/// Figures of a text.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Figures {
    /// Words to read.
    pub(super) words: usize,
    /// Pages, the introduction included when it has content.
    pub(super) pages: usize,
}

impl Inspector<'_> {
    fn report(&mut self, line: usize, column: usize, problem: SourceProblem) {
        let file = self.file.to_owned();
        self.findings.push(Finding { file, line, column, problem });
    }

    /// Checks a lesson: headings in order, no HTML, images and links.
    pub(super) fn lesson(&mut self, source: &str, title: &str) -> Figures {
        let mut figures = Figures::default();
        let mut level_before = 0_u8;
        let mut heading: Option<(usize, u8, String)> = None;
        let mut first_heading: Option<String> = None;
        let mut page: Option<(usize, String)> = None;
        let mut page_has_content = false;
        let mut started = false;
        for (event, range) in Parser::new_ext(source, markdown::options()).into_offset_iter() {
            let (line, column) = place(source, range.start);
            if !started {
                started = true;
                let is_title =
                    matches!(&event, Event::Start(Tag::Heading { level: HeadingLevel::H1, .. }));
                if !is_title {
                    self.report(line, column, SourceProblem::MissingTitle);
                }
            }
            match &event {
                Event::Start(Tag::Heading { level, .. }) => {
                    let level = *level as u8;
                    if level == 1 && first_heading.is_some() {
                        self.report(line, column, SourceProblem::SecondTitle);
                    } else if level > level_before + 1 && level_before > 0 {
                        let problem =
                            SourceProblem::SkippedHeading { from: level_before, to: level };
                        self.report(line, column, problem);
                    }
                    level_before = level;
                    if level <= 2 {
                        self.close_page(page.take(), page_has_content, &mut figures);
                        page_has_content = false;
                    }
                    heading = Some((line, level, String::new()));
                }
                Event::End(TagEnd::Heading(_)) => {
                    if let Some((line, level, text)) = heading.take() {
                        let text = text.trim().to_owned();
                        if text.is_empty() {
                            self.report(line, 1, SourceProblem::EmptyHeading);
                        }
                        if level <= 2 {
                            page =
                                Some((line, if level == 1 { String::new() } else { text.clone() }));
                        }
                        if level == 1 && first_heading.is_none() {
                            first_heading = Some(text);
                        }
                    }
                }
                Event::Text(text) | Event::Code(text) => {
                    if let Some((_, _, heading)) = heading.as_mut() {
                        heading.push_str(text);
                    } else {
                        page_has_content = true;
                    }
                    figures.words += text.split_whitespace().count();
                }
                _ => page_has_content |= matches!(event, Event::Start(Tag::Image { .. })),
            }
            self.event(&event, source.get(range).unwrap_or_default(), line, column);
        }
        self.close_page(page, page_has_content, &mut figures);
        if !started {
            self.report(1, 1, SourceProblem::MissingTitle);
        }
        if let Some(heading) = first_heading.filter(|heading| !same_text(heading, title)) {
            self.report(1, 1, SourceProblem::TitleDiffers { heading, title: title.to_owned() });
        }
        figures
    }

    fn close_page(&mut self, page: Option<(usize, String)>, content: bool, figures: &mut Figures) {
        match page {
            Some(_) if content => figures.pages += 1,
            Some((line, heading)) if !heading.is_empty() => {
                self.report(line, 1, SourceProblem::EmptyPage { heading });
            }
            _ => {}
        }
    }

    /// Checks the texts of a question; returns their words.
    pub(super) fn question(&mut self, question: &Question) -> usize {
        if matches!(question.kind, QuestionKind::Essay) {
            self.report(question.line, 1, SourceProblem::NotGradable);
        }
        let mut texts = vec![Some(&question.stem), question.tail.as_ref()];
        match &question.kind {
            QuestionKind::Choice { options, .. } => {
                for option in options {
                    texts.extend([Some(&option.text), option.feedback.as_ref()]);
                }
            }
            QuestionKind::TrueFalse { wrong_feedback, right_feedback, .. } => {
                texts.extend([wrong_feedback.as_ref(), right_feedback.as_ref()]);
            }
            QuestionKind::Short { answers } => {
                texts.extend(answers.iter().map(|answer| answer.feedback.as_ref()));
            }
            QuestionKind::Matching { pairs } => {
                texts.extend(pairs.iter().map(|pair| Some(&pair.left)));
            }
            QuestionKind::Numerical { answers, wrong_feedback } => {
                texts.extend(answers.iter().map(|answer| answer.feedback.as_ref()));
                texts.push(wrong_feedback.as_ref());
            }
            QuestionKind::Essay | QuestionKind::Description => {}
        }
        texts.push(question.general_feedback.as_ref());
        texts.into_iter().flatten().map(|text| self.text(text, question.line)).sum()
    }

    /// Checks an inline text which stands at a line.
    pub(super) fn inline(&mut self, source: &str, line: usize) {
        let text = Text { format: TextFormat::Markdown, text: source.to_owned() };
        self.text(&text, line);
    }

    fn text(&mut self, text: &Text, line: usize) -> usize {
        if text.format != TextFormat::Plain {
            for (event, range) in
                Parser::new_ext(&text.text, markdown::options()).into_offset_iter()
            {
                let allowed = text.format == TextFormat::Html
                    && matches!(&event, Event::InlineHtml(html) | Event::Html(html) if markdown::is_allowed_tag(html));
                if !allowed {
                    self.event(&event, text.text.get(range).unwrap_or_default(), line, 1);
                }
            }
        }
        text.text.split_whitespace().count()
    }

    fn event(&mut self, event: &Event<'_>, source: &str, line: usize, column: usize) {
        match event {
            Event::Html(html) | Event::InlineHtml(html) if !html.trim().is_empty() => {
                let found = html.trim().chars().take(40).collect();
                self.report(line, column, SourceProblem::RawHtml { found });
            }
            Event::Start(Tag::Image { dest_url, .. }) => {
                let path = dest_url.to_string();
                if alternative(source).trim().is_empty() {
                    let problem = SourceProblem::MissingAlternativeText { path: path.clone() };
                    self.report(line, column, problem);
                }
                if !self.images.contains(&path) {
                    self.report(line, column, SourceProblem::MissingImage { path: path.clone() });
                }
                self.used.insert(path);
            }
            Event::Start(Tag::Link { dest_url, .. }) if !dest_url.starts_with("https://") => {
                self.report(line, column, SourceProblem::BadLink { url: dest_url.to_string() });
            }
            _ => {}
        }
    }
}

/// The text between `![` and `]`.
fn alternative(source: &str) -> &str {
    let inner = source.strip_prefix("![").unwrap_or(source);
    inner.split("](").next().unwrap_or_default()
}

fn same_text(left: &str, right: &str) -> bool {
    let normal = |text: &str| {
        text.replace(['\u{a0}', '\u{202f}'], " ").replace('’', "'").trim().to_lowercase()
    };
    normal(left) == normal(right)
}

/// Line and column (from 1) of a byte offset.
pub(super) fn place(source: &str, offset: usize) -> (usize, usize) {
    let before = source.get(..offset).unwrap_or(source);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}
