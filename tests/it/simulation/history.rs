//! Histories: each seed is one, run from its start until nothing more happens.

use super::checks::Broken;
use super::house::House;
use super::world::World;

/// Acts of one history before its faults end.
const ACTS_LEAST: usize = 15;
const ACTS_SPREAD: usize = 45;
/// One in so many histories comes to its rest, unless `TOUCHLINE_SIM_REST` is set, as every night: then all do.
const COMES_TO_REST: usize = 3;
/// Failed histories after which no more are lived.
const FAILURES_MAX: usize = 20;

/// Lives one history, and one in three to its rest: coming to rest takes four times as many acts as all before it, and shows
/// less that is new.
///
/// # Errors
/// Which promises it broke, where it stopped.
pub fn live(world: &mut World<'_>) -> Result<(), Vec<Broken>> {
    let acts = ACTS_LEAST + world.chooser.below(ACTS_SPREAD);
    for _ in 0..acts {
        let act = world.choose();
        world.take(&act)?;
    }
    let chosen = world.chooser.once_in(COMES_TO_REST);
    if chosen || std::env::var_os("TOUCHLINE_SIM_REST").is_some() { world.come_to_rest() } else { Ok(()) }
}

/// Lives the histories of these seeds; answers how many acts they had.
///
/// # Panics
/// With the histories that break a promise, and the last steps of the first of them and how to repeat it.
pub fn live_all(house: &mut House, seeds: impl Iterator<Item = u64>) -> usize {
    let (mut acts, mut failures, mut story) = (0, Vec::new(), String::new());
    for seed in seeds {
        let mut world = World::new(house, seed, None);
        if let Err(broken) = live(&mut world) {
            let words: Vec<String> = broken.iter().map(ToString::to_string).collect();
            failures.push(format!("seed {seed}: {}", words.join("; ")));
            if story.is_empty() {
                story = world.story();
            }
        }
        acts += world.log.count;
        if failures.len() >= FAILURES_MAX {
            break;
        }
    }
    assert!(failures.is_empty(), "{}\n{story}", failures.join("\n"));
    acts
}
