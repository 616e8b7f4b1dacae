//! What must not be possible: a package whose script reaches for everything around it, and the
//! control that shows that third-party cookies are blocked at all.

use std::io::Write as _;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{AppendHeaders, Html, IntoResponse, Redirect};
use axum::routing::get;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::demo::Demo;
use crate::driver::Browser;
use crate::learner::{AURELIEN, CONTENT, NOELLE, PLAYER, TOOL, activity, sign_in};

/// A site that sets one cookie with `Partitioned` and one without, inside another site's page.
pub(crate) struct Control {
    pub(crate) port: u16,
    sent: Arc<Mutex<String>>,
}

impl Control {
    /// The cookies that came back.
    pub(crate) fn sent(&self) -> String {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

pub(crate) async fn cookie_control() -> Control {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let port = listener.local_addr().expect("its address").port();
    let sent: Arc<Mutex<String>> = Arc::default();
    let top = format!("<iframe id=inner src='http://localhost:{port}/set'></iframe>");
    let set_both = async || {
        let cookies = AppendHeaders([
            (header::SET_COOKIE, "plain=1; Path=/; Secure; SameSite=None"),
            (header::SET_COOKIE, "partitioned=1; Path=/; Secure; SameSite=None; Partitioned"),
        ]);
        (cookies, Redirect::to("/read")).into_response()
    };
    let read = async |State(sent): State<Arc<Mutex<String>>>, headers: HeaderMap| {
        let cookies: Vec<&str> = headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .collect();
        *sent.lock().unwrap_or_else(PoisonError::into_inner) = cookies.join("; ");
        Html("<p id=read>read")
    };
    let routes = Router::new()
        .route("/top", get(async || Html(top)))
        .route("/set", get(set_both))
        .route("/read", get(read))
        .with_state(sent.clone());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Control { port, sent }
}

const MANIFEST: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<manifest identifier="intrus" version="1" xmlns="http://www.imsproject.org/xsd/imscp_rootv1p1p2"
  xmlns:adlcp="http://www.adlnet.org/xsd/adlcp_rootv1p2">
  <metadata><schema>ADL SCORM</schema><schemaversion>1.2</schemaversion></metadata>
  <organizations default="all"><organization identifier="all"><title>Intrus</title>
    <item identifier="one" identifierref="page"><title>Intrus</title></item>
  </organization></organizations>
  <resources><resource identifier="page" type="webcontent" adlcp:scormtype="sco" href="page.html">
    <file href="page.html"/><file href="attack.js"/></resource></resources>
</manifest>"#;

const PAGE: &str = "<!doctype html><html lang=fr><meta charset=utf-8><title>Intrus</title>\
    <h1 id=title>Intrus</h1><script src=attack.js></script>";

/// Each attempt answers what it got hold of, or why it got nothing ("kept out: …").
const ATTACK: &str = r#"
async function attempt(what) {
  try {
    const got = await Promise.race([
      what(),
      new Promise((_, reject) => setTimeout(() => reject(new Error("no answer")), 4000)),
    ]);
    return got === undefined ? "got hold of it" : "got " + String(got).slice(0, 200);
  } catch (error) {
    return "kept out: " + error.name + " " + error.message;
  }
}

function framed(address) {
  return new Promise((resolve, reject) => {
    const frame = document.createElement("iframe");
    frame.src = address;
    frame.onload = () => {
      try { resolve(frame.contentWindow.document.body.innerText); } catch (error) { reject(error); }
    };
    frame.onerror = () => reject(new Error("refused"));
    document.body.append(frame);
  });
}

async function attack(app, other, launch) {
  const results = {
    "the platform's page": await attempt(() => top.document.body.innerText),
    "the learner's page": await attempt(() => parent.parent.document.body.innerText),
    "the address of the learner's page": await attempt(() => parent.parent.location.href),
    "a name in the learner's page": await attempt(() => parent.parent.play.token),
    "the service with its cookie": await attempt(async () =>
      (await fetch(app + "/launches/" + launch + "/course", { credentials: "include" })).text()),
    "the service, blindly": await attempt(async () => {
      await fetch(app + "/launches/" + launch + "/course/open",
        { method: "POST", mode: "no-cors", credentials: "include", body: "form_token=x" });
    }),
    "the service, through the player": await attempt(async () => {
      await parent.fetch(app + "/launches/" + launch + "/course",
        { mode: "no-cors", credentials: "include" });
    }),
    "the service in a frame": await attempt(() => framed(app + "/launches/" + launch + "/course")),
    "another learner's player": await attempt(async () => (await fetch(other + "/player")).text()),
    "another learner's player, blindly": await attempt(async () => {
      await fetch(other + "/player", { mode: "no-cors" });
    }),
    "another learner's player in a frame": await attempt(() => framed(other + "/player")),
    "the outside": await attempt(async () => {
      await fetch("http://127.0.0.1:9/", { mode: "no-cors" });
    }),
    "the window's address": await attempt(() => {
      top.location.href = "http://127.0.0.1:9/";
    }),
  };
  return { results, cookies: document.cookie, stored: localStorage.getItem("trace") };
}
"#;

/// Takes the package in as a course of the running demo.
pub(crate) fn import(demo: &Demo) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("intrus.zip");
    let mut zip = zip::ZipWriter::new(std::fs::File::create(&file).expect("a file"));
    for (name, text) in [("imsmanifest.xml", MANIFEST), ("page.html", PAGE), ("attack.js", ATTACK)]
    {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).expect("an entry");
        zip.write_all(text.as_bytes()).expect("its text");
    }
    zip.finish().expect("a zip");
    let file = file.to_str().expect("a path in UTF-8");
    demo.command(&["course", "import", file, "--slug", "intrus", "--minutes", "5"]);
}

