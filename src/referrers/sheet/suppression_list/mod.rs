//! Suppression lists of other mail services, as their control panels and APIs export them: CSV or JSON in, rows that name
//! an address and what it refuses out. Nobody in particular is meant by them, so that no person is added.
//!
//! - `entries`: the file as entries of named cells, whichever form it has
//! - `services`: what an entry says in the words of each service
//! - `bounces`: whether what a server said when it returned a letter is held against the mailbox

mod bounces;
mod entries;
mod services;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use chrono::NaiveDate;

use super::field::Field;
use super::refused::RefusalEvidence;
use super::taken::{OnRecord, Problem, Sheet, SheetRefusal, SheetRow};
use super::{BYTES_MAX, Instructions, PROBLEMS_MAX, ROWS_MAX, SheetError, decode, read_as_told};
use crate::domain::referrer::ReferrerType;
use crate::domain::suppression::{Scope, SuppressionReason};
use crate::domain::words::words;
use crate::domain::{Address, Channel};
use crate::referrers::refusals::addresses_of;
use entries::Entry;
use services::Said;

words! {
    /// Where a suppression list comes from.
    Origin {
        /// Mailgun: bounces, unsubscribes or complaints.
        Mailgun = "mailgun",
        /// SendGrid: bounces, blocks, spam reports, invalid addresses, or unsubscribes of all mail or of a group.
        SendGrid = "sendgrid",
        /// Amazon SES: the account's suppression list.
        Ses = "ses",
        /// Postmark: the suppressions of a message stream.
        Postmark = "postmark",
        /// Any list in CSV: addresses with what they refuse, or addresses alone, of which each then refuses letters.
        Csv = "csv",
    }
}

impl Origin {
    /// Its name for people.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Mailgun => "Mailgun",
            Self::SendGrid => "SendGrid",
            Self::Ses => "Amazon SES",
            Self::Postmark => "Postmark",
            Self::Csv => "a CSV list",
        }
    }
}

/// Reads a suppression list. `file` is its name, by which some services alone tell one kind of list from another.
///
/// Every row of the sheet names one address and what it refuses; an address that the list has twice is one row with
/// everything it refuses. Entries that hold nothing against an address, such as a letter that came back because of its
/// sender, are noted among the problems.
///
/// # Errors
/// As [`super::read_as_told`]; also if the file is not what the service exports.
pub fn read(bytes: &[u8], origin: Origin, file: Option<&str>) -> Result<Sheet, SheetError> {
    if origin == Origin::Csv {
        return any_list(bytes, file);
    }
    if bytes.len() > BYTES_MAX {
        return Err(SheetError::TooLarge);
    }
    let (text, encoding) = decode::decode(bytes)?;
    if text.trim().is_empty() {
        return Err(SheetError::Empty);
    }
    let entries = entries::read(&text, origin)?;
    let mut sheet = empty(encoding, entries.delimiter);
    let mut rows = Rows::default();
    for entry in &entries.list {
        match services::said(origin, entry, file) {
            Ok(said) => rows.add(entry, &said, origin, &mut sheet),
            Err(message) => refuse(&mut sheet, entry.line, message),
        }
    }
    sheet.rows = rows.rows;
    if let Some(note) = entries.note {
        sheet.problems.push(Problem { line: 1, column: None, message: note.to_owned(), refuses: false });
    }
    Ok(sheet)
}

/// A list of no particular service. A column, or the name of the file, says what its rows refuse; where none does,
/// everybody in it refuses, whatever else single rows may say.
fn any_list(bytes: &[u8], file: Option<&str>) -> Result<Sheet, SheetError> {
    let mut sheet = match read_as_told(bytes, &Instructions { file, ..Instructions::default() }) {
        Err(SheetError::NoHeader) => addresses_alone(bytes)?,
        other => other?,
    };
    let is_told_by_row = sheet.mapping.iter().any(|(field, _)| SAYS_WHO_REFUSED.contains(field));
    for row in std::mem::take(&mut sheet.rows) {
        keep(row, is_told_by_row, &mut sheet);
    }
    sheet.problems.truncate(PROBLEMS_MAX);
    Ok(sheet)
}

/// The fields of a list that say of each row whether it refuses.
const SAYS_WHO_REFUSED: [Field; 14] = [
    Field::OptedOut,
    Field::EmailOptedOut,
    Field::FaxOptedOut,
    Field::OptedIn,
    Field::Bounced,
    Field::Complained,
    Field::DoNotContact,
    Field::DoNotCall,
    Field::SubscriptionStatus,
    Field::Standing,
    Field::EmailRefusals,
    Field::FaxRefusals,
    Field::EmailHealth,
    Field::FaxHealth,
];

/// Keeps a row as one of a suppression list, or notes why not.
fn keep(mut row: SheetRow, is_told_by_row: bool, sheet: &mut Sheet) {
    let has = |channel: Channel| addresses_of(&row).any(|address| address.channel() == channel);
    let channels: Vec<Channel> = Channel::ALL.iter().copied().filter(|channel| has(*channel)).collect();
    if is_told_by_row && !row.says_a_refusal() {
        let message = "left out: the row says nothing against its address".to_owned();
        return sheet.problems.push(Problem { line: row.line, column: None, message, refuses: false });
    }
    if channels.is_empty() {
        return refuse(
            sheet,
            row.line,
            "the row gives no email address and no fax number that could refuse letters".to_owned(),
        );
    }
    if !is_told_by_row {
        for channel in &channels {
            put(
                &mut row,
                *channel,
                Scope::Advertisement,
                SuppressionReason::OptOut,
                None,
                "in a list of suppressed addresses",
            );
        }
    }
    // A list of one kind of address may say what it refuses in words of another: it refuses where it can be reached.
    for refusal in std::mem::take(&mut row.refusals) {
        let held = if channels.contains(&refusal.channel) { vec![refusal.channel] } else { channels.clone() };
        row.refusals.extend(held.into_iter().map(|channel| SheetRefusal { channel, ..refusal.clone() }));
    }
    sheet.rows.push(row);
}

