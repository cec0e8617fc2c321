//! The public JSON: one type for each thing that leaves the program as data, the same for the API, `--json` and webhooks.
//! Times are RFC 3339 in UTC and named `…_at`; identifiers of other things are named after them; words are those of the
//! schema. Addresses are masked unless the caller may operate. Nothing here knows HTTP or a terminal.

pub mod broadcast;
pub mod failure;
pub mod mail_reply;
pub mod message;
pub mod operator;
pub mod people;
pub mod referrer;
pub mod returns;
pub mod submission;
pub mod token;
pub mod touch;
pub mod undo;

pub use broadcast::{BroadcastView, CampaignView, WaitView};
pub use failure::{CauseView, FailureList, FailureView};
pub use mail_reply::{ReplyView, RevivalView, RevivedCauseView, RowView};
pub use message::{AttemptView, BilledView, EventView, MessageDetail, MessageView, TlsView};
pub use operator::OperatorView;
pub use referrer::{BasisView, ReferrerView, SuppressionView};
pub use returns::{ReturnPage, ReturnView};
pub use submission::{CountsView, DryRunView, PlannedMessage, SkippedView, SubmissionView, SubmittedMessage};
pub use token::TokenView;
pub use touch::{TouchPage, TouchView};
pub use undo::UndoneView;
