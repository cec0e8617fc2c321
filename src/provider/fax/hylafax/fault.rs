//! The tables from HylaFAX' codes and words to our faults: replies of the protocol, and results of faxes.

use super::dialogue::Reply;
use crate::domain::fault::{About, Failure, Fault};

/// What the server adds to the words of a failure it would have tried again, had it been allowed to.
const NO_MORE_ATTEMPTS: &str = "; too many attempts";
/// A result's number that says only this.
const ATTEMPTS_USED_UP: [u16; 2] = [333, 334];
/// A result's number for a line of ours without a dial tone.
const NO_DIAL_TONE: u16 = 4;

/// A reply that is no yes, as a failure. Its words may repeat a command, so they are cleaned like all foreign words.
pub(super) fn of_reply(reply: &Reply) -> Failure {
    Failure::new(reply_fault(reply)).code(reply.code.to_string()).text(reply.text())
}

/// A login that was not accepted, in our words: theirs may repeat the password.
pub(super) fn of_login(reply: &Reply, words: &str) -> Failure {
    let failure = of_reply(reply);
    let text = if failure.fault == Fault::AccountError { words } else { "the fax server lets nobody in now" };
    Failure { raw_text: None, ..failure }.text(text)
}

/// RFC 959 §4.2: the first digit says whether it may pass. 221 comes in place of an answer where the server shuts down.
fn reply_fault(reply: &Reply) -> Fault {
    let text = reply.text().to_ascii_lowercase();
    match reply.code {
        // The greeting and the login know no other way to say that the server is closed for now.
        221 | 400..=499 => Fault::ProviderError,
        530 | 532 => Fault::AccountError,
        504 if text.contains("format") => Fault::AccountError,
        503 if text.contains("permission denied") => Fault::AccountError,
        550 if text.contains("document type") => Fault::DocumentError,
        550..=559 => Fault::ProviderError,
        _ => Fault::ProtocolError,
    }
}

/// The number of a result, given as `E001`, as `001`, or, by HylaFAX+, behind the words of the status: `… {E001}`.
fn number(code: &str, status: &str) -> Option<u16> {
    let plain = |text: &str| {
        let digits = text.trim().trim_start_matches(['E', 'e']);
        let fits = digits.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_digit());
        if fits { digits.parse().ok() } else { None }
    };
    let in_words = || plain(status.rsplit_once('{')?.1.split_once('}')?.0);
    plain(code).filter(|number| *number > 0).or_else(in_words)
}

/// What became of a failed job. With `dials = 1` the server has no attempts left after every failure it would try again
/// itself: then the number says only that, and the cause stands in the words before. Without a dial tone our own line is
/// at fault, and not the recipient.
pub(super) fn of_end(code: &str, status: &str) -> Failure {
    let number = number(code, status);
    let words = status.to_ascii_lowercase();
    let cause = words.split_once(NO_MORE_ATTEMPTS).map(|(cause, _)| cause);
    let used_up = number.is_none_or(|number| ATTEMPTS_USED_UP.contains(&number));
    let by_number = number.map_or(Fault::Unknown, of_result);
    let fault = cause.filter(|_| used_up).and_then(of_words).unwrap_or(by_number);
    let no_dial_tone = number == Some(NO_DIAL_TONE) || (used_up && cause.is_some_and(lacks_dial_tone));
    let failure = Failure::new(fault).text(status);
    if no_dial_tone { failure.about(About::Path) } else { failure }
}

/// What the words of a result mean, in lower case (faxd/STATUS.txt); `None` for words that nobody documented.
fn of_words(words: &str) -> Option<Fault> {
    const WORDS: &[(&str, Fault)] = &[
        ("busy", Fault::Busy),
        ("without ced", Fault::NotAFax),
        ("t1 timeout", Fault::NotAFax),
        ("data connection established", Fault::NotAFax),
        ("no answer", Fault::NoAnswer),
        ("no carrier", Fault::LineError),
        ("glare", Fault::LineError),
        ("blacklisted", Fault::Blocked),
        ("invalid dialing command", Fault::ProviderError),
        ("phase ", Fault::NegotiationError),
        ("comrec", Fault::NegotiationError),
        ("rsprec", Fault::NegotiationError),
        ("train remote modem", Fault::NegotiationError),
    ];
    if lacks_dial_tone(words) {
        return Some(Fault::ProviderError);
    }
    WORDS.iter().find(|(known, _)| words.contains(known)).map(|(_, fault)| *fault)
}

