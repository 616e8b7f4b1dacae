//! The names of claims and messages.

/// `message_type`
pub const MESSAGE_TYPE: &str = "https://purl.imsglobal.org/spec/lti/claim/message_type";
/// `version`
pub const VERSION: &str = "https://purl.imsglobal.org/spec/lti/claim/version";
/// `deployment_id`
pub const DEPLOYMENT_ID: &str = "https://purl.imsglobal.org/spec/lti/claim/deployment_id";
/// `target_link_uri`
pub const TARGET_LINK_URI: &str = "https://purl.imsglobal.org/spec/lti/claim/target_link_uri";
/// `resource_link`
pub const RESOURCE_LINK: &str = "https://purl.imsglobal.org/spec/lti/claim/resource_link";
/// `roles`
pub const ROLES: &str = "https://purl.imsglobal.org/spec/lti/claim/roles";
/// `context`
pub const CONTEXT: &str = "https://purl.imsglobal.org/spec/lti/claim/context";
/// `tool_platform`
pub const TOOL_PLATFORM: &str = "https://purl.imsglobal.org/spec/lti/claim/tool_platform";
/// `role_scope_mentor`
pub const ROLE_SCOPE_MENTOR: &str = "https://purl.imsglobal.org/spec/lti/claim/role_scope_mentor";
/// Its older spelling, still sent.
pub const ROLE_SCOPE_MENTOR_OLD: &str = "https://purl.imsglobal.org/spec/lti/claim/rolescopementor";
/// `launch_presentation`
pub const LAUNCH_PRESENTATION: &str =
    "https://purl.imsglobal.org/spec/lti/claim/launch_presentation";
/// `lis`
pub const LIS: &str = "https://purl.imsglobal.org/spec/lti/claim/lis";
/// `custom`
pub const CUSTOM: &str = "https://purl.imsglobal.org/spec/lti/claim/custom";
/// `ext`
pub const EXT: &str = "https://purl.imsglobal.org/spec/lti/claim/ext";
/// `for_user`
pub const FOR_USER: &str = "https://purl.imsglobal.org/spec/lti/claim/for_user";
/// `lti1p1`
pub const LTI1P1: &str = "https://purl.imsglobal.org/spec/lti/claim/lti1p1";
/// AGS `endpoint`
pub const AGS_ENDPOINT: &str = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint";
/// NRPS `namesroleservice`
pub const NRPS_SERVICE: &str = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice";
/// Course groups `groupsservice`
pub const GROUPS_SERVICE: &str = "https://purl.imsglobal.org/spec/lti-gs/claim/groupsservice";
/// `basicoutcome`
pub const BASIC_OUTCOME: &str = "https://purl.imsglobal.org/spec/lti-bo/claim/basicoutcome";
/// `deep_linking_settings`
pub const DEEP_LINKING_SETTINGS: &str =
    "https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings";
/// Deep linking `content_items`
pub const CONTENT_ITEMS: &str = "https://purl.imsglobal.org/spec/lti-dl/claim/content_items";
/// Deep linking `data`
pub const DEEP_LINKING_DATA: &str = "https://purl.imsglobal.org/spec/lti-dl/claim/data";
/// Deep linking `msg`
pub const DEEP_LINKING_MESSAGE: &str = "https://purl.imsglobal.org/spec/lti-dl/claim/msg";
/// Deep linking `log`
pub const DEEP_LINKING_LOG: &str = "https://purl.imsglobal.org/spec/lti-dl/claim/log";
/// Deep linking `errormsg`
pub const DEEP_LINKING_ERROR_MESSAGE: &str =
    "https://purl.imsglobal.org/spec/lti-dl/claim/errormsg";
/// Deep linking `errorlog`
pub const DEEP_LINKING_ERROR_LOG: &str = "https://purl.imsglobal.org/spec/lti-dl/claim/errorlog";

/// Message type of a resource link launch.
pub const RESOURCE_LINK_REQUEST: &str = "LtiResourceLinkRequest";
/// Message type of a deep linking request.
pub const DEEP_LINKING_REQUEST: &str = "LtiDeepLinkingRequest";
/// Message type of the answer to it.
pub const DEEP_LINKING_RESPONSE: &str = "LtiDeepLinkingResponse";
/// Message type of a submission review.
pub const SUBMISSION_REVIEW_REQUEST: &str = "LtiSubmissionReviewRequest";
/// The version of LTI 1.3.
pub const LTI_VERSION: &str = "1.3.0";
