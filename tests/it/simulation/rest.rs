//! Rest: faults off and time running, until nothing more happens by itself; and what must be true then.

use std::time::Duration;

use touchline::domain::event::Fact;
use touchline::domain::{MessageStatus, Timestamp};
use touchline::settle::{POLL, SUBMIT};
use touchline::store::views::ledger::LedgerOf;

use super::accounts::{SECRET, wire};
use super::acts::Act;
use super::checks::Broken;
use super::far_side::{Fate, Plan};
use super::node::Standing;
use super::picture::Picture;
use super::world::World;

/// Rounds until everything must be at rest. Each round does all that is due and then moves time to what is due next; faxes to
/// one number go one at a time and look again every twenty seconds, so a long list to few numbers takes hundreds.
const ROUNDS_MAX: usize = 600;
/// How long a callback of nobody goes on waiting (the inbox's own limit), and a little more.
const OF_NOBODY: Duration = Duration::from_secs(16 * 60);

impl World<'_> {
    /// Faults off, accounts resumed, time running; then the checks that need rest.
    ///
    /// # Errors
    /// Which promises were broken on the way, or are at the end.
    pub fn come_to_rest(&mut self) -> Result<(), Vec<Broken>> {
        self.tell("faults off, time runs");
        let accounts: Vec<_> = self.shared.routes.all().collect();
        for account in &accounts {
            self.take(&Act::Resume { node: 0, account: *account })?;
        }
        for _ in 0..super::unlisted::rounds(&self.shared.routes, ROUNDS_MAX) {
            self.round()?;
            if self.is_at_rest() {
                self.take(&Act::Tidy { node: 0 })?;
                return self.check_at_rest();
            }
            let wait = self.until_the_next();
            self.take(&Act::Clock(wait))?;
            // A refusal with "account error" pauses an account; a person mends and resumes it.
            for account in &accounts {
                self.resume_if_paused(*account)?;
            }
        }
        Err(vec![Broken::new(15, format!("no rest after {ROUNDS_MAX} rounds: {}", self.standing()))])
    }

    /// Everything that can be done now is done.
    fn round(&mut self) -> Result<(), Vec<Broken>> {
        if self.lists_left() > 0 {
            self.take(&Act::Unfold { node: 0 })?;
        }
        for place in self.shared.far.under_way() {
            self.take(&Act::Works { place, fate: Some(Fate::Delivered) })?;
        }
        for place in self.shared.far.unsent() {
            self.take(&Act::Callback { node: 0, place })?;
        }
        for node in 0..self.nodes.len() {
            self.walk_to_the_end(node)?;
            if self.is_due(SUBMIT) {
                self.take(&Act::Claim { node, urgent: false, free: 3 })?;
                self.walk_to_the_end(node)?;
            }
            if self.is_due(POLL) {
                self.take(&Act::Poll { node, deaf: false })?;
            }
        }
        if self.waiting_callbacks() > 0 {
            self.take(&Act::Apply { node: 0 })?;
        }
        Ok(())
    }

    fn walk_to_the_end(&mut self, node: usize) -> Result<(), Vec<Broken>> {
        while let Some(going) = self.nodes[node].walks.first() {
            let act = match going.standing {
                Standing::Between(_) => Act::Step { node, walk: 0, plan: Plan::Accept, lag: Duration::ZERO },
                Standing::InCall(..) | Standing::Recording(..) => Act::Finish { node, walk: 0 },
            };
            self.take(&act)?;
        }
        Ok(())
    }

    fn resume_if_paused(&mut self, account: super::accounts::Account) -> Result<(), Vec<Broken>> {
        let sql = format!(
            "SELECT provider FROM provider_state WHERE paused_ms IS NOT NULL AND provider = '{}'",
            account.name()
        );
        let paused: Vec<(String,)> = self.house.spy.rows(&sql);
        if paused.is_empty() { Ok(()) } else { self.take(&Act::Resume { node: 0, account }) }
    }

    fn is_at_rest(&mut self) -> bool {
        self.before.entries.is_empty()
            && self.waiting_callbacks() == 0
            && self.lists_left() == 0
            && self.shared.far.under_way().is_empty()
            && self.shared.far.unsent().is_empty()
    }

    fn waiting_callbacks(&mut self) -> usize {
        self.house.spy.rows::<(String,)>("SELECT dedupe FROM inbox WHERE state = 'waiting'").len()
    }

    /// Lists that are recorded and not unfolded yet.
    fn lists_left(&self) -> usize {
        let unfolded = |id| self.before.messages.values().any(|one| one.broadcast_id == Some(id));
        let undone = |id| self.before.windows.get(id).is_some_and(|window| window.undone_ms.is_some());
        self.before.broadcasts.values().filter(|one| !unfolded(one.id) && !undone(&one.submission_id)).count()
    }

    /// How long until something is due again.
    fn until_the_next(&mut self) -> Duration {
        let now = self.now();
        // What is due and was not claimed waits for an account: until its rate allows the next call, or a moment.
        let rate = self.shared.routes.rate_per_minute;
        let an_account = now.after(Duration::from_secs(rate.map_or(1, |rate| 60 / u64::from(rate))));
        let next = self.before.entries.values().map(|entry| match entry.lease_until_ms {
            Some(until) => until.after(Duration::from_millis(1)),
            None if entry.due_ms <= now => an_account,
            None => entry.due_ms,
        });
        let next = next.min().unwrap_or(Timestamp(i64::MAX));
        let nobody =
            if self.lists_left() > 0 || self.waiting_callbacks() > 0 { OF_NOBODY } else { Duration::from_secs(3600) };
        next.since(now).min(nobody).max(Duration::from_millis(100))
    }

    /// What must be true at rest.
    fn check_at_rest(&mut self) -> Result<(), Vec<Broken>> {
        let mut broken = Vec::new();
        self.everything_has_ended(&mut broken);
        self.broadcasts_are_finished(&mut broken);
        self.the_ledger_adds_up(&mut broken);
        self.everything_told_again_changes_nothing(&mut broken)?;
        if broken.is_empty() { Ok(()) } else { Err(broken) }
    }

    /// Invariant 15: Everything is terminal, held, or in doubt for a person.
    fn everything_has_ended(&mut self, broken: &mut Vec<Broken>) {
        for message in self.before.messages.values() {
            let at_rest =
                message.status.is_terminal() || matches!(message.status, MessageStatus::Held | MessageStatus::InDoubt);
            if !at_rest {
                broken.push(Broken::new(15, format!("{} is {} at rest", message.id, message.status)));
            }
        }
    }

    /// Invariant 8: A broadcast of which nothing is held or under way is marked as finished.
    fn broadcasts_are_finished(&mut self, broken: &mut Vec<Broken>) {
        for broadcast in self.before.broadcasts.values() {
            let held = self.before.messages.values().any(|one| {
                one.broadcast_id == Some(broadcast.id)
                    && !one.status.is_terminal()
                    && one.status != MessageStatus::InDoubt
            });
            if broadcast.finished_ms.is_some() == held {
                broken.push(Broken::new(8, format!("finished: {:?}, held: {held}", broadcast.finished_ms)));
            }
        }
    }

    /// Invariant 8: The ledger of everything adds up to the number of messages.
    fn the_ledger_adds_up(&mut self, broken: &mut Vec<Broken>) {
        let node = &self.nodes[0];
        let ledger = node.run(async { node.store().read().await?.ledger(LedgerOf::Everything).await });
        let Ok(ledger) = ledger else {
            broken.push(Broken::new(0, "the ledger cannot be read"));
            return;
        };
        let ends = ledger.delivered + ledger.failed + ledger.suppressed + ledger.cancelled + ledger.expired;
        let sum = ends + ledger.in_doubt + ledger.held + ledger.queued;
        if sum != ledger.total || usize::try_from(ledger.total) != Ok(self.before.messages.len()) {
            broken.push(Broken::new(8, format!("the ledger does not add up: {ledger:?}")));
        }
    }

    /// Invariant 11: Every callback that was applied once more, last first; those that tell of an end even under keys that nobody
    /// has seen. Nothing changes.
    fn everything_told_again_changes_nothing(&mut self, broken: &mut Vec<Broken>) -> Result<(), Vec<Broken>> {
        let known = self.before.clone();
        let applied: Vec<(String,)> = self
            .house
            .spy
            .rows("SELECT inbox_fact.dedupe FROM inbox_fact JOIN inbox ON id = inbox_id WHERE state = 'applied'");
        for (place, mut callback) in self.shared.far.callbacks().into_iter().enumerate().rev() {
            if !applied.contains(&(callback.event.dedupe.clone(),)) {
                continue;
            }
            if !matches!(callback.event.fact, Fact::Progress { .. }) {
                callback.event.dedupe = format!("again-{place}");
            }
            let node = &self.nodes[place % self.nodes.len()];
            let inbox = node.inbox();
            let _ = node.run(inbox.receive(callback.account.name(), &wire(&callback.event, SECRET)));
        }
        self.take(&Act::Apply { node: 0 })?;
        self.sabotage_at_rest();
        let again = Picture::take(&mut self.house.spy);
        let standing = |picture: &Picture| {
            let attempts: Vec<_> = picture.attempts.values().map(|one| (one.id, one.status, one.fault)).collect();
            let messages: Vec<_> = picture.messages.values().map(|one| (one.id, one.status, one.tries)).collect();
            (attempts, messages)
        };
        if standing(&known) != standing(&again) {
            broken.push(Broken::new(11, format!("what was told again changed something: {}", self.standing())));
        }
        Ok(())
    }

    /// Where everything stands, for a failure.
    fn standing(&self) -> String {
        let one = |message: &touchline::domain::message::Message| {
            let entry = self.before.entries.get(&message.id);
            let attempts: Vec<_> = self.before.attempts_of(message.id).iter().map(|one| one.status.as_str()).collect();
            format!("{} {:?} {attempts:?} {entry:?}", message.status, message.reason)
        };
        self.before.messages.values().map(one).collect::<Vec<_>>().join("; ")
    }
}
