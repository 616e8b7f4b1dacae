//! Dynamic registration (LTI Dynamic Registration 1.0): a tool introduces itself, the
//! trainer activates it.

use std::sync::Arc;

use axum::{
    Form, Json,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;

use super::{
    Platform,
    claims::SCOPES,
    keys::random_text,
    state::{self, RegistrationGrant, Tool},
    web::{Refusal, Visitor},
};

const TOOL_CONFIGURATION: &str = "https://purl.imsglobal.org/spec/lti-tool-configuration";
const PLATFORM_CONFIGURATION: &str = "https://purl.imsglobal.org/spec/lti-platform-configuration";

/// What a tool needs to know about Campus (OpenID Connect Discovery 1.0, 3).
pub(super) async fn configuration(State(platform): State<Arc<Platform>>) -> Json<Value> {
    let mut scopes = vec!["openid"];
    scopes.extend(SCOPES);
    Json(json!({
        "issuer": platform.public_url,
        "token_endpoint": platform.url("/lti/token"),
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS256"],
        "jwks_uri": platform.url("/lti/certs"),
        "authorization_endpoint": platform.url("/lti/auth"),
        "registration_endpoint": platform.url("/lti/openid-registration"),
        "scopes_supported": scopes,
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public", "pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "claims_supported": ["sub", "iss", "name", "given_name", "family_name", "email"],
        PLATFORM_CONFIGURATION: {
            "product_family_code": "campus",
            "version": "2026112300",
            "messages_supported": [
                { "type": "LtiResourceLinkRequest" },
                { "type": "LtiDeepLinkingRequest", "placements": ["ContentArea"] },
            ],
            "variables": [
                "User.id", "User.username", "Person.name.full", "Person.name.given",
                "Person.name.family", "Person.email.primary", "Person.sourcedId",
                "Context.id", "Context.title", "Context.label", "Context.id.history",
                "ResourceLink.id", "ResourceLink.title", "ResourceLink.description",
            ],
        },
    }))
}

/// Why a registration is refused; sent as `error_description`.
#[derive(Debug, thiserror::Error)]
pub(super) enum RegistrationRefusal {
    #[error("missing_registration_token")]
    NoToken,
    #[error("token_not_found")]
    Token,
    #[error("token_already_used")]
    TokenUsed,
    #[error("there is no registration to read")]
    NothingYet,
    #[error("the request is not a JSON object")]
    NotJson,
    #[error("missing or wrong: {0}")]
    Field(&'static str),
    #[error("server_error")]
    Internal,
}

impl IntoResponse for RegistrationRefusal {
    fn into_response(self) -> Response {
        let status = match self {
            Self::NoToken | Self::Token | Self::TokenUsed => StatusCode::UNAUTHORIZED,
            Self::NothingYet => StatusCode::NOT_FOUND,
            Self::NotJson | Self::Field(_) => StatusCode::BAD_REQUEST,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let body = json!({
            "error": "invalid_client_metadata",
            "error_description": self.to_string(),
        });
        (status, Json(body)).into_response()
    }
}

/// The grant of the token that came along. One that was spent says so.
fn grant(
    state: &state::State,
    headers: &HeaderMap,
    now: DateTime<Utc>,
) -> Result<(String, RegistrationGrant), RegistrationRefusal> {
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "))
        .ok_or(RegistrationRefusal::NoToken)?;
    let grant = state.grants.get(token).filter(|grant| grant.expires_at > now);
    let grant = grant.ok_or(RegistrationRefusal::Token)?;
    if grant.used {
        return Err(RegistrationRefusal::TokenUsed);
    }
    Ok((token.to_owned(), grant.clone()))
}

/// The registration as it stands, for a token that may update it.
pub(super) async fn current(
    State(platform): State<Arc<Platform>>,
    headers: HeaderMap,
) -> Result<Json<Value>, RegistrationRefusal> {
    let now = platform.now();
    let state = platform.state();
    let (_, grant) = grant(&state, &headers, now)?;
    let tool = grant.tool.and_then(|id| state.tools.get(&id));
    let registration = tool.and_then(|tool| tool.registration.clone());
    registration.map(Json).ok_or(RegistrationRefusal::NothingYet)
}

/// Takes a registration; a token for a new one is spent by it, one for an update is good for its
/// hour.
pub(super) async fn register(
    State(platform): State<Arc<Platform>>,
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> Result<Json<Value>, RegistrationRefusal> {
    let now = platform.now();
    let fresh_client = random_text().map_err(|_| RegistrationRefusal::Internal)?;
    let mut state = platform.state();
    let (token, grant) = grant(&state, &headers, now)?;
    let request: Value = serde_json::from_slice(&body).map_err(|_| RegistrationRefusal::NotJson)?;
    let before = grant.tool.and_then(|id| state.tools.get(&id).cloned());
    let answer = match before {
        Some(before) => {
            let (tool, answer) = read(&request, before.id, before.client_id)?;
            state.tools.insert(before.id, Tool { active: before.active, ..tool });
            answer
        }
        None => {
            let id = state.new_id();
            let (tool, answer) = read(&request, id, fresh_client)?;
            state.tools.insert(id, tool);
            if let Some(grant) = state.grants.get_mut(&token) {
                grant.used = true;
            }
            answer
        }
    };
    Ok(Json(answer))
}

fn web_address(value: Option<&Value>, name: &'static str) -> Result<String, RegistrationRefusal> {
    let text = value.and_then(Value::as_str).ok_or(RegistrationRefusal::Field(name))?;
    let url = Url::parse(text).map_err(|_| RegistrationRefusal::Field(name))?;
    if matches!(url.scheme(), "http" | "https") {
        Ok(text.to_owned())
    } else {
        Err(RegistrationRefusal::Field(name))
    }
}

/// Checks a registration request and makes the tool and the answer of it.
fn read(request: &Value, id: u64, client_id: String) -> Result<(Tool, Value), RegistrationRefusal> {
    let contains = |name: &str, wanted: &str| {
        request
            .get(name)
            .and_then(Value::as_array)
            .is_some_and(|all| all.iter().any(|value| value.as_str() == Some(wanted)))
    };
    if !contains("response_types", "id_token") {
        return Err(RegistrationRefusal::Field("response_types"));
    }
    if !contains("grant_types", "client_credentials") {
        return Err(RegistrationRefusal::Field("grant_types"));
    }
    if request.get("token_endpoint_auth_method").and_then(Value::as_str) != Some("private_key_jwt")
    {
        return Err(RegistrationRefusal::Field("token_endpoint_auth_method"));
    }
    let name = request
        .get("client_name")
        .and_then(Value::as_str)
        .filter(|name| !name.is_empty())
        .ok_or(RegistrationRefusal::Field("client_name"))?;
    let login_url = web_address(request.get("initiate_login_uri"), "initiate_login_uri")?;
    let jwks_url = web_address(request.get("jwks_uri"), "jwks_uri")?;
    let redirect_uris = request
        .get("redirect_uris")
        .and_then(Value::as_array)
        .filter(|all| !all.is_empty())
        .ok_or(RegistrationRefusal::Field("redirect_uris"))?
        .iter()
        .map(|uri| web_address(Some(uri), "redirect_uris"))
        .collect::<Result<Vec<_>, _>>()?;
    let tool_part =
        request.get(TOOL_CONFIGURATION).ok_or(RegistrationRefusal::Field(TOOL_CONFIGURATION))?;
    let target_link_uri = web_address(tool_part.get("target_link_uri"), "target_link_uri")?;
    let domain = tool_part
        .get("domain")
        .and_then(Value::as_str)
        .ok_or(RegistrationRefusal::Field("domain"))?;
    let target =
        Url::parse(&target_link_uri).map_err(|_| RegistrationRefusal::Field("target_link_uri"))?;
    let authority = &target[url::Position::BeforeHost..url::Position::AfterPort];
    if authority != domain {
        return Err(RegistrationRefusal::Field(
            "domain (it must be target_link_uri's, port included)",
        ));
    }
    let deep_linking_url = tool_part
        .get("messages")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .find(|message| {
            message.get("type").and_then(Value::as_str) == Some("LtiDeepLinkingRequest")
        })
        .map(|message| match message.get("target_link_uri") {
            Some(uri) => web_address(Some(uri), "messages.target_link_uri"),
            None => Ok(target_link_uri.clone()),
        })
        .transpose()?;
    let custom = tool_part
        .get("custom_parameters")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect();
    let mut answer = request.clone();
    answer["client_id"] = client_id.clone().into();
    answer[TOOL_CONFIGURATION]["deployment_id"] = id.to_string().into();
    answer[TOOL_CONFIGURATION]["version"] = "1.3.0".into();
    let tool = Tool {
        id,
        name: name.to_owned(),
        client_id,
        login_url,
        redirect_uris,
        origin: target.origin().ascii_serialization(),
        target_link_uri,
        deep_linking_url,
        jwks_url,
        custom,
        active: false,
        registration: Some(answer.clone()),
        keys: None,
    };
    Ok((tool, answer))
}

#[derive(Serialize)]
struct ToolLine {
    id: u64,
    name: String,
    client_id: String,
    origin: String,
    active: bool,
    picks: bool,
}

#[derive(Serialize)]
struct ToolsPage {
    tools: Vec<ToolLine>,
    course: u64,
}

/// The tools Campus knows, with a form to register another.
pub(super) async fn tools(
    State(platform): State<Arc<Platform>>,
    visitor: Visitor,
) -> Result<Response, Refusal> {
    visitor.trainer()?;
    let tools = platform
        .state()
        .tools
        .values()
        .map(|tool| ToolLine {
            id: tool.id,
            name: tool.name.clone(),
            client_id: tool.client_id.clone(),
            origin: tool.origin.clone(),
            active: tool.active,
            picks: tool.active && tool.deep_linking_url.is_some(),
        })
        .collect();
    platform.page(&visitor, "tools", ToolsPage { tools, course: super::state::FIRST_COURSE })
}

#[derive(Deserialize)]
pub(super) struct BeginForm {
    url: String,
    /// The tool to update, or `new`; asked where one of the same address is registered.
    tool: Option<String>,
}

#[derive(Serialize)]
struct RegisterPage {
    /// The tool's page; `None` while the choice is open.
    frame: Option<String>,
    url: String,
    known: Vec<KnownTool>,
}

#[derive(Serialize)]
struct KnownTool {
    id: u64,
    name: String,
}

/// Opens the tool's registration page with Campus's configuration and a token. A tool that is there
/// already is updated or registered once more, as the trainer chooses.
pub(super) async fn begin(
    State(platform): State<Arc<Platform>>,
    visitor: Visitor,
    Form(form): Form<BeginForm>,
) -> Result<Response, Refusal> {
    visitor.trainer()?;
    let mut url = Url::parse(form.url.trim())
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))
        .ok_or_else(|| Refusal::Content("URL".to_owned()))?;
    let origin = url.origin().ascii_serialization();
    let known: Vec<KnownTool> = platform
        .state()
        .tools
        .values()
        .filter(|tool| tool.registration.is_some() && tool.origin == origin)
        .map(|tool| KnownTool { id: tool.id, name: tool.name.clone() })
        .collect();
    let update = match form.tool.as_deref() {
        Some("new") => None,
        Some(id) => {
            let wanted = id.parse().ok();
            let found = known.iter().find(|tool| Some(tool.id) == wanted);
            Some(found.ok_or(Refusal::NotFound)?.id)
        }
        None if known.is_empty() => None,
        None => {
            let page = RegisterPage { frame: None, url: form.url, known };
            return platform.page(&visitor, "register", page);
        }
    };
    let (now, life) = (platform.now(), Duration::hours(1));
    let subject = update.map_or_else(random_text, |id| Ok(id.to_string()))?;
    let scope = if update.is_some() { "reg-update" } else { "reg" };
    let claims = json!({
        "sub": subject, "scope": scope, "jti": random_text()?,
        "iat": now.timestamp(), "exp": (now + life).timestamp(),
    });
    let token = {
        let keys = platform.keys();
        let key = keys.current();
        key.sign(Some(&key.kid), &claims)?
    };
    url.query_pairs_mut()
        .append_pair("openid_configuration", &platform.url("/lti/openid-configuration"))
        .append_pair("registration_token", &token);
    let grant = RegistrationGrant { expires_at: now + life, tool: update, used: false };
    platform.state().grants.insert(token, grant);
    let page = RegisterPage { frame: Some(url.to_string()), url: form.url, known };
    platform.page(&visitor, "register", page)
}

/// Lets a registered tool launch.
pub(super) async fn activate(
    State(platform): State<Arc<Platform>>,
    Path(id): Path<u64>,
    visitor: Visitor,
) -> Result<Redirect, Refusal> {
    visitor.trainer()?;
    platform.state().tools.get_mut(&id).ok_or(Refusal::NotFound)?.active = true;
    Ok(Redirect::to("/tools"))
}
