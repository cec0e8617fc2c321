//! Who wrote an answer and what it says first: what a person wants to see of it, and what is kept. Also whom a mail was delivered to,
//! by which one that comes back names its letter.

mod own_words;
mod stopping;

use super::automatic;
use super::material::Material;
use super::words;

/// The longest first line that is kept, in characters.
const FIRST_LINE_CHARS_MAX: usize = 160;
/// How many addresses of a header are looked at.
const ADDRESSEES_MAX: usize = 50;
/// Where servers say whom a mail was delivered to, the surest first.
const DELIVERED_TO: [&str; 7] =
    ["x-original-to", "delivered-to", "envelope-to", "x-envelope-to", "x-delivered-to", "to", "cc"];
/// What answers have before the subject, in many languages.
const ANSWERS: [&str; 16] =
    ["re", "aw", "sv", "antw", "rif", "res", "vs", "odp", "ответ", "ha", "r", "回复", "回覆", "答复", "返信", "회신"];
/// What forwarded mails have there.
const FORWARDS: [&str; 6] = ["fw", "fwd", "wg", "tr", "rv", "enc"];

/// What else a mail tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Particulars {
    /// The address it is from, as written.
    pub sender: Option<String>,
    /// Whom it was delivered to.
    pub addressees: Vec<String>,
    /// The first line of the answer itself, at most 160 characters.
    pub first_line: Option<String>,
    /// Whether the writer asks to be sent no more: in the subject, or in what they wrote themselves. Never of what a header marks as
    /// automatic, nor of mail that went to many, unless it answers a letter of ours.
    pub asks_to_stop: bool,
    /// Whether a person seems to have written it, and to us: no header marks it as automatic (RFC 3834), no mailer sent it, and it did not
    /// go to many, unless it answers a letter of ours.
    pub is_from_a_person: bool,
    /// Whether it says nothing of its own below its header.
    pub is_empty: bool,
    /// The `Message-ID` of the mail itself.
    pub own_id: Option<String>,
}

impl Particulars {
    pub(super) fn of(material: &Material<'_>) -> Self {
        let addresses = |name: &str| {
            let found = material.fields.all(name).flat_map(words::addresses).map(|found| found.address);
            found.take(ADDRESSEES_MAX).collect::<Vec<_>>()
        };
        let addressees: Vec<String> = DELIVERED_TO.iter().flat_map(|name| addresses(name)).collect();
        let subject = material.fields.get("subject");
        let ours = ["to", "cc"].iter().flat_map(|name| addresses(name));
        let letter = own_words::Letter {
            subject: Some(Subject::of(subject)).filter(|subject| subject.prefix.is_some()).unwrap_or_default().rest,
            addresses: ours.map(|address| address.to_lowercase()).collect(),
        };
        let text = own_words::of(&material.text, &letter);
        // Newsletters have such words in their last lines.
        let is_to_us = !material.is_to_many() || super::names_ours(&material.fields);
        let may_be_a_persons = is_to_us && !automatic::is_marked(material);
        Self {
            sender: addresses("from").into_iter().next(),
            addressees,
            first_line: first_line(&text),
            asks_to_stop: may_be_a_persons && (subject_asks(subject) || stopping::asks(&text)),
            is_from_a_person: may_be_a_persons && !material.is_from_a_mailer() && !material.is_report,
            is_empty: !text.contains(char::is_alphanumeric),
            own_id: Some(material.fields.get("message-id").trim().to_owned()).filter(|id| !id.is_empty()),
        }
    }
}

/// Whether a subject says that its mail answers another.
pub(super) fn is_of_an_answer(subject: &str) -> bool {
    let subject = Subject::of(subject);
    subject.prefix.is_some_and(|prefix| ANSWERS.contains(&prefix.as_str())) && !subject.rest.is_empty()
}

/// A subject in lower case.
#[derive(Debug, Default)]
struct Subject {
    /// The first prefix, if it is of an answer or of a forwarded mail.
    prefix: Option<String>,
    /// What stands behind all such prefixes.
    rest: String,
}

