//! By which platforms somebody is known, and bringing two of them together.

use axum::Form;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::{Deserialize, Serialize};

use super::{
    AskError, CODE_LIFE, JoinError, Known, ProofError, Proposal, ask, may_type, platforms, propose,
};
use crate::app::App;
use crate::visits::Visit;
use crate::web::{Page, Problem, dates, origin_of};

/// What the forms here are about.
const ABOUT: &str = "identities";

#[derive(Clone, Debug, Serialize)]
pub struct PlatformLine {
    pub name: String,
    pub host: String,
    pub since: String,
    /// Where the person comes from now.
    pub here: bool,
}

#[derive(Clone, Debug, Serialize)]
pub struct CodePart {
    /// `ACDE-FGHJ`
    pub text: String,
    pub minutes: i64,
}

#[derive(Clone, Debug, Serialize)]
pub struct IdentitiesPage {
    pub name: Option<String>,
    pub platforms: Vec<PlatformLine>,
    /// The code that was asked for just now.
    pub code: Option<CodePart>,
    /// Whether codes may still be typed in this launch.
    pub may_type: bool,
    /// The key of the sentence that says why the code proves nothing.
    pub problem: Option<&'static str>,
    pub joined: bool,
    pub form_token: String,
    pub action: String,
    pub code_action: String,
    pub back: String,
}

impl Page for IdentitiesPage {
    const TEMPLATE: &'static str = "pages/identities";

    fn samples() -> Vec<Self> {
        let line = |here| PlatformLine {
            name: "Plateforme <Grandes Écoles>".to_owned(),
            host: "https://lms.example".to_owned(),
            since: "23 novembre 2026".to_owned(),
            here,
        };
        let plain = Self {
            name: Some("Zoé <Lefèvre>".to_owned()),
            platforms: vec![line(true), line(false)],
            code: None,
            may_type: true,
            problem: None,
            joined: false,
            form_token: "token".to_owned(),
            action: "/launches/1/identities".to_owned(),
            code_action: "/launches/1/identities/code".to_owned(),
            back: "/launches/1".to_owned(),
        };
        let code = CodePart { text: "ACDE-FGHJ".to_owned(), minutes: 15 };
        let problem = |key| Self { problem: Some(key), ..plain.clone() };
        vec![
            Self { code: Some(code), name: None, ..plain.clone() },
            Self { joined: true, ..plain.clone() },
            Self { may_type: false, ..problem("identities-problem-often") },
            problem("identities-problem-unknown"),
            problem("identities-problem-expired"),
            problem("identities-problem-tenant"),
            problem("identities-problem-own"),
            plain,
        ]
    }
}

#[derive(Clone, Debug, Serialize)]
pub struct JoinPage {
    pub here: Known,
    pub there: Known,
    pub both_courses: i64,
    pub both_signups: i64,
    pub typed: String,
    pub form_token: String,
    pub action: String,
    pub back: String,
}

impl Page for JoinPage {
    const TEMPLATE: &'static str = "pages/identities-join";

    fn samples() -> Vec<Self> {
        let here = Known {
            name: Some("Zoé <Lefèvre>".to_owned()),
            platforms: vec!["Plateforme <Grandes Écoles>".to_owned()],
            courses: 2,
            certificates: 1,
            signups: 0,
        };
        let there = Known { name: None, courses: 1, certificates: 0, signups: 3, ..here.clone() };
        let full = Self {
            here,
            there,
            both_courses: 1,
            both_signups: 1,
            typed: "ACDE-FGHJ".to_owned(),
            form_token: "token".to_owned(),
            action: "/launches/1/identities/join".to_owned(),
            back: "/launches/1/identities".to_owned(),
        };
        vec![full.clone(), Self { both_courses: 0, both_signups: 0, ..full }]
    }
}

/// What there is to say on the page beside who is known how.
#[derive(Default)]
struct Said {
    code: Option<CodePart>,
    problem: Option<&'static str>,
    joined: bool,
}

#[derive(Debug, Deserialize)]
pub struct Done {
    done: Option<String>,
}

/// `GET /launches/{launch}/identities`
pub async fn show(
    State(app): State<App>,
    visit: Visit,
    Query(done): Query<Done>,
) -> Result<Response, Problem> {
    let joined = done.done.as_deref() == Some("joined");
    page(&app, &visit, StatusCode::OK, Said { joined, ..Said::default() }).await
}

async fn page(
    app: &App,
    visit: &Visit,
    status: StatusCode,
    said: Said,
) -> Result<Response, Problem> {
    // The LMS's test user is whoever teaches the course: nobody's other identity.
    if is_test_user(visit) {
        return Err(refused(visit, StatusCode::FORBIDDEN, "identities-test-user"));
    }
    let mut tx = app.db.read().await?;
    let known = platforms(&mut tx, visit.person.id).await?;
    let may_type = may_type(&mut tx, visit.launch.id).await?;
    drop(tx);
    let (lang, zone) = (visit.lang(), visit.tenant.zone());
    let line = |platform: super::Platform| PlatformLine {
        name: platform.name,
        host: origin_of(&platform.issuer).unwrap_or(platform.issuer),
        since: dates::day(lang, platform.created_at, zone),
        here: platform.identity_id == visit.launch.identity_id,
    };
    let page = IdentitiesPage {
        name: visit.person.name(),
        platforms: known.into_iter().map(line).collect(),
        code: said.code,
        may_type,
        problem: said.problem,
        joined: said.joined,
        form_token: visit.form_token(app, ABOUT),
        action: visit.path("/identities"),
        code_action: visit.path("/identities/code"),
        back: visit.path(""),
    };
    let html = app.pages.html(lang, &page)?;
    Ok((status, visit.page(html, &[])).into_response())
}

