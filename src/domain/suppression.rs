//! A standing refusal to contact an address.

use super::actor::Actor;
use super::address_key::AddressKey;
use super::channel::{Channel, Purpose};
use super::clock::Timestamp;
use super::id::{ReturnId, SuppressionId};
use super::words::words;

words! {
    /// The scope of a refusal.
    Scope {
        /// Advertisements and informational letters; treatment correspondence is still sent.
        Advertisement = "advertisement",
        /// Everything.
        All = "all",
    }
}

words! {
    /// Why an address is not contacted.
    SuppressionReason {
        /// They asked not to receive such letters.
        OptOut = "opt_out",
        /// They reported a message as unwanted.
        Complaint = "complaint",
        /// Messages to it bounce.
        Bounced = "bounced",
        /// They must not be contacted at all.
        DoNotContact = "do_not_contact",
        /// Something else; the evidence says what.
        Other = "other",
    }
}

words! {
    /// Where a refusal came in.
    SuppressionSource {
        /// A person recorded it.
        Operator = "operator",
        /// The page behind the link in a letter.
        Web = "web",
        /// A mail program's unsubscribe button (RFC 8058).
        OneClick = "one_click",
        /// A mail that came back, or was sent to opt out.
        Email = "email",
        /// A provider reported it.
        Provider = "provider",
        /// It was in an imported list.
        Import = "import",
        /// Somebody who refused at one address was merged with the person who has this one. It ends with the merge, and gives
        /// way to a refusal of the address itself.
        Merge = "merge",
    }
}

impl Scope {
    /// Whether a letter of that purpose is refused. An opt-out of advertisements never stops a treatment message
    /// (`compliance.md` R2.13).
    #[must_use]
    pub const fn covers(self, purpose: Purpose) -> bool {
        match self {
            Self::All => true,
            Self::Advertisement => purpose.is_outreach(),
        }
    }
}

/// A stored refusal. It belongs to the address, not to the person: all who share a fax number are covered
/// (R2.8). Never deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    /// Identifier.
    pub id: SuppressionId,
    /// Channel of the address.
    pub channel: Channel,
    /// The address's key.
    pub address: AddressKey,
    /// Its scope.
    pub scope: Scope,
    /// Why.
    pub reason: SuppressionReason,
    /// Where the request came in.
    pub source: SuppressionSource,
    /// Evidence.
    pub evidence: Option<String>,
    /// Who recorded it.
    pub who: Actor,
    /// When it was recorded.
    pub created_ms: Timestamp,
    /// When it ended.
    pub lifted_ms: Option<Timestamp>,
    /// Who ended it.
    pub lifted_by: Option<Actor>,
    /// Why it ended.
    pub lifted_reason: Option<String>,
    /// The return that it follows from.
    pub return_id: Option<ReturnId>,
    /// When it ends by itself, where its reason only passes.
    pub expires_ms: Option<Timestamp>,
}
