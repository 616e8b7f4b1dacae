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
    claims::NRPS_READ,
    services::{ServiceRefusal, ServiceRequest},
    state::{PEOPLE, Person},
};

const CONTAINER: &str = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json";

#[derive(Deserialize)]
pub(super) struct Filter {
    role: Option<String>,
    limit: Option<usize>,
    #[serde(default)]
    from: usize,
    rlid: Option<u64>,
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
    let people: Vec<&Person> =
        PEOPLE.iter().filter(|person| wanted.is_none_or(|wanted| wanted == role(person))).collect();
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
                "name": person.name(),
                "given_name": person.given_name,
                "family_name": person.family_name,
                "email": person.email,
                "ext_user_username": person.username,
            });
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
        let link = format!("<{url}?limit={limit}&from={next}>; rel=\"next\"");
        if let Ok(value) = HeaderValue::from_str(&link) {
            response.headers_mut().insert(header::LINK, value);
        }
    }
    Ok(response)
}
