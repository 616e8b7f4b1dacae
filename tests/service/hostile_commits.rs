//! Commits that no player sends: each has its answer, nothing of it is kept that should not be, and
//! the learner's next commit is merged as if nothing had happened.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::player::leaves;
use crate::support::{Answer, Player, Service, TestDatabase};

const ITEM: &str = "course/fixture";

struct Playing {
    _service: Service,
    player: Player,
    lesson: String,
}

async fn play(database: TestDatabase) -> Playing {
    let service = Service::start(database).await;
    service.install_course().await;
    let mut browser = service.browser();
    let answer = service.platform.launch(&mut browser, ITEM, |_| ()).await.expect(303);
    let page = answer.location().to_owned();
    let player = Player::admit(&service.app, &mut browser, &page).await;
    let lesson = leaves(&player.open().await["view"]).remove(0);
    Playing { _service: service, player, lesson }
}

impl Playing {
    /// A commit whose members are replaced by these.
    async fn send(&self, change: Value) -> Answer {
        let mut body = json!({ "activity": self.lesson, "seq": 1, "delta": [] });
        for (name, value) in change.as_object().expect("members") {
            body[name] = value.clone();
        }
        self.player.call("/runtime/commit", body).await
    }

    async fn refused(&self, change: Value, status: u16, code: &str) {
        let shown = change.to_string().chars().take(200).collect::<String>();
        let answer = self.send(change).await;
        assert_eq!(answer.status.as_u16(), status, "{shown}: {}", answer.text());
        assert_eq!(answer.json()["error"], code, "{shown}");
    }

    /// A commit as text, the token put in.
    async fn send_text(&self, body: &str) -> Answer {
        let body = body.replace("TOKEN", &self.player.token).replace("LESSON", &self.lesson);
        self.player.post("/runtime/commit", body.into_bytes()).await
    }

    /// The first commit is still to come, and is merged.
    async fn assert_untouched(mut self) {
        let lesson = self.lesson.clone();
        let answer = self.player.commit(&lesson, &[("cmi.location", "page-1")], false).await;
        assert_eq!(answer.expect(200).json()["seq"], 1);
        let opened = self.player.open().await;
        assert_eq!(opened["delivery"]["launch"]["values"]["cmi.location"], "page-1", "{opened}");
    }
}

