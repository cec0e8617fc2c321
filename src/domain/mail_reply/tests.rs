mod proof_of_a_mailbox;
mod whose_fault;

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
        let is_status = |one: &str| {
            one == "-" || one.split('.').count() == 3 && one.split('.').all(|n| n == "x" || n.parse::<u16>().is_ok())
        };
        assert!(row.enhanced == "*" || row.enhanced.split(' ').all(is_status), "{}", row.enhanced);
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

/// Refusals of relays that speak of us with the codes and the words of a bad mailbox.
const OF_US: [&str; 30] = [
    "550 5.1.1 user has exceeded its daily relay allowance",
    "550 5.1.1 You have sent your maximum allowance for the day",
    "550 5.1.1 too many recipients today",
    "550 5.1.1 Hourly sending threshold reached",
    "550 5.1.3 quota of outgoing messages used up",
    "550 5.2.1 User email account disabled for outgoing",
    "550 5.2.1 Your mailbox is disabled for outbound mail",
    "550 5.1.1 Mailbox disabled for sending",
    "550 5.2.1 Mailbox has been disabled because of excessive sending",
    "550 5.2.1 This account is disabled for SMTP submission",
    "550 5.2.1 user suspended: outbound spam",
    "550 5.1.1 Account disabled, contact billing",
    "550 5.1.1 You are not authorized to send",
    "550 5.1.1 Invalid user credentials",
    "550 invalid user or password",
    "550 no such user: authentication failed",
    "550 5.1.1 Sender mailbox does not exist",
    "550 sender unknown",
    "550 Sender address does not exist",
    "550 from user unknown",
    "550 5.1.2 unverified from address",
    "550 5.1.2 Domain harbor.example does not exist: sender",
    "550 5.1.1 relaying mail to clinic.example is not allowed",
    "550 5.1.1 Sending to remote addresses not permitted",
    "550 HELO host not found",
    "550 unknown host: rDNS lookup failed",
    "550 no mx for envelope return path domain",
    "521 Access denied - policy",
    "521 5.3.2 Host does not accept mail from you",
    "550 5.1.1 spam detected",
];

