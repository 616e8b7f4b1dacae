//! Runs the launches in `tests/suite/` (the format is described there) and keeps its promise that
//! each refusal is the expected one.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use lti::claims::{Context, Launch, Message, ResourceLink, User};
use lti::jwks::KeySet;
use lti::launch::{AnonymousPolicy, CheckName, Expectation, LaunchRefusal, Outcome, verify};
use lti::legacy::{LegacyExpectation, LegacyMessage, LegacyRefusal, LegacyRequest};
use lti::oauth1::{SignatureMethod, base_string, sign};
use lti::roles::Roles;
use lti::tool_key::ToolKey;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sha2::Sha256;
use url::Url;

type Failure = Box<dyn Error>;

const NOW: i64 = 1_795_453_632;
const LEGACY_URL: &str = "https://tool.test/lti/legacy?page=2&x=%C3%A9";

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
    login: Login,
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
struct Login {
    target_link_uri: Option<String>,
    trusted_audiences: Vec<String>,
    anonymous: bool,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Expect {
    refusal: Option<String>,
    return_url: Option<bool>,
    accepted: bool,
    instructor: Option<bool>,
    learner: Option<bool>,
    assistant: Option<bool>,
    user_id: Option<String>,
    name: Option<String>,
    email: Option<String>,
    locale: Option<String>,
    context: Option<String>,
    resource_link: Option<String>,
    deployment: Option<String>,
    message: Option<String>,
    for_user: Option<String>,
    deep_link_data: Option<String>,
    custom: Option<BTreeMap<String, String>>,
    skew: Option<i64>,
}

/// What both versions of LTI tell, side by side with the expectation.
struct Seen<'a> {
    message: &'a str,
    user_id: Option<&'a str>,
    user: &'a User,
    context: Option<&'a Context>,
    resource_link: Option<&'a ResourceLink>,
    roles: &'a Roles,
    custom: &'a BTreeMap<String, String>,
    locale: Option<String>,
}

struct Keys {
    platform: RsaKeyPair,
    other: RsaKeyPair,
    set: KeySet,
    public_document: String,
}

impl Keys {
    fn generate() -> Result<Self, Failure> {
        let (platform, platform_jwk) = Self::pair("platform-1")?;
        let (other, other_jwk) = Self::pair("twice")?;
        let renamed = |changes: &[(&str, Option<&str>)]| {
            let mut jwk = platform_jwk.clone();
            for (name, value) in changes {
                match value {
                    Some(value) => jwk[*name] = json!(value),
                    None => {
                        jwk.as_object_mut().map(|map| map.remove(*name));
                    }
                }
            }
            jwk
        };
        let document = json!({ "keys": [
            platform_jwk,
            renamed(&[("kid", Some("platform-no-alg")), ("alg", None), ("use", None)]),
            other_jwk,
            renamed(&[("kid", Some("twice"))]),
            renamed(&[("kid", Some("encryption")), ("use", Some("enc"))]),
        ]})
        .to_string();
        let set = KeySet::parse(document.as_bytes())?;
        Ok(Self { platform, other, set, public_document: platform_jwk["n"].to_string() })
    }

    fn pair(key_id: &str) -> Result<(RsaKeyPair, Value), Failure> {
        let der = KeyPair::generate(KeySize::Rsa2048)?.as_der()?;
        let jwk = ToolKey::from_pkcs8(key_id, der.as_ref())?.public_jwk();
        Ok((RsaKeyPair::from_pkcs8(der.as_ref())?, jwk))
    }

    fn token(&self, case: &Case, claims: &Map<String, Value>) -> Result<String, Failure> {
        let mut header = Map::new();
        for (name, value) in [("alg", "RS256"), ("kid", "platform-1"), ("typ", "JWT")] {
            header.insert(name.to_owned(), value.into());
        }
        header.extend(case.header.clone());
        header.retain(|name, _| !case.remove_header.contains(name));
        let encode = |map: &Map<String, Value>| {
            serde_json::to_vec(map).map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
        };
        let mut message = format!("{}.{}", encode(&header)?, encode(claims)?);
        let key = if case.sign == Sign::OtherKey { &self.other } else { &self.platform };
        let signature = match case.sign {
            Sign::Unsigned => Vec::new(),
            Sign::PublicKeyAsSecret => {
                let mac = Hmac::<Sha256>::new_from_slice(self.public_document.as_bytes())?;
                mac.chain_update(&message).finalize().into_bytes().to_vec()
            }
            Sign::Platform | Sign::OtherKey | Sign::Tampered => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(
                    &RSA_PKCS1_SHA256,
                    &SystemRandom::new(),
                    message.as_bytes(),
                    &mut signature,
                )?;
                signature
            }
        };
        if case.sign == Sign::Tampered {
            let mut altered = claims.clone();
            altered.insert("sub".into(), "somebody-else".into());
            message = format!("{}.{}", encode(&header)?, encode(&altered)?);
        }
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(NOW, 0).unwrap_or_default()
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite")
}

