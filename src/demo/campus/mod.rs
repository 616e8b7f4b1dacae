//! Campus, a small learning platform for the demo and the tests.
//!
//! It plays the platform's side of LTI 1.3 the way a Moodle 4.5 does it, quirks included
//! (query strings in service URLs, exact media types, single-use message hints), keeps
//! everything in memory and shares no code with the tool it launches: it signs and checks
//! with its own few functions, so that one misreading cannot hide on both sides.

mod ags;
mod authorize;
mod claims;
mod control;
mod deep_linking;
mod faults;
mod keys;
mod launch;
mod memberships;
mod pages;
mod registration;
mod services;
mod state;
mod storage;
#[cfg(test)]
mod tests;
mod token;
pub mod views;
mod web;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{get, post},
};
use chrono::{DateTime, Utc};
use tokio::{net::TcpListener, task::JoinHandle};

pub use self::{
    faults::{Endpoint, Failure, Faults, TokenFaults},
    keys::KeyError,
    state::{
        Activity, Course, Grade, InitialLink, LineItem, LinkKind, PEOPLE, Person, ScoreEntry,
        ServiceCall, Standing, State, Tool,
    },
    storage::Storage,
};
use self::{keys::KeyRing, views::Views};

/// Where Campus reads the time.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// What Campus needs to know about the tool it launches.
#[derive(Clone, Debug)]
pub struct ToolConfig {
    /// Name shown to people.
    pub name: String,
    /// The client id Campus gave the tool; also `aud` of every id_token.
    pub client_id: String,
    /// Third-party login initiation (LTI security framework 1.0, 5.1.1.1).
    pub login_url: String,
    /// The registered redirect URI, compared as an exact string.
    pub launch_url: String,
    /// `target_link_uri` of deep linking launches.
    pub deep_linking_url: String,
    /// Where the tool publishes its public keys.
    pub jwks_url: String,
    /// Origin of the tool's pages, named in the frame's permissions.
    pub origin: String,
    /// The activities the first course starts with.
    pub links: Vec<InitialLink>,
}

/// How to start Campus.
#[derive(Clone)]
pub struct Config {
    /// Address to listen on; port 0 takes a free one.
    pub bind: SocketAddr,
    /// Address people and the tool use, without a trailing slash; also the issuer.
    /// `None` makes it `http://` plus the address bound.
    pub public_url: Option<String>,
    /// The tool of the first course.
    pub tool: ToolConfig,
    /// Where the time comes from.
    pub clock: Clock,
    /// More routes on the same server, such as the mailbox's pages.
    pub extra_routes: Option<Router>,
    /// Path of the mailbox in the navigation, when there is one.
    pub mailbox_path: Option<String>,
}

/// Why Campus could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot listen on {address}: {source}")]
    Bind { address: SocketAddr, source: std::io::Error },
    #[error("cannot make a signing key: {0}")]
    Key(#[from] KeyError),
    #[error("the pages of the demo cannot be read: {0}")]
    Templates(#[from] views::TemplateError),
    #[error("the HTTP client for the tool's keys cannot be built: {0}")]
    Client(#[from] reqwest::Error),
}

/// A running Campus.
pub struct Campus {
    /// Address it listens on.
    pub address: SocketAddr,
    /// `iss` of its tokens: the public URL.
    pub issuer: String,
    /// Client id of the configured tool.
    pub client_id: String,
    /// Deployment id of the configured tool.
    pub deployment_id: String,
    /// OpenID Connect authorization endpoint.
    pub authorization_endpoint: String,
    /// OAuth 2 token endpoint.
    pub token_endpoint: String,
    /// Campus's public keys.
    pub jwks_url: String,
    /// OpenID configuration, for dynamic registration.
    pub configuration_url: String,
    platform: Arc<Platform>,
    server: JoinHandle<()>,
}

impl Campus {
    /// Looks at the state, for tests and the walkthrough.
    pub fn inspect<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.platform.state())
    }

    /// Changes how Campus misbehaves.
    pub fn misbehave(&self, change: impl FnOnce(&mut Faults)) {
        change(&mut self.platform.state().faults);
    }

    /// Offers tools to keep values for them, or stops doing so.
    pub fn keep_in(&self, storage: Storage) {
        self.platform.keep_in(storage);
    }

    /// Makes a new signing key the current one. With `keep_previous` the old key stays in
    /// the published set.
    pub fn rotate_key(&self, keep_previous: bool) -> Result<(), KeyError> {
        self.platform.keys().rotate(keep_previous)
    }

    /// Waits until the server has stopped.
    pub async fn stopped(self) {
        // A panic in the server task was already reported by the runtime.
        let _ = self.server.await;
    }
}

/// Everything the handlers share.
struct Platform {
    public_url: String,
    clock: Clock,
    state: Mutex<State>,
    keys: Mutex<KeyRing>,
    /// Its own lock: every page asks, also while the state is held.
    storage: Mutex<Storage>,
    views: Views,
    http: reqwest::Client,
    mailbox_path: Option<String>,
}

