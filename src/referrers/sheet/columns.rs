//! Which column holds what: by name, with the names that practice software, insurers, associations and NPPES use, or
//! by a mapping.

use csv::StringRecord;

use super::SheetError;
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
        /// Time zone.
        TimeZone = "time_zone",
        /// State or territory.
        State = "state",
        /// Labels.
        Tags = "tags",
        /// Where the row came from.
        Source = "source",
        /// Permission or relationship.
        Basis = "basis",
        /// Where the fax number came from.
        BasisSource = "basis_source",
        /// When the basis was obtained.
        BasisDate = "basis_date",
        /// Evidence of the basis.
        BasisNote = "basis_note",
    }
}

impl Field {
    /// Header names in order of preference, as [`normalised`]. The field's own word is already one of them.
    const fn aliases(self) -> &'static [&'static str] {
        match self {
            Self::Npi => &["npi number", "provider npi", "individual npi", "national provider identifier", "npi id"],
            Self::FirstName => {
                &["first", "given name", "provider first name", "firstname", "fname", "contact first name"]
            }
            Self::LastName => &[
                "last",
                "family name",
                "surname",
                "provider last name legal name",
                "provider last name",
                "lastname",
                "lname",
                "contact last name",
            ],
            Self::Name => &[
                "full name",
                "provider name",
                "provider",
                "practitioner",
                "practitioner name",
                "physician",
                "physician name",
                "doctor",
                "clinician",
                "therapist",
                "referrer",
                "referring provider",
                "contact",
                "contact name",
                "display name",
                "fullname",
            ],
            Self::Credentials => &[
                "credential",
                "provider credential text",
                "degree",
                "degrees",
                "title credentials",
                "designation",
                "license type",
            ],
            Self::Organization => &[
                "organisation",
                "organization name",
                "provider organization name legal business name",
                "practice",
                "practice name",
                "clinic",
                "clinic name",
                "group",
                "group name",
                "group practice",
                "facility",
                "facility name",
                "company",
                "company name",
                "business name",
                "agency",
                "employer",
            ],
            Self::Type => &["referrer type", "kind", "provider type", "category", "practitioner type"],
            Self::Specialty => &[
                "specialties",
                "speciality",
                "primary specialty",
                "provider specialty",
                "taxonomy description",
                "taxonomy desc",
                "discipline",
                "profession",
                "field",
            ],
            Self::Taxonomy => {
                &["taxonomy code", "healthcare provider taxonomy code 1", "primary taxonomy", "nucc code"]
            }
            Self::Email => &[
                "e mail",
                "email address",
                "e mail address",
                "mail",
                "work email",
                "contact email",
                "provider email",
                "office email",
                "emailaddress",
            ],
            Self::Fax => &[
                "fax number",
                "fax no",
                "fax #",
                "office fax",
                "practice fax",
                "provider business practice location address fax number",
                "provider practice location address fax number",
                "location fax",
                "primary fax",
                "business fax",
                "work fax",
                "facsimile",
                "fax phone",
                "faxnumber",
                "referral fax",
                "provider business mailing address fax number",
            ],
            Self::Phone => &[
                "phone number",
                "telephone",
                "telephone number",
                "tel",
                "office phone",
                "practice phone",
                "provider business practice location address telephone number",
                "provider practice location address telephone number",
                "location phone",
                "primary phone",
                "business phone",
                "work phone",
                "voice",
                "phone no",
                "phonenumber",
                "main phone",
                "provider business mailing address telephone number",
            ],
            Self::TimeZone => &["timezone", "tz", "zone"],
            Self::State => &[
                "st",
                "state code",
                "office state",
                "practice state",
                "location state",
                "provider business practice location address state name",
                "provider practice location address state name",
                "address state",
                "province",
                "state province",
                "provider business mailing address state name",
            ],
            Self::Tags => &["tag", "labels", "label", "lists", "segment"],
            Self::Source => &["lead source", "imported from", "list source", "origin"],
            Self::Basis => &["basis kind", "fax basis", "consent basis"],
            Self::BasisSource => &["number source", "fax number source"],
            Self::BasisDate => &["consent date", "permission date", "basis obtained on", "obtained on"],
            Self::BasisNote => &["consent note", "permission note", "basis evidence", "evidence"],
        }
    }

    /// How well a normalized header matches: zero is the field's own word, higher is less; none if it does not.
    fn fit(self, header: &str) -> Option<usize> {
        if header == normalised(self.as_str()) {
            return Some(0);
        }
        self.aliases().iter().position(|alias| normalised(alias) == header).map(|place| place + 1)
    }

    /// Whether this column alone makes a list usable.
    const fn reaches_someone(self) -> bool {
        matches!(self, Self::Fax | Self::Email | Self::Phone)
    }
}

/// A header in comparable form: lower case, words apart by one space, nothing else (but `#`).
fn normalised(header: &str) -> String {
    let spaced: String = header
        .chars()
        .map(|c| if c.is_alphanumeric() || c == '#' { c } else { ' ' })
        .flat_map(char::to_lowercase)
        .collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
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
    if column.is_empty() {
        return Err(wrong(format!("write the column's name after {field}=")));
    }
    Ok((field, column.to_owned()))
}

