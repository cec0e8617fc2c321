//! Which column holds what: by name, or as a person says. Columns of the same name stand in for one another: of a row the
//! first that is filled counts.

use csv::StringRecord;

use super::field::Field;
use super::header::Heading;
use super::labelled::{Labelled, pairs};
use super::refusal_columns::{Form, Sense, is_harmless, sense};
use super::{Instructions, SheetError};

/// Columns that only our own export has: a file with them is read as it is written.
const OURS: [Field; 3] = [Field::Standing, Field::EmailRefusals, Field::FaxRefusals];
/// Columns that only exports of Mailchimp have.
const MAILCHIMP: [&str; 4] = ["member rating", "optin time", "leid", "euid"];

/// A column that says who refused letters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    pub(super) field: Field,
    pub(super) place: usize,
    pub(super) form: Form,
}

/// Where each field is.
#[derive(Debug, Clone, Default)]
pub(super) struct Columns {
    headings: Vec<Heading>,
    /// Each field with its columns, in the order in which they are looked at.
    places: Vec<(Field, Vec<usize>)>,
    /// Columns of mailboxes and fax numbers from which nothing is sent to: a home's, a billing office's.
    spare: Vec<(Field, usize)>,
    labelled: Vec<Labelled>,
    /// Columns that say who refused letters.
    pub(super) marks: Vec<Mark>,
    /// Columns that may say so.
    pub(super) suspects: Vec<usize>,
    /// Columns whose cells stop the import if they are refusals.
    pub(super) watched: Vec<usize>,
    /// Columns that a person told us to leave alone.
    ignored: Vec<usize>,
    /// Taxonomy codes 1 to 15 of NPPES, each with the place of its "primary" switch.
    taxonomies: Vec<(usize, Option<usize>)>,
    /// Whether the file is our own export.
    pub(super) is_ours: bool,
    /// Whether the file comes from a mailing tool that exports those who unsubscribed apart.
    pub(super) is_mailing_tool: bool,
}

impl Columns {
    /// Reads a header row. None if it does not look like one, or lacks a column that a person named.
    pub(super) fn read(row: &StringRecord, instructions: &Instructions<'_>) -> Option<Self> {
        let headings: Vec<Heading> = row.iter().map(Heading::of).collect();
        let mut columns = Self { headings, ..Self::default() };
        columns.follow(instructions)?;
        let pairs = pairs(&columns.headings);
        columns.labelled = pairs.into_iter().filter(|pair| !columns.is_told_of(pair.place())).collect();
        columns.find_marks();
        columns.find_fields();
        let reaches = |field: &Field| field.reaches_someone() && columns.holds(*field);
        let known = Field::ALL.iter().any(reaches) || columns.places.len() >= 3;
        columns.taxonomies = (1..=15)
            .filter_map(|number| {
                let code = columns.place_of(&format!("healthcare provider taxonomy code {number}"))?;
                Some((code, columns.place_of(&format!("healthcare provider primary taxonomy switch {number}"))))
            })
            .collect();
        columns.is_ours = OURS.iter().all(|field| columns.marks.iter().any(|mark| mark.field == *field));
        if !columns.is_ours {
            columns.watched = columns.places_to_watch();
        }
        columns.is_mailing_tool = MAILCHIMP.iter().any(|key| columns.place_of(key).is_some());
        known.then_some(columns)
    }

    /// Places what a person said, which goes before what names say.
    fn follow(&mut self, instructions: &Instructions<'_>) -> Option<()> {
        for name in instructions.ignored {
            let places = self.places_of(name);
            if places.is_empty() {
                return None;
            }
            self.ignored.extend(places);
        }
        for (field, name) in instructions.mapping {
            let places = self.places_of(name);
            if places.is_empty() {
                return None;
            }
            if field.says_refusal() {
                let form = match field {
                    Field::SubscriptionStatus => Form::StatusAsTold,
                    _ => Form::Answer,
                };
                self.marks.extend(places.into_iter().map(|place| Mark { field: *field, place, form }));
            } else if let Some((_, known)) = self.places.iter_mut().find(|(known, _)| known == field) {
                known.extend(places);
            } else {
                self.places.push((*field, places));
            }
        }
        Some(())
    }

