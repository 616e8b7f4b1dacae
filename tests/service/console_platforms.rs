//! The administrator's pages about platforms, and the rules behind them.

use lti::launch::{CheckName, LaunchRefusal};
use passerelle::ids::{RegistrationId, TenantId};
use passerelle::platforms::moving::{RebindError, rebind};
use passerelle::platforms::presets::{Entry, Product};
use passerelle::platforms::{
    self, Addresses, Decision, DeploymentState, NewRegistration, Registration, RegistrationState,
    health,
};
use passerelle::web::{Lang, Pages};
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::platform::{CLIENT, DEPLOYMENT, key_id, lti, sign_with};
use crate::support::{Answer, Browser, Service, TestDatabase};

const ITEM: &str = "course/fixture";
const TARGET: &str = "http://localhost:8080/lti/open/course/fixture";

async fn start(database: TestDatabase) -> Service {
    let service = Service::start(database).await;
    service.install_course().await;
    service
}

/// A browser in which an administrator of the installation is signed in.
async fn sign_in_admin(service: &Service) -> Browser {
    super::console::signed_in(service, super::console::ADA, None).await
}

async fn registration(service: &Service) -> Registration {
    let mut tx = service.app.db.read().await.expect("a transaction");
    let found = platforms::find(&mut tx, service.registration).await.expect("a row");
    found.expect("the registration")
}

async fn decide(service: &Service, decision: Decision) -> bool {
    let registration = registration(service).await;
    let mut tx = service.app.db.write().await.expect("a transaction");
    let now = service.clock.now();
    let decided = platforms::decide(&mut tx, &registration, decision, now).await.expect("decided");
    tx.commit().await.expect("the commit");
    decided
}

async fn logged(service: &Service) -> Vec<platforms::LoggedLaunch> {
    let mut tx = service.app.db.read().await.expect("a transaction");
    platforms::log_of(&mut tx, service.registration, 20).await.expect("the log")
}

fn addresses(host: &str, client: &str) -> Addresses {
    let at = |path: &str| format!("{host}{path}").parse().expect("an address");
    Addresses {
        issuer: host.to_owned(),
        client_id: client.to_owned(),
        authorization_endpoint: at("/auth"),
        token_endpoint: at("/token"),
        jwks_uri: at("/keys"),
        token_audience: None,
    }
}

fn no_personal_data(text: &str) {
    for personal in ["Zoé", "Lefèvre", "ecole.example", "learner-1"] {
        assert!(!text.contains(personal), "{personal} in {text}");
    }
}

#[track_caller]
fn refused(answer: &Answer, code: &str) {
    assert!(answer.status.is_client_error(), "{code}: {} {}", answer.status, answer.text());
    assert!(answer.text().contains(code), "no {code} in {}", answer.text());
}

#[test]
fn every_code_says_what_to_change_where() {
    let pages = Pages::load().expect("templates and catalogues");
    let ours = [
        "deployment-pending",
        "registration-unknown",
        "registration-gone",
        "registration-broken",
        "registration-pending",
        "registration-closed",
        "browser-changed",
        "key-set-unavailable",
        "item-unknown",
        "nonce-replayed",
        "internal",
        "token-missing",
        "state-missing",
        "state-malformed",
        "state-bad-signature",
        "state-expired",
        "state-from-the-future",
        "login-issuer-missing",
        "login-hint-missing",
        "login-target-missing",
        "login-target-invalid",
        "platform-login-required",
        "platform-access-denied",
        "platform-unauthorized-client",
        "platform-server-error",
        "platform-error",
    ];
    for lang in Lang::ALL {
        let has = |key: String| assert!(pages.locales.has(lang, &key), "{key} in {lang:?}");
        for code in LaunchRefusal::CODES.iter().chain(&ours) {
            has(format!("platforms-remedy-{code}"));
        }
        for name in CheckName::ALL {
            has(format!("platforms-check-{}", name.code()));
        }
        for code in health::CODES {
            has(format!("platforms-trouble-{code}"));
        }
        for product in Product::ALL {
            let word = product.as_str();
            has(format!("platforms-product-{word}"));
            has(format!("platforms-settings-{word}"));
            if product != Product::Legacy {
                has(format!("platforms-auto-{word}"));
                has(format!("platforms-manual-{word}"));
                has(format!("platforms-back-{word}"));
            }
            for (entry, theirs) in product.preset().entries {
                has(format!("platforms-value-{}", entry.as_str()));
                assert!(!theirs.is_empty());
            }
            let entries: Vec<Entry> = product.preset().entries.iter().map(|(e, _)| *e).collect();
            let needed: &[Entry] = match product {
                Product::Legacy => &[Entry::Tool, Entry::ConsumerKey, Entry::SharedSecret],
                _ => &[Entry::Login, Entry::Redirect, Entry::Keys, Entry::DeepLinking],
            };
            assert!(needed.iter().all(|entry| entries.contains(entry)), "{product:?}");
        }
    }
}

