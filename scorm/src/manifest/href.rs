//! Hrefs: xml:base (RFC 3986, 5.2), the tolerance for what authoring tools write, and launch
//! parameters (CAM 3.4.3.3).

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::Files;
use crate::archive::Match;

/// What must be encoded in a path besides controls and what is not ASCII (RFC 3986, 3.3).
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The same for query and fragment, where `%` and `?` are the author's.
const QUERY: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>').add(b'\\').add(b'^').add(b'`');

/// Where an href leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// Another server.
    External(String),
    /// Out of the package by `..`.
    Outside,
    Inside(Inside),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Inside {
    /// The path in the package: the entry's own when found.
    pub(super) path: String,
    /// `?…` and `#…` as written, percent-encoded where needed.
    pub(super) suffix: String,
    pub(super) found: bool,
    /// What had to be put right to find it.
    pub(super) corrections: Vec<Correction>,
}

impl Inside {
    /// The URL relative to the package root.
    pub(super) fn href(&self) -> String {
        format!("{}{}", of_path(&self.path), self.suffix)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Correction {
    Backslash,
    Decoded,
    Case,
    BaseWithoutSlash,
}

/// The URL of a path in the package, relative to its root.
pub(super) fn of_path(path: &str) -> String {
    utf8_percent_encode(path, PATH).to_string()
}

fn has_scheme(reference: &str) -> bool {
    let Some((scheme, _)) = reference.split_once(':') else { return false };
    // One letter is a Windows drive.
    scheme.len() > 1
        && scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

fn is_external(reference: &str) -> bool {
    has_scheme(reference) || reference.starts_with("//")
}

/// Appends `reference` to `base`; both may be folders, files, empty or absolute URLs. Dot segments
/// stay for [`resolve`], which needs to see whether they lead outside.
pub(super) fn join(base: &str, reference: &str) -> String {
    let reference = reference.trim();
    if reference.is_empty() {
        return base.to_owned();
    }
    if base.is_empty() || is_external(reference) {
        return reference.to_owned();
    }
    if is_external(base)
        && let Some(base) = ExternalBase::of(base)
    {
        return base.join(reference);
    }
    if reference.starts_with('/') {
        return reference.to_owned();
    }
    let folder = base.rfind('/').and_then(|end| base.get(..=end)).unwrap_or_default();
    format!("{folder}{reference}")
}

/// An absolute base, just enough of it: scheme and authority, and the folder.
struct ExternalBase<'a> {
    origin: &'a str,
    folder: &'a str,
}

impl<'a> ExternalBase<'a> {
    fn of(base: &'a str) -> Option<Self> {
        let authority = base.find("//")? + 2;
        let path_at = base.get(authority..)?.find('/').map_or(base.len(), |at| authority + at);
        let (origin, path) = base.split_at_checked(path_at)?;
        let folder = path.rfind('/').and_then(|end| path.get(..=end)).unwrap_or("/");
        Some(Self { origin, folder })
    }

    fn join(&self, reference: &str) -> String {
        let folder = if reference.starts_with('/') { "" } else { self.folder };
        format!("{}{folder}{reference}", self.origin)
    }
}

/// The path without `.` and `..`; `None` when it leads out of the package.
fn remove_dot_segments(path: &str) -> Option<String> {
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop()?;
            }
            _ => segments.push(segment),
        }
    }
    Some(segments.join("/"))
}

/// Resolves `reference` against `base` and looks it up in the package.
pub(super) fn resolve(base: &str, reference: &str, files: Files<'_>) -> Target {
    let reference = reference.trim();
    let joined = join(base, reference);
    if is_external(&joined) {
        return Target::External(utf8_percent_encode(&joined, QUERY_KEEPING_HASH).to_string());
    }
    let first = locate(&joined, files);
    if let Some(Inside { found: true, .. }) = &first {
        return first.map_or(Target::Outside, Target::Inside);
    }
    // A base meant as a folder but written without its slash.
    if !base.is_empty() && !base.ends_with('/') && !is_external(base) {
        let folder = format!("{base}/");
        if let Some(mut second) = locate(&join(&folder, reference), files)
            && second.found
        {
            second.corrections.push(Correction::BaseWithoutSlash);
            return Target::Inside(second);
        }
    }
    first.map_or(Target::Outside, Target::Inside)
}

const QUERY_KEEPING_HASH: &AsciiSet = &QUERY.remove(b'#');

