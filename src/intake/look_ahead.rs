//! Look-ahead: what the limits of the accounts mean for a list before it is accepted. How many letters each account hands over
//! today, how many wait for a later day and for what, and how much of its quotas, budget and rate there is. Pure.

use std::collections::BTreeMap;

use crate::accounts::quota::{Span, Window};
use crate::accounts::{Accounts, ConfiguredAccount};
use crate::domain::cost::Cost;
use crate::domain::message::Message;
use crate::domain::provider_state::ProviderState;
use crate::domain::{Channel, PolicyReason, Timestamp};

/// What one account has to carry of a list, and what it may. An account that carries none of it is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountAhead {
    /// Its name.
    pub account: String,
    /// Its channel.
    pub channel: Channel,
    /// How many messages of the list go by it: those that the routes lead to it, and of those that no account takes today, the
    /// ones for which it comes first.
    pub messages: usize,
    /// How many of them it may hand over today, as far as its quota of a day and its budget say.
    pub today: usize,
    /// How many wait for tomorrow or later, or are held because each costs more than the budget of a whole day.
    pub later: usize,
    /// What they wait for: [`PolicyReason::QuotaSpent`], [`PolicyReason::BudgetSpent`], or [`PolicyReason::BeyondBudget`] where they are
    /// held; none if none waits.
    pub waits_for: Option<PolicyReason>,
    /// How many it may still hand over today, whatever the list; none without a limit.
    pub left: Option<u64>,
    /// Its quotas.
    pub windows: Vec<Window>,
    /// Its budget of today.
    pub budget: Option<BudgetAhead>,
    /// Hand-overs a minute now, all nodes together.
    pub rate_per_minute: Option<u32>,
    /// Hand-overs a minute to one mail domain.
    pub rate_per_domain: Option<u32>,
    /// Letters at once to one mail domain.
    pub concurrency_per_domain: Option<u32>,
    /// How many minutes the messages of today take at least, by the rate; none without one.
    pub minutes: Option<u64>,
}

/// A budget of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetAhead {
    /// Hand-overs today, and how many it allows.
    pub hand_overs: (i64, Option<u32>),
    /// What was spent today, and how much it allows.
    pub cost: (Cost, Option<Cost>),
    /// When a new day begins.
    pub ends: Timestamp,
}

/// How many messages there are for each route: its channel, and its accounts in the order in which they are tried.
#[derive(Debug, Default)]
pub(super) struct Demand(BTreeMap<(Channel, Vec<String>), usize>);

impl Demand {
    /// Counts a message that is to go out.
    pub fn count(&mut self, message: &Message, route: &[&ConfiguredAccount]) {
        let names = route.iter().map(|account| account.layered.name().to_owned()).collect();
        *self.0.entry((message.channel(), names)).or_default() += 1;
    }

    /// What becomes of them. `pages`: of each fax; one if that is not known.
    pub fn met_by(
        &self,
        accounts: &Accounts,
        states: &[ProviderState],
        pages: Option<u32>,
        now: Timestamp,
    ) -> Vec<AccountAhead> {
        let nothing = ProviderState::default();
        let mut ahead: BTreeMap<&str, AccountAhead> = BTreeMap::new();
        for (channel, names) in self.0.keys() {
            let each = if *channel == Channel::Fax { pages.unwrap_or(1) } else { 1 };
            for (name, account) in names.iter().filter_map(|name| Some((name, accounts.get(name)?))) {
                let state = states.iter().find(|state| state.provider == *name).unwrap_or(&nothing);
                ahead.entry(name.as_str()).or_insert_with(|| AccountAhead::of(account, state, each, now));
            }
        }
        for ((_, names), count) in &self.0 {
            share(&mut ahead, names, *count);
        }
        ahead.into_values().filter(|account| account.messages > 0).map(AccountAhead::timed).collect()
    }
}

/// Each account of the route takes what it may; what none takes today waits for the first.
fn share(ahead: &mut BTreeMap<&str, AccountAhead>, names: &[String], count: usize) {
    let mut rest = count;
    let affords = |name: &&String| ahead.get(name.as_str()).is_some_and(AccountAhead::affords);
    // As at the hand-over: who could never pay for such a letter is passed over, unless nobody could.
    let able: Vec<&String> = names.iter().filter(affords).collect();
    let names = if able.is_empty() { names.iter().collect() } else { able };
    for name in &names {
        let Some(account) = ahead.get_mut(name.as_str()) else { continue };
        let free = account.left.map(|left| left.saturating_sub(account.today as u64));
        let takes = free.map_or(rest, |free| usize::try_from(free).unwrap_or(usize::MAX).min(rest));
        account.messages += takes;
        account.today += takes;
        rest -= takes;
    }
    if let Some(first) = names.first().and_then(|name| ahead.get_mut(name.as_str())) {
        first.messages += rest;
        first.later += rest;
    }
}

impl AccountAhead {
    /// Whether the budget of a whole day covers one of the letters.
    fn affords(&self) -> bool {
        self.waits_for != Some(PolicyReason::BeyondBudget)
    }

