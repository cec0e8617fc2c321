//! Text as ASCII that every hop carries unchanged: quoted-printable for bodies (RFC 2045 §6.7), folded fields and encoded
//! words for headers (RFC 5322 §2.2.3, RFC 2047).

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

/// Octets of text on a body line, so that a last space (`=20`) or a soft break still fits into 76.
const TEXT_OCTETS: usize = 72;
/// RFC 2047 §2: a line that holds an encoded word is no longer than this.
const FIELD_LINE_OCTETS: usize = 76;
/// Octets of text in one encoded word, so that it fits behind a field's name.
const ENCODED_OCTETS: usize = 39;
/// RFC 5322 §2.1.1: no line is longer than this, without its CRLF.
const LINE_OCTETS_MAX: usize = 998;

/// Adds a text as quoted-printable. Every line end becomes CRLF and NUL is left out. No line begins with a dot or with
/// `From `, which hops on the way like to change.
pub(super) fn push_quoted_printable(out: &mut Vec<u8>, text: &str) {
    let octets = text.as_bytes();
    let (mut at, mut line) = (0, 0);
    while let Some(octet) = octets.get(at) {
        match octet {
            b'\r' | b'\n' => {
                at += if octets[at..].starts_with(b"\r\n") { 2 } else { 1 };
                end_line(out, line);
                line = 0;
            }
            0 => at += 1,
            _ => {
                let run = plain_run(&octets[at..], line);
                out.extend_from_slice(&octets[at..at + run]);
                (at, line) = (at + run, line + run);
                if run == 0 {
                    line = push_escaped(out, *octet, line);
                    at += 1;
                }
            }
        }
        if line >= TEXT_OCTETS && !matches!(octets.get(at), None | Some(b'\r' | b'\n')) {
            out.extend_from_slice(b"=\r\n");
            line = 0;
        }
    }
    if line > 0 {
        protect_last_space(out);
    }
}

/// How many octets from the start need no escape and fit on the line.
fn plain_run(octets: &[u8], line: usize) -> usize {
    if line == 0 && (octets[0] == b'.' || octets.starts_with(b"From ")) {
        return 0;
    }
    let room = octets.len().min(TEXT_OCTETS - line);
    octets[..room].iter().position(|octet| !IS_PLAIN[usize::from(*octet)]).unwrap_or(room)
}

/// Which octets stand for themselves: printable ASCII except the equals sign, space and tab.
const IS_PLAIN: [bool; 256] = {
    let (mut table, mut octet) = ([false; 256], 0);
    while octet < table.len() {
        table[octet] = matches!(octet, 0x20..=0x7e | 0x09) && octet != b'=' as usize;
        octet += 1;
    }
    table
};

/// Adds one octet as `=XX`, on the next line where this one has no room; answers the line's length.
fn push_escaped(out: &mut Vec<u8>, octet: u8, mut line: usize) -> usize {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    if line + 3 > TEXT_OCTETS {
        out.extend_from_slice(b"=\r\n");
        line = 0;
    }
    out.extend_from_slice(&[b'=', DIGITS[usize::from(octet >> 4)], DIGITS[usize::from(octet & 15)]]);
    line + 3
}

fn end_line(out: &mut Vec<u8>, line: usize) {
    if line > 0 {
        protect_last_space(out);
    }
    out.extend_from_slice(b"\r\n");
}

/// White space at the end of a line does not survive the way.
fn protect_last_space(out: &mut Vec<u8>) {
    if let Some(space) = out.pop_if(|last| matches!(last, b' ' | b'\t')) {
        push_escaped(out, space, 0);
    }
}

/// One header field, folded between its words.
pub(super) struct FieldWriter<'a> {
    out: &'a mut Vec<u8>,
    line: usize,
    is_begun: bool,
    fits: bool,
}

impl<'a> FieldWriter<'a> {
    /// Begins a field.
    pub fn new(out: &'a mut Vec<u8>, name: &str) -> Self {
        out.extend_from_slice(name.as_bytes());
        out.push(b':');
        Self { out, line: name.len() + 1, is_begun: false, fits: true }
    }

    /// Adds a word of printable ASCII, after a fold where the line would grow too long.
    pub fn word(&mut self, word: &[u8]) {
        if self.is_begun && self.line + 1 + word.len() > FIELD_LINE_OCTETS {
            self.out.extend_from_slice(b"\r\n");
            self.line = 0;
        }
        self.out.push(b' ');
        self.out.extend_from_slice(word);
        self.line += 1 + word.len();
        self.is_begun = true;
        self.fits &= self.line <= LINE_OCTETS_MAX;
    }

