//! The seeded simulation.

mod accounts;
mod acts;
mod calls;
mod canaries;
mod checks;
mod chooser;
mod doing;
mod fairness;
mod far_side;
mod history;
mod house;
mod letters;
mod node;
mod order;
mod picture;
mod rest;
mod spy;
mod twin_databases;
mod twins;
mod world;

use house::House;

/// Histories on each engine in an ordinary run.
const ON_SQLITE: u64 = 300;
const ON_POSTGRES: u64 = 100;

/// The seeds to live: one that is named, or so many.
fn seeds(count: u64) -> Box<dyn Iterator<Item = u64>> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    match number("TOUCHLINE_SIM_SEED") {
        Some(seed) => Box::new(std::iter::once(seed)),
        None => {
            let from = number("TOUCHLINE_SIM_FROM").unwrap_or(0);
            Box::new(from..from + number("TOUCHLINE_SIM_HISTORIES").unwrap_or(count))
        }
    }
}

#[test]
fn histories_keep_every_promise_on_sqlite() {
    let began = std::time::Instant::now();
    let acts = history::live_all(&mut House::sqlite(), seeds(ON_SQLITE));
    eprintln!("{acts} acts in {:?}", began.elapsed());
}

#[test]
fn histories_keep_every_promise_on_postgres() {
    let Some(mut house) = House::postgres() else { return };
    let began = std::time::Instant::now();
    let acts = history::live_all(&mut house, seeds(ON_POSTGRES));
    eprintln!("{acts} acts in {:?}", began.elapsed());
}
