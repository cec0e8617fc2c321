//! The broken twins: for each check one way of doing it wrong, which the check must catch. Some put a step of the walk
//! out of its order, some break the database's rules by hand, some the rules of the world.

use std::iter;

use touchline::dispatch::walk::Stage;
use touchline::domain::MessageStatus;

use super::acts::Act;
use super::doing::Step;
use super::history;
use super::house::House;
use super::world::World;

/// What is done wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sabotage {
    /// A second attempt is opened beside an open one.
    SecondAttempt,
    /// The call is made although the gate's commit is lost.
    CallBeforeCommit,
    /// The answer is not recorded, and the attempt taken for not sent.
    RecordSkipped,
    /// A refusal is answered and never written.
    SuppressionIgnored,
    /// The gate does not see that a number is being called.
    BusyNumberForgotten,
    /// What waits for office hours is taken for what a person let go.
    OfficeHoursForgotten,
    /// The gate does not see when the account's last hand-over was.
    RateForgotten,
    /// A queue entry is lost.
    EntryDeleted,
    /// A message of a broadcast is counted twice.
    BroadcastMiscounted,
    /// A broadcast is finished while it goes on.
    BroadcastFinishedEarly,
    /// Something delivered is queued again.
    TerminalReopened,
    /// A claim is taken over under its old fence.
    FenceTurnedBack,
    /// A claim is taken from its holder, and the holder's changes count all the same.
    LiveLeaseReaped,
    /// The last one to tell is right, whatever is known.
    LastWordWins,
    /// Somebody writes a touch by hand.
    TouchByHand,
    /// A permanent refusal is tried again.
    PermanentRefusalRetried,
    /// A retry comes at once.
    RetryAtOnce,
    /// A claim never ends.
    EndlessLease,
    /// Idempotency keys are forgotten.
    KeyForgotten,
    /// It is forgotten that a letter went out again because it was not found.
    ResendForgotten,
    /// Undo windows are forgotten once the submission is accepted.
    UndoWindowForgotten,
}

