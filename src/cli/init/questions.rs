//! The questions of `touchline init`. Each answer is checked as it is typed.

use std::collections::BTreeMap;
use std::str::FromStr;

use chrono_tz::Tz;
use dialoguer::{Confirm, Input, Select};
use url::Url;

use super::config_file::{AccountAnswers, Answers};
use crate::domain::practice::{MedicalDirector, OptOut, Practice};
use crate::domain::{Channel, EmailAddress, FaxNumber};
use crate::provider::{REGISTRY, Setting, Spec};

/// Zones offered in the list; any other is typed.
const ZONES: [&str; 7] = [
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Phoenix",
    "America/Los_Angeles",
    "America/Anchorage",
    "Pacific/Honolulu",
];
/// Toll-free area codes.
const TOLL_FREE_CODES: [&str; 7] = ["800", "833", "844", "855", "866", "877", "888"];
/// Longest answer.
const ANSWER_CHARS_MAX: usize = 200;

/// Asks for everything a first file needs.
///
/// # Errors
/// There is no terminal, or the person canceled.
pub fn ask() -> dialoguer::Result<Answers> {
    let practice = ask_practice()?;
    let mut accounts = Vec::new();
    for channel in Channel::ALL {
        accounts.extend(ask_account(*channel)?);
    }
    let public_url = ask_optional("Public web address of this installation (empty: none)", public_url)?;
    Ok(Answers { accounts, public_url, ..Answers::of_practice(practice) })
}

fn ask_practice() -> dialoguer::Result<Practice> {
    let name = ask_text("Name on the letterhead", None)?;
    let legal_name = ask_text("Legal name, for the fax header line", Some(&name))?;
    let street = ask_text("Street and suite", None)?;
    let city = ask_text("City", None)?;
    let state = ask_checked("State, two letters", None, state)?;
    let zip = ask_checked("ZIP code", None, zip)?;
    let phone: FaxNumber = ask_parsed("Main telephone number", None)?;
    let fax: FaxNumber = ask_parsed("Fax number of the practice", None)?;
    let email: EmailAddress = ask_parsed("Email address the letters come from", None)?;
    let website = ask_optional("Website (empty: none)", one_line)?;
    let time_zone = ask_zone()?;
    let medical_director = MedicalDirector {
        name: ask_text("Medical director's name", None)?,
        credentials: ask_text("Letters after the name", Some("MD"))?,
        title: "Medical Director".to_owned(),
        background: ask_optional("One or two sentences about training and experience (empty: later)", one_line)?
            .unwrap_or_default(),
        signature: None,
    };
    let opt_out = ask_opt_out(&phone, &fax, &email)?;
    Ok(Practice {
        name,
        legal_name,
        street,
        city,
        state,
        zip,
        phone,
        fax,
        referral_line: None,
        website,
        email,
        time_zone,
        hours: None,
        services: ask_list("Treatments offered, separated by semicolons")?,
        conditions: ask_list("Conditions treated, separated by semicolons")?,
        insurers: ask_list("Insurers accepted, separated by semicolons")?,
        response_time: ask_text("Promised answer to a referral within", Some("one business day"))?,
        description: None,
        logo: None,
        medical_director,
        opt_out,
    })
}

fn ask_opt_out(phone: &FaxNumber, fax: &FaxNumber, email: &EmailAddress) -> dialoguer::Result<OptOut> {
    let phone = ask_parsed("Opt-out telephone number, answered or recorded day and night", Some(&phone.pretty()))?;
    let fax = ask_parsed("Opt-out fax number", Some(&fax.pretty()))?;
    let toll_free = is_toll_free(&phone) || is_toll_free(&fax);
    let email = if toll_free {
        None
    } else {
        Some(ask_parsed("Neither is toll-free, so give an email address for opt-outs", Some(email.as_str()))?)
    };
    Ok(OptOut { phone, fax, web: None, email, toll_free })
}

fn ask_account(channel: Channel) -> dialoguer::Result<Option<AccountAnswers>> {
    let specs: Vec<&'static Spec> = REGISTRY.iter().copied().filter(|spec| spec.channel == channel).collect();
    let mut titles: Vec<&str> = specs.iter().map(|spec| spec.title).collect();
    titles.push("none for now");
    let choice = Select::new().with_prompt(format!("Provider for {channel}")).items(&titles).default(0).interact()?;
    let Some(spec) = specs.get(choice) else { return Ok(None) };
    let mut settings = BTreeMap::new();
    // Signing needs keys in files; its settings are in the file as comments.
    let asked = |setting: &&Setting| !setting.secret && !setting.key.starts_with("dkim_");
    for setting in spec.settings.iter().filter(asked) {
        let prompt = format!("{} ({})", setting.key, setting.about);
        let value = if setting.required { Some(ask_text(&prompt, None)?) } else { ask_optional(&prompt, one_line)? };
        settings.extend(value.map(|value| (setting.key.to_owned(), value)));
    }
    Ok(Some(AccountAnswers { name: format!("{channel}-{}", spec.kind), kind: spec.kind, settings }))
}

