//! The reply form at the foot of a faxed advertisement. Its wording is data, like that of the notices.

use serde::{Deserialize, Serialize};

use super::binding;
use super::error::TemplateError;
use super::notices::{Fill, read, reviewed};
use super::sources::Sources;

const REPLY_FORM: &str = "notices/reply-form.toml";
/// More choices would leave no room for a letter.
const CHOICES_MAX: usize = 6;

/// The form of this practice, finished. The JSON form is what the letterhead reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReplyForm {
    /// What to do with it.
    pub heading: String,
    /// What can be checked.
    pub choices: Vec<Choice>,
    /// What stands before the line for a name.
    pub name: String,
    /// What stands before the line for a date.
    pub date: String,
}

/// One line with a box to check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// Its words.
    pub text: String,
    /// Whether a line to write on follows.
    pub fill: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    source: String,
    reviewed: String,
    heading: String,
    choice: Vec<WrittenChoice>,
    signed: Signed,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenChoice {
    text: String,
    #[serde(default)]
    fill: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Signed {
    name: String,
    date: String,
}

impl ReplyForm {
    /// The same as it is printed on paper: its lines end only where they may.
    #[must_use]
    pub fn bound(&self) -> Self {
        let choice = |one: &Choice| Choice { text: binding::text(&one.text), fill: one.fill };
        Self {
            heading: binding::text(&self.heading),
            choices: self.choices.iter().map(choice).collect(),
            name: binding::text(&self.name),
            date: binding::text(&self.date),
        }
    }

    /// Reads the wording and fills in what belongs to the practice.
    ///
    /// # Errors
    /// A file that is missing or does not parse, wording without source or review date, no choice or more than six.
    pub(super) fn load(sources: &Sources, fill: &Fill) -> Result<Self, Vec<TemplateError>> {
        let written: Written = read(sources, REPLY_FORM)?;
        reviewed(REPLY_FORM, &written.source, &written.reviewed)?;
        if !(1..=CHOICES_MAX).contains(&written.choice.len()) {
            let message = format!("the form needs one to {CHOICES_MAX} choices ([[choice]])");
            return Err(vec![TemplateError::whole(REPLY_FORM, message)]);
        }
        let line = |key: &str, text: &str| fill.line(REPLY_FORM, key, text);
        let choices = written.choice.iter().map(|one| Ok(Choice { text: line("choice", &one.text)?, fill: one.fill }));
        Ok(Self {
            heading: line("heading", &written.heading)?,
            choices: choices.collect::<Result<_, Vec<TemplateError>>>()?,
            name: line("signed.name", &written.signed.name)?,
            date: line("signed.date", &written.signed.date)?,
        })
    }
}