impl World<'_> {
    /// Whether this world's suppressions get lost.
    pub fn a_suppression_is_lost(&self) -> bool {
        self.sabotage == Some(Sabotage::SuppressionIgnored)
    }

    /// What is put wrong before an act.
    pub fn sabotage_before(&mut self, act: &Act) {
        let stage = match act {
            Act::Step { node, walk, .. } => self.nodes[*node].walks[*walk].stage(),
            _ => None,
        };
        let to_gate = stage == Some(Stage::Prepared);
        match self.sabotage {
            Some(Sabotage::BusyNumberForgotten) if to_gate => {
                self.tamper("UPDATE attempt SET opened_ms = opened_ms - 3600000");
            }
            Some(Sabotage::OfficeHoursForgotten) if to_gate || matches!(act, Act::Claim { .. }) => {
                self.tamper(OFFICE_HOURS_FORGOTTEN);
            }
            Some(Sabotage::RateForgotten) if to_gate => self.tamper("UPDATE provider_state SET arrival_ms = 0"),
            Some(Sabotage::UndoWindowForgotten) if matches!(act, Act::Claim { .. }) => self.tamper(WINDOWS_FORGOTTEN),
            Some(Sabotage::ResendForgotten) if matches!(act, Act::Claim { .. } | Act::Step { .. }) => {
                self.tamper("DELETE FROM event WHERE kind = 'found_absent'");
            }
            Some(Sabotage::KeyForgotten) if matches!(act, Act::Submit { .. }) => {
                self.tamper("UPDATE submission SET idempotency_key = NULL");
            }
            _ => {}
        }
    }

    /// What is put wrong after an act, before anybody looks.
    pub fn sabotage_after(&mut self, act: &Act, step: &Step) {
        let Some(sabotage) = self.sabotage else { return };
        let (from, to) = step.walk.map_or((None, None), |walked| (walked.from, walked.to));
        let opened = step.opened.is_some();
        let recorded = from == Some(Stage::Answered) && to == Some(Stage::Done);
        match sabotage {
            Sabotage::SecondAttempt if opened => self.tamper(SECOND_ATTEMPT),
            Sabotage::CallBeforeCommit if opened => self.tamper("DELETE FROM attempt WHERE status = 'calling'"),
            Sabotage::RecordSkipped if recorded => self.tamper(&self.record_skipped(step)),
            Sabotage::EntryDeleted if matches!(act, Act::Claim { .. }) => self.tamper("DELETE FROM queue_entry"),
            Sabotage::BroadcastMiscounted => self.tamper("UPDATE broadcast SET total = total + 1"),
            Sabotage::BroadcastFinishedEarly => self.tamper("UPDATE broadcast SET finished_ms = 1"),
            Sabotage::TerminalReopened if self.something(MessageStatus::Delivered) => {
                self.tamper("UPDATE message SET status = 'held', settled_ms = NULL WHERE status = 'delivered'");
            }
            Sabotage::FenceTurnedBack if matches!(act, Act::Keep { .. }) => {
                self.tamper("UPDATE queue_entry SET fence = fence - 1 WHERE fence > 0");
            }
            Sabotage::LiveLeaseReaped if from == Some(Stage::Claimed) => self.tamper(LEASE_REAPED),
            Sabotage::TouchByHand => self.tamper("UPDATE touch SET disposition = 'failed'"),
            Sabotage::PermanentRefusalRetried if recorded => self.tamper(&refusal_retried(step)),
            Sabotage::RetryAtOnce if recorded => {
                let which = walked(step);
                self.tamper(&format!("UPDATE message SET due_ms = 1 WHERE status = 'queued' AND id = {which}"));
            }
            Sabotage::EndlessLease => {
                self.tamper("UPDATE queue_entry SET lease_until_ms = 9000000000000000 WHERE state = 'leased'");
            }
            _ => {}
        }
    }

    /// What is put wrong at the very end.
    pub fn sabotage_at_rest(&mut self) {
        if self.sabotage == Some(Sabotage::LastWordWins) {
            self.tamper("UPDATE attempt SET status = 'failed' WHERE status = 'delivered'");
        }
    }

    /// As if nothing had been answered to a first attempt: it comes again in good time.
    fn record_skipped(&self, step: &Step) -> String {
        let (which, due) = (walked(step), self.now().0 + 70_000);
        let first = format!(
            "(SELECT message_id FROM attempt WHERE message_id = {which} AND number = 1
                AND status IN ('accepted', 'in_doubt'))"
        );
        format!(
            "UPDATE queue_entry SET state = 'waiting', kind = 'submit', due_ms = {due}, owner = NULL,
                lease_until_ms = NULL WHERE subject IN {first};
            UPDATE message SET status = 'queued', reason = NULL, due_ms = {due} WHERE id IN {first}
                AND id IN (SELECT subject FROM queue_entry);
            UPDATE attempt SET status = 'not_sent', fault = NULL WHERE status IN ('accepted', 'in_doubt')
                AND message_id = {which} AND message_id IN (SELECT subject FROM queue_entry)"
        )
    }

    fn something(&self, status: MessageStatus) -> bool {
        self.before.messages.values().any(|one| one.status == status)
    }

    fn tamper(&mut self, sql: &str) {
        self.house.spy.tamper(sql);
        self.sabotaged = true;
    }
}

const SECOND_ATTEMPT: &str = "DROP INDEX IF EXISTS attempt_open;
    INSERT INTO attempt (id, message_id, number, provider, status, document_hash, opened_ms, looks)
    SELECT randomblob(16), message_id, number + 1, provider, 'calling', document_hash, opened_ms, 0 FROM attempt
    WHERE status = 'calling'";
const OFFICE_HOURS_FORGOTTEN: &str = "UPDATE queue_entry SET due_ms = 0 WHERE subject IN
        (SELECT id FROM message WHERE status = 'queued' AND reason = 'outside_office_hours');
    UPDATE message SET any_hour_ms = 1, due_ms = 0 WHERE status = 'queued'";
const LEASE_REAPED: &str = "UPDATE queue_entry SET fence = fence + 1 WHERE state = 'leased';
    UPDATE queue_entry SET due_ms = due_ms + 1";

const WINDOWS_FORGOTTEN: &str = "UPDATE submission SET undo_until_ms = NULL;
    UPDATE message SET due_ms = created_ms WHERE status = 'queued' AND id NOT IN (SELECT message_id FROM attempt);
    UPDATE queue_entry SET due_ms = 1 WHERE state = 'waiting' AND subject NOT IN (SELECT message_id FROM attempt)";

