//! A batch of mails, asked for one by one, and what it means when a server refuses one.
//!
//! A mail that is passed over is lost for good, and a server that is busy refuses every mail, mostly in words of its own. So a mail
//! is passed over here only if it was refused twice while a later one of its batch was handed out. Any other refusal ends the batch
//! in front of the mail, and the next round asks for it again. Mails at the end of a folder that go on being refused are the
//! caller's to pass over, after so many tries; whether they are broken, or the server is, shows in a mail that was handed out
//! before ([`is_doubtful`]).

use async_trait::async_trait;

use super::conversation::Silence;
use super::{BATCH_MAX, BATCH_OCTETS_MAX, Mail, Refused};
use crate::domain::fault::{About, Failure, Fault};
use crate::domain::remedy::Remedy;

/// It may work later (RFC 5530 §3, RFC 9051 §7.1; RFC 2449 §8.1, RFC 3206 §4 for POP3).
const PASSING_CODES: [&str; 8] =
    ["UNAVAILABLE", "LIMIT", "INUSE", "SERVERBUG", "OVERQUOTA", "SYS/TEMP", "IN-USE", "LOGIN-DELAY"];
/// The same in words, in lower case.
const PASSING_WORDS: [&str; 4] = ["busy", "try again", "temporar", "thrott"];
/// There is no such mail (RFC 5530 §3).
const GONE_CODES: [&str; 2] = ["NONEXISTENT", "EXPUNGEISSUED"];
/// The same in words, in lower case (RFC 1939 §5).
const GONE_WORDS: &str = "no such message";

/// What a server does when it is asked for a mail.
#[derive(Debug)]
pub(super) enum Handed {
    /// It hands it out.
    Mail(Mail),
    /// It says nothing of it, which is how IMAP says that the mail is gone (RFC 9051 §6.4.9).
    Gone,
    /// It is not asked, because the mail is too large.
    TooLarge,
    /// It refuses, in these words.
    Refused(String),
}

/// Where mails are asked for.
#[async_trait]
pub(super) trait Source: Send {
    /// The mail of that number.
    ///
    /// # Errors
    /// The connection broke, or what came is no answer.
    async fn hand_out(&mut self, number: u32) -> Result<Handed, Silence>;
}

/// What came of a batch.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Gathered {
    /// In the order in which they were wanted.
    pub mails: Vec<Mail>,
    /// How many of the wanted, from the first on, need not be asked for again.
    pub done: usize,
    /// Those of them that are passed over, with the server's words.
    pub passed_over: Vec<(u32, String)>,
    /// What comes behind them and is refused, in words that do not pass, with nothing behind it that is handed out.
    pub refused: Vec<(u32, String)>,
}

impl Gathered {
    /// Whether another batch may get further.
    pub const fn is_followed(&self, wanted: usize) -> bool {
        self.done > 0 && self.done < wanted
    }
}

/// Mails with the keys that their numbers stand for.
pub(super) fn keyed(mails: Vec<(u32, String)>, key: impl Fn(u32) -> String) -> Vec<Refused> {
    mails.into_iter().map(|(number, words)| Refused { key: key(number), words }).collect()
}

/// Whether what is refused says less of the mails than of the server: a mail that it handed out before, if there is one, is
/// refused as well; or there is none, and it refuses several.
///
/// # Errors
/// The connection broke, or what came is no answer.
pub(super) async fn is_doubtful(
    source: &mut impl Source,
    gathered: &Gathered,
    known: Option<u32>,
) -> Result<bool, Silence> {
    if gathered.refused.is_empty() || !gathered.mails.is_empty() {
        return Ok(false);
    }
    let Some(known) = known else { return Ok(gathered.refused.len() > 1) };
    Ok(match source.hand_out(known).await? {
        Handed::Mail(_) => false,
        Handed::Refused(words) if !is_gone(&words) => true,
        Handed::Refused(_) | Handed::Gone | Handed::TooLarge => gathered.refused.len() > 1,
    })
}

/// Asks for the first of these mails: at most [`BATCH_MAX`], and until [`BATCH_OCTETS_MAX`] are there.
///
/// # Errors
/// The first mail is refused in words that may pass; or the server did not do its part.
pub(super) async fn gather(source: &mut impl Source, wanted: &[u32]) -> Result<Gathered, Failure> {
    let mut asked = Asked::default();
    asked.ask_for_each(source, wanted).await?;
    asked.ask_again(source, wanted).await?;
    asked.in_front_of_the_refused(wanted)
}