    /// Places the columns that say, or may say, who refused letters.
    fn find_marks(&mut self) {
        for (place, heading) in self.headings.iter().enumerate() {
            if self.is_told_of(place) {
                continue;
            }
            let by_word = Field::ALL.iter().find(|field| field.says_refusal() && field.fit(heading).is_some());
            match (by_word, sense(heading)) {
                (Some(Field::SubscriptionStatus), _) => {
                    self.marks.push(Mark { field: Field::SubscriptionStatus, place, form: Form::Status });
                }
                (Some(field), _) => self.marks.push(Mark { field: *field, place, form: Form::Answer }),
                (None, Sense::Says(field, form)) => self.marks.push(Mark { field, place, form }),
                (None, Sense::Suspect) => self.suspects.push(place),
                (None, Sense::Nothing) => {}
            }
        }
    }

    /// Places the other fields by the names of their columns.
    fn find_fields(&mut self) {
        let mut is_taken: Vec<bool> = (0..self.headings.len())
            .map(|place| self.is_told_of(place) || self.labelled.iter().any(|pair| pair.has(place)))
            .collect();
        for field in Field::ALL.iter().filter(|field| !field.says_refusal()) {
            if self.places.iter().any(|(taken, _)| taken == field) {
                continue;
            }
            let free = |place: &usize| !is_taken[*place];
            let fit = |place: usize| self.headings.get(place).and_then(|heading| field.fit(heading));
            let mut found: Vec<(usize, usize)> =
                (0..self.headings.len()).filter(free).filter_map(|place| Some((fit(place)?, place))).collect();
            found.sort_unstable();
            let Some(best) = found.first().map(|(_, place)| self.headings[*place].kin()) else { continue };
            // A voice number is never written to, so that any of them is better than none. Another fax number or mailbox
            // may be somebody else's.
            let is_any = *field == Field::Phone;
            let places: Vec<usize> = found
                .iter()
                .map(|(_, place)| *place)
                .filter(|place| is_any || self.headings[*place].kin() == best)
                .collect();
            if matches!(field, Field::Email | Field::Fax) {
                let rest = found.iter().map(|(_, place)| *place).filter(|place| !places.contains(place));
                self.spare.extend(rest.map(|place| (*field, place)));
            }
            self.suspects.retain(|place| !places.contains(place));
            places.iter().for_each(|place| is_taken[*place] = true);
            self.places.push((*field, places));
        }
    }

    fn is_told_of(&self, place: usize) -> bool {
        self.ignored.contains(&place)
            || self.marks.iter().any(|mark| mark.place == place)
            || self.places.iter().any(|(_, taken)| taken.contains(&place))
    }

    fn places_of(&self, name: &str) -> Vec<usize> {
        let key = Heading::of(name).key;
        let named = self.headings.iter().enumerate().filter(|(_, heading)| heading.key == key);
        named.map(|(place, _)| place).collect()
    }

    fn place_of(&self, key: &str) -> Option<usize> {
        self.headings.iter().position(|heading| heading.key == key)
    }

    fn holds(&self, field: Field) -> bool {
        self.places.iter().any(|(known, _)| *known == field) || self.labelled.iter().any(|pair| pair.can_be(field))
    }

    /// How many columns say something.
    pub(super) fn count(&self) -> usize {
        self.places.len() + self.labelled.len() + self.marks.len()
    }

    /// How many cells a row has.
    pub(super) fn width(&self) -> usize {
        self.headings.len()
    }

    /// The field's columns in a row, best first: those of its name, else those whose label says it.
    pub(super) fn candidates(&self, field: Field, row: &StringRecord) -> Vec<usize> {
        let mut places: Vec<usize> =
            self.places.iter().find(|(known, _)| *known == field).map(|(_, places)| places.clone()).unwrap_or_default();
        let mut labelled: Vec<(u8, usize)> =
            self.labelled.iter().filter_map(|pair| Some((pair.rank(field, row)?, pair.place()))).collect();
        labelled.sort_unstable();
        places.extend(labelled.into_iter().map(|(_, place)| place));
        places
    }

