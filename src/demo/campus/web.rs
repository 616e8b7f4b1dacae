//! Sessions, language and the page frame of every handler.

use std::{convert::Infallible, sync::Arc};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{Html, IntoResponse, Redirect, Response},
};
use serde::Serialize;
use serde_json::Value;

use super::{
    Platform,
    keys::KeyError,
    state::{Person, Visit, person},
    storage::Storage,
    views::Language,
};

pub(super) const SESSION_COOKIE: &str = "campus_session";
const LANGUAGE_COOKIE: &str = "campus_language";

/// Why a request has no proper answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    /// Moodle's page for an authentication request it cannot trust, sent with 404.
    #[error("invalid request")]
    InvalidRequest(&'static str),
    #[error("not found")]
    NotFound,
    #[error("only a trainer may do this")]
    TrainerOnly,
    #[error("somebody must be signed in")]
    SignedOut,
    #[error("the choice of content was refused: {0}")]
    Content(String),
    #[error("this page cannot be shown: {0}")]
    Template(#[from] handlebars::RenderError),
    #[error("cannot sign: {0}")]
    Key(#[from] KeyError),
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, text) = match &self {
            Self::InvalidRequest(why) => {
                (StatusCode::NOT_FOUND, format!("Requête non valide · Invalid request ({why})"))
            }
            Self::NotFound => {
                (StatusCode::NOT_FOUND, "Cette page n’existe pas · No such page".to_owned())
            }
            Self::TrainerOnly => {
                (StatusCode::FORBIDDEN, "Réservé à la formatrice · For the trainer only".to_owned())
            }
            Self::SignedOut => return Redirect::to("/login").into_response(),
            Self::Content(why) => {
                (StatusCode::BAD_REQUEST, format!("Contenu refusé · Content refused: {why}"))
            }
            Self::Template(_) | Self::Key(_) => {
                tracing::error!(error = %self, "Campus failed");
                (StatusCode::INTERNAL_SERVER_ERROR, "Erreur · Error".to_owned())
            }
        };
        let text = handlebars::html_escape(&text);
        let page = format!(
            "<!DOCTYPE html><html lang=\"fr\"><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\"><title>Campus</title>\
             <link rel=\"stylesheet\" href=\"/campus.css\"><main><h1>Campus</h1>\
             <p class=\"notice\" role=\"alert\">{text}</p><p><a href=\"/\" target=\"_top\">Accueil · Home</a></p></main></html>"
        );
        (status, framed(), Html(page)).into_response()
    }
}

/// Headers of every page: only Campus frames Campus.
pub(super) fn framed() -> [(header::HeaderName, HeaderValue); 4] {
    [
        (header::X_FRAME_OPTIONS, HeaderValue::from_static("sameorigin")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(
                "default-src 'self'; frame-src *; frame-ancestors 'self'; base-uri 'none'",
            ),
        ),
    ]
}

/// The value of a cookie.
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

/// The browser that asks: its language and, when signed in, who it is.
pub(super) struct Visitor {
    pub(super) language: Language,
    /// Path of the page, to come back after a change of language.
    pub(super) path: String,
    pub(super) session: Option<(String, Visit)>,
}

impl Visitor {
    pub(super) fn person(&self) -> Option<&'static Person> {
        self.session.as_ref().and_then(|(_, visit)| person(visit.person))
    }

    pub(super) fn signed_in(&self) -> Result<(&'static Person, &str, &Visit), Refusal> {
        let (id, visit) = self.session.as_ref().ok_or(Refusal::SignedOut)?;
        let person = person(visit.person).ok_or(Refusal::SignedOut)?;
        Ok((person, id, visit))
    }

    pub(super) fn trainer(&self) -> Result<(&'static Person, &str, &Visit), Refusal> {
        let found = self.signed_in()?;
        if found.0.is_trainer() { Ok(found) } else { Err(Refusal::TrainerOnly) }
    }
}

impl FromRequestParts<Arc<Platform>> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        platform: &Arc<Platform>,
    ) -> Result<Self, Self::Rejection> {
        let session = cookie(&parts.headers, SESSION_COOKIE).and_then(|id| {
            platform.state().visits.get(id).map(|visit| (id.to_owned(), visit.clone()))
        });
        let language = cookie(&parts.headers, LANGUAGE_COOKIE)
            .and_then(Language::parse)
            .unwrap_or(Language::French);
        let path = parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
        Ok(Self { language, path, session })
    }
}

/// A cookie for this site alone; `None` takes it away.
fn set_cookie(name: &str, value: Option<&str>) -> String {
    match value {
        Some(value) => format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax"),
        None => format!("{name}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"),
    }
}

/// Redirects with a new session, or without one.
pub(super) fn redirect_with_session(to: &str, session: Option<&str>) -> Response {
    ([(header::SET_COOKIE, set_cookie(SESSION_COOKIE, session))], Redirect::to(to)).into_response()
}

/// Redirects and remembers the language.
pub(super) fn redirect_with_language(to: &str, language: Language) -> Response {
    ([(header::SET_COOKIE, set_cookie(LANGUAGE_COOKIE, Some(language.code())))], Redirect::to(to))
        .into_response()
}

/// What the frame of a page shows.
#[derive(Serialize)]
struct Frame<'a, T> {
    lang: &'static str,
    t: &'a Value,
    person: Option<String>,
    is_trainer: bool,
    here: String,
    mailbox: Option<&'a str>,
    /// Where this page keeps values for tools.
    storage: Storage,
    page: T,
}

impl Platform {
    /// Renders a template within the frame.
    pub(super) fn page(
        &self,
        visitor: &Visitor,
        template: &str,
        page: impl Serialize,
    ) -> Result<Response, Refusal> {
        let frame = Frame {
            lang: visitor.language.code(),
            t: self.views.texts(visitor.language),
            person: visitor.person().map(Person::name),
            is_trainer: visitor.person().is_some_and(Person::is_trainer),
            here: url::form_urlencoded::byte_serialize(visitor.path.as_bytes()).collect(),
            mailbox: self.mailbox_path.as_deref(),
            storage: self.storage(),
            page,
        };
        let html = self.views.render(template, &frame)?;
        Ok((framed(), Html(html)).into_response())
    }
}
