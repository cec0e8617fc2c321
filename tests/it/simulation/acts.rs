//! The acts of a history: what can happen next, and how likely each is.

use std::time::Duration;

use touchline::dispatch::walk::Stage;
use touchline::domain::id::MessageId;
use touchline::domain::suppression::Scope;
use touchline::domain::{Channel, MessageStatus};
use touchline::operator;
use touchline::settle::{POLL, SUBMIT};

use super::accounts::Account;
use super::far_side::{Fate, Plan, endings, refusals};
use super::node::{LEASE, Standing};
use super::picture::Entry;
use super::world::World;

/// Messages in one history.
const MESSAGES_MAX: usize = 6;
/// Walks of one node at once; no more than an account's slots, so that nobody waits in real time.
const WALKS_MAX: usize = 3;

/// One thing that happens. Nodes, walks, people, submissions and callbacks are named by their places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    Submit {
        node: usize,
        letter: &'static str,
        to: Recipients,
        via: Vec<Channel>,
        key: Option<u8>,
        /// Whether it can be withdrawn for a while.
        undo: bool,
    },
    /// A list is recorded, and the node goes no further with it.
    SubmitAndLeave {
        node: usize,
        letter: &'static str,
        via: Vec<Channel>,
        undo: bool,
    },
    /// Somebody withdraws a submission.
    Undo {
        node: usize,
        place: usize,
    },
    /// Somebody goes on with lists that were left.
    Unfold {
        node: usize,
    },
    Claim {
        node: usize,
        urgent: bool,
        free: usize,
    },
    Step {
        node: usize,
        walk: usize,
        plan: Plan,
        lag: Duration,
    },
    Finish {
        node: usize,
        walk: usize,
    },
    /// A step on a database that takes no change of that table.
    StepCutOff {
        node: usize,
        walk: usize,
        table: &'static str,
    },
    Crash {
        node: usize,
    },
    Keep {
        node: usize,
    },
    Poll {
        node: usize,
        deaf: bool,
    },
    Works {
        place: usize,
        fate: Option<Fate>,
    },
    Callback {
        node: usize,
        place: usize,
    },
    Forge {
        node: usize,
        place: usize,
    },
    Apply {
        node: usize,
    },
    Suppress {
        node: usize,
        person: usize,
        channel: Channel,
        scope: Scope,
    },
    Lift {
        node: usize,
    },
    Move {
        node: usize,
        person: usize,
    },
    Operator {
        node: usize,
        message: MessageId,
        act: operator::Act,
    },
    Pause {
        node: usize,
        account: Account,
    },
    Resume {
        node: usize,
        account: Account,
    },
    Tidy {
        node: usize,
    },
    Clock(Duration),
}

/// To whom a submission goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recipients {
    One(usize),
    All,
}

