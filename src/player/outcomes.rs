//! Scores for LMSs that take them by LTI 1.1 Basic Outcomes: one number between 0 and 1, in XML,
//! signed with the shared secret; or with an access token, where a 1.3 platform offers the service.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use lti::claims::BasicOutcome;
use lti::http::{Request, Response};
use lti::oauth1::SignatureMethod;
use lti::outcomes::{
    Operation, OutcomeError, SignedPort, Signing, envelope, parse, request, unsigned_request,
};
use lti::service::ServiceError;
use lti::token::scope::BASIC_OUTCOME;
use url::Url;

use super::grades::{self, ScoreState};
use super::store::{self, Outgoing};
use crate::app::App;
use crate::db::{self, Tx};
use crate::ids::{EnrolmentId, IdentityId, ResourceLinkId, Token, label};
use crate::jobs::Failure;
use crate::platforms::tokens::TokenError;
use crate::platforms::{Registration, Version};

/// How often an answer that is no envelope (a maintenance page) is asked for again: some 20 minutes.
const PATIENCE: i64 = 8;

/// The learner came through this link, whose result has a service: scores of the enrolment go
/// there too. `method` is how the consumer signs.
pub async fn aim(
    tx: &mut Tx,
    enrolment: EnrolmentId,
    link: ResourceLinkId,
    identity: IdentityId,
    outcome: &BasicOutcome,
    method: Option<SignatureMethod>,
    now: DateTime<Utc>,
) -> db::Result<()> {
    grades::aim(tx, enrolment, link, identity, outcome.service_url.as_str(), now).await?;
    let method = method.map(SignatureMethod::as_str);
    store::aim_at_outcomes(tx, enrolment, link, &outcome.result_sourcedid, method).await
}

/// Sends the score; what became of it, with what the platform said.
pub(super) async fn send(
    app: &App,
    registration: &Registration,
    score: &Outgoing,
    attempt: i64,
) -> Result<(ScoreState, String), Failure> {
    let (Ok(service), Some(sourcedid)) = (Url::parse(&score.line_item), &score.sourcedid) else {
        return Ok(refused("the result's address is not one"));
    };
    let body = envelope(Operation::Replace(score.given / score.maximum), sourcedid, &label());
    match registration.version {
        Version::V11 => signed(app, registration, score, &service, body, attempt).await,
        Version::V13 => with_token(app, registration, &service, body, attempt).await,
    }
}

fn refused(reason: impl ToString) -> (ScoreState, String) {
    (ScoreState::Refused, reason.to_string())
}

async fn signed(
    app: &App,
    registration: &Registration,
    score: &Outgoing,
    service: &Url,
    body: String,
    attempt: i64,
) -> Result<(ScoreState, String), Failure> {
    let Some(secret) = registration.shared_secret() else {
        return Ok(refused("there is no secret to sign with any more"));
    };
    let method = score.signature_method.as_deref().and_then(SignatureMethod::parse);
    // Moodle forgets the port when it rebuilds the address that was signed.
    let ways = match service.port() {
        Some(_) => &[SignedPort::AsSpecified, SignedPort::Dropped][..],
        None => &[SignedPort::AsSpecified][..],
    };
    let mut answer = String::new();
    for port in ways {
        let nonce = Token::random();
        let signing = Signing {
            consumer_key: &registration.client_id,
            secret,
            method: method.unwrap_or(SignatureMethod::HmacSha1),
            port: *port,
            nonce: nonce.reveal(),
            now: app.clock.now(),
        };
        let response = call(app, request(service, body.clone(), &signing), attempt).await?;
        match parse(&response, app.clock.now()) {
            Err(error) if is_about_signature(&error) => answer = error.to_string(),
            outcome => return settled(outcome, attempt),
        }
    }
    Ok(refused(format!(
        "the platform does not accept our signature: compare the secret there with the one that \
         was given out here, and the two clocks ({answer})"
    )))
}

