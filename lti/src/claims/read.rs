//! From JSON to the typed claims. Presence and validity of what is required was checked before.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::{
    AGS_ENDPOINT, AgsEndpoint, BASIC_OUTCOME, BasicOutcome, CONTEXT, CUSTOM, Context,
    DeepLinkingSettings, DocumentTarget, ForUser, GROUPS_SERVICE, GroupsEndpoint,
    LAUNCH_PRESENTATION, LIS, LTI1P1, Launch, Lis, Message, Migration, NRPS_SERVICE, NrpsEndpoint,
    Platform, Presentation, ROLE_SCOPE_MENTOR, ROLE_SCOPE_MENTOR_OLD, ROLES, ResourceLink,
    TARGET_LINK_URI, TOOL_PLATFORM, User,
};
use crate::json::{clean, flag, identifier, object, scalar, text, texts, web_address};
use crate::roles::Roles;

/// What the verification established, to be joined with the rest.
pub(crate) struct Verified {
    pub(crate) message: Message,
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    pub(crate) deployment_id: String,
    pub(crate) nonce: String,
    pub(crate) issued_at: DateTime<Utc>,
    pub(crate) expires_at: DateTime<Utc>,
    pub(crate) subject: Option<String>,
}

pub(crate) fn read(claims: Map<String, Value>, verified: Verified) -> Launch {
    Launch {
        message: verified.message,
        issuer: verified.issuer,
        client_id: verified.client_id,
        deployment_id: verified.deployment_id,
        nonce: verified.nonce,
        issued_at: verified.issued_at,
        expires_at: verified.expires_at,
        subject: verified.subject,
        user: user(&claims),
        target_link_uri: web_address(&claims, TARGET_LINK_URI),
        context: object(&claims, CONTEXT).and_then(context),
        roles: roles(&claims, ROLES),
        presentation: object(&claims, LAUNCH_PRESENTATION).map(presentation).unwrap_or_default(),
        platform: object(&claims, TOOL_PLATFORM).map(platform),
        custom: object(&claims, CUSTOM).map(custom).unwrap_or_default(),
        lis: object(&claims, LIS).map(lis).unwrap_or_default(),
        mentored: [ROLE_SCOPE_MENTOR, ROLE_SCOPE_MENTOR_OLD]
            .iter()
            .flat_map(|name| texts(&claims, name))
            .collect(),
        ags: object(&claims, AGS_ENDPOINT).map(ags),
        nrps: object(&claims, NRPS_SERVICE).and_then(nrps),
        groups: object(&claims, GROUPS_SERVICE).and_then(groups),
        basic_outcome: object(&claims, BASIC_OUTCOME).and_then(basic_outcome),
        migration: object(&claims, LTI1P1).map(migration),
        raw: claims,
    }
}

pub(crate) fn resource_link(link: &Map<String, Value>) -> Option<ResourceLink> {
    Some(ResourceLink {
        id: identifier(link, "id")?,
        title: text(link, "title"),
        description: text(link, "description"),
    })
}

pub(crate) fn for_user(claim: &Map<String, Value>) -> Option<ForUser> {
    Some(ForUser {
        user_id: identifier(claim, "user_id")?,
        user: user(claim),
        roles: roles(claim, "roles"),
    })
}

pub(crate) fn deep_linking(settings: &Map<String, Value>) -> Option<DeepLinkingSettings> {
    Some(DeepLinkingSettings {
        return_url: web_address(settings, "deep_link_return_url")?,
        accept_types: texts(settings, "accept_types"),
        accept_media_types: texts(settings, "accept_media_types")
            .iter()
            .flat_map(|list| list.split(','))
            .filter_map(clean)
            .collect(),
        accept_targets: texts(settings, "accept_presentation_document_targets")
            .iter()
            .map(|target| DocumentTarget::parse(target))
            .collect(),
        accept_multiple: flag(settings, "accept_multiple"),
        accept_line_item: flag(settings, "accept_lineitem"),
        auto_create: flag(settings, "auto_create").unwrap_or(false),
        title: text(settings, "title"),
        text: text(settings, "text"),
        // Opaque: echoed character for character, so not cleaned.
        data: settings.get("data").and_then(Value::as_str).map(str::to_owned),
    })
}

