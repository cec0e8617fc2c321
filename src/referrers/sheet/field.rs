//! What a column can hold, and the names by which it is known: a table of names that practice software, insurers,
//! associations, registries and mailing tools use, and for numbers, mailboxes and addresses a rule.

use super::SheetError;
use super::field_names::{NPI_QUALIFIERS, PLACE_QUALIFIERS, QUALIFIERS, WEAK_QUALIFIERS};
use super::header::{Heading, is_count, normalised};
use crate::domain::words::words;

words! {
    /// What a column can hold.
    Field {
        /// National Provider Identifier.
        Npi = "npi",
        /// Given name.
        FirstName = "first_name",
        /// Family name.
        LastName = "last_name",
        /// Whole name in one cell.
        Name = "name",
        /// What belongs to a family name after it: `Jr.`, `III`.
        Suffix = "suffix",
        /// Letters after the name.
        Credentials = "credentials",
        /// Clinic, group or facility.
        Organization = "organization",
        /// Kind of referrer.
        Type = "type",
        /// Specialty in words.
        Specialty = "specialty",
        /// NUCC taxonomy code.
        Taxonomy = "taxonomy",
        /// Email address.
        Email = "email",
        /// Fax number.
        Fax = "fax",
        /// Voice number.
        Phone = "phone",
        /// Extension of the voice number.
        Extension = "extension",
        /// Time zone.
        TimeZone = "time_zone",
        /// Street and house number.
        Street = "street",
        /// City.
        City = "city",
        /// State or territory.
        State = "state",
        /// Postal code.
        PostalCode = "postal_code",
        /// Country, where it is not the United States.
        Country = "country",
        /// Labels.
        Tags = "tags",
        /// Where the row came from.
        Source = "source",
        /// Notes for people.
        Notes = "notes",
        /// Further fields as a JSON object, as listmonk writes them.
        Attributes = "attributes",
        /// Permission or relationship.
        Basis = "basis",
        /// Where the fax number came from.
        BasisSource = "basis_source",
        /// When the basis was obtained.
        BasisDate = "basis_date",
        /// Evidence of the basis.
        BasisNote = "basis_note",
        /// Contact status: one of our own words.
        Standing = "standing",
        /// Refused letters at every address of the row.
        OptedOut = "opted_out",
        /// Refused letters by email.
        EmailOptedOut = "email_opted_out",
        /// Refused letters by fax.
        FaxOptedOut = "fax_opted_out",
        /// The opposite: agreed to letters by email.
        OptedIn = "opted_in",
        /// Letters to the mailbox came back.
        Bounced = "bounced",
        /// Reported a letter as unwanted.
        Complained = "complained",
        /// Not to be contacted at all.
        DoNotContact = "do_not_contact",
        /// Not to be called.
        DoNotCall = "do_not_call",
        /// A mailing tool's word for what the mailbox agreed to.
        SubscriptionStatus = "subscription_status",
        /// Our own export's refusals of the mailbox.
        EmailRefusals = "email_refusals",
        /// Our own export's refusals of the fax number.
        FaxRefusals = "fax_refusals",
        /// Our own export's mark that the mailbox is dead.
        EmailHealth = "email_health",
        /// Our own export's mark that the fax number is dead.
        FaxHealth = "fax_health",
    }
}

/// A fit by rule comes after every fit by name.
const RULE: usize = 100;

impl Field {
    /// How well a header matches: zero is the field's own word, higher is less; none if it does not.
    pub(super) fn fit(self, heading: &Heading) -> Option<usize> {
        let name = if self.is_number() { &heading.bare } else { &heading.key };
        let is_called = |alias: &&'static str| *alias == name.as_str() || *alias == heading.key;
        if name.split(' ').eq(self.as_str().split('_')) {
            return Some(0);
        }
        let by_name = self.aliases().iter().position(is_called).map(|place| place + 1);
        by_name.or_else(|| self.fit_by_rule(&heading.words))
    }

    /// Whether "number" at the end of the header says nothing more.
    const fn is_number(self) -> bool {
        matches!(self, Self::Npi | Self::Fax | Self::Phone)
    }

    /// A number, a mailbox or a part of an address by the word that names it, whatever harmless words stand beside it.
    fn fit_by_rule(self, words: &[String]) -> Option<usize> {
        let (own, allowed, takes_weak): (&[&[&str]], &[&str], bool) = match self {
            Self::Npi => (&[&["npi"]], NPI_QUALIFIERS, false),
            Self::Fax => (&[&["fax"], &["facsimile"], &["telefax"]], QUALIFIERS, true),
            Self::Email => (&[&["email"], &["e", "mail"]], QUALIFIERS, true),
            Self::Phone => {
                (&[&["phone"], &["telephone"], &["tel"], &["phn"], &["mobile"], &["cell"]], QUALIFIERS, true)
            }
            Self::Street => (&[&["street"]], PLACE_QUALIFIERS, false),
            Self::City => (&[&["city"]], PLACE_QUALIFIERS, false),
            Self::State => (&[&["state"]], PLACE_QUALIFIERS, false),
            Self::PostalCode => (&[&["postal", "code"], &["zip"]], PLACE_QUALIFIERS, false),
            _ => return None,
        };
        let (start, length) = own.iter().find_map(|name| {
            let start = words.windows(name.len()).position(|part| part == *name)?;
            Some((start, name.len()))
        })?;
        let beside = words.iter().enumerate().filter(|(place, _)| !(start..start + length).contains(place));
        let weight = |word: &str| match word {
            _ if allowed.contains(&word) => Some(1),
            _ if takes_weak && (WEAK_QUALIFIERS.contains(&word) || is_count(word)) => Some(20),
            _ => None,
        };
        beside.map(|(_, word)| weight(word)).try_fold(RULE, |sum, weight| Some(sum + weight?))
    }

