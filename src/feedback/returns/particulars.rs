//! Who wrote an answer and what it says first: what a person wants to see of it, and what is kept. Also whom a mail was delivered to,
//! by which one that comes back names its letter.

use std::sync::LazyLock;

use serde::Deserialize;

use super::automatic::own_text;
use super::material::Material;
use super::words;

/// The longest first line that is kept, in characters.
const FIRST_LINE_CHARS_MAX: usize = 160;
/// How much of an answer is searched for a request to stop, in characters: what stands far below is a signature or a notice.
const REQUEST_CHARS_MAX: usize = 800;
/// How many addresses of a header are looked at.
const ADDRESSEES_MAX: usize = 50;
/// Where servers say whom a mail was delivered to, the surest first.
const DELIVERED_TO: [&str; 7] =
    ["x-original-to", "delivered-to", "envelope-to", "x-envelope-to", "x-delivered-to", "to", "cc"];

/// What else a mail tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Particulars {
    /// The address it is from, as written.
    pub sender: Option<String>,
    /// Whom it was delivered to.
    pub addressees: Vec<String>,
    /// The first line of the answer itself, at most 160 characters.
    pub first_line: Option<String>,
    /// Whether it asks to be sent no more.
    pub asks_to_stop: bool,
    /// The `Message-ID` of the mail itself.
    pub own_id: Option<String>,
}

impl Particulars {
    pub(super) fn of(material: &Material<'_>) -> Self {
        let addresses = |name: &str| {
            let found = material.fields.all(name).flat_map(words::addresses).map(|found| found.address);
            found.take(ADDRESSEES_MAX).collect::<Vec<_>>()
        };
        let text = above_the_letter(&own_text(material));
        Self {
            sender: addresses("from").into_iter().next(),
            addressees: DELIVERED_TO.iter().flat_map(|name| addresses(name)).collect(),
            first_line: first_line(&text),
            // Newsletters have such words in their last lines.
            asks_to_stop: !material.is_to_many() && asks_to_stop(material.fields.get("subject"), &text),
            own_id: Some(material.fields.get("message-id").trim().to_owned()).filter(|id| !id.is_empty()),
        }
    }
}

/// An answer without the letter below it, which mail programs introduce in a line or a header of their own.
fn above_the_letter(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let end = (0..lines.len()).find(|place| begins_a_quote(&lines, *place)).unwrap_or(lines.len());
    lines.get(..end).unwrap_or_default().join("\n")
}

fn begins_a_quote(lines: &[&str], place: usize) -> bool {
    let line = |ahead: usize| lines.get(place + ahead).map_or("", |line| line.trim());
    let lower = line(0).to_lowercase();
    // `On Mon, Dec 1, 2026 at 9:00 AM, Lakeside TMS wrote:`, also broken over two lines
    let introduces = |text: &str| INTRODUCTIONS.iter().any(|word| text.trim_end_matches([':', ' ']).ends_with(word));
    let is_introduction = (lower.ends_with(':') && introduces(&lower))
        || (lower.starts_with("on ") && line(1).ends_with(':') && introduces(&line(1).to_lowercase()));
    // Outlook: `From: … Sent: … To: … Subject: …`
    let fields = (0..6).map(line).filter(|line| {
        let name = line.split(':').next().unwrap_or_default().trim_matches(['*', ' ']).to_lowercase();
        line.contains(':') && HEADINGS.contains(&name.as_str())
    });
    let is_header = HEADINGS.iter().any(|name| lower.trim_start_matches('*').starts_with(&format!("{name}:")));
    is_introduction || (is_header && fields.count() >= 3) || lower.trim_matches(['-', ' ']) == "original message"
}

/// How mail programs end the line above what they quote.
const INTRODUCTIONS: [&str; 5] = ["wrote", "schrieb", "a écrit", "escribió", "ha scritto"];
/// The fields that Outlook repeats above what it quotes.
const HEADINGS: [&str; 6] = ["from", "sent", "date", "to", "cc", "subject"];

fn first_line(text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).find(|line| line.chars().any(char::is_alphanumeric))?;
    let plain: String = line.chars().filter(|c| !c.is_control()).take(FIRST_LINE_CHARS_MAX).collect();
    Some(plain)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Requests {
    words: Vec<String>,
    alone: Vec<String>,
    unless: Vec<String>,
    #[cfg_attr(not(test), allow(dead_code, reason = "for the tests of the table"))]
    sample: Vec<Sample>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(not(test), allow(dead_code, reason = "for the tests of the table"))]
