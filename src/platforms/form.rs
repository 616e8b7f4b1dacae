//! The forms in which an administrator describes an LMS: read whole, or refused field by field.

use serde::{Deserialize, Serialize};
use url::Url;

use super::presets::{CLIENT_ID, Product};
use super::{Addresses, NewRegistration};
use crate::ids::TenantId;

/// The longest name, in characters.
pub const NAME: usize = 200;
/// Identifiers are at most 255 characters (LTI Core 5.3.3; OpenID Connect Core 2).
const IDENTIFIER: usize = 255;
const ADDRESS: usize = 2000;
/// More deployments than this are not typed by hand.
const DEPLOYMENTS: usize = 50;

/// What the LMS gives for its registration, as the browser sends it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AddressesForm {
    pub issuer: String,
    pub client_id: String,
    pub authorization_endpoint: String,
    pub token_endpoint: String,
    pub jwks_uri: String,
    pub token_audience: String,
}

/// A platform to add, as the browser sends it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PlatformForm {
    pub name: String,
    /// One a line.
    pub deployments: String,
    #[serde(flatten)]
    pub addresses: AddressesForm,
}

/// For each field the key of the sentence that says what is wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FormErrors {
    pub name: Option<&'static str>,
    pub issuer: Option<&'static str>,
    pub client_id: Option<&'static str>,
    pub authorization_endpoint: Option<&'static str>,
    pub token_endpoint: Option<&'static str>,
    pub jwks_uri: Option<&'static str>,
    pub token_audience: Option<&'static str>,
    pub deployments: Option<&'static str>,
}

impl FormErrors {
    pub fn any(&self) -> bool {
        *self != Self::default()
    }
}

/// Addresses of plain http are for installations that may call private networks: demos, tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schemes {
    HttpsOnly,
    InsecureHttpToo,
}

impl AddressesForm {
    pub fn of(addresses: &Addresses) -> Self {
        Self {
            issuer: addresses.issuer.clone(),
            client_id: addresses.client_id.clone(),
            authorization_endpoint: addresses.authorization_endpoint.to_string(),
            token_endpoint: addresses.token_endpoint.to_string(),
            jwks_uri: addresses.jwks_uri.to_string(),
            token_audience: addresses.token_audience.clone().unwrap_or_default(),
        }
    }

    /// The addresses, or all that is wrong with them.
    pub fn parse(&self, product: Product, schemes: Schemes) -> Result<Addresses, FormErrors> {
        let mut errors = FormErrors::default();
        let issuer = issuer(&self.issuer, product, schemes);
        let client_id = identifier(&self.client_id);
        let client = self.client_id.trim();
        let endpoint = |text: &str| {
            // A client id of a product that puts it into its addresses needs no encoding there.
            let text = text.trim().replace(CLIENT_ID, client);
            if product.preset().is_unfinished(&text) {
                return Err("platforms-error-address-unfinished");
            }
            address(&text, schemes)
        };
        let authorization_endpoint = endpoint(&self.authorization_endpoint);
        let token_endpoint = endpoint(&self.token_endpoint);
        let jwks_uri = endpoint(&self.jwks_uri);
        let token_audience = match self.token_audience.trim() {
            "" => Ok(None),
            text if text.chars().count() > ADDRESS || text.chars().any(char::is_control) => {
                Err("platforms-error-audience")
            }
            text => Ok(Some(text.to_owned())),
        };
        errors.issuer = issuer.as_ref().err().copied();
        errors.client_id = client_id.as_ref().err().copied();
        errors.authorization_endpoint = authorization_endpoint.as_ref().err().copied();
        errors.token_endpoint = token_endpoint.as_ref().err().copied();
        errors.jwks_uri = jwks_uri.as_ref().err().copied();
        errors.token_audience = token_audience.as_ref().err().copied();
        match (issuer, client_id, authorization_endpoint, token_endpoint, jwks_uri, token_audience)
        {
            (Ok(issuer), Ok(client_id), Ok(authorization), Ok(token), Ok(jwks), Ok(audience)) => {
                Ok(Addresses {
                    issuer,
                    client_id,
                    authorization_endpoint: authorization,
                    token_endpoint: token,
                    jwks_uri: jwks,
                    token_audience: audience,
                })
            }
            _ => Err(errors),
        }
    }
}

