//! A learner at the screen: signs in at Campus, opens an activity, follows a course page by page
//! with the buttons it has, and answers its questions from the course's own sources.

use scorm::gift::{Question, QuestionKind};
use scorm::source::{self, Content, Lang};
use serde_json::json;

use crate::demo::Demo;
use crate::driver::Browser;

/// The frame of Campus in which tools are shown.
pub(crate) const TOOL: &str = "#contentframe";
/// The frame of the learner's page in which the player is shown.
pub(crate) const PLAYER: &str = ".play iframe";
/// The frame of the player in which content is shown.
pub(crate) const CONTENT: &str = "#content";

/// The people of Campus.
pub(crate) const HELENE: u64 = 3;
pub(crate) const ZOE: u64 = 4;
pub(crate) const AURELIEN: u64 = 5;
pub(crate) const NOELLE: u64 = 6;

pub(crate) async fn sign_in(browser: &Browser, demo: &Demo, person: u64, language: &str) {
    browser.top().await;
    browser.open(&format!("{}/language/{language}?back=/login", demo.campus)).await;
    browser.click(&format!("button[name=person][value='{person}']")).await;
    browser.shown(".activities").await;
}

/// The address of the activity of this title.
pub(crate) async fn activity(demo: &Demo, title: &str) -> String {
    let state = demo.campus_state().await;
    let activities = state["activities"].as_array().expect("activities");
    let found = activities
        .iter()
        .find(|activity| activity["title"].as_str().is_some_and(|text| text.contains(title)))
        .unwrap_or_else(|| panic!("no activity {title:?} among {activities:#?}"));
    format!("{}/activity/{}", demo.campus, found["id"])
}

/// The shipped course of this name, in one language.
pub(crate) fn course(slug: &str, language: Lang) -> Content {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("courses").join(slug);
    let loaded = source::load(&folder).expect("the course's folder");
    let mut course = loaded.course.expect("a course without errors");
    course.contents.remove(&language).expect("the course in that language")
}

/// From the learner's page into the content.
pub(crate) async fn enter_content(browser: &Browser, outside: &[&str]) {
    let frames: Vec<&str> = outside.iter().copied().chain([PLAYER, CONTENT]).collect();
    browser.enter_all(&frames).await;
    browser.shown("#title").await;
}

/// The text of the content's heading and the page shown.
pub(crate) async fn place(browser: &Browser) -> (String, String) {
    let page =
        "return [...document.querySelectorAll('main > section')].find((s) => !s.hidden)?.id || ''";
    let page = browser.script(page, json!([])).await;
    (browser.shown("#title").await.text().await, page.as_str().unwrap_or_default().to_owned())
}

/// Whether the part of this title is on the screen, ready to be used.
async fn arrived(browser: &Browser, outside: &[&str], title: &str) {
    let frames: Vec<&str> = outside.iter().copied().chain([PLAYER, CONTENT]).collect();
    browser
        .wait(&format!("the part {title:?}"), async || {
            browser.enter_all(&frames).await;
            let script = "return (document.getElementById('title')?.textContent || '') + '\\n'
                + String(document.getElementById('pager')?.hidden)";
            let shown = browser.try_script(script, json!([])).await.ok()?;
            let shown = plain(shown.as_str()?.split('\n').next()?);
            (shown == plain(title)).then_some(())
        })
        .await;
}

/// Spaces and typographic signs aside.
fn plain(text: &str) -> String {
    text.chars().filter(|letter| letter.is_alphanumeric()).collect()
}

/// Follows the course from where it is to its end. `outside` are the frames around the learner's
/// page. `on_page` is told of every page: the number of the part, and of the page in it.
pub(crate) async fn follow(
    browser: &Browser,
    outside: &[&str],
    content: &Content,
    mut on_page: impl AsyncFnMut(usize, usize),
) {
    let lessons = content.lessons.iter().map(|lesson| (&lesson.title, &lesson.quiz));
    let test = content.test.iter().map(|test| (&test.title, &test.questions));
    let parts: Vec<(&String, &Vec<Question>)> = lessons.chain(test).collect();
    for (number, (title, questions)) in parts.iter().enumerate() {
        arrived(browser, outside, title).await;
        let mut page = 0;
        loop {
            on_page(number, page).await;
            enter_content(browser, outside).await;
            if is_shown(browser, "#quiz-form").await {
                answer_all(browser, questions).await;
            }
            if !is_shown(browser, "#next").await {
                break;
            }
            browser.click("#next").await;
            page += 1;
        }
        if number + 1 < parts.len() {
            browser.click("#next-lesson").await;
        }
    }
}

async fn is_shown(browser: &Browser, css: &str) -> bool {
    match browser.look(css).await {
        Some(element) => element.is_shown().await,
        None => false,
    }
}

/// Gives the right answers and sends them.
pub(crate) async fn answer_all(browser: &Browser, questions: &[Question]) {
    let gradable = questions.iter().filter(|question| question.is_gradable());
    for (index, question) in gradable.enumerate() {
        answer(browser, &format!("q{}", index + 1), question).await;
    }
    browser.click("#quiz-form button[type=submit]").await;
    browser.shown("#retry").await;
    let wrong = browser.count("fieldset.question:not([data-state=right])").await;
    assert_eq!(wrong, 0, "every answer is the right one: {}", browser.text().await);
}

/// The values of choices are letters in the order of the source; of pairs, in the order of the
/// right sides' alphabet.
async fn answer(browser: &Browser, id: &str, question: &Question) {
    match &question.kind {
        QuestionKind::Choice { single, options } => {
            let wanted = |weight: f64| if *single { weight >= 1.0 } else { weight > 0.0 };
            for (index, _) in options.iter().enumerate().filter(|(_, o)| wanted(o.weight)) {
                let letter = letter(index);
                if *single && question.tail.is_some() {
                    browser.click(&format!("#{id}-input option[value={letter}]")).await;
                } else {
                    browser.click(&format!("label[for={id}-{letter}]")).await;
                }
            }
        }
        QuestionKind::TrueFalse { answer, .. } => {
            browser.click(&format!("label[for={id}-{answer}]")).await;
        }
        QuestionKind::Short { answers } => {
            let best = answers.iter().find(|answer| answer.weight >= 1.0).expect("a right answer");
            let word = best.text.replace('*', "");
            browser.shown(&format!("#{id}-input")).await.replace(&word).await;
        }
        QuestionKind::Numerical { answers, .. } => {
            let best = answers.iter().find(|answer| answer.weight >= 1.0).expect("a right answer");
            let number = f64::midpoint(best.minimum, best.maximum).to_string();
            browser.shown(&format!("#{id}-input")).await.replace(&number).await;
        }
        QuestionKind::Matching { pairs } => {
            let mut rights: Vec<&str> = pairs.iter().map(|pair| pair.right.as_str()).collect();
            rights.sort_by_key(|right| right.to_lowercase());
            rights.dedup();
            let asked = pairs.iter().filter(|pair| !pair.left.text.is_empty());
            for (index, pair) in asked.enumerate() {
                let right = rights.iter().position(|right| *right == pair.right);
                let letter = letter(right.expect("one of the right sides"));
                browser.click(&format!("#{id}-{} option[value={letter}]", index + 1)).await;
            }
        }
        QuestionKind::Essay | QuestionKind::Description => {}
    }
}

fn letter(index: usize) -> char {
    char::from(b'a' + u8::try_from(index).expect("few answers"))
}
