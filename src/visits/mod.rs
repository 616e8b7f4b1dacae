//! Who is here: an accepted launch, seen from the pages it opens.
//!
//! The extractors are the permissions: a handler that takes a [`Trainer`] is for trainers.

mod bearer;
mod store;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::StatusCode;
use axum::http::request::Parts;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;

use crate::app::App;
use crate::ids::{
    ContextId, CourseId, EventId, IdentityId, LaunchId, PersonId, RegistrationId, ResourceLinkId,
    SignInSessionId,
};
use crate::people::{self, Person};
use crate::platforms::{self, Registration};
use crate::tenants::{self, Tenant};
use crate::web::guard;
use crate::web::{Lang, Problem, carried, cookies, frame};

pub use bearer::{Bearer, Carrier};
pub use store::{
    clean, context_title, contexts_of_lms, end_of_others, find, hold_context, insert,
    insert_context, insert_resource_link, insert_session, link_opens, repoint_links,
    set_membership, spend_nonce, spent_by,
};

/// How long a launch's pages work: a long evening of learning.
pub const LAUNCH_LIFE: TimeDelta = TimeDelta::hours(12);

crate::text_enum! {
    /// What somebody may do in the context of their launch.
    pub enum Role { Learner = "learner", Trainer = "trainer" }
}

/// An accepted launch.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Launch {
    pub id: LaunchId,
    pub sign_in_session_id: SignInSessionId,
    pub registration_id: RegistrationId,
    pub deployment_id: String,
    pub person_id: PersonId,
    pub identity_id: IdentityId,
    pub context_id: Option<ContextId>,
    pub resource_link_id: Option<ResourceLinkId>,
    pub role: Role,
    pub locale: Lang,
    pub details: Json<Details>,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

/// What the launch's pages need to know of the message.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Details {
    pub opens: Opens,
    /// Where "back to the course" leads, if the platform said.
    pub return_url: Option<String>,
    /// A trainer's or test user's launch plays, and nothing is graded or awarded.
    pub preview: bool,
    /// Looked at before it is chosen: the launch whose picker it was.
    #[serde(default)]
    pub picker: Option<LaunchId>,
}

/// What a launch opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Opens {
    Course(CourseId),
    Event(EventId),
    /// The webinars of the launch's context.
    Events,
    /// What somebody did in a course (LTI Submission Review 1.0).
    Review(Review),
    /// The trainer chooses what an activity shows.
    Picker(Picker),
    /// The link was made by hand and says nothing.
    Nothing,
}

/// Whose work a launch asks to see: the platform's name for them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    pub course: CourseId,
    pub subject: String,
}

impl Opens {
    /// The course that the launch is about.
    pub fn course(&self) -> Option<CourseId> {
        match self {
            Self::Course(course) => Some(*course),
            Self::Review(review) => Some(review.course),
            Self::Event(_) | Self::Events | Self::Picker(_) | Self::Nothing => None,
        }
    }
}

/// What the answer to a deep linking request needs (LTI Deep Linking 2.0, 4.4.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picker {
    pub return_url: String,
    pub data: Option<String>,
    pub accept_types: Vec<String>,
    pub accept_multiple: Option<bool>,
    pub accept_line_item: Option<bool>,
    /// How an LTI 1.1 consumer signs, and wants the answer signed.
    #[serde(default)]
    pub signature_method: Option<String>,
    /// `accept_presentation_document_targets` that we know: `iframe`, `window`.
    #[serde(default)]
    pub accept_targets: Vec<String>,
}

/// The browser's launch, with everything around it.
#[derive(Clone, Debug)]
pub struct Visit {
    pub launch: Launch,
    pub person: Person,
    pub registration: Registration,
    pub tenant: Tenant,
    browser: Bearer,
}

impl Visit {
    pub fn lang(&self) -> Lang {
        self.launch.locale
    }

    pub fn is_trainer(&self) -> bool {
        self.launch.role == Role::Trainer
    }

    /// Whether what is done in this launch counts for nothing.
    pub fn is_preview(&self) -> bool {
        self.launch.details.preview
    }

    /// The path of one of this launch's pages, for this browser: it may hold the session's secret,
    /// and belongs in no mail and no log.
    pub fn path(&self, rest: &str) -> String {
        self.browser.address(self.launch.id, rest)
    }

    /// The path of a page of another launch of the same browser session.
    pub fn path_of(&self, launch: LaunchId, rest: &str) -> String {
        self.browser.address(launch, rest)
    }

    /// The hidden field of a form about `about`.
    pub fn form_token(&self, app: &App, about: &str) -> String {
        guard::form_token(app.keys.form(), self.browser.reveal(), &self.about(about))
    }

    pub fn check_form(&self, app: &App, about: &str, token: &str) -> Result<(), Problem> {
        guard::check_form_token(app.keys.form(), self.browser.reveal(), &self.about(about), token)
            .map_err(|problem| problem.in_language(self.lang()))
    }

    fn about(&self, about: &str) -> String {
        format!("{}/{about}", self.launch.id)
    }

    /// A page of this launch: the platform may frame it, and it frames `frames`.
    pub fn page(&self, html: String, frames: &[String]) -> axum::response::Response {
        let platform = self.registration.frame_ancestors();
        crate::web::framed_html(frame::tell_height(html, &platform), &platform, frames)
    }
}

impl FromRequestParts<App> for Visit {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let params = RawPathParams::from_request_parts(parts, app)
            .await
            .map_err(|_| Problem::not_found())?;
        let id: LaunchId = params
            .iter()
            .find(|(name, _)| *name == "launch")
            .and_then(|(_, value)| value.parse().ok())
            .ok_or_else(Problem::not_found)?;
        let lost = || Problem::new(StatusCode::FORBIDDEN, "launch-lost");
        let browser = match carried::token(parts) {
            Some(_) if carried::is_brought_along(&parts.headers) => {
                return Err(Problem::new(StatusCode::FORBIDDEN, "launch-copied"));
            }
            Some(token) => Bearer::path(token),
            None => {
                Bearer::cookie(cookies::launch_token(&app.config, &parts.headers).ok_or_else(lost)?)
            }
        };
        let mut tx = app.db.read().await?;
        let launch = store::find(&mut tx, id, &browser, app.clock.now()).await?.ok_or_else(lost)?;
        let person = people::find(&mut tx, launch.person_id).await?;
        let registration = platforms::find(&mut tx, launch.registration_id)
            .await?
            .ok_or_else(Problem::not_found)?;
        let tenant = tenants::find(&mut tx, registration.tenant_id).await?;
        Ok(Self { launch, person, registration, tenant, browser })
    }
}

/// Somebody who teaches the context of their launch.
#[derive(Clone, Debug)]
pub struct Trainer {
    pub visit: Visit,
    pub context: ContextId,
}

impl FromRequestParts<App> for Trainer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let visit = Visit::from_request_parts(parts, app).await?;
        let not_one =
            Problem::new(StatusCode::FORBIDDEN, "trainers-only").in_language(visit.lang());
        match visit.launch.context_id {
            Some(context) if visit.is_trainer() => Ok(Self { visit, context }),
            _ => Err(not_one),
        }
    }
}
