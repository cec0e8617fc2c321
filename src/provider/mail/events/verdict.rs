//! Whether a failure is held against the address: what the provider says of it, and what the server's words that it quotes
//! say (`domain::mail_reply`), which are read by the same table as those of every bounce.

use crate::domain::fault::{About, AddressEvidence, Failure, Fault};
use crate::domain::mail_reply::{EnhancedStatus, Judgement, QuotedReply, Verdict, judge_returned};
use crate::domain::remedy::Remedy;
use crate::domain::returned::ReturnClass;

/// The subject of the enhanced codes of security and policy (RFC 3463 §3.8).
const OF_POLICY: u16 = 7;

/// What the provider itself says of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Saying {
    /// There is no such address.
    Dead,
    /// It stands on the provider's own list, of those that bounced or were entered by hand, and the provider did not
    /// try. No server has refused this letter: nothing is proved against the address now.
    Listed,
    /// It stands on the provider's list of those who unsubscribed, and the provider did not try: its owner wants no more such letters.
    Unwilling,
    /// It failed for good: the address is bad, unless the server's words speak of something else.
    Hard,
    /// It proves nothing against the address, whatever the words; the fault counts where there are none.
    Soft(Fault),
    /// Exactly this.
    Is(Fault, About, ReturnClass),
    /// Nothing beyond the server's words.
    Open,
}

/// What a failure comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Weighed {
    /// What follows for the address.
    pub class: ReturnClass,
    /// The failure.
    pub failure: Failure,
    /// The row of the table, where that decided.
    pub row: Option<String>,
}

/// The verdict.
pub(super) fn weigh(saying: Saying, status: Option<&str>, diagnostic: &str) -> Weighed {
    let heard = Heard::of(status, diagnostic);
    let judged = heard.judge();
    let decided = match (saying, judged) {
        (Saying::Is(fault, about, class), _) => Decided::said(class, fault, Some(about)),
        (Saying::Listed | Saying::Unwilling, _) => Decided::listed(),
        (Saying::Dead, judged) => {
            Decided::said(ReturnClass::Hard, fault_of_the_address(judged), Some(About::Recipient))
        }
        (Saying::Hard, Some(judged)) if speaks_of_something_else(&judged, heard.enhanced) => Decided::judged(&judged),
        (Saying::Hard, judged) => {
            Decided::said(ReturnClass::Hard, fault_of_the_address(judged), Some(About::Recipient))
        }
        (Saying::Soft(_) | Saying::Open, Some(judged)) => Decided::judged(&judged),
        (Saying::Soft(fault), None) => Decided::said(ReturnClass::Soft, fault, None),
        (Saying::Open, None) => Decided::said(ReturnClass::Soft, Fault::Unknown, None),
    };
    let decided = if matches!(saying, Saying::Soft(_)) { decided.never_hard() } else { decided };
    decided.weighed(&heard)
}

/// The server's reply as far as it is quoted.
struct Heard<'a> {
    code: u16,
    enhanced: Option<EnhancedStatus>,
    text: String,
    diagnostic: &'a str,
}

impl<'a> Heard<'a> {
    fn of(status: Option<&str>, diagnostic: &'a str) -> Self {
        let status = status.and_then(|text| EnhancedStatus::parse(text.split_whitespace().next()?));
        match QuotedReply::parse(diagnostic).filter(QuotedReply::is_refusal) {
            Some(quoted) => {
                let agrees = |status: &EnhancedStatus| quoted.code == 0 || quoted.code / 100 == u16::from(status.class);
                let enhanced = quoted.enhanced.or(status.filter(agrees));
                Self { code: quoted.code, enhanced, text: quoted.text, diagnostic }
            }
            None => Self { code: 0, enhanced: status, text: diagnostic.trim().to_owned(), diagnostic },
        }
    }

    /// What the table says, if there is anything to be read.
    fn judge(&self) -> Option<Judgement> {
        let is_said = self.code > 0 || self.enhanced.is_some() || self.text.chars().any(char::is_alphabetic);
        is_said.then(|| judge_returned(self.code, self.enhanced, &self.text))
    }
}

/// Whether the server's own words, or a code of policy, say that it is not the mailbox.
fn speaks_of_something_else(judged: &Judgement, enhanced: Option<EnhancedStatus>) -> bool {
    let is_of_policy = enhanced.is_some_and(|status| status.subject == OF_POLICY);
    let is_of_the_address = judged.verdict.proves_mailbox || judged.verdict.fault == Fault::MailboxDisabled;
    !is_of_the_address && (!judged.row.words.is_empty() || is_of_policy)
}

fn fault_of_the_address(judged: Option<Judgement>) -> Fault {
    let fault = judged.map(|judged| judged.verdict.fault);
    let is_of_an_address =
        |fault: &Fault| matches!(fault, Fault::MailboxUnknown | Fault::DomainUnknown | Fault::MailboxDisabled);
    fault.filter(is_of_an_address).unwrap_or(Fault::MailboxUnknown)
}

/// What a row of the reply table means for the address; as the reader of bounces has it.
const fn class_of(verdict: &Verdict) -> ReturnClass {
    match (verdict.about, verdict.fault) {
        (_, Fault::MailboxDisabled) => ReturnClass::Soft,
        _ if verdict.proves_mailbox => ReturnClass::Hard,
        (About::Account | About::Speed | About::Letter, _) => ReturnClass::Ours,
        (About::Path, Fault::Expired | Fault::ProviderError | Fault::Deferred) => ReturnClass::Soft,
        (About::Path, _) | (About::Recipient, Fault::PolicyRefusal | Fault::TlsRequired) => ReturnClass::Ours,
        (About::Recipient, _) => ReturnClass::Soft,
    }
}

struct Decided {
    class: ReturnClass,
    fault: Fault,
    about: Option<About>,
    remedy: Option<Remedy>,
    row: Option<String>,
}

impl Decided {
    const fn said(class: ReturnClass, fault: Fault, about: Option<About>) -> Self {
        Self { class, fault, about, remedy: None, row: None }
    }

    fn listed() -> Self {
        let said = Self::said(ReturnClass::Soft, Fault::Blocked, Some(About::Recipient));
        Self { remedy: Some(Remedy::ProviderList), ..said }
    }

    fn judged(judged: &Judgement) -> Self {
        let verdict = &judged.verdict;
        Self {
            class: class_of(verdict),
            fault: verdict.fault,
            about: Some(verdict.about),
            remedy: Some(verdict.remedy),
            row: Some(format!("reply: {}", judged.row.sample)),
        }
    }

    /// Without what would be held against the address.
    fn never_hard(self) -> Self {
        let is_evidence = self.fault.evidence() == AddressEvidence::Dead;
        match self.class {
            ReturnClass::Hard => Self::said(ReturnClass::Soft, Fault::Deferred, Some(About::Recipient)),
            ReturnClass::Soft | ReturnClass::Ours if is_evidence => Self { fault: Fault::Deferred, ..self },
            ReturnClass::Soft | ReturnClass::Ours => self,
        }
    }

    fn weighed(self, heard: &Heard<'_>) -> Weighed {
        let code = heard.enhanced.map(|status| status.to_string());
        let code = code.or_else(|| (heard.code > 0).then(|| heard.code.to_string()));
        let failure = Failure { about: self.about, remedy: self.remedy, ..Failure::new(self.fault) };
        let failure = code.map_or_else(|| failure.clone(), |code| failure.clone().code(code));
        let failure = if heard.diagnostic.trim().is_empty() { failure } else { failure.text(heard.diagnostic) };
        Weighed { class: self.class, failure, row: self.row }
    }
}
