//! Choice: which account takes a message now, and if none does, why and when to check again. Asked before rendering
//! with the states as they were at the claim, and decided in the gate with the current ones.

use std::time::Duration;

use crate::accounts::routes::Parcel;
use crate::accounts::{Accounts, ConfiguredAccount, Ready};
use crate::domain::message::Message;
use crate::domain::provider_state::{Meter, ProviderState};
use crate::domain::{PolicyReason, Timestamp};

/// How long a message waits while every account is paused: someone may resume one, or another node may have found that
/// it works again.
const ACCOUNT_WAIT: Duration = Duration::from_secs(30);
/// The same for a budget or a quota that is used up: someone may raise it before there is room again.
const BUDGET_WAIT: Duration = Duration::from_secs(15 * 60);

/// What was chosen.
#[derive(Debug)]
pub(super) enum Choice<'a> {
    /// This account, and its meter afterwards.
    Take(&'a ConfiguredAccount, Box<Meter>),
    /// None now; the reason, and how long until another check is worthwhile.
    Wait(PolicyReason, Duration),
    /// Every account that is meant for it has a budget of a day that does not cover it.
    TooDear,
    /// No account is meant for it.
    Nobody,
}

/// The message as its route sees it.
pub(super) fn parcel(accounts: &Accounts, message: &Message, pages: Option<u32>) -> Parcel {
    Parcel { key: accounts.key_of(message), pages }
}

