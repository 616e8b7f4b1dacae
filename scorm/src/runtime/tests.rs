//! Tests of the rules that the conformance data does not reach.

use super::table::{Table, Type};
use super::*;

fn seed(id: &str) -> ObjectiveSeed {
    ObjectiveSeed { id: id.to_owned(), ..ObjectiveSeed::default() }
}

#[test]
fn every_row_of_the_table_is_complete() {
    for edition in [Edition::V12, Edition::V2004] {
        let spec = Table::built_in().spec(edition);
        for (path, row) in &spec.elements {
            for (dot, _) in path.match_indices(".n") {
                if path[dot + 2..].starts_with('.') {
                    assert!(spec.collections.contains_key(&path[..dot]), "{path}");
                }
            }
            if let Some(needed) = &row.needs {
                assert!(spec.elements.contains_key(needed), "{path}");
            }
            if let Some(rule) = &row.evaluate {
                assert!(spec.elements.contains_key(&rule.threshold), "{path}");
                assert!(spec.elements.contains_key(&rule.measure), "{path}");
            }
            if let Type::ByInteraction { sibling, .. } = &row.kind {
                assert!(spec.elements.contains_key(sibling), "{path}");
            }
            if let (Type::Children, Some(children)) = (&row.kind, &row.default) {
                let parent = path.strip_suffix("_children").unwrap_or_default();
                let parent = if spec.collections.contains_key(parent.trim_end_matches('.')) {
                    format!("{parent}n.")
                } else {
                    parent.to_owned()
                };
                for child in children.split(',') {
                    let full = format!("{parent}{child}");
                    assert!(
                        spec.elements.contains_key(&full) || spec.groups.contains(&full),
                        "{path} names {child}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_value_longer_than_permitted_is_kept_whole_and_noted() {
    let mut model = Model::new(Edition::V2004, &Launch::default());
    let long = "é".repeat(70_000);
    assert_eq!(model.set("cmi.suspend_data", &long), 0);
    assert_eq!(model.get("cmi.suspend_data"), (long, 0));
    assert_eq!(model.notes().len(), 1);
    assert_eq!(model.set("cmi.suspend_data", &"x".repeat(1_048_577)), 351);
    assert_eq!(model.set("cmi.location", &"x".repeat(65_537)), 351);
    assert_eq!(model.get("cmi.location"), (String::new(), 403));
    assert_eq!(model.set("cmi.location", ""), 0);
    assert_eq!(model.get("cmi.location"), (String::new(), 0));
    assert_eq!(model.set("cmi.session_time", "PT1.123S"), 0);
}

#[test]
fn nothing_is_stored_above_a_leaf() {
    for edition in [Edition::V12, Edition::V2004] {
        let mut model = Model::new(edition, &Launch::default());
        let before = model.snapshot();
        for element in
            ["cmi", "cmi.score", "cmi.core", "cmi.objectives", "adl.data", "cmi.interactions.0"]
        {
            assert_eq!(model.set(element, "x"), 401, "{element}");
        }
        assert_eq!(model.snapshot(), before);
    }
}

#[test]
fn a_suspended_attempt_keeps_its_data_and_a_finished_one_does_not() {
    let launch = Launch { objectives: vec![seed("a"), seed("b")], ..Launch::default() };
    let mut model = Model::new(Edition::V2004, &launch);
    for (element, value) in [
        ("cmi.location", "3"),
        ("cmi.objectives.1.success_status", "passed"),
        ("cmi.objectives.2.id", "own"),
        ("cmi.session_time", "PT1M"),
        ("cmi.exit", "suspend"),
    ] {
        assert_eq!(model.set(element, value), 0, "{element}");
    }
    let outcome = model.outcome(true);
    assert!(outcome.suspended);
    assert_eq!(outcome.session_time, Some(6000));
    let snapshot = model.snapshot();
    assert_eq!(snapshot.carried(Edition::V2004, false), None);
    let carried = snapshot.carried(Edition::V2004, true).unwrap_or_default();
    let newer = ObjectiveSeed { success_status: Some("failed".to_owned()), ..seed("b") };
    let again = Launch {
        objectives: vec![seed("a"), newer, seed("c")],
        total_time: 6000,
        entry: Some(Launch::next_entry(Edition::V2004, true, true).to_owned()),
        ..Launch::default()
    };
    let model = Model::resume(Edition::V2004, &again, &carried);
    assert_eq!(model.get("cmi.entry"), ("resume".to_owned(), 0));
    assert_eq!(model.get("cmi.location"), ("3".to_owned(), 0));
    assert_eq!(model.get("cmi.total_time"), ("PT0H1M0S".to_owned(), 0));
    assert_eq!(model.get("cmi.objectives._count"), ("4".to_owned(), 0));
    assert_eq!(model.get("cmi.objectives.1.success_status"), ("failed".to_owned(), 0));
    assert_eq!(model.get("cmi.objectives.3.id"), ("c".to_owned(), 0));
    assert_eq!(model.outcome(false).exit, Exit::Unset);
    // The same session, read again after a reload: what the SCO set is the newest.
    let reloaded = Model::running(Edition::V2004, &again, &snapshot);
    assert_eq!(reloaded.get("cmi.objectives.1.success_status"), ("passed".to_owned(), 0));
    assert_eq!(reloaded.outcome(false).exit, Exit::Suspend);
}

#[test]
fn scorm_1_2_keeps_bookmark_and_suspend_data_whatever_the_exit() {
    let mut model = Model::new(Edition::V12, &Launch::default());
    assert_eq!(
        model.apply([("cmi.core.lesson_location", "7"), ("cmi.core.session_time", "00:01:00")]),
        []
    );
    let carried = model.snapshot().carried(Edition::V12, false).unwrap_or_default();
    let launch = Launch {
        entry: Some(Launch::next_entry(Edition::V12, true, false).to_owned()),
        total_time: 6000,
        ..Launch::default()
    };
    let model = Model::resume(Edition::V12, &launch, &carried);
    assert_eq!(model.get("cmi.core.lesson_location").0, "7");
    assert_eq!(model.get("cmi.core.entry"), (String::new(), 0));
    assert_eq!(model.get("cmi.core.total_time").0, "0000:01:00.00");
    assert_eq!(model.outcome(false).session_time, None);
}

#[test]
fn the_status_of_1_2_becomes_completion_and_success() {
    use CompletionStatus as C;
    use LegacyStatus as L;
    use SuccessStatus as S;
    let table = [
        (L::Passed, None, None, true, false, C::Completed, S::Passed),
        (L::Completed, None, None, true, false, C::Completed, S::Unknown),
        (L::Failed, None, None, true, false, C::Incomplete, S::Failed),
        (L::Incomplete, None, None, true, false, C::Incomplete, S::Unknown),
        (L::Browsed, None, None, true, false, C::Incomplete, S::Unknown),
        (L::NotAttempted, None, None, false, false, C::NotAttempted, S::Unknown),
        (L::NotAttempted, None, None, true, false, C::Completed, S::Unknown),
        (L::NotAttempted, None, None, true, true, C::NotAttempted, S::Unknown),
        (L::NotAttempted, Some(80.0), Some(80.0), true, false, C::Completed, S::Passed),
        (L::Completed, Some(80.0), Some(79.9), true, false, C::Incomplete, S::Failed),
        (L::Completed, Some(80.0), None, true, false, C::Completed, S::Unknown),
        (L::Passed, Some(80.0), Some(10.0), true, false, C::Incomplete, S::Failed),
        (L::Failed, Some(80.0), Some(90.0), true, false, C::Completed, S::Passed),
        (L::Incomplete, Some(80.0), Some(90.0), true, true, C::Incomplete, S::Unknown),
        (L::Browsed, Some(80.0), Some(90.0), true, false, C::Incomplete, S::Unknown),
        (L::Completed, None, Some(10.0), true, false, C::Completed, S::Unknown),
    ];
    for (status, mastery, raw, ended, suspended, completion, success) in table {
        assert_eq!(
            legacy_outcome(status, mastery, raw, ended, suspended),
            (completion, success),
            "{status:?} {mastery:?} {raw:?} {ended} {suspended}"
        );
    }
    let launch = Launch {
        mastery_score: Some(80.0),
        credit: Some("no-credit".to_owned()),
        ..Launch::default()
    };
    let mut model = Model::new(Edition::V12, &launch);
    let delta = [
        ("cmi.core.score.raw", "8"),
        ("cmi.core.score.max", "10"),
        ("cmi.core.lesson_status", "passed"),
    ];
    assert_eq!(model.apply(delta), []);
    let outcome = model.outcome(true);
    assert_eq!(
        (outcome.completion, outcome.success),
        (C::Completed, S::Passed),
        "no credit, no mastery"
    );
    assert_eq!(outcome.score.scaled, Some(0.8));
}

#[test]
fn a_delta_is_applied_in_order_and_each_refusal_is_told() {
    let mut model = Model::new(Edition::V2004, &Launch::default());
    let refusals = model.apply([
        ("cmi.interactions.0.id", "q1"),
        ("cmi.interactions.0.type", "choice"),
        ("cmi.interactions.0.learner_response", "a[,]a"),
        ("cmi.interactions.2.id", "q3"),
        ("cmi.learner_id", "someone else"),
        ("__proto__", "x"),
        ("cmi.interactions.0.learner_response", "a[,]b"),
        ("cmi.interactions.0.objectives.0.id", "o1"),
        ("cmi.interactions.0.correct_responses.0.pattern", "b[,]a"),
        ("cmi.interactions.0.latency", "PT2.5S"),
        ("cmi.interactions.0.result", "correct"),
    ]);
    let codes: Vec<u16> = refusals.iter().map(|refusal| refusal.code).collect();
    assert_eq!(codes, [406, 351, 404, 401]);
    let [record] = model.interactions().try_into().unwrap_or_default();
    let record: InteractionRecord = record;
    assert_eq!(record.response.as_deref(), Some("a[,]b"));
    assert_eq!(
        (record.objectives, record.correct_responses),
        (vec!["o1".to_owned()], vec!["b[,]a".to_owned()])
    );
    assert_eq!(record.latency, Some(250));
}

#[test]
fn times_are_read_and_written_in_hundredths() {
    for (text, hundredths) in [
        ("PT1H2M3.45S", 372_345),
        ("P1D", 8_640_000),
        ("P29DT1S", 250_560_100),
        ("PT0.5S", 50),
        ("P1Y", 3_155_760_000),
        ("P1M", 262_980_000),
    ] {
        assert_eq!(parse_duration(text), Some(hundredths), "{text}");
    }
    for text in ["", "P", "PT", "1H", "P1H", "PT1D", "PT1.S", "PT-1S", "P1M1Y", "PT1S1M"] {
        assert_eq!(parse_duration(text), None, "{text}");
    }
    assert_eq!(format_duration(372_345), "PT1H2M3.45S");
    assert_eq!(parse_timespan("0001:02:03.45"), Some(372_345));
    assert_eq!(format_timespan(372_345), "0001:02:03.45");
    assert_eq!(format_timespan(u64::MAX), "9999:59:59.99");
    assert_eq!(parse_duration("P999999999999999999999Y"), Some(u64::MAX));
    assert_eq!(credited_session_time(Some(u64::MAX), 5), SESSION_TIME_CAP);
    assert_eq!(credited_session_time(None, 500), 500);
}
