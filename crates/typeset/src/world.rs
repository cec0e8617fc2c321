//! What a Typst source can see: itself, the letter, two pictures, the fonts. No disk, no network, no clock.

use std::sync::LazyLock;

use typst::diag::{FileError, FileResult};
use typst::foundations::{Bytes, Datetime, Duration};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World};

use crate::fonts::FONT_SET;

/// The four virtual files. Typst keeps file ids in a process-wide table of 65,535 places that is never emptied, so
/// these are interned once and serve every letter.
pub(crate) struct Paths {
    pub(crate) main: FileId,
    letter: FileId,
    signature: FileId,
    logo: FileId,
}

pub(crate) static PATHS: LazyLock<Paths> = LazyLock::new(|| Paths {
    main: intern("/main.typ"),
    letter: intern("/letter.json"),
    signature: intern("/signature"),
    logo: intern("/logo"),
});

static LIBRARY: LazyLock<LazyHash<Library>> = LazyLock::new(|| LazyHash::new(Library::default()));

fn intern(path: &'static str) -> FileId {
    let path = VirtualPath::new(path).expect("a constant absolute path without dots is a virtual path");
    RootedPath::new(VirtualRoot::Project, path).intern()
}

/// One letter as the compiler sees it.
pub(crate) struct LetterWorld {
    pub(crate) source: Source,
    pub(crate) letter: Bytes,
    pub(crate) signature: Option<Bytes>,
    pub(crate) logo: Option<Bytes>,
}

impl LetterWorld {
    pub(crate) fn main_source(&self) -> &Source {
        &self.source
    }
}

fn not_found(id: FileId) -> FileError {
    FileError::NotFound(id.vpath().get_without_slash().into())
}

impl World for LetterWorld {
    fn library(&self) -> &LazyHash<Library> {
        &LIBRARY
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &FONT_SET.book
    }

    fn main(&self) -> FileId {
        PATHS.main
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == PATHS.main { Ok(self.source.clone()) } else { Err(not_found(id)) }
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        let found = if id == PATHS.letter {
            Some(&self.letter)
        } else if id == PATHS.signature {
            self.signature.as_ref()
        } else if id == PATHS.logo {
            self.logo.as_ref()
        } else {
            None
        };
        found.cloned().ok_or_else(|| not_found(id))
    }

    fn font(&self, index: usize) -> Option<Font> {
        FONT_SET.faces.get(index).cloned()
    }

    fn today(&self, _offset: Option<Duration>) -> Option<Datetime> {
        None
    }
}
