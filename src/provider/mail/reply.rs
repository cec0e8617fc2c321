//! What a mail server answers. What it means is read in the table of evidence ([`crate::domain::mail_reply`]).

use crate::domain::fault::{About, Failure, Fault};
use crate::domain::mail_reply::{EnhancedStatus, Phase, judge};

/// Characters of a name that a hosted relay gives a letter: at least 22, as 128 bits in base64 have.
const NAME_CHARS_MIN: usize = 22;
/// The same, at most.
const NAME_CHARS_MAX: usize = 100;

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

    /// 250 and its kin: a letter was taken (RFC 5321 §4.3.2). Another 2yz, such as the 221 of a goodbye, answers something else.
    pub const fn takes_letter(&self) -> bool {
        self.code >= 250 && self.code < 260
    }

    /// The name under which a hosted relay takes a letter, as in `250 Ok 0102018c…` or `250 2.0.0 Ok: queued as VNmM…`: the last
    /// word of the answer. Only a long one with letters and digits, which no relay uses twice; the short names of queues on
    /// a single machine come back after a while.
    pub fn letter_name(&self) -> Option<&str> {
        let mut words = self.lines.last()?.split_whitespace();
        let name = words.next_back()?.trim_matches(['<', '>', '.', ',']);
        let is_introduced = words.next_back().is_some_and(|word| {
            let word = word.trim_end_matches(':');
            ["ok", "as", "id"].iter().any(|known| word.eq_ignore_ascii_case(known))
        });
        let fits = (NAME_CHARS_MIN..=NAME_CHARS_MAX).contains(&name.len())
            && name.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_'))
            && name.bytes().any(|octet| octet.is_ascii_digit())
            && name.bytes().any(|octet| octet.is_ascii_alphabetic());
        (is_introduced && fits).then_some(name)
    }

    /// 4yz or 5yz: no.
    pub const fn is_refusal(&self) -> bool {
        self.code >= 400 && self.code < 600
    }

    /// 421: the server closes the session with this answer (RFC 5321 §3.8).
    pub const fn ends_session(&self) -> bool {
        self.code == 421
    }

    /// The enhanced status it begins with, if its class agrees with the code (RFC 2034 §4). IronPort writes `#5.1.0`.
    pub fn enhanced(&self) -> Option<EnhancedStatus> {
        let word = self.lines.first()?.split_whitespace().next()?;
        EnhancedStatus::parse(word.trim_matches('#')).filter(|status| u16::from(status.class) == self.code / 100)
    }

    fn text(&self) -> String {
        self.lines.join(" ")
    }

    /// Whether a login is refused because of its mechanism, which says nothing of the password: 504, a code of the
    /// protocol, or "unrecognized authentication type" (RFC 4954 §4, RFC 5248).
    pub fn refuses_the_mechanism(&self) -> bool {
        match self.enhanced() {
            _ if self.code == 504 => true,
            Some(status) => self.code >= 500 && matches!((status.subject, status.detail), (5, _) | (7, 4)),
            None => (500..=503).contains(&self.code),
        }
    }

    /// As a failure, without the words in `private`: servers like to repeat what they were told. Of an answer to a login,
    /// nothing that looks like base64 is kept either, for that is how passwords and tokens are said.
    pub fn failure(&self, phase: Phase, private: &[&str]) -> Failure {
        let code = self.enhanced().map_or_else(|| self.code.to_string(), |status| format!("{} {status}", self.code));
        let text = self.text();
        let failure = if self.is_refusal() {
            let verdict = judge(phase, self.code, self.enhanced(), &text).verdict;
            let failure = Failure::new(verdict.fault).about(verdict.about).remedy(verdict.remedy);
            failure.retry_after(verdict.wait_seconds)
        } else {
            Failure::new(Fault::ProtocolError).about(About::Path)
        };
        let shown = without(&text, private);
        failure.code(code).text(if phase == Phase::Auth { without_base64(&shown) } else { shown })
    }
}

/// The fewest characters in a row that may be base64 of something secret.
const BASE64_CHARS: usize = 16;
/// So many letters in a row are no word of a language, nor a name such as `SmtpClientAuthentication`.
const LETTERS_MAX: usize = 32;

/// Replaces every word that holds what looks like base64: so many of its characters in a row, among them a digit, a plus sign or
/// the equals sign at the end, or more letters than a word has.
pub(in crate::provider) fn without_base64(text: &str) -> String {
    let is_of_base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
    let is_encoded = |run: &str| {
        let has_mark = run.ends_with('=') || run.contains(|c: char| c.is_ascii_digit() || c == '+');
        run.len() >= BASE64_CHARS && (has_mark || run.len() > LETTERS_MAX)
    };
    let shown =
        text.split(' ').map(|word| if word.split(|c: char| !is_of_base64(c)).any(is_encoded) { "…" } else { word });
    shown.collect::<Vec<_>>().join(" ")
}

