//! The files templates are made of: those embedded in the binary, overridden and extended from a folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::error::TemplateError;
use crate::files::{self, ReadError};

/// The largest file, in bytes.
const FILE_BYTES_MAX: u64 = 256 * 1024;
/// The most files in a folder.
const FILES_MAX: usize = 1000;
/// Folders that are not letters.
const SHARED: [&str; 3] = ["partials", "letterhead", "notices"];
/// What is read; anything else in the folder is ignored.
const ENDINGS: [&str; 5] = ["md", "json", "toml", "typ", "hbs"];

#[derive(rust_embed::Embed)]
#[folder = "templates/"]
struct BuiltIn;

/// One file.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its text, with `\n` line ends.
    pub text: String,
    /// Whether it is built in.
    pub built_in: bool,
}

/// Every file by its path, such as `introduction/letter.md`.
#[derive(Debug, Default)]
pub struct Sources {
    files: BTreeMap<String, Source>,
    unreadable: Vec<TemplateError>,
}

impl Sources {
    /// The embedded files, with those of `folder` on top. A file that cannot be read is among [`Sources::unreadable`]: one
    /// that is over 256 KiB, is not UTF-8, is no regular file, or lies elsewhere and is only linked. What is built in does
    /// not stand in for what cannot be read. A letter's folder replaces the whole built-in letter of that
    /// name, so that a new `letter.md` is never combined with an old `email.md`; partials, letterhead and
    /// notices are replaced file by file.
    ///
    /// # Errors
    /// A folder that cannot be read; more than 1,000 files.
    pub fn read(folder: Option<&Path>) -> Result<Self, Vec<TemplateError>> {
        let mut sources = Self::built_in();
        if let Some(folder) = folder {
            let (files, unreadable) = read_folder(folder)?;
            sources.overlay(files, unreadable);
        }
        Ok(sources)
    }

    fn built_in() -> Self {
        let files = BuiltIn::iter().filter(|path| is_read(path)).filter_map(|path| {
            let text = String::from_utf8(BuiltIn::get(&path)?.data.into_owned()).ok()?;
            Some((path.into_owned(), Source { text, built_in: true }))
        });
        Self { files: files.collect(), unreadable: Vec::new() }
    }

    fn overlay(&mut self, own: BTreeMap<String, String>, unreadable: Vec<TemplateError>) {
        for path in own.keys().chain(unreadable.iter().map(|error| &error.template)) {
            if let Some(letter) = letter_of(path) {
                let inside = format!("{letter}/");
                self.files.retain(|path, source| !(source.built_in && path.starts_with(&inside)));
            }
        }
        for error in &unreadable {
            self.files.remove(&error.template);
        }
        self.unreadable = unreadable;
        self.files.extend(own.into_iter().map(|(path, text)| (path, Source { text, built_in: false })));
    }

    /// The files of the folder that cannot be read, in their order.
    #[must_use]
    pub fn unreadable(&self) -> &[TemplateError] {
        &self.unreadable
    }

    /// The file at `path`.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&Source> {
        self.files.get(path)
    }

    /// The text of a file every installation has.
    ///
    /// # Errors
    /// The file cannot be read, or is missing.
    pub fn text(&self, path: &str) -> Result<&str, TemplateError> {
        let unread = || self.unreadable.iter().find(|error| error.template == path).cloned();
        self.get(path)
            .map(|source| source.text.as_str())
            .ok_or_else(|| unread().unwrap_or_else(|| TemplateError::whole(path, "the file is missing")))
    }

    /// The names of all letters: the folders with a `letter.md`.
    pub fn letters(&self) -> impl Iterator<Item = &str> {
        self.files.keys().filter_map(|path| path.strip_suffix("/letter.md"))
    }

    /// The partials: name and file path.
    pub fn partials(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.keys().filter_map(|path| Some((path.strip_prefix("partials/")?.strip_suffix(".md")?, path.as_str())))
    }
}

/// The letter that a file belongs to; none for what letters share.
#[must_use]
pub fn letter_of(path: &str) -> Option<&str> {
    let folder = path.split('/').next()?;
    (!SHARED.contains(&folder)).then_some(folder)
}

/// Whether the file is one of letterhead or notices.
#[must_use]
pub fn is_shared(path: &str) -> bool {
    path.split('/').next().is_some_and(|folder| folder != "partials" && SHARED.contains(&folder))
}

fn is_read(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, ending)| ENDINGS.contains(&ending)) && path.split('/').count() == 2
}

/// Files by their path with their texts, and what is wrong with those that cannot be read.
type Read = (BTreeMap<String, String>, Vec<TemplateError>);

/// The files in the folders of `folder`.
fn read_folder(folder: &Path) -> Result<Read, Vec<TemplateError>> {
    let mut files = BTreeMap::new();
    let mut errors = Vec::new();
    let (folder, entries) = canonical(folder).map_err(|error| vec![error])?;
    for inner in entries {
        let path = folder.join(&inner);
        if !path.is_dir() || inner.starts_with('.') {
            continue;
        }
        for name in names(&path, &inner).map_err(|error| vec![error])? {
            let shown = format!("{inner}/{name}");
            if is_read(&shown) {
                match read_file(&folder, &path.join(&name), &shown) {
                    Ok(text) => {
                        files.insert(shown, text);
                    }
                    Err(error) => errors.push(error),
                }
            }
        }
        if files.len() > FILES_MAX {
            let many = format!("holds more than {FILES_MAX} files");
            return Err(vec![TemplateError::whole("the template folder", many)]);
        }
    }
    Ok((files, errors))
}