    /// Whether this column alone makes a list usable.
    pub(super) const fn reaches_someone(self) -> bool {
        matches!(self, Self::Fax | Self::Email | Self::Phone)
    }

    /// Whether the column holds telephone numbers.
    pub(super) const fn is_dialed(self) -> bool {
        matches!(self, Self::Fax | Self::Phone)
    }

    /// Whether the column says who refused letters by some channel.
    pub(super) const fn is_opt_out(self) -> bool {
        matches!(self, Self::OptedOut | Self::EmailOptedOut | Self::FaxOptedOut)
    }

    /// Whether the column says who refused letters or cannot be reached: several columns of a file may.
    pub(super) const fn says_refusal(self) -> bool {
        matches!(
            self,
            Self::Standing
                | Self::OptedOut
                | Self::EmailOptedOut
                | Self::FaxOptedOut
                | Self::OptedIn
                | Self::Bounced
                | Self::Complained
                | Self::DoNotContact
                | Self::DoNotCall
                | Self::SubscriptionStatus
                | Self::EmailRefusals
                | Self::FaxRefusals
                | Self::EmailHealth
                | Self::FaxHealth
        )
    }
}

/// Reads one instruction such as `fax=Fax Number`: our field, then the column's name in the file.
///
/// # Errors
/// It has no `=`, names no field (the known ones are listed), or no column.
pub fn parse_mapping(text: &str) -> Result<(Field, String), SheetError> {
    let wrong = |message: String| SheetError::Mapping(message);
    let (field, column) =
        text.split_once('=').ok_or_else(|| wrong("write FIELD=COLUMN, such as fax=Fax Number".to_owned()))?;
    let field = field.parse::<Field>().map_err(wrong)?;
    let column = column.trim();
    if normalised(column).is_empty() {
        return Err(wrong(format!("write the column's name after {field}=")));
    }
    Ok((field, column.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best(header: &str) -> Option<Field> {
        let heading = Heading::of(header);
        let fits = Field::ALL.iter().filter_map(|field| Some((field.fit(&heading)?, *field)));
        fits.min().map(|(_, field)| field)
    }

    #[test]
    fn every_alias_belongs_to_one_field() {
        for field in Field::ALL {
            for alias in field.aliases() {
                let heading = Heading::of(alias);
                let is_plain = heading.key == *alias || (field.is_number() && heading.bare == *alias);
                assert!(is_plain, "an alias is written as it is compared: {alias}");
                let exact = |other: &Field| other.fit(&heading).is_some_and(|fit| fit < RULE);
                let others = Field::ALL.iter().filter(|other| *other != field && exact(other));
                assert_eq!(others.count(), 0, "{alias}");
            }
        }
    }

    #[test]
    fn numbers_and_mailboxes_are_known_by_what_they_are_called_beside() {
        for (header, field) in [
            ("NPI #", Some(Field::Npi)),
            ("NPI No.", Some(Field::Npi)),
            ("Individual NPI Nbr", Some(Field::Npi)),
            ("Group NPI", None),
            ("Organization NPI", None),
            ("Billing NPI", None),
            ("Phone - fax", Some(Field::Fax)),
            ("Country/Region", Some(Field::Country)),
            ("Fax #", Some(Field::Fax)),
            ("Fax Nbr", Some(Field::Fax)),
            ("Clinic Fax Line", Some(Field::Fax)),
            ("Fax 2", Some(Field::Fax)),
            ("Home Fax", Some(Field::Fax)),
            ("Tel.", Some(Field::Phone)),
            ("Tel. No.", Some(Field::Phone)),
            ("Phone - work", Some(Field::Phone)),
            ("Contact Number", Some(Field::Phone)),
            ("E-mail 2 Address", Some(Field::Email)),
            ("Preferred E-Mail", Some(Field::Email)),
            ("City/Town", Some(Field::City)),
            ("ZIP Code", Some(Field::PostalCode)),
            ("adr_ln_1", Some(Field::Street)),
            ("Fax extension", None),
            ("Phone Type", None),
            ("Email Domain", None),
            ("Phone / Fax Notes", None),
            ("Assistant's Phone", None),
            ("No Fax", None),
            ("Group Number", None),
            ("Provider Number", None),
            ("State of mind", None),
        ] {
            assert_eq!(best(header), field, "{header}");
        }
    }
}
