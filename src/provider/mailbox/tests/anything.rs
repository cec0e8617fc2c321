//! Servers that say anything: whatever it is, the answer is a batch or a failure, and never the end of the program.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::Config;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::super::{After, MailboxKind, Place};
use super::on;

/// Pieces of what servers say, and of what they do not.
const PIECES: [&str; 30] = [
    "* OK ready\r\n",
    "+OK\r\n",
    "-ERR\r\n",
    "+ \r\n",
    ".\r\n",
    "$ OK done\r\n",
    "$ OK done\r\n",
    "$ NO\r\n",
    "$ BAD\r\n",
    "* CAPABILITY IDLE MOVE\r\n",
    "* BYE\r\n",
    "* SEARCH 1 2 3\r\n",
    "* SEARCH 4294967295 99999999999 -1\r\n",
    "* 1 FETCH (UID 1 BODY[] {3}\r\nabc)\r\n",
    "* 1 FETCH (UID 2 BODY[]<0> \"x\" RFC822.SIZE 1)\r\n",
    "* 1 FETCH ((((\r\n",
    "* 1 FETCH {99999999999}\r\n",
    "* 1 FETCH {18446744073709551615}\r\n",
    "* 5 EXISTS\r\n",
    "* OK [UIDVALIDITY 1]\r\n",
    "* OK [UIDVALIDITY 4294967295] \r\n",
    "* OK [UIDNEXT 2]\r\n",
    "1 aa\r\n2 bb\r\n",
    "1\r\n",
    "\r\n",
    "* \r\n",
    "*",
    "{",
    "\"",
    "[",
];

fn said() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let piece = prop_oneof![
        8 => prop::sample::select(PIECES.to_vec()).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..40),
    ];
    let answer = prop::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat());
    prop::collection::vec(answer, 0..14)
}

/// Says all of the texts and hangs up, so that nobody waits. `$` is the tag that a client gives the command that is answered.
async fn say_all(listener: TcpListener, texts: Vec<Vec<u8>>) {
    let Ok((mut stream, _)) = listener.accept().await else { return };
    for (number, text) in texts.iter().enumerate() {
        let tag = format!("t{number}");
        let octets: Vec<u8> =
            text.iter().flat_map(|octet| if *octet == b'$' { tag.as_bytes().to_vec() } else { vec![*octet] }).collect();
        if stream.write_all(&octets).await.is_err() {
            return;
        }
    }
    let _ = stream.shutdown().await;
    let _ = stream.read_to_end(&mut Vec::new()).await;
}

/// A login that succeeds, so that what follows is heard as well.
fn beginning(kind: MailboxKind) -> Vec<Vec<u8>> {
    let lines: &[&str] = match kind {
        MailboxKind::Pop3 => &["+OK\r\n", "-ERR\r\n", "+OK\r\n", "+OK\r\n"],
        _ => &[
            "* OK\r\n",
            "$ OK\r\n",
            "$ OK\r\n",
            "* CAPABILITY IDLE UIDPLUS\r\n$ OK\r\n",
            "* OK [UIDVALIDITY 1]\r\n* 3 EXISTS\r\n$ OK\r\n",
        ],
    };
    lines.iter().map(|line| line.as_bytes().to_vec()).collect()
}

async fn use_it(kind: MailboxKind, texts: Vec<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let server = tokio::spawn(say_all(listener, texts));
    let mailbox = on(kind, port, |settings| settings.after = After::Delete);
    if let Ok(mut session) = mailbox.open().await {
        let place = match kind {
            MailboxKind::Imap => Place::Last { validity: 1, uid: 0 },
            _ => Place::Seen(BTreeSet::new()),
        };
        let _ = session.read("INBOX", &place, None).await;
        let _ = session.finish("INBOX", 1, &["1".to_owned()]).await;
        let _ = session.count("INBOX", None).await;
        let _ = tokio::time::timeout(Duration::from_millis(20), session.wait(Duration::from_millis(1))).await;
    }
    server.abort();
    let _ = server.await;
}

proptest! {
    #![proptest_config(Config { cases: 96, failure_persistence: None, ..Config::default() })]
    #[test]
    fn whatever_a_server_says_nothing_breaks_here(texts in said(), is_imap in any::<bool>(), begins_well in any::<bool>()) {
        let kind = if is_imap { MailboxKind::Imap } else { MailboxKind::Pop3 };
        let texts = if begins_well { [beginning(kind), texts].concat() } else { texts };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(use_it(kind, texts));
    }
}
