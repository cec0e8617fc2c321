//! The reckoning after a run: the database's own account of every message and attempt, compared with the journals of
//! the far side, which no kill can touch. Every figure of the promise is checked against both.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;

use ring::digest::{SHA256, digest};
use serde::Deserialize;
use touchline::domain::attempt::{Attempt, AttemptStatus};
use touchline::domain::id::{AttemptId, MessageId};
use touchline::domain::message::Message;
use touchline::domain::{Channel, MessageStatus};
use touchline::provider::mail;
use touchline::sandbox::fax::{Entry, Happened};
use touchline::store::Store;
use touchline::store::views::ledger::{Ledger, LedgerOf};
use touchline::store::views::lists::LinesOf;

/// A mail that reached its recipient, as the catcher's journal tells.
#[derive(Debug, Clone, Deserialize)]
pub struct Mailed {
    pub to_hash: String,
    pub message_id: String,
    pub at_ms: i64,
}

/// All that there is to know about a run.
pub struct Reckoning {
    pub ledger: Ledger,
    pub depth: i64,
    pub messages: HashMap<MessageId, Message>,
    pub attempts: HashMap<AttemptId, Attempt>,
    pub faxed: Vec<Entry>,
    pub mailed: Vec<Mailed>,
}

impl Reckoning {
    /// Reads everything.
    pub async fn of(store: &Store, folder: &Path) -> Self {
        let mut tx = store.read().await.expect("the store can be read");
        let lines = tx.message_lines(LinesOf::default(), 100_000).await.expect("read");
        let ids: Vec<MessageId> = lines.iter().map(|line| line.id).collect();
        let messages = tx.messages(&ids, false).await.expect("read");
        let mut attempts = HashMap::new();
        for id in ids {
            attempts.extend(tx.attempts_of(id).await.expect("read").into_iter().map(|one| (one.id, one)));
        }
        Self {
            ledger: tx.ledger(LedgerOf::Everything).await.expect("a ledger"),
            depth: tx.queue_depth().await.expect("a depth"),
            messages: messages.into_iter().map(|one| (one.id, one)).collect(),
            attempts,
            faxed: journal(&folder.join("fax.jsonl")),
            mailed: journal(&folder.join("mail.jsonl")),
        }
    }

    /// Holds every promise against the run.
    ///
    /// # Panics
    /// With what is not as promised.
    pub fn check(&self, total: i64) {
        let mut wrong = String::new();
        self.adds_up(total, &mut wrong);
        self.every_call_is_on_record(&mut wrong);
        self.nobody_was_reached_twice(&mut wrong);
        self.nothing_is_lost(&mut wrong);
        self.doubt_is_where_it_may_be(&mut wrong);
        self.one_call_at_a_time(&mut wrong);
        assert!(wrong.is_empty(), "broken promises:\n{wrong}{:?}", self.ledger);
    }

    /// The ledger adds up, and nothing is left that could still happen.
    fn adds_up(&self, total: i64, wrong: &mut String) {
        let l = &self.ledger;
        let ends = l.delivered + l.failed + l.suppressed + l.cancelled + l.expired + l.in_doubt;
        if l.total != total || ends != total || self.depth != 0 || self.messages.len() as i64 != total {
            writeln!(wrong, "{total} were accepted, {ends} have ended, {} wait", self.depth).expect("text");
        }
    }

    /// Whoever was called or written to, there is an attempt for it, and it is older than the call.
    fn every_call_is_on_record(&self, wrong: &mut String) {
        let faxes = self.faxes(Happened::Accepted).map(|entry| (entry.reference.parse().ok(), entry.at_ms));
        let mails = self.mailed.iter().map(|mail| (mail::attempt_of(&mail.message_id), mail.at_ms));
        let mut calls: HashMap<AttemptId, usize> = HashMap::new();
        for (attempt, at_ms) in faxes.chain(mails) {
            let known = attempt.and_then(|id: AttemptId| self.attempts.get(&id));
            match known {
                Some(attempt) if attempt.opened_ms.0 <= at_ms => *calls.entry(attempt.id).or_default() += 1,
                Some(attempt) => writeln!(wrong, "attempt {} is younger than its call", attempt.id).expect("text"),
                None => writeln!(wrong, "a call without an attempt on record").expect("text"),
            }
        }
        for (attempt, times) in calls.into_iter().filter(|(_, times)| *times > 1) {
            writeln!(wrong, "attempt {attempt} was handed over {times} times").expect("text");
        }
    }

    fn nobody_was_reached_twice(&self, wrong: &mut String) {
        for (message, times) in self.arrivals().into_iter().filter(|(_, times)| *times > 1) {
            let message = &self.messages[&message];
            writeln!(wrong, "the same letter came {times} times by {}: {}", message.channel(), self.story(message.id))
                .expect("text");
        }
    }

    /// What counts as delivered arrived, and what arrived counts as delivered or is in doubt.
    fn nothing_is_lost(&self, wrong: &mut String) {
        let arrivals = self.arrivals();
        for message in self.messages.values() {
            let arrived = arrivals.contains_key(&message.id);
            let fits = match message.status {
                MessageStatus::Delivered => arrived,
                MessageStatus::InDoubt => true,
                _ => !arrived,
            };
            if !fits {
                let (status, story) = (message.status, self.story(message.id));
                writeln!(wrong, "a message is {status}; arrived: {arrived}; {story}").expect("text");
            }
        }
    }

