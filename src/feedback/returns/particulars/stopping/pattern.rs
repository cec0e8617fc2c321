//! Patterns of words within a sentence, as `table/opt_out.toml` explains them.

use std::collections::BTreeMap;

/// Sets of words by name.
pub(super) type Sets = BTreeMap<String, Vec<String>>;
/// What stands in a sentence where words were taken out. No pattern goes across it.
pub(super) const TAKEN_OUT: &str = "";

/// Words in their order, with room between them.
#[derive(Debug)]
pub(super) struct Pattern(Vec<Token>);

#[derive(Debug)]
enum Token {
    /// Where the sentence begins.
    Start,
    /// Where it ends.
    End,
    /// Up to so many words.
    Gap(usize),
    /// One of these words.
    Word { whole: Vec<String>, beginnings: Vec<String> },
}

impl Pattern {
    /// Reads a pattern, folded as sentences are. A set that does not exist has no word, which a test of the table shows.
    pub fn parse(text: &str, sets: &Sets) -> Self {
        Self(text.split_whitespace().map(|token| Token::parse(token, sets)).collect())
    }

    /// Where the pattern stands first: from, and up to which word.
    pub fn find(&self, words: &[String]) -> Option<(usize, usize)> {
        (0..=words.len()).find_map(|start| Some((start, end(&self.0, words, start)?)))
    }
}

impl Token {
    fn parse(token: &str, sets: &Sets) -> Self {
        match token {
            "^" => Self::Start,
            "$" => Self::End,
            _ => match token.strip_prefix("..").and_then(|count| count.parse().ok()) {
                Some(count) => Self::Gap(count),
                None => Self::words(token, sets),
            },
        }
    }

    fn words(token: &str, sets: &Sets) -> Self {
        let (mut whole, mut beginnings) = (Vec::new(), Vec::new());
        for one in token.split('|') {
            let of_set = one.strip_prefix('{').and_then(|name| name.strip_suffix('}'));
            match of_set {
                Some(name) => whole.extend(sets.get(name).into_iter().flatten().cloned()),
                None => match one.strip_suffix('*') {
                    Some(beginning) => beginnings.push(beginning.to_owned()),
                    None => whole.push(one.to_owned()),
                },
            }
        }
        Self::Word { whole, beginnings }
    }
}

/// Up to which word the tokens stand at a place. Room at the end takes as much as it can.
fn end(tokens: &[Token], words: &[String], at: usize) -> Option<usize> {
    let Some((token, rest)) = tokens.split_first() else { return Some(at) };
    match token {
        Token::Start => (at == 0).then(|| end(rest, words, at)).flatten(),
        Token::End => (at == words.len()).then(|| end(rest, words, at)).flatten(),
        Token::Gap(most) => {
            let room = words.iter().skip(at).take(*most).take_while(|word| *word != TAKEN_OUT).count();
            if rest.is_empty() {
                return Some(at + room);
            }
            (0..=room).find_map(|count| end(rest, words, at + count))
        }
        Token::Word { whole, beginnings } => {
            let word = words.get(at).filter(|word| *word != TAKEN_OUT)?;
            let is_one =
                whole.contains(word) || beginnings.iter().any(|beginning| word.starts_with(beginning.as_str()));
            is_one.then(|| end(rest, words, at + 1)).flatten()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_finds_words_sets_beginnings_room_and_ends() {
        let sets = Sets::from([("stop".to_owned(), vec!["stop".to_owned(), "quit".to_owned()])]);
        let found = |pattern: &str, text: &str| {
            let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
            Pattern::parse(pattern, &sets).find(&words)
        };
        assert_eq!(found("{stop} ..2 fax*", "please quit all these faxes now"), Some((1, 5)));
        assert_eq!(found("{stop} ..1 fax*", "please quit all these faxes now"), None);
        assert_eq!(found("^ stop $", "stop"), Some((0, 1)));
        assert_eq!(found("^ stop $", "do stop"), None);
        assert_eq!(found("if you ..3", "well if you like"), Some((1, 4)));
        assert_eq!(found("a ..3 b", "a  b"), None, "not across what was taken out");
    }
}
