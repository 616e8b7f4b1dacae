//! What each LMS calls the values it wants, and where it publishes its own: facts about products,
//! in one place.

use std::str::FromStr;

use url::Url;

crate::text_enum! {
    /// An LMS product, as an administrator chooses it.
    pub enum Product {
        Moodle = "moodle",
        Canvas = "canvas",
        Blackboard = "blackboard",
        Brightspace = "brightspace",
        Sakai = "sakai",
        OpenEdx = "open-edx",
        /// Any other that speaks LTI 1.3.
        Other = "other",
        /// Any that speaks LTI 1.1 only.
        Legacy = "lti-1-1",
    }
}

crate::text_enum! {
    /// A value of ours that is entered in an LMS.
    pub enum Entry {
        Tool = "tool",
        Target = "target",
        Login = "login",
        Redirect = "redirect",
        Keys = "keys",
        DeepLinking = "deep-linking",
        Domain = "domain",
        Custom = "custom",
        Icon = "icon",
        ConsumerKey = "consumer-key",
        SharedSecret = "shared-secret",
    }
}

/// What is known of a product. Addresses hold `{site}` for the site's address.
#[derive(Debug)]
pub struct Preset {
    pub product: Product,
    /// It can register tools by itself (LTI Dynamic Registration).
    pub registers_itself: bool,
    /// What its form asks for, in its order, with the words on its screen.
    pub entries: &'static [(Entry, &'static str)],
    pub issuer: &'static str,
    pub authorization_endpoint: &'static str,
    pub token_endpoint: &'static str,
    pub jwks_uri: &'static str,
    pub token_audience: &'static str,
    /// Where it publishes its OpenID configuration without asking for a token.
    pub configuration: &'static str,
}

/// What stands in an address where the client id goes.
pub const CLIENT_ID: &str = "{client_id}";
const SITE: &str = "{site}";

const MOODLE: Preset = Preset {
    product: Product::Moodle,
    registers_itself: true,
    entries: &[
        (Entry::Tool, "Tool URL"),
        (Entry::Keys, "Public keyset"),
        (Entry::Login, "Initiate login URL"),
        (Entry::Redirect, "Redirection URI(s)"),
        (Entry::Custom, "Custom parameters"),
        (Entry::DeepLinking, "Content Selection URL"),
        (Entry::Icon, "Secure icon URL"),
    ],
    issuer: "{site}",
    authorization_endpoint: "{site}/mod/lti/auth.php",
    token_endpoint: "{site}/mod/lti/token.php",
    jwks_uri: "{site}/mod/lti/certs.php",
    token_audience: "",
    configuration: "{site}/mod/lti/openid-configuration.php",
};

const CANVAS: Preset = Preset {
    product: Product::Canvas,
    registers_itself: true,
    entries: &[
        (Entry::Redirect, "Redirect URIs"),
        (Entry::Target, "Target Link URI"),
        (Entry::Login, "OpenID Connect Initiation Url"),
        (Entry::Keys, "Public JWK URL"),
        (Entry::Domain, "Domain"),
        (Entry::Custom, "Custom Fields"),
        (Entry::Icon, "Icon Url"),
        (Entry::DeepLinking, "Placements: Target Link URI"),
    ],
    issuer: "https://canvas.instructure.com",
    authorization_endpoint: "https://sso.canvaslms.com/api/lti/authorize_redirect",
    token_endpoint: "https://sso.canvaslms.com/login/oauth2/token",
    jwks_uri: "https://sso.canvaslms.com/api/lti/security/jwks",
    token_audience: "",
    configuration: "",
};

