//! The public JSON: one type for each thing that leaves the program as data, the same for the API, `--json` and webhooks.
//! Times are RFC 3339 in UTC and named `…_at`; identifiers of other things are named after them; words are those of the
//! schema. Addresses are masked unless the caller may operate. Nothing here knows HTTP or a terminal.

pub mod account;
pub mod broadcast;
pub mod failure;
pub mod look_ahead;
pub mod mail_reply;
pub mod mail_setup;
pub mod message;
pub mod operator;
pub mod people;
pub mod referrer;
pub mod returns;
pub mod submission;
pub mod token;
pub mod touch;
pub mod undo;

pub use account::{AccountList, AccountView};
pub use broadcast::{BroadcastCancelledView, BroadcastList, BroadcastView, CampaignView, WaitView};
pub use failure::{CauseView, FailureList, FailureView};
pub use look_ahead::{AccountAheadView, BudgetAheadView, RateAheadView};
pub use mail_reply::{ReplyView, RevivalView, RevivedCauseView, RowView};
pub use mail_setup::{FindingView, MailSetupView};
pub use message::{AttemptView, BilledView, EventView, MessageDetail, MessageView, TlsView};
pub use operator::OperatorView;
pub use referrer::{BasisView, ReferrerView, SuppressionView};
pub use returns::{AsItCameView, HeaderView, ReplyTextView, ReturnPage, ReturnView, SuppressionList};
pub use submission::{CountsView, DryRunView, PlannedMessage, SkippedView, SubmissionView, SubmittedMessage};
pub use token::TokenView;
pub use touch::{TouchPage, TouchView};
pub use undo::UndoneView;
