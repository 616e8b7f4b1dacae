//! The answer to an LTI 1.1 content-item selection request (Content-Item Message 1.0, 3).

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use url::Url;

use crate::claims::DeepLinkingSettings;
use crate::deep_linking::{ContentItem, LtiResourceLink};
use crate::oauth1::{SignatureMethod, base_string, sign};

/// The media type of a link to a tool.
pub const LTI_LINK_TYPE: &str = "application/vnd.ims.lti.v1.ltilink";

/// How the answer is signed.
#[derive(Clone, Copy)]
pub struct Signing<'a> {
    /// The consumer key of the launch.
    pub consumer_key: &'a str,
    /// Its secret.
    pub secret: &'a str,
    /// The launch's own method is a good choice.
    pub method: SignatureMethod,
    /// A fresh random value.
    pub nonce: &'a str,
    /// The instant.
    pub now: DateTime<Utc>,
}

/// What the browser has to post: address and fields, signature included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelectionForm {
    /// Where to.
    pub action: Url,
    /// The fields.
    pub fields: Vec<(String, String)>,
}

/// The signed selection. Items that are neither links to the tool nor web links are left out; an
/// empty selection cancels. `message` is shown to the user.
pub fn respond(
    settings: &DeepLinkingSettings,
    items: &[ContentItem],
    message: Option<&str>,
    signing: &Signing<'_>,
) -> SelectionForm {
    let graph: Vec<Value> = items.iter().filter_map(item).collect();
    let content = json!({
        "@context": "http://purl.imsglobal.org/ctx/lti/v1/ContentItem",
        "@graph": graph,
    });
    let mut fields: Vec<(String, String)> = [
        ("lti_message_type", "ContentItemSelection"),
        ("lti_version", "LTI-1p0"),
        ("content_items", &content.to_string()),
        ("oauth_callback", "about:blank"),
        ("oauth_consumer_key", signing.consumer_key),
        ("oauth_nonce", signing.nonce),
        ("oauth_signature_method", signing.method.as_str()),
        ("oauth_timestamp", &signing.now.timestamp().to_string()),
        ("oauth_version", "1.0"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec();
    if let Some(data) = &settings.data {
        fields.push(("data".to_owned(), data.clone()));
    }
    if let Some(message) = message {
        fields.push(("lti_msg".to_owned(), message.to_owned()));
    }
    let base = base_string("POST", &settings.return_url, &fields);
    fields.push(("oauth_signature".to_owned(), sign(signing.method, signing.secret, &base)));
    SelectionForm { action: settings.return_url.clone(), fields }
}

fn item(item: &ContentItem) -> Option<Value> {
    match item {
        ContentItem::LtiResourceLink(link) => Some(tool_link(link)),
        ContentItem::Link { url, title, text } => Some(json!({
            "@type": "ContentItem",
            "mediaType": "text/html",
            "url": url.as_str(),
            "title": title,
            "text": text,
        })),
        ContentItem::Html { .. } | ContentItem::Image { .. } | ContentItem::File { .. } => None,
    }
}

fn tool_link(link: &LtiResourceLink) -> Value {
    let mut map = Map::new();
    map.insert("@type".into(), "LtiLinkItem".into());
    map.insert("mediaType".into(), LTI_LINK_TYPE.into());
    if let Some(url) = &link.url {
        map.insert("url".into(), url.as_str().into());
    }
    for (name, value) in [("title", &link.title), ("text", &link.text)] {
        if let Some(value) = value {
            map.insert(name.into(), value.as_str().into());
        }
    }
    if !link.custom.is_empty() {
        map.insert("custom".into(), json!(link.custom));
    }
    if let Some(item) = &link.line_item {
        map.insert(
            "lineItem".into(),
            json!({
                "@type": "LineItem",
                "label": item.label,
                "scoreConstraints": {"@type": "NumericLimits", "normalMaximum": item.score_maximum},
            }),
        );
    }
    Value::Object(map)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth1::verify;

    #[test]
    fn the_selection_is_signed_with_the_query_of_the_return_url() -> Result<(), url::ParseError> {
        let settings = DeepLinkingSettings {
            return_url: Url::parse("https://lms.test/items?x=1")?,
            accept_types: vec![],
            accept_media_types: vec![LTI_LINK_TYPE.into()],
            accept_targets: vec![],
            accept_multiple: None,
            accept_line_item: None,
            auto_create: false,
            title: None,
            text: None,
            data: Some("opaque & more".into()),
        };
        let signing = Signing {
            consumer_key: "k",
            secret: "s",
            method: SignatureMethod::HmacSha256,
            nonce: "n",
            now: DateTime::from_timestamp(1_795_453_632, 0).unwrap_or_default(),
        };
        let items = [
            ContentItem::LtiResourceLink(Box::default()),
            ContentItem::Html { html: "<p>".into(), title: None },
        ];
        let form = respond(&settings, &items, Some("Voilà"), &signing);
        let value = |name: &str| {
            form.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
        };
        let base = base_string("POST", &form.action, &form.fields);
        let signature = value("oauth_signature").unwrap_or_default();
        assert!(verify(SignatureMethod::HmacSha256, "s", &base, signature));
        assert_eq!(value("data"), Some("opaque & more"));
        let content: Option<Value> =
            value("content_items").and_then(|text| serde_json::from_str(text).ok());
        let count = content.as_ref().and_then(|content| content["@graph"].as_array()).map(Vec::len);
        assert_eq!(count, Some(1));
        Ok(())
    }
}
