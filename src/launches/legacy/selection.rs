//! The answer to an LTI 1.1 content-item selection request (Content-Item Message 1.0, 3).

use lti::claims::DeepLinkingSettings;
use lti::content_item::{self, Signing};
use lti::deep_linking::ContentItem;
use lti::oauth1::SignatureMethod;

use crate::app::App;
use crate::ids::Token;
use crate::launches::picker::{ReturnField, ReturnPage};
use crate::platforms::Registration;
use crate::visits::Picker;
use crate::web::Problem;

/// The form that takes the choice back, signed as the request was.
pub fn respond(
    app: &App,
    registration: &Registration,
    picker: &Picker,
    settings: &DeepLinkingSettings,
    items: &[ContentItem],
) -> Result<ReturnPage, Problem> {
    // Taken away since the launch: there is nobody to answer to.
    let secret = registration.shared_secret().ok_or_else(Problem::not_found)?;
    let method = picker.signature_method.as_deref().and_then(SignatureMethod::parse);
    let nonce = Token::random();
    let signing = Signing {
        consumer_key: &registration.client_id,
        secret,
        method: method.unwrap_or(SignatureMethod::HmacSha1),
        nonce: nonce.reveal(),
        now: app.clock.now(),
    };
    let form = content_item::respond(settings, items, None, &signing);
    let fields = form.fields.into_iter().map(|(name, value)| ReturnField { name, value });
    Ok(ReturnPage { action: form.action.to_string(), fields: fields.collect() })
}
