//! What a real Moodle sent and answered (`tests/captures/`), read by the crate.

use std::error::Error;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use lti::ags::{self, ScoreOutcome};
use lti::claims::{DocumentTarget, Launch, Message};
use lti::deep_linking::{Answer, ContentItem, LtiResourceLink, respond};
use lti::http::Response;
use lti::jwks::KeySet;
use lti::launch::{Expectation, LaunchRefusal, peek, verify};
use lti::legacy::{LegacyExpectation, LegacyMessage, LegacyRequest};
use lti::nrps::{self, MemberStatus};
use lti::oauth1::{SignatureMethod, base_string, sign};
use lti::paging::{Pager, link};
use lti::registration::{PlatformConfiguration, Registered, Start, Tool, ToolMessage};
use lti::token;
use lti::tool_key::{ToolKey, public_jwks};
use serde_json::{Map, Value, json};
use url::Url;

type Failure = Box<dyn Error>;

fn capture(name: &str) -> Result<Value, Failure> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captures").join(name);
    Ok(serde_json::from_slice(&std::fs::read(path)?)?)
}

fn key(key_id: &str) -> Result<ToolKey, Failure> {
    let der = KeyPair::generate(KeySize::Rsa2048)?.as_der()?;
    Ok(ToolKey::from_pkcs8(key_id, der.as_ref())?)
}