impl PlatformForm {
    /// The registration that the form describes, or all that is wrong with it.
    pub fn parse(
        &self,
        tenant: TenantId,
        product: Product,
        schemes: Schemes,
    ) -> Result<NewRegistration, FormErrors> {
        let addresses = self.addresses.parse(product, schemes);
        let mut errors = addresses.as_ref().err().cloned().unwrap_or_default();
        let name = name(&self.name);
        errors.name = name.as_ref().err().copied();
        let deployments = deployments(&self.deployments);
        errors.deployments = deployments.as_ref().err().copied();
        match (addresses, name, deployments) {
            (Ok(addresses), Ok(name), Ok(deployments)) => Ok(NewRegistration {
                tenant,
                name,
                issuer: addresses.issuer,
                client_id: addresses.client_id,
                authorization_endpoint: addresses.authorization_endpoint,
                token_endpoint: addresses.token_endpoint,
                jwks_uri: addresses.jwks_uri,
                token_audience: addresses.token_audience,
                deployments,
            }),
            _ => Err(errors),
        }
    }
}

/// The name people know an LMS by: one line, nothing that cannot be seen.
pub fn name(text: &str) -> Result<String, &'static str> {
    let visible: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let name = visible.split_whitespace().collect::<Vec<_>>().join(" ");
    match name.chars().count() {
        0 => Err("platforms-error-name-missing"),
        1..=NAME => Ok(name),
        _ => Err("platforms-error-name-long"),
    }
}

/// Exactly as the LMS writes it: it is compared letter by letter with `iss`.
fn issuer(text: &str, product: Product, schemes: Schemes) -> Result<String, &'static str> {
    let text = text.trim();
    let url = address(text, schemes)?;
    if url.query().is_some() {
        return Err("platforms-error-issuer-query");
    }
    // Moodle's is `$CFG->wwwroot`, which never ends in a slash.
    if product == Product::Moodle && text.ends_with('/') {
        return Err("platforms-error-issuer-slash");
    }
    Ok(text.to_owned())
}

/// A client or deployment id: opaque, but never blank, long or with spaces inside.
pub fn identifier(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    if text.is_empty() {
        return Err("platforms-error-identifier-missing");
    }
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err("platforms-error-identifier-spaces");
    }
    if text.chars().count() > IDENTIFIER {
        return Err("platforms-error-identifier-long");
    }
    Ok(text.to_owned())
}

fn address(text: &str, schemes: Schemes) -> Result<Url, &'static str> {
    if text.is_empty() {
        return Err("platforms-error-address-missing");
    }
    if text.chars().count() > ADDRESS {
        return Err("platforms-error-address-long");
    }
    let url = Url::parse(text).map_err(|_| "platforms-error-address")?;
    match (url.scheme(), schemes) {
        ("https", _) | ("http", Schemes::InsecureHttpToo) => {}
        ("http", Schemes::HttpsOnly) => return Err("platforms-error-address-http"),
        _ => return Err("platforms-error-address"),
    }
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    if plain && url.has_host() { Ok(url) } else { Err("platforms-error-address") }
}

