//! Who waits for a number: the queue entries of faxes that wait for the end of another call to the same number.

use sqlx::AssertSqlSafe;

use crate::domain::{AddressKey, Timestamp};
use crate::store::engine::db::{Tx, on};
use crate::store::engine::error::StoreError;

// Of several that wait for a number only the first: the others would find it busy again.
const HASTEN_NUMBER: &str = "UPDATE queue_entry SET due_ms = $2 WHERE state = 'waiting' AND id IN (SELECT waiting.id
    FROM message JOIN queue_entry AS waiting ON waiting.subject = message.id
    WHERE message.channel = 'fax' AND message.address_key = $1 AND message.settled_ms IS NULL
    AND message.status = 'queued' AND message.reason = 'number_busy'
    AND waiting.state = 'waiting' AND waiting.kind = 'submit' AND waiting.due_ms > $2
    ORDER BY waiting.rank, waiting.id LIMIT 1";

impl Tx {
    /// Makes the first fax that waits for each of these numbers due now: the call for which it waited has ended. What
    /// another transaction is changing is left alone.
    pub async fn queue_hasten_numbers(&mut self, numbers: &[AddressKey], now: Timestamp) -> Result<(), StoreError> {
        for number in numbers {
            on!(self, |c, d| {
                let text = format!("{HASTEN_NUMBER}{})", d.skip_locked());
                sqlx::query(AssertSqlSafe(text)).bind(number).bind(now).execute(&mut *c).await?;
            });
        }
        Ok(())
    }
}
