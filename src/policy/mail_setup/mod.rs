//! Whether receivers will believe the practice's mail: what its domains publish (SPF, DKIM, DMARC, MX), held against the
//! accounts that send it. Pure: the facts were asked for elsewhere.
//!
//! The rules are those that Gmail, Yahoo and Microsoft have for all senders, and for those who write to many
//! (support.google.com/a/answer/81126, senders.yahooinc.com/best-practices), with RFC 7208, 6376, 7505 and 9989.

mod account;
pub mod arrived;
pub mod dkim;
pub mod dmarc;
mod domain;
pub mod known;
pub mod spf;
pub mod standing;

use std::net::IpAddr;

/// What is known of the practice's mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The domain of From, in ASCII.
    pub from: String,
    /// What DMARC says of it.
    pub dmarc: dmarc::Walk,
    /// Each account that sends mail.
    pub accounts: Vec<AccountFacts>,
}

/// What is known of one account. `None` stands for what was not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountFacts {
    /// Its name.
    pub name: String,
    /// The relay's host name.
    pub host: String,
    /// The relay's addresses; asked for only where the relay is not known by name.
    pub addresses: Option<Vec<IpAddr>>,
    /// The domain of the return path, in ASCII.
    pub return_path: String,
    /// What SPF says of it.
    pub spf: Option<spf::Walk>,
    /// Who takes its mail: the hosts of its MX records, the root as an empty text (RFC 7505).
    pub exchangers: Option<Vec<String>>,
    /// Whether it has an address, which receives its mail if it has no MX record (RFC 5321 §5.1).
    pub has_address: Option<bool>,
    /// What DMARC says of it.
    pub return_path_dmarc: dmarc::Walk,
    /// The domain that letters are signed for, if the account signs, and what DMARC says of it.
    pub signs_for: Option<(String, dmarc::Walk)>,
    /// The keys that the account signs with.
    pub keys: Vec<KeyFacts>,
}

/// What is known of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFacts {
    /// Where its record must stand: `SELECTOR._domainkey.DOMAIN`.
    pub name: String,
    /// What must stand there.
    pub value: String,
    /// The TXT records that do.
    pub published: Option<Vec<String>>,
}

/// How good or bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// As it should be.
    Ok,
    /// It works, and could be better; or it could not be found out.
    Advice,
    /// Receivers will refuse letters, or put them into the spam folder.
    Problem,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What: `from`, `spf`, `dkim`, `dmarc`, `alignment`, `return path`, `reverse name`, and those of the caller.
    pub check: &'static str,
    /// Of which domain or account.
    pub about: String,
    /// How good.
    pub grade: Grade,
    /// What was found, a sentence.
    pub words: String,
    /// What to do; empty if nothing.
    pub advice: String,
    /// The TXT records to publish, ready to copy; empty if none, or if what they must say is not known.
    pub publish: Vec<Record>,
    /// Whether mail to many would break the rules that large receivers have for it.
    pub breaks_bulk_rules: bool,
}

/// A TXT record to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Where.
    pub name: String,
    /// What.
    pub value: String,
}

impl Finding {
    /// Something that is as it should be.
    #[must_use]
    pub fn ok(check: &'static str, about: &str, words: impl Into<String>) -> Self {
        Self::new(check, about, Grade::Ok, words, "")
    }

    /// Something that could be better.
    #[must_use]
    pub fn advice(check: &'static str, about: &str, words: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(check, about, Grade::Advice, words, advice)
    }

    /// Something that is wrong.
    #[must_use]
    pub fn problem(check: &'static str, about: &str, words: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(check, about, Grade::Problem, words, advice)
    }

    /// Something that the rules for mail to many forbid.
    #[must_use]
    pub fn breach(check: &'static str, about: &str, words: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { breaks_bulk_rules: true, ..Self::problem(check, about, words, advice) }
    }

    /// Something that DNS did not answer.
    #[must_use]
    pub fn unanswered(check: &'static str, about: &str, what: &str) -> Self {
        Self::advice(check, about, format!("the name server did not answer for {what}"), "run it again in a minute")
    }

    /// The same with a record to publish.
    #[must_use]
    pub fn with_record(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.publish.push(Record { name: name.into(), value: value.into() });
        self
    }

    fn new(
        check: &'static str,
        about: &str,
        grade: Grade,
        words: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        let (words, advice) = (words.into(), advice.into());
        Self { check, about: about.to_owned(), grade, words, advice, publish: Vec::new(), breaks_bulk_rules: false }
    }
}

/// Everything that can be said of it, the domain first, then each account.
#[must_use]
pub fn judge(facts: &Facts) -> Vec<Finding> {
    let mut findings = vec![domain::from(facts)];
    // Nobody but the service publishes anything for its domain, so there is nothing more to look at.
    if known::free_mail(&facts.from).is_some() {
        return findings;
    }
    findings.push(domain::dmarc(&facts.from, &facts.dmarc));
    for facts_of_account in &facts.accounts {
        findings.extend(account::judge(facts, facts_of_account));
    }
    findings
}

/// What forbids mail to many, in one text; `None` if nothing does.
#[must_use]
pub fn breach(findings: &[Finding]) -> Option<String> {
    let breaches: Vec<String> = findings
        .iter()
        .filter(|finding| finding.breaks_bulk_rules)
        .map(|Finding { check, about, words, advice, .. }| format!("{check} of {about}: {words}: {advice}"))
        .collect();
    (!breaches.is_empty()).then(|| breaches.join("; "))
}

#[cfg(test)]
mod tests;
