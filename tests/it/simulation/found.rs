//! What the simulation has found, each by the seed that showed it or by the few acts it takes.

use std::time::Duration;

use touchline::dispatch::walk::Stage;
use touchline::domain::attempt::AttemptStatus;
use touchline::domain::{Channel, MessageStatus};

use super::acts::{Act, Recipients};
use super::far_side::Plan;
use super::house::House;
use super::letters::INFORMATIONAL;
use super::node::Standing;
use super::world::World;

fn must(world: &mut World<'_>, act: &Act) {
    if let Err(broken) = world.take(act) {
        panic!("{broken:?}\n{}", world.story());
    }
}

fn submitted(house: &mut House, to: Recipients) -> World<'_> {
    // Its accounts are fax-heuristic, fax-exact and mail-exact, without a rate.
    let mut world = World::new(house, 0, None);
    must(
        &mut world,
        &Act::Submit { node: 0, letter: INFORMATIONAL, to, via: vec![Channel::Email], key: None, undo: false },
    );
    world
}

fn step(world: &mut World<'_>, node: usize, plan: Plan) {
    must(world, &Act::Step { node, walk: 0, plan, lag: Duration::ZERO });
}

/// A node claimed a message whose call another node had left, and was slow; meanwhile its claim was taken over, the doubt
/// was settled and the next call begun. The slow one took that call for the one it had come for.
#[test]
fn a_late_claim_does_not_put_a_call_in_doubt_that_another_node_is_making() {
    let mut house = House::sqlite();
    let mut world = submitted(&mut house, Recipients::One(0));
    must(&mut world, &Act::Claim { node: 0, urgent: false, free: 1 });
    for _ in 0..2 {
        step(&mut world, 0, Plan::LostBefore);
    }
    must(&mut world, &Act::Crash { node: 0 });
    must(&mut world, &Act::Clock(Duration::from_secs(61)));
    // The slow one comes for the call that was left.
    must(&mut world, &Act::Claim { node: 0, urgent: false, free: 1 });
    for _ in 0..4 {
        must(&mut world, &Act::Clock(Duration::from_secs(125)));
        must(&mut world, &Act::Claim { node: 1, urgent: false, free: 1 });
        if !world.nodes[1].walks.is_empty() {
            step(&mut world, 1, Plan::Accept);
        }
    }
    while world.nodes[1].walks.first().is_some_and(|going| going.stage() != Some(Stage::Opened)) {
        step(&mut world, 1, Plan::Accept);
    }
    let calling =
        |world: &World<'_>| world.before.attempts.values().filter(|one| one.status == AttemptStatus::Calling).count();
    assert_eq!(calling(&world), 1, "the second call is under way\n{}", world.story());
    step(&mut world, 0, Plan::Accept);
    assert_eq!(calling(&world), 1, "and stays so\n{}", world.story());
}

/// A broadcast is finished with a message in doubt; a person says that it was not sent, and it goes out again.
#[test]
fn a_broadcast_goes_on_when_a_doubt_turns_out_to_be_work() {
    let mut house = House::sqlite();
    let mut world = submitted(&mut house, Recipients::All);
    for _ in 0..2 {
        must(&mut world, &Act::Claim { node: 0, urgent: false, free: 3 });
        while !world.nodes[0].walks.is_empty() {
            let in_call = world.nodes[0].walks[0].stage().is_none();
            if in_call {
                must(&mut world, &Act::Finish { node: 0, walk: 0 });
            } else {
                step(&mut world, 0, Plan::LostBefore);
            }
        }
        must(&mut world, &Act::Crash { node: 0 });
    }
    must(&mut world, &Act::Tidy { node: 0 });
    let finished = |world: &World<'_>| world.before.broadcasts.values().all(|one| one.finished_ms.is_some());
    assert!(finished(&world), "all of it is in doubt\n{}", world.story());
    let message = world.before.messages.values().find(|one| one.status == MessageStatus::InDoubt).expect("doubt").id;
    let act = touchline::operator::Act::MarkNotSent;
    must(&mut world, &Act::Operator { node: 0, message, act });
    assert!(!finished(&world), "it goes on");
}

/// Two faxes to one number; the first call has been answered, and the database has refused to take the answer.
fn refused_record(house: &mut House, plan: Plan) -> World<'_> {
    let mut world = World::new(house, 0, None);
    // The third and the fourth share a number.
    for person in [2, 3] {
        let (to, via) = (Recipients::One(person), vec![Channel::Fax]);
        must(&mut world, &Act::Submit { node: 0, letter: INFORMATIONAL, to, via, key: None, undo: false });
    }
    must(&mut world, &Act::Claim { node: 0, urgent: false, free: 1 });
    for _ in 0..3 {
        step(&mut world, 0, plan);
    }
    must(&mut world, &Act::Finish { node: 0, walk: 0 });
    must(&mut world, &Act::StepCutOff { node: 0, walk: 0, table: "queue_entry" });
    assert!(matches!(world.nodes[0].walks[0].standing, Standing::Recording(..)), "{}", world.story());
    world
}

