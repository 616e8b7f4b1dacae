//! The launches of `lti/tests/suite` (its README has the format), sent to the service through its
//! door: login, state, token, POST. Who is let in lands on a page with the right role; who is not
//! gets a page that says so in their language, and leaves a line in the log and nothing else.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::LazyLock;

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lti::oauth1::{SignatureMethod, base_string, sign};
use passerelle::ids::{LaunchId, RegistrationId, TenantId};
use passerelle::visits::{Details, Opens};
use passerelle::web::Lang;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sqlx::types::Json as SqlJson;
use tokio::net::TcpListener;
use url::Url;

use crate::on_both_databases;
use crate::support::{Answer, Browser, Service, TestDatabase};

/// The instant of the suite's launches.
const NOW: i64 = 1_795_453_632;
const ISSUER: &str = "https://platform.test";
const TARGET: &str = "https://tool.test/lti/launch";

/// At least so many files are in each group: a suite that shrinks is noticed.
const GROUPS: [(&str, usize); 7] = [
    ("beyond", 82),
    ("deep-linking", 4),
    ("invalid", 14),
    ("legacy", 35),
    ("student", 11),
    ("submission-review", 2),
    ("teacher", 10),
];

/// Where the service says something else than the crate, which can be told more than the service
/// can: the file, what the service says, and why.
const STRICTER: [(&str, &str, &str); 2] = [
    ("beyond-audience-trusted", "audience-untrusted", "no registration vouches for more audiences"),
    (
        "beyond-audience-several-no-azp",
        "audience-untrusted",
        "the second audience is refused before the missing `azp` is",
    ),
];

/// Where LTI 1.1 launches are posted.
const LEGACY_DOOR: &str = "/lti/1.1/launch";

/// What a refusal must not leave a row in.
const TABLES: [&str; 13] = [
    "people",
    "identities",
    "contexts",
    "memberships",
    "resource_links",
    "sign_in_sessions",
    "launches",
    "spent_nonces",
    "enrolments",
    "attempts",
    "grade_targets",
    "deployments",
    "jobs",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    title: String,
    #[serde(rename = "clause")]
    _clause: String,
    base: String,
    #[serde(default)]
    only: bool,
    #[serde(default)]
    remove: Vec<String>,
    #[serde(default)]
    remove_header: Vec<String>,
    #[serde(default)]
    sign: Sign,
    #[serde(default)]
    repeat_role: usize,
    #[serde(default)]
    header: Map<String, Value>,
    #[serde(default)]
    claims: Map<String, Value>,
    #[serde(default)]
    login: LoginPart,
    expect: Expect,
}

#[derive(Deserialize, Default, PartialEq, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
enum Sign {
    #[default]
    Platform,
    OtherKey,
    Unsigned,
    Tampered,
    PublicKeyAsSecret,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct LoginPart {
    target_link_uri: Option<String>,
    #[serde(rename = "trusted_audiences")]
    _trusted_audiences: Vec<String>,
    anonymous: bool,
}

/// What the crate alone can be asked has names that begin with `_`.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Expect {
    refusal: Option<String>,
    return_url: Option<bool>,
    accepted: bool,
    instructor: Option<bool>,
    #[serde(rename = "learner")]
    _learner: Option<bool>,
    #[serde(rename = "assistant")]
    _assistant: Option<bool>,
    user_id: Option<String>,
    name: Option<String>,
    email: Option<String>,
    locale: Option<String>,
    context: Option<String>,
    resource_link: Option<String>,
    deployment: Option<String>,
    message: Option<String>,
    #[serde(rename = "for_user")]
    _for_user: Option<String>,
    deep_link_data: Option<String>,
    #[serde(rename = "custom")]
    _custom: Option<BTreeMap<String, String>>,
    #[serde(rename = "skew")]
    _skew: Option<i64>,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("lti/tests/suite")
}

/// Every file of the suite, by name.
fn cases() -> BTreeMap<String, Case> {
    let files = std::fs::read_dir(folder()).expect("the suite");
    files
        .map(|file| file.expect("a file").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .map(|path| {
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            let text = std::fs::read_to_string(&path).expect("readable");
            let case = toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            (name, case)
        })
        .collect()
}

fn group_of(name: &str) -> &'static str {
    let group = GROUPS.iter().find(|(group, _)| name.starts_with(&format!("{group}-")));
    group.unwrap_or_else(|| panic!("{name} belongs to no group")).0
}

