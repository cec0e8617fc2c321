//! What came back for emails, as people say it: a word for each kind, a sentence for each case with what to do, and the words on the
//! buttons. One source for command line, API and screens.

use std::borrow::Cow;

use chrono::NaiveDate;

use super::faults::fault;
use super::labels::{Label, Tone};
use crate::domain::Fault;
use crate::domain::returned::{Automatic, MatchedBy, ReturnAct, ReturnClass, ReturnKind, ReturnState};

/// What came back, as a word with its tone.
#[must_use]
pub const fn kind(kind: ReturnKind) -> Label {
    match kind {
        ReturnKind::Bounce => (Tone::Bad, "Bounce"),
        ReturnKind::Delay => (Tone::Busy, "Delay"),
        ReturnKind::Delivered => (Tone::Good, "Delivered"),
        ReturnKind::Complaint => (Tone::Bad, "Complaint"),
        ReturnKind::AutoReply => (Tone::Quiet, "Auto-reply"),
        ReturnKind::Reply => (Tone::Busy, "Reply"),
        ReturnKind::OptOut => (Tone::Warn, "Opt-out"),
        ReturnKind::None => (Tone::Quiet, "Other mail"),
    }
}

/// What a failure says about the address.
#[must_use]
pub const fn class(class: ReturnClass) -> &'static str {
    match class {
        ReturnClass::Hard => "The address is bad",
        ReturnClass::Soft => "It may pass",
        ReturnClass::Ours => "It is about us, not about the address",
    }
}

/// What kind of answer, where no person wrote it.
#[must_use]
pub const fn automatic_reply(what: Automatic) -> &'static str {
    match what {
        Automatic::Absence => "Away",
        Automatic::Moved => "Left or moved",
        Automatic::Challenge => "Asks who is writing",
        Automatic::Other => "Confirmation or the like",
    }
}

/// How a return was found to be about its letter.
#[must_use]
pub const fn matched_by(by: MatchedBy) -> &'static str {
    match by {
        MatchedBy::ReturnPath => "It came to the signed address of the letter",
        MatchedBy::EnvelopeId => "It names the letter's envelope",
        MatchedBy::MessageId => "It names the letter's Message-ID",
        MatchedBy::Provider => "The mail provider names the letter",
        MatchedBy::Recipient => "Only the address and the time fit: a person must confirm it",
        MatchedBy::Sender => "The sender is this referrer; no letter is named",
        MatchedBy::Person => "A person said so",
    }
}

/// What became of a return.
#[must_use]
pub const fn state(state: ReturnState) -> Label {
    match state {
        ReturnState::Applied => (Tone::Good, "dealt with automatically"),
        ReturnState::Open => (Tone::Warn, "needs a look"),
        ReturnState::Done => (Tone::Quiet, "done"),
    }
}

/// What a button says.
#[must_use]
pub const fn act(act: ReturnAct) -> &'static str {
    match act {
        ReturnAct::Match => "It is about this letter",
        ReturnAct::NotABounce => "The address is good",
        ReturnAct::Suppress => "Suppress this address",
        ReturnAct::SuppressFax => "Suppress their fax number",
        ReturnAct::SuppressAll => "Suppress email and fax",
        ReturnAct::Dismiss => "Nothing to do",
        ReturnAct::Done => "Done",
    }
}

/// What follows from pressing it.
#[must_use]
pub const fn act_means(act: ReturnAct, kind: ReturnKind) -> &'static str {
    match (act, kind) {
        (ReturnAct::Match, _) => "It then counts for the letter, and what follows from it is done.",
        (ReturnAct::NotABounce, ReturnKind::Complaint) => {
            "Letters go to the address again. Only if they say that they did not complain."
        }
        (ReturnAct::NotABounce, _) => {
            "Letters go to the address again, and this mail server is not believed again in these words."
        }
        (ReturnAct::SuppressFax, _) => {
            "They mean the fax: no more updates are sent to their number. Emails that were held for the request go out."
        }
        (ReturnAct::SuppressAll, _) => {
            "They mean everything: no more updates by email or fax. Letters about their own patients are still sent."
        }
        (ReturnAct::Suppress, ReturnKind::OptOut) => {
            "They mean email: no more updates are sent to it. Faxes that were held for the request go out."
        }
        (ReturnAct::Suppress, _) => "No more updates are sent to it. Letters about their own patients are still sent.",
        (ReturnAct::Dismiss, ReturnKind::OptOut) => "They did not ask to stop: what was held for them goes out.",
        (ReturnAct::Dismiss, ReturnKind::AutoReply) => "They are not away: letters go to them again.",
        (ReturnAct::Dismiss, _) => "It is put aside, and nothing follows from it.",
        (ReturnAct::Done, ReturnKind::Reply) => {
            "The answer is put aside. The conversation stays open until you close it on the referrer's page."
        }
        (ReturnAct::Done, ReturnKind::AutoReply) => {
            "It is put aside. Where it is certain that they were away, letters go to them again."
        }
        (ReturnAct::Done, _) => "It is put aside.",
    }
}

