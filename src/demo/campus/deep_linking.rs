//! The content picker: the tool's page in a frame, its answer checked, shown, saved.

use std::{collections::HashMap, sync::Arc};

use axum::{
    Form,
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect, Response},
};
use jsonwebtoken::decode_header;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    Platform, authorize,
    keys::random_text,
    state::{Activity, FIRST_TOOL, LinkKind, PendingItems, Tool},
    token,
    web::{Refusal, Visitor},
};

/// Items of one answer taken at most.
const ITEM_LIMIT: usize = 100;

#[derive(Serialize)]
struct PickerPage {
    course: u64,
    course_title: String,
    frame: String,
    allow: String,
    tool: String,
}

#[derive(Deserialize)]
pub(super) struct PickerQuery {
    tool: Option<u64>,
}

/// The trainer's page with the tool's selection in a frame.
pub(super) async fn picker(
    State(platform): State<Arc<Platform>>,
    Path(course): Path<u64>,
    Query(query): Query<PickerQuery>,
    visitor: Visitor,
) -> Result<Response, Refusal> {
    visitor.trainer()?;
    let tool_id = query.tool.unwrap_or(FIRST_TOOL);
    let page = {
        let state = platform.state();
        let found = state.courses.get(&course).ok_or(Refusal::NotFound)?;
        let tool = state.tools.get(&tool_id).filter(|tool| tool.active).ok_or(Refusal::NotFound)?;
        PickerPage {
            course,
            course_title: found.title.clone(),
            frame: format!("/course/{course}/pick?tool={tool_id}"),
            allow: allow(&tool.origin),
            tool: tool.name.clone(),
        }
    };
    platform.page(&visitor, "picker", page)
}

/// The permissions a Moodle delegates to a tool's frame.
pub(super) fn allow(origin: &str) -> String {
    ["microphone", "camera", "geolocation", "midi", "encrypted-media", "autoplay"]
        .map(|feature| format!("{feature} {origin}"))
        .join("; ")
}

#[derive(Deserialize)]
pub(super) struct ReturnQuery {
    course: u64,
    id: u64,
    sesskey: String,
}

#[derive(Serialize)]
struct ItemLine {
    title: String,
    text: String,
    graded: Option<String>,
}

#[derive(Serialize)]
struct ReturnedPage {
    course: u64,
    pending: String,
    items: Vec<ItemLine>,
    message: Option<String>,
    error: Option<String>,
}

/// Receives the tool's answer (LTI Deep Linking 2.0, 3) and shows what will be added.
pub(super) async fn returned(
    State(platform): State<Arc<Platform>>,
    Query(query): Query<ReturnQuery>,
    visitor: Visitor,
    Form(form): Form<HashMap<String, String>>,
) -> Result<Response, Refusal> {
    if visitor.session.is_none() && !form.contains_key("repost") {
        let action = format!(
            "/lti/contentitem_return?course={}&id={}&sesskey={}",
            query.course, query.id, query.sesskey
        );
        return authorize::repost(&platform, &visitor, &action, &form);
    }
    let (person, _, visit) = visitor.trainer()?;
    if visit.sesskey != query.sesskey {
        return Err(Refusal::Content("sesskey".to_owned()));
    }
    let jwt = form.get("JWT").ok_or_else(|| Refusal::Content("the field JWT is missing".into()))?;
    let tool = platform.state().tools.get(&query.id).cloned().ok_or(Refusal::NotFound)?;
    let claims = verified(&platform, &tool, jwt).await?;
    let text = |name: &str| {
        claims
            .get(format!("https://purl.imsglobal.org/spec/lti-dl/claim/{name}"))
            .and_then(Value::as_str)
            .map(ToOwned::to_owned)
    };
    let items: Vec<Map<String, Value>> = claims
        .get("https://purl.imsglobal.org/spec/lti-dl/claim/content_items")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_object)
        .filter(|item| item.get("type").and_then(Value::as_str) == Some("ltiResourceLink"))
        .take(ITEM_LIMIT)
        .cloned()
        .collect();
    let lines = items
        .iter()
        .map(|item| ItemLine {
            title: title(item, &tool),
            text: field(item, "text").unwrap_or_default().to_owned(),
            graded: maximum(item).map(|maximum| format!("{maximum}")),
        })
        .collect();
    let pending = random_text()?;
    let page = ReturnedPage {
        course: query.course,
        pending: pending.clone(),
        items: lines,
        message: text("msg"),
        error: text("errormsg"),
    };
    {
        let mut state = platform.state();
        // One answer at a time is waiting for each person.
        state.pending_items.retain(|_, waiting| waiting.person != person.id);
        state.pending_items.insert(
            pending,
            PendingItems { person: person.id, course: query.course, tool: tool.id, items },
        );
    }
    platform.page(&visitor, "picked", page)
}

