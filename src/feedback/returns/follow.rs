//! What follows from returns, in the transaction that records them: an address that is bad or complains is suppressed, an answer
//! opens a conversation, an absence lets automatic letters wait, a request to stop holds what waits for it.

use std::time::Duration;

use chrono::{Datelike, Days, NaiveDate, NaiveTime, TimeZone, Weekday};
use chrono_tz::Tz;

use super::ReturnRules;
use super::replies::{self, ReplyText};
use crate::consent::{self, Refusal};
use crate::domain::id::{ArrivalId, InboxId, MessageId, ReferrerId, ReturnId};
use crate::domain::message::Message;
use crate::domain::returned::{Automatic, MatchedBy, ReturnClass, ReturnKind, ReturnState, Returned};
use crate::domain::suppression::{Scope, SuppressionReason, SuppressionSource};
use crate::domain::{Actor, Address, AddressKey, Fault, OperatorReason, PhiClass, PolicyReason, Timestamp};
use crate::referrers;
use crate::settle::{self, Origin};
use crate::store::records::returns::ReturnRow;
use crate::store::{StoreError, Tx};

/// Soft bounces of different letters after which an address is left alone for a while, within which time, and for how long.
const SOFT_BOUNCES_MAX: i64 = 3;
const SOFT_WITHIN: Duration = Duration::from_secs(30 * 24 * 3600);
const SOFT_LASTS: Duration = Duration::from_secs(30 * 24 * 3600);
/// How long automatic letters wait for somebody who is away without saying until when.
const AWAY_DAYS: u64 = 7;
/// The longest absence that is believed of a mail that names no letter of ours.
const AWAY_UNSIGNED_MAX: Duration = Duration::from_secs(30 * 24 * 3600);
/// The latest day of return that is believed, in days from the absence.
const AWAY_DAYS_MAX: u64 = 366;

/// Where a return was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::feedback) enum Evidence {
    /// In a mail.
    Mail(ArrivalId),
    /// In a callback.
    Callback(InboxId),
}

/// One return, with what it is about.
#[derive(Debug, Clone)]
pub(in crate::feedback) struct Finding {
    /// Where it was read.
    pub evidence: Evidence,
    /// The mailbox or account it came to.
    pub source: String,
    /// What was read.
    pub returned: Returned,
    /// Why it failed.
    pub reason: Option<Fault>,
    /// What kind of answer, and the day of return.
    pub answer: Option<(Automatic, Option<NaiveDate>)>,
    /// Who wrote an answer; of a bounce, the domain that was written to.
    pub sender: Option<String>,
    /// The first line of an answer.
    pub first_line: Option<String>,
    /// All of a person's answer, where that is to be kept.
    pub reply: Option<ReplyText>,
    /// Whether a person may have written an answer, as no header marks it as automatic.
    pub may_be_a_persons: bool,
    /// Whether an answer asks to be sent no more.
    pub asks_to_stop: bool,
    /// How it was found to be about the message.
    pub matched_by: Option<MatchedBy>,
    /// The message, its attempt and the address that was written to.
    pub letter: Option<super::matching::Letter>,
    /// The referrer, where the message does not say who.
    pub referrer: Option<ReferrerId>,
    /// When it was received.
    pub received_ms: Timestamp,
}

impl Finding {
    fn referrer(&self) -> Option<ReferrerId> {
        self.letter.as_ref().map(|letter| letter.message.referrer_id).or(self.referrer)
    }

    /// The letter, if the match is sure enough to act on.
    fn sure_letter(&self) -> Option<&super::matching::Letter> {
        self.letter.as_ref().filter(|_| self.matched_by.is_some_and(MatchedBy::is_sure))
    }

    /// Whether it is about a letter that identifies a patient. A mailer may quote the subject of such a letter, or the whole of it: its words
    /// are kept nowhere.
    pub(super) fn is_about_a_patient(&self) -> bool {
        self.letter.as_ref().is_some_and(|letter| letter.message.phi == PhiClass::Identified)
    }

