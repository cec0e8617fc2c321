//! Rating scales: change and category are computed here, by the definitions of `templates/notices/instruments.toml`,
//! and the definition used is printed with them.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::domain::listed::listed;

/// The most measures of one report.
const MEASURES_MAX: usize = 12;
/// The longest name of an instrument or definition, in characters.
const WORDS_CHARS_MAX: usize = 200;

/// The scales we know the cut-offs of.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instruments {
    /// Where the cut-offs come from.
    #[serde(default)]
    pub source: String,
    /// When they were last compared with the source, `YYYY-MM-DD`.
    #[serde(default)]
    pub reviewed: String,
    #[serde(default)]
    instrument: Vec<Instrument>,
}

/// One scale.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Instrument {
    name: String,
    /// Other spellings of the name.
    #[serde(default)]
    also: Vec<String>,
    score_max: f64,
    /// Smallest decrease from baseline that counts as response, in percent.
    response_fall_percent: f64,
    /// Smallest decrease that counts as partial response, in percent.
    partial_fall_percent: f64,
    /// The highest score that is remission.
    remission_max: f64,
    /// Severity: each word applies up to its score.
    #[serde(default)]
    bands: Vec<Band>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Band {
    up_to: f64,
    word: String,
}

impl Instruments {
    /// Reads the definitions.
    ///
    /// # Errors
    /// What is wrong with the TOML, with its line.
    pub fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    /// The measures with `change`, `category` and `definition` filled in, and at the first of those that share a definition
    /// `defined_for`, the names of all of them: what a template sees.
    pub(crate) fn read(&self, value: &Value) -> Result<Value, String> {
        let entries = value.as_array().ok_or("must be a list of measures")?;
        if entries.len() > MEASURES_MAX {
            return Err(format!("has more than {MEASURES_MAX} measures"));
        }
        let measured = entries
            .iter()
            .enumerate()
            .map(|(index, entry)| self.measure(entry).map_err(|problem| format!("entry {} {problem}", index + 1)));
        let mut measures = measured.collect::<Result<Vec<Value>, String>>()?;
        let named: Vec<String> = (0..measures.len()).map(|at| defined_for(&measures, at)).collect();
        for (measure, names) in measures.iter_mut().zip(named) {
            measure["defined_for"] = names.into();
        }
        Ok(Value::Array(measures))
    }

    fn measure(&self, entry: &Value) -> Result<Value, String> {
        let entry = entry.as_object().ok_or("must have the fields instrument, baseline, mid, end")?;
        if let Some(unknown) = entry.keys().find(|key| !FIELDS.contains(&key.as_str())) {
            let shown: String = unknown.chars().filter(|c| !c.is_control()).take(40).collect();
            return Err(format!("has the unknown field `{shown}`; the fields are {}", FIELDS.join(", ")));
        }
        let name = words(entry, "instrument")?.ok_or("names no instrument")?;
        let known = self.instrument.iter().find(|instrument| instrument.is_called(&name));
        let (baseline, mid, end) = (score(entry, "baseline")?, score(entry, "mid")?, score(entry, "end")?);
        if let Some(instrument) = known {
            instrument.check_range(&[baseline, mid, end])?;
        }
        let definition = known.map(Instrument::definition).or(words(entry, "definition")?);
        Ok(json!({
            "instrument": name,
            "baseline": shown(baseline), "mid": shown(mid), "end": shown(end),
            "change": change(baseline, end),
            "category": known.map_or("not computed", |instrument| instrument.category(baseline, end)).to_owned()
                + &known.and_then(|instrument| instrument.severity(end)).map_or_else(String::new, |word| format!(" ({word})")),
            "definition": definition,
        }))
    }
}

/// The names of all measures with the definition of the one at `at`; empty if an earlier one has it.
fn defined_for(measures: &[Value], at: usize) -> String {
    let shares = |other: &&Value| other["definition"] == measures[at]["definition"];
    if measures[..at].iter().any(|earlier| shares(&earlier)) {
        return String::new();
    }
    let names: Vec<&str> = measures[at..].iter().filter(shares).filter_map(|one| one["instrument"].as_str()).collect();
    listed(names, "and")
}

const FIELDS: [&str; 5] = ["instrument", "baseline", "mid", "end", "definition"];

impl Instrument {
    fn is_called(&self, name: &str) -> bool {
        std::iter::once(&self.name).chain(&self.also).any(|known| bare(known) == bare(name))
    }

    fn check_range(&self, scores: &[Option<f64>]) -> Result<(), String> {
        let max = self.score_max;
        if scores.iter().flatten().any(|score| !(0.0..=max).contains(score)) {
            return Err(format!("has a score outside 0 to {max}, the range of {}", self.name));
        }
        Ok(())
    }

    /// The category; depends on baseline and end alone.
    fn category(&self, baseline: Option<f64>, end: Option<f64>) -> &'static str {
        let (Some(baseline), Some(end)) = (baseline, end) else { return "not computed" };
        if baseline <= self.remission_max {
            return "low before treatment";
        }
        let fall_percent = (baseline - end) / baseline * 100.0;
        if end <= self.remission_max {
            "remission"
        } else if fall_percent >= self.response_fall_percent {
            "response"
        } else if fall_percent >= self.partial_fall_percent {
            "partial response"
        } else {
            "no response"
        }
    }

    fn severity(&self, end: Option<f64>) -> Option<&str> {
        let end = end?;
        self.bands.iter().find(|band| end <= band.up_to).map(|band| band.word.as_str())
    }

    fn definition(&self) -> String {
        format!(
            "response is a fall of at least {}%, partial response of at least {}%, remission a score of {} or less",
            self.response_fall_percent, self.partial_fall_percent, self.remission_max
        )
    }
}