const BLACKBOARD: Preset = Preset {
    product: Product::Blackboard,
    registers_itself: false,
    entries: &[
        (Entry::Domain, "Domain(s)"),
        (Entry::Login, "Login Initiation URL"),
        (Entry::Redirect, "Tool Redirect URL(s)"),
        (Entry::Keys, "Tool JWKS URL"),
        (Entry::Custom, "Tool Provider Custom Parameters"),
        (Entry::DeepLinking, "Placement: Target Link URI"),
        (Entry::Icon, "Placement: Icon"),
    ],
    issuer: "https://blackboard.com",
    authorization_endpoint: "https://developer.blackboard.com/api/v1/gateway/oidcauth",
    token_endpoint: "https://developer.blackboard.com/api/v1/gateway/oauth2/jwttoken",
    jwks_uri: "https://developer.blackboard.com/api/v1/management/applications/{client_id}/jwks.json",
    token_audience: "",
    configuration: "",
};

const BRIGHTSPACE: Preset = Preset {
    product: Product::Brightspace,
    registers_itself: true,
    entries: &[
        (Entry::Domain, "Domain"),
        (Entry::Redirect, "Redirect URLs"),
        (Entry::Login, "OpenID Connect Login URL"),
        (Entry::Target, "Target Link URI"),
        (Entry::Keys, "Keyset URL"),
        (Entry::DeepLinking, "Deep Linking Quicklink: URL"),
        (Entry::Custom, "Substitution / Custom Parameters"),
        (Entry::Icon, "Icon URL"),
    ],
    issuer: "{site}",
    authorization_endpoint: "{site}/d2l/lti/authenticate",
    token_endpoint: "https://auth.brightspace.com/core/connect/token",
    jwks_uri: "{site}/d2l/.well-known/jwks",
    token_audience: "https://api.brightspace.com/auth/token",
    configuration: "",
};

const SAKAI: Preset = Preset {
    product: Product::Sakai,
    registers_itself: true,
    entries: &[
        (Entry::Tool, "Launch URL"),
        (Entry::Custom, "Custom Parameters"),
        (Entry::Keys, "LTI 1.3 Tool Keyset URL"),
        (Entry::Login, "LTI 1.3 Tool OpenID Connect/Initialization Endpoint"),
        (Entry::Redirect, "LTI 1.3 Tool Redirect Endpoint"),
        (Entry::DeepLinking, "Content Item Selection Launch URL"),
        (Entry::Icon, "Icon"),
    ],
    issuer: "{site}",
    authorization_endpoint: "{site}/imsoidc/lti13/oidc_auth",
    // Its number of the tool stands at the end.
    token_endpoint: "{site}/imsblis/lti13/token/",
    jwks_uri: "{site}/imsblis/lti13/keyset",
    token_audience: "",
    configuration: "",
};

const OPEN_EDX: Preset = Preset {
    product: Product::OpenEdx,
    registers_itself: false,
    entries: &[
        (Entry::Tool, "Tool Launch URL"),
        (Entry::Login, "Tool Initiate Login URL"),
        (Entry::Redirect, "Registered Redirect URIs"),
        (Entry::Keys, "Tool Keyset URL"),
        (Entry::Custom, "Custom Parameters"),
        (Entry::DeepLinking, "Deep Linking Launch URL"),
    ],
    issuer: "{site}",
    authorization_endpoint: "{site}/api/lti_consumer/v1/launch/",
    // Each block has its own: its number stands at the end.
    token_endpoint: "{site}/api/lti_consumer/v1/token/",
    jwks_uri: "{site}/api/lti_consumer/v1/public_keysets/",
    token_audience: "",
    configuration: "",
};

const OTHER: Preset = Preset {
    product: Product::Other,
    registers_itself: true,
    entries: &[
        (Entry::Tool, "Launch URL"),
        (Entry::Target, "Target Link URI"),
        (Entry::Login, "Login initiation URL"),
        (Entry::Redirect, "Redirect URIs"),
        (Entry::Keys, "Public JWKS URL"),
        (Entry::DeepLinking, "Deep linking URL"),
        (Entry::Domain, "Domain"),
        (Entry::Custom, "Custom parameters"),
        (Entry::Icon, "Icon URL"),
    ],
    issuer: "",
    authorization_endpoint: "",
    token_endpoint: "",
    jwks_uri: "",
    token_audience: "",
    configuration: "",
};

