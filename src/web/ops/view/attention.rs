//! What needs a person now: each matter one sentence, with a number and a way to it.

use super::words::{self, Tone};
use crate::accounts::layers::BreakerState;
use crate::store::records::provider_state::ProviderState;
use crate::store::views::ledger::Ledger;

/// One matter that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// How pressing.
    pub tone: Tone,
    /// What it is, as a sentence.
    pub sentence: String,
    /// What to do about it, as the text of a link.
    pub act: &'static str,
    /// Where that is done.
    pub link: &'static str,
}

/// What is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Signs<'a> {
    /// How many messages stand where.
    pub ledger: &'a Ledger,
    /// The accounts' shared states.
    pub providers: &'a [ProviderState],
    /// The accounts that rest now, by name, with why.
    pub resting: &'a [(String, BreakerState)],
    /// Addresses that are known not to work.
    pub dead_addresses: i64,
}

/// Everything that needs a person, what stops the most first.
#[must_use]
pub fn needs(signs: &Signs<'_>) -> Vec<Need> {
    let mut needs = Vec::new();
    needs.extend(signs.providers.iter().filter_map(paused));
    needs.extend(signs.resting.iter().map(|(name, state)| resting(name, state)));
    let ledger = signs.ledger;
    needs.extend(unarrived(ledger.failed + ledger.expired));
    needs.extend(in_doubt(ledger.in_doubt));
    needs.extend(held(ledger.held));
    needs.extend(dead(signs.dead_addresses));
    needs
}

fn paused(state: &ProviderState) -> Option<Need> {
    state.paused_ms?;
    let why = state.paused_reason.as_deref().unwrap_or("no reason was given");
    Some(Need {
        tone: Tone::Bad,
        sentence: format!("{} is paused and sends nothing: {}.", state.provider, why.trim_end_matches('.')),
        act: "Look at the provider",
        link: "/providers",
    })
}

fn resting(name: &str, breaker: &BreakerState) -> Need {
    let why = breaker.fault.map_or("It does not answer as it should.", crate::domain::Fault::explain);
    Need {
        tone: Tone::Warn,
        sentence: format!("{name} rests after {} failures in a row. {why}", breaker.faults),
        act: "Look at the provider",
        link: "/providers",
    }
}

fn unarrived(count: i64) -> Option<Need> {
    (count > 0).then(|| Need {
        tone: Tone::Bad,
        sentence: format!("{} did not arrive.", words::count(count, "message", "messages")),
        act: "See why, and retry",
        link: "/failures",
    })
}

fn in_doubt(count: i64) -> Option<Need> {
    (count > 0).then(|| Need {
        tone: Tone::Warn,
        sentence: format!("{} may or may not have been sent.", words::count(count, "message", "messages")),
        act: "Say what became of it",
        link: "/failures#in_doubt",
    })
}

fn held(count: i64) -> Option<Need> {
    (count > 0).then(|| Need {
        tone: Tone::Warn,
        sentence: match count {
            1 => "1 message is held until somebody releases it.".to_owned(),
            _ => format!("{} messages are held until somebody releases them.", words::grouped(count)),
        },
        act: "Release or cancel",
        link: "/failures#held",
    })
}

fn dead(count: i64) -> Option<Need> {
    (count > 0).then(|| Need {
        tone: Tone::Warn,
        sentence: match count {
            1 => "1 fax number or email address does not work.".to_owned(),
            _ => format!("{} fax numbers or email addresses do not work.", words::grouped(count)),
        },
        act: "Correct the addresses",
        link: "/referrers/addresses",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quiet_day_needs_nobody() {
        let ledger = Ledger { total: 3, delivered: 2, queued: 1, ..Ledger::default() };
        let signs = Signs { ledger: &ledger, providers: &[], resting: &[], dead_addresses: 0 };
        assert_eq!(needs(&signs), []);
    }

    #[test]
    fn what_stops_everything_comes_first_and_each_matter_is_a_sentence() {
        let ledger = Ledger { total: 4, failed: 1, expired: 1, in_doubt: 1, held: 1, ..Ledger::default() };
        let paused = ProviderState {
            provider: "telnyx-main".into(),
            paused_ms: Some(crate::domain::Timestamp(1)),
            paused_reason: Some("no funds.".into()),
            ..ProviderState::default()
        };
        let open =
            BreakerState { faults: 5, fault: Some(crate::domain::Fault::ProviderError), ..BreakerState::default() };
        let resting = [("mail".to_owned(), open)];
        let signs = Signs { ledger: &ledger, providers: &[paused], resting: &resting, dead_addresses: 1 };
        let sentences: Vec<String> = needs(&signs).into_iter().map(|need| need.sentence).collect();
        assert_eq!(
            sentences,
            [
                "telnyx-main is paused and sends nothing: no funds.",
                "mail rests after 5 failures in a row. The provider had trouble or could not be reached.",
                "2 messages did not arrive.",
                "1 message may or may not have been sent.",
                "1 message is held until somebody releases it.",
                "1 fax number or email address does not work.",
            ]
        );
    }
}
