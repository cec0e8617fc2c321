//! What adapters share: the HTTP client and its interpretation of answers, reading JSON and callbacks, comparing
//! numbers, paging through a provider's listing, the document as uploaded, and what descriptions of providers are made of:
//! pointers, signatures, and mistakes with their places.

pub(super) mod auth;
pub(super) mod callback;
pub(super) mod client;
pub(super) mod description_file;
pub(super) mod dialect;
pub(super) mod fields;
pub(super) mod form_body;
pub(super) mod letter;
pub mod link;
pub(super) mod listing;
pub(super) mod numbers;
pub(super) mod phaxio_codes;
pub(super) mod pointer;
pub(super) mod problem;
pub(crate) mod reading;
pub(super) mod signature;
