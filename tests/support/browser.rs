//! A browser reduced to what the service can tell: its cookies and where its requests come from.

use std::collections::BTreeMap;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use passerelle::app::App;
use passerelle::router;
use serde_json::Value;
use tower::ServiceExt as _;

/// Larger than any answer of the service.
const LIMIT: usize = 64 * 1024 * 1024;

#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("ASCII"))
    }

    pub(crate) fn location(&self) -> &str {
        self.header("location").unwrap_or_else(|| panic!("{}: {}", self.status, self.text()))
    }

    /// The hidden field that the page's forms carry.
    pub(crate) fn form_token(&self) -> String {
        let text = self.text();
        let marks = ["name=\"form_token\" value=\"", "data-token=\""];
        let token = marks.iter().find_map(|mark| text.split(mark).nth(1)?.split('"').next());
        token.unwrap_or_else(|| panic!("no form token: {text}")).to_owned()
    }

    /// The code of the refusal, for a browser that asks for JSON.
    pub(crate) fn problem(&self) -> String {
        self.json()["error"].as_str().unwrap_or_default().to_owned()
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{:?}\n{}", self.headers, self.text());
        self
    }
}

/// Sends one request to a router.
pub(crate) async fn send(router: Router, request: Request<Body>) -> Answer {
    let response = router.oneshot(request).await.expect("routers do not fail");
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, LIMIT).await.expect("a whole body");
    Answer { status: parts.status, headers: parts.headers, body }
}

pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// Where a request comes from, as the browser says it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum From<'a> {
    OwnPage,
    /// Another site, with its origin.
    Site(&'a str),
    /// A client that says nothing.
    Unsaid,
}

#[derive(Clone)]
pub(crate) struct Browser {
    app: App,
    pub(crate) cookies: BTreeMap<String, String>,
    pub(crate) language: &'static str,
    /// Third-party cookies are blocked and partitioned ones unknown: nothing comes back.
    pub(crate) drops_cookies: bool,
    /// It asks for JSON: refusals come with their code.
    pub(crate) wants_json: bool,
}

impl Browser {
    pub(crate) fn new(app: App) -> Self {
        Self {
            app,
            cookies: BTreeMap::new(),
            language: "fr",
            drops_cookies: false,
            wants_json: false,
        }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.request(Method::GET, path, From::OwnPage, None).await
    }

    /// A form of one of the service's own pages.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.request(Method::POST, path, From::OwnPage, Some(form(fields))).await
    }

    /// A form that another site's page sends.
    pub(crate) async fn post_from(
        &mut self,
        site: &str,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Answer {
        self.request(Method::POST, path, From::Site(site), Some(form(fields))).await
    }

    /// A page loaded into a window or a frame (`document`, `iframe`), led there from `site`.
    pub(crate) async fn navigate(&mut self, path: &str, site: &str, destination: &str) -> Answer {
        let fields = [("sec-fetch-site", site), ("sec-fetch-dest", destination)];
        self.request_with(Method::GET, path, From::Unsaid, None, &fields).await
    }

    pub(crate) async fn request(
        &mut self,
        method: Method,
        path: &str,
        from: From<'_>,
        body: Option<String>,
    ) -> Answer {
        self.request_with(method, path, from, body, &[]).await
    }

    async fn request_with(
        &mut self,
        method: Method,
        path: &str,
        from: From<'_>,
        body: Option<String>,
        fields: &[(&str, &str)],
    ) -> Answer {
        let own = self.app.config.origin();
        let mut request = Request::builder()
            .method(method.clone())
            .uri(path.strip_prefix(&own).unwrap_or(path))
            .header(header::HOST, own.trim_start_matches("http://"))
            .header(header::ACCEPT_LANGUAGE, self.language);
        if !self.cookies.is_empty() {
            let pairs = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
            request = request.header(header::COOKIE, pairs.collect::<Vec<_>>().join("; "));
        }
        if self.wants_json {
            request = request.header(header::ACCEPT, "application/json");
        }
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let origin = match from {
            From::OwnPage => Some(("same-origin", own.as_str())),
            From::Site(site) => Some(("cross-site", site)),
            From::Unsaid => None,
        };
        if let Some((site, origin)) = origin {
            request = request.header("sec-fetch-site", site);
            if method != Method::GET {
                request = request.header(header::ORIGIN, origin);
            }
        }
        if body.is_some() {
            let form = "application/x-www-form-urlencoded";
            request = request.header(header::CONTENT_TYPE, form);
        }
        let request = request.body(Body::from(body.unwrap_or_default())).expect("a request");
        let answer = send(router::pages(self.app.clone()), request).await;
        if !self.drops_cookies {
            self.keep_cookies(&answer);
        }
        answer
    }

    fn keep_cookies(&mut self, answer: &Answer) {
        for set in answer.headers.get_all(header::SET_COOKIE) {
            let set = set.to_str().expect("ASCII");
            let pair = set.split(';').next().and_then(|pair| pair.split_once('='));
            let (name, value) = pair.expect("a cookie");
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }
}