/// Two learners on one computer open the package, which tries everything from inside.
pub(crate) async fn attack_everything(browser: &Browser, demo: &Demo) {
    let address = activity(demo, "Intrus").await;
    let (first_origin, first_launch) = open(browser, demo, AURELIEN, &address).await;
    browser.script("localStorage.setItem('trace', 'of the first')", json!([])).await;
    let scores = graded(demo).await;
    let mails = demo.mails().await.len();

    let (origin, _) = open(browser, demo, NOELLE, &address).await;
    assert_ne!(origin, first_origin, "each enrolment has a host of its own");
    let said = browser
        .script_async(
            "return JSON.stringify(await attack(...given))",
            json!([demo.service, first_origin, first_launch]),
        )
        .await;
    let said: Value = serde_json::from_str(said.as_str().unwrap_or_default())
        .unwrap_or_else(|error| panic!("{error}: {said}"));
    for (what, outcome) in said["results"].as_object().expect("results") {
        let outcome = outcome.as_str().unwrap_or_default();
        assert!(outcome.starts_with("kept out: "), "{what}: {outcome}");
    }
    assert_eq!(said["cookies"], "", "no cookie of anybody");
    assert_eq!(said["stored"], Value::Null, "nothing of another learner");

    // A token plays on its own host only, and a version is served on hosts that play it only.
    let refused = browser
        .script_async(
            "const answer = await fetch('/runtime/open', {method: 'POST', body: JSON.stringify({token: 'A'.repeat(43)})});
             return answer.status",
            json!([]),
        )
        .await;
    assert!(matches!(refused.as_u64(), Some(403 | 409)), "{refused}");

    // Nothing moved: the same page is shown, nothing was sent, graded or awarded.
    browser.top().await;
    assert_eq!(browser.address().await, address);
    browser.enter_all(&[TOOL]).await;
    browser.shown(".play iframe").await;
    assert_eq!(graded(demo).await, scores);
    assert_eq!(demo.mails().await.len(), mails);
}

/// The scores with a grade: that somebody began is told as well.
async fn graded(demo: &Demo) -> Vec<Value> {
    let scores = demo.campus_state().await["scores"].as_array().cloned().unwrap_or_default();
    let graded = |score: &Value| score["body"]["gradingProgress"] == "FullyGraded";
    scores.into_iter().filter(graded).collect()
}

/// Opens the package and goes inside; the content's origin and the launch.
async fn open(browser: &Browser, demo: &Demo, person: u64, address: &str) -> (String, String) {
    sign_in(browser, demo, person, "fr").await;
    browser.open(address).await;
    browser.enter_all(&[TOOL]).await;
    browser.click("#open").await;
    let launch = browser.script("return location.pathname.split('/')[2]", json!([])).await;
    browser.enter_all(&[TOOL, PLAYER, CONTENT]).await;
    browser
        .wait("the package's script", async || {
            browser.enter_all(&[TOOL, PLAYER, CONTENT]).await;
            let there = browser.try_script("return typeof attack === 'function'", json!([])).await;
            there.ok()?.as_bool()?.then_some(())
        })
        .await;
    let origin = browser.script("return location.origin", json!([])).await;
    (origin.as_str().unwrap_or_default().to_owned(), launch.as_str().unwrap_or_default().to_owned())
}
