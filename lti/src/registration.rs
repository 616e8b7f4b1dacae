//! Dynamic registration (LTI Dynamic Registration 1.0; OpenID Connect Dynamic Client
//! Registration 1.0).

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use url::Url;

use crate::Fault;
use crate::form::{Form, FormError};
use crate::http::{Method, Request, Response};
use crate::json;

const TOOL_CONFIGURATION: &str = "https://purl.imsglobal.org/spec/lti-tool-configuration";
const PLATFORM_CONFIGURATION: &str = "https://purl.imsglobal.org/spec/lti-platform-configuration";
const MAX_BYTES: usize = 256 * 1024;

/// Why a registration goes no further.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistrationRefusal {
    /// The query of the registration page.
    #[error(transparent)]
    Form(#[from] FormError),
    /// No `openid_configuration`, or not a web address (3.3).
    #[error("`openid_configuration` is missing or no web address")]
    ConfigurationUrlMissing,
    /// The configuration could not be fetched.
    #[error("the platform's configuration is not there: {status}")]
    ConfigurationUnavailable {
        /// The status.
        status: u16,
    },
    /// It is not JSON, or too large.
    #[error("the platform's configuration is not JSON")]
    ConfigurationUnreadable,
    /// A required field is missing or no web address.
    #[error("the platform's configuration has no usable `{0}`")]
    FieldMissing(&'static str),
    /// The issuer's host is not where the configuration came from (3.5.2).
    #[error("the issuer is on `{issuer}`, its configuration on `{configuration}`")]
    IssuerElsewhere {
        /// The issuer's host.
        issuer: String,
        /// The configuration's host.
        configuration: String,
    },
    /// The registration token would be sent to another host.
    #[error("the registration endpoint is on another host: {host}")]
    EndpointElsewhere {
        /// That host.
        host: String,
    },
    /// The configuration came by https and names an endpoint without.
    #[error("the endpoint `{0}` is not https")]
    EndpointInsecure(&'static str),
    /// The platform refuses the registration.
    #[error("the platform refuses the registration ({status}): {message}")]
    Refused {
        /// The status.
        status: u16,
        /// `error` and `error_description`, `errors`, or the beginning of the answer.
        message: String,
    },
    /// The platform answers success without a `client_id`.
    #[error("the platform's answer has no `client_id`")]
    ClientIdMissing,
}

impl RegistrationRefusal {
    /// A stable word for texts and counters.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Form(error) => error.code(),
            Self::ConfigurationUrlMissing => "registration-configuration-url-missing",
            Self::ConfigurationUnavailable { .. } => "registration-configuration-unavailable",
            Self::ConfigurationUnreadable => "registration-configuration-unreadable",
            Self::FieldMissing(_) => "registration-field-missing",
            Self::IssuerElsewhere { .. } => "registration-issuer-elsewhere",
            Self::EndpointElsewhere { .. } => "registration-endpoint-elsewhere",
            Self::EndpointInsecure(_) => "registration-endpoint-insecure",
            Self::Refused { .. } => "registration-refused",
            Self::ClientIdMissing => "registration-client-id-missing",
        }
    }

    /// Always the platform's, or whoever posed as it.
    pub const fn fault(&self) -> Fault {
        Fault::Peer
    }
}

/// How a registration begins: the platform opens our page with this query (3.3).
#[derive(Clone, PartialEq, Eq)]
pub struct Start {
    /// Where the platform describes itself. Unverified: fetch it with a client that does not reach
    /// private addresses.
    pub configuration_url: Url,
    /// The token for the registration endpoint; optional (Brightspace sends none).
    pub token: Option<String>,
}

impl std::fmt::Debug for Start {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Start")
            .field("configuration_url", &self.configuration_url.as_str())
            .field("token", &self.token.is_some())
            .finish()
    }
}

