//! Short texts: addresses, schedules, the configuration, tokens of opt-out links.

use std::path::Path;

use touchline::campaign::schedule::Schedule;
use touchline::config::Config;
use touchline::domain::id::MessageId;
use touchline::domain::opt_out::OptOutLinks;
use touchline::domain::{Address, EmailAddress, FaxNumber, Timestamp};

/// Stands for every secret of a configuration.
const SECRET: &str = "canary-secret-5f2e";

/// A number or mailbox is read, written, and read again as the same.
pub fn address(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    if let Ok(number) = FaxNumber::parse(text) {
        assert!(number.as_str().len() <= 16 && number.as_str()[1..].bytes().all(|b| b.is_ascii_digit()), "not E.164");
        assert_eq!(FaxNumber::parse(number.as_str()).as_ref(), Ok(&number));
        assert_eq!(FaxNumber::parse(&number.pretty()).as_ref(), Ok(&number), "{}", number.pretty());
        assert!(!number.masked().contains(number.as_str()));
    }
    if let Ok(mailbox) = EmailAddress::parse(text) {
        assert_eq!(EmailAddress::parse(mailbox.as_str()).as_ref(), Ok(&mailbox));
        assert!(!mailbox.as_str().chars().any(|c| c.is_control() || c.is_whitespace()), "white space");
        assert!(mailbox.as_str().ends_with(mailbox.domain()));
        assert!(!mailbox.masked().contains(mailbox.as_str()));
    }
    if let Ok(address) = Address::guess(text) {
        assert_eq!(Address::parse(address.channel(), address.as_str()).as_ref(), Ok(&address));
    }
}

/// A schedule only ever goes forward. First octet: which zone. The next six: what time it is.
pub fn schedule(input: &[u8]) {
    let [zone, a, b, c, d, e, f, text @ ..] = input else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let Ok(schedule) = text.parse::<Schedule>() else { return };
    let zone = chrono_tz::TZ_VARIANTS[usize::from(*zone) * 7 % chrono_tz::TZ_VARIANTS.len()];
    // Up to the year 2239.
    let now = Timestamp(i64::from_be_bytes([0, 0, *a, *b, *c, *d, *e, *f]) % 8_500_000_000_000);
    assert!(!schedule.sentence(zone).is_empty());
    let mut moment = now;
    for _ in 0..3 {
        let Some(next) = schedule.next_after(moment, zone, now) else { return };
        assert!(next > moment, "{next} is not after {moment}");
        moment = next;
    }
}

/// Whatever is wrong is said with words, and never with a secret.
pub fn config(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    // A secret may stand in a file: random names are not to be opened here.
    if text.contains("file") {
        return;
    }
    let lookup = |_: &str| Some(SECRET.to_owned());
    let said = match Config::parse_with_env(text, "fuzz.toml", Path::new("/nowhere"), &lookup) {
        Ok(config) => format!("{config:?}"),
        Err(error) => {
            let words = error.to_string();
            assert!(words.contains("fuzz.toml"), "{words}");
            words
        }
    };
    assert!(!said.contains(SECRET), "a secret was said");
}

/// No token but ours is believed.
pub fn opt_out(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let links = OptOutLinks::new(None, b"key");
    if let Some(message) = links.read(text) {
        assert!(links.token(message).eq_ignore_ascii_case(text), "a token of another form");
    }
    if let Some(octets) = input.first_chunk::<16>() {
        let message = MessageId(uuid::Uuid::from_bytes(*octets));
        let token = links.token(message);
        assert_eq!(links.read(&token), Some(message));
        assert_eq!(OptOutLinks::new(None, b"other").read(&token), None);
    }
}