/// What a person decided, by its word in the records; any other word as it is.
#[must_use]
pub fn outcome(word: &str) -> &str {
    match word {
        "matched" => "It is about this letter",
        "not_a_bounce" => "The address is good",
        "suppressed" => "The address was suppressed",
        "fax_suppressed" => "The fax number was suppressed",
        "all_suppressed" => "Email and fax were suppressed",
        "dismissed" => "There was nothing to do",
        "done" => "Done",
        "about_us" => "It was about us, not about the address",
        other => other,
    }
}

/// What is known of a return, to explain it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Case<'a> {
    /// What came back.
    pub kind: ReturnKind,
    /// What follows for the address.
    pub class: Option<ReturnClass>,
    /// Why it failed.
    pub reason: Option<Fault>,
    /// What kind of answer, where no person wrote it.
    pub automatic: Option<Automatic>,
    /// The day of return, `YYYY-MM-DD`.
    pub back_on: Option<&'a str>,
    /// How it was found to be about its letter.
    pub matched_by: Option<MatchedBy>,
    /// Whether a letter is known or proposed.
    pub has_letter: bool,
    /// What became of it.
    pub state: ReturnState,
    /// What a person decided, by its word in the records.
    pub outcome: Option<&'a str>,
}

impl Case<'_> {
    fn is_sure(&self) -> bool {
        self.matched_by.is_some_and(MatchedBy::is_sure)
    }

    fn is_open(&self) -> bool {
        self.state == ReturnState::Open
    }
}