/// What is known of a mail that was asked for.
enum Found {
    Mail(Mail),
    Gone,
    PassedOver(String),
    Refused(String),
}

impl Found {
    const fn is_refused(&self) -> bool {
        matches!(self, Self::Refused(_))
    }

    fn may_pass(&self) -> bool {
        // Dovecot says SERVERBUG of one damaged mail: what comes behind it is asked for all the same.
        matches!(self, Self::Refused(words) if is_passing(words) && !has_code(words, &["SERVERBUG"]))
    }
}

/// The mails that were asked for so far, in order.
#[derive(Default)]
struct Asked {
    found: Vec<Found>,
    octets: usize,
}

impl Asked {
    async fn ask_for_each(&mut self, source: &mut impl Source, wanted: &[u32]) -> Result<(), Silence> {
        for number in wanted.iter().take(BATCH_MAX) {
            if self.octets >= BATCH_OCTETS_MAX || self.found.last().is_some_and(Found::may_pass) {
                break;
            }
            let found = self.ask(source, *number).await?;
            self.found.push(found);
        }
        Ok(())
    }

    /// Asks again for what was refused in front of a mail that was handed out.
    async fn ask_again(&mut self, source: &mut impl Source, wanted: &[u32]) -> Result<(), Silence> {
        let handed_out = self.found.iter().rposition(|found| matches!(found, Found::Mail(_))).unwrap_or(0);
        let refused = self.found.iter().zip(wanted).enumerate().take(handed_out);
        let refused = refused.filter(|(_, (found, _))| found.is_refused()).map(|(place, (_, number))| (place, *number));
        for (count, (place, number)) in refused.collect::<Vec<_>>().into_iter().enumerate() {
            // The first is always asked for: a batch that is full without it would be the same the next time.
            if count > 0 && self.octets >= BATCH_OCTETS_MAX {
                break;
            }
            let found = match self.ask(source, number).await? {
                found if found.may_pass() => break,
                Found::Refused(words) => Found::PassedOver(words),
                found => found,
            };
            if let Some(known) = self.found.get_mut(place) {
                *known = found;
            }
        }
        Ok(())
    }

    async fn ask(&mut self, source: &mut impl Source, number: u32) -> Result<Found, Silence> {
        Ok(match source.hand_out(number).await? {
            Handed::Mail(mail) => {
                self.octets += mail.octets.len();
                Found::Mail(mail)
            }
            Handed::Gone => Found::Gone,
            Handed::TooLarge => Found::PassedOver("the mail is too large to be asked for".to_owned()),
            Handed::Refused(words) if is_gone(&words) => Found::Gone,
            Handed::Refused(words) => Found::Refused(words),
        })
    }

    fn in_front_of_the_refused(self, wanted: &[u32]) -> Result<Gathered, Failure> {
        let handed_out =
            self.found.iter().rposition(|found| matches!(found, Found::Mail(_))).map_or(0, |last| last + 1);
        let is_busy = self.found.iter().any(Found::may_pass);
        let mut gathered = Gathered::default();
        for (place, (found, number)) in self.found.into_iter().zip(wanted).enumerate() {
            let may_be_asked_for_again = is_busy || place < handed_out;
            match found {
                Found::Refused(words) if may_be_asked_for_again && gathered.done == 0 => {
                    return Err(refused("hand out a mail", &words));
                }
                Found::Refused(_) if may_be_asked_for_again => break,
                Found::Refused(words) => gathered.refused.push((*number, words)),
                // Behind one that is refused, nothing is done with.
                _ if !gathered.refused.is_empty() => {}
                Found::Mail(mail) => gathered.mails.push(mail),
                Found::PassedOver(words) => gathered.passed_over.push((*number, words)),
                Found::Gone => {}
            }
            gathered.done += usize::from(gathered.refused.is_empty());
        }
        Ok(gathered)
    }
}

/// A refusal of something else than a login. The server's words may name folders, and nobody's mail.
pub(super) fn refused(step: &str, words: &str) -> Failure {
    let failure = Failure::new(Fault::ProviderError).about(About::Path).remedy(Remedy::WaitForRelay);
    failure.text(format!("the mail server refuses to {step}: {words}"))
}

