//! The claims of an id_token, in the shape a Moodle gives them.

use serde_json::{Map, Value, json};

use super::{
    Platform,
    state::{Activity, Course, PendingLaunch, Person, Purpose, State, Tool},
};

pub(super) const AGS_LINE_ITEM: &str = "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem";
pub(super) const AGS_LINE_ITEM_READ: &str =
    "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem.readonly";
pub(super) const AGS_RESULT_READ: &str =
    "https://purl.imsglobal.org/spec/lti-ags/scope/result.readonly";
pub(super) const AGS_SCORE: &str = "https://purl.imsglobal.org/spec/lti-ags/scope/score";
pub(super) const NRPS_READ: &str =
    "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly";
pub(super) const GROUPS_READ: &str =
    "https://purl.imsglobal.org/spec/lti-gs/scope/contextgroup.readonly";
/// Every scope a tool can be granted.
pub(super) const SCOPES: [&str; 6] =
    [AGS_LINE_ITEM, AGS_LINE_ITEM_READ, AGS_RESULT_READ, AGS_SCORE, NRPS_READ, GROUPS_READ];

const CLAIM: &str = "https://purl.imsglobal.org/spec/lti/claim/";
/// Life of an id_token in seconds.
const LIFE: i64 = 60;

fn lti(name: &str) -> String {
    format!("{CLAIM}{name}")
}

impl Platform {
    /// URL of the line items of a course; the query names the tool, as Moodle's does.
    pub(super) fn line_items_url(&self, course: u64, tool: u64) -> String {
        self.url(&format!("/lti/services/{course}/lineitems?type_id={tool}"))
    }

    pub(super) fn line_item_url(&self, course: u64, item: u64, tool: u64) -> String {
        self.url(&format!("/lti/services/{course}/lineitems/{item}/lineitem?type_id={tool}"))
    }

    pub(super) fn memberships_url(&self, course: u64, tool: u64) -> String {
        self.url(&format!("/lti/services/CourseSection/{course}/bindings/{tool}/memberships"))
    }

    pub(super) fn groups_url(&self, course: u64, tool: u64) -> String {
        self.url(&format!("/lti/services/CourseSection/{course}/bindings/{tool}/groups"))
    }

    /// What the tool and its client id make of a launch. `None` when the activity or the
    /// course went away in the meantime.
    pub(super) fn claims(
        &self,
        state: &State,
        launch: &PendingLaunch,
        tool: &Tool,
        person: &Person,
        nonce: &str,
        sesskey: &str,
    ) -> Option<Map<String, Value>> {
        let (activity, course_id) = match &launch.purpose {
            Purpose::ResourceLink { activity, .. } | Purpose::SubmissionReview { activity, .. } => {
                let activity = state.activities.get(activity)?;
                (Some(activity), activity.course)
            }
            Purpose::DeepLinking { course } => (None, *course),
        };
        let course = state.courses.get(&course_id)?;
        let now = self.now().timestamp().saturating_add(state.faults.id_token.clock_skew);
        let mut claims = Map::new();
        claims.insert("nonce".into(), nonce.into());
        claims.insert("iat".into(), now.into());
        claims.insert("exp".into(), now.saturating_add(LIFE).into());
        claims.insert("iss".into(), self.public_url.clone().into());
        claims.insert("aud".into(), tool.client_id.clone().into());
        claims.insert(lti("deployment_id"), tool.id.to_string().into());
        claims.insert("sub".into(), person.id.to_string().into());
        claims.insert("given_name".into(), person.given_name.into());
        claims.insert("family_name".into(), person.family_name.into());
        claims.insert("name".into(), person.name().into());
        claims.insert("email".into(), person.email.into());
        claims.insert(
            lti("lis"),
            json!({ "person_sourcedid": person.sourcedid, "course_section_sourcedid": course.label }),
        );
        claims.insert(lti("roles"), json!([role(person)]));
        claims.insert(
            lti("context"),
            json!({
                "id": course.id.to_string(),
                "label": course.label,
                "title": course.title,
                "type": ["CourseSection"],
            }),
        );
        claims.insert(lti("ext"), json!({ "user_username": person.username, "lms": "campus-1" }));
        claims.insert(
            lti("tool_platform"),
            json!({
                "product_family_code": "campus",
                "version": "2026112300",
                "guid": "3b1d0f9f5f4e4c55a7e2campusdemo",
                "name": "CAMPUS",
                "description": "Campus, plateforme de démonstration",
            }),
        );
        claims.insert(lti("version"), "1.3.0".into());
        let mut presentation = json!({ "locale": launch.locale });
        let target = match &launch.purpose {
            Purpose::DeepLinking { .. } => {
                deep_linking(self, tool, course, sesskey, &mut claims);
                tool.deep_linking_url.clone().unwrap_or_else(|| tool.target_link_uri.clone())
            }
            Purpose::ResourceLink { document_target, .. } => {
                claims.insert(lti("message_type"), "LtiResourceLinkRequest".into());
                let container = if *document_target == "window" { 4 } else { 3 };
                presentation = json!({
                    "locale": launch.locale,
                    "document_target": document_target,
                    "return_url": self.url(&format!(
                        "/lti/return?course={course_id}&launch_container={container}&sesskey={sesskey}"
                    )),
                });
                activity.map(|activity| activity.target_link_uri.clone())?
            }
            Purpose::SubmissionReview { for_user, .. } => {
                claims.insert(lti("message_type"), "LtiSubmissionReviewRequest".into());
                claims.insert(lti("for_user"), json!({ "user_id": for_user.to_string() }));
                presentation = json!({
                    "locale": launch.locale,
                    "document_target": "iframe",
                    "return_url": self.url(&format!("/course/{course_id}/gradebook")),
                });
                activity.map(|activity| activity.target_link_uri.clone())?
            }
        };
        claims.insert(lti("target_link_uri"), target.into());
        claims.insert(lti("launch_presentation"), presentation);
        if let Some(activity) = activity {
            claims.insert(
                lti("resource_link"),
                json!({
                    "title": activity.title,
                    "description": activity.description,
                    "id": activity.id.to_string(),
                }),
            );
        }
        claims.insert(lti("custom"), self.custom(tool, course, activity, person));
        let mut endpoint = json!({
            "scope": [AGS_LINE_ITEM, AGS_LINE_ITEM_READ, AGS_RESULT_READ, AGS_SCORE],
            "lineitems": self.line_items_url(course_id, tool.id),
        });
        if let Some(column) = activity.and_then(|activity| state.sole_column(activity.id)) {
            endpoint["lineitem"] = self.line_item_url(course_id, column.id, tool.id).into();
        }
        claims.insert("https://purl.imsglobal.org/spec/lti-ags/claim/endpoint".into(), endpoint);
        claims.insert(
            "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice".into(),
            json!({
                "context_memberships_url": self.memberships_url(course_id, tool.id),
                "service_versions": ["1.0", "2.0"],
            }),
        );
        if state.faults.groups {
            claims.insert(
                "https://purl.imsglobal.org/spec/lti-gs/claim/groupsservice".into(),
                json!({
                    "scope": [GROUPS_READ],
                    "context_groups_url": self.groups_url(course_id, tool.id),
                    "service_versions": ["1.0"],
                }),
            );
        }
        Some(claims)
    }

