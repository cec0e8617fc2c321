//! A first configuration file: the answers it is built from, and its text.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use url::Url;

use crate::cli::rehearsal;
use crate::domain::practice::Practice;
use crate::domain::{Channel, EmailAddress, FaxNumber};
use crate::provider::{Setting, Spec, find_spec, secret_variable};

/// What the file is built from.
#[derive(Debug, Clone)]
pub struct Answers {
    /// Who sends.
    pub practice: Practice,
    /// Provider accounts, in the order in which each channel's route lists them.
    pub accounts: Vec<AccountAnswers>,
    /// The public address of this installation.
    pub public_url: Option<Url>,
    /// The folder of the database, if it is not to lie beside the file.
    pub data_folder: Option<PathBuf>,
}

/// One provider account, without its secrets: the file names the environment variables that hold them.
#[derive(Debug, Clone)]
pub struct AccountAnswers {
    /// Account name: a-z, 0-9, hyphen.
    pub name: String,
    /// A kind of the registry.
    pub kind: &'static str,
    /// What the variables of its secrets begin with, in the form of a kind: the kind itself, unless another account of the kind
    /// has those.
    pub stem: String,
    /// Plain settings by key. Those of the kind that are not here are written as comments.
    pub settings: BTreeMap<String, String>,
}

impl AccountAnswers {
    /// An account of a kind, without settings, named after both.
    #[must_use]
    pub fn new(kind: &'static str, channel: Channel) -> Self {
        Self { name: format!("{channel}-{kind}"), kind, stem: kind.to_owned(), settings: BTreeMap::new() }
    }

    /// The account with which letters are rehearsed: they go to `touchline sandbox` on this machine.
    #[must_use]
    pub fn rehearsal(channel: Channel) -> Self {
        let (name, kind, settings) = match channel {
            Channel::Fax => (rehearsal::FAX_ACCOUNT, rehearsal::FAX_KIND, rehearsal::fax_settings(rehearsal::FAX_PORT)),
            Channel::Email => {
                (rehearsal::MAIL_ACCOUNT, rehearsal::MAIL_KIND, rehearsal::mail_settings(rehearsal::MAIL_PORT))
            }
        };
        Self { name: name.to_owned(), kind, stem: kind.to_owned(), settings }
    }

    /// Whether it is such an account.
    #[must_use]
    pub fn is_rehearsal(&self) -> bool {
        [rehearsal::FAX_ACCOUNT, rehearsal::MAIL_ACCOUNT].contains(&self.name.as_str())
    }

    /// What it carries.
    #[must_use]
    pub fn channel(&self) -> Option<Channel> {
        find_spec(self.kind).map(|spec| spec.channel)
    }

    /// The variable that holds one of its secrets.
    pub(crate) fn variable(&self, key: &str) -> String {
        if self.is_rehearsal() { rehearsal::variable(key).to_owned() } else { secret_variable(&self.stem, key) }
    }

    /// Whether the file names that secret: one that is always required, the password of a username given, the secret of a
    /// desktop client of Google, or what the sandbox signs its callbacks with.
    pub(crate) fn needs(&self, setting: &Setting) -> bool {
        let given = |key: &str| self.settings.get(key).map(String::as_str).filter(|value| !value.is_empty());
        let of_sandbox = self.is_rehearsal() && setting.key == "webhook_secret";
        let of_login = match setting.key {
            "password" => given("username").is_some() && given("oauth").is_none(),
            "client_secret" => given("oauth") == Some("google"),
            _ => false,
        };
        setting.required || of_sandbox || of_login
    }
}

impl Answers {
    /// Answers for a practice, with everything else left out.
    #[must_use]
    pub const fn of_practice(practice: Practice) -> Self {
        Self { practice, accounts: Vec::new(), public_url: None, data_folder: None }
    }

    /// Every environment variable that must be set before the file loads, with what it must contain.
    #[must_use]
    pub fn variables_to_set(&self) -> Vec<(String, &'static str)> {
        let accounts = self.accounts.iter().filter_map(|account| Some((account, spec_of(account.kind)?)));
        let secrets = accounts.flat_map(|(account, spec)| {
            let needed = spec.settings.iter().filter(|setting| setting.secret && account.needs(setting));
            needed.map(|setting| (account.variable(setting.key), setting.about))
        });
        secrets.collect()
    }
}

