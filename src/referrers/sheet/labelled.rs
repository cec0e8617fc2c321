//! Columns in pairs, of which one says what the other holds: `Phone 2 - Label` and `Phone 2 - Value`, as the exports of
//! Google Contacts have them.

use std::collections::HashMap;

use csv::StringRecord;

use super::field::Field;
use super::header::{Heading, is_count, words_of};

/// Endings of a column that says what its neighbor holds.
const LABELS: &[&str] = &["label", "type"];

/// What stands between several values of one cell, and between their labels.
const SEVERAL: &str = ":::";

/// A column of values with the one that names them.
#[derive(Debug, Clone)]
pub(super) struct Labelled {
    /// Email, or phone, which may turn out to be fax.
    field: Field,
    value: usize,
    label: Option<usize>,
}

/// The pairs among the headings: mailboxes and telephone numbers.
pub(super) fn pairs(headings: &[Heading]) -> Vec<Labelled> {
    let mut places: HashMap<&str, usize> = HashMap::with_capacity(headings.len());
    for (place, heading) in headings.iter().enumerate() {
        places.entry(&heading.key).or_insert(place);
    }
    let pair = |(value, heading): (usize, &Heading)| {
        let (stem, ending) = heading.key.rsplit_once(' ')?;
        let (kind, count) = stem.rsplit_once(' ')?;
        let field = match kind {
            "e mail" | "email" => Field::Email,
            "phone" | "telephone" => Field::Phone,
            "fax" => Field::Fax,
            _ => return None,
        };
        let label = LABELS.iter().find_map(|label| places.get(format!("{stem} {label}").as_str()).copied());
        (ending == "value" && is_count(count)).then_some(Labelled { field, value, label })
    };
    headings.iter().enumerate().filter_map(pair).collect()
}

impl Labelled {
    /// Whether the column belongs to the pair.
    pub(super) fn has(&self, place: usize) -> bool {
        self.value == place || self.label == Some(place)
    }

    /// Which field a column of this pair may fill, whatever its labels say.
    pub(super) fn can_be(&self, field: Field) -> bool {
        self.field == field || (self.field == Field::Phone && field == Field::Fax)
    }

    /// Whether its columns hold nothing but this field.
    pub(super) fn is_only(&self, field: Field) -> bool {
        self.field == field
    }

    /// Where the values are.
    pub(super) const fn place(&self) -> usize {
        self.value
    }

    /// How well a row's value fits the field: lower is better; none if the label says that it is something else. The
    /// practice's own goes before a home's, and what is marked with a star before the rest.
    pub(super) fn rank(&self, field: Field, row: &StringRecord) -> Option<u8> {
        self.choose(field, row, row.get(self.value).unwrap_or_default()).map(|(rank, _)| rank)
    }

    /// What of the value belongs to the field. A cell may hold several values, and its label's cell as many labels: they
    /// are judged in pairs.
    pub(super) fn part<'v>(&self, field: Field, row: &StringRecord, value: &'v str) -> Option<&'v str> {
        self.choose(field, row, value).map(|(_, part)| part)
    }

    fn choose<'v>(&self, field: Field, row: &StringRecord, value: &'v str) -> Option<(u8, &'v str)> {
        let label = self.label.and_then(|place| row.get(place)).unwrap_or_default();
        let labels: Vec<&str> = label.split(SEVERAL).map(str::trim).collect();
        let values: Vec<&str> = value.split(SEVERAL).map(str::trim).collect();
        let ranks: Vec<Option<u8>> = labels.iter().map(|label| self.rank_of(field, label)).collect();
        let is_alike = ranks.windows(2).all(|pair| pair[0] == pair[1]);
        if labels.len() == 1 || is_alike {
            return ranks.first().copied().flatten().map(|rank| (rank, value));
        }
        if labels.len() != values.len() {
            // Nobody can say which value a label means, so that a number is a fax number only if all labels say so.
            let can_be = self.field == field;
            return can_be.then(|| ranks.iter().flatten().min()).flatten().map(|rank| (*rank, value));
        }
        let pairs = ranks.into_iter().zip(values).filter(|(_, value)| !value.is_empty());
        pairs.filter_map(|(rank, value)| Some((rank?, value))).min_by_key(|(rank, _)| *rank)
    }

    /// How well a value with this label fits the field.
    fn rank_of(&self, field: Field, label: &str) -> Option<u8> {
        let words = words_of(label);
        let says = |word: &str| words.iter().any(|said| said == word);
        let is_fax = self.field == Field::Fax || words.iter().any(|word| word.contains("fax"));
        let holds = match self.field {
            Field::Phone | Field::Fax if is_fax => Field::Fax,
            other => other,
        };
        if holds != field || says("pager") || says("telex") {
            return None;
        }
        let is_private = says("home") || says("mobile") || says("private") || says("personal");
        Some(match (is_private, says("work") || label.trim_start().starts_with('*')) {
            (false, true) => 0,
            (false, false) => 1,
            (true, _) => 2,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_label_says_whether_a_number_is_a_fax_and_which_goes_first() {
        let headings: Vec<Heading> =
            ["Phone 1 - Type", "Phone 1 - Value", "E-mail 2 - Label", "E-mail 2 - Value", "Phone 3 - Value", "Value"]
                .iter()
                .map(|header| Heading::of(header))
                .collect();
        let pairs = pairs(&headings);
        assert_eq!(pairs.iter().map(Labelled::place).collect::<Vec<_>>(), [1, 3, 4]);
        for (label, fax, phone) in [
            ("Work Fax", Some(0), None),
            ("workFax", Some(0), None),
            ("* Home Fax", Some(2), None),
            ("Other fax", Some(1), None),
            ("Mobile", None, Some(2)),
            ("* Work", None, Some(0)),
            ("", None, Some(1)),
            ("Pager", None, None),
        ] {
            let row = StringRecord::from(vec![label, "(847) 555-0101"]);
            assert_eq!((pairs[0].rank(Field::Fax, &row), pairs[0].rank(Field::Phone, &row)), (fax, phone), "{label}");
            assert_eq!(pairs[0].rank(Field::Email, &row), None);
        }
    }

    #[test]
    fn several_values_of_a_cell_are_judged_with_their_own_labels() {
        let headings: Vec<Heading> =
            ["Phone 1 - Type", "Phone 1 - Value"].iter().map(|header| Heading::of(header)).collect();
        let pairs = pairs(&headings);
        for (label, value, fax, phone) in [
            ("Work ::: Work Fax", "a ::: b", Some("b"), Some("a")),
            ("Work Fax ::: Work", "a ::: b", Some("a"), Some("b")),
            ("Home ::: Work ::: Home Fax ::: Work Fax", "a ::: b ::: c ::: d", Some("d"), Some("b")),
            ("Work ::: Work Fax", " ::: b", Some("b"), None),
            ("Work ::: Work Fax", "a ::: ", None, Some("a")),
            ("Work Fax", "a ::: b", Some("a ::: b"), None),
            ("Work Fax ::: Work Fax", "a ::: b", Some("a ::: b"), None),
            ("Work", "a ::: b", None, Some("a ::: b")),
            ("Work ::: Work Fax", "a", None, Some("a")),
            ("Work ::: Work Fax", "a ::: b ::: c", None, Some("a ::: b ::: c")),
            ("Pager ::: Work Fax", "a ::: b", Some("b"), None),
        ] {
            let row = StringRecord::from(vec![label, value]);
            let part = |field: Field| pairs[0].part(field, &row, value);
            assert_eq!((part(Field::Fax), part(Field::Phone)), (fax, phone), "{label}: {value}");
        }
    }
}
