//! What we say about ourselves, and no more than we need.

use std::collections::BTreeMap;

use lti::registration::{PlatformConfiguration, Tool, ToolMessage};
use lti::token::scope;

use crate::app::App;
use crate::ids::RegistrationId;
use crate::platforms::keys;
use crate::tenants::Tenant;
use crate::web::{Lang, assets};

const NAME: &str = "Passerelle";
/// Personal data: who it is, how they are called on a certificate, where it is sent.
const CLAIMS: [&str; 4] = ["name", "given_name", "family_name", "email"];
/// Where somebody who teaches picks an activity: the specification's word, and Canvas's two.
const PLACEMENTS: [&str; 3] = ["ContentArea", "assignment_selection", "link_selection"];
/// What tells a copied course from a new one.
const HISTORY: [(&str, &str); 2] = [
    ("context_id_history", "$Context.id.history"),
    ("resource_link_id_history", "$ResourceLink.id.history"),
];

/// The scopes we ask this platform for: grades, and the roster only where it is offered.
pub(super) fn scopes(platform: &PlatformConfiguration) -> Vec<&'static str> {
    let offers = |scope: &str| platform.scopes.iter().any(|offered| offered == scope);
    let mut scopes: Vec<&'static str> = [scope::SCORE, scope::LINE_ITEM, scope::RESULT_READ]
        .into_iter()
        .filter(|scope| platform.scopes.is_empty() || offers(scope))
        .collect();
    if offers(scope::MEMBERSHIP_READ) {
        scopes.push(scope::MEMBERSHIP_READ);
    }
    scopes
}

/// The tool as this platform is told of it, with the registration's own addresses.
pub(super) fn describe(
    app: &App,
    tenant: &Tenant,
    platform: &PlatformConfiguration,
    id: RegistrationId,
) -> Tool {
    let base = &app.config.public_url;
    let at = |path: &str| {
        let mut url = base.clone();
        url.set_path(path);
        url
    };
    let launch = at("/lti/launch");
    Tool {
        names: [(String::new(), NAME.to_owned())].into(),
        descriptions: words(app, tenant.language, "register-tool-description"),
        login_url: at(&format!("/lti/login/{id}")),
        redirect_urls: vec![launch.clone()],
        target_link_uri: launch.clone(),
        jwks_url: at(&keys::path(id)),
        logo_url: assets::address("mark.svg").map(|path| at(&path)),
        terms_url: None,
        policy_url: None,
        contacts: Vec::new(),
        scopes: scopes(platform).into_iter().map(str::to_owned).collect(),
        claims: CLAIMS.into_iter().map(str::to_owned).collect(),
        messages: vec![
            ToolMessage {
                message_type: "LtiResourceLinkRequest",
                target_link_uri: None,
                labels: BTreeMap::new(),
                placements: Vec::new(),
                custom: BTreeMap::new(),
            },
            ToolMessage {
                message_type: "LtiDeepLinkingRequest",
                target_link_uri: Some(launch),
                labels: words(app, tenant.language, "register-tool-picker"),
                placements: PLACEMENTS.to_vec(),
                custom: BTreeMap::new(),
            },
        ],
        custom: HISTORY
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
    }
}

/// A message in each language, the tenant's without a tag.
fn words(app: &App, default: Lang, key: &str) -> BTreeMap<String, String> {
    let say = |lang: Lang| app.pages.locales.say(lang, key, &[]);
    let tagged = Lang::ALL.into_iter().map(|lang| (lang.as_str().to_owned(), say(lang)));
    tagged.chain([(String::new(), say(default))]).collect()
}
