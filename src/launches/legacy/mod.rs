//! LTI 1.1: a launch is one form that the LMS signed with a shared secret and the browser posts.
//!
//! Nothing binds such a form to a browser: there is no login before it that could have set a
//! cookie. So a launch is accepted without one, a browser that brought none is given one with the
//! answer, and a ticket in the address it is sent to says which launch it made. Where the cookie
//! comes back, the ticket is dropped; where it does not (a frame that blocks cookies), the ticket
//! hands the launch to a window of its own: once, within two minutes.

pub mod migration;
pub mod pages;
pub mod selection;
mod store;

use chrono::TimeDelta;
use lti::claims::{Platform, Presentation};
use lti::legacy::{LegacyExpectation, LegacyRequest};
use url::Url;

use super::told::LaunchTold;
use super::{ITEM, Refusal, database};
use crate::app::App;
use crate::platforms::{self, Registration, RegistrationState};
use crate::tenants;
use crate::web::Lang;

pub use store::clean_tickets;

/// Where consumers post.
pub const PATH: &str = "/lti/1.1/launch";
/// The parameter of that address that names what it opens, where an LMS has no custom parameters.
pub const ITEM_PARAMETER: &str = "item";
/// How long ago a form may have been signed.
pub const WINDOW: TimeDelta = TimeDelta::minutes(5);
/// How far the LMS's clock may be ahead.
const LEEWAY: TimeDelta = TimeDelta::seconds(60);
/// How long a launch can be taken over to a window of its own.
const TICKET_LIFE: TimeDelta = TimeDelta::minutes(2);

/// What a form whose signature is right brings to the transaction.
pub struct Verified {
    pub registration: Registration,
    pub told: LaunchTold,
    /// For the launch log: what was left aside.
    pub note: &'static str,
}

/// A refused form.
pub struct Refused {
    pub refusal: Refusal,
    /// Where the LMS wants to have its person back, with the message; only ever from a form that
    /// it signed.
    pub back: Option<Url>,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, back: None }
    }
}

/// The address of an item of ours that a 1.1 consumer can post to.
pub fn item_address(app: &App, item: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair(ITEM_PARAMETER, item)
        .finish();
    app.config.public(&format!("{PATH}?{query}"))
}

/// Finds the consumer and verifies the form as posted to our own public address with this query;
/// nothing is written. `lang` is what the browser speaks.
pub async fn verify(
    app: &App,
    query: Option<&str>,
    body: &[u8],
    lang: Lang,
) -> Result<Verified, Box<Refused>> {
    let refused = |refusal: Refusal| Box::new(Refused::from(refusal));
    let request =
        LegacyRequest::parse(body).map_err(|error| refused(Refusal::new(error.code(), &error)))?;
    let path = match query {
        Some(query) if !query.is_empty() => format!("{PATH}?{query}"),
        _ => PATH.to_owned(),
    };
    // From the configuration: what `Host` says is the browser's, or a proxy's.
    let url = Url::parse(&app.config.public(&path))
        .map_err(|error| refused(Refusal::new("internal", error)))?;
    let registration = consumer(app, &request).await.map_err(refused)?;
    let expected = LegacyExpectation {
        secret: registration.as_ref().and_then(Registration::shared_secret),
        url: &url,
        now: app.clock.now(),
        window: WINDOW,
        leeway: LEEWAY,
    };
    let (launch, registration) = match (request.verify(&expected), registration) {
        (Ok(launch), Some(registration)) => (launch, registration),
        (Ok(_), None) => return Err(refused(Refusal::new("internal", "verified by no secret"))),
        (Err(error), registration) => {
            let refusal = Refusal::new(error.code(), &error);
            let refusal = match &registration {
                Some(registration) => refusal.of(registration),
                None => refusal,
            };
            let log = format!("{}: {error}", error.code());
            let back = request.return_url_for(&error, &sentence(app, lang, error.code()), &log);
            return Err(Box::new(Refused { refusal, back }));
        }
    };
    let mut told = LaunchTold::from(launch);
    let named = url.query_pairs().find(|(name, _)| name == ITEM_PARAMETER);
    if let Some((_, item)) = named
        && told.custom.get(ITEM).is_none_or(String::is_empty)
    {
        told.custom.insert(ITEM.to_owned(), item.into_owned());
    }
    let mut note = "";
    let elsewhere =
        |service: &Url| !is_of_consumer(service, &told.presentation, told.platform.as_ref());
    if told.basic_outcome.as_ref().is_some_and(|outcome| elsewhere(&outcome.service_url)) {
        told.basic_outcome = None;
        note = "no grades: the outcome service is not on the platform's own host";
    }
    Ok(Verified { registration, told, note })
}

/// The registration of the consumer key, where its launches are let in.
async fn consumer(app: &App, request: &LegacyRequest) -> Result<Option<Registration>, Refusal> {
    let Some(key) = request.consumer_key() else { return Ok(None) };
    let mut tx = app.db.read().await.map_err(database)?;
    let Some(registration) = platforms::legacy::by_key(&mut tx, key).await.map_err(database)?
    else {
        return Ok(None);
    };
    let refuse = |code, detail: &str| Err(Refusal::new(code, detail).of(&registration));
    match registration.state {
        RegistrationState::Active => {}
        RegistrationState::Pending => {
            return refuse("legacy-pending", "the consumer waits for an administrator's approval");
        }
        RegistrationState::Closed => {
            return refuse("legacy-closed", "the consumer was closed by an administrator");
        }
    }
    if !tenants::allows_legacy_lti(&mut tx, registration.tenant_id).await.map_err(database)? {
        return refuse("legacy-off", "LTI 1.1 is turned off for this organisation");
    }
    Ok(Some(registration))
}

/// LTI 1.1 registers no host, so none can be compared. What the form says is signed by the
/// consumer: the service has to be where the same form says that the LMS is. A form that says
/// nothing of the kind leaves the consumer's word for it; grades are then sent to a place that
/// whoever has the secret chose, signed with that secret, and to nobody else.
fn is_of_consumer(service: &Url, presentation: &Presentation, platform: Option<&Platform>) -> bool {
    let instance = platform.and_then(|platform| platform.url.as_ref());
    let mut told = presentation.return_url.iter().chain(instance).peekable();
    told.peek().is_none() || told.any(|url| url.origin() == service.origin())
}

/// The sentence of a refusal for the person, in the words of the page.
fn sentence(app: &App, lang: Lang, code: &str) -> String {
    let locales = &app.pages.locales;
    let own = format!("refused-{code}-text");
    let key = if locales.has(lang, &own) { own } else { "refused-message-text".to_owned() };
    locales.say(lang, &key, &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grades_go_where_the_form_says_that_the_lms_is() {
        let url = |text: &str| Url::parse(text).expect("an address");
        let service = url("https://lms.example/service");
        let belongs = |back: Option<&str>, instance: Option<&str>| {
            let presentation = Presentation { return_url: back.map(url), ..Default::default() };
            let platform = Platform { url: instance.map(url), ..Default::default() };
            is_of_consumer(&service, &presentation, Some(&platform))
        };
        assert!(belongs(Some("https://lms.example/course"), None));
        assert!(belongs(Some("https://www.example/"), Some("https://lms.example/")));
        assert!(belongs(None, None));
        assert!(!belongs(Some("https://www.example/"), None));
        assert!(!belongs(Some("http://lms.example/"), Some("https://lms.example:444/")));
    }
}
