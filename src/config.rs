//! Configuration: one TOML file, overridden by `PASSERELLE_*` variables.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use url::Url;

/// Every key, with its default. The variable of a key is its path in capitals: `smtp.host` is
/// `PASSERELLE_SMTP_HOST`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where the database is: `sqlite:path` or `postgres://…`.
    pub database_url: String,
    /// The folder for packages, certificates and other files.
    pub blobs: PathBuf,
    /// Where the pages are served from.
    pub bind: SocketAddr,
    /// Where course content is served from: another port or address than the pages.
    pub content_bind: SocketAddr,
    /// Where `/metrics` is served from, for Prometheus; empty: nowhere.
    #[serde(deserialize_with = "address_or_nothing")]
    pub metrics_bind: Option<SocketAddr>,
    /// The pages' address as browsers see it. No path, no trailing slash.
    pub public_url: Url,
    /// The content's address as browsers see it, with `{label}` where an enrolment's label goes.
    pub content_url: String,
    /// Outbound calls may reach private and loopback addresses: for demos, tests and LMSs in the
    /// same private network.
    pub insecure_allow_private_networks: bool,
    /// How many jobs run at a time in this process.
    pub workers: usize,
    pub smtp: Smtp,
    /// The OpenID Connect provider that staff may sign in with, beside the link by mail.
    pub staff_sign_in: Option<StaffSignIn>,
}

/// A provider staff sign in with.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StaffSignIn {
    /// As the provider's discovery document writes it, to the letter.
    pub issuer: String,
    pub client_id: String,
    pub client_secret: String,
    /// What the button calls it.
    pub name: String,
}

impl std::fmt::Debug for StaffSignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StaffSignIn").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

#[derive(Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Smtp {
    pub host: String,
    pub port: u16,
    /// `none`, `starttls` (refuses a server without it) or `tls` (from the first byte).
    pub encryption: Encryption,
    pub user: Option<String>,
    pub password: Option<String>,
    /// How long one SMTP command may take, in seconds.
    pub timeout_seconds: u64,
}

impl std::fmt::Debug for Smtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Smtp")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("encryption", &self.encryption)
            .finish_non_exhaustive()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encryption {
    None,
    Starttls,
    Tls,
}

impl Default for Smtp {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 25,
            encryption: Encryption::Starttls,
            user: None,
            password: None,
            timeout_seconds: 60,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            database_url: "sqlite:passerelle.sqlite".to_owned(),
            blobs: PathBuf::from("blobs"),
            bind: SocketAddr::from(([127, 0, 0, 1], 8080)),
            content_bind: SocketAddr::from(([127, 0, 0, 1], 8081)),
            metrics_bind: Some(SocketAddr::from(([127, 0, 0, 1], 8082))),
            public_url: loopback("http://localhost:8080"),
            content_url: "http://{label}.localhost:8081".to_owned(),
            insecure_allow_private_networks: false,
            workers: 2,
            smtp: Smtp::default(),
            staff_sign_in: None,
        }
    }
}

fn address_or_nothing<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SocketAddr>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() {
        return Ok(None);
    }
    text.parse()
        .map(Some)
        .map_err(|_| D::Error::custom(format!("{text:?} is not an address and port, nor empty")))
}

fn loopback(url: &str) -> Url {
    Url::parse(url).expect("a URL written in this file")
}

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("the configuration file {path} cannot be read: {source}")]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("the configuration file {path} is not valid TOML: {source}")]
    NotToml { path: PathBuf, source: Box<toml::de::Error> },
    #[error("the configuration is wrong: {0}")]
    Invalid(Box<toml::de::Error>),
    #[error("public_url must be an origin, such as https://training.example.org, and is {0}")]
    PublicUrl(Url),
    #[error("content_url must contain {{label}} once and be an origin, and is {0}")]
    ContentUrl(String),
    #[error("staff_sign_in.issuer must be an https address, and is {0:?}")]
    StaffIssuer(String),
}

