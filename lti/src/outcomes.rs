//! LTI 1.1 Basic Outcomes: one grade between 0 and 1, in XML (LTI 1.1.1, 6).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use quick_xml::Reader;
use quick_xml::escape::escape;
use quick_xml::events::Event;
use sha1::{Digest as _, Sha1};
use url::Url;

use crate::Fault;
use crate::http::{Method, Request, Response};
use crate::oauth1::{SignatureMethod, base_string, encode, sign};
use crate::service::{self, ServiceError};

/// What to do with a grade.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Operation {
    /// `replaceResult`: from 0 to 1; what lies outside is brought to the nearest.
    Replace(f64),
    /// `readResult`
    Read,
    /// `deleteResult`
    Delete,
}

impl Operation {
    const fn name(self) -> &'static str {
        match self {
            Self::Replace(_) => "replaceResult",
            Self::Read => "readResult",
            Self::Delete => "deleteResult",
        }
    }
}

/// Which address is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SignedPort {
    /// As RFC 5849 3.4.1.2 says: a port that is not the default one belongs to it.
    #[default]
    AsSpecified,
    /// Without any port: Moodle forgets it when it rebuilds the address.
    Dropped,
}

/// How the request is signed.
#[derive(Clone, Copy)]
pub struct Signing<'a> {
    /// The consumer key of the launch.
    pub consumer_key: &'a str,
    /// Its secret.
    pub secret: &'a str,
    /// The launch's own method is a good choice.
    pub method: SignatureMethod,
    /// Which address is signed.
    pub port: SignedPort,
    /// A fresh random value.
    pub nonce: &'a str,
    /// The instant.
    pub now: DateTime<Utc>,
}

/// The envelope (6.1). `message_id` is a fresh value that comes back in the answer.
pub fn envelope(operation: Operation, sourcedid: &str, message_id: &str) -> String {
    let name = operation.name();
    let result = match operation {
        Operation::Replace(score) => {
            let score = if score.is_finite() { score.clamp(0.0, 1.0) } else { 0.0 };
            format!(
                "<result><resultScore><language>en</language>\
                 <textString>{score}</textString></resultScore></result>"
            )
        }
        Operation::Read | Operation::Delete => String::new(),
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <imsx_POXEnvelopeRequest \
         xmlns=\"http://www.imsglobal.org/services/ltiv1p1/xsd/imsoms_v1p0\">\
         <imsx_POXHeader><imsx_POXRequestHeaderInfo><imsx_version>V1.0</imsx_version>\
         <imsx_messageIdentifier>{}</imsx_messageIdentifier></imsx_POXRequestHeaderInfo>\
         </imsx_POXHeader><imsx_POXBody><{name}Request><resultRecord><sourcedGUID>\
         <sourcedId>{}</sourcedId></sourcedGUID>{result}</resultRecord></{name}Request>\
         </imsx_POXBody></imsx_POXEnvelopeRequest>",
        escape(message_id),
        escape(sourcedid),
    )
}

/// The signed request (OAuth Request Body Hash 1.0).
pub fn request(service: &Url, body: String, signing: &Signing<'_>) -> Request {
    let hash = STANDARD.encode(Sha1::digest(body.as_bytes()));
    let mut parameters: Vec<(String, String)> = [
        ("oauth_body_hash", hash.as_str()),
        ("oauth_consumer_key", signing.consumer_key),
        ("oauth_nonce", signing.nonce),
        ("oauth_signature_method", signing.method.as_str()),
        ("oauth_timestamp", &signing.now.timestamp().to_string()),
        ("oauth_version", "1.0"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec();
    let mut signed = service.clone();
    if signing.port == SignedPort::Dropped && signed.set_port(None).is_err() {
        signed = service.clone();
    }
    let base = base_string("POST", &signed, &parameters);
    parameters.push(("oauth_signature".to_owned(), sign(signing.method, signing.secret, &base)));
    let fields: Vec<String> =
        parameters.iter().map(|(name, value)| format!("{name}=\"{}\"", encode(value))).collect();
    Request::new(Method::Post, service.clone())
        .header("Authorization", &format!("OAuth {}", fields.join(",")))
        .body("application/xml", body)
}

/// The request with an access token instead, for a 1.3 launch that carries Basic Outcomes (add
/// [`Request::bearer`]; scope [`crate::token::scope::BASIC_OUTCOME`]).
pub fn unsigned_request(service: &Url, body: String) -> Request {
    Request::new(Method::Post, service.clone()).body("application/xml", body)
}

/// Why an outcome was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutcomeError {
    /// The HTTP answer itself.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// `imsx_codeMajor` is `failure`.
    #[error("the platform refuses the grade: {description}")]
    Failure {
        /// `imsx_description`
        description: String,
    },
    /// `unsupported`: the platform does not do this operation.
    #[error("the platform does not support it: {description}")]
    Unsupported {
        /// `imsx_description`
        description: String,
    },
    /// No envelope.
    #[error("the answer is no outcomes envelope: {excerpt}")]
    Unreadable {
        /// The beginning of the answer.
        excerpt: String,
    },
}

impl OutcomeError {
    /// A stable word for texts and counters.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Service(error) => error.code(),
            Self::Failure { .. } => "outcome-failure",
            Self::Unsupported { .. } => "outcome-unsupported",
            Self::Unreadable { .. } => "outcome-unreadable",
        }
    }

    /// Who has to act.
    pub const fn fault(&self) -> Fault {
        match self {
            Self::Service(error) => error.fault(),
            Self::Failure { .. } | Self::Unreadable { .. } => Fault::Peer,
            Self::Unsupported { .. } => Fault::Unsupported,
        }
    }
}