    /// Whether a person must look at it.
    fn needs_a_person(&self) -> bool {
        match self.returned.kind {
            ReturnKind::Bounce | ReturnKind::Complaint | ReturnKind::Delay | ReturnKind::Delivered => {
                self.sure_letter().is_none()
            }
            ReturnKind::Reply => true,
            ReturnKind::AutoReply => {
                self.may_be_a_persons
                    || self.answer.is_some_and(|(what, _)| matches!(what, Automatic::Moved | Automatic::Challenge))
            }
            ReturnKind::OptOut => self.asks_to_stop || self.sure_letter().is_none(),
            ReturnKind::None => true,
        }
    }

    fn row(&self, id: ReturnId, now: Timestamp) -> ReturnRow {
        let keeps_words = self.letter.as_ref().is_some_and(|letter| letter.message.phi != PhiClass::Identified);
        let state = if self.needs_a_person() { ReturnState::Open } else { ReturnState::Applied };
        let (arrival_id, inbox_id) = match self.evidence {
            Evidence::Mail(id) => (Some(id), None),
            Evidence::Callback(id) => (None, Some(id)),
        };
        ReturnRow {
            id,
            arrival_id,
            inbox_id,
            source: self.source.clone(),
            kind: self.returned.kind,
            class: self.returned.class,
            reason: self.reason,
            automatic: self.answer.map(|(what, _)| what),
            status: self.returned.status.as_deref().and_then(storable),
            diagnostic: storable(&self.returned.diagnostic).filter(|_| keeps_words || self.letter.is_none()),
            verdict_row: self.returned.row.as_deref().and_then(storable),
            recipient: self.returned.recipient.as_deref().and_then(storable),
            address_key: self.letter.as_ref().map(|letter| letter.address.as_str().to_owned()),
            sender: self.sender.as_deref().and_then(storable),
            first_line: self.first_line.as_deref().and_then(storable).filter(|_| keeps_words),
            back_on: self.answer.and_then(|(_, day)| day).map(|day| day.to_string()),
            matched_by: self.matched_by,
            attempt_id: self.letter.as_ref().map(|letter| letter.attempt),
            message_id: self.letter.as_ref().map(|letter| letter.message.id),
            broadcast_id: self.letter.as_ref().and_then(|letter| letter.message.broadcast_id),
            referrer_id: self.referrer(),
            state,
            received_ms: self.received_ms,
            recorded_ms: now,
            outcome: None,
            done_ms: None,
            done_by: None,
        }
    }
}

/// A text of others without control characters: PostgreSQL stores no NUL, and one such mail must not stop those behind it. Empty ones
/// are none.
fn storable(text: &str) -> Option<String> {
    let plain: String = text.chars().filter(|c| !c.is_control()).collect();
    (!plain.is_empty()).then_some(plain)
}

/// What waits to go to a referrer, under whatever record of theirs; locked, on PostgreSQL, if asked for.
///
/// # Errors
/// The database cannot be used.
pub(super) async fn waiting_for(tx: &mut Tx, referrer: ReferrerId, lock: bool) -> Result<Vec<Message>, StoreError> {
    let mut waiting = Vec::new();
    for record in tx.records_of_person(referrer).await? {
        waiting.extend(tx.messages_waiting_for(record, lock).await?);
    }
    Ok(waiting)
}

