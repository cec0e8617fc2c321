//! Why a letter came back, and what follows for the address: what the server replied before what the mailer wrote, words before codes.

use std::cell::OnceCell;

use super::opening::{refused_before_a_recipient, refused_the_letter};
use super::parties::{Addressee, Parties};
use super::said::{self, Said};
use super::table::{VerdictRow, Within, verdict, without_what_is_always_said};
use super::words::plain;
use super::{Class, Kind, Recipient};
use crate::domain::mail_reply::{self, EnhancedStatus, Judgement, Phase};
use crate::domain::{About, Fault};

/// The longest diagnostic, in characters.
const DIAGNOSTIC_CHARS_MAX: usize = 500;
/// What makes a mailbox that is switched off one that is gone: whole words, read where a row of the reply table decided.
const FOR_GOOD: &[&str] = &[
    "discontinued",
    "deactivated",
    "terminated",
    "deleted",
    "closed",
    "removed",
    "no longer",
    "permanently disabled",
    "permanently inactive",
    "permanently suspended",
    "permanently unavailable",
    "disabled permanently",
];
/// What such a word may be about instead.
const OF_THE_DIALOGUE: &[&str] =
    &["connection", "session", "channel", "transmission", "transaction", "message", "letter"];

/// The subject of the enhanced codes of security and policy (RFC 3463 section 3.8).
const OF_POLICY: u16 = 7;

/// The enhanced code of a mailbox that is switched off (RFC 3463 section 3.3): it counts only when it comes again, whatever the words
/// beside it.
const SWITCHED_OFF: (u16, u16) = (2, 1);

/// What filters say of a mailbox that is there, once they have the whole letter.
const OF_FILTERS: &[&str] = &["unknown", "not found"];

/// What is known of one recipient's failure.
#[derive(Debug, Default)]
pub(super) struct Evidence<'a> {
    /// What the server said, as a report gives it.
    pub diagnostic: &'a str,
    /// The status of a report, and its comment.
    pub status: Option<EnhancedStatus>,
    pub comment: &'a str,
    /// What the text says of this recipient.
    pub account: &'a str,
    /// What the text says of all of them.
    pub whole: Option<&'a Whole>,
    /// The host that refused it, as a report gives it.
    pub host: &'a str,
    /// Who else has a part in it.
    pub parties: Option<&'a Parties>,
    /// Whether it may still arrive.
    pub is_delay: bool,
}

/// What a text says of all its recipients, read once however many they are.
#[derive(Debug)]
pub(super) struct Whole {
    text: String,
    reply: OnceCell<Option<Said>>,
    row: OnceCell<Option<&'static VerdictRow>>,
}

impl Whole {
    pub fn of(text: String) -> Self {
        Self { text, reply: OnceCell::new(), row: OnceCell::new() }
    }

    fn reply(&self) -> Option<&Said> {
        self.reply.get_or_init(|| said::best(&self.text)).as_ref()
    }

    /// The row that reads it, of those that may count with this `guard`; the first of all is looked for once.
    fn row(&self, guard: &Guard) -> Option<&'static VerdictRow> {
        let first = *self.row.get_or_init(|| verdict(&told(&self.text), Within::Whole, |_| true));
        first.filter(|row| guard.lets_count(row))
    }
}

/// Whether a row may hold something against an address: a server that refuses for another reason sometimes uses the words of a dead
/// mailbox, so that its reply must leave room for the mailbox and speak of nothing else (as in `domain::mail_reply`).
#[derive(Debug)]
struct Guard {
    leaves_room: bool,
    is_policy: bool,
    is_a_mailers: bool,
}

impl Guard {
    /// Without a reply, a mailer's words are all that there is.
    fn of(evidence: &Evidence<'_>, reply: Option<&Said>) -> Self {
        let (code, enhanced) = reply.map_or((0, None), |said| (said.code, said.enhanced));
        let text = reply.map_or(evidence.diagnostic, |said| said.text.as_str());
        let status = enhanced.or(evidence.status);
        Self {
            leaves_room: text.is_empty() || mail_reply::may_be_of_the_mailbox(code, enhanced, text),
            is_policy: status.is_some_and(|status| status.subject == OF_POLICY),
            is_a_mailers: code == 0,
        }
    }

    /// A mailer tells of its own search for the domain without a basic code.
    fn lets_count(&self, row: &VerdictRow) -> bool {
        let is_a_search = self.is_a_mailers && row.fault == Fault::DomainUnknown;
        row.class != Class::Hard || (!self.is_policy && (self.leaves_room || is_a_search))
    }
}

/// What decided.
struct Decision {
    class: Class,
    fault: Fault,
    row: String,
}

