//! What `/metrics` says of launches, commits, jobs, scores and mails, and where it is not served.

use axum::body::Body;
use axum::http::Request;
use chrono::TimeDelta;
use passerelle::router;
use serde_json::json;

use crate::on_both_databases;
use crate::support::browser::send;
use crate::support::{Player, Service};

/// The value of one line; nothing when there is no such line.
async fn value(service: &Service, line: &str) -> Option<f64> {
    let text = scrape(service).await;
    let found = text.lines().find_map(|found| found.strip_prefix(line)?.strip_prefix(' '));
    found.map(|number| number.parse().expect("a number"))
}

async fn scrape(service: &Service) -> String {
    let request = Request::get("/metrics").body(Body::empty()).expect("a request");
    let answer = send(router::monitoring(service.app.clone()), request).await.expect(200);
    let media_type = answer.header("content-type").expect("a media type").to_owned();
    assert!(media_type.starts_with("application/openmetrics-text"), "{media_type}");
    let text = answer.text();
    assert!(text.ends_with("# EOF\n"), "{text}");
    text
}

on_both_databases! {
    async fn a_journey_is_counted_step_by_step(database: TestDatabase) {
        let service = Service::start(database).await;
        service.install_course().await;
        let mut browser = service.browser();
        let item = "course/fixture";
        let page = service.platform.launch(&mut browser, item, |_| ()).await.expect(303);
        let wrong = |claims: &mut serde_json::Value| claims["nonce"] = json!("another");
        service.platform.launch(&mut browser, item, wrong).await.expect(400);
        let mut player = Player::admit(&service.app, &mut browser, page.location()).await;
        player.complete(0.9).await;
        service.platform.record().scores_status = vec![500];
        service.advance(TimeDelta::seconds(20));
        let waits = "passerelle_jobs_oldest_due_seconds";
        assert_eq!(value(&service, waits).await, Some(20.0));
        let queued = "passerelle_jobs_waiting{kind=\"send-score\",state=\"queued\"}";
        assert_eq!(value(&service, queued).await, Some(1.0));
        service.run_jobs().await;
        assert_eq!(value(&service, waits).await, Some(0.0));
        assert_eq!(value(&service, queued).await, Some(1.0));
        service.advance(TimeDelta::seconds(5));
        service.run_jobs().await;
        assert_eq!(value(&service, queued).await, None);
        for (line, expected) in [
            ("passerelle_launches_total{outcome=\"accepted\"}", 1.0),
            ("passerelle_launches_total{outcome=\"nonce-mismatch\"}", 1.0),
            ("passerelle_launch_seconds_count{step=\"verify\"}", 1.0),
            ("passerelle_launch_seconds_count{step=\"launch\"}", 1.0),
            ("passerelle_key_set_fetches_total{result=\"ok\"}", 1.0),
            ("passerelle_token_fetches_total{result=\"ok\"}", 1.0),
            ("passerelle_commits_total{outcome=\"acknowledged\"}", 3.0),
            ("passerelle_jobs_total{kind=\"send-score\",result=\"retried\"}", 1.0),
            ("passerelle_jobs_total{kind=\"send-score\",result=\"done\"}", 1.0),
            ("passerelle_scores_total{outcome=\"delivered\"}", 1.0),
            ("passerelle_mails_total{state=\"accepted\"}", 1.0),
            ("passerelle_database_up", 1.0),
        ] {
            assert_eq!(value(&service, line).await, Some(expected), "{line}");
        }
        let groups = value(&service, "passerelle_group_units_count").await.expect("a histogram");
        assert_eq!(groups > 0.0, service.app.db.name() == "SQLite", "{groups}");
        // A commit of a token that plays nothing.
        passerelle::ids::Token::random().reveal().clone_into(&mut player.token);
        player.commit("whatever", &[], false).await.expect(409);
        let refused = "passerelle_commits_total{outcome=\"player-superseded\"}";
        assert_eq!(value(&service, refused).await, Some(1.0));

        // Nothing that was sent, and nobody.
        let text = scrape(&service).await;
        for word in ["learner-1", "client-1", "127.0.0.1", "Zoé", "reseau"] {
            assert!(!text.contains(word), "{word} in {text}");
        }
        // Neither origin has it.
        browser.get("/metrics").await.expect(404);
        let content = Request::get("/metrics").header("host", "a.localhost:8081");
        let content = content.body(Body::empty()).expect("a request");
        send(router::content(service.app.clone()), content).await.expect(404);
    }

    async fn a_database_that_is_away_does_not_silence_the_counters(database: TestDatabase) {
        let service = Service::start(database).await;
        service.app.metrics.launch("accepted");
        service.app.db.close().await;
        let text = scrape(&service).await;
        assert!(text.contains("passerelle_database_up 0"), "{text}");
        assert!(text.contains("passerelle_launches_total{outcome=\"accepted\"} 1"), "{text}");
    }
}
