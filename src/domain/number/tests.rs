use super::*;
use proptest::prelude::*;

fn fax(text: &str) -> Result<(String, usize), String> {
    read(text, Line::Fax).map(|read| (read.value.e164, read.others)).map_err(|error| error.0.to_owned())
}

fn voice(text: &str) -> Option<(String, Option<String>)> {
    read(text, Line::Voice).ok().map(|read| (read.value.e164, read.value.extension))
}

#[test]
fn a_number_is_read_as_a_person_reads_it() {
    for (text, e164, others) in [
        ("(847) 555-0161", "+18475550161", 0),
        ("847.555.0161", "+18475550161", 0),
        ("847/555-0161", "+18475550161", 0),
        ("1-847-555-0161", "+18475550161", 0),
        ("+1 (1-847) 555-0161", "+18475550161", 0),
        ("001 847 555 0161", "+18475550161", 0),
        ("9,1-847-555-0161", "+18475550161", 0),
        ("8,475,550,161", "+18475550161", 0),
        ("8475550161.0", "+18475550161", 0),
        ("8475550161.00", "+18475550161", 0),
        ("8475550161,0", "+18475550161", 0),
        ("18475550161.0", "+18475550161", 0),
        ("8.475550161E+09", "+18475550161", 0),
        ("8.475550161E9", "+18475550161", 0),
        ("8,475550161e+09", "+18475550161", 0),
        ("8.4755501610E9", "+18475550161", 0),
        ("1.8475550161E+10", "+18475550161", 0),
        ("'8475550161", "+18475550161", 0),
        ("=\"8475550161\"", "+18475550161", 0),
        ("(847) 555-0161 (fax)", "+18475550161", 0),
        ("Fax/Phone 847-555-0161", "+18475550161", 0),
        ("Phone/Fax: 847-555-0161", "+18475550161", 0),
        ("fax no 847-555-0161", "+18475550161", 0),
        ("847\u{2022}555\u{2022}0161", "+18475550161", 0),
        ("847\u{b7}555\u{b7}0161", "+18475550161", 0),
        ("(847) 555-0161 (preferred)", "+18475550161", 0),
        ("(847) 555-0161 fax", "+18475550161", 0),
        ("Fax: (847) 555-0161", "+18475550161", 0),
        ("F: (847) 555-0161", "+18475550161", 0),
        ("Fax # 847 555 0161", "+18475550161", 0),
        ("office fax no. 847 555 0161", "+18475550161", 0),
        ("F (847) 555-0161  P (847) 555-0162", "+18475550161", 1),
        ("P: (847) 555-0162 F: (847) 555-0161", "+18475550161", 1),
        ("tel:+1-847-555-0161", "+18475550161", 0),
        ("Tel. 847 555 0161", "+18475550161", 0),
        ("Tel 847 555 0162, Fax 847 555 0161", "+18475550161", 1),
        ("US +1 847 555 0161", "+18475550161", 0),
        ("(847) 555-0161 / (847) 555-0162", "+18475550161", 1),
        ("847-555-0161; 847-555-0162, 847-555-0163", "+18475550161", 2),
        ("(847) 555-0161 or (847) 555-0162", "+18475550161", 1),
        ("(847) 555-0161 ::: (847) 555-0162", "+18475550161", 1),
        ("(847) 555-0161\n(847) 555-0162", "+18475550161", 1),
        ("(847) 555-0161 (847) 555-0162", "+18475550161", 1),
        ("847 555 0161 847 555 0162", "+18475550161", 1),
        ("(847) 555-0161 &amp; 0162", "+18475550161", 1),
        ("(847) 555-0161/62", "+18475550161", 1),
        ("８４７-５５５-０１６１", "+18475550161", 0),
        ("(847) 555\u{2013}0161", "+18475550161", 0),
        ("\u{feff}(847)\u{a0}555\u{2011}0161\u{200b}", "+18475550161", 0),
        ("+44 (0)20 7946 0958", "+442079460958", 0),
        ("+44 20 7946 0958", "+442079460958", 0),
        ("+44 020 7946 0958", "+442079460958", 0),
        ("011 44 20 7946 0958", "+442079460958", 0),
        ("0044 20 7946 0958", "+442079460958", 0),
        ("+39 (0)6 6982 1234", "+390669821234", 0),
        ("+39 06 6982 1234", "+390669821234", 0),
    ] {
        assert_eq!(fax(text), Ok((e164.to_owned(), others)), "{text:?}");
    }
}

