//! Charsets, of texts and of fields (RFC 2047).

use encoding_rs::{Encoding, ISO_2022_JP, UTF_8, WINDOWS_1252};

use super::transfer;

/// The longest encoded word that is decoded, in octets: longer than the 75 of RFC 2047 section 2, because mailers exceed them.
const WORD_OCTETS_MAX: usize = 1_000;

/// The text: in the charset that is named and known, else in ISO-2022-JP if its escapes stand in it, else in UTF-8, else in windows-1252.
pub(super) fn decoded(charset: &str, octets: &[u8]) -> String {
    let named = Encoding::for_label(charset.trim().as_bytes()).filter(|named| *named != UTF_8);
    let is_unnamed = named.is_none_or(|named| named == WINDOWS_1252);
    let named = if is_unnamed && is_japanese(octets) { Some(ISO_2022_JP) } else { named };
    if let Some(named) = named.filter(|_| !is_plain(octets)) {
        return named.decode_without_bom_handling(octets).0.into_owned();
    }
    match std::str::from_utf8(octets) {
        Ok(text) => text.to_owned(),
        // A text may be cut within a character.
        Err(error) if error.error_len().is_none() => String::from_utf8_lossy(octets).into_owned(),
        Err(_) => WINDOWS_1252.decode_without_bom_handling(octets).0.into_owned(),
    }
}

/// Whether it is ASCII without an escape, and so the same in every charset.
fn is_plain(octets: &[u8]) -> bool {
    octets.is_ascii() && !octets.contains(&0x1b)
}

/// Whether it is ASCII with the escape of ISO-2022-JP, as Japanese servers write it also where they name no charset.
fn is_japanese(octets: &[u8]) -> bool {
    octets.is_ascii() && octets.windows(3).any(|escape| matches!(escape, b"\x1b$B" | b"\x1b$@"))
}

/// A field's text, its encoded words decoded.
pub(super) fn field_text(value: &[u8]) -> String {
    let text = decoded("", value);
    if !text.contains("=?") {
        return text;
    }
    let (mut plain, mut rest, mut behind_word) = (String::with_capacity(text.len()), text.as_str(), false);
    while let Some(start) = rest.find("=?") {
        let (before, word) = rest.split_at(start);
        let Some((decoded, end)) = encoded_word(word) else {
            plain.push_str(before);
            plain.push_str("=?");
            (rest, behind_word) = (word.get(2..).unwrap_or_default(), false);
            continue;
        };
        // Space between two encoded words is not part of the text (RFC 2047 section 6.2).
        if !(behind_word && before.trim().is_empty()) {
            plain.push_str(before);
        }
        plain.push_str(&decoded);
        (rest, behind_word) = (word.get(end..).unwrap_or_default(), true);
    }
    plain.push_str(rest);
    plain
}

/// The text of an encoded word at the beginning, and where the word ends.
fn encoded_word(text: &str) -> Option<(String, usize)> {
    let mut parts = text.get(2..)?.splitn(3, '?');
    let (charset, encoding, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let end = rest.as_bytes().windows(2).take(WORD_OCTETS_MAX).position(|pair| pair == b"?=")?;
    let content = rest.get(..end)?.as_bytes();
    let octets = match encoding {
        "B" | "b" => transfer::base64(content),
        "Q" | "q" => transfer::quoted_printable(content, true),
        _ => return None,
    };
    // A language may be named behind the charset (RFC 2231 section 5).
    let charset = charset.split('*').next().unwrap_or_default();
    let until = text.len() - rest.len() + end + 2;
    Some((decoded(charset, &octets), until))
}