/// The file's text. It parses once [`Answers::variables_to_set`] are set and the settings that an account requires
/// are given.
#[must_use]
pub fn render_config(answers: &Answers) -> String {
    let mut text = String::from(
        "# Touchline's configuration. Every key with its default is in touchline.example.toml.\n\
         # TOUCHLINE_STORE__URL=… in the environment overrides store.url, and so on. Secrets never stand in this file.\n",
    );
    render_practice(&mut text, &answers.practice);
    text.push_str("\n[store]\n# The path is relative to this file. Or postgres://…, or { env = \"DATABASE_URL\" }.\n");
    let database = answers.data_folder.clone().unwrap_or_default().join("touchline.db");
    line(&mut text, "url", &format!("sqlite:{}", database.display()), "");
    text.push_str("\n[server]\nlisten = \"127.0.0.1:8025\"\n");
    match &answers.public_url {
        Some(url) => line(&mut text, "public_url", url.as_str(), "provider callbacks and opt-out links"),
        None => text.push_str(
            "# public_url = \"https://touchline.clinic.example\"   # callbacks and opt-out links; without it, providers are polled\n",
        ),
    }
    for account in &answers.accounts {
        render_account(&mut text, account);
    }
    render_routes(&mut text, &answers.accounts);
    text.push_str("\n[sending]\n# Advertisements and informational letters go out in the recipient's office hours, by the recipient's clock. Or \"always\".\noffice_hours = \"Mon-Fri 08:00-17:00\"\n");
    text.push_str("\n[policy]\n# Or permission_only. Either way, an advertisement is faxed only to a number with a recorded basis.\nadvertising = \"permission_or_ebr\"\n");
    text
}

fn render_practice(text: &mut String, practice: &Practice) {
    text.push_str("\n# Who sends: on the letterhead, in the fax header line, and under every letter.\n[practice]\n");
    line(text, "name", &practice.name, "on the letterhead");
    line(text, "legal_name", &practice.legal_name, "in the header line of every fax (47 CFR 68.318(d))");
    line(text, "street", &practice.street, "a postal address is required in commercial mail");
    line(text, "city", &practice.city, "");
    line(text, "state", &practice.state, "");
    line(text, "zip", &practice.zip, "");
    line(text, "phone", practice.phone.as_str(), "main number");
    line(text, "fax", practice.fax.as_str(), "caller number of faxes");
    optional_line(text, "referral_line", practice.referral_line.as_ref().map(FaxNumber::as_str));
    optional_line(text, "website", practice.website.as_deref());
    line(text, "email", practice.email.as_str(), "From of every letter");
    line(text, "time_zone", practice.time_zone.name(), "");
    optional_line(text, "hours", practice.hours.as_deref());
    list(text, "services", &practice.services);
    list(text, "conditions", &practice.conditions);
    list(text, "insurers", &practice.insurers);
    line(text, "response_time", &practice.response_time, "promised to referrers: \"within …\"");
    optional_line(text, "description", practice.description.as_deref());
    optional_line(text, "logo", practice.logo.as_ref().and_then(|path| path.to_str()));

    let director = &practice.medical_director;
    text.push_str("\n[practice.medical_director]\n");
    line(text, "name", &director.name, "who signs");
    line(text, "credentials", &director.credentials, "");
    line(text, "title", &director.title, "");
    line(text, "background", &director.background, "one or two sentences; the introduction prints them");
    optional_line(text, "signature", director.signature.as_ref().and_then(|path| path.to_str()));

    let opt_out = &practice.opt_out;
    text.push_str("\n# How recipients opt out; all of it must work day and night (47 CFR 64.1200(a)(4)).\n");
    text.push_str("[practice.opt_out]\n");
    line(text, "phone", opt_out.phone.as_str(), "");
    line(text, "fax", opt_out.fax.as_str(), "");
    optional_line(text, "web", opt_out.web.as_deref());
    optional_line(text, "email", opt_out.email.as_ref().map(EmailAddress::as_str));
    let _ = writeln!(text, "toll_free = {}   # whether one of the two numbers is toll-free", opt_out.toll_free);
}

