//! What the templates about platforms are given.

use serde::Serialize;

use crate::console::Frame;
use crate::platforms::form::{AddressesForm, FormErrors, PlatformForm};
use crate::web::Page;

/// A value of ours to copy into an LMS.
#[derive(Clone, Debug, Serialize)]
pub struct CopyRow {
    pub id: String,
    /// The key of what the value is.
    pub label: String,
    /// What the LMS calls it on its screen; empty where it has no word.
    pub theirs: &'static str,
    pub value: String,
    /// It has several lines.
    pub lines: bool,
}

impl CopyRow {
    pub fn new(word: &str, theirs: &'static str, value: String) -> Self {
        Self {
            id: format!("copy-{word}"),
            label: format!("platforms-value-{word}"),
            theirs,
            lines: value.contains('\n'),
            value,
        }
    }

    fn samples() -> Vec<Self> {
        vec![
            Self::new("login", "Initiate login URL", "https://here.example/lti/login".to_owned()),
            Self::new("custom", "Custom parameters", "a=$A\nb=$B".to_owned()),
            Self::new("own-login", "", "https://here.example/lti/login/1".to_owned()),
        ]
    }
}

#[derive(Serialize)]
pub struct ListPage {
    pub frame: Frame,
    pub notice: Option<&'static str>,
    pub new_path: String,
    pub pending: Vec<ListRow>,
    pub rows: Vec<ListRow>,
    /// Who knocked and is not registered.
    pub strangers: Vec<StrangerRow>,
}

#[derive(Serialize)]
pub struct StrangerRow {
    pub detail: String,
    pub times: i64,
}

#[derive(Clone, Serialize)]
pub struct ListRow {
    pub path: String,
    pub state_path: String,
    pub form_token: String,
    pub name: String,
    pub tenant: String,
    pub issuer: String,
    pub version: &'static str,
    pub state_key: String,
    pub closed: bool,
    pub since: String,
    pub last_launch: Option<String>,
    pub refused: i64,
    pub waiting: i64,
}

impl Page for ListPage {
    const TEMPLATE: &'static str = "pages/console-platforms";

    fn samples() -> Vec<Self> {
        let row = |state: &str, last: Option<&str>, number| ListRow {
            path: "/console/platforms/1".to_owned(),
            state_path: "/console/platforms/1/state".to_owned(),
            form_token: "token".to_owned(),
            name: "Moodle <script>\"".to_owned(),
            tenant: "Réseau".to_owned(),
            issuer: "https://lms.example".to_owned(),
            version: "1.3",
            state_key: format!("platforms-state-{state}"),
            closed: state == "closed",
            since: "lundi".to_owned(),
            last_launch: last.map(str::to_owned),
            refused: number,
            waiting: number,
        };
        let page = |notice, pending, rows: Vec<ListRow>| Self {
            frame: Frame::sample(),
            notice,
            new_path: "/console/platforms/new".to_owned(),
            pending,
            strangers: rows
                .iter()
                .map(|row| StrangerRow { detail: row.name.clone(), times: 2 })
                .collect(),
            rows,
        };
        vec![
            page(None, Vec::new(), Vec::new()),
            page(
                Some("platforms-done-approved"),
                vec![row("pending", None, 0)],
                vec![row("active", Some("lundi"), 3), row("closed", None, 0)],
            ),
        ]
    }
}

/// Step one: which LMS, for whom.
#[derive(Serialize)]
pub struct ChoosePage {
    pub frame: Frame,
    pub back_path: &'static str,
    pub action: String,
    pub products: Vec<Choice>,
    pub tenants: Vec<TenantChoice>,
    pub site: String,
    pub site_error: bool,
}

#[derive(Serialize)]
pub struct Choice {
    pub word: &'static str,
    pub key: String,
    pub checked: bool,
}

#[derive(Serialize)]
pub struct TenantChoice {
    pub slug: String,
    pub name: String,
    pub selected: bool,
}

impl Page for ChoosePage {
    const TEMPLATE: &'static str = "pages/console-platform-new";