/// The change in words, which survive a noisy line; a minus sign may not.
pub(crate) fn change(baseline: Option<f64>, end: Option<f64>) -> String {
    match (baseline, end) {
        (Some(baseline), Some(end)) if baseline > 0.0 => {
            let percent = ((end - baseline) / baseline * 100.0).round();
            match percent {
                p if p < 0.0 => format!("{}% lower", -p),
                p if p > 0.0 => format!("{p}% higher"),
                _ => "no change".to_owned(),
            }
        }
        _ => "not computed".to_owned(),
    }
}

fn bare(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

fn words(entry: &Map<String, Value>, key: &str) -> Result<Option<String>, String> {
    match entry.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
        Some(Value::String(text)) if text.chars().count() <= WORDS_CHARS_MAX => Ok(Some(text.trim().to_owned())),
        Some(_) => Err(format!("has a `{key}` that is not a text of at most {WORDS_CHARS_MAX} characters")),
    }
}

fn score(entry: &Map<String, Value>, key: &str) -> Result<Option<f64>, String> {
    match entry.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Number(number)) => Ok(number.as_f64()),
        Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
        Some(Value::String(text)) => {
            text.trim().parse().map(Some).map_err(|_| format!("has a `{key}` that is not a number"))
        }
        Some(_) => Err(format!("has a `{key}` that is not a number")),
    }
}

/// A score as it is printed; whole where it is whole.
fn shown(score: Option<f64>) -> Value {
    score.map_or(Value::Null, |score| Value::String(score.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built_in() -> Instruments {
        Instruments::parse(include_str!("../../templates/notices/instruments.toml")).expect("the built-in definitions")
    }

    fn course(name: &str, baseline: Value, end: Value) -> (String, String) {
        let read = built_in().read(&json!([{"instrument": name, "baseline": baseline, "end": end}])).expect("in range");
        let field = |key: &str| read[0][key].as_str().expect("a text").to_owned();
        (field("change"), field("category"))
    }

    #[test]
    fn change_and_category_follow_the_published_cut_offs() {
        for (name, baseline, end, change, category) in [
            ("PHQ-9", 19, 7, "63% lower", "response (mild)"),
            ("phq9", 20, 4, "80% lower", "remission (minimal)"),
            ("PHQ-9", 20, 15, "25% lower", "partial response (moderately severe)"),
            ("PHQ-9", 10, 12, "20% higher", "no response (moderate)"),
            ("GAD-7", 14, 8, "43% lower", "partial response (mild)"),
            ("MADRS", 30, 10, "67% lower", "remission (mild)"),
            ("HAM-D17", 20, 8, "60% lower", "response"),
            ("Y-BOCS", 28, 18, "36% lower", "response"),
            ("QIDS-SR16", 16, 5, "69% lower", "remission"),
        ] {
            assert_eq!(course(name, json!(baseline), json!(end)), (change.to_owned(), category.to_owned()), "{name}");
        }
    }

    #[test]
    fn nothing_is_computed_from_a_score_that_is_missing_or_zero() {
        assert_eq!(course("PHQ-9", Value::Null, json!(7)).0, "not computed");
        assert_eq!(
            course("PHQ-9", json!(0), json!(0)),
            ("not computed".to_owned(), "low before treatment (minimal)".to_owned())
        );
        assert_eq!(course("Our own scale", json!(10), json!(5)), ("50% lower".to_owned(), "not computed".to_owned()));
    }

    #[test]
    fn a_score_that_cannot_be_is_refused_without_quoting_it() {
        let refused =
            built_in().read(&json!([{"instrument": "PHQ-9", "baseline": 42, "end": 3}])).expect_err("too high");
        assert!(refused.contains("0 to 27") && !refused.contains("42"), "{refused}");
        assert!(
            built_in()
                .read(&json!([{"instrument": "PHQ-9", "item_9": 2}]))
                .expect_err("item 9")
                .contains("unknown field")
        );
    }

    #[test]
    fn measures_that_share_a_definition_have_it_printed_once() {
        let given =
            json!([{"instrument": "PHQ-9"}, {"instrument": "MADRS"}, {"instrument": "GAD-7"}, {"instrument": "Own"}]);
        let read = built_in().read(&given).expect("sound");
        let named: Vec<&str> = (0..4).map(|at| read[at]["defined_for"].as_str().expect("a text")).collect();
        assert_eq!(named, ["PHQ-9 and GAD-7", "MADRS", "", "Own"]);
    }

    #[test]
    fn the_definition_printed_is_the_one_used() {
        let given = json!([{"instrument": "PHQ-9", "baseline": 19, "end": 7, "definition": "something else"}]);
        let definition = built_in().read(&given).expect("sound")[0]["definition"].as_str().expect("a text").to_owned();
        assert!(definition.contains("at least 50%") && definition.contains("4 or less"), "{definition}");
        let own = json!([{"instrument": "Own", "definition": "ours"}]);
        assert_eq!(built_in().read(&own).expect("sound")[0]["definition"], "ours");
    }
}
