//! What a credential says, frozen when it is issued.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::web::{Lang, dates};

/// Every word that is printed. Fields added later have a default, so that what was issued before
/// stays readable.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// `None` when the platform told no name.
    pub holder: Option<String>,
    /// The course's or the event's.
    pub title: String,
    /// How long it took, or how long somebody was present.
    pub minutes: i64,
    /// How long the event was meant to take, where that is known.
    #[serde(default)]
    pub foreseen_minutes: Option<i64>,
    pub from: DateTime<Utc>,
    pub until: DateTime<Utc>,
    /// Each date of an event; empty for a course.
    #[serde(default)]
    pub dates: Vec<Held>,
    /// Between 0 and 1; `None` when nothing was scored.
    pub score: Option<f64>,
    pub issuer: String,
    pub signatory_name: String,
    pub signatory_title: String,
    /// The name of the zone that dates are written in: `Europe/Paris`.
    pub time_zone: String,
    pub remote: bool,
    /// Where it was held, when it was not at a distance.
    #[serde(default)]
    pub place: Option<String>,
    /// Who led the event.
    #[serde(default)]
    pub trainer: Option<String>,
}

/// One date of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    pub from: DateTime<Utc>,
    pub until: DateTime<Utc>,
}

impl Facts {
    /// The zone of its dates; an unknown name counts as UTC.
    pub fn zone(&self) -> Tz {
        self.time_zone.parse().unwrap_or(Tz::UTC)
    }

    /// Whether it began and ended on one day of its zone.
    pub fn is_one_day(&self) -> bool {
        let day = |at: DateTime<Utc>| at.with_timezone(&self.zone()).date_naive();
        day(self.from) == day(self.until)
    }

    /// `23 novembre 2026`, `du 3 au 23 novembre 2026`, `du 3 octobre au 23 novembre 2026`.
    pub fn period(&self, lang: Lang) -> String {
        let day = |at| dates::day(lang, at, self.zone());
        let (from, until) = (day(self.from), day(self.until));
        if self.is_one_day() {
            return until;
        }
        // Day, month, year: what both dates share is said once, at the end.
        let (first, last): (Vec<_>, Vec<_>) =
            (from.split(' ').collect(), until.split(' ').collect());
        let shared = first.iter().rev().zip(last.iter().rev()).take_while(|(a, b)| a == b).count();
        let from = first.iter().take(first.len() - shared).copied().collect::<Vec<_>>().join(" ");
        match lang {
            Lang::Fr => format!("du {from} au {until}"),
            Lang::En => format!("{from} to {until}"),
        }
    }

    /// `90 %`, `90%`: rounded down, so that nobody reads a mark that was not reached.
    pub fn percent(&self, lang: Lang) -> Option<String> {
        let score = self.score.filter(|score| score.is_finite())?;
        // 0.29 × 100 is 28.999… in binary: a little is added before rounding down.
        let percent = (score.clamp(0.0, 1.0) * 100.0 + 1e-9).floor();
        Some(match lang {
            Lang::Fr => format!("{percent:.0}\u{a0}%"),
            Lang::En => format!("{percent:.0}%"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(from: &str, until: &str) -> Facts {
        let zone = chrono_tz::Europe::Paris;
        Facts {
            from: dates::parse_local(from, zone).expect("an hour that exists"),
            until: dates::parse_local(until, zone).expect("an hour that exists"),
            time_zone: zone.name().to_owned(),
            ..Facts::default()
        }
    }

    #[test]
    fn a_period_says_once_what_its_dates_share() {
        let one = facts("2026-11-23T00:10", "2026-11-23T23:50");
        assert_eq!(one.period(Lang::Fr), "23 novembre 2026");
        let month = facts("2026-11-01T09:00", "2026-11-23T10:00");
        assert_eq!(month.period(Lang::Fr), "du 1er au 23 novembre 2026");
        assert_eq!(month.period(Lang::En), "1 to 23 November 2026");
        let year = facts("2026-10-23T09:00", "2026-11-23T10:00");
        assert_eq!(year.period(Lang::Fr), "du 23 octobre au 23 novembre 2026");
        let years = facts("2025-11-23T09:00", "2026-11-23T10:00");
        assert_eq!(years.period(Lang::En), "23 November 2025 to 23 November 2026");
    }

    #[test]
    fn a_score_is_rounded_down() {
        let percent = |score| Facts { score, ..Facts::default() }.percent(Lang::En);
        assert_eq!(percent(Some(0.29)).as_deref(), Some("29%"));
        assert_eq!(percent(Some(0.7999)).as_deref(), Some("79%"));
        assert_eq!(percent(Some(7.0)).as_deref(), Some("100%"));
        assert_eq!(percent(Some(f64::NAN)), None);
        assert_eq!(percent(None), None);
    }
}
