//! The variables of a letter: what each accepts, and the values with defaults filled in and computed fields added.
//! No message here quotes a value.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::error::did_you_mean;
use super::measures::Instruments;

/// The longest text value, in characters.
const TEXT_CHARS_MAX: usize = 4000;
/// The most entries of a list.
const LIST_MAX: usize = 50;

/// The type of a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Words; at most 4,000 characters. A number becomes its digits.
    #[default]
    Text,
    /// A JSON list of texts, or one text whose entries are separated by `;` or line breaks; at most 50 entries.
    List,
    /// A day as `YYYY-MM-DD`.
    Date,
    /// A number, or a text that is one.
    Number,
    /// Scores before, midway and at the end: a list of `{instrument, baseline, mid, end, definition}`.
    Measures,
}

/// What is wrong with the variables of one letter for one recipient. Names only, never values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// One sentence.
    pub words: String,
    /// The variable, if it only has to be filled in.
    pub missing: Option<Missing>,
}

/// A variable that must be filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: Kind,
}

impl Flaw {
    /// Something else than a missing variable.
    pub(crate) const fn other(words: String) -> Self {
        Self { words, missing: None }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

/// A variable as a letter declares it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Variable {
    /// Name, as written in the template.
    pub name: String,
    /// What to fill in.
    pub about: String,
    /// Its type.
    pub kind: Kind,
    /// The value used if none is given; without it, the variable is required. An empty default means that it may
    /// be missing.
    pub default: Option<Value>,
    /// The smallest number accepted.
    pub min: Option<f64>,
    /// Whether its value is true for a while only, as openings are: a campaign renews it for every run.
    pub perishable: bool,
}

impl Variable {
    /// Whether a value must be given.
    #[must_use]
    pub fn is_required(&self) -> bool {
        self.default.is_none()
    }

    /// What is wrong with the default, if anything.
    pub(crate) fn default_problem(&self) -> Option<String> {
        let default = self.default.as_ref().filter(|value| !is_blank(value))?;
        let instruments = Instruments::default();
        self.read(default, &instruments).err()
    }

    /// The value in the form templates see, or what is wrong with it in words that follow its name.
    fn read(&self, value: &Value, instruments: &Instruments) -> Result<Value, String> {
        match self.kind {
            Kind::Text => text(value).map(Value::String),
            Kind::List => list(value).map(|entries| entries.into_iter().map(Value::String).collect()),
            Kind::Date => date(value),
            Kind::Number => number(value, self.min),
            Kind::Measures => instruments.read(value),
        }
    }

    /// The empty value in templates: falsy, and of the variable's type.
    fn nothing(&self) -> Value {
        match self.kind {
            Kind::List | Kind::Measures => Value::Array(Vec::new()),
            Kind::Text | Kind::Date | Kind::Number => Value::String(String::new()),
        }
    }
}

/// The values a template is rendered with: every declared variable: given, by default, or empty.
///
/// # Errors
/// Each variable that is missing, of the wrong kind, or not declared by the letter.
pub fn resolve(
    declared: &[Variable],
    given: &Map<String, Value>,
    instruments: &Instruments,
) -> Result<Map<String, Value>, Vec<Flaw>> {
    let undeclared = given.keys().filter_map(|name| undeclared(declared, name));
    let mut problems: Vec<Flaw> = undeclared.map(Flaw::other).collect();
    let mut values = Map::new();
    for variable in declared {
        let value = given.get(&variable.name).filter(|value| !is_blank(value)).or(variable.default.as_ref());
        match value {
            None => problems.push(Flaw {
                words: format!("`{}` is missing: {}", variable.name, variable.about),
                missing: Some(Missing { name: variable.name.clone(), kind: variable.kind }),
            }),
            Some(value) if is_blank(value) => {
                values.insert(variable.name.clone(), variable.nothing());
            }
            Some(value) => match variable.read(value, instruments) {
                Ok(value) => {
                    values.insert(variable.name.clone(), value);
                }
                Err(problem) => problems.push(Flaw::other(format!("`{}` {problem}", variable.name))),
            },
        }
    }
    if problems.is_empty() { Ok(values) } else { Err(problems) }
}

/// All of them in one line.
pub(crate) fn joined(flaws: &[Flaw]) -> String {
    flaws.iter().map(|flaw| flaw.words.as_str()).collect::<Vec<_>>().join("; ")
}

fn undeclared(declared: &[Variable], name: &str) -> Option<String> {
    if declared.iter().any(|variable| variable.name == name) {
        return None;
    }
    let shown: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
    let hint = did_you_mean(name, declared.iter().map(|variable| variable.name.as_str()))
        .map_or_else(String::new, |meant| format!(" — did you mean `{meant}`?"));
    Some(format!("`{shown}` is not a variable of this letter{hint}"))
}

fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(entries) => entries.iter().all(is_blank),
        _ => false,
    }
}