/// Whether a refusal in these words may pass by itself.
pub(super) fn is_passing(words: &str) -> bool {
    let lower = words.to_ascii_lowercase();
    has_code(words, &PASSING_CODES)
        || PASSING_WORDS.iter().any(|word| lower.contains(word))
        // A limit of size stays.
        || (lower.contains("limit") && !lower.contains("size"))
}

fn is_gone(words: &str) -> bool {
    has_code(words, &GONE_CODES) || (!is_passing(words) && words.to_ascii_lowercase().contains(GONE_WORDS))
}

/// Whether words begin with one of these codes in brackets.
pub(super) fn has_code(words: &str, codes: &[&str]) -> bool {
    let code = words.trim_start().strip_prefix('[').and_then(|rest| rest.split([']', ' ']).next());
    code.is_some_and(|code| codes.iter().any(|known| code.eq_ignore_ascii_case(known)))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    /// Refuses each mail so many times, and then hands it out; what it was asked for.
    struct Fickle {
        refuses: BTreeMap<u32, (usize, &'static str)>,
        octets: usize,
        asked: Vec<u32>,
    }

    #[async_trait]
    impl Source for Fickle {
        async fn hand_out(&mut self, number: u32) -> Result<Handed, Silence> {
            self.asked.push(number);
            if let Some((times, words)) = self.refuses.get_mut(&number).filter(|(times, _)| *times > 0) {
                *times -= 1;
                return Ok(Handed::Refused((*words).to_owned()));
            }
            let octets = vec![b'x'; self.octets];
            Ok(Handed::Mail(Mail { key: number.to_string(), octets, received_ms: None, is_cut: false }))
        }
    }

    fn fickle(refuses: &[(u32, usize, &'static str)]) -> Fickle {
        let refuses = refuses.iter().map(|(number, times, words)| (*number, (*times, *words))).collect();
        Fickle { refuses, octets: 1, asked: Vec::new() }
    }

    fn keys(gathered: &Gathered) -> String {
        gathered.mails.iter().map(|mail| mail.key.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_may_pass_and_what_is_gone() {
        for words in [
            "[UNAVAILABLE] later",
            "[limit] x",
            "[INUSE]",
            "[SERVERBUG] x",
            "[OVERQUOTA] Account exceeded command or bandwidth limits",
            "[SYS/TEMP] x",
            "[IN-USE] x",
            "[LOGIN-DELAY 30] x",
            "Server busy",
            "Please try again",
            "Temporary failure",
            "Request is throttled. Suggested Backoff Time: 4",
            "Too many commands: rate limit",
            "[X] temporarily no such message",
        ] {
            assert!(is_passing(words) && !is_gone(words), "{words}");
        }
        for words in
            ["[NONEXISTENT] busy", "[EXPUNGEISSUED] x", "No such message", "no such message, only 2 in maildrop"]
        {
            assert!(is_gone(words), "{words}");
        }
        for words in ["", "[", "it is broken", "Server Unavailable. 15", "[SYS/PERM] x", "larger than the size limit"] {
            assert!(!is_passing(words) && !is_gone(words), "{words}");
        }
    }

    #[tokio::test]
    async fn a_mail_is_passed_over_only_if_it_is_the_mail() {
        let broken = "it is broken";
        for (what, refuses, handed, done, unreadable) in [
            ("nothing", vec![], "1 2 3 4", 4, 0),
            ("one among others", vec![(2, 9, broken)], "1 3 4", 4, 1),
            ("the first", vec![(1, 9, broken)], "2 3 4", 4, 1),
            ("one, once", vec![(2, 1, broken)], "1 2 3 4", 4, 0),
            ("the last", vec![(4, 9, broken)], "1 2 3", 3, 0),
            ("all from the third", vec![(3, 9, broken), (4, 9, broken)], "1 2", 2, 0),
            ("one for now", vec![(3, 9, "Server busy")], "1 2", 2, 0),
            ("one, and then it is busy", vec![(2, 1, broken), (3, 1, "[LIMIT] x")], "1", 1, 0),
            ("one that is gone, and the last", vec![(3, 9, "[NONEXISTENT] x"), (4, 9, broken)], "1 2", 3, 0),
        ] {
            let gathered = gather(&mut fickle(&refuses), &[1, 2, 3, 4]).await.expect(what);
            assert_eq!(
                (keys(&gathered).as_str(), gathered.done, gathered.passed_over.len()),
                (handed, done, unreadable),
                "{what}"
            );
            let at_the_end = if refuses.iter().all(|(.., words)| *words != "[LIMIT] x" && *words != "Server busy") {
                4 - done
            } else {
                0
            };
            assert_eq!(gathered.refused.len(), at_the_end, "{what}");
        }
    }

    #[tokio::test]
    async fn a_server_that_is_busy_is_a_failure_and_is_asked_no_further() {
        let words = "[UNAVAILABLE] x";
        let mut source = fickle(&[(1, 9, words), (2, 9, words), (3, 9, words)]);
        let failure = gather(&mut source, &[1, 2, 3]).await.expect_err("refused");
        assert_eq!((failure.fault, source.asked.len()), (Fault::ProviderError, 1));
        assert!(failure.raw_text.is_some_and(|said| said.contains("hand out")));
    }

    #[tokio::test]
    async fn what_is_refused_at_the_end_says_something_of_the_mails_only_if_the_server_hands_out_others() {
        let broken = |number| (number, 9, "it is broken");
        for (what, refuses, known, doubtful) in [
            ("nothing", vec![], None, false),
            ("behind one that is handed out", vec![broken(2), broken(3)], None, false),
            ("the only one", vec![broken(1)], None, false),
            ("all, and none is known", vec![broken(1), broken(2), broken(3)], None, true),
            ("all, and not the one that is known", vec![broken(1), broken(2), broken(3)], Some(9), false),
            ("all, and the one that is known too", vec![broken(1), broken(2), broken(3), broken(9)], Some(9), true),
            (
                "all, and the known one is gone",
                vec![broken(1), broken(2), broken(3), (9, 9, "no such message")],
                Some(9),
                true,
            ),
        ] {
            let wanted: &[u32] = if what == "the only one" { &[1] } else { &[1, 2, 3] };
            let mut source = fickle(&refuses);
            let gathered = gather(&mut source, wanted).await.expect("gathered");
            assert_eq!(is_doubtful(&mut source, &gathered, known).await, Ok(doubtful), "{what}");
        }
    }

    #[tokio::test]
    async fn a_batch_that_is_full_without_the_refused_mail_goes_on_all_the_same() {
        let mut source = fickle(&[(1, 9, "no"), (2, 1, "no")]);
        source.octets = BATCH_OCTETS_MAX / 2;
        let gathered = gather(&mut source, &[1, 2, 3, 4, 5]).await.expect("gathered");
        assert_eq!((gathered.done, gathered.passed_over.len(), source.asked), (1, 1, vec![1, 2, 3, 4, 1]));
    }

    proptest! {
        /// No mail is lost but one that was refused whenever it was asked for, and was asked for twice.
        #[test]
        fn every_mail_is_handed_out_passed_over_or_asked_for_again(
            refuses in prop::collection::btree_map(1_u32..9, (1_usize..4, prop::sample::select(vec!["no", "busy"])), 0..9)
        ) {
            let wanted: Vec<u32> = (1..9).collect();
            let refuses: Vec<_> = refuses.into_iter().map(|(number, (times, words))| (number, times, words)).collect();
            let mut source = fickle(&refuses);
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            let Ok(gathered) = runtime.block_on(gather(&mut source, &wanted)) else {
                prop_assert!(refuses.iter().any(|(number, ..)| *number == 1));
                return Ok(());
            };
            let handed: BTreeSet<u32> = gathered.mails.iter().filter_map(|mail| mail.key.parse().ok()).collect();
            let lost: Vec<u32> = wanted.iter().take(gathered.done).copied().filter(|one| !handed.contains(one)).collect();
            prop_assert_eq!(lost.len(), gathered.passed_over.len());
            prop_assert!(gathered.done > 0 || !gathered.refused.is_empty());
            prop_assert_eq!(handed.len() + lost.len(), gathered.done);
            for (number, words) in gathered.refused {
                prop_assert!(words == "no" && wanted.iter().position(|one| *one == number) >= Some(gathered.done));
            }
            for number in lost {
                prop_assert!(refuses.iter().any(|(one, times, words)| *one == number && *times > 1 && *words == "no"));
                prop_assert!(handed.iter().any(|later| *later > number));
            }
        }
    }
}
