//! What goes to the platform before a launch and what comes back instead of one (LTI Security
//! Framework 5.1.1): hints verbatim, our own address, errors that are explained.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use passerelle::cleaning;
use url::Url;

use crate::on_both_databases;
use crate::support::{Answer, Browser, Service};

const TARGET: &str = "http://localhost:8080/lti/open/events";

/// The authentication request that a login leads to.
async fn request(
    service: &Service,
    browser: &mut Browser,
    change: impl FnOnce(&mut Vec<(&'static str, String)>),
) -> BTreeMap<String, String> {
    let mut fields = service.platform.login_fields(TARGET);
    change(&mut fields);
    let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let mut answer = browser.post_from(&service.platform.issuer, "/lti/login", &fields).await;
    if answer.status == 303 {
        let again = answer.location().to_owned();
        answer = browser.get(&again).await;
    }
    let url = Url::parse(answer.expect(302).location()).expect("an address");
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let request: BTreeMap<String, String> = pairs.iter().cloned().collect();
    assert_eq!(request.len(), pairs.len(), "a parameter comes twice: {pairs:?}");
    request
}

fn set(fields: &mut [(&'static str, String)], name: &str, value: &str) {
    let field = fields.iter_mut().find(|(field, _)| *field == name).expect(name);
    value.clone_into(&mut field.1);
}

async fn error(service: &Service, browser: &mut Browser, fields: &[(&str, &str)]) -> Answer {
    browser.post_from(&service.platform.issuer, "/lti/launch", fields).await
}

on_both_databases! {
    async fn hints_come_back_as_they_were_sent(database: TestDatabase) {
        let service = Service::start(database).await;
        let mut browser = service.browser();
        let hints = [
            "{\"cmid\":2,\"launchid\":\"ltilaunch1_x\"}",
            "{ \"a\" : [1, 2], \"é\": \"ü – 🎓\" }",
            "a+b c%20d%2Be&f=g;h#i?j/k\\l\"m'n<o>",
            "  leading and trailing  ",
            "line\nfeed\ttab",
            "eyJhbGciOiJub25lIn0.eyJhIjoxfQ.",
        ];
        for hint in hints {
            let sent = request(&service, &mut browser, |fields| {
                set(fields, "lti_message_hint", hint);
                set(fields, "login_hint", hint);
            })
            .await;
            assert_eq!(sent["lti_message_hint"], hint);
            assert_eq!(sent["login_hint"], hint);
        }
        // A browser that has to be given its cookie first loses none of it.
        let sent = request(&service, &mut service.browser(), |fields| {
            set(fields, "lti_message_hint", hints[2]);
        })
        .await;
        assert_eq!(sent["lti_message_hint"], hints[2]);
        let sent = request(&service, &mut browser, |fields| {
            fields.retain(|(name, _)| *name != "lti_message_hint" && *name != "lti_deployment_id");
        })
        .await;
        assert!(!sent.contains_key("lti_message_hint"), "{sent:?}");
    }

    async fn the_request_holds_what_the_specification_names_and_our_own_address(
        database: TestDatabase
    ) {
        let service = Service::start(database).await;
        let mut browser = service.browser();
        for target in [TARGET, "https://elsewhere.example/launch?x=1", "http://localhost:8080/"] {
            let sent = request(&service, &mut browser, |fields| {
                set(fields, "target_link_uri", target);
            })
            .await;
            let fixed = [
                ("scope", "openid"),
                ("response_type", "id_token"),
                ("response_mode", "form_post"),
                ("prompt", "none"),
                ("client_id", "client-1"),
                ("redirect_uri", "http://localhost:8080/lti/launch"),
            ];
            for (name, value) in fixed {
                assert_eq!(sent[name], value, "{target}");
            }
            let names = "client_id login_hint lti_message_hint nonce prompt redirect_uri \
                         response_mode response_type scope state";
            let own: Vec<&str> = names.split(' ').collect();
            assert!(own.iter().all(|name| sent.contains_key(*name)), "{sent:?}");
            // A Moodle of today chokes on `repost`; whatever else is new must be known to it.
            let more = sent.keys().filter(|name| !own.contains(&name.as_str()));
            assert_eq!(more.count(), 0, "{sent:?}");
        }
    }

    async fn what_the_platform_answers_instead_of_a_token_is_explained(database: TestDatabase) {
        let service = Service::start(database).await;
        let mut browser = service.browser();
        let login = service.platform.login(&mut browser, TARGET).await;
        let errors = [
            ("login_required", "platform-login-required"),
            ("interaction_required", "platform-login-required"),
            ("consent_required", "platform-login-required"),
            ("access_denied", "platform-access-denied"),
            ("unauthorized_client", "platform-unauthorized-client"),
            ("invalid_request", "platform-invalid-request"),
            ("server_error", "platform-server-error"),
            ("temporarily_unavailable", "platform-server-error"),
            ("something_of_its_own", "platform-error"),
        ];
        for (number, (word, code)) in (1..).zip(errors) {
            let fields = [
                ("error", word),
                ("error_description", "<b>No launch id</b> in LTI hint é"),
                ("state", login.state.as_str()),
            ];
            let answer = error(&service, &mut browser, &fields).await.expect(400);
            let page = answer.text();
            assert!(page.contains(&format!("<code>{code}</code>")), "{word}: {page}");
            assert!(page.contains("&lt;b&gt;No launch id&lt;/b&gt; in LTI hint é"), "{page}");
            assert!(!page.contains("<b>No launch"), "{page}");
            assert_eq!(service.count("launch_log").await, number);
        }
        // An error beside a token is an error; without a state it is one too.
        let token = service.platform.sign(&service.platform.claims(&login));
        let both = [("id_token", token.as_str()), ("state", &login.state), ("error", "x")];
        assert!(error(&service, &mut browser, &both).await.expect(400).text().contains("platform-error"));
        error(&service, &mut browser, &[("error", "access_denied")]).await.expect(400);
        for table in ["people", "launches", "spent_nonces"] {
            assert_eq!(service.count(table).await, 0, "{table}");
        }
        // The login is still good.
        service.platform.answer(&mut browser, &login, |_| ()).await.expect(303);
    }

    async fn a_spent_nonce_is_remembered_longer_than_its_token_lives(database: TestDatabase) {
        let service = Service::start(database).await;
        let mut browser = service.browser();
        let login = service.platform.login(&mut browser, TARGET).await;
        service.platform.answer(&mut browser, &login, |_| ()).await.expect(303);
        // The token lives ten minutes; a minute more is leeway.
        service.advance(TimeDelta::minutes(11));
        cleaning::clean(&service.app).await.expect("cleaned");
        assert_eq!(service.count("spent_nonces").await, 1);
        service.advance(TimeDelta::minutes(5));
        cleaning::clean(&service.app).await.expect("cleaned");
        assert_eq!(service.count("spent_nonces").await, 0);
    }
}