impl Config {
    /// Reads `file`, if any, then the environment over it.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let mut table = match file {
            None => toml::Table::new(),
            Some(path) => std::fs::read_to_string(path)
                .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?
                .parse()
                .map_err(|source| ConfigError::NotToml {
                    path: path.to_owned(),
                    source: Box::new(source),
                })?,
        };
        overlay(&mut table, std::env::vars());
        Self::from_table(table)
    }

    fn from_table(table: toml::Table) -> Result<Self, ConfigError> {
        let config: Self =
            table.try_into().map_err(|error| ConfigError::Invalid(Box::new(error)))?;
        let public = &config.public_url;
        if !matches!(public.scheme(), "http" | "https") || public.path() != "/" {
            return Err(ConfigError::PublicUrl(public.clone()));
        }
        let sample = config.content_url.replace("{label}", "a");
        let is_origin = Url::parse(&sample).is_ok_and(|url| url.path() == "/");
        if config.content_url.matches("{label}").count() != 1 || !is_origin {
            return Err(ConfigError::ContentUrl(config.content_url));
        }
        if let Some(provider) = &config.staff_sign_in {
            // Whoever stands between us and the provider would decide who signs in.
            let safe = Url::parse(&provider.issuer).is_ok_and(|url| match url.scheme() {
                "https" => true,
                "http" => config.insecure_allow_private_networks,
                _ => false,
            });
            if !safe {
                return Err(ConfigError::StaffIssuer(provider.issuer.clone()));
            }
        }
        Ok(config)
    }

    /// An address of ours, from its path.
    pub fn public(&self, path: &str) -> String {
        let origin = self.public_url.as_str().trim_end_matches('/');
        format!("{origin}{path}")
    }

    /// The origin of the pages, as `Origin` headers and CSP write it.
    pub fn origin(&self) -> String {
        self.public("")
    }

    /// The origin of one enrolment's content.
    pub fn content_origin(&self, label: &str) -> String {
        self.content_url.trim_end_matches('/').replace("{label}", label)
    }

    /// The label that a `Host` header names, if it is a host of ours.
    pub fn label_of_host<'h>(&self, host: &'h str) -> Option<&'h str> {
        let authority = self.content_url.split_once("://")?.1.trim_end_matches('/');
        let (before, after) = authority.split_once("{label}")?;
        host.strip_prefix(before)?.strip_suffix(after)
    }

    /// Browsers are reached over TLS: cookies can carry the `__Host-` prefix. Chromium treats
    /// loopback hosts alike, so this holds for the demo too.
    pub fn secure_cookies(&self) -> bool {
        let host = self.public_url.host_str().unwrap_or_default();
        self.public_url.scheme() == "https" || matches!(host, "localhost" | "127.0.0.1" | "[::1]")
    }
}

/// Writes the `PASSERELLE_*` variables over the file's keys. Variables that name no key are left
/// alone: the test suite and service managers have their own.
fn overlay(table: &mut toml::Table, variables: impl Iterator<Item = (String, String)>) {
    const TOP: [&str; 9] = [
        "database_url",
        "blobs",
        "bind",
        "content_bind",
        "metrics_bind",
        "public_url",
        "content_url",
        "insecure_allow_private_networks",
        "workers",
    ];
    const STAFF: [&str; 4] = ["issuer", "client_id", "client_secret", "name"];
    const SMTP: [&str; 6] = ["host", "port", "encryption", "user", "password", "timeout_seconds"];
    for (name, value) in variables {
        let Some(key) = name.strip_prefix("PASSERELLE_").map(str::to_ascii_lowercase) else {
            continue;
        };
        if TOP.contains(&key.as_str()) {
            table.insert(key, typed(value));
        } else if let Some(inner) = key.strip_prefix("smtp_").filter(|key| SMTP.contains(key)) {
            let smtp =
                table.entry("smtp").or_insert_with(|| toml::Value::Table(toml::Table::new()));
            if let toml::Value::Table(smtp) = smtp {
                smtp.insert(inner.to_owned(), typed(value));
            }
        } else if let Some(inner) =
            key.strip_prefix("staff_sign_in_").filter(|key| STAFF.contains(key))
        {
            let staff = table
                .entry("staff_sign_in")
                .or_insert_with(|| toml::Value::Table(toml::Table::new()));
            if let toml::Value::Table(staff) = staff {
                // All four are texts, also one of digits.
                staff.insert(inner.to_owned(), toml::Value::String(value));
            }
        }
    }
}

