//! Spans of time in hundredths of a second, the resolution of both editions.

/// The longest time one session can add: 366 days. A SCO that reports more is mistaken.
pub const SESSION_TIME_CAP: u64 = 366 * 24 * HOUR;

const SECOND: u64 = 100;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// A twelfth of 365.25 days.
const MONTH: u64 = 2_629_800 * SECOND;
const YEAR: u64 = 12 * MONTH;

/// Reads an ISO 8601 duration as SCORM 2004 restricts it (RTE 4.1.1.7 `timeinterval`). Digits
/// beyond hundredths are dropped; a value too large to count is the largest.
pub fn parse_duration(value: &str) -> Option<u64> {
    let (date, time) = match value.strip_prefix('P')?.split_once('T') {
        Some((_, "")) => return None,
        Some((date, time)) => (date, time),
        None => (value.strip_prefix('P')?, ""),
    };
    if date.is_empty() && time.is_empty() {
        return None;
    }
    let (total, rest) = fields(date, &[('Y', YEAR), ('M', MONTH), ('D', DAY)]);
    if !rest.is_empty() {
        return None;
    }
    let (more, rest) = fields(time, &[('H', HOUR), ('M', MINUTE)]);
    let total = total.saturating_add(more);
    if rest.is_empty() {
        return Some(total);
    }
    Some(total.saturating_add(seconds(rest.strip_suffix('S')?)?))
}

/// Reads leading `digits unit` fields, each at most once and in order.
fn fields<'a>(mut text: &'a str, units: &[(char, u64)]) -> (u64, &'a str) {
    let mut total = 0_u64;
    for (unit, size) in units {
        if let Some((number, rest)) = text.split_once(*unit)
            && digits(number)
        {
            total = total.saturating_add(count(number).saturating_mul(*size));
            text = rest;
        }
    }
    (total, text)
}

/// `ss` or `ss.fraction` in hundredths.
fn seconds(text: &str) -> Option<u64> {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) if digits(fraction) => (whole, fraction),
        Some(_) => return None,
        None => (text, ""),
    };
    if !digits(whole) {
        return None;
    }
    let mut hundredths: String = fraction.chars().take(2).collect();
    while hundredths.len() < 2 {
        hundredths.push('0');
    }
    Some(count(whole).saturating_mul(SECOND).saturating_add(count(&hundredths)))
}

/// Reads a CMITimespan (SCORM 1.2): `HH:MM:SS` to `HHHH:MM:SS.SS`.
pub fn parse_timespan(value: &str) -> Option<u64> {
    let mut parts = value.split(':');
    let (hours, minutes, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let (whole, fraction) = rest.split_once('.').unwrap_or((rest, "0"));
    let well_formed = parts.next().is_none()
        && digits(hours)
        && (2..=4).contains(&hours.len())
        && digits(minutes)
        && minutes.len() == 2
        && digits(whole)
        && whole.len() == 2
        && digits(fraction)
        && fraction.len() <= 2;
    if !well_formed {
        return None;
    }
    Some(count(hours) * HOUR + count(minutes) * MINUTE + seconds(rest)?)
}

/// Writes hundredths as `PTnHnMnS`, hours unbounded.
pub fn format_duration(hundredths: u64) -> String {
    let (hours, minutes, rest) =
        (hundredths / HOUR, hundredths % HOUR / MINUTE, hundredths % MINUTE);
    let (whole, fraction) = (rest / SECOND, rest % SECOND);
    if fraction == 0 {
        format!("PT{hours}H{minutes}M{whole}S")
    } else {
        format!("PT{hours}H{minutes}M{whole}.{fraction:02}S")
    }
}

/// Writes hundredths as a CMITimespan; more than 9999 hours is written as the largest one.
pub fn format_timespan(hundredths: u64) -> String {
    let capped = hundredths.min(10_000 * HOUR - 1);
    format!(
        "{:04}:{:02}:{:02}.{:02}",
        capped / HOUR,
        capped % HOUR / MINUTE,
        capped % MINUTE / SECOND,
        capped % SECOND
    )
}

/// The time a session adds to the total: what the SCO reported, or the clock when it reported
/// nothing, never more than [`SESSION_TIME_CAP`].
pub fn credited_session_time(reported: Option<u64>, by_the_clock: u64) -> u64 {
    reported.unwrap_or(by_the_clock).min(SESSION_TIME_CAP)
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A string of digits as a number; too many digits are the largest number.
fn count(text: &str) -> u64 {
    text.parse().unwrap_or(u64::MAX)
}
