//! The manifest as a small tree: decoded, capped, every element with its line and column.
//!
//! Names are matched without regard to case and mostly without regard to namespace, because the
//! manifests people have mix `datafromlms` and `dataFromLMS`, and declare wrong namespaces or none.

use std::rc::Rc;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::ManifestError;

/// The caps that keep a hostile document cheap.
const MOST_BYTES: usize = 20 << 20;
const MOST_ELEMENTS: usize = 500_000;
const MOST_ATTRIBUTES: usize = 256;
const MOST_NAMESPACES: usize = 512;
const MOST_DEPTH: usize = 200;

/// White space as it is percent-encoded in a URI.
const WHITE_SPACE: [&str; 6] = ["%20", "%09", "%0A", "%0a", "%0D", "%0d"];

/// What a namespace is, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Vocabulary {
    /// No namespace, or one that says nothing to this reader.
    Other,
    /// IMS Content Packaging of SCORM 1.2 (`imscp_rootv1p1p2`).
    Packaging12,
    /// IMS Content Packaging of SCORM 2004 (`imscp_v1p1`).
    Packaging2004,
    /// `adlcp_rootv1p2`.
    Adlcp12,
    /// `adlcp_v1p3`.
    Adlcp2004,
    Imsss,
    Adlseq,
    Adlnav,
    Lom,
    Xml,
}

impl Vocabulary {
    fn of_uri(uri: &str) -> Self {
        let uri = uri.trim().to_ascii_lowercase();
        if uri == "http://www.w3.org/xml/1998/namespace" {
            return Self::Xml;
        }
        let known = [
            ("adlcp_rootv1p2", Self::Adlcp12),
            ("adlcp_v1p3", Self::Adlcp2004),
            ("imscp_root", Self::Packaging12),
            ("imscp_v1p1", Self::Packaging2004),
            ("imsss", Self::Imsss),
            ("adlseq", Self::Adlseq),
            ("adlnav", Self::Adlnav),
            ("imsmd", Self::Lom),
            ("ltsc.ieee.org/xsd/lom", Self::Lom),
        ];
        known.iter().find(|(part, _)| uri.contains(part)).map_or(Self::Other, |(_, is)| *is)
    }

    /// The customary prefix, for documents that forget to declare it.
    fn of_undeclared_prefix(prefix: &str) -> Self {
        match prefix {
            "xml" => Self::Xml,
            "imsss" => Self::Imsss,
            "adlseq" => Self::Adlseq,
            "adlnav" => Self::Adlnav,
            "lom" | "imsmd" => Self::Lom,
            _ => Self::Other,
        }
    }
}

#[derive(Debug)]
pub(super) struct Attribute {
    name: String,
    vocabulary: Vocabulary,
    value: String,
}

/// Where something stands in the decoded document, both from 1; columns count characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) line: u32,
    pub(super) column: u32,
}

#[derive(Debug)]
pub(super) struct Element {
    /// Local name as written.
    pub(super) name: String,
    pub(super) vocabulary: Vocabulary,
    attributes: Vec<Attribute>,
    pub(super) children: Vec<Element>,
    text: String,
    pub(super) position: Position,
}

impl Element {
    pub(super) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    pub(super) fn child<'a>(&'a self, name: &'a str) -> Option<&'a Self> {
        self.children_named(name).next()
    }

