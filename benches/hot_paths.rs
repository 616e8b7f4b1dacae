//! The four paths that everybody takes: a launch, a runtime commit, a file of a course, a
//! certificate. Through the routers, in memory, on SQLite with its fsync; `cargo bench`.
//!
//! What bounds them: a launch one RSA verification, a commit one grouped fsync, content the bytes
//! copied once. The launch is measured in its parts: the signature alone, the token's checks, the
//! POST alone on the machine, and 64 POSTs at a time on either database.

#[expect(dead_code, reason = "the tests use all of it")]
#[path = "../tests/support/mod.rs"]
mod support;

use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{
    KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey,
};
use axum::http::Method;
use chrono::TimeDelta;
use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use lti::jwks::KeySet;
use lti::launch::Expectation;
use passerelle::credentials::certificate::{Certificates, Document};
use passerelle::credentials::{Facts, Kind};
use passerelle::web::Lang;
use support::player::content;
use support::{Browser, Platform, Player, Service, TestDatabase, course, platform};
use tokio::runtime::Runtime;

/// So many learners launch or commit at a time in the grouped measurements.
const TOGETHER: usize = 64;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));

fn main() {
    divan::main();
}

/// A service with the fixture course.
fn service() -> Service {
    service_on(TestDatabase::sqlite())
}

fn service_on(database: TestDatabase) -> Service {
    RUNTIME.block_on(async {
        let service = Service::start(database).await;
        service.install_course().await;
        service
    })
}

/// A browser that is logged in, the token of its launch, and the state.
type Prepared = (Browser, String, String);

