//! IMAP servers that are odd, and such as mean harm: what they say is understood where it can be, and is a failure otherwise, soon
//! and within bounds.

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::Config;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::super::{After, Batch, MAIL_OCTETS_MAX, MailboxKind, Place, Progress, Session};
use super::{on, serve};
use crate::domain::fault::Failure;

const LOGIN: &str = "S * OK ready\n C CAPABILITY\n S * CAPABILITY IMAP4rev1\n S $ OK\n C LOGIN\n S $ OK\n C CAPABILITY\n \
    S * CAPABILITY IMAP4rev1 IDLE UIDPLUS\n S $ OK\n";
const EXAMINE: &str = "C EXAMINE\n S * 1 EXISTS\n S * OK [UIDVALIDITY 7] x\n S * OK [UIDNEXT 2] x\n S $ OK\n";
const SEARCH: &str = "C UID SEARCH\n S * SEARCH 1\n S $ OK\n";
const NEVER: Place = Place::Last { validity: 0, uid: 0 };
const HOUR: Duration = Duration::from_secs(3_600);

async fn opened(rest: &str, after: After) -> Box<dyn Session> {
    let (port, _) = serve(true, &format!("{LOGIN}{rest}")).await;
    on(MailboxKind::Imap, port, |settings| settings.after = after).open().await.expect("opened")
}

async fn read(fetch: &str) -> Result<Batch, Failure> {
    opened(&format!("{EXAMINE}{SEARCH}C UID FETCH 1 \n{fetch}"), After::Keep).await.read("INBOX", &NEVER, None).await
}

#[tokio::test]
async fn a_mail_is_understood_in_whatever_way_it_is_written() {
    for (fetch, octets) in [
        ("S * 1 FETCH (UID 1 BODY[]<0> \"a \\\"quoted\\\" \\\\ one\")\n S $ OK", "a \"quoted\" \\ one"),
        ("S * 1 FETCH (UID 1 BODY[]<0> {3+}\n R abc)¶\n S $ OK", "abc"),
        ("S * 1 FETCH (BODY[] {3}\n R abc UID 1)¶\n S $ OK", "abc"),
        ("S * 1 FETCH (UID 1 BODY[] {0}\n R )¶\n S $ OK", ""),
        ("S * 1 FETCH (FLAGS (\\Seen) UID 1 X-OTHER (a (b \"c)\")) BODY[] {3}\n R a)b)¶\n S $ OK", "a)b"),
        // A literal may say anything, even how the command ended.
        ("S * 1 FETCH (UID 1 BODY[] {9}\n R $ OK x¶)¶\n S $ OK", "t6 OK x\r\n"),
        (
            "S * 1 FETCH (UID 1 FLAGS (\\Seen))\n S * 1 FETCH (UID 1 BODY[] \"x\")\n S * 1 FETCH (UID 1 FLAGS ())\n S $ OK",
            "x",
        ),
        ("S * 9 FETCH (UID 9 BODY[] \"another\")\n S * 1 FETCH (UID 1 BODY[] \"x\")\n S $ OK", "x"),
        ("S * OK [ALERT] over quota {5}\n S * 1 FETCH (UID 1 BODY[] \"x\")\n S $ OK {5}", "x"),
    ] {
        let batch = read(fetch).await.unwrap_or_else(|failure| panic!("{fetch}: {failure:?}"));
        assert_eq!(batch.mails.len(), 1, "{fetch}");
        assert_eq!(String::from_utf8_lossy(&batch.mails[0].octets), octets, "{fetch}");
    }
}

#[tokio::test]
async fn what_is_no_answer_is_a_failure_soon() {
    let parts = format!("S * 1 FETCH ({}\n", "x {1}\n R ax {1}¶".repeat(120));
    for fetch in [
        "S * 1 FETCH (UID 1 BODY[] {99999999999}",
        "S * 1 FETCH (UID 1 BODY[] {99999999999999999999999999}",
        "S * 1 FETCH (UID 1 BODY[] {300000000}",
        "S * 1 FETCH (UID 1 BODY[] {10}\n R abc",
        "S * BYE going down",
        "S * BYE",
        "R * 1 FETCH",
        parts.as_str(),
    ] {
        let failure = read(fetch).await.err().unwrap_or_else(|| panic!("taken: {fetch}"));
        assert!(failure.raw_text.is_some_and(|words| words.contains("the mail server")), "{fetch}");
    }
}

#[tokio::test]
async fn a_line_or_an_answer_that_has_no_end_is_left() {
    let line = "x".repeat(9 * 1024 * 1024);
    let failure = read(&format!("R * {line}")).await.expect_err("no line");
    assert!(failure.raw_text.is_some_and(|words| words.contains("does not follow the protocol")));
    // Five literals of 4 MiB are more than an answer may hold.
    let literal = "y".repeat(MAIL_OCTETS_MAX);
    let literals = format!("(a {{{MAIL_OCTETS_MAX}}}¶{literal}").repeat(5);
    let failure = read(&format!("R * 1 FETCH {literals}¶")).await.expect_err("no answer");
    assert!(failure.raw_text.is_some_and(|words| words.contains("does not follow the protocol")));
}

