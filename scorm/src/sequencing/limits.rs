//! Limit conditions: UP.1, and the conditions of rules that ask for a time.
//!
//! SCORM asks an LMS for the attempt limit only and leaves times and dates to it (SN 3.5). Here they
//! are evaluated wherever the caller says what time it is ([`Engine::at`]); without a clock nothing
//! is known about them. The absolute duration of one attempt is not checked before a delivery:
//! SN 3.5.2 has it "strictly to enable" `cmi.max_time_allowed`, upon which the SCO acts, and a
//! learner who took too long once would never get in again. A rule can ask for it
//! (`timeLimitExceeded`).
//!
//! [`Engine::at`]: super::Engine::at

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};

use super::definition::LimitConditions;
use super::rules::Truth;
use super::run::Run;
use super::tree::ActivityIndex;
use crate::runtime::parse_duration;

/// The time limits of an activity, read. What cannot be read does not limit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct TimeLimits {
    /// Seconds.
    attempt_absolute: Option<f64>,
    attempt_experienced: Option<f64>,
    activity_absolute: Option<f64>,
    activity_experienced: Option<f64>,
    /// Unix seconds.
    begin: Option<i64>,
    end: Option<i64>,
}

impl TimeLimits {
    pub(super) fn read(limits: &LimitConditions) -> Self {
        let seconds = |text: Option<&str>| {
            text.and_then(parse_duration).map(|hundredths| hundredths as f64 / 100.0)
        };
        Self {
            attempt_absolute: seconds(limits.attempt_absolute_duration.as_deref()),
            attempt_experienced: seconds(limits.attempt_experienced_duration.as_deref()),
            activity_absolute: seconds(limits.activity_absolute_duration.as_deref()),
            activity_experienced: seconds(limits.activity_experienced_duration.as_deref()),
            begin: limits.begin_time.as_deref().and_then(instant),
            end: limits.end_time.as_deref().and_then(instant),
        }
    }
}

/// An xs:dateTime; without a time zone it is UTC, a date alone is its midnight.
fn instant(text: &str) -> Option<i64> {
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Some(instant.timestamp());
    }
    let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok();
    let local =
        local.or_else(|| Some(text.parse::<NaiveDate>().ok()?.and_time(NaiveTime::default())));
    local.map(|local| local.and_utc().timestamp())
}

impl Run<'_> {
    /// UP.1: whether a new attempt on the activity must not begin.
    pub(super) fn limit_conditions_check(&self, activity: ActivityIndex) -> bool {
        let node = self.node(activity);
        let own = self.of(activity);
        // UP.1, 1 and 2
        if !node.delivery.tracked || own.active || own.suspended {
            return false;
        }
        // UP.1, 3
        if node.limits.attempt_limit.is_some_and(|limit| own.attempts > 0 && own.attempts >= limit)
        {
            return true;
        }
        // UP.1, 4, 5, 7, 8 and 9
        self.now.is_some_and(|now| self.used_up(activity, now) || self.out_of_time(activity, now))
    }

    /// `timeLimitExceeded`: a duration limit was reached, that of one attempt included.
    pub(super) fn time_limit_exceeded(&self, activity: ActivityIndex) -> Truth {
        let now = self.now?;
        let own = self.of(activity);
        let limit = self.node(activity).times.attempt_absolute;
        let spent = own.attempt_absolute + self.under_way(activity, now);
        let too_long = limit.is_some_and(|limit| own.attempts > 0 && spent >= limit);
        Some(too_long || self.used_up(activity, now))
    }

    /// `outsideAvailableTimeRange`.
    pub(super) fn outside_time_range(&self, activity: ActivityIndex) -> Truth {
        Some(self.out_of_time(activity, self.now?))
    }

    fn used_up(&self, activity: ActivityIndex, now: i64) -> bool {
        let (limits, own) = (self.node(activity).times, self.of(activity));
        let reached = |spent: f64, limit: Option<f64>| limit.is_some_and(|limit| spent >= limit);
        own.attempts > 0
            && (reached(
                own.activity_absolute + self.under_way(activity, now),
                limits.activity_absolute,
            ) || reached(own.activity_seconds, limits.activity_experienced)
                || reached(own.attempt_seconds, limits.attempt_experienced))
    }

    fn out_of_time(&self, activity: ActivityIndex, now: i64) -> bool {
        let limits = self.node(activity).times;
        limits.begin.is_some_and(|begin| now < begin) || limits.end.is_some_and(|end| now > end)
    }

    /// Seconds since the attempt began that goes on, suspensions included (SN 3.5.2).
    fn under_way(&self, activity: ActivityIndex, now: i64) -> f64 {
        let own = self.of(activity);
        let began = own.attempt_began.filter(|_| own.active || own.suspended);
        began.map_or(0.0, |began| now.saturating_sub(began).max(0) as f64)
    }

    /// Notes when an attempt began.
    pub(super) fn begin_timing(&mut self, activity: ActivityIndex) {
        let now = self.now;
        let own = self.of_mut(activity);
        own.attempt_began = now;
        own.attempt_absolute = 0.0;
    }

    /// Adds the attempt that ends now to what the activity took.
    pub(super) fn end_timing(&mut self, activity: ActivityIndex) {
        let Some(now) = self.now else { return };
        let spent = self.under_way(activity, now);
        let own = self.of_mut(activity);
        if own.attempt_began.take().is_some() {
            own.attempt_absolute = spent;
            own.activity_absolute += spent;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::instant;

    #[test]
    fn instants_are_read_with_and_without_a_time_zone() {
        let expected = Some(1_767_261_600);
        for text in [
            "2026-01-01T10:00:00Z",
            "2026-01-01T11:00:00+01:00",
            "2026-01-01T10:00:00",
            "2026-01-01T10:00:00.25",
        ] {
            assert_eq!(instant(text), expected, "{text}");
        }
        assert_eq!(instant("2026-01-01"), Some(1_767_225_600));
        for text in ["", "soon", "2026-13-01T00:00:00Z", "10:00:00"] {
            assert_eq!(instant(text), None, "{text}");
        }
    }
}
