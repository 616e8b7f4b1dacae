//! How often one address may ask: verification is public, and guessing shall stay expensive.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

/// Requests that one address may make in a [`WINDOW`].
const REQUESTS: u32 = 30;
const WINDOW: TimeDelta = TimeDelta::minutes(1);
/// More addresses than this are not remembered: bounds the memory, not the service.
const ADDRESSES: usize = 20_000;

/// Counts requests by address, in this process.
#[derive(Debug, Default)]
pub struct Limiter {
    windows: Mutex<HashMap<IpAddr, Window>>,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    began: DateTime<Utc>,
    requests: u32,
}

impl Limiter {
    /// Counts a request; `Err` tells how many seconds to wait.
    pub fn admit(&self, address: IpAddr, now: DateTime<Utc>) -> Result<(), i64> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let running = |window: &Window| now < window.began + WINDOW && now >= window.began;
        let address = neighbourhood(address);
        if windows.len() >= ADDRESSES && !windows.contains_key(&address) {
            windows.retain(|_, window| running(window));
            if windows.len() >= ADDRESSES {
                windows.clear();
            }
        }
        let fresh = Window { began: now, requests: 0 };
        let window = windows.entry(address).or_insert(fresh);
        if !running(window) {
            *window = fresh;
        }
        if window.requests >= REQUESTS {
            return Err((window.began + WINDOW - now).num_seconds().max(1));
        }
        window.requests += 1;
        Ok(())
    }
}

/// One household has many IPv6 addresses, all in one /64.
fn neighbourhood(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)))
        }
    }
}

/// Who asks: the peer, or whom a proxy in our own network says it speaks for. The last entry of
/// `X-Forwarded-For` is the one our own proxy wrote.
pub fn client(peer: IpAddr, forwarded: Option<&str>) -> IpAddr {
    let own_network = match peer.to_canonical() {
        IpAddr::V4(peer) => peer.is_loopback() || peer.is_private(),
        IpAddr::V6(peer) => peer.is_loopback() || peer.is_unique_local(),
    };
    forwarded
        .filter(|_| own_network)
        .and_then(|list| list.rsplit(',').next())
        .and_then(|entry| entry.trim().parse().ok())
        .unwrap_or(peer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn an_address_that_asks_too_often_waits_and_others_do_not() {
        let (limiter, now) = (Limiter::default(), DateTime::UNIX_EPOCH);
        for _ in 0..REQUESTS {
            assert_eq!(limiter.admit(address("192.0.2.1"), now), Ok(()));
        }
        assert_eq!(limiter.admit(address("192.0.2.1"), now), Err(60));
        assert_eq!(limiter.admit(address("192.0.2.2"), now), Ok(()));
        assert_eq!(limiter.admit(address("192.0.2.1"), now + WINDOW), Ok(()));
    }

    #[test]
    fn the_addresses_of_one_household_are_one() {
        let (limiter, now) = (Limiter::default(), DateTime::UNIX_EPOCH);
        for last in 0..REQUESTS {
            let address = address(&format!("2001:db8::{last:x}"));
            assert_eq!(limiter.admit(address, now), Ok(()));
        }
        assert!(limiter.admit(address("2001:db8::ffff"), now).is_err());
        assert_eq!(limiter.admit(address("2001:db8:0:1::1"), now), Ok(()));
    }

    #[test]
    fn only_a_proxy_of_ours_is_believed() {
        let outside = address("198.51.100.7");
        assert_eq!(client(outside, Some("203.0.113.1")), outside);
        let proxy = address("10.0.0.2");
        assert_eq!(client(proxy, Some("1.2.3.4, 203.0.113.1")), address("203.0.113.1"));
        assert_eq!(client(proxy, Some("nonsense")), proxy);
        assert_eq!(client(proxy, None), proxy);
    }
}
