//! Failures by script: a file that says what becomes of the n-th fax to a number.

use serde::Deserialize;

use super::behaviour::{Arrived, Behaviour, Ending, Intake, Manners, SLOW_DOWN_SECONDS, fault_of_call};
use super::chance::Chances;
use crate::domain::{Fault, FaxNumber};

/// Rules in one script.
const RULES_MAX: usize = 1_000;
/// The longest that a script asks a customer to wait: a day.
const WAIT_SECONDS_MAX: u32 = 86_400;

/// A script file's content.
#[derive(Debug, Clone, Default)]
pub struct Script {
    pub(super) rules: Vec<Rule>,
    pub(super) chances: Option<Chances>,
}

/// One rule: for which faxes, and what becomes of them.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    number: Option<FaxNumber>,
    ends_in: Option<String>,
    nth: Option<u32>,
    first: Option<u32>,
    pub(super) behaviour: Behaviour,
}

impl Rule {
    /// Whether the rule applies to that number.
    pub(super) fn concerns(&self, number: &FaxNumber) -> bool {
        self.number.as_ref().is_none_or(|own| own == number)
            && self.ends_in.as_ref().is_none_or(|end| number.as_str().ends_with(end.as_str()))
    }

    /// Whether it applies to the n-th fax that it matches, from 1.
    pub(super) fn reaches(&self, nth: u32) -> bool {
        self.nth.is_none_or(|own| own == nth) && self.first.is_none_or(|first| nth <= first)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    seed: u64,
    #[serde(default)]
    chance: std::collections::BTreeMap<String, f64>,
    #[serde(default, rename = "rule")]
    rules: Vec<RuleWords>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleWords {
    number: Option<String>,
    ends_in: Option<String>,
    nth: Option<u32>,
    first: Option<u32>,
    answer: Option<String>,
    retry_after_seconds: Option<u32>,
    ends: Option<String>,
    pages: Option<u32>,
    #[serde(default)]
    callbacks: Vec<String>,
    #[serde(default)]
    slow: bool,
}

impl Script {
    /// Reads a script, TOML or, where the text begins with a brace, JSON. Keys of a `[[rule]]`: `number` or `ends_in`
    /// (which numbers; all if neither), `nth` or `first` (which of the faxes that the rule matches; all if neither),
    /// `answer` (`refused`, `silence`, `dropped`, `server_error`, `server_error_taken`, `garbage`, `slow_down`),
    /// `retry_after_seconds`, `ends` (`delivered` or a fault), `pages` (how many arrive), `callbacks` (a list of `lost`,
    /// `late`, `twice`, `reversed`, `forged`, `stale`), `slow`. The first matching rule decides. `[chance]` and `seed`
    /// as in [`Chances::new`].
    ///
    /// # Errors
    /// Says which rule cannot be read and why.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file: File = if text.trim_start().starts_with('{') {
            serde_json::from_str(text).map_err(|error| error.to_string())?
        } else {
            toml::from_str(text).map_err(|error| error.message().to_owned())?
        };
        if file.rules.len() > RULES_MAX {
            return Err(format!("more than {RULES_MAX} rules"));
        }
        let read = |(at, words): (usize, RuleWords)| words.rule().map_err(|why| format!("rule {}: {why}", at + 1));
        let rules = file.rules.into_iter().enumerate().map(read).collect::<Result<Vec<_>, _>>()?;
        let shares = file.chance.iter().map(|(word, share)| (word.as_str(), *share));
        let chances = Chances::new(shares, file.seed).map_err(|why| format!("chance: {why}"))?;
        Ok(Self { rules, chances: (!file.chance.is_empty()).then_some(chances) })
    }
}

impl RuleWords {
    fn rule(self) -> Result<Rule, String> {
        let ending = self.ending()?;
        let manners =
            self.callbacks.iter().try_fold(Manners::GOOD, |all, word| Ok::<_, String>(all.and(word.parse()?)))?;
        let behaviour = Behaviour { intake: self.intake(ending)?, ending, manners: lenient(manners)?, slow: self.slow };
        let number = self.number.map(|text| FaxNumber::parse(&text).map_err(|error| error.0.to_owned())).transpose()?;
        if self.ends_in.as_ref().is_some_and(|end| end.is_empty() || !end.bytes().all(|b| b.is_ascii_digit())) {
            return Err("`ends_in` is the last digits of a number".to_owned());
        }
        if self.nth == Some(0) || self.first == Some(0) || (self.nth.is_some() && self.first.is_some()) {
            return Err("`nth` or `first` counts from 1".to_owned());
        }
        Ok(Rule { number, ends_in: self.ends_in, nth: self.nth, first: self.first, behaviour })
    }

