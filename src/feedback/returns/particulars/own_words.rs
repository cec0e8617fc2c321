//! What the writer of an answer wrote: without the letter that mail programs put below it, without what is quoted, without the
//! signature. How programs set these off is data: `table/quoting.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

/// How many lines one introduction may take up.
const INTRODUCTION_LINES_MAX: usize = 3;
/// How many lines below the first field of a letter's header are looked at for the others.
const HEADING_LINES: usize = 7;
/// The fewest fields that make a header.
const HEADINGS_MIN: usize = 3;
/// The shortest subject by which a line is known to be the letter's, in characters.
const SUBJECT_CHARS_MIN: usize = 8;
/// The fewest signs of which a line consists that separates.
const RULE_CHARS_MIN: usize = 5;
/// How much of an answer is looked at, in characters: whoever writes a mail decides how much work it is.
const CHARS_MAX: usize = 32_000;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Quoting {
    headings: Vec<String>,
    introductions: Vec<String>,
    openers: Vec<String>,
    above: Vec<String>,
}

static QUOTING: LazyLock<Quoting> =
    LazyLock::new(|| toml::from_str(include_str!("../table/quoting.toml")).unwrap_or_default());

/// What is known of the letter that is answered.
#[derive(Debug, Default)]
pub(super) struct Letter {
    /// Its subject, in lower case, without what answers put before it. Empty if it is not known.
    pub subject: String,
    /// Our addresses, in lower case: whom the answer was sent to.
    pub addresses: Vec<String>,
}

/// What begins at a line.
enum Begins {
    /// The letter, or something else that the writer did not write, up to the end.
    Foreign,
    /// So many lines above quoted ones; below those the writer may go on.
    Introduction(usize),
    /// A quoted line, or one that only separates.
    Quoted,
}

/// What the writer wrote of a text, line by line.
pub(super) fn of(text: &str, letter: &Letter) -> String {
    let end = text.char_indices().nth(CHARS_MAX).map_or(text.len(), |(place, _)| place);
    let lines: Vec<&str> = text.get(..end).unwrap_or_default().lines().map(str::trim_end).collect();
    let mut kept: Vec<&str> = Vec::new();
    let mut place = 0;
    while let Some(line) = lines.get(place) {
        let is_first = kept.iter().all(|line| line.trim().is_empty());
        match begins(&lines, place, letter, is_first) {
            Some(Begins::Foreign) => break,
            Some(Begins::Introduction(count)) => place += count,
            Some(Begins::Quoted) => place += 1,
            None => {
                kept.push(line);
                place += 1;
            }
        }
    }
    kept.join("\n")
}

fn begins(lines: &[&str], place: usize, letter: &Letter, is_first: bool) -> Option<Begins> {
    let line = lines.get(place)?.trim();
    let lower = line.to_lowercase();
    if is_of_groupwise(line) {
        return Some(Begins::Foreign);
    }
    if line.starts_with('>') {
        return Some(Begins::Quoted);
    }
    if is_rule(line) && is_first && !line.contains(char::is_alphanumeric) {
        return Some(Begins::Quoted);
    }
    let ends_it = line == "--"
        || is_rule(line)
        || is_of_notes(line)
        || is_header(lines, place)
        || is_of_the_letter(&lower, letter, is_first)
        || QUOTING.above.iter().any(|phrase| lower.starts_with(phrase.as_str()));
    if ends_it {
        return Some(Begins::Foreign);
    }
    let count = introduction(lines, place)?;
    let behind = lines.get(place + count..).unwrap_or_default().iter().find(|line| !line.trim().is_empty());
    let is_marked = behind.is_some_and(|line| line.trim_start().starts_with('>'));
    Some(if is_marked { Begins::Introduction(count) } else { Begins::Foreign })
}

/// `>>> Harbor Clinic <office@harbor.example> 11/30/2026 9:12 AM >>>`
fn is_of_groupwise(line: &str) -> bool {
    line.starts_with(">>>") && (line.ends_with(">>>") || (line.contains('@') && line.contains(':')))
}

/// `Harbor Clinic ---11/30/2026 09:12:04 AM---Dear Dr. Smith`
fn is_of_notes(line: &str) -> bool {
    let Some((_, rest)) = line.split_once("---") else { return false };
    rest.starts_with(|c: char| c.is_ascii_digit()) && rest.contains("---")
}

/// `-----Original Message-----`, `---------- Forwarded message ---------`, a line of underscores.
fn is_rule(line: &str) -> bool {
    let count = |c: char| line.chars().take_while(|one| *one == c).count();
    let ends = line.chars().next_back();
    ['-', '_', '=', '*'].iter().any(|c| count(*c) >= RULE_CHARS_MIN && ends == Some(*c))
}

