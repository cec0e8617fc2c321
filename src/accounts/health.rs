//! How every account stands at one moment: whether it takes letters and why not, its quotas and rate, its login, how letters
//! travelled last, what went wrong last, what waits, and what became of the last day's letters.

use crate::accounts::mail_tokens::login::Login;
use crate::accounts::quota::Window;
use crate::accounts::routes::Parcel;
use crate::accounts::{Accounts, ConfiguredAccount, Ready};
use crate::domain::fault::clean;
use crate::domain::provider_state::{AccountState, LastDay, ProviderState};
use crate::domain::transport::Transport;
use crate::domain::{AttemptStatus, Channel, Fault, Remedy, Timestamp};
use crate::store::records::mail_tokens::MailToken;
use crate::store::views::relays::{AccountDay, AccountReturns, LastError, TlsSeen};
use crate::store::{StoreError, Tx};

/// What counts as the last day.
pub const DAY: std::time::Duration = std::time::Duration::from_secs(24 * 3600);
/// Among how many of the newest hand-overs of all accounts the last error and the last transport are looked for.
const NEWEST: i64 = 5_000;
/// The longest that a provider's words about the last error may be.
const ERROR_CHARS_MAX: usize = 300;

/// What is on record of all accounts.
#[derive(Debug, Clone, Default)]
pub struct Records {
    /// States, meters and pauses.
    pub states: Vec<ProviderState>,
    open: Vec<(String, AttemptStatus, i64)>,
    day: Vec<AccountDay>,
    returns: Vec<AccountReturns>,
    tls: Vec<TlsSeen>,
    errors: Vec<LastError>,
    waiting: Vec<(String, i64)>,
    tokens: Vec<MailToken>,
}

impl Records {
    /// Reads all of it. `kind`: the queue's word for letters that are to be handed over.
    ///
    /// # Errors
    /// Database errors.
    pub async fn read(tx: &mut Tx, kind: &str, now: Timestamp) -> Result<Self, StoreError> {
        let since = now.before(DAY);
        Ok(Self {
            states: tx.provider_states(false).await?,
            open: tx.provider_open_attempts().await?,
            day: tx.accounts_day(since).await?,
            returns: tx.accounts_returns(since).await?,
            tls: tx.accounts_tls(NEWEST).await?,
            errors: tx.accounts_last_errors(NEWEST).await?,
            waiting: tx.queue_waiting(kind).await?,
            tokens: tx.mail_tokens().await?,
        })
    }

    fn open(&self, account: &str, status: AttemptStatus) -> i64 {
        let found = self.open.iter().find(|(name, of, _)| name == account && *of == status);
        found.map_or(0, |(.., count)| *count)
    }
}

/// How one account stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Its name.
    pub account: String,
    /// Its kind.
    pub kind: &'static str,
    /// Its channel.
    pub channel: Channel,
    /// Whether it takes letters, and if not, why.
    pub state: AccountState,
    /// Since when it is paused.
    pub since_ms: Option<Timestamp>,
    /// When that ends by itself; none if it takes letters, or if a person must end it.
    pub until_ms: Option<Timestamp>,
    /// Why it is paused, in its provider's or a person's words, without addresses.
    pub reason: Option<String>,
    /// The last of the errors in a row that it is paused after.
    pub fault: Option<Fault>,
    /// What can be done, if that is known.
    pub remedy: Option<Remedy>,
    /// Its quotas.
    pub windows: Vec<Window>,
    /// Hand-overs a minute by the configuration and the provider's limit.
    pub rate: Option<u32>,
    /// Hand-overs a minute now.
    pub rate_now: Option<u32>,
    /// When it is back at its own rate, if it was slowed down.
    pub slowed_until_ms: Option<Timestamp>,
    /// What went wrong last.
    pub last_error: Option<AccountError>,
    /// How a letter travelled last, and when.
    pub tls: Option<(Transport, Timestamp)>,
    /// Its sign-in by OAuth.
    pub login: Option<Login>,
    /// Letters that wait and that it may carry; another account of the route may carry them as well.
    pub waiting: i64,
    /// Letters that are being handed over.
    pub calling: i64,
    /// Letters that it has taken and whose outcome is open.
    pub accepted: i64,
    /// Letters that it may or may not have taken.
    pub in_doubt: i64,
    /// What became of the last day's letters.
    pub day: LastDay,
}

