//! Third-party initiated login: where the browser is sent, and that nothing is written.

use axum::http::Method;
use passerelle::platforms::{self, NewRegistration};

use crate::on_both_databases;
use crate::support::browser::{From, form};
use crate::support::{Answer, Browser, Service};

const TARGET: &str = "http://localhost:8080/lti/open/events";

fn without(service: &Service, field: &str) -> Vec<(&'static str, String)> {
    let mut fields = service.platform.login_fields(TARGET);
    fields.retain(|(name, _)| *name != field);
    fields
}

async fn post(browser: &mut Browser, path: &str, fields: &[(&'static str, String)]) -> Answer {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let answer = browser.post_from("http://lms.example", path, &fields).await;
    if answer.status == 303 { browser.get(answer.location()).await } else { answer }
}

on_both_databases! {
    async fn a_login_asks_the_platform_and_writes_nothing(database: TestDatabase) {
        let service = Service::start(database).await;
        let fields = service.platform.login_fields(TARGET);
        let pairs: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let mut browser = service.browser();
        let issuer = service.platform.issuer.clone();
        let probe = browser.post_from(&issuer, "/lti/login", &pairs).await.expect(303);
        let set = probe.header("set-cookie").expect("a cookie");
        assert!(set.starts_with("__Host-passerelle="), "{set}");
        assert!(set.ends_with("; Path=/; HttpOnly; Secure; SameSite=None; Partitioned"), "{set}");
        assert!(probe.location().starts_with("/lti/login?"), "{}", probe.location());
        let answer = browser.get(probe.location()).await;
        let first = service.platform.read_login(&answer, TARGET);
        assert!(answer.header("set-cookie").is_none());

        // A browser that is known goes straight on, with a state of its own each time; GET too.
        let query = format!("/lti/login?{}", form(&pairs));
        let answer = browser.request(Method::GET, &query, From::Site(&issuer), None).await;
        let second = service.platform.read_login(&answer, TARGET);
        assert_ne!((first.state, first.nonce), (second.state, second.nonce));
        for table in ["people", "launches", "sign_in_sessions", "spent_nonces", "launch_log"] {
            assert_eq!(service.count(table).await, 0, "{table}");
        }
    }

    async fn a_browser_that_keeps_no_cookie_is_offered_a_window_of_its_own(
        database: TestDatabase
    ) {
        let service = Service::start(database).await;
        let mut browser = service.browser();
        browser.drops_cookies = true;
        let fields = service.platform.login_fields(TARGET);
        let page = post(&mut browser, "/lti/login", &fields).await.expect(200).text();
        assert!(page.contains("/lti/login?"), "{page}");
        // The login's parameters are unspent in it.
        assert!(page.contains("login_hint") && page.contains("_blank"), "{page}");
        assert!(!page.contains("passerelle_probe"), "{page}");
        assert_eq!(service.count("launch_log").await, 0);
    }

    async fn the_registration_is_found_without_a_client_id(database: TestDatabase) {
        let service = Service::start(database).await;
        let mut browser = service.browser();
        let fields = without(&service, "client_id");
        let answer = post(&mut browser, "/lti/login", &fields).await;
        service.platform.read_login(&answer, TARGET);

        // With a second client at the same issuer only our own address tells which one is meant.
        let mut tx = service.app.db.write().await.expect("a transaction");
        let known = platforms::find(&mut tx, service.registration).await.expect("a row");
        let known = known.expect("the registration");
        let parse = |url: &str| url.parse().expect("an address");
        let new = NewRegistration {
            tenant: known.tenant_id,
            name: "Second".to_owned(),
            issuer: known.issuer.clone(),
            client_id: "client-2".to_owned(),
            authorization_endpoint: parse(&known.authorization_endpoint),
            token_endpoint: parse(&known.token_endpoint),
            jwks_uri: parse(&known.jwks_uri),
            token_audience: None,
            deployments: vec!["1".to_owned()],
        };
        platforms::insert(&mut tx, new, service.clock.now()).await.expect("added");
        tx.commit().await.expect("the commit");
        let refused = post(&mut browser, "/lti/login", &fields).await.expect(400);
        assert!(refused.text().contains("registration-unknown"));
        let named = format!("/lti/login/{}", service.registration);
        let answer = post(&mut browser, &named, &fields).await;
        service.platform.read_login(&answer, TARGET);
        let answer = post(&mut service.browser(), &named, &fields).await;
        service.platform.read_login(&answer, TARGET);
    }

    async fn a_login_that_is_incomplete_or_doubled_is_refused(database: TestDatabase) {
        let service = Service::start(database).await;
        let mut browser = service.browser();
        let mut cases = vec![
            ("login-issuer-missing", without(&service, "iss")),
            ("login-hint-missing", without(&service, "login_hint")),
            ("login-target-missing", without(&service, "target_link_uri")),
        ];
        let mut twice = service.platform.login_fields(TARGET);
        twice.push(("iss", "https://other.example".to_owned()));
        cases.push(("form-field-twice", twice));
        let script = service.platform.login_fields("javascript:alert(1)");
        cases.push(("login-target-invalid", script));
        for (code, fields) in cases {
            let answer = post(&mut browser, "/lti/login", &fields).await.expect(400);
            assert!(answer.text().contains(code), "{code}: {}", answer.text());
        }
        let answer = post(&mut browser, "/lti/login/nonsense", &without(&service, "")).await;
        assert!(answer.status.is_client_error(), "{}", answer.status);
    }
}
