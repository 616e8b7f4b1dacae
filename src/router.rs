//! The map: every route of both origins.

use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

use crate::app::App;
use crate::web::problem::Problem;
use crate::web::{assets, carried, guard, home, problem};
use crate::{
    console, credentials, events, health, identities, launches, learners, people, platforms, player,
};

/// A request that takes longer is given up; what it had not committed is rolled back.
const REQUEST_LIMIT: Duration = Duration::from_mins(1);
/// No form of ours is larger.
const FORM_LIMIT: usize = 256 * 1024;
/// The largest commit: suspend data at its cap, and room.
const COMMIT_LIMIT: usize = 12 * 1024 * 1024;
/// A certificate to be compared.
const FILE_LIMIT: usize = 10 * 1024 * 1024;

/// The pages' origin.
pub fn pages(app: App) -> Router {
    // What other sites send on purpose; each protects itself (signature, state, token).
    let from_elsewhere = Router::new()
        .route("/lti/login", get(launches::pages::login_get).post(launches::pages::login_post))
        .route(
            "/lti/login/{registration}",
            get(launches::pages::login_get).post(launches::pages::login_post),
        )
        .route("/lti/launch", post(launches::pages::launch))
        .route("/lti/1.1/launch", post(launches::legacy::pages::launch));

    // Everybody.
    let public = Router::new()
        .route("/", get(home::home))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/.well-known/jwks.json", get(platforms::keys::api::installation))
        .route("/lti/keys/{registration}", get(platforms::keys::api::of_registration))
        .route(
            "/lti/register",
            get(platforms::dynamic::pages::show).post(platforms::dynamic::pages::register),
        )
        .route(
            "/lti/register/{token}",
            get(platforms::dynamic::pages::show).post(platforms::dynamic::pages::register),
        )
        .route("/assets/{version}/{*name}", get(assets::serve))
        .route("/lti/launch/stored", post(launches::storage::stored))
        .route(
            "/lti/continue/{token}",
            get(launches::legacy::pages::continue_page).post(launches::legacy::pages::take_over),
        )
        .route("/verify", get(credentials::pages::verify_form))
        .route("/verify/{code}", get(credentials::pages::verify))
        .route(
            "/verify/{code}/file",
            post(credentials::pages::verify_file).layer(DefaultBodyLimit::max(FILE_LIMIT)),
        )
        .route("/address/{token}", get(people::pages::confirm_page).post(people::pages::confirm));

    // The browser that made the launch.
    let launched = Router::new()
        .route("/launches/{launch}", get(launches::pages::start))
        .route("/launches/{launch}/nothing", get(launches::nothing::show))
        .route("/launches/{launch}/course", get(player::pages::course))
        .route("/launches/{launch}/course/status", get(player::pages::status))
        .route("/launches/{launch}/course/open", post(player::pages::open))
        .route(
            "/launches/{launch}/address",
            get(people::pages::address).post(people::pages::tell_address),
        )
        .route(
            "/launches/{launch}/identities",
            get(identities::pages::show).post(identities::pages::look),
        )
        .route("/launches/{launch}/identities/code", post(identities::pages::code))
        .route("/launches/{launch}/identities/join", post(identities::pages::join))
        .route("/launches/{launch}/review", get(learners::pages::review))
        .route("/launches/{launch}/learners/{enrolment}", get(learners::pages::show))
        .route("/launches/{launch}/credentials/{credential}", get(credentials::pages::show))
        .route("/launches/{launch}/credentials/{credential}/pdf", get(credentials::pages::pdf))
        .route("/launches/{launch}/events", get(events::pages::list))
        .route("/launches/{launch}/events/{event}", get(events::pages::show))
        .route("/launches/{launch}/events/{event}/signup", post(events::pages::signup))
        .route("/launches/{launch}/events/{event}/withdraw", post(events::pages::withdraw))
        .route("/launches/{launch}/events/{event}/calendar.ics", get(events::pages::calendar));

    // Trainers.
    let trainers = Router::new()
        .route("/launches/{launch}/learners", get(learners::pages::list))
        .route("/launches/{launch}/learners.csv", get(learners::pages::csv))
        .route("/launches/{launch}/learners/send", post(learners::pages::send_all))
        .route("/launches/{launch}/learners/{enrolment}/send", post(learners::pages::send))
        .route(
            "/launches/{launch}/picker",
            get(launches::picker::show).post(launches::picker::choose),
        )
        .route("/launches/{launch}/picker/preview", post(launches::picker::preview))
        .route(
            "/launches/{launch}/events/new",
            get(events::pages::new_form).post(events::pages::create),
        )
        .route(
            "/launches/{launch}/events/{event}/edit",
            get(events::pages::edit_form).post(events::pages::edit),
        )
        .route(
            "/launches/{launch}/events/{event}/cancel",
            get(events::pages::cancel_form).post(events::pages::cancel),
        )
        .route(
            "/launches/{launch}/events/{event}/copy",
            get(events::pages::ask).post(events::pages::decide),
        )
        .route(
            "/launches/{launch}/events/{event}/copy/new",
            get(events::pages::new_list_form).post(events::pages::new_list),
        )
        .route(
            "/launches/{launch}/events/{event}/presence",
            get(events::pages::presence_form).post(events::pages::presence),
        )
        .route(
            "/launches/{launch}/events/{event}/participants.csv",
            get(events::pages::participants_csv),
        )
        .route(
            "/launches/{launch}/events/{event}/missing",
            get(events::missing::show).post(events::missing::sign_up),
        );

    // Staff. Signing in is for everybody; each other handler asks for its `StaffVisit` or `Admin`.
    let console = Router::new()
        .route("/console", get(console::pages::home))
        .route("/console/sign-in", get(console::sign_in::form).post(console::sign_in::ask))
        .route("/console/sign-in/provider", get(console::sign_in::to_provider))
        .route("/console/sign-in/callback", get(console::sign_in::callback))
        .route(
            "/console/link/{token}",
            get(console::sign_in::link_page).post(console::sign_in::follow_link),
        )
        .route("/console/link/{token}/provider", get(console::sign_in::invitation_to_provider))
        .route("/console/sign-out", post(console::pages::sign_out))
        .route("/console/language", post(console::pages::language));
    // Administrators of the installation.
    let platforms = Router::new()
        .route("/console/platforms", get(console::platforms::list).post(console::platforms::create))
        .route("/console/platforms/new", get(console::platforms::new_form))
        .route("/console/platforms/link", post(console::platforms::invite))
        .route("/console/platforms/legacy", post(console::platforms::create_legacy))
        .route("/console/platforms/legacy/allow", post(console::platforms::allow_legacy))
        .route("/console/platforms/{registration}", get(console::platforms::show))
        .route("/console/platforms/{registration}/check", post(console::platforms::check))
        .route("/console/platforms/{registration}/state", post(console::platforms::decide))
        .route(
            "/console/platforms/{registration}/deployments",
            post(console::platforms::decide_deployment),
        )
        .route(
            "/console/platforms/{registration}/settings",
            post(console::platforms::change_settings),
        )
        .route("/console/platforms/{registration}/keys", post(console::platforms::rotate))
        .route(
            "/console/platforms/{registration}/move",
            get(console::platforms::move_form).post(console::platforms::move_to),
        );

    let own = Router::new()
        .merge(public)
        .merge(launched)
        .merge(trainers)
        .merge(console)
        .merge(platforms)
        .layer(from_fn_with_state(app.clone(), guard::same_origin));
    let routes = own.merge(from_elsewhere).layer(DefaultBodyLimit::max(FORM_LIMIT));
    // Outside the routes: a session in the address is taken out of it before they are looked at.
    Router::new().fallback_service(finish(app, routes)).layer(from_fn(carried::take))
}

