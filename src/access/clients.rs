//! How often one client may try to log in, over all names: by the limiter `governor` (decision 35), in memory that does not
//! grow with the number of clients.

use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

/// Tries that a client may make at once, after some minutes of rest.
const AT_ONCE: NonZeroU32 = NonZeroU32::new(30).expect("thirty is not zero");
/// Tries that a client may go on to make in each minute.
const A_MINUTE: NonZeroU32 = NonZeroU32::new(6).expect("six is not zero");
/// Counters in all. Clients are spread over them by a hash that nobody outside knows, so that no flood of addresses takes
/// more memory or has a counter forgotten. Two clients seldom share one.
const COUNTERS: u64 = 65_536;

/// Who tries, as far as strangers can be told apart: an IPv4 address, or an IPv6 network of 64 bits, which is what one
/// connection to the Internet has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Client(IpAddr);

impl Client {
    pub(super) fn of(peer: IpAddr) -> Self {
        Self(match peer.to_canonical() {
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
            }
            address => address,
        })
    }
}

type Limiter<C> = RateLimiter<u64, HashMapStateStore<u64>, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// The tries of every client.
#[derive(Debug)]
pub(super) struct Clients<C: Clock = MonotonicClock> {
    limiter: Limiter<C>,
    spread: RandomState,
    clock: C,
}

impl Default for Clients {
    fn default() -> Self {
        Self::new(MonotonicClock)
    }
}

impl<C: Clock + Clone> Clients<C> {
    fn new(clock: C) -> Self {
        let quota = Quota::per_minute(A_MINUTE).allow_burst(AT_ONCE);
        Self { limiter: RateLimiter::hashmap_with_clock(quota, clock.clone()), spread: RandomState::new(), clock }
    }

    /// Counts a try.
    ///
    /// # Errors
    /// How long to wait, if there were too many.
    pub(super) fn count(&self, client: Client) -> Result<(), Duration> {
        let counter = self.spread.hash_one(client) % COUNTERS;
        self.limiter.check_key(&counter).map_err(|refused| refused.wait_time_from(self.clock.now()))
    }
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    fn client(address: &str) -> Client {
        Client::of(address.parse().expect("an address"))
    }

    #[test]
    fn a_client_tries_thirty_times_and_then_once_in_ten_seconds_whatever_others_do() {
        let clock = FakeRelativeClock::default();
        let clients = Clients::new(clock.clone());
        let stranger = client("198.51.100.7");
        for _ in 0..30 {
            assert_eq!(clients.count(stranger), Ok(()));
        }
        assert_eq!(clients.count(stranger), Err(Duration::from_secs(10)));
        for number in 0..200_000_u32 {
            let _ = clients.count(Client::of(IpAddr::V4(number.into())));
        }
        assert!(clients.count(stranger).is_err(), "no flood of others has it forgotten");
        assert!(clients.limiter.len() <= usize::try_from(COUNTERS).expect("it fits"));
        clock.advance(Duration::from_secs(10));
        assert_eq!(clients.count(stranger), Ok(()));
        assert!(clients.count(stranger).is_err());
    }

    #[test]
    fn a_client_of_ipv6_is_its_network() {
        assert_eq!(client("2001:db8:1:2:3:4:5:6"), client("2001:db8:1:2::9"));
        assert_ne!(client("2001:db8:1:2::9"), client("2001:db8:1:3::9"));
        assert_eq!(client("::ffff:192.0.2.1"), client("192.0.2.1"));
        assert_ne!(client("192.0.2.1"), client("192.0.2.2"));
    }
}