impl Start {
    /// Reads the query.
    pub fn parse(query: &[u8]) -> Result<Self, RegistrationRefusal> {
        let form = Form::parse(query)?;
        let configuration_url = form
            .filled("openid_configuration")
            .filter(|text| crate::login::is_web_address(text))
            .and_then(|text| Url::parse(text).ok())
            .ok_or(RegistrationRefusal::ConfigurationUrlMissing)?;
        let token = form.filled("registration_token").map(str::to_owned);
        Ok(Self { configuration_url, token })
    }

    /// Whether the platform says that this is an update of a registration: Moodle's token is a JWT
    /// whose scope is then `reg-update`. Unverified, since only the platform can: a hint what to ask
    /// it for.
    pub fn asks_for_update(&self) -> bool {
        let claims = self.token.as_deref().and_then(|token| token.split('.').nth(1));
        claims
            .and_then(|part| URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok())
            .and_then(|bytes| object(&bytes))
            .and_then(|claims| json::text(&claims, "scope"))
            .is_some_and(|scope| scope.split_whitespace().any(|scope| scope == "reg-update"))
    }

    /// The request for the platform's configuration (3.4).
    pub fn request(&self) -> Request {
        Request::new(Method::Get, self.configuration_url.clone())
            .header("Accept", "application/json")
    }
}

/// What the platform says about itself (3.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformConfiguration {
    /// `issuer`, verbatim: launches have to carry exactly this.
    pub issuer: String,
    /// `authorization_endpoint`
    pub authorization_endpoint: Url,
    /// `token_endpoint`
    pub token_endpoint: Url,
    /// `jwks_uri`
    pub jwks_uri: Url,
    /// `registration_endpoint`
    pub registration_endpoint: Url,
    /// `authorization_server`: the audience of assertions, where it differs from the endpoint.
    pub authorization_server: Option<String>,
    /// `scopes_supported`
    pub scopes: Vec<String>,
    /// `claims_supported`
    pub claims: Vec<String>,
    /// `product_family_code`
    pub family: Option<String>,
    /// `version` of the product.
    pub version: Option<String>,
    /// Types of the messages it can send.
    pub messages: Vec<String>,
    /// Where it offers a type of message, as far as it says.
    pub placements: BTreeMap<String, Vec<String>>,
    /// Variables it can substitute in custom parameters.
    pub variables: Vec<String>,
}

impl PlatformConfiguration {
    /// Reads the answer to [`Start::request`] and checks that it speaks for the host it came from.
    pub fn parse(response: &Response, start: &Start) -> Result<Self, RegistrationRefusal> {
        if !response.is_success() {
            return Err(RegistrationRefusal::ConfigurationUnavailable { status: response.status });
        }
        let document =
            object(&response.body).ok_or(RegistrationRefusal::ConfigurationUnreadable)?;
        let from = &start.configuration_url;
        let endpoint = |name: &'static str| {
            let url = json::web_address(&document, name)
                .ok_or(RegistrationRefusal::FieldMissing(name))?;
            if from.scheme() == "https" && url.scheme() != "https" {
                return Err(RegistrationRefusal::EndpointInsecure(name));
            }
            Ok(url)
        };
        let issuer_url = endpoint("issuer")?;
        if issuer_url.host() != from.host() {
            return Err(RegistrationRefusal::IssuerElsewhere {
                issuer: issuer_url.host_str().unwrap_or_default().to_owned(),
                configuration: from.host_str().unwrap_or_default().to_owned(),
            });
        }
        let registration_endpoint = endpoint("registration_endpoint")?;
        if registration_endpoint.host() != from.host() {
            return Err(RegistrationRefusal::EndpointElsewhere {
                host: registration_endpoint.host_str().unwrap_or_default().to_owned(),
            });
        }
        let empty = Map::new();
        let platform = json::object(&document, PLATFORM_CONFIGURATION).unwrap_or(&empty);
        let supported = || platform.get("messages_supported").and_then(Value::as_array);
        let messages = supported()
            .into_iter()
            .flatten()
            .filter_map(|message| match message {
                Value::Object(message) => json::text(message, "type"),
                other => json::scalar(other),
            })
            .collect();
        let placements = supported()
            .into_iter()
            .flatten()
            .filter_map(Value::as_object)
            .filter_map(|message| {
                let placements = json::texts(message, "placements");
                let message_type = json::text(message, "type")?;
                (!placements.is_empty()).then_some((message_type, placements))
            })
            .collect();
        Ok(Self {
            issuer: identifier(&document, "issuer")
                .ok_or(RegistrationRefusal::FieldMissing("issuer"))?,
            authorization_endpoint: endpoint("authorization_endpoint")?,
            token_endpoint: endpoint("token_endpoint")?,
            jwks_uri: endpoint("jwks_uri")?,
            registration_endpoint,
            authorization_server: json::text(&document, "authorization_server"),
            scopes: json::texts(&document, "scopes_supported"),
            claims: json::texts(&document, "claims_supported"),
            family: json::text(platform, "product_family_code").map(|code| code.to_lowercase()),
            version: json::text(platform, "version"),
            messages,
            placements,
            variables: json::texts(platform, "variables"),
        })
    }
}

