//! What arrives at the redirect URI (LTI Security Framework 5.1.1.3): a token, or an error
//! (OpenID Connect Core 3.1.2.6).

use crate::Fault;
use crate::form::{Form, FormError};

/// The body of the POST to the redirect URI.
#[derive(Clone, PartialEq, Eq)]
pub enum LaunchForm {
    /// A launch to verify.
    Token {
        /// `id_token`
        id_token: String,
        /// `state`
        state: String,
    },
    /// The platform refused our authentication request.
    Error(PlatformError),
}

/// An `id_token` is a credential until its nonce is spent: it is not printed.
impl std::fmt::Debug for LaunchForm {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Token { .. } => formatter.write_str("LaunchForm::Token(…)"),
            Self::Error(error) => formatter.debug_tuple("LaunchForm::Error").field(error).finish(),
        }
    }
}

/// Why the form was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LaunchFormRefusal {
    /// The form itself.
    #[error(transparent)]
    Form(#[from] FormError),
    /// Neither `id_token` nor `error`.
    #[error("the form has no `id_token`")]
    TokenMissing,
    /// A token without `state`.
    #[error("the form has no `state`")]
    StateMissing,
}

impl LaunchFormRefusal {
    /// A stable word for texts and counters.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Form(error) => error.code(),
            Self::TokenMissing => "token-missing",
            Self::StateMissing => "state-missing",
        }
    }

    /// Always the sender's.
    pub const fn fault(&self) -> Fault {
        Fault::Peer
    }
}

/// An authentication error, as the platform words it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformError {
    /// `error`
    pub error: String,
    /// `error_description`
    pub description: Option<String>,
    /// `state`; Moodle sends it empty when it had none.
    pub state: Option<String>,
}

impl PlatformError {
    /// A stable word for texts and counters.
    pub fn code(&self) -> &'static str {
        match self.error.as_str() {
            "login_required"
            | "interaction_required"
            | "account_selection_required"
            | "consent_required" => "platform-login-required",
            "access_denied" => "platform-access-denied",
            "unauthorized_client" | "invalid_client" => "platform-unauthorized-client",
            "invalid_request" | "unsupported_response_type" | "invalid_scope" => {
                "platform-invalid-request"
            }
            "server_error" | "temporarily_unavailable" => "platform-server-error",
            _ => "platform-error",
        }
    }

    /// Who has to act: a client id the platform does not know is a matter of set-up.
    pub fn fault(&self) -> Fault {
        match self.code() {
            "platform-unauthorized-client" => Fault::Configuration,
            _ => Fault::Peer,
        }
    }
}

impl LaunchForm {
    /// Reads the body of the POST.
    pub fn parse(body: &[u8]) -> Result<Self, LaunchFormRefusal> {
        let form = Form::parse(body)?;
        if let Some(error) = form.filled("error") {
            let short = |text: &str| {
                crate::json::clean(text).map(|text| text.chars().take(500).collect::<String>())
            };
            return Ok(Self::Error(PlatformError {
                error: short(error).unwrap_or_default(),
                description: form.filled("error_description").and_then(short),
                state: form.filled("state").map(str::to_owned),
            }));
        }
        let id_token = form.filled("id_token").ok_or(LaunchFormRefusal::TokenMissing)?;
        let state = form.filled("state").ok_or(LaunchFormRefusal::StateMissing)?;
        Ok(Self::Token { id_token: id_token.to_owned(), state: state.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_tokens_errors_and_nonsense() {
        let parse = |text: &str| LaunchForm::parse(text.as_bytes());
        assert_eq!(
            parse("id_token=a.b.c&state=s"),
            Ok(LaunchForm::Token { id_token: "a.b.c".into(), state: "s".into() })
        );
        assert_eq!(parse("state=s"), Err(LaunchFormRefusal::TokenMissing));
        assert_eq!(parse("id_token=a.b.c&state="), Err(LaunchFormRefusal::StateMissing));
        let twice = parse("id_token=a&id_token=b&state=s").map_err(|error| error.code());
        assert_eq!(twice, Err("form-field-twice"));
        let Ok(LaunchForm::Error(error)) =
            parse("error=invalid_request&error_description=Invalid+prompt&state=ST%26%C3%A9")
        else {
            panic!("an error was expected");
        };
        assert_eq!(error.code(), "platform-invalid-request");
        assert_eq!(error.description.as_deref(), Some("Invalid prompt"));
        assert_eq!(error.state.as_deref(), Some("ST&é"));
    }
}
