use proptest::prelude::*;

use super::*;
use crate::domain::fault::AddressEvidence;

fn read(quoted: &str, phase: Phase) -> Judgement {
    QuotedReply::parse(quoted).unwrap_or_else(|| panic!("no reply: {quoted}")).judge(phase)
}

/// The phase in which a row's sample is tried.
fn phase_of(row: &Row) -> Phase {
    row.phases.first().copied().unwrap_or(Phase::Rcpt)
}

#[test]
fn every_row_reads_its_own_sample() {
    let mut broken = Vec::new();
    for row in table() {
        let read = read(row.sample, phase_of(row));
        if !std::ptr::eq(read.row, row) && read.row.sample != row.sample {
            broken.push(format!("{:?} goes to the row of {:?}", row.sample, read.row.sample));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_table_is_long_and_every_row_is_well_written() {
    assert!(table().count() >= 80, "only {} rows", table().count());
    for row in table() {
        let is_code = |one: &str| one.len() == 3 && one.bytes().all(|b| b.is_ascii_digit() || b == b'x');
        assert!(row.code == "*" || row.code.split(' ').all(is_code), "{}: {}", row.sample, row.code);
        let is_status =
            |one: &str| one.split('.').count() == 3 && one.split('.').all(|n| n == "x" || n.parse::<u16>().is_ok());
        assert!(["*", "-"].contains(&row.enhanced) || row.enhanced.split(' ').all(is_status), "{}", row.enhanced);
        for words in row.words {
            assert_eq!(*words, words.to_lowercase(), "words are compared in lower case");
            assert!(
                !words.is_empty() && !words.contains('@') && words.split("..").all(|part| part.len() > 1),
                "{words}"
            );
        }
        assert!(!row.source.is_empty() && !row.sample.is_empty());
    }
}

/// What the rest of the program relies on.
#[test]
fn verdicts_do_not_contradict_themselves() {
    for row in table() {
        let Verdict { about, fault, proves_mailbox, wait_seconds, .. } = row.verdict;
        let held_against_it = fault.evidence() != AddressEvidence::Neutral;
        assert_eq!(held_against_it, proves_mailbox, "{}: only proof is held against an address", row.sample);
        assert!(!proves_mailbox || about == About::Recipient, "{}", row.sample);
        assert_eq!(fault == Fault::QuotaReached, wait_seconds.is_some(), "{}: a quota returns", row.sample);
        let stops_the_account = matches!(fault, Fault::AccountError | Fault::QuotaReached);
        assert!(!stops_the_account || about.is_about_us(), "{}", row.sample);
        assert!(about != About::Account || fault == Fault::AccountError, "{}", row.sample);
        assert!(about != About::Speed || matches!(fault, Fault::RateLimited | Fault::QuotaReached), "{}", row.sample);
    }
}

#[test]
fn refusals_as_servers_write_them_are_about_whom_they_are_about() {
    use About::{Account, Letter, Path, Recipient, Speed};
    use Phase::{Auth, Bounce, Data, Dot, Greeting, Hello, Mail, Rcpt};
    for (phase, quoted, about, fault) in [
        (Rcpt, "550 5.1.1 user has exceeded its sending limit", Speed, Fault::QuotaReached),
        (Rcpt, "550 Sending limit exceeded", Speed, Fault::QuotaReached),
        (
            Mail,
            "550-5.4.5 Daily user sending limit exceeded. For more\n550 5.4.5 information go to x",
            Speed,
            Fault::QuotaReached,
        ),
        (Dot, "554 5.7.1 Your hourly sending quota is used up", Speed, Fault::QuotaReached),
        (Rcpt, "452 4.2.2 mailbox full", Recipient, Fault::MailboxFull),
        (Rcpt, "552 5.2.2 User is over quota", Recipient, Fault::MailboxFull),
        (Rcpt, "421 4.7.0 rate limited", Speed, Fault::RateLimited),
        (
            Mail,
            "550 5.7.60 SMTP; Client does not have permissions to send as this sender",
            Account,
            Fault::AccountError,
        ),
        (
            Dot,
            "554 5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied",
            Account,
            Fault::AccountError,
        ),
        (
            Auth,
            "535 5.7.139 Authentication unsuccessful, basic authentication is disabled.",
            Account,
            Fault::AccountError,
        ),
        (Dot, "554 Message rejected: Email address is not verified.", Account, Fault::AccountError),
        (
            Rcpt,
            "550 5.7.1 <dana@clinic.example>... Relaying denied. Proper authentication required.",
            Account,
            Fault::AccountError,
        ),
        (Rcpt, "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", Account, Fault::AccountError),
        (
            Rcpt,
            "550 Verification failed for <letters@harbor.example> No Such User Here Sender verify failed",
            Account,
            Fault::AccountError,
        ),
        (Rcpt, "550 5.1.1 <billing@clinic.example>: user unknown", Recipient, Fault::MailboxUnknown),
        (
            Rcpt,
            "550 5.1.1 <sending.limit@clinic.example>: Recipient address rejected",
            Recipient,
            Fault::MailboxUnknown,
        ),
        (Rcpt, "550 Requested action not taken: mailbox unavailable", Recipient, Fault::Unknown),
        (Rcpt, "550 Access denied", Recipient, Fault::Unknown),
        (Rcpt, "550 No", Recipient, Fault::Unknown),
        (Rcpt, "550 5.5.0 Requested action not taken: mailbox unavailable", Recipient, Fault::MailboxUnknown),
        (
            Rcpt,
            "550 5.7.1 Service unavailable, Client host [192.0.2.1] blocked using Spamhaus",
            Path,
            Fault::AccountError,
        ),
        (Greeting, "554 5.7.1 your IP is listed at spamcop", Path, Fault::AccountError),
        (Hello, "550 Access denied - Invalid HELO name (See RFC2821 4.1.1.1)", Account, Fault::AccountError),
        (
            Dot,
            "550-5.7.26 Your email has been blocked because\n550-5.7.26 the sender is unauthenticated.",
            Account,
            Fault::AccountError,
        ),
        (Dot, "554 5.7.1 Message rejected as spam by Content Filtering.", Letter, Fault::PolicyRefusal),
        (Data, "552 5.3.4 Message size exceeds fixed limit", Letter, Fault::TooLarge),
        (Dot, "550 5.7.1 This message is likely unsolicited mail", Letter, Fault::PolicyRefusal),
        (Rcpt, "450 4.2.0 <dana@clinic.example>: Recipient address rejected: Greylisted", Recipient, Fault::Deferred),
        (Bounce, "5.1.1 The email account that you tried to reach does not exist", Recipient, Fault::MailboxUnknown),
        (Bounce, "smtp; 550 5.4.1 Recipient address rejected: Access denied", Recipient, Fault::MailboxUnknown),
        (
            Bounce,
            "550 5.1.1 user has exceeded its 24-hour sending limit. Relay quota will reset in 3 hours.",
            Speed,
            Fault::QuotaReached,
        ),
        (Bounce, "4.4.7 Message could not be delivered for 24 hours", Path, Fault::Expired),
    ] {
        let judged = read(quoted, phase);
        assert_eq!(
            (judged.verdict.about, judged.verdict.fault),
            (about, fault),
            "{quoted} by the row of {:?}",
            judged.row.sample
        );
    }
}

#[test]
fn a_quota_returns_when_the_server_says_so() {
    let said = read("550 user has exceeded its sending limit. Relay quota will reset in 2.41 hours.", Phase::Rcpt);
    assert_eq!(said.verdict.wait_seconds, Some(8_676));
    let long = read("550 sending limit exceeded, try again in 900 hours", Phase::Rcpt);
    assert_eq!(long.verdict.wait_seconds, Some(24 * 3600), "no longer than a day");
    assert_eq!(read("550 sending limit exceeded", Phase::Rcpt).verdict.wait_seconds, Some(3600));
}

/// Words that say nothing of a mailbox, put together at random.
fn unrelated() -> impl Strategy<Value = String> {
    let words = [
        "access",
        "denied",
        "policy",
        "refused",
        "sorry",
        "transaction",
        "failed",
        "blocked",
        "see",
        "mailbox",
        "unavailable",
        "not",
        "accepted",
        "message",
        "rejected",
        "by",
        "server",
        "recipient",
        "address",
        "contact",
        "postmaster",
    ];
    prop::collection::vec(prop::sample::select(words.to_vec()), 0..8).prop_map(|words| words.join(" "))
}

proptest! {
    /// The mark on an address follows from the fault alone.
    #[test]
    fn no_refusal_without_proof_marks_an_address(code in 400u16..600, text in unrelated(), phase in prop::sample::select(Phase::ALL.to_vec())) {
        prop_assume!(![521, 556].contains(&code) || phase < Phase::Rcpt);
        let judged = judge(phase, code, None, &text);
        prop_assert_eq!(judged.verdict.fault.evidence(), AddressEvidence::Neutral, "{} by {:?}", text, judged.row.sample);
    }

    #[test]
    fn nothing_before_the_recipient_is_named_is_about_a_recipient(code in 400u16..600, text in "\\PC{0,60}", phase in 0usize..5) {
        let judged = judge(Phase::ALL[phase], code, None, &text);
        prop_assert!(judged.verdict.about != About::Recipient, "{:?}", judged.row.sample);
    }

    #[test]
    fn whatever_is_said_is_read(quoted in "\\PC{0,200}", lines in "[0-9]{3}[- ]\\PC{0,40}\n[0-9]{3} \\PC{0,40}", phase in prop::sample::select(Phase::ALL.to_vec())) {
        for quoted in [quoted, lines] {
            if let Some(reply) = QuotedReply::parse(&quoted) {
                let judged = reply.judge(phase);
                prop_assert!(judged.verdict.proves_mailbox || judged.verdict.fault.evidence() == AddressEvidence::Neutral);
                prop_assert!(judged.verdict.wait_seconds.is_none_or(|seconds| seconds <= WAIT_SECONDS_MAX));
            }
        }
    }
}
