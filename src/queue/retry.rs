//! The retry table: a pure function from the class of a failure and what was tried before to what comes next.

use std::time::Duration;

use crate::domain::Fault;

/// How retries are scaled.
#[derive(Debug, Clone, Copy)]
pub struct RetryRules {
    /// Every wait in percent of the table's: 100 in real use, less in a demonstration.
    pub scale_percent: u32,
    /// No wait is longer than this.
    pub wait_max: Duration,
}

impl Default for RetryRules {
    fn default() -> Self {
        Self { scale_percent: 100, wait_max: Duration::from_secs(24 * 3600) }
    }
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Again after this wait. `costs_try` is false where the failure says nothing about the recipient.
    Retry {
        /// How long, before jitter.
        wait: Duration,
        /// Whether it counts against the table's limit.
        costs_try: bool,
    },
    /// Not again automatically.
    GiveUp,
}

/// One row: how often in all, and the waits between (the last one repeats).
struct Row {
    tries_max: i64,
    waits_seconds: &'static [u64],
    costs_try: bool,
}

const MINUTE: u64 = 60;
const HOUR: u64 = 3600;

/// The table. Fax figures start from HylaFAX's long-standing defaults (180 s busy, 300 s no answer, one more call where
/// no fax machine answered, so that a person is not rung again and again); mail figures follow RFC 5321 §4.5.4.1 with
/// the early second try that greylisting wants.
const fn row(fault: Fault) -> Row {
    match fault {
        Fault::Busy => Row {
            tries_max: 8,
            waits_seconds: &[3 * MINUTE, 5 * MINUTE, 10 * MINUTE, 20 * MINUTE, HOUR],
            costs_try: true,
        },
        Fault::NoAnswer => Row { tries_max: 4, waits_seconds: &[15 * MINUTE, 45 * MINUTE, 3 * HOUR], costs_try: true },
        Fault::LineError => {
            Row { tries_max: 5, waits_seconds: &[5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR], costs_try: true }
        }
        Fault::NegotiationError => Row { tries_max: 3, waits_seconds: &[5 * MINUTE, 30 * MINUTE], costs_try: true },
        Fault::NotAFax => Row { tries_max: 2, waits_seconds: &[20 * HOUR], costs_try: true },
        Fault::RejectedByRemote => Row { tries_max: 2, waits_seconds: &[4 * HOUR], costs_try: true },
        Fault::Expired => Row { tries_max: 2, waits_seconds: &[HOUR], costs_try: true },
        Fault::Deferred | Fault::MailboxFull => {
            Row { tries_max: 12, waits_seconds: &[10 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR], costs_try: true }
        }
        Fault::RateLimited => Row { tries_max: i64::MAX, waits_seconds: &[MINUTE], costs_try: false },
        Fault::AccountError | Fault::QuotaReached => {
            Row { tries_max: i64::MAX, waits_seconds: &[5 * MINUTE], costs_try: false }
        }
        Fault::ProviderError => Row {
            tries_max: i64::MAX,
            waits_seconds: &[MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE],
            costs_try: false,
        },
        Fault::ProtocolError | Fault::Unknown => Row { tries_max: 2, waits_seconds: &[15 * MINUTE], costs_try: true },
        Fault::InvalidNumber
        | Fault::Blocked
        | Fault::PartialSend
        | Fault::DocumentError
        | Fault::Cancelled
        | Fault::MailboxUnknown
        | Fault::DomainUnknown
        | Fault::MailboxDisabled
        | Fault::PolicyRefusal
        | Fault::TooLarge
        | Fault::TlsRequired
        | Fault::Complaint => Row { tries_max: 1, waits_seconds: &[], costs_try: true },
    }
}

/// What comes after a definite failure. `tries` counts this one too, if it costs a try; `asked` is the wait the
/// provider asked for; pages that were confirmed forbid sending the whole again.
#[must_use]
pub fn after(
    fault: Fault,
    tries: i64,
    attempts: i64,
    pages_confirmed: bool,
    asked: Option<Duration>,
    rules: RetryRules,
) -> Next {
    let row = row(fault);
    if pages_confirmed || tries >= row.tries_max || row.waits_seconds.is_empty() {
        return Next::GiveUp;
    }
    let step = usize::try_from(if row.costs_try { tries } else { attempts }.max(1) - 1).unwrap_or(0);
    let seconds = row.waits_seconds[step.min(row.waits_seconds.len() - 1)];
    let scaled = Duration::from_millis(seconds.saturating_mul(u64::from(rules.scale_percent)).saturating_mul(10));
    let wait = scaled.min(rules.wait_max).max(asked.unwrap_or_default());
    Next::Retry { wait, costs_try: row.costs_try }
}