/// `now+30` as seconds; anything else as it is.
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
    match name.split_once(':') {
        Some((short, rest)) if !name.starts_with("http") => {
            prefixes.iter().find(|(prefix, _)| *prefix == short).map_or_else(
                || name.to_owned(),
                |(_, long)| format!("https://purl.imsglobal.org/spec/{long}/claim/{rest}"),
            )
        }
        _ => name.to_owned(),
    }
}

fn assemble(case: &Case) -> Result<Map<String, Value>, Failure> {
    let mut claims = Map::new();
    if !case.only {
        let base = std::fs::read(folder().join(format!("base/{}.json", case.base)))?;
        claims = serde_json::from_slice(&base)?;
    }
    claims.retain(|name, _| !case.remove.contains(name));
    claims.extend(case.claims.clone());
    if let Some(Value::Array(roles)) = claims.get_mut("lti:roles")
        && let Some(last) = roles.last().cloned()
    {
        roles.extend(std::iter::repeat_n(last, case.repeat_role));
    }
    Ok(claims.into_iter().map(|(name, value)| (full_name(&name), instant(value))).collect())
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, expected: &T, seen: &T) -> Result<(), Failure> {
    if expected == seen { Ok(()) } else { Err(format!("{what}: {expected:?} != {seen:?}").into()) }
}

/// An expected empty text is "not there".
fn same_text(what: &str, expected: Option<&String>, seen: Option<&str>) -> Result<(), Failure> {
    match expected {
        None => Ok(()),
        Some(expected) => same(what, &expected.as_str(), &seen.unwrap_or_default()),
    }
}

fn compare(expect: &Expect, seen: &Seen<'_>) -> Result<(), Failure> {
    let flags = [
        ("instructor", expect.instructor, seen.roles.is_context_instructor()),
        ("learner", expect.learner, seen.roles.is_context_learner()),
        ("assistant", expect.assistant, seen.roles.is_teaching_assistant()),
    ];
    for (what, expected, found) in flags {
        if let Some(expected) = expected {
            same(what, &expected, &found)?;
        }
    }
    same_text("message", expect.message.as_ref(), Some(seen.message))?;
    same_text("user_id", expect.user_id.as_ref(), seen.user_id)?;
    same_text("name", expect.name.as_ref(), seen.user.display_name().as_deref())?;
    same_text("email", expect.email.as_ref(), seen.user.email.as_deref())?;
    same_text("locale", expect.locale.as_ref(), seen.locale.as_deref())?;
    same_text("context", expect.context.as_ref(), seen.context.map(|found| found.id.as_str()))?;
    let link = seen.resource_link.map(|link| link.id.as_str());
    same_text("resource_link", expect.resource_link.as_ref(), link)?;
    if let Some(custom) = &expect.custom {
        same("custom", custom, seen.custom)?;
    }
    Ok(())
}

fn compare_launch(expect: &Expect, launch: &Launch) -> Result<(), Failure> {
    compare(
        expect,
        &Seen {
            message: launch.message.name(),
            user_id: launch.subject.as_deref(),
            user: &launch.user,
            context: launch.context.as_ref(),
            resource_link: launch.resource_link(),
            roles: &launch.roles,
            custom: &launch.custom,
            locale: launch.locale(),
        },
    )?;
    same_text("deployment", expect.deployment.as_ref(), Some(&launch.deployment_id))?;
    let for_user = match &launch.message {
        Message::SubmissionReview { for_user, .. } => Some(for_user.user_id.as_str()),
        _ => None,
    };
    same_text("for_user", expect.for_user.as_ref(), for_user)?;
    let data = match &launch.message {
        Message::DeepLinking(settings) => settings.data.as_deref(),
        _ => None,
    };
    same_text("deep_link_data", expect.deep_link_data.as_ref(), data)
}

