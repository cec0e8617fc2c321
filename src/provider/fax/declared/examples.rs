//! Descriptions that come with the program: a commented beginning, and built-in providers described once more, which the
//! conformance kit plays.

/// A description that comes with the program.
#[derive(Debug, Clone, Copy)]
pub struct Example {
    /// What it is called by.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

/// The commented beginning.
pub const BEGINNING: Example = Example { name: "new", text: include_str!("../../../../config/providers/new.toml") };

/// Built-in providers, described.
pub const EXAMPLES: &[Example] = &[
    Example { name: "phaxio", text: include_str!("../../../../config/providers/phaxio.toml") },
    Example { name: "telnyx", text: include_str!("../../../../config/providers/telnyx.toml") },
    Example { name: "telnyx-media", text: include_str!("../../../../config/providers/telnyx-media.toml") },
];

/// The example of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Example> {
    EXAMPLES.iter().find(|example| example.name == name)
}
