//! Campus through its public door, against a tiny tool of the test's own.

use std::{collections::HashMap, future::pending};

use axum::{Json, routing::get as route_get};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use serde_json::{Value, json};

use super::{keys::SigningKey, *};

const SCORE: &str = "application/vnd.ims.lis.v1.score+json";
const SCORE_SCOPE: &str = "https://purl.imsglobal.org/spec/lti-ags/scope/score";

/// An answer, read whole.
struct Answer {
    status: u16,
    headers: reqwest::header::HeaderMap,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The action and fields of the page's form.
    fn form(&self) -> (String, HashMap<String, String>) {
        let between = |text: &str, start: &str, end: &str| {
            let from = text.find(start)? + start.len();
            let to = text[from..].find(end)? + from;
            Some(text[from..to].to_owned())
        };
        let plain = |text: String| {
            text.replace("&quot;", "\"")
                .replace("&#x3D;", "=")
                .replace("&#x27;", "'")
                .replace("&amp;", "&")
        };
        let form = self.body.split("<form id=\"auto\"").nth(1).expect(&self.body);
        let action = plain(between(form, "action=\"", "\"").unwrap());
        let fields = form
            .split("<input")
            .skip(1)
            .map(|input| {
                (
                    between(input, "name=\"", "\"").unwrap(),
                    plain(between(input, "value=\"", "\"").unwrap()),
                )
            })
            .collect();
        (action, fields)
    }
}

/// A browser with a jar for one site.
struct Browser {
    client: reqwest::Client,
    cookies: HashMap<String, String>,
}

