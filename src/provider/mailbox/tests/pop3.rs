use std::collections::BTreeSet;

use super::super::{After, Count, MailboxKind, Place, Progress};
use super::{CANARY, on, serve};
use crate::domain::Fault;

const LOGIN: &str = "S +OK ready
    C CAPA
    S -ERR what
    C USER office
    S +OK
    C PASS canary-password-31
    S +OK in\n";

fn seen(keys: &[&str]) -> Place {
    Place::Seen(keys.iter().map(|key| (*key).to_owned()).collect::<BTreeSet<_>>())
}

#[tokio::test]
async fn what_is_new_is_read_and_what_is_gone_is_forgotten() {
    let script = format!(
        "{LOGIN}C UIDL
         S +OK
         S 1 aa
         S 2 bb
         S 3 cc
         S 4 dd
         S 5 ee
         S 6 ff
         S .
         C LIST
         S +OK
         S 1 10
         S 2 9000000
         S 3 7
         S 4 7
         S 5 70000000
         S 6 7
         S .
         C TOP 2 20000
         S +OK
         S ..b
         S .
         C TOP 3 3000000
         S -ERR what
         C RETR 3
         S +OK
         S c
         S .
         C TOP 4
         S -ERR it is broken
         C RETR 4
         S -ERR it is broken
         C TOP 6
         S +OK
         S f
         S .
         C TOP 4
         S -ERR it is broken
         C RETR 4
         S -ERR it is broken"
    );
    let (port, played) = serve(false, &script).await;
    let mut session = on(MailboxKind::Pop3, port, |_| {}).open().await.expect("opened");
    let batch = session.read("", &seen(&["aa", "zz"]), None).await.expect("read");
    played.await.expect("no panic").expect("as in the script");
    assert_eq!(batch.mails.len(), 3);
    assert_eq!((batch.mails[1].octets.as_slice(), batch.mails[1].is_cut), (&b"c\r\n"[..], false));
    assert_eq!((batch.mails[0].octets.as_slice(), batch.mails[0].is_cut), (&b".b\r\n"[..], true));
    let added = ["bb", "cc", "dd", "ee", "ff"].map(str::to_owned).to_vec();
    assert_eq!(batch.progress, Progress::Seen { added, gone: vec!["zz".to_owned()] });
    assert_eq!((batch.passed_over.len(), batch.more), (2, false));
}

#[tokio::test]
async fn a_server_that_refuses_every_mail_makes_no_progress_and_loses_none() {
    let two = format!("{LOGIN}C UIDL\nS +OK\nS 1 aa\nS 2 bb\nS .\nC LIST\nS +OK\nS 1 7\nS 2 7\nS .\n");
    let broken = |number: u32| format!("C TOP {number}\nS -ERR what\nC RETR {number}\nS -ERR it is broken\n");
    for rest in [
        "C TOP 1\nS -ERR [SYS/TEMP] x".to_owned(),
        "C TOP 1\nS -ERR [IN-USE] x".to_owned(),
        "C TOP 1\nS -ERR what\nC RETR 1\nS -ERR Server busy".to_owned(),
    ] {
        let (port, played) = serve(false, &format!("{two}{rest}")).await;
        let mut session = on(MailboxKind::Pop3, port, |_| {}).open().await.expect("opened");
        let failure = session.read("", &seen(&[]), None).await.expect_err("refused");
        assert_eq!(failure.fault, Fault::ProviderError, "{rest}");
        played.await.expect("no panic").expect("as in the script");
    }
    let (port, played) = serve(false, &format!("{two}{}{}", broken(1), broken(2))).await;
    let mut session = on(MailboxKind::Pop3, port, |_| {}).open().await.expect("opened");
    let batch = session.read("", &seen(&[]), None).await.expect("heard");
    played.await.expect("no panic").expect("as in the script");
    assert_eq!((batch.refused.len(), batch.is_doubtful, batch.more), (2, true, false));
    assert_eq!(batch.progress, Progress::Seen { added: Vec::new(), gone: Vec::new() });
    let (port, played) = serve(false, &format!("{two}C TOP 1\nS +OK\nS x\nS .\n{}", broken(2))).await;
    let mut session = on(MailboxKind::Pop3, port, |_| {}).open().await.expect("opened");
    let batch = session.read("", &seen(&[]), None).await.expect("read");
    played.await.expect("no panic").expect("as in the script");
    let only_first = Progress::Seen { added: vec!["aa".to_owned()], gone: Vec::new() };
    assert_eq!((batch.progress, batch.passed_over.len(), batch.more), (only_first, 0, true));
}

