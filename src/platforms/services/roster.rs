//! The people of an LMS course, as the LMS lists them now.

use std::time::Duration;

use lti::nrps::{Member, MemberStatus};

use super::{Offered, ServiceCallError, groups, members};
use crate::app::App;
use crate::platforms::Registration;

/// Somebody waits for the page: a platform that takes longer is one that does not answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Somebody of the LMS course.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterMember {
    /// The same as in their launches.
    pub subject: String,
    /// `None` when the platform tells no names.
    pub name: Option<String>,
    /// Family name first, lower case.
    pub sort_key: String,
    pub trains: bool,
    /// Ids of their groups.
    pub groups: Vec<String>,
}

/// Who is in the course, by family name, and its groups by name where it has any.
#[derive(Clone, Debug, Default)]
pub struct Roster {
    pub members: Vec<RosterMember>,
    pub groups: Vec<(String, String)>,
}

#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct RosterError(#[from] pub ServiceCallError);

/// Asks the platform who is in the course. Groups are extra: without them the roster still holds.
pub async fn roster(
    app: &App,
    registration: &Registration,
    offered: Option<&Offered>,
) -> Result<Roster, RosterError> {
    let offered = offered.filter(|offered| offered.has_members());
    let offered = offered.ok_or(ServiceCallError::NotOffered)?;
    let asked = async {
        let found = members(app, registration, offered).await?;
        let known = if offered.has_groups() {
            groups(app, registration, offered).await.unwrap_or_else(|error| {
                tracing::info!(code = error.code(), "the platform lists no groups");
                Vec::new()
            })
        } else {
            Vec::new()
        };
        Ok::<_, ServiceCallError>((found, known))
    };
    let (found, known) =
        tokio::time::timeout(PATIENCE, asked).await.map_err(|_| ServiceCallError::TooSlow)??;
    let mut people: Vec<RosterMember> = found
        .iter()
        .filter(|member| member.status == MemberStatus::Active)
        .map(RosterMember::of)
        .collect();
    people.sort_by(|one, other| {
        (&one.sort_key, &one.subject).cmp(&(&other.sort_key, &other.subject))
    });
    // Pages that shift while they are read name somebody twice.
    people.dedup_by(|one, other| one.subject == other.subject);
    let mut groups: Vec<(String, String)> = known
        .into_iter()
        .map(|group| {
            let name = group.name.as_deref().map_or_else(|| group.id.clone(), plain);
            (group.id, name)
        })
        .collect();
    groups.sort_by_cached_key(|(_, name)| name.to_lowercase());
    Ok(Roster { members: people, groups })
}

impl RosterMember {
    fn of(member: &Member) -> Self {
        let text = |text: &Option<String>| text.as_deref().map(plain);
        let (given, family) = (text(&member.user.given_name), text(&member.user.family_name));
        let name = member.user.display_name().as_deref().map(plain);
        let sort_key = match (&family, &given) {
            (Some(family), Some(given)) => format!("{family} {given}"),
            _ => name.clone().unwrap_or_default(),
        };
        let roles = &member.roles;
        Self {
            subject: member.user_id.clone(),
            name: name.filter(|name| !name.trim().is_empty()),
            sort_key: sort_key.to_lowercase(),
            trains: roles.is_context_instructor()
                || roles.is_content_developer()
                || roles.is_context_administrator(),
            groups: member.groups.clone(),
        }
    }
}

/// A text that a platform escaped for HTML (Moodle does), as it was: each reference is decoded
/// once, so that what somebody really wrote with an ampersand stays that.
pub fn plain(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        decoded.push_str(&rest[..start]);
        rest = &rest[start..];
        let end = rest.find(';').filter(|end| *end <= 10);
        let character = end.and_then(|end| reference(&rest[1..end]));
        match (character, end) {
            (Some(character), Some(end)) => {
                decoded.push(character);
                rest = &rest[end + 1..];
            }
            _ => {
                decoded.push('&');
                rest = &rest[1..];
            }
        }
    }
    decoded.push_str(rest);
    decoded
}

fn reference(name: &str) -> Option<char> {
    let number = match name.strip_prefix('#') {
        Some(digits) => match digits.strip_prefix(['x', 'X']) {
            Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16).ok(),
            None => digits.parse().ok(),
        },
        None => None,
    };
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some('\u{a0}'),
        _ => number.and_then(char::from_u32).filter(|character| !character.is_control()),
    }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn references_are_decoded_once() {
        for (told, meant) in [
            ("Zoé O&#039;Brien", "Zoé O'Brien"),
            ("A &amp; B", "A & B"),
            ("&amp;lt;b&amp;gt;", "&lt;b&gt;"),
            ("&lt;b&gt; &quot;x&quot; &#xE9;", "<b> \"x\" é"),
            ("R&D; & co", "R&D; & co"),
            ("&#0;&#x110000;&", "&#0;&#x110000;&"),
        ] {
            assert_eq!(plain(told), meant);
        }
    }
}