    /// Every column that holds mailboxes or fax numbers, whether anything is sent to them or not.
    pub(super) fn every_place(&self, field: Field) -> Vec<usize> {
        let by_name =
            self.places.iter().filter(|(known, _)| *known == field).flat_map(|(_, places)| places.iter().copied());
        let spare = self.spare.iter().filter(|(known, _)| *known == field).map(|(_, place)| *place);
        let labelled = self.labelled.iter().filter(|pair| pair.is_only(field)).map(Labelled::place);
        by_name.chain(spare).chain(labelled).collect()
    }

    /// What of a cell belongs to the field: all of it, unless the cell holds several values with a label for each.
    pub(super) fn part<'v>(&self, field: Field, place: usize, row: &StringRecord, cell: &'v str) -> Option<&'v str> {
        match self.labelled.iter().find(|pair| pair.place() == place) {
            Some(pair) => pair.part(field, row, cell),
            None => Some(cell),
        }
    }

    /// The name of a column in the file.
    pub(super) fn name(&self, place: usize) -> Option<String> {
        self.headings.get(place).map(|heading| heading.text.clone())
    }

    /// The name of the field's first column.
    pub(super) fn column(&self, field: Field) -> Option<String> {
        let by_name = self.places.iter().find(|(known, _)| *known == field).and_then(|(_, places)| places.first());
        let by_label = || self.labelled.iter().find(|pair| pair.can_be(field)).map(Labelled::place);
        by_name.copied().or_else(by_label).and_then(|place| self.name(place))
    }

    /// The taxonomy code that decides: the one switched primary, else the first there is.
    pub(super) fn taxonomy<'r>(&self, row: &'r StringRecord) -> Option<&'r str> {
        let cell = |place: usize| row.get(place).map(str::trim).filter(|text| !text.is_empty());
        let is_primary =
            |switch: Option<usize>| switch.and_then(cell).is_some_and(|text| text.eq_ignore_ascii_case("y"));
        let primary = self.taxonomies.iter().find(|(_, switch)| is_primary(*switch)).and_then(|(code, _)| cell(*code));
        let named = || self.candidates(Field::Taxonomy, row).into_iter().find_map(cell);
        primary.or_else(named).or_else(|| self.taxonomies.iter().find_map(|(code, _)| cell(*code)))
    }

    /// Fields and the columns they were found in.
    pub(super) fn mapping(&self) -> Vec<(Field, String)> {
        let by_name = self.places.iter().flat_map(|(field, places)| places.iter().map(|place| (*field, *place)));
        let by_label = self.labelled.iter().flat_map(|pair| {
            let fields = [Field::Email, Field::Fax, Field::Phone].into_iter().filter(|field| pair.can_be(*field));
            fields.map(|field| (field, pair.place()))
        });
        let marks = self.marks.iter().map(|mark| (mark.field, mark.place));
        by_name.chain(by_label).chain(marks).filter_map(|(field, place)| Some((field, self.name(place)?))).collect()
    }

    /// Columns that nothing was read from.
    pub(super) fn unused(&self) -> Vec<String> {
        let unused = self
            .headings
            .iter()
            .enumerate()
            .filter(|(place, heading)| !self.is_used(*place) && !heading.text.is_empty());
        unused.map(|(_, heading)| heading.text.clone()).collect()
    }

    fn is_used(&self, place: usize) -> bool {
        self.is_told_of(place) && !self.ignored.contains(&place)
            || self.labelled.iter().any(|pair| pair.has(place))
            || self.taxonomies.iter().any(|(code, switch)| *code == place || *switch == Some(place))
    }

    /// Columns in which nobody expects a refusal, so that a cell that is one must be explained: those that nothing is read
    /// from, and those that are read for something else. Notes stay notes.
    fn places_to_watch(&self) -> Vec<usize> {
        let read = [Field::Type, Field::Specialty, Field::Source];
        let is_read =
            |place: usize| self.places.iter().any(|(field, places)| read.contains(field) && places.contains(&place));
        let can_say = |place: usize, heading: &Heading| {
            !self.ignored.contains(&place) && (!self.is_used(place) || is_read(place)) && !is_harmless(heading)
        };
        let all = self.headings.iter().enumerate();
        all.filter(|(place, heading)| can_say(*place, heading)).map(|(place, _)| place).collect()
    }

    /// Names that stand in the header more than once and are read, with how often.
    pub(super) fn repeated(&self) -> Vec<(String, usize)> {
        let mut found: Vec<(String, usize)> = Vec::new();
        for (_, places) in &self.places {
            for place in places {
                let heading = &self.headings[*place];
                let same = places.iter().filter(|other| self.headings[**other].key == heading.key).count();
                if same > 1 && !found.iter().any(|(name, _)| Heading::of(name).key == heading.key) {
                    found.push((heading.text.clone(), same));
                }
            }
        }
        found
    }

    /// Why the columns named by a person cannot be followed in a file whose other columns can be read.
    pub(super) fn not_named(instructions: &Instructions<'_>) -> SheetError {
        let names = instructions.mapping.iter().map(|(_, name)| name).chain(instructions.ignored);
        let names: Vec<String> = names.map(|name| format!("`{}`", Heading::of(name).text)).collect();
        SheetError::Mapping(format!(
            "a column named in the mapping ({}) is not in the header: copy its name exactly",
            names.join(", ")
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse_mapping;
    use super::*;

    fn columns(header: &[&str], mapping: &[(Field, String)]) -> Option<Columns> {
        let instructions = Instructions { mapping, ..Instructions::default() };
        Columns::read(&StringRecord::from(header.to_vec()), &instructions)
    }

    fn place(columns: &Columns, field: Field) -> Option<usize> {
        columns.candidates(field, &StringRecord::new()).first().copied()
    }

    #[test]
    fn columns_are_known_by_many_names() {
        let found =
            columns(&["Provider's Name", "FAX #", "E-Mail", "Practice_Name", "Shoe size"], &[]).expect("header");
        assert_eq!(place(&found, Field::Fax), Some(1));
        assert_eq!(place(&found, Field::Email), Some(2));
        assert_eq!(place(&found, Field::Organization), Some(3));
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
        assert_eq!(found.candidates(Field::Fax, &StringRecord::new()), [1], "a mailing address is somebody else's");
        assert_eq!(place(&found, Field::LastName), Some(2));
    }

    #[test]
    fn what_the_person_says_goes_before_what_the_name_says() {
        let told = parse_mapping("fax = Second Line").expect("mapping");
        let found = columns(&["fax", "second line"], std::slice::from_ref(&told)).expect("header");
        assert_eq!(place(&found, Field::Fax), Some(1));
        assert!(columns(&["fax", "email"], &[told]).is_none(), "the column told of must be there");
        assert!(parse_mapping("fox=Fax").expect_err("no field").to_string().contains("fax"));
    }

    #[test]
    fn columns_of_one_name_stand_in_for_one_another() {
        let found = columns(&["Fax", "Name", "Fax #", "Fax 2", "Billing Fax"], &[]).expect("header");
        assert_eq!(found.candidates(Field::Fax, &StringRecord::new()), [0, 2, 3]);
        assert!(found.repeated().is_empty());
        let twice = columns(&["Fax", "fax ", "Email"], &[]).expect("header");
        assert_eq!(twice.repeated(), [("Fax".to_owned(), 2)]);
    }

    #[test]
    fn a_column_that_may_say_who_refused_is_kept_in_mind_until_a_person_says_what_it_is() {
        let header = ["Email", "Opt In", "Patient Status", "Unsubscribed"];
        let found = columns(&header, &[]).expect("header");
        assert_eq!(found.suspects, [1, 2]);
        assert_eq!(found.marks.iter().map(|mark| mark.place).collect::<Vec<_>>(), [3]);
        let told = [parse_mapping("opted_in=Opt in").expect("mapping")];
        let ignored = ["patient status".to_owned()];
        let instructions = Instructions { mapping: &told, ignored: &ignored, file: None };
        let found = Columns::read(&StringRecord::from(header.to_vec()), &instructions).expect("header");
        assert!(found.suspects.is_empty());
        assert_eq!(
            found.marks.iter().map(|mark| mark.field).collect::<Vec<_>>(),
            [Field::OptedIn, Field::EmailOptedOut]
        );
    }
}
