//! Whether a value has the form its type asks for (RTE 4.1.1; SCORM 1.2 RTE 3.4.2).
//!
//! `player-api.js` has the same functions under the same names; a differential test holds the two
//! together. Lengths are UTF-16 units, because that is what both sides can count.

use std::collections::HashSet;

use super::table::{Table, Type};
use super::time::{parse_duration, parse_timespan};

/// Why a value is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    Type,
    Range,
}

/// What was accepted beyond the specification.
pub(super) type Remarks = Vec<String>;

/// The length both interpreters count.
pub(super) fn length(value: &str) -> usize {
    value.encode_utf16().count()
}

/// Checks one value; `ByInteraction` must have been resolved by the caller.
pub(super) fn check(kind: &Type, value: &str, remarks: &mut Remarks) -> Result<(), Failure> {
    match kind {
        Type::Text { spm } => {
            remark_length(value, *spm, remarks);
            Ok(())
        }
        Type::Vocabulary { values } => ok(values.iter().any(|word| word == value)),
        Type::Real { blank: true, .. } if value.is_empty() => Ok(()),
        Type::Real { min, max, .. } => within(real(value).ok_or(Failure::Type)?, *min, *max),
        Type::Integer { min, max } => {
            let digits = value.strip_prefix(['-', '+']).unwrap_or(value);
            if !all_digits(digits) {
                return Err(Failure::Type);
            }
            within(real(value).ok_or(Failure::Type)?, *min, *max)
        }
        Type::RealOrWord { values } => {
            ok(values.iter().any(|word| word == value) || real(value).is_some())
        }
        Type::Duration => {
            if let Some((_, fraction)) = value.split_once('.')
                && fraction.len() > "00S".len()
            {
                remarks.push("more than 2 decimals".to_owned());
            }
            ok(parse_duration(value).is_some())
        }
        Type::Timestamp => ok(timestamp(value)),
        Type::Time => ok(time(value)),
        Type::Timespan => ok(parse_timespan(value).is_some()),
        Type::Identifier { spm } => {
            remark_length(value, *spm, remarks);
            ok(solid(value))
        }
        Type::ShortIdentifier { spm } | Type::LongIdentifier { spm } => {
            remark_length(value, *spm, remarks);
            ok(uri(value))
        }
        Type::Language { blank, spm } => {
            remark_length(value, *spm, remarks);
            ok((value.is_empty() && *blank) || language(value))
        }
        Type::Localized { spm } => {
            remark_length(localized(value)?, *spm, remarks);
            Ok(())
        }
        Type::Delimited { delimiters, spm, .. } => {
            remark_length(localized(undelimited(value, delimiters)?)?, *spm, remarks);
            Ok(())
        }
        Type::Texts { delimiters, spm, text_spm } => {
            let list: Vec<&str> = undelimited(value, delimiters)?.split("[,]").collect();
            remark_count(list.len(), *spm, remarks);
            for piece in list {
                remark_length(localized(piece)?, *text_spm, remarks);
            }
            Ok(())
        }
        Type::Identifiers { empty, unique, spm } => {
            let list = pieces(value, "[,]");
            remark_count(list.len(), *spm, remarks);
            let distinct = !unique || list.iter().collect::<HashSet<_>>().len() == list.len();
            ok((*empty || !list.is_empty()) && distinct && list.iter().all(|id| uri(id)))
        }
        Type::Pairs { empty, spm } => {
            let list = pieces(value, "[,]");
            remark_count(list.len(), *spm, remarks);
            let paired = |piece: &&str| {
                piece.split_once("[.]").is_some_and(|(source, target)| uri(source) && uri(target))
            };
            ok((*empty || !list.is_empty()) && list.iter().all(paired))
        }
        Type::Steps { empty, delimiters, spm, text_spm } => {
            let list = pieces(undelimited(value, delimiters)?, "[,]");
            remark_count(list.len(), *spm, remarks);
            for piece in &list {
                let (name, answer) = piece.split_once("[.]").ok_or(Failure::Type)?;
                let named = name.is_empty() || uri(name);
                if !named || answer.contains("[.]") || (name.is_empty() && answer.is_empty()) {
                    return Err(Failure::Type);
                }
                remark_length(answer, *text_spm, remarks);
            }
            ok(*empty || !list.is_empty())
        }
        Type::Range => range(value, remarks),
        Type::Marks { braces, spm } => {
            remark_length(value, *spm, remarks);
            ok(pieces(unbraced(value, *braces), ",").iter().all(|mark| solid(mark)))
        }
        Type::MarkedPairs { braces, spm } => {
            remark_length(value, *spm, remarks);
            let paired = |piece: &&str| {
                piece.split_once('.').is_some_and(|(left, right)| {
                    solid(left) && solid(right) && !right.contains('.')
                })
            };
            ok(pieces(unbraced(value, *braces), ",").iter().all(paired))
        }
        Type::Navigation { values, targets } => {
            ok(values.iter().any(|word| word == value) || targeted(value, targets))
        }
        Type::Children | Type::Count | Type::RequestValid { .. } | Type::ByInteraction { .. } => {
            Err(Failure::Type)
        }
    }
}

