//! Calendar entries (RFC 5545), as invitations (RFC 5546) and as a file to download.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::mail::Mailbox;

/// RFC 5545, 3.1: the octets of a line, its break not counted.
const LINE: usize = 75;

/// What would end or change an address inside a `mailto:` URI (RFC 6068, 2).
const MAILTO: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'&').add(b'<').add(b'>').add(b'?');

/// What the receiving calendar is to do with the entry (RFC 5546, 1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Request,
    Cancel,
    /// A copy to look at: no attendee.
    Publish,
}

impl Method {
    /// The same word in the calendar and in the media type.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Request => "REQUEST",
            Self::Cancel => "CANCEL",
            Self::Publish => "PUBLISH",
        }
    }

    /// The media type of the part that carries the calendar (RFC 6047, 2.4).
    pub fn media_type(self) -> String {
        format!("text/calendar; method={}; charset=utf-8", self.as_str())
    }
}

/// The one person the calendar is for: nobody learns who else comes.
#[derive(Clone, Copy, Debug)]
pub struct Attendee<'a> {
    pub name: Option<&'a str>,
    pub address: &'a str,
}

/// One date of an event in somebody's calendar.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// The same for ever, whatever changes.
    pub uid: String,
    /// Higher with each change (RFC 5546, 2.1.4).
    pub sequence: i64,
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    pub summary: &'a str,
    pub description: &'a str,
    /// Where to join: an `https` address.
    pub join_url: Option<&'a str>,
}