    /// Adds free text: one line, without control characters.
    pub fn text(&mut self, text: &str) {
        if is_readable(text) {
            text.split(' ').filter(|word| !word.is_empty()).for_each(|word| self.word(word.as_bytes()));
        } else {
            self.encoded(text);
        }
    }

    /// Adds a display name (RFC 5322 §3.2.5): one line, without control characters.
    pub fn phrase(&mut self, name: &str) {
        let is_atom = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '\'');
        if !is_readable(name) || name.len() > FIELD_LINE_OCTETS {
            self.encoded(name);
        } else if name.chars().all(is_atom) {
            self.text(name);
        } else {
            self.word(format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"")).as_bytes());
        }
    }

    /// Adds text as encoded words, none of which ends within a character.
    fn encoded(&mut self, text: &str) {
        let mut rest = text;
        while !rest.is_empty() {
            let (chunk, next) = rest.split_at(rest.floor_char_boundary(ENCODED_OCTETS));
            self.word(format!("=?utf-8?b?{}?=", BASE64.encode(chunk)).as_bytes());
            rest = next;
        }
    }

    /// Ends the field; false if it has a word that no line can hold.
    #[must_use]
    pub fn end(self) -> bool {
        self.out.extend_from_slice(b"\r\n");
        self.fits
    }
}

/// ASCII that nobody can take for an encoded word.
fn is_readable(text: &str) -> bool {
    text.is_ascii() && !text.contains("=?")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(text: &str) -> String {
        let mut out = Vec::new();
        push_quoted_printable(&mut out, text);
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn a_body_line_is_quoted_where_it_must_be_and_nowhere_else() {
        for (text, expected) in [
            ("", ""),
            ("plain text, 1 < 2\n", "plain text, 1 < 2\r\n"),
            ("a = b", "a =3D b"),
            ("µ", "=C2=B5"),
            ("end \nend\t\r\nend ", "end=20\r\nend=09\r\nend=20"),
            (".\n..\nFrom me\nFromage", "=2E\r\n=2E.\r\n=46rom me\r\nFromage"),
            ("a\rb\n\nc\0d", "a\r\nb\r\n\r\ncd"),
        ] {
            assert_eq!(quoted(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_long_body_line_is_broken_so_that_it_reads_the_same() {
        for unit in ["x", "é", "word ", ".", "=", "x ", "日本"] {
            for count in 20..160 {
                let text = format!("{}\r\n", unit.repeat(count));
                let out = quoted(&text);
                assert!(out.split("\r\n").all(|line| line.len() <= 76 && !line.starts_with('.')), "{out}");
                assert!(!out.contains(" \r\n"), "{out}");
                assert_eq!(decoded(&out), text);
            }
        }
    }

    fn decoded(quoted: &str) -> String {
        let joined = quoted.replace("=\r\n", "");
        let mut parts = joined.split('=');
        let mut out = parts.next().unwrap_or_default().as_bytes().to_vec();
        for part in parts {
            out.push(u8::from_str_radix(&part[..2], 16).expect("two digits"));
            out.extend_from_slice(&part.as_bytes()[2..]);
        }
        String::from_utf8(out).expect("UTF-8")
    }

    fn field(write: impl FnOnce(&mut FieldWriter<'_>)) -> (String, bool) {
        let mut out = Vec::new();
        let mut field = FieldWriter::new(&mut out, "Subject");
        write(&mut field);
        let fits = field.end();
        (String::from_utf8(out).expect("ASCII"), fits)
    }

    #[test]
    fn a_field_is_folded_between_words_and_encoded_between_characters() {
        assert_eq!(field(|f| f.text("New hours")).0, "Subject: New hours\r\n");
        assert_eq!(field(|f| f.text("")).0, "Subject:\r\n");
        assert_eq!(field(|f| f.phrase("Dr. \"D\"")).0, "Subject: \"Dr. \\\"D\\\"\"\r\n");
        assert_eq!(field(|f| f.phrase("Ann O'Neil-May")).0, "Subject: Ann O'Neil-May\r\n");
        assert_eq!(field(|f| f.text("=?x?=")).0, "Subject: =?utf-8?b?PT94Pz0=?=\r\n");
        let (long, fits) = field(|f| f.text(&"größer ".repeat(60)));
        assert!(fits && long.split("\r\n").all(|line| line.len() <= 76), "{long}");
        let (long, fits) = field(|f| f.text(&"greater ".repeat(60)));
        assert!(
            fits && long.split("\r\n").all(|line| line.len() <= 76 && line.trim() != "" || line.is_empty()),
            "{long}"
        );
        assert!(!field(|f| f.text(&"x".repeat(2000))).1);
    }
}
