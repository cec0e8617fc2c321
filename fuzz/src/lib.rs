//! What is fuzzed: every reader of what others wrote. A target is a plain function over the library's public interface
//! that panics when a promise is broken; that it does not panic otherwise, loop or fill the memory is what libFuzzer
//! watches.

mod account;
mod answers;
mod hooks;
mod letters;
mod lists;
mod relay;
mod returns;
mod words;

/// One target.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, which is also its folder of seeds.
    pub name: &'static str,
    /// Tries one input.
    pub run: fn(&[u8]),
}

/// All targets.
pub const TARGETS: &[Target] = &[
    Target { name: "hooks", run: hooks::run },
    Target { name: "answers", run: answers::run },
    Target { name: "relay", run: relay::run },
    Target { name: "returns", run: returns::run },
    Target { name: "list", run: lists::run },
    Target { name: "letter", run: letters::run },
    Target { name: "address", run: words::address },
    Target { name: "schedule", run: words::schedule },
    Target { name: "config", run: words::config },
    Target { name: "opt_out", run: words::opt_out },
];

/// The target of that name.
#[must_use]
pub fn find(name: &str) -> Option<Target> {
    TARGETS.iter().copied().find(|target| target.name == name)
}
