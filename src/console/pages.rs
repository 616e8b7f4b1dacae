//! The console's home, its language, and the way out.

use axum::Form;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use serde::{Deserialize, Serialize};

use super::notices::{Need, Notices, Refused, notices};
use super::{Frame, StaffVisit, local_path, store};
use crate::app::App;
use crate::tenants;
use crate::web::{Lang, Page, Problem, cookies};

#[derive(Serialize)]
pub struct HomePage {
    pub frame: Frame,
    pub name: String,
    /// The one tenant that the page is about; `None`: the whole installation.
    pub tenant: Option<String>,
    pub needs: Vec<Need>,
    pub refused: Vec<Refused>,
    pub all_well: bool,
}

impl Page for HomePage {
    const TEMPLATE: &'static str = "pages/console-home";

    fn samples() -> Vec<Self> {
        let need = |key, mend, detail: Option<&str>, path: Option<&str>| Need {
            key,
            mend,
            name: "Plateforme <européen>".to_owned(),
            detail: detail.map(str::to_owned),
            count: 2,
            path: path.map(str::to_owned),
        };
        let platform = Some("/console/platforms/1");
        let needs = vec![
            need(
                "console-need-no-platform",
                "console-mend-no-platform",
                None,
                Some("/console/platforms"),
            ),
            need("console-need-registration", "console-mend-registration", None, platform),
            need("console-need-deployment", "console-mend-deployment", Some("<b>7"), platform),
            need("console-need-deployment", "console-mend-ask-admin", Some("7"), None),
            need("console-need-scores-refused", "console-mend-scores-refused", None, platform),
            need("console-need-scores-late", "console-mend-scores-late", None, platform),
            need("console-need-mails-failed", "console-mend-mails-failed", None, None),
            need("console-need-mails-unknown", "console-mend-mails-unknown", None, None),
            need("console-need-jobs", "console-mend-jobs", None, None),
        ];
        let families = [
            "registration",
            "deployment",
            "browser",
            "unavailable",
            "item",
            "internal",
            "again",
            "platform",
            "clock",
            "message",
        ];
        let refused = families
            .into_iter()
            .enumerate()
            .map(|(index, family)| Refused {
                platform: (index > 0).then(|| "Plateforme <européen>".to_owned()),
                code: "signature-invalid".to_owned(),
                count: 3,
                mend: format!("console-mend-launch-{family}"),
                path: (index > 1).then(|| "/console/platforms/1".to_owned()),
            })
            .collect();
        let page = |tenant: Option<&str>, needs: Vec<Need>, refused: Vec<Refused>| Self {
            frame: Frame::sample(),
            name: "Zoé <Lefèvre>".to_owned(),
            tenant: tenant.map(str::to_owned),
            all_well: needs.is_empty() && refused.is_empty(),
            needs,
            refused,
        };
        vec![page(None, needs, refused), page(Some("Réseau <européen>"), Vec::new(), Vec::new())]
    }
}

/// `GET /console`
pub async fn home(State(app): State<App>, visit: StaffVisit) -> Result<Response, Problem> {
    let mut tx = app.db.read().await?;
    let tenant = match visit.staff.tenant_id {
        Some(tenant) => Some(tenants::find(&mut tx, tenant).await?.name),
        None => None,
    };
    let Notices { needs, refused } =
        notices(&mut tx, visit.staff.tenant_id, app.clock.now()).await?;
    drop(tx);
    let page = HomePage {
        frame: visit.frame(&app),
        name: visit.staff.name.clone(),
        tenant,
        all_well: needs.is_empty() && refused.is_empty(),
        needs,
        refused,
    };
    Ok(visit.page(app.pages.html(visit.lang(), &page)?))
}

#[derive(Deserialize)]
pub struct FrameForm {
    frame_token: String,
}

/// `POST /console/sign-out`
pub async fn sign_out(
    State(app): State<App>,
    visit: StaffVisit,
    Form(form): Form<FrameForm>,
) -> Result<Response, Problem> {
    visit.check_frame(&app, &form.frame_token)?;
    let mut tx = app.db.write().await?;
    store::end_session(&mut tx, &visit.session_hash()).await?;
    tx.commit().await?;
    let gone = cookies::set_console_token(&app.config, None);
    Ok(([(header::SET_COOKIE, gone)], Redirect::to("/console/sign-in")).into_response())
}

#[derive(Deserialize)]
pub struct LanguageForm {
    frame_token: String,
    language: String,
    #[serde(default)]
    back: String,
}

/// `POST /console/language`
pub async fn language(
    State(app): State<App>,
    visit: StaffVisit,
    Form(form): Form<LanguageForm>,
) -> Result<Response, Problem> {
    visit.check_frame(&app, &form.frame_token)?;
    let language = Lang::from_tag(&form.language)
        .ok_or_else(|| Problem::bad_request("request-unreadable").in_language(visit.lang()))?;
    let mut tx = app.db.write().await?;
    store::set_locale(&mut tx, visit.staff.id, language).await?;
    tx.commit().await?;
    Ok(Redirect::to(local_path(&form.back)).into_response())
}
