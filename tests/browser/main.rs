//! The running product in a real browser: Campus on one site, the service on another, third-party
//! cookies blocked, every frame where people meet it.

mod demo;
mod driver;
mod hostile;
mod learner;
mod pictures;
mod recorder;
mod storage;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use scorm::source::Lang;
use serde_json::{Value, json};
use tokio::sync::{Mutex, MutexGuard};

use demo::Demo;
use driver::{Browser, ENTER, Options, TAB};
use learner::{HELENE, NOELLE, TOOL, ZOE, activity, course, enter_content, follow, place, sign_in};
use pictures::Album;
use recorder::Recorder;

/// One browser at a time: two would only make each other slow.
async fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::const_new(());
    ALONE.lock().await
}

/// The text of the gradebook's cell for one person and one column, as Campus keeps it.
async fn scores_of(demo: &Demo, person: u64) -> Vec<Value> {
    let state = demo.campus_state().await;
    let scores = state["scores"].as_array().cloned().unwrap_or_default();
    let person = person.to_string();
    // Progress is told as well, before anything is graded.
    let graded = |score: &Value| score["body"]["gradingProgress"] == "FullyGraded";
    let own = |score: &Value| score["user_id"] == person.as_str();
    scores.into_iter().filter(|score| own(score) && graded(score)).collect()
}

#[tokio::test]
async fn a_learner_goes_from_campus_to_the_certificate_across_sites() {
    let _alone = alone().await;
    if driver::programs().is_none() {
        return;
    }
    let demo = Demo::running();
    let recorder = Recorder::start(demo.port()).await;
    let options = Options { resolver_rules: recorder.rule(demo.port()), ..Options::default() };
    let Some(browser) = Browser::start(options).await else { return };
    let content = course("premiers-pas-etwinning", Lang::French);

    sign_in(&browser, demo, ZOE, "fr").await;
    let address_of_activity = activity(demo, &content.title).await;
    browser.open(&address_of_activity).await;
    browser.enter_all(&[TOOL]).await;
    assert_eq!(browser.shown("h1").await.text().await, content.title);
    assert_eq!(browser.script("return document.documentElement.lang", json!([])).await, "fr");

    let launches = recorder.requests("POST /lti/launch ");
    assert_eq!(launches.len(), 1, "one launch, made by this browser");
    assert_eq!(launches[0].field("sec-fetch-site"), Some("cross-site"));
    assert_eq!(launches[0].field("sec-fetch-dest"), Some("iframe"));
    assert!(
        launches[0].field("cookie").is_some_and(|cookie| cookie.contains("__Host-passerelle="))
    );

    browser.click("#open").await;
    let album = Album::wanted(&browser, "fr");
    let mut reloaded = false;
    follow(&browser, &[TOOL], &content, async |part, page| {
        if let (Some(album), true) = (&album, part == content.lessons.len()) {
            browser.top().await;
            album.screen("campus-test").await;
        }
        // In the middle of the second lesson everything is loaded again.
        if part == 1 && page == 1 && !reloaded {
            reloaded = true;
            enter_content(&browser, &[TOOL]).await;
            let before = place(&browser).await;
            settled(&browser, &[TOOL]).await;
            browser.top().await;
            browser.reload().await;
            browser.enter_all(&[TOOL]).await;
            browser.click("#open").await;
            enter_content(&browser, &[TOOL]).await;
            browser
                .wait("the page that was left", async || {
                    (place(&browser).await == before).then_some(())
                })
                .await;
        }
    })
    .await;
    assert!(reloaded, "the reload was tried");

    // Out of the player, to the certificate.
    browser.enter_all(&[TOOL]).await;
    settled(&browser, &[TOOL]).await;
    browser.enter_all(&[TOOL]).await;
    browser.click(".play-bar button").await;
    let link = browser.shown("#certificate-pdf").await;
    let pdf = download(&browser, &link.attribute("href").await).await;
    assert!(pdf.starts_with(b"%PDF-"), "a PDF");
    assert_eq!(browser.count("#certificate-pdf").await, 1);

    // One mail, with the same bytes.
    let address = "zoe.lefevre@campus.example";
    let mail =
        browser.wait("the mail", async || demo.mails_to(address, &content.title).await.pop()).await;
    assert_eq!(mail["attachments"].as_array().map(Vec::len), Some(1), "{mail:#}");
    assert_eq!(demo.attachment(&mail, 0).await, pdf, "the attachment is the certificate");

    // One score, which Campus shows.
    let scores = browser
        .wait("the score", async || {
            let scores = scores_of(demo, ZOE).await;
            (!scores.is_empty()).then_some(scores)
        })
        .await;
    assert_eq!(scores.len(), 1, "{scores:#?}");
    assert_eq!(scores[0]["status"], 200, "{scores:#?}");
    browser.top().await;
    browser.open(&format!("{}/course/2/gradebook", demo.campus)).await;
    let cell = browser.shown("strong.score").await.text().await;
    assert_eq!(cell, "100", "the gradebook shows the score");

    // Coming back awards nothing twice.
    browser.open(&address_of_activity).await;
    browser.enter_all(&[TOOL]).await;
    browser.shown("#certificate-pdf").await;
    assert_eq!(demo.mails_to(address, &content.title).await.len(), 1);
    assert_eq!(scores_of(demo, ZOE).await.len(), 1);
    if let Some(album) = album {
        browser.top().await;
        browser.open(&format!("{address_of_activity}/launch?target=window")).await;
        let verify = browser.shown("a[href*='/verify/']").await.attribute("href").await;
        album.page("course-completed").await;
        browser.open(&verify).await;
        browser.shown("dl.facts").await;
        album.page("verify-known").await;
    }
}

