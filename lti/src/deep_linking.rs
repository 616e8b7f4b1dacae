//! Deep Linking 2.0: the answer to a request for content.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};
use url::Url;

use crate::ags::LineItem;
use crate::claims::{
    CONTENT_ITEMS, DEEP_LINKING_DATA, DEEP_LINKING_ERROR_LOG, DEEP_LINKING_ERROR_MESSAGE,
    DEEP_LINKING_LOG, DEEP_LINKING_MESSAGE, DEEP_LINKING_RESPONSE, DEPLOYMENT_ID,
    DeepLinkingSettings, DocumentTarget, LTI_VERSION, Launch, MESSAGE_TYPE, Message, VERSION,
};
use crate::tool_key::{ToolKey, ToolKeyError};

/// A picture beside an item (3.1.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Where it is.
    pub url: Url,
    /// Width in pixels.
    pub width: Option<u32>,
    /// Height in pixels.
    pub height: Option<u32>,
}

/// Between when and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Period {
    /// From.
    pub from: Option<DateTime<Utc>>,
    /// Until.
    pub until: Option<DateTime<Utc>>,
}

/// Hints for a new window (3.1.5).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WindowHint {
    /// The window's name, to open the same one again.
    pub target_name: Option<String>,
    /// Width in pixels.
    pub width: Option<u32>,
    /// Height in pixels.
    pub height: Option<u32>,
}

/// Hints for an iframe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct IframeHint {
    /// Width in pixels.
    pub width: Option<u32>,
    /// Height in pixels.
    pub height: Option<u32>,
}

/// A link back to us (3.5).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LtiResourceLink {
    /// Where it launches; `None`: the tool's own address. Moodle finds the tool by its domain.
    pub url: Option<Url>,
    /// Title.
    pub title: Option<String>,
    /// Description.
    pub text: Option<String>,
    /// Icon.
    pub icon: Option<Image>,
    /// Larger picture.
    pub thumbnail: Option<Image>,
    /// Custom parameters; put a stable id of the content here, resource link ids change when a
    /// course is copied.
    pub custom: BTreeMap<String, String>,
    /// The column to create.
    pub line_item: Option<LineItem>,
    /// Window hints.
    pub window: Option<WindowHint>,
    /// Iframe hints.
    pub iframe: Option<IframeHint>,
    /// When it can be seen.
    pub available: Option<Period>,
    /// When work can be handed in.
    pub submission: Option<Period>,
}

/// Something to choose.
#[derive(Debug, Clone, PartialEq)]
pub enum ContentItem {
    /// `ltiResourceLink`
    LtiResourceLink(Box<LtiResourceLink>),
    /// `link` (3.1): a plain web address.
    Link {
        /// The address.
        url: Url,
        /// Title.
        title: Option<String>,
        /// Description.
        text: Option<String>,
    },
    /// `html` (3.3): a fragment.
    Html {
        /// The fragment.
        html: String,
        /// Title.
        title: Option<String>,
    },
    /// `image` (3.4).
    Image {
        /// Where it is.
        image: Image,
        /// Title.
        title: Option<String>,
    },
    /// `file` (3.2): the platform fetches it.
    File {
        /// Where it is.
        url: Url,
        /// Title, used as its name.
        title: Option<String>,
        /// Its media type, to compare with what is accepted.
        media_type: Option<String>,
        /// Until when it can be fetched.
        expires_at: Option<DateTime<Utc>>,
    },
}

