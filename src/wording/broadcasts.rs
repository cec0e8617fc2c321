//! What is said of a broadcast that paused itself because too much of it came back.

/// What to do about it, in a sentence.
pub const PAUSED_ADVICE: &str =
    "Look at what came back and correct the list. Then let the broadcast go on, or cancel what is held of it.";
/// What letting it go on does.
pub const GOING_ON: &str =
    "All letters that are held because of the pause are sent, and it does not pause itself again.";

/// Why a broadcast is paused, as a sentence.
#[must_use]
pub fn paused(reason: Option<&str>) -> String {
    let reason = reason.map_or("too much of it came back", |reason| reason.trim_end_matches('.'));
    format!("It has paused itself: {reason}.")
}
