//! `Link` headers (RFC 8288) as platforms really write them, and following them safely.

use std::collections::HashSet;

use url::Url;

use crate::Fault;
use crate::http::Response;

/// Why the next page is not fetched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PagingError {
    /// The next page lies on another origin: the access token must not go there.
    #[error("the next page is on another server: {origin}")]
    OtherOrigin {
        /// That origin.
        origin: String,
    },
    /// A page links to one that was already read.
    #[error("the pages go round in circles")]
    Loop,
    /// More pages than anybody needs.
    #[error("more than {limit} pages")]
    TooMany {
        /// The limit.
        limit: usize,
    },
}

impl PagingError {
    /// A stable word for texts and counters.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::OtherOrigin { .. } => "paging-other-origin",
            Self::Loop => "paging-loop",
            Self::TooMany { .. } => "paging-too-many",
        }
    }

    /// The platform's.
    pub const fn fault(&self) -> Fault {
        Fault::Peer
    }
}

/// Follows the pages of one collection.
#[derive(Debug, Clone)]
pub struct Pager {
    current: Url,
    seen: HashSet<String>,
    limit: usize,
}

impl Pager {
    /// Begins at the first page.
    pub fn new(first: Url) -> Self {
        let seen = HashSet::from([first.to_string()]);
        Self { current: first, seen, limit: 1000 }
    }

    /// The page after the one just answered, if there is one: same origin, not seen before.
    pub fn next(&mut self, response: &Response) -> Result<Option<Url>, PagingError> {
        let Some(next) = link(response, "next", &self.current) else { return Ok(None) };
        if next.origin() != self.current.origin() {
            return Err(PagingError::OtherOrigin { origin: next.origin().ascii_serialization() });
        }
        if !self.seen.insert(next.to_string()) {
            return Err(PagingError::Loop);
        }
        if self.seen.len() > self.limit {
            return Err(PagingError::TooMany { limit: self.limit });
        }
        self.current = next.clone();
        Ok(Some(next))
    }
}

/// The target of the first link with that relation, resolved against the page's own address.
///
/// Moodle writes `rel=“next”` with typographic quotes (bytes outside ASCII) and `&amp;` in the
/// address; others leave the quotes out.
pub fn link(response: &Response, relation: &str, base: &Url) -> Option<Url> {
    response.headers_named("Link").find_map(|value| {
        let text = String::from_utf8_lossy(value);
        links(&text).into_iter().find_map(|(target, relations)| {
            let wanted = relations.iter().any(|found| found.eq_ignore_ascii_case(relation));
            if wanted { base.join(&target.replace("&amp;", "&")).ok() } else { None }
        })
    })
}

/// Targets with their relations.
fn links(text: &str) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    // Every link begins with `<`; what lies between two of them belongs to the first. A `<` in a
    // quoted title would only cut that title.
    for part in text.split('<').skip(1) {
        let Some((target, parameters)) = part.split_once('>') else { continue };
        let relations = parameters
            .split(';')
            .filter_map(|parameter| parameter.split_once('='))
            .filter(|(name, _)| name.trim().eq_ignore_ascii_case("rel"))
            .flat_map(|(_, value)| value.split([' ', ',']).map(bare).collect::<Vec<_>>())
            .filter(|relation| !relation.is_empty())
            .collect();
        found.push((target.trim().to_owned(), relations));
    }
    found
}

/// Without quotes of whatever kind.
fn bare(text: &str) -> String {
    text.trim_matches(|character: char| !character.is_ascii_alphanumeric()).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(link: &[u8]) -> Response {
        Response { status: 200, headers: vec![("link".into(), link.to_vec())], body: vec![] }
    }

    #[test]
    fn reads_links_in_every_spelling() -> Result<(), url::ParseError> {
        let base = Url::parse("https://lms.test/a?x=1")?;
        for text in [
            "<https://lms.test/b?x=1&y=2>; rel=\"next\"",
            "<https://lms.test/b?x=1&amp;y=2>; rel=\u{201c}next\u{201d}",
            "<https://lms.test/b?x=1&y=2>;rel=next",
            "</b?x=1&y=2>; title=\"a, b\"; REL='next'",
            "<https://lms.test/z>; rel=\"first\", <https://lms.test/b?x=1&y=2>; rel=\"last next\"",
        ] {
            let found = link(&response(text.as_bytes()), "next", &base);
            assert_eq!(
                found.map(String::from).as_deref(),
                Some("https://lms.test/b?x=1&y=2"),
                "{text}"
            );
        }
        // Latin-1 bytes for the quotes.
        let latin = link(&response(b"<https://lms.test/b>; rel=\x93next\x94"), "next", &base);
        assert!(latin.is_some());
        assert_eq!(link(&response(b"<https://lms.test/b>; rel=prev"), "next", &base), None);
        Ok(())
    }

    #[test]
    fn stays_at_home_and_does_not_go_in_circles() -> Result<(), Box<dyn std::error::Error>> {
        let mut pager = Pager::new(Url::parse("https://lms.test/a")?);
        assert!(pager.next(&response(b"</b>; rel=next"))?.is_some());
        assert_eq!(pager.next(&response(b"</a>; rel=next")), Err(PagingError::Loop));
        let away = pager.next(&response(b"<https://evil.test/>; rel=next"));
        assert_eq!(away, Err(PagingError::OtherOrigin { origin: "https://evil.test".into() }));
        assert_eq!(pager.next(&response(b""))?, None);
        Ok(())
    }
}
