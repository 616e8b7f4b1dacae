//! Markdown to accessible HTML: pages of a lesson, and inline texts of questions.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use pulldown_cmark::{
    Alignment, BlockQuoteKind, CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd,
};

use super::strings;
use crate::gift::{Text, TextFormat};
use crate::source::Lang;

/// Stands at the start of each line of an inline text so that nothing there is read as a list, a
/// heading or a table; a punctuation character, so that emphasis may begin behind it.
const GUARD: char = '\u{2058}';

/// What is read besides CommonMark: tables, and callouts (`> [!NOTE]`).
pub(crate) fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_GFM
}

/// Whether a raw tag may pass in a text marked `[html]`: simple inline tags without attributes.
pub(crate) fn is_allowed_tag(html: &str) -> bool {
    let Some(inner) = html.trim().strip_prefix('<').and_then(|rest| rest.strip_suffix('>')) else {
        return false;
    };
    let name = inner.trim_start_matches('/').trim_end_matches('/').trim();
    matches!(name, "b" | "i" | "em" | "strong" | "code" | "br" | "sub" | "sup" | "p" | "kbd")
}

/// A screen of a lesson.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Page {
    /// Made from the heading, unique in the lesson; `introduction` for the first.
    pub(super) id: String,
    /// The heading as HTML; `None` for the introduction, whose heading is the lesson's.
    pub(super) heading: Option<String>,
    /// Content as HTML.
    pub(super) html: String,
}

/// Cuts a lesson at its `##` headings. The first-level heading is left out: it is the page's own.
pub(super) fn pages(source: &str, lang: Lang) -> Vec<Page> {
    let events: Vec<Event<'_>> = Parser::new_ext(source, options()).collect();
    let mut renderer = Renderer { lang, tables: 0, out: String::new() };
    let mut pages = Vec::new();
    let mut ids = BTreeSet::new();
    let mut rest = events.as_slice();
    let mut heading: Option<(String, String)> = None;
    loop {
        let end = rest.iter().position(|event| starts_heading(event, HeadingLevel::H2));
        let (body, after) = rest.split_at(end.unwrap_or(rest.len()));
        renderer.blocks(&without_title(body));
        let html = std::mem::take(&mut renderer.out);
        let (id, heading_html) = match heading.take() {
            Some((text, html)) => (identifier(&text), Some(html)),
            None => ("introduction".to_owned(), None),
        };
        if heading_html.is_some() || !html.trim().is_empty() {
            let mut unique = id.clone();
            let mut number = 1;
            while !ids.insert(unique.clone()) {
                number += 1;
                unique = format!("{id}-{number}");
            }
            pages.push(Page { id: unique, heading: heading_html, html });
        }
        if end.is_none() {
            return pages;
        }
        let close = after
            .iter()
            .position(|event| matches!(event, Event::End(TagEnd::Heading(HeadingLevel::H2))))
            .unwrap_or(after.len());
        let inner = after.get(1..close).unwrap_or_default();
        renderer.blocks(inner);
        heading = Some((plain_events(inner), std::mem::take(&mut renderer.out)));
        rest = after.get(close + 1..).unwrap_or_default();
    }
}

fn starts_heading(event: &Event<'_>, wanted: HeadingLevel) -> bool {
    matches!(event, Event::Start(Tag::Heading { level, .. }) if *level == wanted)
}

fn without_title<'a>(events: &[Event<'a>]) -> Vec<Event<'a>> {
    let mut inside = false;
    let mut kept = Vec::with_capacity(events.len());
    for event in events {
        if starts_heading(event, HeadingLevel::H1) {
            inside = true;
        }
        if !inside {
            kept.push(event.clone());
        }
        if matches!(event, Event::End(TagEnd::Heading(HeadingLevel::H1))) {
            inside = false;
        }
    }
    kept
}

/// An inline text as HTML without block elements.
pub(super) fn inline(text: &Text, lang: Lang) -> String {
    if text.format == TextFormat::Plain {
        return escape(&typography(&text.text, lang));
    }
    let guarded = guard(&text.text);
    let mut renderer = Renderer { lang, tables: 0, out: String::new() };
    let mut paragraphs = 0;
    for event in Parser::new_ext(&guarded, options()) {
        match event {
            Event::Start(Tag::Paragraph) => {
                if paragraphs > 0 {
                    renderer.out.push_str("<br><br>");
                }
                paragraphs += 1;
            }
            Event::End(TagEnd::Paragraph) => {}
            Event::InlineHtml(html) | Event::Html(html)
                if text.format == TextFormat::Html && is_allowed_tag(&html) =>
            {
                // A paragraph cannot stand in a label; its content can.
                if !matches!(html.trim(), "<p>" | "</p>") {
                    renderer.out.push_str(&html.to_lowercase());
                }
            }
            other => renderer.inline_event(&other),
        }
    }
    renderer.out.replace(GUARD, "")
}

/// An inline Markdown text, with the same rules.
pub(super) fn inline_markdown(source: &str, lang: Lang) -> String {
    inline(&Text { format: TextFormat::Markdown, text: source.to_owned() }, lang)
}