impl Browser {
    fn new() -> Self {
        let client =
            reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { client, cookies: HashMap::new() }
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> Answer {
        let jar: Vec<String> = self.cookies.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let response = request.header("cookie", jar.join("; ")).send().await.unwrap();
        for cookie in response.headers().get_all("set-cookie") {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: String::from_utf8_lossy(&response.bytes().await.unwrap()).into_owned(),
        }
    }

    async fn get(&mut self, url: &str) -> Answer {
        self.send(self.client.get(url)).await
    }

    async fn post(&mut self, url: &str, fields: &[(&str, &str)]) -> Answer {
        let body =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self
            .client
            .post(url)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        self.send(request).await
    }
}

/// A running Campus, the tool's key and a browser.
struct World {
    campus: Campus,
    tool_key: SigningKey,
    browser: Browser,
}

impl World {
    async fn start() -> Self {
        let tool_key = SigningKey::generate().unwrap();
        let keys = json!({ "keys": [tool_key.jwk()] });
        let tool = Router::new().route("/jwks", route_get(move || async move { Json(keys) }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let tool_url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, tool).await });
        let link = |title: &str, score_maximum| InitialLink {
            title: title.to_owned(),
            description: String::new(),
            target_link_uri: format!("{tool_url}/launch?course=a"),
            custom: vec![
                ("courseId".to_owned(), "débuter".to_owned()),
                ("historique".to_owned(), "$Context.id.history".to_owned()),
                ("dispo".to_owned(), "$ResourceLink.available.startDateTime".to_owned()),
            ],
            score_maximum,
            kind: LinkKind::Course,
        };
        let config = Config {
            bind: "127.0.0.1:0".parse().unwrap(),
            public_url: None,
            tool: ToolConfig {
                name: "Passerelle".to_owned(),
                client_id: "tool-1".to_owned(),
                login_url: format!("{tool_url}/login"),
                launch_url: format!("{tool_url}/launch"),
                deep_linking_url: format!("{tool_url}/pick"),
                jwks_url: format!("{tool_url}/jwks"),
                origin: tool_url.clone(),
                links: vec![link("Débuter « ensemble »", Some(100.0)), link("Webinaire", None)],
            },
            clock: Arc::new(test_clock),
            extra_routes: None,
            mailbox_path: None,
        };
        let campus = super::start(config, pending()).await.unwrap();
        Self { campus, tool_key, browser: Browser::new() }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.campus.issuer)
    }

    async fn sign_in(&mut self, person: &str) {
        let url = self.url("/login");
        let answer = self.browser.post(&url, &[("person", person)]).await;
        assert_eq!((answer.status, answer.header("location")), (303, "/course/2"));
        let cookie = answer.header("set-cookie");
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    }

    /// Begins a launch and returns the parameters of a correct authentication request.
    async fn begin(&mut self, path: &str) -> (HashMap<String, String>, HashMap<String, String>) {
        let url = self.url(path);
        let (action, login) = self.browser.get(&url).await.form();
        assert!(action.ends_with("/login"), "{action}");
        let request = HashMap::from(
            [
                ("scope", "openid"),
                ("response_type", "id_token"),
                ("response_mode", "form_post"),
                ("prompt", "none"),
                ("client_id", login["client_id"].as_str()),
                ("login_hint", login["login_hint"].as_str()),
                ("lti_message_hint", login["lti_message_hint"].as_str()),
                ("state", "ST&é"),
                ("nonce", "n-1"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        let mut request = request;
        let redirect = login["target_link_uri"].split(['?']).next().unwrap();
        let redirect = redirect.replace("/pick", "/launch");
        request.insert("redirect_uri".to_owned(), redirect);
        (login, request)
    }

    async fn authenticate(&mut self, request: &HashMap<String, String>) -> Answer {
        let mut url = url::Url::parse(&self.campus.authorization_endpoint).unwrap();
        url.query_pairs_mut().extend_pairs(request);
        self.browser.get(url.as_str()).await
    }

    async fn id_token(&mut self, path: &str) -> String {
        let (_, request) = self.begin(path).await;
        let (_, mut fields) = self.authenticate(&request).await.form();
        assert_eq!(fields["state"], "ST&é");
        fields.remove("id_token").unwrap()
    }

    /// Checks an id_token as a tool would and gives its claims.
    async fn verified(&mut self, token: &str) -> Result<Value, jsonwebtoken::errors::Error> {
        let keys: JwkSet =
            serde_json::from_str(&self.browser.get(&self.campus.jwks_url).await.body).unwrap();
        let kid = decode_header(token)?.kid.unwrap_or_default();
        let mut rules = Validation::new(Algorithm::RS256);
        rules.leeway = 0;
        rules.set_audience(&["tool-1"]);
        rules.set_issuer(&[&self.campus.issuer]);
        let jwk = keys.find(&kid).ok_or(jsonwebtoken::errors::ErrorKind::InvalidToken)?;
        decode::<Value>(token, &DecodingKey::from_jwk(jwk)?, &rules).map(|data| data.claims)
    }

    /// A correct client assertion with some claims changed.
    fn assertion(&self, change: Value) -> String {
        let now = test_clock().timestamp();
        let mut claims = json!({
            "iss": "tool-1", "sub": "tool-1", "aud": self.campus.token_endpoint,
            "iat": now - 5, "exp": now + 60, "jti": super::keys::random_text().unwrap(),
        });
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        self.tool_key.sign(Some(&self.tool_key.kid), &claims).unwrap()
    }

    async fn ask_token(&mut self, assertion: &str, scope: &str) -> Answer {
        let url = self.campus.token_endpoint.clone();
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", assertion),
            ("scope", scope),
        ];
        self.browser.post(&url, &fields).await
    }

    async fn token(&mut self, scope: &str) -> String {
        let assertion = self.assertion(json!({}));
        let answer = self.ask_token(&assertion, scope).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    async fn service(&mut self, url: &str, token: &str, accept: &str) -> Answer {
        let request = self.browser.client.get(url).bearer_auth(token).header("accept", accept);
        self.browser.send(request).await
    }

    async fn score(&mut self, url: &str, token: &str, media: &str, body: &Value) -> Answer {
        let request = self.browser.client.post(url).bearer_auth(token);
        let request = request.header("content-type", media).body(body.to_string());
        self.browser.send(request).await
    }
}

#[expect(clippy::disallowed_methods, reason = "the test is where the time comes in")]
fn test_clock() -> DateTime<Utc> {
    Utc::now()
}

fn claim<'a>(claims: &'a Value, name: &str) -> &'a Value {
    &claims[format!("https://purl.imsglobal.org/spec/lti/claim/{name}")]
}

