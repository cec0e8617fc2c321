//! The demo's ledger for a machine.

use serde::Serialize;

use super::stage::Stage;
use crate::domain::Reason;
use crate::domain::{Channel, MessageStatus};
use crate::store::records::referrers::Members;
use crate::store::views::ledger::Ledger;

/// One JSON object: the ledger, and how each referrer fared.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    #[serde(flatten)]
    ledger: Ledger,
    referrers: Vec<ReferrerReport>,
}

/// How one referrer fared.
#[derive(Debug, Serialize)]
pub(super) struct ReferrerReport {
    /// Name.
    pub name: String,
    /// The n of "n of 7".
    pub touches_delivered: i64,
    /// The messages.
    pub messages: Vec<MessageReport>,
}

/// How one message fared.
#[derive(Debug, Serialize)]
pub(super) struct MessageReport {
    /// The channel.
    pub channel: Channel,
    /// How it ended.
    pub status: MessageStatus,
    /// Why, where there is a reason.
    pub reason: Option<Reason>,
}

/// Reads the report from the store.
pub(super) async fn ledger(stage: &Stage, ledger: Ledger) -> anyhow::Result<Report> {
    Ok(Report { ledger, referrers: referrers(stage).await? })
}

/// Every referrer, by priority, with the messages of all touches.
pub(super) async fn referrers(stage: &Stage) -> anyhow::Result<Vec<ReferrerReport>> {
    let mut tx = stage.gateway.store.read().await?;
    let mut reports = Vec::new();
    for referrer in tx.referrers_of(Members::All).await? {
        let mut messages = Vec::new();
        for touch in tx.touches_of(referrer.id, 100).await? {
            for message in tx.messages_of_touch(touch.id).await? {
                messages.push(MessageReport {
                    channel: message.channel(),
                    status: message.status,
                    reason: message.reason,
                });
            }
        }
        let touches_delivered = tx.touches_delivered(referrer.id).await?;
        reports.push(ReferrerReport { name: referrer.display_name(), touches_delivered, messages });
    }
    Ok(reports)
}
