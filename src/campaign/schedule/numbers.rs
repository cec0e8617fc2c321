//! Numbers in words: `ten`, `fifteenth`, `twenty-first`.

/// From one on.
const CARDINALS: [&str; 19] = [
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
/// From first on.
const ORDINALS: [&str; 19] = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
];
const TENS: [(&str, u8); 6] =
    [("twenty", 20), ("thirty", 30), ("forty", 40), ("fifty", 50), ("sixty", 60), ("ninety", 90)];

/// The number that a word counts, up to 99.
pub(super) fn cardinal(word: &str) -> Option<u8> {
    let ten = |word: &str| TENS.iter().find(|(known, _)| *known == word).map(|(_, ten)| *ten);
    match word.split_once('-') {
        Some((tens, ones)) => Some(ten(tens)? + position(&CARDINALS, ones).filter(|ones| *ones < 10)?),
        None => position(&CARDINALS, word).or_else(|| ten(word)),
    }
}

/// The day of a month that a word names, from the first to the thirty-first.
pub(super) fn day(word: &str) -> Option<u8> {
    match (word, word.split_once('-')) {
        ("twentieth", _) => Some(20),
        ("thirtieth", _) => Some(30),
        ("thirty-first", _) => Some(31),
        (_, Some(("twenty", ones))) => position(&ORDINALS, ones).filter(|ones| *ones < 10).map(|ones| 20 + ones),
        _ => position(&ORDINALS, word),
    }
}

fn position(words: &[&str], word: &str) -> Option<u8> {
    words.iter().position(|known| *known == word).and_then(|at| u8::try_from(at + 1).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_count_as_their_digits_do() {
        for (word, number) in [("one", 1), ("ten", 10), ("nineteen", 19), ("twenty", 20), ("forty-five", 45)] {
            assert_eq!(cardinal(word), Some(number), "{word}");
        }
        for (word, number) in
            [("first", 1), ("sixth", 6), ("twentieth", 20), ("twenty-second", 22), ("thirty-first", 31)]
        {
            assert_eq!(day(word), Some(number), "{word}");
        }
        for word in ["", "-", "twenty-", "twenty-ten", "ten-one", "zero", "thirty-second", "mon-fri"] {
            assert_eq!((cardinal(word), day(word)), (None, None), "{word}");
        }
    }
}
