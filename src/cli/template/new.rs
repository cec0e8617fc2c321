//! `touchline template new`: a folder with a commented letter and sample values.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::cli::console::Console;
use crate::cli::exit::{CliError, Ending};

/// Longest name of a letter.
const NAME_CHARS_MAX: usize = 64;
/// Where letters go if nothing is configured.
const FOLDER_DEFAULT: &str = "letters";

const LETTER: &str = r#"+++
title    = "TITLE"
about    = "When to use this letter, in one sentence."
# Subject of the mail and of the fax. Placeholders such as {{practice.name}} work here too.
subject  = "News from {{practice.name}}"
# advertisement: speaks of services; is faxed only where a basis is recorded, and carries the opt-out notice.
# informational | treatment (about a patient, to one clinician) | operational
purpose  = "advertisement"
# Whether it holds health information: none | deidentified | identified
phi      = "none"
# introduction | capacity | education | success | operations | community | ask | report
category = "capacity"
# reply_form: boxes to check and fax back (call me, you may fax us updates, I have a patient), if the page has room;
# advertisements only.
fax      = { pages_max = 1, reply_form = false }
# Days in which it does not go to the same referrer again, 0 to 3650; 0: it may always be repeated. Default by its kind.
# repeat_days = 14

# Each variable is filled in with --set NAME=TEXT. One with a default may be left out.
[variables.news]
about = "What is new, in one or two sentences"
# perishable = true               # true for a while only: a campaign waits until it is renewed for each run
#                                 # (a value that names a date is recognized without this)

[variables.points]
about   = "Up to five short points"
kind    = "list"                  # text | list | date | number
default = []
+++
Dear {{referrer.salutation}},

{{news}}

{{#if points}}
{{#each points}}
- {{this}}
{{/each}}

{{/if}}
To refer a patient, call **{{practice.referral_line}}** or fax {{practice.fax}}. You hear from us within {{practice.response_time}}.
"#;

const SAMPLE: &str = r#"{
  "news": "From December we see new patients on Wednesday evenings until eight.",
  "points": ["telehealth intake within a week", "in-person visits in Evanston"]
}
"#;

/// Starts a letter.
///
/// # Errors
/// The name is not valid, or the letter already exists.
pub fn run(console: &Console, name: &str, folder: Option<PathBuf>) -> Result<(), CliError> {
    check_name(name)?;
    let configured = if console.config_path.exists() { console.settings()?.templates.folder } else { None };
    let known = configured.is_some() && folder.as_ref().is_none_or(|folder| Some(folder) == configured.as_ref());
    let folder = folder.or(configured).unwrap_or_else(|| PathBuf::from(FOLDER_DEFAULT));
    let inside = folder.join(name);
    std::fs::create_dir_all(&inside).map_err(|error| unwritable(&inside, &error))?;
    let letter = inside.join("letter.md");
    write_new(&letter, &LETTER.replace("TITLE", &title(name)))?;
    write_new(&inside.join("sample.json"), SAMPLE)?;
    let object = json!({ "letter": name, "file": letter.display().to_string(), "folder_configured": known });
    console.answer(&object, || {
        let mut text = format!("Created: {}\n", letter.display());
        if !known {
            text.push_str(&format!(
                "Add the folder of your letters to the configuration:\n  [templates]\n  folder = \"{}\"\n",
                folder.display()
            ));
        }
        text.push_str(&format!("Check it with: touchline template check {}", folder.display()));
        text
    })
}

fn check_name(name: &str) -> Result<(), CliError> {
    let fits = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let shared = ["partials", "letterhead", "notices"].contains(&name);
    if name.is_empty() || name.len() > NAME_CHARS_MAX || !fits || shared || name.starts_with('-') {
        return Err(CliError::refused(
            "a letter's name has lower-case letters, digits and hyphens, at most 64, such as evening-clinic",
        ));
    }
    Ok(())
}

/// `evening-clinic` as `Evening clinic`.
fn title(name: &str) -> String {
    let words = name.replace('-', " ");
    let mut letters = words.chars();
    letters.next().map(|first| format!("{}{}", first.to_ascii_uppercase(), letters.as_str())).unwrap_or_default()
}

fn write_new(path: &Path, text: &str) -> Result<(), CliError> {
    let file = std::fs::File::options().write(true).create_new(true).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| unwritable(path, &error))
}

fn unwritable(path: &Path, error: &std::io::Error) -> CliError {
    match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            CliError::refused(format!("{} already exists: choose another name", path.display()))
        }
        kind => CliError::new(Ending::Failed, format!("{} cannot be written ({kind})", path.display())),
    }
}
