//! Launches where the browser keeps no cookie of the service: through the platform's storage, or in
//! a window where the platform does not answer. And what pages tell the platform about their height.

use std::net::Ipv4Addr;

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use scorm::source::Lang;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::demo::Demo;
use crate::driver::{self, Browser, Options};
use crate::learner::{AURELIEN, NOELLE, TOOL, activity, course, enter_content, place, sign_in};
use crate::recorder::Recorder;
use crate::{alone, settled};

/// Where Campus keeps values for tools: `none`, `parent`, `frame`.
pub(crate) async fn offer(demo: &Demo, storage: &str) {
    let http = reqwest::Client::builder().no_proxy().build().expect("an HTTP client");
    let answer = http
        .post(format!("{}/_control", demo.campus))
        .header("content-type", "application/json")
        .body(json!({"storage": storage}).to_string())
        .send()
        .await
        .expect("Campus answers");
    assert!(answer.status().is_success(), "{}", answer.status());
}

/// A browser that keeps no cookie of the service, wherever it is framed; partitioned ones neither.
fn refusing(demo: &Demo, recorder: &Recorder) -> Options {
    let service = format!("{},*", demo.service);
    Options {
        resolver_rules: recorder.rule(demo.port()),
        preferences: vec![(
            "profile.content_settings.exceptions.cookies",
            json!({service: {"setting": 2}}),
        )],
        ..Options::default()
    }
}

/// From Campus to the course, a step in it, and back to the page: the step is there.
async fn follow_a_step(storage: &str, slug: &str) {
    let demo = Demo::running();
    let recorder = Recorder::start(demo.port()).await;
    let Some(browser) = Browser::start(refusing(demo, &recorder)).await else { return };
    offer(demo, storage).await;
    let content = course(slug, Lang::French);
    sign_in(&browser, demo, AURELIEN, "fr").await;
    browser.open(&activity(demo, &content.title).await).await;
    browser.enter_all(&[TOOL]).await;
    browser.shown("#open").await;
    assert_eq!(browser.shown("h1").await.text().await, content.title);
    let path = browser.script("return location.pathname", json!([])).await;
    assert!(path.as_str().is_some_and(|path| path.contains('~')), "{path}");
    assert_eq!(browser.script("return document.referrer", json!([])).await, "");

    let launches = recorder.requests("POST /lti/launch ");
    assert_eq!(launches.len(), 1);
    assert_eq!(launches[0].field("cookie"), None, "the browser refuses our cookie");
    let stored = recorder.requests("POST /lti/launch/stored");
    assert_eq!(stored.len(), 1, "handed on once, by our own page");
    assert_eq!(stored[0].field("sec-fetch-site"), Some("same-origin"));

    browser.click("#open").await;
    enter_content(&browser, &[TOOL]).await;
    let before = place(&browser).await;
    browser.click("#next").await;
    browser.wait("the next page", async || (place(&browser).await != before).then_some(())).await;
    settled(&browser, &[TOOL]).await;
    browser.enter_all(&[TOOL]).await;
    browser.click(".play-bar button").await;
    // The page renews itself with what the commits brought.
    browser.shown("#progress-text").await;
    let kept = recorder.requests("GET /launches/");
    assert!(!kept.is_empty());
    for request in kept {
        assert_eq!(request.field("cookie"), None);
        assert_eq!(request.field("referer"), None, "addresses that hold a session are not told");
    }

    // Loaded again, the activity is launched anew, and the progress is there.
    browser.top().await;
    browser.reload().await;
    browser.enter_all(&[TOOL]).await;
    browser.shown("#progress-text").await;
    assert_eq!(recorder.requests("POST /lti/launch/stored").len(), 2);
    offer(demo, "none").await;
}

#[tokio::test]
async fn a_launch_goes_through_the_storage_of_the_platforms_page() {
    let _alone = alone().await;
    if driver::programs().is_some() {
        follow_a_step("parent", "premiers-pas-etwinning").await;
    }
}

#[tokio::test]
async fn a_launch_goes_through_the_storage_of_a_frame_of_the_platforms_page() {
    let _alone = alone().await;
    if driver::programs().is_some() {
        follow_a_step("frame", "animer-un-webinaire").await;
    }
}

#[tokio::test]
async fn a_browser_that_keeps_the_platforms_cookies_only_opens_a_course() {
    let _alone = alone().await;
    if driver::programs().is_none() {
        return;
    }
    let demo = Demo::running();
    let campus = format!("{},*", demo.campus);
    let options = Options {
        preferences: vec![
            ("profile.default_content_setting_values.cookies", json!(2)),
            ("profile.content_settings.exceptions.cookies", json!({campus: {"setting": 1}})),
        ],
        ..Options::default()
    };
    let Some(browser) = Browser::start(options).await else { return };
    offer(demo, "parent").await;
    let title = course("premiers-pas-etwinning", Lang::French).title;
    sign_in(&browser, demo, NOELLE, "fr").await;
    browser.open(&activity(demo, &title).await).await;
    browser.enter_all(&[TOOL]).await;
    browser.shown("#open").await;
    let path = browser.script("return location.pathname", json!([])).await;
    assert!(path.as_str().is_some_and(|path| path.contains('~')), "no cookie was kept: {path}");
    offer(demo, "none").await;
}