/// The recipient with its verdict.
pub(super) fn weigh(recipient: String, forwarded_to: Option<String>, evidence: &Evidence<'_>) -> Recipient {
    let reply = reply_in(evidence);
    let status = reply.as_ref().and_then(|said| said.enhanced).or(evidence.status);
    let decision = refused_at_the_opening(evidence, reply.as_ref());
    let decision = decision.unwrap_or_else(|| decide(evidence, reply.as_ref()));
    let addresses = std::iter::once(recipient.as_str()).chain(forwarded_to.as_deref()).collect();
    let to = Addressee { addresses, host: evidence.host };
    let passes = evidence.is_delay || reply.as_ref().is_some_and(|said| said.class() == 4);
    let decision = if is_of_others(evidence, &decision, reply.as_ref(), &to) {
        of_others()
    } else if passes || was_taken_first(evidence, &decision, reply.as_ref()) {
        for_now(decision)
    } else if status.is_some_and(|status| (status.subject, status.detail) == SWITCHED_OFF) {
        until_it_comes_again(decision)
    } else {
        decision
    };
    Recipient {
        recipient,
        forwarded_to,
        kind: if evidence.is_delay { Kind::Delay } else { Kind::Bounce },
        class: Some(decision.class),
        reason: Some(decision.fault),
        status: status.map(|status| status.to_string()),
        code: reply.as_ref().map(|said| said.code).filter(|code| *code > 0),
        diagnostic: diagnostic(evidence, reply.as_ref()),
        row: Some(decision.row),
    }
}

/// The server's reply: of the report, else of the text.
fn reply_in(evidence: &Evidence<'_>) -> Option<Said> {
    let of_report = said::best(evidence.diagnostic);
    let of_account = || said::best(evidence.account);
    let of_whole = || evidence.whole.and_then(Whole::reply).cloned();
    match of_report {
        Some(said) if said.code > 0 => Some(said),
        Some(said) => of_account().filter(|other| other.code > 0).or(Some(said)),
        None => of_account().or_else(of_whole),
    }
}

/// Words of a mailer as they are compared, without what it always writes.
fn told(text: &str) -> String {
    without_what_is_always_said(plain(text))
}

/// What a server refused before a recipient was named: its words are read as what they answer, and the codes alone are about us.
fn refused_at_the_opening(evidence: &Evidence<'_>, reply: Option<&Said>) -> Option<Decision> {
    let phase = opening(evidence)?;
    let reply = reply?;
    let judged = mail_reply::judge(phase, reply.code, reply.enhanced, &reply.text);
    let decision = of_reply(&judged, &plain(&reply.text));
    let is_code_alone = judged.row.words.is_empty() && reply.class() == 5;
    let proves_nothing = decision.class == Class::Hard || (decision.class == Class::Soft && is_code_alone);
    let ours = |decision: Decision| Decision { class: Class::Ours, fault: Fault::AccountError, ..decision };
    Some(if proves_nothing { ours(decision) } else { decision })
}

/// The phase before any recipient in which it was refused, if it was.
fn opening(evidence: &Evidence<'_>) -> Option<Phase> {
    let near = format!("{}\n{}", evidence.diagnostic, evidence.account);
    refused_before_a_recipient(&near).or_else(|| evidence.parties.and_then(|parties| parties.opening))
}

/// Whether what would prove something, or is not explained, speaks of us or of a host that is not the recipient's.
fn is_of_others(evidence: &Evidence<'_>, decision: &Decision, reply: Option<&Said>, to: &Addressee<'_>) -> bool {
    let is_open = decision.class == Class::Hard || decision.fault == Fault::Unknown;
    let Some(parties) = evidence.parties.filter(|_| is_open) else { return false };
    if reply.is_none() && opening(evidence).is_some() {
        return true;
    }
    let said = reply.map_or(evidence.diagnostic, |said| said.text.as_str());
    match said {
        // Around a mailer's own words stand other names of its own.
        "" => {
            decision.fault == Fault::DomainUnknown
                && parties.speaks_of_another_host(evidence.account, to, decision.fault)
        }
        said => parties.are_meant_by(said, to, decision.fault),
    }
}

fn of_others() -> Decision {
    Decision { class: Class::Ours, fault: Fault::AccountError, row: "names-us-or-another-host".to_owned() }
}

