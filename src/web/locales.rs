//! The catalogues of `locales/`: every word a person reads.

use std::collections::BTreeMap;

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use include_dir::{Dir, include_dir};

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/locales");

crate::text_enum! {
    /// A language the service speaks.
    pub enum Lang { Fr = "fr", En = "en" }
}

impl Lang {
    pub const ALL: [Self; 2] = [Self::Fr, Self::En];

    /// The first language of an `Accept-Language` header that we speak; French when there is none.
    pub fn from_accept_language(header: &str) -> Self {
        header
            .split(',')
            .find_map(|part| Self::from_tag(part.split(';').next().unwrap_or_default().trim()))
            .unwrap_or(Self::Fr)
    }

    /// From a language tag in any of its forms: `fr`, `fr-FR`, `en_us`.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        Self::ALL.into_iter().find(|lang| primary.eq_ignore_ascii_case(lang.as_str()))
    }
}

/// A page that belongs to no launch speaks the browser's language.
impl<S: Sync> FromRequestParts<S> for Lang {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let header = parts.headers.get(header::ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok());
        Ok(Self::from_accept_language(header.unwrap_or_default()))
    }
}

/// All catalogues, parsed once.
pub struct Locales {
    bundles: BTreeMap<&'static str, FluentBundle<FluentResource>>,
}

#[derive(Debug, thiserror::Error)]
pub enum LocaleError {
    #[error("locales/{file} is not valid Fluent: {problem}")]
    Syntax { file: String, problem: String },
    #[error("locales/{lang}: a message is defined twice: {problem}")]
    Duplicate { lang: &'static str, problem: String },
    #[error("no message {key:?} in {lang}")]
    Missing { lang: &'static str, key: String },
    #[error("the message {key:?} in {lang} cannot be put together: {problem}")]
    Format { lang: &'static str, key: String, problem: String },
}

impl Locales {
    pub fn load() -> Result<Self, LocaleError> {
        let mut bundles = BTreeMap::new();
        for lang in Lang::ALL {
            let tag = lang.as_str();
            let language = tag.parse().unwrap_or_default();
            let mut bundle = FluentBundle::new_concurrent(vec![language]);
            // Isolation marks are for mixed directions; in plain-text mails they show as boxes.
            bundle.set_use_isolating(false);
            for file in FILES.get_dir(tag).into_iter().flat_map(Dir::files) {
                let text = file.contents_utf8().unwrap_or_default().to_owned();
                let resource = FluentResource::try_new(text).map_err(|(_, errors)| {
                    let file = file.path().display().to_string();
                    LocaleError::Syntax { file, problem: format!("{errors:?}") }
                })?;
                bundle.add_resource(resource).map_err(|errors| LocaleError::Duplicate {
                    lang: tag,
                    problem: format!("{errors:?}"),
                })?;
            }
            bundles.insert(tag, bundle);
        }
        Ok(Self { bundles })
    }

    /// The message, with `arguments` put in as they are: escaping is the caller's.
    pub fn text(
        &self,
        lang: Lang,
        key: &str,
        arguments: &FluentArgs<'_>,
    ) -> Result<String, LocaleError> {
        let tag = lang.as_str();
        let missing = || LocaleError::Missing { lang: tag, key: key.to_owned() };
        let bundle = self.bundles.get(tag).ok_or_else(missing)?;
        let pattern = bundle.get_message(key).and_then(|m| m.value()).ok_or_else(missing)?;
        let mut errors = Vec::new();
        let text = bundle.format_pattern(pattern, Some(arguments), &mut errors);
        if errors.is_empty() {
            return Ok(text.into_owned());
        }
        let problem = format!("{errors:?}");
        Err(LocaleError::Format { lang: tag, key: key.to_owned(), problem })
    }

    /// A message whose key is written in the code and tested to exist; the key itself when it does
    /// not, and a log entry.
    pub fn say(&self, lang: Lang, key: &str, arguments: &[(&str, &str)]) -> String {
        let mut values = FluentArgs::new();
        for (name, value) in arguments {
            values.set((*name).to_owned(), FluentValue::from(*value));
        }
        self.text(lang, key, &values).unwrap_or_else(|error| {
            tracing::error!(%error, "a message is missing");
            key.to_owned()
        })
    }

    pub fn has(&self, lang: Lang, key: &str) -> bool {
        self.bundles.get(lang.as_str()).is_some_and(|bundle| bundle.has_message(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(lang: Lang) -> Vec<String> {
        let files = FILES.get_dir(lang.as_str()).into_iter().flat_map(Dir::files);
        let mut keys: Vec<String> = files
            .flat_map(|file| file.contents_utf8().unwrap_or_default().lines())
            .filter(|line| !line.starts_with([' ', '#', '-', '}']) && line.contains(" ="))
            .filter_map(|line| line.split(" =").next())
            .map(str::to_owned)
            .collect();
        keys.sort();
        keys
    }

    #[test]
    fn both_languages_have_the_same_messages() {
        Locales::load().expect("valid catalogues");
        assert!(keys(Lang::Fr).len() > 50);
        let (french, english) = (keys(Lang::Fr), keys(Lang::En));
        let lacks = |a: &[String], b: &[String]| -> Vec<String> {
            a.iter().filter(|key| !b.contains(key)).cloned().collect()
        };
        assert_eq!(lacks(&french, &english), [""; 0], "missing in English");
        assert_eq!(lacks(&english, &french), [""; 0], "missing in French");
    }

    #[test]
    fn languages_are_read_from_tags_and_headers() {
        assert_eq!(Lang::from_tag("en_us"), Some(Lang::En));
        assert_eq!(Lang::from_accept_language("de, en;q=0.8, fr;q=0.5"), Lang::En);
        assert_eq!(Lang::from_accept_language(""), Lang::Fr);
    }
}
