//! What is handed to a provider.

use super::address::{Address, EmailAddress, FaxNumber};
use super::channel::{PhiClass, Purpose};
use super::id::AttemptId;
use super::transport::TransportNote;

/// A finished mail, before the transport adds Message-ID and Date.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Mail {
    /// Display name of the sender.
    pub from_name: String,
    /// The sender's mailbox.
    pub from: EmailAddress,
    /// Where answers go, if not to the sender's mailbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<EmailAddress>,
    /// Display name of the recipient.
    pub to_name: String,
    /// Subject.
    pub subject: String,
    /// text/plain part.
    pub text: String,
    /// text/html part.
    pub html: String,
    /// `List-Unsubscribe` target (RFC 8058), for advertisements and informational mail.
    pub unsubscribe: Option<String>,
    /// Whether to mark it `Auto-Submitted: auto-generated` (RFC 3834): broadcasts yes, one-off letters no.
    pub automatic: bool,
}

/// The content of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A fax document.
    Fax {
        /// The PDF.
        pdf: Vec<u8>,
        /// Its pages.
        pages: u32,
        /// The caller number to show.
        from: FaxNumber,
        /// The sender's name for providers that print it in the header line.
        sender: String,
    },
    /// A mail.
    Mail(Box<Mail>),
}

/// One hand-over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Our reference, given to the provider.
    pub attempt: AttemptId,
    /// The address.
    pub to: Address,
    /// The content.
    pub content: Content,
    /// What it is for.
    pub purpose: Purpose,
    /// Whether it holds health information.
    pub phi: PhiClass,
    /// Where the provider notes how it travelled.
    pub transport: TransportNote,
}
