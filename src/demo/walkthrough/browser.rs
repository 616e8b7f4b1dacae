//! A browser small enough to read: cookies, redirects, forms, and the headers that say who asks.
//!
//! It keeps the rules that a launch inside another site's frame meets: third-party cookies are
//! blocked unless they are partitioned, `__Host-` cookies keep their promises, and every request
//! tells its site.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderMap, LOCATION, SET_COOKIE};
use reqwest::{Client, Method};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::html::{self, Form};

const TIMEOUT: Duration = Duration::from_secs(90);
/// Longer chains of redirects are a circle.
const REDIRECTS: usize = 10;
const FORM: &str = "application/x-www-form-urlencoded";

/// One person's browser.
pub(super) struct Browser {
    client: Client,
    /// The site in the address bar. Pages of other sites are in frames of it.
    top: String,
    cookies: Vec<Cookie>,
}

struct Cookie {
    host: String,
    name: String,
    value: String,
    /// `SameSite=None`: it travels between sites.
    travels: bool,
}

/// An answer, after all redirects.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    /// Whether the last redirect followed a POST, as after a form that was accepted.
    pub(super) redirected: bool,
}

impl Answer {
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Whether the page shows this text, character references resolved.
    pub(super) fn shows(&self, text: &str) -> bool {
        html::decode(&self.text()).contains(text)
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub(super) fn json<T: DeserializeOwned>(&self) -> anyhow::Result<T> {
        serde_json::from_slice(&self.body)
            .with_context(|| format!("{} did not answer the JSON expected", self.url.path()))
    }

    /// The answer, if it has this status.
    pub(super) fn expect(self, status: u16) -> anyhow::Result<Self> {
        if self.status == status {
            return Ok(self);
        }
        let text: String = self.text().chars().take(600).collect();
        bail!("{} answered {} instead of {status}: {text}", self.url, self.status)
    }

    /// The form that goes to an address ending so.
    pub(super) fn form_to(&self, ending: &str) -> anyhow::Result<Form> {
        let forms = html::forms(&self.text());
        let goes_there = |form: &Form| {
            let action = self.target(form).map(|url| url.path().to_owned()).unwrap_or_default();
            action.ends_with(ending)
        };
        forms
            .into_iter()
            .find(goes_there)
            .with_context(|| format!("{} has no form that goes to …{ending}", self.url.path()))
    }

    /// The only form that posts.
    pub(super) fn form(&self) -> anyhow::Result<Form> {
        html::forms(&self.text())
            .into_iter()
            .find(|form| form.post)
            .with_context(|| format!("{} has no form to send", self.url.path()))
    }

    /// The first link whose path ends so.
    pub(super) fn link_to(&self, ending: &str) -> Option<Url> {
        self.links().into_iter().find(|url| url.path().ends_with(ending))
    }

    /// The first link whose path holds this.
    pub(super) fn link_with(&self, part: &str) -> Option<Url> {
        self.links().into_iter().find(|url| url.path().contains(part))
    }

    fn links(&self) -> Vec<Url> {
        let links = html::links(&self.text());
        links.iter().filter_map(|href| self.url.join(href).ok()).collect()
    }

    fn target(&self, form: &Form) -> anyhow::Result<Url> {
        match form.action.as_deref().filter(|action| !action.is_empty()) {
            Some(action) => Ok(self.url.join(action)?),
            None => Ok(self.url.clone()),
        }
    }
}

struct Request {
    method: Method,
    url: Url,
    /// The page that asks; `None`: the person typed the address or followed a link from a mail.
    from: Option<Url>,
    body: Option<(&'static str, Vec<u8>)>,
    script: bool,
}

impl Browser {
    /// A fresh browser with a page of this site in the address bar.
    pub(super) fn at(top: &str) -> anyhow::Result<Self> {
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .timeout(TIMEOUT)
            .user_agent("Walkthrough/1")
            .dns_resolver(Arc::new(Loopback))
            .build()?;
        let top = Url::parse(top)?;
        Ok(Self { client, top: site(&top), cookies: Vec::new() })
    }

    /// Opens an address that was typed, or a link from a mail.
    pub(super) async fn open(&mut self, url: &str) -> anyhow::Result<Answer> {
        let url = Url::parse(url)?;
        self.send(Request { method: Method::GET, url, from: None, body: None, script: false }).await
    }

    /// Follows a link of a page.
    pub(super) async fn follow(&mut self, page: &Url, url: Url) -> anyhow::Result<Answer> {
        let from = Some(page.clone());
        self.send(Request { method: Method::GET, url, from, body: None, script: false }).await
    }

    /// Sends a form of a page.
    pub(super) async fn submit(&mut self, page: &Answer, form: &Form) -> anyhow::Result<Answer> {
        let mut url = page.target(form)?;
        let encoded = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form.pairs())
            .finish();
        let from = Some(page.url.clone());
        if form.post {
            let body = Some((FORM, encoded.into_bytes()));
            self.send(Request { method: Method::POST, url, from, body, script: false }).await
        } else {
            url.set_query(Some(&encoded));
            self.send(Request { method: Method::GET, url, from, body: None, script: false }).await
        }
    }

    /// What a page's script sends: fields of a form.
    pub(super) async fn post_fields(
        &mut self,
        page: &Url,
        url: Url,
        fields: &[(&str, &str)],
    ) -> anyhow::Result<Answer> {
        let encoded =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let (from, body) = (Some(page.clone()), Some((FORM, encoded.into_bytes())));
        self.send(Request { method: Method::POST, url, from, body, script: true }).await
    }