impl ContentItem {
    /// Its `type`.
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::LtiResourceLink(_) => "ltiResourceLink",
            Self::Link { .. } => "link",
            Self::Html { .. } => "html",
            Self::Image { .. } => "image",
            Self::File { .. } => "file",
        }
    }

    fn to_json(&self) -> Value {
        let mut map = Map::new();
        map.insert("type".into(), self.type_name().into());
        match self {
            Self::LtiResourceLink(link) => link.write(&mut map),
            Self::Link { url, title, text } => {
                map.insert("url".into(), url.as_str().into());
                put(&mut map, "title", title.as_deref());
                put(&mut map, "text", text.as_deref());
            }
            Self::Html { html, title } => {
                map.insert("html".into(), html.as_str().into());
                put(&mut map, "title", title.as_deref());
            }
            Self::Image { image, title } => {
                if let Value::Object(fields) = image.to_json() {
                    map.extend(fields);
                }
                put(&mut map, "title", title.as_deref());
            }
            Self::File { url, title, media_type, expires_at } => {
                map.insert("url".into(), url.as_str().into());
                put(&mut map, "title", title.as_deref());
                put(&mut map, "mediaType", media_type.as_deref());
                if let Some(instant) = expires_at {
                    map.insert("expiresAt".into(), seconds(*instant));
                }
            }
        }
        Value::Object(map)
    }
}

impl LtiResourceLink {
    fn write(&self, map: &mut Map<String, Value>) {
        put(map, "url", self.url.as_ref().map(Url::as_str));
        put(map, "title", self.title.as_deref());
        put(map, "text", self.text.as_deref());
        for (name, image) in [("icon", &self.icon), ("thumbnail", &self.thumbnail)] {
            if let Some(image) = image {
                map.insert(name.into(), image.to_json());
            }
        }
        if !self.custom.is_empty() {
            map.insert("custom".into(), json!(self.custom));
        }
        if let Some(item) = &self.line_item {
            // 3.5: no id, no link: both come into being with the item.
            let mut item = item.to_json();
            item.remove("id");
            item.remove("resourceLinkId");
            map.insert("lineItem".into(), Value::Object(item));
        }
        if let Some(window) = &self.window {
            let mut hint = size(window.width, window.height);
            put(&mut hint, "targetName", window.target_name.as_deref());
            map.insert("window".into(), Value::Object(hint));
        }
        if let Some(iframe) = &self.iframe {
            map.insert("iframe".into(), Value::Object(size(iframe.width, iframe.height)));
        }
        for (name, period) in [("available", self.available), ("submission", self.submission)] {
            if let Some(period) = period {
                let mut fields = Map::new();
                if let Some(from) = period.from {
                    fields.insert("startDateTime".into(), seconds(from));
                }
                if let Some(until) = period.until {
                    fields.insert("endDateTime".into(), seconds(until));
                }
                map.insert(name.into(), Value::Object(fields));
            }
        }
    }
}

impl Image {
    fn to_json(&self) -> Value {
        let mut map = size(self.width, self.height);
        map.insert("url".into(), self.url.as_str().into());
        Value::Object(map)
    }
}

/// Why an item cannot be offered to this platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NotAccepted {
    /// Its type is not among `accept_types`.
    Type,
    /// Its media type is not among `accept_media_types`.
    MediaType,
    /// One item is accepted, and there is one already.
    Multiple,
}

impl DeepLinkingSettings {
    /// Whether items of that type are accepted (4.4.1: the list is required, so nothing listed
    /// means nothing accepted).
    pub fn accepts_type(&self, type_name: &str) -> bool {
        self.accept_types.iter().any(|accepted| accepted == type_name)
    }

    /// Whether several items may be returned. Not said means one.
    pub fn accepts_several(&self) -> bool {
        self.accept_multiple.unwrap_or(false)
    }

    /// Whether a line item may come with a link. Not said means that the platform decides (Moodle
    /// says nothing and takes them), so only a clear "no" counts.
    pub fn accepts_line_items(&self) -> bool {
        self.accept_line_item.unwrap_or(true)
    }

    /// Whether a file of that media type is accepted; an empty list accepts all.
    pub fn accepts_media_type(&self, media_type: &str) -> bool {
        self.accept_media_types.is_empty()
            || self.accept_media_types.iter().any(|accepted| {
                accepted == "*/*"
                    || accepted.eq_ignore_ascii_case(media_type)
                    || accepted.strip_suffix("/*").is_some_and(|kind| {
                        media_type.split('/').next().is_some_and(|k| k.eq_ignore_ascii_case(kind))
                    })
            })
    }

