//! The checks on calls: at the moment a call begins it stands still, so that what is committed can be looked at.

use std::time::Duration;

use chrono::Timelike;

use touchline::domain::attempt::{Attempt, AttemptStatus};
use touchline::domain::id::{AttemptId, MessageId};
use touchline::domain::{Channel, Purpose, Timestamp};
use touchline::settle::SmtpDoubt;

use super::accounts::{Account, CONCURRENCY};
use super::checks::Broken;
use super::doing::Step;
use super::far_side::{Call, Fate, Plan};
use super::picture::Picture;
use super::world::{World, keeps_hours};

/// A number counts as being called for this long (the gate's own limit).
const NUMBER_BUSY: Duration = Duration::from_secs(30 * 60);
/// Calls that the layers let through beyond the slots, for questions.
const BESIDE: usize = 2;

pub fn check(before: &Picture, after: &Picture, step: &Step, world: &World<'_>, broken: &mut Vec<Broken>) {
    if let Some(attempt) = step.opened {
        no_pass_against_a_refusal(attempt, before, after, world, broken);
        no_faster_than_the_rate(attempt, world, broken);
        one_call_per_number(attempt, before, world, broken);
        only_in_office_hours(attempt, before, world, broken);
    }
    if let Some(attempt) = step.began {
        on_record(attempt, after, broken);
        not_again(attempt, after, world, broken);
        super::unlisted::one_resend_at_most(attempt, world, broken);
        no_more_than_the_slots(attempt, world, broken);
    }
}

/// Invariant 2: Every call has an attempt on record, committed before.
fn on_record(attempt: AttemptId, after: &Picture, broken: &mut Vec<Broken>) {
    if !after.attempts.contains_key(&attempt) {
        broken.push(Broken::new(2, format!("a call without a record: {attempt}")));
    }
}

/// Invariant 3: Nothing is sent again unless the first is known not to have arrived, or a person or a written setting wants it.
/// Told from the far side's truth: whatever it took of the same message before must have failed there.
fn not_again(attempt: AttemptId, after: &Picture, world: &World<'_>, broken: &mut Vec<Broken>) {
    let Some(message) = message_of(attempt, world) else { return };
    let asked = |since: usize| world.log.resends.iter().any(|(one, at)| *one == message && *at >= since);
    let by_setting = after.messages.get(&message).is_some_and(|one| one.channel() == Channel::Email)
        && world.shared.rules.smtp_doubt == SmtpDoubt::Resend;
    for taken in world.shared.far.taken() {
        let same = taken.attempt != attempt
            && taken.account != Account::FaxUnlisted
            && message_of(taken.attempt, world) == Some(message);
        let since = world.log.passes.iter().find(|pass| pass.attempt == taken.attempt).map_or(0, |pass| pass.count);
        let harmless = matches!(taken.fate, Some(Fate::Failed(_)));
        if same && !harmless && !by_setting && !asked(since) {
            let words = format!("{message} is called again although attempt {} was taken", taken.attempt);
            broken.push(Broken::new(3, words));
        }
    }
    let attempts = after.attempts_of(message);
    let known_bad = attempts.iter().filter(|one| is_known_bad(one.status)).count();
    let resends = world.log.resends.iter().filter(|(one, _)| *one == message).count();
    let calls =
        world.shared.far.journal().iter().filter(|call| message_of(call.attempt, world) == Some(message)).count();
    if !by_setting && calls > 1 + known_bad + resends {
        broken.push(Broken::new(3, format!("{calls} calls for {message}, {known_bad} known bad, {resends} resends")));
    }
}

const fn is_known_bad(status: AttemptStatus) -> bool {
    matches!(status, AttemptStatus::Refused | AttemptStatus::NotSent | AttemptStatus::Failed)
}

/// Which message an attempt is of, by the onlooker's own notes.
pub fn message_of(attempt: AttemptId, world: &World<'_>) -> Option<MessageId> {
    world.log.passes.iter().find(|pass| pass.attempt == attempt).map(|pass| pass.message)
}

/// Invariant 4: No gate lets a message through after the commit of a refusal of its address, or after its end. (The call follows
/// the gate's commit at once; a refusal that comes between the two finds a letter that is already on its way.)
fn no_pass_against_a_refusal(
    attempt: AttemptId,
    before: &Picture,
    after: &Picture,
    world: &World<'_>,
    broken: &mut Vec<Broken>,
) {
    let Some(message) = message_of(attempt, world).and_then(|id| before.messages.get(&id)) else { return };
    if message.status.is_terminal() {
        broken.push(Broken::new(4, format!("{} was let through although it was {}", message.id, message.status)));
    }
    let key = message.address.key();
    let refused = world.log.refusals.iter().any(|one| {
        one.address.channel() == message.channel() && one.address.key() == key && one.scope.covers(message.purpose)
    });
    if refused && after.attempts.contains_key(&attempt) {
        broken.push(Broken::new(4, format!("{} was let through to an address that refused", message.id)));
    }
}

