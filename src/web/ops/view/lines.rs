//! Lists: messages in one line each, and broadcasts with how far they have come.

use super::causes;
use super::moment::{Calendar, Moment};
use super::pieces::{Bar, Chip};
use super::standing::{self, Choice};
use super::words::{self, Tone};
use crate::domain::message::MessageStatus;
use crate::policy::{self, Reason};
use crate::store::records::broadcasts::Broadcast;
use crate::store::views::ledger::Ledger;
use crate::store::views::overview::MessageLine;

/// One message.
#[derive(Debug, Clone)]
pub struct LineRow {
    /// Where it is shown.
    pub link: String,
    /// The referrer's name.
    pub name: String,
    /// The referrer's organisation, if the name is a person's.
    pub organization: Option<String>,
    /// Where the referrer is shown.
    pub referrer_link: String,
    /// Fax or Email.
    pub channel: &'static str,
    /// The letter.
    pub letter: String,
    /// Where it stands.
    pub status: Chip,
    /// Why, if there is something to say.
    pub why: Option<String>,
    /// Since when.
    pub since: Moment,
    /// Attempts that count.
    pub tries: i64,
    /// What can be done about it at once.
    pub choices: Vec<Choice>,
    /// Whether the page of the message is where it is settled: a decision or a correction.
    pub needs_its_page: bool,
    /// What the link to that page says.
    pub page_act: &'static str,
}

impl LineRow {
    /// A message as a line.
    #[must_use]
    pub fn of(line: &MessageLine, calendar: &Calendar) -> Self {
        let name = line.name();
        let choices = standing::quick_choices(line.status, &line.reason);
        let quiet = matches!(line.status, MessageStatus::Delivered | MessageStatus::Accepted)
            || line.reason.is_empty()
            || line.reason == Reason::Released.as_str();
        let mendable = line.status.may_be_retried() && causes::needs_more_than_retry(&line.reason);
        Self {
            link: format!("/messages/{}", line.id),
            organization: line.organization.clone().filter(|organization| *organization != name),
            name,
            referrer_link: format!("/referrers/{}", line.referrer_id),
            channel: words::channel(line.channel),
            letter: words::letter(&line.letter),
            status: words::status(line.status).into(),
            why: (!quiet).then(|| policy::explain(&line.reason)),
            since: calendar.moment(line.updated_ms),
            tries: line.tries,
            choices,
            page_act: match line.status {
                MessageStatus::InDoubt => "Decide",
                _ if causes::is_about_address(&line.reason) => "Correct",
                _ => "Record permission",
            },
            needs_its_page: mendable || line.status == MessageStatus::InDoubt,
        }
    }
}

/// One broadcast.
#[derive(Debug, Clone)]
pub struct BroadcastRow {
    /// Name for people.
    pub name: String,
    /// The letter.
    pub letter: String,
    /// Where its messages are listed.
    pub link: String,
    /// When it was made.
    pub made: Moment,
    /// Whether its messages are all settled.
    pub is_finished: bool,
    /// How far it has come.
    pub bar: Bar,
    /// The counts, largest matter first: `38 of 52 delivered`.
    pub counts: Vec<String>,
}

impl BroadcastRow {
    /// A broadcast with its ledger.
    #[must_use]
    pub fn of(broadcast: &Broadcast, ledger: &Ledger, calendar: &Calendar) -> Self {
        Self {
            name: broadcast.name.clone(),
            letter: words::letter(&broadcast.letter),
            link: format!("/messages?broadcast={}", broadcast.id),
            made: calendar.moment(broadcast.created_ms),
            is_finished: broadcast.finished_ms.is_some() || (ledger.is_settled() && ledger.held + ledger.in_doubt == 0),
            bar: Bar::of(ledger),
            counts: counts(ledger),
        }
    }
}

