//! A mail taken apart for the page: subject, text, HTML, attachments.

use base64::{Engine, engine::general_purpose::STANDARD};
use mail_parser::{Message, MessageParser, MessagePart, MimeHeaders, PartType};

/// A mail's parts. Absent ones are `None` or empty.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) subject: Option<String>,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) message_id: Option<String>,
    pub(super) text: Option<String>,
    /// Pictures of the mail itself are inside, as `data:` URLs.
    pub(super) html: Option<String>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) attachments: Vec<Attachment>,
}

/// An attached file.
#[derive(Debug)]
pub(super) struct Attachment {
    pub(super) name: String,
    /// Media type without parameters.
    pub(super) media_type: String,
    pub(super) bytes: Vec<u8>,
}

/// Takes a mail apart; what is no mail at all has no parts.
pub(super) fn parse(raw: &[u8]) -> Parts {
    let Some(message) = MessageParser::default().parse(raw) else { return Parts::default() };
    Parts {
        subject: message.subject().map(ToOwned::to_owned),
        from: addresses(message.from()),
        to: addresses(message.to()),
        message_id: message.message_id().map(ToOwned::to_owned),
        text: text(&message),
        html: html(&message),
        headers: message
            .headers_raw()
            .map(|(name, value)| {
                (name.to_owned(), value.split_whitespace().collect::<Vec<_>>().join(" "))
            })
            .collect(),
        attachments: message.attachments().map(attachment).collect(),
    }
}

fn addresses(list: Option<&mail_parser::Address<'_>>) -> String {
    let shown = |address: &mail_parser::Addr<'_>| match (address.name(), address.address()) {
        (Some(name), Some(address)) => format!("{name} <{address}>"),
        (None, Some(address)) => address.to_owned(),
        (name, None) => name.unwrap_or_default().to_owned(),
    };
    list.into_iter().flat_map(|list| list.iter()).map(shown).collect::<Vec<_>>().join(", ")
}

/// Only a real text part: the parser would make one of the HTML.
fn text(message: &Message<'_>) -> Option<String> {
    let part = message.text_bodies().find(|part| matches!(part.body, PartType::Text(_)))?;
    part.text_contents().map(ToOwned::to_owned)
}

fn html(message: &Message<'_>) -> Option<String> {
    let part = message.html_bodies().find(|part| matches!(part.body, PartType::Html(_)))?;
    let mut html = part.text_contents()?.to_owned();
    for part in &message.parts {
        let Some(id) = part.content_id() else { continue };
        let address = format!("cid:{id}");
        if html.contains(&address) {
            let data = STANDARD.encode(part.contents());
            html = html.replace(&address, &format!("data:{};base64,{data}", media_type(part)));
        }
    }
    Some(html)
}

fn media_type(part: &MessagePart<'_>) -> String {
    let token = |text: &str| {
        !text.is_empty()
            && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.' | '_'))
    };
    match part.content_type() {
        Some(kind) => match (kind.ctype(), kind.subtype()) {
            (main, Some(sub)) if token(main) && token(sub) => format!("{main}/{sub}"),
            _ => "application/octet-stream".to_owned(),
        },
        None => "application/octet-stream".to_owned(),
    }
    .to_ascii_lowercase()
}

fn attachment(part: &MessagePart<'_>) -> Attachment {
    let media_type = media_type(part);
    let name = match part.attachment_name() {
        Some(name) => name.replace(['/', '\\', '\r', '\n', '"'], "_"),
        None if media_type == "text/calendar" => "invitation.ics".to_owned(),
        None => "attachment".to_owned(),
    };
    Attachment { name, media_type, bytes: part.contents().to_vec() }
}

/// A piece of plain text, with the address when it is a link.
#[derive(Debug, PartialEq, Eq, serde::Serialize)]
pub(super) struct Piece {
    pub(super) text: String,
    pub(super) url: Option<String>,
}

/// Splits plain text at its web addresses.
pub(super) fn linked(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = text;
    let start = |text: &str| match (text.find("http://"), text.find("https://")) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
    while let Some(at) = start(rest) {
        let (before, from) = rest.split_at(at);
        let end = from
            .find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '»' | '«'))
            .unwrap_or(from.len());
        let (address, after) = from.split_at(end);
        let trimmed = address.trim_end_matches(['.', ',', ';', ':', ')', '!', '?']);
        let (address, tail) = address.split_at(trimmed.len());
        pieces.push(Piece { text: before.to_owned(), url: None });
        pieces.push(Piece { text: address.to_owned(), url: Some(address.to_owned()) });
        pieces.push(Piece { text: tail.to_owned(), url: None });
        rest = after;
    }
    pieces.push(Piece { text: rest.to_owned(), url: None });
    pieces.retain(|piece| !piece.text.is_empty());
    pieces
}
