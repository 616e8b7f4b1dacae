//! Dates and times as people write them.

use chrono::{DateTime, Datelike as _, TimeZone as _, Timelike as _, Utc};
use chrono_tz::Tz;

use super::locales::Lang;

const MONTHS_FR: [&str; 12] = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
];
const MONTHS_EN: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS_FR: [&str; 7] =
    ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"];
const DAYS_EN: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// `23 novembre 2026`, `23 November 2026`.
pub fn day(lang: Lang, at: DateTime<Utc>, zone: Tz) -> String {
    let local = at.with_timezone(&zone);
    let month = local.month0() as usize;
    match lang {
        Lang::Fr => {
            let day = if local.day() == 1 { "1er".to_owned() } else { local.day().to_string() };
            format!("{day} {} {}", MONTHS_FR[month], local.year())
        }
        Lang::En => format!("{} {} {}", local.day(), MONTHS_EN[month], local.year()),
    }
}

/// `lundi 23 novembre 2026 à 17 h 30`, `Monday 23 November 2026, 17:30`.
pub fn day_and_time(lang: Lang, at: DateTime<Utc>, zone: Tz) -> String {
    let local = at.with_timezone(&zone);
    let weekday = local.weekday().num_days_from_monday() as usize;
    match lang {
        Lang::Fr => {
            format!("{} {} à {}", DAYS_FR[weekday], day(lang, at, zone), time(lang, at, zone))
        }
        Lang::En => {
            format!("{} {}, {}", DAYS_EN[weekday], day(lang, at, zone), time(lang, at, zone))
        }
    }
}

/// `17 h 30`, `17:30`.
pub fn time(lang: Lang, at: DateTime<Utc>, zone: Tz) -> String {
    let local = at.with_timezone(&zone);
    match lang {
        // A narrow place must not break "17 h 30" over two lines.
        Lang::Fr => format!("{}\u{a0}h\u{a0}{:02}", local.hour(), local.minute()),
        Lang::En => format!("{:02}:{:02}", local.hour(), local.minute()),
    }
}

/// `1 h 15`, `45 min`: how long a course or an event takes.
pub fn duration(minutes: i64) -> String {
    let (hours, rest) = (minutes / 60, minutes % 60);
    match (hours, rest) {
        (0, rest) => format!("{rest}\u{a0}min"),
        (hours, 0) => format!("{hours}\u{a0}h"),
        (hours, rest) => format!("{hours}\u{a0}h\u{a0}{rest:02}"),
    }
}

/// The instant of `2026-11-23T17:30` on the clocks of `zone`. In the hour that exists twice it is
/// the first; in the hour that does not exist there is none.
pub fn parse_local(text: &str, zone: Tz) -> Option<DateTime<Utc>> {
    let local = chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M").ok()?;
    Some(zone.from_local_datetime(&local).earliest()?.with_timezone(&Utc))
}

/// `2026-11-23T17:30`, for a form field.
pub fn local_field(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%Y-%m-%dT%H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::Europe::Paris;

    #[test]
    fn dates_are_written_as_people_write_them() {
        let at = parse_local("2026-12-01T09:05", Paris).expect("an hour that exists");
        assert_eq!(day_and_time(Lang::Fr, at, Paris), "mardi 1er décembre 2026 à 9\u{a0}h\u{a0}05");
        assert_eq!(day_and_time(Lang::En, at, Paris), "Tuesday 1 December 2026, 09:05");
        assert_eq!(local_field(at, Paris), "2026-12-01T09:05");
        assert_eq!(
            (duration(45), duration(60), duration(75)),
            ("45\u{a0}min".to_owned(), "1\u{a0}h".to_owned(), "1\u{a0}h\u{a0}15".to_owned())
        );
    }

    #[test]
    fn the_hour_that_summer_time_skips_does_not_exist() {
        assert_eq!(parse_local("2027-03-28T02:30", Paris), None);
        assert!(parse_local("2026-10-25T02:30", Paris).is_some());
        assert_eq!(parse_local("yesterday", Paris), None);
    }
}
