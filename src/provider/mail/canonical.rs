//! A mail in the form that is hashed for DKIM: `relaxed` for header and body (RFC 6376 §3.4.2, §3.4.4). What relays do to
//! white space on the way does not show in it.

/// One header field as it is in the mail, folds and its last CRLF included.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field<'a> {
    pub name: &'a [u8],
    value: &'a [u8],
}

impl<'a> Field<'a> {
    /// `None` for a line that is no field.
    pub fn read(raw: &'a [u8]) -> Option<Self> {
        let colon = raw.iter().position(|octet| *octet == b':')?;
        Some(Self { name: raw[..colon].trim_ascii_end(), value: &raw[colon + 1..] })
    }

    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }
}

/// The header's fields in order, and the body behind the empty line.
pub(super) fn take_apart(eml: &[u8]) -> (Vec<Field<'_>>, &[u8]) {
    let (mut fields, mut start, mut place) = (Vec::with_capacity(16), 0, 0);
    while let Some(length) = eml[place..].iter().position(|octet| *octet == b'\n') {
        let is_empty = matches!(&eml[place..place + length], b"\r" | b"");
        place += length + 1;
        if is_empty {
            return (fields, &eml[place..]);
        }
        if !matches!(eml.get(place), Some(b' ' | b'\t')) {
            fields.extend(Field::read(&eml[start..place]));
            start = place;
        }
    }
    fields.extend(Field::read(&eml[start..]));
    (fields, &[])
}

/// Adds one field: name in lower case, no space around the colon, folds undone, white space as single spaces, CRLF.
pub(super) fn push_field(out: &mut Vec<u8>, field: Field<'_>) {
    out.extend(field.name.iter().map(u8::to_ascii_lowercase));
    out.push(b':');
    push_single_spaced(out, field.value.trim_ascii(), b" \t\r\n");
    out.extend_from_slice(b"\r\n");
}

/// The body: white space as single spaces, none at the end of a line, no empty lines at the end.
pub(super) fn body(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + 2);
    // Where the last line that is not empty ends.
    let mut end = 0;
    for line in body.split(|octet| *octet == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = &line[..line.iter().rposition(|octet| !b" \t".contains(octet)).map_or(0, |last| last + 1)];
        push_single_spaced(&mut out, line, b" \t");
        out.extend_from_slice(b"\r\n");
        if !line.is_empty() {
            end = out.len();
        }
    }
    out.truncate(end);
    out
}

/// Each run of white space as one space. Copies what lies between in one go.
fn push_single_spaced<const N: usize>(out: &mut Vec<u8>, text: &[u8], white: &[u8; N]) {
    let is_white = |octet: &u8| white.contains(octet);
    let mut rest = text;
    while let Some(word) = rest.iter().position(is_white) {
        out.extend_from_slice(&rest[..word]);
        out.push(b' ');
        let white = rest[word..].iter().position(|octet| !is_white(octet)).unwrap_or(rest.len() - word);
        rest = &rest[word + white..];
    }
    out.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(eml: &[u8]) -> String {
        let mut out = Vec::new();
        take_apart(eml).0.into_iter().for_each(|field| push_field(&mut out, field));
        String::from_utf8(out).expect("ASCII in the test")
    }

    /// RFC 6376 §3.4.5.
    #[test]
    fn the_examples_of_the_standard_come_out_as_it_says() {
        let eml = b"A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n C \r\nD \t E\r\n\r\n\r\n";
        assert_eq!(header(eml), "a:X\r\nb:Y Z\r\n");
        assert_eq!(body(take_apart(eml).1), b" C\r\nD E\r\n");
    }

    #[test]
    fn a_body_ends_with_one_line_end_unless_it_is_empty() {
        for (written, canonical) in [
            ("", ""),
            ("\r\n", ""),
            ("\r\n \t\r\n", ""),
            ("a", "a\r\n"),
            ("a\r\n", "a\r\n"),
            ("\r\na\r\n\r\n", "\r\na\r\n"),
        ] {
            assert_eq!(body(written.as_bytes()), canonical.as_bytes(), "{written:?}");
        }
    }

    #[test]
    fn a_mail_without_a_body_or_with_odd_lines_is_taken_apart_all_the_same() {
        assert_eq!(header(b"Subject:\r\n"), "subject:\r\n");
        assert_eq!(header(b"no field\r\nTo: a"), "to:a\r\n");
        assert_eq!(header(b""), "");
        assert_eq!(take_apart(b"A: x\r\n\r\n").1, b"");
    }
}