fn counts(ledger: &Ledger) -> Vec<String> {
    let mut counts =
        vec![format!("{} of {} delivered", words::grouped(ledger.delivered), words::grouped(ledger.total))];
    let others = [
        (ledger.queued, "on the way"),
        (ledger.failed, "failed"),
        (ledger.in_doubt, "in doubt"),
        (ledger.held, "held"),
        (ledger.suppressed, "suppressed"),
        (ledger.expired, "expired"),
        (ledger.cancelled, "cancelled"),
    ];
    counts.extend(
        others.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{} {word}", words::grouped(*count))),
    );
    counts
}

/// Where messages stand, as people ask for it. Together they are all messages; the ledger counts them so.
#[derive(Debug, Clone, Copy)]
pub struct Stand {
    /// The word in addresses.
    pub word: &'static str,
    /// As people say it.
    pub label: &'static str,
    /// The statuses it takes in.
    pub statuses: &'static [MessageStatus],
    /// Style.
    pub tone: Tone,
    count: fn(&Ledger) -> i64,
}

/// Every stand, in the order of the tiles.
pub const STANDS: &[Stand] = &[
    stand("delivered", "Delivered", &[MessageStatus::Delivered], Tone::Good, |ledger| ledger.delivered),
    stand("under_way", "On the way", &[MessageStatus::Queued, MessageStatus::Accepted], Tone::Busy, |l| l.queued),
    stand("failed", "Did not arrive", &[MessageStatus::Failed], Tone::Bad, |ledger| ledger.failed),
    stand("expired", "Time ran out", &[MessageStatus::Expired], Tone::Bad, |ledger| ledger.expired),
    stand("in_doubt", "In doubt", &[MessageStatus::InDoubt], Tone::Warn, |ledger| ledger.in_doubt),
    stand("held", "Held", &[MessageStatus::Held], Tone::Warn, |ledger| ledger.held),
    stand("suppressed", "Not allowed", &[MessageStatus::Suppressed], Tone::Quiet, |ledger| ledger.suppressed),
    stand("cancelled", "Cancelled", &[MessageStatus::Cancelled], Tone::Quiet, |ledger| ledger.cancelled),
];

const fn stand(
    word: &'static str,
    label: &'static str,
    statuses: &'static [MessageStatus],
    tone: Tone,
    count: fn(&Ledger) -> i64,
) -> Stand {
    Stand { word, label, statuses, tone, count }
}

/// A number on the overview, with where it leads.
#[derive(Debug, Clone)]
pub struct Tile {
    /// How many.
    pub count: String,
    /// Of what.
    pub stand: Stand,
    /// Where they are listed.
    pub link: String,
}

/// The tiles of a ledger: together they are all messages. Empty ones are left out, save the first two.
#[must_use]
pub fn tiles(ledger: &Ledger) -> Vec<Tile> {
    STANDS
        .iter()
        .map(|stand| (stand, (stand.count)(ledger)))
        .enumerate()
        .filter(|(place, (_, count))| *place < 2 || *count > 0)
        .map(|(_, (stand, count))| Tile {
            count: words::grouped(count),
            stand: *stand,
            link: format!("/messages?status={}", stand.word),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tiles_add_up_to_all_messages() {
        let ledger = Ledger {
            total: 36,
            delivered: 1,
            failed: 2,
            suppressed: 3,
            cancelled: 4,
            expired: 5,
            in_doubt: 6,
            held: 7,
            queued: 8,
        };
        let sum: i64 = tiles(&ledger).iter().filter_map(|tile| tile.count.parse::<i64>().ok()).sum();
        assert_eq!(sum, ledger.total);
        let known: usize = STANDS.iter().map(|stand| stand.statuses.len()).sum();
        assert_eq!(known, MessageStatus::ALL.len());
    }

    #[test]
    fn a_new_installation_shows_two_tiles_and_no_empty_troubles() {
        let labels: Vec<&str> = tiles(&Ledger::default()).iter().map(|tile| tile.stand.label).collect();
        assert_eq!(labels, ["Delivered", "On the way"]);
    }
}
