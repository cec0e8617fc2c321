//! Placeholder until its author arrives.
use super::{Account, Capabilities, Provider, Reconciliation, SettingsError, Spec, WebhookAuthenticity};
use crate::domain::Channel;
use std::sync::Arc;

/// The kind.
pub const SPEC: Spec = Spec {
    kind: "smtp",
    title: "smtp",
    channel: Channel::Fax,
    capabilities: Capabilities {
        reconciliation: Reconciliation::None,
        status: false,
        cancel: false,
        purge: false,
        webhook: WebhookAuthenticity::NoWebhook,
        redials: false,
        stamps_header: false,
        pages_max: None,
        bytes_max: None,
    },
    settings: &[],
    sources: &[],
    build,
};

fn build(_account: Account) -> Result<Arc<dyn Provider>, SettingsError> {
    Err(SettingsError("not there yet".into()))
}