#[test]
fn words_about_us_mark_no_address_whatever_the_code() {
    let mut broken = Vec::new();
    for quoted in OF_US {
        for phase in [Phase::Rcpt, Phase::Data, Phase::Dot, Phase::Bounce] {
            let judged = read(quoted, phase);
            let verdict = judged.verdict;
            if verdict.proves_mailbox || verdict.fault.evidence() != AddressEvidence::Neutral {
                broken.push(format!("{phase}: {quoted} by the row of {:?}", judged.row.sample));
            }
        }
        let reply = QuotedReply::parse(quoted).expect("a reply");
        let returned = judge_returned(reply.code, reply.enhanced, &reply.text);
        if returned.verdict.proves_mailbox {
            broken.push(format!("returned: {quoted} by the row of {:?}", returned.row.sample));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Servers that forward a reply add words of their own.
#[test]
fn a_returned_reply_is_proof_beside_words_that_no_list_knows() {
    let text = "{mx1-rz3} user unknown, thus spake the mailhub";
    assert!(!judge(Phase::Bounce, 550, None, text).verdict.proves_mailbox);
    assert!(judge_returned(550, None, text).verdict.proves_mailbox);
    assert!(!judge_returned(450, None, text).verdict.proves_mailbox, "it passes");
    let either = "Destinatario desconocido o mailbox lleno";
    assert!(!judge_returned(550, None, either).verdict.proves_mailbox, "it may be full");
}

#[test]
fn a_name_in_a_refusal_is_no_word_about_us() {
    for (quoted, fault) in [
        ("550 5.1.1 <sender@clinic.example>: user unknown", Fault::MailboxUnknown),
        ("550 5.1.1 <daily.limit@relay.example>... User unknown", Fault::MailboxUnknown),
        ("550 no such user at relay.example, see https://outgoing.example/sender", Fault::MailboxUnknown),
        (
            "550 5.1.1 <dana@clinic.example>: Recipient address rejected: User unknown in relay recipient table",
            Fault::MailboxUnknown,
        ),
        ("550 5.4.4 Host not found: sender.example", Fault::DomainUnknown),
        ("521 The host does not accept mail", Fault::DomainUnknown),
        ("556 No mail here", Fault::DomainUnknown),
        ("550 5.2.1 The email account that you tried to reach is disabled.", Fault::MailboxDisabled),
        ("550 5.2.1 The email account that you tried to reach is inactive.", Fault::MailboxDisabled),
    ] {
        let judged = read(quoted, Phase::Rcpt);
        assert_eq!(judged.verdict.fault, fault, "{quoted} by the row of {:?}", judged.row.sample);
        assert!(judged.verdict.proves_mailbox, "{quoted}");
    }
}

/// What a reviewer found to be read as something else.
#[test]
fn refusals_that_look_like_others_are_told_apart() {
    use About::{Account, Letter, Path, Recipient, Speed};
    use Phase::{Dot, Rcpt};
    for (phase, quoted, about, fault, remedy) in [
        // A full mailbox, and a quota of ours
        (
            Rcpt,
            "552-5.2.2 The email account that you tried to reach is over quota",
            Recipient,
            Fault::MailboxFull,
            Remedy::WaitForRetry,
        ),
        (Rcpt, "552 5.2.2 Recipient mailbox is full", Recipient, Fault::MailboxFull, Remedy::WaitForRetry),
        (Rcpt, "550 5.2.2 Sending quota of mailbox exceeded", Speed, Fault::QuotaReached, Remedy::WaitForQuota),
        (Rcpt, "552 5.2.2 sender over quota", Speed, Fault::QuotaReached, Remedy::WaitForQuota),
        (Rcpt, "550 5.2.2 user over quota: 500 messages sent today", Speed, Fault::QuotaReached, Remedy::WaitForQuota),
        (
            Rcpt,
            "550 Message rejected: too many recipients today for user",
            Speed,
            Fault::QuotaReached,
            Remedy::WaitForQuota,
        ),
        (Rcpt, "550 5.4.5 Too many recipients in last 24h", Speed, Fault::QuotaReached, Remedy::WaitForQuota),
        (Rcpt, "550 5.4.5 No", Speed, Fault::QuotaReached, Remedy::WaitForQuota),
        (Rcpt, OF_US[0], Speed, Fault::QuotaReached, Remedy::WaitForQuota),
        (Rcpt, OF_US[1], Speed, Fault::QuotaReached, Remedy::WaitForQuota),
        (Rcpt, OF_US[2], Speed, Fault::QuotaReached, Remedy::WaitForQuota),
        (Rcpt, OF_US[3], Speed, Fault::QuotaReached, Remedy::WaitForQuota),
        (Rcpt, OF_US[4], Speed, Fault::QuotaReached, Remedy::WaitForQuota),
        // The letter, the recipient, the way
        (Dot, "550 5.7.1 Message contains a URL listed by URIBL", Letter, Fault::PolicyRefusal, Remedy::ChangeContent),
        (Dot, "554 5.7.1 URL is listed in SURBL", Letter, Fault::PolicyRefusal, Remedy::ChangeContent),
        (
            Dot,
            "554 5.7.1 Message contains spam URL. See SURBL block list",
            Letter,
            Fault::PolicyRefusal,
            Remedy::ChangeContent,
        ),
        (Rcpt, "550 5.1.1 spam detected", Letter, Fault::PolicyRefusal, Remedy::ChangeContent),
        (
            Rcpt,
            "550 5.7.1 Sender not allowed by recipient whitelist",
            Recipient,
            Fault::PolicyRefusal,
            Remedy::AskRecipient,
        ),
        (
            Rcpt,
            "550 Sending IP is blacklisted by recipient mailbox owner",
            Recipient,
            Fault::PolicyRefusal,
            Remedy::AskRecipient,
        ),
        (
            Rcpt,
            "550 5.7.1 Rejected by the recipient's mailbox rules",
            Recipient,
            Fault::PolicyRefusal,
            Remedy::AskRecipient,
        ),
        (
            Rcpt,
            "550 5.7.1 Mail from IP 203.0.113.5 was rejected due to listing in Proofpoint",
            Path,
            Fault::AccountError,
            Remedy::AskDelisting,
        ),
        // Our account
        (
            Dot,
            "554 5.2.0 STOREDRV.Submission.Exception:OutboundSpamException; Failed to process message due to a permanent exception with message WASCL UserAction verdict is not None.",
            Account,
            Fault::AccountError,
            Remedy::AskRelay,
        ),
        (Rcpt, "554 5.7.1 Account is disabled: contact support", Account, Fault::AccountError, Remedy::AskRelay),
        (Rcpt, OF_US[5], Account, Fault::AccountError, Remedy::AskRelay),
        (Rcpt, OF_US[13], Account, Fault::AccountError, Remedy::CheckPassword),
        (Rcpt, OF_US[14], Account, Fault::AccountError, Remedy::CheckPassword),
        (Rcpt, OF_US[22], Account, Fault::AccountError, Remedy::AllowRelay),
        (Rcpt, OF_US[24], Account, Fault::AccountError, Remedy::SetHelloName),
        // Policies and sizes
        (
            Dot,
            "554 5.2.3 MailPolicy violation Error delivering to mailboxes",
            Letter,
            Fault::PolicyRefusal,
            Remedy::ReadReply,
        ),
        (Dot, "552 5.2.3 Message length exceeds administrative limit", Letter, Fault::TooLarge, Remedy::ShortenLetter),
        (Dot, "552 5.2.3 Longer than this mailbox takes", Letter, Fault::TooLarge, Remedy::ShortenLetter),
        // Neither proof nor anybody's fault
        (Rcpt, OF_US[10], Recipient, Fault::Unknown, Remedy::AskRecipient),
        (Rcpt, OF_US[15], Recipient, Fault::Unknown, Remedy::AskRecipient),
        (Rcpt, OF_US[27], Recipient, Fault::Unknown, Remedy::AskRecipient),
    ] {
        let judged = read(quoted, phase);
        let Verdict { about: whom, fault: what, remedy: then, .. } = judged.verdict;
        assert_eq!((whom, what, then), (about, fault, remedy), "{quoted} by the row of {:?}", judged.row.sample);
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

/// Words that prove something against a mailbox or a domain where they stand alone.
fn proof() -> impl Strategy<Value = &'static str> {
    let proves = |row: &&'static Row| row.verdict.proves_mailbox;
    let phrases: Vec<&'static str> = table().filter(proves).flat_map(|row| row.words).copied().collect();
    prop::sample::select(phrases)
}

/// Words that say nothing of a mailbox, or something of the sending side, put together at random.
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
    let words: Vec<String> = words.into_iter().map(str::to_owned).chain(proof::OF_SOMETHING_ELSE.clone()).collect();
    prop::collection::vec(prop::sample::select(words), 0..8).prop_map(|words| words.join(" "))
}

proptest! {
    /// The mark on an address follows from the fault alone.
    #[test]
    fn no_refusal_without_proof_marks_an_address(code in 400u16..600, text in unrelated(), phase in prop::sample::select(Phase::ALL.to_vec())) {
        prop_assume!(code != 556 || phase < Phase::Rcpt);
        let judged = judge(phase, code, None, &text);
        prop_assert_eq!(judged.verdict.fault.evidence(), AddressEvidence::Neutral, "{} by {:?}", text, judged.row.sample);
    }

    /// Whatever else is said, and whatever the code.
    #[test]
    fn no_refusal_that_speaks_of_sending_marks_an_address(
        code in 500u16..600,
        status in prop::sample::select(vec!["", "5.1.1", "5.1.2", "5.1.3", "5.1.10", "5.2.1", "5.4.1", "5.5.0", "5.7.17"]),
        before in unrelated(),
        said in proof(),
        of_sending in prop::sample::select(proof::OF_SOMETHING_ELSE.clone()),
        comes_first in any::<bool>(),
        phase in prop::sample::select(Phase::ALL.to_vec()),
    ) {
        let (said, of_sending) = (said.replace("..", " "), of_sending.replace("..", " "));
        let text = if comes_first { format!("{of_sending} {before} {said}") } else { format!("{said} {before} ({of_sending})") };
        let judged = judge(phase, code, EnhancedStatus::parse(status), &text);
        prop_assert!(!judged.verdict.proves_mailbox, "{} by {:?}", text, judged.row.sample);
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
