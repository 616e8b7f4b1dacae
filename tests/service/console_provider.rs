//! Staff who sign in with an OpenID Connect provider.

use axum::http::Method;
use chrono::TimeDelta;
use passerelle::clock::Clock;
use passerelle::console;

use crate::console::{ADA, follow, invite};
use crate::on_both_databases;
use crate::support::browser::From;
use crate::support::identity_provider::IdentityProvider;
use crate::support::service::beginning;
use crate::support::{Answer, Browser, Service, TestDatabase};

async fn with_provider(database: TestDatabase) -> (Service, IdentityProvider) {
    let provider = IdentityProvider::start(Clock::fixed(beginning())).await;
    let configuration = provider.configuration();
    let service = Service::start_with(database, |config| {
        config.staff_sign_in = Some(configuration);
    })
    .await;
    let provider = provider.with_clock(service.clock.clone());
    (service, provider)
}

/// The provider sends the browser back.
async fn arrive(provider: &IdentityProvider, browser: &mut Browser, back: &str) -> Answer {
    browser.request(Method::GET, back, From::Site(&provider.issuer), None).await
}

/// Somebody comes by way of the provider and is refused: why.
async fn come(
    service: &Service,
    provider: &IdentityProvider,
    browser: &mut Browser,
    subject: &str,
) -> String {
    let away = browser.get("/console/sign-in/provider").await.expect(303);
    let back = provider.sign_in(away.location(), subject, |_| ());
    let before = service.count("staff_sessions").await;
    let wanted = std::mem::replace(&mut browser.wants_json, true);
    let refused = arrive(provider, browser, &back).await.expect(403);
    browser.wants_json = wanted;
    assert_eq!(service.count("staff_sessions").await, before);
    refused.problem()
}

