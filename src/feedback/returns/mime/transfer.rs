//! Content transfer encodings (RFC 2045 section 6). What is not of the encoding is passed over.

use std::borrow::Cow;

/// The octets that were meant.
pub(super) fn decoded<'a>(encoding: &str, body: &'a [u8]) -> Cow<'a, [u8]> {
    let encoding = encoding.trim().to_ascii_lowercase();
    if encoding.starts_with("quoted-printable") {
        Cow::Owned(quoted_printable(body, false))
    } else if encoding.starts_with("base64") {
        Cow::Owned(base64(body))
    } else {
        Cow::Borrowed(body)
    }
}

/// Quoted-printable; in a field (RFC 2047 section 4.2) an underscore is a space.
pub(super) fn quoted_printable(body: &[u8], in_field: bool) -> Vec<u8> {
    let mut plain = Vec::with_capacity(body.len());
    let mut place = 0;
    while let Some(octet) = body.get(place).copied() {
        place += 1;
        match octet {
            b'=' => {
                let rest = body.get(place..).unwrap_or_default();
                let high_and_low = (rest.first().copied().and_then(hex), rest.get(1).copied().and_then(hex));
                if let (Some(high), Some(low)) = high_and_low {
                    plain.push(high * 16 + low);
                    place += 2;
                } else if let Some(end) = soft_break(rest) {
                    place += end;
                } else {
                    plain.push(octet);
                }
            }
            b'_' if in_field => plain.push(b' '),
            _ => plain.push(octet),
        }
    }
    plain
}

/// How far a soft line break goes: spaces, then a line end or the end.
fn soft_break(rest: &[u8]) -> Option<usize> {
    let spaces = rest.iter().take_while(|octet| matches!(octet, b' ' | b'\t')).count();
    match rest.get(spaces) {
        Some(b'\n') => Some(spaces + 1),
        None => Some(spaces),
        Some(_) => None,
    }
}

fn hex(octet: u8) -> Option<u8> {
    char::from(octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Base64 (RFC 4648 section 4), also without its end.
pub(super) fn base64(body: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(body.len() / 4 * 3 + 3);
    let (mut bits, mut held) = (0_u32, 0_u32);
    for octet in body {
        let value = match octet {
            b'A'..=b'Z' => octet - b'A',
            b'a'..=b'z' => octet - b'a' + 26,
            b'0'..=b'9' => octet - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => {
                (bits, held) = (0, 0);
                continue;
            }
            _ => continue,
        };
        bits = ((bits << 6) | u32::from(value)) & 0x00ff_ffff;
        held += 6;
        if held >= 8 {
            held -= 8;
            plain.push(u8::try_from((bits >> held) & 0xff).unwrap_or_default());
        }
    }
    plain
}