/// The captured claims, signed again (the platform's private key is not ours to have).
fn launch(name: &str) -> Result<Launch, Failure> {
    let claims = capture(name)?["claims"].take();
    let platform = key("604730912261701359a9")?;
    let keys = KeySet::parse(public_jwks([&platform]).to_string().as_bytes())?;
    let nonce = claims["nonce"].as_str().unwrap_or_default().to_owned();
    let issued_at = claims["iat"].as_i64().unwrap_or_default();
    let now = DateTime::from_timestamp(issued_at + 1, 0).unwrap_or_default();
    let token = platform.sign(&claims)?;
    let peeked = peek(&token)?;
    assert_eq!(peeked.audiences, ["hAliIcV7gtkXbKE"]);
    let expected = Expectation::new("http://localhost:8100", "hAliIcV7gtkXbKE", &nonce, now);
    let verification = verify(&token, &keys, &expected);
    assert_eq!(verification.clock_skew, Some(TimeDelta::seconds(-1)));
    let stranger = KeySet::parse(br#"{"keys":[]}"#)?;
    let refused = verify(&token, &stranger, &expected).result;
    assert!(refused.is_err_and(|refusal: LaunchRefusal| refusal.asks_for_fresh_keys()));
    Ok(verification.result?)
}

#[test]
fn a_teachers_launch() -> Result<(), Failure> {
    let launch = launch("moodle_idtoken_teacher.json")?;
    assert!(launch.roles.is_context_instructor());
    assert_eq!(launch.deployment_id, "1");
    assert_eq!(launch.subject.as_deref(), Some("3"));
    assert_eq!(launch.locale().as_deref(), Some("fr"));
    assert_eq!(launch.user.display_name().as_deref(), Some("Hélène Müller-Garçon"));
    assert!(launch.context.as_ref().is_some_and(lti::claims::Context::is_course));
    let ags = launch.ags.ok_or("no grade service")?;
    assert_eq!(ags.scopes.len(), 4);
    let scores = ags.line_item.as_ref().map(ags::scores_url).map(String::from);
    assert!(scores.is_some_and(|url| url.ends_with("/lineitem/scores?type_id=1")));
    assert!(launch.nrps.is_some() && launch.basic_outcome.is_some());
    let masked = Value::Object(lti::diagnostics::mask(&launch.raw)).to_string();
    for personal in ["Hélène", "prof", "sesskey", "\"3\"", "EMP-001"] {
        assert!(!masked.contains(personal), "{personal} is not masked: {masked}");
    }
    assert!(masked.contains("SECU-2026"));
    Ok(())
}

#[test]
fn a_submission_review_by_an_administrator() -> Result<(), Failure> {
    let launch = launch("moodle_idtoken.json")?;
    let Message::SubmissionReview { resource_link, for_user } = &launch.message else {
        return Err("not a review".into());
    };
    assert_eq!((resource_link.id.as_str(), for_user.user_id.as_str()), ("1", "4"));
    assert!(launch.roles.is_platform_administrator() && launch.roles.is_context_instructor());
    assert_eq!(launch.presentation.target, Some(DocumentTarget::Iframe));
    assert_eq!(launch.platform.and_then(|found| found.family).as_deref(), Some("moodle"));
    assert_eq!(launch.lis.person_sourcedid, None);
    assert_eq!(launch.custom.get("ModuleCamelCase").map(String::as_str), Some("Abc"));
    assert_eq!(
        launch.custom.get("dispo").map(String::as_str),
        Some("$ResourceLink.available.startDateTime")
    );
    Ok(())
}

#[test]
fn a_deep_linking_request_and_its_answer() -> Result<(), Failure> {
    let launch = launch("moodle_idtoken_deeplink.json")?;
    let Message::DeepLinking(settings) = &launch.message else {
        return Err("not a deep linking request".into());
    };
    assert!(settings.accepts_several() && settings.accepts_line_items());
    assert_eq!((settings.data.as_deref(), settings.text.as_deref()), (None, None));
    let link = ContentItem::LtiResourceLink(Box::new(LtiResourceLink {
        title: Some("Évacuation".into()),
        custom: [("course".to_owned(), "c-1".to_owned())].into(),
        line_item: Some(ags::LineItem {
            label: "Évacuation".into(),
            score_maximum: 100.0,
            ..Default::default()
        }),
        ..Default::default()
    }));
    let html = ContentItem::Html { html: "<p>".into(), title: None };
    let (kept, refused) = settings.filter(vec![html, link]);
    assert_eq!((kept.len(), refused.len()), (1, 1));
    let tool = key("tool-1")?;
    let answer = Answer { items: &kept, message: Some("Voilà"), ..Default::default() };
    let form = respond(&tool, &launch, &answer, "n-1", now())?;
    assert_eq!(&form.action, &settings.return_url);
    let answered = peek(&form.jwt)?;
    assert_eq!(answered.key_id.as_deref(), Some("tool-1"));
    assert_eq!(answered.issuer.as_deref(), Some("hAliIcV7gtkXbKE"));
    assert_eq!(answered.audiences, ["http://localhost:8100"]);
    assert_eq!(answered.deployment_id.as_deref(), Some("1"));
    let items = &answered.claims["https://purl.imsglobal.org/spec/lti-dl/claim/content_items"];
    assert_eq!(
        items,
        &json!([{"type": "ltiResourceLink", "title": "Évacuation", "custom": {"course": "c-1"},
            "lineItem": {"label": "Évacuation", "scoreMaximum": 100}}])
    );
    let cancelled = respond(&tool, &launch, &Answer::default(), "n-2", now())?;
    let claims = peek(&cancelled.jwt)?.claims;
    assert_eq!(claims["https://purl.imsglobal.org/spec/lti-dl/claim/content_items"], json!([]));
    assert!(!claims.contains_key("https://purl.imsglobal.org/spec/lti-dl/claim/data"));
    Ok(())
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_453_632, 0).unwrap_or_default()
}

struct Call {
    label: String,
    url: Url,
    request_headers: Map<String, Value>,
    body: String,
    response: Response,
}