struct Sample {
    text: String,
    asks: bool,
}

static REQUESTS: LazyLock<Requests> = LazyLock::new(|| {
    toml::from_str(include_str!("table/opt_out.toml")).unwrap_or(Requests {
        words: Vec::new(),
        alone: Vec::new(),
        unless: Vec::new(),
        sample: Vec::new(),
    })
});

/// Whether somebody asks, in a subject or in the text of an answer, to be sent no more.
fn asks_to_stop(subject: &str, text: &str) -> bool {
    let text: String = text.chars().take(REQUEST_CHARS_MAX).collect();
    let subject = words::plain(subject);
    let is_alone = |said: &str| {
        let said = said.trim_matches(|c: char| !c.is_alphanumeric());
        REQUESTS.alone.iter().any(|word| word == said)
    };
    if is_alone(&subject)
        || text.lines().find(|line| !line.trim().is_empty()).is_some_and(|line| is_alone(&words::plain(line)))
    {
        return true;
    }
    let mut said = words::plain(&text);
    for phrase in &REQUESTS.unless {
        while let Some(start) = words_at(&said, phrase) {
            said.replace_range(start..start + phrase.len(), " ");
        }
    }
    REQUESTS.words.iter().any(|phrase| words_at(&said, phrase).is_some())
}

/// Where a phrase stands in a text as whole words.
fn words_at(text: &str, phrase: &str) -> Option<usize> {
    let is_end = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
    let mut places = text.match_indices(phrase).map(|(start, _)| start);
    places.find(|start| {
        let start = *start;
        let before = text.get(..start).and_then(|before| before.chars().next_back());
        let behind = text.get(start + phrase.len()..).and_then(|behind| behind.chars().next());
        is_end(before) && is_end(behind)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read_and_every_sample_of_it_says_what_it_should() {
        assert!(REQUESTS.words.len() > 20 && REQUESTS.sample.len() > 5);
        for sample in &REQUESTS.sample {
            assert_eq!(asks_to_stop("Re: Introducing our practice", &sample.text), sample.asks, "{}", sample.text);
        }
        for word in REQUESTS.words.iter().chain(&REQUESTS.alone) {
            assert_eq!(words::plain(word), *word, "as it is compared");
            assert!(asks_to_stop("", &format!("{word}.")), "{word}");
        }
    }

    #[test]
    fn the_first_line_is_the_answers_own() {
        let mail = b"From: \"Dana\" <Dana@Clinic.example>\r\nTo: <office@practice.example>\r\nDelivered-To: a+b@practice.example\r\n\
            Subject: Re: Hello\r\n\r\n\r\n  Yes, Tuesday works.\r\n\r\n> Please unsubscribe here\r\n";
        let entity = super::super::mime::Entity::parse(mail);
        let read = Particulars::of(&Material::of(&entity));
        assert_eq!(read.sender.as_deref(), Some("Dana@Clinic.example"));
        assert_eq!(read.first_line.as_deref(), Some("Yes, Tuesday works."));
        assert_eq!(read.addressees, ["a+b@practice.example", "office@practice.example"]);
        assert!(!read.asks_to_stop, "what the letter itself says counts for nothing");
    }

    #[test]
    fn the_letter_below_an_answer_is_left_out_however_it_is_introduced() {
        let letter = "Dear Dr. Osei,\nUnsubscribe: https://fax.example/o/1";
        for introduction in [
            "On Tue, Dec 1, 2026 at 9:00 AM Lakeside TMS <office@practice.example> wrote:\n",
            "On Tue, Dec 1, 2026 at 9:00 AM Lakeside TMS\n<office@practice.example> wrote:\n",
            "From: Lakeside TMS <office@practice.example>\nSent: Tuesday, December 1, 2026 9:00 AM\nTo: Dana\nSubject: Hello\n",
            "-----Original Message-----\n",
            "*From:* Lakeside TMS\n*Sent:* Tuesday\n*To:* Dana\n*Subject:* Hello\n",
        ] {
            let text = format!("Happy to meet.\n\n{introduction}\n{letter}");
            assert_eq!(above_the_letter(&text).trim(), "Happy to meet.", "{introduction}");
            assert!(!asks_to_stop("Re: Hello", &above_the_letter(&text)));
        }
        let kept = "To be seen: Thursday.\nFrom Evanston.";
        assert_eq!(above_the_letter(kept), kept);
    }
}
