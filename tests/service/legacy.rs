//! LTI 1.1: signed forms, what they open, where their grades go, and the way to 1.3.

use std::path::Path;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use lti::oauth1::{SignatureMethod, base_string, verify};
use serde_json::{Value, json};
use url::Url;

use crate::on_both_databases;
use crate::support::consumer::{Consumer, Fields, LAUNCH, remove, set};
use crate::support::platform::{CLIENT, DEPLOYMENT, lti};
use crate::support::{Answer, Browser, Player, Service, TestDatabase};

async fn start(database: TestDatabase) -> (Service, Consumer) {
    let service = Service::start(database).await;
    service.install_course().await;
    let consumer = Consumer::start(&service).await;
    (service, consumer)
}

#[track_caller]
fn refused(answer: &Answer, code: &str) {
    assert!(answer.status.is_client_error(), "{code}: {} {}", answer.status, answer.text());
    assert!(answer.text().contains(code), "no {code} in {}", answer.text());
}

async fn last(service: &Service, column: &str) -> String {
    let newest = format!("SELECT {column} FROM launch_log ORDER BY id DESC LIMIT 1");
    service.texts(&newest).await.pop().expect("a logged launch")
}

/// Follows the course to its end with this score.
async fn finish(service: &Service, browser: &mut Browser, page: &str, score: f64) {
    let mut player = Player::admit(&service.app, browser, page).await;
    player.complete(score).await;
    service.run_jobs().await;
}

/// A launch of `lti/tests/suite`, which follows the certification suite's.
struct Case {
    name: String,
    case: toml::Table,
}

impl Case {
    fn all() -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("lti/tests/suite");
        let mut cases: Vec<Self> = std::fs::read_dir(folder)
            .expect("the suite")
            .map(|file| file.expect("a file").path())
            .filter_map(|path| {
                let name = path.file_stem()?.to_str()?.to_owned();
                let text = name.starts_with("legacy-").then(|| std::fs::read_to_string(&path))?;
                let case = text.expect("readable").parse().expect("TOML");
                Some(Self { name, case })
            })
            .collect();
        cases.sort_by(|a, b| a.name.cmp(&b.name));
        cases
    }

    /// The form, signed as the case says.
    fn fields(&self, consumer: &Consumer, now: i64) -> Fields {
        let base = include_str!("../../lti/tests/suite/base/legacy.json");
        let base: Value = serde_json::from_str(base).expect("JSON");
        let mut fields: Fields = Vec::new();
        for (name, value) in base.as_object().expect("fields") {
            set(&mut fields, name, value.as_str().expect("text"));
        }
        // Each its own: nonces are spent once.
        set(&mut fields, "oauth_nonce", &self.name);
        for name in self.case.get("remove").and_then(toml::Value::as_array).into_iter().flatten() {
            remove(&mut fields, name.as_str().expect("a name"));
        }
        let changed = self.case.get("claims").and_then(toml::Value::as_table);
        for (name, value) in changed.into_iter().flatten() {
            set(&mut fields, name, value.as_str().expect("text"));
        }
        for (name, value) in &mut fields {
            if name == "oauth_timestamp" {
                let offset: i64 = match value.strip_prefix("now").expect("around now") {
                    "" => 0,
                    offset => offset.parse().expect("seconds"),
                };
                *value = (now + offset).to_string();
            }
            if name == "oauth_consumer_key" && value == "key-1" {
                value.clone_from(&consumer.key);
            }
        }
        let mut signer = consumer.clone();
        match self.case.get("sign").and_then(toml::Value::as_str) {
            Some("other-key") => "another secret".clone_into(&mut signer.secret),
            Some("unsigned") => return fields,
            _ => {}
        }
        signer.sign(LAUNCH, &mut fields);
        if self.case.get("sign").and_then(toml::Value::as_str) == Some("tampered") {
            set(&mut fields, "user_id", "somebody-else");
        }
        fields
    }

    fn expected(&self, name: &str) -> Option<&toml::Value> {
        self.case["expect"].get(name)
    }
}

