//! Identifiers: one type per record, so that a message can never be looked up by an attempt's id. They are UUID
//! version 7 (RFC 9562 §5.7): they sort by creation, which keeps both databases' indexes compact.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        $crate::domain::words::field_column!($name: Uuid);

        impl $name {
            /// A new identifier that sorts after those created before it on this machine.
            #[must_use]
            #[allow(clippy::new_without_default, reason = "an id is an event, not a default value")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::from_str(text.trim()).map(Self)
            }
        }
    )+};
}

ids! {
    /// A referrer.
    ReferrerId;
    /// A request accepted by intake.
    SubmissionId;
    /// A standing plan.
    CampaignId;
    /// One run of a campaign, or one send to a list.
    BroadcastId;
    /// One communication in a referrer's history.
    TouchId;
    /// One recipient, one channel, one rendered content.
    MessageId;
    /// One hand-over to a provider; also the reference that the provider is given.
    AttemptId;
    /// One recorded fact.
    EventId;
    /// One raw callback in the inbox.
    InboxId;
    /// A standing refusal to contact an address.
    SuppressionId;
    /// A recorded permission or relationship.
    BasisId;
    /// An API token.
    TokenId;
    /// A person who may log in.
    OperatorId;
    /// One of a referrer's further locations.
    LocationId;
    /// One import of a list.
    ImportId;
    /// A difference between a correction by hand and a list.
    ConflictId;
    /// One merge of two referrers.
    MergeId;
    /// A mail taken from a mailbox.
    ArrivalId;
    /// What came back about one recipient.
    ReturnId;
}

/// A short form for people: the last eight hexadecimal digits, upper case. Good enough to read over the phone
/// and to find one letter in a history; never used as a key.
#[must_use]
pub fn short(id: &Uuid) -> String {
    let text = id.simple().to_string();
    text[text.len() - 8..].to_uppercase()
}

/// The reference that a person read off a page, if the text is one: eight hexadecimal digits, in any case.
#[must_use]
pub fn reference(text: &str) -> Option<String> {
    let text = text.trim().trim_start_matches('#');
    let is_one = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_one.then(|| text.to_uppercase())
}
