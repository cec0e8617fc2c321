//! The front matter of a `letter.md`: what the letter is, what it may contain, and which variables it takes.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use super::error::{TemplateError, place};
use super::functions;
use super::variables::{Kind, Variable};
use crate::domain::channel::{PhiClass, Purpose};
use crate::domain::words::words;

/// The line before and after the front matter.
const FENCE: &str = "+++";
/// The most variables a letter may declare.
const VARIABLES_MAX: usize = 100;
/// The longest repeat window, in days: ten years.
const REPEAT_DAYS_MAX: u32 = 3650;
/// Names that every letter already has.
const TAKEN: [&str; 4] = ["practice", "referrer", "date", "this"];

words! {
    /// A letter's category; the same one does not go to a referrer twice in a row.
    Category {
        /// First letter or request to meet.
        Introduction = "introduction",
        /// Treatments, openings, hours.
        Capacity = "capacity",
        /// Articles and reference.
        Education = "education",
        /// Stories and outcomes.
        Success = "success",
        /// People, insurers, lines.
        Operations = "operations",
        /// Resources of the community.
        Community = "community",
        /// A direct question for one patient.
        Ask = "ask",
        /// About a patient the recipient sent.
        Report = "report",
    }
}

/// What a `letter.md` declares. Places are byte offsets in the whole file.
#[derive(Debug, Clone, PartialEq)]
pub struct FrontMatter {
    /// Name for people.
    pub title: String,
    /// When to use it.
    pub about: String,
    /// Subject of the mail, Handlebars.
    pub subject: Placed,
    /// Large line over the fax and the mail, Handlebars.
    pub headline: Option<Placed>,
    /// What it is for; an advertisement by default (`compliance.md` §1).
    pub purpose: Purpose,
    /// Whether it holds health information.
    pub phi: PhiClass,
    /// Its category.
    pub category: Category,
    /// The most pages its fax may have, a cover page not counted.
    pub pages_max: u32,
    /// Whether its fax has a reply form at the foot, where there is room.
    pub reply_form: bool,
    /// How many days the letter does not go to the same referrer again; 0: it always may. None: the default of its kind.
    pub repeat_days: Option<u32>,
    /// In the order of the file.
    pub variables: Vec<Variable>,
    /// Where the body begins.
    pub body: usize,
}

/// A text of the front matter and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The text.
    pub text: String,
    /// Byte offset in the file.
    pub offset: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    title: String,
    about: String,
    subject: Spanned<String>,
    headline: Option<Spanned<String>>,
    purpose: Option<Purpose>,
    phi: Option<PhiClass>,
    category: Category,
    fax: Option<WrittenFax>,
    repeat_days: Option<Spanned<i64>>,
    #[serde(default)]
    variables: BTreeMap<String, Spanned<WrittenVariable>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenFax {
    #[serde(default = "one_page")]
    pages_max: u32,
    #[serde(default)]
    reply_form: bool,
}

