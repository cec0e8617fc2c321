//! Since when the mail of a mailbox is read. What came before the first letter cannot be about a letter; so years of old bounces in an
//! office's mailbox are nobody's work (decision 58).

use std::time::Duration;

use chrono::{NaiveDate, NaiveTime, TimeZone};
use chrono_tz::Tz;

use super::Parts;
use crate::domain::Timestamp;
use crate::provider::mailbox::Mailbox;
use crate::store::records::mailboxes::Begun;
use crate::store::{StoreError, Tx};

/// Nothing older is read at first, unless somebody writes `since`. Returns come within days; absences and answers within weeks.
const BACK_MAX: Duration = Duration::from_secs(30 * 24 * 3_600);
/// The clocks of servers differ.
const CLOCKS: Duration = Duration::from_secs(24 * 3_600);

/// Where the reading of a mailbox stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beginning {
    /// Mail received before is not read. `None` in a mailbox that was read before there was such a rule.
    pub since: Option<Timestamp>,
    /// Whether it was read to its end before.
    pub was_read: bool,
}

/// Where the reading of a mailbox stands, or would stand if it began now. `zone` is that in which a configured day begins.
///
/// # Errors
/// The database cannot be used.
pub async fn beginning(tx: &mut Tx, mailbox: &dyn Mailbox, zone: Tz, now: Timestamp) -> Result<Beginning, StoreError> {
    let begun = tx.mailbox_begun(mailbox.name()).await?;
    if let Some(Begun { since_ms, read_ms, .. }) = begun
        && (since_ms.is_some() || read_ms.is_some())
    {
        return Ok(Beginning { since: since_ms, was_read: read_ms.is_some() });
    }
    let known = begun.map_or(now, |begun| begun.known_ms);
    let configured = mailbox.since().and_then(|day| start_of(day, zone));
    let first_mailed = if configured.is_none() { tx.first_mailed().await? } else { None };
    Ok(Beginning { since: Some(since(configured, first_mailed, known)), was_read: false })
}

/// The same for the node that reads it, which decides it for good before the first reading.
pub(super) async fn begin(parts: &Parts, mailbox: &dyn Mailbox) -> Result<Option<Timestamp>, StoreError> {
    let mut tx = parts.store.read().await?;
    let decided = tx.mailbox_begun(mailbox.name()).await?.and_then(|begun| begun.since_ms);
    if decided.is_some() {
        return Ok(decided);
    }
    let begins = beginning(&mut tx, mailbox, parts.returns.zone, parts.clock.now()).await?;
    drop(tx);
    if let Some(since) = begins.since {
        let mut tx = parts.store.write().await?;
        tx.mailbox_begin(mailbox.name(), parts.queue.node(), since).await?;
        tx.commit().await?;
    }
    Ok(begins.since)
}

/// Mail that comes once the mailbox is known is read, whatever is configured.
fn since(configured: Option<Timestamp>, first_mailed: Option<Timestamp>, known: Timestamp) -> Timestamp {
    let by_letters = || first_mailed.unwrap_or(known).before(CLOCKS).max(known.before(BACK_MAX));
    configured.unwrap_or_else(by_letters).min(known)
}

fn start_of(day: NaiveDate, zone: Tz) -> Option<Timestamp> {
    let midnight = zone.from_local_datetime(&day.and_time(NaiveTime::MIN)).earliest();
    // Where clocks are set forward at midnight, that day has none.
    let midnight = midnight.map(|at| at.to_utc()).unwrap_or_else(|| day.and_time(NaiveTime::MIN).and_utc());
    Timestamp::written(midnight)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 3_600_000;

    #[test]
    fn mail_is_read_since_the_first_letter_and_from_thirty_days_back_at_most() {
        let now = Timestamp(1_000 * DAY);
        let days_ago = |days: i64| Timestamp(now.0 - days * DAY);
        for (what, configured, first_mailed, since_when) in [
            ("nothing was sent yet", None, None, 1),
            ("the first letter, and a day for the clocks", None, Some(3), 4),
            ("a letter of long ago", None, Some(700), 30),
            ("as configured", Some(400), Some(3), 400),
            ("as configured, later than the first letter", Some(2), Some(20), 2),
            ("a day that has not come", Some(-50), Some(3), 0),
        ] {
            let found = since(configured.map(days_ago), first_mailed.map(days_ago), now);
            assert_eq!(found, days_ago(since_when), "{what}");
        }
    }

    #[test]
    fn a_day_begins_in_the_practices_time_zone() {
        let day = |text: &str| text.parse::<NaiveDate>().expect("a day");
        let at = |text: &str, zone: Tz| start_of(day(text), zone).map(|at| at.to_string());
        assert_eq!(at("2026-11-01", Tz::America__Chicago).as_deref(), Some("2026-11-01T05:00:00.000Z"));
        assert_eq!(at("2019-11-03", Tz::America__Sao_Paulo).as_deref(), Some("2019-11-03T03:00:00.000Z"));
        assert_eq!(at("2018-11-04", Tz::America__Sao_Paulo).as_deref(), Some("2018-11-04T00:00:00.000Z"));
    }
}
