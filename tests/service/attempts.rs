//! Attempts after the first, looking again without changing anything, and what belongs to the
//! learner over all courses.

use std::io::{Cursor, Write as _};

use chrono::TimeDelta;
use passerelle::courses::{Attempts, Counts};
use serde_json::{Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::on_both_databases;
use crate::support::course::{SLUG, new_version};
use crate::support::player::leaves;
use crate::support::{Browser, Player, Service};

async fn launched(service: &Service, slug: &str) -> (Browser, String) {
    let mut browser = service.browser();
    let item = format!("course/{slug}");
    let answer = service.platform.launch(&mut browser, &item, |_| ()).await.expect(303);
    let page = answer.location().to_owned();
    (browser, page)
}

async fn policy(service: &Service, counts: Counts) {
    let mut tx = service.app.db.write().await.expect("a transaction");
    let course = passerelle::courses::by_slug(&mut tx, SLUG).await.expect("SQL").expect("there");
    passerelle::courses::set_policy(&mut tx, course.id, Attempts::Again, counts)
        .await
        .expect("SQL");
    tx.commit().await.expect("committed");
}

/// Begins anew and takes the right to play.
async fn again(
    service: &Service,
    browser: &mut Browser,
    page: &str,
    status: u16,
) -> Option<Player> {
    let token = browser.get(page).await.expect(200).form_token();
    let fields = [("form_token", token.as_str()), ("again", "true")];
    let answer = browser.post(&format!("{page}/open"), &fields).await.expect(status);
    (status == 200).then(|| {
        let answer = answer.json();
        let mut player = Player::of(&service.app, &answer);
        player.seq = 0;
        player
    })
}

fn value<'a>(opened: &'a Value, element: &str) -> Option<&'a str> {
    opened["delivery"]["launch"]["values"][element].as_str()
}

/// The points of the scores that were sent, in order.
async fn sent(service: &Service) -> Vec<i64> {
    service.run_jobs().await;
    let record = service.platform.record();
    let points =
        record.scores.iter().map(|score| score.body["scoreGiven"].as_f64().expect("points"));
    points.map(|points| points.round() as i64).collect()
}

/// A package of one SCO whose primary objective is the global objective `eTwinning basics`, and
/// which shares a store.
fn sharing_package(title: &str) -> Vec<u8> {
    let manifest = format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<manifest identifier="m" version="1" xmlns="http://www.imsglobal.org/xsd/imscp_v1p1"
 xmlns:adlcp="http://www.adlnet.org/xsd/adlcp_v1p3" xmlns:imsss="http://www.imsglobal.org/xsd/imsss">
<metadata><schema>ADL SCORM</schema><schemaversion>2004 4th Edition</schemaversion></metadata>
<organizations default="o"><organization identifier="o"><title>{title}</title>
<item identifier="i" identifierref="r"><title>{title}</title>
<adlcp:data><adlcp:map targetID="notes"/></adlcp:data>
<imsss:sequencing><imsss:objectives><imsss:primaryObjective objectiveID="own">
<imsss:mapInfo targetObjectiveID="eTwinning basics" readSatisfiedStatus="true" writeSatisfiedStatus="true"/>
</imsss:primaryObjective></imsss:objectives></imsss:sequencing></item>
<imsss:sequencing><imsss:controlMode choice="true" flow="true"/></imsss:sequencing>
</organization></organizations>
<resources><resource identifier="r" type="webcontent" adlcp:scormType="sco" href="a.html"><file href="a.html"/></resource></resources>
</manifest>"#
    );
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in [("imsmanifest.xml", manifest.as_str()), ("a.html", "<!doctype html>")] {
        zip.start_file(name, SimpleFileOptions::default()).expect("an entry");
        zip.write_all(text.as_bytes()).expect("written");
    }
    zip.finish().expect("a zip").into_inner()
}