#[tokio::test]
async fn a_learner_launches_is_graded_and_the_gradebook_shows_it() {
    let mut world = World::start().await;
    world.sign_in("4").await;
    let course = world.browser.get(&world.url("/course/2")).await.body;
    assert!(course.contains("Débuter « ensemble »"), "{course}");
    let page = world.browser.get(&world.url("/activity/11")).await.body;
    assert!(page.contains("allowfullscreen") && page.contains("src=\"/activity/11/launch\""));

    let token = world.id_token("/activity/11/launch").await;
    let claims = world.verified(&token).await.unwrap();
    assert_eq!(claims["nonce"], "n-1");
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 60);
    assert_eq!((&claims["sub"], &claims["name"]), (&json!("4"), &json!("Zoé Lefèvre")));
    assert_eq!(claim(&claims, "message_type"), "LtiResourceLinkRequest");
    assert_eq!(claim(&claims, "deployment_id"), &json!(world.campus.deployment_id));
    assert_eq!(claim(&claims, "resource_link")["id"], "11");
    assert_eq!(claim(&claims, "launch_presentation")["locale"], "fr");
    let custom = claim(&claims, "custom");
    assert_eq!((&custom["courseid"], &custom["courseId"]), (&json!("débuter"), &json!("débuter")));
    assert_eq!(custom["dispo"], "$ResourceLink.available.startDateTime");
    let endpoint = &claims["https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"];
    let line_item = endpoint["lineitem"].as_str().unwrap().to_owned();
    assert!(line_item.ends_with("?type_id=1"), "{line_item}");

    let access = world.token(SCORE_SCOPE).await;
    let scores = line_item.replace("/lineitem?", "/lineitem/scores?");
    let body = json!({
        "userId": "4", "timestamp": "2026-11-23T17:06:11.287+00:00", "scoreGiven": 15,
        "scoreMaximum": 20, "activityProgress": "Completed", "gradingProgress": "FullyGraded",
        "comment": "Bien – « à revoir »",
    });
    let answer = world.score(&scores, &access, SCORE, &body).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    // The same second again is too late; the trainer has no grade; the media type is exact.
    assert_eq!(world.score(&scores, &access, SCORE, &body).await.status, 409);
    let mut other = body.clone();
    other["userId"] = "3".into();
    let answer = world.score(&scores, &access, SCORE, &other).await;
    assert_eq!((answer.status, answer.body.as_str()), (400, "[]"));
    let answer = world.score(&scores, &access, "application/json", &body).await;
    assert_eq!(answer.status, 400);
    let lost = format!("{line_item}/scores");
    assert_eq!(world.score(&lost, &access, SCORE, &body).await.status, 405);

    let book = world.browser.get(&world.url("/course/2/gradebook")).await.body;
    assert!(book.contains(">75<") && book.contains("Bien – « à revoir »"), "{book}");
    assert!(!book.contains("Noëlle"), "a learner sees their own row only");
    // A number in quotation marks is no number.
    let mut quoted = body.clone();
    quoted["timestamp"] = "2026-11-23T17:07:00Z".into();
    quoted["scoreGiven"] = "15".into();
    assert_eq!(world.score(&scores, &access, SCORE, &quoted).await.status, 400);
    // A score that is not fully graded erases.
    let mut started = body;
    started["timestamp"] = "2026-11-23T17:06:12Z".into();
    started["gradingProgress"] = "NotReady".into();
    assert_eq!(world.score(&scores, &access, SCORE, &started).await.status, 200);
    let kept = world.campus.inspect(|state| state.grades.values().next().map(|g| g.score));
    assert_eq!(kept, Some(None));
}

/// The `error` that is posted to the tool, if any, or the status of Campus's own page.
type Expected = Result<Option<&'static str>, u16>;