/// Takes the locks of all that waits for those who ask to be sent no more, addresses before messages, as everywhere: later, touches
/// are locked that the gate locks after such messages.
///
/// # Errors
/// The database cannot be used.
pub(super) async fn lock(tx: &mut Tx, findings: &[Finding]) -> Result<(), StoreError> {
    let asking = findings.iter().filter(|finding| finding.asks_to_stop).filter_map(Finding::referrer);
    let mut waiting = Vec::new();
    for referrer in asking {
        waiting.extend(waiting_for(tx, referrer, false).await?);
    }
    if waiting.is_empty() {
        return Ok(());
    }
    let letters = || findings.iter().filter_map(|finding| finding.letter.as_ref());
    let mut keys: Vec<AddressKey> = letters().map(|letter| letter.address.clone()).collect();
    keys.extend(letters().map(|letter| letter.message.address.key()));
    keys.extend(waiting.iter().map(|message| message.address.key()));
    tx.addresses_lock(&keys).await?;
    let mut ids: Vec<MessageId> = letters().map(|letter| letter.message.id).collect();
    ids.extend(waiting.iter().map(|message| message.id));
    ids.sort_unstable();
    ids.dedup();
    tx.messages(&ids, true).await.map(drop)
}

/// Records returns and does what follows from them. What they say of the letters themselves was settled before.
///
/// # Errors
/// The database cannot be used.
pub(in crate::feedback) async fn record(
    tx: &mut Tx,
    rules: &ReturnRules,
    findings: &[Finding],
    now: Timestamp,
) -> Result<(), StoreError> {
    let rows: Vec<(ReturnId, &Finding)> = findings.iter().map(|finding| (ReturnId::new(), finding)).collect();
    let mut found: Vec<ReturnRow> = rows.iter().map(|(id, finding)| finding.row(*id, now)).collect();
    raise_what_is_about_us(tx, &mut found).await?;
    tx.returns_insert(&found).await?;
    let whole = rows.iter().filter_map(|(id, finding)| Some((*id, finding.reply.as_ref()?, finding.received_ms)));
    replies::keep(tx, &rules.key, &whole.collect::<Vec<_>>()).await?;
    for (id, finding) in rows {
        follow(tx, rules, id, finding, now).await?;
    }
    Ok(())
}

/// A failure because of our account, our domain or how we are known is nobody's at the other end: a person must see it. Of many such, one
/// is enough; a row of them pauses the account (`upkeep::equal_returns`).
async fn raise_what_is_about_us(tx: &mut Tx, found: &mut [ReturnRow]) -> Result<(), StoreError> {
    let is_about_us = |row: &ReturnRow| {
        let reasons = [Fault::AccountError, Fault::PolicyRefusal, Fault::QuotaReached, Fault::ProtocolError];
        row.kind == ReturnKind::Bounce
            && row.class == Some(ReturnClass::Ours)
            // Anybody can send a report that names no letter.
            && row.message_id.is_some()
            && row.matched_by.is_some_and(MatchedBy::is_sure)
            && row.reason.is_some_and(|reason| reasons.contains(&reason))
    };
    let Some(first) = found.iter_mut().find(|row| is_about_us(row)) else { return Ok(()) };
    if !tx.returns_ours_open().await? {
        first.state = ReturnState::Open;
    }
    Ok(())
}

/// Does what follows from one return.
///
/// # Errors
/// The database cannot be used.
pub(in crate::feedback) async fn follow(
    tx: &mut Tx,
    rules: &ReturnRules,
    id: ReturnId,
    finding: &Finding,
    now: Timestamp,
) -> Result<(), StoreError> {
    match finding.returned.kind {
        ReturnKind::Bounce => bounced(tx, id, finding, now).await,
        ReturnKind::Complaint => {
            suppress(tx, id, finding, (Scope::Advertisement, SuppressionReason::Complaint), now).await
        }
        ReturnKind::OptOut if !finding.asks_to_stop => {
            suppress(tx, id, finding, (Scope::Advertisement, SuppressionReason::OptOut), now).await
        }
        ReturnKind::OptOut => {
            answered(tx, finding, now).await?;
            hold_what_waits(tx, finding, now).await
        }
        ReturnKind::Reply => answered(tx, finding, now).await,
        ReturnKind::AutoReply => away(tx, rules, id, finding, now).await,
        ReturnKind::Delay | ReturnKind::Delivered | ReturnKind::None => Ok(()),
    }
}

