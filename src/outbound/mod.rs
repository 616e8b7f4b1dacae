//! The one outbound client, for every address that came from somebody else.
//!
//! Public addresses only, pinned after resolution (a name cannot answer one address to the check
//! and another to the connection), no redirects, limits on time and size, our `User-Agent`.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt as _, Full};
use hyper::header::{HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use hyper::{Method, Request, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls_platform_verifier::BuilderVerifierExt as _;
use tower_service::Service;

pub use rustls::Error as TlsError;

const TIMEOUT: Duration = Duration::from_secs(15);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// No answer that we read is larger: a roster page, a key set.
const ANSWER_LIMIT: usize = 4 * 1024 * 1024;
const OUR_NAME: &str = concat!("Passerelle/", env!("CARGO_PKG_VERSION"));

/// Sends requests to addresses that are not ours. Cheap to clone.
///
/// Hyper's own client, and not reqwest's: that one adds `Accept: */*` to what has none, cannot be
/// told not to, and Moodle answers 400 to it in places.
#[derive(Clone, Debug)]
pub struct Outbound {
    client: Client<HttpsConnector<HttpConnector<PublicOnly>>, Full<Bytes>>,
    allow_private: bool,
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    #[error("{0} is not an http or https address")]
    Scheme(String),
    #[error("{0} is a private or loopback address, which this installation does not call")]
    Private(String),
    #[error("a header of the request cannot be sent: {0}")]
    Header(String),
    #[error("{host} did not answer in time")]
    Timeout { host: String },
    #[error("{host} cannot be reached: {reason}")]
    Unreachable { host: String, reason: String },
    #[error("the answer of {host} is larger than {ANSWER_LIMIT} bytes")]
    TooLarge { host: String },
}

impl Outbound {
    /// `allow_private` lets calls reach private and loopback addresses.
    pub fn new(allow_private: bool) -> Result<Self, TlsError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_platform_verifier()?
            .with_no_client_auth();
        let mut http = HttpConnector::new_with_resolver(PublicOnly { allow_private });
        http.set_connect_timeout(Some(CONNECT_TIMEOUT));
        http.set_nodelay(true);
        http.enforce_http(false);
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .enable_http2()
            .wrap_connector(http);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_mins(1))
            .build(https);
        Ok(Self { client, allow_private })
    }

    pub async fn get(&self, url: &str, accept: &str) -> Result<Answer, OutboundError> {
        let headers = [("Accept".to_owned(), accept.to_owned())];
        self.send("GET", url, &headers, Vec::new()).await
    }

    /// Sends one request; `headers` are exactly what goes out besides `Host`, `User-Agent` and
    /// lengths (no `Accept` is added: Moodle refuses `*/*` in places).
    pub async fn send(
        &self,
        method: &str,
        url: &str,
        headers: &[(String, String)],
        body: Vec<u8>,
    ) -> Result<Answer, OutboundError> {
        let mut url = url::Url::parse(url).map_err(|_| OutboundError::Scheme(url.to_owned()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(OutboundError::Scheme(url.to_string()));
        }
        // Host names are checked by the resolver; an address in the URL never reaches it.
        let literal = match url.host() {
            Some(url::Host::Ipv4(ip)) => Some(IpAddr::V4(ip)),
            Some(url::Host::Ipv6(ip)) => Some(IpAddr::V6(ip)),
            _ => None,
        };
        if literal.is_some_and(|ip| !self.allow_private && !is_public(ip)) {
            return Err(OutboundError::Private(url.host_str().unwrap_or_default().to_owned()));
        }
        let host = url.host_str().unwrap_or_default().to_owned();
        // Neither is sent, and an address with either is not what hyper calls one.
        url.set_fragment(None);
        let _ = url.set_username("").and_then(|()| url.set_password(None));
        let uri: Uri =
            url.as_str().parse().map_err(|_| OutboundError::Scheme(url.scheme().to_owned()))?;
        let method = Method::from_bytes(method.as_bytes())
            .map_err(|_| OutboundError::Header(method.to_owned()))?;
        let mut request = Request::new(Full::new(Bytes::from(body)));
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        let map = request.headers_mut();
        map.insert(USER_AGENT, HeaderValue::from_static(OUR_NAME));
        for (name, value) in headers {
            let header = HeaderName::from_bytes(name.as_bytes())
                .ok()
                .zip(HeaderValue::from_str(value).ok())
                .ok_or_else(|| OutboundError::Header(name.clone()))?;
            map.append(header.0, header.1);
        }
        tokio::time::timeout(TIMEOUT, self.exchange(request, &host))
            .await
            .unwrap_or_else(|_| Err(OutboundError::Timeout { host: host.clone() }))
    }

    async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
        host: &str,
    ) -> Result<Answer, OutboundError> {
        let sent = self.client.request(request).await;
        let (parts, mut body) = sent.map_err(|error| explain(host, &error))?.into_parts();
        let mut whole = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| explain(host, &error))?;
            let Ok(piece) = frame.into_data() else { continue };
            if whole.len() + piece.len() > ANSWER_LIMIT {
                return Err(OutboundError::TooLarge { host: host.to_owned() });
            }
            whole.extend_from_slice(&piece);
        }
        let (status, headers) = (parts.status.as_u16(), parts.headers);
        Ok(Answer { status, headers, body: whole.freeze() })
    }
}