/// The calendar, lines folded and ended by CRLF. A request or a cancellation holds one entry:
/// RFC 5546 (3.2.2, 3.2.5) wants one UID in it.
pub fn write(
    method: Method,
    stamp: DateTime<Utc>,
    organizer: &Mailbox,
    attendee: Option<Attendee<'_>>,
    entries: &[Entry<'_>],
) -> String {
    let mut lines = Lines::default();
    lines.add("BEGIN:VCALENDAR");
    lines.add("VERSION:2.0");
    lines.add("PRODID:-//Passerelle//Events//EN");
    lines.add("CALSCALE:GREGORIAN");
    lines.add(&format!("METHOD:{}", method.as_str()));
    for entry in entries {
        lines.add("BEGIN:VEVENT");
        lines.add(&format!("UID:{}", text(&entry.uid)));
        lines.add(&format!("SEQUENCE:{}", entry.sequence));
        lines.add(&format!("DTSTAMP:{}", instant(stamp)));
        lines.add(&format!("DTSTART:{}", instant(entry.starts_at)));
        lines.add(&format!("DTEND:{}", instant(entry.ends_at)));
        let status = if method == Method::Cancel { "CANCELLED" } else { "CONFIRMED" };
        lines.add(&format!("STATUS:{status}"));
        lines.add(&format!("SUMMARY:{}", text(entry.summary)));
        if !entry.description.is_empty() {
            lines.add(&format!("DESCRIPTION:{}", text(entry.description)));
        }
        if let Some(url) = entry.join_url {
            lines.add(&format!("LOCATION:{}", text(url)));
            lines.add(&format!("URL:{}", one_line(url)));
        }
        let (name, address) = (parameter(&organizer.name), mailto(&organizer.address));
        lines.add(&format!("ORGANIZER;CN={name}:{address}"));
        if let Some(attendee) = attendee {
            let name = attendee.name.map(|name| format!(";CN={}", parameter(name)));
            lines.add(&format!(
                "ATTENDEE{};CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;RSVP=FALSE:{}",
                name.unwrap_or_default(),
                mailto(attendee.address)
            ));
        }
        lines.add("END:VEVENT");
    }
    lines.add("END:VCALENDAR");
    lines.0
}

#[derive(Default)]
struct Lines(String);

impl Lines {
    /// Adds a content line, folded before the octet that would be one too many and never inside a
    /// character (RFC 5545, 3.1).
    fn add(&mut self, line: &str) {
        let mut width = 0;
        for character in line.chars() {
            if width + character.len_utf8() > LINE {
                self.0.push_str("\r\n ");
                // The space that continues a line counts.
                width = 1;
            }
            self.0.push(character);
            width += character.len_utf8();
        }
        self.0.push_str("\r\n");
    }
}

/// A moment in UTC, which needs no description of a time zone: `20261123T163000Z`.
fn instant(at: DateTime<Utc>) -> String {
    at.format("%Y%m%dT%H%M%SZ").to_string()
}

/// RFC 5545, 3.3.11.
fn text(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for character in value.replace("\r\n", "\n").chars() {
        match character {
            '\\' | ';' | ',' => {
                escaped.push('\\');
                escaped.push(character);
            }
            '\n' => escaped.push_str("\\n"),
            '\t' => escaped.push('\t'),
            character if character.is_control() => {}
            character => escaped.push(character),
        }
    }
    escaped
}

fn one_line(value: &str) -> String {
    value.chars().filter(|character| !character.is_control()).collect()
}

/// A quoted parameter value. Quotes and line breaks have no plain form there: RFC 6868 gives them
/// one.
fn parameter(value: &str) -> String {
    let mut quoted = String::from("\"");
    for character in value.chars() {
        match character {
            '^' => quoted.push_str("^^"),
            '"' => quoted.push_str("^'"),
            '\n' => quoted.push_str("^n"),
            character if character.is_control() => {}
            character => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

fn mailto(address: &str) -> String {
    let mut uri = String::from("mailto:");
    // Writing to a string cannot fail.
    let _ = write!(uri, "{}", utf8_percent_encode(address, MAILTO));
    uri
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone as _;

    fn at(hour: u32) -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, 11, 23, hour, 30, 0).single().expect("a moment")
    }

    fn calendar(method: Method, summary: &str, attendee: Option<Attendee<'_>>) -> String {
        let organizer =
            Mailbox { name: "Réseau \"Canopé\"".to_owned(), address: "a@example.org".to_owned() };
        let entry = Entry {
            uid: "1-2@passerelle".to_owned(),
            sequence: 3,
            starts_at: at(16),
            ends_at: at(17),
            summary,
            description: "Un, deux; trois\\quatre\r\nfin",
            join_url: Some("https://meet.example.org/a?b=1,2"),
        };
        write(method, at(9), &organizer, attendee, &[entry])
    }

    fn unfold(text: &str) -> String {
        text.replace("\r\n ", "")
    }

    #[test]
    fn a_request_says_who_when_and_where() {
        let zoe = Attendee { name: Some("Zoé Lefèvre"), address: "zoe+lms@example.org" };
        let text = calendar(Method::Request, "Premiers pas", Some(zoe));
        assert_eq!(
            unfold(&text).lines().collect::<Vec<_>>(),
            [
                "BEGIN:VCALENDAR",
                "VERSION:2.0",
                "PRODID:-//Passerelle//Events//EN",
                "CALSCALE:GREGORIAN",
                "METHOD:REQUEST",
                "BEGIN:VEVENT",
                "UID:1-2@passerelle",
                "SEQUENCE:3",
                "DTSTAMP:20261123T093000Z",
                "DTSTART:20261123T163000Z",
                "DTEND:20261123T173000Z",
                "STATUS:CONFIRMED",
                "SUMMARY:Premiers pas",
                "DESCRIPTION:Un\\, deux\\; trois\\\\quatre\\nfin",
                "LOCATION:https://meet.example.org/a?b=1\\,2",
                "URL:https://meet.example.org/a?b=1,2",
                "ORGANIZER;CN=\"Réseau ^'Canopé^'\":mailto:a@example.org",
                "ATTENDEE;CN=\"Zoé Lefèvre\";CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;\
                 PARTSTAT=ACCEPTED;RSVP=FALSE:mailto:zoe+lms@example.org",
                "END:VEVENT",
                "END:VCALENDAR",
            ]
        );
        assert_eq!(Method::Request.media_type(), "text/calendar; method=REQUEST; charset=utf-8");
    }

    #[test]
    fn a_cancellation_has_the_method_and_the_status() {
        let zoe = Attendee { name: None, address: "zoe@example.org" };
        let text = unfold(&calendar(Method::Cancel, "Fini", Some(zoe)));
        assert!(text.contains("\r\nMETHOD:CANCEL\r\n"), "{text}");
        assert!(text.contains("\r\nSTATUS:CANCELLED\r\n"), "{text}");
        assert!(text.contains("\r\nATTENDEE;CUTYPE="), "{text}");
    }

    #[test]
    fn what_is_published_names_nobody() {
        assert!(!calendar(Method::Publish, "Pour toutes", None).contains("ATTENDEE"));
    }

    #[test]
    fn lines_end_with_crlf_and_fold_between_characters() {
        for (filler, count) in [("é", 200), ("€", 150), ("𝄞", 90), ("a", 300), ("aé", 77)] {
            let summary = filler.repeat(count);
            let text = calendar(Method::Request, &summary, None);
            assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
            assert!(text.ends_with("END:VCALENDAR\r\n"));
            for line in text.split("\r\n") {
                assert!(line.len() <= 75, "{} octets: {line}", line.len());
            }
            assert!(unfold(&text).contains(&format!("SUMMARY:{summary}\r\n")));
        }
    }

    #[test]
    fn nothing_somebody_typed_starts_a_line_of_its_own() {
        let summary = "a\r\nATTENDEE:mailto:x@example.org\rEND:VEVENT\u{0}\u{7}";
        let zoe = Attendee { name: Some("Z\"\r\nX:1"), address: "zoe@example.org\r\nX:2" };
        let text = unfold(&calendar(Method::Request, summary, Some(zoe)));
        assert_eq!(text.lines().filter(|line| line.starts_with("ATTENDEE")).count(), 1);
        assert_eq!(text.lines().filter(|line| line.starts_with("END:VEVENT")).count(), 1);
        assert!(!text.lines().any(|line| line.starts_with("X:")), "{text}");
    }
}
