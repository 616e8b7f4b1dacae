//! Line items: columns of the gradebook (AGS 3.2).

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value};
use url::Url;

use super::{LINE_ITEM_TYPE, LINE_ITEMS_TYPE, number};
use crate::http::{Method, Request, Response};
use crate::json;
use crate::service::{self, ServiceError};

/// A column of the gradebook.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LineItem {
    /// Its address, which is its identity; `None` before it is created.
    pub id: Option<Url>,
    /// Its title.
    pub label: String,
    /// The maximum, above zero.
    pub score_maximum: f64,
    /// Our name for what is graded.
    pub resource_id: Option<String>,
    /// Our name for the kind of grade.
    pub tag: Option<String>,
    /// The link it belongs to.
    pub resource_link_id: Option<String>,
    /// From when work is accepted.
    pub starts_at: Option<DateTime<Utc>>,
    /// Until when.
    pub ends_at: Option<DateTime<Utc>>,
}

impl LineItem {
    pub(crate) fn to_json(&self) -> Map<String, Value> {
        let mut map = Map::new();
        if let Some(id) = &self.id {
            map.insert("id".into(), id.as_str().into());
        }
        map.insert("label".into(), self.label.as_str().into());
        map.insert("scoreMaximum".into(), number(self.score_maximum));
        let texts = [
            ("resourceId", &self.resource_id),
            ("tag", &self.tag),
            ("resourceLinkId", &self.resource_link_id),
        ];
        for (name, value) in texts {
            if let Some(value) = value {
                map.insert(name.into(), value.as_str().into());
            }
        }
        for (name, value) in [("startDateTime", self.starts_at), ("endDateTime", self.ends_at)] {
            if let Some(value) = value {
                map.insert(name.into(), value.to_rfc3339_opts(SecondsFormat::Secs, true).into());
            }
        }
        map
    }

    fn from_json(map: &Map<String, Value>) -> Option<Self> {
        let instant = |name| {
            let text = json::text(map, name)?;
            DateTime::parse_from_rfc3339(&text).ok().map(|instant| instant.with_timezone(&Utc))
        };
        Some(Self {
            id: Some(json::web_address(map, "id")?),
            label: json::text(map, "label").unwrap_or_default(),
            score_maximum: json::number(map, "scoreMaximum").unwrap_or(0.0),
            resource_id: json::text(map, "resourceId"),
            tag: json::text(map, "tag"),
            // `ltiLinkId` is what drafts called it; Moodle sends both.
            resource_link_id: json::identifier(map, "resourceLinkId")
                .or_else(|| json::identifier(map, "ltiLinkId")),
            starts_at: instant("startDateTime"),
            ends_at: instant("endDateTime"),
        })
    }
}

/// Which line items to list (3.2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LineItemFilter<'a> {
    /// Of this link.
    pub resource_link_id: Option<&'a str>,
    /// With our resource id.
    pub resource_id: Option<&'a str>,
    /// With this tag.
    pub tag: Option<&'a str>,
}

/// The list; follow [`crate::paging::Pager`].
pub fn line_items(container: &Url, filter: &LineItemFilter<'_>) -> Request {
    let mut url = container.clone();
    let wanted = [
        ("resource_link_id", filter.resource_link_id),
        ("resource_id", filter.resource_id),
        ("tag", filter.tag),
    ];
    for (name, value) in wanted {
        if let Some(value) = value {
            url.query_pairs_mut().append_pair(name, value);
        }
    }
    Request::new(Method::Get, url).header("Accept", LINE_ITEMS_TYPE)
}

/// Creates a line item in the container.
pub fn create_line_item(container: &Url, item: &LineItem) -> Request {
    write(Method::Post, container, item)
}

/// Reads one.
pub fn read_line_item(line_item: &Url) -> Request {
    Request::new(Method::Get, line_item.clone()).header("Accept", LINE_ITEM_TYPE)
}

/// Replaces one; a changed maximum rescales the grades. Send what was read, changed.
pub fn update_line_item(line_item: &Url, item: &LineItem) -> Request {
    write(Method::Put, line_item, item)
}

/// Deletes one, with all its grades. Moodle deletes even the activity's own column, which never
/// comes back: delete only what was created here.
pub fn delete_line_item(line_item: &Url) -> Request {
    Request::new(Method::Delete, line_item.clone())
}

fn write(method: Method, url: &Url, item: &LineItem) -> Request {
    Request::new(method, url.clone())
        .body(LINE_ITEM_TYPE, Value::Object(item.to_json()).to_string())
}

/// Reads a list; entries without an address are left out.
pub fn parse_line_items(
    response: &Response,
    now: DateTime<Utc>,
) -> Result<Vec<LineItem>, ServiceError> {
    let body = service::json(response, now)?;
    let entries = body.as_array().ok_or_else(|| service::unreadable(response))?;
    Ok(entries.iter().filter_map(Value::as_object).filter_map(LineItem::from_json).collect())
}

/// Reads one.
pub fn parse_line_item(response: &Response, now: DateTime<Utc>) -> Result<LineItem, ServiceError> {
    service::json(response, now)?
        .as_object()
        .and_then(LineItem::from_json)
        .ok_or_else(|| service::unreadable(response))
}
