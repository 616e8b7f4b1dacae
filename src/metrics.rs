//! What the service counts and times, for Prometheus (`docs/operations.md`).
//!
//! Every process has its own instruments, handed on like the database: tests that run side by side
//! count for themselves. Labels are words of ours, never something that was sent: their number is
//! known.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

/// The media type of [`Metrics::text`].
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type Word = Cow<'static, str>;
type Labels<const N: usize> = [(&'static str, Word); N];
type Counters<const N: usize> = Family<Labels<N>, Counter>;
type Timers = Family<Labels<1>, Histogram, fn() -> Histogram>;

/// The instruments. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Arc<Registry>,
    launches: Counters<1>,
    launch_time: Timers,
    key_sets: Counters<1>,
    tokens: Counters<1>,
    scores: Counters<1>,
    jobs: Counters<2>,
    mails: Counters<1>,
    commits: Counters<1>,
    group_units: Histogram,
    group_commit: Histogram,
}

/// What is counted in the database when somebody asks; nothing of it is there while the database
/// does not answer.
#[derive(Debug, Default)]
pub struct Depths {
    /// Kind, state (`queued`, `failed`), number.
    pub jobs: Vec<(String, String, i64)>,
    /// For how long the oldest job that is due has waited.
    pub oldest_due: Duration,
    /// State, number; without the accepted ones.
    pub mails: Vec<(&'static str, i64)>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("passerelle");
        let version = Family::<Labels<1>, Gauge>::default();
        version.get_or_create(&[("version", Word::from(env!("CARGO_PKG_VERSION")))]).set(1);
        registry.register("build", "The release that runs", version);
        let metrics = Self {
            registry: Arc::default(),
            launches: Family::default(),
            launch_time: Family::new_with_constructor(milliseconds),
            key_sets: Family::default(),
            tokens: Family::default(),
            scores: Family::default(),
            jobs: Family::default(),
            mails: Family::default(),
            commits: Family::default(),
            group_units: Histogram::new(exponential_buckets(1.0, 2.0, 8)),
            group_commit: milliseconds(),
        };
        registry.register(
            "launches",
            "Launches and logins that ended, by outcome: accepted, repeated, or the code of the refusal",
            metrics.launches.clone(),
        );
        registry.register_with_unit(
            "launch",
            "Time of a launch that was verified: verify (its checks alone), launch (all of it)",
            Unit::Seconds,
            metrics.launch_time.clone(),
        );
        registry.register(
            "key_set_fetches",
            "Platforms' key sets asked for, by result",
            metrics.key_sets.clone(),
        );
        registry.register(
            "token_fetches",
            "Access tokens asked for, by result",
            metrics.tokens.clone(),
        );
        registry.register("scores", "Scores settled, by outcome", metrics.scores.clone());
        registry.register("jobs", "Runs of jobs, by kind and result", metrics.jobs.clone());
        registry.register(
            "mails",
            "Tries to send a mail, by state after it",
            metrics.mails.clone(),
        );
        registry.register("commits", "Runtime commits, by outcome", metrics.commits.clone());
        registry.register(
            "group_units",
            "Launches and commits that shared one transaction (SQLite)",
            metrics.group_units.clone(),
        );
        registry.register_with_unit(
            "group_commit",
            "Time of the commit of such a transaction: its wait for the disk",
            Unit::Seconds,
            metrics.group_commit.clone(),
        );
        Self { registry: Arc::new(registry), ..metrics }
    }

    /// A launch or login ended: `accepted`, `repeated`, or the code of the refusal.
    pub fn launch(&self, outcome: &'static str) {
        self.launches.get_or_create(&[("outcome", outcome.into())]).inc();
    }

    /// How long a launch took: `verify`, its checks alone; `launch`, all of it.
    pub fn launch_took(&self, step: &'static str, time: Duration) {
        self.launch_time.get_or_create(&[("step", step.into())]).observe(time.as_secs_f64());
    }

    pub fn key_set(&self, result: &'static str) {
        self.key_sets.get_or_create(&[("result", result.into())]).inc();
    }

    pub fn token(&self, result: &'static str) {
        self.tokens.get_or_create(&[("result", result.into())]).inc();
    }

    pub fn score(&self, outcome: &'static str) {
        self.scores.get_or_create(&[("outcome", outcome.into())]).inc();
    }

    /// `kind` is what we stored: one of a handful.
    pub fn job(&self, kind: &str, result: &'static str) {
        let labels = [("kind", kind.to_owned().into()), ("result", result.into())];
        self.jobs.get_or_create(&labels).inc();
    }

    pub fn mail(&self, state: &'static str) {
        self.mails.get_or_create(&[("state", state.into())]).inc();
    }

    pub fn commit(&self, outcome: &'static str) {
        self.commits.get_or_create(&[("outcome", outcome.into())]).inc();
    }

    /// A group of units of work was written; `commit` is the wait for the disk.
    pub fn group(&self, units: usize, commit: Duration) {
        self.group_units.observe(units as f64);
        self.group_commit.observe(commit.as_secs_f64());
    }

    /// Everything as OpenMetrics text; `None` for `depths` while the database does not answer.
    pub fn text(&self, depths: Option<&Depths>) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode_registry(&mut text, &self.registry)?;
        encode_registry(&mut text, &now(depths))?;
        encode_eof(&mut text)?;
        Ok(text)
    }
}

