//! Browsers that refuse our cookie, on platforms that keep values for their tools: the handshake as
//! the service sees it, and the session that is carried in the path.

use axum::http::Method;
use passerelle::ids::Token;
use serde_json::Value;

use crate::on_both_databases;
use crate::support::browser::From;
use crate::support::platform::{Login, person};
use crate::support::{Answer, Browser, Player, Service};

const TARGET: &str = "http://localhost:8080/lti/open/course/fixture";

async fn start(database: crate::support::TestDatabase) -> Service {
    let service = Service::start(database).await;
    service.install_course().await;
    service
}

/// A browser that keeps no cookie of ours.
fn refusing(service: &Service) -> Browser {
    let mut browser = service.browser();
    browser.drops_cookies = true;
    browser
}

/// The value of an attribute, as the browser reads it.
fn attribute(page: &str, name: &str) -> String {
    let start = format!("{name}=\"");
    let value = page.split(&start).nth(1).and_then(|rest| rest.split('"').next());
    let value = value.unwrap_or_else(|| panic!("no {name} in {page}"));
    value.replace("&#x3D;", "=").replace("&quot;", "\"").replace("&amp;", "&")
}

/// A login at a platform that keeps values, and what it was asked to keep.
struct Kept {
    login: Login,
    key: String,
    value: String,
}

async fn kept(service: &Service, browser: &mut Browser) -> Kept {
    let mut fields = service.platform.login_fields(TARGET);
    fields.push(("lti_storage_target", "_parent".to_owned()));
    let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let issuer = service.platform.issuer.clone();
    let probe = browser.post_from(&issuer, "/lti/login", &fields).await.expect(303);
    let page = browser.get(probe.location()).await.expect(200);
    let text = page.text();
    assert_eq!(attribute(&text, "data-origin"), issuer, "asked of the platform alone");
    assert_eq!(attribute(&text, "data-target"), "_parent");
    let value = attribute(&text, "data-value");
    let next = attribute(&text, "data-next");
    assert!(!next.contains(&value), "the value is in no address: {next}");
    let url = url::Url::parse(&next).expect("an address");
    let parameter = |wanted: &str| {
        let found = url.query_pairs().find(|(name, _)| name == wanted);
        found.unwrap_or_else(|| panic!("no {wanted} in {url}")).1.into_owned()
    };
    let login =
        Login { state: parameter("state"), nonce: parameter("nonce"), target: TARGET.to_owned() };
    Kept { login, key: attribute(&text, "data-key"), value }
}

/// What our own page posts once the platform has answered.
async fn post_stored(browser: &mut Browser, id_token: &str, state: &str, stored: &str) -> Answer {
    let fields = [("id_token", id_token), ("state", state), ("storage_token", stored)];
    browser.post("/lti/launch/stored", &fields).await
}

/// Login, launch and hand-over; the learner's page.
async fn launched(
    service: &Service,
    browser: &mut Browser,
    change: impl FnOnce(&mut Value),
) -> String {
    let kept = kept(service, browser).await;
    let mut claims = service.platform.claims(&kept.login);
    change(&mut claims);
    let id_token = service.platform.sign(&claims);
    let page = service.platform.post_launch(browser, &id_token, &kept.login.state).await;
    let text = page.expect(200).text();
    assert_eq!(attribute(&text, "data-key"), kept.key, "what was kept is asked for");
    assert!(!text.contains(&kept.value), "only the platform knows the value");
    let answer = post_stored(browser, &id_token, &kept.login.state, &kept.value).await;
    answer.expect(303).location().to_owned()
}

/// The launch and its token in the address of a page.
fn parts(page: &str) -> (&str, &str) {
    let segment = page.split('/').nth(2).expect("a launch");
    segment.split_once('~').unwrap_or_else(|| panic!("no token in {page}"))
}

#[track_caller]
fn refused(answer: &Answer, code: &str) {
    assert!(answer.status.is_client_error(), "{code}: {} {}", answer.status, answer.text());
    assert!(answer.text().contains(code), "no {code} in {}", answer.text());
}