fn deployments(text: &str) -> Result<Vec<String>, &'static str> {
    let mut all: Vec<String> = Vec::new();
    for line in text.split(['\n', '\r', ',']).map(str::trim).filter(|line| !line.is_empty()) {
        let deployment = identifier(line)?;
        if !all.contains(&deployment) {
            all.push(deployment);
        }
    }
    if all.len() > DEPLOYMENTS { Err("platforms-error-deployments-many") } else { Ok(all) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moodle() -> PlatformForm {
        PlatformForm {
            name: "  Moodle de\tl’académie ".to_owned(),
            deployments: "1\r\n2, 2\n".to_owned(),
            addresses: AddressesForm {
                issuer: "https://moodle.example".to_owned(),
                client_id: " abc ".to_owned(),
                authorization_endpoint: "https://moodle.example/mod/lti/auth.php".to_owned(),
                token_endpoint: "https://moodle.example/mod/lti/token.php".to_owned(),
                jwks_uri: "https://moodle.example/mod/lti/certs.php".to_owned(),
                token_audience: String::new(),
            },
        }
    }

    fn tenant() -> TenantId {
        TenantId::from(uuid::Uuid::nil())
    }

    #[test]
    fn a_sound_form_is_read_and_trimmed() {
        let new = moodle().parse(tenant(), Product::Moodle, Schemes::HttpsOnly).expect("sound");
        assert_eq!(new.name, "Moodle de l’académie");
        assert_eq!((new.client_id.as_str(), new.token_audience), ("abc", None));
        assert_eq!(new.deployments, ["1", "2"]);
    }

    #[test]
    fn each_field_is_refused_with_its_own_reason() {
        type Case = (fn(&mut PlatformForm), fn(&FormErrors) -> Option<&'static str>, &'static str);
        let cases: [Case; 9] = [
            (|f| f.name = " \u{7}".to_owned(), |e| e.name, "platforms-error-name-missing"),
            (|f| f.addresses.issuer.push('/'), |e| e.issuer, "platforms-error-issuer-slash"),
            (
                |f| f.addresses.issuer = "https://moodle.example?a=1".to_owned(),
                |e| e.issuer,
                "platforms-error-issuer-query",
            ),
            (
                |f| f.addresses.client_id = "a b".to_owned(),
                |e| e.client_id,
                "platforms-error-identifier-spaces",
            ),
            (
                |f| f.addresses.token_endpoint = "http://moodle.example/token".to_owned(),
                |e| e.token_endpoint,
                "platforms-error-address-http",
            ),
            (
                |f| f.addresses.jwks_uri = "javascript:alert(1)".to_owned(),
                |e| e.jwks_uri,
                "platforms-error-address",
            ),
            (
                |f| f.addresses.jwks_uri = "https://me:secret@moodle.example/".to_owned(),
                |e| e.jwks_uri,
                "platforms-error-address",
            ),
            (
                |f| f.addresses.authorization_endpoint.clear(),
                |e| e.authorization_endpoint,
                "platforms-error-address-missing",
            ),
            (
                |f| f.deployments = "x".repeat(256),
                |e| e.deployments,
                "platforms-error-identifier-long",
            ),
        ];
        for (change, field, message) in cases {
            let mut form = moodle();
            change(&mut form);
            let errors = form.parse(tenant(), Product::Moodle, Schemes::HttpsOnly);
            assert_eq!(field(&errors.expect_err(message)), Some(message));
        }
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let errors = PlatformForm::default()
            .parse(tenant(), Product::Other, Schemes::HttpsOnly)
            .expect_err("an empty form");
        assert!(errors.name.is_some() && errors.issuer.is_some() && errors.client_id.is_some());
        assert!(errors.jwks_uri.is_some() && errors.deployments.is_none() && errors.any());
    }

    #[test]
    fn blackboard_puts_the_client_id_into_the_address_of_its_keys() {
        let filled = Product::Blackboard.preset().fill(None);
        let form = AddressesForm {
            issuer: filled.issuer,
            client_id: "4f2c-11".to_owned(),
            authorization_endpoint: filled.authorization_endpoint,
            token_endpoint: filled.token_endpoint,
            jwks_uri: filled.jwks_uri,
            token_audience: filled.token_audience,
        };
        let read = form.parse(Product::Blackboard, Schemes::HttpsOnly).expect("sound");
        assert!(read.jwks_uri.as_str().ends_with("/applications/4f2c-11/jwks.json"));
    }

    #[test]
    fn plain_http_is_for_installations_that_allow_it() {
        let mut form = moodle();
        form.addresses.jwks_uri = "http://localhost:8000/mod/lti/certs.php".to_owned();
        assert!(form.parse(tenant(), Product::Moodle, Schemes::HttpsOnly).is_err());
        assert!(form.parse(tenant(), Product::Moodle, Schemes::InsecureHttpToo).is_ok());
    }
}
