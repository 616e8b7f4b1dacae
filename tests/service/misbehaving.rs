//! Platforms that misbehave: key sets that are slow, broken, changed or huge; token endpoints and
//! gradebooks that fail in every way. What the service does about each, to the call.

use std::time::{Duration, Instant};

use axum::http::Method;
use chrono::TimeDelta;
use passerelle::demo::campus::{
    self, Campus, Config, Endpoint, Failure, Faults, InitialLink, LinkKind, ToolConfig,
};
use passerelle::router;
use serde_json::json;
use tokio::net::TcpListener;
use url::Url;

use crate::on_both_databases;
use crate::support::browser::From;
use crate::support::platform::{Login, key_set, person, sign_with};
use crate::support::{Answer, Browser, Player, Service, TestDatabase};

const ITEM: &str = "course/fixture";
const TARGET: &str = "http://localhost:8080/lti/open/course/fixture";

async fn start(database: TestDatabase) -> Service {
    let service = Service::start(database).await;
    service.install_course().await;
    service
}

/// A launch whose token names a key that the platform does not have.
async fn launch_by_stranger(service: &Service, browser: &mut Browser, kid: &str) -> Answer {
    let login = service.platform.login(browser, TARGET).await;
    let header = json!({"typ": "JWT", "alg": "RS256", "kid": kid});
    let token = sign_with(1, &header, &service.platform.claims(&login));
    service.platform.post_launch(browser, &token, &login.state).await
}

/// `count` browsers that are logged in, each with its token signed.
async fn prepared(service: &Service, count: usize) -> Vec<(Browser, Login, String)> {
    let mut prepared = Vec::new();
    for number in 0..count {
        let mut browser = service.browser();
        let login = service.platform.login(&mut browser, TARGET).await;
        let mut claims = service.platform.claims(&login);
        person(&mut claims, number);
        let token = service.platform.sign(&claims);
        prepared.push((browser, login, token));
    }
    prepared
}

async fn last_detail(service: &Service) -> String {
    let sql = "SELECT detail FROM launch_log ORDER BY at DESC, id DESC LIMIT 1";
    service.texts(sql).await.pop().expect("a line")
}

#[track_caller]
fn unavailable(answer: &Answer) {
    assert_eq!(answer.status, 502, "{}", answer.text());
    assert!(answer.text().contains("<code>key-set-unavailable</code>"), "{}", answer.text());
    // What is inside the installation is for its log.
    assert!(!answer.text().contains("127.0.0.1"), "{}", answer.text());
}