/// A claim that says who somebody was in LTI 1.1, signed with a secret (migration guide 1.0, 3).
fn was(claims: &mut Value, consumer: &Consumer, secret: &str) {
    let text = format!(
        "{}&{DEPLOYMENT}&{}&{CLIENT}&{}&{}",
        consumer.key,
        claims["iss"].as_str().expect("an issuer"),
        claims["exp"],
        claims["nonce"].as_str().expect("a nonce"),
    );
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    claims[lti("lti1p1")] = json!({
        "oauth_consumer_key": consumer.key,
        "oauth_consumer_key_sign": STANDARD.encode(hmac::sign(&key, text.as_bytes())),
        "user_id": "user-9",
        "resource_link_id": "link-77",
    });
}

/// A launch of 1.3 that says nothing of what it opens.
async fn modern(
    service: &Service,
    browser: &mut Browser,
    change: impl FnOnce(&mut Value),
) -> Answer {
    // Rows are told apart by their instant.
    service.advance(TimeDelta::milliseconds(1));
    let login = service.platform.login(browser, "http://localhost:8080/lti/launch").await;
    service.platform.answer(browser, &login, change).await
}

fn unescape(text: &str) -> String {
    let entities =
        [("&quot;", "\""), ("&lt;", "<"), ("&gt;", ">"), ("&#x27;", "'"), ("&#x60;", "`")];
    let text = entities.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
    text.replace("&#x3D;", "=").replace("&amp;", "&")
}

/// Address and fields of the one form of a page.
fn form_of(page: &str) -> (Url, Fields) {
    let attribute = |tag: &str, name: &str| {
        let value = tag.split(&format!("{name}=\"")).nth(1)?.split('"').next()?;
        Some(unescape(value))
    };
    let form = page.split("<form").nth(1).expect("a form");
    let action = attribute(form, "action").expect("an address").parse().expect("an address");
    let fields = form.split("<input").skip(1);
    let fields = fields.filter_map(|tag| Some((attribute(tag, "name")?, attribute(tag, "value")?)));
    (action, fields.collect())
}

