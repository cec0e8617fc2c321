//! Whether a person asks to be sent no more letters, by the patterns of `table/opt_out.toml`.

mod pattern;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use pattern::{Pattern, Sets, TAKEN_OUT};

/// How much of an answer is searched, in characters: what stands far below is a signature or a notice.
const CHARS_MAX: usize = 800;
/// How many sentences from the beginning may ask by a single word.
const ALONE_WITHIN: usize = 3;
/// The longest line that ends a sentence without a point, in characters: longer ones are broken by mail programs.
const LINE_CHARS: usize = 45;
/// The most words of a sentence that are looked at.
const WORDS_MAX: usize = 120;

/// The table as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    alone: Vec<String>,
    polite: Vec<String>,
    anywhere: Vec<String>,
    always: Vec<String>,
    requests: Vec<String>,
    unless: Vec<String>,
    sets: BTreeMap<String, String>,
}

/// The table as it is compared.
#[derive(Debug, Default)]
struct Requests {
    alone: Vec<String>,
    polite: Vec<String>,
    anywhere: Vec<String>,
    always: Vec<Pattern>,
    requests: Vec<Pattern>,
    unless: Vec<Pattern>,
}

static REQUESTS: LazyLock<Requests> = LazyLock::new(|| {
    let table: Table = toml::from_str(include_str!("../table/opt_out.toml")).unwrap_or_default();
    let sets: Sets =
        table.sets.iter().map(|(name, words)| (name.clone(), words.split_whitespace().map(folded).collect())).collect();
    let folded_all = |words: &[String]| words.iter().map(|word| folded(word)).collect();
    let patterns = |texts: &[String]| texts.iter().map(|text| Pattern::parse(&folded(text), &sets)).collect();
    Requests {
        alone: folded_all(&table.alone),
        polite: folded_all(&table.polite),
        anywhere: folded_all(&table.anywhere),
        always: patterns(&table.always),
        requests: patterns(&table.requests),
        unless: patterns(&table.unless),
    }
});

/// Whether somebody asks to be sent no more. `text`: what they wrote themselves, or a subject. It only counts as a hint for a person:
/// CAN-SPAM (15 U.S.C. 7704(a)(3)) lets people ask in any words, so the patterns are wide.
pub(super) fn asks(text: &str) -> bool {
    let text: String = text.chars().take(CHARS_MAX).collect();
    let whole = folded(&text);
    if REQUESTS.anywhere.iter().any(|words| whole.contains(words.as_str())) {
        return true;
    }
    sentences(&text).into_iter().enumerate().any(|(place, words)| {
        let asks_surely = REQUESTS.always.iter().any(|pattern| pattern.find(&words).is_some());
        asks_surely || (place < ALONE_WITHIN && is_alone(&words)) || {
            let left = without_other_meanings(words);
            REQUESTS.requests.iter().any(|pattern| pattern.find(&left).is_some())
        }
    })
}

/// Whether a sentence has nothing else but a word that asks.
fn is_alone(words: &[String]) -> bool {
    let left = words.iter().filter(|word| !REQUESTS.polite.contains(word));
    let left = left.map(String::as_str).collect::<Vec<_>>().join(" ");
    REQUESTS.alone.contains(&left) || REQUESTS.alone.contains(&words.join(" "))
}

/// The sentence without the places where words of requests mean something else.
fn without_other_meanings(mut words: Vec<String>) -> Vec<String> {
    for pattern in &REQUESTS.unless {
        while let Some((start, end)) = pattern.find(&words).filter(|(start, end)| start < end) {
            words.splice(start..end, [TAKEN_OUT.to_owned()]);
        }
    }
    words
}

/// The words of each sentence that has some.
fn sentences(text: &str) -> Vec<Vec<String>> {
    let mut sentences = vec![String::new()];
    for line in text.lines().map(str::trim) {
        let mut rest = line;
        while let Some(end) = end_of_sentence(rest) {
            let (sentence, behind) = rest.split_at(end);
            sentences.last_mut().into_iter().for_each(|last| last.push_str(sentence));
            sentences.push(String::new());
            rest = behind;
        }
        sentences.last_mut().into_iter().for_each(|last| last.extend([rest, " "]));
        if line.chars().count() < LINE_CHARS {
            sentences.push(String::new());
        }
    }
    sentences.iter().map(|sentence| words(sentence)).filter(|words| !words.is_empty()).collect()
}