on_both_databases! {
    async fn a_launch_goes_through_the_platforms_storage_and_its_pages_work(
        database: TestDatabase
    ) {
        let service = start(database).await;
        let mut browser = refusing(&service);
        let course = launched(&service, &mut browser, |_| ()).await;
        assert!(course.ends_with("/course"), "{course}");
        let (launch, token) = parts(&course);
        let page = browser.get(&course).await.expect(200);
        let text = page.text();
        assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(page.header("cache-control"), Some("no-store"));
        // Every link of ours leads on with the session; what leaves is another's.
        let own = format!("/launches/{launch}");
        for link in text.split(&own).skip(1) {
            assert!(link.starts_with(&format!("~{token}")), "{link}");
        }
        assert!(text.contains(&format!("content=\"{}\"", service.platform.issuer)), "{text}");
        assert_eq!(service.texts("SELECT carrier FROM sign_in_sessions").await, ["path"]);
        let hashes = service.texts("SELECT token_hash FROM sign_in_sessions").await;
        let hash = token.parse::<Token>().expect("a token").hash();
        assert_eq!(hashes, [hash], "only the hash is kept");

        // Player, commits, certificate and its download.
        let mut player = Player::admit(&service.app, &mut browser, &course).await;
        service.advance(chrono::TimeDelta::minutes(1));
        let last = player.complete(0.9).await;
        assert_eq!(last["view"]["completed"], true, "{last}");
        service.run_jobs().await;
        let shown = browser.get(&course).await.expect(200).text();
        let pdf = shown.split("href=\"").find(|rest| rest.contains("/credentials/"));
        let pdf = pdf.and_then(|rest| rest.split('"').next()).expect("a link to the PDF");
        assert!(pdf.contains(token), "{pdf}");
        let file = browser.get(pdf).await.expect(200);
        assert!(file.body.starts_with(b"%PDF-"));
        let own_page = browser.get(pdf.trim_end_matches("/pdf")).await.expect(200);
        assert!(own_page.text().contains(token));
        // No mail tells the session.
        for mail in service.take_mails() {
            assert!(!String::from_utf8_lossy(&mail.raw).contains(token));
        }
        let back = browser.get(&format!("/launches/{launch}~{token}")).await.expect(303);
        assert_eq!(back.location(), course);
    }

    async fn a_form_works_in_a_session_in_the_path(database: TestDatabase) {
        let service = start(database).await;
        let mut browser = refusing(&service);
        let nameless = |claims: &mut Value| {
            claims.as_object_mut().expect("claims").remove("email");
        };
        let course = launched(&service, &mut browser, nameless).await;
        let address = format!("{}/address", course.trim_end_matches("/course"));
        let form = browser.get(&address).await.expect(200).form_token();
        let fields = [("form_token", form.as_str()), ("email", "zoe@ecole.example")];
        browser.post(&address, &fields).await.expect(200);
        assert_eq!(service.count("messages").await, 1);
        // The form is of this session, not of another one's.
        let mut other = refusing(&service);
        let another = launched(&service, &mut other, |claims| person(claims, 2)).await;
        let address = format!("{}/address", another.trim_end_matches("/course"));
        other.post(&address, &fields).await.expect(403);
    }

    async fn the_same_launch_again_leads_to_the_same_page(database: TestDatabase) {
        let service = start(database).await;
        let mut browser = refusing(&service);
        let kept = kept(&service, &mut browser).await;
        let id_token = service.platform.sign(&service.platform.claims(&kept.login));
        let state = &kept.login.state;
        let first = post_stored(&mut browser, &id_token, state, &kept.value).await.expect(303);
        let again = post_stored(&mut browser, &id_token, state, &kept.value).await.expect(303);
        assert_eq!(first.location(), again.location());
        assert_eq!(service.count("launches").await, 1);
        assert_eq!(service.count("sign_in_sessions").await, 1);
        browser.get(again.location()).await.expect(200);
    }

    async fn another_value_than_the_kept_one_is_refused(database: TestDatabase) {
        let service = start(database).await;
        let mut browser = refusing(&service);
        let first = kept(&service, &mut browser).await;
        let second = kept(&service, &mut browser).await;
        assert_ne!((&first.key, &first.value), (&second.key, &second.value));
        let id_token = service.platform.sign(&service.platform.claims(&first.login));
        let state = &first.login.state;
        let stranger = Token::random();
        for wrong in [second.value.as_str(), stranger.reveal()] {
            let answer = post_stored(&mut browser, &id_token, state, wrong).await;
            refused(&answer, "browser-changed");
        }
        for lost in ["", "no token"] {
            let answer = post_stored(&mut browser, &id_token, state, lost).await;
            refused(&answer, "storage-lost");
        }
        let outcomes = service.texts("SELECT outcome FROM launch_log ORDER BY id").await;
        assert_eq!(outcomes.len(), 4, "each refusal is in the log: {outcomes:?}");
        for table in ["people", "launches", "sign_in_sessions", "spent_nonces"] {
            assert_eq!(service.count(table).await, 0, "{table}");
        }
        // The right value still opens it: nothing was spent.
        post_stored(&mut browser, &id_token, state, &first.value).await.expect(303);
    }

    async fn a_login_kept_one_way_is_not_answered_the_other(database: TestDatabase) {
        let service = start(database).await;
        // Bound to a cookie: its value is worth nothing as a stored one.
        let mut with_cookie = service.browser();
        let login = service.platform.login(&mut with_cookie, TARGET).await;
        let id_token = service.platform.sign(&service.platform.claims(&login));
        let cookie = with_cookie.cookies["__Host-passerelle"].clone();
        let answer = post_stored(&mut with_cookie, &id_token, &login.state, &cookie).await;
        refused(&answer, "browser-changed");

        // Bound to what the platform keeps: a cookie of the same value does not let in, and another
        // browser that brings the state and the token learns nothing from our page.
        let mut browser = refusing(&service);
        let kept = kept(&service, &mut browser).await;
        let id_token = service.platform.sign(&service.platform.claims(&kept.login));
        let mut other = service.browser();
        other.cookies.insert("__Host-passerelle".to_owned(), kept.value.clone());
        let page = service.platform.post_launch(&mut other, &id_token, &kept.login.state).await;
        let text = page.expect(200).text();
        assert_eq!(attribute(&text, "data-origin"), service.platform.issuer);
        assert!(!text.contains(&kept.value), "{text}");
        assert_eq!(service.count("launches").await, 0);

        // The hand-over is taken from our own pages only.
        let fields = [
            ("id_token", id_token.as_str()),
            ("state", kept.login.state.as_str()),
            ("storage_token", kept.value.as_str()),
        ];
        other.wants_json = true;
        let issuer = service.platform.issuer.clone();
        let answer = other.post_from(&issuer, "/lti/launch/stored", &fields).await.expect(403);
        assert_eq!(answer.problem(), "cross-site");
        assert_eq!(service.count("launches").await, 0);
    }

    async fn a_session_is_carried_by_what_it_was_made_for_and_opens_its_own_launch(
        database: TestDatabase
    ) {
        let service = start(database).await;
        let mut browser = refusing(&service);
        let course = launched(&service, &mut browser, |_| ()).await;
        let (launch, token) = parts(&course);
        let lost = async |browser: &mut Browser, path: &str| {
            browser.wants_json = true;
            let answer = browser.get(path).await.expect(403);
            assert_eq!(answer.problem(), "launch-lost", "{path}");
        };
        // The path's token as a cookie.
        let plain = format!("/launches/{launch}/course");
        let mut thief = service.browser();
        thief.cookies.insert("__Host-passerelle".to_owned(), token.to_owned());
        lost(&mut thief, &plain).await;
        lost(&mut service.browser(), &plain).await;
        // A cookie's token in the path, also where the cookie comes along.
        let mut with_cookie = service.browser();
        let platform = &service.platform;
        let second = platform.launch(&mut with_cookie, "course/fixture", |claims| {
            person(claims, 2);
        });
        let second = second.await.expect(303).location().to_owned();
        let cookie = with_cookie.cookies["__Host-passerelle"].clone();
        let own = second.trim_end_matches("/course");
        lost(&mut with_cookie, &format!("{own}~{cookie}/course")).await;
        // One launch's token on another launch.
        lost(&mut browser, &format!("{own}~{token}/course")).await;
        let mut other = refusing(&service);
        let third = launched(&service, &mut other, |claims| person(claims, 3)).await;
        let (third_launch, third_token) = parts(&third);
        lost(&mut other, &format!("/launches/{launch}~{third_token}/course")).await;
        lost(&mut other, &format!("/launches/{third_launch}~{token}/course")).await;
        // What is no token is no address of ours.
        let answer = other.get(&format!("/launches/{launch}~{}/course", &token[1..])).await;
        answer.expect(404);
        other.get(&third).await.expect(200);
    }

    async fn a_copied_address_is_not_opened_in_a_window_and_ends_with_its_launch(
        database: TestDatabase
    ) {
        let service = start(database).await;
        let mut browser = refusing(&service);
        let course = launched(&service, &mut browser, |_| ()).await;
        browser.wants_json = true;
        for site in ["none", "cross-site", "same-site"] {
            let answer = browser.navigate(&course, site, "document").await.expect(403);
            assert_eq!(answer.problem(), "launch-copied", "{site}");
        }
        browser.navigate(&course, "same-origin", "document").await.expect(200);
        browser.navigate(&course, "cross-site", "iframe").await.expect(200);
        service.advance(chrono::TimeDelta::hours(12));
        let answer = browser.get(&course).await.expect(403);
        assert_eq!(answer.problem(), "launch-lost");
    }

    async fn a_platform_that_keeps_nothing_gets_the_window_and_cookies_go_first(
        database: TestDatabase
    ) {
        let service = start(database).await;
        let mut fields = service.platform.login_fields(TARGET);
        fields.push(("lti_storage_target", "_parent".to_owned()));
        let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let issuer = service.platform.issuer.clone();
        // A browser that keeps our cookie is never sent through the platform's storage.
        let mut browser = service.browser();
        let probe = browser.post_from(&issuer, "/lti/login", &fields).await.expect(303);
        let answer = browser.get(probe.location()).await;
        let login = service.platform.read_login(&answer, TARGET);
        service.platform.answer(&mut browser, &login, |_| ()).await.expect(303);
        assert_eq!(service.texts("SELECT carrier FROM sign_in_sessions").await, ["cookie"]);

        // The page for the others offers the window too, with the login unspent; it needs no frame
        // name longer than any.
        let mut browser = refusing(&service);
        let probe = browser.post_from(&issuer, "/lti/login", &fields).await.expect(303);
        let page = browser.get(probe.location()).await.expect(200).text();
        assert!(page.contains("_blank") && page.contains("login_hint"), "{page}");
        let long = "x".repeat(1000);
        let mut fields = fields;
        fields.pop();
        fields.push(("lti_storage_target", &long));
        let probe = browser.post_from(&issuer, "/lti/login", &fields).await.expect(303);
        let page = browser.get(probe.location()).await.expect(200).text();
        assert!(!page.contains("data-key"), "{page}");
        assert!(page.contains("_blank"), "{page}");
    }

    async fn an_unknown_platform_is_refused_where_cookies_are_too(database: TestDatabase) {
        let service = start(database).await;
        let mut browser = refusing(&service);
        let issuer = "https://stranger.example";
        let fields = [
            ("iss", issuer),
            ("client_id", "x"),
            ("login_hint", "1"),
            ("target_link_uri", TARGET),
            ("lti_storage_target", "_parent"),
        ];
        let probe = browser.post_from(issuer, "/lti/login", &fields).await.expect(303);
        let answer = browser.request(Method::GET, probe.location(), From::OwnPage, None).await;
        refused(&answer, "registration-unknown");
    }
}
