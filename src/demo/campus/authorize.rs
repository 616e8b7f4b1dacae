//! The authorization endpoint: checks the authentication request in Moodle's order and
//! form-posts the id_token (OpenID Connect Core 3.2.2, LTI security framework 5.1.1.2).

use std::{collections::HashMap, sync::Arc};

use axum::{
    Form,
    extract::{Query, State},
    response::Response,
};
use serde_json::Value;

use super::{
    Platform,
    faults::TokenFaults,
    keys::{SigningKey, random_text},
    launch::{AutoForm, Field},
    web::{Refusal, Visitor},
};

type Parameters = HashMap<String, String>;

pub(super) async fn by_query(
    State(platform): State<Arc<Platform>>,
    visitor: Visitor,
    Query(parameters): Query<Parameters>,
) -> Result<Response, Refusal> {
    answer(&platform, &visitor, &parameters)
}

pub(super) async fn by_form(
    State(platform): State<Arc<Platform>>,
    visitor: Visitor,
    Form(parameters): Form<Parameters>,
) -> Result<Response, Refusal> {
    answer(&platform, &visitor, &parameters)
}

/// An error the tool is told about.
struct Denied {
    error: &'static str,
    description: Option<&'static str>,
}

const fn denied(error: &'static str, description: Option<&'static str>) -> Denied {
    Denied { error, description }
}

fn answer(
    platform: &Platform,
    visitor: &Visitor,
    parameters: &Parameters,
) -> Result<Response, Refusal> {
    let given = |name: &str| parameters.get(name).map(String::as_str).filter(|v| !v.is_empty());
    let Some((session, _)) = &visitor.session else {
        if parameters.contains_key("repost") {
            return Err(Refusal::InvalidRequest("no session"));
        }
        return repost(platform, visitor, "/lti/auth", parameters);
    };
    // What cannot be trusted gets a page of Campus's own and never reaches the redirect URI.
    let required = |name: &'static str| given(name).ok_or(Refusal::InvalidRequest(name));
    if required("scope")? != "openid" {
        return Err(Refusal::InvalidRequest("scope must be exactly openid"));
    }
    if required("response_type")? != "id_token" {
        return Err(Refusal::InvalidRequest("response_type must be id_token"));
    }
    let client_id = required("client_id")?;
    let redirect_uri = required("redirect_uri")?;
    let login_hint = required("login_hint")?;
    let nonce = required("nonce")?;
    let launchid = serde_json::from_str::<Value>(required("lti_message_hint")?)
        .ok()
        .and_then(|hint| Some(hint.get("launchid")?.as_str()?.to_owned()))
        .ok_or(Refusal::InvalidRequest("no launch id in the LTI hint"))?;

    let mut state = platform.state();
    let launch = match state.launches.get(&launchid) {
        // Single use, whatever comes of it.
        Some(launch) if launch.session == *session => state.launches.remove(&launchid),
        _ => None,
    }
    .ok_or(Refusal::InvalidRequest("lti_message_hint was used or is another session's"))?;
    let state = &*state;
    let tool = state.tools.get(&launch.tool).ok_or(Refusal::InvalidRequest("no such tool"))?;
    if !tool.redirect_uris.iter().any(|registered| registered == redirect_uri) {
        return Err(Refusal::InvalidRequest("redirect_uri is not registered"));
    }
    let (person, _, visit) = visitor.signed_in()?;
    let response_mode = given("response_mode");
    let prompt = given("prompt");
    let refusal = if client_id != tool.client_id {
        Some(denied("unauthorized_client", None))
    } else if login_hint != person.id.to_string() {
        Some(denied("access_denied", None))
    } else if response_mode != Some("form_post") {
        Some(denied("invalid_request", Some("Invalid response_mode")))
    } else if prompt.is_some_and(|prompt| prompt != "none") {
        Some(denied("invalid_request", Some("Invalid prompt")))
    } else {
        None
    };
    let echoed = parameters.get("state").cloned().unwrap_or_default();
    let mut fields = Vec::new();
    if let Some(refusal) = refusal {
        fields.push(Field { name: "error", value: refusal.error.to_owned() });
        if let Some(description) = refusal.description {
            fields.push(Field { name: "error_description", value: description.to_owned() });
        }
    } else {
        let claims = platform
            .claims(state, &launch, tool, person, nonce, &visit.sesskey)
            .ok_or(Refusal::InvalidRequest("the activity is gone"))?;
        let token = sign(platform, &state.faults.id_token, Value::Object(claims))?;
        fields.push(Field { name: "id_token", value: token });
    }
    fields.push(Field { name: "state", value: echoed });
    platform.page(visitor, "auto_form", AutoForm { action: redirect_uri.to_owned(), fields })
}

/// Signs the id_token, with whatever is to be wrong about it.
fn sign(platform: &Platform, faults: &TokenFaults, mut claims: Value) -> Result<String, Refusal> {
    if let Some(claims) = claims.as_object_mut() {
        for name in &faults.drop_claims {
            claims.remove(name);
        }
        claims.extend(faults.set_claims.clone());
    }
    let current = platform.keys().current().clone();
    let unknown;
    let kid = if faults.no_kid {
        None
    } else if faults.unknown_kid {
        unknown = random_text()?;
        Some(unknown.as_str())
    } else {
        Some(current.kid.as_str())
    };
    if faults.foreign_signature {
        return Ok(SigningKey::generate()?.sign(kid, &claims)?);
    }
    Ok(current.sign(kid, &claims)?)
}

/// Without Campus's cookie the same request is sent again from Campus's own page: a
/// `SameSite=Lax` cookie does not come with a POST from another site.
pub(super) fn repost(
    platform: &Platform,
    visitor: &Visitor,
    action: &str,
    parameters: &Parameters,
) -> Result<Response, Refusal> {
    const KNOWN: [&str; 11] = [
        "scope",
        "response_type",
        "response_mode",
        "prompt",
        "client_id",
        "redirect_uri",
        "state",
        "nonce",
        "login_hint",
        "lti_message_hint",
        "JWT",
    ];
    let mut fields: Vec<Field> = KNOWN
        .iter()
        .filter_map(|name| {
            let value = parameters.get(*name)?.clone();
            Some(Field { name, value })
        })
        .collect();
    fields.push(Field { name: "repost", value: "true".to_owned() });
    platform.page(visitor, "auto_form", AutoForm { action: action.to_owned(), fields })
}