impl World<'_> {
    /// Chooses what happens next.
    pub fn choose(&mut self) -> Act {
        let mut acts = Vec::with_capacity(64);
        self.offer_outside(&mut acts);
        for node in 0..self.nodes.len() {
            self.offer_work(node, &mut acts);
        }
        self.offer_people(&mut acts);
        self.offer_time(&mut acts);
        self.chooser.weighted(&acts)
    }

    /// Whether a claim of that kind would find something now.
    pub fn is_due(&self, kind: &str) -> bool {
        let now = self.now();
        let ready = |entry: &Entry| match entry.state.as_str() {
            "ready" => true,
            "waiting" => entry.due_ms <= now,
            _ => entry.lease_until_ms.is_some_and(|until| until < now),
        };
        self.before.entries.values().any(|entry| entry.kind.as_str() == kind && ready(entry))
    }

    fn offer_work(&mut self, node: usize, acts: &mut Vec<(u32, Act)>) {
        let (to_submit, to_poll) = (self.is_due(SUBMIT), self.is_due(POLL));
        let walks = self.nodes[node].walks.len();
        if walks < WALKS_MAX {
            let free = 1 + self.chooser.below(WALKS_MAX - walks);
            acts.push((if to_submit { 9 } else { 1 }, Act::Claim { node, urgent: self.chooser.once_in(4), free }));
        }
        acts.push((if to_poll { 5 } else { 1 }, Act::Poll { node, deaf: self.chooser.once_in(5) }));
        acts.push((2, Act::Apply { node }));
        acts.push((2, Act::Keep { node }));
        if walks > 0 {
            acts.push((2, Act::Crash { node }));
        }
        for walk in 0..walks {
            self.offer_step(node, walk, acts);
        }
    }

    fn offer_step(&mut self, node: usize, walk: usize, acts: &mut Vec<(u32, Act)>) {
        let going = &self.nodes[node].walks[walk];
        match &going.standing {
            Standing::InCall(..) | Standing::Recording(..) => acts.push((8, Act::Finish { node, walk })),
            Standing::Between(_) => {
                let stage = going.stage();
                let channel = self.before.messages.get(&going.message).map_or(Channel::Fax, |one| one.channel());
                let plan = self.plan(channel);
                let lag = Duration::from_secs(self.chooser.one_of(&[0, 0, 30, 60]));
                acts.push((12, Act::Step { node, walk, plan, lag }));
                let cut = matches!(stage, Some(Stage::Prepared | Stage::Answered));
                if cut && self.chooser.once_in(60) {
                    let table = self.chooser.one_of(&["message", "queue_entry", "touch"]);
                    acts.push((12, Act::StepCutOff { node, walk, table }));
                }
            }
        }
    }

    fn plan(&mut self, channel: Channel) -> Plan {
        let refusal = self.chooser.one_of(refusals(channel));
        let wish = self.chooser.one_of(&[None, None, Some(90), Some(3600)]);
        self.chooser.weighted(&[
            (10, Plan::Accept),
            (3, Plan::AcceptLate),
            (1, Plan::AcceptUnderAnOldName),
            (3, Plan::Refuse(refusal, wish)),
            (3, Plan::NotSent),
            (4, Plan::LostAfter),
            (4, Plan::LostBefore),
        ])
    }

    fn offer_outside(&mut self, acts: &mut Vec<(u32, Act)>) {
        let node = self.chooser.below(self.nodes.len());
        if self.before.messages.len() < MESSAGES_MAX {
            let first = self.before.messages.is_empty();
            acts.push((if first { 1000 } else { 6 }, self.a_submission(node)));
            let letter = super::letters::ADVERTISEMENT;
            let undo = self.chooser.once_in(2);
            acts.push((1, Act::SubmitAndLeave { node, letter, via: Channel::ALL.to_vec(), undo }));
        }
        let under_way = self.shared.far.under_way();
        if !under_way.is_empty() {
            let place = self.chooser.one_of(&under_way);
            let channel = self.shared.far.taken()[place].account.spec().channel;
            let fault = self.chooser.one_of(endings(channel));
            let fate = self.chooser.weighted(&[(1, None), (3, Some(Fate::Delivered)), (2, Some(Fate::Failed(fault)))]);
            acts.push((5, Act::Works { place, fate }));
        }
        let (sent, unsent) = (self.shared.far.callbacks().len(), self.shared.far.unsent());
        if !unsent.is_empty() {
            acts.push((5, Act::Callback { node, place: self.chooser.one_of(&unsent) }));
        }
        if sent > 0 {
            acts.push((1, Act::Callback { node, place: self.chooser.below(sent) }));
            acts.push((1, Act::Forge { node, place: self.chooser.below(sent) }));
        }
    }

    pub fn a_submission(&mut self, node: usize) -> Act {
        let letter = self.chooser.one_of(super::letters::ALL);
        let list = letter != super::letters::TREATMENT && self.chooser.once_in(3);
        let to = if list { Recipients::All } else { Recipients::One(self.chooser.below(self.people.len())) };
        let via: &[Channel] = self.chooser.one_of(&[&[Channel::Fax], &[Channel::Email], Channel::ALL]);
        let key = self.chooser.one_of(&[None, Some(1), Some(2)]);
        let undo = self.chooser.once_in(3);
        Act::Submit { node, letter, to, via: via.to_vec(), key, undo }
    }

    fn offer_people(&mut self, acts: &mut Vec<(u32, Act)>) {
        let node = self.chooser.below(self.nodes.len());
        let person = self.chooser.below(self.people.len());
        let channel = self.chooser.one_of(Channel::ALL);
        let scope = self.chooser.one_of(Scope::ALL);
        acts.push((1, Act::Suppress { node, person, channel, scope }));
        if !self.log.refusals.is_empty() {
            acts.push((1, Act::Lift { node }));
        }
        if self.chooser.once_in(3) {
            acts.push((1, Act::Move { node, person }));
        }
        let accounts: Vec<Account> = self.shared.routes.all().collect();
        let account = self.chooser.one_of(&accounts);
        acts.push((1, Act::Pause { node, account }));
        acts.push((3, Act::Resume { node, account }));
        acts.push((1, Act::Tidy { node }));
        acts.push((1, Act::Unfold { node }));
        self.offer_undo(node, acts);
        let messages: Vec<(MessageId, MessageStatus, bool)> =
            self.before.messages.values().map(|one| (one.id, one.status, one.waits_until().is_some())).collect();
        if !messages.is_empty() {
            let (message, status, waits) = self.chooser.one_of(&messages);
            let hurries = waits && self.chooser.once_in(2);
            let act = if hurries { operator::Act::SendNow } else { self.an_operator_act(status) };
            acts.push((4, Act::Operator { node, message, act }));
        }
    }

    /// Mostly what fits, sometimes anything.
    fn an_operator_act(&mut self, status: MessageStatus) -> operator::Act {
        use operator::Act::{Cancel, Hold, MarkNotSent, MarkSent, Release, Retry};
        if self.chooser.once_in(5) {
            return self.chooser.one_of(&[Cancel, Hold, MarkNotSent, MarkSent, Release, Retry]);
        }
        match status {
            MessageStatus::Queued => self.chooser.one_of(&[Hold, Hold, Cancel]),
            MessageStatus::Held => self.chooser.one_of(&[Release, Release, Cancel]),
            MessageStatus::InDoubt => self.chooser.one_of(&[MarkSent, MarkNotSent, MarkNotSent]),
            MessageStatus::Accepted => Cancel,
            _ => Retry,
        }
    }

    fn offer_time(&mut self, acts: &mut Vec<(u32, Act)>) {
        let seconds = |chooser: &mut super::chooser::Chooser, least, most| {
            Act::Clock(Duration::from_millis(chooser.between(least * 1000, most * 1000)))
        };
        acts.push((5, seconds(&mut self.chooser, 0, 20)));
        acts.push((3, seconds(&mut self.chooser, 60, 900)));
        acts.push((3, seconds(&mut self.chooser, LEASE.as_secs(), 3 * LEASE.as_secs())));
        acts.push((1, seconds(&mut self.chooser, 3600, 26 * 3600)));
    }
}