/// The message of the walk that took a step, as SQLite writes it.
fn walked(step: &Step) -> String {
    step.walk.map_or_else(|| "NULL".to_owned(), |walk| format!("X'{}'", walk.message.0.simple()))
}

fn refusal_retried(step: &Step) -> String {
    let which = walked(step);
    format!(
        "INSERT INTO queue_entry (kind, subject, lane, flow, rank, due_ms, state, fence, claims)
            SELECT 'submit', id, lane, id, 1, due_ms, 'waiting', 0, 0 FROM message
            WHERE status = 'failed' AND id = {which};
        UPDATE message SET status = 'queued', settled_ms = NULL WHERE status = 'failed' AND id = {which}"
    )
}

/// Histories in which a broken twin must be caught.
const HISTORIES: u64 = 150;

/// Lives histories with something put wrong until this promise is seen broken: first the one that showed it when this was
/// written, then others. What was seen instead, if it never is.
fn caught(sabotage: Sabotage, invariant: u8, first: u64) -> Result<(), Vec<u8>> {
    let (mut house, mut seen) = (House::sqlite(), Vec::new());
    for seed in iter::once(first).chain(0..HISTORIES) {
        let mut world = World::new(&mut house, seed, Some(sabotage));
        let Err(broken) = history::live(&mut world) else { continue };
        assert!(world.sabotaged || world.a_suppression_is_lost(), "seed {seed} fails without being put wrong");
        seen = broken.into_iter().map(|one| one.invariant).collect();
        if seen.contains(&invariant) {
            return Ok(());
        }
    }
    Err(seen)
}

macro_rules! twins {
    ($($test:ident: $sabotage:ident breaks $invariant:literal, as in $seed:literal;)+) => {$(
        #[test]
        fn $test() {
            assert_eq!(caught(Sabotage::$sabotage, $invariant, $seed), Ok(()));
        }
    )+};
}

twins! {
    the_checker_for_open_attempts_catches_a_second_one: SecondAttempt breaks 1, as in 0;
    the_checker_for_records_catches_a_call_before_its_commit: CallBeforeCommit breaks 2, as in 0;
    the_checker_for_repeats_catches_a_skipped_record: RecordSkipped breaks 3, as in 0;
    the_checker_for_repeats_catches_a_resend_that_is_forgotten: ResendForgotten breaks 3, as in 0;
    the_checker_for_refusals_catches_an_ignored_one: SuppressionIgnored breaks 4, as in 0;
    the_checker_for_busy_numbers_catches_two_calls_to_one: BusyNumberForgotten breaks 5, as in 24;
    the_checker_for_office_hours_catches_a_letter_at_night: OfficeHoursForgotten breaks 5, as in 0;
    the_checker_for_rates_catches_a_forgotten_one: RateForgotten breaks 6, as in 0;
    the_checker_for_next_steps_catches_a_lost_entry: EntryDeleted breaks 7, as in 0;
    the_checker_for_broadcasts_catches_a_wrong_total: BroadcastMiscounted breaks 8, as in 0;
    the_checker_for_broadcasts_catches_an_early_finish: BroadcastFinishedEarly breaks 8, as in 0;
    the_checker_for_endings_catches_one_that_is_undone: TerminalReopened breaks 9, as in 5;
    the_checker_for_fences_catches_one_that_goes_back: FenceTurnedBack breaks 10, as in 0;
    the_checker_for_fences_catches_a_stale_walk_that_changes_the_queue: LiveLeaseReaped breaks 10, as in 0;
    the_checker_for_repeated_events_catches_a_last_word_that_wins: LastWordWins breaks 11, as in 0;
    the_checker_for_touches_catches_one_written_by_hand: TouchByHand breaks 12, as in 0;
    the_checker_for_retries_catches_a_permanent_refusal_tried_again: PermanentRefusalRetried breaks 14, as in 0;
    the_checker_for_retries_catches_one_that_comes_at_once: RetryAtOnce breaks 14, as in 0;
    the_checker_for_rest_catches_a_claim_that_never_ends: EndlessLease breaks 15, as in 0;
    the_checker_for_keys_catches_a_forgotten_one: KeyForgotten breaks 16, as in 0;
    the_checker_for_undo_windows_catches_a_forgotten_one: UndoWindowForgotten breaks 19, as in 0;
}