    /// A fax can be looked up by our reference, so only mail may be in doubt; each has one open attempt that says so, and
    /// nothing else is open.
    fn doubt_is_where_it_may_be(&self, wrong: &mut String) {
        let mut open: HashMap<MessageId, Vec<AttemptStatus>> = HashMap::new();
        for attempt in self.attempts.values().filter(|attempt| attempt.status.is_open()) {
            open.entry(attempt.message_id).or_default().push(attempt.status);
        }
        for message in self.messages.values() {
            let in_doubt = message.status == MessageStatus::InDoubt;
            let wanted: &[AttemptStatus] = if in_doubt { &[AttemptStatus::InDoubt] } else { &[] };
            let found = open.get(&message.id).map_or(&[][..], Vec::as_slice);
            if found != wanted || (in_doubt && message.channel() != Channel::Email) {
                let (channel, status) = (message.channel(), message.status);
                writeln!(wrong, "a {channel} is {status} and has open attempts {found:?}").expect("text");
            }
        }
    }

    /// No number has two calls under way at once, whoever makes them.
    fn one_call_at_a_time(&self, wrong: &mut String) {
        let mut calls: HashMap<&str, Vec<(i64, i64)>> = HashMap::new();
        for begin in self.faxes(Happened::Accepted) {
            let end = self.faxed.iter().find(|entry| entry.id == begin.id && entry.event != Happened::Accepted);
            calls.entry(&begin.to_hash).or_default().push((begin.at_ms, end.map_or(i64::MAX, |entry| entry.at_ms)));
        }
        for times in calls.values_mut() {
            times.sort_unstable();
            for pair in times.windows(2).filter(|pair| pair[1].0 < pair[0].1) {
                writeln!(wrong, "two calls to one number at once: {pair:?}").expect("text");
            }
        }
    }

    fn faxes(&self, event: Happened) -> impl Iterator<Item = &Entry> {
        self.faxed.iter().filter(move |entry| entry.event == event)
    }

    /// How often each message arrived, by the journals; the recipient's hash must be that of its address.
    pub fn arrivals(&self) -> HashMap<MessageId, usize> {
        let faxes = self.faxes(Happened::Printed).map(|entry| (entry.reference.parse().ok(), &entry.to_hash));
        let mails = self.mailed.iter().map(|mail| (mail::attempt_of(&mail.message_id), &mail.to_hash));
        let mut arrived = HashMap::new();
        for (attempt, to_hash) in faxes.chain(mails) {
            let Some(attempt) = attempt.and_then(|id: AttemptId| self.attempts.get(&id)) else { continue };
            let message = &self.messages[&attempt.message_id];
            let address = match message.channel() {
                Channel::Fax => message.address.as_str().to_owned(),
                Channel::Email => message.address.key().as_str().to_owned(),
            };
            assert_eq!(*to_hash, hex::encode(digest(&SHA256, address.as_bytes())), "it went where it should");
            *arrived.entry(message.id).or_default() += 1;
        }
        arrived
    }

    /// The attempts of a message in words.
    fn story(&self, id: MessageId) -> String {
        let mut attempts: Vec<&Attempt> = self.attempts.values().filter(|one| one.message_id == id).collect();
        attempts.sort_by_key(|attempt| attempt.number);
        let words = attempts.iter().map(|one| format!("{} {} at {}", one.number, one.status, one.opened_ms));
        words.collect::<Vec<_>>().join(", ")
    }

    /// The rate of an account, over all nodes: in no window of any length did more calls start than its length allows and
    /// the burst. Held exactly against the recorded starts; against the journal with the longest delay on the way there.
    ///
    /// # Panics
    /// With the window that held too many.
    pub fn check_rate(&self, account: &str, per_minute: u32) {
        let mut starts: Vec<i64> =
            self.attempts.values().filter(|one| one.provider == account).map(|one| one.opened_ms.0).collect();
        within_rate(&mut starts, per_minute, 0);
        let faxes = self.faxes(Happened::Accepted).map(|entry| (entry.reference.parse().ok(), entry.at_ms));
        let mails = self.mailed.iter().map(|mail| (mail::attempt_of(&mail.message_id), mail.at_ms));
        let of_account = |(attempt, at_ms): (Option<AttemptId>, i64)| {
            let attempt = self.attempts.get(&attempt?).filter(|attempt| attempt.provider == account)?;
            Some((at_ms, at_ms - attempt.opened_ms.0))
        };
        let (mut arrived, delays): (Vec<i64>, Vec<i64>) = faxes.chain(mails).filter_map(of_account).unzip();
        let delay = delays.into_iter().max().unwrap_or(0);
        println!("{account}: {} starts, {delay} ms from gate to journal at most", starts.len());
        within_rate(&mut arrived, per_minute, delay);
    }
}

/// Every window between two starts holds at most `rate * (length + slack) + burst`.
fn within_rate(starts: &mut [i64], per_minute: u32, slack_ms: i64) {
    starts.sort_unstable();
    let burst = i64::from((per_minute / 10).max(1));
    for (first, from) in starts.iter().enumerate() {
        for (last, to) in starts.iter().enumerate().skip(first) {
            let count = i64::try_from(last - first + 1).expect("a count");
            let allowed = (to - from + slack_ms) * i64::from(per_minute) / 60_000 + burst + 1;
            assert!(count <= allowed, "{count} starts in {} ms, {allowed} are allowed", to - from);
        }
    }
}

/// The whole lines of a journal.
fn journal<T: for<'a> Deserialize<'a>>(path: &Path) -> Vec<T> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).expect("a whole line in the journal")).collect()
}
