//! The run-time API: what a player may do, and what it may not.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::platform::person;
use crate::support::player::leaves;
use crate::support::{Browser, Player, Service, TestDatabase};

const ITEM: &str = "course/fixture";

struct Playing {
    service: Service,
    browser: Browser,
    page: String,
    player: Player,
    activities: Vec<String>,
}

/// A learner with the player open on the first lesson.
async fn play(database: TestDatabase) -> Playing {
    let service = Service::start(database).await;
    service.install_course().await;
    let mut browser = service.browser();
    let answer = service.platform.launch(&mut browser, ITEM, |_| ()).await.expect(303);
    let page = answer.location().to_owned();
    let player = Player::admit(&service.app, &mut browser, &page).await;
    let opened = player.open().await;
    let activities = leaves(&opened["view"]);
    Playing { service, browser, page, player, activities }
}

/// What the content finds when it starts.
fn value<'a>(opened: &'a Value, element: &str) -> Option<&'a str> {
    opened["delivery"]["launch"]["values"][element].as_str()
}

on_both_databases! {
    async fn a_commit_is_merged_once(database: TestDatabase) {
        let Playing { mut player, activities, .. } = play(database).await;
        let lesson = activities[0].clone();
        player.commit(&lesson, &[("cmi.location", "page-1")], false).await.expect(200);
        player.seq -= 1;
        let again = player.commit(&lesson, &[("cmi.location", "page-9")], false).await.expect(200);
        assert_eq!(again.json()["seq"], player.seq);
        let opened = player.open().await;
        assert_eq!(value(&opened, "cmi.location"), Some("page-1"), "{opened}");
        assert_eq!(opened["delivery"]["launch"]["seq"], player.seq);
    }

    async fn a_learner_comes_back_to_where_they_were(database: TestDatabase) {
        let Playing { service, mut browser, page, mut player, activities } = play(database).await;
        let delta = [
            ("cmi.location", "page-3"),
            ("cmi.suspend_data", "été 🌉"),
            ("cmi.exit", "suspend"),
        ];
        player.commit(&activities[0], &delta, true).await.expect(200);
        service.advance(TimeDelta::hours(2));
        let player = Player::admit(&service.app, &mut browser, &page).await;
        let opened = player.open().await;
        assert_eq!(opened["delivery"]["activity"], json!(activities[0]), "{opened}");
        assert_eq!(value(&opened, "cmi.location"), Some("page-3"));
        assert_eq!(value(&opened, "cmi.suspend_data"), Some("été 🌉"));
        assert_eq!(value(&opened, "cmi.entry"), Some("resume"));
        assert_eq!(value(&opened, "cmi.learner_name"), Some("Lefèvre, Zoé"));
    }

    async fn a_player_that_was_opened_elsewhere_is_told_so(database: TestDatabase) {
        let Playing { service, mut browser, page, mut player, activities } = play(database).await;
        let newer = Player::admit(&service.app, &mut browser, &page).await;
        let delta = [("cmi.location", "late")];
        let answer = player.commit(&activities[0], &delta, false).await.expect(409);
        assert_eq!(answer.json()["error"], "player-superseded");
        player.call("/runtime/open", json!({})).await.expect(409);
        newer.open().await;
    }

    async fn a_token_plays_on_its_own_host_only(database: TestDatabase) {
        let Playing { service, player, activities, .. } = play(database).await;
        let mut browser = service.browser();
        let other = service.platform.launch(&mut browser, ITEM, |claims| person(claims, 2)).await;
        let other = Player::admit(&service.app, &mut browser, other.expect(303).location()).await;
        assert_ne!(other.origin, player.origin);
        let mut thief = other.clone();
        thief.token.clone_from(&player.token);
        thief.seq = 10;
        let delta = [("cmi.location", "stolen")];
        thief.commit(&activities[0], &delta, false).await.expect(409);
        thief.call("/runtime/open", json!({})).await.expect(409);
        let mut lost = player.clone();
        "http://aaaaaaaaaaaaaaaaaaaaaaaaaa.localhost:8081".clone_into(&mut lost.origin);
        lost.call("/runtime/open", json!({})).await.expect(404);
        "http://localhost:8080".clone_into(&mut lost.origin);
        lost.call("/runtime/open", json!({})).await.expect(404);
        let opened = player.open().await;
        assert_eq!(value(&opened, "cmi.location"), None);
    }

    async fn a_forged_token_plays_nothing(database: TestDatabase) {
        let Playing { mut player, activities, .. } = play(database).await;
        for token in ["", "short", &"é".repeat(43)] {
            player.token = token.to_owned();
            let answer = player.call("/runtime/open", json!({})).await.expect(403);
            assert_eq!(answer.json()["error"], "player-token", "{token:?}");
        }
        player.token = "A".repeat(43);
        player.commit(&activities[0], &[], false).await.expect(409);
    }

    async fn values_that_the_model_refuses_stop_nothing(database: TestDatabase) {
        let Playing { mut player, activities, .. } = play(database).await;
        let delta = [
            ("cmi.unheard_of", "1"),
            ("cmi.score.scaled", "seven"),
            ("cmi.completion_status", "nearly"),
            ("cmi.learner_name", "Somebody Else"),
            ("cmi.location", "page-2"),
        ];
        player.commit(&activities[0], &delta, false).await.expect(200);
        let opened = player.open().await;
        assert_eq!(value(&opened, "cmi.location"), Some("page-2"));
        assert_eq!(value(&opened, "cmi.learner_name"), Some("Lefèvre, Zoé"));
    }

    async fn what_cannot_be_read_is_refused_with_its_place(database: TestDatabase) {
        let Playing { mut player, .. } = play(database).await;
        let unknown = player.commit("no-such-activity", &[], false).await.expect(400);
        assert_eq!(unknown.json()["error"], "player-activity");
        let broken = player.post("/runtime/commit", b"{\n  \"token\": oops}".to_vec()).await;
        let broken = broken.expect(400).json();
        assert_eq!(broken["error"], "body-unreadable");
        assert!(broken["detail"].as_str().is_some_and(|text| text.contains("line 2")), "{broken}");
        player.post("/runtime/commit", b"\xff\xfe".to_vec()).await.expect(400);
        player.post("/runtime/commit", b"[]".to_vec()).await.expect(400);
        let huge = player.post("/runtime/commit", vec![b' '; 13 * 1024 * 1024]).await.expect(413);
        assert_eq!(huge.json()["error"], "body-too-large");
        let strange = json!({"request": "teleport"});
        player.call("/runtime/navigate", strange).await.expect(400);
        let nowhere = json!({"request": "choice", "target": "no-such-activity"});
        player.call("/runtime/navigate", nowhere).await.expect(400);
        player.open().await;
    }

    async fn time_is_credited_no_faster_than_the_clock_runs(database: TestDatabase) {
        let Playing { service, mut player, activities, .. } = play(database).await;
        service.advance(TimeDelta::seconds(60));
        player.seq += 1;
        let body = json!({
            "activity": activities[0], "seq": player.seq, "delta": [], "final": true,
            "session_seconds": 1e9,
        });
        player.call("/runtime/commit", body).await.expect(200);
        let seconds = "SELECT CAST(sum(seconds) AS BIGINT) FROM activity_data";
        let seconds = service.number(seconds).await;
        assert!((1..=90).contains(&seconds), "{seconds}");
    }

    async fn many_learners_commit_at_once_and_each_keeps_their_own(database: TestDatabase) {
        let service = Service::start(database).await;
        service.install_course().await;
        let mut players = Vec::new();
        for number in 0..8 {
            let mut browser = service.browser();
            let answer = service.platform.launch(&mut browser, ITEM, |c| person(c, number)).await;
            let page = answer.expect(303).location().to_owned();
            players.push(Player::admit(&service.app, &mut browser, &page).await);
        }
        let work = players.into_iter().enumerate().map(|(number, mut player)| async move {
            let lesson = leaves(&player.open().await["view"]).remove(0);
            for step in 0..5 {
                let place = format!("{number}-{step}");
                player.commit(&lesson, &[("cmi.location", &place)], false).await.expect(200);
            }
            let opened = player.open().await;
            assert_eq!(value(&opened, "cmi.location"), Some(format!("{number}-4").as_str()));
        });
        futures::future::join_all(work).await;
    }
}
