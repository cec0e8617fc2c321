//! Several things in one phrase.

/// `a`, `a and b`, `a, b and c`; nothing of nothing. `and` is the word before the last.
#[must_use]
pub fn listed(items: impl IntoIterator<Item = impl Into<String>>, and: &str) -> String {
    let mut items: Vec<String> = items.into_iter().map(Into::into).collect();
    match items.pop() {
        None => String::new(),
        Some(only) if items.is_empty() => only,
        Some(last) => format!("{} {and} {last}", items.join(", ")),
    }
}