/// What is stored of an accepted value: a long text that is nothing but delimiters is an empty one.
pub(super) fn wording<'a>(kind: &Type, value: &'a str) -> &'a str {
    match kind {
        Type::Delimited { delimiters, blank_is_empty: true, .. }
            if undelimited(value, delimiters).and_then(localized) == Ok("") =>
        {
            ""
        }
        _ => value,
    }
}

fn ok(condition: bool) -> Result<(), Failure> {
    if condition { Ok(()) } else { Err(Failure::Type) }
}

fn within(number: f64, min: Option<f64>, max: Option<f64>) -> Result<(), Failure> {
    if min.is_some_and(|min| number < min) || max.is_some_and(|max| number > max) {
        Err(Failure::Range)
    } else {
        Ok(())
    }
}

fn remark_length(value: &str, spm: Option<usize>, remarks: &mut Remarks) {
    if let Some(spm) = spm
        && length(value) > spm
    {
        remarks.push(format!("longer than {spm} characters"));
    }
}

fn remark_count(parts: usize, spm: Option<usize>, remarks: &mut Remarks) {
    if let Some(spm) = spm
        && parts > spm
    {
        remarks.push(format!("more than {spm} parts"));
    }
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A decimal number without exponent: `7`, `-0.5`, `.5`, `5.`.
pub(super) fn real(value: &str) -> Option<f64> {
    let unsigned = value.strip_prefix(['-', '+']).unwrap_or(value);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let part = |text: &str| text.is_empty() || all_digits(text);
    if !part(whole) || !part(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    value.parse().ok()
}

/// Pieces between reserved tokens; an empty value has none.
fn pieces<'a>(value: &'a str, token: &'a str) -> Vec<&'a str> {
    if value.is_empty() { Vec::new() } else { value.split(token).collect() }
}

fn unbraced(value: &str, braces: bool) -> &str {
    let inner = value.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    if braces { inner.unwrap_or(value) } else { value }
}

fn blank(character: char) -> bool {
    character <= ' ' || character == '\u{7f}'
}

/// Not empty and without blanks.
fn solid(value: &str) -> bool {
    !value.is_empty() && !value.contains(blank)
}

/// A URI as RFC 3986 and RFC 2141 (for `urn:`) spell it; characters beyond ASCII are let through.
pub(super) fn uri(value: &str) -> bool {
    let refused = |character: char| blank(character) || "\"<>\\^`{|}[]".contains(character);
    if value.is_empty() || value.contains(refused) {
        return false;
    }
    let Some(rest) =
        value.get(..4).filter(|scheme| scheme.eq_ignore_ascii_case("urn:")).and(value.get(4..))
    else {
        return true;
    };
    rest.split_once(':').is_some_and(|(namespace, specific)| {
        !specific.is_empty()
            && (1..=32).contains(&namespace.len())
            && !namespace.starts_with('-')
            && namespace.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    })
}

/// `langcode ["-" subcode]*` (RTE 4.1.1.7).
fn language(value: &str) -> bool {
    let tag = |tag: &str| {
        (1..=8).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    if !value.split('-').all(tag) {
        return false;
    }
    let (first, more) = value.split_once('-').unwrap_or((value, ""));
    let first = first.to_ascii_lowercase();
    if first == "i" || first == "x" {
        return !more.is_empty();
    }
    let local = matches!(first.as_bytes(), [b'q', b'a'..=b't', b'a'..=b'z']);
    local || Table::built_in().language_tags.contains(&first)
}

/// The text after an optional `{lang=..}` that must name a language.
fn localized(value: &str) -> Result<&str, Failure> {
    let Some(rest) = value.strip_prefix("{lang=") else {
        return Ok(value);
    };
    match rest.split_once('}') {
        Some((tag, text)) if language(tag) => Ok(text),
        _ => Err(Failure::Type),
    }
}

/// The text after the named boolean delimiters, each at most once, in any order (RTE 4.1.1.6).
fn undelimited<'a>(value: &'a str, names: &[String]) -> Result<&'a str, Failure> {
    let mut rest = value;
    let mut open: Vec<&str> = names.iter().map(String::as_str).collect();
    'delimiters: loop {
        for (position, name) in open.iter().enumerate() {
            let after = rest
                .strip_prefix('{')
                .and_then(|rest| rest.strip_prefix(*name))
                .and_then(|rest| rest.strip_prefix('='));
            if let Some(after) = after {
                rest = match after.split_once('}') {
                    Some(("true" | "false", text)) => text,
                    _ => return Err(Failure::Type),
                };
                open.remove(position);
                continue 'delimiters;
            }
        }
        return Ok(rest);
    }
}

