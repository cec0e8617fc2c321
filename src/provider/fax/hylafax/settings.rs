//! What an account of a HylaFAX server may say.

use std::net::IpAddr;

use serde::Deserialize;

use super::connection::is_near;
use crate::domain::FaxNumber;
use crate::provider::{Account, SettingsError};

/// How often, at most, the server may dial or try by itself.
const REPEATS_MAX: u16 = 12;
/// The longest time, in minutes, that a job may wait for a line.
const GIVE_UP_MINUTES_MAX: u16 = 24 * 60;
/// Longest name of a host or user.
const NAME_CHARS_MAX: usize = 100;
/// Longest prefix before a number.
const PREFIX_CHARS_MAX: usize = 20;

/// The account's own settings, as the file has them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    pub host: String,
    #[serde(default = "default_port")]
    pub port: u16,
    pub user: String,
    #[serde(default)]
    pub from: Option<FaxNumber>,
    #[serde(default)]
    pub dial_prefix: String,
    #[serde(default = "yes")]
    pub dial_plus: bool,
    #[serde(default = "once")]
    pub dials: u16,
    #[serde(default = "once")]
    pub tries: u16,
    #[serde(default = "an_hour")]
    pub give_up_minutes: u16,
    #[serde(default)]
    pub tagline: bool,
    #[serde(default = "a_quarter")]
    pub done_kept_minutes: u32,
    #[serde(default)]
    pub plain_network: bool,
}

const fn default_port() -> u16 {
    4559
}

const fn yes() -> bool {
    true
}

const fn once() -> u16 {
    1
}

const fn an_hour() -> u16 {
    60
}

const fn a_quarter() -> u32 {
    15
}

impl Settings {
    /// Refuses what the server could not understand or what could end a command line.
    ///
    /// # Errors
    /// Names the account and the key.
    pub fn check(&self, account: &Account) -> Result<(), SettingsError> {
        let rules = [
            ("host", is_name(&self.host), "must be the server's name or address"),
            ("port", self.port > 0, "must be a port, 1 to 65535"),
            ("user", is_name(&self.user), "must be a user's name without spaces"),
            ("dial_prefix", is_prefix(&self.dial_prefix), "must be at most 20 of: digits * # , w @ !"),
            ("dials", (1..=REPEATS_MAX).contains(&self.dials), "must be 1 to 12"),
            ("tries", (1..=REPEATS_MAX).contains(&self.tries), "must be 1 to 12"),
            ("give_up_minutes", (1..=GIVE_UP_MINUTES_MAX).contains(&self.give_up_minutes), "must be 1 to 1440"),
            ("host", self.is_allowed(), "is outside your network, and nothing is encrypted; see plain_network"),
        ];
        match rules.into_iter().find(|(_, holds, _)| !holds) {
            Some((key, _, why)) => Err(account.refuse(key, why)),
            None => Ok(()),
        }
    }

    /// Whether an address written out may be spoken to; a name is judged by what it resolves to, at each connection.
    fn is_allowed(&self) -> bool {
        self.plain_network || self.host.parse::<IpAddr>().map_or(true, is_near)
    }

    /// What the modem or the gateway is told to dial.
    pub fn dial_string(&self, to: &FaxNumber) -> String {
        let number = if self.dial_plus { to.as_str() } else { to.as_str().trim_start_matches('+') };
        format!("{}{number}", self.dial_prefix)
    }

    /// `LASTTIME` as the protocol writes it: days, hours and minutes from now.
    pub fn last_time(&self) -> String {
        let minutes = self.give_up_minutes;
        format!("{:02}{:02}{:02}", minutes / (24 * 60), minutes / 60 % 24, minutes % 60)
    }
}

fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-:@%".contains(c);
    !text.is_empty() && text.len() <= NAME_CHARS_MAX && text.chars().all(plain)
}

fn is_prefix(text: &str) -> bool {
    text.len() <= PREFIX_CHARS_MAX && text.chars().all(|c| c.is_ascii_digit() || "*#,w@!".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> Settings {
        toml::from_str(&format!("host = \"fax.local\"\nuser = \"touchline\"\n{text}")).expect("settings")
    }

    #[test]
    fn a_number_is_dialled_behind_its_prefix_with_or_without_its_plus() {
        let to = FaxNumber::parse("+13125550142").expect("a number");
        assert_eq!(settings("").dial_string(&to), "+13125550142");
        assert_eq!(settings("dial_prefix = \"9,\"\ndial_plus = false").dial_string(&to), "9,13125550142");
    }

    #[test]
    fn the_time_to_give_up_is_written_in_days_hours_and_minutes() {
        assert_eq!(settings("").last_time(), "000100");
        assert_eq!(settings("give_up_minutes = 1440").last_time(), "010000");
        assert_eq!(settings("give_up_minutes = 95").last_time(), "000135");
    }

    #[test]
    fn nothing_that_could_end_a_command_is_a_name_or_a_prefix() {
        for text in ["", "two words", "a\r\nJSUBM 1", "a\"b", "a,b"] {
            assert!(!is_name(text), "{text:?}");
        }
        for text in ["9 ", "9\r\nJKILL 1", "9\"", "123456789012345678901"] {
            assert!(!is_prefix(text), "{text:?}");
        }
    }

    #[test]
    fn an_address_outside_needs_to_be_allowed() {
        assert!(settings("").is_allowed());
        let public: Settings = toml::from_str("host = \"203.0.113.7\"\nuser = \"touchline\"").expect("settings");
        assert!(!public.is_allowed());
        assert!(Settings { plain_network: true, ..public }.is_allowed());
    }
}