/// The content's origins: one host an enrolment, no cookie ever.
pub fn content(app: App) -> Router {
    let routes = Router::new()
        .route("/player", get(player::api::player))
        .route("/runtime/open", post(player::api::open))
        .route("/runtime/navigate", post(player::api::navigate))
        .route("/runtime/commit", post(player::api::commit))
        .route("/runtime/{script}", get(player::api::script))
        .route("/content/{version}/{*path}", get(player::content::serve))
        .route("/assets/{version}/{*name}", get(assets::serve))
        .layer(DefaultBodyLimit::max(COMMIT_LIMIT))
        .layer(from_fn(guard::same_origin_content));
    finish(app, routes)
}

/// For monitoring, on a listener of its own that no browser reaches.
pub fn monitoring(app: App) -> Router {
    Router::new()
        .route("/metrics", get(health::metrics))
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, REQUEST_LIMIT))
        .with_state(app)
}

/// What both origins share.
fn finish(app: App, routes: Router<App>) -> Router {
    routes
        .fallback(async || Problem::not_found())
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, REQUEST_LIMIT))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(app.clone(), problem::render))
        .layer(from_fn(crate::web::trace_request))
        .with_state(app)
}

/// A bug, named in the log; the person gets the page of the unforeseen.
fn panicked(panic: Box<dyn std::any::Any + Send>) -> Response {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    tracing::error!(text, "a handler panicked");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal").into_response()
}
