//! The demo's own templates and texts, kept in the binary.

use handlebars::Handlebars;
use include_dir::{Dir, include_dir};
use serde::Serialize;
use serde_json::Value;

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates/demo");

/// Why the templates could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    #[error("the file {0} is missing")]
    Missing(&'static str),
    #[error("the file {0} is not UTF-8")]
    NotText(String),
    #[error("{name}: {source}")]
    Syntax { name: String, source: Box<handlebars::TemplateError> },
    #[error("{name}: {source}")]
    Texts { name: &'static str, source: serde_json::Error },
}

/// A language of the demo's pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    French,
    English,
}

impl Language {
    /// `fr` or `en`.
    pub fn parse(code: &str) -> Option<Self> {
        match code {
            "fr" => Some(Self::French),
            "en" => Some(Self::English),
            _ => None,
        }
    }

    /// The ISO 639-1 code.
    pub fn code(self) -> &'static str {
        match self {
            Self::French => "fr",
            Self::English => "en",
        }
    }
}

/// Templates and texts, ready to render.
pub struct Views {
    templates: Handlebars<'static>,
    french: Value,
    english: Value,
}

impl Views {
    /// Reads everything once; a mistake in a template shows here.
    pub fn load() -> Result<Self, TemplateError> {
        let mut templates = Handlebars::new();
        templates.set_strict_mode(true);
        for file in FILES.files() {
            let path = file.path().to_string_lossy();
            let Some(name) = path.strip_suffix(".hbs") else { continue };
            let text =
                file.contents_utf8().ok_or_else(|| TemplateError::NotText(path.to_string()))?;
            templates.register_template_string(name, text).map_err(|source| {
                TemplateError::Syntax { name: name.to_owned(), source: Box::new(source) }
            })?;
        }
        Ok(Self { templates, french: texts("fr.json")?, english: texts("en.json")? })
    }

    /// The words of a language.
    pub fn texts(&self, language: Language) -> &Value {
        match language {
            Language::French => &self.french,
            Language::English => &self.english,
        }
    }

    /// Renders a template by its file's name without `.hbs`.
    pub fn render(
        &self,
        template: &str,
        data: &impl Serialize,
    ) -> Result<String, handlebars::RenderError> {
        self.templates.render(template, data)
    }
}

fn texts(name: &'static str) -> Result<Value, TemplateError> {
    serde_json::from_str(asset(name).ok_or(TemplateError::Missing(name))?)
        .map_err(|source| TemplateError::Texts { name, source })
}

/// A file of the demo that is sent as it is.
pub fn asset(name: &str) -> Option<&'static str> {
    FILES.get_file(name)?.contents_utf8()
}