fn render_account(text: &mut String, account: &AccountAnswers) {
    let Some(spec) = spec_of(account.kind) else { return };
    if account.is_rehearsal() {
        return render_rehearsal(text, account, spec);
    }
    text.push('\n');
    text.push_str(&account_section(account));
}

/// An account at the sandbox: no more than it needs.
fn render_rehearsal(text: &mut String, account: &AccountAnswers, spec: &Spec) {
    text.push_str("\n# To rehearse: it goes to `touchline sandbox` on this machine and no further.\n");
    let _ = writeln!(text, "[providers.{}]\nkind = {}", account.name, quoted(spec.kind));
    for (key, value) in &account.settings {
        let _ = writeln!(text, "{key} = {}", setting_value(key, value));
    }
    for setting in spec.settings.iter().filter(|setting| setting.secret && account.needs(setting)) {
        let _ = writeln!(text, "{} = {{ env = \"{}\" }}", setting.key, account.variable(setting.key));
    }
    if spec.channel == Channel::Fax {
        text.push_str(
            "baa = { signed = true, date = \"2026-01-02\", reference = \"the sandbox is part of this program\" }\n",
        );
    }
}

/// The section of an account with all settings of its kind, those without a value as comments.
#[must_use]
pub fn account_section(account: &AccountAnswers) -> String {
    let mut text = String::new();
    let Some(spec) = spec_of(account.kind) else { return text };
    let _ = writeln!(text, "# {} ({})", spec.title, spec.channel);
    let _ = writeln!(text, "[providers.{}]\nkind = {}", account.name, quoted(spec.kind));
    for setting in spec.settings {
        let _ = writeln!(text, "# {}", setting.about.replace('\n', " "));
        let (mark, value) = if setting.secret {
            let reference = format!("{{ env = \"{}\" }}", account.variable(setting.key));
            (if account.needs(setting) { "" } else { "# " }, reference)
        } else {
            match account.settings.get(setting.key).filter(|value| !value.is_empty()) {
                Some(value) => ("", setting_value(setting.key, value)),
                None => ("# ", setting_value(setting.key, "")),
            }
        };
        let _ = writeln!(text, "{mark}{} = {value}", setting.key);
    }
    text.push_str("# Without a signed business associate agreement, nothing about patients is sent this way.\n");
    text.push_str("# baa = { signed = true, date = \"2026-01-31\", reference = \"where the paper is filed\" }\n");
    text
}

fn render_routes(text: &mut String, accounts: &[AccountAnswers]) {
    text.push_str(
        "\n# Account names in order of preference; the next is used only if the one before certainly did not send.\n",
    );
    text.push_str("[routes]\n");
    for channel in Channel::ALL {
        let names: Vec<String> = accounts
            .iter()
            .filter(|account| spec_of(account.kind).is_some_and(|spec| spec.channel == *channel))
            .map(|account| quoted(&account.name))
            .collect();
        let _ = writeln!(text, "{channel} = [{}]", names.join(", "));
    }
}

/// A setting's value as TOML: a number where the key's last word says so, else a string.
fn setting_value(key: &str, value: &str) -> String {
    const NUMBERS: [&str; 5] = ["port", "seconds", "minutes", "ms", "max"];
    let counts = key.rsplit('_').next().is_some_and(|unit| NUMBERS.contains(&unit));
    match value {
        "true" | "false" => value.to_owned(),
        _ if counts && value.parse::<u32>().is_ok() => value.to_owned(),
        _ => quoted(value),
    }
}

fn spec_of(kind: &str) -> Option<&'static Spec> {
    find_spec(kind)
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn line(text: &mut String, key: &str, value: &str, comment: &str) {
    let gap = if comment.is_empty() { "" } else { "   # " };
    let _ = writeln!(text, "{key} = {}{gap}{comment}", quoted(value));
}

fn optional_line(text: &mut String, key: &str, value: Option<&str>) {
    if let Some(value) = value {
        line(text, key, value, "");
    }
}

fn list(text: &mut String, key: &str, values: &[String]) {
    let values: Vec<String> = values.iter().map(|value| quoted(value)).collect();
    let _ = writeln!(text, "{key} = [{}]", values.join(", "));
}