    /// What a page's script sends: JSON.
    pub(super) async fn post_json(
        &mut self,
        page: &Url,
        url: Url,
        value: &Value,
    ) -> anyhow::Result<Answer> {
        let body = Some(("application/json", serde_json::to_vec(value)?));
        let from = Some(page.clone());
        self.send(Request { method: Method::POST, url, from, body, script: true }).await
    }

    async fn send(&mut self, mut request: Request) -> anyhow::Result<Answer> {
        let mut redirected = false;
        // A chain that was on another site once stays "cross-site" for those behind it.
        let mut relation = relation(request.from.as_ref(), &request.url);
        for _ in 0..=REDIRECTS {
            let response = self.once(&request, relation).await?;
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            self.keep_cookies(&request.url, &headers)?;
            let location = headers.get(LOCATION).and_then(|value| value.to_str().ok());
            let (301 | 302 | 303 | 307 | 308, Some(location)) = (status, location) else {
                let body = response.bytes().await?.to_vec();
                return Ok(Answer { status, url: request.url, headers, body, redirected });
            };
            let next = request.url.join(location)?;
            if !matches!(status, 307 | 308) {
                redirected |= request.method == Method::POST;
                request.method = Method::GET;
                request.body = None;
            }
            if site(&next) != site(&request.url) && request.from.is_some() {
                relation = "cross-site";
            }
            request.url = next;
        }
        bail!("{} leads in circles", request.url)
    }

    async fn once(
        &self,
        request: &Request,
        relation: &'static str,
    ) -> anyhow::Result<reqwest::Response> {
        let Request { method, url, from, body, script } = request;
        let dest = match (script, site(url) == self.top) {
            (true, _) => "empty",
            (false, true) => "document",
            (false, false) => "iframe",
        };
        let mut sent = self
            .client
            .request(method.clone(), url.clone())
            .header("sec-fetch-site", relation)
            .header("sec-fetch-mode", if *script { "cors" } else { "navigate" })
            .header("sec-fetch-dest", dest)
            .header("accept-language", "fr-FR,fr;q=0.9,en;q=0.5")
            .header("accept", if *script { "application/json" } else { "text/html,*/*;q=0.8" });
        if let (&Method::POST, Some(from)) = (method, from) {
            sent = sent.header("origin", from.origin().ascii_serialization());
        }
        let cookies = self.cookies_for(url, method, relation);
        if !cookies.is_empty() {
            sent = sent.header("cookie", cookies);
        }
        if let Some((media_type, bytes)) = body {
            sent = sent.header("content-type", *media_type).body(bytes.clone());
        }
        sent.send().await.with_context(|| format!("{method} {url} got no answer"))
    }

    /// `Cookie` for this request: in another site's frame, and with its POSTs, only what travels.
    fn cookies_for(&self, url: &Url, method: &Method, relation: &str) -> String {
        let host = url.host_str().unwrap_or_default();
        let foreign =
            site(url) != self.top || (relation == "cross-site" && *method == Method::POST);
        let sent = self.cookies.iter().filter(|c| c.host == host && (c.travels || !foreign));
        sent.map(|cookie| format!("{}={}", cookie.name, cookie.value))
            .collect::<Vec<_>>()
            .join("; ")
    }

    fn keep_cookies(&mut self, url: &Url, headers: &HeaderMap) -> anyhow::Result<()> {
        for header in headers.get_all(SET_COOKIE) {
            let header = header.to_str()?;
            let mut parts = header.split(';').map(str::trim);
            let pair = parts.next().unwrap_or_default();
            let (name, value) = pair
                .split_once('=')
                .with_context(|| format!("{url} set a cookie without \"=\""))?;
            let attributes: Vec<String> = parts.map(str::to_ascii_lowercase).collect();
            let has = |wanted: &str| attributes.iter().any(|attribute| attribute == wanted);
            let (secure, travels) = (has("secure"), has("samesite=none"));
            if name.starts_with("__Host-") {
                let domain = attributes.iter().any(|attribute| attribute.starts_with("domain"));
                ensure!(
                    secure && has("path=/") && !domain,
                    "{name} breaks what its prefix promises"
                );
            }
            ensure!(!travels || secure, "{name} is SameSite=None and not Secure");
            ensure!(!secure || is_trustworthy(url), "{name} is Secure on a page that is not");
            let host = url.host_str().unwrap_or_default();
            self.cookies.retain(|cookie| cookie.host != host || cookie.name != name);
            // Third-party cookies are blocked, as browsers begin to do, unless they are partitioned.
            let blocked = site(url) != self.top && !(travels && has("partitioned"));
            if !blocked && !has("max-age=0") {
                let (host, name, value) = (host.to_owned(), name.to_owned(), value.to_owned());
                self.cookies.push(Cookie { host, name, value, travels });
            }
        }
        Ok(())
    }
}

/// `Sec-Fetch-Site`.
fn relation(from: Option<&Url>, to: &Url) -> &'static str {
    match from {
        None => "none",
        Some(from) if from.origin() == to.origin() => "same-origin",
        Some(from) if site(from) == site(to) => "same-site",
        Some(_) => "cross-site",
    }
}

/// The site of an address: on loopback every `*.localhost` is one.
fn site(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let host = if host.ends_with(".localhost") { "localhost" } else { host };
    format!("{}://{host}", url.scheme())
}

/// Where `Secure` cookies may be set: over TLS, and on loopback.
fn is_trustworthy(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    url.scheme() == "https"
        || host == "127.0.0.1"
        || host == "localhost"
        || host.ends_with(".localhost")
}

/// Every name is here: browsers resolve `*.localhost` by themselves, and so does this one.
struct Loopback;

impl Resolve for Loopback {
    fn resolve(&self, _: Name) -> Resolving {
        let here = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Box::pin(std::future::ready(Ok(Box::new(std::iter::once(here)) as Addrs)))
    }
}
