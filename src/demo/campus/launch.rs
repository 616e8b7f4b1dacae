//! The start of a launch: third-party initiated login (LTI security framework 1.0, 5.1.1.1).

use std::sync::Arc;

use axum::{
    extract::{Path, Query, State},
    response::Response,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    Platform,
    keys::random_text,
    state::{FIRST_TOOL, PendingLaunch, Purpose},
    web::{Refusal, Visitor},
};

/// Launches begun and never answered that are remembered.
const PENDING_LIMIT: usize = 1_000;

/// A field of a form that sends itself.
#[derive(Serialize)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) value: String,
}

/// A form that sends itself, with a button where scripts do not run.
#[derive(Serialize)]
pub(super) struct AutoForm {
    pub(super) action: String,
    pub(super) fields: Vec<Field>,
}

#[derive(Deserialize)]
pub(super) struct LaunchQuery {
    /// `window` when the link opens its own tab.
    #[serde(default)]
    target: String,
    /// A learner whose work is to be looked at.
    review: Option<u64>,
}

/// Begins the launch of an activity, or the review of a learner's work in it.
pub(super) async fn resource_link(
    State(platform): State<Arc<Platform>>,
    Path(activity): Path<u64>,
    Query(query): Query<LaunchQuery>,
    visitor: Visitor,
) -> Result<Response, Refusal> {
    let (purpose, tool, target) = {
        let state = platform.state();
        let found = state.activities.get(&activity).ok_or(Refusal::NotFound)?;
        let purpose = if let Some(for_user) = query.review {
            visitor.trainer()?;
            Purpose::SubmissionReview { activity, for_user }
        } else {
            let document_target = if query.target == "window" { "window" } else { "iframe" };
            Purpose::ResourceLink { activity, document_target }
        };
        (purpose, found.tool, found.target_link_uri.clone())
    };
    begin(&platform, &visitor, purpose, tool, target, activity)
}

#[derive(Deserialize)]
pub(super) struct PickQuery {
    tool: Option<u64>,
}

/// Begins the choice of content for a course.
pub(super) async fn deep_linking(
    State(platform): State<Arc<Platform>>,
    Path(course): Path<u64>,
    Query(query): Query<PickQuery>,
    visitor: Visitor,
) -> Result<Response, Refusal> {
    visitor.trainer()?;
    let id = query.tool.unwrap_or(FIRST_TOOL);
    let target = {
        let state = platform.state();
        if !state.courses.contains_key(&course) {
            return Err(Refusal::NotFound);
        }
        let tool = state.tools.get(&id).filter(|tool| tool.active).ok_or(Refusal::NotFound)?;
        tool.deep_linking_url.clone().ok_or(Refusal::NotFound)?
    };
    begin(&platform, &visitor, Purpose::DeepLinking { course }, id, target, 0)
}

/// Remembers the launch and sends the browser to the tool's login.
fn begin(
    platform: &Platform,
    visitor: &Visitor,
    purpose: Purpose,
    tool_id: u64,
    target_link_uri: String,
    cmid: u64,
) -> Result<Response, Refusal> {
    let (person, session, _) = visitor.signed_in()?;
    // A window of its own has nobody around it who could keep anything.
    let framed = !matches!(purpose, Purpose::ResourceLink { document_target: "window", .. });
    let target = platform.storage().target().filter(|_| framed);
    let launchid = format!("ltilaunch{cmid}_{}", random_text()?);
    let form = {
        let mut state = platform.state();
        let (action, client_id) = {
            let tool =
                state.tools.get(&tool_id).filter(|tool| tool.active).ok_or(Refusal::NotFound)?;
            (tool.login_url.clone(), tool.client_id.clone())
        };
        if state.launches.len() >= PENDING_LIMIT {
            state.launches.clear();
        }
        state.launches.insert(
            launchid.clone(),
            PendingLaunch {
                session: session.to_owned(),
                tool: tool_id,
                purpose,
                locale: visitor.language.code(),
            },
        );
        let hint = json!({ "cmid": cmid, "launchid": launchid }).to_string();
        let mut form = AutoForm {
            action,
            fields: vec![
                Field { name: "iss", value: platform.public_url.clone() },
                Field { name: "target_link_uri", value: target_link_uri },
                Field { name: "login_hint", value: person.id.to_string() },
                Field { name: "lti_message_hint", value: hint },
                Field { name: "client_id", value: client_id },
                Field { name: "lti_deployment_id", value: tool_id.to_string() },
            ],
        };
        form.fields.extend(
            target.map(|value| Field { name: "lti_storage_target", value: value.to_owned() }),
        );
        form
    };
    platform.page(visitor, "auto_form", form)
}
