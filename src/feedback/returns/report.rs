//! Delivery status reports (RFC 3464), also where they are written loosely: more empty lines than there should be, or fewer, wrong
//! case, comments, route addresses, within plain text.

use super::mime::Fields;
use super::words;
use crate::domain::mail_reply::EnhancedStatus;

/// How many recipients of one mail are read.
pub(super) const RECIPIENTS_MAX: usize = 200;
/// The fields that name a recipient.
const NAMING: &[&str] = &["final-recipient", "original-recipient"];

/// What became of the letter for one recipient (RFC 3464 section 2.3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Failed,
    Delayed,
    /// Delivered, relayed or expanded.
    Delivered,
}

/// One recipient of a report.
#[derive(Debug, Clone)]
pub(super) struct Reported {
    /// Whom we wrote to.
    pub recipient: String,
    /// Where it went from there, if that is another address.
    pub forwarded_to: Option<String>,
    pub action: Action,
    pub status: Option<EnhancedStatus>,
    /// What stands behind the status.
    pub comment: String,
    /// What the server said, in one line.
    pub diagnostic: String,
    /// The host that said it, if the report names it.
    pub host: String,
}

/// A report.
#[derive(Debug, Clone, Default)]
pub(super) struct Report {
    pub recipients: Vec<Reported>,
    /// The envelope's identifier that we gave (RFC 3461 section 4.4).
    pub envelope_id: String,
}

/// The report in a text. Empty if none is in it.
pub(super) fn read(text: &str) -> Report {
    let groups = groups(text);
    let envelope_id = groups.iter().map(|group| group.get("original-envelope-id")).find(|id| !id.is_empty());
    let recipients = groups.iter().filter_map(reported).take(RECIPIENTS_MAX).collect();
    Report { recipients, envelope_id: envelope_id.unwrap_or_default().to_owned() }
}

/// The report within a plain text, and where it begins, with what quotes it taken away: mailers and people put it there.
pub(super) fn within(text: &str) -> Option<(Report, usize)> {
    let lower = text.to_ascii_lowercase();
    let field = ["final-recipient:", "original-recipient:"].iter().filter_map(|name| lower.find(name)).min()?;
    let has_more = ["action:", "status:", "diagnostic-code:"].iter().any(|name| lower.contains(name));
    let start = lower.get(..field)?.rfind("\n\n").unwrap_or(0);
    let unquoted = |line: &str| {
        let bare = line.trim_start_matches(['>', '|']);
        bare.strip_prefix(' ').filter(|_| bare.len() < line.len()).unwrap_or(bare).to_owned()
    };
    let lines: Vec<String> = text.get(start..)?.lines().map(unquoted).collect();
    has_more.then(|| (read(&lines.join("\n")), start))
}

/// The groups of fields, of which all but the first are one recipient's each.
fn groups(text: &str) -> Vec<Fields> {
    let mut pieces: Vec<String> = vec![String::new()];
    let mut names: Vec<String> = Vec::new();
    for line in text.lines() {
        let name = line.split_once(':').map(|(name, _)| name.trim().to_ascii_lowercase()).unwrap_or_default();
        let is_naming = NAMING.contains(&name.as_str());
        let begins_another = is_naming && names.contains(&name);
        let is_empty = line.trim().is_empty();
        if is_empty || begins_another {
            pieces.push(String::new());
            names.clear();
        }
        if !is_empty {
            if is_naming && !line.starts_with([' ', '\t']) {
                names.push(name);
            }
            if let Some(piece) = pieces.last_mut() {
                piece.push_str(line.trim_end());
                piece.push('\n');
            }
        }
    }
    merged(pieces)
}

/// Fields behind an empty line that name no recipient belong to the one before them.
fn merged(pieces: Vec<String>) -> Vec<Fields> {
    let names_one = |piece: &str| {
        let lower = piece.to_ascii_lowercase();
        lower.contains("final-recipient:") || lower.contains("original-recipient:")
    };
    let mut whole: Vec<String> = Vec::new();
    let mut last_names_one = false;
    for piece in pieces {
        let names_another = names_one(&piece);
        match whole.last_mut() {
            Some(last) if last_names_one && !names_another => last.push_str(&piece),
            _ => {
                whole.push(piece);
                last_names_one = names_another;
            }
        }
    }
    whole.iter().map(|piece| Fields::of_text(piece)).collect()
}

fn reported(fields: &Fields) -> Option<Reported> {
    let mailbox = |name: &str| mailbox(fields.get(name));
    let ends = [mailbox("final-recipient"), mailbox("original-recipient")];
    let [last, first] = ends;
    let is_whole = |address: &String| address.contains('@');
    let recipient =
        first.clone().filter(is_whole).or_else(|| last.clone().filter(is_whole)).or(last.clone()).or(first)?;
    let elsewhere =
        mailbox("x-actual-recipient").or(last).filter(|last| is_whole(last) && !words::is_same(last, &recipient));
    let status_line = fields.get("status");
    let status = status_line.split(|c: char| c.is_whitespace() || c == '(').find_map(EnhancedStatus::parse);
    let comment = status_line.split_once(char::is_whitespace).map_or("", |(_, comment)| comment).to_owned();
    let diagnostics: Vec<&str> = fields.all("diagnostic-code").map(without_type).collect();
    let diagnostic = diagnostics.join(" ");
    let action = action(fields.get("action"), status)?;
    let host = without_type(fields.get("remote-mta")).to_owned();
    Some(Reported { recipient, forwarded_to: elsewhere, action, status, comment, diagnostic, host })
}