const LEGACY: Preset = Preset {
    product: Product::Legacy,
    registers_itself: false,
    entries: &[
        (Entry::Tool, "Launch URL"),
        (Entry::ConsumerKey, "Consumer key"),
        (Entry::SharedSecret, "Shared secret"),
        (Entry::Custom, "Custom parameters"),
        (Entry::Icon, "Icon URL"),
    ],
    ..OTHER
};

impl Product {
    pub const ALL: [Self; 8] = [
        Self::Moodle,
        Self::Canvas,
        Self::Blackboard,
        Self::Brightspace,
        Self::Sakai,
        Self::OpenEdx,
        Self::Other,
        Self::Legacy,
    ];

    /// From an address or a form.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|product| product.as_str() == word)
    }

    /// From a `product_family_code`.
    pub fn of_family(family: &str) -> Self {
        let family = family.to_ascii_lowercase();
        let known = [
            ("moodle", Self::Moodle),
            ("canvas", Self::Canvas),
            ("blackboard", Self::Blackboard),
            ("desire2learn", Self::Brightspace),
            ("brightspace", Self::Brightspace),
            ("sakai", Self::Sakai),
            ("edx", Self::OpenEdx),
        ];
        known
            .into_iter()
            .find(|(word, _)| family.contains(word))
            .map_or(Self::Other, |(_, product)| product)
    }

    /// The family code that stands for it until the LMS tells its own.
    pub fn family(self) -> Option<&'static str> {
        Some(match self {
            Self::Moodle => "moodle",
            Self::Canvas => "canvas",
            Self::Blackboard => "BlackboardLearn",
            Self::Brightspace => "desire2learn",
            Self::Sakai => "sakai",
            Self::OpenEdx => "open-edx",
            Self::Other | Self::Legacy => return None,
        })
    }

    pub fn preset(self) -> &'static Preset {
        match self {
            Self::Moodle => &MOODLE,
            Self::Canvas => &CANVAS,
            Self::Blackboard => &BLACKBOARD,
            Self::Brightspace => &BRIGHTSPACE,
            Self::Sakai => &SAKAI,
            Self::OpenEdx => &OPEN_EDX,
            Self::Other => &OTHER,
            Self::Legacy => &LEGACY,
        }
    }
}

/// What a product's form of ours starts with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filled {
    pub issuer: String,
    pub authorization_endpoint: String,
    pub token_endpoint: String,
    pub jwks_uri: String,
    pub token_audience: String,
}

impl Preset {
    /// Whether its addresses follow from the site's.
    pub fn asks_site(&self) -> bool {
        self.issuer.contains(SITE)
    }

    /// The addresses as far as they are known; those of an unknown site stay empty.
    pub fn fill(&self, site: Option<&Site>) -> Filled {
        let fill = |text: &str| match site {
            Some(site) => text.replace(SITE, &site.0),
            None if text.contains(SITE) => String::new(),
            None => text.to_owned(),
        };
        Filled {
            issuer: fill(self.issuer),
            authorization_endpoint: fill(self.authorization_endpoint),
            token_endpoint: fill(self.token_endpoint),
            jwks_uri: fill(self.jwks_uri),
            token_audience: fill(self.token_audience),
        }
    }

    /// Whether the address was left as the preset gives it although the product's own number has
    /// to follow.
    pub fn is_unfinished(&self, address: &str) -> bool {
        [self.token_endpoint, self.jwks_uri].into_iter().any(|known| {
            let ending = known.strip_prefix(SITE).filter(|ending| ending.ends_with('/'));
            ending.is_some_and(|ending| address.ends_with(ending))
        })
    }