/// Moodle answers 200 and says so in the description; others answer 401.
fn is_about_signature(error: &OutcomeError) -> bool {
    match error {
        OutcomeError::Service(ServiceError::Unauthorized) => true,
        OutcomeError::Failure { description } => {
            let description = description.to_lowercase();
            description.contains("signature") || description.contains("oauth")
        }
        _ => false,
    }
}

async fn with_token(
    app: &App,
    registration: &Registration,
    service: &Url,
    body: String,
    attempt: i64,
) -> Result<(ScoreState, String), Failure> {
    if !registration.owns(service) {
        return Ok(refused("the result's address is not on the platform's own host"));
    }
    let scopes = BTreeSet::from([BASIC_OUTCOME.to_owned()]);
    let token = match app.tokens.access_token(app, registration, &scopes).await {
        Ok(token) => token,
        Err(TokenError::Refused(answer)) if answer.starts_with("invalid_scope") => {
            return Ok(refused("the platform offers Basic Outcomes and grants no token for them"));
        }
        Err(error) => return Err(Failure::backoff(attempt, error)),
    };
    let request = unsigned_request(service, body).bearer(&token);
    let outcome = parse(&call(app, request, attempt).await?, app.clock.now());
    if outcome == Err(OutcomeError::Service(ServiceError::Unauthorized)) {
        app.tokens.forget(registration, &scopes).await;
        return Err(Failure::backoff(attempt, "the platform refused the token"));
    }
    settled(outcome, attempt)
}

async fn call(app: &App, request: Request, attempt: i64) -> Result<Response, Failure> {
    let answer = app
        .outbound
        .send(request.method.as_str(), request.url.as_str(), &request.headers, request.body)
        .await
        .map_err(|error| Failure::backoff(attempt, error))?;
    let headers = answer.headers.iter();
    Ok(Response {
        status: answer.status,
        headers: headers.map(|(n, v)| (n.to_string(), v.as_bytes().to_vec())).collect(),
        body: answer.body.to_vec(),
    })
}

fn settled(
    outcome: Result<Option<f64>, OutcomeError>,
    attempt: i64,
) -> Result<(ScoreState, String), Failure> {
    let Err(error) = outcome else { return Ok((ScoreState::Delivered, String::new())) };
    match &error {
        OutcomeError::Service(
            ServiceError::Server { retry_after, .. }
            | ServiceError::TooManyRequests { retry_after },
        ) => Err(match retry_after {
            Some(after) => {
                let after = (*after).max(TimeDelta::seconds(30));
                Failure::Retry { after, reason: error.to_string() }
            }
            None => Failure::backoff(attempt, &error),
        }),
        OutcomeError::Unreadable { .. } if attempt < PATIENCE => {
            Err(Failure::backoff(attempt, &error))
        }
        _ => Ok(refused(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_about_the_signature_is_tried_the_other_way() {
        let failure = |text: &str| OutcomeError::Failure { description: text.to_owned() };
        assert!(is_about_signature(&failure("Message signature not valid")));
        assert!(is_about_signature(&OutcomeError::Service(ServiceError::Unauthorized)));
        assert!(!is_about_signature(&failure("the user is not enrolled")));
        let server = ServiceError::Server { status: 503, retry_after: None };
        assert!(!is_about_signature(&OutcomeError::Service(server)));
    }

    #[test]
    fn a_maintenance_page_is_waited_for_and_a_refusal_is_not() {
        let page = || OutcomeError::Unreadable { excerpt: "<html>".to_owned() };
        assert!(matches!(settled(Err(page()), 1), Err(Failure::Retry { .. })));
        assert!(matches!(settled(Err(page()), PATIENCE), Ok((ScoreState::Refused, _))));
        let failure = OutcomeError::Failure { description: "unknown result".to_owned() };
        let (state, detail) = settled(Err(failure), 1).expect("settled");
        assert_eq!(state, ScoreState::Refused);
        assert!(detail.contains("unknown result"), "{detail}");
        let slow = ServiceError::TooManyRequests { retry_after: Some(TimeDelta::zero()) };
        let slow = settled(Err(OutcomeError::Service(slow)), 1);
        assert!(matches!(slow, Err(Failure::Retry { after, .. }) if after.num_seconds() == 30));
    }
}
