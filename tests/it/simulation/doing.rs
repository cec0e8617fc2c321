//! Doing: one act is carried out, through the same functions as in production, and checked.

use std::str::FromStr;

use serde_json::json;
use touchline::consent;
use touchline::dispatch::walk::Stage;
use touchline::domain::id::{AttemptId, MessageId};
use touchline::domain::suppression::{Scope, SuppressionReason, SuppressionSource};
use touchline::domain::{Actor, Address, Channel, FaxNumber};
use touchline::feedback::inbox::Received;
use touchline::intake::request::Request;
use touchline::intake::{self, IntakeError, unfold};
use touchline::operator::{self, OperatorError};
use touchline::provider::Rejection;
use touchline::queue::Lanes;
use touchline::referrers;
use touchline::referrers::audience::Audience;
use touchline::store::StoreError;
use touchline::{feedback, upkeep};

use super::accounts::{Account, SECRET, wire};
use super::acts::{Act, Recipients};
use super::checks::{self, Broken};
use super::node::Standing;
use super::picture::Picture;
use super::undoing::WINDOW_SECONDS;
use super::world::{CANARY, Pass, Refused, World, address_of, basis};

/// What an act came to, as far as a check needs it.
#[derive(Debug, Default)]
pub struct Step {
    /// The walk that took a step.
    pub walk: Option<Walked>,
    /// The attempt that the gate has put on record.
    pub opened: Option<AttemptId>,
    /// The call that has begun.
    pub began: Option<AttemptId>,
    /// What a person did with which message, and it was allowed.
    pub operator_act: Option<(MessageId, operator::Act)>,
    /// An error that nothing in the act explains.
    pub failed: Option<String>,
    /// What went wrong with the answer itself.
    pub broken: Vec<Broken>,
}

/// One step of a walk.
#[derive(Debug, Clone, Copy)]
pub struct Walked {
    pub message: MessageId,
    pub from: Option<Stage>,
    pub to: Option<Stage>,
    /// The entry and the fence it was claimed under.
    pub claim: Option<(i64, i64)>,
}