    fn of(account: &ConfiguredAccount, state: &ProviderState, pages: u32, now: Timestamp) -> Self {
        let windows = account.quota.windows(&state.meter, now);
        let by_quota = windows.iter().find(|window| window.span == Span::Day).map(|window| window.left);
        let each = account.cost_per_page.unwrap_or_default().times(pages);
        let by_budget = account.budget.map(|budget| budget.left_today(&state.meter, each, now));
        let is_by_budget = by_budget.is_some_and(|budget| by_quota.is_none_or(|quota| budget < quota));
        let (hand_overs, cost) = state.meter.today(now);
        Self {
            account: account.layered.name().to_owned(),
            channel: account.spec().channel,
            messages: 0,
            today: 0,
            later: 0,
            waits_for: Some(match (account.affords(pages), is_by_budget) {
                (false, _) => PolicyReason::BeyondBudget,
                (true, true) => PolicyReason::BudgetSpent,
                (true, false) => PolicyReason::QuotaSpent,
            }),
            left: by_quota.into_iter().chain(by_budget).min(),
            windows,
            budget: account.budget.map(|budget| BudgetAhead {
                hand_overs: (hand_overs, budget.hand_overs),
                cost: (cost, budget.cost),
                ends: budget.ends(&state.meter, now),
            }),
            rate_per_minute: account.rate(state, now),
            rate_per_domain: account.rate_per_domain,
            concurrency_per_domain: account.concurrency_per_domain,
            minutes: None,
        }
    }

    fn timed(self) -> Self {
        let minutes = self.rate_per_minute.map(|rate| (self.today as u64).div_ceil(u64::from(rate.max(1))));
        Self { minutes, waits_for: self.waits_for.filter(|_| self.later > 0), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::budget::Budget;
    use crate::accounts::quota::Quota;
    use crate::accounts::stub;

    const NOW: Timestamp = Timestamp(1_795_000_000_000);

    fn with(change: impl FnOnce(&mut ConfiguredAccount), name: &str) -> (String, ConfiguredAccount) {
        let mut account = stub::account(name, 4);
        change(&mut account);
        (name.to_owned(), account)
    }

    fn accounts() -> Accounts {
        let budget = Budget { hand_overs: Some(9), cost: Some(Cost(500_000)), zone: chrono_tz::America::Chicago };
        let by_name = [
            with(|it| it.quota = Quota { per_hour: Some(1), per_day: Some(10) }, "small"),
            with(
                |it| {
                    it.quota = Quota { per_hour: None, per_day: Some(8) };
                    it.budget = Some(budget);
                    it.cost_per_page = Some(Cost(50_000));
                    it.rate_per_minute = Some(2);
                },
                "priced",
            ),
            with(|it| it.rate_per_minute = Some(30), "wide"),
        ];
        Accounts::new(by_name.into(), Vec::new(), Vec::new())
    }

    /// By account: today, later, and what those wait for.
    fn met(demand: &[(&[&str], usize)], pages: Option<u32>) -> Vec<(String, usize, usize, Option<PolicyReason>)> {
        let of = |(names, count): &(&[&str], usize)| {
            ((Channel::Fax, names.iter().map(|name| (*name).to_owned()).collect()), *count)
        };
        let met = Demand(demand.iter().map(of).collect()).met_by(&accounts(), &[], pages, NOW);
        for one in &met {
            assert_eq!(one.messages, one.today + one.later, "{one:?}");
            assert!(one.left.is_none_or(|left| one.today as u64 <= left), "{one:?}");
        }
        met.into_iter().map(|one| (one.account, one.today, one.later, one.waits_for)).collect()
    }

    #[test]
    fn each_account_takes_what_it_may_today_and_the_first_keeps_the_rest() {
        let (quota, budget) = (Some(PolicyReason::QuotaSpent), Some(PolicyReason::BudgetSpent));
        let is = |name: &str, today, later, reason| (name.to_owned(), today, later, reason);
        assert_eq!(met(&[(&["small"], 10)], None), [is("small", 10, 0, None)]);
        assert_eq!(met(&[(&["small"], 12)], None), [is("small", 10, 2, quota)]);
        assert_eq!(met(&[(&["small", "wide"], 12)], None), [is("small", 10, 0, None), is("wide", 2, 0, None)]);
        assert_eq!(
            met(&[(&["small", "priced"], 25)], None),
            [is("priced", 8, 0, None), is("small", 10, 7, quota)],
            "eight by the quota, nine by the budget"
        );
        assert_eq!(
            met(&[(&["priced"], 7)], Some(2)),
            [is("priced", 5, 2, budget)],
            "two pages of five cents, for fifty"
        );
        assert_eq!(
            met(&[(&["small"], 6), (&["small", "wide"], 6)], None),
            [is("small", 10, 0, None), is("wide", 2, 0, None)],
            "what one route takes is gone for another"
        );
        let beyond = Some(PolicyReason::BeyondBudget);
        assert_eq!(
            met(&[(&["priced"], 3)], Some(11)),
            [is("priced", 0, 3, beyond)],
            "dearer than any day's budget: held"
        );
        assert_eq!(met(&[(&["priced", "small"], 12)], Some(11)), [is("small", 10, 2, quota)], "and passed over");
        assert!(met(&[], None).is_empty());
    }

    #[test]
    fn the_rate_says_how_long_it_takes_and_a_limit_that_is_not_there_is_not_told() {
        let demand = Demand([((Channel::Fax, vec!["wide".to_owned()]), 61)].into());
        let [wide] = &demand.met_by(&accounts(), &[], None, NOW)[..] else { panic!("one account") };
        assert_eq!((wide.rate_per_minute, wide.minutes), (Some(30), Some(3)));
        assert_eq!((wide.left, wide.budget, wide.windows.len()), (None, None, 0));
        let demand = Demand([((Channel::Fax, vec!["priced".to_owned()]), 3)].into());
        let [priced] = &demand.met_by(&accounts(), &[], None, NOW)[..] else { panic!("one account") };
        assert_eq!((priced.minutes, priced.left, priced.windows.len()), (Some(2), Some(8), 1));
        let budget = priced.budget.expect("a budget");
        assert_eq!((budget.hand_overs, budget.cost), ((0, Some(9)), (Cost::ZERO, Some(Cost(500_000)))));
        assert!(budget.ends > NOW);
    }
}