const fn one_page() -> u32 {
    1
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenVariable {
    about: String,
    #[serde(default)]
    kind: Kind,
    default: Option<serde_json::Value>,
    min: Option<f64>,
    #[serde(default)]
    perishable: bool,
}

/// Reads the front matter of `source`, the text of the file `template`.
///
/// # Errors
/// One error per mistake, with line and column: no front matter, TOML that does not parse, unknown keys, a missing
/// PHI class, a default of the wrong kind, patient variables outside treatment, and the like.
pub fn read(template: &str, source: &str) -> Result<FrontMatter, Vec<TemplateError>> {
    let range = fenced(source).ok_or_else(|| {
        vec![TemplateError::at(template, (1, 1), "the file must begin with front matter between two lines `+++`")]
    })?;
    let (start, body) = (range.start, body_start(source, range.end));
    let written: Written = toml::from_str(&source[range]).map_err(|error| {
        let at = place(source, start + error.span().map_or(0, |span| span.start));
        vec![TemplateError::at(template, at, error.message().replace('\n', " "))]
    })?;
    let mut errors = Vec::new();
    let variables = variables(template, source, start, written.variables, &mut errors);
    let Some(phi) = written.phi else {
        errors.push(TemplateError::at(
            template,
            (1, 1),
            "phi is missing: say phi = \"none\", \"deidentified\" or \"identified\" (whether it holds health information)",
        ));
        return Err(errors);
    };
    let repeat_days = written.repeat_days.and_then(|days| repeat_days(template, source, start, &days, &mut errors));
    let front = FrontMatter {
        title: written.title,
        about: written.about,
        subject: placed(start, &written.subject),
        headline: written.headline.as_ref().map(|text| placed(start, text)),
        purpose: written.purpose.unwrap_or(Purpose::Advertisement),
        phi,
        category: written.category,
        pages_max: written.fax.as_ref().map_or_else(one_page, |fax| fax.pages_max),
        reply_form: written.fax.is_some_and(|fax| fax.reply_form),
        repeat_days,
        variables,
        body,
    };
    check(template, source, &front, &mut errors);
    if errors.is_empty() { Ok(front) } else { Err(errors) }
}

/// The bytes between the fences.
fn fenced(source: &str) -> Option<Range<usize>> {
    let first = source.strip_prefix(FENCE)?;
    let start = FENCE.len() + first.find('\n')? + 1;
    if !source[FENCE.len()..start].trim().is_empty() {
        return None;
    }
    let mut at = start;
    for line in source[start..].split_inclusive('\n') {
        if line.trim_end() == FENCE {
            return Some(start..at);
        }
        at += line.len();
    }
    None
}

fn body_start(source: &str, fence: usize) -> usize {
    source[fence..].find('\n').map_or(source.len(), |newline| fence + newline + 1)
}

fn repeat_days(
    template: &str,
    source: &str,
    start: usize,
    written: &Spanned<i64>,
    errors: &mut Vec<TemplateError>,
) -> Option<u32> {
    let days = u32::try_from(*written.get_ref()).ok().filter(|days| *days <= REPEAT_DAYS_MAX);
    if days.is_none() {
        let message = format!("repeat_days must be between 0 and {REPEAT_DAYS_MAX} (0: it may always be sent again)");
        errors.push(TemplateError::at(template, place(source, start + written.span().start), message));
    }
    days
}

fn placed(start: usize, text: &Spanned<String>) -> Placed {
    Placed { text: text.get_ref().clone(), offset: start + text.span().start }
}

fn variables(
    template: &str,
    source: &str,
    start: usize,
    written: BTreeMap<String, Spanned<WrittenVariable>>,
    errors: &mut Vec<TemplateError>,
) -> Vec<Variable> {
    let mut found: Vec<(usize, Variable)> = Vec::new();
    for (name, spanned) in written {
        let offset = start + spanned.span().start;
        let at = place(source, offset);
        let WrittenVariable { about, kind, default, min, perishable } = spanned.into_inner();
        if !is_name(&name) || TAKEN.contains(&name.as_str()) || functions::is_known(&name) {
            let message = format!(
                "`{name}` cannot name a variable: use lower-case letters, digits and _, not the name of a function and none of {}",
                TAKEN.join(", ")
            );
            errors.push(TemplateError::at(template, at, message));
        }
        let variable = Variable { name, about, kind, default, min, perishable };
        if let Some(problem) = variable.default_problem() {
            errors.push(TemplateError::at(template, at, format!("the default of `{}` {problem}", variable.name)));
        }
        found.push((offset, variable));
    }
    if found.len() > VARIABLES_MAX {
        errors.push(TemplateError::whole(template, format!("more than {VARIABLES_MAX} variables are declared")));
    }
    found.sort_by_key(|(offset, _)| *offset);
    found.into_iter().map(|(_, variable)| variable).collect()
}

fn is_name(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// The rules that tie the declarations together (`compliance.md` R4.4, R4.8).
fn check(template: &str, source: &str, front: &FrontMatter, errors: &mut Vec<TemplateError>) {
    let mut refuse = |message: String| errors.push(TemplateError::at(template, (1, 1), message));
    for (key, text) in [("title", &front.title), ("about", &front.about), ("subject", &front.subject.text)] {
        if text.trim().is_empty() {
            refuse(format!("{key} is empty"));
        }
    }
    if !(1..=20).contains(&front.pages_max) {
        refuse("fax.pages_max must be between 1 and 20".to_owned());
    }
    if front.reply_form && front.purpose != Purpose::Advertisement {
        refuse("fax.reply_form asks for calls and for permission to fax: only an advertisement may".to_owned());
    }
    if front.purpose != Purpose::Treatment {
        for variable in front.variables.iter().filter(|variable| variable.name.starts_with("patient_")) {
            let name = &variable.name;
            refuse(format!("`{name}` is about a patient, and only a treatment letter may be (45 CFR 164.508(a)(3))"));
        }
    }
    if front.purpose == Purpose::Treatment {
        for variable in front.variables.iter().filter(|variable| variable.perishable) {
            let name = &variable.name;
            refuse(format!("`{name}` cannot be perishable: that is for campaigns, and none sends a treatment letter"));
        }
    }
    if front.phi == PhiClass::Identified && front.purpose.is_outreach() {
        refuse(format!("phi = \"identified\" cannot go with purpose = \"{}\"", front.purpose));
    }
    if front.phi == PhiClass::Identified {
        for text in [Some(&front.subject), front.headline.as_ref()].into_iter().flatten() {
            if text.text.contains("{{") {
                let message = "subject and headline of a letter about a patient must be fixed text, without variables";
                errors.push(TemplateError::at(template, place(source, text.offset), message));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEAD: &str = "title = \"T\"\nabout = \"A\"\nsubject = \"S\"\ncategory = \"ask\"\n";

    fn read_head(more: &str) -> Result<FrontMatter, String> {
        read("x/letter.md", &format!("+++\n{HEAD}{more}+++\nBody\n"))
            .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    }

    #[test]
    fn a_letter_without_purpose_is_an_advertisement_and_one_without_phi_class_is_refused() {
        assert_eq!(read_head("phi = \"none\"\n").expect("sound").purpose, Purpose::Advertisement);
        assert!(read_head("purpose = \"treatment\"\n").expect_err("no phi").contains("phi is missing"));
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line() {
        let error = read_head("phi = \"none\"\npurpsoe = \"treatment\"\n").expect_err("unknown key");
        assert!(error.starts_with("x/letter.md:7:1: ") && error.contains("purpsoe"), "{error}");
        let error =
            read_head("phi = \"none\"\n[variables.x]\nabout = \"A\"\ndefalt = \"\"\n").expect_err("unknown key");
        assert!(error.starts_with("x/letter.md:9:1: ") && error.contains("defalt"), "{error}");
    }

    #[test]
    fn a_repeat_window_is_a_number_of_days_within_bounds_and_refused_with_its_line_otherwise() {
        assert_eq!(read_head("phi = \"none\"\n").expect("sound").repeat_days, None);
        for days in [0, 1, 180, 3650] {
            let front = read_head(&format!("phi = \"none\"\nrepeat_days = {days}\n")).expect("sound");
            assert_eq!(front.repeat_days, Some(days));
        }
        for wrong in ["-1", "3651", "9223372036854775807", "\"14\"", "1.5", "true"] {
            let error = read_head(&format!("phi = \"none\"\nrepeat_days = {wrong}\n")).expect_err(wrong);
            assert!(error.starts_with("x/letter.md:7:"), "{wrong}: {error}");
        }
        assert!(
            read_head("phi = \"none\"\nrepeat_days = 3651\n").expect_err("too long").contains("between 0 and 3650")
        );
    }

    #[test]
    fn a_reply_form_is_asked_for_and_only_by_an_advertisement() {
        assert!(!read_head("phi = \"none\"\n").expect("sound").reply_form);
        assert!(!read_head("phi = \"none\"\nfax = { pages_max = 2 }\n").expect("sound").reply_form);
        let front = read_head("phi = \"none\"\nfax = { reply_form = true }\n").expect("sound");
        assert!(front.reply_form && front.pages_max == 1);
        let error = read_head("phi = \"none\"\npurpose = \"informational\"\nfax = { reply_form = true }\n");
        assert!(error.expect_err("no advertisement").contains("fax.reply_form"));
    }

    #[test]
    fn toml_that_does_not_parse_is_refused_with_its_line() {
        let error = read_head("phi = none\n").expect_err("not TOML");
        assert!(error.starts_with("x/letter.md:6:"), "{error}");
        assert!(read("x/letter.md", "Dear …").expect_err("no front matter")[0].message.contains("+++"));
        assert!(read("x/letter.md", "+++\ntitle = 1\n").is_err());
    }

    #[test]
    fn patient_variables_belong_to_treatment_letters_only() {
        let variable = "phi = \"identified\"\n[variables.patient_name]\nabout = \"A\"\n";
        let error = read_head(variable).expect_err("an advertisement");
        assert!(error.contains("`patient_name`") && error.contains("only a treatment letter"), "{error}");
        assert!(read_head(&format!("purpose = \"treatment\"\n{variable}")).is_ok());
    }

    #[test]
    fn the_subject_of_a_letter_about_a_patient_is_fixed() {
        let head = HEAD.replace("\"S\"", "\"About {{patient_name}}\"");
        let source = format!("+++\n{head}purpose = \"treatment\"\nphi = \"identified\"\n+++\n");
        let errors = read("x/letter.md", &source).expect_err("a variable in the subject");
        assert_eq!((errors[0].line, errors[0].message.contains("fixed text")), (Some(4), true));
    }

    #[test]
    fn variables_keep_the_order_of_the_file_and_defaults_their_kind() {
        let front = read_head("phi = \"none\"\n[variables.b]\nabout = \"B\"\n[variables.a]\nabout = \"A\"\nkind = \"list\"\ndefault = []\n")
            .expect("sound");
        assert_eq!(front.variables.iter().map(|v| v.name.as_str()).collect::<Vec<_>>(), ["b", "a"]);
        let error = read_head("phi = \"none\"\n[variables.d]\nabout = \"D\"\nkind = \"date\"\ndefault = \"soon\"\n");
        assert!(error.expect_err("not a date").contains("the default of `d`"));
        assert!(read_head("phi = \"none\"\n[variables.Date]\nabout = \"D\"\n").is_err());
    }

    #[test]
    fn a_variable_is_marked_as_perishable_only_where_a_campaign_may_send_it() {
        let variable =
            "phi = \"none\"\n[variables.openings]\nabout = \"A\"\nperishable = true\n[variables.x]\nabout = \"X\"\n";
        let front = read_head(variable).expect("sound");
        assert_eq!(front.variables.iter().map(|v| v.perishable).collect::<Vec<_>>(), [true, false]);
        let error = read_head(&variable.replace("= true", "= \"yes\"")).expect_err("no boolean");
        assert!(error.starts_with("x/letter.md:9:"), "{error}");
        let error = read_head(&format!("purpose = \"treatment\"\n{variable}")).expect_err("a treatment letter");
        assert!(error.contains("`openings` cannot be perishable"), "{error}");
    }

    /// Every place that a letter's front matter refers to is within its file.
    fn places_are_inside(source: &str) -> Result<(), TestCaseError> {
        match read("x/letter.md", source) {
            Ok(front) => {
                prop_assert!(source.is_char_boundary(front.body) && source.is_char_boundary(front.subject.offset));
                prop_assert!(source[front.subject.offset..].len() >= front.subject.text.len().min(1));
            }
            Err(errors) => {
                prop_assert!(!errors.is_empty(), "refused without a reason");
                for line in errors.iter().filter_map(|error| error.line) {
                    prop_assert!((1..=source.split('\n').count()).contains(&line), "line {line}");
                }
            }
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn no_text_makes_reading_a_head_panic_and_every_place_is_inside(
            text in "(\\PC|\n){0,200}",
            key in "(title|about|subject|headline|purpose|phi|category|fax|repeat_days|variables\\.[a-z]{1,3})",
            value in "(\"\\PC{0,12}\"|[0-9]{1,4}|\\{\\}|\\[\\]|none|\\{ pages_max = [0-9]{1,3} \\})",
        ) {
            places_are_inside(&text)?;
            places_are_inside(&format!("+++\n{text}\n+++\n"))?;
            places_are_inside(&format!("+++\n{HEAD}phi = \"none\"\n{key} = {value}\n+++\n{text}"))?;
            places_are_inside(&format!("+++\r\n{key} = {value}\r\n+++"))?;
        }
    }
}
