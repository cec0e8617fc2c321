//! What a mail server's refusal means and whose fault it is: one table of evidence, read from the top, for replies during
//! a dialogue (RFC 5321) and for the words of bounces (RFC 3464). The first row that fits decides; the last rows fit
//! everything, by phase and class of code. A row that would prove something against a mailbox is passed over if anything else
//! is spoken of.
//!
//! - `pattern`: how a row is compared with a reply
//! - `probe`: what the recipient's own server said, where the relay reports it
//! - `proof`: when a row may hold something against a mailbox
//! - `rows`: the table, in the order in which it is read: what is said in words before what is said in numbers
//! - `sameness`: the text of a refusal without what differs from one recipient to the next

mod pattern;
mod probe;
mod proof;
mod rows;
mod sameness;
mod status;
#[cfg(test)]
mod tests;

use std::cell::LazyCell;

use super::fault::{About, Fault};
use super::remedy::Remedy;
use super::words::words;
use pattern::Heard;
use proof::Spoken;

pub use pattern::stands_in;
pub use sameness::sameness;
pub use status::EnhancedStatus;

/// The longest reply that is looked at, in characters.
const CHARS_MAX: usize = 4_000;
/// The longest wait that a server's words may ask for.
const WAIT_SECONDS_MAX: u64 = 24 * 3600;

words! {
    /// Where in the dialogue an answer came, or that it stands in a bounce. Up to and including `mail` it speaks of us or of
    /// the relay, unless the table knows better.
    Phase {
        /// The first line of the relay.
        Greeting = "greeting",
        /// The answer to EHLO or HELO.
        Hello = "hello",
        /// The answer to STARTTLS.
        StartTls = "starttls",
        /// The answers to AUTH.
        Auth = "auth",
        /// The answer to MAIL FROM.
        Mail = "mail",
        /// The answer to RCPT TO.
        Rcpt = "rcpt",
        /// The answer to DATA.
        Data = "data",
        /// The answer to the whole letter.
        Dot = "dot",
        /// Words in a bounce.
        Bounce = "bounce",
    }
}

/// What a refusal means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// Whom or what it is about.
    pub about: About,
    /// Its class.
    pub fault: Fault,
    /// Whether it proves that the mailbox is bad. Nothing else may be held against an address.
    pub proves_mailbox: bool,
    /// What can be done.
    pub remedy: Remedy,
    /// How long the account sends nothing, in seconds, where a quota returns by itself.
    pub wait_seconds: Option<u64>,
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The phases in which it counts; none names them all.
    pub phases: &'static [Phase],
    /// The basic code: digits, `x` for any digit, alternatives with spaces between; `*` for any code or none.
    pub code: &'static str,
    /// The enhanced code: numbers, `x` for any number, alternatives with spaces between, of which `-` is
    /// none; `*` for any or none.
    pub enhanced: &'static str,
    /// Phrases in lower case of which one must stand in the text; `..` stands for anything between two parts. None: any text.
    pub words: &'static [&'static str],
    /// Whether it counts only if every other word of the text is known to be harmless: a statement that could be about
    /// something else, or a code without words.
    pub alone: bool,
    /// What it means then.
    pub verdict: Verdict,
    /// Where this is known from: an RFC, a page of the vendor, a label of a collected bounce.
    pub source: &'static str,
    /// A reply that this row reads.
    pub sample: &'static str,
}

/// A verdict, and the row that gave it.
#[derive(Debug, Clone, Copy)]
pub struct Judgement {
    /// What it means. `wait_seconds` is what the server asked for, where it did.
    pub verdict: Verdict,
    /// The row.
    pub row: &'static Row,
}

/// Every row, in the order in which they are read.
pub fn table() -> impl Iterator<Item = &'static Row> {
    rows::TABLE.iter().copied().flatten()
}