/// Launches of people from number `first` on, ready to be posted.
fn prepare(service: &Service, first: usize, count: usize) -> Vec<Prepared> {
    RUNTIME.block_on(async {
        let mut prepared = Vec::new();
        for number in first..first + count {
            let mut browser = service.browser();
            let target = format!("http://localhost:8080/lti/open/course/{}", course::SLUG);
            let login = service.platform.login(&mut browser, &target).await;
            let mut claims = service.platform.claims(&login);
            platform::person(&mut claims, number);
            prepared.push((browser, service.platform.sign(&claims), login.state));
        }
        prepared
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

/// One RSA-2048 signature of a token's length: what no launch can go without.
#[divan::bench(max_time = 2)]
fn launch_signature(bencher: Bencher<'_, '_>) {
    let pair = KeyPair::generate(KeySize::Rsa2048).expect("an RSA key");
    let message = "x".repeat(2000);
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature)
        .expect("a signature");
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key());
    bencher.bench_local(|| key.verify(message.as_bytes(), &signature).expect("is right"));
}

/// Every check of a token, signature included; no server, no database.
#[divan::bench(max_time = 2)]
fn launch_verify(bencher: Bencher<'_, '_>) {
    let service = service();
    let (token, nonce) = RUNTIME.block_on(async {
        let mut browser = service.browser();
        let target = "http://localhost:8080/lti/open/events";
        let login = service.platform.login(&mut browser, target).await;
        (service.platform.sign(&service.platform.claims(&login)), login.nonce)
    });
    let keys = KeySet::parse(platform::key_set(0).to_string().as_bytes()).expect("a key set");
    let now = service.clock.now();
    let expected = Expectation::new(&service.platform.issuer, platform::CLIENT, &nonce, now);
    bencher.bench_local(|| {
        lti::launch::verify(&token, &keys, &expected).result.expect("is accepted");
    });
}

/// The POST of a launch, alone on the machine: token verified, one transaction with its fsync,
/// redirect.
#[divan::bench(max_time = 5)]
fn launch_alone(bencher: Bencher<'_, '_>) {
    let service = service();
    let number = AtomicUsize::new(0);
    bencher
        .with_inputs(|| {
            let first = number.fetch_add(1, Ordering::Relaxed);
            prepare(&service, first, 1).remove(0)
        })
        .bench_local_values(|launch| RUNTIME.block_on(post(&service, launch)));
}

/// 64 launches at a time, on SQLite: they share transactions.
#[divan::bench(max_time = 10)]
fn launches_together_sqlite(bencher: Bencher<'_, '_>) {
    launches_together(bencher, &service());
}

/// The same on PostgreSQL, where there is one.
#[divan::bench(max_time = 10)]
fn launches_together_postgres(bencher: Bencher<'_, '_>) {
    let Some(database) = RUNTIME.block_on(TestDatabase::postgres()) else { return };
    let end = database.end();
    launches_together(bencher, &service_on(database));
    RUNTIME.block_on(end);
}

fn launches_together(bencher: Bencher<'_, '_>, service: &Service) {
    let number = AtomicUsize::new(0);
    bencher
        .counter(ItemsCount::new(TOGETHER))
        .with_inputs(|| {
            let first = number.fetch_add(TOGETHER, Ordering::Relaxed);
            prepare(service, first, TOGETHER)
        })
        .bench_local_values(|launches| {
            RUNTIME.block_on(async {
                let posts = launches.into_iter().map(|launch| {
                    let platform = service.platform.clone();
                    tokio::spawn(async move { post_to(&platform, launch).await })
                });
                for posted in futures::future::join_all(posts).await {
                    posted.expect("a launch");
                }
            });
        });
}

async fn post(service: &Service, launch: Prepared) {
    post_to(&service.platform, launch).await;
}

async fn post_to(platform: &Platform, (mut browser, id_token, state): Prepared) {
    let answer = platform.post_launch(&mut browser, &id_token, &state).await;
    assert!(answer.status.is_redirection(), "{}", answer.text());
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
    commits_together_on(bencher, &service());
}

/// The same on PostgreSQL, where there is one.
#[divan::bench(max_time = 5)]
fn commits_together_postgres(bencher: Bencher<'_, '_>) {
    let Some(database) = RUNTIME.block_on(TestDatabase::postgres()) else { return };
    let end = database.end();
    commits_together_on(bencher, &service_on(database));
    RUNTIME.block_on(end);
}

fn commits_together_on(bencher: Bencher<'_, '_>, service: &Service) {
    let mut learners: Vec<(Player, String)> = RUNTIME.block_on(async {
        let mut learners = Vec::new();
        for number in 0..TOGETHER {
            learners.push(learner(service, number).await);
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

/// What a commit cannot do without: 64 bare inserts of 2 KB at a time, in the same groups.
#[divan::bench(max_time = 5)]
fn inserts_together(bencher: Bencher<'_, '_>) {
    inserts_together_on(bencher, &service());
}

/// The same on PostgreSQL, where there is one.
#[divan::bench(max_time = 5)]
fn inserts_together_postgres(bencher: Bencher<'_, '_>) {
    let Some(database) = RUNTIME.block_on(TestDatabase::postgres()) else { return };
    let end = database.end();
    inserts_together_on(bencher, &service_on(database));
    RUNTIME.block_on(end);
}

fn inserts_together_on(bencher: Bencher<'_, '_>, service: &Service) {
    const CREATE: &str = "CREATE TABLE bare_rows (id BIGINT PRIMARY KEY, data TEXT NOT NULL)";
    RUNTIME.block_on(service.execute(CREATE));
    let number = AtomicUsize::new(0);
    let data = "x".repeat(2000);
    bencher.counter(ItemsCount::new(TOGETHER)).bench_local(|| {
        RUNTIME.block_on(async {
            let inserts = (0..TOGETHER).map(|_| {
                let id = number.fetch_add(1, Ordering::Relaxed) as i64;
                let data = data.clone();
                service.app.batch.run(move |tx| {
                    Box::pin(async move {
                        tx.query("INSERT INTO bare_rows (id, data) VALUES ($1, $2)")
                            .bind(id)
                            .bind(data)
                            .execute()
                            .await
                    })
                })
            });
            for inserted in futures::future::join_all(inserts).await {
                assert_eq!(inserted.expect("a row"), 1);
            }
        });
    });
}

/// The bytes of a lesson's page read out of the stored package, and nothing else.
#[divan::bench(max_time = 3)]
fn content_bytes(bencher: Bencher<'_, '_>) {
    let service = service();
    let (package, entry) = RUNTIME.block_on(async {
        let (player, activity) = learner(&service, 0).await;
        let opened = player.choose(&activity).await;
        let url = opened["delivery"]["url"].as_str().expect("an address").to_owned();
        let mut parts = url.trim_start_matches("/content/").splitn(2, '/');
        let version = parts.next().expect("a version").parse().expect("an identifier");
        let path = parts.next().expect("a path").split(['?', '#']).next().expect("a path");
        let package = service.app.packages.load(&service.app, version).await.expect("a package");
        let entry = package.archive.index.find(path).expect("a file").entry.clone();
        (package, entry)
    });
    let read = || service.app.blobs.range(&package.blob, entry.data_offset, entry.compressed_size);
    bencher
        .counter(BytesCount::new(entry.compressed_size as usize))
        .bench_local(|| RUNTIME.block_on(read()).expect("the bytes"));
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