/// A message we can take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolMessage {
    /// Its type.
    pub message_type: &'static str,
    /// Where it goes, if not to the tool's own address.
    pub target_link_uri: Option<Url>,
    /// What a person picks, by language; the empty tag is the default.
    pub labels: BTreeMap<String, String>,
    /// Where it may be offered; what the platform does not list is left out.
    pub placements: Vec<&'static str>,
    /// Custom parameters of this message.
    pub custom: BTreeMap<String, String>,
}

/// What we say about ourselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tool {
    /// `client_name`, by language; the empty tag is the default.
    pub names: BTreeMap<String, String>,
    /// `description`, by language.
    pub descriptions: BTreeMap<String, String>,
    /// `initiate_login_uri`
    pub login_url: Url,
    /// `redirect_uris`, without query.
    pub redirect_urls: Vec<Url>,
    /// `target_link_uri`; its host and port are the tool's domain.
    pub target_link_uri: Url,
    /// `jwks_uri`
    pub jwks_url: Url,
    /// `logo_uri`
    pub logo_url: Option<Url>,
    /// `tos_uri`
    pub terms_url: Option<Url>,
    /// `policy_uri`
    pub policy_url: Option<Url>,
    /// `contacts`: addresses.
    pub contacts: Vec<String>,
    /// Scopes needed; what the platform does not support is left out.
    pub scopes: BTreeSet<String>,
    /// Personal claims needed (`name`, `email` …), beside `iss` and `sub`.
    pub claims: BTreeSet<String>,
    /// Messages.
    pub messages: Vec<ToolMessage>,
    /// Custom parameters of every launch.
    pub custom: BTreeMap<String, String>,
}