    pub(super) fn children_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.is(name))
    }

    /// The first descendant of this name, document order.
    pub(super) fn descendant<'a>(&'a self, name: &'a str) -> Option<&'a Self> {
        self.children
            .iter()
            .find_map(|child| if child.is(name) { Some(child) } else { child.descendant(name) })
    }

    /// An attribute by local name, whatever its namespace (`xml:` aside).
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|attribute| {
                attribute.vocabulary != Vocabulary::Xml && attribute.name.eq_ignore_ascii_case(name)
            })
            .map(|attribute| attribute.value.as_str())
    }

    /// An identifier attribute: white space collapsed (xs:ID, xs:anyURI), `None` when blank.
    pub(super) fn identifier(&self, name: &str) -> Option<String> {
        self.attribute(name).map(collapse).filter(|value| !value.is_empty())
    }

    /// An objective or data store identifier (xs:anyURI). White space may be written encoded:
    /// `%20obj%20%201` and `obj 1` are one identifier (ADL's conformance cases OB-02 and OB-12).
    pub(super) fn uri_identifier(&self, name: &str) -> Option<String> {
        let decoded = WHITE_SPACE.iter().fold(self.attribute(name)?.to_owned(), |text, code| {
            if text.contains('%') { text.replace(code, " ") } else { text }
        });
        Some(collapse(&decoded)).filter(|value| !value.is_empty())
    }

    /// `xml:base` or `xml:lang`.
    pub(super) fn xml_attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|attribute| {
                attribute.vocabulary == Vocabulary::Xml && attribute.name.eq_ignore_ascii_case(name)
            })
            .map(|attribute| attribute.value.as_str())
    }

    /// The element's own text as written.
    pub(super) fn raw_text(&self) -> &str {
        &self.text
    }

    /// The element's own text, white space collapsed.
    pub(super) fn text(&self) -> String {
        collapse(&self.text)
    }

    /// Charges a budget for copying this tree into the model; `None` when it is spent.
    pub(super) fn spend(&self, budget: &mut usize) -> Option<()> {
        let bytes: usize = self.attributes.iter().map(|attribute| attribute.value.len()).sum();
        *budget = budget.checked_sub(1 + (bytes + self.text.len()) / 64)?;
        self.children.iter().try_for_each(|child| child.spend(budget))
    }

    /// Whether an element or attribute of this tree is of this vocabulary.
    pub(super) fn uses(&self, vocabulary: Vocabulary) -> bool {
        self.vocabulary == vocabulary
            || self.attributes.iter().any(|attribute| attribute.vocabulary == vocabulary)
            || self.children.iter().any(|child| child.uses(vocabulary))
    }
}

/// xs:token: leading and trailing white space removed, inner runs made one space.
pub(super) fn collapse(text: &str) -> String {
    let mut collapsed = String::with_capacity(text.len());
    for word in text.split([' ', '\t', '\r', '\n']).filter(|word| !word.is_empty()) {
        if !collapsed.is_empty() {
            collapsed.push(' ');
        }
        collapsed.push_str(word);
    }
    collapsed
}

/// The text of a manifest: byte order mark first, then UTF-16 by its look, then the declared
/// encoding, then UTF-8. The lines of findings count in this text.
pub fn decode(bytes: &[u8]) -> Result<String, ManifestError> {
    if bytes.len() > MOST_BYTES {
        return Err(ManifestError::TooLarge { size: bytes.len(), limit: MOST_BYTES });
    }
    let encoding = match Encoding::for_bom(bytes) {
        Some((encoding, _)) => encoding,
        None => match bytes {
            [b'<', 0, ..] => UTF_16LE,
            [0, b'<', ..] => UTF_16BE,
            _ => declared_encoding(bytes)?,
        },
    };
    let (text, encoding, broken) = encoding.decode(bytes);
    if broken {
        return Err(ManifestError::NotText { encoding: encoding.name().to_owned() });
    }
    Ok(text.into_owned())
}

fn declared_encoding(bytes: &[u8]) -> Result<&'static Encoding, ManifestError> {
    let head = bytes.get(..bytes.len().min(200)).unwrap_or_default();
    let head = String::from_utf8_lossy(head);
    let declaration =
        head.trim_start().strip_prefix("<?xml").and_then(|rest| rest.split_once("?>"));
    let label = declaration.and_then(|(declaration, _)| {
        let (_, value) = declaration.split_once("encoding")?;
        let value = value.trim_start().strip_prefix('=')?.trim_start();
        let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        value.get(1..)?.split_once(quote).map(|(label, _)| label)
    });
    match label.map(str::trim) {
        None => Ok(UTF_8),
        // Eight-bit bytes cannot be UTF-16: the declaration is a leftover of another tool.
        Some(label) if label.to_ascii_lowercase().starts_with("utf-16") => Ok(UTF_8),
        Some(label) => Encoding::for_label(label.as_bytes())
            .ok_or_else(|| ManifestError::UnknownEncoding { encoding: label.to_owned() }),
    }
}

/// Walks forward through the text, counting lines as it goes.
struct Locator<'t> {
    text: &'t str,
    offset: usize,
    position: Position,
}

impl<'t> Locator<'t> {
    fn new(text: &'t str) -> Self {
        Self { text, offset: 0, position: Position { line: 1, column: 1 } }
    }

    fn at(&mut self, offset: u64) -> Position {
        let offset = usize::try_from(offset).unwrap_or(usize::MAX).min(self.text.len());
        for character in self.text.get(self.offset..offset).unwrap_or_default().chars() {
            if character == '\n' {
                self.position.line += 1;
                self.position.column = 1;
            } else {
                self.position.column += 1;
            }
        }
        self.offset = self.offset.max(offset);
        self.position
    }
}