/// What a reply of that basic code (0: there is none), enhanced code and text means in that phase.
#[must_use]
pub fn judge(phase: Phase, code: u16, enhanced: Option<EnhancedStatus>, text: &str) -> Judgement {
    let reported = probe::reported(phase, code, enhanced, text);
    let heard = match &reported {
        Some(reported) => Heard::new(phase, reported.code, reported.enhanced, &reported.text),
        None => Heard::new(phase, code, enhanced, text),
    };
    // What the recipient's server has against the relay is not about our account.
    let may_mean = |about: About| reported.is_none() || !matches!(about, About::Account | About::Speed);
    let spoken = LazyCell::new(|| Spoken::of(&heard));
    let is_plain = |row: &Row| !row.verdict.proves_mailbox && !row.alone;
    let fits = |row: &Row| may_mean(row.verdict.about) && heard.fits(row);
    let decides = |row: &&Row| fits(row) && (is_plain(row) || spoken.lets_decide(row));
    let row = table().find(decides).unwrap_or(&rows::LAST);
    let mut verdict = row.verdict;
    if let Some(seconds) = pattern::wait_asked(&heard.text).filter(|_| verdict.about == About::Speed) {
        verdict.wait_seconds = Some(seconds.clamp(1, WAIT_SECONDS_MAX));
    }
    Judgement { verdict, row }
}

/// What a reply means that a bounce quotes. As [`judge`], but where its strictness leaves only the codes, a row that proves
/// something decides as long as nothing else is spoken of: who passes a reply on adds words of their own, and the recipient's
/// server, not our relay, has said it.
#[must_use]
pub fn judge_returned(code: u16, enhanced: Option<EnhancedStatus>, text: &str) -> Judgement {
    let strict = judge(Phase::Bounce, code, enhanced, text);
    if !strict.row.words.is_empty() || strict.verdict.proves_mailbox {
        return strict;
    }
    let heard = Heard::new(Phase::Bounce, code, enhanced, text);
    let proves = |row: &&'static Row| row.verdict.proves_mailbox && heard.fits(row);
    let row = table().find(proves).filter(|_| Spoken::of(&heard).says_nothing_else());
    row.map_or(strict, |row| Judgement { verdict: row.verdict, row })
}

/// Whether a reply that a bounce quotes leaves room for the recipient by its codes, and speaks of nothing else: what else is
/// held against a mailbox because of it has to ask this first.
#[must_use]
pub fn may_be_of_the_mailbox(code: u16, enhanced: Option<EnhancedStatus>, text: &str) -> bool {
    Spoken::of(&Heard::new(Phase::Bounce, code, enhanced, text)).says_nothing_else()
}

/// A reply as a person has it: `550 5.1.1 no such user`, also over several lines, or as a bounce quotes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotedReply {
    /// The basic code; 0 if only an enhanced code is given.
    pub code: u16,
    /// The enhanced code, if it gives one of the same class.
    pub enhanced: Option<EnhancedStatus>,
    /// The rest, in one line.
    pub text: String,
}

impl QuotedReply {
    /// Reads it. `None` if it begins with neither a basic code (200 to 599) nor an enhanced one.
    #[must_use]
    pub fn parse(quoted: &str) -> Option<Self> {
        let quoted: String = quoted.chars().take(CHARS_MAX).collect();
        let quoted = quoted.trim().trim_start_matches("smtp;").trim_start();
        let first = quoted.split(|c: char| c.is_whitespace() || c == '-').next()?;
        let code = basic_code(first);
        if code.is_none() && EnhancedStatus::parse(first.trim_matches('#')).is_none() {
            return None;
        }
        let mut text = String::with_capacity(quoted.len());
        for line in quoted.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let rest = code.and_then(|_| line.get(..3).filter(|start| *start == first)).and_then(|_| line.get(3..));
            let rest = rest.map_or(line, |rest| rest.strip_prefix('-').unwrap_or(rest));
            text.push_str(rest.trim_start());
            text.push(' ');
        }
        let text = text.trim_end().to_owned();
        let enhanced = text.split_whitespace().next().and_then(|word| EnhancedStatus::parse(word.trim_matches('#')));
        let agrees = |status: &EnhancedStatus| code.is_none_or(|code| code / 100 == u16::from(status.class));
        Some(Self { code: code.unwrap_or(0), enhanced: enhanced.filter(agrees), text })
    }

    /// What it means in that phase.
    #[must_use]
    pub fn judge(&self, phase: Phase) -> Judgement {
        judge(phase, self.code, self.enhanced, &self.text)
    }

    /// Whether it refuses anything: 4yz, 5yz, or an enhanced code of those classes.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        self.code >= 400 || (self.code == 0 && self.enhanced.is_some_and(|status| status.class > 2))
    }
}

fn basic_code(word: &str) -> Option<u16> {
    let is_code = word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_digit());
    word.parse().ok().filter(|code| is_code && (200..600).contains(code))
}