/// Waits until the player says that everything is saved.
async fn settled(browser: &Browser, outside: &[&str]) {
    let frames: Vec<&str> = outside.iter().copied().chain([learner::PLAYER]).collect();
    browser.enter_all(&frames).await;
    browser
        .wait("everything is saved", async || {
            let script = "const status = document.getElementById('status');
                return !status.classList.contains('bad') && status.textContent !== ''";
            browser.try_script(script, json!([])).await.ok()?.as_bool()?.then_some(())
        })
        .await;
}

/// Fetches a file as the page would.
async fn download(browser: &Browser, address: &str) -> Vec<u8> {
    let script = "const answer = await fetch(given[0]);
        const bytes = new Uint8Array(await answer.arrayBuffer());
        let text = '';
        for (const byte of bytes) text += String.fromCharCode(byte);
        return btoa(text);";
    let text = browser.script_async(script, json!([address])).await;
    STANDARD.decode(text.as_str().unwrap_or_default()).expect("base64")
}

#[tokio::test]
async fn a_course_starts_with_the_keyboard_alone_in_english() {
    let _alone = alone().await;
    if driver::programs().is_none() {
        return;
    }
    let demo = Demo::running();
    let options = Options { language: "en", ..Options::default() };
    let Some(browser) = Browser::start(options).await else { return };
    sign_in(&browser, demo, NOELLE, "en").await;
    let french = course("animer-un-webinaire", Lang::French).title;
    let english = course("animer-un-webinaire", Lang::English);
    browser.open(&activity(demo, &french).await).await;
    browser.enter_all(&[TOOL]).await;
    assert_eq!(browser.shown("h1").await.text().await, english.title);
    assert_eq!(browser.script("return document.documentElement.lang", json!([])).await, "en");

    browser.top().await;
    tab_to(&browser, &[TOOL], "#open").await;
    browser.press(ENTER).await;
    enter_content(&browser, &[TOOL]).await;
    assert_eq!(place(&browser).await.0, english.lessons[0].title);
    tab_to(&browser, &[TOOL, learner::PLAYER, learner::CONTENT], "#next").await;
    let first = place(&browser).await;
    browser.press(ENTER).await;
    browser.wait("the second page", async || (place(&browser).await != first).then_some(())).await;
    let focused = "return document.activeElement.matches('h2, h1')";
    assert_eq!(browser.script(focused, json!([])).await, true, "the focus is on the new heading");
}