#[tokio::test]
async fn the_authorization_endpoint_checks_in_moodles_order() {
    let mut world = World::start().await;
    world.sign_in("4").await;
    let cases: [(&str, Option<&str>, Expected); 13] = [
        ("prompt", None, Ok(None)),
        ("state", None, Ok(None)),
        ("scope", Some("openid profile"), Err(404)),
        ("response_type", Some("code"), Err(404)),
        ("nonce", None, Err(404)),
        ("redirect_uri", Some("http://elsewhere.example/launch"), Err(404)),
        ("lti_message_hint", Some("{\"cmid\":11,\"launchid\":\"x\"}"), Err(404)),
        ("lti_message_hint", Some("no json"), Err(404)),
        ("response_mode", None, Ok(Some("invalid_request"))),
        ("response_mode", Some("fragment"), Ok(Some("invalid_request"))),
        ("prompt", Some("login"), Ok(Some("invalid_request"))),
        ("login_hint", Some("5"), Ok(Some("access_denied"))),
        ("client_id", Some("other"), Ok(Some("unauthorized_client"))),
    ];
    for (name, value, expected) in cases {
        let (_, mut request) = world.begin("/activity/11/launch").await;
        match value {
            Some(value) => request.insert(name.to_owned(), value.to_owned()),
            None => request.remove(name),
        };
        let answer = world.authenticate(&request).await;
        match expected {
            Err(status) => assert_eq!(answer.status, status, "{name}: {}", answer.body),
            Ok(error) => {
                let (action, fields) = answer.form();
                assert_eq!(action, request["redirect_uri"]);
                assert_eq!(fields.get("error").map(String::as_str), error, "{name}");
                assert_eq!(fields.contains_key("id_token"), error.is_none(), "{name}");
            }
        }
    }
}

#[tokio::test]
async fn a_message_hint_is_spent_once_and_belongs_to_its_session() {
    let mut world = World::start().await;
    world.sign_in("4").await;
    let (_, request) = world.begin("/activity/11/launch").await;
    // Without the cookie Campus posts the request to itself once.
    let cookies = std::mem::take(&mut world.browser.cookies);
    let (action, fields) = world.authenticate(&request).await.form();
    assert_eq!((action.as_str(), fields["repost"].as_str()), ("/lti/auth", "true"));
    assert_eq!(fields["lti_message_hint"], request["lti_message_hint"]);
    // Another session cannot use the hint, nor spend it.
    world.sign_in("4").await;
    assert_eq!(world.authenticate(&request).await.status, 404);
    world.browser.cookies = cookies;
    assert!(world.authenticate(&request).await.form().1.contains_key("id_token"));
    assert_eq!(world.authenticate(&request).await.status, 404);
}

#[tokio::test]
async fn the_trainer_picks_content_and_reviews_work() {
    let mut world = World::start().await;
    world.sign_in("3").await;
    let token = world.id_token("/course/2/pick").await;
    let claims = world.verified(&token).await.unwrap();
    assert_eq!(claim(&claims, "message_type"), "LtiDeepLinkingRequest");
    assert!(claim(&claims, "resource_link").is_null());
    let settings = &claims["https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings"];
    let back = settings["deep_link_return_url"].as_str().unwrap().to_owned();
    let now = test_clock().timestamp();
    let mut answer = json!({
        "iss": "tool-1", "aud": world.campus.issuer, "iat": now - 5, "exp": now + 60, "nonce": "x",
        "https://purl.imsglobal.org/spec/lti/claim/message_type": "LtiDeepLinkingResponse",
        "https://purl.imsglobal.org/spec/lti/claim/version": "1.3.0",
        "https://purl.imsglobal.org/spec/lti/claim/deployment_id": "1",
        "https://purl.imsglobal.org/spec/lti-dl/claim/content_items": [
            { "type": "ltiResourceLink", "title": "Éthique", "url": "http://t.example/launch?c=1",
              "custom": { "item": "1" }, "lineItem": { "scoreMaximum": 20, "tag": "final" } },
            { "type": "link", "url": "http://t.example/" },
            { "type": "ltiResourceLink", "title": "Atelier" },
        ],
    });
    let signed = world.tool_key.sign(Some(&world.tool_key.kid), &answer).unwrap();
    let page = world.browser.post(&back, &[("JWT", &signed)]).await.body;
    assert!(page.contains("Éthique") && page.contains("Atelier"), "{page}");
    let pending = page.split("name=\"pending\" value=\"").nth(1).unwrap();
    let pending = pending.split('"').next().unwrap().to_owned();
    let save = world.url("/course/2/activities");
    assert_eq!(world.browser.post(&save, &[("pending", &pending)]).await.status, 303);
    world.campus.inspect(|state| {
        let added = state.activities_of(2).find(|activity| activity.title == "Éthique").unwrap();
        assert_eq!(added.custom, [("item".to_owned(), "1".to_owned())]);
        let column = state.sole_column(added.id).unwrap();
        assert!((column.score_maximum - 20.0).abs() < f64::EPSILON && column.tag == "final");
        assert_eq!(state.activities_of(2).count(), 4);
    });
    // A foreign key, another deployment.
    let foreign = SigningKey::generate().unwrap().sign(Some(&world.tool_key.kid), &answer).unwrap();
    assert_eq!(world.browser.post(&back, &[("JWT", &foreign)]).await.status, 400);
    answer["https://purl.imsglobal.org/spec/lti/claim/deployment_id"] = "2".into();
    let signed = world.tool_key.sign(Some(&world.tool_key.kid), &answer).unwrap();
    assert_eq!(world.browser.post(&back, &[("JWT", &signed)]).await.status, 400);

    let token = world.id_token("/activity/11/launch?review=4").await;
    let claims = world.verified(&token).await.unwrap();
    assert_eq!(claim(&claims, "message_type"), "LtiSubmissionReviewRequest");
    assert_eq!(claim(&claims, "for_user")["user_id"], "4");

    let copy = world.browser.post(&world.url("/course/2/copy"), &[]).await;
    let path = copy.header("location").to_owned();
    let id: u64 = path.rsplit('/').next().unwrap().parse().unwrap();
    let activity = world.campus.inspect(|state| state.activities_of(id).next().unwrap().id);
    let token = world.id_token(&format!("/activity/{activity}/launch")).await;
    let claims = world.verified(&token).await.unwrap();
    assert_eq!(claim(&claims, "custom")["historique"], "2");
    assert_eq!(claim(&claims, "context")["id"], json!(id.to_string()));
}