    /// Where its OpenID configuration is, if it publishes one.
    pub fn configuration(&self, issuer: &str) -> Option<String> {
        let issuer = issuer.trim_end_matches('/');
        (!self.configuration.is_empty()).then(|| self.configuration.replace(SITE, issuer))
    }
}

/// The address of an LMS as its people see it, without a slash at its end: what its own addresses
/// begin with. Of a page's address that somebody pasted, the site's part is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the address of a site")]
pub struct NotASite;

impl FromStr for Site {
    type Err = NotASite;

    fn from_str(text: &str) -> Result<Self, NotASite> {
        let text = text.trim();
        // People write addresses without the scheme.
        let whole = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
        let url = Url::parse(&whole).map_err(|_| NotASite)?;
        if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() {
            return Err(NotASite);
        }
        // Folders stay (Moodle is often in one), pages and what follows a known folder do not.
        let path = url.path();
        let known =
            ["/admin/", "/mod/", "/my/", "/login/", "/course/", "/d2l/", "/portal", "/api/"];
        let end = known.iter().filter_map(|folder| path.find(folder)).min().unwrap_or(path.len());
        let path = path[..end].trim_end_matches('/');
        let path = match path.rsplit_once('/') {
            Some((folder, page)) if page.contains('.') => folder,
            _ => path,
        };
        Ok(Self(format!("{}{path}", url.origin().ascii_serialization())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(text: &str) -> Option<String> {
        text.parse::<Site>().ok().map(|site| site.0)
    }

    #[test]
    fn the_site_is_found_in_what_people_paste() {
        let cases = [
            ("https://moodle.example/", "https://moodle.example"),
            ("moodle.example", "https://moodle.example"),
            ("https://ecole.example/moodle/", "https://ecole.example/moodle"),
            (
                "https://ecole.example/moodle/admin/settings.php?section=lti",
                "https://ecole.example/moodle",
            ),
            ("https://ecole.example/moodle/index.php", "https://ecole.example/moodle"),
            ("https://d2l.example/d2l/home/6606", "https://d2l.example"),
            ("http://localhost:8000/my/", "http://localhost:8000"),
        ];
        for (pasted, expected) in cases {
            assert_eq!(site(pasted).as_deref(), Some(expected), "{pasted}");
        }
        for wrong in ["", "ftp://moodle.example", "https://", "https://me@moodle.example"] {
            assert_eq!(site(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_preset_fills_what_follows_from_the_site() {
        let at = "https://ecole.example/moodle".parse::<Site>().expect("a site");
        let moodle = Product::Moodle.preset().fill(Some(&at));
        assert_eq!(moodle.issuer, "https://ecole.example/moodle");
        assert_eq!(moodle.jwks_uri, "https://ecole.example/moodle/mod/lti/certs.php");
        assert_eq!(Product::Moodle.preset().fill(None), Filled::default());
        let d2l = Product::Brightspace.preset().fill(None);
        assert_eq!(d2l.token_endpoint, "https://auth.brightspace.com/core/connect/token");
        assert_eq!(d2l.issuer, "");
        for product in Product::ALL {
            let filled = product.preset().fill(Some(&at));
            assert!(!format!("{filled:?}").contains(SITE), "{product:?}");
            assert_eq!(Product::from_word(product.as_str()), Some(product));
            assert_eq!(product.preset().product, product);
            if let Some(family) = product.family() {
                assert_eq!(Product::of_family(family), product);
            }
        }
    }

    #[test]
    fn an_address_that_lacks_its_number_is_unfinished() {
        let sakai = Product::Sakai.preset();
        assert!(sakai.is_unfinished("https://sakai.example/imsblis/lti13/token/"));
        assert!(!sakai.is_unfinished("https://sakai.example/imsblis/lti13/token/4"));
        assert!(!sakai.is_unfinished("https://sakai.example/imsblis/lti13/keyset"));
        assert!(!Product::Other.preset().is_unfinished("https://lms.example/token/"));
    }
}
