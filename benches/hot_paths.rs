//! The four paths that everybody takes: a launch, a runtime commit, a file of a course, a
//! certificate. Through the routers, in memory, on SQLite with its fsync; `cargo bench`.
//!
//! What bounds them: a launch one RSA verification, a commit one grouped fsync, content the bytes
//! copied once.

#[expect(dead_code, reason = "the tests use all of it")]
#[path = "../tests/support/mod.rs"]
mod support;

use std::sync::LazyLock;

use axum::http::Method;
use chrono::TimeDelta;
use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use passerelle::credentials::certificate::{Certificates, Document};
use passerelle::credentials::{Facts, Kind};
use passerelle::web::Lang;
use support::player::content;
use support::{Browser, Player, Service, TestDatabase, course, platform};
use tokio::runtime::Runtime;

/// So many learners commit at a time in the grouped measurement.
const TOGETHER: usize = 64;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));

fn main() {
    divan::main();
}

/// A service with the fixture course.
fn service() -> Service {
    RUNTIME.block_on(async {
        let service = Service::start(TestDatabase::sqlite()).await;
        service.install_course().await;
        service
    })
}

/// Learner `number`, launched, with the player open on the first activity.
async fn learner(service: &Service, number: usize) -> (Player, String) {
    let mut browser = service.browser();
    let item = format!("course/{}", course::SLUG);
    let launched = service
        .platform
        .launch(&mut browser, &item, |claims| platform::person(claims, number))
        .await;
    let page = launched.location().to_owned();
    let player = Player::admit(&service.app, &mut browser, &page).await;
    let opened = player.open().await;
    let activity = opened["delivery"]["activity"].as_str().expect("an activity").to_owned();
    (player, activity)
}

/// The POST of a launch: token verified, one grouped transaction, redirect.
#[divan::bench(max_time = 5)]
fn launch(bencher: Bencher<'_, '_>) {
    let service = service();
    let number = std::sync::atomic::AtomicUsize::new(0);
    bencher
        .with_inputs(|| {
            let number = number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            RUNTIME.block_on(async {
                let mut browser: Browser = service.browser();
                let target = format!("http://localhost:8080/lti/open/course/{}", course::SLUG);
                let login = service.platform.login(&mut browser, &target).await;
                let mut claims = service.platform.claims(&login);
                platform::person(&mut claims, number);
                (browser, service.platform.sign(&claims), login.state)
            })
        })
        .bench_local_values(|(mut browser, id_token, state)| {
            RUNTIME.block_on(async {
                let answer = service.platform.post_launch(&mut browser, &id_token, &state).await;
                assert!(answer.status.is_redirection(), "{}", answer.text());
            });
        });
}

/// One learner's commit of a bookmark and 2 KB of suspend data, alone on the machine: one fsync.
#[divan::bench(max_time = 5)]
fn commit_alone(bencher: Bencher<'_, '_>) {
    let service = service();
    let (mut player, activity) = RUNTIME.block_on(learner(&service, 0));
    let data = "x".repeat(2000);
    bencher.bench_local(|| {
        RUNTIME.block_on(async {
            let delta = [("cmi.location", "page-3"), ("cmi.suspend_data", data.as_str())];
            player.commit(&activity, &delta, false).await.expect(200);
        });
    });
}

/// The same of 64 learners at a time: they share transactions.
#[divan::bench(max_time = 5)]
fn commits_together(bencher: Bencher<'_, '_>) {
    let service = service();
    let mut learners: Vec<(Player, String)> = RUNTIME.block_on(async {
        let mut learners = Vec::new();
        for number in 0..TOGETHER {
            learners.push(learner(&service, number).await);
        }
        learners
    });
    let data = "x".repeat(2000);
    bencher.counter(ItemsCount::new(TOGETHER)).bench_local(|| {
        RUNTIME.block_on(async {
            let commits = learners.iter_mut().map(|(player, activity)| {
                let data = data.as_str();
                async move {
                    let delta = [("cmi.location", "page-3"), ("cmi.suspend_data", data)];
                    player.commit(activity, &delta, false).await.expect(200);
                }
            });
            futures::future::join_all(commits).await;
        });
    });
}

/// A lesson's page out of the zip, as gzip.
#[divan::bench(max_time = 3)]
fn content_file(bencher: Bencher<'_, '_>) {
    let service = service();
    let (player, url) = RUNTIME.block_on(async {
        let (player, activity) = learner(&service, 0).await;
        let opened = player.choose(&activity).await;
        (player, opened["delivery"]["url"].as_str().expect("an address").to_owned())
    });
    let headers = [("accept-encoding", "gzip")];
    let get = || async {
        content(&service.app, &player.origin, Method::GET, &url, &headers, Vec::new()).await
    };
    let bytes = RUNTIME.block_on(get()).body.len();
    bencher.counter(BytesCount::new(bytes)).bench_local(|| RUNTIME.block_on(get()));
}

/// One certificate as PDF/UA-1 and PDF/A-3a.
#[divan::bench(max_time = 3)]
fn certificate(bencher: Bencher<'_, '_>) {
    let certificates = Certificates::load().expect("templates and fonts");
    let number = std::sync::atomic::AtomicUsize::new(0);
    let now = support::service::beginning();
    bencher
        .with_inputs(|| {
            let number = number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Document {
                kind: Kind::Certificate,
                lang: Lang::Fr,
                code: passerelle::ids::verification_code(),
                verify_url: format!("https://formation.example.org/verify/{number}"),
                issued_at: now,
                facts: Facts {
                    holder: Some(format!("Zoé Lefèvre {number}")),
                    title: "Concevoir un projet collaboratif européen".to_owned(),
                    minutes: 85,
                    from: now - TimeDelta::days(3),
                    until: now,
                    score: Some(0.92),
                    issuer: "Réseau Écoles d’Europe".to_owned(),
                    signatory_name: "Maëlle Kerdiles".to_owned(),
                    signatory_title: "Responsable de la formation".to_owned(),
                    time_zone: "Europe/Paris".to_owned(),
                    remote: true,
                    ..Facts::default()
                },
            }
        })
        .bench_local_values(|document| certificates.render(&document).expect("renders"));
}
