//! What proves that a mailbox is bad, and what must not.

use super::*;

const DELIVERY: [Phase; 4] = [Phase::Rcpt, Phase::Data, Phase::Dot, Phase::Bounce];

/// Replies of dead mailboxes as servers write them: each proves it.
const DEAD: [&str; 46] = [
    "550 5.1.1 The email account that you tried to reach does not exist. Please try double-checking the recipient's email address for typos or unnecessary spaces. For more information, go to https://support.google.com/mail/?p=NoSuchUser d9443c01a7336-20d - gsmtp",
    "552 1 Requested mail action aborted, mailbox not found",
    "554 delivery error: dd This user doesn't have a yahoo.com account (dana@clinic.example) [0] - mta1234.mail.bf1.yahoo.com",
    "550 5.1.1 <dana@clinic.example>: Recipient address rejected: User unknown in virtual mailbox table",
    "550 5.1.1 <dana@clinic.example>: Recipient address rejected: User unknown in relay recipient table",
    "550 5.1.1 <dana@clinic.example>: Recipient address rejected: undeliverable address: host mx.clinic.example[192.0.2.9] said: 550 5.1.1 <dana@clinic.example>: User unknown (in reply to RCPT TO command)",
    "550 5.1.1 <dana@clinic.example>: Recipient address rejected: undeliverable address: unknown user: \"dana\"",
    "550 sorry, no mailbox here by that name. (#5.7.17)",
    "550 Message was not accepted -- invalid mailbox. Local mailbox dana@clinic.example is unavailable: user not found",
    "550 5.1.1 dana@clinic.example: email address could not be found, or was misspelled (G8)",
    "550 5.7.1 No such recipient",
    "554 5.7.1 recipient not found",
    "550 5.0.350 Remote server returned an error -> 550 5.1.1 <dana@clinic.example> user unknown",
    "550 5.1.351 Remote server returned unknown recipient or mailbox unavailable",
    "553 5.1.3 The recipient address <dana> is not a valid RFC-5321 address.",
    "550 5.1.1 Recipient rejected",
    "550 Recipient Rejected: No account by that name here",
    "550 Account not available",
    "550 5.1.1 <dana@clinic.example> Account not available",
    "550 non-existent account",
    "550 Addressee unknown",
    "550 Account closed",
    "550 The email account has been deactivated",
    "550 User dana@clinic.example not listed in public Name & Address Book",
    "550 #5.1.0 Address rejected.",
    "550 5.1.0 Address rejected dana@clinic.example",
    "550 Unrouteable address",
    "550 Dana Doe no longer works at Clinic",
    "550 User is no longer with this organization",
    "550 5.4.310 DNS domain clinic.example does not exist [Message=InfoDomainNonexistent]",
    "554 5.4.4 Unrouteable mail domain \"clinic.example\"",
    "550 5.1.2 <dana@clinic.example>: Recipient address rejected: Domain not found",
    "556 5.1.10 Recipient address has null MX",
    "550 5.1.2 clinic.example has no mail",
    "550 5.7.17 owner changed",
    "550 Benutzer unbekannt",
    "550 Utilisateur inconnu",
    "550 Usuario desconocido",
    "550 El destinatario no existe",
    "550 5.7.1 Empfänger unbekannt",
    "550 5.1.1 Der Benutzer wurde nicht gefunden",
    // Words that only look as if they spoke of us
    "550 5.1.1 User unknown (authoritative answer)",
    "550 5.1.1 User unknown; sender should check the address",
    "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup. The sender can retry",
    "550 5.1.1 No such user; please inform the sender",
    "550 No such user; please contact the author of this letter",
];

#[test]
fn a_dead_mailbox_is_recognized() {
    for quoted in DEAD {
        for phase in DELIVERY {
            let judged = read(quoted, phase);
            assert!(judged.verdict.proves_mailbox, "{phase}: {quoted} by the row of {:?}", judged.row.sample);
        }
    }
}