#[tokio::test]
async fn a_learner_may_not_do_what_the_trainer_may() {
    let mut world = World::start().await;
    world.sign_in("5").await;
    for path in ["/course/2/add", "/course/2/pick", "/course/2/calls", "/activity/11/review/4"] {
        let url = world.url(path);
        assert_eq!(world.browser.get(&url).await.status, 403, "{path}");
    }
    let url = world.url("/course/2/copy");
    assert_eq!(world.browser.post(&url, &[]).await.status, 403);
    world.browser.cookies.clear();
    let url = world.url("/course/2");
    assert_eq!(world.browser.get(&url).await.header("location"), "/login");
}

#[tokio::test]
async fn a_token_is_given_for_a_good_assertion_only() {
    let mut world = World::start().await;
    let now = test_clock().timestamp();
    let good = world.assertion(json!({}));
    let answer = world.ask_token(&good, &format!("{SCORE_SCOPE} https://example.org/x")).await;
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(answer.json()["scope"], SCORE_SCOPE);
    let again = world.ask_token(&good, SCORE_SCOPE).await;
    assert_eq!(again.status, 400, "an assertion is accepted once");
    let cases = [
        (json!({ "iat": now + 30 }), SCORE_SCOPE),
        (json!({ "exp": now - 1 }), SCORE_SCOPE),
        (json!({ "sub": "nobody" }), SCORE_SCOPE),
        (json!({ "iss": "nobody" }), SCORE_SCOPE),
        (json!({ "aud": "https://elsewhere.example" }), SCORE_SCOPE),
        (json!({}), "https://example.org/x"),
    ];
    for (change, scope) in cases {
        let assertion = world.assertion(change.clone());
        let answer = world.ask_token(&assertion, scope).await;
        assert_eq!(answer.status, 400, "{change} {}", answer.body);
        assert!(answer.json()["error"].is_string());
    }
}