/// The platform's key, and one that it does not have.
static KEYS: LazyLock<[KeyPair; 2]> = LazyLock::new(|| {
    let make = || KeyPair::generate(KeySize::Rsa2048).expect("an RSA key");
    [make(), make()]
});

fn jwk(pair: &KeyPair, kid: &str) -> Value {
    let public = pair.public_key();
    json!({
        "kty": "RSA", "alg": "RS256", "use": "sig", "kid": kid,
        "n": URL_SAFE_NO_PAD.encode(public.modulus().big_endian_without_leading_zero()),
        "e": URL_SAFE_NO_PAD.encode(public.exponent().big_endian_without_leading_zero()),
    })
}

/// The keys that the suite's README names.
fn key_set() -> Value {
    let [platform, other] = &*KEYS;
    let mut silent = jwk(platform, "platform-no-alg");
    let members = silent.as_object_mut().expect("an object");
    members.remove("alg");
    members.remove("use");
    let mut encryption = jwk(platform, "encryption");
    encryption["use"] = json!("enc");
    json!({"keys": [
        jwk(platform, "platform-1"), silent, jwk(other, "twice"), jwk(platform, "twice"), encryption,
    ]})
}

fn token(case: &Case, claims: &Map<String, Value>) -> String {
    let mut header = Map::new();
    for (name, value) in [("alg", "RS256"), ("kid", "platform-1"), ("typ", "JWT")] {
        header.insert(name.to_owned(), value.into());
    }
    header.extend(case.header.clone());
    header.retain(|name, _| !case.remove_header.contains(name));
    let part =
        |map: &Map<String, Value>| URL_SAFE_NO_PAD.encode(serde_json::to_vec(map).expect("JSON"));
    let mut message = format!("{}.{}", part(&header), part(claims));
    let signature = match case.sign {
        Sign::Unsigned => Vec::new(),
        Sign::PublicKeyAsSecret => {
            let secret = KEYS[0].public_key().as_ref();
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
            hmac::sign(&key, message.as_bytes()).as_ref().to_vec()
        }
        Sign::Platform | Sign::OtherKey | Sign::Tampered => {
            let key = &KEYS[usize::from(case.sign == Sign::OtherKey)];
            let mut signature = vec![0; key.public_modulus_len()];
            let random = SystemRandom::new();
            key.sign(&RSA_PKCS1_SHA256, &random, message.as_bytes(), &mut signature)
                .expect("a signature");
            signature
        }
    };
    if case.sign == Sign::Tampered {
        let mut altered = claims.clone();
        altered.insert("sub".to_owned(), "somebody-else".into());
        message = format!("{}.{}", part(&header), part(&altered));
    }
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn instant(value: Value) -> Value {
    let offset = value.as_str().and_then(|text| text.strip_prefix("now")).map(str::to_owned);
    match offset.as_deref() {
        Some("") => json!(NOW),
        Some(offset) => offset.parse::<i64>().map_or(value, |seconds| json!(NOW + seconds)),
        None => value,
    }
}

fn full_name(name: &str) -> String {
    let prefixes = [("lti", "lti"), ("dl", "lti-dl"), ("ags", "lti-ags"), ("nrps", "lti-nrps")];
    let known = name.split_once(':').and_then(|(short, rest)| {
        let (_, long) = prefixes.iter().find(|(prefix, _)| *prefix == short)?;
        Some(format!("https://purl.imsglobal.org/spec/{long}/claim/{rest}"))
    });
    known.unwrap_or_else(|| name.to_owned())
}

/// The claims or fields. `nonce` takes the place of the base's; the person is the case's own where
/// it does not say who it is, so that no case meets what another told.
fn assemble(name: &str, case: &Case, nonce: &str) -> Map<String, Value> {
    let mut claims = Map::new();
    if !case.only {
        let base = folder().join(format!("base/{}.json", case.base));
        let base = std::fs::read(base).expect("a base");
        claims = serde_json::from_slice(&base).expect("an object");
    }
    for field in ["nonce", "oauth_nonce"] {
        if let Some(value) = claims.get_mut(field) {
            *value = nonce.into();
        }
    }
    for field in ["sub", "user_id"] {
        if let Some(value) = claims.get_mut(field) {
            *value = format!("{}-{name}", value.as_str().unwrap_or_default()).into();
        }
    }
    claims.retain(|name, _| !case.remove.contains(name));
    claims.extend(case.claims.clone());
    if let Some(Value::Array(roles)) = claims.get_mut("lti:roles")
        && let Some(last) = roles.last().cloned()
    {
        roles.extend(std::iter::repeat_n(last, case.repeat_role));
    }
    claims.into_iter().map(|(name, value)| (full_name(&name), instant(value))).collect()
}

/// What the service kept of a launch.
#[derive(sqlx::FromRow)]
struct Kept {
    role: String,
    locale: String,
    message: String,
    deployment_id: String,
    details: SqlJson<Details>,
    subject: String,
    context: Option<String>,
    link: Option<String>,
    given_name: Option<String>,
    family_name: Option<String>,
    full_name: Option<String>,
    email: Option<String>,
}

impl Kept {
    fn name(&self) -> String {
        let parts = [self.given_name.as_deref(), self.family_name.as_deref()];
        let parts: Vec<&str> = parts.into_iter().flatten().collect();
        self.full_name.clone().unwrap_or_else(|| parts.join(" "))
    }
}

struct Suite {
    service: Service,
    sent: BTreeMap<&'static str, usize>,
    /// What went wrong, a line a case.
    failures: Vec<String>,
}

/// A check of a case: what was expected, if it was not met.
macro_rules! must {
    ($holds:expr, $($text:tt)+) => {
        if !$holds {
            return Err(format!($($text)+));
        }
    };
}

impl Suite {
    /// The service as the suite knows its tool, and the platform's key set.
    async fn start(database: TestDatabase) -> Self {
        let service = Service::start(database).await;
        let past = NOW - service.clock.now().timestamp();
        service.advance(chrono::TimeDelta::seconds(past));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let keys = format!("http://{}/keys", listener.local_addr().expect("its address"));
        let routes = Router::new().route("/keys", get(async || Json(key_set())));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        service
            .execute(&format!(
                "UPDATE registrations SET issuer = '{ISSUER}', client_id = 'client-1',
                     authorization_endpoint = '{ISSUER}/auth', jwks_uri = '{keys}'"
            ))
            .await;
        Self { service, sent: BTreeMap::new(), failures: Vec::new() }
    }

    async fn approve(&self, registration: RegistrationId, deployment: &str) {
        let mut tx = self.service.app.db.write().await.expect("a transaction");
        let now = self.service.clock.now();
        passerelle::platforms::approve_deployment(&mut tx, registration, deployment, now)
            .await
            .expect("approved");
        tx.commit().await.expect("the commit");
    }

    async fn counts(&self) -> Vec<(&'static str, i64)> {
        let mut counts = Vec::new();
        for table in TABLES {
            counts.push((table, self.service.count(table).await));
        }
        counts
    }

    async fn logged(&self, outcome: &str) -> i64 {
        let sql = format!("SELECT COUNT(*) FROM launch_log WHERE outcome = '{outcome}'");
        self.service.number(&sql).await
    }

    /// Login and redirect; state and nonce.
    async fn login(&self, browser: &mut Browser, target: &str) -> (String, String) {
        let fields = [
            ("iss", ISSUER),
            ("client_id", "client-1"),
            ("login_hint", "a6d5c443"),
            ("target_link_uri", target),
        ];
        let mut answer = browser.post_from(ISSUER, "/lti/login", &fields).await;
        if answer.status == 303 {
            let again = answer.location().to_owned();
            answer = browser.get(&again).await;
        }
        let url = Url::parse(answer.expect(302).location()).expect("an address");
        let value = |wanted: &str| {
            url.query_pairs().find(|(name, _)| name == wanted).expect(wanted).1.into_owned()
        };
        (value("state"), value("nonce"))
    }

    async fn launch(&self, name: &str, case: &Case) -> Result<(), String> {
        let strict = STRICTER.iter().find(|(stricter, ..)| *stricter == name);
        let refusal = strict.map(|(_, code, _)| (*code).to_owned()).or(case.expect.refusal.clone());
        let mut browser = self.service.browser();
        let target = case.login.target_link_uri.as_deref().unwrap_or(TARGET);
        let (state, nonce) = self.login(&mut browser, target).await;
        let claims = assemble(name, case, &nonce);
        let token = token(case, &claims);
        let fields = [("id_token", token.as_str()), ("state", state.as_str())];
        let anonymous = case.login.anonymous.to_string().to_uppercase();
        let set = format!("UPDATE registrations SET anonymous = {anonymous}");
        self.service.execute(&set).await;
        let Some(code) = refusal else {
            must!(case.expect.accepted, "the case expects nothing");
            if let Some(deployment) = claims.get(&full_name("lti:deployment_id")) {
                let text =
                    deployment.as_str().map_or_else(|| deployment.to_string(), str::to_owned);
                self.approve(self.service.registration, &text).await;
            }
            let answer = browser.post_from(ISSUER, "/lti/launch", &fields).await;
            return self.accepted(case, &mut browser, &answer).await;
        };
        // A refused launch spends nothing: the same one again is refused for the same reason.
        let mut answers = Vec::new();
        let (before, logged) = (self.counts().await, self.logged(&code).await);
        for lang in Lang::ALL {
            browser.language = lang.as_str();
            answers.push((lang, browser.post_from(ISSUER, "/lti/launch", &fields).await));
        }
        self.refused(&code, &answers)?;
        let more = self.logged(&code).await - logged;
        must!(more == 2, "{more} lines {code} in the log, not 2");
        let after = self.counts().await;
        must!(before == after, "rows before {before:?}, after {after:?}");
        Ok(())
    }

    /// The browser lands on a page, and what was kept is what was told.
    async fn accepted(
        &self,
        case: &Case,
        browser: &mut Browser,
        answer: &Answer,
    ) -> Result<(), String> {
        must!(answer.status == 303, "not let in: {} {}", answer.status, answer.text());
        let landing = answer.location().to_owned();
        must!(landing.starts_with("/launches/"), "landed on {landing}");
        let page = browser.get(&landing).await;
        must!(page.status == 200, "{landing} answers {}: {}", page.status, page.text());
        must!(!page.text().contains("<script>alert"), "unescaped: {}", page.text());
        let id: LaunchId = landing
            .split('/')
            .nth(2)
            .and_then(|id| id.parse().ok())
            .ok_or_else(|| format!("no launch in {landing}"))?;
        let kept = self.kept(id).await;
        let teaches =
            matches!(case.base.as_str(), "teacher" | "deep-linking" | "submission-review");
        let trains = case.expect.instructor.unwrap_or(teaches);
        let role = if trains { "trainer" } else { "learner" }.to_owned();
        let expect = &case.expect;
        let data = match &kept.details.opens {
            Opens::Picker(picker) => picker.data.clone(),
            _ => None,
        };
        let primary = |tag: &String| tag.split(['-', '_']).next().unwrap_or_default().to_owned();
        // Both versions' requests for content are one thing to the service.
        let message = expect.message.as_ref().map(|told| match told.as_str() {
            "ContentItemSelectionRequest" => "LtiDeepLinkingRequest".to_owned(),
            _ => told.clone(),
        });
        let found: [(&str, Option<&String>, String); 9] = [
            ("role", Some(&role), kept.role.clone()),
            ("user_id", expect.user_id.as_ref().filter(|_| !own(case)), kept.subject.clone()),
            ("name", expect.name.as_ref(), kept.name()),
            ("email", expect.email.as_ref(), kept.email.clone().unwrap_or_default()),
            ("context", expect.context.as_ref(), kept.context.clone().unwrap_or_default()),
            ("resource_link", expect.resource_link.as_ref(), kept.link.clone().unwrap_or_default()),
            ("deployment", expect.deployment.as_ref(), kept.deployment_id.clone()),
            ("message", message.as_ref(), kept.message.clone()),
            ("deep_link_data", expect.deep_link_data.as_ref(), data.unwrap_or_default()),
        ];
        for (what, expected, kept) in found {
            if let Some(expected) = expected {
                must!(*expected == kept, "{what}: {expected:?} was told, {kept:?} kept");
            }
        }
        if let Some(expected) = expect.locale.as_ref().map(primary) {
            must!(expected == kept.locale, "locale: {expected} was told, {} kept", kept.locale);
            let lang = format!("lang=\"{expected}\"");
            must!(page.text().contains(&lang), "the page is not in {expected}");
        }
        Ok(())
    }

    async fn kept(&self, id: LaunchId) -> Kept {
        let mut tx = self.service.app.db.read().await.expect("a transaction");
        tx.query(
            "SELECT l.role, l.locale, l.message, l.deployment_id, l.details, i.subject,
                 c.lms_id AS context, r.lms_id AS link, p.given_name, p.family_name, p.full_name,
                 p.email
             FROM launches l
                 JOIN identities i ON i.id = l.identity_id
                 JOIN people p ON p.id = l.person_id
                 LEFT JOIN contexts c ON c.id = l.context_id
                 LEFT JOIN resource_links r ON r.id = l.resource_link_id
             WHERE l.id = $1",
        )
        .bind(id)
        .one()
        .await
        .expect("the launch")
    }

    /// A page for a person: a sentence of ours in each language, and the code.
    fn refused(&self, code: &str, answers: &[(Lang, Answer)]) -> Result<(), String> {
        for (lang, answer) in answers {
            let (status, page) = (answer.status, answer.text());
            must!(status.is_client_error(), "{code}: answered with {status}: {page}");
            must!(page.contains(&format!("<code>{code}</code>")), "no {code} in {page}");
            let lang_mark = format!("<html lang=\"{}\"", lang.as_str());
            must!(page.contains(&lang_mark), "not in {}: {page}", lang.as_str());
            for part in ["text", "next"] {
                let sentences = self.sentences(*lang, code, part);
                let said = sentences.iter().any(|sentence| page.contains(sentence.as_str()));
                must!(said, "no sentence ({part}) for {code} in {}: {page}", lang.as_str());
            }
            must!(!page.contains("Lena") && !page.contains("lena.muster"), "personal: {page}");
        }
        Ok(())
    }

    /// What may be said about a code: its own sentence, else that of one of the families.
    fn sentences(&self, lang: Lang, code: &str, part: &str) -> Vec<String> {
        let locales = &self.service.app.pages.locales;
        let key = |word: &str| format!("refused-{word}-{part}");
        let families = ["registration", "deployment", "again", "clock", "message", "platform"];
        let own = key(code);
        let keys = if locales.has(lang, &own) { vec![own] } else { families.map(key).to_vec() };
        keys.iter().map(|key| escaped(&locales.say(lang, key, &[]))).collect()
    }

    /// The consumer `key-1` of the suite, which may launch with LTI 1.1.
    async fn allow_legacy(&self) -> RegistrationId {
        let now = self.service.clock.now();
        let id = RegistrationId::new(now);
        let mut tx = self.service.app.db.write().await.expect("a transaction");
        tx.query("UPDATE tenants SET legacy_lti = TRUE").execute().await.expect("allowed");
        let (tenant,): (TenantId,) =
            tx.query("SELECT tenant_id FROM registrations").one().await.expect("a tenant");
        tx.query(
            "INSERT INTO registrations (id, tenant_id, name, issuer, client_id,
                 authorization_endpoint, token_endpoint, jwks_uri, created_at, version, secret)
             VALUES ($1, $2, 'LTI 1.1', 'lti-1.1', 'key-1', 'https://platform.test',
                 '', '', $3, '1.1', 'secret & more')",
        )
        .bind(id)
        .bind(tenant)
        .bind(now)
        .execute()
        .await
        .expect("registered");
        tx.commit().await.expect("the commit");
        id
    }

    async fn launch_legacy(&self, door: &str, name: &str, case: &Case) -> Result<(), String> {
        let url = Url::parse(&self.service.app.config.public(door)).expect("an address");
        let body = legacy_fields(name, case, &url);
        let fields: Vec<(&str, &str)> =
            body.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let mut browser = self.service.browser();
        // Who comes without a name of any kind is the registration's policy.
        let nobody = !fields.iter().any(|(name, value)| *name == "user_id" && !value.is_empty());
        let anonymous = (nobody && case.expect.refusal.is_none()).to_string().to_uppercase();
        self.service.execute(&format!("UPDATE registrations SET anonymous = {anonymous}")).await;
        let Some(code) = &case.expect.refusal else {
            let mut answer = browser.post_from(ISSUER, door, &fields).await;
            // A browser without our cookie may be sent round once, to be given one.
            if answer.status == 303 && !answer.location().starts_with("/launches/") {
                let again = answer.location().to_owned();
                answer = browser.get(&again).await;
            }
            return self.accepted(case, &mut browser, &answer).await;
        };
        let (before, logged) = (self.counts().await, self.logged(code).await);
        let mut answers = Vec::new();
        for lang in Lang::ALL {
            browser.language = lang.as_str();
            answers.push((lang, browser.post_from(ISSUER, door, &fields).await));
        }
        if case.expect.return_url == Some(true) {
            for (_, answer) in &answers {
                must!(answer.status == 303, "not sent back: {}", answer.text());
                let back = answer.location();
                let expected = "https://platform.test/return?lti_errormsg=";
                must!(back.starts_with(expected), "sent back to {back}");
            }
        } else {
            self.refused(code, &answers)?;
        }
        let more = self.logged(code).await - logged;
        must!(more == 2, "{more} lines {code} in the log, not 2");
        let after = self.counts().await;
        must!(before == after, "rows before {before:?}, after {after:?}");
        Ok(())
    }

    fn note(&mut self, name: &str, case: &Case, outcome: Result<(), String>) {
        *self.sent.entry(group_of(name)).or_default() += 1;
        if let Err(failure) = outcome {
            self.failures.push(format!("{name} ({}): {failure}", case.title));
        }
    }
}

