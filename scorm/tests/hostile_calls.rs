//! Calls of the run-time API made to fill memory or to waste time.

use std::time::{Duration, Instant};

use scorm::runtime::{Edition, Launch, Model, ObjectiveSeed};

const PATIENCE: Duration = Duration::from_secs(20);

fn in_time<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let result = work();
    let spent = begun.elapsed();
    assert!(spent < PATIENCE, "{what} took {spent:?}");
    result
}

fn model() -> Model {
    Model::new(Edition::V2004, &Launch::default())
}

#[test]
fn ten_thousand_identifiers_are_told_apart_in_time() {
    let mut model = model();
    in_time("objectives", || {
        for index in 0..10_000 {
            let element = format!("cmi.objectives.{index}.id");
            assert_eq!(model.set(&element, &format!("objective-{index}")), 0);
        }
    });
    assert_eq!(model.set("cmi.objectives.10000.id", "one more"), 351);
    assert_eq!(model.set("cmi.objectives.9999.id", "objective-9999"), 0);
    assert_eq!(model.set("cmi.objectives.9999.id", "renamed"), 351);
    let launch = Launch {
        objectives: (0..10_000)
            .map(|index| ObjectiveSeed {
                id: format!("objective-{}", 9_999 - index),
                ..ObjectiveSeed::default()
            })
            .collect(),
        ..Launch::default()
    };
    let again =
        in_time("a resumption", || Model::running(Edition::V2004, &launch, &model.snapshot()));
    assert_eq!(again.count("cmi.objectives"), 10_000);
}

#[test]
fn what_is_unique_stays_so_however_it_is_changed() {
    let mut model = model();
    for (element, value, code) in [
        ("cmi.interactions.0.id", "q", 0),
        ("cmi.interactions.0.objectives.0.id", "a", 0),
        ("cmi.interactions.0.objectives.1.id", "a", 351),
        ("cmi.interactions.0.objectives.1.id", "b", 0),
        ("cmi.interactions.0.objectives.0.id", "c", 0),
        // `a` is free again.
        ("cmi.interactions.0.objectives.2.id", "a", 0),
        ("cmi.interactions.0.objectives.1.id", "a", 351),
        ("cmi.interactions.0.type", "choice", 0),
        ("cmi.interactions.0.correct_responses.0.pattern", "x[,]y", 0),
        // A choice is a set of answers, whatever their order.
        ("cmi.interactions.0.correct_responses.1.pattern", "y[,]x", 351),
        ("cmi.interactions.0.correct_responses.1.pattern", "y", 0),
        ("cmi.interactions.0.correct_responses.0.pattern", "x", 0),
        ("cmi.interactions.0.correct_responses.2.pattern", "y[,]x", 0),
        // Another interaction's are its own.
        ("cmi.interactions.1.id", "q", 0),
        ("cmi.interactions.1.type", "sequencing", 0),
        ("cmi.interactions.1.correct_responses.0.pattern", "x[,]y", 0),
        ("cmi.interactions.1.correct_responses.1.pattern", "y[,]x", 0),
        ("cmi.interactions.1.correct_responses.2.pattern", "x[,]y", 351),
    ] {
        assert_eq!(model.set(element, value), code, "{element} {value}");
    }
    let restored = Model::running(Edition::V2004, &Launch::default(), &model.snapshot());
    let mut restored = restored;
    assert_eq!(restored.set("cmi.interactions.0.objectives.3.id", "a"), 351);
}

#[test]
fn a_model_is_full_one_day_and_says_so() {
    let mut model = model();
    let element = |index: usize| format!("cmi.comments_from_learner.{index}.comment");
    let long = "x".repeat(65_000);
    let full = (0..200).find(|index| model.set(&element(*index), &long) != 0);
    let full = full.expect("it is full");
    assert_eq!(full, 8_388_608 / 65_036, "eight mebi-characters, names included");
    assert_eq!(model.set(&element(full), &long), 351);
    assert_eq!(model.set("cmi.suspend_data", &long), 351);
    // What is there may be replaced, and room is room again.
    assert_eq!(model.set(&element(0), &long), 0);
    assert_eq!(model.set(&element(0), "short"), 0);
    assert_eq!(model.set("cmi.suspend_data", &long), 0);
    // The same for what was stored before.
    let mut again = Model::running(Edition::V2004, &Launch::default(), &model.snapshot());
    assert_eq!(again.set(&element(full), &long), 351);
    assert_eq!(again.set("cmi.location", "page 3"), 0);
}

#[test]
fn a_hundred_thousand_pairs_are_merged_in_time() {
    let pairs: Vec<(String, String)> = (0..100_000)
        .map(|number| match number % 4 {
            0 => (format!("cmi.interactions.{}.id", number / 4), format!("q{number}")),
            1 => (format!("cmi.interactions.{}.type", number / 4), "choice".to_owned()),
            2 => (format!("cmi.unknown.{number}"), "x".repeat(20)),
            _ => ("cmi.location".to_owned(), format!("page {number}")),
        })
        .collect();
    let mut model = model();
    let refusals = in_time("a delta", || {
        model.apply(pairs.iter().map(|(element, value)| (element.as_str(), value.as_str())))
    });
    // 25,000 elements nobody knows, and the records beyond the ten thousandth.
    assert_eq!(refusals.len(), 25_000 + 2 * 15_000);
    assert_eq!(model.get("cmi.location").0, "page 99999");
    assert!(model.notes().len() <= 100);
}