fn calls() -> Result<Vec<Call>, Failure> {
    let Value::Array(entries) = capture("moodle_services.json")? else {
        return Err("not a list".into());
    };
    entries
        .into_iter()
        .map(|entry| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            // The recorder decoded header bytes as Latin-1.
            let latin1 = |text: &str| text.chars().map(|c| c as u8).collect::<Vec<u8>>();
            let headers = entry["headers"].as_object().cloned().unwrap_or_default();
            Ok(Call {
                label: text(&entry["label"]),
                url: Url::parse(&text(&entry["request"]["url"]))?,
                request_headers: entry["request"]["headers"]
                    .as_object()
                    .cloned()
                    .unwrap_or_default(),
                body: text(&entry["request"]["body"]),
                response: Response {
                    status: entry["status"].as_u64().unwrap_or_default() as u16,
                    headers: headers
                        .iter()
                        .map(|(name, value)| (name.clone(), latin1(&text(value))))
                        .collect(),
                    body: text(&entry["body"]).into_bytes(),
                },
            })
        })
        .collect()
}

#[test]
fn token_answers() -> Result<(), Failure> {
    let mut seen = 0;
    for call in calls()?.iter().filter(|call| call.label.starts_with("token:")) {
        let parsed = token::parse_response(&call.response, now());
        assert_eq!(parsed.is_ok(), call.response.status == 200, "{}", call.label);
        if let Ok(token) = parsed {
            assert_eq!(token.expires_at - now(), TimeDelta::hours(1));
        }
        seen += 1;
    }
    assert!(seen > 10);
    Ok(())
}

#[test]
fn members() -> Result<(), Failure> {
    let mut pages = 0;
    for call in calls()?.iter().filter(|call| call.label.starts_with("nrps: ")) {
        let Ok(page) = nrps::parse(&call.response, &call.url, now()) else {
            assert!(call.response.status != 200 || call.label.contains("v1"), "{}", call.label);
            continue;
        };
        assert!(!page.members.is_empty(), "{}", call.label);
        assert!(page.members.iter().all(|member| member.status == MemberStatus::Active));
        let teachers = page.members.iter().filter(|member| member.roles.is_context_instructor());
        if call.label == "nrps: accept v2" {
            assert_eq!(teachers.count(), 1);
        }
        if call.label == "nrps: role=Learner limit=1" {
            // Moodle's next link forgets the role.
            let filter = nrps::Filter { role: Some("Learner"), ..Default::default() };
            let next = nrps::next_page(&mut Pager::new(call.url.clone()), &call.response, &filter)?;
            assert!(next.is_some_and(|next| next.url.as_str().ends_with("from=1&role=Learner")));
        }
        if call.label == "nrps: rlid" {
            assert!(page.members.iter().any(|member| member.result_sourcedid.is_some()));
        }
        pages += 1;
    }
    assert!(pages >= 8);
    Ok(())
}

#[test]
fn line_items_results_and_scores() -> Result<(), Failure> {
    for call in &calls()? {
        let response = &call.response;
        let label = call.label.as_str();
        let accept = call.request_headers.get("Accept").and_then(Value::as_str);
        if accept == Some(ags::LINE_ITEMS_TYPE) && response.status == 200 {
            let items = ags::parse_line_items(response, now())?;
            assert!(items.iter().all(|item| item.id.is_some()), "{label}");
        }
        if label == "ags lineitems: limit=1" {
            let next = link(response, "next", &call.url).map(String::from);
            assert!(next.is_some_and(|url| url.ends_with("?type_id=1&limit=1&from=1")));
        }
        if label.starts_with("results: after") {
            let results = ags::parse_results(response, now())?;
            let erased = label.contains("Pending") || label.contains("Started");
            assert_eq!(results.is_empty(), erased, "{label}");
        }
        if label == "results: limit=1" {
            assert!(ags::parse_results(response, now()).is_err());
        }
        if label.starts_with("score") && !call.body.is_empty() {
            let outcome = ags::score_outcome(response, now());
            let as_expected = match response.status {
                200 => outcome == ScoreOutcome::Accepted,
                409 => outcome == ScoreOutcome::Superseded,
                401 => outcome == ScoreOutcome::TokenRefused,
                _ => matches!(outcome, ScoreOutcome::Rejected { status: 400, .. }),
            };
            assert!(as_expected, "{label}: {outcome:?}");
        }
    }
    Ok(())
}

