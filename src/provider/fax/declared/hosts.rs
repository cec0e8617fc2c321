//! Where a described provider may be called: hosts that its description names, over https, at public addresses. A name
//! that leads to a private address when it is looked up (DNS rebinding) is not connected to, unless it is named as private.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// The hosts that a description names, in lower case.
#[derive(Debug, Clone, Default)]
pub struct Hosts {
    /// Over https, at public addresses.
    pub public: BTreeSet<String>,
    /// Also over http, at any address.
    pub private: BTreeSet<String>,
}

impl Hosts {
    /// An address that may be called.
    ///
    /// # Errors
    /// What is wrong with it, for the person who writes the description.
    pub fn admit(&self, text: &str) -> Result<Url, String> {
        let url =
            Url::parse(text).map_err(|_| "write a whole address such as \"https://api.example.com/v1\"".to_owned())?;
        let plain =
            url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
        if !plain {
            return Err("an address has no user, no ? and no # here".to_owned());
        }
        let host = url.host().ok_or_else(|| "there is no host in this address".to_owned())?;
        let name = host.to_string().to_ascii_lowercase();
        let is_private = self.private.contains(&name);
        if !is_private && !self.public.contains(&name) {
            return Err(format!("{name} is not among the hosts: add it to hosts"));
        }
        if !is_private && is_literal_inside(&host) {
            return Err(format!("{name} is a private address: if it is meant, name it in private_hosts"));
        }
        match (url.scheme(), is_private) {
            ("https", _) | ("http", true) => Ok(url),
            ("http", false) => Err("write https: only hosts in private_hosts are called over http".to_owned()),
            _ => Err("write an address that begins with https://".to_owned()),
        }
    }

    /// The client's resolver that keeps to it.
    #[must_use]
    pub fn resolver(&self) -> Arc<dyn Resolve> {
        Arc::new(Guarded(self.clone()))
    }
}

/// Whether a host is written as an address that is not public.
fn is_literal_inside(host: &Host<&str>) -> bool {
    match host {
        Host::Ipv4(address) => !is_public(IpAddr::V4(*address)),
        Host::Ipv6(address) => !is_public(IpAddr::V6(*address)),
        Host::Domain(_) => false,
    }
}

/// Looks names up and passes on only what may be connected to.
struct Guarded(Hosts);

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_ascii_lowercase();
        let is_private = self.0.private.contains(&host);
        let is_named = is_private || self.0.public.contains(&host);
        Box::pin(async move {
            if !is_named {
                return Err("the host is not among those of the description".into());
            }
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host.as_str(), 0)).await?.collect();
            let allowed = allowed(found, is_private);
            if allowed.is_empty() {
                return Err("the host has no address that may be connected to".into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

fn allowed(found: Vec<SocketAddr>, is_private: bool) -> Vec<SocketAddr> {
    found.into_iter().filter(|address| is_private || is_public(address.ip())).collect()
}

/// Whether an address belongs to the public Internet (IANA special-purpose registries, RFC 6890).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let reserved = matches!(a, 0 | 10 | 127 | 224..=255);
    let inside = matches!((a, b), (100, 64..=127) | (169, 254) | (172, 16..=31) | (192, 168) | (198, 18 | 19));
    let examples = matches!((a, b, c), (192, 0, 0 | 2) | (192, 88, 99) | (198, 51, 100) | (203, 0, 113));
    !(reserved || inside || examples)
}

/// Only global unicast (2000::/3) without the ranges that carry an IPv4 address or are for documentation. An address
/// that carries one is judged by it.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let parts = address.segments();
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match parts {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => v4(high, low),
        [0x2002, high, low, ..] => v4(high, low),
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts() -> Hosts {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Hosts { public: set(&["api.acme.example", "10.0.0.7"]), private: set(&["fax.lan", "127.0.0.1", "[::1]"]) }
    }

    #[test]
    fn only_named_hosts_are_called_and_only_private_ones_without_tls() {
        for good in [
            "https://api.acme.example/v2",
            "https://API.acme.example",
            "http://fax.lan:8080/",
            "http://127.0.0.1:9",
            "http://[::1]/x",
        ] {
            assert!(hosts().admit(good).is_ok(), "{good}");
        }
        for (bad, why) in [
            ("http://api.acme.example", "https"),
            ("https://evil.example", "not among the hosts"),
            ("https://api.acme.example.evil.example", "not among"),
            ("https://api.acme.example@evil.example/", "no user"),
            ("https://api.acme.example/?a=b", "no ?"),
            ("https://10.0.0.7/", "private address"),
            ("https://167772167/", "private address"),
            ("ftp://fax.lan/", "https://"),
            ("api.acme.example", "whole address"),
        ] {
            let refused = hosts().admit(bad).expect_err(bad);
            assert!(refused.contains(why), "{bad}: {refused}");
        }
    }

    #[test]
    fn special_addresses_are_not_public() {
        for inside in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.31.0.1",
            "192.0.0.1",
            "192.168.1.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:a00:1::1",
            "2001:db8::1",
            "::127.0.0.1",
        ] {
            assert!(!is_public(inside.parse().expect("an address")), "{inside}");
        }
        for outside in [
            "1.1.1.1",
            "172.32.0.1",
            "100.128.0.1",
            "192.167.1.1",
            "2606:4700::1111",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
        ] {
            assert!(is_public(outside.parse().expect("an address")), "{outside}");
        }
    }

    #[test]
    fn a_name_that_leads_inside_leads_nowhere() {
        let found: Vec<SocketAddr> =
            ["127.0.0.1:0", "1.1.1.1:0", "[::1]:0"].iter().map(|text| text.parse().expect("one")).collect();
        assert_eq!(allowed(found.clone(), false).len(), 1);
        assert_eq!(allowed(found.clone(), true).len(), 3);
        assert!(allowed(found[..1].to_vec(), false).is_empty());
    }

    #[tokio::test]
    async fn the_resolver_refuses_a_public_name_at_a_loopback_address() {
        let hosts = Hosts { public: BTreeSet::from(["localhost".to_owned()]), private: BTreeSet::new() };
        let name = |text: &str| text.parse::<Name>().expect("a name");
        assert!(hosts.resolver().resolve(name("localhost")).await.is_err());
        assert!(hosts.resolver().resolve(name("elsewhere.example")).await.is_err());
        let named = Hosts { private: BTreeSet::from(["localhost".to_owned()]), ..Hosts::default() };
        assert!(named.resolver().resolve(name("localhost")).await.is_ok());
    }
}