/// The place behind the first sign that ends a sentence. The point of a title ends none.
fn end_of_sentence(text: &str) -> Option<usize> {
    let mut signs = text.char_indices().filter(|(_, c)| ".!?;:。！？".contains(*c));
    signs.find_map(|(place, sign)| {
        let end = place + sign.len_utf8();
        let is_last = text.get(end..).and_then(|rest| rest.chars().next()).is_none_or(char::is_whitespace);
        let before = text.get(..place).unwrap_or_default().to_lowercase();
        let word = before.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        let is_title = sign == '.' && ["dr", "mr", "mrs", "ms", "prof", "st"].contains(&word);
        ((is_last || !sign.is_ascii()) && !is_title).then_some(end)
    })
}

/// The words of a text as patterns have them: `don't` is `dont`, `d'envoyer` is `d` and `envoyer`.
fn words(text: &str) -> Vec<String> {
    let text = folded(text).replace(['\u{2019}', '`'], "'").replace("e-mail", "email").replace("un-sub", "unsub");
    let tokens = text.split(|c: char| !c.is_alphanumeric() && c != '\'').filter(|token| !token.is_empty());
    let mut words = Vec::new();
    for token in tokens {
        match token.rsplit_once('\'') {
            Some((word, end)) if ["t", "s", "m", "re", "ve", "ll", "d"].contains(&end) => {
                words.push(format!("{}{end}", word.replace('\'', "")));
            }
            _ => words.extend(token.split('\'').filter(|word| !word.is_empty()).map(str::to_owned)),
        }
    }
    words.truncate(WORDS_MAX);
    words
}

/// In lower case and without accents, which people leave out.
fn folded(text: &str) -> String {
    // A soft hyphen or a joiner within a word is not seen by who reads it.
    let is_unseen =
        |c: char| is_combining_mark(c) || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}');
    text.to_lowercase().replace('ß', "ss").nfd().filter(|c| !is_unseen(*c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Samples {
        asks: Vec<String>,
        other: Vec<String>,
    }

    #[test]
    fn requests_are_seen_and_other_answers_are_not() {
        let samples: Samples = toml::from_str(include_str!("../tests/requests.toml")).expect("the samples");
        assert!(samples.asks.len() >= 80 && samples.other.len() >= 80);
        let missed: Vec<_> = samples.asks.iter().filter(|text| !asks(text)).collect();
        let wrong: Vec<_> = samples.other.iter().filter(|text| asks(text)).collect();
        assert!(missed.len() * 20 <= samples.asks.len(), "more than 5 % are missed: {missed:#?}");
        assert!(wrong.len() <= 3, "other answers taken for requests: {wrong:#?}");
    }

    #[test]
    fn every_set_is_used_and_every_word_that_stands_alone_asks() {
        let table: Table = toml::from_str(include_str!("../table/opt_out.toml")).expect("the table");
        for name in table.sets.keys() {
            let used = format!("{{{name}}}");
            assert!(table.requests.iter().chain(&table.unless).any(|pattern| pattern.contains(&used)), "{name}");
        }
        for pattern in table.requests.iter().chain(&table.unless) {
            for token in pattern.split([' ', '|']).filter(|token| token.starts_with('{')) {
                let name = token.trim_matches(['{', '}']);
                assert!(table.sets.contains_key(name), "{token} of {pattern}");
            }
        }
        for word in &table.alone {
            assert!(asks(word), "{word}");
        }
    }

    #[test]
    fn a_sentence_is_one_across_broken_lines_and_titles() {
        let text = "We have seen your letter about the new program and would like you to\nplease remove Dr. Lee from your list.";
        assert!(asks(text));
        assert_eq!(sentences("Ask Dr. Lee. Now").len(), 2);
        assert_eq!(words("don't d'envoyer E-Mails"), ["dont", "d", "envoyer", "emails"]);
    }
}
