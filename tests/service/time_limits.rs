//! The dates and durations of a manifest, through the player.

use chrono::TimeDelta;
use serde_json::{Value, json};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use std::io::{Cursor, Write as _};

use crate::on_both_databases;
use crate::support::course::new_version;
use crate::support::{Player, Service};

/// Two SCOs; the second opens an hour after the tests begin and closes an hour later, the first is
/// told that it has half an hour.
fn package() -> Vec<u8> {
    let manifest = "<manifest identifier='m' xmlns='http://www.imsglobal.org/xsd/imscp_v1p1'
        xmlns:adlcp='http://www.adlnet.org/xsd/adlcp_v1p3'
        xmlns:imsss='http://www.imsglobal.org/xsd/imsss'>
        <metadata><schemaversion>2004 4th Edition</schemaversion></metadata>
        <organizations default='o'><organization identifier='o'><title>Limits</title>
        <item identifier='always' identifierref='r'><title>Always</title>
          <adlcp:timeLimitAction>exit,message</adlcp:timeLimitAction>
          <imsss:sequencing><imsss:limitConditions attemptAbsoluteDurationLimit='PT30M'/>
          </imsss:sequencing></item>
        <item identifier='later' identifierref='r'><title>Later</title>
          <imsss:sequencing><imsss:limitConditions beginTimeLimit='2026-11-23T10:00:00Z'
            endTimeLimit='2026-11-23T11:00:00Z'/></imsss:sequencing></item>
        <imsss:sequencing><imsss:controlMode choice='true' flow='true'/></imsss:sequencing>
        </organization></organizations><resources>
        <resource identifier='r' type='webcontent' adlcp:scormType='sco' href='a.html'/>
        </resources></manifest>";
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, text) in [("imsmanifest.xml", manifest), ("a.html", "<!doctype html>")] {
        writer.start_file(name, stored).expect("an entry");
        writer.write_all(text.as_bytes()).expect("written");
    }
    writer.finish().expect("finished").into_inner()
}

fn selectable(answer: &Value, id: &str) -> bool {
    let toc = answer["view"]["toc"].as_array().expect("a table of contents");
    toc.iter().any(|line| line["id"] == id && line["selectable"] == true)
}

on_both_databases! {
    async fn an_activity_opens_and_closes_with_the_clock(database: TestDatabase) {
        let service = Service::start(database).await;
        service.import(&package(), new_version("limits", "1")).await.expect("sound");
        let mut browser = service.browser();
        let page = service.platform.launch(&mut browser, "course/limits", |_| ()).await.expect(303);
        let page = page.location().to_owned();
        let player = Player::admit(&service.app, &mut browser, &page).await;
        let opened = player.open().await;
        assert_eq!(opened["delivery"]["activity"], "always");
        let values = &opened["delivery"]["launch"]["values"];
        assert_eq!(values["cmi.max_time_allowed"], "PT30M", "the content's own affair");
        assert_eq!(values["cmi.time_limit_action"], "exit,message");
        assert!(!selectable(&opened, "later"), "an hour too early: {opened}");
        let refused = player.choose("later").await;
        assert_eq!(refused["delivery"]["activity"], "always", "what was shown is shown again");

        service.advance(TimeDelta::minutes(61));
        let mut player = Player::admit(&service.app, &mut browser, &page).await;
        let opened = player.open().await;
        assert!(selectable(&opened, "later"), "{opened}");
        let later = player.choose("later").await;
        assert_eq!(later["delivery"]["activity"], "later");
        assert!(selectable(&later, "always"), "an hour instead of half of one closes nothing");
        player.seq = later["delivery"]["launch"]["seq"].as_i64().expect("a number");
        player.commit("later", &[("cmi.completion_status", "completed")], true).await.expect(200);

        service.advance(TimeDelta::hours(1));
        let player = Player::admit(&service.app, &mut browser, &page).await;
        player.open().await;
        let always = player.choose("always").await;
        assert_eq!(always["delivery"]["activity"], "always");
        assert!(!selectable(&always, "later"), "closed for a new attempt: {always}");
        assert_eq!(json!(always["ended"]), json!(false));
    }
}
