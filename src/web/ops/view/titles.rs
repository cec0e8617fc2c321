//! What letters and broadcasts are called on every page: a letter by its title.

use crate::render::Renderer;
use crate::store::records::broadcasts::Broadcast;
use crate::web::ops::campaigns::audience;
use crate::wording;

/// A letter's title; its name in plain writing if it is not there any more, or out of service.
#[must_use]
pub fn letter(renderer: &Renderer, name: &str) -> String {
    renderer.letter(name).map_or_else(|| wording::letter(name), |letter| letter.title.clone())
}

/// A broadcast: by its campaign's name, or by the letter's title and to whom it goes.
#[must_use]
pub fn broadcast(renderer: &Renderer, broadcast: &Broadcast) -> String {
    named(renderer, &broadcast.name, &broadcast.letter)
}

/// The same from its name and its letter's name. One that no campaign made is kept as `capacity-update to all`.
#[must_use]
pub fn named(renderer: &Renderer, name: &str, of: &str) -> String {
    let to = name.strip_prefix(of).and_then(|rest| rest.strip_prefix(" to "));
    to.map_or_else(|| name.to_owned(), |to| format!("{} to {}", letter(renderer, of), audience(to)))
}
