//! The seeded simulation: two or three nodes on one real database work through messages, and a chooser that knows
//! nothing but its seed says what happens next.
//!
//! Each step of each message's walk (claim, prepare, gate, call, answer, record) is an act of its own; between them nodes
//! crash and come back under new names, leases run out, callbacks come early, late, doubled, in any order or forged, the
//! poller asks, the clock jumps, people submit, refuse, hold, release, cancel, retry and decide doubts, accounts are
//! paused, the database takes no changes for a while. Then faults end, time runs, and everything must come to rest.
//!
//! The far side ([`far_side`], [`accounts`]) implements the crate's own `Provider` and keeps a journal of what truly
//! happened beside what it answered. After every act two pictures of what is committed ([`picture`]), taken over a
//! connection of its own ([`spy`]), are compared ([`checks`], [`calls`]); what needs rest or both databases is looked
//! at afterwards.
//!
//! | invariant (design §10) | where | when |
//! | --- | --- | --- |
//! | 1 one open attempt per message | `checks` | every act |
//! | 2 every call has a committed record | `calls` | as the call stands still in its middle |
//! | 3 nothing is sent again blindly | `calls`: by the far side's truth for every account, and by count | every call |
//! | 3 at most one resend by itself, whatever the provider hides | `unlisted` | every call |
//! | 4 no call after a refusal or an end | `calls`: at the gate, whose commit the call follows | every gate |
//! | 5 allowed hours, caps | `calls`: office hours, one call at a time per number; cadence does not exist yet | every gate |
//! | 6 rate, in flight | `calls`: every window of all starts; slots of each node | every gate, every call |
//! | 7 one status, one next step | `checks` | every act |
//! | 8 broadcasts add up | `checks`; `rest`: the ledger, and that it is marked as finished | every act, at rest |
//! | 9 terminal stays terminal | `checks`, save evidence that it arrived, a late bounce, a person's retry | every act |
//! | 10 fences grow, stale walks change nothing | `checks` | every act |
//! | 11 any order, any duplication | `order`; `rest`: everything reported again changes nothing | by itself; at rest |
//! | 12 touches are projections | `checks` | every act |
//! | 13 fairness | `fairness` | by itself |
//! | 14 retries in their band | `checks` | every act |
//! | 15 everything comes to rest | `rest` | at the end |
//! | 16 same key, same answer | `checks`, at every submission with a key | every submission |
//! | 17 nothing private is said | `canaries`: all logs at the finest level, and all metrics | some histories |
//! | 18 both databases alike | `twin_databases`: all rows of the same histories, ids by their order | some histories |
//! | 19 nothing leaves its undo window | `undoing`: at every attempt | every act |
//!
//! Each check has a broken twin that it must catch ([`twins`], and in the files of 13, 17 and 18). A failing seed prints
//! its last acts; `TOUCHLINE_SIM_SEED=n` lives that history alone, `TOUCHLINE_SIM_FROM` and `TOUCHLINE_SIM_HISTORIES`
//! choose which and how many, `TOUCHLINE_SIM_REST=all` brings every one of them to its rest.

mod accounts;
mod acts;
mod calls;
mod canaries;
mod checks;
mod chooser;
mod doing;
mod fairness;
mod far_side;
mod found;
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
mod undoing;
mod unlisted;
mod waits;
mod world;

use std::thread;
use std::time::Instant;

use house::House;

/// Histories of an ordinary run; every night there are more. PostgreSQL costs more for each and shows, beyond SQLite, what its row locks do.
const ON_SQLITE: u64 = 120;
const ON_POSTGRES: u64 = 30;
/// Histories of a long run, on each.
const LONG: u64 = 20_000;

/// The seeds to live: one that is named, or so many.
fn seeds(count: u64) -> Vec<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    match number("TOUCHLINE_SIM_SEED") {
        Some(seed) => vec![seed],
        None => {
            let from = number("TOUCHLINE_SIM_FROM").unwrap_or(0);
            (from..from + number("TOUCHLINE_SIM_HISTORIES").unwrap_or(count)).collect()
        }
    }
}

/// Lives so many histories, each core its share of them in a house of its own.
fn live(open: impl Fn() -> Option<House> + Sync, count: u64) {
    let (began, seeds) = (Instant::now(), seeds(count));
    let cores = thread::available_parallelism().map_or(1, usize::from).min(seeds.len());
    let acts: usize = thread::scope(|scope| {
        let share = |core| seeds.iter().copied().skip(core).step_by(cores);
        let at_work: Vec<_> = (0..cores)
            .map(|core| (share(core), &open))
            .map(|(share, open)| {
                scope.spawn(move || open().map_or(0, |mut house| history::live_all(&mut house, share)))
            })
            .collect();
        at_work.into_iter().map(|core| core.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).sum()
    });
    eprintln!("{acts} acts in {:?}", began.elapsed());
}

#[test]
fn histories_keep_every_promise_on_sqlite() {
    live(|| Some(House::sqlite()), ON_SQLITE);
}

#[test]
fn histories_keep_every_promise_on_postgres() {
    live(House::postgres, ON_POSTGRES);
}

#[test]
#[ignore = "takes long: TOUCHLINE_SIM_HISTORIES says how long"]
fn many_more_histories_keep_every_promise() {
    live(|| Some(House::sqlite()), LONG);
    live(House::postgres, LONG);
}
