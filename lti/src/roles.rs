//! Roles (LTI 1.3 Core, appendix A.2), with the vocabularies kept apart: what somebody is in an
//! institution says nothing about what they are in a course.

/// A role in a context (A.2.3).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ContextRole {
    /// `Administrator`
    Administrator,
    /// `ContentDeveloper`
    ContentDeveloper,
    /// `Instructor`
    Instructor,
    /// `Learner`
    Learner,
    /// `Mentor`
    Mentor,
    /// `Manager` (not core)
    Manager,
    /// `Member` (not core)
    Member,
    /// `Officer` (not core)
    Officer,
}

impl ContextRole {
    const ALL: [(&'static str, Self); 8] = [
        ("Administrator", Self::Administrator),
        ("ContentDeveloper", Self::ContentDeveloper),
        ("Instructor", Self::Instructor),
        ("Learner", Self::Learner),
        ("Mentor", Self::Mentor),
        ("Manager", Self::Manager),
        ("Member", Self::Member),
        ("Officer", Self::Officer),
    ];

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, role)| role.clone())
    }
}

/// One role, sorted into its vocabulary.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Role {
    /// A context role.
    Context(ContextRole),
    /// A sub-role of a context role (A.2.3.2), such as Instructor and `TeachingAssistant`.
    ContextSub(ContextRole, String),
    /// An institution role (A.2.2): `Student`, `Faculty`, `Staff` …
    Institution(String),
    /// A system role (A.2.1): `Administrator`, `SysAdmin` …
    System(String),
    /// The platform's test user or student view (A.2.4).
    TestUser,
    /// Anything else; ignored, as the specification asks.
    Unknown(String),
}

const MEMBERSHIP: &str = "purl.imsglobal.org/vocab/lis/v2/membership";
const INSTITUTION: &str = "purl.imsglobal.org/vocab/lis/v2/institution/person#";
// LTI 2's form of institution roles, and what Moodle's membership service writes.
const PERSON: &str = "purl.imsglobal.org/vocab/lis/v2/person#";
const SYSTEM: &str = "purl.imsglobal.org/vocab/lis/v2/system/person#";
const LTI_SYSTEM: &str = "purl.imsglobal.org/vocab/lti/system/person#";

impl Role {
    /// Sorts a role: a full URI, a short name (1.3 allows it for context roles), or an LTI 1.1
    /// URN.
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        let unknown = || Self::Unknown(text.to_owned());
        if let Some(urn) = strip_prefix_ignore_case(text, "urn:lti:") {
            return from_urn(urn).unwrap_or_else(unknown);
        }
        let Some(address) = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"))
        else {
            return context(text, '/').unwrap_or_else(unknown);
        };
        if let Some(rest) = address.strip_prefix(MEMBERSHIP) {
            return match rest.strip_prefix('#') {
                Some(name) => context(name, '/'),
                None => rest.strip_prefix('/').and_then(|rest| context(rest, '#')),
            }
            .unwrap_or_else(unknown);
        }
        if let Some(name) = address.strip_prefix(LTI_SYSTEM) {
            return if name == "TestUser" { Self::TestUser } else { unknown() };
        }
        if let Some(name) = address.strip_prefix(SYSTEM) {
            return if name == "TestUser" { Self::TestUser } else { Self::System(name.to_owned()) };
        }
        address
            .strip_prefix(INSTITUTION)
            .or_else(|| address.strip_prefix(PERSON))
            .map_or_else(unknown, |name| Self::Institution(name.to_owned()))
    }
}

