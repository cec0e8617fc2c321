//! The review: everything that was answered, the introduction tried with it, and what to do next.

use super::draft::Draft;
use super::first_letter::try_letter;
use super::prompts::{Asked, one_of, say};
use super::questions::{GROUPS, ask};
use crate::cli::console::table;

/// Shows the answers until the person wants the file written, or stops; answers are changed group by group. True if the file is
/// to be written.
///
/// # Errors
/// There is no terminal, or the person canceled.
pub fn review(draft: &mut Draft) -> dialoguer::Result<bool> {
    loop {
        let rows = draft.review().into_iter().map(|(what, answer)| vec![what.to_owned(), answer]);
        say(&format!("\nThis is what you answered:\n\n{}\n", table(&["", ""], rows).trim_start_matches('\n')));
        for mistake in draft.practice().map(try_letter).unwrap_or_default() {
            say(&format!("Look at this: {mistake}"));
        }
        let items = ["write it", "change something", "stop, and write nothing"].map(str::to_owned);
        match one_of("What now", &items, 0)? {
            Asked::Answer(0) => return Ok(true),
            Asked::Answer(2) => return Ok(false),
            _ => change(draft)?,
        }
    }
}

fn change(draft: &mut Draft) -> dialoguer::Result<()> {
    let items: Vec<String> = GROUPS.iter().map(|group| group.title.to_owned()).collect();
    match one_of("Change", &items, 0)? {
        Asked::Answer(number) => ask(draft, number..number + 1),
        Asked::Back => Ok(()),
    }
}