/// The first account on the route that can take it. Of those that cannot, the one that can soonest gives the reason.
pub(super) fn choose<'a>(
    accounts: &'a Accounts,
    parcel: &'a Parcel,
    state_of: impl Fn(&str) -> Option<&'a ProviderState>,
    now: Timestamp,
) -> Choice<'a> {
    let nothing_known = ProviderState::default();
    let mut soonest: Option<(Duration, PolicyReason)> = None;
    let (pages, mut is_too_dear) = (parcel.pages.unwrap_or(1), false);
    for account in accounts.route(parcel) {
        if !account.affords(pages) {
            is_too_dear = true;
            continue;
        }
        let state = state_of(account.layered.name()).unwrap_or(&nothing_known);
        let (wait, reason) = match account.ready(state, pages, now) {
            Ready::Now(meter) => return Choice::Take(account, meter),
            Ready::TooFast(wait) => (wait, PolicyReason::RateReached),
            Ready::Resting(until) => (until.since(now).min(ACCOUNT_WAIT), PolicyReason::ProviderResting),
            Ready::Spent(until) => (until.since(now).min(BUDGET_WAIT), PolicyReason::BudgetSpent),
            Ready::OverQuota(until) => (until.since(now).min(BUDGET_WAIT), PolicyReason::QuotaSpent),
            Ready::Paused => (ACCOUNT_WAIT, PolicyReason::ProviderPaused),
        };
        if soonest.is_none_or(|(other, _)| wait < other) {
            soonest = Some((wait, reason));
        }
    }
    match soonest {
        Some((wait, reason)) => Choice::Wait(reason, wait),
        None if is_too_dear => Choice::TooDear,
        None => Choice::Nobody,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::budget::Budget;
    use crate::accounts::quota::Quota;
    use crate::accounts::routes::{Conditions, Route};
    use crate::accounts::stub;
    use crate::domain::cost::Cost;
    use crate::domain::health::Health;
    use crate::domain::referrer::ReferrerState;
    use crate::domain::{Channel, Lane, PhiClass, Purpose};
    use crate::policy::{self, Facts, Verdict};

    const NOW: Timestamp = Timestamp(1_795_000_000_000);
    const CLINIC: &str = "front@clinic.example";

    /// What an account of the tests is like, apart from whether an agreement is signed.
    #[derive(Debug, Clone, Copy)]
    enum Is {
        Free,
        Paused,
        Resting,
        TooFast,
        OverQuota,
        Spent,
        TooDear,
    }

    /// The relays of one case: `agreed` is under an agreement and `plain` is not, each with its conditions, in the order of the
    /// routes; and how each stands.
    struct Case {
        routes: Vec<Route>,
        standing: Vec<(&'static str, Is)>,
    }

    fn case(names: &[&str]) -> Case {
        Case { routes: names.iter().map(|name| Route::to(name)).collect(), standing: Vec::new() }
    }

    impl Case {
        fn only(mut self, name: &str, change: impl FnOnce(&mut Conditions)) -> Self {
            let route = self.routes.iter_mut().find(|route| route.account == name).expect("a route of the case");
            change(&mut route.only);
            self
        }

        fn when(mut self, name: &'static str, is: Is) -> Self {
            self.standing.push((name, is));
            self
        }

        fn is(&self, name: &str) -> Is {
            self.standing.iter().find(|(of, _)| *of == name).map_or(Is::Free, |(_, is)| *is)
        }

        fn account(&self, name: &str) -> ConfiguredAccount {
            let account = ConfiguredAccount { baa: name == "agreed", ..stub::account(name, 4) };
            let budget = |cost| Budget { hand_overs: Some(1), cost, zone: chrono_tz::America::Chicago };
            match self.is(name) {
                Is::Free | Is::Paused | Is::Resting => account,
                Is::TooFast => ConfiguredAccount { rate_per_minute: Some(6), ..account },
                Is::OverQuota => ConfiguredAccount { quota: Quota { per_hour: None, per_day: Some(1) }, ..account },
                Is::Spent => ConfiguredAccount { budget: Some(budget(None)), ..account },
                Is::TooDear => {
                    let (budget, cost_per_page) = (Some(budget(Some(Cost(1)))), Some(Cost(2)));
                    ConfiguredAccount { budget, cost_per_page, ..account }
                }
            }
        }

        fn state(&self, name: &str) -> ProviderState {
            let account = self.account(name);
            let mut state = ProviderState { provider: name.to_owned(), ..ProviderState::default() };
            match self.is(name) {
                Is::Free | Is::TooDear => {}
                Is::Paused => state.paused_ms = Some(NOW),
                Is::Resting => state.rests_until_ms = Some(NOW.after(Duration::from_secs(9))),
                Is::TooFast | Is::OverQuota | Is::Spent => {
                    let Ready::Now(meter) = account.ready(&state, 1, NOW) else { panic!("one fits") };
                    state.meter = *meter;
                }
            }
            state
        }

        /// What becomes of a letter, in a few words.
        fn outcome(&self, to: &str, purpose: Purpose, phi: PhiClass) -> String {
            let accounts = ["agreed", "plain"].map(|name| (name.to_owned(), self.account(name)));
            let accounts = Accounts::new(accounts.into(), Vec::new(), self.routes.clone());
            let states = ["agreed", "plain"].map(|name| self.state(name));
            let key = accounts.key(&to.parse().expect("an address"), purpose, phi);
            let parcel = Parcel { key, pages: Some(1) };
            let carriers = accounts.carriers(&parcel);
            match policy::decide(&facts(purpose, phi, carriers.routed, carriers.baa)) {
                Verdict::Allow => {}
                Verdict::Hold(reason) => return format!("held {reason}"),
                other => panic!("{other:?}"),
            }
            let state_of = |name: &str| states.iter().find(|state| state.provider == name);
            match choose(&accounts, &parcel, state_of, NOW) {
                Choice::Take(account, _) => format!("by {}", account.layered.name()),
                Choice::Wait(reason, _) => format!("waits {reason}"),
                Choice::TooDear => format!("held {}", PolicyReason::BeyondBudget),
                Choice::Nobody => format!("held {}", PolicyReason::NoRoute),
            }
        }
    }

    fn facts(purpose: Purpose, phi: PhiClass, routed: bool, baa: bool) -> Facts<'static> {
        Facts {
            purpose,
            phi,
            channel: Channel::Email,
            lane: Lane::OneOff,
            released: true,
            referrer: ReferrerState::Active,
            refuses_channel: false,
            health: Health::Unverified,
            refusals: &[],
            bases: &[],
            permission_only: false,
            routed,
            baa,
            number_busy: false,
            now: NOW,
            closed_until: None,
            any_hour: false,
        }
    }

    fn domains(conditions: &mut Conditions) {
        conditions.domains = Some(vec!["*.edu".parse().expect("a pattern")]);
    }

    /// 45 CFR § 164.502(e): health information goes to nobody who has not signed, whatever the routes, the fallbacks and the
    /// states of the accounts are; it waits for the one who has, or is held with the reason. Other letters are not held up by that.
    #[test]
    fn a_letter_about_a_patient_goes_by_an_account_under_an_agreement_or_not_at_all() {
        let both = || case(&["plain", "agreed"]);
        let cases = [
            (both(), CLINIC, "by agreed", "by plain"),
            (case(&["agreed", "plain"]), CLINIC, "by agreed", "by agreed"),
            (case(&["plain"]), CLINIC, "held no_baa", "by plain"),
            (case(&[]), CLINIC, "held no_route", "held no_route"),
            // The one that has signed cannot now: no other takes its place.
            (both().when("agreed", Is::Paused), CLINIC, "waits provider_paused", "by plain"),
            (both().when("agreed", Is::Resting), CLINIC, "waits provider_resting", "by plain"),
            (both().when("agreed", Is::TooFast), CLINIC, "waits rate_reached", "by plain"),
            (both().when("agreed", Is::OverQuota), CLINIC, "waits quota_spent", "by plain"),
            (both().when("agreed", Is::Spent), CLINIC, "waits budget_spent", "by plain"),
            (both().when("agreed", Is::TooDear), CLINIC, "held beyond_budget", "by plain"),
            (case(&["agreed", "plain"]).when("agreed", Is::Paused), CLINIC, "waits provider_paused", "by plain"),
            // The one that has not signed cannot now: that changes nothing for a patient's letter.
            (both().when("plain", Is::Paused), CLINIC, "by agreed", "by agreed"),
            (case(&["plain"]).when("plain", Is::Paused), CLINIC, "held no_baa", "waits provider_paused"),
            // Routes by domain, by purpose and by whether there is health information.
            (both().only("agreed", domains), "a@mit.edu", "by agreed", "by plain"),
            (both().only("agreed", domains), CLINIC, "held no_baa", "by plain"),
            (both().only("plain", domains), "a@mit.edu", "by agreed", "by plain"),
            (both().only("plain", domains), CLINIC, "by agreed", "by agreed"),
            (both().only("agreed", |only| only.phi = Some(false)), CLINIC, "held no_baa", "by plain"),
            (both().only("plain", |only| only.phi = Some(true)), CLINIC, "by agreed", "by agreed"),
            (case(&["plain"]).only("plain", |only| only.phi = Some(true)), CLINIC, "held no_baa", "held no_route"),
            (case(&["agreed"]).only("agreed", |only| only.phi = Some(true)), CLINIC, "by agreed", "held no_route"),
            (both().only("agreed", |only| only.purposes = Some(Vec::new())), CLINIC, "held no_baa", "by plain"),
        ];
        for (number, (case, to, patients, others)) in (1..).zip(&cases) {
            for purpose in Purpose::ALL.iter().copied() {
                for phi in PhiClass::ALL.iter().copied() {
                    let expected = if phi == PhiClass::Identified { patients } else { others };
                    assert_eq!(case.outcome(to, purpose, phi), *expected, "case {number}: {purpose}, {phi}");
                }
            }
        }
    }

    #[test]
    fn a_route_for_one_purpose_takes_that_alone() {
        let reports = |only: &mut Conditions| only.purposes = Some(vec![Purpose::Treatment]);
        let case = case(&["agreed", "plain"]).only("agreed", reports);
        let outcome = |purpose, phi| case.outcome(CLINIC, purpose, phi);
        assert_eq!(outcome(Purpose::Treatment, PhiClass::Identified), "by agreed");
        assert_eq!(outcome(Purpose::Operational, PhiClass::Identified), "held no_baa");
        assert_eq!(outcome(Purpose::Operational, PhiClass::None), "by plain");
    }

    #[test]
    fn a_letter_that_no_days_budget_covers_goes_by_another_account_or_is_held() {
        let dear = case(&["agreed", "plain"]).when("agreed", Is::TooDear);
        assert_eq!(dear.outcome(CLINIC, Purpose::Treatment, PhiClass::None), "by plain");
        let both = dear.when("plain", Is::TooDear);
        assert_eq!(both.outcome(CLINIC, Purpose::Treatment, PhiClass::None), "held beyond_budget");
    }
}
