//! By which account letters are sent: one is picked from a list, and only its settings are asked for.

use std::collections::BTreeMap;

use super::config_file::AccountAnswers;
use super::draft::Draft;
use super::prompts::{Asked, answer, line, one_of, optional_line, say};
use super::questions::Turn;
use super::reading::one_line;
use crate::domain::Channel;
use crate::provider::fax::declared;
use crate::provider::{REGISTRY, Setting, Spec, find_spec};

/// The first choice of each list.
const REHEARSE: &str = "none yet: rehearse with the sandbox, which sends nothing";

/// A service that this program knows nothing about, in an office manager's words.
const OTHER: &str = "another fax service: someone technical describes it in a file first";

/// The kinds to pick from, the one for services that are not listed last. The sandbox is the first choice anyway.
fn kinds(channel: Channel) -> Vec<&'static Spec> {
    let sandbox = AccountAnswers::rehearsal(Channel::Fax).kind;
    let kinds = REGISTRY.iter().copied().filter(|spec| spec.channel == channel && spec.kind != sandbox);
    let mut kinds: Vec<&Spec> = kinds.collect();
    kinds.sort_by_key(|spec| is_other(spec));
    kinds
}

fn is_other(spec: &Spec) -> bool {
    spec.kind == declared::SPEC.kind
}

/// Which fax provider.
pub(super) fn fax(draft: &mut Draft) -> dialoguer::Result<Turn> {
    pick(draft, Channel::Fax, "Fax provider", "send no faxes")
}

/// Which mail server.
pub(super) fn email(draft: &mut Draft) -> dialoguer::Result<Turn> {
    pick(draft, Channel::Email, "Mail server", "send no email")
}

/// What the fax provider needs.
pub(super) fn fax_settings(draft: &mut Draft) -> dialoguer::Result<Turn> {
    settings(draft, Channel::Fax)
}

/// What the mail server needs.
pub(super) fn email_settings(draft: &mut Draft) -> dialoguer::Result<Turn> {
    settings(draft, Channel::Email)
}

fn pick(draft: &mut Draft, channel: Channel, prompt: &str, nothing: &str) -> dialoguer::Result<Turn> {
    let kinds = kinds(channel);
    let titles = kinds.iter().map(|spec| if is_other(spec) { OTHER } else { spec.title });
    let items: Vec<String> = [REHEARSE].into_iter().chain(titles).chain([nothing]).map(str::to_owned).collect();
    let standing = match draft.account(channel) {
        Some(account) if !account.is_rehearsal() => {
            kinds.iter().position(|spec| spec.kind == account.kind).map_or(0, |place| place + 1)
        }
        _ => 0,
    };
    let chosen = answer!(one_of(prompt, &items, standing));
    let picked = match chosen.checked_sub(1).map(|place| kinds.get(place)) {
        None => Some(AccountAnswers::rehearsal(channel)),
        Some(Some(spec)) => Some(AccountAnswers::new(spec.kind, channel)),
        Some(None) => None,
    };
    let before = draft.account(channel).map(|account| account.name.clone());
    // Settings that were typed for the same account stay.
    if before.is_none() || before != picked.as_ref().map(|account| account.name.clone()) {
        draft.accounts.retain(|account| Some(&account.name) != before.as_ref());
        draft.accounts.extend(picked);
        draft.accounts.sort_by_key(|account| find_spec(account.kind).map(|spec| spec.channel));
    }
    Ok(Turn::On)
}

/// What is asked for, given what was answered: what the account cannot work without, how a relay is logged in to, and where
/// that is by OAuth, as which app.
#[must_use]
pub fn is_asked(setting: &Setting, given: &BTreeMap<String, String>) -> bool {
    let oauth = given.get("oauth").map(String::as_str);
    let how_to_log_in = match setting.key {
        "oauth" | "username" => true,
        "client_id" => oauth.is_some(),
        "tenant" => oauth == Some("microsoft"),
        _ => false,
    };
    !setting.secret && (how_to_log_in || setting.is_required(|key| given.contains_key(key)))
}

fn settings(draft: &mut Draft, channel: Channel) -> dialoguer::Result<Turn> {
    let account = draft.accounts.iter_mut().find(|account| account.channel() == Some(channel));
    let Some(account) = account.filter(|account| !account.is_rehearsal()) else { return Ok(Turn::Skip) };
    let Some(spec) = find_spec(account.kind) else { return Ok(Turn::Skip) };
    match ask_settings(spec, &mut account.settings)? {
        Asked::Answer(true) => Ok(Turn::On),
        Asked::Answer(false) => Ok(Turn::Skip),
        Asked::Back => Ok(Turn::Back),
    }
}

/// Asks for the settings of an account that are not secret; whether there was anything to ask.
///
/// # Errors
/// There is no terminal, or the person canceled.
pub fn ask_settings(spec: &Spec, settings: &mut BTreeMap<String, String>) -> dialoguer::Result<Asked<bool>> {
    let mut at = 0;
    loop {
        // What is asked next may follow from an answer.
        let Some(setting) = spec.settings.iter().filter(|setting| is_asked(setting, settings)).nth(at) else {
            return Ok(Asked::Answer(at > 0));
        };
        say(&format!("  {}", setting.about));
        let prompt = words_of(setting.key);
        let standing = settings.get(setting.key).cloned();
        let typed = if setting.required {
            match line(&prompt, standing.as_deref(), one_line)? {
                Asked::Answer(text) => Asked::Answer(Some(text)),
                Asked::Back => Asked::Back,
            }
        } else {
            optional_line(&format!("{prompt} (Enter: none)"), standing.as_deref(), one_line)?
        };
        match typed {
            Asked::Back if at == 0 => return Ok(Asked::Back),
            Asked::Back => at -= 1,
            Asked::Answer(value) => {
                settings.remove(setting.key);
                settings.extend(value.map(|value| (setting.key.to_owned(), value)));
                at += 1;
            }
        }
    }
}

/// `connection_id` as `Connection id`.
fn words_of(key: &str) -> String {
    let words = key.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rehearsing_comes_first_and_the_sandbox_is_no_second_choice() {
        assert!(kinds(Channel::Fax).iter().all(|spec| spec.kind != "sandbox"));
        assert!(REHEARSE.starts_with("none yet"));
    }

    #[test]
    fn a_service_that_is_not_listed_is_the_last_of_the_list() {
        let kinds = kinds(Channel::Fax);
        assert_eq!(kinds.iter().position(|spec| is_other(spec)), Some(kinds.len() - 1));
        assert!(!kinds[..kinds.len() - 1].iter().any(|spec| spec.title.contains("TOML")));
    }

    #[test]
    fn a_relay_is_asked_for_its_host_and_the_name_to_log_in_with() {
        let spec = find_spec("smtp").expect("a kind");
        let asked = |given: &[(&str, &str)]| -> Vec<&str> {
            let given = given.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
            spec.settings.iter().filter(|setting| is_asked(setting, &given)).map(|setting| setting.key).collect()
        };
        assert_eq!(asked(&[]), ["oauth", "host", "username"]);
        assert_eq!(asked(&[("oauth", "microsoft")]), ["oauth", "username", "tenant", "client_id"]);
        assert_eq!(asked(&[("oauth", "google")]), ["oauth", "username", "client_id"]);
        assert_eq!(words_of("connection_id"), "Connection id");
    }
}
