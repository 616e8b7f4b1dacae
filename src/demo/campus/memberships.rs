//! Names and Role Provisioning Services 2.0: who is in the course.

use std::sync::Arc;

use axum::{
    extract::{Path, Query, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Platform,
    claims::{GROUPS_READ, NRPS_READ},
    services::{ServiceRefusal, ServiceRequest},
    state::{PEOPLE, Person},
};

const CONTAINER: &str = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json";

const GROUP_CONTAINER: &str = "application/vnd.ims.lti-gs.v1.contextgroupcontainer+json";

#[derive(Deserialize)]
pub(super) struct Filter {
    role: Option<String>,
    limit: Option<usize>,
    #[serde(default)]
    from: usize,
    rlid: Option<u64>,
}

/// A group of the first course.
struct Group {
    id: &'static str,
    name: &'static str,
    people: &'static [u64],
}

const GROUPS: [Group; 2] = [
    Group { id: "31", name: "Groupe A", people: &[4, 5] },
    Group { id: "32", name: "Groupe B & amis", people: &[6] },
];

#[derive(Deserialize)]
pub(super) struct GroupFilter {
    user_id: Option<u64>,
}

/// Lists the groups of a course, or those of one person (Course Groups 1.0, 3.2).
pub(super) async fn groups(
    State(platform): State<Arc<Platform>>,
    Path((course, tool)): Path<(u64, u64)>,
    Query(filter): Query<GroupFilter>,
    request: ServiceRequest,
) -> Result<Response, ServiceRefusal> {
    request.need(&[GROUPS_READ])?;
    request.accepts(&[GROUP_CONTAINER], true)?;
    let known = platform.state().courses.contains_key(&course) && tool == request.tool;
    if !known {
        return Err(request.not_found());
    }
    let groups: Vec<Value> = GROUPS
        .iter()
        .filter(|group| filter.user_id.is_none_or(|person| group.people.contains(&person)))
        .map(|group| json!({ "id": group.id, "name": group.name }))
        .collect();
    let body = json!({ "id": platform.groups_url(course, tool), "groups": groups });
    let content_type = format!("{GROUP_CONTAINER}; charset=utf-8");
    Ok((StatusCode::OK, [(header::CONTENT_TYPE, content_type)], body.to_string()).into_response())
}

/// As PHP's `htmlspecialchars` does it.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace(['\'', '’'], "&#039;")
}

fn role(person: &Person) -> &'static str {
    if person.is_trainer() { "Instructor" } else { "Learner" }
}

/// Lists the members. Roles are short names; the next page's URL forgets the role, as a
/// Moodle's does.
pub(super) async fn list(
    State(platform): State<Arc<Platform>>,
    Path((course, tool)): Path<(u64, u64)>,
    Query(filter): Query<Filter>,
    request: ServiceRequest,
) -> Result<Response, ServiceRefusal> {
    request.need(&[NRPS_READ])?;
    request.accepts(&[CONTAINER], true)?;
    let state = platform.state();
    let found = state
        .courses
        .get(&course)
        .filter(|_| tool == request.tool)
        .ok_or_else(|| request.not_found())?;
    let activity = match filter.rlid {
        None => None,
        Some(id) => {
            let activity = state.activities.get(&id).filter(|activity| activity.course == course);
            Some(activity.ok_or_else(|| request.not_found())?)
        }
    };
    let wanted = filter.role.as_deref().map(|role| role.rsplit('#').next().unwrap_or(role));
    let people: Vec<&Person> = PEOPLE
        .iter()
        .filter(|person| wanted.is_none_or(|wanted| wanted == role(person)))
        .filter(|person| !state.faults.gone.contains(&person.id))
        .collect();
    let shown =
        |text: &str| if state.faults.escaped_names { escape(text) } else { text.to_owned() };
    let total = people.len();
    let limit = filter.limit.or(state.faults.page_size).filter(|limit| *limit > 0);
    let members: Vec<Value> = people
        .into_iter()
        .skip(filter.from)
        .take(limit.unwrap_or(usize::MAX))
        .map(|person| {
            let mut member = json!({
                "status": "Active",
                "roles": [role(person)],
                "user_id": person.id.to_string(),
                "lis_person_sourcedid": person.sourcedid,
                "name": shown(&person.name()),
                "given_name": shown(person.given_name),
                "family_name": shown(person.family_name),
                "email": person.email,
                "ext_user_username": person.username,
            });
            if state.faults.groups {
                let groups = GROUPS.iter().filter(|group| group.people.contains(&person.id));
                member["group_enrollments"] =
                    groups.map(|group| json!({ "group_id": group.id })).collect();
            }
            if activity.is_some() {
                member["message"] = json!([{
                    "https://purl.imsglobal.org/spec/lti/claim/message_type":
                        "LtiResourceLinkRequest",
                }]);
            }
            member
        })
        .collect();
    let url = platform.memberships_url(course, tool);
    let body = json!({
        "id": url,
        "context": { "id": course.to_string(), "label": found.label, "title": found.title },
        "members": members,
    });
    let content_type = format!("{CONTAINER}; charset=utf-8");
    let mut response =
        (StatusCode::OK, [(header::CONTENT_TYPE, content_type)], body.to_string()).into_response();
    if let Some(limit) = limit.filter(|limit| filter.from.saturating_add(*limit) < total) {
        let next = filter.from + limit;
        let link = if state.faults.curly_links {
            format!("<{url}?limit={limit}&amp;from={next}>; rel=“next”")
        } else {
            format!("<{url}?limit={limit}&from={next}>; rel=\"next\"")
        };
        if let Ok(value) = HeaderValue::from_bytes(link.as_bytes()) {
            response.headers_mut().insert(header::LINK, value);
        }
    }
    Ok(response)
}
