//! What adapters share: reading answers and callbacks, comparing numbers, paging through a provider's list, the document
//! as it is uploaded.

pub(super) mod callback;
pub(super) mod fields;
pub(super) mod form_body;
pub(super) mod letter;
pub mod link;
pub(super) mod listing;
pub(super) mod numbers;
pub(super) mod phaxio_codes;
pub(crate) mod reading;