fn text(value: &Value) -> Result<String, String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return Err("must be a text".to_owned()),
    };
    if text.chars().count() > TEXT_CHARS_MAX {
        return Err(format!("is longer than {TEXT_CHARS_MAX} characters"));
    }
    Ok(text)
}

fn list(value: &Value) -> Result<Vec<String>, String> {
    let entries: Vec<String> = match value {
        Value::Array(entries) => entries.iter().map(text).collect::<Result<_, _>>()?,
        Value::String(line) => {
            text(value)?;
            line.split([';', '\n']).map(str::to_owned).collect()
        }
        _ => return Err("must be a list of texts".to_owned()),
    };
    let entries: Vec<String> = entries.into_iter().filter(|entry| !entry.trim().is_empty()).collect();
    if entries.len() > LIST_MAX {
        return Err(format!("has more than {LIST_MAX} entries"));
    }
    Ok(entries)
}

/// A day as `2026-11-23`. A year has four digits, as in everything that is read elsewhere.
pub(super) fn day(text: &str) -> Option<chrono::NaiveDate> {
    let day = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    (0..=9999).contains(&chrono::Datelike::year(&day)).then_some(day)
}

fn date(value: &Value) -> Result<Value, String> {
    let day = value.as_str().and_then(|text| day(text.trim()));
    day.map(|day| Value::String(day.to_string())).ok_or_else(|| "must be a day written as 2026-11-23".to_owned())
}

fn number(value: &Value, min: Option<f64>) -> Result<Value, String> {
    let parsed = match value {
        Value::Number(number) => Some(number.clone()),
        Value::String(text) => serde_json::from_str::<serde_json::Number>(text.trim()).ok(),
        _ => None,
    };
    let number = parsed.ok_or("must be a number")?;
    match (min, number.as_f64()) {
        (Some(min), Some(value)) if value < min => Err(format!("must be at least {min}")),
        _ => Ok(Value::Number(number)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn variable(name: &str, kind: Kind, default: Option<Value>) -> Variable {
        Variable {
            name: name.to_owned(),
            about: "what to write".to_owned(),
            kind,
            default,
            min: None,
            perishable: false,
        }
    }

    fn resolved(declared: &[Variable], given: Value) -> Result<Value, String> {
        let Value::Object(given) = given else { panic!("an object") };
        resolve(declared, &given, &Instruments::default()).map(Value::Object).map_err(|flaws| joined(&flaws))
    }

    #[test]
    fn a_required_variable_must_be_given_and_an_optional_one_is_filled_in() {
        let declared = [variable("a", Kind::Text, None), variable("b", Kind::List, Some(json!(["x"])))];
        assert_eq!(resolved(&declared, json!({"a": "1"})), Ok(json!({"a": "1", "b": ["x"]})));
        for nothing in [json!({}), json!({"a": null}), json!({"a": "  "})] {
            assert_eq!(resolved(&declared, nothing), Err("`a` is missing: what to write".to_owned()));
        }
    }

    #[test]
    fn an_undeclared_name_is_refused_with_the_one_that_was_meant() {
        let declared = [variable("treatment", Kind::Text, None)];
        let problem = resolved(&declared, json!({"treatment": "TMS", "treatmnt": "TMS"})).expect_err("undeclared");
        assert_eq!(problem, "`treatmnt` is not a variable of this letter — did you mean `treatment`?");
    }

    #[test]
    fn every_kind_refuses_what_it_is_not_without_quoting_it() {
        for (kind, value, problem) in [
            (Kind::Text, json!({"secret": 1}), "must be a text"),
            (Kind::List, json!(7), "must be a list"),
            (Kind::Date, json!("23/11/2026"), "must be a day"),
            (Kind::Date, json!("2026-02-30"), "must be a day"),
            (Kind::Number, json!("secret"), "must be a number"),
            (Kind::Measures, json!("secret"), "must be a list of measures"),
        ] {
            let said = resolved(&[variable("v", kind, None)], json!({"v": value})).expect_err("wrong kind");
            assert!(said.contains(problem) && !said.contains("secret") && !said.contains("23/11"), "{said}");
        }
    }

    #[test]
    fn lists_and_numbers_may_come_from_a_spreadsheet() {
        let declared = [variable("l", Kind::List, None), variable("n", Kind::Number, None)];
        assert_eq!(resolved(&declared, json!({"l": "a; b", "n": "38"})), Ok(json!({"l": ["a", " b"], "n": 38})));
        let few = Variable { min: Some(11.0), ..variable("n", Kind::Number, None) };
        assert_eq!(resolved(&[few], json!({"n": 10})), Err("`n` must be at least 11".to_owned()));
    }
}
