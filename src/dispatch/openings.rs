//! Openings: for which accounts there is room now, so that nothing is claimed that would only wait for an account, and the
//! messages of one account never stand in the way of another's.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::slots::Slots;
use crate::accounts::routes::Parcel;
use crate::accounts::{Accounts, ConfiguredAccount, Ready};
use crate::domain::provider_state::ProviderState;
use crate::domain::{Lane, RouteKey, Timestamp};
use crate::queue::{Lanes, Opening};

/// Of messages that no account may take now, because all are paused or have used up their budget or quota, so many are looked at in
/// each second: what each waits for is recorded, and its time to give up is moved.
const LOOKED_AT: usize = 16;
const LOOKED_AT_EVERY: Duration = Duration::from_secs(1);
/// Messages claimed at once for which there is no account: the gate holds them.
const UNROUTED: usize = 64;

/// NodeRoom in this node.
#[derive(Debug, Clone, Copy)]
pub(super) struct NodeRoom<'a> {
    /// For which lanes.
    pub lanes: Lanes,
    /// For how many messages.
    pub free: usize,
    /// Where what each group takes is counted, if it is.
    pub slots: Option<&'a Slots>,
}

/// What is remembered from one claim to the next.
#[derive(Debug, Default)]
pub(super) struct Openings {
    looked_at: Mutex<HashMap<String, Timestamp>>,
    turn: AtomicUsize,
}

/// The openings of a moment.
#[derive(Debug, Default)]
pub(super) struct Now {
    pub openings: Vec<Opening>,
    /// How long until an account that is at its rate may be used again, the soonest of all.
    pub soonest: Option<Duration>,
}

/// Accounts that the same messages compete for, and the pools of those messages.
#[derive(Debug, Default)]
struct Group<'a> {
    accounts: Vec<&'a ConfiguredAccount>,
    pools: Vec<String>,
}

/// Which messages compete with each other, in one word: the names of the accounts on their route. Empty if there is none.
pub(super) fn group_of(accounts: &Accounts, pool: &str) -> String {
    names(&route(accounts, pool))
}

fn names(accounts: &[&ConfiguredAccount]) -> String {
    accounts.iter().map(|account| account.layered.name()).collect::<Vec<_>>().join(",")
}

fn route<'a>(accounts: &'a Accounts, pool: &str) -> Vec<&'a ConfiguredAccount> {
    let key = pool.parse::<RouteKey>().ok();
    key.map(|key| accounts.route(&Parcel { key, pages: None }).collect()).unwrap_or_default()
}

/// What some accounts can take.
enum Capacity {
    /// So many messages of these lanes.
    Takes(Lanes, usize),
    /// Nothing for so long: the rate is used up.
    TooFast(Duration),
    /// Nothing until something changes.
    Closed,
}

impl Openings {
    /// What may be claimed of these pools. No group is always asked first.
    pub(super) fn of(
        &self,
        accounts: &Accounts,
        states: &[ProviderState],
        pools: Vec<String>,
        room: NodeRoom<'_>,
        now: Timestamp,
    ) -> Now {
        let mut groups: BTreeMap<String, Group<'_>> = BTreeMap::new();
        for pool in pools {
            let route = route(accounts, &pool);
            let group = groups.entry(names(&route)).or_default();
            group.accounts = route;
            group.pools.push(pool);
        }
        let mut found = Now::default();
        for (name, group) in &groups {
            let most = room.slots.map_or(room.free, |slots| slots.room_of(name).min(room.free));
            let (lanes, limit) = match capacity(&group.accounts, states, now) {
                Capacity::Takes(lanes, takes) => (lanes, takes.min(most)),
                Capacity::TooFast(wait) => {
                    found.soonest = Some(found.soonest.map_or(wait, |other| other.min(wait)));
                    continue;
                }
                Capacity::Closed => (Lanes::All, self.looks_at(name, now).min(most)),
            };
            let lanes = if room.lanes == Lanes::Urgent { Lanes::Urgent } else { lanes };
            if limit > 0 {
                found.openings.push(Opening { pools: group.pools.clone(), lanes, limit });
            }
        }
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % found.openings.len().max(1);
        found.openings.rotate_left(turn);
        found
    }

