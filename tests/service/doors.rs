//! Who comes in without a launch, and what other sites cannot make the service do.

use axum::http::Method;

use crate::on_both_databases;
use crate::support::browser::{From, form};
use crate::support::{Service, TestDatabase};

const ROUTER: &str = include_str!("../../src/router.rs");

/// Every path of the pages' router, its parameters filled with what is well-formed and unknown.
fn paths() -> Vec<(String, String)> {
    let (pages, _) = ROUTER.split_once("pub fn content").expect("two routers");
    let mut paths: Vec<(String, String)> = pages
        .split(".route(")
        .skip(1)
        .filter_map(|rest| rest.split('"').nth(1))
        .map(|pattern| {
            let id = "01930000-0000-7000-8000-000000000000";
            let path = ["{launch}", "{credential}", "{event}", "{registration}", "{enrolment}"]
                .iter()
                .fold(pattern.to_owned(), |path, name| path.replace(name, id))
                .replace("{version}/{*name}", "0/none.css")
                .replace("{code}", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
                .replace("{token}", &"A".repeat(43));
            (pattern.to_owned(), path)
        })
        .collect();
    paths.sort();
    paths
}

#[tokio::test]
async fn these_routes_are_public_and_no_others() {
    let service = Service::start(TestDatabase::sqlite()).await;
    let mut public = Vec::new();
    for (pattern, path) in paths() {
        assert!(!path.contains('{'), "{path}: a parameter this test does not know");
        for method in [Method::GET, Method::POST] {
            let mut browser = service.browser();
            browser.wants_json = true;
            let body = (method == Method::POST).then(String::new);
            let answer = browser.request(method.clone(), &path, From::OwnPage, body).await;
            assert!(!answer.status.is_server_error(), "{method} {path}: {}", answer.status);
            let lost = ["launch-lost", "console-signed-out"];
            let to_sign_in = answer
                .header("location")
                .is_some_and(|to| to.starts_with("/console/sign-in?next=%2Fconsole"));
            let private =
                to_sign_in || (answer.status == 403 && lost.contains(&answer.problem().as_str()));
            if !private && answer.status != 405 {
                public.push(format!("{method} {pattern}"));
            }
        }
    }
    let expected = [
        "GET /",
        "GET /.well-known/jwks.json",
        "GET /address/{token}",
        "POST /address/{token}",
        "GET /assets/{version}/{*name}",
        "GET /console/link/{token}",
        "POST /console/link/{token}",
        "GET /console/link/{token}/provider",
        "GET /console/sign-in",
        "POST /console/sign-in",
        "GET /console/sign-in/callback",
        "GET /console/sign-in/provider",
        "GET /health/live",
        "GET /health/ready",
        "POST /lti/1.1/launch",
        "GET /lti/continue/{token}",
        "POST /lti/continue/{token}",
        "GET /lti/keys/{registration}",
        "POST /lti/launch",
        "POST /lti/launch/stored",
        "GET /lti/login",
        "POST /lti/login",
        "GET /lti/login/{registration}",
        "POST /lti/login/{registration}",
        "GET /lti/register",
        "POST /lti/register",
        "GET /lti/register/{token}",
        "POST /lti/register/{token}",
        "GET /verify",
        "GET /verify/{code}",
        "POST /verify/{code}/file",
    ];
    assert_eq!(public, expected);
}

on_both_databases! {
    async fn a_form_that_another_site_sends_is_refused(database: TestDatabase) {
        let service = Service::start(database).await;
        service.install_course().await;
        let mut browser = service.browser();
        let answer = service.platform.launch(&mut browser, "course/fixture", |_| ()).await;
        let course = answer.expect(303).location().to_owned();
        let token = browser.get(&course).await.expect(200).form_token();
        let open = format!("{course}/open");
        browser.wants_json = true;
        let body = form(&[("form_token", &token)]);
        let issuer = service.platform.issuer.clone();
        for from in [From::Unsaid, From::Site(&issuer), From::Site("https://evil.example")] {
            let answer = browser.request(Method::POST, &open, from, Some(body.clone())).await;
            assert_eq!(answer.expect(403).problem(), "cross-site");
        }
        for wrong in ["", "forged", &token[1..]] {
            let answer = browser.post(&open, &[("form_token", wrong)]).await.expect(403);
            assert_eq!(answer.problem(), "form-expired");
        }
        assert!(browser.post(&open, &[]).await.status.is_client_error());
        assert_eq!(service.count("attempts").await, 0);

        // The token of one form is no other's, and no other launch's.
        let address = format!("{}/address", course.trim_end_matches("/course"));
        let crossed = [("form_token", token.as_str()), ("email", "a@b.example")];
        browser.post(&address, &crossed).await.expect(403);
        let answer = service.platform.launch(&mut browser, "course/fixture", |_| ()).await;
        let second = format!("{}/open", answer.expect(303).location());
        browser.post(&second, &[("form_token", &token)]).await.expect(403);
        browser.post(&open, &[("form_token", &token)]).await.expect(200);
        assert_eq!(service.count("messages").await, 0);
    }

    async fn a_launch_is_over_after_twelve_hours(database: TestDatabase) {
        let service = Service::start(database).await;
        service.install_course().await;
        let mut browser = service.browser();
        let answer = service.platform.launch(&mut browser, "course/fixture", |_| ()).await;
        let course = answer.expect(303).location().to_owned();
        service.advance(chrono::TimeDelta::hours(12));
        browser.wants_json = true;
        assert_eq!(browser.get(&course).await.expect(403).problem(), "launch-lost");
    }

    async fn a_form_larger_than_any_is_refused(database: TestDatabase) {
        let service = Service::start(database).await;
        let mut browser = service.browser();
        let large = "x".repeat(300 * 1024);
        let answer = browser.post("/lti/launch", &[("id_token", &large)]).await;
        assert!(answer.status.is_client_error(), "{}", answer.status);
        let answer = browser.get(&format!("/nothing/{}", "%ff".repeat(20))).await;
        assert!(answer.status.is_client_error(), "{}", answer.status);
    }
}