on_both_databases! {
    async fn who_finished_may_begin_anew_and_the_best_result_counts(database: TestDatabase) {
        let service = Service::start(database).await;
        service.install_course().await;
        policy(&service, Counts::Best).await;
        let (mut browser, page) = launched(&service, SLUG).await;
        let mut first = Player::admit(&service.app, &mut browser, &page).await;
        again(&service, &mut browser, &page, 409).await;
        first.complete(0.8).await;
        assert_eq!(sent(&service).await, [80]);
        service.advance(TimeDelta::minutes(5));
        let mut second = again(&service, &mut browser, &page, 200).await.expect("a player");
        let opened = second.open().await;
        assert_eq!(value(&opened, "cmi.entry"), Some("ab-initio"), "{opened}");
        assert_eq!(opened["view"]["completed"], false);
        second.complete(0.75).await;
        assert_eq!(sent(&service).await, [80], "a worse result is not told");
        service.advance(TimeDelta::minutes(5));
        let mut third = again(&service, &mut browser, &page, 200).await.expect("a player");
        third.complete(1.0).await;
        assert_eq!(sent(&service).await, [80, 100]);
        assert_eq!(service.count("attempts").await, 3);
        assert_eq!(service.count("credentials").await, 1);
    }

    async fn the_last_result_counts_where_the_course_says_so(database: TestDatabase) {
        let service = Service::start(database).await;
        service.install_course().await;
        policy(&service, Counts::Last).await;
        let (mut browser, page) = launched(&service, SLUG).await;
        Player::admit(&service.app, &mut browser, &page).await.complete(1.0).await;
        service.run_jobs().await;
        service.advance(TimeDelta::minutes(5));
        let mut second = again(&service, &mut browser, &page, 200).await.expect("a player");
        second.complete(0.8).await;
        assert_eq!(sent(&service).await, [100, 80]);
    }

    async fn a_course_that_is_followed_once_is_not_begun_again(database: TestDatabase) {
        let service = Service::start(database).await;
        service.install_course().await;
        let (mut browser, page) = launched(&service, SLUG).await;
        Player::admit(&service.app, &mut browser, &page).await.complete(1.0).await;
        again(&service, &mut browser, &page, 409).await;
        assert_eq!(service.count("attempts").await, 1);
    }

    async fn looking_again_shows_what_was_done_and_changes_nothing(database: TestDatabase) {
        let service = Service::start(database).await;
        service.install_course().await;
        let (mut browser, page) = launched(&service, SLUG).await;
        let mut player = Player::admit(&service.app, &mut browser, &page).await;
        let opened = player.open().await;
        let lesson = leaves(&opened["view"])[0].clone();
        let delta = [("cmi.suspend_data", "my answers"), ("cmi.completion_status", "completed")];
        player.commit(&lesson, &delta, true).await.expect(200);
        player.complete(1.0).await;
        let (scores, kept) = (sent(&service).await, kept(&service).await);

        let looking = Player::admit(&service.app, &mut browser, &page).await;
        let opened = looking.call("/runtime/open", json!({"mode": "review"})).await;
        let opened = opened.expect(200).json();
        assert_eq!(opened["view"]["mode"], "review");
        let shown = looking.choose(&lesson).await;
        assert_eq!(value(&shown, "cmi.mode"), Some("review"), "{shown}");
        assert_eq!(value(&shown, "cmi.credit"), Some("no-credit"));
        let mut looking = looking;
        looking.seq = shown["delivery"]["launch"]["seq"].as_i64().expect("a number");
        let delta = [
            ("cmi.suspend_data", "something else"),
            ("cmi.completion_status", "incomplete"),
            ("adl.nav.request", "continue"),
        ];
        looking.commit(&lesson, &delta, false).await.expect(200);
        let left = looking.commit(&lesson, &[], true).await.expect(200).json();
        // What the content asked for in an earlier commit of the session is followed.
        assert_ne!(left["delivery"]["activity"], Value::Null, "{left}");
        assert_ne!(left["delivery"]["activity"], json!(lesson), "{left}");

        let player = Player::admit(&service.app, &mut browser, &page).await;
        let opened = player.open().await;
        assert_eq!(opened["view"]["mode"], "normal");
        assert_eq!(opened["view"]["completed"], true);
        let status = |line: &Value| line["status"].clone();
        let lines = opened["view"]["toc"].as_array().expect("lines");
        assert!(lines.iter().all(|line| status(line) == "done"), "{opened}");
        assert_eq!(sent(&service).await, scores);
        assert_eq!(self::kept(&service).await, kept);
    }

    async fn global_objectives_and_shared_data_follow_the_learner(database: TestDatabase) {
        let service = Service::start(database).await;
        for slug in ["first", "second"] {
            let new = new_version(slug, "1");
            service.import(&sharing_package(slug), new).await.expect("sound");
        }
        let (mut browser, page) = launched(&service, "first").await;
        let mut player = Player::admit(&service.app, &mut browser, &page).await;
        player.open().await;
        let delta = [("cmi.success_status", "passed"), ("adl.data.0.store", "seen")];
        player.commit("i", &delta, true).await.expect(200);

        let (mut browser, page) = launched(&service, "second").await;
        let player = Player::admit(&service.app, &mut browser, &page).await;
        let opened = player.open().await;
        assert_eq!(value(&opened, "adl.data.0.store"), Some("seen"), "{opened}");
        assert_eq!(opened["view"]["toc"][0]["status"], "done", "{opened}");
        // Another learner knows nothing of it.
        let mut other = service.browser();
        let answer = service
            .platform
            .launch(&mut other, "course/second", |claims| {
                crate::support::platform::person(claims, 2);
            })
            .await
            .expect(303);
        let page = answer.location().to_owned();
        let opened = Player::admit(&service.app, &mut other, &page).await.open().await;
        assert_eq!(value(&opened, "adl.data.0.store"), None, "{opened}");
        assert_ne!(opened["view"]["toc"][0]["status"], "done", "{opened}");
    }
}

/// What the activities stored.
async fn kept(service: &Service) -> Vec<String> {
    service
        .texts(
            "SELECT activity || ' ' || CAST(seconds AS TEXT) FROM activity_data ORDER BY activity",
        )
        .await
}