/// What a reply may say besides, of our account, our speed, our name, the letter, a list, or a state that passes.
const BESIDES: [&str; 96] = [
    "your account has been suspended",
    "this account may not send",
    "sending is disabled",
    "log in first",
    "login required",
    "authentication failed",
    "please authenticate",
    "wrong password",
    "invalid credentials",
    "SMTP access is off",
    "payment overdue",
    "contact billing",
    "subscription ended",
    "trial is over",
    "out of credits",
    "contact support to reopen it",
    "terms of service violated",
    "account locked for abuse",
    "account on hold",
    "quota used up",
    "sending limit reached",
    "too many messages",
    "too many unknown users",
    "directory harvest suspected",
    "mail volume exceeded",
    "rate exceeded",
    "500 messages sent today",
    "250 messages in 24h",
    "daily allowance is gone",
    "monthly allotment used up",
    "slow down",
    "throttled",
    "connection frequency too high",
    "try tomorrow",
    "sender unknown",
    "sender address does not exist",
    "originator is bad",
    "the return address is wrong",
    "MAIL FROM is wrong",
    "your domain does not exist",
    "your address is unknown",
    "your hostname",
    "reverse name missing",
    "no PTR",
    "HELO name",
    "client host rejected",
    "domain of letters@harbor.example",
    "callout failed",
    "verification failed",
    "unverified identity",
    "not permitted to relay",
    "relaying denied",
    "outgoing mail is off",
    "SPF hard fail",
    "DKIM signature missing",
    "DMARC policy",
    "TLS needed",
    "blocked",
    "blocked using zen.spamhaus.org",
    "listed at SpamCop",
    "on our blacklist",
    "not in whitelist",
    "poor reputation",
    "IP 192.0.2.7 is banned",
    "in an RBL",
    "complaints about it",
    "access denied",
    "suspicious activity",
    "spam",
    "looks like junk",
    "bulk mail",
    "virus found",
    "phishing pattern",
    "content refused",
    "content scanner",
    "unacceptable attachment",
    "bad link",
    "policy",
    "filtered",
    "message rejected",
    "message too large",
    "bad header",
    "subject refused",
    "quarantined",
    "temporarily unavailable",
    "try again later",
    "greylisted",
    "come back in 5 minutes",
    "maintenance",
    "system is busy",
    "connection timed out",
    "connection refused",
    "mailbox is full",
    "over quota",
    "lookup deferred",
    "in progress",
];

/// Codes that speak of the sender, of our domain and our machine, of the login, the letter or its size.
const NOT_OF_A_MAILBOX: [&str; 24] = [
    "550 5.1.7",
    "550 5.1.8",
    "550 5.7.20",
    "550 5.7.21",
    "550 5.7.22",
    "550 5.7.23",
    "550 5.7.24",
    "550 5.7.25",
    "550 5.7.26",
    "550 5.7.27",
    "550 5.6.0",
    "554 5.6.7",
    "552 5.3.4",
    "552 5.2.3",
    "552 5.2.2",
    "550 5.4.6",
    "550 5.7.0",
    "535 5.7.8",
    "534 5.7.9",
    "530 5.7.0",
    "530",
    "534",
    "535",
    "550 5.7.60",
];

/// Rows that prove something.
fn proving() -> impl Iterator<Item = &'static Row> {
    table().filter(|row| row.verdict.proves_mailbox)
}

/// A reply made of the codes of a row and a text.
fn reply(row: &Row, text: &str) -> String {
    let code =
        row.code.split(' ').next().unwrap_or_default().replace('x', "0").replace("500", "550").replace('*', "550");
    let status = row.enhanced.split(' ').find(|one| one.contains('.')).unwrap_or_default().replace('x', "0");
    format!("{code} {status} {text}")
}

#[test]
fn every_phrase_of_a_row_that_proves_something_proves_it_where_it_stands_alone() {
    for row in proving() {
        for phrase in row.words {
            let quoted = reply(row, &phrase.replace("..", " "));
            let judged = read(&quoted, phase_of(row));
            assert!(judged.verdict.proves_mailbox, "{quoted} by the row of {:?}", judged.row.sample);
        }
    }
}