/// Reads the answer, whatever its media type: Moodle says `text/html` and 200 even for failures.
/// `Some(score)` after a read of a grade that exists.
pub fn parse(response: &Response, now: DateTime<Utc>) -> Result<Option<f64>, OutcomeError> {
    service::check(response, now)?;
    let unreadable = || OutcomeError::Unreadable { excerpt: response.excerpt() };
    if response.body.len() > 256 * 1024 {
        return Err(unreadable());
    }
    let text = String::from_utf8_lossy(&response.body);
    let mut reader = Reader::from_str(&text);
    let mut path: Vec<String> = Vec::new();
    let (mut major, mut description, mut score) = (None, String::new(), None);
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) => {
                path.push(start.local_name().as_ref().to_owned());
            }
            Ok(Event::End(_)) => {
                path.pop();
            }
            Ok(Event::Text(content)) => {
                let content = content.trim().to_owned();
                match path.last().map(String::as_str) {
                    Some("imsx_codeMajor") => major = Some(content),
                    Some("imsx_description") => description.push_str(&content),
                    Some("textString") => score = content.parse::<f64>().ok(),
                    _ => {}
                }
            }
            Ok(Event::Eof) => break,
            Ok(_) => {}
            Err(_) => return Err(unreadable()),
        }
    }
    let description: String = description.chars().take(300).collect();
    match major.as_deref() {
        Some("success") => Ok(score.filter(|score| score.is_finite())),
        Some("unsupported") => Err(OutcomeError::Unsupported { description }),
        Some(_) => Err(OutcomeError::Failure { description }),
        None => Err(unreadable()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_without_the_port_for_moodle() -> Result<(), url::ParseError> {
        let body = envelope(Operation::Replace(0.5), r#"{"a":"<b>"}"#, "m1");
        assert!(body.contains("&lt;b&gt;") && body.contains("<textString>0.5</textString>"));
        let service = Url::parse("http://localhost:8100/mod/lti/service.php")?;
        let authorization = |port| {
            let signing = Signing {
                consumer_key: "k",
                secret: "s",
                method: SignatureMethod::HmacSha1,
                port,
                nonce: "n",
                now: DateTime::from_timestamp(1_795_453_632, 0).unwrap_or_default(),
            };
            let request = request(&service, body.clone(), &signing);
            request.headers.into_iter().find(|(name, _)| name == "Authorization")
        };
        let specified = authorization(SignedPort::AsSpecified);
        assert!(specified.is_some());
        assert_ne!(specified, authorization(SignedPort::Dropped));
        Ok(())
    }

    #[test]
    fn reads_success_failure_and_nonsense() {
        let now = DateTime::from_timestamp(0, 0).unwrap_or_default();
        let answer = |major: &str, text: &str| {
            let body = format!(
                "<?xml version=\"1.0\"?><imsx_POXEnvelopeResponse xmlns=\"x\"><imsx_POXHeader>\
                 <imsx_statusInfo><imsx_codeMajor>{major}</imsx_codeMajor><imsx_description>no\
                 </imsx_description></imsx_statusInfo></imsx_POXHeader><imsx_POXBody>{text}\
                 </imsx_POXBody></imsx_POXEnvelopeResponse>"
            );
            parse(&Response { status: 200, headers: vec![], body: body.into() }, now)
        };
        assert_eq!(answer("success", ""), Ok(None));
        assert_eq!(answer("success", "<textString>0.92</textString>"), Ok(Some(0.92)));
        assert_eq!(answer("failure", ""), Err(OutcomeError::Failure { description: "no".into() }));
        let html = Response { status: 200, headers: vec![], body: b"<html></p>".to_vec() };
        assert!(matches!(parse(&html, now), Err(OutcomeError::Unreadable { .. })));
    }
}
