//! What servers said, found in the text of a bounce: `550 5.1.1 …`, also over several lines, or an enhanced code alone.

use crate::domain::mail_reply::EnhancedStatus;

/// How many lines one reply may have.
const LINES_MAX: usize = 14;
/// The longest text of a reply that is kept, in octets.
const OCTETS_MAX: usize = 1_500;
/// How much of one line is looked at, in octets.
const LINE_OCTETS_MAX: usize = 4 * 1024;
/// Longer than any name that stands before a number, in octets.
const NAME_OCTETS_MAX: usize = 12;

/// A reply as it was quoted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    /// The basic code; 0 if only an enhanced one is given.
    pub code: u16,
    /// The enhanced code.
    pub enhanced: Option<EnhancedStatus>,
    /// The rest, in one line.
    pub text: String,
}

impl Said {
    /// The class: 4 for what passes, 5 for what lasts; 0 if no code says so.
    pub fn class(&self) -> u8 {
        let of_enhanced = self.enhanced.map_or(0, |status| status.class);
        u8::try_from(self.code / 100).ok().filter(|class| *class > 0).unwrap_or(of_enhanced)
    }

    /// Whether its enhanced code says more than its class: not `5.0.0` or `5.3.0`.
    pub fn is_telling(&self) -> bool {
        self.enhanced.is_some_and(|status| status.subject != 0 && status.detail != 0)
    }

    /// As a person reads it.
    pub fn line(&self) -> String {
        let code = if self.code == 0 { String::new() } else { self.code.to_string() };
        let enhanced =
            self.enhanced.map(|status| status.to_string()).filter(|status| !self.text.starts_with(status.as_str()));
        let parts = [code, enhanced.unwrap_or_default(), self.text.clone()];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    }
}

/// The reply that says most: the first that lasts, else the first that passes, else the first enhanced code.
pub(super) fn best(text: &str) -> Option<Said> {
    let mut replies = all(text);
    let place = |wanted: &dyn Fn(&Said) -> bool| replies.iter().position(wanted);
    let best = place(&|said| said.code >= 500 && !is_of_the_dialogue(said))
        .or_else(|| place(&|said| said.code >= 400 && !is_of_the_dialogue(said)))
        .or_else(|| place(&|said| said.code == 0))?;
    let mut said = replies.swap_remove(best);
    if said.enhanced.is_none() {
        // qmail and others put it at the end: `… (#5.1.1)`.
        let class = said.class();
        said.enhanced = said.text.split_whitespace().filter_map(enhanced_in).find(|status| status.class == class);
    }
    Some(said)
}

/// What follows from an earlier refusal only: `503 Need RCPT`.
fn is_of_the_dialogue(said: &Said) -> bool {
    said.code == 503 || said.code == 421 && said.text.is_empty()
}

fn all(text: &str) -> Vec<Said> {
    let lines: Vec<&str> = text.lines().map(|line| start_of(line.trim())).collect();
    let mut replies: Vec<Said> = Vec::new();
    let mut place = 0;
    while let Some(line) = lines.get(place) {
        let Some((code, rest)) = basic_code(line) else {
            if let Some((enhanced, rest)) = enhanced_code(line) {
                let end = place + 1 + continuation(&lines, place + 1, 0);
                let text = joined(rest, lines.get(place + 1..end).unwrap_or_default(), 0);
                replies.push(Said { code: 0, enhanced: Some(enhanced), text });
            }
            place += 1;
            continue;
        };
        let more = continuation(&lines, place + 1, code);
        let text = joined(rest, lines.get(place + 1..place + 1 + more).unwrap_or_default(), code);
        replies.push(with_codes(code, text));
        place += 1;
        // Lines of the same reply are read once.
        while lines.get(place).is_some_and(|line| basic_code(line).is_some_and(|(again, _)| again == code)) && more > 0
        {
            place += 1;
        }
    }
    replies
}