fn run_launch(case: &Case, keys: &Keys) -> Result<(), Failure> {
    let token = keys.token(case, &assemble(case)?)?;
    let mut expected = Expectation::new("https://platform.test", "client-1", "nonce-1", now());
    expected.target_link_uri =
        Some(case.login.target_link_uri.as_deref().unwrap_or("https://tool.test/lti/launch"));
    expected.trusted_audiences = &case.login.trusted_audiences;
    if case.login.anonymous {
        expected.anonymous = AnonymousPolicy::Allow;
    }
    let verification = verify(&token, &keys.set, &expected);
    same("number of checks", &CheckName::ALL.len(), &verification.checks.len())?;
    let failed = verification.checks.iter().any(|check| check.outcome == Outcome::Failed);
    same("a failed check", &verification.result.is_err(), &failed)?;
    for personal in ["Lena", "lena.muster", "a6d5c443"] {
        if verification.checks.iter().any(|check| check.detail.contains(personal)) {
            return Err(format!("the trace reveals {personal}").into());
        }
    }
    if let Some(skew) = case.expect.skew {
        same("skew", &Some(TimeDelta::seconds(skew)), &verification.clock_skew)?;
    }
    match (&verification.result, &case.expect.refusal) {
        (Ok(launch), None) => {
            same("accepted", &case.expect.accepted, &true)?;
            compare_launch(&case.expect, launch)
        }
        (Err(refusal), Some(code)) => {
            same("listed", &true, &LaunchRefusal::CODES.contains(&refusal.code()))?;
            same("refusal", &code.as_str(), &refusal.code())
        }
        (Ok(_), Some(code)) => Err(format!("accepted, expected {code}").into()),
        (Err(refusal), None) => Err(format!("refused: {refusal}").into()),
    }
}

fn legacy_body(case: &Case, url: &Url) -> Result<String, Failure> {
    let mut fields: Vec<(String, String)> = assemble(case)?
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
    Ok(url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish())
}

fn run_legacy(case: &Case) -> Result<(), Failure> {
    let url = Url::parse(LEGACY_URL)?;
    let request = LegacyRequest::parse(legacy_body(case, &url)?.as_bytes())?;
    let secret = (request.consumer_key() == Some("key-1")).then_some("secret & more");
    let expected = LegacyExpectation {
        secret,
        url: &url,
        now: now(),
        window: TimeDelta::minutes(5),
        leeway: TimeDelta::seconds(60),
    };
    match (request.verify(&expected), &case.expect.refusal) {
        (Ok(launch), None) => {
            same("accepted", &case.expect.accepted, &true)?;
            let (message, link) = match &launch.message {
                LegacyMessage::ResourceLink(link) => ("basic-lti-launch-request", Some(link)),
                LegacyMessage::ContentItemSelection(_) => ("ContentItemSelectionRequest", None),
            };
            compare(
                &case.expect,
                &Seen {
                    message,
                    user_id: launch.user_id.as_deref(),
                    user: &launch.user,
                    context: launch.context.as_ref(),
                    resource_link: link,
                    roles: &launch.roles,
                    custom: &launch.custom,
                    locale: launch.presentation.locale.clone(),
                },
            )
        }
        (Err(refusal), Some(code)) => {
            same("refusal", &code.as_str(), &refusal.code())?;
            compare_return(case, &request, &refusal)
        }
        (Ok(_), Some(code)) => Err(format!("accepted, expected {code}").into()),
        (Err(refusal), None) => Err(format!("refused: {refusal}").into()),
    }
}

fn compare_return(
    case: &Case,
    request: &LegacyRequest,
    refusal: &LegacyRefusal,
) -> Result<(), Failure> {
    let url = request.return_url_for(refusal, "Sorry é", "log");
    same("return_url", &case.expect.return_url.unwrap_or(false), &url.is_some())?;
    match url {
        Some(url) => same(
            "address",
            &url.as_str(),
            &"https://platform.test/return?lti_errormsg=Sorry+%C3%A9&lti_errorlog=log",
        ),
        None => Ok(()),
    }
}

#[test]
fn every_launch_of_the_suite_gets_the_expected_verdict() -> Result<(), Failure> {
    let keys = Keys::generate()?;
    let mut failures = Vec::new();
    let mut count = 0;
    let mut files: Vec<_> = std::fs::read_dir(folder())?.collect::<Result<_, _>>()?;
    files.sort_by_key(std::fs::DirEntry::path);
    for file in files {
        let path = file.path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let case: Case = toml::from_str(&std::fs::read_to_string(&path)?)
            .map_err(|error| format!("{name}: {error}"))?;
        let outcome =
            if case.base == "legacy" { run_legacy(&case) } else { run_launch(&case, &keys) };
        if let Err(failure) = outcome {
            failures.push(format!("{name} ({}): {failure}", case.title));
        }
        count += 1;
    }
    assert!(count > 100, "only {count} cases were found");
    assert!(failures.is_empty(), "{} of {count} failed:\n{}", failures.len(), failures.join("\n"));
    Ok(())
}
