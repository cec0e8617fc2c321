//! SIGKILL while letters and lists can still be withdrawn: whenever the program dies, no call is made before the end of an
//! undo window, and what was withdrawn never leaves.

use std::collections::BTreeMap;
use std::time::Duration;

use touchline::domain::id::SubmissionId;
use touchline::domain::{Clock, SystemClock, Timestamp};
use touchline::store::Store;

use crate::support::databases::Database;
use crate::support::reckoning::Reckoning;
use crate::support::stage::{self, Setup, Stage};

/// Seconds in which a letter, and a list, can be withdrawn.
const WINDOW_SECONDS: u64 = 3;
/// Kills fall before, at and after the end of the windows.
const MOMENT_MAX_MS: u64 = 3_500;

#[tokio::test(flavor = "multi_thread")]
async fn no_call_is_made_before_the_end_of_a_window_however_often_the_program_is_killed() {
    let database = Database::sqlite().await;
    survive(&database, 4).await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_on_postgresql() {
    let Some(database) = Database::postgres().await else { return };
    survive(&database, 3).await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes several minutes"]
async fn a_hundred_kills_inside_undo_windows_on_both_databases() {
    let database = Database::sqlite().await;
    survive(&database, 60).await;
    database.remove().await;
    let Some(database) = Database::postgres().await else { return };
    survive(&database, 40).await;
    database.remove().await;
}

/// What was sent, with the end of its window, and whether it was withdrawn.
type Sent = BTreeMap<SubmissionId, (Timestamp, bool)>;

/// Letters and lists in turn, a kill after each, about half of them withdrawn before or after it.
async fn survive(database: &Database, kills: usize) {
    let url = database.url.as_str();
    let mut random = fastrand::Rng::with_seed(stage::seed());
    let stage = Stage::build(Setup { faxes: 6, mails: 6, ..Setup::default() }).await;
    let text = std::fs::read_to_string(stage.path("touchline.toml")).expect("the configuration");
    let windows = format!("undo_one_seconds = {WINDOW_SECONDS}\nundo_list_seconds = {WINDOW_SECONDS}\n");
    let lines = text.lines().filter(|line| !line.starts_with("undo_")).map(|line| format!("{line}\n"));
    let text = lines.collect::<String>().replacen("[sending]\n", &format!("[sending]\n{windows}"), 1);
    std::fs::write(stage.path("touchline.toml"), text).expect("written");
    stage.run(url, &["referrers", "import", "referrers.csv"]);
    let store = database.open().await;

    let mut sent = Sent::new();
    let mut node = stage.node(1, url);
    for kill in 0..kills {
        let to = if kill % 2 == 0 { "all".to_owned() } else { format!("ana{}@office{}.example", kill % 6, kill % 6) };
        let (code, answer) =
            stage.ask(url, &["send", "introduction", "--to", &to, "--via=fax,email", "--again", "--yes"]);
        assert_eq!(code, 0, "{answer}");
        let submission = answer["submission"].as_str().expect("an id").parse().expect("an id");
        let until: Timestamp = serde_json::from_value(answer["undo_until"].clone()).expect("a time");
        sent.insert(submission, (until, false));
        let (withdraws, first) = (random.bool(), random.bool());
        if withdraws && first {
            withdraw(&stage, url, submission, &mut sent);
        }
        tokio::time::sleep(Duration::from_millis(random.u64(0..MOMENT_MAX_MS))).await;
        node.kill();
        if withdraws && !first {
            withdraw(&stage, url, submission, &mut sent);
        }
        node = stage.node(1, url);
    }

    let ledger = stage.settled(&store).await;
    println!("{} with {kills} kills: {ledger:?}", database.engine());
    drop(node);
    nothing_left_early(&store, &stage, &sent).await;
    assert_eq!(ledger.delivered + ledger.in_doubt + ledger.cancelled, ledger.total, "{ledger:?}");
    store.close().await;
}

/// Withdraws a submission, or is told that its window has ended.
fn withdraw(stage: &Stage, url: &str, submission: SubmissionId, sent: &mut Sent) {
    let one = sent.get_mut(&submission).expect("it was sent");
    let before = SystemClock.now();
    match stage.ask(url, &["undo", &submission.to_string()]).0 {
        0 => {
            assert!(before < one.0, "withdrawn after its window");
            one.1 = true;
        }
        code => assert!(code == 5 && SystemClock.now() >= one.0, "refused with {code} before its window ended"),
    }
}

async fn nothing_left_early(store: &Store, stage: &Stage, sent: &Sent) {
    let reckoning = Reckoning::of(store, stage.folder()).await;
    // Every call of the far side's journals has its attempt, and no attempt is younger than its call.
    reckoning.check(reckoning.ledger.total);
    for attempt in reckoning.attempts.values() {
        let message = &reckoning.messages[&attempt.message_id];
        let (until, undone) = sent[&message.submission_id];
        assert!(!undone, "a letter that was withdrawn was handed over");
        assert!(attempt.opened_ms >= until, "a letter left {:?} too early", until.since(attempt.opened_ms));
    }
    for message in reckoning.messages.values() {
        let (_, undone) = sent[&message.submission_id];
        assert_eq!(message.status.as_str() == "cancelled", undone, "{}", message.status);
    }
}
