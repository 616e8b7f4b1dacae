//! Generated calls: elements from the table, values likely and unlikely, from fixed seeds.

use std::collections::BTreeMap;

use scorm::runtime::{
    DataStore, Edition, Launch, MODEL_TABLE, ObjectiveSeed, RequestValid, StoreAccess,
};
use serde_json::Value;

pub(crate) fn launch() -> Launch {
    Launch {
        learner_id: "learner-1".to_owned(),
        learner_name: "Learner, Élise".to_owned(),
        completion_threshold: Some(0.5),
        scaled_passing_score: Some(0.6),
        mastery_score: Some(60.0),
        objectives: vec![ObjectiveSeed { id: "preset one".to_owned(), ..ObjectiveSeed::default() }],
        stores: [(true, true), (true, false), (false, true)]
            .into_iter()
            .enumerate()
            .map(|(index, (read, write))| DataStore {
                id: format!("store-{index}"),
                value: (index == 1).then(|| "kept".to_owned()),
                access: StoreAccess { read, write },
            })
            .collect(),
        comments_from_lms: vec![["Bonjour".to_owned(), "1".to_owned(), "2024-01-01".to_owned()]],
        request_valid: RequestValid {
            forward: Some(true),
            choice: Some(BTreeMap::from([("a.b".to_owned(), true), ("c".to_owned(), false)])),
            ..RequestValid::default()
        },
        ..Launch::default()
    }
}

pub(crate) fn legacy_launch() -> Launch {
    Launch {
        learner_id: "e.martin".to_owned(),
        learner_name: "Martin, Élise".to_owned(),
        launch_data: Some("start=2".to_owned()),
        mastery_score: Some(80.0),
        max_time_allowed: Some("01:30:00".to_owned()),
        time_limit_action: Some("exit,message".to_owned()),
        ..Launch::default()
    }
}

/// SplitMix64: small, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % below as u64).unwrap_or(0)
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.next(from.len())]
    }
}

const ODD_ELEMENTS: &[&str] = &[
    "",
    "cmi",
    "adl",
    "cmi.",
    ".",
    "cmi..core",
    "cmi.objectives",
    "cmi.n.id",
    "cmi.objectives.n.id",
    "cmi.interactions.NaN.id",
    "cmi.interactions.-1.id",
    "cmi.interactions.1e3.id",
    "cmi.interactions.00.id",
    "cmi.interactions.99999999999.id",
    "cmi.location._children",
    "cmi.location._count",
    "cmi.location._version",
    "cmi.core.student_name._count",
    "cmi.core.score._count",
    "cmi.core._version",
    "cmi.core.bogus",
    "x.y",
    "__proto__",
    "constructor",
    "cmi.__proto__",
    "cmi.toString",
    "adl.nav.request_valid",
    "adl.nav.request_valid.choice.{target=a.b}",
    "adl.nav.request_valid.choice.{target=c}",
    "adl.nav.request_valid.choice.{target=none}",
    "adl.nav.request_valid.choice.{target=}",
    "adl.nav.request_valid.choice.x",
    "adl.nav.request_valid.choicex",
    "adl.nav.request_valid.jump.{target=a}",
    "cmi.objectives.0.score._count",
    "CMI.location",
    "cmi.interactions.0.objectives",
    "cmi.score",
    "adl.data",
];

