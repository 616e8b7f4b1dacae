//! A look at an LMS as it is now: what it publishes, whether it gives tokens, what its clock says.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use lti::jwks::KeySet;
use lti::token::scope;
use serde_json::Value;

use super::tokens::TokenError;
use super::{Registration, Version};
use crate::app::App;
use crate::outbound::{Answer, OutboundError};

/// Launches tolerate a minute; half of it is a clock to mend before it stops them.
const SKEW: TimeDelta = TimeDelta::seconds(30);

/// What is asked for when the platform offers every service.
const SCOPES: [&str; 4] =
    [scope::LINE_ITEM, scope::RESULT_READ, scope::SCORE, scope::MEMBERSHIP_READ];

crate::text_enum! {
    pub enum Subject {
        Configuration = "configuration",
        KeySet = "key-set",
        Clock = "clock",
        Token = "token",
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examined {
    pub subject: Subject,
    /// The address, or the scope.
    pub about: String,
    /// What was found, a line each: technical, in no language.
    pub facts: Vec<String>,
    pub verdict: Verdict,
}

impl Examined {
    /// A service that the platform does not offer: scores go out without it.
    pub fn is_dispensable(&self) -> bool {
        let refused =
            matches!(&self.verdict, Verdict::Wrong(trouble) if trouble.code == "token-scope");
        refused && self.about != name_of(scope::SCORE)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Fine,
    Wrong(Trouble),
    /// The platform does not say, and need not.
    Unknown,
}

/// What is wrong: the word for the sentence that says what to change where, and what was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    pub code: &'static str,
    pub detail: String,
}

fn wrong(code: &'static str, detail: impl ToString) -> Verdict {
    let detail = detail.to_string();
    let detail = detail.chars().filter(|c| !c.is_control()).take(500).collect();
    Verdict::Wrong(Trouble { code, detail })
}

/// Calls the platform; nothing that was kept of it is believed. A key set that is fine serves
/// launches from now on. An LTI 1.1 consumer has nothing to look at.
pub async fn examine(app: &App, registration: &Registration) -> Vec<Examined> {
    if registration.version == Version::V11 {
        return Vec::new();
    }
    app.tokens.forget_all(registration.id).await;
    let tokens = futures::future::join_all(SCOPES.map(|scope| token(app, registration, scope)));
    let (configuration, keys, tokens) =
        futures::join!(configuration(app, registration), key_set(app, registration), tokens);
    configuration.into_iter().chain(keys).chain(tokens).collect()
}

/// What the platform says of itself, compared with what is registered here.
async fn configuration(app: &App, registration: &Registration) -> Option<Examined> {
    let address = registration.product().preset().configuration(&registration.issuer)?;
    let examined = |facts, verdict| Examined {
        subject: Subject::Configuration,
        about: address.clone(),
        facts,
        verdict,
    };
    let answer = match app.outbound.get(&address, "application/json").await {
        Ok(answer) if answer.status == 200 => answer,
        Ok(answer) => {
            return Some(examined(vec![format!("HTTP {}", answer.status)], Verdict::Unknown));
        }
        Err(error) => return Some(examined(vec![error.to_string()], Verdict::Unknown)),
    };
    let Ok(told) = serde_json::from_slice::<Value>(&answer.body) else {
        return Some(examined(Vec::new(), Verdict::Unknown));
    };
    let ours = [
        ("issuer", &registration.issuer),
        ("authorization_endpoint", &registration.authorization_endpoint),
        ("token_endpoint", &registration.token_endpoint),
        ("jwks_uri", &registration.jwks_uri),
    ];
    let different: Vec<String> = ours
        .into_iter()
        .filter_map(|(name, ours)| {
            let theirs = told.get(name)?.as_str()?;
            (theirs != ours).then(|| format!("{name}: {theirs} ≠ {ours}"))
        })
        .collect();
    Some(if different.is_empty() {
        examined(Vec::new(), Verdict::Fine)
    } else {
        examined(Vec::new(), wrong("configuration-differs", different.join("; ")))
    })
}

async fn key_set(app: &App, registration: &Registration) -> Vec<Examined> {
    let before = app.clock.now();
    let answer = app.outbound.get(&registration.jwks_uri, "application/json").await;
    let now = app.clock.now();
    let examined = |facts, verdict| Examined {
        subject: Subject::KeySet,
        about: registration.jwks_uri.clone(),
        facts,
        verdict,
    };
    let answer = match answer {
        Ok(answer) => answer,
        Err(OutboundError::Private(host)) => {
            return vec![examined(Vec::new(), wrong("address-private", host))];
        }
        Err(error) => return vec![examined(Vec::new(), wrong("key-set-unreachable", error))],
    };
    let clock = clock(registration, &answer, before, now);
    if answer.status != 200 {
        let verdict = wrong("key-set-status", format!("HTTP {}", answer.status));
        return [Some(examined(Vec::new(), verdict)), clock].into_iter().flatten().collect();
    }
    let keys = match KeySet::parse(&answer.body) {
        Err(error) => examined(Vec::new(), wrong(error.code(), error)),
        Ok(set) => {
            let facts = facts(&set);
            let verdict = if set.keys().is_empty() {
                wrong("key-set-no-usable-key", facts.join("; "))
            } else {
                app.key_sets.keep(&registration.jwks_uri, set, now);
                Verdict::Fine
            };
            examined(facts, verdict)
        }
    };
    [Some(keys), clock].into_iter().flatten().collect()
}

fn facts(set: &KeySet) -> Vec<String> {
    let usable = set.keys().iter().map(|key| format!("{} {}", key.algorithm(), key.key_id()));
    let unusable = set
        .unusable()
        .iter()
        .map(|(id, reason)| format!("{} {}", id.as_deref().unwrap_or("?"), reason.code()));
    let visible = |fact: String| fact.chars().filter(|c| !c.is_control()).take(200).collect();
    usable.chain(unusable).map(visible).take(20).collect()
}

/// How far the platform's clock is ahead, by the `Date` of its answer, which has whole seconds.
fn clock(
    registration: &Registration,
    answer: &Answer,
    before: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Option<Examined> {
    let told = answer.headers.get("date")?.to_str().ok()?;
    let told = DateTime::parse_from_rfc2822(told).ok()?.with_timezone(&Utc);
    // The answer was written at some time between the two.
    let skew = told - (before + (now - before) / 2);
    let seconds = skew.num_seconds();
    Some(Examined {
        subject: Subject::Clock,
        about: crate::web::origin_of(&registration.jwks_uri).unwrap_or_default(),
        facts: vec![format!("{seconds:+} s")],
        verdict: if skew.abs() > SKEW {
            let code = if skew > TimeDelta::zero() { "clock-ahead" } else { "clock-behind" };
            wrong(code, format!("{seconds:+} s"))
        } else {
            Verdict::Fine
        },
    })
}

async fn token(app: &App, registration: &Registration, scope: &'static str) -> Examined {
    let scopes = BTreeSet::from([scope.to_owned()]);
    let verdict = match app.tokens.access_token(app, registration, &scopes).await {
        Ok(_) => Verdict::Fine,
        Err(error) => {
            let text = error.to_string();
            wrong(code_of(&error, &text), text)
        }
    };
    Examined {
        subject: Subject::Token,
        about: name_of(scope).to_owned(),
        facts: Vec::new(),
        verdict,
    }
}

/// The scope without what all of them begin with.
fn name_of(scope: &str) -> &str {
    scope.rsplit_once("/spec/").map_or(scope, |(_, name)| name)
}

fn code_of(error: &TokenError, text: &str) -> &'static str {
    match error {
        TokenError::Endpoint(_) => "token-endpoint",
        TokenError::Unreachable(_) => "token-unreachable",
        TokenError::Refused(_) if text.contains("invalid_scope") => "token-scope",
        TokenError::Refused(_) => "token-refused",
        TokenError::Answer(_) => "token-answer",
        TokenError::Keys(_) | TokenError::Sign(_) => "token-sign",
    }
}

/// Every code, for a test that each says what to change where.
pub const CODES: [&str; 16] = [
    "configuration-differs",
    "address-private",
    "key-set-unreachable",
    "key-set-status",
    "key-set-too-large",
    "key-set-not-json",
    "key-set-without-keys",
    "key-set-no-usable-key",
    "clock-ahead",
    "clock-behind",
    "token-endpoint",
    "token-unreachable",
    "token-scope",
    "token-refused",
    "token-answer",
    "token-sign",
];
