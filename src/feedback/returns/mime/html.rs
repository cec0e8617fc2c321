//! The words of an HTML text, with line ends where blocks end.

/// What ends a line.
const BREAKS: &[&str] =
    &["br", "p", "div", "tr", "li", "ul", "ol", "table", "h1", "h2", "h3", "h4", "hr", "pre", "title"];
/// What is not shown.
const HIDDEN: &[&str] = &["style", "script"];

/// The longest entity that is decoded, in octets: `&#x10FFFF;` has ten.
const ENTITY_OCTETS_MAX: usize = 12;

/// The text without its tags.
pub fn as_text(html: &str) -> String {
    // Some mailers call a plain text HTML.
    let has_blocks = BREAKS
        .iter()
        .any(|name| html.contains(&format!("<{name}")) || html.contains(&format!("<{}", name.to_uppercase())));
    let html = if has_blocks { html.replace('\n', " ") } else { html.to_owned() };
    let mut plain = String::with_capacity(html.len() / 2);
    let mut rest = html.as_str();
    while let Some(start) = rest.find('<') {
        let (before, tag) = rest.split_at(start);
        push_text(&mut plain, before);
        if looks_like_an_address(tag) {
            plain.push('<');
            rest = tag.get(1..).unwrap_or_default();
            continue;
        }
        let end =
            if tag.starts_with("<!--") { tag.find("-->").map(|end| end + 3) } else { tag.find('>').map(|end| end + 1) };
        let Some(end) = end else {
            rest = "";
            break;
        };
        let name = tag_name(tag.get(..end).unwrap_or_default());
        rest = tag.get(end..).unwrap_or_default();
        let bare = name.trim_start_matches('/');
        if BREAKS.contains(&bare) {
            plain.push('\n');
        } else if bare == "td" || bare == "th" {
            plain.push(' ');
        }
        if HIDDEN.contains(&name.as_str()) {
            rest = behind(rest, &format!("</{name}"));
        }
    }
    push_text(&mut plain, rest);
    plain
}

/// Some mailers write `<dana@clinic.example>` into HTML as it is.
fn looks_like_an_address(tag: &str) -> bool {
    let inside = tag.get(1..).and_then(|rest| rest.split('>').next()).unwrap_or_default();
    inside.len() < 120 && inside.contains('@') && !inside.contains([' ', '=', '"', '/', '\n'])
}

fn tag_name(tag: &str) -> String {
    let name = tag.trim_start_matches('<').split(|c: char| c.is_whitespace() || c == '>').next().unwrap_or_default();
    let name = if name.len() > 1 { name.trim_end_matches('/') } else { name };
    name.to_ascii_lowercase()
}

/// What comes behind an end tag, whatever its case; nothing if there is none.
fn behind<'a>(text: &'a str, end_tag: &str) -> &'a str {
    let mut ends = text.match_indices("</").filter_map(|(place, _)| text.get(place..));
    let is_it = |rest: &&str| rest.get(..end_tag.len()).is_some_and(|found| found.eq_ignore_ascii_case(end_tag));
    ends.find(is_it).and_then(|rest| rest.split_once('>')).map_or("", |(_, rest)| rest)
}

/// Text between tags, its entities decoded.
fn push_text(plain: &mut String, text: &str) {
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        let (before, entity) = rest.split_at(start);
        plain.push_str(before);
        let semicolon = entity.bytes().take(ENTITY_OCTETS_MAX).position(|octet| octet == b';');
        let decoded = semicolon.and_then(|end| Some((decoded(entity.get(1..end)?)?, end + 1)));
        let end = match decoded {
            Some((character, end)) => {
                plain.push(character);
                end
            }
            None => {
                plain.push('&');
                1
            }
        };
        rest = entity.get(end..).unwrap_or_default();
    }
    plain.push_str(rest);
}

fn decoded(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(digits) => u32::from_str_radix(digits, 16).ok(),
            None => number.parse().ok(),
        };
        return code.and_then(char::from_u32).map(|c| if c == '\u{a0}' { ' ' } else { c });
    }
    let known = [("lt", '<'), ("gt", '>'), ("amp", '&'), ("quot", '"'), ("apos", '\''), ("nbsp", ' ')];
    known.iter().find(|(known, _)| *known == name).map(|(_, character)| *character)
}