fn lacks_dial_tone(words: &str) -> bool {
    words.contains("no ") && (words.contains("dialtone") || words.contains("dial tone"))
}

/// What a result means (faxd/STATUS.txt; 13 is only HylaFAX+'s). Numbers of the receiving side, of paging and of polling, and those that
/// nobody documented, are [`Fault::Unknown`]; which of the others pass is our judgement.
const fn of_result(number: u16) -> Fault {
    match number {
        1 => Fault::Busy,
        3 | 215 => Fault::NoAnswer,
        2 | 6 | 9 | 214 => Fault::LineError,
        NO_DIAL_TONE => Fault::ProviderError,
        8 | 11 | 126 | 216 | 218 => Fault::NotAFax,
        51 | 128 | 129 | 280 => Fault::RejectedByRemote,
        10 | 348 => Fault::Blocked,
        327 => Fault::InvalidNumber,
        325 | 333 | 334 => Fault::Expired,
        // Reasons to wait; as an end they mean that the wait was too long.
        337..=339 | 342 => Fault::Expired,
        344 | 345 | 352 => Fault::Cancelled,
        314..=317 | 321 | 323 | 329 | 330 | 335 | 347 => Fault::DocumentError,
        328 => Fault::AccountError,
        5
        | 302
        | 303
        | 305..=307
        | 311..=313
        | 318..=320
        | 322
        | 326
        | 331
        | 332
        | 336
        | 340
        | 341
        | 343
        | 346
        | 420..=422
        | 901..=904 => Fault::ProviderError,
        7 | 12 | 13 | 50 | 100..=288 | 400..=419 => Fault::NegotiationError,
        _ => Fault::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_in_every_form() {
        assert_eq!(number("E001", ""), Some(1));
        assert_eq!(number("001", ""), Some(1));
        assert_eq!(number("", "Busy signal detected {E001}"), Some(1));
        assert_eq!(number("E000", "No carrier detected {E002}"), Some(2));
        for (code, status) in [("", ""), ("E000", ""), ("E1", "x"), ("busy", "{}"), ("E0001", "} {")] {
            assert_eq!(number(code, status), None, "{code} {status}");
        }
    }

    #[test]
    fn used_up_attempts_mean_what_the_words_before_say() {
        for (words, fault) in [
            ("Busy signal detected", Fault::Busy),
            ("No answer from remote", Fault::NoAnswer),
            ("No carrier detected", Fault::LineError),
            ("Ringback detected, no answer without CED", Fault::NotAFax),
            ("Carrier established, but Phase A failure", Fault::NegotiationError),
            ("Nobody documented this", Fault::Expired),
        ] {
            for (code, end) in [("E333", "dial"), ("E334", "send"), ("", "dial {E333}")] {
                let failure = of_end(code, &format!("{words}; too many attempts to {end}"));
                assert_eq!((failure.fault, failure.about), (fault, None), "{words} {code}");
            }
        }
        assert_eq!(of_end("E333", "too many attempts to dial").fault, Fault::Expired);
        assert_eq!(of_end("E001", "No carrier detected; too many attempts to dial").fault, Fault::Busy);
    }

    #[test]
    fn a_missing_dial_tone_is_our_lines_trouble() {
        for (code, status) in [
            ("E333", "No local dialtone; too many attempts to dial"),
            ("E333", "No dial tone; too many attempts to dial"),
            ("E004", "No local dialtone"),
        ] {
            let failure = of_end(code, status);
            assert_eq!((failure.fault, failure.about), (Fault::ProviderError, Some(About::Path)), "{status}");
        }
    }

    #[test]
    fn a_password_that_a_reply_repeats_is_not_kept() {
        let reply = Reply { code: 500, lines: vec!["'PASS s3cret': Syntax error, expecting <CRLF>.".to_owned()] };
        let failure = of_login(&reply, "not accepted");
        assert!(!format!("{failure:?}").contains("s3cret"));
        assert_eq!(failure.raw_code.as_deref(), Some("500"));
    }
}