on_both_databases! {
    async fn twenty_launches_with_a_new_key_fetch_the_key_set_once(database: TestDatabase) {
        let service = start(database).await;
        let mut browser = service.browser();
        service.platform.launch(&mut browser, ITEM, |_| ()).await.expect(303);
        service.advance(TimeDelta::seconds(31));
        {
            let mut record = service.platform.record();
            record.key = 1;
            record.keys_delay = Duration::from_millis(300);
        }
        let launches = prepared(&service, 20).await.into_iter().map(|(mut browser, login, token)| {
            let platform = service.platform.clone();
            async move { platform.post_launch(&mut browser, &token, &login.state).await }
        });
        let answers = futures::future::join_all(launches).await;
        for answer in answers {
            answer.expect(303);
        }
        assert_eq!(service.platform.record().keys_fetched, 2);
        assert_eq!(service.count("launches").await, 21);
    }

    async fn who_invents_key_ids_makes_the_service_ask_once_in_thirty_seconds(
        database: TestDatabase
    ) {
        let service = start(database).await;
        let mut browser = service.browser();
        service.platform.launch(&mut browser, ITEM, |_| ()).await.expect(303);
        service.advance(TimeDelta::seconds(31));
        for round in 1..=3 {
            for number in 0..10 {
                let kid = format!("invented-{round}-{number}");
                let answer = launch_by_stranger(&service, &mut browser, &kid).await.expect(400);
                assert!(answer.text().contains("key-unknown"), "{}", answer.text());
            }
            assert_eq!(service.platform.record().keys_fetched, 1 + round);
            service.advance(TimeDelta::seconds(29));
            launch_by_stranger(&service, &mut browser, "invented").await.expect(400);
            assert_eq!(service.platform.record().keys_fetched, 1 + round);
            service.advance(TimeDelta::seconds(2));
        }
        // A token that names no key is no reason to ask.
        service.advance(TimeDelta::minutes(10));
        let login = service.platform.login(&mut browser, TARGET).await;
        let token = sign_with(0, &json!({"alg": "RS256"}), &service.platform.claims(&login));
        let answer = service.platform.post_launch(&mut browser, &token, &login.state).await;
        assert!(answer.expect(400).text().contains("key-id-missing"));
        assert_eq!(service.platform.record().keys_fetched, 4);
    }

    async fn a_known_key_does_not_wait_while_an_unknown_one_is_looked_for(database: TestDatabase) {
        let service = start(database).await;
        let mut browser = service.browser();
        service.platform.launch(&mut browser, ITEM, |_| ()).await.expect(303);
        service.advance(TimeDelta::seconds(31));
        let mut stranger = service.browser();
        let login = service.platform.login(&mut stranger, TARGET).await;
        let header = json!({"alg": "RS256", "kid": "stranger"});
        let token = sign_with(1, &header, &service.platform.claims(&login));
        service.platform.record().keys_delay = Duration::from_secs(3);
        let platform = service.platform.clone();
        let waiting = tokio::spawn(async move {
            platform.post_launch(&mut stranger, &token, &login.state).await
        });
        while service.platform.record().keys_fetched < 2 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        service.platform.launch(&mut browser, ITEM, |_| ()).await.expect(303);
        assert!(!waiting.is_finished(), "the fetch was over before the launch was");
        waiting.await.expect("an answer").expect(400);
        assert_eq!(service.platform.record().keys_fetched, 2);
    }

    async fn a_fetch_outlives_the_browser_that_began_it(database: TestDatabase) {
        let service = start(database).await;
        service.platform.record().keys_delay = Duration::from_millis(700);
        let mut prepared = prepared(&service, 2).await;
        let (mut browser, login, token) = prepared.pop().expect("a launch");
        let gone = service.platform.post_launch(&mut browser, &token, &login.state);
        let gone = tokio::time::timeout(Duration::from_millis(200), gone).await;
        assert!(gone.is_err(), "the key set was to be slow");
        let (mut browser, login, token) = prepared.pop().expect("a launch");
        service.platform.post_launch(&mut browser, &token, &login.state).await.expect(303);
        assert_eq!(service.platform.record().keys_fetched, 1);
    }

    async fn a_key_set_that_cannot_be_used_is_refused_and_the_one_before_serves(
        database: TestDatabase
    ) {
        let service = start(database).await;
        let mut browser = service.browser();
        let huge = json!({"keys": [], "filler": "x".repeat(300 * 1024)}).to_string();
        let monstrous = "x".repeat(5 * 1024 * 1024);
        let broken = [
            (huge, "application/json", "larger than 262144 bytes"),
            (monstrous, "application/json", "larger than 4194304 bytes"),
            ("<!DOCTYPE html><title>Maintenance</title>".to_owned(), "text/html", "not JSON"),
            ("{\"keys\"".to_owned(), "application/json", "not JSON"),
            ("{}".to_owned(), "application/json", "no array `keys`"),
        ];
        for (body, media_type, detail) in &broken {
            service.platform.record().keys_body = Some((body.clone(), *media_type));
            unavailable(&service.platform.launch(&mut browser, ITEM, |_| ()).await);
            let logged = last_detail(&service).await;
            assert!(logged.contains(detail), "{detail}: {logged}");
            service.advance(TimeDelta::seconds(31));
        }
        assert_eq!(service.count("launches").await, 0);
        // What the answer calls itself does not matter.
        service.platform.record().keys_body = Some((key_set(0).to_string(), "text/plain"));
        service.platform.launch(&mut browser, ITEM, |_| ()).await.expect(303);
        for (body, media_type, _) in broken {
            service.advance(TimeDelta::hours(2));
            service.platform.record().keys_body = Some((body, media_type));
            service.platform.launch(&mut browser, ITEM, |_| ()).await.expect(303);
        }
        // For a week and no longer.
        service.advance(TimeDelta::days(6));
        service.platform.launch(&mut browser, ITEM, |_| ()).await.expect(303);
        service.advance(TimeDelta::days(1));
        unavailable(&service.platform.launch(&mut browser, ITEM, |_| ()).await);
        // A platform without keys has none to verify with.
        service.platform.record().keys_body = Some(("{\"keys\":[]}".to_owned(), "application/json"));
        service.advance(TimeDelta::seconds(31));
        let answer = service.platform.launch(&mut browser, ITEM, |_| ()).await.expect(400);
        assert!(answer.text().contains("key-unknown"), "{}", answer.text());
    }

    async fn a_failing_key_set_is_asked_for_once_in_thirty_seconds(database: TestDatabase) {
        let service = start(database).await;
        let mut browser = service.browser();
        service.platform.record().keys_status = Some(500);
        for _ in 0..5 {
            unavailable(&service.platform.launch(&mut browser, ITEM, |_| ()).await);
        }
        assert_eq!(service.platform.record().keys_fetched, 1);
        let codes = "SELECT DISTINCT outcome FROM launch_log";
        assert_eq!(service.texts(codes).await, ["key-set-unavailable"]);
        service.platform.record().keys_status = None;
        service.advance(TimeDelta::seconds(31));
        service.platform.launch(&mut browser, ITEM, |_| ()).await.expect(303);
        assert_eq!(service.platform.record().keys_fetched, 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_set_that_does_not_come_is_waited_for_five_seconds() {
    let service = start(TestDatabase::sqlite()).await;
    let mut browser = service.browser();
    service.platform.record().keys_delay = Duration::from_secs(12);
    let begun = Instant::now();
    unavailable(&service.platform.launch(&mut browser, ITEM, |_| ()).await);
    assert!(begun.elapsed() < Duration::from_secs(9), "{:?}", begun.elapsed());
    assert!(last_detail(&service).await.contains("within 5 seconds"));
    // The next one does not wait in vain once more.
    let begun = Instant::now();
    unavailable(&service.platform.launch(&mut browser, ITEM, |_| ()).await);
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    assert_eq!(service.platform.record().keys_fetched, 1);
}

/// The service with Campus as its platform, and a learner who came from there.
struct World {
    service: Service,
    campus: Campus,
    player: Player,
}

/// The action and the fields of the form that sends itself.
fn self_sending(page: &str) -> (String, Vec<(String, String)>) {
    let between = |text: &str, start: &str| {
        let rest = text.split_once(start)?.1;
        rest.split('"').next().map(plain)
    };
    let form = page.split("<form id=\"auto\"").nth(1).unwrap_or_else(|| panic!("no form: {page}"));
    let fields = form.split("<input").skip(1).map(|input| {
        let part = |start| between(input, start).unwrap_or_else(|| panic!("{start}: {input}"));
        (part("name=\""), part("value=\""))
    });
    (between(form, "action=\"").expect("an action"), fields.collect())
}

fn plain(text: &str) -> String {
    [("&quot;", "\""), ("&#x3D;", "="), ("&#x27;", "'"), ("&amp;", "&")]
        .iter()
        .fold(text.to_owned(), |text, (entity, character)| text.replace(entity, character))
}

impl World {
    async fn start(database: TestDatabase) -> Self {
        let service = start(database).await;
        // Campus reads the service's keys over HTTP.
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let own = format!("http://{}", listener.local_addr().expect("its address"));
        let pages = router::pages(service.app.clone());
        tokio::spawn(async move { axum::serve(listener, pages).await });
        let config = &service.app.config;
        let time = service.clock.clone();
        let campus = campus::start(
            Config {
                bind: ([127, 0, 0, 1], 0).into(),
                public_url: None,
                tool: ToolConfig {
                    name: "Passerelle".to_owned(),
                    client_id: "passerelle".to_owned(),
                    login_url: config.public("/lti/login"),
                    launch_url: config.public("/lti/launch"),
                    deep_linking_url: config.public("/lti/launch"),
                    jwks_url: format!("{own}/.well-known/jwks.json"),
                    origin: config.origin(),
                    links: vec![InitialLink {
                        title: "Traverser une passerelle".to_owned(),
                        description: String::new(),
                        target_link_uri: TARGET.to_owned(),
                        custom: Vec::new(),
                        score_maximum: Some(20.0),
                        kind: LinkKind::Course,
                    }],
                },
                clock: std::sync::Arc::new(move || time.now()),
                extra_routes: None,
                mailbox_path: None,
            },
            std::future::pending(),
        )
        .await
        .expect("Campus starts");
        let (issuer, client) = (&campus.issuer, &campus.client_id);
        let (authorization, token) = (&campus.authorization_endpoint, &campus.token_endpoint);
        let keys = &campus.jwks_url;
        service
            .execute(&format!(
                "UPDATE registrations SET issuer = '{issuer}', client_id = '{client}',
                     authorization_endpoint = '{authorization}', token_endpoint = '{token}',
                     jwks_uri = '{keys}'"
            ))
            .await;
        let deployment = &campus.deployment_id;
        service.execute(&format!("UPDATE deployments SET deployment_id = '{deployment}'")).await;
        let (mut browser, page) = launch(&service, &campus, 4).await;
        let player = Player::admit(&service.app, &mut browser, &page).await;
        Self { service, campus, player }
    }

    /// With the course finished and its score on the way.
    async fn finished(database: TestDatabase) -> Self {
        let mut world = Self::start(database).await;
        world.player.complete(0.9).await;
        world
    }

    fn misbehave(&self, change: impl FnOnce(&mut Faults)) {
        self.campus.misbehave(change);
    }

    /// The statuses that calls of paths with this end got, in order.
    fn statuses(&self, end: &str) -> Vec<u16> {
        self.campus.inspect(|state| {
            let calls = state.calls.iter();
            let path = |call: &&campus::ServiceCall| {
                call.path.split('?').next().unwrap_or_default().ends_with(end)
            };
            calls.filter(path).map(|call| call.status).collect()
        })
    }

    async fn score(&self) -> (String, String) {
        let sql = "SELECT state || '|' || coalesce(detail, '') FROM scores";
        let row = self.service.texts(sql).await.pop().expect("a score");
        let (state, detail) = row.split_once('|').expect("two parts");
        (state.to_owned(), detail.to_owned())
    }

    /// Time passes, and what is due is done.
    async fn after(&self, seconds: i64) -> String {
        self.service.advance(TimeDelta::seconds(seconds));
        self.service.run_jobs().await;
        self.score().await.0
    }
}

/// A person of Campus opens its first activity: the browser, and the page it lands on.
async fn launch(service: &Service, campus: &Campus, person: u64) -> (Browser, String) {
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .expect("a client");
    let at = |path: &str| format!("{}{path}", campus.issuer);
    let form = "application/x-www-form-urlencoded";
    let signed_in = http
        .post(at("/login"))
        .header("content-type", form)
        .body(format!("person={person}"))
        .send()
        .await
        .expect("signs in");
    let cookie = signed_in.headers()["set-cookie"].to_str().expect("ASCII");
    let cookie = cookie.split(';').next().expect("a cookie").to_owned();
    let activity = campus.inspect(|state| *state.activities.keys().next().expect("an activity"));
    let get = async |url: String| {
        let answer = http.get(url).header("cookie", &cookie).send().await.expect("an answer");
        answer.text().await.expect("a page")
    };
    let (_, fields) = self_sending(&get(at(&format!("/activity/{activity}/launch"))).await);
    let mut browser = service.browser();
    let pairs = |fields: &[(String, String)]| {
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
    };
    let from = From::Site(&campus.issuer);
    let login = Some(pairs(&fields));
    let mut answer = browser.request(Method::POST, "/lti/login", from, login).await;
    if answer.status == 303 {
        let again = answer.location().to_owned();
        answer = browser.get(&again).await;
    }
    let authentication = Url::parse(answer.expect(302).location()).expect("an address");
    let (_, fields) = self_sending(&get(authentication.to_string()).await);
    let token = Some(pairs(&fields));
    let landed = browser.request(Method::POST, "/lti/launch", from, token).await.expect(303);
    (browser, landed.location().to_owned())
}

fn failing(status: u16, times: u32) -> Failure {
    Failure { status, times, retry_after: None, after_the_work: false }
}

on_both_databases! {
    async fn a_token_endpoint_that_fails_delays_a_score_and_loses_none(database: TestDatabase) {
        let world = World::finished(database).await;
        world.misbehave(|faults| {
            faults.failures.insert(Endpoint::Token, failing(500, 1));
        });
        assert_eq!(world.after(0).await, "pending");
        let nonsense = [
            "<!DOCTYPE html><title>Maintenance</title>",
            "{\"access_token\":7}",
            "{\"access_token\":\"half",
            "",
        ];
        // Waits double: 5, 10, 20, 40 seconds.
        for (number, text) in (0..).zip(nonsense) {
            world.misbehave(|faults| {
                faults.replaced.insert(Endpoint::Token, text.to_owned());
            });
            assert_eq!(world.after((5 << number) - 1).await, "pending");
            assert_eq!(world.statuses("/lti/token").len(), 1 + number, "asked before its time");
            assert_eq!(world.after(1).await, "pending", "{text}");
            assert_eq!(world.statuses("/lti/token").len(), 2 + number, "{text}");
        }
        assert!(world.statuses("/scores").is_empty(), "sent without a token");
        world.misbehave(|faults| *faults = Faults::default());
        assert_eq!(world.after(80).await, "delivered");
        assert_eq!(world.statuses("/lti/token"), [500, 200, 200, 200, 200, 200]);
        assert_eq!(world.statuses("/scores"), [200]);
        let given = world.campus.inspect(|state| state.grades.values().next().expect("one").score);
        assert_eq!(given, Some(18.0));
    }

    async fn a_refused_token_is_replaced_by_one_new_one(database: TestDatabase) {
        let mut world = World::finished(database).await;
        world.misbehave(|faults| faults.refuse_bearer = 1);
        assert_eq!(world.after(0).await, "delivered");
        assert_eq!(world.statuses("/lti/token").len(), 2);
        assert_eq!(world.statuses("/scores"), [401, 200]);
        // The new one is kept: a better score needs none.
        let opened = world.player.open().await;
        let test = crate::support::player::leaves(&opened["view"]).pop().expect("a test");
        world.player.choose(&test).await;
        world.player.finish(&test, 0.95).await;
        world.after(0).await;
        assert_eq!(world.statuses("/lti/token").len(), 2);
        assert_eq!(world.statuses("/scores"), [401, 200, 200]);
    }

    async fn tokens_that_are_dead_on_arrival_are_not_used_twice(database: TestDatabase) {
        let world = World::finished(database).await;
        world.misbehave(|faults| faults.access_token_seconds = Some(0));
        assert_eq!(world.after(0).await, "pending");
        assert_eq!(world.statuses("/lti/token").len(), 2);
        assert_eq!(world.statuses("/scores"), [401, 401]);
        world.misbehave(|faults| faults.access_token_seconds = None);
        assert_eq!(world.after(5).await, "delivered");
        assert_eq!(world.statuses("/scores").last(), Some(&200));
    }

    async fn a_gradebook_that_fails_gets_the_score_when_it_works_again(database: TestDatabase) {
        let world = World::finished(database).await;
        world.misbehave(|faults| {
            faults.failures.insert(Endpoint::Scores, failing(500, 2));
        });
        assert_eq!(world.after(0).await, "pending");
        assert_eq!(world.after(5).await, "pending");
        assert_eq!(world.after(9).await, "pending");
        assert_eq!(world.statuses("/scores").len(), 2, "asked before its time");
        assert_eq!(world.after(1).await, "delivered");
        assert_eq!(world.statuses("/scores"), [500, 500, 200]);
        assert_eq!(world.statuses("/lti/token").len(), 1);
    }

    async fn a_gradebook_that_asks_for_patience_is_given_it(database: TestDatabase) {
        let world = World::finished(database).await;
        world.misbehave(|faults| {
            let failure = Failure { retry_after: Some(120), ..failing(429, 1) };
            faults.failures.insert(Endpoint::Scores, failure);
        });
        assert_eq!(world.after(0).await, "pending");
        assert_eq!(world.after(119).await, "pending");
        assert_eq!(world.statuses("/scores"), [429]);
        assert_eq!(world.after(1).await, "delivered");
        assert_eq!(world.statuses("/scores"), [429, 200]);
    }

    async fn a_score_whose_acknowledgement_was_lost_counts_once(database: TestDatabase) {
        let world = World::finished(database).await;
        world.misbehave(|faults| {
            let failure = Failure { after_the_work: true, ..failing(502, 1) };
            faults.failures.insert(Endpoint::Scores, failure);
        });
        assert_eq!(world.after(0).await, "pending");
        // The gradebook has it, and says of the second copy that it is not later.
        assert_eq!(world.after(5).await, "superseded");
        assert_eq!(world.statuses("/scores"), [502, 409]);
        let given = world.campus.inspect(|state| state.grades.values().next().expect("one").score);
        assert_eq!(given, Some(18.0));
    }

    async fn a_score_that_the_gradebook_will_never_take_is_not_sent_again(database: TestDatabase) {
        let mut world = World::finished(database).await;
        let mut sent = Vec::new();
        for (number, status) in (1..).zip([400, 403, 404]) {
            world.misbehave(|faults| {
                faults.failures.insert(Endpoint::Scores, failing(status, 5));
            });
            world.after(0).await;
            let refused = "SELECT detail FROM scores WHERE state = 'refused' ORDER BY created_at";
            let details = world.service.texts(refused).await;
            assert_eq!(details.len(), number, "{status}");
            assert!(details[number - 1].contains(&status.to_string()), "{details:?}");
            sent.push(status);
            world.after(86_400).await;
            assert_eq!(world.statuses("/scores"), sent);
            // A better score is a new one, and is tried.
            let opened = world.player.open().await;
            let test = crate::support::player::leaves(&opened["view"]).pop().expect("a test");
            world.player.choose(&test).await;
            world.player.finish(&test, 0.9 + 0.02 * number as f64).await;
        }
        world.misbehave(|faults| *faults = Faults::default());
        world.after(0).await;
        sent.push(200);
        assert_eq!(world.statuses("/scores"), sent);
    }

    async fn media_types_that_are_wrong_harm_nothing(database: TestDatabase) {
        let mut world = World::start(database).await;
        world.misbehave(|faults| {
            faults.wrong_content_type.extend([Endpoint::Keys, Endpoint::Token, Endpoint::Scores]);
        });
        // The key set is asked for anew.
        world.service.advance(TimeDelta::hours(2));
        launch(&world.service, &world.campus, 5).await;
        assert_eq!(world.statuses("/lti/certs"), [200, 200]);
        world.player.complete(0.9).await;
        assert_eq!(world.after(0).await, "delivered");
    }

    async fn keys_that_campus_changed_are_found_and_those_it_withdrew_are_not(
        database: TestDatabase
    ) {
        let world = World::start(database).await;
        world.service.advance(TimeDelta::minutes(1));
        world.campus.rotate_key(true).expect("a new key");
        launch(&world.service, &world.campus, 5).await;
        world.service.advance(TimeDelta::minutes(1));
        world.campus.rotate_key(false).expect("a new key");
        launch(&world.service, &world.campus, 5).await;
        assert_eq!(world.statuses("/lti/certs"), [200, 200, 200]);
        world.misbehave(|faults| faults.huge_key_set = true);
        world.service.advance(TimeDelta::hours(2));
        launch(&world.service, &world.campus, 5).await;
        assert_eq!(world.statuses("/lti/certs").len(), 4);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_endpoint_that_does_not_answer_is_given_up_and_asked_again() {
    let world = World::finished(TestDatabase::sqlite()).await;
    world.misbehave(|faults| {
        faults.delays.insert(Endpoint::Token, 20_000);
    });
    let begun = Instant::now();
    assert_eq!(world.after(0).await, "pending");
    assert!(begun.elapsed() < Duration::from_secs(19), "{:?}", begun.elapsed());
    world.misbehave(|faults| *faults = Faults::default());
    assert_eq!(world.after(5).await, "delivered");
    assert_eq!(world.statuses("/scores"), [200]);
}
