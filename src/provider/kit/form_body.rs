//! The body of a callback that came as a form: `multipart/form-data` (RFC 7578) or `application/x-www-form-urlencoded`.
//! Read from the raw bytes, without any I/O, and within limits.

use crate::provider::WebhookParts;

/// Most parts of one form.
const PARTS_MAX: usize = 64;
/// Longest head of a part.
const HEAD_BYTES_MAX: usize = 4096;
/// Longest delimiter (RFC 2046 §5.1.1).
const BOUNDARY_CHARS_MAX: usize = 70;

/// A form, in the order received.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct FormBody {
    /// Names and values.
    pub values: Vec<(String, Vec<u8>)>,
    /// Names of the parts that are files, and their content.
    pub files: Vec<(String, Vec<u8>)>,
}

impl FormBody {
    /// The form in a callback, by its `Content-Type`; `None` if it is not a form, is cut off, or exceeds a limit.
    pub fn read(parts: &WebhookParts) -> Option<Self> {
        let content_type = parts.header("content-type").unwrap_or_default();
        let (media_type, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
        match media_type.trim().to_ascii_lowercase().as_str() {
            "multipart/form-data" => multipart(&parts.body, &parameter(parameters, "boundary")?),
            "application/x-www-form-urlencoded" => urlencoded(&parts.body),
            _ => None,
        }
    }

    /// The first value of that name, if it is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        let (_, value) = self.values.iter().find(|(key, _)| key == name)?;
        std::str::from_utf8(value).ok()
    }
}

fn urlencoded(body: &[u8]) -> Option<FormBody> {
    let pairs: Vec<(String, Vec<u8>)> = url::form_urlencoded::parse(body)
        .take(PARTS_MAX + 1)
        .map(|(name, value)| (name.into_owned(), value.into_owned().into_bytes()))
        .collect();
    (pairs.len() <= PARTS_MAX).then_some(FormBody { values: pairs, files: Vec::new() })
}

/// The parts between the delimiters (RFC 2046 §5.1.1): what is before the first and after the last is not read.
fn multipart(body: &[u8], boundary: &str) -> Option<FormBody> {
    if boundary.is_empty() || boundary.len() > BOUNDARY_CHARS_MAX {
        return None;
    }
    let delimiter = format!("--{boundary}");
    let mut rest = match body.strip_prefix(delimiter.as_bytes()) {
        Some(rest) => rest,
        None => split(body, format!("\r\n{delimiter}").as_bytes())?.1,
    };
    let next = format!("\r\n{delimiter}");
    let mut form = FormBody::default();
    for _ in 0..PARTS_MAX {
        if rest.starts_with(b"--") {
            return Some(form);
        }
        // Spaces may follow a delimiter (RFC 2046 §5.1.1, transport padding).
        let (padding, part) = split(rest, b"\r\n")?;
        if !padding.iter().all(|byte| matches!(byte, b' ' | b'\t')) {
            return None;
        }
        // The line break before a delimiter belongs to it; a part without content has only that of its empty line.
        let (part, after) = split(part, next.as_bytes())?;
        form.add(part)?;
        rest = after;
    }
    None
}

impl FormBody {
    fn add(&mut self, part: &[u8]) -> Option<()> {
        let (head, content) = split(part, b"\r\n\r\n")?;
        if head.len() > HEAD_BYTES_MAX {
            return None;
        }
        let disposition = disposition(std::str::from_utf8(head).ok()?)?;
        let name = parameter(disposition, "name")?;
        let is_file = parameter(disposition, "filename").or_else(|| parameter(disposition, "filename*")).is_some();
        let into = if is_file { &mut self.files } else { &mut self.values };
        into.push((name, content.to_vec()));
        Some(())
    }
}

/// The parameters of a part's `Content-Disposition: form-data` (RFC 7578 §4.2).
fn disposition(head: &str) -> Option<&str> {
    head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let (kind, parameters) = value.split_once(';')?;
        let fits =
            name.trim().eq_ignore_ascii_case("content-disposition") && kind.trim().eq_ignore_ascii_case("form-data");
        fits.then_some(parameters)
    })
}