/// Presses Tab until the focus is on what is wanted, and it shows that it is.
async fn tab_to(browser: &Browser, frames: &[&str], css: &str) {
    for _ in 0..60 {
        browser.press(TAB).await;
        browser.enter_all(frames).await;
        let script = "return document.hasFocus() && document.activeElement.matches(arguments[0])";
        if browser.try_script(script, json!([css])).await.is_ok_and(|found| found == true) {
            let visible = "const style = getComputedStyle(document.activeElement);
                return style.outlineStyle !== 'none' || style.boxShadow !== 'none'";
            assert_eq!(
                browser.script(visible, json!([])).await,
                true,
                "the focus of {css} is visible"
            );
            return;
        }
    }
    panic!("{css} is not reached with the Tab key");
}

#[tokio::test]
async fn third_party_cookies_are_really_blocked_here() {
    let _alone = alone().await;
    let Some(browser) = Browser::start(Options::default()).await else { return };
    let control = hostile::cookie_control().await;
    browser.open(&format!("http://127.0.0.1:{}/top", control.port)).await;
    browser.enter_all(&["#inner"]).await;
    browser.shown("#read").await;
    let sent = control.sent();
    assert!(sent.contains("partitioned=1"), "a partitioned cookie comes back: {sent:?}");
    assert!(!sent.contains("plain=1"), "an unpartitioned one does not: {sent:?}");
}

#[tokio::test]
async fn a_browser_that_keeps_no_cookie_in_the_frame_is_offered_a_window() {
    let _alone = alone().await;
    if driver::programs().is_none() {
        return;
    }
    let demo = Demo::running();
    storage::offer(demo, "none").await;
    let recorder = Recorder::start(demo.port()).await;
    let refused = format!("{},{}", demo.service, demo.campus);
    let options = Options {
        resolver_rules: recorder.rule(demo.port()),
        preferences: vec![(
            "profile.content_settings.exceptions.cookies",
            json!({refused: {"setting": 2}}),
        )],
        ..Options::default()
    };
    let Some(browser) = Browser::start(options).await else { return };
    sign_in(&browser, demo, NOELLE, "fr").await;
    let title = course("premiers-pas-etwinning", Lang::French).title;
    browser.open(&activity(demo, &title).await).await;
    browser.enter_all(&[TOOL]).await;
    browser.shown("a[target=_blank]").await;
    assert!(recorder.requests("POST /lti/launch ").is_empty(), "the login was not spent");
    assert_eq!(recorder.requests("POST /lti/login").len(), 1);
    assert_eq!(recorder.requests("GET /lti/login").len(), 1, "one probe, no loop");

    browser.click("a[target=_blank]").await;
    let window =
        browser.wait("the new window", async || browser.windows().await.into_iter().nth(1)).await;
    browser.window(&window).await;
    browser.shown("#open").await;
    assert_eq!(browser.shown("h1").await.text().await, title);
    assert!(browser.address().await.starts_with(&demo.service));
}

