//! From bytes of unknown origin to text, and from text to records that know their line.

use std::borrow::Cow;

use csv::{ReaderBuilder, StringRecord, Terminator};
use encoding_rs::{Encoding, MACINTOSH, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use unicode_normalization::UnicodeNormalization;

use super::SheetError;
use crate::domain::number::is_invisible;

/// Bytes examined to detect UTF-16 without a byte-order mark.
const SAMPLE_BYTES: usize = 4_000;
/// How files begin that are no text: PDF, PNG, GIF, JPEG, gzip, 7-Zip, RAR, SQLite, and programs.
const MAGIC: [&[u8]; 10] = [
    b"%PDF",
    b"\x89PNG",
    b"GIF8",
    b"\xFF\xD8\xFF",
    b"\x1F\x8B",
    b"7z\xBC\xAF",
    b"Rar!",
    b"SQLite format 3",
    b"\x7FELF",
    b"MZ\x90",
];
/// Possible separators between cells.
pub(super) const DELIMITERS: [u8; 4] = *b",;\t|";

/// The file's text with `\n` at each end of line, and the name of its encoding.
///
/// # Errors
/// It is not text: a workbook, a document, or binary.
pub(super) fn decode(bytes: &[u8]) -> Result<(String, &'static str), SheetError> {
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"\xD0\xCF\x11\xE0") {
        return Err(SheetError::Workbook);
    }
    let (encoding, mark_bytes) = Encoding::for_bom(bytes).unwrap_or_else(|| (guess(bytes), 0));
    let (text, _) = encoding.decode_without_bom_handling(&bytes[mark_bytes..]);
    if MAGIC.iter().any(|magic| bytes.starts_with(magic)) || is_binary(&text) {
        return Err(SheetError::NotText);
    }
    Ok((without_unseen(with_plain_newlines(text)), encoding.name()))
}

/// Whether what was decoded is no text. Programs leave a NUL here and there in a text file; other control characters
/// are rare there, and neither is ever a large part of it.
fn is_binary(text: &str) -> bool {
    let (mut all, mut nul, mut control) = (0usize, 0usize, 0usize);
    for c in text.chars() {
        all += 1;
        match c {
            '\0' => nul += 1,
            '\t' | '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1a}' | '\u{85}' => {}
            c if c.is_control() || c == char::REPLACEMENT_CHARACTER => control += 1,
            _ => {}
        }
    }
    nul > all / 4 || control > all / 50 + 1
}

/// Whether nobody sees a character: it takes no room, or it is a control character that is no blank.
const fn is_unseen(c: char) -> bool {
    is_invisible(c) || matches!(c, '\0'..='\u{8}' | '\u{e}'..='\u{1f}' | '\u{7f}')
}

/// The text without characters that nobody sees, with plain blanks for those that only keep words together, and with
/// accents on their letters: a list from a Mac has them apart (Unicode normalization form D).
fn without_unseen(text: String) -> String {
    let is_blank = |c: char| matches!(c, '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}');
    if text.is_ascii() && !text.contains(is_unseen) {
        return text;
    }
    text.chars().filter(|c| !is_unseen(*c)).map(|c| if is_blank(c) { ' ' } else { c }).nfc().collect()
}

/// The encoding of a file without a byte-order mark. Windows-1252 gives every byte a meaning, so it comes last.
fn guess(bytes: &[u8]) -> &'static Encoding {
    let sample = &bytes[..bytes.len().min(SAMPLE_BYTES)];
    let zeros_at = |parity: usize| sample.iter().skip(parity).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros_at(0), zeros_at(1));
    if odd > sample.len() / 4 && even == 0 {
        UTF_16LE
    } else if even > sample.len() / 4 && odd == 0 {
        UTF_16BE
    } else if std::str::from_utf8(bytes).is_ok() {
        UTF_8
    } else if is_mac(bytes) {
        MACINTOSH
    } else {
        WINDOWS_1252
    }
}

/// Whether accents are those of an old Mac: bytes that stand for letters there, and on Windows for signs that no name has in
/// that place, such as a capital \u{17d} behind a small letter.
fn is_mac(bytes: &[u8]) -> bool {
    const UNUSED_ON_WINDOWS: [u8; 5] = [0x81, 0x8d, 0x8f, 0x90, 0x9d];
    const LETTERS_ON_A_MAC: [u8; 13] = [0x80, 0x83, 0x84, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b, 0x8c, 0x8e, 0x98, 0x9f];
    let is_odd = |place: usize, byte: u8| {
        let follows_a_letter = place > 0 && bytes[place - 1].is_ascii_lowercase();
        let ends = bytes.get(place + 1).is_none_or(|next| next.is_ascii_lowercase() || !next.is_ascii_alphanumeric());
        UNUSED_ON_WINDOWS.contains(&byte) || (LETTERS_ON_A_MAC.contains(&byte) && follows_a_letter && ends)
    };
    bytes.iter().enumerate().any(|(place, byte)| *byte >= 0x80 && is_odd(place, *byte))
}

