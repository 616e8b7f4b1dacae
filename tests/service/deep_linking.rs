//! Deep linking: a trainer chooses, the platform gets a signed answer.

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use passerelle::platforms::keys;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::platform::{CLIENT, DEPLOYMENT, deep_linking_settings, lti, trainer};
use crate::support::{Answer, Browser, Service};

const TARGET: &str = "http://localhost:8080/lti/launch";

/// Claims of a deep linking request (Deep Linking 2.0, 4.4).
fn request(claims: &mut Value, issuer: &str, multiple: bool) {
    trainer(claims);
    claims.as_object_mut().expect("claims").remove(&lti("resource_link"));
    claims[lti("message_type")] = json!("LtiDeepLinkingRequest");
    claims[deep_linking_settings()] = json!({
        "deep_link_return_url": format!("{issuer}/return?course=2"),
        "accept_types": ["ltiResourceLink"],
        "accept_presentation_document_targets": ["iframe", "window"],
        "accept_multiple": multiple,
        "data": "op=321&v=é",
    });
}

async fn picker(service: &Service, multiple: bool) -> (Browser, String) {
    let mut browser = service.browser();
    let login = service.platform.login(&mut browser, TARGET).await;
    let issuer = service.platform.issuer.clone();
    let change = |claims: &mut Value| request(claims, &issuer, multiple);
    let answer = service.platform.answer(&mut browser, &login, change).await.expect(303);
    assert!(answer.location().ends_with("/picker"), "{}", answer.location());
    (browser, answer.location().to_owned())
}

/// The claims of the answer in the page, verified with the key set that we publish.
pub(crate) async fn claims(service: &Service, page: &Answer) -> Value {
    let text = page.text();
    let jwt = text.split("name=\"JWT\"").nth(1).and_then(|rest| rest.split("value=\"").nth(1));
    let jwt = jwt.and_then(|rest| rest.split('"').next()).unwrap_or_else(|| panic!("{text}"));
    let keys = format!("/lti/keys/{}", service.registration);
    let keys = service.browser().get(&keys).await.expect(200).json();
    let header = decode_header(jwt).expect("a JWT");
    let key =
        keys["keys"].as_array().expect("keys").iter().find(|key| key["kid"] == json!(header.kid));
    let key = key.expect("the key that signed is published");
    let part = |name: &str| key[name].as_str().expect("a number").to_owned();
    let key = DecodingKey::from_rsa_components(&part("n"), &part("e")).expect("an RSA key");
    let mut validation = Validation::new(Algorithm::RS256);
    validation.validate_exp = false;
    validation.set_audience(&[&service.platform.issuer]);
    validation.set_issuer(&[CLIENT]);
    decode::<Value>(jwt, &key, &validation).expect("a sound signature").claims
}

/// The key that signed the answer in the page.
fn key_of(page: &Answer) -> String {
    let text = page.text();
    let jwt = text.split("name=\"JWT\"").nth(1).and_then(|rest| rest.split("value=\"").nth(1));
    let jwt = jwt.and_then(|rest| rest.split('"').next()).unwrap_or_else(|| panic!("{text}"));
    decode_header(jwt).expect("a JWT").kid.expect("a key id")
}

pub(crate) fn dl(name: &str) -> String {
    format!("https://purl.imsglobal.org/spec/lti-dl/claim/{name}")
}