/// The first that says why, of what stands nearest to the recipient: words before codes, a server's before a mailer's. A code that says
/// something stands before what a mailer wrote of all.
fn decide(evidence: &Evidence<'_>, reply: Option<&Said>) -> Decision {
    let words = reply.map(|said| plain(&said.text)).unwrap_or_default();
    let judged = reply.map(|said| mail_reply::judge_returned(said.code, said.enhanced, &said.text));
    let by_words = judged.filter(|judged| !judged.row.words.is_empty()).map(|judged| of_reply(&judged, &words));
    let by_proof = || judged.filter(|judged| judged.verdict.proves_mailbox).map(|judged| of_reply(&judged, &words));
    let guard = Guard::of(evidence, reply);
    let row_of = |text: &str, within: Within| verdict(text, within, |row| guard.lets_count(row)).map(of_row);
    // Beside a reply, what a mailer wrote is only what it always writes.
    let of_account = if reply.is_none() { Within::Account } else { Within::Whole };
    by_words
        .or_else(|| row_of(&words, Within::Reply))
        .or_else(|| by_proof().filter(|_| words.contains(char::is_alphabetic)))
        .or_else(|| row_of(&plain(evidence.diagnostic), Within::Reply))
        .or_else(|| row_of(&told(evidence.account), of_account))
        .or_else(|| row_of(&plain(evidence.comment), Within::Reply))
        .or_else(|| judged.filter(|_| is_told_near(evidence, reply)).map(|judged| of_reply(&judged, &words)))
        .or_else(|| evidence.whole.and_then(|whole| whole.row(&guard)).map(of_row))
        .or_else(by_proof)
        .or_else(|| by_status(evidence, reply))
        .or_else(|| judged.map(|judged| of_reply(&judged, &words)))
        .unwrap_or_else(|| if evidence.is_delay { unsaid(Fault::Deferred) } else { unsaid(Fault::Unknown) })
}

/// Whether the report or the account of the recipient quotes a reply with a code that says something.
fn is_told_near(evidence: &Evidence<'_>, reply: Option<&Said>) -> bool {
    let status = reply.filter(|said| said.is_telling()).and_then(|said| said.enhanced);
    status
        .map(|status| status.to_string())
        .is_some_and(|status| evidence.diagnostic.contains(&status) || evidence.account.contains(&status))
}

/// A status without words. Mailers give that of an unknown mailbox to any refusal (Sendmail: 5.1.1 to every 550), so that it
/// proves something only where no server's reply says otherwise.
fn by_status(evidence: &Evidence<'_>, reply: Option<&Said>) -> Option<Decision> {
    let judged = mail_reply::judge(Phase::Bounce, 0, Some(evidence.status?), "");
    let may_prove = reply.is_none() && evidence.diagnostic.is_empty();
    (may_prove || !judged.verdict.proves_mailbox).then(|| of_reply(&judged, ""))
}

fn of_row(row: &VerdictRow) -> Decision {
    Decision { class: row.class, fault: row.fault, row: row.id.clone() }
}

/// What a row of the reply table means for the address.
fn of_reply(judged: &Judgement, words: &str) -> Decision {
    let verdict = judged.verdict;
    let class = match (verdict.about, verdict.fault) {
        (_, Fault::MailboxDisabled) if !is_for_good(words) => Class::Soft,
        _ if verdict.proves_mailbox => Class::Hard,
        (About::Account | About::Speed | About::Letter, _) => Class::Ours,
        (About::Path, Fault::Expired | Fault::ProviderError | Fault::Deferred) => Class::Soft,
        (About::Path, _) | (About::Recipient, Fault::PolicyRefusal | Fault::TlsRequired) => Class::Ours,
        (About::Recipient, _) => Class::Soft,
    };
    Decision { class, fault: verdict.fault, row: format!("reply: {}", judged.row.sample) }
}

/// Whether a clause that speaks of nothing of the dialogue says that it is gone: not "mailbox disabled; connection closed".
fn is_for_good(words: &str) -> bool {
    let words = words.replace(" - ", ";");
    let says = |clause: &str, phrases: &[&str]| phrases.iter().any(|phrase| clause.contains(&format!(" {phrase} ")));
    words.split([';', ',', '.', ':', '(', ')', '!']).any(|clause| {
        let words = clause.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        let clause = format!(" {} ", words.collect::<Vec<_>>().join(" "));
        says(&clause, FOR_GOOD) && !says(&clause, OF_THE_DIALOGUE)
    })
}

/// Whether a server that took the recipient refused the letter behind it in the words of an unknown mailbox: filters do that
/// (docomo, Mail.ru). The code of an unknown mailbox says that it is one.
fn was_taken_first(evidence: &Evidence<'_>, decision: &Decision, reply: Option<&Said>) -> bool {
    let is_coded = reply.and_then(|said| said.enhanced).is_some_and(|status| (status.subject, status.detail) == (1, 1));
    let words = reply.map(|said| said.text.to_lowercase()).unwrap_or_default();
    decision.fault == Fault::MailboxUnknown
        && !is_coded
        && OF_FILTERS.iter().any(|phrase| words.contains(phrase))
        && (refused_the_letter(evidence.diagnostic) || refused_the_letter(evidence.account))
}