/// The name of a field at the beginning of a line, and what stands behind it.
fn field(line: &str) -> Option<(String, &str)> {
    let (name, value) = line.trim().split_once([':', '：'])?;
    let name = name.trim_matches(|c: char| c == '*' || c.is_whitespace()).to_lowercase();
    QUOTING.headings.contains(&name).then(|| (name, value.trim_matches(['*', ' '])))
}

fn is_header(lines: &[&str], place: usize) -> bool {
    let mut below = lines.iter().skip(place).take(HEADING_LINES).map(|line| field(line));
    below.next().flatten().is_some() && below.flatten().count() + 1 >= HEADINGS_MIN
}

/// Whether a line stands in our letter: its subject, or one of our addresses as mail programs introduce or head a letter with it.
fn is_of_the_letter(lower: &str, letter: &Letter, is_first: bool) -> bool {
    let value = field(lower).map_or(lower, |(_, value)| value);
    if letter.subject.chars().count() >= SUBJECT_CHARS_MIN && value == letter.subject && !is_first {
        return true;
    }
    let names_us = letter.addresses.iter().any(|address| lower.contains(address.as_str()));
    names_us && (lower.ends_with([':', '：', '>']) || field(lower).is_some())
}

/// How many lines the introduction of a quoted letter takes up that begins here.
fn introduction(lines: &[&str], place: usize) -> Option<usize> {
    let joined = |count: usize| lines.get(place..place + count).map(|lines| lines.join(" ").trim().to_lowercase());
    if joined(1).is_some_and(|line| introduces(&line)) {
        return Some(1);
    }
    let first = joined(1)?;
    let opens = QUOTING.openers.iter().any(|opener| {
        first.strip_prefix(opener.as_str()).is_some_and(|rest| rest.starts_with(|c: char| !c.is_alphanumeric()))
    });
    if !opens || !first.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let begins_alone =
        |line: &&str| QUOTING.openers.iter().any(|opener| line.to_lowercase().starts_with(&format!("{opener} ")));
    (2..=INTRODUCTION_LINES_MAX).find(|count| {
        let below = lines.get(place + 1..place + count).unwrap_or_default();
        let is_one = |line: String| introduces(&line) && (line.contains('<') || ends_in_verb(&line));
        !below.iter().any(begins_alone) && joined(*count).is_some_and(is_one)
    })
}

/// Whether a line ends in a colon behind the verb of an introduction, or names an address and a time, as in languages whose verb stands
/// elsewhere or is left out.
fn introduces(line: &str) -> bool {
    let Some(line) = line.strip_suffix([':', '：']).map(str::trim_end) else { return false };
    let has_verb = QUOTING.introductions.iter().any(|verb| {
        line.match_indices(verb.as_str()).any(|(start, _)| {
            let around = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() || !c.is_ascii());
            around(line.get(..start).and_then(|text| text.chars().next_back()))
                && around(line.get(start + verb.len()..).and_then(|text| text.chars().next()))
        })
    });
    let has_digit = line.contains(|c: char| c.is_ascii_digit());
    let is_dated = has_digit && line.contains('@') && (line.contains(':') || line.contains("20"));
    is_dated || ends_in_verb(line) || (has_verb && has_digit)
}

