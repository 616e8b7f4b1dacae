//! The content host's HTTP: the player page and the run-time API behind it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::messages::{Commit, CommitAnswer, MOST_PAIRS, Opened};
use super::packages::{Package, PackageError};
use super::progress::Mode;
use super::runtime::{Play, RuntimeError};
use super::store;
use crate::app::App;
use crate::db;
use crate::ids::{CourseVersionId, EnrolmentId, Token};
use crate::web::locales::Lang;
use crate::web::{Page, Problem, origin_of};

/// The enrolment that the `Host` header names, and the version its attempt plays.
#[derive(Clone, Debug)]
pub struct ContentHost {
    pub label: String,
    pub enrolment: EnrolmentId,
    pub version: Option<CourseVersionId>,
}

impl FromRequestParts<App> for ContentHost {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let host = parts
            .headers
            .get(header::HOST)
            .and_then(|value| value.to_str().ok())
            .or_else(|| parts.uri.authority().map(axum::http::uri::Authority::as_str))
            .unwrap_or_default();
        let label = app.config.label_of_host(host).ok_or_else(Problem::not_found)?.to_owned();
        if let Some((enrolment, version)) = app.packages.label(&label) {
            return Ok(Self { label, enrolment, version: Some(version) });
        }
        let mut tx = app.db.read().await?;
        let Some((enrolment, version)) = store::version_of_label(&mut tx, &label).await? else {
            return Err(if store::is_revoked(&mut tx, &label).await? {
                Problem::new(StatusCode::CONFLICT, "player-joined")
            } else {
                Problem::not_found()
            });
        };
        if let Some(version) = version {
            app.packages.remember_label(&label, enrolment, version);
        }
        Ok(Self { label, enrolment, version })
    }
}

#[derive(Serialize)]
pub struct PlayerPage {
    /// The origin of the page that frames the player and hands it its token.
    pub app_origin: String,
}

impl Page for PlayerPage {
    const TEMPLATE: &'static str = "pages/player";

    fn samples() -> Vec<Self> {
        vec![Self { app_origin: "https://training.example.org".to_owned() }]
    }
}

/// `GET /player?lang=fr` on a content host.
pub async fn player(
    State(app): State<App>,
    host: ContentHost,
    axum::extract::Query(query): axum::extract::Query<PlayerQuery>,
) -> Result<Response, Problem> {
    let mut tx = app.db.read().await?;
    let platforms = store::platforms_of_label(&mut tx, &host.label).await?;
    drop(tx);
    let lang = query.lang.as_deref().and_then(Lang::from_tag).unwrap_or(Lang::Fr);
    let page = PlayerPage { app_origin: app.config.origin() };
    let html = app.pages.html(lang, &page)?;
    let mut ancestors = vec![app.config.origin()];
    for (issuer, endpoint) in platforms {
        ancestors.extend([issuer, endpoint].iter().filter_map(|url| origin_of(url)));
    }
    let mut response = crate::web::framed_html(
        html,
        &ancestors,
        &["'self'".to_owned(), "https:".to_owned(), "http:".to_owned()],
    );
    // Old content leaves through `unload`; browsers ask before they let it.
    response.headers_mut().insert("permissions-policy", HeaderValue::from_static("unload=*"));
    Ok(response)
}

#[derive(Deserialize)]
pub struct PlayerQuery {
    lang: Option<String>,
}