    fn samples() -> Vec<Self> {
        let page = |tenants: &[&str], site_error| Self {
            frame: Frame::sample(),
            back_path: "/console/platforms",
            action: "/console/platforms/new".to_owned(),
            products: vec![Choice {
                word: "moodle",
                key: "platforms-product-moodle".to_owned(),
                checked: site_error,
            }],
            tenants: tenants
                .iter()
                .map(|name| TenantChoice {
                    slug: (*name).to_owned(),
                    name: (*name).to_owned(),
                    selected: site_error,
                })
                .collect(),
            site: "<script>\"".to_owned(),
            site_error,
        };
        vec![page(&[], false), page(&["a"], false), page(&["a", "b"], true)]
    }
}

/// Step two: the two ways to connect.
#[derive(Serialize)]
pub struct ConnectPage {
    pub frame: Frame,
    pub back_path: String,
    pub product: &'static str,
    pub product_key: String,
    pub tenant: String,
    pub tenant_name: String,
    /// Its addresses follow from the site's, which is not known yet.
    pub wants_site: bool,
    pub auto: Option<Auto>,
    pub manual_key: String,
    pub settings_key: String,
    pub back_key: String,
    pub copies: Vec<CopyRow>,
    pub action: String,
    pub form_token: String,
    pub values: PlatformForm,
    pub addresses: AddressesForm,
    pub errors: FormErrors,
    pub any_error: bool,
}

/// The LMS registers the service by itself.
#[derive(Serialize)]
pub struct Auto {
    pub key: String,
    pub action: String,
}

impl Page for ConnectPage {
    const TEMPLATE: &'static str = "pages/console-platform-connect";

    fn samples() -> Vec<Self> {
        let page = |auto: bool, errors: FormErrors| Self {
            frame: Frame::sample(),
            back_path: "/console/platforms/new?product=moodle".to_owned(),
            product: "moodle",
            product_key: "platforms-product-moodle".to_owned(),
            tenant: "reseau".to_owned(),
            tenant_name: "Réseau".to_owned(),
            wants_site: auto,
            auto: auto.then(|| Auto {
                key: "platforms-auto-moodle".to_owned(),
                action: "/console/platforms/link".to_owned(),
            }),
            manual_key: "platforms-manual-moodle".to_owned(),
            settings_key: "platforms-settings-moodle".to_owned(),
            back_key: "platforms-back-moodle".to_owned(),
            copies: CopyRow::samples(),
            action: "/console/platforms".to_owned(),
            form_token: "token".to_owned(),
            values: PlatformForm { name: "<script>\"".to_owned(), ..PlatformForm::default() },
            addresses: AddressesForm::default(),
            any_error: errors.any(),
            errors,
        };
        vec![page(true, FormErrors::default()), page(false, all_errors())]
    }
}

fn all_errors() -> FormErrors {
    let address = Some("platforms-error-address");
    FormErrors {
        name: Some("platforms-error-name-missing"),
        issuer: Some("platforms-error-issuer-slash"),
        client_id: Some("platforms-error-taken"),
        authorization_endpoint: address,
        token_endpoint: address,
        jwks_uri: address,
        token_audience: Some("platforms-error-audience"),
        deployments: Some("platforms-error-deployments-many"),
    }
}

/// The registration link, shown once.
#[derive(Serialize)]
pub struct LinkPage {
    pub frame: Frame,
    pub back_path: &'static str,
    pub product_key: String,
    pub auto_key: String,
    pub copies: Vec<CopyRow>,
}

impl Page for LinkPage {
    const TEMPLATE: &'static str = "pages/console-platform-link";

    fn samples() -> Vec<Self> {
        vec![Self {
            frame: Frame::sample(),
            back_path: "/console/platforms",
            product_key: "platforms-product-canvas".to_owned(),
            auto_key: "platforms-auto-canvas".to_owned(),
            copies: vec![CopyRow::new(
                "link",
                "",
                "https://here.example/lti/register/x".to_owned(),
            )],
        }]
    }
}

/// An LTI 1.1 consumer to connect.
#[derive(Serialize)]
pub struct LegacyPage {
    pub frame: Frame,
    pub back_path: String,
    pub tenant: String,
    pub tenant_name: String,
    pub form_token: String,
    /// LTI 1.1 is off for the tenant: where to turn it on.
    pub allow_action: Option<String>,
    pub action: String,
    pub name: String,
    pub name_error: Option<&'static str>,
}