#[tokio::test]
async fn whatever_a_server_does_with_idle_is_waited_for_no_longer_than_needed() {
    for (idle, is_well) in [
        (
            "S + idling\n S * 1 FETCH (FLAGS (\\Seen))\n S * 1 EXPUNGE\n S * OK Still here\n S * 0 EXISTS\n C DONE\n S $ OK",
            true,
        ),
        ("S * 5 EXPUNGE\n S + idling\n S * 1 RECENT\n C DONE\n S * 2 EXISTS\n S $ OK", true),
        ("S + idling\n S $ OK half an hour is over", true),
        ("S + idling\n S * BYE going down", false),
        ("S * BYE going down", false),
        ("R + idl", false),
    ] {
        let mut session =
            opened(&format!("{EXAMINE}{SEARCH}C UID FETCH\n S $ OK\n{EXAMINE}C IDLE\n {idle}"), After::Keep).await;
        session.read("INBOX", &NEVER, None).await.expect("read");
        let waited = tokio::time::timeout(Duration::from_secs(60), session.wait(HOUR)).await.expect("soon");
        assert_eq!(waited.is_ok(), is_well, "{idle}: {waited:?}");
    }
    // Refused, it is not asked for again: what is new is looked for now and then.
    for refusal in ["NO not now", "BAD what"] {
        let rest = format!(
            "{EXAMINE}{SEARCH}C UID FETCH\n S $ OK\n{EXAMINE}C IDLE\n S $ {refusal}\n{EXAMINE}{SEARCH}C UID FETCH\n S $ OK"
        );
        let mut session = opened(&rest, After::Keep).await;
        for _ in 0..2 {
            session.read("INBOX", &NEVER, None).await.expect("read");
            session.wait(Duration::from_millis(1)).await.unwrap_or_else(|failure| panic!("{refusal}: {failure:?}"));
        }
    }
}

#[tokio::test]
async fn what_a_server_can_do_after_the_login_counts() {
    let moves = "S * OK ready\n C CAPABILITY\n S * CAPABILITY IMAP4rev1 AUTH=PLAIN\n S $ OK [CAPABILITY X] x\n C LOGIN\n \
        S * CAPABILITY IMAP4rev1\n S $ OK [CAPABILITY IMAP4rev1] x\n C CAPABILITY\n S * CAPABILITY IMAP4rev1 MOVE\n S $ OK\n \
        C SELECT\n S * OK [UIDVALIDITY 7] x\n S $ OK\n C UID MOVE 4 \"Done\"\n S * 4 EXPUNGE\n S * OK [COPYUID 1 4 9] x\n S $ OK";
    let (port, played) = serve(true, moves).await;
    let mailbox = on(MailboxKind::Imap, port, |settings| {
        settings.after = After::Move;
        settings.move_to = Some("Done".to_owned());
    });
    let mut session = mailbox.open().await.expect("opened");
    session.finish("INBOX", 7, &["4".to_owned()]).await.expect("moved");
    played.await.expect("no panic").expect("as in the script");
}

#[tokio::test]
async fn a_server_that_does_not_go_on_with_a_login_refuses_it_or_is_left() {
    let start = "S * OK ready\n C CAPABILITY\n S * CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=PLAIN\n S $ OK\n C AUTHENTICATE PLAIN\n";
    for (rest, words) in [
        ("S $ NO not this way", "refuses the login"),
        ("S $ BAD what", "refuses the login"),
        ("S * BYE go away", "broke"),
        ("S + \n C \n S + \n C *\n S + \n C *\n S + ", "does not follow the protocol"),
    ] {
        let (port, _) = serve(true, &format!("{start} {rest}")).await;
        let failure = on(MailboxKind::Imap, port, |_| {}).open().await.err().expect("refused");
        assert!(failure.raw_text.as_deref().is_some_and(|said| said.contains(words)), "{rest}: {failure:?}");
    }
}