/// What went wrong last with an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountError {
    /// When.
    pub at: Timestamp,
    /// What.
    pub fault: Fault,
    /// The provider's own code.
    pub code: Option<String>,
    /// The provider's own words: one line, bounded, without addresses and numbers.
    pub words: Option<String>,
}

impl Accounts {
    /// How every account stands, by name.
    #[must_use]
    pub fn health(&self, records: &Records, now: Timestamp) -> Vec<Health> {
        self.iter().map(|(name, account)| self.health_of(name, account, records, now)).collect()
    }

    fn health_of(&self, name: &str, account: &ConfiguredAccount, records: &Records, now: Timestamp) -> Health {
        let nothing = ProviderState::default();
        let known = records.states.iter().find(|state| state.provider == name).unwrap_or(&nothing);
        let (state, until_ms) = standing(account, known, now);
        let is_paused = state == AccountState::Paused;
        let open = |status| records.open(name, status);
        Health {
            account: name.to_owned(),
            kind: account.spec().kind,
            channel: account.spec().channel,
            state,
            since_ms: known.paused_ms.filter(|_| is_paused),
            until_ms,
            reason: known.paused_reason.clone().filter(|_| is_paused),
            fault: fault_of(account, known, now).filter(|_| state == AccountState::Resting),
            remedy: known.paused_remedy.filter(|_| is_paused),
            windows: account.quota.windows(&known.meter, now),
            rate: account.rate_per_minute,
            rate_now: account.rate(known, now),
            slowed_until_ms: known.slowing.over(now),
            last_error: last_error(records.errors.iter().find(|error| error.provider == name), known),
            tls: records.tls.iter().find(|seen| seen.provider == name).map(transport),
            login: account.layered.provider().sign_in().map(|sign_in| {
                Login::of(sign_in, records.tokens.iter().find(|token| token.account == sign_in.account()), now)
            }),
            waiting: self.waiting_for(name, account, &records.waiting),
            calling: open(AttemptStatus::Calling),
            accepted: open(AttemptStatus::Accepted),
            in_doubt: open(AttemptStatus::InDoubt),
            day: day(name, records),
        }
    }

    /// How many of the waiting letters an account may carry, by the pools that they wait in.
    fn waiting_for(&self, name: &str, account: &ConfiguredAccount, pools: &[(String, i64)]) -> i64 {
        let Some((_, route)) = self.place(account.spec().channel, name) else { return 0 };
        let may_carry = |pool: &str| {
            let Ok(key) = pool.parse() else { return false };
            let parcel = Parcel { key, pages: None };
            parcel.key.channel == account.spec().channel
                && route.only.fit(&parcel)
                && (account.baa || !parcel.needs_agreement())
        };
        pools.iter().filter(|(pool, _)| may_carry(pool)).map(|(_, count)| count).sum()
    }
}

/// Whether it takes letters, and when that changes by itself.
fn standing(account: &ConfiguredAccount, known: &ProviderState, now: Timestamp) -> (AccountState, Option<Timestamp>) {
    match account.ready(known, 1, now) {
        Ready::Paused => (AccountState::Paused, known.resumes_ms),
        Ready::Resting(until) => (AccountState::Resting, Some(until)),
        Ready::Spent(until) => (AccountState::BudgetSpent, Some(until)),
        Ready::OverQuota(until) => (AccountState::QuotaSpent, Some(until)),
        Ready::Now(_) | Ready::TooFast(_) => match known.slowing.over(now) {
            Some(until) => (AccountState::Slowed, Some(until)),
            None => (AccountState::Running, None),
        },
    }
}

/// The last of the errors in a row: by what this node saw, or else by what is on record.
fn fault_of(account: &ConfiguredAccount, known: &ProviderState, now: Timestamp) -> Option<Fault> {
    let here = account.layered.breaker();
    if here.open_until_ms > now { here.fault } else { known.fault }
}

/// The later of the last failed hand-over and the last fault that the circuit breaker counted.
fn last_error(attempt: Option<&LastError>, known: &ProviderState) -> Option<AccountError> {
    let bounded = |text: &Option<String>| text.as_ref().map(|text| clean(text, ERROR_CHARS_MAX));
    let of_attempt = attempt.map(|error| AccountError {
        at: error.opened_ms,
        fault: error.fault,
        code: bounded(&error.raw_code),
        words: bounded(&error.raw_text),
    });
    let of_breaker = known.fault.zip(known.faulted_ms).map(|(fault, at)| AccountError {
        at,
        fault,
        code: None,
        words: bounded(&known.fault_text),
    });
    // The breaker notes the answer to a hand-over a moment after it was made: the hand-over says more about the same fault.
    match (of_attempt, of_breaker) {
        (Some(attempt), Some(breaker)) if attempt.at < breaker.at && attempt.fault != breaker.fault => Some(breaker),
        (attempt, breaker) => attempt.or(breaker),
    }
}