#[test]
fn nothing_is_proved_where_something_else_is_spoken_of() {
    let mut broken = Vec::new();
    for (number, dead) in DEAD.iter().enumerate() {
        for besides in BESIDES {
            let quoted = if number % 2 == 0 { format!("{dead}; {besides}") } else { format!("{dead} ({besides})") };
            let judged = read(&quoted, Phase::Rcpt);
            if judged.verdict.proves_mailbox {
                broken.push(format!("{quoted} by the row of {:?}", judged.row.sample));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn codes_of_the_sender_the_login_and_the_letter_never_prove_a_mailbox() {
    for codes in NOT_OF_A_MAILBOX {
        for (number, phrase) in proving().flat_map(|row| row.words).enumerate() {
            let quoted = format!("{codes} {}", phrase.replace("..", " "));
            let phase = DELIVERY[number % DELIVERY.len()];
            let judged = read(&quoted, phase);
            assert!(!judged.verdict.proves_mailbox, "{phase}: {quoted} by the row of {:?}", judged.row.sample);
        }
    }
}

/// What was found to prove a mailbox and must not, or may be said of us as well.
#[test]
fn what_may_be_about_us_proves_nothing() {
    for quoted in [
        "550 5.7.1 Unknown host 192.0.2.7",
        "550 5.7.1 host not found for 192.0.2.7",
        "550 5.7.1 domain not found",
        "550 5.7.1 <letters@harbor.example>: Recipient address rejected: Domain not found",
        "556 5.7.1 no mail",
        "550 Domain not found",
        "550 Unknown host",
        "550 no MX for harbor.example",
        "550-Verification failed for <letters@harbor.example>\n550-No Such User Here\n550 Could not verify the address",
        "550-Previous (cached) callout verification failure\n550 user unknown",
        "550 unknown user #5.1.8",
        "550 5.1.1 192.0.2.7 rejected",
        "550 5.1.1 https://postmaster.example/codes#1",
        "521 5.2.1 : (CON:B1) https://postmaster.aol.com/error-codes#554conb1",
        "550 5.1.1 Le quota est atteint",
        "550 5.2.1 Access denied",
        "550 5.1.1 Postausgang gesperrt",
        "550 Benutzer unbekannt: die Anmeldung ist gescheitert",
        "550 Account closed, ask Dana",
        "550 5.1.1 <dana@clinic.example>: Recipient address rejected: undeliverable address: bad address syntax",
        "550 5.7.1 mailbox not found in approved list",
        "550 Mailbox disabled for outside mail",
        "550 mailbox is disabled for those who pay nothing",
        "550 5.1.2 origin domain not found",
        "550 user unknown (see http://www.spamhaus.org/query)",
        "550 User unknown count too high, try again tomorrow",
        "550 5.1.1 Recipient address rejected: undeliverable address",
        "550 5.1.1 <dana@clinic.example>: Recipient address rejected: undeliverable address: host mx said: 550 5.1.1 User unknown (in reply to MAIL FROM command)",
        "550 5.4.4 <dana@clinic.example>: Recipient address rejected: undeliverable address: Host or domain name not found. Name service error for name=clinic.example type=MX: Host not found, try again",
    ] {
        for phase in DELIVERY {
            let judged = read(quoted, phase);
            assert!(!judged.verdict.proves_mailbox, "{phase}: {quoted} by the row of {:?}", judged.row.sample);
        }
    }
}

proptest! {
    /// Whatever is said of a dead mailbox, a word about anything else takes the proof away, wherever it stands.
    #[test]
    fn a_word_about_anything_else_takes_the_proof_away(
        dead in prop::sample::select(DEAD.to_vec()),
        besides in prop::sample::select(BESIDES.to_vec()),
        between in "[ ,;:!-]{1,3}",
        comes_first in any::<bool>(),
        phase in prop::sample::select(DELIVERY.to_vec()),
    ) {
        let reply = QuotedReply::parse(dead).expect("a reply");
        let text = if comes_first { format!("{besides} {between} {}", reply.text) } else { format!("{} {between} {besides}", reply.text) };
        let judged = judge(phase, reply.code, reply.enhanced, &text);
        let is_before_the_report = comes_first && text.contains("undeliverable address:");
        prop_assert!(!judged.verdict.proves_mailbox || is_before_the_report, "{} by {:?}", text, judged.row.sample);
    }

    /// Not even words that no list knows.
    #[test]
    fn a_clause_of_words_that_nobody_knows_takes_the_proof_away(
        dead in prop::sample::select(DEAD.to_vec()),
        strange in "q[bcdfgk]{2,8}( [a-z]{1,8}){0,3}",
        mark in prop::sample::select(vec!["; ", ". ", ": ", " (", ", ", " - "]),
        phase in prop::sample::select(DELIVERY.to_vec()),
    ) {
        let reply = QuotedReply::parse(dead).expect("a reply");
        let text = format!("{}{mark}{strange}", reply.text);
        let judged = judge(phase, reply.code, reply.enhanced, &text);
        prop_assert!(!judged.verdict.proves_mailbox, "{} by {:?}", text, judged.row.sample);
    }
}