#[test]
fn a_dynamic_registration() -> Result<(), Failure> {
    let captured = capture("moodle_dynreg.json")?;
    let response = Response {
        status: 200,
        headers: vec![],
        body: captured["answer"].to_string().into_bytes(),
    };
    let registered = Registered::parse(&response)?;
    assert_eq!(registered.client_id, "LwXHx7Vm2OtaSNE");
    assert_eq!(registered.deployment_id.as_deref(), Some("3"));
    assert_eq!(registered.scopes.len(), 5);

    let start = Start::parse(
        b"openid_configuration=https%3A%2F%2Flms.test%2Fmod%2Flti%2Fopenid-configuration.php&registration_token=t",
    )?;
    let configuration = |issuer: &str| Response {
        status: 200,
        headers: vec![],
        body: json!({"issuer": issuer, "token_endpoint": "https://lms.test/token",
            "jwks_uri": "https://lms.test/certs", "authorization_endpoint": "https://lms.test/auth",
            "registration_endpoint": "https://lms.test/register",
            "scopes_supported": [token::scope::SCORE], "claims_supported": ["sub", "iss", "name"],
            "https://purl.imsglobal.org/spec/lti-platform-configuration":
                {"product_family_code": "moodle",
                 "messages_supported": [{"type": "LtiResourceLinkRequest"},
                     {"type": "LtiDeepLinkingRequest", "placements": ["ContentArea"]}],
                 "variables": ["Context.id.history"]}})
        .to_string()
        .into_bytes(),
    };
    let elsewhere = PlatformConfiguration::parse(&configuration("https://other.test"), &start);
    assert_eq!(elsewhere.err().map(|e| e.code()), Some("registration-issuer-elsewhere"));
    let platform = PlatformConfiguration::parse(&configuration("https://lms.test"), &start)?;
    let url = |path: &str| Url::parse(&format!("https://tool.test:8443/{path}"));
    let tool = Tool {
        names: [(String::new(), "Tool".to_owned()), ("fr".to_owned(), "Outil".to_owned())].into(),
        descriptions: [].into(),
        login_url: url("login")?,
        redirect_urls: vec![url("launch")?],
        target_link_uri: url("launch")?,
        jwks_url: url("jwks.json")?,
        logo_url: None,
        terms_url: None,
        policy_url: None,
        contacts: vec![],
        scopes: [token::scope::SCORE.to_owned(), token::scope::LINE_ITEM.to_owned()].into(),
        claims: ["name".to_owned(), "email".to_owned()].into(),
        messages: vec![ToolMessage {
            message_type: "LtiDeepLinkingRequest",
            target_link_uri: None,
            labels: [].into(),
            placements: vec!["ContentArea", "editor_button"],
            custom: [].into(),
        }],
        custom: [
            ("known".to_owned(), "$Context.id.history".to_owned()),
            ("unknown".to_owned(), "$ResourceLink.id.history".to_owned()),
            ("fixed".to_owned(), "1".to_owned()),
        ]
        .into(),
    };
    let body = tool.to_json(&platform);
    assert_eq!(body["scope"], json!(token::scope::SCORE));
    assert_eq!(body["client_name#fr"], "Outil");
    let ours = &body["https://purl.imsglobal.org/spec/lti-tool-configuration"];
    assert_eq!(ours["domain"], "tool.test:8443");
    assert_eq!(ours["claims"], json!(["iss", "sub", "name"]));
    assert_eq!(ours["messages"][0]["placements"], json!(["ContentArea"]));
    let custom = json!({"fixed": "1", "known": "$Context.id.history"});
    assert_eq!(ours["custom_parameters"], custom, "a variable it does not know stays away");

    assert!(!start.asks_for_update());
    let claims = URL_SAFE_NO_PAD.encode(captured["registration_token_claims"].to_string());
    let update =
        format!("openid_configuration=https%3A%2F%2Flms.test&registration_token=e30.{claims}.x");
    assert!(Start::parse(update.as_bytes())?.asks_for_update());
    let used = Response {
        status: 401,
        headers: vec![],
        body: json!({"status": 401, "reason": "token_already_used"}).to_string().into_bytes(),
    };
    let refused = Registered::parse(&used).err().map(|refusal| refusal.to_string());
    assert!(refused.is_some_and(|text| text.contains("token_already_used")));
    Ok(())
}