/// What proves nothing against an address, whatever it says.
fn for_now(decision: Decision) -> Decision {
    match decision.class {
        Class::Hard => Decision { class: Class::Soft, fault: Fault::Deferred, row: decision.row },
        Class::Soft | Class::Ours => decision,
    }
}

/// A mailbox that is switched off is gone only when it is so again.
fn until_it_comes_again(decision: Decision) -> Decision {
    match (decision.class, decision.fault) {
        (Class::Hard, Fault::MailboxDisabled) => Decision { class: Class::Soft, ..decision },
        _ => decision,
    }
}

fn unsaid(fault: Fault) -> Decision {
    Decision { class: Class::Soft, fault, row: "nothing-said".to_owned() }
}

/// What a person reads: the server's words, else the mailer's.
fn diagnostic(evidence: &Evidence<'_>, reply: Option<&Said>) -> String {
    let line = reply.map(Said::line).unwrap_or_default();
    let whole = evidence.whole.map_or("", |whole| whole.text.as_str());
    let texts = [evidence.diagnostic, line.as_str(), evidence.account, whole];
    let text = texts.into_iter().map(str::trim).find(|text| !text.is_empty()).unwrap_or_default();
    let start: String = text.chars().take(8 * DIAGNOSTIC_CHARS_MAX).collect();
    let kept = start.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    kept.collect::<Vec<_>>()
        .join(" ")
        .trim_start_matches(['>', ':', ' ', '"'])
        .chars()
        .take(DIAGNOSTIC_CHARS_MAX)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(said: &str) -> Option<Class> {
        let of_a_report = Evidence { diagnostic: said, ..Evidence::default() };
        let of_a_text = Evidence { account: said, ..Evidence::default() };
        let [report, text] = [of_a_report, of_a_text].map(|evidence| weigh("dana".to_owned(), None, &evidence).class);
        assert_eq!(report == Some(Class::Hard), text == Some(Class::Hard), "{said}");
        report
    }

    #[test]
    fn a_refusal_about_the_sending_side_is_never_hard() {
        for said in [
            "550 5.7.1 IP 192.0.2.9 is not registered",
            "550 IP 192.0.2.9 is not registered",
            "550 5.7.1 host relay.example is not registered",
            "550 192.0.2.9 is not listed in the SPF record of harbor.example",
            "550 5.7.23 server not listed in the SPF record",
            "554 5.7.1 sender is not registered here",
            "550 your domain is not registered with our service",
            "550 5.1.8 sender domain does not exist",
            "550 sender address not found",
            "550 the sending user is unknown",
            "550 no such user: authenticate first",
            "550 too many bad recipient attempts from your network",
            "550 5.7.1 bad recipient count, message refused",
            "550 connection refused after bad recipients",
            "550 5.7.1 client host not found",
            "550 unknown host in HELO",
            "554 reverse DNS of your host does not exist",
            "550 your account no longer exists at this relay",
            "550 5.7.26 no such DKIM key, signature not found",
            "550 domain of the return path does not exist",
            "554 5.7.1 not in address book of trusted senders",
            "550 DMARC policy of harbor.example not found",
            "550 login user is unknown",
        ] {
            assert_ne!(class(said), Some(Class::Hard), "{said}");
        }
    }

    #[test]
    fn the_words_of_a_dead_mailbox_alone_are_hard() {
        for said in [
            "550 5.1.1 <dana@clinic.example>: Recipient address rejected: User unknown",
            "550 recipient dana no longer on server",
            "550 5.1.1 bad recipient address",
            "550 there is no one at this address",
            "551 is a deactivated mailbox",
        ] {
            assert_eq!(class(said), Some(Class::Hard), "{said}");
        }
    }

    #[test]
    fn a_mailbox_is_gone_only_where_the_mailbox_is_what_was_closed() {
        for (said, class_wanted) in [
            ("550 5.2.1 mailbox disabled; connection closed", Class::Soft),
            ("550 5.2.1 mailbox disabled - connection closed", Class::Soft),
            ("550 5.2.1 mailbox disabled, session terminated", Class::Soft),
            ("550 5.2.1 mailbox disabled; message permanently rejected", Class::Soft),
            ("550 5.2.1 mailbox disabled (undisclosed reason)", Class::Soft),
            ("550 mailbox disabled: this account was closed", Class::Hard),
            ("550 5.2.1 mailbox disabled: this account was closed", Class::Soft),
            ("550 5.2.1 This mailbox has been inactive for 90 days and is deactivated", Class::Soft),
            ("550 5.2.1 account closed for summer, will reopen in September", Class::Soft),
            ("550 5.2.1 Account not available", Class::Soft),
            ("554 delivery error: This account has been disabled or discontinued [#102]", Class::Hard),
        ] {
            assert_eq!(class(said), Some(class_wanted), "{said}");
        }
    }
}
