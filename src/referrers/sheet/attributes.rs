//! Further fields of a row in one cell, as a JSON object: listmonk exports what it knows of a subscriber this way.

use serde_json::Value;

use super::cell::{Cells, ExtraMark};
use super::field::Field;
use super::header::Heading;
use super::refusal_columns::{Form, Sense, is_harmless, sense};
use super::refusal_words::is_refusal;

/// Most attributes read of one row.
const ATTRIBUTES_MAX: usize = 60;

/// Reads the attributes into the row's further fields and marks. A cell that is no JSON object costs the cell.
pub(super) fn read(cells: &mut Cells<'_>) {
    let Some(text) = cells.raw(Field::Attributes) else { return };
    let Ok(Value::Object(attributes)) = serde_json::from_str::<Value>(text) else {
        cells.note(Field::Attributes, "the attributes are not a JSON object and were left out");
        return;
    };
    for (name, value) in attributes.into_iter().take(ATTRIBUTES_MAX) {
        let value = match value {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            Value::Bool(answer) => answer.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => continue,
        };
        if value.is_empty() {
            continue;
        }
        let heading = Heading::of(&name);
        let by_word = Field::ALL.iter().find(|field| field.says_refusal() && field.fit(&heading).is_some());
        match (by_word, sense(&heading)) {
            (Some(field), _) => {
                cells.extra_marks.push(ExtraMark { field: *field, form: Form::Answer, name: heading.text, value });
            }
            (None, Sense::Says(field, form)) => {
                cells.extra_marks.push(ExtraMark { field, form, name: heading.text, value });
            }
            (None, Sense::Suspect) => cells.suspect(heading.text),
            (None, Sense::Nothing) => {
                let fits = Field::ALL.iter().filter_map(|field| Some((field.fit(&heading)?, *field)));
                match fits.min() {
                    Some((_, field)) => cells.extra.push((field, value)),
                    None if is_refusal(&value) && !is_harmless(&heading) => cells.suspect(heading.text),
                    None => {}
                }
            }
        }
    }
}
