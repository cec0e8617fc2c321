//! What a mail server answers and what it means: the enhanced status first (RFC 3463, RFC 5248 and the IANA registry
//! "SMTP Enhanced Status Codes"), then the basic code together with the phase in which it came (RFC 5321 §4.2).

use crate::domain::fault::{Failure, Fault};

/// Where in the dialogue an answer came. Up to and including `Mail` it speaks of us or of the relay, after that of
/// the recipient or of the letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    Greeting,
    Hello,
    StartTls,
    Auth,
    Mail,
    Rcpt,
    Data,
    Dot,
}

/// An enhanced status code, such as 5.1.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnhancedStatus {
    /// 2 done, 4 may work later, 5 permanent.
    pub class: u8,
    /// What it is about: 1 address, 2 mailbox, 3 system, 4 network, 5 protocol, 6 content, 7 policy.
    pub subject: u16,
    /// Which trouble exactly.
    pub detail: u16,
}

impl EnhancedStatus {
    /// Reads `5.1.1`. `None` for anything else.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        let mut parts = word.split('.');
        let mut number = |digits_max: usize| {
            let part = parts.next()?;
            let fits = (1..=digits_max).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
            if fits { part.parse::<u16>().ok() } else { None }
        };
        let (class, subject, detail) = (number(1)?, number(3)?, number(3)?);
        let class = u8::try_from(class).ok().filter(|class| [2, 4, 5].contains(class))?;
        parts.next().is_none().then_some(Self { class, subject, detail })
    }

    /// What it says about a letter or its recipient, whether it comes as a reply after `RCPT` or in a bounce
    /// (RFC 3464 `Status`). `text` is what stands beside it; it decides only where the code alone is ambiguous.
    #[must_use]
    pub fn fault(self, text: &str) -> Fault {
        if self.class == 4 { self.passing_fault() } else { self.lasting_fault(text) }
    }

    /// Class 4: it may work later.
    const fn passing_fault(self) -> Fault {
        match (self.subject, self.detail) {
            (2, 2) => Fault::MailboxFull,
            (4, 7) => Fault::Expired,
            (5, 3) | (7, 28) => Fault::RateLimited,
            (7, 8 | 9) => Fault::AccountError,
            (7, 10 | 11 | 30) => Fault::TlsRequired,
            _ => Fault::Deferred,
        }
    }

    /// Class 5: it will not. 5.7.13, 5.7.17 and 5.7.18 (account closed, mailbox or domain changed hands) count as an
    /// address that is gone: the person who reads it now is not the one the letter is for.
    fn lasting_fault(self, text: &str) -> Fault {
        match (self.subject, self.detail) {
            (1, 1 | 3 | 6) | (7, 13 | 17) => Fault::MailboxUnknown,
            (1, 2 | 10) | (7, 18) => Fault::DomainUnknown,
            (4, 4) if speaks_of_a_missing_domain(text) => Fault::DomainUnknown,
            (1, 7 | 8) | (7, 8 | 9) => Fault::AccountError,
            (2, 1) => Fault::MailboxDisabled,
            (2, 2) => Fault::MailboxFull,
            (2, 3) | (3, 4) => Fault::TooLarge,
            (4, 7) => Fault::Expired,
            (5, 3) | (7, 28) => Fault::RateLimited,
            (5, _) => Fault::ProtocolError,
            (7, 10 | 11 | 30) => Fault::TlsRequired,
            (6 | 7, _) => Fault::PolicyRefusal,
            _ => Fault::Unknown,
        }
    }

    /// What it says when it came before any recipient was named; `None` leaves it to the basic code.
    const fn relay_fault(self) -> Option<Fault> {
        Some(match (self.class, self.subject, self.detail) {
            (_, 7, 8 | 9) | (5, 1, 7 | 8) => Fault::AccountError,
            (_, 7, 10 | 11 | 30) => Fault::TlsRequired,
            (4, 3, 2) | (4, 7, _) | (_, 5, 3) | (_, 7, 28) => Fault::RateLimited,
            (5, 2, 3) | (5, 3, 4) => Fault::TooLarge,
            (5, 5, _) => Fault::ProtocolError,
            (5, 7, _) => Fault::AccountError,
            _ => return None,
        })
    }
}

fn speaks_of_a_missing_domain(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["nxdomain", "name not found", "domain not found", "no such domain"].iter().any(|words| text.contains(words))
}

/// A relay that does not let us send says so only when it hears the recipient, with the same 5.7.1 as a refusal of that
/// one recipient: Postfix, Exchange, Exim, Sendmail. It would say the same to every letter.
fn speaks_of_our_permission(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["relay access denied", "unable to relay", "relay not permitted", "relaying denied", "authentication required"]
        .iter()
        .any(|words| text.contains(words))
}