fn ends_in_verb(line: &str) -> bool {
    let line = line.trim_end_matches([':', '：', ' ']);
    QUOTING.introductions.iter().any(|verb| line.ends_with(verb.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOOTER: &str =
        "Dear Dr. Smith,\nWe have two openings.\nUnsubscribe: https://x.example/u/abc\nTo stop, reply STOP.";

    fn own(text: &str) -> String {
        let letter =
            Letter { subject: "capacity update".to_owned(), addresses: vec!["office@harbor.example".to_owned()] };
        of(text, &letter).trim().to_owned()
    }

    #[test]
    fn the_table_is_read() {
        let table = &QUOTING;
        assert!(table.headings.len() > 50 && table.introductions.len() > 15);
        assert!(table.openers.len() > 10 && table.above.len() > 20);
        for word in table.headings.iter().chain(&table.introductions).chain(&table.openers).chain(&table.above) {
            assert_eq!(word.to_lowercase(), *word, "as it is compared");
        }
    }

    #[test]
    fn the_letter_below_an_answer_is_left_out_however_it_is_introduced() {
        for introduction in [
            "On Tue, Dec 1, 2026 at 9:00 AM Lakeside TMS <u@h.example> wrote:",
            "On Tue, Dec 1, 2026 at 9:00 AM Lakeside TMS\n<u@h.example> wrote:",
            "    On Monday, November 30, 2026 at 09:12:01 AM EST, Harbor <u@h.example> wrote:  ",
            "On 11/30/26 9:12 AM, Harbor Clinic via Outreach\nDepartment of Behavioral Health\n<u@h.example> wrote:",
            "From: Lakeside TMS <u@h.example>\nSent: Tuesday, December 1, 2026 9:00 AM\nTo: Dana\nSubject: Hello\n",
            "*From:* Lakeside TMS\n*Sent:* Tuesday\n*To:* Dana\n*Subject:* Hello\n",
            "-----Original Message-----",
            "-----Ursprüngliche Nachricht-----\nVon: Harbor",
            "________________________________________\nFrom: Harbor <u@h.example>\nSent: Monday",
            "---------- Forwarded message ---------\nFrom: Harbor",
            "Von: Harbor <u@h.example>\nGesendet: Montag\nAn: Lee\nBetreff: x\n",
            "De : Harbor <u@h.example>\nEnvoyé : lundi\nÀ : Lee\nObjet : x\n",
            "De: Harbor <u@h.example>\nEnviado: lunes\nPara: Lee\nAsunto: x\n",
            "Da: Harbor\nInviato: lunedì\nA: Lee\nOggetto: x\n",
            "Van: Harbor\nVerzonden: maandag\nAan: Lee\nOnderwerp: x\n",
            "От: Harbor\nОтправлено: понедельник\nКому: Lee\nТема: x\n",
            "差出人: Harbor\n送信日時: 2026年11月30日\n宛先: Lee\n件名: x\n",
            "Od: Harbor\nWysłano: poniedziałek\nDo: Lee\nTemat: x\n",
            "Am 30.11.2026 um 09:12 schrieb Harbor Clinic:",
            "Le lun. 30 nov. 2026 à 09:12, Harbor <u@h.example> a écrit :",
            "El lun, 30 nov 2026 a las 9:12, Harbor (<u@h.example>) escribió:",
            "Il giorno lun 30 nov 2026 alle ore 09:12 Harbor <u@h.example> ha scritto:",
            "Em seg., 30 de nov. de 2026 às 09:12, Harbor <u@h.example> escreveu:",
            "Op ma 30 nov 2026 om 09:12 schreef Harbor <u@h.example>:",
            "пн, 30 нояб. 2026 г. в 09:12, Harbor <u@h.example>:",
            "2026年11月30日(月) 9:12 Harbor <u@h.example>:",
            "pon., 30 lis 2026 o 09:12 Harbor <u@h.example> napisał(a):",
            ">>> Harbor Clinic <u@h.example> 11/30/2026 9:12 AM >>>",
            "Harbor Clinic ---11/30/2026 09:12:04 AM---Dear Dr. Smith",
            "Harbor Clinic <office@harbor.example>",
            "Re: Capacity update\nCapacity update",
            "-- \nDana Lee, MD",
            "CONFIDENTIALITY NOTICE: if you are not the intended recipient",
        ] {
            let text = format!("Thanks, we will refer.\n\n{introduction}\n\n{FOOTER}\n");
            let kept = own(&text);
            assert_eq!(kept.lines().next(), Some("Thanks, we will refer."), "{introduction}");
            assert!(!kept.contains("Unsubscribe") && !kept.contains("STOP"), "{introduction}\n{kept}");
        }
    }

    #[test]
    fn what_the_writer_wrote_is_kept_above_between_and_below_marked_lines() {
        let quoted = FOOTER.lines().map(|line| format!("> {line}\n")).collect::<String>();
        let below =
            format!("On Tue, Dec 1, 2026 Harbor <u@h.example> wrote:\n{quoted}\nPlease remove us.\n\n-- \nDana");
        assert_eq!(own(&below), "Please remove us.");
        let between = format!("Hello,\n{quoted}No, thanks.\n{quoted}");
        assert_eq!(own(&between), "Hello,\nNo, thanks.");
        let kept = "To be seen: Thursday.\nFrom Evanston.\nOn Tuesday at 9:30 we are closed.\nPlease remove a@b.example from this list:";
        assert_eq!(own(kept), kept);
        let before = "Please stop.\nOn Tue, Dec 1, 2026 at 9:00 AM Harbor wrote:\n\nDear";
        assert_eq!(own(before), "Please stop.");
        assert_eq!(own("_____________\nStop."), "Stop.");
    }
}
