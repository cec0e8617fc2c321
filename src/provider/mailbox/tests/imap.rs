use std::time::Duration;

use super::super::{After, Batch, Count, MailboxKind, Place, Progress, Session, is_missing};
use super::{CANARY, on, serve};
use crate::domain::fault::Failure;
use crate::domain::{Fault, Remedy};

const LOGIN: &str = "S * OK ready
    C CAPABILITY
    S * CAPABILITY IMAP4rev1 IDLE UIDPLUS
    S $ OK done
    C LOGIN \"office\" \"canary-password-31\"
    S $ OK in
    C CAPABILITY
    S * CAPABILITY IMAP4rev1 IDLE UIDPLUS
    S $ OK done\n";
const NEVER: Place = Place::Last { validity: 0, uid: 0 };

async fn opened(rest: &str, after: After) -> (Box<dyn Session>, tokio::task::JoinHandle<Result<(), String>>) {
    let (port, played) = serve(true, &format!("{LOGIN}{rest}")).await;
    let move_to = (after == After::Move).then(|| "Done".to_owned());
    let mailbox = on(MailboxKind::Imap, port, |settings| {
        settings.after = after;
        settings.move_to = move_to;
    });
    (mailbox.open().await.expect("opened"), played)
}

async fn read(rest: &str, place: &Place) -> Result<Batch, Failure> {
    let (mut session, played) = opened(rest, After::Keep).await;
    let batch = session.read("INBOX", place, None).await;
    played.await.expect("no panic").expect("as in the script");
    batch
}

#[tokio::test]
async fn what_is_new_is_read_without_marking_it() {
    let batch = read(
        "C EXAMINE \"INBOX\"
         S * 4 EXISTS
         S * OK [UIDVALIDITY 7] x
         S * OK [UIDNEXT 12] x
         S $ OK [READ-ONLY] done
         C UID SEARCH UID 10:*
         S * SEARCH 11 9 10
         S $ OK done
         C UID FETCH 10 (UID RFC822.SIZE INTERNALDATE BODY.PEEK[]<0.4194304>)
         S * 3 FETCH (UID 10 RFC822.SIZE 9000000 INTERNALDATE \" 1-Dec-2026 09:00:00 +0000\" BODY[]<0> {5}
         R first
         S )
         S * 5 EXISTS
         S $ OK done
         C UID FETCH 11
         S $ NO it is broken",
        &Place::Last { validity: 7, uid: 9 },
    )
    .await
    .expect("read");
    assert_eq!(batch.mails.len(), 1);
    let mail = &batch.mails[0];
    assert_eq!((mail.key.as_str(), mail.octets.as_slice(), mail.is_cut), ("10", &b"first"[..], true));
    // The last one may be refused because the server is busy: it is asked for again.
    assert_eq!(batch.progress, Progress::Last { validity: 7, uid: 10 });
    assert_eq!((batch.passed_over.len(), batch.more), (0, true));
}

/// A folder with the mails 1 to 3, and what is said of them.
fn three(rest: &str) -> String {
    format!(
        "C EXAMINE\n S * 3 EXISTS\n S * OK [UIDVALIDITY 7] x\n S * OK [UIDNEXT 4] x\n S $ OK done
         C UID SEARCH\n S * SEARCH 1 2 3\n S $ OK done\n {rest}"
    )
}

#[tokio::test]
async fn a_server_that_refuses_every_mail_makes_no_progress_and_loses_none() {
    for refusal in ["NO [UNAVAILABLE] x", "NO Server busy", "BAD Request is throttled", "NO [LIMIT] x"] {
        let failure = read(&three(&format!("C UID FETCH 1\n S $ {refusal}")), &NEVER).await.expect_err("refused");
        assert_eq!(failure.fault, Fault::ProviderError, "{refusal}");
    }
    let all = [1, 2, 3].map(|uid| format!("C UID FETCH {uid}\n S $ NO it is broken\n")).concat();
    let batch = read(&three(&all), &NEVER).await.expect("heard");
    assert_eq!((batch.progress, batch.more, batch.is_doubtful), (Progress::Last { validity: 7, uid: 0 }, false, true));
    let words: Vec<_> = batch.refused.iter().map(|one| (one.key.as_str(), one.words.as_str())).collect();
    assert_eq!(words, ["1", "2", "3"].map(|uid| (uid, "it is broken")));
}