#[test]
fn a_legacy_launch() -> Result<(), Failure> {
    let captured = capture("moodle_lti11_launch.json")?;
    let mut fields: Vec<(String, String)> = captured["params"]
        .as_object()
        .ok_or("no parameters")?
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
        .collect();
    let url = Url::parse("http://127.0.0.1:9001/lti11?page=2")?;
    let signature = sign(SignatureMethod::HmacSha1, "s", &base_string("POST", &url, &fields));
    fields.push(("oauth_signature".to_owned(), signature));
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
    let request = LegacyRequest::parse(body.as_bytes())?;
    let now = DateTime::from_timestamp(1_795_454_063, 0).unwrap_or_default();
    let window = TimeDelta::minutes(5);
    let expected = LegacyExpectation { secret: Some("s"), url: &url, now, window, leeway: window };
    let launch = request.verify(&expected)?;
    assert!(matches!(&launch.message, LegacyMessage::ResourceLink(link) if link.id == "7"));
    assert_eq!(launch.user.name.as_deref(), Some("Éloïse Lefèvre"));
    assert!(launch.roles.is_context_learner());
    assert_eq!(launch.custom.get("module").map(String::as_str), Some("x"));
    assert!(launch.basic_outcome.is_some());
    // Signed for another address, as behind a proxy that is not told.
    let inside = Url::parse("http://127.0.0.1:8080/lti11?page=2")?;
    let refused = request.verify(&LegacyExpectation { url: &inside, ..expected });
    assert_eq!(refused.err().map(|refusal| refusal.code()), Some("legacy-signature-invalid"));
    Ok(())
}

#[test]
fn a_migration_claim_needs_its_signature() -> Result<(), Failure> {
    use base64::Engine as _;
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let mut launch = launch("moodle_idtoken_teacher.json")?;
    let text = [
        "key-1",
        &launch.deployment_id,
        &launch.issuer,
        &launch.client_id,
        &launch.expires_at.timestamp().to_string(),
        &launch.nonce,
    ]
    .join("&");
    let mac = Hmac::<sha2::Sha256>::new_from_slice(b"secret")?.chain_update(text);
    let signature = base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes());
    assert_eq!(
        lti::migration::verify(&launch, "secret").err().map(lti::migration::MigrationRefusal::code),
        Some("migration-claim-missing")
    );
    launch.migration = Some(lti::claims::Migration {
        consumer_key: Some("key-1".into()),
        signature: Some(signature),
        user_id: Some("old-3".into()),
        ..Default::default()
    });
    assert!(lti::migration::verify(&launch, "secret").is_ok());
    assert!(lti::migration::verify(&launch, "another").is_err());
    Ok(())
}

#[test]
fn an_assertion_is_backdated_and_short_lived() -> Result<(), Failure> {
    let tool = key("tool-1")?;
    let assertion = token::Assertion {
        client_id: "c",
        audience: "https://lms.test/token",
        id: "jti-1",
        now: now(),
    };
    let claims = peek(&token::assertion(&tool, &assertion)?)?.claims;
    assert_eq!(
        Value::Object(claims),
        json!({"iss": "c", "sub": "c", "aud": "https://lms.test/token", "jti": "jti-1",
            "iat": now().timestamp() - 5, "exp": now().timestamp() + 300})
    );
    Ok(())
}
