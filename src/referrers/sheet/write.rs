//! Referrers written as a list: everything that must not be lost when they move to another installation, in cells that a
//! spreadsheet neither runs nor rounds. [`super::read`] reads it back exactly.

use std::fmt::Write as _;

use chrono::NaiveDate;

use super::OnRecord;
use super::guard::guarded;
use crate::domain::address::pretty_number;
use crate::domain::basis::Basis;
use crate::domain::health::{AddressHealth, Health};
use crate::domain::referrer::Referrer;
use crate::domain::suppression::Suppression;
use crate::domain::{Address, Channel};

/// The columns of an export: those of the template for lists ([`super::TEMPLATE_HEADER`]), then what an installation knows
/// besides. `standing` is the contact status, or `deleted` for somebody who was deleted, or `nobody` for an address that
/// nobody has. `email_refusals` and `fax_refusals` hold one refusal in each line: scope,
/// reason, day and evidence. `email_health` and `fax_health` hold `dead` and the fault, or nothing.
pub const EXPORT_HEADER: &str = "npi,first_name,last_name,credentials,organization,type,email,fax,phone,time_zone,tags,source,basis,basis_source,basis_date,basis_note,street,city,state,postal_code,notes,standing,email_refusals,fax_refusals,email_health,fax_health";

/// How evidence begins that keeps the day of a refusal made elsewhere.
const REFUSED_ON: &str = "refused on ";

/// A referrer with what is on record about their addresses.
#[derive(Debug, Clone)]
pub struct Exported<'a> {
    /// The referrer.
    pub referrer: &'a Referrer,
    /// Whether they are on record here.
    pub on_record: OnRecord,
    /// The basis for faxing to the number, if one is in effect.
    pub basis: Option<&'a Basis>,
    /// Refusals in effect of the referrer's addresses.
    pub refusals: Vec<&'a Suppression>,
    /// What is known of the referrer's addresses.
    pub health: Vec<&'a AddressHealth>,
}

/// The list with its header: UTF-8, commas, one line feed after each row.
#[must_use]
pub fn sheet(rows: &[Exported<'_>]) -> String {
    let mut text = format!("{EXPORT_HEADER}\n");
    for row in rows {
        let cells = row.cells();
        text.push_str(&cells.map(|cell| quoted(&cell)).join(","));
        text.push('\n');
    }
    text
}

impl Exported<'_> {
    /// The cells in the order of [`EXPORT_HEADER`].
    fn cells(&self) -> [String; 26] {
        let one = self.referrer;
        let text = |text: &Option<String>| guarded(text.as_deref().unwrap_or_default());
        let basis = self.basis;
        [
            text(&one.npi),
            text(&one.first_name),
            text(&one.last_name),
            text(&one.credentials),
            text(&one.organization),
            one.kind.to_string(),
            one.email.as_ref().map(|email| guarded(email.as_str())).unwrap_or_default(),
            one.fax.as_ref().map(|fax| number(fax.as_str())).unwrap_or_default(),
            one.phone.as_deref().map(number).unwrap_or_default(),
            text(&one.time_zone),
            guarded(&one.tags.join(";")),
            text(&one.source),
            basis.map(|basis| basis.kind.to_string()).unwrap_or_default(),
            basis.and_then(|basis| basis.number_source).map(|source| source.to_string()).unwrap_or_default(),
            basis.map(|basis| basis.obtained_on.clone()).unwrap_or_default(),
            basis.map(|basis| guarded(&basis.how)).unwrap_or_default(),
            text(&one.place.street),
            text(&one.place.city),
            text(&one.place.region),
            text(&one.place.postal_code),
            text(&one.notes),
            self.on_record.word().map_or_else(|| one.state.to_string(), str::to_owned),
            self.refusals_of(Channel::Email),
            self.refusals_of(Channel::Fax),
            self.health_of(Channel::Email),
            self.health_of(Channel::Fax),
        ]
    }

    fn refusals_of(&self, channel: Channel) -> String {
        let mut text = String::new();
        for refusal in self.refusals.iter().filter(|refusal| refusal.channel == channel) {
            let (day, words) = day_and_words(refusal);
            let line_end = if text.is_empty() { "" } else { "\n" };
            let words: Vec<&str> = words.split_whitespace().collect();
            let line = format!("{} {} {day} {}", refusal.scope, refusal.reason, words.join(" "));
            let _ = write!(text, "{line_end}{}", line.trim_end());
        }
        text
    }

    fn health_of(&self, channel: Channel) -> String {
        let key = self.referrer.address(channel).map(|address| Address::key(&address));
        let dead = self.health.iter().find(|known| Some(&known.value) == key.as_ref() && known.health == Health::Dead);
        dead.map(|known| match known.fault {
            Some(fault) => format!("{} {fault}", Health::Dead),
            None => Health::Dead.to_string(),
        })
        .unwrap_or_default()
    }
}

/// Evidence of a refusal that was made elsewhere on that day.
pub(in crate::referrers) fn evidence_with_day(day: Option<NaiveDate>, words: &str) -> String {
    match day {
        Some(day) => format!("{REFUSED_ON}{day}: {words}"),
        None => words.to_owned(),
    }
}

/// The day of a refusal, which its evidence says if it was made elsewhere, and the rest of the evidence.
fn day_and_words(refusal: &Suppression) -> (NaiveDate, &str) {
    let evidence = refusal.evidence.as_deref().unwrap_or_default();
    let said = evidence.strip_prefix(REFUSED_ON).and_then(|rest| {
        let (day, words) = rest.split_once(": ")?;
        Some((day.parse().ok()?, words))
    });
    said.unwrap_or_else(|| (refusal.created_ms.to_utc().date_naive(), evidence))
}

/// A telephone number as people read it, which a spreadsheet leaves alone: `(847) 555-0110 x12`. An international one
/// begins with a plus sign, and is guarded for it.
fn number(stored: &str) -> String {
    let (main, extension) = stored.split_once(";ext=").map_or((stored, None), |(main, rest)| (main, Some(rest)));
    let extension = extension.map(|extension| format!(" x{extension}")).unwrap_or_default();
    guarded(&format!("{}{extension}", pretty_number(main)))
}

/// A cell in quotation marks where it needs them.
fn quoted(cell: &str) -> String {
    let is_plain = !cell.contains([',', '"', '\n', '\r', ';', '\t', '|'])
        && !cell.starts_with(char::is_whitespace)
        && !cell.ends_with(char::is_whitespace);
    if is_plain { cell.to_owned() } else { format!("\"{}\"", cell.replace('"', "\"\"")) }
}