impl Subject {
    fn of(subject: &str) -> Self {
        let lower = subject.trim().to_lowercase();
        let (mut first, mut rest) = (None, lower.as_str());
        while let Some((prefix, behind)) = rest.split_once([':', '：']) {
            // `Re[2]: …`
            let prefix = prefix.split('[').next().unwrap_or_default().trim();
            if !ANSWERS.contains(&prefix) && !FORWARDS.contains(&prefix) {
                break;
            }
            first = first.or_else(|| Some(prefix.to_owned()));
            rest = behind.trim();
        }
        Self { prefix: first, rest: rest.to_owned() }
    }
}

/// Whether a subject asks. That of an answer is our own but for what stands before `Re:`, and for one that was written over ours, which is
/// one or two words then.
fn subject_asks(subject: &str) -> bool {
    let subject = Subject::of(subject);
    if subject.prefix.is_some() {
        return subject.rest.split_whitespace().count() <= 2 && stopping::asks(&subject.rest);
    }
    let before = ANSWERS.iter().filter_map(|prefix| subject.rest.find(&format!(" {prefix}:"))).min();
    stopping::asks(subject.rest.get(..before.unwrap_or(subject.rest.len())).unwrap_or_default())
}

fn first_line(text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).find(|line| line.chars().any(char::is_alphanumeric))?;
    let plain: String = line.chars().filter(|c| !c.is_control()).take(FIRST_LINE_CHARS_MAX).collect();
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(mail: &str) -> Particulars {
        let entity = super::super::mime::Entity::parse(mail.as_bytes());
        Particulars::of(&Material::of(&entity))
    }

    #[test]
    fn the_first_line_is_the_answers_own() {
        let read = read(
            "From: \"Dana\" <Dana@Clinic.example>\r\nTo: <office@practice.example>\r\nDelivered-To: a+b@practice.example\r\n\
             Subject: Re: Hello\r\n\r\n\r\n  Yes, Tuesday works.\r\n\r\n> Please unsubscribe here\r\n",
        );
        assert_eq!(read.sender.as_deref(), Some("Dana@Clinic.example"));
        assert_eq!(read.first_line.as_deref(), Some("Yes, Tuesday works."));
        assert_eq!(read.addressees, ["a+b@practice.example", "office@practice.example"]);
        assert!(!read.asks_to_stop, "what the letter itself says counts for nothing");
        assert!(read.is_from_a_person && !read.is_empty);
    }

    #[test]
    fn a_subject_asks_where_the_writer_wrote_it() {
        for (subject, asks) in [
            ("Unsubscribe", true),
            ("Re: Unsubscribe", true),
            ("Please take us off your list", true),
            ("REMOVE Re: Introducing our practice", true),
            ("Re: Introducing our practice", false),
            ("Re: How to stop insomnia and remove all your doubts", false),
            ("Question about stopping sertraline", false),
            ("", false),
        ] {
            assert_eq!(read(&format!("Subject: {subject}\n\nHello\n")).asks_to_stop, asks, "{subject}");
        }
    }

    #[test]
    fn what_went_to_many_asks_only_where_it_answers_a_letter_of_ours() {
        let ours = "In-Reply-To: <01a23293-cc65-705a-9b2d-da96d848e22e@practice.example>\n";
        for (head, asks) in [
            ("List-Unsubscribe: <https://x.example>\n".to_owned(), false),
            ("Precedence: bulk\n".to_owned(), false),
            (format!("List-Unsubscribe: <https://x.example>\n{ours}"), true),
            (format!("List-Id: <staff.clinic.example>\n{ours}"), true),
            (format!("Precedence: bulk\n{ours}"), true),
        ] {
            let read = read(&format!("{head}Subject: Re: x\n\nPlease remove us from your list.\n"));
            assert_eq!((read.asks_to_stop, read.is_from_a_person), (asks, asks), "{head}");
        }
    }

    #[test]
    fn a_mail_without_words_of_its_own_is_empty() {
        for text in ["", "\n\n", "-- \nDana Lee", "\n> Dear Dana\n> hello"] {
            assert!(read(&format!("Subject: x\n\n{text}\n")).is_empty, "{text}");
        }
    }
}