#[tokio::test]
async fn numbers_that_jump_and_folders_that_become_others_are_read_from_where_they_are() {
    for (place, examine, search, read, progress) in [
        (
            Place::Last { validity: 7, uid: 5 },
            "S * OK [UIDVALIDITY 7] x\n S * OK [UIDNEXT 4000000001] x",
            "UID 6:*",
            4_000_000_000_u32,
            7,
        ),
        (
            Place::Last { validity: 7, uid: 5 },
            "S * OK [UIDVALIDITY 4294967295] x\n S * OK [UIDNEXT 3] x",
            "UID 1:*",
            2,
            4_294_967_295,
        ),
        (
            Place::Last { validity: 7, uid: 4_000_000_000 },
            "S * OK [UIDVALIDITY 7] x\n S * OK [UIDNEXT 3] x",
            "UID 1:*",
            2,
            7,
        ),
    ] {
        let rest = format!(
            "C EXAMINE\n S * 1 EXISTS\n {examine}\n S $ OK\n C UID SEARCH {search}\n S * SEARCH {read}\n S $ OK\n \
             C UID FETCH {read} \n S * 1 FETCH (UID {read} BODY[] \"x\")\n S $ OK"
        );
        let batch = opened(&rest, After::Keep).await.read("INBOX", &place, None).await.expect("read");
        assert_eq!(batch.progress, Progress::Last { validity: progress, uid: read }, "{rest}");
    }
}

/// What a server may say at any time, and what none of it changes.
const NOISE: [&str; 14] = [
    "* 5 EXISTS\r\n",
    "* 2 EXPUNGE\r\n",
    "* 1 RECENT\r\n",
    "* 1 FETCH (FLAGS (\\Seen))\r\n",
    "* 1 FETCH (FLAGS (\\Seen) UID 1)\r\n",
    "* OK [ALERT] the disk is full {12}\r\n",
    "* NO busy\r\n",
    "* FLAGS (\\Answered \\Seen)\r\n",
    "* LIST (\\HasNoChildren) \"/\" {5}\r\nt1 OK\r\n",
    "* VANISHED 3:9\r\n",
    "* STATUS \"x\" (MESSAGES 1)\r\n",
    "* 3 FETCH (ENVELOPE (\"a\" NIL ((\"b\" NIL \"c\" \"d\"))) MODSEQ (9))\r\n",
    "\r\n",
    "+ what\r\n",
];

/// How a server that means well answers.
fn answer(command: &str) -> Vec<String> {
    let uid = command.strip_prefix("UID FETCH ").and_then(|rest| rest.split(' ').next());
    match (command.split(' ').next().unwrap_or_default(), uid) {
        (_, Some(uid)) => vec![format!("* {uid} FETCH (UID {uid} BODY[]<0> {{9}}\r\nt9 OK ({uid}))\r\n")],
        ("CAPABILITY", _) => vec!["* CAPABILITY IMAP4rev1\r\n".to_owned()],
        ("EXAMINE", _) => vec!["* 3 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 4] x\r\n".to_owned()],
        ("UID", _) => vec!["* SEARCH 1 2\r\n".to_owned(), "* SEARCH 3\r\n".to_owned()],
        _ => Vec::new(),
    }
}

/// Answers with noise in between, so many octets at a time.
async fn be_noisy(stream: TcpStream, noise: Vec<usize>, octets: usize) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut io, mut noise) = (BufReader::new(stream), noise.into_iter().cycle());
    io.get_mut().write_all(b"* OK ready\r\n").await?;
    let mut line = String::new();
    while io.read_line(&mut line).await? > 0 {
        let (tag, command) = line.trim_end().split_once(' ').unwrap_or(("", ""));
        let mut said = String::new();
        for part in answer(command).into_iter().chain([format!("{tag} OK done\r\n")]) {
            said.push_str(noise.next().and_then(|one| NOISE.get(one)).unwrap_or(&""));
            said.push_str(&part);
        }
        for piece in said.as_bytes().chunks(octets) {
            io.get_mut().write_all(piece).await?;
            tokio::task::yield_now().await;
        }
        line.clear();
    }
    Ok(())
}

proptest! {
    #![proptest_config(Config { cases: 48, failure_persistence: None, ..Config::default() })]
    #[test]
    fn nothing_that_is_said_in_between_and_no_cut_of_the_stream_changes_what_is_read(
        noise in prop::collection::vec(0..=NOISE.len(), 1..12),
        octets in prop_oneof![Just(1_usize), 2_usize..7, Just(4096)],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let batch = runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let port = listener.local_addr().expect("bound").port();
            let server = tokio::spawn(async move { be_noisy(listener.accept().await?.0, noise, octets).await });
            let mut session = on(MailboxKind::Imap, port, |_| {}).open().await.expect("opened");
            let batch = session.read("INBOX", &NEVER, None).await.expect("read");
            server.abort();
            batch
        });
        let mails: Vec<(&str, &[u8])> = batch.mails.iter().map(|mail| (mail.key.as_str(), mail.octets.as_slice())).collect();
        let wanted: [(&str, &[u8]); 3] = [("1", b"t9 OK (1)"), ("2", b"t9 OK (2)"), ("3", b"t9 OK (3)")];
        prop_assert_eq!(mails, wanted);
        prop_assert_eq!(batch.progress, Progress::Last { validity: 7, uid: 3 });
    }
}
