//! Course Groups service 1.0: the groups of a context and who is in them.

use chrono::{DateTime, Utc};
use serde_json::Value;
use url::Url;

use crate::http::{Method, Request, Response};
use crate::json;
use crate::service::{self, ServiceError};

/// Groups (3.2).
pub const GROUPS_TYPE: &str = "application/vnd.ims.lti-gs.v1.contextgroupcontainer+json";
/// Group sets (3.3).
pub const GROUP_SETS_TYPE: &str = "application/vnd.ims.lti-gs.v1.contextgroupsetcontainer+json";

/// A group of a context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// A word for its kind.
    pub tag: Option<String>,
    /// The set it belongs to.
    pub set_id: Option<String>,
}

/// A set of groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupSet {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
}

/// The groups of a context, or those one user is in; follow [`crate::paging::Pager`].
pub fn groups(groups: &Url, user_id: Option<&str>) -> Request {
    let mut url = groups.clone();
    if let Some(user_id) = user_id {
        url.query_pairs_mut().append_pair("user_id", user_id);
    }
    Request::new(Method::Get, url).header("Accept", GROUPS_TYPE)
}

/// The sets of a context.
pub fn group_sets(sets: &Url) -> Request {
    Request::new(Method::Get, sets.clone()).header("Accept", GROUP_SETS_TYPE)
}

/// Reads groups.
pub fn parse_groups(response: &Response, now: DateTime<Utc>) -> Result<Vec<Group>, ServiceError> {
    let entries = entries(response, "groups", now)?;
    Ok(entries
        .iter()
        .filter_map(Value::as_object)
        .filter_map(|entry| {
            Some(Group {
                id: json::identifier(entry, "id")?,
                name: json::text(entry, "name"),
                tag: json::text(entry, "tag"),
                set_id: json::identifier(entry, "set_id"),
            })
        })
        .collect())
}

/// Reads sets.
pub fn parse_group_sets(
    response: &Response,
    now: DateTime<Utc>,
) -> Result<Vec<GroupSet>, ServiceError> {
    let entries = entries(response, "sets", now)?;
    Ok(entries
        .iter()
        .filter_map(Value::as_object)
        .filter_map(|entry| {
            Some(GroupSet { id: json::identifier(entry, "id")?, name: json::text(entry, "name") })
        })
        .collect())
}

fn entries(
    response: &Response,
    name: &str,
    now: DateTime<Utc>,
) -> Result<Vec<Value>, ServiceError> {
    match service::json(response, now)?.get_mut(name).map(Value::take) {
        Some(Value::Array(entries)) => Ok(entries),
        _ => Err(service::unreadable(response)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_groups_and_sets() -> Result<(), ServiceError> {
        let now = DateTime::from_timestamp(0, 0).unwrap_or_default();
        let answer = |body: &str| Response { status: 200, headers: vec![], body: body.into() };
        let found = parse_groups(
            &answer(r#"{"id":"x","groups":[{"id":12,"name":"A"},{"name":"no id"}]}"#),
            now,
        )?;
        assert_eq!(found.len(), 1);
        let sets = parse_group_sets(&answer(r#"{"sets":[{"id":"s","name":"S"}]}"#), now)?;
        assert_eq!(sets.len(), 1);
        assert!(parse_groups(&answer("[]"), now).is_err());
        Ok(())
    }
}
