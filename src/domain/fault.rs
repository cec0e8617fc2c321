//! Why something did not work: one taxonomy for both channels (fax-providers §3; email-rules §7).

use serde::{Deserialize, Serialize};

use super::remedy::Remedy;
use super::words::words;

words! {
    /// Whom or what a refusal is about. Only what is about the recipient says anything of an address.
    About {
        /// This recipient's mailbox or server.
        Recipient = "recipient",
        /// This letter: its content, its size, its form.
        Letter = "letter",
        /// Our account or our sending domain: every letter would hear the same.
        Account = "account",
        /// How much or how fast we send.
        Speed = "speed",
        /// The way there: the relay's own trouble, the network, encryption, the reputation of a machine.
        Path = "path",
    }
}

impl About {
    /// Whether it concerns every letter alike, so that a letter that hears it waits and costs no try.
    #[must_use]
    pub const fn is_about_us(self) -> bool {
        matches!(self, Self::Account | Self::Speed | Self::Path)
    }
}

words! {
    /// The class of a failure. What to do about each is the retry table's business (`queue::retry`).
    Fault {
        /// Line busy.
        Busy = "busy",
        /// No answer.
        NoAnswer = "no_answer",
        /// Call dropped, congestion, network trouble.
        LineError = "line_error",
        /// Fax tones were heard but the machines could not agree.
        NegotiationError = "negotiation_error",
        /// Answered, but not by a fax machine.
        NotAFax = "not_a_fax",
        /// The number is not in service.
        InvalidNumber = "invalid_number",
        /// The far end declined.
        RejectedByRemote = "rejected_by_remote",
        /// Provider or plan forbids the destination.
        Blocked = "blocked",
        /// Some pages arrived, not all.
        PartialSend = "partial_send",
        /// The document itself cannot be sent.
        DocumentError = "document_error",
        /// Credentials, funds, plan, permission: concerns every message of the account.
        AccountError = "account_error",
        /// Too fast for the account at the moment.
        RateLimited = "rate_limited",
        /// What the account may send in an hour or a day is used up: concerns every message of the account for a while.
        QuotaReached = "quota_reached",
        /// Trouble inside the provider, or it cannot be reached.
        ProviderError = "provider_error",
        /// Withdrawn at the provider.
        Cancelled = "cancelled",
        /// The provider gave up.
        Expired = "expired",
        /// No such mailbox (5.1.1).
        MailboxUnknown = "mailbox_unknown",
        /// The mail domain does not exist or takes no mail (5.1.2, 5.1.10).
        DomainUnknown = "domain_unknown",
        /// Mailbox full (x.2.2).
        MailboxFull = "mailbox_full",
        /// Mailbox switched off (5.2.1).
        MailboxDisabled = "mailbox_disabled",
        /// Come back later (4.x.x, greylisting).
        Deferred = "deferred",
        /// Content or sender policy of the receiving side (5.7.x, 5.6.x).
        PolicyRefusal = "policy_refusal",
        /// Larger than the far side takes.
        TooLarge = "too_large",
        /// TLS was required and not available.
        TlsRequired = "tls_required",
        /// The recipient reported it as spam.
        Complaint = "complaint",
        /// An answer that makes no sense.
        ProtocolError = "protocol_error",
        /// Anything unmapped; the raw code is kept.
        Unknown = "unknown",
    }
}

/// What a failure says about the address it was sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressEvidence {
    /// Nothing.
    Neutral,
    /// It may be wrong: repeated, it becomes doubtful.
    Doubtful,
    /// It is wrong: dead.
    Dead,
}

impl Fault {
    /// Whether the provider, not the recipient, is at fault; only these move its circuit breaker.
    #[must_use]
    pub const fn is_the_providers(self) -> bool {
        matches!(
            self,
            Self::ProviderError | Self::AccountError | Self::RateLimited | Self::QuotaReached | Self::ProtocolError
        )
    }

    /// What it says about the address.
    #[must_use]
    pub const fn evidence(self) -> AddressEvidence {
        match self {
            Self::InvalidNumber | Self::MailboxUnknown | Self::DomainUnknown | Self::Complaint => AddressEvidence::Dead,
            Self::NotAFax | Self::RejectedByRemote | Self::MailboxDisabled => AddressEvidence::Doubtful,
            _ => AddressEvidence::Neutral,
        }
    }
}

/// A failure with what the provider said about it. `raw_text` must already be cleaned of addresses and secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The class.
    pub fault: Fault,
    /// The provider's own code, at most 80 characters.
    pub raw_code: Option<String>,
    /// The provider's own words, at most 300 characters, without addresses.
    pub raw_text: Option<String>,
    /// Pages confirmed before it failed.
    pub pages_confirmed: Option<u32>,
    /// How long the provider asked us to wait.
    pub retry_after_seconds: Option<u64>,
    /// Whom it is about, where that is known beyond its class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<About>,
    /// What can be done about it, where that is known beyond its class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<Remedy>,
}

impl Failure {
    /// A failure without further words.
    #[must_use]
    pub const fn new(fault: Fault) -> Self {
        Self {
            fault,
            raw_code: None,
            raw_text: None,
            pages_confirmed: None,
            retry_after_seconds: None,
            about: None,
            remedy: None,
        }
    }

    /// With whom or what it is about.
    #[must_use]
    pub const fn about(mut self, about: About) -> Self {
        self.about = Some(about);
        self
    }

    /// With what can be done about it.
    #[must_use]
    pub const fn remedy(mut self, remedy: Remedy) -> Self {
        self.remedy = Some(remedy);
        self
    }

    /// Whether the provider, the account or the way there is at fault, not the recipient and not the letter; only
    /// these move the account's circuit breaker.
    #[must_use]
    pub fn is_the_providers(&self) -> bool {
        self.about.map_or_else(|| self.fault.is_the_providers(), About::is_about_us)
    }