#[tokio::test]
async fn services_are_as_strict_about_media_types_as_a_moodle() {
    const MEMBERS: &str = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json";
    const ITEMS: &str = "application/vnd.ims.lis.v2.lineitemcontainer+json";
    let mut world = World::start().await;
    let members = world.url("/lti/services/CourseSection/2/bindings/1/memberships");
    let items = world.url("/lti/services/2/lineitems?type_id=1");
    let access = world
        .token(
            "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly \
             https://purl.imsglobal.org/spec/lti-ags/scope/lineitem",
        )
        .await;
    for (url, accept, status) in [
        (&members, MEMBERS, 200),
        (&members, "*/*", 200),
        (&members, "application/json", 400),
        (&items, ITEMS, 200),
        (&items, "*/*", 400),
        (&items, "application/json", 400),
    ] {
        let answer = world.service(url, &access, accept).await;
        assert_eq!(answer.status, status, "{url} {accept} {}", answer.body);
    }
    let page = world.service(&format!("{members}?limit=3&role=Learner"), &access, "*/*").await;
    assert_eq!(page.json()["members"].as_array().unwrap().len(), 3);
    let page = world.service(&format!("{members}?limit=3"), &access, "*/*").await;
    assert!(page.header("link").ends_with("memberships?limit=3&from=3>; rel=\"next\""));
    assert_eq!(world.service(&items, "wrong", ITEMS).await.status, 401);
    let create = world.browser.client.post(&items).bearer_auth(&access);
    let create = create
        .header("content-type", "application/vnd.ims.lis.v2.lineitem+json")
        .body(json!({ "label": "Examen", "scoreMaximum": 10, "resourceLinkId": "11" }).to_string());
    let created = world.browser.send(create).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let id = created.json()["id"].as_str().unwrap().to_owned();
    // Two columns: the launch names none any more.
    world.sign_in("4").await;
    let token = world.id_token("/activity/11/launch").await;
    let claims = world.verified(&token).await.unwrap();
    assert!(claims["https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"]["lineitem"].is_null());
    let delete = world.browser.client.delete(&id).bearer_auth(&access);
    assert_eq!(world.browser.send(delete).await.status, 204);
}

#[tokio::test]
async fn it_misbehaves_when_told_to() {
    let mut world = World::start().await;
    world.sign_in("4").await;
    let control = world.url("/_control");
    let send = |body: Value| {
        reqwest::Client::builder()
            .build()
            .unwrap()
            .post(&control)
            .header("content-type", "application/json")
            .body(body.to_string())
            .send()
    };
    let faults = json!({ "faults": {
        "failures": { "token": { "status": 503, "times": 1, "retry_after": 7 } },
        "id_token": { "clock_skew": -3600 },
    } });
    assert_eq!(send(faults).await.unwrap().status(), 204);
    let assertion = world.assertion(json!({}));
    let answer = world.ask_token(&assertion, SCORE_SCOPE).await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, "7"));
    assert_eq!(world.ask_token(&assertion, SCORE_SCOPE).await.status, 200);
    let token = world.id_token("/activity/11/launch").await;
    assert!(world.verified(&token).await.is_err(), "expired");

    let dropped = json!({ "faults": { "id_token": { "drop_claims": ["email"], "set_claims": { "sub": "9" } } } });
    assert_eq!(send(dropped).await.unwrap().status(), 204);
    let token = world.id_token("/activity/11/launch").await;
    let claims = world.verified(&token).await.unwrap();
    assert!(claims.get("email").is_none() && claims["sub"] == "9");
    assert_eq!(send(json!({ "rotate_key": "drop_previous" })).await.unwrap().status(), 204);
    assert!(world.verified(&token).await.is_err(), "the key is gone");
    world.campus.misbehave(|faults| faults.huge_key_set = true);
    assert!(world.browser.get(&world.campus.jwks_url).await.body.len() > 4 * 1024 * 1024);
    world.sign_in("3").await;
    let log = world.url("/course/2/calls");
    let page = world.browser.get(&log).await.body;
    assert!(page.contains("POST /lti/token") && page.contains(" UTC</time>"), "{page}");
    let calls = world.url("/_state");
    assert!(world.browser.get(&calls).await.json()["calls"].as_array().unwrap().len() > 3);
}

