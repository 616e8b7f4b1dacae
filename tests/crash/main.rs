//! What was acknowledged survives `kill -9`: learners commit, complete and are sent certificates
//! while the service is killed again and again at random moments.

mod platform;
mod server;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use passerelle::demo::mailbox::{self, Mailbox};
use platform::{CLIENT, Platform, address_of};
use serde_json::{Value, json};
use server::{ACTIVITY, Server, package};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{Connection as _, Row as _};
use tokio_util::sync::CancellationToken;

/// How often the service is killed; `PASSERELLE_CRASHES` overrides it for a quick look.
const CRASHES: usize = 50;
/// Moments are random and the same in every run.
const SEED: u64 = 0x5eed_0000_2026_1123;

/// SplitMix64: small, and nothing here needs better.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

/// A learner with the player open.
#[derive(Clone, Debug)]
struct Learner {
    number: usize,
    /// The content host's name for this enrolment, with its port.
    host: String,
    token: String,
    /// The last commit that was acknowledged.
    acknowledged: u64,
    /// The commit that completes was acknowledged.
    completed: bool,
}

struct World {
    http: reqwest::Client,
    platform: Platform,
    server: Server,
    mailbox: Mailbox,
}

impl World {
    async fn start() -> Self {
        let clock: mailbox::Clock = Arc::new(|| std::time::SystemTime::now().into());
        let never = std::future::pending::<()>();
        let mailbox = mailbox::start(([127, 0, 0, 1], 0).into(), clock, never).await;
        let mailbox = mailbox.expect("a mail server");
        // Longer moments in which an answer can be lost.
        mailbox.misbehave(|faults| faults.delay_after_data = 40);
        let server = Server::new(mailbox.smtp_address.port());
        let platform = Platform::start().await;
        server.run(&[
            "tenant",
            "add",
            "reseau",
            "--name",
            "Réseau",
            "--sender",
            "formation@example.org",
            "--signatory",
            "Anaïs Le Goff",
            "--signatory-title",
            "Responsable",
        ]);
        let at = |path: &str| format!("{}{path}", platform.issuer);
        server.run(&[
            "platform",
            "add",
            "Banc d’essai",
            "--issuer",
            &platform.issuer,
            "--client-id",
            CLIENT,
            "--authorization-endpoint",
            &at("/auth"),
            "--token-endpoint",
            &at("/token"),
            "--jwks-uri",
            &at("/keys"),
            "--deployment",
            "1",
        ]);
        let zip = package(server.folder.path());
        let zip = zip.to_str().expect("a path in UTF-8");
        server.run(&["course", "import", zip, "--slug", "court", "--minutes", "5"]);
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(20))
            .build()
            .expect("an HTTP client");
        Self { http, platform, server, mailbox }
    }

    /// From the platform's link to the open player.
    async fn open_player(&self, number: usize) -> Learner {
        let (pages, origin) =
            (format!("http://127.0.0.1:{}", self.server.port), self.server.origin());
        let host = format!("localhost:{}", self.server.port);
        let target = format!("{origin}/lti/open/course/court");
        let login = form(&[
            ("iss", &self.platform.issuer),
            ("client_id", CLIENT),
            ("login_hint", "1"),
            ("target_link_uri", &target),
        ]);
        let get = |path: &str| self.http.get(format!("{pages}{path}")).header("host", &host);
        let post = |path: &str, body: String| {
            let request = self.http.post(format!("{pages}{path}")).header("host", &host).body(body);
            request.header("content-type", "application/x-www-form-urlencoded")
        };
        let probe = get(&format!("/lti/login?{login}")).send().await.expect("an answer");
        let cookie = field(&probe, "set-cookie");
        let cookie = cookie.split(';').next().expect("a cookie").to_owned();
        let again = field(&probe, "location");
        let sent = get(&again).header("cookie", &cookie).send().await.expect("an answer");
        let asked = url::Url::parse(&field(&sent, "location")).expect("the platform's address");
        let asked: BTreeMap<_, _> = asked.query_pairs().into_owned().collect();
        let now = chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now()).timestamp();
        let token = self.platform.id_token(number, &asked["nonce"], &target, "course/court", now);
        let launch = post("/lti/launch", form(&[("id_token", &token), ("state", &asked["state"])]));
        let launched = launch.header("cookie", &cookie).send().await.expect("an answer");
        let page = field(&launched, "location");
        let html = get(&page).header("cookie", &cookie).send().await.expect("the learner's page");
        let html = html.text().await.expect("text");
        let form_token = html.split("data-token=\"").nth(1).and_then(|rest| rest.split('"').next());
        let form_token = form_token.unwrap_or_else(|| panic!("no form token in {html}"));
        let opened = post(&format!("{page}/open"), form(&[("form_token", form_token)]))
            .header("cookie", &cookie)
            .header("origin", &origin)
            .send()
            .await
            .expect("an answer");
        let opened: Value = read(opened).await;
        let host = opened["origin"].as_str().expect("the content's origin");
        let host = host.strip_prefix("http://").expect("plain http").to_owned();
        let token = opened["token"].as_str().expect("a token").to_owned();
        let learner = Learner { number, host, token, acknowledged: 0, completed: false };
        let opened = self.runtime(&learner, "open", json!({})).await.expect("the player opens");
        let acknowledged = opened["delivery"]["launch"]["seq"].as_u64().unwrap_or_default();
        Learner { acknowledged, ..learner }
    }

    async fn runtime(&self, learner: &Learner, call: &str, body: Value) -> Result<Value, String> {
        runtime(&self.http, self.server.content_port, learner, call, body).await
    }

    async fn database(&self) -> SqliteConnection {
        let file = self.server.folder.path().join("passerelle.sqlite");
        let options =
            SqliteConnectOptions::new().filename(file).busy_timeout(Duration::from_secs(20));
        SqliteConnection::connect_with(&options).await.expect("the database")
    }

    async fn count(&self, sql: &'static str) -> i64 {
        let mut database = self.database().await;
        sqlx::query_scalar(sql).fetch_one(&mut database).await.expect("a number")
    }
}