    /// With the provider's code, cut to its limit.
    #[must_use]
    pub fn code(mut self, code: impl AsRef<str>) -> Self {
        self.raw_code = Some(clean(code.as_ref(), 80));
        self
    }

    /// With the provider's words, cut to their limit, anything that looks like an address or a number masked.
    #[must_use]
    pub fn text(mut self, text: impl AsRef<str>) -> Self {
        self.raw_text = Some(clean(text.as_ref(), 300));
        self
    }

    /// With the pages that were confirmed.
    #[must_use]
    pub const fn pages(mut self, pages: Option<u32>) -> Self {
        self.pages_confirmed = pages;
        self
    }

    /// With the wait the provider asked for.
    #[must_use]
    pub const fn retry_after(mut self, seconds: Option<u64>) -> Self {
        self.retry_after_seconds = seconds;
        self
    }
}

/// Makes a provider's text safe to store and show: one line, bounded, words with an @ and whatever looks like a
/// telephone number (seven or more digits, also in groups as people write them) replaced by an ellipsis. Internet
/// addresses and dotted status codes stay.
#[must_use]
pub fn clean(text: &str, chars_max: usize) -> String {
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).take(80).collect();
    let mut kept: Vec<String> = Vec::new();
    let mut rest = words.as_slice();
    while let Some(word) = rest.first() {
        let groups = rest.iter().take_while(|word| is_digit_group(word)).count();
        if groups > 1 && digits(&rest[..groups].concat()) >= NUMBER_DIGITS_MIN {
            kept.push("…".to_owned());
            rest = &rest[groups..];
            continue;
        }
        kept.push(if looks_private(word) { "…".to_owned() } else { word.chars().take(80).collect() });
        rest = &rest[1..];
    }
    kept.join(" ").chars().take(chars_max).collect()
}

/// The fewest digits that are taken for a telephone number.
const NUMBER_DIGITS_MIN: usize = 7;

fn digits(text: &str) -> usize {
    text.chars().filter(char::is_ascii_digit).count()
}

/// One of the words that make up a number written in groups, such as `(312)` or `555-0142,`.
fn is_digit_group(word: &str) -> bool {
    let core = word.trim_matches(|c: char| !c.is_alphanumeric());
    digits(core) > 0 && core.chars().all(|c| c.is_ascii_digit() || "+-()/'\"".contains(c))
}

/// Whether a single word may be an address or a number. A word with dots is a host, an Internet address or a status
/// code unless a long run of digits, or groups longer than an octet, say otherwise.
fn looks_private(word: &str) -> bool {
    let core = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '@');
    if core.contains('@') {
        return true;
    }
    if digits(core) < NUMBER_DIGITS_MIN {
        return false;
    }
    if !core.contains('.') {
        return true;
    }
    let longest = |separators: &[char]| {
        let runs = core.split(|c: char| !c.is_ascii_digit() && !separators.contains(&c));
        runs.map(digits).max().unwrap_or(0)
    };
    longest(&['-', '(', ')', '+', '/']) >= NUMBER_DIGITS_MIN || holds_a_dotted_number(core)
}

/// Whether the word contains digits and dots, as many digits as a number has, that do not form an Internet address.
fn holds_a_dotted_number(word: &str) -> bool {
    word.split(|c: char| !c.is_ascii_digit() && !"+-()/.".contains(c)).any(|run| {
        let group = run.split(|c: char| !c.is_ascii_digit()).map(str::len).max().unwrap_or(0);
        digits(run) >= NUMBER_DIGITS_MIN && group > 3
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_number_or_a_mailbox_among_any_words_is_never_kept(
            before in "(\\PC{0,30} )?",
            after in "( \\PC{0,30})?",
            number in prop::sample::select(vec![
                "+13125550142", "(312) 555-0142", "312.555.0142", "312 555 0142", "1-312-555-0142", "tel:+13125550142",
            ]),
            around in prop::sample::select(vec![("", ""), ("<", ">"), ("\"", "\""), ("to=", ";"), ("(", ").")]),
        ) {
            let kept = clean(&format!("{before}{}{number}{}{after}", around.0, around.1), 300);
            let bare: String = kept.chars().filter(|c| !" -.()".contains(*c)).collect();
            prop_assert!(!bare.contains("3125550142"), "{kept}");
            prop_assert!(kept.chars().count() <= 300 && !kept.chars().any(char::is_control));
            let kept = clean(&format!("{before}{}dana@clinic.example{}{after}", around.0, around.1), 300);
            prop_assert!(!kept.contains("dana@"), "{kept}");
        }
    }

    #[test]
    fn foreign_words_are_kept_without_addresses_or_numbers() {
        let kept = clean("550 5.1.1 <dana@clinic.example>: unknown\r\nfor +13125550142", 300);
        assert_eq!(kept, "550 5.1.1 … unknown for …");
    }

    #[test]
    fn numbers_are_masked_however_they_are_written() {
        for number in [
            "+13125550142.",
            "(312) 555-0142",
            "+1 312 555 0142",
            "312.555.0142",
            "to=+13125550142;",
            "312 555 0142.",
            "fax:312.555.0142",
            "<312 555 0142>",
        ] {
            let kept = clean(&format!("the number {number} is wrong"), 300);
            assert_eq!(kept, "the number … is wrong", "{number}");
        }
    }

    #[test]
    fn status_codes_and_internet_addresses_stay() {
        for text in
            ["550 5.7.606 access denied, 192.168.100.200", "421 4.7.0 mx1.clinic2024.example:", "error 10016 of 7"]
        {
            assert_eq!(clean(text, 300), text);
        }
    }
}
