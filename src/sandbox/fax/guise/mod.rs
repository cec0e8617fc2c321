//! What the line imitates: its own service, or a provider that practices use, over that provider's paths and in its
//! formats, so that a practice can rehearse with the adapter it will send with. Written from what the providers publish;
//! where that says nothing, the simplest answer is given.

mod interfax;
mod own;
mod phaxio;
mod telnyx;

use std::str::FromStr;
use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::desk::Desk;
use super::hooks::{Delivery, Message};
use super::notice::Notice;
use super::record::{Fax, Naming};
use super::trouble::Trouble;
use crate::domain::Fault;

pub use own::{SIGNATURE_HEADER, TIMESTAMP_HEADER};
pub use telnyx::public_key as telnyx_public_key;

/// What a line imitates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Guise {
    /// Itself.
    #[default]
    Own,
    /// Telnyx Programmable Fax, API version 2.
    Telnyx,
    /// Phaxio, version 2.1.
    Phaxio,
    /// InterFAX REST.
    InterFax,
}

impl Guise {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Own, Self::Telnyx, Self::Phaxio, Self::InterFax];

    /// The kind of provider that sends through it.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Own => "sandbox",
            Self::Telnyx => "telnyx",
            Self::Phaxio => "phaxio",
            Self::InterFax => "interfax",
        }
    }

    /// Its name for people.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Own => "Sandbox",
            Self::Telnyx => "Telnyx",
            Self::Phaxio => "Phaxio",
            Self::InterFax => "InterFAX",
        }
    }

    /// What follows the line's address in an adapter's `base_url`.
    #[must_use]
    pub const fn base_path(self) -> &'static str {
        match self {
            Self::Own | Self::InterFax => "",
            Self::Telnyx => "/v2",
            Self::Phaxio => "/v2.1",
        }
    }

    pub(super) const fn naming(self) -> Naming {
        match self {
            Self::Own => Naming::Own,
            Self::Telnyx => Naming::Uuid,
            Self::Phaxio | Self::InterFax => Naming::Number,
        }
    }

    /// Whether such a refusal is reported in the answer to the request; else the fax is accepted and fails.
    pub(super) const fn refuses_at_once(self, fault: Fault) -> bool {
        match self {
            Self::Own => true,
            Self::InterFax if matches!(fault, Fault::Blocked) => true,
            _ => matches!(fault, Fault::InvalidNumber | Fault::DocumentError | Fault::AccountError),
        }
    }

    pub(super) fn routes(self) -> Router<Arc<Desk>> {
        match self {
            Self::Own => own::routes(),
            Self::Telnyx => telnyx::routes(),
            Self::Phaxio => phaxio::routes(),
            Self::InterFax => interfax::routes(),
        }
    }

    pub(super) fn words_for(self, trouble: Trouble) -> Response {
        match self {
            Self::Own => own::words_for(trouble),
            Self::Telnyx => telnyx::words_for(trouble),
            Self::Phaxio => phaxio::words_for(trouble),
            Self::InterFax => interfax::words_for(trouble),
        }
    }

    /// The events that are reported when a call begins, in order.
    pub(super) const fn stages_at_start(self) -> &'static [&'static str] {
        match self {
            Self::Own => &["fax.dialing"],
            Self::Telnyx => &["fax.queued", "fax.media.processed", "fax.sending.started"],
            Self::Phaxio | Self::InterFax => &[],
        }
    }

    /// The event that is reported when it has ended.
    pub(super) fn stage_at_end(self, fax: &Fax) -> &'static str {
        let is_delivered = fax.status == super::FaxStatus::Delivered;
        match self {
            Self::Own | Self::Telnyx if is_delivered => "fax.delivered",
            Self::Own | Self::Telnyx => "fax.failed",
            Self::Phaxio => "fax_completed",
            Self::InterFax => "outbound",
        }
    }

    pub(super) fn message(self, notice: &Notice, delivery: &Delivery<'_>) -> Message {
        match self {
            Self::Own => own::message(notice, delivery),
            Self::Telnyx => telnyx::message(notice, delivery),
            Self::Phaxio => phaxio::message(notice, delivery),
            Self::InterFax => interfax::message(notice),
        }
    }

    /// The URL a forger uses: where nothing is signed, only a secret in the address keeps forgeries out.
    pub(super) fn forgers_url(self, url: &str) -> String {
        match (self, url.rsplit_once('/')) {
            (Self::InterFax, Some((before, _))) => format!("{before}/a-forger-can-only-guess"),
            _ => url.to_owned(),
        }
    }
}

impl FromStr for Guise {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|guise| guise.kind() == text);
        found.ok_or_else(|| format!("{text} is none of sandbox, telnyx, phaxio, interfax"))
    }
}

/// Whether a request carries the account's key, as such a provider expects it.
pub(super) fn is_authorized(desk: &Desk, headers: &HeaderMap) -> bool {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match desk.guise {
        Guise::Own | Guise::Telnyx => given.strip_prefix("Bearer ").is_some_and(|key| desk.knows(None, key)),
        Guise::Phaxio | Guise::InterFax => {
            let decoded = given.strip_prefix("Basic ").and_then(|text| BASE64.decode(text).ok());
            let decoded = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
            let pair = decoded.as_deref().and_then(|text| text.split_once(':'));
            pair.is_some_and(|(account, key)| desk.knows(Some(account), key))
        }
    }
}