fn is_test_user(visit: &Visit) -> bool {
    visit.is_preview() && !visit.is_trainer()
}

fn refused(visit: &Visit, status: StatusCode, code: &'static str) -> Problem {
    Problem::new(status, code).in_language(visit.lang())
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct CodeForm {
    form_token: String,
    code: String,
}

/// What every form here goes through first.
fn check(app: &App, visit: &Visit, form: &CodeForm) -> Result<(), Problem> {
    visit.check_form(app, ABOUT, &form.form_token)?;
    if is_test_user(visit) {
        return Err(refused(visit, StatusCode::FORBIDDEN, "identities-test-user"));
    }
    Ok(())
}

/// `POST /launches/{launch}/identities/code`: a code to type where the person is known otherwise.
pub async fn code(
    State(app): State<App>,
    visit: Visit,
    Form(form): Form<CodeForm>,
) -> Result<Response, Problem> {
    check(&app, &visit, &form)?;
    let mut tx = app.db.write().await?;
    let code = match ask(&mut tx, &visit.launch, app.keys.form(), app.clock.now()).await {
        Ok(code) => code,
        Err(AskError::TooOften) => {
            return Err(refused(&visit, StatusCode::TOO_MANY_REQUESTS, "identities-often"));
        }
        Err(AskError::Database(error)) => return Err(error.into()),
    };
    tx.commit().await?;
    let code = CodePart { text: code.grouped(), minutes: CODE_LIFE.num_minutes() };
    page(&app, &visit, StatusCode::OK, Said { code: Some(code), ..Said::default() }).await
}

/// `POST /launches/{launch}/identities`: what the code would bring together.
pub async fn look(
    State(app): State<App>,
    visit: Visit,
    Form(form): Form<CodeForm>,
) -> Result<Response, Problem> {
    check(&app, &visit, &form)?;
    let (now, key, tenant) = (app.clock.now(), app.keys.form(), visit.tenant.id);
    let mut tx = app.db.write().await?;
    let found = propose(&mut tx, &visit.launch, tenant, &form.code, key, now).await;
    let Proposal { here, there, both_courses, both_signups } = match found {
        Ok(proposal) => proposal,
        Err(ProofError::Database(error)) => return Err(error.into()),
        Err(refusal) => {
            tx.commit().await?;
            return unproved(&app, &visit, &refusal).await;
        }
    };
    drop(tx);
    let page = JoinPage {
        here,
        there,
        both_courses,
        both_signups,
        typed: form.code,
        form_token: visit.form_token(&app, ABOUT),
        action: visit.path("/identities/join"),
        back: visit.path("/identities"),
    };
    Ok(visit.page(app.pages.html(visit.lang(), &page)?, &[]))
}

/// `POST /launches/{launch}/identities/join`
pub async fn join(
    State(app): State<App>,
    visit: Visit,
    Form(form): Form<CodeForm>,
) -> Result<Response, Problem> {
    check(&app, &visit, &form)?;
    let mut tx = app.db.write().await?;
    match super::join(&app, &mut tx, &visit.launch, visit.tenant.id, &form.code).await {
        Ok(joined) => {
            tx.commit().await?;
            for label in &joined.revoked_labels {
                app.packages.forget_label(label);
            }
            app.wake.notify_waiters();
            Ok(joined_now(&visit))
        }
        Err(JoinError::Mail(error)) => Err(error.into()),
        Err(JoinError::Proof(ProofError::Database(error))) => Err(error.into()),
        Err(JoinError::Proof(refusal)) => {
            tx.commit().await?;
            unproved(&app, &visit, &refusal).await
        }
    }
}

fn joined_now(visit: &Visit) -> Response {
    Redirect::to(&visit.path("/identities?done=joined")).into_response()
}

/// The page again, which says why the code proves nothing.
async fn unproved(app: &App, visit: &Visit, refusal: &ProofError) -> Result<Response, Problem> {
    let (status, problem) = match refusal {
        // The button was pressed twice, or the code typed once more: it did what it was to do.
        ProofError::Joined => return Ok(joined_now(visit)),
        ProofError::TooOften => (StatusCode::TOO_MANY_REQUESTS, "identities-problem-often"),
        ProofError::Expired => (StatusCode::UNPROCESSABLE_ENTITY, "identities-problem-expired"),
        ProofError::OtherTenant => (StatusCode::FORBIDDEN, "identities-problem-tenant"),
        ProofError::OwnCode => (StatusCode::UNPROCESSABLE_ENTITY, "identities-problem-own"),
        ProofError::Unknown | ProofError::Database(_) => {
            (StatusCode::UNPROCESSABLE_ENTITY, "identities-problem-unknown")
        }
    };
    page(app, visit, status, Said { problem: Some(problem), ..Said::default() }).await
}
