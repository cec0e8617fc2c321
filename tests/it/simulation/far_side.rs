//! The far side: what really happens to hand-overs, beside what is answered about them. It keeps a journal of every
//! call, as honest as only a simulation can be.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use touchline::domain::attempt::ProviderReference;
use touchline::domain::envelope::Envelope;
use touchline::domain::event::{DeliveryEvent, Fact, Report};
use touchline::domain::fault::{Failure, Fault};
use touchline::domain::id::AttemptId;
use touchline::domain::{Channel, Outcome, Timestamp};
use touchline::provider::{FindResult, Reconciliation};

use super::accounts::Account;

/// The longest that a call may take; after that its answer is unknown and it takes no effect any more.
pub const CALL_MAX: Duration = Duration::from_secs(60);
/// How long a provider's lists may lag behind what it took; less than the settle delay of the rules.
const LAG_MAX: Duration = Duration::from_secs(60);

/// What is to happen to the next call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// It takes effect at its beginning and is accepted.
    Accept,
    /// It takes effect only at its end.
    AcceptLate,
    /// It is accepted under the name of an earlier hand-over.
    AcceptUnderAnOldName,
    /// The provider says no, perhaps with a wish when to come again.
    Refuse(Fault, Option<u64>),
    /// Nothing was connected.
    NotSent,
    /// It takes effect, and the answer is lost.
    LostAfter,
    /// It takes no effect, and nobody can know.
    LostBefore,
}

/// How a hand-over ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Delivered,
    Failed(Fault),
}

/// Something that the far side took.
#[derive(Debug, Clone)]
pub struct Taken {
    pub attempt: AttemptId,
    pub account: Account,
    pub address: String,
    pub reference: String,
    pub at: Timestamp,
    pub visible_from: Timestamp,
    pub fate: Option<Fate>,
    pub cancel_asked: bool,
}

/// One call in the journal.
#[derive(Debug, Clone)]
pub struct Call {
    pub attempt: AttemptId,
    pub node: String,
    pub account: Account,
    pub address: String,
    pub plan: Plan,
    pub began: Timestamp,
    /// `None` while it is under way; a crash ends it too.
    pub ended: Option<Timestamp>,
    pub took_effect: bool,
    pub answered: Option<&'static str>,
}

/// A callback as the provider sends it, perhaps more than once.
#[derive(Debug, Clone)]
pub struct Callback {
    pub account: Account,
    pub event: DeliveryEvent,
}

#[derive(Debug, Default)]
struct Inner {
    next: Option<Plan>,
    lag: Duration,
    deaf: bool,
    references: u64,
    journal: Vec<Call>,
    releases: Vec<(AttemptId, oneshot::Sender<()>)>,
    taken: Vec<Taken>,
    callbacks: Vec<Callback>,
    unsent: BTreeSet<usize>,
}

/// The world outside, shared by the accounts of all nodes.
#[derive(Debug, Default)]
pub struct FarSide {
    inner: Mutex<Inner>,
    /// Told whenever a call has begun.
    pub begun: Notify,
}