fn statuses(world: &World<'_>) -> Vec<AttemptStatus> {
    world.before.attempts.values().map(|one| one.status).collect()
}

/// A record that the database refused was offered again a tenth of a second later by the machine's clock, between two other
/// acts. It waits for the history now.
#[test]
fn a_record_that_was_refused_is_offered_again_when_the_history_says_so() {
    let mut house = House::sqlite();
    let mut world = refused_record(&mut house, Plan::AcceptLate);
    for _ in 0..3 {
        assert_eq!(statuses(&world), [AttemptStatus::Calling], "the number is busy\n{}", world.story());
        must(&mut world, &Act::Clock(Duration::from_secs(10)));
        must(&mut world, &Act::Claim { node: 1, urgent: false, free: 1 });
        while !world.nodes[1].walks.is_empty() {
            step(&mut world, 1, Plan::Accept);
        }
    }
    must(&mut world, &Act::Finish { node: 0, walk: 0 });
    assert_eq!(statuses(&world), [AttemptStatus::Accepted], "{}", world.story());
}

/// The same as it went wrong: the record lands, nobody looks, and the next gate is held against a picture of the past. Then
/// the checker accuses a gate that did right, which is why nothing may happen between two acts.
#[test]
fn a_record_that_lands_behind_the_history_looks_like_a_call_to_a_busy_number() {
    let mut house = House::sqlite();
    let mut world = refused_record(&mut house, Plan::NotSent);
    must(&mut world, &Act::Claim { node: 1, urgent: false, free: 1 });
    step(&mut world, 1, Plan::Accept);
    assert_eq!(world.nodes[1].walks[0].stage(), Some(Stage::Prepared), "{}", world.story());
    let far = world.shared.far.clone();
    world.nodes[0].finish(0, &far).expect("recorded");
    let gate = Act::Step { node: 1, walk: 0, plan: Plan::Accept, lag: Duration::ZERO };
    let broken: Vec<u8> = world.take(&gate).err().into_iter().flatten().map(|one| one.invariant).collect();
    assert!(broken.contains(&5), "{broken:?}\n{}", world.story());
}

/// A node that slept between its gate and its call wakes when another one has long found out that nothing was sent, and
/// has sent it. It must not begin its call any more.
#[test]
fn a_call_whose_turn_is_over_is_not_begun() {
    let mut house = House::sqlite();
    let mut world = submitted(&mut house, Recipients::One(0));
    must(&mut world, &Act::Claim { node: 0, urgent: false, free: 1 });
    for _ in 0..2 {
        step(&mut world, 0, Plan::Accept);
    }
    assert_eq!(world.nodes[0].walks[0].stage(), Some(Stage::Opened));
    while !world.before.messages.values().any(|one| one.status == MessageStatus::Accepted) {
        must(&mut world, &Act::Clock(Duration::from_secs(125)));
        must(&mut world, &Act::Claim { node: 1, urgent: false, free: 1 });
        while let Some(going) = world.nodes[1].walks.first() {
            match going.stage() {
                Some(_) => step(&mut world, 1, Plan::Accept),
                None => must(&mut world, &Act::Finish { node: 1, walk: 0 }),
            }
        }
    }
    step(&mut world, 0, Plan::Accept);
    let calls = world.shared.far.journal().len();
    assert_eq!(calls, 1, "the other node's\n{}", world.story());
    step(&mut world, 0, Plan::Accept);
    assert_eq!(world.before.messages.values().next().map(|one| one.status), Some(MessageStatus::Accepted));
}

/// A listing that can be compared by number and time only may miss the fax that was made: finding nothing there, twice or
/// ten times, sends nothing again.
#[test]
fn a_fax_not_found_by_number_and_time_alone_is_left_to_a_person() {
    let mut house = House::sqlite();
    // Its first fax account is fax-heuristic.
    let mut world = World::new(&mut house, 0, None);
    let via = vec![Channel::Fax];
    must(
        &mut world,
        &Act::Submit { node: 0, letter: INFORMATIONAL, to: Recipients::One(0), via, key: None, undo: false },
    );
    for wait in [0, 125, 125, 125, 125, 3600, 2 * 86_400, 125] {
        must(&mut world, &Act::Clock(Duration::from_secs(wait)));
        must(&mut world, &Act::Claim { node: 0, urgent: false, free: 1 });
        for _ in 0..8 {
            if !world.nodes[0].walks.is_empty() {
                step(&mut world, 0, Plan::LostBefore);
            }
        }
        must(&mut world, &Act::Crash { node: 0 });
    }
    let attempts: Vec<_> = world.before.attempts.values().map(|one| one.status).collect();
    assert_eq!(attempts, [AttemptStatus::InDoubt], "{}", world.story());
}