/// A call of the run-time API; `Err` when no answer or no good one came.
async fn runtime(
    http: &reqwest::Client,
    port: u16,
    learner: &Learner,
    call: &str,
    mut body: Value,
) -> Result<Value, String> {
    body["token"] = learner.token.clone().into();
    let request = http.post(format!("http://127.0.0.1:{port}/runtime/{call}"));
    let request = request.header("host", &learner.host).body(body.to_string());
    let answer = request.send().await.map_err(|error| error.to_string())?;
    let status = answer.status();
    let text = answer.text().await.map_err(|error| error.to_string())?;
    if !status.is_success() {
        // A 4xx would be a fault of this test, and no server that is being killed.
        assert!(status.is_server_error(), "{call} of {}: {status} {text}", learner.number);
        return Err(text);
    }
    serde_json::from_str(&text).map_err(|error| error.to_string())
}

fn form(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

fn field(answer: &reqwest::Response, name: &str) -> String {
    let value = answer.headers().get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_else(|| panic!("no {name} in {answer:?}")).to_owned()
}

async fn read(answer: reqwest::Response) -> Value {
    let status = answer.status();
    let text = answer.text().await.expect("text");
    assert!(status.is_success(), "{status}: {text}");
    serde_json::from_str(&text).expect("JSON")
}

/// Commits until told to stop, or until the learner's turn to complete has come. A commit without
/// an answer is sent again as it was, as the player does.
async fn learn(
    http: reqwest::Client,
    port: u16,
    mut learner: Learner,
    round: Arc<AtomicUsize>,
    stop: CancellationToken,
) -> Learner {
    while !stop.is_cancelled() && !learner.completed {
        let seq = learner.acknowledged + 1;
        let completes = round.load(Ordering::Relaxed) > learner.number;
        let mut delta = vec![
            ["cmi.core.lesson_location".to_owned(), format!("place {seq}")],
            ["cmi.suspend_data".to_owned(), format!("{seq:0>200}")],
        ];
        // Content that never says where it stands counts as complete once it is left.
        let status = if completes { "completed" } else { "incomplete" };
        delta.push(["cmi.core.lesson_status".to_owned(), status.to_owned()]);
        delta.push(["cmi.core.exit".to_owned(), "suspend".to_owned()]);
        let commit = json!({
            "activity": ACTIVITY, "seq": seq, "delta": delta, "final": completes,
            "session_seconds": 1.0,
        });
        while !stop.is_cancelled() {
            if runtime(&http, port, &learner, "commit", commit.clone()).await.is_ok() {
                learner.acknowledged = seq;
                learner.completed = completes;
                break;
            }
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    learner
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_being_killed_at_any_moment() {
    let crashes = std::env::var("PASSERELLE_CRASHES").ok().and_then(|text| text.parse().ok());
    let crashes = crashes.unwrap_or(CRASHES);
    let mut world = World::start().await;
    let http = world.http.clone();
    world.server.start();
    world.server.ready(&http).await;
    let mut learners = Vec::new();
    // The last ten never complete.
    for number in 0..crashes + 10 {
        learners.push(world.open_player(number).await);
    }

    let (round, stop) = (Arc::new(AtomicUsize::new(0)), CancellationToken::new());
    let port = world.server.content_port;
    let tasks: Vec<_> = learners
        .into_iter()
        .map(|learner| {
            tokio::spawn(learn(http.clone(), port, learner, round.clone(), stop.clone()))
        })
        .collect();
    let mut random = Random(SEED);
    for crash in 0..crashes {
        // Most die at work; some while they are still starting.
        if random.below(5) > 0 {
            world.server.ready(&http).await;
        }
        round.store(crash + 1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(random.below(250))).await;
        world.server.kill();
        world.server.start();
    }
    world.server.ready(&http).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    stop.cancel();
    let mut learners = Vec::new();
    for task in tasks {
        learners.push(task.await.expect("a learner"));
    }

    assert!(learners.iter().filter(|learner| learner.completed).count() >= crashes / 2);
    commits_are_there(&world, &learners).await;
    work_off_jobs(&mut world).await;
    certificates_are_there(&world, &learners).await;
    nobody_got_a_mail_twice_without_reason(&world).await;
}

/// Every acknowledged commit is in the data that the next session starts with.
async fn commits_are_there(world: &World, learners: &[Learner]) {
    for learner in learners {
        let opened = world.runtime(learner, "open", json!({})).await.expect("the player opens");
        let launch = &opened["delivery"]["launch"];
        if launch.is_null() {
            // A finished course may have nothing to deliver; the attempt says it is complete.
            assert!(learner.completed && opened["view"]["completed"] == true, "{opened:#}");
            continue;
        }
        let seq = launch["seq"].as_u64().expect("a sequence number");
        assert!(seq >= learner.acknowledged, "{learner:?} lost a commit: {seq}");
        assert!(seq <= learner.acknowledged + 1, "{learner:?} has one that it never sent: {seq}");
        if seq == 0 {
            continue;
        }
        let values = &launch["values"];
        assert_eq!(values["cmi.core.lesson_location"], format!("place {seq}"), "{learner:?}");
        assert_eq!(values["cmi.suspend_data"], format!("{seq:0>200}"), "{learner:?}");
        if learner.completed {
            assert_eq!(opened["view"]["completed"], true, "{learner:?}");
        }
    }
}

/// Lets the leases of the dead run out, and all work be done.
async fn work_off_jobs(world: &mut World) {
    let http = world.http.clone();
    let waiting = "SELECT COUNT(*) FROM jobs WHERE state = 'queued'";
    for _ in 0..6 {
        world.server.kill();
        {
            let mut database = world.database().await;
            // What five minutes would do.
            let past =
                "UPDATE jobs SET locked_until = NULL, run_at = created_at WHERE state = 'queued'";
            sqlx::query(past).execute(&mut database).await.expect("the time passes");
        }
        world.server.start();
        world.server.ready(&http).await;
        let due = "SELECT COUNT(*) FROM jobs WHERE state = 'queued'
             AND (last_error IS NULL OR locked_until IS NOT NULL)";
        for _ in 0..200 {
            if world.count(due).await == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        if world.count(waiting).await == 0 {
            break;
        }
    }
    assert_eq!(world.count(waiting).await, 0, "every job came to its end");
    assert_eq!(world.count("SELECT COUNT(*) FROM jobs WHERE state = 'failed'").await, 0);
}

/// One certificate with its document for everyone who completed, and none for anybody else.
async fn certificates_are_there(world: &World, learners: &[Learner]) {
    let mut database = world.database().await;
    let rows = sqlx::query(
        "SELECT p.email AS address, c.pdf IS NOT NULL AS rendered FROM credentials c
         JOIN people p ON p.id = c.person_id",
    )
    .fetch_all(&mut database)
    .await
    .expect("credentials");
    let mut awarded = BTreeMap::new();
    for row in &rows {
        let rendered: bool = row.get("rendered");
        assert!(rendered, "a document was made");
        *awarded.entry(row.get::<String, _>("address")).or_insert(0) += 1;
    }
    for learner in learners.iter().filter(|learner| learner.completed) {
        assert_eq!(awarded.get(&address_of(learner.number)), Some(&1), "{learner:?}");
    }
    let late = rows.len() - learners.iter().filter(|learner| learner.completed).count();
    assert!(late <= learners.len(), "completions whose answer was lost are the only others");
    for learner in learners.iter().rev().take(10) {
        assert_eq!(awarded.get(&address_of(learner.number)), None, "{learner:?} never completed");
    }
}

/// Every mail arrived; twice only where its fate was once unknown, and then with one Message-ID.
async fn nobody_got_a_mail_twice_without_reason(world: &World) {
    let mut database = world.database().await;
    let rows = sqlx::query("SELECT recipient, state, unknowns FROM messages")
        .fetch_all(&mut database)
        .await
        .expect("messages");
    assert_eq!(
        i64::try_from(rows.len()).ok(),
        Some(world.count("SELECT COUNT(*) FROM credentials").await),
        "a mail for each certificate"
    );
    let mut received: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for mail in world.mailbox.messages() {
        let id = message_id(&mail.raw);
        for recipient in mail.recipients {
            received.entry(recipient).or_default().push(id.clone());
        }
    }
    let mut twice = 0;
    for row in &rows {
        let recipient: String = row.get("recipient");
        let (state, unknowns): (String, i64) = (row.get("state"), row.get("unknowns"));
        let mut copies = received.remove(&recipient).unwrap_or_default();
        let known = format!("{recipient}: {state}, {unknowns} unknown, {} received", copies.len());
        assert!(state == "accepted" || unknowns > 0, "{known}");
        assert!(!copies.is_empty() || unknowns > 0, "never arrived: {known}");
        assert!(copies.len() <= 1 || unknowns > 0, "twice without reason: {known}");
        assert!(copies.len() <= 2, "more than twice: {known}");
        twice += usize::from(copies.len() > 1);
        copies.dedup();
        assert!(copies.len() <= 1, "another Message-ID: {known}");
    }
    assert!(received.is_empty(), "mails that no row knows: {received:?}");
    eprintln!("{} mails, {twice} of them twice because their fate was unknown", rows.len());
}

fn message_id(raw: &[u8]) -> String {
    let text = String::from_utf8_lossy(raw);
    let line = text.lines().find(|line| line.to_ascii_lowercase().starts_with("message-id:"));
    line.expect("a Message-ID").to_owned()
}
