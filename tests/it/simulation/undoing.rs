//! Undo: submissions with an undo window, some of which somebody withdraws, and the check that nothing leaves before its
//! window ends or after it was withdrawn.

use touchline::operator::{self, OperatorError};
use touchline::store::records::submissions::UndoWindow;

use super::acts::Act;
use super::checks::Broken;
use super::doing::Step;
use super::picture::Picture;
use super::world::World;

/// How long a submission with a window can be withdrawn.
pub const WINDOW_SECONDS: u64 = 90;

impl World<'_> {
    /// Offers to withdraw something, mostly what can be withdrawn.
    pub fn offer_undo(&mut self, node: usize, acts: &mut Vec<(u32, Act)>) {
        let now = self.now();
        let can =
            |window: &UndoWindow| window.undone_ms.is_none() && window.undo_until_ms.is_some_and(|until| now < until);
        let (mut open, mut others) = (Vec::new(), Vec::new());
        for (place, window) in self.before.windows.values().enumerate() {
            if can(window) { open.push(place) } else { others.push(place) }
        }
        if !open.is_empty() {
            acts.push((2, Act::Undo { node, place: self.chooser.one_of(&open) }));
        }
        if !others.is_empty() && self.chooser.once_in(4) {
            acts.push((1, Act::Undo { node, place: self.chooser.one_of(&others) }));
        }
    }

    pub fn undo(&self, node: usize, place: usize) -> Step {
        let Some(submission) = self.before.windows.keys().nth(place) else { return Step::default() };
        let node = &self.nodes[node];
        let who = touchline::domain::Actor::operator("sam");
        match node.run(operator::undo(&node.operator(), *submission, &who)) {
            Err(OperatorError::WrongState(_)) => Step::default(),
            other => other.map(drop).into(),
        }
    }

    /// Remembers each window as it was when its submission was accepted.
    pub fn note_windows(&mut self, after: &Picture) {
        for window in after.windows.values() {
            if let Some(until) = window.undo_until_ms {
                self.log.windows.entry(window.id).or_insert(until);
            }
        }
    }
}

/// Invariant 19: A message inside its undo window has no attempt, and one that was withdrawn never has.
pub fn nothing_leaves_its_undo_window(after: &Picture, world: &World<'_>, broken: &mut Vec<Broken>) {
    for attempt in after.attempts.values() {
        let Some(message) = after.messages.get(&attempt.message_id) else { continue };
        let until = world.log.windows.get(&message.submission_id);
        if until.is_some_and(|until| attempt.opened_ms < *until) {
            broken.push(Broken::new(19, format!("{} was let through inside its undo window", message.id)));
        }
        let undone = after.windows.get(&message.submission_id).and_then(|window| window.undone_ms);
        if undone.is_some() {
            broken.push(Broken::new(19, format!("{} was let through although it was withdrawn", message.id)));
        }
    }
}