impl Page for LegacyPage {
    const TEMPLATE: &'static str = "pages/console-platform-legacy";

    fn samples() -> Vec<Self> {
        let page = |allow: Option<&str>, name_error| Self {
            frame: Frame::sample(),
            back_path: "/console/platforms/new".to_owned(),
            tenant: "reseau".to_owned(),
            tenant_name: "Réseau".to_owned(),
            form_token: "token".to_owned(),
            allow_action: allow.map(str::to_owned),
            action: "/console/platforms/legacy".to_owned(),
            name: "<script>\"".to_owned(),
            name_error,
        };
        vec![
            page(Some("/console/platforms/legacy/allow"), None),
            page(None, None),
            page(None, Some("platforms-error-name-missing")),
        ]
    }
}

/// A registration's page.
#[derive(Serialize)]
pub struct ShowPage {
    pub frame: Frame,
    pub list_path: &'static str,
    pub path: String,
    pub form_token: String,
    pub notice: Option<&'static str>,
    /// What was refused.
    pub refused: Option<&'static str>,
    pub name: String,
    pub tenant: String,
    pub product_key: String,
    pub version: &'static str,
    pub legacy: bool,
    pub state_key: String,
    pub pending: bool,
    pub active: bool,
    pub closed: bool,
    pub issuer: String,
    pub client_id: String,
    pub authorization_endpoint: String,
    pub token_endpoint: String,
    pub jwks_uri: String,
    /// `None`: nobody asked yet.
    pub examined: Option<Vec<ExaminedRow>>,
    pub deployments: Vec<DeploymentRow>,
    pub launches: Vec<LaunchRow>,
    pub keys: Vec<KeyRow>,
    pub copies: Vec<CopyRow>,
    pub settings_key: String,
    pub settings: Settings,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Settings {
    pub name: String,
    pub anonymous: bool,
    pub token_audience: String,
    pub name_error: Option<&'static str>,
}

#[derive(Serialize)]
pub struct ExaminedRow {
    pub key: String,
    pub about: String,
    pub facts: Vec<String>,
    pub fine: bool,
    pub unknown: bool,
    pub remedy: Option<String>,
    pub detail: String,
}

#[derive(Serialize)]
pub struct DeploymentRow {
    pub action: String,
    pub form_token: String,
    pub deployment: String,
    pub approved: bool,
}

#[derive(Serialize)]
pub struct KeyRow {
    pub kid: String,
    pub state_key: String,
    pub created: String,
    pub signs_from: Option<String>,
}

/// A launch in the log.
#[derive(Serialize)]
pub struct LaunchRow {
    pub when: String,
    pub accepted: bool,
    pub code: String,
    /// What the person read.
    pub text: String,
    /// What to change where.
    pub remedy: String,
    pub detail: String,
    pub skew: Option<String>,
    pub checks: Vec<CheckRow>,
    pub claims: Option<String>,
    /// Nobody knows who wrote the claims.
    pub unverified: bool,
}

#[derive(Serialize)]
pub struct CheckRow {
    pub label: String,
    pub outcome_key: String,
    pub tag: &'static str,
    pub detail: String,
}

impl Page for ShowPage {
    const TEMPLATE: &'static str = "pages/console-platform";