fn roles(claims: &Map<String, Value>, name: &str) -> Roles {
    let raw = match claims.get(name) {
        Some(Value::Array(values)) => {
            values.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        Some(Value::String(one)) => vec![one.clone()],
        _ => Vec::new(),
    };
    Roles::new(raw)
}

pub(crate) fn user(claims: &Map<String, Value>) -> User {
    User {
        name: text(claims, "name"),
        given_name: text(claims, "given_name"),
        family_name: text(claims, "family_name"),
        email: text(claims, "email").and_then(|text| email(&text)),
        locale: text(claims, "locale").and_then(|text| locale(&text)),
        picture: web_address(claims, "picture"),
    }
}

fn context(claim: &Map<String, Value>) -> Option<Context> {
    Some(Context {
        id: identifier(claim, "id")?,
        label: text(claim, "label"),
        title: text(claim, "title"),
        types: texts(claim, "type"),
    })
}

fn presentation(claim: &Map<String, Value>) -> Presentation {
    let pixels = |name| {
        crate::json::number(claim, name)
            .filter(|number| (1.0..=100_000.0).contains(number))
            .map(|number| number as u32)
    };
    Presentation {
        target: text(claim, "document_target").map(|target| DocumentTarget::parse(&target)),
        width: pixels("width"),
        height: pixels("height"),
        return_url: web_address(claim, "return_url"),
        locale: text(claim, "locale").and_then(|text| locale(&text)),
    }
}

fn platform(claim: &Map<String, Value>) -> Platform {
    Platform {
        guid: text(claim, "guid"),
        name: text(claim, "name"),
        description: text(claim, "description"),
        family: text(claim, "product_family_code").map(|code| code.to_lowercase()),
        version: text(claim, "version"),
        url: web_address(claim, "url"),
        contact_email: text(claim, "contact_email").and_then(|text| email(&text)),
    }
}

/// Values are strings by the specification; Canvas sends numbers and arrays too.
fn custom(claim: &Map<String, Value>) -> BTreeMap<String, String> {
    claim
        .iter()
        .map(|(name, value)| {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Null => String::new(),
                other => scalar(other).unwrap_or_else(|| other.to_string()),
            };
            (name.clone(), text.replace('\0', ""))
        })
        .collect()
}

fn lis(claim: &Map<String, Value>) -> Lis {
    Lis {
        person_sourcedid: text(claim, "person_sourcedid"),
        course_offering_sourcedid: text(claim, "course_offering_sourcedid"),
        course_section_sourcedid: text(claim, "course_section_sourcedid"),
    }
}

fn ags(claim: &Map<String, Value>) -> AgsEndpoint {
    AgsEndpoint {
        scopes: texts(claim, "scope"),
        line_items: web_address(claim, "lineitems"),
        line_item: web_address(claim, "lineitem"),
    }
}

fn nrps(claim: &Map<String, Value>) -> Option<NrpsEndpoint> {
    Some(NrpsEndpoint {
        memberships: web_address(claim, "context_memberships_url")?,
        versions: texts(claim, "service_versions"),
    })
}

fn groups(claim: &Map<String, Value>) -> Option<GroupsEndpoint> {
    Some(GroupsEndpoint {
        groups: web_address(claim, "context_groups_url")?,
        group_sets: web_address(claim, "context_group_sets_url"),
        scopes: texts(claim, "scope"),
    })
}

fn basic_outcome(claim: &Map<String, Value>) -> Option<BasicOutcome> {
    Some(BasicOutcome {
        result_sourcedid: identifier(claim, "lis_result_sourcedid")?,
        service_url: web_address(claim, "lis_outcome_service_url")?,
    })
}

fn migration(claim: &Map<String, Value>) -> Migration {
    Migration {
        consumer_key: text(claim, "oauth_consumer_key"),
        signature: text(claim, "oauth_consumer_key_sign"),
        user_id: text(claim, "user_id"),
        context_id: text(claim, "context_id"),
        resource_link_id: text(claim, "resource_link_id"),
        instance_guid: text(claim, "tool_consumer_instance_guid"),
    }
}

/// Loosely an address: one `@`, something on both sides, no blanks. The mail server decides.
pub(crate) fn email(text: &str) -> Option<String> {
    let text = text.trim();
    let (local, domain) = text.split_once('@')?;
    let plausible = !local.is_empty()
        && !domain.is_empty()
        && !domain.contains('@')
        && text.len() <= 320
        && !text.chars().any(|character| {
            character.is_whitespace() || character.is_control() || "<>,;\"".contains(character)
        });
    plausible.then(|| text.to_owned())
}

/// `en_us`, `fr_FR.UTF-8`, `pt-BR` as a language tag; `None` when it is none.
pub(crate) fn locale(text: &str) -> Option<String> {
    let tag = text.split(['.', '@', ',']).next().unwrap_or(text).trim().replace('_', "-");
    let parts: Vec<&str> = tag.split('-').collect();
    let well_formed = parts.iter().enumerate().all(|(index, part)| {
        let length = if index == 0 { 2..=8 } else { 1..=8 };
        length.contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphanumeric())
    });
    (well_formed && parts.first().is_some_and(|part| part.chars().all(|c| c.is_ascii_alphabetic())))
        .then_some(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locales_come_in_many_spellings() {
        assert_eq!(locale("en_us").as_deref(), Some("en-us"));
        assert_eq!(locale("fr_FR.UTF-8").as_deref(), Some("fr-FR"));
        assert_eq!(locale("fr").as_deref(), Some("fr"));
        assert_eq!(locale("<b>"), None);
        assert_eq!(locale("1234"), None);
    }

    #[test]
    fn addresses_are_judged_loosely() {
        assert_eq!(email(" a@b "), Some("a@b".into()));
        for bad in ["", "a", "@", "a@", "@b", "a b@c", "a@b@c", "a@b\nBcc:x@y", "<a@b>"] {
            assert_eq!(email(bad), None, "{bad}");
        }
    }
}
