//! What the services have in common: bearer tokens, media types, Moodle's way of refusing.

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::Platform;

/// A refused service call, with the JSON a Moodle explains itself in.
#[derive(Debug)]
pub(super) struct ServiceRefusal {
    status: StatusCode,
    body: String,
}

impl IntoResponse for ServiceRefusal {
    fn into_response(self) -> Response {
        let content_type = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
        (self.status, content_type, self.body).into_response()
    }
}

/// A service call with a bearer token that Campus gave out.
pub(super) struct ServiceRequest {
    /// Tool the token was given to.
    pub(super) tool: u64,
    scopes: Vec<String>,
    method: Method,
    path: String,
    url: String,
    accept: Option<String>,
    /// Media type without its parameters.
    content_type: String,
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

impl FromRequestParts<Arc<Platform>> for ServiceRequest {
    type Rejection = ServiceRefusal;

    async fn from_request_parts(
        parts: &mut Parts,
        platform: &Arc<Platform>,
    ) -> Result<Self, Self::Rejection> {
        let content_type = text(&parts.headers, header::CONTENT_TYPE).unwrap_or_default();
        let mut request = Self {
            tool: 0,
            scopes: Vec::new(),
            method: parts.method.clone(),
            path: parts.uri.path().trim_start_matches("/lti/services").to_owned(),
            url: parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
            accept: text(&parts.headers, header::ACCEPT),
            content_type: content_type.split(';').next().unwrap_or_default().trim().to_owned(),
        };
        let authorization = text(&parts.headers, header::AUTHORIZATION).unwrap_or_default();
        let now = platform.now();
        let mut state = platform.state();
        let granted = authorization
            .strip_prefix("Bearer ")
            .and_then(|token| state.access_tokens.get(token))
            .filter(|token| token.expires_at > now)
            .cloned();
        let Some(granted) = granted else {
            return Err(request.refuse(StatusCode::UNAUTHORIZED, "Unauthorized"));
        };
        if state.faults.refuse_bearer > 0 {
            state.faults.refuse_bearer -= 1;
            return Err(request.refuse(StatusCode::UNAUTHORIZED, "Unauthorized"));
        }
        request.tool = granted.tool;
        request.scopes = granted.scopes;
        Ok(request)
    }
}

impl ServiceRequest {
    /// A refusal of this call.
    pub(super) fn refuse(&self, status: StatusCode, reason: impl Into<String>) -> ServiceRefusal {
        let mut request = json!({ "method": self.method.as_str(), "url": self.url });
        if self.method == Method::GET {
            request["accept"] = self.accept.clone().unwrap_or_default().into();
        }
        request["contentType"] = self.content_type.clone().into();
        let body = json!({
            "status": status.as_u16(),
            "reason": reason.into(),
            "request": request,
        });
        ServiceRefusal { status, body: format!("{body:#}") }
    }

    /// One of these scopes is needed.
    pub(super) fn need(&self, scopes: &[&str]) -> Result<(), ServiceRefusal> {
        if self.scopes.iter().any(|granted| scopes.contains(&granted.as_str())) {
            Ok(())
        } else {
            Err(self.refuse(StatusCode::UNAUTHORIZED, "Unauthorized"))
        }
    }

    /// `Accept` must be absent or exactly one of `types`; `*/*` counts where `any` says so.
    pub(super) fn accepts(&self, types: &[&str], any: bool) -> Result<(), ServiceRefusal> {
        match self.accept.as_deref() {
            None | Some("") => Ok(()),
            Some(accept) if types.contains(&accept) => Ok(()),
            Some(accept) if accept.contains("*/*") => {
                if any {
                    Ok(())
                } else {
                    Err(self
                        .refuse(StatusCode::BAD_REQUEST, "No context or unsupported content type"))
                }
            }
            Some(accept) => Err(self.refuse(
                StatusCode::BAD_REQUEST,
                format!("No handler found for {} {accept} ", self.path),
            )),
        }
    }

    /// The body's media type must be exactly this one, parameters aside.
    pub(super) fn carries(&self, media_type: &str) -> Result<(), ServiceRefusal> {
        if self.content_type == media_type {
            Ok(())
        } else {
            Err(self.refuse(
                StatusCode::BAD_REQUEST,
                format!("No handler found for {}  {}", self.path, self.content_type),
            ))
        }
    }

    pub(super) fn not_found(&self) -> ServiceRefusal {
        self.refuse(StatusCode::NOT_FOUND, "Not Found: no such resource for this tool")
    }
}
