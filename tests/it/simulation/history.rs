//! Histories: each seed is one, lived from its beginning to its rest.

use super::checks::Broken;
use super::house::House;
use super::world::World;

/// Acts of one history before its faults end.
const ACTS_LEAST: usize = 20;
const ACTS_SPREAD: usize = 50;
/// Failed histories after which no more are lived.
const FAILURES_MAX: usize = 20;

/// Lives one history to its rest.
///
/// # Errors
/// Which promises it broke, where it stopped.
pub fn live(world: &mut World<'_>) -> Result<(), Vec<Broken>> {
    let acts = ACTS_LEAST + world.chooser.below(ACTS_SPREAD);
    for _ in 0..acts {
        let act = world.choose();
        world.take(&act)?;
    }
    world.come_to_rest()
}

/// Lives the histories of these seeds; answers how many acts they had.
///
/// # Panics
/// With the histories that break a promise, and the last steps of the first of them and how to repeat it.
pub fn live_all(house: &mut House, seeds: impl Iterator<Item = u64>) -> usize {
    let (mut acts, mut failures) = (0, Vec::new());
    let mut story = String::new();
    let (mut looking, mut dropped, mut born) =
        (std::time::Duration::ZERO, std::time::Duration::ZERO, std::time::Duration::ZERO);
    let mut spent = std::collections::BTreeMap::new();
    for seed in seeds {
        let t = std::time::Instant::now();
        let mut world = World::new(house, seed, None);
        born += t.elapsed();
        if let Err(broken) = live(&mut world) {
            let words: Vec<String> = broken.iter().map(ToString::to_string).collect();
            failures.push(format!("seed {seed}: {}", words.join("; ")));
            if story.is_empty() {
                story = world.story();
            }
        }
        acts += world.log.count;
        looking += world.log.looking;
        for (word, (count, time)) in &world.log.spent {
            let all: &mut (u32, std::time::Duration) = spent.entry(word.clone()).or_default();
            *all = (all.0 + count, all.1 + *time);
        }
        let dropping = std::time::Instant::now();
        drop(world);
        dropped += dropping.elapsed();
        if failures.len() >= FAILURES_MAX {
            break;
        }
    }
    eprintln!("looking {looking:?} born {born:?} dropped {dropped:?} {spent:#?}");
    assert!(failures.is_empty(), "{}\n{story}", failures.join("\n"));
    acts
}
