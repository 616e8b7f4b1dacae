//! Learning object metadata, read leniently: LOM 1.2 (`langstring`) and IEEE LOM (`string`) alike.

use serde::{Deserialize, Serialize};

use super::xml::{self, Element, Vocabulary};
use super::{ManifestError, decode};

/// A text and its language, if it says one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LanguageText {
    pub language: Option<String>,
    pub text: String,
}

/// The part of the metadata that describes a course to people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Metadata {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub titles: Vec<LanguageText>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub descriptions: Vec<LanguageText>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keywords: Vec<LanguageText>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<String>,
    /// `adlcp:location`: a metadata file in the package; give its bytes to [`read_metadata`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
}

/// Reads a metadata file of its own (what `adlcp:location` names).
pub fn read_metadata(bytes: &[u8]) -> Result<Metadata, ManifestError> {
    let root = xml::parse(&decode(bytes)?)?;
    let mut metadata = Metadata::default();
    add_lom(&root, &mut metadata);
    Ok(metadata)
}

/// Reads the `<metadata>` child of an element, inline LOM and location.
pub(super) fn of(parent: &Element) -> Metadata {
    let mut metadata = Metadata::default();
    for element in parent.children_named("metadata") {
        let location = element.child("location").map(Element::text);
        metadata.location = metadata.location.or(location.filter(|text| !text.is_empty()));
        for lom in &element.children {
            if lom.is("lom") || lom.is("record") || lom.vocabulary == Vocabulary::Lom {
                add_lom(lom, &mut metadata);
            }
        }
    }
    metadata
}

fn add_lom(lom: &Element, metadata: &mut Metadata) {
    let general = if lom.is("general") { Some(lom) } else { lom.descendant("general") };
    let Some(general) = general else { return };
    for child in &general.children {
        match child.name.to_ascii_lowercase().as_str() {
            "title" => add_texts(child, &mut metadata.titles),
            "description" => add_texts(child, &mut metadata.descriptions),
            "keyword" => add_texts(child, &mut metadata.keywords),
            "language" => {
                let language = child.text();
                if !language.is_empty() && language != "none" {
                    metadata.languages.push(language);
                }
            }
            _ => {}
        }
    }
}

fn add_texts(element: &Element, list: &mut Vec<LanguageText>) {
    let mut add = |holder: &Element| {
        let text = holder.text();
        if !text.is_empty() {
            let language = holder.xml_attribute("lang").or(holder.attribute("language"));
            let language = language.map(xml::collapse).filter(|language| !language.is_empty());
            list.push(LanguageText { language, text });
        }
    };
    add(element);
    element.children.iter().for_each(add);
}
