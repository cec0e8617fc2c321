//! Who is at the other end: the connection's peer, or, where that is a trusted proxy, whom the proxy names.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use ipnet::IpNet;

use super::WebState;
use crate::config::ServerConfig;

/// In which header a proxy names the peer it speaks for. Each one on the way adds its own to the right.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The proxies that are believed when they name their peer.
#[derive(Debug, Clone, Default)]
pub(super) struct Proxies(Vec<IpNet>);

impl Proxies {
    pub(super) const fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    pub(super) fn of(config: &ServerConfig) -> Self {
        Self::new(config.trusted_proxies.clone())
    }

    /// Whether that is one of them.
    pub(super) fn trust(&self, peer: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&peer.to_canonical()))
    }

    /// From right to left, the first that is no trusted proxy: everything to its left is what that one claims.
    fn speak_for(&self, peer: IpAddr, named: &[&str]) -> IpAddr {
        let mut peer = peer.to_canonical();
        for name in named.iter().rev().flat_map(|line| line.rsplit(',')) {
            if !self.trust(peer) {
                break;
            }
            let Ok(next) = name.trim().parse::<IpAddr>() else { break };
            peer = next.to_canonical();
        }
        peer
    }
}

/// The peer of a request, as far as it can be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Peer(pub(super) IpAddr);

impl FromRequestParts<WebState> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Infallible> {
        let connected = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let connected = connected.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(peer)| peer.ip());
        let named = parts.headers.get_all(FORWARDED_FOR).iter().filter_map(|line| line.to_str().ok());
        let proxies = Proxies::of(&state.gateway.config.server);
        Ok(Self(proxies.speak_for(connected, &named.collect::<Vec<_>>())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn only_a_trusted_proxy_is_believed_and_only_what_it_added() {
        let proxies = Proxies::new(vec!["10.0.0.0/8".parse().expect("a network"), IpNet::from(ip("127.0.0.1"))]);
        for (peer, named, expected) in [
            ("198.51.100.7", vec![], "198.51.100.7"),
            ("198.51.100.7", vec!["192.0.2.1"], "198.51.100.7"),
            ("10.0.0.1", vec!["192.0.2.1"], "192.0.2.1"),
            ("::ffff:10.0.0.1", vec!["192.0.2.1"], "192.0.2.1"),
            ("10.0.0.1", vec!["203.0.113.9, 192.0.2.1"], "192.0.2.1"),
            ("127.0.0.1", vec!["203.0.113.9, 192.0.2.1, 10.2.3.4"], "192.0.2.1"),
            ("127.0.0.1", vec!["203.0.113.9", "192.0.2.1,10.2.3.4"], "192.0.2.1"),
            ("10.0.0.1", vec!["2001:db8::5"], "2001:db8::5"),
            ("10.0.0.1", vec!["unknown"], "10.0.0.1"),
            ("10.0.0.1", vec![""], "10.0.0.1"),
            ("10.0.0.1", vec![], "10.0.0.1"),
        ] {
            assert_eq!(proxies.speak_for(ip(peer), &named), ip(expected), "{peer} {named:?}");
        }
    }
}
