//! The runtime of built pages, without a page: `session.js` in an embedded JavaScript engine,
//! against a platform that records every call.

use rquickjs::{Context, Runtime};
use scorm::compiler::Theme;

/// A platform that answers as RTE says and writes down what it was told, and a small course.
const PLATFORM: &str = include_str!("data/runtime/platform.js");

/// Runs a script behind the runtime and the fake platform; its last value, as text, is the answer.
fn run(script: &str) -> String {
    let runtime = Runtime::new().expect("an engine");
    let context = Context::full(&runtime).expect("a context");
    context.with(|context| {
        let source =
            format!("{}\n{PLATFORM}\n;String((() => {{ {script} }})())", Theme::builtin().session);
        match context.eval::<String, _>(source) {
            Ok(text) => text,
            Err(error) => {
                let exception = context.catch();
                let said = exception.as_exception().map(ToString::to_string);
                panic!("{error}: {}", said.unwrap_or_else(|| format!("{exception:?}")));
            }
        }
    })
}

#[test]
fn the_api_is_found_up_the_parents_and_through_openers() {
    let found = run(r#"
        const { findApi } = PasserelleCourse;
        const top = { API: "old" }; top.parent = top;
        let window = top;
        for (let level = 0; level < 40; level += 1) window = { parent: window };
        const other = { API: "old", API_1484_11: "new" }; other.parent = other;
        const alone = { opener: { parent: other } }; alone.parent = alone;
        const nested = { parent: alone };
        const foreign = { get parent() { throw new Error("another origin"); } };
        const none = {}; none.parent = none;
        return JSON.stringify([
            findApi(window, "1.2"), findApi(window, "2004"), findApi(nested, "2004"),
            findApi(nested, "1.2"), findApi(foreign, "2004"), findApi(none, "2004"),
        ]);
    "#);
    assert_eq!(
        found,
        r#"[{"edition":"1.2","api":"old"},{"edition":"1.2","api":"old"},{"edition":"2004","api":"new"},{"edition":"1.2","api":"old"},null,null]"#
    );
}

#[test]
fn a_lesson_read_and_answered_completes_in_both_editions() {
    for edition in ["1.2", "2004"] {
        let calls = run(&format!(
            r#"
            const platform = new Platform("{edition}");
            const session = open(lesson, platform);
            session.showPage("introduction");
            tick(65250);
            session.showPage("quiz");
            tick(4000);
            session.answer("q1", "a");
            tick(1500);
            session.answer("q2", ["a", "b"]);
            session.answer("q3", "true");
            session.answer("q4", " BOIS  ");
            session.answer("q5", "12,5");
            session.answer("q6", ["b", "a"]);
            session.submit();
            session.end();
            session.end();
            // The time of day in 1.2 is local.
            return platform.calls.join("\n").replace(/\.time = \d\d:\d\d:\d\d /g, ".time = HH:MM:SS ");
            "#
        ));
        insta::assert_snapshot!(format!("lesson_{}", edition.replace('.', "_")), calls);
    }
}

#[test]
fn the_learner_comes_back_to_the_page_and_the_answers() {
    for edition in ["1.2", "2004"] {
        let state = run(&format!(
            r#"
            const platform = new Platform("{edition}");
            const first = open(lesson, platform);
            first.showPage("introduction");
            first.showPage("quiz");
            first.answer("q1", "b");
            first.end();
            platform.reopen();
            const again = open(lesson, platform);
            return JSON.stringify([again.page, again.answers, [...again.seen], again.done]);
            "#
        ));
        assert_eq!(state, r#"["quiz",{"q1":"b"},["introduction","quiz"],false]"#);
    }
}

#[test]
fn answers_to_other_questions_are_not_taken_up() {
    let state = run(r#"
        const platform = new Platform("2004");
        const first = open(lesson, platform);
        first.showPage("quiz");
        first.answer("q1", "b");
        first.end();
        platform.reopen();
        const again = open({ ...lesson, hash: "other" }, platform);
        return JSON.stringify([again.page, again.answers, again.seen.size]);
    "#);
    assert_eq!(state, r#"["quiz",{},0]"#);
}

#[test]
fn a_passed_test_stays_passed_and_a_better_result_replaces() {
    for edition in ["1.2", "2004"] {
        let story = run(&format!(
            r#"
            const platform = new Platform("{edition}");
            const session = open(test, platform);
            session.showPage("quiz");
            const story = [];
            for (const answers of [["b", "b"], ["a", "b"], ["b", "b"], ["a", "a"], ["b", "a"]]) {{
                session.answer("q1", answers[0]);
                session.answer("q2", answers[1]);
                const result = session.submit();
                story.push([result.scaled, ...platform.verdict()].join(" "));
                session.retry();
            }}
            session.end();
            platform.reopen();
            const later = open(test, platform);
            later.showPage("quiz");
            later.submit();
            later.end();
            story.push(["later", ...platform.verdict(), later.best].join(" "));
            return story.join("\n");
            "#
        ));
        let status = |word: &str| {
            if edition == "1.2" { word.to_owned() } else { format!("completed {word}") }
        };
        let (failed, passed) = (status("failed"), status("passed"));
        assert_eq!(
            story,
            format!(
                "0 {failed} 0\n0.5 {passed} 50\n0 {passed} 50\n1 {passed} 100\n0.5 {passed} 100\n\
                 later {passed} 100 1"
            )
        );
    }
}

#[test]
fn what_failed_to_be_stored_is_said_and_sent_again() {
    let story = run(r#"
        const platform = new Platform("2004");
        const said = [];
        const session = open(lesson, platform, (ok) => said.push(ok));
        session.showPage("introduction");
        platform.broken = true;
        session.showPage("quiz");
        platform.broken = false;
        session.answer("q1", "a");
        return JSON.stringify([said, platform.data["cmi.location"], session.connection.failed.size]);
    "#);
    assert_eq!(story, r#"[[true,false,true],"quiz",0]"#);
}

#[test]
fn without_a_platform_the_page_still_works() {
    let story = run(r#"
        const session = new PasserelleCourse.Session(lesson, null, () => 0, () => {});
        const opened = session.start();
        session.showPage("introduction");
        session.showPage("quiz");
        session.answer("q1", "a");
        const result = session.submit();
        session.end();
        return JSON.stringify([opened, result.points, session.done, session.canContinue()]);
    "#);
    assert_eq!(story, "[false,1,true,false]");
}

#[test]
fn the_next_lesson_is_asked_for_only_where_it_is_allowed() {
    let story = run(r#"
        const platform = new Platform("2004");
        const session = open({ ...lesson, questions: [] }, platform);
        session.showPage("introduction");
        const early = session.canContinue();
        session.showPage("quiz");
        const unknown = session.canContinue();
        platform.data["adl.nav.request_valid.continue"] = "true";
        const allowed = session.canContinue();
        const gone = session.continueToNext();
        return JSON.stringify([early, unknown, allowed, gone, platform.data["adl.nav.request"], platform.calls.slice(-1), session.continueToNext()]);
    "#);
    assert_eq!(story, r#"[false,false,true,true,"continue",["Terminate() true"],false]"#);
}

#[test]
fn grading_honours_weights_words_numbers_and_pairs() {
    let grades = run(r#"
        const { grade, readNumber } = PasserelleCourse;
        const question = (id) => lesson.questions.find((entry) => entry.id === id);
        const fraction = (id, response) => grade(question(id), response).fraction;
        return JSON.stringify([
            fraction("q1", "a"), fraction("q1", "b"), fraction("q1", ""),
            fraction("q2", ["a"]), fraction("q2", ["a", "b", "c"]), fraction("q2", ["c"]), fraction("q2", []),
            fraction("q4", "Bois"), fraction("q4", "bois massif"), fraction("q4", "l\u2019acier"), fraction("q4", "(x"),
            fraction("q5", "12,4"), fraction("q5", "12.7"), fraction("q5", "1e3"), fraction("q5", "13"),
            fraction("q6", ["b", "b"]), fraction("q6", ["b", "a"]),
            readNumber("1 250,5"), readNumber("twelve"), readNumber("-.5"),
        ]);
    "#);
    assert_eq!(grades, "[1,0,0,0.5,0,0,0,1,0.5,1,0,1,0,0,0.5,0.5,1,1250.5,null,-0.5]");
}

#[test]
fn times_are_written_as_each_edition_wants_them() {
    let times = run(r#"
        const { duration, moment } = PasserelleCourse;
        return [duration(0, "1.2"), duration(3661019, "1.2"), duration(3661019, "2004"), duration(59999.9, "2004"), moment(0, "2004")].join(" ");
    "#);
    assert_eq!(times, "0000:00:00.00 0001:01:01.02 PT1H1M1.02S PT0H1M0S 1970-01-01T00:00:00.00Z");
}