/// `Instructor`, `Instructor/Lecturer` or `Instructor#Lecturer` by the separator. 1.1 and some
/// platforms name the teaching assistant as a role of its own.
fn context(name: &str, separator: char) -> Option<Role> {
    let (principal, sub) = match name.split_once(separator) {
        Some((principal, sub)) => (principal, Some(sub)),
        None => (name, None),
    };
    if principal.eq_ignore_ascii_case("TeachingAssistant") {
        let sub = sub.unwrap_or("TeachingAssistant").to_owned();
        return Some(Role::ContextSub(ContextRole::Instructor, sub_of_assistant(&sub)));
    }
    let role = ContextRole::from_name(principal)?;
    Some(match sub {
        Some(sub) if !sub.is_empty() && !sub.eq_ignore_ascii_case(principal) => {
            Role::ContextSub(role, sub.to_owned())
        }
        _ => Role::Context(role),
    })
}

fn sub_of_assistant(sub: &str) -> String {
    if sub.contains("TeachingAssistant") {
        sub.to_owned()
    } else {
        format!("TeachingAssistant{sub}")
    }
}

/// `role:ims/lis/Instructor`, `instrole:ims/lis/Student`, `sysrole:ims/lis/SysAdmin`
/// (LTI 1.1, appendix A.2).
fn from_urn(urn: &str) -> Option<Role> {
    let (kind, rest) = urn.split_once(':')?;
    let name = strip_prefix_ignore_case(rest, "ims/lis/")?;
    match kind.to_ascii_lowercase().as_str() {
        "role" => context(name, '/'),
        "instrole" => Some(Role::Institution(name.to_owned())),
        "sysrole" => Some(Role::System(name.to_owned())),
        _ => None,
    }
}

fn strip_prefix_ignore_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| text.get(prefix.len()..))?
}

/// The roles of one person in one launch or roster.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Roles {
    raw: Vec<String>,
    roles: Vec<Role>,
}

impl Roles {
    /// Sorts roles as they were sent. Empty texts are kept in [`Roles::raw`] only: `[""]` is how
    /// some platforms write "no role".
    pub fn new(raw: Vec<String>) -> Self {
        let roles = raw
            .iter()
            .filter(|text| !text.trim().is_empty())
            .map(|text| Role::parse(text))
            .collect();
        Self { raw, roles }
    }

    /// The comma-separated list of LTI 1.1.
    pub fn from_list(text: &str) -> Self {
        Self::new(text.split(',').map(|role| role.trim().to_owned()).collect())
    }

    /// As they were sent.
    pub fn raw(&self) -> &[String] {
        &self.raw
    }

    /// Sorted, in the same order, without the empty ones.
    pub fn sorted(&self) -> &[Role] {
        &self.roles
    }

    /// A teacher of this context: the Instructor role, unless a TeachingAssistant sub-role says
    /// otherwise (Canvas sends both for its assistants). Institution and system roles never count.
    pub fn is_context_instructor(&self) -> bool {
        self.holds(&ContextRole::Instructor) && !self.is_teaching_assistant()
    }

    /// A teaching assistant of this context, by one of the TeachingAssistant sub-roles.
    pub fn is_teaching_assistant(&self) -> bool {
        self.roles.iter().any(|role| {
            matches!(role, Role::ContextSub(ContextRole::Instructor, sub)
                if sub.contains("TeachingAssistant"))
        })
    }

    /// A learner of this context.
    pub fn is_context_learner(&self) -> bool {
        self.holds(&ContextRole::Learner)
    }

    /// A mentor in this context.
    pub fn is_mentor(&self) -> bool {
        self.holds(&ContextRole::Mentor)
    }

    /// Somebody who builds the context's content.
    pub fn is_content_developer(&self) -> bool {
        self.holds(&ContextRole::ContentDeveloper)
    }

    /// An administrator of the context itself.
    pub fn is_context_administrator(&self) -> bool {
        self.holds(&ContextRole::Administrator)
    }

    /// An administrator of the platform or the institution. For support views only: it gives no
    /// right in a course.
    pub fn is_platform_administrator(&self) -> bool {
        self.roles.iter().any(|role| match role {
            Role::System(name) => {
                ["Administrator", "SysAdmin", "SysSupport"].contains(&name.as_str())
            }
            Role::Institution(name) => name == "Administrator",
            _ => false,
        })
    }

