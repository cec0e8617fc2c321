//! Policy: one pure function over facts that were read in the same transaction as the hand-over. Each verdict carries a
//! reason that a person can act on.

pub mod hours;
pub mod mail_setup;
pub mod repeat;
pub mod undo;
pub mod zones;

use std::time::Duration;

pub use crate::domain::reason::PolicyReason;

use crate::domain::basis::Basis;
use crate::domain::health::Health;
use crate::domain::referrer::ReferrerState;
use crate::domain::suppression::{Scope, SuppressionReason};
use crate::domain::{Channel, Lane, PhiClass, Purpose, Timestamp};

/// Everything the decision depends on.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// What the letter is for.
    pub purpose: Purpose,
    /// Whether it contains health information.
    pub phi: PhiClass,
    /// How it travels.
    pub channel: Channel,
    /// Class of work.
    pub lane: Lane,
    /// Whether a person released it from a hold.
    pub released: bool,
    /// Whether the referrer is contacted.
    pub referrer: ReferrerState,
    /// Whether the referrer refuses letters by this channel, at whatever address.
    pub refuses_channel: bool,
    /// The address's health, from experience.
    pub health: Health,
    /// Suppressions of the address in effect.
    pub refusals: &'a [(Scope, SuppressionReason)],
    /// Bases of the number.
    pub bases: &'a [Basis],
    /// Whether only permission counts as a basis.
    pub permission_only: bool,
    /// Whether the routes name an account for it.
    pub routed: bool,
    /// Whether one of those has a business associate agreement.
    pub baa: bool,
    /// Whether the number is being called right now for another message.
    pub number_busy: bool,
    /// The moment it would be handed over.
    pub now: Timestamp,
    /// Until when the recipient's office is closed ([`hours::Hours::closed_until`]); `None` if it is open.
    pub closed_until: Option<Timestamp>,
    /// Whether a person decided that it may go at any hour.
    pub any_hour: bool,
}

/// What is to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Hand it over.
    Allow,
    /// Not before this moment; costs no try.
    Defer(PolicyReason, Timestamp),
    /// Hold it until a person decides.
    Hold(PolicyReason),
    /// Never send it.
    Deny(PolicyReason),
}

/// How long a message waits while another call to the same number is under way.
const NUMBER_BUSY: Duration = Duration::from_secs(20);

/// Decides. Suppressions come first, then what needs a person, then what only needs time.
#[must_use]
pub fn decide(facts: &Facts<'_>) -> Verdict {
    let outreach = keeps_office_hours(facts.purpose);
    let refuses = facts.refuses_channel && Scope::Advertisement.covers(facts.purpose);
    if refuses {
        return Verdict::Deny(PolicyReason::OptedOut);
    }
    if let Some(reason) = refusal(facts) {
        return Verdict::Deny(reason);
    }
    if facts.referrer == ReferrerState::DoNotContact && facts.purpose != Purpose::Treatment {
        return Verdict::Deny(PolicyReason::DoNotContact);
    }
    if facts.channel == Channel::Fax && facts.purpose == Purpose::Advertisement && !has_basis(facts) {
        return Verdict::Deny(PolicyReason::NoBasis);
    }
    if facts.health == Health::Dead && facts.purpose != Purpose::Treatment {
        return Verdict::Deny(PolicyReason::DeadAddress);
    }
    if !facts.routed {
        return Verdict::Hold(PolicyReason::NoRoute);
    }
    if facts.phi == PhiClass::Identified && !facts.baa {
        return Verdict::Hold(PolicyReason::NoBaa);
    }
    if !facts.released {
        if facts.health == Health::Dead {
            return Verdict::Hold(PolicyReason::DeadAddress);
        }
        match facts.referrer {
            ReferrerState::Paused if outreach => return Verdict::Hold(PolicyReason::ReferrerPaused),
            ReferrerState::ConversationOpen if outreach && facts.lane == Lane::Broadcast => {
                return Verdict::Hold(PolicyReason::ConversationOpen);
            }
            _ => {}
        }
    }
    if let Some(until) = facts.closed_until
        && outreach
        && !facts.any_hour
    {
        return Verdict::Defer(PolicyReason::OutsideOfficeHours, until);
    }
    if facts.number_busy {
        return Verdict::Defer(PolicyReason::NumberBusy, facts.now.after(NUMBER_BUSY));
    }
    Verdict::Allow
}

/// Whether letters of that purpose go out in the recipient's office hours only: what is sent to win or keep a referrer.
/// Letters about patients, and those that keep the work going, never wait for the clock.
#[must_use]
pub const fn keeps_office_hours(purpose: Purpose) -> bool {
    purpose.is_outreach()
}

/// Why a suppression of the address covers the letter: somebody's refusal before what only came back.
fn refusal(facts: &Facts<'_>) -> Option<PolicyReason> {
    let covering = facts.refusals.iter().filter(|(scope, _)| scope.covers(facts.purpose));
    covering.map(|(_, reason)| suppressed_because(*reason)).min_by_key(|reason| *reason == PolicyReason::DeadAddress)
}