/// One reply, all its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    pub code: u16,
    pub lines: Vec<String>,
}

impl Reply {
    /// 2yz: done.
    pub const fn is_done(&self) -> bool {
        self.code >= 200 && self.code < 300
    }

    /// 4yz or 5yz: no.
    pub const fn is_refusal(&self) -> bool {
        self.code >= 400 && self.code < 600
    }

    /// 421: the server closes the session with this answer (RFC 5321 §3.8).
    pub const fn ends_session(&self) -> bool {
        self.code == 421
    }

    /// The enhanced status it begins with, if its class agrees with the code (RFC 2034 §4).
    pub fn enhanced(&self) -> Option<EnhancedStatus> {
        let word = self.lines.first()?.split_whitespace().next()?;
        EnhancedStatus::parse(word).filter(|status| u16::from(status.class) == self.code / 100)
    }

    fn text(&self) -> String {
        self.lines.join(" ")
    }

    /// Why it was refused.
    pub fn fault(&self, phase: Phase) -> Fault {
        if !self.is_refusal() {
            return Fault::ProtocolError;
        }
        if self.ends_session() {
            return Fault::RateLimited;
        }
        let enhanced = self.enhanced();
        if phase <= Phase::Mail {
            return enhanced.and_then(EnhancedStatus::relay_fault).unwrap_or_else(|| self.basic_relay_fault(phase));
        }
        if phase == Phase::Rcpt && self.code >= 500 && speaks_of_our_permission(&self.text()) {
            return Fault::AccountError;
        }
        enhanced.map_or_else(|| self.basic_delivery_fault(phase), |status| status.fault(&self.text()))
    }

    const fn basic_relay_fault(&self, phase: Phase) -> Fault {
        match (phase, self.code) {
            (_, 432 | 454) => Fault::RateLimited,
            (Phase::Auth, 500..) | (_, 530 | 534 | 535) => Fault::AccountError,
            (_, 523 | 538) => Fault::TlsRequired,
            (Phase::Mail, 552) => Fault::TooLarge,
            (Phase::Mail, 550 | 551 | 553 | 554) => Fault::AccountError,
            (Phase::Mail, 500..) => Fault::ProtocolError,
            _ => Fault::ProviderError,
        }
    }

    const fn basic_delivery_fault(&self, phase: Phase) -> Fault {
        match (phase, self.code) {
            (_, 432 | 454) => Fault::RateLimited,
            (_, 400..500) => Fault::Deferred,
            (_, 530 | 534 | 535) => Fault::AccountError,
            (_, 500..=504 | 555) => Fault::ProtocolError,
            (_, 521 | 556) => Fault::DomainUnknown,
            (Phase::Rcpt, 550 | 551 | 553) => Fault::MailboxUnknown,
            (Phase::Rcpt, 552) => Fault::MailboxFull,
            (_, 552) => Fault::TooLarge,
            (_, 550 | 554) => Fault::PolicyRefusal,
            _ => Fault::Unknown,
        }
    }

    /// As a failure, without the words in `private`: servers like to repeat what they were told.
    pub fn failure(&self, phase: Phase, private: &[&str]) -> Failure {
        let code = self.enhanced().map_or_else(
            || self.code.to_string(),
            |status| format!("{} {}.{}.{}", self.code, status.class, status.subject, status.detail),
        );
        Failure::new(self.fault(phase)).code(code).text(without(&self.text(), private))
    }
}

