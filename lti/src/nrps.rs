//! Names and Role Provisioning Services 2.0: who is in a context.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use url::Url;

use crate::claims::{self, BASIC_OUTCOME, CUSTOM, Context, User};
use crate::http::{Method, Request, Response};
use crate::json;
use crate::paging::{Pager, PagingError, link};
use crate::roles::Roles;
use crate::service::{self, ServiceError};

/// The media type, exactly (2.4).
pub const MEMBERSHIP_TYPE: &str = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json";

/// Which members to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Filter<'a> {
    /// Only this role (2.4.2): a short context role or a full URI.
    pub role: Option<&'a str>,
    /// Only who can see this resource link, with its message for each (3).
    pub resource_link_id: Option<&'a str>,
    /// At most so many a page. Better left out: without it Moodle sends everybody at once.
    pub limit: Option<u32>,
}

/// The request for the first page.
pub fn members(memberships: &Url, filter: &Filter<'_>) -> Request {
    let mut url = memberships.clone();
    if let Some(role) = filter.role {
        url.query_pairs_mut().append_pair("role", role);
    }
    if let Some(id) = filter.resource_link_id {
        url.query_pairs_mut().append_pair("rlid", id);
    }
    if let Some(limit) = filter.limit {
        url.query_pairs_mut().append_pair("limit", &limit.to_string());
    }
    page(url)
}

/// The request for a further page, or for a differences link.
pub fn page(url: Url) -> Request {
    Request::new(Method::Get, url).header("Accept", MEMBERSHIP_TYPE)
}

/// The next page with the filter still on: Moodle's link to it forgets `role` and `rlid`.
pub fn next_page(
    pager: &mut Pager,
    response: &Response,
    filter: &Filter<'_>,
) -> Result<Option<Request>, PagingError> {
    let Some(mut url) = pager.next(response)? else { return Ok(None) };
    for (name, value) in [("role", filter.role), ("rlid", filter.resource_link_id)] {
        let is_there = url.query_pairs().any(|(present, _)| present == name);
        if let (Some(value), false) = (value, is_there) {
            url.query_pairs_mut().append_pair(name, value);
        }
    }
    Ok(Some(page(url)))
}

/// Whether somebody is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum MemberStatus {
    /// In; also when nothing is said (2.2).
    #[default]
    Active,
    /// Temporarily out.
    Inactive,
    /// Gone; only in differences.
    Deleted,
}

/// A member of the context.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// The same as `sub` in a launch.
    pub user_id: String,
    /// Whether they are in.
    pub status: MemberStatus,
    /// Their roles; short names are context roles here (2.2.1).
    pub roles: Roles,
    /// What the platform tells about them.
    pub user: User,
    /// `lis_person_sourcedid`
    pub person_sourcedid: Option<String>,
    /// `lti11_legacy_user_id`
    pub legacy_user_id: Option<String>,
    /// Custom parameters of their message, with `rlid`.
    pub custom: Vec<(String, String)>,
    /// Their Basic Outcomes sourcedid, with `rlid`.
    pub result_sourcedid: Option<String>,
    /// Ids of the groups they are in, where the platform has the groups service
    /// (`group_enrollments`, Course Groups 1.0, 3.4).
    pub groups: Vec<String>,
}

/// One page of members.
#[derive(Debug, Clone, PartialEq)]
pub struct Members {
    /// The context they are in.
    pub context: Option<Context>,
    /// The members; entries without a user are left out.
    pub members: Vec<Member>,
    /// Where to ask later for what has changed since (2.5).
    pub differences: Option<Url>,
}

/// Reads a page. `url` is the page's own address.
pub fn parse(response: &Response, url: &Url, now: DateTime<Utc>) -> Result<Members, ServiceError> {
    let body = service::json(response, now)?;
    let object = body.as_object().ok_or_else(|| service::unreadable(response))?;
    let members = object
        .get("members")
        .and_then(Value::as_array)
        .ok_or_else(|| service::unreadable(response))?;
    let context = json::object(object, "context").and_then(|context| {
        Some(Context {
            id: json::identifier(context, "id")?,
            label: json::text(context, "label"),
            title: json::text(context, "title"),
            types: Vec::new(),
        })
    });
    let differences =
        link(response, "differences", url).filter(|found| found.origin() == url.origin());
    let members = members.iter().filter_map(Value::as_object).filter_map(member).collect();
    Ok(Members { context, members, differences })
}

fn member(entry: &Map<String, Value>) -> Option<Member> {
    let message = entry
        .get("message")
        .and_then(Value::as_array)
        .and_then(|messages| messages.iter().find_map(Value::as_object));
    let status = match json::text(entry, "status") {
        Some(status) if status.eq_ignore_ascii_case("inactive") => MemberStatus::Inactive,
        Some(status) if status.eq_ignore_ascii_case("deleted") => MemberStatus::Deleted,
        _ => MemberStatus::Active,
    };
    Some(Member {
        user_id: json::identifier(entry, "user_id")?,
        status,
        roles: Roles::new(json::texts(entry, "roles")),
        user: claims::user(entry),
        person_sourcedid: json::text(entry, "lis_person_sourcedid"),
        legacy_user_id: json::identifier(entry, "lti11_legacy_user_id"),
        custom: message
            .and_then(|message| json::object(message, CUSTOM))
            .into_iter()
            .flatten()
            .filter_map(|(name, value)| Some((name.clone(), json::scalar(value)?)))
            .collect(),
        result_sourcedid: message
            .and_then(|message| json::object(message, BASIC_OUTCOME))
            .and_then(|outcome| json::identifier(outcome, "lis_result_sourcedid")),
        groups: entry
            .get("group_enrollments")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_object)
            .filter_map(|group| json::identifier(group, "group_id"))
            .collect(),
    })
}