    fn accepts_target(&self, target: &DocumentTarget) -> bool {
        self.accept_targets.is_empty() || self.accept_targets.contains(target)
    }

    /// Keeps what the platform accepts, in order, and says why the rest is left out. Accepted
    /// links lose the line item and the hints the platform does not want.
    pub fn filter(
        &self,
        items: Vec<ContentItem>,
    ) -> (Vec<ContentItem>, Vec<(ContentItem, NotAccepted)>) {
        let (mut kept, mut refused) = (Vec::new(), Vec::new());
        for mut item in items {
            let media_type = match &item {
                ContentItem::File { media_type, .. } => media_type.as_deref(),
                _ => None,
            };
            if !self.accepts_type(item.type_name()) {
                refused.push((item, NotAccepted::Type));
            } else if media_type.is_some_and(|media_type| !self.accepts_media_type(media_type)) {
                refused.push((item, NotAccepted::MediaType));
            } else if !kept.is_empty() && !self.accepts_several() {
                refused.push((item, NotAccepted::Multiple));
            } else {
                if let ContentItem::LtiResourceLink(link) = &mut item {
                    link.line_item = link.line_item.take().filter(|_| self.accepts_line_items());
                    link.window =
                        link.window.take().filter(|_| self.accepts_target(&DocumentTarget::Window));
                    link.iframe =
                        link.iframe.take().filter(|_| self.accepts_target(&DocumentTarget::Iframe));
                }
                kept.push(item);
            }
        }
        (kept, refused)
    }
}

/// What to answer (4.5).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer<'a> {
    /// The chosen items; none is how a choice is cancelled.
    pub items: &'a [ContentItem],
    /// `msg`: for the user.
    pub message: Option<&'a str>,
    /// `log`: for the platform's log.
    pub log: Option<&'a str>,
    /// `errormsg`: for the user.
    pub error_message: Option<&'a str>,
    /// `errorlog`: for the platform's log.
    pub error_log: Option<&'a str>,
}

/// What the browser has to post.
#[derive(Clone, PartialEq, Eq)]
pub struct ResponseForm {
    /// Where to.
    pub action: Url,
    /// The value of the only field, `JWT`.
    pub jwt: String,
}