/// `min[:]max`, either end open; one number alone is accepted and remarked.
fn range(value: &str, remarks: &mut Remarks) -> Result<(), Failure> {
    let Some((min, max)) = value.split_once("[:]") else {
        remarks.push("one number instead of a range".to_owned());
        return ok(real(value).is_some());
    };
    let end = |text: &str| if text.is_empty() { Ok(None) } else { real(text).map(Some).ok_or(()) };
    match (end(min), end(max)) {
        (Ok(Some(min)), Ok(Some(max))) => ok(min <= max),
        (Ok(_), Ok(_)) => Ok(()),
        _ => Err(Failure::Type),
    }
}

/// `{target=ID}choice` or `{target=ID}jump`.
fn targeted(value: &str, targets: &[String]) -> bool {
    value.strip_prefix("{target=").and_then(|rest| rest.split_once('}')).is_some_and(
        |(target, word)| {
            solid(target) && !target.contains('{') && targets.iter().any(|known| known == word)
        },
    )
}

/// Two digits below a limit.
fn pair(text: &str, limit: u32) -> bool {
    text.len() == 2 && all_digits(text) && text.parse().is_ok_and(|number: u32| number < limit)
}

fn hundredths(text: &str) -> bool {
    text.len() <= 2 && all_digits(text)
}

/// CMITime: `HH:MM:SS` with at most two decimals.
fn time(value: &str) -> bool {
    let (clock, fraction) = value.split_once('.').unwrap_or((value, "0"));
    let mut parts = clock.split(':');
    let mut next = |limit| parts.next().is_some_and(|part| pair(part, limit));
    next(24) && next(60) && next(60) && parts.next().is_none() && hundredths(fraction)
}

/// `time(second,10,0)` of SCORM 2004: any prefix of `YYYY-MM-DDThh:mm:ss.ssTZD`, a time zone only
/// after decimals of a second.
fn timestamp(value: &str) -> bool {
    let (date, clock) = match value.split_once('T') {
        Some((date, clock)) => (date, Some(clock)),
        None => (value, None),
    };
    let mut parts = date.split('-');
    let year = parts.next().filter(|year| year.len() == 4 && all_digits(year));
    let Some(year) = year.and_then(|year| year.parse::<u32>().ok()) else {
        return false;
    };
    let (month, day) = (parts.next(), parts.next());
    let number = |text: &str| pair(text, 100).then(|| text.parse::<u32>().ok()).flatten();
    let month_number = month.map_or(Some(1), number);
    let day_number = day.map_or(Some(1), number);
    let (Some(month_number), Some(day_number)) = (month_number, day_number) else {
        return false;
    };
    (1970..=2038).contains(&year)
        && (1..=days_in_month(year, month_number)).contains(&day_number)
        && parts.next().is_none()
        && match clock {
            None => true,
            Some(clock) => day.is_some() && clock_with_zone(clock),
        }
}

fn days_in_month(year: u32, month: u32) -> u32 {
    let leap = (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    }
}

fn clock_with_zone(clock: &str) -> bool {
    let (clock, fraction) = match clock.split_once('.') {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (clock, None),
    };
    let parts: Vec<&str> = clock.split(':').collect();
    let formed = match parts.as_slice() {
        [hour] => pair(hour, 24),
        [hour, minute] => pair(hour, 24) && pair(minute, 60),
        [hour, minute, second] => pair(hour, 24) && pair(minute, 60) && pair(second, 60),
        _ => false,
    };
    formed && fraction.is_none_or(|fraction| parts.len() == 3 && fraction_with_zone(fraction))
}

fn fraction_with_zone(text: &str) -> bool {
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (fraction, zone) = text.split_at(end);
    if !hundredths(fraction) {
        return false;
    }
    if zone.is_empty() || zone == "Z" {
        return true;
    }
    let Some(offset) = zone.strip_prefix(['+', '-']) else {
        return false;
    };
    match offset.split_once(':') {
        Some((hour, minute)) => pair(hour, 24) && pair(minute, 60),
        None => pair(offset, 24),
    }
}
