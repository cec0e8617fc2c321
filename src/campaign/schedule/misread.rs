//! What is said of a schedule that is not understood: everything that is, at a terminal; a sentence or two, beside a field.

use std::fmt;

/// What is accepted, for the end of every error at a terminal.
const EXAMPLES: &str = "\
Write one of:
  first tuesday 09:00              (also second, third, fourth, last; `first and third tuesday 09:00`)
  every monday 09:00               (also `monday, thursday 10:00`)
  every 2 weeks on tuesday 09:00
  day 15 09:00                     (also `1st and 15th at 9 am`, `last day 09:00`, `last business day 09:00`)
  every 2 months on day 1 09:00    (also `quarterly on the first monday 09:00`, `every year on december 1 09:00`)
  weekdays 08:30
  daily 08:00
  once 2026-12-01 09:00            (also `tomorrow at 9 am`, `12/01/2026 9:00 AM`)
  cron: 0 9 * * TUE#1
Times are local: 09:00, 14:30, 9 am, 2:30 pm or noon. Without a time it is 9:00 AM; a time alone means every day.";
/// The examples beside a field.
const FEW_EXAMPLES: &str = "“first tuesday 09:00”, “every 2 weeks on tuesday 09:00” or “1st and 15th at 9 am”";

/// Why a schedule is not understood, and what is. Prints as the error at a terminal, of several lines; for a page there is
/// [`Misread::in_short`]. Repeats what was written, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misread {
    /// What was written; empty if it is not repeated.
    text: String,
    problem: Problem,
}

/// What is wrong. Where the advice differs between a terminal and a page it has a case of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Problem {
    /// It asks for a run at once.
    Now,
    /// It names a time zone.
    Zone(String),
    /// Words without a full stop.
    Other(String),
}

impl From<String> for Problem {
    fn from(words: String) -> Self {
        Self::Other(words)
    }
}

impl Problem {
    fn at_terminal(&self) -> String {
        match self {
            Self::Now => "to send now, use `touchline send`, or `touchline campaign run` for a campaign".to_owned(),
            Self::Zone(zone) => format!(
                "times are local in the campaign's zone: leave out `{zone}`, and name the zone by itself, such as \
                 `--zone America/Chicago`"
            ),
            Self::Other(words) => words.clone(),
        }
    }

    fn on_a_page(&self) -> String {
        match self {
            Self::Now => "to send it now, use the button “Run now” on the campaign's page".to_owned(),
            Self::Zone(zone) => format!(
                "times are local in the campaign's zone: leave out “{zone}”, and write the zone in the field “Time zone”"
            ),
            Self::Other(words) => quoted(words),
        }
    }
}

impl Misread {
    pub(super) const fn new(text: String, problem: Problem) -> Self {
        Self { text, problem }
    }

    /// The same without what was written.
    pub(super) fn unquoted(words: String) -> Self {
        Self { text: String::new(), problem: Problem::Other(words) }
    }

    /// One or two sentences for a page, without commands and line breaks: what is wrong, and three examples.
    #[must_use]
    pub fn in_short(&self) -> String {
        let problem = self.problem.on_a_page();
        let mut letters = problem.chars();
        let first: String = letters.next().map_or_else(String::new, |first| first.to_uppercase().collect());
        format!("{first}{}{} For example: {FEW_EXAMPLES}.", letters.as_str(), stop_after(&problem))
    }
}

impl fmt::Display for Misread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.text.is_empty() {
            write!(f, "`{}`: ", self.text)?;
        }
        let problem = self.problem.at_terminal();
        write!(f, "{problem}{} {EXAMPLES}", stop_after(&problem))
    }
}

impl std::error::Error for Misread {}

/// The full stop, unless the words end with one or with a question mark.
fn stop_after(words: &str) -> &'static str {
    if words.ends_with(['.', '?', '!']) { "" } else { "." }
}

/// What stands between backticks at a terminal stands between quotation marks on a page.
fn quoted(words: &str) -> String {
    let mut parts = words.split('`');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for (at, part) in parts.enumerate() {
        text.push(if at % 2 == 0 { '“' } else { '”' });
        text.push_str(part);
    }
    text
}