#[tokio::test]
async fn a_broken_mail_at_the_end_is_told_from_a_server_that_hands_out_none() {
    let place = Place::Last { validity: 7, uid: 2 };
    let one = three("C UID FETCH 3 \n S $ NO it is broken\n").replace("SEARCH 1 2 3", "SEARCH 3");
    for (known, is_doubtful) in [
        ("S * 2 FETCH (UID 2 BODY[] \"x\")\n S $ OK\n", false),
        ("S $ NO it is broken\n", true),
        ("S $ OK gone\n", false),
    ] {
        let batch = read(&format!("{one}C UID FETCH 2 \n {known}"), &place).await.expect("heard");
        assert_eq!((batch.refused.len(), batch.is_doubtful), (1, is_doubtful), "{known}");
        assert_eq!(batch.progress, Progress::Last { validity: 7, uid: 2 }, "it is asked for again");
    }
}

#[tokio::test]
async fn of_a_folder_that_was_never_read_only_what_came_since_a_day_is_read() {
    let since = Some(crate::domain::Timestamp(1_793_523_600_000));
    let begin = "C EXAMINE\n S * 3 EXISTS\n S * OK [UIDVALIDITY 7] x\n S * OK [UIDNEXT 9] x\n S $ OK\n";
    let fetch = "C UID FETCH 6 \n S * 2 FETCH (UID 6 BODY[] \"x\")\n S $ OK\n";
    for (place, search, read, old, uid) in [
        (NEVER, "C UID SEARCH UID 1:* SINCE 31-Oct-2026\n S * SEARCH 6\n S $ OK\n", 1, 2, 8),
        (NEVER, "C UID SEARCH UID 1:* SINCE 31-Oct-2026\n S * SEARCH\n S $ OK\n", 0, 3, 8),
        (
            Place::Last { validity: 6, uid: 4 },
            "C UID SEARCH UID 1:* SINCE 31-Oct-2026\n S * SEARCH\n S $ OK\n",
            0,
            3,
            8,
        ),
        (Place::Last { validity: 7, uid: 4 }, "C UID SEARCH UID 5:*\n S * SEARCH 6\n S $ OK\n", 1, 0, 6),
    ] {
        let (mut session, played) =
            opened(&format!("{begin}{search}{}", if read == 1 { fetch } else { "" }), After::Keep).await;
        let batch = session.read("INBOX", &place, since).await.expect("read");
        assert_eq!((batch.mails.len(), batch.old), (read, old), "{search}");
        assert_eq!(batch.progress, Progress::Last { validity: 7, uid }, "{search}");
        played.await.expect("no panic").expect("as in the script");
    }
    let (mut session, played) = opened(
        &format!("{begin}C UID SEARCH UID 1:* SINCE 31-Oct-2026\n S * ESEARCH (TAG \"$\") UID ALL 6:7\n S $ OK"),
        After::Keep,
    )
    .await;
    assert_eq!(session.count("INBOX", since).await.expect("counted"), Count { mails: 3, since: Some(2) });
    played.await.expect("no panic").expect("as in the script");
}

#[tokio::test]
async fn a_mail_that_is_refused_twice_among_others_is_passed_over_and_counted() {
    let one = |uid: u32| format!("C UID FETCH {uid} \n S * {uid} FETCH (UID {uid} BODY[] \"x\")\n S $ OK\n");
    for (said, handed, unreadable) in [
        ("S $ NO it is broken\n", 2, 1),
        ("S * 2 FETCH (UID 2 RFC822.SIZE 9 BODY[] NIL)\n S $ OK\n", 2, 1),
        ("S $ OK gone\n", 2, 0),
        ("S $ NO [EXPUNGEISSUED] gone\n", 2, 0),
        ("S * 2 FETCH (UID 2)\n S $ OK\n", 2, 1),
        ("S * 2 FETCH (BODY[] \"of no number\")\n S $ OK\n", 3, 0),
    ] {
        let refused = format!("C UID FETCH 2 \n {said}");
        let is_asked_again = unreadable > 0;
        let again = if is_asked_again { refused.as_str() } else { "" };
        let script = three(&format!("{}{refused}{}{again}", one(1), one(3)));
        let batch = read(&script, &NEVER).await.expect("read");
        assert_eq!((batch.mails.len(), batch.passed_over.len(), batch.more), (handed, unreadable, false), "{said}");
        assert_eq!(batch.progress, Progress::Last { validity: 7, uid: 3 }, "{said}");
    }
    let busy = format!("{}C UID FETCH 2 \n S $ NO [INUSE] x\n", one(1));
    let batch = read(&three(&busy), &NEVER).await.expect("read");
    assert_eq!((batch.progress, batch.passed_over.len()), (Progress::Last { validity: 7, uid: 1 }, 0));
}

