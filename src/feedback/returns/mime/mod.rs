//! A mail taken apart (RFC 5322, RFC 2045, RFC 2046), as leniently as returns need it: boundaries that are indented, parts
//! that end in the middle, lines that end in any way, charsets that lie. Bounded in size, depth and count, whatever comes.

mod charset;
mod html;
mod transfer;

use std::borrow::Cow;

pub(super) use html::as_text;

/// How much of a mail is looked at. What a return says stands before the letter that it returns.
const OCTETS_MAX: usize = 4 * 1024 * 1024;
/// How deep parts and enclosed mails may lie in one another.
const DEPTH_MAX: usize = 12;
/// How many parts are looked at.
const PARTS_MAX: usize = 200;
/// How many fields of one header are kept.
const FIELDS_MAX: usize = 300;
/// How many octets of one field are kept.
const FIELD_OCTETS_MAX: usize = 8 * 1024;
/// How many octets of one text are decoded, and how many of several are joined.
pub(super) const TEXT_OCTETS_MAX: usize = 256 * 1024;

/// The fields of a header, names in lower case, values unfolded and decoded (RFC 2047).
#[derive(Debug, Default, Clone)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// The first field of that name; empty if there is none.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// Every field of that name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether there is one.
    pub fn has(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The fields at the beginning of a text, such as a returned letter's. A line that is none ends them.
    pub fn of_text(text: &str) -> Self {
        split_header(text.as_bytes()).0
    }
}

/// A mail, or a part of one.
#[derive(Debug)]
pub(super) struct Entity {
    pub fields: Fields,
    /// Type and subtype in lower case.
    pub kind: String,
    pub body: Body,
}

/// What an entity holds.
#[derive(Debug)]
pub(super) enum Body {
    /// Text, decoded; also that of types that are read as text.
    Text(String),
    /// Parts.
    Parts(Vec<Entity>),
    /// A mail within.
    Mail(Box<Entity>),
    /// Anything else.
    Other,
}

impl Entity {
    /// Takes a mail apart. Never fails: what cannot be understood is text.
    pub fn parse(octets: &[u8]) -> Self {
        let octets = octets.get(..OCTETS_MAX).unwrap_or(octets);
        let lines = with_plain_line_ends(octets);
        let mut left = PARTS_MAX;
        entity(without_envelope_line(&lines), "text/plain", 0, &mut left)
    }
}

/// CRLF and a single CR become LF.
fn with_plain_line_ends(octets: &[u8]) -> Cow<'_, [u8]> {
    if !octets.contains(&b'\r') {
        return Cow::Borrowed(octets);
    }
    let mut plain = Vec::with_capacity(octets.len());
    let mut rest = octets.iter().copied().peekable();
    while let Some(octet) = rest.next() {
        if octet == b'\r' {
            rest.next_if_eq(&b'\n');
            plain.push(b'\n');
        } else {
            plain.push(octet);
        }
    }
    Cow::Owned(plain)
}

/// Without empty lines at the beginning, and without an mbox's `From ` line.
fn without_envelope_line(mut octets: &[u8]) -> &[u8] {
    while let [b'\n', rest @ ..] = octets {
        octets = rest;
    }
    let has_one = octets.starts_with(b"From ") || octets.starts_with(b">From ");
    if has_one { octets.split_at(line_end(octets)).1 } else { octets }
}

/// Behind the first line.
fn line_end(octets: &[u8]) -> usize {
    octets.iter().position(|octet| *octet == b'\n').map_or(octets.len(), |place| place + 1)
}

fn entity(octets: &[u8], kind_else: &str, depth: usize, left: &mut usize) -> Entity {
    *left = left.saturating_sub(1);
    let (fields, body) = split_header(octets);
    let named = fields.get("content-type");
    let kind = named.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let kind = if kind.contains('/') { kind } else { kind_else.to_owned() };
    let body = if depth >= DEPTH_MAX || *left == 0 {
        Body::Text(text(&fields, body))
    } else {
        content(&kind, &fields, body, depth, left)
    };
    Entity { fields, kind, body }
}

fn content(kind: &str, fields: &Fields, body: &[u8], depth: usize, left: &mut usize) -> Body {
    if kind.starts_with("multipart/") {
        let boundary = parameter(fields.get("content-type"), "boundary").or_else(|| first_boundary(body));
        let pieces = boundary.map(|boundary| pieces(body, &boundary)).unwrap_or_default();
        if pieces.is_empty() {
            return Body::Text(text(fields, body));
        }
        let kind_else = if kind == "multipart/digest" { "message/rfc822" } else { "text/plain" };
        let mut parts = Vec::new();
        for piece in pieces {
            if *left == 0 {
                break;
            }
            parts.push(entity(piece, kind_else, depth + 1, left));
        }
        return Body::Parts(parts);
    }
    match kind {
        "message/rfc822" | "message/global" => {
            let inner = transfer::decoded(fields.get("content-transfer-encoding"), body);
            Body::Mail(Box::new(entity(without_envelope_line(&inner), "text/plain", depth + 1, left)))
        }
        _ if is_read_as_text(kind) => Body::Text(text(fields, body)),
        _ => Body::Other,
    }
}

