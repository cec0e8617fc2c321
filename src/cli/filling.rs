//! Which argument fills in a variable that is missing.

use crate::intake::Gap;
use crate::render::{Flaw, Kind, Missing};

/// What cannot be written, each reason once, with what fills it in.
pub(super) fn gaps(gaps: &[Gap]) -> String {
    let lines = gaps.iter().map(|gap| format!("  {gap}{}", fill_in(gap.missing.as_ref(), gap.of_a_patient)));
    format!("the letter cannot be written for every recipient:\n{}", lines.collect::<Vec<_>>().join("\n"))
}

/// The same for one letter.
pub(super) fn flaws(letter: &str, flaws: &[Flaw], of_a_patient: bool) -> String {
    let lines = flaws.iter().map(|flaw| format!("  {flaw}{}", fill_in(flaw.missing.as_ref(), of_a_patient)));
    format!("letter `{letter}` cannot be written:\n{}", lines.collect::<Vec<_>>().join("\n"))
}

fn fill_in(missing: Option<&Missing>, of_a_patient: bool) -> String {
    let Some(Missing { name, kind }) = missing else { return String::new() };
    // What is about a patient is never taken from the command line.
    let flag = match (of_a_patient, kind) {
        (true, Kind::Measures) => "--variables PATH".to_owned(),
        (true, _) => format!("--set-file {name}=PATH"),
        (false, Kind::Measures) => format!("--set-json {name}=JSON"),
        (false, Kind::List) => format!("--set {name}=\"FIRST; SECOND\""),
        (false, Kind::Date) => format!("--set {name}=YYYY-MM-DD"),
        (false, Kind::Number) => format!("--set {name}=NUMBER"),
        (false, Kind::Text) => format!("--set {name}=TEXT"),
    };
    format!("\n    fill it in with {flag}")
}