/// Signature, issuer, audience, times, type, version and deployment of the answer
/// (LTI Deep Linking 2.0, 3.1). A Moodle looks at fewer of them.
async fn verified(platform: &Platform, tool: &Tool, jwt: &str) -> Result<Value, Refusal> {
    let refused = |why: &str| Refusal::Content(why.to_owned());
    let header = decode_header(jwt).map_err(|_| refused("not a JWT"))?;
    let kid = header.kid.ok_or_else(|| refused("no kid in the header"))?;
    let cached = tool.keys.as_ref().and_then(|keys| token::verify(jwt, &kid, keys));
    let claims = if let Some(claims) = cached {
        claims
    } else {
        let keys = token::fetch_keys(platform, &tool.jwks_url).await.map_err(Refusal::Content)?;
        let claims =
            token::verify(jwt, &kid, &keys).ok_or_else(|| refused("the signature is wrong"))?;
        if let Some(tool) = platform.state().tools.get_mut(&tool.id) {
            tool.keys = Some(keys);
        }
        claims
    };
    let claim = |name: &str| claims.get(name).and_then(Value::as_str);
    let lti = |name: &str| {
        claim(&format!("https://purl.imsglobal.org/spec/lti/claim/{name}")).map(ToOwned::to_owned)
    };
    if claim("iss") != Some(&tool.client_id) {
        return Err(refused("iss must be the client id"));
    }
    let ours = |value: &Value| value.as_str() == Some(&platform.public_url);
    let audience = match claims.get("aud") {
        Some(Value::Array(all)) => all.iter().any(ours),
        Some(one) => ours(one),
        None => false,
    };
    if !audience {
        return Err(refused("aud must be the issuer"));
    }
    let now = platform.now().timestamp();
    let time = |name: &str| claims.get(name).and_then(Value::as_i64);
    if time("exp").is_none_or(|expires| expires <= now) {
        return Err(refused("exp is missing or past"));
    }
    if time("iat").is_none_or(|issued| issued > now) {
        return Err(refused("iat is missing or in the future"));
    }
    if claim("nonce").is_none_or(str::is_empty) {
        return Err(refused("nonce is missing"));
    }
    if lti("message_type").as_deref() != Some("LtiDeepLinkingResponse") {
        return Err(refused("message_type must be LtiDeepLinkingResponse"));
    }
    if lti("version").as_deref() != Some("1.3.0") {
        return Err(refused("version must be 1.3.0"));
    }
    if lti("deployment_id") != Some(tool.id.to_string()) {
        return Err(refused("deployment_id is another one"));
    }
    Ok(claims)
}

fn field<'a>(item: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    item.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

fn title(item: &Map<String, Value>, tool: &Tool) -> String {
    field(item, "title").unwrap_or(&tool.name).to_owned()
}

fn maximum(item: &Map<String, Value>) -> Option<f64> {
    item.get("lineItem")?.get("scoreMaximum")?.as_f64().filter(|maximum| *maximum > 0.0)
}

#[derive(Deserialize)]
pub(super) struct SaveForm {
    pending: String,
}

/// Adds the items the trainer agreed to.
pub(super) async fn save(
    State(platform): State<Arc<Platform>>,
    Path(course): Path<u64>,
    visitor: Visitor,
    Form(form): Form<SaveForm>,
) -> Result<Response, Refusal> {
    let (person, _, _) = visitor.trainer()?;
    let mut state = platform.state();
    let pending = state
        .pending_items
        .remove(&form.pending)
        .filter(|pending| pending.person == person.id && pending.course == course)
        .ok_or_else(|| Refusal::Content("nothing is waiting to be saved".to_owned()))?;
    let tool = state.tools.get(&pending.tool).cloned().ok_or(Refusal::NotFound)?;
    for item in &pending.items {
        add(&mut state, &tool, course, item);
    }
    Ok(Redirect::to(&format!("/course/{course}")).into_response())
}

/// Keeps title, text, URL, custom parameters and line item; a Moodle ignores the rest.
fn add(state: &mut super::State, tool: &Tool, course: u64, item: &Map<String, Value>) {
    let id = state.new_id();
    let title = title(item, tool);
    if let Some(maximum) = maximum(item) {
        let column = state.add_column(id, course, tool.id, &title, maximum);
        if let (Some(column), Some(Value::Object(given))) =
            (state.line_items.get_mut(&column), item.get("lineItem"))
        {
            field(given, "resourceId").unwrap_or_default().clone_into(&mut column.resource_id);
            field(given, "tag").unwrap_or_default().clone_into(&mut column.tag);
        }
    }
    let custom = item
        .get("custom")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(key, value)| {
            let value = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
            (key.clone(), value)
        })
        .collect();
    state.activities.insert(
        id,
        Activity {
            id,
            course,
            tool: tool.id,
            title,
            description: field(item, "text").unwrap_or_default().to_owned(),
            target_link_uri: field(item, "url").unwrap_or(&tool.target_link_uri).to_owned(),
            custom,
            kind: LinkKind::Added,
        },
    );
}