impl Platform {
    /// A poisoned lock is taken over: a demo keeps running after a failed request.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keys(&self) -> MutexGuard<'_, KeyRing> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> DateTime<Utc> {
        (self.clock)()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.public_url)
    }
}

/// Starts Campus; it stops when `shutdown` resolves.
pub async fn start(
    config: Config,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<Campus, StartError> {
    let bind = config.bind;
    let bound = |source| StartError::Bind { address: bind, source };
    let listener = TcpListener::bind(bind).await.map_err(bound)?;
    let address = listener.local_addr().map_err(bound)?;
    let public_url = config.public_url.unwrap_or_else(|| format!("http://{address}"));
    let public_url = public_url.trim_end_matches('/').to_owned();
    let client_id = config.tool.client_id.clone();
    let platform = Arc::new(Platform {
        public_url,
        clock: config.clock,
        state: Mutex::new(State::seeded(config.tool)),
        keys: Mutex::new(KeyRing::generate()?),
        storage: Mutex::default(),
        views: Views::load()?,
        http: reqwest::Client::builder()
            .timeout(Duration::from_secs(5))
            .redirect(reqwest::redirect::Policy::none())
            .user_agent("Campus-demo/1")
            .build()?,
        mailbox_path: config.mailbox_path,
    });
    let mut routes = router(Arc::clone(&platform));
    if let Some(extra) = config.extra_routes {
        routes = routes.merge(extra);
    }
    let server = tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, routes).with_graceful_shutdown(shutdown).await {
            tracing::error!(%error, "Campus stopped");
        }
    });
    Ok(Campus {
        address,
        issuer: platform.public_url.clone(),
        client_id,
        deployment_id: state::FIRST_TOOL.to_string(),
        authorization_endpoint: platform.url("/lti/auth"),
        token_endpoint: platform.url("/lti/token"),
        jwks_url: platform.url("/lti/certs"),
        configuration_url: platform.url("/lti/openid-configuration"),
        platform,
        server,
    })
}

/// Every route of Campus.
fn router(platform: Arc<Platform>) -> Router {
    Router::new()
        // Pages for people.
        .route("/", get(pages::home))
        .route("/login", get(pages::login).post(pages::sign_in))
        .route("/logout", post(pages::sign_out))
        .route("/language/{code}", get(pages::language))
        .route("/campus.css", get(pages::stylesheet))
        .route("/campus.js", get(pages::script))
        .route("/campus-storage.js", get(storage::script))
        .route("/storage", get(storage::frame))
        .route("/course/{course}", get(pages::course))
        .route("/course/{course}/copy", post(pages::copy_course))
        .route("/course/{course}/gradebook", get(pages::gradebook))
        .route("/course/{course}/calls", get(pages::calls))
        .route("/course/{course}/add", get(deep_linking::picker))
        .route("/course/{course}/activities", post(deep_linking::save))
        .route("/activity/{activity}", get(pages::activity))
        .route("/activity/{activity}/review/{person}", get(pages::review))
        .route("/tools", get(registration::tools))
        .route("/tools/storage", post(storage::choose))
        .route("/tools/register", post(registration::begin))
        .route("/tools/{tool}/activate", post(registration::activate))
        // Launches (OpenID Connect third-party initiated login).
        .route("/activity/{activity}/launch", get(launch::resource_link))
        .route("/course/{course}/pick", get(launch::deep_linking))
        .route("/lti/auth", get(authorize::by_query).post(authorize::by_form))
        .route("/lti/return", get(pages::returned))
        .route("/lti/contentitem_return", post(deep_linking::returned))
        // Keys, tokens, services.
        .route("/lti/certs", get(token::keys))
        .route("/lti/token", post(token::issue))
        .route(
            "/lti/services/{course}/lineitems",
            get(ags::list_line_items).post(ags::create_line_item),
        )
        .route(
            "/lti/services/{course}/lineitems/{item}/lineitem",
            get(ags::show_line_item).put(ags::replace_line_item).delete(ags::delete_line_item),
        )
        .route("/lti/services/{course}/lineitems/{item}/lineitem/scores", post(ags::receive_score))
        .route("/lti/services/{course}/lineitems/{item}/lineitem/results", get(ags::list_results))
        .route(
            "/lti/services/CourseSection/{course}/bindings/{tool}/memberships",
            get(memberships::list),
        )
        .route(
            "/lti/services/CourseSection/{course}/bindings/{tool}/groups",
            get(memberships::groups),
        )
        .route("/lti/openid-configuration", get(registration::configuration))
        .route("/lti/openid-registration", get(registration::current).post(registration::register))
        // The demo's own handles.
        .route("/_control", get(control::show).post(control::change))
        .route("/_state", get(control::state))
        .fallback(pages::not_found)
        .layer(middleware::from_fn_with_state(Arc::clone(&platform), faults::inject))
        .layer(DefaultBodyLimit::max(1024 * 1024))
        .with_state(platform)
}
