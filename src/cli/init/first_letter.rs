//! The introduction as the practice's answers make it: tried before the file is written, and shown after.

use std::path::{Path, PathBuf};

use crate::cli::exit::CliError;
use crate::cli::proofreading::{self, Mistake};
use crate::domain::practice::Practice;
use crate::render::{Renderer, binding, write_preview};

/// Where the letter is written.
const FOLDER: &str = "first-letter";

/// The letter that was written.
pub struct FirstLetter {
    /// Its pages as a fax machine prints them, and its email, as files.
    pub files: Vec<PathBuf>,
    /// The text of its first page, each paragraph of the letter on one line.
    pub text: String,
    /// What a reader would stumble over.
    pub mistakes: Vec<Mistake>,
}

/// What would embarrass the practice in its introduction; also that the letter is too long.
#[must_use]
pub fn try_letter(practice: Practice) -> Vec<Mistake> {
    match Renderer::load(practice.clone(), None) {
        Ok(renderer) => all_mistakes(&renderer),
        Err(errors) => {
            let mut mistakes = proofreading::of_practice(&practice);
            mistakes.extend(errors.iter().map(|error| Mistake::grave(error.to_string())));
            mistakes
        }
    }
}

fn all_mistakes(renderer: &Renderer) -> Vec<Mistake> {
    let mut mistakes = proofreading::of_practice(renderer.practice());
    mistakes.extend(proofreading::of_introduction(renderer));
    mistakes
}

/// Writes the introduction into a folder `first-letter` in the one given and reads it.
///
/// # Errors
/// The letter cannot be set: it is too long, for instance. A file cannot be written.
pub fn write(practice: &Practice, folder: &Path) -> Result<FirstLetter, CliError> {
    let folder = folder.join(FOLDER);
    let renderer = Renderer::load(practice.clone(), None)
        .map_err(|errors| CliError::refused(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")))?;
    let referrer = crate::cli::sample::referrer();
    let job = proofreading::introduction(&referrer);
    let preview = write_preview(&renderer, &job, &folder, None)?;
    Ok(FirstLetter {
        files: preview.files,
        text: in_paragraphs(&renderer.fax(&job)?.text(0)),
        mistakes: all_mistakes(&renderer),
    })
}

/// The lines of a page as paragraphs, for a terminal that is narrower. A line goes on behind one that is nearly as long as the
/// widest; above the salutation each stands for itself. Numbers stay in one piece.
fn in_paragraphs(page: &str) -> String {
    let length = |line: &str| line.chars().count();
    let widest = page.lines().map(length).max().unwrap_or_default();
    let mut paragraphs: Vec<String> = Vec::new();
    let (mut is_letter, mut is_full) = (false, false);
    for line in page.lines() {
        is_letter |= line.starts_with("Dear ");
        match paragraphs.last_mut() {
            Some(paragraph) if is_full && line.starts_with(char::is_alphanumeric) => {
                paragraph.push(' ');
                paragraph.push_str(line);
            }
            _ => paragraphs.push(line.to_owned()),
        }
        is_full = is_letter && length(line) * 5 >= widest * 4;
    }
    paragraphs.iter().map(|paragraph| binding::numbers(paragraph)).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_a_page_are_shown_as_paragraphs_and_numbers_in_one_piece() {
        let page = "Birch Clinic, 1 Main Street, Dayton Fax (937) 222-1001\nDear Dr. Whitfield,\n\
            I am writing so that you know whom to call when a patient\nstays unwell. Call (937) 222-1000.\n\
            We offer\n• transcranial magnetic stimulation, and whatever fills it\n• accelerated TMS";
        let shown = in_paragraphs(page).replace('\u{a0}', "_");
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[0], "Birch Clinic, 1 Main Street, Dayton Fax (937)_222-1001");
        assert_eq!(
            lines[2],
            "I am writing so that you know whom to call when a patient stays unwell. Call (937)_222-1000."
        );
        assert_eq!(lines[3], "We offer");
        assert_eq!(lines.len(), 6);
    }
}