on_both_databases! {
    async fn an_invitation_is_finished_with_the_provider_and_signs_in_from_then_on(
        database: TestDatabase
    ) {
        let (service, provider) = with_provider(database).await;
        let invitation = invite(&service, ADA, None).await;
        let mut browser = service.browser();
        // Whom nobody invited with this account is nobody, whatever address the provider tells.
        assert_eq!(come(&service, &provider, &mut browser, "ada-1").await, "console-unknown");

        let page = browser.get(&invitation).await.expect(200);
        assert!(page.text().contains("Se connecter avec l’annuaire"), "{}", page.text());
        let start = format!("{invitation}/provider");
        let away = browser.get(&start).await.expect(303);
        let back = provider.sign_in(away.location(), "ada-1", |_| ());
        // The invitation is finished in the browser that opened it, and in no other.
        let mut other = service.browser();
        other.wants_json = true;
        assert_eq!(arrive(&provider, &mut other, &back).await.problem(), "console-sign-in-lost");
        let arrived = arrive(&provider, &mut browser, &back).await.expect(303);
        assert_eq!(arrived.location(), "/console");
        browser.get("/console").await.expect(200);
        // Spent, both ways.
        let fields = [("form_token", page.form_token())];
        let fields = fields.each_ref().map(|(name, token)| (*name, token.as_str()));
        let gone = other.post(&invitation, &fields).await.expect(200);
        assert!(gone.header("set-cookie").is_none());
        other.get(&start).await.expect(403);
        assert_eq!(service.count("staff_identities").await, 1);

        // From then on the account signs in, and goes on to the page that was asked for.
        let mut later = service.browser();
        let page = later.get("/console/sign-in?next=%2Fconsole%3Fa%3D1").await.expect(200).text();
        let way = "/console/sign-in/provider?next=%2Fconsole%3Fa%3D1";
        assert!(page.contains(&way.replace('=', "&#x3D;")), "{page}");
        let away = later.get(way).await.expect(303);
        let back = provider.sign_in(away.location(), "ada-1", |_| ());
        let arrived = arrive(&provider, &mut later, &back).await.expect(303);
        assert_eq!(arrived.location(), "/console?a=1");
        later.get("/console").await.expect(200);
        // The address of the answer opened again, from the browser's history.
        later.wants_json = true;
        arrive(&provider, &mut later, &back).await.expect(403);

        // Somebody else's invitation does not take the account over.
        let second = invite(&service, "grace@example.org", None).await;
        let mut browser = service.browser();
        browser.wants_json = true;
        let away = browser.get(&format!("{second}/provider")).await.expect(303);
        let back = provider.sign_in(away.location(), "ada-1", |_| ());
        let refused = arrive(&provider, &mut browser, &back).await.expect(409);
        assert_eq!(refused.problem(), "console-identity-taken");
        // ... and is not spent by it.
        follow(&mut browser, &second).await.expect(303);

        // Whoever is no longer staff is nobody to the provider's account either.
        let mut tx = service.app.db.write().await.expect("a transaction");
        let ada = ADA.parse().expect("an address");
        console::remove(&mut tx, &ada, service.clock.now()).await.expect("the removal");
        tx.commit().await.expect("the commit");
        let mut browser = service.browser();
        assert_eq!(come(&service, &provider, &mut browser, "ada-1").await, "console-unknown");
        // What the provider publishes was fetched once.
        assert_eq!(provider.record().discovered, 1);
    }

    async fn an_id_token_that_does_not_hold_signs_nobody_in(database: TestDatabase) {
        let (service, provider) = with_provider(database).await;
        let invitation = invite(&service, ADA, None).await;
        let mut browser = service.browser();
        browser.wants_json = true;
        let start = format!("{invitation}/provider");
        let now = service.clock.now().timestamp();
        let spoilt: [(&str, serde_json::Value); 6] = [
            ("nonce", "another".into()),
            ("nonce", serde_json::Value::Null),
            ("aud", "another-client".into()),
            ("iss", "https://another.example".into()),
            ("exp", (now - 61).into()),
            ("aud", serde_json::json!(["console", "another-client"])),
        ];
        for (claim, value) in spoilt {
            let away = browser.get(&start).await.expect(303);
            let back = provider.sign_in(away.location(), "ada-1", |claims| {
                claims[claim] = value.clone();
            });
            let refused = arrive(&provider, &mut browser, &back).await.expect(403);
            assert_eq!(refused.problem(), "console-provider-refused", "{claim}: {value}");
        }
        // An answer to another sign-in of the same browser, and one with a changed state.
        let first = browser.get(&start).await.expect(303);
        let stale = provider.sign_in(first.location(), "ada-1", |_| ());
        let away = browser.get(&start).await.expect(303);
        let refused = arrive(&provider, &mut browser, &stale).await.expect(403);
        assert_eq!(refused.problem(), "console-sign-in-lost");
        let back = provider.sign_in(away.location(), "ada-1", |_| ());
        let forged = back.replacen("state=e", "state=f", 1);
        assert_ne!(forged, back);
        let refused = arrive(&provider, &mut browser, &forged).await.expect(403);
        assert_eq!(refused.problem(), "console-sign-in-lost");
        let elsewhere = back.replacen("&iss=http", "&iss=https", 1);
        let refused = arrive(&provider, &mut browser, &elsewhere).await.expect(403);
        assert_eq!(refused.problem(), "console-sign-in-lost");
        assert_eq!(service.count("staff_identities").await, 0);
        assert_eq!(service.count("staff_sessions").await, 0);
        // Too slow.
        service.advance(TimeDelta::minutes(10));
        let refused = arrive(&provider, &mut browser, &back).await.expect(403);
        assert_eq!(refused.problem(), "console-sign-in-lost");
        // The provider said no.
        let away = browser.get(&start).await.expect(303);
        let back = provider.sign_in(away.location(), "ada-1", |_| ());
        let (before, after) = back.split_once("code=").expect("a code");
        let (_, rest) = after.split_once('&').expect("a state");
        let denied = format!("{before}error=access_denied&{rest}");
        let refused = arrive(&provider, &mut browser, &denied).await.expect(403);
        assert_eq!(refused.problem(), "console-provider-refused");

        // The invitation still stands, also with a key that is new since we looked.
        service.advance(TimeDelta::minutes(1));
        provider.record().key = 1;
        let away = browser.get(&start).await.expect(303);
        let back = provider.sign_in(away.location(), "ada-1", |_| ());
        arrive(&provider, &mut browser, &back).await.expect(303);
        browser.get("/console").await.expect(200);
    }

    async fn without_a_provider_there_is_none(database: TestDatabase) {
        let service = Service::start(database).await;
        let mut browser = service.browser();
        let page = browser.get("/console/sign-in").await.expect(200).text();
        assert!(!page.contains("/provider"), "{page}");
        browser.get("/console/sign-in/provider").await.expect(404);
        // One that does not answer leaves the link by mail.
        let service = Service::start_with(TestDatabase::sqlite(), |config| {
            config.staff_sign_in = Some(passerelle::config::StaffSignIn {
                issuer: "http://127.0.0.1:9".to_owned(),
                client_id: "console".to_owned(),
                client_secret: "secret".to_owned(),
                name: "l’annuaire".to_owned(),
            });
        })
        .await;
        let mut browser = service.browser();
        browser.wants_json = true;
        let away = browser.get("/console/sign-in/provider").await.expect(502);
        assert_eq!(away.problem(), "console-provider-away");
    }
}