    fn samples() -> Vec<Self> {
        let full = Self {
            frame: Frame::sample(),
            list_path: "/console/platforms",
            path: "/console/platforms/1".to_owned(),
            form_token: "token".to_owned(),
            notice: Some("platforms-done-connected"),
            refused: Some("platforms-refused-state"),
            name: "Moodle <script>\"".to_owned(),
            tenant: "Réseau".to_owned(),
            product_key: "platforms-product-moodle".to_owned(),
            version: "1.3",
            legacy: false,
            state_key: "platforms-state-active".to_owned(),
            pending: false,
            active: true,
            closed: false,
            issuer: "https://lms.example".to_owned(),
            client_id: "client".to_owned(),
            authorization_endpoint: "https://lms.example/auth".to_owned(),
            token_endpoint: "https://lms.example/token".to_owned(),
            jwks_uri: "https://lms.example/keys".to_owned(),
            examined: Some(sample_examined()),
            deployments: vec![sample_deployment("1", false), sample_deployment("<script>\"", true)],
            launches: vec![sample_launch(true), sample_launch(false)],
            keys: vec![KeyRow {
                kid: "k1".to_owned(),
                state_key: "platforms-key-next".to_owned(),
                created: "lundi".to_owned(),
                signs_from: Some("mardi".to_owned()),
            }],
            copies: CopyRow::samples(),
            settings_key: "platforms-settings-moodle".to_owned(),
            settings: Settings { anonymous: true, ..Settings::default() },
        };
        let bare = |pending: bool, legacy: bool| Self {
            frame: Frame::sample(),
            list_path: "/console/platforms",
            path: "/console/platforms/1".to_owned(),
            form_token: "token".to_owned(),
            notice: None,
            refused: None,
            name: "LMS".to_owned(),
            tenant: "Réseau".to_owned(),
            product_key: "platforms-product-other".to_owned(),
            version: "1.3",
            legacy,
            state_key: "platforms-state-pending".to_owned(),
            pending,
            active: false,
            closed: !pending,
            issuer: String::new(),
            client_id: String::new(),
            authorization_endpoint: String::new(),
            token_endpoint: String::new(),
            jwks_uri: String::new(),
            examined: None,
            deployments: Vec::new(),
            launches: Vec::new(),
            keys: Vec::new(),
            copies: Vec::new(),
            settings_key: "platforms-settings-other".to_owned(),
            settings: Settings {
                name_error: Some("platforms-error-name-missing"),
                ..Settings::default()
            },
        };
        vec![full, bare(true, false), bare(false, true)]
    }
}

fn sample_deployment(deployment: &str, approved: bool) -> DeploymentRow {
    DeploymentRow {
        action: "/console/platforms/1/deployments".to_owned(),
        form_token: "token".to_owned(),
        deployment: deployment.to_owned(),
        approved,
    }
}

fn sample_examined() -> Vec<ExaminedRow> {
    let row = |fine, unknown, facts: &[&str]| ExaminedRow {
        key: "platforms-examined-key-set".to_owned(),
        about: "https://lms.example/keys".to_owned(),
        facts: facts.iter().map(|fact| (*fact).to_owned()).collect(),
        fine,
        unknown,
        remedy: (!fine && !unknown).then(|| "platforms-trouble-key-set-status".to_owned()),
        detail: "HTTP 404".to_owned(),
    };
    vec![row(true, false, &["RS256 k1"]), row(false, true, &[]), row(false, false, &[])]
}

fn sample_launch(accepted: bool) -> LaunchRow {
    LaunchRow {
        when: "lundi".to_owned(),
        accepted,
        code: "token-expired".to_owned(),
        text: "Le message est trop vieux.".to_owned(),
        remedy: "Réglez l’horloge.".to_owned(),
        detail: "the token expired 90 s ago".to_owned(),
        skew: accepted.then(|| "3 s".to_owned()),
        checks: vec![CheckRow {
            label: "exp".to_owned(),
            outcome_key: "platforms-outcome-failed".to_owned(),
            tag: "danger",
            detail: String::new(),
        }],
        claims: Some("{\"sub\": \"•••\"}".to_owned()),
        unverified: !accepted,
    }
}

/// The LMS moved.
#[derive(Serialize)]
pub struct MovePage {
    pub frame: Frame,
    pub back_path: String,
    pub action: String,
    pub form_token: String,
    pub name: String,
    pub addresses: AddressesForm,
    pub errors: FormErrors,
    pub any_error: bool,
}

impl Page for MovePage {
    const TEMPLATE: &'static str = "pages/console-platform-move";

    fn samples() -> Vec<Self> {
        let page = |errors: FormErrors| Self {
            frame: Frame::sample(),
            back_path: "/console/platforms/1".to_owned(),
            action: "/console/platforms/1/move".to_owned(),
            form_token: "token".to_owned(),
            name: "<script>\"".to_owned(),
            addresses: AddressesForm::default(),
            any_error: errors.any(),
            errors,
        };
        vec![page(FormErrors::default()), page(all_errors())]
    }
}