/// Invariant 5 and 6: The gate lets nobody through to a number that is being called, over all nodes: to which another attempt is
/// open and passed the gate less than half an hour ago.
fn one_call_per_number(attempt: AttemptId, before: &Picture, world: &World<'_>, broken: &mut Vec<Broken>) {
    let Some(message) = message_of(attempt, world).and_then(|id| before.messages.get(&id)) else { return };
    if message.channel() != Channel::Fax {
        return;
    }
    let recent = |id: AttemptId| {
        world.log.passes.iter().any(|pass| pass.attempt == id && world.now().since(pass.at) < NUMBER_BUSY)
    };
    let busy = |other: &&Attempt| {
        let theirs = before.messages.get(&other.message_id);
        let to_the_same = theirs.is_some_and(|one| one.address == message.address && !one.status.is_terminal());
        other.id != attempt && other.status.is_open() && to_the_same && recent(other.id)
    };
    if before.attempts.values().any(|other| busy(&other)) {
        broken.push(Broken::new(5, "a number is called while another call to it is under way"));
    }
}

/// Invariant 5: No letter to win a referrer passes the gate outside office hours, unless a person said so. Everybody is in Chicago,
/// and their hours are read off the clock there.
fn only_in_office_hours(attempt: AttemptId, before: &Picture, world: &World<'_>, broken: &mut Vec<Broken>) {
    let Some(pass) = world.log.passes.iter().find(|pass| pass.attempt == attempt) else { return };
    let Some(message) = before.messages.get(&pass.message) else { return };
    let hour = pass.at.to_utc().with_timezone(&chrono_tz::America::Chicago).hour();
    let open = matches!(hour, 9 | 10 | 11 | 13 | 14 | 15);
    let may = open || message.purpose == Purpose::Treatment || world.log.hurried.contains(&message.id);
    if keeps_hours(world.seed) && !may {
        broken.push(Broken::new(5, format!("{} passed the gate at {hour} o'clock", message.id)));
    }
}

/// Invariant 6: Starts in any window are no more than rate times window and the burst, all nodes together.
fn no_faster_than_the_rate(attempt: AttemptId, world: &World<'_>, broken: &mut Vec<Broken>) {
    let Some(rate) = world.shared.routes.rate_per_minute else { return };
    let Some(account) = world.log.passes.iter().find(|pass| pass.attempt == attempt).and_then(|pass| pass.account)
    else {
        return;
    };
    let starts: Vec<Timestamp> =
        world.log.passes.iter().filter(|pass| pass.account == Some(account)).map(|pass| pass.at).collect();
    if let Some(words) = too_fast(&starts, rate) {
        broken.push(Broken::new(6, format!("{}: {words}", account.name())));
    }
}

/// The first window with too many starts in it.
pub fn too_fast(starts: &[Timestamp], rate: u32) -> Option<String> {
    let interval = 60_000 / i64::from(rate);
    let burst = i64::from((rate / 10).max(1));
    for (first, from) in starts.iter().enumerate() {
        for (count, to) in (1_i64..).zip(&starts[first..]) {
            let allowed = (to.0 - from.0) / interval + burst;
            if count > allowed {
                return Some(format!("{count} starts within {} ms, {allowed} allowed", to.0 - from.0));
            }
        }
    }
    None
}

/// Invariant 6: In flight per account and node no more than its slots.
fn no_more_than_the_slots(attempt: AttemptId, world: &World<'_>, broken: &mut Vec<Broken>) {
    let journal = world.shared.far.journal();
    let Some(call) = journal.iter().rfind(|call| call.attempt == attempt) else { return };
    let in_flight = |one: &&Call| one.node == call.node && one.account == call.account && one.ended.is_none();
    let count = journal.iter().filter(in_flight).count();
    if count > CONCURRENCY + BESIDE {
        broken.push(Broken::new(6, format!("{count} calls under way at once on {}", call.account.name())));
    }
}

impl World<'_> {
    /// Whether the provider asked us to come back later.
    pub fn wished(&self, attempt: AttemptId) -> bool {
        let wish = |call: &Call| call.attempt == attempt && matches!(call.plan, Plan::Refuse(_, Some(_)));
        self.shared.far.journal().iter().any(wish) || self.broken_circuit(attempt)
    }

    /// Whether the call never came out of the house, because the account rested.
    fn broken_circuit(&self, attempt: AttemptId) -> bool {
        !self.shared.far.journal().iter().any(|call| call.attempt == attempt)
    }
}
