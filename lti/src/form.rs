//! `application/x-www-form-urlencoded`, strictly: a field that comes twice is refused.

use crate::Fault;

/// More bytes than any legitimate login or launch has. An `id_token` with a thousand roles stays
/// below half of it.
pub const MAX_BYTES: usize = 512 * 1024;
/// More fields than any legitimate LTI 1.1 launch has.
pub const MAX_FIELDS: usize = 500;

/// Why a form was not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// More than [`MAX_BYTES`].
    #[error("the form is larger than {MAX_BYTES} bytes")]
    TooLarge,
    /// More than [`MAX_FIELDS`].
    #[error("the form has more than {MAX_FIELDS} fields")]
    TooManyFields,
    /// A field appears twice: two readers could each see another value (OpenID Connect Core
    /// 3.1.2.1 via RFC 6749 3.1: parameters must not be included more than once).
    #[error("the field `{0}` appears twice")]
    Duplicate(String),
}

impl FormError {
    /// A stable word for texts and counters.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge => "form-too-large",
            Self::TooManyFields => "form-too-many-fields",
            Self::Duplicate(_) => "form-field-twice",
        }
    }

    /// Always the sender's.
    pub const fn fault(&self) -> Fault {
        Fault::Peer
    }
}

/// The fields of a form, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Form {
    fields: Vec<(String, String)>,
}

impl Form {
    /// Reads a body or a query string. Bytes that are not UTF-8 become U+FFFD.
    pub fn parse(bytes: &[u8]) -> Result<Self, FormError> {
        if bytes.len() > MAX_BYTES {
            return Err(FormError::TooLarge);
        }
        let mut fields: Vec<(String, String)> = Vec::new();
        let mut names = std::collections::HashSet::new();
        for (name, value) in url::form_urlencoded::parse(bytes) {
            if fields.len() == MAX_FIELDS {
                return Err(FormError::TooManyFields);
            }
            if !names.insert(name.to_string()) {
                return Err(FormError::Duplicate(name.chars().take(100).collect()));
            }
            fields.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self { fields })
    }

    /// A field's value, verbatim.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// A field's value unless it is empty.
    pub fn filled(&self, name: &str) -> Option<&str> {
        self.value(name).filter(|value| !value.is_empty())
    }

    /// All fields in order.
    pub fn fields(&self) -> &[(String, String)] {
        &self.fields
    }
}

impl From<Vec<(String, String)>> for Form {
    fn from(fields: Vec<(String, String)>) -> Self {
        Self { fields }
    }
}