fn action(word: &str, status: Option<EnhancedStatus>) -> Option<Action> {
    let word = word.trim().to_ascii_lowercase();
    let of_status = |status: EnhancedStatus| if status.class == 2 { Action::Delivered } else { Action::Failed };
    match word.get(..4) {
        Some("fail") => Some(Action::Failed),
        Some("dela") => Some(Action::Delayed),
        Some("deli" | "rela" | "expa") => Some(Action::Delivered),
        _ => status.map(of_status),
    }
}

/// `smtp; 550 …` without its type.
fn without_type(value: &str) -> &str {
    match value.split_once(';') {
        Some((kind, rest)) if kind.trim().len() <= 20 && !kind.trim().contains(' ') => rest.trim(),
        _ => value.trim(),
    }
}

/// `rfc822; <dana@clinic.example>` as a mailbox.
fn mailbox(value: &str) -> Option<String> {
    let is_unitext = value.trim_start().get(..5).is_some_and(|kind| kind.eq_ignore_ascii_case("utf-8"));
    let unitext = if is_unitext { from_unitext(without_type(value)) } else { String::new() };
    let value = if is_unitext { unitext.as_str() } else { without_type(value) }.trim();
    // A source route (RFC 5321 appendix C): `@relay.example:dana@clinic.example`
    let value = match value.split_once(':') {
        Some((route, rest)) if route.trim_start_matches('<').starts_with('@') => rest,
        _ => value,
    };
    if let Some(found) = words::addresses(value).into_iter().next() {
        return Some(found.address.replace("+3D", "=").replace("+2B", "+"));
    }
    let bare = value.trim_matches(|c: char| c == '<' || c == '>' || c.is_whitespace());
    let is_mailbox =
        !bare.is_empty() && bare.len() <= 200 && !bare.contains(|c: char| c.is_whitespace() || c.is_control());
    is_mailbox.then(|| bare.to_owned())
}

/// The characters that stand as `\x{F6}` in the forms of an internationalized address (RFC 6533 section 3).
fn from_unitext(value: &str) -> String {
    let mut pieces = value.split("\\x{");
    let mut decoded = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let read = piece.split_once('}').and_then(|(digits, rest)| {
            let character = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32)?;
            Some((character, rest))
        });
        match read {
            Some((character, rest)) => {
                decoded.push(character);
                decoded.push_str(rest);
            }
            None => {
                decoded.push_str("\\x{");
                decoded.push_str(piece);
            }
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(fields: &str) -> Reported {
        read(&format!("Reporting-MTA: dns; mx.example\n\n{fields}")).recipients.into_iter().next().expect("a recipient")
    }

    #[test]
    fn a_recipient_is_read_however_it_is_written() {
        for (value, wanted) in [
            ("rfc822; dana@clinic.example", "dana@clinic.example"),
            ("RFC822;<dana@clinic.example>", "dana@clinic.example"),
            ("<dana@clinic.example>", "dana@clinic.example"),
            ("dana@clinic.example", "dana@clinic.example"),
            ("rfc822;@relay.example:dana@clinic.example", "dana@clinic.example"),
            ("rfc822; dana", "dana"),
            ("utf-8; j\\x{F6}rg@klinik.example", "jörg@klinik.example"),
            ("utf-8; jörg@klinik.example", "jörg@klinik.example"),
            ("utf-8; δοκιμή@παράδειγμα.example", "δοκιμή@παράδειγμα.example"),
        ] {
            assert_eq!(one(&format!("Final-Recipient: {value}\nAction: failed\nStatus: 5.1.1")).recipient, wanted);
        }
    }

    #[test]
    fn the_one_we_wrote_to_is_told_from_where_it_went() {
        let read = one("Original-Recipient: rfc822;a@b.example\nFinal-Recipient: rfc822;c@d.example\nAction: failed");
        assert!(read.status.is_none(), "an action without a status is read");
        assert_eq!((read.recipient.as_str(), read.forwarded_to.as_deref()), ("a@b.example", Some("c@d.example")));
    }

    #[test]
    fn groups_are_told_apart_though_empty_lines_are_missing_or_too_many() {
        let text = "Reporting-MTA: dns; mx\n\n\nFinal-Recipient: rfc822; a@b.example\n\nAction: failed\nStatus: 5.1.1\n\n\n\
                    Final-Recipient: rfc822; c@b.example\nAction: delayed\nStatus: 4.2.2 (full)\n\
                    Final-Recipient: rfc822; e@b.example\nACTION : Delivered\nDiagnostic-Code: smtp; 250\n ok\n";
        let read = read(text);
        let seen: Vec<_> = read.recipients.iter().map(|one| (one.recipient.as_str(), one.action)).collect();
        assert_eq!(
            seen,
            [("a@b.example", Action::Failed), ("c@b.example", Action::Delayed), ("e@b.example", Action::Delivered)]
        );
        assert_eq!(read.recipients[1].comment, "(full)");
        assert_eq!(read.recipients[2].diagnostic, "250 ok");
    }

    #[test]
    fn a_report_within_a_text_is_found_also_where_it_is_quoted() {
        let quoted = "See below\n\n> Reporting-MTA: dns; mx\n>\n> Final-Recipient: rfc822; a@b.example\n> Action: failed\n> Status: 5.0.0\n";
        let (read, start) = within(quoted).expect("one");
        assert_eq!((read.recipients.len(), quoted.get(..start)), (1, Some("See below")));
        assert!(within("Status: nothing").is_none());
    }
}