/// Namespace declarations in scope, innermost last, with the depth that declared them.
#[derive(Default)]
struct Scope {
    bindings: Vec<(usize, Rc<str>, Vocabulary)>,
}

impl Scope {
    fn leave(&mut self, depth: usize) {
        while self.bindings.last().is_some_and(|(declared, ..)| *declared > depth) {
            self.bindings.pop();
        }
    }

    fn resolve(&self, prefix: &str) -> Vocabulary {
        self.bindings
            .iter()
            .rev()
            .find(|(_, bound, _)| &**bound == prefix)
            .map_or_else(|| Vocabulary::of_undeclared_prefix(prefix), |(.., is)| *is)
    }
}

fn split_name(name: &str) -> (&str, &str) {
    name.split_once(':').unwrap_or(("", name))
}

/// Parses the text into its root element. No DTD, no entities but the predefined ones.
pub(super) fn parse(text: &str) -> Result<Element, ManifestError> {
    let mut reader = Reader::from_str(text);
    let mut locator = Locator::new(text);
    // No XML holds one, and some databases keep none.
    if let Some(at) = text.find('\0') {
        let Position { line, column } = locator.at(at as u64);
        let problem = "it holds a NUL character".to_owned();
        return Err(ManifestError::Malformed { problem, line, column });
    }
    let mut scope = Scope::default();
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    let mut elements = 0;
    loop {
        let position = locator.at(reader.buffer_position());
        let malformed = |problem: String, position: Position| ManifestError::Malformed {
            problem,
            line: position.line,
            column: position.column,
        };
        let event = match reader.read_event() {
            Ok(event) => event,
            Err(error) => {
                let position = locator.at(reader.error_position());
                return Err(malformed(error.to_string(), position));
            }
        };
        let is_empty = matches!(event, Event::Empty(_));
        match event {
            Event::Start(start) | Event::Empty(start) => {
                elements += 1;
                if elements > MOST_ELEMENTS {
                    return Err(ManifestError::TooManyElements { limit: MOST_ELEMENTS });
                }
                if open.len() >= MOST_DEPTH {
                    let line = position.line;
                    return Err(ManifestError::TooDeep { limit: MOST_DEPTH, line });
                }
                if root.is_some() {
                    return Err(malformed("a second root element".to_owned(), position));
                }
                let element = element(&start, open.len() + 1, &mut scope, position)?;
                if is_empty {
                    scope.leave(open.len());
                    close(element, &mut open, &mut root);
                } else {
                    open.push(element);
                }
            }
            Event::End(_) => {
                if let Some(element) = open.pop() {
                    scope.leave(open.len());
                    close(element, &mut open, &mut root);
                }
            }
            Event::Text(content) => {
                append(&mut open, &content.xml10_content());
            }
            Event::CData(content) => append(&mut open, &content.xml10_content()),
            Event::GeneralRef(reference) => {
                let resolved = match reference.resolve_char_ref() {
                    Ok(Some(character)) => Some(character),
                    Ok(None) => predefined(&reference),
                    Err(error) => return Err(malformed(error.to_string(), position)),
                };
                let Some(character) = resolved else {
                    let (name, line) = (reference.to_string(), position.line);
                    return Err(ManifestError::EntityRefused { name, line });
                };
                append(&mut open, character.encode_utf8(&mut [0; 4]));
            }
            Event::DocType(_) => {
                return Err(ManifestError::DoctypeRefused { line: position.line });
            }
            Event::Comment(_) | Event::PI(_) | Event::Decl(_) => {}
            Event::Eof => {
                return match (open.last(), root) {
                    (Some(unclosed), _) => Err(malformed(
                        format!("`{}` is never closed", unclosed.name),
                        unclosed.position,
                    )),
                    (None, Some(root)) => Ok(root),
                    (None, None) => Err(malformed("there is no element".to_owned(), position)),
                };
            }
        }
    }
}

fn predefined(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}

