//! Names and texts as IMAP writes them.

use base64::Engine;
use base64::alphabet::Alphabet;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};

/// A text in quotes; `None` if it has characters that cannot stand there.
pub(super) fn quoted(text: &str) -> Option<String> {
    let fits = text.bytes().all(|b| (b' '..=b'~').contains(&b));
    fits.then(|| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
}

/// The name of a folder in quotes, characters beyond ASCII as every server knows them (RFC 3501 §5.1.3).
pub(super) fn folder(name: &str) -> String {
    let mut written = String::new();
    let mut beyond: Vec<u16> = Vec::new();
    for c in name.chars() {
        if (' '..='~').contains(&c) {
            end_shift(&mut written, &mut beyond);
            written.push(c);
            if c == '&' {
                written.push('-');
            }
        } else {
            beyond.extend(c.encode_utf16(&mut [0; 2]).iter());
        }
    }
    end_shift(&mut written, &mut beyond);
    quoted(&written).unwrap_or_default()
}

fn end_shift(written: &mut String, beyond: &mut Vec<u16>) {
    if beyond.is_empty() {
        return;
    }
    let octets: Vec<u8> = beyond.drain(..).flat_map(u16::to_be_bytes).collect();
    written.push('&');
    written.push_str(&engine().encode(octets));
    written.push('-');
}

/// Base64 with a comma where the usual one has a slash.
fn engine() -> GeneralPurpose {
    let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";
    let alphabet = Alphabet::new(letters).unwrap_or(base64::alphabet::STANDARD);
    GeneralPurpose::new(&alphabet, NO_PAD)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 3501 §5.1.3.
    #[test]
    fn a_folder_beyond_ascii_is_written_as_the_rfc_has_it() {
        assert_eq!(folder("INBOX"), "\"INBOX\"");
        assert_eq!(folder("~peter/mail/台北/日本語"), "\"~peter/mail/&U,BTFw-/&ZeVnLIqe-\"");
        assert_eq!(folder("a & b"), "\"a &- b\"");
        assert_eq!(folder("say \"x\\\""), "\"say \\\"x\\\\\\\"\"");
        assert_eq!(quoted("pässword"), None);
        assert_eq!(quoted("a\r\nb"), None);
    }
}
