//! Numbers about the reading of mailboxes. Their labels are the mailbox's name in the configuration and how it is read, and words of
//! ours; nothing that a mail or a server says.

use std::time::Duration;

use crate::domain::fault::Fault;
use crate::domain::returned::ReturnKind;
use crate::provider::mailbox::Mailbox;

/// Counts for one mailbox.
#[derive(Debug, Clone, Copy)]
pub(super) struct Numbers<'a>(pub &'a dyn Mailbox);

impl Numbers<'_> {
    fn labels(self) -> [(&'static str, String); 2] {
        [("mailbox", self.0.name().to_owned()), ("protocol", self.0.kind().as_str().to_owned())]
    }

    /// Mails that were read and recorded.
    pub fn read(self, mails: usize) {
        metrics::counter!("touchline_mailbox_mails_read_total", &self.labels()).increment(mails as u64);
    }

    /// A return of ours, new.
    pub fn returned(self, kind: ReturnKind) {
        let [name, protocol] = self.labels();
        let labels = [name, protocol, ("kind", kind.as_str().to_owned())];
        metrics::counter!("touchline_mailbox_returns_total", &labels).increment(1);
    }

    /// Mails that the server does not hand out and that were stepped over.
    pub fn stepped_over(self, mails: usize) {
        metrics::counter!("touchline_mailbox_stepped_over_total", &self.labels()).increment(mails as u64);
    }

    /// A try that failed.
    pub fn failed(self, fault: Fault) {
        let [name, protocol] = self.labels();
        let labels = [name, protocol, ("fault", fault.as_str().to_owned())];
        metrics::counter!("touchline_mailbox_failures_total", &labels).increment(1);
    }

    /// How long a round took that went well.
    pub fn took(self, time: Duration) {
        metrics::histogram!("touchline_mailbox_round_seconds", &self.labels()).record(time.as_secs_f64());
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;
    use crate::domain::fault::Failure;
    use crate::provider::mailbox::{After, MailboxKind, Session};

    #[derive(Debug)]
    struct Named;

    #[async_trait]
    impl Mailbox for Named {
        fn name(&self) -> &str {
            "returns"
        }

        fn kind(&self) -> MailboxKind {
            MailboxKind::Pop3
        }

        fn folders(&self) -> &[String] {
            &[]
        }

        fn after(&self) -> After {
            After::Keep
        }

        async fn open(&self) -> Result<Box<dyn Session>, Failure> {
            Err(Failure::new(Fault::ProviderError))
        }
    }

    #[test]
    fn numbers_are_labeled_by_mailbox_and_protocol_alone() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            let numbers = Numbers(&Named);
            numbers.read(3);
            numbers.returned(ReturnKind::Bounce);
            numbers.stepped_over(2);
            numbers.failed(Fault::AccountError);
            numbers.took(Duration::from_millis(20));
        });
        let shown = handle.render();
        for line in [
            "touchline_mailbox_mails_read_total{mailbox=\"returns\",protocol=\"pop3\"} 3",
            "touchline_mailbox_returns_total{mailbox=\"returns\",protocol=\"pop3\",kind=\"bounce\"} 1",
            "touchline_mailbox_stepped_over_total{mailbox=\"returns\",protocol=\"pop3\"} 2",
            "touchline_mailbox_failures_total{mailbox=\"returns\",protocol=\"pop3\",fault=\"account_error\"} 1",
            "touchline_mailbox_round_seconds_count{mailbox=\"returns\",protocol=\"pop3\"} 1",
        ] {
            assert!(shown.lines().any(|one| one == line), "{line} is not in: {shown}");
        }
    }
}
