//! Attribute values: parsed, and replaced by the default with a finding when they are not valid.

use super::finding::{Findings, Problem};
use super::xml::{Element, collapse};

fn invalid(element: &Element, name: &str, value: &str, used: &str, findings: &mut Findings) {
    findings.add(
        element,
        Problem::ValueInvalid {
            name: format!("{}/{name}", element.name),
            value: value.chars().take(100).collect(),
            used: used.to_owned(),
        },
    );
}

/// An xs:boolean.
pub(super) fn boolean(
    element: &Element,
    name: &str,
    default: bool,
    findings: &mut Findings,
) -> bool {
    let Some(value) = element.attribute(name) else { return default };
    match value.trim().to_ascii_lowercase().as_str() {
        "true" | "1" => true,
        "false" | "0" => false,
        _ => {
            invalid(element, name, value, if default { "true" } else { "false" }, findings);
            default
        }
    }
}

/// An xs:decimal within a range.
pub(super) fn decimal(
    element: &Element,
    name: &str,
    range: std::ops::RangeInclusive<f64>,
    default: f64,
    findings: &mut Findings,
) -> f64 {
    let Some(value) = element.attribute(name) else { return default };
    parse_decimal(value).filter(|number| range.contains(number)).unwrap_or_else(|| {
        invalid(element, name, value, &default.to_string(), findings);
        default
    })
}

/// The element's text as an xs:decimal within a range; `None` with a finding otherwise.
pub(super) fn decimal_text(
    element: &Element,
    range: std::ops::RangeInclusive<f64>,
    findings: &mut Findings,
) -> Option<f64> {
    let text = element.text();
    if text.is_empty() {
        return None;
    }
    let number = parse_decimal(&text).filter(|number| range.contains(number));
    if number.is_none() {
        invalid(element, "text", &text, "none", findings);
    }
    number
}

/// xs:decimal knows neither infinity nor exponents that Rust would take.
fn parse_decimal(value: &str) -> Option<f64> {
    let value = value.trim();
    let plain = value.chars().all(|c| c.is_ascii_digit() || "+-.".contains(c));
    if plain { value.parse().ok() } else { None }
}

/// An xs:nonNegativeInteger.
pub(super) fn count(element: &Element, name: &str, findings: &mut Findings) -> Option<u32> {
    let value = element.attribute(name).filter(|value| !value.trim().is_empty())?;
    let number = value.trim().parse().ok();
    if number.is_none() {
        invalid(element, name, value, "none", findings);
    }
    number
}

/// A token of a vocabulary, without regard to case.
pub(super) fn token<T: Copy>(
    element: &Element,
    name: &str,
    vocabulary: &[(&'static str, T)],
    default: T,
    findings: &mut Findings,
) -> T {
    let Some(value) = element.attribute(name) else { return default };
    let collapsed = collapse(value);
    let known = vocabulary.iter().find(|(token, _)| token.eq_ignore_ascii_case(&collapsed));
    known.map_or_else(
        || {
            invalid(element, name, value, "the default", findings);
            default
        },
        |(_, is)| *is,
    )
}

/// A token without default: `None` when absent, or with a finding when not of the vocabulary.
pub(super) fn required_token<T: Copy>(
    element: &Element,
    name: &str,
    vocabulary: &[(&'static str, T)],
    findings: &mut Findings,
) -> Option<T> {
    let value = element.attribute(name)?;
    let collapsed = collapse(value);
    let known = vocabulary.iter().find(|(token, _)| token.eq_ignore_ascii_case(&collapsed));
    if known.is_none() {
        invalid(element, name, value, "none", findings);
    }
    known.map(|(_, is)| *is)
}

/// The element's text against a parser; `None` with a finding when it does not parse.
pub(super) fn text_token<T>(
    element: &Element,
    parse: impl FnOnce(&str) -> Option<T>,
    findings: &mut Findings,
) -> Option<T> {
    let text = element.text();
    if text.is_empty() {
        return None;
    }
    let parsed = parse(&text);
    if parsed.is_none() {
        invalid(element, "text", &text, "none", findings);
    }
    parsed
}