/// An inline text without any markup.
pub(super) fn plain(text: &Text, lang: Lang) -> String {
    if text.format == TextFormat::Plain {
        return typography(&text.text, lang);
    }
    let guarded = guard(&text.text);
    let events: Vec<Event<'_>> = Parser::new_ext(&guarded, options()).collect();
    typography(&plain_events(&events).replace(GUARD, ""), lang)
}

fn guard(text: &str) -> String {
    text.lines().map(|line| format!("{GUARD}{}", line.trim())).collect::<Vec<_>>().join("\n")
}

fn plain_events(events: &[Event<'_>]) -> String {
    let mut text = String::new();
    for event in events {
        match event {
            Event::Text(part) | Event::Code(part) => text.push_str(part),
            Event::SoftBreak | Event::HardBreak => text.push(' '),
            _ => {}
        }
    }
    text.trim().to_owned()
}

struct Renderer {
    lang: Lang,
    tables: usize,
    out: String,
}

impl Renderer {
    fn blocks(&mut self, events: &[Event<'_>]) {
        let mut alignments: Vec<Alignment> = Vec::new();
        let mut column = 0;
        let mut head = false;
        let mut index = 0;
        while let Some(event) = events.get(index) {
            if let Some(length) = self.figure(events.get(index..).unwrap_or_default()) {
                index += length;
                continue;
            }
            match event {
                Event::Start(Tag::Table(columns)) => {
                    alignments.clone_from(columns);
                    self.tables += 1;
                    let label = strings::page(self.lang).table;
                    let _ = writeln!(
                        self.out,
                        "<section class=\"table\" tabindex=\"0\" \
                         aria-label=\"{label} {}\"><table>",
                        self.tables
                    );
                }
                Event::Start(Tag::TableHead) => {
                    (head, column) = (true, 0);
                    self.out.push_str("<thead><tr>");
                }
                Event::End(TagEnd::TableHead) => {
                    head = false;
                    self.out.push_str("</tr></thead>\n<tbody>\n");
                }
                Event::Start(Tag::TableRow) => {
                    column = 0;
                    self.out.push_str("<tr>");
                }
                Event::Start(Tag::TableCell) => {
                    self.out.push_str(if head { "<th scope=\"col\"" } else { "<td" });
                    match alignments.get(column) {
                        Some(Alignment::Right) => self.out.push_str(" class=\"right\""),
                        Some(Alignment::Center) => self.out.push_str(" class=\"center\""),
                        _ => {}
                    }
                    self.out.push('>');
                    column += 1;
                }
                Event::End(TagEnd::TableCell) => {
                    self.out.push_str(if head { "</th>" } else { "</td>" });
                }
                other => self.inline_event(other),
            }
            index += 1;
        }
    }

    /// A paragraph with nothing but an image becomes a figure; answers how many events it took.
    fn figure(&mut self, events: &[Event<'_>]) -> Option<usize> {
        let [Event::Start(Tag::Paragraph), Event::Start(Tag::Image { dest_url, title, .. }), ..] =
            events
        else {
            return None;
        };
        let end = events.iter().position(|event| matches!(event, Event::End(TagEnd::Image)))?;
        if !matches!(events.get(end + 1), Some(Event::End(TagEnd::Paragraph))) {
            return None;
        }
        let alternative = plain_events(events.get(2..end).unwrap_or_default());
        self.out.push_str("<figure>");
        self.image(dest_url, &alternative);
        if !title.is_empty() {
            let caption = inline_markdown(title, self.lang);
            let _ = write!(self.out, "<figcaption>{caption}</figcaption>");
        }
        self.out.push_str("</figure>\n");
        Some(end + 2)
    }

    fn image(&mut self, url: &str, alternative: &str) {
        let alternative = escape(&typography(alternative, self.lang));
        let _ = write!(self.out, "<img src=\"{}\" alt=\"{alternative}\">", escape(url));
    }

    fn inline_event(&mut self, event: &Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(*tag),
            Event::Text(text) => self.out.push_str(&escape(&typography(text, self.lang))),
            Event::Code(code) => {
                let _ = write!(self.out, "<code>{}</code>", escape(code));
            }
            Event::SoftBreak => self.out.push('\n'),
            Event::HardBreak => self.out.push_str("<br>\n"),
            Event::Rule => self.out.push_str("<hr>\n"),
            // Raw HTML is refused when sources are read; whatever comes here is text.
            Event::Html(html) | Event::InlineHtml(html) => self.out.push_str(&escape(html)),
            _ => {}
        }
    }

    fn start(&mut self, tag: &Tag<'_>) {
        let fixed = match tag {
            Tag::Paragraph => "<p>",
            Tag::BlockQuote(None) => "<blockquote>\n",
            Tag::List(None) => "<ul>\n",
            Tag::List(Some(1)) => "<ol>\n",
            Tag::Item => "<li>",
            Tag::Emphasis => "<em>",
            Tag::Strong => "<strong>",
            Tag::Heading { level, .. } => {
                let _ = write!(self.out, "<h{}>", *level as u8);
                return;
            }
            Tag::BlockQuote(Some(kind)) => {
                let (class, index) = match kind {
                    BlockQuoteKind::Note => ("note", 0),
                    BlockQuoteKind::Tip => ("tip", 1),
                    BlockQuoteKind::Important => ("important", 2),
                    BlockQuoteKind::Warning => ("warning", 3),
                    BlockQuoteKind::Caution => ("caution", 4),
                };
                let title = strings::page(self.lang).callouts.get(index).copied().unwrap_or("");
                let _ = writeln!(
                    self.out,
                    "<div class=\"callout {class}\" role=\"note\">\
                     <p class=\"callout-title\">{title}</p>"
                );
                return;
            }
            Tag::List(Some(first)) => {
                let _ = writeln!(self.out, "<ol start=\"{first}\">");
                return;
            }
            Tag::CodeBlock(kind) => {
                let language = match kind {
                    CodeBlockKind::Fenced(language) => language.split(' ').next().unwrap_or(""),
                    CodeBlockKind::Indented => "",
                };
                let _ = write!(self.out, "<pre tabindex=\"0\"><code");
                if !language.is_empty() {
                    let _ = write!(self.out, " class=\"language-{}\"", escape(language));
                }
                self.out.push('>');
                return;
            }
            Tag::Link { dest_url, .. } => {
                let _ = write!(
                    self.out,
                    "<a href=\"{}\" target=\"_blank\" rel=\"external noopener noreferrer\">",
                    escape(dest_url)
                );
                return;
            }
            // The text inside an image is its alternative and is closed by `end`.
            Tag::Image { dest_url, .. } => {
                let _ = write!(self.out, "<img src=\"{}\" alt=\"", escape(dest_url));
                return;
            }
            _ => return,
        };
        self.out.push_str(fixed);
    }

    fn end(&mut self, tag: TagEnd) {
        let fixed = match tag {
            TagEnd::Paragraph => "</p>\n",
            TagEnd::BlockQuote(None) => "</blockquote>\n",
            TagEnd::BlockQuote(Some(_)) => "</div>\n",
            TagEnd::List(false) => "</ul>\n",
            TagEnd::List(true) => "</ol>\n",
            TagEnd::Item => "</li>\n",
            TagEnd::Emphasis => "</em>",
            TagEnd::Strong => "</strong>",
            TagEnd::CodeBlock => "</code></pre>\n",
            TagEnd::Image => "\">",
            TagEnd::TableRow => "</tr>\n",
            TagEnd::Table => "</tbody></table></section>\n",
            TagEnd::Link => {
                let hint = strings::page(self.lang).new_window;
                let _ = write!(self.out, "<span class=\"visually-hidden\"> {hint}</span></a>");
                return;
            }
            TagEnd::Heading(level) => {
                let _ = writeln!(self.out, "</h{}>", level as u8);
                return;
            }
            _ => return,
        };
        self.out.push_str(fixed);
    }
}

/// Escapes a text for HTML content and quoted attributes.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Apostrophes between letters are typographic; French spaces do not break, before `: ; ! ? %` and
/// inside « ».
pub(super) fn typography(text: &str, lang: Lang) -> String {
    let text = apostrophes(text);
    if lang != Lang::French {
        return text;
    }
    let rules = [
        (" :", "\u{a0}:"),
        (" ;", "\u{202f};"),
        (" !", "\u{202f}!"),
        (" ?", "\u{202f}?"),
        (" %", "\u{a0}%"),
        ("« ", "«\u{a0}"),
        (" »", "\u{a0}»"),
    ];
    rules.iter().fold(text, |text, (from, to)| text.replace(from, to))
}

fn apostrophes(text: &str) -> String {
    let mut before_is_letter = false;
    let mut characters = text.chars().peekable();
    let mut result = String::with_capacity(text.len());
    while let Some(character) = characters.next() {
        let between = before_is_letter && characters.peek().is_none_or(|c| c.is_alphanumeric());
        result.push(if character == '\'' && between { '’' } else { character });
        before_is_letter = character.is_alphabetic();
    }
    result
}

/// A heading as an identifier: ASCII letters, digits and hyphens.
pub(super) fn identifier(text: &str) -> String {
    let mut identifier = String::new();
    for character in text.to_lowercase().chars() {
        let plain = match character {
            'à' | 'â' | 'ä' => "a",
            'ç' => "c",
            'é' | 'è' | 'ê' | 'ë' => "e",
            'î' | 'ï' => "i",
            'ô' | 'ö' => "o",
            'ù' | 'û' | 'ü' => "u",
            'œ' => "oe",
            'æ' => "ae",
            other if other.is_ascii_alphanumeric() => {
                identifier.push(other);
                continue;
            }
            _ => "-",
        };
        if plain != "-" || !(identifier.is_empty() || identifier.ends_with('-')) {
            identifier.push_str(plain);
        }
    }
    let identifier: String = identifier.chars().take(48).collect();
    let identifier = identifier.trim_matches('-');
    if identifier.is_empty() { "page".to_owned() } else { identifier.to_owned() }
}
