//! What adapters share: the HTTP client and its interpretation of answers, reading JSON and callbacks, comparing
//! numbers, paging through a provider's listing, and the document as uploaded.

pub(super) mod auth;
pub(super) mod callback;
pub(super) mod client;
pub(super) mod dialect;
pub(super) mod fields;
pub(super) mod form_body;
pub(super) mod letter;
pub mod link;
pub(super) mod listing;
pub(super) mod numbers;
pub(super) mod phaxio_codes;
pub(crate) mod reading;
