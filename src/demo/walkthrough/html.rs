//! Just enough HTML to fill in a form: a forgiving scan of tags, not a parser.

/// A start or end tag.
struct Tag<'h> {
    name: String,
    attributes: Vec<(String, String)>,
    end: bool,
    /// What follows it.
    rest: &'h str,
}

impl Tag<'_> {
    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn has(&self, name: &str) -> bool {
        self.attribute(name).is_some()
    }
}

/// The tags in the order of the document; comments and the insides of scripts and styles skipped.
struct Tags<'h>(&'h str);

impl<'h> Iterator for Tags<'h> {
    type Item = Tag<'h>;

    fn next(&mut self) -> Option<Tag<'h>> {
        loop {
            let from = self.0.get(self.0.find('<')?..)?;
            if let Some(comment) = from.strip_prefix("<!--") {
                self.0 = comment.split_once("-->").map_or("", |(_, rest)| rest);
                continue;
            }
            let inside = from.get(1..)?;
            if !inside.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/') {
                self.0 = inside;
                continue;
            }
            let (tag, rest) = read(inside);
            let raw = !tag.end && matches!(tag.name.as_str(), "script" | "style");
            self.0 = if raw { after_raw(rest, &tag.name) } else { rest };
            return Some(tag);
        }
    }
}

/// What follows `</script` or `</style`.
fn after_raw<'h>(rest: &'h str, name: &str) -> &'h str {
    let close = format!("</{name}");
    rest.find(&close).and_then(|at| rest.get(at..)).unwrap_or("")
}

/// Reads a tag behind its `<`.
fn read(text: &str) -> (Tag<'_>, &str) {
    let end = text.starts_with('/');
    let text = text.strip_prefix('/').unwrap_or(text);
    let stop = |c: char| c.is_ascii_whitespace() || matches!(c, '>' | '/');
    let (name, mut rest) = text.split_at(text.find(stop).unwrap_or(text.len()));
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if rest.is_empty() {
            break;
        }
        if let Some(after) = rest.strip_prefix('>') {
            rest = after;
            break;
        }
        let stop = |c: char| c.is_ascii_whitespace() || matches!(c, '=' | '>' | '/');
        // A stray `=` would be no name, and no progress.
        let length = rest.find(stop).unwrap_or(rest.len()).max(1);
        let Some((key, after)) = rest.split_at_checked(length) else { break };
        let (value, after) = attribute_value(after);
        attributes.push((key.to_ascii_lowercase(), decode(value)));
        rest = after;
    }
    (Tag { name: name.to_ascii_lowercase(), attributes, end, rest }, rest)
}

/// The value behind an attribute's name, and what follows it.
fn attribute_value(after: &str) -> (&str, &str) {
    let Some(value) = after.trim_start().strip_prefix('=') else { return ("", after) };
    let value = value.trim_start();
    for quote in ['"', '\''] {
        if let Some(quoted) = value.strip_prefix(quote) {
            return quoted.split_once(quote).unwrap_or((quoted, ""));
        }
    }
    let stop = |c: char| c.is_ascii_whitespace() || c == '>';
    value.split_at(value.find(stop).unwrap_or(value.len()))
}

/// The text with its character references resolved.
pub(super) fn decode(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        decoded.push_str(before);
        let known = after
            .split_once(';')
            .filter(|(name, _)| name.len() <= 8)
            .and_then(|(name, after)| Some((character(name)?, after)));
        let (character, after) = known.unwrap_or(('&', after));
        decoded.push(character);
        rest = after;
    }
    decoded.push_str(rest);
    decoded
}

fn character(name: &str) -> Option<char> {
    let number = |digits: &str, radix| char::from_u32(u32::from_str_radix(digits, radix).ok()?);
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some('\u{a0}'),
        _ => {
            let digits = name.strip_prefix('#')?;
            match digits.strip_prefix(['x', 'X']) {
                Some(digits) => number(digits, 16),
                None => number(digits, 10),
            }
        }
    }
}

/// What a field is, as far as sending goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    /// Sent when it is chosen; choosing another of its name takes it back.
    Radio,
    /// Sent when it is ticked.
    Box,
    /// Sent when it is pressed.
    Button,
}

#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) kind: Kind,
    /// Whether it is sent.
    pub(super) on: bool,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Form {
    id: Option<String>,
    /// As written; `None`: the page's own address.
    pub(super) action: Option<String>,
    pub(super) post: bool,
    pub(super) fields: Vec<Field>,
}

impl Form {
    /// Types `value` into the field, or chooses the option of that value. False when the form has no
    /// such field.
    pub(super) fn fill(&mut self, name: &str, value: &str) -> bool {
        let fits = |field: &Field| {
            field.name == name && (field.kind == Kind::Text || field.value == value)
        };
        if !self.fields.iter().any(fits) {
            return false;
        }
        for field in self.fields.iter_mut().filter(|field| field.name == name) {
            match field.kind {
                Kind::Text => value.clone_into(&mut field.value),
                Kind::Radio => field.on = field.value == value,
                Kind::Box | Kind::Button => field.on |= field.value == value,
            }
        }
        true
    }

    /// What is sent, in order.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let sent = self.fields.iter().filter(|field| field.on && !field.name.is_empty());
        sent.map(|field| (field.name.as_str(), field.value.as_str()))
    }
}