on_both_databases! {
    async fn a_trainer_chooses_a_course_and_the_platform_gets_it_signed(database: TestDatabase) {
        let service = Service::start(database).await;
        service.install_course().await;
        let (mut browser, path) = picker(&service, true).await;
        let page = browser.get(&path).await.expect(200);
        assert!(page.text().contains("Traverser une passerelle"), "{}", page.text());
        let token = page.form_token();
        let chosen = [("form_token", token.as_str()), ("item", "course/fixture")];
        let back = browser.post(&path, &chosen).await.expect(200);
        let policy = back.header("content-security-policy").expect("a policy");
        assert!(policy.contains(&format!("form-action 'self' {}", service.platform.issuer)), "{policy}");
        assert!(back.text().contains("/return?course"), "{}", back.text());

        let claims = claims(&service, &back).await;
        assert_eq!(claims["iss"], CLIENT);
        assert_eq!(claims[lti("message_type")], "LtiDeepLinkingResponse");
        assert_eq!(claims[lti("version")], "1.3.0");
        assert_eq!(claims[lti("deployment_id")], DEPLOYMENT);
        assert_eq!(claims[dl("data")], "op=321&v=é");
        assert!(claims["nonce"].as_str().is_some_and(|nonce| nonce.len() > 20));
        let now = service.clock.now().timestamp();
        assert!(claims["iat"].as_i64().is_some_and(|iat| (now - 60..=now).contains(&iat)));
        assert!(claims["exp"].as_i64().is_some_and(|exp| exp > now && exp <= now + 3600));
        let items = claims[dl("content_items")].as_array().expect("items");
        assert_eq!(items.len(), 1);
        assert_eq!(items[0]["type"], "ltiResourceLink");
        assert_eq!(items[0]["custom"]["passerelle_item"], "course/fixture");
        assert_eq!(items[0]["url"], "http://localhost:8080/lti/open/course/fixture");
        assert_eq!(items[0]["lineItem"]["scoreMaximum"].as_f64(), Some(100.0));
    }

    async fn the_answer_is_signed_with_the_registrations_own_key_after_it_was_rotated(database: TestDatabase) {
        let service = Service::start(database).await;
        service.install_course().await;
        let fresh = keys::make().await.expect("a key");
        let (now, id) = (service.clock.now(), service.registration);
        let mut tx = service.app.db.write().await.expect("a transaction");
        keys::insert_first(&mut tx, id, fresh, now).await.expect("the insert");
        keys::prepare_next(&mut tx, id, now).await.expect("the job");
        tx.commit().await.expect("the commit");
        service.run_jobs().await;
        let mut signed = Vec::new();
        for _ in 0..2 {
            let (mut browser, path) = picker(&service, true).await;
            let token = browser.get(&path).await.expect(200).form_token();
            let cancel = [("form_token", token.as_str()), ("cancel", "1")];
            let back = browser.post(&path, &cancel).await.expect(200);
            claims(&service, &back).await;
            signed.push(key_of(&back));
            service.advance(chrono::TimeDelta::hours(25));
            let now = service.clock.now();
            let mut tx = service.app.db.write().await.expect("a transaction");
            let rotation = keys::rotate(&mut tx, id, now).await.expect("the rotation");
            assert_eq!(rotation, keys::Rotation::Done);
            tx.commit().await.expect("the commit");
            service.run_jobs().await;
            // What was signed before still verifies.
            claims(&service, &back).await;
        }
        assert_ne!(signed[0], signed[1]);
        let shared = service.browser().get("/.well-known/jwks.json").await.expect(200).text();
        assert!(signed.iter().all(|key| !shared.contains(key)), "{shared}");
    }

    async fn a_choice_can_be_cancelled_and_must_not_be_empty(database: TestDatabase) {
        let service = Service::start(database).await;
        service.install_course().await;
        let (mut browser, path) = picker(&service, true).await;
        let token = browser.get(&path).await.expect(200).form_token();
        let again = browser.post(&path, &[("form_token", &token)]).await.expect(200);
        assert!(!again.text().contains("name=\"JWT\""), "{}", again.text());
        let unknown = [("form_token", token.as_str()), ("item", "course/nowhere")];
        browser.post(&path, &unknown).await.expect(400);
        browser.post(&path, &[("form_token", "forged"), ("cancel", "1")]).await.expect(403);
        let back = browser.post(&path, &[("form_token", &token), ("cancel", "1")]).await.expect(200);
        let claims = claims(&service, &back).await;
        let items = &claims[dl("content_items")];
        assert!(items.is_null() || items.as_array().is_some_and(Vec::is_empty), "{items}");
    }

    async fn a_platform_that_takes_one_gets_one(database: TestDatabase) {
        let service = Service::start(database).await;
        service.install_course().await;
        let bytes = crate::support::course::package(scorm::package::Format::Scorm12);
        let second = crate::support::course::new_version("second", "1");
        service.import(&bytes, second).await.expect("sound");
        for (multiple, expected) in [(true, 2), (false, 1)] {
            let (mut browser, path) = picker(&service, multiple).await;
            let token = browser.get(&path).await.expect(200).form_token();
            let chosen =
                [("form_token", token.as_str()), ("item", "course/fixture"), ("item", "course/second")];
            let back = browser.post(&path, &chosen).await.expect(200);
            let claims = claims(&service, &back).await;
            let items = claims[dl("content_items")].as_array().expect("items");
            assert_eq!(items.len(), expected);
        }
    }

    async fn a_learner_chooses_nothing(database: TestDatabase) {
        let service = Service::start(database).await;
        let mut browser = service.browser();
        let login = service.platform.login(&mut browser, TARGET).await;
        let issuer = service.platform.issuer.clone();
        let change = |claims: &mut Value| {
            request(claims, &issuer, true);
            claims[lti("roles")] = json!([crate::support::platform::LEARNER]);
        };
        let answer = service.platform.answer(&mut browser, &login, change).await.expect(303);
        let page = browser.get(answer.location()).await.expect(403);
        assert!(!page.text().contains("form_token"));
        browser.post(answer.location(), &[("form_token", "x")]).await.expect(403);
    }

    async fn a_picker_is_there_for_deep_linking_launches_only(database: TestDatabase) {
        let service = Service::start(database).await;
        service.install_course().await;
        let mut browser = service.browser();
        let answer = service.platform.launch(&mut browser, "course/fixture", trainer).await;
        let course = answer.expect(303).location().to_owned();
        let path = format!("{}/picker", course.trim_end_matches("/course"));
        browser.get(&path).await.expect(404);
    }
}
