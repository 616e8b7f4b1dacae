//! Templates with typed contexts.
//!
//! Two registries over the same files: one escapes HTML, one does not (subjects and text mails).
//! Strict mode: a name that the context lacks is an error, and a test renders every sample.

use std::sync::Arc;

use fluent_bundle::{FluentArgs, FluentValue};
use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, JsonRender as _, Output, RenderContext,
    RenderErrorReason,
};
use include_dir::{Dir, include_dir};
use serde::Serialize;

use super::assets;
use super::locales::{Lang, LocaleError, Locales};

static PAGES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates/pages");
static MAILS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates/mails");

/// The context of one template.
pub trait Page: Serialize {
    /// The file's path without its extension, from `templates/`: `pages/launch-course`.
    const TEMPLATE: &'static str;

    /// One context for each shape the page can take: a test renders them all.
    fn samples() -> Vec<Self>
    where
        Self: Sized;
}

/// Renders pages and mails. Cheap to clone.
#[derive(Clone)]
pub struct Pages {
    html: Arc<Handlebars<'static>>,
    text: Arc<Handlebars<'static>>,
    pub locales: Arc<Locales>,
}

#[derive(Debug, thiserror::Error)]
pub enum PagesError {
    #[error(transparent)]
    Locale(#[from] LocaleError),
    #[error("a template cannot be read: {0}")]
    Template(#[from] Box<handlebars::TemplateError>),
}

#[derive(Debug, thiserror::Error)]
#[error("the template {template} cannot be rendered: {source}")]
pub struct RenderError {
    template: &'static str,
    source: Box<handlebars::RenderError>,
}

/// What every template may use beside its own context.
#[derive(Serialize)]
struct Whole<'a, P> {
    lang: &'static str,
    #[serde(flatten)]
    page: &'a P,
}

impl Pages {
    pub fn load() -> Result<Self, PagesError> {
        let locales = Arc::new(Locales::load()?);
        let build = |escape: bool| -> Result<Arc<Handlebars<'static>>, PagesError> {
            let mut registry = Handlebars::new();
            registry.set_strict_mode(true);
            registry.set_prevent_indent(true);
            if !escape {
                registry.register_escape_fn(handlebars::no_escape);
            }
            registry.register_helper("t", Box::new(Translate(locales.clone())));
            registry.register_helper("asset", Box::new(asset_helper));
            for (folder, files) in [("pages", &PAGES), ("mails", &MAILS)] {
                for file in files.files() {
                    let path = file.path().to_string_lossy();
                    let Some(name) = path.strip_suffix(".hbs") else { continue };
                    registry
                        .register_template_string(
                            &format!("{folder}/{name}"),
                            file.contents_utf8().unwrap_or_default(),
                        )
                        .map_err(Box::new)?;
                }
            }
            Ok(Arc::new(registry))
        };
        Ok(Self { html: build(true)?, text: build(false)?, locales })
    }

    /// The page as HTML.
    pub fn html<P: Page>(&self, lang: Lang, page: &P) -> Result<String, RenderError> {
        Self::render(&self.html, P::TEMPLATE, P::TEMPLATE, lang, page)
    }

    /// One of a mail's three files: `suffix` is `subject`, `text` or `html`.
    pub fn mail<P: Page>(
        &self,
        lang: Lang,
        suffix: &'static str,
        page: &P,
    ) -> Result<String, RenderError> {
        let registry = if suffix == "html" { &self.html } else { &self.text };
        Self::render(registry, &format!("{}.{suffix}", P::TEMPLATE), P::TEMPLATE, lang, page)
    }

    fn render<P: Page>(
        registry: &Handlebars<'static>,
        name: &str,
        template: &'static str,
        lang: Lang,
        page: &P,
    ) -> Result<String, RenderError> {
        registry
            .render(name, &Whole { lang: lang.as_str(), page })
            .map_err(|source| RenderError { template, source: Box::new(source) })
    }

    /// The names of all templates that are not partials (which start with an underscore).
    pub fn template_names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.html.get_templates().keys().cloned().collect();
        names.retain(|name| !name.contains("/_"));
        names.sort();
        names
    }
}

/// `{{t "key" name=value}}`: a message of the page's language, its arguments escaped.
struct Translate(Arc<Locales>);

impl HelperDef for Translate {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        registry: &'reg Handlebars<'reg>,
        context: &'rc Context,
        render: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let key = helper
            .param(0)
            .map(|param| param.value().render())
            .ok_or(RenderErrorReason::ParamNotFoundForIndex("t", 0))?;
        let lang = context.data().get("lang").and_then(|lang| lang.as_str()).unwrap_or_default();
        let lang = Lang::from_tag(lang).unwrap_or(Lang::Fr);
        let mut arguments = FluentArgs::new();
        for (name, value) in helper.hash() {
            // A missing argument must not become an empty word in a sentence.
            if value.is_value_missing() {
                return Err(RenderErrorReason::MissingVariable(Some((*name).to_owned())).into());
            }
            let value = match value.value().as_f64() {
                Some(number) => FluentValue::from(number),
                None => FluentValue::from(value.value().render()),
            };
            arguments.set((*name).to_owned(), value);
        }
        let text = self
            .0
            .text(lang, &key, &arguments)
            .map_err(|error| RenderErrorReason::Other(error.to_string()))?;
        // As another helper's argument it is escaped when that one writes it.
        if render.is_disable_escape() {
            out.write(&text)?;
        } else {
            out.write(&registry.get_escape_fn()(&text))?;
        }
        Ok(())
    }
}

/// `{{asset "app.css"}}`: the address of a file of ours, with its hash.
fn asset_helper(
    helper: &Helper<'_>,
    _: &Handlebars<'_>,
    _: &Context,
    _: &mut RenderContext<'_, '_>,
    out: &mut dyn Output,
) -> HelperResult {
    let name = helper
        .param(0)
        .map(|param| param.value().render())
        .ok_or(RenderErrorReason::ParamNotFoundForIndex("asset", 0))?;
    let address = assets::address(&name)
        .ok_or_else(|| RenderErrorReason::Other(format!("no asset {name:?}")))?;
    out.write(&address)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_template_writes_unescaped_values() {
        for file in PAGES.files().chain(MAILS.files()) {
            let text = file.contents_utf8().expect("UTF-8");
            assert!(!text.contains("{{{") && !text.contains("{{&"), "{:?}", file.path());
        }
    }
}