/// Whether the person of the case is the one [`assemble`] made up.
fn own(case: &Case) -> bool {
    let says = |map: &Map<String, Value>| map.contains_key("sub") || map.contains_key("user_id");
    !says(&case.claims)
}

fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#x27;"),
            '=' => escaped.push_str("&#x3D;"),
            '`' => escaped.push_str("&#x60;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// The signed fields of an LTI 1.1 launch.
fn legacy_fields(name: &str, case: &Case, url: &Url) -> Vec<(String, String)> {
    let claims = assemble(name, case, &format!("nonce-{name}"));
    let mut fields: Vec<(String, String)> = claims
        .into_iter()
        .map(|(name, value)| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            (name, text)
        })
        .collect();
    let method = fields
        .iter()
        .find(|(name, _)| name == "oauth_signature_method")
        .and_then(|(_, value)| SignatureMethod::parse(value))
        .unwrap_or(SignatureMethod::HmacSha1);
    let secret = if case.sign == Sign::OtherKey { "another secret" } else { "secret & more" };
    let signature = sign(method, secret, &base_string("POST", url, &fields));
    if case.sign != Sign::Unsigned {
        fields.push(("oauth_signature".to_owned(), signature));
    }
    if case.sign == Sign::Tampered {
        fields.retain(|(name, _)| name != "user_id");
        fields.push(("user_id".to_owned(), "somebody-else".to_owned()));
    }
    fields
}

on_both_databases! {
    async fn every_launch_of_the_suite_gets_its_verdict_from_the_service(database: TestDatabase) {
        let cases = cases();
        let mut suite = Suite::start(database).await;
        for (name, case) in cases.iter().filter(|(name, _)| group_of(name) != "legacy") {
            let outcome = suite.launch(name, case).await;
            suite.note(name, case, outcome);
        }
        suite.allow_legacy().await;
        for (name, case) in cases.iter().filter(|(name, _)| group_of(name) == "legacy") {
            let outcome = suite.launch_legacy(LEGACY_DOOR, name, case).await;
            suite.note(name, case, outcome);
        }
        let failures = &suite.failures;
        let sent: usize = suite.sent.values().sum();
        assert!(failures.is_empty(), "{} of {sent}:\n{}", failures.len(), failures.join("\n"));
        for (group, least) in GROUPS {
            let sent = suite.sent.get(group).copied().unwrap_or_default();
            assert!(sent >= least, "{group}: {sent} of at least {least}");
        }
        assert_eq!(sent, cases.len());
        for (name, _, reason) in STRICTER {
            assert!(cases.contains_key(name) && !reason.is_empty(), "{name} is no case");
        }
    }
}