/// Where the template folder really is, and its entries.
fn canonical(folder: &Path) -> Result<(PathBuf, Vec<String>), TemplateError> {
    const SHOWN: &str = "the template folder";
    let failed = |error: std::io::Error| TemplateError::whole(SHOWN, format!("cannot be read: {}", error.kind()));
    let folder = folder.canonicalize().map_err(failed)?;
    let entries = names(&folder, SHOWN)?;
    Ok((folder, entries))
}

/// The entries of a folder, sorted; names that are not UTF-8 are ignored.
fn names(folder: &Path, shown: &str) -> Result<Vec<String>, TemplateError> {
    let failed = |error: std::io::Error| TemplateError::whole(shown, format!("cannot be read: {}", error.kind()));
    let entries = std::fs::read_dir(folder).map_err(failed)?;
    let mut names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    Ok(names)
}

/// A file of the folder. A pipe would keep everything waiting, a device has no end, and a link may lead to what no letter
/// should show: all are refused at once.
fn read_file(folder: &Path, path: &Path, shown: &str) -> Result<String, TemplateError> {
    let failed = |error: ReadError| TemplateError::whole(shown, error.to_string());
    let real = files::inside(folder, path).map_err(failed)?;
    let bytes = files::read_regular(&real, FILE_BYTES_MAX).map_err(failed)?;
    let text = String::from_utf8(bytes).map_err(|_| TemplateError::whole(shown, "is not UTF-8 text"))?;
    Ok(text.trim_start_matches('\u{feff}').replace("\r\n", "\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_replaces_whole_letters_and_single_partials() {
        let folder = tempfile::tempdir().expect("a folder");
        for (path, text) in [("introduction/letter.md", "own"), ("partials/own.md", "mine"), ("ours/letter.md", "new")]
        {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            std::fs::write(path, text).expect("written");
        }
        let sources = Sources::read(Some(folder.path())).expect("readable");
        assert!(!sources.get("introduction/letter.md").expect("there").built_in);
        assert!(sources.get("introduction/email.md").is_none(), "the built-in mail went with the built-in letter");
        assert!(sources.letters().any(|name| name == "ours") && sources.letters().any(|name| name == "article"));
        assert!(sources.partials().any(|(name, _)| name == "own") && sources.partials().count() > 1);
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let letter = folder.path().join("big");
        std::fs::create_dir(&letter).expect("a folder");
        std::fs::write(letter.join("letter.md"), vec![b'x'; 300_000]).expect("written");
        std::fs::write(letter.join("email.md"), [0xff, 0xfe]).expect("written");
        std::fs::write(letter.join("notes.docx"), [0xff]).expect("written");
        let sources = Sources::read(Some(folder.path())).expect("the rest is read");
        let said: Vec<String> = sources.unreadable().iter().map(ToString::to_string).collect();
        assert_eq!(said, ["big/email.md: is not UTF-8 text", "big/letter.md: is larger than 256 KiB"]);
        assert!(Sources::read(Some(&folder.path().join("nowhere"))).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_regular_file_of_the_folder_is_refused_at_once() {
        use std::os::unix::fs::symlink;
        let house = tempfile::tempdir().expect("a folder");
        let folder = house.path().join("letters");
        for inside in ["pipe", "device", "out", "in", "lost"] {
            std::fs::create_dir_all(folder.join(inside)).expect("a folder");
        }
        let elsewhere = house.path().join("elsewhere");
        std::fs::create_dir(&elsewhere).expect("a folder");
        for path in [elsewhere.join("letter.md"), folder.join("in/real.txt")] {
            std::fs::write(path, "a letter").expect("written");
        }
        let pipe = folder.join("pipe/letter.md");
        assert!(std::process::Command::new("mkfifo").arg(pipe).status().expect("mkfifo runs").success());
        symlink("/dev/zero", folder.join("device/letter.md")).expect("linked");
        symlink("../../elsewhere/letter.md", folder.join("out/letter.md")).expect("linked");
        symlink("real.txt", folder.join("in/letter.md")).expect("linked");
        symlink("nothing", folder.join("lost/letter.md")).expect("linked");
        symlink(&elsewhere, folder.join("whole")).expect("linked");
        let sources = Sources::read(Some(&folder)).expect("the rest is read");
        let said: Vec<String> = sources.unreadable().iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "device/letter.md: leads out of the folder",
                "lost/letter.md: cannot be read (entity not found)",
                "out/letter.md: leads out of the folder",
                "pipe/letter.md: is not a regular file",
                "whole/letter.md: leads out of the folder",
            ]
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_link_within_the_folder_and_a_link_to_the_folder_are_followed() {
        use std::os::unix::fs::symlink;
        let house = tempfile::tempdir().expect("a folder");
        let real = house.path().join("real");
        std::fs::create_dir_all(real.join("..data/ours")).expect("a folder");
        std::fs::write(real.join("..data/ours/letter.md"), "new").expect("written");
        symlink("..data/ours", real.join("ours")).expect("linked");
        symlink(&real, house.path().join("letters")).expect("linked");
        let sources = Sources::read(Some(&house.path().join("letters"))).expect("readable");
        assert_eq!(sources.get("ours/letter.md").map(|source| source.text.as_str()), Some("new"));
    }
}
