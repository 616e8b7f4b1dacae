//! Launches: who is let in, who is not, and what is kept of either.

use chrono::TimeDelta;
use passerelle::platforms;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::platform::{
    INSTITUTION_INSTRUCTOR, INSTRUCTOR, LEARNER, key_id, lti, person, sign_with,
    sign_with_public_key_as_secret, trainer,
};
use crate::support::{Answer, Browser, Service};

const ITEM: &str = "course/fixture";
const TARGET: &str = "http://localhost:8080/lti/open/course/fixture";

/// What a case does to the claims.
type Change = Box<dyn Fn(&mut Value) + Send>;

async fn start(database: crate::support::TestDatabase) -> Service {
    let service = Service::start(database).await;
    service.install_course().await;
    service
}

/// Asserts that the launch was refused with this code, that the page names it, and that nothing
/// but the log was written.
#[track_caller]
fn refused(answer: &Answer, code: &str) {
    assert!(answer.status.is_client_error(), "{code}: {} {}", answer.status, answer.text());
    assert!(answer.text().contains(code), "no {code} in {}", answer.text());
}

async fn last_outcome(service: &Service) -> String {
    let outcomes = "SELECT outcome FROM launch_log ORDER BY id DESC LIMIT 1";
    service.texts(outcomes).await.pop().expect("a logged launch")
}

async fn assert_nothing_is_kept(service: &Service) {
    for table in ["people", "identities", "contexts", "resource_links", "launches", "enrolments"] {
        assert_eq!(service.count(table).await, 0, "{table}");
    }
    assert_eq!(service.count("spent_nonces").await, 0);
}