    fn ending(&self) -> Result<Ending, String> {
        match (self.ends.as_deref().unwrap_or("delivered"), self.pages) {
            ("delivered", None) => Ok(Ending::Delivered),
            ("delivered" | "partial_send", Some(pages)) => Ok(Ending::Partial(Arrived::First(pages))),
            (word, None) => Ok(Ending::with(fault_of_call(word)?)),
            (word, Some(_)) => Err(format!("`pages` goes with partial_send, not with {word}")),
        }
    }

    fn intake(&self, ending: Ending) -> Result<Intake, String> {
        let Some(word) = self.answer.as_deref() else { return Ok(Intake::Takes) };
        if word == "refused" {
            return match ending {
                Ending::Fails(fault) if fault != Fault::Cancelled => Ok(Intake::Refuses(fault)),
                _ => Err("`refused` needs `ends` with the fault".to_owned()),
            };
        }
        if word == "slow_down" {
            let seconds = self.retry_after_seconds.unwrap_or(SLOW_DOWN_SECONDS);
            return Ok(Intake::Slows(seconds.clamp(1, WAIT_SECONDS_MAX)));
        }
        let found = Intake::WORDS.iter().find(|(known, _)| *known == word);
        found.map(|(_, intake)| *intake).ok_or_else(|| format!("`answer` cannot be {word}"))
    }
}

/// Lost callbacks cannot be anything else.
fn lenient(manners: Manners) -> Result<Manners, String> {
    if manners.lost && manners != Manners::LOST {
        return Err("lost callbacks cannot be anything else".to_owned());
    }
    Ok(manners)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: &str = r#"
        seed = 7
        [chance]
        busy = 0.1
        [[rule]]
        number = "(312) 555-0142"
        nth = 2
        answer = "refused"
        ends = "blocked"
        [[rule]]
        ends_in = "43"
        first = 1
        pages = 2
        callbacks = ["twice", "late"]
    "#;

    fn number(text: &str) -> FaxNumber {
        FaxNumber::parse(text).expect("a number")
    }

    #[test]
    fn a_script_says_which_fax_it_means() {
        let script = Script::parse(SCRIPT).expect("a script");
        let [second, short] = script.rules.as_slice() else { panic!("two rules") };
        assert!(second.concerns(&number("+13125550142")) && !second.concerns(&number("+13125550143")));
        assert!(second.reaches(2) && !second.reaches(1) && !second.reaches(3));
        assert_eq!(second.behaviour.intake, Intake::Refuses(Fault::Blocked));
        assert!(short.concerns(&number("+13125550143")) && short.reaches(1) && !short.reaches(2));
        assert_eq!(short.behaviour.ending, Ending::Partial(Arrived::First(2)));
        assert_eq!(short.behaviour.manners, Manners::TWICE.and(Manners::LATE));
        assert_eq!(script.chances.map(|chances| chances.seed()), Some(7));
    }

    #[test]
    fn json_is_read_as_well() {
        let script = Script::parse(r#"{"rule":[{"answer":"slow_down","retry_after_seconds":30}]}"#).expect("a script");
        assert_eq!(script.rules[0].behaviour.intake, Intake::Slows(30));
        assert!(script.chances.is_none());
    }

    #[test]
    fn a_script_that_makes_no_sense_says_where() {
        for (rule, why) in [
            ("ends = 'sunburn'", "sunburn"),
            ("answer = 'refused'", "needs `ends`"),
            ("answer = 'yes'", "cannot be yes"),
            ("nth = 0", "counts from 1"),
            ("ends_in = '4x'", "last digits"),
            ("ends = 'busy'\npages = 2", "partial_send"),
            ("callbacks = ['late', 'lost']", "lost"),
            ("colour = 'red'", "colour"),
        ] {
            let error = Script::parse(&format!("[[rule]]\n{rule}")).expect_err(rule);
            assert!(error.contains(why), "{error}");
        }
        assert!(Script::parse("[[rule]]\nends = 'busy'\n[[rule]]\nends = 'x'").expect_err("no").contains("rule 2"));
    }
}
