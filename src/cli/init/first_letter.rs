//! The introduction as the practice's answers make it: tried before the file is written, and shown after.

use std::path::{Path, PathBuf};

use crate::cli::exit::CliError;
use crate::cli::proofreading::{self, Mistake};
use crate::domain::practice::Practice;
use crate::render::{Renderer, write_preview};

/// Where the letter is written.
const FOLDER: &str = "first-letter";

/// The letter that was written.
pub struct FirstLetter {
    /// Its pages as a fax machine prints them, and its email, as files.
    pub files: Vec<PathBuf>,
    /// The text of its first page.
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
    Ok(FirstLetter { files: preview.files, text: renderer.fax(&job)?.text(0), mistakes: all_mistakes(&renderer) })
}