fn explain(host: &str, error: &(dyn std::error::Error + 'static)) -> OutboundError {
    // The innermost cause says what happened; the outer ones say that something did.
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let timed_out = cause
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == std::io::ErrorKind::TimedOut);
    if timed_out {
        return OutboundError::Timeout { host: host.to_owned() };
    }
    OutboundError::Unreachable { host: host.to_owned(), reason: cause.to_string() }
}

/// Finds public addresses only, for the connection itself: what was checked is what is called.
#[derive(Clone, Copy, Debug)]
struct PublicOnly {
    allow_private: bool,
}

impl Service<Name> for PublicOnly {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = Box<dyn std::error::Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0))
                .await?
                .filter(|address| allow_private || is_public(address.ip()))
                .collect();
            if found.is_empty() {
                return Err(OutboundError::Private(name.as_str().to_owned()).into());
            }
            Ok(found.into_iter())
        })
    }
}

/// Reachable by everybody: not loopback, private, link-local, shared, documentation, multicast or
/// reserved (RFC 6890), nor an IPv6 form that hides such an IPv4 address.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            let shared = a == 100 && (64..128).contains(&b);
            let protocol = a == 192 && b == 0 && c == 0;
            let benchmark = a == 198 && (b == 18 || b == 19);
            !(v4.is_loopback()
                || v4.is_private()
                || v4.is_link_local()
                || v4.is_documentation()
                || v4.is_multicast()
                || shared
                || protocol
                || benchmark
                || a == 0
                || a >= 240)
        }
        IpAddr::V6(v6) => {
            if let Some(v4) = v6.to_ipv4_mapped() {
                return is_public(IpAddr::V4(v4));
            }
            let [first, second, ..] = v6.segments();
            let embeds_v4 = first == 0x2002 || (first == 0x64 && second == 0xff9b);
            let documentation = first == 0x2001 && second == 0xdb8;
            !(v6.is_loopback()
                || v6 == Ipv6Addr::UNSPECIFIED
                || v6.is_multicast()
                || v6.is_unique_local()
                || v6.is_unicast_link_local()
                || embeds_v4
                || documentation
                || first == 0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inside_addresses_are_not_public() {
        for ip in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "2002:7f00:1::",
            "64:ff9b::7f00:1",
        ] {
            assert!(!is_public(ip.parse().expect("an address")), "{ip}");
        }
        for ip in ["8.8.8.8", "193.49.159.1", "2001:660:7301::1"] {
            assert!(is_public(ip.parse().expect("an address")), "{ip}");
        }
    }

    #[tokio::test]
    async fn a_loopback_address_is_not_called_by_number_nor_by_name() {
        let outbound = Outbound::new(false).expect("a client");
        for url in ["http://127.0.0.1:9/", "http://[::1]:9/", "http://0x7f.1:9/"] {
            let refused = outbound.get(url, "*/*").await;
            assert!(matches!(refused, Err(OutboundError::Private(_))), "{url}: {refused:?}");
        }
        let refused = outbound.get("http://localhost:9/", "*/*").await;
        assert!(matches!(refused, Err(OutboundError::Unreachable { .. })), "{refused:?}");
        let refused = outbound.get("file:///etc/passwd", "*/*").await;
        assert!(matches!(refused, Err(OutboundError::Scheme(_))));
    }

    #[tokio::test]
    async fn nothing_goes_out_that_was_not_asked_for() {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let server = tokio::spawn(async move {
            let mut heard = Vec::new();
            for _ in 0..2 {
                let (mut socket, _) = listener.accept().await.expect("a call");
                let mut bytes = vec![0; 4096];
                let mut text = String::new();
                while !text.contains("\r\n\r\n") {
                    let count = socket.read(&mut bytes).await.expect("a request");
                    text.push_str(&String::from_utf8_lossy(&bytes[..count]));
                }
                let answer = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
                socket.write_all(answer).await.expect("an answer");
                heard.push(text.to_lowercase());
            }
            heard
        });
        let outbound = Outbound::new(true).expect("a client");
        let url = format!("http://user:pass@{address}/scores?type_id=1#x");
        let sent = [("Content-Type".to_owned(), "application/json".to_owned())];
        let answer = outbound.send("POST", &url, &sent, b"{}".to_vec()).await.expect("204");
        assert_eq!(answer.status, 204);
        outbound.get(&url, "application/x-own").await.expect("204");
        let heard = server.await.expect("no panic");
        let names = |text: &str| -> Vec<String> {
            let lines = text.lines().skip(1).take_while(|line| !line.is_empty());
            let mut names: Vec<String> =
                lines.filter_map(|line| Some(line.split_once(':')?.0.to_owned())).collect();
            names.sort();
            names
        };
        assert_eq!(names(&heard[0]), ["content-length", "content-type", "host", "user-agent"]);
        assert_eq!(names(&heard[1]), ["accept", "host", "user-agent"]);
        assert!(heard[0].starts_with("post /scores?type_id=1 http/1.1"), "{}", heard[0]);
        assert!(heard[1].contains("accept: application/x-own"), "{}", heard[1]);
    }
}