#[tokio::test]
async fn a_folder_that_is_missing_is_told_from_one_that_cannot_be_opened_now() {
    for (said, missing, remedy) in [
        ("[NONEXISTENT] Unknown Mailbox: Limits (Failure)", true, Remedy::ReadReply),
        ("Mailbox doesn't exist: Junk", true, Remedy::ReadReply),
        ("Unknown Mailbox: Junk", true, Remedy::ReadReply),
        ("[SERVERBUG] Internal error", false, Remedy::WaitForRelay),
        ("[NOPERM] Permission denied", false, Remedy::ReadReply),
    ] {
        let failure = read(&format!("C EXAMINE\n S $ NO {said}"), &NEVER).await.expect_err("refused");
        assert_eq!((is_missing(&failure), failure.remedy), (missing, Some(remedy)), "{said}");
    }
    let (mut session, played) = opened("C SELECT\n S $ NO [NONEXISTENT] x", After::Seen).await;
    session.finish("Junk", 7, &["4".to_owned()]).await.expect("there is nothing left to do");
    played.await.expect("no panic").expect("as in the script");
}

#[tokio::test]
async fn news_is_waited_for_in_the_first_folder_that_is_there() {
    let there = "C EXAMINE \"Junk\"\n S * 0 EXISTS\n S * OK [UIDVALIDITY 7] x\n S * OK [UIDNEXT 1] x\n S $ OK done\n";
    let idle = "C IDLE\n S + idling\n S * 1 EXISTS\n C DONE\n S $ OK";
    let missing = "C EXAMINE \"INBOX\"\n S $ NO [NONEXISTENT] x\n";
    let (mut session, played) = opened(&format!("{missing}{there}{there}{idle}"), After::Keep).await;
    assert!(is_missing(&session.read("INBOX", &NEVER, None).await.expect_err("missing")));
    session.read("Junk", &NEVER, None).await.expect("read");
    session.wait(Duration::from_secs(3600)).await.expect("waited");
    played.await.expect("no panic").expect("as in the script");
}

#[tokio::test]
async fn a_folder_that_counts_anew_is_read_from_its_start() {
    for (says, place, from) in [
        ("S * OK [UIDVALIDITY 8] x\n S * OK [UIDNEXT 3] x", Place::Last { validity: 7, uid: 9 }, 1),
        ("S * OK [UIDVALIDITY 7] x\n S * OK [UIDNEXT 3] x", Place::Last { validity: 7, uid: 9 }, 1),
        ("S * OK [UIDVALIDITY 7] x", Place::Last { validity: 7, uid: 9 }, 10),
        ("S * OK [UIDVALIDITY 7] x", NEVER, 1),
    ] {
        let script = format!(
            "C EXAMINE\n S * 1 EXISTS\n {says}\n S $ OK done\n C UID SEARCH UID {from}:*\n S * SEARCH\n S $ OK done"
        );
        let batch = read(&script, &place).await.expect("read");
        let Progress::Last { uid, .. } = batch.progress else { panic!("{batch:?}") };
        assert_eq!(u64::from(uid), from - 1, "{script}");
    }
}

#[tokio::test]
async fn nothing_new_costs_one_command() {
    let script = "C EXAMINE\n S * 1 EXISTS\n S * OK [UIDVALIDITY 7] x\n S * OK [UIDNEXT 10] x\n S $ OK done";
    let batch = read(script, &Place::Last { validity: 7, uid: 9 }).await.expect("read");
    assert_eq!((batch.mails.len(), batch.progress), (0, Progress::Last { validity: 7, uid: 9 }));
}