fn transport(seen: &TlsSeen) -> (Transport, Timestamp) {
    let TlsSeen { tls_version, tls_cipher, tls_peer, opened_ms, .. } = seen.clone();
    (Transport { version: tls_version, cipher: tls_cipher, peer: tls_peer }, opened_ms)
}

fn day(name: &str, records: &Records) -> LastDay {
    let mut day = LastDay::default();
    if let Some(known) = records.day.iter().find(|day| day.provider == name) {
        (day.sent, day.refused, day.confirmed, day.presumed) =
            (known.sent, known.refused, known.confirmed, known.presumed);
    }
    if let Some(known) = records.returns.iter().find(|returns| returns.provider == name) {
        (day.hard, day.soft, day.ours, day.complaints) = (known.hard, known.soft, known.ours, known.complaints);
    }
    day
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::accounts::routes::Route;
    use crate::accounts::stub;
    use crate::domain::{Clock, SystemClock};

    #[test]
    fn a_standing_says_why_nothing_is_taken_and_until_when_and_a_slower_account_still_runs() {
        let now = SystemClock.now();
        let later = now.after(DAY);
        let account = stub::account("mail", 1);
        let state = |known: &ProviderState| standing(&account, known, now);
        let calm = ProviderState::default();
        assert_eq!(state(&calm), (AccountState::Running, None));
        let slowing = calm.slowing.halved(now).expect("slower");
        let slowed = ProviderState { slowing, ..calm.clone() };
        assert_eq!(state(&slowed), (AccountState::Slowed, slowing.over(now)));
        let paused = ProviderState { paused_ms: Some(now), resumes_ms: Some(later), ..slowed };
        assert_eq!(state(&paused), (AccountState::Paused, Some(later)));
    }

    #[test]
    fn letters_wait_for_every_account_that_may_carry_them() {
        let now = SystemClock.now();
        let plain = ConfiguredAccount { baa: false, ..stub::account("plain", 1) };
        let by_name = BTreeMap::from([
            ("plain".to_owned(), plain),
            ("agreed".to_owned(), stub::account("agreed", 1)),
            ("unused".to_owned(), stub::account("unused", 1)),
        ]);
        let accounts = Accounts::new(by_name, ["plain", "agreed"].map(Route::to).to_vec(), Vec::new());
        let records = Records {
            waiting: vec![
                ("fax/advertisement none US".to_owned(), 3),
                ("fax/treatment identified".to_owned(), 2),
                ("email/advertisement none".to_owned(), 40),
                (String::new(), 500),
            ],
            ..Records::default()
        };
        let waiting: Vec<(String, i64)> =
            accounts.health(&records, now).into_iter().map(|health| (health.account, health.waiting)).collect();
        let expected = [("agreed", 5), ("plain", 3), ("unused", 0)].map(|(name, count)| (name.to_owned(), count));
        assert_eq!(waiting, expected);
    }

    #[test]
    fn the_last_error_is_bounded_and_shows_no_address() {
        let now = SystemClock.now();
        let attempt = LastError {
            provider: "mail".to_owned(),
            opened_ms: now,
            status: AttemptStatus::Refused,
            fault: Fault::AccountError,
            raw_code: Some("535".to_owned()),
            raw_text: Some(format!("no <dana@clinic.example> {}", "x ".repeat(5_000))),
        };
        let error = last_error(Some(&attempt), &ProviderState::default()).expect("an error");
        let words = error.words.expect("words");
        assert!(!words.contains('@') && words.chars().count() <= ERROR_CHARS_MAX, "{words}");
        let breaker = ProviderState {
            fault: Some(Fault::ProviderError),
            faulted_ms: Some(now.after(DAY)),
            ..ProviderState::default()
        };
        let of = |known: &ProviderState| last_error(Some(&attempt), known).map(|error| error.fault);
        assert_eq!(of(&breaker), Some(Fault::ProviderError), "the later one");
        assert_eq!(of(&ProviderState { faulted_ms: Some(now.before(DAY)), ..breaker }), Some(Fault::AccountError));
    }
}