async fn bounced(tx: &mut Tx, id: ReturnId, finding: &Finding, now: Timestamp) -> Result<(), StoreError> {
    let Some(letter) = finding.sure_letter() else { return Ok(()) };
    match finding.returned.class {
        Some(ReturnClass::Hard) => {
            suppress(tx, id, finding, (Scope::Advertisement, SuppressionReason::Bounced), now).await
        }
        Some(ReturnClass::Soft) => {
            let referrer = letter.message.referrer_id;
            let bounced = tx.returns_soft_since(&letter.address, referrer, now.before(SOFT_WITHIN)).await?;
            if bounced.is_none_or(|letters| letters < SOFT_BOUNCES_MAX) {
                return Ok(());
            }
            suppress_until(
                tx,
                id,
                finding,
                (Scope::Advertisement, SuppressionReason::Bounced),
                Some(now.after(SOFT_LASTS)),
                now,
            )
            .await
        }
        Some(ReturnClass::Ours) | None => Ok(()),
    }
}

async fn suppress(
    tx: &mut Tx,
    id: ReturnId,
    finding: &Finding,
    what: (Scope, SuppressionReason),
    now: Timestamp,
) -> Result<(), StoreError> {
    suppress_until(tx, id, finding, what, None, now).await
}

/// Suppresses the address that the letter was sent to, whatever address the return names: it is the one on record.
async fn suppress_until(
    tx: &mut Tx,
    id: ReturnId,
    finding: &Finding,
    (scope, reason): (Scope, SuppressionReason),
    expires_ms: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(letter) = finding.sure_letter() else { return Ok(()) };
    let Some(address) = address_of(&letter.address, &letter.message) else { return Ok(()) };
    let (source, who) = match (reason, finding.evidence) {
        (SuppressionReason::OptOut, Evidence::Mail(_)) => (SuppressionSource::Email, Actor::Recipient),
        (SuppressionReason::OptOut, Evidence::Callback(_)) => (SuppressionSource::Provider, Actor::Recipient),
        (_, Evidence::Mail(_)) => (SuppressionSource::Email, Actor::provider(&finding.source)),
        (_, Evidence::Callback(_)) => (SuppressionSource::Provider, Actor::provider(&finding.source)),
    };
    let words = crate::domain::fault::clean(&finding.returned.diagnostic, 300);
    let words = Some(words).filter(|words| !words.is_empty() && !finding.is_about_a_patient());
    let refusal = Refusal { address, scope, reason, source, evidence: words, who, because: Some(id), expires_ms };
    consent::suppress_in(tx, &refusal, now).await.map(drop)
}

/// The address on record with that key: the message's own, unless it was corrected since.
fn address_of(key: &AddressKey, message: &Message) -> Option<Address> {
    if message.address.key() == *key {
        return Some(message.address.clone());
    }
    crate::domain::EmailAddress::parse(key.as_str()).ok().map(Address::Email)
}

/// Somebody answered: it is part of their history, and a person is in conversation with them from now on.
async fn answered(tx: &mut Tx, finding: &Finding, now: Timestamp) -> Result<(), StoreError> {
    let Some(referrer) = finding.referrer() else { return Ok(()) };
    // Who answers is not away, unless they said so later.
    for record in tx.records_of_person(referrer).await? {
        tx.away_set(record, Timestamp(0), finding.received_ms, None).await?;
    }
    referrers::conversation::answered_in(tx, referrer, finding.received_ms, now).await
}