impl Tool {
    /// The registration for this platform (3.5): nothing it does not support, nothing we do not
    /// need.
    pub fn to_json(&self, platform: &PlatformConfiguration) -> Value {
        let scopes: Vec<&str> = self
            .scopes
            .iter()
            .map(String::as_str)
            .filter(|scope| {
                platform.scopes.is_empty() || platform.scopes.iter().any(|s| s == scope)
            })
            .collect();
        let claims: Vec<&str> = ["iss", "sub"]
            .into_iter()
            .chain(self.claims.iter().map(String::as_str))
            .filter(|claim| {
                platform.claims.is_empty() || platform.claims.iter().any(|c| c == claim)
            })
            .collect();
        let messages: Vec<Value> = self
            .messages
            .iter()
            .filter(|message| {
                platform.messages.is_empty()
                    || platform.messages.iter().any(|known| known == message.message_type)
            })
            .map(|message| message.to_json(platform))
            .collect();
        let mut configuration = Map::new();
        configuration.insert("domain".into(), domain(&self.target_link_uri).into());
        configuration.insert("target_link_uri".into(), self.target_link_uri.as_str().into());
        configuration.insert("claims".into(), json!(claims));
        configuration.insert("messages".into(), messages.into());
        insert_custom(&mut configuration, &self.custom, platform);
        localized(&mut configuration, "description", &self.descriptions);
        let mut map = Map::new();
        map.insert("application_type".into(), "web".into());
        map.insert("response_types".into(), json!(["id_token"]));
        map.insert("grant_types".into(), json!(["implicit", "client_credentials"]));
        map.insert("token_endpoint_auth_method".into(), "private_key_jwt".into());
        map.insert("initiate_login_uri".into(), self.login_url.as_str().into());
        let redirects: Vec<&str> = self.redirect_urls.iter().map(Url::as_str).collect();
        map.insert("redirect_uris".into(), json!(redirects));
        map.insert("jwks_uri".into(), self.jwks_url.as_str().into());
        localized(&mut map, "client_name", &self.names);
        let pages = [
            ("logo_uri", &self.logo_url),
            ("tos_uri", &self.terms_url),
            ("policy_uri", &self.policy_url),
        ];
        for (name, url) in pages {
            if let Some(url) = url {
                map.insert(name.into(), url.as_str().into());
            }
        }
        if !self.contacts.is_empty() {
            map.insert("contacts".into(), json!(self.contacts));
        }
        map.insert("scope".into(), scopes.join(" ").into());
        map.insert(TOOL_CONFIGURATION.into(), Value::Object(configuration));
        Value::Object(map)
    }
}

impl ToolMessage {
    fn to_json(&self, platform: &PlatformConfiguration) -> Value {
        let mut map = Map::new();
        map.insert("type".into(), self.message_type.into());
        if let Some(url) = &self.target_link_uri {
            map.insert("target_link_uri".into(), url.as_str().into());
        }
        localized(&mut map, "label", &self.labels);
        let offered = platform.placements.get(self.message_type);
        let placements: Vec<&str> = self
            .placements
            .iter()
            .copied()
            .filter(|wanted| offered.is_some_and(|all| all.iter().any(|one| one == wanted)))
            .collect();
        if !placements.is_empty() {
            map.insert("placements".into(), json!(placements));
        }
        insert_custom(&mut map, &self.custom, platform);
        Value::Object(map)
    }
}

/// Without the variables that the platform does not know: it would send their names (Moodle).
fn insert_custom(
    map: &mut Map<String, Value>,
    custom: &BTreeMap<String, String>,
    platform: &PlatformConfiguration,
) {
    let known = |value: &str| match value.strip_prefix('$') {
        Some(variable) => {
            platform.variables.is_empty()
                || platform.variables.iter().any(|v| v.trim_start_matches('$') == variable)
        }
        None => true,
    };
    let custom: Map<String, Value> = custom
        .iter()
        .filter(|(_, value)| known(value))
        .map(|(name, value)| (name.clone(), value.as_str().into()))
        .collect();
    if !custom.is_empty() {
        map.insert("custom_parameters".into(), custom.into());
    }
}

/// The request to register (3.5). The same request updates a registration at Moodle, whose token
/// then says so.
pub fn register(platform: &PlatformConfiguration, token: Option<&str>, tool: &Tool) -> Request {
    write(Method::Post, &platform.registration_endpoint, token, &tool.to_json(platform))
}

/// The request to update by the client's own address (OpenID Connect Registration 4.2, RFC 7592
/// 2.2), where the platform gave one.
pub fn update(
    client_url: &Url,
    access_token: &str,
    client_id: &str,
    platform: &PlatformConfiguration,
    tool: &Tool,
) -> Request {
    let mut body = tool.to_json(platform);
    if let Value::Object(map) = &mut body {
        map.insert("client_id".into(), client_id.into());
    }
    write(Method::Put, client_url, Some(access_token), &body)
}