fn is_read_as_text(kind: &str) -> bool {
    kind.starts_with("text/") || kind.starts_with("message/") || kind == "application/json"
}

fn text(fields: &Fields, body: &[u8]) -> String {
    let body = body.get(..TEXT_OCTETS_MAX).unwrap_or(body);
    let octets = transfer::decoded(fields.get("content-transfer-encoding"), body);
    let charset = parameter(fields.get("content-type"), "charset").unwrap_or_default();
    charset::decoded(&charset, &octets).replace("\r\n", "\n")
}

/// The header's fields, and what comes behind them.
fn split_header(octets: &[u8]) -> (Fields, &[u8]) {
    let mut fields: Vec<(String, Vec<u8>)> = Vec::new();
    let mut rest = octets;
    while !rest.is_empty() {
        let (line, behind) = rest.split_at(line_end(rest));
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        if line.is_empty() {
            rest = behind;
            break;
        }
        if line.first().is_some_and(|octet| matches!(octet, b' ' | b'\t')) {
            if let Some((_, value)) = fields.last_mut() {
                append(value, line.trim_ascii());
            } else if !line.trim_ascii().is_empty() {
                break;
            }
        } else if let Some((name, value)) = field(line) {
            if fields.len() < FIELDS_MAX {
                let mut kept = Vec::new();
                append(&mut kept, value);
                fields.push((name, kept));
            }
        } else if !line.starts_with(b">From ") && !line.starts_with(b"From ") {
            break;
        }
        rest = behind;
    }
    let fields = fields.into_iter().map(|(name, value)| (name, charset::field_text(&value))).collect();
    (Fields(fields), rest)
}

fn append(value: &mut Vec<u8>, more: &[u8]) {
    let room = FIELD_OCTETS_MAX.saturating_sub(value.len());
    if !value.is_empty() && room > 0 {
        value.push(b' ');
    }
    value.extend_from_slice(more.get(..room).unwrap_or(more));
}

/// Name and value of a line, if it is a field: a name of printable ASCII without spaces, and a colon.
fn field(line: &[u8]) -> Option<(String, &[u8])> {
    let colon = line.iter().take(80).position(|octet| *octet == b':')?;
    let name = line.get(..colon)?.trim_ascii_end();
    let is_name = !name.is_empty() && name.iter().all(|octet| octet.is_ascii_graphic());
    let name = std::str::from_utf8(name).ok().filter(|_| is_name)?;
    Some((name.to_ascii_lowercase(), line.get(colon + 1..)?.trim_ascii()))
}

/// A parameter of a content type, without quotes.
fn parameter(value: &str, name: &str) -> Option<String> {
    let lower = value.to_ascii_lowercase();
    let mut from = 0;
    while let Some(place) = lower.get(from..)?.find(name) {
        let (start, end) = (from + place, from + place + name.len());
        let stands_alone = lower.get(..start)?.trim_end().ends_with(';');
        let rest = value.get(end..)?.trim_start();
        if let (true, Some(rest)) = (stands_alone, rest.strip_prefix('=')) {
            let rest = rest.trim_start();
            let found = match rest.strip_prefix('"') {
                Some(quoted) => quoted.split('"').next(),
                None => rest.split([';', ' ', '\t']).next(),
            };
            return found.map(str::trim).filter(|found| !found.is_empty()).map(str::to_owned);
        }
        from = end;
    }
    None
}

/// What the first line with two hyphens would make the boundary, where none is named.
fn first_boundary(body: &[u8]) -> Option<String> {
    let line = body.split(|octet| *octet == b'\n').map(<[u8]>::trim_ascii).find(|line| line.starts_with(b"--"))?;
    let name = std::str::from_utf8(line.get(2..)?).ok()?;
    (name.len() > 5).then(|| name.to_owned())
}

/// What stands between the boundaries. Spaces around a boundary do not count.
fn pieces<'a>(body: &'a [u8], boundary: &str) -> Vec<&'a [u8]> {
    let boundary = boundary.trim_end().as_bytes();
    let (mut pieces, mut start, mut place) = (Vec::new(), None, 0);
    let keep = |pieces: &mut Vec<&'a [u8]>, start: Option<usize>, end: usize| {
        if let Some(piece) = start.and_then(|start: usize| body.get(start..end)) {
            pieces.push(piece);
        }
    };
    while place < body.len() && pieces.len() < PARTS_MAX {
        let end = place + line_end(body.get(place..).unwrap_or_default());
        let line = body.get(place..end).unwrap_or_default().trim_ascii();
        let behind = line.strip_prefix(b"--").and_then(|line| line.strip_prefix(boundary));
        if let Some(behind) = behind.filter(|behind| behind.is_empty() || *behind == b"--") {
            keep(&mut pieces, start, place);
            start = behind.is_empty().then_some(end);
        }
        place = end;
    }
    keep(&mut pieces, start, body.len());
    pieces
}

#[cfg(test)]
mod tests;
