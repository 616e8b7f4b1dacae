//! The service with Campus as its platform: real HTTP for keys, tokens and services, and a browser
//! that is signed in to both.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

use axum::http::StatusCode;
use passerelle::app::App;
use passerelle::demo::campus::{self, Campus, Config, InitialLink, LinkKind, ToolConfig};
use passerelle::ids::TenantId;
use passerelle::launches::{ITEM, OPEN};
use passerelle::platforms::{self, NewRegistration};
use passerelle::router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{Answer, Browser, Service, TestDatabase};

const CLIENT: &str = "campus-client";

/// The people of Campus.
pub(crate) const TRAINER: u64 = 3;
pub(crate) const ZOE: u64 = 4;
pub(crate) const AURELIEN: u64 = 5;
pub(crate) const NOELLE: u64 = 6;

pub(crate) struct World {
    pub(crate) service: Service,
    pub(crate) campus: Campus,
    stop: CancellationToken,
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl World {
    /// Campus's course has the fixture course, with a column of this maximum or none, and the
    /// webinars.
    pub(crate) async fn start(database: TestDatabase, score_maximum: Option<f64>) -> Self {
        let service = Service::start(database).await;
        service.install_course().await;
        let app = &service.app;
        let stop = CancellationToken::new();
        let keys = serve(app.clone(), stop.clone()).await;
        let clock = service.clock.clone();
        let link = |title: &str, item: &str, score_maximum| InitialLink {
            title: title.to_owned(),
            description: String::new(),
            target_link_uri: app.config.public(&format!("{OPEN}{item}")),
            custom: vec![(ITEM.to_owned(), item.to_owned())],
            score_maximum,
            kind: LinkKind::Course,
        };
        let config = Config {
            bind: (Ipv4Addr::LOCALHOST, 0).into(),
            public_url: None,
            tool: ToolConfig {
                name: "Passerelle".to_owned(),
                client_id: CLIENT.to_owned(),
                login_url: app.config.public("/lti/login"),
                launch_url: app.config.public("/lti/launch"),
                deep_linking_url: app.config.public("/lti/launch"),
                jwks_url: format!("{keys}/.well-known/jwks.json"),
                origin: app.config.origin(),
                links: vec![
                    link("Cours", "course/fixture", score_maximum),
                    link("Webinaires", "events", None),
                ],
            },
            clock: Arc::new(move || clock.now()),
            extra_routes: None,
            mailbox_path: None,
        };
        let campus =
            campus::start(config, stop.clone().cancelled_owned()).await.expect("Campus starts");
        register(&service, &campus).await;
        Self { service, campus, stop }
    }

    /// The activity that opens what `title` says.
    pub(crate) fn activity(&self, title: &str) -> u64 {
        self.campus.inspect(|state| {
            let found = state.activities.values().find(|activity| activity.title == title);
            found.expect("an activity").id
        })
    }

    /// Somebody follows a link of Campus; what the service answers to the launch, and the browser.
    pub(crate) async fn launch(&self, person: u64, title: &str) -> (Browser, Answer) {
        self.launch_to(person, &format!("/activity/{}/launch", self.activity(title))).await
    }

    /// A trainer asks for somebody's work in the course.
    pub(crate) async fn launch_review(&self, learner: u64) -> (Browser, Answer) {
        let activity = self.activity("Cours");
        self.launch_to(TRAINER, &format!("/activity/{activity}/launch?review={learner}")).await
    }

    async fn launch_to(&self, person: u64, path: &str) -> (Browser, Answer) {
        let mut site = Site::new(&self.campus.issuer);
        site.post("/login", &[("person", &person.to_string())]).await;
        let mut browser = self.service.browser();
        let (action, fields) = form(&site.get(path).await);
        let mut answer = browser.post_from(&self.campus.issuer, &action, &pairs(&fields)).await;
        while answer.status == StatusCode::SEE_OTHER {
            let again = answer.location().to_owned();
            answer = browser.get(&again).await;
        }
        let authorization = answer.expect(302).location().to_owned();
        let (action, fields) = form(&site.get(&authorization).await);
        let answer = browser.post_from(&self.campus.issuer, &action, &pairs(&fields)).await;
        (browser, answer)
    }

    /// The calls of one service, by a part of their path: method, path, status.
    pub(crate) fn calls(&self, part: &str) -> Vec<(String, String, u16)> {
        self.campus.inspect(|state| {
            let calls = state.calls.iter().filter(|call| call.path.contains(part));
            calls.map(|call| (call.method.clone(), call.path.clone(), call.status)).collect()
        })
    }
}

fn pairs(fields: &BTreeMap<String, String>) -> Vec<(&str, &str)> {
    fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// The pages over HTTP, for Campus to fetch our keys; their origin.
async fn serve(app: App, stop: CancellationToken) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let origin = format!("http://{}", listener.local_addr().expect("its address"));
    tokio::spawn(async move {
        let served = axum::serve(listener, router::pages(app));
        served.with_graceful_shutdown(stop.cancelled_owned()).await
    });
    origin
}

async fn register(service: &Service, campus: &Campus) {
    let tenant = TenantId::from(service.uuid("SELECT id FROM tenants").await);
    let address = |text: &str| text.parse().expect("an address");
    let new = NewRegistration {
        tenant,
        name: "Campus".to_owned(),
        issuer: campus.issuer.clone(),
        client_id: CLIENT.to_owned(),
        authorization_endpoint: address(&campus.authorization_endpoint),
        token_endpoint: address(&campus.token_endpoint),
        jwks_uri: address(&campus.jwks_url),
        token_audience: None,
        deployments: vec![campus.deployment_id.clone()],
    };
    let mut tx = service.app.db.write().await.expect("a transaction");
    let now = service.clock.now();
    platforms::insert(&mut tx, new, now).await.expect("the insert").expect("is new");
    tx.commit().await.expect("the commit");
}

/// The form that a page of Campus sends by itself.
fn form(page: &str) -> (String, BTreeMap<String, String>) {
    let between = |text: &str, start: &str| -> Option<String> {
        let rest = text.split_once(start)?.1;
        Some(plain(rest.split_once('"')?.0))
    };
    let form = page.split("<form id=\"auto\"").nth(1).unwrap_or_else(|| panic!("no form: {page}"));
    let action = between(form, "action=\"").expect("an action");
    let fields = form.split("<input").skip(1).map(|input| {
        let name = between(input, "name=\"").expect("a name");
        (name, between(input, "value=\"").expect("a value"))
    });
    (action, fields.collect())
}

fn plain(text: &str) -> String {
    text.replace("&quot;", "\"").replace("&#x3D;", "=").replace("&#x27;", "'").replace("&amp;", "&")
}

/// A browser's side of Campus.
struct Site {
    client: reqwest::Client,
    origin: String,
    cookies: BTreeMap<String, String>,
}

impl Site {
    fn new(origin: &str) -> Self {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .expect("a client");
        Self { client, origin: origin.to_owned(), cookies: BTreeMap::new() }
    }

    async fn get(&mut self, path: &str) -> String {
        let url =
            if path.starts_with('/') { format!("{}{path}", self.origin) } else { path.into() };
        self.send(self.client.get(url)).await
    }

    async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> String {
        let form = "application/x-www-form-urlencoded";
        let request = self
            .client
            .post(format!("{}{path}", self.origin))
            .header("content-type", form)
            .body(super::browser::form(fields));
        self.send(request).await
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> String {
        let jar: Vec<String> = self.cookies.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let answer = request.header("cookie", jar.join("; ")).send().await.expect("an answer");
        for cookie in answer.headers().get_all("set-cookie") {
            let pair = cookie.to_str().expect("ASCII").split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer.text().await.expect("a text")
    }
}
