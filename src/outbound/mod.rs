//! The one outbound client, for every address that came from somebody else.
//!
//! Public addresses only, pinned after resolution (a name cannot answer one address to the check
//! and another to the connection), no redirects, limits on time and size, our `User-Agent`.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

const TIMEOUT: Duration = Duration::from_secs(15);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// No answer that we read is larger: a roster page, a key set.
const ANSWER_LIMIT: usize = 4 * 1024 * 1024;

/// Sends requests to addresses that are not ours. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Outbound {
    client: reqwest::Client,
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
    pub fn new(allow_private: bool) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .user_agent(concat!("Passerelle/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .dns_resolver(Arc::new(PublicOnly { allow_private }))
            .build()?;
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
        let url = url::Url::parse(url).map_err(|_| OutboundError::Scheme(url.to_owned()))?;
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
        let method = reqwest::Method::from_bytes(method.as_bytes())
            .map_err(|_| OutboundError::Header(method.to_owned()))?;
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let header = HeaderName::from_bytes(name.as_bytes())
                .ok()
                .zip(HeaderValue::from_str(value).ok())
                .ok_or_else(|| OutboundError::Header(name.clone()))?;
            map.append(header.0, header.1);
        }
        let mut request = self.client.request(method, url).headers(map);
        if !body.is_empty() {
            request = request.body(body);
        }
        let response = request.send().await.map_err(|error| explain(&host, &error))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut whole = BytesMut::new();
        let mut pieces = response.bytes_stream();
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|error| explain(&host, &error))?;
            if whole.len() + piece.len() > ANSWER_LIMIT {
                return Err(OutboundError::TooLarge { host });
            }
            whole.extend_from_slice(&piece);
        }
        Ok(Answer { status, headers, body: whole.freeze() })
    }
}

fn explain(host: &str, error: &reqwest::Error) -> OutboundError {
    if error.is_timeout() {
        return OutboundError::Timeout { host: host.to_owned() };
    }
    // The innermost cause says what happened; the outer ones repeat the URL, which may carry ids.
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    OutboundError::Unreachable { host: host.to_owned(), reason: cause.to_string() }
}

#[derive(Debug)]
struct PublicOnly {
    allow_private: bool,
}

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0))
                .await?
                .filter(|address| allow_private || is_public(address.ip()))
                .collect();
            if found.is_empty() {
                return Err(OutboundError::Private(name.as_str().to_owned()).into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
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
}