#[tokio::test]
async fn a_trainer_plans_a_webinar_and_a_learner_signs_up() {
    let _alone = alone().await;
    if driver::programs().is_none() {
        return;
    }
    let demo = Demo::running();
    let Some(browser) = Browser::start(Options::default()).await else { return };
    let title = "Lire à voix haute, d’une langue à l’autre";
    sign_in(&browser, demo, HELENE, "fr").await;
    browser.open(&activity(demo, "Tous les webinaires").await).await;
    browser.enter_all(&[TOOL]).await;
    browser.click("a[href$='/events/new']").await;
    // What is missing is said at its field, and what was written stays.
    browser.shown("#description").await.replace("Apportez un album.").await;
    browser.click("form button[type=submit]").await;
    browser.shown("#title-problem").await;
    let kept =
        browser.script("return document.querySelector('#description').value", json!([])).await;
    assert_eq!(kept, "Apportez un album.");
    fill_event(&browser, title, 7).await;
    browser.click("form button[type=submit]").await;
    browser.shown("a[href$='/edit']").await;
    assert_eq!(browser.shown("h1").await.text().await, title);

    sign_in(&browser, demo, ZOE, "fr").await;
    browser.open(&activity(demo, "Tous les webinaires").await).await;
    browser.enter_all(&[TOOL]).await;
    let link = format!(
        "return [...document.querySelectorAll('a')].find((a) => a.textContent === {}).click()",
        json!(title)
    );
    browser.shown("article h3 a").await;
    browser.script(&link, json!([])).await;
    browser.click("form[action$='/signup'] button").await;
    browser.shown("a[href$='/calendar.ics']").await;
    let mail = browser
        .wait("the confirmation", async || {
            demo.mails_to("zoe.lefevre@campus.example", title).await.pop()
        })
        .await;
    let attachments = mail["attachments"].as_array().cloned().unwrap_or_default();
    let calendar = attachments
        .iter()
        .position(|file| {
            file["media_type"].as_str().is_some_and(|kind| kind.starts_with("text/calendar"))
        })
        .unwrap_or_else(|| panic!("no calendar entry in {mail:#}"));
    let calendar = String::from_utf8(demo.attachment(&mail, calendar).await).expect("UTF-8");
    assert!(calendar.contains("METHOD:REQUEST") && calendar.contains("BEGIN:VEVENT"), "{calendar}");
}

/// Fills the form of a webinar so many days ahead.
async fn fill_event(browser: &Browser, title: &str, days: i64) {
    let now = chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now());
    let starts = (now + chrono::TimeDelta::days(days)).format("%Y-%m-%dT14:30").to_string();
    browser.shown("#title").await.replace(title).await;
    browser.shown("#minutes").await.replace("45").await;
    browser.shown("#capacity").await.replace("30").await;
    browser.shown("#join-url").await.replace("https://visio.example.org/voix").await;
    // How a date is typed depends on the browser's language; what the field holds does not.
    let script = "document.querySelector('#starts').value = arguments[0]";
    browser.script(script, json!([starts])).await;
}

#[tokio::test]
async fn a_trainer_adds_an_activity_from_the_picker() {
    let _alone = alone().await;
    if driver::programs().is_none() {
        return;
    }
    let demo = Demo::running();
    let Some(browser) = Browser::start(Options::default()).await else { return };
    let before = activities(demo).await;
    add_activity(&browser, demo, "course/collaborer-en-ligne").await;
    assert_eq!(activities(demo).await, before + 1);
}

async fn activities(demo: &Demo) -> usize {
    demo.campus_state().await["activities"].as_array().map_or(0, Vec::len)
}

/// Hélène adds what the picker offers under this value to Campus's course.
async fn add_activity(browser: &Browser, demo: &Demo, item: &str) {
    sign_in(browser, demo, HELENE, "fr").await;
    browser.click("a[href$='/add']").await;
    browser.enter_all(&[TOOL]).await;
    browser.click(&format!("input[value='{item}']")).await;
    browser.click("#picker button[type=submit]").await;
    // The answer comes back to Campus, in the same frame.
    browser
        .wait("Campus's confirmation", async || {
            browser.enter_all(&[TOOL]).await;
            browser.look("form[action$='/activities'] button").await.map(drop)
        })
        .await;
    browser.click("form[action$='/activities'] button").await;
    browser.top().await;
    browser.shown(".activities").await;
}

#[tokio::test]
async fn uploaded_javascript_stays_in_its_place() {
    let _alone = alone().await;
    if driver::programs().is_none() {
        return;
    }
    let demo = Demo::running();
    let Some(browser) = Browser::start(Options::default()).await else { return };
    hostile::import(demo);
    add_activity(&browser, demo, "course/intrus").await;
    hostile::attack_everything(&browser, demo).await;
}

#[tokio::test]
async fn every_page_has_its_picture() {
    let _alone = alone().await;
    if pictures::folder().is_none() || driver::programs().is_none() {
        return;
    }
    pictures::take(Demo::running()).await;
}