/// Where each field is.
#[derive(Debug, Clone, Default)]
pub(super) struct Columns {
    /// Header texts as in the file.
    pub(super) headers: Vec<String>,
    places: Vec<(Field, usize)>,
    /// Taxonomy codes 1 to 15 of NPPES, each with the place of its "primary" switch.
    taxonomies: Vec<(usize, Option<usize>)>,
}

impl Columns {
    /// Reads a header row. None if it does not look like one.
    pub(super) fn read(row: &StringRecord, mapping: &[(Field, String)]) -> Option<Self> {
        let headers: Vec<String> = row.iter().map(|cell| cell.trim().chars().take(100).collect()).collect();
        let names: Vec<String> = headers.iter().map(|header| normalised(header)).collect();
        let place_of = |name: &str| names.iter().position(|candidate| candidate == name);
        let mut places: Vec<(Field, usize)> = Vec::new();
        for (field, column) in mapping {
            places.push((*field, place_of(&normalised(column))?));
        }
        for field in Field::ALL {
            if places.iter().any(|(taken, _)| taken == field) {
                continue;
            }
            let free = names.iter().enumerate().filter(|(place, _)| !places.iter().any(|(_, taken)| taken == place));
            let best = free.filter_map(|(place, name)| field.fit(name).map(|fit| (fit, place))).min();
            places.extend(best.map(|(_, place)| (*field, place)));
        }
        let known = places.iter().any(|(field, _)| field.reaches_someone()) || places.len() >= 3;
        let taxonomies = (1..=15)
            .filter_map(|number| {
                let code = place_of(&format!("healthcare provider taxonomy code {number}"))?;
                Some((code, place_of(&format!("healthcare provider primary taxonomy switch {number}"))))
            })
            .collect();
        known.then_some(Self { headers, places, taxonomies })
    }

    /// How many fields were found.
    pub(super) fn count(&self) -> usize {
        self.places.len()
    }

    /// The field's place in a row.
    pub(super) fn place(&self, field: Field) -> Option<usize> {
        self.places.iter().find(|(known, _)| *known == field).map(|(_, place)| *place)
    }

    /// The name of the field's column in the file.
    pub(super) fn column(&self, field: Field) -> Option<String> {
        self.place(field).and_then(|place| self.headers.get(place)).cloned()
    }

    /// The taxonomy code that decides: the one switched primary, else the first there is.
    pub(super) fn taxonomy<'r>(&self, row: &'r StringRecord) -> Option<&'r str> {
        let cell = |place: usize| row.get(place).map(str::trim).filter(|text| !text.is_empty());
        let is_primary =
            |switch: Option<usize>| switch.and_then(cell).is_some_and(|text| text.eq_ignore_ascii_case("y"));
        let primary = self.taxonomies.iter().find(|(_, switch)| is_primary(*switch)).and_then(|(code, _)| cell(*code));
        primary
            .or_else(|| self.place(Field::Taxonomy).and_then(cell))
            .or_else(|| self.taxonomies.iter().find_map(|(code, _)| cell(*code)))
    }

    /// Fields and the columns they were found in.
    pub(super) fn mapping(&self) -> Vec<(Field, String)> {
        self.places.iter().map(|(field, place)| (*field, self.headers[*place].clone())).collect()
    }

    /// Columns that nothing was read from.
    pub(super) fn unused(&self) -> Vec<String> {
        let is_used = |place: usize| {
            self.places.iter().any(|(_, taken)| *taken == place)
                || self.taxonomies.iter().any(|(code, switch)| *code == place || *switch == Some(place))
        };
        let unused = self.headers.iter().enumerate().filter(|(place, name)| !is_used(*place) && !name.is_empty());
        unused.map(|(_, name)| name.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(header: &[&str], mapping: &[(Field, String)]) -> Option<Columns> {
        Columns::read(&StringRecord::from(header.to_vec()), mapping)
    }

    #[test]
    fn columns_are_known_by_many_names() {
        let found =
            columns(&["Provider's Name", "FAX #", "E-Mail", "Practice_Name", "Shoe size"], &[]).expect("header");
        assert_eq!(found.place(Field::Fax), Some(1));
        assert_eq!(found.place(Field::Email), Some(2));
        assert_eq!(found.place(Field::Organization), Some(3));
        assert_eq!(found.unused(), ["Provider's Name", "Shoe size"]);
    }

    #[test]
    fn the_practice_location_goes_before_the_mailing_address() {
        let header = [
            "Provider Business Mailing Address Fax Number",
            "Provider Business Practice Location Address Fax Number",
            "Provider Last Name (Legal Name)",
        ];
        let found = columns(&header, &[]).expect("header");
        assert_eq!((found.place(Field::Fax), found.place(Field::LastName)), (Some(1), Some(2)));
    }

    #[test]
    fn what_the_person_says_goes_before_what_the_name_says() {
        let told = parse_mapping("fax = Second Line").expect("mapping");
        let found = columns(&["fax", "second line"], std::slice::from_ref(&told)).expect("header");
        assert_eq!(found.place(Field::Fax), Some(1));
        assert!(columns(&["fax", "email"], &[told]).is_none(), "the column told of must be there");
        assert!(parse_mapping("fox=Fax").expect_err("no field").to_string().contains("fax"));
    }

    #[test]
    fn every_alias_belongs_to_one_field() {
        for field in Field::ALL {
            for alias in field.aliases() {
                let others = Field::ALL.iter().filter(|other| *other != field && other.fit(alias).is_some());
                assert_eq!(others.count(), 0, "{alias}");
            }
        }
    }
}
