//! What a return was read in, as it came: the mail, or the callback of the mail provider that reported it.

use crate::domain::Timestamp;
use crate::domain::callback::CallbackForm;
use crate::feedback::callback;
use crate::store::records::returns::ReturnRow;
use crate::store::{StoreError, Tx};

/// What a return was read in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AsItCame {
    /// A mail, octet for octet; of a larger one, its first 4 MiB.
    Mail(Vec<u8>),
    /// A verified callback: the headers that say what it is about and prove it, and the body, octet for octet. Of the headers, no
    /// secret is kept.
    Callback {
        /// Name and value of each header.
        headers: Vec<(String, String)>,
        /// At most 4 MiB.
        body: Vec<u8>,
    },
    /// It was kept, until then.
    Purged(Timestamp),
    /// It is not kept, and perhaps never was, as people's answers are not.
    NotKept,
}

/// What a return was read in, as far as it is kept. May hold what the letter held: whoever shows that of a letter about a patient
/// records the view first.
///
/// # Errors
/// The database cannot be used.
pub async fn as_it_came(tx: &mut Tx, row: &ReturnRow) -> Result<AsItCame, StoreError> {
    if let Some(arrival) = row.arrival_id
        && let Some(mail) = tx.arrival_body(arrival).await?
    {
        return Ok(AsItCame::Mail(mail));
    }
    if let Some(inbox) = row.inbox_id
        && let Some(kept) = tx.inbox_callback(inbox).await?
        && kept.form == CallbackForm::Raw
        && let Some(parts) = kept.content.and_then(callback::decode)
    {
        return Ok(AsItCame::Callback { headers: parts.headers, body: parts.body });
    }
    Ok(tx.return_purged(row.id).await?.map_or(AsItCame::NotKept, AsItCame::Purged))
}