/// The forms of a page.
pub(super) fn forms(html: &str) -> Vec<Form> {
    let mut forms: Vec<Form> = Vec::new();
    // Fields that stand elsewhere and name their form.
    let mut strays: Vec<(String, Field)> = Vec::new();
    let mut open = false;
    // The name of the list of options being read, and whether it has a choice.
    let mut list: Option<(String, Option<String>)> = None;
    for tag in Tags(html) {
        match (tag.name.as_str(), tag.end) {
            ("form", true) => open = false,
            ("form", false) => {
                open = true;
                forms.push(Form {
                    id: tag.attribute("id").map(str::to_owned),
                    action: tag.attribute("action").map(str::to_owned),
                    post: tag
                        .attribute("method")
                        .is_some_and(|method| method.eq_ignore_ascii_case("post")),
                    fields: Vec::new(),
                });
            }
            ("select", false) => {
                list = Some((tag.attribute("name").unwrap_or_default().to_owned(), None));
            }
            ("option", false) => {
                if let Some((_, chosen)) = &mut list
                    && (chosen.is_none() || tag.has("selected"))
                {
                    *chosen =
                        Some(tag.attribute("value").map_or_else(|| text(&tag), str::to_owned));
                }
            }
            ("select", true) => {
                let Some((name, value)) = list.take() else { continue };
                let value = value.unwrap_or_default();
                if let Some(form) = forms.last_mut().filter(|_| open) {
                    form.fields.push(Field { name, value, kind: Kind::Text, on: true });
                }
            }
            ("input" | "button" | "textarea", false) => {
                let Some(field) = field(&tag) else { continue };
                match (tag.attribute("form"), forms.last_mut()) {
                    (Some(form), _) => strays.push((form.to_owned(), field)),
                    (None, Some(form)) if open => form.fields.push(field),
                    _ => {}
                }
            }
            _ => {}
        }
    }
    for (id, field) in strays {
        if let Some(form) = forms.iter_mut().find(|form| form.id.as_ref() == Some(&id)) {
            form.fields.push(field);
        }
    }
    forms
}

fn field(tag: &Tag<'_>) -> Option<Field> {
    if tag.has("disabled") {
        return None;
    }
    let typed = tag.attribute("type").unwrap_or_default().to_ascii_lowercase();
    let kind = match (tag.name.as_str(), typed.as_str()) {
        ("button", "button" | "reset") | (_, "file") => return None,
        ("button", _) | ("input", "submit" | "image") => Kind::Button,
        ("input", "radio") => Kind::Radio,
        ("input", "checkbox") => Kind::Box,
        _ => Kind::Text,
    };
    let written = || match (tag.name.as_str(), kind) {
        // The line break behind the tag is not part of the text.
        ("textarea", _) => {
            let text = text(tag);
            text.strip_prefix('\n').map(str::to_owned).unwrap_or(text)
        }
        (_, Kind::Box | Kind::Radio) => "on".to_owned(),
        _ => String::new(),
    };
    Some(Field {
        name: tag.attribute("name").unwrap_or_default().to_owned(),
        value: tag.attribute("value").map_or_else(written, str::to_owned),
        kind,
        on: match kind {
            Kind::Text => true,
            Kind::Radio | Kind::Box => tag.has("checked"),
            Kind::Button => false,
        },
    })
}

/// The text behind a tag, up to the next one.
fn text(tag: &Tag<'_>) -> String {
    decode(tag.rest.split('<').next().unwrap_or_default())
}

/// Where the page's links lead, as written.
pub(super) fn links(html: &str) -> Vec<String> {
    Tags(html)
        .filter(|tag| tag.name == "a" && !tag.end)
        .filter_map(|tag| tag.attribute("href").map(str::to_owned))
        .collect()
}

/// The first value of an attribute, whatever the element.
pub(super) fn attribute(html: &str, name: &str) -> Option<String> {
    Tags(html).find_map(|tag| tag.attribute(name).map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_sent_as_a_browser_sends_it() {
        let html = r#"<!-- <form> --><script>if (a < b) "<form>"</script>
            <form id="f" action="/go?a=1&amp;b=2" method=POST>
            <input type="hidden" name="token" value="a&#x3D;b &quot;c&quot;">
            <input name=title value='l&#39;été' required>
            <textarea name="text">
Un &lt;deux&gt;</textarea>
            <select name="zone"><option value="a">A<option selected>Europe/Paris</select>
            <input type="radio" name="r" value="1" checked><input type=radio name=r value=2>
            <input type="checkbox" name="c"><input name="off" disabled>
            <button name="all" value="yes">Oui</button><button type="button">x</button></form>
            <input form="f" name="late" value="5"><a href="/x?y&amp;z">x</a><p data-open="/o">"#;
        let mut form = forms(html).remove(0);
        assert_eq!((form.action.as_deref(), form.post), (Some("/go?a=1&b=2"), true));
        assert!(form.fill("r", "2") && form.fill("title", "Bonjour") && form.fill("all", "yes"));
        assert!(!form.fill("absent", "1") && !form.fill("r", "3"));
        let sent: Vec<_> = form.pairs().collect();
        assert_eq!(
            sent,
            [
                ("token", "a=b \"c\""),
                ("title", "Bonjour"),
                ("text", "Un <deux>"),
                ("zone", "Europe/Paris"),
                ("r", "2"),
                ("all", "yes"),
                ("late", "5"),
            ]
        );
        assert_eq!(links(html), ["/x?y&z"]);
        assert_eq!(attribute(html, "data-open").as_deref(), Some("/o"));
    }

    #[test]
    fn broken_html_ends_the_scan() {
        for html in ["<", "<form", "<form action=\"", "a < b <= c", "<=>", "<p ==>", "&#xD800; <a"]
        {
            let _ = (forms(html), links(html), decode(html));
        }
        assert_eq!(decode("&amp;&lt;&unknown;&#233;&"), "&<&unknown;é&");
    }
}