#[tokio::test]
async fn a_tool_registers_itself_and_waits_for_activation() {
    let mut world = World::start().await;
    world.sign_in("3").await;
    let url = world.url("/tools/register");
    let page = world.browser.post(&url, &[("url", "http://127.0.0.1:9/register?a=b")]).await.body;
    let granted = world.campus.inspect(|state| state.grants.keys().next().cloned()).unwrap();
    assert!(page.contains(&granted), "{page}");
    let configuration = world.browser.get(&world.campus.configuration_url).await.json();
    let endpoint = configuration["registration_endpoint"].as_str().unwrap().to_owned();
    let mut request = json!({
        "application_type": "web", "response_types": ["id_token"],
        "grant_types": ["implicit", "client_credentials"], "client_name": "Outil é",
        "initiate_login_uri": "http://127.0.0.1:9/login", "redirect_uris": ["http://127.0.0.1:9/launch"],
        "jwks_uri": "http://127.0.0.1:9/jwks", "token_endpoint_auth_method": "private_key_jwt",
        "https://purl.imsglobal.org/spec/lti-tool-configuration": {
            "domain": "127.0.0.1", "target_link_uri": "http://127.0.0.1:9/launch",
            "messages": [{ "type": "LtiDeepLinkingRequest" }],
        },
    });
    for (domain, status) in [("127.0.0.1", 400), ("127.0.0.1:9", 200), ("127.0.0.1:9", 401)] {
        request["https://purl.imsglobal.org/spec/lti-tool-configuration"]["domain"] = domain.into();
        let call =
            world.browser.client.post(&endpoint).bearer_auth(&granted).body(request.to_string());
        let answer = world.browser.send(call).await;
        assert_eq!(answer.status, status, "{}", answer.body);
        if status == 200 {
            assert!(answer.json()["client_id"].is_string());
        }
    }
    let id = world.campus.inspect(|state| *state.tools.keys().last().unwrap());
    assert!(!world.campus.inspect(|state| state.tools[&id].active));
    let activate = world.url(&format!("/tools/{id}/activate"));
    assert_eq!(world.browser.post(&activate, &[]).await.status, 303);
    assert!(world.campus.inspect(|state| state.tools[&id].active));
}

#[tokio::test]
async fn every_page_renders_in_both_languages() {
    let mut world = World::start().await;
    world.sign_in("3").await;
    for (language, word) in [("fr", "Carnet de notes"), ("en", "Gradebook")] {
        let switch = world.url(&format!("/language/{language}?back=//evil.example"));
        assert_eq!(world.browser.get(&switch).await.header("location"), "/");
        for path in [
            "/login",
            "/course/2",
            "/course/2/gradebook",
            "/course/2/calls",
            "/course/2/add",
            "/activity/11",
            "/activity/11/review/4",
            "/tools",
            "/lti/return?course=2&lti_msg=<b>",
        ] {
            let url = world.url(path);
            let answer = world.browser.get(&url).await;
            assert_eq!(answer.status, 200, "{path} {}", answer.body);
            assert!(answer.body.contains(&format!("<html lang=\"{language}\">")), "{path}");
            assert!(!answer.body.contains("<b>"));
        }
        let url = world.url("/course/2");
        assert!(world.browser.get(&url).await.body.contains(word));
    }
    let keys = |text: &str| {
        let value: Value = serde_json::from_str(text).unwrap();
        value.as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(keys(views::asset("fr.json").unwrap()), keys(views::asset("en.json").unwrap()));
}

#[tokio::test]
async fn it_offers_framed_tools_to_keep_values_when_told_to() {
    let mut world = World::start().await;
    world.sign_in("4").await;
    let (login, _) = world.begin("/activity/11/launch").await;
    assert!(!login.contains_key("lti_storage_target"), "as Moodle does");
    for (storage, target) in [(Storage::Parent, "_parent"), (Storage::Frame, "campus_storage")] {
        world.campus.keep_in(storage);
        let (login, _) = world.begin("/activity/11/launch").await;
        assert_eq!(login["lti_storage_target"], target);
        let (login, _) = world.begin("/activity/11/launch?target=window").await;
        assert!(!login.contains_key("lti_storage_target"), "nobody is around a window");
    }
    let page = world.url("/activity/11");
    assert!(world.browser.get(&page).await.body.contains("data-storage=\"frame\""));
    let switch = world.url("/tools/storage");
    assert_eq!(world.browser.post(&switch, &[("storage", "none")]).await.status, 403);
    world.sign_in("3").await;
    assert_eq!(world.browser.post(&switch, &[("storage", "none")]).await.status, 303);
    assert!(world.browser.get(&page).await.body.contains("data-storage=\"none\""));
}