/// Replaces every word that is, or holds, one of the private ones. A private word of one or two letters counts only
/// as a whole word.
fn without(text: &str, private: &[&str]) -> String {
    let private: Vec<String> = private.iter().filter(|word| !word.is_empty()).map(|word| word.to_lowercase()).collect();
    let shown = text.split_whitespace().map(|word| {
        let lower = word.to_lowercase();
        let bare = lower.trim_matches(|c: char| !c.is_alphanumeric());
        let tells = |secret: &String| bare == secret || (secret.len() > 2 && lower.contains(secret));
        if private.iter().any(tells) { "…" } else { word }
    });
    shown.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(line: &str) -> Reply {
        Reply { code: line[..3].parse().expect("a code"), lines: vec![line[4..].to_owned()] }
    }

    #[test]
    fn the_enhanced_status_decides_before_the_basic_code() {
        for (line, phase, fault) in [
            ("550 5.1.1 unknown", Phase::Rcpt, Fault::MailboxUnknown),
            ("550 5.7.1 not here", Phase::Rcpt, Fault::PolicyRefusal),
            ("550 5.7.17 owner changed", Phase::Rcpt, Fault::MailboxUnknown),
            ("550 5.1.10 null MX", Phase::Rcpt, Fault::DomainUnknown),
            ("550 5.4.4 Host or domain name not found", Phase::Rcpt, Fault::DomainUnknown),
            ("550 5.4.4 unroutable", Phase::Rcpt, Fault::Unknown),
            ("550 5.2.1 off", Phase::Rcpt, Fault::MailboxDisabled),
            ("450 4.2.1 slow down", Phase::Rcpt, Fault::Deferred),
            ("452 4.2.2 full", Phase::Rcpt, Fault::MailboxFull),
            ("552 5.2.2 full", Phase::Dot, Fault::MailboxFull),
            ("552 5.3.4 big", Phase::Dot, Fault::TooLarge),
            ("451 4.7.1 greylisted", Phase::Rcpt, Fault::Deferred),
            ("451 4.7.1 too fast", Phase::Mail, Fault::RateLimited),
            ("550 5.1.8 bad sender", Phase::Mail, Fault::AccountError),
            ("550 5.7.26 unauthenticated", Phase::Dot, Fault::PolicyRefusal),
            ("550 5.7.30 REQUIRETLS", Phase::Dot, Fault::TlsRequired),
            ("452 4.5.3 too many", Phase::Rcpt, Fault::RateLimited),
            ("554 5.7.1 <x@y>: Relay access denied", Phase::Rcpt, Fault::AccountError),
            ("550 5.7.1 mailing list is closed", Phase::Rcpt, Fault::PolicyRefusal),
        ] {
            assert_eq!(reply(line).fault(phase), fault, "{line} at {phase:?}");
        }
    }

    #[test]
    fn without_one_the_basic_code_is_read_by_phase() {
        for (line, phase, fault) in [
            ("421 bye", Phase::Greeting, Fault::RateLimited),
            ("554 no service", Phase::Greeting, Fault::ProviderError),
            ("454 later", Phase::Auth, Fault::RateLimited),
            ("535 no", Phase::Auth, Fault::AccountError),
            ("530 log in first", Phase::Mail, Fault::AccountError),
            ("451 trouble", Phase::Mail, Fault::ProviderError),
            ("555 what", Phase::Mail, Fault::ProtocolError),
            ("550 no", Phase::Rcpt, Fault::MailboxUnknown),
            ("550 no", Phase::Dot, Fault::PolicyRefusal),
            ("552 no", Phase::Rcpt, Fault::MailboxFull),
            ("552 no", Phase::Dot, Fault::TooLarge),
            ("450 later", Phase::Rcpt, Fault::Deferred),
            ("354 go on", Phase::Mail, Fault::ProtocolError),
        ] {
            assert_eq!(reply(line).fault(phase), fault, "{line} at {phase:?}");
        }
    }

    #[test]
    fn an_enhanced_status_of_another_class_is_not_believed() {
        assert_eq!(reply("250 5.1.1 odd").enhanced(), None);
        assert_eq!(EnhancedStatus::parse("5.1.1.1"), None);
        assert_eq!(EnhancedStatus::parse("5.1234.1"), None);
        assert_eq!(EnhancedStatus::parse("9.1.1"), None);
    }

    #[test]
    fn what_a_server_repeats_of_the_recipient_is_not_kept() {
        let reply = reply("550 5.1.1 dana: no such user at mx.clinic.example for <dana@clinic.example>");
        let failure = reply.failure(Phase::Rcpt, &["dana", "clinic.example"]);
        assert_eq!(failure.raw_text.as_deref(), Some("5.1.1 … no such user at … for …"));
        assert_eq!(failure.raw_code.as_deref(), Some("550 5.1.1"));
    }

    proptest::proptest! {
        #[test]
        fn whatever_a_server_says_has_a_fault_and_repeats_neither_mailbox_nor_domain(
            code in 200u16..600,
            lines in proptest::collection::vec("\\PC{0,40}|[245]\\.[0-9]{1,3}\\.[0-9]{1,3} <?dana@clinic\\.example>? \\PC{0,20}", 1..4),
            phase in proptest::sample::select(vec![Phase::Greeting, Phase::Hello, Phase::Auth, Phase::Mail, Phase::Rcpt, Phase::Dot]),
        ) {
            let failure = Reply { code, lines }.failure(phase, &["dana@clinic.example", "dana", "clinic.example"]);
            let text = failure.raw_text.unwrap_or_default();
            proptest::prop_assert!(!text.contains("clinic.example") && text.chars().count() <= 300, "{text}");
            proptest::prop_assert!(failure.raw_code.unwrap_or_default().starts_with(&code.to_string()));
        }
    }
}