impl FarSide {
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("the far side never panics")
    }

    /// What is to happen to the next call, and how long lists lag behind it.
    pub fn plan(&self, plan: Plan, lag: Duration) {
        let mut inner = self.lock();
        inner.next = Some(plan);
        inner.lag = lag.min(LAG_MAX);
    }

    /// Whether questions are answered at all.
    pub fn set_deaf(&self, deaf: bool) {
        self.lock().deaf = deaf;
    }

    pub fn journal(&self) -> Vec<Call> {
        self.lock().journal.clone()
    }

    pub fn taken(&self) -> Vec<Taken> {
        self.lock().taken.clone()
    }

    pub fn callbacks(&self) -> Vec<Callback> {
        self.lock().callbacks.clone()
    }

    /// The callbacks that were not sent yet, by their places.
    pub fn unsent(&self) -> Vec<usize> {
        self.lock().unsent.iter().copied().collect()
    }

    pub fn mark_sent(&self, place: usize) {
        self.lock().unsent.remove(&place);
    }

    /// Lets a call that is under way end.
    pub fn release(&self, attempt: AttemptId) {
        let mut inner = self.lock();
        if let Some(place) = inner.releases.iter().position(|(one, _)| *one == attempt) {
            let (_, release) = inner.releases.remove(place);
            drop(inner);
            let _ = release.send(());
        }
    }

    /// A node is gone, and with it the calls it had under way.
    pub fn cut(&self, node: &str, now: Timestamp) {
        let mut inner = self.lock();
        for call in inner.journal.iter_mut().filter(|call| call.node == node && call.ended.is_none()) {
            call.ended = Some(now);
        }
        let gone: Vec<AttemptId> =
            inner.journal.iter().filter(|call| call.node == node).map(|call| call.attempt).collect();
        inner.releases.retain(|(attempt, _)| !gone.contains(attempt));
    }

    /// What was taken and has not ended, by place.
    pub fn under_way(&self) -> Vec<usize> {
        let inner = self.lock();
        inner.taken.iter().enumerate().filter(|(_, one)| one.fate.is_none()).map(|(place, _)| place).collect()
    }

    /// Tells of progress without an end.
    pub fn progress(&self, place: usize, now: Timestamp) {
        let mut inner = self.lock();
        let one = inner.taken[place].clone();
        inner.call_back(&one, Fact::Progress { stage: "dialing".to_owned() }, now);
    }

    /// Ends a hand-over and tells so, where it tells anything.
    pub fn end(&self, place: usize, fate: Fate, now: Timestamp) {
        let mut inner = self.lock();
        let one = &mut inner.taken[place];
        let fate = if one.cancel_asked { Fate::Failed(Fault::Cancelled) } else { fate };
        one.fate = Some(fate);
        let one = one.clone();
        // A relay says nothing when mail arrives.
        if one.account != Account::MailRelay || fate != Fate::Delivered {
            inner.call_back(&one, fact(Some(fate)), now);
        }
    }

    /// A call begins: it is written down, and perhaps takes effect at once.
    pub fn begin(&self, node: &str, account: Account, envelope: &Envelope, now: Timestamp) -> oneshot::Receiver<()> {
        let mut inner = self.lock();
        let plan = account.as_it_does(inner.next.take().unwrap_or(Plan::Accept));
        let call = Call {
            attempt: envelope.attempt,
            node: node.to_owned(),
            account,
            address: envelope.to.as_str().to_owned(),
            plan,
            began: now,
            ended: None,
            took_effect: false,
            answered: None,
        };
        let place = inner.journal.len();
        inner.journal.push(call);
        if matches!(plan, Plan::Accept | Plan::LostAfter | Plan::AcceptUnderAnOldName) {
            inner.take(place, now);
        }
        let (release, released) = oneshot::channel();
        inner.releases.push((envelope.attempt, release));
        drop(inner);
        self.begun.notify_one();
        released
    }

    /// A call ends: what is answered.
    pub fn answer(&self, attempt: AttemptId, now: Timestamp) -> Outcome {
        let mut inner = self.lock();
        let Some(place) = inner.journal.iter().rposition(|call| call.attempt == attempt) else {
            return Outcome::Unknown(Failure::new(Fault::ProtocolError));
        };
        let call = inner.journal[place].clone();
        let in_time = now.since(call.began) <= CALL_MAX;
        if call.plan == Plan::AcceptLate && in_time {
            inner.take(place, now);
        }
        let outcome = inner.outcome(&call, in_time);
        inner.journal[place].ended = Some(now);
        inner.journal[place].answered = Some(outcome.as_str());
        outcome
    }

    /// # Errors
    /// When it is deaf, or knows no such reference.
    pub fn status(&self, account: Account, reference: &ProviderReference) -> Result<Report, Failure> {
        let inner = self.lock();
        let found = inner.taken.iter().find(|one| one.account == account && one.reference == reference.0);
        match found {
            Some(one) if !inner.deaf => Ok(report(one)),
            _ => Err(Failure::new(Fault::ProviderError)),
        }
    }

    /// # Errors
    /// When it is deaf.
    pub fn find(
        &self,
        account: Account,
        attempt: AttemptId,
        address: &str,
        opened: Timestamp,
        now: Timestamp,
    ) -> Result<FindResult, Failure> {
        let inner = self.lock();
        if inner.deaf {
            return Err(Failure::new(Fault::ProviderError));
        }
        let lists = account != Account::FaxUnlisted;
        let mut seen = inner.taken.iter().filter(|one| lists && one.account == account && one.visible_from <= now);
        if account.reconciliation() == Reconciliation::Heuristic {
            let like = |one: &&Taken| one.address == address && one.at >= opened.before(CALL_MAX);
            return Ok(FindResult::Candidates(seen.filter(like).map(report).collect()));
        }
        Ok(seen.find(|one| one.attempt == attempt).map_or(FindResult::Absent, |one| FindResult::Found(report(one))))
    }

    /// # Errors
    /// When it is too late.
    pub fn cancel(&self, account: Account, reference: &ProviderReference) -> Result<(), Failure> {
        let mut inner = self.lock();
        let found = inner.taken.iter_mut().find(|one| one.account == account && one.reference == reference.0);
        match found {
            Some(one) if one.fate.is_none() => {
                one.cancel_asked = true;
                Ok(())
            }
            _ => Err(Failure::new(Fault::ProtocolError)),
        }
    }
}