    /// Custom parameters: keys in lower case, and as written where that differs.
    fn custom(
        &self,
        tool: &Tool,
        course: &Course,
        activity: Option<&Activity>,
        person: &Person,
    ) -> Value {
        let mut custom = Map::new();
        let own = activity.map(|activity| activity.custom.as_slice()).unwrap_or_default();
        for (key, value) in own.iter().chain(&tool.custom) {
            let value = substitute(value, course, activity, person);
            custom.insert(key.to_lowercase(), value.clone().into());
            custom.insert(key.clone(), value.into());
        }
        custom.insert(
            "context_memberships_url".into(),
            self.memberships_url(course.id, tool.id).into(),
        );
        Value::Object(custom)
    }
}

/// The full URI of a person's role in the course.
fn role(person: &Person) -> &'static str {
    if person.is_trainer() {
        "http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor"
    } else {
        "http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"
    }
}

fn deep_linking(
    platform: &Platform,
    tool: &Tool,
    course: &Course,
    sesskey: &str,
    claims: &mut Map<String, Value>,
) {
    claims.insert(lti("message_type"), "LtiDeepLinkingRequest".into());
    claims.insert(
        "https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings".into(),
        json!({
            "accept_types": ["ltiResourceLink"],
            "accept_presentation_document_targets": ["frame", "iframe", "window"],
            "accept_copy_advice": false,
            "accept_multiple": true,
            "accept_unsigned": false,
            "auto_create": false,
            "can_confirm": false,
            "deep_link_return_url": platform.url(&format!(
                "/lti/contentitem_return?course={}&id={}&sesskey={sesskey}",
                course.id, tool.id
            )),
            "title": tool.name,
            "text": "",
        }),
    );
}

/// Resolves a substitution variable (LTI 1.3 Core, appendix B); one Campus does not know
/// passes through as it is.
fn substitute(
    value: &str,
    course: &Course,
    activity: Option<&Activity>,
    person: &Person,
) -> String {
    let of_activity = |pick: fn(&Activity) -> String| activity.map(pick).unwrap_or_default();
    match value {
        "$User.id" => person.id.to_string(),
        "$User.username" => person.username.to_owned(),
        "$Person.name.full" => person.name(),
        "$Person.name.given" => person.given_name.to_owned(),
        "$Person.name.family" => person.family_name.to_owned(),
        "$Person.email.primary" => person.email.to_owned(),
        "$Person.address.timezone" => "Europe/Paris".to_owned(),
        "$Person.sourcedId" => person.sourcedid.to_owned(),
        "$Context.id" => course.id.to_string(),
        "$Context.title" => course.title.clone(),
        "$Context.label" | "$CourseSection.sourcedId" => course.label.clone(),
        "$Context.id.history" => {
            course.history.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
        }
        "$ResourceLink.id" => of_activity(|activity| activity.id.to_string()),
        "$ResourceLink.title" => of_activity(|activity| activity.title.clone()),
        "$ResourceLink.description" => of_activity(|activity| activity.description.clone()),
        other => other.to_owned(),
    }
}