/// What waits to go to somebody who asks for no more is held until a person has read the request. Letters about patients are not.
async fn hold_what_waits(tx: &mut Tx, finding: &Finding, now: Timestamp) -> Result<(), StoreError> {
    let Some(referrer) = finding.referrer() else { return Ok(()) };
    let waiting = waiting_for(tx, referrer, true).await?;
    tx.touches_lock(&waiting.iter().map(|message| message.touch_id).collect::<Vec<_>>()).await?;
    // What is held for another reason is held for this one from now on: releasing that must not send it.
    let mut waiting: Vec<Message> = waiting.into_iter().filter(|message| message.purpose.is_outreach()).collect();
    // What only a person may let go stays held for that.
    let by_hand = [PolicyReason::Restored.into(), OperatorReason::HeldByOperator.into()];
    waiting.retain(|message| !message.reason.is_some_and(|reason| by_hand.contains(&reason)));
    let open = tx.attempts_open(&waiting.iter().map(|message| message.id).collect::<Vec<_>>()).await?;
    waiting.retain(|message| !open.iter().any(|attempt| attempt.message_id == message.id));
    let origin = Origin::provider(crate::domain::event::EventSource::Bounce, &finding.source);
    settle::hold(tx, &mut waiting, PolicyReason::AskedToStop.into(), &origin, now).await
}

/// Somebody is away: automatic letters wait until one business day after their return.
async fn away(
    tx: &mut Tx,
    rules: &ReturnRules,
    id: ReturnId,
    finding: &Finding,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some((Automatic::Absence, back_on)) = finding.answer else { return Ok(()) };
    let Some(referrer) = finding.referrer() else { return Ok(()) };
    if referrers::conversation::who_stays(tx, referrer).await?.is_none() {
        return Ok(());
    }
    let until = waits_until(back_on, finding.received_ms, rules.zone);
    // Anybody can write in somebody's name.
    let believed = finding.received_ms.after(AWAY_UNSIGNED_MAX);
    let until = if finding.sure_letter().is_some() { until } else { until.min(believed) };
    if until > now {
        // Under the record that it was told for: that of who stays shows it too, and it is still right if a merge is undone.
        tx.away_set(referrer, until, finding.received_ms, Some(id)).await?;
    }
    Ok(())
}

/// The moment from which letters go to somebody again who is away: the morning of one business day after the day of return, or a
/// week from now where no day is given or believed.
fn waits_until(back_on: Option<NaiveDate>, received: Timestamp, zone: Tz) -> Timestamp {
    let today = received.to_utc().with_timezone(&zone).date_naive();
    let latest = today.checked_add_days(Days::new(AWAY_DAYS_MAX)).unwrap_or(today);
    let day = match back_on.filter(|day| *day >= today && *day <= latest) {
        Some(day) => next_business_day(day),
        None => today.checked_add_days(Days::new(AWAY_DAYS)).unwrap_or(today),
    };
    let local = zone.from_local_datetime(&day.and_time(NaiveTime::MIN)).earliest();
    local.map_or_else(
        || received.after(Duration::from_secs(AWAY_DAYS * 24 * 3600)),
        |it| Timestamp::from_utc(it.to_utc()),
    )
}

fn next_business_day(day: NaiveDate) -> NaiveDate {
    let days = day.iter_days().skip(1);
    days.take(7).find(|day| !matches!(day.weekday(), Weekday::Sat | Weekday::Sun)).unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_wait_for_one_business_day_after_the_return_and_for_a_week_without_a_day() {
        let zone = chrono_tz::America::Chicago;
        let received = Timestamp::from_utc("2026-12-01T15:00:00Z".parse().expect("a time"));
        for (back_on, until) in [
            (Some("2026-12-03"), "2026-12-04T06:00:00Z"),
            (Some("2026-12-04"), "2026-12-07T06:00:00Z"),
            (Some("2026-12-01"), "2026-12-02T06:00:00Z"),
            (Some("2027-01-04"), "2027-01-05T06:00:00Z"),
            (None, "2026-12-08T06:00:00Z"),
            (Some("2026-11-20"), "2026-12-08T06:00:00Z"),
            (Some("2031-01-01"), "2026-12-08T06:00:00Z"),
        ] {
            let day = back_on.map(|day| day.parse().expect("a day"));
            let expected = Timestamp::from_utc(until.parse().expect("a time"));
            assert_eq!(waits_until(day, received, zone), expected, "{back_on:?}");
        }
    }
}
