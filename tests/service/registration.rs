//! Platforms that register themselves, and the keys that each gets.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, put};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use passerelle::demo::campus::{self, Campus, ToolConfig};
use passerelle::ids::RegistrationId;
use passerelle::platforms::keys::{self, KeyState, Rotation};
use passerelle::platforms::{self, dynamic};
use passerelle::tenants::{self, NewTenant};
use passerelle::{cleaning, router, web};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::on_both_databases;
use crate::support::{Answer, Browser, Service};

const TOOL: &str = "https://purl.imsglobal.org/spec/lti-tool-configuration";

// ---- a platform of the test's own ----------------------------------------------------------

/// What the platform answers, and what it was told.
struct Answers {
    configuration: (u16, &'static str, String),
    registration: (u16, Value),
    current: (u16, Value),
    delay: Duration,
    /// Method, bearer token and body of what came.
    told: Vec<(&'static str, Option<String>, Value)>,
}

#[derive(Clone)]
struct Lms {
    origin: String,
    answers: Arc<Mutex<Answers>>,
}

impl Lms {
    async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let origin = format!("http://{}", listener.local_addr().expect("its address"));
        let answers = Answers {
            configuration: (200, "application/json", String::new()),
            registration: (200, answer("client-9")),
            current: (404, json!({})),
            delay: Duration::ZERO,
            told: Vec::new(),
        };
        let lms = Self { origin, answers: Arc::new(Mutex::new(answers)) };
        lms.describe(|_| ());
        let routes = Router::new()
            .route("/configuration", get(Self::configuration))
            .route("/register", get(Self::current).post(Self::register))
            .route("/client", put(Self::update))
            .with_state(lms.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        lms
    }

    fn answers(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its configuration, changed.
    fn describe(&self, change: impl FnOnce(&mut Value)) {
        let at = |path: &str| format!("{}{path}", self.origin);
        let mut configuration = json!({
            "issuer": self.origin, "authorization_endpoint": at("/auth"),
            "token_endpoint": at("/token"), "jwks_uri": at("/keys"),
            "registration_endpoint": at("/register"),
            "claims_supported": ["sub", "iss", "name", "email"],
            "scopes_supported": ["https://purl.imsglobal.org/spec/lti-ags/scope/score"],
            "https://purl.imsglobal.org/spec/lti-platform-configuration": {
                "product_family_code": "Canvas", "version": "1",
                "messages_supported": [
                    {"type": "LtiResourceLinkRequest"},
                    {"type": "LtiDeepLinkingRequest", "placements": ["assignment_selection"]},
                ],
                "variables": ["Context.id.history"],
            },
        });
        change(&mut configuration);
        self.answers().configuration = (200, "application/json", configuration.to_string());
    }

    /// The path of our registration page, as the platform opens it.
    fn page(&self, link: Option<&str>, token: Option<&str>) -> String {
        let configuration = format!("{}/configuration?a=1&b=%C3%A9", self.origin);
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("openid_configuration", &configuration);
        if let Some(token) = token {
            query.append_pair("registration_token", token);
        }
        let link = link.map(|link| format!("/{link}")).unwrap_or_default();
        format!("/lti/register{link}?{}", query.finish())
    }

    async fn configuration(State(lms): State<Self>) -> Response {
        let (status, media_type, body) = lms.answers().configuration.clone();
        let status = StatusCode::from_u16(status).expect("a status");
        (status, [(header::CONTENT_TYPE, media_type)], body).into_response()
    }

    async fn current(State(lms): State<Self>, headers: HeaderMap) -> Response {
        let mut answers = lms.answers();
        answers.told.push(("GET", bearer(&headers), Value::Null));
        let (status, body) = answers.current.clone();
        (StatusCode::from_u16(status).expect("a status"), Json(body)).into_response()
    }

    async fn register(state: State<Self>, headers: HeaderMap, body: Json<Value>) -> Response {
        Self::write("POST", state, headers, body).await
    }

    async fn update(state: State<Self>, headers: HeaderMap, body: Json<Value>) -> Response {
        Self::write("PUT", state, headers, body).await
    }

    async fn write(
        method: &'static str,
        State(lms): State<Self>,
        headers: HeaderMap,
        Json(body): Json<Value>,
    ) -> Response {
        let ((status, answer), delay) = {
            let mut answers = lms.answers();
            answers.told.push((method, bearer(&headers), body));
            (answers.registration.clone(), answers.delay)
        };
        tokio::time::sleep(delay).await;
        (StatusCode::from_u16(status).expect("a status"), Json(answer)).into_response()
    }
}

fn bearer(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    value.strip_prefix("Bearer ").map(str::to_owned)
}

fn answer(client: &str) -> Value {
    json!({"client_id": client, (TOOL): {"deployment_id": "dep-1"}})
}

/// A token as Moodle gives one for an update.
fn update_token() -> String {
    let claims = json!({"sub": "3", "scope": "reg-update"}).to_string();
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
}

// ---- what the tests do ---------------------------------------------------------------------

async fn invite(service: &Service) -> String {
    let mut tx = service.app.db.write().await.expect("a transaction");
    let tenant = tenants::first(&mut tx).await.expect("the read").expect("a tenant");
    let now = service.clock.now();
    let link = dynamic::invite(&mut tx, tenant.id, now).await.expect("the insert");
    tx.commit().await.expect("the commit");
    link.reveal().to_owned()
}

/// The fields of the page's form.
fn fields(page: &Answer) -> [(&'static str, String); 2] {
    let text = page.text();
    let id = text.split("name=\"registration\" value=\"").nth(1);
    let id = id.and_then(|rest| rest.split('"').next()).unwrap_or_else(|| panic!("{text}"));
    [("form_token", page.form_token()), ("registration", id.to_owned())]
}

async fn send(browser: &mut Browser, path: &str, fields: &[(&'static str, String); 2]) -> Answer {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
    browser.post(path, &fields).await
}

/// Opens the page and presses its button.
async fn press(service: &Service, path: &str) -> Answer {
    let mut browser = service.browser();
    let page = browser.get(path).await.expect(200);
    send(&mut browser, path, &fields(&page)).await
}

async fn assert_nothing_stored(service: &Service) {
    assert_eq!(service.count("registrations").await, 1);
    assert_eq!(service.count("tool_keys").await, 1);
    assert_eq!(service.count("registration_attempts").await, 0);
    assert_eq!(service.count("registration_links WHERE used_at IS NOT NULL").await, 0);
}

/// The key ids that an address publishes.
async fn published(service: &Service, path: &str) -> Vec<String> {
    let keys = service.browser().get(path).await.expect(200).json();
    let kid = |key: &Value| key["kid"].as_str().expect("a key id").to_owned();
    keys["keys"].as_array().expect("keys").iter().map(kid).collect()
}

async fn states(service: &Service, id: RegistrationId) -> Vec<KeyState> {
    let mut tx = service.app.db.read().await.expect("a transaction");
    let keys = keys::keys_of(&mut tx, id).await.expect("the keys");
    keys.into_iter().map(|key| key.state).collect()
}

async fn rotate(service: &Service, id: RegistrationId) -> Rotation {
    let mut tx = service.app.db.write().await.expect("a transaction");
    let rotation = keys::rotate(&mut tx, id, service.clock.now()).await.expect("the rotation");
    tx.commit().await.expect("the commit");
    rotation
}

async fn signing(service: &Service, id: RegistrationId) -> String {
    let key = service.app.keys.signing_for(&service.app, id).await.expect("a key");
    key.key_id().to_owned()
}

// ---- Campus over HTTP ----------------------------------------------------------------------

/// A browser that is signed in to Campus as the trainer.
struct Trainer {
    http: reqwest::Client,
    cookie: String,
}

impl Trainer {
    async fn sign_in(campus: &Campus) -> Self {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        let http = http.build().expect("a client");
        let mut trainer = Self { http, cookie: String::new() };
        let answer = trainer.post(&format!("{}/login", campus.issuer), &[("person", "3")]).await;
        let set = answer.headers().get("set-cookie").expect("a cookie").to_str().expect("ASCII");
        set.split(';').next().expect("a pair").clone_into(&mut trainer.cookie);
        trainer
    }

    async fn post(&self, url: &str, fields: &[(&str, &str)]) -> reqwest::Response {
        let body = crate::support::browser::form(fields);
        let media_type = "application/x-www-form-urlencoded";
        let request = self.http.post(url).header("content-type", media_type).body(body);
        request.header("cookie", &self.cookie).send().await.expect("an answer")
    }

    /// The address that Campus frames to register `url`; `None` where it asks what to do.
    async fn frame(&self, campus: &Campus, url: &str, tool: Option<&str>) -> Option<String> {
        let begin = format!("{}/tools/register", campus.issuer);
        let mut fields = vec![("url", url)];
        fields.extend(tool.map(|tool| ("tool", tool)));
        let page = self.post(&begin, &fields).await.text().await.expect("a page");
        let frame = page.split("id=\"registration\"").nth(1)?.split("src=\"").nth(1)?;
        Some(frame.split('"').next()?.replace("&amp;", "&").replace("&#x3D;", "="))
    }
}

async fn start_campus(service: &Service) -> Campus {
    let clock = service.clock.clone();
    let at = |path: &str| service.app.config.public(path);
    let config = campus::Config {
        bind: (Ipv4Addr::LOCALHOST, 0).into(),
        public_url: None,
        tool: ToolConfig {
            name: "Another tool".to_owned(),
            client_id: "other".to_owned(),
            login_url: at("/lti/login"),
            launch_url: at("/lti/launch"),
            deep_linking_url: at("/lti/launch"),
            jwks_url: at("/.well-known/jwks.json"),
            origin: service.app.config.origin(),
            links: Vec::new(),
        },
        clock: Arc::new(move || clock.now()),
        extra_routes: None,
        mailbox_path: None,
    };
    campus::start(config, std::future::pending()).await.expect("Campus starts")
}

on_both_databases! {
    async fn campus_registers_itself_with_a_link_and_updates_itself_later(database: TestDatabase) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let own = format!("http://{}", listener.local_addr().expect("its address"));
        let public = own.parse().expect("an address");
        let service = Service::start_with(database, |config| config.public_url = public).await;
        let pages = router::pages(service.app.clone());
        tokio::spawn(async move { axum::serve(listener, pages).await });
        let campus = start_campus(&service).await;
        let trainer = Trainer::sign_in(&campus).await;
        let link = invite(&service).await;
        let address = format!("{own}/lti/register/{link}");
        let frame = trainer.frame(&campus, &address, None).await.expect("the tool's page");

        let mut browser = service.browser();
        let page = browser.get(&frame).await.expect(200);
        let text = page.text();
        assert!(text.contains("Relier Campus sur 127.0.0.1"), "{text}");
        assert!(text.contains("Réseau Écoles d’Europe") && text.contains("carnet de notes"), "{text}");
        let policy = page.header("content-security-policy").expect("a policy").to_owned();
        assert!(policy.ends_with(&format!("frame-ancestors 'self' {}", campus.issuer)), "{policy}");
        assert_nothing_stored(&service).await;
        let form = fields(&page);
        let done = send(&mut browser, &frame, &form).await.expect(200);
        assert!(done.text().contains("data-close"), "{}", done.text());
        assert!(done.text().contains("activez l’outil"), "{}", done.text());

        // Pressed twice: once registered.
        send(&mut browser, &frame, &form).await.expect(200);
        assert_eq!(service.count("registrations").await, 2);
        assert_eq!(campus.inspect(|state| state.tools.len()), 2);
        assert_eq!(service.count("registration_attempts").await, 0);

        let id: RegistrationId = form[1].1.parse().expect("an id");
        let tool = campus.inspect(|state| state.tools.values().last().cloned()).expect("the tool");
        assert_eq!(tool.jwks_url, format!("{own}/lti/keys/{id}"));
        assert_eq!(tool.login_url, format!("{own}/lti/login/{id}"));
        assert!(tool.custom.iter().any(|(_, value)| value == "$Context.id.history"));
        assert!(!tool.custom.iter().any(|(_, value)| value == "$ResourceLink.id.history"));
        let registration = dynamic::finished(&service.app, id).await.expect("the read").expect("is there");
        assert_eq!(registration.state, platforms::RegistrationState::Active);
        assert_eq!(registration.name, format!("Campus ({})", campus.address));
        assert_eq!((&registration.client_id, &registration.issuer), (&tool.client_id, &campus.issuer));
        let approved = service.texts("SELECT deployment_id FROM deployments WHERE state = 'approved'").await;
        assert!(approved.contains(&tool.id.to_string()), "{approved:?}");

        // Our assertion is signed with the registration's own key, which Campus fetches here.
        trainer.post(&format!("{}/tools/{}/activate", campus.issuer, tool.id), &[]).await;
        for finding in platforms::check(&service.app, &registration).await {
            // The service's clock is the test's, Campus's is the machine's.
            if finding.what.starts_with("clock") {
                continue;
            }
            assert_eq!(finding.problem, None, "{}", finding.what);
        }
        let shared = published(&service, "/.well-known/jwks.json").await;
        assert!(!shared.contains(&signing(&service, id).await));

        // The link was for one platform; this one may use it to update.
        let again = trainer.frame(&campus, &address, Some("new")).await.expect("the tool's page");
        let refused = browser.get(&again).await.expect(403);
        assert!(refused.text().contains("registration-link-used"), "{}", refused.text());
        assert!(trainer.frame(&campus, &address, None).await.is_none(), "Campus asks");
        let known = tool.id.to_string();
        let frame = trainer.frame(&campus, &address, Some(&known)).await.expect("the tool's page");
        assert!(browser.get(&frame).await.expect(200).text().contains("Mettre à jour la connexion"));
        let done = press(&service, &frame).await.expect(200);
        assert!(done.text().contains("La connexion est à jour"), "{}", done.text());
        assert_eq!(service.count("registrations").await, 2);
        assert_eq!(service.count("registrations WHERE updated_at IS NOT NULL").await, 1);
        let updated = campus.inspect(|state| state.tools[&tool.id].clone());
        assert!(updated.active && updated.client_id == tool.client_id);
        assert_eq!(updated.jwks_url, tool.jwks_url);
    }

    async fn without_a_link_a_registration_waits_for_an_administrator(database: TestDatabase) {
        let service = Service::start(database).await;
        let lms = Lms::start().await;
        // No token either (Brightspace), and a configuration that is called text.
        lms.answers().configuration.1 = "text/plain";
        let path = lms.page(None, None);
        let page = service.browser().get(&path).await.expect(200);
        assert!(page.text().contains("sans lien d’inscription"), "{}", page.text());
        let done = press(&service, &path).await.expect(200);
        assert!(done.text().contains("La demande est enregistrée"), "{}", done.text());
        assert!(!done.text().contains("data-close"), "it is to be read");
        let (method, bearer, body) = lms.answers().told.remove(0);
        assert_eq!((method, bearer), ("POST", None));
        assert_eq!(body["scope"], "https://purl.imsglobal.org/spec/lti-ags/scope/score");
        assert_eq!(body[TOOL]["claims"], json!(["iss", "sub", "email", "name"]));
        assert_eq!(body[TOOL]["domain"], "localhost:8080");
        assert_eq!(body[TOOL]["messages"][1]["placements"], json!(["assignment_selection"]));
        assert_eq!(body[TOOL]["messages"][1]["label#en"], "Choose training content");

        let waiting = service.texts("SELECT family FROM registrations WHERE state = 'pending'").await;
        assert_eq!(waiting, ["canvas"]);
        let mut browser = service.browser();
        let login = format!(
            "/lti/login?iss={}&client_id=client-9&login_hint=1&target_link_uri=http%3A%2F%2Flocalhost%3A8080%2Flti%2Flaunch",
            lms.origin
        );
        let probe = browser.get(&login).await.expect(303).location().to_owned();
        let refused = browser.get(&probe).await.expect(403);
        assert!(refused.text().contains("registration-pending"), "{}", refused.text());

        let id = service.uuid("SELECT id FROM registrations WHERE state = 'pending'").await.into();
        let mut tx = service.app.db.write().await.expect("a transaction");
        assert!(dynamic::activate(&mut tx, id, service.clock.now()).await.expect("the update"));
        tx.commit().await.expect("the commit");
        browser.get(&probe).await.expect(302);
    }

    async fn what_is_refused_says_why_and_leaves_nothing(database: TestDatabase) {
        let service = Service::start(database).await;
        let lms = Lms::start().await;
        let link = invite(&service).await;
        let path = lms.page(Some(&link), Some("opaque"));
        let mut browser = service.browser();

        // The page itself is refused.
        let elsewhere = |c: &mut Value| c["issuer"] = json!("http://localhost:1");
        lms.describe(elsewhere);
        let refused = browser.get(&path).await.expect(400);
        assert!(refused.text().contains("registration-issuer-elsewhere"), "{}", refused.text());
        lms.describe(|c| c["registration_endpoint"] = json!("http://localhost:1/register"));
        assert!(browser.get(&path).await.text().contains("registration-endpoint-elsewhere"));
        lms.describe(|c| drop(c.as_object_mut().and_then(|c| c.remove("jwks_uri"))));
        assert!(browser.get(&path).await.text().contains("registration-field-missing"));
        lms.answers().configuration = (200, "text/html", "<title>Connexion</title>".to_owned());
        assert!(browser.get(&path).await.text().contains("registration-configuration-unreadable"));
        lms.answers().configuration.0 = 404;
        let refused = browser.get(&path).await.expect(502);
        assert!(refused.text().contains("registration-configuration-unavailable"));
        assert!(browser.get("/lti/register").await.expect(400).text().contains("configuration-url-missing"));
        let nobody = "A".repeat(43);
        let refused = browser.get(&lms.page(Some(&nobody), None)).await.expect(403);
        assert!(refused.text().contains("registration-link-unknown"), "{}", refused.text());
        lms.describe(|_| ());

        // The platform refuses when it is asked.
        let errors = json!({"errors": [{"field": "domain", "message": "is taken <b>"}]});
        let used = json!({"status": 401, "reason": "token_already_used"});
        let cases = [
            (422, errors, 502, "is taken &lt;b&gt;"),
            (401, used, 400, "token_already_used"),
            (200, json!({"ok": true}), 400, "registration-client-id-missing"),
            (500, json!({}), 502, "registration-refused"),
        ];
        for (status, body, expected, text) in cases {
            lms.answers().registration = (status, body);
            let refused = press(&service, &path).await.expect(expected);
            assert!(refused.text().contains(text), "{status}: {}", refused.text());
        }
        assert_eq!(lms.answers().told[0].1.as_deref(), Some("opaque"));
        // A form is of one registration.
        let page = browser.get(&path).await.expect(200);
        let other = lms.page(Some(&link), Some("other"));
        send(&mut browser, &other, &fields(&page)).await.expect(403);
        let fields = fields(&page);
        let foreign = [("form_token", fields[0].1.as_str()), ("registration", fields[1].1.as_str())];
        browser.post_from("https://evil.example", &path, &foreign).await.expect(403);
        assert_nothing_stored(&service).await;

        lms.answers().registration = (200, answer("client-9"));
        service.advance(dynamic::LINK_LIFE);
        let refused = browser.get(&path).await.expect(403);
        assert!(refused.text().contains("registration-link-expired"), "{}", refused.text());
        assert_nothing_stored(&service).await;
    }

    async fn an_installation_that_calls_no_private_address_wants_https(database: TestDatabase) {
        let change = |config: &mut passerelle::config::Config| {
            config.insecure_allow_private_networks = false;
        };
        let service = Service::start_with(database, change).await;
        let lms = Lms::start().await;
        let refused = service.browser().get(&lms.page(None, None)).await.expect(400);
        assert!(refused.text().contains("registration-insecure"), "{}", refused.text());
        let path = lms.page(None, None).replace("http%3A%2F%2F", "https%3A%2F%2F");
        let refused = service.browser().get(&path).await.expect(502);
        assert!(refused.text().contains("registration-unreachable"), "{}", refused.text());
        assert!(lms.answers().told.is_empty());
    }

    async fn a_button_that_is_pressed_twice_at_once_registers_once(database: TestDatabase) {
        let service = Service::start(database).await;
        let lms = Lms::start().await;
        lms.answers().delay = Duration::from_millis(500);
        let link = invite(&service).await;
        let path = lms.page(Some(&link), None);
        let (mut first, mut second) = (service.browser(), service.browser());
        let form = fields(&first.get(&path).await.expect(200));
        let another = fields(&second.get(&path).await.expect(200));
        let (one, two) = tokio::join!(send(&mut first, &path, &form), send(&mut second, &path, &form));
        let mut statuses = [one.status.as_u16(), two.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409], "{}\n{}", one.text(), two.text());
        assert_eq!(lms.answers().told.len(), 1);
        send(&mut first, &path, &form).await.expect(200);
        // Another page of the same link comes too late.
        send(&mut second, &path, &another).await.expect(403);
        assert_eq!(service.count("registrations").await, 2);
        assert_eq!(lms.answers().told.len(), 1);
    }

    async fn nobody_fills_the_table(database: TestDatabase) {
        let service = Service::start(database).await;
        let lms = Lms::start().await;
        let mut tx = service.app.db.write().await.expect("a transaction");
        let tenant = tenants::first(&mut tx).await.expect("the read").expect("a tenant").id;
        for number in 0..20 {
            let at = |path: &str| format!("{}{path}", lms.origin).parse().expect("an address");
            let new = platforms::NewRegistration {
                tenant,
                name: "Plateforme".to_owned(),
                issuer: lms.origin.clone(),
                client_id: format!("waiting-{number}"),
                authorization_endpoint: at("/auth"),
                token_endpoint: at("/token"),
                jwks_uri: at("/keys"),
                token_audience: None,
                deployments: Vec::new(),
            };
            platforms::insert(&mut tx, new, service.clock.now()).await.expect("the insert");
        }
        tx.commit().await.expect("the commit");
        service.execute("UPDATE registrations SET state = 'pending' WHERE client_id LIKE 'waiting-%'").await;
        let refused = service.browser().get(&lms.page(None, None)).await.expect(429);
        assert!(refused.text().contains("registration-too-many"), "{}", refused.text());
        let link = invite(&service).await;
        service.browser().get(&lms.page(Some(&link), None)).await.expect(200);
        service.advance(TimeDelta::hours(1));
        service.browser().get(&lms.page(None, None)).await.expect(200);
    }

    async fn an_update_changes_addresses_for_who_has_a_link_of_the_tenant(database: TestDatabase) {
        let service = Service::start(database).await;
        let lms = Lms::start().await;
        let link = invite(&service).await;
        press(&service, &lms.page(Some(&link), Some("opaque"))).await.expect(200);
        let keys = || service.texts("SELECT jwks_uri FROM registrations WHERE client_id = 'client-9'");
        assert_eq!(keys().await, [format!("{}/keys", lms.origin)]);
        let mut current = answer("client-9");
        current["registration_client_uri"] = json!(format!("{}/client", lms.origin));
        current["registration_access_token"] = json!("access");
        lms.answers().current = (200, current);
        let token = update_token();

        // As it was: by the client's own address, with its token, and no link.
        let done = press(&service, &lms.page(None, Some(&token))).await.expect(200);
        assert!(done.text().contains("La connexion est à jour"), "{}", done.text());
        let told: Vec<_> = lms.answers().told.drain(..).skip(1).collect();
        assert_eq!((told[0].0, told[0].1.as_deref()), ("GET", Some(token.as_str())));
        assert_eq!((told[1].0, told[1].1.as_deref()), ("PUT", Some("access")));
        assert_eq!(told[1].2["client_id"], "client-9");

        // Elsewhere: not without a link, not with another tenant's, not with one used for another.
        lms.describe(|c| c["jwks_uri"] = json!("http://127.0.0.1:1/keys"));
        let refused = press(&service, &lms.page(None, Some(&token))).await.expect(403);
        assert!(refused.text().contains("registration-addresses-changed"), "{}", refused.text());
        let mut tx = service.app.db.write().await.expect("a transaction");
        let other = NewTenant {
            slug: "autre".to_owned(),
            name: "Autre réseau".to_owned(),
            sender_address: "autre@reseau.example".to_owned(),
            signatory_name: "A".to_owned(),
            signatory_title: "B".to_owned(),
            language: web::Lang::En,
            time_zone: chrono_tz::Europe::Paris,
        };
        let now = service.clock.now() + TimeDelta::seconds(1);
        let other = tenants::insert(&mut tx, other, now).await.expect("the insert").expect("is new");
        let foreign = dynamic::invite(&mut tx, other, now).await.expect("the insert");
        tx.commit().await.expect("the commit");
        let path = lms.page(Some(foreign.reveal()), Some(&token));
        let refused = press(&service, &path).await.expect(403);
        assert!(refused.text().contains("registration-other-tenant"), "{}", refused.text());
        assert!(lms.answers().told.iter().all(|(method, _, _)| *method == "GET"));
        assert_eq!(keys().await, [format!("{}/keys", lms.origin)]);

        // With the link it came by.
        press(&service, &lms.page(Some(&link), Some(&token))).await.expect(200);
        assert_eq!(keys().await, ["http://127.0.0.1:1/keys"]);

        service.execute("UPDATE registrations SET state = 'closed' WHERE client_id = 'client-9'").await;
        let refused = press(&service, &lms.page(Some(&link), Some(&token))).await.expect(403);
        assert!(refused.text().contains("registration-was-closed"), "{}", refused.text());
        assert_eq!(service.count("registrations").await, 2);
    }

    async fn a_key_is_published_before_it_signs_and_after_it_did(database: TestDatabase) {
        let service = Service::start(database).await;
        let id = service.registration;
        let path = format!("/lti/keys/{id}");
        let shared = published(&service, "/.well-known/jwks.json").await;
        assert_eq!(published(&service, &path).await, shared, "it has none of its own");
        assert_eq!(signing(&service, id).await, shared[0]);
        assert_eq!(rotate(&service, id).await, Rotation::Shared);
        service.browser().get("/lti/keys/01930000-0000-7000-8000-000000000000").await.expect(404);

        // It moves to its own in a day.
        let mut tx = service.app.db.write().await.expect("a transaction");
        keys::give_own(&mut tx, id, service.clock.now()).await.expect("the job");
        tx.commit().await.expect("the commit");
        service.run_jobs().await;
        assert_eq!(published(&service, &path).await.len(), 2);
        service.advance(TimeDelta::hours(23));
        assert_eq!(signing(&service, id).await, shared[0]);
        service.advance(TimeDelta::hours(1));
        let own = signing(&service, id).await;
        assert_ne!(own, shared[0]);
        cleaning::clean(&service.app).await.expect("the round");
        service.run_jobs().await;
        assert_eq!(states(&service, id).await, [KeyState::Next, KeyState::Current]);
        assert!(!published(&service, &path).await.contains(&shared[0]));

        // Too young to sign: when it will have been published for a day.
        let due = service.clock.now() + TimeDelta::hours(24);
        assert_eq!(rotate(&service, id).await, Rotation::Scheduled(due));
        service.advance(TimeDelta::hours(24) - TimeDelta::seconds(1));
        assert_eq!(signing(&service, id).await, own);
        service.advance(TimeDelta::minutes(1));
        let second = signing(&service, id).await;
        assert_ne!(second, own);
        cleaning::clean(&service.app).await.expect("the round");
        service.run_jobs().await;
        let all = [KeyState::Next, KeyState::Current, KeyState::Previous];
        assert_eq!(states(&service, id).await, all);
        let keys = published(&service, &path).await;
        assert!(keys.len() == 3 && keys.contains(&own) && keys.contains(&second), "{keys:?}");
        assert_eq!(signing(&service, id).await, second);

        // Old enough: at once. The one before goes after its week.
        service.advance(TimeDelta::days(3));
        assert_eq!(rotate(&service, id).await, Rotation::Done);
        service.run_jobs().await;
        service.advance(TimeDelta::days(4));
        cleaning::clean(&service.app).await.expect("the round");
        let keys = published(&service, &path).await;
        assert!(keys.len() == 3 && !keys.contains(&own) && keys.contains(&second), "{keys:?}");
        assert_eq!(published(&service, "/.well-known/jwks.json").await.len(), 2, "it has a next now");

        // Keys that somebody else may have are gone at once.
        let fresh = keys::make().await.expect("a key");
        let mut tx = service.app.db.write().await.expect("a transaction");
        keys::replace(&mut tx, id, fresh, service.clock.now()).await.expect("the change");
        tx.commit().await.expect("the commit");
        assert_eq!(published(&service, &path).await.len(), 1);
        service.advance(TimeDelta::minutes(1));
        assert_eq!([signing(&service, id).await].to_vec(), published(&service, &path).await);
    }
}
