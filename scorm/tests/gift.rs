//! GIFT: every kind of question, and every problem with its place.

use scorm::gift::{QuestionKind, TextFormat, parse};

#[test]
fn every_kind_of_question_is_read() {
    let parsed = parse(include_str!("data/gift/complete.gift"));
    assert_eq!(parsed.problems, Vec::new());
    insta::assert_json_snapshot!("complete_gift", parsed.questions);
}

#[test]
fn every_problem_is_found_at_its_place() {
    let parsed = parse(include_str!("data/gift/broken.gift"));
    let problems: Vec<String> = parsed.problems.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!("broken_gift", problems.join("\n"));
    let names: Vec<_> = parsed.questions.iter().filter_map(|q| q.name.as_deref()).collect();
    assert_eq!(names, ["Twice", "Twice"], "one bad question does not hide the others");
}

#[test]
fn weights_of_three_thirds_make_a_whole() {
    let parsed = parse("Q {~%33%a ~%33%b ~%33%c ~%-50%d}");
    assert_eq!(parsed.problems, Vec::new());
    let Some(QuestionKind::Choice { single: false, options }) =
        parsed.questions.first().map(|question| &question.kind)
    else {
        panic!("a choice with several answers, not {:?}", parsed.questions);
    };
    let sum: f64 = options.iter().map(|option| option.weight.max(0.0)).sum();
    assert!((sum - 1.0).abs() < 1e-9, "{sum}");
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_do_not_matter() {
    let parsed = parse("\u{feff}::A:: One {T}\r\n\r\n::B:: Two\r\n{F}\r\n");
    assert_eq!(parsed.problems, Vec::new());
    assert_eq!(parsed.questions.len(), 2);
}

#[test]
fn format_marks_are_inherited_by_answers() {
    let parsed = parse("[plain]*x* {=*a* ~[html]<b>b</b>}");
    let Some(QuestionKind::Choice { options, .. }) = parsed.questions.first().map(|q| &q.kind)
    else {
        panic!("a choice, not {:?}", parsed.questions);
    };
    let formats: Vec<_> = options.iter().map(|option| option.text.format).collect();
    assert_eq!(formats, [TextFormat::Plain, TextFormat::Html]);
}

#[test]
fn no_text_makes_the_parser_panic() {
    let pieces =
        ["{", "}", "=", "~", "#", "%", "::", "->", "\\", "\n\n", "a", "T", "####", "..", ":"];
    // A small deterministic generator is enough to reach odd combinations.
    let mut state = 12_345_u64;
    for _ in 0..5_000 {
        let mut text = String::new();
        for _ in 0..12 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let index = (state >> 33) as usize % pieces.len();
            text.push_str(pieces.get(index).copied().unwrap_or_default());
        }
        let _ = parse(&text);
    }
}