/// The request for the registration as it stands.
pub fn read(url: &Url, token: &str) -> Request {
    Request::new(Method::Get, url.clone()).header("Accept", "application/json").bearer(token)
}

/// What the platform registered.
#[derive(Clone, PartialEq, Eq)]
pub struct Registered {
    /// `client_id`
    pub client_id: String,
    /// The deployment that came with it, if any; others follow with launches.
    pub deployment_id: Option<String>,
    /// The scopes granted, which may be fewer.
    pub scopes: BTreeSet<String>,
    /// `registration_client_uri`
    pub client_url: Option<Url>,
    /// `registration_access_token`
    pub access_token: Option<String>,
}

impl std::fmt::Debug for Registered {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Registered")
            .field("client_id", &self.client_id)
            .field("deployment_id", &self.deployment_id)
            .finish_non_exhaustive()
    }
}

impl Registered {
    /// Reads the answer (3.6).
    pub fn parse(response: &Response) -> Result<Self, RegistrationRefusal> {
        let document = object(&response.body);
        if !response.is_success() {
            let message = document.as_ref().and_then(error_message);
            return Err(RegistrationRefusal::Refused {
                status: response.status,
                message: message.unwrap_or_else(|| response.excerpt()).chars().take(500).collect(),
            });
        }
        let document = document.ok_or(RegistrationRefusal::ClientIdMissing)?;
        let configuration = json::object(&document, TOOL_CONFIGURATION);
        Ok(Self {
            client_id: identifier(&document, "client_id")
                .ok_or(RegistrationRefusal::ClientIdMissing)?,
            deployment_id: configuration
                .and_then(|configuration| identifier(configuration, "deployment_id")),
            scopes: json::texts(&document, "scope")
                .iter()
                .flat_map(|scopes| scopes.split_whitespace())
                .map(str::to_owned)
                .collect(),
            client_url: json::web_address(&document, "registration_client_uri"),
            access_token: json::text(&document, "registration_access_token"),
        })
    }
}

/// An identifier that launches can carry (LTI Core 5.3.3: at most 255 ASCII characters; a client id
/// and an issuer are no longer).
fn identifier(document: &Map<String, Value>, name: &str) -> Option<String> {
    json::identifier(document, name)
        .filter(|text| text.len() <= 255 && !text.chars().any(char::is_control))
}

/// OpenID's `error` and `error_description`, `message`, Moodle's `reason`, Canvas's `errors`.
fn error_message(document: &Map<String, Value>) -> Option<String> {
    let words: Vec<String> = ["error", "error_description", "message", "reason"]
        .iter()
        .filter_map(|name| json::text(document, name))
        .collect();
    if !words.is_empty() {
        return Some(words.join(": "));
    }
    document.get("errors").map(Value::to_string)
}

fn write(method: Method, url: &Url, token: Option<&str>, body: &Value) -> Request {
    let request = Request::new(method, url.clone())
        .header("Accept", "application/json")
        .body("application/json", body.to_string());
    match token {
        Some(token) => request.bearer(token),
        None => request,
    }
}

/// Host and, where it is not the scheme's own, port: Moodle compares both.
fn domain(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// `name`, `name#fr` … (OpenID Connect Registration 2.1).
fn localized(map: &mut Map<String, Value>, name: &str, texts: &BTreeMap<String, String>) {
    for (language, text) in texts {
        let key = if language.is_empty() { name.to_owned() } else { format!("{name}#{language}") };
        map.insert(key, text.as_str().into());
    }
}

fn object(bytes: &[u8]) -> Option<Map<String, Value>> {
    if bytes.len() > MAX_BYTES {
        return None;
    }
    match serde_json::from_slice(bytes).ok()? {
        Value::Object(map) => Some(map),
        _ => None,
    }
}
