//! Who of staff is here.
//!
//! The extractors are the permissions: a handler that takes an [`Admin`] is for administrators of
//! the installation, one that takes a [`StaffVisit`] for everybody of staff.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Serialize;

use super::{HOME, Staff, StaffRole, local_path, store};
use crate::app::App;
use crate::ids::Token;
use crate::web::{Lang, Problem, cookies, guard, unframed_html};

/// A member of staff in their browser.
#[derive(Clone, Debug)]
pub struct StaffVisit {
    pub staff: Staff,
    /// The page that is asked for, with its query.
    path: String,
    session: Token,
}

/// What the forms of the console's frame are about.
const FRAME: &str = "console-frame";

impl StaffVisit {
    pub fn lang(&self) -> Lang {
        self.staff.locale
    }

    pub fn is_admin(&self) -> bool {
        self.staff.role == StaffRole::Admin
    }

    /// The hidden field of a form about `about`.
    pub fn form_token(&self, app: &App, about: &str) -> String {
        guard::form_token(app.keys.form(), self.session.reveal(), about)
    }

    pub fn check_form(&self, app: &App, about: &str, token: &str) -> Result<(), Problem> {
        guard::check_form_token(app.keys.form(), self.session.reveal(), about, token)
            .map_err(|problem| problem.in_language(self.lang()))
    }

    /// What the layout around every page of the console shows.
    pub fn frame(&self, app: &App) -> Frame {
        let path = self.path.split('?').next().unwrap_or_default();
        Frame {
            staff_name: self.staff.name.clone(),
            is_admin: self.is_admin(),
            at_home: path == HOME,
            at_platforms: path.starts_with("/console/platforms"),
            token: self.form_token(app, FRAME),
            here: local_path(&self.path).to_owned(),
            languages: Lang::ALL.into_iter().map(|lang| Language::of(lang, self.lang())).collect(),
        }
    }

    pub(super) fn check_frame(&self, app: &App, token: &str) -> Result<(), Problem> {
        self.check_form(app, FRAME, token)
    }

    /// The hash of the cookie's token: the session's name in the database.
    pub(super) fn session_hash(&self) -> String {
        self.session.hash()
    }

    /// A page of the console: nobody frames it, nothing keeps it.
    pub fn page(&self, html: String) -> Response {
        let language = HeaderValue::from_static(self.lang().as_str());
        ([(header::CONTENT_LANGUAGE, language)], unframed_html(html)).into_response()
    }
}

/// What `templates/pages/_console.hbs` needs.
#[derive(Clone, Debug, Serialize)]
pub struct Frame {
    staff_name: String,
    is_admin: bool,
    at_home: bool,
    at_platforms: bool,
    /// Of the frame's own forms, which have a field name of their own beside the page's.
    token: String,
    here: String,
    languages: Vec<Language>,
}

#[derive(Clone, Debug, Serialize)]
struct Language {
    code: &'static str,
    /// In the language itself.
    name: &'static str,
    current: bool,
}

impl Language {
    fn of(lang: Lang, current: Lang) -> Self {
        let name = match lang {
            Lang::Fr => "Français",
            Lang::En => "English",
        };
        Self { code: lang.as_str(), name, current: lang == current }
    }
}

impl Frame {
    /// For the samples of pages.
    pub fn sample() -> Self {
        Self {
            staff_name: "Zoé <Lefèvre>".to_owned(),
            is_admin: true,
            at_home: false,
            at_platforms: true,
            token: "token".to_owned(),
            here: "/console/platforms".to_owned(),
            languages: Lang::ALL.into_iter().map(|lang| Language::of(lang, Lang::Fr)).collect(),
        }
    }
}

/// Why somebody is not let in.
#[derive(Clone, Debug)]
pub enum Away {
    /// To the sign-in page, and back to this path afterwards.
    SignIn(String),
    Refused(Problem),
}

impl From<Problem> for Away {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

impl IntoResponse for Away {
    fn into_response(self) -> Response {
        match self {
            Self::SignIn(next) => {
                let query: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
                Redirect::to(&format!("/console/sign-in?next={query}")).into_response()
            }
            Self::Refused(problem) => problem.into_response(),
        }
    }
}

impl FromRequestParts<App> for StaffVisit {
    type Rejection = Away;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Away> {
        let path = parts.uri.path_and_query().map_or(HOME, |path| path.as_str()).to_owned();
        let found = match cookies::console_token(&app.config, &parts.headers) {
            Some(session) => {
                let mut tx = app.db.read().await.map_err(Problem::from)?;
                let staff = store::of_session(&mut tx, &session.hash(), app.clock.now())
                    .await
                    .map_err(Problem::from)?;
                staff.map(|staff| (staff, session))
            }
            None => None,
        };
        match found {
            Some((staff, session)) => Ok(Self { staff, path, session }),
            // What a form held is not asked for again: only a page can be gone back to.
            None if matches!(parts.method, Method::GET | Method::HEAD) => {
                Err(Away::SignIn(local_path(&path).to_owned()))
            }
            None => Err(Problem::new(StatusCode::FORBIDDEN, "console-signed-out").into()),
        }
    }
}

/// An administrator of the installation.
#[derive(Clone, Debug)]
pub struct Admin {
    pub visit: StaffVisit,
}

impl FromRequestParts<App> for Admin {
    type Rejection = Away;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Away> {
        let visit = StaffVisit::from_request_parts(parts, app).await?;
        if visit.is_admin() {
            return Ok(Self { visit });
        }
        let refused = Problem::new(StatusCode::FORBIDDEN, "console-admins-only");
        Err(refused.in_language(visit.lang()).into())
    }
}
