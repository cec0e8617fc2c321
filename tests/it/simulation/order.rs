//! Invariant 11: any order and any duplication of the same events gives the same final state.

use std::time::Duration;

use touchline::dispatch::walk::Stage;
use touchline::domain::attempt::{AttemptStatus, ProviderReference};
use touchline::domain::event::{DeliveryEvent, Fact};
use touchline::domain::fault::{Failure, Fault};
use touchline::domain::touch::Disposition;
use touchline::domain::{Channel, MessageStatus};

use super::accounts::{SECRET, wire};
use super::acts::{Act, Recipients};
use super::chooser::Chooser;
use super::far_side::Plan;
use super::house::House;
use super::letters::INFORMATIONAL;
use super::node::Standing;
use super::world::World;

/// Shufflings of each set of facts.
const SHUFFLINGS: u64 = 8;

/// Where a letter stands.
type State = (AttemptStatus, MessageStatus, Disposition);

/// What may be told of one hand-over.
fn sets() -> Vec<(Channel, Vec<Fact>)> {
    let progress = || Fact::Progress { stage: "sending".to_owned() };
    let delivered = || Fact::Delivered { pages: Some(1) };
    let failed = |fault| Fact::Failed(Failure::new(fault));
    vec![
        (Channel::Fax, vec![progress(), failed(Fault::Busy), delivered()]),
        (Channel::Fax, vec![progress(), failed(Fault::InvalidNumber)]),
        (Channel::Fax, vec![progress(), progress(), delivered()]),
        (Channel::Email, vec![progress(), delivered(), failed(Fault::MailboxUnknown)]),
        (Channel::Email, vec![progress(), failed(Fault::MailboxFull)]),
    ]
}

/// A letter is accepted by its provider, then these facts come in, each in a batch of its own or all in one.
fn told(house: &mut House, channel: Channel, facts: &[Fact], at_once: bool) -> State {
    let mut world = World::new(house, 7, None);
    let to = Recipients::One(0);
    must(&mut world, &Act::Submit { node: 0, letter: INFORMATIONAL, to, via: vec![channel], key: None, undo: false });
    must(&mut world, &Act::Claim { node: 0, urgent: false, free: 1 });
    while let Some(going) = world.nodes[0].walks.first() {
        let act = match going.standing {
            Standing::Between(_) => Act::Step { node: 0, walk: 0, plan: Plan::Accept, lag: Duration::ZERO },
            Standing::InCall(..) | Standing::Recording(..) => Act::Finish { node: 0, walk: 0 },
        };
        must(&mut world, &act);
    }
    let attempt = world.before.attempts.values().next().expect("an attempt").clone();
    for (place, fact) in facts.iter().enumerate() {
        let event = DeliveryEvent {
            billed: None,
            returned: None,
            attempt: Some(attempt.id),
            reference: attempt.provider_reference.clone().map(ProviderReference),
            fact: fact.clone(),
            occurred_ms: None,
            dedupe: format!("fact-{place}"),
        };
        let inbox = world.nodes[1].inbox();
        world.nodes[1].run(inbox.receive(&attempt.provider, &wire(&event, SECRET))).expect("kept");
        if !at_once {
            must(&mut world, &Act::Apply { node: place % 2 });
        }
    }
    must(&mut world, &Act::Apply { node: 0 });
    let attempt = &world.before.attempts[&attempt.id];
    let message = &world.before.messages[&attempt.message_id];
    (attempt.status, message.status, world.before.touches[&message.touch_id].disposition)
}

fn must(world: &mut World<'_>, act: &Act) {
    if let Err(broken) = world.take(act) {
        panic!("{broken:?}\n{}", world.story());
    }
}

#[test]
fn any_order_and_any_duplication_of_the_same_events_gives_the_same_final_state() {
    for mut house in [Some(House::sqlite()), House::postgres()].into_iter().flatten() {
        for (channel, facts) in sets() {
            let state = told(&mut house, channel, &facts, false);
            for seed in 0..SHUFFLINGS {
                let mut chooser = Chooser::new(seed);
                let mut shuffled = facts.clone();
                for _ in 0..chooser.below(3) {
                    shuffled.push(facts[chooser.below(facts.len())].clone());
                }
                for place in (1..shuffled.len()).rev() {
                    shuffled.swap(place, chooser.below(place + 1));
                }
                let again = told(&mut house, channel, &shuffled, chooser.once_in(2));
                assert_eq!(again, state, "{channel} on {}: {shuffled:?}", house.engine());
            }
        }
    }
}

/// The stages by name, so that a renamed one is noticed here as well.
#[test]
fn a_walk_goes_from_claimed_to_done_in_four_steps() {
    let mut house = House::sqlite();
    let mut world = World::new(&mut house, 7, None);
    let to = Recipients::One(0);
    must(
        &mut world,
        &Act::Submit { node: 0, letter: INFORMATIONAL, to, via: vec![Channel::Email], key: None, undo: false },
    );
    must(&mut world, &Act::Claim { node: 0, urgent: false, free: 1 });
    let mut seen = Vec::new();
    while let Some(going) = world.nodes[0].walks.first() {
        seen.push(going.stage());
        let act = match going.standing {
            Standing::Between(_) => Act::Step { node: 0, walk: 0, plan: Plan::Accept, lag: Duration::ZERO },
            Standing::InCall(..) | Standing::Recording(..) => Act::Finish { node: 0, walk: 0 },
        };
        must(&mut world, &act);
    }
    let stages = [Stage::Claimed, Stage::Prepared, Stage::Opened].map(Some).to_vec();
    assert_eq!(seen, [stages, vec![None, Some(Stage::Answered)]].concat(), "the call itself is the one in the middle");
}
