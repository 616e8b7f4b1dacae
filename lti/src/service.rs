//! What the answers of the platform's services have in common: errors, and whether to try again.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use crate::Fault;
use crate::http::Response;

/// Why a service's answer is not what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServiceError {
    /// 401: the access token is no longer good. Drop it, get another, try once more.
    #[error("the platform does not accept the access token")]
    Unauthorized,
    /// 403: not with these scopes.
    #[error("the platform forbids it: {excerpt}")]
    Forbidden {
        /// The beginning of the answer.
        excerpt: String,
    },
    /// 404 or 410: it is gone.
    #[error("the platform has no such thing")]
    NotFound,
    /// 429, with the wait the platform asks for.
    #[error("the platform asks to slow down")]
    TooManyRequests {
        /// `Retry-After`.
        retry_after: Option<TimeDelta>,
    },
    /// 5xx (503 with its `Retry-After`).
    #[error("the platform has a problem: {status}")]
    Server {
        /// The status.
        status: u16,
        /// `Retry-After`.
        retry_after: Option<TimeDelta>,
    },
    /// Another status: what we sent is wrong.
    #[error("the platform refuses with {status}: {excerpt}")]
    Refused {
        /// The status.
        status: u16,
        /// The beginning of the answer.
        excerpt: String,
    },
    /// Success, but the body is not what the service is to answer.
    #[error("the platform's answer cannot be read: {excerpt}")]
    Unreadable {
        /// The beginning of the answer.
        excerpt: String,
    },
}

impl ServiceError {
    /// A stable word for texts and counters.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unauthorized => "service-unauthorized",
            Self::Forbidden { .. } => "service-forbidden",
            Self::NotFound => "service-not-found",
            Self::TooManyRequests { .. } => "service-too-many-requests",
            Self::Server { .. } => "service-server-error",
            Self::Refused { .. } => "service-refused",
            Self::Unreadable { .. } => "service-unreadable",
        }
    }

    /// Who has to act.
    pub const fn fault(&self) -> Fault {
        match self {
            Self::Unauthorized | Self::Forbidden { .. } | Self::NotFound => Fault::Configuration,
            _ => Fault::Peer,
        }
    }

    /// Whether the same request may succeed later.
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::Unauthorized | Self::TooManyRequests { .. } | Self::Server { .. })
    }
}

/// `Ok` for 2xx, else the error the status stands for. `now` turns a `Retry-After` date into a
/// wait.
pub fn check(response: &Response, now: DateTime<Utc>) -> Result<(), ServiceError> {
    let excerpt = || response.excerpt();
    match response.status {
        200..=299 => Ok(()),
        401 => Err(ServiceError::Unauthorized),
        403 => Err(ServiceError::Forbidden { excerpt: excerpt() }),
        404 | 410 => Err(ServiceError::NotFound),
        408 | 425 | 500..=599 => Err(ServiceError::Server {
            status: response.status,
            retry_after: retry_after(response, now),
        }),
        429 => Err(ServiceError::TooManyRequests { retry_after: retry_after(response, now) }),
        status => Err(ServiceError::Refused { status, excerpt: excerpt() }),
    }
}

/// The body of a successful answer as JSON, whatever its `Content-Type` says.
pub(crate) fn json(response: &Response, now: DateTime<Utc>) -> Result<Value, ServiceError> {
    check(response, now)?;
    serde_json::from_slice(&response.body).map_err(|_| unreadable(response))
}

pub(crate) fn unreadable(response: &Response) -> ServiceError {
    ServiceError::Unreadable { excerpt: response.excerpt() }
}

/// `Retry-After` in seconds or as a date (RFC 9110 10.2.3); never negative, at most a day.
pub fn retry_after(response: &Response, now: DateTime<Utc>) -> Option<TimeDelta> {
    let text = std::str::from_utf8(response.header("Retry-After")?).ok()?.trim();
    let wait = match text.parse::<u32>() {
        Ok(seconds) => TimeDelta::seconds(i64::from(seconds)),
        Err(_) => DateTime::parse_from_rfc2822(text).ok()?.with_timezone(&Utc) - now,
    };
    Some(wait.clamp(TimeDelta::zero(), TimeDelta::days(1)))
}