#[test]
fn what_is_not_plainly_one_number_is_refused_and_the_reason_helps() {
    for (text, reason) in [
        ("8.47555E+09", "rounded"),
        ("8.4755501E9", "rounded"),
        ("84.75550161E8", "rounded"),
        ("8.475550161E+10", "rounded"),
        ("8.475550161E-09", "rounded"),
        ("(847) 555-01l7", "letter"),
        ("312-S55-0142", "letter"),
        ("847-555-O1O2", "letter"),
        ("847-555-FAXX", "letters"),
        ("1-800-MED-FAXX", "letters"),
        ("847555010l", "letter"),
        ("847-555-010O", "letter"),
        ("84755501o1", "letter"),
        ("eight475550101", "letter"),
        ("847.555.0195 ext. 4", "extension"),
        ("847.555.0195x4", "extension"),
        ("847-555-0195 #4", "extension"),
        ("+18475550195;ext=4", "extension"),
        ("555-0101", "ten digits"),
        ("847-555-010", "ten digits"),
        ("847-555-01011", "ten digits"),
        ("44 20 7946 0958", "+"),
        ("+847 555 0101", "+1"),
        ("+(847) 555-0101", "+1"),
        ("+99 123 456 789", "no such"),
        ("911", "digits"),
        ("900-555-0142", "premium"),
        ("212-155-0142", "0 or 1"),
        ("hello", "not a telephone number"),
        ("()", "not a telephone number"),
        ("", "empty"),
        ("'", "empty"),
        ("Phone: (847) 555-0101", "marked as a telephone"),
        ("(847) 555-0101 fax (847) 555-0102", "either"),
        ("UK (847) 555-0101", "country"),
        ("555-2101, 312", "not a telephone number"),
        ("*67 847 555 0101", "letters or words"),
        ("847-555-0101 12", "digits"),
        ("n/a", "not a telephone number"),
        ("no fax - call 847-555-0101", "letters or words"),
        ("no fax, phone 847-555-0102", "letters or words"),
        ("847-555-0162 no fax", "letters or words"),
        ("fax: no, phone: 847-555-0107", "letters or words"),
        ("Fax off - call 847-555-0108", "letters or words"),
        ("call 847-555-0104", "letters or words"),
        ("847-555-016\u{b2}", "plain digits"),
        ("847-555-010\u{b3}", "plain digits"),
        ("847-555-01\u{2460}\u{2461}", "plain digits"),
        ("\u{664}47-555-0101", "plain digits"),
        ("see notes 847-555-0101", "letters or words"),
    ] {
        let error = fax(text).expect_err(text);
        assert!(error.contains(reason), "{text:?}: {error}");
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        assert!(digits.len() < 4 || !error.contains(&digits), "an error repeats no number: {error}");
    }
}

#[test]
fn a_telephone_number_keeps_its_extension() {
    for (text, extension) in [
        ("(847) 555-0161 x12", Some("12")),
        ("847.555.0161 ext. 4", Some("4")),
        ("(847) 555-0161, ext 12", Some("12")),
        ("847-555-0161 extension 1234", Some("1234")),
        ("847-555-0161 #77", Some("77")),
        ("+18475550161;ext=12", Some("12")),
        ("tel:+1-847-555-0161;ext=12", Some("12")),
        ("P: (847) 555-0161 F: (847) 555-0199", None),
        ("(847) 555-0161", None),
    ] {
        assert_eq!(voice(text), Some(("+18475550161".to_owned(), extension.map(str::to_owned))), "{text:?}");
    }
    assert_eq!(voice("fax: (847) 555-0161"), None);
}

/// Ways of writing ten digits.
fn written() -> impl Strategy<Value = (String, String)> {
    (2u32..=9, 0u32..=99, 200u32..=999, 0u32..=9999, 0usize..9).prop_filter_map(
        "a number",
        |(a, bc, exchange, line, way)| {
            let (area, exchange, line) = (format!("{a}{bc:02}"), exchange.to_string(), format!("{line:04}"));
            let digits = format!("{area}{exchange}{line}");
            fax(&digits).ok()?;
            let text = match way {
                0 => format!("({area}) {exchange}-{line}"),
                1 => format!("{area}.{exchange}.{line}"),
                2 => format!("+1 {area} {exchange} {line}"),
                3 => format!("1{digits}"),
                4 => format!("{digits}.0"),
                5 => format!("{}.{}E+09", &digits[..1], &digits[1..]),
                6 => format!("Fax: {area}-{exchange}-{line}"),
                7 => format!("{area}/{exchange}-{line}"),
                _ => digits.clone(),
            };
            Some((digits, text))
        },
    )
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,80}") {
        let _ = (fax(&text), voice(&text));
    }

    #[test]
    fn no_text_of_the_signs_that_numbers_have_makes_the_reader_panic(text in "[0-9+()./,;:|& xEefaltopr#-]{0,60}") {
        if let Ok((e164, _)) = fax(&text) {
            prop_assert_eq!(fax(&e164).map(|(again, _)| again), Ok(e164));
        }
    }

    #[test]
    fn every_way_of_writing_a_number_gives_its_digits((digits, text) in written()) {
        prop_assert_eq!(fax(&text), Ok((format!("+1{digits}"), 0)), "{}", text);
    }

    #[test]
    fn the_digits_dialed_all_stand_in_the_text_and_in_their_order((_, text) in written(), place in 0usize..30, put in "[A-Za-z0-9. /,;()\u{b2}\u{2462}\u{665}-]") {
        let mut changed: Vec<char> = text.chars().collect();
        changed.insert(place.min(changed.len()), put.chars().next().unwrap_or('a'));
        let changed: String = changed.into_iter().collect();
        if let Ok((e164, _)) = fax(&changed) {
            let shown: String = changed.split(['E', 'e']).next().unwrap_or_default().chars().filter(char::is_ascii_digit).collect();
            let dialed = e164.trim_start_matches("+1");
            prop_assert!(shown.contains(dialed.trim_start_matches('+')), "{} is not in {}", dialed, changed);
        }
    }

    #[test]
    fn a_letter_in_the_place_of_a_digit_is_never_read((digits, _) in written(), place in 0usize..10, letter in "[a-zA-Z]") {
        let mut text: Vec<char> = digits.chars().collect();
        text[place] = letter.chars().next().unwrap_or('a');
        let text: String = text.into_iter().collect();
        prop_assert!(fax(&text).is_err(), "{}", text);
    }

    #[test]
    fn an_exponent_with_fewer_digits_than_the_number_is_refused((digits, _) in written(), kept in 1usize..9) {
        let text = format!("{}.{}E+09", &digits[..1], &digits[1..=kept]);
        let is_whole = kept == 9;
        prop_assert_eq!(fax(&text).is_ok(), is_whole, "{}", text);
    }
}
