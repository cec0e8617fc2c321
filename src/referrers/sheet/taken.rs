//! What is taken from a list: its rows, and what is wrong with them.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use chrono_tz::Tz;
use serde::Serialize;

use super::field::Field;
use super::refused::RefusalEvidence;
use crate::domain::basis::{BasisKind, NumberSource};
use crate::domain::fault::Fault;
use crate::domain::referrer::{Place, ReferrerState, ReferrerType};
use crate::domain::suppression::{Scope, SuppressionReason};
use crate::domain::{Address, Channel, EmailAddress, FaxNumber};

/// The label of somebody who does not want to be called: no refusal of an address says it.
pub const NOT_CALLED: &str = "do not call";

/// Whether the installation that exported a row has somebody for it on record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnRecord {
    /// It has; so it is for every list that is not our own export.
    #[default]
    Yes,
    /// It deleted them: no list adds them again.
    Deleted,
    /// Nobody there has the address: the row says only what the address refused, or that it is dead.
    Nobody,
}

impl OnRecord {
    /// What stands in the column `standing` in place of a contact status; none for somebody who is on record.
    #[must_use]
    pub const fn word(self) -> Option<&'static str> {
        match self {
            Self::Yes => None,
            Self::Deleted => Some("deleted"),
            Self::Nobody => Some("nobody"),
        }
    }

    /// The one that a cell of the column `standing` says.
    pub(super) fn of_word(text: &str) -> Option<Self> {
        [Self::Deleted, Self::Nobody].into_iter().find(|one| one.word() == Some(text.trim()))
    }
}

/// What a list says.
#[derive(Debug, Clone)]
pub struct Sheet {
    /// Rows that were accepted, in the order of the file.
    pub rows: Vec<SheetRow>,
    /// What is wrong, in the order of the file; at most 10,000 are listed.
    pub problems: Vec<Problem>,
    /// Rows that were refused, listed or not.
    pub refused_count: usize,
    /// Of those, what could be read of the ones that say that somebody refuses letters or cannot be reached.
    pub refused_refusals: Vec<SheetRow>,
    /// Fields and the columns they were read from.
    pub mapping: Vec<(Field, String)>,
    /// Columns that nothing was read from.
    pub unused_columns: Vec<String>,
    /// Name of the encoding, such as `UTF-8`.
    pub encoding: &'static str,
    /// The separator between the cells.
    pub delimiter: char,
}

/// One row that was accepted. At least one of email, fax and phone is present, unless the file is our own export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetRow {
    /// Line of the file on which it begins, from 1.
    pub line: u64,
    /// National Provider Identifier with a valid check digit.
    pub npi: Option<String>,
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// Letters after the name, without dots.
    pub credentials: Option<String>,
    /// Clinic, group or facility.
    pub organization: Option<String>,
    /// Kind.
    pub kind: ReferrerType,
    /// Email address.
    pub email: Option<EmailAddress>,
    /// Fax number.
    pub fax: Option<FaxNumber>,
    /// Voice number in its stored form: E.164, with `;ext=12` behind it if there is an extension.
    pub phone: Option<String>,
    /// Further mailboxes and fax numbers of the row. Nothing is sent to them; what the row refuses holds for them too.
    pub further: Vec<Address>,
    /// Street and house number.
    pub street: Option<String>,
    /// City.
    pub city: Option<String>,
    /// State or territory, as written.
    pub state: Option<String>,
    /// Postal code, as written.
    pub postal_code: Option<String>,
    /// Zone as given, or that of a state which has only one.
    pub time_zone: Option<Tz>,
    /// Labels: lower case, sorted, without repeats, at most 20.
    pub tags: Vec<String>,
    /// Where the row came from.
    pub source: Option<String>,
    /// Notes for people, perhaps on several lines.
    pub notes: Option<String>,
    /// Permission or relationship; only with a fax number.
    pub basis: Option<SheetBasis>,
    /// Contact status as the list states it. An import can only make it stricter.
    pub standing: Option<ReferrerState>,
    /// Where it states it.
    pub standing_evidence: Option<RefusalEvidence>,
    /// Whether the exporting installation has somebody for the row on record.
    pub on_record: OnRecord,
    /// Refusals of the row's addresses: at most one of a scope for each channel.
    pub refusals: Vec<SheetRefusal>,
    /// Addresses that the exporting installation knew to be dead, and for what fault.
    pub dead: Vec<(Channel, Option<Fault>)>,
}