on_both_databases! {
    async fn a_launch_is_accepted_and_shows_the_course(database: TestDatabase) {
        let service = start(database).await;
        let mut browser = service.browser();
        let answer = service.platform.launch(&mut browser, ITEM, |_| ()).await.expect(303);
        assert!(answer.location().ends_with("/course"), "{}", answer.location());
        let page = browser.get(answer.location()).await.expect(200);
        assert!(page.text().contains("Traverser une passerelle"), "{}", page.text());
        let policy = page.header("content-security-policy").expect("a policy");
        assert!(policy.contains(&service.platform.issuer), "{policy}");
        assert_eq!(last_outcome(&service).await, "accepted");
        let start = answer.location().trim_end_matches("/course");
        let back = browser.get(start).await.expect(303);
        assert_eq!(back.location(), answer.location());
    }

    async fn a_launch_without_name_address_or_context_works(database: TestDatabase) {
        let service = start(database).await;
        let mut browser = service.browser();
        let strip = |claims: &mut Value| {
            let claims = claims.as_object_mut().expect("claims");
            for name in ["name", "given_name", "family_name", "email", "locale"] {
                claims.remove(name);
            }
            claims.remove(&lti("context"));
            claims.remove(&lti("launch_presentation"));
        };
        let answer = service.platform.launch(&mut browser, ITEM, strip).await.expect(303);
        let page = browser.get(answer.location()).await.expect(200);
        assert!(page.text().contains("/address"), "no way to tell an address: {}", page.text());
        assert_eq!(service.count("contexts").await, 0);
    }

    async fn only_roles_in_the_course_make_a_trainer(database: TestDatabase) {
        let service = start(database).await;
        let cases = [
            (json!([LEARNER]), "learner"),
            (json!([LEARNER, INSTITUTION_INSTRUCTOR]), "learner"),
            (json!([INSTITUTION_INSTRUCTOR]), "learner"),
            (json!([]), "learner"),
            (json!(["urn:lti:sysrole:ims/lis/Administrator"]), "learner"),
            (json!([INSTRUCTOR]), "trainer"),
            (json!([LEARNER, INSTRUCTOR]), "trainer"),
        ];
        for (roles, expected) in cases {
            let mut browser = service.browser();
            let set = |claims: &mut Value| claims[lti("roles")] = roles.clone();
            service.platform.launch(&mut browser, ITEM, set).await.expect(303);
            let role = "SELECT role FROM launches ORDER BY id DESC LIMIT 1";
            assert_eq!(service.texts(role).await, [expected], "{roles}");
            service.advance(TimeDelta::seconds(1));
        }
        // One person, one enrolment as a learner and one preview.
        assert_eq!((service.count("people").await, service.count("enrolments").await), (1, 2));
    }

    async fn the_same_launch_again_leads_its_browser_to_its_page_and_no_other(
        database: TestDatabase
    ) {
        let service = start(database).await;
        let mut browser = service.browser();
        let login = service.platform.login(&mut browser, TARGET).await;
        let token = service.platform.sign(&service.platform.claims(&login));
        let post = async |browser: &mut Browser| {
            service.platform.post_launch(browser, &token, &login.state).await
        };
        let first = post(&mut browser).await.expect(303);
        let again = post(&mut browser).await.expect(303);
        assert_eq!(first.location(), again.location());
        assert_eq!(service.count("launches").await, 1);
        let mut other = service.browser();
        service.platform.login(&mut other, TARGET).await;
        refused(&post(&mut other).await, "browser-changed");
        let mut bare = service.browser();
        refused(&post(&mut bare).await, "browser-changed");
        // The page is not another browser's either.
        assert_eq!(other.get(first.location()).await.status, 403);
        assert_eq!(bare.get(first.location()).await.status, 403);
    }

    async fn a_nonce_is_spent_once(database: TestDatabase) {
        let service = start(database).await;
        let mut browser = service.browser();
        let login = service.platform.login(&mut browser, TARGET).await;
        service.platform.answer(&mut browser, &login, |_| ()).await.expect(303);
        // Another person in the same browser ended that launch: its nonce is spent all the same.
        service.platform.launch(&mut browser, ITEM, |claims| person(claims, 2)).await.expect(303);
        let replayed = service.platform.answer(&mut browser, &login, |_| ()).await;
        refused(&replayed, "nonce-replayed");
        assert_eq!(service.count("launches").await, 2);
    }

    async fn a_refused_launch_leaves_nothing_but_its_line_in_the_log(database: TestDatabase) {
        let service = start(database).await;
        let set = |name: &'static str, value: Value| {
            move |claims: &mut Value| claims[name] = value.clone()
        };
        let lti_set = |name: &'static str, value: Value| {
            move |claims: &mut Value| claims[lti(name)] = value.clone()
        };
        let drop = |name: String| {
            move |claims: &mut Value| {
                claims.as_object_mut().expect("claims").remove(&name);
            }
        };
        let now = service.clock.now().timestamp();
        let cases: Vec<(&str, Change)> = vec![
            ("audience-mismatch", Box::new(set("aud", json!("another")))),
            ("audience-untrusted", Box::new(|claims: &mut Value| {
                claims["aud"] = json!(["client-1", "stranger"]);
                claims["azp"] = json!("client-1");
            })),
            ("issuer-mismatch", Box::new(set("iss", json!("https://elsewhere.example")))),
            ("nonce-mismatch", Box::new(set("nonce", json!("another")))),
            ("token-expired", Box::new(set("exp", json!(now - 120)))),
            ("token-from-the-future", Box::new(set("iat", json!(now + 600)))),
            ("token-too-old", Box::new(set("iat", json!(now - 86_400)))),
            ("version-unsupported", Box::new(lti_set("version", json!("1.1")))),
            ("message-type-unsupported", Box::new(lti_set("message_type", json!("Unheard")))),
            ("roles-malformed", Box::new(lti_set("roles", json!(7)))),
            ("resource-link-missing", Box::new(lti_set("resource_link", json!({})))),
            ("target-link-uri-mismatch", Box::new(lti_set("target_link_uri", json!("https://x.example/")))),
            ("subject-empty", Box::new(set("sub", json!("")))),
            ("subject-missing", Box::new(drop("sub".to_owned()))),
            ("nonce-missing", Box::new(drop("nonce".to_owned()))),
            ("expiry-missing", Box::new(drop("exp".to_owned()))),
            ("deployment-missing", Box::new(drop(lti("deployment_id")))),
            ("roles-missing", Box::new(drop(lti("roles")))),
            ("target-link-uri-missing", Box::new(drop(lti("target_link_uri")))),
            ("claims-missing", Box::new(|claims: &mut Value| {
                let claims = claims.as_object_mut().expect("claims");
                claims.remove(&lti("roles"));
                claims.remove(&lti("version"));
            })),
            ("identifier-invalid", Box::new(set("sub", json!("a\u{7}b")))),
            ("item-unknown", Box::new(lti_set("custom", json!({"passerelle_item": "course/nowhere"})))),
        ];
        for (number, (code, change)) in (1..).zip(&cases) {
            let mut browser = service.browser();
            let login = service.platform.login(&mut browser, TARGET).await;
            refused(&service.platform.answer(&mut browser, &login, change).await, code);
            assert_eq!(service.count("launch_log").await, number, "{code}");
            assert_eq!(last_outcome(&service).await, *code);
            service.advance(TimeDelta::milliseconds(2));
        }
        assert_nothing_is_kept(&service).await;
        let logged = service.texts("SELECT CAST(checks AS TEXT) || detail FROM launch_log").await;
        assert!(logged.iter().any(|checks| checks.contains("audience")), "{logged:?}");
        for text in logged {
            for personal in ["Zoé", "Lefèvre", "ecole.example", "learner-1"] {
                assert!(!text.contains(personal), "{personal} in {text}");
            }
        }
    }

    async fn a_forged_token_is_refused(database: TestDatabase) {
        let service = start(database).await;
        let header = |alg: &str, kid: &str| json!({"typ": "JWT", "alg": alg, "kid": kid});
        let mut browser = service.browser();
        let login = service.platform.login(&mut browser, TARGET).await;
        let claims = service.platform.claims(&login);
        let sound = service.platform.sign(&claims);
        let (message, _) = sound.rsplit_once('.').expect("three parts");
        let unsigned = sign_with(0, &header("none", &key_id(0)), &claims);
        let (unsigned, _) = unsigned.rsplit_once('.').expect("three parts");
        let cases = [
            ("key-unknown", sign_with(0, &header("RS256", "stranger"), &claims)),
            ("key-id-missing", sign_with(0, &json!({"alg": "RS256"}), &claims)),
            ("signature-invalid", sign_with(1, &header("RS256", &key_id(0)), &claims)),
            ("algorithm-refused", format!("{unsigned}.")),
            ("algorithm-refused", sign_with_public_key_as_secret(&claims)),
            ("signature-invalid", format!("{message}.AAAA")),
            ("token-malformed", "a.b".to_owned()),
        ];
        for (code, token) in cases {
            let answer = service.platform.post_launch(&mut browser, &token, &login.state).await;
            refused(&answer, code);
        }
        let missing = [("state", login.state.as_str())];
        let issuer = service.platform.issuer.clone();
        let answer = browser.post_from(&issuer, "/lti/launch", &missing).await;
        refused(&answer, "token-missing");
        assert_nothing_is_kept(&service).await;
    }

    async fn a_state_counts_in_its_browser_and_for_a_quarter_of_an_hour(database: TestDatabase) {
        let service = start(database).await;
        let (mut browser, mut other) = (service.browser(), service.browser());
        let login = service.platform.login(&mut browser, TARGET).await;
        let elsewhere = service.platform.login(&mut other, TARGET).await;
        let token = service.platform.sign(&service.platform.claims(&login));
        let answer = service.platform.post_launch(&mut browser, &token, &elsewhere.state).await;
        refused(&answer, "browser-changed");
        let altered = format!("A{}", login.state);
        refused(&service.platform.post_launch(&mut browser, &token, &altered).await, "state-");
        service.advance(TimeDelta::minutes(16));
        refused(&service.platform.answer(&mut browser, &login, |_| ()).await, "state-expired");
        assert_nothing_is_kept(&service).await;
    }

    async fn an_unknown_platform_is_refused(database: TestDatabase) {
        let service = start(database).await;
        let mut browser = service.browser();
        service.platform.login(&mut browser, TARGET).await;
        for (field, value) in [("iss", "https://unknown.example"), ("client_id", "unknown")] {
            let mut fields = service.platform.login_fields(TARGET);
            let changed = fields.iter_mut().find(|(name, _)| *name == field).expect("the field");
            value.clone_into(&mut changed.1);
            let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
            let answer = browser.post_from("https://unknown.example", "/lti/login", &fields).await;
            refused(&answer, "registration-unknown");
        }
    }

    async fn an_unknown_deployment_waits_for_approval(database: TestDatabase) {
        let service = start(database).await;
        let mut browser = service.browser();
        let set = |claims: &mut Value| claims[lti("deployment_id")] = json!("new");
        let answer = service.platform.launch(&mut browser, ITEM, set).await;
        refused(&answer, "deployment-pending");
        assert_nothing_is_kept(&service).await;
        let state = "SELECT state FROM deployments WHERE deployment_id = 'new'";
        assert_eq!(service.texts(state).await, ["pending"]);
        let mut tx = service.app.db.write().await.expect("a transaction");
        let now = service.clock.now();
        platforms::approve_deployment(&mut tx, service.registration, "new", now)
            .await
            .expect("approved");
        tx.commit().await.expect("the commit");
        service.platform.launch(&mut browser, ITEM, set).await.expect(303);
    }

    async fn what_the_platform_says_of_a_failed_login_is_told(database: TestDatabase) {
        let service = start(database).await;
        let mut browser = service.browser();
        let login = service.platform.login(&mut browser, TARGET).await;
        let fields = [
            ("error", "login_required"),
            ("error_description", "Nobody is signed in"),
            ("state", login.state.as_str()),
        ];
        let issuer = service.platform.issuer.clone();
        let answer = browser.post_from(&issuer, "/lti/launch", &fields).await;
        refused(&answer, "platform-login-required");
        assert_eq!(last_outcome(&service).await, "platform-login-required");
    }

    async fn changed_keys_are_fetched_once_and_old_ones_serve_while_the_platform_fails(
        database: TestDatabase
    ) {
        let service = start(database).await;
        let platform = &service.platform;
        let mut browser = service.browser();
        platform.launch(&mut browser, ITEM, |_| ()).await.expect(303);
        platform.launch(&mut browser, ITEM, |_| ()).await.expect(303);
        assert_eq!(platform.record().keys_fetched, 1);
        service.advance(TimeDelta::minutes(10));
        platform.record().key = 1;
        platform.launch(&mut browser, ITEM, |_| ()).await.expect(303);
        assert_eq!(platform.record().keys_fetched, 2);
        // The key set cannot be had for hours: what is known serves.
        platform.record().keys_status = Some(500);
        service.advance(TimeDelta::hours(5));
        platform.launch(&mut browser, ITEM, |_| ()).await.expect(303);
        // A key that nobody knows is not fetched for each time somebody names it.
        let fetched = platform.record().keys_fetched;
        for _ in 0..3 {
            let login = platform.login(&mut browser, TARGET).await;
            let header = json!({"alg": "RS256", "kid": "stranger"});
            let token = sign_with(1, &header, &platform.claims(&login));
            let answer = platform.post_launch(&mut browser, &token, &login.state).await;
            assert!(answer.status.is_client_error() || answer.status == 502, "{}", answer.status);
        }
        assert!(platform.record().keys_fetched <= fetched + 1);
    }

    async fn a_platform_whose_keys_cannot_be_had_is_named_as_the_reason(database: TestDatabase) {
        let service = start(database).await;
        service.platform.record().keys_status = Some(503);
        let mut browser = service.browser();
        let answer = service.platform.launch(&mut browser, ITEM, |_| ()).await.expect(502);
        assert!(answer.text().contains("key-set-unavailable"), "{}", answer.text());
        assert_nothing_is_kept(&service).await;
    }

    async fn another_person_in_the_same_browser_ends_the_pages_of_the_one_before(
        database: TestDatabase
    ) {
        let service = start(database).await;
        let mut browser = service.browser();
        let first = service.platform.launch(&mut browser, ITEM, |_| ()).await.expect(303);
        service.platform.launch(&mut browser, ITEM, trainer).await.expect(303);
        assert_eq!(browser.get(first.location()).await.status, 403);
    }
}