/// As much of a line as is looked at.
fn start_of(line: &str) -> &str {
    let end = line.len().min(LINE_OCTETS_MAX);
    (0..4).find_map(|less| line.get(..end.saturating_sub(less))).unwrap_or_default()
}

/// `554 554 5.7.0 text`: the code may be said twice.
fn with_codes(code: u16, text: String) -> Said {
    let text = match basic_code(&text) {
        Some((again, rest)) if again / 100 == code / 100 && text.starts_with(&again.to_string()) => {
            rest.trim().to_owned()
        }
        _ => text,
    };
    let first = text.split_whitespace().next().unwrap_or_default();
    let enhanced = enhanced_in(first).filter(|status| u16::from(status.class) == code / 100);
    Said { code, enhanced, text }
}

/// How a line begins that is not of the reply before it.
const ENDS: &[&str] = &[
    "<<<",
    ">>>",
    "---",
    "===",
    "***",
    "...",
    "giving up on",
    "reporting-mta",
    "final-recipient",
    "i'm not going to try again",
];

/// How many of the lines from there on belong to the reply before them.
fn continuation(lines: &[&str], from: usize, code: u16) -> usize {
    let belongs = |line: &&&str| {
        let lower = line.to_ascii_lowercase();
        let is_of_another = line.starts_with('<') && line.contains(">:");
        let is_end = line.is_empty() || is_of_another || ENDS.iter().any(|end| lower.starts_with(end));
        let starts_with_code = line.starts_with(|c: char| c.is_ascii_digit());
        let is_another = starts_with_code && basic_code(line).is_some_and(|(other, _)| other != code);
        !is_end && !is_another
    };
    lines.iter().skip(from).take(LINES_MAX).take_while(|line| belongs(line)).count()
}

fn joined(first: &str, more: &[&str], code: u16) -> String {
    let mut text = first.trim().to_owned();
    for line in more {
        if text.len() > OCTETS_MAX {
            break;
        }
        let line = match basic_code(line) {
            Some((again, rest)) if again == code && line.starts_with(&again.to_string()) => rest,
            _ => line,
        };
        text.push(' ');
        text.push_str(line.trim());
    }
    text
}

/// The first basic code (4yz or 5yz) in a line, and what comes behind it.
fn basic_code(line: &str) -> Option<(u16, &str)> {
    let octets = line.as_bytes();
    let is_digit = |place: usize| octets.get(place).is_some_and(u8::is_ascii_digit);
    (0..octets.len()).find_map(|place| {
        let is_first = place == 0 || octets.get(place - 1).is_some_and(|before| b" \t([<:#'\",;=>".contains(before));
        let is_code = matches!(octets.get(place), Some(b'4' | b'5'))
            && is_digit(place + 1)
            && is_digit(place + 2)
            && octets.get(place + 1).is_some_and(|digit| *digit < b'6' || *digit == b'7');
        if !(is_first && is_code) {
            return None;
        }
        let behind = octets.get(place + 3).copied();
        let ends = behind.is_none_or(|octet| {
            b" \t-:),;]>'\"".contains(&octet) || (octet == b'.' && !is_digit(place + 4)) || (octet == b'_')
        });
        let rest = line.get(place + 3..)?;
        if !ends || is_a_number_of_something(line.get(..place)?, rest) {
            return None;
        }
        let rest = rest.trim_start_matches(['-', ':', ')', ']', '>', ',', ';', '.', '\'', '"', ' ', '\t']);
        line.get(place..place + 3)?.parse().ok().map(|code| (code, rest))
    })
}

/// What may stand behind a reply's code as well as behind a number: `554 mail from unknown host rejected`.
const COUNTED_OR_SAID: &[&str] = &["mail", "messages", "recipients", "lines"];