fn ask_zone() -> dialoguer::Result<Tz> {
    let mut items = ZONES.to_vec();
    items.push("another");
    let choice = Select::new().with_prompt("Time zone").items(&items).default(0).interact()?;
    match ZONES.get(choice).and_then(|name| name.parse().ok()) {
        Some(zone) => Ok(zone),
        None => ask_checked("IANA zone name", None, zone),
    }
}

fn ask_list(prompt: &str) -> dialoguer::Result<Vec<String>> {
    let text = ask_optional(prompt, |text| Ok::<_, String>(text.to_owned()))?.unwrap_or_default();
    Ok(text.split(';').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect())
}

fn ask_text(prompt: &str, default: Option<&str>) -> dialoguer::Result<String> {
    ask_checked(prompt, default, one_line)
}

fn ask_parsed<T>(prompt: &str, default: Option<&str>) -> dialoguer::Result<T>
where
    T: FromStr,
    T::Err: ToString,
{
    ask_checked(prompt, default, |text| T::from_str(text).map_err(|error| error.to_string()))
}

fn ask_checked<T>(
    prompt: &str,
    default: Option<&str>,
    read: impl Fn(&str) -> Result<T, String>,
) -> dialoguer::Result<T> {
    loop {
        let mut input = Input::<String>::new().with_prompt(prompt).validate_with(|text: &String| read(text).map(drop));
        if let Some(default) = default {
            input = input.default(default.to_owned());
        }
        // The prompt does not validate the default, so the answer is parsed again.
        match read(&input.interact_text()?) {
            Ok(value) => return Ok(value),
            Err(message) => eprintln!("{message}"),
        }
    }
}

fn ask_optional<T>(prompt: &str, read: impl Fn(&str) -> Result<T, String>) -> dialoguer::Result<Option<T>> {
    ask_checked_or_empty(prompt, |text| if text.trim().is_empty() { Ok(None) } else { read(text).map(Some) })
}

fn ask_checked_or_empty<T>(
    prompt: &str,
    read: impl Fn(&str) -> Result<Option<T>, String>,
) -> dialoguer::Result<Option<T>> {
    let text = Input::<String>::new()
        .with_prompt(prompt)
        .allow_empty(true)
        .validate_with(|text: &String| read(text).map(drop))
        .interact_text()?;
    Ok(read(&text).unwrap_or_default())
}

/// Whether to overwrite an existing file.
///
/// # Errors
/// As [`ask`].
pub fn ask_overwrite(path: &std::path::Path) -> dialoguer::Result<bool> {
    Confirm::new().with_prompt(format!("{} exists. Replace it?", path.display())).default(false).interact()
}

/// Whether the number is toll-free.
#[must_use]
pub fn is_toll_free(number: &FaxNumber) -> bool {
    number.as_str().strip_prefix("+1").is_some_and(|digits| TOLL_FREE_CODES.iter().any(|code| digits.starts_with(code)))
}

fn one_line(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("this cannot be empty".to_owned());
    }
    if text.chars().count() > ANSWER_CHARS_MAX * 2 || text.chars().any(char::is_control) {
        return Err("write one line of at most 400 characters".to_owned());
    }
    Ok(text.to_owned())
}

fn state(text: &str) -> Result<String, String> {
    let text = text.trim().to_ascii_uppercase();
    let fits = text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase());
    if fits { Ok(text) } else { Err("write two letters, such as IL".to_owned()) }
}

fn zip(text: &str) -> Result<String, String> {
    let text = text.trim();
    let (five, four) = text.split_once('-').unwrap_or((text, "0000"));
    let digits = |part: &str, count| part.len() == count && part.bytes().all(|b| b.is_ascii_digit());
    if digits(five, 5) && digits(four, 4) {
        Ok(text.to_owned())
    } else {
        Err("write five digits, such as 60201".to_owned())
    }
}

fn zone(text: &str) -> Result<Tz, String> {
    text.trim().parse().map_err(|_| "write an IANA zone name, such as America/Chicago".to_owned())
}

fn public_url(text: &str) -> Result<Url, String> {
    crate::config::base_url(text).ok_or_else(|| "write an address such as https://touchline.clinic.example".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_checked_as_they_are_typed() {
        assert_eq!(state(" il "), Ok("IL".to_owned()));
        assert!(state("Illinois").is_err());
        assert_eq!(zip("02134-0001"), Ok("02134-0001".to_owned()));
        assert!(zip("2134").is_err());
        assert_eq!(zone("America/Chicago"), Ok(Tz::America__Chicago));
        assert!(zone("Chicago time").expect_err("no zone").contains("America/Chicago"));
        assert!(public_url("ftp://clinic.example").is_err());
        assert!(one_line("two\nlines").is_err());
    }

    #[test]
    fn toll_free_numbers_are_told_by_their_code() {
        let number = |text| FaxNumber::parse(text).expect("a number");
        assert!(is_toll_free(&number("800-555-0199")));
        assert!(!is_toll_free(&number("847-555-0199")));
    }
}
