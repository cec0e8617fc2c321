//! Refusals that were taken for something else: whom each is about, and what can be done.

use super::*;
use About::{Account, Letter, Path, Recipient, Speed};
use Phase::{Bounce, Data, Dot, Mail, Rcpt};
use Remedy::{
    AskDelisting, AskRecipient, AskRelay, ChangeContent, FixDomainRecords, LogIn, ReadReply, ShortenLetter, SlowDown,
    UseEncryption, VerifyIdentity, WaitForQuota, WaitForRetry,
};

const REFUSALS: [(Phase, &str, About, Remedy); 71] = [
    // What the recipient's own server said to a relay that verified the address
    (
        Rcpt,
        "550 5.4.6 <dana@clinic.example>: Recipient address rejected: undeliverable address: mail for clinic.example loops back to myself",
        Recipient,
        AskRecipient,
    ),
    (
        Rcpt,
        "550 5.2.2 <dana@clinic.example>: Recipient address rejected: undeliverable address: host mx said: 552 5.2.2 Mailbox full",
        Recipient,
        WaitForRetry,
    ),
    (
        Rcpt,
        "550 5.7.1 <dana@clinic.example>: Recipient address rejected: undeliverable address: host mx said: 550 5.7.1 Client host [192.0.2.9] blocked using zen.spamhaus.org",
        Path,
        AskDelisting,
    ),
    (
        Rcpt,
        "550 5.1.1 <dana@clinic.example>: Recipient address rejected: undeliverable address: host mx said: 450 4.7.1 Greylisted",
        Recipient,
        WaitForRetry,
    ),
    (
        Rcpt,
        "550 5.1.1 <dana@clinic.example>: Recipient address rejected: undeliverable address: connect to mx[192.0.2.9]:25: Connection refused",
        Recipient,
        WaitForRetry,
    ),
    (
        Rcpt,
        "550 5.1.1 <dana@clinic.example>: Recipient address rejected: unverified address: connect to mx[192.0.2.9]:25: Connection timed out",
        Recipient,
        WaitForRetry,
    ),
    (
        Rcpt,
        "550 5.1.1 <dana@clinic.example>: Recipient address rejected: undeliverable address: mail transport unavailable",
        Recipient,
        WaitForRetry,
    ),
    (
        Rcpt,
        "550 5.1.1 <dana@clinic.example>: Recipient address rejected: undeliverable address: host mx said: 421 4.7.0 Too many connections",
        Recipient,
        WaitForRetry,
    ),
    // Our address, our domain, our machine
    (Rcpt, "550 5.1.8 <letters@harbor.example>: Domain not found", Account, VerifyIdentity),
    (Rcpt, "550 5.1.8 Invalid return address: domain not found", Account, VerifyIdentity),
    (Rcpt, "550 5.1.7 The originator address does not exist", Account, VerifyIdentity),
    (Rcpt, "550 5.1.7 user unknown", Account, VerifyIdentity),
    (Rcpt, "450 4.1.8 Domain not found", Path, VerifyIdentity),
    (Rcpt, "550 5.7.27 harbor.example has null MX", Account, FixDomainRecords),
    (Rcpt, "556 5.7.27 null MX", Account, FixDomainRecords),
    (Rcpt, "550 5.7.25 reverse name: host not found", Path, AskDelisting),
    (Rcpt, "550 5.7.1 Unknown host 192.0.2.7", Path, AskDelisting),
    (Rcpt, "550 Client host not found: cannot find your hostname, [192.0.2.7]", Path, AskDelisting),
    (Rcpt, "550 Your domain does not exist", Account, VerifyIdentity),
    (Rcpt, "550 Your address does not exist at harbor.example", Account, VerifyIdentity),
    (Rcpt, "550 5.1.1 Your mailbox is disabled", Account, AskRelay),
    // A session that named too many unknown recipients
    (Rcpt, "550 Too many unknown users, connection closed", Speed, SlowDown),
    (Rcpt, "550 Too many invalid recipients", Speed, SlowDown),
    (Rcpt, "550 5.7.1 Directory Harvest Attack detected: user unknown", Speed, SlowDown),
    (Rcpt, "550 You sent to too many no such user addresses; directory harvest attack suspected", Speed, SlowDown),
    // Content, reputation and speed with the codes of a dead mailbox
    (Dot, "550 5.1.1 message rejected due to unacceptable attachment", Letter, ChangeContent),
    (Dot, "550 5.1.1 Message refused by content scanner", Letter, ChangeContent),
    (Rcpt, "550 5.1.1 Mail from 192.0.2.7 refused by blacklist", Path, AskDelisting),
    (Rcpt, "550 5.1.1 blocked by policy", Recipient, AskRecipient),
    (Rcpt, "550 5.1.1 Rate exceeded", Speed, SlowDown),
    (Rcpt, "550 5.1.1 mail volume exceeded", Speed, SlowDown),
    (Rcpt, "550 5.1.1 monthly allotment used up", Speed, WaitForQuota),
    (Rcpt, "550 5.1.1 Greylisted, try later", Recipient, WaitForRetry),
    (Rcpt, "521 5.2.1 : (CON:B1) https://postmaster.aol.com/error-codes#554conb1", Path, AskDelisting),
    (Rcpt, "550 5.2.1 Host blacklisted", Path, AskDelisting),
    (Rcpt, "550 5.2.1 The mailbox is temporarily unavailable", Recipient, WaitForRetry),
    (Rcpt, "550 5.2.1 Le quota de la boite est depasse", Recipient, WaitForRetry),
    // The login, and the letter, with the words of a dead mailbox
    (Rcpt, "535 5.7.8 invalid user", Account, LogIn),
    (Rcpt, "535 5.7.8 Error: authentication failed: no such user", Account, LogIn),
    (Rcpt, "534 5.7.9 invalid user or mailbox", Account, LogIn),
    (Rcpt, "530 5.7.0 unknown user", Account, LogIn),
    (Rcpt, "550 Unknown user: your login was not accepted", Account, LogIn),
    (Data, "535 no such account", Account, LogIn),
    (Rcpt, "550 5.6.0 no such user", Letter, ReadReply),
    (Rcpt, "552 5.3.4 no such user", Letter, ShortenLetter),
    (Dot, "550 Message rejected: text matches \"mailbox disabled\" phishing pattern", Letter, ChangeContent),
    // A recipient who takes nothing from strangers
    (Rcpt, "550 5.7.1 user not found in whitelist", Recipient, AskRecipient),
    (Rcpt, "550 5.7.1 unknown address: the user only accepts known correspondents", Recipient, AskRecipient),
    (Rcpt, "554 5.7.1 Connection refused: host not found in whitelist", Recipient, AskRecipient),
    (Rcpt, "550 Mailbox unavailable: recipient is disabled for external mail", Recipient, AskRecipient),
    // Faults of our account or our domain that only look like a rate
    (Dot, "421 4.7.26 This email has been rate limited because it is unauthenticated.", Account, FixDomainRecords),
    (
        Dot,
        "421 4.7.27 Your email has been rate limited because SPF authentication didn't pass",
        Account,
        FixDomainRecords,
    ),
    (
        Dot,
        "421 4.7.30 Your email has been rate limited because DKIM authentication didn't pass",
        Account,
        FixDomainRecords,
    ),
    (
        Dot,
        "421 4.7.32 Your email has been rate limited because the From: header isn't aligned",
        Account,
        FixDomainRecords,
    ),
    (
        Dot,
        "421 4.7.40 Your email has been rate limited because the domain doesn't have a DMARC record",
        Account,
        FixDomainRecords,
    ),
    (Dot, "421 4.7.23 Your email has been rate limited: the sending IP address has no PTR record", Path, AskDelisting),
    (Mail, "421 4.7.66 TLS 1.0 and 1.1 are not supported", Path, UseEncryption),
    (Rcpt, "421 4.7.0 TLS required for RCPT domain, closing connection.", Path, UseEncryption),
    (
        Mail,
        "421 4.7.1 [TS03] All messages from 192.0.2.7 will be permanently deferred; Retrying will NOT succeed.",
        Path,
        AskDelisting,
    ),
    (Dot, "550 5.7.30 DKIM authentication didn't pass", Account, FixDomainRecords),
    (Dot, "550 5.7.40 The sending domain doesn't have a DMARC record", Account, FixDomainRecords),
    // Whose quota
    (Rcpt, "450 4.2.1 Peak SMTP relay limit exceeded for customer", Speed, SlowDown),
    (
        Bounce,
        "550 5.2.122 The recipient has exceeded their limit for the number of messages they can receive per hour",
        Recipient,
        WaitForRetry,
    ),
    (Rcpt, "552 5.2.2 SMTP quota exceeded for letters", Speed, WaitForQuota),
    (Rcpt, "550 5.2.2 mailbox exceeded messages per hour", Speed, WaitForQuota),
    (Rcpt, "550 mailbox exceeded its sending quota", Speed, WaitForQuota),
    (Rcpt, "450 4.2.2 user over quota, 250 messages in 24h", Speed, WaitForQuota),
    (Rcpt, "550 5.2.2 Monthly message quota exceeded", Speed, WaitForQuota),
    (Rcpt, "552 Mail allowance exceeded", Speed, WaitForQuota),
    (Rcpt, "550 5.2.2 mailbox over quota for sending", Speed, WaitForQuota),
    (Rcpt, "452 4.2.2 Mailbox has exceeded the number of messages it may send", Speed, WaitForQuota),
];

#[test]
fn refusals_are_about_whom_they_are_about_and_prove_nothing() {
    let mut broken = Vec::new();
    for (phase, quoted, about, remedy) in REFUSALS {
        let judged = read(quoted, phase);
        let verdict = judged.verdict;
        if (verdict.about, verdict.remedy, verdict.proves_mailbox) != (about, remedy, false) {
            broken.push(format!(
                "{phase}: {quoted}: {} {} by the row of {:?}",
                verdict.about, verdict.remedy, judged.row.sample
            ));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