impl World<'_> {
    /// Carries out an act, looks at what is committed afterwards, and checks it.
    ///
    /// # Errors
    /// Which promises it broke.
    pub fn take(&mut self, act: &Act) -> Result<(), Vec<Broken>> {
        self.log.count += 1;
        self.sabotage_before(act);
        let step = self.carry_out(act);
        self.house.spy.settle();
        self.sabotage_after(act, &step);
        let after = self.look(act);
        self.learn_fences(&after);
        self.note_pass(&step, &after);
        self.tell_of(act, &step, &after);
        self.note_windows(&after);
        let mut broken = checks::after_step(&self.before, &after, &step, self);
        broken.extend(step.broken);
        self.note_fences(&after);
        self.before = after;
        if broken.is_empty() { Ok(()) } else { Err(broken) }
    }

    /// A picture of what is committed now; the last one where nobody changed anything.
    fn look(&mut self, act: &Act) -> Picture {
        if self.sabotage.is_some() {
            return Picture::take(&mut self.house.spy);
        }
        let idle = matches!(act, Act::Clock(_) | Act::Works { .. });
        if idle || !self.house.spy.may_differ() {
            return self.before.clone();
        }
        match act {
            Act::Tidy { .. }
            | Act::Unfold { .. }
            | Act::SubmitAndLeave { .. }
            | Act::Operator { .. }
            | Act::Undo { .. } => Picture::take(&mut self.house.spy),
            _ => Picture::take_after(&mut self.house.spy, &self.before),
        }
    }

    fn carry_out(&mut self, act: &Act) -> Step {
        match act {
            Act::Submit { node, letter, to, via, key, undo } => self.submit(*node, letter, *to, via, *key, *undo),
            Act::SubmitAndLeave { node, letter, via, undo } => self.submit_and_leave(*node, letter, via, *undo),
            Act::Undo { node, place } => self.undo(*node, *place),
            Act::Unfold { node } => {
                let node = &self.nodes[*node];
                node.run(unfold::resume(node.intake())).map(drop).into()
            }
            Act::Claim { node, urgent, free } => {
                let lanes = if *urgent { Lanes::Urgent } else { Lanes::All };
                self.nodes[*node].claim(lanes, *free).map(drop).into()
            }
            Act::Step { node, walk, plan, lag } => {
                self.shared.far.plan(*plan, *lag);
                self.step(*node, *walk, false)
            }
            Act::StepCutOff { node, walk, table } => {
                self.house.spy.cut(table);
                let step = self.step(*node, *walk, true);
                self.house.spy.mend(table);
                step
            }
            Act::Finish { node, walk } => self.finish(*node, *walk),
            Act::Crash { node } => {
                self.crash(*node);
                Step::default()
            }
            Act::Keep { node } => self.nodes[*node].keep().into(),
            Act::Poll { node, deaf } => {
                self.shared.far.set_deaf(*deaf);
                let node = &self.nodes[*node];
                let asked = node.run(feedback::poll_some(node.feedback(), 2));
                self.shared.far.set_deaf(false);
                asked.map(drop).into()
            }
            Act::Works { place, fate } => {
                let now = self.now();
                match fate {
                    Some(fate) => self.shared.far.end(*place, *fate, now),
                    None => self.shared.far.progress(*place, now),
                }
                Step::default()
            }
            Act::Callback { node, place } => self.call_back(*node, *place),
            Act::Forge { node, place } => self.forge(*node, *place),
            Act::Apply { node } => {
                let inbox = self.nodes[*node].inbox();
                self.nodes[*node].run(inbox.apply_some()).map(drop).into()
            }
            Act::Suppress { node, person, channel, scope } => {
                self.suppress(*node, &address_of(*person, *channel), *scope)
            }
            Act::Lift { node } => self.lift(*node),
            Act::Move { node, person } => self.move_out(*node, *person),
            Act::Operator { node, message, act } => self.operator_act(*node, *message, *act),
            Act::Pause { node, account } => self.pause(*node, *account, Some("a person paused it")),
            Act::Resume { node, account } => self.pause(*node, *account, None),
            Act::Tidy { node } => {
                let (node, clock) = (&self.nodes[*node], self.shared.clock.clone());
                node.run(upkeep::tidy(node.store(), clock.as_ref())).into()
            }
            Act::Clock(wait) => {
                self.shared.clock.advance(*wait);
                Step::default()
            }
        }
    }

    fn submit(
        &mut self,
        node: usize,
        letter: &str,
        to: Recipients,
        via: &[Channel],
        key: Option<u8>,
        undo: bool,
    ) -> Step {
        let to = match to {
            Recipients::All => Audience::All,
            Recipients::One(person) => Audience::from_str(&self.people[person].to_string()).expect("an id"),
        };
        let request = request(letter, to, via, key, undo);
        let node = &self.nodes[node];
        let answer = node.run(intake::submit(node.intake(), &request));
        let mut step = Step::default();
        let Some(key) = key else {
            step.failed = answer.err().map(|error| error.to_string());
            return step;
        };
        step.broken = checks::same_key_same_answer(self.log.keys.get(&key), &request, &answer);
        if let Ok(accepted) = answer {
            self.log.keys.entry(key).or_insert((request, accepted));
        }
        step
    }

    /// A list is looked at and recorded; then its node has other things to do.
    fn submit_and_leave(&mut self, node: usize, letter: &str, via: &[Channel], undo: bool) -> Step {
        let request = request(letter, Audience::All, via, None, undo);
        let node = &self.nodes[node];
        let done = node.run(async {
            if let intake::list::Prepared::New(ready) = intake::list::prepare(node.intake(), &request).await? {
                let mut tx = node.store().write().await?;
                intake::list::record(&mut tx, node.intake(), &request, &ready).await?;
                tx.commit().await?;
            }
            Ok::<(), IntakeError>(())
        });
        done.into()
    }

    fn step(&mut self, node: usize, place: usize, cut: bool) -> Step {
        let going = &self.nodes[node].walks[place];
        let mut walked = Walked { message: going.message, from: going.stage(), to: None, claim: going.claim };
        let Standing::Between(walk) = &going.standing else { return Step::default() };
        let attempt = walk.attempt();
        let far = self.shared.far.clone();
        let done =
            if cut { self.nodes[node].step_cut_off(place) } else { self.nodes[node].step(place, &far).map(Some) };
        let mut step = Step::default();
        match done {
            Ok(stage) => walked.to = stage,
            Err(error) if !cut => step.failed = Some(error.to_string()),
            Err(_) => {}
        }
        if walked.from == Some(Stage::Prepared) && walked.to == Some(Stage::Opened) {
            step.opened = self.attempt_of(node, place);
        }
        if walked.from == Some(Stage::Opened) && walked.to == Some(Stage::Opened) {
            step.began = attempt;
        }
        step.walk = Some(walked);
        step
    }

    /// The gate let a message through: over which account, the record says.
    fn note_pass(&mut self, step: &Step, after: &Picture) {
        let (Some(attempt), Some(walked)) = (step.opened, step.walk) else { return };
        let account = after.attempts.get(&attempt).and_then(|one| Account::named(&one.provider));
        let pass = Pass { attempt, message: walked.message, account, at: self.now(), count: self.log.count };
        self.log.passes.push(pass);
    }

    fn attempt_of(&self, node: usize, place: usize) -> Option<AttemptId> {
        match &self.nodes[node].walks[place].standing {
            Standing::Between(walk) => walk.attempt(),
            Standing::InCall(attempt, _) => Some(*attempt),
            Standing::Recording(..) => None,
        }
    }

    fn finish(&mut self, node: usize, place: usize) -> Step {
        let going = &self.nodes[node].walks[place];
        let walked = Walked { message: going.message, from: None, to: None, claim: going.claim };
        let far = self.shared.far.clone();
        let done = self.nodes[node].finish(place, &far);
        let mut step: Step = done.map(drop).into();
        step.walk = Some(walked);
        step
    }

    /// A node is gone, and comes back under another name.
    fn crash(&mut self, node: usize) {
        self.nodes[node].crash();
        self.shared.far.cut(&self.nodes[node].name, self.now());
        self.nodes[node] = self.born(node);
    }

    fn call_back(&mut self, node: usize, place: usize) -> Step {
        let callback = self.shared.far.callbacks()[place].clone();
        self.shared.far.mark_sent(place);
        let inbox = self.nodes[node].inbox();
        let received = self.nodes[node].run(inbox.receive(callback.account.name(), &wire(&callback.event, SECRET)));
        match received {
            Ok(Received::Kept(_)) => Step::default(),
            other => Step { failed: Some(format!("a genuine callback was {other:?}")), ..Step::default() },
        }
    }

    fn forge(&mut self, node: usize, place: usize) -> Step {
        let callback = self.shared.far.callbacks()[place].clone();
        let inbox = self.nodes[node].inbox();
        let received = self.nodes[node].run(inbox.receive(callback.account.name(), &wire(&callback.event, "forged")));
        match received {
            Ok(Received::Rejected(Rejection::Forged)) => Step::default(),
            other => Step { failed: Some(format!("a forged callback was {other:?}")), ..Step::default() },
        }
    }

    fn suppress(&mut self, node: usize, address: &Address, scope: Scope) -> Step {
        self.log.refusals.push(Refused { id: None, address: address.clone(), scope });
        if self.a_suppression_is_lost() {
            return Step::default();
        }
        let refusal = consent::Refusal {
            address: address.clone(),
            scope,
            reason: SuppressionReason::OptOut,
            source: SuppressionSource::Operator,
            evidence: None,
            who: Actor::operator("sam"),
            because: None,
            expires_ms: None,
        };
        let node = &self.nodes[node];
        let done = node.run(consent::suppress(&node.consent(), &refusal));
        let found = node.run(async { node.store().read().await?.suppressions_of(address).await });
        let id = found.ok().and_then(|rows| rows.into_iter().find(|row| row.scope == scope)).map(|row| row.id);
        if let Some(last) = self.log.refusals.last_mut() {
            last.id = id;
        }
        done.map(drop).into()
    }

    /// The first refusal ends, and with a new permission the number may be faxed to again.
    fn lift(&mut self, node: usize) -> Step {
        let first = self.log.refusals[0].clone();
        self.log.refusals.retain(|one| (&one.address, one.scope) != (&first.address, first.scope));
        let now = self.now();
        let node = &self.nodes[node];
        let Some(id) = first.id else { return Step::default() };
        let done = node.run(async {
            consent::lift(&node.consent(), id, &Actor::operator("sam"), "they asked for it").await?;
            match &first.address {
                Address::Fax(number) => {
                    consent::add_basis(&node.consent(), &basis(number.clone(), now), &Actor::operator("sam")).await
                }
                Address::Email(_) => Ok(()),
            }
        });
        done.into()
    }

    /// An office gets another number, with a permission for it.
    fn move_out(&mut self, node: usize, person: usize) -> Step {
        let number = FaxNumber::parse(&format!("+1312555{:04}", 150 + self.log.count % 40)).expect("a number");
        let now = self.now();
        let (node, id) = (&self.nodes[node], self.people[person]);
        let done = node.run(async {
            consent::add_basis(&node.consent(), &basis(number.clone(), now), &Actor::operator("sam"))
                .await
                .map_err(|error| error.to_string())?;
            referrers::edit(&node.referrers(), id, &Actor::operator("sam"), |one| one.fax = Some(number))
                .await
                .map_err(|error| error.to_string())
        });
        done.map(drop).into()
    }

    fn operator_act(&mut self, node: usize, message: MessageId, act: operator::Act) -> Step {
        let node = &self.nodes[node];
        match node.run(operator::act(&node.operator(), message, act, &Actor::operator("sam"))) {
            Ok(_) => {
                if matches!(act, operator::Act::Retry | operator::Act::MarkNotSent) {
                    self.log.resends.push((message, self.log.count));
                }
                match act {
                    operator::Act::SendNow => drop(self.log.hurried.insert(message)),
                    operator::Act::Retry | operator::Act::Hold => drop(self.log.hurried.remove(&message)),
                    _ => {}
                }
                Step { operator_act: Some((message, act)), ..Step::default() }
            }
            Err(OperatorError::WrongState(_)) => Step::default(),
            Err(error) => Step { failed: Some(error.to_string()), ..Step::default() },
        }
    }

    fn pause(&mut self, node: usize, account: Account, reason: Option<&str>) -> Step {
        let (node, now) = (&self.nodes[node], self.now());
        let done: Result<(), StoreError> = node.run(async {
            let mut tx = node.store().write().await?;
            tx.provider_ensure(account.name(), now).await?;
            tx.provider_pause(account.name(), reason, now).await?;
            tx.commit().await
        });
        done.into()
    }

    /// What was claimed in this act gets its fence, as it lies in the table.
    fn learn_fences(&mut self, after: &Picture) {
        for node in &mut self.nodes {
            let name = node.name.clone();
            for going in node.walks.iter_mut().filter(|going| going.claim.is_none()) {
                let entry = after.entries.get(&going.message);
                going.claim = entry
                    .filter(|entry| entry.owner.as_deref() == Some(name.as_str()))
                    .map(|entry| (entry.id, entry.fence));
            }
        }
    }

    fn note_fences(&mut self, after: &Picture) {
        for entry in after.entries.values() {
            self.log.fences.insert(entry.id, entry.fence);
        }
    }

    /// A line for the trace, without addresses.
    fn tell_of(&mut self, act: &Act, step: &Step, after: &Picture) {
        let mut words = match act {
            Act::Step { node, plan, .. } => {
                let walked = step.walk;
                let to_call = walked.is_some_and(|one| one.from == Some(Stage::Opened));
                let plan = if to_call { format!(" {plan:?}") } else { String::new() };
                let (from, to) = walked.map_or((None, None), |one| (one.from, one.to));
                format!("{} {from:?} -> {to:?}{plan}", self.nodes[*node].name)
            }
            Act::Claim { node, .. }
            | Act::Unfold { node }
            | Act::Keep { node }
            | Act::Apply { node }
            | Act::Crash { node } => {
                format!("{act:?} {}", self.nodes[*node].name)
            }
            Act::Operator { act, .. } => format!("person: {act:?}, allowed: {}", step.operator_act.is_some()),
            other => format!("{other:?}"),
        };
        if let Some(walked) = step.walk {
            words = format!("{} {words}", self.name('m', walked.message.0));
        }
        if let Act::Operator { message, .. } = act {
            words = format!("{} {words}", self.name('m', message.0));
        }
        words.push_str(&self.differences(after));
        if let Some(error) = &step.failed {
            words = format!("{words}; failed: {error}");
        }
        self.tell(&words);
    }

    /// What changed, message by message.
    fn differences(&mut self, after: &Picture) -> String {
        let (mut text, now) = (String::new(), self.now());
        for (id, message) in &after.messages {
            let shown = |picture: &Picture| {
                let attempts: Vec<String> = picture
                    .attempts_of(*id)
                    .iter()
                    .map(|one| format!("{}{}:{}", one.number, one.provider.get(..5).unwrap_or(""), one.status))
                    .collect();
                let entry = picture.entries.get(id);
                let queue = entry.map_or_else(
                    || "-".to_owned(),
                    |entry| {
                        let owner = entry.owner.as_deref().unwrap_or("");
                        let wait = (entry.due_ms.0 - now.0) / 1000;
                        format!("{} {}{owner} f{} {wait}s", entry.kind, entry.state, entry.fence)
                    },
                );
                let status = picture.messages.get(id).map(|one| (one.status, one.reason));
                (status, attempts, queue)
            };
            let (was, is) = (shown(&self.before), shown(after));
            if was.0 != is.0 || was.1 != is.1 || self.before.entries.get(id) != after.entries.get(id) {
                let name = self.name('m', id.0);
                let reason = message.reason.map(touchline::domain::Reason::as_str).unwrap_or("");
                text.push_str(&format!(
                    " | {name} {} {} {reason} [{}] ({})",
                    message.channel(),
                    message.status,
                    is.1.join(" "),
                    is.2
                ));
            }
        }
        text
    }
}

fn request(letter: &str, to: Audience, via: &[Channel], key: Option<u8>, undo: bool) -> Request {
    Request {
        letter: letter.to_owned(),
        to,
        via: via.to_vec(),
        variables: json!({ "word": CANARY }).as_object().expect("an object").clone(),
        at: None,
        who: Actor::operator("dana"),
        idempotency_key: key.map(|key| format!("key-{key}")),
        individually: std::collections::BTreeMap::new(),
        // The guard against repeats has tests of its own; here the same letters go to the same few people.
        again: true,
        now: false,
        undo_seconds: undo.then_some(WINDOW_SECONDS),
        run: None,
    }
}

impl<E: ToString> From<Result<(), E>> for Step {
    fn from(done: Result<(), E>) -> Self {
        Self { failed: done.err().map(|error| error.to_string()), ..Self::default() }
    }
}