impl Inner {
    fn take(&mut self, place: usize, now: Timestamp) {
        self.references += 1;
        let call = &mut self.journal[place];
        call.took_effect = true;
        let taken = Taken {
            attempt: call.attempt,
            account: call.account,
            address: call.address.clone(),
            reference: format!("{}-{}", call.account.name(), self.references),
            at: now,
            visible_from: now.after(self.lag),
            fate: None,
            cancel_asked: false,
        };
        self.taken.push(taken);
    }

    fn outcome(&self, call: &Call, in_time: bool) -> Outcome {
        let lost = || Outcome::Unknown(Failure::new(Fault::ProviderError).text("no answer in time"));
        let ours = self.taken.iter().find(|one| one.attempt == call.attempt);
        match (call.plan, ours) {
            (Plan::Refuse(fault, wish), _) => Outcome::Refused(Failure::new(fault).retry_after(wish)),
            (Plan::NotSent, _) => Outcome::NotSent(Failure::new(Fault::ProviderError).text("connection refused")),
            (Plan::Accept | Plan::AcceptLate, Some(ours)) if in_time => accepted(&ours.reference),
            (Plan::AcceptUnderAnOldName, Some(ours)) if in_time => {
                let old = self.taken.iter().find(|one| one.account == call.account && one.attempt != call.attempt);
                accepted(&old.unwrap_or(ours).reference)
            }
            _ => lost(),
        }
    }

    fn call_back(&mut self, one: &Taken, fact: Fact, now: Timestamp) {
        if one.account == Account::FaxUnlisted {
            return;
        }
        let place = self.callbacks.len();
        let event = DeliveryEvent {
            billed: None,
            returned: None,
            attempt: one.account.echoes().then_some(one.attempt),
            reference: Some(ProviderReference(one.reference.clone())),
            fact,
            occurred_ms: Some(now),
            dedupe: format!("event-{place}"),
        };
        self.callbacks.push(Callback { account: one.account, event });
        self.unsent.insert(place);
    }
}

fn accepted(reference: &str) -> Outcome {
    Outcome::Accepted { reference: ProviderReference(reference.to_owned()) }
}

fn report(one: &Taken) -> Report {
    Report::new(ProviderReference(one.reference.clone()), fact(one.fate))
}

fn fact(fate: Option<Fate>) -> Fact {
    match fate {
        None => Fact::Progress { stage: "sending".to_owned() },
        Some(Fate::Delivered) => Fact::Delivered { pages: Some(1) },
        Some(Fate::Failed(Fault::PartialSend)) => Fact::Failed(Failure::new(Fault::PartialSend).pages(Some(1))),
        Some(Fate::Failed(fault)) => Fact::Failed(Failure::new(fault)),
    }
}

/// What can go wrong with a hand-over that was taken.
pub const fn endings(channel: Channel) -> &'static [Fault] {
    match channel {
        Channel::Fax => &[
            Fault::Busy,
            Fault::Busy,
            Fault::NoAnswer,
            Fault::NotAFax,
            Fault::InvalidNumber,
            Fault::PartialSend,
            Fault::LineError,
        ],
        Channel::Email => &[Fault::MailboxUnknown, Fault::MailboxFull, Fault::PolicyRefusal],
    }
}

/// What a provider may say no to.
pub const fn refusals(channel: Channel) -> &'static [Fault] {
    match channel {
        Channel::Fax => {
            &[Fault::InvalidNumber, Fault::RateLimited, Fault::AccountError, Fault::DocumentError, Fault::Blocked]
        }
        Channel::Email => &[Fault::MailboxUnknown, Fault::Deferred, Fault::RateLimited, Fault::PolicyRefusal],
    }
}
