//! Wording: the sentences and words people read, one source for command line, screens, API and alerts. A state is called
//! by the word that database and API use for it; a sentence beside it explains.
//!
//! - `labels`: one word for each state and kind, with a tone; `numbers`: counts as people write them
//! - `faults`, `reasons`: what went wrong or was decided, and what to do about it
//! - `acts`: what people did; `calls`: what to ask on the telephone; [`refusals`]: whom a mail server's refusal is about, and what can be done; [`lists`]: what a
//!   list says of people who are not written to; `hours`: what waits for office hours, and until when; `proposals`: what is
//!   said before a broadcast, and of campaigns that wait; [`quotas`]: how much of an account's quota is used; [`accounts`]: how accounts stand; [`broadcasts`]: that one has paused itself; [`mail_setup`]: what its checks
//!   are called; [`mailboxes`]: what can
//!   be done when one cannot be read
//! - `remedies`: which next step makes sense after a reason; [`attention`]: what needs a person now; [`returns`]: what came back for emails
//!
//! Nothing here knows markup, a database or a terminal, and no sentence repeats an address or a letter's words.

pub mod accounts;
mod acts;
pub mod attention;
pub mod broadcasts;
mod calls;
mod faults;
mod hours;
mod labels;
pub mod lists;
pub mod mail_setup;
pub mod mailboxes;
mod numbers;
mod proposals;
pub mod quotas;
mod reasons;
pub mod refusals;
pub mod remedies;
pub mod returns;

pub use acts::{ActField, audit_act};
pub use calls::{ask_number, ask_permission, declined_by_telephone, given_by_telephone, wrong_number};
pub use faults::{NO_FAULT_KNOWN, fault, fault_advice};
pub use hours::{some_wait, waits_until};
pub use labels::{
    Label, Tone, address_health, attempt_status, capitalized, channel, confidence, disposition, letter, referrer_state,
    referrer_state_means, referrer_type, status, status_means, suppression_scope, touch_kind, touch_standing,
    transport, variable, variables,
};
pub use numbers::{count, grouped};
pub use proposals::{WAITS_FOR_LETTER, missing_basis, waits_for, will_wait_for};
pub use reasons::{advice, dashboard_advice, explain};
