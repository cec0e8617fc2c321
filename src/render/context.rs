//! What a template can name: the practice, the referrer, the day, and the letter's own variables; as values for
//! rendering, and as shapes against which every path of a template is checked beforehand.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::variables::{Kind, Variable};
use crate::domain::clock::Timestamp;
use crate::domain::practice::Practice;
use crate::domain::referrer::Referrer;

/// What a name refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// A text, number or boolean: prints.
    Scalar,
    /// Entries of one shape.
    List(Box<Shape>),
    /// Named fields with shapes.
    Record(BTreeMap<String, Shape>),
}

impl Shape {
    fn record(fields: impl IntoIterator<Item = (&'static str, Shape)>) -> Self {
        Self::Record(fields.into_iter().map(|(name, shape)| (name.to_owned(), shape)).collect())
    }

    fn scalars(names: &[&'static str]) -> Self {
        Self::record(names.iter().map(|name| (*name, Self::Scalar)))
    }

    fn texts() -> Self {
        Self::List(Box::new(Self::Scalar))
    }

    /// The names inside, if it is a record.
    pub(crate) fn names(&self) -> Vec<&str> {
        match self {
            Self::Record(fields) => fields.keys().map(String::as_str).collect(),
            _ => Vec::new(),
        }
    }
}

const PRACTICE: [&str; 13] = [
    "name",
    "legal_name",
    "street",
    "city",
    "state",
    "zip",
    "phone",
    "fax",
    "referral_line",
    "website",
    "email",
    "response_time",
    "description",
];
const DIRECTOR: [&str; 4] = ["name", "credentials", "title", "background"];
const REFERRER: [&str; 7] =
    ["salutation", "name", "first_name", "last_name", "credentials", "organization", "type_label"];
const MEASURE: [&str; 8] = ["instrument", "baseline", "mid", "end", "change", "category", "definition", "defined_for"];

/// What a letter with these variables can name. A partial is checked with the variables of each letter that uses it.
#[must_use]
pub fn shape(variables: &[Variable]) -> Shape {
    let Shape::Record(mut practice) = Shape::scalars(&PRACTICE) else { return Shape::Scalar };
    practice.insert("hours".to_owned(), Shape::Scalar);
    for list in ["services", "conditions", "insurers"] {
        practice.insert(list.to_owned(), Shape::texts());
    }
    practice.insert("medical_director".to_owned(), Shape::scalars(&DIRECTOR));
    let mut root = BTreeMap::from([
        ("practice".to_owned(), Shape::Record(practice)),
        ("referrer".to_owned(), Shape::scalars(&REFERRER)),
        ("date".to_owned(), Shape::Scalar),
    ]);
    for variable in variables {
        let shape = match variable.kind {
            Kind::Text | Kind::Date | Kind::Number => Shape::Scalar,
            Kind::List => Shape::texts(),
            Kind::Measures => Shape::List(Box::new(Shape::scalars(&MEASURE))),
        };
        root.insert(variable.name.clone(), shape);
    }
    Shape::Record(root)
}

/// The practice as templates see it: numbers as people write them, absent texts as `null`.
#[must_use]
pub fn practice(practice: &Practice) -> Value {
    let director = &practice.medical_director;
    json!({
        "name": practice.name,
        "legal_name": practice.legal_name,
        "street": practice.street,
        "city": practice.city,
        "state": practice.state,
        "zip": practice.zip,
        "phone": practice.phone.pretty(),
        "fax": practice.fax.pretty(),
        "referral_line": practice.referral_number().pretty(),
        "website": practice.website.as_deref().map(bare_address),
        "email": practice.email.as_str(),
        "services": practice.services,
        "conditions": practice.conditions,
        "insurers": practice.insurers,
        "response_time": practice.response_time,
        "description": practice.does(),
        "hours": practice.hours,
        "medical_director": {
            "name": director.name,
            "credentials": director.credentials,
            "title": director.title,
            "background": director.background,
        },
    })
}

/// A web address as people write it: without `https://` and a slash at the end. The function `url` adds it again.
#[must_use]
pub fn bare_address(address: &str) -> &str {
    address.strip_prefix("https://").unwrap_or(address).trim_end_matches('/')
}

fn referrer(referrer: &Referrer) -> Value {
    json!({
        "salutation": referrer.salutation(),
        "name": referrer.display_name(),
        "first_name": referrer.first_name,
        "last_name": referrer.last_name,
        "credentials": referrer.credentials,
        "organization": referrer.organization,
        "type_label": referrer.kind.label(),
    })
}

/// A letter's date, in the practice's time zone: `November 23, 2026`.
#[must_use]
pub fn day(practice: &Practice, now: Timestamp) -> String {
    now.to_utc().with_timezone(&practice.time_zone).format("%B %-d, %Y").to_string()
}

/// Everything a letter is rendered with. `variables` are resolved; their names cannot collide with the rest.
#[must_use]
pub fn context(practice: &Value, recipient: &Referrer, date: &str, variables: Map<String, Value>) -> Value {
    let mut root = variables;
    root.insert("practice".to_owned(), practice.clone());
    root.insert("referrer".to_owned(), referrer(recipient));
    root.insert("date".to_owned(), Value::String(date.to_owned()));
    Value::Object(root)
}
