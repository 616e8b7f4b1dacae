//! Third-party initiated login (LTI Security Framework 1.0, 5.1.1.1) and the authentication
//! request that answers it (5.1.1.2).

use url::Url;

use crate::Fault;
use crate::form::{Form, FormError};

/// What the platform (through the browser, so: unverified) asks to begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginRequest {
    /// `iss`: who the platform says it is.
    pub issuer: String,
    /// `login_hint`, opaque.
    pub login_hint: String,
    /// `target_link_uri`: where the launch wants to end. Unsigned; compare it with the claim.
    pub target_link_uri: String,
    /// `client_id`; optional (LTI 1.3 Core 4.1.3).
    pub client_id: Option<String>,
    /// `lti_deployment_id`; optional (4.1.2).
    pub deployment_id: Option<String>,
    /// `lti_message_hint`, echoed verbatim and never interpreted (4.1.1). Moodle's is JSON.
    pub message_hint: Option<String>,
    /// `lti_storage_target`: the frame that stores for us (LTI Client Side postMessages 1.0).
    pub storage_target: Option<String>,
}

/// Why a login request was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoginRefusal {
    /// The form itself.
    #[error(transparent)]
    Form(#[from] FormError),
    /// No `iss`.
    #[error("the login request has no `iss`")]
    IssuerMissing,
    /// No `login_hint`.
    #[error("the login request has no `login_hint`")]
    LoginHintMissing,
    /// No `target_link_uri`.
    #[error("the login request has no `target_link_uri`")]
    TargetLinkUriMissing,
    /// `target_link_uri` is not an http or https URL.
    #[error("the `target_link_uri` of the login request is not a web address")]
    TargetLinkUriInvalid,
}

impl LoginRefusal {
    /// A stable word for texts and counters.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Form(error) => error.code(),
            Self::IssuerMissing => "login-issuer-missing",
            Self::LoginHintMissing => "login-hint-missing",
            Self::TargetLinkUriMissing => "login-target-missing",
            Self::TargetLinkUriInvalid => "login-target-invalid",
        }
    }

    /// Always the sender's.
    pub const fn fault(&self) -> Fault {
        Fault::Peer
    }
}

impl LoginRequest {
    /// Reads the query of a GET or the body of a POST; both must be supported (5.1.1.1).
    pub fn parse(bytes: &[u8]) -> Result<Self, LoginRefusal> {
        let form = Form::parse(bytes)?;
        let optional = |name: &str| form.filled(name).map(str::to_owned);
        let target_link_uri =
            optional("target_link_uri").ok_or(LoginRefusal::TargetLinkUriMissing)?;
        if !is_web_address(&target_link_uri) {
            return Err(LoginRefusal::TargetLinkUriInvalid);
        }
        Ok(Self {
            issuer: optional("iss").ok_or(LoginRefusal::IssuerMissing)?,
            login_hint: optional("login_hint").ok_or(LoginRefusal::LoginHintMissing)?,
            target_link_uri,
            client_id: optional("client_id"),
            deployment_id: optional("lti_deployment_id"),
            message_hint: optional("lti_message_hint"),
            storage_target: optional("lti_storage_target"),
        })
    }
}

/// The authentication request as a URL to redirect to (5.1.1.2): exactly the parameters of the
/// specification. Moodle refuses other scopes, and a parameter it reserves breaks its own flow.
///
/// `redirect_uri` must be one of ours as registered, character for character, and never the
/// unsigned `target_link_uri`.
pub fn authentication_url(
    endpoint: &Url,
    client_id: &str,
    redirect_uri: &str,
    state: &str,
    nonce: &str,
    login: &LoginRequest,
) -> Url {
    let mut url = endpoint.clone();
    url.set_fragment(None);
    {
        let mut query = url.query_pairs_mut();
        query
            .append_pair("scope", "openid")
            .append_pair("response_type", "id_token")
            .append_pair("response_mode", "form_post")
            .append_pair("prompt", "none")
            .append_pair("client_id", client_id)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("state", state)
            .append_pair("nonce", nonce)
            .append_pair("login_hint", &login.login_hint);
        if let Some(hint) = &login.message_hint {
            query.append_pair("lti_message_hint", hint);
        }
    }
    url
}

/// Whether the text is an absolute http or https URL with a host.
pub(crate) fn is_web_address(text: &str) -> bool {
    Url::parse(text)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOODLE: &[u8] = b"iss=http%3A%2F%2Flocalhost%3A8100&target_link_uri=http%3A%2F%2Flocalhost%3A9001%2Flaunch&login_hint=4&lti_message_hint=%7B%22cmid%22%3A2%2C%22launchid%22%3A%22ltilaunch1_1357489841%22%7D&client_id=h8ROddORbbDYKmR&lti_deployment_id=1";

    #[test]
    fn reads_moodles_login_and_echoes_its_hint_verbatim() -> Result<(), Box<dyn std::error::Error>>
    {
        let login = LoginRequest::parse(MOODLE)?;
        assert_eq!(login.client_id.as_deref(), Some("h8ROddORbbDYKmR"));
        assert_eq!(login.deployment_id.as_deref(), Some("1"));
        assert_eq!(login.storage_target, None);
        let endpoint = Url::parse("http://localhost:8100/mod/lti/auth.php?tenant=a")?;
        let url = authentication_url(&endpoint, "c", "http://tool/launch", "ST&é", "n", &login);
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let expected = [
            ("tenant", "a"),
            ("scope", "openid"),
            ("response_type", "id_token"),
            ("response_mode", "form_post"),
            ("prompt", "none"),
            ("client_id", "c"),
            ("redirect_uri", "http://tool/launch"),
            ("state", "ST&é"),
            ("nonce", "n"),
            ("login_hint", "4"),
            ("lti_message_hint", r#"{"cmid":2,"launchid":"ltilaunch1_1357489841"}"#),
        ];
        assert_eq!(
            pairs,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
        );
        Ok(())
    }

    #[test]
    fn refuses_what_is_missing_or_doubled() {
        let code = |text: &str| LoginRequest::parse(text.as_bytes()).err().map(|e| e.code());
        assert_eq!(code("iss=a&login_hint=1"), Some("login-target-missing"));
        assert_eq!(code("login_hint=1&target_link_uri=https://t/"), Some("login-issuer-missing"));
        assert_eq!(code("iss=a&target_link_uri=https://t/"), Some("login-hint-missing"));
        assert_eq!(
            code("iss=a&login_hint=1&target_link_uri=javascript:1"),
            Some("login-target-invalid")
        );
        assert_eq!(code("iss=a&iss=b"), Some("form-field-twice"));
    }
}
