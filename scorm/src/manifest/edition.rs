//! Which edition a manifest is written for: its schema version, else its namespaces.

use super::finding::{Findings, Problem};
use super::model::Edition;
use super::xml::{Element, Vocabulary};

pub(super) fn detect(manifest: &Element, findings: &mut Findings) -> Edition {
    let written = schema_version(manifest);
    let by_namespaces = by_namespaces(manifest);
    let Some((element, text)) = written else {
        findings.add(manifest, Problem::EditionMissing {});
        return by_namespaces.unwrap_or(Edition::Scorm12);
    };
    let Some(edition) = by_text(&text) else {
        findings.add(element, Problem::EditionUnknown { text });
        return by_namespaces.unwrap_or(Edition::Scorm12);
    };
    if let Some(other) = by_namespaces
        && other.is_2004() != edition.is_2004()
    {
        let namespaces = if other.is_2004() { "SCORM 2004" } else { "SCORM 1.2" }.to_owned();
        findings.add(element, Problem::EditionConflict { text, namespaces });
    }
    edition
}

/// The manifest's own, else the first anywhere (SCORM 1.2 allows it in every `metadata`).
fn schema_version(manifest: &Element) -> Option<(&Element, String)> {
    let own = manifest.child("metadata").and_then(|metadata| metadata.child("schemaversion"));
    let element = own.or_else(|| manifest.descendant("schemaversion"))?;
    let text = element.text();
    (!text.is_empty()).then_some((element, text))
}

fn by_text(text: &str) -> Option<Edition> {
    let text = text.to_ascii_lowercase();
    if text.contains("2004") {
        return Some(if text.contains('4') && text.contains("4th") {
            Edition::Scorm2004Fourth
        } else if text.contains("2nd") {
            Edition::Scorm2004Second
        } else {
            Edition::Scorm2004Third
        });
    }
    if text.contains("1.3") {
        return Some(Edition::Scorm2004Second);
    }
    if text.contains("1.2") || text.contains("1.1") {
        return Some(Edition::Scorm12);
    }
    None
}

fn by_namespaces(manifest: &Element) -> Option<Edition> {
    let uses = |vocabulary| manifest.uses(vocabulary);
    if uses(Vocabulary::Adlcp2004) || uses(Vocabulary::Adlseq) || uses(Vocabulary::Adlnav) {
        return Some(if needs_fourth(manifest) {
            Edition::Scorm2004Fourth
        } else {
            Edition::Scorm2004Third
        });
    }
    if uses(Vocabulary::Adlcp12) || uses(Vocabulary::Packaging12) {
        return Some(Edition::Scorm12);
    }
    // Packages without any ADL element: the packaging namespace is all there is to go by.
    (uses(Vocabulary::Imsss) || uses(Vocabulary::Packaging2004)).then_some(Edition::Scorm2004Third)
}

/// Elements that only the 4th edition has.
fn needs_fourth(element: &Element) -> bool {
    let own = match element.name.to_ascii_lowercase().as_str() {
        "data" => element.vocabulary == Vocabulary::Adlcp2004,
        "objectives" => element.vocabulary == Vocabulary::Adlseq,
        "completionthreshold" => element.attribute("minProgressMeasure").is_some(),
        _ => false,
    };
    own || element.children.iter().any(needs_fourth)
}

#[cfg(test)]
mod tests {
    use super::{Edition, by_text};

    #[test]
    fn the_schema_version_decides() {
        assert_eq!(by_text("1.2"), Some(Edition::Scorm12));
        assert_eq!(by_text("CAM 1.3"), Some(Edition::Scorm2004Second));
        assert_eq!(by_text("2004 3rd Edition"), Some(Edition::Scorm2004Third));
        assert_eq!(by_text("2004 4th Edition"), Some(Edition::Scorm2004Fourth));
        assert_eq!(by_text("2004"), Some(Edition::Scorm2004Third));
        assert_eq!(by_text("hello"), None);
    }
}