#[tokio::test]
async fn a_refused_login_is_about_the_account_unless_it_passes_and_says_no_password() {
    for (says, fault) in [
        ("NO [AUTHENTICATIONFAILED] office canary-password-31 is wrong", Fault::AccountError),
        ("NO [UNAVAILABLE] later", Fault::ProviderError),
        ("NO Temporary authentication failure", Fault::ProviderError),
    ] {
        let (port, _) =
            serve(true, &format!("S * OK ready\nC CAPABILITY\nS * CAPABILITY IMAP4rev1\nS $ OK\nC LOGIN\nS $ {says}"))
                .await;
        let failure = on(MailboxKind::Imap, port, |_| {}).open().await.err().expect("refused");
        assert_eq!(failure.fault, fault, "{says}");
        assert!(!format!("{failure:?}").contains(CANARY) && !format!("{failure:?}").contains("office"), "{failure:?}");
    }
}

#[tokio::test]
async fn only_what_is_named_is_deleted_and_only_in_the_folder_that_was_read() {
    let select = "C SELECT \"INBOX\"\n S * OK [UIDVALIDITY 7] x\n S $ OK done\n";
    for (after, validity, rest) in [
        (After::Keep, 7, ""),
        (After::Seen, 7, "C UID STORE 4,9 +FLAGS.SILENT (\\Seen)\n S $ OK"),
        (After::Delete, 7, "C UID STORE 4,9 +FLAGS.SILENT (\\Deleted)\n S $ OK\n C UID EXPUNGE 4,9\n S $ OK"),
        (
            After::Move,
            7,
            "C UID COPY 4,9 \"Done\"\n S $ NO [TRYCREATE] x\n C CREATE \"Done\"\n S $ OK\n C UID COPY 4,9 \"Done\"\n S $ OK
             C UID STORE 4,9 +FLAGS.SILENT (\\Deleted)\n S $ OK\n C UID EXPUNGE 4,9\n S $ OK",
        ),
        (After::Delete, 6, ""),
    ] {
        let (mut session, played) = opened(&format!("{select}{rest}"), after).await;
        let keys = ["4", "9", "1:* evil"].map(str::to_owned);
        session.finish("INBOX", validity, &keys).await.expect("done");
        played.await.expect("no panic").expect("as in the script");
    }
}

#[tokio::test]
async fn idle_ends_when_there_is_mail_and_mail_that_came_before_it_needs_no_waiting() {
    let before = "C EXAMINE\n S * 1 EXISTS\n S * OK [UIDVALIDITY 7] x\n S * OK [UIDNEXT 2] x\n S $ OK done\n
        C UID SEARCH\n S * SEARCH\n S $ OK done\n";
    let same = "C EXAMINE\n S * 1 EXISTS\n S * OK [UIDVALIDITY 7] x\n S * OK [UIDNEXT 2] x\n S $ OK done\n
        C IDLE\n S + idling\n S * OK Still here\n S * 2 EXISTS\n C DONE\n S $ OK";
    let other = "C EXAMINE\n S * 2 EXISTS\n S * OK [UIDVALIDITY 7] x\n S * OK [UIDNEXT 3] x\n S $ OK done";
    for rest in [same, other] {
        let (mut session, played) = opened(&format!("{before}{rest}"), After::Keep).await;
        session.read("INBOX", &NEVER, None).await.expect("read");
        session.wait(Duration::from_secs(3600)).await.expect("waited");
        played.await.expect("no panic").expect("as in the script");
    }
}

#[tokio::test]
async fn a_server_that_goes_on_in_the_clear_after_starttls_is_left() {
    for (says, words) in [
        ("S * CAPABILITY IMAP4rev1\nS $ OK", "does not offer STARTTLS"),
        ("S * CAPABILITY IMAP4rev1 STARTTLS\nS $ OK\nC STARTTLS\nS $ OK go¶* OK injected", "the clear"),
    ] {
        let (port, _) = serve(true, &format!("S * OK ready\nC CAPABILITY\n{says}")).await;
        let mailbox = on(MailboxKind::Imap, port, |settings| settings.tls = super::super::MailboxTls::Required);
        let failure = mailbox.open().await.err().expect("refused");
        assert_eq!(failure.fault, Fault::TlsRequired, "{failure:?}");
        assert!(failure.raw_text.as_deref().is_some_and(|said| said.contains(words)), "{failure:?}");
    }
}