/// Whether a failure of that class counts against the limit.
#[must_use]
pub const fn costs_try(fault: Fault) -> bool {
    row(fault).costs_try
}

/// Spreads waits over one and a half times their length: never shorter, so that a provider's wish is kept, and never all
/// at once.
#[must_use]
pub fn jitter(wait: Duration, random: f64) -> Duration {
    wait.mul_f64(1.0 + random.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn schedule(fault: Fault) -> Vec<u64> {
        (1..20)
            .map_while(|tries| match after(fault, tries, tries, false, None, RetryRules::default()) {
                Next::Retry { wait, .. } => Some(wait.as_secs() / 60),
                Next::GiveUp => None,
            })
            .collect()
    }

    #[test]
    fn the_schedules_are_what_the_operator_was_told() {
        assert_eq!(schedule(Fault::Busy), [3, 5, 10, 20, 60, 60, 60]);
        assert_eq!(schedule(Fault::NoAnswer), [15, 45, 180]);
        assert_eq!(schedule(Fault::NotAFax), [1200]);
        assert_eq!(schedule(Fault::InvalidNumber), [] as [u64; 0]);
        assert_eq!(schedule(Fault::PartialSend), [] as [u64; 0]);
        assert_eq!(schedule(Fault::Deferred), [10, 30, 60, 120, 240, 240, 240, 240, 240, 240, 240]);
    }

    proptest! {
        #[test]
        fn nothing_is_sent_whole_again_after_pages_were_confirmed(index in 0usize..Fault::ALL.len(), tries in 1i64..5) {
            let next = after(Fault::ALL[index], tries, tries, true, None, RetryRules::default());
            prop_assert_eq!(next, Next::GiveUp);
        }

        #[test]
        fn a_wait_is_never_shorter_than_the_provider_asked(seconds in 0u64..100_000, random in 0.0f64..1.0) {
            let asked = Duration::from_secs(seconds);
            if let Next::Retry { wait, .. } = after(Fault::RateLimited, 1, 1, false, Some(asked), RetryRules::default()) {
                prop_assert!(jitter(wait, random) >= asked);
            }
        }

        #[test]
        fn nothing_is_tried_for_ever_by_its_own_fault(index in 0usize..Fault::ALL.len()) {
            let fault = Fault::ALL[index];
            prop_assume!(costs_try(fault));
            let last = (1..100).find(|tries| after(fault, *tries, *tries, false, None, RetryRules::default()) == Next::GiveUp);
            prop_assert!(last.is_some_and(|last| last <= 12), "{fault}: {last:?}");
            let more = after(fault, 100, 100, false, None, RetryRules::default());
            prop_assert_eq!(more, Next::GiveUp, "and having given up it stays so");
        }

        #[test]
        fn waits_of_one_fault_never_get_shorter(index in 0usize..Fault::ALL.len(), tries in 1i64..12, scale in 1u32..200) {
            let rules = RetryRules { scale_percent: scale, ..RetryRules::default() };
            let wait = |tries| match after(Fault::ALL[index], tries, tries, false, None, rules) {
                Next::Retry { wait, .. } => Some(wait),
                Next::GiveUp => None,
            };
            if let (Some(first), Some(second)) = (wait(tries), wait(tries + 1)) {
                prop_assert!(second >= first);
            }
        }

        #[test]
        fn no_wait_is_longer_than_the_rules_allow_unless_the_provider_asks_for_it(
            index in 0usize..Fault::ALL.len(), tries in 1i64..12, most in 1u64..100_000, asked in prop::option::of(0u64..200_000),
        ) {
            let rules = RetryRules { wait_max: Duration::from_secs(most), ..RetryRules::default() };
            let asked = asked.map(Duration::from_secs);
            if let Next::Retry { wait, .. } = after(Fault::ALL[index], tries, tries, false, asked, rules) {
                prop_assert!(wait <= rules.wait_max.max(asked.unwrap_or_default()));
            }
        }

        #[test]
        fn a_wait_is_stretched_by_at_most_a_half(seconds in 0u64..1_000_000, random in any::<f64>()) {
            let wait = Duration::from_secs(seconds);
            if random.is_finite() {
                prop_assert!(jitter(wait, random) >= wait && jitter(wait, random) <= wait.mul_f64(1.5));
            }
        }
    }
}
