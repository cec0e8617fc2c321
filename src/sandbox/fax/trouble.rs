//! Why the line does not do what a request asks; each guise words it in its own way.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::record::LineError;
use crate::domain::Fault;
use crate::wording;

/// What is wrong with a request, or with the line. The text never contains what was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The key is missing or wrong.
    Key,
    /// There is no such fax.
    NoSuchFax,
    /// There is nothing at this address.
    NoSuchPlace,
    /// There is something at this address, but not for this method.
    WrongMethod,
    /// The fax has ended already.
    TooLate,
    /// The fax has not ended yet.
    NotEnded,
    /// The document is no longer kept.
    NoDocument,
    /// The request, or a field of it, is too large.
    TooLarge,
    /// The request cannot be parsed.
    Unreadable,
    /// A field of the request is wrong.
    Field { name: &'static str, fault: Option<Fault>, why: &'static str },
    /// The number, by script or by chance, is refused with that fault.
    Refused(Fault),
    /// Too many requests; retry after that many seconds.
    SlowDown(u32),
    /// An internal error, with that status.
    Broken(u16),
}

impl Trouble {
    /// Something about a field that says nothing about the number or the document.
    pub(super) const fn field(name: &'static str, why: &'static str) -> Self {
        Self::Field { name, fault: None, why }
    }

    /// The usual status for it.
    pub(super) const fn status(self) -> u16 {
        match self {
            Self::Key => 401,
            Self::NoSuchFax | Self::NoSuchPlace | Self::NoDocument => 404,
            Self::WrongMethod => 405,
            Self::TooLate | Self::NotEnded => 409,
            Self::TooLarge => 413,
            Self::Unreadable => 400,
            Self::Refused(Fault::AccountError) => 402,
            Self::Field { .. } | Self::Refused(_) => 422,
            Self::SlowDown(_) => 429,
            Self::Broken(status) => status,
        }
    }

    /// In plain English.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Key => "the API key is missing or wrong",
            Self::NoSuchFax => "there is no such fax",
            Self::NoSuchPlace => "there is nothing at this address",
            Self::WrongMethod => "this method is not allowed here",
            Self::TooLate => "the fax has ended already",
            Self::NotEnded => "the fax has not ended yet",
            Self::NoDocument => "the document is no longer kept",
            Self::TooLarge => "the request is too large",
            Self::Unreadable => "the request cannot be read",
            Self::Field { why, .. } => why,
            Self::Refused(fault) => wording::fault(fault),
            Self::SlowDown(_) => "too many requests",
            Self::Broken(_) => "internal error",
        }
    }

    /// What it says about the fax, where it says anything.
    pub(super) const fn fault(self) -> Option<Fault> {
        match self {
            Self::Field { fault, .. } => fault,
            Self::Refused(fault) => Some(fault),
            _ => None,
        }
    }

    /// The answer with that body, and the wait where one is asked for.
    pub(super) fn answer(self, status: u16, media_type: &'static str, body: impl Into<axum::body::Body>) -> Response {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, [(header::CONTENT_TYPE, media_type)], body.into()).into_response();
        if let Self::SlowDown(seconds) = self {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<LineError> for Trouble {
    fn from(error: LineError) -> Self {
        match error {
            LineError::NotFound => Self::NoSuchFax,
            LineError::TooLate => Self::TooLate,
            LineError::NotEnded => Self::NotEnded,
            LineError::Full => Self::SlowDown(1),
            LineError::Journal => Self::Broken(500),
        }
    }
}

impl IntoResponse for Trouble {
    /// A marker for the layer that words it for the guise.
    fn into_response(self) -> Response {
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        response.extensions_mut().insert(self);
        response
    }
}