impl std::fmt::Debug for ResponseForm {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ResponseForm").finish_non_exhaustive()
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ResponseError {
    /// The launch was not a deep linking request.
    #[error("the launch did not ask for content")]
    NotADeepLinkingRequest,
    /// The key.
    #[error(transparent)]
    Key(#[from] ToolKeyError),
}

/// The signed answer to a deep linking request (4.5; message of a tool, Security Framework
/// 5.2.2): `iss` is our client id, `aud` the platform's issuer, `data` is echoed. `nonce` is a
/// fresh random value.
pub fn respond(
    key: &ToolKey,
    launch: &Launch,
    answer: &Answer<'_>,
    nonce: &str,
    now: DateTime<Utc>,
) -> Result<ResponseForm, ResponseError> {
    let Message::DeepLinking(settings) = &launch.message else {
        return Err(ResponseError::NotADeepLinkingRequest);
    };
    let request = Request {
        settings,
        issuer: &launch.issuer,
        client_id: &launch.client_id,
        deployment_id: &launch.deployment_id,
    };
    Ok(request.respond(key, answer, nonce, now)?)
}

/// What has to be remembered of a deep linking request to answer it later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request<'a> {
    /// What the platform accepts.
    pub settings: &'a DeepLinkingSettings,
    /// The platform's issuer.
    pub issuer: &'a str,
    /// Our client id.
    pub client_id: &'a str,
    /// The deployment.
    pub deployment_id: &'a str,
}

impl Request<'_> {
    /// See [`respond`].
    pub fn respond(
        &self,
        key: &ToolKey,
        answer: &Answer<'_>,
        nonce: &str,
        now: DateTime<Utc>,
    ) -> Result<ResponseForm, ToolKeyError> {
        let items: Vec<Value> = answer.items.iter().map(ContentItem::to_json).collect();
        let mut claims = Map::new();
        claims.insert("iss".into(), self.client_id.into());
        claims.insert("aud".into(), self.issuer.into());
        claims.insert("iat".into(), (now.timestamp() - 5).into());
        claims.insert("exp".into(), (now.timestamp() + 300).into());
        claims.insert("nonce".into(), nonce.into());
        claims.insert(DEPLOYMENT_ID.into(), self.deployment_id.into());
        claims.insert(MESSAGE_TYPE.into(), DEEP_LINKING_RESPONSE.into());
        claims.insert(VERSION.into(), LTI_VERSION.into());
        claims.insert(CONTENT_ITEMS.into(), items.into());
        put(&mut claims, DEEP_LINKING_DATA, self.settings.data.as_deref());
        put(&mut claims, DEEP_LINKING_MESSAGE, answer.message);
        put(&mut claims, DEEP_LINKING_LOG, answer.log);
        put(&mut claims, DEEP_LINKING_ERROR_MESSAGE, answer.error_message);
        put(&mut claims, DEEP_LINKING_ERROR_LOG, answer.error_log);
        Ok(ResponseForm { action: self.settings.return_url.clone(), jwt: key.sign(&claims)? })
    }
}

fn put(map: &mut Map<String, Value>, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        map.insert(name.into(), value.into());
    }
}

fn size(width: Option<u32>, height: Option<u32>) -> Map<String, Value> {
    let mut map = Map::new();
    for (name, value) in [("width", width), ("height", height)] {
        if let Some(value) = value {
            map.insert(name.into(), value.into());
        }
    }
    map
}

fn seconds(instant: DateTime<Utc>) -> Value {
    instant.to_rfc3339_opts(SecondsFormat::Secs, true).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Result<DeepLinkingSettings, url::ParseError> {
        Ok(DeepLinkingSettings {
            return_url: Url::parse("https://lms.test/return")?,
            accept_types: vec!["ltiResourceLink".into(), "file".into()],
            accept_media_types: vec!["image/*".into(), "application/pdf".into()],
            accept_targets: vec![DocumentTarget::Iframe],
            accept_multiple: None,
            accept_line_item: Some(false),
            auto_create: false,
            title: None,
            text: None,
            data: None,
        })
    }

    #[test]
    fn offers_only_what_the_platform_accepts() -> Result<(), url::ParseError> {
        let link = || {
            ContentItem::LtiResourceLink(Box::new(LtiResourceLink {
                line_item: Some(LineItem::default()),
                window: Some(WindowHint::default()),
                iframe: Some(IframeHint::default()),
                ..Default::default()
            }))
        };
        let file = |media_type: &str| {
            Ok::<_, url::ParseError>(ContentItem::File {
                url: Url::parse("https://tool.test/f")?,
                title: None,
                media_type: Some(media_type.to_owned()),
                expires_at: None,
            })
        };
        let html = ContentItem::Html { html: String::new(), title: None };
        let (kept, refused) =
            settings()?.filter(vec![html, file("text/plain")?, link(), file("image/png")?]);
        let reasons: Vec<NotAccepted> = refused.iter().map(|(_, reason)| *reason).collect();
        assert_eq!(reasons, [NotAccepted::Type, NotAccepted::MediaType, NotAccepted::Multiple]);
        let [ContentItem::LtiResourceLink(kept)] = kept.as_slice() else {
            panic!("one link was expected: {kept:?}");
        };
        assert!(kept.line_item.is_none() && kept.window.is_none() && kept.iframe.is_some());
        Ok(())
    }
}