const VALUES: &[&str] = &[
    "",
    " ",
    "0",
    "1",
    "-1",
    "-0",
    "+1",
    ".5",
    "5.",
    ".",
    "0.5",
    "1.0",
    "1.00000001",
    "-1.0001",
    "100",
    "101",
    "1e3",
    "NaN",
    "Infinity",
    "007",
    "12,5",
    "true",
    "false",
    "t",
    "unknown",
    "passed",
    "failed",
    "completed",
    "incomplete",
    "not attempted",
    "browsed",
    "correct",
    "incorrect",
    "wrong",
    "neutral",
    "suspend",
    "normal",
    "time-out",
    "logout",
    "choice",
    "fill-in",
    "long-fill-in",
    "matching",
    "performance",
    "sequencing",
    "likert",
    "numeric",
    "other",
    "true-false",
    "continue",
    "exitAll",
    "_none_",
    "{target=item-1}choice",
    "{target=}jump",
    "{target=a b}choice",
    "{target=x}exit",
    "a",
    "b",
    "c",
    "a,b",
    "{a,b}",
    "a,,b",
    "a.1,b.2",
    "1.a",
    "a b",
    "urn:",
    "urn:x:y",
    "urn:-x:y",
    "URN:isbn:12",
    "urn:é:x",
    "id[1]",
    "é",
    "a[,]b",
    "b[,]a",
    "a[,]a",
    "[,]",
    "a[,]",
    "a[.]b",
    "a[.]b[,]c[.]d",
    "[.]b",
    "a[.]",
    "[.]",
    "a[.]b[.]c",
    "1[:]2",
    "2[:]1",
    "[:]",
    "1[:]",
    "[:]1[:]",
    "x[:]y",
    "{lang=fr}bonjour",
    "{lang=}x",
    "{lang=zz}x",
    "{lang=fr",
    "{lang=i-klingon}x",
    "{lang=x}y",
    "{lang=qaa}z",
    "{lang=en-toolongsubtag}x",
    "{case_matters=true}a",
    "{case_matters=maybe}a",
    "{order_matters=false}{case_matters=true}a[,]{lang=fr}b",
    "{case_matters=true}{case_matters=false}a",
    "{order_matters=true}a[.]b",
    "{order_matters=x}a[.]b",
    "fr",
    "fr-FR",
    "FR-fr",
    "xx",
    "i",
    "i-default",
    "x-mine",
    "q\u{212a}",
    "PT1H",
    "PT",
    "P",
    "P1Y2M3DT4H5M6.7S",
    "PT1.123S",
    "PT1.S",
    "P1M1Y",
    "PT1S1M",
    "P1DT",
    "1H",
    "PT\u{661}H",
    "00:00:01",
    "0001:02:03.45",
    "1:00:00",
    "00:00:00.123",
    "23:59:59",
    "24:00:00",
    "12:60:00",
    "12:00",
    "2024",
    "2024-02-29",
    "2023-02-29",
    "2024-13",
    "2024-00",
    "2024-04-31",
    "1969",
    "2039",
    "2024-01-01T10",
    "2024-01-01T10:20:30",
    "2024-01-01T10:20:30Z",
    "2024-01-01T10:20:30.5Z",
    "2024-01-01T10:20:30.55+02:30",
    "2024-01-01T24",
    "2024-01T10",
    "2024-01-01T10:20.5",
    "2024-01-01T10:20:30.5+24",
    "nul\0",
    "line\nfeed",
    "tab\t",
    "\u{1F600}",
    "nbsp\u{a0}x",
    "a\u{feff}b",
];

/// Element and value pairs.
pub(crate) fn calls(edition: Edition, seed: u64, count: usize) -> Vec<(String, String)> {
    let table: Value = serde_json::from_str(MODEL_TABLE).expect("the table is JSON");
    let rows = table["editions"][edition.key()]["elements"].as_object().expect("elements");
    let patterns: Vec<&str> = rows.keys().map(String::as_str).collect();
    let mut random = Random(seed);
    let mut calls = Vec::with_capacity(count);
    for _ in 0..count {
        let element = if random.next(12) == 0 {
            random.pick(ODD_ELEMENTS).to_owned()
        } else {
            let pattern = random.pick(&patterns);
            let segments: Vec<String> = pattern
                .split('.')
                .map(|segment| match segment {
                    "n" => random.next(4).to_string(),
                    other => other.to_owned(),
                })
                .collect();
            segments.join(".")
        };
        let words = rows
            .get(&unindexed(&element))
            .and_then(|row| row["values"].as_array())
            .filter(|_| random.next(2) == 0);
        let value = match words {
            Some(words) => words[random.next(words.len())].as_str().unwrap_or_default().to_owned(),
            None if random.next(100) == 0 => "x".repeat(70_000 - random.next(9_000)),
            None => random.pick(VALUES).to_owned(),
        };
        calls.push((element, value));
    }
    calls
}

fn unindexed(element: &str) -> String {
    let digit = |segment: &str| segment.len() == 1 && segment.as_bytes()[0].is_ascii_digit();
    let segments: Vec<&str> =
        element.split('.').map(|segment| if digit(segment) { "n" } else { segment }).collect();
    segments.join(".")
}
