//! Wording that the law requires. It is data (`templates/notices/*.toml`, each with its source and the date it was last
//! reviewed), so that counsel can change it without code; its required parts are checked here.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::context::{Shape, bare_address};
use super::error::{TemplateError, place};
use super::paths::Walk;
use super::registry::Registries;
use super::reply_form::ReplyForm;
use super::shared::Piece;
use super::sources::Sources;
use crate::domain::practice::Practice;

const FAX_OPT_OUT: &str = "notices/fax-opt-out.toml";
const MAIL_FOOTER: &str = "notices/email-footer.toml";
const CONFIDENTIALITY: &str = "notices/confidentiality.toml";
const WORDS: &str = "notices/words.toml";

/// What the fax opt-out notice must say (47 CFR § 64.1200(a)(4)(iii)-(v); `compliance.md` R2.6, elements 2 to 7; that
/// it is on the first page, distinct and legible, is up to the letterhead).
pub const FAX_ELEMENTS: [&str; 6] = ["request", "deadline", "valid_request", "means", "cost_free", "hours"];

/// The opt-out notice of this practice, finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaxNotice {
    /// Its heading.
    pub heading: String,
    /// Its elements by name, in order; together they are its text.
    pub elements: Vec<(String, String)>,
}

impl FaxNotice {
    /// The whole text.
    #[must_use]
    pub fn text(&self) -> String {
        self.elements.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join(" ")
    }
}

/// The footer of advertisements and informational mail (15 U.S.C. § 7704(a)(5)), finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailFooter {
    /// How an advertisement identifies itself.
    pub advertisement: String,
    /// How informational mail identifies itself.
    pub informational: String,
    /// The text before the opt-out link.
    pub link_text: String,
    /// The link's label.
    pub link_words: String,
    /// How to opt out where there is no link.
    pub reply_text: String,
}

/// The notices of a letter about a patient, finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confidentiality {
    /// On the fax page.
    pub fax: String,
    /// Under the mail.
    pub mail: String,
    /// On the cover page: what to do if it reached the wrong machine.
    pub misdirected: String,
}

/// Words that the lint searches for.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// Words about one's own service; not in informational letters (`compliance.md` R1.2).
    pub own_service: Vec<String>,
    /// Words that sound like an inducement to refer (42 U.S.C. § 1320a-7b(b)).
    pub inducement: Vec<String>,
}

