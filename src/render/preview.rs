//! What one recipient would get, as files to view. Nothing is sent.

use std::path::{Path, PathBuf};

use touchline_typeset::Resolution;

use super::bitmap;
use super::lint::LintFinding;
use super::{Job, RenderError, Renderer, tiff};
use crate::files::{create_folder_private, write_private};

/// Width of the page pictures, in pixels.
const PNG_WIDTH: u32 = 1224;

/// The files written and what was found.
#[derive(Debug)]
pub struct Preview {
    /// The files, in the order they were written.
    pub files: Vec<PathBuf>,
    /// The lint's findings on the fax, dots included.
    pub lint: Vec<LintFinding>,
    /// Pages of the fax, a cover page included.
    pub pages: u32,
    /// The mail's subject.
    pub subject: String,
}

/// Renders a letter for both channels into `dir`, which is created if necessary: `fax.pdf`, `fax.tiff` (the bitmap a
/// fax machine receives), `fax.png` and `fax-2.png` and so on (the same dots in paper's proportions), `email.html`,
/// `email.txt`, and `email.eml` if the caller composed one. Existing files are overwritten.
/// Only their owner can read them, whatever the umask, and enter a folder that was created.
///
/// # Errors
/// As [`Renderer::fax`] and [`Renderer::mail`], and where a file cannot be written.
pub fn write_preview(
    renderer: &Renderer,
    job: &Job<'_>,
    dir: &Path,
    eml: Option<&[u8]>,
) -> Result<Preview, RenderError> {
    let fax = renderer.fax(job)?;
    let (mail, _) = renderer.mail(job)?;
    let unset = |source| RenderError::Typeset { letter: job.letter.to_owned(), source };
    let bitmaps = fax.bitmaps(Resolution::Fine).map_err(unset)?;
    let lint = fax.inspect().map_err(unset)?;
    let failed = |file: &'static str| move |reason: String| RenderError::Preview { file, reason };
    let tiff = tiff::write(&bitmaps).map_err(|error| failed("fax.tiff")(error.to_string()))?;

    create_folder_private(dir).map_err(|error| failed("the folder")(error.kind().to_string()))?;
    let mut files = Vec::new();
    let mut write = |name: &str, kind: &'static str, bytes: &[u8]| {
        let path = dir.join(name);
        write_private(&path, bytes).map_err(|error| failed(kind)(error.kind().to_string()))?;
        files.push(path);
        Ok::<(), RenderError>(())
    };
    write("fax.pdf", "fax.pdf", &fax.pdf)?;
    write("fax.tiff", "fax.tiff", &tiff)?;
    for (index, page) in bitmaps.iter().enumerate() {
        let png = bitmap::preview_png(page, PNG_WIDTH).map_err(|error| failed("fax.png")(error.to_string()))?;
        let name = if index == 0 { "fax.png".to_owned() } else { format!("fax-{}.png", index + 1) };
        write(&name, "fax.png", &png)?;
    }
    write("email.html", "email.html", mail.html.as_bytes())?;
    write("email.txt", "email.txt", mail.text.as_bytes())?;
    if let Some(eml) = eml {
        write("email.eml", "email.eml", eml)?;
    }
    Ok(Preview { files, lint, pages: fax.pages, subject: mail.subject })
}
