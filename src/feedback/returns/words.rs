//! Texts as they are compared, and the addresses in them.

/// The longest text that is compared, in characters.
const CHARS_MAX: usize = 16_000;
/// The longest address of a machine in brackets that is read, in octets.
const LITERAL_OCTETS_MAX: usize = 50;

/// In lower case, in one line, without addresses: an address may hold any word of a table.
pub(super) fn plain(text: &str) -> String {
    let text: String = text.chars().take(CHARS_MAX).collect();
    let text = without_addresses(&text).to_lowercase().replace(['\u{2019}', '`'], "'");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// An address in a text, and the octets that it takes up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub address: String,
    pub start: usize,
    pub end: usize,
}

/// Every address in a text, in order. Names of a mailbox without a domain are none.
pub(super) fn addresses(text: &str) -> Vec<Found> {
    text.match_indices('@').filter_map(|(at, _)| address_around(text, at)).collect()
}

/// Whether two addresses are the same mailbox, as far as a bounce can tell: letters of either case are the same.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

fn address_around(text: &str, at: usize) -> Option<Found> {
    let (before, behind) = (text.get(..at)?, text.get(at + 1..)?);
    let start = local_start(before)?;
    let domain = domain_of(behind)?;
    let local = before.get(start..)?;
    let in_brackets = before.get(..start)?.ends_with('<') && behind.get(domain.len()..)?.starts_with('>');
    let is_one =
        local.len() <= 128 && domain.len() <= 253 && (domain.contains('.') || domain.starts_with('[') || in_brackets);
    let is_printable = !local.contains(char::is_control);
    (is_one && is_printable).then(|| Found { address: format!("{local}@{domain}"), start, end: at + 1 + domain.len() })
}

/// Where the local part begins.
fn local_start(before: &str) -> Option<usize> {
    if let Some(quoted) = before.strip_suffix('"') {
        return quoted
            .rfind('"')
            .filter(|start| quoted.len() - start < 66 && !quoted.get(*start..).unwrap_or_default().contains('\n'));
    }
    // Letters beyond ASCII (RFC 6531) of the scripts whose words are written with spaces between them.
    let is_letter = |c: char| c.is_ascii_alphanumeric() || (('\u{c0}'..='\u{52f}').contains(&c) && c.is_alphabetic());
    let is_atom = |c: char| is_letter(c) || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    let atom = before
        .rfind(|c: char| !is_atom(c))
        .map_or(0, |place| place + before.get(place..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8));
    let mut local = before.get(atom..)?;
    // `SMTP=dana@…` of X.400, `to=dana@…` of logs
    if let Some((name, rest)) = local.split_once('=') {
        let is_name =
            ["smtp", "rfc822", "to", "from", "rcpt", "recipient", "address", "user", "account", "orcpt", "mail"];
        if is_name.contains(&name.to_ascii_lowercase().as_str()) {
            local = rest;
        }
    }
    let local = local.trim_start_matches(['\'', '`', '*', '=', '|', '/', '-', '.', '?', '#']);
    (!local.is_empty()).then(|| before.len() - local.len())
}

fn domain_of(behind: &str) -> Option<&str> {
    if let Some(literal) = behind.strip_prefix('[') {
        let end = literal.bytes().take(LITERAL_OCTETS_MAX).position(|octet| octet == b']')?;
        return behind.get(..end + 2);
    }
    let end = behind.find(|c: char| !(c.is_alphanumeric() || c == '.' || c == '-')).unwrap_or(behind.len());
    let domain = behind.get(..end)?;
    // Sendmail's dots: `dana@clinic.example... User unknown`
    let domain = domain.split("..").next()?.trim_end_matches(['.', '-']);
    (!domain.is_empty() && !domain.starts_with(['.', '-'])).then_some(domain)
}

fn without_addresses(text: &str) -> String {
    if !text.contains('@') {
        return text.to_owned();
    }
    let (mut kept, mut end) = (String::with_capacity(text.len()), 0);
    for found in addresses(text) {
        kept.push_str(text.get(end..found.start).unwrap_or_default());
        end = end.max(found.end);
    }
    kept.push_str(text.get(end..).unwrap_or_default());
    kept.replace("<>", "").replace("\"\"", "").replace("()", "").replace("[]", "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_in_whatever_stands_around_them() {
        for (text, wanted) in [
            ("<dana@clinic.example>... User unknown", "dana@clinic.example"),
            ("dana@clinic.example...User unknown", "dana@clinic.example"),
            ("c=US;a= ;p=IKON;o=Nexus2;dda:SMTP=dana@clinic.example; on Fri", "dana@clinic.example"),
            ("Recipient: [SMTP:dana@clinic.example]", "dana@clinic.example"),
            ("addressed to 'dana@clinic.example',", "dana@clinic.example"),
            ("\"front desk\"@clinic.example failed", "\"front desk\"@clinic.example"),
            ("* dana+x=y@clinic.example.", "dana+x=y@clinic.example"),
            ("<dana@[192.0.2.7]>", "dana@[192.0.2.7]"),
            ("<dana@server>", "dana@server"),
            ("für <jörg@klinik.example>", "jörg@klinik.example"),
            ("ウdana@clinic.exampleエ", "dana@clinic.exampleエ"),
        ] {
            let found = addresses(text);
            assert_eq!(found.first().map(|found| found.address.as_str()), Some(wanted), "{text}");
        }
        for text in ["\"a\0b\"@b.example", "@", "a@", "@b.example", "enI@rgement", "dana@server", "two @ words"] {
            assert_eq!(addresses(text), [], "{text}");
        }
    }

    #[test]
    fn a_plain_text_has_no_address_in_it() {
        assert_eq!(plain("550 <Spam.Virus@clinic.example>... User\n  Unknown"), "550 ... user unknown");
        assert_eq!(plain("This user doesn\u{2019}t"), "this user doesn't");
    }
}