on_both_databases! {
    async fn an_accepted_launch_is_logged_with_its_checks_and_masked_claims(
        database: TestDatabase
    ) {
        let service = start(database).await;
        let mut browser = service.browser();
        let late = |claims: &mut Value| {
            claims["iat"] = json!(claims["iat"].as_i64().expect("a time") - 7);
            claims[lti("tool_platform")] = json!({"guid": "g", "product_family_code": "moodle"});
        };
        service.platform.launch(&mut browser, ITEM, late).await.expect(303);
        let all = logged(&service).await;
        let [launch] = all.as_slice() else { panic!("{all:?}") };
        assert_eq!((launch.outcome.as_str(), launch.skew_seconds), ("accepted", Some(-7)));
        let checks = launch.checks.as_array().expect("checks");
        assert_eq!(checks.len(), CheckName::ALL.len());
        assert!(checks.iter().all(|check| check["outcome"] != "failed"), "{checks:?}");
        let claims = launch.claims.as_ref().expect("claims");
        assert_eq!(claims[lti("deployment_id")], DEPLOYMENT);
        assert_eq!(claims["email"], "•••");
        no_personal_data(&claims.to_string());
        // What the LMS is, is remembered once.
        assert_eq!(registration(&service).await.family.as_deref(), Some("moodle"));
        let other = |claims: &mut Value| {
            claims[lti("tool_platform")] = json!({"guid": "g", "product_family_code": "canvas"});
        };
        service.platform.launch(&mut browser, ITEM, other).await.expect(303);
        assert_eq!(registration(&service).await.family.as_deref(), Some("moodle"));
    }

    async fn a_refused_launch_keeps_what_could_be_read_and_says_whether_it_was_verified(
        database: TestDatabase
    ) {
        let service = start(database).await;
        let mut browser = service.browser();
        let login = service.platform.login(&mut browser, TARGET).await;
        let claims = service.platform.claims(&login);
        // Signed with a key that is not the published one under its name.
        let token = sign_with(1, &json!({"alg": "RS256", "kid": key_id(0)}), &claims);
        let answer = service.platform.post_launch(&mut browser, &token, &login.state).await;
        refused(&answer, "signature-invalid");
        service.advance(chrono::TimeDelta::seconds(1));
        let login = service.platform.login(&mut browser, TARGET).await;
        service.platform.post_launch(&mut browser, "no.token", &login.state).await;
        let all = logged(&service).await;
        let [unread, forged] = all.as_slice() else { panic!("{all:?}") };
        assert_eq!((unread.outcome.as_str(), &unread.claims), ("token-malformed", &None));
        let claims = forged.claims.as_ref().expect("claims");
        assert_eq!(claims["aud"], CLIENT);
        assert_eq!(forged.skew_seconds, None);
        no_personal_data(&claims.to_string());
        let signature = forged.checks.as_array().expect("checks").iter();
        let signature: Vec<_> = signature.filter(|check| check["name"] == "signature").collect();
        assert_eq!(signature[0]["outcome"], "failed");
        // The token itself is nowhere.
        assert!(!format!("{all:?}").contains(&token));
    }

    async fn a_registration_that_waits_or_is_closed_lets_nobody_in(database: TestDatabase) {
        let service = start(database).await;
        let mut browser = service.browser();
        let before = service.platform.login(&mut browser, TARGET).await;
        assert!(decide(&service, Decision::Close).await);
        assert!(!decide(&service, Decision::Close).await);
        // A login that began before is refused as well.
        refused(&service.platform.answer(&mut browser, &before, |_| ()).await, "registration-closed");
        let fields = service.platform.login_fields(TARGET);
        let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let issuer = service.platform.issuer.clone();
        let answer = browser.post_from(&issuer, "/lti/login", &fields).await.expect(403);
        refused(&answer, "registration-closed");
        service.execute("UPDATE registrations SET state = 'pending'").await;
        service.execute("UPDATE deployments SET state = 'pending'").await;
        let answer = browser.post_from(&issuer, "/lti/login", &fields).await.expect(403);
        refused(&answer, "registration-pending");
        assert_eq!(service.count("launches").await, 0);
        // Approved, it comes with its deployments.
        assert!(decide(&service, Decision::Approve).await);
        assert_eq!(registration(&service).await.state, RegistrationState::Active);
        service.platform.launch(&mut browser, ITEM, |_| ()).await.expect(303);
    }

    async fn nobody_in_particular_plays_a_preview_where_that_is_allowed(database: TestDatabase) {
        let service = start(database).await;
        let mut browser = service.browser();
        let nobody = |claims: &mut Value| {
            let claims = claims.as_object_mut().expect("claims");
            for name in ["sub", "name", "given_name", "family_name", "email"] {
                claims.remove(name);
            }
        };
        let answer = service.platform.launch(&mut browser, ITEM, nobody).await;
        refused(&answer, "subject-missing");
        service.execute("UPDATE registrations SET anonymous = TRUE").await;
        for _ in 0..2 {
            let answer = service.platform.launch(&mut browser, ITEM, nobody).await.expect(303);
            browser.get(answer.location()).await.expect(200);
        }
        // Each time somebody else; on no roster, for no grade.
        assert_eq!(service.count("people").await, 2);
        assert_eq!(service.count("memberships").await, 0);
        assert_eq!(service.count("grade_targets").await, 0);
        assert_eq!(service.number("SELECT COUNT(*) FROM enrolments WHERE NOT preview").await, 0);
        // Who is known is known as before.
        service.platform.launch(&mut browser, ITEM, |_| ()).await.expect(303);
        assert_eq!(service.count("memberships").await, 1);
        assert_eq!(service.number("SELECT COUNT(*) FROM enrolments WHERE NOT preview").await, 1);
    }

    async fn an_lms_that_moved_keeps_its_people_and_takes_its_columns_along(
        database: TestDatabase
    ) {
        let service = start(database).await;
        let mut browser = service.browser();
        service.platform.launch(&mut browser, ITEM, |_| ()).await.expect(303);
        let before = service.texts("SELECT line_item FROM grade_targets").await;
        assert!(before[0].starts_with(&service.platform.issuer), "{before:?}");
        let current = registration(&service).await;
        let to = addresses("https://moved.example", "client-2");
        let now = service.clock.now();
        let mut tx = service.app.db.write().await.expect("a transaction");
        let rebound = rebind(&mut tx, &current, &to, now).await.expect("rebound");
        tx.commit().await.expect("the commit");
        assert_eq!(rebound.line_items, 1);
        let after = service.texts("SELECT line_item FROM grade_targets").await;
        assert_eq!(after, ["https://moved.example/line-items/7/lineitem?type_id=3"]);
        let bound = registration(&service).await;
        assert_eq!((bound.issuer.as_str(), bound.client_id.as_str()), ("https://moved.example", "client-2"));
        for table in ["people", "identities", "contexts", "enrolments"] {
            assert_eq!(service.count(table).await, 1, "{table}");
        }
    }

    async fn an_lms_cannot_become_another_one(database: TestDatabase) {
        let service = start(database).await;
        let current = registration(&service).await;
        let other = add(&service, current.tenant_id, "https://other.example").await;
        let mut tx = service.app.db.write().await.expect("a transaction");
        let to = addresses("https://other.example", CLIENT);
        let taken = rebind(&mut tx, &current, &to, service.clock.now()).await;
        assert!(matches!(taken, Err(RebindError::Taken)), "{taken:?}");
        drop(tx);
        assert_eq!(registration(&service).await.issuer, service.platform.issuer);
        assert_ne!(other, service.registration);
    }

    async fn the_list_counts_what_needs_an_administrator(database: TestDatabase) {
        let service = start(database).await;
        let mut browser = service.browser();
        let elsewhere = |claims: &mut Value| claims[lti("deployment_id")] = json!("another");
        let answer = service.platform.launch(&mut browser, ITEM, elsewhere).await;
        refused(&answer, "deployment-pending");
        service.platform.launch(&mut browser, ITEM, |_| ()).await.expect(303);
        for _ in 0..2 {
            let mut fields = service.platform.login_fields(TARGET);
            "https://stranger.example".clone_into(&mut fields[0].1);
            let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
            let answer = browser.post_from("https://stranger.example", "/lti/login", &fields).await;
            refused(&answer, "registration-unknown");
        }
        let tenant = registration(&service).await.tenant_id;
        add(&service, tenant, "https://waits.example").await;
        service
            .execute("UPDATE registrations SET state = 'pending' WHERE issuer = 'https://waits.example'")
            .await;
        let since = service.clock.now() - chrono::TimeDelta::hours(24);
        let mut tx = service.app.db.write().await.expect("a transaction");
        let all = platforms::overview(&mut tx, since).await.expect("the list");
        assert_eq!(all[0].state, RegistrationState::Pending);
        assert_eq!((all[0].last_launch, all[0].refused, all[0].waiting), (None, 0, 0));
        assert_eq!((all[1].refused, all[1].waiting), (1, 1));
        assert_eq!(all[1].last_launch, Some(service.clock.now()));
        let strangers = platforms::strangers(&mut tx, since).await.expect("rows");
        assert_eq!((strangers.len(), strangers[0].times), (1, 2));
        assert!(strangers[0].detail.contains("https://stranger.example"), "{strangers:?}");
        // Withdrawn, a deployment waits again.
        let id = service.registration;
        assert!(platforms::withdraw_deployment(&mut tx, id, DEPLOYMENT).await.expect("a row"));
        assert!(!platforms::withdraw_deployment(&mut tx, id, "unheard").await.expect("no row"));
        let deployments = platforms::deployments(&mut tx, id).await.expect("rows");
        assert!(deployments.iter().all(|one| one.state == DeploymentState::Pending));
    }

    async fn a_check_lists_keys_and_names_what_is_wrong(database: TestDatabase) {
        let service = start(database).await;
        let registration = registration(&service).await;
        let of = |all: &[health::Examined], subject| -> Vec<health::Examined> {
            all.iter().filter(|one| one.subject == subject).cloned().collect()
        };
        let all = health::examine(&service.app, &registration).await;
        let keys = of(&all, health::Subject::KeySet);
        assert_eq!(keys[0].verdict, health::Verdict::Fine);
        assert_eq!(keys[0].facts, [format!("RS256 {}", key_id(0))]);
        // One token a scope; this platform gives them for scores only.
        let tokens = of(&all, health::Subject::Token);
        let fine: Vec<&str> = tokens
            .iter()
            .filter(|one| one.verdict == health::Verdict::Fine)
            .map(|one| one.about.as_str())
            .collect();
        assert_eq!((tokens.len(), fine), (4, vec!["lti-ags/scope/score"]));
        service.platform.record().keys_status = Some(503);
        let all = health::examine(&service.app, &registration).await;
        let keys = of(&all, health::Subject::KeySet);
        let health::Verdict::Wrong(trouble) = &keys[0].verdict else { panic!("{keys:?}") };
        assert_eq!((trouble.code, trouble.detail.as_str()), ("key-set-status", "HTTP 503"));
    }

    async fn an_administrator_connects_a_moodle_by_hand(database: TestDatabase) {
        let service = start(database).await;
        let mut admin = sign_in_admin(&service).await;
        let path = "/console/platforms/new?product=moodle&tenant=reseau&site=moodle.example";
        let page = admin.get(path).await.expect(200);
        for shown in [
            "https://moodle.example/mod/lti/certs.php", "http://localhost:8080/lti/login",
            "Redirection URI(s)", "$Context.id.history",
        ] {
            assert!(page.text().contains(shown), "no {shown} in {}", page.text());
        }
        let token = page.form_token();
        let fields = |client: &'static str| {
            [
                ("form_token", token.clone()),
                ("product", "moodle".to_owned()),
                ("tenant", "reseau".to_owned()),
                ("name", "Moodle".to_owned()),
                ("issuer", "https://moodle.example".to_owned()),
                ("client_id", client.to_owned()),
                ("authorization_endpoint", "https://moodle.example/mod/lti/auth.php".to_owned()),
                ("token_endpoint", "https://moodle.example/mod/lti/token.php".to_owned()),
                ("jwks_uri", "https://moodle.example/mod/lti/certs.php".to_owned()),
                ("deployments", "4".to_owned()),
            ]
        };
        let bad = fields("with space");
        let bad: Vec<(&str, &str)> = bad.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let answer = admin.post("/console/platforms", &bad).await.expect(422);
        assert!(answer.text().contains("client-id-problem"), "{}", answer.text());
        assert_eq!(service.count("registrations").await, 1);
        let good = fields("abc");
        let good: Vec<(&str, &str)> = good.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let answer = admin.post("/console/platforms", &good).await.expect(303);
        let page = admin.get(answer.location()).await.expect(200);
        assert!(page.text().contains("https://moodle.example"), "{}", page.text());
        assert_eq!(service.count("registrations").await, 2);
        // The same once more is another's.
        let again = admin.post("/console/platforms", &good).await.expect(422);
        assert!(again.text().contains("client-id-problem"), "{}", again.text());
        assert_eq!(service.count("registrations").await, 2);
    }

    async fn an_administrator_reads_why_a_launch_was_refused(database: TestDatabase) {
        let service = start(database).await;
        let mut browser = service.browser();
        let wrong = |claims: &mut Value| claims["aud"] = json!("another");
        service.platform.launch(&mut browser, ITEM, wrong).await;
        let mut admin = sign_in_admin(&service).await;
        let path = format!("/console/platforms/{}", service.registration);
        let page = admin.get(&path).await.expect(200).text();
        assert!(page.contains("audience-mismatch"), "{page}");
        assert!(page.contains("identifiant client"), "{page}");
        no_personal_data(&page);
        let token = admin.get(&path).await.form_token();
        let fields = [("form_token", token.as_str()), ("decision", "close")];
        admin.post(&format!("{path}/state"), &fields).await.expect(303);
        admin.post(&format!("{path}/state"), &fields).await.expect(409);
        assert_eq!(registration(&service).await.state, RegistrationState::Closed);
        let forged = [("form_token", "forged"), ("decision", "reopen")];
        admin.post(&format!("{path}/state"), &forged).await.expect(403);
    }

    async fn an_old_platform_is_connected_only_where_that_is_allowed(database: TestDatabase) {
        let service = start(database).await;
        let mut admin = sign_in_admin(&service).await;
        let path = "/console/platforms/new?product=lti-1-1&tenant=reseau";
        let page = admin.get(path).await.expect(200);
        assert!(page.text().contains("/console/platforms/legacy/allow"), "{}", page.text());
        let token = page.form_token();
        let fields = [("form_token", token.as_str()), ("tenant", "reseau"), ("name", "Ancienne")];
        admin.post("/console/platforms/legacy", &fields).await.expect(422);
        assert_eq!(service.count("registrations").await, 1);
        admin.post("/console/platforms/legacy/allow", &fields).await.expect(303);
        let answer = admin.post("/console/platforms/legacy", &fields).await.expect(303);
        let page = admin.get(answer.location()).await.expect(200).text();
        let secret = "SELECT secret FROM registrations WHERE version = '1.1'";
        let secret = service.texts(secret).await.pop().expect("a secret");
        assert!(page.contains(&secret) && page.contains("/lti/1.1/launch"), "{page}");
    }
}

async fn add(service: &Service, tenant: TenantId, host: &str) -> RegistrationId {
    let to = addresses(host, CLIENT);
    let new = NewRegistration {
        tenant,
        name: "Autre".to_owned(),
        issuer: to.issuer,
        client_id: to.client_id,
        authorization_endpoint: to.authorization_endpoint,
        token_endpoint: to.token_endpoint,
        jwks_uri: to.jwks_uri,
        token_audience: None,
        deployments: Vec::new(),
    };
    let mut tx = service.app.db.write().await.expect("a transaction");
    let id = platforms::insert(&mut tx, new, service.clock.now()).await.expect("the insert");
    tx.commit().await.expect("the commit");
    id.expect("is new")
}
