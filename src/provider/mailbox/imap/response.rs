//! What an IMAP server says (RFC 9051 §7, RFC 3501 §7), as far as it is used. Anything else is passed over. Nothing here trusts a
//! length, a number or a parenthesis.

use chrono::DateTime;

use crate::domain::Timestamp;
use crate::provider::mailbox::LISTED_MAX;

/// Lists in lists that are followed.
const DEPTH_MAX: usize = 20;

/// A line with the literals in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Response {
    /// Text, and the literal behind it, in turns.
    pub parts: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

/// How a command ended, or what a server says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Ok,
    No,
    Bad,
    Bye,
    PreAuth,
}

impl Status {
    fn read(word: &str) -> Option<Self> {
        let known =
            [("OK", Self::Ok), ("NO", Self::No), ("BAD", Self::Bad), ("BYE", Self::Bye), ("PREAUTH", Self::PreAuth)];
        known.into_iter().find(|(name, _)| word.eq_ignore_ascii_case(name)).map(|(_, status)| status)
    }
}

impl Response {
    /// The text up to the first literal.
    pub fn head(&self) -> String {
        self.parts.first().map(|(text, _)| String::from_utf8_lossy(text).into_owned()).unwrap_or_default()
    }

    /// Status and text behind `tag`.
    pub fn status(&self, tag: &str) -> Option<(Status, String)> {
        let head = self.head();
        let (first, rest) = head.split_once(' ')?;
        if first != tag {
            return None;
        }
        let (word, text) = rest.split_once(' ').unwrap_or((rest, ""));
        Some((Status::read(word)?, text.to_owned()))
    }

    /// Whether the server asks to go on, and what it says with that.
    pub fn continuation(&self) -> Option<String> {
        let head = self.head();
        head.strip_prefix('+').map(|text| text.trim().to_owned())
    }

    /// Octets that it takes.
    pub fn octets(&self) -> usize {
        self.parts.iter().map(|(text, literal)| text.len() + literal.as_ref().map_or(0, Vec::len)).sum()
    }

    /// Whether the server takes leave (RFC 9051 §7.1.5). It need not close the connection at once.
    pub fn is_farewell(&self) -> bool {
        self.status("*").is_some_and(|(status, _)| status == Status::Bye)
    }

    /// The numbers of mails that were searched for, at most [`LISTED_MAX`]: `* SEARCH 2 3`, or `* ESEARCH … ALL 2:3`, which is
    /// how a server answers that knows IMAP4rev2 alone (RFC 9051 §7.3.4).
    pub fn found(&self) -> Vec<u32> {
        if let Some(words) = self.listed("SEARCH") {
            return words.split_ascii_whitespace().filter_map(|word| word.parse().ok()).take(LISTED_MAX).collect();
        }
        let words = self.listed("ESEARCH").unwrap_or_default();
        let mut words = words.split_ascii_whitespace().skip_while(|word| !word.eq_ignore_ascii_case("ALL"));
        words.nth(1).map(numbers).unwrap_or_default()
    }

    /// The number N of `* N WORD`.
    pub fn numbered(&self, word: &str) -> Option<u32> {
        let head = self.head();
        let mut words = head.split_ascii_whitespace();
        let (star, number, said) = (words.next()?, words.next()?, words.next()?);
        (star == "*" && said.eq_ignore_ascii_case(word)).then(|| number.parse().ok()).flatten()
    }

    /// What follows `* WORD`.
    pub fn listed(&self, word: &str) -> Option<String> {
        let head = self.head();
        let (said, rest) = head.strip_prefix("* ")?.split_once(' ').or_else(|| Some((head.strip_prefix("* ")?, "")))?;
        said.eq_ignore_ascii_case(word).then(|| rest.to_owned())
    }

    /// The number of a response code such as `[UIDVALIDITY 7]`.
    pub fn code_number(&self, name: &str) -> Option<u32> {
        let (_, text) = self.status("*")?;
        let (said, number) = code_in(&text)?.split_once(' ')?;
        said.eq_ignore_ascii_case(name).then(|| number.trim().parse().ok()).flatten()
    }

    /// A mail that was fetched; `None` if this is something else.
    pub fn fetched(self) -> Option<Fetched> {
        self.numbered("FETCH")?;
        let mut words = Words::new(self.parts);
        // `*`, the number and the word.
        for _ in 0..3 {
            words.next();
        }
        (words.next()? == Word::Open).then(|| Fetched::read(&mut words))
    }
}