#[tokio::test]
async fn what_came_before_a_day_is_not_read_up_to_the_first_that_did_not() {
    let since = Some(crate::domain::Timestamp(1_793_523_600_000));
    let old =
        "S +OK\nS Received: by mx; Mon, 5 Oct 2026 09:00:00 +0000\nS Date: Mon, 5 Oct 2026 08:00:00 +0000\nS \nS .\n";
    let new =
        "S +OK\nS Received: by mx; Mon, 30 Nov 2026 09:00:00 +0000\nS Date: Mon, 5 Oct 2026 08:00:00 +0000\nS \nS .\n";
    let list = "C UIDL\nS +OK\nS 1 aa\nS 2 bb\nS 3 cc\nS 4 dd\nS .\n";
    let script = format!(
        "{LOGIN}{list}C TOP 2 0\n{old}C TOP 3 0\n{new}C LIST\nS +OK\nS 3 7\nS 4 7\nS .\n\
         C TOP 3 3000000\nS +OK\nS x\nS .\nC TOP 4 3000000\nS +OK\nS y\nS .\n"
    );
    let (port, played) = serve(false, &script).await;
    let mut session = on(MailboxKind::Pop3, port, |_| {}).open().await.expect("opened");
    let batch = session.read("", &seen(&["aa"]), since).await.expect("read");
    played.await.expect("no panic").expect("as in the script");
    assert_eq!((batch.mails.len(), batch.old), (2, 1));
    let added = ["bb", "cc", "dd"].map(str::to_owned).to_vec();
    assert_eq!(batch.progress, Progress::Seen { added, gone: Vec::new() });

    for (heads, found) in [
        (format!("C TOP 3 0\n{new}C TOP 2 0\n{old}"), Some(1)),
        (format!("C TOP 3 0\nS -ERR what\nC TOP 2 0\n{new}C TOP 1 0\n{new}"), Some(3)),
    ] {
        let (port, played) = serve(false, &format!("{LOGIN}C STAT\nS +OK 3 900\n{heads}")).await;
        let mut session = on(MailboxKind::Pop3, port, |_| {}).open().await.expect("opened");
        assert_eq!(session.count("", since).await.expect("counted"), Count { mails: 3, since: found });
        played.await.expect("no panic").expect("as in the script");
    }
}

#[tokio::test]
async fn deleted_is_what_is_named_and_only_quit_makes_it_so() {
    let script = format!("{LOGIN}C UIDL\nS +OK\nS 1 aa\nS 2 bb\nS .\nC DELE 2\nS +OK\nC QUIT\n");
    for (answer, is_done) in [("S +OK bye", true), ("S -ERR not all", false)] {
        let (port, played) = serve(false, &format!("{script}{answer}")).await;
        let mut session = on(MailboxKind::Pop3, port, |it| it.after = After::Delete).open().await.expect("opened");
        let finished = session.finish("", 0, &["bb".to_owned(), "zz".to_owned()]).await;
        assert_eq!(finished.is_ok(), is_done, "{answer}");
        played.await.expect("no panic").expect("as in the script");
    }
}

#[tokio::test]
async fn a_refused_login_is_about_the_account_unless_it_passes() {
    for (says, fault) in [
        ("-ERR [AUTH] office canary-password-31", Fault::AccountError),
        ("-ERR [IN-USE] locked", Fault::ProviderError),
        ("-ERR [SYS/TEMP] later", Fault::ProviderError),
        ("-ERR no", Fault::AccountError),
    ] {
        let (port, _) = serve(false, &format!("S +OK\nC CAPA\nS -ERR\nC USER office\nS +OK\nC PASS\nS {says}")).await;
        let failure = on(MailboxKind::Pop3, port, |_| {}).open().await.err().expect("refused");
        assert_eq!(failure.fault, fault, "{says}");
        assert!(!format!("{failure:?}").contains(CANARY), "{failure:?}");
    }
}

#[tokio::test]
async fn a_server_without_unique_names_cannot_be_read() {
    let (port, _) = serve(false, &format!("{LOGIN}C UIDL\nS -ERR what")).await;
    let mut session = on(MailboxKind::Pop3, port, |_| {}).open().await.expect("opened");
    let failure = session.read("", &seen(&[]), None).await.expect_err("refused");
    assert!(failure.raw_text.is_some_and(|words| words.contains("UIDL")));
}