/// Replaces every word that is, or holds, one of the private ones. A private word of one or two letters counts only
/// as a whole word.
pub(in crate::provider) fn without(text: &str, private: &[&str]) -> String {
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
            assert_eq!(reply(line).failure(phase, &[]).fault, fault, "{line} at {phase:?}");
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
            ("550 no", Phase::Rcpt, Fault::Unknown),
            ("550 no", Phase::Dot, Fault::PolicyRefusal),
            ("552 no", Phase::Rcpt, Fault::MailboxFull),
            ("552 no", Phase::Dot, Fault::TooLarge),
            ("450 later", Phase::Rcpt, Fault::Deferred),
            ("354 go on", Phase::Mail, Fault::ProtocolError),
        ] {
            assert_eq!(reply(line).failure(phase, &[]).fault, fault, "{line} at {phase:?}");
        }
    }

    #[test]
    fn a_hosted_relays_name_for_a_letter_is_found_and_a_short_one_of_a_queue_is_not() {
        for (line, name) in [
            ("250 Ok 0102018c2f3d4e5f-8a1b2c3d-4e5f-6a7b-8c9d-0e1f2a3b4c5d-000000", true),
            ("250 Ok: queued as VNmM1x8rQ6O2-9u_lk3aPA", true),
            ("250 2.0.0 Ok: queued as 0a3d1c9e-7f62-4b11-9d3e-5c8a7b6f4e21", true),
            ("250 2.0.0 Ok: queued as 4F00BA1C2D", false),
            ("250 2.0.0 Ok: queued as aaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
            ("250 2.0.0 OK 1733000000 d9443c01a7336-2153f1a5a5bsm1234567ad.42 - gsmtp", false),
            ("250 Great success", false),
            ("250 thank you 0102018c2f3d4e5f-8a1b2c3d-4e5f-6a7b", false),
            ("250 ok letter-for.dana@clinic.example-0123456789", false),
            ("250 0102018c2f3d4e5f-8a1b2c3d-4e5f-6a7b", false),
        ] {
            let reply = reply(line);
            let last = line.split(' ').next_back();
            assert_eq!(reply.letter_name(), last.filter(|_| name), "{line}");
        }
        assert_eq!(Reply { code: 250, lines: Vec::new() }.letter_name(), None);
    }

    #[test]
    fn an_enhanced_status_of_another_class_is_not_believed() {
        assert_eq!(reply("250 5.1.1 odd").enhanced(), None);
    }

    #[test]
    fn a_mechanism_is_refused_by_codes_of_the_protocol_and_a_password_by_others() {
        for line in ["504 what", "504 5.7.4 Unrecognized authentication type", "535 5.7.4 no", "501 5.5.4 no", "502 no"]
        {
            assert!(reply(line).refuses_the_mechanism(), "{line}");
        }
        for line in ["535 5.7.8 no", "535 no", "534 5.7.9 no", "535 5.7.139 no", "454 4.7.0 later", "421 4.5.0 bye"] {
            assert!(!reply(line).refuses_the_mechanism(), "{line}");
        }
    }

    #[test]
    fn what_a_server_repeats_of_the_recipient_is_not_kept() {
        let reply = reply("550 5.1.1 dana: no such user at mx.clinic.example for <dana@clinic.example>");
        let failure = reply.failure(Phase::Rcpt, &["dana", "clinic.example"]);
        assert_eq!(failure.raw_text.as_deref(), Some("5.1.1 … no such user at … for …"));
        assert_eq!(failure.raw_code.as_deref(), Some("550 5.1.1"));
    }

    #[test]
    fn what_a_server_repeats_of_a_login_is_not_kept_and_its_own_words_are() {
        let plain = "AG9mZmljZUBoYXJib3IuZXhhbXBsZQBjYW5hcnktNw";
        for echo in
            [format!("AUTH PLAIN {plain}=="), format!("<{plain}>"), format!("PLAIN:{plain}, no"), "Y2FuYXJ5LTc=".into()]
        {
            let failure = reply(&format!("535 5.7.8 bad command {echo}")).failure(Phase::Auth, &["Y2FuYXJ5LTc"]);
            let words = failure.raw_text.expect("words");
            assert!(words.starts_with("5.7.8 bad command ") && words.contains('…'), "{words}");
            assert!(!words.contains("AG9m") && !words.contains("Y2Fu"), "{words}");
        }
        for said in [
            "5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled",
            "5.7.8 Username and Password not accepted. https://support.google.com/mail/?p=BadCredentials",
            "5.7.9 Please log in. https://support.google.com/mail/?p=WebLoginRequired",
            "5.7.3 Authentication unsuccessful [SN7PR04CA0001.namprd04.prod.outlook.com]",
        ] {
            assert_eq!(reply(&format!("535 {said}")).failure(Phase::Auth, &[]).raw_text.as_deref(), Some(said));
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_a_server_says_has_a_fault_and_repeats_neither_mailbox_nor_domain(
            code in 200u16..600,
            lines in proptest::collection::vec("\\PC{0,40}|[245]\\.[0-9]{1,3}\\.[0-9]{1,3} <?dana@clinic\\.example>? \\PC{0,20}", 1..4),
            phase in proptest::sample::select(Phase::ALL.to_vec()),
        ) {
            let failure = Reply { code, lines }.failure(phase, &["dana@clinic.example", "dana", "clinic.example"]);
            let text = failure.raw_text.unwrap_or_default();
            proptest::prop_assert!(!text.contains("clinic.example") && text.chars().count() <= 300, "{text}");
            proptest::prop_assert!(failure.raw_code.unwrap_or_default().starts_with(&code.to_string()));
        }
    }
}