/// The numbers of a set such as `2,4:7` (RFC 9051, `sequence-set`), at most [`LISTED_MAX`].
fn numbers(set: &str) -> Vec<u32> {
    let ranges = set.split(',').filter_map(|range| {
        let (first, last) = range.split_once(':').unwrap_or((range, range));
        let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        Some(first.min(last)..=first.max(last))
    });
    ranges.flatten().take(LISTED_MAX).collect()
}

/// What stands in the brackets that a text begins with.
pub(super) fn code_in(text: &str) -> Option<&str> {
    Some(text.strip_prefix('[')?.split_once(']')?.0)
}

/// Of a mail, what was asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Fetched {
    pub uid: Option<u32>,
    pub size: Option<u64>,
    pub received_ms: Option<Timestamp>,
    pub octets: Option<Vec<u8>>,
}

impl Fetched {
    fn read(words: &mut Words) -> Self {
        let mut fetched = Self::default();
        while let Some(Word::Text(name)) = words.next() {
            let value = match words.next() {
                Some(Word::Text(value)) => value,
                Some(Word::Open) => {
                    words.skip_list();
                    continue;
                }
                Some(Word::Nil) => continue,
                _ => break,
            };
            let text = || String::from_utf8_lossy(&value).into_owned();
            match String::from_utf8_lossy(&name).to_ascii_uppercase().as_str() {
                "UID" => fetched.uid = text().parse().ok(),
                "RFC822.SIZE" => fetched.size = text().parse().ok(),
                "INTERNALDATE" => fetched.received_ms = date(&text()),
                name if name.starts_with("BODY[]") => fetched.octets = Some(value),
                _ => {}
            }
        }
        fetched
    }
}

/// ` 1-Dec-2026 09:00:00 +0000` (RFC 9051, `date-time`).
fn date(text: &str) -> Option<Timestamp> {
    let read = DateTime::parse_from_str(text.trim(), "%d-%b-%Y %H:%M:%S %z").ok()?;
    Timestamp::written(read.to_utc())
}

#[derive(Debug, PartialEq, Eq)]
enum Word {
    Open,
    Close,
    /// The atom that stands for nothing.
    Nil,
    /// Another atom, a quoted string without its quotes, or a literal.
    Text(Vec<u8>),
}

/// A response word by word.
struct Words {
    parts: std::vec::IntoIter<(Vec<u8>, Option<Vec<u8>>)>,
    text: std::iter::Peekable<std::vec::IntoIter<u8>>,
    literal: Option<Vec<u8>>,
}

impl Words {
    fn new(parts: Vec<(Vec<u8>, Option<Vec<u8>>)>) -> Self {
        Self { parts: parts.into_iter(), text: Vec::new().into_iter().peekable(), literal: None }
    }

    fn next(&mut self) -> Option<Word> {
        loop {
            while self.text.next_if_eq(&b' ').is_some() {}
            match self.text.next() {
                Some(b'(') => return Some(Word::Open),
                Some(b')') => return Some(Word::Close),
                Some(b'"') => return Some(Word::Text(self.quoted())),
                Some(first) => {
                    let atom = self.atom(first);
                    return Some(if atom.eq_ignore_ascii_case(b"NIL") { Word::Nil } else { Word::Text(atom) });
                }
                None => {}
            }
            if let Some(literal) = self.literal.take() {
                return Some(Word::Text(literal));
            }
            let (text, literal) = self.parts.next()?;
            self.text = text.into_iter().peekable();
            self.literal = literal;
        }
    }

    fn quoted(&mut self) -> Vec<u8> {
        let mut quoted = Vec::new();
        while let Some(octet) = self.text.next() {
            match octet {
                b'"' => break,
                b'\\' => quoted.extend(self.text.next()),
                octet => quoted.push(octet),
            }
        }
        quoted
    }

    /// An atom ends at a space or a parenthesis; between brackets both belong to it, as in `BODY[HEADER.FIELDS (DATE)]`.
    fn atom(&mut self, first: u8) -> Vec<u8> {
        let (mut atom, mut is_in_brackets) = (vec![first], false);
        while let Some(octet) = self.text.next_if(|octet| is_in_brackets || !matches!(octet, b' ' | b'(' | b')')) {
            is_in_brackets = match octet {
                b'[' => true,
                b']' => false,
                _ => is_in_brackets,
            };
            atom.push(octet);
        }
        atom
    }