    /// The platform's test user: nothing it does is to count.
    pub fn is_test_user(&self) -> bool {
        self.roles.contains(&Role::TestUser)
    }

    /// Whether any context role, known to this crate, is held.
    pub fn has_context_role(&self) -> bool {
        self.roles.iter().any(|role| matches!(role, Role::Context(_) | Role::ContextSub(..)))
    }

    fn holds(&self, wanted: &ContextRole) -> bool {
        self.roles.iter().any(|role| match role {
            Role::Context(held) | Role::ContextSub(held, _) => held == wanted,
            _ => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles(raw: &[&str]) -> Roles {
        Roles::new(raw.iter().map(|&role| role.to_owned()).collect())
    }

    #[test]
    fn vocabularies_are_kept_apart() {
        for (text, expected) in [
            (
                "http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor",
                Role::Context(ContextRole::Instructor),
            ),
            ("Learner", Role::Context(ContextRole::Learner)),
            ("urn:lti:role:ims/lis/Instructor", Role::Context(ContextRole::Instructor)),
            ("urn:lti:role:ims/lis/Learner/Learner", Role::Context(ContextRole::Learner)),
            (
                "urn:lti:role:ims/lis/Instructor/Lecturer",
                Role::ContextSub(ContextRole::Instructor, "Lecturer".into()),
            ),
            (
                "urn:lti:role:ims/lis/TeachingAssistant",
                Role::ContextSub(ContextRole::Instructor, "TeachingAssistant".into()),
            ),
            (
                "urn:lti:role:ims/lis/TeachingAssistant/Grader",
                Role::ContextSub(ContextRole::Instructor, "TeachingAssistantGrader".into()),
            ),
            ("urn:lti:instrole:ims/lis/Student", Role::Institution("Student".into())),
            ("urn:lti:sysrole:ims/lis/SysAdmin", Role::System("SysAdmin".into())),
            (
                "http://purl.imsglobal.org/vocab/lis/v2/institution/person#Instructor",
                Role::Institution("Instructor".into()),
            ),
            (
                "http://purl.imsglobal.org/vocab/lis/v2/person#Administrator",
                Role::Institution("Administrator".into()),
            ),
            ("http://purl.imsglobal.org/vocab/lti/system/person#TestUser", Role::TestUser),
            ("urn:lti:", Role::Unknown("urn:lti:".into())),
            ("é", Role::Unknown("é".into())),
            ("http://é", Role::Unknown("http://é".into())),
        ] {
            assert_eq!(Role::parse(text), expected, "{text}");
        }
    }

    #[test]
    fn institution_roles_never_make_a_course_teacher() {
        let staff =
            roles(&["http://purl.imsglobal.org/vocab/lis/v2/institution/person#Instructor"]);
        assert!(!staff.is_context_instructor());
        assert!(!staff.has_context_role());
        let administrator = roles(&[
            "http://purl.imsglobal.org/vocab/lis/v2/institution/person#Administrator",
            "http://purl.imsglobal.org/vocab/lis/v2/system/person#Administrator",
        ]);
        assert!(administrator.is_platform_administrator());
        assert!(!administrator.is_context_administrator());
    }

    #[test]
    fn an_assistant_is_not_a_teacher() {
        let assistant = roles(&[
            "http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor",
            "http://purl.imsglobal.org/vocab/lis/v2/membership/Instructor#TeachingAssistant",
        ]);
        assert!(assistant.is_teaching_assistant());
        assert!(!assistant.is_context_instructor());
        let lecturer =
            roles(&["http://purl.imsglobal.org/vocab/lis/v2/membership/Instructor#Lecturer"]);
        assert!(lecturer.is_context_instructor());
    }

    #[test]
    fn no_role_at_all_is_legal() {
        assert!(roles(&[""]).sorted().is_empty());
        assert_eq!(roles(&[""]).raw().len(), 1);
        assert!(!roles(&[]).has_context_role());
    }
}