on_both_databases! {
    async fn the_launches_of_the_certification_get_their_verdicts(database: TestDatabase) {
        let (service, consumer) = start(database).await;
        let cases = Case::all();
        assert!(cases.len() > 35, "only {} cases", cases.len());
        for case in cases {
            let fields = case.fields(&consumer, service.clock.now().timestamp());
            let answer = consumer.post(&mut service.browser(), LAUNCH, &fields).await;
            let outcome = last(&service, "outcome").await;
            let name = &case.name;
            if let Some(code) = case.expected("refusal").and_then(toml::Value::as_str) {
                assert_eq!(outcome, code, "{name}");
                if case.expected("return_url").and_then(toml::Value::as_bool) == Some(true) {
                    let back = Url::parse(answer.clone().expect(303).location()).expect("an address");
                    assert!(back.as_str().starts_with("https://platform.test/return?"), "{back}");
                    let said = |wanted: &str| {
                        let mut pairs = back.query_pairs();
                        pairs.find(|(name, _)| name == wanted).expect(wanted).1.into_owned()
                    };
                    assert!(said("lti_errormsg").len() > 20, "{name}: {back}");
                    assert!(said("lti_errorlog").starts_with(code), "{name}: {back}");
                } else {
                    refused(&answer, code);
                }
                continue;
            }
            // Nobody in particular: let in only where the registration says so.
            if !fields.iter().any(|(field, _)| field == "user_id") {
                assert_eq!(outcome, "subject-missing", "{name}");
                continue;
            }
            assert_eq!(outcome, "accepted", "{name}: {}", answer.text());
            assert!(answer.clone().expect(303).location().starts_with("/lti/continue/"));
            let roles = "SELECT role FROM launches ORDER BY id DESC LIMIT 1";
            let role = service.texts(roles).await.pop().expect("a launch");
            if let Some(trains) = case.expected("instructor").and_then(toml::Value::as_bool) {
                assert_eq!(role == "trainer", trains, "{name}");
            }
            if case.expected("learner").and_then(toml::Value::as_bool) == Some(true) {
                assert_eq!(role, "learner", "{name}");
            }
            let context = "SELECT COUNT(*) FROM launches WHERE context_id IS NOT NULL AND id =
                (SELECT id FROM launches ORDER BY id DESC LIMIT 1)";
            if let Some(expected) = case.expected("context").and_then(toml::Value::as_str) {
                assert_eq!(service.number(context).await == 1, !expected.is_empty(), "{name}");
            }
        }
    }

    async fn a_signed_form_opens_the_course_by_either_hash(database: TestDatabase) {
        let (service, consumer) = start(database).await;
        let mut browser = service.browser();
        for method in ["HMAC-SHA1", "HMAC-SHA256"] {
            let change = |fields: &mut Fields| set(fields, "oauth_signature_method", method);
            let page = consumer.open(&mut browser, change).await;
            assert!(page.ends_with("/course"), "{page}");
            let shown = browser.get(&page).await.expect(200);
            assert!(shown.text().contains("Traverser une passerelle"), "{}", shown.text());
            // The consumer registered no address: its forms say who frames us.
            let policy = shown.header("content-security-policy").expect("a policy");
            assert!(policy.contains(&consumer.origin), "{policy}");
        }
        assert_eq!(service.count("people").await, 1);
        assert_eq!(service.count("enrolments").await, 1);
        // The cookie came back: nothing is left to take over.
        assert_eq!(service.count("launch_tickets").await, 0);
        let families = service.texts("SELECT family FROM registrations WHERE version = '1.1'").await;
        assert_eq!(families, ["moodle"]);
    }

    async fn a_form_is_spent_once(database: TestDatabase) {
        let (service, consumer) = start(database).await;
        let mut browser = service.browser();
        let mut fields = consumer.fields();
        consumer.sign(LAUNCH, &mut fields);
        let answer = consumer.post(&mut browser, LAUNCH, &fields).await.expect(303);
        let page = browser.get(answer.location()).await.expect(303).location().to_owned();
        // A reload in the same browser is no replay.
        let again = consumer.post(&mut browser, LAUNCH, &fields).await.expect(303);
        assert_eq!(again.location(), page);
        let stolen = consumer.post(&mut service.browser(), LAUNCH, &fields).await;
        refused(&stolen, "nonce-replayed");
        // Later it is too old, by whomever.
        service.advance(TimeDelta::minutes(6));
        let late = consumer.post(&mut service.browser(), LAUNCH, &fields).await;
        refused(&late, "legacy-timestamp-outside-window");
        assert_eq!(service.count("launches").await, 1);
        // Another form may carry the same nonce at another time (RFC 5849, 3.3).
        let nonce = fields.iter().find(|(name, _)| name == "oauth_nonce").expect("one").1.clone();
        let change = |fields: &mut Fields| set(fields, "oauth_nonce", &nonce);
        consumer.launch(&mut service.browser(), change).await.expect(303);
    }

    async fn the_address_tells_the_item_and_is_signed(database: TestDatabase) {
        let (service, consumer) = start(database).await;
        let mut browser = service.browser();
        let path = format!("{LAUNCH}?item=course/fixture");
        let without = |fields: &mut Fields| remove(fields, "custom_passerelle_item");
        let answer = consumer.launch_at(&mut browser, &path, without).await.expect(303);
        let page = browser.get(answer.location()).await.expect(303);
        assert!(page.location().ends_with("/course"), "{}", page.location());
        let mut fields = consumer.fields();
        remove(&mut fields, "custom_passerelle_item");
        consumer.sign(&path, &mut fields);
        let moved = format!("{LAUNCH}?item=course/other");
        refused(&consumer.post(&mut browser, &moved, &fields).await, "legacy-signature-invalid");
        refused(&consumer.post(&mut browser, LAUNCH, &fields).await, "legacy-signature-invalid");
        let unknown = |fields: &mut Fields| set(fields, "custom_passerelle_item", "course/none");
        refused(&consumer.launch(&mut browser, unknown).await, "item-unknown");
    }

    async fn whoever_is_turned_off_is_refused(database: TestDatabase) {
        let (service, consumer) = start(database).await;
        let mut browser = service.browser();
        for (state, code) in [("pending", "legacy-pending"), ("closed", "legacy-closed")] {
            let set = format!("UPDATE registrations SET state = '{state}' WHERE version = '1.1'");
            service.execute(&set).await;
            refused(&consumer.launch(&mut browser, |_| ()).await, code);
            assert_eq!(last(&service, "outcome").await, code);
        }
        service.execute("UPDATE registrations SET state = 'active'").await;
        service.execute("UPDATE tenants SET legacy_lti = FALSE").await;
        refused(&consumer.launch(&mut browser, |_| ()).await, "legacy-off");
        service.execute("UPDATE tenants SET legacy_lti = TRUE").await;
        consumer.launch(&mut browser, |_| ()).await.expect(303);
        // A consumer without a secret is one whose forms anybody could sign.
        service.execute("UPDATE registrations SET secret = ''").await;
        let mut unsigned = consumer.clone();
        unsigned.secret = String::new();
        let answer = unsigned.launch(&mut browser, |_| ()).await;
        refused(&answer, "legacy-consumer-key-unknown");
        // A key is no client id: there is no login of LTI 1.3 for it.
        let login = format!(
            "/lti/login?iss=lti-1.1&client_id={}&login_hint=1&target_link_uri=http://localhost:8080/",
            consumer.key
        );
        refused(&browser.get(&login).await, "registration-unknown");
    }

    async fn where_no_cookie_comes_back_a_window_of_its_own_takes_over(database: TestDatabase) {
        let (service, consumer) = start(database).await;
        let mut frame = service.browser();
        frame.drops_cookies = true;
        let answer = consumer.launch(&mut frame, |_| ()).await.expect(303);
        let ticket = answer.location().to_owned();
        assert!(ticket.starts_with("/lti/continue/"), "{ticket}");
        let page = frame.get(&ticket).await.expect(200);
        assert!(page.text().contains("_blank"), "{}", page.text());
        let token = page.form_token();
        // Looking changes nothing; a form of somebody else's does nothing.
        frame.get(&ticket).await.expect(200);
        let mut window = service.browser();
        window.post(&ticket, &[("form_token", "forged")]).await.expect(403);
        let fields = [("form_token", token.as_str())];
        window.post_from("https://evil.example", &ticket, &fields).await.expect(403);
        let opened = window.post(&ticket, &fields).await.expect(303);
        let course = window.get(opened.location()).await.expect(200);
        assert!(course.text().contains("Traverser une passerelle"), "{}", course.text());
        // Once; and the launch is that window's only.
        service.browser().post(&ticket, &fields).await.expect(404);
        frame.get(&ticket).await.expect(404);
        frame.get(opened.location()).await.expect(403);

        let answer = consumer.launch(&mut frame, |_| ()).await.expect(303);
        let token = frame.get(answer.location()).await.expect(200).form_token();
        service.advance(TimeDelta::seconds(121));
        let late = service.browser().post(answer.location(), &[("form_token", &token)]).await;
        late.expect(404);
        passerelle::cleaning::clean(&service.app).await.expect("cleaned");
        assert_eq!(service.count("launch_tickets").await, 0);
    }

    async fn a_grade_goes_to_the_outcome_service(database: TestDatabase) {
        let (service, consumer) = start(database).await;
        let mut browser = service.browser();
        let page = consumer.open(&mut browser, |_| ()).await;
        // The platform is down at first.
        consumer.outcomes().statuses = vec![503];
        finish(&service, &mut browser, &page, 0.9).await;
        assert_eq!(consumer.outcomes().taken.len(), 0);
        service.advance(TimeDelta::minutes(1));
        service.run_jobs().await;
        let sourcedid = r#"{"data":{"instanceid":"7"},"hash":"<5c>"}"#.to_owned();
        assert_eq!(consumer.outcomes().taken, [(sourcedid, 0.9, "OAuth".to_owned())]);
        assert_eq!(service.texts("SELECT state FROM scores").await, ["delivered"]);
        assert_eq!(service.platform.record().scores.len(), 0);
    }

    async fn a_platform_that_forgets_its_port_takes_the_grade_too(database: TestDatabase) {
        let (service, consumer) = start(database).await;
        consumer.outcomes().forgets_port = true;
        let mut browser = service.browser();
        let change = |fields: &mut Fields| set(fields, "oauth_signature_method", "HMAC-SHA256");
        let page = consumer.open(&mut browser, change).await;
        finish(&service, &mut browser, &page, 1.0).await;
        assert_eq!(consumer.outcomes().calls, 2);
        assert_eq!(consumer.outcomes().taken.len(), 1);
        assert_eq!(service.texts("SELECT state FROM scores").await, ["delivered"]);
    }

    async fn a_grade_that_is_not_taken_says_why(database: TestDatabase) {
        let (service, consumer) = start(database).await;
        let mut browser = service.browser();
        let page = consumer.open(&mut browser, |_| ()).await;
        consumer.outcomes().failure = Some("no such result");
        finish(&service, &mut browser, &page, 0.8).await;
        let said = service.texts("SELECT state || ': ' || detail FROM scores").await.remove(0);
        assert!(said.starts_with("refused: ") && said.contains("no such result"), "{said}");
    }

    async fn a_secret_that_no_longer_fits_is_named_as_the_reason(database: TestDatabase) {
        let (service, consumer) = start(database).await;
        let mut browser = service.browser();
        let page = consumer.open(&mut browser, |_| ()).await;
        consumer.outcomes().statuses = vec![401, 401];
        finish(&service, &mut browser, &page, 0.8).await;
        let said = service.texts("SELECT state || ': ' || detail FROM scores").await.remove(0);
        assert!(said.starts_with("refused: ") && said.contains("signature"), "{said}");
        assert_eq!(consumer.outcomes().calls, 2);
    }

    async fn grades_go_nowhere_but_to_the_consumer_itself(database: TestDatabase) {
        let (service, consumer) = start(database).await;
        let mut browser = service.browser();
        let elsewhere = |fields: &mut Fields| {
            set(fields, "lis_outcome_service_url", "https://elsewhere.example/outcomes");
        };
        consumer.open(&mut browser, elsewhere).await;
        assert_eq!(service.count("grade_targets").await, 0);
        assert!(last(&service, "detail").await.contains("no grades"));
        // A trainer's work is not graded, and neither is that of somebody without a role here.
        for roles in ["Instructor", "urn:lti:instrole:ims/lis/Student"] {
            consumer.open(&mut browser, |fields| set(fields, "roles", roles)).await;
        }
        assert_eq!(service.count("grade_targets").await, 0);
        consumer.open(&mut browser, |_| ()).await;
        assert_eq!(service.count("grade_targets").await, 1);
    }

    async fn a_platform_of_1_3_may_take_basic_outcomes_with_a_token(database: TestDatabase) {
        let (service, consumer) = start(database).await;
        let at = consumer.at("/token");
        let set = format!("UPDATE registrations SET token_endpoint = '{at}' WHERE version = '1.3'");
        service.execute(&set).await;
        let mut browser = service.browser();
        let change = |claims: &mut Value| {
            claims.as_object_mut().expect("claims").remove(&crate::support::platform::ags());
            claims["https://purl.imsglobal.org/spec/lti-bo/claim/basicoutcome"] = json!({
                "lis_result_sourcedid": "result-1",
                "lis_outcome_service_url": consumer.at("/outcomes"),
            });
        };
        let answer = service.platform.launch(&mut browser, "course/fixture", change).await;
        let page = answer.expect(303).location().to_owned();
        finish(&service, &mut browser, &page, 0.8).await;
        let taken = consumer.outcomes().taken.clone();
        assert_eq!(taken, [("result-1".to_owned(), 0.8, "Bearer".to_owned())]);
    }

    async fn a_trainer_chooses_and_the_choice_opens(database: TestDatabase) {
        let (service, consumer) = start(database).await;
        let mut browser = service.browser();
        let request = |fields: &mut Fields| {
            remove(fields, "resource_link_id");
            remove(fields, "custom_passerelle_item");
            for (name, value) in [
                ("lti_message_type", "ContentItemSelectionRequest"),
                ("roles", "urn:lti:role:ims/lis/Instructor"),
                ("accept_media_types", "application/vnd.ims.lti.v1.ltilink"),
                ("accept_presentation_document_targets", "iframe,window"),
                ("accept_multiple", "true"),
                ("data", "opaque & more"),
                ("oauth_signature_method", "HMAC-SHA256"),
            ] {
                set(fields, name, value);
            }
            set(fields, "content_item_return_url", &consumer.at("/items?x=1"));
        };
        let path = consumer.open(&mut browser, request).await;
        assert!(path.ends_with("/picker"), "{path}");
        let token = browser.get(&path).await.expect(200).form_token();
        let chosen = [("form_token", token.as_str()), ("item", "course/fixture")];
        let back = browser.post(&path, &chosen).await.expect(200);
        let policy = back.header("content-security-policy").expect("a policy");
        assert!(policy.contains(&format!("form-action 'self' {}", consumer.origin)), "{policy}");

        let (action, fields) = form_of(&back.text());
        assert_eq!(action.as_str(), consumer.at("/items?x=1"));
        let value = |wanted: &str| {
            let found = fields.iter().find(|(name, _)| name == wanted);
            found.unwrap_or_else(|| panic!("no {wanted}")).1.as_str()
        };
        let base = base_string("POST", &action, &fields);
        let method = SignatureMethod::HmacSha256;
        assert!(verify(method, &consumer.secret, &base, value("oauth_signature")), "{fields:?}");
        assert_eq!(value("oauth_consumer_key"), consumer.key);
        assert_eq!(value("lti_message_type"), "ContentItemSelection");
        assert_eq!(value("data"), "opaque & more");
        let items: Value = serde_json::from_str(value("content_items")).expect("JSON");
        let item = &items["@graph"][0];
        assert_eq!(item["custom"]["passerelle_item"], "course/fixture");
        assert_eq!(item["lineItem"]["scoreConstraints"]["normalMaximum"].as_f64(), Some(100.0));

        // The link that the LMS makes of it leads back to the course.
        let address = item["url"].as_str().expect("an address");
        let launch = address.strip_prefix("http://localhost:8080").expect("ours").to_owned();
        let without = |fields: &mut Fields| remove(fields, "custom_passerelle_item");
        let answer = consumer.launch_at(&mut browser, &launch, without).await.expect(303);
        assert!(answer.location().ends_with("/course"), "{}", answer.location());

        // Cancelled is an empty choice.
        let back = browser.post(&path, &[("form_token", &token), ("cancel", "1")]).await.expect(200);
        let (_, fields) = form_of(&back.text());
        let items = fields.iter().find(|(name, _)| name == "content_items").expect("items");
        let items: Value = serde_json::from_str(&items.1).expect("JSON");
        assert_eq!(items["@graph"], json!([]));
    }

    async fn a_person_who_moves_to_1_3_finds_their_course_again(database: TestDatabase) {
        let (service, consumer) = start(database).await;
        let mut browser = service.browser();
        consumer.open(&mut browser, |_| ()).await;
        let answer = modern(&service, &mut browser, |claims| {
            was(claims, &consumer, &consumer.secret);
        });
        let answer = answer.await.expect(303);
        // The old link's course, although the new one says nothing.
        assert!(answer.location().ends_with("/course"), "{}", answer.location());
        assert_eq!(service.count("people").await, 1);
        assert_eq!(service.count("identities").await, 2);
        assert_eq!(service.count("enrolments").await, 1);
        assert_eq!(last(&service, "detail").await, "migrated from LTI 1.1");
        // From then on without the claim.
        let answer = modern(&service, &mut browser, |_| ()).await.expect(303);
        assert!(answer.location().ends_with("/course"), "{}", answer.location());
        assert_eq!(service.count("people").await, 1);
    }

    async fn a_past_that_is_not_proved_is_not_believed(database: TestDatabase) {
        let (service, consumer) = start(database).await;
        let mut browser = service.browser();
        consumer.open(&mut browser, |_| ()).await;
        let forge = |claims: &mut Value| was(claims, &consumer, "another secret");
        let answer = modern(&service, &mut browser, forge).await.expect(303);
        assert!(answer.location().ends_with("/events"), "{}", answer.location());
        assert_eq!(service.count("people").await, 2);
        assert!(last(&service, "detail").await.contains("migration-signature-invalid"));
        // Known by now as somebody of their own: a proof joins nobody behind their back.
        let prove = |claims: &mut Value| was(claims, &consumer, &consumer.secret);
        modern(&service, &mut browser, prove).await.expect(303);
        assert_eq!(service.count("people").await, 2);
        let kept = "SELECT COUNT(DISTINCT person_id) FROM identities";
        assert_eq!(service.number(kept).await, 2);
        assert!(last(&service, "detail").await.starts_with("not migrated"));
    }
}
