//! How a row of the table is compared with what was heard.

use std::time::Duration;

use super::status::EnhancedStatus;
use super::{CHARS_MAX, Phase, Row};

/// A refusal as it is compared.
pub(super) struct Heard {
    pub phase: Phase,
    /// Empty if there is none.
    code: String,
    enhanced: Option<String>,
    /// In lower case, in one line, without the enhanced code that servers repeat at the beginning of each line.
    pub text: String,
}

impl Heard {
    pub fn new(phase: Phase, code: u16, enhanced: Option<EnhancedStatus>, text: &str) -> Self {
        let enhanced = enhanced.map(|status| status.to_string());
        let text: String = text.chars().take(CHARS_MAX).collect::<String>().to_lowercase().replace('\u{2019}', "'");
        // The same code may begin every line.
        let words = text.split_whitespace().filter(|word| enhanced.as_deref() != Some(*word));
        let text = words.filter_map(without_address).collect::<Vec<_>>().join(" ");
        let code = if code == 0 { String::new() } else { code.to_string() };
        Self { phase, code, enhanced, text }
    }

    pub fn fits(&self, row: &Row) -> bool {
        (row.phases.is_empty() || row.phases.contains(&self.phase))
            && self.fits_code(row.code)
            && self.fits_enhanced(row.enhanced)
            && (row.words.is_empty() || row.words.iter().any(|phrase| stands_in(phrase, &self.text)))
    }

    /// The basic code; empty if there is none.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The enhanced code.
    pub fn enhanced(&self) -> Option<&str> {
        self.enhanced.as_deref()
    }

    /// Whether an enhanced code is one of those, where `x` stands for any number.
    pub fn is_among(code: &str, wanted: &[&str]) -> bool {
        wanted.iter().any(|one| {
            let (mut wanted, mut heard) = (one.split('.'), code.split('.'));
            (0..3).all(|_| matches!((wanted.next(), heard.next()), (Some(w), Some(h)) if w == "x" || w == h))
        })
    }

    /// A bounce may give an enhanced code alone; its class stands for the basic code's then.
    fn fits_code(&self, wanted: &str) -> bool {
        if wanted == "*" {
            return true;
        }
        let class_only = self.enhanced.as_deref().and_then(|status| status.get(..1)).map(|class| format!("{class}xx"));
        wanted.split(' ').any(|one| match (self.code.is_empty(), &class_only) {
            (true, Some(class)) => one == class,
            (true, None) => false,
            (false, _) => {
                one.len() == self.code.len() && one.bytes().zip(self.code.bytes()).all(|(w, h)| w == b'x' || w == h)
            }
        })
    }

    fn fits_enhanced(&self, wanted: &str) -> bool {
        match (wanted, &self.enhanced) {
            ("*", _) => true,
            (wanted, None) => wanted.split(' ').any(|one| one == "-"),
            (wanted, Some(heard)) => Self::is_among(heard, &wanted.split(' ').collect::<Vec<_>>()),
        }
    }
}

/// A word as it is compared: an address may hold any word of the table. One with Sendmail's
/// dots behind it becomes a tilde.
fn without_address(word: &str) -> Option<&str> {
    match (word.contains('@'), word.ends_with("...")) {
        (false, _) => Some(word),
        (true, true) => Some("~"),
        (true, false) => None,
    }
}

/// Whether the parts of a phrase, between which `..` stands for anything, stand in the text, one after another.
#[must_use]
pub fn stands_in(phrase: &str, text: &str) -> bool {
    let mut rest = text;
    phrase.split("..").all(|part| match rest.find(part) {
        Some(place) => {
            rest = rest.get(place + part.len()..).unwrap_or_default();
            true
        }
        None => false,
    })
}

/// How long the server asks us to wait, where it says so in words: "will reset in 2.41 hours", "try again in 30 seconds".
pub(super) fn wait_asked(text: &str) -> Option<u64> {
    let begins = ["reset", "again", "retry", "wait", "resume"].iter().filter_map(|word| text.find(word)).min()?;
    let words: Vec<&str> = text.get(begins..)?.split_whitespace().take(12).collect();
    words.windows(2).find_map(|pair| {
        let [number, unit] = pair else { return None };
        let number: f64 = number.trim_matches(|c: char| !c.is_ascii_digit()).parse().ok()?;
        let unit = match unit.trim_matches(|c: char| !c.is_alphabetic()) {
            "second" | "seconds" | "sec" | "secs" => 1.0,
            "minute" | "minutes" | "min" | "mins" => 60.0,
            "hour" | "hours" => 3600.0,
            _ => return None,
        };
        let wait = Duration::try_from_secs_f64((number * unit).ceil()).ok()?;
        (wait >= Duration::from_secs(1)).then_some(wait.as_secs())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_left_out_and_sendmails_dots_are_kept() {
        let heard = Heard::new(Phase::Rcpt, 550, None, "<User.Unknown@clinic.example>... Unknown");
        assert_eq!(heard.text, "~ unknown");
    }

    #[test]
    fn parts_of_a_phrase_stand_in_their_order() {
        assert!(stands_in("exceed..limit", "you exceeded the daily limit"));
        assert!(!stands_in("exceed..limit", "the limit was exceeded"));
        assert!(stands_in("limit", "limit"));
    }

    #[test]
    fn a_wait_is_read_as_servers_write_it() {
        for (text, seconds) in [
            ("relay quota will reset in 2.41 hours.", Some(8_676)),
            ("please try again in 30 seconds", Some(30)),
            ("retry after 5 minutes", Some(300)),
            ("try again later", None),
            ("messages to 250 recipients out of 250 allowed have been sent", None),
        ] {
            assert_eq!(wait_asked(text), seconds, "{text}");
        }
    }
}