fn append(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

fn close(element: Element, open: &mut [Element], root: &mut Option<Element>) {
    match open.last_mut() {
        Some(parent) => parent.children.push(element),
        None => *root = Some(element),
    }
}

fn element(
    start: &BytesStart<'_>,
    depth: usize,
    scope: &mut Scope,
    position: Position,
) -> Result<Element, ManifestError> {
    let malformed = |problem: String| ManifestError::Malformed {
        problem,
        line: position.line,
        column: position.column,
    };
    let mut named = Vec::new();
    // The duplicate check of the library is quadratic in the number of attributes.
    for attribute in start.attributes().with_checks(false) {
        let attribute = attribute.map_err(|error| malformed(error.to_string()))?;
        if named.len() >= MOST_ATTRIBUTES {
            return Err(malformed(format!("more than {MOST_ATTRIBUTES} attributes")));
        }
        let name = attribute.key.as_ref().to_owned();
        let value = attribute.normalized_value(quick_xml::XmlVersion::Explicit1_0);
        let value = value.map_err(|error| malformed(format!("attribute `{name}`: {error}")))?;
        if name == "xmlns" || name.starts_with("xmlns:") {
            if scope.bindings.len() >= MOST_NAMESPACES {
                return Err(malformed(format!("more than {MOST_NAMESPACES} namespaces")));
            }
            let prefix = name.strip_prefix("xmlns:").unwrap_or_default();
            scope.bindings.push((depth, prefix.into(), Vocabulary::of_uri(&value)));
        } else if named.iter().any(|(other, _)| *other == name) {
            return Err(malformed(format!("attribute `{name}` occurs twice")));
        } else {
            named.push((name, value.into_owned()));
        }
    }
    let attributes = named
        .into_iter()
        .filter(|(name, _)| !name.starts_with("xsi:"))
        .map(|(name, value)| {
            let (prefix, local) = split_name(&name);
            let vocabulary =
                if prefix.is_empty() { Vocabulary::Other } else { scope.resolve(prefix) };
            Attribute { name: local.to_owned(), vocabulary, value }
        })
        .collect();
    let qualified = start.name();
    let (prefix, local) = split_name(qualified.as_ref());
    Ok(Element {
        name: local.to_owned(),
        vocabulary: scope.resolve(prefix),
        attributes,
        children: Vec::new(),
        text: String::new(),
        position,
    })
}

#[cfg(test)]
mod tests {
    use super::{ManifestError, Vocabulary, decode, parse};

    #[test]
    fn utf_16_and_byte_order_marks_are_read() {
        let text = "<?xml version=\"1.0\" encoding=\"UTF-16\"?><manifest>é</manifest>";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let mut big = vec![0xfe, 0xff];
        big.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
        let mut eight = vec![0xef, 0xbb, 0xbf];
        eight.extend(text.as_bytes());
        for bytes in [little, big, eight] {
            let text = decode(&bytes).unwrap();
            assert_eq!(parse(&text).unwrap().text(), "é");
        }
        let latin = b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xe9</a>";
        assert_eq!(parse(&decode(latin).unwrap()).unwrap().text(), "é");
    }

    #[test]
    fn doctype_and_entities_are_refused() {
        let doctype = "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>";
        assert!(matches!(parse(doctype), Err(ManifestError::DoctypeRefused { line: 1 })));
        let entity = "<a>\n&nbsp;</a>";
        assert!(matches!(parse(entity), Err(ManifestError::EntityRefused { line: 2, .. })));
        assert!(matches!(parse("<a b='&x;'/>"), Err(ManifestError::Malformed { .. })));
    }

    #[test]
    fn text_joins_references_and_cdata() {
        let root = parse("<a>x &amp; &#233; <![CDATA[<b>]]></a>").unwrap();
        assert_eq!(root.text(), "x & é <b>");
    }

    #[test]
    fn positions_count_lines_and_characters() {
        let root = parse("<a>\n é<b/>\n</a>").unwrap();
        let child = &root.children[0];
        assert_eq!((child.position.line, child.position.column), (2, 3));
    }

    #[test]
    fn namespaces_are_known_by_their_uri_and_customary_prefixes_without() {
        let root = parse(
            "<m xmlns='http://www.imsglobal.org/xsd/imscp_v1p1' \
             xmlns:q='http://www.imsglobal.org/xsd/imsss'><q:s/><adlseq:o/></m>",
        )
        .unwrap();
        assert_eq!(root.vocabulary, Vocabulary::Packaging2004);
        assert_eq!(root.children[0].vocabulary, Vocabulary::Imsss);
        assert_eq!(root.children[1].vocabulary, Vocabulary::Adlseq);
    }

    #[test]
    fn depth_is_capped() {
        let deep = "<a>".repeat(300);
        assert!(matches!(parse(&deep), Err(ManifestError::TooDeep { .. })));
    }
}
