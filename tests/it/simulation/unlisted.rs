//! A provider that cannot be found out: it takes every fax, answers with an internal error, lists nothing and calls nobody
//! back. A look-up that finds nothing there proves nothing, which nobody can know: so it may cost one copy, and not more.

use std::time::Duration;

use touchline::domain::attempt::AttemptStatus;
use touchline::domain::id::AttemptId;
use touchline::domain::{Channel, MessageStatus, PolicyReason};

use super::accounts::{Account, Routes};
use super::acts::{Act, Recipients};
use super::calls::message_of;
use super::checks::Broken;
use super::far_side::{Fate, Plan};
use super::house::House;
use super::letters::INFORMATIONAL;
use super::world::World;

/// One world in so many has this provider, and no other for faxes.
const ONE_IN: u64 = 7;
/// A world that has it.
const SEED: u64 = 3;

/// The routes of a world. Drawn from the seed alone, so that all other worlds stay as they are.
pub fn routes_of(seed: u64, routes: Routes) -> Routes {
    if seed % ONE_IN == SEED { Routes { fax: vec![Account::FaxUnlisted], ..routes } } else { routes }
}

impl Account {
    /// What happens to a call: this provider takes what it does not refuse, and never says so.
    pub const fn as_it_does(self, plan: Plan) -> Plan {
        match (self, plan) {
            (Self::FaxUnlisted, Plan::Refuse(..) | Plan::NotSent) => plan,
            (Self::FaxUnlisted, _) => Plan::LostAfter,
            _ => plan,
        }
    }
}

/// How many rounds a world takes to come to rest. Every fax goes out twice here, and each holds up its number for half an
/// hour, which the others look at every twenty seconds.
pub fn rounds(routes: &Routes, ordinary: usize) -> usize {
    if routes.fax.contains(&Account::FaxUnlisted) { ordinary * 5 } else { ordinary }
}

/// Invariant 3: Of what such a provider took and did not lose, at most one copy more goes to it than a person asked for.
pub fn one_resend_at_most(attempt: AttemptId, world: &World<'_>, broken: &mut Vec<Broken>) {
    let Some(message) = message_of(attempt, world) else { return };
    let asked = world.log.resends.iter().filter(|(one, _)| *one == message).map(|(_, count)| *count).max();
    let passed = |id: AttemptId| world.log.passes.iter().find(|pass| pass.attempt == id).map(|pass| pass.count);
    let copies = world.shared.far.taken().into_iter().filter(|taken| {
        taken.account == Account::FaxUnlisted
            && taken.attempt != attempt
            && !matches!(taken.fate, Some(Fate::Failed(_)))
            && message_of(taken.attempt, world) == Some(message)
            && passed(taken.attempt) >= asked
    });
    let copies = copies.count();
    if copies > 1 {
        broken.push(Broken::new(3, format!("{message} is sent again by itself although {copies} copies were taken")));
    }
}

/// The whole story: a letter to it goes out twice, and then a person decides.
#[test]
fn what_a_provider_takes_and_lists_nowhere_goes_out_twice_and_then_waits_for_a_person() {
    let mut house = House::sqlite();
    let mut world = World::new(&mut house, SEED, None);
    let take = |world: &mut World<'_>, act: &Act| {
        if let Err(broken) = world.take(act) {
            panic!("{broken:?}\n{}", world.story());
        }
    };
    let (to, via) = (Recipients::One(0), vec![Channel::Fax]);
    take(&mut world, &Act::Submit { node: 0, letter: INFORMATIONAL, to, via, key: None, undo: false });
    for _ in 0..60 {
        take(&mut world, &Act::Claim { node: 0, urgent: false, free: 1 });
        while let Some(going) = world.nodes[0].walks.first() {
            let act = match going.stage() {
                Some(_) => Act::Step { node: 0, walk: 0, plan: Plan::Accept, lag: Duration::ZERO },
                None => Act::Finish { node: 0, walk: 0 },
            };
            take(&mut world, &act);
        }
        take(&mut world, &Act::Clock(Duration::from_secs(3600)));
    }
    assert_eq!(world.shared.far.taken().len(), 2, "{}", world.story());
    let message = world.before.messages.values().next().expect("one");
    assert_eq!((message.status, message.reason), (MessageStatus::InDoubt, Some(PolicyReason::NotFoundAgain.into())));
    let attempts: Vec<_> = world.before.attempts_of(message.id).iter().map(|one| one.status).collect();
    assert_eq!(attempts, [AttemptStatus::NotSent, AttemptStatus::InDoubt]);
}