/// All wording, each with what is wrong with it instead.
pub(super) struct Notices {
    /// For faxed advertisements.
    pub(super) fax: Piece<FaxNotice>,
    /// For mail.
    pub(super) mail: Piece<MailFooter>,
    /// For letters about patients.
    pub(super) confidentiality: Piece<Confidentiality>,
    /// For faxed advertisements that ask for it.
    pub(super) reply_form: Piece<ReplyForm>,
    /// For the lint.
    pub(super) words: Piece<Words>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaxFile {
    source: String,
    reviewed: String,
    heading: String,
    element: Vec<ElementFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ElementFile {
    name: String,
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FooterFile {
    source: String,
    reviewed: String,
    advertisement: String,
    informational: String,
    link_text: String,
    link_words: String,
    reply_text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfidentialityFile {
    source: String,
    reviewed: String,
    fax: String,
    mail: String,
    misdirected: String,
}

impl Notices {
    /// Reads the wording and fills in what belongs to the practice. Wrong is a file that is missing or does not parse, wording
    /// without source or review date, and a fax notice that lacks one of [`FAX_ELEMENTS`].
    pub(super) fn load(sources: &Sources, practice: &Practice) -> Self {
        let fill = Fill::new(practice);
        Self {
            fax: read(sources, FAX_OPT_OUT).and_then(|written| fax(&written, &fill)),
            mail: read(sources, MAIL_FOOTER).and_then(|written| footer(&written, &fill)),
            confidentiality: read(sources, CONFIDENTIALITY).and_then(|written| confidentiality(&written, &fill)),
            reply_form: ReplyForm::load(sources, &fill),
            words: read(sources, WORDS),
        }
    }
}

/// Fills the practice's data into wording.
pub(super) struct Fill {
    context: Value,
    shape: Shape,
}

impl Fill {
    fn new(practice: &Practice) -> Self {
        let opt_out = &practice.opt_out;
        let context = json!({
            "legal_name": practice.legal_name,
            "office_phone": practice.phone.pretty(),
            "fax": practice.fax.pretty(),
            "opt_out_phone": opt_out.phone.pretty(),
            "opt_out_fax": opt_out.fax.pretty(),
            "opt_out_web": opt_out.web.as_deref().map(bare_address),
            "opt_out_email": opt_out.email.as_ref().map(|email| email.as_str()),
            "toll_free": opt_out.toll_free,
        });
        let names = context.as_object().into_iter().flat_map(|fields| fields.keys().cloned());
        let shape = Shape::Record(names.map(|name| (name, Shape::Scalar)).collect());
        Self { context, shape }
    }

    /// The text with its placeholders filled in, on one line.
    pub(super) fn line(&self, file: &str, key: &str, text: &str) -> Result<String, Vec<TemplateError>> {
        let mut registries = Registries::default();
        let failed = |error: TemplateError| vec![TemplateError::whole(file, format!("{key}: {}", error.message))];
        let template = registries.add_line(key, file, text).map_err(failed)?;
        let no_partials = BTreeMap::new();
        let mut walk = Walk::new(&self.shape, &no_partials, true);
        walk.file(file, template);
        if let Some(error) = walk.errors.pop() {
            return Err(failed(error));
        }
        let line = registries.line(key, &self.context).map_err(failed)?;
        if line.is_empty() { Err(vec![TemplateError::whole(file, format!("{key} is empty"))]) } else { Ok(line) }
    }
}

pub(super) fn read<T: DeserializeOwned>(sources: &Sources, file: &str) -> Piece<T> {
    let text = sources.text(file).map_err(|error| vec![error])?;
    toml::from_str(text).map_err(|error| {
        let at = place(text, error.span().map_or(0, |span| span.start));
        vec![TemplateError::at(file, at, error.message().replace('\n', " "))]
    })
}

pub(super) fn reviewed(file: &str, source: &str, reviewed: &str) -> Result<(), Vec<TemplateError>> {
    let dated = chrono::NaiveDate::parse_from_str(reviewed, "%Y-%m-%d").is_ok();
    if source.trim().is_empty() || !dated {
        return Err(vec![TemplateError::whole(
            file,
            "say where the wording comes from (source) and when it was reviewed (2026-11-23)",
        )]);
    }
    Ok(())
}

fn fax(written: &FaxFile, fill: &Fill) -> Result<FaxNotice, Vec<TemplateError>> {
    reviewed(FAX_OPT_OUT, &written.source, &written.reviewed)?;
    for needed in FAX_ELEMENTS {
        if !written.element.iter().any(|element| element.name == needed) {
            let message = format!("the element `{needed}` is missing; all of {} are required", FAX_ELEMENTS.join(", "));
            return Err(vec![TemplateError::whole(FAX_OPT_OUT, message)]);
        }
    }
    let elements = written
        .element
        .iter()
        .map(|element| Ok((element.name.clone(), fill.line(FAX_OPT_OUT, &element.name, &element.text)?)));
    Ok(FaxNotice {
        heading: fill.line(FAX_OPT_OUT, "heading", &written.heading)?,
        elements: elements.collect::<Result<_, Vec<TemplateError>>>()?,
    })
}

fn footer(written: &FooterFile, fill: &Fill) -> Result<MailFooter, Vec<TemplateError>> {
    reviewed(MAIL_FOOTER, &written.source, &written.reviewed)?;
    let line = |key, text| fill.line(MAIL_FOOTER, key, text);
    Ok(MailFooter {
        advertisement: line("advertisement", &written.advertisement)?,
        informational: line("informational", &written.informational)?,
        link_text: line("link_text", &written.link_text)?,
        link_words: line("link_words", &written.link_words)?,
        reply_text: line("reply_text", &written.reply_text)?,
    })
}

fn confidentiality(written: &ConfidentialityFile, fill: &Fill) -> Result<Confidentiality, Vec<TemplateError>> {
    reviewed(CONFIDENTIALITY, &written.source, &written.reviewed)?;
    let line = |key, text| fill.line(CONFIDENTIALITY, key, text);
    Ok(Confidentiality {
        fax: line("fax", &written.fax)?,
        mail: line("mail", &written.mail)?,
        misdirected: line("misdirected", &written.misdirected)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fax_notice(element: &str, toll_free: bool) -> Result<FaxNotice, String> {
        let names = FAX_ELEMENTS.iter().filter(|name| **name != "means");
        let others: String = names.map(|name| format!("[[element]]\nname = \"{name}\"\ntext = \"x\"\n")).collect();
        let text = format!("source = \"47 CFR\"\nreviewed = \"2026-11-23\"\nheading = \"Stop\"\n{others}{element}");
        let context = json!({ "opt_out_phone": "(800) 555-0144", "toll_free": toll_free });
        let shape = Shape::Record(["opt_out_phone", "toll_free"].map(|name| (name.to_owned(), Shape::Scalar)).into());
        let written: FaxFile = toml::from_str(&text).map_err(|error| error.to_string())?;
        fax(&written, &Fill { context, shape }).map_err(|errors| errors[0].to_string())
    }

    #[test]
    fn counsel_may_reword_the_notice_but_not_drop_a_part_of_it() {
        let means = "[[element]]\nname = \"means\"\ntext = \"Ring {{opt_out_phone}}{{#if toll_free}}, free{{/if}}\"\n";
        assert!(fax_notice(means, true).expect("complete").text().contains("Ring (800) 555-0144, free"));
        assert!(fax_notice("", true).expect_err("no means").contains("the element `means` is missing"));
        let typo = means.replace("toll_free", "tollfree");
        assert!(fax_notice(&typo, true).expect_err("a typo").contains("did you mean `toll_free`?"));
        assert!(fax_notice(&means.replace("opt_out_phone", "phone"), true).is_err(), "a function without its value");
    }
}