    /// How many messages of a group are looked at now for which no account is open.
    fn looks_at(&self, group: &str, now: Timestamp) -> usize {
        let mut looked_at = self.looked_at.lock().unwrap_or_else(PoisonError::into_inner);
        let next = looked_at.entry(group.to_owned()).or_default();
        // A clock that was set back makes it look at once.
        if now < *next && next.since(now) <= LOOKED_AT_EVERY {
            return 0;
        }
        *next = now.after(LOOKED_AT_EVERY);
        LOOKED_AT
    }
}

/// What these accounts can take now.
fn capacity(accounts: &[&ConfiguredAccount], states: &[ProviderState], now: Timestamp) -> Capacity {
    if accounts.is_empty() {
        return Capacity::Takes(Lanes::All, UNROUTED);
    }
    let nothing_known = ProviderState::default();
    let (mut for_broadcasts, mut for_all, mut ahead, mut is_open) = (0, 0, 0, false);
    let mut soonest: Option<Duration> = None;
    for account in accounts {
        let state = states.iter().find(|state| state.provider == account.layered.name()).unwrap_or(&nothing_known);
        match account.ready(state, 1, now) {
            Ready::Now(_) => {
                is_open = true;
                for_broadcasts += account.layered.free(Lane::Broadcast);
                for_all += account.layered.free(Lane::OneOff);
                ahead += account.layered.ahead();
            }
            Ready::TooFast(wait) => soonest = Some(soonest.map_or(wait, |other| other.min(wait))),
            Ready::Paused | Ready::Resting(_) | Ready::Spent(_) | Ready::OverQuota(_) => {}
        }
    }
    match (is_open, soonest) {
        (true, _) if for_broadcasts > 0 => Capacity::Takes(Lanes::All, for_broadcasts.max(ahead)),
        (true, _) => Capacity::Takes(Lanes::Urgent, for_all),
        (false, Some(wait)) => Capacity::TooFast(wait),
        (false, None) => Capacity::Closed,
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use proptest::prelude::*;

    use super::*;
    use crate::accounts::routes::{Conditions, Route};
    use crate::accounts::stub;

    const NOW: Timestamp = Timestamp(1_795_000_000_000);
    /// The pools of three accounts, and one of which nobody is in charge.
    const POOLS: [(&str, &str); 4] = [
        ("email/advertisement none", "mail"),
        ("fax/advertisement none GB", "london"),
        ("fax/advertisement none US", "chicago"),
        ("fax/treatment identified US", ""),
    ];

    fn accounts(concurrency: usize) -> Accounts {
        let account =
            |name: &str| (name.to_owned(), ConfiguredAccount { baa: false, ..stub::account(name, concurrency) });
        let to = |account: &str, country: &str| {
            let countries = Some(vec![country.parse().expect("a country")]);
            Route { account: account.to_owned(), only: Conditions { countries, ..Conditions::default() } }
        };
        let by_name = ["mail", "london", "chicago"].map(account).into();
        Accounts::new(by_name, vec![to("chicago", "US"), to("london", "GB")], vec![Route::to("mail")])
    }

    fn paused(name: &str) -> ProviderState {
        ProviderState { provider: name.to_owned(), paused_ms: Some(NOW), ..ProviderState::default() }
    }

    fn all_pools() -> Vec<String> {
        POOLS.iter().map(|(pool, _)| (*pool).to_owned()).collect()
    }

    fn room(free: usize) -> NodeRoom<'static> {
        NodeRoom { lanes: Lanes::All, free, slots: None }
    }

    fn limit_of(found: &Now, pool: &str) -> Option<(Lanes, usize)> {
        let of = |opening: &&Opening| opening.pools.iter().any(|one| one == pool);
        found.openings.iter().find(of).map(|opening| (opening.lanes, opening.limit))
    }

    proptest! {
        /// Invariant 13: whatever other accounts do, what could go by an account with a free slot may be claimed.
        #[test]
        fn an_account_that_is_free_gets_its_messages_whatever_the_others_do(
            are_paused in prop::array::uniform3(any::<bool>()),
            are_full in prop::array::uniform3(any::<bool>()),
        ) {
            let accounts = accounts(1);
            let names = ["mail", "london", "chicago"];
            let states: Vec<ProviderState> =
                names.iter().zip(are_paused).filter(|(_, is)| *is).map(|(name, _)| paused(name)).collect();
            let taken: Vec<_> = names
                .iter()
                .zip(are_full)
                .filter(|(_, is)| *is)
                .filter_map(|(name, _)| accounts.get(name)?.layered.slot(Lane::OneOff).now_or_never())
                .collect();
            let openings = Openings::default();
            for round in 0..3 {
                let found = openings.of(&accounts, &states, all_pools(), room(32), NOW);
                for ((name, is_paused), is_full) in names.iter().zip(are_paused).zip(are_full) {
                    let (pool, _) = POOLS.iter().find(|(_, account)| account == name).expect("its pool");
                    let limit = limit_of(&found, pool).map_or(0, |(_, limit)| limit);
                    match (is_paused, is_full) {
                        (true, _) => prop_assert_eq!(limit, if round == 0 { LOOKED_AT } else { 0 }),
                        (false, true) => prop_assert_eq!(limit, 0),
                        (false, false) => prop_assert!(limit >= 1),
                    }
                }
                prop_assert_eq!(limit_of(&found, POOLS[3].0), Some((Lanes::All, 32)), "the gate holds what has no route");
            }
            drop(taken);
        }
    }

    #[test]
    fn where_broadcasts_have_taken_their_share_only_what_somebody_waits_for_is_claimed() {
        let accounts = accounts(8);
        let account = accounts.get("mail").expect("an account");
        let slot = || account.layered.slot(Lane::Broadcast).now_or_never();
        let taken: Vec<_> = std::iter::from_fn(slot).collect();
        assert_eq!(taken.len(), 7);
        let found = Openings::default().of(&accounts, &[], all_pools(), room(32), NOW);
        assert_eq!(limit_of(&found, POOLS[0].0), Some((Lanes::Urgent, 1)));
    }

    #[test]
    fn what_nobody_may_take_is_looked_at_again_after_a_second_or_when_the_clock_was_set_back() {
        let (accounts, states, openings) = (accounts(1), [paused("mail")], Openings::default());
        let looks = |at: Timestamp| {
            let pools = vec![POOLS[0].0.to_owned()];
            openings.of(&accounts, &states, pools, room(32), at).openings.len()
        };
        assert_eq!([looks(NOW), looks(NOW.after(Duration::from_millis(999)))], [1, 0]);
        assert_eq!(looks(NOW.after(LOOKED_AT_EVERY)), 1);
        assert_eq!(looks(NOW.before(Duration::from_secs(7200))), 1);
    }

    #[test]
    fn messages_that_compete_for_the_same_accounts_share_their_room() {
        let accounts = accounts(1);
        let pools = ["email/advertisement none", "email/informational none"].map(str::to_owned).to_vec();
        let found = Openings::default().of(&accounts, &[], pools.clone(), room(32), NOW);
        assert_eq!(found.openings.len(), 1);
        assert_eq!(found.openings[0].pools, pools);
        assert_eq!(group_of(&accounts, &pools[0]), "mail");
        assert_eq!(group_of(&accounts, "fax/treatment identified US"), "", "no account has an agreement");
        assert_eq!(group_of(&accounts, "a word from another version"), "");
    }
}