fn typed(value: String) -> toml::Value {
    match value.parse::<i64>() {
        Ok(number) => toml::Value::Integer(number),
        Err(_) => match value.as_str() {
            "true" => toml::Value::Boolean(true),
            "false" => toml::Value::Boolean(false),
            _ => toml::Value::String(value),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_override_the_file() {
        let mut table: toml::Table =
            "workers = 7\n[smtp]\nhost = 'mail.example'".parse().expect("TOML");
        let variables = [("PASSERELLE_WORKERS", "3"), ("PASSERELLE_SMTP_PORT", "2525")];
        overlay(&mut table, variables.map(|(k, v)| (k.to_owned(), v.to_owned())).into_iter());
        let config = Config::from_table(table).expect("valid");
        assert_eq!((config.workers, config.smtp.port), (3, 2525));
        assert_eq!(config.smtp.host, "mail.example");
    }

    #[test]
    fn a_provider_of_staff_is_reached_over_tls() {
        let read = |issuer: &str| {
            let mut table = toml::Table::new();
            let variables = [("ISSUER", issuer), ("CLIENT_ID", "1"), ("CLIENT_SECRET", "s")];
            let name = |key: &str| format!("PASSERELLE_STAFF_SIGN_IN_{key}");
            let pairs = variables.into_iter().chain([("NAME", "Annuaire")]);
            overlay(&mut table, pairs.map(|(key, value)| (name(key), value.to_owned())));
            Config::from_table(table)
        };
        let config = read("https://id.example.org/realm").expect("valid");
        let provider = config.staff_sign_in.expect("a provider");
        assert_eq!((provider.client_id.as_str(), provider.name.as_str()), ("1", "Annuaire"));
        assert!(!format!("{provider:?}").contains("Annuaire"));
        for wrong in ["http://id.example.org", "id.example.org", "file:///etc"] {
            assert!(matches!(read(wrong), Err(ConfigError::StaffIssuer(_))), "{wrong}");
        }
    }

    #[test]
    fn metrics_are_served_on_loopback_elsewhere_or_not_at_all() {
        let load = |value: &str| {
            let mut table = toml::Table::new();
            let variable = ("PASSERELLE_METRICS_BIND".to_owned(), value.to_owned());
            overlay(&mut table, std::iter::once(variable));
            Config::from_table(table).map(|config| config.metrics_bind)
        };
        assert_eq!(load("").expect("valid"), None);
        assert_eq!(load("10.0.0.1:9000").expect("valid"), "10.0.0.1:9000".parse().ok());
        assert!(load("9000").is_err() && load("metrics.example:80").is_err());
        assert_eq!(Config::default().metrics_bind, "127.0.0.1:8082".parse().ok());
    }

    #[test]
    fn an_unknown_key_is_named() {
        let table: toml::Table = "databse_url = 'sqlite:x'".parse().expect("TOML");
        let error = Config::from_table(table).expect_err("a typing error").to_string();
        assert!(error.contains("databse_url"), "{error}");
    }

    #[test]
    fn the_label_is_read_from_the_host() {
        let config = Config::default();
        assert_eq!(config.label_of_host("abc.localhost:8081"), Some("abc"));
        assert_eq!(config.label_of_host("localhost:8081"), None);
        assert_eq!(config.content_origin("abc"), "http://abc.localhost:8081");
    }
}