/// Adds a refusal unless the row has one of that scope for the channel; of two, the stricter stands.
fn put(
    row: &mut SheetRow,
    channel: Channel,
    scope: Scope,
    reason: SuppressionReason,
    day: Option<NaiveDate>,
    words: &str,
) {
    let refusal = SheetRefusal { channel, scope, reason, day, evidence: RefusalEvidence::Kept(words.to_owned()) };
    match row.refusals.iter_mut().find(|known| known.channel == channel && known.scope == scope) {
        None => row.refusals.push(refusal),
        Some(known) if strictness(reason) > strictness(known.reason) => *known = refusal,
        Some(_) => {}
    }
}

/// How firmly a reason stands: a mailbox may work again, a complaint was made once, somebody's will holds until they say otherwise.
const fn strictness(reason: SuppressionReason) -> u8 {
    match reason {
        SuppressionReason::Bounced => 0,
        SuppressionReason::Complaint => 1,
        SuppressionReason::Other => 2,
        SuppressionReason::OptOut => 3,
        SuppressionReason::DoNotContact => 4,
    }
}

/// A file of addresses, one on each line, without a header.
fn addresses_alone(bytes: &[u8]) -> Result<Sheet, SheetError> {
    let (text, encoding) = decode::decode(bytes)?;
    let mut sheet = empty(encoding, ',');
    for (line, words) in (1..).zip(text.lines()).map(|(line, words)| (line, words.trim().trim_matches('"'))) {
        if sheet.rows.len() + sheet.refused_count >= ROWS_MAX {
            return Err(SheetError::TooManyRows);
        }
        match Address::guess(words) {
            Ok(address) => sheet.rows.push(row(line, address)),
            Err(_) if words.is_empty() => {}
            // A first line that is no address either is a header that nobody knows.
            Err(_) if sheet.rows.is_empty() => return Err(SheetError::NoHeader),
            Err(error) => refuse(&mut sheet, line, error.to_string()),
        }
    }
    Ok(sheet)
}

/// The rows in the making: one for each address.
#[derive(Default)]
struct Rows {
    rows: Vec<SheetRow>,
    of_address: HashMap<String, usize>,
}

impl Rows {
    fn add(&mut self, entry: &Entry, said: &Said, origin: Origin, sheet: &mut Sheet) {
        let address = match Address::guess(&said.address) {
            Ok(address @ Address::Email(_)) => address,
            Ok(Address::Fax(_)) => return refuse(sheet, entry.line, NO_MAILBOX.to_owned()),
            Err(error) => return refuse(sheet, entry.line, error.to_string()),
        };
        let Some((scope, reason)) = said.refuses else {
            if sheet.problems.len() < PROBLEMS_MAX {
                sheet.problems.push(Problem {
                    line: entry.line,
                    column: None,
                    message: said.words.clone(),
                    refuses: false,
                });
            }
            return;
        };
        let place = *self.of_address.entry(address.key().as_str().to_owned()).or_insert_with(|| {
            self.rows.push(row(entry.line, address));
            self.rows.len() - 1
        });
        let words = format!("{}: {}", origin.title(), said.words);
        put(&mut self.rows[place], Channel::Email, scope, reason, said.day, &words);
    }
}

const NO_MAILBOX: &str = "this is a fax number; suppression lists of mail services hold mailboxes";

fn refuse(sheet: &mut Sheet, line: u64, message: String) {
    sheet.refused_count += 1;
    if sheet.problems.len() < PROBLEMS_MAX {
        sheet.problems.push(Problem { line, column: None, message, refuses: true });
    }
}

fn empty(encoding: &'static str, delimiter: char) -> Sheet {
    Sheet {
        rows: Vec::new(),
        problems: Vec::new(),
        refused_count: 0,
        refused_refusals: Vec::new(),
        mapping: Vec::new(),
        unused_columns: Vec::new(),
        encoding,
        delimiter,
    }
}

/// A row that says nothing yet, about an address of nobody in particular.
fn row(line: u64, address: Address) -> SheetRow {
    let (email, fax) = match address {
        Address::Email(mailbox) => (Some(mailbox), None),
        Address::Fax(number) => (None, Some(number)),
    };
    SheetRow {
        line,
        npi: None,
        first_name: None,
        last_name: None,
        credentials: None,
        organization: None,
        kind: ReferrerType::Other,
        email,
        fax,
        phone: None,
        further: Vec::new(),
        street: None,
        city: None,
        state: None,
        postal_code: None,
        time_zone: None,
        tags: Vec::new(),
        source: None,
        notes: None,
        basis: None,
        standing: None,
        standing_evidence: None,
        on_record: OnRecord::Nobody,
        refusals: Vec::new(),
        dead: Vec::new(),
    }
}