impl SheetRow {
    /// Whether it says that somebody refuses letters, or that an address is dead.
    #[must_use]
    pub fn says_a_refusal(&self) -> bool {
        !self.refusals.is_empty() || !self.dead.is_empty() || self.standing == Some(ReferrerState::DoNotContact)
    }

    /// Where the office is.
    #[must_use]
    pub fn place(&self) -> Place {
        Place {
            street: self.street.clone(),
            city: self.city.clone(),
            region: self.state.clone(),
            postal_code: self.postal_code.clone(),
        }
    }
}

/// A basis as a list states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetBasis {
    /// Permission or relationship.
    pub kind: BasisKind,
    /// Where the number came from.
    pub number_source: Option<NumberSource>,
    /// The day it was obtained.
    pub date: NaiveDate,
    /// Evidence.
    pub note: Option<String>,
}

/// A refusal as a list states it. It concerns the row's address of that channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetRefusal {
    /// Which address.
    pub channel: Channel,
    /// Its scope.
    pub scope: Scope,
    /// Why.
    pub reason: SuppressionReason,
    /// The day they refused, if the list says it.
    pub day: Option<NaiveDate>,
    /// Where the list says it.
    pub evidence: RefusalEvidence,
}

/// Something wrong with a row, in words. Never holds an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Line of the file on which the row begins, from 1.
    pub line: u64,
    /// The column's name in the file, if one cell is meant.
    pub column: Option<String>,
    /// What is wrong and what to do.
    pub message: String,
    /// Whether the row was refused for it; otherwise the row was accepted without what could not be read.
    pub refuses: bool,
}

/// How many rows come in as refused, for one reason from one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RefusedRows {
    /// Which address is not written to; none if the person is not contacted at all.
    pub channel: Option<Channel>,
    /// What is refused; none if it is the person's contact status.
    pub scope: Option<Scope>,
    /// Why: a suppression's reason, or a contact status.
    pub reason: &'static str,
    /// Where the list says it.
    pub said_in: RefusalEvidence,
    /// How many rows.
    pub rows: usize,
}

/// What refused rows have in common: channel, scope, reason, and where the list says it.
type Refused = (Option<Channel>, Option<Scope>, &'static str, RefusalEvidence);

impl Sheet {
    /// Which rows come in as refused, counted by reason and place; the most frequent first.
    #[must_use]
    pub fn refused_rows(&self) -> Vec<RefusedRows> {
        let mut counts: BTreeMap<Refused, usize> = BTreeMap::new();
        // The evidence of another installation is one column here, however many words it has.
        let place = |evidence: &RefusalEvidence, column: &str| match evidence {
            RefusalEvidence::Kept(_) => RefusalEvidence::Column(column.to_owned()),
            other => other.clone(),
        };
        for row in &self.rows {
            for one in &row.refusals {
                let ours = if one.channel == Channel::Fax { Field::FaxRefusals } else { Field::EmailRefusals };
                let said_in = place(&one.evidence, ours.as_str());
                *counts.entry((Some(one.channel), Some(one.scope), one.reason.as_str(), said_in)).or_default() += 1;
            }
            if let (Some(standing), Some(evidence)) = (row.standing, &row.standing_evidence)
                && standing != ReferrerState::Active
            {
                let said_in = place(evidence, Field::Standing.as_str());
                *counts.entry((None, None, standing.as_str(), said_in)).or_default() += 1;
            }
        }
        let all = counts.into_iter();
        let mut found: Vec<RefusedRows> = all
            .map(|((channel, scope, reason, said_in), rows)| RefusedRows { channel, scope, reason, said_in, rows })
            .collect();
        found.sort_by_key(|one| std::cmp::Reverse(one.rows));
        found
    }
}
