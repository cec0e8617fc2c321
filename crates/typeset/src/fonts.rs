//! The embedded fonts: everything a letter is typeset in, so that it looks the same on every machine.

use std::sync::LazyLock;

use typst::foundations::Bytes;
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;

/// The files. Atkinson Hyperlegible Next is the text face: sturdy strokes, large x-height, and 0/O, 1/l/I that
/// cannot be confused after a noisy line. DejaVu Sans substitutes for characters it lacks (Greek, Cyrillic, arrows,
/// check marks). DejaVu Sans Digits are the ten digits of DejaVu Sans and DejaVu Sans Bold, whose zero has no slash:
/// machines that file faxes read a slashed one as an 8.
const FILES: [&[u8]; 7] = [
    include_bytes!("../fonts/AtkinsonHyperlegibleNext-Regular.ttf"),
    include_bytes!("../fonts/AtkinsonHyperlegibleNext-Bold.ttf"),
    include_bytes!("../fonts/AtkinsonHyperlegibleNext-Italic.ttf"),
    include_bytes!("../fonts/AtkinsonHyperlegibleNext-BoldItalic.ttf"),
    include_bytes!("../fonts/DejaVuSans.ttf"),
    include_bytes!("../fonts/DejaVuSansDigits-Regular.ttf"),
    include_bytes!("../fonts/DejaVuSansDigits-Bold.ttf"),
];

/// An embedded font family and the license it is distributed under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FontNotice {
    /// The family name, as a Typst source selects it.
    pub family: &'static str,
    /// The license's short name.
    pub licence: &'static str,
    /// The name of the license file beside the fonts.
    pub licence_file: &'static str,
    /// The full license text, to be shown where third-party notices are shown.
    pub licence_text: &'static str,
}

/// The embedded families with their licenses.
pub fn fonts() -> &'static [FontNotice] {
    &[
        FontNotice {
            family: "Atkinson Hyperlegible Next",
            licence: "SIL Open Font License 1.1",
            licence_file: "AtkinsonHyperlegibleNext-OFL.txt",
            licence_text: include_str!("../fonts/AtkinsonHyperlegibleNext-OFL.txt"),
        },
        FontNotice {
            family: "DejaVu Sans",
            licence: "Bitstream Vera license, changes in the public domain",
            licence_file: "DejaVuSans-LICENSE.txt",
            licence_text: include_str!("../fonts/DejaVuSans-LICENSE.txt"),
        },
        FontNotice {
            family: "DejaVu Sans Digits",
            licence: "Bitstream Vera license, changes in the public domain",
            licence_file: "DejaVuSans-LICENSE.txt",
            licence_text: include_str!("../fonts/DejaVuSans-LICENSE.txt"),
        },
    ]
}

/// The parsed fonts and their index, built once for the process.
pub(crate) struct FontSet {
    pub(crate) book: LazyHash<FontBook>,
    pub(crate) faces: Vec<Font>,
}

pub(crate) static FONT_SET: LazyLock<FontSet> = LazyLock::new(|| {
    let faces: Vec<Font> = FILES.iter().flat_map(|file| Font::iter(Bytes::new(*file))).collect();
    FontSet { book: LazyHash::new(FontBook::from_fonts(&faces)), faces }
});

/// Whether one of the fonts can print a character. Those without a shape of their own (blanks, breaks, joiners) count as
/// printable.
pub fn is_printable(c: char) -> bool {
    let is_shapeless = c.is_whitespace()
        || c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}');
    is_shapeless || FONT_SET.faces.iter().any(|face| face.info().coverage.contains(u32::from(c)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_a_font_of_a_family_with_a_licence() {
        assert_eq!(FONT_SET.faces.len(), FILES.len());
        for face in &FONT_SET.faces {
            let family = face.info().family.as_str();
            let notice = fonts().iter().find(|notice| notice.family == family);
            assert!(notice.is_some_and(|n| n.licence_text.len() > 1000), "{family} has no licence");
        }
    }

    #[test]
    fn names_of_europe_are_printable_and_those_in_other_scripts_are_not() {
        for name in ["José Núñez", "Søren Ångström", "Łukasz Żółć", "Αθηνά", "Иван", "O’Brien – “Bob”", "a\u{301}"]
        {
            assert!(name.chars().all(is_printable), "{name}");
        }
        for c in ['李', '龍', 'ひ', '한', '🫠'] {
            assert!(!is_printable(c), "{c}");
        }
    }

    #[test]
    fn the_fonts_stay_under_two_megabytes() {
        assert!(FILES.iter().map(|file| file.len()).sum::<usize>() < 2_000_000);
    }
}