fn with_plain_newlines(text: Cow<'_, str>) -> String {
    if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text.into_owned() }
}

/// Records of a text, each with the line on which it begins. Blank lines are skipped and counted.
pub(super) struct Records<'t> {
    text: &'t [u8],
    reader: csv::Reader<&'t [u8]>,
    record: StringRecord,
    counted_bytes: usize,
    line: u64,
}

impl<'t> Records<'t> {
    pub(super) fn new(text: &'t str, delimiter: u8) -> Self {
        let reader = ReaderBuilder::new()
            .delimiter(delimiter)
            .terminator(Terminator::Any(b'\n'))
            .has_headers(false)
            .flexible(true)
            .from_reader(text.as_bytes());
        Self { text: text.as_bytes(), reader, record: StringRecord::new(), counted_bytes: 0, line: 1 }
    }

    /// The next record and its line; none at the end.
    pub(super) fn next(&mut self) -> Option<(u64, &StringRecord)> {
        // The text is UTF-8 and a file in memory cannot fail, so that an error can only mean the end.
        if !self.reader.read_record(&mut self.record).unwrap_or(false) {
            return None;
        }
        let position = self.record.position().map_or(0, csv::Position::byte);
        let mut start = usize::try_from(position).unwrap_or(usize::MAX).min(self.text.len());
        while self.text.get(start) == Some(&b'\n') {
            start += 1;
        }
        let passed = &self.text[self.counted_bytes.min(start)..start];
        self.line += passed.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.counted_bytes = start;
        Some((self.line, &self.record))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<(u64, Vec<String>)> {
        let mut records = Records::new(text, b',');
        let mut all = Vec::new();
        while let Some((line, record)) = records.next() {
            all.push((line, record.iter().map(str::to_owned).collect()));
        }
        all
    }

    #[test]
    fn every_encoding_gives_the_same_text() {
        let text = "name\r\nZoë Çelik\r\n";
        let utf16 = |big: bool| -> Vec<u8> {
            text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
        };
        let windows: Vec<u8> = WINDOWS_1252.encode(text).0.into_owned();
        for (bytes, name) in [
            (text.as_bytes().to_vec(), "UTF-8"),
            ([b"\xEF\xBB\xBF", text.as_bytes()].concat(), "UTF-8"),
            ([b"\xFF\xFE".to_vec(), utf16(false)].concat(), "UTF-16LE"),
            ([b"\xFE\xFF".to_vec(), utf16(true)].concat(), "UTF-16BE"),
            (utf16(false), "UTF-16LE"),
            (utf16(true), "UTF-16BE"),
            (windows, "windows-1252"),
        ] {
            assert_eq!(decode(&bytes), Ok(("name\nZoë Çelik\n".to_owned(), name)));
        }
    }

    #[test]
    fn an_old_mac_is_told_from_windows_by_where_its_accents_stand() {
        for (bytes, text, name) in [
            (&b"Jos\x8e,\x81sa\r"[..], "José,Åsa\n", "macintosh"),
            (b"Ren\x8e Lef\x8fvre\r\n", "René Lefèvre\n", "macintosh"),
            (b"O\x92Brien \x96 Jos\xe9\n", "O’Brien – José\n", "windows-1252"),
            (b"Toma\x9a, \x8akoda\n", "Tomaš, Škoda\n", "windows-1252"),
            (b"\x80 5, 20\x89\n", "€ 5, 20‰\n", "windows-1252"),
        ] {
            assert_eq!(decode(bytes), Ok((text.to_owned(), name)));
        }
    }

    #[test]
    fn a_workbook_or_a_document_is_refused() {
        assert_eq!(decode(b"PK\x03\x04rest"), Err(SheetError::Workbook));
        assert_eq!(decode(b"%PDF-1.7"), Err(SheetError::NotText));
        assert_eq!(decode(b"a\0b\0\0\0\x01\x02"), Err(SheetError::NotText));
        assert_eq!(decode(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), Err(SheetError::NotText));
        let noise: Vec<u8> = (0..4_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        assert_eq!(decode(&noise), Err(SheetError::NotText));
    }

    #[test]
    fn what_nobody_sees_is_dropped_and_what_keeps_words_together_is_a_blank() {
        let text = "Sam\0,\u{feff}Rourke\u{200b},\u{202a}(847)\u{a0}555\u{2011}0185\u{202c}\0\n\u{ad}Zo\u{eb}\n";
        assert_eq!(decode(text.as_bytes()), Ok(("Sam,Rourke,(847) 555\u{2011}0185\nZo\u{eb}\n".to_owned(), "UTF-8")));
    }

    #[test]
    fn lines_are_those_of_the_file_despite_blank_lines_and_breaks_inside_cells() {
        let text = "\n\na,b\n\"one\ntwo\",2\n\n\n3,4\n\n";
        let found: Vec<u64> = lines(text).into_iter().map(|(line, _)| line).collect();
        assert_eq!(found, [3, 4, 8]);
    }
}