on_both_databases! {
    async fn a_commit_out_of_its_order_changes_nothing(database: TestDatabase) {
        let playing = play(database).await;
        let delta = json!([["cmi.location", "elsewhere"]]);
        for seq in [2, 7, i64::MAX] {
            playing.refused(json!({"seq": seq, "delta": delta}), 425, "player-too-early").await;
        }
        // Counted from one: what is before was merged long ago.
        for seq in [0, -1, i64::MIN] {
            let answer = playing.send(json!({"seq": seq, "delta": delta})).await.expect(200);
            assert_eq!(answer.json()["seq"], seq);
        }
        for run in [0_u32, 2, u32::MAX] {
            playing.refused(json!({"run": run, "delta": delta}), 410, "player-overtaken").await;
        }
        for (member, value) in [
            ("seq", json!("1")),
            ("seq", json!(1.5)),
            ("seq", json!(1e30)),
            ("seq", Value::Null),
            ("run", json!(-1)),
            ("run", json!(4_294_967_296_u64)),
            ("activity", json!(7)),
            ("final", json!("yes")),
            ("session_seconds", json!("long")),
        ] {
            playing.refused(json!({member: value}), 400, "body-unreadable").await;
        }
        playing.refused(json!({"activity": "nowhere"}), 400, "player-activity").await;
        playing.refused(json!({"activity": "\u{0}"}), 400, "player-activity").await;
        playing.assert_untouched().await;
    }

    async fn a_delta_of_another_shape_is_refused_whole(database: TestDatabase) {
        let playing = play(database).await;
        let good = json!(["cmi.location", "elsewhere"]);
        for pair in [
            json!(["cmi.location", 3]),
            json!(["cmi.location", null]),
            json!(["cmi.location", {"toString": "x"}]),
            json!(["cmi.location", ["x"]]),
            json!(["cmi.location", true]),
            json!([4, "x"]),
            json!(["cmi.location"]),
            json!(["cmi.location", "x", "y"]),
            json!({"cmi.location": "x"}),
            json!("cmi.location"),
            json!(null),
        ] {
            playing.refused(json!({"delta": [good, pair]}), 400, "body-unreadable").await;
        }
        for delta in [json!({"cmi.location": "x"}), json!("x"), json!(null), json!(1)] {
            playing.refused(json!({"delta": delta}), 400, "body-unreadable").await;
        }
        for text in [
            r#"{"token":"TOKEN","activity":"LESSON","seq":1}"#,
            r#"{"token":"TOKEN","activity":"LESSON","seq":1,"seq":1,"delta":[]}"#,
            r#"{"token":"TOKEN","activity":"LESSON","seq":1,"delta":[["cmi.location","\ud800"]]}"#,
            r#"{"token":"TOKEN","activity":"LESSON","seq":1,"delta":[["cmi.location","x"]]}}"#,
            r#"{"token":"TOKEN","activity":"LESSON","seq":1,"delta":[["cmi.location","x"],]}"#,
            r#"{"token":"TOKEN","activity":"LESSON","seq":1,"session_seconds":1e999,"delta":[]}"#,
            r#"{"token":null,"activity":"LESSON","seq":1,"delta":[]}"#,
            r#"{"token":["TOKEN"],"activity":"LESSON","seq":1,"delta":[]}"#,
        ] {
            let answer = playing.send_text(text).await.expect(400);
            assert_eq!(answer.json()["error"], "body-unreadable", "{text}");
        }
        playing.assert_untouched().await;
    }

    async fn json_of_any_depth_is_refused_without_a_stack(database: TestDatabase) {
        let playing = play(database).await;
        let deep = |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000));
        for value in [deep("[", "]"), deep("{\"a\":", "}").replace(":}", ":1}")] {
            for member in ["delta", "unheard_of"] {
                let text = format!(
                    r#"{{"token":"TOKEN","activity":"LESSON","seq":1,"{member}":{value}}}"#
                );
                let answer = playing.send_text(&text).await.expect(400);
                assert_eq!(answer.json()["error"], "body-unreadable", "{member}");
            }
        }
        playing.assert_untouched().await;
    }

    async fn a_token_of_any_shape_opens_nothing(database: TestDatabase) {
        let playing = play(database).await;
        let right = playing.player.token.clone();
        let mut changed = right.clone();
        changed.replace_range(0..1, if right.starts_with('A') { "B" } else { "A" });
        let mut thief = Playing { player: playing.player.clone(), ..playing };
        for (token, status, code) in [
            (String::new(), 403, "player-token"),
            (right[1..].to_owned(), 403, "player-token"),
            (format!("{right}A"), 403, "player-token"),
            ("x".repeat(1 << 20), 403, "player-token"),
            ("' OR 1=1 --".to_owned(), 403, "player-token"),
            (changed, 409, "player-superseded"),
        ] {
            thief.player.token = token;
            thief.refused(json!({}), status, code).await;
        }
        thief.player.token = right;
        thief.assert_untouched().await;
    }

    async fn ten_megabytes_of_suspend_data_are_not_kept_and_one_is(database: TestDatabase) {
        let mut playing = play(database).await;
        let (lesson, ten) = (playing.lesson.clone(), "x".repeat(10 << 20));
        let delta = [("cmi.location", "page-1"), ("cmi.suspend_data", ten.as_str())];
        playing.player.commit(&lesson, &delta, false).await.expect(200);
        let opened = playing.player.open().await;
        let values = &opened["delivery"]["launch"]["values"];
        assert_eq!(values["cmi.location"], "page-1", "the rest is kept");
        assert_eq!(values["cmi.suspend_data"], Value::Null);
        let one = "é".repeat(1 << 20);
        playing.player.seq = opened["delivery"]["launch"]["seq"].as_i64().expect("a number");
        let delta = [("cmi.suspend_data", one.as_str())];
        playing.player.commit(&lesson, &delta, false).await.expect(200);
        let opened = playing.player.open().await;
        assert_eq!(opened["delivery"]["launch"]["values"]["cmi.suspend_data"], one.as_str());
        let eleven = vec![b' '; (12 << 20) + 1];
        playing.player.post("/runtime/commit", eleven).await.expect(413);
    }

    async fn elements_nobody_knows_leave_nothing_behind(database: TestDatabase) {
        let mut playing = play(database).await;
        let (lesson, long) = (playing.lesson.clone(), "cmi.".repeat(10_000));
        let before = playing.player.open().await;
        playing.player.seq = before["delivery"]["launch"]["seq"].as_i64().expect("a number");
        let delta = [
            ("__proto__", "x"),
            ("constructor.prototype", "x"),
            ("cmi.__proto__.polluted", "x"),
            ("cmi.interactions.NaN.id", "x"),
            ("cmi.interactions.-1.id", "x"),
            ("cmi.interactions.1e3.id", "x"),
            ("cmi.interactions.99999999999999999999.id", "x"),
            ("cmi.interactions.5.id", "x"),
            ("cmi.interactions.0.type", "choice"),
            ("cmi.learner_id", "somebody else"),
            ("cmi.location", "a\u{0}b"),
            ("", ""),
            (long.as_str(), "x"),
        ];
        playing.player.commit(&lesson, &delta, false).await.expect(200);
        let after = playing.player.open().await;
        let values = |opened: &Value| opened["delivery"]["launch"]["values"].clone();
        let mut expected = values(&before);
        expected["cmi.entry"] = json!("resume");
        let mut found = values(&after);
        // The clock stands still; the session's entry is all that differs.
        found["cmi.entry"] = json!("resume");
        assert_eq!(found, expected);
    }

    async fn a_hundred_thousand_pairs_are_merged_and_one_more_is_not(database: TestDatabase) {
        let mut playing = play(database).await;
        let text = |pairs: usize| {
            let mut text = r#"{"token":"TOKEN","activity":"LESSON","seq":1,"delta":["#.to_owned();
            for number in 0..pairs {
                let comma = if number > 0 { "," } else { "" };
                write!(text, r#"{comma}["cmi.location","page {number}"]"#).expect("text");
            }
            text.push_str("]}");
            text
        };
        let answer = playing.send_text(&text(100_001)).await.expect(413);
        assert_eq!(answer.json()["error"], "player-delta");
        let begun = Instant::now();
        playing.send_text(&text(100_000)).await.expect(200);
        let spent = begun.elapsed();
        assert!(spent < Duration::from_secs(20), "{spent:?}");
        playing.player.seq = 1;
        let opened = playing.player.open().await;
        assert_eq!(opened["delivery"]["launch"]["values"]["cmi.location"], "page 99999");
    }

    async fn what_an_activity_stores_has_an_end(database: TestDatabase) {
        let mut playing = play(database).await;
        let (lesson, long) = (playing.lesson.clone(), "x".repeat(65_000));
        let elements: Vec<String> =
            (0..140).map(|number| format!("cmi.comments_from_learner.{number}.comment")).collect();
        let delta: Vec<(&str, &str)> =
            elements.iter().map(|element| (element.as_str(), long.as_str())).collect();
        playing.player.commit(&lesson, &delta, false).await.expect(200);
        let opened = playing.player.open().await;
        let values = opened["delivery"]["launch"]["values"].as_object().expect("values");
        let kept = values.keys().filter(|name| name.ends_with(".comment")).count();
        assert_eq!(kept, 128, "eight mebi-characters");
    }
}