/// One parameter of a header, plain or quoted (RFC 9110 §5.6.6).
fn parameter(parameters: &str, wanted: &str) -> Option<String> {
    let mut rest = parameters;
    while !rest.trim().is_empty() {
        let (name, after) = rest.split_once('=')?;
        let (value, after) = value(after.trim_start())?;
        if name.trim_matches([' ', '\t', ';']).eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        rest = after;
    }
    None
}

/// A token or a quoted string, and what follows it.
fn value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(';').unwrap_or(text.len());
        return Some((text[..end].trim_end().to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => value.push(chars.next()?.1),
            c => value.push(c),
        }
    }
    None
}

/// What is before and after the first occurrence of `mark`.
fn split<'a>(bytes: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = bytes.windows(mark.len()).position(|window| window == mark)?;
    Some((&bytes[..at], &bytes[at + mark.len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parts(content_type: &str, body: &[u8]) -> WebhookParts {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        WebhookParts { headers, body: body.to_vec(), ..WebhookParts::default() }
    }

    #[test]
    fn values_and_files_are_told_apart() {
        let body = b"--b\r\nContent-Disposition: form-data; name=\"fax\"\r\nContent-Type: application/json\r\n\r\n{}\r\n\
            --b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\\\"b.pdf\"\r\n\r\n%PDF\r\n\r\n--\x00\r\n--b--\r\n";
        let form = FormBody::read(&parts("multipart/form-data; boundary=b", body)).expect("a form");
        assert_eq!(form.text("fax"), Some("{}"));
        assert_eq!(form.files, [("file".to_owned(), b"%PDF\r\n\r\n--\x00".to_vec())]);
    }

    #[test]
    fn an_empty_value_is_a_value() {
        let body = b"--b\r\nContent-Disposition: form-data; name=\"message\"\r\n\r\n\r\n--b--";
        let form = FormBody::read(&parts("Multipart/Form-Data; charset=utf-8; boundary=\"b\"", body)).expect("a form");
        assert_eq!(form.text("message"), Some(""));
    }

    #[test]
    fn an_urlencoded_form_is_read_too() {
        let form = FormBody::read(&parts("application/x-www-form-urlencoded", b"test=true&fax=%7B%7D"));
        assert_eq!(form.expect("a form").text("fax"), Some("{}"));
    }

    #[test]
    fn a_form_that_is_cut_off_or_too_large_is_none() {
        let whole = b"--b\r\nContent-Disposition: form-data; name=\"fax\"\r\n\r\n{}\r\n--b--";
        for end in 0..whole.len() {
            assert_eq!(FormBody::read(&parts("multipart/form-data; boundary=b", &whole[..end])), None, "{end} bytes");
        }
        let part = b"--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n1\r\n".repeat(PARTS_MAX);
        let many = [&part[..], b"--b--"].concat();
        assert_eq!(FormBody::read(&parts("multipart/form-data; boundary=b", &many)), None);
        assert_eq!(FormBody::read(&parts("multipart/form-data", whole)), None, "no boundary");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_turned_away(body in prop::collection::vec(any::<u8>(), 0..200), boundary in "[-b\"=; ]{0,4}") {
            let _ = FormBody::read(&parts(&format!("multipart/form-data; boundary={boundary}"), &body));
        }

        #[test]
        fn what_is_written_is_read(values in prop::collection::vec(("[a-z]{1,8}", prop::collection::vec(any::<u8>(), 0..40)), 0..6)) {
            let mut body = Vec::new();
            for (name, value) in &values {
                body.extend(format!("--boundary-9f\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n").bytes());
                body.extend(value);
                body.extend(b"\r\n");
            }
            body.extend(b"--boundary-9f--\r\n");
            let form = FormBody::read(&parts("multipart/form-data; boundary=boundary-9f", &body)).expect("a form");
            prop_assert_eq!(form.values, values);
        }
    }
}
