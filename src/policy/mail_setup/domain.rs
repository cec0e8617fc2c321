//! The domain of From: whose it is, and what it says of mail that fails.

use super::dmarc::{Policy, Reading, Walk};
use super::{Facts, Finding, known};

/// A record that every domain may start with: nothing is refused because of it.
const FIRST_RECORD: &str = "v=DMARC1; p=none";

/// Whether the domain is the practice's own.
pub(super) fn from(facts: &Facts) -> Finding {
    let (check, from) = ("from", facts.from.as_str());
    let Some(own_relays) = known::free_mail(from) else {
        return Finding::ok(check, from, format!("letters come from a domain of the practice's own, {from}"));
    };
    let own = "take an address at a domain of the practice's own for practice.email";
    match facts.accounts.iter().find(|account| !known::is_of(&account.host, own_relays)) {
        Some(other) => Finding::breach(
            check,
            from,
            format!(
                "{from} belongs to a mailbox service, and letters from there through {} ({}) fail DMARC: only the service \
                 itself can sign them",
                other.host, other.name
            ),
            format!("{own}, or send through the service's own relay"),
        ),
        None => Finding::advice(
            check,
            from,
            format!("{from} belongs to a mailbox service, whose limits hold and whose name receivers see"),
            own,
        ),
    }
}

/// Whether the domain has a DMARC record that counts.
pub(super) fn dmarc(from: &str, walk: &Walk) -> Finding {
    let check = "dmarc";
    let at = format!("_dmarc.{from}");
    match walk.own() {
        Some(Reading::Several) => {
            let words = format!("{at} has several DMARC records, of which receivers count none");
            return Finding::breach(check, from, words, "leave one of them");
        }
        Some(Reading::Unusable(why)) => {
            let words = format!("the DMARC record at {at} cannot be used: {why}");
            return Finding::breach(check, from, words, format!("publish there: {FIRST_RECORD}"))
                .with_record(at, FIRST_RECORD);
        }
        _ => {}
    }
    match walk.effective() {
        Some((place, record, policy)) => {
            let words = format!("the record at _dmarc.{place} says p={} for letters that fail", policy.as_str());
            if policy == Policy::None && !record.reports {
                let advice =
                    "add rua=mailto:ADDRESS to it to be told who sends in your name, then move to p=quarantine";
                Finding::advice(check, from, words, advice)
            } else {
                Finding::ok(check, from, words)
            }
        }
        None if walk.is_incomplete() => Finding::unanswered(check, from, &at),
        None => Finding::breach(
            check,
            from,
            format!("{from} has no DMARC record; Gmail, Yahoo and Microsoft ask for one from those who write to many"),
            format!("publish a TXT record at {at}: {FIRST_RECORD}; rua=mailto:ADDRESS"),
        )
        .with_record(at, FIRST_RECORD),
    }
}