/// Why a letter to a suppressed address is not sent.
#[must_use]
pub const fn suppressed_because(reason: SuppressionReason) -> PolicyReason {
    match reason {
        SuppressionReason::Bounced => PolicyReason::DeadAddress,
        SuppressionReason::OptOut
        | SuppressionReason::Complaint
        | SuppressionReason::DoNotContact
        | SuppressionReason::Other => PolicyReason::OptedOut,
    }
}

fn has_basis(facts: &Facts<'_>) -> bool {
    facts.bases.iter().any(|basis| basis.is_sufficient(facts.permission_only))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts<'static> {
        Facts {
            purpose: Purpose::Advertisement,
            phi: PhiClass::None,
            channel: Channel::Email,
            lane: Lane::Broadcast,
            released: false,
            referrer: ReferrerState::Active,
            refuses_channel: false,
            health: Health::Unverified,
            refusals: &[],
            bases: &[],
            permission_only: false,
            routed: true,
            baa: false,
            number_busy: false,
            now: Timestamp(0),
            closed_until: None,
            any_hour: false,
        }
    }

    #[test]
    fn outside_office_hours_only_letters_to_win_a_referrer_wait_and_a_person_may_say_otherwise() {
        let until = Timestamp(1_000);
        for purpose in Purpose::ALL.iter().copied() {
            let closed = Facts { purpose, closed_until: Some(until), ..facts() };
            let waits = matches!(purpose, Purpose::Advertisement | Purpose::Informational);
            let expected = Verdict::Defer(PolicyReason::OutsideOfficeHours, until);
            assert_eq!(decide(&closed), if waits { expected } else { Verdict::Allow }, "{purpose}");
            assert_eq!(decide(&Facts { released: true, ..closed.clone() }), decide(&closed), "a release is no hurry");
            assert_eq!(decide(&Facts { any_hour: true, ..closed }), Verdict::Allow);
        }
        let refused =
            Facts { closed_until: Some(until), refusals: &[(Scope::All, SuppressionReason::OptOut)], ..facts() };
        assert_eq!(decide(&refused), Verdict::Deny(PolicyReason::OptedOut), "what may not go does not wait");
    }

    #[test]
    fn a_busy_number_is_tried_again_in_a_moment() {
        let busy = Facts { number_busy: true, now: Timestamp(5_000), ..facts() };
        assert_eq!(decide(&busy), Verdict::Defer(PolicyReason::NumberBusy, Timestamp(25_000)));
    }

    #[test]
    fn an_advertisement_is_never_faxed_without_a_basis_but_may_be_mailed() {
        assert_eq!(decide(&facts()), Verdict::Allow);
        assert_eq!(decide(&Facts { channel: Channel::Fax, ..facts() }), Verdict::Deny(PolicyReason::NoBasis));
        let released = Facts { channel: Channel::Fax, released: true, ..facts() };
        assert_eq!(decide(&released), Verdict::Deny(PolicyReason::NoBasis), "a release is no basis");
    }

    #[test]
    fn an_opt_out_of_advertisements_does_not_stop_treatment_letters() {
        let refused = Facts { refusals: &[(Scope::Advertisement, SuppressionReason::OptOut)], ..facts() };
        assert_eq!(decide(&refused), Verdict::Deny(PolicyReason::OptedOut));
        let report = Facts { purpose: Purpose::Treatment, phi: PhiClass::Identified, baa: true, ..refused.clone() };
        assert_eq!(decide(&report), Verdict::Allow);
        let all = Facts { refusals: &[(Scope::All, SuppressionReason::OptOut)], ..report };
        assert_eq!(decide(&all), Verdict::Deny(PolicyReason::OptedOut));
    }

    #[test]
    fn health_information_is_held_when_no_account_has_an_agreement() {
        let report = Facts { purpose: Purpose::Treatment, phi: PhiClass::Identified, released: true, ..facts() };
        assert_eq!(decide(&report), Verdict::Hold(PolicyReason::NoBaa));
    }

    #[test]
    fn what_no_route_is_meant_for_is_held_and_a_release_makes_no_route() {
        let nowhere = Facts { routed: false, ..facts() };
        assert_eq!(decide(&nowhere), Verdict::Hold(PolicyReason::NoRoute));
        assert_eq!(decide(&Facts { released: true, ..nowhere }), Verdict::Hold(PolicyReason::NoRoute));
    }

    #[test]
    fn an_open_conversation_holds_broadcasts_and_a_release_lets_them_go() {
        let open = Facts { referrer: ReferrerState::ConversationOpen, ..facts() };
        assert_eq!(decide(&open), Verdict::Hold(PolicyReason::ConversationOpen));
        assert_eq!(decide(&Facts { released: true, ..open.clone() }), Verdict::Allow);
        assert_eq!(decide(&Facts { lane: Lane::OneOff, ..open }), Verdict::Allow);
    }
}