fn locate(joined: &str, files: Files<'_>) -> Option<Inside> {
    let mut corrections = Vec::new();
    // A file may really be called `a#b.html`: the whole text is tried before it is split.
    let split = joined.find(['?', '#']).unwrap_or(joined.len());
    let (path, suffix) = joined.split_at_checked(split)?;
    let slashed = path.replace('\\', "/");
    if slashed != path {
        corrections.push(Correction::Backslash);
    }
    let path = remove_dot_segments(&slashed)?;
    let mut suffix = utf8_percent_encode(suffix, QUERY_KEEPING_HASH).to_string();
    let Files::Package(index) = files else {
        let decoded = percent_encoding::percent_decode_str(&path).decode_utf8_lossy();
        // Decoding may uncover dot segments.
        let path = remove_dot_segments(&decoded)?;
        return Some(Inside { path, suffix, found: true, corrections });
    };
    if !joined.contains('?')
        && suffix.starts_with('#')
        && let Some(entry) = index.exact(joined)
    {
        suffix.clear();
        return Some(Inside { path: entry.path.clone(), suffix, found: true, corrections });
    }
    let Some(found) = index.find(&path) else {
        return Some(Inside { path, suffix, found: false, corrections });
    };
    match found.matched {
        Match::Exact => {}
        Match::Decoded => corrections.push(Correction::Decoded),
        Match::CaseInsensitive => corrections.push(Correction::Case),
    }
    Some(Inside { path: found.entry.path.clone(), suffix, found: true, corrections })
}

/// Joins an item's parameters to an href (CAM 3.4.3.3, code illustration 3-32). `Err` returns the
/// href when the parameters had to be discarded.
///
/// Where the specification appends to the whole URI, a query goes before the fragment: after it, it
/// would be part of the fragment.
pub(super) fn with_parameters(href: &str, parameters: &str) -> Result<String, String> {
    let parameters = parameters.trim().trim_start_matches(['?', '&']);
    if parameters.is_empty() {
        return Ok(href.to_owned());
    }
    let parameters = utf8_percent_encode(parameters, QUERY_KEEPING_HASH).to_string();
    if parameters.starts_with('#') {
        if href.contains('#') {
            return Err(href.to_owned());
        }
        return Ok(format!("{href}{parameters}"));
    }
    let (before, fragment) = match href.split_once('#') {
        Some((before, fragment)) => (before, Some(fragment)),
        None => (href, None),
    };
    let separator = match before.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some((_, query)) if query.ends_with('&') => "",
        Some(_) => "&",
    };
    // The parameters' own fragment wins over none, the href's over the parameters'.
    let (query, own_fragment) = match parameters.split_once('#') {
        Some((query, fragment)) => (query, Some(fragment)),
        None => (parameters.as_str(), None),
    };
    let mut joined = format!("{before}{separator}{query}");
    if let Some(fragment) = fragment.or(own_fragment) {
        joined.push('#');
        joined.push_str(fragment);
    }
    Ok(joined)
}

#[cfg(test)]
mod tests {
    use super::{Files, Target, join, resolve, with_parameters};

    #[test]
    fn bases_join_as_in_rfc_3986() {
        assert_eq!(join("a/b/", "c.html"), "a/b/c.html");
        assert_eq!(join("a/b", "c.html"), "a/c.html");
        assert_eq!(join("", "c.html"), "c.html");
        assert_eq!(join("https://x.test/a/b", "c.html"), "https://x.test/a/c.html");
        assert_eq!(join("https://x.test/a/b", "/c.html"), "https://x.test/c.html");
        assert_eq!(join("a/", "https://x.test/"), "https://x.test/");
    }

    #[test]
    fn parameters_join_as_the_specification_says() {
        let joined = |href, parameters| with_parameters(href, parameters);
        assert_eq!(joined("a.html", "x=1"), Ok("a.html?x=1".to_owned()));
        assert_eq!(joined("a.html", "?x=1&y=2"), Ok("a.html?x=1&y=2".to_owned()));
        assert_eq!(joined("a.html?z=0", "&?x=1"), Ok("a.html?z=0&x=1".to_owned()));
        assert_eq!(joined("a.html", "#top"), Ok("a.html#top".to_owned()));
        assert_eq!(joined("a.html#end", "#top"), Err("a.html#end".to_owned()));
        assert_eq!(joined("a.html#end", "x=1"), Ok("a.html?x=1#end".to_owned()));
        assert_eq!(joined("a.html", "x=1#top"), Ok("a.html?x=1#top".to_owned()));
        assert_eq!(joined("a.html", "x=é b"), Ok("a.html?x=%C3%A9%20b".to_owned()));
        assert_eq!(joined("a.html", "?"), Ok("a.html".to_owned()));
    }

    #[test]
    fn dot_segments_stay_inside() {
        let target = resolve("a/b/", "../c.html?d=../e", Files::Assumed);
        let Target::Inside(inside) = target else { panic!("{target:?}") };
        assert_eq!(inside.href(), "a/c.html?d=../e");
        assert_eq!(resolve("", "../c.html", Files::Assumed), Target::Outside);
        assert_eq!(resolve("", "%2e%2e/c.html", Files::Assumed), Target::Outside);
        assert_eq!(resolve("", "..\\c.html", Files::Assumed), Target::Outside);
    }
}