/// What a return means and what to do about it, in one to three sentences.
#[must_use]
pub fn explain(case: &Case<'_>) -> Cow<'static, str> {
    let is_failure = matches!(case.kind, ReturnKind::Bounce | ReturnKind::Complaint);
    match case.kind {
        _ if is_failure && case.outcome == Some("not_a_bounce") => {
            "Someone said that the address is good: nothing is held against it because of this.".into()
        }
        _ if is_failure && !case.is_sure() => unmatched(case),
        ReturnKind::Bounce => bounce(case),
        ReturnKind::Complaint => {
            "They reported the letter as unwanted. The address is suppressed: no more updates are sent to it.".into()
        }
        ReturnKind::Delay => "The letter has not arrived yet. It is still being tried: there is nothing to do.".into(),
        ReturnKind::Delivered => "Their mail server confirms that the letter arrived.".into(),
        ReturnKind::AutoReply => automatic(case),
        ReturnKind::Reply => reply(case).into(),
        ReturnKind::OptOut => opt_out(case).into(),
        ReturnKind::None => other(case).into(),
    }
}

fn unmatched(case: &Case<'_>) -> Cow<'static, str> {
    let what = case.reason.map_or("A letter seems to have come back.", fault);
    let next = match (case.is_open(), case.has_letter) {
        (true, true) => {
            "Only the address and the time fit this letter. Say whether it is about it; until then nothing follows."
        }
        (true, false) => {
            "It is not known which letter this is about. Name the letter, or say that there is nothing to do."
        }
        (false, _) => "It is not known which letter this was about, and nothing followed from it.",
    };
    format!("{what} {next}").into()
}

fn bounce(case: &Case<'_>) -> Cow<'static, str> {
    let what = case.reason.map_or("The letter did not arrive.", fault);
    let next = match case.class {
        Some(ReturnClass::Soft) if case.reason == Some(Fault::Blocked) => {
            "The address is on the mail provider's own list, and the provider did not try: look there why. After three such letters \
             within 30 days, the address is left alone for 30 days."
        }
        Some(ReturnClass::Hard) => "The address is suppressed; correct it on the referrer's page.",
        Some(ReturnClass::Soft) => {
            "This may pass and proves nothing against the address. After three such letters within 30 days, the address is \
             left alone for 30 days."
        }
        Some(ReturnClass::Ours) => "This is about our mail, not about their address. Check the mail provider.",
        None => "It proves nothing against the address.",
    };
    format!("{what} {next}").into()
}

fn automatic(case: &Case<'_>) -> Cow<'static, str> {
    match (case.automatic, case.back_on) {
        (Some(Automatic::Absence), Some(day)) => {
            let day = written_day(day);
            format!("They are away until {day}. Automatic updates wait until one business day after that.").into()
        }
        (Some(Automatic::Absence), None) => {
            "They are away, without saying until when. Automatic updates wait for a week.".into()
        }
        (Some(Automatic::Moved), _) if case.is_open() => {
            "They may have left, or have another address. Look at the answer and correct the address.".into()
        }
        (Some(Automatic::Moved), _) => "They may have left, or have another address. Someone has looked at it.".into(),
        (Some(Automatic::Challenge), _) if case.is_open() => {
            "Their mail system asks who is writing, and may keep the letter until it is told. Answer it from the mailbox, \
             or call them."
                .into()
        }
        (Some(Automatic::Challenge), _) => "Their mail system asked who is writing. Someone has looked at it.".into(),
        (Some(Automatic::Other) | None, _) => "An automatic confirmation: there is nothing to do.".into(),
    }
}

fn reply(case: &Case<'_>) -> &'static str {
    if case.is_open() {
        "They answered: read it in the mailbox. Automatic updates to them wait until you close the conversation."
    } else {
        "They answered, and someone has dealt with it."
    }
}

fn opt_out(case: &Case<'_>) -> &'static str {
    match case.outcome {
        Some("suppressed") => "They asked for no more letters. Someone suppressed the email address.",
        Some("fax_suppressed") => "They asked for no more faxes. Someone suppressed the fax number.",
        Some("all_suppressed") => {
            "They asked for no more letters. Someone suppressed the email address and the fax number."
        }
        Some("dismissed") => "It seemed to ask for no more letters. Someone decided that it did not.",
        _ if case.is_open() => "They seem to ask for no more letters. What waits for them is held until you decide.",
        _ => "They asked for no more such letters. The address is suppressed.",
    }
}

fn other(case: &Case<'_>) -> &'static str {
    if case.is_open() {
        "A mail came to the letter's return address, and it is not clear what it says. Read it in the mailbox, then mark it \
         as done."
    } else {
        "A mail came to the letter's return address. Someone has looked at it."
    }
}

/// `January 5, 2027`; what is no day stays as it is.
#[must_use]
pub fn written_day(day: &str) -> String {
    day.parse::<NaiveDate>().map_or_else(|_| day.to_owned(), |day| day.format("%B %-d, %Y").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: Case<'_> = Case {
        kind: ReturnKind::Bounce,
        class: Some(ReturnClass::Hard),
        reason: Some(Fault::MailboxUnknown),
        automatic: None,
        back_on: None,
        matched_by: Some(MatchedBy::ReturnPath),
        has_letter: true,
        state: ReturnState::Applied,
        outcome: None,
    };
    const OPEN: Case<'_> = Case { class: None, reason: None, state: ReturnState::Open, ..QUIET };
    const AUTOMATIC: Case<'_> = Case { kind: ReturnKind::AutoReply, class: None, reason: None, ..QUIET };

    #[test]
    fn every_case_says_what_it_means_and_what_to_do() {
        let guess = Case { matched_by: Some(MatchedBy::Recipient), ..OPEN };
        let unknown = Case { matched_by: None, has_letter: false, ..OPEN };
        let absence = Case { automatic: Some(Automatic::Absence), ..AUTOMATIC };
        let moved = Case { automatic: Some(Automatic::Moved), state: ReturnState::Open, ..AUTOMATIC };
        for (case, says) in [
            (QUIET, "There is no such mailbox. The address is suppressed; correct it on the referrer's page."),
            (Case { class: Some(ReturnClass::Soft), reason: Some(Fault::MailboxFull), ..QUIET }, "may pass"),
            (Case { class: Some(ReturnClass::Ours), reason: Some(Fault::PolicyRefusal), ..QUIET }, "our mail"),
            (Case { outcome: Some("not_a_bounce"), ..QUIET }, "the address is good"),
            (guess, "Only the address and the time fit this letter."),
            (unknown, "Name the letter, or say that there is nothing to do."),
            (Case { kind: ReturnKind::Complaint, ..QUIET }, "reported the letter as unwanted"),
            (Case { kind: ReturnKind::Complaint, ..unknown }, "Name the letter"),
            (Case { back_on: Some("2027-01-05"), ..absence }, "away until January 5, 2027"),
            (absence, "wait for a week"),
            (moved, "Look at the answer and correct the address."),
            (Case { automatic: Some(Automatic::Challenge), ..moved }, "Answer it from the mailbox"),
            (Case { automatic: Some(Automatic::Other), ..AUTOMATIC }, "nothing to do"),
            (Case { kind: ReturnKind::Reply, ..OPEN }, "wait until you close the conversation"),
            (Case { kind: ReturnKind::OptOut, ..OPEN }, "held until you decide"),
            (Case { kind: ReturnKind::OptOut, ..QUIET }, "The address is suppressed."),
            (Case { kind: ReturnKind::Delay, ..QUIET }, "still being tried"),
            (Case { kind: ReturnKind::Delivered, ..QUIET }, "arrived"),
            (Case { kind: ReturnKind::None, ..OPEN }, "mark it as done"),
        ] {
            let said = explain(&case);
            assert!(said.contains(says), "{case:?}: {said}");
        }
    }

    #[test]
    fn an_answer_that_somebody_has_dealt_with_asks_for_nothing_more() {
        for kind in ReturnKind::ALL {
            for automatic in Automatic::ALL {
                let case = Case {
                    kind: *kind,
                    automatic: Some(*automatic),
                    state: ReturnState::Done,
                    matched_by: None,
                    ..QUIET
                };
                let said = explain(&case);
                let is_asked = ["Name the letter", "until you", "Look at"].iter().any(|words| said.contains(words));
                assert!(!is_asked, "{kind} {automatic}: {said}");
            }
        }
    }

    #[test]
    fn what_is_no_day_is_not_made_one() {
        assert_eq!(written_day("2026-12-01"), "December 1, 2026");
        assert_eq!(written_day("soon"), "soon");
    }
}