    /// Passes over a list whose beginning was read.
    fn skip_list(&mut self) {
        let mut depth = 1;
        while let Some(word) = self.next() {
            match word {
                Word::Open => depth += 1,
                Word::Close => depth -= 1,
                Word::Nil | Word::Text(_) => {}
            }
            if depth == 0 || depth > DEPTH_MAX {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Response {
        Response { parts: vec![(text.as_bytes().to_vec(), None)] }
    }

    #[test]
    fn lines_are_what_they_say() {
        assert_eq!(line("a1 OK done").status("a1"), Some((Status::Ok, "done".into())));
        assert_eq!(line("a1 no").status("a1"), Some((Status::No, String::new())));
        assert_eq!(line("a2 OK").status("a1"), None);
        assert_eq!(line("* 12 EXISTS").numbered("EXISTS"), Some(12));
        assert_eq!(line("* x EXISTS").numbered("EXISTS"), None);
        assert_eq!(line("* SEARCH 1 2 3").listed("SEARCH").as_deref(), Some("1 2 3"));
        assert_eq!(line("* SEARCH").listed("search").as_deref(), Some(""));
        for (said, found) in [
            ("* SEARCH 1 2 x 4294967296 3", vec![1, 2, 3]),
            ("* ESEARCH (TAG \"t4\") UID ALL 2,9:7,11", vec![2, 7, 8, 9, 11]),
            ("* ESEARCH (TAG \"t4\") UID", vec![]),
            ("* ESEARCH (TAG \"t4\") UID ALL 1:x,*", vec![]),
        ] {
            assert_eq!(line(said).found(), found, "{said}");
        }
        assert_eq!(line("* ESEARCH ALL 1:4294967295").found().len(), LISTED_MAX);
        assert!(line("* BYE").is_farewell() && line("* BYE {3}").is_farewell() && !line("* 1 BYE").is_farewell());
        assert_eq!(line("* OK [UIDVALIDITY 7] fine").code_number("UIDVALIDITY"), Some(7));
        assert_eq!(line("* OK [UIDVALIDITY x] fine").code_number("UIDVALIDITY"), None);
        assert_eq!(line("+ idling").continuation().as_deref(), Some("idling"));
    }

    #[test]
    fn a_mail_is_read_whatever_the_order_of_its_parts() {
        let parts = vec![
            (
                b"* 3 FETCH (FLAGS (\\Seen (x)) UID 9 INTERNALDATE \" 1-Dec-2026 09:00:00 +0100\" BODY[]<0> ".to_vec(),
                Some(b"mail ) \" (".to_vec()),
            ),
            (b" RFC822.SIZE 77)".to_vec(), None),
        ];
        let fetched = Response { parts }.fetched().expect("a mail");
        assert_eq!(
            (fetched.uid, fetched.size, fetched.octets.as_deref()),
            (Some(9), Some(77), Some(&b"mail ) \" ("[..]))
        );
        assert_eq!(fetched.received_ms.map(|at| at.to_string()).as_deref(), Some("2026-12-01T08:00:00.000Z"));
        let quoted = line(r#"* 1 FETCH (BODY[] "a\"b" UID 4)"#).fetched().expect("a mail");
        assert_eq!((quoted.uid, quoted.octets.as_deref()), (Some(4), Some(&b"a\"b"[..])));
        assert_eq!(line("* 1 FETCH (UID 99999999999 INTERNALDATE \"never\")").fetched(), Some(Fetched::default()));
        assert_eq!(line("* 1 EXISTS").fetched(), None);
        let nothing = line("* 1 FETCH (BODY[] NIL UID 4)").fetched().expect("an answer");
        assert_eq!((nothing.uid, nothing.octets), (Some(4), None));
        let word = line(r#"* 1 FETCH (BODY[] "NIL" UID 4)"#).fetched().expect("a mail");
        assert_eq!(word.octets.as_deref(), Some(&b"NIL"[..]));
        for odd in
            ["* 1 FETCH", "* 1 FETCH (", "* 1 FETCH ((((", "* 1 FETCH )(", "* 1 FETCH (UID", "* 1 FETCH (BODY[] \"x"]
        {
            let _ = line(odd).fetched();
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_that_a_server_says_ends_the_program(
            texts in proptest::collection::vec((proptest::collection::vec(proptest::num::u8::ANY, 0..60), proptest::option::of(proptest::collection::vec(proptest::num::u8::ANY, 0..9))), 0..4),
            start in proptest::sample::select(vec!["", "* 1 FETCH (", "* ", "a1 ", "* OK [", "+"]),
        ) {
            let mut parts = texts;
            parts.insert(0, (start.as_bytes().to_vec(), None));
            let response = Response { parts };
            let _ = (response.head(), response.status("a1"), response.continuation(), response.code_number("UIDNEXT"));
            let _ = (response.numbered("EXISTS"), response.listed("SEARCH"));
            let _ = response.fetched();
        }
    }
}