/// `GET /runtime/table.json`, `/runtime/player-api.js`, `/runtime/player-journal.js`: the data-model
/// table and the scripts that interpret it.
pub async fn script(axum::extract::Path(name): axum::extract::Path<String>) -> Response {
    let (media_type, text) = match name.as_str() {
        "table.json" => ("application/json", scorm::runtime::MODEL_TABLE),
        "player-api.js" => ("text/javascript; charset=utf-8", scorm::runtime::PLAYER_API),
        "player-journal.js" => ("text/javascript; charset=utf-8", scorm::runtime::PLAYER_JOURNAL),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    (
        [
            (header::CONTENT_TYPE, HeaderValue::from_static(media_type)),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
            (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        ],
        text,
    )
        .into_response()
}

#[derive(Deserialize)]
pub struct OpenRequest {
    token: String,
    /// Normal when left out.
    mode: Option<Mode>,
}

/// `POST /runtime/open`
pub async fn open(
    State(app): State<App>,
    host: ContentHost,
    body: Body<OpenRequest>,
) -> Result<Json<Opened>, Problem> {
    let OpenRequest { token, mode } = body.0;
    let mode = mode.unwrap_or(Mode::Normal);
    let (token, package) = prepare(&app, &host, &token).await?;
    let (now, label) = (app.clock.now(), host.label);
    let opened = run(&app, move |tx| {
        Box::pin(async move {
            Play::take(tx, &package, &token, &label, now).await?.open(tx, mode).await
        })
    })
    .await?;
    Ok(Json(opened))
}

#[derive(Deserialize)]
pub struct NavigateRequest {
    token: String,
    request: String,
    target: Option<String>,
    /// The activity on stage when the learner asked.
    from: Option<String>,
}

/// `POST /runtime/navigate`
pub async fn navigate(
    State(app): State<App>,
    host: ContentHost,
    body: Body<NavigateRequest>,
) -> Result<Json<Opened>, Problem> {
    let request = body.0;
    let (token, package) = prepare(&app, &host, &request.token).await?;
    let (now, label) = (app.clock.now(), host.label);
    let opened = run(&app, move |tx| {
        Box::pin(async move {
            Play::take(tx, &package, &token, &label, now)
                .await?
                .go(tx, &request.request, request.target.as_deref(), request.from.as_deref())
                .await
        })
    })
    .await?;
    app.wake.notify_waiters();
    Ok(Json(opened))
}

/// `POST /runtime/commit`
pub async fn commit(
    State(app): State<App>,
    host: ContentHost,
    body: Body<Commit>,
) -> Result<Json<CommitAnswer>, Problem> {
    let commit = body.0;
    let (token, package) = prepare(&app, &host, &commit.token).await?;
    let (now, label) = (app.clock.now(), host.label);
    let answer = run(&app, move |tx| {
        Box::pin(async move {
            Play::take(tx, &package, &token, &label, now).await?.commit(tx, &commit).await
        })
    })
    .await
    .inspect_err(|problem| app.metrics.commit(problem.code))?;
    app.metrics.commit("acknowledged");
    if answer.view.completed {
        app.wake.notify_waiters();
    }
    Ok(Json(answer))
}

/// The hash of the token, and the package the host plays.
async fn prepare(
    app: &App,
    host: &ContentHost,
    token: &str,
) -> Result<(String, Arc<Package>), Problem> {
    let token: Token =
        token.parse().map_err(|_| Problem::new(StatusCode::FORBIDDEN, "player-token"))?;
    let version = host.version.ok_or_else(Problem::not_found)?;
    let package = app.packages.load(app, version).await.map_err(|error| match error {
        PackageError::Database(error) => Problem::from(error),
        other => Problem::internal(&other),
    })?;
    Ok((token.hash(), package))
}

async fn run<T, F>(app: &App, work: F) -> Result<T, Problem>
where
    T: Send + 'static,
    F: for<'tx> FnOnce(&'tx mut db::Tx) -> db::Grouped<'tx, T, RuntimeError> + Send + 'static,
{
    app.batch.run(work).await.map_err(|error| match error {
        RuntimeError::Superseded => Problem::new(StatusCode::CONFLICT, "player-superseded"),
        RuntimeError::TooEarly => Problem::new(StatusCode::TOO_EARLY, "player-too-early"),
        RuntimeError::Overtaken => Problem::new(StatusCode::GONE, "player-overtaken"),
        RuntimeError::TooManyPairs(pairs) => {
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "player-delta")
                .detail(format!("{pairs} > {MOST_PAIRS}"))
        }
        RuntimeError::UnknownActivity(id) => {
            Problem::bad_request("player-activity").detail(id.chars().take(100).collect::<String>())
        }
        RuntimeError::Navigate(error) => {
            Problem::bad_request("player-request").detail(error.to_string())
        }
        RuntimeError::Database(error) => Problem::from(error),
    })
}

/// A JSON body. The content type is not looked at: what a page sends on its way out
/// (`keepalive`) is plain text.
pub struct Body<T>(T);

impl<T: serde::de::DeserializeOwned> axum::extract::FromRequest<App> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: axum::extract::Request, app: &App) -> Result<Self, Problem> {
        let bytes = axum::body::Bytes::from_request(request, app)
            .await
            .map_err(|_| Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large"))?;
        serde_json::from_slice(&bytes).map(Self).map_err(|error| {
            Problem::bad_request("body-unreadable").detail(format!(
                "line {}, column {}",
                error.line(),
                error.column()
            ))
        })
    }
}