/// A telephone number, a port, a size, a time.
fn is_a_number_of_something(before: &str, rest: &str) -> bool {
    let mut next = rest.trim_start_matches([')', '-', ' ']).split(|c: char| !c.is_ascii_alphanumeric());
    let first = next.next().unwrap_or_default().to_ascii_lowercase();
    let is_telephone = (rest.starts_with('-') || rest.starts_with(')'))
        && first.len() == 3
        && first.bytes().all(|octet| octet.is_ascii_digit())
        && !rest.starts_with("-5")
        && !rest.starts_with("-4");
    let counts = [
        "bytes",
        "kb",
        "mb",
        "kbytes",
        "kilobytes",
        "seconds",
        "secs",
        "ms",
        "octets",
        "characters",
        "messages",
        "recipients",
        "mail",
        "hours",
        "days",
        "minutes",
        "lines",
    ];
    let named = ["port", "line", "id", "attempts", "after", "limit", "of", "max", "than", "(ext", "tel", "phone"];
    let begins = before.trim_end().is_empty() || before.trim_end().ends_with([':', '<', '>', '-']);
    is_telephone
        || (counts.contains(&first.as_str()) && !(begins && COUNTED_OR_SAID.contains(&first.as_str())))
        || named.iter().any(|name| last_word(before).eq_ignore_ascii_case(name.as_bytes()))
}

/// The last word of a text, or the end of it if it is longer than any name.
fn last_word(text: &str) -> &[u8] {
    let octets = text.trim_end().as_bytes();
    let near = octets.get(octets.len().saturating_sub(NAME_OCTETS_MAX)..).unwrap_or_default();
    near.rsplit(u8::is_ascii_whitespace).next().unwrap_or_default()
}

/// The first enhanced code in a line that stands before words or in brackets, and what comes behind it.
fn enhanced_code(line: &str) -> Option<(EnhancedStatus, &str)> {
    line.split_whitespace().find_map(|word| {
        let status = enhanced_in(word).filter(|status| status.class > 2)?;
        let place = word.as_ptr() as usize - line.as_ptr() as usize;
        let behind = line.get(place + word.len()..)?.trim();
        // The words may stand before it: `Sorry, no mailbox here by that name. (#5.1.1)`.
        Some((status, if behind.is_empty() { line } else { behind }))
    })
}

fn enhanced_in(word: &str) -> Option<EnhancedStatus> {
    let core = word.trim_matches(|c: char| !c.is_ascii_digit());
    let around = word.len() - core.len();
    EnhancedStatus::parse(core).filter(|_| around <= 6 && !word.contains('@'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reply_that_says_most_is_found() {
        for (text, line) in [
            (
                "host mx[192.0.2.7] said: 550 5.1.1\n    <dana@clinic.example>... User unknown (in reply to RCPT)",
                "550 5.1.1 <dana@clinic.example>... User unknown (in reply to RCPT)",
            ),
            (
                "the other server returned was: 554 554 5.7.0 Header error (state 18).",
                "554 5.7.0 Header error (state 18).",
            ),
            ("Sorry, no mailbox here by that name. (#5.1.1)", "5.1.1 Sorry, no mailbox here by that name. (#5.1.1)"),
            (
                "<<< 450 busy - please try later\n>>> DATA\n<<< 551 not our customer\n<<< 503 need RCPT",
                "551 not our customer",
            ),
            ("550-5.7.26 one\n550-5.7.26 two\n550 5.7.26 three", "550 5.7.26 one 5.7.26 two 5.7.26 three"),
            ("ResponseCode 421, , Host not reachable.]", "421 Host not reachable.]"),
            ("[SMTP Error Code 550]", "550"),
            ("host mx said: 554 mail from unknown host rejected", "554 mail from unknown host rejected"),
        ] {
            assert_eq!(best(text).map(|said| said.line()).as_deref(), Some(line), "{text}");
        }
        for text in [
            "call (480) 624-2500 or 480-624-2500",
            "totalled 523 Kbytes",
            "port 587",
            "",
            "5501 4.4",
            "from 192.0.2.7 [10.5.1.1]",
        ] {
            assert_eq!(best(text), None, "{text}");
        }
    }
}