/// A page of another site that begins a login of Campus's and hears everything that is sent to it.
async fn listening_page(demo: &Demo) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let address = format!("http://{}", listener.local_addr().expect("its address"));
    let state = demo.campus_state().await;
    let client = state["tools"][0]["client_id"].as_str().expect("a client id").to_owned();
    let service = &demo.service;
    let fields = [
        ("iss", demo.campus.as_str()),
        ("client_id", &client),
        ("login_hint", "6"),
        ("lti_message_hint", "{}"),
        ("lti_storage_target", "_parent"),
        ("target_link_uri", &format!("{service}/lti/open/events")),
    ];
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let query = query.replace('&', "&amp;");
    let page = format!(
        "<!doctype html><title>Other</title><script>
         window.heard = [];
         addEventListener('message', (event) => heard.push(event.data));
         </script><iframe id=contentframe src='{service}/lti/login?{query}'></iframe>"
    );
    let routes = Router::new().route("/", get(async || Html(page)));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    address
}

#[tokio::test]
async fn a_platform_that_does_not_answer_leads_to_a_window_and_other_sites_hear_nothing() {
    let _alone = alone().await;
    if driver::programs().is_none() {
        return;
    }
    let demo = Demo::running();
    let recorder = Recorder::start(demo.port()).await;
    let Some(browser) = Browser::start(refusing(demo, &recorder)).await else { return };
    browser.open(&listening_page(demo).await).await;
    browser.enter_all(&[TOOL]).await;
    let link = browser.shown("#storage-window a[target=_blank]").await.attribute("href").await;
    assert!(link.contains("login_hint=6"), "the login, unspent: {link}");
    assert!(!link.contains("passerelle_probe"), "{link}");
    let focused = "return document.activeElement.id";
    assert_eq!(browser.script(focused, json!([])).await, "storage-window-title");
    browser.top().await;
    assert_eq!(browser.script("return heard", json!([])).await, json!([]), "not the platform");
}

#[tokio::test]
async fn pages_tell_the_platform_their_height_and_nobody_else() {
    let _alone = alone().await;
    if driver::programs().is_none() {
        return;
    }
    let demo = Demo::running();
    let Some(browser) = Browser::start(Options::default()).await else { return };
    offer(demo, "parent").await;
    sign_in(&browser, demo, NOELLE, "fr").await;
    let title = course("premiers-pas-etwinning", Lang::French).title;
    browser.open(&activity(demo, &title).await).await;
    let listen = "window.heard = []; addEventListener('message', (event) =>
        heard.push([event.origin, event.data.subject, event.data.height]));";
    browser.script(listen, json!([])).await;
    browser.enter_all(&[TOOL]).await;
    browser.shown("#open").await;
    let origins = "return document.querySelector('meta[name=platform-origins]').content";
    assert_eq!(browser.script(origins, json!([])).await, demo.campus.as_str());
    // A change of the page is told; how it was at first may have been told before we listened.
    let taller = "const block = document.createElement('div'); block.style.height = '2000px';
        document.getElementById('main').append(block);";
    browser.script(taller, json!([])).await;
    browser.top().await;
    let heard = browser
        .wait("the new height", async || {
            let heard = browser.script("return heard", json!([])).await;
            let last = heard.as_array()?.last()?;
            (last[2].as_u64()? >= 2000).then(|| heard.clone())
        })
        .await;
    for message in heard.as_array().expect("messages") {
        assert_eq!(message[0], demo.service.as_str(), "{message}");
        assert_eq!(message[1], "lti.frameResize", "{message}");
        assert!(message[2].as_u64().is_some_and(|height| height >= 600), "{message}");
    }
    let height = "return document.getElementById('contentframe').getBoundingClientRect().height";
    let taken = browser.script(height, json!([])).await;
    assert!(taken.as_f64().is_some_and(|height| height >= 2000.0), "Campus follows: {taken}");

    // While the course plays the player is as high as a screen, not as the page below it.
    browser.enter_all(&[TOOL]).await;
    browser.click("#open").await;
    browser.top().await;
    let playing: Value = browser
        .wait("the player's height", async || {
            let heard = browser.script("return heard", json!([])).await;
            let last = heard.as_array()?.last()?[2].clone();
            (last.as_u64()? <= 904).then_some(last)
        })
        .await;
    assert!(playing.as_u64().is_some_and(|height| height >= 600), "{playing}");
    offer(demo, "none").await;
}