/// Half a millisecond to half a minute.
fn milliseconds() -> Histogram {
    Histogram::new(exponential_buckets(0.0005, 2.0, 16))
}

fn now(depths: Option<&Depths>) -> Registry {
    let mut registry = Registry::with_prefix("passerelle");
    let database = Gauge::<i64>::default();
    database.set(depths.is_some().into());
    registry.register("database_up", "Whether the database answers", database);
    let Some(depths) = depths else { return registry };
    let jobs = Family::<Labels<2>, Gauge>::default();
    for (kind, state, number) in &depths.jobs {
        let labels = [("kind", kind.clone().into()), ("state", state.clone().into())];
        jobs.get_or_create(&labels).set(*number);
    }
    registry.register("jobs_waiting", "Jobs that are not done, by kind and state", jobs);
    let oldest = Gauge::<f64, std::sync::atomic::AtomicU64>::default();
    oldest.set(depths.oldest_due.as_secs_f64());
    registry.register_with_unit(
        "jobs_oldest_due",
        "For how long the oldest due job has waited",
        Unit::Seconds,
        oldest,
    );
    let mails = Family::<Labels<1>, Gauge>::default();
    for (state, number) in &depths.mails {
        mails.get_or_create(&[("state", (*state).into())]).set(*number);
    }
    registry.register("mails_unsettled", "Mails that are not accepted, by state", mails);
    registry
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_holds_what_was_counted_and_ends_as_it_must() {
        let metrics = Metrics::new();
        metrics.launch("accepted");
        metrics.launch("accepted");
        metrics.launch("nonce-mismatch");
        metrics.launch_took("verify", Duration::from_micros(400));
        metrics.job("send-score", "done");
        metrics.group(5, Duration::from_millis(3));
        let depths = Depths {
            jobs: vec![("send-score".to_owned(), "queued".to_owned(), 7)],
            oldest_due: Duration::from_secs(90),
            mails: vec![("unknown", 2)],
        };
        let text = metrics.text(Some(&depths)).expect("a text");
        for line in [
            "passerelle_launches_total{outcome=\"accepted\"} 2",
            "passerelle_launches_total{outcome=\"nonce-mismatch\"} 1",
            "passerelle_launch_seconds_count{step=\"verify\"} 1",
            "passerelle_launch_seconds_bucket{le=\"0.0005\",step=\"verify\"} 1",
            "passerelle_jobs_total{kind=\"send-score\",result=\"done\"} 1",
            "passerelle_group_units_sum 5.0",
            "passerelle_database_up 1",
            "passerelle_jobs_waiting{kind=\"send-score\",state=\"queued\"} 7",
            "passerelle_jobs_oldest_due_seconds 90.0",
            "passerelle_mails_unsettled{state=\"unknown\"} 2",
        ] {
            assert!(text.lines().any(|found| found == line), "no {line} in\n{text}");
        }
        assert!(text.ends_with("# EOF\n") && text.matches("# EOF").count() == 1, "{text}");
        // What an instrument is told once must not appear twice: scrapers refuse the whole page.
        let types = text.lines().filter(|line| line.starts_with("# TYPE "));
        let mut names: Vec<&str> = types.filter_map(|line| line.split(' ').nth(2)).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all, "{names:?}");

        let silent = metrics.text(None).expect("a text");
        assert!(silent.contains("passerelle_database_up 0"), "{silent}");
        assert!(!silent.contains("jobs_waiting{"), "{silent}");
    }
}
