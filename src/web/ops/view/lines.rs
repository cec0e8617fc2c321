//! Lists: messages in one line each, and broadcasts with how far they have come.

use super::moment::{Calendar, Moment};
use super::pieces::{Bar, Chip};
use super::standing::{self, Choice};
use super::titles;
use crate::domain::message::MessageStatus;
use crate::render::Renderer;
use crate::store::records::broadcasts::Broadcast;
use crate::store::views::ledger::Ledger;
use crate::store::views::overview::MessageLine;
use crate::wording::{self, Tone, remedies};

/// One message.
#[derive(Debug, Clone)]
pub struct LineRow {
    /// Where it is shown.
    pub link: String,
    /// The referrer's name.
    pub name: String,
    /// The referrer's organization, if the name is a person's.
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
    /// A message as a line, its letter by its title.
    #[must_use]
    pub fn of(line: &MessageLine, calendar: &Calendar, renderer: &Renderer) -> Self {
        let name = line.name();
        let choices = standing::quick_choices(line.status, line.reason);
        let quiet = matches!(line.status, MessageStatus::Delivered | MessageStatus::Accepted);
        let correctable = line.status.may_be_retried() && line.reason.is_some_and(remedies::needs_more_than_retry);
        Self {
            link: format!("/messages/{}", line.id),
            organization: line.organization.clone().filter(|organization| *organization != name),
            name,
            referrer_link: format!("/referrers/{}", line.referrer_id),
            channel: wording::channel(line.channel),
            letter: titles::letter(renderer, &line.letter),
            status: wording::status(line.status).into(),
            why: line.reason.filter(|_| !quiet).map(|reason| wording::explain(reason).to_owned()),
            since: calendar.moment(line.updated_ms),
            tries: line.tries,
            choices,
            page_act: match line.status {
                MessageStatus::InDoubt => "Decide",
                _ if line.reason.is_some_and(remedies::is_about_address) => "Correct",
                _ => "Record permission",
            },
            needs_its_page: correctable || line.status == MessageStatus::InDoubt,
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
    /// That it has paused itself and waits for a person.
    pub paused: Option<PausedRow>,
    /// Who let it go on after it had paused itself, and when.
    pub resumed: Option<(String, Moment)>,
    /// How far it has come.
    pub bar: Bar,
    /// The counts, largest matter first: `38 of 52 delivered`.
    pub counts: Vec<String>,
}

/// A broadcast that has paused itself.
#[derive(Debug, Clone)]
pub struct PausedRow {
    /// Since when.
    pub since: Moment,
    /// Why, as a sentence with the figures.
    pub why: String,
    /// Its letters that are held.
    pub held: String,
    /// Where its messages that failed are listed.
    pub failed_link: String,
    /// Where the buttons that decide about it lead.
    pub place: String,
}

impl PausedRow {
    fn of(broadcast: &Broadcast, ledger: &Ledger, calendar: &Calendar) -> Option<Self> {
        Some(Self {
            since: calendar.moment(broadcast.paused_since()?),
            why: wording::broadcasts::paused(broadcast.pause.paused_reason.as_deref()),
            held: wording::count(ledger.held, "letter is held", "letters are held"),
            failed_link: format!("/messages?status=failed&broadcast={}", broadcast.id),
            place: format!("/broadcasts/{}", broadcast.id),
        })
    }
}

impl BroadcastRow {
    /// A broadcast with its ledger.
    #[must_use]
    pub fn of(broadcast: &Broadcast, ledger: &Ledger, calendar: &Calendar, renderer: &Renderer) -> Self {
        Self {
            name: titles::broadcast(renderer, broadcast),
            letter: titles::letter(renderer, &broadcast.letter),
            link: format!("/messages?broadcast={}", broadcast.id),
            made: calendar.moment(broadcast.created_ms),
            is_finished: broadcast.finished_ms.is_some() || (ledger.is_settled() && ledger.held + ledger.in_doubt == 0),
            paused: PausedRow::of(broadcast, ledger, calendar),
            resumed: broadcast
                .pause
                .resumed_by
                .as_ref()
                .zip(broadcast.pause.resumed_ms)
                .map(|(who, at)| (who.name().to_owned(), calendar.moment(at))),
            bar: Bar::of(ledger),
            counts: counts(ledger),
        }
    }
}

fn counts(ledger: &Ledger) -> Vec<String> {
    let mut counts =
        vec![format!("{} of {} delivered", wording::grouped(ledger.delivered), wording::grouped(ledger.total))];
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
        others
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{} {word}", wording::grouped(*count))),
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
    /// What it means, in one sentence.
    pub means: &'static str,
    /// The statuses it takes in.
    pub statuses: &'static [MessageStatus],
    /// Style.
    pub tone: Tone,
    count: fn(&Ledger) -> i64,
}

/// Every stand, in the order of the tiles.
pub const STANDS: &[Stand] = &[
    one("delivered", "Delivered", &[MessageStatus::Delivered], |ledger| ledger.delivered),
    UNDER_WAY,
    one("failed", "Failed", &[MessageStatus::Failed], |ledger| ledger.failed),
    one("expired", "Expired", &[MessageStatus::Expired], |ledger| ledger.expired),
    one("in_doubt", "In doubt", &[MessageStatus::InDoubt], |ledger| ledger.in_doubt),
    one("held", "Held", &[MessageStatus::Held], |ledger| ledger.held),
    one("suppressed", "Suppressed", &[MessageStatus::Suppressed], |ledger| ledger.suppressed),
    one("cancelled", "Cancelled", &[MessageStatus::Cancelled], |ledger| ledger.cancelled),
];

const UNDER_WAY: Stand = Stand {
    word: "under_way",
    label: "On the way",
    means: "Queued, or accepted by the provider: delivery is not known yet.",
    statuses: &[MessageStatus::Queued, MessageStatus::Accepted],
    tone: Tone::Busy,
    count: |ledger| ledger.queued,
};

/// The stand of one status, which it is called by.
const fn one(
    word: &'static str,
    label: &'static str,
    status: &'static [MessageStatus; 1],
    count: fn(&Ledger) -> i64,
) -> Stand {
    let (means, tone) = (wording::status_means(status[0]), wording::status(status[0]).0);
    Stand { word, label, means, statuses: status, tone, count }
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
            count: wording::grouped(count),
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
    fn a_stand_of_one_status_is_called_by_its_word() {
        for stand in STANDS {
            if let [status] = stand.statuses {
                assert_eq!(stand.label, wording::capitalized(wording::status(*status).1));
                assert_eq!(stand.word, status.as_str());
            }
        }
    }

    #[test]
    fn a_new_installation_shows_two_tiles_and_no_empty_troubles() {
        let labels: Vec<&str> = tiles(&Ledger::default()).iter().map(|tile| tile.stand.label).collect();
        assert_eq!(labels, ["Delivered", "On the way"]);
    }
}
